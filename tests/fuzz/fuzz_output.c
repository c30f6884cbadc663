/* SPDX-License-Identifier: MIT
 * Fuzz target: any bytes as a model's reply, for every family. The first byte says how the rest is cut. The text handed out
 * must not depend on the cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chat/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *parse(const lm_env *env, const char *family, const char *text, size_t n, size_t piece) {
    static const char tools[] =
        "[{\"function\":{\"name\":\"f\",\"parameters\":{\"properties\":{\"a\":{\"type\":\"string\"}}}}}]";
    lm_chat_parser_params params = LM_CHAT_PARSER_PARAMS_INIT;
    lm_chat_parser *parser;
    lm_chat_delta delta;
    const char *json = "";
    size_t json_size = 0;
    params.tools = tools;
    params.tools_size = strlen(tools);
    if (lm_chat_parser_open(env, NULL, family, &params, &parser, NULL) != LM_OK) return NULL;
    for (size_t at = 0; at < n; at += piece) {
        lm_chat_parser_take(parser, text + at, n - at < piece ? n - at : piece);
        while (lm_chat_parser_pull(parser, &delta)) {}
    }
    lm_chat_parser_end(parser, true);
    lm_chat_parser_print(parser, &json, &json_size);
    char *copy = malloc(json_size + 1);
    if (copy) memcpy(copy, json, json_size + 1);
    lm_chat_parser_close(parser);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const families[] = {"qwen3",      "qwen3-xml", "gemma4",      "llama3",   "deepseek",
                                           "kimi-k2",    "harmony",   "mistral",     "granite",  "cohere",
                                           "apertus",    "nemotron",  "glm",         "seed-oss", "minimax-m2",
                                           "minimax-m3", "minicpm5",  "functionary", "lfm2",     "plain"};
    lm_env env;
    if (size == 0) return 0;
    lm_env_init(&env, NULL, NULL);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        char *whole = parse(&env, families[i], (const char *)data + 1, size - 1, size);
        char *pieces = parse(&env, families[i], (const char *)data + 1, size - 1, (size_t)data[0] % 16 + 1);
        if (whole && pieces && strcmp(whole, pieces) != 0) abort();
        free(whole);
        free(pieces);
    }
    return 0;
}
