/* SPDX-License-Identifier: MIT
 * The JSON writer: layout, escaping, exact round trips, limits. */
#include "counting.h"

#include <math.h>

#include "base/json_write.h"

static lm_env heap_env(void) {
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    return env;
}

static void check_round_trip(const char *text, const lm_json_style *style, const char *expected) {
    lm_env env = heap_env();
    lm_arena arena;
    lm_str out;
    lm_error error;
    const lm_json *root = NULL;
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    lm_str_init(&out, &env, SIZE_MAX);
    assert_int_equal(lm_json_parse(&arena, text, strlen(text), LM_JSON_DEPTH_MAX, &root, &error), LM_OK);
    assert_int_equal(lm_json_print(&out, root, style), LM_OK);
    assert_string_equal(lm_str_text(&out), expected);
    lm_str_free(&out);
    lm_arena_free(&arena);
}

static void compact_text_round_trips(void **state) {
    (void)state;
    static const char *const texts[] = {
        "null",
        "[]",
        "{}",
        "[1,1.0,1e0,-0,1E+5,123456789012345678901234567890]",
        "{\"b\":[{}, []],\"a\":{\"a\":null},\"b\":true}",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7F\xE2\x82\xAC\xF0\x9F\x98\x80\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char expected[200], *to = expected;
        for (const char *c = texts[i]; *c; c++)
            if (*c != ' ') *to++ = *c;
        *to = '\0';
        check_round_trip(texts[i], NULL, expected);
    }
}

static void styles_lay_out_the_text(void **state) {
    (void)state;
    lm_json_style indented = {.indent = 2}, python = {.item_separator = ", ", .name_separator = ": "},
                  ascii = {.ascii = true};
    check_round_trip("{\"a\":[1,{\"b\":2}],\"c\":[],\"d\":{}}", &indented,
                     "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": [],\n  \"d\": {}\n}");
    check_round_trip("[]", &indented, "[]");
    check_round_trip("7", &indented, "7");
    check_round_trip("{\"a\":[1,2],\"b\":{}}", &python, "{\"a\": [1, 2], \"b\": {}}");
    check_round_trip("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80~\x7F\"", &ascii,
                     "\"\\u00e9\\u20ac\\ud83d\\ude00~\\u007f\"");
}

static void calls_build_a_text(void **state) {
    (void)state;
    lm_env env = heap_env();
    lm_str out;
    lm_json_writer w;
    lm_str_init(&out, &env, SIZE_MAX);
    lm_json_writer_init(&w, &out, NULL);
    lm_json_write_begin_object(&w);
    lm_json_write_name(&w, "i");
    lm_json_write_int64(&w, INT64_MIN);
    lm_json_write_name_bytes(&w, "u\0", 2);
    lm_json_write_int64(&w, INT64_MAX);
    lm_json_write_name(&w, "d");
    lm_json_write_begin_array(&w);
    lm_json_write_double(&w, 0.1);
    lm_json_write_double(&w, 3);
    lm_json_write_double(&w, 1e-7);
    lm_json_write_double(&w, NAN);
    lm_json_write_double(&w, -INFINITY);
    lm_json_write_end(&w);
    lm_json_write_name(&w, "b");
    lm_json_write_bool(&w, false);
    lm_json_write_name(&w, "n");
    lm_json_write_null(&w);
    lm_json_write_name(&w, "t");
    lm_json_write_text(&w, "x\xFFy\xE2\x82");
    lm_json_write_name(&w, "r");
    lm_json_write_raw(&w, "[0]", 3);
    lm_json_write_end(&w);
    assert_int_equal(out.status, LM_OK);
    assert_string_equal(lm_str_text(&out),
                        "{\"i\":-9223372036854775808,\"u\\u0000\":9223372036854775807,\"d\":[0.1,3.0,1e-07,null,null],"
                        "\"b\":false,\"n\":null,\"t\":\"x\xEF\xBF\xBDy\xEF\xBF\xBD\",\"r\":[0]}");
    lm_str_free(&out);
}

static void deep_trees_are_written_and_too_deep_calls_refused(void **state) {
    (void)state;
    static char text[2 * LM_JSON_DEPTH_MAX + 1];
    memset(text, '[', LM_JSON_DEPTH_MAX);
    memset(text + LM_JSON_DEPTH_MAX, ']', LM_JSON_DEPTH_MAX);
    check_round_trip(text, NULL, text);

    lm_env env = heap_env();
    lm_str out;
    lm_json_writer w;
    lm_str_init(&out, &env, SIZE_MAX);
    lm_json_writer_init(&w, &out, NULL);
    for (int i = 0; i < LM_JSON_DEPTH_MAX; i++) lm_json_write_begin_object(&w), lm_json_write_name(&w, "");
    assert_int_equal(out.status, LM_OK);
    lm_json_write_begin_array(&w);
    assert_int_equal(out.status, LM_ERR_LIMIT);
    for (int i = 0; i < LM_JSON_DEPTH_MAX + 5; i++) lm_json_write_end(&w);
    lm_str_free(&out);
}

static void memory_and_size_limits_are_reported(void **state) {
    (void)state;
    static const char text[] =
        "{\"a\":[1,2,3,\"some text that is longer than the first piece of memory of a string is\"],\"b\":{}}";
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory), heap = heap_env();
        lm_arena arena;
        lm_str out;
        const lm_json *root = NULL;
        lm_arena_init(&arena, &heap, LM_ARENA_UNLIMITED);
        assert_int_equal(lm_json_parse(&arena, text, strlen(text), 8, &root, NULL), LM_OK);
        lm_str_init(&out, &env, SIZE_MAX);
        lm_status status = lm_json_print(&out, root, NULL);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        lm_str_free(&out);
        lm_str_init(&out, &heap, 40);
        assert_int_equal(lm_json_print(&out, root, NULL), LM_ERR_LIMIT);
        assert_true(out.size <= 40);
        lm_str_free(&out);
        lm_arena_free(&arena);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) return;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_text_round_trips),
        cmocka_unit_test(styles_lay_out_the_text),
        cmocka_unit_test(calls_build_a_text),
        cmocka_unit_test(deep_trees_are_written_and_too_deep_calls_refused),
        cmocka_unit_test(memory_and_size_limits_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
