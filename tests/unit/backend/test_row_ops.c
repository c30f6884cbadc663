/* SPDX-License-Identifier: MIT
 * Operations of few families against plain loops: streams (MIX, SPREAD), RESCALE, SPARSIFY, and per-head matrices, plain and transposed.
 * Each program reads its inputs from embedding tables, so a token's row is an input row; the levels must agree to the bit. */
#include "check.h"

#include <math.h>

#include "backend/cpu/cpu_backend.h"
#include "graph/graph.h"
#include "graph/graph_exec.h"

enum { ROWS = 9, STREAMS = 3, WIDTH = 37, HEADS = 3, IN = 40, OUT = 33, STRIDE = 80, FIRST = 5 };

static float values[4][ROWS * HEADS * STRIDE * IN];

static float noise(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 40) / (double)(1 << 23) - 1);
}

static lm_tensor table(int32_t index, const char *name, int64_t ne0, int64_t ne1) {
    return (lm_tensor){.name = name,
                       .dtype = LM_DTYPE_F32,
                       .n_dims = 2,
                       .ne = {ne0, ne1, 1, 1},
                       .data = values[index],
                       .bytes = (uint64_t)(ne0 * ne1) * sizeof(float)};
}

static int32_t input(lm_graph *g, int32_t index, const char *name, int32_t width) {
    lm_tensor t = table(index, name, width, ROWS);
    return lm_graph_embed(g, lm_graph_tensor(g, &t), 1, LM_EMBED_TOKEN, 0);
}

typedef int32_t build_fn(lm_graph *g);

/* Run a program on every level of this machine; out receives the rows, which must be the same bytes everywhere. */
static void run_everywhere(build_fn *build, int32_t width, float *out) {
    static float first[ROWS * HEADS * STRIDE * IN];
    lm_env env;
    int n_runs = 0;
    lm_env_init(&env, NULL, NULL);
    uint64_t seed = 7;
    for (size_t i = 0; i < sizeof values / sizeof(float); i++) (&values[0][0])[i] = noise(&seed);
    for (int32_t level = 0; level <= lm_cpu_detect(); level++) {
        if (!lm_cpu_level_runs(level)) continue;
        lm_cpu cpu;
        lm_cpu_init(&cpu, &env, NULL, 1, level);
        lm_backend backend = lm_cpu_backend(&cpu);
        lm_graph graph;
        lm_program program;
        lm_error error;
        lm_exec *exec;
        lm_graph_init(&graph, &env);
        int32_t y = build(&graph), devices[2] = {0, 0};
        graph.hidden = y; /* alive to the end */
        assert_int_equal(lm_graph_width(&graph, y), width);
        assert_int_equal(lm_graph_finish(&graph, &(lm_graph_limits){ROWS, ROWS, 1, ROWS, 0, 0}, &program, &error),
                         LM_OK);
        for (int32_t o = 0; o < program.n_ops; o++)
            assert_true(backend.op_supported(backend.user, 0, &program, &program.ops[o]));
        lm_placement placement = {&backend, 0, NULL};
        assert_int_equal(lm_exec_create(&env, &program, &placement, 1, devices, 0, &exec, &error), LM_OK);
        lm_token tokens[ROWS];
        int32_t positions[ROWS];
        for (int32_t i = 0; i < ROWS; i++) tokens[i] = positions[i] = i;
        lm_span span = {.n_tokens = ROWS, .state = -1};
        lm_run run = {.struct_size = sizeof run,
                      .n_tokens = ROWS,
                      .n_spans = 1,
                      .tokens = tokens,
                      .positions = positions,
                      .spans = &span};
        assert_int_equal(lm_exec_run(exec, &run), LM_OK);
        assert_int_equal(lm_exec_read(exec, y, 0, ROWS, out), LM_OK);
        if (n_runs++ == 0) memcpy(first, out, (size_t)(ROWS * width) * sizeof *out);
        assert_memory_equal(out, first, (size_t)(ROWS * width) * sizeof *out);
        lm_exec_destroy(exec);
        lm_graph_destroy(&graph);
    }
    assert_true(n_runs > 0);
}

static void check(const char *what, float found, double expected, double scale) {
    if (!(fabs((double)found - expected) <= 3e-6 * scale))
        fail_msg("%s: %g, expected %g", what, (double)found, expected);
}

static int32_t build_mix(lm_graph *g) {
    return lm_graph_mix(g, input(g, 0, "x", STREAMS * WIDTH), input(g, 1, "c", STREAMS * STREAMS), STREAMS);
}

static void mix_adds_each_stream_times_its_coefficient(void **state) {
    (void)state;
    static float y[ROWS * STREAMS * WIDTH];
    run_everywhere(build_mix, STREAMS * WIDTH, y);
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < STREAMS; i++)
            for (int e = 0; e < WIDTH; e++) {
                const float *x = values[0] + r * STREAMS * WIDTH, *c = values[1] + r * STREAMS * STREAMS;
                double sum = (double)x[i * WIDTH + e];
                for (int j = 0; j < STREAMS; j++) sum += (double)c[i * STREAMS + j] * (double)x[j * WIDTH + e];
                check("mix", y[(r * STREAMS + i) * WIDTH + e], sum, 4);
            }
}

static int32_t build_spread(lm_graph *g) {
    return lm_graph_spread(g, input(g, 0, "x", WIDTH), input(g, 1, "c", STREAMS), input(g, 2, "base", STREAMS * WIDTH),
                           STREAMS);
}

static int32_t build_spread_evenly(lm_graph *g) {
    return lm_graph_spread(g, input(g, 0, "x", WIDTH), -1, input(g, 2, "base", STREAMS * WIDTH), STREAMS);
}

static void spread_adds_one_row_to_every_stream(void **state) {
    (void)state;
    static float y[2][ROWS * STREAMS * WIDTH];
    run_everywhere(build_spread, STREAMS * WIDTH, y[0]);
    run_everywhere(build_spread_evenly, STREAMS * WIDTH, y[1]);
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < STREAMS; i++)
            for (int e = 0; e < WIDTH; e++) {
                int at = (r * STREAMS + i) * WIDTH + e;
                double x = (double)values[0][r * WIDTH + e], c = (double)values[1][r * STREAMS + i],
                       b = (double)values[2][at];
                check("spread", y[0][at], b + (1 + c) * x, 3);
                check("spread evenly", y[1][at], b + x, 2);
            }
}

static int32_t build_rescale(lm_graph *g) {
    return lm_graph_rescale(g, input(g, 0, "x", STREAMS * WIDTH), input(g, 1, "like", WIDTH));
}

static double norm(const float *x) {
    double sum = 0;
    for (int e = 0; e < WIDTH; e++) sum += (double)x[e] * (double)x[e];
    return sqrt(sum);
}

static void rescale_gives_every_group_the_length_of_another_row(void **state) {
    (void)state;
    static float y[ROWS * STREAMS * WIDTH];
    run_everywhere(build_rescale, STREAMS * WIDTH, y);
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < STREAMS; i++) {
            const float *x = values[0] + (r * STREAMS + i) * WIDTH;
            double factor = norm(values[1] + r * WIDTH) / norm(x);
            for (int e = 0; e < WIDTH; e++)
                check("rescale", y[(r * STREAMS + i) * WIDTH + e], factor * (double)x[e], 2);
        }
}

static int32_t build_sparsify(lm_graph *g) { return lm_graph_sparsify(g, input(g, 0, "x", WIDTH), 0.75f); }

static void sparsify_keeps_what_exceeds_mean_and_deviation(void **state) {
    (void)state;
    static float y[ROWS * WIDTH];
    int zeros = 0;
    run_everywhere(build_sparsify, WIDTH, y);
    for (int r = 0; r < ROWS; r++) {
        const float *x = values[0] + r * WIDTH;
        double mean = 0, squares = 0;
        for (int e = 0; e < WIDTH; e++) mean += (double)x[e] / WIDTH;
        for (int e = 0; e < WIDTH; e++) squares += ((double)x[e] - mean) * ((double)x[e] - mean);
        double cut = mean + 0.75 * sqrt(squares / (WIDTH - 1));
        for (int e = 0; e < WIDTH; e++) {
            check("sparsify", y[r * WIDTH + e], (double)x[e] > cut ? (double)x[e] - cut : 0, 1);
            zeros += y[r * WIDTH + e] == 0;
        }
    }
    assert_true(zeros > ROWS * WIDTH / 2 && zeros < ROWS * WIDTH);
}

static int32_t build_heads(lm_graph *g) {
    lm_tensor w = table(3, "w", IN, HEADS * STRIDE);
    return lm_graph_head_linear(g, input(g, 0, "x", HEADS * IN), lm_graph_tensor(g, &w),
                                &(lm_graph_heads){HEADS, IN, OUT, STRIDE, FIRST, 0});
}

static int32_t build_transposed(lm_graph *g) {
    lm_tensor w = table(3, "w", OUT, HEADS * STRIDE);
    return lm_graph_head_linear(g, input(g, 0, "x", HEADS * IN), lm_graph_tensor(g, &w),
                                &(lm_graph_heads){HEADS, IN, OUT, STRIDE, FIRST, 1});
}

static void heads_read_their_own_rows_of_a_matrix(void **state) {
    (void)state;
    static float y[2][ROWS * HEADS * OUT];
    run_everywhere(build_heads, HEADS * OUT, y[0]);
    run_everywhere(build_transposed, HEADS * OUT, y[1]);
    for (int r = 0; r < ROWS; r++)
        for (int h = 0; h < HEADS; h++)
            for (int o = 0; o < OUT; o++) {
                const float *x = values[0] + (r * HEADS + h) * IN, *w = values[3];
                double plain = 0, transposed = 0;
                for (int i = 0; i < IN; i++) {
                    plain += (double)w[(h * STRIDE + FIRST + o) * IN + i] * (double)x[i];
                    transposed += (double)w[(h * STRIDE + FIRST + i) * OUT + o] * (double)x[i];
                }
                check("head_linear", y[0][(r * HEADS + h) * OUT + o], plain, 10);
                check("head_linear transposed", y[1][(r * HEADS + h) * OUT + o], transposed, 10);
            }
}

static void misfitting_heads_are_refused(void **state) {
    (void)state;
    const lm_graph_heads bad[] = {{HEADS, IN, OUT, STRIDE, STRIDE, 0}, {0, IN, OUT, STRIDE, 0, 0},
                                  {HEADS, IN, OUT, OUT - 1, 0, 0},     {HEADS, IN, OUT, STRIDE, -1, 0},
                                  {HEADS, IN, OUT, STRIDE, 0, 1},      {HEADS + 1, IN, OUT, STRIDE, 0, 0},
                                  {HEADS, IN, OUT, INT32_MAX, 0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lm_env env;
        lm_graph g;
        lm_env_init(&env, NULL, NULL);
        lm_graph_init(&g, &env);
        lm_tensor w = table(3, "w", IN, HEADS * STRIDE);
        int32_t x = input(&g, 0, "x", HEADS * IN);
        assert_int_equal(lm_graph_head_linear(&g, x, lm_graph_tensor(&g, &w), &bad[i]), -1);
        assert_int_equal(g.status, LM_ERR_FORMAT);
        lm_graph_destroy(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mix_adds_each_stream_times_its_coefficient),
        cmocka_unit_test(spread_adds_one_row_to_every_stream),
        cmocka_unit_test(rescale_gives_every_group_the_length_of_another_row),
        cmocka_unit_test(sparsify_keeps_what_exceeds_mean_and_deviation),
        cmocka_unit_test(heads_read_their_own_rows_of_a_matrix),
        cmocka_unit_test(misfitting_heads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
