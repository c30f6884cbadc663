/* SPDX-License-Identifier: MIT
 * Blocks of 256 with scaled sub-blocks to floats. d * sub-scale * quant has at most 11 + 8 + 5 significant bits, so it is exact
 * in any order; only subtracting the minimum rounds, once. */
#include "../blocks.h"
#include "../half.h"
#include "../iq_tables.h"

void lm_dequantize_q2k_c(const void *blocks, float *out, size_t n) {
    const lm_block_q2k *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d), dmin = lm_load_f16(b->dmin);
        for (int s = 0; s < 16; s++) {
            int h = s / 8, g = s % 8 / 2;
            float scale = d * (float)(b->scales[s] & 15), least = dmin * (float)(b->scales[s] >> 4);
            const uint8_t *qs = b->qs + 32 * h + 16 * (s % 2);
            for (int l = 0; l < 16; l++) out[16 * s + l] = scale * (float)(qs[l] >> 2 * g & 3) - least;
        }
    }
}

void lm_dequantize_q3k_c(const void *blocks, float *out, size_t n) {
    const lm_block_q3k *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int s = 0; s < 16; s++) {
            int h = s / 8, g = s % 8 / 2, l0 = 16 * (s % 2);
            int low = b->scales[s % 8] >> 4 * (s / 8) & 15, high = b->scales[8 + s % 4] >> 2 * (s / 4) & 3;
            float scale = d * (float)((low | high << 4) - 32);
            for (int l = l0; l < l0 + 16; l++) {
                int q = (b->qs[32 * h + l] >> 2 * g & 3) + 4 * (b->hmask[l] >> (4 * h + g) & 1);
                out[32 * (4 * h + g) + l] = scale * (float)(q - 4);
            }
        }
    }
}

/* Six-bit scale and minimum of sub-block j of Q4_K and Q5_K. */
static void scale_and_min(const uint8_t *s, int j, int *scale, int *least) {
    if (j < 4) {
        *scale = s[j] & 63;
        *least = s[j + 4] & 63;
    } else {
        *scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
        *least = s[j + 4] >> 4 | (s[j] >> 6) << 4;
    }
}

void lm_dequantize_q4k_c(const void *blocks, float *out, size_t n) {
    const lm_block_q4k *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d), dmin = lm_load_f16(b->dmin);
        for (int j = 0; j < 8; j++) {
            int scale, least;
            scale_and_min(b->scales, j, &scale, &least);
            float e = d * (float)scale, o = dmin * (float)least;
            for (int l = 0; l < 32; l++) out[32 * j + l] = e * (float)(b->qs[32 * (j / 2) + l] >> 4 * (j % 2) & 15) - o;
        }
    }
}

void lm_dequantize_q5k_c(const void *blocks, float *out, size_t n) {
    const lm_block_q5k *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d), dmin = lm_load_f16(b->dmin);
        for (int j = 0; j < 8; j++) {
            int scale, least;
            scale_and_min(b->scales, j, &scale, &least);
            float e = d * (float)scale, o = dmin * (float)least;
            for (int l = 0; l < 32; l++) {
                int q = (b->qs[32 * (j / 2) + l] >> 4 * (j % 2) & 15) + 16 * (b->qh[l] >> j & 1);
                out[32 * j + l] = e * (float)q - o;
            }
        }
    }
}

void lm_dequantize_q6k_c(const void *blocks, float *out, size_t n) {
    const lm_block_q6k *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int i = 0; i < 256; i++) {
            int h = i / 128, g = i % 128 / 32, l = i % 32;
            int q = (b->ql[64 * h + 32 * (g % 2) + l] >> 4 * (g / 2) & 15) | (b->qh[32 * h + l] >> 2 * g & 3) << 4;
            out[i] = d * (float)b->scales[i / 16] * (float)(q - 32);
        }
    }
}

void lm_dequantize_q8k_c(const void *blocks, float *out, size_t n) {
    const lm_block_q8k *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f32(b->d);
        for (int i = 0; i < 256; i++) out[i] = d * (float)b->qs[i];
    }
}

void lm_dequantize_iq4xs_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq4xs *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        int high = lm_load_u16(b->scales_h);
        for (int s = 0; s < 8; s++) {
            int scale = (b->scales_l[s / 2] >> 4 * (s % 2) & 15) | (high >> 2 * s & 3) << 4;
            float e = d * (float)(scale - 32);
            for (int i = 0; i < 16; i++) {
                out[32 * s + i] = e * (float)lm_iq4nl_levels[b->qs[16 * s + i] & 15];
                out[32 * s + i + 16] = e * (float)lm_iq4nl_levels[b->qs[16 * s + i] >> 4];
            }
        }
    }
}
