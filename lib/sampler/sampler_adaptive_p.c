/* SPDX-License-Identifier: MIT
 * adaptive_p: reshape the distribution around a probability that makes the running average of the chosen tokens'
 * probabilities approach a target, then draw. The average moves when the drawn token is accepted, and by its original
 * probability. */
#include "sampler_internal.h"

#include <math.h>
#include <string.h>

typedef struct adaptive_p {
    float target, decay;
    float sum, weight; /* the running average is sum / weight */
    lm_token pending;  /* drawn, not yet accepted; or LM_TOKEN_NONE */
    float pending_p;
    uint32_t seed;
    lm_random random;
} adaptive_p;

static float clamp(float x) { return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x; }

static lm_status apply(void *state, lm_candidates *c) {
    adaptive_p *own = state;
    own->pending = LM_TOKEN_NONE;
    lm_status status = lm_candidates_softmax(c, NULL);
    if (status != LM_OK) return status;
    if (own->target < 0.0f) {
        c->selected = lm_candidates_draw(c, &own->random);
        return LM_OK;
    }
    float aim = own->target;
    if (own->weight != 0.0f) aim = clamp(2.0f * clamp(own->target) - own->sum / own->weight);
    float *logits = lm_candidates_edit(c);
    float *original = (float *)(void *)c->keys; /* scratch; nothing below ranks */
    memcpy(original, c->p, c->count * sizeof *original);
    for (size_t i = 0; i < c->count; i++) {
        if (logits[i] == -INFINITY) continue;
        float x = fabsf(original[i] - aim) / 0.3f;
        logits[i] = 5.0f - 10.0f * x * x / (1.0f + x);
    }
    status = lm_candidates_softmax(c, NULL);
    if (status != LM_OK) return status;
    c->selected = lm_candidates_draw(c, &own->random);
    own->pending = lm_candidates_id(c, c->selected);
    own->pending_p = original[c->selected];
    return LM_OK;
}

static lm_status accept(void *state, lm_token token, lm_accept_role role) {
    adaptive_p *own = state;
    if (role != LM_ACCEPT_ROLE_GENERATED || own->pending == LM_TOKEN_NONE || token != own->pending) return LM_OK;
    own->sum = own->pending_p + own->decay * own->sum;
    own->weight = 1.0f + own->decay * own->weight;
    own->pending = LM_TOKEN_NONE;
    return LM_OK;
}

static void reset(void *state) {
    adaptive_p *own = state;
    own->sum = own->target / (1.0f - own->decay);
    own->weight = 1.0f / (1.0f - own->decay);
    own->pending = LM_TOKEN_NONE;
    lm_random_seed(&own->random, own->seed);
}

static const lm_sampler_ops ops = {"adaptive_p", apply, accept, reset, NULL, NULL};

lm_status lm_sampler_adaptive_p_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    const lm_sampler_params *params = setup->params;
    adaptive_p state = {params->adaptive_target, params->adaptive_decay, 0, 0, LM_TOKEN_NONE, 0, setup->seed, {{0}, 0}};
    reset(&state);
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
