/* SPDX-License-Identifier: MIT
 * Operations that look along a sequence: short convolution, delta rule, the shift by one token, and pooling. Each reads the
 * state of the sequence's slot and leaves it as it is after the last token of the batch. */
#include "../../base/fp_contract.h"

#include <math.h>
#include <string.h>

#include "cpu_internal.h"
#include "../../../kernels/fmath.h"

static float *slot_of(const lm_cpu_step *s, int32_t layer, int32_t slot) {
    const lm_cpu_state_layer *memory = &s->segment->cache->states[layer];
    return memory->slots + (size_t)slot * memory->slot_floats;
}

/* An input row by row, or what a logged run kept of it. */
static const float *input_of(const lm_cpu_step *s, int i) {
    if (!s->logged) return lm_cpu_value(s, s->op->in[i]);
    const float *at = s->logged;
    for (int j = 0; j < i; j++) at += (size_t)s->program->n_log * (size_t)lm_cpu_width(s, s->op->in[j]);
    return at;
}

size_t lm_cpu_log_bytes(const lm_program *program, const lm_op *op) {
    size_t bytes = 0;
    if (op->kind != LM_OP_SHORT_CONV && op->kind != LM_OP_DELTA_RULE && op->kind != LM_OP_SHIFT) return 0;
    for (int i = 0; i < LM_OP_INPUTS; i++)
        if (op->in[i] >= 0) bytes += (size_t)program->n_log * (size_t)program->values[op->in[i]].width * sizeof(float);
    return bytes;
}

void lm_cpu_log(const lm_cpu_step *s, char *log) {
    for (int i = 0; i < LM_OP_INPUTS; i++) {
        if (s->op->in[i] < 0) continue;
        size_t row = (size_t)lm_cpu_width(s, s->op->in[i]) * sizeof(float);
        memcpy(log, lm_cpu_value(s, s->op->in[i]), (size_t)s->run->n_tokens * row);
        log += (size_t)s->program->n_log * row;
    }
}

/* A span is run in two parts when its state is wanted in between; the first part is empty when it is not. */
static int32_t first_part(const lm_span *span, int32_t part) { return part == 0 ? 0 : span->keep_at; }
static int32_t part_tokens(const lm_span *span, int32_t part) {
    return part == 0 ? span->keep_at : span->n_tokens - span->keep_at;
}

#define CONV_CHANNELS 512 /* channels of a chunk; a multiple of every vector width */

static void LM_KERNEL conv_chunk(void *arg, int32_t chunk, int32_t worker) {
    const lm_cpu_step *s = arg;
    const lm_op *op = s->op;
    int32_t width = lm_cpu_width(s, op->in[0]), per_span = (width + CONV_CHANNELS - 1) / CONV_CHANNELS,
            n_taps = op->params.short_conv.n_taps;
    const lm_span *span = &s->run->spans[chunk / per_span];
    int32_t first = chunk % per_span * CONV_CHANNELS, n = width - first < CONV_CHANNELS ? width - first : CONV_CHANNELS;
    const float *x = input_of(s, 0) + (size_t)span->first * (size_t)width + first;
    float *y = lm_cpu_value(s, op->out[0]) + (size_t)span->first * (size_t)width + first;
    /* The kernel takes a dense state of its channels: gather it, run, scatter it back. */
    float *dense = (float *)(void *)lm_cpu_worker(s, worker);
    const float *before = slot_of(s, op->params.short_conv.state, span->state_from) + first;
    for (int32_t j = 0; j < n_taps - 1; j++)
        memcpy(dense + (size_t)j * (size_t)n, before + (size_t)j * (size_t)width, (size_t)n * sizeof *dense);
    for (int32_t part = 0; part < 2; part++) {
        int32_t n_tokens = part_tokens(span, part);
        size_t at = (size_t)first_part(span, part) * (size_t)width;
        if (n_tokens > 0)
            s->kernels->short_conv(x + at, (size_t)width, lm_cpu_vector(s, 0) + (size_t)first * (size_t)n_taps, n_taps,
                                   n, op->params.short_conv.act, n_tokens, dense, y + at, (size_t)width);
        if (part == 0 && n_tokens == 0) continue;
        float *after = slot_of(s, op->params.short_conv.state, part == 0 ? span->keep : span->state) + first;
        for (int32_t j = 0; j < n_taps - 1; j++)
            memcpy(after + (size_t)j * (size_t)width, dense + (size_t)j * (size_t)n, (size_t)n * sizeof *dense);
    }
}

lm_status lm_cpu_short_conv(const lm_cpu_step *s) {
    int32_t per_span = (lm_cpu_width(s, s->op->in[0]) + CONV_CHANNELS - 1) / CONV_CHANNELS;
    return lm_cpu_parallel(s, s->run->n_spans * per_span, conv_chunk, (void *)(uintptr_t)s);
}

/* y = x / sqrt(x.x + eps), as the published DeltaNet normalises */
static void LM_KERNEL unit_row(const lm_kernels *kernels, const float *x, float eps, int32_t n, float *y) {
    float length = kernels->length(x, n);
    kernels->scale(x, 1 / sqrtf(length * length + eps), n, y);
}

/* Gated DeltaNet, one (sequence, value head) per chunk: normalise q and k, make decay and write strength, run the recurrence. */
static void LM_KERNEL delta_chunk(void *arg, int32_t chunk, int32_t worker) {
    const lm_cpu_step *s = arg;
    const lm_op *op = s->op;
    int32_t n_v = op->params.delta_rule.n_v_heads, n_k = op->params.delta_rule.n_k_heads,
            dk = op->params.delta_rule.k_width;
    int32_t dv = op->params.delta_rule.v_width, head = chunk % n_v;
    const lm_span *span = &s->run->spans[chunk / n_v];
    int32_t key_head = op->params.delta_rule.grouped ? head / (n_v / n_k) : head % n_k;
    size_t in_width = (size_t)lm_cpu_width(s, op->in[0]), out_width = (size_t)lm_cpu_width(s, op->out[0]);
    const float *qkv = input_of(s, 0) + (size_t)span->first * in_width;
    const float *alpha = input_of(s, 1) + (size_t)span->first * (size_t)n_v + head;
    const float *beta = input_of(s, 2) + (size_t)span->first * (size_t)n_v + head;
    float a = lm_cpu_vector(s, 0)[head], dt = lm_cpu_vector(s, 1)[head];
    float *q = (float *)(void *)lm_cpu_worker(s, worker), *k = q + (size_t)span->n_tokens * (size_t)dk;
    float *g = k + (size_t)span->n_tokens * (size_t)dk, *b = g + span->n_tokens;
    for (int32_t t = 0; t < span->n_tokens; t++) {
        const float *row = qkv + (size_t)t * in_width;
        unit_row(s->kernels, row + (size_t)key_head * (size_t)dk, op->params.delta_rule.eps, dk,
                 q + (size_t)t * (size_t)dk);
        unit_row(s->kernels, row + (size_t)(n_k + key_head) * (size_t)dk, op->params.delta_rule.eps, dk,
                 k + (size_t)t * (size_t)dk);
        g[t] = a * lm_softplus(alpha[(size_t)t * (size_t)n_v] + dt);
        b[t] = lm_sigmoid(beta[(size_t)t * (size_t)n_v]);
    }
    size_t head_first = (size_t)head * (size_t)dk * (size_t)dv, head_bytes = (size_t)dk * (size_t)dv * sizeof(float);
    lm_delta_args args = {
        .q = q,
        .k = k,
        .v = qkv + (size_t)(2 * n_k * dk) + (size_t)head * (size_t)dv,
        .q_stride = (size_t)dk,
        .k_stride = (size_t)dk,
        .v_stride = in_width,
        .g = g,
        .beta = b,
        .gate_stride = 1,
        .dk = dk,
        .dv = dv,
        .q_scale = 1 / sqrtf((float)dk),
        .state = slot_of(s, op->params.delta_rule.state, span->state) + head_first,
        .y = lm_cpu_value(s, op->out[0]) + (size_t)span->first * out_width + (size_t)head * (size_t)dv,
        .y_stride = out_width,
    };
    if (span->state_from != span->state)
        memcpy(args.state, slot_of(s, op->params.delta_rule.state, span->state_from) + head_first, head_bytes);
    for (int32_t part = 0; part < 2; part++) {
        args.n_tokens = part_tokens(span, part);
        if (args.n_tokens > 0) s->kernels->delta(&args);
        if (part == 1 || args.n_tokens == 0) continue;
        memcpy(slot_of(s, op->params.delta_rule.state, span->keep) + head_first, args.state, head_bytes);
        size_t done = (size_t)args.n_tokens;
        args.q += done * args.q_stride;
        args.k += done * args.k_stride;
        args.v += done * args.v_stride;
        args.g += done * args.gate_stride;
        args.beta += done * args.gate_stride;
        args.y += done * args.y_stride;
    }
}

lm_status lm_cpu_delta_rule(const lm_cpu_step *s) {
    return lm_cpu_parallel(s, s->run->n_spans * s->op->params.delta_rule.n_v_heads, delta_chunk, (void *)(uintptr_t)s);
}

void lm_cpu_recurrent_scratch(const lm_program *program, const lm_op *op, lm_cpu_scratch *scratch) {
    size_t bytes = op->kind == LM_OP_SHORT_CONV
                       ? (size_t)op->params.short_conv.n_taps * CONV_CHANNELS * sizeof(float)
                       : (size_t)program->max_tokens * (2 * (size_t)op->params.delta_rule.k_width + 2) * sizeof(float);
    scratch->worker = lm_size_max(scratch->worker, bytes);
}

static void LM_KERNEL shift_chunk(void *arg, int32_t index, int32_t worker) {
    (void)worker;
    const lm_cpu_step *s = arg;
    const lm_span *span = &s->run->spans[index];
    size_t width = (size_t)lm_cpu_width(s, s->op->in[0]);
    const float *x = input_of(s, 0) + (size_t)span->first * width;
    float *y = lm_cpu_value(s, s->op->out[0]) + (size_t)span->first * width;
    int32_t layer = s->op->params.shift.state;
    memcpy(y, slot_of(s, layer, span->state_from), width * sizeof *y);
    memcpy(y + width, x, (size_t)(span->n_tokens - 1) * width * sizeof *y);
    memcpy(slot_of(s, layer, span->state), x + (size_t)(span->n_tokens - 1) * width, width * sizeof *y);
    if (span->keep_at > 0)
        memcpy(slot_of(s, layer, span->keep), x + (size_t)(span->keep_at - 1) * width, width * sizeof *y);
}

lm_status lm_cpu_shift(const lm_cpu_step *s) {
    return lm_cpu_parallel(s, s->run->n_spans, shift_chunk, (void *)(uintptr_t)s);
}

static void LM_KERNEL pool_chunk(void *arg, int32_t index, int32_t worker) {
    (void)worker;
    const lm_cpu_step *s = arg;
    const lm_span *span = &s->run->spans[index];
    int32_t width = lm_cpu_width(s, s->op->in[0]);
    const float *x = lm_cpu_value(s, s->op->in[0]) + (size_t)span->first * (size_t)width;
    float *y = lm_cpu_value(s, s->op->out[0]) + (size_t)index * (size_t)width;
    switch (s->op->params.pool.kind) {
    case LM_POOLING_MEAN:
        memcpy(y, x, (size_t)width * sizeof *y);
        for (int32_t t = 1; t < span->n_tokens; t++) s->kernels->add(y, x + (size_t)t * (size_t)width, width, y);
        s->kernels->scale(y, 1 / (float)span->n_tokens, width, y);
        break;
    case LM_POOLING_LAST: memcpy(y, x + (size_t)(span->n_tokens - 1) * (size_t)width, (size_t)width * sizeof *y); break;
    default: memcpy(y, x, (size_t)width * sizeof *y); break;
    }
    if (s->op->params.pool.normalise) lm_cpu_normalise(s->kernels, y, 1e-12f, width, y);
}

lm_status lm_cpu_pool(const lm_cpu_step *s) {
    return lm_cpu_parallel(s, s->run->n_spans, pool_chunk, (void *)(uintptr_t)s);
}
