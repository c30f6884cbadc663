/* SPDX-License-Identifier: MIT
 * Sequence breakers of the dry sampler: texts that end a repetition, turned into token sequences once per sampler. A breaker
 * may begin inside one token and run over the next ones, hence a head and a tail. */
#ifndef LM_SAMPLER_DRY_BREAKERS_H
#define LM_SAMPLER_DRY_BREAKERS_H

#include "sampler_internal.h"

/* head followed by tail tokens [tail_count] at tail_start of the pool. */
typedef struct lm_dry_breaker {
    lm_token head;
    uint32_t tail_start, tail_count;
} lm_dry_breaker;

/* Sorted by head. Both arrays belong to env. */
typedef struct lm_dry_breakers {
    lm_dry_breaker *items;
    lm_token *pool;
    size_t n_items, n_pool, items_capacity, pool_capacity;
} lm_dry_breakers;

lm_status lm_dry_breakers_build(const lm_sampler_setup *setup, lm_dry_breakers *out);
void lm_dry_breakers_free(lm_dry_breakers *breakers, const lm_env *env);

#endif
