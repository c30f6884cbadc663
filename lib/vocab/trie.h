/* SPDX-License-Identifier: MIT
 * A byte trie: edges live in one hash table keyed by node and byte, so a step costs one probe whatever the fan-out and the
 * order of insertion. Node 0 is the root; its edges are an array because most walks end there. */
#ifndef LM_VOCAB_TRIE_H
#define LM_VOCAB_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "../base/array.h"

#define LM_TRIE_MAX_NODES (1u << 24)

typedef struct lm_trie_edge {
    uint32_t parent;
    uint32_t child_byte; /* child << 8 | byte; 0 when empty */
} lm_trie_edge;

typedef struct lm_trie {
    lm_trie_edge *edges; /* [mask + 1], or NULL */
    uint32_t mask, count;
    LM_ARRAY(int32_t) values; /* of each node, -1 where no text ends */
    uint32_t root[256];
} lm_trie;

/* A trie of zero bytes is empty and may be walked and freed. */
void lm_trie_free(lm_trie *trie, const lm_env *env);

/* Give a text of at least one byte a value >= 0 unless it has one. LM_ERR_MEMORY, or LM_ERR_LIMIT: too many nodes, or texts
 * that were made to collide. */
lm_status lm_trie_add(lm_trie *trie, const lm_env *env, const uint8_t *text, size_t n, int32_t value);

static inline uint32_t lm_trie_hash(uint32_t parent, uint8_t byte) {
    uint64_t hash = ((uint64_t)parent << 8 | byte) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(hash >> 32) ^ (uint32_t)(hash >> 15);
}

/* The node behind an edge; 0 when there is none. */
static inline uint32_t lm_trie_step(const lm_trie *trie, uint32_t node, uint8_t byte) {
    if (node == 0) return trie->root[byte];
    for (uint32_t i = lm_trie_hash(node, byte) & trie->mask; trie->edges[i].child_byte; i = (i + 1) & trie->mask)
        if (trie->edges[i].parent == node && (uint8_t)trie->edges[i].child_byte == byte)
            return trie->edges[i].child_byte >> 8;
    return 0;
}

/* The value of the longest text that text begins with, its length in *size; -1 when there is none. */
int32_t lm_trie_longest(const lm_trie *trie, const uint8_t *text, size_t n, size_t *size);

size_t lm_trie_memory(const lm_trie *trie);

#endif
