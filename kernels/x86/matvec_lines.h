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
 * codes leave the registers, and their sums; what is missing to the last quad's four blocks is zero. A type T has beside its codes
 * (codes_k.h):
 *
 *     T_ORDER             the order of a record
 *     T_SHIFT             0; or the minima are sums that the codes' offset has left in, to be taken out times 2^T_SHIFT
 *     T_D, T_DMIN         where in a block its f16 scales are
 *     T_quad(p, s, ..)    partial sums of the quad at p with record s, and of its minima, one block a lane
 *
 * Some processors follow such a stream by themselves and are disturbed by prefetches, others need them (lm_cpu_follows_streams). */

#define v_lanes(a, b, n) _mm512_shuffle_i32x4(a, b, n)
#define v_pair(low, high) _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)
LM_INLINE V v_twice(const uint8_t *p) {
    return _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
/* Loaded once: most of these loads cross a line of the cache, and two operations would both load. */
LM_INLINE V v_load_once(const uint8_t *p) {
    V x = v_load(p);
    __asm__("" : "+v"(x));
    return x;
}
/* acc + u8 . the 64 int8 at p */
LM_INLINE V dp_at(V acc, V u8, const uint8_t *p) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u8), "m"(*(const uint8_t(*)[64])p));
    return acc;
}

/* A segment: blocks of k that are worked on at a time. */
enum { LINE_ROWS = 16, LINE_BLOCKS = 64, LINE_PLACES = LINE_ROWS * LINE_BLOCKS + 16, RECORD = 1024 + 128 };

/* Orders of a record's sixteens: as they are; the low nibbles of 64 bytes, then the high ones; the same two bits of 64 bytes. */
enum { LINE_PLAIN, LINE_SPLIT, LINE_GROUPS };

/* One column's activations of one segment. */
struct line {
    _Alignas(64) uint8_t records[LINE_BLOCKS / 4 * RECORD];
    float scale[LINE_BLOCKS + 8]; /* of each block, then zero */
    int n_blocks;
};

/* What 16 rows give of one segment, [row][block]. */
struct line_table {
    int32_t isum[LINE_PLACES], imin[LINE_PLACES];
    uint16_t d[LINE_PLACES], dmin[LINE_PLACES];
};

/* lane v = the sum of the lanes of h[v], dword by dword */
LM_INLINE V lane_sums(const V h[4]) {
    V a = v_add32(v_lanes(h[0], h[1], 0x44), v_lanes(h[0], h[1], 0xEE)),
      b = v_add32(v_lanes(h[2], h[3], 0x44), v_lanes(h[2], h[3], 0xEE));
    return v_add32(v_lanes(a, b, 0x88), v_lanes(a, b, 0xDD));
}
/* One vector a quad, one block a lane: sums in the order of the blocks. */
LM_INLINE V block_sums(const V part[4]) {
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
                                    v_hsum(part));
}

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
/* Scales times those of the activations. */
LM_INLINE void scales_columns(const uint16_t *table, size_t pitch, const float *scale, F out[8]) {
    F s = _mm512_broadcast_f32x8(_mm256_loadu_ps(scale));
    V lines[8], columns[8];
    LM_UNROLL(8) for (int i = 0; i < 8; i++) {
        const uint16_t *p = table + line_row(i) * pitch;
        __m256i two = _mm256_set_m128i(_mm_loadu_si128((const __m128i *)(const void *)(p + 4 * pitch)),
                                       _mm_loadu_si128((const __m128i *)(const void *)p));
        lines[i] = _mm512_castps_si512(f_mul(_mm512_cvtph_ps(two), s));
    }
    line_columns(lines, columns);
    LM_UNROLL(8) for (int i = 0; i < 8; i++) out[i] = f_from_bits(columns[i]);
}

/* As far ahead as memory needs, and as the second cache does. */
LM_INLINE void line_prefetch(const uint8_t *p) {
    _mm_prefetch((const char *)p + 8192, _MM_HINT_T1), _mm_prefetch((const char *)p + 2048, _MM_HINT_T0);
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
        for (int e = 0; e < 16; e++) memcpy(to + 256 * b + 16 * e, acts->q + 256 * block + 16 * orders[i][e], 16);
        memcpy(to + 1024 + sums_bytes * (size_t)b, sums + sums_bytes * block, sums_bytes);
    }
}

/* The float steps; out holds what earlier segments gave. */
static LM_APART void finish_lines(const struct line_table *t, int minima, const struct line *line, int n_rows,
                                  float *out, int is_first) {
    const size_t pitch = ((size_t)line->n_blocks + 3) / 4 * 4;
    __mmask16 rows = (__mmask16)((1u << n_rows) - 1);
    F acc = is_first ? f_zero() : _mm512_maskz_loadu_ps(rows, out);
    for (int b = 0; b < line->n_blocks; b += 8) {
        F sum[8], scale[8], low[8], low_scale[8];
        sums_columns(t->isum + b, pitch, sum), scales_columns(t->d + b, pitch, line->scale + b, scale);
        if (minima)
            sums_columns(t->imin + b, pitch, low), scales_columns(t->dmin + b, pitch, line->scale + b, low_scale);
        LM_UNROLL(8) for (int i = 0; i < 8; i++) {
            if (b + i >= line->n_blocks) break;
            acc = f_fma(scale[i], sum[i], acc);
            if (minima) acc = f_fnma(low_scale[i], low[i], acc);
        }
    }
    _mm512_mask_storeu_ps(out, rows, acc);
}

/* The integer steps of up to 16 rows over one segment. */
typedef void fill_lines_fn(struct line_table *t, const uint8_t *w, size_t stride, int n_rows, const struct line *line,
                           int prefetches);
static LM_APART void run_lines(fill_lines_fn *fill, size_t block_bytes, int order, int minima, const uint8_t *w,
                               size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t c, int prefetches,
                               float *out) {
    struct line line;
    struct line_table table;
    const int n = acts->k / 256;
    for (int b = 0; b < n; b += LINE_BLOCKS) {
        line.n_blocks = n - b < LINE_BLOCKS ? n - b : LINE_BLOCKS;
        memset(line.scale, 0, sizeof line.scale);
        memcpy(line.scale, acts->scale + (size_t)c * (size_t)n + b, (size_t)line.n_blocks * sizeof *line.scale);
        for (int q = 0; 4 * q < line.n_blocks; q++)
            fill_record(line.records + q * RECORD, acts, c, b + 4 * q, line.n_blocks - 4 * q, order);
        const uint8_t *from = w + (size_t)b * block_bytes;
        for (int32_t r = 0; r < n_rows; r += LINE_ROWS, from += LINE_ROWS * row_bytes) {
            const int rows = n_rows - r < LINE_ROWS ? n_rows - r : LINE_ROWS;
            fill(&table, from, row_bytes, rows, &line, prefetches);
            finish_lines(&table, minima, &line, rows, out + r, b == 0);
        }
    }
}

#define LINE_TYPE(name)                                                                                                \
    enum { name##_HAS_MINIMA = name##_MINIMA && !name##_SHIFT };                                                       \
    static LM_APART void name##_lines(struct line_table *t, const uint8_t *w, size_t stride, int n_rows,               \
                                      const struct line *line, int prefetches) {                                       \
        uint8_t tail[4 * name##_BYTES];                                                                                \
        const int quads = (line->n_blocks + 3) / 4, total = n_rows * quads;                                            \
        for (int at = 0, q = 0; at < total; at += 4) {                                                                 \
            V part[4], minima[4];                                                                                      \
            LM_UNROLL(1) for (int j = 0; j < 4; j++) {                                                                 \
                const uint8_t *p = w + 4 * name##_BYTES * (size_t)q;                                                   \
                if (__builtin_expect(4 * q + 4 > line->n_blocks, 0)) {                                                 \
                    memset(tail, 0, sizeof tail);                                                                      \
                    memcpy(tail, p, (size_t)(line->n_blocks - 4 * q) * name##_BYTES), p = tail;                        \
                }                                                                                                      \
                if (prefetches) LM_UNROLL(16) for (int i = 0; i < 4 * name##_BYTES; i += 64) line_prefetch(p + i);     \
                name##_quad(p, line->records + (size_t)q * RECORD, part + j, minima + j);                              \
                LM_UNROLL(4) for (int i = 0; i < 4; i++) {                                                             \
                    memcpy(&t->d[4 * (at + j) + i], p + i * name##_BYTES + name##_D, 2);                               \
                    if (name##_HAS_MINIMA) memcpy(&t->dmin[4 * (at + j) + i], p + i * name##_BYTES + name##_DMIN, 2);  \
                }                                                                                                      \
                if (at + j + 1 < total && ++q == quads) q = 0, w += stride;                                            \
            }                                                                                                          \
            V sums = lane_sums(part);                                                                                  \
            if (name##_SHIFT) sums = v_sub32(sums, v_sll32(block_sums(minima), name##_SHIFT));                         \
            v_store(t->isum + 4 * at, sums);                                                                           \
            if (name##_HAS_MINIMA) v_store(t->imin + 4 * at, block_sums(minima));                                      \
        }                                                                                                              \
    }                                                                                                                  \
    void lm_matvec_##name##_line(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t c,      \
                                 int prefetches, float *out) {                                                         \
        run_lines(name##_lines, name##_BYTES, name##_ORDER, name##_HAS_MINIMA, w, row_bytes, n_rows, acts, c,          \
                  prefetches, out);                                                                                    \
    }                                                                                                                  \
    void lm_matvec_##name##_stream(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,               \
                                   int32_t first, int32_t n, float *out, size_t out_stride) {                          \
        if (n == 1)                                                                                                    \
            lm_matvec_##name##_line(w, row_bytes, n_rows, acts, first, 0, out);                                        \
        else                                                                                                           \
            lm_matvec_##name##_avx512vnni(w, row_bytes, n_rows, acts, first, n, out, out_stride);                      \
    }
