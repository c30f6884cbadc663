/* SPDX-License-Identifier: MIT
 * Reference products of the codebook types of 256 weights. Their formulas become integer sums times a float scale that is a
 * power of two smaller, which is exact:
 *
 *     IQ2_XXS IQ2_XS IQ2_S   d*(0.5 + sc)/4 * g = (d/8) * (2*sc + 1) * g        levels g up to 43, |isum| <= 256*31*43*127 = 44 M
 *     IQ3_XXS                d*(0.5 + sc)/2 * g = (d/4) * (2*sc + 1) * g        up to 62:  63 M
 *     IQ3_S                  d*(1 + 2*sc) * g                                   up to 15
 *     IQ1_S IQ1_M            d*(2*sc + 1)*(g +- 1/8) = (d/8) * (2*sc + 1) * (8*g +- 1)
 */
#include "../iq_tables.h"
#include "dot.h"

/* Sum of magnitude * a over one group of 8 or 4 with sign bits. */
static int32_t signed_dot(uint64_t magnitudes, int count, uint32_t signs, const int8_t *a) {
    int32_t sum = 0;
    for (int j = 0; j < count; j++, magnitudes >>= 8) {
        int32_t level = (int32_t)(magnitudes & 255);
        sum += signs >> j & 1 ? -level * a[j] : level * a[j];
    }
    return sum;
}

static float iq2xxs_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq2xxs *b = block;
    int32_t isum = 0;
    for (int n = 0; n < 8; n++) {
        const uint8_t *index = b->qs + 8 * n;
        uint32_t w = lm_load_u32(index + 4);
        int32_t dot = 0;
        for (int k = 0; k < 4; k++)
            dot += signed_dot(lm_iq2_magnitudes(lm_iq2xxs_grid[index[k]]), 8, lm_iq_signs[w >> 7 * k & 127],
                              a + 32 * n + 8 * k);
        isum += (int32_t)(2 * (w >> 28) + 1) * dot;
    }
    return fmaf(lm_load_f16(b->d) * 0.125f * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq2xxs, 256, lm_block_iq2xxs, 256)

static float iq2xs_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq2xs *b = block;
    int32_t isum = 0;
    for (int g = 0; g < 32; g++) {
        uint32_t q = lm_load_u16(b->qs + 2 * g), sc = b->scales[g / 4] >> 4 * (g / 2 % 2) & 15;
        isum += (int32_t)(2 * sc + 1) *
                signed_dot(lm_iq2_magnitudes(lm_iq2xs_grid[q & 511]), 8, lm_iq_signs[q >> 9], a + 8 * g);
    }
    return fmaf(lm_load_f16(b->d) * 0.125f * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq2xs, 256, lm_block_iq2xs, 256)

static float iq2s_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq2s *b = block;
    int32_t isum = 0;
    for (int g = 0; g < 32; g++) {
        uint32_t sc = b->scales[g / 4] >> 4 * (g / 2 % 2) & 15, index = b->qs[g] | (b->qh[g / 4] >> 2 * (g % 4) & 3u)
                                                                                       << 8;
        isum += (int32_t)(2 * sc + 1) * signed_dot(lm_iq2_magnitudes(lm_iq2s_grid[index]), 8, b->signs[g], a + 8 * g);
    }
    return fmaf(lm_load_f16(b->d) * 0.125f * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq2s, 256, lm_block_iq2s, 256)

static float iq3xxs_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq3xxs *b = block;
    int32_t isum = 0;
    for (int f = 0; f < 64; f++) {
        uint32_t w = lm_load_u32(b->gas + 4 * (f / 8)), signs = lm_iq_signs[w >> 7 * (f / 2 % 4) & 127];
        isum += (int32_t)(2 * (w >> 28) + 1) *
                signed_dot(lm_iq3xxs_magnitudes(lm_iq3xxs_grid[b->qs[f]]), 4, signs >> 4 * (f % 2), a + 4 * f);
    }
    return fmaf(lm_load_f16(b->d) * 0.25f * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq3xxs, 256, lm_block_iq3xxs, 256)

static float iq3s_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq3s *b = block;
    int32_t isum = 0;
    for (int f = 0; f < 64; f++) {
        uint32_t sc = b->scales[f / 16] >> 4 * (f / 8 % 2) & 15, index = b->qs[f] | (b->qh[f / 8] >> f % 8 & 1u) << 8;
        isum += (int32_t)(2 * sc + 1) * signed_dot(lm_iq3s_magnitudes(lm_iq3s_grid[index]), 4,
                                                   (uint32_t)b->signs[f / 2] >> 4 * (f % 2), a + 4 * f);
    }
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq3s, 256, lm_block_iq3s, 256)

/* Sum of (8*level + shift) * a over one group of 8, shift +-1. */
static int32_t shifted_dot(uint16_t entry, int32_t shift, const int8_t *a) {
    int32_t sum = 0;
    for (int j = 0; j < 8; j++) sum += (8 * ((entry >> 2 * j & 3) - 1) + shift) * a[j];
    return sum;
}

static float iq1s_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq1s *b = block;
    int32_t isum = 0;
    for (int g = 0; g < 32; g++) {
        uint32_t h = lm_load_u16(b->qh + 2 * (g / 4)), index = b->qs[g] | (h >> 3 * (g % 4) & 7) << 8;
        isum += (int32_t)(2 * (h >> 12 & 7) + 1) * shifted_dot(lm_iq1s_grid[index], h >> 15 ? -1 : 1, a + 8 * g);
    }
    return fmaf(lm_load_f16(b->d) * 0.125f * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq1s, 256, lm_block_iq1s, 256)

static float iq1m_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq1m *b = block;
    int32_t isum = 0;
    uint8_t d[2] = {(uint8_t)(b->scales[1] >> 4 | (b->scales[3] & 0xf0)),
                    (uint8_t)(b->scales[5] >> 4 | (b->scales[7] & 0xf0))};
    for (int g = 0; g < 32; g++) {
        uint32_t t = b->qh[g / 2] >> 4 * (g % 2) & 15, index = b->qs[g] | (t & 7) << 8;
        uint32_t sc = lm_load_u16(b->scales + 2 * (g / 8)) >> 3 * (g / 2 % 4) & 7;
        isum += (int32_t)(2 * sc + 1) * shifted_dot(lm_iq1s_grid[index], t & 8 ? -1 : 1, a + 8 * g);
    }
    return fmaf(lm_load_f16(d) * 0.125f * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq1m, 256, lm_block_iq1m, 256)
