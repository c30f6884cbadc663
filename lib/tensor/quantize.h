/* SPDX-License-Identifier: MIT
 * Floats to the bytes of a tensor type, by the format's reference algorithm. A quantizer holds the tables its type's search
 * needs; it is immutable and may be used by many threads at once. Rows are independent: how they are cut changes nothing. */
#ifndef LM_TENSOR_QUANTIZE_H
#define LM_TENSOR_QUANTIZE_H

#include "../base/env.h"
#include "dtype.h"

typedef struct lm_quantizer lm_quantizer;

/* False for types that nothing quantises to: integers, f64, activations, unknown ones. */
bool lm_quantizer_exists(int32_t dtype);

/* LM_OK, LM_ERR_UNSUPPORTED where lm_quantizer_exists is false, LM_ERR_MEMORY. */
lm_status lm_quantizer_create(const lm_env *env, int32_t dtype, lm_quantizer **out);
void lm_quantizer_destroy(lm_quantizer *quantizer);

/* Whether the type cannot do without weights. */
bool lm_quantizer_needs_weights(const lm_quantizer *quantizer);

/* Quantise n_rows rows of row_values floats into blocks (row after row, lm_dtype_row_bytes each). weights: [row_values], not
 * negative, how much an error in each column matters, or NULL. LM_ERR_ARGUMENT when row_values is no multiple of the block or
 * weights are missing; LM_ERR_RANGE when values that are not finite or too large gave a scale that is not finite. */
lm_status lm_quantizer_run(const lm_quantizer *quantizer, const float *x, size_t n_rows, size_t row_values,
                           const float *weights, void *blocks);

#endif
