/* SPDX-License-Identifier: MIT
 * Reference products of the K-quants and the ternary types: 256 weights, integer sub-scales, one or two float scales.
 * isum = sum over sub-blocks of scale * (q . a), imin = sum of minimum * (sum of a). Largest |isum|: Q6_K, 128*32*127*256 = 133 M. */
#include "dot.h"

static float q2k_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q2k *b = block;
    int32_t isum = 0, imin = 0;
    for (int j = 0; j < 16; j++) {
        int32_t dot = 0, sum = 0;
        for (int i = 16 * j; i < 16 * j + 16; i++)
            dot += (b->qs[32 * (i / 128) + i % 32] >> 2 * (i % 128 / 32) & 3) * a[i], sum += a[i];
        isum += (b->scales[j] & 15) * dot;
        imin += (b->scales[j] >> 4) * sum;
    }
    acc = fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
    return fmaf(-(lm_load_f16(b->dmin) * *s), (float)imin, acc);
}
LM_DEFINE_MATVEC(q2k, 256, lm_block_q2k, 256)

static float q3k_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q3k *b = block;
    int32_t isum = 0;
    for (int j = 0; j < 16; j++) {
        int32_t sc = ((b->scales[j % 8] >> 4 * (j / 8) & 15) | (b->scales[8 + j % 4] >> 2 * (j / 4) & 3) << 4) - 32,
                dot = 0;
        for (int i = 16 * j; i < 16 * j + 16; i++) {
            int32_t low = b->qs[32 * (i / 128) + i % 32] >> 2 * (i % 128 / 32) & 3,
                    high = b->hmask[i % 32] >> i / 32 & 1;
            dot += (low + 4 * high - 4) * a[i];
        }
        isum += sc * dot;
    }
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(q3k, 256, lm_block_q3k, 256)

/* Scale and minimum j of the 12 bytes of Q4_K and Q5_K. */
static int32_t scale6(const uint8_t *p, int j) { return j < 4 ? p[j] & 63 : (p[j + 4] & 15) | p[j - 4] >> 6 << 4; }
static int32_t minimum6(const uint8_t *p, int j) { return j < 4 ? p[j + 4] & 63 : p[j + 4] >> 4 | p[j] >> 6 << 4; }

static float q4k_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q4k *b = block;
    int32_t isum = 0, imin = 0;
    for (int j = 0; j < 8; j++) {
        int32_t dot = 0, sum = 0;
        for (int i = 32 * j; i < 32 * j + 32; i++)
            dot += (b->qs[32 * (j / 2) + i % 32] >> 4 * (j % 2) & 15) * a[i], sum += a[i];
        isum += scale6(b->scales, j) * dot;
        imin += minimum6(b->scales, j) * sum;
    }
    acc = fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
    return fmaf(-(lm_load_f16(b->dmin) * *s), (float)imin, acc);
}
LM_DEFINE_MATVEC(q4k, 256, lm_block_q4k, 256)

static float q5k_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q5k *b = block;
    int32_t isum = 0, imin = 0;
    for (int j = 0; j < 8; j++) {
        int32_t dot = 0, sum = 0;
        for (int i = 32 * j; i < 32 * j + 32; i++) {
            int32_t low = b->qs[32 * (j / 2) + i % 32] >> 4 * (j % 2) & 15, high = b->qh[i % 32] >> j & 1;
            dot += (low + 16 * high) * a[i], sum += a[i];
        }
        isum += scale6(b->scales, j) * dot;
        imin += minimum6(b->scales, j) * sum;
    }
    acc = fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
    return fmaf(-(lm_load_f16(b->dmin) * *s), (float)imin, acc);
}
LM_DEFINE_MATVEC(q5k, 256, lm_block_q5k, 256)

static float q6k_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_q6k *b = block;
    int32_t isum = 0;
    for (int i = 0; i < 256; i++) {
        int h = i / 128, g = i % 128 / 32, l = i % 32;
        int32_t low = b->ql[64 * h + 32 * (g % 2) + l] >> 4 * (g / 2) & 15, high = b->qh[32 * h + l] >> 2 * g & 3;
        isum += b->scales[i / 16] * (low + 16 * high - 32) * a[i];
    }
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(q6k, 256, lm_block_q6k, 256)

static float tq2_0_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_tq2_0 *b = block;
    int32_t isum = 0;
    for (int i = 0; i < 256; i++) isum += ((b->qs[32 * (i / 128) + i % 32] >> 2 * (i % 128 / 32) & 3) - 1) * a[i];
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(tq2_0, 256, lm_block_tq2_0, 256)

static float tq1_0_block(const void *block, const int8_t *a, const float *s, float acc) {
    static const uint8_t power3[5] = {1, 3, 9, 27, 81};
    const lm_block_tq1_0 *b = block;
    int32_t isum = 0;
    for (int i = 0; i < 256; i++) {
        uint8_t byte = i < 160 ? b->qs[i % 32] : i < 240 ? b->qs[32 + (i - 160) % 16] : b->qh[(i - 240) % 4];
        int digit = i < 160 ? i / 32 : i < 240 ? (i - 160) / 16 : (i - 240) / 4;
        isum += (((uint8_t)(byte * power3[digit]) * 3 >> 8) - 1) * a[i];
    }
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(tq1_0, 256, lm_block_tq1_0, 256)
