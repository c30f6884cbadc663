/* SPDX-License-Identifier: MIT
 * lm/runtime.h: what is accepted and refused, hosts' executors, measuring. */
#include "small_model.h"

#define MOST_THREADS 512 /* that a runtime takes */

static lm_status create(lm_runtime_params params, lm_error *error) {
    lm_runtime *runtime = NULL;
    lm_status status = lm_runtime_create(&params, &runtime, error);
    assert_true((status == LM_OK) == (runtime != NULL));
    lm_runtime_destroy(runtime);
    return status;
}

static void refused(lm_runtime_params params, const char *word) {
    lm_error error = {.message = ""};
    assert_int_equal(create(params, &error), LM_ERR_ARGUMENT);
    assert_int_equal(error.status, LM_ERR_ARGUMENT);
    if (!strstr(error.message, word)) fail_msg("\"%s\" does not name %s", error.message, word);
}

static void defaults_are_good(void **state) {
    (void)state;
    lm_runtime *runtime = NULL;
    assert_int_equal(lm_runtime_create(NULL, &runtime, NULL), LM_OK);
    assert_true(lm_runtime_threads(runtime) >= 1);
    assert_non_null(lm_runtime_cpu(runtime));
    lm_runtime_destroy(runtime);
    lm_runtime_destroy(NULL);
}

static void wrong_parameters_are_named(void **state) {
    (void)state;
    lm_runtime_params p = LM_RUNTIME_PARAMS_INIT;
    assert_int_equal(lm_runtime_create(&p, NULL, NULL), LM_ERR_ARGUMENT);
    p.cpu = "z80";
    refused(p, "z80");
    p = (lm_runtime_params)LM_RUNTIME_PARAMS_INIT;
    p.n_threads = -1;
    refused(p, "n_threads");
    p.n_threads = MOST_THREADS + 1;
    refused(p, "n_threads");
    p = (lm_runtime_params)LM_RUNTIME_PARAMS_INIT;
    p.n_backends = 1;
    refused(p, "backends");
    p.n_backends = -1;
    refused(p, "backends");
    p = (lm_runtime_params)LM_RUNTIME_PARAMS_INIT;
    lm_backend backend = {.struct_size = sizeof backend, .api_version = LM_BACKEND_API + 1};
    const lm_backend *backends[] = {&backend};
    p.backends = backends;
    p.n_backends = 1;
    refused(p, "another version");
    backend.api_version = LM_BACKEND_API;
    backend.name = "nothing";
    refused(p, "required function");
    p = (lm_runtime_params)LM_RUNTIME_PARAMS_INIT;
    p.executor = &(lm_executor){NULL, NULL};
    refused(p, "executor");
    p = (lm_runtime_params)LM_RUNTIME_PARAMS_INIT;
    p.struct_size = 2;
    refused(p, "lm_runtime_params");
}

static void a_larger_struct_is_taken_when_its_rest_is_zero(void **state) {
    (void)state;
    struct {
        lm_runtime_params known;
        uint64_t rest;
    } p = {LM_RUNTIME_PARAMS_INIT, 0};
    lm_runtime *runtime = NULL;
    p.known.struct_size = sizeof p;
    assert_int_equal(lm_runtime_create(&p.known, &runtime, NULL), LM_OK);
    lm_runtime_destroy(runtime);
    p.rest = 1;
    assert_int_equal(lm_runtime_create(&p.known, &runtime, NULL), LM_ERR_ARGUMENT);
}

static void count_tasks(void *user, int32_t n, lm_executor_task task, void *arg) {
    *(int *)user += n;
    for (int32_t i = n - 1; i >= 0; i--) task(arg, i);
}

static void a_host_brings_its_threads(void **state) {
    (void)state;
    int n_tasks = 0;
    lm_executor executor = {&n_tasks, count_tasks};
    lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
    lm_model_params model_params = LM_MODEL_PARAMS_INIT;
    lm_context_params context_params = LM_CONTEXT_PARAMS_INIT;
    lm_model *model = NULL, *plain = small_model(NULL, 1);
    lm_token tokens[40];
    params.executor = &executor;
    params.n_threads = 3;
    assert_int_equal(lm_runtime_create(&params, &model_params.runtime, NULL), LM_OK);
    assert_int_equal(lm_model_open(small_path(), &model_params, &model, NULL), LM_OK);
    lm_runtime_destroy(model_params.runtime);
    lm_context *context = small_context(model, context_params), *other = small_context(plain, context_params);
    small_text(1, tokens, 40);
    assert_int_equal(lm_context_eval(context, tokens, 40), LM_OK);
    assert_int_equal(lm_context_eval(other, tokens, 40), LM_OK);
    assert_true(n_tasks > 0);
    assert_memory_equal(lm_context_logits(context), lm_context_logits(other), SMALL_VOCAB * sizeof(float));
    lm_context_close(context);
    lm_context_close(other);
    lm_model_close(model);
    lm_model_close(plain);
    params.n_threads = MOST_THREADS;
    assert_int_equal(lm_runtime_create(&params, &model_params.runtime, NULL), LM_OK);
    lm_runtime_destroy(model_params.runtime);
}

static void the_machine_is_measured(void **state) {
    (void)state;
    lm_machine machine = {.struct_size = sizeof machine};
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_runtime *runtime = small_runtime(&memory, 1);
    size_t before = memory.live_bytes;
    assert_int_equal(lm_runtime_measure(NULL, &machine), LM_ERR_ARGUMENT);
    assert_int_equal(lm_runtime_measure(runtime, NULL), LM_ERR_ARGUMENT);
    memory.fail_at = memory.calls;
    assert_int_equal(lm_runtime_measure(runtime, &machine), LM_ERR_MEMORY);
    assert_true(machine.read_bytes_per_second == 0);
    memory.fail_at = TEST_MEMORY_NEVER;
    assert_int_equal(lm_runtime_measure(runtime, &machine), LM_OK);
    assert_true(machine.read_bytes_per_second > 1e8 && machine.int_ops_per_second > 1e8);
    assert_int_equal(machine.n_threads, 1);
    assert_int_equal(memory.live_bytes, before);
    lm_runtime_destroy(runtime);
    assert_int_equal(memory.live_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_good),
        cmocka_unit_test(wrong_parameters_are_named),
        cmocka_unit_test(a_larger_struct_is_taken_when_its_rest_is_zero),
        cmocka_unit_test(a_host_brings_its_threads),
        cmocka_unit_test(the_machine_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
