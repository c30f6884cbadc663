/* SPDX-License-Identifier: MIT
 * The elementary functions of the numerics contract, defined by these float steps and no others: every instruction set
 * repeats them lane by lane (x86/lanes_*.h, arm/lanes_*.h), so the bits agree everywhere. Only exact or correctly rounded
 * steps occur: fma, +, *, /, comparison, integer shifts. NaN goes in and a NaN comes out; which one is open.
 *
 *   lm_exp       relative error below 1 ulp; exp(0) == 1; subnormal results rounded once; 0 and inf at the ends
 *   lm_sigmoid   1 / (1 + exp(-x));  lm_tanh below 2 ulp
 *   lm_softplus  max(x, 0) + log(1 + exp(-|x|)), log by atanh so that small terms keep their relative accuracy
 *   lm_gelu      x * sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3): the tanh form without its cancellation
 *   lm_gelu_erf  x * Phi(x), Phi(-|x|) = exp(-x^2/2) * erfcx(|x|/sqrt 2) / 2 with the rounding of x^2 put back
 *
 * The polynomials are minimax fits with single-precision coefficients, rounded one by one. */
#ifndef LM_KERNELS_FMATH_H
#define LM_KERNELS_FMATH_H

#include <math.h>
#include <stdint.h>

#include "cpu.h"
#include "fma.h"
#include "half.h"

LM_EXACT_FLOATS

#define LM_ROUND_MAGIC 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer held in the low mantissa bits */
#define LM_ROUND_BITS 0x4b400000u
#define LM_LOG2E 0x1.715476p+0f
#define LM_LN2_HI 0x1.62e43p-1f
#define LM_LN2_LO -0x1.05c61p-29f

/* exp(r) = 1 + r + r^2 (E2 + E3 r + ...) for |r| <= ln(2)/2: 3e-9 */
#define LM_EXP_E2 0x1.fffffcp-2f
#define LM_EXP_E3 0x1.555492p-3f
#define LM_EXP_E4 0x1.5558aep-5f
#define LM_EXP_E5 0x1.123980p-7f
#define LM_EXP_E6 0x1.6a4f70p-10f
#define LM_EXP_HIGHEST 89.0f  /* above: infinite */
#define LM_EXP_LOWEST -105.0f /* below: zero */

/* tanh(x) = x + x^3 (T0 + T1 x^2 + ...) for |x| <= 0.625: 5e-9 */
#define LM_TANH_SMALL 0.625f
#define LM_TANH_T0 -0x1.55553p-2f
#define LM_TANH_T1 0x1.11067ep-3f
#define LM_TANH_T2 -0x1.b82494p-5f
#define LM_TANH_T3 0x1.51813ap-6f
#define LM_TANH_T4 -0x1.72d5fcp-8f

/* atanh(s) = s + s^3 (L0 + L1 s^2 + ...) for s <= 1/3: 5e-9 */
#define LM_LOG_L0 0x1.5555p-2f
#define LM_LOG_L1 0x1.99d296p-3f
#define LM_LOG_L2 0x1.1eb486p-3f
#define LM_LOG_L3 0x1.1eff94p-3f

/* erfcx(z) = t (C1 + C2 t + ...), t = 1 / (1 + z/2), for z in [0, 15]: 4.5e-8 */
#define LM_ERFCX_C1 0x1.20dab6p-2f
#define LM_ERFCX_C2 0x1.2130bap-2f
#define LM_ERFCX_C3 0x1.f151f0p-3f
#define LM_ERFCX_C4 0x1.a1508ep-3f
#define LM_ERFCX_C5 -0x1.de3790p-6f
#define LM_ERFCX_C6 0x1.208fc0p-2f
#define LM_ERFCX_C7 -0x1.f63da4p-2f
#define LM_ERFCX_C8 0x1.250674p-2f
#define LM_ERFCX_C9 -0x1.e68df8p-5f

#define LM_GELU_CUBIC 0.044715f
#define LM_GELU_TWICE 1.5957691216f /* 2 sqrt(2/pi) */
#define LM_GELU_QUICK 1.702f
#define LM_SQRT_HALF 0.70710678f
#define LM_OAI_LIMIT 7.0f

/* The bound when x is beyond it; a NaN passes. */
static inline float lm_at_most(float x, float bound) { return x > bound ? bound : x; }
static inline float lm_at_least(float x, float bound) { return x < bound ? bound : x; }

/* p * 2^n for 0.5 < p < 2 and n in [-152, 129], rounded once: the first of the two factors never makes a subnormal. */
static inline float lm_scale_two(float p, int32_t n) {
    int32_t half = n >> 1;
    return p * lm_bits_f32((uint32_t)(half + 127) << 23) * lm_bits_f32((uint32_t)(n - half + 127) << 23);
}

static inline float lm_exp(float x) {
    x = lm_at_least(lm_at_most(x, LM_EXP_HIGHEST), LM_EXP_LOWEST);
    float shifted = fmaf(x, LM_LOG2E, LM_ROUND_MAGIC);
    float n = shifted - LM_ROUND_MAGIC;
    float r = fmaf(n, -LM_LN2_LO, fmaf(n, -LM_LN2_HI, x));
    float p = fmaf(LM_EXP_E6, r, LM_EXP_E5);
    p = fmaf(p, r, LM_EXP_E4);
    p = fmaf(p, r, LM_EXP_E3);
    p = fmaf(p, r, LM_EXP_E2);
    p = fmaf(p, r, 1.0f);
    p = fmaf(p, r, 1.0f);
    return x != x ? x : lm_scale_two(p, (int32_t)(lm_f32_bits(shifted) - LM_ROUND_BITS));
}

static inline float lm_sigmoid(float x) { return 1.0f / (1.0f + lm_exp(-x)); }

static inline float lm_tanh(float x) {
    float a = fabsf(x), u = x * x;
    float p = fmaf(LM_TANH_T4, u, LM_TANH_T3);
    p = fmaf(p, u, LM_TANH_T2);
    p = fmaf(p, u, LM_TANH_T1);
    p = fmaf(p, u, LM_TANH_T0);
    float small = fmaf(x * u, p, x);
    float large = copysignf(1.0f - 2.0f / (lm_exp(a + a) + 1.0f), x);
    return a < LM_TANH_SMALL ? small : large;
}

static inline float lm_softplus(float x) {
    float t = lm_exp(-fabsf(x)), s = t / (2.0f + t), u = s * s;
    float p = fmaf(LM_LOG_L3, u, LM_LOG_L2);
    p = fmaf(p, u, LM_LOG_L1);
    p = fmaf(p, u, LM_LOG_L0);
    float half = fmaf(s * u, p, s);
    return lm_at_least(x, 0.0f) + (half + half);
}

static inline float lm_silu(float x) { return x * lm_sigmoid(x); }

static inline float lm_gelu(float x) {
    float u = x * fmaf(LM_GELU_CUBIC, x * x, 1.0f);
    return x * lm_sigmoid(LM_GELU_TWICE * u);
}

static inline float lm_gelu_quick(float x) { return x * lm_sigmoid(LM_GELU_QUICK * x); }

static inline float lm_gelu_erf(float x) {
    float a = lm_at_most(fabsf(x), 15.0f), t = 1.0f / fmaf(a, 0.5f * LM_SQRT_HALF, 1.0f);
    float p = fmaf(LM_ERFCX_C9, t, LM_ERFCX_C8);
    p = fmaf(p, t, LM_ERFCX_C7);
    p = fmaf(p, t, LM_ERFCX_C6);
    p = fmaf(p, t, LM_ERFCX_C5);
    p = fmaf(p, t, LM_ERFCX_C4);
    p = fmaf(p, t, LM_ERFCX_C3);
    p = fmaf(p, t, LM_ERFCX_C2);
    p = fmaf(p, t, LM_ERFCX_C1);
    /* -a^2/2 as square + rest; exp(square + rest) = exp(square) (1 + rest) to within the square of the rest. */
    float half = -0.5f * a, square = half * a, rest = fmaf(half, a, -square);
    float e = lm_exp(square);
    float tail = 0.5f * (p * t) * fmaf(e, rest, e); /* Phi(-a) */
    return x < 0.0f ? x * tail : fmaf(-x, tail, x);
}

static inline float lm_relu(float x) { return lm_at_least(x, 0.0f); }

#endif
