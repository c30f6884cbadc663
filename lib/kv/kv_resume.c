/* SPDX-License-Identifier: MIT
 * The longest known prefix: what the sequence itself holds, against the chain of finished pages in the tree. Without recurrent layers
 * any position will do; with them only where the state is known: the sequence's own end, or a checkpoint. Windowed layers need the
 * pages of their window before the position. */
#include <string.h>

#include "kv_internal.h"

/* Whether a chain ending in `node` (page depth d) with `part` more tokens of `partial` holds the windows for position n. */
static bool chain_has_window(const lm_kv *kv, int32_t node, int32_t partial, int32_t n) {
    for (int32_t g = 0; g < kv->params.n_groups; g++) {
        int32_t first = lm_kv_first_page(kv, g, n);
        if (partial >= 0 && kv->nodes[partial].pages[g] < 0) return false;
        for (int32_t i = node; i >= 0 && kv->nodes[i].depth >= first; i = kv->nodes[i].parent)
            if (kv->nodes[i].pages[g] < 0) return false;
    }
    return true;
}

typedef struct candidate {
    int32_t n, node, partial; /* position; node of the last full page; node of the page whose beginning is used, -1 */
    int32_t checkpoint;       /* state slot to restore, -1 */
} candidate;

/* The best place on the tree for tokens[0, n_max); matched receives how far the tree knows the tokens. */
static candidate search_tree(const lm_kv *kv, const lm_token *tokens, int32_t n_max, int32_t *matched) {
    int32_t node = LM_KV_ROOT, full = 0, part = 0;
    while (n_max - full >= LM_KV_PAGE) {
        int32_t next = lm_kv_tree_find(kv, node, tokens + full);
        if (next < 0) break;
        node = next;
        full += LM_KV_PAGE;
    }
    int32_t partial = lm_kv_tree_nearest(kv, node, tokens + full, n_max - full, &part);
    *matched = full + part;
    if (kv->params.n_states == 0 && part > 0 && chain_has_window(kv, node, partial, full + part))
        return (candidate){full + part, node, partial, -1};
    for (; node >= 0; node = kv->nodes[node].parent, full -= LM_KV_PAGE) {
        if (kv->params.n_states > 0 && kv->nodes[node].checkpoint < 0) continue;
        if (chain_has_window(kv, node, -1, full)) return (candidate){full, node, -1, kv->nodes[node].checkpoint};
    }
    return (candidate){0, LM_KV_ROOT, -1, -1};
}

static int32_t common_prefix(const lm_kv_seq *seq, const lm_token *tokens, int32_t n_max) {
    int32_t n = seq->n < n_max ? seq->n : n_max, same = 0;
    while (same < n && seq->tokens[same] == tokens[same]) same++;
    return same;
}

static bool own_prefix_usable(const lm_kv *kv, const lm_kv_seq *seq, int32_t n) {
    if (n == 0) return true;
    if (seq->state >= 0 && n != seq->n) return false;
    for (int32_t g = 0; g < kv->params.n_groups; g++)
        for (int32_t p = lm_kv_first_page(kv, g, n); p < lm_kv_page_count(n); p++)
            if (seq->pages[g][p] < 0) return false;
    return true;
}

/* Replace the sequence by a chain of the tree. */
static lm_status adopt(lm_kv *kv, int32_t index, const candidate *c) {
    lm_kv_seq *seq = &kv->seqs[index];
    if (c->partial >= 0) lm_kv_tree_touch(kv, c->partial);
    /* Hold the chain before letting go of what the sequence has: they may be the same pages. */
    for (int32_t i = c->node; i >= 0; i = kv->nodes[i].parent) {
        lm_kv_tree_touch(kv, i);
        for (int32_t g = 0; g < kv->params.n_groups; g++)
            if (kv->nodes[i].depth >= lm_kv_first_page(kv, g, c->n)) lm_kv_page_hold(kv, g, kv->nodes[i].pages[g]);
    }
    for (int32_t g = 0; g < kv->params.n_groups && c->partial >= 0; g++)
        lm_kv_page_hold(kv, g, kv->nodes[c->partial].pages[g]);
    lm_kv_close(kv, index);
    lm_status status = c->checkpoint >= 0 ? kv->mover.copy_state(kv->mover.user, seq->state, c->checkpoint) : LM_OK;
    for (int32_t i = c->node; i >= 0; i = kv->nodes[i].parent) {
        memcpy(seq->tokens + (size_t)kv->nodes[i].depth * LM_KV_PAGE, kv->nodes[i].tokens, sizeof kv->nodes[i].tokens);
        for (int32_t g = 0; g < kv->params.n_groups; g++)
            if (kv->nodes[i].depth >= lm_kv_first_page(kv, g, c->n))
                seq->pages[g][kv->nodes[i].depth] = kv->nodes[i].pages[g];
    }
    if (c->partial >= 0) {
        int32_t depth = kv->nodes[c->partial].depth;
        memcpy(seq->tokens + (size_t)depth * LM_KV_PAGE, kv->nodes[c->partial].tokens,
               (size_t)(c->n % LM_KV_PAGE) * sizeof(lm_token));
        for (int32_t g = 0; g < kv->params.n_groups; g++) seq->pages[g][depth] = kv->nodes[c->partial].pages[g];
    }
    seq->n = c->n;
    seq->node = c->node;
    if (status != LM_OK) lm_kv_close(kv, index);
    return status;
}

lm_status lm_kv_resume(lm_kv *kv, int32_t index, const lm_token *tokens, int32_t n_max, lm_kv_resumed *out) {
    lm_kv_seq *seq = &kv->seqs[index];
    int32_t own = common_prefix(seq, tokens, n_max), tree_matched;
    candidate best = search_tree(kv, tokens, n_max, &tree_matched);
    int32_t own_usable = own_prefix_usable(kv, seq, own) ? own : 0;
    lm_status status = LM_OK;
    *out = (lm_kv_resumed){.n_matched = own > tree_matched ? own : tree_matched, .checkpoint = -1};
    if (own_usable >= best.n) {
        status = lm_kv_trim(kv, index, own_usable);
        out->n_reused = own_usable;
    } else {
        status = adopt(kv, index, &best);
        out->n_reused = best.n;
        out->from_tree = best.n - (own < best.n ? own : best.n);
        out->checkpoint = best.checkpoint >= 0 ? best.n : -1;
    }
    out->reason = out->n_reused == n_max            ? LM_KV_REASON_NONE
                  : out->n_reused == out->n_matched ? LM_KV_REASON_UNKNOWN
                  : kv->params.n_states > 0         ? LM_KV_REASON_CHECKPOINT
                                                    : LM_KV_REASON_WINDOW;
    return status;
}
