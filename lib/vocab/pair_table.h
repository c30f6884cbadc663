/* SPDX-License-Identifier: MIT
 * The merges of a BPE vocabulary: a hash table from two symbols to the rank of their merge and the symbol it makes. Filled
 * once, at a load of 3/4; a probe of hostile length is an error at filling time. */
#ifndef LM_VOCAB_PAIR_TABLE_H
#define LM_VOCAB_PAIR_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "../base/env.h"

#define LM_PAIR_PROBES 1024
#define LM_PAIR_EMPTY UINT32_MAX

typedef struct lm_pair {
    uint32_t left, right;
    uint32_t rank; /* LM_PAIR_EMPTY in an empty slot */
    uint32_t result;
} lm_pair;

typedef struct lm_pair_table {
    lm_pair *slots; /* [size] */
    uint32_t size;  /* 0: an empty table without slots */
} lm_pair_table;

static inline uint32_t lm_pair_home(const lm_pair_table *table, uint32_t left, uint32_t right) {
    uint64_t hash = ((uint64_t)left << 32 | right) * UINT64_C(0x9E3779B97F4A7C15);
    hash = (hash ^ hash >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)((hash >> 32) * table->size >> 32);
}

/* The slot of a pair, or NULL when it is not there. */
static inline const lm_pair *lm_pair_find(const lm_pair_table *table, uint32_t left, uint32_t right) {
    if (table->size == 0) return NULL;
    const lm_pair *slot = table->slots + lm_pair_home(table, left, right), *end = table->slots + table->size;
    for (int probes = 0; slot->rank != LM_PAIR_EMPTY && probes <= LM_PAIR_PROBES; probes++) {
        if (slot->left == left && slot->right == right) return slot;
        if (++slot == end) slot = table->slots;
    }
    return NULL;
}

/* Room for count pairs, all slots empty. */
lm_status lm_pair_table_init(lm_pair_table *table, const lm_env *env, uint32_t count);
void lm_pair_table_free(lm_pair_table *table, const lm_env *env);
/* Add a pair unless it is there already. LM_ERR_LIMIT when the pairs were made to collide. */
lm_status lm_pair_table_add(lm_pair_table *table, lm_pair pair);

#endif
