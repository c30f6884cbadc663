/* SPDX-License-Identifier: MIT
 * One row per syntax: the fixed text around name and arguments. Free text before a call is not part of any grammar here: the
 * grammar sleeps until a call begins. Families whose arguments are not JSON have no row: their calls are parsed, but not
 * constrained. */
#include "tool_grammar.h"

#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../grammar/grammar_compile.h"
#include "../grammar/json_schema.h"

#define BAR "\xEF\xBD\x9C"
#define GAP "\xE2\x96\x81"

typedef struct syntax {
    const char *family;
    const char *mark, *no_mark; /* the template must have this text, and must not have that one; NULL: whatever */
    const char *wakes;          /* a pattern; the grammar begins at its group, else at its match */
    const char *open;           /* once */
    const char *name, *arguments, *end; /* before the name, between it and the arguments, behind them */
    const char *between, *close;
} syntax;

/* In the text between name and arguments, \1 stands for a call's number and \2 for nine letters or digits. */
static const syntax syntaxes[] = {
    {"qwen3", NULL, NULL, "<tool_call>", "", "<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>",
     "\n", ""},
    {"llama3", NULL, NULL, "^\\s*(\\{)", "", "{\"name\": \"", "\", \"parameters\": ", "}", NULL, ""},
    {"mistral", "[CALL_ID]", NULL, "\\[TOOL_CALLS\\]", "", "[TOOL_CALLS]", "[CALL_ID]\2[ARGS]", "", "", ""},
    {"mistral", "[ARGS]", NULL, "\\[TOOL_CALLS\\]", "", "[TOOL_CALLS]", "[ARGS]", "", "", ""},
    {"mistral", NULL, NULL, "\\[TOOL_CALLS\\]", "[TOOL_CALLS][", "{\"name\": \"",
     "\", \"arguments\": ", ", \"id\": \"\2\"}", ", ", "]"},
    {"granite", NULL, NULL, "<\\|tool_call\\|>", "<|tool_call|>[", "{\"name\": \"", "\", \"arguments\": ", "}", ", ",
     "]"},
    {"kimi-k2", NULL, NULL, "<\\|tool_calls_section_begin\\|>", "<|tool_calls_section_begin|>",
     "<|tool_call_begin|>functions.", ":\1<|tool_call_argument_begin|>", "<|tool_call_end|>", "",
     "<|tool_calls_section_end|>"},
    {"deepseek", "```json", NULL, "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
     "<" BAR "tool" GAP "call" GAP "begin" BAR ">function<" BAR "tool" GAP "sep" BAR ">", "\n```json\n",
     "\n```<" BAR "tool" GAP "call" GAP "end" BAR ">", "\n", "<" BAR "tool" GAP "calls" GAP "end" BAR ">"},
    {"deepseek", NULL, "DSML", "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR ">", "<" BAR "tool" GAP "call" GAP "begin" BAR ">",
     "<" BAR "tool" GAP "sep" BAR ">", "<" BAR "tool" GAP "call" GAP "end" BAR ">", "",
     "<" BAR "tool" GAP "calls" GAP "end" BAR ">"},
    {"harmony", NULL, NULL, "<\\|channel\\|>commentary to=functions\\.", "", "<|channel|>commentary to=functions.",
     " <|constrain|>json<|message|>", "", NULL, ""},
    {"functionary", NULL, NULL, "<function=", "", "<function=", ">", "</function>", "\n", ""},
};

typedef struct builder {
    lm_gexpr_pool pool;
    lm_str text; /* scratch */
    const lm_env *env;
    lm_error *error;
} builder;

static lm_gexpr word(builder *b, const char *text) { return lm_gexpr_text(&b->pool, text, strlen(text)); }

/* Text with \1 and \2 in it. */
static lm_gexpr phrase(builder *b, const char *text) {
    static const lm_code_range digits[] = {{'0', '9'}};
    static const lm_code_range letters[] = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
    lm_gexpr all = LM_GEXPR_EMPTY;
    for (size_t n; *text; text += n) {
        n = strcspn(text, "\1\2");
        lm_gexpr one = lm_gexpr_text(&b->pool, text, n);
        if (n == 0) {
            one = *text == '\1' ? lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, digits, 1, false), 1, 4)
                                : lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, letters, 3, false), 9, 9);
            n = 1;
        }
        all = lm_gexpr_seq2(&b->pool, all, one);
    }
    return all;
}

static lm_status compile_schema(builder *b, const lm_json *schema, lm_gexpr *out) {
    uint32_t rule;
    lm_str_clear(&b->text);
    lm_status status =
        schema ? lm_json_print(&b->text, schema, NULL) : lm_str_append_text(&b->text, "{\"type\":\"object\"}");
    if (status != LM_OK) return lm_error_memory(b->error);
    status = lm_schema_compile(&b->pool, lm_str_text(&b->text), b->text.size, false, &rule, b->error);
    if (status == LM_OK) *out = lm_gexpr_rule(&b->pool, rule);
    return status;
}

static lm_status add_tool(builder *b, const syntax *s, const lm_json *tool, lm_gexpr *out) {
    const lm_json *function = lm_json_get(tool, "function");
    if (!function) function = tool;
    const lm_json *name = lm_json_get(function, "name");
    lm_gexpr arguments = LM_GEXPR_EMPTY;
    if (!lm_json_is(name, LM_JSON_STRING) || name->count == 0)
        return lm_error_set(b->error, LM_ERR_FORMAT, "tools: a tool has no name");
    lm_status status = compile_schema(b, lm_json_get(function, "parameters"), &arguments);
    if (status == LM_ERR_UNSUPPORTED || status == LM_ERR_FORMAT) {
        lm_log_write(b->env, LM_LOG_LEVEL_WARNING, "chat: the arguments of a tool are not constrained: %s",
                     b->error->message);
        status = compile_schema(b, NULL, &arguments);
    }
    if (status != LM_OK) return status;
    lm_gexpr parts[5] = {phrase(b, s->name), LM_GEXPR_EMPTY, phrase(b, s->arguments), arguments, phrase(b, s->end)};
    lm_str_clear(&b->text);
    if (s->name[strlen(s->name) - 1] != '"')
        parts[1] = lm_gexpr_text(&b->pool, name->text, name->count);
    else if (lm_json_print_string(&b->text, name->text, name->count, false) == LM_OK)
        parts[1] = lm_gexpr_text(&b->pool, lm_str_text(&b->text) + 1, b->text.size - 2);
    else
        return lm_error_memory(b->error);
    *out = lm_gexpr_seq(&b->pool, parts, 5);
    return LM_OK;
}

static lm_status add_calls(builder *b, const syntax *s, const lm_json *tools, lm_gexpr *out) {
    LM_ARRAY(lm_gexpr) items = {NULL, 0, 0};
    lm_status status = LM_OK;
    for (size_t i = 0; status == LM_OK && i < tools->count; i++) {
        lm_gexpr item = LM_GEXPR_NEVER;
        status = add_tool(b, s, &tools->items[i], &item);
        if (status == LM_OK && !lm_array_push(b->env, &items, item)) status = lm_error_memory(b->error);
    }
    if (status == LM_OK) {
        lm_gexpr call = lm_gexpr_alt(&b->pool, items.data, items.count), more = LM_GEXPR_EMPTY;
        if (s->between)
            more =
                lm_gexpr_repeat(&b->pool, lm_gexpr_seq2(&b->pool, word(b, s->between), call), 0, LM_GRAMMAR_UNBOUNDED);
        *out = lm_gexpr_seq2(&b->pool, word(b, s->open), lm_gexpr_seq3(&b->pool, call, more, word(b, s->close)));
    }
    lm_array_free(b->env, &items);
    return status;
}

static const syntax *find_syntax(const lm_chat *chat, const char *family) {
    for (size_t i = 0; i < sizeof syntaxes / sizeof *syntaxes; i++) {
        const syntax *s = &syntaxes[i];
        if (strcmp(s->family, family) == 0 && (!s->mark || lm_chat_mentions(chat, s->mark)) &&
            (!s->no_mark || !lm_chat_mentions(chat, s->no_mark)))
            return s;
    }
    return NULL;
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

/* Text in which close does not occur, and then close. */
static lm_gexpr through(builder *b, const char *close) {
    lm_gexpr any = lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, NULL, 0, true), 0, LM_GRAMMAR_UNBOUNDED);
    lm_gexpr holds = lm_gexpr_seq3(&b->pool, any, word(b, close), any);
    return lm_gexpr_seq2(&b->pool, lm_gexpr_except(&b->pool, any, holds), word(b, close));
}

/* The whole turn, or its part behind the reasoning, with the pattern that wakes it. */
static lm_gexpr add_reasoning(builder *b, const lm_chat *chat, const lm_turn_rules *rules, lm_gexpr turn,
                              lm_turn_grammar *out) {
    static const lm_code_range spaces[] = {{'\t', '\n'}, {'\r', '\r'}, {' ', ' '}};
    const char *open, *close;
    if (!lm_chat_family_reasons(chat, rules->family, &open, &close)) return turn;
    lm_gexpr gap = lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, spaces, 3, false), 0, 4);
    if (rules->in_reasoning) {
        escape(out->pattern, sizeof out->pattern, close);
        return lm_gexpr_seq3(&b->pool, word(b, close), gap, turn);
    }
    if (!lm_chat_mentions(chat, open)) return turn;
    lm_gexpr reasoning = lm_gexpr_seq3(&b->pool, word(b, open), through(b, close), gap);
    return lm_gexpr_seq2(&b->pool, lm_gexpr_optional(&b->pool, reasoning), turn);
}

static lm_status build(builder *b, const lm_chat *chat, const lm_turn_rules *rules, lm_turn_grammar *out) {
    bool has_tools = rules->tools && rules->tools->count > 0;
    const syntax *s = has_tools ? find_syntax(chat, rules->family) : NULL;
    lm_gexpr calls = LM_GEXPR_NEVER, answer = LM_GEXPR_NEVER, turn;
    lm_status status = LM_OK;
    if (has_tools && !s && rules->calls_required)
        return lm_error_set(b->error, LM_ERR_UNSUPPORTED, "chat: calls of the family %s cannot be required",
                            rules->family);
    if (!s && !rules->schema) return LM_OK;
    if (s) status = add_calls(b, s, rules->tools, &calls);
    if (status == LM_OK && rules->schema && !(rules->calls_required && s))
        status = compile_schema(b, rules->schema, &answer);
    if (status != LM_OK) return status;
    if (s && !rules->calls_required && !rules->schema) {
        const char *open, *close;
        size_t n = 0;
        turn = calls;
        if (rules->in_reasoning && lm_chat_family_reasons(chat, rules->family, &open, &close)) {
            /* Marks inside of the reasoning wake nothing. */
            n = escape(out->pattern, sizeof out->pattern - 128, close);
            n += lm_format(out->pattern + n, sizeof out->pattern - n, "%s", s->wakes[0] == '^' ? "\\s*" : "[\\s\\S]*?");
        }
        const char *wakes = n && s->wakes[0] == '^' ? s->wakes + 4 : s->wakes; /* behind ^\s* */
        bool grouped = wakes[0] == '^' || wakes[0] == '(';
        lm_format(out->pattern + n, sizeof out->pattern - n, grouped ? "%s" : "(%s)", wakes);
    } else {
        turn = add_reasoning(b, chat, rules, lm_gexpr_alt2(&b->pool, calls, answer), out);
    }
    uint32_t root = lm_gexpr_add_rule(&b->pool, "turn", 4);
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
