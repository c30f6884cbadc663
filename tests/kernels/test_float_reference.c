/* SPDX-License-Identifier: MIT
 * The C reference of the float kernels against double precision. Bounds come from the number of roundings and the size of
 * the numbers that are added, not from what was seen. */
#include "check.h"
#include "harness.h"

#include "kernels.h"
#include "float_kernels.h"
#include "blocks.h"

#define EPS 0x1p-24 /* one rounding */

static lm_kernels table;

static int set_up(void **state) {
    (void)state;
    lm_kernels_init(&table, LM_CPU_GENERIC);
    return 0;
}

static void near_one(const char *what, double value, double expected, double bound) {
    if (fabs(value - expected) <= bound || (isnan(value) && isnan(expected))) return;
    print_error("%s: %.9g instead of %.9g, bound %.3g\n", what, value, expected, bound);
    fail();
}

/* ---- elementary functions, over floats of every exponent ---- */

static double exp_of(double x) { return exp(x); }
static double sigmoid_of(double x) { return 1 / (1 + exp(-x)); }
static double softplus_of(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }
static double silu_of(double x) { return x * sigmoid_of(x); }
static double gelu_of(double x) { return x * sigmoid_of(2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x)); }
static double gelu_quick_of(double x) { return x * sigmoid_of(1.702 * x); }
static double gelu_erf_of(double x) { return 0.5 * x * erfc(-x / 1.41421356237309504880); }

/* ulps: of the result; argument: roundings of an argument that is then exponentiated, each costing |x| ulps. */
static void sweep(const char *what, float (*f)(float), double (*exact)(double), double low, double high, double ulps,
                  double (*argument)(double)) {
    long n = 0;
    for (uint32_t bits = 1; bits < 0xffffffffu - 7919; bits += 7919) {
        float x = lm_bits_f32(bits);
        if (!(x >= low && x <= high)) continue;
        double expected = exact(x);
        near_one(what, f(x), expected, (ulps + (argument ? argument(x) : 0)) * 2 * EPS * fabs(expected) + 0x1p-119);
        n++;
    }
    assert_true(n > 100000);
}

static double once(double x) { return fabs(x); }
static double cubic(double x) { return 4 * (1.6 * fabs(x) + 0.072 * fabs(x * x * x)); }

static void functions_are_accurate(void **state) {
    (void)state;
    sweep("exp", lm_exp, exp_of, -103, 88.72, 1, NULL);
    sweep("sigmoid", lm_sigmoid, sigmoid_of, -1e30, 1e30, 3, NULL);
    sweep("tanh", lm_tanh, tanh, -1e30, 1e30, 2, NULL);
    sweep("softplus", lm_softplus, softplus_of, -1e30, 1e30, 3, NULL);
    sweep("silu", lm_silu, silu_of, -1e30, 1e30, 4, NULL);
    sweep("gelu", lm_gelu, gelu_of, -9, 1e5, 4, cubic);
    sweep("gelu_quick", lm_gelu_quick, gelu_quick_of, -40, 1e30, 4, once);
    sweep("gelu_erf", lm_gelu_erf, gelu_erf_of, -12, 1e30, 10, NULL);
}

static void functions_meet_their_ends(void **state) {
    (void)state;
    assert_true(lm_exp(0.0f) == 1.0f && lm_exp(-0.0f) == 1.0f);
    assert_true(lm_exp(-INFINITY) == 0.0f && lm_exp(INFINITY) == INFINITY && lm_exp(-104.5f) == 0.0f &&
                lm_exp(88.73f) == INFINITY);
    assert_true(lm_exp(-103.0f) == 0x1p-149f);
    assert_true(isnan(lm_exp(NAN)) && isnan(lm_tanh(NAN)) && isnan(lm_sigmoid(NAN)) && isnan(lm_softplus(NAN)));
    assert_true(lm_tanh(INFINITY) == 1.0f && lm_tanh(-INFINITY) == -1.0f && lm_tanh(0.0f) == 0.0f);
    assert_true(lm_sigmoid(0.0f) == 0.5f && lm_sigmoid(-INFINITY) == 0.0f && lm_sigmoid(INFINITY) == 1.0f);
    assert_true(lm_softplus(-INFINITY) == 0.0f && lm_softplus(INFINITY) == INFINITY);
    assert_true(lm_gelu_erf(-1e30f) == 0.0f && lm_gelu(-1e30f) == 0.0f && lm_silu(-1e30f) == 0.0f);
}

/* ---- rows ---- */

static void norms_agree_with_double(void **state) {
    (void)state;
    test_random random = {1};
    static float x[1031], w[1031], b[1031], y[1031];
    for (int kind = FILL_UNIFORM; kind <= FILL_WIDE; kind++)
        for (int32_t n = 1; n <= 1031; n += n < 40 ? 1 : 330) {
            random_fill(&random, kind, 3.0f, x, 1031), random_fill(&random, 0, 1.0f, w, 1031);
            random_fill(&random, 0, 1.0f, b, 1031);
            double square = 0, sum = 0, size = 0, variance = 0;
            for (int32_t i = 0; i < n; i++) square += (double)x[i] * x[i], sum += x[i], size += fabs(x[i]);
            double r = 1 / sqrt(square / n + 1e-5f), mean = sum / n, ulps = n / 32.0 + 8;
            table.rmsnorm(x, w, 1e-5f, n, y);
            for (int32_t i = 0; i < n; i++)
                near_one("rmsnorm", y[i], x[i] * r * w[i], ulps * EPS * fabs(x[i] * r * w[i]));
            near_one("length", table.length(x, n), sqrt(square), ulps * EPS * sqrt(square));
            for (int32_t i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean);
            r = 1 / sqrt(variance / n + 1e-5f);
            table.layernorm(x, w, b, 1e-5f, n, y);
            double shift = (n / 16.0 + 5) * EPS * size / n; /* of the mean, and of each difference */
            for (int32_t i = 0; i < n; i++)
                near_one("layernorm", y[i], (x[i] - mean) * r * w[i] + b[i],
                         (2 * ulps * EPS * fabs(x[i] - mean) * r + shift * r * (1 + fabs(x[i] - mean) * r)) *
                                 fabs(w[i]) +
                             EPS * 4);
        }
}

static void rope_turns_pairs(void **state) {
    (void)state;
    test_random random = {2};
    for (int adjacent = 0; adjacent < 2; adjacent++)
        for (int32_t n_rot = 2; n_rot <= 80; n_rot += 2) {
            float head[80], was[80], turn[80];
            random_fill(&random, 0, 2.0f, head, 80);
            memcpy(was, head, sizeof was);
            for (int32_t i = 0; i < n_rot / 2; i++) turn[2 * i] = cosf((float)i), turn[2 * i + 1] = sinf((float)i);
            table.rope(head, turn, n_rot, adjacent);
            for (int32_t i = 0; i < n_rot / 2; i++) {
                int32_t a = adjacent ? 2 * i : i, b = adjacent ? a + 1 : i + n_rot / 2;
                double c = turn[2 * i], s = turn[2 * i + 1];
                near_one("rope", head[a], was[a] * c - was[b] * s, 8 * EPS);
                near_one("rope", head[b], was[b] * c + was[a] * s, 8 * EPS);
            }
            assert_memory_equal(head + n_rot, was + n_rot, (80 - (size_t)n_rot) * sizeof(float));
        }
}

static void max_is_the_lowest_index_and_skips_nan(void **state) {
    (void)state;
    int32_t index = -1;
    assert_true(table.max((float[]){NAN, 1, 3, NAN, 3, -1}, 6, &index) == 3.0f && index == 2);
    assert_true(table.max((float[]){NAN, -INFINITY, NAN}, 3, &index) == -INFINITY && index == 0);
    assert_true(table.max((float[]){-2}, 1, &index) == -2.0f && index == 0);
}

static void oai_clamps_gate_and_up(void **state) {
    (void)state;
    float y, gate = 9.0f, up = -20.0f;
    table.glu(LM_KACT_OAI, &gate, &up, 1, &y);
    near_one("oai", y, 7 * sigmoid_of(1.702 * 7) * -6, 1e-4);
}

/* ---- cache ---- */

static void cache_gives_back_what_it_can_hold(void **state) {
    (void)state;
    test_random random = {3};
    static const int32_t types[] = {LM_BLOCK_F32, LM_BLOCK_F16, LM_BLOCK_BF16, LM_BLOCK_Q8_0, LM_BLOCK_Q4_0};
    static float x[64][96], y[96];
    for (int t = 0; t < 5; t++)
        for (int is_k = 0; is_k < 2; is_k++) {
            int32_t type = types[t];
            uint8_t *part = malloc(is_k ? lm_cache_k_bytes(type, 96) : lm_cache_v_bytes(type, 96));
            for (int32_t slot = 0; slot < 64; slot++) {
                random_fill(&random, slot % FILL_COUNT, 5.0f, x[slot], 96);
                (is_k ? table.cache_put_k : table.cache_put_v)(type, part, 96, slot, x[slot]);
            }
            for (int32_t slot = 0; slot < 64; slot++) {
                (is_k ? table.cache_get_k : table.cache_get_v)(type, part, 96, slot, y);
                for (int i = 0; i < 96; i++) {
                    double top = 0, bound = 0;
                    for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) top = fmax(top, fabs(x[slot][j]));
                    if (type == LM_BLOCK_F16) bound = fabs(x[slot][i]) * 0x1p-11 + 0x1p-25;
                    if (type == LM_BLOCK_BF16) bound = fabs(x[slot][i]) * 0x1p-8 + 0x1p-134;
                    if (type == LM_BLOCK_Q8_0) bound = top / 127 * (0.5 + 127 * 0x1p-11 + 1e-4) + 0x1p-17;
                    if (type == LM_BLOCK_Q4_0) bound = top / 8 * (1 + 8 * 0x1p-11 + 1e-4) + 0x1p-21;
                    near_one("cache", y[i], x[slot][i], bound);
                }
            }
            free(part);
        }
}

/* ---- attention ---- */

typedef struct attention {
    lm_attend_args args;
    const float *sink;
    int32_t n_pages;
} attention;

static int is_visible(const lm_attend_args *a, int32_t pos, int32_t p) {
    if (p >= a->n_kv || (a->causal && p > pos)) return 0;
    if (a->window <= 0) return 1;
    return a->causal ? pos - p < a->window : abs(pos - p) <= a->window / 2;
}

/* All spans, merged and finished, against a softmax over all positions in double precision. */
static void check_attention(attention *test, test_random *random, int32_t type) {
    lm_attend_args *a = &test->args;
    int32_t kw = a->k_width, vw = a->v_width, n = test->n_pages;
    size_t k_bytes = lm_cache_k_bytes(type, kw), v_bytes = lm_cache_v_bytes(type, vw);
    uint8_t *k = malloc(k_bytes * n), *v = malloc(v_bytes * n);
    float *keys = malloc((size_t)n * 64 * kw * sizeof(float)), *values = malloc((size_t)n * 64 * vw * sizeof(float));
    float *q = malloc((size_t)a->n_q * kw * sizeof(float)), *o = malloc(2 * (size_t)a->n_q * vw * sizeof(float));
    float *m = malloc(2 * a->n_q * sizeof(float)), *l = malloc(2 * a->n_q * sizeof(float));
    const void **k_pages = malloc(n * sizeof *k_pages), **v_pages = malloc(n * sizeof *v_pages);
    memset(k, 0xff, k_bytes * n), memset(v, 0xff, v_bytes * n); /* NaN where no token is */
    random_fill(random, 0, 1.0f, q, (size_t)a->n_q * kw);
    a->q = q, a->q_stride = kw, a->o_stride = vw, a->k_type = a->v_type = type;
    a->kernels = &table, a->work = malloc(lm_attend_work_bytes(&table, type, kw, vw, a->n_q));
    for (int32_t p = 0; p < a->n_kv; p++) {
        float *key = keys + (size_t)p * kw, *value = values + (size_t)p * vw;
        random_fill(random, 0, 1.0f, key, kw), random_fill(random, 0, 1.0f, value, vw);
        table.cache_put_k(type, k + p / 64 * k_bytes, kw, p % 64, key),
            table.cache_get_k(type, k + p / 64 * k_bytes, kw, p % 64, key);
        table.cache_put_v(type, v + p / 64 * v_bytes, vw, p % 64, value),
            table.cache_get_v(type, v + p / 64 * v_bytes, vw, p % 64, value);
        if (a->v_from_k) memcpy(value, key, vw * sizeof(float));
    }
    for (int32_t page = 0; page < n; page++) k_pages[page] = k + page * k_bytes, v_pages[page] = v + page * v_bytes;
    for (int32_t first = 0; first < n; first += LM_SPAN_PAGES) {
        int second = first > 0;
        a->first_page = first, a->n_pages = n - first < LM_SPAN_PAGES ? n - first : LM_SPAN_PAGES;
        a->k_pages = k_pages + first, a->v_pages = a->v_from_k ? NULL : v_pages + first;
        a->o = o + (second ? (size_t)a->n_q * vw : 0), a->m = m + (second ? a->n_q : 0),
        a->l = l + (second ? a->n_q : 0);
        table.attend(a);
        for (int32_t r = 0; second && r < a->n_q; r++)
            table.attend_merge(o + (size_t)r * vw, m + r, l + r, a->o + (size_t)r * vw, a->m[r], a->l[r], vw);
    }
    if (type == LM_BLOCK_Q8_0 || type == LM_BLOCK_Q4_0) { /* from here on q is what products with blocks see */
        test_fenced buffer = fenced_alloc_aligned(lm_acts_bytes(LM_ACT_Q8_32, a->n_q, kw));
        lm_acts acts;
        lm_acts_bind(&acts, LM_ACT_Q8_32, a->n_q, kw, buffer.data);
        for (int32_t r = 0; r < a->n_q; r++) table.quantize_q8_32(&acts, r, q + (size_t)r * kw);
        for (int32_t i = 0; i < a->n_q * kw; i++) q[i] = acts.scale[i / 32] * (float)acts.q[i];
        fenced_free(&buffer);
    }
    double *p = malloc((size_t)n * 64 * sizeof *p);
    for (int32_t r = 0; r < a->n_q; r++) {
        double top = test->sink ? *test->sink : -INFINITY, sum = 0, error = 0;
        for (int32_t t = 0; t < a->n_kv; t++) {
            double s = 0, size = 0;
            for (int32_t i = 0; i < kw; i++)
                s += (double)q[(size_t)r * kw + i] * keys[(size_t)t * kw + i],
                    size += fabs((double)q[(size_t)r * kw + i] * keys[(size_t)t * kw + i]);
            s *= a->scale, size *= a->scale;
            if (a->softcap != 0) s = a->softcap * tanh(s / a->softcap);
            p[t] = is_visible(a, a->q_pos[r], t) ? s : -INFINITY;
            top = fmax(top, p[t]), error = fmax(error, size * (kw + 4) * EPS);
        }
        for (int32_t t = 0; t < a->n_kv; t++) sum += p[t] = p[t] == -INFINITY ? 0 : exp(p[t] - top);
        if (test->sink) sum += exp(*test->sink - top);
        table.attend_finish(o + (size_t)r * vw, m[r], l[r], test->sink, vw, o + (size_t)r * vw);
        for (int32_t e = 0; e < vw; e++) {
            double y = 0, size = 0;
            for (int32_t t = 0; t < a->n_kv; t++)
                y += p[t] * values[(size_t)t * vw + e], size += fabs(p[t] * values[(size_t)t * vw + e]);
            y = sum > 0 ? y / sum : 0, size = sum > 0 ? size / sum : 0;
            near_one("attention", o[(size_t)r * vw + e], y, size * (2 * error + (a->n_kv + 60.0) * EPS) + 0x1p-120);
        }
    }
    free(p), free(a->work), free(k_pages), free(v_pages), free(m), free(l), free(q), free(o), free(keys), free(values),
        free(k), free(v);
}

static void attention_agrees_with_double(void **state) {
    (void)state;
    test_random random = {4};
    static const int32_t types[] = {LM_BLOCK_F32, LM_BLOCK_F16, LM_BLOCK_BF16, LM_BLOCK_Q8_0, LM_BLOCK_Q4_0};
    for (int i = 0; i < 60; i++) {
        int32_t pos[5], n_kv = i < 50 ? 1 + random_below(&random, 200) : 1000 + random_below(&random, 300);
        for (int r = 0; r < 5; r++) pos[r] = random_below(&random, n_kv);
        float sink = random_float(&random);
        attention test = {.sink = i % 3 == 0 ? &sink : NULL, .n_pages = (n_kv + 63) / 64};
        test.args = (lm_attend_args){.q_pos = pos,
                                     .n_q = 1 + i % 5,
                                     .k_width = i % 2 ? 64 : 96,
                                     .v_width = i % 4 ? 32 : 64,
                                     .n_kv = n_kv,
                                     .causal = i % 7 != 0,
                                     .window = i % 5 == 0 ? 1 + random_below(&random, 150) : 0,
                                     .v_from_k = i % 6 == 1,
                                     .scale = 0.125f,
                                     .softcap = i % 4 == 3 ? 2.0f : 0.0f};
        check_attention(&test, &random, types[i % 5]);
    }
}

/* ---- recurrent layers ---- */

static void short_conv_agrees_with_double(void **state) {
    (void)state;
    test_random random = {5};
    float x[7][20], taps[20 * 4], past[3][20], y[7][20];
    random_fill(&random, 0, 1.0f, x[0], 140), random_fill(&random, 0, 1.0f, taps, 80),
        random_fill(&random, 0, 1.0f, past[0], 60);
    double input[10][20];
    for (int t = 0; t < 10; t++)
        for (int c = 0; c < 20; c++) input[t][c] = t < 3 ? past[t][c] : x[t - 3][c];
    table.short_conv(x[0], 20, taps, 4, 20, LM_KACT_NONE, 7, past[0], y[0], 20);
    for (int t = 0; t < 7; t++)
        for (int c = 0; c < 20; c++) {
            double sum = 0;
            for (int j = 0; j < 4; j++) sum += taps[c * 4 + j] * input[t + j][c];
            near_one("short_conv", y[t][c], sum, 4 * 4 * EPS);
        }
    for (int t = 0; t < 3; t++)
        for (int c = 0; c < 20; c++) assert_true(past[t][c] == (float)input[7 + t][c]);
}

static void delta_rule_agrees_with_double(void **state) {
    (void)state;
    enum { DK = 24, DV = 20, T = 5 };
    test_random random = {6};
    static float q[T][DK], k[T][DK], v[T][DV], g[T], beta[T], s[DK][DV], y[T][DV];
    static double exact[DK][DV];
    random_fill(&random, 0, 0.3f, q[0], T * DK), random_fill(&random, 0, 0.3f, k[0], T * DK),
        random_fill(&random, 0, 1.0f, v[0], T * DV);
    random_fill(&random, 0, 1.0f, s[0], DK * DV), random_fill(&random, 0, 1.0f, g, T),
        random_fill(&random, 0, 1.0f, beta, T);
    for (int i = 0; i < DK * DV; i++) exact[i / DV][i % DV] = s[i / DV][i % DV];
    table.delta(&(lm_delta_args){.q = q[0],
                                 .k = k[0],
                                 .v = v[0],
                                 .q_stride = DK,
                                 .k_stride = DK,
                                 .v_stride = DV,
                                 .g = g,
                                 .beta = beta,
                                 .gate_stride = 1,
                                 .dk = DK,
                                 .dv = DV,
                                 .n_tokens = T,
                                 .q_scale = 0.5f,
                                 .state = s[0],
                                 .y = y[0],
                                 .y_stride = DV});
    for (int t = 0; t < T; t++)
        for (int j = 0; j < DV; j++) {
            double seen = 0, out = 0;
            for (int i = 0; i < DK; i++) exact[i][j] *= exp(g[t]), seen += exact[i][j] * k[t][i];
            for (int i = 0; i < DK; i++)
                exact[i][j] += k[t][i] * beta[t] * (v[t][j] - seen), out += exact[i][j] * q[t][i];
            near_one("delta", y[t][j], out * 0.5, 300 * EPS * (t + 1));
        }
    for (int i = 0; i < DK * DV; i++) near_one("delta state", s[i / DV][i % DV], exact[i / DV][i % DV], 300 * EPS * T);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_accurate),
        cmocka_unit_test(functions_meet_their_ends),
        cmocka_unit_test(norms_agree_with_double),
        cmocka_unit_test(rope_turns_pairs),
        cmocka_unit_test(max_is_the_lowest_index_and_skips_nan),
        cmocka_unit_test(oai_clamps_gate_and_up),
        cmocka_unit_test(cache_gives_back_what_it_can_hold),
        cmocka_unit_test(attention_agrees_with_double),
        cmocka_unit_test(short_conv_agrees_with_double),
        cmocka_unit_test(delta_rule_agrees_with_double),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
