/* SPDX-License-Identifier: MIT
 * The arena of random programs, checked by brute force: every 64 bytes remember which value was written there last, and an operation
 * finds all its inputs intact. Outputs overlap an input only where the operation allows it. */
#include "graph_support.h"

#define MOST_GRANULES 8192
#define N_RECENT 12

static uint64_t seed;
static uint32_t random_below(uint32_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

static uint64_t rows_of(const lm_value *v) {
    return (uint64_t)(v->domain == LM_DOMAIN_TOKENS    ? small_limits.max_tokens
                      : v->domain == LM_DOMAIN_OUTPUTS ? small_limits.max_outputs
                                                       : small_limits.max_spans);
}

static uint64_t granules_of(const lm_value *v) { return (rows_of(v) * (uint64_t)v->width * 4 + 63) / 64; }

static bool overlap(const lm_value *a, const lm_value *b) {
    return a->offset < b->offset + granules_of(b) * 64 && b->offset < a->offset + granules_of(a) * 64;
}

static void check_outputs(const lm_program *p, const lm_op *op, int32_t number) {
    int32_t alias = lm_op_alias(op->kind);
    for (int o = 0; o < LM_OP_OUTPUTS; o++) {
        if (op->out[o] < 0) continue;
        const lm_value *out = &p->values[op->out[o]];
        for (int i = 0; i < LM_OP_INPUTS; i++) {
            if (op->in[i] < 0 || !overlap(out, &p->values[op->in[i]])) continue;
            if (o != 0 || i != alias || out->offset != p->values[op->in[i]].offset ||
                granules_of(out) != granules_of(&p->values[op->in[i]]))
                fail_msg("operation %d (%s): output %d lies on input %d", number, lm_op_name(op->kind), o, i);
        }
        for (int other = 0; other < o; other++) assert_false(overlap(out, &p->values[op->out[other]]));
    }
}

static int32_t check_program(const lm_program *p, const lm_graph *g) {
    static int32_t owner[MOST_GRANULES];
    int32_t n_aliased = 0;
    assert_in_range(p->arena_bytes, 1, MOST_GRANULES * 64);
    for (int i = 0; i < MOST_GRANULES; i++) owner[i] = -1;
    for (int32_t o = 0; o < p->n_ops; o++) {
        const lm_op *op = &p->ops[o];
        for (int i = 0; i < LM_OP_INPUTS; i++) {
            if (op->in[i] < 0) continue;
            const lm_value *v = &p->values[op->in[i]];
            for (uint64_t k = 0; k < granules_of(v); k++)
                if (owner[v->offset / 64 + k] != op->in[i])
                    fail_msg("operation %d (%s): input %d was overwritten", o, lm_op_name(op->kind), i);
        }
        check_outputs(p, op, o);
        for (int i = 0; i < LM_OP_OUTPUTS; i++) {
            if (op->out[i] < 0) continue;
            const lm_value *v = &p->values[op->out[i]];
            assert_int_equal(v->offset % 64, 0);
            assert_true(v->offset + granules_of(v) * 64 <= p->arena_bytes);
            int32_t alias = lm_op_alias(op->kind);
            n_aliased += i == 0 && alias >= 0 && op->in[alias] >= 0 && v->offset == p->values[op->in[alias]].offset;
            for (uint64_t k = 0; k < granules_of(v); k++) owner[v->offset / 64 + k] = op->out[i];
        }
    }
    const int32_t results[] = {g->logits, g->hidden};
    for (int r = 0; r < 2; r++)
        for (uint64_t k = 0; results[r] >= 0 && k < granules_of(&p->values[results[r]]); k++)
            assert_int_equal(owner[p->values[results[r]].offset / 64 + k], results[r]);
    return n_aliased;
}

/* A recent value of this domain, preferably of this width; -1 when there is none. */
static int32_t pick(const lm_graph *g, int32_t domain, int32_t width) {
    int32_t n = (int32_t)g->values.count;
    for (int try = 0; try < 30; try++) {
        int32_t v = n - 1 - (int32_t)random_below(n < N_RECENT ? (uint32_t)n : N_RECENT);
        if (g->values.data[v].domain == domain && (width == 0 || g->values.data[v].width == width)) return v;
    }
    return -1;
}

static void add_random_op(lm_graph *g) {
    int32_t domain = random_below(4) ? LM_DOMAIN_TOKENS : LM_DOMAIN_OUTPUTS, x = pick(g, domain, 0), y[4], ids, weights;
    if (x < 0) return;
    int32_t width = lm_graph_width(g, x), same = pick(g, domain, width);
    if (same < 0) same = x;
    int32_t out = 1 + (int32_t)random_below(100);
    switch (random_below(15)) {
    case 0: lm_graph_norm(g, LM_NORM_RMS, x, -1, -1, 1e-5f, 0); break;
    case 1: lm_graph_linear(g, x, new_tensor(g, width, out, 1), -1, -1, -1); break;
    case 2: lm_graph_linear(g, x, new_tensor(g, width, width, 1), -1, -1, same); break;
    case 3: {
        lm_graph_matrix m[4];
        int32_t n = 1 + (int32_t)random_below(4);
        for (int32_t i = 0; i < n; i++)
            m[i] = (lm_graph_matrix){new_tensor(g, width, 1 + (int32_t)random_below(60), 1), -1, -1};
        lm_graph_linears(g, x, m, n, y);
        break;
    }
    case 4: lm_graph_glu(g, LM_ACTIVATION_SILU, same, x, -1); break;
    case 5: lm_graph_glu(g, LM_ACTIVATION_SILU, same, x, same); break;
    case 6: lm_graph_act(g, LM_ACTIVATION_RELU, x); break;
    case 7: lm_graph_scale(g, x, -1, 2); break;
    case 8: lm_graph_add(g, x, same, -1); break;
    case 9: lm_graph_add(g, x, x, -1); break;
    case 10: lm_graph_softcap(g, x, 30); break;
    case 11: lm_graph_slice(g, x, width, 0, (width + 1) / 2); break;
    case 12:
        if (width < 1000) lm_graph_concat(g, x, width, same, width);
        break;
    case 13: {
        int32_t n_experts = 4, logits = lm_graph_linear(g, x, new_tensor(g, width, n_experts, 1), -1, -1, -1);
        lm_graph_route(g, logits, -1, LM_GATING_SOFTMAX, 2, 0, 0, 1, 1, &ids, &weights);
        lm_graph_experts_weights w = {new_tensor(g, width, 20, n_experts),
                                      new_tensor(g, width, 20, n_experts),
                                      new_tensor(g, 20, width, n_experts),
                                      -1,
                                      -1,
                                      -1,
                                      -1,
                                      -1,
                                      -1,
                                      false};
        lm_graph_experts(g, x, ids, weights, &w, LM_ACTIVATION_SILU, 20, random_below(2) ? same : -1);
        break;
    }
    default:
        if (domain == LM_DOMAIN_TOKENS) lm_graph_gather(g, x);
        break;
    }
}

static void live_values_never_overlap(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    int32_t n_aliased = 0;
    seed = 20260806;
    for (int round = 0; round < 400; round++) {
        lm_graph g;
        lm_program program;
        lm_error error = {0};
        lm_graph_init(&g, &env);
        lm_graph_embed(&g, new_tensor(&g, 1 + random_below(64), 10, 1), 1, LM_EMBED_TOKEN, 0);
        uint32_t n = 1 + random_below(60);
        for (uint32_t i = 0; i < n; i++) add_random_op(&g);
        g.logits = (int32_t)g.values.count - 1;
        if (random_below(2)) g.hidden = (int32_t)random_below((uint32_t)g.values.count);
        if (lm_graph_finish(&g, &small_limits, &program, &error) != LM_OK) fail_msg("%s", error.message);
        n_aliased += check_program(&program, &g);
        lm_graph_destroy(&g);
    }
    assert_true(n_aliased > 1000); /* otherwise the check of aliases has checked nothing */
    assert_int_equal(memory.live_bytes, 0);
}

/* A chain of operations that may work in place needs one place. */
static void chains_work_in_place(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_graph g;
    lm_program program;
    lm_graph_init(&g, &env);
    int32_t x = lm_graph_embed(&g, new_tensor(&g, 16, 10, 1), 1, LM_EMBED_TOKEN, 0);
    x = lm_graph_norm(&g, LM_NORM_RMS, x, -1, -1, 1e-5f, 0);
    x = lm_graph_act(&g, LM_ACTIVATION_RELU, x);
    x = lm_graph_scale(&g, x, -1, 3);
    x = lm_graph_softcap(&g, x, 30);
    g.logits = lm_graph_add(&g, x, -1, new_tensor(&g, 16, 1, 1));
    assert_int_equal(lm_graph_finish(&g, &small_limits, &program, NULL), LM_OK);
    assert_int_equal(program.arena_bytes, 5 * 16 * 4);
    lm_graph_destroy(&g);

    /* But not when the input is read again later, or twice by the operation, or is a result. */
    lm_graph_init(&g, &env);
    int32_t a = lm_graph_embed(&g, new_tensor(&g, 16, 10, 1), 1, LM_EMBED_TOKEN, 0);
    int32_t b = lm_graph_act(&g, LM_ACTIVATION_RELU, a);
    int32_t c = lm_graph_add(&g, b, b, -1);
    int32_t d = lm_graph_add(&g, c, a, -1);
    g.hidden = d;
    g.logits = lm_graph_softcap(&g, d, 30);
    assert_int_equal(lm_graph_finish(&g, &small_limits, &program, NULL), LM_OK);
    check_program(&program, &g);
    assert_true(program.values[a].offset != program.values[b].offset);
    assert_true(program.values[b].offset != program.values[c].offset);
    assert_int_equal(program.values[c].offset, program.values[d].offset);
    assert_true(program.values[d].offset != program.values[g.logits].offset);
    lm_graph_destroy(&g);
    assert_int_equal(memory.live_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_values_never_overlap),
        cmocka_unit_test(chains_work_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
