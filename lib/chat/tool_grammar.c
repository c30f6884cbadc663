/* SPDX-License-Identifier: MIT
 * A turn: calls of the declared tools in a row of call_syntax.h, or an answer of a schema, perhaps behind reasoning. Free text
 * before a call is not part of any grammar here: the grammar sleeps until a call begins. */
#include "tool_grammar.h"

#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../grammar/grammar_compile.h"
#include "../reply/reply.h"
#include "tool_arguments.h"

typedef lm_turn_builder builder;

/* One call of a tool, in one of the ways to write it: name and arguments in their places. */
static lm_gexpr add_call(builder *b, const char *call, lm_gexpr name, lm_gexpr arguments) {
    lm_gexpr all = LM_GEXPR_EMPTY;
    while (*call) {
        size_t n = strcspn(call, LM_CALL_NAME LM_CALL_ARGUMENTS);
        all = lm_gexpr_seq2(&b->pool, all, lm_turn_phrase(b, call, n, false));
        call += n;
        if (*call) all = lm_gexpr_seq2(&b->pool, all, *call == *LM_CALL_NAME ? name : arguments);
        call += *call != '\0';
    }
    return all;
}

static lm_status add_tool(builder *b, const lm_call_syntax *s, const lm_json *tool, lm_gexpr *out) {
    const lm_json *function = lm_json_get(tool, "function");
    if (!function) function = tool;
    const lm_json *name = lm_json_get(function, "name");
    lm_gexpr arguments = LM_GEXPR_EMPTY, written;
    if (!lm_json_is(name, LM_JSON_STRING) || name->count == 0)
        return lm_error_set(b->error, LM_ERR_FORMAT, "tools: a tool has no name");
    b->tool = name->text;
    lm_status status = lm_tool_arguments(b, s, lm_json_get(function, "parameters"), &arguments);
    if (status != LM_OK) return status;
    lm_str_clear(&b->text);
    if (!strstr(s->calls, "\"" LM_CALL_NAME) || s->style != LM_ARGUMENTS_JSON)
        written = lm_gexpr_text(&b->pool, name->text, name->count);
    else if (lm_json_print_string(&b->text, name->text, name->count, false) == LM_OK)
        written = lm_gexpr_text(&b->pool, lm_str_text(&b->text) + 1, b->text.size - 2);
    else
        return lm_error_memory(b->error);
    *out = LM_GEXPR_NEVER;
    for (const char *call = s->calls; *call; call += strlen(call) + 1)
        *out = lm_gexpr_alt2(&b->pool, *out, add_call(b, call, written, arguments));
    return LM_OK;
}

static lm_status add_calls(builder *b, const lm_call_syntax *s, const lm_json *tools, lm_gexpr *out) {
    lm_gexpr call = LM_GEXPR_NEVER, more = LM_GEXPR_EMPTY;
    for (size_t i = 0; i < tools->count; i++) {
        lm_gexpr item = LM_GEXPR_NEVER;
        lm_status status = add_tool(b, s, &tools->items[i], &item);
        if (status != LM_OK) return status;
        call = lm_gexpr_alt2(&b->pool, call, item);
    }
    if (s->between)
        more = lm_gexpr_repeat(&b->pool, lm_gexpr_seq2(&b->pool, lm_turn_word(b, s->between), call), 0,
                               LM_GRAMMAR_UNBOUNDED);
    lm_gexpr close = lm_turn_word(b, s->close ? s->close : "");
    if (s->close_is_optional) close = lm_gexpr_optional(&b->pool, close);
    *out = lm_gexpr_seq2(&b->pool, lm_turn_word(b, s->open ? s->open : ""), lm_gexpr_seq3(&b->pool, call, more, close));
    return LM_OK;
}

/* Letters of a pattern that stand for themselves. */
static size_t escape(char *out, size_t n, const char *text) {
    size_t at = 0;
    for (; *text && at + 3 < n; text++) {
        if (strchr("[]{}()*+?.\\^$|/", *text)) out[at++] = '\\';
        out[at++] = *text;
    }
    out[at] = '\0';
    return at;
}

/* The whole turn, or its part behind the reasoning, with the pattern that wakes it. */
static lm_gexpr add_reasoning(builder *b, const lm_chat *chat, const lm_turn_rules *rules, const lm_call_syntax *s,
                              lm_gexpr turn, lm_turn_grammar *out) {
    static const lm_code_range spaces[] = {{'\t', '\n'}, {'\r', '\r'}, {' ', ' '}};
    const char *open, *close;
    bool tagged = lm_chat_family_reasons(chat, rules->family, &open, &close);
    lm_gexpr gap = lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, spaces, 3, false), 0, 4);
    if (!tagged && s && s->reasoning) {
        open = s->reasoning;
        close = lm_word(s->reasoning, 1);
    } else if (!tagged) {
        return turn;
    } else if (rules->in_reasoning) {
        escape(out->pattern, sizeof out->pattern, close);
        return lm_gexpr_seq3(&b->pool, lm_turn_word(b, close), gap, turn);
    }
    if (!lm_chat_mentions(chat, open)) return turn;
    lm_gexpr reasoning = lm_gexpr_seq3(&b->pool, lm_turn_word(b, open), lm_turn_through(b, close), gap);
    return lm_gexpr_seq2(&b->pool, lm_gexpr_optional(&b->pool, reasoning), turn);
}

/* What wakes calls in free text; in a turn that begins inside of reasoning, only behind its end. */
static void write_pattern(const lm_chat *chat, const lm_turn_rules *rules, const lm_call_syntax *s,
                          lm_turn_grammar *out) {
    const char *open, *close;
    size_t n = 0, size = sizeof out->pattern;
    if (s->pattern) {
        lm_format(out->pattern, size, "%s", s->pattern);
        return;
    }
    if (rules->in_reasoning && lm_chat_family_reasons(chat, rules->family, &open, &close)) {
        n = escape(out->pattern, size / 2, close);
        n += lm_format(out->pattern + n, size - n, "[\\s\\S]*?");
    }
    for (const char *wake = s->wakes; *wake; wake += strlen(wake) + 1) {
        n += lm_format(out->pattern + n, size - n, wake == s->wakes ? "(" : "|");
        n += escape(out->pattern + n, size - n - 1, wake);
    }
    lm_format(out->pattern + n, size - n, ")");
}

static lm_status add_answer(builder *b, const lm_turn_rules *rules, lm_gexpr *out) {
    uint32_t rule;
    if (rules->schema) return lm_turn_schema(b, rules->schema, out);
    lm_status status =
        lm_gbnf_parse(&b->pool, rules->gbnf, rules->gbnf_size, rules->find_token, rules->user, &rule, b->error);
    if (status == LM_OK) *out = lm_gexpr_rule(&b->pool, rule);
    return status;
}

static lm_status build(builder *b, const lm_chat *chat, const lm_turn_rules *rules, lm_turn_grammar *out) {
    bool has_tools = rules->tools && rules->tools->count > 0;
    const lm_call_syntax *s = lm_call_syntax_find(chat, rules->family);
    bool calls_too = has_tools && s, has_answer = (rules->schema || rules->gbnf) && !rules->calls_required;
    lm_gexpr calls = LM_GEXPR_NEVER, answer = LM_GEXPR_NEVER, turn;
    lm_status status = LM_OK;
    if (rules->calls_required && !calls_too)
        return lm_error_set(b->error, LM_ERR_UNSUPPORTED, "chat: calls of the family %s cannot be required",
                            rules->family);
    if (!calls_too && !has_answer) return LM_OK;
    if (has_answer) { /* first: the names in a text of rules are its own */
        status = add_answer(b, rules, &answer);
        if (s && s->answer) answer = lm_gexpr_seq2(&b->pool, lm_turn_word(b, s->answer), answer);
    }
    if (status == LM_OK && calls_too) status = add_calls(b, s, rules->tools, &calls);
    if (status != LM_OK) return status;
    if (calls_too && !rules->calls_required && !has_answer) {
        write_pattern(chat, rules, s, out);
        turn = calls;
    } else {
        turn = add_reasoning(b, chat, rules, s, lm_gexpr_alt2(&b->pool, calls, answer), out);
    }
    const char *name = has_answer && rules->schema ? "schema" : "turn"; /* what allows nothing, if nothing is allowed */
    uint32_t root = lm_gexpr_add_rule(&b->pool, name, strlen(name));
    if (b->pool.status != LM_OK) return lm_error_set(b->error, b->pool.status, "chat: the grammar is too large");
    b->pool.rules.data[root].expr = turn;
    b->pool.rules.data[root].defined = true;
    return lm_grammar_compile(&b->pool, root, &out->grammar, b->error);
}

lm_status lm_turn_grammar_build(const lm_env *env, const lm_chat *chat, const lm_turn_rules *rules,
                                lm_turn_grammar *out, lm_error *error) {
    lm_error own;
    builder b = {.env = env, .error = &own};
    lm_turn_grammar made = {NULL, ""};
    lm_gexpr_pool_init(&b.pool, env);
    lm_str_init(&b.text, env, SIZE_MAX);
    lm_status status = b.pool.status == LM_OK ? build(&b, chat, rules, &made) : lm_error_memory(&own);
    if (status == LM_OK)
        *out = made;
    else if (error)
        *error = own;
    lm_str_free(&b.text);
    lm_gexpr_pool_free(&b.pool);
    return status;
}
