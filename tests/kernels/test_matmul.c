/* SPDX-License-Identifier: MIT
 * Matrix products and activation quantisers: the C reference against dequantised weights in double precision, then every slot
 * that a level changed against the C reference, by memcmp. Weights, activations and outputs end at a page that faults.
 *
 *     test_matmul [--seed N] [--level NAME] [--type NAME] [--bench [MIB]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "generic/generic.h"
#include "half.h"
#include "harness.h"

typedef struct weight_type {
    int32_t type;
    const char *name;
    int32_t act, values, bytes;
} weight_type;
#define ROW(type, name, act, values, bytes) {type, #name, act, values, bytes},
static const weight_type types[] = {LM_WEIGHT_TYPES(ROW)};
enum { N_TYPES = sizeof types / sizeof types[0] };

static const int32_t levels[] = {LM_CPU_AVX2, LM_CPU_AVX2_VNNI, LM_CPU_AVX512_VNNI,
                                 LM_CPU_NEON, LM_CPU_DOTPROD,   LM_CPU_I8MM};
enum { N_LEVELS = sizeof levels / sizeof levels[0] };

static test_random rng;
static const char *only_level, *only_type;
static long n_checks, n_failures;

/* ---- inputs ---- */

enum { W_RANDOM, W_ZERO, W_ONES, W_ALTERNATE, W_RUNS, W_KINDS };
enum { A_RANDOM, A_ZERO, A_TOP, A_BOTTOM, A_ALTERNATE, A_HOT, A_TINY, A_KINDS };

/* Keep every float scale of a block finite and at most 2 in size: clear the top exponent bit of an f16. */
static void tame(const weight_type *t, uint8_t *b) {
    static const struct {
        int32_t type, at[2];
    } halves[] = {
        {LM_BLOCK_F16, {0, -1}},    {LM_BLOCK_Q4_0, {0, -1}},   {LM_BLOCK_Q4_1, {0, 2}},   {LM_BLOCK_Q5_0, {0, -1}},
        {LM_BLOCK_Q5_1, {0, 2}},    {LM_BLOCK_Q8_0, {0, -1}},   {LM_BLOCK_Q1_0, {0, -1}},  {LM_BLOCK_Q2_0, {0, -1}},
        {LM_BLOCK_IQ4NL, {0, -1}},  {LM_BLOCK_Q2K, {80, 82}},   {LM_BLOCK_Q3K, {108, -1}}, {LM_BLOCK_Q4K, {0, 2}},
        {LM_BLOCK_Q5K, {0, 2}},     {LM_BLOCK_Q6K, {208, -1}},  {LM_BLOCK_IQ4XS, {0, -1}}, {LM_BLOCK_TQ1_0, {52, -1}},
        {LM_BLOCK_TQ2_0, {64, -1}}, {LM_BLOCK_IQ2XXS, {0, -1}}, {LM_BLOCK_IQ2XS, {0, -1}}, {LM_BLOCK_IQ2S, {0, -1}},
        {LM_BLOCK_IQ3XXS, {0, -1}}, {LM_BLOCK_IQ3S, {0, -1}},   {LM_BLOCK_IQ1S, {0, -1}},  {LM_BLOCK_IQ1M, {54, -1}}};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++)
        if (halves[i].type == t->type)
            for (int j = 0; j < 2 && halves[i].at[j] >= 0; j++) b[halves[i].at[j] + 1] &= 0xbf;
    if (t->type == LM_BLOCK_F32) b[3] &= 0xbf;
    if (t->type == LM_BLOCK_BF16) b[1] &= 0xbf;
    if (t->type == LM_BLOCK_MXFP4 && b[0] > 0x90) b[0] &= 0x7f;
}

static void fill_weights(const weight_type *t, int kind, uint8_t *w, size_t n_blocks) {
    size_t bytes = n_blocks * (size_t)t->bytes;
    uint8_t run = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (random_u32(&rng) % 16 == 0) run = (uint8_t)random_u32(&rng);
        switch (kind) {
        case W_ZERO: w[i] = 0; break;
        case W_ONES: w[i] = 0xff; break;
        case W_ALTERNATE: w[i] = i % 2 ? 0xff : 0x00; break;
        case W_RUNS: w[i] = run; break;
        default: w[i] = (uint8_t)random_u32(&rng);
        }
    }
    for (size_t i = 0; i < n_blocks; i++) tame(t, w + i * (size_t)t->bytes);
}

static float activation(int kind, size_t i, size_t hot) {
    switch (kind) {
    case A_ZERO: return 0;
    case A_TOP: return 3;
    case A_BOTTOM: return -3;
    case A_ALTERNATE: return i % 2 ? -3.0f : 3.0f;
    case A_HOT: return i == hot ? 100.0f : 0;
    case A_TINY: return random_float(&rng) * 0x1p-120f;
    default: return random_float(&rng) * (i % 37 == 0 ? 8.0f : 1.0f);
    }
}

/* Quantised or float activations of n columns in fenced memory. */
typedef struct columns {
    lm_acts acts;
    test_fenced memory;
} columns;

static columns make_columns(const lm_kernels *kernels, int32_t act, int kind, int32_t n, int32_t k) {
    columns a;
    float *x = malloc((size_t)k * sizeof *x);
    if (!x) exit(3);
    if (act == LM_ACT_F32) {
        size_t stride = (size_t)k + 3;
        a.memory = fenced_alloc(((size_t)(n - 1) * stride + (size_t)k) * sizeof(float));
        lm_acts_bind(&a.acts, act, n, k, NULL);
        a.acts.f32 = (const float *)(const void *)a.memory.data;
        a.acts.f32_stride = stride;
    } else {
        a.memory = fenced_alloc_aligned(lm_acts_bytes(act, n, k));
        lm_acts_bind(&a.acts, act, n, k, a.memory.data);
    }
    for (int32_t c = 0; c < n; c++) {
        int which = kind == A_RANDOM && c % 5 == 4 ? A_ALTERNATE : kind;
        size_t hot = random_u32(&rng) % (uint32_t)k;
        for (int32_t i = 0; i < k; i++) x[i] = activation(which, (size_t)i, hot);
        if (act == LM_ACT_F32)
            memcpy(a.memory.data + (size_t)c * a.acts.f32_stride * sizeof(float), x, (size_t)k * sizeof(float));
        else if (act == LM_ACT_Q8_32)
            kernels->quantize_q8_32(&a.acts, c, x);
        else
            kernels->quantize_q8_256(&a.acts, c, x);
    }
    free(x);
    return a;
}

/* ---- reference against double ---- */

static void check_reference(const lm_kernels *c, const weight_type *t) {
    const int32_t k = 512, n = 3, rows = 2;
    const size_t row_bytes = (size_t)(k / t->values) * (size_t)t->bytes;
    for (int wk = 0; wk < W_KINDS; wk++) {
        uint8_t *w = malloc(row_bytes * (size_t)rows);
        float *d = malloc((size_t)k * sizeof *d);
        if (!w || !d) exit(3);
        fill_weights(t, wk, w, (size_t)(k / t->values * rows));
        columns a = make_columns(c, t->act, A_RANDOM, n, k);
        float out[6];
        c->weights[t->type].matvec(w, row_bytes, rows, &a.acts, 0, n, out, (size_t)rows);
        for (int32_t r = 0; r < rows; r++) {
            c->weights[t->type].dequantize(w + (size_t)r * row_bytes, d, (size_t)k);
            for (int32_t col = 0; col < n; col++) {
                double sum = 0, size = 0;
                int32_t group = t->act == LM_ACT_Q8_256 ? 256 : 32;
                for (int32_t i = 0; i < k; i++) {
                    double x = t->act == LM_ACT_F32
                                   ? a.acts.f32[(size_t)col * a.acts.f32_stride + (size_t)i]
                                   : (double)a.acts.scale[(col * k + i) / group] * a.acts.q[col * k + i];
                    sum += d[i] * x, size += fabs(d[i] * x);
                }
                /* Roundings: one per block and column of each product, sum and dequantised value; 2^-126 of underflow each. */
                double bound = (size + 1e-30) * (k / 16 + 8) * 0x1p-24;
                n_checks++;
                if (!(fabs(out[col * rows + r] - sum) <= bound)) {
                    n_failures++;
                    printf("FAIL %s reference, weights %d: %.9g, double %.9g, bound %.3g\n", t->name, wk,
                           out[col * rows + r], sum, bound);
                }
            }
        }
        fenced_free(&a.memory);
        free(w);
        free(d);
    }
}

/* ---- levels against the reference ---- */

static void report(const weight_type *t, int32_t level, const char *what, int32_t rows, int32_t k, int32_t first,
                   int32_t n, int wk, int ak, const float *got, const float *want, size_t count) {
    size_t i = 0;
    while (i < count && !memcmp(got + i, want + i, sizeof *got)) i++;
    n_failures++;
    if (n_failures <= 20)
        printf("FAIL %s %s %s: rows %d k %d columns %d+%d weights %d acts %d: out[%zu] %.9g, reference %.9g\n", t->name,
               lm_cpu_level_name(level), what, rows, k, first, n, wk, ak, i, (double)got[i], (double)want[i]);
}

/* One shape: rows x k weights, columns [first, first + n) of first + n (+ 1). */
static void check_shape(const lm_kernels *c, const lm_kernels *v, const weight_type *t, int32_t rows, int32_t k,
                        int32_t first, int32_t n, int wk, int ak, int use_matmul) {
    const size_t row_bytes = (size_t)(k / t->values) * (size_t)t->bytes, stride = (size_t)rows + 5,
                 n_all = (size_t)(first + n + 1);
    const size_t out_count = (size_t)(n - 1) * stride + (size_t)rows;
    const lm_weight_kernels *slot = &v->weights[t->type];
    test_fenced w = fenced_alloc(row_bytes * (size_t)rows);
    fill_weights(t, wk, w.data, (size_t)(k / t->values) * (size_t)rows);
    columns a = make_columns(c, t->act, ak, (int32_t)n_all, k);
    test_fenced got = fenced_alloc(out_count * sizeof(float)), want = fenced_alloc(out_count * sizeof(float));
    float *g = (float *)(void *)got.data, *r = (float *)(void *)want.data;
    for (int32_t at = 0; at < n; at += 4)
        c->weights[t->type].matvec(w.data, row_bytes, rows, &a.acts, first + at, n - at < 4 ? n - at : 4,
                                   r + (size_t)at * stride, stride);
    if (use_matmul) {
        test_fenced panel = {0}, work = {0};
        if (slot->pack) {
            panel = fenced_alloc_aligned(slot->pack_bytes((int32_t)n_all, k));
            for (int32_t at = 0; at < (int32_t)n_all; at += LM_PACK_COLUMNS)
                slot->pack(panel.data, &a.acts, at,
                           (int32_t)n_all - at < LM_PACK_COLUMNS ? (int32_t)n_all - at : LM_PACK_COLUMNS);
        }
        if (slot->matmul_work_bytes) work = fenced_alloc_aligned(slot->matmul_work_bytes(n, k));
        slot->matmul(slot->form, w.data, row_bytes, rows, &a.acts, panel.data, first, n, work.data, g, stride);
        if (panel.map) fenced_free(&panel);
        if (work.map) fenced_free(&work);
    } else {
        slot->matvec(w.data, row_bytes, rows, &a.acts, first, n, g, stride);
    }
    n_checks++;
    if (memcmp(g, r, out_count * sizeof *g))
        report(t, v->level, use_matmul ? "matmul" : "matvec", rows, k, first, n, wk, ak, g, r, out_count);
    fenced_free(&w);
    fenced_free(&a.memory);
    fenced_free(&got);
    fenced_free(&want);
}

static void check_type(const lm_kernels *c, const lm_kernels *v, const weight_type *t) {
    const lm_weight_kernels *slot = &v->weights[t->type];
    const int32_t unit = t->act == LM_ACT_F32 ? 1 : t->values < 32 ? 32 : t->values;
    if (slot->matvec != c->weights[t->type].matvec) {
        static const int32_t rows[] = {1, 2, 7, 8, 15, 16, 17, 31, 33, 48, 70};
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            for (int32_t n = 1; n <= 4; n++)
                check_shape(c, v, t, rows[i], unit * (1 + (int32_t)((i + (size_t)n) % 3)), n == 2 ? 3 : 0, n, W_RANDOM,
                            A_RANDOM, 0);
        for (int wk = 0; wk < W_KINDS; wk++)
            for (int ak = 0; ak < A_KINDS; ak++) check_shape(c, v, t, 16, unit * 2, 0, 1 + (wk + ak) % 4, wk, ak, 0);
        check_shape(c, v, t, 37, unit * (unit >= 256 ? 5 : unit == 1 ? 1009 : 67), 0, 1, W_RANDOM, A_RANDOM, 0);
        check_shape(c, v, t, 16, unit * (unit >= 256 ? 17 : unit == 1 ? 4099 : 131), 1, 4, W_RANDOM, A_RANDOM, 0);
        if (unit >= 256) check_shape(c, v, t, 3, unit * 70, 0, 1, W_RANDOM, A_RANDOM, 0); /* more than a segment of k */
        if (unit == 1)
            for (int32_t k = 1; k < 70; k++) check_shape(c, v, t, 5 + k % 13, k, 0, 1 + k % 4, W_RANDOM, A_RANDOM, 0);
    }
    if (slot->matmul && slot->matmul != c->weights[t->type].matmul) {
        static const int32_t rows[] = {1, 5, 16, 31, 32, 33, 64, 100, 129, 160},
                             ns[] = {1, 2, 5, 8, 9, 13, 24, 32, 33, 47, 64, 70};
        for (size_t i = 0; i < 24; i++)
            check_shape(c, v, t, rows[i % 10], unit * (1 + (int32_t)(i % 5)), i % 3 ? 0 : LM_PACK_COLUMNS, ns[i % 12],
                        W_RANDOM, A_RANDOM, 1);
        for (int wk = 0; wk < W_KINDS; wk++)
            for (int ak = 0; ak < A_KINDS; ak++) check_shape(c, v, t, 32, unit * 2, 0, 5 + (wk + ak) % 4, wk, ak, 1);
        check_shape(c, v, t, 96, unit * (unit >= 256 ? 7 : unit == 1 ? 1009 : 35), 0, 17, W_RANDOM, A_RANDOM, 1);
    }
}

static void check_quantizer(const lm_kernels *c, const lm_kernels *v, int32_t act) {
    static const float special[] = {0.0f,   -0.0f, 1e-45f,  0x1p-126f, 0x1p-121f, 3e-37f,   -1.0f,
                                    127.0f, 1e30f, 3.4e38f, NAN,       INFINITY,  -INFINITY};
    for (int round = 0; round < 200; round++) {
        int32_t k = (act == LM_ACT_Q8_256 ? 256 : 32) * (1 + round % 9), n = 2;
        test_fenced x = fenced_alloc((size_t)k * sizeof(float)), a = fenced_alloc_aligned(lm_acts_bytes(act, n, k)),
                    b = fenced_alloc_aligned(lm_acts_bytes(act, n, k));
        float *values = (float *)(void *)x.data;
        random_fill(&rng, round % FILL_COUNT, 1.0f, values, (size_t)k);
        for (int j = 0; j < round % 5; j++) values[random_u32(&rng) % (uint32_t)k] = special[random_u32(&rng) % 13];
        if (round % 7 == 3) /* halves of a step: ties */
            for (int32_t i = 0; i < k; i++) values[i] = (float)(random_below(&rng, 509) - 254) * 0.5f;
        lm_acts ra, rb;
        lm_acts_bind(&ra, act, n, k, a.data);
        lm_acts_bind(&rb, act, n, k, b.data);
        int32_t column = round % 2;
        (act == LM_ACT_Q8_256 ? c->quantize_q8_256 : c->quantize_q8_32)(&ra, column, values);
        (act == LM_ACT_Q8_256 ? v->quantize_q8_256 : v->quantize_q8_32)(&rb, column, values);
        n_checks++;
        if (memcmp(a.data, b.data, lm_acts_bytes(act, n, k))) {
            n_failures++;
            printf("FAIL quantize act %d %s round %d\n", act, lm_cpu_level_name(v->level), round);
        }
        fenced_free(&x);
        fenced_free(&a);
        fenced_free(&b);
    }
}

/* ---- speed ---- */

static volatile uint64_t sink;

static void bench_type(const lm_kernels *v, const weight_type *t, size_t mib, double clock) {
    const lm_weight_kernels *slot = &v->weights[t->type];
    const int32_t k = 4096;
    const size_t row_bytes = (size_t)(k / t->values) * (size_t)t->bytes, bytes = mib << 20;
    const int32_t rows = (int32_t)(bytes / row_bytes / 128 * 128),
                  core = (int32_t)((256u << 10) / row_bytes / 32 * 32) + 32;
    enum { REPS = 5, MAX_N = 512 };
    columns a = make_columns(v, t->act, A_RANDOM, MAX_N, k);
    uint8_t *w = malloc(bytes);
    float *out = malloc((size_t)(rows > 2048 * 128 ? rows : 2048 * 128) * 4 * sizeof *out);
    if (!w || !out) exit(3);
    fill_weights(t, W_RANDOM, w, (size_t)core * row_bytes / (size_t)t->bytes);
    for (size_t at = (size_t)core * row_bytes, part = at; at < (size_t)rows * row_bytes; at += part)
        memcpy(w + at, w, at + part <= (size_t)rows * row_bytes ? part : (size_t)rows * row_bytes - at);
    printf("%-10s %-7s L2 cycles/block", lm_cpu_level_name(v->level), t->name);
    for (int32_t n = 1; n <= 4; n++) {
        double best = 1e9;
        for (int r = 0; r < 4 * REPS; r++) {
            double start = test_seconds();
            for (int i = 0; i < 2; i++) slot->matvec(w, row_bytes, core, &a.acts, 0, n, out, (size_t)core);
            best = fmin(best, (test_seconds() - start) / 2 / core / (k / t->values) * clock);
        }
        printf(" %.2f", best);
    }
    printf(" | read share of");
    for (int32_t n = 1; n <= 4 && rows >= core; n++) {
        double time = 1e9, limit = 1e9;
        for (int r = 0; r < REPS; r++) {
            double t0 = test_seconds();
            sink += v->limit_read(w, (size_t)rows * row_bytes);
            double t1 = test_seconds();
            slot->matvec(w, row_bytes, rows, &a.acts, 0, n, out, (size_t)rows);
            limit = fmin(limit, t1 - t0);
            time = fmin(time, test_seconds() - t1);
        }
        if (n == 1) printf(" %.1f GB/s:", 1e-9 * (double)rows * (double)row_bytes / limit);
        printf(" %.3f", limit / time);
        fflush(stdout);
    }
    if (slot->matmul) {
        const int32_t m = rows < 1024 ? rows : 1024;
        void *panel = slot->pack ? bench_alloc(slot->pack_bytes(MAX_N, k)) : NULL, *work = NULL;
        if (slot->matmul_work_bytes) work = bench_alloc(slot->matmul_work_bytes(MAX_N, k));
        printf(" | peak share");
        static const int32_t ns[] = {4, 5, 6, 8, 12, 16, 24, 32, 64, 512};
        for (size_t in = 0; in < sizeof ns / sizeof ns[0]; in++) {
            double time = 1e9, peak = 0, pack_time = 1e9;
            for (int r = 0; r < (ns[in] < 64 ? 3 * REPS : REPS); r++) {
                double t0 = test_seconds();
                for (int32_t at = 0; slot->pack && at < ns[in]; at += LM_PACK_COLUMNS)
                    slot->pack(panel, &a.acts, at, ns[in] - at < LM_PACK_COLUMNS ? ns[in] - at : LM_PACK_COLUMNS);
                uint64_t changed = sink;
                double t1 = test_seconds(), ops = v->limit_dot(100000, &changed), t2 = test_seconds();
                sink = changed;
                slot->matmul(slot->form, w, row_bytes, m, &a.acts, panel, 0, ns[in], work, out, (size_t)m);
                time = fmin(time, test_seconds() - t2);
                peak = fmax(peak, ops / (t2 - t1)), pack_time = fmin(pack_time, t1 - t0);
            }
            printf(" n%d %.3f", ns[in], 2.0 * m * ns[in] * k / time / peak);
            if (ns[in] == 512) printf(" (pack +%.3f)", pack_time / time);
            fflush(stdout);
        }
        bench_free(panel);
        bench_free(work);
    }
    printf("\n");
    fenced_free(&a.memory);
    free(w);
    free(out);
}

int main(int argc, char **argv) {
    uint64_t seed = 20261120;
    size_t bench_mib = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--level") && i + 1 < argc)
            only_level = argv[++i];
        else if (!strcmp(argv[i], "--type") && i + 1 < argc)
            only_type = argv[++i];
        else if (!strcmp(argv[i], "--bench"))
            bench_mib = i + 1 < argc && argv[i + 1][0] != '-' ? strtoull(argv[++i], NULL, 0) : 512;
        else
            return fprintf(stderr, "usage: test_matmul [--seed N] [--level NAME] [--type NAME] [--bench [MIB]]\n"), 2;
    }
    rng.state = seed;
    static lm_kernels c, v;
    lm_kernels_init(&c, LM_CPU_GENERIC);
    if (!bench_mib) {
        printf("seed %llu, machine %s\n", (unsigned long long)seed, lm_cpu_level_name(lm_cpu_detect()));
        for (int t = 0; t < N_TYPES; t++)
            if (!only_type || !strcmp(only_type, types[t].name)) check_reference(&c, &types[t]);
    }
    double clock = bench_mib ? test_clock() : 0;
    if (bench_mib) printf("clock %.2f GHz, weights %zu MiB, CPU time, minima\n", clock * 1e-9, bench_mib);
    int n_levels = 0;
    for (int i = 0; i < N_LEVELS; i++) {
        if (!test_level_runs(levels[i]) || (only_level && strcmp(only_level, lm_cpu_level_name(levels[i])))) continue;
        lm_kernels_init(&v, levels[i]);
        int changed = 0;
        long before = n_checks;
        if (v.level != levels[i]) n_failures++, printf("FAIL level %d asked, %d made\n", levels[i], v.level);
        if (!bench_mib && v.quantize_q8_32 != c.quantize_q8_32) check_quantizer(&c, &v, LM_ACT_Q8_32);
        if (!bench_mib && v.quantize_q8_256 != c.quantize_q8_256) check_quantizer(&c, &v, LM_ACT_Q8_256);
        for (int t = 0; t < N_TYPES; t++) {
            const lm_weight_kernels *slot = &v.weights[types[t].type], *plain = &c.weights[types[t].type];
            if ((only_type && strcmp(only_type, types[t].name)) ||
                (slot->matvec == plain->matvec && slot->matmul == plain->matmul))
                continue;
            changed++;
            if (bench_mib)
                bench_type(&v, &types[t], bench_mib, clock);
            else
                check_type(&c, &v, &types[t]);
        }
        n_levels++;
        if (bench_mib) continue;
        printf("%-10s %d types, %ld checks\n", lm_cpu_level_name(levels[i]), changed, n_checks - before);
        if (changed == 0) n_failures++, printf("FAIL level %s changes nothing\n", lm_cpu_level_name(levels[i]));
    }
    if (n_failures) printf("%ld of %ld checks failed\n", n_failures, n_checks);
    if (!bench_mib && n_checks == 0) return printf("FAIL nothing was checked\n"), 1;
    if (!bench_mib) printf("%ld checks, %d levels\n", n_checks, n_levels);
    return n_failures != 0;
}
