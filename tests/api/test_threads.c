/* SPDX-License-Identifier: MIT
 * Contexts of one model in threads of their own: the same bytes as alone; cancelling from another thread ends an evaluation and leaves
 * the sequence as it was. Run under the thread sanitizer, too. */
#define _GNU_SOURCE
#include "small_model.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define N_TOKENS 150
#define N_WORKERS 3

typedef struct worker {
    lm_model *model;
    int32_t seed;
    float rows[N_TOKENS][SMALL_VOCAB];
    lm_status status;
} worker;

static void *evaluate(void *argument) {
    worker *w = argument;
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context = NULL;
    lm_token text[N_TOKENS];
    params.n_ctx = 256;
    w->status = lm_context_open(w->model, &params, &context, NULL);
    small_text(w->seed, text, N_TOKENS);
    for (int32_t at = 0, n; at < N_TOKENS && w->status == LM_OK; at += n) {
        n = 1 + (at + w->seed) % 11;
        if (n > N_TOKENS - at) n = N_TOKENS - at;
        w->status = lm_context_eval(context, text + at, (size_t)n);
        if (w->status == LM_OK) memcpy(w->rows[at + n - 1], lm_context_logits(context), sizeof w->rows[0]);
    }
    lm_context_close(context);
    return NULL;
}

static void contexts_of_one_model_do_not_meet(void **state) {
    (void)state;
    static worker alone[N_WORKERS], together[N_WORKERS];
    for (int32_t n_threads = 1; n_threads <= 3; n_threads += 2) {
        lm_model *model = small_model(NULL, n_threads);
        pthread_t threads[N_WORKERS];
        memset(alone, 0, sizeof alone);
        memset(together, 0, sizeof together);
        for (int32_t i = 0; i < N_WORKERS; i++) {
            alone[i].model = together[i].model = model;
            alone[i].seed = together[i].seed = i;
            evaluate(&alone[i]);
            assert_int_equal(alone[i].status, LM_OK);
        }
        for (int32_t i = 0; i < N_WORKERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, evaluate, &together[i]), 0);
        for (int32_t i = 0; i < N_WORKERS; i++) pthread_join(threads[i], NULL);
        for (int32_t i = 0; i < N_WORKERS; i++) {
            assert_int_equal(together[i].status, LM_OK);
            assert_memory_equal(alone[i].rows, together[i].rows, sizeof alone[i].rows);
        }
        lm_model_close(model);
    }
}

typedef struct canceller {
    lm_context *context;
    atomic_int stop;
} canceller;

static void *keep_cancelling(void *argument) {
    canceller *c = argument;
    while (!atomic_load(&c->stop)) {
        lm_context_cancel(c->context);
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    return NULL;
}

static void cancelling_leaves_the_sequence_as_it_was(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 2);
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_token text[N_TOKENS];
    float expected[SMALL_VOCAB];
    params.n_ctx = 4096;
    lm_context *context = small_context(model, params);
    small_text(5, text, N_TOKENS);
    assert_int_equal(lm_context_eval(context, text, N_TOKENS), LM_OK);
    assert_int_equal(lm_context_eval(context, text, 10), LM_OK);
    memcpy(expected, lm_context_logits(context), sizeof expected);
    assert_int_equal(lm_seq_trim(context, 0, N_TOKENS), LM_OK);

    canceller c = {.context = context};
    pthread_t thread;
    atomic_init(&c.stop, 0);
    assert_int_equal(pthread_create(&thread, NULL, keep_cancelling, &c), 0);
    int n_cancelled = 0;
    for (int i = 0; i < 5000 && n_cancelled < 5; i++) {
        lm_status status = lm_context_eval(context, text, 140);
        assert_true(status == LM_OK || status == LM_ERR_CANCELLED);
        n_cancelled += status == LM_ERR_CANCELLED;
        if (status == LM_OK) assert_int_equal(lm_seq_trim(context, 0, N_TOKENS), LM_OK);
        assert_int_equal(lm_seq_length(context, 0), N_TOKENS);
    }
    atomic_store(&c.stop, 1);
    pthread_join(thread, NULL);
    assert_true(n_cancelled > 0);
    assert_int_equal(lm_context_eval(context, text, 10), LM_OK);
    assert_memory_equal(lm_context_logits(context), expected, sizeof expected);
    lm_context_close(context);
    lm_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_of_one_model_do_not_meet),
        cmocka_unit_test(cancelling_leaves_the_sequence_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
