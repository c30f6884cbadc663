/* SPDX-License-Identifier: MIT
 * Real files: every model and vocabulary of the reference material opens, and a few facts about them come out right. */
#include "check.h"

#include <dirent.h>

#include "gguf/gguf.h"
#include "tensor/dtype.h"

static void open_all(const char *folder, size_t at_least) {
    char path[1024];
    const char *shared = getenv("LM_SHARED");
    if (!shared) skip();
    snprintf(path, sizeof path, "%s/%s", shared, folder);
    DIR *entries = opendir(path);
    if (!entries) skip();
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    size_t opened = 0;
    for (struct dirent *entry; (entry = readdir(entries));) {
        size_t n = strlen(entry->d_name), size = 0;
        if (n < 5 || strcmp(entry->d_name + n - 5, ".gguf") != 0) continue;
        snprintf(path, sizeof path, "%s/%s/%s", shared, folder, entry->d_name);
        char *bytes = test_read(path, &size);
        assert_non_null(bytes);
        lm_gguf *gguf = NULL;
        lm_error error = {0};
        lm_gguf_part part = {bytes, size, size};
        if (lm_gguf_open(&env, &part, NULL, &gguf, &error) != LM_OK) fail_msg("%s: %s", entry->d_name, error.message);
        lm_gguf_str architecture;
        assert_int_equal(lm_gguf_get_string(gguf, "general.architecture", &architecture, &error), LM_OK);
        for (size_t i = 0; i < lm_gguf_n_tensors(gguf); i++) {
            const lm_gguf_tensor *tensor = lm_gguf_tensor_at(gguf, i);
            assert_ptr_equal(lm_gguf_find_tensor_n(gguf, tensor->name.data, tensor->name.size), tensor);
            assert_non_null(lm_gguf_tensor_data(gguf, tensor));
        }
        /* The same directory comes out of the header alone. */
        size_t header = (size_t)lm_gguf_data_start(gguf, 0);
        if (header < size) {
            lm_gguf *partial = NULL;
            lm_gguf_part head = {bytes, header, size};
            assert_int_equal(lm_gguf_open(&env, &head, NULL, &partial, &error), LM_OK);
            assert_int_equal(lm_gguf_n_tensors(partial), lm_gguf_n_tensors(gguf));
            assert_null(lm_gguf_tensor_data(partial, lm_gguf_tensor_at(partial, 0)));
            lm_gguf_close(partial);
            head.size = header / 2;
            assert_int_equal(lm_gguf_open(&env, &head, NULL, &partial, &error), LM_ERR_FULL);
        }
        lm_gguf_close(gguf);
        free(bytes);
        opened++;
    }
    closedir(entries);
    assert_true(opened >= at_least);
}

static void reference_models_open(void **state) {
    (void)state;
    open_all("fixtures/models", 10);
}

static void reference_vocabularies_open(void **state) {
    (void)state;
    open_all("data/vocab", 5);
}

static void a_model_gives_its_facts(void **state) {
    (void)state;
    size_t size = 0;
    char *bytes = test_read_shared("data/models/stories260K.gguf", &size);
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    lm_gguf *gguf = NULL;
    lm_error error;
    lm_gguf_part part = {bytes, size, size};
    assert_int_equal(lm_gguf_open(&env, &part, NULL, &gguf, &error), LM_OK);
    uint32_t n_layers = 0;
    assert_int_equal(lm_gguf_get_u32(gguf, "llama.block_count", &n_layers, &error), LM_OK);
    assert_int_equal(n_layers, 5);
    const lm_gguf_value *tokens;
    assert_int_equal(lm_gguf_get_array(gguf, "tokenizer.ggml.tokens", LM_GGUF_STRING, &tokens, &error), LM_OK);
    lm_gguf_strings iterator = {0, 0};
    lm_gguf_str token;
    uint64_t n = 0;
    while (lm_gguf_next_string(tokens, &iterator, &token)) n++;
    assert_int_equal(n, tokens->count);
    assert_int_equal(n, 512);
    const lm_gguf_tensor *embedding = lm_gguf_find_tensor(gguf, "token_embd.weight");
    assert_non_null(embedding);
    assert_int_equal(embedding->dims[1], 512);
    assert_null(lm_gguf_find_tensor(gguf, "token_embd.weigh"));
    lm_gguf_close(gguf);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_models_open),
        cmocka_unit_test(reference_vocabularies_open),
        cmocka_unit_test(a_model_gives_its_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
