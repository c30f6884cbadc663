/* SPDX-License-Identifier: MIT
 * Reference products of float weights: 16 virtual lanes, lane i takes elements i, i+16, ..., folded as kernels.h says. */
#include "dot.h"

#include <string.h>

static float f32_at(const void *row, int32_t i) {
    float x;
    memcpy(&x, (const uint8_t *)row + 4 * (size_t)i, 4);
    return x;
}
static float f16_at(const void *row, int32_t i) { return lm_load_f16((const uint8_t *)row + 2 * (size_t)i); }
static float bf16_at(const void *row, int32_t i) { return lm_load_bf16((const uint8_t *)row + 2 * (size_t)i); }

static inline void dot_floats(float (*at)(const void *, int32_t), const void *w, size_t row_bytes, int32_t n_rows,
                              const lm_acts *acts, int32_t first, int32_t n, float *out, size_t out_stride) {
    for (int32_t c = 0; c < n; c++)
        for (int32_t r = 0; r < n_rows; r++) {
            const uint8_t *row = (const uint8_t *)w + (size_t)r * row_bytes;
            const float *x = acts->f32 + (size_t)(first + c) * acts->f32_stride;
            float lane[16] = {0};
            for (int32_t i = 0; i < acts->k; i++) lane[i % 16] = fmaf(at(row, i), x[i], lane[i % 16]);
            for (int half = 8; half; half /= 2)
                for (int i = 0; i < half; i++) lane[i] += lane[i + half];
            out[(size_t)c * out_stride + (size_t)r] = lane[0];
        }
}

#define DEFINE(name)                                                                                                   \
    void LM_KERNEL lm_matvec_##name##_c(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,          \
                                        int32_t first, int32_t n, float *out, size_t out_stride) {                     \
        dot_floats(name##_at, w, row_bytes, n_rows, acts, first, n, out, out_stride);                                  \
    }
DEFINE(f32)
DEFINE(f16)
DEFINE(bf16)
