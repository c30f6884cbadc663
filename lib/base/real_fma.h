/* SPDX-License-Identifier: MIT
 * fma in double, rounded once: the C library of mingw-w64 rounds twice, so its fma is replaced where the compiler has no instruction for
 * it. For numbers far from overflow and underflow, as those of real.c are. */
#ifndef LM_BASE_REAL_FMA_H
#define LM_BASE_REAL_FMA_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* a + b and what its rounding lost. */
static inline double lm_two_sum(double a, double b, double *lost) {
    double sum = a + b, part = sum - a;
    *lost = (a - (sum - part)) + (b - part);
    return sum;
}

/* a * b and what its rounding lost, by halves of 26 bits (Dekker). */
static inline double lm_two_product(double a, double b, double *lost) {
    double big_a = a * 0x8000001p0, big_b = b * 0x8000001p0, product = a * b;
    double a_high = big_a - (big_a - a), a_low = a - a_high, b_high = big_b - (big_b - b), b_low = b - b_high;
    *lost = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low);
    return product;
}

/* Boldo and Melquiond, Emulation of a FMA and Correctly-Rounded Sums: the small parts are added with rounding to odd. */
static inline double lm_fma_by_parts(double a, double b, double c) {
    double product_low, sum_low, high_low, lost;
    double product = lm_two_product(a, b, &product_low);
    double sum = lm_two_sum(c, product_low, &sum_low);
    double high = lm_two_sum(product, sum, &high_low);
    double low = lm_two_sum(sum_low, high_low, &lost);
    uint64_t bits;
    memcpy(&bits, &low, sizeof bits);
    if ((lost < 0 || lost > 0) && !(bits & 1)) bits = (lost > 0) == (low > 0) ? bits + 1 : bits - 1;
    memcpy(&low, &bits, sizeof low);
    return high + low;
}

#if defined(_WIN32) && !defined(__FMA__) && !defined(__aarch64__)
#define fma lm_fma_by_parts
#endif

#endif
