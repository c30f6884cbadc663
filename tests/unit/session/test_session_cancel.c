/* SPDX-License-Identifier: MIT
 * Cancelling a run at any of its moments: nothing is evaluated after it, and the next run on the context is not meant. Run under the
 * thread sanitizer, too. */
#define _GNU_SOURCE
#include "counting.h"

#include <pthread.h>
#include <stdatomic.h>

#include <lm/lm.h>

typedef struct fixture {
    lm_model *model;
    lm_context *context;
    lm_chat_session *session;
    test_memory memory;
    size_t cancel_at; /* the allocation at which the session is cancelled */
} fixture;

static void *allocate(void *user, size_t size, size_t align) {
    fixture *f = user;
    if (f->memory.calls == f->cancel_at) lm_chat_session_cancel(f->session);
    return test_memory_alloc(&f->memory, size, align);
}

static void release(void *user, void *pointer, size_t size, size_t align) {
    fixture *f = user;
    test_memory_free(&f->memory, pointer, size, align);
}

static void open_fixture(fixture *f) {
    char path[1024];
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    memset(f, 0, sizeof *f);
    f->memory.fail_at = TEST_MEMORY_NEVER;
    f->cancel_at = SIZE_MAX;
    params.n_seqs = 2;
    assert_true(test_path("LM_GOLDEN", "session/chat.gguf", path, sizeof path));
    assert_int_equal(lm_model_open(path, NULL, &f->model, NULL), LM_OK);
    assert_int_equal(lm_context_open(f->model, &params, &f->context, NULL), LM_OK);
}

static lm_chat_session *open_session(fixture *f, lm_seq seq) {
    lm_chat_session_params params = LM_CHAT_SESSION_PARAMS_INIT;
    lm_chat_session *session = NULL;
    params.seq = seq;
    params.allocator = (lm_allocator){f, allocate, release};
    assert_int_equal(lm_chat_session_create(f->model, f->context, &params, &session, NULL), LM_OK);
    return session;
}

static lm_chat_report answer(lm_chat_session *session, int32_t max_tokens) {
    lm_chat_request request = LM_CHAT_REQUEST_INIT;
    lm_chat_report report = LM_CHAT_REPORT_INIT;
    lm_sampler_params sampling = LM_SAMPLER_PARAMS_INIT;
    sampling.temperature = 0;
    sampling.ignore_eos = 1;
    request.sampling = &sampling;
    request.messages = "[{\"role\":\"user\",\"content\":\"a\"}]";
    request.messages_size = strlen(request.messages);
    request.max_tokens = max_tokens;
    assert_int_equal(lm_chat_session_run(session, &request, &report), LM_OK);
    return report;
}

static void nothing_is_evaluated_after_it(void **state) {
    fixture f;
    size_t n_before_evaluation = 0;
    (void)state;
    open_fixture(&f);
    for (size_t k = 0;; k++) {
        f.session = open_session(&f, 0);
        f.cancel_at = f.memory.calls + k;
        lm_chat_report report = answer(f.session, 4);
        int happened = f.memory.calls > f.cancel_at;
        f.cancel_at = SIZE_MAX;
        lm_chat_session_destroy(f.session);
        if (!happened || report.finish != LM_CHAT_FINISH_CANCELLED) break; /* too late: the answer was complete */
        if (report.sync.n_evaluated == 0) {
            assert_int_equal(n_before_evaluation, k);
            assert_int_equal(report.n_generated, 0);
            n_before_evaluation++;
        }
    }
    assert_true(n_before_evaluation > 50);
    assert_int_equal(f.memory.live_bytes, 0);
    lm_context_close(f.context);
    lm_model_close(f.model);
}

typedef struct canceller {
    lm_chat_session *session;
    atomic_int stop, calls;
} canceller;

static void *keep_cancelling(void *argument) {
    canceller *c = argument;
    while (!atomic_load(&c->stop)) {
        lm_chat_session_cancel(c->session);
        atomic_fetch_add(&c->calls, 1);
    }
    return NULL;
}

static void the_next_run_is_not_meant(void **state) {
    fixture f;
    pthread_t thread;
    (void)state;
    open_fixture(&f);
    lm_chat_session *one = open_session(&f, 0), *other = open_session(&f, 1);
    canceller c = {.session = one};
    atomic_init(&c.stop, 0);
    atomic_init(&c.calls, 0);
    assert_int_equal(pthread_create(&thread, NULL, keep_cancelling, &c), 0);
    while (atomic_load(&c.calls) == 0) {}
    int n_cancelled = 0;
    for (int i = 0; i < 300 || (n_cancelled == 0 && i < 30000); i++) {
        n_cancelled += answer(one, 4).finish == LM_CHAT_FINISH_CANCELLED;
        assert_int_equal(answer(other, 4).finish, LM_CHAT_FINISH_LENGTH);
    }
    atomic_store(&c.stop, 1);
    pthread_join(thread, NULL);
    assert_true(n_cancelled > 0);
    assert_int_equal(answer(one, 4).finish, LM_CHAT_FINISH_LENGTH);
    lm_chat_session_destroy(one);
    lm_chat_session_destroy(other);
    assert_int_equal(f.memory.live_bytes, 0);
    lm_context_close(f.context);
    lm_model_close(f.model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_evaluated_after_it),
        cmocka_unit_test(the_next_run_is_not_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
