/* SPDX-License-Identifier: MIT
 * The two pattern languages: "%s of %d" % (a, b) and "{} of {0}".format(a). */
#include <string.h>

#include "template_format.h"
#include "template_interp.h"
#include "template_number.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits at pos; stops growing at a value no width can have. */
static size_t read_count(const lm_text *text, size_t pos, int64_t *out) {
    int64_t value = 0;
    for (; pos < text->n && is_digit(text->bytes[pos]); pos++)
        if (value < INT32_MAX) value = value * 10 + (text->bytes[pos] - '0');
    *out = value;
    return pos;
}

static char char_at(const lm_text *text, size_t pos) { return pos < text->n ? text->bytes[pos] : 0; }

typedef struct percent_arguments {
    const lm_variant *values;
    size_t count, next;
    const lm_variant *mapping;
} percent_arguments;

static bool next_argument(lm_interp *interp, percent_arguments *arguments, const lm_variant **out) {
    if (arguments->next == arguments->count) return lm_interp_fail(interp, "not enough arguments for format string");
    *out = &arguments->values[arguments->next++];
    return true;
}

/* One %... at pos, which is behind the percent sign. */
static bool percent_field(lm_interp *interp, const lm_text *pattern, size_t *pos, percent_arguments *arguments,
                          lm_text_builder *out) {
    lm_format_spec spec = LM_FORMAT_SPEC_INIT;
    const lm_variant *value = NULL;
    lm_variant text;
    bool left = false, zero = false, failed;
    size_t p = *pos;
    if (char_at(pattern, p) == '(') {
        size_t close = p + 1;
        while (close < pattern->n && pattern->bytes[close] != ')') close++;
        if (!arguments->mapping) return lm_interp_fail(interp, "format requires a mapping");
        const lm_text *name = lm_text_slice(interp, pattern, p + 1, close);
        if (!name) return false;
        value = lm_dict_get_text(interp, arguments->mapping->as.dict, name, &failed);
        if (failed) return false;
        if (!value) return lm_interp_fail(interp, "the mapping of a format lacks a name");
        p = close + 1;
    }
    for (; char_at(pattern, p) && strchr("-+ #0", char_at(pattern, p)); p++) {
        char flag = pattern->bytes[p];
        if (flag == '-')
            left = true;
        else if (flag == '0')
            zero = true;
        else if (flag == '#')
            spec.alternate = true;
        else if (spec.sign != '+')
            spec.sign = flag;
    }
    const lm_variant *star = NULL;
    if (char_at(pattern, p) == '*') {
        if (!next_argument(interp, arguments, &star) || !lm_slot_integer(interp, star, "the width", &spec.width))
            return false;
        if (spec.width < 0) left = true, spec.width = spec.width < -INT32_MAX ? INT32_MAX : -spec.width;
        p++;
    } else {
        p = read_count(pattern, p, &spec.width);
    }
    if (char_at(pattern, p) == '.') {
        p++;
        if (char_at(pattern, p) == '*') {
            if (!next_argument(interp, arguments, &star) ||
                !lm_slot_integer(interp, star, "the precision", &spec.precision))
                return false;
            if (spec.precision < 0) spec.precision = 0;
            p++;
        } else {
            p = read_count(pattern, p, &spec.precision);
        }
    }
    while (char_at(pattern, p) == 'l' || char_at(pattern, p) == 'h' || char_at(pattern, p) == 'L') p++;
    char type = char_at(pattern, p);
    if (type == 0) return lm_interp_fail(interp, "incomplete format");
    *pos = p + 1;
    if (type == '%') return lm_builder_word(out, "%");
    if (!strchr("diouxXeEfFgGcrsa", type)) return lm_interp_fail(interp, "unsupported format character '%c'", type);
    if (!value && !next_argument(interp, arguments, &value)) return false;
    spec.align = left ? '<' : zero && !strchr("rsac", type) ? '=' : '>';
    if (spec.align == '=') spec.fill[0] = '0';
    spec.type = type == 'i' || type == 'u' ? 'd' : strchr("rsac", type) ? 's' : type;
    if (type == 'r' || type == 'a') {
        lm_text_builder *builder = lm_builder_new(interp);
        if (!builder || !lm_variant_repr(interp, value, builder)) return false;
        text = lm_variant_text(lm_builder_finish(builder));
        return text.as.text && lm_format_value(interp, &text, &spec, out);
    }
    if (spec.type == 's') {
        const lm_text *plain;
        if (!lm_variant_to_text(interp, value, &plain)) return false;
        text = lm_variant_text(plain);
        return lm_format_value(interp, &text, &spec, out);
    }
    if (!lm_variant_is_number(value))
        return lm_interp_fail(interp, "%%%c format: a number is required, not %s", type, lm_variant_type(value));
    lm_variant whole = *value;
    if (strchr("dxXo", spec.type)) {
        if (value->kind == LM_VARIANT_FLOAT) {
            if (!(value->as.number > -9e18 && value->as.number < 9e18))
                return lm_interp_limit(interp, "an integer does not fit 64 bits");
            whole = lm_variant_int((int64_t)value->as.number);
        }
        spec.precision = -1;
    }
    return lm_format_value(interp, &whole, &spec, out);
}

bool lm_text_percent(lm_interp *interp, const lm_text *pattern, const lm_variant *value, lm_variant *out) {
    percent_arguments arguments = {value, 1, 0, value->kind == LM_VARIANT_DICT ? value : NULL};
    if (value->kind == LM_VARIANT_TUPLE)
        arguments.values = value->as.sequence->items, arguments.count = value->as.sequence->count;
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder) return false;
    for (size_t pos = 0; pos < pattern->n;) {
        const char *sign = memchr(pattern->bytes + pos, '%', pattern->n - pos);
        size_t at = sign ? (size_t)(sign - pattern->bytes) : pattern->n;
        if (!lm_builder_slice(builder, pattern, pos, at)) return false;
        pos = at + 1;
        if (sign && !percent_field(interp, pattern, &pos, &arguments, builder)) return false;
    }
    if (arguments.next < arguments.count && !arguments.mapping)
        return lm_interp_fail(interp, "not all arguments converted during string formatting");
    const lm_text *text = lm_builder_finish(builder);
    if (text) *out = lm_variant_text(text);
    return text != NULL;
}

/* [[fill]align][sign][#][0][width][,][.precision][type] */
static bool read_spec(lm_interp *interp, const lm_text *text, lm_format_spec *spec) {
    size_t p = 0, size = text->n ? lm_text_char_size(text, 0) : 0;
    if (size && size < text->n && strchr("<>^=", text->bytes[size])) {
        memcpy(spec->fill, text->bytes, size);
        spec->fill_size = (uint8_t)size;
        spec->align = text->bytes[size];
        p = size + 1;
    } else if (size && strchr("<>^=", text->bytes[0])) {
        spec->align = text->bytes[0];
        p = 1;
    }
    if (char_at(text, p) == '+' || char_at(text, p) == '-' || char_at(text, p) == ' ') {
        if (text->bytes[p] != '-') spec->sign = text->bytes[p];
        p++;
    }
    if (char_at(text, p) == '#') spec->alternate = true, p++;
    if (char_at(text, p) == '0') {
        if (!spec->align) spec->align = '=', spec->fill[0] = '0', spec->fill_size = 1;
        p++;
    }
    p = read_count(text, p, &spec->width);
    if (char_at(text, p) == ',' || char_at(text, p) == '_') spec->grouped = true, p++;
    if (char_at(text, p) == '.') p = read_count(text, p + 1, &spec->precision);
    if (p < text->n && strchr("bcdeEfFgGnosxX%", text->bytes[p])) spec->type = text->bytes[p++];
    return p == text->n || lm_interp_fail(interp, "invalid format specifier");
}

/* The value a field names: nothing, a number or a keyword, then .attributes and [items]. */
static bool field_value(lm_interp *interp, const lm_text *name, const lm_arguments *arguments, size_t *next,
                        lm_variant *out) {
    size_t p = 0;
    int64_t number = 0;
    while (p < name->n && name->bytes[p] != '.' && name->bytes[p] != '[') p++;
    lm_slice head = {name->bytes, p};
    if (p == 0) number = (int64_t)(*next)++;
    if (p == 0 || lm_template_read_integer(head, 10, &number)) {
        if (number < 0 || (uint64_t)number >= arguments->count)
            return lm_interp_fail(interp, "replacement index %lld out of range", (long long)number);
        *out = arguments->values[number];
    } else {
        const lm_variant *found = NULL;
        for (size_t i = 0; i < arguments->n_keywords; i++)
            if (arguments->keywords[i].name->n == p && memcmp(arguments->keywords[i].name->bytes, head.bytes, p) == 0)
                found = &arguments->keywords[i].value;
        if (!found)
            return lm_interp_fail(interp, "format() has no argument '%.*s'", (int)lm_size_min(p, 100), head.bytes);
        *out = *found;
    }
    while (p < name->n) {
        bool item = name->bytes[p++] == '[';
        size_t from = p;
        while (p < name->n && (item ? name->bytes[p] != ']' : name->bytes[p] != '.' && name->bytes[p] != '[')) p++;
        const lm_text *part = lm_text_slice(interp, name, from, p);
        if (!part) return false;
        lm_variant key = lm_variant_text(part), object = *out;
        if (item && lm_template_read_integer((lm_slice){part->bytes, part->n}, 10, &number))
            key = lm_variant_int(number);
        if (!(item ? lm_variant_item(interp, &object, &key, out) : lm_variant_attribute(interp, &object, part, out)))
            return false;
        if (lm_variant_is_missing(out)) return lm_variant_fail_undefined(interp, out);
        if (item && p < name->n) p++;
    }
    return true;
}

static bool brace_field(lm_interp *interp, const lm_text *field, const lm_arguments *arguments, size_t *next,
                        lm_text_builder *out) {
    size_t name_end = 0;
    while (name_end < field->n && field->bytes[name_end] != '!' && field->bytes[name_end] != ':') name_end++;
    size_t p = name_end;
    char conversion = 0;
    if (char_at(field, p) == '!') conversion = char_at(field, p + 1), p += 2;
    lm_format_spec spec = LM_FORMAT_SPEC_INIT;
    lm_variant value;
    const lm_text *name = lm_text_slice(interp, field, 0, name_end), *rest;
    if (!name || !field_value(interp, name, arguments, next, &value)) return false;
    if (char_at(field, p) == ':') {
        if (!(rest = lm_text_slice(interp, field, p + 1, field->n)) || !read_spec(interp, rest, &spec)) return false;
    } else if (p < field->n) {
        return lm_interp_fail(interp, "malformed replacement field");
    }
    if (conversion) {
        lm_text_builder *builder = lm_builder_new(interp);
        if (!builder) return false;
        if (conversion == 's' ? !lm_variant_print(interp, &value, builder) : !lm_variant_repr(interp, &value, builder))
            return false;
        value = lm_variant_text(lm_builder_finish(builder));
        if (!value.as.text) return false;
    }
    return lm_format_value(interp, &value, &spec, out);
}

bool lm_text_brace(lm_interp *interp, const lm_text *pattern, const lm_arguments *arguments, lm_variant *out) {
    lm_text_builder *builder = lm_builder_new(interp);
    size_t next = 0, pos = 0;
    if (!builder) return false;
    while (pos < pattern->n) {
        char c = pattern->bytes[pos];
        if (c != '{' && c != '}') {
            size_t from = pos;
            while (pos < pattern->n && pattern->bytes[pos] != '{' && pattern->bytes[pos] != '}') pos++;
            if (!lm_builder_slice(builder, pattern, from, pos)) return false;
            continue;
        }
        if (char_at(pattern, pos + 1) == c) {
            if (!lm_builder_slice(builder, pattern, pos, pos + 1)) return false;
            pos += 2;
            continue;
        }
        if (c == '}') return lm_interp_fail(interp, "single '}' encountered in format string");
        const char *close = memchr(pattern->bytes + pos, '}', pattern->n - pos);
        if (!close) return lm_interp_fail(interp, "expected '}' before end of string");
        size_t end = (size_t)(close - pattern->bytes);
        const lm_text *field = lm_text_slice(interp, pattern, pos + 1, end);
        if (!field || !brace_field(interp, field, arguments, &next, builder)) return false;
        pos = end + 1;
    }
    const lm_text *text = lm_builder_finish(builder);
    if (text) *out = lm_variant_text(text);
    return text != NULL;
}

bool lm_text_escape(lm_interp *interp, const lm_variant *value, lm_variant *out) {
    const lm_text *text;
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder || !lm_variant_to_text(interp, value, &text)) return false;
    size_t plain = 0;
    for (size_t i = 0; i < text->n; i++) {
        char c = text->bytes[i];
        const char *reference = c == '&'    ? "&amp;"
                                : c == '<'  ? "&lt;"
                                : c == '>'  ? "&gt;"
                                : c == '\'' ? "&#39;"
                                : c == '"'  ? "&#34;"
                                            : NULL;
        if (!reference) continue;
        if (!lm_builder_slice(builder, text, plain, i) || !lm_builder_word(builder, reference)) return false;
        plain = i + 1;
    }
    if (!lm_builder_slice(builder, text, plain, text->n) || !(text = lm_builder_finish(builder))) return false;
    *out = lm_variant_text(text);
    out->escaped = true;
    return true;
}
