/* SPDX-License-Identifier: MIT
 * The generic level of the matrix products: a matvec for every weight type, no matmul. */
#include "../blocks.h"
#include "generic.h"

void lm_kernels_matmul_generic(lm_kernels *kernels) {
#define FILL(type, name, kind, values, bytes)                                                                          \
    kernels->weights[type] = (lm_weight_kernels){.act = kind,                                                          \
                                                 .matvec = lm_matvec_##name##_c,                                       \
                                                 .row_tile = 1,                                                        \
                                                 .matmul_from = INT32_MAX,                                             \
                                                 .dequantize = lm_dequantize_##name##_c};
    LM_WEIGHT_TYPES(FILL)
#undef FILL
    kernels->quantize_q8_32 = lm_quantize_q8_32_c;
    kernels->quantize_q8_256 = lm_quantize_q8_256_c;
}
