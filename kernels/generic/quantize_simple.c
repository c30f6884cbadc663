/* SPDX-License-Identifier: MIT
 * Floats to blocks with one scale (and minimum), and to plain 16-bit floats. With weights (importance of each input channel),
 * the 4- and 5-bit types search for the scale; the others do not depend on weights. */
#include "../blocks.h"

#include <float.h>
#include <math.h>

#include "../cpu.h"
#include "../iq_tables.h"
#include "quantize_search.h"

LM_EXACT_FLOATS

/* 1/d, where 1/0 counts as 0. */
static float inverse_of(float d) { return d != 0 ? 1 / d : 0; }

static float largest_abs(int n, const float *x) {
    float top = 0;
    for (int i = 0; i < n; i++) top = fabsf(x[i]) > top ? fabsf(x[i]) : top;
    return top;
}

/* The element of largest magnitude, the first of equals. */
static float largest(int n, const float *x) {
    float top = 0;
    for (int i = 0; i < n; i++) top = fabsf(x[i]) > fabsf(top) ? x[i] : top;
    return top;
}

/* Nearest, ties away from zero. */
static int round_away(float x, int least, int most) { return lm_truncate(roundf(x), least, most); }

/* weights times sqrt(mean square of the row + x^2) */
static float mean_square(const float *x, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sum / (float)n;
}

static void weigh(int n, const float *x, const float *weights, float sigma2, float *w) {
    for (int i = 0; i < n; i++) w[i] = weights[i] * sqrtf(sigma2 + x[i] * x[i]);
}

/* Element k goes to the low nibble of byte k, element k + 16 to the high one. */
static void pack_nibbles(const uint8_t *codes, uint8_t *qs) {
    for (int i = 0; i < 16; i++) qs[i] = (uint8_t)((codes[i] & 15) | (codes[i + 16] & 15) << 4);
}

static void pack_fifth_bits(const uint8_t *codes, uint8_t *qh) {
    uint32_t bits = 0;
    for (int i = 0; i < 32; i++) bits |= (uint32_t)(codes[i] >> 4 & 1) << i;
    lm_store_u32(qh, bits);
}

void lm_quantize_f32_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    uint8_t *p = blocks;
    (void)weights, (void)search;
    for (size_t i = 0; i < n; i++) lm_store_u32(p + 4 * i, lm_f32_bits(x[i]));
}

void lm_quantize_f16_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    uint8_t *p = blocks;
    (void)weights, (void)search;
    for (size_t i = 0; i < n; i++) lm_store_f16(p + 2 * i, x[i]);
}

void lm_quantize_bf16_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    uint8_t *p = blocks;
    (void)weights, (void)search;
    for (size_t i = 0; i < n; i++) lm_store_bf16(p + 2 * i, x[i]);
}

/* Codes of 2*top levels around zero: Q4_0 (top 8) and Q5_0 (top 16). Gives the scale. */
static float quantize_symmetric(int top, const float *x, const float *weights, float sigma2, uint8_t *codes) {
    if (weights) {
        float w[32];
        weigh(32, x, weights, sigma2, w);
        return lm_search_symmetric(32, top, x, codes, w);
    }
    float d = largest(32, x) / (float)-top, inverse = inverse_of(d);
    for (int i = 0; i < 32; i++) codes[i] = (uint8_t)lm_truncate(x[i] * inverse + ((float)top + 0.5f), 0, 2 * top - 1);
    return d;
}

void lm_quantize_q4_0_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q4_0 *b = blocks;
    float sigma2 = mean_square(x, n);
    (void)search;
    for (size_t at = 0; at < n; at += 32, b++) {
        uint8_t codes[32];
        lm_store_f16(b->d, quantize_symmetric(8, x + at, weights ? weights + at : NULL, sigma2, codes));
        pack_nibbles(codes, b->qs);
    }
}

void lm_quantize_q5_0_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q5_0 *b = blocks;
    float sigma2 = mean_square(x, n);
    (void)search;
    for (size_t at = 0; at < n; at += 32, b++) {
        uint8_t codes[32];
        lm_store_f16(b->d, quantize_symmetric(16, x + at, weights ? weights + at : NULL, sigma2, codes));
        pack_nibbles(codes, b->qs);
        pack_fifth_bits(codes, b->qh);
    }
}

/* Codes 0 .. top above a minimum: Q4_1 (15) and Q5_1 (31). Gives the scale and what is added. */
static float quantize_affine(int top, const float *x, const float *weights, float sigma2, uint8_t *codes, float *m) {
    if (weights) {
        static const lm_search_grid grid = {-0.9f, 0.05f, 36, 0};
        float w[32], minimum;
        weigh(32, x, weights, sigma2, w);
        float d = lm_search_affine(32, top, x, w, codes, &minimum, &grid);
        *m = -minimum;
        return d;
    }
    float low = FLT_MAX, high = -FLT_MAX;
    for (int i = 0; i < 32; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    float d = (high - low) / (float)top, inverse = inverse_of(d);
    for (int i = 0; i < 32; i++) codes[i] = (uint8_t)lm_truncate((x[i] - low) * inverse + 0.5f, 0, top);
    *m = low;
    return d;
}

void lm_quantize_q4_1_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q4_1 *b = blocks;
    float sigma2 = mean_square(x, n);
    (void)search;
    for (size_t at = 0; at < n; at += 32, b++) {
        uint8_t codes[32];
        float m;
        lm_store_f16(b->d, quantize_affine(15, x + at, weights ? weights + at : NULL, sigma2, codes, &m));
        lm_store_f16(b->m, m);
        pack_nibbles(codes, b->qs);
    }
}

void lm_quantize_q5_1_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q5_1 *b = blocks;
    float sigma2 = mean_square(x, n);
    (void)search;
    for (size_t at = 0; at < n; at += 32, b++) {
        uint8_t codes[32];
        float m;
        lm_store_f16(b->d, quantize_affine(31, x + at, weights ? weights + at : NULL, sigma2, codes, &m));
        lm_store_f16(b->m, m);
        pack_nibbles(codes, b->qs);
        pack_fifth_bits(codes, b->qh);
    }
}

void lm_quantize_q8_0_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q8_0 *b = blocks;
    (void)weights, (void)search;
    for (size_t at = 0; at < n; at += 32, b++) {
        float d = largest_abs(32, x + at) / 127, inverse = inverse_of(d);
        lm_store_f16(b->d, d);
        for (int i = 0; i < 32; i++) b->qs[i] = (int8_t)round_away(x[at + (size_t)i] * inverse, -128, 127);
    }
}

void lm_quantize_q1_0_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q1_0 *b = blocks;
    (void)weights, (void)search;
    for (; n > 0; b++, x += 128, n -= 128) {
        float sum = 0;
        memset(b->qs, 0, sizeof b->qs);
        for (int i = 0; i < 128; i++) {
            sum += fabsf(x[i]);
            b->qs[i / 8] |= (uint8_t)((x[i] >= 0) << i % 8);
        }
        lm_store_f16(b->d, sum / 128);
    }
}

void lm_quantize_q2_0_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q2_0 *b = blocks;
    (void)weights, (void)search;
    for (; n > 0; b++, x += 64, n -= 64) {
        float d = largest_abs(64, x), inverse = inverse_of(d);
        memset(b->qs, 0, sizeof b->qs);
        for (int i = 0; i < 64; i++) b->qs[i / 4] |= (uint8_t)((round_away(x[i] * inverse, -1, 2) + 1) << 2 * (i % 4));
        lm_store_f16(b->d, d);
    }
}

static int trit(float x) { return round_away(x, -1, 1) + 1; }

/* Five trits, the first the most significant, as a fraction of 256 rounded up. */
static uint8_t trits_to_byte(int v) { return (uint8_t)((v * 256 + 242) / 243); }

void lm_quantize_tq1_0_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_tq1_0 *b = blocks;
    (void)weights, (void)search;
    for (; n > 0; b++, x += 256, n -= 256) {
        float d = largest_abs(256, x), inverse = inverse_of(d);
        for (int i = 0; i < 48; i++) {
            int first = i < 32 ? i : 160 + i - 32, step = i < 32 ? 32 : 16, v = 0;
            for (int t = 0; t < 5; t++) v = 3 * v + trit(x[first + step * t] * inverse);
            b->qs[i] = trits_to_byte(v);
        }
        for (int i = 0; i < 4; i++) {
            int v = 0;
            for (int t = 0; t < 4; t++) v = 3 * v + trit(x[240 + i + 4 * t] * inverse);
            b->qh[i] = trits_to_byte(3 * v);
        }
        lm_store_f16(b->d, d);
    }
}

void lm_quantize_tq2_0_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_tq2_0 *b = blocks;
    (void)weights, (void)search;
    for (; n > 0; b++, x += 256, n -= 256) {
        float d = largest_abs(256, x), inverse = inverse_of(d);
        memset(b->qs, 0, sizeof b->qs);
        for (int i = 0; i < 256; i++)
            b->qs[32 * (i / 128) + i % 32] |= (uint8_t)(trit(x[i] * inverse) << 2 * (i % 128 / 32));
        lm_store_f16(b->d, d);
    }
}

/* The index of the nearest level times scale, the lowest of equals. */
static uint8_t nearest_fp4(float x, float scale) {
    uint8_t best = 0;
    float best_error = fabsf((float)lm_fp4_levels[0] * scale - x);
    for (uint8_t i = 1; i < 16; i++) {
        float error = fabsf((float)lm_fp4_levels[i] * scale - x);
        if (error < best_error) best_error = error, best = i;
    }
    return best;
}

void lm_quantize_mxfp4_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_mxfp4 *b = blocks;
    (void)weights, (void)search;
    for (; n > 0; b++, x += 32, n -= 32) {
        uint8_t codes[32];
        int exponent = (int)(lm_f32_bits(largest_abs(32, x)) >> 23); /* biased: floor(log2) + 127 */
        b->e = (uint8_t)lm_clamp(exponent - 2, 0, 254);
        for (int i = 0; i < 32; i++) codes[i] = nearest_fp4(x[i], lm_e8m0_half(b->e));
        pack_nibbles(codes, b->qs);
    }
}

/* Unsigned E4M3, rounded half up in the mantissa, at most 448. */
static uint8_t to_ue4m3(float x) {
    if (!(x > 0)) return 0;
    if (x > 448) x = 448;
    uint32_t bits = lm_f32_bits(x);
    int exponent = (int)(bits >> 23) - 127 + 7, mantissa = (int)(bits >> 20 & 7);
    if (exponent <= 0) return (uint8_t)lm_truncate(x * 512 + 0.5f, 0, 7);
    if (exponent >= 15) return 0x7E;
    mantissa += (int)(bits >> 19 & 1);
    if (mantissa > 7) mantissa = 0, exponent++;
    return exponent >= 15 ? 0x7E : (uint8_t)(exponent << 3 | mantissa);
}

void lm_quantize_nvfp4_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_nvfp4 *b = blocks;
    (void)weights, (void)search;
    for (; n > 0; b++, n -= 64)
        for (int g = 0; g < 4; g++, x += 16) {
            b->scales[g] = to_ue4m3(largest_abs(16, x) / 6);
            float d = lm_ue4m3_half(b->scales[g]);
            for (int i = 0; i < 8; i++)
                b->qs[8 * g + i] = (uint8_t)(nearest_fp4(x[i], d) | nearest_fp4(x[i + 8], d) << 4);
        }
}
