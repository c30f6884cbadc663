/* SPDX-License-Identifier: MIT
 * One program on several devices: wherever it is cut, the results are the same bytes; copies of pages and states reach all devices;
 * a failure of any call is passed on and leaves nothing behind. */
#include "counting.h"

#include "../../lib/backend/cpu/cpu_backend.h"
#include "../../lib/graph/graph_exec.h"
#include "conformance.h"
#include "host_backend.h"

#define N_LAYERS 4
#define N_VOCAB 50
#define WIDTH 64

/* Four blocks: attention with a residual, experts-free feed-forward, and recurrent layers in the odd ones. The first block's input is
 * read again by the last, so that a value travels past a device. */
static void build(conformance_maker *m) {
    lm_graph *g = &m->graph;
    int32_t f16 = LM_DTYPE_F16,
            rope = lm_graph_rope(
                g, &(lm_rope){.n_rot = 16, .factors = -1, .base = 10000, .freq_scale = 1, .magnitude = 1});
    g->layer = -1;
    int32_t x = lm_graph_embed(g, conformance_weight(m, f16, WIDTH, N_VOCAB, 1), 1, LM_EMBED_TOKEN, 0), first = x;
    for (int32_t il = 0; il < N_LAYERS; il++) {
        g->layer = il;
        int32_t normed = lm_graph_norm(g, LM_NORM_RMS, x, conformance_vector(m, WIDTH, 0.5f, 2), -1, 1e-5f, 0), y[3];
        if (il % 2 == 0) {
            lm_cache_layer layer = {.group = lm_graph_cache_group(g, 0),
                                    .n_heads_kv = 2,
                                    .k_width = 16,
                                    .v_width = 16,
                                    .k_type = f16,
                                    .v_type = f16};
            int32_t cache = lm_graph_cache_layer(g, &layer);
            lm_graph_matrix qkv[] = {{conformance_weight(m, f16, WIDTH, 64, 1), -1, -1},
                                     {conformance_weight(m, f16, WIDTH, 32, 1), -1, -1},
                                     {conformance_weight(m, f16, WIDTH, 32, 1), -1, -1}};
            lm_graph_linears(g, normed, qkv, 3, y);
            lm_graph_cache_store(g, cache, lm_graph_rotate(g, y[1], rope, 16, 0, 0, 0), y[2]);
            int32_t o =
                lm_graph_attend(g, lm_graph_rotate(g, y[0], rope, 16, 0, 0, 0), cache, -1, 4, 16, 0.25f, 0, 0, 1);
            x = lm_graph_linear(g, o, conformance_weight(m, f16, 64, WIDTH, 1), -1, -1, x);
        } else {
            int32_t conv = lm_graph_short_conv(g, normed, conformance_vector(m, 3 * WIDTH, -1, 1), 3,
                                               LM_ACTIVATION_SILU, lm_graph_state_layer(g, 2 * WIDTH));
            x = lm_graph_add(g, x, conv, -1);
        }
        if (il == N_LAYERS - 1) x = lm_graph_add(g, x, first, -1);
    }
    g->layer = N_LAYERS;
    x = lm_graph_norm(g, LM_NORM_RMS, lm_graph_gather(g, x), conformance_vector(m, WIDTH, 0.5f, 2), -1, 1e-5f, 0);
    g->hidden = x;
    g->logits = lm_graph_linear(g, x, conformance_weight(m, f16, WIDTH, N_VOCAB, 1), -1, -1, -1);
    for (size_t i = 0; i < g->cache_groups.count; i++) g->cache_groups.data[i].n_pages = 4;
}

typedef struct made {
    conformance_maker m;
    lm_program program;
    lm_cpu cpu;
    lm_backend table;
} made;

static void make(made *p, const lm_env *env) {
    *p = (made){.m = {.env = env, .seed = 7}};
    lm_graph_init(&p->m.graph, env);
    build(&p->m);
    lm_graph_limits limits = {.max_tokens = 8, .max_outputs = 8, .max_spans = 2, .max_positions = 128, .n_states = 3};
    lm_error error = {0};
    if (lm_graph_finish(&p->m.graph, &limits, &p->program, &error) != LM_OK) fail_msg("%s", error.message);
    lm_cpu_init(&p->cpu, env, NULL, 1, lm_cpu_detect());
    p->table = lm_cpu_backend(&p->cpu);
}

static void unmake(made *p) {
    lm_graph_destroy(&p->m.graph);
    for (int32_t i = 0; i < p->m.n_blocks; i++) free(p->m.blocks[i]);
}

#define N_RESULTS (3 * N_VOCAB + 3 * WIDTH)

/* Three batches with a copied page and state between them; results of the last rows. */
static lm_status run(lm_exec *exec, const made *p, float *out) {
    static const int32_t page_one[] = {2, 0}, page_two[] = {1, 3};
    const int32_t *one[] = {page_one}, *two[] = {page_two};
    const lm_graph *g = &p->m.graph;
    lm_token tokens[8] = {1, 7, 42, 9, 3, 3, 20, 11};
    lm_status status = LM_OK;
    for (int32_t s = 0; s < 3 && status == LM_OK; s++) status = lm_exec_clear_state(exec, s);
    for (int32_t batch = 0; batch < 3 && status == LM_OK; batch++) {
        int32_t n = batch == 1 ? 8 : 3, positions[8], outputs[] = {0, n - 1};
        lm_span spans[2] = {{.n_tokens = n, .pos = batch == 2 ? 11 : batch * 3, .pages = one}, {0}};
        lm_run r = {.struct_size = sizeof r,
                    .n_tokens = n,
                    .n_spans = 1,
                    .n_outputs = 2,
                    .tokens = tokens,
                    .positions = positions,
                    .spans = spans,
                    .outputs = outputs};
        if (batch == 2) { /* the sequence goes on in a copy, beside itself */
            status = lm_exec_copy_page(exec, 0, 1, 2);
            if (status == LM_OK) status = lm_exec_copy_state(exec, 1, 0);
            spans[0].n_tokens = 1;
            spans[1] = (lm_span){.first = 1, .n_tokens = 2, .pos = 11, .state = 1, .state_from = 1, .pages = two};
            r.n_spans = 2;
        }
        for (int32_t i = 0; i < n; i++) positions[i] = spans[0].pos + i;
        if (batch == 2) positions[1] = 11, positions[2] = 12;
        if (status == LM_OK) status = lm_exec_run(exec, &r);
        if (status == LM_OK) status = lm_exec_read(exec, g->logits, 1, 1, out + batch * N_VOCAB);
        if (status == LM_OK) status = lm_exec_read(exec, g->hidden, 0, 1, out + 3 * N_VOCAB + batch * WIDTH);
    }
    return status;
}

static lm_status try_on(made *p, const lm_env *env, const lm_backend *const *backends, const int32_t *devices,
                        int32_t n_placements, const int32_t *layer_device, float *out) {
    lm_placement placements[4];
    const lm_tensor *tensors[64];
    lm_exec *exec = NULL;
    lm_error error;
    lm_exec_size size;
    uint64_t copied;
    lm_status status = LM_OK;
    int32_t n = 0;
    for (int32_t i = 0; i < p->program.n_tensors; i++) tensors[i] = &p->program.tensors[i];
    for (; n < n_placements && status == LM_OK; n++) {
        placements[n] = (lm_placement){backends[n], devices[n], NULL};
        status = backends[n]->weights_create(backends[n]->user, devices[n], tensors, p->program.n_tensors,
                                             &placements[n].weights, &copied, &error);
    }
    if (status == LM_OK)
        status = lm_exec_create(env, &p->program, placements, n, layer_device, N_LAYERS, &exec, &error);
    if (status == LM_OK) {
        status = lm_exec_measure(env, &p->program, placements, n, layer_device, N_LAYERS, &size, &error);
        assert_true(status != LM_OK || (size.cache_bytes > 0 && size.work_bytes > 0));
    }
    if (status == LM_OK) status = run(exec, p, out);
    lm_exec_destroy(exec);
    while (n-- > 0) backends[n]->weights_destroy(placements[n].weights);
    return status;
}

static void cuts_do_not_change_a_bit(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    made p;
    float expected[N_RESULTS], got[N_RESULTS];
    make(&p, &env);
    host_backend host = {.inner = &p.table, .n_devices = 2, .hides_memory = true};
    lm_backend table = host_backend_table(&host);
    const lm_backend *backends[] = {&p.table, &table, &table};
    const int32_t devices[] = {0, 0, 1};
    int32_t layer_device[N_LAYERS + 2] = {0};
    assert_int_equal(try_on(&p, &env, backends, devices, 1, layer_device, expected), LM_OK);
    int32_t n_combinations = 1;
    for (int i = 0; i < N_LAYERS + 2; i++) n_combinations *= 3;
    for (int32_t c = 0; c < n_combinations; c++) { /* every block on every device */
        for (int32_t l = 0, rest = c; l < N_LAYERS + 2; l++, rest /= 3) layer_device[l] = rest % 3;
        memset(got, 0, sizeof got);
        assert_int_equal(try_on(&p, &env, backends, devices, 3, layer_device, got), LM_OK);
        if (memcmp(expected, got, sizeof got) != 0) fail_msg("placement %d gives other results", c);
        assert_int_equal(host.n_mixed_up, 0);
        assert_int_equal(host.n_objects, 0);
    }
    unmake(&p);
    assert_int_equal(memory.live_bytes, 0);
}

static void any_failing_call_is_passed_on(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    made p;
    float got[N_RESULTS];
    make(&p, &env);
    host_backend host = {.inner = &p.table, .n_devices = 2};
    lm_backend table = host_backend_table(&host);
    const lm_backend *backends[] = {&p.table, &table, &table};
    const int32_t devices[] = {0, 0, 1}, layer_device[N_LAYERS + 2] = {0, 1, 2, 0, 1, 2};
    for (int32_t k = 1;; k++) {
        host.fail_at = k;
        host.n_calls = 0;
        host.failed = false;
        lm_status status = try_on(&p, &env, backends, devices, 3, layer_device, got);
        assert_int_equal(status, host.failed ? LM_ERR_DEVICE : LM_OK);
        assert_int_equal(host.n_objects, 0);
        if (!host.failed) break;
    }
    host.fail_at = 0;
    for (size_t k = 0;; k++) { /* memory too */
        memory.calls = 0;
        memory.fail_at = k;
        memory.failed = 0;
        lm_status status = try_on(&p, &env, backends, devices, 3, layer_device, got);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        assert_int_equal(host.n_objects, 0);
        if (!memory.failed) break;
    }
    unmake(&p);
    assert_int_equal(memory.live_bytes, 0);
}

/* An operation of a type that the device does not have is named before anything is reserved. */
static void what_cannot_run_is_named(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    made p;
    make(&p, &env);
    int32_t layer_device[N_LAYERS + 2] = {0};
    lm_placement placement = {.backend = &p.table};
    lm_exec *exec = NULL;
    lm_error error = {0};
    for (int32_t i = 0; i < p.program.n_tensors; i++)
        if (p.program.tensors[i].ne[1] == N_VOCAB) p.m.graph.tensors.data[i].dtype = LM_DTYPE_Q8_1;
    assert_int_equal(lm_exec_create(&env, &p.program, &placement, 1, layer_device, N_LAYERS, &exec, &error),
                     LM_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "cpu"));
    assert_non_null(strstr(error.message, "EMBED in block -1 (w)"));
    assert_null(exec);
    unmake(&p);
    assert_int_equal(memory.live_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_do_not_change_a_bit),
        cmocka_unit_test(any_failing_call_is_passed_on),
        cmocka_unit_test(what_cannot_run_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
