/* SPDX-License-Identifier: MIT
 * Text of a caller as JSON, without an allocation. */
#include <lm/chat.h>

#include <string.h>

#include "../base/json_write.h"
#include "../base/utf8.h"

typedef struct text_buffer {
    char *out;
    size_t capacity, size; /* size: of the whole, of which out holds what fits beside a NUL */
} text_buffer;

static void append(text_buffer *b, const char *text, size_t n) {
    size_t room = b->capacity > b->size ? b->capacity - b->size - 1 : 0;
    if (room > 0) memcpy(b->out + b->size, text, n < room ? n : room);
    b->size += n;
}

size_t lm_json_quote(const char *text, size_t n, char *out, size_t capacity) {
    text_buffer b = {out, out ? capacity : 0, 0};
    append(&b, "\"", 1);
    for (size_t i = 0; text && i < n;) {
        char escaped[LM_JSON_ESCAPE_MAX];
        uint32_t code_point;
        i += lm_utf8_decode_lossy(text + i, n - i, &code_point);
        append(&b, escaped, lm_json_escape(code_point, false, escaped));
    }
    append(&b, "\"", 1);
    if (b.capacity > 0) b.out[b.size < b.capacity ? b.size : b.capacity - 1] = '\0';
    return b.size;
}
