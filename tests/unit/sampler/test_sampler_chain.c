/* SPDX-License-Identifier: MIT
 * The chain: order of members, exact clones, reset, no allocation while picking, distribution of the draw, and properties
 * that hold for any parameters and logits. */
#include "sampler_support.h"

#include <float.h>

#define N 600
#define N_WORDS 9

static const char *const words[] = {"a", "b", "ab", "\n", ":", "\"", "*", "c", "<eos>"};
static test_texts texts = {words, N_WORDS, N_WORDS - 1};

/* Everything on at once. */
static lm_sampler_params busy_params(void) {
    static const lm_logit_bias biases[] = {{1, 0.5f}, {0, -1.0f}, {1, 0.25f}};
    static const lm_token tag[] = {0}, end[] = {1};
    static const lm_token_span ends[] = {{end, 1}};
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    params.seed = TEST_SEED;
    params.dynatemp_range = 0.2f;
    params.typical_p = 0.95f;
    params.top_n_sigma = 2.5f;
    params.xtc_probability = 0.5f;
    params.xtc_threshold = 0.05f;
    params.repeat_penalty = 1.2f;
    params.frequency_penalty = 0.1f;
    params.dry_multiplier = 0.5f;
    params.dry_allowed_length = 1;
    params.biases = biases;
    params.n_biases = 3;
    params.ignore_eos = 1;
    params.n_probs = 4;
    params.reasoning_budget = 5;
    params.reasoning_start = (lm_token_span){tag, 1};
    params.reasoning_ends = ends;
    params.n_reasoning_ends = 1;
    return params;
}

static void fill(float *logits, size_t n, lm_random *random) {
    for (size_t i = 0; i < n; i++) logits[i] = 6.0f * lm_random_float(random) - 3.0f;
}

static void draw_follows_the_distribution(void **state) {
    (void)state;
    enum { DRAWS = 200000 };
    static const float logits[5] = {3, 2, 1, 0, -1};
    lm_sampler_params params = test_neutral("");
    lm_chain *chain = test_chain(&params, 5);
    double p[5], chi = 0;
    int count[5] = {0};
    test_softmax(logits, 5, p);
    for (int i = 0; i < DRAWS; i++) count[test_pick(chain, logits, 5)]++;
    for (int i = 0; i < 5; i++) chi += (count[i] - DRAWS * p[i]) * (count[i] - DRAWS * p[i]) / (DRAWS * p[i]);
    assert_true(chi < 18.5); /* 4 degrees of freedom, 0.1 % */
    lm_chain_destroy(chain);
}

static void first_draws_of_a_seed_are_fixed(void **state) {
    (void)state;
    static const float logits[5] = {0, 0, 0, 0, 0};
    lm_sampler_params params = test_neutral("");
    lm_chain *chain = test_chain(&params, 5);
    assert_int_equal(test_pick(chain, logits, 5), 3); /* u = 0.7965 */
    assert_int_equal(test_pick(chain, logits, 5), 0); /* u = 0.1834 */
    lm_chain_destroy(chain);
}

static void members_run_in_the_given_order(void **state) {
    (void)state;
    static const float base[5] = {3, 2, 1, 0, -1};
    float logits[5];
    lm_sampler_params params = test_neutral("temp;min-p");
    params.temperature = 4.0f;
    params.min_p = 0.3f; /* log: -1.204; after division by 4 all of 3 .. -1 are within, before only 3 and 2 */
    lm_chain *chain = test_chain(&params, 5);
    memcpy(logits, base, sizeof logits);
    assert_int_equal(lm_chain_apply(chain, logits, 5), LM_OK);
    for (int i = 0; i < 5; i++) assert_near(logits[i], base[i] / 4, 1e-7);
    lm_chain_destroy(chain);
    params.order = "MINP, Temperature";
    chain = test_chain(&params, 5);
    memcpy(logits, base, sizeof logits);
    assert_int_equal(lm_chain_apply(chain, logits, 5), LM_OK);
    assert_near(logits[1], 0.5, 1e-7);
    assert_true(logits[2] == -INFINITY);
    lm_chain_destroy(chain);
}

static void order_forms_mean_the_same(void **state) {
    (void)state;
    static const char *const forms[] = {
        NULL, "edskypmxt", "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature", "E,D,S,K,Y,P,M,X,T",
        "Penalties;DRY;topnsigma;top-k;typ;nucleus;min_p;xtc;temp"};
    float logits[N_WORDS];
    lm_sampler_vocab vocab = test_vocab(&texts);
    lm_token expected[50];
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        lm_random random;
        lm_sampler_params params = busy_params();
        params.order = forms[f];
        lm_chain *chain = test_chain_vocab(&params, &vocab);
        lm_random_seed(&random, 11);
        for (size_t i = 0; i < 50; i++) {
            fill(logits, N_WORDS, &random);
            lm_token token = test_pick(chain, logits, N_WORDS);
            test_accept(chain, &token, 1);
            if (f == 0) expected[i] = token;
            assert_int_equal(token, expected[i]);
        }
        lm_chain_destroy(chain);
    }
}

static void clone_and_reset_are_exact(void **state) {
    (void)state;
    static const char *const orders[] = {NULL, "edskypmxta", "kpi"};
    lm_sampler_vocab vocab = test_vocab(&texts);
    float logits[N_WORDS];
    for (int kind = 0; kind < 5; kind++) {
        lm_sampler_params params = busy_params();
        lm_random random, mirror;
        lm_token first[60];
        if (kind < 3)
            params.order = orders[kind];
        else
            params.mirostat = kind - 2;
        params.adaptive_target = 0.3f;
        lm_chain *chain = test_chain_vocab(&params, &vocab), *clone = NULL;
        lm_random_seed(&random, 21);
        for (size_t i = 0; i < 60; i++) {
            if (i == 30) {
                assert_int_equal(lm_chain_clone(chain, &clone), LM_OK);
                mirror = random;
            }
            fill(logits, N_WORDS, &random);
            first[i] = test_pick(chain, logits, N_WORDS);
            test_accept(chain, &first[i], 1);
        }
        for (size_t i = 30; i < 60; i++) {
            fill(logits, N_WORDS, &mirror);
            lm_token token = test_pick(clone, logits, N_WORDS);
            assert_int_equal(token, first[i]);
            test_accept(clone, &token, 1);
        }
        lm_chain_reset(clone);
        lm_random_seed(&random, 21);
        for (size_t i = 0; i < 60; i++) {
            fill(logits, N_WORDS, &random);
            lm_token token = test_pick(clone, logits, N_WORDS);
            assert_int_equal(token, first[i]);
            test_accept(clone, &token, 1);
        }
        lm_chain_destroy(chain);
        lm_chain_destroy(clone);
    }
}

/* Tokens of all kinds of chains, hashed: recorded once, the same on every platform and for every compiler. */
static void choices_of_a_seed_are_the_same_everywhere(void **state) {
    (void)state;
    lm_sampler_vocab vocab = test_vocab(&texts);
    float logits[N_WORDS];
    lm_random random;
    uint64_t hash = 1469598103934665603u;
    lm_random_seed(&random, 51);
    for (int kind = 0; kind < 6; kind++) {
        lm_sampler_params params = busy_params();
        params.reasoning_start.count = 0;
        params.reasoning_budget = -1;
        if (kind < 2) params.mirostat = kind + 1;
        if (kind == 2) params.order = "edskypmxta";
        if (kind == 3) params.order = "t";
        if (kind == 4) params.order = "x";
        params.adaptive_target = 0.3f;
        lm_chain *chain = test_chain_vocab(&params, &vocab);
        for (int i = 0; i < 500; i++) {
            fill(logits, N_WORDS, &random);
            lm_token token = test_pick(chain, logits, N_WORDS);
            test_accept(chain, &token, 1);
            hash = (hash ^ (uint64_t)token) * 1099511628211u;
        }
        lm_chain_destroy(chain);
    }
    if (hash != UINT64_C(0xdda85937db407d82)) fail_msg("hash %llx", (unsigned long long)hash);
}

static void picking_allocates_nothing(void **state) {
    (void)state;
    lm_sampler_vocab vocab = test_vocab(&texts);
    for (int kind = 0; kind < 5; kind++) {
        test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
        lm_env env = test_memory_env(&memory);
        lm_sampler_params params = busy_params();
        if (kind < 2) params.mirostat = kind + 1;
        if (kind == 2) params.order = "edskypmxtia";
        if (kind == 3) params.probs_after = 1;
        lm_chain *chain;
        assert_int_equal(lm_chain_create(&env, &params, &vocab, &chain, NULL), LM_OK);
        size_t calls = memory.calls;
        lm_random random;
        float logits[N_WORDS];
        lm_random_seed(&random, 31);
        for (int i = 0; i < 300; i++) {
            fill(logits, N_WORDS, &random);
            lm_token token = test_pick(chain, logits, N_WORDS);
            test_accept(chain, &token, 1);
            assert_int_equal(lm_chain_apply(chain, logits, N_WORDS), LM_OK);
        }
        lm_chain_reset(chain);
        assert_int_equal(memory.calls, calls);
        lm_chain_destroy(chain);
        assert_int_equal(memory.live_bytes, 0);
    }
}

static void create_and_clone_survive_lack_of_memory(void **state) {
    (void)state;
    lm_sampler_vocab vocab = test_vocab(&texts);
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_sampler_params params = busy_params();
        lm_error error = {0};
        lm_chain *chain = NULL, *clone = NULL;
        params.order = "edskypmxtia";
        lm_status status = lm_chain_create(&env, &params, &vocab, &chain, &error);
        if (status != LM_OK) assert_int_equal(error.status, LM_ERR_MEMORY);
        if (status == LM_OK) status = lm_chain_clone(chain, &clone);
        lm_chain_destroy(chain);
        lm_chain_destroy(clone);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        if (!memory.failed) break;
    }
}

/* Any chain on any usable logits gives a token whose logit was not -infinity, twice the same for the same seed. */
static void any_chain_gives_an_allowed_token(void **state) {
    (void)state;
    static const char letters[] = "edskypmxta";
    static float logits[N];
    lm_random random;
    lm_random_seed(&random, 41);
    for (int round = 0; round < 1500; round++) {
        lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
        char order[8];
        size_t n_letters = lm_random_word(&random) % 8;
        for (size_t i = 0; i < n_letters; i++) order[i] = letters[lm_random_word(&random) % 10];
        order[n_letters] = '\0';
        static const char *const none[] = {""};
        params.order = order;
        params.seed = lm_random_word(&random) >> 1;
        params.temperature = (float)(lm_random_word(&random) % 4) * 0.7f;
        params.dynatemp_range = lm_random_word(&random) % 2 ? 0.5f : 0.0f;
        params.top_k = (int32_t)(lm_random_word(&random) % 100);
        params.top_p = lm_random_float(&random) * 1.1f;
        params.min_p = lm_random_float(&random) * 1.1f;
        params.typical_p = lm_random_float(&random) * 1.1f;
        params.top_n_sigma = lm_random_float(&random) * 2.0f;
        params.xtc_probability = lm_random_float(&random);
        params.xtc_threshold = lm_random_float(&random) * 0.3f;
        params.repeat_penalty = 0.5f + lm_random_float(&random);
        params.dry_multiplier = 1.0f;
        params.dry_breakers = none;
        params.min_keep = (int32_t)(lm_random_word(&random) % 3);
        params.mirostat = (int32_t)(lm_random_word(&random) % 6 < 2 ? 1 + round % 2 : 0);
        params.adaptive_target = lm_random_float(&random);
        size_t n = 1 + lm_random_word(&random) % N;
        lm_chain *one = test_chain(&params, N), *two = test_chain(&params, N);
        for (int step = 0; step < 6; step++) {
            int kind = (int)(lm_random_word(&random) % 4);
            fill(logits, n, &random);
            for (size_t i = 0; i < n; i++) {
                if (kind == 1 && lm_random_word(&random) % 4) logits[i] = -INFINITY;
                if (kind == 2) logits[i] = 1.0f;
                if (kind == 3) logits[i] *= 1e38f;
            }
            logits[lm_random_word(&random) % n] = kind == 3 ? FLT_MAX : 2.0f;
            lm_token token = test_pick(one, logits, n);
            assert_true(logits[token] > -INFINITY);
            assert_int_equal(test_pick(two, logits, n), token);
            test_accept(one, &token, 1);
            test_accept(two, &token, 1);
        }
        lm_chain_destroy(one);
        lm_chain_destroy(two);
    }
}

static void raw_probabilities_are_reported(void **state) {
    (void)state;
    static const float logits[5] = {3, 2, 1, 0, -1};
    lm_sampler_params params = test_neutral("top_k");
    params.top_k = 2;
    params.n_probs = 3;
    lm_chain *chain = test_chain(&params, 5);
    const lm_token_prob *probs;
    lm_token_prob picked;
    size_t n;
    double p[5];
    test_softmax(logits, 5, p);
    assert_false(lm_chain_probs(chain, &probs, &n, &picked));
    lm_token token = test_pick(chain, logits, 5);
    assert_true(lm_chain_probs(chain, &probs, &n, &picked));
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(probs[i].token, i);
        assert_near(probs[i].p, p[i], 1e-6);
        assert_near(probs[i].logprob, log(p[i]), 1e-6);
    }
    assert_int_equal(picked.token, token);
    assert_near(picked.p, p[token], 1e-6);
    lm_chain_destroy(chain);
}

static void failed_pick_moves_no_generator(void **state) {
    (void)state;
    static const float good[5] = {0, 0, 0, 0, 0}, bad[5] = {0, NAN, 0, 0, 0};
    lm_sampler_params params = test_neutral("xtc");
    params.xtc_probability = 0.5f;
    lm_chain *chain = test_chain(&params, 5), *mirror = test_chain(&params, 5);
    lm_token token = 77;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(lm_chain_pick(chain, bad, 5, &token), LM_ERR_RANGE);
        assert_int_equal(token, 77);
        assert_string_not_equal(lm_chain_message(chain), "");
        assert_int_equal(test_pick(chain, good, 5), test_pick(mirror, good, 5));
    }
    lm_chain_destroy(chain);
    lm_chain_destroy(mirror);
}

static void infill_ends_or_merges(void **state) {
    (void)state;
    lm_sampler_vocab vocab = test_vocab(&texts);
    lm_sampler_params params = test_neutral("infill");
    lm_chain *chain = test_chain_vocab(&params, &vocab);
    /* a 0.3, ab 0.25, c 0.44: "a" takes the share of "ab"; c and a stay with their own logits. */
    float logits[N_WORDS] = {logf(0.3f), -20, logf(0.25f), -20, -20, -20, -20, logf(0.44f), -20};
    assert_int_equal(lm_chain_apply(chain, logits, N_WORDS), LM_OK);
    assert_near(logits[0], logf(0.3f), 1e-6);
    assert_near(logits[7], logf(0.44f), 1e-6);
    for (int i = 1; i < N_WORDS; i++)
        if (i != 7 && i != 8) assert_true(logits[i] == -INFINITY);
    /* An end token likely enough stays alone. */
    float ends[N_WORDS] = {0, -20, -20, -20, -20, -20, -20, 0, -1};
    assert_int_equal(lm_chain_apply(chain, ends, N_WORDS), LM_OK);
    for (int i = 0; i < N_WORDS; i++) assert_true((ends[i] > -INFINITY) == (i == 8));
    /* Nobody is confident: the end-of-turn token. "ab" would be merged into "a", so it is masked before. */
    float flat[N_WORDS] = {0, 0, -INFINITY, 0, 0, 0, 0, 0, -30};
    assert_int_equal(lm_chain_apply(chain, flat, N_WORDS), LM_OK);
    for (int i = 0; i < N_WORDS; i++) assert_true((flat[i] > -INFINITY) == (i == 8));
    lm_chain_destroy(chain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draw_follows_the_distribution),    cmocka_unit_test(first_draws_of_a_seed_are_fixed),
        cmocka_unit_test(members_run_in_the_given_order),   cmocka_unit_test(order_forms_mean_the_same),
        cmocka_unit_test(clone_and_reset_are_exact),        cmocka_unit_test(choices_of_a_seed_are_the_same_everywhere),
        cmocka_unit_test(picking_allocates_nothing),        cmocka_unit_test(create_and_clone_survive_lack_of_memory),
        cmocka_unit_test(any_chain_gives_an_allowed_token), cmocka_unit_test(raw_probabilities_are_reported),
        cmocka_unit_test(failed_pick_moves_no_generator),   cmocka_unit_test(infill_ends_or_merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
