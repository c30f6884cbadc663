/* SPDX-License-Identifier: MIT
 * JSON without a schema: white space, any value, lists, and exact values. White space is bounded, as an unbounded run of it
 * would let a model go on forever; so are the digits of numbers. */
#include <string.h>

#include "json_schema.h"

lm_gexpr lm_schema_literal(lm_schema *s, const char *text) { return lm_gexpr_text(s->pool, text, strlen(text)); }

lm_gexpr lm_schema_space(lm_schema *s) {
    static const lm_code_range blanks[] = {{'\t', '\t'}, {' ', ' '}}, line[] = {{'\n', '\n'}};
    if (s->compact || s->space) return s->space;
    lm_gexpr indent = lm_gexpr_repeat(s->pool, lm_gexpr_class(s->pool, blanks, 2, false), 0, 20);
    lm_gexpr lines = lm_gexpr_repeat(s->pool, lm_gexpr_class(s->pool, line, 1, false), 1, 2);
    lm_gexpr choices[3] = {LM_GEXPR_EMPTY, lm_schema_literal(s, " "), lm_gexpr_seq2(s->pool, lines, indent)};
    s->space = lm_gexpr_alt(s->pool, choices, 3);
    return s->space;
}

/* item, then "," item; from least to most of them. */
lm_gexpr lm_schema_list(lm_schema *s, lm_gexpr item, uint32_t least, uint32_t most) {
    if (most == 0) return LM_GEXPR_EMPTY;
    lm_gexpr more = lm_gexpr_seq3(s->pool, lm_schema_literal(s, ","), lm_schema_space(s), item);
    uint32_t rest = most == LM_GRAMMAR_UNBOUNDED ? most : most - 1;
    more = lm_gexpr_repeat(s->pool, more, least > 0 ? least - 1 : 0, rest);
    lm_gexpr all = lm_gexpr_seq2(s->pool, item, more);
    return least == 0 ? lm_gexpr_optional(s->pool, all) : all;
}

static lm_gexpr enclosed(lm_schema *s, const char *open, lm_gexpr inner, const char *close) {
    lm_gexpr items[5] = {lm_schema_literal(s, open), lm_schema_space(s), inner, lm_schema_space(s),
                         lm_schema_literal(s, close)};
    /* With nothing inside, one run of white space is enough. */
    if (inner == LM_GEXPR_EMPTY) items[3] = LM_GEXPR_EMPTY;
    return lm_gexpr_seq(s->pool, items, 5);
}

lm_gexpr lm_schema_any_object(lm_schema *s) {
    lm_gexpr name = lm_schema_quoted(s, lm_gexpr_repeat(s->pool, lm_schema_any_char(s), 0, LM_GRAMMAR_UNBOUNDED));
    lm_gexpr items[4] = {name, lm_schema_literal(s, ":"), lm_schema_space(s), lm_schema_any(s)};
    lm_gexpr member = lm_gexpr_seq(s->pool, items, 4);
    return enclosed(s, "{", lm_schema_list(s, member, 0, LM_GRAMMAR_UNBOUNDED), "}");
}

lm_gexpr lm_schema_any_array(lm_schema *s) {
    return enclosed(s, "[", lm_schema_list(s, lm_schema_any(s), 0, LM_GRAMMAR_UNBOUNDED), "]");
}

lm_gexpr lm_schema_any(lm_schema *s) {
    if (s->value) return s->value;
    uint32_t rule = lm_gexpr_add_rule(s->pool, "value", 5);
    if (rule == UINT32_MAX) return LM_GEXPR_EMPTY;
    s->value = lm_gexpr_rule(s->pool, rule);
    lm_schema_flat all = {.types = LM_SCHEMA_ANY, .max_length = LM_GRAMMAR_UNBOUNDED};
    lm_gexpr choices[7] = {lm_schema_literal(s, "null"), lm_schema_literal(s, "true"), lm_schema_literal(s, "false"),
                           lm_schema_number(s, &all),    lm_schema_string(s, &all),    lm_schema_any_array(s),
                           lm_schema_any_object(s)};
    lm_gexpr expr = lm_gexpr_alt(s->pool, choices, 7);
    s->pool->rules.data[rule].expr = expr;
    s->pool->rules.data[rule].defined = true;
    return s->value;
}

/* Recursive over the value, whose depth the JSON reader has bounded. */
lm_gexpr lm_schema_exactly(lm_schema *s, const lm_json *value) {
    switch (value->type) {
    case LM_JSON_NULL: return lm_schema_literal(s, "null");
    case LM_JSON_BOOL: return lm_schema_literal(s, value->boolean ? "true" : "false");
    case LM_JSON_NUMBER: return lm_gexpr_text(s->pool, value->text, value->count);
    case LM_JSON_STRING: return lm_schema_quoted(s, lm_schema_canonical_text(s, value->text, value->count));
    default: break;
    }
    LM_ARRAY(lm_gexpr) items = {0};
    lm_gexpr out = LM_GEXPR_EMPTY;
    bool done = true;
    for (size_t i = 0; done && i < value->count; i++) {
        if (i > 0) {
            lm_gexpr comma = lm_gexpr_seq2(s->pool, lm_schema_literal(s, ","), lm_schema_space(s));
            done = lm_array_push(s->env, &items, comma);
        }
        const lm_json *item = value->type == LM_JSON_ARRAY ? &value->items[i] : &value->members[i].value;
        lm_gexpr expr = lm_schema_exactly(s, item);
        if (value->type == LM_JSON_OBJECT) {
            const lm_json_member *member = &value->members[i];
            lm_gexpr name = lm_schema_quoted(s, lm_schema_canonical_text(s, member->name, member->name_size));
            lm_gexpr colon = lm_gexpr_seq2(s->pool, lm_schema_literal(s, ":"), lm_schema_space(s));
            expr = lm_gexpr_seq3(s->pool, name, colon, expr);
        }
        done = done && lm_array_push(s->env, &items, expr);
    }
    if (done)
        out = lm_gexpr_seq(s->pool, items.data, items.count);
    else
        lm_schema_memory(s);
    lm_array_free(s->env, &items);
    return value->type == LM_JSON_ARRAY ? enclosed(s, "[", out, "]") : enclosed(s, "{", out, "}");
}

uint32_t lm_schema_type_of(const lm_json *value) {
    lm_schema_decimal number;
    switch (value->type) {
    case LM_JSON_NULL: return LM_SCHEMA_NULL;
    case LM_JSON_BOOL: return value->boolean ? LM_SCHEMA_TRUE : LM_SCHEMA_FALSE;
    case LM_JSON_STRING: return LM_SCHEMA_STRING;
    case LM_JSON_ARRAY: return LM_SCHEMA_ARRAY;
    case LM_JSON_OBJECT: return LM_SCHEMA_OBJECT;
    default: break;
    }
    if (value->is_integer) return LM_SCHEMA_INTEGER;
    char digits[LM_SCHEMA_MAX_DIGITS];
    if (!lm_schema_decimal_parse(value->text, value->count, digits, &number)) return LM_SCHEMA_FRACTION;
    return number.n_fraction == 0 ? LM_SCHEMA_INTEGER : LM_SCHEMA_FRACTION;
}

/* As JSON Schema compares: numbers by value, objects without regard to order. */
bool lm_schema_equal(const lm_json *a, const lm_json *b) {
    if (a->type != b->type) return false;
    switch (a->type) {
    case LM_JSON_NULL: return true;
    case LM_JSON_BOOL: return a->boolean == b->boolean;
    case LM_JSON_STRING: return a->count == b->count && memcmp(a->text, b->text, a->count) == 0;
    case LM_JSON_NUMBER: {
        char da[LM_SCHEMA_MAX_DIGITS], db[LM_SCHEMA_MAX_DIGITS];
        lm_schema_decimal na, nb;
        if (a->count == b->count && memcmp(a->text, b->text, a->count) == 0) return true;
        return lm_schema_decimal_parse(a->text, a->count, da, &na) &&
               lm_schema_decimal_parse(b->text, b->count, db, &nb) && lm_schema_decimal_compare(&na, &nb) == 0;
    }
    case LM_JSON_ARRAY:
        if (a->count != b->count) return false;
        for (size_t i = 0; i < a->count; i++)
            if (!lm_schema_equal(&a->items[i], &b->items[i])) return false;
        return true;
    default: break;
    }
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const lm_json *other = lm_json_find(b, a->members[i].name, a->members[i].name_size);
        if (!other || !lm_schema_equal(&a->members[i].value, other)) return false;
    }
    return true;
}
