/* SPDX-License-Identifier: MIT
 * mirostat, version 1: estimate the exponent s of the tail from the most likely entries, derive from it how many entries
 * give the wished surprise mu, draw among them, and correct mu by the surprise that came out.
 *
 * The estimate is undefined for one entry, for a flat head (s = 0), and where the formula leaves the numbers; then all
 * entries are kept. */
#include "sampler_internal.h"

#include "../base/checked.h"

#define HEAD ((size_t)100) /* entries that the estimate looks at */

typedef struct mirostat {
    float tau, eta, mu;
    int32_t n_vocab;
    uint32_t seed;
    lm_random random;
} mirostat;

/* How many entries to keep; keys[0 .. n_head) are in order, n entries in all. */
static size_t wished_count(const mirostat *own, const uint64_t *keys, size_t n_head, size_t n) {
    double weighted = 0.0, squares = 0.0;
    for (size_t i = 0; i + 1 < n_head; i++) {
        double t = lm_ln((double)(i + 2) / (double)(i + 1));
        double b = (double)lm_candidate_key_logit(keys[i]) - (double)lm_candidate_key_logit(keys[i + 1]); /* ln p/p' */
        if (!(b < 1e300)) break; /* the rest is masked */
        weighted += t * b;
        squares += t * t;
    }
    if (!(squares > 0.0)) return n;
    double s = weighted / squares, epsilon = s - 1.0;
    if (!(s > 0.0) || epsilon == 0.0) return n;
    double base = epsilon * lm_exp_double(own->mu * lm_ln(2.0)) / (1.0 - lm_pow(own->n_vocab, -epsilon));
    double k = base > 0.0 ? lm_pow(base, 1.0 / s) : -1.0;
    if (!(k >= 0.0 && k < (double)n)) return n;
    return lm_size_max((size_t)k, 1);
}

static lm_status apply(void *state, lm_candidates *c) {
    mirostat *own = state;
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    size_t n_head = lm_size_min(HEAD, c->count);
    lm_candidates_rank_all(c);
    lm_sort_prefix(c->keys, c->count, n_head);
    size_t n = wished_count(own, c->keys, n_head, c->count);
    if (n > n_head) lm_sort_prefix(c->keys + n_head, c->count - n_head, n - n_head);
    lm_candidates_take(c, n);
    status = lm_candidates_softmax(c, NULL);
    if (status != LM_OK) return status;
    c->selected = lm_candidates_draw(c, &own->random);
    float surprise = (float)(-lm_ln(c->p[c->selected]) / lm_ln(2.0));
    own->mu -= own->eta * (surprise - own->tau);
    return LM_OK;
}

static void reset(void *state) {
    mirostat *own = state;
    own->mu = 2.0f * own->tau;
    lm_random_seed(&own->random, own->seed);
}

static const lm_sampler_ops ops = {"mirostat", apply, NULL, reset, NULL, NULL};

lm_status lm_sampler_mirostat_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    const lm_sampler_params *params = setup->params;
    mirostat state = {params->mirostat_tau, params->mirostat_eta, 0.0f, setup->vocab->n_vocab, setup->seed, {{0}, 0}};
    reset(&state);
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
