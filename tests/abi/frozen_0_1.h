/* SPDX-License-Identifier: MIT
 * Frozen: the public headers of a released version, made by tests/abi/freeze.py. Never edited. */
#ifndef LM_LM_H
#define LM_LM_H
#ifndef LM_BASE_H
#define LM_BASE_H
#include <stddef.h>
#include <stdint.h>
#ifndef LM_VERSION_H
#define LM_VERSION_H
#define LM_VERSION_MAJOR 0
#define LM_VERSION_MINOR 1
#define LM_VERSION_PATCH 0
#endif
#ifdef __cplusplus
#define LM_BEGIN_DECLS extern "C" {
#define LM_END_DECLS }
#else
#define LM_BEGIN_DECLS
#define LM_END_DECLS
#endif
#if defined(_WIN32) && !defined(LM_STATIC)
#ifdef LM_BUILDING
#define LM_API __declspec(dllexport)
#else
#define LM_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define LM_API __attribute__((visibility("default")))
#else
#define LM_API
#endif
LM_BEGIN_DECLS
typedef int32_t lm_token;
#define LM_TOKEN_NONE ((lm_token) - 1)
typedef enum lm_pooling {
 LM_POOLING_DEFAULT = -1,
 LM_POOLING_NONE = 0,
 LM_POOLING_MEAN = 1,
 LM_POOLING_CLS = 2,
 LM_POOLING_LAST = 3,
 LM_POOLING_RANK = 4
} lm_pooling;
typedef enum lm_status {
 LM_OK = 0,
 LM_ERR_MEMORY = 1,
 LM_ERR_ARGUMENT = 2,
 LM_ERR_RANGE = 3,
 LM_ERR_IO = 4,
 LM_ERR_FORMAT = 5,
 LM_ERR_UNSUPPORTED = 6,
 LM_ERR_FULL = 7,
 LM_ERR_CANCELLED = 8,
 LM_ERR_STATE = 9,
 LM_ERR_NOT_FOUND = 10,
 LM_ERR_LIMIT = 11,
 LM_ERR_MISMATCH = 12,
 LM_ERR_DEVICE = 13,
 LM_ERR_RAISED = 14
} lm_status;
LM_API const char *lm_status_name(int32_t status);
typedef struct lm_error {
 int32_t status;
 int32_t line;
 uint64_t offset;
 char message[496];
} lm_error;
typedef struct lm_allocator {
 void *user;
 void *(*alloc)(void *user, size_t size, size_t align);
 void (*free)(void *user, void *pointer, size_t size, size_t align);
} lm_allocator;
typedef enum lm_log_level {
 LM_LOG_LEVEL_ERROR = 1,
 LM_LOG_LEVEL_WARNING = 2,
 LM_LOG_LEVEL_INFO = 3,
 LM_LOG_LEVEL_DEBUG = 4
} lm_log_level;
typedef struct lm_log {
 void *user;
 void (*write)(void *user, int32_t level, const char *message);
} lm_log;
LM_END_DECLS
#endif
#ifndef LM_CHAT_H
#define LM_CHAT_H
#ifndef LM_MODEL_H
#define LM_MODEL_H
#ifndef LM_DTYPE_H
#define LM_DTYPE_H
typedef enum lm_dtype {
 LM_DTYPE_F32 = 0,
 LM_DTYPE_F16 = 1,
 LM_DTYPE_Q4_0 = 2,
 LM_DTYPE_Q4_1 = 3,
 LM_DTYPE_Q5_0 = 6,
 LM_DTYPE_Q5_1 = 7,
 LM_DTYPE_Q8_0 = 8,
 LM_DTYPE_Q8_1 = 9,
 LM_DTYPE_Q2K = 10,
 LM_DTYPE_Q3K = 11,
 LM_DTYPE_Q4K = 12,
 LM_DTYPE_Q5K = 13,
 LM_DTYPE_Q6K = 14,
 LM_DTYPE_Q8K = 15,
 LM_DTYPE_IQ2XXS = 16,
 LM_DTYPE_IQ2XS = 17,
 LM_DTYPE_IQ3XXS = 18,
 LM_DTYPE_IQ1S = 19,
 LM_DTYPE_IQ4NL = 20,
 LM_DTYPE_IQ3S = 21,
 LM_DTYPE_IQ2S = 22,
 LM_DTYPE_IQ4XS = 23,
 LM_DTYPE_I8 = 24,
 LM_DTYPE_I16 = 25,
 LM_DTYPE_I32 = 26,
 LM_DTYPE_I64 = 27,
 LM_DTYPE_F64 = 28,
 LM_DTYPE_IQ1M = 29,
 LM_DTYPE_BF16 = 30,
 LM_DTYPE_TQ1_0 = 34,
 LM_DTYPE_TQ2_0 = 35,
 LM_DTYPE_MXFP4 = 39,
 LM_DTYPE_NVFP4 = 40,
 LM_DTYPE_Q1_0 = 41,
 LM_DTYPE_Q2_0 = 42,
 LM_DTYPE_COUNT = 43
} lm_dtype;
#endif
#ifndef LM_RUNTIME_H
#define LM_RUNTIME_H
#ifndef LM_BACKEND_H
#define LM_BACKEND_H
#ifndef LM_OPS_H
#define LM_OPS_H
#define LM_OPS(X) \
 X(1, EMBED, "", "table", "y", "y = scale * row of table; the row is the token, the position or a constant") \
 X(2, NORM, "x", "[w] [b]", "y", "rms, layer or l2 norm of every group of x, times w, plus b") \
 X(3, LINEAR, "x [residual]", "W0 [b0] [s0] .. W3 [b3] [s3]", "y0 [y1 y2 y3]", "y_i = s_i * (W_i x) + b_i; y0 += residual") \
 X(4, ROPE, "x", "[factors]", "y", "rotate n_rot values of each head by the position; then scale by temperature") \
 X(5, CACHE_STORE, "k [v]", "", "", "append k and v rows to the cache layer at the token's position") \
 X(6, ATTEND, "q", "[sinks]", "y", "softmax(scale * q K, soft-cap, mask, sinks) V over the cache layer") \
 X(7, GLU, "gate [up] [residual]", "", "y", "y = act(gate) * up + residual; a gate of width 1 is broadcast") \
 X(8, ACT, "x", "", "y", "y = act(x)") \
 X(9, SHORT_CONV, "x", "taps", "y", "causal depthwise convolution over time with state, then act") \
 X(10, DELTA_RULE, "qkv alpha beta", "a dt", "y", "gated delta rule with state (Gated DeltaNet)") \
 X(11, ROUTE, "logits", "[bias]", "ids weights", "choose n_used experts per token; ids are int32 bit patterns") \
 X(12, EXPERTS, "x ids weights [residual]", "gate [up] down [biases] [scales]", "y", "weighted sum of expert feed-forwards") \
 X(13, SCALE, "x", "[w]", "y", "y = factor * x, or w * x element by element (w of one value: its scalar)") \
 X(14, ADD, "a [b]", "[w]", "y", "y = a + b (+ w, one vector for all rows)") \
 X(15, SOFTCAP, "x", "", "y", "y = cap * tanh(x / cap)") \
 X(16, GATHER, "x", "", "y", "keep the rows whose output is wanted, in the order asked") \
 X(17, SLICE, "x", "", "y", "from every group of x, take a run of values") \
 X(18, CONCAT, "a b", "", "y", "per group: values of a followed by values of b") \
 X(19, HEAD_LINEAR, "x", "W", "y", "one matrix per head: y_h = W_h x_h, or its transpose (absorbed latent attention)") \
 X(20, MIX, "x c", "", "y", "y_i = x_i + sum over j of c[i, j] x_j for n streams of x (AltUp prediction)") \
 X(21, RESCALE, "x like", "", "y", "groups of x as wide as like, each times (l2 norm of like / its own l2 norm)") \
 X(22, SPARSIFY, "x", "", "y", "relu(x - (mean + factor * deviation)) of each row, deviation with n - 1") \
 X(23, SHIFT, "x", "", "y", "row t is row t-1 of x in the same sequence; the first row comes from state (MTP input)") \
 X(24, POOL, "x", "", "y", "one row per sequence: mean, first or last of its rows, optionally normalised") \
 X(25, SPREAD, "x [c] base", "", "y", "y_i = base_i + (1 + c_i) * x for n streams (AltUp correction); without c: base_i + x")
typedef enum lm_op_kind {
#define LM_OP_ENUM(number, name, inputs, weights, outputs, meaning) LM_OP_##name = number,
 LM_OPS(LM_OP_ENUM)
#undef LM_OP_ENUM
 LM_OP_COUNT
} lm_op_kind;
#endif
LM_BEGIN_DECLS
#define LM_BACKEND_API 1
#define LM_PAGE_SIZE 64
typedef struct lm_tensor {
 const char *name;
 int32_t dtype;
 int32_t n_dims;
 int64_t ne[4];
 const void *data;
 uint64_t bytes;
} lm_tensor;
typedef enum lm_domain {
 LM_DOMAIN_TOKENS = 0,
 LM_DOMAIN_OUTPUTS = 1,
 LM_DOMAIN_SEQUENCES = 2
} lm_domain;
typedef struct lm_value {
 int32_t width;
 int32_t domain;
 uint64_t offset;
} lm_value;
typedef enum lm_norm_kind { LM_NORM_RMS = 0, LM_NORM_LAYER = 1, LM_NORM_L2 = 2 } lm_norm_kind;
typedef enum lm_embed_source { LM_EMBED_TOKEN = 0, LM_EMBED_POSITION = 1, LM_EMBED_CONSTANT = 2 } lm_embed_source;
typedef enum lm_gating { LM_GATING_SOFTMAX = 1, LM_GATING_SIGMOID = 2, LM_GATING_SOFTMAX_USED = 3, LM_GATING_SQRT_SOFTPLUS = 4 } lm_gating;
typedef enum lm_activation {
 LM_ACTIVATION_NONE = 0,
 LM_ACTIVATION_SILU = 1,
 LM_ACTIVATION_GELU = 2,
 LM_ACTIVATION_GELU_ERF = 3,
 LM_ACTIVATION_GELU_QUICK = 4,
 LM_ACTIVATION_RELU = 5,
 LM_ACTIVATION_SIGMOID = 6,
 LM_ACTIVATION_TANH = 7,
 LM_ACTIVATION_SOFTPLUS = 8,
 LM_ACTIVATION_OAI = 9
} lm_activation;
#define LM_OP_INPUTS 4
#define LM_OP_OUTPUTS 4
#define LM_OP_WEIGHTS 12
typedef union lm_op_params {
 struct { float scale; int32_t source; int32_t row; } embed;
 struct { float eps; int32_t kind; int32_t group; } norm;
 struct { int32_t n; float scale; } linear;
 struct { int32_t rope, head_width, first; float temperature_scale; int32_t temperature_length; } rope;
 struct { int32_t layer; } cache_store;
 struct { int32_t layer, n_heads, window, causal, v_from_k, v_width; float scale, softcap; } attend;
 struct { int32_t act, fused, width; } glu;
 struct { int32_t act; } act;
 struct { int32_t state, n_taps, act; } short_conv;
 struct { int32_t state, n_k_heads, n_v_heads, k_width, v_width, grouped; float eps; } delta_rule;
 struct { int32_t gating, n_experts, n_used, n_groups, n_groups_used, normalise; float scale; } route;
 struct { int32_t act, n_experts, n_used, width, fused; } experts;
 struct { float factor; } scale;
 struct { float cap; } softcap;
 struct { int32_t group, first, width; } slice;
 struct { int32_t group_a, group_b; } concat;
 struct { int32_t n_heads, n_in, n_out, stride, first, transposed; } head_linear;
 struct { int32_t n_streams; } mix;
 struct { float factor; } sparsify;
 struct { int32_t state; } shift;
 struct { int32_t kind, normalise; } pool;
 struct { int32_t n_streams; } spread;
} lm_op_params;
typedef struct lm_op {
 int32_t kind;
 int32_t layer;
 int32_t in[LM_OP_INPUTS];
 int32_t out[LM_OP_OUTPUTS];
 int32_t weight[LM_OP_WEIGHTS];
 lm_op_params params;
} lm_op;
typedef struct lm_rope {
 int32_t n_rot;
 int32_t adjacent;
 int32_t factors;
 int32_t low, high;
 double base, freq_scale, ext_factor, magnitude;
} lm_rope;
typedef struct lm_cache_layer {
 int32_t group;
 int32_t n_heads_kv, k_width, v_width;
 int32_t k_type, v_type;
} lm_cache_layer;
typedef struct lm_cache_group {
 int32_t window;
 int32_t n_pages;
} lm_cache_group;
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
 int32_t n_states;
 int32_t max_tokens, max_outputs, max_spans;
 int32_t max_positions;
 uint64_t arena_bytes;
 int32_t n_log;
} lm_program;
typedef struct lm_span {
 int32_t first, n_tokens;
 int32_t pos;
 int32_t state;
 int32_t state_from;
 int32_t keep_at, keep;
 const int32_t *const *pages;
} lm_span;
typedef struct lm_run {
 uint32_t struct_size;
 int32_t n_tokens, n_spans, n_outputs;
 const lm_token *tokens;
 const int32_t *positions;
 const lm_span *spans;
 const int32_t *outputs;
 int32_t n_threads;
 int32_t log;
 int32_t *cancel;
 int32_t first_op, end_op;
} lm_run;
typedef struct lm_device_info {
 char name[64];
 uint64_t memory_bytes, memory_free_bytes;
 int32_t host_memory;
} lm_device_info;
typedef struct lm_backend {
 uint32_t struct_size;
 uint32_t api_version;
 const char *name;
 void *user;
 int32_t (*device_count)(void *user);
 lm_status (*device_info)(void *user, int32_t device, lm_device_info *out);
 int32_t (*op_supported)(void *user, int32_t device, const lm_program *program, const lm_op *op);
 lm_status (*weights_create)(void *user, int32_t device, const lm_tensor *const *tensors, int32_t n, void **weights,
 uint64_t *copied_bytes, lm_error *error);
 void (*weights_destroy)(void *weights);
 lm_status (*cache_create)(void *user, int32_t device, const lm_program *program, const uint8_t *cache_layer_owned,
 const uint8_t *state_layer_owned, void **cache, lm_error *error);
 void (*cache_destroy)(void *cache);
 uint64_t (*cache_bytes)(void *user, int32_t device, const lm_program *program, const uint8_t *cache_layer_owned,
 const uint8_t *state_layer_owned);
 lm_status (*cache_copy_page)(void *cache, int32_t group, int32_t to, int32_t from);
 lm_status (*cache_copy_state)(void *cache, int32_t to, int32_t from);
 lm_status (*cache_clear_state)(void *cache, int32_t slot);
 lm_status (*cache_read_page)(void *cache, int32_t layer, int32_t page, void *out, size_t bytes);
 lm_status (*cache_write_page)(void *cache, int32_t layer, int32_t page, const void *in, size_t bytes);
 lm_status (*cache_read_state)(void *cache, int32_t layer, int32_t slot, float *out);
 lm_status (*cache_write_state)(void *cache, int32_t layer, int32_t slot, const float *in);
 lm_status (*segment_create)(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops, void *weights,
 void *cache, void **segment, lm_error *error);
 void (*segment_destroy)(void *segment);
 uint64_t (*segment_bytes)(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops);
 lm_status (*segment_run)(void *segment, const lm_run *run);
 lm_status (*segment_wait)(void *segment);
 lm_status (*value_read)(void *segment, int32_t value, int32_t first_row, int32_t n_rows, float *out);
 lm_status (*value_write)(void *segment, int32_t value, int32_t first_row, int32_t n_rows, const float *in);
 const float *(*value_map)(void *segment, int32_t value);
 lm_status (*segment_replay)(void *segment, const lm_run *run);
} lm_backend;
LM_END_DECLS
#endif
#ifndef LM_EXECUTOR_H
#define LM_EXECUTOR_H
LM_BEGIN_DECLS
typedef void (*lm_executor_task)(void *arg, int32_t i);
typedef struct lm_executor {
 void *user;
 void (*parallel_for)(void *user, int32_t n, lm_executor_task task, void *arg);
} lm_executor;
LM_END_DECLS
#endif
LM_BEGIN_DECLS
typedef struct lm_runtime lm_runtime;
typedef struct lm_runtime_params {
 uint32_t struct_size;
 int32_t n_threads;
 const char *cpu;
 const lm_allocator *allocator;
 const lm_log *log;
 const lm_executor *executor;
 const lm_backend *const *backends;
 int32_t n_backends;
} lm_runtime_params;
#define LM_RUNTIME_PARAMS_INIT {sizeof(lm_runtime_params), 0, NULL, NULL, NULL, NULL, NULL, 0}
LM_API lm_status lm_runtime_create(const lm_runtime_params *params, lm_runtime **out, lm_error *error);
LM_API void lm_runtime_destroy(lm_runtime *runtime);
LM_API int32_t lm_runtime_threads(const lm_runtime *runtime);
LM_API const char *lm_runtime_cpu(const lm_runtime *runtime);
typedef struct lm_machine {
 uint32_t struct_size;
 int32_t n_threads;
 double read_bytes_per_second;
 double int_ops_per_second;
 uint64_t memory_total;
 uint64_t memory_available;
} lm_machine;
LM_API lm_status lm_runtime_measure(lm_runtime *runtime, lm_machine *out);
LM_API int32_t lm_version(void);
LM_END_DECLS
#endif
LM_BEGIN_DECLS
typedef struct lm_model lm_model;
typedef enum lm_load {
 LM_LOAD_MAP = 0,
 LM_LOAD_READ = 1
} lm_load;
typedef struct lm_model_params {
 uint32_t struct_size;
 int32_t load;
 lm_runtime *runtime;
 int32_t prefetch;
 int32_t lock;
 int32_t vocab_only;
} lm_model_params;
#define LM_MODEL_PARAMS_INIT {sizeof(lm_model_params), LM_LOAD_MAP, NULL, 1, 0, 0}
LM_API lm_status lm_model_open(const char *path, const lm_model_params *params, lm_model **out, lm_error *error);
LM_API lm_status lm_model_open_fd(intptr_t fd, const lm_model_params *params, lm_model **out, lm_error *error);
LM_API lm_status lm_model_open_memory(const void *bytes, size_t n, const lm_model_params *params, lm_model **out, lm_error *error);
LM_API void lm_model_close(lm_model *model);
typedef struct lm_model_info {
 uint32_t struct_size;
 const char *architecture;
 const char *name;
 uint64_t n_params;
 uint64_t weights_bytes;
 int32_t n_vocab, n_embd, n_layers, n_heads, n_heads_kv;
 int32_t n_ctx_train;
 int32_t n_experts, n_experts_used;
 uint64_t active_bytes;
 uint64_t active_params;
 int32_t n_draft_layers;
} lm_model_info;
LM_API lm_status lm_model_get_info(const lm_model *model, lm_model_info *info);
LM_API size_t lm_model_metadata_count(const lm_model *model);
LM_API const char *lm_model_metadata_key(const lm_model *model, size_t index);
LM_API lm_status lm_model_metadata_json(const lm_model *model, const char *key, size_t max_elements, char *out, size_t capacity, size_t *size);
LM_API const char *lm_model_metadata_string(const lm_model *model, const char *key, size_t *size);
typedef struct lm_tensor_info {
 uint32_t struct_size;
 const char *name;
 const char *type;
 int32_t dtype;
 int32_t n_dims;
 int64_t dims[4];
 uint64_t bytes;
} lm_tensor_info;
LM_API size_t lm_model_tensor_count(const lm_model *model);
LM_API lm_status lm_model_get_tensor(const lm_model *model, size_t index, lm_tensor_info *info);
LM_END_DECLS
#endif
LM_BEGIN_DECLS
typedef struct lm_chat lm_chat;
typedef struct lm_chat_parser lm_chat_parser;
typedef struct lm_chat_params {
 uint32_t struct_size;
 uint32_t reserved;
 lm_allocator allocator;
 lm_log log;
} lm_chat_params;
#define LM_CHAT_PARAMS_INIT \
 { \
 sizeof(lm_chat_params), 0, {NULL, NULL, NULL}, { NULL, NULL } \
 }
LM_API lm_status lm_chat_from_template(const char *text, size_t n, const lm_chat_params *params, lm_chat **out,
 lm_error *error);
LM_API lm_status lm_chat_from_model(const lm_model *model, const lm_chat_params *params, lm_chat **out,
 lm_error *error);
LM_API void lm_chat_destroy(lm_chat *chat);
LM_API const char *lm_chat_family(const lm_chat *chat);
#define LM_CHAT_SPAN_CALLER UINT32_C(1)
typedef struct lm_chat_span {
 size_t start, end;
 int32_t message;
 uint32_t flags;
} lm_chat_span;
typedef struct lm_chat_prompt {
 uint32_t struct_size;
 uint32_t reserved;
 const char *text;
 size_t text_size;
 const lm_chat_span *spans;
 size_t n_spans;
} lm_chat_prompt;
#define LM_CHAT_PROMPT_INIT \
 { sizeof(lm_chat_prompt), 0, NULL, 0, NULL, 0 }
#define LM_CHAT_RENDER_ADAPT UINT32_C(1)
typedef struct lm_chat_render_params {
 uint32_t struct_size;
 int32_t year, month, day, hour, minute, second;
 uint32_t flags;
} lm_chat_render_params;
#define LM_CHAT_RENDER_PARAMS_INIT \
 { sizeof(lm_chat_render_params), 1970, 1, 1, 0, 0, 0, 0 }
LM_API lm_status lm_chat_render(lm_chat *chat, const char *inputs, size_t n, const lm_chat_render_params *params,
 lm_chat_prompt *out, lm_error *error);
LM_API const char *lm_chat_message(const lm_chat *chat);
typedef struct lm_chat_parser_params {
 uint32_t struct_size;
 uint32_t reserved;
 lm_allocator allocator;
 const char *generation_prompt;
 size_t generation_prompt_size;
 const char *tools;
 size_t tools_size;
} lm_chat_parser_params;
#define LM_CHAT_PARSER_PARAMS_INIT \
 { sizeof(lm_chat_parser_params), 0, {NULL, NULL, NULL}, NULL, 0, NULL, 0 }
LM_API lm_status lm_chat_parser_create(const lm_chat *chat, const char *family, const lm_chat_parser_params *params,
 lm_chat_parser **out, lm_error *error);
LM_API void lm_chat_parser_destroy(lm_chat_parser *parser);
LM_API lm_status lm_chat_parser_feed(lm_chat_parser *parser, const char *text, size_t n);
LM_API lm_status lm_chat_parser_finish(lm_chat_parser *parser, int32_t cut_off);
typedef enum lm_chat_delta_kind {
 LM_CHAT_DELTA_CONTENT = 1,
 LM_CHAT_DELTA_REASONING = 2,
 LM_CHAT_DELTA_CALL = 3,
 LM_CHAT_DELTA_ARGUMENTS = 4,
 LM_CHAT_DELTA_CALL_END = 5,
 LM_CHAT_DELTA_CALL_BROKEN = 6
} lm_chat_delta_kind;
typedef struct lm_chat_delta {
 int32_t kind;
 int32_t call;
 const char *text;
 size_t text_size;
} lm_chat_delta;
LM_API int32_t lm_chat_parser_next(lm_chat_parser *parser, lm_chat_delta *out);
LM_API lm_status lm_chat_parser_result(lm_chat_parser *parser, const char **json, size_t *json_size);
LM_END_DECLS
#endif
#ifndef LM_ADAPTER_H
#define LM_ADAPTER_H
#ifndef LM_CONTEXT_H
#define LM_CONTEXT_H
#ifndef LM_SAMPLER_H
#define LM_SAMPLER_H
LM_BEGIN_DECLS
typedef struct lm_sampler lm_sampler;
#define LM_SEED_RANDOM UINT32_C(0xFFFFFFFF)
#define LM_SAMPLER_MAX_HISTORY 1048576
#define LM_SAMPLER_MAX_MEMBERS 64
#define LM_SAMPLER_MAX_BREAKERS 256
#define LM_SAMPLER_MAX_TAG_TOKENS 4096
typedef struct lm_logit_bias {
 lm_token token;
 float bias;
} lm_logit_bias;
typedef struct lm_token_span {
 const lm_token *tokens;
 size_t count;
} lm_token_span;
typedef struct lm_sampler_vocab {
 uint32_t struct_size;
 int32_t n_vocab;
 lm_token eot, eos;
 const lm_token *suppressed;
 size_t n_suppressed;
 void *user;
 const char *(*piece)(void *user, lm_token token, int32_t special, size_t *length);
 int32_t (*tokenize)(void *user, const char *text, size_t length, lm_token *out, size_t capacity);
 int32_t (*is_eog)(void *user, lm_token token);
} lm_sampler_vocab;
#define LM_SAMPLER_VOCAB_INIT \
 { sizeof(lm_sampler_vocab), 0, LM_TOKEN_NONE, LM_TOKEN_NONE, NULL, 0, NULL, NULL, NULL, NULL }
typedef struct lm_sampler_params {
 uint32_t struct_size;
 uint32_t seed;
 const char *order;
 float temperature;
 float dynatemp_range;
 float dynatemp_exponent;
 int32_t top_k;
 float top_p;
 float min_p;
 float typical_p;
 float top_n_sigma;
 float xtc_probability;
 float xtc_threshold;
 int32_t min_keep;
 int32_t repeat_last_n;
 float repeat_penalty;
 float frequency_penalty;
 float presence_penalty;
 float dry_multiplier;
 float dry_base;
 int32_t dry_allowed_length;
 int32_t dry_last_n;
 const char *const
 *dry_breakers;
 size_t n_dry_breakers;
 int32_t mirostat;
 float mirostat_tau;
 float mirostat_eta;
 float adaptive_target;
 float adaptive_decay;
 const lm_logit_bias *biases;
 size_t n_biases;
 int32_t ignore_eos;
 int32_t n_probs;
 int32_t probs_after;
 int32_t reasoning_budget;
 lm_token_span reasoning_start;
 const lm_token_span *reasoning_ends;
 size_t n_reasoning_ends;
 lm_token_span reasoning_forced;
 lm_allocator allocator;
} lm_sampler_params;
#define LM_SAMPLER_PARAMS_INIT \
 { \
 sizeof(lm_sampler_params), LM_SEED_RANDOM, NULL, 0.8f, 0.0f, 1.0f, 40, 0.95f, 0.05f, 1.0f, -1.0f, 0.0f, 0.1f, \
 0, 64, 1.0f, 0.0f, 0.0f, 0.0f, 1.75f, 2, 64, NULL, 0, 0, 5.0f, 0.1f, -1.0f, 0.9f, NULL, 0, 0, 0, 0, -1, \
 {NULL, 0}, NULL, 0, {NULL, 0}, { \
 NULL, NULL, NULL \
 } \
 }
typedef struct lm_token_prob {
 lm_token token;
 float p;
 float logprob;
} lm_token_prob;
LM_API lm_status lm_sampler_create(const lm_sampler_params *params, const lm_sampler_vocab *vocab, lm_sampler **out,
 lm_error *error);
struct lm_model;
LM_API lm_status lm_sampler_for_model(struct lm_model *model, const lm_sampler_params *params, lm_sampler **out, lm_error *error);
LM_API void lm_sampler_destroy(lm_sampler *sampler);
LM_API lm_status lm_sampler_clone(const lm_sampler *sampler, lm_sampler **out);
struct lm_grammar_matcher;
LM_API lm_status lm_sampler_set_grammar(lm_sampler *sampler, const struct lm_grammar_matcher *matcher);
LM_API lm_status lm_sampler_set_limit(lm_sampler *sampler, int32_t n_tokens);
LM_API void lm_sampler_reset(lm_sampler *sampler);
LM_API uint32_t lm_sampler_seed(const lm_sampler *sampler);
LM_API lm_status lm_sampler_pick(lm_sampler *sampler, const float *logits, size_t n_vocab, lm_token *out);
LM_API lm_status lm_sampler_apply(lm_sampler *sampler, float *logits, size_t n_vocab);
LM_API lm_status lm_sampler_accept(lm_sampler *sampler, lm_token token);
LM_API lm_status lm_sampler_accept_prompt(lm_sampler *sampler, const lm_token *tokens, size_t n_tokens,
 size_t n_prefill);
LM_API lm_status lm_sampler_candidates(const lm_sampler *sampler, const lm_token_prob **candidates, size_t *n,
 lm_token_prob *picked);
LM_API lm_status lm_sampler_end_reasoning(lm_sampler *sampler);
LM_API const char *lm_sampler_message(const lm_sampler *sampler);
LM_END_DECLS
#endif
LM_BEGIN_DECLS
typedef struct lm_context lm_context;
typedef int32_t lm_seq;
typedef struct lm_context_params {
 uint32_t struct_size;
 int32_t n_ctx;
 int32_t n_seqs;
 int32_t n_batch;
 int32_t n_outputs;
 int32_t k_type, v_type;
 int32_t n_threads;
 int32_t n_checkpoints;
 uint64_t cache_bytes;
 int32_t outputs;
 int32_t pooling;
 int32_t n_draft;
} lm_context_params;
#define LM_CONTEXT_PARAMS_INIT \
 {sizeof(lm_context_params), 0, 1, 0, 0, LM_DTYPE_F16, LM_DTYPE_F16, 0, -1, 0, 0, LM_POOLING_DEFAULT, 0}
typedef enum lm_output {
 LM_OUTPUT_LOGITS = 1,
 LM_OUTPUT_HIDDEN = 2,
 LM_OUTPUT_POOLED = 4,
 LM_OUTPUT_DRAFT = 8
} lm_output;
LM_API lm_status lm_context_open(lm_model *model, const lm_context_params *params, lm_context **out, lm_error *error);
LM_API void lm_context_close(lm_context *context);
LM_API const char *lm_context_message(const lm_context *context);
LM_API lm_status lm_context_get_params(const lm_context *context, lm_context_params *params);
LM_API lm_status lm_context_eval(lm_context *context, const lm_token *tokens, size_t n_tokens);
typedef enum lm_logits {
 LM_LOGITS_NONE = 0,
 LM_LOGITS_LAST = 1,
 LM_LOGITS_ALL = 2
} lm_logits;
typedef struct lm_batch_item {
 lm_seq seq;
 int32_t logits;
 const lm_token *tokens;
 size_t n_tokens;
} lm_batch_item;
LM_API lm_status lm_context_eval_batch(lm_context *context, const lm_batch_item *items, size_t n_items);
LM_API size_t lm_context_logits_count(const lm_context *context);
LM_API const float *lm_context_logits_row(const lm_context *context, size_t row);
LM_API const float *lm_context_logits(const lm_context *context);
LM_API const float *lm_context_hidden(const lm_context *context, size_t row);
LM_API const float *lm_context_draft_logits(const lm_context *context, size_t row);
LM_API const float *lm_context_pooled(const lm_context *context, size_t item);
LM_API size_t lm_context_pooled_width(const lm_context *context);
LM_API lm_status lm_sample(lm_context *context, lm_sampler *sampler, lm_token *out);
LM_API lm_status lm_sample_forced(lm_context *context, lm_sampler *sampler, lm_token *out, size_t cap, size_t *n);
LM_API void lm_context_cancel(lm_context *context);
typedef enum lm_sync_reason {
 LM_SYNC_REASON_NONE = 0,
 LM_SYNC_REASON_UNKNOWN = 1,
 LM_SYNC_REASON_WINDOW = 2,
 LM_SYNC_REASON_CHECKPOINT = 3
} lm_sync_reason;
typedef struct lm_sync_info {
 uint32_t struct_size;
 int32_t reason;
 int32_t n_reused;
 int32_t n_evaluated;
 int32_t n_known;
 int32_t n_from_cache;
 int32_t checkpoint;
} lm_sync_info;
LM_API lm_status lm_context_sync(lm_context *context, lm_seq seq, const lm_token *tokens, size_t n_tokens, lm_sync_info *info);
LM_API lm_status lm_context_mark(lm_context *context, lm_seq seq, size_t position);
LM_API int32_t lm_seq_length(const lm_context *context, lm_seq seq);
LM_API const lm_token *lm_seq_tokens(const lm_context *context, lm_seq seq);
LM_API lm_status lm_seq_fork(lm_context *context, lm_seq from, lm_seq to);
LM_API lm_status lm_seq_trim(lm_context *context, lm_seq seq, size_t n_tokens);
LM_API lm_status lm_seq_close(lm_context *context, lm_seq seq);
LM_API lm_status lm_seq_save(lm_context *context, lm_seq seq, const char *path);
LM_API lm_status lm_seq_restore(lm_context *context, lm_seq seq, const char *path);
typedef struct lm_memory {
 uint32_t struct_size;
 uint64_t weights_bytes;
 uint64_t copied_bytes;
 uint64_t model_bytes;
 uint64_t cache_bytes;
 uint64_t work_bytes;
 uint64_t context_bytes;
 int64_t n_pages, n_pages_free, n_pages_cached;
} lm_memory;
LM_API lm_status lm_context_memory(const lm_context *context, lm_memory *memory);
typedef struct lm_plan_params {
 uint32_t struct_size;
 const lm_context_params *context;
 lm_runtime *runtime;
 uint64_t memory_bytes;
 uint64_t bytes_per_second;
} lm_plan_params;
#define LM_PLAN_PARAMS_INIT {sizeof(lm_plan_params), NULL, NULL, 0, 0}
typedef struct lm_plan {
 uint32_t struct_size;
 int32_t fits;
 lm_memory memory;
 uint64_t total_bytes;
 uint64_t memory_bytes;
 int32_t n_ctx;
 int32_t n_ctx_fitting;
 double tokens_per_second;
 double tokens_per_second_full;
 double resident_share;
} lm_plan;
LM_API lm_status lm_model_plan(const char *path, const lm_plan_params *params, lm_plan *out, lm_error *error);
LM_END_DECLS
#endif
LM_BEGIN_DECLS
typedef struct lm_adapter lm_adapter;
LM_API lm_status lm_adapter_open(lm_model *model, const char *path, lm_adapter **out, lm_error *error);
LM_API void lm_adapter_close(lm_adapter *adapter);
typedef struct lm_adapter_use {
 lm_adapter *adapter;
 float scale;
 int32_t first_layer, last_layer;
} lm_adapter_use;
LM_API lm_status lm_context_set_adapters(lm_context *context, const lm_adapter_use *uses, size_t n);
LM_END_DECLS
#endif
#ifndef LM_EMBED_H
#define LM_EMBED_H
LM_BEGIN_DECLS
typedef struct lm_embed_text {
 const lm_token *tokens;
 size_t n_tokens;
} lm_embed_text;
#define LM_EMBED_RAW 1u
LM_API size_t lm_embed_width(const lm_context *context);
LM_API lm_status lm_embed(lm_context *context, const lm_embed_text *texts, size_t n_texts, uint32_t flags, float *out,
 size_t capacity);
LM_END_DECLS
#endif
#ifndef LM_GRAMMAR_H
#define LM_GRAMMAR_H
LM_BEGIN_DECLS
typedef struct lm_grammar lm_grammar;
typedef struct lm_grammar_vocab lm_grammar_vocab;
typedef struct lm_grammar_matcher lm_grammar_matcher;
#define LM_GRAMMAR_COMPACT ((uint32_t)1)
#define LM_GRAMMAR_TEXT_MAX ((size_t)16 << 20)
typedef struct lm_grammar_params {
 uint32_t struct_size;
 uint32_t flags;
 const lm_allocator *allocator;
 void *user;
 lm_token (*find_token)(void *user, const char *text, size_t n);
} lm_grammar_params;
#define LM_GRAMMAR_PARAMS_INIT \
 { sizeof(lm_grammar_params), 0, NULL, NULL, NULL }
LM_API lm_status lm_grammar_from_gbnf(const char *text, size_t n, const lm_grammar_params *params, lm_grammar **out,
 lm_error *error);
LM_API lm_status lm_grammar_from_json_schema(const char *json, size_t n, const lm_grammar_params *params,
 lm_grammar **out, lm_error *error);
LM_API lm_grammar *lm_grammar_retain(lm_grammar *grammar);
LM_API void lm_grammar_destroy(lm_grammar *grammar);
LM_API size_t lm_grammar_memory(const lm_grammar *grammar);
typedef enum lm_grammar_token_kind {
 LM_GRAMMAR_TOKEN_KIND_TEXT = 0,
 LM_GRAMMAR_TOKEN_KIND_CONTROL = 1,
 LM_GRAMMAR_TOKEN_KIND_END = 2,
 LM_GRAMMAR_TOKEN_KIND_UNUSED = 3
} lm_grammar_token_kind;
typedef struct lm_grammar_vocab_params {
 uint32_t struct_size;
 uint32_t n_tokens;
 const lm_allocator *allocator;
 size_t cache_bytes;
 void *user;
 int32_t (*get)(void *user, lm_token token, const char **bytes, size_t *n);
} lm_grammar_vocab_params;
#define LM_GRAMMAR_VOCAB_PARAMS_INIT \
 { sizeof(lm_grammar_vocab_params), 0, NULL, (size_t)64 << 20, NULL, NULL }
LM_API lm_status lm_grammar_vocab_create(const lm_grammar_vocab_params *params, lm_grammar_vocab **out,
 lm_error *error);
struct lm_model;
LM_API lm_status lm_grammar_vocab_for_model(struct lm_model *model, lm_grammar_vocab **out, lm_error *error);
LM_API lm_grammar_vocab *lm_grammar_vocab_retain(lm_grammar_vocab *vocab);
LM_API void lm_grammar_vocab_destroy(lm_grammar_vocab *vocab);
typedef enum lm_grammar_trigger_kind {
 LM_GRAMMAR_TRIGGER_KIND_TOKEN = 0,
 LM_GRAMMAR_TRIGGER_KIND_WORD = 1,
 LM_GRAMMAR_TRIGGER_KIND_PATTERN = 2,
 LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL = 3
} lm_grammar_trigger_kind;
typedef struct lm_grammar_trigger {
 int32_t kind;
 lm_token token;
 const char *text;
 size_t text_size;
} lm_grammar_trigger;
typedef struct lm_grammar_matcher_params {
 uint32_t struct_size;
 uint32_t reserved;
 const lm_grammar_trigger *triggers;
 size_t n_triggers;
} lm_grammar_matcher_params;
#define LM_GRAMMAR_MATCHER_PARAMS_INIT \
 { sizeof(lm_grammar_matcher_params), 0, NULL, 0 }
LM_API lm_status lm_grammar_matcher_create(lm_grammar *grammar, lm_grammar_vocab *vocab,
 const lm_grammar_matcher_params *params, lm_grammar_matcher **out,
 lm_error *error);
LM_API void lm_grammar_matcher_destroy(lm_grammar_matcher *matcher);
LM_API lm_status lm_grammar_matcher_clone(const lm_grammar_matcher *matcher, lm_grammar_matcher **out);
LM_API lm_status lm_grammar_matcher_reset(lm_grammar_matcher *matcher);
LM_API lm_status lm_grammar_matcher_accept_bytes(lm_grammar_matcher *matcher, const char *bytes, size_t n,
 size_t *n_viable);
LM_API lm_status lm_grammar_matcher_accept_token(lm_grammar_matcher *matcher, lm_token token);
LM_API int32_t lm_grammar_matcher_is_complete(const lm_grammar_matcher *matcher);
LM_API int32_t lm_grammar_matcher_is_waiting(const lm_grammar_matcher *matcher);
LM_API lm_status lm_grammar_matcher_mask(lm_grammar_matcher *matcher, uint32_t *mask, size_t n_words);
LM_API size_t lm_grammar_matcher_forced(lm_grammar_matcher *matcher, char *out, size_t cap);
LM_API size_t lm_grammar_matcher_completion(lm_grammar_matcher *matcher, char *out, size_t cap);
LM_API uint64_t lm_grammar_matcher_position(const lm_grammar_matcher *matcher);
LM_API lm_status lm_grammar_matcher_rewind(lm_grammar_matcher *matcher, uint64_t position);
LM_END_DECLS
#endif
#ifndef LM_SESSION_H
#define LM_SESSION_H
LM_BEGIN_DECLS
typedef struct lm_chat_session lm_chat_session;
typedef struct lm_chat_session_params {
 uint32_t struct_size;
 lm_seq seq;
 const char *family;
 const char *template_text;
 size_t template_size;
 lm_allocator allocator;
 lm_log log;
} lm_chat_session_params;
#define LM_CHAT_SESSION_PARAMS_INIT \
 { \
 sizeof(lm_chat_session_params), 0, NULL, NULL, 0, {NULL, NULL, NULL}, { NULL, NULL } \
 }
LM_API lm_status lm_chat_session_create(lm_model *model, lm_context *context, const lm_chat_session_params *params,
 lm_chat_session **out, lm_error *error);
LM_API void lm_chat_session_destroy(lm_chat_session *session);
typedef enum lm_tool_choice {
 LM_TOOL_CHOICE_AUTO = 0,
 LM_TOOL_CHOICE_NONE = 1,
 LM_TOOL_CHOICE_REQUIRED = 2
} lm_tool_choice;
typedef struct lm_chat_request {
 uint32_t struct_size;
 int32_t max_tokens;
 const char
 *messages;
 size_t messages_size;
 const char *tools;
 size_t tools_size;
 int32_t tool_choice;
 int32_t reserved;
 const char *schema;
 size_t schema_size;
 const char *variables;
 size_t variables_size;
 const char *const *stops;
 size_t n_stops;
 const lm_sampler_params *sampling;
 const lm_chat_render_params *now;
 void *user;
 int32_t (*on_delta)(void *user, const lm_chat_delta *delta);
 const char *gbnf;
 size_t gbnf_size;
} lm_chat_request;
#define LM_CHAT_REQUEST_INIT \
 { sizeof(lm_chat_request), -1, NULL, 0, NULL, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0 }
typedef enum lm_chat_finish {
 LM_CHAT_FINISH_END = 1,
 LM_CHAT_FINISH_CALLS = 2,
 LM_CHAT_FINISH_LENGTH = 3,
 LM_CHAT_FINISH_STOP = 4,
 LM_CHAT_FINISH_CANCELLED = 5
} lm_chat_finish;
typedef struct lm_chat_report {
 uint32_t struct_size;
 int32_t finish;
 int32_t n_prompt;
 int32_t n_generated;
 lm_sync_info sync;
 const char *message;
 size_t message_size;
 int32_t n_forced;
 int32_t reserved;
} lm_chat_report;
#define LM_CHAT_REPORT_INIT \
 { sizeof(lm_chat_report), 0, 0, 0, {sizeof(lm_sync_info), 0, 0, 0, 0, 0, 0}, NULL, 0, 0, 0 }
LM_API lm_status lm_chat_session_run(lm_chat_session *session, const lm_chat_request *request, lm_chat_report *report);
LM_API void lm_chat_session_cancel(lm_chat_session *session);
LM_API const char *lm_chat_session_message(const lm_chat_session *session);
LM_API lm_chat *lm_chat_session_chat(lm_chat_session *session);
LM_END_DECLS
#endif
#ifndef LM_SPECULATE_H
#define LM_SPECULATE_H
LM_BEGIN_DECLS
typedef struct lm_speculator lm_speculator;
typedef enum lm_drafter {
 LM_DRAFTER_NGRAM = 1,
 LM_DRAFTER_MODEL = 2,
 LM_DRAFTER_MTP = 3
} lm_drafter;
typedef struct lm_speculator_params {
 uint32_t struct_size;
 int32_t drafter;
 lm_seq seq;
 int32_t n_draft;
 lm_context *draft;
 lm_seq draft_seq;
 int32_t always;
} lm_speculator_params;
#define LM_SPECULATOR_PARAMS_INIT {sizeof(lm_speculator_params), LM_DRAFTER_NGRAM, 0, 0, NULL, 0, 0}
LM_API lm_status lm_speculator_create(lm_context *context, const lm_speculator_params *params, lm_speculator **out, lm_error *error);
LM_API void lm_speculator_destroy(lm_speculator *speculator);
LM_API lm_status lm_speculate(lm_speculator *speculator, lm_sampler *sampler, lm_token *out, size_t capacity, size_t *n);
typedef struct lm_speculator_stats {
 uint32_t struct_size;
 int32_t is_off;
 int64_t n_rounds;
 int64_t n_plain;
 int64_t n_drafted, n_accepted;
} lm_speculator_stats;
LM_API lm_status lm_speculator_get_stats(const lm_speculator *speculator, lm_speculator_stats *stats);
LM_END_DECLS
#endif
#ifndef LM_VOCAB_H
#define LM_VOCAB_H
LM_BEGIN_DECLS
struct lm_model;
typedef enum lm_token_attribute {
 LM_TOKEN_ATTRIBUTE_UNKNOWN = 1,
 LM_TOKEN_ATTRIBUTE_UNUSED = 2,
 LM_TOKEN_ATTRIBUTE_NORMAL = 4,
 LM_TOKEN_ATTRIBUTE_CONTROL = 8,
 LM_TOKEN_ATTRIBUTE_USER_DEFINED = 16,
 LM_TOKEN_ATTRIBUTE_BYTE = 32,
 LM_TOKEN_ATTRIBUTE_LSTRIP = 64,
 LM_TOKEN_ATTRIBUTE_RSTRIP = 128
} lm_token_attribute;
typedef enum lm_token_role {
 LM_TOKEN_ROLE_BOS = 0,
 LM_TOKEN_ROLE_EOS = 1,
 LM_TOKEN_ROLE_EOT = 2,
 LM_TOKEN_ROLE_EOM = 3,
 LM_TOKEN_ROLE_UNKNOWN = 4,
 LM_TOKEN_ROLE_SEPARATOR = 5,
 LM_TOKEN_ROLE_PADDING = 6,
 LM_TOKEN_ROLE_MASK = 7,
 LM_TOKEN_ROLE_NEWLINE = 8,
 LM_TOKEN_ROLE_FIM_PREFIX = 9,
 LM_TOKEN_ROLE_FIM_SUFFIX = 10,
 LM_TOKEN_ROLE_FIM_MIDDLE = 11,
 LM_TOKEN_ROLE_FIM_PADDING = 12,
 LM_TOKEN_ROLE_FIM_REPOSITORY = 13,
 LM_TOKEN_ROLE_FIM_SEPARATOR = 14
} lm_token_role;
#define LM_TOKEN_ROLE_COUNT 15
#define LM_TOKENIZE_ADD_SPECIAL 1u
#define LM_TOKENIZE_PARSE_SPECIAL \
 2u
#define LM_DETOKENIZE_SPECIAL 1u
#define LM_DETOKENIZE_REMOVE_ADDED 2u
LM_API int32_t lm_tokenize(const struct lm_model *model, const char *text, size_t n, uint32_t flags, lm_token *out,
 size_t cap);
LM_API int32_t lm_detokenize(const struct lm_model *model, const lm_token *tokens, size_t n_tokens, uint32_t flags,
 char *out, size_t cap);
LM_API int32_t lm_token_piece(const struct lm_model *model, lm_token token, uint32_t flags, char *out, size_t cap);
typedef struct lm_text_stream {
 uint8_t held[3];
 uint8_t n_held;
} lm_text_stream;
LM_API int32_t lm_text_stream_next(const struct lm_model *model, lm_text_stream *stream, lm_token token, uint32_t flags,
 char *out, size_t cap);
LM_API int32_t lm_text_stream_end(lm_text_stream *stream, char *out, size_t cap);
LM_API int32_t lm_vocab_size(const struct lm_model *model);
LM_API lm_token lm_vocab_token(const struct lm_model *model, int32_t role);
LM_API lm_token lm_vocab_bos(const struct lm_model *model);
LM_API lm_token lm_vocab_eos(const struct lm_model *model);
LM_API lm_token lm_vocab_eot(const struct lm_model *model);
LM_API int32_t lm_token_is_end(const struct lm_model *model, lm_token token);
LM_API uint32_t lm_token_attributes(const struct lm_model *model, lm_token token);
LM_END_DECLS
#endif
#endif
