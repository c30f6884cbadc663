/* SPDX-License-Identifier: MIT
 * Any bytes as JSON: what is accepted must be written, read again and be written as the same text; looking up each member by
 * its name must find one of that name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nesting is bounded by the limit given to the reader, so the recursion is, too. */
static void check(const lm_json *json) {
    int64_t integer;
    double real;
    if (json->type == LM_JSON_NUMBER && !lm_json_double(json, &real)) abort();
    if (lm_json_int64(json, &integer) && (double)integer != real) abort();
    if ((json->type == LM_JSON_NUMBER || json->type == LM_JSON_STRING) && json->text[json->count] != '\0') abort();
    for (size_t i = 0; json->type == LM_JSON_ARRAY && i < json->count; i++) check(lm_json_at(json, i));
    for (size_t i = 0; json->type == LM_JSON_OBJECT && i < json->count; i++) {
        const lm_json_member *member = &json->members[i];
        const lm_json *found = lm_json_find(json, member->name, member->name_size);
        if (!found || found < &member->value) abort(); /* itself or a later duplicate */
        check(&member->value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const lm_json_style styles[] = {{0}, {.indent = 3, .ascii = true}};
    lm_env env;
    lm_arena arena, again;
    lm_str text[2], second;
    lm_error error;
    const lm_json *root, *copy;
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, 64 << 20);
    lm_arena_init(&again, &env, 64 << 20);
    for (int i = 0; i < 2; i++) lm_str_init(&text[i], &env, SIZE_MAX);
    lm_str_init(&second, &env, SIZE_MAX);
    if (lm_json_parse(&arena, (const char *)data, size, 64, &root, &error) == LM_OK) {
        check(root);
        for (int i = 0; i < 2; i++) {
            if (lm_json_print(&text[i], root, &styles[i]) != LM_OK) abort();
            lm_str_clear(&second);
            if (lm_json_parse(&again, text[i].data, text[i].size, 64, &copy, &error) != LM_OK) abort();
            if (lm_json_print(&second, copy, &styles[0]) != LM_OK) abort();
            if (second.size != text[0].size || memcmp(second.data, text[0].data, second.size) != 0) abort();
        }
    } else if (error.offset > size || error.line < 1) {
        abort();
    }
    for (int i = 0; i < 2; i++) lm_str_free(&text[i]);
    lm_str_free(&second);
    lm_arena_free(&again);
    lm_arena_free(&arena);
    return 0;
}
