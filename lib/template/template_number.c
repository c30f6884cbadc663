/* SPDX-License-Identifier: MIT
 * Reading follows Python's int() and float(). Printing with a fixed number of digits expands the double exactly into
 * decimal digits, which is short enough (at most 309 before the point and 1074 after it) to need no cleverness, and then
 * rounds half to even on that exact value. */
#include "template_number.h"

#include <math.h>
#include <string.h>

#include "../base/number.h"
#include "template_lexer.h"

static lm_slice trim(lm_slice text) {
    size_t size;
    while ((size = lm_space_at_start(text.bytes, text.n)) > 0) text.bytes += size, text.n -= size;
    while ((size = lm_space_at_end(text.bytes, text.n)) > 0) text.n -= size;
    return text;
}

static uint32_t digit_value(char c) {
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0');
    c |= 32;
    return c >= 'a' && c <= 'z' ? (uint32_t)(c - 'a' + 10) : 99;
}

bool lm_template_read_integer(lm_slice text, uint32_t base, int64_t *out) {
    text = trim(text);
    size_t pos = 0;
    bool negative = text.n && text.bytes[0] == '-';
    if (text.n && (text.bytes[0] == '-' || text.bytes[0] == '+')) pos++;
    if (text.n - pos > 2 && text.bytes[pos] == '0') {
        char letter = (char)(text.bytes[pos + 1] | 32);
        uint32_t prefixed = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
        if (prefixed && (base == 0 || base == prefixed)) {
            base = prefixed;
            pos += 2;
        }
    }
    if (base == 0) base = 10;
    uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
    if (pos >= text.n) return false;
    for (bool after_digit = false; pos < text.n; pos++) {
        if (text.bytes[pos] == '_' && after_digit && pos + 1 < text.n) {
            after_digit = false;
            continue;
        }
        uint32_t digit = digit_value(text.bytes[pos]);
        if (digit >= base || value > (limit - digit) / base) return false;
        value = value * base + digit;
        after_digit = true;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool is_word(lm_slice text, const char *word) {
    size_t n = strlen(word);
    if (text.n != n) return false;
    for (size_t i = 0; i < n; i++)
        if ((text.bytes[i] | 32) != word[i]) return false;
    return true;
}

bool lm_template_read_float(lm_slice text, double *out) {
    text = trim(text);
    char compact[128];
    lm_slice word = text;
    bool negative = text.n && text.bytes[0] == '-';
    if (text.n && (text.bytes[0] == '-' || text.bytes[0] == '+')) word.bytes++, word.n--;
    if (is_word(word, "inf") || is_word(word, "infinity")) {
        *out = negative ? -INFINITY : INFINITY;
        return true;
    }
    if (is_word(word, "nan")) {
        *out = NAN;
        return true;
    }
    if (text.n <= sizeof compact && memchr(text.bytes, '_', text.n)) {
        size_t n = 0;
        for (size_t i = 0; i < text.n; i++)
            if (text.bytes[i] != '_') compact[n++] = text.bytes[i];
        return lm_number_to_double(compact, n, out);
    }
    return lm_number_to_double(text.bytes, text.n, out);
}

/* The exact decimal expansion of a finite |value|: digits, most significant first, and how many stand before the point. */
typedef struct expansion {
    uint8_t digits[1500];
    size_t n, n_integer;
} expansion;

static void expand(double value, expansion *out) {
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(value), &exponent), 53);
    exponent -= 53;
    uint8_t reversed[400];
    size_t n = 0;
    uint64_t whole = exponent >= 0 ? mantissa : exponent > -64 ? mantissa >> -exponent : 0;
    for (; whole; whole /= 10) reversed[n++] = (uint8_t)(whole % 10);
    for (int i = 0; i < exponent; i++) { /* doubling, digit by digit */
        uint8_t carry = 0;
        for (size_t d = 0; d < n; d++) {
            uint8_t twice = (uint8_t)(reversed[d] * 2 + carry);
            reversed[d] = twice % 10;
            carry = twice / 10;
        }
        if (carry) reversed[n++] = carry;
    }
    out->n = out->n_integer = n;
    for (size_t i = 0; i < n; i++) out->digits[i] = reversed[n - 1 - i];
    if (exponent >= 0) return;
    /* The fraction is rest / 2^-exponent; each multiplication by ten pushes out one digit. It is kept as bits, in 32-bit
     * limbs below the point. */
    uint32_t limbs[36] = {0};
    int bits = -exponent;
    size_t n_limbs = (size_t)(bits + 31) / 32;
    for (int b = 0; b < 53 && b < bits; b++) {
        int place = bits - 1 - b; /* bit b of the mantissa has weight 2^-(bits - b); place 0 is the half */
        if (mantissa >> b & 1) limbs[place / 32] |= 0x80000000u >> (place % 32);
    }
    for (;;) {
        bool zero = true;
        uint64_t carry = 0;
        for (size_t i = n_limbs; i-- > 0;) {
            zero = zero && limbs[i] == 0;
            carry += (uint64_t)limbs[i] * 10;
            limbs[i] = (uint32_t)carry;
            carry >>= 32;
        }
        if (zero) return;
        out->digits[out->n++] = (uint8_t)carry;
    }
}

/* Keep the first n digits; true when the rounding carried out of the first one (then a 1 was put before it). */
static bool round_digits(expansion *e, size_t n) {
    if (n >= e->n) {
        memset(e->digits + e->n, 0, n - e->n);
        e->n = n;
        return false;
    }
    bool up = e->digits[n] > 5;
    if (e->digits[n] == 5) {
        for (size_t i = n + 1; i < e->n && !up; i++) up = e->digits[i] != 0;
        if (!up) up = n > 0 && e->digits[n - 1] % 2;
    }
    e->n = n;
    if (!up) return false;
    for (size_t i = n; i-- > 0;) {
        if (++e->digits[i] < 10) return false;
        e->digits[i] = 0;
    }
    memmove(e->digits + 1, e->digits, n);
    e->digits[0] = 1;
    e->n = n + 1;
    return true;
}

size_t lm_template_fixed(double value, uint32_t digits, char out[LM_FIXED_TEXT_MAX]) {
    expansion e;
    expand(value, &e);
    if (round_digits(&e, e.n_integer + digits)) e.n_integer++;
    size_t n = 0;
    if (e.n_integer == 0) out[n++] = '0';
    for (size_t i = 0; i < e.n; i++) {
        if (i == e.n_integer) out[n++] = '.';
        out[n++] = (char)('0' + e.digits[i]);
    }
    return n;
}

size_t lm_template_scientific(double value, uint32_t digits, char letter, char out[LM_FIXED_TEXT_MAX]) {
    expansion e;
    expand(value, &e);
    size_t lead = 0;
    while (lead < e.n && e.digits[lead] == 0) lead++;
    int exponent = lead == e.n ? 0 : (int)e.n_integer - 1 - (int)lead;
    if (lead == e.n) lead = 0, e.n = 0;
    memmove(e.digits, e.digits + lead, e.n - lead);
    e.n -= lead;
    if (round_digits(&e, digits + 1)) exponent++;
    size_t n = 0;
    for (size_t i = 0; i <= digits; i++) {
        if (i == 1) out[n++] = '.';
        out[n++] = (char)('0' + e.digits[i]);
    }
    out[n++] = letter;
    out[n++] = exponent < 0 ? '-' : '+';
    uint32_t size = (uint32_t)(exponent < 0 ? -exponent : exponent);
    if (size >= 100) out[n++] = (char)('0' + size / 100);
    out[n++] = (char)('0' + size / 10 % 10);
    out[n++] = (char)('0' + size % 10);
    return n;
}
