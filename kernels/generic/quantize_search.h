/* SPDX-License-Identifier: MIT
 * The scale searches behind the weight quantisers. Each finds a scale (and minimum) that makes the weighted error of rounding a
 * few values to small codes small: a grid of scales, for each the codes by rounding, then the best scale for those codes by least
 * squares. All sums run in f32 in ascending order, every step rounded, so that files come out the same everywhere.
 *
 * In all of them x and w (weights; NULL where allowed) have n elements, and codes receive n bytes. */
#ifndef LM_KERNELS_QUANTIZE_SEARCH_H
#define LM_KERNELS_QUANTIZE_SEARCH_H

#include <stdint.h>

#include "../half.h"

/* Scales below this count as zero. */
#define LM_SEARCH_TINY 1e-15f

/* Nearest integer, ties to even, for |x| up to 2^22; anything else gives some integer. */
static inline int lm_round_even(float x) { return (int)(lm_f32_bits(x + 12582912.0f) & 0x7FFFFF) - 0x400000; }

static inline int lm_clamp(int v, int least, int most) { return v < least ? least : v > most ? most : v; }

/* Toward zero, kept in [least, most]; a NaN gives least. */
static inline int lm_truncate(float x, int least, int most) {
    if (!(x >= (float)least)) return least;
    return x >= (float)most ? most : (int)x;
}

/* x ~ scale * (code - top), code - top in [-top, top - 1]; w NULL means x^2. The scale may be negative. All codes are 0 (not
 * top) with scale 0 when x is tiny. */
float lm_search_symmetric(int n, int top, const float *x, uint8_t *codes, const float *w);

/* The same without a grid of scales: weights x^2, codes improved one by one. */
float lm_search_symmetric_steps(int n, int top, const float *x, uint8_t *codes);

/* x ~ scale * code - *minimum, code in [0, top], *minimum >= 0: steps + 1 scales (first + step * t + top) / range. is_absolute
 * measures errors by their size, not their square. n <= 32. */
typedef struct lm_search_grid {
    float first, step;
    int steps, is_absolute;
} lm_search_grid;
float lm_search_affine(int n, int top, const float *x, const float *w, uint8_t *codes, float *minimum,
                       const lm_search_grid *grid);

/* x ~ scale * code for x >= 0, code in [0, top]; used for scales of scales. */
float lm_search_positive(int n, int top, const float *x, uint8_t *codes, const float *w);

#endif
