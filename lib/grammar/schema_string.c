/* SPDX-License-Identifier: MIT
 * Strings. A free string admits every spelling of a character; one that must match something, or that must differ from
 * something, admits one spelling of each character, so that an escape cannot slip by: raw where JSON allows it, the short
 * escape where there is one, else \u00xx in lower case. */
#include <string.h>

#include "../base/utf8.h"
#include "json_schema.h"

lm_gexpr lm_schema_quoted(lm_schema *s, lm_gexpr inner) {
    lm_gexpr quote = lm_schema_literal(s, "\"");
    return lm_gexpr_seq3(s->pool, quote, inner, quote);
}

static const lm_code_range hex[] = {{'0', '9'}, {'A', 'F'}, {'a', 'f'}};

/* \u and four digits: a character, or a pair of surrogates; never half a pair. */
static lm_gexpr any_unicode_escape(lm_schema *s) {
    static const lm_code_range not_d[] = {{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}};
    static const lm_code_range d[] = {{'D', 'D'}, {'d', 'd'}}, low7[] = {{'0', '7'}};
    static const lm_code_range high[] = {{'8', '9'}, {'A', 'B'}, {'a', 'b'}}, low[] = {{'C', 'F'}, {'c', 'f'}};
    lm_gexpr_pool *pool = s->pool;
    lm_gexpr digit = lm_gexpr_class(pool, hex, 3, false), letter_d = lm_gexpr_class(pool, d, 2, false);
    lm_gexpr two = lm_gexpr_repeat(pool, digit, 2, 2);
    lm_gexpr basic = lm_gexpr_seq2(pool, lm_gexpr_class(pool, not_d, 5, false), lm_gexpr_repeat(pool, digit, 3, 3));
    lm_gexpr below = lm_gexpr_seq3(pool, letter_d, lm_gexpr_class(pool, low7, 1, false), two);
    lm_gexpr pair[6] = {letter_d, lm_gexpr_class(pool, high, 3, false),
                        two,      lm_schema_literal(s, "\\u"),
                        letter_d, lm_gexpr_seq2(pool, lm_gexpr_class(pool, low, 2, false), two)};
    lm_gexpr choices[3] = {basic, below, lm_gexpr_seq(pool, pair, 6)};
    return lm_gexpr_seq2(pool, lm_schema_literal(s, "u"), lm_gexpr_alt(pool, choices, 3));
}

lm_gexpr lm_schema_any_char(lm_schema *s) {
    static const lm_code_range raw[] = {{0x20, 0x21}, {0x23, 0x5B}, {0x5D, 0x10FFFF}};
    static const lm_code_range escapes[] = {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'},
                                            {'f', 'f'}, {'n', 'n'},   {'r', 'r'}, {'t', 't'}};
    lm_gexpr escape = lm_gexpr_alt2(s->pool, lm_gexpr_class(s->pool, escapes, 8, false), any_unicode_escape(s));
    escape = lm_gexpr_seq2(s->pool, lm_schema_literal(s, "\\"), escape);
    return lm_gexpr_alt2(s->pool, lm_gexpr_class(s->pool, raw, 3, false), escape);
}

/* Spell a code point canonically: bytes written, up to 6. */
static size_t spell(uint32_t code, char out[6]) {
    static const char shorts[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\", digits[] = "0123456789abcdef";
    const char *found = code && code < 0x80 ? strchr(shorts, (int)code) : NULL;
    if (found) {
        out[0] = '\\';
        out[1] = letters[found - shorts];
        return 2;
    }
    if (code >= 0x20) return lm_utf8_encode(code, out);
    memcpy(out, "\\u00", 4);
    out[4] = digits[code >> 4];
    out[5] = digits[code & 15];
    return 6;
}

lm_gexpr lm_schema_canonical_text(lm_schema *s, const char *text, size_t n) {
    lm_gexpr out = LM_GEXPR_EMPTY;
    LM_ARRAY(char) bytes = {0};
    bool done = true;
    for (size_t i = 0; done && i < n;) {
        uint32_t code = 0;
        size_t length = lm_utf8_decode(text + i, n - i, &code);
        if (length == 0) break; /* the JSON reader gives valid UTF-8 */
        i += length;
        done = lm_array_reserve(s->env, &bytes, 6);
        if (done) bytes.count += spell(code, bytes.data + bytes.count);
    }
    if (done)
        out = lm_gexpr_text(s->pool, bytes.data, bytes.count);
    else
        lm_schema_memory(s);
    lm_array_free(s->env, &bytes);
    return out;
}

lm_gexpr lm_schema_canonical_class(lm_schema *s, const lm_code_range *ranges, size_t n) {
    LM_ARRAY(lm_code_range) raw = {0};
    LM_ARRAY(lm_gexpr) choices = {0};
    bool done = true;
    for (size_t i = 0; done && i < n; i++) {
        static const uint32_t odd[] = {'"', '\\'};
        lm_code_range range = ranges[i];
        for (uint32_t code = range.lo; done && code < 0x20 && code <= range.hi; code++) {
            char spelled[6];
            lm_gexpr text = lm_gexpr_text(s->pool, spelled, spell(code, spelled));
            done = lm_array_push(s->env, &choices, text);
        }
        if (range.hi < 0x20) continue;
        if (range.lo < 0x20) range.lo = 0x20;
        for (size_t k = 0; done && k < 2; k++) {
            if (odd[k] < range.lo || odd[k] > range.hi) continue;
            char spelled[6];
            lm_gexpr text = lm_gexpr_text(s->pool, spelled, spell(odd[k], spelled));
            done = lm_array_push(s->env, &choices, text);
            lm_code_range before = {range.lo, odd[k] - 1};
            if (done && before.lo <= before.hi) done = lm_array_push(s->env, &raw, before);
            range.lo = odd[k] + 1;
        }
        if (done && range.lo <= range.hi) done = lm_array_push(s->env, &raw, range);
    }
    lm_gexpr out = LM_GEXPR_NEVER;
    if (done && raw.count > 0) {
        lm_gexpr class = lm_gexpr_class(s->pool, raw.data, raw.count, false);
        done = lm_array_push(s->env, &choices, class);
    }
    if (done)
        out = lm_gexpr_alt(s->pool, choices.data, choices.count);
    else
        lm_schema_memory(s);
    lm_array_free(s->env, &raw);
    lm_array_free(s->env, &choices);
    return out;
}

lm_gexpr lm_schema_canonical_char(lm_schema *s) {
    static const lm_code_range all[] = {{0, 0x10FFFF}};
    return lm_schema_canonical_class(s, all, 1);
}

/* Add a demand to those met so far. */
static void demand(lm_schema *s, lm_gexpr *all, bool *any, lm_gexpr one) {
    *all = *any ? lm_gexpr_both(s->pool, *all, one) : one;
    *any = true;
}

lm_gexpr lm_schema_string_inner(lm_schema *s, const lm_schema_flat *flat) {
    lm_gexpr out = LM_GEXPR_EMPTY;
    bool any = false;
    for (size_t i = 0; i < flat->patterns.count; i++) {
        const lm_json *pattern = flat->patterns.data[i];
        demand(s, &out, &any, lm_schema_pattern(s, pattern, pattern->text, pattern->count));
    }
    for (size_t i = 0; i < flat->formats.count; i++) {
        bool known;
        lm_gexpr format = lm_schema_format(s, flat->formats.data[i], &known);
        if (known) demand(s, &out, &any, format);
    }
    if (!any || flat->min_length > 0 || flat->max_length != LM_GRAMMAR_UNBOUNDED)
        demand(s, &out, &any,
               lm_gexpr_repeat(s->pool, lm_schema_canonical_char(s), flat->min_length, flat->max_length));
    for (size_t i = 0; i < flat->forbidden.count; i++) {
        const lm_json *value = flat->forbidden.data[i];
        if (value->type != LM_JSON_STRING) continue;
        out = lm_gexpr_except(s->pool, out, lm_schema_canonical_text(s, value->text, value->count));
    }
    return out;
}

lm_gexpr lm_schema_string(lm_schema *s, const lm_schema_flat *flat) {
    bool demanding = flat->patterns.count > 0;
    for (size_t i = 0; i < flat->forbidden.count; i++)
        demanding = demanding || flat->forbidden.data[i]->type == LM_JSON_STRING;
    for (size_t i = 0; i < flat->formats.count; i++) {
        bool known;
        (void)lm_schema_format(s, flat->formats.data[i], &known);
        demanding = demanding || known;
    }
    if (demanding) return lm_schema_quoted(s, lm_schema_string_inner(s, flat));
    if (flat->min_length == 0 && flat->max_length == LM_GRAMMAR_UNBOUNDED) {
        if (!s->any_string)
            s->any_string =
                lm_schema_quoted(s, lm_gexpr_repeat(s->pool, lm_schema_any_char(s), 0, LM_GRAMMAR_UNBOUNDED));
        return s->any_string;
    }
    return lm_schema_quoted(s, lm_gexpr_repeat(s->pool, lm_schema_any_char(s), flat->min_length, flat->max_length));
}
