/* SPDX-License-Identifier: MIT
 * penalties: lower the logits of tokens that occur among the last accepted ones, by a factor and by amounts per token and
 * per occurrence. Occurrences are counted in a hash table as tokens come and fall out of the window, so a long window
 * costs nothing per pick but its distinct tokens. */
#include "sampler_internal.h"

typedef struct slot {
    lm_token token; /* LM_TOKEN_NONE: free */
    uint32_t count;
} slot;

/* The state continues with slot [n_slots] and lm_token [ring.capacity]. */
typedef struct penalties {
    float repeat, frequency, presence;
    lm_token_ring ring;
    size_t n_slots; /* a power of two, at least twice ring.capacity */
} penalties;

static slot *slots_of(const penalties *own) { return (slot *)(own + 1); }
static lm_token *tokens_of(const penalties *own) { return (lm_token *)(slots_of(own) + own->n_slots); }

static size_t home_of(const penalties *own, lm_token token) {
    return (uint32_t)((uint32_t)token * 2654435761u) >> 7 & (own->n_slots - 1);
}

static size_t find(const penalties *own, lm_token token) {
    const slot *slots = slots_of(own);
    size_t i = home_of(own, token);
    while (slots[i].token != token && slots[i].token != LM_TOKEN_NONE) i = (i + 1) & (own->n_slots - 1);
    return i;
}

static void add(penalties *own, lm_token token) {
    slot *found = slots_of(own) + find(own, token);
    found->token = token;
    found->count++;
}

/* Linear probing without tombstones: the entries after a freed slot move up when their probing passed it. */
static void drop(penalties *own, lm_token token) {
    slot *slots = slots_of(own);
    size_t mask = own->n_slots - 1, hole = find(own, token);
    if (--slots[hole].count > 0) return;
    for (size_t i = (hole + 1) & mask; slots[i].token != LM_TOKEN_NONE; i = (i + 1) & mask) {
        size_t home = home_of(own, slots[i].token);
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        slots[hole] = slots[i];
        hole = i;
    }
    slots[hole] = (slot){LM_TOKEN_NONE, 0};
}

static float change(const void *state, uint32_t count, float logit) {
    const penalties *own = state;
    logit = logit <= 0.0f ? logit * own->repeat : logit / own->repeat;
    return logit - ((float)count * own->frequency + own->presence);
}

static lm_status apply(void *state, lm_candidates *c) {
    penalties *own = state;
    const slot *slots = slots_of(own);
    size_t n = 0;
    for (size_t i = 0; i < own->n_slots; i++)
        if (slots[i].token != LM_TOKEN_NONE && n < c->capacity)
            c->keys[n++] = (uint64_t)(uint32_t)slots[i].token << 32 | slots[i].count;
    lm_sort_prefix(c->keys, n, n);
    lm_candidates_change(c, c->keys, n, change, own);
    return LM_OK;
}

static lm_status accept(void *state, lm_token token, lm_accept_role role) {
    penalties *own = state;
    lm_token evicted;
    (void)role;
    if (lm_token_ring_push(&own->ring, tokens_of(own), token, &evicted)) drop(own, evicted);
    add(own, token);
    return LM_OK;
}

static void reset(void *state) {
    penalties *own = state;
    own->ring.count = own->ring.next = 0;
    for (size_t i = 0; i < own->n_slots; i++) slots_of(own)[i] = (slot){LM_TOKEN_NONE, 0};
}

static const lm_sampler_ops ops = {"penalties", apply, accept, reset, NULL, NULL};

lm_status lm_sampler_penalties_create(const lm_sampler_setup *setup, lm_sampler_member *out) {
    const lm_sampler_params *params = setup->params;
    bool is_neutral =
        params->repeat_penalty == 1.0f && params->frequency_penalty == 0.0f && params->presence_penalty == 0.0f;
    if (params->repeat_last_n == 0 || is_neutral) return LM_OK;
    size_t capacity = (size_t)params->repeat_last_n, n_slots = 16;
    while (n_slots < 2 * capacity) n_slots *= 2;
    size_t bytes = sizeof(penalties) + n_slots * sizeof(slot) + capacity * sizeof(lm_token);
    penalties *own = lm_alloc_zeroed(setup->env, bytes);
    if (!own) return LM_ERR_MEMORY;
    own->repeat = params->repeat_penalty;
    own->frequency = params->frequency_penalty;
    own->presence = params->presence_penalty;
    own->ring.capacity = capacity;
    own->n_slots = n_slots;
    reset(own);
    *out = (lm_sampler_member){&ops, own, bytes};
    return LM_OK;
}
