/* SPDX-License-Identifier: MIT
 * The norm of x as lanes(n) of kernels.h, and x / max(norm, eps). */
#ifndef LM_BACKEND_CPU_CPU_L2_H
#define LM_BACKEND_CPU_CPU_L2_H

#include <math.h>
#include <stdint.h>

static inline float lm_l2_norm(const float *x, int32_t n) {
    float lanes[16] = {0};
    for (int32_t i = 0; i < n; i++) lanes[i % 16] = fmaf(x[i], x[i], lanes[i % 16]);
    for (int32_t width = 8; width > 0; width /= 2)
        for (int32_t i = 0; i < width; i++) lanes[i] += lanes[i + width];
    return sqrtf(lanes[0]);
}

static inline void lm_l2_normalise(const float *x, float eps, int32_t n, float *y) {
    float norm = lm_l2_norm(x, n), factor = 1 / (norm > eps ? norm : eps);
    for (int32_t i = 0; i < n; i++) y[i] = x[i] * factor;
}

#endif
