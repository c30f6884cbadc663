/* SPDX-License-Identifier: MIT
 * Row operations of models with several residual streams (AltUp) and sparse activations. A row holds its streams one after another.
 * Sums follow lanes(n) of kernels.h or ascending order, so that they are the same bits on every level; y never is an input's memory. */
#include "../../base/fp_contract.h"

#include <math.h>
#include <string.h>

#include "cpu_internal.h"

void LM_KERNEL lm_cpu_mix_row(const lm_cpu_step *s, int32_t row) {
    const float *x = lm_cpu_row(s, s->op->in[0], row), *c = lm_cpu_row(s, s->op->in[1], row);
    float *y = lm_cpu_row(s, s->op->out[0], row);
    int32_t n = s->op->params.mix.n_streams, total = lm_cpu_width(s, s->op->in[0]), width = total / n;
    memcpy(y, x, (size_t)total * sizeof *y);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++)
            s->kernels->axpy(c[i * n + j], x + (size_t)j * (size_t)width, width, y + (size_t)i * (size_t)width);
}

/* A group without length stays as it is. */
void LM_KERNEL lm_cpu_rescale_row(const lm_cpu_step *s, int32_t row) {
    const float *x = lm_cpu_row(s, s->op->in[0], row), *like = lm_cpu_row(s, s->op->in[1], row);
    float *y = lm_cpu_row(s, s->op->out[0], row);
    int32_t total = lm_cpu_width(s, s->op->in[0]), width = lm_cpu_width(s, s->op->in[1]);
    float target = s->kernels->length(like, width);
    for (int32_t i = 0; i < total; i += width) {
        float norm = s->kernels->length(x + i, width);
        s->kernels->scale(x + i, norm > 0 ? target / norm : 1, width, y + i);
    }
}

/* Sixteen partial sums of x (shift 0), or of the squares of x - shift, folded. */
static float lanes_sum(const float *x, float shift, bool squares, int32_t n) {
    float lanes[16] = {0};
    for (int32_t i = 0; i < n; i++) {
        float d = x[i] - shift;
        lanes[i % 16] += squares ? d * d : d;
    }
    for (int32_t width = 8; width > 0; width /= 2)
        for (int32_t i = 0; i < width; i++) lanes[i] += lanes[i + width];
    return lanes[0];
}

void LM_KERNEL lm_cpu_sparsify_row(const lm_cpu_step *s, int32_t row) {
    const float *x = lm_cpu_row(s, s->op->in[0], row);
    float *y = lm_cpu_row(s, s->op->out[0], row);
    int32_t n = lm_cpu_width(s, s->op->in[0]);
    float mean = lanes_sum(x, 0, false, n) / (float)n;
    float deviation = sqrtf(lanes_sum(x, mean, true, n) / (float)(n > 1 ? n - 1 : 1));
    float cut = mean + s->op->params.sparsify.factor * deviation;
    for (int32_t i = 0; i < n; i++) y[i] = x[i] - cut > 0 ? x[i] - cut : 0;
}

void LM_KERNEL lm_cpu_spread_row(const lm_cpu_step *s, int32_t row) {
    const float *x = lm_cpu_row(s, s->op->in[0], row), *c = lm_cpu_row(s, s->op->in[1], row),
                *base = lm_cpu_row(s, s->op->in[2], row);
    float *y = lm_cpu_row(s, s->op->out[0], row);
    int32_t n = s->op->params.spread.n_streams, width = lm_cpu_width(s, s->op->in[0]);
    memcpy(y, base, (size_t)lm_cpu_width(s, s->op->in[2]) * sizeof *y);
    for (int32_t i = 0; i < n; i++) s->kernels->axpy(c ? 1 + c[i] : 1, x, width, y + (size_t)i * (size_t)width);
}
