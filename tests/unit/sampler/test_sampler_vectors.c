/* SPDX-License-Identifier: MIT
 * Every member on the logits (3, 2, 1, 0, -1) against values computed from the definitions. */
#include "sampler_support.h"

#define N 5
static const float base_logits[N] = {3, 2, 1, 0, -1};

/* p by token id; 0 for removed ones. */
static void check_p(lm_sampler_params params, const lm_token *history, size_t n_history, const double *expected) {
    float logits[N];
    double p[N];
    lm_chain *chain = test_chain(&params, N);
    test_accept(chain, history, n_history);
    memcpy(logits, base_logits, sizeof logits);
    assert_int_equal(lm_chain_apply(chain, logits, N), LM_OK);
    test_softmax(logits, N, p);
    for (size_t i = 0; i < N; i++) assert_near(p[i], expected[i], 1e-6);
    lm_chain_destroy(chain);
}

static void check_logits(lm_sampler_params params, const lm_token *history, size_t n_history, const double *expected) {
    float logits[N];
    lm_chain *chain = test_chain(&params, N);
    test_accept(chain, history, n_history);
    memcpy(logits, base_logits, sizeof logits);
    assert_int_equal(lm_chain_apply(chain, logits, N), LM_OK);
    for (size_t i = 0; i < N; i++) assert_near(logits[i], expected[i], 1e-6);
    lm_chain_destroy(chain);
}

static void temperature_divides(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("temperature");
    params.temperature = 0.8f;
    check_p(params, NULL, 0, (double[]){0.714875, 0.204815, 0.058681, 0.016812, 0.004817});
    params.temperature = 0.0f;
    check_p(params, NULL, 0, (double[]){1, 0, 0, 0, 0});
    params.temperature = -2.0f;
    check_p(params, NULL, 0, (double[]){1, 0, 0, 0, 0});
    params.temperature = 1e-40f; /* quotients overflow */
    check_p(params, NULL, 0, (double[]){1, 0, 0, 0, 0});
}

static void dynamic_temperature_follows_the_entropy(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("temperature");
    params.temperature = 0.8f;
    params.dynatemp_range = 0.3f;
    check_p(params, NULL, 0, (double[]){0.684239, 0.217578, 0.069187, 0.022000, 0.006996});
    params.dynatemp_exponent = 2.0f;
    float expected_logits[N];
    double expected[N];
    for (size_t i = 0; i < N; i++) expected_logits[i] = base_logits[i] / 0.731622f;
    test_softmax(expected_logits, N, expected);
    check_p(params, NULL, 0, expected);
}

static void top_k_keeps_the_largest(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("top_k");
    params.top_k = 2;
    check_logits(params, NULL, 0, (double[]){3, 2, -INFINITY, -INFINITY, -INFINITY});
}

static void top_p_keeps_the_nucleus(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("top_p");
    params.top_p = 0.9f;
    check_p(params, NULL, 0, (double[]){0.665241, 0.244728, 0.090031, 0, 0});
    params.top_p = 0.0f;
    check_p(params, NULL, 0, (double[]){1, 0, 0, 0, 0});
    params.min_keep = 3;
    check_p(params, NULL, 0, (double[]){0.665241, 0.244728, 0.090031, 0, 0});
    params.order = "top_k;top_p"; /* on a list that is in order already */
    params.top_k = 4;
    params.min_keep = 0;
    params.top_p = 0.9f;
    check_p(params, NULL, 0, (double[]){0.665241, 0.244728, 0.090031, 0, 0});
}

static void min_p_keeps_the_likely(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("min_p");
    params.min_p = 0.1f;
    check_p(params, NULL, 0, (double[]){0.665241, 0.244728, 0.090031, 0, 0});
    params.min_p = 2.0f;
    check_p(params, NULL, 0, (double[]){1, 0, 0, 0, 0});
    params.min_keep = 3;
    check_p(params, NULL, 0, (double[]){0.665241, 0.244728, 0.090031, 0, 0});
}

static void typical_keeps_what_is_near_the_entropy(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("typ_p");
    params.typical_p = 0.9f;
    check_p(params, NULL, 0, (double[]){0.665241, 0.244728, 0.090031, 0, 0});
    params.typical_p = 0.2f;
    check_p(params, NULL, 0, (double[]){0, 1, 0, 0, 0});
}

static void xtc_removes_the_top_choices(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("xtc");
    params.xtc_probability = 1.0f;
    check_p(params, NULL, 0, (double[]){0, 0.643914, 0.236883, 0.087144, 0.032059});
    params.min_keep = 5;
    check_p(params, NULL, 0, (double[]){0.636409, 0.234122, 0.086129, 0.031685, 0.011656});
    params.min_keep = 0;
    params.xtc_probability = 0.37f; /* the first draw is 0.3745 */
    check_p(params, NULL, 0, (double[]){0.636409, 0.234122, 0.086129, 0.031685, 0.011656});
    params.xtc_probability = 0.38f;
    check_p(params, NULL, 0, (double[]){0, 0.643914, 0.236883, 0.087144, 0.032059});
}

static void top_n_sigma_keeps_the_upper_end(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("top_n_sigma");
    params.top_n_sigma = 1.0f;
    check_logits(params, NULL, 0, (double[]){3, 2, -INFINITY, -INFINITY, -INFINITY});
}

static void penalties_lower_what_occurred(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("penalties");
    params.repeat_penalty = 1.5f;
    params.frequency_penalty = 0.25f;
    params.presence_penalty = 0.5f;
    check_logits(params, (lm_token[]){0, 4, 4}, 3, (double[]){1.25, 2, 1, 0, -2.5});
    params.repeat_last_n = 2; /* the 0 falls out of the window */
    check_logits(params, (lm_token[]){0, 4, 4}, 3, (double[]){3, 2, 1, 0, -2.5});
}

static void dry_lowers_what_would_repeat(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral("dry");
    static const char *const none[] = {""};
    params.dry_breakers = none;
    params.dry_multiplier = 0.8f;
    params.dry_allowed_length = 1;
    check_logits(params, (lm_token[]){1, 2, 3, 1, 2, 4, 1, 2}, 8, (double[]){3, 2, 1, -1.4, -2.4});
}

static void dry_on_equal_probabilities(void **state) {
    (void)state;
    static const char *const names[] = {"a", "b", "c", "|", "e"};
    static const char *const breakers[] = {"|"};
    test_texts texts = {names, 5, 5};
    lm_sampler_vocab vocab = test_vocab(&texts);
    lm_sampler_params params = test_neutral("dry");
    params.dry_breakers = breakers;
    params.n_dry_breakers = 1;
    params.dry_multiplier = 2.0f;
    params.dry_base = 1.1f;
    params.dry_allowed_length = 2;
    params.dry_last_n = 5;
    for (int with_breaker = 0; with_breaker < 2; with_breaker++) {
        float logits[N] = {0};
        double p[N];
        static const double expected[2][N] = {{0.241818, 0.241818, 0.032727, 0.241818, 0.241818},
                                              {0.2, 0.2, 0.2, 0.2, 0.2}};
        if (with_breaker) params.dry_multiplier = 1.0f, params.dry_last_n = 6;
        lm_chain *chain = test_chain_vocab(&params, &vocab);
        if (with_breaker)
            test_accept(chain, (lm_token[]){0, 1, 3, 4, 0, 1}, 6);
        else
            test_accept(chain, (lm_token[]){0, 1, 2, 0, 1}, 5);
        assert_int_equal(lm_chain_apply(chain, logits, N), LM_OK);
        test_softmax(logits, N, p);
        for (size_t i = 0; i < N; i++) assert_near(p[i], expected[with_breaker][i], 1e-6);
        lm_chain_destroy(chain);
    }
}

/* The candidates after the selecting member, as a caller sees them. */
static size_t picked_list(lm_sampler_params *params, lm_token *token, double *p, size_t n_picks) {
    params->n_probs = N;
    params->probs_after = 1;
    lm_chain *chain = test_chain(params, N);
    const lm_token_prob *probs;
    lm_token_prob picked;
    size_t n;
    for (size_t i = 0; i < n_picks; i++) {
        *token = test_pick(chain, base_logits, N);
        test_accept(chain, token, 1);
    }
    assert_true(lm_chain_probs(chain, &probs, &n, &picked));
    for (size_t i = 0; i < N; i++) p[i] = 0;
    for (size_t i = 0; i < n; i++) p[probs[i].token] = probs[i].p;
    assert_int_equal(picked.token, *token);
    assert_near(picked.p, p[*token], 1e-6);
    lm_chain_destroy(chain);
    return n;
}

static void mirostat_v2_cuts_at_mu(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral(NULL);
    lm_token token;
    double p[N];
    params.mirostat = 2;
    params.mirostat_tau = 1.0f;
    assert_int_equal(picked_list(&params, &token, p, 1), 1);
    assert_int_equal(token, 0);
    /* mu = 2.1 after that; token 1 has a surprise of 2.0947. */
    assert_int_equal(picked_list(&params, &token, p, 2), 2);
    assert_near(p[0], 0.731059, 1e-6);
    assert_near(p[1], 0.268941, 1e-6);
}

static void mirostat_v1_estimates_k(void **state) {
    (void)state;
    lm_sampler_params params = test_neutral(NULL);
    lm_token token;
    double p[N];
    params.mirostat = 1;
    params.mirostat_tau = 1.0f;
    assert_int_equal(picked_list(&params, &token, p, 1), 2);
    assert_near(p[0], 0.731059, 1e-6);
}

static void adaptive_p_reshapes_around_its_aim(void **state) {
    (void)state;
    static const float expected_logits[N] = {-0.927574f, 4.604608f, 2.032916f, 0.777402f, 0.289481f};
    lm_sampler_params params = test_neutral("adaptive_p");
    double p[N], expected[N];
    lm_token token;
    params.adaptive_target = 0.3f;
    test_softmax(expected_logits, N, expected);
    assert_int_equal(picked_list(&params, &token, p, 1), N);
    for (size_t i = 0; i < N; i++) assert_near(p[i], expected[i], 2e-6);
    /* After accepting a token of original probability q: S = q + 2.7, W = 10; the next aim is 0.6 - S / W. */
    static const double original[N] = {0.636409, 0.234122, 0.086129, 0.031685, 0.011656};
    double aim = 0.6 - (original[token] + 2.7) / 10;
    float logits[N];
    for (size_t i = 0; i < N; i++) {
        double x = fabs(original[i] - aim) / 0.3;
        logits[i] = (float)(5 - 10 * x * x / (1 + x));
    }
    test_softmax(logits, N, expected);
    lm_token second;
    picked_list(&params, &second, p, 2);
    for (size_t i = 0; i < N; i++) assert_near(p[i], expected[i], 5e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(temperature_divides),           cmocka_unit_test(dynamic_temperature_follows_the_entropy),
        cmocka_unit_test(top_k_keeps_the_largest),       cmocka_unit_test(top_p_keeps_the_nucleus),
        cmocka_unit_test(min_p_keeps_the_likely),        cmocka_unit_test(typical_keeps_what_is_near_the_entropy),
        cmocka_unit_test(xtc_removes_the_top_choices),   cmocka_unit_test(top_n_sigma_keeps_the_upper_end),
        cmocka_unit_test(penalties_lower_what_occurred), cmocka_unit_test(dry_lowers_what_would_repeat),
        cmocka_unit_test(dry_on_equal_probabilities),    cmocka_unit_test(mirostat_v2_cuts_at_mu),
        cmocka_unit_test(mirostat_v1_estimates_k),       cmocka_unit_test(adaptive_p_reshapes_around_its_aim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
