/* SPDX-License-Identifier: MIT
 * mirostat, version 2: keep the entries whose surprise is at most mu, draw among them, and correct mu by the surprise that
 * came out. */
#include "sampler_internal.h"

#include <float.h>

typedef struct mirostat_v2 {
    float tau, eta, mu;
    uint32_t seed;
    lm_random random;
} mirostat_v2;

static lm_status apply(void *state, lm_candidates *c) {
    mirostat_v2 *own = state;
    double total;
    lm_status status = lm_candidates_softmax(c, &total);
    if (status != LM_OK) return status;
    /* -log2 p <= mu, with p = e^(logit - max) / total. The best entry always stays. */
    double threshold = c->max + lm_ln(total) - own->mu * lm_ln(2.0);
    if (threshold > c->max) threshold = c->max;
    lm_candidates_keep_above(c, threshold > -FLT_MAX ? (float)threshold : -FLT_MAX);
    lm_candidates_top(c, threshold < c->max ? c->count : 1);
    status = lm_candidates_softmax(c, NULL);
    if (status != LM_OK) return status;
    c->selected = lm_candidates_draw(c, &own->random);
    float surprise = (float)(-lm_ln(c->p[c->selected]) / lm_ln(2.0));
    own->mu -= own->eta * (surprise - own->tau);
    return LM_OK;
}

static void reset(void *state) {
    mirostat_v2 *own = state;
    own->mu = 2.0f * own->tau;
    lm_random_seed(&own->random, own->seed);
}

static const lm_sampler_ops ops = {"mirostat_v2", apply, NULL, reset, NULL, NULL};

lm_status lm_sampler_mirostat_v2_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    const lm_sampler_params *params = setup->params;
    mirostat_v2 state = {params->mirostat_tau, params->mirostat_eta, 0.0f, setup->seed, {{0}, 0}};
    reset(&state);
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
