/* SPDX-License-Identifier: MIT
 * A sorted index of names. A merge sort and a binary search: the time is n log n for every input, whereas whoever writes the
 * names could aim them at one bucket of a hash table. Names are ordered by length first, which settles most comparisons. */
#include "gguf_private.h"

#include <string.h>

static int compare(const char *a, size_t a_size, const char *b, size_t b_size) {
    if (a_size != b_size) return a_size < b_size ? -1 : 1;
    return a_size ? memcmp(a, b, a_size) : 0;
}

static const lm_gguf_str *name_of(const void *entries, size_t stride, size_t i) {
    return (const lm_gguf_str *)(const void *)((const char *)entries + i * stride);
}

static int compare_entries(const void *entries, size_t stride, uint32_t a, uint32_t b) {
    const lm_gguf_str *x = name_of(entries, stride, a), *y = name_of(entries, stride, b);
    return compare(x->data, x->size, y->data, y->size);
}

/* Merge runs of `width` in from into runs of twice the width in to. */
static void merge_runs(const void *entries, size_t stride, const uint32_t *from, uint32_t *to, size_t count,
                       size_t width) {
    for (size_t start = 0; start < count; start += 2 * width) {
        size_t middle = lm_size_min(start + width, count), end = lm_size_min(start + 2 * width, count);
        size_t left = start, right = middle;
        for (size_t i = start; i < end; i++) {
            bool take_left =
                right == end || (left < middle && compare_entries(entries, stride, from[left], from[right]) <= 0);
            to[i] = take_left ? from[left++] : from[right++];
        }
    }
}

bool lm_gguf_index_build(const lm_env *env, const void *entries, size_t stride, size_t count, lm_gguf_index *index,
                         size_t *duplicate) {
    uint32_t *order = lm_alloc_array(env, count, sizeof *order);
    uint32_t *spare = lm_alloc_array(env, count, sizeof *spare);
    bool done = order && spare;
    if (!done) goto out;
    for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
    for (size_t width = 1; width < count; width *= 2) {
        merge_runs(entries, stride, order, spare, count, width);
        uint32_t *sorted = spare;
        spare = order;
        order = sorted;
    }
    *duplicate = SIZE_MAX;
    for (size_t i = 1; i < count && *duplicate == SIZE_MAX; i++)
        if (compare_entries(entries, stride, order[i - 1], order[i]) == 0) *duplicate = order[i];
    index->order = order;
    index->count = count;
    order = NULL;
out:
    lm_free(env, order, count * sizeof *order);
    lm_free(env, spare, count * sizeof *spare);
    return done;
}

size_t lm_gguf_index_find(const lm_gguf_index *index, const void *entries, size_t stride, const char *name,
                          size_t size) {
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const lm_gguf_str *own = name_of(entries, stride, index->order[middle]);
        int order = compare(name, size, own->data, own->size);
        if (order == 0) return index->order[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

void lm_gguf_index_free(const lm_env *env, lm_gguf_index *index) {
    lm_free(env, index->order, index->count * sizeof *index->order);
    *index = (lm_gguf_index){NULL, 0};
}
