/* SPDX-License-Identifier: MIT
 * The sampler room. A chain (lm_chain, the inside of the public lm_sampler) passes a candidate list (candidates.h) through
 * its members; the last one selects. A member is a table of functions and a state. Rooms above plug in members of their
 * own: a grammar is attached with lm_chain_set_grammar and is applied before the list, so that results depend on nothing
 * but logits and seed. */
#ifndef LM_SAMPLER_ROOM_H
#define LM_SAMPLER_ROOM_H

#include <stdbool.h>

#include <lm/sampler.h>

#include "../base/env.h"
#include "candidates.h"

/* Where an accepted token comes from. */
typedef enum lm_accept_role {
    LM_ACCEPT_ROLE_GENERATED = 0,
    LM_ACCEPT_ROLE_PROMPT = 1, /* given text: histories see it, grammar and reasoning budget do not */
    LM_ACCEPT_ROLE_PREFILL = 2 /* the generation prompt: given text that the reasoning budget sees too */
} lm_accept_role;

/* What a member can do. A NULL slot means what its comment says. apply and accept allocate nothing; when they fail the
 * state is as before. */
typedef struct lm_sampler_ops {
    const char *name;
    /* Filter, change or (c->selected) select. */
    lm_status (*apply)(void *state, lm_candidates *c);
    /* A token of the vocabulary joins the history. NULL: no history. */
    lm_status (*accept)(void *state, lm_token token, lm_accept_role role);
    /* Back to the state after creation. NULL: stateless. */
    void (*reset)(void *state);
    /* An equal, independent state. NULL: the state is one block of state_bytes without pointers into itself. */
    lm_status (*clone)(const void *state, const lm_env *env, void **out);
    /* NULL: the state is one block of state_bytes from lm_alloc. */
    void (*destroy)(void *state, const lm_env *env);
} lm_sampler_ops;

typedef struct lm_sampler_member {
    const lm_sampler_ops *ops;
    void *state; /* owned */
    size_t state_bytes;
} lm_sampler_member;

typedef struct lm_sampler lm_chain;

/* params and vocab are whole and checked for their struct_size only. */
lm_status lm_chain_create(const lm_env *env, const lm_sampler_params *params, const lm_sampler_vocab *vocab,
                          lm_chain **out, lm_error *error);
void lm_chain_destroy(lm_chain *chain);
lm_status lm_chain_clone(const lm_chain *chain, lm_chain **out);
void lm_chain_reset(lm_chain *chain);
uint32_t lm_chain_seed(const lm_chain *chain);

/* Take ownership of grammar and drop the one before; NULL removes it. A lazy grammar is neither applied nor shown tokens
 * while a reasoning block is open; when the block ends, the tokens of its end tag are shown to it. */
void lm_chain_set_grammar(lm_chain *chain, const lm_sampler_member *grammar, bool lazy);

/* Tokens still to be generated, which a grammar keeps to; -1: any number. */
void lm_chain_set_limit(lm_chain *chain, int64_t n_tokens);
/* The bytes that the grammar leaves no choice about, up to cap; 0 without one. */
size_t lm_chain_forced(lm_chain *chain, char *out, size_t cap);

lm_status lm_chain_pick(lm_chain *chain, const float *logits, size_t n_vocab, lm_token *out);
lm_status lm_chain_apply(lm_chain *chain, float *logits, size_t n_vocab);
/* token is in the vocabulary. Fails only when the grammar refuses the token; then nothing has changed. */
lm_status lm_chain_accept(lm_chain *chain, lm_token token, lm_accept_role role);
lm_status lm_chain_end_reasoning(lm_chain *chain);
/* What the states of attached members are allocated from. */
const lm_env *lm_chain_env(const lm_chain *chain);
size_t lm_chain_vocab_count(const lm_chain *chain);
/* false: nothing was recorded. */
bool lm_chain_probs(const lm_chain *chain, const lm_token_prob **probs, size_t *n, lm_token_prob *picked);

/* The chain's last failure; fail stores a sentence and returns status. */
const char *lm_chain_message(const lm_chain *chain);
lm_status lm_chain_fail(lm_chain *chain, lm_status status, const char *format, ...);

#endif
