/* SPDX-License-Identifier: MIT
 * top_p (nucleus): keep the shortest run of most likely entries whose probabilities sum to P. The list is ordered only as
 * far as the run reaches, in steps that grow, so a whole vocabulary is rarely sorted. */
#include "sampler_internal.h"

#include "../base/checked.h"

#define FIRST_STEP ((size_t)128)

typedef struct top_p {
    float p;
    size_t min_keep;
} top_p;

static lm_status apply(void *state, lm_candidates *c) {
    const top_p *own = state;
    double total;
    lm_status status = lm_candidates_softmax(c, &total);
    if (status != LM_OK) return status;
    float sum = 0.0f, scale = (float)(1.0 / total);
    size_t n = 0;
    bool is_sorted = c->order == LM_LIST_ORDER_LOGIT;
    if (!is_sorted) lm_candidates_rank_all(c);
    for (size_t ordered = 0, step = FIRST_STEP; n < c->count; step *= 4) {
        size_t end = is_sorted ? c->count : lm_size_min(ordered + step, c->count);
        if (!is_sorted) lm_sort_prefix(c->keys + ordered, c->count - ordered, end - ordered);
        ordered = end;
        for (bool is_enough = false; n < ordered && !is_enough;) {
            sum += is_sorted ? c->p[n] : lm_exp_float(lm_candidate_key_logit(c->keys[n]) - c->max) * scale;
            n++;
            is_enough = sum >= own->p && n >= own->min_keep;
            if (is_enough) {
                if (is_sorted)
                    lm_candidates_cut(c, n);
                else
                    lm_candidates_take(c, n);
                return LM_OK;
            }
        }
    }
    if (!is_sorted) lm_candidates_take(c, n);
    return LM_OK;
}

static const lm_sampler_ops ops = {"top_p", apply, NULL, NULL, NULL, NULL};

lm_status lm_sampler_top_p_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    if (setup->params->top_p >= 1.0f) return LM_OK;
    top_p state = {setup->params->top_p, (size_t)setup->params->min_keep};
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
