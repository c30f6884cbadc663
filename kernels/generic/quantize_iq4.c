/* SPDX-License-Identifier: MIT
 * Floats to the non-linear 4-bit types: 16 fixed levels, denser near zero, and a searched scale per 32 values. */
#include "../blocks.h"

#include <math.h>

#include "../cpu.h"
#include "../iq_tables.h"
#include "quantize_search.h"

LM_EXACT_FLOATS

/* Index of the nearest level; the middle between two goes to the upper one. */
static uint8_t nearest_level(float y) {
    int low = 0, high = 15;
    if (!(y > (float)lm_iq4nl_levels[0])) return 0;
    if (y >= (float)lm_iq4nl_levels[15]) return 15;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (y < (float)lm_iq4nl_levels[middle])
            high = middle;
        else
            low = middle;
    }
    return (uint8_t)(y - (float)lm_iq4nl_levels[low] < (float)lm_iq4nl_levels[high] - y ? low : high);
}

/* The best scale for 32 values: least squares for the levels that 1 + 15 first guesses give. */
static float find_scale(const float *x, const float *weights, float sigma2) {
    float w[32], most = 0, d = 0, best = 0;
    for (int i = 0; i < 32; i++) {
        w[i] = weights ? weights[i] * sqrtf(sigma2 + x[i] * x[i]) : x[i] * x[i];
        most = fabsf(x[i]) > fabsf(most) ? x[i] : most;
    }
    if (fabsf(most) < LM_SEARCH_TINY) return 0;
    for (int step = 0; step <= 15; step++) {
        float first = (float)lm_iq4nl_levels[0];
        float inverse = step == 0 ? 1 / (-most / first) : ((float)(step - 8) + first) / most;
        float wvx = 0, wvv = 0;
        for (int i = 0; i < 32; i++) {
            float v = (float)lm_iq4nl_levels[nearest_level(inverse * x[i])];
            wvx += w[i] * v * x[i];
            wvv += w[i] * v * v;
        }
        if (step > 0 && !(wvv > 0 && wvx * wvx > best * wvv)) continue;
        d = wvx / wvv;
        best = d * wvx;
    }
    return d;
}

static float sigma2_of(int n, const float *x) {
    float sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    return sum * (2.0f / (float)n);
}

static void put_levels(const float *x, float d, uint8_t *qs) {
    float inverse = d != 0 ? 1 / d : 0;
    for (int i = 0; i < 16; i++)
        qs[i] = (uint8_t)(nearest_level(inverse * x[i]) | nearest_level(inverse * x[i + 16]) << 4);
}

void lm_quantize_iq4nl_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_iq4nl *b = blocks;
    (void)search;
    for (size_t at = 0; at < n; at += 32, b++) {
        float d = find_scale(x + at, weights ? weights + at : NULL, sigma2_of(32, x + at));
        lm_store_f16(b->d, d);
        put_levels(x + at, d, b->qs);
    }
}

void lm_quantize_iq4xs_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_iq4xs *b = blocks;
    (void)search;
    for (size_t at = 0; at < n; at += 256, b++) {
        const float *xb = x + at;
        float scales[8], most = 0, sigma2 = sigma2_of(256, xb);
        for (int s = 0; s < 8; s++) {
            scales[s] = find_scale(xb + 32 * s, weights ? weights + at + 32 * s : NULL, sigma2);
            most = fabsf(scales[s]) > fabsf(most) ? scales[s] : most;
        }
        float d = -most / 32, inverse = d != 0 ? 1 / d : 0;
        uint32_t high = 0;
        lm_store_f16(b->d, d);
        memset(b->scales_l, 0, sizeof b->scales_l);
        for (int s = 0; s < 8; s++) {
            int l = lm_clamp(lm_round_even(inverse * scales[s]), -32, 31);
            put_levels(xb + 32 * s, d * (float)l, b->qs + 16 * s);
            b->scales_l[s / 2] |= (uint8_t)(((l + 32) & 15) << 4 * (s % 2));
            high |= (uint32_t)((l + 32) >> 4) << 2 * s;
        }
        lm_store_u16(b->scales_h, (uint16_t)high);
    }
}
