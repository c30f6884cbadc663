/* SPDX-License-Identifier: MIT
 * Checkpoints: positions with a copy of the recurrent state, each hung under the tree's node of the last full page before it, so that
 * one serves every sequence with these tokens. Records are few (some per sequence) and reused least recently used first. */
#include <string.h>

#include "kv_internal.h"

int32_t lm_kv_checkpoint_take(lm_kv *kv) {
    int32_t oldest = -1;
    for (int32_t i = 0; i < kv->params.n_checkpoints; i++) {
        const lm_kv_checkpoint *c = &kv->checkpoints[i];
        if (c->stage == LM_KV_CHECKPOINT_TAKEN) continue;
        uint64_t used = c->stage == LM_KV_CHECKPOINT_FREE ? 0 : c->used;
        if (oldest < 0 || used < kv->checkpoints[oldest].used) oldest = i;
        if (c->stage == LM_KV_CHECKPOINT_FREE) break;
    }
    if (oldest >= 0) kv->checkpoints[oldest].stage = LM_KV_CHECKPOINT_TAKEN;
    return oldest;
}

int32_t lm_kv_checkpoint_slot(const lm_kv *kv, int32_t record) {
    return kv->params.n_states ? kv->params.n_seqs + 1 + record : -1;
}

void lm_kv_checkpoint_drop(lm_kv *kv, int32_t record) { kv->checkpoints[record].stage = LM_KV_CHECKPOINT_FREE; }

void lm_kv_checkpoint_keep(lm_kv *kv, int32_t record, int32_t index, int32_t position) {
    const lm_kv_seq *seq = &kv->seqs[index];
    lm_kv_checkpoint *c = &kv->checkpoints[record];
    int32_t node = seq->node, full = position / LM_KV_PAGE, part = position % LM_KV_PAGE;
    c->stage = LM_KV_CHECKPOINT_FREE;
    if (position <= 0 || position > seq->n || node == LM_KV_UNTRACKED) return;
    while (node >= 0 && kv->nodes[node].depth >= full) node = kv->nodes[node].parent;
    if ((node >= 0 ? kv->nodes[node].depth : -1) != full - 1) return;
    const lm_token *tokens = seq->tokens + (size_t)full * LM_KV_PAGE;
    for (int32_t i = 0; i < kv->params.n_checkpoints; i++) { /* a known position: its older record stays */
        lm_kv_checkpoint *other = &kv->checkpoints[i];
        if (other->stage != LM_KV_CHECKPOINT_KEPT || other->node != node || other->position != position ||
            other->origin != seq->origin || memcmp(other->tokens, tokens, (size_t)part * sizeof *tokens))
            continue;
        other->used = ++kv->clock;
        return;
    }
    c->stage = LM_KV_CHECKPOINT_KEPT;
    c->node = node;
    c->origin = seq->origin;
    c->position = position;
    c->used = ++kv->clock;
    memcpy(c->tokens, tokens, (size_t)part * sizeof *tokens);
}

bool lm_kv_checkpoint_before(const lm_kv *kv, int32_t index, int32_t before, int32_t *position, int32_t *slot) {
    const lm_kv_seq *seq = &kv->seqs[index];
    int32_t best = -1;
    for (int32_t i = 0; i < kv->params.n_checkpoints; i++) {
        const lm_kv_checkpoint *c = &kv->checkpoints[i];
        if (c->stage != LM_KV_CHECKPOINT_KEPT || c->position >= before || c->position > seq->n) continue;
        if (best >= 0 && c->position <= kv->checkpoints[best].position) continue;
        int32_t node = seq->node, full = c->position / LM_KV_PAGE;
        while (node >= 0 && kv->nodes[node].depth >= full) node = kv->nodes[node].parent;
        if (node == c->node && c->origin == seq->origin &&
            !memcmp(c->tokens, seq->tokens + (size_t)full * LM_KV_PAGE,
                    (size_t)(c->position % LM_KV_PAGE) * sizeof *c->tokens))
            best = i;
    }
    if (best < 0) return false;
    *position = kv->checkpoints[best].position;
    *slot = lm_kv_checkpoint_slot(kv, best);
    return true;
}

/* ---- with the tree ---- */

void lm_kv_checkpoints_forget_node(lm_kv *kv, int32_t node) {
    for (int32_t i = 0; i < kv->params.n_checkpoints; i++)
        if (kv->checkpoints[i].stage == LM_KV_CHECKPOINT_KEPT && kv->checkpoints[i].node == node)
            kv->checkpoints[i].stage = LM_KV_CHECKPOINT_FREE;
}

/* Whether going on at the checkpoint, or at the page end before it, needs the node's page of the group. */
static bool wants(const lm_kv *kv, const lm_kv_checkpoint *c, int32_t node, int32_t group) {
    int32_t full = c->position / LM_KV_PAGE, depth = kv->nodes[node].depth;
    if (depth == full) /* the page the checkpoint lies in */
        return kv->nodes[node].parent == c->node && kv->nodes[node].origin == c->origin &&
               !memcmp(kv->nodes[node].tokens, c->tokens, (size_t)(c->position % LM_KV_PAGE) * sizeof *c->tokens);
    if (depth > full || depth < lm_kv_first_page(kv, group, full * LM_KV_PAGE)) return false;
    int32_t i = c->node;
    while (i >= 0 && kv->nodes[i].depth > depth) i = kv->nodes[i].parent;
    return i == node;
}

void lm_kv_checkpoints_forget_page(lm_kv *kv, int32_t node, int32_t group) {
    for (int32_t i = 0; i < kv->params.n_checkpoints; i++)
        if (kv->checkpoints[i].stage == LM_KV_CHECKPOINT_KEPT && wants(kv, &kv->checkpoints[i], node, group))
            kv->checkpoints[i].stage = LM_KV_CHECKPOINT_FREE;
}

void lm_kv_checkpoints_guard(lm_kv *kv, int32_t group) {
    for (int32_t n = 0; n < kv->n_nodes; n++) kv->nodes[n].guard = 0;
    for (int32_t i = 0; i < kv->params.n_checkpoints; i++) {
        const lm_kv_checkpoint *c = &kv->checkpoints[i];
        if (c->stage != LM_KV_CHECKPOINT_KEPT) continue;
        int32_t full = c->position / LM_KV_PAGE, first = lm_kv_first_page(kv, group, full * LM_KV_PAGE);
        for (int32_t n = c->node; n >= 0 && kv->nodes[n].depth >= first; n = kv->nodes[n].parent)
            if (kv->nodes[n].guard < c->used) kv->nodes[n].guard = c->used;
        for (int32_t n = c->node >= 0 ? kv->nodes[c->node].child : kv->first; n >= 0; n = kv->nodes[n].next)
            if (kv->nodes[n].guard < c->used && wants(kv, c, n, group)) kv->nodes[n].guard = c->used;
    }
}
