/* SPDX-License-Identifier: MIT
 * Rotary embedding: frequencies in double precision once per segment, one table of cos and sin per batch and configuration,
 * then a kernel per head. Formula and sources at lm_rope (lm/backend.h). */
#include "../../base/fp_contract.h"

#include <math.h>
#include <string.h>

#include "../../base/real.h"
#include "cpu_internal.h"

void lm_cpu_rope_frequencies(const lm_rope *rope, const float *factors, double *frequencies) {
    for (int32_t i = 0; i < rope->n_rot / 2; i++) {
        double w = lm_real_pow(rope->base, -2.0 * i / rope->n_rot);
        if (factors) w /= (double)factors[i];
        double span = rope->high - rope->low > 0.001 ? rope->high - rope->low : 0.001;
        double ramp = (i - rope->low) / span;
        ramp = ramp < 0 ? 0 : ramp > 1 ? 1 : ramp;
        double mix = rope->ext_factor * (1 - ramp);
        frequencies[i] = w * (rope->freq_scale * (1 - mix) + mix);
    }
}

typedef struct fill_task {
    const lm_cpu_step *step;
    int32_t rope;
} fill_task;

static void LM_KERNEL fill_chunk(void *arg, int32_t chunk, int32_t worker) {
    (void)worker;
    const fill_task *t = arg;
    const lm_rope *rope = &t->step->program->ropes[t->rope];
    int32_t half = rope->n_rot / 2, first = chunk * 16,
            end = first + 16 < t->step->run->n_tokens ? first + 16 : t->step->run->n_tokens;
    for (int32_t token = first; token < end; token++) {
        float *table = t->step->segment->rope_tables[t->rope] + (size_t)token * (size_t)rope->n_rot;
        for (int32_t i = 0; i < half; i++) {
            double sine, cosine;
            lm_real_sin_cos(t->step->run->positions[token] * t->step->segment->rope_frequencies[t->rope][i], &sine,
                            &cosine);
            table[2 * i] = (float)(rope->magnitude * cosine);
            table[2 * i + 1] = (float)(rope->magnitude * sine);
        }
    }
}

lm_status lm_cpu_rope_fill(const lm_cpu_step *s) {
    lm_status status = LM_OK;
    for (int32_t r = 0; r < s->program->n_ropes && status == LM_OK; r++) {
        fill_task task = {s, r};
        if (s->segment->rope_tables[r]) status = lm_cpu_parallel(s, (s->run->n_tokens + 15) / 16, fill_chunk, &task);
    }
    return status;
}

typedef struct rope_task {
    const lm_cpu_step *step;
    int32_t per_chunk;
} rope_task;

static void LM_KERNEL rope_chunk(void *arg, int32_t chunk, int32_t worker) {
    (void)worker;
    const rope_task *t = arg;
    const lm_cpu_step *s = t->step;
    const lm_op *op = s->op;
    const lm_rope *rope = &s->program->ropes[op->params.rope.rope];
    int32_t width = lm_cpu_width(s, op->in[0]), head_width = op->params.rope.head_width;
    int32_t end = (chunk + 1) * t->per_chunk < s->n_rows ? (chunk + 1) * t->per_chunk : s->n_rows;
    for (int32_t row = chunk * t->per_chunk; row < end; row++) {
        const float *x = lm_cpu_value(s, op->in[0]) + (size_t)row * (size_t)width;
        float *y = lm_cpu_value(s, op->out[0]) + (size_t)row * (size_t)width;
        const float *table = s->segment->rope_tables[op->params.rope.rope] + (size_t)row * (size_t)rope->n_rot;
        if (y != x) memcpy(y, x, (size_t)width * sizeof *y);
        for (int32_t h = 0; h < width; h += head_width)
            s->kernels->rope(y + h + op->params.rope.first, table, rope->n_rot, rope->adjacent);
        if (op->params.rope.temperature_scale != 0) {
            double steps = floor((double)s->run->positions[row] / op->params.rope.temperature_length);
            s->kernels->scale(y, (float)(1 + (double)op->params.rope.temperature_scale * lm_real_log(1 + steps)), width,
                              y);
        }
    }
}

lm_status lm_cpu_rope(const lm_cpu_step *s) {
    rope_task task = {s, lm_cpu_rows_per_chunk(lm_cpu_width(s, s->op->in[0]))};
    return lm_cpu_parallel(s, (s->n_rows + task.per_chunk - 1) / task.per_chunk, rope_chunk, &task);
}
