/* SPDX-License-Identifier: MIT
 * Floats to the IQ2 and IQ3 types. A sub-block gets signs, a scale and, per group of 8 or 4 values, an entry of the codebook.
 * The search runs over scales: round magnitudes to odd points p = 2 * level + 1, replace groups that are not in the codebook by
 * a neighbour, and keep what least squares likes best. The five types differ only in the numbers of `kind`. */
#include "../blocks.h"

#include <float.h>
#include <math.h>

#include "../cpu.h"
#include "../iq_search.h"
#include "../iq_tables.h"
#include "quantize_search.h"

LM_EXACT_FLOATS

typedef struct kind {
    int size;            /* values of a sub-block */
    int n_levels;        /* of a coordinate: points 1, 3, .. 2 * n_levels - 1 */
    int steps;           /* scales tried on each side */
    float step;          /* between them */
    float tiny;          /* largest magnitude that counts as zero */
    float sigma2_factor; /* of the mean square */
    float plain_factor;  /* without weights: w = plain_factor * sigma2 + x^2 */
    float d_factor;      /* of the stored scale */
    int has_all_signs;   /* 8 sign bits per 8 values, or 7 with even parity */
    int searches_top;    /* the first scale comes from a search of its own, and the last step always happens */
    int redoes_all;      /* the last step redoes groups that are in the codebook too */
} kind;

static const kind iq2xxs = {32, 3, 6, 0.1f, 1e-15f, 1, 0, 1, 0, 1, 1};
static const kind iq2xs = {16, 3, 9, 0.1f, 1e-15f, 1, 0, 1, 0, 0, 0};
static const kind iq2s = {16, 3, 9, 0.1f, 1e-8f, 2, 0.25f, 0.9875f, 1, 0, 0};
static const kind iq3xxs = {32, 8, 15, 0.2f, 1e-8f, 2, 0, 1.0125f, 0, 0, 0};
static const kind iq3s = {32, 8, 9, 0.2f, FLT_MIN, 2, 0, 1.033f, 1, 0, 1};

/* One sub-block on its way. */
typedef struct sub_block {
    float magnitude[32]; /* one per sign byte may be negative where the parity is forced */
    float w[32], root[32];
    uint8_t signs[4];
    uint8_t levels[32];
    int32_t index[8]; /* codebook entries of the groups */
    float scale;
} sub_block;

static void take_signs(const kind *k, const float *x, sub_block *s) {
    for (int g = 0; g < k->size / 8; g++) {
        int n_negative = 0, bits = 0;
        for (int j = 0; j < 8; j++) {
            float v = x[8 * g + j];
            s->magnitude[8 * g + j] = v >= 0 ? v : -v;
            if (!(v >= 0)) n_negative++, bits |= 1 << j;
        }
        if (!k->has_all_signs && n_negative % 2 != 0) {
            /* Flip the sign that costs least. */
            int cheapest = 0;
            float least = s->w[8 * g] * x[8 * g] * x[8 * g];
            for (int j = 1; j < 8; j++) {
                float cost = s->w[8 * g + j] * x[8 * g + j] * x[8 * g + j];
                if (cost < least) least = cost, cheapest = j;
            }
            s->magnitude[8 * g + cheapest] = -s->magnitude[8 * g + cheapest];
            bits ^= 1 << cheapest;
        }
        s->signs[g] = (uint8_t)(k->has_all_signs ? bits : bits & 127);
    }
}

/* Level of a coordinate for scale 1 / inverse. */
static uint8_t level_at(const kind *k, float inverse, float magnitude) {
    return (uint8_t)lm_clamp(lm_round_even(0.5f * (inverse * magnitude - 1)), 0, k->n_levels - 1);
}

static int32_t map_of(const lm_iq_search *search, const uint8_t *levels) {
    int number = 0;
    for (int j = search->group - 1; j >= 0; j--) number = number * search->n_levels + levels[j];
    return search->map[number];
}

/* The entry of a list next to the magnitudes at this scale; the first of equals. */
static int32_t best_neighbour(const lm_iq_search *search, const uint16_t *list, const float *magnitude,
                              const float *root, float scale) {
    float best = FLT_MAX;
    int32_t best_entry = list[1];
    for (int n = 1; n <= list[0]; n++) {
        const uint8_t *levels = search->levels + (size_t)list[n] * (size_t)search->group;
        float error = 0;
        for (int j = 0; j < search->group; j++) {
            float e = scale * (float)(2 * levels[j] + 1) - magnitude[j];
            error += root[j] * e * e;
        }
        if (error < best) best = error, best_entry = list[n];
    }
    return best_entry;
}

/* Round group g with 1 / inverse, neighbours chosen at `scale`. Gives whether the rounded point is in the codebook. */
static int round_group(const kind *k, const lm_iq_search *search, const sub_block *s, int g, float inverse, float scale,
                       uint8_t *levels, int32_t *index) {
    int at = g * search->group;
    for (int j = 0; j < search->group; j++) levels[at + j] = level_at(k, inverse, s->magnitude[at + j]);
    int32_t entry = map_of(search, levels + at);
    if (entry >= 0) {
        index[g] = entry;
        return 1;
    }
    index[g] = best_neighbour(search, search->lists + ~entry, s->magnitude + at, s->root + at, scale);
    memcpy(levels + at, search->levels + (size_t)index[g] * (size_t)search->group, (size_t)search->group);
    return 0;
}

static void sums(const kind *k, const sub_block *s, const uint8_t *levels, float *wxp, float *wpp) {
    *wxp = *wpp = 0;
    for (int i = 0; i < k->size; i++) {
        float p = (float)(2 * levels[i] + 1);
        *wxp += s->w[i] * s->magnitude[i] * p;
        *wpp += s->w[i] * p * p;
    }
}

/* Find scale, signs and entries of a sub-block whose weights are set; all zero where x is. */
static void find_entries(const kind *k, const lm_iq_search *search, const float *x, sub_block *s) {
    int n_groups = k->size / search->group, is_in[8] = {0}, n_out = 0;
    float top = (float)(2 * k->n_levels - 1), most, best = 0, wxp, wpp;
    take_signs(k, x, s);
    most = s->magnitude[0];
    for (int i = 1; i < k->size; i++) most = s->magnitude[i] > most ? s->magnitude[i] : most;
    s->scale = 0;
    if (!(most >= k->tiny)) goto nothing;
    if (k->searches_top) {
        s->scale = lm_search_positive(k->size, k->n_levels + 1, s->magnitude, s->levels, s->w);
        most = s->scale * (float)k->n_levels;
        if (!(most > 0)) goto nothing;
    } else {
        s->scale = most / top;
    }
    for (int g = 0; g < n_groups; g++) { /* what stands if no scale is accepted */
        memset(s->levels + g * search->group, 0, (size_t)search->group);
        s->index[g] = 0;
        is_in[g] = 1;
    }
    for (int t = -k->steps; t <= k->steps; t++) {
        uint8_t levels[32];
        int32_t index[8];
        int in[8];
        float inverse = (top + (float)t * k->step) / most, scale = 1 / inverse;
        for (int g = 0; g < n_groups; g++) in[g] = round_group(k, search, s, g, inverse, scale, levels, index);
        sums(k, s, levels, &wxp, &wpp);
        if (!(wpp > 0 && wxp * wxp > best * wpp)) continue;
        s->scale = wxp / wpp;
        best = s->scale * wxp;
        memcpy(s->levels, levels, (size_t)k->size);
        memcpy(s->index, index, sizeof index);
        memcpy(is_in, in, sizeof in);
    }
    for (int g = 0; g < n_groups; g++) n_out += !is_in[g];
    if (s->scale > 0 && (n_out > 0 || k->searches_top)) {
        float inverse = 1 / s->scale;
        for (int g = 0; g < n_groups; g++)
            if (!is_in[g] || k->redoes_all) round_group(k, search, s, g, inverse, s->scale, s->levels, s->index);
        sums(k, s, s->levels, &wxp, &wpp);
        if (wpp > 0) s->scale = wxp / wpp;
    }
    if (s->scale < 0) {
        s->scale = -s->scale;
        for (int g = 0; g < k->size / 8; g++) s->signs[g] = (uint8_t)(~s->signs[g] & (k->has_all_signs ? 255 : 127));
    }
    return;
nothing:
    s->scale = 0;
    memset(s->signs, 0, sizeof s->signs);
    memset(s->index, 0, sizeof s->index);
}

/* All sub-blocks of a block and their scale codes 0..15. Gives the f16 scale to store, 0 when everything is zero. */
static float find_block(const kind *k, const lm_iq_search *search, const float *x, const float *weights, sub_block *s,
                        int *codes) {
    int n = 256 / k->size;
    float sigma2 = 0, most = 0;
    for (int i = 0; i < 256; i++) sigma2 += x[i] * x[i];
    sigma2 = k->sigma2_factor * sigma2 / 256;
    for (int b = 0; b < n; b++) {
        const float *xb = x + b * k->size;
        for (int i = 0; i < k->size; i++) {
            s[b].w[i] = weights ? weights[b * k->size + i] * sqrtf(sigma2 + xb[i] * xb[i])
                                : k->plain_factor * sigma2 + xb[i] * xb[i];
            s[b].root[i] = sqrtf(s[b].w[i]);
        }
        find_entries(k, search, xb, &s[b]);
        most = s[b].scale > most ? s[b].scale : most;
    }
    if (!(most > 0)) return 0;
    float d = most / 31, inverse = 1 / d;
    for (int b = 0; b < n; b++) codes[b] = lm_clamp(lm_round_even(0.5f * (inverse * s[b].scale - 1)), 0, 15);
    return d * k->d_factor;
}

void lm_quantize_iq2xxs_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_iq2xxs *out = blocks;
    for (size_t at = 0; at < n; at += 256, out++) {
        sub_block s[8];
        int codes[8];
        memset(out, 0, sizeof *out);
        float d = find_block(&iq2xxs, search, x + at, weights ? weights + at : NULL, s, codes);
        if (d == 0) continue;
        lm_store_f16(out->d, d);
        for (int b = 0; b < 8; b++) {
            uint32_t word = (uint32_t)codes[b] << 28;
            for (int g = 0; g < 4; g++) {
                out->qs[8 * b + g] = (uint8_t)s[b].index[g];
                word |= (uint32_t)s[b].signs[g] << 7 * g;
            }
            lm_store_u32(out->qs + 8 * b + 4, word);
        }
    }
}

void lm_quantize_iq2xs_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_iq2xs *out = blocks;
    for (size_t at = 0; at < n; at += 256, out++) {
        sub_block s[16];
        int codes[16];
        memset(out, 0, sizeof *out);
        float d = find_block(&iq2xs, search, x + at, weights ? weights + at : NULL, s, codes);
        if (d == 0) continue;
        lm_store_f16(out->d, d);
        for (int b = 0; b < 16; b++) {
            out->scales[b / 2] |= (uint8_t)(codes[b] << 4 * (b % 2));
            for (int g = 0; g < 2; g++)
                lm_store_u16(out->qs + 4 * b + 2 * g, (uint16_t)(s[b].index[g] | s[b].signs[g] << 9));
        }
    }
}

void lm_quantize_iq2s_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_iq2s *out = blocks;
    for (size_t at = 0; at < n; at += 256, out++) {
        sub_block s[16];
        int codes[16];
        memset(out, 0, sizeof *out);
        float d = find_block(&iq2s, search, x + at, weights ? weights + at : NULL, s, codes);
        if (d == 0) continue;
        lm_store_f16(out->d, d);
        for (int i = 0; i < 32; i++) {
            int b = i / 2, g = i % 2;
            out->qs[i] = (uint8_t)(s[b].index[g] & 255);
            out->qh[i / 4] |= (uint8_t)((s[b].index[g] >> 8) << 2 * (i % 4));
            out->signs[i] = s[b].signs[g];
            if (g == 0) out->scales[b / 2] |= (uint8_t)(codes[b] << 4 * (b % 2));
        }
    }
}

void lm_quantize_iq3xxs_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_iq3xxs *out = blocks;
    for (size_t at = 0; at < n; at += 256, out++) {
        sub_block s[8];
        int codes[8];
        memset(out, 0, sizeof *out);
        float d = find_block(&iq3xxs, search, x + at, weights ? weights + at : NULL, s, codes);
        if (d == 0) continue;
        lm_store_f16(out->d, d);
        for (int b = 0; b < 8; b++) {
            uint32_t word = (uint32_t)codes[b] << 28;
            for (int g = 0; g < 4; g++) word |= (uint32_t)s[b].signs[g] << 7 * g;
            for (int g = 0; g < 8; g++) out->qs[8 * b + g] = (uint8_t)s[b].index[g];
            lm_store_u32(out->gas + 4 * b, word);
        }
    }
}

void lm_quantize_iq3s_c(const float *x, void *blocks, size_t n, const float *weights, const void *search) {
    lm_block_iq3s *out = blocks;
    for (size_t at = 0; at < n; at += 256, out++) {
        sub_block s[8];
        int codes[8];
        memset(out, 0, sizeof *out);
        float d = find_block(&iq3s, search, x + at, weights ? weights + at : NULL, s, codes);
        if (d == 0) continue;
        lm_store_f16(out->d, d);
        for (int b = 0; b < 8; b++) {
            out->scales[b / 2] |= (uint8_t)(codes[b] << 4 * (b % 2));
            for (int g = 0; g < 4; g++) out->signs[4 * b + g] = s[b].signs[g];
            for (int g = 0; g < 8; g++) {
                out->qs[8 * b + g] = (uint8_t)(s[b].index[g] & 255);
                out->qh[b] |= (uint8_t)((s[b].index[g] >> 8) << g);
            }
        }
    }
}
