/* SPDX-License-Identifier: MIT
 * Blocks go to the devices of a host's backends while their memory lasts, the rest to the CPU, and the logits do not notice. The second
 * device is the CPU's own table under another name, with a memory that the test chooses. */
#include "check.h"

#include <lm/lm.h>

#include "backend/cpu/cpu_backend.h"
#include "context/context.h"
#include "model/model.h"

static uint64_t device_memory;
static int n_created, n_destroyed, refused_kind;
static lm_backend cpu_table;

static lm_status info(void *user, int32_t device, lm_device_info *out) {
    (void)user, (void)device;
    *out = (lm_device_info){.name = "small", .memory_bytes = device_memory, .memory_free_bytes = device_memory};
    return LM_OK;
}

static int32_t supported(void *user, int32_t device, const lm_program *program, const lm_op *op) {
    return op->kind != refused_kind && cpu_table.op_supported(user, device, program, op);
}

static lm_status weights_create(void *user, int32_t device, const lm_tensor *const *tensors, int32_t n, void **weights,
                                uint64_t *copied_bytes, lm_error *error) {
    (void)user, (void)device, (void)error;
    n_created++;
    *weights = &n_created;
    *copied_bytes = 0;
    for (int32_t i = 0; i < n; i++) *copied_bytes += tensors[i]->bytes;
    return LM_OK;
}

static void weights_destroy(void *weights) {
    assert_ptr_equal(weights, &n_created);
    n_destroyed++;
}

/* Logits of a few tokens on a runtime whose first backend has `memory` bytes; *n_placements receives how many devices were used. */
static void logits_with(uint64_t memory, bool with_backend, float *out, size_t n_vocab, int32_t *n_placements) {
    static const lm_token tokens[] = {3, 1, 4, 1, 5, 9, 2, 6};
    char path[1024];
    lm_env env;
    lm_cpu cpu;
    lm_error error;
    lm_runtime *runtime = NULL;
    lm_model *model = NULL;
    lm_context *context = NULL;
    assert_true(test_path("LM_GOLDEN", "models/llama.gguf", path, sizeof path));
    lm_env_init(&env, NULL, NULL);
    lm_cpu_init(&cpu, &env, NULL, 1, LM_CPU_GENERIC);
    cpu_table = lm_cpu_backend(&cpu);
    lm_backend table = cpu_table;
    table.name = "small";
    table.device_info = info;
    table.op_supported = supported;
    table.weights_create = weights_create;
    table.weights_destroy = weights_destroy;
    const lm_backend *backends[] = {&table};
    device_memory = memory;
    n_created = n_destroyed = 0;
    lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
    params.backends = with_backend ? backends : NULL;
    params.n_backends = with_backend;
    assert_int_equal(lm_runtime_create(&params, &runtime, &error), LM_OK);
    lm_model_params model_params = LM_MODEL_PARAMS_INIT;
    model_params.runtime = runtime;
    assert_int_equal(lm_model_open(path, &model_params, &model, &error), LM_OK);
    *n_placements = model->n_placements;
    assert_int_equal(lm_context_open(model, NULL, &context, &error), LM_OK);
    assert_int_equal(lm_context_eval(context, tokens, 8), LM_OK);
    memcpy(out, lm_context_logits(context), n_vocab * sizeof *out);
    lm_context_close(context);
    lm_model_close(model);
    lm_runtime_destroy(runtime);
    assert_int_equal(n_created, n_destroyed);
}

static void logits_do_not_depend_on_the_placement(void **state) {
    (void)state;
    enum { N = 64 }; /* the first entries of a row suffice: every weight before them took part */
    static float cpu_only[N], all[N], part[N], none[N];
    int32_t n;
    refused_kind = 0;
    logits_with(0, false, cpu_only, N, &n);
    assert_int_equal(n, 1);
    logits_with(UINT64_C(1) << 40, true, all, N, &n);
    assert_int_equal(n, 1);
    assert_int_equal(n_created, 1);
    logits_with(100000, true, part, N, &n);
    assert_int_equal(n, 2);
    logits_with(0, true, none, N, &n);
    assert_int_equal(n, 1);
    assert_int_equal(n_created, 0);
    assert_memory_equal(cpu_only, all, sizeof all);
    assert_memory_equal(cpu_only, part, sizeof part);
    assert_memory_equal(cpu_only, none, sizeof none);
}

static void a_block_with_an_operation_the_device_lacks_stays_on_the_cpu(void **state) {
    (void)state;
    enum { N = 64 };
    static float cpu_only[N], split[N];
    int32_t n;
    logits_with(0, false, cpu_only, N, &n);
    refused_kind = LM_OP_ATTEND; /* every block has one; what is before and after the blocks has none */
    logits_with(UINT64_C(1) << 40, true, split, N, &n);
    refused_kind = 0;
    assert_int_equal(n, 2);
    assert_memory_equal(cpu_only, split, sizeof split);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_do_not_depend_on_the_placement),
        cmocka_unit_test(a_block_with_an_operation_the_device_lacks_stays_on_the_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
