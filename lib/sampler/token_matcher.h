/* SPDX-License-Identifier: MIT
 * Finds token sequences in a stream of tokens, one token at a time, with overlaps handled right: an Aho-Corasick automaton
 * in one array, small enough to be built into another block of memory. */
#ifndef LM_SAMPLER_TOKEN_MATCHER_H
#define LM_SAMPLER_TOKEN_MATCHER_H

#include <lm/sampler.h>

/* State 0 is the start. Links are state numbers; 0 as a child or sibling means none. */
typedef struct lm_token_matcher_state {
    lm_token token; /* leads here from the parent */
    uint32_t parent, first_child, next_sibling, fallback;
    uint32_t match; /* tokens of the longest sequence that ends here, 0: none */
} lm_token_matcher_state;

/* States needed at most: one more than all tokens. */
size_t lm_token_matcher_count(const lm_token_span *spans, size_t n_spans);
/* states has room for that many. */
void lm_token_matcher_build(lm_token_matcher_state *states, const lm_token_span *spans, size_t n_spans);
/* Move *state on by token; the length of the longest sequence that ends with it, or 0. */
uint32_t lm_token_matcher_step(const lm_token_matcher_state *states, uint32_t *state, lm_token token);
/* Token i of the last n on the way to state, which is at least n deep. */
lm_token lm_token_matcher_token(const lm_token_matcher_state *states, uint32_t state, size_t n, size_t i);

#endif
