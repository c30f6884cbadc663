/* SPDX-License-Identifier: MIT
 * typ_p (locally typical): order the entries by how far their surprise lies from the entropy and keep them until their
 * probabilities exceed P. The survivors stay in that order. */
#include "sampler_internal.h"

#include <math.h>

typedef struct typical {
    float p;
    size_t min_keep;
} typical;

static lm_status apply(void *state, lm_candidates *c) {
    const typical *own = state;
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    lm_candidates_top(c, c->count);
    status = lm_candidates_softmax(c, NULL);
    if (status != LM_OK) return status;
    double entropy = lm_candidates_entropy(c);
    for (size_t i = 0; i < c->count; i++) {
        float shift = c->p[i] > 0.0f ? (float)fabs(-lm_ln(c->p[i]) - entropy) : (float)INFINITY;
        c->keys[i] = (uint64_t)lm_ordered_from_float(shift) << 32 | (uint32_t)i;
    }
    lm_sort_prefix(c->keys, c->count, c->count);
    float sum = 0.0f;
    size_t n = 0;
    while (n < c->count) {
        sum += c->p[(uint32_t)c->keys[n++]];
        if (sum > own->p && n >= own->min_keep) break;
    }
    for (size_t i = 0; i < n; i++) {
        size_t from = (uint32_t)c->keys[i];
        c->keys[i] = lm_candidate_key(c->logits[from], lm_candidates_id(c, from));
    }
    lm_candidates_take(c, n);
    c->order = LM_LIST_ORDER_NONE;
    c->is_scanned = false; /* the most likely entry may be gone */
    return LM_OK;
}

static const lm_sampler_ops ops = {"typ_p", apply, NULL, NULL, NULL, NULL};

lm_status lm_sampler_typical_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    if (setup->params->typical_p >= 1.0f) return LM_OK;
    typical state = {setup->params->typical_p, (size_t)setup->params->min_keep};
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
