/* SPDX-License-Identifier: MIT
 * top_n_sigma: remove the entries that lie more than n standard deviations of the logits below the largest logit. Masked
 * entries take no part in the statistics and are removed. */
#include "sampler_internal.h"

#include <float.h>

typedef struct top_n_sigma {
    float n;
} top_n_sigma;

static lm_status apply(void *state, lm_candidates *c) {
    if (c->count <= 1) return LM_OK;
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    double sum = 0.0, squares = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (!(c->logits[i] >= -FLT_MAX)) continue;
        sum += c->logits[i];
        n++;
    }
    double mean = sum / (double)n;
    for (size_t i = 0; i < c->count; i++) {
        if (!(c->logits[i] >= -FLT_MAX)) continue;
        double distance = c->logits[i] - mean;
        squares += distance * distance;
    }
    double threshold = c->max - ((const top_n_sigma *)state)->n * lm_sqrt(squares / (double)n);
    lm_candidates_keep_above(c, threshold > -FLT_MAX ? (float)threshold : -FLT_MAX);
    return LM_OK;
}

static const lm_sampler_ops ops = {"top_n_sigma", apply, NULL, NULL, NULL, NULL};

lm_status lm_sampler_top_n_sigma_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    if (setup->params->top_n_sigma <= 0.0f) return LM_OK;
    top_n_sigma state = {setup->params->top_n_sigma};
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
