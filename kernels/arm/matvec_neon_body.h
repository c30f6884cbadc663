/* SPDX-License-Identifier: MIT
 * Decode (1..4 columns) on 64-bit Arm, one text for the levels neon and dotprod: a file defines MATVEC(name) and dot16 first.
 *
 * A register holds 16 bytes of one row, and a group of four rows shares every load of activations. A dot product leaves 4
 * partial int32 sums per row; three pairwise additions turn those of four rows into one vector, row r in lane r, whose float
 * accumulator follows the steps of the contract. Types of 256 weights multiply partial sums by their sub-scales and fold once
 * per block. Offsets of codes are taken out with the sums of the activations.
 *
 * A group is done for two columns at a time, then for one (with ONE_COLUMN always for one): its rows are in L1 by then. Rows
 * are read as four streams, which processors follow by themselves; the next group is prefetched into L2 in the order of the
 * file. */
#include "codes_simple_neon.h"
#include "codes_k_neon.h"

struct rows {
    const uint8_t *w, *ahead; /* first row of the group; what to prefetch while working on it */
    size_t stride;            /* of rows, in bytes */
    const int8_t *q;          /* the first column's quants, k apart; sums and scales alike */
    const float *scale;
    const int16_t *sum16, *sum32;
    size_t k, n_scales;
    float *out;
    size_t out_stride;
};

enum { ROWS = 4 };

LM_INLINE int32x4_t dot32(const int8x16_t x[2], int8x16_t a, int8x16_t b) {
    return dot16(dot16(vdupq_n_s32(0), x[0], a), x[1], b);
}
LM_INLINE int32x4_t fold(const int32x4_t s[4]) { return vpaddq_s32(vpaddq_s32(s[0], s[1]), vpaddq_s32(s[2], s[3])); }
/* acc += x * lane of s */
LM_INLINE int32x4_t add_scaled(int32x4_t acc, int32x4_t x, int32x4_t s, const int lane) {
    switch (lane) {
    case 0: return vmlaq_laneq_s32(acc, x, s, 0);
    case 1: return vmlaq_laneq_s32(acc, x, s, 1);
    case 2: return vmlaq_laneq_s32(acc, x, s, 2);
    default: return vmlaq_laneq_s32(acc, x, s, 3);
    }
}
LM_INLINE void prefetch(const uint8_t *p, const int bytes) {
    LM_UNROLL(16) for (int at = 0; at < bytes; at += 64) __builtin_prefetch(p + at, 0, 2);
}
LM_INLINE void rows_done(const struct rows *g, const float32x4_t acc[], const int nc) {
    for (int c = 0; c < nc; c++) vst1q_f32(g->out + (size_t)c * g->out_stride, acc[c]);
}

/* Run a group over all rows, its two functions over the columns. The last group is moved up so that it ends with the last row;
 * fewer rows than a group are done one by one, each in all four places. */
typedef void group_fn(const struct rows *g);
LM_INLINE void run_columns(group_fn *one, group_fn *two, const struct rows *g, int32_t n) {
    struct rows part = *g;
    for (int32_t c = 0, step; c < n; c += step) {
        step = two && n - c > 1 ? 2 : 1;
        (step == 2 ? two : one)(&part);
        part.q += (size_t)step * g->k, part.scale += (size_t)step * g->n_scales;
        part.sum16 += (size_t)step * (g->k / 16), part.sum32 += (size_t)step * (g->k / 32);
        part.out += (size_t)step * g->out_stride;
    }
}
static __attribute__((noinline)) void run_groups(group_fn *one, group_fn *two, size_t scale_group, const void *w,
                                                 size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first,
                                                 int32_t n, float *out, size_t out_stride) {
    size_t k = (size_t)acts->k, c = (size_t)first;
    struct rows g = {.stride = row_bytes,
                     .q = acts->q + c * k,
                     .scale = acts->scale + c * (k / scale_group),
                     .k = k,
                     .n_scales = k / scale_group,
                     .sum16 = acts->sum16 + c * (k / 16),
                     .sum32 = acts->sum32 + c * (k / 32),
                     .out_stride = out_stride};
    if (n_rows < ROWS) {
        float same[4][ROWS];
        g.stride = 0, g.out = same[0], g.out_stride = ROWS;
        for (int32_t r = 0; r < n_rows; r++) {
            g.w = g.ahead = (const uint8_t *)w + (size_t)r * row_bytes;
            run_columns(one, two, &g, n);
            for (int32_t j = 0; j < n; j++) out[(size_t)j * out_stride + (size_t)r] = same[j][0];
        }
        return;
    }
    for (int32_t r = 0; r < n_rows; r += ROWS) {
        if (r > n_rows - ROWS) r = n_rows - ROWS;
        g.w = (const uint8_t *)w + (size_t)r * row_bytes;
        g.ahead = g.w + ROWS * row_bytes;
        g.out = out + r;
        run_columns(one, two, &g, n);
    }
}

/* The functions of a type over its block: values weights, activations in groups of group. */
#define GROUP_OF(name, which, columns, values)                                                                         \
    static __attribute__((noinline)) void name##_rows_##which(const struct rows *g) {                                  \
        float32x4_t acc[2] = {vdupq_n_f32(0), vdupq_n_f32(0)};                                                         \
        for (size_t kb = 0; kb < g->k / (values); kb++) {                                                              \
            prefetch(g->ahead + kb * (name##_BYTES * ROWS), name##_BYTES * ROWS);                                      \
            name##_block(g, kb, acc, columns);                                                                         \
        }                                                                                                              \
        rows_done(g, acc, columns);                                                                                    \
    }
#ifdef ONE_COLUMN /* dot products take so long that taking codes apart again is cheap: not worth twice the code */
#define GROUPS_OF(name, values) GROUP_OF(name, one, 1, values)
#define BOTH(name) name##_rows_one, NULL
#else
#define GROUPS_OF(name, values) GROUP_OF(name, one, 1, values) GROUP_OF(name, two, 2, values)
#define BOTH(name) name##_rows_one, name##_rows_two
#endif
#define TYPE_OF(name, values, group)                                                                                   \
    GROUPS_OF(name, values)                                                                                            \
    void MATVEC(name)(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first, int32_t n,  \
                      float *out, size_t out_stride) {                                                                 \
        run_groups(BOTH(name), group, w, row_bytes, n_rows, acts, first, n, out, out_stride);                          \
    }

/* ---- one float scale per 32 weights ---- */

#define SIMPLE_BLOCK(name, MINIMUM)                                                                                    \
    LM_INLINE void name##_block(const struct rows *g, size_t kb, float32x4_t acc[], const int nc) {                    \
        const uint8_t *p = g->w + (size_t)name##_BYTES * kb;                                                           \
        float32x4_t d = name##_scale(p, g->stride);                                                                    \
        for (int i = 0; i < name##_SUBS; i++) {                                                                        \
            const size_t at = name##_SUBS * kb + (size_t)i;                                                            \
            int32x4_t s[2][4];                                                                                         \
            LM_UNROLL(4) for (int j = 0; j < 4; j++) {                                                                 \
                int8x16_t x[2];                                                                                        \
                name##_codes(x, p + (size_t)j * g->stride, i);                                                         \
                LM_UNROLL(2) for (int c = 0; c < nc; c++) {                                                            \
                    const int8_t *a = g->q + (size_t)c * g->k + 32 * at;                                               \
                    s[c][j] = dot32(x, vld1q_s8(a), vld1q_s8(a + 16));                                                 \
                }                                                                                                      \
            }                                                                                                          \
            LM_UNROLL(2) for (int c = 0; c < nc; c++) {                                                                \
                const int32_t asum = g->sum32[(size_t)c * (g->k / 32) + at];                                           \
                int32x4_t isum = fold(s[c]);                                                                           \
                if (name##_OFFSET) isum = vsubq_s32(isum, vdupq_n_s32(name##_OFFSET * asum));                          \
                const float scale = g->scale[(size_t)c * g->n_scales + at];                                            \
                acc[c] = vfmaq_f32(acc[c], vmulq_n_f32(d, scale), vcvtq_f32_s32(isum));                                \
                MINIMUM(name)                                                                                          \
            }                                                                                                          \
        }                                                                                                              \
    }
#define NO_MINIMUM(name)
#define WITH_MINIMUM(name)                                                                                             \
    acc[c] = vfmaq_f32(acc[c], vmulq_n_f32(name##_minimum(p, g->stride), scale), vdupq_n_f32((float)asum));

SIMPLE_BLOCK(q4_0, NO_MINIMUM)
SIMPLE_BLOCK(q4_1, WITH_MINIMUM)
SIMPLE_BLOCK(q5_0, NO_MINIMUM)
SIMPLE_BLOCK(q5_1, WITH_MINIMUM)
SIMPLE_BLOCK(q8_0, NO_MINIMUM)
SIMPLE_BLOCK(q1_0, NO_MINIMUM)
SIMPLE_BLOCK(q2_0, NO_MINIMUM)
SIMPLE_BLOCK(iq4nl, NO_MINIMUM)
SIMPLE_BLOCK(mxfp4, NO_MINIMUM)

/* NVFP4: two groups of 16 per 32 activations, each with its own sum and scale. */
LM_INLINE void nvfp4_block(const struct rows *g, size_t kb, float32x4_t acc[], const int nc) {
    const uint8_t *p = g->w + (size_t)nvfp4_BYTES * kb;
    for (int i = 0; i < nvfp4_SUBS; i++) {
        const size_t at = nvfp4_SUBS * kb + (size_t)i;
        int32x4_t s[2][2][4]; /* [half][column][row] */
        LM_UNROLL(4) for (int j = 0; j < 4; j++) {
            int8x16_t x[2];
            nvfp4_codes(x, p + (size_t)j * g->stride, i);
            LM_UNROLL(2) for (int c = 0; c < nc; c++) {
                const int8_t *a = g->q + (size_t)c * g->k + 32 * at;
                s[0][c][j] = dot16(vdupq_n_s32(0), x[0], vld1q_s8(a));
                s[1][c][j] = dot16(vdupq_n_s32(0), x[1], vld1q_s8(a + 16));
            }
        }
        LM_UNROLL(2) for (int h = 0; h < 2; h++) {
            float32x4_t d = nvfp4_group_scale(p, g->stride, 2 * i + h);
            LM_UNROLL(2) for (int c = 0; c < nc; c++) {
                float32x4_t scale = vmulq_n_f32(d, g->scale[(size_t)c * g->n_scales + at]);
                acc[c] = vfmaq_f32(acc[c], scale, vcvtq_f32_s32(fold(s[h][c])));
            }
        }
    }
}

TYPE_OF(q4_0, 32, 32)
TYPE_OF(q4_1, 32, 32)
TYPE_OF(q5_0, 32, 32)
TYPE_OF(q5_1, 32, 32)
TYPE_OF(q8_0, 32, 32)
TYPE_OF(q1_0, 128, 32)
TYPE_OF(q2_0, 64, 32)
TYPE_OF(iq4nl, 32, 32)
TYPE_OF(mxfp4, 32, 32)
TYPE_OF(nvfp4, 64, 32)

/* ---- integer scales per 32 or 16 weights, float ones per 256 ---- */

LM_INLINE int32x4_t dot_words(int32x4_t acc, int16x8_t x, const int16_t *y) {
    int16x8_t b = vld1q_s16(y);
    return vmlal_high_s16(vmlal_s16(acc, vget_low_s16(x), vget_low_s16(b)), x, b);
}

#define K_BLOCK(name)                                                                                                  \
    LM_INLINE void name##_block(const struct rows *g, size_t kb, float32x4_t acc[], const int nc) {                    \
        const uint8_t *p = g->w + (size_t)name##_BYTES * kb;                                                           \
        int32x4_t isum[2][4], imin[2][4];                                                                              \
        int16_t scales[4][16];                                                                                         \
        LM_UNROLL(4) for (int j = 0; j < 4; j++) {                                                                     \
            int16x8_t sc[2], mn[2];                                                                                    \
            name##_scales(sc, mn, p + (size_t)j * g->stride);                                                          \
            vst1q_s16(scales[j], sc[0]);                                                                               \
            if (!name##_WIDE) vst1q_s16(scales[j] + 8, sc[1]);                                                         \
            LM_UNROLL(2) for (int c = 0; c < nc; c++) {                                                                \
                const int16_t *sum16 = g->sum16 + (size_t)c * (g->k / 16) + 16 * kb;                                   \
                const int16_t *sum32 = g->sum32 + (size_t)c * (g->k / 32) + 8 * kb;                                    \
                isum[c][j] = imin[c][j] = vdupq_n_s32(0);                                                              \
                if (name##_OFFSET) {                                                                                   \
                    int32x4_t sums = dot_words(dot_words(vdupq_n_s32(0), sc[0], sum16), sc[1], sum16 + 8);             \
                    isum[c][j] = vmulq_n_s32(sums, -name##_OFFSET);                                                    \
                }                                                                                                      \
                if (name##_MINIMA == 8) imin[c][j] = dot_words(imin[c][j], mn[0], sum32);                              \
                if (name##_MINIMA == 16)                                                                               \
                    imin[c][j] = dot_words(dot_words(imin[c][j], mn[0], sum16), mn[1], sum16 + 8);                     \
            }                                                                                                          \
        }                                                                                                              \
        for (int h = 0; h < 2; h++) {                                                                                  \
            int32x4_t sc[4][2];                                                                                        \
            LM_UNROLL(4) for (int j = 0; j < 4; j++) {                                                                 \
                const int16_t *half = scales[j] + (name##_WIDE ? 4 : 8) * h;                                           \
                sc[j][0] = sc[j][1] = vmovl_s16(vld1_s16(half));                                                       \
                if (!name##_WIDE) sc[j][1] = vmovl_s16(vld1_s16(half + 4));                                            \
            }                                                                                                          \
            LM_UNROLL(4) for (int u = 0; u < 4 / name##_STEPS; u++) LM_UNROLL(4) for (int j = 0; j < 4; j++) {         \
                uint8x16_t raw[RAW];                                                                                   \
                name##_load(raw, p + (size_t)j * g->stride, h, u);                                                     \
                LM_UNROLL(4) for (int e = name##_STEPS * u; e < name##_STEPS * (u + 1); e++) {                         \
                    int8x16_t x[2];                                                                                    \
                    name##_codes(x, raw, e);                                                                           \
                    LM_UNROLL(2) for (int c = 0; c < nc; c++) {                                                        \
                        const int8_t *a = g->q + (size_t)c * g->k + 256 * kb + 128 * (size_t)h + 32 * (size_t)e;       \
                        int8x16_t a0 = vld1q_s8(a), a1 = vld1q_s8(a + 16);                                             \
                        if (name##_WIDE) {                                                                             \
                            isum[c][j] = add_scaled(isum[c][j], dot32(x, a0, a1), sc[j][0], e);                        \
                        } else {                                                                                       \
                            int32x4_t zero = vdupq_n_s32(0);                                                           \
                            isum[c][j] = add_scaled(isum[c][j], dot16(zero, x[0], a0), sc[j][e / 2], 2 * (e % 2));     \
                            isum[c][j] = add_scaled(isum[c][j], dot16(zero, x[1], a1), sc[j][e / 2], 2 * (e % 2) + 1); \
                        }                                                                                              \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        float32x4_t d = name##_d(p, g->stride);                                                                        \
        LM_UNROLL(2) for (int c = 0; c < nc; c++) {                                                                    \
            const float s = g->scale[(size_t)c * g->n_scales + kb];                                                    \
            acc[c] = vfmaq_f32(acc[c], vmulq_n_f32(d, s), vcvtq_f32_s32(fold(isum[c])));                               \
            if (name##_MINIMA)                                                                                         \
                acc[c] = vfmsq_f32(acc[c], vmulq_n_f32(name##_dmin(p, g->stride), s), vcvtq_f32_s32(fold(imin[c])));   \
        }                                                                                                              \
    }                                                                                                                  \
    TYPE_OF(name, 256, 256)

K_BLOCK(q2k)
K_BLOCK(q3k)
K_BLOCK(q4k)
K_BLOCK(q5k)
K_BLOCK(q6k)
K_BLOCK(iq4xs)
K_BLOCK(tq2_0)
