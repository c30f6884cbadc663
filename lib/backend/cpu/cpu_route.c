/* SPDX-License-Identifier: MIT
 * Choosing experts: one token's router logits to the ids and weights of the experts it uses, in descending order of score with
 * the lower id first among equals, so that the sum over experts has a fixed order. Formula: lm/backend.h and the model's paper. */
#include "../../base/fp_contract.h"

#include <math.h>
#include <string.h>

#include "../../../kernels/fmath.h"
#include "cpu_internal.h"

#define MAX_EXPERTS 1024

/* Indices of the n largest of count scores, descending, lower index first among equals; a NaN is never chosen before a number. */
static void choose(const float *score, int32_t count, int32_t n, int32_t *chosen) {
    bool taken[MAX_EXPERTS] = {false};
    for (int32_t i = 0; i < n; i++) {
        int32_t best = -1;
        for (int32_t e = 0; e < count; e++)
            if (!taken[e] && (best < 0 || score[e] > score[best] || (isnan(score[best]) && !isnan(score[e])))) best = e;
        taken[best] = true;
        chosen[i] = best;
    }
}

static void LM_KERNEL softmax(const lm_kernels *k, float *x, int32_t n) {
    int32_t index;
    float top = k->max(x, n, &index), sum = 0;
    for (int32_t i = 0; i < n; i++) sum += x[i] = lm_exp(x[i] - top);
    for (int32_t i = 0; i < n; i++) x[i] /= sum;
}

/* Keep the groups whose two best members sum highest; the others' scores become -inf. */
static void keep_groups(float *score, const lm_op *op) {
    int32_t n_groups = op->params.route.n_groups, size = op->params.route.n_experts / n_groups, kept[MAX_EXPERTS];
    float sums[MAX_EXPERTS];
    for (int32_t g = 0; g < n_groups; g++) {
        int32_t best[2];
        choose(score + g * size, size, 2, best);
        sums[g] = score[g * size + best[0]] + score[g * size + best[1]];
    }
    bool keep[MAX_EXPERTS] = {false};
    choose(sums, n_groups, op->params.route.n_groups_used, kept);
    for (int32_t i = 0; i < op->params.route.n_groups_used; i++) keep[kept[i]] = true;
    for (int32_t e = 0; e < op->params.route.n_experts; e++)
        if (!keep[e / size]) score[e] = -INFINITY;
}

static void LM_KERNEL route_row(const lm_cpu_step *s, int32_t row) {
    const lm_op *op = s->op;
    int32_t n = op->params.route.n_experts, n_used = op->params.route.n_used, chosen[MAX_EXPERTS];
    const float *logits = lm_cpu_value(s, op->in[0]) + (size_t)row * (size_t)n, *bias = lm_cpu_vector(s, 0);
    float *ids = lm_cpu_value(s, op->out[0]) + (size_t)row * (size_t)n_used,
          *weights = lm_cpu_value(s, op->out[1]) + (size_t)row * (size_t)n_used;
    float gate[MAX_EXPERTS], score[MAX_EXPERTS];
    memcpy(gate, logits, (size_t)n * sizeof *gate);
    switch (op->params.route.gating) {
    case LM_GATING_SOFTMAX: softmax(s->kernels, gate, n); break;
    case LM_GATING_SIGMOID: s->kernels->act(LM_KACT_SIGMOID, gate, n, gate); break;
    case LM_GATING_SQRT_SOFTPLUS:
        s->kernels->act(LM_KACT_SOFTPLUS, gate, n, gate);
        for (int32_t e = 0; e < n; e++) gate[e] = sqrtf(gate[e]);
        break;
    default: break; /* SOFTMAX_USED: the logits themselves, softmax over the chosen ones below */
    }
    for (int32_t e = 0; e < n; e++) score[e] = bias ? gate[e] + bias[e] : gate[e];
    if (op->params.route.n_groups > 1) keep_groups(score, op);
    choose(score, n, n_used, chosen);
    for (int32_t i = 0; i < n_used; i++) {
        memcpy(&ids[i], &chosen[i], sizeof *ids);
        weights[i] = gate[chosen[i]];
    }
    if (op->params.route.gating == LM_GATING_SOFTMAX_USED) softmax(s->kernels, weights, n_used);
    if (op->params.route.normalise) {
        float sum = 0;
        for (int32_t i = 0; i < n_used; i++) sum += weights[i];
        if (sum < 0x1p-14f) sum = 0x1p-14f;
        for (int32_t i = 0; i < n_used; i++) weights[i] /= sum;
    }
    if (op->params.route.scale != 0 && op->params.route.scale != 1)
        s->kernels->scale(weights, op->params.route.scale, n_used, weights);
}

static void LM_KERNEL route_chunk(void *arg, int32_t chunk, int32_t worker) {
    (void)worker;
    const lm_cpu_step *s = arg;
    int32_t end = (chunk + 1) * 8 < s->n_rows ? (chunk + 1) * 8 : s->n_rows;
    for (int32_t row = chunk * 8; row < end; row++) route_row(s, row);
}

lm_status lm_cpu_route(const lm_cpu_step *s) {
    return lm_cpu_parallel(s, (s->n_rows + 7) / 8, route_chunk, (void *)(uintptr_t)s);
}
