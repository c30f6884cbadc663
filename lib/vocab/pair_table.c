/* SPDX-License-Identifier: MIT
 * Filling the table of merges. */
#include "pair_table.h"

#include <string.h>

#include "../base/checked.h"

lm_status lm_pair_table_init(lm_pair_table *table, const lm_env *env, uint32_t count) {
    size_t size = (size_t)count + count / 3 + 1, bytes;
    if (!lm_size_mul(size, sizeof *table->slots, &bytes)) return LM_ERR_MEMORY;
    table->slots = lm_alloc_aligned(env, bytes, LM_ALIGN_CACHE);
    if (!table->slots) return LM_ERR_MEMORY;
    memset(table->slots, 0xFF, bytes); /* every rank is LM_PAIR_EMPTY */
    table->size = (uint32_t)size;
    return LM_OK;
}

void lm_pair_table_free(lm_pair_table *table, const lm_env *env) {
    lm_free_aligned(env, table->slots, table->size * sizeof *table->slots, LM_ALIGN_CACHE);
    *table = (lm_pair_table){0};
}

lm_status lm_pair_table_add(lm_pair_table *table, lm_pair pair) {
    uint32_t i = lm_pair_home(table, pair.left, pair.right);
    for (int probes = 0; table->slots[i].rank != LM_PAIR_EMPTY; i = i + 1 == table->size ? 0 : i + 1) {
        if (table->slots[i].left == pair.left && table->slots[i].right == pair.right) return LM_OK;
        if (++probes > LM_PAIR_PROBES) return LM_ERR_LIMIT;
    }
    table->slots[i] = pair;
    return LM_OK;
}
