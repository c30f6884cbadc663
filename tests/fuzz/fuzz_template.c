/* SPDX-License-Identifier: MIT
 * Fuzz target: any bytes as a template, rendered over a small conversation. */
#include <stdint.h>
#include <string.h>

#include "chat/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char inputs[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi \\u00e9\"},{\"role\":\"assistant\",\"content\":null,"
        "\"tool_calls\":[{\"name\":\"f\",\"arguments\":{\"a\":[1,2.5]}}]}],\"tools\":[],\"n\":3,\"add_generation_"
        "prompt\":true}";
    static const lm_chat_render_params now = {sizeof now, 2026, 1, 2, 3, 4, 5, LM_CHAT_RENDER_ADAPT};
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_chat *chat;
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    if (lm_chat_open(&env, (const char *)data, size, &chat, NULL) != LM_OK) return 0;
    lm_chat_run(chat, inputs, strlen(inputs), &now, &prompt, NULL);
    lm_chat_close(chat);
    return 0;
}
