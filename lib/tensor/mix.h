/* SPDX-License-Identifier: MIT
 * Which type each tensor of a model gets when the model is quantised to a file type such as Q4_K_M: most tensors the type in
 * the name, those that matter more (or less) another one. Looks at names, shapes and a few facts of the model; touches no data. */
#ifndef LM_TENSOR_MIX_H
#define LM_TENSOR_MIX_H

#include "../base/env.h"
#include "dtype.h"

/* File types, numbered as the key general.file_type. */
enum lm_file_type {
    LM_FILE_F32 = 0,
    LM_FILE_F16 = 1,
    LM_FILE_Q4_0 = 2,
    LM_FILE_Q4_1 = 3,
    LM_FILE_Q8_0 = 7,
    LM_FILE_Q5_0 = 8,
    LM_FILE_Q5_1 = 9,
    LM_FILE_Q2K = 10,
    LM_FILE_Q3KS = 11,
    LM_FILE_Q3KM = 12,
    LM_FILE_Q3KL = 13,
    LM_FILE_Q4KS = 14,
    LM_FILE_Q4KM = 15,
    LM_FILE_Q5KS = 16,
    LM_FILE_Q5KM = 17,
    LM_FILE_Q6K = 18,
    LM_FILE_IQ2XXS = 19,
    LM_FILE_IQ2XS = 20,
    LM_FILE_Q2KS = 21,
    LM_FILE_IQ3XS = 22,
    LM_FILE_IQ3XXS = 23,
    LM_FILE_IQ1S = 24,
    LM_FILE_IQ4NL = 25,
    LM_FILE_IQ3S = 26,
    LM_FILE_IQ3M = 27,
    LM_FILE_IQ2S = 28,
    LM_FILE_IQ2M = 29,
    LM_FILE_IQ4XS = 30,
    LM_FILE_IQ1M = 31,
    LM_FILE_BF16 = 32,
    LM_FILE_TQ1_0 = 36,
    LM_FILE_TQ2_0 = 37,
    LM_FILE_MXFP4_MOE = 38,
    LM_FILE_Q1_0 = 40,
    LM_FILE_Q2_0 = 41
};

/* The file type of a name as printed by tools ("Q4_K_M", any case; "Q4_K" means the _M one), or -1; and the name, or NULL. */
int32_t lm_file_type_by_name(const char *name, size_t n);
const char *lm_file_type_name(int32_t file_type);

typedef struct lm_mix_tensor {
    const char *name; /* name_size bytes */
    size_t name_size;
    int64_t dims[4];
    int32_t dtype; /* what it is now */
} lm_mix_tensor;

typedef struct lm_mix_params {
    int32_t file_type;
    int32_t n_layers;       /* of the model, draft layers included */
    int32_t n_experts;      /* 0 or 1 for a dense model */
    int32_t gqa;            /* query heads per key head in the first layer */
    bool has_weights;       /* importance weights are at hand */
    bool is_falcon;         /* architecture "falcon" */
    bool is_70b;            /* the Llama-like shape of 80 layers with grouped queries */
    bool keeps_output;      /* leave output.weight as it is */
    bool is_pure;           /* every tensor the default type */
    int32_t output_type;    /* type asked for output.weight, or -1 */
    int32_t embedding_type; /* type asked for the token embedding, or -1 */
} lm_mix_params;

/* Fill types[n]: the target of each tensor, or its own dtype when it is to be copied untouched. LM_ERR_ARGUMENT for an unknown
 * file type, LM_ERR_UNSUPPORTED when a row is no multiple of its type's block and the type has no substitute, LM_ERR_MEMORY. */
lm_status lm_mix_choose(const lm_env *env, const lm_mix_params *params, const lm_mix_tensor *tensors, size_t n,
                        int32_t *types);

/* Whether this tensor, quantised to this type, must have importance weights for usable results. */
bool lm_mix_needs_weights(const lm_mix_params *params, const lm_mix_tensor *tensor, int32_t type);

#endif
