/* SPDX-License-Identifier: MIT
 * The budget's automaton. Tags are matched by token ids; whether the text stands at the end of a character is judged over
 * the bytes of all tokens since the block began. */
#include "reasoning_budget.h"

#include <string.h>

#include "token_matcher.h"

struct lm_reasoning_budget {
    size_t bytes;
    lm_reasoning_state now;
    uint32_t limit; /* UINT32_MAX: none */
    uint32_t n_forced;
    uint32_t n_start_states, n_end_states;
    void *user;
    const char *(*piece)(void *user, lm_token token, int32_t special, size_t *length);
    /* The block continues with the states of both matchers and the forced tokens. */
};

static lm_token_matcher_state *start_states(const lm_reasoning_budget *b) { return (lm_token_matcher_state *)(b + 1); }
static lm_token_matcher_state *end_states(const lm_reasoning_budget *b) { return start_states(b) + b->n_start_states; }
static lm_token *forced_tokens(const lm_reasoning_budget *b) { return (lm_token *)(end_states(b) + b->n_end_states); }

lm_status lm_reasoning_budget_create(const lm_sampler_setup *setup, lm_reasoning_budget **out) {
    const lm_sampler_params *params = setup->params;
    *out = NULL;
    if (params->reasoning_start.count == 0) return LM_OK;
    const lm_token_span *forced = &params->reasoning_forced;
    if (forced->count == 0) forced = &params->reasoning_ends[0];
    size_t n_start = lm_token_matcher_count(&params->reasoning_start, 1);
    size_t n_end = lm_token_matcher_count(params->reasoning_ends, params->n_reasoning_ends);
    size_t bytes = sizeof(lm_reasoning_budget) + (n_start + n_end) * sizeof(lm_token_matcher_state) +
                   forced->count * sizeof(lm_token);
    lm_reasoning_budget *b = lm_alloc_zeroed(setup->env, bytes);
    if (!b) return LM_ERR_MEMORY;
    b->bytes = bytes;
    b->limit = params->reasoning_budget < 0 ? UINT32_MAX : (uint32_t)params->reasoning_budget;
    b->n_start_states = (uint32_t)n_start;
    b->n_end_states = (uint32_t)n_end;
    b->n_forced = (uint32_t)forced->count;
    b->user = setup->vocab->user;
    b->piece = setup->vocab->piece;
    lm_token_matcher_build(start_states(b), &params->reasoning_start, 1);
    lm_token_matcher_build(end_states(b), params->reasoning_ends, params->n_reasoning_ends);
    memcpy(forced_tokens(b), forced->tokens, forced->count * sizeof(lm_token));
    *out = b;
    return LM_OK;
}

void lm_reasoning_budget_destroy(lm_reasoning_budget *budget, const lm_env *env) {
    if (budget) lm_free(env, budget, budget->bytes);
}

lm_status lm_reasoning_budget_clone(const lm_reasoning_budget *budget, const lm_env *env, lm_reasoning_budget **out) {
    *out = NULL;
    if (!budget) return LM_OK;
    *out = lm_alloc(env, budget->bytes);
    if (!*out) return LM_ERR_MEMORY;
    memcpy(*out, budget, budget->bytes);
    return LM_OK;
}

void lm_reasoning_budget_reset(lm_reasoning_budget *budget) { memset(&budget->now, 0, sizeof budget->now); }

lm_token lm_reasoning_budget_forced(const lm_reasoning_budget *budget) {
    return budget->now.phase == LM_REASONING_PHASE_FORCING ? forced_tokens(budget)[budget->now.n_forced]
                                                           : LM_TOKEN_NONE;
}

/* Bytes still missing after text; a byte that cannot continue a character starts anew, malformed text counts as complete. */
static uint32_t pending_bytes(const lm_reasoning_budget *b, lm_token token, uint32_t n_pending) {
    size_t length = 0;
    const char *text = b->piece ? b->piece(b->user, token, 1, &length) : NULL;
    if (!text) return 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xC0) == 0x80)
            n_pending -= n_pending > 0;
        else
            n_pending = byte >= 0xF0 && byte < 0xF8 ? 3 : byte >= 0xE0 && byte < 0xF0 ? 2 : byte >= 0xC0 && byte < 0xE0;
    }
    return n_pending;
}

static void force(lm_reasoning_state *now) {
    now->phase = LM_REASONING_PHASE_FORCING;
    now->n_forced = 0;
}

static void look_for_start(lm_reasoning_budget *b, lm_token token) {
    lm_reasoning_state *now = &b->now;
    if (!lm_token_matcher_step(start_states(b), &now->start_state, token)) return;
    now->phase = LM_REASONING_PHASE_COUNTING;
    now->remaining = b->limit;
    now->start_state = now->end_state = now->n_pending = 0;
    if (b->limit == 0) force(now);
}

bool lm_reasoning_budget_accept(lm_reasoning_budget *b, lm_token token) {
    lm_reasoning_state *now = &b->now;
    uint32_t n_end;
    switch (now->phase) {
    case LM_REASONING_PHASE_COUNTING:
    case LM_REASONING_PHASE_WAIT_UTF8:
        n_end = lm_token_matcher_step(end_states(b), &now->end_state, token);
        if (n_end) break;
        now->n_pending = pending_bytes(b, token, now->n_pending);
        if (now->phase == LM_REASONING_PHASE_COUNTING && now->remaining != UINT32_MAX && --now->remaining == 0)
            now->phase = LM_REASONING_PHASE_WAIT_UTF8;
        if (now->phase == LM_REASONING_PHASE_WAIT_UTF8 && now->n_pending == 0) force(now);
        return false;
    case LM_REASONING_PHASE_FORCING:
        n_end = lm_token_matcher_step(end_states(b), &now->end_state, token);
        /* A host may accept another token than the forced one; the sequence goes on regardless. */
        if (++now->n_forced < b->n_forced) return false;
        break;
    default: look_for_start(b, token); return false;
    }
    now->phase = LM_REASONING_PHASE_DONE;
    now->ended_state = now->end_state;
    now->n_ended = n_end;
    now->end_state = now->start_state = 0;
    return true;
}

size_t lm_reasoning_budget_end_count(const lm_reasoning_budget *budget) { return budget->now.n_ended; }

lm_token lm_reasoning_budget_end_token(const lm_reasoning_budget *budget, size_t i) {
    return lm_token_matcher_token(end_states(budget), budget->now.ended_state, budget->now.n_ended, i);
}

bool lm_reasoning_budget_end(lm_reasoning_budget *budget) {
    if (budget->now.phase == LM_REASONING_PHASE_COUNTING) {
        if (budget->now.n_pending == 0)
            force(&budget->now);
        else
            budget->now.phase = LM_REASONING_PHASE_WAIT_UTF8;
        return true;
    }
    return lm_reasoning_budget_is_open(budget);
}

bool lm_reasoning_budget_is_open(const lm_reasoning_budget *budget) {
    return budget->now.phase != LM_REASONING_PHASE_IDLE && budget->now.phase != LM_REASONING_PHASE_DONE;
}

lm_reasoning_state lm_reasoning_budget_save(const lm_reasoning_budget *budget) { return budget->now; }
void lm_reasoning_budget_restore(lm_reasoning_budget *budget, lm_reasoning_state state) { budget->now = state; }
