/* SPDX-License-Identifier: MIT
 * Rendering a small conversation. Templates see no special tokens and the first of January 1970. */
#include "chat_probe.h"

void lm_probe_quote(lm_str *out, const char *json) {
    for (; *json; json++) {
        if (*json == '`')
            lm_str_append(out, "\\\"", 2);
        else
            lm_str_append_char(out, *json == '\'' ? '"' : *json);
    }
}

lm_status lm_probe_render(lm_chat *chat, const char *messages, const char *rest, lm_chat_prompt *out) {
    const char *const parts[] = {"{'bos_token':'','eos_token':'','messages':[", messages, "]", rest, "}"};
    lm_str inputs;
    lm_str_init(&inputs, lm_chat_env(chat), SIZE_MAX);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) lm_probe_quote(&inputs, parts[i]);
    lm_status status = inputs.status;
    if (status == LM_OK) status = lm_chat_probe(chat, lm_str_text(&inputs), inputs.size, out);
    lm_str_free(&inputs);
    return status;
}
