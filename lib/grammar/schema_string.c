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

lm_gexpr lm_schema_any_char(lm_schema *s) {
#define HEX "[0-9A-Fa-f]"
    /* \u and four digits: a character, or a pair of surrogates; never half a pair. */
    return lm_schema_raw(s, "^(?:[^\\x00-\\x1f\"\\\\]|\\\\(?:[\"\\\\/bfnrt]|u(?:[0-9A-CEFa-cef]" HEX "{3}|"
                            "[Dd](?:[0-7]" HEX "{2}|[89ABab]" HEX "{2}\\\\u[Dd][C-Fc-f]" HEX "{2}))))$");
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
    if (s->raw) return lm_gexpr_class(s->pool, ranges, n, false);
    LM_ARRAY(lm_code_range) raw = {0};
    lm_schema_exprs choices = {0};
    for (size_t i = 0; i < n; i++) {
        lm_code_range range = ranges[i];
        for (uint32_t code = 0; code <= '\\'; code++) { /* what is not raw: controls, quote, backslash */
            if ((code >= 0x20 && code != '"' && code != '\\') || code < range.lo || code > range.hi) continue;
            char spelled[6];
            lm_gexpr text = lm_gexpr_text(s->pool, spelled, spell(code, spelled));
            lm_schema_push(s, &choices, text);
            lm_code_range before = {range.lo, code - 1};
            if (code > range.lo) lm_schema_push(s, &raw, before);
            range.lo = code + 1;
        }
        if (range.lo <= range.hi) lm_schema_push(s, &raw, range);
    }
    if (raw.count > 0) {
        lm_gexpr class = lm_gexpr_class(s->pool, raw.data, raw.count, false);
        lm_schema_push(s, &choices, class);
    }
    lm_gexpr out = lm_gexpr_alt(s->pool, choices.data, choices.count);
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
    if (flat->min_length > flat->max_length) return LM_GEXPR_NEVER;
    for (size_t i = 0; i < flat->patterns.count; i++) {
        const lm_json *pattern = flat->patterns.data[i];
        demand(s, &out, &any, lm_schema_pattern(s, pattern, pattern->text, pattern->count));
    }
    for (size_t i = 0; i < flat->formats.count; i++) {
        const lm_json *format = flat->formats.data[i];
        const char *pattern = lm_schema_format_pattern(format, NULL);
        if (pattern) demand(s, &out, &any, lm_schema_pattern(s, format, pattern, strlen(pattern)));
    }
    if (!any || flat->min_length > 0 || flat->max_length != LM_GRAMMAR_UNBOUNDED)
        demand(s, &out, &any,
               lm_gexpr_repeat(s->pool, lm_schema_canonical_char(s), flat->min_length, flat->max_length));
    for (size_t i = 0; i < flat->forbidden.count; i++) {
        const lm_json *value = flat->forbidden.data[i];
        if (value->type != LM_JSON_STRING) continue;
        out = lm_gexpr_except(s->pool, out, lm_schema_canonical_text(s, value->text, value->count));
    }
    for (size_t i = 0; i < flat->excluded.count && lm_schema_work(s, 512); i++) {
        lm_schema_part part = {flat->excluded.data[i], 0};
        lm_schema_flat other;
        if (lm_schema_collect(s, &part, 1, &other) == LM_OK && other.multiples.count == 0) {
            s->inverted = !s->inverted;
            out = lm_gexpr_except(s->pool, out, lm_schema_string_inner(s, &other));
            s->inverted = !s->inverted;
        }
        lm_schema_flat_free(s, &other);
    }
    return out;
}

lm_gexpr lm_schema_string(lm_schema *s, const lm_schema_flat *flat) {
    bool demanding = flat->patterns.count > 0 || flat->excluded.count > 0 || flat->min_length > flat->max_length;
    for (size_t i = 0; i < flat->forbidden.count; i++)
        demanding = demanding || flat->forbidden.data[i]->type == LM_JSON_STRING;
    for (size_t i = 0; i < flat->formats.count; i++)
        demanding = demanding || lm_schema_format_pattern(flat->formats.data[i], NULL);
    if (demanding) return lm_schema_quoted(s, lm_schema_string_inner(s, flat));
    if (flat->min_length == 0 && flat->max_length == LM_GRAMMAR_UNBOUNDED) {
        if (!s->any_string)
            s->any_string =
                lm_schema_quoted(s, lm_gexpr_repeat(s->pool, lm_schema_any_char(s), 0, LM_GRAMMAR_UNBOUNDED));
        return s->any_string;
    }
    return lm_schema_quoted(s, lm_gexpr_repeat(s->pool, lm_schema_any_char(s), flat->min_length, flat->max_length));
}
