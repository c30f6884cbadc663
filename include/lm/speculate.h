/* SPDX-License-Identifier: MIT */
/**
 * lm_speculator: several tokens from one evaluation. A drafter proposes how the text goes on, the model evaluates all proposals at once,
 * and the sampler, run on its rows in order, keeps those it would have chosen anyway: the tokens are exactly those that lm_sample and
 * lm_context_eval in turn give, with the same sampler and seed, at every temperature.
 *
 *     params.n_draft = 4;                                            // of lm_context_params
 *     lm_context_sync(context, 0, prompt, n_prompt, NULL);
 *     lm_speculator_create(context, NULL, &speculator, &error);
 *     while (lm_speculate(speculator, sampler, tokens, 5, &n) == LM_OK && !lm_token_is_end(model, tokens[n - 1]))
 *         show(tokens, n);
 *     lm_speculator_destroy(speculator);                             // before the context
 *
 * With drafts of m tokens of which a are right, a round gives a + 1 tokens for one evaluation of m + 1, which costs little more than one of
 * a single token while reading the weights takes longer than multiplying, and m evaluations of the drafter's. So a draft that is never wrong
 * takes, of the time of plain decoding, at best 1 / (m + 1) and the drafter's m / (m + 1) steps (tests/bench/bench_speculate.c measures how
 * near it comes). The speculator measures both and decodes plainly while proposing does not pay, trying again after 128, 256 .. 4096 tokens.
 */
#ifndef LM_SPECULATE_H
#define LM_SPECULATE_H

#include "context.h"

LM_BEGIN_DECLS

typedef struct lm_speculator lm_speculator;

typedef enum lm_drafter {
    LM_DRAFTER_NGRAM = 1, /* what followed the last few tokens where they occurred before; costs nothing */
    LM_DRAFTER_MODEL = 2, /* the most likely tokens of a second, small model with the same vocabulary */
    LM_DRAFTER_MTP = 3    /* those of the model's own draft block; needs LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT */
} lm_drafter;

typedef struct lm_speculator_params {
    uint32_t struct_size;
    int32_t drafter;   /* an lm_drafter */
    lm_seq seq;        /* of the context */
    int32_t n_draft;   /* at most so many proposals at once; 0: as many as the context allows */
    lm_context *draft; /* MODEL: a context of the second model, borrowed; not otherwise used meanwhile */
    lm_seq draft_seq;  /* MODEL: its sequence; where that model is recurrent also draft_seq + 1 */
    int32_t always;    /* non-zero: propose even where it does not pay */
} lm_speculator_params;

#define LM_SPECULATOR_PARAMS_INIT                                                                                      \
    { sizeof(lm_speculator_params), LM_DRAFTER_NGRAM, 0, 0, NULL, 0, 0 }

/**
 * Make a speculator for a sequence of a context opened with n_draft > 0. params may be NULL.
 *
 * LM_OK, LM_ERR_ARGUMENT, LM_ERR_MISMATCH (the models' vocabularies differ in size), LM_ERR_MEMORY. Since 0.1
 */
LM_API lm_status lm_speculator_create(lm_context *context, const lm_speculator_params *params, lm_speculator **out,
                                      lm_error *error);

/** NULL is allowed. Since 0.1 */
LM_API void lm_speculator_destroy(lm_speculator *speculator);

/**
 * Choose the next tokens and evaluate all of them but the last, which the next call evaluates. The sampler has accepted all.
 *
 * The first call samples from the last row of logits, which must be the sequence's (after lm_context_sync or lm_context_eval on it). So
 * does a call after the sequence was changed by others; evaluating the last token oneself is such a change, and a right way to go on.
 *
 *   out  [capacity] receives *n tokens, 1 <= *n <= capacity, at most n_draft + 2; none follows an end-of-generation token
 *
 * LM_OK; LM_ERR_STATE (nothing evaluated yet), LM_ERR_ARGUMENT (capacity 0), a status of lm_sampler_pick, or of lm_context_eval with the
 * sequence as it was (*n may then be 1: the token chosen first). lm_context_message has the sentence. Allocates nothing. Since 0.1
 */
LM_API lm_status lm_speculate(lm_speculator *speculator, lm_sampler *sampler, lm_token *out, size_t capacity,
                              size_t *n);

typedef struct lm_speculator_stats {
    uint32_t struct_size;
    int32_t is_off;                /* decoding plainly because proposing did not pay */
    int64_t n_rounds;              /* evaluations with proposals */
    int64_t n_plain;               /* without */
    int64_t n_drafted, n_accepted; /* tokens */
} lm_speculator_stats;

/** LM_OK or LM_ERR_ARGUMENT. Since 0.1 */
LM_API lm_status lm_speculator_get_stats(const lm_speculator *speculator, lm_speculator_stats *stats);

LM_END_DECLS
#endif
