/* SPDX-License-Identifier: MIT
 * Prefill: any number of columns. A tile of TILE_ROWS rows x KC weights of any type is unpacked into a panel that stays in L1 and
 * is then multiplied with every column. The flat panel form: one dword of a vector = 4 successive k of one row, so a vector is
 * ROWS rows; the activations are broadcast dwords.
 *
 *     tile: 2 vectors of rows x COLS columns of int32 sums in registers; float accumulators in L1
 *     panel32 = 32 k x 16 rows, one or PANELS = 2 side by side for a tile; acts32 = 32 k x COLS columns
 *
 * Panels are the same at every level but for what an unpacker adds to the codes, so that the unpackers of level avx2 serve all
 * levels; AVX-512 has its own for common types, where they are worth their size.
 *
 * With VNNI every code is stored plus 128, unsigned, and the sums start at -128 times the sum of the activations: one layout of
 * activations serves all types. Without VNNI (vpmaddubsw) the sums of a sub-block are two int16 per row, which wrap on the way but
 * end in range: 16 products of at most 16 (16 * 16 * 127 = 32512), or 8 products of at most 32; each type names the offset of its
 * codes, and codes up to 31 count as -16..15 with 16 times the activations' sum added in int32 (EXTRA).
 *
 * Blocking (matmul_run.c): ROW_CHUNK rows share the float accumulators (L2); for each KC of k, for each TILE_ROWS rows: unpack, then
 * all columns. */

#include "tiles.h"

enum { TILE_ROWS = 2 * ROWS };
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
enum { PANELS = TILE_ROWS / 16 };
/* Vector v of the tile in such an array: its panel, and its first row there. */
#define PANEL(p, v) ((p) + (PANELS == 2 ? (v) : 0))
#define AT(v) (PANELS == 2 ? 0 : ROWS * (v))

#ifdef UNPACK
/* ---- unpackers ----
 * pitch: panels from one 32 k to the next. add: what makes the codes the panel's, 0 for a kernel without VNNI. Vectors of 256 bits
 * fill one of a tile's panels, vectors of 512 bits two. */

/* x[j]: 32 codes of rows j, j+4, ... */
LM_INLINE void store_codes(struct panel32 *p, const int row, V x[4][2], V add) {
    LM_UNROLL(2) for (int e = 0; e < 2; e++) {
        V y[4] = {x[0][e], x[1][e], x[2][e], x[3][e]}, t[4];
        transpose4(y, t);
        LM_UNROLL(4) for (int j = 0; j < 4; j++) v_store(p->q[4 * e + j] + 4 * row, v_add8(t[j], add));
    }
}

#define UNPACK_SIMPLE(name, SCALES, at_once)                                                                           \
    FLAT_SIMPLE(name, at_once)                                                                                         \
    UNPACK_LINKAGE void LM_KERNEL UNPACK(name)(void *to, const uint8_t *w, size_t stride, int n_blocks, size_t pitch,  \
                                               int add) {                                                              \
        const V more = v_set1_8(add);                                                                                  \
        for (int v = 0; v < 2; v++) {                                                                                  \
            struct panel32 *p = PANEL((struct panel32 *)to, v);                                                        \
            const uint8_t *b = w + (size_t)(ROWS * v) * stride;                                                        \
            for (int kb = 0; kb < n_blocks; kb++, b += name##_BYTES) {                                                 \
                const struct quads quads = quads_of(b, stride);                                                        \
                for (int i = 0; i < name##_SUBS; i++, p += pitch) {                                                    \
                    V x[8];                                                                                            \
                    name##_flat(x, &quads, i);                                                                         \
                    LM_UNROLL(8) for (int t = 0; t < 8; t++) v_store(p->q[t] + 4 * AT(v), v_add8(x[t], more));         \
                    SCALES(name)                                                                                       \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
#define ONE_SCALE(name) f_store(p->d[0] + AT(v), name##_scale(&quads));
#define SCALE_MINIMUM(name)                                                                                            \
    f_store(p->d[0] + AT(v), name##_scale(&quads)), f_store(p->d[1] + AT(v), name##_minimum(&quads));
#define HALF_SCALES(name)                                                                                              \
    V bytes = v_dwords(&quads, 0);                                                                                     \
    LM_UNROLL(2) for (int h = 0; h < 2; h++) f_store(p->d[h] + AT(v), nvfp4_scale(bytes, 2 * i + h));

/* z[j]: 8 words of rows j, j+4, ... t[d] lane l: words 2d, 2d+1 of rows 4l .. 4l+3, so a dword per row. */
LM_INLINE V low_words(V t) { return v_shuf8(t, v_row4(0x01000100, 0x05040504, 0x09080908, 0x0d0c0d0c)); }
LM_INLINE V high_words(V t) { return v_shuf8(t, v_row4(0x03020302, 0x07060706, 0x0b0a0b0a, 0x0f0e0f0e)); }

/* Scales of 8 (wide: 32 weights each) or 16 sub-blocks into 8 panels: (s, s), or s with VNNI, which is a shift by 16. */
static LM_APART void store_scales(struct panel32 *p, size_t pitch, int row, V sc[4][2], int wide, __m128i shift) {
    for (int e = 0; e < 2 - wide; e++) {
        V y[4] = {sc[0][e], sc[1][e], sc[2][e], sc[3][e]}, t[4];
        transpose4(y, t);
        LM_UNROLL(1) for (int d = 0; d < 4; d++) {
            struct panel32 *first = p + (size_t)(wide ? 2 * d : 4 * e + d) * pitch;
            v_store(first->scale[0] + row, v_sra32_by(low_words(t[d]), shift));
            v_store((wide ? first[pitch].scale[0] : first->scale[1]) + row, v_sra32_by(high_words(t[d]), shift));
        }
    }
}
static LM_APART void store_minima(struct panel32 *p, size_t pitch, int row, V mn[4][2], int wide) {
    for (int e = 0; e < 2 - wide; e++) {
        V y[4] = {mn[0][e], mn[1][e], mn[2][e], mn[3][e]}, t[4];
        transpose4(y, t);
        LM_UNROLL(1) for (int d = 0; d < 4; d++) {
            struct panel32 *first = p + (size_t)(wide ? 2 * d : 4 * e + d) * pitch;
            v_store(first->min + row, wide ? low_words(t[d]) : t[d]);
            if (wide) v_store(first[pitch].min + row, high_words(t[d]));
        }
    }
}

#define UNPACK_K(name, at_once)                                                                                        \
    UNPACK_LINKAGE void LM_KERNEL UNPACK(name)(void *to, const uint8_t *w, size_t stride, int n_blocks, size_t pitch,  \
                                               int add) {                                                              \
        const V more = v_set1_8(add);                                                                                  \
        const __m128i shift = _mm_cvtsi32_si128(HAVE_VNNI || add ? 16 : 0);                                            \
        for (int v = 0; v < 2; v++) {                                                                                  \
            struct panel32 *p = PANEL((struct panel32 *)to, v);                                                        \
            const uint8_t *b = w + (size_t)(ROWS * v) * stride;                                                        \
            for (int kb = 0; kb < n_blocks; kb++, b += name##_BYTES, p += 8 * pitch) {                                 \
                const struct quads quads = quads_of(b, stride);                                                        \
                V raw[RAW], x[name##_STEPS][4][2], sc[4][2], mn[4][2];                                                 \
                for (int h = 0; h < 8 / name##_STEPS; h++) {                                                           \
                    LM_UNROLL(at_once) for (int j = 0; j < 4; j++) {                                                   \
                        name##_load(raw, quads.at[j], quads.step, h);                                                  \
                        LM_UNROLL(8) for (int e = 0; e < name##_STEPS; e++) name##_codes(x[e][j], raw, e);             \
                    }                                                                                                  \
                    LM_UNROLL(at_once)                                                                                 \
                    for (int e = 0; e < name##_STEPS; e++)                                                             \
                        store_codes(p + (size_t)(h * name##_STEPS + e) * pitch, AT(v), x[e], more);                    \
                }                                                                                                      \
                LM_UNROLL(at_once)                                                                                     \
                for (int j = 0; j < 4; j++) name##_scales(sc[j], mn[j], quads.at[j], quads.step);                      \
                store_scales(p, pitch, AT(v), sc, name##_WIDE, shift);                                                 \
                if (name##_MINIMA) store_minima(p, pitch, AT(v), mn, name##_WIDE);                                     \
                f_store(p[7 * pitch].d[0] + AT(v), name##_d(&quads));                                                  \
                if (name##_MINIMA) f_store(p[7 * pitch].d[1] + AT(v), name##_dmin(&quads));                            \
            }                                                                                                          \
        }                                                                                                              \
    }
#endif

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
        V w0 = v_load(PANEL(p, 0)->q[t] + 4 * AT(0)), w1 = v_load(PANEL(p, 1)->q[t] + 4 * AT(1));
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
    for (; n_panels--; p += PANELS, a++) LM_UNROLL(2) for (int h = 0; h < halves; h++) {
            const int end = 8 / halves * (h + 1);
            V s[COLS][2];
            LM_UNROLL(8)
            for (int j = 0; j < COLS; j++) s[j][0] = s[j][1] = step_start(a, halves == 2 ? 1 + h : 0, j, offset);
            tile_dot(s, p, a, 8 / halves * h, end - 1);
            V w0 = v_load(PANEL(p, 0)->q[end - 1] + 4 * AT(0)), w1 = v_load(PANEL(p, 1)->q[end - 1] + 4 * AT(1));
            LM_UNROLL(8) for (int j = 0; j < COLS; j++) {
                V x = bcast32(&a->q[j][4 * (end - 1)]), sum[2] = {step_dot(s[j][0], w0, x), step_dot(s[j][1], w1, x)};
                LM_UNROLL(2) for (int v = 0; v < 2; v++) {
                    V isum = step_widen(sum[v]);
                    if (extra) isum = v_add32(isum, v_set1(16 * (a->sum16[j][0] + a->sum16[j][1])));
                    add_scaled(c[j][v], isum, PANEL(p, v)->d[h] + AT(v), a->scale[j]);
                    if (minimum) {
                        F m = f_mul(f_load(PANEL(p, v)->d[1] + AT(v)), f_set1(a->scale[j]));
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
    for (; n_panels; n_panels -= 8, p += 8 * PANELS, a += 8) {
        V isum[COLS][2], imin[COLS][2];
        LM_UNROLL(8)
        for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++) isum[j][v] = imin[j][v] = v_zero();
        for (int b = 0; b < 8; b++) {
            const struct panel32 *pb = p + b * PANELS;
            LM_UNROLL(2) for (int h = 0; h < halves; h++) {
                V s[COLS][2];
                LM_UNROLL(8)
                for (int j = 0; j < COLS; j++)
                    s[j][0] = s[j][1] = step_start(a + b, halves == 2 ? 1 + h : 0, j, offset);
                tile_dot(s, pb, a + b, 8 / halves * h, 8 / halves * (h + 1));
                LM_UNROLL(8) for (int j = 0; j < COLS; j++) {
                    LM_UNROLL(2)
                    for (int v = 0; v < 2; v++)
                        isum[j][v] = v_add32(isum[j][v], step_scale(s[j][v], v_load(PANEL(pb, v)->scale[h] + AT(v))));
                    KEEP_ORDER;
                }
            }
            if (minima || extra) LM_UNROLL(8) for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++) {
                    V sums = bcast32(a[b].sum16[j]);
                    if (minima) imin[j][v] = v_dot16(imin[j][v], v_load(PANEL(pb, v)->min + AT(v)), sums);
                    if (extra)
                        isum[j][v] = v_dot16(isum[j][v], v_sll16(v_load(PANEL(pb, v)->scale[0] + AT(v)), 4), sums);
                }
        }
        /* A loop over sums in memory: once in 256 k, the float work is not worth its code for every column. */
        V sums[COLS][2], sums_min[COLS][2];
        LM_UNROLL(8) for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++) {
            v_store(&sums[j][v], isum[j][v]);
            if (minima) v_store(&sums_min[j][v], imin[j][v]);
        }
        LM_UNROLL(1) for (int j = 0; j < COLS; j++) LM_UNROLL(2) for (int v = 0; v < 2; v++) {
            const struct panel32 *last = PANEL(p + 7 * PANELS, v);
            add_scaled(c[j][v], v_load(&sums[j][v]), last->d[0] + AT(v), a[7].scale[j]);
            if (minima) {
                F m = f_mul(f_load(last->d[1] + AT(v)), f_set1(a[7].scale[j]));
                f_store(c[j][v], f_fnma(m, f_from_int(v_load(&sums_min[j][v])), f_load(c[j][v])));
            }
        }
    }
}

#define KERNEL(name, body, halves, minima, extra)                                                                      \
    static void LM_KERNEL kernel_##name(const void *p, const void *a, int n_panels, float *c, int offset) {            \
        body(p, a, n_panels, (tile_row *)c, halves, minima, offset, extra);                                            \
    }

/* ---- layout of activations, forms ---- */

static size_t work_bytes(int32_t n, int32_t k, size_t chunk_panel_bytes) {
    (void)k;
    return (size_t)ROW_CHUNK * (size_t)padded(n) * sizeof(float) + chunk_panel_bytes;
}

/* The flat layout of activations. The columns that pad the last tile are zero. */
static size_t pack_bytes_flat(int32_t n, int32_t k) {
    return ((size_t)(padded(n) / COLS) * (size_t)(k / 32) * sizeof(struct acts32) + 63) / 64 * 64;
}
static void LM_KERNEL pack_flat(void *panel, const lm_acts *acts, int32_t first, int32_t n) {
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

/* offset: as in the comment at the top. BORROWED: unpacked by level avx2, 16 rows at a time; there codes in the form of v_prepare_s8
 * are not yet plus 128. */
#define FLAT_FORM_OF(number, name, k, which, code_offset, ...)                                                         \
    {.type = number,                                                                                                   \
     .layout = LM_FLAT,                                                                                                \
     .tile_rows = TILE_ROWS,                                                                                           \
     .block_k = k,                                                                                                     \
     .block_bytes = name##_BYTES,                                                                                      \
     .unit_k = 32,                                                                                                     \
     .cols = COLS,                                                                                                     \
     .acts_bytes = sizeof(struct acts32),                                                                              \
     .kernel = kernel_##which,                                                                                         \
     .offset = code_offset,                                                                                            \
     .matvec = MATVEC(name),                                                                                           \
     __VA_ARGS__},
#define OWN(name) .unpack = UNPACK(name), .unpack_rows = TILE_ROWS, .add = HAVE_VNNI ? 128 - name##_OFFSET : 0
#define BORROWED(name) .unpack = lm_unpack_##name##_avx2, .unpack_rows = 16, .add = 128 - name##_OFFSET % 128
