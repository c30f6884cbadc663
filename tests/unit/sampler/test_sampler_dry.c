/* SPDX-License-Identifier: MIT
 * dry against its definition on random histories, and the token sequences that a breaker's text becomes. */
#include "sampler_support.h"

#include "sampler/dry_breakers.h"

static const char *const names[] = {"a", "b", "\n", "x\n", "\n\nb", "en", "den", "d", "e", "n", "<end>"};
static test_texts texts = {names, 11, 10};

static size_t count_items(const lm_dry_breakers *b, lm_token head, const lm_token *tail, size_t n_tail) {
    size_t n = 0;
    for (size_t i = 0; i < b->n_items; i++) {
        const lm_dry_breaker *item = &b->items[i];
        n += item->head == head && item->tail_count == n_tail &&
             (n_tail == 0 || memcmp(b->pool + item->tail_start, tail, n_tail * sizeof *tail) == 0);
    }
    return n;
}

static lm_status build(const char *const *breakers, size_t n, const lm_env *env, lm_dry_breakers *out) {
    lm_sampler_params params = test_neutral("dry");
    lm_sampler_vocab vocab = test_vocab(&texts);
    params.dry_breakers = breakers;
    params.n_dry_breakers = n;
    lm_sampler_setup setup = {env, &params, &vocab, TEST_SEED, NULL};
    return lm_dry_breakers_build(&setup, out);
}

static void breaker_texts_become_heads_and_tails(void **state) {
    (void)state;
    lm_env env;
    lm_dry_breakers b;
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(build((const char *const[]){"\n"}, 1, &env, &b), LM_OK);
    assert_int_equal(b.n_items, 3);
    assert_int_equal(count_items(&b, 2, NULL, 0), 1);
    assert_int_equal(count_items(&b, 3, NULL, 0), 1);
    assert_int_equal(count_items(&b, 4, NULL, 0), 1);
    lm_dry_breakers_free(&b, &env);
    /* "end" is in no token; "e", "en" and tokens that end so may begin it; special texts are seen too. */
    assert_int_equal(build((const char *const[]){"end"}, 1, &env, &b), LM_OK);
    assert_int_equal(count_items(&b, 5, (lm_token[]){7}, 1), 1);    /* en + d */
    assert_int_equal(count_items(&b, 6, (lm_token[]){7}, 1), 1);    /* den + d */
    assert_int_equal(count_items(&b, 8, (lm_token[]){9, 7}, 2), 1); /* e + n d */
    assert_int_equal(count_items(&b, 10, NULL, 0), 1);              /* <end> */
    assert_int_equal(b.n_items, 4);
    for (size_t i = 1; i < b.n_items; i++) assert_true(b.items[i - 1].head <= b.items[i].head);
    lm_dry_breakers_free(&b, &env);
}

static void failing_tokenizer_is_reported(void **state) {
    (void)state;
    lm_env env;
    lm_dry_breakers b;
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(build((const char *const[]){"e?"}, 1, &env, &b), LM_ERR_ARGUMENT);
}

static void breakers_survive_lack_of_memory(void **state) {
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_dry_breakers b;
        lm_status status = build((const char *const[]){"end", "\n"}, 2, &env, &b);
        if (status == LM_OK) lm_dry_breakers_free(&b, &env);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        if (!memory.failed) break;
    }
}

/* The penalty by the definition, for single-token breakers only (is_breaker by id). */
static void naive_dry(const lm_sampler_params *p, const lm_token *history, size_t n_history, const int *is_breaker,
                      float *logits, size_t n_vocab) {
    size_t n = n_history < (size_t)p->dry_last_n ? n_history : (size_t)p->dry_last_n;
    size_t allowed = (size_t)p->dry_allowed_length, limit = n;
    lm_token r[256];
    if (n <= allowed) return;
    for (size_t i = 0; i < n; i++) r[i] = history[n_history - 1 - i];
    for (size_t i = n; i-- > 0;)
        if (is_breaker[r[i]]) limit = i;
    if (limit < allowed) return;
    for (size_t x = 0; x < n_vocab; x++) {
        size_t longest = 0;
        int is_found = 0;
        for (size_t d = 1; d < n; d++) {
            size_t z = 0;
            while (d + z < n && r[z] == r[d + z]) z++;
            if (z > limit) z = limit;
            if (z < allowed || (size_t)r[d - 1] != x) continue;
            is_found = 1;
            if (z > longest) longest = z;
        }
        if (!is_found || is_breaker[x]) continue;
        double exponent = (double)(longest - allowed), most = floor(88.7228391 / log(p->dry_base));
        logits[x] -= (float)(p->dry_multiplier * pow(p->dry_base, exponent < most ? exponent : most));
    }
}

static void penalty_follows_the_definition(void **state) {
    (void)state;
    static const char *const letters[] = {"a", "b", "c", "\n", "e", "f"};
    static const int is_breaker[] = {0, 0, 0, 1, 0, 0};
    static const char *const line_end[] = {"\n"};
    test_texts few = {letters, 6, 6};
    lm_sampler_vocab vocab = test_vocab(&few);
    lm_random random;
    lm_random_seed(&random, 5);
    for (int round = 0; round < 400; round++) {
        lm_sampler_params params = test_neutral("dry");
        lm_token history[200];
        params.dry_breakers = line_end;
        params.n_dry_breakers = 1;
        params.dry_multiplier = 0.8f;
        params.dry_base = round % 3 ? 1.75f : 1.1f;
        params.dry_allowed_length = (int32_t)(lm_random_word(&random) % 4);
        params.dry_last_n = 1 + (int32_t)(lm_random_word(&random) % 150);
        size_t n = lm_random_word(&random) % 200;
        uint32_t kinds = 1 + lm_random_word(&random) % 6;
        for (size_t i = 0; i < n; i++) history[i] = (lm_token)(lm_random_word(&random) % kinds);
        lm_chain *chain = test_chain_vocab(&params, &vocab);
        test_accept(chain, history, n);
        float logits[6] = {0, 1, 2, 3, 4, 5}, expected[6] = {0, 1, 2, 3, 4, 5};
        float worst = 0.0f;
        naive_dry(&params, history, n, is_breaker, expected, 6);
        assert_int_equal(lm_chain_apply(chain, logits, 6), LM_OK);
        for (size_t i = 0; i < 6; i++) worst = fmaxf(worst, fabsf(expected[i]));
        for (size_t i = 0; i < 6; i++) assert_near(logits[i], expected[i], 1e-6 * worst);
        lm_chain_destroy(chain);
    }
}

static void long_breaker_limits_the_repetition(void **state) {
    (void)state;
    lm_sampler_vocab vocab = test_vocab(&texts);
    lm_sampler_params params = test_neutral("dry");
    static const char *const end[] = {"end"};
    params.dry_breakers = end;
    params.n_dry_breakers = 1;
    params.dry_multiplier = 1.0f;
    params.dry_allowed_length = 2;
    /* a b e n d a b: the breaker e+n+d ends two tokens before the end, so only "a b" repeats. */
    static const lm_token history[] = {0, 1, 8, 9, 7, 0, 1};
    float logits[11] = {0};
    lm_chain *chain = test_chain_vocab(&params, &vocab);
    test_accept(chain, history, 7);
    assert_int_equal(lm_chain_apply(chain, logits, 11), LM_OK);
    for (size_t i = 0; i < 11; i++) assert_near(logits[i], i == 8 ? -1.0 : 0.0, 1e-6);
    lm_chain_destroy(chain);
    params.dry_allowed_length = 3;
    chain = test_chain_vocab(&params, &vocab);
    test_accept(chain, (lm_token[]){1, 0, 1, 8, 1, 0, 1}, 7);
    memset(logits, 0, sizeof logits);
    assert_int_equal(lm_chain_apply(chain, logits, 11), LM_OK);
    assert_near(logits[8], -1.0, 1e-6); /* "b a b" was followed by e: three tokens, no breaker between */
    lm_chain_destroy(chain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaker_texts_become_heads_and_tails), cmocka_unit_test(failing_tokenizer_is_reported),
        cmocka_unit_test(breakers_survive_lack_of_memory),      cmocka_unit_test(penalty_follows_the_definition),
        cmocka_unit_test(long_breaker_limits_the_repetition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
