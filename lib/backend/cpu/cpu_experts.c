/* SPDX-License-Identifier: MIT
 * Expert feed-forwards. Pairs (token, expert) are grouped by expert, so each used expert's weights are read once for all of its
 * tokens, and unused experts are never touched. The blocks of rows of all used experts form one set of chunks per stage:
 *   gather   quantised input columns copied into pair order, each expert's columns starting at a multiple of LM_PACK_COLUMNS
 *   hidden   act(gate x) * (up x) into [pair][width]
 *   down     [pair][n_embd], times the expert's scale, plus its bias
 *   combine  y_t = sum over the token's experts, in the order of the router, of weight * pair row (+ residual)
 * EXPERT_LINEAR is the first and the last two of these stages, and without weights its rows stay apart. */
#include <string.h>

#include "../../os/os.h"
#include "cpu_internal.h"

#define ROWS_PER_CHUNK 64

typedef struct layout {
    int32_t n_pairs, n_slots; /* slots: pairs with the gaps that start every expert at a multiple of LM_PACK_COLUMNS */
    int32_t n_experts, n_in, width, n_out;
    int32_t n_used; /* choices of a token */
    bool linear;    /* EXPERT_LINEAR: one matrix */
    size_t bytes, counts, firsts, slot_of, pair_of, experts_used, gate, hidden, down, acts_x, acts_hidden, panel_x,
        panel_hidden; /* offsets */
} layout;

static size_t take(size_t *end, size_t bytes) {
    size_t at = lm_align_up(*end, LM_ALIGN_CACHE);
    *end = at + bytes;
    return at;
}

static size_t pack_bytes(const lm_weight_kernels *w, int32_t n, int32_t k) {
    return w->pack_bytes ? w->pack_bytes(n, k) : 0;
}

static layout plan(const lm_cpu *cpu, const lm_program *program, const lm_op *op, int32_t n_tokens) {
    layout p = {.linear = op->kind == LM_OP_EXPERT_LINEAR};
    const lm_tensor *gate = &program->tensors[op->weight[0]];
    const lm_tensor *up = !p.linear && op->weight[1] >= 0 ? &program->tensors[op->weight[1]] : gate;
    const lm_tensor *down = p.linear ? gate : &program->tensors[op->weight[2]];
    p.n_experts = (int32_t)gate->ne[2];
    p.n_used = program->values[op->in[1]].width;
    p.n_pairs = n_tokens * p.n_used;
    int32_t used = p.n_pairs < p.n_experts ? p.n_pairs : p.n_experts;
    p.n_slots = p.n_pairs + used * (LM_PACK_COLUMNS - 1);
    p.n_in = (int32_t)gate->ne[0];
    p.width = p.linear ? 0 : op->params.experts.width;
    p.n_out = (int32_t)down->ne[1];
    size_t slots = (size_t)p.n_slots, hidden_width = (size_t)(p.linear                   ? 0
                                                              : op->params.experts.fused ? 2 * p.width
                                                                                         : p.width);
    const lm_weight_kernels *kg = &cpu->kernels.weights[gate->dtype], *ku = &cpu->kernels.weights[up->dtype];
    const lm_weight_kernels *kd = &cpu->kernels.weights[down->dtype];
    p.counts = take(&p.bytes, (size_t)p.n_experts * sizeof(int32_t));
    p.firsts = take(&p.bytes, (size_t)p.n_experts * sizeof(int32_t));
    p.experts_used = take(&p.bytes, (size_t)p.n_experts * sizeof(int32_t));
    p.slot_of = take(&p.bytes, (size_t)p.n_pairs * sizeof(int32_t));
    p.pair_of = take(&p.bytes, slots * sizeof(int32_t));
    p.gate = take(&p.bytes, slots * hidden_width * sizeof(float));
    p.hidden = take(&p.bytes, slots * (size_t)p.width * sizeof(float));
    p.down = take(&p.bytes, slots * (size_t)p.n_out * sizeof(float));
    size_t x = lm_acts_bytes(kg->act, p.n_slots, p.n_in), x2 = lm_acts_bytes(ku->act, p.n_slots, p.n_in);
    p.acts_x = take(&p.bytes, lm_size_max(lm_size_max(x, x2), slots * (size_t)p.n_in * sizeof(float)));
    p.acts_hidden = take(&p.bytes, lm_acts_bytes(kd->act, p.n_slots, p.width));
    p.panel_x = take(&p.bytes, lm_size_max(pack_bytes(kg, p.n_slots, p.n_in), pack_bytes(ku, p.n_slots, p.n_in)));
    p.panel_hidden = take(&p.bytes, pack_bytes(kd, p.n_slots, p.width));
    p.bytes = lm_align_up(p.bytes, LM_ALIGN_CACHE);
    return p;
}

typedef struct experts_task {
    const lm_cpu_step *step;
    layout p;
    char *base;
    int32_t n_used_experts; /* distinct experts of the batch */
    /* of the current stage */
    const lm_tensor *w;
    const lm_weight_kernels *kernels;
    lm_acts acts;
    const float *x;
    size_t x_stride;
    int32_t x_pairs; /* pairs that read the same row of x; 0: x has a row for each slot */
    char *panel;
    float *out;
    const float *bias, *scale;
    float factor; /* of the products */
    int32_t n_rows, chunks_per_expert;
} experts_task;

static int32_t *ints(const experts_task *t, size_t offset) { return (int32_t *)(void *)(t->base + offset); }
static float *floats(const experts_task *t, size_t offset) { return (float *)(void *)(t->base + offset); }

static void group_pairs(experts_task *t) {
    const lm_cpu_step *s = t->step;
    int32_t *counts = ints(t, t->p.counts), *firsts = ints(t, t->p.firsts), *used = ints(t, t->p.experts_used);
    int32_t *slot_of = ints(t, t->p.slot_of), *pair_of = ints(t, t->p.pair_of);
    const float *ids = lm_cpu_value(s, s->op->in[1]);
    memset(counts, 0, (size_t)t->p.n_experts * sizeof *counts);
    for (int32_t i = 0; i < t->p.n_pairs; i++) {
        memcpy(&slot_of[i], &ids[i], sizeof *slot_of);
        counts[slot_of[i]]++;
    }
    int32_t next = 0;
    t->n_used_experts = 0;
    for (int32_t e = 0; e < t->p.n_experts; e++) {
        firsts[e] = next;
        if (!counts[e]) continue;
        used[t->n_used_experts++] = e;
        next += (counts[e] + LM_PACK_COLUMNS - 1) / LM_PACK_COLUMNS * LM_PACK_COLUMNS;
        counts[e] = 0;
    }
    for (int32_t i = 0; i < t->p.n_pairs; i++) {
        int32_t e = slot_of[i];
        slot_of[i] = firsts[e] + counts[e]++;
        pair_of[slot_of[i]] = i;
    }
}

static lm_quantize_fn *quantizer(const lm_kernels *k, int32_t kind) {
    return kind == LM_ACT_Q8_32 ? k->quantize_q8_32 : k->quantize_q8_256;
}

/* Columns of one expert: gathered from x by token or by pair, or taken in place (by slot), quantised and packed. */
static void LM_KERNEL columns_chunk(void *arg, int32_t index, int32_t worker) {
    (void)worker;
    experts_task *t = arg;
    const lm_cpu_step *s = t->step;
    int32_t e = ints(t, t->p.experts_used)[index], first = ints(t, t->p.firsts)[e], n = ints(t, t->p.counts)[e];
    for (int32_t c = first; c < first + n; c++) {
        const float *x = t->x + (size_t)(t->x_pairs ? ints(t, t->p.pair_of)[c] / t->x_pairs : c) * t->x_stride;
        if (t->kernels->act != LM_ACT_F32)
            quantizer(s->kernels, t->kernels->act)(&t->acts, c, x);
        else if (t->x_pairs)
            memcpy(floats(t, t->p.acts_x) + (size_t)c * t->x_stride, x, t->x_stride * sizeof(float));
    }
    if (!t->kernels->pack || !lm_cpu_uses_matmul(t->kernels, n)) return;
    for (int32_t c = 0; c < n; c += LM_PACK_COLUMNS)
        t->kernels->pack(t->panel, &t->acts, first + c, n - c < LM_PACK_COLUMNS ? n - c : LM_PACK_COLUMNS);
}

static void LM_KERNEL product_chunk(void *arg, int32_t chunk, int32_t worker) {
    experts_task *t = arg;
    int32_t e = ints(t, t->p.experts_used)[chunk / t->chunks_per_expert],
            row = chunk % t->chunks_per_expert * ROWS_PER_CHUNK;
    int32_t first = ints(t, t->p.firsts)[e], n = ints(t, t->p.counts)[e];
    int32_t n_rows = t->n_rows - row < ROWS_PER_CHUNK ? t->n_rows - row : ROWS_PER_CHUNK;
    size_t row_bytes = lm_cpu_row_bytes(t->w), stride = (size_t)t->n_rows;
    const char *rows = (const char *)t->w->data + ((size_t)e * stride + (size_t)row) * row_bytes;
    float *out = t->out + (size_t)first * stride + row;
    if (lm_cpu_uses_matmul(t->kernels, n))
        t->kernels->matmul(t->kernels->form, rows, row_bytes, n_rows, &t->acts, t->panel, first, n,
                           lm_cpu_worker(t->step, worker), out, stride);
    else
        for (int32_t c = 0; c < n; c += 4)
            t->kernels->matvec(rows, row_bytes, n_rows, &t->acts, first + c, n - c < 4 ? n - c : 4,
                               out + (size_t)c * stride, stride);
    for (int32_t c = 0; c < n; c++) {
        float *y = out + (size_t)c * stride;
        if (t->scale || t->factor != 1)
            t->step->kernels->scale(y, t->scale ? t->factor * t->scale[e] : t->factor, n_rows, y);
        if (t->bias) t->step->kernels->add(y, t->bias + (size_t)e * stride + (size_t)row, n_rows, y);
    }
}

/* One matrix of all used experts over the pair columns: weight i of the operation's, which its biases and its scales follow. */
static lm_status product(experts_task *t, int i, const float *x, int32_t k, size_t acts, size_t panel, size_t out,
                         bool ready) {
    const lm_cpu_step *s = t->step;
    int n_matrices = t->p.linear ? 1 : 3;
    t->w = lm_cpu_tensor(s, i);
    t->kernels = &s->kernels->weights[t->w->dtype];
    t->x = x;
    t->x_stride = (size_t)k;
    t->x_pairs = acts != t->p.acts_x ? 0 : lm_cpu_width(s, s->op->in[0]) == k ? t->p.n_used : 1;
    t->panel = t->base + panel;
    t->out = floats(t, out);
    t->bias = lm_cpu_vector(s, i + n_matrices);
    t->scale = lm_cpu_vector(s, i + 2 * n_matrices);
    t->n_rows = (int32_t)t->w->ne[1];
    t->chunks_per_expert = (t->n_rows + ROWS_PER_CHUNK - 1) / ROWS_PER_CHUNK;
    if (t->kernels->act == LM_ACT_F32)
        t->acts = (lm_acts){.kind = LM_ACT_F32,
                            .n = t->p.n_slots,
                            .k = k,
                            .f32 = acts == t->p.acts_x ? floats(t, acts) : x,
                            .f32_stride = (size_t)k};
    else
        lm_acts_bind(&t->acts, t->kernels->act, t->p.n_slots, k, t->base + acts);
    lm_status status = ready ? LM_OK : lm_cpu_parallel(s, t->n_used_experts, columns_chunk, t);
    return status == LM_OK ? lm_cpu_parallel(s, t->n_used_experts * t->chunks_per_expert, product_chunk, t) : status;
}

static void LM_KERNEL glu_chunk(void *arg, int32_t pair, int32_t worker) {
    (void)worker;
    experts_task *t = arg;
    const lm_cpu_step *s = t->step;
    int32_t width = t->p.width, act = s->op->params.experts.act, slot = ints(t, t->p.slot_of)[pair];
    bool fused = s->op->params.experts.fused;
    float *hidden = floats(t, t->p.hidden) + (size_t)slot * (size_t)width;
    const float *gate = floats(t, t->p.gate) + (size_t)slot * (size_t)(fused ? 2 * width : width);
    if (fused || s->op->weight[1] >= 0)
        s->kernels->glu(act, gate, fused ? gate + width : hidden, width, hidden);
    else
        s->kernels->act(act, gate, width, hidden);
}

/* y = row (+ residual) */
static void LM_KERNEL store(const lm_kernels *kernels, const float *row, const float *residual, int32_t n, float *y) {
    if (residual)
        kernels->add(row, residual, n, y);
    else
        memcpy(y, row, (size_t)n * sizeof *y);
}

static void LM_KERNEL combine_chunk(void *arg, int32_t token, int32_t worker) {
    (void)worker;
    experts_task *t = arg;
    const lm_cpu_step *s = t->step;
    int32_t n_used = t->p.n_used, n_out = t->p.n_out;
    const float *weights = lm_cpu_row(s, s->op->in[2], token), *residual = lm_cpu_row(s, s->op->in[3], token);
    float *y = lm_cpu_row(s, s->op->out[0], token);
    const int32_t *slot_of = ints(t, t->p.slot_of) + (size_t)token * (size_t)n_used;
    float *rows = floats(t, t->p.down), *sum = rows + (size_t)slot_of[0] * (size_t)n_out;
    if (!weights) {
        for (size_t i = 0, at = 0; i < (size_t)n_used; i++, at += (size_t)n_out)
            store(s->kernels, rows + (size_t)slot_of[i] * (size_t)n_out, residual ? residual + at : NULL, n_out,
                  y + at);
        return;
    }
    /* The sum is made in the first pair's row: y may share memory with the residual. */
    s->kernels->scale(sum, weights[0], n_out, sum);
    for (int32_t i = 1; i < n_used; i++)
        s->kernels->axpy(weights[i], rows + (size_t)slot_of[i] * (size_t)n_out, n_out, sum);
    store(s->kernels, sum, residual, n_out, y);
}

/* Where the weights exceed the memory: start reading the chosen experts, all at once and nothing else. */
static void announce(const experts_task *t) {
    const lm_cpu_step *s = t->step;
    for (int32_t i = 0; i < t->n_used_experts; i++)
        for (int w = 0; w < (t->p.linear ? 1 : 3); w++) {
            if (s->op->weight[w] < 0) continue;
            const lm_tensor *tensor = lm_cpu_tensor(s, w);
            size_t bytes = (size_t)(tensor->bytes / (uint64_t)t->p.n_experts);
            const char *first = (const char *)tensor->data + (size_t)ints(t, t->p.experts_used)[i] * bytes;
            lm_os_advise(first, bytes, LM_OS_ADVICE_WILL_NEED);
        }
}

lm_status lm_cpu_experts(const lm_cpu_step *s) {
    if (s->n_rows == 0) return LM_OK;
    experts_task t = {
        .step = s, .p = plan(s->segment->cpu, s->program, s->op, s->n_rows), .base = s->segment->shared, .factor = 1};
    group_pairs(&t);
    if (s->segment->exceeds_memory) announce(&t);
    const float *x = lm_cpu_value(s, s->op->in[0]);
    const lm_weight_kernels *gate = &s->kernels->weights[lm_cpu_tensor(s, 0)->dtype];
    if (t.p.linear) t.factor = s->op->params.expert_linear.scale;
    lm_status status = product(&t, 0, x, t.p.n_in, t.p.acts_x, t.p.panel_x, t.p.linear ? t.p.down : t.p.gate, false);
    if (status == LM_OK && !t.p.linear && s->op->weight[1] >= 0) {
        const lm_weight_kernels *up = &s->kernels->weights[lm_cpu_tensor(s, 1)->dtype];
        bool ready = up->act == gate->act && up->pack == gate->pack && up->matmul_from == gate->matmul_from;
        status = product(&t, 1, x, t.p.n_in, t.p.acts_x, t.p.panel_x, t.p.hidden, ready);
    }
    if (status == LM_OK && !t.p.linear) status = lm_cpu_parallel(s, t.p.n_pairs, glu_chunk, &t);
    if (status == LM_OK && !t.p.linear)
        status = product(&t, 2, floats(&t, t.p.hidden), t.p.width, t.p.acts_hidden, t.p.panel_hidden, t.p.down, false);
    return status == LM_OK ? lm_cpu_parallel(s, s->n_rows, combine_chunk, &t) : status;
}

void lm_cpu_experts_scratch(const lm_cpu *cpu, const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch) {
    int32_t n = lm_cpu_most_rows(program, op->in[0]);
    layout p = plan(cpu, program, op, n);
    scratch->shared = lm_size_max(scratch->shared, p.bytes);
    for (int i = 0; i < (p.linear ? 1 : 3); i++) {
        if (op->weight[i] < 0) continue;
        const lm_tensor *w = &program->tensors[op->weight[i]];
        const lm_weight_kernels *kernels = &cpu->kernels.weights[w->dtype];
        if (kernels->matmul_work_bytes)
            scratch->worker = lm_size_max(scratch->worker, kernels->matmul_work_bytes(n, (int32_t)w->ne[0]));
    }
}
