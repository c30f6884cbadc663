/* SPDX-License-Identifier: MIT
 * What differs between the types and levels of matmul_body.h, and the loops around them that do not. */
#ifndef LM_KERNELS_MATMUL_FORM_H
#define LM_KERNELS_MATMUL_FORM_H

#include "x86.h"

#if defined(LM_HAVE_X86)
enum { KC = 512, ROW_CHUNK = 128 };

struct panel32 {
    uint8_t q[8][64];     /* 4 k of each row */
    float d[2][16];       /* [1] is the minimum of types with one, the second scale of NVFP4, dmin of K-quants */
    int32_t scale[2][16]; /* [half], of types of 256 weights: s with VNNI, else (s, s) in int16 */
    int32_t min[16];      /* (m, m') in int16, of each 16 */
};

/* c[column][row of the tile] += panel of n_units times activations. */
typedef void LM_KERNEL lm_tile_fn(const void *panel, const void *acts, int n_units, float *c, int offset);
struct lm_form {
    int8_t type, layout;          /* lm_layout, of the packed activations */
    int8_t from;                  /* the smallest n that is faster than decode */
    int8_t few;                   /* columns up to which matvec serves, and of each call of it, if more than 4 */
    int16_t tile_rows;            /* a multiple of 16 that divides ROW_CHUNK */
    int16_t block_k, block_bytes; /* of the weights */
    int16_t unit_k;               /* of a panel and of the packed activations: 32 or 256 k */
    int16_t cols, acts_bytes;     /* of the packed activations: columns of a tile, bytes per unit */
    int16_t unpack_rows, add;     /* rows that unpack does at once, 16 or tile_rows; what it adds to the codes */
    int16_t offset;               /* of flat codes without VNNI */
    lm_unpack_fn *unpack;
    lm_tile_fn *kernel;
    lm_matvec_fn *matvec; /* the level's decode; also for fewer rows than a tile, and up to few columns */
};

/* Flat at every level, and of AVX-512's K-quants in halves of 16 or of 8. */
enum lm_layout { LM_FLAT, LM_PAIR16, LM_PAIR8, LM_LAYOUTS };
struct lm_matmul_level {
    const struct lm_form *forms;
    size_t n_forms;
    int32_t row_tile;
    size_t (*work_bytes)(int32_t n, int32_t k);
    struct {
        lm_pack_bytes_fn *bytes;
        lm_pack_fn *pack;
    } layouts[LM_LAYOUTS];
};
extern const struct lm_matmul_level lm_matmul_avx2, lm_matmul_avx2vnni, lm_matmul_avx512vnni;

LM_INLINE int padded(int n) { return (n + LM_PACK_COLUMNS - 1) / LM_PACK_COLUMNS * LM_PACK_COLUMNS; }

/* Place of (column tile, unit) in the packed activations of n columns: all tiles of one KC are contiguous, in the order of use, so
 * that one hardware prefetch stream serves the whole sweep over the columns. */
LM_INLINE size_t acts_at(int n, int cols, int n_units, int per_chunk, int tile, int unit) {
    int first = unit / per_chunk * per_chunk, units = n_units - first < per_chunk ? n_units - first : per_chunk;
    return (size_t)first * (size_t)(padded(n) / cols) + (size_t)tile * (size_t)units + (size_t)(unit - first);
}

lm_matmul_fn lm_matmul_run; /* form: an lm_form */
#endif

#endif
