/* SPDX-License-Identifier: MIT
 * A session whose k-th allocation fails, for every k: the right status, nothing leaked, and the same session answers again. */
#include "counting.h"

#include <lm/lm.h>

static lm_status once(lm_chat_session *session) {
    static const char messages[] =
        "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"content\":\"1\"}]";
    static const char tools[] =
        "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]";
    static const char *const stops[] = {"zzzz"};
    lm_chat_request request = LM_CHAT_REQUEST_INIT;
    lm_sampler_params sampling = LM_SAMPLER_PARAMS_INIT;
    sampling.seed = 3;
    request.sampling = &sampling;
    request.messages = messages;
    request.messages_size = sizeof messages - 1;
    request.tools = tools;
    request.tools_size = sizeof tools - 1;
    request.tool_choice = LM_TOOL_CHOICE_REQUIRED;
    request.stops = stops;
    request.n_stops = 1;
    request.max_tokens = 4;
    return lm_chat_session_run(session, &request, NULL);
}

static void memory_failures_leave_nothing(void **state) {
    char path[1024];
    lm_model *model;
    lm_context *context;
    size_t n_calls = 0;
    (void)state;
    assert_true(test_path("LM_GOLDEN", "session/chat.gguf", path, sizeof path));
    assert_int_equal(lm_model_open(path, NULL, &model, NULL), LM_OK);
    assert_int_equal(lm_context_open(model, NULL, &context, NULL), LM_OK);
    for (size_t k = 0;; k += k < 400 ? 1 : 13) { /* the first ones one by one: most of the rest grow the same arrays */
        test_memory memory = {.fail_at = k};
        lm_chat_session_params params = LM_CHAT_SESSION_PARAMS_INIT;
        lm_chat_session *session = NULL;
        params.allocator = test_memory_allocator(&memory);
        lm_status status = lm_chat_session_create(model, context, &params, &session, NULL);
        if (status == LM_OK) status = once(session);
        int failed = memory.failed;
        if (status != LM_OK) assert_int_equal(status, LM_ERR_MEMORY);
        if (!failed) assert_int_equal(status, LM_OK);
        if (!session) assert_true(failed);
        if (session && status != LM_OK) assert_int_equal(once(session), LM_OK);
        lm_chat_session_destroy(session);
        assert_int_equal(memory.live_bytes, 0);
        n_calls = memory.calls;
        if (!failed) break;
    }
    assert_true(n_calls > 100);
    lm_context_close(context);
    lm_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_failures_leave_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
