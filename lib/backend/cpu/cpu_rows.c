/* SPDX-License-Identifier: MIT
 * Operations whose rows are independent: a row function per operation, and one driver that cuts the rows into chunks. */
#include <string.h>

#include "cpu_internal.h"

#define CHUNK_FLOATS 16384 /* elementwise work below this is cheaper than waking a thread */

int32_t lm_cpu_rows_per_chunk(int32_t width) {
    int32_t rows = CHUNK_FLOATS / (width > 0 ? width : 1);
    return rows > 0 ? rows : 1;
}

typedef struct rows_task {
    const lm_cpu_step *step;
    lm_cpu_row_fn *row;
    int32_t n_rows, per_chunk;
} rows_task;

static void LM_KERNEL rows_chunk(void *arg, int32_t chunk, int32_t worker) {
    (void)worker;
    rows_task *t = arg;
    int32_t first = chunk * t->per_chunk, end = first + t->per_chunk < t->n_rows ? first + t->per_chunk : t->n_rows;
    for (int32_t r = first; r < end; r++) t->row(t->step, r);
}

/* Run row(s, r) for every row of the step; width: floats of a row, to size the chunks. */
static lm_status each_row(const lm_cpu_step *s, int32_t width, lm_cpu_row_fn *row) {
    rows_task task = {s, row, s->n_rows, lm_cpu_rows_per_chunk(width)};
    return lm_cpu_parallel(s, (s->n_rows + task.per_chunk - 1) / task.per_chunk, rows_chunk, &task);
}

static void LM_KERNEL embed_row(const lm_cpu_step *s, int32_t row) {
    const lm_tensor *table = lm_cpu_tensor(s, 0);
    int32_t source = s->op->params.embed.source;
    int64_t index = source == LM_EMBED_TOKEN      ? s->run->tokens[row]
                    : source == LM_EMBED_POSITION ? s->run->positions[row]
                                                  : s->op->params.embed.row;
    if (index >= table->ne[1])
        index = table->ne[1] - 1; /* positions past the table; token ids are checked by the context */
    float *y = lm_cpu_row(s, s->op->out[0], row);
    s->kernels->weights[table->dtype].dequantize((const char *)table->data + (size_t)index * lm_cpu_row_bytes(table), y,
                                                 (size_t)table->ne[0]);
    if (s->op->params.embed.scale != 1) s->kernels->scale(y, s->op->params.embed.scale, (int32_t)table->ne[0], y);
}

lm_status lm_cpu_embed(const lm_cpu_step *s) { return each_row(s, lm_cpu_width(s, s->op->out[0]), embed_row); }

static void LM_KERNEL norm_row(const lm_cpu_step *s, int32_t row) {
    const float *x = lm_cpu_row(s, s->op->in[0], row), *w = lm_cpu_vector(s, 0), *b = lm_cpu_vector(s, 1);
    float *y = lm_cpu_row(s, s->op->out[0], row), eps = s->op->params.norm.eps;
    int32_t width = lm_cpu_width(s, s->op->in[0]), group = s->op->params.norm.group;
    for (int32_t i = 0; i < width; i += group) {
        if (s->op->params.norm.kind == LM_NORM_L2) {
            lm_cpu_normalise(s->kernels, x + i, eps, group, y + i);
            if (w) s->kernels->mul(y + i, w, group, y + i);
            continue;
        }
        if (s->op->params.norm.kind == LM_NORM_LAYER) {
            s->kernels->layernorm(x + i, w, b, eps, group, y + i);
        } else {
            s->kernels->rmsnorm(x + i, w, eps, group, y + i);
            if (b) s->kernels->add(y + i, b, group, y + i);
        }
    }
}

static void LM_KERNEL glu_row(const lm_cpu_step *s, int32_t row) {
    const float *gate = lm_cpu_row(s, s->op->in[0], row), *up = lm_cpu_row(s, s->op->in[1], row),
                *residual = lm_cpu_row(s, s->op->in[2], row);
    float *y = lm_cpu_row(s, s->op->out[0], row);
    int32_t width = s->op->params.glu.width, act = s->op->params.glu.act;
    if (s->op->params.glu.fused) {
        s->kernels->glu(act, gate, gate + width, width, y);
    } else if (lm_cpu_width(s, s->op->in[0]) == 1 && width != 1) {
        float factor;
        s->kernels->act(act, gate, 1, &factor);
        s->kernels->scale(up, factor, width, y);
    } else {
        s->kernels->glu(act, gate, up, width, y);
    }
    if (residual) s->kernels->add(y, residual, width, y);
}

static void LM_KERNEL act_row(const lm_cpu_step *s, int32_t row) {
    s->kernels->act(s->op->params.act.act, lm_cpu_row(s, s->op->in[0], row), lm_cpu_width(s, s->op->in[0]),
                    lm_cpu_row(s, s->op->out[0], row));
}

static void LM_KERNEL scale_row(const lm_cpu_step *s, int32_t row) {
    const float *w = lm_cpu_vector(s, 0);
    const lm_tensor *t = lm_cpu_tensor(s, 0);
    int32_t width = lm_cpu_width(s, s->op->in[0]);
    const float *x = lm_cpu_row(s, s->op->in[0], row);
    float *y = lm_cpu_row(s, s->op->out[0], row), factor = s->op->params.scale.factor;
    if (w && t->ne[0] * t->ne[1] == 1) {
        s->kernels->scale(x, factor * w[0], width, y);
    } else if (w) {
        s->kernels->mul(x, w, width, y);
        if (factor != 1) s->kernels->scale(y, factor, width, y);
    } else {
        s->kernels->scale(x, factor, width, y);
    }
}

static void LM_KERNEL add_row(const lm_cpu_step *s, int32_t row) {
    const float *a = lm_cpu_row(s, s->op->in[0], row), *b = lm_cpu_row(s, s->op->in[1], row), *w = lm_cpu_vector(s, 0);
    float *y = lm_cpu_row(s, s->op->out[0], row);
    int32_t width = lm_cpu_width(s, s->op->in[0]);
    if (b) s->kernels->add(a, b, width, y);
    if (w) s->kernels->add(b ? y : a, w, width, y);
    if (!b && !w && y != a) memcpy(y, a, (size_t)width * sizeof *y);
}

static void LM_KERNEL softcap_row(const lm_cpu_step *s, int32_t row) {
    const float *x = lm_cpu_row(s, s->op->in[0], row);
    float *y = lm_cpu_row(s, s->op->out[0], row), cap = s->op->params.softcap.cap;
    int32_t width = lm_cpu_width(s, s->op->in[0]);
    for (int32_t i = 0; i < width; i++) y[i] = x[i] / cap;
    s->kernels->act(LM_KACT_TANH, y, width, y);
    s->kernels->scale(y, cap, width, y);
}

static void LM_KERNEL gather_row(const lm_cpu_step *s, int32_t row) {
    int32_t width = lm_cpu_width(s, s->op->in[0]);
    memcpy(lm_cpu_row(s, s->op->out[0], row), lm_cpu_row(s, s->op->in[0], s->run->outputs[row]),
           (size_t)width * sizeof(float));
}

static void LM_KERNEL slice_row(const lm_cpu_step *s, int32_t row) {
    const float *x = lm_cpu_row(s, s->op->in[0], row);
    float *y = lm_cpu_row(s, s->op->out[0], row);
    int32_t width = lm_cpu_width(s, s->op->in[0]), group = s->op->params.slice.group, part = s->op->params.slice.width;
    for (int32_t i = 0; i < width; i += group, y += part)
        memcpy(y, x + i + s->op->params.slice.first, (size_t)part * sizeof *y);
}

static void LM_KERNEL concat_row(const lm_cpu_step *s, int32_t row) {
    const float *a = lm_cpu_row(s, s->op->in[0], row), *b = lm_cpu_row(s, s->op->in[1], row);
    float *y = lm_cpu_row(s, s->op->out[0], row);
    int32_t group_a = s->op->params.concat.group_a, group_b = s->op->params.concat.group_b,
            width = lm_cpu_width(s, s->op->in[0]);
    for (int32_t i = 0; i < width; i += group_a, a += group_a, b += group_b, y += group_a + group_b) {
        memcpy(y, a, (size_t)group_a * sizeof *y);
        memcpy(y + group_a, b, (size_t)group_b * sizeof *y);
    }
}

lm_status lm_cpu_rows(const lm_cpu_step *s) {
    int32_t width = lm_cpu_width(s, s->op->out[0]);
    switch (s->op->kind) {
    case LM_OP_NORM: return each_row(s, width, norm_row);
    case LM_OP_GLU: return each_row(s, width, glu_row);
    case LM_OP_ACT: return each_row(s, width, act_row);
    case LM_OP_SCALE: return each_row(s, width, scale_row);
    case LM_OP_ADD: return each_row(s, width, add_row);
    case LM_OP_SOFTCAP: return each_row(s, width, softcap_row);
    case LM_OP_SLICE: return each_row(s, width, slice_row);
    case LM_OP_CONCAT: return each_row(s, width, concat_row);
    case LM_OP_MIX: return each_row(s, width, lm_cpu_mix_row);
    case LM_OP_RESCALE: return each_row(s, width, lm_cpu_rescale_row);
    case LM_OP_SPARSIFY: return each_row(s, width, lm_cpu_sparsify_row);
    case LM_OP_SPREAD: return each_row(s, width, lm_cpu_spread_row);
    case LM_OP_GATHER: {
        lm_cpu_step gather = *s;
        gather.n_rows = s->run->n_outputs;
        return each_row(&gather, width, gather_row);
    }
    default: return LM_ERR_UNSUPPORTED;
    }
}
