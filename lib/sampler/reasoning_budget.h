/* SPDX-License-Identifier: MIT
 * Limits the number of tokens between a start tag and an end tag: when the budget is used up, a fixed sequence that closes
 * the block is forced, but never inside a UTF-8 sequence. */
#ifndef LM_SAMPLER_REASONING_BUDGET_H
#define LM_SAMPLER_REASONING_BUDGET_H

#include "sampler_internal.h"

typedef enum lm_reasoning_phase {
    LM_REASONING_PHASE_IDLE = 0,
    LM_REASONING_PHASE_COUNTING = 1,
    LM_REASONING_PHASE_WAIT_UTF8 = 2, /* the budget is used up in the middle of a character */
    LM_REASONING_PHASE_FORCING = 3,
    LM_REASONING_PHASE_DONE = 4
} lm_reasoning_phase;

/* One block without pointers into itself: it is cloned by copying bytes. */
typedef struct lm_reasoning_budget lm_reasoning_budget;

/* What accept moves; saved and put back when a later step refuses the token. */
typedef struct lm_reasoning_state {
    int32_t phase; /* lm_reasoning_phase */
    uint32_t remaining;
    uint32_t start_state, end_state; /* of the matchers */
    uint32_t n_forced;               /* tokens of the forced sequence already accepted */
    uint32_t n_pending;              /* bytes missing to complete the last character */
    uint32_t ended_state, n_ended;   /* where the last end tag was matched, and its tokens */
} lm_reasoning_state;

/* *out is NULL when params asks for no reasoning control. */
lm_status lm_reasoning_budget_create(const lm_sampler_setup *setup, lm_reasoning_budget **out);
void lm_reasoning_budget_destroy(lm_reasoning_budget *budget, const lm_env *env);
lm_status lm_reasoning_budget_clone(const lm_reasoning_budget *budget, const lm_env *env, lm_reasoning_budget **out);
void lm_reasoning_budget_reset(lm_reasoning_budget *budget);

/* The token that must come next, or LM_TOKEN_NONE. */
lm_token lm_reasoning_budget_forced(const lm_reasoning_budget *budget);
/* true when a block ended with this token. */
bool lm_reasoning_budget_accept(lm_reasoning_budget *budget, lm_token token);
/* The end tag that closed the last block: its length, 0 when a forced sequence ended without one, and its tokens. */
size_t lm_reasoning_budget_end_count(const lm_reasoning_budget *budget);
lm_token lm_reasoning_budget_end_token(const lm_reasoning_budget *budget, size_t i);
/* Close an open block now; false when none is open. */
bool lm_reasoning_budget_end(lm_reasoning_budget *budget);
bool lm_reasoning_budget_is_open(const lm_reasoning_budget *budget);

lm_reasoning_state lm_reasoning_budget_save(const lm_reasoning_budget *budget);
void lm_reasoning_budget_restore(lm_reasoning_budget *budget, lm_reasoning_state state);

#endif
