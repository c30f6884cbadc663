/* SPDX-License-Identifier: MIT
 * The candidate list that a chain works on: ids and logits, later probabilities. Only the logits and the set of entries
 * carry information from one member to the next; probabilities are computed again by each member that needs them.
 *
 * A list begins dense: entry i is token i and logits is the caller's own array, which is copied only when a member changes
 * a logit. The first member that removes or reorders entries makes it a list with ids of its own. Ties between equal
 * logits are always broken by the lower id, so every order is total and no result depends on the sorting algorithm. */
#ifndef LM_SAMPLER_CANDIDATES_H
#define LM_SAMPLER_CANDIDATES_H

#include <stdbool.h>
#include <string.h>

#include "../base/env.h"
#include "sampler_math.h"

typedef enum lm_list_order {
    LM_LIST_ORDER_ID = 0,    /* ascending ids */
    LM_LIST_ORDER_LOGIT = 1, /* descending logits, then ascending ids */
    LM_LIST_ORDER_NONE = 2
} lm_list_order;

typedef struct lm_candidates {
    /* Read by members; written through the functions below. */
    const float *logits; /* [count] the caller's array, or own_logits */
    const lm_token *ids; /* [count] own_ids, or NULL: entry i is token i */
    float *p;            /* [count] as left by lm_candidates_softmax */
    size_t count;
    lm_list_order order;
    size_t selected; /* written by the selecting member; SIZE_MAX before */
    float max;       /* the largest logit, when is_scanned */
    bool is_scanned;
    /* Reserved at creation for capacity entries. */
    size_t capacity;
    float *own_logits;
    lm_token *own_ids;
    uint64_t *keys;    /* [capacity] scratch, also for members */
    float *column_max; /* maxima of the columns of a dense list, see candidates.c */
} lm_candidates;

lm_status lm_candidates_init(lm_candidates *c, const lm_env *env, size_t capacity);
void lm_candidates_free(lm_candidates *c, const lm_env *env);

/* Start a dense list over logits [count], count <= capacity, borrowed. */
void lm_candidates_begin(lm_candidates *c, const float *logits, size_t count);

static inline lm_token lm_candidates_id(const lm_candidates *c, size_t i) { return c->ids ? c->ids[i] : (lm_token)i; }

/* Find max. LM_ERR_RANGE when a logit is NaN or +infinity, or all are -infinity. Free when already known. */
lm_status lm_candidates_scan(lm_candidates *c);

/* p = softmax of the logits; *total (may be NULL) is the sum of e^(logit - max). Fails as lm_candidates_scan. */
lm_status lm_candidates_softmax(lm_candidates *c, double *total);

/* Put the keys of the k best entries (fewer if the list is shorter) into keys, best first, without changing the list;
 * the number is returned. */
size_t lm_candidates_rank(lm_candidates *c, size_t k);
/* Keys of all entries, in no order: to be ordered step by step with lm_sort_prefix. */
void lm_candidates_rank_all(lm_candidates *c);
/* The list becomes the entries of keys[0 .. count), which are in order. */
void lm_candidates_take(lm_candidates *c, size_t count);

/* Keep the k best entries, sorted. */
void lm_candidates_top(lm_candidates *c, size_t k);
/* Keep the first count entries of a list with order LOGIT. */
void lm_candidates_cut(lm_candidates *c, size_t count);
/* Keep the entries with logit >= threshold, in their order. */
void lm_candidates_keep_above(lm_candidates *c, float threshold);

/* The logits, writable. The caller restores order if it still holds for a list with order LOGIT. */
float *lm_candidates_edit(lm_candidates *c);
/* ids and logits, writable: the list is dense no longer. */
float *lm_candidates_edit_ids(lm_candidates *c, lm_token **ids);
/* Apply change to the logit of each token in edits: token << 32 | payload, sorted, tokens distinct; absent tokens are
 * skipped, and so are logits of -infinity. Results above FLT_MAX become FLT_MAX. */
void lm_candidates_change(lm_candidates *c, const uint64_t *edits, size_t n_edits,
                          float (*change)(const void *state, uint32_t payload, float logit), const void *state);

/* Divide all logits by temperature; <= 0 keeps only the best entry. */
lm_status lm_candidates_temper(lm_candidates *c, double temperature);

/* Draw an entry by its weight in p (any sum > 0), with running sums in double. An entry without weight is never drawn; a list
 * of one entry draws nothing. */
size_t lm_candidates_draw(const lm_candidates *c, lm_random *random);
/* Entropy of p in nats. */
double lm_candidates_entropy(const lm_candidates *c);

/* A number that sorts ascending as (descending logit, ascending id), and its parts. */
static inline uint32_t lm_ordered_from_float(float value) {
    uint32_t bits;
    value += 0.0f; /* -0 and 0 are equal */
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

uint64_t lm_candidate_key(float logit, lm_token id);
float lm_candidate_key_logit(uint64_t key);
static inline lm_token lm_candidate_key_id(uint64_t key) { return (lm_token)(uint32_t)key; }

/* Sort so far that the first k keys are the k smallest in ascending order. Time linear in n, no memory. */
void lm_sort_prefix(uint64_t *keys, size_t n, size_t k);

#endif
