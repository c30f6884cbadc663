/* SPDX-License-Identifier: MIT
 * Decode kernels of the types of codes_simple.h: per 32 weights one integer sum, one conversion, and the float steps of the
 * contract. The -OFFSET of the codes is a product with the sum of the activations. 512-bit vectors hold flat tiles (tiles.h): no
 * transposing add for every column, and the broadcasts of activations come with the dot products. With 256 bits those would be two
 * loads for each of half as many products, and lanes are faster. */
#define SCALE_GROUP 32
#include "matvec_body.h"
#include "tiles.h"

#if LANES == 4
/* acc + w . 16 or 32 activations */
LM_INLINE V flat_dot(V acc, const V *w, const int8_t *a, const int steps) {
    LM_UNROLL(8) for (int t = 0; t < steps; t++) acc = dp_bcast(acc, w[t], a + 4 * t);
    return acc;
}

#define SIMPLE_BLOCK(name, most, MINIMUM)                                                                              \
    FLAT_SIMPLE(name, 4)                                                                                               \
    LM_INLINE void name##_block(const struct rows *g, size_t kb, F acc[], const int nc) {                              \
        const struct quads quads = quads_of(g->w + (size_t)name##_BYTES * kb, g->stride);                              \
        F d = name##_scale(&quads), m = MINIMUM##_OF(name);                                                            \
        (void)m;                                                                                                       \
        for (int i = 0; i < name##_SUBS; i++) {                                                                        \
            size_t at = name##_SUBS * kb + (size_t)i;                                                                  \
            V w[8];                                                                                                    \
            name##_flat(w, &quads, i);                                                                                 \
            for (int c = 0; c < nc; c++) {                                                                             \
                V sums = bcast32(g->sum16 + (size_t)c * (g->k / 16) + 2 * at), isum = v_zero();                        \
                if (name##_OFFSET) isum = v_dot16(isum, v_set1((int)((-name##_OFFSET & 0xffffu) * 0x10001)), sums);    \
                isum = flat_dot(isum, w, g->q + (size_t)c * g->k + 32 * at, 8);                                        \
                F s = f_set1(g->scale[(size_t)c * g->n_scales + at]);                                                  \
                acc[c] = f_fma(f_mul(d, s), f_from_int(isum), acc[c]);                                                 \
                MINIMUM(name)                                                                                          \
            }                                                                                                          \
        }                                                                                                              \
    }
#else
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

#define SIMPLE_BLOCK(name, most, MINIMUM)                                                                              \
    LM_INLINE void name##_block(const struct rows *g, size_t kb, F acc[], const int nc) {                              \
        const struct quads quads = quads_of(g->w + (size_t)name##_BYTES * kb, g->stride);                              \
        F d = name##_scale(&quads), m = MINIMUM##_OF(name);                                                            \
        (void)m;                                                                                                       \
        for (int i = 0; i < name##_SUBS; i++) {                                                                        \
            size_t at = name##_SUBS * kb + (size_t)i;                                                                  \
            V x[4][2];                                                                                                 \
            LM_UNROLL(4) for (int j = 0; j < 4; j++) {                                                                 \
                V raw[2];                                                                                              \
                name##_load(raw, quads.at[j], quads.step, i);                                                          \
                name##_open(x[j], raw);                                                                                \
            }                                                                                                          \
            for (int c = 0; c < nc; c++) {                                                                             \
                V isum = isum32(g, at, (size_t)c, x, name##_OFFSET, name##_SIGNED, most < 16);                         \
                F s = f_set1(g->scale[(size_t)c * g->n_scales + at]);                                                  \
                acc[c] = f_fma(f_mul(d, s), f_from_int(isum), acc[c]);                                                 \
                MINIMUM(name)                                                                                          \
            }                                                                                                          \
        }                                                                                                              \
    }
#endif
#define NO_MINIMUM(name)
#define NO_MINIMUM_OF(name) f_zero()
#define WITH_MINIMUM_OF(name) name##_minimum(&quads)
#define WITH_MINIMUM(name) acc[c] = f_fma(f_mul(m, s), f_set1(g->sum32[(size_t)c * (g->k / 32) + at]), acc[c]);

/* One row group over all of k. A chunk is ROWS blocks; step i of a chunk prefetches the next chunk of row i. */
#define SIMPLE_GROUP(name, which, columns)                                                                             \
    static LM_APART void name##_rows_##which(const struct rows *g) {                                                   \
        const size_t n_blocks = g->k / (32 * name##_SUBS), bytes = name##_BYTES;                                       \
        F acc[MATVEC_COLUMNS];                                                                                         \
        for (int c = 0; c < columns; c++) acc[c] = f_zero();                                                           \
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
#define SIMPLE_TYPE(name) SIMPLE_GROUP(name, one, 1) SIMPLE_GROUP(name, some, g->n) DEFINE_MATVEC(name)
#if LANES == 4
#define SIMPLE_RARE(name) SIMPLE_GROUP(name, some, g->n) DEFINE_MATVEC_SOME(name)
#else
#define SIMPLE_RARE(name) SIMPLE_GROUP(name, one, 1) DEFINE_MATVEC_EACH(name)
#endif

/* Codes are at most: */
SIMPLE_BLOCK(q4_0, 15, NO_MINIMUM)
SIMPLE_BLOCK(q8_0, 255, NO_MINIMUM)
SIMPLE_TYPE(q4_0)
SIMPLE_TYPE(q8_0)

SIMPLE_BLOCK(iq4nl, 255, NO_MINIMUM)
SIMPLE_BLOCK(mxfp4, 24, NO_MINIMUM)
SIMPLE_RARE(iq4nl)
SIMPLE_TYPE(mxfp4)
SIMPLE_BLOCK(q4_1, 15, WITH_MINIMUM)
SIMPLE_BLOCK(q5_0, 31, NO_MINIMUM)
SIMPLE_BLOCK(q5_1, 31, WITH_MINIMUM)
SIMPLE_BLOCK(q1_0, 2, NO_MINIMUM)
SIMPLE_BLOCK(q2_0, 2, NO_MINIMUM)
SIMPLE_RARE(q4_1)
SIMPLE_RARE(q5_0)
SIMPLE_RARE(q5_1)
SIMPLE_RARE(q1_0)
SIMPLE_RARE(q2_0)

/* NVFP4: two groups of 16 per 32 activations, each with its own sum and scale. */
#if LANES == 4
FLAT_SIMPLE(nvfp4, 1)
#endif
LM_INLINE void nvfp4_block(const struct rows *g, size_t kb, F acc[], const int nc) {
    const struct quads quads = quads_of(g->w + (size_t)nvfp4_BYTES * kb, g->stride);
    V scales = v_dwords(&quads, 0);
    for (int i = 0; i < nvfp4_SUBS; i++) {
        size_t at = nvfp4_SUBS * kb + (size_t)i;
#if LANES == 4
        V w[8];
        nvfp4_flat(w, &quads, i);
#else
        V x[4][2], none = v_zero();
        LM_UNROLL(4) for (int j = 0; j < 4; j++) nvfp4_load(x[j], quads.at[j], quads.step, i);
#endif
        LM_UNROLL(2) for (int h = 0; h < 2; h++) {
            F d = nvfp4_scale(scales, 2 * i + h);
            for (int c = 0; c < nc; c++) {
                const int8_t *a = g->q + (size_t)c * g->k + 32 * at + 16 * (size_t)h;
                const int16_t *sum = g->sum16 + (size_t)c * (g->k / 16) + 2 * at + h;
#if LANES == 4
                V isum = flat_dot(v_set1(-nvfp4_OFFSET * *sum), w + 4 * h, a, 4);
#else
                V s[4], a16 = v_lane(a); /* 4 * 24 * 127 = 12192 */
                LM_UNROLL(4) for (int j = 0; j < 4; j++) {
                    V one[2] = {x[j][h], none};
                    s[j] = dot_small(one, a16, none);
                }
                V isum = v_hsum_small(v_set1(-nvfp4_OFFSET * *sum), s);
#endif
                F scale = f_mul(d, f_set1(g->scale[(size_t)c * g->n_scales + at]));
                acc[c] = f_fma(scale, f_from_int(isum), acc[c]);
            }
        }
    }
}
SIMPLE_RARE(nvfp4)
