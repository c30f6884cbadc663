/* SPDX-License-Identifier: MIT
 * Inside the sampler room: what each member's file offers to the chain. A constructor makes the member that params asks
 * for; when params disables it, it leaves out->ops NULL, and the chain goes without it. */
#ifndef LM_SAMPLER_INTERNAL_H
#define LM_SAMPLER_INTERNAL_H

#include "sampler.h"

typedef struct lm_sampler_setup {
    const lm_env *env;
    const lm_sampler_params *params; /* checked */
    const lm_sampler_vocab *vocab;
    uint32_t seed;
    lm_error *error;
} lm_sampler_setup;

typedef lm_status lm_sampler_create_fn(const lm_sampler_setup *setup, lm_sampler_member *out);

/* Filters and modifiers. */
lm_sampler_create_fn lm_sampler_bias_create;
lm_sampler_create_fn lm_sampler_penalties_create;
lm_sampler_create_fn lm_sampler_dry_create;
lm_sampler_create_fn lm_sampler_top_n_sigma_create;
lm_sampler_create_fn lm_sampler_top_k_create;
lm_sampler_create_fn lm_sampler_typical_create;
lm_sampler_create_fn lm_sampler_top_p_create;
lm_sampler_create_fn lm_sampler_min_p_create;
lm_sampler_create_fn lm_sampler_xtc_create;
lm_sampler_create_fn lm_sampler_temperature_create;
lm_sampler_create_fn lm_sampler_infill_create;
/* Members that select. */
lm_sampler_create_fn lm_sampler_dist_create;
lm_sampler_create_fn lm_sampler_mirostat_create;
lm_sampler_create_fn lm_sampler_mirostat_v2_create;
lm_sampler_create_fn lm_sampler_adaptive_p_create;

/* A member whose state is a copy of bytes at state. */
lm_status lm_sampler_member_create(const lm_env *env, const lm_sampler_ops *ops, const void *state, size_t bytes,
                                   lm_sampler_member *out);
void lm_sampler_member_destroy(lm_sampler_member *member, const lm_env *env);
lm_status lm_sampler_member_clone(const lm_sampler_member *member, const lm_env *env, lm_sampler_member *out);

/* Check every field of params and the needs of the chosen members: a named sentence for the first that is wrong. */
lm_status lm_sampler_params_check(const lm_sampler_params *params, const lm_sampler_vocab *vocab, lm_error *error);

/* Parse an order list: constructors in order; is_adaptive when adaptive_p is named, which is not a list member itself. */
lm_status lm_sampler_order_parse(const char *order, lm_sampler_create_fn **members, size_t *n_members,
                                 bool *is_adaptive, lm_error *error);

/* The last capacity tokens, oldest overwritten first. The tokens lie elsewhere: tokens [capacity]. */
typedef struct lm_token_ring {
    size_t capacity, count, next;
} lm_token_ring;

/* true when a token fell out, which is then in *evicted. */
static inline bool lm_token_ring_push(lm_token_ring *ring, lm_token *tokens, lm_token token, lm_token *evicted) {
    bool is_full = ring->count == ring->capacity;
    if (is_full)
        *evicted = tokens[ring->next];
    else
        ring->count++;
    tokens[ring->next] = token;
    ring->next = ring->next + 1 == ring->capacity ? 0 : ring->next + 1;
    return is_full;
}

/* back 0 is the most recent token; back < count. */
static inline lm_token lm_token_ring_at(const lm_token_ring *ring, const lm_token *tokens, size_t back) {
    return tokens[ring->next > back ? ring->next - 1 - back : ring->next + ring->capacity - 1 - back];
}

#endif
