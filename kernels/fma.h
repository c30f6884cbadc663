/* SPDX-License-Identifier: MIT
 * fmaf rounds once, which the numerics contract needs. The C library of mingw-w64 rounds twice, so its fmaf is replaced where the
 * compiler has no instruction for it. */
#ifndef LM_KERNELS_FMA_H
#define LM_KERNELS_FMA_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The product is exact in double. Of the sum, what rounding lost goes into its last bit ("rounding to odd"): with more than
 * twice the bits of a float that decides every tie of the second rounding the right way. */
static inline float lm_fma_by_double(float a, float b, float c) {
    double product = (double)a * (double)b, sum = product + (double)c, part = sum - product;
    double lost = (product - (sum - part)) + ((double)c - part);
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if ((lost < 0 || lost > 0) && !(bits & 1)) bits = (lost > 0) == (sum > 0) ? bits + 1 : bits - 1;
    memcpy(&sum, &bits, sizeof sum);
    return (float)sum;
}

#if defined(_WIN32) && !defined(__FMA__) && !defined(__aarch64__)
#define fmaf lm_fma_by_double
#endif

#endif
