/* SPDX-License-Identifier: MIT
 * The types of the 256-bit levels over matmul_body.h: which kernel each needs. With VNNI sums are int32 and every type fits; without,
 * types whose 16 (8) products leave int16 have kernels of their own, which widen at every step. */

#if HAVE_VNNI
KERNEL(simple, simple_kernel, 1, 0, 0, 0)
KERNEL(minimum, simple_kernel, 1, 1, 0, 0)
KERNEL(half, simple_kernel, 2, 0, 0, 0)
KERNEL(scaled32, scaled_kernel, 1, 0, 0, 0)
KERNEL(scaled32_min, scaled_kernel, 1, 1, 0, 0)
KERNEL(scaled16, scaled_kernel, 2, 0, 0, 0)
KERNEL(scaled16_min, scaled_kernel, 2, 1, 0, 0)
#define kernel_q4_0 kernel_simple
#define kernel_q4_1 kernel_minimum
#define kernel_q5_0 kernel_simple
#define kernel_q5_1 kernel_minimum
#define kernel_q8_0 kernel_simple
#define kernel_q1_0 kernel_simple
#define kernel_q2_0 kernel_simple
#define kernel_iq4nl kernel_simple
#define kernel_mxfp4 kernel_simple
#define kernel_nvfp4 kernel_half
#define kernel_q2k kernel_scaled16_min
#define kernel_q3k kernel_scaled16
#define kernel_q4k kernel_scaled32_min
#define kernel_q5k kernel_scaled32_min
#define kernel_q6k kernel_scaled16
#define kernel_tq1_0 kernel_scaled32
#define kernel_tq2_0 kernel_scaled32
#define kernel_iq4xs kernel_scaled32
#else
/* Products of int8 by int8: |w| unsigned times the activation with the sign of w; pair sums up to 32512 are widened at once. */
LM_INLINE void wide_dot(V s[COLS][2], const struct panel32 *p, const struct acts32 *a, const V scale[2]) {
    LM_UNROLL(8) for (int t = 0; t < 8; t++) {
        V w0 = v_load(p->q[t][0]), w1 = v_load(p->q[t][1]), u0 = _mm256_abs_epi8(w0), u1 = _mm256_abs_epi8(w1);
        LM_UNROLL(4) for (int j = 0; j < COLS; j++) {
            V x = bcast32(&a->q[j][4 * t]);
            s[j][0] = v_add32(s[j][0], v_madd16(_mm256_maddubs_epi16(u0, _mm256_sign_epi8(x, w0)), scale[0]));
            s[j][1] = v_add32(s[j][1], v_madd16(_mm256_maddubs_epi16(u1, _mm256_sign_epi8(x, w1)), scale[1]));
        }
    }
}
static void kernel_levels(const void *panel, const void *acts, int n_panels, tile_row *c) {
    const struct panel32 *p = panel;
    const V one[2] = {v_set1(0x00010001), v_set1(0x00010001)};
    for (const struct acts32 *a = acts; n_panels--; p++, a++) {
        V s[COLS][2];
        LM_UNROLL(4) for (int j = 0; j < COLS; j++) s[j][0] = s[j][1] = v_zero();
        wide_dot(s, p, a, one);
        LM_UNROLL(4)
        for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++)
            add_scaled(c[j][v], s[j][v], p->d[0][v], a->scale[j]);
    }
}
static void kernel_scaled_levels(const void *panel, const void *acts, int n_panels, tile_row *c) {
    const struct panel32 *p = panel;
    for (const struct acts32 *a = acts; n_panels; n_panels -= 8, p += 8, a += 8) {
        V s[COLS][2];
        LM_UNROLL(4) for (int j = 0; j < COLS; j++) s[j][0] = s[j][1] = v_zero();
        for (int b = 0; b < 8; b++) {
            const V scale[2] = {v_load(p[b].scale[0][0]), v_load(p[b].scale[0][1])};
            wide_dot(s, p + b, a + b, scale);
        }
        LM_UNROLL(4)
        for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++)
            add_scaled(c[j][v], s[j][v], p[7].d[0][v], a[7].scale[j]);
    }
}
/* Offsets as in T_OFFSET, 16 for the types whose codes go to 31. */
KERNEL(q4_0, simple_kernel, 1, 0, 8, 0)
KERNEL(q4_1, simple_kernel, 1, 1, 0, 0)
KERNEL(q5_0, simple_kernel, 1, 0, 16, 0)
KERNEL(q5_1, simple_kernel, 1, 1, 16, 1)
KERNEL(q1_0, simple_kernel, 1, 0, 1, 0)
KERNEL(mxfp4, simple_kernel, 1, 0, 12, 0)
KERNEL(nvfp4, simple_kernel, 2, 0, 12, 0)
KERNEL(q2k, scaled_kernel, 2, 1, 0, 0)
KERNEL(q3k, scaled_kernel, 2, 0, 4, 0)
KERNEL(q4k, scaled_kernel, 1, 1, 0, 0)
KERNEL(q5k, scaled_kernel, 1, 1, 16, 1)
KERNEL(q6k, scaled_kernel, 2, 0, 32, 0)
KERNEL(tq1_0, scaled_kernel, 1, 0, 1, 0)
#define kernel_q2_0 kernel_q1_0
#define kernel_tq2_0 kernel_tq1_0
#define kernel_q8_0 kernel_levels
#define kernel_iq4nl kernel_levels
#define kernel_iq4xs kernel_scaled_levels
#endif

UNPACK_K(q2k)
UNPACK_K(q3k)
UNPACK_K(q4k)
UNPACK_K(q5k)
UNPACK_K(q6k)
UNPACK_K(tq1_0)
UNPACK_K(tq2_0)
enum { iq4xs_OFFSET = S8_OFFSET, iq4xs_WIDE = 1, iq4xs_MINIMA = 0 };
#define iq4xs_dmin(p, s) f_zero()
UNPACK_K(iq4xs)

FLAT_FORM(q4_0, 32, q4_0)
FLAT_FORM(q4_1, 32, q4_1)
FLAT_FORM(q5_0, 32, q5_0)
FLAT_FORM(q5_1, 32, q5_1)
FLAT_FORM(q8_0, 32, q8_0)
FLAT_FORM(q1_0, 128, q1_0)
FLAT_FORM(q2_0, 64, q2_0)
FLAT_FORM(iq4nl, 32, iq4nl)
FLAT_FORM(mxfp4, 32, mxfp4)
FLAT_FORM(nvfp4, 64, nvfp4)
FLAT_FORM(q2k, 256, q2k)
FLAT_FORM(q3k, 256, q3k)
FLAT_FORM(q4k, 256, q4k)
FLAT_FORM(q5k, 256, q5k)
FLAT_FORM(q6k, 256, q6k)
FLAT_FORM(tq1_0, 256, tq1_0)
FLAT_FORM(tq2_0, 256, tq2_0)
FLAT_FORM(iq4xs, 256, iq4xs)
