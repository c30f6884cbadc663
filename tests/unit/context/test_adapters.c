/* SPDX-License-Identifier: MIT
 * Adapters against weights with the same additions merged in, and control vectors against their definition: scale 0 changes nothing,
 * opposite scales cancel, a block's direction moves what comes after it. */
#include "counting.h"

#include <lm/adapter.h>

#include "model_files.h"

enum { N_TOKENS = 40 };

static lm_context *open_context(lm_model *model) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context;
    lm_error error;
    params.n_ctx = 128;
    params.n_batch = 16;
    if (lm_context_open(model, &params, &context, &error) != LM_OK) fail_msg("%s", error.message);
    return context;
}

static lm_adapter *open_adapter(lm_model *model, const char *name) {
    char path[1024], file[128];
    lm_adapter *adapter;
    lm_error error;
    snprintf(file, sizeof file, "adapters/%s.gguf", name);
    assert_true(test_path("LM_GOLDEN", file, path, sizeof path));
    if (lm_adapter_open(model, path, &adapter, &error) != LM_OK) fail_msg("%s: %s", name, error.message);
    return adapter;
}

/* Logits of the last of some tokens, in a sequence that is emptied before and after. */
static void evaluate(lm_context *context, float *out, int32_t n_vocab) {
    lm_token tokens[N_TOKENS];
    test_random r = {1};
    test_tokens(&r, tokens, N_TOKENS, n_vocab);
    test_ok(context, lm_context_eval(context, tokens, N_TOKENS));
    memcpy(out, lm_context_logits(context), (size_t)n_vocab * sizeof *out);
    test_ok(context, lm_seq_close(context, 0));
}

static float largest_difference(const float *a, const float *b, int32_t n) {
    float largest = 0;
    for (int32_t i = 0; i < n; i++) {
        float d = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
        if (!(d <= largest)) largest = d;
    }
    return largest;
}

static void adapters_equal_merged_weights(void **state) {
    (void)state;
    lm_model *model = test_model("plain", NULL), *merged = test_model("plain-merged", NULL);
    int32_t n_vocab = test_vocab_size(model);
    lm_context *context = open_context(model), *reference = open_context(merged);
    lm_adapter *first = open_adapter(model, "plain-lora"), *second = open_adapter(model, "plain-lora2");
    float base[64], got[64], expected[64];
    lm_adapter_use uses[] = {{first, 0.5f, 0, 0}, {second, -1, 0, 0}};
    assert_int_equal(n_vocab, 64);
    evaluate(context, base, n_vocab);
    evaluate(reference, expected, n_vocab);
    test_ok(context, lm_context_set_adapters(context, uses, 2));
    lm_adapter_close(first); /* the context keeps them */
    lm_adapter_close(second);
    evaluate(context, got, n_vocab);
    assert_true(largest_difference(base, expected, n_vocab) > 0.3f);
    if (largest_difference(got, expected, n_vocab) > 2e-4f)
        fail_msg("adapted and merged differ by %g", (double)largest_difference(got, expected, n_vocab));
    lm_token token = 1;
    test_ok(context, lm_context_eval(context, &token, 1));
    assert_int_equal(lm_context_set_adapters(context, NULL, 0), LM_ERR_STATE); /* the sequence holds a token */
    test_ok(context, lm_seq_close(context, 0));
    uses[0].scale = uses[1].scale = 0;
    test_ok(context, lm_context_set_adapters(context, uses, 2));
    evaluate(context, got, n_vocab);
    assert_true(largest_difference(got, base, n_vocab) == 0);
    test_ok(context, lm_context_set_adapters(context, NULL, 0));
    evaluate(context, got, n_vocab);
    assert_memory_equal(got, base, sizeof got);
    lm_context_close(context);
    lm_context_close(reference);
    lm_model_close(model);
    lm_model_close(merged);
}

static void control_vectors_are_added_after_their_block(void **state) {
    (void)state;
    lm_model *model = test_model("plain", NULL);
    int32_t n_vocab = test_vocab_size(model);
    lm_context *context = open_context(model);
    lm_adapter *steer = open_adapter(model, "plain-steer");
    float base[64], got[64];
    evaluate(context, base, n_vocab);
    lm_adapter_use uses[] = {{steer, 1, 0, 0}, {steer, -1, 0, 0}};
    test_ok(context, lm_context_set_adapters(context, uses, 1));
    evaluate(context, got, n_vocab);
    assert_true(largest_difference(got, base, n_vocab) > 0.05f);
    test_ok(context, lm_context_set_adapters(context, uses, 2)); /* they cancel */
    evaluate(context, got, n_vocab);
    assert_memory_equal(got, base, sizeof got);
    uses[0].first_layer = 2; /* the only direction is block 1's */
    test_ok(context, lm_context_set_adapters(context, uses, 1));
    evaluate(context, got, n_vocab);
    assert_memory_equal(got, base, sizeof got);
    lm_adapter_close(steer);
    lm_context_close(context);
    lm_model_close(model);
}

/* What a cache holds depends on the adapters: a saved sequence goes back to a context that has the same ones, and to no other. */
static void saved_sequences_know_their_adapters(void **state) {
    (void)state;
    static const char path[] = "lm-adapters.tmp";
    lm_model *model = test_model("plain", NULL);
    lm_context *context = open_context(model);
    lm_adapter *adapter = open_adapter(model, "plain-lora");
    lm_adapter_use use = {adapter, 0.5f, 0, 0};
    lm_token tokens[N_TOKENS];
    test_random r = {1};
    test_tokens(&r, tokens, N_TOKENS, test_vocab_size(model));
    test_ok(context, lm_context_set_adapters(context, &use, 1));
    test_ok(context, lm_context_eval(context, tokens, N_TOKENS));
    test_ok(context, lm_seq_save(context, 0, path));
    test_ok(context, lm_seq_close(context, 0));
    test_ok(context, lm_context_set_adapters(context, NULL, 0));
    assert_int_equal(lm_seq_restore(context, 0, path), LM_ERR_MISMATCH);
    use.scale = 0.25f;
    test_ok(context, lm_context_set_adapters(context, &use, 1));
    assert_int_equal(lm_seq_restore(context, 0, path), LM_ERR_MISMATCH);
    assert_int_equal(lm_seq_length(context, 0), 0);
    use.scale = 0.5f;
    test_ok(context, lm_context_set_adapters(context, &use, 1));
    test_ok(context, lm_seq_restore(context, 0, path));
    assert_int_equal(lm_seq_length(context, 0), N_TOKENS);
    remove(path);
    lm_adapter_close(adapter);
    lm_context_close(context);
    lm_model_close(model);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    lm_model *model = test_model("plain", NULL), *other = test_model("hybrid", NULL);
    char path[1024];
    lm_adapter *adapter;
    lm_error error;
    assert_true(test_path("LM_GOLDEN", "adapters/plain-lora.gguf", path, sizeof path));
    assert_int_equal(lm_adapter_open(other, path, &adapter, &error), LM_ERR_MISMATCH);
    assert_non_null(strstr(error.message, "plain-lora.gguf: "));
    assert_true(test_path("LM_GOLDEN", "models/plain.gguf", path, sizeof path));
    assert_int_equal(lm_adapter_open(model, path, &adapter, &error), LM_ERR_FORMAT);
    assert_non_null(strstr(error.message, "plain.gguf: the file is neither"));
    assert_int_equal(lm_adapter_open(model, "no-such-file", &adapter, &error), LM_ERR_NOT_FOUND);
    assert_int_equal(lm_adapter_open(model, "", &adapter, &error), LM_ERR_ARGUMENT);
    assert_string_equal(error.message, "the path is empty");
    adapter = open_adapter(model, "plain-lora");
    lm_context *context = open_context(other);
    lm_adapter_use use = {adapter, 1, 0, 0};
    assert_int_equal(lm_context_set_adapters(context, &use, 1), LM_ERR_MISMATCH);
    use.adapter = NULL;
    assert_int_equal(lm_context_set_adapters(context, &use, 1), LM_ERR_ARGUMENT);
    lm_adapter_close(adapter);
    lm_context_close(context);
    lm_model_close(model);
    lm_model_close(other);
}

/* Allocation k fails while adapters are opened and set: the status says so, the context still works, nothing is left. */
static void running_out_of_memory_changes_nothing(void **state) {
    (void)state;
    char path[1024];
    assert_true(test_path("LM_GOLDEN", "adapters/plain-lora.gguf", path, sizeof path));
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
        lm_allocator allocator = test_memory_allocator(&memory);
        lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
        lm_runtime *runtime;
        lm_adapter *adapter = NULL;
        params.allocator = &allocator;
        params.n_threads = 1;
        assert_int_equal(lm_runtime_create(&params, &runtime, NULL), LM_OK);
        lm_model *model = test_model("plain", runtime);
        lm_context *context = open_context(model);
        float got[64];
        memory.fail_at = memory.calls + k;
        lm_status status = lm_adapter_open(model, path, &adapter, NULL);
        lm_adapter_use use = {adapter, 1, 0, 0};
        if (status == LM_OK) status = lm_context_set_adapters(context, &use, 1);
        memory.fail_at = TEST_MEMORY_NEVER;
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        evaluate(context, got, 64);
        lm_adapter_close(adapter);
        lm_context_close(context);
        lm_model_close(model);
        lm_runtime_destroy(runtime);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adapters_equal_merged_weights),
        cmocka_unit_test(control_vectors_are_added_after_their_block),
        cmocka_unit_test(saved_sequences_know_their_adapters),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(running_out_of_memory_changes_nothing),
    };
    return cmocka_run_group_tests_name("adapters", tests, NULL, NULL);
}
