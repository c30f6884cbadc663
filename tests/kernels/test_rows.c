/* SPDX-License-Identifier: MIT
 * Every level's float kernels against the C reference, bit for bit: rows, cache and recurrent layers (attention has its own
 * file). Operands end at a page that faults or start at odd addresses; outputs are compared with what lies around them.
 * usage: test_rows [--bench] [seed] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "harness.h"
#include "float_kernels.h"

static lm_kernels reference, tested;
static test_random random_state;
static uint64_t seed = 1;
static long checks;

#define MOST 1100
/* Inputs a, b, c and outputs x, y of MOST floats, each up to its fence. */
static test_fenced memory[5];
static float *in[3], *out[2];

/* The last n floats before the fence, or n floats that start one float later than a multiple of 64 bytes. */
static void place(int32_t n, int aligned) {
    for (int i = 0; i < 5; i++) {
        float *at = (float *)(void *)memory[i].data;
        at += aligned ? 1 : MOST - n;
        if (i < 3)
            in[i] = at;
        else
            out[i - 3] = at;
    }
}

static void fill(int kind, float scale, int32_t n) {
    for (int i = 0; i < 3; i++) random_fill(&random_state, kind, scale, in[i], (size_t)n);
}

static void same(const char *what, int32_t n, int kind, const void *a, const void *b, size_t bytes) {
    checks++;
    if (memcmp(a, b, bytes) == 0) return;
    size_t i = 0;
    const float *x = a, *y = b;
    while (i < bytes / 4 && memcmp(x + i, y + i, 4) == 0) i++;
    fprintf(stderr, "%s %s: n %d fill %d seed %llu: element %zu", lm_cpu_level_name(tested.level), what, n, kind,
            (unsigned long long)seed, i);
    if (i < bytes / 4) fprintf(stderr, " is %a, the reference says %a", x[i], y[i]);
    fprintf(stderr, "\n");
    exit(1);
}

/* Call with output y of both tables: the same bytes everywhere, also around the n floats. */
#define BOTH(what, slot, call)                                                                                         \
    if (tested.slot != reference.slot) {                                                                               \
        memset(memory[3].data, 0x33, MOST * 4), memset(memory[4].data, 0x33, MOST * 4);                                \
        for (int which = 0; which < 2; which++) {                                                                      \
            const lm_kernels *k = which ? &reference : &tested;                                                        \
            float *y = out[which];                                                                                     \
            call;                                                                                                      \
        }                                                                                                              \
        same(what, n, kind, memory[3].data, memory[4].data, MOST * 4);                                                 \
    }

static void check_rows(int32_t n, int kind, int aligned) {
    static const float scales[] = {1.0f, 30.0f};
    float cos_sin[MOST], value[2];
    int32_t index[2] = {-1, -2};
    place(n, aligned);
    fill(kind, scales[random_below(&random_state, 2)], n);
    const float *a = in[0], *b = in[1], *c = in[2];
    BOTH("rmsnorm", rmsnorm, k->rmsnorm(a, b, 1e-6f, n, y))
    BOTH("rmsnorm without weight", rmsnorm, k->rmsnorm(a, NULL, 1e-5f, n, y))
    BOTH("rmsnorm in place", rmsnorm, (memcpy(y, a, 4 * (size_t)n), k->rmsnorm(y, b, 1e-5f, n, y)))
    BOTH("length", length, y[0] = k->length(a, n))
    BOTH("layernorm", layernorm, k->layernorm(a, b, c, 1e-5f, n, y))
    BOTH("layernorm without", layernorm, k->layernorm(a, n % 2 ? b : NULL, n % 2 ? NULL : c, 1e-5f, n, y))
    for (int32_t act = LM_KACT_NONE; act <= LM_KACT_OAI; act++) {
        BOTH("glu", glu, k->glu(act, a, b, n, y))
        if (act != LM_KACT_OAI) BOTH("act", act, k->act(act, a, n, y))
    }
    BOTH("glu in place", glu, (memcpy(y, a, 4 * (size_t)n), k->glu(LM_KACT_SILU, y, b, n, y)))
    BOTH("add", add, k->add(a, b, n, y))
    BOTH("mul", mul, k->mul(a, b, n, y))
    BOTH("scale", scale, k->scale(a, 0.3f, n, y))
    BOTH("axpy", axpy, (memcpy(y, b, 4 * (size_t)n), k->axpy(-0.7f, a, n, y)))
    random_fill(&random_state, kind == FILL_TINY ? FILL_TINY : FILL_UNIFORM, 1.0f, cos_sin, (size_t)n);
    test_fenced fence = fenced_alloc((size_t)n * 4);
    memcpy(fence.data, cos_sin, (size_t)n * 4);
    for (int32_t adjacent = 0; adjacent < 2; adjacent++)
        BOTH("rope", rope,
             (memcpy(y, a, 4 * (size_t)n), k->rope(y, (const float *)(const void *)fence.data, n / 2 * 2, adjacent)))
    fenced_free(&fence);
    if (tested.max != reference.max) {
        value[0] = tested.max(a, n, index), value[1] = reference.max(a, n, index + 1);
        same("max", n, kind, value, value + 1, 4), same("max's index", n, kind, index, index + 1, 4);
        if (n > 2) in[0][n / 2] = NAN, in[0][n - 1] = NAN;
        value[0] = tested.max(a, n, index), value[1] = reference.max(a, n, index + 1);
        same("max with NaN", n, kind, value, value + 1, 4), same("max's index with NaN", n, kind, index, index + 1, 4);
    }
}

/* Functions of one float over all exponents: far more arguments than the rows above see. */
static void check_functions(void) {
    int kind = 0, n = 1024;
    if (tested.act == reference.act) return;
    place(n, 1);
    for (uint32_t bits = 0; bits < 0xfff00000u; bits += 1024u * 9973u) {
        for (int i = 0; i < n; i++) {
            float x = lm_bits_f32(bits + (uint32_t)i * 9973u);
            in[0][i] = x == x ? x : 0.0f;
            if (fabsf(in[0][i]) > 1e30f) in[0][i] = 1e30f;
        }
        for (int32_t act = LM_KACT_NONE; act < LM_KACT_OAI; act++)
            BOTH("act over all floats", act, k->act(act, in[0], n, y))
    }
    for (int32_t act = LM_KACT_NONE; act < LM_KACT_OAI; act++) { /* NaN stays NaN; nothing faults */
        float x[3] = {NAN, INFINITY, -INFINITY}, y[3];
        tested.act(act, x, 3, y);
        if (y[0] == y[0]) fprintf(stderr, "act %d loses a NaN\n", act), exit(1);
    }
}

static void check_cache(int32_t type, int32_t width, int kind) {
    test_fenced parts[2] = {fenced_alloc(lm_cache_k_bytes(type, width)), fenced_alloc(lm_cache_k_bytes(type, width))};
    int32_t n = width, bytes = (int32_t)lm_cache_k_bytes(type, width);
    place(width, 0);
    for (int is_k = 0; is_k < 2; is_k++) {
        for (int32_t slot = 0; slot < LM_PAGE_TOKENS; slot += 7) {
            fill(kind, 3.0f, width);
            if (slot == 14 && type != LM_BLOCK_F32 && type != LM_BLOCK_BF16 && type != LM_BLOCK_F16) in[0][0] = NAN;
            lm_cache_put_fn *put = is_k ? tested.cache_put_k : tested.cache_put_v;
            put(type, parts[0].data, width, slot, in[0]);
            (is_k ? reference.cache_put_k : reference.cache_put_v)(type, parts[1].data, width, slot, in[0]);
            same(is_k ? "cache_put_k" : "cache_put_v", width + 10000 * type, kind, parts[0].data, parts[1].data,
                 (size_t)bytes);
            if (is_k) {
                BOTH("cache_get_k", cache_get_k, k->cache_get_k(type, parts[0].data, width, slot, y))
            } else {
                BOTH("cache_get_v", cache_get_v, k->cache_get_v(type, parts[0].data, width, slot, y))
            }
        }
    }
    fenced_free(parts), fenced_free(parts + 1);
}

static void check_conv(int32_t n, int32_t n_taps, int32_t n_tokens, int32_t act) {
    size_t taps_size = (size_t)n * n_taps, state_size = (size_t)n * (n_taps - 1), x_size = (size_t)n * n_tokens;
    test_fenced taps = fenced_alloc(taps_size * 4), state[2], y[2], x = fenced_alloc(x_size * 4);
    random_fill(&random_state, 0, 1.0f, (float *)(void *)taps.data, taps_size);
    random_fill(&random_state, 1, 1.0f, (float *)(void *)x.data, x_size);
    for (int which = 0; which < 2; which++) {
        state[which] = fenced_alloc(state_size * 4), y[which] = fenced_alloc(x_size * 4);
        if (!which)
            random_fill(&random_state, 0, 1.0f, (float *)(void *)state[0].data, state_size);
        else
            memcpy(state[1].data, state[0].data, state_size * 4);
    }
    for (int which = 0; which < 2; which++)
        (which ? &reference : &tested)
            ->short_conv((float *)(void *)x.data, (size_t)n, (float *)(void *)taps.data, n_taps, n, act, n_tokens,
                         (float *)(void *)state[which].data, (float *)(void *)y[which].data, (size_t)n);
    same("short_conv", n, act, y[0].data, y[1].data, x_size * 4);
    same("short_conv's state", n, act, state[0].data, state[1].data, state_size * 4);
    for (int which = 0; which < 2; which++) fenced_free(state + which), fenced_free(y + which);
    fenced_free(&taps), fenced_free(&x);
}

static void check_delta(int32_t dk, int32_t dv, int32_t n_tokens, int kind) {
    size_t strides[] = {(size_t)dk + 3, (size_t)dk, (size_t)dv + 5};
    test_fenced operand[3], state[2], y[2], gate = fenced_alloc(8 * (size_t)n_tokens);
    for (int i = 0; i < 3; i++) {
        operand[i] = fenced_alloc(4 * strides[i] * (size_t)n_tokens);
        random_fill(&random_state, kind, 0.2f, (float *)(void *)operand[i].data, strides[i] * (size_t)n_tokens);
    }
    float *g = (float *)(void *)gate.data;
    for (int32_t t = 0; t < n_tokens; t++)
        g[2 * t] = -3.0f * fabsf(random_float(&random_state)), g[2 * t + 1] = fabsf(random_float(&random_state));
    for (int which = 0; which < 2; which++) {
        state[which] = fenced_alloc(4 * (size_t)dk * dv), y[which] = fenced_alloc(4 * (size_t)dv * n_tokens);
        if (which)
            memcpy(state[1].data, state[0].data, 4 * (size_t)dk * dv);
        else
            random_fill(&random_state, kind, 1.0f, (float *)(void *)state[0].data, (size_t)dk * dv);
    }
    for (int which = 0; which < 2; which++) {
        lm_delta_args args = {.q = (float *)(void *)operand[0].data,
                              .k = (float *)(void *)operand[1].data,
                              .v = (float *)(void *)operand[2].data,
                              .q_stride = strides[0],
                              .k_stride = strides[1],
                              .v_stride = strides[2],
                              .g = g,
                              .beta = g + 1,
                              .gate_stride = 2,
                              .dk = dk,
                              .dv = dv,
                              .n_tokens = n_tokens,
                              .q_scale = 0.088f,
                              .state = (float *)(void *)state[which].data,
                              .y = (float *)(void *)y[which].data,
                              .y_stride = (size_t)dv};
        (which ? &reference : &tested)->delta(&args);
    }
    same("delta", dv, kind, y[0].data, y[1].data, 4 * (size_t)dv * n_tokens);
    same("delta's state", dv, kind, state[0].data, state[1].data, 4 * (size_t)dk * dv);
    for (int i = 0; i < 3; i++) fenced_free(operand + i);
    for (int which = 0; which < 2; which++) fenced_free(state + which), fenced_free(y + which);
    fenced_free(&gate);
}

static void check_level(int32_t level) {
    static const int32_t more[] = {47, 61, 64, 127, 256, 509, 1024, 1099};
    static const int32_t types[] = {LM_BLOCK_F32, LM_BLOCK_F16, LM_BLOCK_BF16, LM_BLOCK_Q8_0, LM_BLOCK_Q4_0};
    lm_kernels_init(&tested, level);
    for (int kind = 0; kind < FILL_COUNT; kind++) {
        for (int32_t n = 1; n <= 35; n++) check_rows(n, kind, n % 2);
        for (size_t i = 0; i < sizeof more / sizeof *more; i++) check_rows(more[i], kind, (int)i % 2);
    }
    check_functions();
    for (int t = 0; t < 5; t++)
        for (int kind = 0; kind < FILL_COUNT; kind++)
            for (int32_t width = 32; width <= 96; width += 32) check_cache(types[t], width, kind);
    for (int t = 0; t < 3; t++)
        for (int32_t width = 1; width < 40; width += 3) check_cache(types[t], width, FILL_WIDE);
    if (tested.short_conv != reference.short_conv)
        for (int32_t n = 1; n < 40; n += 3)
            for (int32_t taps = 1; taps < 6; taps++)
                check_conv(n, taps, 1 + random_below(&random_state, 9), taps % 2 ? LM_KACT_SILU : LM_KACT_NONE);
    if (tested.delta != reference.delta)
        for (int32_t dv = 1; dv <= 144; dv += dv < 34 ? 3 : 37)
            for (int kind = 0; kind < FILL_COUNT; kind++)
                check_delta(1 + random_below(&random_state, 70), dv, 1 + random_below(&random_state, 4), kind);
}

/* ---- speed ---- */

static double clock_hz;
#define CYCLES(call)                                                                                                   \
    ({                                                                                                                 \
        double times[7];                                                                                               \
        for (int round = 0; round < 7; round++) {                                                                      \
            double start = test_seconds();                                                                             \
            for (int repeat = 0; repeat < 50; repeat++) call;                                                          \
            times[round] = (test_seconds() - start) / 50 * clock_hz;                                                   \
        }                                                                                                              \
        test_median(times, 7);                                                                                         \
    })

static void bench(const lm_kernels *k) {
    static float a[4096], b[4096], y[4096], s[128 * 128], gates[64], kv[3][32 * 128], part[64 * 128];
    static const char *acts[] = {"none", "silu",    "gelu", "gelu_erf", "gelu_quick",
                                 "relu", "sigmoid", "tanh", "softplus", "oai"};
    int32_t index, n = 4096;
    random_fill(&random_state, 0, 2.0f, a, 4096), random_fill(&random_state, 0, 2.0f, b, 4096);
    random_fill(&random_state, 0, 0.1f, kv[0], 3 * 32 * 128);
    clock_hz = test_clock();
    printf("%s, %.2f GHz, cycles per 16 values (n = 4096):\n", lm_cpu_level_name(k->level), clock_hz * 1e-9);
    printf("  rmsnorm %.1f", CYCLES(k->rmsnorm(a, b, 1e-6f, n, y)) / 256);
    printf("  layernorm %.1f", CYCLES(k->layernorm(a, b, b, 1e-6f, n, y)) / 256);
    for (int32_t act = 1; act <= LM_KACT_OAI; act++)
        printf("  glu %s %.1f", acts[act], CYCLES(k->glu(act, a, b, n, y)) / 256);
    printf("  add %.1f", CYCLES(k->add(a, b, n, y)) / 256);
    printf("  rope %.1f", CYCLES(k->rope(y, b, n, 0)) / 256);
    printf("  rope adjacent %.1f", CYCLES(k->rope(y, b, n, 1)) / 256);
    printf("  max %.1f\n", CYCLES(k->max(a, n, &index)) / 256);
    printf("  cycles per vector of 128: put k f16 %.0f", CYCLES(k->cache_put_k(LM_BLOCK_F16, part, 128, 3, a)));
    printf("  put v f16 %.0f", CYCLES(k->cache_put_v(LM_BLOCK_F16, part, 128, 3, a)));
    printf("  put q8_0 %.0f", CYCLES(k->cache_put_v(LM_BLOCK_Q8_0, part, 128, 3, a)));
    printf("  put q4_0 %.0f\n", CYCLES(k->cache_put_v(LM_BLOCK_Q4_0, part, 128, 3, a)));
    lm_delta_args args = {.q = kv[0],
                          .k = kv[1],
                          .v = kv[2],
                          .q_stride = 128,
                          .k_stride = 128,
                          .v_stride = 128,
                          .g = gates,
                          .beta = gates,
                          .gate_stride = 1,
                          .dk = 128,
                          .dv = 128,
                          .n_tokens = 32,
                          .q_scale = 1.0f,
                          .state = s,
                          .y = y,
                          .y_stride = 128};
    for (int i = 0; i < 64; i++) gates[i] = 0.5f;
    printf("  delta 128x128, cycles per token: %.0f of 32", CYCLES(k->delta(&args)) / 32);
    args.n_tokens = 1;
    printf(", %.0f of 1", CYCLES(k->delta(&args)));
    printf("; short_conv 4 taps, cycles per 16 channels and token %.1f\n",
           CYCLES(k->short_conv(a, 128, b, 4, 128, LM_KACT_SILU, 32, s, y, 128)) / 32 / 8);
}

int main(int argc, char **argv) {
    static const int32_t levels[] = {LM_CPU_AVX2, LM_CPU_AVX2_VNNI, LM_CPU_AVX512_VNNI,
                                     LM_CPU_NEON, LM_CPU_DOTPROD,   LM_CPU_I8MM};
    int is_bench = argc > 1 && strcmp(argv[1], "--bench") == 0;
    if (argc > 1 + is_bench) seed = strtoull(argv[1 + is_bench], NULL, 0);
    random_state.state = seed;
    for (int i = 0; i < 5; i++) memory[i] = fenced_alloc_aligned(MOST * 4);
    lm_kernels_init(&reference, LM_CPU_GENERIC);
    if (is_bench) bench(&reference);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (!lm_cpu_level_runs(levels[i])) continue;
        long before = checks;
        check_level(levels[i]);
        printf("%s: %ld comparisons, seed %llu\n", lm_cpu_level_name(levels[i]), checks - before,
               (unsigned long long)seed);
        if (is_bench) bench(&tested);
        if (checks - before < 1000 || tested.level != levels[i]) return 1;
    }
    return 0;
}
