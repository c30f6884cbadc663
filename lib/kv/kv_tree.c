/* SPDX-License-Identifier: MIT
 * The tree of finished pages. Searches walk a child list: contexts rarely branch more than a few ways. Eviction scans all nodes for the
 * least recently used one that may go; it happens once per page of new tokens at most, and a scan of thousands of nodes costs
 * microseconds beside the milliseconds those tokens take. */
#include <string.h>

#include "kv_internal.h"

static int32_t *head_of(lm_kv *kv, int32_t parent) {
    return parent == LM_KV_ROOT ? &kv->first : &kv->nodes[parent].child;
}

static int32_t first_child(const lm_kv *kv, int32_t parent) {
    return parent == LM_KV_ROOT ? kv->first : kv->nodes[parent].child;
}

int32_t lm_kv_tree_find(const lm_kv *kv, uint64_t origin, int32_t parent, const lm_token *tokens) {
    for (int32_t i = first_child(kv, parent); i >= 0; i = kv->nodes[i].next)
        if (kv->nodes[i].origin == origin && memcmp(kv->nodes[i].tokens, tokens, sizeof kv->nodes[i].tokens) == 0)
            return i;
    return -1;
}

int32_t lm_kv_tree_nearest(const lm_kv *kv, uint64_t origin, int32_t parent, const lm_token *tokens, int32_t n,
                           int32_t *common) {
    int32_t best = -1;
    *common = 0;
    for (int32_t i = first_child(kv, parent); i >= 0; i = kv->nodes[i].next) {
        int32_t same = 0;
        while (same < n && same < LM_KV_PAGE && kv->nodes[i].tokens[same] == tokens[same]) same++;
        if (same > *common && kv->nodes[i].origin == origin) best = i, *common = same;
    }
    return best;
}

void lm_kv_tree_touch(lm_kv *kv, int32_t node) { kv->nodes[node].used = ++kv->clock; }

/* Unlink a leaf and give back its pages and checkpoints. */
static void remove_leaf(lm_kv *kv, int32_t index) {
    lm_kv_node *node = &kv->nodes[index];
    if (node->previous >= 0)
        kv->nodes[node->previous].next = node->next;
    else
        *head_of(kv, node->parent) = node->next;
    if (node->next >= 0) kv->nodes[node->next].previous = node->previous;
    for (int32_t g = 0; g < kv->params.n_groups; g++) lm_kv_page_drop(kv, g, node->pages[g]);
    lm_kv_checkpoints_forget_node(kv, index);
    node->live = 0;
    node->next = kv->free_node;
    kv->free_node = index;
}

/* Whether a sequence holds one of the node's pages. */
static bool in_use(const lm_kv *kv, const lm_kv_node *node) {
    for (int32_t g = 0; g < kv->params.n_groups; g++)
        if (node->pages[g] >= 0 && kv->pools[g].refs[node->pages[g]] > 1) return true;
    return false;
}

/* A sequence keeps the node of its last finished page even when a window has let go of every page of it. */
static bool is_last_of_a_sequence(const lm_kv *kv, int32_t index) {
    for (int32_t s = 0; s < kv->params.n_seqs; s++)
        if (kv->seqs[s].node == index) return true;
    return false;
}

static int32_t oldest_leaf(const lm_kv *kv) {
    int32_t oldest = -1;
    for (int32_t i = 0; i < kv->n_nodes; i++) {
        const lm_kv_node *node = &kv->nodes[i];
        if (node->live && node->child < 0 && (oldest < 0 || node->used < kv->nodes[oldest].used) && !in_use(kv, node) &&
            !is_last_of_a_sequence(kv, i))
            oldest = i;
    }
    return oldest;
}

bool lm_kv_tree_evict(lm_kv *kv, int32_t group) {
    if (kv->params.windows[group] > 0) { /* only this group's page goes; the node stays useful for the others */
        int32_t oldest = -1;
        lm_kv_checkpoints_guard(kv, group);
        for (int32_t i = 0; i < kv->n_nodes; i++) {
            const lm_kv_node *node = &kv->nodes[i], *best = &kv->nodes[oldest < 0 ? 0 : oldest];
            if (node->live && node->pages[group] >= 0 && kv->pools[group].refs[node->pages[group]] == 1 &&
                (oldest < 0 || node->guard < best->guard || (node->guard == best->guard && node->used < best->used)))
                oldest = i;
        }
        if (oldest < 0) return false;
        if (kv->nodes[oldest].guard) lm_kv_checkpoints_forget_page(kv, oldest, group);
        lm_kv_page_drop(kv, group, kv->nodes[oldest].pages[group]);
        kv->nodes[oldest].pages[group] = -1;
        return true;
    }
    int32_t leaf = oldest_leaf(kv);
    if (leaf < 0) return false;
    remove_leaf(kv, leaf);
    return true;
}

int32_t lm_kv_tree_add(lm_kv *kv, uint64_t origin, int32_t parent, const lm_token *tokens, const int32_t *pages) {
    if (kv->free_node < 0) {
        int32_t leaf = oldest_leaf(kv);
        if (leaf < 0) return -1; /* parent is not it: a sequence ends there */
        remove_leaf(kv, leaf);
    }
    int32_t index = kv->free_node, *head = head_of(kv, parent);
    lm_kv_node *node = &kv->nodes[index];
    kv->free_node = node->next;
    *node = (lm_kv_node){.parent = parent,
                         .child = -1,
                         .next = *head,
                         .previous = -1,
                         .depth = parent == LM_KV_ROOT ? 0 : kv->nodes[parent].depth + 1,
                         .live = 1,
                         .origin = origin,
                         .used = ++kv->clock};
    if (*head >= 0) kv->nodes[*head].previous = index;
    *head = index;
    memcpy(node->tokens, tokens, sizeof node->tokens);
    for (int32_t g = 0; g < kv->params.n_groups; g++) {
        node->pages[g] = pages[g];
        if (pages[g] >= 0) lm_kv_page_hold(kv, g, pages[g]);
    }
    return index;
}
