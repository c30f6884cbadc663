/* SPDX-License-Identifier: MIT
 * Sixteen float lanes on NEON: four registers, in order. See lanes/lanes.h for what each function means. Maxima and bounds are
 * comparisons and selections, as the instructions for them treat NaN and signed zeros in their own way. */
#ifndef LM_KERNELS_LANES_NEON_H
#define LM_KERNELS_LANES_NEON_H

#include "../half.h"

typedef struct lanes {
    float32x4_t v[4];
} lanes;

/* Attention's register tiles, rows by vectors of lanes: 24 sums, 4 operands and a broadcast fit 32 registers. HALF: the most
 * rows where 16-bit floats are read in place; FEW: the width where there are at most two rows. WIDEN_FROM: from how many rows
 * a page of 16-bit floats is widened first. */
#define TILE_ROWS 6
#define TILE_ROWS_HALF 6
#define TILE_WIDE 1
#define TILE_WIDE_FEW 2
#define TILE_SHAPES(X) X(6, 1) X(4, 1) X(3, 1) X(2, 2) X(2, 1) X(1, 2) X(1, 1)
#define TILE_CODES(X) X(2) X(1)
#define WIDEN_FROM 13
#define DELTA_WIDE 1 /* vectors of lanes the delta rule takes at a time */

#define EACH(name, expression)                                                                                         \
    lanes name;                                                                                                        \
    LM_UNROLL(4)                                                                                                       \
    for (int i = 0; i < 4; i++) name.v[i] = (expression)

LM_INLINE lanes lanes_set(float x) {
    EACH(y, vdupq_n_f32(x));
    return y;
}
LM_INLINE lanes lanes_load(const float *x) {
    EACH(y, vld1q_f32(x + 4 * i));
    return y;
}
LM_INLINE void lanes_store(float *y, lanes x) {
    LM_UNROLL(4)
    for (int i = 0; i < 4; i++) vst1q_f32(y + 4 * i, x.v[i]);
}
LM_INLINE lanes lanes_load_part(const float *x, int32_t n) {
    float whole[16] = {0};
    if (n == 16) return lanes_load(x);
    memcpy(whole, x, (size_t)n * sizeof(float));
    return lanes_load(whole);
}
LM_INLINE void lanes_store_part(float *y, lanes x, int32_t n) {
    float whole[16];
    if (n == 16) {
        lanes_store(y, x);
        return;
    }
    lanes_store(whole, x);
    memcpy(y, whole, (size_t)n * sizeof(float));
}

LM_INLINE uint16x4_t load_four(const uint8_t *x) { return vreinterpret_u16_u8(vld1_u8(x)); }
LM_INLINE void store_four(uint8_t *y, uint16x4_t x) { vst1_u8(y, vreinterpret_u8_u16(x)); }
LM_INLINE lanes lanes_load_f16(const uint8_t *x) {
    EACH(y, vcvt_f32_f16(vreinterpret_f16_u16(load_four(x + 8 * i))));
    return y;
}
LM_INLINE lanes lanes_load_bf16(const uint8_t *x) {
    EACH(y, vreinterpretq_f32_u32(vshll_n_u16(load_four(x + 8 * i), 16)));
    return y;
}
LM_INLINE lanes codes_to_lanes(int8x16_t codes) {
    int16x8_t low = vmovl_s8(vget_low_s8(codes)), high = vmovl_s8(vget_high_s8(codes));
    return (lanes){{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
                    vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
}
LM_INLINE lanes lanes_load_i8(const int8_t *x) { return codes_to_lanes(vld1q_s8(x)); }
LM_INLINE void lanes_store_f16(uint8_t *y, lanes x) {
    LM_UNROLL(4)
    for (int i = 0; i < 4; i++) store_four(y + 8 * i, vreinterpret_u16_f16(vcvt_f16_f32(x.v[i])));
}
LM_INLINE void lanes_store_bf16(uint8_t *y, lanes x) {
    LM_UNROLL(4)
    for (int i = 0; i < 4; i++) {
        uint32x4_t bits = vreinterpretq_u32_f32(x.v[i]), odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
        uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
        rounded = vbslq_u32(vceqq_f32(x.v[i], x.v[i]), rounded, vorrq_u32(bits, vdupq_n_u32(0x400000)));
        store_four(y + 8 * i, vshrn_n_u32(rounded, 16));
    }
}
LM_INLINE int16x4_t round_codes(float32x4_t x) { return vmovn_s32(vcvtnq_s32_f32(x)); }
LM_INLINE void lanes_store_codes(int8_t *y, lanes x) {
    int16x8_t low = vcombine_s16(round_codes(x.v[0]), round_codes(x.v[1]));
    int16x8_t high = vcombine_s16(round_codes(x.v[2]), round_codes(x.v[3]));
    vst1q_s8(y, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}

LM_INLINE lanes lanes_add(lanes a, lanes b) {
    EACH(y, vaddq_f32(a.v[i], b.v[i]));
    return y;
}
LM_INLINE lanes lanes_sub(lanes a, lanes b) {
    EACH(y, vsubq_f32(a.v[i], b.v[i]));
    return y;
}
LM_INLINE lanes lanes_mul(lanes a, lanes b) {
    EACH(y, vmulq_f32(a.v[i], b.v[i]));
    return y;
}
LM_INLINE lanes lanes_div(lanes a, lanes b) {
    EACH(y, vdivq_f32(a.v[i], b.v[i]));
    return y;
}
LM_INLINE lanes lanes_fma(lanes a, lanes b, lanes c) {
    EACH(y, vfmaq_f32(c.v[i], a.v[i], b.v[i]));
    return y;
}
LM_INLINE lanes lanes_fms(lanes a, lanes b, lanes c) {
    EACH(y, vfmaq_f32(vnegq_f32(c.v[i]), a.v[i], b.v[i]));
    return y;
}
LM_INLINE lanes lanes_fnma(lanes a, lanes b, lanes c) {
    EACH(y, vfmsq_f32(c.v[i], a.v[i], b.v[i]));
    return y;
}
LM_INLINE lanes lanes_at_most(lanes x, float bound) {
    float32x4_t bounds = vdupq_n_f32(bound);
    EACH(y, vbslq_f32(vcgtq_f32(x.v[i], bounds), bounds, x.v[i]));
    return y;
}
LM_INLINE lanes lanes_at_least(lanes x, float bound) {
    float32x4_t bounds = vdupq_n_f32(bound);
    EACH(y, vbslq_f32(vcltq_f32(x.v[i], bounds), bounds, x.v[i]));
    return y;
}
LM_INLINE lanes lanes_larger(lanes x, lanes best) {
    EACH(y, vbslq_f32(vcgtq_f32(x.v[i], best.v[i]), x.v[i], best.v[i]));
    return y;
}
LM_INLINE lanes lanes_abs(lanes x) {
    EACH(y, vabsq_f32(x.v[i]));
    return y;
}
LM_INLINE lanes lanes_neg(lanes x) {
    EACH(y, vnegq_f32(x.v[i]));
    return y;
}
LM_INLINE lanes lanes_copysign(lanes size, lanes sign) {
    EACH(y, vbslq_f32(vdupq_n_u32(0x80000000u), sign.v[i], size.v[i]));
    return y;
}
LM_INLINE lanes lanes_if_less(lanes a, lanes b, lanes then, lanes otherwise) {
    EACH(y, vbslq_f32(vcltq_f32(a.v[i], b.v[i]), then.v[i], otherwise.v[i]));
    return y;
}
LM_INLINE uint32_t lanes_equal(lanes a, lanes b) {
    static const uint32_t bits[4] = {1, 2, 4, 8};
    uint32_t mask = 0;
    for (int i = 0; i < 4; i++) mask |= vaddvq_u32(vandq_u32(vceqq_f32(a.v[i], b.v[i]), vld1q_u32(bits))) << 4 * i;
    return mask;
}
LM_INLINE lanes lanes_between(lanes x, int32_t first, int32_t end, float otherwise) {
    static const int32_t numbers[4] = {0, 1, 2, 3};
    int32x4_t number = vld1q_s32(numbers);
    EACH(y, vbslq_f32(
                vandq_u32(vcgeq_s32(number, vdupq_n_s32(first - 4 * i)), vcltq_s32(number, vdupq_n_s32(end - 4 * i))),
                x.v[i], vdupq_n_f32(otherwise)));
    return y;
}
LM_INLINE float32x4_t scale_two(float32x4_t p, float32x4_t shifted) {
    int32x4_t bias = vdupq_n_s32(127),
              n = vsubq_s32(vreinterpretq_s32_f32(shifted), vdupq_n_s32((int32_t)LM_ROUND_BITS));
    int32x4_t half = vshrq_n_s32(n, 1), rest = vsubq_s32(n, half);
    float32x4_t a = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23));
    float32x4_t b = vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(rest, bias), 23));
    return vmulq_f32(vmulq_f32(p, a), b);
}
LM_INLINE lanes lanes_scale_two(lanes p, lanes shifted) {
    EACH(y, scale_two(p.v[i], shifted.v[i]));
    return y;
}

LM_INLINE float lanes_fold(lanes x) {
    float32x4_t a = vaddq_f32(vaddq_f32(x.v[0], x.v[2]), vaddq_f32(x.v[1], x.v[3]));
    float32x2_t b = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(b, 0) + vget_lane_f32(b, 1);
}
LM_INLINE float lanes_fold_larger(lanes x) { /* no NaN among the lanes; the sign of a zero maximum is open */
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(x.v[0], x.v[1]), vmaxq_f32(x.v[2], x.v[3])));
}

LM_INLINE lanes lanes_turn_pairs(lanes x, lanes cos_sin) {
    static const uint32_t signs[4] = {0x80000000u, 0, 0x80000000u, 0};
    lanes y;
    LM_UNROLL(4)
    for (int i = 0; i < 4; i++) {
        float32x4_t cosine = vtrn1q_f32(cos_sin.v[i], cos_sin.v[i]), sine = vtrn2q_f32(cos_sin.v[i], cos_sin.v[i]);
        uint32x4_t other = vreinterpretq_u32_f32(vmulq_f32(vrev64q_f32(x.v[i]), sine));
        y.v[i] = vfmaq_f32(vreinterpretq_f32_u32(veorq_u32(other, vld1q_u32(signs))), x.v[i], cosine);
    }
    return y;
}
LM_INLINE void lanes_load_pairs(const float *x, lanes *even, lanes *odd) {
    LM_UNROLL(4)
    for (int i = 0; i < 4; i++) {
        float32x4x2_t pairs = vld2q_f32(x + 8 * i);
        even->v[i] = pairs.val[0], odd->v[i] = pairs.val[1];
    }
}

LM_INLINE float load_f16(const uint8_t *x) {
    return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(lm_load_u16(x)))), 0);
}
LM_INLINE void lanes_load_nibbles(const uint8_t *x, lanes *low, lanes *high) {
    uint8x16_t both = vld1q_u8(x);
    int8x16_t bias = vdupq_n_s8(8);
    *low = codes_to_lanes(vsubq_s8(vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15))), bias));
    *high = codes_to_lanes(vsubq_s8(vreinterpretq_s8_u8(vshrq_n_u8(both, 4)), bias));
}
LM_INLINE void transpose_floats(const float *from, size_t from_stride, float *to, size_t to_stride) {
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 16; j += 4) {
            const float *x = from + i * from_stride + j;
            float *y = to + j * to_stride + i;
            float32x4_t a = vld1q_f32(x), b = vld1q_f32(x + from_stride), c = vld1q_f32(x + 2 * from_stride);
            float32x4_t d = vld1q_f32(x + 3 * from_stride);
            float32x4_t ac = vzip1q_f32(a, c), ac2 = vzip2q_f32(a, c), bd = vzip1q_f32(b, d), bd2 = vzip2q_f32(b, d);
            vst1q_f32(y, vzip1q_f32(ac, bd)), vst1q_f32(y + to_stride, vzip2q_f32(ac, bd));
            vst1q_f32(y + 2 * to_stride, vzip1q_f32(ac2, bd2)), vst1q_f32(y + 3 * to_stride, vzip2q_f32(ac2, bd2));
        }
}
LM_INLINE void lanes_prefetch(const void *at) { __builtin_prefetch(at, 0, 2); }

#undef EACH

#endif
