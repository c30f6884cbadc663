/* SPDX-License-Identifier: MIT
 * What tests of contexts share: models from the golden folder or the reference material, and rows of logits from scratch to compare with. */
#ifndef LM_TESTS_CONTEXT_MODEL_FILES_H
#define LM_TESTS_CONTEXT_MODEL_FILES_H

#include "check.h"

#include <lm/lm.h>

/* A model of tests/golden/models, or of the reference material's; NULL when this checkout has none of the latter. */
static inline lm_model *test_model(const char *name, lm_runtime *runtime) {
    char path[1024], file[256];
    lm_error error;
    lm_model *model = NULL;
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    params.runtime = runtime;
    snprintf(file, sizeof file, "models/%s.gguf", name);
    if (!test_path("LM_GOLDEN", file, path, sizeof path)) {
        snprintf(file, sizeof file, "fixtures/models/%s.gguf", name);
        if (!test_path("LM_SHARED", file, path, sizeof path)) return NULL;
    }
    if (lm_model_open(path, &params, &model, &error) != LM_OK) fail_msg("%s: %s", name, error.message);
    return model;
}

static inline int32_t test_vocab_size(const lm_model *model) {
    lm_model_info info = {.struct_size = sizeof info};
    assert_int_equal(lm_model_get_info(model, &info), LM_OK);
    return info.n_vocab;
}

/* Small numbers, the same everywhere. */
typedef struct test_random {
    uint64_t state;
} test_random;

static inline uint32_t test_next(test_random *r, uint32_t n) {
    r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(r->state >> 33) % n;
}

static inline void test_tokens(test_random *r, lm_token *out, size_t n, int32_t n_vocab) {
    for (size_t i = 0; i < n; i++) out[i] = (lm_token)test_next(r, (uint32_t)n_vocab);
}

#define test_ok(context, call)                                                                                         \
    do {                                                                                                               \
        lm_status test_status = (call);                                                                                \
        if (test_status != LM_OK)                                                                                      \
            fail_msg("%s: %s: %s", #call, lm_status_name(test_status), lm_context_message(context));                   \
    } while (0)

/* The last row of context is the one that evaluating tokens in an empty sequence of `scratch` gives. */
static inline void test_same_as_from_scratch(lm_context *context, lm_context *scratch, const lm_token *tokens, size_t n,
                                             int32_t n_vocab, const char *what) {
    const float *row = lm_context_logits(context);
    assert_non_null(row);
    test_ok(scratch, lm_seq_close(scratch, 0));
    test_ok(scratch, lm_context_eval(scratch, tokens, n));
    if (memcmp(row, lm_context_logits(scratch), (size_t)n_vocab * sizeof *row))
        fail_msg("%s: other logits than from scratch after %zu tokens", what, n);
}

#endif
