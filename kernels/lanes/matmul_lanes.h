/* SPDX-License-Identifier: MIT
 * Matrix products of float weights over sixteen float lanes.
 *
 * The contract's sixteen virtual lanes are one register here, so a tile of TILE_WIDE rows x TILE_ROWS columns is as many
 * registers, kept over all of k and folded once. Columns go in blocks that stay in L2 while all rows pass by. */

/* The last k % 16 elements of the sums of a tile, rows first. Lanes without an element must stay as they are, and a product with zero
 * could change a -0. */
typedef float product_at(const uint8_t *p);
typedef struct product_end {
    product_at *at;
    size_t size, row_bytes, x_stride;
    int32_t rows, columns, i, k;
} product_end;
static LM_APART void product_tail(const product_end *end, float *sums, const uint8_t *w, const float *x) {
    for (int32_t c = 0; c < end->columns; c++)
        for (int32_t r = 0; r < end->rows; r++, sums += 16)
            for (int32_t i = end->i; i < end->k; i++)
                sums[i - end->i] = lane_fma(end->at(w + (size_t)r * end->row_bytes + end->size * (size_t)i),
                                            x[(size_t)c * end->x_stride + (size_t)i], sums[i - end->i]);
}

#define PRODUCT_TILE(name, load, at, size, R, C)                                                                       \
    static void LM_KERNEL product_##name##_##R##x##C(const uint8_t *w, size_t row_bytes, const float *x,               \
                                                     size_t x_stride, int32_t k, float *out, size_t out_stride) {      \
        lanes acc[R][C];                                                                                               \
        float sums[C][R][16];                                                                                          \
        LM_UNROLL(8) for (int r = 0; r < R; r++) LM_UNROLL(8) for (int c = 0; c < C; c++) acc[r][c] = lanes_set(0);    \
        int32_t i = 0;                                                                                                 \
        for (; i + 16 <= k; i += 16) {                                                                                 \
            lanes a[R];                                                                                                \
            LM_UNROLL(8) for (int r = 0; r < R; r++) a[r] = load(w + (size_t)r * row_bytes + size * (size_t)i);        \
            LM_UNROLL(8) for (int c = 0; c < C; c++) {                                                                 \
                lanes b = lanes_load(x + (size_t)c * x_stride + i);                                                    \
                LM_UNROLL(8) for (int r = 0; r < R; r++) acc[r][c] = lanes_fma(a[r], b, acc[r][c]);                    \
            }                                                                                                          \
        }                                                                                                              \
        LM_UNROLL(8)                                                                                                   \
        for (int r = 0; r < R; r++) LM_UNROLL(8) for (int c = 0; c < C; c++) lanes_store(sums[c][r], acc[r][c]);       \
        if (i < k) product_tail(&(product_end){at, size, row_bytes, x_stride, R, C, i, k}, sums[0][0], w, x);          \
        for (int c = 0; c < C; c++)                                                                                    \
            for (int r = 0; r < R; r++) out[(size_t)c * out_stride + (size_t)r] = lanes_fold(lanes_load(sums[c][r]));  \
    }

typedef void LM_KERNEL product_tile(const uint8_t *w, size_t row_bytes, const float *x, size_t x_stride, int32_t k,
                                    float *out, size_t out_stride);

/* tiles[r > 1][c]: for TILE_WIDE rows or one, and c columns; NULL where there is none. */
enum { PRODUCT_BLOCK = 24 }; /* columns that share a pass over the rows */
static void LM_KERNEL product(product_tile *const tiles[2][TILE_ROWS + 1], const void *w, size_t row_bytes,
                              int32_t n_rows, const lm_acts *acts, int32_t first, int32_t n, float *out,
                              size_t out_stride) {
    for (int32_t c0 = 0; c0 < n; c0 += PRODUCT_BLOCK) {
        const int32_t end = n - c0 < PRODUCT_BLOCK ? n : c0 + PRODUCT_BLOCK;
        for (int32_t r = 0, step; r < n_rows; r += step) {
            const int wide = r + TILE_WIDE <= n_rows;
            step = wide ? TILE_WIDE : 1;
            for (int32_t c = c0, columns; c < end; c += columns) {
                columns = end - c < TILE_ROWS ? end - c : TILE_ROWS;
                while (!tiles[wide][columns]) columns--;
                tiles[wide][columns]((const uint8_t *)w + (size_t)r * row_bytes, row_bytes,
                                     acts->f32 + (size_t)(first + c) * acts->f32_stride, acts->f32_stride, acts->k,
                                     out + (size_t)c * out_stride + r, out_stride);
            }
        }
    }
}

static void LM_KERNEL matmul_floats(const void *form, const void *w, size_t row_bytes, int32_t n_rows,
                                    const lm_acts *acts, const void *panel, int32_t first, int32_t n, void *work,
                                    float *out, size_t out_stride) {
    (void)panel, (void)work;
    product(form, w, row_bytes, n_rows, acts, first, n, out, out_stride);
}

#define PRODUCT_TYPE(name, load, at, size)                                                                             \
    PRODUCT_SHAPES(PRODUCT_TILE, name, load, at, size)                                                                 \
    static product_tile *const tiles_##name[2][TILE_ROWS + 1] = PRODUCT_TILES(name);                                   \
    static void LM_KERNEL matvec_##name(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,          \
                                        int32_t first, int32_t n, float *out, size_t out_stride) {                     \
        product(tiles_##name, w, row_bytes, n_rows, acts, first, n, out, out_stride);                                  \
    }

#if TILE_WIDE == 1
#define PRODUCT_SHAPES(X, ...) X(__VA_ARGS__, 1, 6) X(__VA_ARGS__, 1, 4) X(__VA_ARGS__, 1, 2) X(__VA_ARGS__, 1, 1)
#define PRODUCT_TILES(name)                                                                                            \
    {                                                                                                                  \
        {NULL}, {                                                                                                      \
            NULL, product_##name##_1x1, product_##name##_1x2, NULL, product_##name##_1x4, NULL, product_##name##_1x6   \
        }                                                                                                              \
    }
#elif TILE_ROWS == 6
#define PRODUCT_SHAPES(X, ...)                                                                                         \
    X(__VA_ARGS__, 4, 6) X(__VA_ARGS__, 4, 4) X(__VA_ARGS__, 4, 2) X(__VA_ARGS__, 4, 1) X(__VA_ARGS__, 1, 1)
#define PRODUCT_TILES(name)                                                                                            \
    {                                                                                                                  \
        {NULL, product_##name##_1x1}, {                                                                                \
            NULL, product_##name##_4x1, product_##name##_4x2, NULL, product_##name##_4x4, NULL, product_##name##_4x6   \
        }                                                                                                              \
    }
#else
#define PRODUCT_SHAPES(X, ...) X(__VA_ARGS__, 2, 3) X(__VA_ARGS__, 2, 2) X(__VA_ARGS__, 2, 1) X(__VA_ARGS__, 1, 1)
#define PRODUCT_TILES(name)                                                                                            \
    {                                                                                                                  \
        {NULL, product_##name##_1x1}, { NULL, product_##name##_2x1, product_##name##_2x2, product_##name##_2x3 }       \
    }
#endif

LM_INLINE lanes product_load_f32(const uint8_t *p) { return lanes_load((const float *)(const void *)p); }
LM_INLINE lanes product_load_f16(const uint8_t *p) { return lanes_load_f16(p); }
LM_INLINE lanes product_load_bf16(const uint8_t *p) { return lanes_load_bf16(p); }
static float product_f32_at(const uint8_t *p) {
    float x;
    memcpy(&x, p, sizeof x);
    return x;
}
static float product_f16_at(const uint8_t *p) { return lm_load_f16(p); }
static float product_bf16_at(const uint8_t *p) { return lm_load_bf16(p); }
PRODUCT_TYPE(f32, product_load_f32, product_f32_at, 4)
PRODUCT_TYPE(f16, product_load_f16, product_f16_at, 2)
PRODUCT_TYPE(bf16, product_load_bf16, product_bf16_at, 2)

static void matmul_fill(lm_kernels *kernels) {
    static const struct {
        int32_t type;
        lm_matvec_fn *matvec;
        const void *tiles;
    } types[] = {{LM_BLOCK_F32, matvec_f32, tiles_f32},
                 {LM_BLOCK_F16, matvec_f16, tiles_f16},
                 {LM_BLOCK_BF16, matvec_bf16, tiles_bf16}};
    for (int i = 0; i < 3; i++) {
        lm_weight_kernels *slot = &kernels->weights[types[i].type];
        slot->matvec = types[i].matvec;
        slot->matmul = matmul_floats;
        slot->form = types[i].tiles;
        slot->row_tile = TILE_WIDE;
        slot->matmul_from = 5;
    }
}
