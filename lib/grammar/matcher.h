/* SPDX-License-Identifier: MIT
 * One text followed through a grammar: a chart, the masks for a vocabulary, and for lazy grammars what may wake them. */
#ifndef LM_GRAMMAR_MATCHER_H
#define LM_GRAMMAR_MATCHER_H

#include "chart.h"
#include "token_mask.h"

#define LM_MATCHER_HISTORY 4096u /* sets that can be taken back */

struct lm_grammar_matcher {
    lm_grammar *grammar;
    lm_grammar_vocab *vocab; /* may be NULL */
    lm_token_masks *masks;   /* of the grammar; NULL until a mask is asked for */
    lm_env env;
    lm_chart chart;
    lm_mask_scratch scratch; /* empty until a mask is asked for */
};

lm_status lm_matcher_create(lm_grammar *grammar, lm_grammar_vocab *vocab, lm_grammar_matcher **out);
void lm_matcher_destroy(lm_grammar_matcher *matcher);
lm_status lm_matcher_clone(const lm_grammar_matcher *matcher, lm_grammar_matcher **out);
lm_status lm_matcher_reset(lm_grammar_matcher *matcher);
lm_status lm_matcher_accept_bytes(lm_grammar_matcher *matcher, const uint8_t *bytes, size_t n, size_t *n_viable);
/* token is in range and there is a vocabulary. */
lm_status lm_matcher_accept_token(lm_grammar_matcher *matcher, uint32_t token);
/* mask [n_words of the vocabulary, which is there]. */
lm_status lm_matcher_mask(lm_grammar_matcher *matcher, uint32_t *mask);
size_t lm_matcher_forced(lm_grammar_matcher *matcher, uint8_t *out, size_t cap);
lm_status lm_matcher_rewind(lm_grammar_matcher *matcher, uint64_t position);

#endif
