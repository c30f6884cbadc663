/* SPDX-License-Identifier: MIT
 * lm/sampler.h through the shared library: good arguments accepted, bad ones refused with their name, state unchanged
 * after an error. */
#include "check.h"

#include <math.h>

#include <lm/sampler.h>

#define N 6
static const float logits[N] = {0.5f, 2.0f, -1.0f, 0.0f, 1.5f, -3.0f};

static lm_sampler *create(const lm_sampler_params *params) {
    lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
    lm_error error;
    lm_sampler *sampler = NULL;
    vocab.n_vocab = N;
    if (lm_sampler_create(params, &vocab, &sampler, &error) != LM_OK) fail_msg("%s", error.message);
    return sampler;
}

static void expect_refused(const lm_sampler_params *params, lm_status status, const char *name) {
    lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
    lm_error error = {0};
    lm_sampler *sampler = NULL;
    vocab.n_vocab = N;
    int got = lm_sampler_create(params, &vocab, &sampler, &error);
    if (got != (int)status || !strstr(error.message, name))
        fail_msg("%s: status %s, \"%s\"", name, lm_status_name(got), error.message);
    assert_int_equal(error.status, status);
    assert_null(sampler);
    assert_null(strchr(error.message, '\n'));
}

static void defaults_give_likely_tokens(void **state) {
    (void)state;
    lm_sampler *sampler = create(NULL);
    for (int i = 0; i < 200; i++) {
        lm_token token = -5;
        assert_int_equal(lm_sampler_pick(sampler, logits, N, &token), LM_OK);
        assert_true(token == 0 || token == 1 || token == 3 || token == 4);
        assert_int_equal(lm_sampler_accept(sampler, token), LM_OK);
    }
    lm_sampler_destroy(sampler);
    lm_sampler_destroy(NULL);
}

static void seed_decides_and_is_reported(void **state) {
    (void)state;
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    lm_sampler *any = create(&params);
    params.seed = lm_sampler_seed(any);
    assert_int_not_equal(params.seed, LM_SEED_RANDOM);
    lm_sampler *same = create(&params), *clone = NULL;
    assert_int_equal(lm_sampler_seed(same), params.seed);
    for (int i = 0; i < 100; i++) {
        lm_token a, b;
        assert_int_equal(lm_sampler_pick(any, logits, N, &a), LM_OK);
        assert_int_equal(lm_sampler_pick(same, logits, N, &b), LM_OK);
        assert_int_equal(a, b);
    }
    assert_int_equal(lm_sampler_clone(any, &clone), LM_OK);
    lm_token a, b;
    assert_int_equal(lm_sampler_pick(any, logits, N, &a), LM_OK);
    assert_int_equal(lm_sampler_pick(clone, logits, N, &b), LM_OK);
    assert_int_equal(a, b);
    lm_sampler_destroy(any);
    lm_sampler_destroy(same);
    lm_sampler_destroy(clone);
}

static void each_bad_number_is_named(void **state) {
    (void)state;
#define REFUSED(field, value)                                                                                          \
    do {                                                                                                               \
        lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;                                                             \
        params.field = (value);                                                                                        \
        expect_refused(&params, LM_ERR_RANGE, #field);                                                                 \
    } while (0)
#define REFUSED_FLOAT(field)                                                                                           \
    do {                                                                                                               \
        REFUSED(field, NAN);                                                                                           \
        REFUSED(field, INFINITY);                                                                                      \
        REFUSED(field, -INFINITY);                                                                                     \
    } while (0)
    REFUSED_FLOAT(temperature);
    REFUSED_FLOAT(dynatemp_range);
    REFUSED_FLOAT(dynatemp_exponent);
    REFUSED_FLOAT(top_p);
    REFUSED_FLOAT(min_p);
    REFUSED_FLOAT(typical_p);
    REFUSED_FLOAT(top_n_sigma);
    REFUSED_FLOAT(xtc_probability);
    REFUSED_FLOAT(xtc_threshold);
    REFUSED_FLOAT(repeat_penalty);
    REFUSED_FLOAT(frequency_penalty);
    REFUSED_FLOAT(presence_penalty);
    REFUSED_FLOAT(dry_multiplier);
    REFUSED_FLOAT(dry_base);
    REFUSED_FLOAT(mirostat_tau);
    REFUSED_FLOAT(mirostat_eta);
    REFUSED_FLOAT(adaptive_target);
    REFUSED_FLOAT(adaptive_decay);
    REFUSED(top_p, -0.1f);
    REFUSED(typical_p, -0.1f);
    REFUSED(repeat_penalty, 0.0f);
    REFUSED(repeat_penalty, -1.0f);
    REFUSED(repeat_penalty, 1e-45f);
    REFUSED(mirostat_tau, 0.0f);
    REFUSED(adaptive_decay, 1.0f);
    REFUSED(adaptive_decay, -0.1f);
    REFUSED(min_keep, -1);
    REFUSED(repeat_last_n, -1);
    REFUSED(repeat_last_n, LM_SAMPLER_MAX_HISTORY + 1);
    REFUSED(dry_last_n, -1);
    REFUSED(dry_last_n, LM_SAMPLER_MAX_HISTORY + 1);
    REFUSED(dry_allowed_length, -1);
    REFUSED(mirostat, 3);
    REFUSED(mirostat, -1);
    REFUSED(n_probs, -1);
    REFUSED(reasoning_budget, -2);
}

static void each_bad_list_is_named(void **state) {
    (void)state;
    static const char *const orders[] = {"foo", "top_k;foo", "kz", "temperature;x y z q", "top_kk"};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
        params.order = orders[i];
        expect_refused(&params, LM_ERR_ARGUMENT, "order");
    }
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    params.order = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
    expect_refused(&params, LM_ERR_RANGE, "order");
    params = (lm_sampler_params)LM_SAMPLER_PARAMS_INIT;
    params.order = "infill";
    expect_refused(&params, LM_ERR_ARGUMENT, "order");

    static const lm_logit_bias outside[] = {{N, 1.0f}}, infinite[] = {{0, INFINITY}}, nan_bias[] = {{0, NAN}};
    params = (lm_sampler_params)LM_SAMPLER_PARAMS_INIT;
    params.n_biases = 1;
    expect_refused(&params, LM_ERR_ARGUMENT, "biases");
    params.biases = outside;
    expect_refused(&params, LM_ERR_RANGE, "biases");
    params.biases = infinite;
    expect_refused(&params, LM_ERR_RANGE, "biases");
    params.biases = nan_bias;
    expect_refused(&params, LM_ERR_RANGE, "biases");

    params = (lm_sampler_params)LM_SAMPLER_PARAMS_INIT;
    params.ignore_eos = 1;
    expect_refused(&params, LM_ERR_ARGUMENT, "ignore_eos");
    params = (lm_sampler_params)LM_SAMPLER_PARAMS_INIT;
    params.dry_multiplier = 1.0f;
    expect_refused(&params, LM_ERR_ARGUMENT, "dry_breakers");
    static const char *const hole[] = {NULL};
    params.dry_breakers = hole;
    params.n_dry_breakers = 1;
    expect_refused(&params, LM_ERR_ARGUMENT, "dry_breakers");
    params.n_dry_breakers = LM_SAMPLER_MAX_BREAKERS + 1;
    expect_refused(&params, LM_ERR_RANGE, "n_dry_breakers");

    static const lm_token tag[] = {1}, bad_tag[] = {-1};
    static const lm_token_span ends[] = {{tag, 1}}, empty[] = {{tag, 0}};
    params = (lm_sampler_params)LM_SAMPLER_PARAMS_INIT;
    params.reasoning_budget = 3;
    expect_refused(&params, LM_ERR_ARGUMENT, "reasoning_budget");
    params.reasoning_start = (lm_token_span){bad_tag, 1};
    expect_refused(&params, LM_ERR_RANGE, "reasoning_start");
    params.reasoning_start = (lm_token_span){NULL, 1};
    expect_refused(&params, LM_ERR_ARGUMENT, "reasoning_start");
    params.reasoning_start = (lm_token_span){tag, LM_SAMPLER_MAX_TAG_TOKENS + 1};
    expect_refused(&params, LM_ERR_RANGE, "reasoning_start");
    params.reasoning_start = (lm_token_span){tag, 1};
    expect_refused(&params, LM_ERR_ARGUMENT, "reasoning_ends");
    params.reasoning_ends = empty;
    params.n_reasoning_ends = 1;
    expect_refused(&params, LM_ERR_ARGUMENT, "reasoning_ends");
    params.reasoning_ends = ends;
    params.reasoning_forced = (lm_token_span){bad_tag, 1};
    expect_refused(&params, LM_ERR_RANGE, "reasoning_forced");
}

static void struct_sizes_follow_the_rule(void **state) {
    (void)state;
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    params.struct_size = 0;
    expect_refused(&params, LM_ERR_ARGUMENT, "lm_sampler_params");
    /* An older caller whose struct ended before temperature. */
    params = (lm_sampler_params)LM_SAMPLER_PARAMS_INIT;
    params.temperature = NAN;
    params.struct_size = (uint32_t)offsetof(lm_sampler_params, temperature);
    lm_sampler_destroy(create(&params));
}

static void bad_vocabulary_is_refused(void **state) {
    (void)state;
    static const lm_token outside[] = {N};
    lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
    lm_sampler *sampler = NULL;
    lm_error error;
    assert_int_equal(lm_sampler_create(NULL, &vocab, &sampler, &error), LM_ERR_RANGE);
    assert_non_null(strstr(error.message, "n_vocab"));
    vocab.n_vocab = (1 << 24) + 1;
    assert_int_equal(lm_sampler_create(NULL, &vocab, &sampler, &error), LM_ERR_LIMIT);
    assert_string_equal(error.message, "n_vocab: 16777217; at most 16777216 are supported");
    assert_int_equal(lm_sampler_create(NULL, NULL, &sampler, &error), LM_ERR_ARGUMENT);
    vocab.n_vocab = N;
    assert_int_equal(lm_sampler_create(NULL, &vocab, NULL, &error), LM_ERR_ARGUMENT);
    vocab.suppressed = outside;
    vocab.n_suppressed = 1;
    assert_int_equal(lm_sampler_create(NULL, &vocab, &sampler, &error), LM_ERR_RANGE);
    assert_non_null(strstr(error.message, "suppressed"));
    assert_null(sampler);
}

static int32_t last_is_eog(void *user, lm_token token) {
    (void)user;
    return token == 1;
}

static void biased_and_suppressed_tokens_are_not_picked(void **state) {
    (void)state;
    static const lm_logit_bias biases[] = {{4, -INFINITY}, {3, 50.0f}, {3, -40.0f}};
    static const lm_token suppressed[] = {0};
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
    lm_sampler *sampler;
    float row[N];
    params.temperature = 0.0f;
    params.biases = biases;
    params.n_biases = 3;
    params.ignore_eos = 1;
    params.order = "";
    vocab.n_vocab = N;
    vocab.suppressed = suppressed;
    vocab.n_suppressed = 1;
    vocab.is_eog = last_is_eog;
    assert_int_equal(lm_sampler_create(&params, &vocab, &sampler, NULL), LM_OK);
    memcpy(row, logits, sizeof row);
    assert_int_equal(lm_sampler_apply(sampler, row, N), LM_OK);
    static const float expected[N] = {-INFINITY, -INFINITY, -1.0f, 10.0f, -INFINITY, -3.0f};
    assert_memory_equal(row, expected, sizeof row);
    lm_sampler_destroy(sampler);
}

static void bad_calls_leave_everything_unchanged(void **state) {
    (void)state;
    static const float masked[N] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY};
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    params.seed = 7;
    params.n_probs = 2;
    params.repeat_penalty = 1.5f;
    lm_sampler *sampler = create(&params), *mirror = create(&params);
    lm_token token = -9, other;
    assert_int_equal(lm_sampler_candidates(sampler, NULL, NULL, NULL), LM_ERR_STATE);
    assert_int_equal(lm_sampler_pick(sampler, logits, N + 1, &token), LM_ERR_ARGUMENT);
    assert_int_equal(lm_sampler_pick(sampler, logits, 0, &token), LM_ERR_ARGUMENT);
    assert_int_equal(lm_sampler_pick(sampler, NULL, N, &token), LM_ERR_ARGUMENT);
    assert_int_equal(lm_sampler_pick(sampler, logits, N, NULL), LM_ERR_ARGUMENT);
    assert_string_equal(lm_sampler_message(sampler), "out is NULL");
    assert_int_equal(lm_sampler_set_limit(sampler, -2), LM_ERR_ARGUMENT);
    assert_string_equal(lm_sampler_message(sampler), "a limit below -1");
    assert_int_equal(lm_sampler_pick(NULL, logits, N, &token), LM_ERR_ARGUMENT);
    assert_int_equal(lm_sampler_pick(sampler, masked, N, &token), LM_ERR_RANGE);
    assert_string_not_equal(lm_sampler_message(sampler), "");
    assert_int_equal(lm_sampler_accept(sampler, N), LM_ERR_RANGE);
    assert_string_equal(lm_sampler_message(sampler), "token 6 is outside the vocabulary");
    assert_int_equal(lm_sampler_accept(sampler, -1), LM_ERR_RANGE);
    assert_int_equal(lm_sampler_accept_prompt(sampler, (lm_token[]){1, 2, N}, 3, 0), LM_ERR_RANGE);
    assert_int_equal(lm_sampler_accept_prompt(sampler, (lm_token[]){1}, 1, 2), LM_ERR_ARGUMENT);
    assert_int_equal(lm_sampler_accept_prompt(sampler, NULL, 1, 0), LM_ERR_ARGUMENT);
    assert_int_equal(lm_sampler_end_reasoning(sampler), LM_ERR_STATE);
    assert_int_equal(lm_sampler_clone(sampler, NULL), LM_ERR_ARGUMENT);
    assert_int_equal(token, -9);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(lm_sampler_pick(sampler, logits, N, &token), LM_OK);
        assert_int_equal(lm_sampler_pick(mirror, logits, N, &other), LM_OK);
        assert_int_equal(token, other);
    }
    const lm_token_prob *probs;
    lm_token_prob picked;
    size_t n;
    assert_int_equal(lm_sampler_candidates(sampler, &probs, &n, &picked), LM_OK);
    assert_int_equal(n, 2);
    assert_int_equal(probs[0].token, 1);
    assert_int_equal(probs[1].token, 4);
    assert_int_equal(picked.token, token);
    lm_sampler_reset(sampler);
    assert_int_equal(lm_sampler_candidates(sampler, &probs, &n, &picked), LM_ERR_STATE);
    lm_sampler_destroy(sampler);
    lm_sampler_destroy(mirror);
}

static void prompt_counts_for_the_penalties(void **state) {
    (void)state;
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    params.order = "penalties";
    params.presence_penalty = 0.5f;
    lm_sampler *sampler = create(&params);
    float row[N];
    assert_int_equal(lm_sampler_accept_prompt(sampler, (lm_token[]){1, 1, 3}, 3, 1), LM_OK);
    memcpy(row, logits, sizeof row);
    assert_int_equal(lm_sampler_apply(sampler, row, N), LM_OK);
    static const float expected[N] = {0.5f, 1.5f, -1.0f, -0.5f, 1.5f, -3.0f};
    assert_memory_equal(row, expected, sizeof row);
    lm_sampler_destroy(sampler);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_give_likely_tokens),
        cmocka_unit_test(seed_decides_and_is_reported),
        cmocka_unit_test(each_bad_number_is_named),
        cmocka_unit_test(each_bad_list_is_named),
        cmocka_unit_test(struct_sizes_follow_the_rule),
        cmocka_unit_test(bad_vocabulary_is_refused),
        cmocka_unit_test(biased_and_suppressed_tokens_are_not_picked),
        cmocka_unit_test(bad_calls_leave_everything_unchanged),
        cmocka_unit_test(prompt_counts_for_the_penalties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
