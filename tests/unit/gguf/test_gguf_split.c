/* SPDX-License-Identifier: MIT
 * Split models: a good set, every way a set can be wrong, and the names of its files. */
#include "build.h"
#include "counting.h"

enum { PARTS = 3 };

typedef struct set {
    build parts[PARTS];
    uint32_t missing; /* this part's opener fails */
} set;

static const int64_t dim8[1] = {8};

static void put_part(build *b, const char *tensor, uint32_t number, uint32_t count, uint32_t total) {
    put_header(b, 3, tensor ? 1 : 0, 3);
    put_key(b, "split.no", LM_GGUF_U16), put(b, number, 2);
    put_key(b, "split.count", LM_GGUF_U16), put(b, count, 2);
    put_key(b, "split.tensors.count", LM_GGUF_I32), put(b, total, 4);
    if (!tensor) return;
    put_tensor(b, tensor, 1, dim8, LM_DTYPE_F32, 0);
    pad(b, 32);
    for (int i = 0; i < 32; i++) put(b, number, 1);
}

/* The first part has no tensors, as some writers do. */
static void put_set(set *s) {
    put_part(&s->parts[0], NULL, 0, 3, 2);
    put_part(&s->parts[1], "a", 1, 3, 2);
    put_part(&s->parts[2], "b", 2, 3, 2);
    s->missing = 0;
}

static lm_status open_part(void *user, uint32_t index, uint32_t count, lm_gguf_part *out, lm_error *error) {
    set *s = user;
    (void)error;
    assert_int_equal(count, 3);
    assert_true(index > 0 && index < PARTS);
    if (index == s->missing) return LM_ERR_NOT_FOUND;
    *out = (lm_gguf_part){s->parts[index].bytes, s->parts[index].size, s->parts[index].size};
    return LM_OK;
}

static lm_status open_set(set *s, test_memory *memory, lm_gguf **out, lm_error *error) {
    lm_env env = test_memory_env(memory);
    lm_gguf_part first = {s->parts[0].bytes, s->parts[0].size, s->parts[0].size};
    lm_gguf_source source = {s, open_part};
    return lm_gguf_open(&env, &first, &source, out, error);
}

static void expect(set *s, lm_status status, const char *sentence) {
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_error error = {0};
    lm_gguf *gguf = NULL;
    lm_status got = open_set(s, &memory, &gguf, &error);
    if (got != status || !strstr(error.message, sentence)) fail_msg("%s: %s", lm_status_name(got), error.message);
    assert_null(gguf);
    assert_int_equal(memory.live_bytes, 0);
}

static set s;

static void a_set_opens_as_one(void **state) {
    (void)state;
    put_set(&s);
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_error error = {0};
        lm_gguf *gguf = NULL;
        lm_status status = open_set(&s, &memory, &gguf, &error);
        if (status == LM_OK) {
            assert_int_equal(lm_gguf_n_parts(gguf), 3);
            assert_int_equal(lm_gguf_n_tensors(gguf), 2);
            const lm_gguf_tensor *b = lm_gguf_find_tensor(gguf, "b");
            assert_int_equal(b->part, 2);
            assert_int_equal(*(const char *)lm_gguf_tensor_data(gguf, b), 2);
            assert_int_equal(b->offset, lm_gguf_data_start(gguf, 2));
            assert_int_equal(lm_gguf_memory(gguf), memory.live_bytes);
        }
        lm_gguf_close(gguf);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) {
            assert_int_equal(status, LM_OK);
            break;
        }
        assert_int_equal(status, LM_ERR_MEMORY);
    }
}

static void the_first_part_opens_alone(void **state) {
    (void)state;
    lm_env env;
    lm_gguf *gguf = NULL;
    lm_env_init(&env, NULL, NULL);
    put_set(&s);
    lm_gguf_part part = {s.parts[1].bytes, s.parts[1].size, s.parts[1].size};
    assert_int_equal(lm_gguf_open(&env, &part, NULL, &gguf, NULL), LM_OK);
    assert_int_equal(lm_gguf_n_parts(gguf), 1);
    assert_int_equal(lm_gguf_split_count(gguf), 3);
    assert_int_equal(lm_gguf_n_tensors(gguf), 1);
    lm_gguf_close(gguf);
}

static void wrong_sets_are_refused(void **state) {
    (void)state;
    put_set(&s);
    s.missing = 2;
    expect(&s, LM_ERR_NOT_FOUND, "");
    put_set(&s);
    s.parts[0] = s.parts[1];
    expect(&s, LM_ERR_MISMATCH, "part 1: key split.no: it is part 2 of its set");
    put_set(&s);
    s.parts[2] = s.parts[1];
    expect(&s, LM_ERR_MISMATCH, "part 3: key split.no: it is part 2 of its set");
    put_set(&s);
    put_part(&s.parts[1], "a", 1, 4, 2);
    expect(&s, LM_ERR_MISMATCH, "part 2: key split.count: 4 parts, but the first part says 3");
    put_set(&s);
    put_part(&s.parts[0], NULL, 0, 3, 5);
    expect(&s, LM_ERR_MISMATCH, "5 tensors, but the parts hold 2");
    put_set(&s);
    put_part(&s.parts[2], "a", 2, 3, 2);
    expect(&s, LM_ERR_FORMAT, "part 3: tensor a: appears twice");
    put_set(&s);
    put_header(&s.parts[1], 3, 0, 0);
    expect(&s, LM_ERR_FORMAT, "part 2: key split.no is missing");
    put_set(&s);
    s.parts[2].bytes[0] = 'X';
    expect(&s, LM_ERR_FORMAT, "part 3: not a GGUF file: wrong magic");
    put_part(&s.parts[0], NULL, 0, 5000, 2);
    expect(&s, LM_ERR_LIMIT, "5000 parts");
    put_header(&s.parts[0], 3, 0, 1);
    put_key(&s.parts[0], "split.count", LM_GGUF_F32), put(&s.parts[0], 0x40400000, 4);
    expect(&s, LM_ERR_FORMAT, "key split.count: expected an integer, found f32");
}

static void part_paths_derive_from_the_given_one(void **state) {
    (void)state;
    char path[64];
    assert_true(lm_gguf_part_path("dir/m-00001-of-00003.gguf", 2, 3, path, sizeof path));
    assert_string_equal(path, "dir/m-00003-of-00003.gguf");
    assert_true(lm_gguf_part_path("m-00002-of-00003.gguf", 0, 3, path, sizeof path));
    assert_string_equal(path, "m-00001-of-00003.gguf");
    assert_true(lm_gguf_part_path("m-00001-of-01234.gguf", 1199, 1234, path, sizeof path));
    assert_string_equal(path, "m-01200-of-01234.gguf");
    assert_false(lm_gguf_part_path("dir/m-00001-of-00003.gguf", 2, 4, path, sizeof path));
    assert_false(lm_gguf_part_path("dir/m-00004-of-00003.gguf", 2, 3, path, sizeof path));
    assert_false(lm_gguf_part_path("dir/m-00000-of-00003.gguf", 2, 3, path, sizeof path));
    assert_false(lm_gguf_part_path("dir/m-0000x-of-00003.gguf", 2, 3, path, sizeof path));
    assert_false(lm_gguf_part_path("dir/m-00001-of-00003.ggu", 2, 3, path, sizeof path));
    assert_false(lm_gguf_part_path("-00001-of-00003.gguf", 2, 3, path, sizeof path));
    assert_false(lm_gguf_part_path("dir/-00001-of-00003.gguf", 2, 3, path, sizeof path));
    assert_false(lm_gguf_part_path("", 0, 1, path, sizeof path));
    assert_false(lm_gguf_part_path("m-00001-of-00003.gguf", 3, 3, path, sizeof path));
    assert_false(lm_gguf_part_path("m-00001-of-00003.gguf", 0, 3, path, 21));
    assert_true(lm_gguf_part_path("m-00001-of-00003.gguf", 0, 3, path, 22));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_opens_as_one),
        cmocka_unit_test(the_first_part_opens_alone),
        cmocka_unit_test(wrong_sets_are_refused),
        cmocka_unit_test(part_paths_derive_from_the_given_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
