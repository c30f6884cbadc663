/* SPDX-License-Identifier: MIT
 * Sequences: reserving and committing positions, trimming, forking. A page with more than one holder is never written: the writer takes
 * a copy first. */
#include <string.h>

#include "kv_internal.h"

int32_t lm_kv_length(const lm_kv *kv, int32_t seq) { return kv->seqs[seq].n; }
const lm_token *lm_kv_tokens(const lm_kv *kv, int32_t seq) { return kv->seqs[seq].tokens; }
int32_t lm_kv_owed(const lm_kv *kv, int32_t seq) { return kv->seqs[seq].owed; }
int32_t lm_kv_state(const lm_kv *kv, int32_t seq) { return kv->seqs[seq].state; }
int32_t lm_kv_spare(const lm_kv *kv) { return kv->spare; }
void lm_kv_lose_state(lm_kv *kv, int32_t seq) { kv->seqs[seq].state_known = kv->seqs[seq].state < 0; }
void lm_kv_swap_state(lm_kv *kv, int32_t seq) {
    int32_t state = kv->seqs[seq].state;
    kv->seqs[seq].state = kv->spare;
    kv->spare = state;
}
const int32_t *const *lm_kv_pages(const lm_kv *kv, int32_t seq) { return (const int32_t *const *)kv->seqs[seq].pages; }

/* The page that positions [n, ...) are written to first must be the sequence's own. */
static lm_status own_partial_page(lm_kv *kv, lm_kv_seq *seq, int32_t group) {
    int32_t *entry = &seq->pages[group][seq->n / LM_KV_PAGE];
    if (seq->n % LM_KV_PAGE == 0 || *entry < 0 || kv->pools[group].refs[*entry] == 1) return LM_OK;
    int32_t page = lm_kv_page_take(kv, group);
    if (page < 0) return LM_ERR_FULL;
    lm_status status = kv->mover.copy_page(kv->mover.user, group, page, *entry);
    if (status != LM_OK) {
        lm_kv_page_drop(kv, group, page);
        return status;
    }
    lm_kv_page_drop(kv, group, *entry);
    *entry = page;
    return LM_OK;
}

lm_status lm_kv_reserve(lm_kv *kv, int32_t index, int32_t n) {
    lm_kv_seq *seq = &kv->seqs[index];
    if (n > kv->params.n_positions - seq->n) return LM_ERR_FULL;
    lm_status status = LM_OK;
    if (!seq->state_known && seq->n > 0) return LM_ERR_STATE;
    if (!seq->state_known) status = kv->mover.clear_state(kv->mover.user, seq->state); /* failed when it was emptied */
    if (status != LM_OK) return status;
    seq->state_known = true;
    for (int32_t g = 0; g < kv->params.n_groups && status == LM_OK; g++) {
        status = own_partial_page(kv, seq, g);
        for (int32_t p = lm_kv_page_count(seq->n); p < lm_kv_page_count(seq->n + n) && status == LM_OK; p++) {
            seq->pages[g][p] = lm_kv_page_take(kv, g);
            if (seq->pages[g][p] < 0) status = LM_ERR_FULL;
        }
    }
    seq->reserved = n;
    if (status != LM_OK) lm_kv_cancel(kv, index);
    return status;
}

lm_status lm_kv_reserve_restored(lm_kv *kv, int32_t index, int32_t n, const int32_t *kept, int32_t n_kept) {
    lm_kv_seq *seq = &kv->seqs[index];
    if (n > kv->params.n_positions || seq->n > 0) return LM_ERR_FULL;
    seq->reserved = n;
    seq->origin = ++kv->n_origins;
    for (int32_t g = 0; g < kv->params.n_groups; g++)
        for (int32_t p = lm_kv_first_page(kv, g, n); p < lm_kv_page_count(n); p++) {
            seq->pages[g][p] = lm_kv_page_take(kv, g);
            if (seq->pages[g][p] >= 0) continue;
            lm_kv_cancel(kv, index);
            seq->origin = 0;
            return LM_ERR_FULL;
        }
    for (int32_t g = 0; g < kv->params.n_groups; g++) /* the newest first: it is the one a next prompt returns to */
        for (int32_t i = n_kept - 1; i >= 0; i--)
            for (int32_t p = lm_kv_first_page(kv, g, kept[i]); p < lm_kv_page_count(kept[i]); p++)
                if (seq->pages[g][p] < 0) seq->pages[g][p] = lm_kv_page_take(kv, g);
    seq->state_known = true; /* the caller writes it, or closes the sequence */
    return LM_OK;
}

bool lm_kv_window_needs(const lm_kv *kv, int32_t group, int32_t n, int32_t page) {
    return page >= lm_kv_first_page(kv, group, n) && page < lm_kv_page_count(n);
}

int32_t lm_kv_page_at(const lm_kv *kv, int32_t index, int32_t group, int32_t page) {
    const lm_kv_seq *seq = &kv->seqs[index];
    if (seq->pages[group][page] >= 0) return seq->pages[group][page];
    int32_t node = seq->node;
    while (node >= 0 && kv->nodes[node].depth > page) node = kv->nodes[node].parent;
    return node >= 0 && kv->nodes[node].depth == page ? kv->nodes[node].pages[group] : -1;
}

void lm_kv_cancel(lm_kv *kv, int32_t index) {
    lm_kv_seq *seq = &kv->seqs[index];
    for (int32_t g = 0; g < kv->params.n_groups; g++)
        for (int32_t p = lm_kv_page_count(seq->n); p < lm_kv_page_count(seq->n + seq->reserved); p++) {
            lm_kv_page_drop(kv, g, seq->pages[g][p]);
            seq->pages[g][p] = -1;
        }
    seq->reserved = 0;
}

/* Page p is full: hand it to the tree, or take over the tree's page with the same tokens (and, by the numerics contract, the same bytes). */
static void finish_page(lm_kv *kv, lm_kv_seq *seq, int32_t p) {
    if (seq->node == LM_KV_UNTRACKED) return;
    const lm_token *tokens = seq->tokens + (size_t)p * LM_KV_PAGE;
    int32_t pages[LM_KV_MAX_GROUPS], node = lm_kv_tree_find(kv, seq->origin, seq->node, tokens);
    for (int32_t g = 0; g < kv->params.n_groups; g++) pages[g] = seq->pages[g][p];
    if (node < 0) {
        node = lm_kv_tree_add(kv, seq->origin, seq->node, tokens, pages);
        seq->node = node < 0 ? LM_KV_UNTRACKED : node;
        return;
    }
    lm_kv_tree_touch(kv, node);
    seq->node = node;
    for (int32_t g = 0; g < kv->params.n_groups; g++) {
        int32_t *kept = &kv->nodes[node].pages[g];
        if (*kept == pages[g] || pages[g] < 0) continue;
        if (*kept < 0) {
            *kept = pages[g];
            lm_kv_page_hold(kv, g, pages[g]);
        } else {
            lm_kv_page_hold(kv, g, *kept);
            lm_kv_page_drop(kv, g, pages[g]);
            seq->pages[g][p] = *kept;
        }
    }
}

static void leave_window(lm_kv *kv, lm_kv_seq *seq, int32_t before) {
    for (int32_t g = 0; g < kv->params.n_groups; g++) {
        if (kv->params.windows[g] <= 0) continue;
        int32_t from = before > kv->params.slack ? before - kv->params.slack : 0,
                to = seq->n > kv->params.slack ? seq->n - kv->params.slack : 0;
        for (int32_t p = lm_kv_first_page(kv, g, from); p < lm_kv_first_page(kv, g, to); p++) {
            lm_kv_page_drop(kv, g, seq->pages[g][p]);
            seq->pages[g][p] = -1;
        }
    }
}

void lm_kv_commit(lm_kv *kv, int32_t index, const lm_token *tokens, int32_t n) {
    lm_kv_seq *seq = &kv->seqs[index];
    int32_t before = seq->n;
    memcpy(seq->tokens + before, tokens, (size_t)n * sizeof *tokens);
    seq->n += n;
    seq->reserved = 0;
    seq->owed = seq->owed > n ? seq->owed - n : 0;
    for (int32_t p = before / LM_KV_PAGE; (p + 1) * LM_KV_PAGE <= seq->n; p++) finish_page(kv, seq, p);
    leave_window(kv, seq, before);
}

bool lm_kv_window_is_here(const lm_kv *kv, const lm_kv_seq *seq, int32_t n) {
    for (int32_t g = 0; g < kv->params.n_groups; g++)
        for (int32_t p = lm_kv_first_page(kv, g, n); p < lm_kv_page_count(n); p++)
            if (seq->pages[g][p] < 0) return false;
    return true;
}

void lm_kv_drop_pages(lm_kv *kv, lm_kv_seq *seq, int32_t n) {
    for (int32_t g = 0; g < kv->params.n_groups; g++)
        for (int32_t p = lm_kv_page_count(n); p < lm_kv_page_count(seq->n); p++) {
            lm_kv_page_drop(kv, g, seq->pages[g][p]);
            seq->pages[g][p] = -1;
        }
    if (seq->node >= 0) /* up to the node of the last page that is still full */
        while (seq->node >= 0 && kv->nodes[seq->node].depth >= n / LM_KV_PAGE) seq->node = kv->nodes[seq->node].parent;
    seq->n = n;
}

lm_status lm_kv_rewind(lm_kv *kv, int32_t index, int32_t n, bool state_is_there) {
    lm_kv_seq *seq = &kv->seqs[index];
    if (n < 0 || n > seq->n + seq->owed) return LM_ERR_RANGE;
    if (n > seq->n || (n == seq->n && seq->state_known)) {
        seq->owed = n - seq->n;
        return LM_OK;
    }
    if (n > 0 && (seq->state < 0 || state_is_there) && lm_kv_window_is_here(kv, seq, n)) {
        lm_kv_drop_pages(kv, seq, n);
        seq->owed = 0;
        seq->state_known = true;
        return LM_OK;
    }
    lm_kv_resumed ignored;
    seq->state_known = false;
    lm_status status = lm_kv_resume(kv, index, seq->tokens, n, &ignored);
    seq->owed = n - seq->n;
    return status;
}

void lm_kv_owe(lm_kv *kv, int32_t seq, int32_t n) { kv->seqs[seq].owed = n - kv->seqs[seq].n; }

lm_status lm_kv_trim(lm_kv *kv, int32_t index, int32_t n) { return lm_kv_rewind(kv, index, n, false); }

void lm_kv_close(lm_kv *kv, int32_t index) {
    lm_kv_seq *seq = &kv->seqs[index];
    for (int32_t g = 0; g < kv->params.n_groups; g++)
        for (int32_t p = 0; p < lm_kv_page_count(seq->n); p++) {
            lm_kv_page_drop(kv, g, seq->pages[g][p]);
            seq->pages[g][p] = -1;
        }
    seq->n = seq->reserved = seq->owed = 0;
    seq->node = LM_KV_ROOT;
    seq->origin = 0;
    seq->state_known = seq->state < 0 || kv->mover.clear_state(kv->mover.user, seq->state) == LM_OK;
}

lm_status lm_kv_fork(lm_kv *kv, int32_t from, int32_t to) {
    if (from == to) return LM_OK;
    lm_kv_seq *a = &kv->seqs[from], *b = &kv->seqs[to];
    lm_kv_close(kv, to);
    lm_status status = a->state >= 0 ? kv->mover.copy_state(kv->mover.user, b->state, a->state) : LM_OK;
    if (status != LM_OK) return status;
    memcpy(b->tokens, a->tokens, (size_t)(a->n + a->owed) * sizeof *b->tokens);
    for (int32_t g = 0; g < kv->params.n_groups; g++)
        for (int32_t p = 0; p < lm_kv_page_count(a->n); p++) {
            b->pages[g][p] = a->pages[g][p];
            if (b->pages[g][p] >= 0) lm_kv_page_hold(kv, g, b->pages[g][p]);
        }
    b->n = a->n;
    b->owed = a->owed;
    b->node = a->node;
    b->origin = a->origin;
    b->state_known = a->state_known;
    return LM_OK;
}
