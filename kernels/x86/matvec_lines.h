/* SPDX-License-Identifier: MIT
 * Decode of one column with 512 bits: weights are read in the order of the file, one row after the other, so that memory sees a single
 * stream. Rows meet in vectors only afterwards:
 *
 *     1. four blocks after each other (a quad) give four integer sums, four quads one vector of 16; it goes to a table [row][block],
 *        the blocks' scales beside it as they are;
 *     2. when the table holds 16 rows, it is transposed: one vector is then one block of 16 rows, and the float steps of the
 *        contract follow in ascending order of the blocks.
 *
 * The activations are laid out once for all rows, a record of RECORD bytes for each quad: 1024 values in the order in which the type's
 * codes leave the registers, and their sums; what is missing to the last quad's four blocks is zero.
 *
 * Some processors follow such a stream by themselves and are disturbed by prefetches, others need them (lm_cpu_follows_streams). */
#ifndef LM_KERNELS_MATVEC_LINES_H
#define LM_KERNELS_MATVEC_LINES_H

#include "x86.h"

#if defined(LM_HAVE_X86)
/* A segment: blocks of k that are worked on at a time. */
enum { LINE_ROWS = 16, LINE_BLOCKS = 64, LINE_PLACES = LINE_ROWS * LINE_BLOCKS + 16, RECORD = 1024 + 128 };

/* Orders of a record's sixteens: as they are; the low nibbles of 64 bytes, then the high ones; the same two bits of 64 bytes. And of
 * its bytes: every fourth of 256, then those that follow them; every other of 128. */
enum { LINE_PLAIN, LINE_SPLIT, LINE_GROUPS, LINE_FOURTHS, LINE_HALVES };

struct lm_line_type;
struct lm_line_table;
struct lm_line;
typedef void LM_KERNEL lm_fill_lines_fn(const struct lm_line_type *type, struct lm_line_table *t, const uint8_t *w,
                                        size_t stride, int n_rows, const struct lm_line *line, int prefetches);
struct lm_line_type {
    int block_bytes, order;
    int shift; /* 0; or the minima are sums that the codes' offset has left in, to be taken out times 2^shift */
    int has_minima;
    int d, dmin;  /* where in a block its f16 scales are; d -1: as in IQ1_M */
    float factor; /* of d */
};

/* One column's activations of one segment. book: for the types that look weights up (matvec_lines_iq_avx512vnni.c). */
struct lm_line {
    _Alignas(64) uint8_t records[LINE_BLOCKS / 4 * RECORD];
    float scale[LINE_BLOCKS + 8]; /* of each block, then zero */
    int n_blocks;
    const void *book;
};

/* What 16 rows give of one segment, [row][block]. */
struct lm_line_table {
    int32_t isum[LINE_PLACES], imin[LINE_PLACES];
    uint16_t d[LINE_PLACES], dmin[LINE_PLACES];
};

/* Column c of acts times n_rows rows. */
void LM_KERNEL lm_run_lines(lm_fill_lines_fn *fill, const struct lm_line_type *type, const uint8_t *w, size_t row_bytes,
                            int32_t n_rows, const lm_acts *acts, int32_t c, int prefetches, const void *book,
                            float *out);

/* The entry points of a type: one column line by line, with prefetches or without; more as other() does. */
#define LINE_ENTRIES(name, fill, other)                                                                                \
    void LM_KERNEL lm_matvec_##name##_line(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,       \
                                           int32_t c, int prefetches, float *out) {                                    \
        lm_run_lines(fill, &name##_line, w, row_bytes, n_rows, acts, c, prefetches, NULL, out);                        \
    }                                                                                                                  \
    void LM_KERNEL lm_matvec_##name##_stream(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,     \
                                             int32_t first, int32_t n, float *out, size_t out_stride) {                \
        if (n == 1)                                                                                                    \
            lm_matvec_##name##_line(w, row_bytes, n_rows, acts, first, 0, out);                                        \
        else                                                                                                           \
            other(w, row_bytes, n_rows, acts, first, n, out, out_stride);                                              \
    }
#endif

#endif
