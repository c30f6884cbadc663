/* SPDX-License-Identifier: MIT */
/**
 * The backend table, for people who write a backend, not for people who use one.
 *
 * The core turns a model into a program (ops.h), cuts it into segments, places each on a device, and then only says "run this
 * batch". A backend owns three kinds of things per device: weights (borrowed host memory it may use in place or copy), the
 * cache (pages and recurrent states that sequences refer to by number), and segments (a range of operations made ready to
 * run, with its activations). The CPU is the first backend behind this table and gets no favours.
 *
 *     static const lm_backend my_backend = {.struct_size = sizeof(lm_backend), .api_version = LM_BACKEND_API, .name = "mine",
 *                                           .device_count = my_device_count}; // and the other functions
 *     static const lm_backend *const backends[] = {&my_backend};
 *     params.backends = backends;
 *     params.n_backends = 1;     // lm_runtime_params
 *
 * No function may terminate the process; each returns a status and leaves its object usable or closable. Functions of
 * different objects may be called from different threads at once; calls on one object never overlap.
 */
#ifndef LM_BACKEND_H
#define LM_BACKEND_H

#include "base.h"
#include "dtype.h"
#include "ops.h"

LM_BEGIN_DECLS

#define LM_BACKEND_API 1
#define LM_PAGE_SIZE 64 /* tokens of a cache page; position p lives in slot p % 64 of page p / 64 of its sequence */

/** A weight: GGUF blocks, row-major, ne[0] contiguous, unused dimensions 1. Borrowed: lives as long as the model. */
typedef struct lm_tensor {
    const char *name;
    int32_t dtype;
    int32_t n_dims;
    int64_t ne[4];
    const void *data; /* may be unaligned */
    uint64_t bytes;
} lm_tensor;

/** What a row of a value stands for. */
typedef enum lm_domain {
    LM_DOMAIN_TOKENS = 0,   /* every token of the batch */
    LM_DOMAIN_OUTPUTS = 1,  /* the tokens whose output is wanted */
    LM_DOMAIN_SEQUENCES = 2 /* the spans of the batch */
} lm_domain;

typedef struct lm_value {
    int32_t width;   /* floats of a row */
    int32_t domain;  /* an lm_domain */
    uint64_t offset; /* bytes from the start of the arena, a multiple of 64; rows are width floats apart */
} lm_value;

/** What a NORM divides by: the root of the mean square, the deviation (after the mean is taken out), the root of the sum of squares. */
typedef enum lm_norm_kind { LM_NORM_RMS = 0, LM_NORM_LAYER = 1, LM_NORM_L2 = 2 } lm_norm_kind;
/** Which row of its table an EMBED takes: the token's, the position's, or always the same one. */
typedef enum lm_embed_source { LM_EMBED_TOKEN = 0, LM_EMBED_POSITION = 1, LM_EMBED_CONSTANT = 2 } lm_embed_source;
/** What a ROUTE makes of the logits: softmax over all experts, sigmoid of each, softmax over those chosen, root of the softplus. */
typedef enum lm_gating { LM_GATING_SOFTMAX = 1, LM_GATING_SIGMOID = 2, LM_GATING_SOFTMAX_USED = 3, LM_GATING_SQRT_SOFTPLUS = 4 } lm_gating;

typedef enum lm_activation {
    LM_ACTIVATION_NONE = 0,
    LM_ACTIVATION_SILU = 1,
    LM_ACTIVATION_GELU = 2, /* tanh form */
    LM_ACTIVATION_GELU_ERF = 3,
    LM_ACTIVATION_GELU_QUICK = 4,
    LM_ACTIVATION_RELU = 5,
    LM_ACTIVATION_SIGMOID = 6,
    LM_ACTIVATION_TANH = 7,
    LM_ACTIVATION_SOFTPLUS = 8,
    LM_ACTIVATION_OAI = 9 /* GLU only: g = min(gate, 7), u = clamp(up, -7, 7), g * sigmoid(1.702 g) * (u + 1) */
} lm_activation;

#define LM_OP_INPUTS 4
#define LM_OP_OUTPUTS 4
#define LM_OP_WEIGHTS 12

/** Parameters of an operation; the member with the operation's name is the valid one. Widths count floats. */
typedef union lm_op_params {
    struct { float scale; int32_t source; int32_t row; } embed;         /* row: of CONSTANT */
    struct { float eps; int32_t kind; int32_t group; } norm;      /* group: values normalised together (w has as many) */
    struct { int32_t n; float scale; } linear;                    /* n matrices; scale multiplies W x (adapters), 1 normally */
    struct { int32_t rope, head_width, first; float temperature_scale; int32_t temperature_length; } rope;
                                                                  /* rope: index in the program; first: of the rotated values in a head;
                                                                     then y *= 1 + temperature_scale * ln(1 + floor(pos / temperature_length)) */
    struct { int32_t layer; } cache_store;
    struct { int32_t layer, n_heads, window, causal, v_from_k, v_width; float scale, softcap; } attend; /* window 0: none */
    struct { int32_t act, fused, width; } glu;                    /* fused: gate holds [gate | up] of width each */
    struct { int32_t act; } act;
    struct { int32_t state, n_taps, act; } short_conv;
    struct { int32_t state, n_k_heads, n_v_heads, k_width, v_width, grouped; float eps; } delta_rule; /* grouped: key head = h / repeat, else h % n_k;
                                                                     q and k are divided by sqrt(q.q + eps), sqrt(k.k + eps) */
    struct { int32_t gating, n_experts, n_used, n_groups, n_groups_used, normalise; float scale; } route;
    struct { int32_t act, n_experts, n_used, width, fused; } experts; /* width: of an expert's hidden layer; fused: gate holds gate and up;
                                                                     without up and not fused: act(gate x) alone */
    struct { int32_t n_experts, n_used; float scale; } expert_linear; /* x: one row for all choices, or one of W's width for each */
    struct { float factor; } scale;
    struct { float cap; } softcap;
    struct { int32_t group, first, width; } slice;                /* of every group values of x take [first, first + width) */
    struct { int32_t group_a, group_b; } concat;
    struct { int32_t n_heads, n_in, n_out, stride, first, transposed; } head_linear;
                                                                  /* head h has the rows from h * stride + first on (stride 0: all heads the same): n_out of n_in values, y_o = row_o . x;
                                                                     transposed: n_in of n_out values, y = sum over i of x_i * row_i in ascending order */
    struct { int32_t n_streams; } mix;
    struct { float factor; } sparsify;
    struct { int32_t state; } shift;
    struct { int32_t kind, normalise; } pool;
    struct { int32_t n_streams; } spread;
} lm_op_params;

typedef struct lm_op {
    int32_t kind;  /* an lm_op_kind */
    int32_t layer; /* block of the model it belongs to, -1 before and n_layers after the blocks: for placement and messages */
    int32_t in[LM_OP_INPUTS];       /* values, -1 where absent */
    int32_t out[LM_OP_OUTPUTS];     /* values, -1 where absent; out[0] may share memory with an input */
    int32_t weight[LM_OP_WEIGHTS];  /* tensors of the program, -1 where absent; LINEAR: W, b, s of each matrix in turn */
    lm_op_params params;
} lm_op;

/**
 * Rotary embedding. For pair i of n_rot/2 at position p, all in double precision:
 *   w = base^(-2i/n_rot) / factor_i;  mix = ext_factor * (1 - clamp((i - low) / max(0.001, high - low), 0, 1))
 *   theta = p * w * (freq_scale * (1 - mix) + mix);  (cos, sin) = magnitude * (cos theta, sin theta), rounded to float
 * Sources: RoFormer (arXiv 2104.09864), YaRN (arXiv 2309.00071).
 */
typedef struct lm_rope {
    int32_t n_rot;
    int32_t adjacent; /* pairs (2i, 2i+1), else (i, i + n_rot/2) */
    int32_t factors;  /* tensor [n_rot/2] of divisors, or -1 */
    int32_t low, high; /* correction range of YaRN in pairs */
    double base, freq_scale, ext_factor, magnitude;
} lm_rope;

/** A cache layer stores, per token, n_heads_kv keys of k_width and values of v_width (0: values are part of the keys). */
typedef struct lm_cache_layer {
    int32_t group; /* layers of one group share page tables and window */
    int32_t n_heads_kv, k_width, v_width;
    int32_t k_type, v_type; /* F32 F16 BF16 Q8_0 Q4_0 */
} lm_cache_layer;

typedef struct lm_cache_group {
    int32_t window;  /* tokens that later tokens can still see; 0: all */
    int32_t n_pages; /* pages to reserve, numbered from 0 */
} lm_cache_group;

/** Floats of recurrent state per sequence. States are numbered across layers: slot s holds the state of every state layer. */
typedef struct lm_state_layer {
    int64_t n_floats;
} lm_state_layer;

typedef struct lm_program {
    uint32_t struct_size;
    int32_t n_ops, n_values, n_tensors, n_ropes, n_cache_layers, n_cache_groups, n_state_layers;
    const lm_op *ops;
    const lm_value *values;
    const lm_tensor *tensors;
    const lm_rope *ropes;
    const lm_cache_layer *cache_layers;
    const lm_cache_group *cache_groups;
    const lm_state_layer *state_layers;
    int32_t n_states;                 /* state slots to reserve */
    int32_t max_tokens, max_outputs, max_spans; /* largest batch */
    int32_t max_positions;            /* positions of a sequence are below this */
    uint64_t arena_bytes;
    int32_t n_log;                    /* tokens of a run whose inputs to recurrent operations may be kept (lm_run.log) */
} lm_program;

/** Consecutive tokens of one sequence inside a batch. */
typedef struct lm_span {
    int32_t first, n_tokens;          /* rows of the batch */
    int32_t pos;                      /* position of the first */
    int32_t state;                    /* slot that holds the state after the last token, -1 when the program has none */
    int32_t state_from;               /* slot that holds the state before the first token; may be the same */
    int32_t keep_at, keep;            /* after this many of the tokens, 1 .. n_tokens, the state also goes to slot keep; keep_at 0: never */
    const int32_t *const *pages;      /* pages[group][p / LM_PAGE_SIZE] holds position p; valid for every position still needed */
} lm_span;

/** One batch. Everything is borrowed during the call. */
typedef struct lm_run {
    uint32_t struct_size;
    int32_t n_tokens, n_spans, n_outputs;
    const lm_token *tokens;           /* [n_tokens] */
    const int32_t *positions;         /* [n_tokens] */
    const lm_span *spans;             /* [n_spans], covering the batch in order */
    const int32_t *outputs;           /* [n_outputs] rows whose output is wanted, ascending */
    int32_t n_threads;                /* 0: as the backend likes */
    int32_t log;                      /* 1: keep what the recurrent operations read, for segment_replay; one span of at most n_log tokens */
    int32_t *cancel;                  /* read atomically; non-zero: stop. Looked at between chunks; NULL: never */
    int32_t first_op, end_op;         /* run only operations [first_op, end_op) of the program; end_op 0: all. What others wrote before stays */
} lm_run;

typedef struct lm_device_info {
    char name[64];
    uint64_t memory_bytes, memory_free_bytes;
    int32_t host_memory;              /* 1: reads weights in place from host memory */
} lm_device_info;

/** The table. Required slots first; optional ones say what NULL means. */
typedef struct lm_backend {
    uint32_t struct_size;
    uint32_t api_version;             /* LM_BACKEND_API */
    const char *name;                 /* e.g. "cpu" */
    void *user;                       /* first argument of the functions without another object */

    int32_t (*device_count)(void *user);
    lm_status (*device_info)(void *user, int32_t device, lm_device_info *out);
    /** Whether the device can run this operation with the types of its weights and cache. */
    int32_t (*op_supported)(void *user, int32_t device, const lm_program *program, const lm_op *op);

    /** Take n tensors that operations on this device will read; host_bytes says how many bytes were copied (0: all in place). */
    lm_status (*weights_create)(void *user, int32_t device, const lm_tensor *const *tensors, int32_t n, void **weights,
                                uint64_t *copied_bytes, lm_error *error);
    void (*weights_destroy)(void *weights);

    /** Reserve the cache layers and state layers whose owned entry is 1. Contents are undefined until written. */
    lm_status (*cache_create)(void *user, int32_t device, const lm_program *program, const uint8_t *cache_layer_owned,
                              const uint8_t *state_layer_owned, void **cache, lm_error *error);
    void (*cache_destroy)(void *cache);
    uint64_t (*cache_bytes)(void *user, int32_t device, const lm_program *program, const uint8_t *cache_layer_owned,
                            const uint8_t *state_layer_owned); /* exactly what cache_create would reserve */
    /** Copy all layers of a page of a group; of a state slot; set a state slot to zero. */
    lm_status (*cache_copy_page)(void *cache, int32_t group, int32_t to, int32_t from);
    lm_status (*cache_copy_state)(void *cache, int32_t to, int32_t from);
    lm_status (*cache_clear_state)(void *cache, int32_t slot);
    /** Saved form of one layer's page: for every kv head the K part, then for every kv head the V part, in the layout of
     *  doc/formats.md. bytes is cache_page_bytes(program, layer). */
    lm_status (*cache_read_page)(void *cache, int32_t layer, int32_t page, void *out, size_t bytes);
    lm_status (*cache_write_page)(void *cache, int32_t layer, int32_t page, const void *in, size_t bytes);
    lm_status (*cache_read_state)(void *cache, int32_t layer, int32_t slot, float *out);
    lm_status (*cache_write_state)(void *cache, int32_t layer, int32_t slot, const float *in);

    /** Make operations [first_op, first_op + n_ops) ready; weights and cache outlive the segment. */
    lm_status (*segment_create)(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops, void *weights,
                                void *cache, void **segment, lm_error *error);
    void (*segment_destroy)(void *segment);
    uint64_t (*segment_bytes)(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops);
    /** Start the batch; segment_wait returns when it has ended, with its status. */
    lm_status (*segment_run)(void *segment, const lm_run *run);
    lm_status (*segment_wait)(void *segment);
    /** Read or write n_rows rows of a value between runs: host side of segment boundaries and of results. */
    lm_status (*value_read)(void *segment, int32_t value, int32_t first_row, int32_t n_rows, float *out);
    lm_status (*value_write)(void *segment, int32_t value, int32_t first_row, int32_t n_rows, const float *in);

    /** Optional: the value's rows in host memory, valid until the next run. NULL: value_read is used. */
    const float *(*value_map)(void *segment, int32_t value);
    /** Optional: take the first tokens of the last run with log set through the recurrent operations again, from the span's state_from to
     *  its state; nothing but states changes, and activations are undefined afterwards. NULL: the tokens are evaluated again. */
    lm_status (*segment_replay)(void *segment, const lm_run *run);
} lm_backend;

LM_END_DECLS
#endif
