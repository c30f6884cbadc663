/* SPDX-License-Identifier: MIT
 * What wakes a lazy matcher: tokens, and programs that search the text. A program is a list of instructions for a set of
 * threads that read one code point at a time, in order of preference, so a search takes time linear in the text whatever
 * the pattern. The programs are immutable and shared; a watch is one run of them over a text that grows token by token.
 *
 * After each token the search answers for the text so far: the match that starts first, and among those the one a
 * backtracking engine would find. Anchors mean the ends of the whole text. */
#ifndef LM_GRAMMAR_TRIGGER_H
#define LM_GRAMMAR_TRIGGER_H

#include <stdatomic.h>

#include <lm/grammar.h>

#include "../base/array.h"
#include "grammar_expr.h"

#define LM_TRIGGER_MAX 64u                /* triggers of a matcher */
#define LM_TRIGGER_MAX_INSTRUCTIONS 4096u /* of one program */
#define LM_TRIGGER_MAX_GROUPS 16u         /* of one program */

typedef enum lm_trigger_op {
    LM_TRIGGER_OP_CLASS = 0, /* a: first of ranges, b: count; then the next instruction */
    LM_TRIGGER_OP_SPLIT = 1, /* a, then b */
    LM_TRIGGER_OP_JUMP = 2,  /* a */
    LM_TRIGGER_OP_SAVE = 3,  /* a: slot */
    LM_TRIGGER_OP_BEGIN = 4,
    LM_TRIGGER_OP_END = 5,
    LM_TRIGGER_OP_MATCH = 6
} lm_trigger_op;

typedef struct lm_trigger_instruction {
    uint32_t op, a, b;
} lm_trigger_instruction;

typedef struct lm_trigger_program {
    uint32_t first, count; /* instructions */
    uint32_t n_slots;      /* 0: where the match starts; 2g - 1 and 2g: around group g */
} lm_trigger_program;

typedef struct lm_trigger_set {
    atomic_size_t references;
    lm_env env;
    LM_ARRAY(lm_token) tokens;
    LM_ARRAY(lm_trigger_program) programs;
    LM_ARRAY(lm_trigger_instruction) instructions;
    LM_ARRAY(lm_code_range) ranges;
} lm_trigger_set;

/* n_tokens: of the vocabulary, 0 without one. LM_OK, LM_ERR_ARGUMENT, LM_ERR_FORMAT, LM_ERR_UNSUPPORTED (in a pattern), LM_ERR_LIMIT,
 * LM_ERR_MEMORY. */
lm_status lm_trigger_set_create(const lm_env *env, uint32_t n_tokens, const lm_grammar_trigger *triggers, size_t n,
                                lm_trigger_set **out, lm_error *error);
void lm_trigger_set_release(lm_trigger_set *set);

typedef struct lm_trigger_threads { /* in order of preference */
    uint32_t *at;                   /* [count of the program] instructions */
    uint64_t *slots;                /* [count][n_slots] */
    uint32_t n;
} lm_trigger_threads;

typedef struct lm_trigger_run { /* of one program */
    lm_trigger_threads now, ready;
    uint32_t *seen;  /* [count] the generation an instruction was entered in */
    uint64_t *stack; /* instructions to enter, and slots to put back */
    uint64_t *found; /* [n_slots] of the best match */
    uint32_t generation;
    bool has_found;
} lm_trigger_run;

typedef struct lm_trigger_piece { /* of the text: what one call brought */
    lm_token token;               /* or LM_TOKEN_NONE */
    size_t end;
} lm_trigger_piece;

typedef struct lm_trigger_watch {
    lm_trigger_set *set; /* a reference */
    const lm_env *env;
    lm_trigger_run *runs;   /* [n programs] */
    LM_ARRAY(uint8_t) text; /* since the start, up to and with what woke the matcher */
    LM_ARRAY(lm_trigger_piece) pieces;
    size_t n_read; /* of text: what the runs have seen */
} lm_trigger_watch;

/* Takes a reference to set. On failure nothing is left to free. */
lm_status lm_trigger_watch_init(lm_trigger_watch *watch, const lm_env *env, lm_trigger_set *set);
void lm_trigger_watch_free(lm_trigger_watch *watch);
bool lm_trigger_is_token(const lm_trigger_watch *watch, lm_token token);
/* Append to the text: false when out of memory. */
bool lm_trigger_watch_add(lm_trigger_watch *watch, lm_token token, const void *bytes, size_t n);
/* Search on: true, with the offset where the grammar's text begins, when a program matches. */
bool lm_trigger_watch_search(lm_trigger_watch *watch, size_t *start);
/* Read the text again from its start, after it was shortened to some piece's end. No program matches it. */
void lm_trigger_watch_restart(lm_trigger_watch *watch);

#endif
