/* SPDX-License-Identifier: MIT
 * JSON without a schema: white space, any value, lists, and exact values. White space is bounded, as an unbounded run of it
 * would let a model go on forever; so are the digits of numbers. */
#include <string.h>

#include "json_schema.h"

lm_gexpr lm_schema_literal(lm_schema *s, const char *text) { return lm_gexpr_text(s->pool, text, strlen(text)); }

static lm_gexpr space(lm_schema *s) {
    if (!s->compact && !s->space) s->space = lm_schema_raw(s, "^(?: |\n{1,2}[\t ]{0,20})?$");
    return s->space;
}

lm_gexpr lm_schema_comma(lm_schema *s) { return lm_gexpr_seq2(s->pool, lm_schema_literal(s, ","), space(s)); }

lm_gexpr lm_schema_member(lm_schema *s, lm_gexpr name, lm_gexpr value) {
    lm_gexpr items[4] = {lm_schema_quoted(s, name), lm_schema_literal(s, ":"), space(s), value};
    return lm_gexpr_seq(s->pool, items, 4);
}

void lm_schema_edge(lm_schema *s, lm_schema_edges *edges, uint32_t from, uint32_t to, lm_gexpr expr) {
    lm_net_edge edge = {from, to, expr};
    if (expr != LM_GEXPR_NEVER) lm_schema_push(s, edges, edge);
}

/* item, then "," item; from least to most of them. */
lm_gexpr lm_schema_list(lm_schema *s, lm_gexpr item, uint32_t least, uint32_t most) {
    if (most == 0) return LM_GEXPR_EMPTY;
    lm_gexpr more = lm_gexpr_seq2(s->pool, lm_schema_comma(s), item);
    uint32_t rest = most == LM_GRAMMAR_UNBOUNDED ? most : most - 1;
    more = lm_gexpr_repeat(s->pool, more, least > 0 ? least - 1 : 0, rest);
    lm_gexpr all = lm_gexpr_seq2(s->pool, item, more);
    return least == 0 ? lm_gexpr_optional(s->pool, all) : all;
}

lm_gexpr lm_schema_enclosed(lm_schema *s, const char *open, lm_gexpr inner, const char *close) {
    lm_gexpr items[5] = {lm_schema_literal(s, open), space(s), inner, space(s), lm_schema_literal(s, close)};
    /* With nothing inside, one run of white space is enough. */
    if (inner == LM_GEXPR_EMPTY) items[3] = LM_GEXPR_EMPTY;
    return lm_gexpr_seq(s->pool, items, 5);
}

lm_gexpr lm_schema_any_object(lm_schema *s) {
    lm_gexpr name = lm_gexpr_repeat(s->pool, lm_schema_any_char(s), 0, LM_GRAMMAR_UNBOUNDED);
    lm_gexpr member = lm_schema_member(s, name, lm_schema_any(s));
    return lm_schema_enclosed(s, "{", lm_schema_list(s, member, 0, LM_GRAMMAR_UNBOUNDED), "}");
}

lm_gexpr lm_schema_any_array(lm_schema *s) {
    return lm_schema_enclosed(s, "[", lm_schema_list(s, lm_schema_any(s), 0, LM_GRAMMAR_UNBOUNDED), "]");
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
    lm_schema_exprs items = {0};
    for (size_t i = 0; i < value->count; i++) {
        lm_gexpr comma = i > 0 ? lm_schema_comma(s) : LM_GEXPR_EMPTY;
        lm_schema_push(s, &items, comma);
        const lm_json *item = value->type == LM_JSON_ARRAY ? &value->items[i] : &value->members[i].value;
        lm_gexpr expr = lm_schema_exactly(s, item);
        if (value->type == LM_JSON_OBJECT) {
            const lm_json_member *member = &value->members[i];
            expr = lm_schema_member(s, lm_schema_canonical_text(s, member->name, member->name_size), expr);
        }
        lm_schema_push(s, &items, expr);
    }
    lm_gexpr out = lm_gexpr_seq(s->pool, items.data, items.count);
    lm_array_free(s->env, &items);
    return value->type == LM_JSON_ARRAY ? lm_schema_enclosed(s, "[", out, "]") : lm_schema_enclosed(s, "{", out, "}");
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

bool lm_schema_has_value(const lm_schema_nodes *values, const lm_json *value) {
    for (size_t i = 0; i < values->count; i++)
        if (lm_schema_equal(values->data[i], value)) return true;
    return false;
}
