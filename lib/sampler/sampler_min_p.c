/* SPDX-License-Identifier: MIT
 * min_p: keep the entries at least P times as likely as the most likely one, that is logit >= max + ln P. */
#include "sampler_internal.h"

#include "../base/checked.h"

typedef struct min_p {
    float log_p;
    size_t min_keep;
} min_p;

static lm_status apply(void *state, lm_candidates *c) {
    const min_p *own = state;
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    float threshold = c->max + own->log_p;
    size_t n_kept = 0;
    for (size_t i = 0; i < c->count; i++) n_kept += c->logits[i] >= threshold;
    size_t least = lm_size_max(1, own->min_keep);
    if (n_kept < least)
        lm_candidates_top(c, least);
    else if (n_kept < c->count)
        lm_candidates_keep_above(c, threshold);
    return LM_OK;
}

static const lm_sampler_ops ops = {"min_p", apply, NULL, NULL, NULL, NULL};

lm_status lm_sampler_min_p_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    if (setup->params->min_p <= 0.0f) return LM_OK;
    min_p state = {(float)lm_ln(setup->params->min_p), (size_t)setup->params->min_keep};
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
