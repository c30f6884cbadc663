/* SPDX-License-Identifier: MIT
 * Short convolution and delta rule over sixteen lanes (lanes.h).
 *
 * The delta rule goes through the state in blocks of DELTA_WIDE * 16 columns, each for all tokens of the call before the
 * next, so that a block stays in the first-level cache; columns never meet. One pass over the rows of a block writes the
 * state after token t and at once sums S k and S q for token t + 1: one load and one store per cell and token. */

static void LM_KERNEL recurrent_short_conv(const float *x, size_t x_stride, const float *taps, int32_t n_taps,
                                           int32_t n_channels, int32_t act, int32_t n_tokens, float *state, float *y,
                                           size_t y_stride) {
    if (n_taps > 16 || n_taps < 1 || (act != LM_KACT_SILU && act != LM_KACT_NONE)) {
        lm_short_conv_c(x, x_stride, taps, n_taps, n_channels, act, n_tokens, state, y, y_stride);
        return;
    }
    float turned[16 * 16]; /* taps of sixteen channels, [n_taps][16] */
    for (int32_t ch = 0; ch < n_channels; ch += 16) {
        int32_t n = n_channels - ch < 16 ? n_channels - ch : 16, past = n_taps - 1;
        for (int32_t j = 0; j < n_taps; j++)
            for (int32_t i = 0; i < 16; i++) turned[16 * j + i] = i < n ? taps[(size_t)(ch + i) * n_taps + j] : 0.0f;
        lanes before[16];
        for (int32_t j = 0; j < past; j++) before[j] = lanes_load_part(state + (size_t)j * n_channels + ch, n);
        for (int32_t t = 0; t < n_tokens; t++) {
            lanes sum = lanes_set(0.0f);
            before[past] = lanes_load_part(x + t * x_stride + ch, n);
            LM_UNROLL(1)
            for (int32_t j = 0; j < n_taps; j++) sum = lanes_fma(lanes_load(turned + 16 * j), before[j], sum);
            LM_UNROLL(1)
            for (int32_t j = 0; j < past; j++) before[j] = before[j + 1];
            if (act == LM_KACT_SILU) sum = lanes_act(LM_KACT_SILU, sum);
            lanes_store_part(y + t * y_stride + ch, sum, n);
        }
        for (int32_t j = 0; j < past; j++) lanes_store_part(state + (size_t)j * n_channels + ch, before[j], n);
    }
}

/* Columns [j, j + 16 * wide) of the state; the last n columns of a vector count, others are not touched. */
LM_INLINE void delta_block(const lm_delta_args *args, int32_t j, const int32_t wide, const int32_t n) {
    const float *q = args->q, *k = args->k;
    const size_t dv = (size_t)args->dv;
    const int32_t dk = args->dk;
    float *state = args->state + j;
    lanes p[DELTA_WIDE], r[DELTA_WIDE], delta[DELTA_WIDE];
#define LOAD(from) (n == 16 ? lanes_load(from) : lanes_load_part(from, n))
#define STORE(to, x) (n == 16 ? lanes_store(to, x) : lanes_store_part(to, x, n))
    LM_UNROLL(8)
    for (int w = 0; w < wide; w++) p[w] = r[w] = delta[w] = lanes_set(0.0f);
    float kq = 0.0f;
    for (int32_t i = 0; i < dk; i++) {
        kq = lane_fma(k[i], q[i], kq);
        LM_UNROLL(8)
        for (int w = 0; w < wide; w++) {
            lanes s = LOAD(state + i * dv + 16 * w);
            p[w] = lanes_fma(s, lanes_set(k[i]), p[w]);
            r[w] = lanes_fma(s, lanes_set(q[i]), r[w]);
        }
    }
    for (int32_t t = 0; t < args->n_tokens; t++) {
        const float *v = args->v + t * args->v_stride + j;
        float decay = lane_exp(args->g[t * args->gate_stride]);
        lanes decays = lanes_set(decay), betas = lanes_set(args->beta[t * args->gate_stride]),
              q_scale = lanes_set(args->q_scale);
        LM_UNROLL(8)
        for (int w = 0; w < wide; w++) {
            delta[w] = lanes_mul(betas, lanes_fnma(decays, p[w], LOAD(v + 16 * w)));
            lanes y = lanes_fma(lanes_set(kq), delta[w], lanes_mul(decays, r[w]));
            STORE(args->y + t * args->y_stride + j + 16 * w, lanes_mul(y, q_scale));
            p[w] = r[w] = lanes_set(0.0f);
        }
        const float *k_next = k + args->k_stride, *q_next = q + args->q_stride;
        if (t + 1 < args->n_tokens) {
            kq = 0.0f;
            for (int32_t i = 0; i < dk; i++) {
                kq = lane_fma(k_next[i], q_next[i], kq);
                LM_UNROLL(8)
                for (int w = 0; w < wide; w++) {
                    lanes s = lanes_fma(lanes_set(k[i]), delta[w], lanes_mul(decays, LOAD(state + i * dv + 16 * w)));
                    STORE(state + i * dv + 16 * w, s);
                    p[w] = lanes_fma(s, lanes_set(k_next[i]), p[w]);
                    r[w] = lanes_fma(s, lanes_set(q_next[i]), r[w]);
                }
            }
        } else {
            for (int32_t i = 0; i < dk; i++) {
                LM_UNROLL(8)
                for (int w = 0; w < wide; w++) {
                    lanes s = lanes_fma(lanes_set(k[i]), delta[w], lanes_mul(decays, LOAD(state + i * dv + 16 * w)));
                    STORE(state + i * dv + 16 * w, s);
                }
            }
        }
        k = k_next, q = q_next;
    }
#undef LOAD
#undef STORE
}

static void LM_KERNEL recurrent_delta(const lm_delta_args *args) {
    int32_t j = 0;
    if (args->n_tokens < 1) return;
    for (; j + 16 * DELTA_WIDE <= args->dv; j += 16 * DELTA_WIDE) delta_block(args, j, DELTA_WIDE, 16);
    for (; j < args->dv; j += 16) delta_block(args, j, 1, args->dv - j < 16 ? args->dv - j : 16);
}

static void recurrent_fill(lm_kernels *k) {
    k->short_conv = recurrent_short_conv;
    k->delta = recurrent_delta;
}
