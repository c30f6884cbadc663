/* SPDX-License-Identifier: MIT
 * Grammars of turns: for each family that has one, a call it must accept, which the family's parser must understand, and
 * calls it must refuse; when it wakes; reasoning in front; every allocation failing. */
#include "counting.h"

#include "chat/tool_grammar.h"

#define BAR "\xEF\xBD\x9C"
#define GAP "\xE2\x96\x81"

static const char tools[] = "[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"parameters\":{\"type\":"
                            "\"object\",\"properties\":{\"a\":{\"type\":"
                            "\"integer\"},\"s\":{\"type\":\"string\"},\"k\":{\"enum\":[\"x\",\"yy\"]},"
                            "\"o\":{\"oneOf\":[{\"type\":\"integer\"},{\"const\":\"on\"}]}},\"required\":["
                            "\"a\"],\"additionalProperties\":false}}},"
                            "{\"type\":\"function\",\"function\":{\"name\":\"now\"}}]";

static const struct family_case {
    const char *family, *template, *good, *wrong_name, *wrong_arguments;
} cases[] = {
    {"qwen3", "<tool_call>", "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>",
     "<tool_call>\n{\"name\": \"sub", "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"b"},
    {"llama3", "<|python_tag|>", "{\"name\": \"add\", \"parameters\": {\"a\": 1}}", "{\"name\": \"x",
     "{\"name\": \"add\", \"parameters\": 1"},
    {"mistral", "[TOOL_CALLS]", "[TOOL_CALLS][{\"name\": \"add\", \"arguments\": {\"a\": 1}, \"id\": \"abcdEFG12\"}]",
     "[TOOL_CALLS][{\"name\": \"x", "[TOOL_CALLS][{\"name\": \"add\", \"arguments\": {\"a\": 1}, \"id\": \"abcdEFG1\""},
    {"mistral", "[TOOL_CALLS] [ARGS]", "[TOOL_CALLS]add[ARGS]{\"a\": 1}", "[TOOL_CALLS]x",
     "[TOOL_CALLS]add[ARGS]{\"a\": \""},
    {"mistral", "[TOOL_CALLS] [CALL_ID] [ARGS]", "[TOOL_CALLS]add[CALL_ID]abcdEFG12[ARGS]{\"a\": 1}",
     "[TOOL_CALLS]add[ARGS]", "[TOOL_CALLS]add[CALL_ID]abcdEFG12[ARGS]{\"a\": \""},
    {"granite", "<|tool_call|>", "<|tool_call|>[{\"name\": \"add\", \"arguments\": {\"a\": 1}}]",
     "<|tool_call|>[{\"name\": \"x", "<|tool_call|>[{\"name\": \"add\", \"arguments\": {}"},
    {"kimi-k2", "<|tool_calls_section_begin|><|tool_call_begin|>",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{\"a\": "
     "1}<|tool_call_end|>"
     "<|tool_calls_section_end|>",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.x",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>1"},
    {"deepseek", "tool" GAP "call" GAP "begin",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR "><" BAR "tool" GAP "call" GAP "begin" BAR ">add<" BAR "tool" GAP
     "sep" BAR ">{\"a\": 1}<" BAR "tool" GAP "call" GAP "end" BAR "><" BAR "tool" GAP "calls" GAP "end" BAR ">",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR "><" BAR "tool" GAP "call" GAP "begin" BAR ">x",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR "><" BAR "tool" GAP "call" GAP "begin" BAR ">add<" BAR "tool" GAP
     "sep" BAR ">1"},
    {"deepseek", "tool" GAP "call" GAP "begin ```json",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR "><" BAR "tool" GAP "call" GAP "begin" BAR ">function<" BAR "tool" GAP
     "sep" BAR ">add\n```json\n{\"a\": 1}\n```<" BAR "tool" GAP "call" GAP "end" BAR "><" BAR "tool" GAP "calls" GAP
     "end" BAR ">",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR "><" BAR "tool" GAP "call" GAP "begin" BAR ">add",
     "<" BAR "tool" GAP "calls" GAP "begin" BAR "><" BAR "tool" GAP "call" GAP "begin" BAR ">function<" BAR "tool" GAP
     "sep" BAR ">add\n```json\n1"},
    {"harmony", "<|channel|>", "<|channel|>commentary to=functions.add <|constrain|>json<|message|>{\"a\": 1}",
     "<|channel|>commentary to=functions.x", "<|channel|>commentary to=functions.add <|constrain|>json<|message|>1"},
    {"functionary", "<function=", "<function=add>{\"a\": 1}</function>", "<function=x", "<function=add>1"},
    {"qwen3-xml", "<tool_call><function=<parameter=",
     "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n<parameter=s>\nany <text>\n</para\n</parameter>\n"
     "<parameter=k>\nyy\n</parameter>\n</function>\n</tool_call>",
     "<tool_call>\n<function=x", "<tool_call>\n<function=add>\n<parameter=a>\n\"1"},
    {"gemma4", "<|tool_call>call:", "<|tool_call>call:add{a:1,k:<|\"|>yy<|\"|>,o:<|\"|>on<|\"|>}<tool_call|>",
     "<|tool_call>call:x", "<|tool_call>call:add{a:1,o:t"},
    {"lfm2", "<|tool_call_start|>", "<|tool_call_start|>[add(a=1, k=\"yy\", o=\"on\")]<|tool_call_end|>",
     "<|tool_call_start|>[x", "<|tool_call_start|>[add(a=1, o=\"y"},
};

typedef struct built {
    lm_arena arena;
    lm_env env;
    lm_chat *chat;
    lm_turn_grammar turn;
} built;

static lm_status build(built *b, const char *family, const char *template, lm_turn_rules rules, const char *schema) {
    const lm_json *json;
    b->chat = NULL;
    b->turn = (lm_turn_grammar){NULL, ""};
    lm_arena_init(&b->arena, &b->env, LM_ARENA_UNLIMITED);
    rules.family = family;
    lm_status status = lm_chat_open(&b->env, template, strlen(template), &b->chat, NULL);
    if (status == LM_OK && rules.tools == NULL)
        status = lm_json_parse(&b->arena, tools, sizeof tools - 1, 64, &rules.tools, NULL);
    if (status == LM_OK && schema) {
        status = lm_json_parse(&b->arena, schema, strlen(schema), 64, &json, NULL);
        rules.schema = status == LM_OK ? json : NULL;
    }
    return status == LM_OK ? lm_turn_grammar_build(&b->env, b->chat, &rules, &b->turn, NULL) : status;
}

static void unbuild(built *b) {
    lm_grammar_destroy(b->turn.grammar);
    if (b->chat) lm_chat_close(b->chat);
    lm_arena_free(&b->arena);
}

/* 2: a whole text, 1: the beginning of one, 0: neither. Through the pattern when there is one. */
static int match(const built *b, const char *text, size_t *waited) {
    lm_grammar_matcher_params params = LM_GRAMMAR_MATCHER_PARAMS_INIT;
    lm_grammar_trigger trigger = {LM_GRAMMAR_TRIGGER_KIND_PATTERN, 0, b->turn.pattern, strlen(b->turn.pattern)};
    lm_grammar_matcher *matcher;
    lm_status status = LM_OK;
    params.triggers = &trigger;
    params.n_triggers = b->turn.pattern[0] ? 1 : 0;
    assert_int_equal(lm_grammar_matcher_create(b->turn.grammar, NULL, &params, &matcher, NULL), LM_OK);
    *waited = 0;
    for (; *text && status == LM_OK; text++) {
        *waited += (size_t)lm_grammar_matcher_is_waiting(matcher);
        status = lm_grammar_matcher_accept_bytes(matcher, text, 1, NULL);
    }
    int result = status != LM_OK ? 0 : lm_grammar_matcher_is_complete(matcher) ? 2 : 1;
    lm_grammar_matcher_destroy(matcher);
    return result;
}

static void check_parser(const built *b, const struct family_case *c) {
    lm_chat_parser_params params = LM_CHAT_PARSER_PARAMS_INIT;
    lm_chat_parser *parser;
    const char *json;
    size_t n;
    params.tools = tools;
    params.tools_size = sizeof tools - 1;
    assert_int_equal(lm_chat_parser_create(b->chat, c->family, &params, &parser, NULL), LM_OK);
    assert_int_equal(lm_chat_parser_feed(parser, c->good, strlen(c->good)), LM_OK);
    assert_int_equal(lm_chat_parser_finish(parser, 0), LM_OK);
    assert_int_equal(lm_chat_parser_result(parser, &json, &n), LM_OK);
    if (!strstr(json, "\"name\":\"add\"") || strstr(json, "incomplete")) print_message("%s: %s\n", c->family, json);
    assert_non_null(strstr(json, "\"name\":\"add\""));
    assert_null(strstr(json, "incomplete"));
    lm_chat_parser_destroy(parser);
}

static void families_write_what_they_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct family_case *c = &cases[i];
        size_t waited;
        built b;
        lm_env_init(&b.env, NULL, NULL);
        assert_int_equal(build(&b, c->family, c->template, (lm_turn_rules){.calls_required = true}, NULL), LM_OK);
        assert_string_equal(b.turn.pattern, "");
        if (match(&b, c->good, &waited) != 2) print_message("%s refuses %s\n", c->family, c->good);
        assert_int_equal(match(&b, c->good, &waited), 2);
        assert_int_equal(match(&b, c->wrong_name, &waited), 0);
        assert_int_equal(match(&b, c->wrong_arguments, &waited), 0);
        assert_int_equal(match(&b, "Some text", &waited), 0);
        check_parser(&b, c);
        unbuild(&b);
        /* In free text it sleeps until the call. */
        char text[1024];
        bool whole_reply = strcmp(c->family, "llama3") == 0;
        assert_int_equal(build(&b, c->family, c->template, (lm_turn_rules){0}, NULL), LM_OK);
        snprintf(text, sizeof text, "%s%s", whole_reply ? "  " : "Text, { and <tool. ", c->good);
        assert_int_equal(match(&b, text, &waited), 2);
        assert_true(waited >= (whole_reply ? 3u : 19u));
        assert_true(waited < strlen(text) - 10);
        snprintf(text, sizeof text, "%s%s", whole_reply ? "  " : "Text. ", c->wrong_arguments);
        assert_int_equal(match(&b, text, &waited), 0);
        assert_int_equal(match(&b, "Nothing but text.", &waited), 2);
        unbuild(&b);
    }
}

static void reasoning_comes_first(void **state) {
    static const char template[] = "<tool_call><think>";
    static const char call[] = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";
    char text[512];
    size_t waited;
    built b;
    (void)state;
    lm_env_init(&b.env, NULL, NULL);
    assert_int_equal(build(&b, "qwen3", template, (lm_turn_rules){.calls_required = true}, NULL), LM_OK);
    snprintf(text, sizeof text, "<think>\na <tool_call> </thin\n</think>\n\n%s", call);
    assert_int_equal(match(&b, text, &waited), 2);
    assert_int_equal(match(&b, "<think>a</think>b", &waited), 0);
    unbuild(&b);
    assert_int_equal(build(&b, "qwen3", template, (lm_turn_rules){.calls_required = true, .in_reasoning = true}, NULL),
                     LM_OK);
    snprintf(text, sizeof text, "hm <tool_call> hm\n</think>\n\n%s", call);
    assert_int_equal(match(&b, text, &waited), 2);
    assert_int_equal(match(&b, "hm</think>\nno", &waited), 0);
    unbuild(&b);
    assert_int_equal(build(&b, "qwen3", template, (lm_turn_rules){.in_reasoning = true}, NULL), LM_OK);
    snprintf(text, sizeof text, "hm <tool_call> hm\n</think>\n\ntext %s", call);
    assert_int_equal(match(&b, text, &waited), 2);
    unbuild(&b);
    assert_int_equal(build(&b, "qwen3", template, (lm_turn_rules){0}, "{\"enum\":[1,2]}"), LM_OK);
    assert_int_equal(match(&b, "<think>so</think>\n1", &waited), 2);
    assert_int_equal(match(&b, "2", &waited), 2);
    assert_int_equal(match(&b, "3", &waited), 0);
    assert_int_equal(match(&b, call, &waited), 2);
    unbuild(&b);
}

static void families_without_a_grammar(void **state) {
    built b;
    (void)state;
    lm_env_init(&b.env, NULL, NULL);
    assert_int_equal(build(&b, "plain", "{{ messages }}", (lm_turn_rules){.calls_required = true}, NULL),
                     LM_ERR_UNSUPPORTED);
    unbuild(&b);
    assert_int_equal(build(&b, "plain", "{{ messages }}", (lm_turn_rules){0}, NULL), LM_OK);
    assert_null(b.turn.grammar);
    unbuild(&b);
}

static void memory_failures_leave_nothing(void **state) {
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        built b;
        b.env = test_memory_env(&memory);
        lm_status status = build(&b, "qwen3-xml", "<tool_call><function=<parameter=<think>",
                                 (lm_turn_rules){.calls_required = true}, NULL);
        unbuild(&b);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) {
            assert_int_equal(status, LM_OK);
            break;
        }
        assert_int_equal(status, LM_ERR_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_write_what_they_read),
        cmocka_unit_test(reasoning_comes_first),
        cmocka_unit_test(families_without_a_grammar),
        cmocka_unit_test(memory_failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
