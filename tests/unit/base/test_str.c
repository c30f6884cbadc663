/* SPDX-License-Identifier: MIT
 * The growing string: contents, the sticky failure, the limit. */
#include "counting.h"

#include "base/str.h"

static void appends_build_the_text(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_str str;
    lm_str_init(&str, &env, SIZE_MAX);
    assert_string_equal(lm_str_text(&str), "");
    lm_str_append_text(&str, "one");
    lm_str_append_char(&str, ' ');
    lm_str_append_fill(&str, '-', 3);
    assert_string_equal(lm_str_text(&str), "one ---");
    assert_int_equal(str.size, strlen("one ---"));
    lm_str_clear(&str);
    assert_string_equal(lm_str_text(&str), "");
    for (int i = 0; i < 10000; i++) lm_str_append(&str, "ab", 2);
    assert_int_equal(str.size, 20000);
    assert_true(memory.calls < 16);
    lm_str_free(&str);
    assert_int_equal(memory.live_bytes, 0);
}

static void failure_is_sticky(void **state) {
    (void)state;
    test_memory memory = {.fail_at = 1};
    lm_env env = test_memory_env(&memory);
    lm_str str;
    lm_str_init(&str, &env, SIZE_MAX);
    assert_int_equal(lm_str_append_text(&str, "kept"), LM_OK);
    assert_int_equal(lm_str_append_fill(&str, 'x', 100), LM_ERR_MEMORY);
    assert_int_equal(lm_str_append_text(&str, "y"), LM_ERR_MEMORY);
    assert_string_equal(lm_str_text(&str), "kept");
    lm_str_clear(&str);
    assert_int_equal(lm_str_append_fill(&str, 'x', 100), LM_OK);
    lm_str_free(&str);
    assert_int_equal(memory.live_bytes, 0);
}

static void the_limit_counts_bytes_of_text(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_str str;
    lm_str_init(&str, &env, 5);
    assert_int_equal(lm_str_append_text(&str, "12345"), LM_OK);
    assert_int_equal(lm_str_append_text(&str, ""), LM_OK);
    assert_int_equal(lm_str_append_text(&str, "6"), LM_ERR_LIMIT);
    assert_string_equal(lm_str_text(&str), "12345");
    assert_int_equal(lm_str_append(&str, "", SIZE_MAX), LM_ERR_LIMIT);
    lm_str_free(&str);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_build_the_text),
        cmocka_unit_test(failure_is_sticky),
        cmocka_unit_test(the_limit_counts_bytes_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
