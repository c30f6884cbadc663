/* SPDX-License-Identifier: MIT
 * top_k: keep the k largest logits. */
#include "sampler_internal.h"

typedef struct top_k {
    size_t k;
} top_k;

static lm_status apply(void *state, lm_candidates *c) {
    lm_status status = lm_candidates_scan(c); /* the column maxima make the selection cheap */
    if (status == LM_OK) lm_candidates_top(c, ((const top_k *)state)->k);
    return status;
}

static const lm_sampler_ops ops = {"top_k", apply, NULL, NULL, NULL, NULL};

lm_status lm_sampler_top_k_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    if (setup->params->top_k <= 0) return LM_OK;
    top_k state = {(size_t)setup->params->top_k};
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
