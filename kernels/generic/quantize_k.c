/* SPDX-License-Identifier: MIT
 * Floats to blocks of 256 with scaled sub-blocks. Two steps for every type: a search finds a scale (and minimum) per sub-block,
 * those become small integers times the block's f16 scale, and then the values are rounded again with what is really stored. */
#include "../blocks.h"

#include <math.h>

#include "../cpu.h"
#include "quantize_search.h"

LM_EXACT_FLOATS

#define ZERO_SCALE 1e-15f

static const lm_search_grid weighted_grid = {-0.9f, 0.05f, 36, 0};

static float sum_of_squares(int n, const float *x) {
    float sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

/* weights * sqrt(sigma2 + x^2), and their sum. */
static float weigh(int n, const float *x, const float *weights, float sigma2, float *w) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
        w[i] = weights[i] * sqrtf(sigma2 + x[i] * x[i]);
        sum += w[i];
    }
    return sum;
}

/* A block of sub-block scales and minima, n of them, quantised to codes up to top. */
typedef struct levels {
    float d, dmin;
    uint8_t scale[16], least[16];
} levels;

static float codes_of(int n, int top, const float *values, uint8_t *codes) {
    float most = 0;
    for (int i = 0; i < n; i++) most = values[i] > most ? values[i] : most;
    float inverse = most > 0 ? (float)top / most : 0;
    for (int i = 0; i < n; i++) codes[i] = (uint8_t)lm_clamp(lm_round_even(inverse * values[i]), 0, top);
    return most / (float)top;
}

/* Scales and minima of the sub-blocks of Q2_K, Q4_K and Q5_K: size values each, codes to `top`, themselves coded to level_top. */
static void find_levels(const float *x, const float *weights, int size, int top, int level_top,
                        const lm_search_grid *plain_grid, float sigma2, levels *out, uint8_t *codes) {
    float scales[16], minima[16], totals[16];
    int n = 256 / size;
    for (int j = 0; j < n; j++) {
        const float *xj = x + size * j;
        float w[32];
        if (weights) {
            totals[j] = weigh(size, xj, weights + size * j, sigma2, w);
        } else {
            float mean = plain_grid->is_absolute ? 0 : sqrtf(sum_of_squares(size, xj) / (float)size);
            for (int i = 0; i < size; i++) w[i] = mean + fabsf(xj[i]);
        }
        scales[j] =
            lm_search_affine(size, top, xj, w, codes + size * j, &minima[j], weights ? &weighted_grid : plain_grid);
    }
    if (weights) {
        out->d = lm_search_positive(n, level_top, scales, out->scale, totals);
        out->dmin = lm_search_positive(n, level_top, minima, out->least, totals);
    } else {
        out->d = codes_of(n, level_top, scales, out->scale);
        out->dmin = codes_of(n, level_top, minima, out->least);
    }
}

/* Round every value again with the stored scales; a sub-block whose scale became 0 keeps its codes. */
static void round_again(const float *x, int size, int top, float d, float dmin, const levels *l, uint8_t *codes) {
    for (int j = 0; j < 256 / size; j++) {
        float e = d * (float)l->scale[j], o = dmin * (float)l->least[j];
        if (e == 0) continue;
        for (int i = size * j; i < size * (j + 1); i++)
            codes[i] = (uint8_t)lm_clamp(lm_round_even((x[i] + o) / e), 0, top);
    }
}

void lm_quantize_q2k_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    static const lm_search_grid grid = {-0.5f, 0.1f, 15, 1};
    lm_block_q2k *b = blocks;
    (void)search;
    for (size_t at = 0; at < n; at += 256, b++) {
        const float *xb = x + at;
        uint8_t codes[256];
        levels l;
        find_levels(xb, weights ? weights + at : NULL, 16, 3, 15, &grid, sum_of_squares(256, xb) / 256, &l, codes);
        lm_store_f16(b->d, l.d);
        lm_store_f16(b->dmin, l.dmin);
        for (int j = 0; j < 16; j++) b->scales[j] = (uint8_t)(l.scale[j] | l.least[j] << 4);
        round_again(xb, 16, 3, lm_load_f16(b->d), lm_load_f16(b->dmin), &l, codes);
        for (int i = 0; i < 64; i++) {
            const uint8_t *c = codes + 128 * (i / 32) + i % 32;
            b->qs[i] = (uint8_t)(c[0] | c[32] << 2 | c[64] << 4 | c[96] << 6);
        }
    }
}

static void pack_six_bits(const levels *l, uint8_t *s) {
    memset(s, 0, 12);
    for (int j = 0; j < 8; j++) {
        if (j < 4) {
            s[j] |= l->scale[j];
            s[j + 4] |= l->least[j];
        } else {
            s[j + 4] = (uint8_t)((l->scale[j] & 15) | (l->least[j] & 15) << 4);
            s[j - 4] |= (uint8_t)((l->scale[j] >> 4) << 6);
            s[j] |= (uint8_t)((l->least[j] >> 4) << 6);
        }
    }
}

void lm_quantize_q4k_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    static const lm_search_grid grid = {-1.0f, 0.1f, 20, 0};
    lm_block_q4k *b = blocks;
    (void)search;
    for (size_t at = 0; at < n; at += 256, b++) {
        const float *xb = x + at;
        uint8_t codes[256];
        levels l;
        find_levels(xb, weights ? weights + at : NULL, 32, 15, 63, &grid, 2 * sum_of_squares(256, xb) / 256, &l, codes);
        lm_store_f16(b->d, l.d);
        lm_store_f16(b->dmin, l.dmin);
        pack_six_bits(&l, b->scales);
        round_again(xb, 32, 15, lm_load_f16(b->d), lm_load_f16(b->dmin), &l, codes);
        for (int i = 0; i < 128; i++)
            b->qs[i] = (uint8_t)(codes[64 * (i / 32) + i % 32] | codes[64 * (i / 32) + 32 + i % 32] << 4);
    }
}

void lm_quantize_q5k_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    static const lm_search_grid grid = {-0.5f, 0.1f, 15, 0};
    lm_block_q5k *b = blocks;
    (void)search;
    for (size_t at = 0; at < n; at += 256, b++) {
        const float *xb = x + at;
        uint8_t codes[256];
        levels l;
        find_levels(xb, weights ? weights + at : NULL, 32, 31, 63, &grid, 2 * sum_of_squares(256, xb) / 256, &l, codes);
        lm_store_f16(b->d, l.d);
        lm_store_f16(b->dmin, l.dmin);
        pack_six_bits(&l, b->scales);
        round_again(xb, 32, 31, lm_load_f16(b->d), lm_load_f16(b->dmin), &l, codes);
        memset(b->qh, 0, sizeof b->qh);
        for (int i = 0; i < 256; i++) b->qh[i % 32] |= (uint8_t)((codes[i] >> 4) << i / 32);
        for (int i = 0; i < 128; i++) {
            const uint8_t *c = codes + 64 * (i / 32) + i % 32;
            b->qs[i] = (uint8_t)((c[0] & 15) | (c[32] & 15) << 4);
        }
    }
}

/* The scale of largest magnitude, the first of equals. */
static float largest_scale(int n, const float *scales) {
    float most = 0;
    for (int i = 0; i < n; i++) most = fabsf(scales[i]) > fabsf(most) ? scales[i] : most;
    return most;
}

/* Scales of the 16 sub-blocks of Q3_K as codes 0..63 around 32; gives d. */
static float find_q3k_scales(const float *x, const float *weights, uint8_t *scale_codes, uint8_t *codes) {
    float scales[16], totals[16], sigma2 = 2 * sum_of_squares(256, x) / 256;
    for (int j = 0; j < 16; j++) {
        float w[16];
        if (weights) {
            totals[j] = weigh(16, x + 16 * j, weights + 16 * j, sigma2, w);
            scales[j] = lm_search_symmetric(16, 4, x + 16 * j, codes + 16 * j, w);
        } else {
            scales[j] = lm_search_symmetric_steps(16, 4, x + 16 * j, codes + 16 * j);
        }
    }
    if (weights) return lm_search_symmetric(16, 32, scales, scale_codes, totals);
    float most = largest_scale(16, scales), inverse = -32.0f / most;
    memset(scale_codes, 0, 16);
    if (most == 0) return 0;
    for (int j = 0; j < 16; j++) scale_codes[j] = (uint8_t)(lm_clamp(lm_round_even(inverse * scales[j]), -32, 31) + 32);
    return 1 / inverse;
}

void lm_quantize_q3k_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q3k *b = blocks;
    (void)search;
    for (size_t at = 0; at < n; at += 256, b++) {
        const float *xb = x + at;
        uint8_t codes[256], scale_codes[16];
        memset(b, 0, sizeof *b);
        lm_store_f16(b->d, find_q3k_scales(xb, weights ? weights + at : NULL, scale_codes, codes));
        for (int j = 0; j < 16; j++) {
            b->scales[j % 8] |= (uint8_t)((scale_codes[j] & 15) << 4 * (j / 8));
            b->scales[8 + j % 4] |= (uint8_t)((scale_codes[j] >> 4) << 2 * (j / 4));
            float e = lm_load_f16(b->d) * (float)(scale_codes[j] - 32);
            if (e == 0) continue;
            for (int i = 16 * j; i < 16 * (j + 1); i++)
                codes[i] = (uint8_t)(lm_clamp(lm_round_even(xb[i] / e), -4, 3) + 4);
        }
        for (int i = 0; i < 256; i++) {
            b->hmask[i % 32] |= (uint8_t)((codes[i] >> 2) << i / 32);
            b->qs[32 * (i / 128) + i % 32] |= (uint8_t)((codes[i] & 3) << 2 * (i % 128 / 32));
        }
    }
}

void lm_quantize_q6k_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_q6k *b = blocks;
    (void)search;
    for (size_t at = 0; at < n; at += 256, b++) {
        const float *xb = x + at;
        uint8_t codes[256];
        float scales[16];
        for (int j = 0; j < 16; j++)
            scales[j] =
                lm_search_symmetric(16, 32, xb + 16 * j, codes + 16 * j, weights ? weights + at + 16 * j : NULL);
        float most = largest_scale(16, scales), inverse = -128.0f / most;
        memset(b, 0, sizeof *b);
        if (fabsf(most) < ZERO_SCALE) continue;
        lm_store_f16(b->d, 1 / inverse);
        for (int j = 0; j < 16; j++) {
            b->scales[j] = (int8_t)lm_clamp(lm_round_even(inverse * scales[j]), -128, 127);
            float e = lm_load_f16(b->d) * (float)b->scales[j];
            if (e == 0) continue;
            for (int i = 16 * j; i < 16 * (j + 1); i++)
                codes[i] = (uint8_t)(lm_clamp(lm_round_even(xb[i] / e), -32, 31) + 32);
        }
        for (int i = 0; i < 256; i++) {
            int h = i / 128, g = i % 128 / 32, l = i % 32;
            b->ql[64 * h + 32 * (g % 2) + l] |= (uint8_t)((codes[i] & 15) << 4 * (g / 2));
            b->qh[32 * h + l] |= (uint8_t)((codes[i] >> 4) << 2 * g);
        }
    }
}
