/* SPDX-License-Identifier: MIT
 * The float kernels are written once, over sixteen float lanes: the virtual register of the numerics contract. An instruction
 * set provides the type `lanes` and the functions below (x86/lanes_avx512.h, x86/lanes_avx2.h, arm/lanes_neon.h), opens its
 * target, and includes the files of this folder; each becomes static code of that instruction set, with the reference's bits.
 *
 *   load, store        sixteen floats at any address; _part: the first n (0..16), the rest zero or untouched, not accessed
 *   load_f16 _bf16 _i8, store_f16 _bf16      converted, rounded to the nearest even
 *   store_codes        sixteen values within int8, to the nearest even, NaN as 0
 *   add sub mul div    rounded once;  fma a*b + c;  fms a*b - c;  fnma c - a*b
 *   at_most, at_least  x limited by a bound; NaN and equal values give x
 *   larger(x, best)    x where x > best, else best (also for a NaN in x)
 *   if_less(a, b, t, e) a < b ? t : e per lane;  equal: a bit per lane;  copysign(size, sign), abs, neg
 *   between(x, first, end, other)   x in lanes [first, end), else other; the ends may lie outside 0..16
 *   scale_two(p, s)    lm_scale_two with the exponent in the low mantissa bits of s
 *   fold, fold_larger  the tree of lanes(n) over + and over larger
 *   turn_pairs         rotation of eight adjacent pairs by eight (cos, sin);  load_pairs: sixteen pairs, split
 *   load_f16           one value;  load_nibbles: 16 bytes to 32 codes less 8, the low nibbles first
 *   transpose_floats   16 rows of 16 floats, stride apart, to 16 columns
 *   TILE_ROWS ...      the shapes of attention's register tiles (attend_lanes.h) */
#ifndef LM_KERNELS_LANES_H
#define LM_KERNELS_LANES_H

/* For x that are not above LM_EXP_HIGHEST. */
LM_INLINE lanes lanes_exp_low(lanes x) {
    x = lanes_at_least(x, LM_EXP_LOWEST);
    lanes magic = lanes_set(LM_ROUND_MAGIC), one = lanes_set(1.0f);
    lanes shifted = lanes_fma(x, lanes_set(LM_LOG2E), magic), n = lanes_sub(shifted, magic);
    lanes r = lanes_fma(n, lanes_set(-LM_LN2_LO), lanes_fma(n, lanes_set(-LM_LN2_HI), x));
    lanes p = lanes_fma(lanes_set(LM_EXP_E6), r, lanes_set(LM_EXP_E5));
    p = lanes_fma(p, r, lanes_set(LM_EXP_E4));
    p = lanes_fma(p, r, lanes_set(LM_EXP_E3));
    p = lanes_fma(p, r, lanes_set(LM_EXP_E2));
    p = lanes_fma(p, r, one);
    p = lanes_fma(p, r, one);
    return lanes_scale_two(p, shifted);
}

LM_INLINE lanes lanes_exp(lanes x) { return lanes_exp_low(lanes_at_most(x, LM_EXP_HIGHEST)); }

LM_INLINE lanes lanes_sigmoid(lanes x) {
    lanes one = lanes_set(1.0f);
    return lanes_div(one, lanes_add(one, lanes_exp(lanes_neg(x))));
}

/* A copy to call, for what is not the activation of most models. */
static LM_APART lanes lanes_exp_apart(lanes x) { return lanes_exp(x); }

/* One lane alone. Every set of lanes has the instruction, which fmaf need not be (fma.h). */
LM_INLINE float lane_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static LM_APART float lane_exp(float x) {
    float all[16];
    lanes_store(all, lanes_exp(lanes_set(x)));
    return all[0];
}

LM_INLINE lanes lanes_sigmoid_apart(lanes x) {
    lanes one = lanes_set(1.0f);
    return lanes_div(one, lanes_add(one, lanes_exp_apart(lanes_neg(x))));
}

LM_INLINE lanes lanes_tanh(lanes x) {
    lanes a = lanes_abs(x), u = lanes_mul(x, x), one = lanes_set(1.0f);
    lanes p = lanes_fma(lanes_set(LM_TANH_T4), u, lanes_set(LM_TANH_T3));
    p = lanes_fma(p, u, lanes_set(LM_TANH_T2));
    p = lanes_fma(p, u, lanes_set(LM_TANH_T1));
    p = lanes_fma(p, u, lanes_set(LM_TANH_T0));
    lanes small = lanes_fma(lanes_mul(x, u), p, x);
    lanes e = lanes_add(lanes_exp_apart(lanes_add(a, a)), one);
    lanes large = lanes_copysign(lanes_sub(one, lanes_div(lanes_set(2.0f), e)), x);
    return lanes_if_less(a, lanes_set(LM_TANH_SMALL), small, large);
}

LM_INLINE lanes lanes_softplus(lanes x) {
    lanes t = lanes_exp_apart(lanes_neg(lanes_abs(x))), s = lanes_div(t, lanes_add(lanes_set(2.0f), t)),
          u = lanes_mul(s, s);
    lanes p = lanes_fma(lanes_set(LM_LOG_L3), u, lanes_set(LM_LOG_L2));
    p = lanes_fma(p, u, lanes_set(LM_LOG_L1));
    p = lanes_fma(p, u, lanes_set(LM_LOG_L0));
    lanes half = lanes_fma(lanes_mul(s, u), p, s);
    return lanes_add(lanes_at_least(x, 0.0f), lanes_add(half, half));
}

LM_INLINE lanes lanes_gelu(lanes x) {
    lanes u = lanes_mul(x, lanes_fma(lanes_set(LM_GELU_CUBIC), lanes_mul(x, x), lanes_set(1.0f)));
    return lanes_mul(x, lanes_sigmoid_apart(lanes_mul(lanes_set(LM_GELU_TWICE), u)));
}

LM_INLINE lanes lanes_gelu_erf(lanes x) {
    lanes a = lanes_at_most(lanes_abs(x), 15.0f), one = lanes_set(1.0f);
    lanes t = lanes_div(one, lanes_fma(a, lanes_set(0.5f * LM_SQRT_HALF), one));
    lanes p = lanes_fma(lanes_set(LM_ERFCX_C9), t, lanes_set(LM_ERFCX_C8));
    p = lanes_fma(p, t, lanes_set(LM_ERFCX_C7));
    p = lanes_fma(p, t, lanes_set(LM_ERFCX_C6));
    p = lanes_fma(p, t, lanes_set(LM_ERFCX_C5));
    p = lanes_fma(p, t, lanes_set(LM_ERFCX_C4));
    p = lanes_fma(p, t, lanes_set(LM_ERFCX_C3));
    p = lanes_fma(p, t, lanes_set(LM_ERFCX_C2));
    p = lanes_fma(p, t, lanes_set(LM_ERFCX_C1));
    lanes half = lanes_mul(lanes_set(-0.5f), a), square = lanes_mul(half, a), rest = lanes_fms(half, a, square);
    lanes e = lanes_exp_apart(square);
    lanes tail = lanes_mul(lanes_mul(lanes_set(0.5f), lanes_mul(p, t)), lanes_fma(e, rest, e));
    return lanes_if_less(x, lanes_set(0.0f), lanes_mul(x, tail), lanes_fnma(x, tail, x));
}

LM_INLINE lanes lanes_act(int32_t act, lanes x) {
    switch (act) {
    case LM_KACT_SILU: return lanes_mul(x, lanes_sigmoid(x));
    case LM_KACT_GELU: return lanes_gelu(x);
    case LM_KACT_GELU_ERF: return lanes_gelu_erf(x);
    case LM_KACT_GELU_QUICK: return lanes_mul(x, lanes_sigmoid_apart(lanes_mul(lanes_set(LM_GELU_QUICK), x)));
    case LM_KACT_RELU: return lanes_at_least(x, 0.0f);
    case LM_KACT_SIGMOID: return lanes_sigmoid_apart(x);
    case LM_KACT_TANH: return lanes_tanh(x);
    case LM_KACT_SOFTPLUS: return lanes_softplus(x);
    default: return x;
    }
}

#endif
