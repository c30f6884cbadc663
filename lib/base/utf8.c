/* SPDX-License-Identifier: MIT
 * UTF-8 coding over one description of lead bytes: how many continuation bytes follow, and the range of the first. */
#include "utf8.h"

#include <string.h>

typedef struct lead {
    uint8_t missing;   /* continuation bytes; 0 for ASCII */
    uint8_t low, high; /* range of the first continuation byte */
    bool valid;
} lead;

static lead classify(uint8_t byte) {
    if (byte < 0x80) return (lead){0, 0, 0, true};
    if (byte < 0xC2) return (lead){0, 0, 0, false}; /* a continuation, or an overlong two-byte form */
    if (byte < 0xE0) return (lead){1, 0x80, 0xBF, true};
    if (byte < 0xF0) return (lead){2, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF, true};
    if (byte < 0xF5) return (lead){3, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF, true};
    return (lead){0, 0, 0, false};
}

/* Bytes of the maximal subpart at the start of text; *code_point and *whole tell whether it is a full sequence. */
static size_t scan(const char *text, size_t n, uint32_t *code_point, bool *whole) {
    uint8_t first = (uint8_t)text[0];
    lead l = classify(first);
    uint32_t value = l.missing == 0 ? first : first & (0x3Fu >> l.missing);
    size_t used = 1;
    for (; l.missing > 0 && used < n; used++, l.missing--) {
        uint8_t byte = (uint8_t)text[used];
        if (byte < l.low || byte > l.high) break;
        l.low = 0x80, l.high = 0xBF;
        value = value << 6 | (byte & 0x3F);
    }
    *whole = l.valid && l.missing == 0;
    *code_point = *whole ? value : LM_UTF8_REPLACEMENT;
    return used;
}

size_t lm_utf8_decode(const char *text, size_t n, uint32_t *code_point) {
    uint32_t value;
    bool whole;
    if (n == 0) return 0;
    size_t used = scan(text, n, &value, &whole);
    if (!whole) return 0;
    *code_point = value;
    return used;
}

size_t lm_utf8_decode_lossy(const char *text, size_t n, uint32_t *code_point) {
    bool whole;
    return scan(text, n, code_point, &whole);
}

size_t lm_utf8_encode(uint32_t code_point, char out[4]) {
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        if (code_point >= 0xD800 && code_point < 0xE000) return 0;
        out[0] = (char)(0xE0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    if (code_point > 0x10FFFF) return 0;
    out[0] = (char)(0xF0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}

/* Number of leading ASCII bytes, rounded down to eight. */
static size_t skip_ascii(const char *text, size_t n) {
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t eight;
        memcpy(&eight, text + i, 8);
        if (eight & UINT64_C(0x8080808080808080)) break;
    }
    return i;
}

size_t lm_utf8_feed(lm_utf8_validator *validator, const char *text, size_t n) {
    lm_utf8_validator v = *validator;
    size_t i = 0;
    while (i < n) {
        if (v.missing == 0) {
            i += skip_ascii(text + i, n - i);
            if (i == n) break;
            lead l = classify((uint8_t)text[i]);
            if (!l.valid) break;
            v = (lm_utf8_validator){l.missing > 0, l.missing, l.low, l.high};
        } else {
            uint8_t byte = (uint8_t)text[i];
            if (byte < v.low || byte > v.high) break;
            v.missing--;
            v.pending = v.missing ? (uint8_t)(v.pending + 1) : 0;
            v.low = 0x80, v.high = 0xBF;
        }
        i++;
    }
    *validator = v;
    return i;
}

size_t lm_utf8_valid_prefix(const char *text, size_t n) {
    lm_utf8_validator v = {0};
    size_t taken = lm_utf8_feed(&v, text, n);
    return taken - v.pending;
}

size_t lm_utf8_unfinished(const char *text, size_t n) {
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        uint8_t byte = (uint8_t)text[n - back];
        if ((byte & 0xC0) == 0x80) continue;
        uint32_t value;
        bool whole;
        lead l = classify(byte);
        bool open = l.valid && l.missing >= back && scan(text + n - back, back, &value, &whole) == back;
        return open ? back : 0;
    }
    return 0;
}

size_t lm_utf8_count(const char *text, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; count++) {
        uint32_t value;
        i += lm_utf8_decode_lossy(text + i, n - i, &value);
    }
    return count;
}
