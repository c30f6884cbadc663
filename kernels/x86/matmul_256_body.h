/* SPDX-License-Identifier: MIT
 * The types of the 256-bit levels over matmul_body.h: which kernel each needs. With VNNI sums are int32 and every type fits; without,
 * types whose 16 (8) products leave int16 have kernels of their own, which widen at every step. */

KERNEL(simple, simple_kernel, 1, 0, 0)
KERNEL(minimum, simple_kernel, 1, 1, 0)
KERNEL(half, simple_kernel, 2, 0, 0)
KERNEL(scaled32, scaled_kernel, 1, 0, 0)
KERNEL(scaled32_min, scaled_kernel, 1, 1, 0)
KERNEL(scaled16, scaled_kernel, 2, 0, 0)
KERNEL(scaled16_min, scaled_kernel, 2, 1, 0)
#if HAVE_VNNI
#define kernel_minimum_extra kernel_minimum
#define kernel_scaled32_extra kernel_scaled32_min
#define kernel_levels kernel_simple
#define kernel_scaled_levels kernel_scaled32
#define kernel_scaled16_levels kernel_scaled16
#else
KERNEL(minimum_extra, simple_kernel, 1, 1, 1)
KERNEL(scaled32_extra, scaled_kernel, 1, 1, 1)

/* Products of int8 by int8: |w| unsigned times the activation with the sign of w; pair sums up to 32512 are widened at once. */
LM_INLINE void wide_dot(V s[COLS][2], const struct panel32 *p, const struct acts32 *a, const V scale[2], const int t0,
                        const int t1) {
    LM_UNROLL(8) for (int t = t0; t < t1; t++) {
        V w0 = v_load(p->q[t]), w1 = v_load(p->q[t] + 32), u0 = _mm256_abs_epi8(w0), u1 = _mm256_abs_epi8(w1);
        LM_UNROLL(4) for (int j = 0; j < COLS; j++) {
            V x = bcast32(&a->q[j][4 * t]);
            s[j][0] = v_add32(s[j][0], v_madd16(_mm256_maddubs_epi16(u0, _mm256_sign_epi8(x, w0)), scale[0]));
            s[j][1] = v_add32(s[j][1], v_madd16(_mm256_maddubs_epi16(u1, _mm256_sign_epi8(x, w1)), scale[1]));
        }
    }
}
static void LM_KERNEL kernel_levels(const void *panel, const void *acts, int n_panels, float *out, int offset) {
    (void)offset;
    tile_row *c = (tile_row *)out;
    const struct panel32 *p = panel;
    const V one[2] = {v_set1(0x00010001), v_set1(0x00010001)};
    for (const struct acts32 *a = acts; n_panels--; p++, a++) {
        V s[COLS][2];
        LM_UNROLL(4) for (int j = 0; j < COLS; j++) s[j][0] = s[j][1] = v_zero();
        wide_dot(s, p, a, one, 0, 8);
        LM_UNROLL(4)
        for (int j = 0; j < COLS; j++)
            LM_UNROLL(2) for (int v = 0; v < 2; v++) add_scaled(c[j][v], s[j][v], p->d[0] + ROWS * v, a->scale[j]);
    }
}
LM_INLINE void scaled_levels(const struct panel32 *p, const struct acts32 *a, int n_panels, tile_row *c,
                             const int halves) {
    for (; n_panels; n_panels -= 8, p += 8, a += 8) {
        V s[COLS][2];
        LM_UNROLL(4) for (int j = 0; j < COLS; j++) s[j][0] = s[j][1] = v_zero();
        for (int b = 0; b < 8; b++) {
            LM_UNROLL(2) for (int h = 0; h < halves; h++) {
                const V scale[2] = {v_load(p[b].scale[h]), v_load(p[b].scale[h] + ROWS)};
                wide_dot(s, p + b, a + b, scale, 8 / halves * h, 8 / halves * (h + 1));
            }
        }
        LM_UNROLL(4)
        for (int j = 0; j < COLS; j++)
            LM_UNROLL(2) for (int v = 0; v < 2; v++) add_scaled(c[j][v], s[j][v], p[7].d[0] + ROWS * v, a[7].scale[j]);
    }
}
static void LM_KERNEL kernel_scaled_levels(const void *p, const void *a, int n_panels, float *c, int offset) {
    (void)offset;
    scaled_levels(p, a, n_panels, (tile_row *)c, 1);
}
static void LM_KERNEL kernel_scaled16_levels(const void *p, const void *a, int n_panels, float *c, int offset) {
    (void)offset;
    scaled_levels(p, a, n_panels, (tile_row *)c, 2);
}
#endif

/* Types whose decode takes one column at a time: two are a batch. */
#define FLAT_FORM_OFFSET(type, name, k, which, from_n, offset)                                                         \
    FLAT_FORM_OF(type, name, k, which, offset, UNPACKED(name), .from = from_n)
#define FLAT_FORM(type, name, k, which, from) FLAT_FORM_OFFSET(type, name, k, which, from, name##_OFFSET)
#define IQ_FORM(type, name) FLAT_FORM(type, name, 256, scaled16_levels, 5)
static const struct lm_form forms[] = {
    FLAT_FORM(LM_BLOCK_Q4_0, q4_0, 32, simple, 5) FLAT_FORM(LM_BLOCK_Q4_1, q4_1, 32, minimum, 2)
        FLAT_FORM(LM_BLOCK_Q5_0, q5_0, 32, simple, 2) FLAT_FORM_OFFSET(LM_BLOCK_Q5_1, q5_1, 32, minimum_extra, 2, 16)
            FLAT_FORM(LM_BLOCK_Q8_0, q8_0, 32, levels, 5) FLAT_FORM(LM_BLOCK_Q1_0, q1_0, 128, simple, 2)
                FLAT_FORM(LM_BLOCK_Q2_0, q2_0, 64, simple, 2) FLAT_FORM(LM_BLOCK_IQ4NL, iq4nl, 32, levels, 2) FLAT_FORM(
                    LM_BLOCK_MXFP4, mxfp4, 32, simple, 5) FLAT_FORM(LM_BLOCK_NVFP4, nvfp4, 64, half, 2)
                    FLAT_FORM(LM_BLOCK_Q2K, q2k, 256, scaled16_min, 2) FLAT_FORM(LM_BLOCK_Q3K, q3k, 256, scaled16, 2)
                        FLAT_FORM(LM_BLOCK_Q4K, q4k, 256, scaled32_min, 5)
                            FLAT_FORM_OFFSET(LM_BLOCK_Q5K, q5k, 256, scaled32_extra, 5, 16)
                                FLAT_FORM(LM_BLOCK_Q6K, q6k, 256, scaled16, 5)
                                    FLAT_FORM(LM_BLOCK_TQ1_0, tq1_0, 256, scaled32, 2)
                                        FLAT_FORM(LM_BLOCK_TQ2_0, tq2_0, 256, scaled32, 2)
                                            FLAT_FORM(LM_BLOCK_IQ4XS, iq4xs, 256, scaled_levels, 2) LM_X86_IQ(IQ_FORM)};

static size_t level_work_bytes(int32_t n, int32_t k) { return work_bytes(n, k, KC / 32 * sizeof(struct panel32)); }
const struct lm_matmul_level MATMUL_LEVEL = {
    forms, sizeof forms / sizeof *forms, TILE_ROWS, level_work_bytes, {[LM_FLAT] = {pack_bytes_flat, pack_flat}}};
