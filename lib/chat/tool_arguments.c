/* SPDX-License-Identifier: MIT
 * Arguments as JSON and as tags around text. */
#include "tool_arguments.h"

#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../grammar/json_schema.h"
#include "../reply/reply_xml.h"

lm_gexpr lm_turn_word(lm_turn_builder *b, const char *text) { return lm_gexpr_text(&b->pool, text, strlen(text)); }

lm_gexpr lm_turn_phrase(lm_turn_builder *b, const char *text, size_t n, bool is_text) {
    static const lm_code_range digits[] = {{'0', '9'}};
    static const lm_code_range letters[] = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
    lm_gexpr all = LM_GEXPR_EMPTY;
    for (size_t at = 0, from = 0; at <= n; at++) {
        char c = at < n ? text[at] : '\0';
        if (at < n && c != *LM_CALL_NUMBER && c != *LM_CALL_LETTERS && c != *LM_CALL_IS_TEXT) continue;
        all = lm_gexpr_seq2(&b->pool, all, lm_gexpr_text(&b->pool, text + from, at - from));
        from = at + 1;
        if (at == n) break;
        lm_gexpr one = lm_turn_word(b, is_text ? "true" : "false");
        if (c == *LM_CALL_NUMBER) one = lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, digits, 1, false), 1, 4);
        if (c == *LM_CALL_LETTERS) one = lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, letters, 3, false), 9, 9);
        all = lm_gexpr_seq2(&b->pool, all, one);
    }
    return all;
}

lm_gexpr lm_turn_through(lm_turn_builder *b, const char *close) {
    lm_gexpr any = lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, NULL, 0, true), 0, LM_GRAMMAR_UNBOUNDED);
    lm_gexpr holds = lm_gexpr_seq3(&b->pool, any, lm_turn_word(b, close), any);
    return lm_gexpr_seq2(&b->pool, lm_gexpr_except(&b->pool, any, holds), lm_turn_word(b, close));
}

lm_status lm_turn_schema(lm_turn_builder *b, const lm_json *schema, lm_gexpr *out) {
    uint32_t rule;
    lm_str_clear(&b->text);
    lm_status status =
        schema ? lm_json_print(&b->text, schema, NULL) : lm_str_append_text(&b->text, "{\"type\":\"object\"}");
    if (status != LM_OK) return lm_error_memory(b->error);
    status = lm_schema_compile(&b->pool, lm_str_text(&b->text), b->text.size, false, &rule, b->error);
    if (status == LM_OK) *out = lm_gexpr_rule(&b->pool, rule);
    return status;
}

lm_status lm_turn_schema_or(lm_turn_builder *b, const lm_json *schema, const lm_json *fallback, lm_gexpr *out) {
    lm_status status = lm_turn_schema(b, schema, out);
    if (status != LM_ERR_UNSUPPORTED && status != LM_ERR_FORMAT) return status;
    lm_log_write(b->env, LM_LOG_LEVEL_WARNING, "chat: the arguments of tool %s are not constrained: %s", b->tool,
                 b->error->message);
    return lm_turn_schema(b, fallback, out);
}

bool lm_turn_requires(const lm_json *parameters, const lm_json_member *member) {
    const lm_json *names = lm_json_get(parameters, "required");
    for (size_t i = 0; lm_json_is(names, LM_JSON_ARRAY) && i < names->count; i++)
        if (names->items[i].type == LM_JSON_STRING && names->items[i].count == member->name_size &&
            memcmp(names->items[i].text, member->name, member->name_size) == 0)
            return true;
    return false;
}

/* What ends the value of a member, in the builder's scratch. */
static const char *value_close(lm_turn_builder *b, const lm_call_syntax *s, const lm_json_member *member) {
    lm_str_clear(&b->text);
    for (const char *at = s->value_close; *at; at++) {
        if (*at == *LM_CALL_KEY)
            lm_str_append(&b->text, member->name, member->name_size);
        else
            lm_str_append_char(&b->text, *at);
    }
    if (b->text.status != LM_OK) b->pool.status = b->text.status;
    return lm_str_text(&b->text);
}

/* The value of a parameter up to its tag's end: one of some texts, any text, or JSON. */
static lm_status add_value(lm_turn_builder *b, const lm_call_syntax *s, const lm_json_member *member, lm_gexpr *out) {
    const lm_json *schema = &member->value;
    static const lm_json anything = {.type = LM_JSON_BOOL, .boolean = true};
    const lm_json *choices = lm_json_get(schema, "enum");
    bool texts = lm_json_is(choices, LM_JSON_ARRAY) && choices->count > 0;
    for (size_t i = 0; texts && i < choices->count; i++) texts = choices->items[i].type == LM_JSON_STRING;
    lm_gexpr value = LM_GEXPR_NEVER;
    if (!texts && lm_reply_wants_text(schema)) {
        *out = lm_turn_through(b, value_close(b, s, member));
        return LM_OK;
    }
    for (size_t i = 0; texts && i < choices->count; i++)
        value =
            lm_gexpr_alt2(&b->pool, value, lm_gexpr_text(&b->pool, choices->items[i].text, choices->items[i].count));
    lm_status status = texts ? LM_OK : lm_turn_schema_or(b, schema, &anything, &value);
    *out = lm_gexpr_seq2(&b->pool, value, lm_turn_word(b, value_close(b, s, member)));
    return status;
}

/* The declared parameters in their order, each in its tag. Undeclared tools take any tags, but none where the end of one
 * repeats its name: that is beyond a grammar. */
static lm_status add_tags(lm_turn_builder *b, const lm_call_syntax *s, const lm_json *parameters, lm_gexpr *out) {
    static const lm_code_range name_ends[] = {{'\n', '\n'}, {'"', '"'}, {'<', '<'}, {'>', '>'}};
    const lm_json *properties = lm_json_get(parameters, "properties");
    size_t n_close = strlen(s->key_close);
    lm_status status = LM_OK;
    lm_gexpr open = lm_turn_word(b, s->key_open);
    *out = LM_GEXPR_EMPTY;
    if (!parameters) {
        if (strchr(s->value_close, *LM_CALL_KEY)) return LM_OK;
        lm_gexpr name =
            lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, name_ends, 4, true), 1, LM_GRAMMAR_UNBOUNDED);
        lm_gexpr parts[4] = {open, name, lm_turn_phrase(b, s->key_close, n_close, true),
                             lm_turn_through(b, s->value_close)};
        *out = lm_gexpr_repeat(&b->pool, lm_gexpr_seq(&b->pool, parts, 4), 0, LM_GRAMMAR_UNBOUNDED);
        return LM_OK;
    }
    for (size_t i = 0; status == LM_OK && lm_json_is(properties, LM_JSON_OBJECT) && i < properties->count; i++) {
        const lm_json_member *member = &properties->members[i];
        lm_gexpr parts[4] = {open, lm_gexpr_text(&b->pool, member->name, member->name_size),
                             lm_turn_phrase(b, s->key_close, n_close, lm_reply_wants_text(&member->value)),
                             LM_GEXPR_EMPTY};
        status = add_value(b, s, member, &parts[3]);
        lm_gexpr one = lm_gexpr_seq(&b->pool, parts, 4);
        *out = lm_gexpr_seq2(&b->pool, *out,
                             lm_turn_requires(parameters, member) ? one : lm_gexpr_optional(&b->pool, one));
    }
    return status;
}

lm_status lm_tool_arguments(lm_turn_builder *b, const lm_call_syntax *s, const lm_json *parameters, lm_gexpr *out) {
    switch ((lm_argument_style)s->style) {
    case LM_ARGUMENTS_TAGS: return add_tags(b, s, parameters, out);
    case LM_ARGUMENTS_GEMMA: return lm_tool_literal(b, false, parameters, out);
    case LM_ARGUMENTS_PYTHON: return lm_tool_literal(b, true, parameters, out);
    default: return lm_turn_schema_or(b, parameters, NULL, out);
    }
}
