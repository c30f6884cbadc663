/* SPDX-License-Identifier: MIT
 * Decode kernels of the types of codes_k.h. Partial sums of a sub-block fit int16, so two of them are packed and multiplied by
 * their scales in one instruction; the transposing add comes once per 256 weights. */
#define SCALE_GROUP 256
#include "matvec_body.h"
#include "tiles.h"

/* Part t of 16 of the prefetches of one block. */
LM_INLINE void prefetch_part(const uint8_t *far, const uint8_t *near, size_t stride, const int bytes, int t) {
    const int step = bytes * ROWS / 16;
    KEEP_ORDER;
    prefetch(far + t * step, step, _MM_HINT_T1);
    if (ROWS == 16 || t % 2 == 0) prefetch(near + (size_t)(t * ROWS / 16) * stride, bytes, _MM_HINT_T0);
}

#if LANES == 4
/* Integer scales (s, s') of neighbouring sub-blocks times sums of activations, for all sub-blocks. */
LM_INLINE V flat_sums(const V z[8], const int16_t *sums, const int pairs) {
    V acc = v_zero();
    LM_UNROLL(8) for (int i = 0; i < pairs; i++) acc = v_dot16(acc, z[i], bcast32(sums + 2 * i));
    return acc;
}
/* acc + scale * (w . 16 or 32 activations), scale one or the other word of z; unit: no scale */
LM_INLINE V flat_dot(V acc, const V *w, const int8_t *a, const int steps, V z, const int high, const int unit) {
    V sum = unit ? acc : v_zero();
    LM_UNROLL(8) for (int t = 0; t < steps; t++) sum = dp_bcast(sum, w[t], a + 4 * t);
    if (unit) return sum;
    return v_add32(acc, v_mullo32(sum, v_sra32(high ? z : v_sll32(z, 16), 16)));
}
LM_INLINE void flat_pairs(V z[8], V x[4][2], const int halves) {
    LM_UNROLL(2) for (int e = 0; e < halves; e++) {
        V y[4] = {x[0][e], x[1][e], x[2][e], x[3][e]};
        transpose4(y, z + 4 * e);
    }
}

#define K_BLOCK(name, UNIT)                                                                                            \
    LM_INLINE void name##_block(const struct rows *g, size_t kb, const uint8_t *far, const uint8_t *near, F acc[],     \
                                const int nc) {                                                                        \
        const struct quads quads = quads_of(g->w + (size_t)name##_BYTES * kb, g->stride);                              \
        const int pairs = name##_WIDE ? 4 : 8, group = name##_WIDE ? 32 : 16;                                          \
        const int16_t *sums = (name##_WIDE ? g->sum32 : g->sum16) + (size_t)(256 / group) * kb;                        \
        V isum[MATVEC_COLUMNS], imin[MATVEC_COLUMNS], z[8], m[8], sc[4][2], mn[4][2], raw[4][RAW];                     \
        LM_UNROLL(4) for (int j = 0; j < 4; j++) name##_scales(sc[j], mn[j], quads.at[j], quads.step);                 \
        flat_pairs(z, sc, 2 - name##_WIDE);                                                                            \
        if (name##_MINIMA) flat_pairs(m, mn, 2 - name##_WIDE);                                                         \
        for (int c = 0; c < nc; c++, sums += g->k / (size_t)group) {                                                   \
            isum[c] = v_zero();                                                                                        \
            if (name##_OFFSET) isum[c] = v_mullo32(flat_sums(z, sums, pairs), v_set1(-name##_OFFSET));                 \
            if (name##_MINIMA) imin[c] = flat_sums(m, sums, pairs);                                                    \
        }                                                                                                              \
        for (int h = 0; h < 8 / name##_STEPS; h++) {                                                                   \
            LM_UNROLL(4) for (int j = 0; j < 4; j++) name##_load(raw[j], quads.at[j], quads.step, h);                  \
            LM_UNROLL(8) for (int r = 0; r < name##_RAWS; r++) {                                                       \
                V y[4] = {raw[0][r], raw[1][r], raw[2][r], raw[3][r]}, t[4];                                           \
                transpose4(y, t);                                                                                      \
                LM_UNROLL(4) for (int j = 0; j < 4; j++) raw[j][r] = t[j];                                             \
            }                                                                                                          \
            LM_UNROLL(8) for (int e = 0; e < name##_STEPS; e++) {                                                      \
                const int i = h * name##_STEPS + e;                                                                    \
                V w[8], x[4][2];                                                                                       \
                prefetch_part(far, near, g->stride, name##_BYTES, 2 * i);                                              \
                prefetch_part(far, near, g->stride, name##_BYTES, 2 * i + 1);                                          \
                LM_UNROLL(4) for (int j = 0; j < 4; j++) name##_codes(x[j], raw[j], e);                                \
                if (name##_RAWS)                                                                                       \
                    LM_UNROLL(8) for (int t = 0; t < 8; t++) w[t] = x[t % 4][t / 4];                                   \
                else                                                                                                   \
                    flat_pairs(w, x, 2);                                                                               \
                for (int c = 0; c < nc; c++) {                                                                         \
                    const int8_t *a = g->q + 256 * kb + (size_t)c * g->k + 32 * i;                                     \
                    if (UNIT || name##_WIDE) {                                                                         \
                        isum[c] = flat_dot(isum[c], w, a, 8, z[i / 2], e % 2, UNIT);                                   \
                    } else {                                                                                           \
                        isum[c] = flat_dot(isum[c], w, a, 4, z[i], 0, 0);                                              \
                        isum[c] = flat_dot(isum[c], w + 4, a + 16, 4, z[i], 1, 0);                                     \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        F d = name##_d(&quads), dmin = name##_dmin(&quads);                                                            \
        for (int c = 0; c < nc; c++) {                                                                                 \
            F s = f_set1(g->scale[(size_t)c * g->n_scales + kb]);                                                      \
            acc[c] = f_fma(f_mul(d, s), f_from_int(isum[c]), acc[c]);                                                  \
            if (name##_MINIMA) acc[c] = f_fnma(f_mul(dmin, s), f_from_int(imin[c]), acc[c]);                           \
        }                                                                                                              \
    }
#else
#if HAVE_VNNI
/* words 2i x4, 2i+1 x4 of each lane */
LM_INLINE V scale_pair(V sc, const int i) {
    const int a = (4 * i) | (4 * i + 1) << 8, b = (4 * i + 2) | (4 * i + 3) << 8;
    return v_shuf8(sc, v_row4(a * 0x10001, a * 0x10001, b * 0x10001, b * 0x10001));
}
/* acc += sc[2i] * (x . a) + sc[2i+1] * (y . b), x and y two halves of 16; inner sums fit int16: 8 * 31 * 127 = 31496 */
LM_INLINE V dot_wide(V acc, const V x[2], const V y[2], V a0, V a1, V b0, V b1, V sc, const int i) {
    V s = dp(dp(v_zero(), x[0], a0), x[1], a1), t = dp(dp(v_zero(), y[0], b0), y[1], b1);
    return v_dot16(acc, v_packs32(s, t), scale_pair(sc, i));
}
/* acc += sc[2i] * x[0].a + sc[2i+1] * x[1].b; inner sums fit int16: 4 * 63 * 127 = 32004 */
LM_INLINE V dot_16(V acc, const V x[2], V a, V b, V sc, const int i) {
    return v_dot16(acc, v_packs32(dp(v_zero(), x[0], a), dp(v_zero(), x[1], b)), scale_pair(sc, i));
}
LM_INLINE V dot_unit(V acc, const V x[2], V a, V b) { return dp(dp(acc, x[0], a), x[1], b); }
#else
/* word i of each lane, everywhere */
LM_INLINE V scale_one(V sc, const int i) { return v_shuf8(sc, v_set1(((2 * i) | (2 * i + 1) << 8) * 0x10001)); }
/* vpmaddubsw leaves 8 int16 pair sums per lane: two of them at most 4 * 31 * 127 = 15748, one at most 2 * 63 * 127 = 16002 */
LM_INLINE V dot_wide(V acc, const V x[2], const V y[2], V a0, V a1, V b0, V b1, V sc, const int i) {
    V s = v_add16(_mm256_maddubs_epi16(x[0], a0), _mm256_maddubs_epi16(x[1], a1));
    V t = v_add16(_mm256_maddubs_epi16(y[0], b0), _mm256_maddubs_epi16(y[1], b1));
    return v_add32(acc, v_add32(v_madd16(s, scale_one(sc, 2 * i)), v_madd16(t, scale_one(sc, 2 * i + 1))));
}
LM_INLINE V dot_16(V acc, const V x[2], V a, V b, V sc, const int i) {
    V s = v_madd16(_mm256_maddubs_epi16(x[0], a), scale_one(sc, 2 * i));
    return v_add32(acc, v_add32(s, v_madd16(_mm256_maddubs_epi16(x[1], b), scale_one(sc, 2 * i + 1))));
}
/* Codes up to 2: 4 * 2 * 127 = 1016 */
LM_INLINE V dot_unit(V acc, const V x[2], V a, V b) {
    V s = v_add16(_mm256_maddubs_epi16(x[0], a), _mm256_maddubs_epi16(x[1], b));
    return v_add32(acc, v_madd16(s, v_set1(0x00010001)));
}
#endif

/* isum of one row vector j: the products with OFFSET taken out. */
LM_INLINE V offset_sum(const V sc[2], const int16_t *sums, const int offset) {
    if (!offset) return v_zero();
    V t = v_dot16(v_madd16(sc[0], v_lane(sums)), sc[1], v_lane(sums + 8));
    return v_mullo32(t, v_set1(-offset));
}

#define K_BLOCK(name, UNIT)                                                                                            \
    LM_INLINE void name##_block(const struct rows *g, size_t kb, const uint8_t *far, const uint8_t *near, F acc[],     \
                                const int nc) {                                                                        \
        const uint8_t *p = g->w + (size_t)name##_BYTES * kb;                                                           \
        const int8_t *q = g->q + 256 * kb;                                                                             \
        V isum[4][4], imin[4][4]; /* [column][vector] */                                                               \
        for (int j = 0; j < 4; j++) {                                                                                  \
            const uint8_t *pj = p + (size_t)j * g->stride;                                                             \
            V sc[2], mn[2], raw[RAW], x[2][2], sum[4];                                                                 \
            name##_scales(sc, mn, pj, 4 * g->stride);                                                                  \
            for (int c = 0; c < nc; c++) {                                                                             \
                const int16_t *sum16 = g->sum16 + (size_t)c * (g->k / 16) + 16 * kb;                                   \
                const int16_t *sum32 = g->sum32 + (size_t)c * (g->k / 32) + 8 * kb;                                    \
                sum[c] = offset_sum(sc, sum16, name##_OFFSET);                                                         \
                if (name##_MINIMA == 8) imin[c][j] = v_madd16(mn[0], v_lane(sum32));                                   \
                if (name##_MINIMA == 16)                                                                               \
                    imin[c][j] = v_dot16(v_madd16(mn[0], v_lane(sum16)), mn[1], v_lane(sum16 + 8));                    \
            }                                                                                                          \
            LM_UNROLL(8) for (int i = 0; i < 8; i++) {                                                                 \
                if (i % 2 == 0) prefetch_part(far, near, g->stride, name##_BYTES, 4 * j + i / 2);                      \
                if (i % name##_STEPS == 0) name##_load(raw, pj, 4 * g->stride, i / name##_STEPS);                      \
                name##_codes(x[i % 2], raw, i % name##_STEPS);                                                         \
                if (name##_WIDE && i % 2 == 0) continue;                                                               \
                for (int c = 0; c < nc; c++) {                                                                         \
                    const int8_t *a = q + (size_t)c * g->k + 32 * i;                                                   \
                    if (UNIT)                                                                                          \
                        sum[c] = dot_unit(sum[c], x[i % 2], v_lane(a), v_lane(a + 16));                                \
                    else if (name##_WIDE)                                                                              \
                        sum[c] = dot_wide(sum[c], x[0], x[1], v_lane(a - 32), v_lane(a - 16), v_lane(a),               \
                                          v_lane(a + 16), sc[0], i / 2);                                               \
                    else                                                                                               \
                        sum[c] = dot_16(sum[c], x[i % 2], v_lane(a), v_lane(a + 16), sc[i / 4], i % 4);                \
                }                                                                                                      \
            }                                                                                                          \
            for (int c = 0; c < nc; c++) isum[c][j] = sum[c];                                                          \
        }                                                                                                              \
        const struct quads quads = quads_of(p, g->stride);                                                             \
        F d = name##_d(&quads);                                                                                        \
        for (int c = 0; c < nc; c++) {                                                                                 \
            F s = f_set1(g->scale[(size_t)c * g->n_scales + kb]);                                                      \
            acc[c] = f_fma(f_mul(d, s), f_from_int(v_hsum(isum[c])), acc[c]);                                          \
            if (name##_MINIMA) acc[c] = f_fnma(f_mul(name##_dmin(&quads), s), f_from_int(v_hsum(imin[c])), acc[c]);    \
        }                                                                                                              \
    }
#endif

/* One row group over all of k; a block is long enough to fetch the next block of every row. */
#define K_GROUP(name, which, columns)                                                                                  \
    static LM_APART void name##_rows_##which(const struct rows *g) {                                                   \
        const size_t n_blocks = g->k / 256, bytes = name##_BYTES;                                                      \
        F acc[MATVEC_COLUMNS];                                                                                         \
        for (int c = 0; c < columns; c++) acc[c] = f_zero();                                                           \
        for (size_t kb = 0; kb < n_blocks; kb++) {                                                                     \
            const uint8_t *near = kb + 1 < n_blocks ? g->w + (kb + 1) * bytes : g->w + ROWS * g->stride;               \
            name##_block(g, kb, g->ahead + kb * (bytes * ROWS), near, acc, columns);                                   \
        }                                                                                                              \
        rows_done(g, acc, columns);                                                                                    \
    }
#define K_TYPE(name) K_GROUP(name, one, 1) K_GROUP(name, some, g->n) DEFINE_MATVEC(name)
#if LANES == 4
/* Types with so many bits to put together that reading line by line pays (matvec_lines.h). */
#define K_LINE(name) K_GROUP(name, some, g->n) DEFINE_MATVEC_LINE(name)
#define K_RARE(name) K_GROUP(name, some, g->n) DEFINE_MATVEC_SOME(name)
#else
#define K_RARE(name) K_GROUP(name, one, 1) DEFINE_MATVEC_EACH(name)
#endif

K_BLOCK(q4k, 0)
K_BLOCK(q6k, 0)
K_TYPE(q4k)
#if LANES == 4
K_LINE(q6k)
#else
K_TYPE(q6k)
#endif

#if LANES == 2
/* IQ4_XS: only pair sums of levels up to 127 fit int16: 2 * 127 * 127 = 32258. */
LM_INLINE void iq4xs_block(const struct rows *g, size_t kb, const uint8_t *far, const uint8_t *near, F acc[],
                           const int nc) {
    const uint8_t *p = g->w + (size_t)iq4xs_BYTES * kb;
    const int8_t *q = g->q + 256 * kb;
    V isum[4][4];
    for (int j = 0; j < 4; j++) {
        const uint8_t *pj = p + (size_t)j * g->stride;
        V sc[2], raw[RAW], x[2], sum[4];
        iq4xs_scales(sc, NULL, pj, 4 * g->stride);
        for (int c = 0; c < nc; c++) sum[c] = v_zero();
        LM_UNROLL(8) for (int i = 0; i < 8; i++) {
            if (i % 2 == 0) prefetch_part(far, near, g->stride, iq4xs_BYTES, 4 * j + i / 2);
            if (i % iq4xs_STEPS == 0) iq4xs_load(raw, pj, 4 * g->stride, i / iq4xs_STEPS);
            iq4xs_codes(x, raw, i % iq4xs_STEPS);
            const int lo = 2 * i, hi = 2 * i + 1;
            V scale = v_shuf8(sc[0], v_set1((lo | hi << 8) * 0x10001)),
              size[2] = {_mm256_abs_epi8(x[0]), _mm256_abs_epi8(x[1])};
            for (int c = 0; c < nc; c++) {
                const int8_t *a = q + (size_t)c * g->k + 32 * i;
                V s = v_madd16(_mm256_maddubs_epi16(size[0], _mm256_sign_epi8(v_lane(a), x[0])), scale);
                V t = v_madd16(_mm256_maddubs_epi16(size[1], _mm256_sign_epi8(v_lane(a + 16), x[1])), scale);
                sum[c] = v_add32(sum[c], v_add32(s, t));
            }
        }
        for (int c = 0; c < nc; c++) isum[c][j] = sum[c];
    }
    const struct quads quads = quads_of(p, g->stride);
    F d = iq4xs_d(&quads);
    for (int c = 0; c < nc; c++) {
        F s = f_set1(g->scale[(size_t)c * g->n_scales + kb]);
        acc[c] = f_fma(f_mul(d, s), f_from_int(v_hsum(isum[c])), acc[c]);
    }
}
K_BLOCK(tq1_0, 1)
K_RARE(tq1_0) /* wider vectors gain little */
#else
K_BLOCK(iq4xs, 0)
#endif
K_BLOCK(q5k, 0)
K_BLOCK(q2k, 0)
K_BLOCK(q3k, 0)
K_BLOCK(tq2_0, 1)
#if LANES == 4
K_LINE(q5k)
K_LINE(q2k)
K_LINE(q3k)
#else
K_TYPE(q5k)
K_RARE(q2k)
K_RARE(q3k)
#endif
K_RARE(iq4xs)
K_RARE(tq2_0)
