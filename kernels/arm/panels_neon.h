/* SPDX-License-Identifier: MIT
 * Panels: PANEL_ROWS rows of any type taken apart into int8 codes without an offset, for the prefill kernels of all levels. A
 * level then puts the codes, row-major in units of 16 k, into the order its dot product wants; floats and integer scales are
 * one per row, with room for each to stand twice. */
#ifndef LM_KERNELS_PANELS_NEON_H
#define LM_KERNELS_PANELS_NEON_H

#include "arm.h"

#if defined(LM_HAVE_ARM)
enum { PANEL_ROWS = 8 };

/* 32 k of types with a float scale per small block. */
struct panel32 {
    int8_t q[2][PANEL_ROWS * 16];
    float d[2][2 * PANEL_ROWS]; /* [1]: the minimum, or the scale of the second 16 */
};
/* A block of 256 k. */
struct panel256 {
    int8_t q[16][PANEL_ROWS * 16];
    int8_t min[PANEL_ROWS * 16];       /* 16 (or 8) per row */
    int32_t scale[16][2 * PANEL_ROWS]; /* per 16 k (or the first 8: per 32) */
    float d[2][2 * PANEL_ROWS];        /* [1]: dmin */
};

/* Fill panels from n_blocks blocks of rows stride bytes apart. */
typedef void lm_unpack_fn(void *panels, const uint8_t *w, size_t stride, int n_blocks);
#define LM_ARM_DECLARE_UNPACK(type, name) lm_unpack_fn lm_unpack_##name##_neon;
LM_ARM_SIMPLE(LM_ARM_DECLARE_UNPACK)
LM_ARM_K(LM_ARM_DECLARE_UNPACK)
#endif

#endif
