/* SPDX-License-Identifier: MIT */
/**
 * Vectors of texts: embeddings for search and clustering, and scores of rerankers. Any model gives them; the ones made for it say in the file
 * how the rows of a text are pooled.
 *
 *     lm_context_params params = LM_CONTEXT_PARAMS_INIT;
 *     params.outputs = LM_OUTPUT_POOLED;             // an encoder's default
 *     lm_context_open(model, &params, &context, &error);
 *     int32_t n = lm_tokenize(model, "a text", 6, LM_TOKENIZE_ADD_SPECIAL, tokens, 512);
 *     lm_embed_text text = {tokens, (size_t)n};
 *     float *vector = malloc(lm_embed_width(context) * sizeof *vector);
 *     if (lm_embed(context, &text, 1, 0, vector, lm_embed_width(context)) != LM_OK) puts(lm_context_message(context));
 *
 * A text's vector is the same bytes whatever other texts it is evaluated with.
 */
#ifndef LM_EMBED_H
#define LM_EMBED_H

#include "base.h"
#include "context.h"

LM_BEGIN_DECLS

/** A text as tokens, with whatever tokens the model wants around it (LM_TOKENIZE_ADD_SPECIAL). */
typedef struct lm_embed_text {
    const lm_token *tokens; /* [n_tokens], n_tokens >= 1 */
    size_t n_tokens;
} lm_embed_text;

#define LM_EMBED_RAW 1u /* leave vectors as the model gives them instead of scaling them to length 1 */

/** Floats of a row of lm_embed; 0 when the context keeps neither pooled rows nor hidden ones. Since 0.1 */
LM_API size_t lm_embed_width(const lm_context *context);

/**
 * Vectors of texts, with the pooling the context was opened with.
 *
 *   flags     LM_EMBED_* or'ed; 0: every row has length 1
 *   out       [n_texts, width] floats; with LM_POOLING_NONE a row per token, text after text
 *   capacity  floats out has room for
 *
 * With LM_POOLING_RANK a row holds the scores of the model's labels: an encoder's raw, a decoder's of two labels or more as
 * probabilities. Every sequence of the context is emptied before and after. Contexts with n_seqs > 1 evaluate that many texts at once.
 *
 * LM_OK; LM_ERR_ARGUMENT (a text without tokens, unknown flags); LM_ERR_STATE (the context keeps no rows); LM_ERR_FULL (capacity, or a text
 * that is longer than n_ctx or does not fit n_batch or n_outputs where it must be evaluated whole); LM_ERR_RANGE (a token);
 * LM_ERR_CANCELLED; LM_ERR_DEVICE. lm_context_message has the number of a text that is empty, longer than n_ctx or holds no such token. out is
 * undefined after a failure. Allocates nothing. Since 0.1
 */
LM_API lm_status lm_embed(lm_context *context, const lm_embed_text *texts, size_t n_texts, uint32_t flags, float *out,
                          size_t capacity);

LM_END_DECLS
#endif
