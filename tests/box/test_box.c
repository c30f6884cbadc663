/* SPDX-License-Identifier: MIT
 * The built-in model doing what tests of random weights cannot show: answers, calls of tools and results, answers under a
 * schema, turns that evaluate only what is new, and drafts of a smaller model that are accepted. */
#include "check.h"

#include <lm/box.h>
#include <lm/lm.h>

typedef struct fixture {
    lm_model *model;
    lm_context *context;
    lm_chat_session *session;
    lm_chat_report report;
    char message[4096]; /* of the last answer, as JSON */
} fixture;

static void open_fixture(fixture *f) {
    lm_error error;
    memset(f, 0, sizeof *f);
    assert_int_equal(lm_model_open_builtin(NULL, &f->model, &error), LM_OK);
    assert_int_equal(lm_context_open(f->model, NULL, &f->context, &error), LM_OK);
    assert_int_equal(lm_chat_session_create(f->model, f->context, NULL, &f->session, &error), LM_OK);
}

static void close_fixture(fixture *f) {
    lm_chat_session_destroy(f->session);
    lm_context_close(f->context);
    lm_model_close(f->model);
}

static const char *answer(fixture *f, const char *messages, const char *tools, const char *schema) {
    lm_chat_request request = LM_CHAT_REQUEST_INIT;
    request.messages = messages;
    request.messages_size = strlen(messages);
    request.tools = tools;
    request.tools_size = tools ? strlen(tools) : 0;
    request.schema = schema;
    request.schema_size = schema ? strlen(schema) : 0;
    request.max_tokens = 200;
    f->report = (lm_chat_report)LM_CHAT_REPORT_INIT;
    assert_int_equal(lm_chat_session_run(f->session, &request, &f->report), LM_OK);
    assert_true(f->report.message_size < sizeof f->message);
    memcpy(f->message, f->report.message, f->report.message_size);
    f->message[f->report.message_size] = '\0';
    return f->message;
}

#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"

static void assert_says(const char *message, const char *text) {
    if (!strstr(message, text)) fail_msg("%s does not say %s", message, text);
}

static void it_answers(void **state) {
    static const struct {
        const char *messages, *text;
    } cases[] = {
        {"[" USER("Hello!") "]", "\"content\":\"Hello! How can I help you?\""},
        {"[" USER("What is the capital of France?") "]", "The capital of France is Paris."},
        {"[" USER("What is 17 + 25?") "]", "17 + 25 = 42."},
        {"[" USER("Sort these words: tree, apple, moon.") "]", "apple, moon, tree."},
        {"[" USER("Who won the cup in 1986?") "]", "Sorry, I do not know that."},
        {"[" USER("hi") "]", "\"content\":\"Hello! How can I help you?\""},
        {"[" USER("12+30") "]", "12 + 30 = 42."},
        {"[" USER("what is 8*7?") "]", "8 * 7 = 56."},
        {"[" USER("whats the capital of japan") "]", "The capital of Japan is Tokyo."},
        {"[" USER("Which animal says moo?") "]", "A cow moos."},
        {"[" USER("Sort these numbers please: 9, 3, 27, 1") "]", "1, 3, 9, 27."},
        {"[" USER("How many words are in this sentence: the cat sat on the mat") "]", ", 5 the, 6 mat: 6 words."},
        {"[" USER("translate good morning to French") "]", "Sorry, I do not know that."},
    };
    fixture f;
    (void)state;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_says(answer(&f, cases[i].messages, NULL, NULL), cases[i].text);
    close_fixture(&f);
}

static const char tools[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{\"type\":\"object\",\"properties\":"
    "{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}}},"
    "{\"type\":\"function\",\"function\":{\"name\":\"set_timer\",\"parameters\":{\"type\":\"object\",\"properties\":"
    "{\"minutes\":{\"type\":\"integer\"}},\"required\":[\"minutes\"]}}}]";

#define WEATHER USER("What is the weather in Greenford?")
#define RESULT "{\"role\":\"tool\",\"content\":\"{\\\"temperature\\\": 12, \\\"sky\\\": \\\"cloudy\\\"}\"}"

/* Calls come out parsed, their results go back in, and each turn evaluates only what the one before did not. */
static void it_calls_a_tool_and_uses_the_result(void **state) {
    fixture f;
    char history[8192];
    (void)state;
    open_fixture(&f);
    answer(&f, "[" WEATHER "]", tools, NULL);
    assert_int_equal(f.report.finish, LM_CHAT_FINISH_CALLS);
    assert_says(f.message, "get_weather");
    assert_says(f.message, "Greenford");
    assert_null(strstr(f.message, "set_timer"));
    int32_t n_before = f.report.n_prompt + f.report.n_generated;
    snprintf(history, sizeof history, "[" WEATHER ",%s," RESULT "]", f.message);
    answer(&f, history, tools, NULL);
    assert_int_equal(f.report.finish, LM_CHAT_FINISH_END);
    assert_says(f.message, "It is 12 degrees and cloudy in Greenford.");
    assert_int_equal(f.report.sync.n_reused, n_before - 1); /* the end token was chosen, not evaluated */
    assert_int_equal(f.report.sync.n_evaluated, f.report.n_prompt - f.report.sync.n_reused);
    history[strlen(history) - 1] = '\0';
    snprintf(history + strlen(history), sizeof history - strlen(history), ",%s," USER("Thank you!") "]", f.message);
    n_before = f.report.n_prompt + f.report.n_generated;
    assert_says(answer(&f, history, tools, NULL), "You are welcome!");
    assert_int_equal(f.report.sync.n_reused, n_before - 1);
    close_fixture(&f);
}

static void two_calls_are_two(void **state) {
    fixture f;
    (void)state;
    open_fixture(&f);
    answer(&f, "[" USER("What is the weather in Oslo and Rome?") "]", tools, NULL);
    const char *oslo = strstr(f.message, "Oslo"), *rome = strstr(f.message, "Rome");
    assert_true(f.report.finish == LM_CHAT_FINISH_CALLS && oslo && rome && oslo < rome);
    close_fixture(&f);
}

/* What the grammar forces is tokenised as the same text is elsewhere: a token that reaches beyond the forced bytes is not cut. */
static void forced_text_has_the_tokens_of_the_whole(void **state) {
    static const char converter[] =
        "[{\"type\":\"function\",\"function\":{\"name\":\"convert_units\",\"parameters\":{\"type\":\"object\","
        "\"properties\":"
        "{\"value\":{\"type\":\"number\"},\"from\":{\"type\":\"string\"},\"to\":{\"type\":\"string\"}},"
        "\"required\":[\"value\",\"from\",\"to\"]}}}]";
    static const char call[] = "<tool_call>\n{\"name\": \"convert_units\", \"arguments\": {\"value\": 684, \"from\": "
                               "\"kilograms\", \"to\": \"stones\"}}\n</tool_call><|im_end|>";
    lm_token tokens[128];
    fixture f;
    (void)state;
    open_fixture(&f);
    assert_says(answer(&f, "[" USER("Convert 684 kilograms to stones.") "]", converter, NULL),
                "{\\\"value\\\": 684, \\\"from\\\": \\\"kilograms\\\", \\\"to\\\": \\\"stones\\\"}");
    assert_true(f.report.n_forced > 0);
    assert_int_equal(f.report.n_generated,
                     lm_tokenize(f.model, call, sizeof call - 1, LM_TOKENIZE_PARSE_SPECIAL, tokens, 128));
    close_fixture(&f);
}

/* The schema asks for what the request does not: the answer has its form and still the sentence's content. */
static void a_schema_holds_and_the_content_stays(void **state) {
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"place\":{\"type\":\"string\"}},"
        "\"required\":[\"name\",\"place\"],\"additionalProperties\":false}";
    fixture f;
    (void)state;
    open_fixture(&f);
    answer(&f, "[" USER("Extract place and name as JSON: Clara Blackford lives in Newbury.") "]", NULL, schema);
    assert_says(f.message, "{\\\"name\\\": \\\"Clara Blackford\\\", \\\"place\\\": \\\"Newbury\\\"}");
    close_fixture(&f);
}

static void the_template_renders_to_these_bytes(void **state) {
    static const char inputs[] = "{\"messages\":[" USER(
        "Hi") ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{"
              "\"type\":\"function\",\"function\":{\"name\":\"set_timer\",\"arguments\":{\"minutes\":5}}}]},"
              "{\"role\":\"tool\",\"content\":\"ok\"}],\"tools\":[{\"type\":\"function\",\"function\":{"
              "\"name\":\"set_timer\",\"parameters\":{\"type\":\"object\",\"properties\":{\"minutes\":{"
              "\"type\":\"integer\"},\"label\":{\"type\":\"string\"}}}}}],\"add_generation_prompt\":true,"
              "\"enable_thinking\":true}";
    static const char expected[] =
        "<|im_start|>system\nTools:\nset_timer(minutes: integer, label)\n<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n<tool_call>\n{\"name\": \"set_timer\", \"arguments\": {\"minutes\": 5}}\n</tool_call>"
        "<|im_end|>\n<|im_start|>user\n<tool_response>\nok\n</"
        "tool_response><|im_end|>\n<|im_start|>assistant\n<think>\n";
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    fixture f;
    lm_chat *chat;
    (void)state;
    open_fixture(&f);
    assert_int_equal(lm_chat_from_model(f.model, NULL, &chat, NULL), LM_OK);
    assert_string_equal(lm_chat_family(chat), "qwen3");
    assert_int_equal(lm_chat_render(chat, inputs, sizeof inputs - 1, NULL, &prompt, NULL), LM_OK);
    assert_int_equal(prompt.text_size, sizeof expected - 1);
    assert_memory_equal(prompt.text, expected, sizeof expected - 1);
    lm_chat_destroy(chat);
    close_fixture(&f);
}

static lm_context *context_with(lm_model *model, const char *prompt, int32_t n_draft) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context;
    lm_token tokens[256];
    params.n_draft = n_draft;
    assert_int_equal(lm_context_open(model, &params, &context, NULL), LM_OK);
    int32_t n = lm_tokenize(model, prompt, strlen(prompt), LM_TOKENIZE_PARSE_SPECIAL, tokens, 256);
    assert_in_range(n, 1, 256);
    assert_int_equal(lm_context_sync(context, 0, tokens, (size_t)n, NULL), LM_OK);
    return context;
}

/* Plain decoding, then the same with drafts: equal tokens. The figures are added to *sum; the number of tokens comes back. */
static int64_t speculate_on(lm_model *model, lm_model *draft_model, const char *prompt, lm_speculator_stats *sum) {
    lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
    lm_speculator_stats stats = {.struct_size = sizeof stats};
    lm_speculator *speculator;
    lm_sampler *sampler;
    lm_token plain[256], tokens[8];
    size_t n_plain = 0, n, at = 0;
    lm_context *context = context_with(model, prompt, 0);
    assert_int_equal(lm_sampler_for_model(model, NULL, &sampler, NULL), LM_OK);
    while (n_plain < 200) {
        assert_int_equal(lm_sample(context, sampler, &plain[n_plain]), LM_OK);
        if (lm_token_is_end(model, plain[n_plain++])) break;
        assert_int_equal(lm_context_eval(context, &plain[n_plain - 1], 1), LM_OK);
    }
    lm_sampler_destroy(sampler);
    lm_context_close(context);
    assert_in_range(n_plain, 5, 199); /* it ends */

    context = context_with(model, prompt, 4);
    lm_context *draft = context_with(draft_model, prompt, 0);
    params.drafter = LM_DRAFTER_MODEL;
    params.draft = draft;
    params.always = 1;
    assert_int_equal(lm_speculator_create(context, &params, &speculator, NULL), LM_OK);
    assert_int_equal(lm_sampler_for_model(model, NULL, &sampler, NULL), LM_OK);
    while (at < n_plain) {
        assert_int_equal(lm_speculate(speculator, sampler, tokens, 8, &n), LM_OK);
        assert_true(n > 0 && at + n <= n_plain);
        assert_memory_equal(tokens, plain + at, n * sizeof *tokens);
        at += n;
    }
    assert_int_equal(lm_speculator_get_stats(speculator, &stats), LM_OK);
    sum->n_drafted += stats.n_drafted;
    sum->n_accepted += stats.n_accepted;
    sum->n_rounds += stats.n_rounds + stats.n_plain;
    lm_speculator_destroy(speculator);
    lm_sampler_destroy(sampler);
    lm_context_close(draft);
    lm_context_close(context);
    return (int64_t)n_plain;
}

#define ASK(text) "<|im_start|>user\n" text "<|im_end|>\n<|im_start|>assistant\n"

/* The draft is a fifth of the model, trained on the same texts: half of its proposals and more are accepted, and no token
 * changes. */
static void drafts_of_a_smaller_model_are_accepted(void **state) {
    static const char *const prompts[] = {ASK("What can you do?"), ASK("Tell me a story about a fox."),
                                          ASK("Spell garden."), ASK("What is the capital of France?"),
                                          ASK("What is liblm?")};
    lm_speculator_stats sum = {.struct_size = sizeof sum};
    lm_model *model, *draft_model;
    int64_t n_tokens = 0;
    (void)state;
    assert_int_equal(lm_model_open_builtin(NULL, &model, NULL), LM_OK);
    assert_int_equal(lm_model_open(LM_BOX_DRAFT, NULL, &draft_model, NULL), LM_OK);
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++)
        n_tokens += speculate_on(model, draft_model, prompts[i], &sum);
    print_message("%d of %d drafts accepted, %d evaluations for %d tokens\n", (int)sum.n_accepted, (int)sum.n_drafted,
                  (int)sum.n_rounds, (int)n_tokens);
    assert_true(sum.n_accepted * 2 > sum.n_drafted);
    assert_true(sum.n_rounds * 2 < n_tokens);
    lm_model_close(draft_model);
    lm_model_close(model);
}

static void it_is_a_model_like_others(void **state) {
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_model_info info = {.struct_size = sizeof info};
    lm_model *model, *second;
    lm_error error;
    (void)state;
    assert_int_equal(lm_model_open_builtin(NULL, NULL, &error), LM_ERR_ARGUMENT);
    params.vocab_only = 1;
    assert_int_equal(lm_model_open_builtin(&params, &model, NULL), LM_OK);
    assert_int_equal(lm_model_open_builtin(NULL, &second, NULL), LM_OK);
    lm_model_close(model);
    assert_int_equal(lm_model_get_info(second, &info), LM_OK);
    assert_string_equal(info.architecture, "qwen3");
    assert_in_range(info.n_params, 2000000, 8000000);
    assert_in_range(info.weights_bytes, 1, 6000000);
    lm_model_close(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_model_like_others),
        cmocka_unit_test(it_answers),
        cmocka_unit_test(it_calls_a_tool_and_uses_the_result),
        cmocka_unit_test(two_calls_are_two),
        cmocka_unit_test(forced_text_has_the_tokens_of_the_whole),
        cmocka_unit_test(a_schema_holds_and_the_content_stays),
        cmocka_unit_test(the_template_renders_to_these_bytes),
        cmocka_unit_test(drafts_of_a_smaller_model_are_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
