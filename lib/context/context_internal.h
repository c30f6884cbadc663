/* SPDX-License-Identifier: MIT
 * A context: a program ready on its devices, the kv room over its cache, and the logits of the last call. */
#ifndef LM_CONTEXT_CONTEXT_INTERNAL_H
#define LM_CONTEXT_CONTEXT_INTERNAL_H

#include "context.h"

#include <stdatomic.h>

#include "../base/env.h"
#include "../graph/graph.h"
#include "../graph/graph_exec.h"
#include "../kv/kv.h"
#include "../model/model.h"

/* Everything decided before memory is reserved: what opening and planning share. */
typedef struct lm_context_shape {
    lm_context_params params; /* complete */
    lm_graph graph;
    lm_program program; /* borrows graph */
    lm_kv_params kv;
    uint64_t page_bytes[LM_KV_MAX_GROUPS]; /* of all layers of a group */
    size_t logits_bytes;                   /* copies of rows, 0 when rows are read in place */
    size_t hidden_bytes, pooled_bytes;     /* copies of rows, 0 when there are none */
    size_t draft_bytes;                    /* rows of draft logits, or with n_draft the two rows that drafting needs */
    bool whole_texts;                      /* an item is a sequence's whole text, in one batch */
    size_t batch_bytes;                    /* the arrays of a run */
    int32_t interval;                      /* tokens between checkpoints along the context */
    /* What adapters add; env NULL: none. */
    const lm_env *env;
    lm_adapter **held; /* [n_held] */
    size_t n_held;
    lm_arch_adapter *adapters; /* [n_adapters] of room for n_held */
    size_t n_adapters;
    float *steer; /* [n_layers, n_embd], or NULL */
    size_t steer_bytes;
} lm_context_shape;

#define LM_CONTEXT_MARKS 16 /* of a sequence, waiting */

/* What a context remembers of a sequence beside the kv room. */
typedef struct lm_context_seq {
    int32_t marks[LM_CONTEXT_MARKS]; /* positions to keep a checkpoint at, 0: none */
    int32_t next_mark;               /* the one that a further mark replaces */
} lm_context_seq;

/* A checkpoint the batch at hand makes for a span: record of the kv room or -1, and its position. */
typedef struct lm_context_keep {
    int32_t record, position;
} lm_context_keep;

struct lm_context {
    const lm_env *env;
    lm_model *model;
    lm_context_shape *shape;
    lm_exec *exec;
    lm_kv *kv;
    /* One run's arrays, in one block. */
    char *batch;
    lm_token *tokens;                  /* [n_batch] */
    int32_t *positions;                /* [n_batch] */
    int32_t *outputs;                  /* [n_outputs] rows of the batch */
    int32_t *rows;                     /* [n_outputs] where each goes in the logits */
    lm_span *spans;                    /* [n_seqs] */
    int32_t *lengths;                  /* [n_seqs] before the call, -1 for sequences not in it */
    lm_context_seq *seqs;              /* [n_seqs] */
    lm_context_keep *keeps;            /* [n_seqs] of the spans */
    int32_t guarded;                   /* sequence whose state the call at hand writes to the spare slot, -1 none */
    int32_t logging;                   /* the call at hand is a verification: its recurrent inputs are kept */
    int32_t verified_from, n_verified; /* the last verification: its first position and tokens, 0: none */
    int32_t prompt_end;                /* position before which the call at hand keeps a checkpoint, 0 none */
    float *logits;                     /* [n_outputs, n_vocab], or NULL */
    float *hidden;                     /* [n_outputs, n_embd], or NULL */
    float *pooled;                     /* [n_seqs, width], or NULL */
    float *draft;                      /* [n_outputs, n_vocab]; with n_draft a hidden row, then a row of logits */
    const float *mapped;               /* the rows of the last call in the device's memory, or NULL */
    size_t n_rows, n_items;            /* of the last call */
    atomic_int cancelled;
    const atomic_bool *watched; /* borrowed, or NULL */
    char message[496];
};

/* The next position after `position` at which the sequence's state is to be kept, INT32_MAX for none. */
int32_t lm_context_next_keep(const lm_context *context, int32_t seq, int32_t position);
/* Marks up to the sequence's length have served. */
void lm_context_marks_passed(lm_context *context, int32_t seq);
/* Evaluate what the sequence owes. */
lm_status lm_context_settle(lm_context *context, int32_t seq);

/* Decide and build; nothing large is reserved. The caller ends it with lm_context_shape_end. params is complete. */
lm_status lm_context_shape_begin(lm_model *model, const lm_context_params *params, const lm_adapter_use *uses,
                                 size_t n_uses, lm_context_shape *out, lm_error *error);
/* The model's fingerprint, and what the adapters in use make of it. */
uint64_t lm_context_fingerprint(const lm_context *c);
lm_status lm_context_shape_take_adapters(const lm_model *model, const lm_adapter_use *uses, size_t n,
                                         lm_context_shape *shape, lm_error *error);
void lm_context_shape_drop_adapters(lm_context_shape *shape);
void lm_context_shape_end(lm_context_shape *shape);
/* What opening a context of this shape takes, memory->weights_bytes and the like included. */
lm_status lm_context_shape_memory(const lm_model *model, const lm_context_shape *shape, lm_memory *memory,
                                  lm_error *error);

#endif
