/* SPDX-License-Identifier: MIT
 * xtc (exclude top choices): with some probability remove all entries at least as likely as a threshold, except the least
 * likely of them. One random number is drawn on every call, so the sequence of numbers does not depend on the logits. */
#include "sampler_internal.h"

typedef struct xtc {
    float probability, threshold;
    size_t min_keep;
    uint32_t seed;
    lm_random random;
} xtc;

static lm_status apply(void *state, lm_candidates *c) {
    xtc *own = state;
    if (c->count < 2) return LM_OK;
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    if (lm_random_float(&own->random) > own->probability) return LM_OK;
    lm_candidates_top(c, c->count);
    status = lm_candidates_softmax(c, NULL);
    if (status != LM_OK) return status;
    size_t n_top = 0;
    while (n_top < c->count && c->p[n_top] >= own->threshold) n_top++;
    size_t drop = n_top ? n_top - 1 : 0;
    if (drop == 0 || c->count - drop < own->min_keep) return LM_OK;
    lm_token *ids;
    float *logits = lm_candidates_edit_ids(c, &ids);
    for (size_t i = drop; i < c->count; i++) {
        ids[i - drop] = ids[i];
        logits[i - drop] = logits[i];
    }
    c->count -= drop;
    c->order = LM_LIST_ORDER_LOGIT;
    return LM_OK;
}

static void reset(void *state) {
    xtc *own = state;
    lm_random_seed(&own->random, own->seed);
}

static const lm_sampler_ops ops = {"xtc", apply, NULL, reset, NULL, NULL};

lm_status lm_sampler_xtc_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    const lm_sampler_params *params = setup->params;
    if (params->xtc_probability <= 0.0f || params->xtc_threshold > 0.5f) return LM_OK;
    xtc state = {params->xtc_probability, params->xtc_threshold, (size_t)params->min_keep, setup->seed, {{0}, 0}};
    reset(&state);
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
