/* SPDX-License-Identifier: MIT
 * Escapes in the string literals of templates, by Python's rules: an unknown escape keeps its backslash, a backslash
 * before a line end joins the lines. Surrogate pairs written as two escapes become one character. */
#include <string.h>

#include "../base/utf8.h"
#include "template_lexer.h"

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n hexadecimal digits at pos: true and the value. */
static bool read_hex(lm_slice text, size_t pos, size_t n, uint32_t *out) {
    uint32_t value = 0;
    if (text.n - pos < n) return false;
    for (size_t i = 0; i < n; i++) {
        int digit = hex_value(text.bytes[pos + i]);
        if (digit < 0) return false;
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return true;
}

static bool is_high_surrogate(uint32_t c) { return c >= 0xD800 && c < 0xDC00; }
static bool is_low_surrogate(uint32_t c) { return c >= 0xDC00 && c < 0xE000; }

/* A numeric escape whose letter is at pos: the position after it, or 0 when it is malformed. */
static size_t read_code(lm_slice text, size_t pos, uint32_t *code) {
    size_t n = text.bytes[pos] == 'x' ? 2 : text.bytes[pos] == 'u' ? 4 : 8;
    if (!read_hex(text, pos + 1, n, code)) return 0;
    pos += 1 + n;
    uint32_t low;
    if (is_high_surrogate(*code) && text.n - pos >= 6 && text.bytes[pos] == '\\' && text.bytes[pos + 1] == 'u' &&
        read_hex(text, pos + 2, 4, &low) && is_low_surrogate(low)) {
        *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
        pos += 6;
    }
    return pos;
}

size_t lm_lexer_unescape(lm_slice text, char *out) {
    static const char letters[] = "\\'\"abfnrtv", values[] = "\\'\"\a\b\f\n\r\t\v";
    size_t written = 0;
    for (size_t pos = 0; pos < text.n;) {
        char c = text.bytes[pos++];
        if (c != '\\' || pos == text.n) {
            out[written++] = c;
            continue;
        }
        c = text.bytes[pos];
        const char *known = c ? strchr(letters, c) : NULL;
        uint32_t code = 0;
        size_t after = 0;
        if (c == '\n') {
            pos++;
            continue;
        }
        if (known) {
            out[written++] = values[known - letters];
            pos++;
            continue;
        }
        if (c >= '0' && c <= '7') {
            after = pos;
            while (after < text.n && after < pos + 3 && text.bytes[after] >= '0' && text.bytes[after] <= '7')
                code = code * 8 + (uint32_t)(text.bytes[after++] - '0');
        } else if (c == 'x' || c == 'u' || c == 'U') {
            after = read_code(text, pos, &code);
        }
        if (after == 0) {
            out[written++] = '\\';
            continue;
        }
        /* The shortest escapes, \7 and \xe9, never encode to more bytes than they have. */
        char encoded[4];
        size_t size = lm_utf8_encode(code, encoded);
        if (size == 0) size = lm_utf8_encode(LM_UTF8_REPLACEMENT, encoded);
        memcpy(out + written, encoded, size);
        written += size;
        pos = after;
    }
    return written;
}
