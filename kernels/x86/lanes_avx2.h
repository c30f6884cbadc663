/* SPDX-License-Identifier: MIT
 * Sixteen float lanes on AVX2: two registers, lanes 0..7 and 8..15. See lanes/lanes.h for what each function means. */
#ifndef LM_KERNELS_LANES_AVX2_H
#define LM_KERNELS_LANES_AVX2_H

#include "../half.h"
#include "lanes_x86.h"

typedef struct lanes {
    __m256 a, b;
} lanes;

/* Attention's register tiles, rows by vectors of lanes: 12 sums, 2 operands and a broadcast fit
 * 16 registers; converted operands need more room.
 * HALF: the most rows where 16-bit floats are read in place. WIDEN_FROM: from how many rows a page of them is widened first. */
#define TILE_ROWS 3
#define TILE_ROWS_HALF 2
#define TILE_WIDE 2
#define TILE_WIDE_FEW 2
#define TILE_SHAPES(X) X(3, 2) X(2, 2) X(1, 2) X(3, 1) X(1, 1)
#define TILE_CODES(X) X(3) X(2) X(1)
#define WIDEN_FROM 9
#define DELTA_WIDE 2 /* vectors of lanes the delta rule takes at a time */

#define BOTH2(f, x, y) ((lanes){f((x).a, (y).a), f((x).b, (y).b)})
#define BOTH3(f, x, y, z) ((lanes){f((x).a, (y).a, (z).a), f((x).b, (y).b, (z).b)})

/* All ones in lanes below n. */
LM_INLINE __m256i lanes_first8(int32_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
LM_INLINE lanes lanes_set(float x) { return (lanes){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
LM_INLINE lanes lanes_load(const float *x) { return (lanes){_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)}; }
LM_INLINE lanes lanes_load_part(const float *x, int32_t n) {
    return (lanes){_mm256_maskload_ps(x, lanes_first8(n)), _mm256_maskload_ps(x + 8, lanes_first8(n - 8))};
}
LM_INLINE void lanes_store(float *y, lanes x) {
    _mm256_storeu_ps(y, x.a);
    _mm256_storeu_ps(y + 8, x.b);
}
LM_INLINE void lanes_store_part(float *y, lanes x, int32_t n) {
    _mm256_maskstore_ps(y, lanes_first8(n), x.a);
    _mm256_maskstore_ps(y + 8, lanes_first8(n - 8), x.b);
}

LM_INLINE lanes lanes_load_f16(const uint8_t *x) {
    return (lanes){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)x)),
                   _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)x + 1))};
}
LM_INLINE __m256 load_bf16_8(const uint8_t *x) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)x));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
LM_INLINE lanes lanes_load_bf16(const uint8_t *x) { return (lanes){load_bf16_8(x), load_bf16_8(x + 16)}; }
LM_INLINE lanes lanes_load_i8(const int8_t *x) {
    return (lanes){_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)x))),
                   _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(x + 8))))};
}
LM_INLINE void load_nibbles_8(const uint8_t *x, __m256 *low, __m256 *high) {
    __m256i both = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)x)), bias = _mm256_set1_epi32(8);
    *low = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_and_si256(both, _mm256_set1_epi32(15)), bias));
    *high = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(both, 4), bias));
}
LM_INLINE void lanes_load_nibbles(const uint8_t *x, lanes *low, lanes *high) {
    load_nibbles_8(x, &low->a, &high->a);
    load_nibbles_8(x + 8, &low->b, &high->b);
}
LM_INLINE void lanes_store_f16(uint8_t *y, lanes x) {
    _mm_storeu_si128((__m128i *)y, _mm256_cvtps_ph(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    _mm_storeu_si128((__m128i *)y + 1, _mm256_cvtps_ph(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
LM_INLINE __m256i round_bf16_8(__m256 x) {
    __m256i bits = _mm256_castps_si256(x), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    rounded = _mm256_blendv_epi8(rounded, _mm256_or_si256(bits, _mm256_set1_epi32(0x400000)), nan);
    return _mm256_srli_epi32(rounded, 16);
}
LM_INLINE void lanes_store_bf16(uint8_t *y, lanes x) {
    __m256i both = _mm256_packus_epi32(round_bf16_8(x.a), round_bf16_8(x.b));
    _mm256_storeu_si256((__m256i *)y, _mm256_permute4x64_epi64(both, 0xd8));
}
LM_INLINE __m256i round_codes_8(__m256 x) {
    return _mm256_cvtps_epi32(_mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q)));
}
LM_INLINE void lanes_store_codes(int8_t *y, lanes x) {
    __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi32(round_codes_8(x.a), round_codes_8(x.b)), 0xd8);
    _mm_storeu_si128((__m128i *)y, _mm_packs_epi16(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)));
}

LM_INLINE lanes lanes_add(lanes a, lanes b) { return BOTH2(_mm256_add_ps, a, b); }
LM_INLINE lanes lanes_sub(lanes a, lanes b) { return BOTH2(_mm256_sub_ps, a, b); }
LM_INLINE lanes lanes_mul(lanes a, lanes b) { return BOTH2(_mm256_mul_ps, a, b); }
LM_INLINE lanes lanes_div(lanes a, lanes b) { return BOTH2(_mm256_div_ps, a, b); }
LM_INLINE lanes lanes_fma(lanes a, lanes b, lanes c) { return BOTH3(_mm256_fmadd_ps, a, b, c); }
LM_INLINE lanes lanes_fms(lanes a, lanes b, lanes c) { return BOTH3(_mm256_fmsub_ps, a, b, c); }
LM_INLINE lanes lanes_fnma(lanes a, lanes b, lanes c) { return BOTH3(_mm256_fnmadd_ps, a, b, c); }
LM_INLINE lanes lanes_at_most(lanes x, float bound) { return BOTH2(_mm256_min_ps, lanes_set(bound), x); }
LM_INLINE lanes lanes_at_least(lanes x, float bound) { return BOTH2(_mm256_max_ps, lanes_set(bound), x); }
LM_INLINE lanes lanes_larger(lanes x, lanes best) { return BOTH2(_mm256_max_ps, x, best); }
LM_INLINE lanes lanes_abs(lanes x) { return BOTH2(_mm256_andnot_ps, lanes_set(-0.0f), x); }
LM_INLINE lanes lanes_neg(lanes x) { return BOTH2(_mm256_xor_ps, x, lanes_set(-0.0f)); }
LM_INLINE lanes lanes_copysign(lanes size, lanes sign) {
    lanes keep = lanes_set(-0.0f), bit = BOTH2(_mm256_and_ps, keep, sign), rest = BOTH2(_mm256_andnot_ps, keep, size);
    return BOTH2(_mm256_or_ps, bit, rest);
}
LM_INLINE __m256 if_less_8(__m256 a, __m256 b, __m256 then, __m256 otherwise) {
    return _mm256_blendv_ps(otherwise, then, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
LM_INLINE lanes lanes_if_less(lanes a, lanes b, lanes then, lanes otherwise) {
    return (lanes){if_less_8(a.a, b.a, then.a, otherwise.a), if_less_8(a.b, b.b, then.b, otherwise.b)};
}
LM_INLINE uint32_t lanes_equal(lanes a, lanes b) {
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a.a, b.a, _CMP_EQ_OQ)) |
           (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a.b, b.b, _CMP_EQ_OQ)) << 8;
}
LM_INLINE __m256 between_8(__m256 x, int32_t first, int32_t end, __m256 otherwise) {
    __m256i keep = _mm256_andnot_si256(lanes_first8(first), lanes_first8(end));
    return _mm256_blendv_ps(otherwise, x, _mm256_castsi256_ps(keep));
}
LM_INLINE lanes lanes_between(lanes x, int32_t first, int32_t end, float otherwise) {
    __m256 other = _mm256_set1_ps(otherwise);
    return (lanes){between_8(x.a, first, end, other), between_8(x.b, first - 8, end - 8, other)};
}
LM_INLINE __m256 scale_two_8(__m256 p, __m256 shifted) {
    __m256i bias = _mm256_set1_epi32(127),
            n = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32((int32_t)LM_ROUND_BITS));
    __m256i half = _mm256_srai_epi32(n, 1), rest = _mm256_sub_epi32(n, half);
    __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
    __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
    return _mm256_mul_ps(_mm256_mul_ps(p, a), b);
}
LM_INLINE lanes lanes_scale_two(lanes p, lanes shifted) { return BOTH2(scale_two_8, p, shifted); }

LM_INLINE float lanes_fold(lanes x) {
    __m256 a = _mm256_add_ps(x.a, x.b);
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}
LM_INLINE float lanes_fold_larger(lanes x) {
    __m256 a = _mm256_max_ps(x.a, x.b);
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}

LM_INLINE __m256 turn_pairs_8(__m256 x, __m256 cos_sin) {
    __m256 other = _mm256_permute_ps(x, 0xb1);
    return _mm256_fmaddsub_ps(x, _mm256_moveldup_ps(cos_sin), _mm256_mul_ps(other, _mm256_movehdup_ps(cos_sin)));
}
LM_INLINE lanes lanes_turn_pairs(lanes x, lanes cos_sin) { return BOTH2(turn_pairs_8, x, cos_sin); }
LM_INLINE __m256 even_8(__m256 low, __m256 high) {
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(low, high, 0x88)), 0xd8));
}
LM_INLINE __m256 odd_8(__m256 low, __m256 high) {
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(low, high, 0xdd)), 0xd8));
}
LM_INLINE void lanes_load_pairs(const float *x, lanes *even, lanes *odd) {
    lanes low = lanes_load(x), high = lanes_load(x + 16);
    *even = (lanes){even_8(low.a, low.b), even_8(high.a, high.b)};
    *odd = (lanes){odd_8(low.a, low.b), odd_8(high.a, high.b)};
}
LM_INLINE void transpose_8x8(const float *from, size_t from_stride, float *to, size_t to_stride) {
    __m256 x[8], y[8];
    LM_UNROLL(8)
    for (int i = 0; i < 8; i++) x[i] = _mm256_loadu_ps(from + i * from_stride);
    LM_UNROLL(4)
    for (int i = 0; i < 8; i += 4) { /* 4x4 within the halves of rows i .. i + 3 */
        __m256 a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
        __m256 c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
        y[i] = _mm256_shuffle_ps(a, c, 0x44), y[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        y[i + 2] = _mm256_shuffle_ps(b, d, 0x44), y[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    LM_UNROLL(4)
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(y[i], y[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(y[i], y[i + 4], 0x31));
    }
}
LM_INLINE void transpose_floats(const float *from, size_t from_stride, float *to, size_t to_stride) {
    for (int i = 0; i < 16; i += 8)
        for (int j = 0; j < 16; j += 8)
            transpose_8x8(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
}
LM_INLINE void lanes_prefetch(const void *at) { _mm_prefetch((const char *)at, _MM_HINT_T1); }

#undef BOTH
#undef BOTH2
#undef BOTH3

#endif
