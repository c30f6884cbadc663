/* SPDX-License-Identifier: MIT
 * lm/model.h: opening from a path, a descriptor and memory; refusals; what a model tells; one copy of the weights. */
#define _POSIX_C_SOURCE 200809L
#include "small_model.h"

#include <fcntl.h>
#include <unistd.h>

#if defined(_WIN32)
#include <io.h>
#define HANDLE_OF(fd) _get_osfhandle(fd)
#else
#define HANDLE_OF(fd) (fd)
#endif

static void refused(lm_status expected, const char *path, const lm_model_params *params, const char *word) {
    lm_model *model = NULL;
    lm_error error = {.message = ""};
    assert_int_equal(lm_model_open(path, params, &model, &error), expected);
    assert_null(model);
    assert_int_equal(error.status, expected);
    if (!strstr(error.message, word)) fail_msg("\"%s\" does not name %s", error.message, word);
}

static void wrong_arguments_are_refused(void **state) {
    (void)state;
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_model *model = NULL;
    assert_int_equal(lm_model_open(small_path(), NULL, NULL, NULL), LM_ERR_ARGUMENT);
    refused(LM_ERR_ARGUMENT, NULL, NULL, "path");
    refused(LM_ERR_ARGUMENT, "", NULL, "the path is empty");
    refused(LM_ERR_NOT_FOUND, "/no/such/file.gguf", NULL, "/no/such/file.gguf");
    refused(LM_ERR_IO, "/", NULL, "directory");
    FILE *file = fopen("lm-no-model.tmp", "wb");
    assert_non_null(file);
    fputs("These are no weights, but a text that is longer than a header.", file);
    fclose(file);
    refused(LM_ERR_FORMAT, "lm-no-model.tmp", NULL, "lm-no-model.tmp: not a GGUF file");
    remove("lm-no-model.tmp");
    params.load = 7;
    refused(LM_ERR_ARGUMENT, small_path(), &params, "load");
    assert_int_equal(lm_model_open_memory(NULL, 0, NULL, &model, NULL), LM_ERR_ARGUMENT);
    assert_int_equal(lm_model_open_memory("GGUF", 4, NULL, &model, NULL), LM_ERR_FORMAT);
    assert_int_equal(lm_model_open_fd(-1, NULL, &model, NULL), LM_ERR_IO);
    lm_model_close(NULL);
}

/* The first float of the logits after some tokens: enough to tell that the weights are the same. */
static float first_logit(lm_model *model) {
    lm_token tokens[9];
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context = small_context(model, params);
    assert_int_equal(lm_context_eval(context, small_text(2, tokens, 9), 9), LM_OK);
    float value = lm_context_logits(context)[0];
    lm_context_close(context);
    return value;
}

static void every_way_to_open_gives_the_same_model(void **state) {
    (void)state;
    lm_model *models[4] = {small_model(NULL, 1)};
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    size_t size = 0;
    char *bytes = test_read(small_path(), &size), *shifted = malloc(size + 1);
    int fd = open(small_path(), O_RDONLY);
    memcpy(shifted + 1, bytes, size);
    assert_int_equal(lm_model_open_fd(HANDLE_OF(fd), NULL, &models[1], NULL), LM_OK);
    close(fd);
    assert_int_equal(lm_model_open_memory(shifted + 1, size, NULL, &models[2], NULL), LM_OK);
    params.load = LM_LOAD_READ;
    assert_int_equal(lm_model_open(small_path(), &params, &models[3], NULL), LM_OK);
    float expected = first_logit(models[0]);
    for (int i = 0; i < 4; i++) {
        float value = first_logit(models[i]);
        assert_memory_equal(&value, &expected, sizeof value);
        lm_model_close(models[i]);
    }
    free(bytes);
    free(shifted);
}

/* Cut anywhere in its header the file is refused; cut in the data too. */
static void cut_files_are_refused(void **state) {
    (void)state;
    size_t size = 0;
    lm_error error;
    lm_model *model = NULL;
    char *bytes = test_read(small_path(), &size);
    for (size_t n = 0; n < size; n += n < 4096 ? 1 : 997) {
        char *cut = malloc(n + 1); /* its own block, so that a sanitizer sees a read past its end */
        memcpy(cut, bytes, n);
        lm_status status = lm_model_open_memory(cut, n, NULL, &model, &error);
        assert_int_not_equal(status, LM_OK);
        assert_int_equal(error.status, status);
        assert_true(error.message[0] != '\0');
        free(cut);
    }
    free(bytes);
}

static void altered_files_are_refused_or_run(void **state) {
    (void)state;
    size_t size = 0;
    char *bytes = test_read(small_path(), &size);
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    params.runtime = small_runtime(NULL, 1);
    for (size_t at = 0; at < 4700 && at < size; at += 3) {
        char old = bytes[at];
        lm_model *model = NULL;
        lm_context *context = NULL;
        lm_context_params context_params = LM_CONTEXT_PARAMS_INIT;
        lm_token token = 3;
        bytes[at] = (char)(old ^ (char)(1 << at % 8));
        context_params.n_ctx = 64;
        if (lm_model_open_memory(bytes, size, &params, &model, NULL) == LM_OK &&
            lm_context_open(model, &context_params, &context, NULL) == LM_OK)
            lm_context_eval(context, &token, 1);
        lm_context_close(context);
        lm_model_close(model);
        bytes[at] = old;
    }
    lm_runtime_destroy(params.runtime);
    free(bytes);
}

static void a_model_tells_what_it_is(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    lm_model_info info = {.struct_size = sizeof info};
    lm_tensor_info tensor = {.struct_size = sizeof tensor};
    char text[64];
    size_t size = 0;
    uint64_t bytes = 0;
    assert_int_equal(lm_model_get_info(model, &info), LM_OK);
    assert_string_equal(info.architecture, "llama");
    assert_string_equal(info.name, "llama");
    assert_int_equal(info.n_vocab, lm_vocab_size(model));
    assert_int_equal(info.n_layers, 2);
    assert_int_equal(info.n_heads, 4);
    assert_int_equal(info.n_heads_kv, 2);
    for (size_t i = 0; i < lm_model_tensor_count(model); i++) {
        assert_int_equal(lm_model_get_tensor(model, i, &tensor), LM_OK);
        bytes += tensor.bytes;
    }
    assert_int_equal(bytes, info.weights_bytes);
    assert_int_equal(lm_model_get_tensor(model, lm_model_tensor_count(model), &tensor), LM_ERR_RANGE);
    assert_null(lm_model_metadata_key(model, lm_model_metadata_count(model)));
    assert_int_equal(lm_model_metadata_json(model, "llama.block_count", 1, text, sizeof text, &size), LM_OK);
    assert_string_equal(text, "2");
    assert_int_equal(lm_model_metadata_json(model, "general.architecture", 1, text, 4, &size), LM_OK);
    assert_int_equal(size, 7);
    assert_string_equal(text, "\"ll");
    assert_int_equal(lm_model_metadata_json(model, "no.such.key", 1, text, sizeof text, &size), LM_ERR_NOT_FOUND);
    assert_memory_equal(lm_model_metadata_string(model, "general.name", &size), "llama", 5);
    assert_null(lm_model_metadata_string(model, "llama.block_count", &size));
    struct {
        uint32_t struct_size;
        const char *architecture;
    } old = {sizeof old, NULL}; /* a host of an older header */
    assert_int_equal(lm_model_get_info(model, (lm_model_info *)(void *)&old), LM_OK);
    assert_string_equal(old.architecture, "llama");
    lm_model_close(model);
}

static void a_vocabulary_alone_evaluates_nothing(void **state) {
    (void)state;
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_token tokens[8];
    params.vocab_only = 1;
    assert_int_equal(lm_model_open(small_path(), &params, &model, NULL), LM_OK);
    assert_true(lm_tokenize(model, "the", 3, 0, tokens, 8) > 0);
    assert_int_equal(lm_context_open(model, NULL, &context, NULL), LM_ERR_ARGUMENT);
    lm_model_close(model);
}

static void pieces_are_cut_to_their_room(void **state) {
    (void)state;
    lm_model *model = small_model(NULL, 1);
    char whole[64], path[1024];
    int n_long = 0;
    for (lm_token t = 0; t < lm_vocab_size(model); t++) {
        int32_t n = lm_token_piece(model, t, LM_DETOKENIZE_SPECIAL, whole, sizeof whole);
        assert_in_range(n, 0, sizeof whole);
        if (n < 2) continue;
        char *cut = malloc((size_t)n - 1); /* its own block, so that a sanitizer sees a write past its end */
        assert_int_equal(lm_token_piece(model, t, LM_DETOKENIZE_SPECIAL, cut, (size_t)n - 1), n);
        assert_memory_equal(cut, whole, (size_t)n - 1);
        free(cut);
        n_long++;
    }
    assert_true(n_long > 0);
    assert_int_equal(lm_token_piece(model, lm_vocab_size(model), 0, whole, sizeof whole), -LM_ERR_RANGE);
    lm_model_close(model);
    assert_true(test_path("LM_GOLDEN", "models/hybrid.gguf", path, sizeof path)); /* it has ids, but no texts */
    assert_int_equal(lm_model_open(path, NULL, &model, NULL), LM_OK);
    assert_int_equal(lm_token_piece(model, 0, 0, whole, sizeof whole), -LM_ERR_UNSUPPORTED);
    lm_model_close(model);
}

/* Pages of the mapping that belong to this process alone, in bytes; -1 when the system does not say. */
static long private_bytes(const char *name) {
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[1024];
    long total = -1, value;
    int inside = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        if (strstr(line, name)) {
            inside = 1;
            if (total < 0) total = 0;
        } else if (line[0] < 'A' || line[0] > 'Z') { /* the next mapping; facts begin with a capital */
            inside = 0;
        }
        if (inside && sscanf(line, "Private_Dirty: %ld kB", &value) == 1) total += value * 1024;
        if (inside && sscanf(line, "Anonymous: %ld kB", &value) == 1) total += value * 1024;
    }
    if (maps) fclose(maps);
    return total;
}

static void weights_are_the_files_pages(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_model *model = small_model(&memory, 1);
    lm_model_info info = {.struct_size = sizeof info};
    lm_model_get_info(model, &info);
    first_logit(model);
    long own = private_bytes("llama.gguf");
    if (own >= 0) assert_int_equal(own, 0);
    assert_true(memory.live_bytes < info.weights_bytes); /* nothing of their size was allocated either */
    lm_model_close(model);
    assert_int_equal(memory.live_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_arguments_are_refused),  cmocka_unit_test(every_way_to_open_gives_the_same_model),
        cmocka_unit_test(cut_files_are_refused),        cmocka_unit_test(altered_files_are_refused_or_run),
        cmocka_unit_test(a_model_tells_what_it_is),     cmocka_unit_test(a_vocabulary_alone_evaluates_nothing),
        cmocka_unit_test(pieces_are_cut_to_their_room), cmocka_unit_test(weights_are_the_files_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
