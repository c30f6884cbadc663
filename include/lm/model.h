/* SPDX-License-Identifier: MIT */
/**
 * lm_model: the weights and vocabulary of a GGUF file, immutable once opened and shared between threads and contexts.
 *
 *     lm_model *model;
 *     lm_error error;
 *     if (lm_model_open("model.gguf", NULL, &model, &error) != LM_OK) { puts(error.message); return 1; }
 *     // lm_context_open(model, NULL, &context, &error), ...
 *     lm_model_close(model);             // contexts keep it alive until they are closed
 *
 * A file may be larger than the memory: of a mixture of experts the system is then told which experts come next, and keeps those in memory
 * that are chosen often; lm_model_plan says which share of the weights can stay.
 *
 * Weights are mapped read-only and used where they lie: opening copies nothing and two processes share one copy. A mapped file that
 * somebody cuts short faults the reader; LM_LOAD_READ reads the file into memory instead, for files others may change.
 */
#ifndef LM_MODEL_H
#define LM_MODEL_H

#include "base.h"
#include "dtype.h"
#include "runtime.h"

LM_BEGIN_DECLS

typedef struct lm_model lm_model;

typedef enum lm_load {
    LM_LOAD_MAP = 0, /* use the file in place */
    LM_LOAD_READ = 1 /* copy it into memory of the runtime's allocator */
} lm_load;

typedef struct lm_model_params {
    uint32_t struct_size;
    int32_t load;        /* an lm_load */
    lm_runtime *runtime; /* NULL: a default one of its own */
    int32_t prefetch;    /* non-zero: ask the system to read the weights ahead; of a file that exceeds the memory, those that every token reads */
    int32_t lock;        /* non-zero: keep the weights in memory; LM_ERR_IO when the system refuses */
    int32_t vocab_only;  /* non-zero: for texts, metadata and tensor names alone; weights may be absent and the architecture unknown */
} lm_model_params;

#define LM_MODEL_PARAMS_INIT {sizeof(lm_model_params), LM_LOAD_MAP, NULL, 1, 0, 0}

/**
 * Open a model file, or the first of a split model's files ("NAME-00001-of-0000N.gguf"; the others lie beside it).
 *
 *   params   may be NULL
 *
 * LM_OK, LM_ERR_NOT_FOUND, LM_ERR_IO, LM_ERR_FORMAT (malformed, or a tensor missing or misshapen), LM_ERR_UNSUPPORTED (architecture,
 * tokenizer, tensor type), LM_ERR_LIMIT, LM_ERR_MEMORY, LM_ERR_ARGUMENT (also for an empty path). Since 0.1
 */
LM_API lm_status lm_model_open(const char *path, const lm_model_params *params, lm_model **out, lm_error *error);

/** The same from an open file descriptor (a HANDLE on Windows), which stays the caller's and may be closed afterwards. Since 0.1 */
LM_API lm_status lm_model_open_fd(intptr_t fd, const lm_model_params *params, lm_model **out, lm_error *error);

/** The same from n bytes in memory, borrowed until the model and its contexts are closed; any alignment. load is ignored. Since 0.1 */
LM_API lm_status lm_model_open_memory(const void *bytes, size_t n, const lm_model_params *params, lm_model **out, lm_error *error);

/** Give up the caller's hold. NULL is allowed. Since 0.1 */
LM_API void lm_model_close(lm_model *model);

/** What a model is. Strings are the model's. */
typedef struct lm_model_info {
    uint32_t struct_size;
    const char *architecture; /* general.architecture */
    const char *name;         /* general.name, "" when absent */
    uint64_t n_params;        /* numbers in all tensors */
    uint64_t weights_bytes;   /* of all tensors */
    int32_t n_vocab, n_embd, n_layers, n_heads, n_heads_kv;
    int32_t n_ctx_train;      /* positions the model was trained for */
    int32_t n_experts, n_experts_used;
    uint64_t active_bytes;    /* weights one token reads: experts count n_experts_used / n_experts, embeddings one row, draft blocks nothing */
    uint64_t active_params;   /* multiplications of one token's matrices */
    int32_t n_draft_layers;   /* 1: the file has a block that drafts further tokens (LM_OUTPUT_DRAFT), not counted in n_layers; else 0 */
} lm_model_info;

/** Fill info, whose struct_size says how much of it the caller knows. LM_OK or LM_ERR_ARGUMENT. Since 0.1 */
LM_API lm_status lm_model_get_info(const lm_model *model, lm_model_info *info);

/** Number of metadata entries; the key of one (static with the model; NULL past the end). Since 0.1 */
LM_API size_t lm_model_metadata_count(const lm_model *model);
LM_API const char *lm_model_metadata_key(const lm_model *model, size_t index);

/**
 * A metadata value as JSON text. Arrays longer than max_elements end with "..." as a last string.
 *
 *   out  [capacity] receives the text and a NUL, cut to fit; *size the length of the whole text
 *
 *        out may be NULL when capacity is 0, size may be NULL
 *
 * LM_OK, LM_ERR_NOT_FOUND, LM_ERR_MEMORY, LM_ERR_ARGUMENT. Since 0.1
 */
LM_API lm_status lm_model_metadata_json(const lm_model *model, const char *key, size_t max_elements, char *out, size_t capacity, size_t *size);

/** A string value as stored, *size bytes of the model's without a NUL; NULL when the key is absent or no string, or size is NULL. Since 0.1 */
LM_API const char *lm_model_metadata_string(const lm_model *model, const char *key, size_t *size);

typedef struct lm_tensor_info {
    uint32_t struct_size;
    const char *name;
    const char *type; /* e.g. "q4_K" */
    int32_t dtype;    /* an lm_dtype */
    int32_t n_dims;
    int64_t dims[4];
    uint64_t bytes;
} lm_tensor_info;

/** Tensors in file order. LM_OK, or LM_ERR_RANGE past the end. Since 0.1 */
LM_API size_t lm_model_tensor_count(const lm_model *model);
LM_API lm_status lm_model_get_tensor(const lm_model *model, size_t index, lm_tensor_info *info);

LM_END_DECLS
#endif
