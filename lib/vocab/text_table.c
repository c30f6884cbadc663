/* SPDX-License-Identifier: MIT
 * Linear probing at a load of at most 5/8; growing moves slots by their stored hashes. */
#include "text_table.h"

bool lm_text_table_init(lm_text_table *table, const lm_env *env, uint32_t count) {
    size_t size = 16;
    while (size / 8 * 5 < count) size *= 2;
    table->slots = lm_alloc_array(env, size, sizeof *table->slots);
    if (!table->slots) return false;
    table->mask = (uint32_t)(size - 1);
    table->count = 0;
    return true;
}

void lm_text_table_free(lm_text_table *table, const lm_env *env) {
    if (table->slots) lm_free(env, table->slots, ((size_t)table->mask + 1) * sizeof *table->slots);
    table->slots = NULL;
}

static lm_status place(lm_text_table *table, uint32_t hash, uint32_t number) {
    uint32_t i = hash & table->mask;
    for (int probes = 0; table->slots[i].number; i = (i + 1) & table->mask)
        if (++probes > LM_TEXT_TABLE_PROBES) return LM_ERR_LIMIT;
    table->slots[i] = (lm_text_slot){number + 1, hash};
    table->count++;
    return LM_OK;
}

static lm_status grow(lm_text_table *table, const lm_env *env) {
    lm_text_table wider;
    if (table->count >= UINT32_MAX / 4 || !lm_text_table_init(&wider, env, table->count * 2)) return LM_ERR_MEMORY;
    for (size_t i = 0; i <= table->mask; i++) {
        lm_text_slot slot = table->slots[i];
        if (slot.number && place(&wider, slot.hash, slot.number - 1) != LM_OK) {
            lm_text_table_free(&wider, env);
            return LM_ERR_LIMIT;
        }
    }
    lm_text_table_free(table, env);
    *table = wider;
    return LM_OK;
}

lm_status lm_text_table_add(lm_text_table *table, const lm_env *env, uint32_t hash, uint32_t number) {
    if (table->count >= (table->mask + 1) / 8 * 5) {
        lm_status status = grow(table, env);
        if (status != LM_OK) return status;
    }
    return place(table, hash, number);
}
