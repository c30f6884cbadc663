/* SPDX-License-Identifier: MIT
 * The writer: what it makes the reader takes, value for value; what the format forbids it refuses; real files come through. */
#include "counting.h"

#include "base/str.h"
#include "gguf/gguf_writer.h"
#include "tensor/dtype.h"

static lm_status to_str(void *user, const void *bytes, size_t n) { return lm_str_append(user, bytes, n); }

static lm_status fill_tensor(void *user, size_t index, const lm_gguf_sink *sink) {
    const uint64_t *sizes = user;
    lm_status status = LM_OK;
    for (uint64_t i = 0; i < sizes[index] && status == LM_OK; i++) {
        uint8_t byte = (uint8_t)(index + 1);
        status = sink->write(sink->user, &byte, 1);
    }
    return status;
}

/* A small file with every type; statuses are passed on so that the caller can let allocations fail. */
static lm_status make(const lm_env *env, lm_str *file, lm_error *error) {
    static const int16_t shorts[] = {-1, 0, 300};
    static const double reals[] = {0.5, -3};
    static const uint8_t bools[] = {1, 0};
    static const lm_gguf_str words[] = {{"one", 3}, {"", 0}, {"a\0b", 3}};
    static const uint64_t sizes[] = {102, 9};
    lm_gguf_writer *w = NULL;
    uint64_t bytes = 0;
    lm_status status = lm_gguf_writer_create(env, &w);
    if (status == LM_OK) status = lm_gguf_writer_set_string(w, "general.architecture", "x", 1, error);
    if (status == LM_OK) status = lm_gguf_writer_set_u32(w, "again", 1, error);
    if (status == LM_OK) status = lm_gguf_writer_set_u32(w, "gone", 1, error);
    if (status == LM_OK) status = lm_gguf_writer_set_int(w, "i8", LM_GGUF_I8, -128, error);
    if (status == LM_OK) status = lm_gguf_writer_set_int(w, "u64", LM_GGUF_U64, INT64_MAX, error);
    if (status == LM_OK) status = lm_gguf_writer_set_int(w, "i64", LM_GGUF_I64, INT64_MIN, error);
    if (status == LM_OK) status = lm_gguf_writer_set_int(w, "bool", LM_GGUF_BOOL, 1, error);
    if (status == LM_OK) status = lm_gguf_writer_set_float(w, "f32", LM_GGUF_F32, 0.1, error);
    if (status == LM_OK) status = lm_gguf_writer_set_float(w, "f64", LM_GGUF_F64, 0.1, error);
    if (status == LM_OK) status = lm_gguf_writer_set_array(w, "shorts", LM_GGUF_I16, shorts, 3, error);
    if (status == LM_OK) status = lm_gguf_writer_set_array(w, "reals", LM_GGUF_F64, reals, 2, error);
    if (status == LM_OK) status = lm_gguf_writer_set_array(w, "bools", LM_GGUF_BOOL, bools, 2, error);
    if (status == LM_OK) status = lm_gguf_writer_set_strings(w, "words", words, 3, error);
    if (status == LM_OK) status = lm_gguf_writer_set_u32(w, "again", 2, error);
    if (status == LM_OK) status = lm_gguf_writer_set_u32(w, "general.alignment", 16, error);
    if (status == LM_OK) lm_gguf_writer_remove(w, "gone");
    if (status == LM_OK) lm_gguf_writer_remove(w, "never there");
    if (status == LM_OK) status = lm_gguf_writer_add_tensor(w, "q", LM_DTYPE_Q8_0, 2, (const int64_t[]){32, 3}, error);
    if (status == LM_OK) status = lm_gguf_writer_add_tensor(w, "b", LM_DTYPE_I8, 1, (const int64_t[]){9}, error);
    if (status == LM_OK) {
        lm_gguf_sink sink = {file, to_str};
        status = lm_gguf_writer_write(w, &sink, (void *)(uintptr_t)sizes, fill_tensor, error);
        assert_true(lm_gguf_writer_file_bytes(w, &bytes));
        if (status == LM_OK) assert_int_equal(bytes, file->size);
    }
    lm_gguf_writer_destroy(w);
    return status;
}

static void the_reader_takes_what_the_writer_makes(void **state) {
    (void)state;
    lm_env env;
    lm_str file;
    lm_error error = {0};
    lm_gguf *gguf = NULL;
    lm_env_init(&env, NULL, NULL);
    lm_str_init(&file, &env, SIZE_MAX);
    assert_int_equal(make(&env, &file, &error), LM_OK);
    lm_gguf_part part = {file.data, file.size, file.size};
    if (lm_gguf_open(&env, &part, NULL, &gguf, &error) != LM_OK) fail_msg("%s", error.message);
    int64_t number = 0;
    double real = 0;
    bool flag = false;
    assert_int_equal(lm_gguf_alignment(gguf, 0), 16);
    assert_int_equal(lm_gguf_n_values(gguf), 14);
    assert_null(lm_gguf_find(gguf, "gone"));
    assert_ptr_equal(lm_gguf_find(gguf, "again"), lm_gguf_value_at(gguf, 11)); /* set again: behind words */
    assert_int_equal(lm_gguf_get_int(gguf, "again", 0, 9, &number, &error), LM_OK);
    assert_int_equal(number, 2);
    assert_int_equal(lm_gguf_get_int(gguf, "i8", -200, 9, &number, &error), LM_OK);
    assert_int_equal(number, -128);
    assert_int_equal(lm_gguf_get_int(gguf, "i64", INT64_MIN, 9, &number, &error), LM_OK);
    assert_int_equal(lm_gguf_get_int(gguf, "u64", INT64_MAX, INT64_MAX, &number, &error), LM_OK);
    assert_int_equal(lm_gguf_get_int(gguf, "general.quantization_version", 2, 2, &number, &error), LM_OK);
    assert_true(lm_gguf_element_float(lm_gguf_find(gguf, "f32"), 0, &real) && real == (double)0.1f);
    assert_true(lm_gguf_element_float(lm_gguf_find(gguf, "f64"), 0, &real) && real == 0.1);
    assert_int_equal(lm_gguf_get_bool(gguf, "bool", &flag, &error), LM_OK);
    assert_true(lm_gguf_element_int(lm_gguf_find(gguf, "shorts"), 2, &number) && number == 300);
    assert_true(lm_gguf_element_float(lm_gguf_find(gguf, "reals"), 1, &real) && real == -3);
    assert_int_equal(lm_gguf_find(gguf, "words")->count, 3);
    const lm_gguf_tensor *tensor = lm_gguf_find_tensor(gguf, "b");
    assert_int_equal(tensor->bytes, 9);
    assert_memory_equal(lm_gguf_tensor_data(gguf, tensor), "\2\2\2\2\2\2\2\2\2", 9);
    assert_int_equal(lm_gguf_find_tensor(gguf, "q")->n_dims, 2);
    lm_gguf_close(gguf);
    lm_str_free(&file);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_error error = {0};
        lm_str file;
        lm_str_init(&file, &env, SIZE_MAX);
        lm_status status = make(&env, &file, &error);
        lm_str_free(&file);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) {
            assert_int_equal(status, LM_OK);
            break;
        }
        assert_int_equal(status, LM_ERR_MEMORY);
    }
}

static void forbidden_things_are_refused(void **state) {
    (void)state;
    static const int64_t dims[] = {32, 1, 1, 1};
    lm_env env;
    lm_error error;
    lm_gguf_writer *w = NULL;
    char name[65] = {0};
    lm_env_init(&env, NULL, NULL);
    memset(name, 'n', 64);
    assert_int_equal(lm_gguf_writer_create(&env, &w), LM_OK);
    assert_int_equal(lm_gguf_writer_set_u32(w, "", 1, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_u32(w, "a\n", 1, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_int(w, "a", LM_GGUF_U8, 256, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_int(w, "a", LM_GGUF_U8, -1, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_int(w, "a", LM_GGUF_I8, -129, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_int(w, "a", LM_GGUF_BOOL, 2, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_int(w, "a", LM_GGUF_STRING, 1, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_float(w, "a", LM_GGUF_U32, 1, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_array(w, "a", LM_GGUF_STRING, dims, 1, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_u32(w, "general.alignment", 13, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_set_int(w, "general.alignment", LM_GGUF_U64, 64, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_add_tensor(w, name, 0, 1, dims, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_add_tensor(w, "", 0, 1, dims, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_add_tensor(w, "t", 4, 1, dims, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_add_tensor(w, "t", LM_DTYPE_Q4K, 1, dims, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_add_tensor(w, "t", 0, 5, dims, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_add_tensor(w, "t", 0, 2, (const int64_t[]){32, 0}, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_add_tensor(w, "t", 0, 1, dims, &error), LM_OK);
    assert_int_equal(lm_gguf_writer_add_tensor(w, "t", 0, 1, dims, &error), LM_ERR_ARGUMENT);
    assert_int_equal(lm_gguf_writer_n_tensors(w), 1);
    lm_str file;
    lm_str_init(&file, &env, SIZE_MAX);
    lm_gguf_sink sink = {&file, to_str};
    uint64_t wrong[] = {127};
    assert_int_equal(lm_gguf_writer_write(w, &sink, wrong, fill_tensor, &error), LM_ERR_ARGUMENT);
    assert_string_equal(error.message, "tensor t: its source gave less than its 128 bytes");
    wrong[0] = 129;
    assert_int_equal(lm_gguf_writer_write(w, &sink, wrong, fill_tensor, &error), LM_ERR_ARGUMENT);
    assert_string_equal(error.message, "tensor t: its source gave more than its 128 bytes");
    lm_str_free(&file);
    lm_str_init(&file, &env, 100); /* a disk that fills up */
    wrong[0] = 128;
    assert_int_equal(lm_gguf_writer_write(w, &sink, wrong, fill_tensor, &error), LM_ERR_LIMIT);
    lm_str_free(&file);
    lm_gguf_writer_destroy(w);
    lm_gguf_writer_destroy(NULL);
}

static lm_status copy_tensor(void *user, size_t index, const lm_gguf_sink *sink) {
    const lm_gguf_tensor *tensor = lm_gguf_tensor_at(user, index);
    return sink->write(sink->user, lm_gguf_tensor_data(user, tensor), (size_t)tensor->bytes);
}

/* A file of our writer's own order and padding comes out as it went in. */
static void copy_is_identical(const char *name) {
    size_t size = 0;
    char *bytes = test_read_shared(name, &size);
    lm_env env;
    lm_error error = {0};
    lm_gguf *gguf = NULL;
    lm_gguf_writer *w = NULL;
    lm_str file;
    lm_env_init(&env, NULL, NULL);
    lm_str_init(&file, &env, SIZE_MAX);
    lm_gguf_part part = {bytes, size, size};
    assert_int_equal(lm_gguf_open(&env, &part, NULL, &gguf, &error), LM_OK);
    assert_int_equal(lm_gguf_writer_create(&env, &w), LM_OK);
    for (size_t i = 0; i < lm_gguf_n_values(gguf); i++)
        assert_int_equal(lm_gguf_writer_copy(w, lm_gguf_value_at(gguf, i), &error), LM_OK);
    for (size_t i = 0; i < lm_gguf_n_tensors(gguf); i++) {
        const lm_gguf_tensor *tensor = lm_gguf_tensor_at(gguf, i);
        char tensor_name[LM_GGUF_MAX_NAME + 1] = {0};
        memcpy(tensor_name, tensor->name.data, tensor->name.size);
        if (lm_gguf_writer_add_tensor(w, tensor_name, tensor->dtype, tensor->n_dims, tensor->dims, &error) != LM_OK)
            fail_msg("%s", error.message);
    }
    lm_gguf_sink sink = {&file, to_str};
    assert_int_equal(lm_gguf_writer_write(w, &sink, gguf, copy_tensor, &error), LM_OK);
    assert_int_equal(file.size, size);
    assert_memory_equal(file.data, bytes, size);
    lm_gguf_writer_destroy(w);
    lm_gguf_close(gguf);
    lm_str_free(&file);
    free(bytes);
}

static void copies_of_real_files_are_identical(void **state) {
    (void)state;
    copy_is_identical("data/vocab/ggml-vocab-gpt-2.gguf");
    copy_is_identical("data/models/stories260K.gguf");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_takes_what_the_writer_makes),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(forbidden_things_are_refused),
        cmocka_unit_test(copies_of_real_files_are_identical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
