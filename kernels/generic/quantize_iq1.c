/* SPDX-License-Identifier: MIT
 * Floats to the ternary codebook types IQ1_S and IQ1_M. The values of a sub-block, sorted, are cut into three runs for the three
 * levels in every possible way, for levels shifted up or down by 1/8; the best cut wins. Groups of 8 that are not in the codebook
 * are then replaced by a neighbour. */
#include "../blocks.h"

#include <float.h>
#include <math.h>

#include "../cpu.h"
#include "../iq_search.h"
#include "quantize_search.h"

LM_EXACT_FLOATS

/* Levels -1, 0, 1 shifted by +1/8 and by -1/8. */
static const float shifted[2][3] = {{-0.875f, 0.125f, 1.125f}, {-1.125f, -0.125f, 0.875f}};

/* Positions of the values in ascending order; equal values keep theirs. */
static void sort(const float *x, int n, uint8_t *order) {
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && x[order[at - 1]] > x[i]; at--) order[at] = order[at - 1];
        order[at] = (uint8_t)i;
    }
}

static float largest_abs(int n, const float *x) {
    float top = 0;
    for (int i = 0; i < n; i++) top = fabsf(x[i]) > top ? fabsf(x[i]) : top;
    return top;
}

static float sigma2_of(const float *x) {
    float sum = 0;
    for (int i = 0; i < 256; i++) sum += x[i] * x[i];
    return 2 * sum / 256;
}

/* The codebook entry of 8 levels, or the neighbour with the least error; levels are replaced then. Gives 0 when they were. */
static int find_entry(const lm_iq_search *search, const float *x, const float *w, float scale, const float *q,
                      uint8_t *levels, int32_t *index) {
    int number = 0;
    for (int j = 7; j >= 0; j--) number = number * 3 + levels[j];
    *index = search->map[number];
    if (*index >= 0) return 1;
    const uint16_t *list = search->lists + ~*index;
    float best = FLT_MAX;
    *index = list[1];
    for (int n = 1; n <= list[0]; n++) {
        const uint8_t *entry = search->levels + 8 * (size_t)list[n];
        float error = 0;
        for (int j = 0; j < 8; j++) {
            float e = scale * q[entry[j]] - x[j];
            error += w[j] * e * e;
        }
        if (error < best) best = error, *index = list[n];
    }
    memcpy(levels, search->levels + 8 * (size_t)*index, 8);
    return 0;
}

static void assign_runs(const uint8_t *order, int n, int cut1, int cut2, uint8_t *levels) {
    for (int i = 0; i < n; i++) levels[order[i]] = i < cut1 ? 0 : i < cut2 ? 1 : 2;
}

static void invert(int n, uint8_t *levels) {
    for (int i = 0; i < n; i++) levels[i] = (uint8_t)(2 - levels[i]);
}

/* ---- IQ1_S: 32 values share a shift ------------------------------------------------------------------------------------------ */

/* The best cut of 32 values; levels are set. Gives the scale (0: none found), and the shift, 0 up or 1 down. */
static float best_cut_32(const float *x, const float *w, uint8_t *levels, int *shift) {
    float sum_wx[33] = {0}, sum_w[33] = {0}, best = -FLT_MAX, scale = 0;
    uint8_t order[32];
    int best1 = -1, best2 = -1;
    sort(x, 32, order);
    for (int i = 0; i < 32; i++) {
        sum_wx[i + 1] = sum_wx[i] + w[order[i]] * x[order[i]];
        sum_w[i + 1] = sum_w[i] + w[order[i]];
    }
    *shift = 0;
    for (int i1 = 0; i1 <= 32; i1++)
        for (int i2 = i1; i2 <= 32; i2++)
            for (int s = 0; s < 2; s++) {
                const float *q = shifted[s];
                float wqx = (sum_wx[i1] - sum_wx[0]) * q[0] + (sum_wx[i2] - sum_wx[i1]) * q[1] +
                            (sum_wx[32] - sum_wx[i2]) * q[2];
                float wqq = (sum_w[i1] - sum_w[0]) * q[0] * q[0] + (sum_w[i2] - sum_w[i1]) * q[1] * q[1] +
                            (sum_w[32] - sum_w[i2]) * q[2] * q[2];
                if (!(wqq > 0 && wqx * wqx > best * wqq)) continue;
                scale = wqx / wqq;
                best = scale * wqx;
                best1 = i1, best2 = i2, *shift = s;
            }
    memset(levels, 1, 32);
    if (best1 < 0) return 0;
    assign_runs(order, 32, best1, best2, levels);
    if (scale < 0) {
        invert(32, levels);
        scale = -scale;
        *shift = 1 - *shift;
    }
    return scale;
}

void lm_quantize_iq1s_c(const float *x, void *blocks, size_t n, const float *weights, const void *search_memory) {
    const lm_iq_search *search = search_memory;
    lm_block_iq1s *out = blocks;
    for (size_t at = 0; at < n; at += 256, out++) {
        float scales[8], most = 0, sigma2 = sigma2_of(x + at);
        int shifts[8] = {0};
        uint16_t high[8] = {0};
        memset(out, 0, sizeof *out);
        for (int b = 0; b < 8; b++) {
            const float *xb = x + at + 32 * b;
            float w[32], wqx = 0, wqq = 0;
            uint8_t levels[32];
            int is_changed = 0;
            for (int i = 0; i < 32; i++)
                w[i] = (weights ? weights[at + (size_t)(32 * b + i)] : 1) * sqrtf(sigma2 + xb[i] * xb[i]);
            scales[b] = 0;
            if (largest_abs(32, xb) < 1e-12f) continue;
            float scale = best_cut_32(xb, w, levels, &shifts[b]);
            const float *q = shifted[shifts[b]];
            for (int g = 0; g < 4; g++) {
                int32_t index;
                is_changed |= !find_entry(search, xb + 8 * g, w + 8 * g, scale, q, levels + 8 * g, &index);
                out->qs[4 * b + g] = (uint8_t)(index & 255);
                high[b] |= (uint16_t)((index >> 8) << 3 * g);
            }
            for (int i = 0; i < 32; i++) {
                wqx += w[i] * q[levels[i]] * xb[i];
                wqq += w[i] * q[levels[i]] * q[levels[i]];
            }
            if (is_changed && wqx > 0 && wqq > 0) scale = wqx / wqq;
            scales[b] = scale;
            most = scale > most ? scale : most;
        }
        if (!(most > 0)) {
            memset(out, 0, sizeof *out);
            continue;
        }
        float d = most / 15, inverse = 1 / d;
        lm_store_f16(out->d, d * 1.125f);
        for (int b = 0; b < 8; b++) {
            int code = lm_clamp(lm_round_even(0.5f * (inverse * scales[b] - 1)), 0, 7) | shifts[b] << 3;
            lm_store_u16(out->qh + 2 * b, (uint16_t)(high[b] | code << 12));
        }
    }
}

/* ---- IQ1_M: 16 values, a shift per 8 ----------------------------------------------------------------------------------------- */

/* Levels of value i when the shifts are number k: 0 (up, up), 1 (up, down), 2 (down, up), 3 (down, down). */
static const float *levels_of(int k, int i) { return shifted[i < 8 ? k >> 1 : k & 1]; }

/* The best cut of 16 values for each pair of shifts. Gives the scale, and the number of the pair. */
static float best_cut_16(const float *x, const float *w, uint8_t *levels, int *pair) {
    float best = -FLT_MAX, scale = 0;
    uint8_t order[16];
    int best1 = -1, best2 = -1;
    sort(x, 16, order);
    *pair = 0;
    for (int i1 = 0; i1 <= 16; i1++)
        for (int i2 = i1; i2 <= 16; i2++)
            for (int k = 0; k < 4; k++) {
                float wqx = 0, wqq = 0;
                for (int j = 0; j < 16; j++) {
                    int i = order[j];
                    float q = levels_of(k, i)[j < i1 ? 0 : j < i2 ? 1 : 2];
                    wqx += w[i] * q * x[i];
                    wqq += w[i] * q * q;
                }
                if (!(wqq > 0 && wqx * wqx > best * wqq)) continue;
                scale = wqx / wqq;
                best = scale * wqx;
                best1 = i1, best2 = i2, *pair = k;
            }
    memset(levels, 1, 16);
    if (best1 < 0) return 0;
    assign_runs(order, 16, best1, best2, levels);
    if (scale < 0) {
        invert(16, levels);
        scale = -scale;
        *pair = 3 - *pair;
    }
    return scale;
}

void lm_quantize_iq1m_c(const float *x, void *blocks, size_t n, const float *weights, const void *search_memory) {
    const lm_iq_search *search = search_memory;
    lm_block_iq1m *out = blocks;
    for (size_t at = 0; at < n; at += 256, out++) {
        const float *xb = x + at;
        float w[256], scales[16], most = 0, sigma2 = sigma2_of(xb), wqx = 0, wqq = 0;
        uint8_t levels[256];
        int pairs[16] = {0};
        uint16_t words[4] = {0};
        memset(out, 0, sizeof *out);
        memset(levels, 1, sizeof levels);
        for (int i = 0; i < 256; i++)
            w[i] = weights ? weights[at + (size_t)i] * sqrtf(sigma2 + xb[i] * xb[i]) : xb[i] * xb[i];
        for (int b = 0; b < 16; b++) {
            const float *xs = xb + 16 * b, *ws = w + 16 * b;
            float sub_wqx = 0, sub_wqq = 0;
            int is_changed = 0;
            scales[b] = 0;
            if (largest_abs(16, xs) < 1e-7f) continue;
            float scale = best_cut_16(xs, ws, levels + 16 * b, &pairs[b]);
            for (int g = 0; g < 2; g++) {
                int32_t index;
                is_changed |= !find_entry(search, xs + 8 * g, ws + 8 * g, scale, levels_of(pairs[b], 8 * g),
                                          levels + 16 * b + 8 * g, &index);
                out->qs[2 * b + g] = (uint8_t)(index & 255);
                out->qh[b] |= (uint8_t)((index >> 8) << 4 * g);
            }
            for (int i = 0; i < 16; i++) {
                float q = levels_of(pairs[b], i)[levels[16 * b + i]];
                sub_wqx += ws[i] * q * xs[i];
                sub_wqq += ws[i] * q * q;
            }
            if (is_changed && sub_wqx > 0 && sub_wqq > 0) scale = sub_wqx / sub_wqq;
            out->qh[b] |= (uint8_t)((pairs[b] >> 1) << 3 | (pairs[b] & 1) << 7);
            scales[b] = scale;
            most = scale > most ? scale : most;
        }
        if (!(most > 0)) {
            memset(out, 0, sizeof *out);
            continue;
        }
        float d = most / 15, inverse = 1 / d;
        for (int b = 0; b < 16; b++) {
            int code = lm_clamp(lm_round_even(0.5f * (inverse * scales[b] - 1)), 0, 7);
            words[b / 4] |= (uint16_t)(code << 3 * (b % 4));
            for (int i = 16 * b; i < 16 * (b + 1); i++) {
                /* A skipped sub-block decodes as entry 0 of the codebook, which is all at the lowest level. */
                uint8_t level =
                    scales[b] == 0 && out->qs[2 * b] == 0 && out->qs[2 * b + 1] == 0 && out->qh[b] == 0 ? 0 : levels[i];
                float q = levels_of(pairs[b], i % 16)[level] * (float)(2 * code + 1);
                wqx += w[i] * q * xb[i];
                wqq += w[i] * q * q;
            }
        }
        if (wqq > 0) d = wqx / wqq;
        uint16_t half = lm_f32_to_f16(d * 1.1125f);
        for (int i = 0; i < 4; i++)
            lm_store_u16(out->scales + 2 * i, (uint16_t)(words[i] | (half >> 4 * i & 15) << 12));
    }
}
