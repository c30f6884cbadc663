/* SPDX-License-Identifier: MIT
 * Prefill kernels at level i8mm: a vector of codes is 8 k of two rows, one of activations 8 k of two columns, and smmla gives the
 * four sums: (row 0, column 0), (0, 1), (1, 0), (1, 1). */
#include "panels_neon.h"

#if defined(LM_HAVE_ARM)
LM_EXACT_FLOATS
LM_TARGET_BEGIN(LM_ARM_I8MM)

enum { K_STEP = 8, ROW_VECS = 4, COL_VECS = 2 };

LM_INLINE void dot_step(int32x4_t s[ROW_VECS][COL_VECS], const int8_t *w, const int8_t *a) {
    int8x16_t x[2] = {vld1q_s8(a), vld1q_s8(a + 16)};
    LM_UNROLL(4) for (int r = 0; r < ROW_VECS; r++) {
        int8x16_t y = vld1q_s8(w + 16 * r);
        LM_UNROLL(2)
        for (int c = 0; c < COL_VECS; c++) __asm__("smmla %0.4s, %1.16b, %2.16b" : "+w"(s[r][c]) : "w"(y), "w"(x[c]));
    }
}
static void arrange16(int8_t *q) {
    int64x2_t x[8];
    for (int r = 0; r < 8; r++) x[r] = vreinterpretq_s64_s8(vld1q_s8(q + 16 * r));
    for (int r = 0; r < 4; r++) {
        vst1q_s8(q + 16 * r, vreinterpretq_s8_s64(vzip1q_s64(x[2 * r], x[2 * r + 1])));
        vst1q_s8(q + 16 * r + 64, vreinterpretq_s8_s64(vzip2q_s64(x[2 * r], x[2 * r + 1])));
    }
}
/* Numbers a b c d ... become a a b b c c d d ... */
LM_INLINE void spread(void *x) {
    int8_t *at = x;
    int32x4_t low = vreinterpretq_s32_s8(vld1q_s8(at)), high = vreinterpretq_s32_s8(vld1q_s8(at + 16));
    vst1q_s8(at, vreinterpretq_s8_s32(vzip1q_s32(low, low)));
    vst1q_s8(at + 16, vreinterpretq_s8_s32(vzip2q_s32(low, low)));
    vst1q_s8(at + 32, vreinterpretq_s8_s32(vzip1q_s32(high, high)));
    vst1q_s8(at + 48, vreinterpretq_s8_s32(vzip2q_s32(high, high)));
}
LM_INLINE float32x4_t spread_columns(const float *p, const int c) {
    float32x2_t two = vld1_f32(p + 2 * c);
    return vcombine_f32(two, two);
}
LM_INLINE void tile_load(float32x4_t f[ROW_VECS][COL_VECS], float (*from)[PANEL_ROWS]) {
    LM_UNROLL(2) for (int c = 0; c < COL_VECS; c++) LM_UNROLL(2) for (int v = 0; v < 2; v++) {
        float32x4_t a = vld1q_f32(from[2 * c] + 4 * v), b = vld1q_f32(from[2 * c + 1] + 4 * v);
        f[2 * v][c] = vzip1q_f32(a, b), f[2 * v + 1][c] = vzip2q_f32(a, b);
    }
}
LM_INLINE void tile_store(float (*to)[PANEL_ROWS], float32x4_t f[ROW_VECS][COL_VECS]) {
    LM_UNROLL(2) for (int c = 0; c < COL_VECS; c++) LM_UNROLL(2) for (int v = 0; v < 2; v++) {
        vst1q_f32(to[2 * c] + 4 * v, vuzp1q_f32(f[2 * v][c], f[2 * v + 1][c]));
        vst1q_f32(to[2 * c + 1] + 4 * v, vuzp2q_f32(f[2 * v][c], f[2 * v + 1][c]));
    }
}

#define LEVEL(name) name##_i8mm
#include "matmul_arm_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
