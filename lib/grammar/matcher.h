/* SPDX-License-Identifier: MIT
 * One text followed through a grammar: a chart, the masks for a vocabulary, and for lazy grammars what may wake them. */
#ifndef LM_GRAMMAR_MATCHER_H
#define LM_GRAMMAR_MATCHER_H

#include "chart.h"
#include "completion.h"
#include "token_mask.h"
#include "trigger.h"

#define LM_MATCHER_HISTORY 4096u /* sets that can be taken back */
/* Bounds on work, in items and links looked at: for one byte of text (about 15 ms), and for one mask. Ordinary grammars need
 * some tens for a byte and some millions for the first mask of a large vocabulary. */
#define LM_MATCHER_BYTE_WORK ((uint64_t)1 << 19)
#define LM_MATCHER_MASK_WORK(n_tokens) (((uint64_t)1 << 20) + (uint64_t)400 * (n_tokens))

typedef struct lm_matcher_lazy {
    lm_trigger_watch watch;
    bool is_awake;
    uint32_t woken_at; /* the chart's position when it woke */
} lm_matcher_lazy;

struct lm_grammar_matcher {
    lm_grammar *grammar;
    lm_grammar_vocab *vocab; /* may be NULL */
    lm_token_masks *masks;   /* of the grammar; NULL until a mask is asked for */
    lm_env env;
    lm_chart chart;
    lm_mask_scratch scratch; /* empty until a mask is asked for */
    lm_matcher_lazy *lazy;   /* NULL when there are no triggers */
    lm_completion completion;
};

/* triggers NULL: none. The matcher takes references to all it is given. */
lm_status lm_matcher_create(lm_grammar *grammar, lm_grammar_vocab *vocab, lm_trigger_set *triggers,
                            lm_grammar_matcher **out);
void lm_matcher_destroy(lm_grammar_matcher *matcher);
lm_status lm_matcher_clone(const lm_grammar_matcher *matcher, lm_grammar_matcher **out);
lm_status lm_matcher_reset(lm_grammar_matcher *matcher);
lm_status lm_matcher_accept_bytes(lm_grammar_matcher *matcher, const uint8_t *bytes, size_t n, size_t *n_viable);
/* token is in range and there is a vocabulary. */
lm_status lm_matcher_accept_token(lm_grammar_matcher *matcher, uint32_t token);
/* mask [n_words of the vocabulary, which is there]. */
lm_status lm_matcher_mask(lm_grammar_matcher *matcher, uint32_t *mask);
size_t lm_matcher_forced(lm_grammar_matcher *matcher, uint8_t *out, size_t cap);
bool lm_matcher_is_complete(const lm_grammar_matcher *matcher);
/* Bytes of a shortest completion, of which up to cap go to out: 0 when complete, SIZE_MAX when none is known. */
size_t lm_matcher_completion(lm_grammar_matcher *matcher, uint8_t *out, size_t cap);
/* Of a matcher with a vocabulary and not waiting, and left tokens that may still come, one of which ends the text: token if the
 * text can be completed after it, else the next token of a shortest completion. */
uint32_t lm_matcher_keep_limit(lm_grammar_matcher *matcher, uint32_t token, uint64_t left);
static inline bool lm_matcher_is_waiting(const lm_grammar_matcher *matcher) {
    return matcher->lazy && !matcher->lazy->is_awake;
}
uint64_t lm_matcher_position(const lm_grammar_matcher *matcher);
lm_status lm_matcher_rewind(lm_grammar_matcher *matcher, uint64_t position);

/* For the chart alone, whether the matcher waits or not. */
lm_status lm_matcher_take_bytes(lm_grammar_matcher *matcher, const uint8_t *bytes, size_t n, size_t *n_viable);
lm_status lm_matcher_take_token(lm_grammar_matcher *matcher, uint32_t token);
lm_status lm_matcher_chart_rewind(lm_grammar_matcher *matcher, uint64_t position);

/* matcher_lazy.c: the same for a matcher that waits. */
lm_status lm_matcher_wait_bytes(lm_grammar_matcher *matcher, const uint8_t *bytes, size_t n, size_t *n_viable);
lm_status lm_matcher_wait_token(lm_grammar_matcher *matcher, uint32_t token);
/* Of a matcher with triggers. */
lm_status lm_matcher_lazy_create(lm_grammar_matcher *matcher, lm_trigger_set *triggers);
void lm_matcher_lazy_destroy(lm_grammar_matcher *matcher);
lm_status lm_matcher_lazy_copy(lm_grammar_matcher *to, const lm_grammar_matcher *from);
void lm_matcher_lazy_reset(lm_grammar_matcher *matcher);
lm_status lm_matcher_lazy_rewind(lm_grammar_matcher *matcher, uint64_t position);

#endif
