/* SPDX-License-Identifier: MIT
 * What the grammars of calls let through, the parsers read back: random walks through the turn grammar of every family, by its
 * name and as implied by each vendor's template, give complete calls of declared tools with arguments that are instances of
 * their schemas, the same for the whole text, every split into two, and single bytes. And what a template renders for a call
 * that was made is read back as that call. */
#include <stdbool.h>

#include "check.h"

#include "base/json.h"
#include "base/json_write.h"
#include "chat/tool_grammar.h"
#include "grammar/matcher.h"

static const char search_schema[] = "{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\"},\"count\":{"
                                    "\"type\":\"integer\",\"minimum\":1,"
                                    "\"maximum\":50},\"exact\":{\"type\":\"boolean\"},\"order\":{\"enum\":[\"new\","
                                    "\"old\"]},\"tags\":{\"type\":\"array\","
                                    "\"items\":{\"type\":\"string\"},\"maxItems\":3},\"range\":{\"type\":\"object\","
                                    "\"properties\":{\"from\":{\"type\":\"number\"},"
                                    "\"to\":{\"type\":\"number\"}},\"required\":[\"from\"],\"additionalProperties\":"
                                    "false}},\"required\":[\"query\",\"count\"],"
                                    "\"additionalProperties\":false}";
static const char nothing_schema[] = "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}";
static char tools[2048];

static uint64_t random_state = 88172645463325252u;
static uint32_t random_below(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

static int32_t get_byte(void *user, lm_token token, const char **bytes, size_t *n) {
    static char byte;
    (void)user;
    byte = (char)token;
    *bytes = &byte;
    *n = 1;
    return token ? LM_GRAMMAR_TOKEN_KIND_TEXT : LM_GRAMMAR_TOKEN_KIND_END;
}

static size_t walk(lm_grammar *grammar, lm_grammar_vocab *vocab, char *out, size_t limit) {
    lm_grammar_matcher *matcher;
    size_t n = 0;
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, NULL), LM_OK);
    for (size_t left = limit; left > 0; left--) {
        uint32_t mask[8], seen = 0, chosen = 0;
        assert_int_equal(lm_grammar_matcher_mask(matcher, mask, 8), LM_OK);
        for (uint32_t token = 0; token < 256; token++) {
            /* Mostly what people write; now and then anything, the end only when nothing else goes or by chance. */
            uint32_t weight = token == 0 ? 1 : token == '"' || token == '<' ? 6 : token < 32 || token > 126 ? 1 : 4;
            if (!(mask[token / 32] >> token % 32 & 1)) continue;
            seen += weight;
            if (random_below(seen) < weight) chosen = token;
        }
        assert_true(seen > 0);
        chosen = lm_matcher_keep_limit(matcher, chosen, left);
        if (chosen == 0) break;
        assert_int_equal(lm_grammar_matcher_accept_token(matcher, (lm_token)chosen), LM_OK);
        out[n++] = (char)chosen;
    }
    assert_true(lm_grammar_matcher_is_complete(matcher));
    lm_grammar_matcher_destroy(matcher);
    return n;
}

/* The parser's result for a text cut at a place; SIZE_MAX: into single bytes. */
static char *parse(const lm_chat *chat, const char *family, const char *text, size_t n, size_t cut) {
    lm_chat_parser_params params = LM_CHAT_PARSER_PARAMS_INIT;
    lm_chat_parser *parser;
    const char *json;
    size_t size;
    params.tools = tools;
    params.tools_size = strlen(tools);
    assert_int_equal(lm_chat_parser_create(chat, family, &params, &parser, NULL), LM_OK);
    for (size_t at = 0; at < n;) {
        size_t piece = cut == SIZE_MAX ? 1 : at < cut ? (cut < n ? cut : n) - at : n - at;
        assert_int_equal(lm_chat_parser_feed(parser, text + at, piece), LM_OK);
        at += piece;
    }
    assert_int_equal(lm_chat_parser_finish(parser, 0), LM_OK);
    assert_int_equal(lm_chat_parser_result(parser, &json, &size), LM_OK);
    char *copy = malloc(size + 1);
    memcpy(copy, json, size + 1);
    lm_chat_parser_destroy(parser);
    return copy;
}

/* Calls that are whole, of declared tools, with arguments of their schemas. */
static bool is_good(const char *json, lm_grammar *search, lm_grammar *nothing, size_t *n_calls) {
    lm_env env;
    lm_arena arena;
    const lm_json *result;
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&arena, json, strlen(json), 64, &result, NULL), LM_OK);
    const lm_json *calls = lm_json_get(result, "tool_calls");
    bool good = calls->count > 0;
    for (size_t i = 0; i < calls->count; i++) {
        const lm_json *arguments = lm_json_get(&calls->items[i], "arguments");
        bool is_search = lm_json_is_text(lm_json_get(&calls->items[i], "name"), "search");
        lm_grammar_matcher *matcher;
        assert_int_equal(lm_grammar_matcher_create(is_search ? search : nothing, NULL, NULL, &matcher, NULL), LM_OK);
        good = good && !lm_json_get(&calls->items[i], "incomplete") &&
               (is_search || lm_json_is_text(lm_json_get(&calls->items[i], "name"), "nothing")) &&
               lm_grammar_matcher_accept_bytes(matcher, arguments->text, arguments->count, NULL) == LM_OK &&
               lm_grammar_matcher_is_complete(matcher);
        lm_grammar_matcher_destroy(matcher);
    }
    *n_calls = calls->count;
    lm_arena_free(&arena);
    return good;
}

typedef struct schemas {
    lm_grammar *search, *nothing;
    lm_grammar_vocab *vocab;
    lm_arena arena;
    const lm_json *tools;
} schemas;

static void open_schemas(schemas *s, const lm_env *env) {
    lm_grammar_vocab_params params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    snprintf(tools, sizeof tools,
             "[{\"type\":\"function\",\"function\":{\"name\":\"search\",\"description\":\"Find\",\"parameters\":%s}},"
             "{\"type\":\"function\",\"function\":{\"name\":\"nothing\",\"description\":\"Idle\",\"parameters\":%s}}]",
             search_schema, nothing_schema);
    assert_int_equal(lm_grammar_from_json_schema(search_schema, sizeof search_schema - 1, NULL, &s->search, NULL),
                     LM_OK);
    assert_int_equal(lm_grammar_from_json_schema(nothing_schema, sizeof nothing_schema - 1, NULL, &s->nothing, NULL),
                     LM_OK);
    params.n_tokens = 256;
    params.get = get_byte;
    assert_int_equal(lm_grammar_vocab_create(&params, &s->vocab, NULL), LM_OK);
    lm_arena_init(&s->arena, env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&s->arena, tools, strlen(tools), 64, &s->tools, NULL), LM_OK);
}

static void close_schemas(schemas *s) {
    lm_grammar_destroy(s->search);
    lm_grammar_destroy(s->nothing);
    lm_grammar_vocab_destroy(s->vocab);
    lm_arena_free(&s->arena);
}

/* Walks through the turn grammar of a chat; family NULL: its own. Gives the number of calls made. */
static size_t check_family(const lm_env *env, const schemas *s, const lm_chat *chat, const char *family,
                           const char *name, int n_walks) {
    lm_turn_rules rules = {.tools = s->tools, .calls_required = true};
    lm_turn_grammar turn;
    lm_error error;
    static char text[1024];
    int wrong = 0;
    size_t n_calls = 0, total = 0;
    rules.family = family ? family : lm_chat_family(chat);
    lm_status status = lm_turn_grammar_build(env, chat, &rules, &turn, &error);
    if (status != LM_OK) print_message("%s: %s\n", name, error.message);
    assert_int_equal(status, LM_OK);
    for (int i = 0; i < n_walks; i++) {
        size_t n = walk(turn.grammar, s->vocab, text, 200 + random_below(300));
        char *whole = parse(chat, family, text, n, n);
        if (!is_good(whole, s->search, s->nothing, &n_calls) && wrong++ < 3)
            print_message("%s: %.*s\n  gives %s\n", name, (int)n, text, whole);
        total += n_calls;
        for (size_t cut = 0; cut < n; cut += 1 + random_below(4)) {
            char *split = parse(chat, family, text, n, cut == 0 ? SIZE_MAX : cut);
            if (strcmp(whole, split) != 0 && wrong++ < 3)
                print_message("%s: %.*s\n  cut at %zu gives %s\n  not %s\n", name, (int)n, text, cut, split, whole);
            free(split);
        }
        free(whole);
    }
    assert_int_equal(wrong, 0);
    assert_true(total >= (size_t)n_walks);
    lm_grammar_destroy(turn.grammar);
    return total;
}

static void named_families(void **state) {
    /* Where a family writes in several ways, the marks of the template tell them apart. */
    static const char *const families[][2] = {{"qwen3", ""},
                                              {"generic", ""},
                                              {"qwen3-xml", ""},
                                              {"seed-oss", ""},
                                              {"minimax-m2", ""},
                                              {"minimax-m3", ""},
                                              {"minicpm5", ""},
                                              {"glm", "</arg_key>\n"},
                                              {"glm", ""},
                                              {"llama3", ""},
                                              {"mistral", "[CALL_ID]"},
                                              {"mistral", "[ARGS]"},
                                              {"mistral", ""},
                                              {"granite", ""},
                                              {"nemotron", ""},
                                              {"apertus", ""},
                                              {"cohere", ""},
                                              {"kimi-k2", ""},
                                              {"deepseek", "dsml_token function_calls"},
                                              {"deepseek", "dsml_token"},
                                              {"deepseek", "```json"},
                                              {"deepseek", ""},
                                              {"gemma4", ""},
                                              {"lfm2", ""},
                                              {"harmony", ""},
                                              {"functionary", ""},
                                              {"functionary-3.2", ""}};
    lm_env env;
    schemas s;
    (void)state;
    lm_env_init(&env, NULL, NULL);
    open_schemas(&s, &env);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        lm_chat *chat;
        char template[128];
        int n = snprintf(template, sizeof template, "{# %s #}x", families[i][1]);
        assert_int_equal(lm_chat_open(&env, template, (size_t)n, &chat, NULL), LM_OK);
        check_family(&env, &s, chat, families[i][0], families[i][0], 12);
        lm_chat_close(chat);
    }
    close_schemas(&s);
}

static const char *const templates[] = {"Apertus-8B-Instruct",
                                        "Apriel-1.6-15b-Thinker-fixed",
                                        "Bielik-11B-v3.0-Instruct",
                                        "ByteDance-Seed-OSS",
                                        "Cohere2MoE",
                                        "CohereForAI-c4ai-command-r7b-12-2024-tool_use",
                                        "GLM-4.6",
                                        "GLM-4.7-Flash",
                                        "GLM-5.2",
                                        "GigaChat3-10B-A1.8B",
                                        "GigaChat3.1-10B-A1.8B",
                                        "Kimi-K2-Instruct",
                                        "Kimi-K2-Thinking",
                                        "LFM2.5-8B-A1B",
                                        "Qwen-QwQ-32B",
                                        "Qwen-Qwen2.5-7B-Instruct",
                                        "Qwen-Qwen3-0.6B",
                                        "Qwen3-Coder",
                                        "Qwen3.5-4B",
                                        "Reka-Edge",
                                        "StepFun3.5-Flash",
                                        "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
                                        "deepseek-ai-DeepSeek-V3.1",
                                        "deepseek-ai-DeepSeek-V3.2",
                                        "deepseek-ai-DeepSeek-V4",
                                        "google-gemma-4-31B-it",
                                        "ibm-granite-granite-4.0",
                                        "tencent-Hy3",
                                        "unsloth-Apriel-1.5",
                                        "unsloth-mistral-Devstral-Small-2507",
                                        "upstage-Solar-Open-100B",
                                        NULL};

static char *render(lm_chat *chat, const char *rest, size_t *n) {
    static const lm_chat_render_params now = {sizeof now, 2026, 1, 2, 3, 4, 5, LM_CHAT_RENDER_ADAPT};
    char *inputs = malloc(8192);
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_error error;
    snprintf(
        inputs, 8192,
        "{\"bos_token\":\"\",\"eos_token\":\"\",\"tools\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"Q\"}%s]}",
        tools, rest);
    lm_status status = lm_chat_run(chat, inputs, strlen(inputs), &now, &prompt, &error);
    free(inputs);
    if (status != LM_OK) print_message("%s\n", error.message);
    assert_int_equal(status, LM_OK);
    char *text = malloc(prompt.text_size + 1);
    memcpy(text, prompt.text, prompt.text_size + 1);
    *n = prompt.text_size;
    return text;
}

/* What a call that was made adds to the rendered question. */
static char *render_call(lm_chat *chat, const char *arguments, size_t *n) {
    char message[1024];
    size_t n_base, same = 0;
    snprintf(message, sizeof message,
             ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"type\":\"function\",\"id\":\"call12345\","
             "\"function\":{"
             "\"name\":\"search\",\"arguments\":%s}}]}",
             arguments);
    char *base = render(chat, "", &n_base), *text = render(chat, message, n);
    while (same < n_base && same < *n && base[same] == text[same]) same++;
    *n -= same;
    memmove(text, text + same, *n);
    free(base);
    return text;
}

/* A call as the template renders it is read back as that call. */
static void check_rendered(lm_chat *chat, const char *name) {
    static const char arguments[] =
        "{\"query\":\"a \\\"b\\\" <c> d\",\"count\":7,\"exact\":true,\"range\":{\"from\":0.5}}";
    size_t n;
    char *text = render_call(chat, arguments, &n), *json = parse(chat, NULL, text, n, n);
    /* Some templates sort the arguments. */
    bool good = strstr(json, "\"name\":\"search\"") && !strstr(json, "incomplete") &&
                strstr(json, "\\\"count\\\": 7") && strstr(json, "\\\"exact\\\": true") && strstr(json, "0.5") &&
                strstr(json, "<c> d\\\"");
    if (!good) print_message("%s (%s): %.*s\n  gives %s\n", name, lm_chat_family(chat), (int)n, text, json);
    assert_true(good);
    free(json);
    free(text);
}

#define BEFORE_CALLS                                                                                                   \
    "{{ tools | tojson }}{% for m in messages %}{% if m.role == 'user' %}<|user|>{{ m.content }}{% elif m.role == "    \
    "'tool' %}<|result|>"                                                                                              \
    "{{ m.content }}{% else %}<|assistant|>{% if m.reasoning_content %}<thought>{{ m.reasoning_content "               \
    "}}</thought>{% endif %}"                                                                                          \
    "{{ m.content or '' }}{% set calls = m.tool_calls or [] %}"
#define AFTER_CALLS "{% endif %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
#define EACH(call) "{% for c in calls %}{% set f = c.function %}" call "{% endfor %}"
#define AS_JSON "{\"name\": \"{{ f.name }}\", \"arguments\": {{ f.arguments | tojson }}}"

/* Templates of no family we know: the syntax of calls is derived from what they render, or there is none to derive. */
static void derived_families(void **state) {
    static const struct {
        const char *name, *calls, *family;
    } rows[] = {
        {"tagged objects", EACH("<invoke>" AS_JSON "</invoke>"), "derived"},
        {"arguments first",
         EACH("<invoke>{\"arguments\": {{ f.arguments | tojson }}, \"name\": \"{{ f.name }}\"}</invoke>\n"), "derived"},
        {"a section", "{% if calls %}<calls>" EACH("<one>" AS_JSON "</one>") "</calls>{% endif %}", "derived"},
        {"a list", "{% if calls %}<calls>[" EACH("{% if not loop.first %}, {% endif %}" AS_JSON) "]</calls>{% endif %}",
         "derived"},
        {"names as keys",
         "{% if calls %}<calls>[" EACH("{% if not loop.first %}, {% endif %}{\"{{ f.name }}\": {{ f.arguments | tojson "
                                       "}}}") "]</calls>{% endif %}",
         "derived"},
        {"headed", EACH("<|use|>{{ f.name }}<|with|>{{ f.arguments | tojson }}<|done|>"), "derived"},
        {"headed, one call",
         "{% if calls | length > 1 %}{{ raise_exception('one call') }}{% endif %}" EACH(
             "<|use|>{{ f.name }}<|with|>{{ f.arguments | tojson }}<|done|>"),
         "derived"},
        {"headed, with ids", EACH("<|use|>{{ f.name }}<|id|>{{ c.id }}<|with|>{{ f.arguments | tojson }}<|done|>"),
         "derived"},
        {"headed, ids first", EACH("<|use|>{{ c.id }}<|name|>{{ f.name }}<|with|>{{ f.arguments | tojson }}<|done|>"),
         "derived"},
        {"a tag for each argument",
         EACH("<use>{{ f.name }}\n{% for k, v in f.arguments.items() %}<key>{{ k }}</key><val>{{ v if v is string else "
              "v | tojson }}</val>\n"
              "{% endfor %}</use>\n"),
         "derived"},
        {"nothing marks a call", EACH("{{ f.name }} {{ f.arguments | tojson }}"), "generic"},
        {"calls are not shown", "", "generic"},
    };
    lm_env env;
    schemas s;
    (void)state;
    lm_env_init(&env, NULL, NULL);
    open_schemas(&s, &env);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char source[4096];
        lm_chat *chat;
        int n = snprintf(source, sizeof source, "%s%s%s", BEFORE_CALLS, rows[i].calls, AFTER_CALLS);
        assert_in_range(n, 1, sizeof source - 1);
        assert_int_equal(lm_chat_open(&env, source, (size_t)n, &chat, NULL), LM_OK);
        if (strcmp(lm_chat_family(chat), rows[i].family)) fail_msg("%s: %s", rows[i].name, lm_chat_family(chat));
        size_t n_calls = check_family(&env, &s, chat, NULL, rows[i].name, 6);
        if (strstr(rows[i].calls, "one call")) assert_int_equal(n_calls, 6); /* one in each walk */
        if (strcmp(rows[i].family, "derived") == 0) check_rendered(chat, rows[i].name);
        lm_chat_close(chat);
    }
    close_schemas(&s);
}

static void vendors_templates(void **state) {
    lm_env env;
    schemas s;
    (void)state;
    lm_env_init(&env, NULL, NULL);
    open_schemas(&s, &env);
    for (size_t i = 0; templates[i]; i++) {
        char name[256];
        size_t n = 0;
        lm_chat *chat;
        snprintf(name, sizeof name, "data/templates/%s.jinja", templates[i]);
        char *source = test_read_shared(name, &n);
        assert_int_equal(lm_chat_open(&env, source, n, &chat, NULL), LM_OK);
        check_family(&env, &s, chat, NULL, templates[i], 4);
        check_rendered(chat, templates[i]);
        lm_chat_close(chat);
        free(source);
    }
    close_schemas(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(named_families), cmocka_unit_test(derived_families),
                                       cmocka_unit_test(vendors_templates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
