/* SPDX-License-Identifier: MIT
 * Attention over cache pages. A unit of work is (sequence, kv head, block of query tokens); the query heads that share the kv
 * head are rows of one kernel call, so they share each read of K and V. A unit walks the context in spans of
 * LM_SPAN_PAGES pages and merges the spans in ascending order. With few query tokens the spans themselves are the units, and
 * a second pass merges them in the same order: the same bits, with more parallelism. */
#include <string.h>

#include "cpu_internal.h"

#define BLOCK_ROWS 64 /* query rows of a kernel call: enough to amortise a page's conversion, small enough for L2 */

typedef struct attend_shape {
    int32_t k_type, n_heads, n_heads_kv, group, k_width, v_width, block_tokens, row_floats;
} attend_shape;

static attend_shape shape_of(const lm_program *program, const lm_op *op) {
    const lm_cache_layer *layer = &program->cache_layers[op->params.attend.layer];
    attend_shape a = {layer->k_type,
                      op->params.attend.n_heads,
                      layer->n_heads_kv,
                      op->params.attend.n_heads / layer->n_heads_kv,
                      layer->k_width,
                      op->params.attend.v_width,
                      0,
                      0};
    a.block_tokens = a.group >= BLOCK_ROWS ? 1 : BLOCK_ROWS / a.group;
    a.row_floats = a.v_width + 2; /* o, m, l of a row */
    return a;
}

/* Context spans that a sequence's tokens [pos, pos + n) can see: first and one past the last. */
static void visible_spans(const lm_op *op, int32_t pos, int32_t n, int32_t n_kv, int32_t *first, int32_t *end) {
    int32_t span = LM_SPAN_PAGES * LM_PAGE_TOKENS, window = op->params.attend.window;
    int32_t low = 0, high = op->params.attend.causal ? pos + n : n_kv;
    if (window > 0) low = op->params.attend.causal ? pos - window + 1 : pos - window / 2;
    if (window > 0 && !op->params.attend.causal && pos + n + window / 2 < n_kv) high = pos + n + window / 2;
    *first = low > 0 ? low / span : 0;
    *end = (high + span - 1) / span;
}

typedef struct attend_task {
    const lm_cpu_step *step;
    attend_shape shape;
    const lm_cpu_cache_layer *layer;
    size_t q_bytes, rows_bytes, kernel_bytes; /* parts of a worker's scratch */
    bool split;
    int32_t max_spans; /* context spans per (sequence, head) in split mode */
} attend_task;

/* One kernel call: query tokens [token, token + n) of a batch span, one kv head, one context span. */
static void LM_KERNEL attend_span(const attend_task *t, const lm_span *span, int32_t head, int32_t token, int32_t n,
                                  int32_t context_span, char *scratch, float *o, size_t o_stride, float *m, float *l) {
    const lm_cpu_step *s = t->step;
    const lm_op *op = s->op;
    const lm_cache_layer *layer = &s->program->cache_layers[op->params.attend.layer];
    const attend_shape *a = &t->shape;
    float *q = (float *)(void *)scratch;
    int32_t *q_pos =
        (int32_t *)(void *)(scratch + (size_t)a->block_tokens * (size_t)a->group * (size_t)a->k_width * sizeof(float));
    size_t width = (size_t)lm_cpu_width(s, op->in[0]);
    for (int32_t i = 0; i < n; i++) {
        const float *row = lm_cpu_value(s, op->in[0]) + (size_t)(span->first + token + i) * width +
                           (size_t)head * (size_t)(a->group * a->k_width);
        memcpy(q + (size_t)i * (size_t)(a->group * a->k_width), row, (size_t)(a->group * a->k_width) * sizeof *q);
        for (int32_t g = 0; g < a->group; g++) q_pos[i * a->group + g] = span->pos + token + i;
    }
    int32_t n_kv = span->pos + span->n_tokens, first_pos = span->pos + token, window = op->params.attend.window;
    int32_t high = op->params.attend.causal ? first_pos + n : n_kv; /* positions from here on no row sees */
    int32_t low = 0;
    if (window > 0) low = op->params.attend.causal ? first_pos - window + 1 : first_pos - window / 2;
    if (window > 0 && !op->params.attend.causal && first_pos + n + window / 2 < n_kv) high = first_pos + n + window / 2;
    const void *k_pages[LM_SPAN_PAGES], *v_pages[LM_SPAN_PAGES];
    int32_t first_page = context_span * LM_SPAN_PAGES, n_pages = 0;
    for (int32_t p = 0; p < LM_SPAN_PAGES && (first_page + p) * LM_PAGE_TOKENS < high; p++, n_pages++) {
        bool seen = (first_page + p + 1) * LM_PAGE_TOKENS > low;
        int32_t page = seen ? span->pages[layer->group][first_page + p] : 0;
        k_pages[p] = seen ? lm_cpu_k_part(t->layer, page, head) : NULL;
        v_pages[p] =
            seen && !op->params.attend.v_from_k ? lm_cpu_v_part(t->layer, layer->n_heads_kv, page, head) : NULL;
    }
    lm_attend_args args = {
        .kernels = s->kernels,
        .q = q,
        .q_stride = (size_t)a->k_width,
        .q_pos = q_pos,
        .n_q = n * a->group,
        .k_type = layer->k_type,
        .v_type = layer->v_type,
        .k_width = a->k_width,
        .v_width = a->v_width,
        .k_pages = k_pages,
        .v_pages = v_pages,
        .first_page = first_page,
        .n_pages = n_pages,
        .n_kv = n_kv,
        .window = window,
        .causal = op->params.attend.causal,
        .v_from_k = op->params.attend.v_from_k,
        .scale = op->params.attend.scale,
        .softcap = op->params.attend.softcap,
        .o = o,
        .m = m,
        .l = l,
        .o_stride = o_stride,
        .work = scratch + t->q_bytes,
    };
    s->kernels->attend(&args);
}

static void LM_KERNEL finish_rows(const attend_task *t, const lm_span *span, int32_t head, int32_t token, int32_t n,
                                  const float *o, size_t o_stride, const float *m, const float *l) {
    const lm_cpu_step *s = t->step;
    const attend_shape *a = &t->shape;
    const float *sinks = lm_cpu_vector(s, 0);
    size_t width = (size_t)lm_cpu_width(s, s->op->out[0]);
    for (int32_t r = 0; r < n * a->group; r++) {
        int32_t h = head * a->group + r % a->group;
        float *y = lm_cpu_value(s, s->op->out[0]) + (size_t)(span->first + token + r / a->group) * width +
                   (size_t)h * (size_t)a->v_width;
        s->kernels->attend_finish(o + (size_t)r * o_stride, m[r], l[r], sinks ? &sinks[h] : NULL, a->v_width, y);
    }
}

/* A whole unit: all context spans, merged as they come. */
static void LM_KERNEL unit(const attend_task *t, const lm_span *span, int32_t head, int32_t token, int32_t n,
                           char *scratch) {
    const attend_shape *a = &t->shape;
    size_t rows = (size_t)(n * a->group), v = (size_t)a->v_width;
    float *o = (float *)(void *)(scratch + t->q_bytes + t->kernel_bytes),
          *o2 = o + (size_t)(a->block_tokens * a->group) * v;
    float *m = o2 + (size_t)(a->block_tokens * a->group) * v, *l = m + rows, *m2 = l + rows, *l2 = m2 + rows;
    int32_t first, end;
    visible_spans(t->step->op, span->pos + token, n, span->pos + span->n_tokens, &first, &end);
    for (int32_t c = first; c < end; c++) {
        bool initial = c == first;
        attend_span(t, span, head, token, n, c, scratch, initial ? o : o2, v, initial ? m : m2, initial ? l : l2);
        for (size_t r = 0; r < rows && !initial; r++)
            t->step->kernels->attend_merge(o + r * v, &m[r], &l[r], o2 + r * v, m2[r], l2[r], a->v_width);
    }
    finish_rows(t, span, head, token, n, o, v, m, l);
}

static float *partial(const attend_task *t, int32_t span, int32_t head, int32_t context_span) {
    const attend_shape *a = &t->shape;
    size_t index = ((size_t)span * (size_t)a->n_heads_kv + (size_t)head) * (size_t)t->max_spans + (size_t)context_span;
    return (float *)(void *)t->step->segment->shared +
           index * (size_t)(a->block_tokens * a->group) * (size_t)a->row_floats;
}

static void LM_KERNEL split_chunk(void *arg, int32_t chunk, int32_t worker) {
    const attend_task *t = arg;
    const attend_shape *a = &t->shape;
    int32_t c = chunk % t->max_spans, head = chunk / t->max_spans % a->n_heads_kv,
            index = chunk / t->max_spans / a->n_heads_kv;
    const lm_span *span = &t->step->run->spans[index];
    int32_t first, end;
    visible_spans(t->step->op, span->pos, span->n_tokens, span->pos + span->n_tokens, &first, &end);
    if (c < first || c >= end) return;
    float *o = partial(t, index, head, c);
    size_t rows = (size_t)(span->n_tokens * a->group);
    attend_span(t, span, head, 0, span->n_tokens, c, lm_cpu_worker(t->step, worker), o, (size_t)a->v_width,
                o + rows * (size_t)a->v_width, o + rows * (size_t)a->v_width + rows);
}

static void LM_KERNEL merge_chunk(void *arg, int32_t chunk, int32_t worker) {
    (void)worker;
    const attend_task *t = arg;
    const attend_shape *a = &t->shape;
    int32_t head = chunk % a->n_heads_kv, index = chunk / a->n_heads_kv;
    const lm_span *span = &t->step->run->spans[index];
    int32_t first, end;
    visible_spans(t->step->op, span->pos, span->n_tokens, span->pos + span->n_tokens, &first, &end);
    size_t rows = (size_t)(span->n_tokens * a->group), v = (size_t)a->v_width;
    float *o = partial(t, index, head, first), *m = o + rows * v, *l = m + rows;
    for (int32_t c = first + 1; c < end; c++) {
        const float *o2 = partial(t, index, head, c), *m2 = o2 + rows * v, *l2 = m2 + rows;
        for (size_t r = 0; r < rows; r++)
            t->step->kernels->attend_merge(o + r * v, &m[r], &l[r], o2 + r * v, m2[r], l2[r], a->v_width);
    }
    finish_rows(t, span, head, 0, span->n_tokens, o, v, m, l);
}

static void LM_KERNEL block_chunk(void *arg, int32_t chunk, int32_t worker) {
    const attend_task *t = arg;
    const attend_shape *a = &t->shape;
    int32_t head = chunk % a->n_heads_kv, block = chunk / a->n_heads_kv;
    const lm_span *span = t->step->run->spans;
    while (block >=
           (span->n_tokens + a->block_tokens - 1) / a->block_tokens) /* blocks are numbered across the batch's spans */
        block -= (span->n_tokens + a->block_tokens - 1) / a->block_tokens, span++;
    int32_t token = block * a->block_tokens, left = span->n_tokens - token;
    unit(t, span, head, token, left < a->block_tokens ? left : a->block_tokens, lm_cpu_worker(t->step, worker));
}

static void scratch_parts(const lm_kernels *kernels, const attend_shape *a, size_t *q_bytes, size_t *kernel_bytes,
                          size_t *rows_bytes) {
    size_t rows = (size_t)(a->block_tokens * a->group);
    *q_bytes = lm_align_up(rows * ((size_t)a->k_width * sizeof(float) + sizeof(int32_t)), LM_ALIGN_CACHE);
    *kernel_bytes =
        lm_align_up(lm_attend_work_bytes(kernels, a->k_type, a->k_width, a->v_width, (int32_t)rows), LM_ALIGN_CACHE);
    *rows_bytes = 2 * rows * (size_t)a->row_floats * sizeof(float);
}

lm_status lm_cpu_attend(const lm_cpu_step *s) {
    attend_task task = {.step = s,
                        .shape = shape_of(s->program, s->op),
                        .layer = &s->segment->cache->layers[s->op->params.attend.layer]};
    const attend_shape *a = &task.shape;
    scratch_parts(s->kernels, a, &task.q_bytes, &task.kernel_bytes, &task.rows_bytes);
    int32_t n_blocks = 0, longest = 0;
    bool small = true;
    for (int32_t i = 0; i < s->run->n_spans; i++) {
        const lm_span *span = &s->run->spans[i];
        n_blocks += (span->n_tokens + a->block_tokens - 1) / a->block_tokens;
        small = small && span->n_tokens <= a->block_tokens;
        int32_t first, end;
        visible_spans(s->op, span->pos, span->n_tokens, span->pos + span->n_tokens, &first, &end);
        if (end > longest) longest = end;
    }
    int32_t n_units = n_blocks * a->n_heads_kv;
    task.split = small && longest > 1 && n_units < 8 * s->segment->cpu->n_threads;
    if (!task.split) return lm_cpu_parallel(s, n_units, block_chunk, &task);
    task.max_spans = longest;
    lm_status status = lm_cpu_parallel(s, n_units * longest, split_chunk, &task);
    return status == LM_OK ? lm_cpu_parallel(s, n_units, merge_chunk, &task) : status;
}

void lm_cpu_attend_scratch(const lm_cpu *cpu, const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch) {
    attend_shape a = shape_of(program, op);
    size_t q_bytes, kernel_bytes, rows_bytes;
    scratch_parts(&cpu->kernels, &a, &q_bytes, &kernel_bytes, &rows_bytes);
    scratch->worker = lm_size_max(scratch->worker, q_bytes + kernel_bytes + rows_bytes);
    /* Partial results of the split mode, which runs only with fewer units than this. */
    size_t units = lm_size_min((size_t)program->max_spans * (size_t)a.n_heads_kv, (size_t)(8 * cpu->n_threads));
    size_t spans =
        ((size_t)program->max_positions + LM_SPAN_PAGES * LM_PAGE_TOKENS - 1) / (LM_SPAN_PAGES * LM_PAGE_TOKENS);
    if (spans > 1)
        scratch->shared = lm_size_max(scratch->shared, units * spans * (size_t)(a.block_tokens * a.group) *
                                                           (size_t)a.row_floats * sizeof(float));
}

/* ---- CACHE_STORE ---- */

#define STORE_TOKENS 16 /* from how many tokens on threads share the work by heads; before, waking them costs more */

typedef struct store_task {
    const lm_cpu_step *step;
    int32_t parts; /* of a span: its kv heads in so many runs */
} store_task;

static void LM_KERNEL store_chunk(void *arg, int32_t chunk, int32_t worker) {
    (void)worker;
    const store_task *t = arg;
    const lm_cpu_step *s = t->step;
    const lm_span *span = &s->run->spans[chunk / t->parts];
    const lm_cache_layer *layer = &s->program->cache_layers[s->op->params.cache_store.layer];
    const lm_cpu_cache_layer *memory = &s->segment->cache->layers[s->op->params.cache_store.layer];
    const float *k = lm_cpu_value(s, s->op->in[0]), *v = lm_cpu_value(s, s->op->in[1]);
    const int32_t heads = layer->n_heads_kv / t->parts, first = chunk % t->parts * heads;
    for (int32_t i = 0; i < span->n_tokens; i++) {
        int32_t pos = span->pos + i, page = span->pages[layer->group][pos / LM_PAGE_TOKENS],
                slot = pos % LM_PAGE_TOKENS;
        size_t row = (size_t)(span->first + i) * (size_t)layer->n_heads_kv;
        for (int32_t h = first; h < first + heads; h++) {
            s->kernels->cache_put_k(layer->k_type, lm_cpu_k_part(memory, page, h), layer->k_width, slot,
                                    k + (row + (size_t)h) * (size_t)layer->k_width);
            if (v)
                s->kernels->cache_put_v(layer->v_type, lm_cpu_v_part(memory, layer->n_heads_kv, page, h),
                                        layer->v_width, slot, v + (row + (size_t)h) * (size_t)layer->v_width);
        }
    }
}

lm_status lm_cpu_cache_store(const lm_cpu_step *s) {
    const int32_t n_heads = s->program->cache_layers[s->op->params.cache_store.layer].n_heads_kv;
    store_task task = {s, s->run->n_tokens < STORE_TOKENS ? 1 : n_heads};
    return lm_cpu_parallel(s, s->run->n_spans * task.parts, store_chunk, &task);
}
