/* SPDX-License-Identifier: MIT
 * Out of memory at every allocation of a life: runtime, model, context, sampler, evaluation, save and restore. Each time the right
 * status, nothing leaked, and what was there before still works. */
#define _POSIX_C_SOURCE 200809L
#include "../api/small_model.h"

#include <unistd.h>

static lm_status live(test_memory *memory, int32_t load, const char *path) {
    lm_runtime_params runtime_params = LM_RUNTIME_PARAMS_INIT;
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_context_params context_params = LM_CONTEXT_PARAMS_INIT;
    lm_allocator allocator = test_memory_allocator(memory);
    lm_error error = {.status = LM_OK};
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_sampler *sampler = NULL;
    lm_token text[70], token;
    runtime_params.allocator = &allocator;
    runtime_params.n_threads = 1;
    params.load = load;
    context_params.n_ctx = 128;
    context_params.n_seqs = 2;
    lm_status status = lm_runtime_create(&runtime_params, &params.runtime, &error);
    if (status == LM_OK) status = lm_model_open(small_path(), &params, &model, &error);
    if (status == LM_OK) status = lm_context_open(model, &context_params, &context, &error);
    if (status == LM_OK) status = lm_sampler_for_model(model, NULL, &sampler, &error);
    if (status != LM_OK) {
        assert_int_equal(error.status, status);
        assert_true(error.message[0] != '\0');
        goto out;
    }
    int32_t n = lm_tokenize(model, "the end", 7, 0, text, 70);
    if (n < 0) {
        status = (lm_status)-n;
        goto out;
    }
    assert_int_equal(lm_context_eval(context, small_text(1, text, 70), 70), LM_OK);
    assert_int_equal(lm_sample(context, sampler, &token), LM_OK);
    status = lm_seq_save(context, 0, path);
    if (status == LM_OK) status = lm_seq_restore(context, 1, path);
    if (status != LM_OK) {
        assert_true(lm_context_message(context)[0] != '\0');
        assert_int_equal(lm_seq_length(context, 1), 0);
        assert_int_equal(lm_context_eval(context, text, 1), LM_OK); /* still usable */
    }
out:
    lm_sampler_destroy(sampler);
    lm_context_close(context);
    lm_model_close(model);
    lm_runtime_destroy(params.runtime);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    char path[] = "./lm-oom-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (int32_t load = LM_LOAD_MAP; load <= LM_LOAD_READ; load++) {
        for (size_t k = 0;; k++) {
            test_memory memory = {.fail_at = k};
            lm_status status = live(&memory, load, path);
            assert_int_equal(memory.live_bytes, 0);
            if (!memory.failed) {
                assert_int_equal(status, LM_OK);
                assert_true(k > 20);
                break;
            }
            if (status != LM_ERR_MEMORY) fail_msg("allocation %zu: %s", k, lm_status_name(status));
        }
    }
    unlink(path);
}

static void planning_may_fail_anywhere(void **state) {
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
        lm_plan plan = {.struct_size = sizeof plan};
        lm_plan_params params = LM_PLAN_PARAMS_INIT;
        params.runtime = small_runtime(&memory, 1);
        params.memory_bytes = 3000000;
        memory.fail_at = memory.calls + k;
        lm_status status = lm_model_plan(small_path(), &params, &plan, NULL);
        lm_runtime_destroy(params.runtime);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        if (!memory.failed) break;
        assert_true(plan.total_bytes == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail),
                                       cmocka_unit_test(planning_may_fail_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
