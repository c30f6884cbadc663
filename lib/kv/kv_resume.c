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
    int32_t checkpoint;       /* record to restore, -1 */
    uint64_t origin;          /* of the tree */
} candidate;

/* How far the tree knows the tokens: the node of the last full page, and how many tokens follow in one of its children. */
static int32_t follow(const lm_kv *kv, uint64_t origin, const lm_token *tokens, int32_t n_max, int32_t *partial,
                      int32_t *matched) {
    int32_t node = LM_KV_ROOT, full = 0, part = 0;
    while (n_max - full >= LM_KV_PAGE) {
        int32_t next = lm_kv_tree_find(kv, origin, node, tokens + full);
        if (next < 0) break;
        node = next;
        full += LM_KV_PAGE;
    }
    *partial = lm_kv_tree_nearest(kv, origin, node, tokens + full, n_max - full, &part);
    *matched = full + part;
    return node;
}

/* A child of node that begins with the n tokens and has its pages, or -1. */
static int32_t page_with(const lm_kv *kv, uint64_t origin, int32_t node, const lm_token *tokens, int32_t n) {
    for (int32_t i = node >= 0 ? kv->nodes[node].child : kv->first; i >= 0; i = kv->nodes[i].next) {
        bool held =
            kv->nodes[i].origin == origin && memcmp(kv->nodes[i].tokens, tokens, (size_t)n * sizeof *tokens) == 0;
        for (int32_t g = 0; g < kv->params.n_groups; g++) held &= kv->nodes[i].pages[g] >= 0;
        if (held) return i;
    }
    return -1;
}

static int32_t common_prefix(const lm_kv_seq *seq, const lm_token *tokens, int32_t n_max) {
    int32_t n = seq->n < n_max ? seq->n : n_max, same = 0;
    while (same < n && seq->tokens[same] == tokens[same]) same++;
    return same;
}

/* The last checkpoint on the path of the tokens in one tree that the sequence's own pages (up to position own) or the tree's can go on
 * from. */
static void search_checkpoints(const lm_kv *kv, const lm_kv_seq *seq, const lm_token *tokens, int32_t n_max,
                               int32_t own, int32_t deepest, candidate *from_own, candidate *from_tree) {
    for (int32_t i = 0; i < kv->params.n_checkpoints; i++) {
        const lm_kv_checkpoint *c = &kv->checkpoints[i];
        int32_t full = c->position / LM_KV_PAGE, part = c->position % LM_KV_PAGE, node = deepest;
        if (c->stage != LM_KV_CHECKPOINT_KEPT || c->position > n_max || c->origin != from_tree->origin) continue;
        if (c->position <= from_own->n || (c->position <= from_tree->n && c->position > own)) continue;
        while (node >= 0 && kv->nodes[node].depth >= full) node = kv->nodes[node].parent;
        const lm_token *tail = tokens + (size_t)full * LM_KV_PAGE;
        if (node != c->node || memcmp(c->tokens, tail, (size_t)part * sizeof *tail)) continue;
        if (c->position <= own && c->origin == seq->origin && lm_kv_window_is_here(kv, seq, c->position)) {
            *from_own = (candidate){c->position, node, -1, i, c->origin};
            continue;
        }
        int32_t partial = part > 0 ? page_with(kv, c->origin, node, tail, part) : -1;
        if (c->position > from_tree->n && (part == 0 || partial >= 0) &&
            chain_has_window(kv, node, partial, c->position))
            *from_tree = (candidate){c->position, node, partial, i, c->origin};
    }
}

/* The best place on a tree without recurrent layers: any position whose windows are there. */
static candidate search_tree(const lm_kv *kv, uint64_t origin, int32_t node, int32_t partial, int32_t matched) {
    int32_t full = matched / LM_KV_PAGE * LM_KV_PAGE;
    if (matched > full && chain_has_window(kv, node, partial, matched))
        return (candidate){matched, node, partial, -1, origin};
    full = node >= 0 ? (kv->nodes[node].depth + 1) * LM_KV_PAGE : 0;
    for (; node >= 0; node = kv->nodes[node].parent, full -= LM_KV_PAGE)
        if (chain_has_window(kv, node, -1, full)) return (candidate){full, node, -1, -1, origin};
    return (candidate){0, LM_KV_ROOT, -1, -1, origin};
}

static lm_status restore_state(lm_kv *kv, lm_kv_seq *seq, int32_t record) {
    if (record < 0 || seq->state < 0) return LM_OK;
    kv->checkpoints[record].used = ++kv->clock;
    return kv->mover.copy_state(kv->mover.user, seq->state, lm_kv_checkpoint_slot(kv, record));
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
    lm_status status = restore_state(kv, seq, c->checkpoint);
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
    seq->origin = c->origin;
    if (status != LM_OK) lm_kv_close(kv, index);
    return status;
}

/* Go back to n positions of the sequence's own. */
static lm_status keep_own(lm_kv *kv, int32_t index, const candidate *c) {
    lm_kv_seq *seq = &kv->seqs[index];
    if (c->n == 0) {
        lm_kv_close(kv, index);
        return LM_OK;
    }
    lm_kv_drop_pages(kv, seq, c->n);
    lm_status status = restore_state(kv, seq, c->checkpoint);
    seq->state_known = true;
    seq->owed = 0;
    if (status != LM_OK) lm_kv_close(kv, index);
    return status;
}

lm_status lm_kv_resume(lm_kv *kv, int32_t index, const lm_token *tokens, int32_t n_max, lm_kv_resumed *out) {
    const lm_kv_seq *seq = &kv->seqs[index];
    bool recurrent = seq->state >= 0;
    int32_t tree_matched = 0, own = common_prefix(seq, tokens, n_max);
    const uint64_t origins[] = {seq->origin, 0}; /* of a restored sequence its own tree, then everybody's */
    candidate mine = {0, LM_KV_ROOT, -1, -1, seq->origin}, theirs = {0, LM_KV_ROOT, -1, -1, 0};
    if (lm_kv_window_is_here(kv, seq, own) && (!recurrent || (own == seq->n && seq->state_known))) mine.n = own;
    for (int i = seq->origin ? 0 : 1; i < 2; i++) {
        int32_t partial, matched, node = follow(kv, origins[i], tokens, n_max, &partial, &matched);
        candidate found = {0, LM_KV_ROOT, -1, -1, origins[i]};
        if (recurrent)
            search_checkpoints(kv, seq, tokens, n_max, own, node, &mine, &found);
        else
            found = search_tree(kv, origins[i], node, partial, matched);
        if (found.n > theirs.n) theirs = found;
        if (matched > tree_matched) tree_matched = matched;
    }
    bool own_wins = mine.n >= theirs.n;
    const candidate *best = own_wins ? &mine : &theirs;
    lm_status status = own_wins ? keep_own(kv, index, best) : adopt(kv, index, best);
    *out = (lm_kv_resumed){
        .n_matched = own > tree_matched ? own : tree_matched,
        .n_reused = best->n,
        .from_tree = own_wins ? 0 : best->n - (own < best->n ? own : best->n),
        .checkpoint = best->checkpoint >= 0 ? best->n : -1,
    };
    out->reason = out->n_reused == n_max            ? LM_KV_REASON_NONE
                  : out->n_reused == out->n_matched ? LM_KV_REASON_UNKNOWN
                  : recurrent                       ? LM_KV_REASON_CHECKPOINT
                                                    : LM_KV_REASON_WINDOW;
    return status;
}
