/* SPDX-License-Identifier: MIT
 * What the tests of the public interface share: a tiny model of tests/golden, and an allocator that counts. */
#ifndef LM_TESTS_SMALL_MODEL_H
#define LM_TESTS_SMALL_MODEL_H

#include "check.h"
#include "counting.h"

#include <lm/lm.h>

#define SMALL_VOCAB 62

static inline const char *small_path(void) {
    static char path[1024];
    assert_true(test_path("LM_GOLDEN", "models/llama.gguf", path, sizeof path));
    return path;
}

static inline lm_runtime *small_runtime(test_memory *memory, int32_t n_threads) {
    lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
    lm_runtime *runtime = NULL;
    lm_allocator allocator = test_memory_allocator(memory);
    params.allocator = memory ? &allocator : NULL;
    params.n_threads = n_threads;
    assert_int_equal(lm_runtime_create(&params, &runtime, NULL), LM_OK);
    return runtime;
}

/* On a runtime of its own, which the model keeps. memory may be NULL. */
static inline lm_model *small_model(test_memory *memory, int32_t n_threads) {
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_model *model = NULL;
    lm_error error = {.message = ""};
    params.runtime = small_runtime(memory, n_threads);
    if (lm_model_open(small_path(), &params, &model, &error) != LM_OK) fail_msg("%s", error.message);
    lm_runtime_destroy(params.runtime);
    return model;
}

static inline lm_context *small_context(lm_model *model, lm_context_params params) {
    lm_context *context = NULL;
    lm_error error = {.message = ""};
    if (lm_context_open(model, &params, &context, &error) != LM_OK) fail_msg("%s", error.message);
    return context;
}

/* Ids that change: token i of text number seed. */
static inline lm_token small_token(int32_t seed, int32_t i) {
    return 3 + (seed * 31 + i * 7 + i * i % 5) % (SMALL_VOCAB - 3);
}

static inline lm_token *small_text(int32_t seed, lm_token *out, int32_t n) {
    for (int32_t i = 0; i < n; i++) out[i] = small_token(seed, i);
    return out;
}

#endif
