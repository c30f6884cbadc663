/* SPDX-License-Identifier: MIT
 * Decimal text to double and back by exact integer arithmetic: no tables, a fraction of a microsecond for everyday
 * numbers and a few microseconds for the worst, which is fast enough for configuration, schemas and logs. */
#include "number.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "bigint.h"

/* 767 significant digits decide the rounding of any double; a longer text is cut here and, where what was cut is not zero,
 * continued by a digit 1, which lies on the same side of every midpoint. */
#define DIGITS_MAX 780

typedef struct decimal {
    const char *first; /* the first significant digit; a point may lie among the digits */
    int32_t n;         /* significant digits, leading and trailing zeros dropped, at most DIGITS_MAX */
    bool cut;          /* non-zero digits follow */
    bool negative;
    int64_t exponent; /* value = 0.DDD * 10^exponent, before cutting; saturated at +-10^15 */
} decimal;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t lm_number_scan_json(const char *text, size_t n, bool *is_integer) {
    size_t i = 0;
    bool integer = true;
    if (i < n && text[i] == '-') i++;
    if (i == n || !is_digit(text[i])) return 0;
    if (text[i] == '0')
        i++;
    else
        while (i < n && is_digit(text[i])) i++;
    if (n - i >= 2 && text[i] == '.' && is_digit(text[i + 1])) {
        integer = false;
        for (i++; i < n && is_digit(text[i]); i++) {}
    }
    if (i < n && (text[i] == 'e' || text[i] == 'E')) {
        size_t j = i + 1;
        if (j < n && (text[j] == '+' || text[j] == '-')) j++;
        if (j < n && is_digit(text[j])) {
            integer = false;
            for (i = j; i < n && is_digit(text[i]); i++) {}
        }
    }
    if (is_integer) *is_integer = integer;
    return i;
}

/* Take the text apart; false when it is not a number. */
static bool read_decimal(const char *text, size_t n, decimal *out) {
    const int64_t far = INT64_C(1000000000000000);
    size_t i = 0;
    decimal d = {NULL, 0, false, false, 0};
    if (i < n && (text[i] == '-' || text[i] == '+')) d.negative = text[i++] == '-';
    bool any = false, point = false;
    int64_t zeros = 0; /* zeros seen since the last non-zero digit */
    int64_t significant = 0;
    for (; i < n && (is_digit(text[i]) || (text[i] == '.' && !point)); i++) {
        if (text[i] == '.') {
            point = true;
            continue;
        }
        any = true;
        if (!d.first && text[i] == '0') {
            if (point) d.exponent--;
            continue;
        }
        if (!d.first) d.first = text + i;
        if (!point) d.exponent++;
        if (text[i] == '0') {
            zeros++;
        } else {
            significant += zeros + 1;
            zeros = 0;
        }
    }
    if (!any) return false;
    if (i < n && (text[i] == 'e' || text[i] == 'E')) {
        bool minus = false;
        int64_t written = 0;
        if (++i < n && (text[i] == '-' || text[i] == '+')) minus = text[i++] == '-';
        if (i == n) return false;
        for (; i < n && is_digit(text[i]); i++)
            if (written < far) written = written * 10 + (text[i] - '0');
        d.exponent += minus ? -written : written;
    }
    if (i != n) return false;
    if (d.exponent > far) d.exponent = far;
    if (d.exponent < -far) d.exponent = -far;
    d.cut = significant > DIGITS_MAX;
    d.n = d.cut ? DIGITS_MAX : (int32_t)significant;
    *out = d;
    return true;
}

static double from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* quotient * 2^exponent as a double, half to even; quotient >= 2^62, inexact: a little more than that. */
static double round_to_double(uint64_t quotient, int32_t exponent, bool inexact) {
    int32_t top = 63 - !(quotient >> 63); /* the highest bit */
    int32_t drop = top - 52;
    if (exponent + drop < -1074) drop = -1074 - exponent; /* subnormal: fewer bits stay */
    if (drop > 64) return 0.0;
    uint64_t kept = drop < 64 ? quotient >> drop : 0;
    uint64_t half = UINT64_C(1) << (drop - 1);
    uint64_t rest = drop < 64 ? quotient & (half + (half - 1)) : quotient;
    if (rest > half || (rest == half && (inexact || kept & 1))) kept++;
    int32_t scale = exponent + drop; /* value = kept * 2^scale, kept <= 2^53 */
    if (kept >> 53) {
        kept >>= 1;
        scale++;
    }
    if (kept == 0) return 0.0;
    if (!(kept >> 52)) return from_bits(kept); /* subnormal: scale is -1074 */
    if (scale + 52 > 1023) return INFINITY;
    return from_bits((uint64_t)(scale + 52 + 1023) << 52 | (kept & ((UINT64_C(1) << 52) - 1)));
}

/* numerator / denominator, both positive. Both are scaled so that 1/4 < quotient < 1, then 64 bits are taken one by one:
 * slow per bit, but without the corner cases of a long division by limbs. */
static double divide(lm_bigint *numerator, lm_bigint *denominator) {
    int32_t shift = lm_bigint_bits(denominator) - 1 - lm_bigint_bits(numerator);
    if (shift > 0) lm_bigint_shift_left(numerator, shift);
    if (shift < 0) lm_bigint_shift_left(denominator, -shift);
    uint64_t quotient = 0;
    for (int i = 0; i < 64; i++) {
        lm_bigint_shift_left(numerator, 1);
        quotient <<= 1;
        if (lm_bigint_compare(numerator, denominator) >= 0) {
            lm_bigint_subtract(numerator, denominator);
            quotient |= 1;
        }
    }
    return round_to_double(quotient, -64 - shift, numerator->n > 0);
}

/* Bounds: with at most 781 digits and 10^-345 < value < 10^310 the numerator has at most 781 digits, the denominator at most
 * 345 + 781 digits, 3741 bits; both fit the 4352 bits of lm_bigint with room for the one-bit steps. */
static double to_double(const decimal *d) {
    if (d->n == 0 || d->exponent < -345) return 0.0;
    if (d->exponent > 310) return INFINITY;
    int32_t exponent = (int32_t)d->exponent - d->n; /* value = digits * 10^exponent */
    const char *c = d->first;
    if (FLT_EVAL_METHOD == 0 && d->n <= 15 && exponent >= -22 && exponent <= 22) {
        /* Both operands are exact doubles, so the one operation rounds correctly. */
        uint64_t digits = 0, power = 1;
        for (int32_t i = 0; i < d->n; c++)
            if (*c != '.') digits = digits * 10 + (uint64_t)(*c - '0'), i++;
        double scale = 1;
        int32_t count = exponent < 0 ? -exponent : exponent;
        for (int32_t i = 0; i < count && i < 19; i++) power *= 10;
        scale = (double)power;
        for (int32_t i = 19; i < count; i++) scale *= 10; /* exact up to 10^22 */
        return exponent < 0 ? (double)digits / scale : (double)digits * scale;
    }
    lm_bigint numerator, denominator;
    lm_bigint_set(&numerator, 0);
    for (int32_t i = 0; i < d->n; c++)
        if (*c != '.') lm_bigint_multiply_add(&numerator, 10, (uint32_t)(*c - '0')), i++;
    if (d->cut) {
        lm_bigint_multiply_add(&numerator, 10, 1);
        exponent--;
    }
    lm_bigint_set(&denominator, 1);
    if (exponent > 0) lm_bigint_multiply_pow10(&numerator, exponent);
    if (exponent < 0) lm_bigint_multiply_pow10(&denominator, -exponent);
    return divide(&numerator, &denominator);
}

bool lm_number_to_double(const char *text, size_t n, double *out) {
    decimal d;
    if (!read_decimal(text, n, &d)) return false;
    double value = to_double(&d);
    *out = d.negative ? -value : value;
    return true;
}

/* The magnitude of an integer value up to limit. */
static bool to_magnitude(const decimal *d, uint64_t limit, uint64_t *out) {
    uint64_t value = 0;
    const char *c = d->first;
    if (d->n == 0) {
        *out = 0;
        return true;
    }
    if (d->cut || d->exponent < d->n || d->exponent > 20) return false;
    for (int32_t i = 0; i < d->exponent; i++) {
        uint64_t digit = 0;
        if (i < d->n) {
            if (*c == '.') c++;
            digit = (uint64_t)(*c++ - '0');
        }
        if (digit > limit || value > (limit - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool lm_number_to_int64(const char *text, size_t n, int64_t *out) {
    decimal d;
    uint64_t magnitude;
    if (!read_decimal(text, n, &d)) return false;
    if (!to_magnitude(&d, (uint64_t)INT64_MAX + d.negative, &magnitude)) return false;
    *out = !d.negative ? (int64_t)magnitude : magnitude ? -(int64_t)(magnitude - 1) - 1 : 0;
    return true;
}

bool lm_number_to_uint64(const char *text, size_t n, uint64_t *out) {
    decimal d;
    return read_decimal(text, n, &d) && to_magnitude(&d, d.negative ? 0 : UINT64_MAX, out);
}

static size_t print_unsigned(uint64_t value, char *out) {
    char digits[20];
    size_t n = 0;
    do digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    for (size_t i = 0; i < n; i++) out[i] = digits[n - 1 - i];
    return n;
}

size_t lm_number_from_int64(int64_t value, char out[LM_NUMBER_TEXT_MAX]) {
    if (value >= 0) return print_unsigned((uint64_t)value, out);
    out[0] = '-';
    return 1 + print_unsigned(0 - (uint64_t)value, out + 1);
}

/* The shortest digits that identify value (positive and finite), the closest of those: Steele and White's free-format
 * algorithm. The remainder r, the half gaps to both neighbours and the unit s share one scale; a digit is generated until
 * the rest is smaller than a half gap. Returns the number of digits; value = 0.DDD * 10^*point. The largest number held is
 * below 2^1140. */
static int32_t shortest_digits(double value, char digits[20], int32_t *point) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    int32_t exponent = (int32_t)(bits >> 52 & 0x7FF);
    bool narrow_below = mantissa == 0 && exponent > 1; /* at a power of two the gap below is half of the gap above */
    if (exponent > 0) mantissa |= UINT64_C(1) << 52;
    exponent = (exponent > 0 ? exponent : 1) - 1075;
    bool even = !(mantissa & 1);

    lm_bigint r, s, below, above, sum;
    lm_bigint_set(&r, mantissa);
    lm_bigint_set(&s, 1);
    lm_bigint_set(&below, 1);
    int32_t length = lm_bigint_bits(&r);
    lm_bigint_shift_left(&r, 1 + narrow_below + (exponent > 0 ? exponent : 0));
    lm_bigint_shift_left(&s, 1 + narrow_below + (exponent < 0 ? -exponent : 0));
    lm_bigint_shift_left(&below, exponent > 0 ? exponent : 0);
    above = below;
    if (narrow_below) lm_bigint_shift_left(&above, 1);

    /* 10^(power-1) <= value < 10^power; the estimate is right or one too small. */
    int32_t power = (int32_t)ceil((double)(exponent + length - 1) * 0.30102999566398119521 - 1e-10);
    if (power >= 0) {
        lm_bigint_multiply_pow10(&s, power);
    } else {
        lm_bigint_multiply_pow10(&r, -power);
        lm_bigint_multiply_pow10(&below, -power);
        lm_bigint_multiply_pow10(&above, -power);
    }
    sum = r;
    lm_bigint_add(&sum, &above);
    int order = lm_bigint_compare(&sum, &s);
    if (order > 0 || (order == 0 && even)) {
        lm_bigint_multiply_add(&s, 10, 0);
        power++;
    }
    *point = power;

    for (int32_t n = 0;;) {
        lm_bigint_multiply_add(&r, 10, 0);
        lm_bigint_multiply_add(&below, 10, 0);
        lm_bigint_multiply_add(&above, 10, 0);
        int digit = 0;
        while (lm_bigint_compare(&r, &s) >= 0) {
            lm_bigint_subtract(&r, &s);
            digit++;
        }
        order = lm_bigint_compare(&r, &below);
        bool low = order < 0 || (order == 0 && even);
        sum = r;
        lm_bigint_add(&sum, &above);
        order = lm_bigint_compare(&sum, &s);
        bool high = order > 0 || (order == 0 && even);
        if (low && high) { /* both digits identify the value: the nearer one, an even one at a tie */
            lm_bigint_shift_left(&r, 1);
            order = lm_bigint_compare(&r, &s);
            high = order > 0 || (order == 0 && digit % 2);
        }
        digits[n++] = (char)('0' + digit + high);
        if (low || high) return n;
    }
}

size_t lm_number_from_double(double value, char out[LM_NUMBER_TEXT_MAX]) {
    size_t n = 0;
    if (isnan(value)) {
        memcpy(out, "nan", 3);
        return 3;
    }
    if (signbit(value)) out[n++] = '-';
    value = fabs(value);
    if (isinf(value)) {
        memcpy(out + n, "inf", 3);
        return n + 3;
    }
    char digits[20] = "0";
    int32_t count = 1, point = 1;
    if (value != 0) count = shortest_digits(value, digits, &point);
    if (point > -4 && point <= 16) {
        if (point <= 0) {
            out[n++] = '0';
            out[n++] = '.';
            for (int32_t i = point; i < 0; i++) out[n++] = '0';
        }
        for (int32_t i = 0; i < count; i++) {
            if (i > 0 && i == point) out[n++] = '.';
            out[n++] = digits[i];
        }
        for (int32_t i = count; i < point; i++) out[n++] = '0';
        if (point >= count) {
            out[n++] = '.';
            out[n++] = '0';
        }
        return n;
    }
    out[n++] = digits[0];
    if (count > 1) {
        out[n++] = '.';
        memcpy(out + n, digits + 1, (size_t)(count - 1));
        n += (size_t)(count - 1);
    }
    int32_t exponent = point - 1;
    out[n++] = 'e';
    out[n++] = exponent < 0 ? '-' : '+';
    if (exponent < 0) exponent = -exponent;
    if (exponent < 10) out[n++] = '0';
    return n + print_unsigned((uint64_t)exponent, out + n);
}
