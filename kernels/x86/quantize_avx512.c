/* SPDX-License-Identifier: MIT
 * Activations to int8 with AVX-512: 32 values at a time in two registers, whose lanes are the virtual lanes of the contract. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include "quantize_x86.h"

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")

typedef struct half {
    __m512 u;
    __m512i q;
} half;

LM_INLINE half quantize16(const float *x, __m512 inverse) {
    __m512 u = _mm512_mul_ps(_mm512_loadu_ps(x), inverse);
    u = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(u, u, _CMP_ORD_Q), u); /* a NaN counts as 0 */
    u = _mm512_min_ps(_mm512_max_ps(u, _mm512_set1_ps(-127)), _mm512_set1_ps(127));
    return (half){u, _mm512_cvtps_epi32(u)};
}

LM_INLINE __m512 largest(const float *x, __m512 top) { /* of a NaN and a number, max keeps its second operand */
    top = _mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(x)), top);
    return _mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(x + 16)), top);
}

/* The fold of the contract: lane i += lane i+8, then i+4, i+2, i+1. */
LM_INLINE float fold(__m512 v) {
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

LM_INLINE void quantize(lm_acts *acts, int32_t c, const float *x, size_t group) {
    const lm_column column = lm_column_of(acts, c, group);
    for (size_t g = 0; g < column.n_groups; g++) {
        __m512 top16 = _mm512_setzero_ps();
        for (size_t i = 0; i < group; i += 32) top16 = largest(x + g * group + i, top16);
        float top = _mm512_reduce_max_ps(top16), inverse = lm_quantize_inverse(top);
        column.scale[g] = inverse > 0 ? top / 127 : 0;
        for (size_t i = g * group; i < (g + 1) * group; i += 32) {
            half a = quantize16(x + i, _mm512_set1_ps(inverse)), b = quantize16(x + i + 16, _mm512_set1_ps(inverse));
            _mm_storeu_si128((__m128i *)(void *)(column.q + i), _mm512_cvtepi32_epi8(a.q));
            _mm_storeu_si128((__m128i *)(void *)(column.q + i + 16), _mm512_cvtepi32_epi8(b.q));
            int32_t first = _mm512_reduce_add_epi32(a.q), second = _mm512_reduce_add_epi32(b.q);
            column.sum16[i / 16] = (int16_t)first;
            column.sum16[i / 16 + 1] = (int16_t)second;
            column.sum32[i / 32] = (int16_t)(first + second);
            if (group != 32 || !(inverse > 0)) continue;
            __m512 lanes = _mm512_fmadd_ps(b.u, _mm512_cvtepi32_ps(b.q), _mm512_mul_ps(a.u, _mm512_cvtepi32_ps(a.q)));
            int32_t squares =
                _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_mullo_epi32(a.q, a.q), _mm512_mullo_epi32(b.q, b.q)));
            column.scale[g] *= fold(lanes) / (float)squares;
        }
    }
}

void LM_KERNEL lm_quantize_q8_32_avx512(lm_acts *acts, int32_t c, const float *x) { quantize(acts, c, x, 32); }
void LM_KERNEL lm_quantize_q8_256_avx512(lm_acts *acts, int32_t c, const float *x) { quantize(acts, c, x, 256); }

LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
