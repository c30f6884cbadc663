/* SPDX-License-Identifier: MIT
 * Reading numbers and strings off a part's bytes, and telling where it went wrong. Lengths are compared with what remains of
 * the file before they are used for anything. */
#include "gguf_private.h"

#include <stdarg.h>

#include "../base/format.h"

lm_status lm_gguf_fail(const lm_gguf_cursor *cursor, lm_status status, uint64_t at, const char *format, ...) {
    char text[sizeof((lm_error *)0)->message];
    va_list arguments;
    va_start(arguments, format);
    lm_format_list(text, sizeof text, format, arguments);
    va_end(arguments);
    if (cursor->part > 0) return lm_error_set_at(cursor->error, status, 0, at, "part %u: %s", cursor->part + 1, text);
    return lm_error_set_at(cursor->error, status, 0, at, "%s", text);
}

lm_status lm_gguf_need(const lm_gguf_cursor *cursor, uint64_t n, const char *what) {
    if (n > lm_gguf_remaining(cursor))
        return lm_gguf_fail(cursor, LM_ERR_FORMAT, cursor->at, "the file ends inside %s", what);
    if (n > cursor->size - cursor->at)
        return lm_gguf_fail(cursor, LM_ERR_FULL, cursor->at,
                            "%s lies beyond the first %llu bytes of the file that were given", what,
                            (unsigned long long)cursor->size);
    return LM_OK;
}

lm_status lm_gguf_read_u32(lm_gguf_cursor *cursor, uint32_t *out, const char *what) {
    lm_status status = lm_gguf_need(cursor, 4, what);
    if (status != LM_OK) return status;
    *out = lm_gguf_u32_at(cursor->bytes + cursor->at);
    cursor->at += 4;
    return LM_OK;
}

lm_status lm_gguf_read_u64(lm_gguf_cursor *cursor, uint64_t *out, const char *what) {
    lm_status status = lm_gguf_need(cursor, 8, what);
    if (status != LM_OK) return status;
    *out = lm_gguf_u64_at(cursor->bytes + cursor->at);
    cursor->at += 8;
    return LM_OK;
}

lm_status lm_gguf_read_string(lm_gguf_cursor *cursor, uint64_t cap, lm_gguf_str *out, const char *what) {
    uint64_t size, start = cursor->at;
    lm_status status = lm_gguf_read_u64(cursor, &size, what);
    if (status != LM_OK) return status;
    if (size > lm_gguf_remaining(cursor))
        return lm_gguf_fail(cursor, LM_ERR_FORMAT, start, "%s has %llu bytes, the rest of the file only %llu", what,
                            (unsigned long long)size, (unsigned long long)lm_gguf_remaining(cursor));
    if (size > cap)
        return lm_gguf_fail(cursor, LM_ERR_LIMIT, start, "%s has %llu bytes, more than the %llu allowed", what,
                            (unsigned long long)size, (unsigned long long)cap);
    status = lm_gguf_need(cursor, size, what);
    if (status != LM_OK) return status;
    *out = (lm_gguf_str){(const char *)cursor->bytes + cursor->at, (size_t)size};
    cursor->at += size;
    return LM_OK;
}

lm_gguf_shown lm_gguf_show(lm_gguf_str name) {
    lm_gguf_shown shown;
    size_t n = lm_size_min(name.size, sizeof shown.text - 4);
    for (size_t i = 0; i < n; i++) {
        char c = name.data[i];
        shown.text[i] = c >= 32 && c < 127 ? c : '?';
    }
    if (n < name.size)
        for (int i = 0; i < 3; i++) shown.text[n++] = '.';
    shown.text[n] = '\0';
    return shown;
}
