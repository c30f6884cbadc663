/* SPDX-License-Identifier: MIT
 * The form both front ends produce: a pool of expressions over code points, and named rules that refer to each other. GBNF
 * and JSON Schema know nothing of automata; the compiler (grammar_compile.h) knows nothing of their syntax.
 *
 * Expressions are small integers and may be shared (the pool is a graph without cycles; cycles go through rules). Failure to
 * allocate is remembered in the pool, so that a front end checks once at its end: after it every call gives LM_GEXPR_EMPTY. */
#ifndef LM_GRAMMAR_EXPR_H
#define LM_GRAMMAR_EXPR_H

#include <lm/base.h>

#include "../base/array.h"
#include "../base/env.h"

typedef uint32_t lm_gexpr;

#define LM_GEXPR_EMPTY ((lm_gexpr)0) /* matches the empty text */
#define LM_GEXPR_NEVER ((lm_gexpr)1) /* matches nothing */
#define LM_GRAMMAR_UNBOUNDED UINT32_MAX
#define LM_GRAMMAR_MAX_DEPTH 256   /* nested groups of a front end */
#define LM_GRAMMAR_MAX_RULES 65536 /* rules, the compiler's own included */

typedef enum lm_gexpr_kind {
    LM_GEXPR_KIND_EMPTY = 0,
    LM_GEXPR_KIND_NEVER = 1,
    LM_GEXPR_KIND_TEXT = 2,   /* a: offset in bytes, b: length */
    LM_GEXPR_KIND_CLASS = 3,  /* a: first of ranges, b: count; sorted, disjoint, without surrogates */
    LM_GEXPR_KIND_SEQ = 4,    /* a: first of kids, b: count */
    LM_GEXPR_KIND_ALT = 5,    /* a: first of kids, b: count */
    LM_GEXPR_KIND_REPEAT = 6, /* a: child, b: least, c: most or LM_GRAMMAR_UNBOUNDED */
    LM_GEXPR_KIND_RULE = 7,   /* a: rule */
    LM_GEXPR_KIND_TOKEN = 8,  /* a: token id, b: 1 for "any but this" */
    LM_GEXPR_KIND_NET = 9,    /* a: first of net_edges, b: count, c: states; from state 0 to state 1 */
    LM_GEXPR_KIND_BOTH = 10,  /* what a and b match; neither may contain rules or tokens */
    LM_GEXPR_KIND_EXCEPT = 11 /* what a matches and b does not; likewise */
} lm_gexpr_kind;

typedef struct lm_gexpr_node {
    uint32_t kind, a, b, c;
} lm_gexpr_node;

typedef struct lm_code_range {
    uint32_t lo, hi; /* inclusive */
} lm_code_range;

typedef struct lm_net_edge {
    uint32_t from, to;
    lm_gexpr expr;
} lm_net_edge;

typedef struct lm_grammar_rule_def {
    lm_gexpr expr;
    uint32_t name, name_length; /* in bytes */
    uint32_t least, most;       /* of a counted rule: how often expr repeats; 1, 1 of any other */
    int32_t line;               /* 0 when unknown */
    uint64_t offset;
    bool defined;
} lm_grammar_rule_def;

typedef struct lm_gexpr_pool {
    const lm_env *env;
    lm_status status; /* LM_OK until an allocation fails or a bound is met */
    LM_ARRAY(lm_gexpr_node) nodes;
    LM_ARRAY(uint32_t) kids;
    LM_ARRAY(lm_code_range) ranges;
    LM_ARRAY(lm_net_edge) net_edges;
    LM_ARRAY(uint8_t) bytes;
    LM_ARRAY(lm_grammar_rule_def) rules;
} lm_gexpr_pool;

void lm_gexpr_pool_init(lm_gexpr_pool *pool, const lm_env *env);
void lm_gexpr_pool_free(lm_gexpr_pool *pool);

/* n may be 0: the empty text. */
lm_gexpr lm_gexpr_text(lm_gexpr_pool *pool, const void *bytes, size_t n);
/* A set of code points, given in any order and overlapping; negated: all others. Surrogates are never members. */
lm_gexpr lm_gexpr_class(lm_gexpr_pool *pool, const lm_code_range *ranges, size_t n, bool negated);
lm_gexpr lm_gexpr_seq(lm_gexpr_pool *pool, const lm_gexpr *items, size_t n);
/* n 0 gives LM_GEXPR_NEVER. */
lm_gexpr lm_gexpr_alt(lm_gexpr_pool *pool, const lm_gexpr *items, size_t n);
lm_gexpr lm_gexpr_seq2(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b);
lm_gexpr lm_gexpr_seq3(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b, lm_gexpr c);
lm_gexpr lm_gexpr_alt2(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b);
/* least <= most. */
lm_gexpr lm_gexpr_repeat(lm_gexpr_pool *pool, lm_gexpr child, uint32_t least, uint32_t most);
lm_gexpr lm_gexpr_optional(lm_gexpr_pool *pool, lm_gexpr child);
lm_gexpr lm_gexpr_rule(lm_gexpr_pool *pool, uint32_t rule);
lm_gexpr lm_gexpr_token(lm_gexpr_pool *pool, uint32_t token, bool negated);
/* A graph whose edges carry expressions: states 0 (start), 1 (end) to n_states - 1. */
lm_gexpr lm_gexpr_net(lm_gexpr_pool *pool, const lm_net_edge *edges, size_t n, uint32_t n_states);
lm_gexpr lm_gexpr_both(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b);
lm_gexpr lm_gexpr_except(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b);

/* A new rule without a definition; UINT32_MAX after failure. */
uint32_t lm_gexpr_add_rule(lm_gexpr_pool *pool, const void *name, size_t name_length);

/* Sort ranges, join those that touch: the new count. */
size_t lm_code_ranges_normalize(lm_code_range *ranges, size_t n);
/* Heap sort: no memory, no worst case. */
void lm_sort_u32(uint32_t *values, size_t n);

#endif
