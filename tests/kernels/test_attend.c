/* SPDX-License-Identifier: MIT
 * Every level's attention against the C reference, bit for bit: all storage types and many shapes, positions, windows, sinks
 * and caps; slots without a token hold NaN; rows, their order and their grouping must not matter.
 * usage: test_attend [--bench] [seed] */
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

static const int32_t types[] = {LM_BLOCK_F32, LM_BLOCK_F16, LM_BLOCK_BF16, LM_BLOCK_Q8_0, LM_BLOCK_Q4_0};

typedef struct problem {
    lm_attend_args args;
    test_fenced q, pos, k[LM_SPAN_PAGES], v[LM_SPAN_PAGES], work, o, m, l;
    const void *k_pages[LM_SPAN_PAGES], *v_pages[LM_SPAN_PAGES];
} problem;

static test_fenced floats(size_t n, int kind, float scale) {
    test_fenced memory = fenced_alloc(n * 4);
    random_fill(&random_state, kind, scale, (float *)(void *)memory.data, n);
    return memory;
}

/* args with widths, types, counts, window and flags set; the rest is made. Pages no row sees are NULL, empty slots are NaN. */
static void make(problem *p, const lm_attend_args *args, const int32_t *positions, int kind) {
    float x[1024];
    p->args = *args;
    lm_attend_args *a = &p->args;
    a->q_stride = (size_t)a->k_width + 3, a->o_stride = (size_t)a->v_width + 5;
    p->q = floats(a->q_stride * a->n_q, kind, 1.0f), p->pos = fenced_alloc((size_t)a->n_q * 4);
    memcpy(p->pos.data, positions, (size_t)a->n_q * 4);
    a->q = (float *)(void *)p->q.data, a->q_pos = (int32_t *)(void *)p->pos.data;
    size_t work = lm_attend_work_bytes(&tested, a->k_type, a->k_width, a->v_width, a->n_q),
           other = lm_attend_work_bytes(&reference, a->k_type, a->k_width, a->v_width, a->n_q);
    p->work = fenced_alloc_aligned(work > other ? work : other);
    p->o = fenced_alloc(a->o_stride * a->n_q * 4), p->m = fenced_alloc((size_t)a->n_q * 4),
    p->l = fenced_alloc((size_t)a->n_q * 4);
    a->work = p->work.data, a->o = (float *)(void *)p->o.data, a->m = (float *)(void *)p->m.data,
    a->l = (float *)(void *)p->l.data;
    a->k_pages = p->k_pages, a->v_pages = a->v_from_k ? NULL : p->v_pages;
    for (int32_t page = 0; page < a->n_pages; page++) {
        int32_t seen = 0, first, end;
        for (int32_t r = 0; r < a->n_q; r++)
            seen |= lm_attend_visible(a, positions[r], a->first_page + page, &first, &end);
        p->k[page] = fenced_alloc(lm_cache_k_bytes(a->k_type, a->k_width));
        p->v[page] = fenced_alloc(lm_cache_v_bytes(a->v_type, a->v_width));
        memset(p->k[page].data, 0xff, lm_cache_k_bytes(a->k_type, a->k_width));
        memset(p->v[page].data, 0xff, lm_cache_v_bytes(a->v_type, a->v_width));
        for (int32_t j = 0; j < LM_PAGE_TOKENS && (a->first_page + page) * LM_PAGE_TOKENS + j < a->n_kv; j++) {
            random_fill(&random_state, kind, 1.0f, x, (size_t)a->k_width);
            reference.cache_put_k(a->k_type, p->k[page].data, a->k_width, j, x);
            random_fill(&random_state, kind, 1.0f, x, (size_t)a->v_width);
            /* Rows that do not see this token must not notice; the others may. */
            if (kind == FILL_UNIFORM && j == 40 && a->v_type != LM_BLOCK_Q8_0 && a->v_type != LM_BLOCK_Q4_0)
                x[0] = INFINITY;
            reference.cache_put_v(a->v_type, p->v[page].data, a->v_width, j, x);
        }
        p->k_pages[page] = seen ? p->k[page].data : NULL, p->v_pages[page] = seen ? p->v[page].data : NULL;
    }
}

static void drop(problem *p) {
    for (int32_t page = 0; page < p->args.n_pages; page++) fenced_free(p->k + page), fenced_free(p->v + page);
    fenced_free(&p->q), fenced_free(&p->pos), fenced_free(&p->work), fenced_free(&p->o), fenced_free(&p->m),
        fenced_free(&p->l);
}

static void same(const char *what, const problem *p, const void *x, const void *y, size_t n) {
    const lm_attend_args *a = &p->args;
    const float *tested_value = x, *expected = y;
    checks++;
    size_t i = 0;
    while (i < n && (memcmp(tested_value + i, expected + i, 4) == 0 || (isnan(tested_value[i]) && isnan(expected[i]))))
        i++;
    if (i == n) return;
    fprintf(stderr,
            "%s attend %s: types %d %d widths %d %d rows %d pages %d+%d kv %d window %d causal %d v_from_k %d cap %g "
            "seed %llu: element %zu is %a, not %a\n",
            lm_cpu_level_name(tested.level), what, a->k_type, a->v_type, a->k_width, a->v_width, a->n_q, a->first_page,
            a->n_pages, a->n_kv, a->window, a->causal, a->v_from_k, (double)a->softcap, (unsigned long long)seed, i,
            (double)tested_value[i], (double)expected[i]);
    exit(1);
}

static void check(const lm_attend_args *args, const int32_t *positions, int kind) {
    problem p;
    make(&p, args, positions, kind);
    size_t o_size = p.args.o_stride * args->n_q, n_q = (size_t)args->n_q;
    float *o = malloc(o_size * 4), *m = malloc(n_q * 8), *y = malloc(o_size * 4);
    p.args.kernels = &tested;
    tested.attend(&p.args);
    memcpy(o, p.args.o, o_size * 4), memcpy(m, p.args.m, n_q * 4), memcpy(m + n_q, p.args.l, n_q * 4);
    memset(p.o.data, 0x5a, o_size * 4), memset(p.m.data, 0, n_q * 4), memset(p.l.data, 0, n_q * 4);
    for (size_t r = 0; r < n_q; r++)
        for (int i = 0; i < 5; i++)
            p.args.o[r * p.args.o_stride + args->v_width + i] = o[r * p.args.o_stride + args->v_width + i];
    p.args.kernels = &reference;
    reference.attend(&p.args);
    same("m", &p, m, p.args.m, n_q), same("l", &p, m + n_q, p.args.l, n_q), same("o", &p, o, p.args.o, o_size);
    for (size_t r = 0; r < n_q; r++) { /* the other two slots */
        float *mine = o + r * p.args.o_stride, *theirs = p.args.o + r * p.args.o_stride,
              m2 = 3.0f * random_float(&random_state), sink = random_float(&random_state);
        float l2 = random_u32(&random_state) % 4 ? 2.0f : 0.0f;
        if (l2 == 0.0f) m2 = -INFINITY;
        random_fill(&random_state, kind, 1.0f, y, (size_t)args->v_width);
        tested.attend_merge(mine, m + r, m + n_q + r, y, m2, l2, args->v_width);
        reference.attend_merge(theirs, p.args.m + r, p.args.l + r, y, m2, l2, args->v_width);
        tested.attend_finish(mine, m[r], m[n_q + r], r % 2 ? &sink : NULL, args->v_width, mine);
        reference.attend_finish(theirs, p.args.m[r], p.args.l[r], r % 2 ? &sink : NULL, args->v_width, theirs);
    }
    same("merged m", &p, m, p.args.m, n_q), same("merged l", &p, m + n_q, p.args.l, n_q),
        same("finished", &p, o, p.args.o, o_size);
    free(o), free(m), free(y);
    drop(&p);
}

static void check_level(int32_t level) {
    static const int32_t widths[] = {64, 80, 96, 128, 192, 256, 512};
    int32_t positions[128];
    lm_kernels_init(&tested, level);
    for (int round = 0; round < 300; round++) {
        lm_attend_args args = {
            .k_type = types[round % 5], .v_type = types[round / 5 % 5], .scale = 0.25f, .causal = round % 9 != 0};
        args.k_width = widths[random_below(&random_state, 7)], args.v_width = widths[random_below(&random_state, 7)];
        if (args.k_type != LM_BLOCK_Q8_0 && args.k_type != LM_BLOCK_Q4_0 && round % 3 == 0)
            args.k_width = 1 + random_below(&random_state, 70);
        if (args.v_type != LM_BLOCK_Q8_0 && args.v_type != LM_BLOCK_Q4_0 && round % 4 == 0)
            args.v_width = 1 + random_below(&random_state, 150);
        if (args.k_width % 32 && types[round % 5] > 1 && args.k_type != LM_BLOCK_BF16) args.k_width = 96;
        if (args.v_width % 32 && (args.v_type == LM_BLOCK_Q8_0 || args.v_type == LM_BLOCK_Q4_0)) args.v_width = 64;
        if (round % 20 == 7) args.v_from_k = 1, args.k_width = 160, args.v_width = round % 40 == 7 ? 128 : 96;
        if (round % 20 == 8 || round % 20 == 9)
            args.v_from_k = 1, args.k_width = 96, args.v_width = 48; /* ends within a block */
        args.n_pages = 1 + random_below(&random_state, 3),
        args.first_page = random_below(&random_state, 2) * LM_SPAN_PAGES;
        int32_t base = args.first_page * LM_PAGE_TOKENS, span = args.n_pages * LM_PAGE_TOKENS;
        args.n_kv = base + 1 + random_below(&random_state, span);
        if (round % 4 == 1) args.window = 1 + random_below(&random_state, 100);
        if (round % 5 == 2) args.softcap = 1.5f;
        int shape = random_below(&random_state, 4), group = 1 + random_below(&random_state, 8);
        args.n_q = shape == 0   ? group
                   : shape == 1 ? 1 + random_below(&random_state, 40)
                                : random_below(&random_state, 4) * group + group;
        int32_t start = base - 20 + random_below(&random_state, span + 20);
        for (int32_t r = 0; r < args.n_q; r++) /* one token's group; scattered; a prompt in groups */
            positions[r] = shape == 0   ? start
                           : shape == 1 ? random_below(&random_state, base + span + 50)
                                        : start + r / group;
        check(&args, positions, round % 3 == 0 ? FILL_UNIFORM : random_below(&random_state, FILL_COUNT));
    }
    lm_attend_args latent = {.k_type = LM_BLOCK_F16,
                             .v_type = LM_BLOCK_F16,
                             .k_width = 576,
                             .v_width = 512,
                             .n_q = 17,
                             .n_pages = 1,
                             .n_kv = 50,
                             .scale = 0.07f,
                             .causal = 1,
                             .v_from_k = 1};
    for (int32_t r = 0; r < 17; r++) positions[r] = 33 + r;
    for (int t = 0; t < 5; t++) latent.k_type = types[t], check(&latent, positions, FILL_UNIFORM);
}

/* ---- speed ---- */

static volatile uint64_t read_sum;

/* Seconds of a plain read loop. */
static double read_time(const void *memory, size_t bytes) {
    const uint64_t *p = memory;
    uint64_t sum = 0;
    double start = test_seconds();
    for (size_t i = 0; i + 32 <= bytes / 8; i += 32)
        for (size_t j = 0; j < 32; j++) sum += p[i + j];
    read_sum = sum;
    return test_seconds() - start;
}

/* Time of attention over all of a long cache of one type, 16 pages at a time; n_kv tokens, rows of one token or of a prompt's end. */
static void bench_one(const lm_kernels *k, int32_t type, int32_t width, int32_t n_q, int32_t group, int32_t n_kv,
                      double clock) {
    int32_t n_pages = n_kv / LM_PAGE_TOKENS, v_width = width == 576 ? 512 : width;
    size_t k_bytes = lm_cache_k_bytes(type, width), v_bytes = width == 576 ? 0 : lm_cache_v_bytes(type, v_width),
           page = k_bytes + v_bytes;
    uint8_t *cache = bench_alloc((size_t)n_pages * page);
    float *q = bench_alloc((size_t)n_q * width * 4), *o = bench_alloc((size_t)n_q * v_width * 4 * 2), m[512], l[512],
          x[576];
    int32_t pos[512];
    const void *kp[LM_SPAN_PAGES], *vp[LM_SPAN_PAGES];
    random_fill(&random_state, 0, 1.0f, q, (size_t)n_q * width), random_fill(&random_state, 0, 1.0f, x, 576);
    for (int32_t j = 0; j < n_pages * LM_PAGE_TOKENS; j++) {
        x[j % width] = random_float(&random_state);
        k->cache_put_k(type, cache + (size_t)(j / LM_PAGE_TOKENS) * page, width, j % LM_PAGE_TOKENS, x);
        if (v_bytes)
            k->cache_put_v(type, cache + (size_t)(j / LM_PAGE_TOKENS) * page + k_bytes, v_width, j % LM_PAGE_TOKENS, x);
    }
    for (int32_t r = 0; r < n_q; r++) pos[r] = n_kv - n_q / group + r / group;
    lm_attend_args args = {.kernels = k,
                           .q = q,
                           .q_stride = (size_t)width,
                           .q_pos = pos,
                           .n_q = n_q,
                           .k_type = type,
                           .v_type = type,
                           .k_width = width,
                           .v_width = v_width,
                           .k_pages = kp,
                           .v_pages = vp,
                           .n_kv = n_kv,
                           .causal = 1,
                           .v_from_k = !v_bytes,
                           .scale = 0.1f,
                           .o = o,
                           .m = m,
                           .l = l,
                           .o_stride = (size_t)v_width,
                           .work = bench_alloc(lm_attend_work_bytes(k, type, width, v_width, n_q))};
    double times[15], reads[15];
    for (int round = 0; round < 15; round++) {
        double start = test_seconds();
        for (int32_t first = 0; first < n_pages; first += LM_SPAN_PAGES) {
            args.first_page = first, args.n_pages = n_pages - first < LM_SPAN_PAGES ? n_pages - first : LM_SPAN_PAGES;
            for (int32_t i = 0; i < args.n_pages; i++)
                kp[i] = cache + (size_t)(first + i) * page, vp[i] = (const uint8_t *)kp[i] + k_bytes;
            k->attend(&args);
        }
        times[round] = test_seconds() - start;
        reads[round] = read_time(cache, (size_t)n_pages * page);
    }
    test_median(times, 15), test_median(reads, 15); /* sorted: the best run of each, as the machine is shared */
    double time = times[0], bytes = (double)n_pages * page, flops = 2.0 * n_q * n_kv * (width + v_width);
    static const char *names[] = {[LM_BLOCK_F32] = "f32",
                                  [LM_BLOCK_F16] = "f16",
                                  [LM_BLOCK_Q4_0] = "q4_0",
                                  [LM_BLOCK_Q8_0] = "q8_0",
                                  [LM_BLOCK_BF16] = "bf16"};
    printf("  %-5s width %3d rows %3d kv %6d: %8.1f us, %5.2f GB/s (%.2f of read), %6.1f GFLOP/s (%.1f per cycle)\n",
           names[type], width, n_q, n_kv, time * 1e6, bytes / time * 1e-9, reads[0] / time, flops / time * 1e-9,
           flops / time / clock);
    bench_free(cache), bench_free(q), bench_free(o), bench_free(args.work);
}

static void bench(const lm_kernels *k) {
    double clock = test_clock();
    printf("%s: %.2f GHz\n", lm_cpu_level_name(k->level), clock * 1e-9);
    for (int32_t group = 1; group <= 8; group *= 2) bench_one(k, LM_BLOCK_F16, 128, group, group, 1024, clock);
    for (int32_t group = 1; group <= 8; group *= 2) bench_one(k, LM_BLOCK_F16, 128, group, group, 131072, clock);
    for (int t = 0; t < 5; t++) bench_one(k, types[t], 128, 4, 4, 1024, clock);
    for (int t = 0; t < 5; t++) bench_one(k, types[t], 128, 4, 4, 65536, clock);
    bench_one(k, LM_BLOCK_F16, 64, 4, 4, 131072, clock);
    bench_one(k, LM_BLOCK_F16, 576, 16, 16, 16384, clock);
    for (int32_t n_q = 16; n_q <= 256; n_q *= 2) bench_one(k, LM_BLOCK_F16, 128, n_q, 4, 4096, clock);
    for (int t = 0; t < 5; t++) bench_one(k, types[t], 128, 64, 4, 4096, clock);
    bench_one(k, LM_BLOCK_F16, 64, 64, 4, 4096, clock);
    bench_one(k, LM_BLOCK_F16, 256, 64, 4, 4096, clock);
    bench_one(k, LM_BLOCK_F16, 576, 64, 16, 4096, clock);
}

int main(int argc, char **argv) {
    static const int32_t levels[] = {LM_CPU_AVX2, LM_CPU_AVX2_VNNI, LM_CPU_AVX512_VNNI,
                                     LM_CPU_NEON, LM_CPU_DOTPROD,   LM_CPU_I8MM};
    int is_bench = argc > 1 && strcmp(argv[1], "--bench") == 0;
    if (argc > 1 + is_bench) seed = strtoull(argv[1 + is_bench], NULL, 0);
    random_state.state = seed;
    lm_kernels_init(&reference, LM_CPU_GENERIC);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (!lm_cpu_level_runs(levels[i])) continue;
        long before = checks;
        check_level(levels[i]);
        printf("%s: %ld comparisons, seed %llu\n", lm_cpu_level_name(levels[i]), checks - before,
               (unsigned long long)seed);
        if (is_bench) bench(&tested);
        if (checks - before < 1000) return 1;
    }
    return 0;
}
