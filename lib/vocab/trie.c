/* SPDX-License-Identifier: MIT
 * Insertion and growth of the byte trie. */
#include "trie.h"

#define PROBES_MAX 1024 /* of an insertion: honest tries stay far below */

void lm_trie_free(lm_trie *trie, const lm_env *env) {
    if (trie->edges) lm_free(env, trie->edges, ((size_t)trie->mask + 1) * sizeof *trie->edges);
    trie->edges = NULL;
    lm_array_free(env, &trie->values);
}

static bool place(lm_trie_edge *edges, uint32_t mask, lm_trie_edge edge) {
    uint32_t i = lm_trie_hash(edge.parent, (uint8_t)edge.child_byte) & mask;
    for (int probes = 0; edges[i].child_byte; i = (i + 1) & mask)
        if (++probes > PROBES_MAX) return false;
    edges[i] = edge;
    return true;
}

static lm_status grow(lm_trie *trie, const lm_env *env) {
    size_t size = trie->edges ? ((size_t)trie->mask + 1) * 2 : 256;
    lm_trie_edge *edges = lm_alloc_array(env, size, sizeof *edges);
    if (!edges) return LM_ERR_MEMORY;
    bool placed = true;
    for (size_t i = 0; trie->edges && placed && i <= trie->mask; i++)
        if (trie->edges[i].child_byte) placed = place(edges, (uint32_t)(size - 1), trie->edges[i]);
    if (!placed) {
        lm_free(env, edges, size * sizeof *edges);
        return LM_ERR_LIMIT;
    }
    if (trie->edges) lm_free(env, trie->edges, ((size_t)trie->mask + 1) * sizeof *trie->edges);
    trie->edges = edges;
    trie->mask = (uint32_t)(size - 1);
    return LM_OK;
}

static lm_status add_node(lm_trie *trie, const lm_env *env, uint32_t parent, uint8_t byte, uint32_t *node) {
    if (trie->values.count >= LM_TRIE_MAX_NODES) return LM_ERR_LIMIT;
    if (!lm_array_push(env, &trie->values, -1)) return LM_ERR_MEMORY;
    *node = (uint32_t)(trie->values.count - 1);
    if (parent == 0) {
        trie->root[byte] = *node;
        return LM_OK;
    }
    if (!trie->edges || trie->count >= (trie->mask + 1) / 8 * 5) {
        lm_status status = grow(trie, env);
        if (status != LM_OK) return status;
    }
    trie->count++;
    return place(trie->edges, trie->mask, (lm_trie_edge){parent, *node << 8 | byte}) ? LM_OK : LM_ERR_LIMIT;
}

lm_status lm_trie_add(lm_trie *trie, const lm_env *env, const uint8_t *text, size_t n, int32_t value) {
    if (trie->values.count == 0) { /* the root, and the table that steps look into */
        if (!lm_array_push(env, &trie->values, -1)) return LM_ERR_MEMORY;
        lm_status status = grow(trie, env);
        if (status != LM_OK) return status;
    }
    uint32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t next = lm_trie_step(trie, node, text[i]);
        if (next == 0) {
            lm_status status = add_node(trie, env, node, text[i], &next);
            if (status != LM_OK) return status;
        }
        node = next;
    }
    if (trie->values.data[node] < 0) trie->values.data[node] = value;
    return LM_OK;
}

int32_t lm_trie_longest(const lm_trie *trie, const uint8_t *text, size_t n, size_t *size) {
    int32_t best = -1;
    uint32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        node = lm_trie_step(trie, node, text[i]);
        if (node == 0) break;
        if (trie->values.data[node] >= 0) best = trie->values.data[node], *size = i + 1;
    }
    return best;
}

size_t lm_trie_memory(const lm_trie *trie) {
    return (trie->edges ? ((size_t)trie->mask + 1) * sizeof *trie->edges : 0) +
           trie->values.capacity * sizeof *trie->values.data;
}
