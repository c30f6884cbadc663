/* SPDX-License-Identifier: MIT
 * Model families: from a file's metadata and tensor table to a program. A family is one file with a diagram, and one build
 * function in the order of the paper; lm_arch_find knows them by the name in general.architecture. */
#ifndef LM_ARCH_ARCH_H
#define LM_ARCH_ARCH_H

#include <lm/backend.h>

#include "../base/env.h"
#include "../gguf/gguf.h"
#include "../graph/graph.h"

#define LM_ARCH_MAX_LAYERS 512
#define LM_ARCH_MAX_EXPERTS 1024

/* Hyper-parameters that every text family has; the rest a family reads itself. Counts are checked against these limits. */
typedef struct lm_hparams {
    int32_t n_layers;        /* blocks of the trunk, without appended draft blocks */
    int32_t n_layers_all;    /* block_count */
    int32_t n_embd, n_vocab; /* n_vocab: rows of the output matrix */
    int32_t n_vocab_in;      /* rows of the embedding: token ids are below it */
    int32_t n_ctx_train;
    int32_t n_heads[LM_ARCH_MAX_LAYERS], n_heads_kv[LM_ARCH_MAX_LAYERS], n_ff[LM_ARCH_MAX_LAYERS];
    int32_t k_width, v_width; /* per head */
    int32_t n_rot;
    int32_t n_experts, n_experts_used, n_expert_groups, n_expert_groups_used;
    int32_t n_ff_expert, n_ff_shared; /* 0 where the file does not say */
    float rms_eps;
    double rope_base;
    int32_t causal, pooling; /* pooling: an lm_pooling, LM_POOLING_DEFAULT without a key */
    int32_t n_positions;     /* rows of a learned position table, 0: none */
} lm_hparams;

/* A model's tensors as programs see them, parallel to the file's directory. */
typedef struct lm_arch_source {
    const lm_gguf *gguf;
    const lm_tensor *tensors; /* [lm_gguf_n_tensors] */
} lm_arch_source;

/* An adapter's low-rank pairs (arch_adapter.c). */
typedef struct lm_arch_adapter {
    const lm_gguf *gguf;
    const lm_tensor *tensors; /* [n_tensors], parallel to gguf's */
    size_t n_tensors;
    float scale, alpha;
    uint8_t *used; /* [n_tensors], set by the build for what it applied */
} lm_arch_adapter;

/* What the program is built for. */
typedef struct lm_arch_options {
    int32_t n_ctx;                   /* positions per sequence: decides between short and long rope factors */
    int32_t k_type, v_type;          /* cache types */
    int32_t outputs;                 /* of the following, or'ed */
    int32_t pooling;                 /* an lm_pooling, not DEFAULT; for LM_ARCH_POOLED */
    const lm_arch_adapter *adapters; /* [n_adapters] */
    size_t n_adapters;
    const float *steer; /* [n_layers, n_embd] added after each block, or NULL */
} lm_arch_options;

enum {
    LM_ARCH_LOGITS = 1, /* graph.logits */
    LM_ARCH_HIDDEN = 2, /* graph.hidden */
    LM_ARCH_POOLED = 4, /* graph.pooled */
    LM_ARCH_DRAFT = 8   /* graph.draft_*: the block that predicts the token after the next */
};

typedef struct lm_build lm_build;

typedef struct lm_arch {
    const char *name; /* general.architecture */
    void (*build)(lm_build *b);
    bool encoder; /* tokens see each other in both directions; no logits */
} lm_arch;

/* NULL when the architecture is unknown. name is counted. */
const lm_arch *lm_arch_find(const char *name, size_t n);

lm_status lm_hparams_read(const lm_arch_source *source, const lm_arch *arch, lm_hparams *out, lm_error *error);
/* Append the family's operations to graph; failures stick there (lm_graph_finish reports them). */
void lm_arch_build(const lm_arch *arch, const lm_arch_source *source, const lm_hparams *hparams,
                   const lm_arch_options *options, lm_graph *graph);

#endif
