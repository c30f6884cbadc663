/* SPDX-License-Identifier: MIT
 * The frame of a reference product: for every column and row, fold the blocks in ascending order of k with one function
 *
 *     static float NAME_block(const void *block, const int8_t *a, const float *s, float acc)
 *
 * a: the column's quants from the block's first element on; s: its scales from there on. The function is the authority on how
 * the integer sum of its type is formed and which float steps follow. */
#ifndef LM_KERNELS_DOT_H
#define LM_KERNELS_DOT_H

#include <math.h>

#include "../blocks.h"
#include "../fma.h"
#include "../half.h"
#include "generic.h"

typedef float lm_dot_block_fn(const void *block, const int8_t *a, const float *s, float acc);

static inline void lm_dot_rows(lm_dot_block_fn *block, int32_t values, size_t bytes, int32_t group, const void *w,
                               size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first, int32_t n,
                               float *out, size_t out_stride) {
    for (int32_t c = 0; c < n; c++) {
        const int8_t *a = acts->q + (size_t)(first + c) * (size_t)acts->k;
        const float *s = acts->scale + (size_t)(first + c) * (size_t)(acts->k / group);
        for (int32_t r = 0; r < n_rows; r++) {
            const uint8_t *row = (const uint8_t *)w + (size_t)r * row_bytes;
            float acc = 0;
            for (int32_t i = 0; i < acts->k; i += values)
                acc = block(row + (size_t)(i / values) * bytes, a + i, s + i / group, acc);
            out[(size_t)c * out_stride + (size_t)r] = acc;
        }
    }
}

/* group: activations per scale, 32 or 256 */
#define LM_DEFINE_MATVEC(name, values, block_type, group)                                                              \
    void LM_KERNEL lm_matvec_##name##_c(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,          \
                                        int32_t first, int32_t n, float *out, size_t out_stride) {                     \
        lm_dot_rows(name##_block, values, sizeof(block_type), group, w, row_bytes, n_rows, acts, first, n, out,        \
                    out_stride);                                                                                       \
    }

#endif
