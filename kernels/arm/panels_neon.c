/* SPDX-License-Identifier: MIT
 * The unpackers of all types: rows of blocks to panels. They need Armv8.0 only and are shared by all levels. */
#include "panels_neon.h"

#if defined(LM_HAVE_ARM)
LM_EXACT_FLOATS

#include "codes_simple_neon.h"
#include "codes_k_neon.h"

#define UNPACK_SIMPLE(name, SCALES)                                                                                    \
    void lm_unpack_##name##_neon(void *panels, const uint8_t *w, size_t stride, int n_blocks) {                        \
        const int8x16_t offset = vdupq_n_s8(name##_OFFSET);                                                            \
        for (struct panel32 *p = panels; n_blocks--; w += name##_BYTES, p += name##_SUBS)                              \
            for (int i = 0; i < name##_SUBS; i++) {                                                                    \
                for (int r = 0; r < PANEL_ROWS; r++) {                                                                 \
                    int8x16_t x[2];                                                                                    \
                    name##_codes(x, w + (size_t)r * stride, i);                                                        \
                    vst1q_s8(p[i].q[0] + 16 * r, name##_OFFSET ? vsubq_s8(x[0], offset) : x[0]);                       \
                    vst1q_s8(p[i].q[1] + 16 * r, name##_OFFSET ? vsubq_s8(x[1], offset) : x[1]);                       \
                }                                                                                                      \
                LM_UNROLL(2) for (int v = 0; v < 2; v++) {                                                             \
                    const uint8_t *b = w + (size_t)(4 * v) * stride;                                                   \
                    SCALES(name)                                                                                       \
                }                                                                                                      \
            }                                                                                                          \
    }
#define ONE_SCALE(name) vst1q_f32(p[i].d[0] + 4 * v, name##_scale(b, stride));
#define SCALE_MINIMUM(name) ONE_SCALE(name) vst1q_f32(p[i].d[1] + 4 * v, name##_minimum(b, stride));
#define HALF_SCALES(name)                                                                                              \
    for (int h = 0; h < 2; h++) vst1q_f32(p[i].d[h] + 4 * v, name##_group_scale(b, stride, 2 * i + h));

UNPACK_SIMPLE(q4_0, ONE_SCALE)
UNPACK_SIMPLE(q4_1, SCALE_MINIMUM)
UNPACK_SIMPLE(q5_0, ONE_SCALE)
UNPACK_SIMPLE(q5_1, SCALE_MINIMUM)
UNPACK_SIMPLE(q8_0, ONE_SCALE)
UNPACK_SIMPLE(q1_0, ONE_SCALE)
UNPACK_SIMPLE(q2_0, ONE_SCALE)
UNPACK_SIMPLE(iq4nl, ONE_SCALE)
UNPACK_SIMPLE(mxfp4, ONE_SCALE)
UNPACK_SIMPLE(nvfp4, HALF_SCALES)

/* Eight scales of eight rows: to[j] is scale j of all rows. Three rounds of interleaving row r with row r + 4. */
static void store_scales(int32_t (*to)[2 * PANEL_ROWS], const int16x8_t rows[8]) {
    int16x8_t x[8], y[8];
    LM_UNROLL(8) for (int i = 0; i < 8; i++) x[i] = rows[i];
    LM_UNROLL(3) for (int round = 0; round < 3; round++) {
        LM_UNROLL(4)
        for (int i = 0; i < 4; i++) y[2 * i] = vzip1q_s16(x[i], x[i + 4]), y[2 * i + 1] = vzip2q_s16(x[i], x[i + 4]);
        LM_UNROLL(8) for (int i = 0; i < 8; i++) x[i] = y[i];
    }
    LM_UNROLL(8)
    for (int j = 0; j < 8; j++)
        vst1q_s32(to[j], vmovl_s16(vget_low_s16(x[j]))), vst1q_s32(to[j] + 4, vmovl_high_s16(x[j]));
}

#define UNPACK_K(name)                                                                                                 \
    void lm_unpack_##name##_neon(void *panels, const uint8_t *w, size_t stride, int n_blocks) {                        \
        const int8x16_t offset = vdupq_n_s8(name##_OFFSET);                                                            \
        for (struct panel256 *p = panels; n_blocks--; w += name##_BYTES, p++) {                                        \
            int16x8_t scales[2][PANEL_ROWS];                                                                           \
            for (int r = 0; r < PANEL_ROWS; r++) {                                                                     \
                const uint8_t *b = w + (size_t)r * stride;                                                             \
                for (int h = 0; h < 2; h++) LM_UNROLL(4) for (int u = 0; u < 4 / name##_STEPS; u++) {                  \
                        uint8x16_t raw[RAW];                                                                           \
                        name##_load(raw, b, h, u);                                                                     \
                        LM_UNROLL(4) for (int e = name##_STEPS * u; e < name##_STEPS * (u + 1); e++) {                 \
                            int8x16_t x[2];                                                                            \
                            name##_codes(x, raw, e);                                                                   \
                            for (int t = 0; t < 2; t++)                                                                \
                                vst1q_s8(p->q[8 * h + 2 * e + t] + 16 * r,                                             \
                                         name##_OFFSET ? vsubq_s8(x[t], offset) : x[t]);                               \
                        }                                                                                              \
                    }                                                                                                  \
                int16x8_t sc[2], mn[2];                                                                                \
                name##_scales(sc, mn, b);                                                                              \
                scales[0][r] = sc[0];                                                                                  \
                if (!name##_WIDE) scales[1][r] = sc[1];                                                                \
                if (name##_MINIMA) {                                                                                   \
                    int16x8_t second = name##_MINIMA == 16 ? mn[1] : mn[0];                                            \
                    vst1q_s8(p->min + 16 * r, vcombine_s8(vmovn_s16(mn[0]), vmovn_s16(second)));                       \
                }                                                                                                      \
            }                                                                                                          \
            store_scales(p->scale, scales[0]);                                                                         \
            if (!name##_WIDE) store_scales(p->scale + 8, scales[1]);                                                   \
            LM_UNROLL(2) for (int v = 0; v < 2; v++) {                                                                 \
                const uint8_t *b = w + (size_t)(4 * v) * stride;                                                       \
                vst1q_f32(p->d[0] + 4 * v, name##_d(b, stride));                                                       \
                if (name##_MINIMA) vst1q_f32(p->d[1] + 4 * v, name##_dmin(b, stride));                                 \
            }                                                                                                          \
        }                                                                                                              \
    }

UNPACK_K(q2k)
UNPACK_K(q3k)
UNPACK_K(q4k)
UNPACK_K(q5k)
UNPACK_K(q6k)
UNPACK_K(iq4xs)
UNPACK_K(tq2_0)
#else
typedef int lm_nothing_here;
#endif
