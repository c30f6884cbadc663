/* SPDX-License-Identifier: MIT
 * Writing one value by a format specification, as Python's format() does for integers, floats and strings. */
#include "template_format.h"

#include <math.h>
#include <string.h>

#include "../base/number.h"
#include "template_interp.h"
#include "template_number.h"

#define BODY_MAX (LM_FIXED_TEXT_MAX + 200)

/* The digits of a number without sign, and where a prefix such as 0x ends. */
typedef struct digits {
    char text[BODY_MAX];
    size_t n;
    bool negative;
} digits;

static void put_integer(digits *out, int64_t value, uint32_t base, bool upper) {
    char reversed[64];
    size_t n = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    out->negative = value < 0;
    do reversed[n++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[rest % base];
    while (rest /= base);
    while (n) out->text[out->n++] = reversed[--n];
}

static void strip_zeros(digits *out, size_t from) {
    char *point = memchr(out->text + from, '.', out->n - from);
    if (!point) return;
    while (out->text[out->n - 1] == '0') out->n--;
    if (out->text[out->n - 1] == '.') out->n--;
}

/* %g: precision significant digits, trailing zeros dropped unless alternate. */
static void put_general(digits *out, double value, uint32_t precision, bool alternate, char letter) {
    char probe[LM_FIXED_TEXT_MAX];
    if (precision == 0) precision = 1;
    size_t n = lm_template_scientific(value, precision - 1, letter, probe);
    size_t mark = n;
    while (probe[mark - 1] != '+' && probe[mark - 1] != '-') mark--;
    int exponent = 0;
    for (size_t i = mark; i < n; i++) exponent = exponent * 10 + (probe[i] - '0');
    if (probe[mark - 1] == '-') exponent = -exponent;
    if (exponent < -4 || exponent >= (int)precision) {
        out->n = mark - 2;
        memcpy(out->text, probe, out->n);
        if (!alternate) strip_zeros(out, 0);
        memcpy(out->text + out->n, probe + mark - 2, n - mark + 2);
        out->n += n - mark + 2;
        return;
    }
    out->n = lm_template_fixed(value, (uint32_t)((int)precision - 1 - exponent), out->text);
    if (!alternate) strip_zeros(out, 0);
}

static bool put_float(lm_interp *interp, digits *out, double value, const lm_format_spec *spec) {
    char type = spec->type;
    if (spec->precision > LM_FIXED_DIGITS_MAX - 10) return lm_interp_limit(interp, "a format asks for too many digits");
    uint32_t precision = spec->precision < 0 ? 6 : (uint32_t)spec->precision;
    out->negative = signbit(value) && !isnan(value);
    if (!isfinite(value)) {
        bool upper = type == 'F' || type == 'E' || type == 'G';
        memcpy(out->text, isnan(value) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"), 3);
        out->n = 3;
        return true;
    }
    switch (type) {
    case 'f':
    case 'F': out->n = lm_template_fixed(value, precision, out->text); break;
    case 'e':
    case 'E': out->n = lm_template_scientific(value, precision, type, out->text); break;
    case '%':
        out->n = lm_template_fixed(value * 100, precision, out->text);
        out->text[out->n++] = '%';
        break;
    case 'g':
    case 'G': put_general(out, value, precision, spec->alternate, type == 'g' ? 'e' : 'E'); break;
    default:
        if (spec->precision >= 0) {
            put_general(out, value, precision, spec->alternate, 'e');
        } else {
            char text[LM_NUMBER_TEXT_MAX];
            size_t n = lm_number_from_double(fabs(value), text);
            memcpy(out->text, text, n);
            out->n = n;
        }
        break;
    }
    return true;
}

static void group_thousands(digits *out) {
    size_t whole = 0;
    while (whole < out->n && out->text[whole] >= '0' && out->text[whole] <= '9') whole++;
    for (size_t pos = whole; pos > 3 && out->n + 1 < BODY_MAX;) {
        pos -= 3;
        memmove(out->text + pos + 1, out->text + pos, out->n - pos);
        out->text[pos] = ',';
        out->n++;
    }
}

static bool pad(lm_text_builder *out, const lm_format_spec *spec, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!lm_builder_bytes(out, spec->fill, spec->fill_size, LM_ORIGIN_TEMPLATE)) return false;
    return true;
}

static bool write_number(lm_interp *interp, const lm_variant *value, const lm_format_spec *spec, lm_text_builder *out) {
    digits body;
    body.n = 0;
    body.negative = false;
    const char *prefix = "";
    char type = spec->type;
    bool integral = lm_variant_is_integer(value) && (type == 0 || strchr("dxXobcn", type));
    if (integral) {
        int64_t integer = lm_variant_as_integer(value);
        uint32_t base = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 10;
        put_integer(&body, integer, base, type == 'X');
        if (spec->alternate && base != 10) prefix = base == 16 ? (type == 'X' ? "0X" : "0x") : base == 8 ? "0o" : "0b";
    } else if (!put_float(interp, &body, lm_variant_as_double(value), spec)) {
        return false;
    }
    if (spec->grouped) group_thousands(&body);
    char sign[1] = {body.negative ? '-' : spec->sign};
    size_t n_sign = sign[0] != 0;
    int64_t missing = spec->width - (int64_t)(n_sign + strlen(prefix) + body.n);
    if (missing < 0) missing = 0;
    char align = spec->align ? spec->align : '>';
    int64_t before = align == '>'   ? missing
                     : align == '^' ? missing / 2
                                    : 0,
            after = align == '<'   ? missing
                    : align == '^' ? missing - missing / 2
                                   : 0;
    return pad(out, spec, before) && lm_builder_bytes(out, sign, n_sign, LM_ORIGIN_TEMPLATE) &&
           lm_builder_word(out, prefix) && (align != '=' || pad(out, spec, missing)) &&
           lm_builder_bytes(out, body.text, body.n, LM_ORIGIN_TEMPLATE) && pad(out, spec, after);
}

static bool write_text(lm_interp *interp, const lm_text *text, const lm_format_spec *spec, lm_text_builder *out) {
    size_t n_chars = lm_text_chars(text), n = text->n;
    if (!lm_interp_charge(interp, text->n / 16)) return false;
    if (spec->precision >= 0 && (uint64_t)spec->precision < n_chars) {
        n_chars = (size_t)spec->precision;
        n = lm_text_offset(text, n_chars);
    }
    int64_t missing = spec->width - (int64_t)n_chars;
    if (missing < 0) missing = 0;
    char align = spec->align ? spec->align : '<';
    int64_t before = align == '>' ? missing : align == '^' ? missing / 2 : 0;
    return pad(out, spec, before) && lm_builder_slice(out, text, 0, n) && pad(out, spec, missing - before);
}

bool lm_format_value(lm_interp *interp, const lm_variant *value, const lm_format_spec *spec, lm_text_builder *out) {
    if (spec->width > 1 << 20) return lm_interp_limit(interp, "a format asks for too much width");
    bool as_number =
        lm_variant_is_number(value) && spec->type != 's' && !(value->kind == LM_VARIANT_BOOL && spec->type == 0);
    if (as_number) return write_number(interp, value, spec, out);
    if (spec->type && spec->type != 's')
        return lm_interp_fail(interp, "format code '%c' does not fit type '%s'", spec->type, lm_variant_type(value));
    const lm_text *text;
    return lm_variant_to_text(interp, value, &text) && write_text(interp, text, spec, out);
}
