/* SPDX-License-Identifier: MIT
 * The grammar member, for lm_chain_set_grammar. */
#ifndef LM_SAMPLER_GRAMMAR_H
#define LM_SAMPLER_GRAMMAR_H

#include <lm/grammar.h>

#include "sampler.h"

/* A member that follows a clone of matcher, which has a vocabulary. LM_OK or LM_ERR_MEMORY. */
lm_status lm_sampler_grammar_create(const lm_grammar_matcher *matcher, const lm_env *env, lm_sampler_member *out);

/* Of the member's state: token, or the one that must come instead if what follows is to end within left tokens. */
lm_token lm_sampler_grammar_keep_limit(void *state, lm_token token, uint64_t left);
/* The bytes that must come, up to cap. */
size_t lm_sampler_grammar_forced(void *state, char *out, size_t cap);

#endif
