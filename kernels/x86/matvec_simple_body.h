/* SPDX-License-Identifier: MIT
 * Decode kernels of the types of codes_simple.h: per 32 weights one integer sum, one conversion, and the float steps of the
 * contract. The -OFFSET of the codes is a product with the sum of the activations. */
#define SCALE_GROUP 32
#include "matvec_body.h"

#if HAVE_VNNI
LM_INLINE V dot_small(const V x[2], V a, V b) { return dp(dp(v_zero(), x[0], a), x[1], b); }
#define dot_signed dot_small
#else
/* vpmaddubsw leaves 8 int16 pair sums per lane. Codes up to 31: 4 * 31 * 127 = 15748, no saturation. */
LM_INLINE V dot_small(const V x[2], V a, V b) {
    return v_madd16(v_add16(_mm256_maddubs_epi16(x[0], a), _mm256_maddubs_epi16(x[1], b)), _mm256_set1_epi16(1));
}
/* |w| <= 128 unsigned times a with the sign of w: pair sums <= 2*128*127 = 32512. */
LM_INLINE V dot_signed(const V x[2], V a, V b) {
    V one = _mm256_set1_epi16(1);
    V s = _mm256_maddubs_epi16(_mm256_abs_epi8(x[0]), _mm256_sign_epi8(a, x[0]));
    V t = _mm256_maddubs_epi16(_mm256_abs_epi8(x[1]), _mm256_sign_epi8(b, x[1]));
    return v_add32(v_madd16(s, one), v_madd16(t, one));
}
#endif

/* isum of 32 weights of ROWS rows and column c; small: partial sums of 8 products are at most 16383. */
LM_INLINE V isum32(const struct rows *g, size_t at, size_t c, V x[4][2], const int offset, const int is_signed,
                   const int small) {
    const int8_t *a = g->q + c * g->k + 32 * at;
    V a0 = v_lane(a), a1 = v_lane(a + 16), s[4];
    LM_UNROLL(4) for (int j = 0; j < 4; j++) s[j] = is_signed ? dot_signed(x[j], a0, a1) : dot_small(x[j], a0, a1);
    if (small && offset) return v_hsum_small(v_set1(-offset * g->sum32[c * (g->k / 32) + at]), s);
    if (small) return v_hsum_small(v_zero(), s);
    V sum = v_hsum(s);
    return offset ? v_add32(sum, v_set1(-offset * g->sum32[c * (g->k / 32) + at])) : sum;
}

#define SIMPLE_BLOCK(name, small, MINIMUM)                                                                             \
    LM_INLINE void name##_block(const struct rows *g, size_t kb, F acc[], const int nc) {                              \
        const uint8_t *p = g->w + (size_t)name##_BYTES * kb;                                                           \
        F d = name##_scale(p, g->stride);                                                                              \
        for (int i = 0; i < name##_SUBS; i++) {                                                                        \
            size_t at = name##_SUBS * kb + (size_t)i;                                                                  \
            V x[4][2];                                                                                                 \
            LM_UNROLL(4) for (int j = 0; j < 4; j++) name##_codes(x[j], p + (size_t)j * g->stride, 4 * g->stride, i);  \
            for (int c = 0; c < nc; c++) {                                                                             \
                V isum = isum32(g, at, (size_t)c, x, name##_OFFSET, name##_SIGNED, small);                             \
                F s = f_set1(g->scale[(size_t)c * g->n_scales + at]);                                                  \
                acc[c] = f_fma(f_mul(d, s), f_from_int(isum), acc[c]);                                                 \
                MINIMUM(name)                                                                                          \
            }                                                                                                          \
        }                                                                                                              \
    }
#define NO_MINIMUM(name)
#define WITH_MINIMUM(name)                                                                                             \
    acc[c] = f_fma(f_mul(name##_minimum(p, g->stride), s), f_set1(g->sum32[(size_t)c * (g->k / 32) + at]), acc[c]);

/* One row group over all of k. A chunk is ROWS blocks; step i of a chunk prefetches the next chunk of row i. */
#define SIMPLE_GROUP(name, which, columns)                                                                             \
    static LM_APART void name##_rows_##which(const struct rows *g) {                                                   \
        const size_t n_blocks = g->k / (32 * name##_SUBS), bytes = name##_BYTES;                                       \
        F acc[4] = {f_zero(), f_zero(), f_zero(), f_zero()};                                                           \
        for (size_t kb = 0; kb < n_blocks;) {                                                                          \
            size_t end = kb + ROWS < n_blocks ? kb + ROWS : n_blocks;                                                  \
            const uint8_t *near = end < n_blocks ? g->w + end * bytes : g->w + ROWS * g->stride;                       \
            for (; kb < end; kb++, near += g->stride) {                                                                \
                prefetch(g->ahead + kb * (bytes * ROWS), name##_BYTES * ROWS, _MM_HINT_T1);                            \
                prefetch(near, name##_BYTES *ROWS, _MM_HINT_T0);                                                       \
                name##_block(g, kb, acc, columns);                                                                     \
            }                                                                                                          \
        }                                                                                                              \
        rows_done(g, acc, columns);                                                                                    \
    }
#define SIMPLE_TYPE(name) SIMPLE_GROUP(name, one, 1) WITH_SOME(SIMPLE_GROUP(name, some, g->n)) DEFINE_MATVEC(name)

SIMPLE_BLOCK(q4_0, 1, NO_MINIMUM)
SIMPLE_BLOCK(q8_0, 0, NO_MINIMUM)
SIMPLE_TYPE(q4_0)
SIMPLE_TYPE(q8_0)

#ifndef COMMON_TYPES_ONLY
SIMPLE_BLOCK(iq4nl, 0, NO_MINIMUM)
SIMPLE_BLOCK(mxfp4, 0, NO_MINIMUM)
SIMPLE_TYPE(iq4nl)
SIMPLE_TYPE(mxfp4)
SIMPLE_BLOCK(q4_1, 1, WITH_MINIMUM)
SIMPLE_BLOCK(q5_0, 0, NO_MINIMUM)
SIMPLE_BLOCK(q5_1, 0, WITH_MINIMUM)
SIMPLE_BLOCK(q1_0, 1, NO_MINIMUM)
SIMPLE_BLOCK(q2_0, 1, NO_MINIMUM)
SIMPLE_TYPE(q4_1)
SIMPLE_TYPE(q5_0)
SIMPLE_TYPE(q5_1)
SIMPLE_TYPE(q1_0)
SIMPLE_TYPE(q2_0)

/* NVFP4: two groups of 16 per 32 activations, each with its own sum and scale. */
LM_INLINE void nvfp4_block(const struct rows *g, size_t kb, F acc[], const int nc) {
    const uint8_t *p = g->w + (size_t)nvfp4_BYTES * kb;
    V scales = v_dwords(p, g->stride), none = v_zero();
    for (int i = 0; i < nvfp4_SUBS; i++) {
        size_t at = nvfp4_SUBS * kb + (size_t)i;
        V x[4][2];
        LM_UNROLL(4) for (int j = 0; j < 4; j++) nvfp4_codes(x[j], p + (size_t)j * g->stride, 4 * g->stride, i);
        LM_UNROLL(2) for (int h = 0; h < 2; h++) {
            F d = nvfp4_scale(scales, 2 * i + h);
            for (int c = 0; c < nc; c++) {
                V a = v_lane(g->q + (size_t)c * g->k + 32 * at + 16 * (size_t)h), s[4]; /* 4 * 24 * 127 = 12192 */
                LM_UNROLL(4) for (int j = 0; j < 4; j++) {
                    V one[2] = {x[j][h], none};
                    s[j] = dot_small(one, a, none);
                }
                V isum =
                    v_hsum_small(v_set1(-nvfp4_OFFSET * g->sum16[(size_t)c * (g->k / 16) + 2 * at + (size_t)h]), s);
                F scale = f_mul(d, f_set1(g->scale[(size_t)c * g->n_scales + at]));
                acc[c] = f_fma(scale, f_from_int(isum), acc[c]);
            }
        }
    }
}
SIMPLE_TYPE(nvfp4)
#endif
