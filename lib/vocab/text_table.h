/* SPDX-License-Identifier: MIT
 * A hash table from texts to numbers. It stores a number and 32 bits of hash per slot; the texts stay where they are, and
 * the caller's equality test looks at them. Hostile texts cannot make it slow: a probe that takes too long is an error. */
#ifndef LM_VOCAB_TEXT_TABLE_H
#define LM_VOCAB_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../base/env.h"

/* Longest probe. Honest texts stay below a tenth of it at the load the table allows. */
#define LM_TEXT_TABLE_PROBES 1024

typedef struct lm_text_slot {
    uint32_t number; /* plus 1; 0 when empty */
    uint32_t hash;
} lm_text_slot;

typedef struct lm_text_table {
    lm_text_slot *slots; /* [mask + 1] */
    uint32_t mask, count;
} lm_text_table;

static inline uint64_t lm_text_hash64(const uint8_t *text, size_t n) {
    const uint64_t k = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = n * k, word;
    uint32_t a, b;
    while (n > 8) {
        memcpy(&word, text, 8);
        hash = (hash ^ word) * k;
        hash ^= hash >> 29;
        text += 8, n -= 8;
    }
    if (n >= 4) {
        memcpy(&a, text, 4);
        memcpy(&b, text + n - 4, 4);
        word = (uint64_t)a << 32 | b;
    } else {
        word = n == 0 ? 0 : (uint64_t)text[0] << 16 | (uint64_t)text[n / 2] << 8 | text[n - 1];
    }
    hash = (hash ^ word) * k;
    hash ^= hash >> 32;
    hash *= UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32;
}

static inline uint32_t lm_text_hash(const uint8_t *text, size_t n) { return (uint32_t)lm_text_hash64(text, n); }

/* Room for count numbers without growing. */
bool lm_text_table_init(lm_text_table *table, const lm_env *env, uint32_t count);
void lm_text_table_free(lm_text_table *table, const lm_env *env);

/* Add a number under a hash. The caller has made sure that no equal text is there. LM_ERR_MEMORY, LM_ERR_LIMIT. */
lm_status lm_text_table_add(lm_text_table *table, const lm_env *env, uint32_t hash, uint32_t number);

#endif
