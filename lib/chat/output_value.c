/* SPDX-License-Identifier: MIT
 * A parameter's value given as plain text: the tool's schema says whether it is meant as a string, and otherwise it is read
 * as JSON, or as Python writes true, false and none. What does not fit stays a string. */
#include <string.h>

#include "output_xml.h"

enum { ANY = 0, TEXT = 1, NUMBER = 2, BOOL = 4, NONE = 8, ARRAY = 16, OBJECT = 32 };

static unsigned type_bit(const lm_json *name) {
    static const struct {
        const char *name;
        unsigned bit;
    } types[] = {{"string", TEXT}, {"number", NUMBER}, {"integer", NUMBER}, {"boolean", BOOL},
                 {"null", NONE},   {"array", ARRAY},   {"object", OBJECT}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (lm_json_is_text(name, types[i].name)) return types[i].bit;
    return ANY;
}

static unsigned value_bit(const lm_json *value) {
    static const unsigned bits[] = {NONE, BOOL, NUMBER, TEXT, ARRAY, OBJECT};
    return bits[value->type];
}

/* The types a schema allows; 0 when it does not say. Alternatives are looked into a few levels deep. */
static unsigned allowed(const lm_json *schema, int depth) {
    static const char *const alternatives[] = {"anyOf", "oneOf"};
    const lm_json *type = lm_json_get(schema, "type"), *values = lm_json_get(schema, "enum"),
                  *constant = lm_json_get(schema, "const");
    unsigned bits = 0;
    if (lm_json_is(type, LM_JSON_STRING)) return type_bit(type);
    if (lm_json_is(type, LM_JSON_ARRAY)) {
        for (size_t i = 0; i < type->count; i++) bits |= type_bit(&type->items[i]);
        return bits;
    }
    if (constant) return value_bit(constant);
    if (lm_json_is(values, LM_JSON_ARRAY)) {
        for (size_t i = 0; i < values->count; i++) bits |= value_bit(&values->items[i]);
        return bits;
    }
    for (int a = 0; a < 2 && depth > 0; a++) {
        const lm_json *list = lm_json_get(schema, alternatives[a]);
        if (!lm_json_is(list, LM_JSON_ARRAY)) continue;
        for (size_t i = 0; i < list->count; i++) {
            unsigned one = allowed(&list->items[i], depth - 1);
            if (one == ANY) return ANY;
            bits |= one;
        }
        return bits;
    }
    return ANY;
}

bool lm_output_wants_text(const lm_json *schema) { return allowed(schema, 8) == TEXT; }

static void put_string(lm_output *output, const char *bytes, size_t n) {
    lm_output_call_word(output, "\"");
    lm_output_call_escaped(output, bytes, n);
    lm_output_call_word(output, "\"");
}

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

void lm_output_value(lm_output *output, const lm_json *schema, bool is_json, const char *bytes, size_t n) {
    static const char *const words[][2] = {{"True", "true"}, {"False", "false"}, {"None", "null"}};
    unsigned types = is_json ? ANY : allowed(schema, 8);
    const char *from = bytes, *to = bytes + n;
    while (from < to && is_space(*from)) from++;
    while (to > from && is_space(to[-1])) to--;
    lm_arena arena;
    const lm_json *value;
    lm_arena_init(&arena, output->env, LM_ARENA_UNLIMITED);
    lm_status status = types == TEXT
                           ? LM_ERR_FORMAT
                           : lm_json_parse(&arena, from, (size_t)(to - from), LM_JSON_SCAN_DEPTH_MAX, &value, NULL);
    if (status == LM_ERR_MEMORY) output->status = status;
    bool fits = status == LM_OK && (types == ANY || value_bit(value) & types);
    /* Where text is allowed, a quoted string is more likely text with quotes than JSON. */
    if (fits && value->type == LM_JSON_STRING && !is_json) fits = types == ANY ? false : !(types & TEXT);
    lm_arena_free(&arena);
    if (fits) {
        lm_output_call_arguments(output, from, (size_t)(to - from));
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        unsigned bit = i < 2 ? BOOL : NONE;
        bool same = strlen(words[i][0]) == (size_t)(to - from) && memcmp(from, words[i][0], (size_t)(to - from)) == 0;
        if (!same || (types != ANY && !(types & bit))) continue;
        lm_output_call_word(output, words[i][1]);
        return;
    }
    put_string(output, bytes, n);
}
