/* SPDX-License-Identifier: MIT
 * Determinization: one rule's nondeterministic automaton to states with at most one target per byte and per called rule.
 * Where the subset construction would blow up, the rest of the rule stays nondeterministic: an edge then leads to a list of
 * states. The matcher handles both, so an unlucky grammar costs speed and never memory. */
#ifndef LM_GRAMMAR_DFA_H
#define LM_GRAMMAR_DFA_H

#include "grammar_nfa.h"

#define LM_DFA_LIST 0x80000000u /* a target with this bit is an index into lists: a count, then that many states */

typedef struct lm_dfa_edge {
    uint32_t to;
    uint8_t lo, hi, literal;
} lm_dfa_edge;

typedef struct lm_dfa_call { /* of a rule or a token */
    uint32_t arg, to;
    uint32_t negated; /* tokens only */
} lm_dfa_call;

typedef struct lm_dfa_state {
    uint32_t edges, n_edges; /* ascending, disjoint */
    uint32_t calls, n_calls;
    uint32_t tokens, n_tokens;
    bool accept;
} lm_dfa_state;

typedef struct lm_dfa {
    LM_ARRAY(lm_dfa_state) states; /* state 0 is the start, which no edge leads back to */
    LM_ARRAY(lm_dfa_edge) edges;
    LM_ARRAY(lm_dfa_call) calls;
    LM_ARRAY(lm_dfa_call) tokens;
    LM_ARRAY(uint32_t) lists;
} lm_dfa;

/* useful [n nfa states] says which states lead to the end; NULL: all. More than max_states sets: the rest is left as lists,
 * or LM_ERR_LIMIT when strict. The outcome is in nfa->status; out must be freed in any case. */
void lm_dfa_create(lm_nfa *nfa, uint32_t start, uint32_t end, const uint8_t *useful, size_t max_states, bool strict,
                   lm_dfa *out);
void lm_dfa_free(const lm_env *env, lm_dfa *dfa);

/* The BOTH or EXCEPT expression node between two states of nfa. */
void lm_dfa_build_product(lm_nfa *nfa, lm_gexpr_node node, uint32_t from, uint32_t to);

#endif
