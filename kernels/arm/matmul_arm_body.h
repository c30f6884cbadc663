/* SPDX-License-Identifier: MIT
 * Prefill on 64-bit Arm: any number of columns, one text for the levels dotprod and i8mm. A file names its level and gives
 *
 *     K_STEP                 k per step: 4 or 8
 *     ROW_VECS, COL_VECS     vectors of a tile of 8 rows x 4 columns: 2 x 4 (four rows of a column) or 4 x 2 (two by two)
 *     dot_step(s, w, a)      s += the products of K_STEP k, 8*K_STEP bytes of codes with 4*K_STEP of activations
 *     arrange16(q)           16 k of 8 rows, 16 bytes per row, into the order of dot_step
 *     spread(x)              8 numbers, one per row, into the ROW_VECS vectors that scale a tile's rows
 *     spread_columns(p, c)   the vector that scales column vector c, of 4 floats at p
 *     tile_load, tile_store  float tiles between registers and [column][row]
 *     LEVEL(name)
 *
 * The 8 int32 and 8 float vectors of a tile stay in registers over 32 k, so that a step costs three loads for 8 dot products
 * (six with i8mm). Integer scales multiply the int32 sums of a sub-block; minima are dot products of their own, with the sums of
 * the activations split into two int8.
 *
 * Blocking: ROW_CHUNK rows share the float tiles (L2); for each KC of k, for each GROUP panels: unpack, then all columns. */

enum { KC = 512, ROW_CHUNK = 128, GROUP = 2, COLS = 4, ACTS16 = 16 * COLS, CODES16 = 16 * PANEL_ROWS };

typedef float tile_column[PANEL_ROWS];

struct acts32 {
    int8_t q[2][ACTS16];
    float scale[COLS], sum[COLS];
};
struct acts256 {
    int8_t q[16][ACTS16];
    int8_t sum16[2][ACTS16];     /* sums of 16: 64 * [0] + [1] */
    int8_t sum32[2][ACTS16 / 2]; /* sums of 32 alike */
    float scale[COLS];
};

#define EACH_VECTOR LM_UNROLL(4) for (int r = 0; r < ROW_VECS; r++) LM_UNROLL(4) for (int c = 0; c < COL_VECS; c++)

typedef int32x4_t tile_sums[ROW_VECS][COL_VECS];
typedef float32x4_t tile_floats[ROW_VECS][COL_VECS];

LM_INLINE void dots(tile_sums s, const int8_t *w, const int8_t *a, const int n_steps) {
    LM_UNROLL(8)
    for (int t = 0; t < n_steps; t++) dot_step(s, w + t * K_STEP * PANEL_ROWS, a + t * K_STEP * COLS);
}

/* f += (d * scale) * sums */
LM_INLINE void add_product(tile_floats f, const float *d, const float *scale, tile_sums s) {
    EACH_VECTOR {
        float32x4_t factor = vmulq_f32(vld1q_f32(d + 4 * r), spread_columns(scale, c));
        f[r][c] = vfmaq_f32(f[r][c], factor, vcvtq_f32_s32(s[r][c]));
    }
}

/* One float scale per 32 (halves = 1) or 16 (halves = 2) weights. */
LM_INLINE void simple_kernel(const struct panel32 *p, const struct acts32 *a, int n_units, tile_column *out,
                             const int halves, const int minimum) {
    tile_floats f;
    tile_load(f, out);
    for (; n_units--; p++, a++) {
        LM_UNROLL(2) for (int h = 0; h < halves; h++) {
            tile_sums s;
            EACH_VECTOR s[r][c] = vdupq_n_s32(0);
            dots(s, p->q[h], a->q[h], 16 / K_STEP);
            if (halves == 1) dots(s, p->q[1], a->q[1], 16 / K_STEP);
            add_product(f, p->d[h], a->scale, s);
        }
        if (minimum) EACH_VECTOR {
                float32x4_t m = vmulq_f32(vld1q_f32(p->d[1] + 4 * r), spread_columns(a->scale, c));
                f[r][c] = vfmaq_f32(f[r][c], m, spread_columns(a->sum, c));
            }
    }
    tile_store(out, f);
}

/* Integer scales per 32 (wide) or 16 weights, float ones per 256. */
LM_INLINE void scaled_kernel(const struct panel256 *p, const struct acts256 *a, int n_units, tile_column *out,
                             const int wide, const int minima) {
    tile_floats f;
    tile_load(f, out);
    for (; n_units--; p++, a++) {
        tile_sums sum;
        EACH_VECTOR sum[r][c] = vdupq_n_s32(0);
        for (int b = 0; b < (wide ? 8 : 16); b++) {
            tile_sums s;
            EACH_VECTOR s[r][c] = vdupq_n_s32(0);
            if (wide)
                dots(s, p->q[2 * b], a->q[2 * b], 16 / K_STEP), dots(s, p->q[2 * b + 1], a->q[2 * b + 1], 16 / K_STEP);
            else
                dots(s, p->q[b], a->q[b], 16 / K_STEP);
            EACH_VECTOR sum[r][c] = vmlaq_s32(sum[r][c], s[r][c], vld1q_s32(p->scale[b] + 4 * r));
        }
        add_product(f, p->d[0], a->scale, sum);
        if (minima) {
            const int n_steps = (wide ? 8 : 16) / K_STEP;
            EACH_VECTOR sum[r][c] = vdupq_n_s32(0);
            dots(sum, p->min, wide ? a->sum32[0] : a->sum16[0], n_steps);
            EACH_VECTOR sum[r][c] = vshlq_n_s32(sum[r][c], 6);
            dots(sum, p->min, wide ? a->sum32[1] : a->sum16[1], n_steps);
            EACH_VECTOR {
                float32x4_t m = vmulq_f32(vld1q_f32(p->d[1] + 4 * r), spread_columns(a->scale, c));
                f[r][c] = vfmsq_f32(f[r][c], m, vcvtq_f32_s32(sum[r][c]));
            }
        }
    }
    tile_store(out, f);
}

#define KERNEL(name, body, shape, minima)                                                                              \
    static void kernel_##name(const void *p, const void *a, int n_units, tile_column *out) {                           \
        body(p, a, n_units, out, shape, minima);                                                                       \
    }
KERNEL(simple, simple_kernel, 1, 0)
KERNEL(minimum, simple_kernel, 1, 1)
KERNEL(halves, simple_kernel, 2, 0)
KERNEL(wide, scaled_kernel, 1, 0)
KERNEL(wide_minima, scaled_kernel, 1, 1)
KERNEL(narrow, scaled_kernel, 0, 0)
KERNEL(narrow_minima, scaled_kernel, 0, 1)

/* ---- panels and activations in the level's order ---- */

static void arrange_panels32(void *panels, int n) {
    for (struct panel32 *p = panels; n--; p++) {
        arrange16(p->q[0]), arrange16(p->q[1]);
        spread(p->d[0]), spread(p->d[1]);
    }
}
static void arrange_panels256(void *panels, int n) {
    for (struct panel256 *p = panels; n--; p++) {
        for (int i = 0; i < 16; i++) arrange16(p->q[i]), spread(p->scale[i]);
        arrange16(p->min);
        spread(p->d[0]), spread(p->d[1]);
    }
}

static int padded(int n) { return (n + LM_PACK_COLUMNS - 1) / LM_PACK_COLUMNS * LM_PACK_COLUMNS; }

/* Place of (column tile, unit) in the packed activations of n columns: the tiles of one KC are contiguous, in the order of use. */
static size_t acts_at(int n, int n_units, int per_chunk, int tile, int unit) {
    int first = unit / per_chunk * per_chunk, units = n_units - first < per_chunk ? n_units - first : per_chunk;
    return (size_t)first * (size_t)(padded(n) / COLS) + (size_t)tile * (size_t)units + (size_t)(unit - first);
}

/* Quants k .. k+15 of column j of a tile; x NULL: zeros. */
static void put16(int8_t to[ACTS16], int j, const int8_t *x) {
    for (int t = 0; t < 16 / K_STEP; t++) {
        int8_t *at = to + (t * COLS + j) * K_STEP;
        if (x)
            memcpy(at, x + t * K_STEP, K_STEP);
        else
            memset(at, 0, K_STEP);
    }
}
static void pack32(struct acts32 *to, int j, const lm_acts *acts, size_t at) {
    for (int h = 0; h < 2; h++) put16(to->q[h], j, acts ? acts->q + 32 * at + 16 * h : NULL);
    to->scale[j] = acts ? acts->scale[at] : 0;
    to->sum[j] = acts ? acts->sum32[at] : 0;
}
static void pack256(struct acts256 *to, int j, const lm_acts *acts, size_t at) {
    int8_t sums[2][32] = {{0}}; /* high and low parts: 16 sums of 16, 8 of 32 */
    for (int i = 0; i < 24 && acts; i++) {
        int sum = i < 16 ? acts->sum16[16 * at + (size_t)i] : acts->sum32[8 * at + (size_t)i - 16];
        int high = (sum + 64 * 256 + 32) / 64 - 256; /* at most 64 in size: sums are at most 32 * 127 */
        sums[0][i] = (int8_t)high, sums[1][i] = (int8_t)(sum - 64 * high);
    }
    for (int i = 0; i < 16; i++) put16(to->q[i], j, acts ? acts->q + 256 * at + 16 * i : NULL);
    for (int part = 0; part < 2; part++) {
        int8_t eight[ACTS16];
        put16(to->sum16[part], j, sums[part]);
        put16(eight, j, sums[part] + 16);
        for (int t = 0; t < 8 / K_STEP; t++) {
            const int place = (t * COLS + j) * K_STEP;
            memcpy(to->sum32[part] + place, eight + place, K_STEP);
        }
    }
    to->scale[j] = acts ? acts->scale[at] : 0;
}

#define DEFINE_PACK(unit)                                                                                              \
    static size_t pack_bytes##unit(int32_t n, int32_t k) {                                                             \
        return ((size_t)(padded(n) / COLS) * (size_t)(k / unit) * sizeof(struct acts##unit) + 63) / 64 * 64;           \
    }                                                                                                                  \
    static void pack_columns##unit(void *panel, const lm_acts *acts, int32_t first, int32_t n) {                       \
        const int n_units = acts->k / unit, end = (first + n + COLS - 1) / COLS * COLS;                                \
        for (int col = first; col < end; col++)                                                                        \
            for (int u = 0; u < n_units; u++) {                                                                        \
                size_t at = acts_at(acts->n, n_units, KC / unit, col / COLS, u);                                       \
                pack##unit((struct acts##unit *)panel + at, col % COLS, col < first + n ? acts : NULL,                 \
                           (size_t)col * (size_t)n_units + (size_t)u);                                                 \
            }                                                                                                          \
    }
DEFINE_PACK(32)
DEFINE_PACK(256)

/* ---- driver ---- */

struct form {
    int16_t type;
    int16_t block_k, block_bytes;   /* of the weights */
    int16_t unit_k;                 /* of a panel and of the packed activations: 32 or 256 */
    size_t acts_bytes, panel_bytes; /* per unit */
    lm_unpack_fn *unpack;
    void (*arrange)(void *panels, int n);
    void (*kernel)(const void *panels, const void *acts, int n_units, tile_column *out);
    lm_matvec_fn *matvec; /* for fewer rows than a panel */
};

enum { PANELS_BYTES = GROUP * (KC / 256) * (int)sizeof(struct panel256) };
_Static_assert(GROUP *(KC / 32) * sizeof(struct panel32) <= PANELS_BYTES, "both kinds of panels fit");

static size_t work_bytes(int32_t n, int32_t k) {
    (void)k;
    return (size_t)ROW_CHUNK * (size_t)padded(n) * sizeof(float) + PANELS_BYTES;
}

static void run(const void *form, const void *weights, size_t row_bytes, int32_t n_rows, const lm_acts *acts,
                const void *packed, int32_t first, int32_t n, void *work, float *out, size_t out_stride) {
    const struct form *f = form;
    if (n_rows < PANEL_ROWS) {
        for (int32_t c = 0; c < n; c += 4)
            f->matvec(weights, row_bytes, n_rows, acts, first + c, n - c < 4 ? n - c : 4, out + (size_t)c * out_stride,
                      out_stride);
        return;
    }
    const uint8_t *w = weights;
    const int n_units = acts->k / f->unit_k, per_chunk = KC / f->unit_k, n_blocks = acts->k / f->block_k,
              step = KC / f->block_k, tiles = (n + COLS - 1) / COLS, width = padded(n);
    const size_t block_bytes = (size_t)f->block_bytes, chunk_bytes = (size_t)step * block_bytes;
    tile_column *c = work; /* [panel][column] */
    char *panels = (char *)work + (size_t)ROW_CHUNK * (size_t)width * sizeof(float);
    for (int r0 = 0; r0 < n_rows; r0 += ROW_CHUNK) {
        const int rows = n_rows - r0 < ROW_CHUNK ? n_rows - r0 : ROW_CHUNK,
                  n_panels = (rows + PANEL_ROWS - 1) / PANEL_ROWS;
        memset(c, 0, (size_t)n_panels * (size_t)width * sizeof *c);
        for (int kb = 0; kb < n_blocks; kb += step) {
            const int blocks = n_blocks - kb < step ? n_blocks - kb : step, unit = kb * f->block_k / f->unit_k,
                      units = blocks * f->block_k / f->unit_k;
            for (int p0 = 0; p0 < n_panels; p0 += GROUP) {
                const int group = n_panels - p0 < GROUP ? n_panels - p0 : GROUP;
                const size_t panel_bytes = (size_t)units * f->panel_bytes;
                for (int p = 0; p < group; p++) {
                    /* The last panel is moved up so that it never reads past the matrix. */
                    int r = r0 + (p0 + p) * PANEL_ROWS;
                    if (r + PANEL_ROWS > n_rows) r = n_rows - PANEL_ROWS;
                    char *to = panels + (size_t)p * panel_bytes;
                    f->unpack(to, w + (size_t)r * row_bytes + (size_t)kb * block_bytes, row_bytes, blocks);
                    f->arrange(to, units);
                }
                /* Meanwhile bring the weights of the next panels into L2, a few rows per column tile. */
                const int last = p0 + GROUP >= n_panels, next_rows = GROUP * PANEL_ROWS;
                const uint8_t *next = w + (size_t)(last ? r0 : r0 + (p0 + GROUP) * PANEL_ROWS) * row_bytes +
                                      (size_t)(last ? kb + step : kb) * block_bytes;
                for (int ct = 0, row = 0; ct < tiles; ct++) {
                    for (; row * tiles < (ct + 1) * next_rows && row < next_rows; row++)
                        for (size_t i = 0; i < chunk_bytes + 63; i += 64)
                            __builtin_prefetch(next + (size_t)row * row_bytes + i, 0, 2);
                    const size_t at = acts_at(acts->n, n_units, per_chunk, first / COLS + ct, unit);
                    for (int p = 0; p < group; p++)
                        f->kernel(panels + (size_t)p * panel_bytes, (const char *)packed + at * f->acts_bytes, units,
                                  c + (size_t)(p0 + p) * (size_t)width + (size_t)(ct * COLS));
                }
            }
        }
        for (int col = 0; col < n; col++)
            for (int p = 0; p < n_panels; p++) {
                int r = r0 + p * PANEL_ROWS;
                if (r + PANEL_ROWS > n_rows) r = n_rows - PANEL_ROWS;
                memcpy(out + (size_t)col * out_stride + r, c[(size_t)p * (size_t)width + (size_t)col], sizeof *c);
            }
    }
}

#define FORM(type, name, k, bytes, unit, which)                                                                        \
    {type,                                                                                                             \
     k,                                                                                                                \
     bytes,                                                                                                            \
     unit,                                                                                                             \
     sizeof(struct acts##unit),                                                                                        \
     sizeof(struct panel##unit),                                                                                       \
     lm_unpack_##name##_neon,                                                                                          \
     arrange_panels##unit,                                                                                             \
     kernel_##which,                                                                                                   \
     lm_matvec_##name##_dotprod},
static const struct form forms[] = {
    FORM(LM_BLOCK_Q4_0, q4_0, 32, 18, 32, simple) FORM(LM_BLOCK_Q4_1, q4_1, 32, 20, 32, minimum)
        FORM(LM_BLOCK_Q5_0, q5_0, 32, 22, 32, simple) FORM(LM_BLOCK_Q5_1, q5_1, 32, 24, 32, minimum)
            FORM(LM_BLOCK_Q8_0, q8_0, 32, 34, 32, simple) FORM(LM_BLOCK_Q1_0, q1_0, 128, 18, 32, simple)
                FORM(LM_BLOCK_Q2_0, q2_0, 64, 18, 32, simple) FORM(LM_BLOCK_IQ4NL, iq4nl, 32, 18, 32, simple)
                    FORM(LM_BLOCK_MXFP4, mxfp4, 32, 17, 32, simple) FORM(LM_BLOCK_NVFP4, nvfp4, 64, 36, 32, halves)
                        FORM(LM_BLOCK_Q2K, q2k, 256, 84, 256, narrow_minima)
                            FORM(LM_BLOCK_Q3K, q3k, 256, 110, 256, narrow)
                                FORM(LM_BLOCK_Q4K, q4k, 256, 144, 256, wide_minima)
                                    FORM(LM_BLOCK_Q5K, q5k, 256, 176, 256, wide_minima)
                                        FORM(LM_BLOCK_Q6K, q6k, 256, 210, 256, narrow)
                                            FORM(LM_BLOCK_IQ4XS, iq4xs, 256, 136, 256, wide)
                                                FORM(LM_BLOCK_TQ2_0, tq2_0, 256, 66, 256, narrow)};

void LEVEL(lm_matmul_fill)(lm_kernels *kernels) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        lm_weight_kernels *slot = &kernels->weights[forms[i].type];
        slot->matmul = run;
        slot->form = &forms[i];
        slot->pack = forms[i].unit_k == 32 ? pack_columns32 : pack_columns256;
        slot->pack_bytes = forms[i].unit_k == 32 ? pack_bytes32 : pack_bytes256;
        slot->matmul_work_bytes = work_bytes;
        slot->row_tile = 16;
        slot->matmul_from = 5;
    }
}
