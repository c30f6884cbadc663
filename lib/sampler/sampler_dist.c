/* SPDX-License-Identifier: MIT
 * dist: the final draw. One entry is taken without drawing; greedy decoding is a list that temperature cut to one. */
#include "sampler_internal.h"

typedef struct dist {
    uint32_t seed;
    lm_random random;
} dist;

static lm_status apply(void *state, lm_candidates *c) {
    lm_status status = lm_candidates_softmax(c, NULL);
    if (status == LM_OK) c->selected = lm_candidates_draw(c, &((dist *)state)->random);
    return status;
}

static void reset(void *state) {
    dist *own = state;
    lm_random_seed(&own->random, own->seed);
}

static const lm_sampler_ops ops = {"dist", apply, NULL, reset, NULL, NULL};

lm_status lm_sampler_dist_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    dist state = {setup->seed, {{0}, 0}};
    reset(&state);
    return lm_sampler_member_create(setup->env, &ops, &state, sizeof state, out);
}
