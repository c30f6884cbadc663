/* SPDX-License-Identifier: MIT
 * The growing byte string: capacity doubles, a NUL always follows the bytes. */
#include "str.h"

#include <string.h>

#include "checked.h"

void lm_str_init(lm_str *str, const lm_env *env, size_t limit_bytes) {
    *str = (lm_str){.env = env, .limit = limit_bytes, .status = LM_OK};
}

void lm_str_free(lm_str *str) {
    lm_free(str->env, str->data, str->capacity);
    lm_str_init(str, str->env, str->limit);
}

void lm_str_clear(lm_str *str) {
    str->size = 0;
    str->status = LM_OK;
    if (str->data) str->data[0] = '\0';
}

lm_status lm_str_reserve(lm_str *str, size_t n) {
    if (str->status != LM_OK) return str->status;
    if (n > str->limit - str->size) return str->status = LM_ERR_LIMIT;
    size_t needed;
    if (!lm_size_add(str->size + 1, n, &needed)) return str->status = LM_ERR_MEMORY;
    if (needed <= str->capacity) return LM_OK;
    size_t capacity = lm_size_max(needed, str->capacity > SIZE_MAX / 2 ? needed : str->capacity * 2);
    capacity = lm_size_max(capacity, 64);
    char *data = lm_resize(str->env, str->data, str->capacity, capacity);
    if (!data) return str->status = LM_ERR_MEMORY;
    data[str->size] = '\0';
    str->data = data;
    str->capacity = capacity;
    return LM_OK;
}

lm_status lm_str_append(lm_str *str, const void *bytes, size_t n) {
    if (lm_str_reserve(str, n) != LM_OK) return str->status;
    if (n) memcpy(str->data + str->size, bytes, n);
    str->size += n;
    str->data[str->size] = '\0';
    return LM_OK;
}

lm_status lm_str_append_text(lm_str *str, const char *text) { return lm_str_append(str, text, strlen(text)); }

lm_status lm_str_append_char(lm_str *str, char c) { return lm_str_append(str, &c, 1); }

lm_status lm_str_append_fill(lm_str *str, char c, size_t n) {
    if (lm_str_reserve(str, n) != LM_OK) return str->status;
    memset(str->data + str->size, c, n);
    str->size += n;
    str->data[str->size] = '\0';
    return LM_OK;
}

const char *lm_str_text(const lm_str *str) { return str->data ? str->data : ""; }
