/* SPDX-License-Identifier: MIT
 * Reference of the recurrent kernels: the short causal convolution and the gated delta rule, one token at a time. */
#include "../kernels.h"
#include "../float_kernels.h"
#include "../fmath.h"

LM_EXACT_FLOATS

void LM_KERNEL lm_short_conv_c(const float *x, size_t x_stride, const float *taps, int32_t n_taps, int32_t n_channels,
                               int32_t act, int32_t n_tokens, float *state, float *y, size_t y_stride) {
    for (int32_t t = 0; t < n_tokens; t++)
        for (int32_t ch = 0; ch < n_channels; ch++) {
            float now = x[t * x_stride + ch], acc = 0.0f;
            for (int32_t j = 0; j < n_taps - 1; j++) {
                float *slot = state + (size_t)j * n_channels + ch;
                acc = fmaf(taps[(size_t)ch * n_taps + j], *slot, acc);
                *slot = j + 1 < n_taps - 1 ? slot[n_channels] : now;
            }
            y[t * y_stride + ch] = lm_act_one(act, fmaf(taps[(size_t)ch * n_taps + n_taps - 1], now, acc));
        }
}

static void LM_KERNEL delta_c(const lm_delta_args *args) {
    for (int32_t t = 0; t < args->n_tokens; t++) {
        const float *q = args->q + t * args->q_stride, *k = args->k + t * args->k_stride,
                    *v = args->v + t * args->v_stride;
        float decay = lm_exp(args->g[t * args->gate_stride]), beta = args->beta[t * args->gate_stride], kq = 0.0f;
        for (int32_t i = 0; i < args->dk; i++) kq = fmaf(k[i], q[i], kq);
        for (int32_t j = 0; j < args->dv; j++) {
            float *column = args->state + j, p = 0.0f, r = 0.0f;
            for (int32_t i = 0; i < args->dk; i++) {
                p = fmaf(column[(size_t)i * args->dv], k[i], p);
                r = fmaf(column[(size_t)i * args->dv], q[i], r);
            }
            float delta = beta * fmaf(-decay, p, v[j]);
            for (int32_t i = 0; i < args->dk; i++) {
                float *cell = column + (size_t)i * args->dv;
                *cell = fmaf(k[i], delta, decay * *cell);
            }
            args->y[t * args->y_stride + j] = fmaf(kq, delta, decay * r) * args->q_scale;
        }
    }
}

void lm_recurrent_generic(lm_kernels *k) {
    k->short_conv = lm_short_conv_c;
    k->delta = delta_c;
}
