/* SPDX-License-Identifier: MIT
 * Blocks with one scale (and minimum) to floats: the formulas of blocks.h, element by element. A scale has at most 11
 * significant bits and a quant at most 8, so products are exact; only adding a minimum rounds. Fusing would change nothing. */
#include "../blocks.h"
#include "../half.h"
#include "../iq_tables.h"

void lm_dequantize_q4_0_c(const void *blocks, float *out, size_t n) {
    const lm_block_q4_0 *b = blocks;
    for (; n > 0; b++, out += 32, n -= 32) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)((b->qs[i] & 15) - 8) * d;
            out[i + 16] = (float)((b->qs[i] >> 4) - 8) * d;
        }
    }
}

void lm_dequantize_q4_1_c(const void *blocks, float *out, size_t n) {
    const lm_block_q4_1 *b = blocks;
    for (; n > 0; b++, out += 32, n -= 32) {
        float d = lm_load_f16(b->d), m = lm_load_f16(b->m);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)(b->qs[i] & 15) * d + m;
            out[i + 16] = (float)(b->qs[i] >> 4) * d + m;
        }
    }
}

void lm_dequantize_q5_0_c(const void *blocks, float *out, size_t n) {
    const lm_block_q5_0 *b = blocks;
    for (; n > 0; b++, out += 32, n -= 32) {
        float d = lm_load_f16(b->d);
        uint32_t qh = lm_load_u32(b->qh);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)((int)((b->qs[i] & 15) | (qh >> i & 1) << 4) - 16) * d;
            out[i + 16] = (float)((int)(b->qs[i] >> 4 | (qh >> (i + 16) & 1) << 4) - 16) * d;
        }
    }
}

void lm_dequantize_q5_1_c(const void *blocks, float *out, size_t n) {
    const lm_block_q5_1 *b = blocks;
    for (; n > 0; b++, out += 32, n -= 32) {
        float d = lm_load_f16(b->d), m = lm_load_f16(b->m);
        uint32_t qh = lm_load_u32(b->qh);
        for (int i = 0; i < 16; i++) {
            out[i] = (float)(int)((b->qs[i] & 15) | (qh >> i & 1) << 4) * d + m;
            out[i + 16] = (float)(int)(b->qs[i] >> 4 | (qh >> (i + 16) & 1) << 4) * d + m;
        }
    }
}

void lm_dequantize_q8_0_c(const void *blocks, float *out, size_t n) {
    const lm_block_q8_0 *b = blocks;
    for (; n > 0; b++, out += 32, n -= 32) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 32; i++) out[i] = (float)b->qs[i] * d;
    }
}

void lm_dequantize_q8_1_c(const void *blocks, float *out, size_t n) {
    const lm_block_q8_1 *b = blocks;
    for (; n > 0; b++, out += 32, n -= 32) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 32; i++) out[i] = (float)b->qs[i] * d;
    }
}

void lm_dequantize_q1_0_c(const void *blocks, float *out, size_t n) {
    const lm_block_q1_0 *b = blocks;
    for (; n > 0; b++, out += 128, n -= 128) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 128; i++) out[i] = b->qs[i / 8] >> i % 8 & 1 ? d : -d;
    }
}

void lm_dequantize_q2_0_c(const void *blocks, float *out, size_t n) {
    const lm_block_q2_0 *b = blocks;
    for (; n > 0; b++, out += 64, n -= 64) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 64; i++) out[i] = (float)((b->qs[i / 4] >> 2 * (i % 4) & 3) - 1) * d;
    }
}

void lm_dequantize_iq4nl_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq4nl *b = blocks;
    for (; n > 0; b++, out += 32, n -= 32) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)lm_iq4nl_levels[b->qs[i] & 15];
            out[i + 16] = d * (float)lm_iq4nl_levels[b->qs[i] >> 4];
        }
    }
}

void lm_dequantize_mxfp4_c(const void *blocks, float *out, size_t n) {
    const lm_block_mxfp4 *b = blocks;
    for (; n > 0; b++, out += 32, n -= 32) {
        float d = lm_e8m0_half(b->e);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)lm_fp4_levels[b->qs[i] & 15];
            out[i + 16] = d * (float)lm_fp4_levels[b->qs[i] >> 4];
        }
    }
}

void lm_dequantize_nvfp4_c(const void *blocks, float *out, size_t n) {
    const lm_block_nvfp4 *b = blocks;
    for (; n > 0; b++, out += 64, n -= 64)
        for (int g = 0; g < 4; g++) {
            float d = lm_ue4m3_half(b->scales[g]);
            for (int i = 0; i < 8; i++) {
                out[16 * g + i] = d * (float)lm_fp4_levels[b->qs[8 * g + i] & 15];
                out[16 * g + i + 8] = d * (float)lm_fp4_levels[b->qs[8 * g + i] >> 4];
            }
        }
}

static float trit(uint8_t byte, int n) {
    static const uint8_t power[5] = {1, 3, 9, 27, 81};
    uint8_t fraction = (uint8_t)(byte * power[n]);
    return (float)((fraction * 3 >> 8) - 1);
}

void lm_dequantize_tq1_0_c(const void *blocks, float *out, size_t n) {
    const lm_block_tq1_0 *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 160; i++) out[i] = trit(b->qs[i % 32], i / 32) * d;
        for (int i = 0; i < 80; i++) out[160 + i] = trit(b->qs[32 + i % 16], i / 16) * d;
        for (int i = 0; i < 16; i++) out[240 + i] = trit(b->qh[i % 4], i / 4) * d;
    }
}

void lm_dequantize_tq2_0_c(const void *blocks, float *out, size_t n) {
    const lm_block_tq2_0 *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 256; i++)
            out[i] = (float)((b->qs[32 * (i / 128) + i % 32] >> 2 * (i % 128 / 32) & 3) - 1) * d;
    }
}
