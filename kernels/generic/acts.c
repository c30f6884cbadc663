/* SPDX-License-Identifier: MIT
 * Quantised activations: the places of their parts in one buffer, and the reference quantiser. Every part starts at a
 * multiple of 64 bytes, and a buffer ends at one. */
#include "../fma.h"
#include "../half.h"
#include "generic.h"

static size_t aligned(size_t bytes) { return (bytes + 63) & ~(size_t)63; }
static size_t group_of(int32_t kind) { return kind == LM_ACT_Q8_256 ? 256 : 32; }

size_t lm_acts_bytes(int32_t kind, int32_t n, int32_t k) {
    if (kind != LM_ACT_Q8_32 && kind != LM_ACT_Q8_256) return 0;
    size_t count = (size_t)n * (size_t)k;
    return aligned(count) + aligned(count / group_of(kind) * sizeof(float)) + aligned(count / 16 * 2) +
           aligned(count / 32 * 2);
}

void lm_acts_bind(lm_acts *acts, int32_t kind, int32_t n, int32_t k, void *buffer) {
    *acts = (lm_acts){.kind = kind, .n = n, .k = k};
    if (kind != LM_ACT_Q8_32 && kind != LM_ACT_Q8_256) return;
    size_t count = (size_t)n * (size_t)k;
    char *at = buffer;
    acts->q = (int8_t *)at;
    at += aligned(count);
    acts->scale = (float *)(void *)at;
    at += aligned(count / group_of(kind) * sizeof(float));
    acts->sum16 = (int16_t *)(void *)at;
    at += aligned(count / 16 * 2);
    acts->sum32 = (int16_t *)(void *)at;
}

/* x scaled into [-127, 127]; a NaN (also from infinity times zero) counts as 0. */
static float scaled(float x, float inverse) {
    float u = x * inverse;
    return u != u ? 0 : u < -127 ? -127 : u > 127 ? 127 : u;
}

/* lanes(32) over fma(u, q, lane) of a group whose quants are q. */
static float agreement(const float *x, float inverse, const int8_t *q) {
    float lanes[16];
    for (int i = 0; i < 16; i++) lanes[i] = fmaf(scaled(x[16 + i], inverse), q[16 + i], scaled(x[i], inverse) * q[i]);
    for (int width = 8; width > 0; width /= 2)
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    return lanes[0];
}

static void quantize(lm_acts *acts, int32_t c, const float *x, size_t group) {
    size_t k = (size_t)acts->k;
    int8_t *q = acts->q + (size_t)c * k;
    float *scale = acts->scale + (size_t)c * (k / group);
    int16_t *sum16 = acts->sum16 + (size_t)c * (k / 16), *sum32 = acts->sum32 + (size_t)c * (k / 32);
    for (size_t g = 0; g < k / group; g++) {
        float top = 0;
        for (size_t i = g * group; i < (g + 1) * group; i++)
            if (fabsf(x[i]) > top) top = fabsf(x[i]);
        float inverse = top > 0 ? 127 / top : 0;
        if (inverse > 0x1.fffffep127f) inverse = 0;
        int32_t squares = 0;
        for (size_t i = g * group; i < (g + 1) * group; i++) {
            q[i] = (int8_t)nearbyintf(scaled(x[i], inverse));
            squares += q[i] * q[i];
        }
        scale[g] = squares ? top / 127 : 0;
        if (group == 32 && squares) scale[g] *= agreement(x + g * group, inverse, q + g * group) / (float)squares;
    }
    for (size_t g = 0; g < k / 16; g++) {
        int sum = 0;
        for (size_t i = 16 * g; i < 16 * g + 16; i++) sum += q[i];
        sum16[g] = (int16_t)sum;
    }
    for (size_t g = 0; g < k / 32; g++) sum32[g] = (int16_t)(sum16[2 * g] + sum16[2 * g + 1]);
}

void LM_KERNEL lm_quantize_q8_32_c(lm_acts *acts, int32_t c, const float *x) { quantize(acts, c, x, 32); }
void LM_KERNEL lm_quantize_q8_256_c(lm_acts *acts, int32_t c, const float *x) { quantize(acts, c, x, 256); }
