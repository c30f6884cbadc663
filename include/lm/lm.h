/* SPDX-License-Identifier: MIT */
/**
 * liblm: open-weight language models inside your program. This header includes all others an embedder needs.
 *
 *     lm_model *model;
 *     lm_context *context;
 *     lm_sampler *sampler;
 *     lm_error error;
 *     lm_token tokens[256], token;
 *     char text[256];
 *     lm_text_stream stream = {{0}, 0};
 *
 *     if (lm_model_open("model.gguf", NULL, &model, &error) != LM_OK) return 1;
 *     if (lm_context_open(model, NULL, &context, &error) != LM_OK) return 1;
 *     if (lm_sampler_for_model(model, NULL, &sampler, &error) != LM_OK) return 1;
 *     int32_t n = lm_tokenize(model, "Once upon a time", 16, LM_TOKENIZE_ADD_SPECIAL, tokens, 256);
 *     lm_context_eval(context, tokens, (size_t)n);
 *     while (lm_sample(context, sampler, &token) == LM_OK && !lm_token_is_end(model, token)) {
 *         n = lm_text_stream_next(model, &stream, token, 0, text, sizeof text);
 *         if (n > 0 && n <= (int32_t)sizeof text) fwrite(text, 1, (size_t)n, stdout); // a few vocabularies have longer ones
 *         if (lm_context_eval(context, &token, 1) != LM_OK) break;
 *     }
 */
#ifndef LM_LM_H
#define LM_LM_H

#include "base.h"
#include "chat.h"
#include "adapter.h"
#include "context.h"
#include "dtype.h"
#include "embed.h"
#include "executor.h"
#include "grammar.h"
#include "model.h"
#include "runtime.h"
#include "sampler.h"
#include "session.h"
#include "speculate.h"
#include "version.h"
#include "vocab.h"

#endif
