/* SPDX-License-Identifier: MIT
 * One row per syntax: the fixed text around name and arguments. Free text before a call is not part of any grammar here: the
 * grammar sleeps until a call begins. Families whose arguments are neither JSON nor tags around text have no row: their calls
 * are parsed, but not constrained. */
#include "tool_grammar.h"

#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../grammar/grammar_compile.h"
#include "../grammar/json_schema.h"
#include "output_xml.h"

#define BAR "\xEF\xBD\x9C"
#define GAP "\xE2\x96\x81"

typedef struct syntax {
    const char *family;
    const char *mark, *no_mark; /* the template must have this text, and must not have that one; NULL: whatever */
    const char *wakes;          /* a pattern; the grammar begins at its group, else at its match */
    const char *open;           /* once */
    const char *name, *arguments, *end; /* before the name, between it and the arguments, behind them */
    const char *between, *close;
    bool tags; /* each argument in a tag of its own, texts as they are */
} syntax;

/* In the text between name and arguments, \1 stands for a call's number and \2 for nine letters or digits. */
static const syntax syntaxes[] = {
    {"qwen3", NULL, NULL, "<tool_call>", "", "<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>",
     "\n", "", false},
    {"qwen3-xml", NULL, NULL, "<tool_call>", "", "<tool_call>\n<function=", ">\n", "</function>\n</tool_call>", "\n",
     "", true},
    {"llama3", NULL, NULL, "^\\s*(\\{)", "", "{\"name\": \"", "\", \"parameters\": ", "}", NULL, "", false},
    {"mistral", "[CALL_ID]", NULL, "\\[TOOL_CALLS\\]", "", "[TOOL_CALLS]", "[CALL_ID]\2[ARGS]", "", "", "", false},
    {"mistral", "[ARGS]", NULL, "\\[TOOL_CALLS\\]", "", "[TOOL_CALLS]", "[ARGS]", "", "", "", false},
    {"mistral", NULL, NULL, "\\[TOOL_CALLS\\]", "[TOOL_CALLS][", "{\"name\": \"",
     "\", \"arguments\": ", ", \"id\": \"\2\"}", ", ", "]", false},
    {"granite", NULL, NULL, "<\\|tool_call\\|>", "<|tool_call|>[", "{\"name\": \"", "\", \"arguments\": ", "}", ", ",
     "]", false},
    {"kimi-k2", NULL, NULL, "<\\|tool_calls_section_begin\\|>", "<|tool_calls_section_begin|>",
     "<|tool_call_begin|>functions.", ":\1<|tool_call_argument_begin|>", "<|tool_call_end|>", "",
     "<|tool_calls_section_end|>", false},
    {"deepseek", "```json", NULL, "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
     "<" BAR "tool" GAP "call" GAP "begin" BAR ">function<" BAR "tool" GAP "sep" BAR ">", "\n```json\n",
     "\n```<" BAR "tool" GAP "call" GAP "end" BAR ">", "\n", "<" BAR "tool" GAP "calls" GAP "end" BAR ">", false},
    {"deepseek", NULL, "DSML", "<" BAR "tool" GAP "calls" GAP "begin" BAR ">",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR ">", "<" BAR "tool" GAP "call" GAP "begin" BAR ">",
     "<" BAR "tool" GAP "sep" BAR ">", "<" BAR "tool" GAP "call" GAP "end" BAR ">", "",
     "<" BAR "tool" GAP "calls" GAP "end" BAR ">", false},
    {"harmony", NULL, NULL, "<\\|channel\\|>commentary to=functions\\.", "", "<|channel|>commentary to=functions.",
     " <|constrain|>json<|message|>", "", NULL, "", false},
    {"functionary", NULL, NULL, "<function=", "", "<function=", ">", "</function>", "\n", "", false},
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

#define TAG_END "\n</parameter>"

static lm_gexpr through(builder *b, const char *close);

/* The value of a parameter up to its tag's end: one of some texts, any text, or JSON. */
static lm_status add_value(builder *b, const lm_json *schema, lm_gexpr *out) {
    static const lm_json anything = {.type = LM_JSON_BOOL, .boolean = true};
    const lm_json *choices = lm_json_get(schema, "enum");
    bool texts = lm_json_is(choices, LM_JSON_ARRAY) && choices->count > 0;
    for (size_t i = 0; texts && i < choices->count; i++) texts = choices->items[i].type == LM_JSON_STRING;
    if (texts) {
        lm_gexpr any = LM_GEXPR_NEVER;
        for (size_t i = 0; i < choices->count; i++)
            any =
                lm_gexpr_alt2(&b->pool, any, lm_gexpr_text(&b->pool, choices->items[i].text, choices->items[i].count));
        *out = lm_gexpr_seq2(&b->pool, any, word(b, TAG_END));
        return LM_OK;
    }
    if (lm_output_wants_text(schema)) {
        *out = through(b, TAG_END);
        return LM_OK;
    }
    lm_gexpr value = LM_GEXPR_EMPTY;
    lm_status status = compile_schema(b, schema, &value);
    if (status == LM_ERR_UNSUPPORTED || status == LM_ERR_FORMAT) {
        lm_log_write(b->env, LM_LOG_LEVEL_WARNING, "chat: an argument of a tool is not constrained: %s",
                     b->error->message);
        status = compile_schema(b, &anything, &value);
    }
    *out = lm_gexpr_seq2(&b->pool, value, word(b, TAG_END));
    return status;
}

static bool is_required(const lm_json *parameters, const lm_json_member *member) {
    const lm_json *names = lm_json_get(parameters, "required");
    for (size_t i = 0; lm_json_is(names, LM_JSON_ARRAY) && i < names->count; i++)
        if (names->items[i].type == LM_JSON_STRING && names->items[i].count == member->name_size &&
            memcmp(names->items[i].text, member->name, member->name_size) == 0)
            return true;
    return false;
}

/* The declared parameters in their order, each in its tag; undeclared tools take any tags. */
static lm_status add_tags(builder *b, const lm_json *parameters, lm_gexpr *out) {
    static const lm_code_range name_ends[] = {{'\n', '\n'}, {'>', '>'}};
    const lm_json *properties = lm_json_get(parameters, "properties");
    lm_status status = LM_OK;
    if (!parameters) {
        lm_gexpr name =
            lm_gexpr_repeat(&b->pool, lm_gexpr_class(&b->pool, name_ends, 2, true), 1, LM_GRAMMAR_UNBOUNDED);
        lm_gexpr parts[5] = {word(b, "<parameter="), name, word(b, ">\n"), through(b, TAG_END), word(b, "\n")};
        *out = lm_gexpr_repeat(&b->pool, lm_gexpr_seq(&b->pool, parts, 5), 0, LM_GRAMMAR_UNBOUNDED);
        return LM_OK;
    }
    *out = LM_GEXPR_EMPTY;
    for (size_t i = 0; status == LM_OK && lm_json_is(properties, LM_JSON_OBJECT) && i < properties->count; i++) {
        const lm_json_member *member = &properties->members[i];
        lm_gexpr parts[5] = {word(b, "<parameter="), lm_gexpr_text(&b->pool, member->name, member->name_size),
                             word(b, ">\n"), LM_GEXPR_EMPTY, word(b, "\n")};
        status = add_value(b, &member->value, &parts[3]);
        lm_gexpr one = lm_gexpr_seq(&b->pool, parts, 5);
        *out = lm_gexpr_seq2(&b->pool, *out, is_required(parameters, member) ? one : lm_gexpr_optional(&b->pool, one));
    }
    return status;
}

static lm_status add_tool(builder *b, const syntax *s, const lm_json *tool, lm_gexpr *out) {
    const lm_json *function = lm_json_get(tool, "function");
    if (!function) function = tool;
    const lm_json *name = lm_json_get(function, "name");
    lm_gexpr arguments = LM_GEXPR_EMPTY;
    if (!lm_json_is(name, LM_JSON_STRING) || name->count == 0)
        return lm_error_set(b->error, LM_ERR_FORMAT, "tools: a tool has no name");
    const lm_json *parameters = lm_json_get(function, "parameters");
    lm_status status = s->tags ? add_tags(b, parameters, &arguments) : compile_schema(b, parameters, &arguments);
    if (!s->tags && (status == LM_ERR_UNSUPPORTED || status == LM_ERR_FORMAT)) {
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
