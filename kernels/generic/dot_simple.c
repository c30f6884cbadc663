/* SPDX-License-Identifier: MIT
 * Reference products of the types with one float scale per small block and codes on a line: Q4_0 Q4_1 Q5_0 Q5_1 Q8_0, and
 * Q1_0 (codes -1, +1) and Q2_0 (-1..2), whose longer blocks count as several groups of 32 with the same scale. */
#include "dot.h"

/* The fifth bits of 32 elements. */
static int32_t bit(const uint8_t *bits, int i) { return bits[i / 8] >> i % 8 & 1; }

static float q4_0_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q4_0 *b = block;
    int32_t isum = 0;
    for (int i = 0; i < 32; i++) isum += ((b->qs[i % 16] >> 4 * (i / 16) & 15) - 8) * a[i];
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(q4_0, 32, lm_block_q4_0, 32)

static float q4_1_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q4_1 *b = block;
    int32_t isum = 0, asum = 0;
    for (int i = 0; i < 32; i++) isum += (b->qs[i % 16] >> 4 * (i / 16) & 15) * a[i], asum += a[i];
    acc = fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
    return fmaf(lm_load_f16(b->m) * *s, (float)asum, acc);
}
LM_DEFINE_MATVEC(q4_1, 32, lm_block_q4_1, 32)

static float q5_0_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q5_0 *b = block;
    int32_t isum = 0;
    for (int i = 0; i < 32; i++) isum += ((b->qs[i % 16] >> 4 * (i / 16) & 15) + 16 * bit(b->qh, i) - 16) * a[i];
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(q5_0, 32, lm_block_q5_0, 32)

static float q5_1_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q5_1 *b = block;
    int32_t isum = 0, asum = 0;
    for (int i = 0; i < 32; i++)
        isum += ((b->qs[i % 16] >> 4 * (i / 16) & 15) + 16 * bit(b->qh, i)) * a[i], asum += a[i];
    acc = fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
    return fmaf(lm_load_f16(b->m) * *s, (float)asum, acc);
}
LM_DEFINE_MATVEC(q5_1, 32, lm_block_q5_1, 32)

static float q8_0_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q8_0 *b = block;
    int32_t isum = 0;
    for (int i = 0; i < 32; i++) isum += b->qs[i] * a[i];
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(q8_0, 32, lm_block_q8_0, 32)

static float q1_0_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q1_0 *b = block;
    for (int g = 0; g < 4; g++) {
        int32_t isum = 0;
        for (int i = 32 * g; i < 32 * g + 32; i++) isum += bit(b->qs, i) ? a[i] : -a[i];
        acc = fmaf(lm_load_f16(b->d) * s[g], (float)isum, acc);
    }
    return acc;
}
LM_DEFINE_MATVEC(q1_0, 128, lm_block_q1_0, 32)

static float q2_0_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q2_0 *b = block;
    for (int g = 0; g < 2; g++) {
        int32_t isum = 0;
        for (int i = 32 * g; i < 32 * g + 32; i++) isum += ((b->qs[i / 4] >> 2 * (i % 4) & 3) - 1) * a[i];
        acc = fmaf(lm_load_f16(b->d) * s[g], (float)isum, acc);
    }
    return acc;
}
LM_DEFINE_MATVEC(q2_0, 64, lm_block_q2_0, 32)
