/* SPDX-License-Identifier: MIT
 * The mathematics of sampling without the C library: exp and log from additions, multiplications and divisions alone, in a
 * fixed order, so that a choice is the same on every platform; and the seeded generator with its mappings to reals. */
#ifndef LM_SAMPLER_MATH_H
#define LM_SAMPLER_MATH_H

#include <stddef.h>
#include <stdint.h>

#include "../base/fp_contract.h"

/* e^x within 1 ulp or so; 0 below -745, infinity above 709.78. */
double lm_exp_double(double x);
/* Natural logarithm within 1 ulp or so; -infinity for 0. x is not negative. */
double lm_ln(double x);
/* base^exponent for base > 0. */
double lm_pow(double base, double exponent);
/* sqrt from the standard, which rounds correctly everywhere. */
double lm_sqrt(double x);

/* out[i] = e^(x[i] - shift) within 2 ulp for x[i] <= shift; 0 where the result is below 2^-125. out may be x. */
void lm_exp_floats(const float *x, size_t n, float shift, float *out);
/* The same for one value. */
float lm_exp_float(float x);
/* Sum in a fixed order of eight interleaved partial sums. */
double lm_sum_floats(const float *x, size_t n);

/* MT19937 with single-word seeding. */
typedef struct lm_random {
    uint32_t state[624];
    uint32_t next; /* index of the next word, 624: the block is used up */
} lm_random;

void lm_random_seed(lm_random *random, uint32_t seed);
uint32_t lm_random_word(lm_random *random);
double lm_random_double(lm_random *random); /* [0, 1), two words */
float lm_random_float(lm_random *random);   /* [0, 1), one word */

#endif
