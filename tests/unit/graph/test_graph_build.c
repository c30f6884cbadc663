/* SPDX-License-Identifier: MIT
 * Building programs: every constructor refuses operands whose widths do not fit, the first failure sticks, nothing leaks at any
 * failed allocation. */
#include "graph_support.h"

typedef struct bench {
    lm_graph g;
    int32_t x, other; /* [tokens, 32], [tokens, 24] */
    int32_t rope, cache, state, gate;
    int32_t weights[4]; /* [32], [24], [32, 24], [24, 32] */
} bench;

static void begin(bench *b, const lm_env *env) {
    lm_graph *g = &b->g;
    lm_graph_init(g, env);
    b->x = lm_graph_embed(g, new_tensor(g, 32, 10, 1), 1, LM_EMBED_TOKEN, 0);
    b->other = lm_graph_embed(g, new_tensor(g, 24, 10, 1), 1, LM_EMBED_CONSTANT, 9);
    b->gate = lm_graph_embed(g, new_tensor(g, 1, 10, 1), 1, LM_EMBED_TOKEN, 0);
    b->rope = lm_graph_rope(g, &(lm_rope){.n_rot = 16, .factors = -1, .base = 10000, .freq_scale = 1, .magnitude = 1});
    lm_cache_layer layer = {.group = lm_graph_cache_group(g, 0), .n_heads_kv = 2, .k_width = 16, .v_width = 12};
    b->cache = lm_graph_cache_layer(g, &layer);
    b->state = lm_graph_state_layer(g, 96);
    b->weights[0] = new_tensor(g, 32, 1, 1);
    b->weights[1] = new_tensor(g, 24, 1, 1);
    b->weights[2] = new_tensor(g, 32, 24, 1);
    b->weights[3] = new_tensor(g, 24, 32, 1);
}

/* Each case appends one operation; odd numbers are wrong. Returns whether there was such a case. */
static bool append_case(bench *b, int number) {
    lm_graph *g = &b->g;
    int32_t x = b->x, o = b->other, *w = b->weights, ids, weights, n_experts = 4;
    lm_cache_layer keys_alone = {.group = 0, .n_heads_kv = 2, .k_width = 16};
    lm_graph_experts_weights e = {-1, -1, -1, -1, -1, -1, -1, -1, -1, false};
    switch (number) {
    case 0: lm_graph_norm(g, LM_NORM_RMS, x, w[0], -1, 1e-5f, 0); break;
    case 1: lm_graph_norm(g, LM_NORM_RMS, x, w[1], -1, 1e-5f, 0); break;
    case 2: lm_graph_norm(g, LM_NORM_LAYER, x, w[0], w[0], 1e-5f, 32); break;
    case 3: lm_graph_norm(g, LM_NORM_LAYER, x, w[0], w[1], 1e-5f, 0); break;
    case 4: lm_graph_norm(g, LM_NORM_L2, x, -1, -1, 1e-5f, 8); break;
    case 5: lm_graph_norm(g, LM_NORM_L2, x, -1, -1, 1e-5f, 7); break;
    case 6: lm_graph_linear(g, x, w[2], w[1], -1, o); break;
    case 7: lm_graph_linear(g, x, w[3], -1, -1, -1); break;
    case 8: lm_graph_linear(g, x, w[2], -1, -1, -1); break;
    case 9: lm_graph_linear(g, x, w[2], w[0], -1, -1); break;
    case 11: lm_graph_linear(g, x, w[2], -1, w[1], -1); break;
    case 13: lm_graph_linear(g, x, w[2], -1, -1, x); break;
    case 14: lm_graph_rotate(g, x, b->rope, 16, 0, 0, 0); break;
    case 15: lm_graph_rotate(g, x, b->rope, 8, 0, 0, 0); break;
    case 16: lm_graph_rotate(g, x, b->rope, 32, 16, 0, 0); break;
    case 17: lm_graph_rotate(g, x, b->rope, 32, 17, 0, 0); break;
    case 19: lm_graph_rotate(g, x, b->rope, 20, 0, 0, 0); break;
    case 21: lm_graph_rotate(g, x, b->rope, 0, 0, 0, 0); break;
    case 23: lm_graph_rotate(g, x, b->rope, 32, -1, 0, 0); break;
    case 24: lm_graph_cache_store(g, b->cache, x, o); break;
    case 25: lm_graph_cache_store(g, b->cache, o, o); break;
    case 27: lm_graph_cache_store(g, b->cache, x, x); break;
    case 29: lm_graph_cache_store(g, b->cache, x, -1); break; /* the layer keeps values */
    case 30: lm_graph_attend(g, x, b->cache, -1, 2, 12, 1, 0, 0, 1); break;
    case 31: lm_graph_attend(g, o, b->cache, -1, 2, 12, 1, 0, 0, 1); break;
    case 33: lm_graph_attend(g, x, b->cache, -1, 2, 13, 1, 0, 0, 1); break; /* wider than what the cache holds */
    case 35: lm_graph_attend(g, x, b->cache, -1, 0, 12, 1, 0, 0, 1); break;
    case 37: lm_graph_attend(g, x, b->cache, w[0], 2, 12, 1, 0, 0, 1); break;
    case 38: lm_graph_glu(g, LM_ACTIVATION_SILU, x, x, x); break;
    case 39: lm_graph_glu(g, LM_ACTIVATION_SILU, o, x, -1); break;
    case 40: lm_graph_glu(g, LM_ACTIVATION_SILU, b->gate, x, -1); break;
    case 41: lm_graph_glu(g, LM_ACTIVATION_SILU, x, x, o); break;
    case 42: lm_graph_glu_fused(g, LM_ACTIVATION_SILU, x); break;
    case 43: lm_graph_glu_fused(g, LM_ACTIVATION_SILU, b->gate); break; /* nothing to halve */
    case 44: lm_graph_short_conv(g, x, new_tensor(g, 4, 32, 1), 4, 0, b->state); break;
    case 45: lm_graph_short_conv(g, x, new_tensor(g, 4, 24, 1), 4, 0, b->state); break;
    case 47:
        lm_graph_short_conv(g, x, new_tensor(g, 5, 32, 1), 5, 0, b->state);
        break; /* 4 * 32 floats of state, there are 96 */
    case 48:   /* 2 * 1 * 8 + 1 * 8 = 24 */
        lm_graph_delta_rule(g, o, b->gate, b->gate, new_tensor(g, 1, 1, 1), new_tensor(g, 1, 1, 1),
                            lm_graph_state_layer(g, 64), 1, 1, 8, 8, 1, 1e-6f);
        break;
    case 49:
        lm_graph_delta_rule(g, x, b->gate, b->gate, new_tensor(g, 1, 1, 1), new_tensor(g, 1, 1, 1), b->state, 1, 1, 8,
                            8, 1, 1e-6f);
        break;
    case 51:
        lm_graph_delta_rule(g, o, o, b->gate, new_tensor(g, 1, 1, 1), new_tensor(g, 1, 1, 1), b->state, 1, 1, 8, 8, 1,
                            1e-6f);
        break;
    case 53: /* no key heads */
        lm_graph_delta_rule(g, o, b->gate, b->gate, new_tensor(g, 1, 1, 1), new_tensor(g, 1, 1, 1), b->state, 0, 1, 8,
                            24, 1, 1e-6f);
        break;
    case 55: /* a state one float too small */
        lm_graph_delta_rule(g, o, b->gate, b->gate, new_tensor(g, 1, 1, 1), new_tensor(g, 1, 1, 1),
                            lm_graph_state_layer(g, 39), 1, 1, 10, 4, 1, 1e-6f);
        break;
    case 56: lm_graph_route(g, x, w[0], LM_GATING_SOFTMAX, 4, 0, 0, 1, 1, &ids, &weights); break;
    case 57: lm_graph_route(g, x, w[1], LM_GATING_SOFTMAX, 4, 0, 0, 1, 1, &ids, &weights); break;
    case 58: lm_graph_route(g, x, -1, LM_GATING_SIGMOID, 4, 8, 2, 1, 1, &ids, &weights); break;
    case 59: lm_graph_route(g, x, -1, LM_GATING_SOFTMAX, 33, 0, 0, 1, 1, &ids, &weights); break;
    case 61: lm_graph_route(g, x, -1, LM_GATING_SOFTMAX, 0, 0, 0, 1, 1, &ids, &weights); break;
    case 63: lm_graph_route(g, x, -1, LM_GATING_SOFTMAX, 4, 5, 1, 1, 1, &ids, &weights); break;
    case 65: lm_graph_route(g, x, -1, LM_GATING_SOFTMAX, 9, 8, 2, 1, 1, &ids, &weights); break;
    case 66:
    case 67: /* more experts to choose from than there are weights */
    case 69: /* a residual of another width */
        lm_graph_route(g, lm_graph_linear(g, x, new_tensor(g, 32, number == 67 ? 5 : 4, 1), -1, -1, -1), -1,
                       LM_GATING_SOFTMAX, 2, 0, 0, 1, 1, &ids, &weights);
        e.gate = new_tensor(g, 32, 8, n_experts), e.up = new_tensor(g, 32, 8, n_experts);
        e.down = new_tensor(g, 8, 32, n_experts);
        lm_graph_experts(g, x, ids, weights, &e, LM_ACTIVATION_SILU, 8, number == 69 ? o : x);
        break;
    case 70: lm_graph_scale(g, x, w[0], 1); break;
    case 71: lm_graph_scale(g, x, w[1], 1); break;
    case 72: lm_graph_add(g, x, x, w[0]); break;
    case 73: lm_graph_add(g, x, o, -1); break;
    case 75: lm_graph_add(g, x, -1, w[1]); break;
    case 76: lm_graph_slice(g, x, 16, 8, 8); break;
    case 77: lm_graph_slice(g, x, 16, 8, 9); break;
    case 79: lm_graph_slice(g, x, 15, 0, 1); break;
    case 81: lm_graph_slice(g, x, 16, -1, 4); break;
    case 83: lm_graph_slice(g, x, 16, 4, 0); break;
    case 84: lm_graph_concat(g, x, 8, o, 6); break;
    case 85: lm_graph_concat(g, x, 8, o, 8); break;
    case 87: lm_graph_concat(g, x, 0, o, 6); break;
    case 88: lm_graph_head_linear(g, x, new_tensor(g, 16, 3, 2), &(lm_graph_heads){2, 16, 3, 3, 0, 0}); break;
    case 89: lm_graph_head_linear(g, x, new_tensor(g, 16, 3, 1), &(lm_graph_heads){2, 16, 3, 3, 0, 0}); break;
    case 90: lm_graph_embed(g, new_tensor(g, 8, 64, 1), 1, LM_EMBED_POSITION, 0); break;
    case 91: lm_graph_embed(g, new_tensor(g, 8, 63, 1), 1, LM_EMBED_POSITION, 0); break; /* 64 positions */
    case 93: lm_graph_embed(g, new_tensor(g, 8, 10, 1), 1, LM_EMBED_CONSTANT, 10); break;
    case 95: lm_graph_embed(g, new_tensor(g, 8, 10, 1), 1, LM_EMBED_CONSTANT, -1); break;
    case 96: lm_graph_pool(g, lm_graph_gather(g, x), LM_POOLING_NONE, 0); break;
    case 97: lm_graph_linear(g, x, new_tensor(g, 32, INT64_C(1) << 40, 1), -1, -1, -1); break;
    case 98: lm_graph_route(g, x, -1, LM_GATING_SOFTMAX, 8, 8, 2, 1, 1, &ids, &weights); break; /* all of two groups */
    case 99:
    case 100: /* without values of its own a layer gives the first part of its keys */
    case 101:
        lm_graph_attend(g, x, lm_graph_cache_layer(g, &keys_alone), -1, 2,
                        number == 99    ? 17
                        : number == 100 ? 16
                                        : 0,
                        1, 0, 0, 1);
        break;
    default: return number < 102;
    }
    return true;
}

static void widths_must_fit(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    for (int number = 0;; number++) {
        bench b;
        lm_program program;
        lm_error error = {0};
        begin(&b, &env);
        assert_int_equal(b.g.status, LM_OK);
        size_t before = b.g.ops.count;
        bool more = append_case(&b, number), there = b.g.ops.count > before || b.g.status != LM_OK;
        lm_status status = lm_graph_finish(&b.g, &small_limits, &program, &error);
        if (there && status != (number % 2 ? LM_ERR_FORMAT : LM_OK))
            fail_msg("case %d: %s %s", number, lm_status_name(status), error.message);
        if (status != LM_OK) assert_true(error.message[0]);
        lm_graph_destroy(&b.g);
        if (!more) break;
    }
    assert_int_equal(memory.live_bytes, 0);
}

static void the_first_failure_sticks(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    bench b;
    begin(&b, &env);
    assert_int_equal(lm_graph_fail(&b.g, LM_ERR_UNSUPPORTED, "number %d", 7), -1);
    lm_graph_fail(&b.g, LM_ERR_MEMORY, "later");
    size_t n_ops = b.g.ops.count, n_values = b.g.values.count;
    for (int number = 0; append_case(&b, number); number++) {}
    assert_int_equal(b.g.ops.count, n_ops);
    assert_int_equal(b.g.values.count, n_values);
    lm_program program = {.n_ops = 77};
    lm_error error = {0};
    assert_int_equal(lm_graph_finish(&b.g, &small_limits, &program, &error), LM_ERR_UNSUPPORTED);
    assert_string_equal(error.message, "number 7");
    assert_int_equal(error.status, LM_ERR_UNSUPPORTED);
    assert_int_equal(program.n_ops, 77); /* written only on success */
    lm_graph_destroy(&b.g);
    lm_graph_init(&b.g, &env);
    assert_int_equal(lm_graph_finish(&b.g, &small_limits, &program, &error), LM_ERR_FORMAT); /* empty */
    lm_graph_destroy(&b.g);
    assert_int_equal(memory.live_bytes, 0);
}

static void memory_can_run_out_anywhere(void **state) {
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        bench b;
        lm_program program;
        begin(&b, &env);
        for (int number = 0; b.g.status == LM_OK && append_case(&b, number); number += 2) {}
        lm_status status = lm_graph_finish(&b.g, &small_limits, &program, NULL);
        lm_graph_destroy(&b.g);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        if (!memory.failed) break;
    }
}

static void parts_are_shared(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    bench b;
    begin(&b, &env);
    lm_rope rope = b.g.ropes.data[b.rope];
    assert_int_equal(lm_graph_rope(&b.g, &rope), b.rope);
    rope.adjacent = 1;
    assert_int_equal(lm_graph_rope(&b.g, &rope), b.rope + 1);
    assert_int_equal(lm_graph_cache_group(&b.g, 0), 0);
    assert_int_equal(lm_graph_cache_group(&b.g, 128), 1);
    assert_int_equal(lm_graph_cache_group(&b.g, 0), 0);
    lm_tensor t = b.g.tensors.data[b.weights[1]];
    assert_int_equal(lm_graph_tensor(&b.g, &t), b.weights[1]);
    lm_graph_destroy(&b.g);
    assert_int_equal(memory.live_bytes, 0);
    int n = 0;
    for (int32_t kind = 0; kind < LM_OP_COUNT + 3; kind++) n += strcmp(lm_op_name(kind), "?") != 0;
    assert_int_equal(n, LM_OP_COUNT - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_must_fit),
        cmocka_unit_test(the_first_failure_sticks),
        cmocka_unit_test(memory_can_run_out_anywhere),
        cmocka_unit_test(parts_are_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
