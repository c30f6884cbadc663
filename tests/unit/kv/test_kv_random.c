/* SPDX-License-Identifier: MIT
 * Random operations against a model that knows only tokens: after every step each sequence holds the tokens it should, every slot it may
 * see contains what those tokens make, and all counts are exact. With pages to spare, resuming finds exactly the longest prefix ever
 * finished. The seed is printed on failure; LM_TEST_SEED replays it. */
#include "kv_support.h"

#define SEQS 4
#define HISTORY 600

typedef struct known {
    int32_t n;
    lm_token tokens[SIM_POSITIONS];
} known;

typedef struct model {
    known seqs[SEQS];
    known history[HISTORY]; /* every sequence there has been, cut to its finished pages */
    int32_t n_history;
} model;

static uint64_t seed;
static sim s;
static model m;

static uint32_t random_below(uint32_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

static int32_t common(const lm_token *a, const lm_token *b, int32_t n) {
    int32_t same = 0;
    while (same < n && a[same] == b[same]) same++;
    return same;
}

static void remember(int32_t q) {
    known entry = m.seqs[q];
    entry.n -= entry.n % LM_KV_PAGE;
    if (entry.n && m.n_history < HISTORY) m.history[m.n_history++] = entry;
}

static void evaluate(int32_t q) {
    known *k = &m.seqs[q];
    int32_t room = s.params.n_positions - k->n, n = (int32_t)random_below(150);
    if (n > room) n = room;
    for (int32_t i = 0; i < n; i++) k->tokens[k->n + i] = (lm_token)random_below(8) / 7; /* prefixes often repeat */
    if (lm_kv_reserve(s.kv, q, n) != LM_OK) {
        sim_check(&s, q);
        return;
    }
    if (!s.params.n_states &&
        random_below(8) == 0) { /* an evaluation that fails half way; it may have written anything */
        sim_write(&s, q, k->tokens + k->n, n);
        lm_kv_cancel(s.kv, q);
        return;
    }
    sim_write(&s, q, k->tokens + k->n, n);
    lm_kv_commit(s.kv, q, k->tokens + k->n, n);
    k->n += n;
    remember(q);
    if (random_below(2)) sim_checkpoint(&s, q);
}

/* What is owed is evaluated again before anything is added. */
static void settle(int32_t q) {
    lm_token owed[SIM_POSITIONS];
    int32_t n = lm_kv_owed(s.kv, q);
    memcpy(owed, lm_kv_tokens(s.kv, q) + lm_kv_length(s.kv, q), (size_t)n * sizeof *owed);
    for (int32_t done = 0; done < n;) {
        int32_t part = n - done < 100 ? n - done : 100;
        if (sim_eval(&s, q, owed + done, part) != LM_OK) break;
        done += part;
    }
    m.seqs[q].n = lm_kv_length(s.kv, q);
    if (lm_kv_owed(s.kv, q)) assert_int_equal(lm_kv_trim(s.kv, q, m.seqs[q].n), LM_OK); /* no page left */
}

static void trim(int32_t q) {
    int32_t n = (int32_t)random_below((uint32_t)m.seqs[q].n + 1);
    assert_int_equal(lm_kv_trim(s.kv, q, n), LM_OK);
    assert_int_equal(lm_kv_length(s.kv, q) + lm_kv_owed(s.kv, q), n);
    assert_memory_equal(lm_kv_tokens(s.kv, q), m.seqs[q].tokens, (size_t)n * sizeof(lm_token));
    if (!s.params.n_states && !s.params.windows[0] && !s.params.windows[1]) assert_int_equal(lm_kv_owed(s.kv, q), 0);
    sim_check(&s, q);
    settle(q);
}

/* An evaluation that goes on for some batches and is then undone; its state went to the spare slot. */
static void undo(int32_t q) {
    int32_t before = m.seqs[q].n, room = s.params.n_positions - before, n = (int32_t)random_below(150);
    if (n > room) n = room;
    lm_token tokens[150];
    for (int32_t i = 0; i < n; i++) tokens[i] = (lm_token)random_below(3);
    uint64_t kept = s.params.n_states ? s.states[lm_kv_state(s.kv, q)] : 0;
    if (sim_eval(&s, q, tokens, n) != LM_OK) return;
    memcpy(m.seqs[q].tokens + before, tokens, (size_t)n * sizeof *tokens);
    m.seqs[q].n += n;
    remember(q); /* its finished pages are known from now on */
    m.seqs[q].n = before;
    bool guarded = random_below(2);
    if (guarded && s.params.n_states) s.states[lm_kv_state(s.kv, q)] = kept;
    if (!guarded) lm_kv_lose_state(s.kv, q);
    assert_int_equal(lm_kv_rewind(s.kv, q, before, guarded), LM_OK);
    assert_int_equal(lm_kv_length(s.kv, q) + lm_kv_owed(s.kv, q), before);
    settle(q);
}

static void resume(int32_t q, bool everything_is_kept) {
    static known target;
    target =
        m.n_history && random_below(3) ? m.history[random_below((uint32_t)m.n_history)] : m.seqs[random_below(SEQS)];
    if (target.n && random_below(2)) target.tokens[random_below((uint32_t)target.n)] ^= 1;
    if (random_below(3) == 0) target.n = (int32_t)random_below((uint32_t)target.n + 1);
    int32_t own = common(m.seqs[q].tokens, target.tokens, m.seqs[q].n < target.n ? m.seqs[q].n : target.n), best = own;
    for (int32_t i = 0; i < m.n_history; i++) {
        int32_t n = common(m.history[i].tokens, target.tokens, m.history[i].n < target.n ? m.history[i].n : target.n);
        if (n > best) best = n;
    }
    lm_kv_resumed r;
    assert_int_equal(lm_kv_resume(s.kv, q, target.tokens, target.n, &r), LM_OK);
    assert_in_range(r.n_reused, 0, r.n_matched);
    assert_in_range(r.n_matched, own, best);
    if (!s.params.n_states && !s.params.windows[0] && !s.params.windows[1]) assert_true(r.n_reused >= own);
    if (everything_is_kept) assert_int_equal(r.n_reused, best);
    assert_int_equal(r.reason == LM_KV_REASON_NONE, r.n_reused == target.n);
    target.n = r.n_reused;
    m.seqs[q] = target;
}

static void check_all(void) {
    for (int32_t q = 0; q < SEQS; q++) {
        assert_int_equal(lm_kv_length(s.kv, q), m.seqs[q].n);
        assert_memory_equal(lm_kv_tokens(s.kv, q), m.seqs[q].tokens, (size_t)m.seqs[q].n * sizeof(lm_token));
        sim_check(&s, q);
    }
    sim_check_counts(&s);
}

static void run(const lm_kv_params *params, int32_t n_steps, bool everything_is_kept) {
    sim_open(&s, params);
    m.n_history = 0;
    for (int32_t q = 0; q < SEQS; q++) m.seqs[q].n = 0;
    for (int32_t i = 0; i < n_steps; i++) {
        int32_t q = (int32_t)random_below(SEQS), other = (int32_t)random_below(SEQS);
        switch (random_below(10)) {
        case 0: trim(q); break;
        case 1:
            assert_int_equal(lm_kv_fork(s.kv, q, other), LM_OK);
            m.seqs[other] = m.seqs[q];
            break;
        case 2:
            lm_kv_close(s.kv, q);
            m.seqs[q].n = 0;
            break;
        case 5: undo(q); break;
        case 3:
        case 4: resume(q, everything_is_kept); break;
        default: evaluate(q); break;
        }
        check_all();
    }
    sim_close(&s);
}

static void shared_pages_are_never_written(void **state) {
    (void)state;
    static const lm_kv_params shapes[] = {
        {.n_groups = 1, .n_pages = {20}, .n_seqs = SEQS, .n_positions = 512},
        {.n_groups = 2, .windows = {0, 100}, .n_pages = {24, 18}, .n_seqs = SEQS, .n_positions = 512},
        {.n_groups = 2,
         .windows = {70, 130},
         .n_pages = {20, 22},
         .n_seqs = SEQS,
         .n_positions = 512,
         .slack = 5,
         .n_checkpoints = 3},
        {.n_groups = 1, .n_pages = {20}, .n_seqs = SEQS, .n_positions = 512, .n_states = 9, .n_checkpoints = 4},
        {.n_groups = 2,
         .windows = {0, 64},
         .n_pages = {24, 20},
         .n_seqs = SEQS,
         .n_positions = 400,
         .n_states = 7,
         .n_checkpoints = 2},
        {.n_groups = 0, .n_seqs = SEQS, .n_positions = 512, .n_states = 8, .n_checkpoints = 3},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int round = 0; round < 4; round++) run(&shapes[i], 250, false);
}

static void with_room_the_longest_prefix_is_found(void **state) {
    (void)state;
    /* Few enough steps that 64 pages hold all that was finished: equal pages are kept once. */
    for (int round = 0; round < 30; round++)
        run(&(lm_kv_params){.n_groups = 1, .n_pages = {SIM_PAGES}, .n_seqs = SEQS, .n_positions = 256}, 25, true);
}

static int print_seed(void **state) {
    (void)state;
    const char *given = getenv("LM_TEST_SEED");
    seed = given ? strtoull(given, NULL, 0) : 20260806;
    printf("seed %llu\n", (unsigned long long)seed);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(shared_pages_are_never_written, print_seed),
        cmocka_unit_test_setup(with_room_the_longest_prefix_is_found, print_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
