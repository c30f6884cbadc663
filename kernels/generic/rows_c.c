/* SPDX-License-Identifier: MIT
 * Reference of the kernels on rows of floats: norms, activations, sums, rotation, maximum. The shortest statement of each
 * contract in kernels.h; every instruction set must give these bits. */
#include "../kernels.h"
#include "../float_kernels.h"
#include "../fmath.h"

LM_EXACT_FLOATS

float lm_act_one(int32_t act, float x) {
    switch (act) {
    case LM_KACT_SILU: return lm_silu(x);
    case LM_KACT_GELU: return lm_gelu(x);
    case LM_KACT_GELU_ERF: return lm_gelu_erf(x);
    case LM_KACT_GELU_QUICK: return lm_gelu_quick(x);
    case LM_KACT_RELU: return lm_relu(x);
    case LM_KACT_SIGMOID: return lm_sigmoid(x);
    case LM_KACT_TANH: return lm_tanh(x);
    case LM_KACT_SOFTPLUS: return lm_softplus(x);
    default: return x;
    }
}

static void LM_KERNEL rmsnorm_c(const float *x, const float *w, float eps, int32_t n, float *y) {
    float lane[16] = {0};
    for (int32_t i = 0; i < n; i++) lane[i % 16] = fmaf(x[i], x[i], lane[i % 16]);
    float r = 1.0f / sqrtf(lm_fold_lanes(lane) / (float)n + eps);
    for (int32_t i = 0; i < n; i++) y[i] = w ? x[i] * r * w[i] : x[i] * r;
}

static float LM_KERNEL length_c(const float *x, int32_t n) {
    float lane[16] = {0};
    for (int32_t i = 0; i < n; i++) lane[i % 16] = fmaf(x[i], x[i], lane[i % 16]);
    return sqrtf(lm_fold_lanes(lane));
}

static void LM_KERNEL layernorm_c(const float *x, const float *w, const float *b, float eps, int32_t n, float *y) {
    float sum[16] = {0}, square[16] = {0};
    for (int32_t i = 0; i < n; i++) sum[i % 16] += x[i];
    float mean = lm_fold_lanes(sum) / (float)n;
    for (int32_t i = 0; i < n; i++) square[i % 16] = fmaf(x[i] - mean, x[i] - mean, square[i % 16]);
    float r = 1.0f / sqrtf(lm_fold_lanes(square) / (float)n + eps);
    for (int32_t i = 0; i < n; i++) y[i] = fmaf((x[i] - mean) * r, w ? w[i] : 1.0f, b ? b[i] : 0.0f);
}

static float oai(float gate, float up) {
    float g = lm_at_most(gate, LM_OAI_LIMIT), u = lm_at_least(lm_at_most(up, LM_OAI_LIMIT), -LM_OAI_LIMIT);
    return g * lm_sigmoid(LM_GELU_QUICK * g) * (u + 1.0f);
}

static void LM_KERNEL glu_c(int32_t act, const float *gate, const float *up, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i++) y[i] = act == LM_KACT_OAI ? oai(gate[i], up[i]) : lm_act_one(act, gate[i]) * up[i];
}

static void LM_KERNEL act_c(int32_t act, const float *x, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i++) y[i] = lm_act_one(act, x[i]);
}

static void LM_KERNEL add_c(const float *a, const float *b, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

static void LM_KERNEL mul_c(const float *a, const float *b, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}

static void LM_KERNEL scale_c(const float *x, float factor, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i++) y[i] = x[i] * factor;
}

static void LM_KERNEL axpy_c(float factor, const float *x, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i++) y[i] = fmaf(factor, x[i], y[i]);
}

static void LM_KERNEL rope_c(float *head, const float *cos_sin, int32_t n_rot, int32_t adjacent) {
    for (int32_t i = 0; i < n_rot / 2; i++) {
        float *a = adjacent ? head + 2 * i : head + i, *b = adjacent ? a + 1 : a + n_rot / 2;
        float cosine = cos_sin[2 * i], sine = cos_sin[2 * i + 1], x = *a, y = *b;
        *a = fmaf(x, cosine, -(y * sine));
        *b = fmaf(y, cosine, x * sine);
    }
}

static float LM_KERNEL max_c(const float *x, int32_t n, int32_t *index) {
    float best = -INFINITY;
    int32_t at = 0;
    for (int32_t i = 0; i < n; i++)
        if (x[i] > best) best = x[i], at = i;
    *index = at;
    return best;
}

void lm_rows_generic(lm_kernels *k) {
    k->rmsnorm = rmsnorm_c;
    k->length = length_c;
    k->layernorm = layernorm_c;
    k->glu = glu_c;
    k->act = act_c;
    k->add = add_c;
    k->mul = mul_c;
    k->scale = scale_c;
    k->axpy = axpy_c;
    k->rope = rope_c;
    k->max = max_c;
}

void lm_kernels_float_generic(lm_kernels *kernels) {
    lm_rows_generic(kernels);
    lm_cache_generic(kernels);
    lm_attend_generic(kernels);
    lm_recurrent_generic(kernels);
}
