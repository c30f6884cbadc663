/* SPDX-License-Identifier: MIT
 * Arguments as Gemma's and Python's literals. A schema is followed through types, enum, const, properties, items and
 * alternatives; where it says more than that, or refers elsewhere, the value is held to its type alone, with one warning to
 * the log. */
#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "tool_arguments.h"

#define DEPTH_MAX 48
static const char mark[] = "<|\"|>";

typedef struct writer {
    lm_turn_builder *b;
    bool python;
} writer;

static lm_gexpr word(const writer *w, const char *text) { return lm_turn_word(w->b, text); }
static lm_gexpr comma(const writer *w) { return word(w, w->python ? ", " : ","); }
static lm_gexpr colon(const writer *w) { return word(w, w->python ? ": " : ":"); }

static void warn(const writer *w) {
    if (!w->b->warned)
        lm_log_write(w->b->env, LM_LOG_LEVEL_WARNING,
                     "chat: part of the schema of tool %s is not kept, as its arguments are not written as JSON",
                     w->b->tool);
    w->b->warned = true;
}

static lm_gexpr items(const writer *w, const char *open, lm_gexpr item, uint32_t least, uint32_t most,
                      const char *close) {
    lm_gexpr_pool *pool = &w->b->pool;
    if (most == 0) return lm_gexpr_seq2(pool, word(w, open), word(w, close));
    lm_gexpr more = lm_gexpr_repeat(pool, lm_gexpr_seq2(pool, comma(w), item), least > 0 ? least - 1 : 0,
                                    most == LM_GRAMMAR_UNBOUNDED ? most : most - 1);
    lm_gexpr list = lm_gexpr_seq2(pool, item, more);
    return lm_gexpr_seq3(pool, word(w, open), least > 0 ? list : lm_gexpr_optional(pool, list), word(w, close));
}

/* Text from least to most characters. Gemma's marks cannot be counted up to. */
static lm_gexpr text(const writer *w, uint32_t least, uint32_t most) {
    static const lm_code_range special[] = {{0, 31}, {'"', '"'}, {'\\', '\\'}};
    static const lm_code_range escaped[] = {{'"', '"'}, {'\\', '\\'}, {'n', 'n'}, {'t', 't'}};
    lm_gexpr_pool *pool = &w->b->pool;
    if (!w->python) return lm_gexpr_seq2(pool, word(w, mark), lm_turn_through(w->b, mark));
    lm_gexpr escape = lm_gexpr_seq2(pool, word(w, "\\"), lm_gexpr_class(pool, escaped, 4, false));
    lm_gexpr one = lm_gexpr_alt2(pool, lm_gexpr_class(pool, special, 3, true), escape);
    return lm_gexpr_seq3(pool, word(w, "\""), lm_gexpr_repeat(pool, one, least, most), word(w, "\""));
}

static lm_gexpr key(const writer *w, const char *name, size_t n) {
    if (!w->python) return lm_gexpr_seq2(&w->b->pool, lm_gexpr_text(&w->b->pool, name, n), colon(w));
    lm_str_clear(&w->b->text);
    if (lm_json_print_string(&w->b->text, name, n, false) != LM_OK) w->b->pool.status = LM_ERR_MEMORY;
    return lm_gexpr_seq2(&w->b->pool, lm_gexpr_text(&w->b->pool, lm_str_text(&w->b->text), w->b->text.size), colon(w));
}

static lm_status number(const writer *w, const lm_json *schema, lm_gexpr *out) {
    lm_json_member type = {"type", 4, {.type = LM_JSON_STRING, .count = 6, .text = "number"}};
    const lm_json any = {.type = LM_JSON_OBJECT, .count = 1, .members = &type};
    return lm_turn_schema_or(w->b, schema ? schema : &any, &any, out);
}

/* Any value of the dialect, as a rule. */
static lm_status any_value(const writer *w, lm_gexpr *out) {
    static const lm_code_range names[] = {{'-', '-'}, {'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    lm_gexpr_pool *pool = &w->b->pool;
    if (w->b->any == LM_GEXPR_EMPTY) {
        uint32_t rule = lm_gexpr_add_rule(pool, "value", 5);
        if (rule == UINT32_MAX) return lm_error_memory(w->b->error);
        w->b->any = lm_gexpr_rule(pool, rule);
        lm_gexpr name = w->python
                            ? text(w, 0, LM_GRAMMAR_UNBOUNDED)
                            : lm_gexpr_repeat(pool, lm_gexpr_class(pool, names, 5, false), 1, LM_GRAMMAR_UNBOUNDED);
        lm_gexpr member = lm_gexpr_seq3(pool, name, colon(w), w->b->any);
        lm_gexpr kinds[7] = {text(w, 0, LM_GRAMMAR_UNBOUNDED),
                             LM_GEXPR_NEVER,
                             word(w, w->python ? "True" : "true"),
                             word(w, w->python ? "False" : "false"),
                             word(w, w->python ? "None" : "null"),
                             items(w, "[", w->b->any, 0, LM_GRAMMAR_UNBOUNDED, "]"),
                             items(w, "{", member, 0, LM_GRAMMAR_UNBOUNDED, "}")};
        lm_status status = number(w, NULL, &kinds[1]);
        if (status != LM_OK) return status;
        lm_gexpr all = lm_gexpr_alt(pool, kinds, 7);
        if (pool->status != LM_OK) return lm_error_memory(w->b->error);
        pool->rules.data[rule].expr = all;
        pool->rules.data[rule].defined = true;
    }
    *out = w->b->any;
    return LM_OK;
}

/* Exactly this value. */
static lm_gexpr constant(const writer *w, const lm_json *value) {
    lm_gexpr_pool *pool = &w->b->pool;
    lm_gexpr all = LM_GEXPR_EMPTY;
    switch ((lm_json_type)value->type) {
    case LM_JSON_NULL: return word(w, w->python ? "None" : "null");
    case LM_JSON_BOOL:
        if (w->python) return word(w, value->boolean ? "True" : "False");
        return word(w, value->boolean ? "true" : "false");
    case LM_JSON_NUMBER: return lm_gexpr_text(pool, value->text, value->count);
    case LM_JSON_STRING:
        if (!w->python)
            return lm_gexpr_seq3(pool, word(w, mark), lm_gexpr_text(pool, value->text, value->count), word(w, mark));
        lm_str_clear(&w->b->text);
        if (lm_json_print_string(&w->b->text, value->text, value->count, false) != LM_OK) pool->status = LM_ERR_MEMORY;
        return lm_gexpr_text(pool, lm_str_text(&w->b->text), w->b->text.size);
    case LM_JSON_ARRAY:
    case LM_JSON_OBJECT: break;
    }
    bool object = value->type == LM_JSON_OBJECT;
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0) all = lm_gexpr_seq2(pool, all, comma(w));
        if (object) all = lm_gexpr_seq2(pool, all, key(w, value->members[i].name, value->members[i].name_size));
        all = lm_gexpr_seq2(pool, all, constant(w, object ? &value->members[i].value : &value->items[i]));
    }
    return lm_gexpr_seq3(pool, word(w, object ? "{" : "["), all, word(w, object ? "}" : "]"));
}

static lm_status add(const writer *w, const lm_json *schema, int depth, lm_gexpr *out);

/* Members in the order of their declaration, commas between those that are there. */
static lm_status members(const writer *w, const lm_json *schema, bool arguments, int depth, lm_gexpr *out) {
    const lm_json *properties = lm_json_get(schema, "properties");
    lm_gexpr_pool *pool = &w->b->pool;
    lm_status status = LM_OK;
    lm_gexpr first = LM_GEXPR_EMPTY, later = LM_GEXPR_EMPTY; /* from a member on: nothing written yet, or something */
    for (size_t i = properties->count; status == LM_OK && i-- > 0;) {
        const lm_json_member *member = &properties->members[i];
        bool required = lm_turn_requires(schema, member);
        lm_gexpr value = LM_GEXPR_NEVER, one;
        status = add(w, &member->value, depth, &value);
        if (arguments && w->python)
            one = lm_gexpr_seq3(pool, lm_gexpr_text(pool, member->name, member->name_size), word(w, "="), value);
        else
            one = lm_gexpr_seq2(pool, key(w, member->name, member->name_size), value);
        lm_gexpr begin = lm_gexpr_seq2(pool, one, later), go_on = lm_gexpr_seq2(pool, comma(w), one);
        first = required ? begin : lm_gexpr_alt2(pool, begin, first);
        later = lm_gexpr_seq2(pool, required ? go_on : lm_gexpr_optional(pool, go_on), later);
    }
    *out = first;
    return status;
}

static uint32_t bound(const lm_json *schema, const char *name, uint32_t fallback) {
    uint64_t value;
    return lm_json_uint64(lm_json_get(schema, name), &value) && value < LM_GRAMMAR_UNBOUNDED ? (uint32_t)value
                                                                                             : fallback;
}

static bool has_any(const lm_json *schema, const char *words) {
    for (; *words; words += strlen(words) + 1)
        if (lm_json_get(schema, words)) return true;
    return false;
}

static lm_status add_type(const writer *w, const lm_json *schema, const char *type, int depth, lm_gexpr *out) {
    const lm_json *properties = lm_json_get(schema, "properties"), *item = lm_json_get(schema, "items");
    uint32_t least = bound(schema, "minLength", 0), most = bound(schema, "maxLength", LM_GRAMMAR_UNBOUNDED);
    lm_gexpr one = LM_GEXPR_NEVER;
    lm_status status = LM_OK;
    if (strcmp(type, "string") == 0) {
        bool special = has_any(schema, "pattern\0format\0");
        if (special && w->python) return lm_turn_schema_or(w->b, schema, NULL, out);
        if (special || (!w->python && has_any(schema, "minLength\0maxLength\0"))) warn(w);
        *out = text(w, least, most < least ? least : most);
    } else if (strcmp(type, "number") == 0 || strcmp(type, "integer") == 0) {
        return number(w, schema, out);
    } else if (strcmp(type, "boolean") == 0) {
        *out = lm_gexpr_alt2(&w->b->pool, word(w, w->python ? "True" : "true"), word(w, w->python ? "False" : "false"));
    } else if (strcmp(type, "null") == 0) {
        *out = word(w, w->python ? "None" : "null");
    } else if (strcmp(type, "array") == 0) {
        status = item ? add(w, item, depth, &one) : any_value(w, &one);
        least = bound(schema, "minItems", 0);
        most = bound(schema, "maxItems", LM_GRAMMAR_UNBOUNDED);
        if (has_any(schema, "prefixItems\0contains\0uniqueItems\0")) warn(w);
        *out = items(w, "[", one, least, most < least ? least : most, "]");
    } else if (strcmp(type, "object") == 0 && lm_json_is(properties, LM_JSON_OBJECT)) {
        if (has_any(schema, "patternProperties\0minProperties\0maxProperties\0dependentRequired\0if\0not\0")) warn(w);
        status = members(w, schema, false, depth, &one);
        *out = lm_gexpr_seq3(&w->b->pool, word(w, "{"), one, word(w, "}"));
    } else {
        if (strcmp(type, "object") != 0 || has_any(schema, "additionalProperties\0patternProperties\0")) warn(w);
        return any_value(w, out);
    }
    return status;
}

static lm_status add(const writer *w, const lm_json *schema, int depth, lm_gexpr *out) {
    const lm_json *values = lm_json_get(schema, "enum"), *only = lm_json_get(schema, "const"),
                  *type = lm_json_get(schema, "type"), *choice = lm_json_get(schema, "anyOf");
    lm_status status = LM_OK;
    *out = LM_GEXPR_NEVER;
    if (depth == 0 || has_any(schema, "$ref\0allOf\0not\0if\0")) {
        warn(w);
        return any_value(w, out);
    }
    if (!choice) choice = lm_json_get(schema, "oneOf");
    if (only) {
        *out = constant(w, only);
    } else if (lm_json_is(values, LM_JSON_ARRAY) && values->count > 0) {
        for (size_t i = 0; i < values->count; i++)
            *out = lm_gexpr_alt2(&w->b->pool, *out, constant(w, &values->items[i]));
    } else if (lm_json_is(choice, LM_JSON_ARRAY) && choice->count > 0) {
        for (size_t i = 0; status == LM_OK && i < choice->count; i++) {
            lm_gexpr one;
            status = add(w, &choice->items[i], depth - 1, &one);
            *out = lm_gexpr_alt2(&w->b->pool, *out, one);
        }
    } else if (lm_json_is(type, LM_JSON_ARRAY) && type->count > 0) {
        for (size_t i = 0; status == LM_OK && i < type->count; i++) {
            lm_gexpr one;
            status = add_type(w, schema, lm_json_text(&type->items[i], ""), depth - 1, &one);
            *out = lm_gexpr_alt2(&w->b->pool, *out, one);
        }
    } else if (lm_json_is(type, LM_JSON_STRING)) {
        return add_type(w, schema, type->text, depth - 1, out);
    } else if (lm_json_get(schema, "properties")) {
        return add_type(w, schema, "object", depth - 1, out);
    } else {
        return any_value(w, out);
    }
    return status;
}

lm_status lm_tool_literal(lm_turn_builder *b, bool python, const lm_json *parameters, lm_gexpr *out) {
    static const lm_code_range names[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    const writer w = {b, python};
    if (lm_json_is(lm_json_get(parameters, "properties"), LM_JSON_OBJECT))
        return members(&w, parameters, true, DEPTH_MAX, out);
    if (parameters && !has_any(parameters, "additionalProperties\0patternProperties\0$ref\0allOf\0anyOf\0oneOf\0")) {
        *out = LM_GEXPR_EMPTY;
        return LM_OK;
    }
    lm_gexpr value;
    lm_status status = any_value(&w, &value);
    lm_gexpr name = lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, names, 4, false), 1, LM_GRAMMAR_UNBOUNDED);
    *out =
        items(&w, "", lm_gexpr_seq3(&b->pool, name, word(&w, python ? "=" : ":"), value), 0, LM_GRAMMAR_UNBOUNDED, "");
    return status;
}
