/* SPDX-License-Identifier: MIT
 * Building a program: a model family appends operations over values, then lm_graph_finish gives every value its place in one
 * arena. The builder never fails in the middle: the first error sticks, later calls do nothing and return -1, and
 * lm_graph_finish reports it. So a family file reads like the paper, without error handling on every line. */
#ifndef LM_GRAPH_GRAPH_H
#define LM_GRAPH_GRAPH_H

#include <lm/backend.h>

#include "../base/array.h"

typedef struct lm_graph {
    const lm_env *env;
    lm_status status; /* of the first failure */
    lm_error error;
    int32_t layer; /* put into every operation added from now on */
    LM_ARRAY(lm_op) ops;
    LM_ARRAY(lm_value) values;
    LM_ARRAY(lm_tensor) tensors;
    LM_ARRAY(lm_rope) ropes;
    LM_ARRAY(lm_cache_layer) cache_layers;
    LM_ARRAY(lm_cache_group) cache_groups;
    LM_ARRAY(lm_state_layer) state_layers;
    /* Results a context reads after a run; -1 where the model has none. */
    int32_t logits; /* [n_outputs, n_vocab] */
    int32_t hidden; /* [n_outputs, n_embd] after the last norm */
    int32_t pooled; /* [n_spans, ...] one row per sequence */
    /* The draft block of a model that predicts several tokens (lib/arch/arch_draft.c); values -1 and operations 0 without one. */
    int32_t draft_input;  /* [tokens, n_embd] the trunk's last hidden state of the token before */
    int32_t draft_hidden; /* [n_outputs, n_embd] the input of the next step */
    int32_t draft_logits; /* [n_outputs, n_vocab] */
    int32_t draft_first;  /* the first operation after draft_input */
    int32_t draft_rest;   /* the first operation that is needed for draft logits only, not to keep the block's cache */
} lm_graph;

/* Sizes the program is made for. */
typedef struct lm_graph_limits {
    int32_t max_tokens, max_outputs, max_spans, max_positions, n_states, n_log;
} lm_graph_limits;

void lm_graph_init(lm_graph *graph, const lm_env *env);
void lm_graph_destroy(lm_graph *graph);
/* Bytes its tables take. */
uint64_t lm_graph_bytes(const lm_graph *graph);
/* Record a failure (the first one wins); returns -1 so that constructors can end with it. */
int32_t lm_graph_fail(lm_graph *graph, lm_status status, const char *format, ...);

/* Plan the arena and give the program, which borrows the graph's arrays. */
lm_status lm_graph_finish(lm_graph *graph, const lm_graph_limits *limits, lm_program *program, lm_error *error);

/* Parts of a program; each returns its number. */
int32_t lm_graph_tensor(lm_graph *graph,
                        const lm_tensor *tensor); /* the same data pointer and name give the same number */
int32_t lm_graph_rope(lm_graph *graph, const lm_rope *rope);
int32_t lm_graph_cache_group(lm_graph *graph, int32_t window); /* one per distinct window */
int32_t lm_graph_cache_layer(lm_graph *graph, const lm_cache_layer *layer);
int32_t lm_graph_state_layer(lm_graph *graph, int64_t n_floats);
int32_t lm_graph_width(const lm_graph *graph, int32_t value);

/* Operations in the order of ops.h. Weights are tensor numbers, values value numbers; -1 means absent. Each returns its (first) output. */
int32_t lm_graph_embed(lm_graph *graph, int32_t table, float scale, int32_t source, int32_t row);
int32_t lm_graph_norm(lm_graph *graph, int32_t kind, int32_t x, int32_t w, int32_t b, float eps, int32_t group);
int32_t lm_graph_linear(lm_graph *graph, int32_t x, int32_t w, int32_t b, int32_t scale, int32_t residual);
/* y + scale * (W x) */
int32_t lm_graph_linear_add(lm_graph *graph, int32_t x, int32_t w, float scale, int32_t y);
/* n matrices over one input; outputs go to y[0..n). */
typedef struct lm_graph_matrix {
    int32_t w, b, scale;
} lm_graph_matrix;
void lm_graph_linears(lm_graph *graph, int32_t x, const lm_graph_matrix *matrices, int32_t n, int32_t *y);
int32_t lm_graph_rotate(lm_graph *graph, int32_t x, int32_t rope, int32_t head_width, int32_t first,
                        float temperature_scale, int32_t temperature_length);
void lm_graph_cache_store(lm_graph *graph, int32_t layer, int32_t k, int32_t v);
int32_t lm_graph_attend(lm_graph *graph, int32_t q, int32_t layer, int32_t sinks, int32_t n_heads, int32_t v_width,
                        float scale, int32_t window, float softcap, int32_t causal);
int32_t lm_graph_glu(lm_graph *graph, int32_t act, int32_t gate, int32_t up, int32_t residual);
int32_t lm_graph_glu_fused(lm_graph *graph, int32_t act, int32_t gate_up);
int32_t lm_graph_act(lm_graph *graph, int32_t act, int32_t x);
int32_t lm_graph_short_conv(lm_graph *graph, int32_t x, int32_t taps, int32_t n_taps, int32_t act, int32_t state);
int32_t lm_graph_delta_rule(lm_graph *graph, int32_t qkv, int32_t alpha, int32_t beta, int32_t a, int32_t dt,
                            int32_t state, int32_t n_k_heads, int32_t n_v_heads, int32_t k_width, int32_t v_width,
                            int32_t grouped, float eps);
void lm_graph_route(lm_graph *graph, int32_t logits, int32_t bias, int32_t gating, int32_t n_used, int32_t n_groups,
                    int32_t n_groups_used, int32_t normalise, float scale, int32_t *ids, int32_t *weights);
typedef struct lm_graph_experts_weights {
    int32_t gate, up, down; /* up -1: gate holds both, or there is none when ungated */
    int32_t gate_bias, up_bias, down_bias;
    int32_t gate_scale, up_scale, down_scale; /* one factor per expert */
    bool ungated;                             /* act(gate x) alone */
} lm_graph_experts_weights;
int32_t lm_graph_experts(lm_graph *graph, int32_t x, int32_t ids, int32_t weights, const lm_graph_experts_weights *w,
                         int32_t act, int32_t width, int32_t residual);
/* One matrix of each chosen expert. x: [tokens, n_in], or [tokens, n_used * n_in] with an input for each choice; y: [tokens, n_used *
 * n_out], or with weights their weighted sum, [tokens, n_out]. scale multiplies W x; residual as wide as y, or -1. */
int32_t lm_graph_expert_linear(lm_graph *graph, int32_t x, int32_t ids, int32_t weights, const lm_graph_matrix *matrix,
                               float scale, int32_t residual);
int32_t lm_graph_scale(lm_graph *graph, int32_t x, int32_t w, float factor);
int32_t lm_graph_add(lm_graph *graph, int32_t a, int32_t b, int32_t w);
int32_t lm_graph_softcap(lm_graph *graph, int32_t x, float cap);
int32_t lm_graph_gather(lm_graph *graph, int32_t x);
int32_t lm_graph_slice(lm_graph *graph, int32_t x, int32_t group, int32_t first, int32_t width);
int32_t lm_graph_concat(lm_graph *graph, int32_t a, int32_t group_a, int32_t b, int32_t group_b);
/* Where in w each head's rows are, as in lm_op_params. */
typedef struct lm_graph_heads {
    int32_t n_heads, n_in, n_out, stride, first, transposed;
} lm_graph_heads;
int32_t lm_graph_head_linear(lm_graph *graph, int32_t x, int32_t w, const lm_graph_heads *heads);
/* x and base hold n_streams streams one after another; c of MIX is [n_streams, n_streams], of SPREAD [n_streams] or -1. */
int32_t lm_graph_mix(lm_graph *graph, int32_t x, int32_t c, int32_t n_streams);
int32_t lm_graph_rescale(lm_graph *graph, int32_t x, int32_t like);
int32_t lm_graph_sparsify(lm_graph *graph, int32_t x, float factor);
int32_t lm_graph_spread(lm_graph *graph, int32_t x, int32_t c, int32_t base, int32_t n_streams);
/* Row t is row t-1 of x in the same sequence; the first comes from the state layer, which x's last row replaces. */
int32_t lm_graph_shift(lm_graph *graph, int32_t x, int32_t state);
int32_t lm_graph_pool(lm_graph *graph, int32_t x, int32_t kind, int32_t normalise);

/* Name of an operation kind, "?" for an unknown number. */
const char *lm_op_name(int32_t kind);
/* Which input out[0] may share memory with, or -1. */
int32_t lm_op_alias(int32_t kind);

#endif
