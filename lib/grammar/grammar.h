/* SPDX-License-Identifier: MIT
 * The door of the grammar room: the compiled automaton. One table of byte classes drives all states of all rules; a state
 * may also call rules, read whole tokens, and end its rule. Immutable once compiled; the masks cached for vocabularies hang
 * on it in a list that only grows (token_mask.h). */
#ifndef LM_GRAMMAR_GRAMMAR_H
#define LM_GRAMMAR_GRAMMAR_H

#include <stdatomic.h>

#include <lm/grammar.h>

#include "grammar_expr.h"

#define LM_AUTOMATON_DEAD 0u
#define LM_AUTOMATON_LIST 0x80000000u    /* the rest is an index into lists: a count, then states */
#define LM_AUTOMATON_LITERAL 0x40000000u /* the byte is written out in the grammar */
#define LM_AUTOMATON_TARGET 0x3FFFFFFFu
#define LM_AUTOMATON_MANY 256u
#define LM_AUTOMATON_NONE 257u

typedef struct lm_automaton_state {
    uint32_t rule;
    uint32_t calls, tokens; /* first of its calls and token edges */
    uint16_t n_calls, n_tokens;
    uint8_t accept;
    uint8_t plain; /* neither accept nor calls: entering it needs no further work */
    uint8_t reads; /* has byte edges */
    uint16_t only; /* the one byte it reads, LM_AUTOMATON_MANY, or LM_AUTOMATON_NONE */
} lm_automaton_state;

typedef struct lm_automaton_call {
    uint32_t rule, to;
    uint32_t tail; /* to does nothing but end its rule: its stack entry can be left out */
} lm_automaton_call;

typedef struct lm_automaton_token {
    uint32_t token, to, negated;
} lm_automaton_token;

typedef struct lm_automaton_rule {
    uint32_t start;
    uint32_t least, most; /* counted rules: how often start's text repeats */
    bool counted;
} lm_automaton_rule;

struct lm_token_masks;

struct lm_grammar {
    atomic_size_t references;
    lm_env env;
    uint8_t class_of[256];
    uint32_t n_classes, n_states, n_rules; /* rule 0 is the root */
    size_t n_calls, n_tokens;
    size_t calls_capacity, tokens_capacity, lists_capacity;
    uint32_t *next;             /* [n_states][n_classes]; state 0 is dead */
    lm_automaton_state *states; /* [n_states] */
    lm_automaton_call *calls;
    lm_automaton_token *tokens;
    lm_automaton_rule *rules; /* [n_rules] */
    uint32_t *lists;
    _Atomic(struct lm_token_masks *) masks; /* one per vocabulary seen */
};

static inline uint32_t lm_automaton_next(const lm_grammar *grammar, uint32_t state, uint8_t byte) {
    return grammar->next[(size_t)state * grammar->n_classes + grammar->class_of[byte]];
}

/* Compile the rules of pool, from root. LM_ERR_FORMAT (left recursion, nothing can match), LM_ERR_LIMIT, LM_ERR_MEMORY,
 * LM_ERR_UNSUPPORTED. */
lm_status lm_grammar_compile(lm_gexpr_pool *pool, uint32_t root, lm_grammar **out, lm_error *error);
/* Drop a reference; the last one frees the masks and the automaton. NULL is allowed. */
void lm_grammar_release(lm_grammar *grammar);
/* Frees the automaton alone, whatever the references; NULL is allowed. */
void lm_grammar_free(lm_grammar *grammar);
/* Of the automaton alone, and with all cached masks. */
size_t lm_grammar_table_bytes(const lm_grammar *grammar);
size_t lm_grammar_bytes(const lm_grammar *grammar);

#endif
