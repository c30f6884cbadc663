/* SPDX-License-Identifier: MIT
 * The inside of the CPU backend. A segment resolves every pointer an operation needs when it is created; running it is a loop
 * and a switch. Nouns:
 *   cache     per layer one block of pages (kernels.h draws a page), per state layer one block of state slots
 *   vector    a one-dimensional weight as floats: in place when the file has aligned F32, else a converted copy of the segment
 *   task      work of one operation cut into chunks that threads take from a counter; no sum crosses a chunk */
#ifndef LM_BACKEND_CPU_CPU_INTERNAL_H
#define LM_BACKEND_CPU_CPU_INTERNAL_H

#include "../../base/checked.h"
#include "cpu_backend.h"

/* Weights are used where they are mapped. */
typedef struct lm_cpu_weights {
    bool exceed_memory; /* the system has to read some of them again and again */
} lm_cpu_weights;

/* ---- cache ---- */

typedef struct lm_cpu_cache_layer {
    char *pages;           /* NULL when another device owns the layer */
    size_t k_part, v_part; /* bytes of one kv head's part */
    size_t page_bytes, bytes;
} lm_cpu_cache_layer;

typedef struct lm_cpu_state_layer {
    float *slots;
    size_t slot_floats, bytes;
} lm_cpu_state_layer;

typedef struct lm_cpu_cache {
    lm_cpu *cpu;
    const lm_program *program;
    lm_cpu_cache_layer *layers;
    lm_cpu_state_layer *states;
    int32_t n_layers, n_states_layers;
} lm_cpu_cache;

/* K and V parts of a kv head in a page. */
static inline char *lm_cpu_k_part(const lm_cpu_cache_layer *layer, int32_t page, int32_t head) {
    return layer->pages + (size_t)page * layer->page_bytes + (size_t)head * layer->k_part;
}

static inline char *lm_cpu_v_part(const lm_cpu_cache_layer *layer, int32_t n_heads_kv, int32_t page, int32_t head) {
    return layer->pages + (size_t)page * layer->page_bytes + (size_t)n_heads_kv * layer->k_part +
           (size_t)head * layer->v_part;
}

lm_status lm_cpu_cache_create(void *user, int32_t device, const lm_program *program, const uint8_t *cache_layer_owned,
                              const uint8_t *state_layer_owned, void **cache, lm_error *error);
void lm_cpu_cache_destroy(void *cache);
uint64_t lm_cpu_cache_bytes(void *user, int32_t device, const lm_program *program, const uint8_t *cache_layer_owned,
                            const uint8_t *state_layer_owned);
lm_status lm_cpu_cache_copy_page(void *cache, int32_t group, int32_t to, int32_t from);
lm_status lm_cpu_cache_copy_state(void *cache, int32_t to, int32_t from);
lm_status lm_cpu_cache_clear_state(void *cache, int32_t slot);
lm_status lm_cpu_cache_read_page(void *cache, int32_t layer, int32_t page, void *out, size_t bytes);
lm_status lm_cpu_cache_write_page(void *cache, int32_t layer, int32_t page, const void *in, size_t bytes);
lm_status lm_cpu_cache_read_state(void *cache, int32_t layer, int32_t slot, float *out);
lm_status lm_cpu_cache_write_state(void *cache, int32_t layer, int32_t slot, const float *in);

/* ---- segment ---- */

#define LM_CPU_ACT_KINDS 4 /* lm_act_kind values */

/* Bytes of scratch, the largest over a segment's operations. */
typedef struct lm_cpu_scratch {
    size_t acts[LM_CPU_ACT_KINDS]; /* quantised activations, one buffer per kind */
    size_t panel;                  /* activations rearranged for matmul */
    size_t worker;                 /* per thread */
    size_t shared;                 /* of one operation: attention partials, expert rows */
} lm_cpu_scratch;

typedef struct lm_cpu_segment {
    lm_cpu *cpu;
    const lm_program *program;
    const lm_cpu_cache *cache;
    bool exceeds_memory; /* lm_cpu_weights */
    int32_t first_op, n_ops;
    const float **vectors; /* [n_tensors] floats of one-dimensional weights, NULL for matrices */
    float *converted;      /* copies behind vectors */
    char *memory;          /* one block: activations, then the scratch areas below */
    size_t memory_bytes;
    char *arena, *acts[LM_CPU_ACT_KINDS], *panel, *workers, *shared;
    float **rope_tables;       /* [n_ropes] cos and sin of each token: [max_tokens][n_rot/2][2] */
    double **rope_frequencies; /* [n_ropes][n_rot/2] radians per position */
    char *log; /* of the recurrent operations in order, their inputs of a logged run: [n_log, width] each */
    lm_cpu_scratch scratch;
    lm_status status; /* of the last run */
} lm_cpu_segment;

/* What an operation's code sees. */
typedef struct lm_cpu_step {
    lm_cpu_segment *segment;
    const lm_kernels *kernels;
    const lm_program *program;
    const lm_op *op;
    const lm_run *run;
    const float *logged; /* replay: inputs come from here */
    int32_t n_rows;      /* of in[0], or of out[0] when there is no input */
} lm_cpu_step;

lm_status lm_cpu_segment_create(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops,
                                void *weights, void *cache, void **segment, lm_error *error);
void lm_cpu_segment_destroy(void *segment);
uint64_t lm_cpu_segment_bytes(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops);
lm_status lm_cpu_segment_run(void *segment, const lm_run *run);
lm_status lm_cpu_segment_wait(void *segment);
lm_status lm_cpu_segment_replay(void *segment, const lm_run *run);

static inline float *lm_cpu_value(const lm_cpu_step *s, int32_t value) {
    return value < 0 ? NULL : (float *)(void *)(s->segment->arena + s->program->values[value].offset);
}
static inline int32_t lm_cpu_width(const lm_cpu_step *s, int32_t value) { return s->program->values[value].width; }
static inline float *lm_cpu_row(const lm_cpu_step *s, int32_t value, int32_t row) {
    return value < 0 ? NULL : lm_cpu_value(s, value) + (size_t)row * (size_t)lm_cpu_width(s, value);
}
static inline const lm_tensor *lm_cpu_tensor(const lm_cpu_step *s, int i) {
    return s->op->weight[i] < 0 ? NULL : &s->program->tensors[s->op->weight[i]];
}
static inline const float *lm_cpu_vector(const lm_cpu_step *s, int i) {
    return s->op->weight[i] < 0 ? NULL : s->segment->vectors[s->op->weight[i]];
}
static inline size_t lm_cpu_row_bytes(const lm_tensor *t) {
    return (size_t)(t->bytes / (uint64_t)(t->ne[1] * t->ne[2] * t->ne[3]));
}
/* y = x / max(its length, eps) */
static inline void LM_KERNEL lm_cpu_normalise(const lm_kernels *kernels, const float *x, float eps, int32_t n,
                                              float *y) {
    float length = kernels->length(x, n);
    kernels->scale(x, 1 / (length > eps ? length : eps), n, y);
}
/* Rows that a value has in the largest run. */
static inline int32_t lm_cpu_most_rows(const lm_program *program, int32_t value) {
    int32_t domain = program->values[value].domain;
    return domain == LM_DOMAIN_TOKENS    ? program->max_tokens
           : domain == LM_DOMAIN_OUTPUTS ? program->max_outputs
                                         : program->max_spans;
}
static inline char *lm_cpu_worker(const lm_cpu_step *s, int32_t worker) {
    return s->segment->workers + (size_t)worker * s->segment->scratch.worker;
}

/* Run fn(arg, chunk, worker) for n_chunks chunks; one chunk runs in place. What calls kernels is called as they are. */
typedef void LM_KERNEL lm_cpu_chunk_fn(void *arg, int32_t chunk, int32_t worker);
lm_status lm_cpu_parallel(const lm_cpu_step *s, int32_t n_chunks, lm_cpu_chunk_fn *fn, void *arg);
/* Rows per chunk so that elementwise work of this many floats per row is worth a thread; the last chunk may be shorter. */
int32_t lm_cpu_rows_per_chunk(int32_t width);

/* One row of a step whose rows are independent. */
typedef void LM_KERNEL lm_cpu_row_fn(const lm_cpu_step *s, int32_t row);

/* ---- operations; *_scratch adds what the operation needs to the maxima ---- */

lm_status lm_cpu_embed(const lm_cpu_step *s);
lm_status lm_cpu_rows(const lm_cpu_step *s); /* the operations that work on rows alone */
lm_cpu_row_fn lm_cpu_mix_row, lm_cpu_rescale_row, lm_cpu_sparsify_row, lm_cpu_spread_row;
lm_status lm_cpu_rope(const lm_cpu_step *s);
lm_status lm_cpu_linear(const lm_cpu_step *s);
lm_status lm_cpu_head_linear(const lm_cpu_step *s);
lm_status lm_cpu_cache_store(const lm_cpu_step *s);
lm_status lm_cpu_attend(const lm_cpu_step *s);
lm_status lm_cpu_route(const lm_cpu_step *s);
lm_status lm_cpu_experts(const lm_cpu_step *s);
lm_status lm_cpu_short_conv(const lm_cpu_step *s);
lm_status lm_cpu_delta_rule(const lm_cpu_step *s);
lm_status lm_cpu_pool(const lm_cpu_step *s);
lm_status lm_cpu_shift(const lm_cpu_step *s);

void lm_cpu_linear_scratch(const lm_cpu *cpu, const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch);
void lm_cpu_head_linear_scratch(const lm_cpu *cpu, const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch);
void lm_cpu_attend_scratch(const lm_cpu *cpu, const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch);
void lm_cpu_experts_scratch(const lm_cpu *cpu, const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch);
void lm_cpu_recurrent_scratch(const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch);

/* Bytes the inputs of a recurrent operation take in the log; 0 for others. Copying them there. */
size_t lm_cpu_log_bytes(const lm_program *program, const lm_op *op);
void lm_cpu_log(const lm_cpu_step *s, char *log);

/* Rotary tables: frequencies once, cos and sin per batch. */
void lm_cpu_rope_frequencies(const lm_rope *rope, const float *factors, double *frequencies);
lm_status lm_cpu_rope_fill(const lm_cpu_step *s);

/* Whether n columns are multiplied by matmul, not by matvec. */
bool lm_cpu_uses_matmul(const lm_weight_kernels *w, int32_t n);

#endif
