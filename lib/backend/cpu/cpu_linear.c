/* SPDX-License-Identifier: MIT
 * Matrix products: the input is quantised once per kind its weights want, then threads take blocks of output rows of all
 * matrices of the operation. Scale, bias and residual are added while a block is still in the cache. */
#include <string.h>

#include "../../base/checked.h"
#include "cpu_internal.h"

/* Bytes of weights a chunk should cover: large enough to hide taking it, small enough that a slow core does not hold the rest up. */
#define CHUNK_BYTES (96 * 1024)
#define CHUNK_ROWS_MATMUL 128 /* rows unpacked per pass of a matmul (kernels.h) */
#define CHUNK_ROWS_MAX 512    /* bounds the scratch of a chunk whose rows are short */

/* ---- columns: the input made ready once per kind of activation, and packed once per kind of panel ---- */

typedef struct columns {
    const lm_cpu_step *step;
    int32_t n, k;
    lm_acts acts[LM_CPU_ACT_KINDS];
    uint8_t ready[LM_CPU_ACT_KINDS];
    const lm_weight_kernels *packed; /* whose panel the panel area holds, NULL: none */
} columns;

typedef struct quantize_task {
    columns *columns;
    int32_t kind, per_chunk;
    const float *x;
    size_t x_stride;
} quantize_task;

static void LM_KERNEL quantize_chunk(void *arg, int32_t chunk, int32_t worker) {
    (void)worker;
    quantize_task *t = arg;
    const lm_kernels *k = t->columns->step->kernels;
    lm_quantize_fn *quantize = t->kind == LM_ACT_Q8_32 ? k->quantize_q8_32 : k->quantize_q8_256;
    int32_t first = chunk * t->per_chunk,
            end = first + t->per_chunk < t->columns->n ? first + t->per_chunk : t->columns->n;
    for (int32_t c = first; c < end; c++) quantize(&t->columns->acts[t->kind], c, t->x + (size_t)c * t->x_stride);
}

static void columns_init(columns *c, const lm_cpu_step *s, const float *x, size_t x_stride, int32_t n, int32_t k) {
    *c = (columns){.step = s, .n = n, .k = k};
    c->acts[LM_ACT_F32] = (lm_acts){.kind = LM_ACT_F32, .n = n, .k = k, .f32 = x, .f32_stride = x_stride};
    c->ready[LM_ACT_F32] = 1;
}

static lm_status columns_quantize(columns *c, int32_t kind, const float *x, size_t x_stride) {
    if (c->ready[kind]) return LM_OK;
    c->ready[kind] = 1;
    lm_acts_bind(&c->acts[kind], kind, c->n, c->k, c->step->segment->acts[kind]);
    quantize_task task = {c, kind, lm_cpu_rows_per_chunk(c->k), x, x_stride};
    return lm_cpu_parallel(c->step, (c->n + task.per_chunk - 1) / task.per_chunk, quantize_chunk, &task);
}

typedef struct pack_task {
    columns *columns;
    const lm_weight_kernels *weights;
} pack_task;

static void LM_KERNEL pack_chunk(void *arg, int32_t chunk, int32_t worker) {
    (void)worker;
    pack_task *t = arg;
    int32_t first = chunk * LM_PACK_COLUMNS, left = t->columns->n - first;
    t->weights->pack(t->columns->step->segment->panel, &t->columns->acts[t->weights->act], first,
                     left < LM_PACK_COLUMNS ? left : LM_PACK_COLUMNS);
}

/* Whether both read the same panel: one pack function may serve several kinds of activations. */
static bool same_panel(const lm_weight_kernels *a, const lm_weight_kernels *b) {
    return a->pack == b->pack && a->act == b->act;
}

static lm_status columns_pack(columns *c, const lm_weight_kernels *w) {
    if (!w->pack || (c->packed && same_panel(c->packed, w))) return LM_OK;
    c->packed = w;
    pack_task task = {c, w};
    return lm_cpu_parallel(c->step, (c->n + LM_PACK_COLUMNS - 1) / LM_PACK_COLUMNS, pack_chunk, &task);
}

bool lm_cpu_uses_matmul(const lm_weight_kernels *w, int32_t n) { return w->matmul && n >= w->matmul_from; }

/* out[col*out_stride + r] for rows [0, n_rows) of w and all columns. */
static void LM_KERNEL product(const columns *c, const lm_weight_kernels *w, const char *rows, size_t row_bytes,
                              int32_t n_rows, void *work, float *out, size_t out_stride) {
    const lm_acts *acts = &c->acts[w->act];
    if (lm_cpu_uses_matmul(w, c->n)) {
        w->matmul(w->form, rows, row_bytes, n_rows, acts, c->step->segment->panel, 0, c->n, work, out, out_stride);
        return;
    }
    for (int32_t i = 0; i < c->n; i += 4) {
        int32_t part = c->n - i < 4 ? c->n - i : 4;
        w->matvec(rows, row_bytes, n_rows, acts, i, part, out + (size_t)i * out_stride, out_stride);
    }
}

/* ---- LINEAR ---- */

typedef struct linear_matrix {
    const lm_weight_kernels *kernels;
    const char *data;
    size_t row_bytes;
    const float *bias, *residual; /* NULL: none */
    float factor;
    float *out;
    int32_t n_rows, chunk_rows, first_chunk;
} linear_matrix;

typedef struct linear_task {
    const lm_cpu_step *step;
    columns *columns;
    int32_t n;                             /* matrices in this pass */
    linear_matrix matrices[LM_OP_OUTPUTS]; /* one makes each output */
} linear_task;

static void LM_KERNEL linear_chunk(void *arg, int32_t chunk, int32_t worker) {
    linear_task *t = arg;
    const lm_kernels *k = t->step->kernels;
    const linear_matrix *m = &t->matrices[t->n - 1];
    while (m->first_chunk > chunk) m--;
    int32_t row = (chunk - m->first_chunk) * m->chunk_rows;
    int32_t n_rows = m->n_rows - row < m->chunk_rows ? m->n_rows - row : m->chunk_rows;
    float *out = m->out + row, *target = out;
    size_t stride = (size_t)m->n_rows, target_stride = stride;
    char *work = lm_cpu_worker(t->step, worker);
    /* y may share memory with the residual (graph_plan.c): then the product goes through the worker's scratch first. */
    if (m->residual) {
        target = (float *)(void *)work;
        work += lm_align_up((size_t)t->columns->n * (size_t)m->chunk_rows * sizeof(float), LM_ALIGN_CACHE);
        target_stride = (size_t)m->chunk_rows;
    }
    product(t->columns, m->kernels, m->data + (size_t)row * m->row_bytes, m->row_bytes, n_rows, work, target,
            target_stride);
    for (int32_t c = 0; c < t->columns->n; c++) {
        float *y = target + (size_t)c * target_stride;
        if (m->factor != 1) k->scale(y, m->factor, n_rows, y);
        if (m->bias) k->add(y, m->bias + row, n_rows, y);
        if (m->residual) k->add(y, m->residual + (size_t)c * stride + row, n_rows, out + (size_t)c * stride);
    }
}

static int32_t rows_per_chunk(const lm_weight_kernels *w, size_t row_bytes, int32_t n_rows, int32_t n,
                              int32_t n_threads) {
    int32_t tile = w->row_tile > 0 ? w->row_tile : 1;
    int64_t rows = lm_cpu_uses_matmul(w, n) ? CHUNK_ROWS_MATMUL : (int64_t)(CHUNK_BYTES / (row_bytes ? row_bytes : 1));
    int64_t share = ((int64_t)n_rows + 4 * n_threads - 1) / (4 * n_threads); /* at least four chunks per thread */
    if (rows > share && n_threads > 1) rows = share;
    if (rows > CHUNK_ROWS_MAX) rows = CHUNK_ROWS_MAX;
    rows = (rows + tile - 1) / tile * tile;
    if (rows < tile) rows = tile;
    return (int32_t)(rows < n_rows ? rows : n_rows);
}

lm_status lm_cpu_linear(const lm_cpu_step *s) {
    const lm_op *op = s->op;
    int32_t n = s->n_rows;
    if (n == 0) return LM_OK;
    columns columns;
    const float *x = lm_cpu_value(s, op->in[0]);
    int32_t k = lm_cpu_width(s, op->in[0]);
    columns_init(&columns, s, x, (size_t)k, n, k);
    linear_task task = {.step = s, .columns = &columns};
    lm_status status = LM_OK;
    for (int32_t i = 0; i < op->params.linear.n && status == LM_OK; i++) {
        const lm_tensor *w = lm_cpu_tensor(s, 3 * i);
        const lm_weight_kernels *kernels = &s->kernels->weights[w->dtype];
        status = columns_quantize(&columns, kernels->act, x, (size_t)k);
    }
    /* Matrices that share a packed panel run in one pass; a second kind of panel needs a second pass. */
    uint32_t done = 0;
    while (status == LM_OK && done != (1u << op->params.linear.n) - 1) {
        int32_t n_chunks = 0;
        const lm_weight_kernels *packed = NULL;
        task.n = 0;
        for (int32_t i = 0; i < op->params.linear.n; i++) {
            if (done >> i & 1) continue;
            const lm_tensor *w = lm_cpu_tensor(s, 3 * i);
            const lm_weight_kernels *kernels = &s->kernels->weights[w->dtype];
            bool packs = lm_cpu_uses_matmul(kernels, n) && kernels->pack;
            if (packs && packed && !same_panel(kernels, packed)) continue;
            if (packs && !packed) {
                packed = kernels;
                status = columns_pack(&columns, kernels);
                if (status != LM_OK) return status;
            }
            done |= 1u << i;
            const float *scale = lm_cpu_vector(s, 3 * i + 2);
            int32_t n_rows = lm_cpu_width(s, op->out[i]);
            size_t row_bytes = lm_cpu_row_bytes(w);
            int32_t chunk_rows = rows_per_chunk(kernels, row_bytes, n_rows, n, s->segment->cpu->n_threads);
            task.matrices[task.n++] = (linear_matrix){
                .kernels = kernels,
                .data = w->data,
                .row_bytes = row_bytes,
                .bias = lm_cpu_vector(s, 3 * i + 1),
                .residual = i == 0 ? lm_cpu_value(s, op->in[1]) : NULL,
                .factor = (scale ? *scale : 1) * op->params.linear.scale,
                .out = lm_cpu_value(s, op->out[i]),
                .n_rows = n_rows,
                .chunk_rows = chunk_rows,
                .first_chunk = n_chunks,
            };
            n_chunks += (n_rows + chunk_rows - 1) / chunk_rows;
        }
        status = lm_cpu_parallel(s, n_chunks, linear_chunk, &task);
    }
    return status;
}

static void matrix_scratch(const lm_cpu *cpu, const lm_tensor *w, int32_t n, bool residual, lm_cpu_scratch *scratch) {
    const lm_weight_kernels *kernels = &cpu->kernels.weights[w->dtype];
    int32_t k = (int32_t)w->ne[0];
    scratch->acts[kernels->act] = lm_size_max(scratch->acts[kernels->act], lm_acts_bytes(kernels->act, n, k));
    if (kernels->pack_bytes) scratch->panel = lm_size_max(scratch->panel, kernels->pack_bytes(n, k));
    size_t worker = kernels->matmul_work_bytes ? kernels->matmul_work_bytes(n, k) : 0;
    if (residual) {
        int64_t n_rows = w->ne[1] * w->ne[2] * w->ne[3];
        size_t row_bytes = (size_t)(w->bytes / (uint64_t)n_rows);
        int32_t one = rows_per_chunk(kernels, row_bytes, (int32_t)n_rows, 1, cpu->n_threads);
        int32_t all = rows_per_chunk(kernels, row_bytes, (int32_t)n_rows, n, cpu->n_threads);
        size_t largest = (size_t)(one > all ? one : all);
        worker += lm_align_up((size_t)n * largest * sizeof(float), LM_ALIGN_CACHE);
    }
    scratch->worker = lm_size_max(scratch->worker, worker);
}

void lm_cpu_linear_scratch(const lm_cpu *cpu, const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch) {
    int32_t n = lm_cpu_most_rows(program, op->in[0]);
    for (int32_t i = 0; i < op->params.linear.n; i++)
        matrix_scratch(cpu, &program->tensors[op->weight[3 * i]], n, i == 0 && op->in[1] >= 0, scratch);
}

/* ---- HEAD_LINEAR: one matrix per head, heads in parallel; input columns are gathered head by head ---- */

#define TRANSPOSED_ROWS 32 /* rows kept dequantised while all tokens use them: a token's output stays in L1 meanwhile */

typedef struct head_task {
    const lm_cpu_step *step;
    const lm_weight_kernels *kernels;
    const lm_tensor *w;
    size_t row_bytes;
} head_task;

/* What a head reads and writes. */
typedef struct head_part {
    const char *rows;
    const float *x;
    float *y;
    size_t x_width, y_width;
} head_part;

static head_part part_of(const head_task *t, int32_t head) {
    const lm_cpu_step *s = t->step;
    const lm_op *op = s->op;
    int64_t row = (int64_t)head * op->params.head_linear.stride + op->params.head_linear.first;
    return (head_part){
        .rows = (const char *)t->w->data + (size_t)row * t->row_bytes,
        .x = lm_cpu_value(s, op->in[0]) + (size_t)head * (size_t)op->params.head_linear.n_in,
        .y = lm_cpu_value(s, op->out[0]) + (size_t)head * (size_t)op->params.head_linear.n_out,
        .x_width = (size_t)lm_cpu_width(s, op->in[0]),
        .y_width = (size_t)lm_cpu_width(s, op->out[0]),
    };
}

static void LM_KERNEL head_chunk(void *arg, int32_t head, int32_t worker) {
    head_task *t = arg;
    const lm_cpu_step *s = t->step;
    head_part p = part_of(t, head);
    int32_t n_in = s->op->params.head_linear.n_in, n_out = s->op->params.head_linear.n_out, kind = t->kernels->act;
    for (int32_t first = 0; first < s->n_rows; first += 4) {
        int32_t n = s->n_rows - first < 4 ? s->n_rows - first : 4;
        const float *x = p.x + (size_t)first * p.x_width;
        lm_acts acts = {.kind = LM_ACT_F32, .n = n, .k = n_in, .f32 = x, .f32_stride = p.x_width};
        if (kind != LM_ACT_F32) {
            lm_acts_bind(&acts, kind, n, n_in, lm_cpu_worker(s, worker));
            lm_quantize_fn *quantize = kind == LM_ACT_Q8_32 ? s->kernels->quantize_q8_32 : s->kernels->quantize_q8_256;
            for (int32_t c = 0; c < n; c++) quantize(&acts, c, x + (size_t)c * p.x_width);
        }
        t->kernels->matvec(p.rows, t->row_bytes, n_out, &acts, 0, n, p.y + (size_t)first * p.y_width, p.y_width);
    }
}

static void LM_KERNEL transposed_chunk(void *arg, int32_t head, int32_t worker) {
    head_task *t = arg;
    const lm_cpu_step *s = t->step;
    head_part p = part_of(t, head);
    int32_t n_in = s->op->params.head_linear.n_in, n_out = s->op->params.head_linear.n_out;
    float *rows = (float *)(void *)lm_cpu_worker(s, worker);
    for (int32_t r = 0; r < s->n_rows; r++) memset(p.y + (size_t)r * p.y_width, 0, (size_t)n_out * sizeof *p.y);
    for (int32_t first = 0; first < n_in; first += TRANSPOSED_ROWS) {
        int32_t n = n_in - first < TRANSPOSED_ROWS ? n_in - first : TRANSPOSED_ROWS;
        for (int32_t i = 0; i < n; i++)
            t->kernels->dequantize(p.rows + (size_t)(first + i) * t->row_bytes, rows + (size_t)i * (size_t)n_out,
                                   (size_t)n_out);
        for (int32_t r = 0; r < s->n_rows; r++)
            for (int32_t i = 0; i < n; i++)
                s->kernels->axpy(p.x[(size_t)r * p.x_width + (size_t)(first + i)], rows + (size_t)i * (size_t)n_out,
                                 n_out, p.y + (size_t)r * p.y_width);
    }
}

lm_status lm_cpu_head_linear(const lm_cpu_step *s) {
    const lm_tensor *w = lm_cpu_tensor(s, 0);
    head_task task = {s, &s->kernels->weights[w->dtype], w, lm_cpu_row_bytes(w)};
    return lm_cpu_parallel(s, s->op->params.head_linear.n_heads,
                           s->op->params.head_linear.transposed ? transposed_chunk : head_chunk, &task);
}

void lm_cpu_head_linear_scratch(const lm_cpu *cpu, const lm_program *program, const lm_op *op,
                                lm_cpu_scratch *scratch) {
    const lm_tensor *w = &program->tensors[op->weight[0]];
    size_t bytes = op->params.head_linear.transposed
                       ? (size_t)TRANSPOSED_ROWS * (size_t)op->params.head_linear.n_out * sizeof(float)
                       : lm_acts_bytes(cpu->kernels.weights[w->dtype].act, 4, op->params.head_linear.n_in);
    scratch->worker = lm_size_max(scratch->worker, bytes);
}
