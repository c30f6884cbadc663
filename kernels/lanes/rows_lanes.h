/* SPDX-License-Identifier: MIT
 * Norms, activations, sums, rotation and maximum over sixteen lanes (lanes.h). Tails are partial loads, whose zero lanes add
 * nothing that a rounding could see: fma(0, 0, sum) and sum + 0 are sum, as no sum here is -0. */

/* The sums of lanes(n) never hold -0: they start at +0. */
LM_INLINE float sum_of_squares(const float *x, int32_t n) {
    lanes sum = lanes_set(0.0f);
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        lanes v = lanes_load(x + i);
        sum = lanes_fma(v, v, sum);
    }
    if (i < n) {
        lanes v = lanes_load_part(x + i, n - i);
        sum = lanes_fma(v, v, sum);
    }
    return lanes_fold(sum);
}

static float LM_KERNEL rows_length(const float *x, int32_t n) { return sqrtf(sum_of_squares(x, n)); }

/* As rmsnorm_c. */
static void LM_KERNEL rows_rmsnorm(const float *x, const float *w, float eps, int32_t n, float *y) {
    lanes r = lanes_set(1.0f / sqrtf(sum_of_squares(x, n) / (float)n + eps));
    int32_t i;
    for (i = 0; i + 16 <= n; i += 16) {
        lanes v = lanes_mul(lanes_load(x + i), r);
        lanes_store(y + i, w ? lanes_mul(v, lanes_load(w + i)) : v);
    }
    if (i < n) {
        lanes v = lanes_mul(lanes_load_part(x + i, n - i), r);
        lanes_store_part(y + i, w ? lanes_mul(v, lanes_load_part(w + i, n - i)) : v, n - i);
    }
}

static void LM_KERNEL rows_layernorm(const float *x, const float *w, const float *b, float eps, int32_t n, float *y) {
    lanes sum = lanes_set(0.0f), square = sum;
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) sum = lanes_add(sum, lanes_load(x + i));
    if (i < n) sum = lanes_add(sum, lanes_load_part(x + i, n - i));
    lanes mean = lanes_set(lanes_fold(sum) / (float)n);
    for (i = 0; i < n; i += 16) {
        lanes d = i + 16 <= n ? lanes_sub(lanes_load(x + i), mean)
                              : lanes_between(lanes_sub(lanes_load_part(x + i, n - i), mean), 0, n - i, 0.0f);
        square = lanes_fma(d, d, square);
    }
    lanes r = lanes_set(1.0f / sqrtf(lanes_fold(square) / (float)n + eps)), one = lanes_set(1.0f),
          zero = lanes_set(0.0f);
    for (i = 0; i + 16 <= n; i += 16) {
        lanes d = lanes_mul(lanes_sub(lanes_load(x + i), mean), r);
        lanes_store(y + i, lanes_fma(d, w ? lanes_load(w + i) : one, b ? lanes_load(b + i) : zero));
    }
    if (i < n) {
        lanes d = lanes_mul(lanes_sub(lanes_load_part(x + i, n - i), mean), r);
        lanes_store_part(
            y + i, lanes_fma(d, w ? lanes_load_part(w + i, n - i) : one, b ? lanes_load_part(b + i, n - i) : zero),
            n - i);
    }
}

/* A loop that is expanded for the activation of most models, act a constant, and once for the others. up NULL: the activation
 * alone. The last elements go through memory of their own, so that there is one body. */
LM_INLINE void act_rows(int32_t act, const float *gate, const float *up, int32_t n, float *y) {
    for (int32_t i = 0; i < n; i += 16) {
        float end[2][16];
        const float *g_at = gate + i, *u_at = up ? up + i : NULL;
        float *to = y + i;
        if (n - i < 16) {
            memcpy(end[0], g_at, (size_t)(n - i) * sizeof *end[0]);
            if (up) memcpy(end[1], u_at, (size_t)(n - i) * sizeof *end[1]);
            g_at = to = end[0], u_at = up ? end[1] : NULL;
        }
        lanes g = lanes_load(g_at), u = u_at ? lanes_load(u_at) : lanes_set(1.0f), result;
        if (act == LM_KACT_OAI) {
            g = lanes_at_most(g, LM_OAI_LIMIT), u = lanes_at_least(lanes_at_most(u, LM_OAI_LIMIT), -LM_OAI_LIMIT);
            lanes s = lanes_sigmoid_apart(lanes_mul(lanes_set(LM_GELU_QUICK), g));
            result = lanes_mul(lanes_mul(g, s), lanes_add(u, lanes_set(1.0f)));
        } else {
            result = lanes_mul(lanes_act(act, g), u); /* by 1 changes nothing */
        }
        lanes_store(to, result);
        if (n - i < 16) memcpy(y + i, end[0], (size_t)(n - i) * sizeof *y);
    }
}

static void LM_KERNEL rows_glu(int32_t act, const float *gate, const float *up, int32_t n, float *y) {
    if (act == LM_KACT_SILU)
        act_rows(LM_KACT_SILU, gate, up, n, y);
    else
        act_rows(act, gate, up, n, y);
}
static void LM_KERNEL rows_act(int32_t act, const float *x, int32_t n, float *y) { rows_glu(act, x, NULL, n, y); }

static void LM_KERNEL rows_add(const float *a, const float *b, int32_t n, float *y) {
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_add(lanes_load(a + i), lanes_load(b + i)));
    if (i < n) lanes_store_part(y + i, lanes_add(lanes_load_part(a + i, n - i), lanes_load_part(b + i, n - i)), n - i);
}

static void LM_KERNEL rows_mul(const float *a, const float *b, int32_t n, float *y) {
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_mul(lanes_load(a + i), lanes_load(b + i)));
    if (i < n) lanes_store_part(y + i, lanes_mul(lanes_load_part(a + i, n - i), lanes_load_part(b + i, n - i)), n - i);
}

static void LM_KERNEL rows_scale(const float *x, float factor, int32_t n, float *y) {
    lanes f = lanes_set(factor);
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_mul(lanes_load(x + i), f));
    if (i < n) lanes_store_part(y + i, lanes_mul(lanes_load_part(x + i, n - i), f), n - i);
}

static void LM_KERNEL rows_axpy(float factor, const float *x, int32_t n, float *y) {
    lanes f = lanes_set(factor);
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_fma(f, lanes_load(x + i), lanes_load(y + i)));
    if (i < n)
        lanes_store_part(y + i, lanes_fma(f, lanes_load_part(x + i, n - i), lanes_load_part(y + i, n - i)), n - i);
}

static void LM_KERNEL rows_rope(float *head, const float *cos_sin, int32_t n_rot, int32_t adjacent) {
    int32_t half = n_rot / 2, i = 0;
    if (adjacent) {
        for (i = 0; i + 16 <= 2 * half; i += 16)
            lanes_store(head + i, lanes_turn_pairs(lanes_load(head + i), lanes_load(cos_sin + i)));
        if (i < 2 * half) {
            int32_t left = 2 * half - i;
            lanes_store_part(
                head + i, lanes_turn_pairs(lanes_load_part(head + i, left), lanes_load_part(cos_sin + i, left)), left);
        }
        return;
    }
    for (; i + 16 <= half; i += 16) {
        lanes cosine, sine, a = lanes_load(head + i), b = lanes_load(head + half + i);
        lanes_load_pairs(cos_sin + 2 * i, &cosine, &sine);
        lanes_store(head + i, lanes_fms(a, cosine, lanes_mul(b, sine)));
        lanes_store(head + half + i, lanes_fma(b, cosine, lanes_mul(a, sine)));
    }
    for (; i < half; i++) {
        float cosine = cos_sin[2 * i], sine = cos_sin[2 * i + 1], a = head[i], b = head[half + i];
        head[i] = lane_fma(a, cosine, -(b * sine));
        head[half + i] = lane_fma(b, cosine, a * sine);
    }
}

/* First the value, then the first place that has it. */
static float LM_KERNEL rows_max(const float *x, int32_t n, int32_t *index) {
    lanes best = lanes_set(-INFINITY);
    int32_t i = 0;
    for (; i + 16 <= n; i += 16) best = lanes_larger(lanes_load(x + i), best);
    float top = lanes_fold_larger(best);
    for (; i < n; i++)
        if (x[i] > top) top = x[i];
    *index = 0;
    if (top == -INFINITY) return top;
    lanes tops = lanes_set(top);
    for (i = 0; i + 16 <= n && !lanes_equal(lanes_load(x + i), tops); i += 16) {}
    while (x[i] != top) i++;
    *index = i;
    return x[i];
}

static void rows_fill(lm_kernels *k) {
    k->rmsnorm = rows_rmsnorm;
    k->length = rows_length;
    k->layernorm = rows_layernorm;
    k->glu = rows_glu;
    k->act = rows_act;
    k->add = rows_add;
    k->mul = rows_mul;
    k->scale = rows_scale;
    k->axpy = rows_axpy;
    k->rope = rows_rope;
    k->max = rows_max;
}
