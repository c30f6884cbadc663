/* SPDX-License-Identifier: MIT
 * Prefill kernels at level dotprod: a vector of codes is 4 k of four rows, one of activations 4 k of four columns, of which sdot
 * takes one column by lane. */
#include "panels_neon.h"

#if defined(LM_HAVE_ARM)
LM_EXACT_FLOATS
LM_TARGET_BEGIN(LM_ARM_DOTPROD)

enum { K_STEP = 4, ROW_VECS = 2, COL_VECS = 4 };

#define SDOT_LANE(s, w, a, lane) __asm__("sdot %0.4s, %1.16b, %2.4b[" #lane "]" : "+w"(s) : "w"(w), "w"(a))
LM_INLINE void dot_step(int32x4_t s[ROW_VECS][COL_VECS], const int8_t *w, const int8_t *a) {
    int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16), x = vld1q_s8(a);
    SDOT_LANE(s[0][0], w0, x, 0);
    SDOT_LANE(s[1][0], w1, x, 0);
    SDOT_LANE(s[0][1], w0, x, 1);
    SDOT_LANE(s[1][1], w1, x, 1);
    SDOT_LANE(s[0][2], w0, x, 2);
    SDOT_LANE(s[1][2], w1, x, 2);
    SDOT_LANE(s[0][3], w0, x, 3);
    SDOT_LANE(s[1][3], w1, x, 3);
}
/* Dwords of four rows, transposed. */
static void arrange16(int8_t *q) {
    int32x4_t x[2][4];
    for (int v = 0; v < 2; v++)
        for (int j = 0; j < 4; j++) x[v][j] = vreinterpretq_s32_s8(vld1q_s8(q + 64 * v + 16 * j));
    for (int v = 0; v < 2; v++) {
        int32x4_t a = vzip1q_s32(x[v][0], x[v][2]), b = vzip2q_s32(x[v][0], x[v][2]);
        int32x4_t c = vzip1q_s32(x[v][1], x[v][3]), d = vzip2q_s32(x[v][1], x[v][3]);
        vst1q_s8(q + 16 * v, vreinterpretq_s8_s32(vzip1q_s32(a, c)));
        vst1q_s8(q + 16 * v + 32, vreinterpretq_s8_s32(vzip2q_s32(a, c)));
        vst1q_s8(q + 16 * v + 64, vreinterpretq_s8_s32(vzip1q_s32(b, d)));
        vst1q_s8(q + 16 * v + 96, vreinterpretq_s8_s32(vzip2q_s32(b, d)));
    }
}
LM_INLINE void spread(void *x) { (void)x; }
LM_INLINE float32x4_t spread_columns(const float *p, const int c) { return vld1q_dup_f32(p + c); }
LM_INLINE void tile_load(float32x4_t f[ROW_VECS][COL_VECS], float (*from)[PANEL_ROWS]) {
    LM_UNROLL(4)
    for (int c = 0; c < COL_VECS; c++) f[0][c] = vld1q_f32(from[c]), f[1][c] = vld1q_f32(from[c] + 4);
}
LM_INLINE void tile_store(float (*to)[PANEL_ROWS], float32x4_t f[ROW_VECS][COL_VECS]) {
    LM_UNROLL(4) for (int c = 0; c < COL_VECS; c++) vst1q_f32(to[c], f[0][c]), vst1q_f32(to[c] + 4, f[1][c]);
}

#define LEVEL(name) name##_dotprod
#include "matmul_arm_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
