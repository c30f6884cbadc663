/* SPDX-License-Identifier: MIT
 * Files that break one rule each: refused with the right status, a sentence that names the thing, and nothing left behind. */
#include "build.h"
#include "counting.h"

/* Open the bytes, from a copy of the exact size so that a read past the end is seen, and without leaks. */
static lm_status try_open(const uint8_t *bytes, size_t size, lm_error *error) {
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    uint8_t *copy = malloc(size ? size : 1);
    lm_gguf *gguf = NULL;
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    memset(error, 0, sizeof *error);
    lm_gguf_part part = {copy, size, size};
    lm_status status = lm_gguf_open(&env, &part, NULL, &gguf, error);
    assert_true((status == LM_OK) == (gguf != NULL));
    assert_int_equal(error->status, status == LM_OK ? 0 : status);
    lm_gguf_close(gguf);
    assert_int_equal(memory.live_bytes, 0);
    free(copy);
    return status;
}

static void expect(const build *b, lm_status status, const char *sentence) {
    lm_error error;
    lm_status got = try_open(b->bytes, b->size, &error);
    if (got != status || !strstr(error.message, sentence))
        fail_msg("%s: \"%s\", expected %s: \"%s\"", lm_status_name(got), error.message, lm_status_name(status),
                 sentence);
}

static void expect_good(const build *b) {
    lm_error error;
    if (try_open(b->bytes, b->size, &error) != LM_OK) fail_msg("%s", error.message);
}

/* One f32 tensor of 32 values with these fields, and its data. */
static void put_one(build *b, const char *name, uint32_t n_dims, const int64_t *dims, uint32_t type, uint64_t offset) {
    put_header(b, 3, 1, 0);
    put_tensor(b, name, n_dims, dims, type, offset);
    pad(b, 32);
    for (int i = 0; i < 128; i++) put(b, 1, 1);
}

static const int64_t dim32[4] = {32, 1, 1, 1};

#define TEST(name) static void name(void **state)
#define BEGIN                                                                                                          \
    build b = {.size = 0};                                                                                             \
    (void)state

TEST(empty_file) {
    BEGIN;
    expect(&b, LM_ERR_FORMAT, "shorter than a header");
}

TEST(header_cut) {
    BEGIN;
    put_header(&b, 3, 0, 0);
    for (b.size = 1; b.size < 24; b.size++) expect(&b, LM_ERR_FORMAT, "shorter than a header");
}

TEST(wrong_magic) {
    BEGIN;
    put_header(&b, 3, 0, 0);
    b.bytes[3] = 'E';
    expect(&b, LM_ERR_FORMAT, "wrong magic");
}

TEST(versions_0_1_4) {
    BEGIN;
    put_header(&b, 0, 0, 0);
    expect(&b, LM_ERR_FORMAT, "version 0");
    put_header(&b, 1, 0, 0);
    expect(&b, LM_ERR_UNSUPPORTED, "version 1 is no longer supported");
    put_header(&b, 4, 0, 0);
    expect(&b, LM_ERR_UNSUPPORTED, "version 4");
}

TEST(big_endian) {
    BEGIN;
    put_header(&b, 0x03000000, 0, 0);
    expect(&b, LM_ERR_UNSUPPORTED, "big-endian");
}

TEST(counts_negative) {
    BEGIN;
    put_header(&b, 3, UINT64_MAX, 0);
    expect(&b, LM_ERR_FORMAT, "number of tensors is negative");
    put_header(&b, 3, 0, UINT64_MAX);
    expect(&b, LM_ERR_FORMAT, "number of metadata values is negative");
}

TEST(counts_beyond_the_file) {
    BEGIN;
    put_header(&b, 3, 1, 0);
    expect(&b, LM_ERR_FORMAT, "more than the file has room for");
    put_header(&b, 3, 0, 1ull << 60);
    expect(&b, LM_ERR_FORMAT, "more than the file has room for");
}

TEST(counts_beyond_the_limits) {
    (void)state;
    size_t size = 24 + 24 * ((size_t)LM_GGUF_MAX_TENSORS + 1);
    uint8_t *bytes = calloc(size, 1);
    lm_error error;
    build b;
    assert_non_null(bytes);
    put_header(&b, 3, LM_GGUF_MAX_TENSORS + 1, 0);
    memcpy(bytes, b.bytes, 24);
    assert_int_equal(try_open(bytes, size, &error), LM_ERR_LIMIT);
    put_header(&b, 3, 0, LM_GGUF_MAX_VALUES + 1);
    memcpy(bytes, b.bytes, 24);
    assert_int_equal(try_open(bytes, size, &error), LM_ERR_LIMIT);
    free(bytes);
}

TEST(key_longer_than_the_file) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put(&b, UINT64_MAX, 8);
    put(&b, 0, 16);
    expect(&b, LM_ERR_FORMAT, "a metadata key has 18446744073709551615 bytes");
}

TEST(key_longer_than_allowed) {
    (void)state;
    size_t size = 24 + 8 + 70000 + 16;
    uint8_t *bytes = calloc(size, 1);
    lm_error error;
    build b;
    assert_non_null(bytes);
    put_header(&b, 3, 0, 1);
    put(&b, LM_GGUF_MAX_KEY + 1, 8);
    memcpy(bytes, b.bytes, b.size);
    assert_int_equal(try_open(bytes, size, &error), LM_ERR_LIMIT);
    free(bytes);
}

TEST(key_empty) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put_u32(&b, "", 7);
    expect(&b, LM_ERR_FORMAT, "key is empty");
}

TEST(key_with_nul) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put_string_n(&b, "a\0b", 3);
    put(&b, LM_GGUF_U32, 4);
    put(&b, 7, 4);
    expect(&b, LM_ERR_FORMAT, "key a?b: holds a control character");
}

TEST(key_twice) {
    BEGIN;
    put_header(&b, 3, 0, 3);
    put_u32(&b, "a.b", 1);
    put_u32(&b, "a.c", 1);
    put_u32(&b, "a.b", 1);
    expect(&b, LM_ERR_FORMAT, "key a.b: appears twice");
}

TEST(value_type_unknown) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put_key(&b, "a", 13);
    put(&b, 0, 8);
    expect(&b, LM_ERR_FORMAT, "key a: unknown value type 13");
    put_header(&b, 3, 0, 1);
    put_key(&b, "a", UINT32_MAX);
    put(&b, 0, 8);
    expect(&b, LM_ERR_FORMAT, "key a: unknown value type -1");
}

TEST(value_cut) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put_key(&b, "a", LM_GGUF_U64);
    put(&b, 0, 7);
    expect(&b, LM_ERR_FORMAT, "the file ends inside a metadata value");
}

TEST(string_longer_than_the_file) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put_key(&b, "a", LM_GGUF_STRING);
    put(&b, 9, 8);
    put(&b, 0, 8);
    expect(&b, LM_ERR_FORMAT, "a metadata string has 9 bytes, the rest of the file only 8");
}

TEST(array_of_arrays) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put_key(&b, "a", LM_GGUF_ARRAY);
    put(&b, LM_GGUF_ARRAY, 4);
    put(&b, 0, 8);
    expect(&b, LM_ERR_FORMAT, "key a: an array of arrays");
}

TEST(array_of_unknown_type) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put_key(&b, "a", LM_GGUF_ARRAY);
    put(&b, 13, 4);
    put(&b, 0, 8);
    expect(&b, LM_ERR_FORMAT, "key a: array of unknown type 13");
}

TEST(array_longer_than_the_file) {
    static const uint64_t counts[] = {3, 1ull << 62, 1ull << 63, UINT64_MAX};
    BEGIN;
    for (size_t i = 0; i < 4; i++) {
        put_header(&b, 3, 0, 1);
        put_key(&b, "a", LM_GGUF_ARRAY);
        put(&b, LM_GGUF_I64, 4);
        put(&b, counts[i], 8);
        put(&b, 0, 8), put(&b, 0, 8);
        expect(&b, LM_ERR_FORMAT, "elements, more than the file has room for");
    }
}

TEST(array_of_strings_longer_than_the_file) {
    BEGIN;
    put_header(&b, 3, 0, 1);
    put_key(&b, "a", LM_GGUF_ARRAY);
    put(&b, LM_GGUF_STRING, 4);
    put(&b, 3, 8);
    put(&b, 0, 8), put(&b, 0, 8);
    expect(&b, LM_ERR_FORMAT, "array of 3 elements, more than the file has room for");
    put(&b, 1, 8);
    expect(&b, LM_ERR_FORMAT, "a metadata string has 1 bytes");
}

TEST(alignment_wrong) {
    static const uint32_t values[] = {0, 13, 33, 0x80000001u};
    BEGIN;
    for (size_t i = 0; i < 4; i++) {
        put_header(&b, 3, 0, 1);
        put_u32(&b, "general.alignment", values[i]);
        expect(&b, LM_ERR_FORMAT, "not a power of two");
    }
    put_header(&b, 3, 0, 1);
    put_u32(&b, "general.alignment", 0x80000000u);
    expect(&b, LM_ERR_LIMIT, "key general.alignment: 2147483648 is more");
    put_header(&b, 3, 0, 1);
    put_key(&b, "general.alignment", LM_GGUF_U64);
    put(&b, 32, 8);
    expect(&b, LM_ERR_FORMAT, "key general.alignment: expected u32, found u64");
}

TEST(tensor_name_too_long) {
    BEGIN;
    char name[65];
    memset(name, 'n', 64);
    name[64] = 0;
    put_one(&b, name, 1, dim32, 0, 0);
    expect(&b, LM_ERR_FORMAT, "the name has 64 bytes, more than the 63 allowed");
    name[63] = 0;
    put_one(&b, name, 1, dim32, 0, 0);
    expect_good(&b);
}

TEST(tensor_name_empty) {
    BEGIN;
    put_one(&b, "", 1, dim32, 0, 0);
    expect(&b, LM_ERR_FORMAT, "a tensor has no name");
}

TEST(tensor_name_with_nul) {
    BEGIN;
    put_header(&b, 3, 1, 0);
    put_string_n(&b, "a\0b", 3);
    put(&b, 1, 4), put(&b, 32, 8), put(&b, 0, 4), put(&b, 0, 8);
    expect(&b, LM_ERR_FORMAT, "a NUL byte in the name");
}

TEST(tensor_name_twice) {
    BEGIN;
    put_header(&b, 3, 2, 0);
    put_tensor(&b, "t", 1, dim32, 0, 0);
    put_tensor(&b, "t", 1, dim32, 0, 128);
    pad(&b, 32);
    for (int i = 0; i < 256; i++) put(&b, 1, 1);
    expect(&b, LM_ERR_FORMAT, "tensor t: appears twice");
}

TEST(tensor_with_five_dimensions) {
    BEGIN;
    put_header(&b, 3, 1, 0);
    put_string(&b, "t");
    put(&b, 5, 4);
    put(&b, 0, 8), put(&b, 0, 8);
    expect(&b, LM_ERR_FORMAT, "tensor t: 5 dimensions");
}

TEST(tensor_with_a_dimension_not_positive) {
    BEGIN;
    put_one(&b, "t", 2, (const int64_t[]){32, 0}, 0, 0);
    expect(&b, LM_ERR_FORMAT, "tensor t: dimension 1 is 0, not positive");
    put_one(&b, "t", 1, (const int64_t[]){-1}, 0, 0);
    expect(&b, LM_ERR_FORMAT, "tensor t: dimension 0 is -1, not positive");
}

TEST(tensor_with_too_many_elements) {
    BEGIN;
    put_one(&b, "t", 4, (const int64_t[]){1 << 30, 1 << 30, 1 << 30, 1 << 30}, 0, 0);
    expect(&b, LM_ERR_FORMAT, "tensor t: too many elements");
    put_one(&b, "t", 1, (const int64_t[]){INT64_MAX}, LM_DTYPE_I8, 0);
    expect(&b, LM_ERR_FORMAT, "tensor t: too many elements");
}

TEST(tensor_type_unknown) {
    static const uint32_t types[] = {4, 5, 31, 36, 43, 137, UINT32_MAX};
    static const char *const why[] = {"retired", "retired", "Q4_0", "fork", "knows", "ik_llama", "knows"};
    BEGIN;
    for (size_t i = 0; i < 7; i++) {
        put_one(&b, "t", 1, dim32, types[i], 0);
        expect(&b, i == 6 ? LM_ERR_FORMAT : LM_ERR_UNSUPPORTED, why[i]);
    }
}

TEST(tensor_row_of_broken_blocks) {
    BEGIN;
    put_one(&b, "t", 1, (const int64_t[]){33}, LM_DTYPE_Q4_0, 0);
    expect(&b, LM_ERR_FORMAT, "tensor t: rows of 33 values are not whole blocks of q4_0");
}

TEST(tensor_size_overflows) {
    BEGIN;
    put_one(&b, "t", 2, (const int64_t[]){1ll << 31, 1ll << 31}, LM_DTYPE_F64, 0);
    expect(&b, LM_ERR_FORMAT, "tensor t: its size overflows");
}

TEST(tensor_offset_unaligned) {
    BEGIN;
    put_one(&b, "t", 1, dim32, 0, 4);
    expect(&b, LM_ERR_FORMAT, "tensor t: offset 4 is not a multiple of the alignment 32");
    put_one(&b, "t", 1, dim32, 0, UINT64_MAX);
    expect(&b, LM_ERR_FORMAT, "not a multiple of the alignment");
}

TEST(tensor_outside_the_file) {
    BEGIN;
    put_one(&b, "t", 1, dim32, 0, UINT64_MAX - 31);
    expect(&b, LM_ERR_FORMAT, "lie outside the file's 128 bytes of data");
    put_one(&b, "t", 1, dim32, 0, 0);
    b.size--;
    expect(&b, LM_ERR_FORMAT, "tensor t: 128 bytes at offset 0 lie outside the file's 127 bytes of data");
    put_one(&b, "t", 1, (const int64_t[]){1ll << 60}, 0, 0);
    expect(&b, LM_ERR_FORMAT, "lie outside");
}

TEST(tensors_overlap_or_leave_a_gap) {
    BEGIN;
    for (uint64_t offset = 0; offset <= 128; offset += 32) {
        put_header(&b, 3, 2, 0);
        put_tensor(&b, "s", 1, (const int64_t[]){16}, 0, 0);
        put_tensor(&b, "t", 1, (const int64_t[]){16}, 0, offset);
        pad(&b, 32);
        for (int i = 0; i < 256; i++) put(&b, 1, 1);
        if (offset == 64)
            expect_good(&b);
        else
            expect(&b, LM_ERR_FORMAT, "but the one before it ends at 64");
    }
}

TEST(offsets_of_another_alignment) {
    BEGIN;
    put_header(&b, 3, 2, 1);
    put_u32(&b, "general.alignment", 64);
    put_tensor(&b, "s", 1, (const int64_t[]){8}, 0, 0);
    put_tensor(&b, "t", 1, (const int64_t[]){8}, 0, 32);
    pad(&b, 64);
    for (int i = 0; i < 128; i++) put(&b, 1, 1);
    expect(&b, LM_ERR_FORMAT, "tensor t: offset 32 is not a multiple of the alignment 64");
}

TEST(file_without_its_data) {
    BEGIN;
    put_header(&b, 3, 1, 0);
    put_tensor(&b, "t", 1, dim32, 0, 0);
    assert_true(b.size % 32 != 0);
    expect(&b, LM_ERR_FORMAT, "the file ends before its tensor data");
}

TEST(good_files) {
    BEGIN;
    put_header(&b, 3, 0, 0);
    expect_good(&b);
    put_header(&b, 2, 0, 1); /* nothing behind the metadata, no padding */
    put_u32(&b, "k", 1);
    expect_good(&b);
    put_one(&b, "t", 1, dim32, 0, 0);
    expect_good(&b);
    put_one(&b, "t", 0, NULL, 0, 0); /* no dimensions: one value */
    expect_good(&b);
    put_one(&b, "t", 1, (const int64_t[]){31}, 0, 0); /* the padding behind the last tensor is missing */
    b.size -= 4;
    expect_good(&b);
    put_header(&b, 3, 2, 1);
    put_u32(&b, "general.alignment", 1);
    put_tensor(&b, "s", 1, (const int64_t[]){3}, LM_DTYPE_I8, 0);
    put_tensor(&b, "t", 1, (const int64_t[]){1}, LM_DTYPE_F32, 3);
    for (int i = 0; i < 7; i++) put(&b, 1, 1);
    expect_good(&b);
}

/* A file with everything in it: every byte altered, the file cut everywhere. The sanitizers are the judges. */
static void put_varied(build *b) {
    put_header(b, 3, 2, 6);
    put_u32(b, "general.alignment", 8);
    put_key(b, "b", LM_GGUF_BOOL);
    put(b, 1, 1);
    put_key(b, "s", LM_GGUF_STRING);
    put_string(b, "text");
    put_key(b, "strings", LM_GGUF_ARRAY);
    put(b, LM_GGUF_STRING, 4);
    put(b, 2, 8);
    put_string(b, "one"), put_string(b, "");
    put_key(b, "numbers", LM_GGUF_ARRAY);
    put(b, LM_GGUF_I16, 4);
    put(b, 3, 8);
    put(b, 0x000200010000, 6);
    put_u32(b, "split.count", 1);
    put_tensor(b, "s", 2, (const int64_t[]){2, 3}, LM_DTYPE_F16, 0);
    put_tensor(b, "t", 1, (const int64_t[]){32}, LM_DTYPE_Q4_0, 16);
    pad(b, 8);
    for (int i = 0; i < 40; i++) put(b, 0x3C, 1);
}

TEST(mutated_files_never_crash) {
    BEGIN;
    lm_error error;
    put_varied(&b);
    expect_good(&b);
    size_t opened = 0, refused = 0;
    for (size_t at = 0; at < b.size; at++) {
        uint8_t old = b.bytes[at];
        for (int change = 1; change < 256; change++) {
            b.bytes[at] = (uint8_t)(old ^ change);
            *(try_open(b.bytes, b.size, &error) == LM_OK ? &opened : &refused) += 1;
        }
        b.bytes[at] = old;
    }
    assert_true(opened > 1000 && refused > 10000);
    for (size_t size = 0; size + 6 < b.size; size++) assert_int_not_equal(try_open(b.bytes, size, &error), LM_OK);
}

TEST(every_allocation_may_fail) {
    BEGIN;
    put_varied(&b);
    lm_gguf_part part = {b.bytes, b.size, b.size};
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_gguf *gguf = NULL;
        lm_error error = {0};
        lm_status status = lm_gguf_open(&env, &part, NULL, &gguf, &error);
        if (status == LM_OK) assert_int_equal(lm_gguf_memory(gguf), memory.live_bytes);
        lm_gguf_close(gguf);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) {
            assert_int_equal(status, LM_OK);
            assert_true(k > 4);
            break;
        }
        assert_int_equal(status, LM_ERR_MEMORY);
        assert_int_equal(error.status, LM_ERR_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_file),
        cmocka_unit_test(header_cut),
        cmocka_unit_test(wrong_magic),
        cmocka_unit_test(versions_0_1_4),
        cmocka_unit_test(big_endian),
        cmocka_unit_test(counts_negative),
        cmocka_unit_test(counts_beyond_the_file),
        cmocka_unit_test(counts_beyond_the_limits),
        cmocka_unit_test(key_longer_than_the_file),
        cmocka_unit_test(key_longer_than_allowed),
        cmocka_unit_test(key_empty),
        cmocka_unit_test(key_with_nul),
        cmocka_unit_test(key_twice),
        cmocka_unit_test(value_type_unknown),
        cmocka_unit_test(value_cut),
        cmocka_unit_test(string_longer_than_the_file),
        cmocka_unit_test(array_of_arrays),
        cmocka_unit_test(array_of_unknown_type),
        cmocka_unit_test(array_longer_than_the_file),
        cmocka_unit_test(array_of_strings_longer_than_the_file),
        cmocka_unit_test(alignment_wrong),
        cmocka_unit_test(tensor_name_too_long),
        cmocka_unit_test(tensor_name_empty),
        cmocka_unit_test(tensor_name_with_nul),
        cmocka_unit_test(tensor_name_twice),
        cmocka_unit_test(tensor_with_five_dimensions),
        cmocka_unit_test(tensor_with_a_dimension_not_positive),
        cmocka_unit_test(tensor_with_too_many_elements),
        cmocka_unit_test(tensor_type_unknown),
        cmocka_unit_test(tensor_row_of_broken_blocks),
        cmocka_unit_test(tensor_size_overflows),
        cmocka_unit_test(tensor_offset_unaligned),
        cmocka_unit_test(tensor_outside_the_file),
        cmocka_unit_test(tensors_overlap_or_leave_a_gap),
        cmocka_unit_test(offsets_of_another_alignment),
        cmocka_unit_test(file_without_its_data),
        cmocka_unit_test(good_files),
        cmocka_unit_test(mutated_files_never_crash),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
