/* SPDX-License-Identifier: MIT
 * Activations to int8 with AVX2: 32 values at a time in four registers. The two registers of a virtual half-vector keep the lanes of
 * the contract: elements 0-15 start the lanes, 16-31 are added with fma. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include "quantize_x86.h"

LM_TARGET_BEGIN("avx2,fma")

typedef struct quarter {
    __m256 u;
    __m256i q;
} quarter;

LM_INLINE quarter quantize8(const float *x, __m256 inverse) {
    __m256 u = _mm256_mul_ps(_mm256_loadu_ps(x), inverse);
    u = _mm256_and_ps(u, _mm256_cmp_ps(u, u, _CMP_ORD_Q)); /* a NaN counts as 0 */
    u = _mm256_min_ps(_mm256_max_ps(u, _mm256_set1_ps(-127)), _mm256_set1_ps(127));
    return (quarter){u, _mm256_cvtps_epi32(u)};
}

LM_INLINE int32_t sum32(__m256i v) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

LM_INLINE __m256 largest(const float *x, __m256 top) {
    for (int i = 0; i < 32; i += 8) /* of a NaN and a number, max keeps its second operand */
        top = _mm256_max_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_loadu_ps(x + i)), top);
    return top;
}

LM_INLINE float highest(__m256 v) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

/* 32 quants and the sums of their halves. */
LM_INLINE void store(const quarter *v, int8_t *q, int16_t *sum16) {
    __m256i low = _mm256_packs_epi32(v[0].q, v[1].q), high = _mm256_packs_epi32(v[2].q, v[3].q);
    __m256i bytes =
        _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)(void *)q, bytes);
    sum16[0] = (int16_t)sum32(_mm256_add_epi32(v[0].q, v[1].q));
    sum16[1] = (int16_t)sum32(_mm256_add_epi32(v[2].q, v[3].q));
}

LM_INLINE float agreement(const quarter *v) {
    __m256 a = _mm256_fmadd_ps(v[2].u, _mm256_cvtepi32_ps(v[2].q), _mm256_mul_ps(v[0].u, _mm256_cvtepi32_ps(v[0].q)));
    __m256 b = _mm256_fmadd_ps(v[3].u, _mm256_cvtepi32_ps(v[3].q), _mm256_mul_ps(v[1].u, _mm256_cvtepi32_ps(v[1].q)));
    a = _mm256_add_ps(a, b);
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

LM_INLINE int32_t squares(const quarter *v) {
    __m256i s = _mm256_add_epi32(_mm256_mullo_epi32(v[0].q, v[0].q), _mm256_mullo_epi32(v[1].q, v[1].q));
    return sum32(
        _mm256_add_epi32(s, _mm256_add_epi32(_mm256_mullo_epi32(v[2].q, v[2].q), _mm256_mullo_epi32(v[3].q, v[3].q))));
}

LM_INLINE void quantize(lm_acts *acts, int32_t c, const float *x, size_t group) {
    const lm_column column = lm_column_of(acts, c, group);
    for (size_t g = 0; g < column.n_groups; g++) {
        __m256 top8 = _mm256_setzero_ps();
        for (size_t i = 0; i < group; i += 32) top8 = largest(x + g * group + i, top8);
        float top = highest(top8), inverse = lm_quantize_inverse(top);
        column.scale[g] = inverse > 0 ? top / 127 : 0;
        for (size_t i = g * group; i < (g + 1) * group; i += 32) {
            quarter v[4];
            for (int j = 0; j < 4; j++) v[j] = quantize8(x + i + 8 * j, _mm256_set1_ps(inverse));
            store(v, column.q + i, column.sum16 + i / 16);
            column.sum32[i / 32] = (int16_t)(column.sum16[i / 16] + column.sum16[i / 16 + 1]);
            if (group == 32 && inverse > 0) column.scale[g] *= agreement(v) / (float)squares(v);
        }
    }
}

void LM_KERNEL lm_quantize_q8_32_avx2(lm_acts *acts, int32_t c, const float *x) { quantize(acts, c, x, 32); }
void LM_KERNEL lm_quantize_q8_256_avx2(lm_acts *acts, int32_t c, const float *x) { quantize(acts, c, x, 256); }

LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
