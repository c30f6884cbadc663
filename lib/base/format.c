/* SPDX-License-Identifier: MIT
 * A small message formatter: bounded output, no locale, no allocation. */
#include "format.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "utf8.h"

typedef struct sink {
    char *out;
    size_t size, used;
} sink;

static void put(sink *s, char c) {
    if (s->used + 1 < s->size) s->out[s->used++] = c;
}

static void put_bytes(sink *s, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) put(s, bytes[i]);
}

static void put_unsigned(sink *s, unsigned long long value, unsigned base) {
    char digits[24];
    size_t n = 0;
    do digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (n) put(s, digits[--n]);
}

static void put_signed(sink *s, long long value) {
    if (value < 0) put(s, '-');
    put_unsigned(s, value < 0 ? 0ull - (unsigned long long)value : (unsigned long long)value, 10);
}

static void put_quoted(sink *s, const unsigned char *bytes, size_t n) {
    size_t shown = n < 64 ? n : 64;
    put(s, '"');
    for (size_t i = 0; i < shown; i++) {
        if (bytes[i] >= 32 && bytes[i] < 127) {
            put(s, (char)bytes[i]);
        } else {
            put_bytes(s, "\\x", 2);
            put(s, "0123456789abcdef"[bytes[i] >> 4]);
            put(s, "0123456789abcdef"[bytes[i] & 15]);
        }
    }
    put_bytes(s, shown < n ? "...\"" : "\"", shown < n ? 4 : 1);
}

/* Six significant digits, trailing zeros dropped; scientific outside [1e-4, 1e6). For messages, not for round trips. */
static void put_double(sink *s, double value) {
    if (isnan(value)) {
        put_bytes(s, "nan", 3);
        return;
    }
    if (signbit(value)) put(s, '-');
    value = fabs(value);
    if (isinf(value)) {
        put_bytes(s, "inf", 3);
        return;
    }
    int exponent = 0;
    if (value != 0) {
        exponent = (int)floor(log10(value));
        double scaled = value / pow(10, exponent);
        if (floor(scaled * 1e5 + 0.5) >= 1e6) exponent++;
    }
    bool scientific = exponent < -4 || exponent >= 6;
    int point = scientific ? 0 : exponent; /* decimal digits before the point, minus one */
    double mantissa = value / pow(10, exponent);
    unsigned long long digits = value == 0 ? 0 : (unsigned long long)floor(mantissa * 1e5 + 0.5);
    char text[8];
    for (int i = 5; i >= 0; i--, digits /= 10) text[i] = (char)('0' + digits % 10);
    int last = 5;
    while (last > 0 && last > point && text[last] == '0') last--;
    if (point < 0) {
        put_bytes(s, "0.", 2);
        for (int i = -1; i > point; i--) put(s, '0');
    }
    for (int i = 0; i <= last; i++) {
        if (i > 0 && i == point + 1) put(s, '.');
        put(s, text[i]);
    }
    if (scientific) {
        put(s, 'e');
        put_signed(s, exponent);
    }
}

size_t lm_format_list(char *out, size_t out_size, const char *format, va_list arguments) {
    sink s = {out, out_size, 0};
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            put(&s, *f);
            continue;
        }
        f++;
        int longs = 0;
        bool is_size = false;
        if (f[0] == '.' && f[1] == '*' && f[2] == 's') {
            int n = va_arg(arguments, int);
            const char *text = va_arg(arguments, const char *);
            put_bytes(&s, text, n > 0 ? (size_t)n : 0);
            f += 2;
            continue;
        }
        while (*f == 'l') longs++, f++;
        if (*f == 'z') is_size = true, f++;
        switch (*f) {
        case 's': {
            const char *text = va_arg(arguments, const char *);
            if (!text) text = "(null)";
            put_bytes(&s, text, strlen(text));
            break;
        }
        case 'q': {
            size_t n = va_arg(arguments, size_t);
            put_quoted(&s, va_arg(arguments, const unsigned char *), n);
            break;
        }
        case 'c': put(&s, (char)va_arg(arguments, int)); break;
        case 'd':
        case 'i':
            put_signed(&s, longs >= 2   ? va_arg(arguments, long long)
                           : longs == 1 ? va_arg(arguments, long)
                                        : va_arg(arguments, int));
            break;
        case 'u':
        case 'x':
            put_unsigned(&s,
                         is_size      ? va_arg(arguments, size_t)
                         : longs >= 2 ? va_arg(arguments, unsigned long long)
                         : longs == 1 ? va_arg(arguments, unsigned long)
                                      : va_arg(arguments, unsigned),
                         *f == 'x' ? 16 : 10);
            break;
        case 'g': put_double(&s, va_arg(arguments, double)); break;
        case '%': put(&s, '%'); break;
        default: /* an unknown directive: the arguments can no longer be followed */
            put(&s, '?');
            f += strlen(f) - 1;
            break;
        }
    }
    if (out_size) out[s.used] = '\0';
    return s.used;
}

size_t lm_format(char *out, size_t out_size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t n = lm_format_list(out, out_size, format, arguments);
    va_end(arguments);
    return n;
}

void lm_format_message(char *out, size_t out_size, const char *format, va_list arguments) {
    size_t n = lm_format_list(out, out_size, format, arguments);
    for (size_t i = 0; (i += lm_utf8_valid_prefix(out + i, n - i)) < n; i++) out[i] = '?';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)out[i] < 32) out[i] = ' ';
}

static lm_status set(lm_error *error, lm_status status, int32_t line, uint64_t offset, const char *format,
                     va_list arguments) {
    if (!error) return status;
    error->status = status;
    error->line = line;
    error->offset = offset;
    lm_format_message(error->message, sizeof error->message, format, arguments);
    return status;
}

lm_status lm_error_set(lm_error *error, lm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set(error, status, 0, UINT64_MAX, format, arguments);
    va_end(arguments);
    return status;
}

lm_status lm_error_set_at(lm_error *error, lm_status status, int32_t line, uint64_t offset, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set(error, status, line, offset, format, arguments);
    va_end(arguments);
    return status;
}

lm_status lm_error_name(lm_error *error, lm_status status, const char *name) {
    if (!status || !name || !error) return status;
    lm_error own = *error;
    return lm_error_set_at(error, status, own.line, own.offset, "%s: %s", name, own.message);
}

lm_status lm_error_memory(lm_error *error) { return lm_error_set(error, LM_ERR_MEMORY, "out of memory"); }
