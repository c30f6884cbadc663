/* SPDX-License-Identifier: MIT
 * Typed access: every stored type, the tolerance of the integer getter, and the refusal to reinterpret anything. */
#include "build.h"

static build b;

static int open_values(void **state) {
    put_header(&b, 3, 0, 16);
    put_key(&b, "u8", LM_GGUF_U8), put(&b, 200, 1);
    put_key(&b, "i8", LM_GGUF_I8), put(&b, 200, 1);
    put_key(&b, "u16", LM_GGUF_U16), put(&b, 60000, 2);
    put_key(&b, "i16", LM_GGUF_I16), put(&b, 60000, 2);
    put_key(&b, "u32", LM_GGUF_U32), put(&b, 4000000000u, 4);
    put_key(&b, "i32", LM_GGUF_I32), put(&b, 4000000000u, 4);
    put_key(&b, "u64", LM_GGUF_U64), put(&b, UINT64_MAX, 8);
    put_key(&b, "i64", LM_GGUF_I64), put(&b, UINT64_MAX, 8);
    put_key(&b, "f32", LM_GGUF_F32), put(&b, 0x3FC00000, 4);
    put_key(&b, "f64", LM_GGUF_F64), put(&b, 0xC004000000000000u, 8);
    put_key(&b, "bool", LM_GGUF_BOOL), put(&b, 7, 1);
    put_key(&b, "string", LM_GGUF_STRING), put_string_n(&b, "a\0b", 3);
    put_key(&b, "words", LM_GGUF_ARRAY), put(&b, LM_GGUF_STRING, 4), put(&b, 3, 8);
    put_string(&b, "one"), put_string(&b, ""), put_string(&b, "three");
    put_key(&b, "ints", LM_GGUF_ARRAY), put(&b, LM_GGUF_I32, 4), put(&b, 2, 8), put(&b, 5, 4), put(&b, UINT32_MAX, 4);
    put_key(&b, "floats", LM_GGUF_ARRAY), put(&b, LM_GGUF_F32, 4), put(&b, 1, 8), put(&b, 0x40000000, 4);
    put_key(&b, "none", LM_GGUF_ARRAY), put(&b, LM_GGUF_U8, 4), put(&b, 0, 8);
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    lm_gguf *gguf = NULL;
    lm_error error = {0};
    lm_gguf_part part = {b.bytes, b.size, b.size};
    if (lm_gguf_open(&env, &part, NULL, &gguf, &error) != LM_OK) return -1;
    *state = gguf;
    return 0;
}

static int close_values(void **state) {
    lm_gguf_close(*state);
    return 0;
}

static void integers_of_every_type_read(void **state) {
    static const struct {
        const char *key;
        int64_t value;
    } rows[] = {{"u8", 200},         {"i8", -56},         {"u16", 60000}, {"i16", -5536},
                {"u32", 4000000000}, {"i32", -294967296}, {"i64", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = 0;
        lm_error error;
        assert_int_equal(lm_gguf_get_int(*state, rows[i].key, INT64_MIN, INT64_MAX, &value, &error), LM_OK);
        assert_int_equal(value, rows[i].value);
    }
}

static void integers_must_fit(void **state) {
    lm_error error;
    uint32_t u32 = 5;
    int32_t i32 = 5;
    int64_t i64 = 5;
    assert_int_equal(lm_gguf_get_u32(*state, "u32", &u32, &error), LM_OK);
    assert_int_equal(u32, 4000000000u);
    u32 = 5;
    assert_int_equal(lm_gguf_get_u32(*state, "i8", &u32, &error), LM_ERR_FORMAT);
    assert_string_equal(error.message, "key i8: -56 is outside [0, 4294967295]");
    assert_int_equal(lm_gguf_get_i32(*state, "u32", &i32, &error), LM_ERR_FORMAT);
    assert_int_equal(lm_gguf_get_int(*state, "u64", 0, INT64_MAX, &i64, &error), LM_ERR_FORMAT);
    assert_string_equal(error.message, "key u64: out of range");
    assert_int_equal(lm_gguf_get_u32(*state, "f32", &u32, &error), LM_ERR_FORMAT);
    assert_string_equal(error.message, "key f32: expected an integer, found f32");
    assert_int_equal(lm_gguf_get_u32(*state, "bool", &u32, &error), LM_ERR_FORMAT);
    assert_int_equal(lm_gguf_get_u32(*state, "ints", &u32, &error), LM_ERR_FORMAT);
    assert_string_equal(error.message, "key ints: expected an integer, found an array of i32");
    assert_int_equal(lm_gguf_get_u32(*state, "gone", &u32, &error), LM_ERR_NOT_FOUND);
    assert_string_equal(error.message, "key gone is missing");
    assert_int_equal(lm_gguf_get_u32(*state, "gone", &u32, NULL), LM_ERR_NOT_FOUND);
    assert_int_equal(u32, 5);
    assert_int_equal(i32, 5);
    assert_int_equal(i64, 5);
}

static void floats_bools_and_strings_read(void **state) {
    lm_error error;
    float x = 0;
    bool flag = false;
    lm_gguf_str text = {NULL, 0};
    assert_int_equal(lm_gguf_get_f32(*state, "f32", &x, &error), LM_OK);
    assert_true(x == 1.5f);
    assert_int_equal(lm_gguf_get_f32(*state, "f64", &x, &error), LM_OK);
    assert_true(x == -2.5f);
    assert_int_equal(lm_gguf_get_f32(*state, "u8", &x, &error), LM_ERR_FORMAT);
    assert_int_equal(lm_gguf_get_f32(*state, "floats", &x, &error), LM_ERR_FORMAT);
    assert_int_equal(lm_gguf_get_bool(*state, "bool", &flag, &error), LM_OK);
    assert_true(flag);
    assert_int_equal(lm_gguf_get_bool(*state, "u8", &flag, &error), LM_ERR_FORMAT);
    assert_int_equal(lm_gguf_get_string(*state, "string", &text, &error), LM_OK);
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.data, "a\0b", 3);
    assert_int_equal(lm_gguf_get_string(*state, "words", &text, &error), LM_ERR_FORMAT);
    assert_string_equal(error.message, "key words: expected string, found an array of string");
}

static void arrays_keep_their_element_type(void **state) {
    lm_error error;
    const lm_gguf_value *value = NULL;
    int64_t number = 0;
    double real = 0;
    assert_int_equal(lm_gguf_get_array(*state, "ints", LM_GGUF_I32, &value, &error), LM_OK);
    assert_int_equal(value->count, 2);
    assert_true(lm_gguf_element_int(value, 1, &number));
    assert_int_equal(number, -1);
    assert_false(lm_gguf_element_int(value, 2, &number));
    assert_false(lm_gguf_element_float(value, 0, &real));
    assert_int_equal(lm_gguf_get_array(*state, "ints", LM_GGUF_F32, &value, &error), LM_ERR_FORMAT);
    assert_string_equal(error.message, "key ints: expected an array of f32, found an array of i32");
    assert_int_equal(lm_gguf_get_array(*state, "u32", LM_GGUF_U32, &value, &error), LM_ERR_FORMAT);
    assert_int_equal(lm_gguf_get_array(*state, "none", LM_GGUF_F32, &value, &error), LM_OK);
    assert_int_equal(value->count, 0);
    assert_int_equal(lm_gguf_get_array(*state, "floats", LM_GGUF_F32, &value, &error), LM_OK);
    assert_true(lm_gguf_element_float(value, 0, &real) && real == 2.0);
    assert_false(lm_gguf_element_int(value, 0, &number));
}

static void strings_come_in_order(void **state) {
    static const char *const words[] = {"one", "", "three"};
    lm_error error;
    const lm_gguf_value *value = NULL;
    lm_gguf_strings iterator = {0, 0};
    lm_gguf_str text;
    assert_int_equal(lm_gguf_get_array(*state, "words", LM_GGUF_STRING, &value, &error), LM_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_true(lm_gguf_next_string(value, &iterator, &text));
        assert_int_equal(text.size, strlen(words[i]));
        assert_memory_equal(text.data, words[i], text.size);
    }
    assert_false(lm_gguf_next_string(value, &iterator, &text));
    iterator = (lm_gguf_strings){0, 0};
    assert_false(lm_gguf_next_string(lm_gguf_find(*state, "ints"), &iterator, &text));
}

static void values_come_in_file_order(void **state) {
    assert_int_equal(lm_gguf_n_values(*state), 16);
    assert_memory_equal(lm_gguf_value_at(*state, 0)->key.data, "u8", 2);
    assert_memory_equal(lm_gguf_value_at(*state, 15)->key.data, "none", 4);
    assert_null(lm_gguf_find(*state, "u"));
    assert_null(lm_gguf_find(*state, ""));
    assert_null(lm_gguf_find_tensor(*state, "t"));
    assert_int_equal(lm_gguf_split_count(*state), 1);
    assert_int_equal(lm_gguf_version(*state), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_of_every_type_read),   cmocka_unit_test(integers_must_fit),
        cmocka_unit_test(floats_bools_and_strings_read), cmocka_unit_test(arrays_keep_their_element_type),
        cmocka_unit_test(strings_come_in_order),         cmocka_unit_test(values_come_in_file_order),
    };
    return cmocka_run_group_tests(tests, open_values, close_values);
}
