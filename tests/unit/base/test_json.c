/* SPDX-License-Identifier: MIT
 * The JSON reader: the grammar by tables, order and duplicates, limits, hostile sizes, and failure at every allocation. */
#include "counting.h"

#include "base/json.h"

typedef struct document {
    test_memory memory;
    lm_env env;
    lm_arena arena;
    lm_error error;
    const lm_json *root;
} document;

static lm_status parse_bytes(document *d, const char *text, size_t n, int32_t depth) {
    memset(d, 0, sizeof *d);
    d->memory.fail_at = TEST_MEMORY_NEVER;
    d->env = test_memory_env(&d->memory);
    lm_arena_init(&d->arena, &d->env, LM_ARENA_UNLIMITED);
    char *exact = malloc(n ? n : 1); /* no byte after the text, so that the sanitizer sees a read past the end */
    memcpy(exact, text, n);
    lm_status status = lm_json_parse(&d->arena, exact, n, depth, &d->root, &d->error);
    free(exact);
    return status;
}

static lm_status parse(document *d, const char *text) {
    return parse_bytes(d, text, strlen(text), LM_JSON_DEPTH_DEFAULT);
}

static void close_document(document *d) {
    assert_int_equal(d->arena.bytes, d->memory.live_bytes); /* no scratch left behind */
    lm_arena_free(&d->arena);
    assert_int_equal(d->memory.live_bytes, 0);
}

static void valid_texts_are_accepted(void **state) {
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E400",
        "\"\"",
        "[]",
        "{}",
        " \t\r\n[ ] ",
        "[1,2,3]",
        "[[],[[]],{}]",
        "{\"a\":1}",
        "{\"\":{\"\":[]}}",
        "{ \"a\" : [ 1 , { \"b\" : null } ] , \"c\" : \"d\" }",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"",
        "\"\x7F\"",
        "\"\xF0\x9F\x98\x80\"",
        "\"\\ud83d\\ude00\"",
        "[1e5,2.0]",
        "\"12345678\\n12345678\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        document d;
        if (parse(&d, texts[i]) != LM_OK) fail_msg("%s: %s", texts[i], d.error.message);
        close_document(&d);
    }
}

static void malformed_texts_are_refused_where_they_break(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t offset;
    } cases[] = {
        {"", 0},
        {" ", 1},
        {"nul", 0},
        {"nulll", 4},
        {"True", 0},
        {"01", 1},
        {"+1", 0},
        {"-", 0},
        {"1.", 1},
        {".5", 0},
        {"1e", 1},
        {"0x10", 1},
        {"NaN", 0},
        {"-Infinity", 0},
        {"[", 1},
        {"[1", 2},
        {"[1,", 3},
        {"[1,]", 3},
        {"[,1]", 1},
        {"[1 2]", 3},
        {"]", 0},
        {"[}", 1},
        {"{", 1},
        {"{]", 1},
        {"{1:2}", 1},
        {"{\"a\"}", 4},
        {"{\"a\":}", 5},
        {"{\"a\":1,}", 7},
        {"{\"a\":1 \"b\"", 7},
        {"{'a':1}", 1},
        {"\"", 1},
        {"\"abc", 4},
        {"\"\\", 2},
        {"\"\\\"", 3},
        {"\"\\x41\"", 1},
        {"\"\\u12\"", 1},
        {"\"\\u12G4\"", 1},
        {"\"a\nb\"", 2},
        {"\"\t\"", 1},
        {"\"\\n\t\"", 3},
        {"\xEF\xBB\xBF[]", 0},
        {"[1]x", 3},
        {"[\"\xFF\"]", 2},
        {"\"\xED\xA0\x80\"", 1},
        {"\"\xC3", 1},
        {"/**/1", 0},
        {"\"12345678\x01\"", 9},
        {"[1]]", 3},
        {"\"\\n\x01"
         "abcdefghijk\"",
         3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        document d;
        if (parse(&d, cases[i].text) != LM_ERR_FORMAT) fail_msg("accepted: %s", cases[i].text);
        if (d.error.offset != cases[i].offset) fail_msg("%s: %s", cases[i].text, d.error.message);
        assert_null(d.root);
        assert_int_equal(d.error.status, LM_ERR_FORMAT);
        close_document(&d);
    }
}

static void errors_name_the_line(void **state) {
    (void)state;
    document d;
    assert_int_equal(parse(&d, "{\n  \"a\": 1,\n  \"b\": ?\n}"), LM_ERR_FORMAT);
    assert_int_equal(d.error.line, 3);
    assert_int_equal(d.error.offset, 19);
    assert_string_equal(d.error.message, "JSON line 3, offset 19: expected a value");
    close_document(&d);
}

static void strings_are_decoded(void **state) {
    (void)state;
    static const struct {
        const char *text, *decoded;
        size_t n;
    } cases[] = {
        {"\"a\\u0000b\"", "a\0b", 3},
        {"\"\\u00e9\\u20AC\"", "\xC3\xA9\xE2\x82\xAC", 5},
        {"\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80", 4},
        {"\"\\udbff\\udfff\"", "\xF4\x8F\xBF\xBF", 4},
        {"\"\\ud83d\"", "\xEF\xBF\xBD", 3},
        {"\"\\ude00x\"", "\xEF\xBF\xBDx", 4},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80", 7},
        {"\"\\ud83d\\n\"", "\xEF\xBF\xBD\n", 4},
        {"\"\\ude00\\ud83d\"", "\xEF\xBF\xBD\xEF\xBF\xBD", 6},
        {"\"long text before \\\"quotes\\\" and after\"", "long text before \"quotes\" and after", 35},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        document d;
        assert_int_equal(parse(&d, cases[i].text), LM_OK);
        assert_true(lm_json_is(d.root, LM_JSON_STRING));
        assert_int_equal(d.root->count, cases[i].n);
        assert_memory_equal(d.root->text, cases[i].decoded, cases[i].n + 1);
        close_document(&d);
    }
    document d;
    assert_int_equal(parse(&d, "[\"a\\u0000b\",\"ab\"]"), LM_OK);
    assert_string_equal(lm_json_text(lm_json_at(d.root, 0), "none"), "none");
    assert_string_equal(lm_json_text(lm_json_at(d.root, 1), "none"), "ab");
    assert_false(lm_json_is_text(lm_json_at(d.root, 0), "a"));
    assert_true(lm_json_is_text(lm_json_at(d.root, 1), "ab"));
    close_document(&d);
}

static void numbers_keep_their_text(void **state) {
    (void)state;
    document d;
    int64_t i = 0;
    uint64_t u = 0;
    double f = 0;
    assert_int_equal(parse(&d, "[1, 1.0, 1e0, -0, 18446744073709551615, 0.1000000000000000055511151231257827]"), LM_OK);
    static const char *const texts[] = {
        "1", "1.0", "1e0", "-0", "18446744073709551615", "0.1000000000000000055511151231257827"};
    static const bool integer[] = {true, false, false, true, true, false};
    for (size_t k = 0; k < 6; k++) {
        const lm_json *item = lm_json_at(d.root, k);
        assert_string_equal(item->text, texts[k]);
        assert_int_equal(item->count, strlen(texts[k]));
        assert_int_equal(item->is_integer, integer[k]);
    }
    assert_true(lm_json_int64(lm_json_at(d.root, 1), &i) && i == 1);
    assert_false(lm_json_int64(lm_json_at(d.root, 4), &i));
    assert_true(lm_json_uint64(lm_json_at(d.root, 4), &u) && u == UINT64_MAX);
    assert_true(lm_json_double(lm_json_at(d.root, 5), &f) && f == 0.1);
    assert_false(lm_json_double(lm_json_at(d.root, 6), &f));
    assert_false(lm_json_double(d.root, &f));
    close_document(&d);
}

static void members_keep_order_and_the_last_duplicate_wins(void **state) {
    (void)state;
    document d;
    int64_t value = 0;
    assert_int_equal(parse(&d, "{\"z\":1,\"a\":2,\"z\":3,\"\":4,\"z\\u0000\":5}"), LM_OK);
    assert_int_equal(d.root->count, 5);
    assert_string_equal(d.root->members[0].name, "z");
    assert_string_equal(d.root->members[1].name, "a");
    assert_string_equal(d.root->members[2].name, "z");
    assert_true(lm_json_int64(lm_json_get(d.root, "z"), &value) && value == 3);
    assert_true(lm_json_int64(lm_json_get(d.root, ""), &value) && value == 4);
    assert_true(lm_json_int64(lm_json_find(d.root, "z", 2), &value) && value == 5);
    assert_null(lm_json_get(d.root, "b"));
    assert_null(lm_json_get(lm_json_get(d.root, "b"), "c"));
    assert_null(lm_json_get(lm_json_get(d.root, "a"), "c"));
    assert_true(lm_json_bool(lm_json_get(d.root, "b"), true));
    close_document(&d);
}

static void large_objects_are_indexed(void **state) {
    (void)state;
    for (int n = 15; n <= 3000; n = n < 20 ? n + 1 : n * 3) {
        char *text = malloc((size_t)n * 40 + 16), *at = text;
        *at++ = '{';
        for (int i = 0; i < n; i++)
            at += sprintf(at, "%s\"name %d\":%d", i ? "," : "", i * 7919 % n / 2, i); /* each name about twice */
        *at++ = '}';
        document d;
        assert_int_equal(parse_bytes(&d, text, (size_t)(at - text), 1), LM_OK);
        assert_int_equal(d.root->count, n);
        for (int i = 0; i < n; i++) {
            const lm_json_member *m = &d.root->members[i];
            int last = -1;
            for (int j = 0; j < n && n < 100; j++)
                if (strcmp(d.root->members[j].name, m->name) == 0) last = j;
            const lm_json *found = lm_json_get(d.root, m->name);
            assert_non_null(found);
            if (n < 100) assert_ptr_equal(found, &d.root->members[last].value);
        }
        assert_null(lm_json_get(d.root, "name"));
        assert_null(lm_json_get(d.root, "name -1"));
        assert_null(lm_json_get(d.root, "zzzzzzzzzzzzzzzzz"));
        close_document(&d);
        free(text);
    }
}

static void depth_is_bounded(void **state) {
    (void)state;
    static char text[200000];
    document d;
    memset(text, '[', sizeof text);
    assert_int_equal(parse_bytes(&d, text, sizeof text, INT32_MAX), LM_ERR_LIMIT);
    assert_int_equal(d.error.offset, LM_JSON_DEPTH_MAX);
    close_document(&d);
    memset(text + 3, ']', 3);
    assert_int_equal(parse_bytes(&d, text, 6, 3), LM_OK);
    close_document(&d);
    assert_int_equal(parse_bytes(&d, text, 6, 2), LM_ERR_LIMIT);
    close_document(&d);
    assert_int_equal(parse_bytes(&d, "1", 1, 0), LM_OK);
    close_document(&d);
    assert_int_equal(parse_bytes(&d, "[]", 2, 0), LM_ERR_LIMIT);
    close_document(&d);
    for (size_t i = 0; i < sizeof text; i++) text[i] = "{\"\":"[i % 4];
    assert_int_equal(parse_bytes(&d, text, sizeof text, 256), LM_ERR_LIMIT);
    close_document(&d);
}

static void the_arena_limit_stops_the_reader(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_arena arena;
    const lm_json *root = NULL;
    lm_error error;
    static char text[100001];
    memset(text, '1', sizeof text);
    for (size_t i = 0; i + 1 < sizeof text; i += 2) text[i] = ',';
    text[0] = '[', text[sizeof text - 1] = ']';
    lm_arena_init(&arena, &env, 50000);
    assert_int_equal(lm_json_parse(&arena, text, sizeof text, 8, &root, &error), LM_ERR_MEMORY);
    assert_null(root);
    lm_arena_free(&arena);
    assert_int_equal(memory.live_bytes, 0);
}

static void every_cut_of_a_text_is_an_error(void **state) {
    (void)state;
    static const char text[] = "{\"k\\u00e9y\":[1.5e3,true,false,null,\"v\\n\xE2\x82\xAC\"],\"o\":{\"x\":[]}}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        document d;
        assert_int_equal(parse_bytes(&d, text, n, 8), LM_ERR_FORMAT);
        close_document(&d);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    char text[4000] = "{\"a\":[1,2,[3,\"x\\n\"]]", *at = text + strlen(text);
    for (int i = 0; i < 100; i++) at += sprintf(at, ",\"member %d\":[\"%d\"]", i, i);
    strcpy(at, "}");
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_arena arena;
        const lm_json *root = NULL;
        lm_error error = {0};
        lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
        lm_status status = lm_json_parse(&arena, text, strlen(text), 8, &root, &error);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        assert_int_equal(error.status, status);
        lm_arena_free(&arena);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) {
            assert_true(k > 8);
            return;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_accepted),
        cmocka_unit_test(malformed_texts_are_refused_where_they_break),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(numbers_keep_their_text),
        cmocka_unit_test(members_keep_order_and_the_last_duplicate_wins),
        cmocka_unit_test(large_objects_are_indexed),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(the_arena_limit_stops_the_reader),
        cmocka_unit_test(every_cut_of_a_text_is_an_error),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
