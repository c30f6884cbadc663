/* SPDX-License-Identifier: MIT
 * Making the room and its pools of pages: everything lives in one block whose size lm_kv_bytes knows beforehand. */
#include "kv.h"

#include <string.h>

#include "../base/checked.h"
#include "kv_internal.h"

static size_t take(size_t *end, size_t bytes) {
    size_t at = lm_align_up(*end, 16);
    *end = at + bytes;
    return at;
}

/* A node for every page that can be held; where windows or recurrent state alone keep few or none, for every page's worth of tokens. */
static int32_t node_count(const lm_kv_params *params) {
    int64_t all = (int64_t)params->n_seqs * lm_kv_page_count(params->n_positions);
    int32_t n = all < INT32_MAX / 2 ? (int32_t)all : INT32_MAX / 2;
    for (int32_t g = 0; g < params->n_groups; g++) n = params->n_pages[g] > n ? params->n_pages[g] : n;
    return n;
}

/* Lay out the block; with kv set its pointers into memory. Returns the bytes. */
static size_t place(const lm_kv_params *p, lm_kv *kv) {
    size_t end = 0, max_pages = (size_t)lm_kv_page_count(p->n_positions), n_nodes = (size_t)node_count(p);
    size_t seqs = take(&end, (size_t)p->n_seqs * sizeof(lm_kv_seq)), nodes = take(&end, n_nodes * sizeof(lm_kv_node));
    size_t checkpoints = take(&end, (size_t)p->n_checkpoints * sizeof(lm_kv_checkpoint));
    if (kv) {
        kv->seqs = (lm_kv_seq *)(void *)(kv->memory + seqs);
        kv->nodes = (lm_kv_node *)(void *)(kv->memory + nodes);
        kv->checkpoints = (lm_kv_checkpoint *)(void *)(kv->memory + checkpoints);
        kv->n_nodes = (int32_t)n_nodes;
        kv->max_pages = (int32_t)max_pages;
    }
    for (int32_t g = 0; g < p->n_groups; g++) {
        size_t refs = take(&end, (size_t)p->n_pages[g] * sizeof(int32_t)),
               free = take(&end, (size_t)p->n_pages[g] * sizeof(int32_t));
        if (kv) {
            kv->pools[g].refs = (int32_t *)(void *)(kv->memory + refs);
            kv->pools[g].free = (int32_t *)(void *)(kv->memory + free);
        }
    }
    for (int32_t s = 0; s < p->n_seqs; s++) {
        size_t tokens = take(&end, (size_t)p->n_positions * sizeof(lm_token));
        if (kv) kv->seqs[s].tokens = (lm_token *)(void *)(kv->memory + tokens);
        for (int32_t g = 0; g < p->n_groups; g++) {
            size_t pages = take(&end, max_pages * sizeof(int32_t));
            if (kv) kv->seqs[s].pages[g] = (int32_t *)(void *)(kv->memory + pages);
        }
    }
    return end;
}

size_t lm_kv_bytes(const lm_kv_params *params) { return sizeof(lm_kv) + place(params, NULL); }

int32_t lm_kv_pages_per_seq(int32_t window, int32_t n_positions, int32_t n_batch) {
    int32_t all = lm_kv_page_count(n_positions);
    if (window <= 0) return all;
    int64_t held = ((int64_t)window + n_batch + LM_KV_PAGE - 1) / LM_KV_PAGE +
                   1; /* the window, the batch, and a part page at each end */
    return held < all ? (int32_t)held : all;
}

lm_status lm_kv_create(const lm_env *env, const lm_kv_params *params, const lm_kv_mover *mover, lm_kv **out) {
    if (params->n_groups < 0 || params->n_groups > LM_KV_MAX_GROUPS) return LM_ERR_UNSUPPORTED;
    if (params->n_states && params->n_states != params->n_seqs + 1 + params->n_checkpoints) return LM_ERR_ARGUMENT;
    size_t bytes = place(params, NULL);
    lm_kv *kv = lm_alloc_zeroed(env, sizeof *kv);
    if (!kv) return LM_ERR_MEMORY;
    kv->env = env;
    kv->params = *params;
    kv->mover = *mover;
    kv->memory_bytes = bytes;
    kv->memory = lm_alloc(env, bytes);
    if (!kv->memory) {
        lm_free(env, kv, sizeof *kv);
        return LM_ERR_MEMORY;
    }
    place(params, kv);
    for (int32_t g = 0; g < params->n_groups; g++) {
        lm_kv_pool *pool = &kv->pools[g];
        pool->n_pages = pool->n_free = params->n_pages[g];
        memset(pool->refs, 0, (size_t)pool->n_pages * sizeof *pool->refs);
        for (int32_t i = 0; i < pool->n_pages; i++)
            pool->free[i] = pool->n_pages - 1 - i; /* low pages first: memory is touched in order */
    }
    kv->first = -1;
    for (int32_t i = 0; i < kv->n_nodes; i++) kv->nodes[i] = (lm_kv_node){.next = i + 1 < kv->n_nodes ? i + 1 : -1};
    memset(kv->checkpoints, 0, (size_t)params->n_checkpoints * sizeof *kv->checkpoints);
    kv->spare = params->n_states ? params->n_seqs : -1;
    lm_status status = LM_OK;
    for (int32_t s = 0; s < params->n_seqs && status == LM_OK; s++) {
        lm_kv_seq *seq = &kv->seqs[s];
        seq->n = seq->reserved = seq->owed = 0;
        seq->node = LM_KV_ROOT;
        seq->origin = 0;
        seq->state_known = true;
        seq->state = params->n_states ? s : -1;
        for (int32_t g = 0; g < params->n_groups; g++)
            for (int32_t i = 0; i < kv->max_pages; i++) seq->pages[g][i] = -1;
        if (seq->state >= 0) status = mover->clear_state(mover->user, seq->state);
    }
    if (status == LM_OK)
        *out = kv;
    else
        lm_kv_destroy(kv);
    return status;
}

void lm_kv_destroy(lm_kv *kv) {
    if (!kv) return;
    lm_free(kv->env, kv->memory, kv->memory_bytes);
    lm_free(kv->env, kv, sizeof *kv);
}

/* ---- pages ---- */

int32_t lm_kv_page_take(lm_kv *kv, int32_t group) {
    lm_kv_pool *pool = &kv->pools[group];
    while (pool->n_free == 0)
        if (!lm_kv_tree_evict(kv, group)) return -1;
    int32_t page = pool->free[--pool->n_free];
    pool->refs[page] = 1;
    return page;
}

void lm_kv_page_hold(lm_kv *kv, int32_t group, int32_t page) { kv->pools[group].refs[page]++; }

void lm_kv_page_drop(lm_kv *kv, int32_t group, int32_t page) {
    lm_kv_pool *pool = &kv->pools[group];
    if (page >= 0 && --pool->refs[page] == 0) pool->free[pool->n_free++] = page;
}

int32_t lm_kv_free_pages(const lm_kv *kv, int32_t group) { return kv->pools[group].n_free; }

int32_t lm_kv_tree_pages(const lm_kv *kv, int32_t group) {
    int32_t n = 0;
    for (int32_t i = 0; i < kv->n_nodes; i++) {
        const lm_kv_node *node = &kv->nodes[i];
        n += node->live && node->pages[group] >= 0 && kv->pools[group].refs[node->pages[group]] == 1;
    }
    return n;
}
