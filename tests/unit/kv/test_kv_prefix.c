/* SPDX-License-Identifier: MIT
 * The prefix tree: finding, the nearest part of a page, equal pages kept once, eviction by last use, windows whose pages were evicted,
 * and checkpoints of recurrent state. */
#include "kv_support.h"

static lm_kv_resumed resume(sim *s, int32_t seq, const lm_token *tokens, int32_t n) {
    lm_kv_resumed r;
    assert_int_equal(lm_kv_resume(s->kv, seq, tokens, n, &r), LM_OK);
    assert_int_equal(lm_kv_length(s->kv, seq), r.n_reused);
    assert_memory_equal(lm_kv_tokens(s->kv, seq), tokens, (size_t)r.n_reused * sizeof *tokens);
    sim_check(s, seq);
    sim_check_counts(s);
    return r;
}

static void finished_pages_outlive_their_sequence(void **state) {
    (void)state;
    static sim s;
    sim_open(&s, &(lm_kv_params){.n_groups = 1, .n_pages = {12}, .n_seqs = 2, .n_positions = 512});
    lm_token tokens[512];
    sim_count(tokens, 512, 1);
    assert_int_equal(sim_eval(&s, 0, tokens, 150), LM_OK);
    lm_kv_close(s.kv, 0);
    assert_int_equal(lm_kv_tree_pages(s.kv, 0), 2);
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 10);
    lm_kv_resumed r = resume(&s, 1, tokens, 150);
    assert_int_equal(r.n_reused, 128);
    assert_int_equal(r.n_matched, 128);
    assert_int_equal(r.from_tree, 128);
    assert_int_equal(r.reason, LM_KV_REASON_UNKNOWN);
    assert_int_equal(r.checkpoint, -1);
    r = resume(&s, 0, tokens, 100); /* ends inside a known page */
    assert_int_equal(r.n_reused, 100);
    assert_int_equal(r.reason, LM_KV_REASON_NONE);
    tokens[90] = 7777;
    r = resume(&s, 0, tokens, 150); /* differs inside a known page; the sequence itself holds the same 90 */
    assert_int_equal(r.n_reused, 90);
    assert_int_equal(r.from_tree, 0);
    assert_int_equal(sim_eval(&s, 0, tokens + 90, 60), LM_OK); /* a copy: the tree's page stays */
    tokens[90] = 91;
    r = resume(&s, 1, tokens, 512);
    assert_int_equal(r.n_reused, 128);
    tokens[0] = 9999;
    r = resume(&s, 1, tokens, 512);
    assert_int_equal(r.n_reused, 0);
    assert_int_equal(r.reason, LM_KV_REASON_UNKNOWN);
    sim_close(&s);
}

static void nearest_child_shares_most_tokens(void **state) {
    (void)state;
    static sim s;
    sim_open(&s, &(lm_kv_params){.n_groups = 1, .n_pages = {12}, .n_seqs = 1, .n_positions = 512});
    lm_token tokens[64];
    for (int32_t common = 5; common <= 45; common += 20) {
        sim_count(tokens, 64, 1);
        sim_count(tokens + common, 64 - common, 1000 * common);
        lm_kv_close(s.kv, 0);
        assert_int_equal(sim_eval(&s, 0, tokens, 64), LM_OK);
    }
    lm_kv_close(s.kv, 0);
    sim_count(tokens, 64, 1);
    assert_int_equal(resume(&s, 0, tokens, 64).n_reused, 45);
    sim_count(tokens + 30, 34, 500);
    assert_int_equal(resume(&s, 0, tokens, 64).n_reused, 30);
    tokens[3] = 0;
    assert_int_equal(resume(&s, 0, tokens, 64).n_reused, 3);
    sim_close(&s);
}

static void equal_pages_are_kept_once(void **state) {
    (void)state;
    static sim s;
    sim_open(&s,
             &(lm_kv_params){.n_groups = 2, .windows = {0, 200}, .n_pages = {12, 12}, .n_seqs = 3, .n_positions = 512});
    lm_token tokens[512];
    sim_count(tokens, 512, 1);
    for (int32_t q = 0; q < 3; q++) assert_int_equal(sim_eval(&s, q, tokens, 128), LM_OK);
    for (int32_t g = 0; g < 2; g++) {
        assert_int_equal(lm_kv_free_pages(s.kv, g), 10);
        assert_int_equal(lm_kv_pages(s.kv, 0)[g][1], lm_kv_pages(s.kv, 2)[g][1]);
    }
    sim_check_counts(&s);
    for (int32_t q = 0; q < 3; q++) assert_int_equal(sim_eval(&s, q, tokens + 128 + q, 10), LM_OK);
    sim_check_counts(&s);
    sim_close(&s);
}

static void the_least_recently_used_prefix_goes_first(void **state) {
    (void)state;
    static sim s;
    sim_open(&s, &(lm_kv_params){.n_groups = 1, .n_pages = {6}, .n_seqs = 1, .n_positions = 384});
    lm_token a[384], b[384], c[384];
    sim_count(a, 384, 1000);
    sim_count(b, 384, 2000);
    sim_count(c, 384, 3000);
    assert_int_equal(sim_eval(&s, 0, a, 128), LM_OK);
    lm_kv_close(s.kv, 0);
    assert_int_equal(sim_eval(&s, 0, b, 128), LM_OK);
    lm_kv_close(s.kv, 0);
    assert_int_equal(resume(&s, 0, a, 128).n_reused, 128); /* touched: now b is the older one */
    lm_kv_close(s.kv, 0);
    assert_int_equal(sim_eval(&s, 0, c, 192), LM_OK); /* needs one page more than is free */
    lm_kv_close(s.kv, 0);
    assert_int_equal(lm_kv_free_pages(s.kv, 0), 0);
    assert_int_equal(resume(&s, 0, a, 128).n_reused, 128);
    assert_int_equal(resume(&s, 0, b, 128).n_reused, 64); /* the leaf went, its parent stays */
    lm_kv_close(s.kv, 0);
    assert_int_equal(sim_eval(&s, 0, c, 384), LM_OK); /* a full sequence always finds room */
    sim_check_counts(&s);
    assert_int_equal(resume(&s, 0, a, 128).n_reused, 0);
    sim_close(&s);
}

static void evicted_window_pages_are_named_as_the_reason(void **state) {
    (void)state;
    static sim s;
    sim_open(&s,
             &(lm_kv_params){.n_groups = 2, .windows = {0, 64}, .n_pages = {16, 4}, .n_seqs = 1, .n_positions = 512});
    lm_token a[512], b[512];
    sim_count(a, 512, 1000);
    sim_count(b, 512, 2000);
    assert_int_equal(sim_eval(&s, 0, a, 128), LM_OK);
    assert_int_equal(sim_eval(&s, 0, a + 128, 128), LM_OK);
    lm_kv_close(s.kv, 0);
    assert_int_equal(resume(&s, 0, a, 256).n_reused, 256);
    lm_kv_close(s.kv, 0);
    for (int32_t p = 0; p < 256; p += 64)
        assert_int_equal(sim_eval(&s, 0, b + p, 64), LM_OK); /* takes the window's pages */
    lm_kv_close(s.kv, 0);
    lm_kv_resumed r = resume(&s, 0, a, 256);
    assert_int_equal(r.n_matched, 256);
    assert_true(r.n_reused < 256);
    assert_int_equal(r.reason, LM_KV_REASON_WINDOW);
    assert_int_equal(sim_eval(&s, 0, a + r.n_reused, 128 - r.n_reused),
                     LM_OK); /* evaluating them again fills the gap */
    assert_int_equal(sim_eval(&s, 0, a + 128, 128), LM_OK);
    lm_kv_close(s.kv, 0);
    assert_int_equal(resume(&s, 0, a, 256).n_reused, 256);
    sim_close(&s);
}

/* Windowed layers alone: the chain of nodes must hold a whole context although the pool of pages is small. */
static void long_windowed_sequences_stay_known(void **state) {
    (void)state;
    static sim s;
    sim_open(
        &s, &(lm_kv_params){.n_groups = 1, .windows = {64}, .n_pages = {8}, .n_seqs = 2, .n_positions = SIM_POSITIONS});
    lm_token a[SIM_POSITIONS], b[128];
    sim_count(a, SIM_POSITIONS, 1);
    for (int32_t p = 0; p < SIM_POSITIONS; p += 64) assert_int_equal(sim_eval(&s, 0, a + p, 64), LM_OK);
    lm_kv_close(s.kv, 0);
    lm_kv_resumed r = resume(&s, 1, a, SIM_POSITIONS);
    assert_int_equal(r.n_reused, SIM_POSITIONS);
    for (int32_t round = 0; round < 40; round++) { /* others come and go: nodes are found for them */
        sim_count(b, 128, 10000 + 1000 * round);
        lm_kv_close(s.kv, 0);
        assert_int_equal(sim_eval(&s, 0, b, 128), LM_OK);
        sim_check_counts(&s);
        assert_true(s.kv->seqs[0].node >= 0);
    }
    sim_close(&s);
}

static void recurrent_state_resumes_at_checkpoints(void **state) {
    (void)state;
    static sim s;
    sim_open(&s,
             &(lm_kv_params){
                 .n_groups = 1, .n_pages = {16}, .n_seqs = 2, .n_positions = 512, .n_states = 5, .n_checkpoints = 2});
    lm_token a[512];
    sim_count(a, 512, 1);
    assert_int_equal(s.n_clears, 2);
    assert_int_equal(sim_eval(&s, 0, a, 100), LM_OK);
    assert_true(sim_checkpoint(&s, 0));  /* inside a page */
    assert_false(sim_checkpoint(&s, 0)); /* already there: no second record */
    assert_int_equal(sim_eval(&s, 0, a + 100, 28), LM_OK);
    assert_true(sim_checkpoint(&s, 0));
    assert_int_equal(sim_eval(&s, 0, a + 128, 172), LM_OK);
    lm_kv_resumed r = resume(&s, 0, a, 300); /* its own end needs no checkpoint */
    assert_int_equal(r.n_reused, 300);
    assert_int_equal(r.checkpoint, -1);
    r = resume(&s, 1, a, 300);
    assert_int_equal(r.n_reused, 128);
    assert_int_equal(r.n_matched, 256);
    assert_int_equal(r.checkpoint, 128);
    assert_int_equal(r.reason, LM_KV_REASON_CHECKPOINT);
    r = resume(&s, 1, a, 127); /* the page of the other checkpoint is finished by now */
    assert_int_equal(r.n_reused, 100);
    assert_int_equal(r.from_tree, 0);
    r = resume(&s, 1, a, 99);
    assert_int_equal(r.n_reused, 0);
    r = resume(&s, 1, a, 127);
    assert_int_equal(r.n_reused, 100);
    assert_int_equal(r.from_tree, 100);
    assert_int_equal(lm_kv_trim(s.kv, 0, 200), LM_OK); /* back to the checkpoint, and the rest owed */
    assert_int_equal(lm_kv_length(s.kv, 0), 128);
    assert_int_equal(lm_kv_owed(s.kv, 0), 72);
    assert_int_equal(lm_kv_trim(s.kv, 0, 150), LM_OK);
    assert_int_equal(lm_kv_owed(s.kv, 0), 22);
    assert_int_equal(lm_kv_trim(s.kv, 0, 151), LM_ERR_RANGE);
    assert_int_equal(lm_kv_fork(s.kv, 0, 1), LM_OK);
    sim_check(&s, 1);
    assert_int_equal(lm_kv_owed(s.kv, 1), 22);
    assert_int_equal(sim_eval(&s, 1, a + 128, 22), LM_OK);
    assert_int_equal(lm_kv_owed(s.kv, 1), 0);
    /* More checkpoints than records: the least recently used makes room. */
    assert_int_equal(lm_kv_trim(s.kv, 0, 128), LM_OK);
    int32_t position, slot;
    for (int32_t p = 128; p < 320; p += 64) {
        assert_int_equal(sim_eval(&s, 0, a + p, 64), LM_OK);
        assert_true(sim_checkpoint(&s, 0));
        assert_true(lm_kv_checkpoint_before(s.kv, 0, p + 65, &position, &slot));
        assert_int_equal(position, p + 64); /* the last one, in whichever record it is */
        sim_check_counts(&s);
    }
    r = resume(&s, 1, a, 320);
    assert_int_equal(r.n_reused, 320);
    assert_true(lm_kv_checkpoint_before(s.kv, 0, 320, &position, &slot));
    assert_int_equal(position, 256);
    assert_false(lm_kv_checkpoint_before(s.kv, 0, 256, &position, &slot));
    s.fail_copies = LM_ERR_DEVICE;
    assert_int_equal(sim_eval(&s, 0, a + 320, 64), LM_OK);
    assert_false(sim_checkpoint(&s, 0)); /* the record is not lost */
    sim_check_counts(&s);
    assert_int_equal(lm_kv_fork(s.kv, 0, 1), LM_ERR_DEVICE);
    assert_int_equal(lm_kv_length(s.kv, 1), 0);
    sim_check(&s, 1);
    assert_int_equal(lm_kv_resume(s.kv, 1, a, 320, &r), LM_ERR_DEVICE);
    assert_int_equal(lm_kv_length(s.kv, 1), 0);
    sim_check_counts(&s);
    sim_close(&s);
}

/* The window before a checkpoint is the last to go; without one, what slid out first goes first. */
static void a_checkpoint_keeps_its_window(void **state) {
    (void)state;
    static sim s;
    for (int32_t kept = 0; kept < 2; kept++) {
        sim_open(&s, &(lm_kv_params){.n_groups = 1,
                                     .windows = {100},
                                     .n_pages = {9},
                                     .n_seqs = 1,
                                     .n_positions = SIM_POSITIONS,
                                     .n_checkpoints = 1});
        lm_token a[SIM_POSITIONS];
        sim_count(a, SIM_POSITIONS, 1);
        for (int32_t p = 0; p < SIM_POSITIONS; p += 32) {
            assert_int_equal(sim_eval(&s, 0, a + p, 32), LM_OK);
            if (kept && p + 32 == 288) assert_true(sim_checkpoint(&s, 0));
        }
        a[290] ^= 1;
        lm_kv_resumed r = resume(&s, 0, a, SIM_POSITIONS);
        assert_int_equal(r.n_reused, kept ? 290 : 0);
        sim_close(&s);
    }
}

static void a_swapped_state_is_the_sequence_s(void **state) {
    (void)state;
    static sim s;
    sim_open(&s,
             &(lm_kv_params){
                 .n_groups = 1, .n_pages = {16}, .n_seqs = 2, .n_positions = 512, .n_states = 3, .n_checkpoints = 0});
    lm_token a[100];
    sim_count(a, 100, 1);
    assert_int_equal(sim_eval(&s, 0, a, 100), LM_OK);
    int32_t old = lm_kv_state(s.kv, 0), spare = lm_kv_spare(s.kv);
    s.states[spare] = s.states[old];
    s.states[old] = 0;
    lm_kv_swap_state(s.kv, 0);
    assert_int_equal(lm_kv_state(s.kv, 0), spare);
    assert_int_equal(lm_kv_spare(s.kv), old);
    sim_check(&s, 0);
    lm_kv_lose_state(s.kv, 0);
    assert_int_equal(lm_kv_reserve(s.kv, 0, 1), LM_ERR_STATE);
    assert_int_equal(lm_kv_rewind(s.kv, 0, 100, false), LM_OK);
    assert_int_equal(lm_kv_owed(s.kv, 0), 100); /* no checkpoint: from the start */
    assert_int_equal(sim_eval(&s, 0, a, 100), LM_OK);
    sim_check_counts(&s);
    sim_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finished_pages_outlive_their_sequence),
        cmocka_unit_test(nearest_child_shares_most_tokens),
        cmocka_unit_test(equal_pages_are_kept_once),
        cmocka_unit_test(the_least_recently_used_prefix_goes_first),
        cmocka_unit_test(evicted_window_pages_are_named_as_the_reason),
        cmocka_unit_test(long_windowed_sequences_stay_known),
        cmocka_unit_test(recurrent_state_resumes_at_checkpoints),
        cmocka_unit_test(a_checkpoint_keeps_its_window),
        cmocka_unit_test(a_swapped_state_is_the_sequence_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
