/* SPDX-License-Identifier: MIT
 * Sixteen float lanes on AVX-512: one register. See lanes/lanes.h for what each function means. */
#ifndef LM_KERNELS_LANES_AVX512_H
#define LM_KERNELS_LANES_AVX512_H

#include "../half.h"
#include "lanes_x86.h"

typedef __m512 lanes;

/* Attention's register tiles, rows by vectors of lanes: 24 sums, 4 operands and a broadcast fit
 * 32 registers.
 * HALF: the most rows where 16-bit floats are read in place. WIDEN_FROM: from how many rows a page of them is widened first. */
#define TILE_ROWS 6
#define TILE_ROWS_HALF 6
#define TILE_WIDE 4
#define TILE_WIDE_FEW 4
#define TILE_SHAPES(X) X(6, 4) X(4, 4) X(3, 4) X(2, 4) X(1, 4) X(6, 1) X(1, 1)
#define TILE_CODES(X) X(6) X(4) X(2) X(1)
#define WIDEN_FROM INT32_MAX
#define DELTA_WIDE 4 /* vectors of lanes the delta rule takes at a time */

LM_INLINE __mmask16 lanes_first(int32_t n) { return (__mmask16)((1u << n) - 1); }
LM_INLINE lanes lanes_set(float x) { return _mm512_set1_ps(x); }
LM_INLINE lanes lanes_load(const float *x) { return _mm512_loadu_ps(x); }
LM_INLINE lanes lanes_load_part(const float *x, int32_t n) { return _mm512_maskz_loadu_ps(lanes_first(n), x); }
LM_INLINE void lanes_store(float *y, lanes x) { _mm512_storeu_ps(y, x); }
LM_INLINE void lanes_store_part(float *y, lanes x, int32_t n) { _mm512_mask_storeu_ps(y, lanes_first(n), x); }

LM_INLINE lanes lanes_load_f16(const uint8_t *x) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)x)); }
LM_INLINE lanes lanes_load_bf16(const uint8_t *x) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)x));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
LM_INLINE lanes lanes_load_i8(const int8_t *x) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)x)));
}
LM_INLINE void lanes_load_nibbles(const uint8_t *x, lanes *low, lanes *high) {
    __m512 codes = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7); /* looked up by four bits */
    __m512i both = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)x));
    *low = _mm512_permutexvar_ps(both, codes);
    *high = _mm512_permutexvar_ps(_mm512_srli_epi32(both, 4), codes);
}
LM_INLINE void lanes_store_f16(uint8_t *y, lanes x) {
    _mm256_storeu_si256((__m256i *)y, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
LM_INLINE void lanes_store_bf16(uint8_t *y, lanes x) {
    __m512i bits = _mm512_castps_si512(x), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    _mm256_storeu_si256((__m256i *)y, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
}
LM_INLINE void lanes_store_codes(int8_t *y, lanes x) {
    x = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x);
    _mm_storeu_si128((__m128i *)y, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}

LM_INLINE lanes lanes_add(lanes a, lanes b) { return _mm512_add_ps(a, b); }
LM_INLINE lanes lanes_sub(lanes a, lanes b) { return _mm512_sub_ps(a, b); }
LM_INLINE lanes lanes_mul(lanes a, lanes b) { return _mm512_mul_ps(a, b); }
LM_INLINE lanes lanes_div(lanes a, lanes b) { return _mm512_div_ps(a, b); }
LM_INLINE lanes lanes_fma(lanes a, lanes b, lanes c) { return _mm512_fmadd_ps(a, b, c); }
LM_INLINE lanes lanes_fms(lanes a, lanes b, lanes c) { return _mm512_fmsub_ps(a, b, c); }
LM_INLINE lanes lanes_fnma(lanes a, lanes b, lanes c) { return _mm512_fnmadd_ps(a, b, c); }
LM_INLINE lanes lanes_at_most(lanes x, float bound) { return _mm512_min_ps(_mm512_set1_ps(bound), x); }
LM_INLINE lanes lanes_at_least(lanes x, float bound) { return _mm512_max_ps(_mm512_set1_ps(bound), x); }
LM_INLINE lanes lanes_larger(lanes x, lanes best) { return _mm512_max_ps(x, best); }
LM_INLINE lanes lanes_abs(lanes x) { return _mm512_abs_ps(x); }
LM_INLINE lanes lanes_neg(lanes x) { return _mm512_xor_ps(x, _mm512_set1_ps(-0.0f)); }
LM_INLINE lanes lanes_copysign(lanes size, lanes sign) {
    __m512i keep = _mm512_set1_epi32(INT32_MIN); /* bit by bit: keep ? sign : size */
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(keep, _mm512_castps_si512(sign), _mm512_castps_si512(size), 0xca));
}
LM_INLINE lanes lanes_if_less(lanes a, lanes b, lanes then, lanes otherwise) {
    return _mm512_mask_mov_ps(otherwise, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), then);
}
LM_INLINE uint32_t lanes_equal(lanes a, lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
LM_INLINE lanes lanes_between(lanes x, int32_t first, int32_t end, float otherwise) {
    first = first < 0 ? 0 : first > 16 ? 16 : first, end = end < 0 ? 0 : end > 16 ? 16 : end;
    __mmask16 keep = (__mmask16)(lanes_first(end) & ~lanes_first(first));
    return _mm512_mask_mov_ps(_mm512_set1_ps(otherwise), keep, x);
}
LM_INLINE lanes lanes_scale_two(lanes p, lanes shifted) {
    return _mm512_scalef_ps(p, _mm512_sub_ps(shifted, _mm512_set1_ps(LM_ROUND_MAGIC)));
}

LM_INLINE float lanes_fold(lanes x) {
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}
LM_INLINE float lanes_fold_larger(lanes x) {
    __m256 a = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}

LM_INLINE lanes lanes_turn_pairs(lanes x, lanes cos_sin) {
    lanes other = _mm512_permute_ps(x, 0xb1);
    return _mm512_fmaddsub_ps(x, _mm512_moveldup_ps(cos_sin), _mm512_mul_ps(other, _mm512_movehdup_ps(cos_sin)));
}
LM_INLINE void lanes_load_pairs(const float *x, lanes *even, lanes *odd) {
    lanes low = lanes_load(x), high = lanes_load(x + 16);
    __m512i at = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    *even = _mm512_permutex2var_ps(low, at, high);
    *odd = _mm512_permutex2var_ps(low, _mm512_add_epi32(at, _mm512_set1_epi32(1)), high);
}
LM_INLINE void transpose_floats(const float *from, size_t from_stride, float *to, size_t to_stride) {
    __m512 x[16], y[16];
    LM_UNROLL(16)
    for (int i = 0; i < 16; i++) x[i] = _mm512_loadu_ps(from + i * from_stride);
    LM_UNROLL(4) /* rows i and i + 8 interleave: a bit of the row number moves into the column number */
    for (int round = 0; round < 4; round++) {
        __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
        LM_UNROLL(8)
        for (int i = 0; i < 8; i++) {
            y[2 * i] = _mm512_permutex2var_ps(x[i], low, x[i + 8]);
            y[2 * i + 1] = _mm512_permutex2var_ps(x[i], high, x[i + 8]);
        }
        LM_UNROLL(16)
        for (int i = 0; i < 16; i++) x[i] = y[i];
    }
    LM_UNROLL(16)
    for (int i = 0; i < 16; i++) _mm512_storeu_ps(to + i * to_stride, x[i]);
}
LM_INLINE void lanes_prefetch(const void *at) { _mm_prefetch((const char *)at, _MM_HINT_T1); }

#endif
