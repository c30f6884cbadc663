/* SPDX-License-Identifier: MIT
 * Regular expressions in the ECMA-262 dialect, parsed to a tree. Two users: patterns of schemas become expressions
 * (schema_pattern.c), patterns of triggers become programs (trigger_program.c). Left out, and refused by name: back
 * references, word boundaries, lookbehind, Unicode properties but for general categories. */
#ifndef LM_GRAMMAR_REGEX_H
#define LM_GRAMMAR_REGEX_H

#include "grammar_expr.h"

#define LM_REGEX_MAX_BYTES 65536u
#define LM_REGEX_UNBOUNDED LM_GRAMMAR_UNBOUNDED

typedef enum lm_regex_kind {
    LM_REGEX_EMPTY = 0,
    LM_REGEX_CLASS = 1,  /* a: first of ranges, b: count (0: matches nothing); sorted, disjoint */
    LM_REGEX_SEQ = 2,    /* a: first of kids, b: count */
    LM_REGEX_ALT = 3,    /* a: first of kids, b: count */
    LM_REGEX_REPEAT = 4, /* a: child, b: least, c: most; lazy */
    LM_REGEX_GROUP = 5,  /* a: child, b: number from 1, 0 when it captures nothing */
    LM_REGEX_BEGIN = 6,  /* ^ */
    LM_REGEX_END = 7,    /* $ */
    LM_REGEX_LOOK = 8    /* a: child, b: 1 when it must not follow */
} lm_regex_kind;

typedef struct lm_regex_node {
    uint32_t a, b, c;
    uint8_t kind;
    bool lazy;
    bool anchored; /* an anchor or a lookahead is in it */
} lm_regex_node;

typedef struct lm_regex {
    const lm_env *env;
    LM_ARRAY(lm_regex_node) nodes;
    LM_ARRAY(uint32_t) kids;
    LM_ARRAY(lm_code_range) ranges;
    uint32_t root, n_groups;
} lm_regex;

/* inverted: the pattern says what is not to match; where dialects differ in a class, the larger one is taken then.
 * LM_OK; or LM_ERR_FORMAT, LM_ERR_UNSUPPORTED, LM_ERR_LIMIT with *what (static text) and *at (byte offset); or
 * LM_ERR_MEMORY. out must be freed in any case. */
lm_status lm_regex_parse(const lm_env *env, const char *text, size_t n, bool inverted, lm_regex *out, const char **what,
                         size_t *at);
void lm_regex_free(lm_regex *regex);

/* The categories that the name of a property stands for, as bits of lm_unicode_mask; false when it is not known. */
bool lm_regex_property(const char *name, size_t n, uint32_t *categories);

#endif
