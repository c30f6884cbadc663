/* SPDX-License-Identifier: MIT
 * Attention over sixteen lanes (lanes.h). Scores and outputs are the same matrix product, C += A B with B a page part read in
 * place and sums ascending over its rows, done in register tiles:
 *
 *   scores   s[row][64 tokens]  = sum over i of q[row][i]  K[i][64 tokens]
 *   outputs  o[row][v_width]   += sum over j of p[row][j]  V[j][v_width]
 *
 * A tile is a few query rows (heads of a group, tokens of a prompt) by up to 64 columns, so one read of a page serves all its
 * rows. Pages of 16-bit floats are widened once into the scratch when many rows share them. A K part of blocks is a weight matrix
 * of 64 rows: its scores are the matrix product of its type. V of blocks is converted on its way into the tile, its scales go to p. Rows of a tile may
 * see different tokens of a page: the tokens all of them see go through the tile, the others row by row, in order. */

/* C[rows][wide * 16] = C * keep[row] + sum over i < n of a[row][i] * b[i][..]; with keep NULL, C starts at +0. */
typedef struct tile {
    const float *a;
    size_t a_stride;
    const uint8_t *b;
    size_t b_step, b_panel; /* bytes from row to row, and from 64 columns to the next 64 */
    int32_t n;
    float *c;
    size_t c_stride;
    const float *keep;
    const uint8_t *ahead,
        *ahead_too; /* where to fetch ahead, as many bytes as b has, or NULL; the second with codes alone */
} tile;
typedef void LM_KERNEL tile_fn(const tile *);

LM_INLINE void tile_run(const tile *t, int32_t type, const int32_t rows, const int32_t wide) {
    lanes sum[TILE_ROWS][TILE_WIDE_FEW], column[TILE_WIDE_FEW];
    const size_t size = type == LM_BLOCK_F32 ? 4 : 2, step = t->b_step, a_stride = t->a_stride;
    const uint8_t *b = t->b, *ahead = t->ahead ? t->ahead : b;
    const float *a = t->a;
    LM_UNROLL(8)
    for (int r = 0; r < rows; r++) {
        LM_UNROLL(8)
        for (int w = 0; w < wide; w++) sum[r][w] = lanes_set(0.0f);
    }
    if (t->keep) {
        LM_UNROLL(8)
        for (int r = 0; r < rows; r++) {
            LM_UNROLL(8)
            for (int w = 0; w < wide; w++)
                sum[r][w] = lanes_mul(lanes_load(t->c + r * t->c_stride + 16 * w), lanes_set(t->keep[r]));
        }
    }
    for (int32_t i = 0; i < t->n; i++, b += step, ahead += step) {
        LM_UNROLL(8)
        for (size_t at = 0; at < wide * 16 * size; at += 64) lanes_prefetch(ahead + at);
        LM_UNROLL(8)
        for (int w = 0; w < wide; w++) column[w] = cache_load(type, b + 16 * w * size);
        LM_UNROLL(8)
        for (int r = 0; r < rows; r++) {
            lanes x = lanes_set(a[r * a_stride + i]);
            LM_UNROLL(8)
            for (int w = 0; w < wide; w++) sum[r][w] = lanes_fma(x, column[w], sum[r][w]);
        }
    }
    LM_UNROLL(8)
    for (int r = 0; r < rows; r++) {
        LM_UNROLL(8)
        for (int w = 0; w < wide; w++) lanes_store(t->c + r * t->c_stride + 16 * w, sum[r][w]);
    }
}

/* One function per type and shape; TILE_SHAPES(X) of the instruction set lists the shapes, tallest first. */
#define EACH_SHAPE(rows, wide)                                                                                         \
    static void LM_KERNEL tile_f32_##rows##_##wide(const tile *t) { tile_run(t, LM_BLOCK_F32, rows, wide); }           \
    static void LM_KERNEL tile_f16_##rows##_##wide(const tile *t) { tile_run(t, LM_BLOCK_F16, rows, wide); }           \
    static void LM_KERNEL tile_bf16_##rows##_##wide(const tile *t) { tile_run(t, LM_BLOCK_BF16, rows, wide); }
TILE_SHAPES(EACH_SHAPE)
#undef EACH_SHAPE

static const struct tile_shape {
    int32_t rows, wide;
    tile_fn *f32, *f16, *bf16;
} tile_shapes[] = {
#define EACH_SHAPE(rows, wide)                                                                                         \
    {rows, wide, tile_f32_##rows##_##wide, tile_f16_##rows##_##wide, tile_bf16_##rows##_##wide},
    TILE_SHAPES(EACH_SHAPE)
#undef EACH_SHAPE
};

/* C[rows][32] = C * keep[row] + sum over i < n of a[row][i] * codes[i][32], the codes of a block being read at b + i * b_step. */
LM_INLINE void tile_codes(const tile *t, int32_t type, const int32_t rows) {
    lanes sum[TILE_ROWS][2], column[2];
    const uint8_t *b = t->b, *ahead = t->ahead ? t->ahead : b, *ahead_too = t->ahead_too ? t->ahead_too : b;
    const float *a = t->a;
    LM_UNROLL(8)
    for (int r = 0; r < rows; r++) {
        LM_UNROLL(2)
        for (int w = 0; w < 2; w++)
            sum[r][w] = lanes_mul(lanes_load(t->c + r * t->c_stride + 16 * w), lanes_set(t->keep[r]));
    }
    for (int32_t i = 0; i < t->n; i++, b += t->b_step, ahead += t->b_step, ahead_too += t->b_step) {
        lanes_prefetch(ahead), lanes_prefetch(ahead_too);
        cache_load_codes(type, b, &column[0], &column[1]);
        LM_UNROLL(8)
        for (int r = 0; r < rows; r++) {
            lanes x = lanes_set(a[r * LM_PAGE_TOKENS + i]);
            LM_UNROLL(2)
            for (int w = 0; w < 2; w++) sum[r][w] = lanes_fma(x, column[w], sum[r][w]);
        }
    }
    LM_UNROLL(8)
    for (int r = 0; r < rows; r++) {
        LM_UNROLL(2)
        for (int w = 0; w < 2; w++) lanes_store(t->c + r * t->c_stride + 16 * w, sum[r][w]);
    }
}

#define EACH_ROWS(rows)                                                                                                \
    static void LM_KERNEL tile_q8_0_##rows(const tile *t) { tile_codes(t, LM_BLOCK_Q8_0, rows); }                      \
    static void LM_KERNEL tile_q4_0_##rows(const tile *t) { tile_codes(t, LM_BLOCK_Q4_0, rows); }
TILE_CODES(EACH_ROWS)
#undef EACH_ROWS

static const struct tile_codes_shape {
    int32_t rows;
    tile_fn *q8_0, *q4_0;
} tile_codes_shapes[] = {
#define EACH_ROWS(rows) {rows, tile_q8_0_##rows, tile_q4_0_##rows},
    TILE_CODES(EACH_ROWS)
#undef EACH_ROWS
};

/* The product for any number of rows and columns; columns past a multiple of 16 only with f32. */
static void LM_KERNEL tile_product(const tile *whole, int32_t type, int32_t rows, int32_t columns) {
    const size_t size = type == LM_BLOCK_F32 ? 4 : 2;
    const int32_t most = type == LM_BLOCK_F32 ? TILE_ROWS : TILE_ROWS_HALF;
    int32_t at = 0;
    for (int32_t wide; at + 16 <= columns; at += 16 * wide) {
        wide = rows <= 2 ? TILE_WIDE_FEW : TILE_WIDE;
        if (at + 16 * wide > columns) wide = 1;
        const struct tile_shape *shape;
        tile t = *whole;
        t.b += at / 64 * t.b_panel + at % 64 * size, t.c += at, t.ahead = t.ahead ? t.ahead + at * size : NULL;
        for (int32_t left = rows; left > 0;
             left -= shape->rows) { /* in equal shares: 4 rows are 2 and 2, not 3 and 1 */
            int32_t tiles = (left + most - 1) / most, share = (left + tiles - 1) / tiles;
            for (shape = tile_shapes; shape->wide != wide || shape->rows > share;) shape++;
            (type == LM_BLOCK_F32 ? shape->f32 : type == LM_BLOCK_F16 ? shape->f16 : shape->bf16)(&t);
            t.a += shape->rows * t.a_stride, t.c += shape->rows * t.c_stride, t.ahead = NULL;
            if (t.keep) t.keep += shape->rows;
        }
    }
    for (int32_t r = 0; r < rows; r++)
        for (int32_t e = at; e < columns; e++) {
            float *c = whole->c + r * whole->c_stride + e, sum = whole->keep ? *c * whole->keep[r] : 0.0f, b;
            for (int32_t i = 0; i < whole->n; i++) {
                memcpy(&b, whole->b + e / 64 * whole->b_panel + i * whole->b_step + e % 64 * size, sizeof b);
                sum = lane_fma(whole->a[r * whole->a_stride + i], b, sum);
            }
            *c = sum;
        }
}

/* The same for any number of rows and blocks; the scales of a block go to the rows' a first. For many rows, or part of a
 * block, the codes are widened once. */
static void LM_KERNEL tile_blocks(const tile *whole, int32_t type, int32_t rows, int32_t columns) {
    const size_t size = type == LM_BLOCK_Q8_0 ? sizeof(lm_block_q8_0) : sizeof(lm_block_q4_0);
    const int32_t widen = rows >= WIDEN_FROM || columns % 32, most = widen ? TILE_ROWS : tile_codes_shapes->rows;
    float scaled[TILE_ROWS * LM_PAGE_TOKENS], wide[32 * LM_PAGE_TOKENS];
    uint8_t d[2 * LM_PAGE_TOKENS] = {0};
    for (int32_t e = 0; e < columns; e += 32) {
        const uint8_t *block = whole->b + e / 32 * size;
        tile t = *whole;
        lanes scale[LM_PAGE_TOKENS / 16], low, high;
        for (int32_t i = 0; i < t.n; i++) memcpy(d + 2 * i, block + i * t.b_step, 2);
        for (int w = 0; w < LM_PAGE_TOKENS / 16; w++) scale[w] = lanes_load_f16(d + 32 * w);
        for (int32_t i = 0; widen && i < t.n; i++) {
            cache_load_codes(type, block + 2 + i * t.b_step, &low, &high);
            lanes_store(wide + 32 * i, low), lanes_store(wide + 32 * i + 16, high);
        }
        t.a = scaled, t.a_stride = LM_PAGE_TOKENS, t.b = block + 2, t.c += e;
        if (widen) t.b = (const uint8_t *)wide, t.b_step = 32 * sizeof(float), t.ahead = NULL;
        if (t.ahead) t.ahead += e / 32 * size;
        if (t.ahead_too) t.ahead_too += e / 32 * size;
        for (int32_t r = 0, share; r < rows; r += share, t.c += share * t.c_stride, t.keep += share) {
            const struct tile_codes_shape *shape = tile_codes_shapes;
            int32_t tiles = (rows - r + most - 1) / most;
            share = (rows - r + tiles - 1) / tiles;
            if (!widen) {
                while (shape->rows > share) shape++;
                share = shape->rows;
            }
            for (int32_t i = 0; i < share; i++)
                for (int32_t at = 0; at < t.n; at += 16) {
                    int32_t n = t.n - at < 16 ? t.n - at : 16;
                    lanes p = lanes_load_part(whole->a + (r + i) * whole->a_stride + at, n);
                    lanes_store(scaled + i * LM_PAGE_TOKENS + at, lanes_mul(p, scale[at / 16]));
                }
            if (widen)
                tile_product(&t, LM_BLOCK_F32, share, columns - e < 32 ? columns - e : 32);
            else
                (type == LM_BLOCK_Q8_0 ? shape->q8_0 : shape->q4_0)(&t);
            t.ahead = t.ahead_too = NULL;
        }
    }
}

/* The work of one call. */
typedef struct attend {
    const lm_attend_args *args;
    float *keys, *values; /* [k_width][64], [64][v_width]: a page as floats, where it is not read in place */
    float *p;             /* [n_q][64] scores, then weights */
    float *keep;          /* [n_q] what the row's earlier sums are scaled by */
    int32_t *first, *end; /* [n_q] the tokens of the page a row sees */
    lm_acts acts;         /* the rows of q where K is of blocks, and their panel, and room for a matmul */
    char *panel, *product;
} attend;

static int32_t is_blocks(int32_t type) { return type == LM_BLOCK_Q8_0 || type == LM_BLOCK_Q4_0; }

/* Scores of row r to weights; its m, l and keep. */
static void LM_KERNEL attend_softmax(const attend *work, int32_t r) {
    const lm_attend_args *args = work->args;
    const int32_t first = work->first[r], end = work->end[r], all = first == 0 && end == LM_PAGE_TOKENS;
    float *p = work->p + (size_t)r * LM_PAGE_TOKENS, was = args->m[r];
    lanes s[4], scale = lanes_set(args->scale), best = lanes_set(was), sum = lanes_set(0.0f);
    LM_UNROLL(4)
    for (int w = 0; w < 4; w++) s[w] = lanes_mul(lanes_load(p + 16 * w), scale);
    if (args->softcap != 0.0f)
        for (int w = 0; w < 4; w++) {
            lanes cap = lanes_set(args->softcap);
            s[w] = lanes_mul(cap, lanes_tanh(lanes_div(s[w], cap)));
        }
    LM_UNROLL(4)
    for (int w = 0; w < 4; w++) {
        if (!all) s[w] = lanes_between(s[w], first - 16 * w, end - 16 * w, -INFINITY);
        best = lanes_larger(s[w], best);
    }
    float top = lanes_fold_larger(best) + 0.0f;
    lanes tops = lanes_set(top);
    LM_UNROLL(4)
    for (int w = 0; w < 4; w++) {
        s[w] = lanes_exp_low(lanes_sub(s[w], tops));
        if (!all) s[w] = lanes_between(s[w], first - 16 * w, end - 16 * w, 0.0f);
        sum = lanes_add(sum, s[w]);
        lanes_store(p + 16 * w, s[w]);
    }
    float c = was == -INFINITY ? 0.0f : was == top ? 1.0f : lm_exp(was - top); /* exp(0) is 1 */
    args->l[r] = lane_fma(args->l[r], c, lanes_fold(sum));
    args->m[r] = top;
    work->keep[r] = c;
}

/* Outputs of rows [r, r + rows) from tokens [from, to) of the page. */
static void LM_KERNEL attend_add(const attend *work, const tile *values, int32_t type, int32_t r, int32_t rows,
                                 int32_t from, int32_t to) {
    tile t = *values;
    t.a = work->p + (size_t)r * LM_PAGE_TOKENS + from, t.a_stride = LM_PAGE_TOKENS;
    t.b += (size_t)from * t.b_step, t.n = to - from;
    t.c = work->args->o + r * work->args->o_stride, t.c_stride = work->args->o_stride;
    t.keep = work->keep + r;
    (is_blocks(type) ? tile_blocks : tile_product)(&t, type, rows, work->args->v_width);
}

/* Outputs of rows [r, end_row), all of which see something of the page. Rows that see the same tokens go together; others in
 * groups, whose common tokens [low, high) go together between each row's own earlier and later ones. */
static void LM_KERNEL attend_outputs(const attend *work, const tile *t, int32_t type, int32_t r, int32_t end_row) {
    for (int32_t rows; r < end_row; r += rows) {
        int32_t low = work->first[r], high = work->end[r];
        for (rows = 1; r + rows < end_row && work->first[r + rows] == low && work->end[r + rows] == high;) rows++;
        if (rows < TILE_ROWS) {
            rows = end_row - r < TILE_ROWS ? end_row - r : TILE_ROWS;
            for (int32_t i = r; i < r + rows; i++) {
                if (work->first[i] > low) low = work->first[i];
                if (work->end[i] < high) high = work->end[i];
            }
            if (low >= high) rows = 1, low = work->first[r], high = work->end[r];
        }
        for (int32_t i = r; i < r + rows; i++)
            if (work->first[i] < low) {
                attend_add(work, t, type, i, 1, work->first[i], low);
                work->keep[i] = 1.0f; /* scaled by now; once more by 1 changes nothing */
            }
        attend_add(work, t, type, r, rows, low, high);
        for (int32_t i = r; i < r + rows; i++)
            if (high < work->end[i]) {
                work->keep[i] = 1.0f;
                attend_add(work, t, type, i, 1, high, work->end[i]);
            }
    }
}

/* The page's K and V as tiles read them: in place, or as floats in the work. Returns the type found there. */
static int32_t LM_KERNEL attend_keys(const attend *work, const uint8_t *k, int32_t seen, tile *t) {
    const lm_attend_args *args = work->args;
    int32_t type = args->k_type;
    if (type != LM_BLOCK_F32 && (seen >= WIDEN_FROM || args->v_from_k)) {
        cache_widen(type, k, (size_t)args->k_width * LM_PAGE_TOKENS, work->keys);
        k = (const uint8_t *)work->keys, type = LM_BLOCK_F32;
    }
    t->b = k, t->b_step = t->b_panel = LM_PAGE_TOKENS * (type == LM_BLOCK_F32 ? 4 : 2);
    return type;
}

/* Scores of all rows with a K part of blocks. */
static void LM_KERNEL attend_products(const attend *work, const uint8_t *k) {
    const lm_attend_args *args = work->args;
    const lm_weight_kernels *w = &args->kernels->weights[args->k_type];
    const size_t row = lm_cache_k_bytes(args->k_type, args->k_width) / LM_PAGE_TOKENS;
    if (work->panel) {
        w->matmul(w->form, k, row, LM_PAGE_TOKENS, &work->acts, work->panel, 0, args->n_q, work->product, work->p,
                  LM_PAGE_TOKENS);
        return;
    }
    for (int32_t r = 0; r < args->n_q; r += 4)
        w->matvec(k, row, LM_PAGE_TOKENS, &work->acts, r, args->n_q - r < 4 ? args->n_q - r : 4,
                  work->p + (size_t)r * LM_PAGE_TOKENS, LM_PAGE_TOKENS);
}

static int32_t LM_KERNEL attend_values(const attend *work, const uint8_t *k, const uint8_t *v, int32_t seen, tile *t) {
    const lm_attend_args *args = work->args;
    const int32_t type = args->v_from_k ? args->k_type : args->v_type, width = args->v_width;
    const size_t size = type == LM_BLOCK_F32 ? 4 : 2;
    if (is_blocks(type)) {
        const size_t part = args->v_from_k ? lm_cache_k_bytes(type, args->k_width) : lm_cache_v_bytes(type, width);
        *t = (tile){.b = args->v_from_k ? k : v, .b_step = part / LM_PAGE_TOKENS};
        return type;
    }
    *t = (tile){.b = v, .b_step = (size_t)width * size, .b_panel = 64 * size};
    if (!args->v_from_k && width % 16 == 0 && seen < WIDEN_FROM) return type;
    if (args->v_from_k)
        cache_panels_from_k(type == LM_BLOCK_F32 ? (const float *)(const void *)k : work->keys, width, work->values);
    else
        cache_panels_v(type, v, width, work->values);
    *t = (tile){.b = (const uint8_t *)work->values, .b_step = 64 * sizeof(float), .b_panel = V_PANEL * sizeof(float)};
    return LM_BLOCK_F32;
}

/* V of the first page, while its scores are made. */
static void LM_KERNEL attend_prefetch(const uint8_t *at, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) lanes_prefetch(at + i);
}

static void LM_KERNEL attend_page(const attend *work, int32_t page) {
    const lm_attend_args *args = work->args;
    int32_t seen = 0;
    for (int32_t r = 0; r < args->n_q; r++)
        seen += lm_attend_visible(args, args->q_pos[r], args->first_page + page, work->first + r, work->end + r);
    if (!seen) return;
    const uint8_t *k = args->k_pages[page], *v = args->v_from_k ? NULL : args->v_pages[page];
    tile keys = {.a_stride = args->q_stride, .n = args->k_width, .c_stride = LM_PAGE_TOKENS, .ahead = v},
         values = {.n = 0};
    const int32_t products = is_blocks(args->k_type);
    if (v && page == 0 && is_blocks(args->v_type)) attend_prefetch(v, lm_cache_v_bytes(args->v_type, args->v_width));
    int32_t k_type = args->k_type;
    if (products)
        attend_products(work, k);
    else
        k_type = attend_keys(work, k, seen, &keys);
    int32_t v_type = attend_values(work, k, v, seen, &values);
    values.ahead = page + 1 < args->n_pages ? args->k_pages[page + 1] : NULL;
    values.ahead_too = values.ahead && v ? args->v_pages[page + 1] : NULL;
    for (int32_t r = 0, end; r < args->n_q; r = end) { /* runs of rows that see something */
        for (end = r; end < args->n_q && work->first[end] < work->end[end];) end++;
        keys.a = args->q + r * args->q_stride, keys.c = work->p + (size_t)r * LM_PAGE_TOKENS;
        if (!products) tile_product(&keys, k_type, end - r, LM_PAGE_TOKENS);
        for (int32_t i = r; i < end; i++) attend_softmax(work, i);
        attend_outputs(work, &values, v_type, r, end);
        keys.ahead = values.ahead = values.ahead_too = NULL;
        while (end < args->n_q && work->first[end] >= work->end[end]) end++;
    }
}

static void LM_KERNEL attend_run(const lm_attend_args *args) {
    attend work = {.args = args, .keys = args->work};
    size_t rows = ((size_t)args->n_q + 15) / 16 * 16;
    work.values = work.keys + (size_t)args->k_width * LM_PAGE_TOKENS;
    work.p = work.values + ((size_t)args->v_width + 63) / 64 * V_PANEL;
    work.keep = work.p + rows * LM_PAGE_TOKENS;
    work.first = (int32_t *)(void *)(work.keep + rows);
    work.end = work.first + rows;
    if (is_blocks(args->k_type)) {
        const lm_weight_kernels *w = &args->kernels->weights[args->k_type];
        char *at = (char *)(work.end + rows);
        lm_acts_bind(&work.acts, LM_ACT_Q8_32, args->n_q, args->k_width, at);
        for (int32_t r = 0; r < args->n_q; r++)
            args->kernels->quantize_q8_32(&work.acts, r, args->q + r * args->q_stride);
        if (w->matmul && args->n_q >= w->matmul_from) {
            work.panel = at + lm_acts_bytes(LM_ACT_Q8_32, args->n_q, args->k_width);
            work.product = work.panel + (w->pack_bytes(args->n_q, args->k_width) + 63) / 64 * 64;
            for (int32_t r = 0; r < args->n_q; r += LM_PACK_COLUMNS)
                w->pack(work.panel, &work.acts, r, args->n_q - r < LM_PACK_COLUMNS ? args->n_q - r : LM_PACK_COLUMNS);
        }
    }
    for (int32_t r = 0; r < args->n_q; r++) {
        args->m[r] = -INFINITY;
        args->l[r] = 0.0f;
        memset(args->o + r * args->o_stride, 0, (size_t)args->v_width * sizeof(float));
    }
    for (int32_t page = 0; page < args->n_pages; page++) attend_page(&work, page);
}

static void LM_KERNEL attend_merge(float *o, float *m, float *l, const float *o2, float m2, float l2, int32_t v_width) {
    float top = m2 > *m ? m2 : *m;
    float a = *m == -INFINITY ? 0.0f : lane_exp(*m - top), b = m2 == -INFINITY ? 0.0f : lane_exp(m2 - top);
    lanes as = lanes_set(a), bs = lanes_set(b);
    int32_t e = 0;
    for (; e + 16 <= v_width; e += 16)
        lanes_store(o + e, lanes_fma(lanes_load(o2 + e), bs, lanes_mul(lanes_load(o + e), as)));
    for (; e < v_width; e++) o[e] = lane_fma(o2[e], b, o[e] * a);
    *l = lane_fma(l2, b, *l * a);
    *m = top;
}

static void LM_KERNEL attend_finish(const float *o, float m, float l, const float *sink, int32_t v_width, float *y) {
    float a = 1.0f;
    if (sink) {
        float top = *sink > m ? *sink : m;
        a = m == -INFINITY ? 0.0f : lane_exp(m - top);
        l = lane_fma(l, a, lane_exp(*sink - top));
    }
    float r = l == 0.0f ? 0.0f : 1.0f / l;
    lanes as = lanes_set(a), rs = lanes_set(r);
    int32_t e = 0;
    for (; e + 16 <= v_width; e += 16) lanes_store(y + e, lanes_mul(lanes_mul(lanes_load(o + e), as), rs));
    for (; e < v_width; e++) y[e] = o[e] * a * r;
}

static void attend_fill(lm_kernels *k) {
    k->attend = attend_run;
    k->attend_merge = attend_merge;
    k->attend_finish = attend_finish;
}
