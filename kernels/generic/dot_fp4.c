/* SPDX-License-Identifier: MIT
 * Reference products of the types whose 4-bit codes name a level: IQ4_NL, IQ4_XS, MXFP4, NVFP4. Levels are integers of at most
 * 127. IQ4_XS: isum = sum over 8 sub-blocks of (scale in -32..31) * (level . a), at most 256*127*127*32 = 132 M. NVFP4: a group
 * of 16 has its own float scale, so one fma per 16; both groups of a 32 use the same activation scale. */
#include "../iq_tables.h"
#include "dot.h"

static float iq4nl_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq4nl *b = block;
    int32_t isum = 0;
    for (int i = 0; i < 32; i++) isum += lm_iq4nl_levels[b->qs[i % 16] >> 4 * (i / 16) & 15] * a[i];
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq4nl, 32, lm_block_iq4nl, 32)

static float iq4xs_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_iq4xs *b = block;
    uint32_t high = lm_load_u16(b->scales_h);
    int32_t isum = 0;
    for (int j = 0; j < 8; j++) {
        int32_t sc = (int32_t)((b->scales_l[j / 2] >> 4 * (j % 2) & 15) | (high >> 2 * j & 3) << 4) - 32, dot = 0;
        for (int i = 0; i < 32; i++)
            dot += lm_iq4nl_levels[b->qs[16 * j + i % 16] >> 4 * (i / 16) & 15] * a[32 * j + i];
        isum += sc * dot;
    }
    return fmaf(lm_load_f16(b->d) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(iq4xs, 256, lm_block_iq4xs, 256)

static float mxfp4_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_mxfp4 *b = block;
    int32_t isum = 0;
    for (int i = 0; i < 32; i++) isum += lm_fp4_levels[b->qs[i % 16] >> 4 * (i / 16) & 15] * a[i];
    return fmaf(lm_e8m0_half(b->e) * *s, (float)isum, acc);
}
LM_DEFINE_MATVEC(mxfp4, 32, lm_block_mxfp4, 32)

static float nvfp4_block(const void *block, const int8_t *a, const float *s, float acc) {
    const lm_block_nvfp4 *b = block;
    for (int g = 0; g < 4; g++) {
        int32_t isum = 0;
        for (int i = 0; i < 16; i++) isum += lm_fp4_levels[b->qs[8 * g + i % 8] >> 4 * (i / 8) & 15] * a[16 * g + i];
        acc = fmaf(lm_ue4m3_half(b->scales[g]) * s[g / 2], (float)isum, acc);
    }
    return acc;
}
LM_DEFINE_MATVEC(nvfp4, 64, lm_block_nvfp4, 32)
