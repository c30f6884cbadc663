/* SPDX-License-Identifier: MIT
 * Prefill: any number of columns. A tile of TILE_ROWS rows x KC weights of any type is unpacked into a panel that stays in L1 and
 * is then multiplied with every column. The flat panel form: one dword of a vector = 4 successive k of one row, so a vector is
 * ROWS rows; the activations are broadcast dwords.
 *
 *     tile: 2 vectors of rows x COLS columns of int32 sums in registers; float accumulators in L1
 *     panel32 = 32 k x TILE_ROWS rows, acts32 = 32 k x COLS columns
 *
 * With VNNI every code is stored plus 128, unsigned, and the sums start at -128 times the sum of the activations: one layout of
 * activations serves all types. Without VNNI (vpmaddubsw) the sums of a sub-block are two int16 per row, which wrap on the way but
 * end in range: 16 products of at most 16 (16 * 16 * 127 = 32512), or 8 products of at most 32; each type names the offset of its
 * codes, and codes up to 31 count as -16..15 with 16 times the activations' sum added in int32 (EXTRA).
 *
 * Blocking: ROW_CHUNK rows share the float accumulators (L2); for each KC of k, for each TILE_ROWS rows: unpack, then all columns. */

enum { TILE_ROWS = 2 * ROWS, KC = 512, ROW_CHUNK = 128 };
#if LANES == 4
#define COLS 8
#elif HAVE_VNNI
#define COLS 6
#else
#define COLS 4
#endif

struct acts32 {
    int8_t q[COLS][32];
    int32_t bias[3][COLS]; /* of all 32, of each 16. VNNI: -128 * sum; else the sums of dword halves, two int16 */
    int16_t sum16[COLS][2];
    float scale[COLS], sum[COLS];
};
struct panel32 {
    uint8_t q[8][2][sizeof(V)];
    float
        d[2][2]
         [ROWS]; /* [half][vector]: [1] is the minimum of types with one, the second scale of NVFP4, dmin of K-quants */
    int32_t scale[2][2][ROWS]; /* [half][vector] of types of 256 weights: s with VNNI, else (s, s) in int16 */
    int32_t min[2][ROWS];      /* (m, m') in int16, of each 16 */
};

LM_INLINE V bcast32(const void *p) {
    int32_t x;
    memcpy(&x, p, 4);
    return v_set1(x);
}

/* out[t] lane l = dword t of x[0..3] lane l: 4 k of rows 4l .. 4l+3 */
LM_INLINE void transpose4(const V x[4], V out[4]) {
    V a = v_unpacklo32(x[0], x[1]), b = v_unpackhi32(x[0], x[1]), c = v_unpacklo32(x[2], x[3]),
      d = v_unpackhi32(x[2], x[3]);
    out[0] = v_unpacklo64(a, c), out[1] = v_unpackhi64(a, c), out[2] = v_unpacklo64(b, d), out[3] = v_unpackhi64(b, d);
}

/* ---- unpackers ---- */

/* x[j]: 32 codes of rows j, j+4, ...; add: what makes them the panel's. */
LM_INLINE void store_codes(struct panel32 *p, const int v, V x[4][2], const int add) {
    LM_UNROLL(2) for (int e = 0; e < 2; e++) {
        V y[4] = {x[0][e], x[1][e], x[2][e], x[3][e]}, t[4];
        transpose4(y, t);
        LM_UNROLL(4) for (int j = 0; j < 4; j++) v_store(p->q[4 * e + j][v], add ? v_add8(t[j], v_set1_8(add)) : t[j]);
    }
}
/* With VNNI all codes go to +128; without they stay as the type has them. */
#define CODE_ADD(offset) (HAVE_VNNI ? 128 - (offset) : 0)

#define UNPACK_SIMPLE(name, SCALES)                                                                                    \
    static void unpack_##name(void *to, const uint8_t *w, size_t stride, int n_blocks) {                               \
        for (struct panel32 *p = to; n_blocks--; w += name##_BYTES, p += name##_SUBS)                                  \
            for (int v = 0; v < 2; v++) {                                                                              \
                const uint8_t *b = w + (size_t)(ROWS * v) * stride;                                                    \
                for (int i = 0; i < name##_SUBS; i++) {                                                                \
                    V x[4][2];                                                                                         \
                    LM_UNROLL(4)                                                                                       \
                    for (int j = 0; j < 4; j++) name##_codes(x[j], b + (size_t)j * stride, 4 * stride, i);             \
                    store_codes(p + i, v, x, CODE_ADD(name##_OFFSET));                                                 \
                    SCALES(name)                                                                                       \
                }                                                                                                      \
            }                                                                                                          \
    }
#define ONE_SCALE(name) f_store(p[i].d[0][v], name##_scale(b, stride));
#define SCALE_MINIMUM(name)                                                                                            \
    f_store(p[i].d[0][v], name##_scale(b, stride)), f_store(p[i].d[1][v], name##_minimum(b, stride));
#define HALF_SCALES(name)                                                                                              \
    V bytes = v_dwords(b, stride);                                                                                     \
    LM_UNROLL(2) for (int h = 0; h < 2; h++) f_store(p[i].d[h][v], nvfp4_scale(bytes, 2 * i + h));

UNPACK_SIMPLE(q4_0, ONE_SCALE)
UNPACK_SIMPLE(q4_1, SCALE_MINIMUM)
UNPACK_SIMPLE(q5_0, ONE_SCALE)
UNPACK_SIMPLE(q5_1, SCALE_MINIMUM)
UNPACK_SIMPLE(q8_0, ONE_SCALE)
UNPACK_SIMPLE(q1_0, ONE_SCALE)
UNPACK_SIMPLE(q2_0, ONE_SCALE)
UNPACK_SIMPLE(iq4nl, ONE_SCALE)
UNPACK_SIMPLE(mxfp4, ONE_SCALE)
UNPACK_SIMPLE(nvfp4, HALF_SCALES)

/* z[j]: 8 words of rows j, j+4, ... t[d] lane l: words 2d, 2d+1 of rows 4l .. 4l+3, so a dword per row. */
LM_INLINE V low_words(V t) { /* twice in a dword, or as a dword with VNNI */
    return HAVE_VNNI ? v_sra32(v_sll32(t, 16), 16) : v_shuf8(t, v_row4(0x01000100, 0x05040504, 0x09080908, 0x0d0c0d0c));
}
LM_INLINE V high_words(V t) {
    return HAVE_VNNI ? v_sra32(t, 16) : v_shuf8(t, v_row4(0x03020302, 0x07060706, 0x0b0a0b0a, 0x0f0e0f0e));
}

/* Scales of 8 (wide: 32 weights each) or 16 sub-blocks into 8 panels. */
LM_INLINE void store_scales(struct panel32 *p, const int v, V sc[4][2], const int wide) {
    LM_UNROLL(2) for (int e = 0; e < 2 - wide; e++) {
        V y[4] = {sc[0][e], sc[1][e], sc[2][e], sc[3][e]}, t[4];
        transpose4(y, t);
        LM_UNROLL(4) for (int d = 0; d < 4; d++) {
            if (wide)
                v_store(p[2 * d].scale[0][v], low_words(t[d])), v_store(p[2 * d + 1].scale[0][v], high_words(t[d]));
            else
                v_store(p[4 * e + d].scale[0][v], low_words(t[d])), v_store(p[4 * e + d].scale[1][v], high_words(t[d]));
        }
    }
}
LM_INLINE void store_minima(struct panel32 *p, const int v, V mn[4][2], const int wide) {
    LM_UNROLL(2) for (int e = 0; e < 2 - wide; e++) {
        V y[4] = {mn[0][e], mn[1][e], mn[2][e], mn[3][e]}, t[4];
        transpose4(y, t);
        LM_UNROLL(4) for (int d = 0; d < 4; d++) {
            V low = v_shuf8(t[d], v_row4(0x01000100, 0x05040504, 0x09080908, 0x0d0c0d0c));
            V high = v_shuf8(t[d], v_row4(0x03020302, 0x07060706, 0x0b0a0b0a, 0x0f0e0f0e));
            if (wide)
                v_store(p[2 * d].min[v], low), v_store(p[2 * d + 1].min[v], high);
            else
                v_store(p[4 * e + d].min[v], t[d]);
        }
    }
}

#define UNPACK_K(name)                                                                                                 \
    static void unpack_##name(void *to, const uint8_t *w, size_t stride, int n_blocks) {                               \
        for (struct panel32 *p = to; n_blocks--; w += name##_BYTES, p += 8)                                            \
            for (int v = 0; v < 2; v++) {                                                                              \
                const uint8_t *b = w + (size_t)(ROWS * v) * stride;                                                    \
                V raw[4][RAW], x[4][2], sc[4][2], mn[4][2];                                                            \
                for (int h = 0; h < 8 / name##_STEPS; h++) {                                                           \
                    LM_UNROLL(4)                                                                                       \
                    for (int j = 0; j < 4; j++) name##_load(raw[j], b + (size_t)j * stride, 4 * stride, h);            \
                    LM_UNROLL(8) for (int e = 0; e < name##_STEPS; e++) {                                              \
                        const int i = h * name##_STEPS + e;                                                            \
                        LM_UNROLL(4) for (int j = 0; j < 4; j++) name##_codes(x[j], raw[j], e, i);                     \
                        store_codes(p + i, v, x, CODE_ADD(name##_OFFSET));                                             \
                    }                                                                                                  \
                }                                                                                                      \
                LM_UNROLL(4)                                                                                           \
                for (int j = 0; j < 4; j++) name##_scales(sc[j], mn[j], b + (size_t)j * stride, 4 * stride);           \
                store_scales(p, v, sc, name##_WIDE);                                                                   \
                if (name##_MINIMA) store_minima(p, v, mn, name##_WIDE);                                                \
                f_store(p[7].d[0][v], name##_d(b, stride));                                                            \
                if (name##_MINIMA) f_store(p[7].d[1][v], name##_dmin(b, stride));                                      \
            }                                                                                                          \
    }

/* ---- micro-kernels: c[column][2 vectors] += tile over n_panels ---- */

typedef float tile_row[2][ROWS];

LM_INLINE void add_scaled(float *c, V isum, const float *d, float scale) {
    f_store(c, f_fma(f_mul(f_load(d), f_set1(scale)), f_from_int(isum), f_load(c)));
}

#if HAVE_VNNI
#define step_dot(acc, w, x) dp(acc, w, x)
#define step_start(a, h, j, offset) bcast32(&(a)->bias[h][j])
#define step_scale(s, scale) v_mullo32(s, scale)
#define step_widen(s) (s)
#else
#define step_dot(acc, w, x) v_add16(acc, _mm256_maddubs_epi16(w, x))
#define step_start(a, h, j, offset) v_mullo16(bcast32(&(a)->bias[h][j]), _mm256_set1_epi16((short)-(offset)))
#define step_scale(s, scale) v_madd16(s, scale)
#define step_widen(s) v_madd16(s, _mm256_set1_epi16(1))
#endif

/* Dot products of steps [t0, t1), added to s. */
LM_INLINE void tile_dot(V s[COLS][2], const struct panel32 *p, const struct acts32 *a, const int t0, const int t1) {
    LM_UNROLL(8) for (int t = t0; t < t1; t++) {
        V w0 = v_load(p->q[t][0]), w1 = v_load(p->q[t][1]);
        LM_UNROLL(8) for (int j = 0; j < COLS; j++) {
            V x = bcast32(&a->q[j][4 * t]);
            s[j][0] = step_dot(s[j][0], w0, x);
            s[j][1] = step_dot(s[j][1], w1, x);
        }
    }
}

/* One float scale per 32 (halves = 1) or 16 (halves = 2) weights. The float work follows column by column, kept there by
 * KEEP_ORDER, so that it overlaps dot products. extra: codes are 16 too small. */
LM_INLINE void simple_kernel(const struct panel32 *p, const struct acts32 *a, int n_panels, tile_row *c,
                             const int halves, const int minimum, int offset, const int extra) {
    (void)offset;
    for (; n_panels--; p++, a++) LM_UNROLL(2) for (int h = 0; h < halves; h++) {
            const int end = 8 / halves * (h + 1);
            V s[COLS][2];
            LM_UNROLL(8)
            for (int j = 0; j < COLS; j++) s[j][0] = s[j][1] = step_start(a, halves == 2 ? 1 + h : 0, j, offset);
            tile_dot(s, p, a, 8 / halves * h, end - 1);
            V w0 = v_load(p->q[end - 1][0]), w1 = v_load(p->q[end - 1][1]);
            LM_UNROLL(8) for (int j = 0; j < COLS; j++) {
                V x = bcast32(&a->q[j][4 * (end - 1)]), sum[2] = {step_dot(s[j][0], w0, x), step_dot(s[j][1], w1, x)};
                LM_UNROLL(2) for (int v = 0; v < 2; v++) {
                    V isum = step_widen(sum[v]);
                    if (extra) isum = v_add32(isum, v_set1(16 * (a->sum16[j][0] + a->sum16[j][1])));
                    add_scaled(c[j][v], isum, p->d[h][v], a->scale[j]);
                    if (minimum) {
                        F m = f_mul(f_load(p->d[1][v]), f_set1(a->scale[j]));
                        f_store(c[j][v], f_fma(m, f_set1(a->sum[j]), f_load(c[j][v])));
                    }
                }
                KEEP_ORDER;
            }
        }
}

/* Integer scales per 32 or 16 weights, float ones per 256. */
LM_INLINE void scaled_kernel(const struct panel32 *p, const struct acts32 *a, int n_panels, tile_row *c,
                             const int halves, const int minima, int offset, const int extra) {
    (void)offset;
    for (; n_panels; n_panels -= 8, p += 8, a += 8) {
        V isum[COLS][2], imin[COLS][2];
        LM_UNROLL(8)
        for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++) isum[j][v] = imin[j][v] = v_zero();
        for (int b = 0; b < 8; b++) {
            LM_UNROLL(2) for (int h = 0; h < halves; h++) {
                V s[COLS][2];
                LM_UNROLL(8)
                for (int j = 0; j < COLS; j++)
                    s[j][0] = s[j][1] = step_start(a + b, halves == 2 ? 1 + h : 0, j, offset);
                tile_dot(s, p + b, a + b, 8 / halves * h, 8 / halves * (h + 1));
                LM_UNROLL(8) for (int j = 0; j < COLS; j++) {
                    LM_UNROLL(2)
                    for (int v = 0; v < 2; v++)
                        isum[j][v] = v_add32(isum[j][v], step_scale(s[j][v], v_load(p[b].scale[h][v])));
                    KEEP_ORDER;
                }
            }
            if (minima || extra) LM_UNROLL(8) for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++) {
                    V sums = bcast32(a[b].sum16[j]);
                    if (minima) imin[j][v] = v_dot16(imin[j][v], v_load(p[b].min[v]), sums);
                    if (extra) isum[j][v] = v_dot16(isum[j][v], v_sll16(v_load(p[b].scale[0][v]), 4), sums);
                }
        }
        LM_UNROLL(8) for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++) {
            add_scaled(c[j][v], isum[j][v], p[7].d[0][v], a[7].scale[j]);
            if (minima) {
                F m = f_mul(f_load(p[7].d[1][v]), f_set1(a[7].scale[j]));
                f_store(c[j][v], f_fnma(m, f_from_int(imin[j][v]), f_load(c[j][v])));
            }
        }
    }
}

#define KERNEL(name, body, halves, minima, extra)                                                                      \
    static void kernel_##name(const void *p, const void *a, int n_panels, tile_row *c, int offset) {                   \
        body(p, a, n_panels, c, halves, minima, offset, extra);                                                        \
    }

/* ---- driver ---- */

struct form {
    int16_t block_k, block_bytes;   /* of the weights */
    int16_t unit_k, cols;           /* of a panel and of the packed activations: 32 or 256 k, columns of a tile */
    size_t acts_bytes, panel_bytes; /* per unit */
    void (*unpack)(void *panel, const uint8_t *w, size_t stride, int n_blocks);
    void (*kernel)(const void *panel, const void *acts, int n_units, tile_row *c, int offset);
    int offset;           /* of flat codes without VNNI */
    lm_matvec_fn *matvec; /* for fewer rows than a tile */
};

static int padded(int n) { return (n + LM_PACK_COLUMNS - 1) / LM_PACK_COLUMNS * LM_PACK_COLUMNS; }

/* Place of (column tile, unit) in the packed activations of n columns: all tiles of one KC are contiguous, in the order of use, so
 * that one hardware prefetch stream serves the whole sweep over the columns. */
static size_t acts_at(int n, int cols, int n_units, int per_chunk, int tile, int unit) {
    int first = unit / per_chunk * per_chunk, units = n_units - first < per_chunk ? n_units - first : per_chunk;
    return (size_t)first * (size_t)(padded(n) / cols) + (size_t)tile * (size_t)units + (size_t)(unit - first);
}

static size_t work_bytes(int32_t n, int32_t k, size_t chunk_panel_bytes) {
    (void)k;
    return (size_t)ROW_CHUNK * (size_t)padded(n) * sizeof(float) + chunk_panel_bytes;
}

static __attribute__((noinline)) void run(const struct form *f, const void *weights, size_t row_bytes, int32_t n_rows,
                                          const lm_acts *acts, const void *packed, int32_t first, int32_t n, void *work,
                                          float *out, size_t out_stride) {
    if (n_rows < TILE_ROWS) {
        for (int32_t c = 0; c < n; c += 4)
            f->matvec(weights, row_bytes, n_rows, acts, first + c, n - c < 4 ? n - c : 4, out + (size_t)c * out_stride,
                      out_stride);
        return;
    }
    const uint8_t *w = weights;
    const int n_units = acts->k / f->unit_k, per_chunk = KC / f->unit_k, n_blocks = acts->k / f->block_k,
              step = KC / f->block_k;
    const int tiles = (n + f->cols - 1) / f->cols, width = padded(n), block_bytes = f->block_bytes;
    tile_row *c = work; /* [row tile][column] */
    void *panel = (char *)work + (size_t)ROW_CHUNK * (size_t)width * sizeof(float);
    for (int r0 = 0; r0 < n_rows; r0 += ROW_CHUNK) {
        int rows = n_rows - r0 < ROW_CHUNK ? n_rows - r0 : ROW_CHUNK, row_tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
        memset(c, 0, (size_t)row_tiles * (size_t)width * sizeof *c);
        for (int kb = 0; kb < n_blocks; kb += step) {
            int blocks = n_blocks - kb < step ? n_blocks - kb : step, unit = kb * f->block_k / f->unit_k;
            for (int rt = 0; rt < row_tiles; rt++) {
                /* The last tile is moved up so that it never reads past the matrix. */
                int r = r0 + rt * TILE_ROWS, last = rt + 1 == row_tiles;
                if (r + TILE_ROWS > n_rows) r = n_rows - TILE_ROWS;
                f->unpack(panel, w + (size_t)r * row_bytes + (size_t)kb * (size_t)block_bytes, row_bytes, blocks);
                /* While this panel is used, bring the weights of the next one into L2, a few rows per column tile. */
                const uint8_t *next = w + (size_t)(last ? r0 : r + TILE_ROWS) * row_bytes +
                                      (size_t)(last ? kb + step : kb) * (size_t)block_bytes;
                for (int ct = 0, row = 0; ct < tiles; ct++) {
                    for (; row * tiles < (ct + 1) * TILE_ROWS && row < TILE_ROWS; row++)
                        for (int i = 0; i < step * block_bytes + 63; i += 64)
                            _mm_prefetch((const char *)next + (size_t)row * row_bytes + i, _MM_HINT_T1);
                    size_t at = acts_at(acts->n, f->cols, n_units, per_chunk, first / f->cols + ct, unit);
                    f->kernel(panel, (const char *)packed + at * f->acts_bytes, blocks * f->block_k / f->unit_k,
                              c + (size_t)rt * (size_t)width + (size_t)(ct * f->cols), f->offset);
                }
            }
        }
        /* Column by column, so that the (large) stride of the output costs one page walk per chunk and column. */
        for (int col = 0; col < n; col++)
            for (int rt = 0; rt < row_tiles; rt++) {
                int r = r0 + rt * TILE_ROWS;
                if (r + TILE_ROWS > n_rows) r = n_rows - TILE_ROWS;
                memcpy(out + (size_t)col * out_stride + r, c[(size_t)rt * (size_t)width + (size_t)col], sizeof *c);
            }
    }
}

/* The flat layout of activations. The columns that pad the last tile are zero. */
static size_t pack_bytes_flat(int32_t n, int32_t k) {
    return ((size_t)(padded(n) / COLS) * (size_t)(k / 32) * sizeof(struct acts32) + 63) / 64 * 64;
}
static void pack_flat(void *panel, const lm_acts *acts, int32_t first, int32_t n) {
    const int n_units = acts->k / 32, group = acts->kind == LM_ACT_Q8_256 ? 8 : 1;
    const int end = (first + n + COLS - 1) / COLS * COLS;
    for (int col = first; col < end; col++)
        for (int u = 0; u < n_units; u++) {
            struct acts32 *to = (struct acts32 *)panel + acts_at(acts->n, COLS, n_units, KC / 32, col / COLS, u);
            const int j = col % COLS;
            if (col >= first + n) {
                memset(to->q[j], 0, 32), memset(to->sum16[j], 0, 4);
                to->bias[0][j] = to->bias[1][j] = to->bias[2][j] = 0;
                to->scale[j] = to->sum[j] = 0;
                continue;
            }
            size_t at = (size_t)col * (size_t)n_units + (size_t)u;
            memcpy(to->q[j], acts->q + 32 * at, 32);
            memcpy(to->sum16[j], acts->sum16 + 2 * at, 4);
            to->scale[j] = acts->scale[(size_t)col * (size_t)(n_units / group) + (size_t)(u / group)];
            to->sum[j] = acts->sum32[at];
#if HAVE_VNNI
            to->bias[0][j] = -128 * acts->sum32[at];
            LM_UNROLL(2) for (int h = 0; h < 2; h++) to->bias[1 + h][j] = -128 * acts->sum16[2 * at + (size_t)h];
#else
            /* Sums of k % 4 in {0, 1} and in {2, 3} of each 16. */
            __m256i pairs = _mm256_maddubs_epi16(
                _mm256_set1_epi8(1), _mm256_loadu_si256((const __m256i *)(const void *)(acts->q + 32 * at)));
            pairs = _mm256_add_epi16(pairs, _mm256_shuffle_epi32(pairs, 0x4e));
            pairs = _mm256_add_epi16(pairs, _mm256_shuffle_epi32(pairs, 0xb1));
            __m128i low = _mm256_castsi256_si128(pairs), high = _mm256_extracti128_si256(pairs, 1);
            to->bias[0][j] = _mm_cvtsi128_si32(_mm_add_epi16(low, high));
            to->bias[1][j] = _mm_cvtsi128_si32(low), to->bias[2][j] = _mm_cvtsi128_si32(high);
#endif
        }
}

/* The entry points of a type, from its form. */
#define DEFINE_MATMUL(name)                                                                                            \
    void MATMUL(name)(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, const void *panel,         \
                      int32_t first, int32_t n, void *work, float *out, size_t out_stride) {                           \
        run(&form_##name, w, row_bytes, n_rows, acts, panel, first, n, work, out, out_stride);                         \
    }
#define FLAT_FORM_OFFSET(name, k, which, offset)                                                                       \
    static const struct form form_##name = {                                                                           \
        k,      name##_BYTES, 32, COLS, sizeof(struct acts32), sizeof(struct panel32), unpack_##name, kernel_##which,  \
        offset, MATVEC(name)};                                                                                         \
    DEFINE_MATMUL(name)
#define FLAT_FORM(name, k, which) FLAT_FORM_OFFSET(name, k, which, name##_OFFSET)
