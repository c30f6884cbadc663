/* SPDX-License-Identifier: MIT
 * A chain under a counting allocator, and a vocabulary of given texts, for the tests of the sampler room. */
#ifndef LM_TESTS_SAMPLER_SUPPORT_H
#define LM_TESTS_SAMPLER_SUPPORT_H

#include "check.h"
#include "counting.h"

#include <math.h>

#include "sampler/sampler.h"

#define TEST_SEED 42u

typedef struct test_texts {
    const char *const *texts;
    lm_token n_texts, first_eog; /* tokens from first_eog on end a generation */
} test_texts;

static inline const char *test_piece(void *user, lm_token token, int32_t special, size_t *length) {
    const test_texts *texts = user;
    if (token >= texts->first_eog && !special) {
        *length = 0;
        return "";
    }
    *length = strlen(texts->texts[token]);
    return texts->texts[token];
}

/* Longest match first. */
static inline int32_t test_tokenize(void *user, const char *text, size_t length, lm_token *out, size_t capacity) {
    const test_texts *texts = user;
    int32_t n = 0;
    while (length) {
        lm_token best = LM_TOKEN_NONE;
        size_t best_length = 0;
        for (lm_token t = 0; t < texts->first_eog; t++) {
            size_t l = strlen(texts->texts[t]);
            if (l > best_length && l <= length && memcmp(texts->texts[t], text, l) == 0) best = t, best_length = l;
        }
        if (best == LM_TOKEN_NONE) return -1;
        if ((size_t)n < capacity) out[n] = best;
        n++, text += best_length, length -= best_length;
    }
    return n;
}

static inline int32_t test_is_eog(void *user, lm_token token) { return token >= ((const test_texts *)user)->first_eog; }

static inline lm_sampler_vocab test_vocab(test_texts *texts) {
    lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
    vocab.n_vocab = texts->n_texts;
    vocab.user = texts;
    vocab.piece = test_piece;
    vocab.tokenize = test_tokenize;
    vocab.is_eog = test_is_eog;
    vocab.eot = texts->first_eog;
    return vocab;
}

/* All members off, seed 42. */
static inline lm_sampler_params test_neutral(const char *order) {
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    params.seed = TEST_SEED;
    params.order = order;
    params.temperature = 1.0f;
    params.top_k = 0;
    params.top_p = 1.0f;
    params.min_p = 0.0f;
    return params;
}

static inline lm_chain *test_chain_vocab(const lm_sampler_params *params, const lm_sampler_vocab *vocab) {
    lm_env env;
    lm_error error = {0};
    lm_chain *chain = NULL;
    lm_env_init(&env, NULL, NULL);
    if (lm_chain_create(&env, params, vocab, &chain, &error) != LM_OK) fail_msg("%s", error.message);
    return chain;
}

static inline lm_chain *test_chain(const lm_sampler_params *params, int32_t n_vocab) {
    lm_sampler_vocab vocab = LM_SAMPLER_VOCAB_INIT;
    vocab.n_vocab = n_vocab;
    return test_chain_vocab(params, &vocab);
}

static inline lm_token test_pick(lm_chain *chain, const float *logits, size_t n) {
    lm_token token = LM_TOKEN_NONE;
    if (lm_chain_pick(chain, logits, n, &token) != LM_OK) fail_msg("%s", lm_chain_message(chain));
    assert_in_range(token, 0, n - 1);
    return token;
}

static inline void test_accept(lm_chain *chain, const lm_token *tokens, size_t n) {
    for (size_t i = 0; i < n; i++) assert_int_equal(lm_chain_accept(chain, tokens[i], LM_ACCEPT_ROLE_GENERATED), LM_OK);
}

static inline void assert_near(double value, double expected, double tolerance) {
    if (value != expected && !(fabs(value - expected) <= tolerance))
        fail_msg("%.9g is not within %g of %.9g", value, tolerance, expected);
}

/* Softmax of a few logits in double. */
static inline void test_softmax(const float *logits, size_t n, double *p) {
    double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) max = logits[i] > max ? logits[i] : max;
    for (size_t i = 0; i < n; i++) sum += p[i] = exp(logits[i] - max);
    for (size_t i = 0; i < n; i++) p[i] /= sum;
}

#endif
