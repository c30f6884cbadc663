/* SPDX-License-Identifier: MIT
 * Expressions to a nondeterministic automaton over bytes. Every rule that is not copied into its users owns a start and an
 * end state; an edge reads one byte of a range, nothing, a whole token, or everything a called rule matches.
 *
 * No edge enters a fragment's start from inside it or leaves its end, so fragments are joined without extra states. */
#ifndef LM_GRAMMAR_NFA_H
#define LM_GRAMMAR_NFA_H

#include "grammar_expr.h"

#define LM_NFA_NONE UINT32_MAX
#define LM_NFA_MAX_STATES 1000000u
#define LM_NFA_WORK 200000000u /* steps of determinization: well under a second */

typedef enum lm_nfa_kind {
    LM_NFA_EMPTY = 0,
    LM_NFA_BYTES = 1, /* lo to hi */
    LM_NFA_CALL = 2,  /* arg: rule */
    LM_NFA_TOKEN = 3  /* arg: token; lo: 1 for "any but this" */
} lm_nfa_kind;

typedef struct lm_nfa_edge {
    uint32_t to, next, arg;
    uint8_t kind, lo, hi;
    uint8_t literal; /* the byte was written out in the grammar, not matched by a class */
} lm_nfa_edge;

typedef struct lm_nfa_rule {
    uint32_t start, end; /* LM_NFA_NONE until built */
    uint32_t cost;       /* about how many states its expression takes */
    uint32_t depth;      /* of its expression, copied rules included */
    bool copied;         /* copied into its users instead of called */
    bool nullable;       /* may match the empty text */
    bool productive;     /* matches something */
} lm_nfa_rule;

typedef struct lm_nfa {
    const lm_env *env;
    lm_gexpr_pool *pool;
    lm_status status;
    uint64_t work;      /* what determinization may still cost */
    uint32_t write_out; /* above 0: inside a product, where repetitions are never counted */
    uint32_t *costs;    /* [n_costs] per expression, 0 unknown */
    uint32_t *depths;   /* [n_costs] likewise: how deep the construction recurses */
    uint32_t *counted;  /* [n_costs] the rule that a repetition became, plus 1; wherever it is written it is one rule */
    size_t n_costs;
    uint32_t *stamps; /* [n_stamps] per state: the last visit that met it */
    size_t n_stamps;
    uint32_t visit;
    LM_ARRAY(uint32_t) heads; /* first edge of each state */
    LM_ARRAY(lm_nfa_edge) edges;
    lm_nfa_rule *rules; /* [capacity rules]: one per rule of the pool, grown as counted rules are added */
    size_t rules_capacity;
} lm_nfa;

uint32_t lm_nfa_add_state(lm_nfa *nfa);
void lm_nfa_add_edge(lm_nfa *nfa, uint32_t from, lm_nfa_edge edge);

/* Connect from with to by expr. A repetition too large to be written out becomes a counted rule of the pool. */
void lm_nfa_build(lm_nfa *nfa, lm_gexpr expr, uint32_t from, uint32_t to);
void lm_nfa_free(lm_nfa *nfa);

/* About how many states expr takes, a called rule or counted repetition at 1; saturates. Sets depths[expr] too. The costs
 * and depths of copied rules must be known. */
uint32_t lm_nfa_cost(lm_nfa *nfa, lm_gexpr expr);

/* Decide which rules are copied into their users (grammar_copy.c). */
void lm_nfa_choose_copies(lm_nfa *nfa, uint32_t root);

/* Begin a visit: afterwards lm_nfa_meet is true once per state. False when out of memory. */
bool lm_nfa_begin_visit(lm_nfa *nfa);
static inline bool lm_nfa_meet(lm_nfa *nfa, uint32_t state) {
    if (nfa->stamps[state] == nfa->visit) return false;
    nfa->stamps[state] = nfa->visit;
    return true;
}

#endif
