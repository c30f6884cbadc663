/* SPDX-License-Identifier: MIT
 * The type table: sizes, names, refusals, and size arithmetic that refuses to overflow. */
#include "check.h"

#include "tensor/dtype.h"

static void every_type_has_the_size_of_its_format(void **state) {
    (void)state;
    static const struct {
        int32_t dtype;
        uint32_t values, bytes;
        const char *name;
    } rows[] = {
        {0, 1, 4, "f32"},         {1, 1, 2, "f16"},         {2, 32, 18, "q4_0"},      {3, 32, 20, "q4_1"},
        {6, 32, 22, "q5_0"},      {7, 32, 24, "q5_1"},      {8, 32, 34, "q8_0"},      {9, 32, 36, "q8_1"},
        {10, 256, 84, "q2_K"},    {11, 256, 110, "q3_K"},   {12, 256, 144, "q4_K"},   {13, 256, 176, "q5_K"},
        {14, 256, 210, "q6_K"},   {15, 256, 292, "q8_K"},   {16, 256, 66, "iq2_xxs"}, {17, 256, 74, "iq2_xs"},
        {18, 256, 98, "iq3_xxs"}, {19, 256, 50, "iq1_s"},   {20, 32, 18, "iq4_nl"},   {21, 256, 110, "iq3_s"},
        {22, 256, 82, "iq2_s"},   {23, 256, 136, "iq4_xs"}, {24, 1, 1, "i8"},         {25, 1, 2, "i16"},
        {26, 1, 4, "i32"},        {27, 1, 8, "i64"},        {28, 1, 8, "f64"},        {29, 256, 56, "iq1_m"},
        {30, 1, 2, "bf16"},       {34, 256, 54, "tq1_0"},   {35, 256, 66, "tq2_0"},   {39, 32, 17, "mxfp4"},
        {40, 64, 36, "nvfp4"},    {41, 128, 18, "q1_0"},    {42, 64, 18, "q2_0"},
    };
    size_t n = 0;
    for (int32_t dtype = -1; dtype < 400; dtype++) n += lm_dtype_find(dtype) != NULL;
    assert_int_equal(n, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        const lm_dtype_info *info = lm_dtype_find(rows[i].dtype);
        assert_non_null(info);
        assert_int_equal(info->block_values, rows[i].values);
        assert_int_equal(info->block_bytes, rows[i].bytes);
        assert_string_equal(info->name, rows[i].name);
        assert_non_null(info->dequantize);
        assert_int_equal(lm_dtype_by_name(info->name, strlen(info->name)), rows[i].dtype);
    }
}

static void names_match_in_any_case_and_whole(void **state) {
    (void)state;
    assert_int_equal(lm_dtype_by_name("Q4_K", 4), LM_DTYPE_Q4K);
    assert_int_equal(lm_dtype_by_name("q4_k", 4), LM_DTYPE_Q4K);
    assert_int_equal(lm_dtype_by_name("Q4_", 3), -1);
    assert_int_equal(lm_dtype_by_name("Q4_KX", 5), -1);
    assert_int_equal(lm_dtype_by_name("", 0), -1);
}

static void refusals_say_why(void **state) {
    (void)state;
    static const int32_t ids[] = {-1, 4, 31, 36, 43, 98, 137, 205, INT32_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) assert_null(lm_dtype_find(ids[i]));
    assert_non_null(strstr(lm_dtype_refusal(4), "retired"));
    assert_non_null(strstr(lm_dtype_refusal(33), "Q4_0"));
    assert_non_null(strstr(lm_dtype_refusal(137), "ik_llama"));
    assert_non_null(strstr(lm_dtype_refusal(43), "knows"));
}

static void sizes_do_not_overflow(void **state) {
    (void)state;
    uint64_t bytes = 0;
    int64_t count = 0;
    assert_true(lm_dtype_row_bytes(LM_DTYPE_Q4K, 512, &bytes));
    assert_int_equal(bytes, 288);
    assert_false(lm_dtype_row_bytes(LM_DTYPE_Q4K, 511, &bytes));
    assert_false(lm_dtype_row_bytes(LM_DTYPE_Q4K, -256, &bytes));
    assert_false(lm_dtype_row_bytes(4, 256, &bytes));
    assert_false(lm_dtype_row_bytes(LM_DTYPE_F64, INT64_MAX, &bytes));
    assert_true(lm_dtype_tensor_bytes(LM_DTYPE_Q8_0, (const int64_t[4]){64, 3, 2, 1}, &bytes));
    assert_int_equal(bytes, 68 * 6);
    assert_false(lm_dims_count((const int64_t[4]){1 << 20, 1 << 20, 1 << 20, 8}, &count));
    assert_false(lm_dims_count((const int64_t[4]){1ll << 32, 1ll << 32, 1, 1}, &count));
    assert_false(lm_dims_count((const int64_t[4]){1, 0, 1, 1}, &count));
    assert_false(lm_dims_count((const int64_t[4]){1, 1, -1, 1}, &count));
    assert_false(lm_dtype_tensor_bytes(LM_DTYPE_F64, (const int64_t[4]){1ll << 31, 1ll << 31, 1, 1}, &bytes));
    assert_false(lm_dtype_tensor_bytes(LM_DTYPE_F32, (const int64_t[4]){INT64_MAX, 1, 1, 1}, &bytes));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_the_size_of_its_format),
        cmocka_unit_test(names_match_in_any_case_and_whole),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(sizes_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
