/* SPDX-License-Identifier: MIT
 * Where a text stands in a grammar, after each of its bytes: a set of items. An item is a state of a rule, the frame of that
 * rule's call, and a count for counted rules. All calls of one rule at one position share one frame, and a frame lists every
 * place it may return to; so however ambiguous the grammar, a set holds each (state, frame, count) once and nothing
 * multiplies: Earley's bound, not that of a set of stacks.
 *
 * A frame's list is complete when the position it was made at is, and everything lies in arrays in order of position. Going
 * back is therefore cutting the arrays off. */
#ifndef LM_GRAMMAR_CHART_H
#define LM_GRAMMAR_CHART_H

#include "grammar.h"

#define LM_CHART_NONE UINT32_MAX

typedef struct lm_chart_item {
    uint32_t state, frame, count;
} lm_chart_item;

typedef struct lm_chart_frame {
    uint32_t rule, position;
    uint32_t links; /* first place to return to, LM_CHART_NONE for the root and for a frame whose caller is unknown */
} lm_chart_frame;

typedef struct lm_chart_link {
    uint32_t next, owner; /* owner: the frame whose list this is in */
    lm_chart_item back;   /* the item that the end of the called rule gives */
} lm_chart_link;

typedef struct lm_chart_set {
    uint32_t items, frames, links; /* where the set's own begin; they end where the next set's begin */
    uint8_t escaped;               /* some rule ended whose caller is unknown */
} lm_chart_set;

typedef struct lm_chart_seen { /* a hash table that is emptied by counting up */
    uint32_t *slots;           /* [n_slots][2]: generation, index */
    size_t n_slots;
    uint32_t generation, count;
} lm_chart_seen;

typedef struct lm_chart {
    const lm_env *env;
    const lm_grammar *grammar;
    uint32_t position;           /* of the last set: bytes read */
    uint32_t unknown;            /* the frame whose caller is unknown, LM_CHART_NONE for none */
    uint64_t work;               /* items and links that may still be looked at; whoever steps sets it */
    lm_status failure;           /* why the last call ended with LM_CHART_FAILED */
    LM_ARRAY(lm_chart_set) sets; /* the last ones; sets.data[sets.count - 1] belongs to position */
    LM_ARRAY(lm_chart_item) items;
    LM_ARRAY(lm_chart_frame) frames;
    LM_ARRAY(lm_chart_link) links;
    size_t n_closed;        /* items before this one have been closed under calls and returns */
    LM_ARRAY(size_t) again; /* of these, those that are to be closed again as their count has become smaller */
    uint32_t *rule_frames;  /* [n_rules] where a rule's frame of the last set is, if it is there */
    lm_chart_seen seen_items, seen_links;
} lm_chart;

typedef enum lm_chart_result {
    LM_CHART_DEAD = 0, /* the byte cannot follow; the chart is as before */
    LM_CHART_ALIVE = 1,
    LM_CHART_FAILED = 2 /* LM_ERR_MEMORY, or LM_ERR_LIMIT (too much work or too many items) in failure; the chart is as
                           before */
} lm_chart_result;

lm_status lm_chart_init(lm_chart *chart, const lm_env *env, const lm_grammar *grammar);
void lm_chart_free(lm_chart *chart);
/* An empty chart: no set at all. */
void lm_chart_clear(lm_chart *chart);
/* The set before the first byte, of an empty chart. */
lm_status lm_chart_start(lm_chart *chart);
lm_status lm_chart_copy(lm_chart *to, const lm_chart *from);

lm_chart_result lm_chart_step(lm_chart *chart, uint8_t byte);
/* As lm_chart_step along edges that the grammar spells out, not its classes. */
lm_chart_result lm_chart_step_literal(lm_chart *chart, uint8_t byte);
/* Drop the last n sets; n is less than their number. */
void lm_chart_back(lm_chart *chart, uint32_t n);
/* Forget sets but the last keep ones, and the frames that only they used. */
lm_status lm_chart_compact(lm_chart *chart, uint32_t keep);

/* Building sets from outside: open one at the next position, add items, close it. Closing an empty set drops it. */
/* Charge work: false, with the failure set, when there was not enough left. */
bool lm_chart_spend(lm_chart *chart, uint64_t work);
bool lm_chart_open(lm_chart *chart);
bool lm_chart_add(lm_chart *chart, lm_chart_item item);
lm_chart_result lm_chart_close(lm_chart *chart);

static inline const lm_chart_item *lm_chart_items(const lm_chart *chart, uint32_t *n) {
    uint32_t first = chart->sets.data[chart->sets.count - 1].items;
    *n = (uint32_t)chart->items.count - first;
    return chart->items.data + first;
}
bool lm_chart_is_complete(const lm_chart *chart);

#endif
