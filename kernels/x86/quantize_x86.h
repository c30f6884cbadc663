/* SPDX-License-Identifier: MIT
 * What both widths of the activation quantiser share: where a column lies, and the scalar steps of the contract. */
#ifndef LM_KERNELS_QUANTIZE_X86_H
#define LM_KERNELS_QUANTIZE_X86_H

#include "../kernels.h"

typedef struct lm_column {
    int8_t *q;
    float *scale;
    int16_t *sum16, *sum32;
    size_t n_groups;
} lm_column;

static inline lm_column lm_column_of(const lm_acts *acts, int32_t c, size_t group) {
    size_t k = (size_t)acts->k, at = (size_t)c;
    return (lm_column){acts->q + at * k, acts->scale + at * (k / group), acts->sum16 + at * (k / 16),
                       acts->sum32 + at * (k / 32), k / group};
}

/* 127 / top, and 0 where that is no finite number. The largest quant is then 127: a group is zero only with inverse 0. */
static inline float lm_quantize_inverse(float top) {
    float inverse = top > 0 ? 127 / top : 0;
    return inverse > 0x1.fffffep127f ? 0 : inverse;
}

#endif
