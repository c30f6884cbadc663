/* SPDX-License-Identifier: MIT
 * Merging neighbouring parts in order of priority, ties from the left: the heart of BPE (priority: rank of the pair) and SPM
 * (priority: score of the joined text). Short pieces are searched, which beats any queue; long ones use a heap of
 * candidates, O(n log n), where a candidate is out of date when the parts at its place no longer have its size. */
#include "vocab_internal.h"

#define SHORT_PARTS 48

/* The merge of two neighbours: false when there is none. */
static bool find(const lm_vocab *vocab, const uint8_t *text, const lm_vocab_part *left, const lm_vocab_part *right,
                 uint32_t *priority, uint32_t *result) {
    if (vocab->type == LM_VOCAB_TYPE_SPM) {
        size_t size = (size_t)left->size + right->size;
        if (size > vocab->max_text) return false;
        uint32_t symbol = lm_vocab_find_symbol(vocab, text + left->start, size);
        if (symbol == LM_SYMBOL_NONE) return false;
        *priority = vocab->priorities[symbol];
        *result = symbol;
        return true;
    }
    if (left->symbol == LM_SYMBOL_NONE || right->symbol == LM_SYMBOL_NONE) return false;
    const lm_pair *pair = lm_pair_find(&vocab->pairs, left->symbol, right->symbol);
    if (!pair) return false;
    *priority = pair->rank;
    *result = pair->result;
    return true;
}

/* Priorities of all pairs side by side; the smallest is found by looking at each. */
static size_t merge_short(const lm_vocab *vocab, const uint8_t *text, lm_vocab_part *parts, size_t n) {
    uint64_t priority[SHORT_PARTS]; /* of the pair that starts here; UINT64_MAX: none */
    uint32_t result[SHORT_PARTS], found;
    for (size_t i = 0; i + 1 < n; i++)
        priority[i] = find(vocab, text, &parts[i], &parts[i + 1], &found, &result[i]) ? found : UINT64_MAX;
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (priority[i] < priority[best]) best = i;
        if (priority[best] == UINT64_MAX) break;
        parts[best].size += parts[best + 1].size;
        parts[best].symbol = result[best];
        n--;
        for (size_t i = best + 1; i < n; i++) parts[i] = parts[i + 1];
        for (size_t i = best + 1; i + 1 < n; i++) priority[i] = priority[i + 1], result[i] = result[i + 1];
        for (size_t i = best > 0 ? best - 1 : 0; i <= best && i + 1 < n; i++)
            priority[i] = find(vocab, text, &parts[i], &parts[i + 1], &found, &result[i]) ? found : UINT64_MAX;
    }
    return n;
}

static void sift_down(lm_merge_candidate *heap, size_t n, size_t i) {
    lm_merge_candidate moved = heap[i];
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1].key < heap[child].key) child++;
        if (moved.key <= heap[child].key) break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

static void sift_up(lm_merge_candidate *heap, size_t i) {
    lm_merge_candidate moved = heap[i];
    for (size_t parent; i > 0 && moved.key < heap[parent = (i - 1) / 2].key; i = parent) heap[i] = heap[parent];
    heap[i] = moved;
}

/* Append the candidate of the pair that starts at part left, without restoring the order of the heap. */
static bool propose(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, uint32_t left,
                    uint32_t right, bool *added) {
    uint32_t priority, result;
    const lm_vocab_part *a = &scratch->parts.data[left], *b = &scratch->parts.data[right];
    *added = find(vocab, text, a, b, &priority, &result);
    if (!*added) return true;
    lm_merge_candidate candidate = {(uint64_t)priority << 32 | left, a->size + b->size, result};
    return lm_array_push(&scratch->env, &scratch->heap, candidate);
}

static lm_status merge_long(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text) {
    lm_vocab_part *parts = scratch->parts.data;
    size_t n = scratch->parts.count;
    bool added;
    scratch->links.count = scratch->heap.count = 0;
    if (!lm_array_reserve(&scratch->env, &scratch->links, 2 * n)) return LM_ERR_MEMORY;
    if (!lm_array_reserve(&scratch->env, &scratch->heap, n)) return LM_ERR_MEMORY;
    uint32_t *next = scratch->links.data, *previous = next + n; /* n and UINT32_MAX end the list */
    for (size_t i = 0; i < n; i++) {
        next[i] = (uint32_t)(i + 1);
        previous[i] = i ? (uint32_t)(i - 1) : UINT32_MAX;
        if (i + 1 < n && !propose(vocab, scratch, text, (uint32_t)i, (uint32_t)(i + 1), &added)) return LM_ERR_MEMORY;
    }
    for (size_t i = scratch->heap.count / 2; i-- > 0;) sift_down(scratch->heap.data, scratch->heap.count, i);
    while (scratch->heap.count > 0) {
        lm_merge_candidate top = scratch->heap.data[0];
        scratch->heap.data[0] = scratch->heap.data[--scratch->heap.count];
        if (scratch->heap.count > 1) sift_down(scratch->heap.data, scratch->heap.count, 0);
        uint32_t left = (uint32_t)top.key, right = next[left];
        if (parts[left].size == 0 || right == n || parts[left].size + parts[right].size != top.size) continue;
        parts[left].size = top.size;
        parts[left].symbol = top.result;
        parts[right].size = 0;
        next[left] = next[right];
        if (next[left] < n) {
            previous[next[left]] = left;
            if (!propose(vocab, scratch, text, left, next[left], &added)) return LM_ERR_MEMORY;
            if (added) sift_up(scratch->heap.data, scratch->heap.count - 1);
        }
        if (previous[left] != UINT32_MAX) {
            if (!propose(vocab, scratch, text, previous[left], left, &added)) return LM_ERR_MEMORY;
            if (added) sift_up(scratch->heap.data, scratch->heap.count - 1);
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i = next[i]) parts[kept++] = parts[i];
    scratch->parts.count = kept;
    return LM_OK;
}

lm_status lm_merge_parts(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text) {
    if (scratch->parts.count > SHORT_PARTS) return merge_long(vocab, scratch, text);
    scratch->parts.count = merge_short(vocab, text, scratch->parts.data, scratch->parts.count);
    return LM_OK;
}
