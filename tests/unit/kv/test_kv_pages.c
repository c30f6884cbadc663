/* SPDX-License-Identifier: MIT
 * Pages and sequences: what reserve, commit, cancel, trim, fork and close hold and give back, with and without a window. */
#include "kv_support.h"

static const lm_kv_params plain = {.n_groups = 1, .n_pages = {12}, .n_seqs = 3, .n_positions = 512};
static const lm_kv_params windowed = {
    .n_groups = 2, .windows = {0, 100}, .n_pages = {12, 4}, .n_seqs = 2, .n_positions = 512};

static void bytes_are_exact_and_memory_can_run_out(void **state) {
    (void)state;
    static const lm_kv_params shapes[] = {
        {.n_groups = 0, .n_seqs = 1, .n_positions = 1, .n_states = 2},
        {.n_groups = 1, .n_pages = {1}, .n_seqs = 1, .n_positions = 64},
        {.n_groups = 4,
         .windows = {0, 1, 64, 65},
         .n_pages = {9, 3, 5, 7},
         .n_seqs = 3,
         .n_positions = 500,
         .n_states = 7,
         .n_checkpoints = 3},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t k = 0;; k++) {
            sim *s = calloc(1, sizeof *s);
            s->memory.fail_at = k;
            s->env = test_memory_env(&s->memory);
            lm_kv_mover mover = {s, sim_copy_page, sim_copy_state, sim_clear_state};
            lm_kv *kv = NULL;
            lm_status status = lm_kv_create(&s->env, &shapes[i], &mover, &kv);
            bool failed = s->memory.failed;
            assert_int_equal(status, failed ? LM_ERR_MEMORY : LM_OK);
            if (!failed) assert_int_equal(s->memory.live_bytes, lm_kv_bytes(&shapes[i]));
            lm_kv_destroy(kv);
            assert_int_equal(s->memory.live_bytes, 0);
            free(s);
            if (!failed) break;
        }
}

static void a_failing_device_fails_creation(void **state) {
    (void)state;
    lm_kv_params params = {.n_groups = LM_KV_MAX_GROUPS + 1, .n_seqs = 1, .n_positions = 1};
    lm_kv_mover mover = {0};
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_kv *kv = NULL;
    assert_int_equal(lm_kv_create(&env, &params, &mover, &kv), LM_ERR_UNSUPPORTED);
    params = (lm_kv_params){.n_seqs = 4, .n_positions = 1, .n_states = 3};
    assert_int_equal(lm_kv_create(&env, &params, &mover, &kv), LM_ERR_ARGUMENT);
    assert_null(kv);
    assert_int_equal(memory.live_bytes, 0);
}

static void reserve_takes_pages_and_cancel_gives_them_back(void **state) {
    (void)state;
    static sim s;
    sim_open(&s, &plain);
    lm_token tokens[512];
    sim_count(tokens, 512, 1);
    assert_int_equal(lm_kv_reserve(s.kv, 0, 65), LM_OK);
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 10);
    assert_int_equal(lm_kv_length(s.kv, 0), 0);
    lm_kv_cancel(s.kv, 0);
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 12);
    assert_int_equal(sim_eval(&s, 0, tokens, 10), LM_OK);
    assert_int_equal(lm_kv_reserve(s.kv, 0, 54), LM_OK); /* the rest of the page */
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 11);
    lm_kv_cancel(s.kv, 0);
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 11);
    sim_check(&s, 0);
    assert_int_equal(lm_kv_reserve(s.kv, 0, 503), LM_ERR_FULL); /* positions */
    assert_int_equal(sim_eval(&s, 0, tokens + 10, 502), LM_OK);
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 4);
    assert_int_equal(lm_kv_reserve(s.kv, 1, 257), LM_ERR_FULL); /* pages */
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 4);
    assert_int_equal(lm_kv_length(s.kv, 1), 0);
    sim_check_counts(&s);
    sim_close(&s);
}

static void fork_shares_until_somebody_writes(void **state) {
    (void)state;
    static sim s;
    sim_open(&s, &plain);
    lm_token tokens[512];
    sim_count(tokens, 512, 1);
    assert_int_equal(sim_eval(&s, 0, tokens, 100), LM_OK);
    assert_int_equal(lm_kv_fork(s.kv, 0, 1), LM_OK);
    assert_int_equal(lm_kv_fork(s.kv, 1, 2), LM_OK);
    assert_int_equal(lm_kv_fork(s.kv, 1, 1), LM_OK);
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 10);
    assert_int_equal(lm_kv_length(s.kv, 2), 100);
    lm_token other[3][40];
    for (int32_t q = 0; q < 3; q++) {
        sim_count(other[q], 40, 1000 * (q + 1));
        assert_int_equal(sim_eval(&s, q, other[q], 20), LM_OK);
    }
    assert_int_equal(s.n_page_copies, 2); /* the last holder writes in place */
    for (int32_t q = 0; q < 3; q++) {
        sim_check(&s, q);
        assert_int_equal(sim_eval(&s, q, other[q] + 20, 20), LM_OK);
    }
    sim_check_counts(&s);
    s.fail_copies = LM_ERR_DEVICE;
    assert_int_equal(lm_kv_fork(s.kv, 0, 1), LM_OK); /* no state to copy */
    assert_int_equal(lm_kv_reserve(s.kv, 1, 1), LM_ERR_DEVICE);
    sim_check_counts(&s);
    sim_check(&s, 0);
    sim_check(&s, 1);
    sim_close(&s);
}

static void trim_keeps_the_finished_page_whole(void **state) {
    (void)state;
    static sim s;
    sim_open(&s, &plain);
    lm_token tokens[512];
    sim_count(tokens, 512, 1);
    assert_int_equal(sim_eval(&s, 0, tokens, 200), LM_OK);
    assert_int_equal(lm_kv_trim(s.kv, 0, 201), LM_ERR_RANGE);
    assert_int_equal(lm_kv_trim(s.kv, 0, -1), LM_ERR_RANGE);
    assert_int_equal(lm_kv_trim(s.kv, 0, 200), LM_OK);
    assert_int_equal(lm_kv_trim(s.kv, 0, 70), LM_OK);
    sim_check(&s, 0);
    sim_check_counts(&s);
    sim_count(tokens + 70, 130, 5000);
    assert_int_equal(sim_eval(&s, 0, tokens + 70, 130), LM_OK); /* must not write into the tree's page */
    assert_int_equal(s.n_page_copies, 1);
    sim_count(tokens, 200, 1);
    lm_kv_resumed r;
    assert_int_equal(lm_kv_resume(s.kv, 1, tokens, 200, &r), LM_OK);
    assert_int_equal(r.n_reused, 192);
    sim_check(&s, 1);
    assert_int_equal(lm_kv_trim(s.kv, 1, 128), LM_OK); /* exactly a page end */
    assert_int_equal(sim_eval(&s, 1, tokens + 70, 10), LM_OK);
    assert_int_equal(s.n_page_copies, 1);
    assert_int_equal(lm_kv_trim(s.kv, 1, 0), LM_OK);
    assert_int_equal(lm_kv_length(s.kv, 1), 0);
    sim_check_counts(&s);
    sim_close(&s);
}

static void windows_give_pages_back(void **state) {
    (void)state;
    static sim s;
    sim_open(&s, &windowed);
    lm_token tokens[512];
    sim_count(tokens, 512, 1);
    for (int32_t p = 0; p < 512; p += 8) {
        assert_int_equal(sim_eval(&s, 0, tokens + p, 8), LM_OK);
        int32_t held = 0;
        for (int32_t i = 0; i < s.kv->max_pages; i++) held += lm_kv_pages(s.kv, 0)[1][i] >= 0;
        assert_true(held <= 3); /* 100 positions touch at most three pages */
    }
    sim_check_counts(&s);
    assert_int_equal(lm_kv_trim(s.kv, 0, 500), LM_OK);
    assert_int_equal(lm_kv_trim(s.kv, 0, 300), LM_OK); /* the window before 300 is partly gone: some is owed */
    assert_int_equal(lm_kv_length(s.kv, 0) + lm_kv_owed(s.kv, 0), 300);
    assert_true(lm_kv_owed(s.kv, 0) > 0);
    sim_check(&s, 0);
    while (lm_kv_owed(s.kv, 0)) {
        int32_t n = lm_kv_owed(s.kv, 0) < 8 ? lm_kv_owed(s.kv, 0) : 8;
        lm_token again[8];
        memcpy(again, lm_kv_tokens(s.kv, 0) + lm_kv_length(s.kv, 0), (size_t)n * sizeof *again);
        assert_int_equal(sim_eval(&s, 0, again, n), LM_OK);
    }
    assert_int_equal(lm_kv_length(s.kv, 0), 300);
    assert_int_equal(lm_kv_owed(s.kv, 0), 0);
    sim_close(&s);
}

/* The count used to reserve pools is enough for any batch at any place, and not wasteful by more than a page. */
static void pages_per_sequence_are_enough(void **state) {
    (void)state;
    static sim s;
    for (int32_t window = 0; window <= 200; window += window < 4 ? 1 : 31)
        for (int32_t batch = 1; batch <= 130; batch += batch < 3 ? 1 : 42) {
            int32_t n = lm_kv_pages_per_seq(window, 512, batch);
            assert_in_range(n, 1, 8);
            lm_kv_params params = {.n_groups = 1, .windows = {window}, .n_pages = {n}, .n_seqs = 1, .n_positions = 512};
            sim_open(&s, &params);
            lm_token tokens[512];
            sim_count(tokens, 512, 1);
            for (int32_t p = 0; p < 512;) {
                int32_t step = 512 - p < batch ? 512 - p : batch;
                if (sim_eval(&s, 0, tokens + p, step) != LM_OK)
                    fail_msg("window %d, batch %d: no page at position %d", window, batch, p);
                p += step;
            }
            sim_check_counts(&s);
            sim_close(&s);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_exact_and_memory_can_run_out),
        cmocka_unit_test(a_failing_device_fails_creation),
        cmocka_unit_test(reserve_takes_pages_and_cancel_gives_them_back),
        cmocka_unit_test(fork_shares_until_somebody_writes),
        cmocka_unit_test(trim_keeps_the_finished_page_whole),
        cmocka_unit_test(windows_give_pages_back),
        cmocka_unit_test(pages_per_sequence_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
