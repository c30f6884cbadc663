/* SPDX-License-Identifier: MIT
 * Products of the codebook types at level avx2, for any number of columns: a row's block is looked up into 256 int8 codes and 16
 * int16 scales on the stack, which then meet every column of a group. The look-ups are what limits decode, and no wider instruction
 * set makes them faster; in a batch they are shared by COLUMNS columns. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include <math.h>

#include "../blocks.h"
#include "../half.h"

LM_TARGET_BEGIN("avx2,f16c,fma")

struct expanded {
    int8_t q[256];
    int16_t scale[16]; /* of each 16 */
    float d;
};

/* 16 magnitudes at g0 and g1 (or four fours) with a sign bit each. */
LM_INLINE __m128i with_signs(__m128i x, uint32_t signs) {
    const __m128i bits = _mm_set1_epi64x((long long)0x8040201008040201u);
    __m128i each =
        _mm_shuffle_epi8(_mm_cvtsi32_si128((int)signs), _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
    __m128i negative = _mm_cmpeq_epi8(_mm_and_si128(each, bits), bits);
    return _mm_sub_epi8(_mm_xor_si128(x, negative), negative);
}
LM_INLINE __m128i two_eights(const void *a, const void *b) {
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)a), _mm_loadl_epi64((const __m128i *)b));
}
LM_INLINE __m128i four_fours(const uint8_t (*grid)[4], uint32_t i0, uint32_t i1, uint32_t i2, uint32_t i3) {
    int32_t w[4];
    memcpy(&w[0], grid[i0], 4), memcpy(&w[1], grid[i1], 4), memcpy(&w[2], grid[i2], 4), memcpy(&w[3], grid[i3], 4);
    return _mm_setr_epi32(w[0], w[1], w[2], w[3]);
}
LM_INLINE void put(struct expanded *e, int i, __m128i x) { _mm_storeu_si128((__m128i *)(void *)(e->q + 16 * i), x); }

LM_INLINE void expand_iq2xxs(struct expanded *e, const void *block) {
    const lm_block_iq2xxs *b = block;
    e->d = lm_load_f16(b->d) * 0.125f;
    for (int n = 0; n < 8; n++) {
        const uint8_t *index = b->qs + 8 * n;
        uint32_t w = lm_load_u32(index + 4);
        for (int h = 0; h < 2; h++) {
            uint32_t signs = lm_iq_signs[w >> 14 * h & 127] | (uint32_t)lm_iq_signs[w >> (14 * h + 7) & 127] << 8;
            put(e, 2 * n + h,
                with_signs(two_eights(lm_iq2xxs_grid[index[2 * h]], lm_iq2xxs_grid[index[2 * h + 1]]), signs));
            e->scale[2 * n + h] = (int16_t)(2 * (w >> 28) + 1);
        }
    }
}

LM_INLINE void expand_iq2xs(struct expanded *e, const void *block) {
    const lm_block_iq2xs *b = block;
    e->d = lm_load_f16(b->d) * 0.125f;
    for (int i = 0; i < 16; i++) {
        uint32_t q0 = lm_load_u16(b->qs + 4 * i), q1 = lm_load_u16(b->qs + 4 * i + 2);
        uint32_t signs = lm_iq_signs[q0 >> 9] | (uint32_t)lm_iq_signs[q1 >> 9] << 8;
        put(e, i, with_signs(two_eights(lm_iq2xs_grid[q0 & 511], lm_iq2xs_grid[q1 & 511]), signs));
        e->scale[i] = (int16_t)(2 * (b->scales[i / 2] >> 4 * (i % 2) & 15) + 1);
    }
}

LM_INLINE void expand_iq2s(struct expanded *e, const void *block) {
    const lm_block_iq2s *b = block;
    e->d = lm_load_f16(b->d) * 0.125f;
    for (int i = 0; i < 16; i++) {
        uint32_t high = (uint32_t)b->qh[i / 2] >> 4 * (i % 2);
        uint32_t i0 = b->qs[2 * i] | (high & 3) << 8, i1 = b->qs[2 * i + 1] | (high >> 2 & 3) << 8;
        put(e, i, with_signs(two_eights(lm_iq2s_grid[i0], lm_iq2s_grid[i1]), lm_load_u16(b->signs + 2 * i)));
        e->scale[i] = (int16_t)(2 * (b->scales[i / 2] >> 4 * (i % 2) & 15) + 1);
    }
}

LM_INLINE void expand_iq3xxs(struct expanded *e, const void *block) {
    const lm_block_iq3xxs *b = block;
    e->d = lm_load_f16(b->d) * 0.25f;
    for (int i = 0; i < 16; i++) {
        const uint8_t *q = b->qs + 4 * i;
        uint32_t w = lm_load_u32(b->gas + 4 * (i / 2)), pair = w >> 14 * (i % 2);
        uint32_t signs = lm_iq_signs[pair & 127] | (uint32_t)lm_iq_signs[pair >> 7 & 127] << 8;
        put(e, i, with_signs(four_fours(lm_iq3xxs_grid, q[0], q[1], q[2], q[3]), signs));
        e->scale[i] = (int16_t)(2 * (w >> 28) + 1);
    }
}

LM_INLINE void expand_iq3s(struct expanded *e, const void *block) {
    const lm_block_iq3s *b = block;
    e->d = lm_load_f16(b->d);
    for (int i = 0; i < 16; i++) {
        const uint8_t *q = b->qs + 4 * i;
        uint32_t high = (uint32_t)b->qh[i / 2] >> 4 * (i % 2);
        __m128i x = four_fours(lm_iq3s_grid, q[0] | (high & 1) << 8, q[1] | (high >> 1 & 1) << 8,
                               q[2] | (high >> 2 & 1) << 8, q[3] | (high >> 3 & 1) << 8);
        put(e, i, with_signs(x, lm_load_u16(b->signs + 2 * i)));
        e->scale[i] = (int16_t)(2 * (b->scales[i / 4] >> 4 * (i / 2 % 2) & 15) + 1);
    }
}

/* 8 * level + shift for levels -1, 0, 1 (as index 3, 0, 1); a shift of +-1 for each 8. */
LM_INLINE __m128i shifted(__m128i x, int shift0, int shift1) {
    const __m128i eight = _mm_setr_epi8(0, 8, 0, -8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    x = _mm_shuffle_epi8(eight, _mm_and_si128(x, _mm_set1_epi8(3)));
    return _mm_add_epi8(x, _mm_unpacklo_epi64(_mm_set1_epi8((char)shift0), _mm_set1_epi8((char)shift1)));
}

LM_INLINE void expand_iq1s(struct expanded *e, const void *block) {
    const lm_block_iq1s *b = block;
    e->d = lm_load_f16(b->d) * 0.125f;
    for (int i = 0; i < 16; i++) {
        uint32_t h = lm_load_u16(b->qh + 2 * (i / 2)), high = h >> 6 * (i % 2);
        uint32_t i0 = b->qs[2 * i] | (high & 7) << 8, i1 = b->qs[2 * i + 1] | (high >> 3 & 7) << 8;
        int shift = h >> 15 ? -1 : 1;
        put(e, i, shifted(two_eights(lm_iq1s_grid[i0], lm_iq1s_grid[i1]), shift, shift));
        e->scale[i] = (int16_t)(2 * (h >> 12 & 7) + 1);
    }
}

LM_INLINE void expand_iq1m(struct expanded *e, const void *block) {
    const lm_block_iq1m *b = block;
    uint8_t d[2] = {(uint8_t)(b->scales[1] >> 4 | (b->scales[3] & 0xf0)),
                    (uint8_t)(b->scales[5] >> 4 | (b->scales[7] & 0xf0))};
    e->d = lm_load_f16(d) * 0.125f;
    for (int i = 0; i < 16; i++) {
        uint32_t t = b->qh[i], i0 = b->qs[2 * i] | (t & 7) << 8, i1 = b->qs[2 * i + 1] | (t >> 4 & 7) << 8;
        put(e, i, shifted(two_eights(lm_iq1s_grid[i0], lm_iq1s_grid[i1]), t & 8 ? -1 : 1, t & 128 ? -1 : 1));
        e->scale[i] = (int16_t)(2 * (lm_load_u16(b->scales + 2 * (i / 4)) >> 3 * (i % 4) & 7) + 1);
    }
}

/* isum of a block and a column. |q| unsigned times the activation with the sign of q: pair sums at most 2 * 62 * 127 = 15748. */
LM_INLINE int32_t dot(const struct expanded *e, const int8_t *a) {
    __m256i sum = _mm256_setzero_si256();
    LM_UNROLL(8) for (int i = 0; i < 8; i++) {
        __m256i q = _mm256_loadu_si256((const __m256i *)(const void *)(e->q + 32 * i));
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(a + 32 * i));
        __m256i scale = _mm256_set_m128i(_mm_set1_epi16(e->scale[2 * i + 1]), _mm_set1_epi16(e->scale[2 * i]));
        __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(x, q));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, scale));
    }
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

enum { COLUMNS = 32 }; /* of k int8 values each: they stay in L2 */

#define DEFINE_PRODUCT(name)                                                                                           \
    static void product_##name(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first,    \
                               int32_t n, float *out, size_t out_stride) {                                             \
        const size_t k = (size_t)acts->k, n_blocks = k / 256;                                                          \
        for (int32_t c0 = 0; c0 < n; c0 += COLUMNS) {                                                                  \
            const int32_t columns = n - c0 < COLUMNS ? n - c0 : COLUMNS;                                               \
            const int8_t *a = acts->q + (size_t)(first + c0) * k;                                                      \
            const float *s = acts->scale + (size_t)(first + c0) * n_blocks;                                            \
            for (int32_t r = 0; r < n_rows; r++) {                                                                     \
                const uint8_t *b = (const uint8_t *)w + (size_t)r * row_bytes;                                         \
                float acc[COLUMNS] = {0};                                                                              \
                for (size_t kb = 0; kb < n_blocks; kb++, b += sizeof(lm_block_##name)) {                               \
                    struct expanded e;                                                                                 \
                    expand_##name(&e, b);                                                                              \
                    for (int32_t c = 0; c < columns; c++)                                                              \
                        acc[c] = fmaf(e.d * s[(size_t)c * n_blocks + kb],                                              \
                                      (float)dot(&e, a + (size_t)c * k + 256 * kb), acc[c]);                           \
                }                                                                                                      \
                for (int32_t c = 0; c < columns; c++) out[(size_t)(c0 + c) * out_stride + (size_t)r] = acc[c];         \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    void lm_matvec_##name##_avx2(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first,  \
                                 int32_t n, float *out, size_t out_stride) {                                           \
        product_##name(w, row_bytes, n_rows, acts, first, n, out, out_stride);                                         \
    }                                                                                                                  \
    void lm_matmul_##name##_avx2(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,                 \
                                 const void *panel, int32_t first, int32_t n, void *work, float *out,                  \
                                 size_t out_stride) {                                                                  \
        (void)panel, (void)work;                                                                                       \
        product_##name(w, row_bytes, n_rows, acts, first, n, out, out_stride);                                         \
    }
DEFINE_PRODUCT(iq2xxs)
DEFINE_PRODUCT(iq2xs)
DEFINE_PRODUCT(iq2s)
DEFINE_PRODUCT(iq3xxs)
DEFINE_PRODUCT(iq3s)
DEFINE_PRODUCT(iq1s)
DEFINE_PRODUCT(iq1m)
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
