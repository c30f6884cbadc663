/* SPDX-License-Identifier: MIT
 * A parameter's value given as plain text: the tool's schema says whether it is meant as a string, and otherwise it is read
 * as JSON, or as Python writes true, false and none. What does not fit stays a string. */
#include <string.h>

#include "../base/json_write.h"
#include "reply_xml.h"

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

bool lm_reply_wants_text(const lm_json *schema) { return allowed(schema, 8) == TEXT; }

static void put_string(lm_reply *reply, const char *bytes, size_t n) {
    lm_reply_call_word(reply, "\"");
    lm_reply_call_escaped(reply, bytes, n);
    lm_reply_call_word(reply, "\"");
}

static const char words[3][2][6] = {{"True", "true"}, {"False", "false"}, {"None", "null"}};

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

/* Whether a text is a JSON value of one of the types. */
static bool fits_as_json(lm_reply *reply, unsigned types, bool is_json, const char *from, const char *to) {
    lm_arena arena;
    const lm_json *value;
    lm_arena_init(&arena, reply->env, LM_ARENA_UNLIMITED);
    lm_status status = types == TEXT
                           ? LM_ERR_FORMAT
                           : lm_json_parse(&arena, from, (size_t)(to - from), LM_JSON_SCAN_DEPTH_MAX, &value, NULL);
    if (status == LM_ERR_MEMORY) reply->status = status;
    bool fits = status == LM_OK && (types == ANY || value_bit(value) & types);
    /* Where text is allowed, a quoted string is more likely text with quotes than JSON. */
    if (fits && value->type == LM_JSON_STRING && !is_json) fits = types == ANY ? false : !(types & TEXT);
    lm_arena_free(&arena);
    return fits;
}

/* A list or a mapping as Python prints it, as JSON; nothing when it is something else. */
static void read_python(lm_reply *reply, const char *from, const char *to, lm_str *out) {
    lm_str text;
    lm_str_init(&text, reply->env, SIZE_MAX);
    for (const char *at = from; at < to && out->status == LM_OK; at++) {
        char quote = *at;
        if (quote != '\'' && quote != '"') {
            size_t left = (size_t)(to - at), i = 0;
            while (i < 3 && (left < strlen(words[i][0]) || memcmp(at, words[i][0], strlen(words[i][0])) != 0)) i++;
            if (i < 3) {
                lm_str_append_text(out, words[i][1]);
                at += strlen(words[i][0]) - 1;
            } else {
                lm_str_append_char(out, quote);
            }
            continue;
        }
        lm_str_clear(&text);
        while (++at < to && *at != quote) {
            static const char letters[] = "nrt\\'\"", values[] = "\n\r\t\\'\"";
            const char *known = *at == '\\' && at + 1 < to && at[1] ? strchr(letters, at[1]) : NULL;
            lm_str_append_char(&text, known ? values[known - letters] : *at);
            at += known != NULL;
        }
        lm_json_print_string(out, lm_str_text(&text), text.size, false);
    }
    if (text.status != LM_OK || out->status != LM_OK) reply->status = LM_ERR_MEMORY;
    lm_str_free(&text);
}

void lm_reply_value(lm_reply *reply, const lm_json *schema, bool is_json, const char *bytes, size_t n) {
    unsigned types = is_json ? ANY : allowed(schema, 8);
    const char *from = bytes, *to = bytes + n;
    while (from < to && is_space(*from)) from++;
    while (to > from && is_space(to[-1])) to--;
    lm_str python;
    lm_str_init(&python, reply->env, SIZE_MAX);
    bool fits = fits_as_json(reply, types, is_json, from, to);
    if (!fits && types != TEXT && from < to && (*from == '[' || *from == '{')) {
        read_python(reply, from, to, &python);
        fits = fits_as_json(reply, types, true, lm_str_text(&python), lm_str_text(&python) + python.size);
        if (fits) {
            from = lm_str_text(&python);
            to = from + python.size;
        }
    }
    if (fits) lm_reply_call_arguments(reply, from, (size_t)(to - from));
    lm_str_free(&python);
    if (fits) return;
    for (size_t i = 0; i < 3; i++) {
        unsigned bit = i < 2 ? BOOL : NONE;
        bool same = strlen(words[i][0]) == (size_t)(to - from) && memcmp(from, words[i][0], (size_t)(to - from)) == 0;
        if (!same || (types != ANY && !(types & bit))) continue;
        lm_reply_call_word(reply, words[i][1]);
        return;
    }
    put_string(reply, bytes, n);
}
