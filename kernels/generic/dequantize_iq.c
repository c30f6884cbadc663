/* SPDX-License-Identifier: MIT
 * Codebook blocks to floats. Scales are a half-integer or odd integer of at most 5 bits times d, grid values have at most 6 bits:
 * all products are exact. */
#include "../blocks.h"
#include "../half.h"
#include "../iq_tables.h"

/* n magnitudes, one to a byte, times scale, negative where signs has a bit. */
static void put(float *out, float scale, uint64_t magnitudes, int n, uint8_t signs) {
    for (int j = 0; j < n; j++) out[j] = scale * (float)(magnitudes >> 8 * j & 255) * (signs >> j & 1 ? -1.0f : 1.0f);
}

void lm_dequantize_iq2xxs_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq2xxs *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int s = 0; s < 8; s++) {
            uint32_t w = lm_load_u32(b->qs + 8 * s + 4);
            float scale = d * (0.5f + (float)(w >> 28)) * 0.25f;
            for (int k = 0; k < 4; k++)
                put(out + 32 * s + 8 * k, scale, lm_iq2_magnitudes(lm_iq2xxs_grid[b->qs[8 * s + k]]), 8,
                    lm_iq_signs[w >> 7 * k & 127]);
        }
    }
}

void lm_dequantize_iq2xs_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq2xs *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int g = 0; g < 32; g++) {
            int q = lm_load_u16(b->qs + 2 * g), code = b->scales[g / 4] >> 4 * (g / 2 % 2) & 15;
            float scale = d * (0.5f + (float)code) * 0.25f;
            put(out + 8 * g, scale, lm_iq2_magnitudes(lm_iq2xs_grid[q & 511]), 8, lm_iq_signs[q >> 9]);
        }
    }
}

void lm_dequantize_iq2s_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq2s *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int g = 0; g < 32; g++) {
            int index = b->qs[g] | (b->qh[g / 4] >> 2 * (g % 4) & 3) << 8,
                code = b->scales[g / 4] >> 4 * (g / 2 % 2) & 15;
            float scale = d * (0.5f + (float)code) * 0.25f;
            put(out + 8 * g, scale, lm_iq2_magnitudes(lm_iq2s_grid[index]), 8, b->signs[g]);
        }
    }
}

void lm_dequantize_iq3xxs_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq3xxs *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int g = 0; g < 32; g++) {
            uint32_t w = lm_load_u32(b->gas + 4 * (g / 4));
            uint8_t signs = lm_iq_signs[w >> 7 * (g % 4) & 127];
            float scale = d * (0.5f + (float)(w >> 28)) * 0.5f;
            put(out + 8 * g, scale, lm_iq3xxs_magnitudes(lm_iq3xxs_grid[b->qs[2 * g]]), 4, signs);
            put(out + 8 * g + 4, scale, lm_iq3xxs_magnitudes(lm_iq3xxs_grid[b->qs[2 * g + 1]]), 4, signs >> 4);
        }
    }
}

void lm_dequantize_iq3s_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq3s *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int f = 0; f < 64; f++) {
            int index = b->qs[f] | (b->qh[f / 8] >> f % 8 & 1) << 8, code = b->scales[f / 16] >> 4 * (f / 8 % 2) & 15;
            put(out + 4 * f, d * (float)(1 + 2 * code), lm_iq3s_magnitudes(lm_iq3s_grid[index]), 4,
                b->signs[f / 2] >> 4 * (f % 2));
        }
    }
}

static void put_shifted(float *out, float scale, uint16_t entry, int is_negative) {
    float shift = is_negative ? -0.125f : 0.125f;
    for (int j = 0; j < 8; j++) out[j] = scale * ((float)((entry >> 2 * j & 3) - 1) + shift);
}

void lm_dequantize_iq1s_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq1s *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        float d = lm_load_f16(b->d);
        for (int g = 0; g < 32; g++) {
            int h = lm_load_u16(b->qh + 2 * (g / 4));
            int index = b->qs[g] | (h >> 3 * (g % 4) & 7) << 8;
            put_shifted(out + 8 * g, d * (float)(2 * (h >> 12 & 7) + 1), lm_iq1s_grid[index], h >> 15);
        }
    }
}

void lm_dequantize_iq1m_c(const void *blocks, float *out, size_t n) {
    const lm_block_iq1m *b = blocks;
    for (; n > 0; b++, out += 256, n -= 256) {
        int bits = 0;
        for (int i = 0; i < 4; i++) bits |= (lm_load_u16(b->scales + 2 * i) >> 12) << 4 * i;
        float d = lm_f16_to_f32((uint16_t)bits);
        for (int g = 0; g < 32; g++) {
            int t = b->qh[g / 2] >> 4 * (g % 2) & 15, s = g / 2;
            int code = lm_load_u16(b->scales + 2 * (s / 4)) >> 3 * (s % 4) & 7;
            put_shifted(out + 8 * g, d * (float)(2 * code + 1), lm_iq1s_grid[b->qs[g] | (t & 7) << 8], t >> 3);
        }
    }
}
