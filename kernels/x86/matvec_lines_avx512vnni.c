/* SPDX-License-Identifier: MIT
 * What all types that are read line by line share (matvec_lines.h): the activations' records, and the float steps. */
#include "matvec_lines.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,f16c,fma")

#include "vec512.h"
#include "tiles.h"

#include "matvec_lines_body.h"

/* Eight columns of a table of 16 rows, lines[i] = rows i and i + 4 (i < 4) or i + 4 and i + 8: one vector for each column */
LM_INLINE void line_columns(const V lines[8], V out[8]) {
    V t[4], u[4];
    transpose4(lines, t), transpose4(lines + 4, u);
    LM_UNROLL(4)
    for (int i = 0; i < 4; i++) out[i] = v_lanes(t[i], u[i], 0x88), out[4 + i] = v_lanes(t[i], u[i], 0xDD);
}
LM_INLINE size_t line_row(int i) { return (size_t)(i < 4 ? i : i + 4); }
LM_INLINE void sums_columns(const int32_t *table, size_t pitch, F out[8]) {
    V lines[8], columns[8];
    LM_UNROLL(8) for (int i = 0; i < 8; i++) {
        const int32_t *p = table + line_row(i) * pitch;
        lines[i] = v_pair(_mm256_loadu_si256((const __m256i *)(const void *)p),
                          _mm256_loadu_si256((const __m256i *)(const void *)(p + 4 * pitch)));
    }
    line_columns(lines, columns);
    LM_UNROLL(8) for (int i = 0; i < 8; i++) out[i] = f_from_int(columns[i]);
}
/* Scales, times factor (a power of two), times those of the activations. */
LM_INLINE void scales_columns(const uint16_t *table, size_t pitch, float factor, const float *scale, F out[8]) {
    F s = _mm512_broadcast_f32x8(_mm256_loadu_ps(scale));
    V lines[8], columns[8];
    LM_UNROLL(8) for (int i = 0; i < 8; i++) {
        const uint16_t *p = table + line_row(i) * pitch;
        __m256i two = _mm256_set_m128i(_mm_loadu_si128((const __m128i *)(const void *)(p + 4 * pitch)),
                                       _mm_loadu_si128((const __m128i *)(const void *)p));
        lines[i] = _mm512_castps_si512(f_mul(f_mul(_mm512_cvtph_ps(two), f_set1(factor)), s));
    }
    line_columns(lines, columns);
    LM_UNROLL(8) for (int i = 0; i < 8; i++) out[i] = f_from_bits(columns[i]);
}

/* 256 bytes: those at 0, 4, 8, ..., at 1, 5, 9, ..., and so on. */
LM_INLINE void put_fourths(uint8_t *to, const uint8_t *from) {
    const V fourths = _mm512_broadcast_i32x4(_mm_setr_epi32(0x0c080400, 0x0d090501, 0x0e0a0602, 0x0f0b0703));
    V x[4], y[4];
    LM_UNROLL(4) for (int i = 0; i < 4; i++) x[i] = v_shuf8(v_load(from + 64 * i), fourths);
    transpose4(x, y); /* lane l of y[j] = fourths j of lane l of x[0..3] */
    const V order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    LM_UNROLL(4) for (int j = 0; j < 4; j++) v_store(to + 64 * j, _mm512_permutexvar_epi32(order, y[j]));
}
/* 128 bytes: those at even places, those at odd. */
LM_INLINE void put_halves(uint8_t *to, const uint8_t *from) {
    const V halves = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0f0d0b0907050301, 0x0e0c0a0806040200)),
            order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    V x = _mm512_permutexvar_epi64(order, v_shuf8(v_load(from), halves)),
      y = _mm512_permutexvar_epi64(order, v_shuf8(v_load(from + 64), halves));
    v_store(to, v_lanes(x, y, 0x44)), v_store(to + 64, v_lanes(x, y, 0xEE));
}

/* Eight blocks of 16 rows: sums and scales. */
static LM_APART void table_columns(const int32_t *sums, const uint16_t *scales, size_t pitch, float factor,
                                   const float *scale, F sum[8], F product[8]) {
    sums_columns(sums, pitch, sum), scales_columns(scales, pitch, factor, scale, product);
}

/* A quad's record of n blocks of the column, in order i, with the sums of each 16 or 32. */
static LM_APART void fill_record(uint8_t *to, const lm_acts *acts, int32_t c, int first, int n, int i) {
    static const uint8_t orders[3][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                          {0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15},
                                          {0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15}};
    const size_t sums_bytes = i == LINE_SPLIT ? 16 : 32;
    const char *sums = (const char *)(i == LINE_SPLIT ? acts->sum32 : acts->sum16);
    memset(to, 0, RECORD);
    for (int b = 0; b < 4 && b < n; b++) {
        size_t block = (size_t)c * ((size_t)acts->k / 256) + (size_t)(first + b);
        const uint8_t *from = (const uint8_t *)acts->q + 256 * block;
        uint8_t *at = to + 256 * b;
        if (i == LINE_FOURTHS)
            put_fourths(at, from);
        else if (i == LINE_HALVES)
            put_halves(at, from), put_halves(at + 128, from + 128);
        else
            for (int e = 0; e < 16; e++) memcpy(at + 16 * e, from + 16 * orders[i][e], 16);
        memcpy(to + 1024 + sums_bytes * (size_t)b, sums + sums_bytes * block, sums_bytes);
    }
}

/* The float steps; out holds what earlier segments gave. */
static LM_APART void finish_lines(const struct lm_line_table *t, const struct lm_line_type *type,
                                  const struct lm_line *line, int n_rows, float *out, int is_first) {
    const size_t pitch = ((size_t)line->n_blocks + 3) / 4 * 4;
    __mmask16 rows = (__mmask16)((1u << n_rows) - 1);
    F acc = is_first ? f_zero() : _mm512_maskz_loadu_ps(rows, out);
    for (int b = 0; b < line->n_blocks; b += 8) {
        F sum[8], scale[8], low[8], low_scale[8];
        table_columns(t->isum + b, t->d + b, pitch, type->factor, line->scale + b, sum, scale);
        if (type->has_minima) table_columns(t->imin + b, t->dmin + b, pitch, 1, line->scale + b, low, low_scale);
        LM_UNROLL(8) for (int i = 0; i < 8; i++) {
            if (b + i >= line->n_blocks) break;
            acc = f_fma(scale[i], sum[i], acc);
            if (type->has_minima) acc = f_fnma(low_scale[i], low[i], acc);
        }
    }
    _mm512_mask_storeu_ps(out, rows, acc);
}

void LM_KERNEL lm_run_lines(lm_fill_lines_fn *fill, const struct lm_line_type *type, const uint8_t *w, size_t row_bytes,
                            int32_t n_rows, const lm_acts *acts, int32_t c, int prefetches, const void *book,
                            float *out) {
    struct lm_line line;
    struct lm_line_table table;
    const int n = acts->k / 256;
    line.book = book;
    for (int b = 0; b < n; b += LINE_BLOCKS) {
        line.n_blocks = n - b < LINE_BLOCKS ? n - b : LINE_BLOCKS;
        memset(line.scale, 0, sizeof line.scale);
        memcpy(line.scale, acts->scale + (size_t)c * (size_t)n + b, (size_t)line.n_blocks * sizeof *line.scale);
        for (int q = 0; 4 * q < line.n_blocks; q++)
            fill_record(line.records + q * RECORD, acts, c, b + 4 * q, line.n_blocks - 4 * q, type->order);
        const uint8_t *from = w + (size_t)b * (size_t)type->block_bytes;
        for (int32_t r = 0; r < n_rows; r += LINE_ROWS, from += LINE_ROWS * row_bytes) {
            const int rows = n_rows - r < LINE_ROWS ? n_rows - r : LINE_ROWS;
            fill(type, &table, from, row_bytes, rows, &line, prefetches);
            finish_lines(&table, type, &line, rows, out + r, b == 0);
        }
    }
}
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
