/* SPDX-License-Identifier: MIT
 * Chat sessions on a tiny random model: constrained answers always parse, a follow-up turn evaluates only what is new, stops,
 * limits, cancelling, and failures that leave the session usable. */
#include "check.h"

#include <lm/lm.h>

typedef struct fixture {
    lm_model *model;
    lm_context *context;
    lm_chat_session *session;
    char content[65536];
    size_t n;
    int n_deltas, stop_after;
} fixture;

static int32_t collect(void *user, const lm_chat_delta *delta) {
    fixture *f = user;
    if (delta->kind == LM_CHAT_DELTA_CONTENT && f->n + delta->text_size < sizeof f->content) {
        memcpy(f->content + f->n, delta->text, delta->text_size);
        f->n += delta->text_size;
    }
    return ++f->n_deltas == f->stop_after;
}

static void open_session(fixture *f, lm_model *model) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_error error;
    memset(f, 0, sizeof *f);
    f->model = model;
    params.n_ctx = 2048;
    assert_int_equal(lm_context_open(f->model, &params, &f->context, &error), LM_OK);
    assert_int_equal(lm_chat_session_create(f->model, f->context, NULL, &f->session, &error), LM_OK);
}

static void open_fixture(fixture *f) {
    lm_model *model;
    char path[1024];
    assert_true(test_path("LM_GOLDEN", "session/chat.gguf", path, sizeof path));
    assert_int_equal(lm_model_open(path, NULL, &model, NULL), LM_OK);
    open_session(f, model);
}

static void close_fixture(fixture *f) {
    lm_chat_session_destroy(f->session);
    lm_context_close(f->context);
    lm_model_close(f->model);
}

static lm_chat_request request_of(fixture *f, const char *messages, const lm_sampler_params *sampling) {
    lm_chat_request request = LM_CHAT_REQUEST_INIT;
    request.messages = messages;
    request.messages_size = strlen(messages);
    request.sampling = sampling;
    request.user = f;
    request.on_delta = collect;
    request.max_tokens = 60;
    f->n = 0;
    f->n_deltas = f->stop_after = 0;
    return request;
}

static lm_sampler_params hot(uint32_t seed) {
    lm_sampler_params p = LM_SAMPLER_PARAMS_INIT;
    p.temperature = 2;
    p.top_k = 0;
    p.top_p = 1;
    p.min_p = 0;
    p.seed = seed;
    return p;
}

#define USER "[{\"role\":\"user\",\"content\":\"What is it like out there, and why?\"}"

static void a_follow_up_turn_reuses_what_it_shares(void **state) {
    fixture f;
    (void)state;
    open_fixture(&f);
    for (uint32_t seed = 1; seed <= 20; seed++) {
        static char history[200000];
        lm_sampler_params p = hot(seed);
        lm_chat_report report = LM_CHAT_REPORT_INIT;
        lm_chat_request request = request_of(&f, USER "]", &p);
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
        assert_true(report.n_prompt > 20 && report.n_generated > 0);
        snprintf(history, sizeof history, USER ",%.*s,{\"role\":\"user\",\"content\":\"More <|im_end|>\"}]",
                 (int)report.message_size, report.message);
        /* Random bytes are rarely text and come back changed: then the first turn at least is reused. */
        request = request_of(&f, history, &p);
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
        assert_true(report.sync.n_reused >= 20);
        assert_int_equal(report.sync.n_reused + report.sync.n_evaluated, report.n_prompt);
    }
    close_fixture(&f);
}

/* Where the value of a key begins, behind its name and its type. */
static char *find_value(char *bytes, size_t n, const char *key) {
    size_t n_key = strlen(key);
    for (size_t at = 0; at + n_key + 8 <= n; at++)
        if (memcmp(bytes + at, key, n_key) == 0) return bytes + at + n_key + 4;
    fail_msg("no key %s", key);
    return NULL;
}

/* A vocabulary that wants a token before its texts gets it before the conversation, not before every turn. */
static void a_conversation_begins_once(void **state) {
    enum { BOS = 3 }; /* a token that no template writes */
    fixture f;
    lm_model *model;
    char path[1024], history[2][4096] = {USER "]"};
    size_t n = 0;
    (void)state;
    assert_true(test_path("LM_GOLDEN", "session/chat.gguf", path, sizeof path));
    char *bytes = test_read(path, &n);
    assert_non_null(bytes);
    *find_value(bytes, n, "tokenizer.ggml.add_bos_token") = 1;
    *find_value(bytes, n, "tokenizer.ggml.bos_token_id") = BOS;
    assert_int_equal(lm_model_open_memory(bytes, n, NULL, &model, NULL), LM_OK);
    open_session(&f, model);
    for (int turn = 0; turn < 3; turn++) {
        lm_chat_report report = LM_CHAT_REPORT_INIT;
        lm_chat_request request = request_of(&f, history[turn % 2], NULL);
        request.gbnf = "root ::= \"fine\"";
        request.gbnf_size = strlen(request.gbnf);
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
        const lm_token *tokens = lm_seq_tokens(f.context, 0);
        assert_int_equal(tokens[0], BOS);
        for (int32_t i = 1; i < lm_seq_length(f.context, 0); i++) assert_int_not_equal(tokens[i], BOS);
        if (turn > 0) assert_true(report.sync.n_reused > 20);
        snprintf(history[(turn + 1) % 2], sizeof *history, "%.*s,%.*s,{\"role\":\"user\",\"content\":\"x\"}]",
                 (int)request.messages_size - 1, request.messages, (int)report.message_size, report.message);
    }
    close_fixture(&f);
    free(bytes);
}

/* With an answer whose bytes are text the turn is reused to its last token. */
static void a_constrained_answer_is_reused_whole(void **state) {
    fixture f;
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"city\":{\"enum\":[\"Oslo\",\"Rome\"]},\"days\":{\"type\":"
        "\"integer\",\"minimum\":1,\"maximum\":14}},\"required\":[\"city\",\"days\"]}";
    (void)state;
    open_fixture(&f);
    lm_grammar *grammar;
    assert_int_equal(lm_grammar_from_json_schema(schema, sizeof schema - 1, NULL, &grammar, NULL), LM_OK);
    for (uint32_t seed = 1; seed <= 100; seed++) {
        char history[8192];
        lm_sampler_params p = hot(seed);
        lm_chat_report report = LM_CHAT_REPORT_INIT;
        lm_grammar_matcher *matcher;
        lm_chat_request request = request_of(&f, USER "]", &p);
        request.schema = schema;
        request.schema_size = sizeof schema - 1;
        request.max_tokens = 40 + (int32_t)seed; /* enough for any of them, and the answer keeps to it */
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
        assert_int_equal(report.finish, LM_CHAT_FINISH_END);
        assert_null(strstr(report.message, "reasoning_content")); /* there was none */
        assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
        assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, f.content, f.n, NULL), LM_OK);
        assert_int_equal(lm_grammar_matcher_is_complete(matcher), 1);
        lm_grammar_matcher_destroy(matcher);
        if (seed > 10) continue;
        int32_t length = lm_seq_length(f.context, 0), n_before = report.n_prompt + report.n_generated;
        assert_int_equal(length, n_before - 1); /* the end token was chosen, not evaluated */
        snprintf(history, sizeof history, USER ",%.*s,{\"role\":\"user\",\"content\":\"x\"}]", (int)report.message_size,
                 report.message);
        request = request_of(&f, history, &p);
        request.max_tokens = 1;
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
        assert_int_equal(report.sync.n_reused, length);
        assert_int_equal(report.sync.n_evaluated, report.n_prompt - length);
        assert_true(report.sync.n_evaluated <= 28);
    }
    lm_grammar_destroy(grammar);
    close_fixture(&f);
}

static const char tools[] = "[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"parameters\":{\"type\":"
                            "\"object\",\"properties\":{\"a\":{\"type\":"
                            "\"integer\",\"minimum\":0,\"maximum\":99},\"b\":{\"enum\":[1,2]}},\"required\":[\"a\","
                            "\"b\"]}}},{\"type\":\"function\","
                            "\"function\":{\"name\":\"now\",\"parameters\":{\"type\":\"object\",\"properties\":{},"
                            "\"additionalProperties\":false}}}]";

static void required_calls_are_calls(void **state) {
    fixture f;
    (void)state;
    open_fixture(&f);
    for (uint32_t seed = 1; seed <= 40; seed++) {
        char history[16384];
        lm_sampler_params p = hot(seed);
        lm_chat_report report = LM_CHAT_REPORT_INIT;
        lm_chat_request request = request_of(&f, USER "]", &p);
        request.tools = tools;
        request.tools_size = sizeof tools - 1;
        request.tool_choice = LM_TOOL_CHOICE_REQUIRED;
        request.max_tokens = 600;
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
        assert_true(report.n_forced > 3 && report.n_forced < report.n_generated);
        assert_int_equal(report.finish, LM_CHAT_FINISH_CALLS);
        assert_int_equal(f.n, 0);
        assert_non_null(strstr(report.message, "\"tool_calls\":[{\"id\":\"call"));
        assert_true(strstr(report.message, "\"name\":\"add\"") || strstr(report.message, "\"name\":\"now\""));
        snprintf(history, sizeof history, USER ",%.*s,{\"role\":\"tool\",\"content\":\"3\"}]", (int)report.message_size,
                 report.message);
        request = request_of(&f, history, &p);
        request.tools = tools;
        request.tools_size = sizeof tools - 1;
        request.max_tokens = 3;
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
    }
    lm_chat_request request = request_of(&f, USER "]", NULL);
    request.tool_choice = LM_TOOL_CHOICE_REQUIRED;
    assert_int_equal(lm_chat_session_run(f.session, &request, NULL), LM_ERR_ARGUMENT);
    close_fixture(&f);
}

static void answers_follow_a_grammar(void **state) {
    static const char gbnf[] = "root ::= \"yes\" | \"no, \" [a-z]+ \"!\"";
    fixture f;
    (void)state;
    open_fixture(&f);
    for (uint32_t seed = 1; seed <= 20; seed++) {
        lm_sampler_params p = hot(seed);
        lm_chat_report report = LM_CHAT_REPORT_INIT;
        lm_chat_request request = request_of(&f, USER "]", &p);
        request.gbnf = gbnf;
        request.gbnf_size = sizeof gbnf - 1;
        request.max_tokens = 16;
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
        assert_int_equal(report.finish, LM_CHAT_FINISH_END);
        f.content[f.n] = '\0';
        assert_true(strcmp(f.content, "yes") == 0 || (strncmp(f.content, "no, ", 4) == 0 && f.content[f.n - 1] == '!'));
    }
    lm_chat_request request = request_of(&f, USER "]", NULL);
    request.gbnf = "root (";
    request.gbnf_size = 6;
    assert_int_equal(lm_chat_session_run(f.session, &request, NULL), LM_ERR_FORMAT);
    request.schema = "{}";
    request.schema_size = 2;
    assert_int_equal(lm_chat_session_run(f.session, &request, NULL), LM_ERR_ARGUMENT);
    close_fixture(&f);
}

static void answers_end_where_they_must(void **state) {
    fixture f;
    lm_sampler_params p = hot(3);
    lm_chat_report report = LM_CHAT_REPORT_INIT;
    (void)state;
    open_fixture(&f);
    p.ignore_eos = 1;
    lm_chat_request request = request_of(&f, USER "]", &p);
    request.max_tokens = 40;
    assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
    assert_int_equal(report.finish, LM_CHAT_FINISH_LENGTH);
    assert_int_equal(report.n_generated, 40);
    assert_true(f.n > 8);
    /* A stop from the middle of that answer: the same text up to it, whatever the pieces were. */
    char whole[512];
    size_t n = f.n < 500 ? f.n : 500, at = 0;
    memcpy(whole, f.content, n);
    for (size_t i = 3; i + 2 < n && at == 0; i++)
        if (whole[i] > 32 && whole[i] < 127 && whole[i + 1] > 32 && whole[i + 1] < 127) at = i;
    if (at > 0) {
        char stop[3] = {whole[at], whole[at + 1], 0};
        const char *const stops[] = {"no such text", stop};
        request = request_of(&f, USER "]", &p);
        request.stops = stops;
        request.n_stops = 2;
        request.max_tokens = 40;
        assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
        assert_int_equal(report.finish, LM_CHAT_FINISH_STOP);
        assert_true(f.n <= at);
        assert_memory_equal(f.content, whole, f.n);
    }
    request = request_of(&f, USER "]", &p);
    f.stop_after = 2;
    assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
    assert_int_equal(report.finish, LM_CHAT_FINISH_CANCELLED);
    assert_true(report.n_generated < 40);
    request = request_of(&f, USER "]", &p);
    request.max_tokens = -1;
    assert_int_equal(lm_chat_session_run(f.session, &request, &report), LM_OK);
    assert_int_equal(report.finish, LM_CHAT_FINISH_LENGTH);
    close_fixture(&f);
}

static void failures_leave_the_session_usable(void **state) {
    static const struct {
        const char *messages, *schema;
        lm_status status;
    } cases[] = {
        {"[", NULL, LM_ERR_FORMAT},
        {"{}", NULL, LM_ERR_FORMAT},
        {USER ",\"Hi\"]", NULL, LM_ERR_FORMAT},
        {USER "]", "{\"uniqueItems\":true}", LM_ERR_UNSUPPORTED},
        {USER "]", "{", LM_ERR_FORMAT},
        {USER "]", "{\"enum\":[]}", LM_ERR_FORMAT},
    };
    fixture f;
    (void)state;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lm_chat_request request = request_of(&f, cases[i].messages, NULL);
        request.schema = cases[i].schema;
        request.schema_size = cases[i].schema ? strlen(cases[i].schema) : 0;
        assert_int_equal(lm_chat_session_run(f.session, &request, NULL), cases[i].status);
        assert_true(lm_chat_session_message(f.session)[0] != 0);
        if (cases[i].schema) assert_non_null(strstr(lm_chat_session_message(f.session), "schema"));
        request = request_of(&f, USER "]", NULL);
        assert_int_equal(lm_chat_session_run(f.session, &request, NULL), LM_OK);
    }
    lm_chat_request wrong = request_of(&f, USER "]", NULL);
    wrong.max_tokens = -2;
    assert_int_equal(lm_chat_session_run(f.session, &wrong, NULL), LM_ERR_ARGUMENT);
    assert_non_null(strstr(lm_chat_session_message(f.session), "max_tokens"));
    wrong.reserved = 1;
    assert_int_equal(lm_chat_session_run(f.session, &wrong, NULL), LM_ERR_ARGUMENT);
    assert_string_equal(lm_chat_session_message(f.session), "lm_chat_request.reserved is not 0");
    lm_chat_session *other = NULL;
    lm_model *stranger = NULL;
    char path[1024];
    assert_true(test_path("LM_GOLDEN", "session/chat.gguf", path, sizeof path));
    assert_int_equal(lm_model_open(path, NULL, &stranger, NULL), LM_OK);
    assert_int_equal(lm_chat_session_create(stranger, f.context, NULL, &other, NULL), LM_ERR_MISMATCH);
    lm_model_close(stranger);
    lm_chat_session_params params = LM_CHAT_SESSION_PARAMS_INIT;
    params.family = "none such";
    assert_int_equal(lm_chat_session_create(f.model, f.context, &params, &other, NULL), LM_ERR_NOT_FOUND);
    params.family = NULL;
    params.seq = 1;
    assert_int_equal(lm_chat_session_create(f.model, f.context, &params, &other, NULL), LM_ERR_RANGE);
    assert_null(other);
    params.seq = 0;
    params.template_text = "{{ messages[0].content }}\n{{ messages.role + 1 }}";
    params.template_size = strlen(params.template_text);
    assert_int_equal(lm_chat_session_create(f.model, f.context, &params, &other, NULL), LM_OK);
    lm_chat_request request = request_of(&f, USER "]", NULL);
    assert_int_equal(lm_chat_session_run(other, &request, NULL), LM_ERR_FORMAT);
    const char *message = lm_chat_session_message(other);
    if (strncmp(message, "template, line 2: ", 18) != 0) fail_msg("\"%s\" does not name the line", message);
    lm_chat_session_destroy(other);
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_follow_up_turn_reuses_what_it_shares),
        cmocka_unit_test(a_conversation_begins_once),
        cmocka_unit_test(a_constrained_answer_is_reused_whole),
        cmocka_unit_test(required_calls_are_calls),
        cmocka_unit_test(answers_follow_a_grammar),
        cmocka_unit_test(answers_end_where_they_must),
        cmocka_unit_test(failures_leave_the_session_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
