/* SPDX-License-Identifier: MIT
 * dry (don't repeat yourself): lower the logit of each token that would lengthen a repetition of what came before. With r
 * the history read backwards, the repetition that ended d tokens ago has the length z(d) of the longest common prefix of
 * r and r + d; the token that followed it then is r[d - 1]. The Z algorithm gives all z(d) in linear time. */
#include "sampler_internal.h"

#include <string.h>

#include "../base/checked.h"
#include "dry_breakers.h"

/* The state continues with uint64_t edits [capacity], lm_dry_breaker items [n_items], then lm_token arrays: pool [n_pool],
 * ring [capacity], recent [capacity], and z [capacity]. */
typedef struct dry {
    float multiplier, base;
    size_t allowed_length, max_exponent;
    lm_token_ring ring;
    size_t n_items, n_pool;
} dry;

typedef struct dry_arrays {
    uint64_t *edits;
    lm_dry_breaker *items;
    lm_token *pool, *tokens, *recent;
    int32_t *z;
} dry_arrays;

static dry_arrays arrays_of(dry *own) {
    dry_arrays a;
    a.edits = (uint64_t *)(own + 1);
    a.items = (lm_dry_breaker *)(a.edits + own->ring.capacity);
    a.pool = (lm_token *)(a.items + own->n_items);
    a.tokens = a.pool + own->n_pool;
    a.recent = a.tokens + own->ring.capacity;
    a.z = a.recent + own->ring.capacity;
    return a;
}

/* The first breaker with this head or a larger one. */
static size_t first_item(const dry *own, const dry_arrays *a, lm_token head) {
    size_t low = 0, high = own->n_items;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->items[middle].head < head)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_single_breaker(const dry *own, const dry_arrays *a, lm_token token) {
    for (size_t i = first_item(own, a, token); i < own->n_items && a->items[i].head == token; i++)
        if (a->items[i].tail_count == 0) return true;
    return false;
}

/* How long a repetition can be before it reaches back over a breaker. */
static size_t repetition_limit(const dry *own, const dry_arrays *a, size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t longest = 0;
        bool is_found = false;
        for (size_t b = first_item(own, a, a->recent[i]); b < own->n_items && a->items[b].head == a->recent[i]; b++) {
            size_t k = a->items[b].tail_count, o = 0;
            const lm_token *tail = a->pool + a->items[b].tail_start;
            if (k > i) continue;
            while (o < k && tail[o] == a->recent[i - o - 1]) o++;
            if (o < k) continue;
            is_found = true;
            longest = lm_size_max(longest, k);
        }
        if (is_found) return i - longest;
    }
    return n;
}

/* z[d] = length of the longest common prefix of r and r + d, for d = 1 .. n - 1. */
static void prefix_lengths(const lm_token *r, size_t n, int32_t *z) {
    size_t left = 0, right = 0; /* r[left .. right) equals r[0 .. right - left), right as large as known */
    for (size_t d = 1; d < n; d++) {
        size_t length = d < right ? lm_size_min((size_t)z[d - left], right - d) : 0;
        while (d + length < n && r[length] == r[d + length]) length++;
        if (d + length > right) left = d, right = d + length;
        z[d] = (int32_t)length;
    }
}

static float change(const void *state, uint32_t not_length, float logit) {
    const dry *own = state;
    size_t exponent = lm_size_min(~not_length - own->allowed_length, own->max_exponent);
    double penalty = own->multiplier, power = own->base;
    for (; exponent; exponent >>= 1, power *= power)
        if (exponent & 1) penalty *= power;
    return (float)(logit - penalty);
}

static lm_status apply(void *state, lm_candidates *c) {
    dry *own = state;
    dry_arrays a = arrays_of(own);
    size_t n = own->ring.count, n_edits = 0, n_kept = 0;
    if (n <= own->allowed_length) return LM_OK;
    for (size_t i = 0; i < n; i++) a.recent[i] = lm_token_ring_at(&own->ring, a.tokens, i);
    size_t limit = repetition_limit(own, &a, n);
    if (limit < own->allowed_length) return LM_OK;
    prefix_lengths(a.recent, n, a.z);
    for (size_t d = 1; d < n; d++) {
        size_t length = lm_size_min((size_t)a.z[d], limit);
        /* The length is inverted, so the longest repetition of a token sorts first. */
        if (length >= own->allowed_length)
            a.edits[n_edits++] = (uint64_t)(uint32_t)a.recent[d - 1] << 32 | (uint32_t) ~(uint32_t)length;
    }
    lm_sort_prefix(a.edits, n_edits, n_edits);
    for (size_t i = 0; i < n_edits; i++) {
        if (n_kept && a.edits[n_kept - 1] >> 32 == a.edits[i] >> 32) continue;
        if (is_single_breaker(own, &a, (lm_token)(a.edits[i] >> 32))) continue;
        a.edits[n_kept++] = a.edits[i];
    }
    lm_candidates_change(c, a.edits, n_kept, change, own);
    return LM_OK;
}

static lm_status accept(void *state, lm_token token, lm_accept_role role) {
    dry *own = state;
    lm_token evicted;
    (void)role;
    lm_token_ring_push(&own->ring, arrays_of(own).tokens, token, &evicted);
    return LM_OK;
}

static void reset(void *state) {
    dry *own = state;
    own->ring.count = own->ring.next = 0;
}

static const lm_sampler_ops ops = {"dry", apply, accept, reset, NULL, NULL};

lm_status lm_sampler_dry_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    const lm_sampler_params *params = setup->params;
    if (params->dry_multiplier == 0.0f || params->dry_base < 1.0f || params->dry_last_n == 0) return LM_OK;
    lm_dry_breakers breakers = {NULL, NULL, 0, 0, 0, 0};
    lm_status status = lm_dry_breakers_build(setup, &breakers);
    if (status != LM_OK) return status;
    size_t capacity = (size_t)params->dry_last_n;
    size_t bytes = sizeof(dry) + capacity * (sizeof(uint64_t) + 3 * sizeof(lm_token)) +
                   breakers.n_items * sizeof *breakers.items + breakers.n_pool * sizeof *breakers.pool;
    dry *own = lm_alloc_zeroed(setup->env, bytes);
    if (own) {
        own->multiplier = params->dry_multiplier;
        own->base = params->dry_base;
        own->allowed_length = (size_t)params->dry_allowed_length;
        /* 88.7228391 is the logarithm of the largest float. */
        own->max_exponent = own->base > 1.000001f ? (size_t)(88.7228391 / lm_ln(own->base)) : SIZE_MAX;
        own->ring.capacity = capacity;
        own->n_items = breakers.n_items;
        own->n_pool = breakers.n_pool;
        dry_arrays a = arrays_of(own);
        if (breakers.n_items) memcpy(a.items, breakers.items, breakers.n_items * sizeof *a.items);
        if (breakers.n_pool) memcpy(a.pool, breakers.pool, breakers.n_pool * sizeof *a.pool);
        *out = (lm_sampler_member){&ops, own, bytes};
    } else {
        status = LM_ERR_MEMORY;
    }
    lm_dry_breakers_free(&breakers, setup->env);
    return status;
}
