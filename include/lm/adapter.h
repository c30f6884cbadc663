/* SPDX-License-Identifier: MIT */
/**
 * lm_adapter: a small file that changes a model: low-rank additions to its matrices (LoRA), or a control vector added to the hidden
 * state after each block. Several work at once, each with a scale; the model's weights are neither copied nor changed.
 *
 *     lm_adapter_open(model, "style.gguf", &adapter, &error);
 *     lm_adapter_use use = {adapter, 0.8f, 0, 0};
 *     lm_context_set_adapters(context, &use, 1);
 *     lm_adapter_close(adapter);                        // the context keeps it
 */
#ifndef LM_ADAPTER_H
#define LM_ADAPTER_H

#include "context.h"

LM_BEGIN_DECLS

typedef struct lm_adapter lm_adapter;

/**
 * Open an adapter for a model: a GGUF file with general.type "adapter" and adapter.type "lora", or with general.architecture
 * "controlvector". Mapped like a model. Shared by threads and contexts.
 *
 * LM_OK, LM_ERR_NOT_FOUND, LM_ERR_IO, LM_ERR_FORMAT (malformed, or no adapter), LM_ERR_MISMATCH (made for another architecture, or a matrix
 * the model does not have or of another shape), LM_ERR_UNSUPPORTED (activated LoRA), LM_ERR_LIMIT, LM_ERR_MEMORY, LM_ERR_ARGUMENT (also for
 * an empty path). Since 0.1
 */
LM_API lm_status lm_adapter_open(lm_model *model, const char *path, lm_adapter **out, lm_error *error);

/** Give up the caller's hold; contexts that use it keep it. NULL is allowed. Since 0.1 */
LM_API void lm_adapter_close(lm_adapter *adapter);

/** An adapter and how strongly it is used. */
typedef struct lm_adapter_use {
    lm_adapter *adapter;
    float scale; /* 1 as trained; negative allowed */
    /* Control vectors: blocks they are added after, [1, n_layers); last_layer 0: the last with a vector. */
    int32_t first_layer, last_layer;
} lm_adapter_use;

/**
 * Use these adapters, and no others, from now on: y = W x + sum of scale * alpha / rank * B (A x) for every adapted matrix, and
 * h += scale * direction after each block a control vector has one for. n 0 returns to the model as it is.
 *
 * What is in the cache depends on the adapters, so every sequence must be empty, finished prefixes are forgotten, and sequences saved
 * with others are not restored. Logits and marks are gone. The program is built
 * anew, which takes memory for a second cache until the call returns. Every matrix that tokens are multiplied by can be adapted (of
 * experts, of heads, of routers), and the rows of token_embd; not the tables of positions, token types and per-layer embeddings, the taps of
 * convolutions, the AltUp matrices of gemma3n, nor token_embd where it is the output matrix, too (its rows are adapted, the output is not).
 * Pairs for a matrix that the program does not read, such as a draft block's without a drafter, have no effect.
 *
 * LM_OK, LM_ERR_STATE (a sequence holds tokens), LM_ERR_ARGUMENT, LM_ERR_MISMATCH (an adapter of another model), LM_ERR_UNSUPPORTED (an
 * adaptation as above, or weights on another device than the CPU), LM_ERR_MEMORY. On error the context is as it was. Since 0.1
 */
LM_API lm_status lm_context_set_adapters(lm_context *context, const lm_adapter_use *uses, size_t n);

LM_END_DECLS
#endif
