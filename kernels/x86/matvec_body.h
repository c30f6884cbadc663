/* SPDX-License-Identifier: MIT
 * Decode (1..4 columns, with 512 bits up to 16): the frame of all matvec kernels, over the vectors of vec512.h or vec256.h.
 *
 * One 128-bit lane holds 16 bytes of one row; four vectors A B C D hold ROWS = 4*LANES rows:
 *
 *             lane 0      lane 1      lane 2      lane 3           (256 bits: lanes 0 and 1)
 *      A      row 0       row 4       row 8       row 12
 *      B      row 1       row 5       row 9       row 13
 *      C      row 2       row 6       row 10      row 14
 *      D      row 3       row 7       row 11      row 15
 *
 * A dot product leaves 4 partial sums per lane. A transposing add of A..D turns them into one sum per row, in natural row order:
 * dword 4*lane + vector. With 512 bits the weights are transposed instead, to the same order (tiles.h). So one f32 vector holds one
 * accumulator per row, scales are converted and multiplied for ROWS rows at once, and no float sum ever crosses rows or blocks.
 *
 * Memory: ROWS rows are read in parallel, block by block, with two prefetch streams. The far one walks linearly over the next
 * group of rows into L2, so that the memory sees the order of the file; the near one brings the next part of each of the rows from
 * L2 into L1. Measured, this is worth more than the arithmetic (0.65 of the read bandwidth without, 0.92 with both). Bursts of
 * prefetches fill the line buffers and stall the loads: they are spread over the block and kept in place by KEEP_ORDER. */

enum { MATVEC_COLUMNS = LANES == 4 ? LM_FLAT_COLUMNS : 4 };

struct rows {
    const uint8_t *w, *ahead; /* first row of the group; what to prefetch while working on it */
    size_t stride;            /* of rows, in bytes */
    const int8_t *q;          /* the first column's quants, k apart; sums and scales alike */
    const float *scale;
    const int16_t *sum16, *sum32;
    size_t k, n_scales;
    int n; /* columns */
    float *out;
    size_t out_stride;
};

#define prefetch(p, bytes, hint)                                                                                       \
    LM_UNROLL(64) for (int at_ = 0; at_ < (bytes); at_ += 64) _mm_prefetch((const char *)(p) + at_, hint)

/* A group function exists twice: for one column with everything in registers, and for more with a loop over the columns, whose
 * weights are taken apart once. Rarer types have one of them: with flat tiles the loop, which serves one column nearly as well; with 256
 * bits that of one column, which goes over the weights for each. */
LM_INLINE void rows_done(const struct rows *g, const F acc[], const int nc) {
    for (int c = 0; c < nc; c++) f_store(g->out + (size_t)c * g->out_stride, acc[c]);
}

/* Run group functions over all rows: one for a single column, some for more; without it one goes over the rows for each. The last
 * group is moved up so that it ends with the last row; fewer rows than a group are done one by one, each filling every place of a
 * group. */
typedef void LM_KERNEL group_fn(const struct rows *g);
static LM_APART void run_groups(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first,
                                int32_t n, float *out, size_t out_stride, group_fn *one, group_fn *some) {
    group_fn *group = n > 1 && some ? some : one;
    const int32_t step = group == some ? n : 1;
    const size_t k = (size_t)acts->k;
    for (int32_t at = 0; at < n; at += step, out += out_stride) {
        const size_t c = (size_t)(first + at);
        struct rows g = {.stride = row_bytes,
                         .q = acts->q + c * k,
                         .scale = acts->scale + c * (k / SCALE_GROUP),
                         .k = k,
                         .n_scales = k / SCALE_GROUP,
                         .sum16 = acts->sum16 + c * (k / 16),
                         .sum32 = acts->sum32 + c * (k / 32),
                         .n = step,
                         .out_stride = out_stride};
        if (n_rows < ROWS) {
            float same[MATVEC_COLUMNS][ROWS];
            g.stride = 0, g.out = same[0], g.out_stride = ROWS;
            for (int32_t r = 0; r < n_rows; r++) {
                g.w = g.ahead = (const uint8_t *)w + (size_t)r * row_bytes;
                group(&g);
                for (int32_t j = 0; j < step; j++) out[(size_t)j * out_stride + (size_t)r] = same[j][0];
            }
            continue;
        }
        for (int32_t r = 0; r < n_rows; r += ROWS) {
            if (r > n_rows - ROWS) r = n_rows - ROWS;
            g.w = (const uint8_t *)w + (size_t)r * row_bytes;
            g.ahead = g.w + ROWS * row_bytes;
            g.out = out + r;
            group(&g);
        }
    }
}

/* The entry point of a type over its two group functions. Rarer types have one of them: DEFINE_MATVEC_SOME, DEFINE_MATVEC_EACH. */
#define DEFINE_MATVEC_OF(name, one, some)                                                                              \
    void LM_KERNEL MATVEC(name)(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first,   \
                                int32_t n, float *out, size_t out_stride) {                                            \
        run_groups(w, row_bytes, n_rows, acts, first, n, out, out_stride, one, some);                                  \
    }
#define DEFINE_MATVEC_SOME(name) DEFINE_MATVEC_OF(name, name##_rows_some, name##_rows_some)
#define DEFINE_MATVEC_EACH(name) DEFINE_MATVEC_OF(name, name##_rows_one, NULL)
#define DEFINE_MATVEC(name) DEFINE_MATVEC_OF(name, name##_rows_one, name##_rows_some)
/* One column line by line (matvec_lines.h). */
#define DEFINE_MATVEC_LINE(name)                                                                                       \
    void LM_KERNEL MATVEC(name)(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first,   \
                                int32_t n, float *out, size_t out_stride) {                                            \
        if (n == 1)                                                                                                    \
            lm_matvec_##name##_line(w, row_bytes, n_rows, acts, first, 1, out);                                        \
        else                                                                                                           \
            run_groups(w, row_bytes, n_rows, acts, first, n, out, out_stride, name##_rows_some, name##_rows_some);     \
    }
