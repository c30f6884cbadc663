/* SPDX-License-Identifier: MIT
 * The loops of a batch's product over chunks of rows, of k, and tiles: the same for every type and level. */
#include "matmul_form.h"

#if defined(LM_HAVE_X86)
void LM_KERNEL lm_matmul_run(const void *form, const void *weights, size_t row_bytes, int32_t n_rows,
                             const lm_acts *acts, const void *packed, int32_t first, int32_t n, void *work, float *out,
                             size_t out_stride) {
    const struct lm_form *f = form;
    if (n_rows < f->tile_rows || n <= f->few) {
        const int32_t step = f->few > 4 ? f->few : 4;
        for (int32_t c = 0; c < n; c += step)
            f->matvec(weights, row_bytes, n_rows, acts, first + c, n - c < step ? n - c : step,
                      out + (size_t)c * out_stride, out_stride);
        return;
    }
    const uint8_t *w = weights;
    const int n_units = acts->k / f->unit_k, per_chunk = KC / f->unit_k, n_blocks = acts->k / f->block_k,
              step = KC / f->block_k;
    const int tiles = (n + f->cols - 1) / f->cols, width = padded(n), block_bytes = f->block_bytes;
    const int tile_rows = f->tile_rows;
    float *c = work; /* [row tile][column][row] */
    void *panel = (char *)work + (size_t)ROW_CHUNK * (size_t)width * sizeof(float);
    for (int r0 = 0; r0 < n_rows; r0 += ROW_CHUNK) {
        int rows = n_rows - r0 < ROW_CHUNK ? n_rows - r0 : ROW_CHUNK, row_tiles = (rows + tile_rows - 1) / tile_rows;
        memset(c, 0, (size_t)row_tiles * (size_t)width * (size_t)tile_rows * sizeof *c);
        for (int kb = 0; kb < n_blocks; kb += step) {
            int blocks = n_blocks - kb < step ? n_blocks - kb : step, unit = kb * f->block_k / f->unit_k;
            for (int rt = 0; rt < row_tiles; rt++) {
                /* The last tile is moved up so that it never reads past the matrix. */
                int r = r0 + rt * tile_rows, last = rt + 1 == row_tiles;
                if (r + tile_rows > n_rows) r = n_rows - tile_rows;
                for (int i = 0; i < tile_rows; i += f->unpack_rows)
                    f->unpack((char *)panel + (size_t)(i / 16) * sizeof(struct panel32),
                              w + (size_t)(r + i) * row_bytes + (size_t)kb * (size_t)block_bytes, row_bytes, blocks,
                              (size_t)tile_rows / 16, f->add);
                /* While this panel is used, bring the weights of the next one into L2, a few rows per column tile. */
                const uint8_t *next = w + (size_t)(last ? r0 : r + tile_rows) * row_bytes +
                                      (size_t)(last ? kb + step : kb) * (size_t)block_bytes;
                for (int ct = 0, row = 0; ct < tiles; ct++) {
                    for (; row * tiles < (ct + 1) * tile_rows && row < tile_rows; row++)
                        for (int i = 0; i < step * block_bytes + 63; i += 64)
                            _mm_prefetch((const char *)next + (size_t)row * row_bytes + i, _MM_HINT_T1);
                    size_t at = acts_at(acts->n, f->cols, n_units, per_chunk, first / f->cols + ct, unit);
                    f->kernel(panel, (const char *)packed + at * (size_t)f->acts_bytes, blocks * f->block_k / f->unit_k,
                              c + ((size_t)rt * (size_t)width + (size_t)(ct * f->cols)) * (size_t)tile_rows, f->offset);
                }
            }
        }
        /* Column by column, so that the (large) stride of the output costs one page walk per chunk and column. */
        for (int col = 0; col < n; col++)
            for (int rt = 0; rt < row_tiles; rt++) {
                int r = r0 + rt * tile_rows;
                if (r + tile_rows > n_rows) r = n_rows - tile_rows;
                const float *from = c + ((size_t)rt * (size_t)width + (size_t)col) * (size_t)tile_rows;
                float *to = out + (size_t)col * out_stride + r;
                for (int i = 0; i < tile_rows; i += 16) memcpy(to + i, from + i, 16 * sizeof *to);
            }
    }
}
#else
typedef int lm_nothing_here;
#endif
