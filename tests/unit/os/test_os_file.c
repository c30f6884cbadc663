/* SPDX-License-Identifier: MIT
 * Files: reading, mapping at any offset, identity, atomic replacement, failures. */
#define _GNU_SOURCE
#include "counting.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"

static char folder[] = "lm-test-os-XXXXXX";
static char path[64];

static int enter_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    sprintf(path, "%s/file", folder);
    return 0;
}

static int files_in_folder(void) {
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static int leave_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static lm_env heap_env(void) {
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    return env;
}

static lm_status write_file(const lm_env *env, const char *name, const void *bytes, size_t n, lm_error *error) {
    lm_os_writer writer;
    lm_status status = lm_os_writer_open(env, name, &writer, error);
    if (status == LM_OK) status = lm_os_writer_append(&writer, bytes, n, error);
    if (status == LM_OK) return lm_os_writer_commit(&writer, error);
    lm_os_writer_abandon(&writer);
    return status;
}

static void write_pattern(size_t n) {
    lm_env env = heap_env();
    unsigned char *bytes = malloc(n + 1);
    for (size_t i = 0; i < n; i++) bytes[i] = (unsigned char)(i * 31 ^ i >> 8);
    assert_int_equal(write_file(&env, path, bytes, n, NULL), LM_OK);
    free(bytes);
}

static void check_contents(const char *expected, size_t n) {
    size_t size = 0;
    char *bytes = test_read(path, &size);
    assert_non_null(bytes);
    assert_int_equal(size, n);
    assert_memory_equal(bytes, expected, n);
    free(bytes);
}

static void a_written_file_reads_back(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 300000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *bytes = malloc(sizes[i] + 1);
        for (size_t k = 0; k < sizes[i]; k++) bytes[k] = (char)(k * 31 ^ k >> 8);
        assert_int_equal(write_file(&env, path, bytes, sizes[i], NULL), LM_OK);
        check_contents(bytes, sizes[i]);
        free(bytes);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(files_in_folder(), 1);
    }
}

static void failures_name_the_file(void **state) {
    (void)state;
    lm_env env = heap_env();
    lm_os_file file = {0};
    lm_error error;
    assert_int_equal(lm_os_file_open("no/such/file", &file, &error), LM_ERR_NOT_FOUND);
    assert_string_equal(error.message, "cannot open no/such/file: no such file");
    assert_int_equal(lm_os_file_open(folder, &file, &error), LM_ERR_IO);
    assert_false(file.is_owned);
    assert_int_equal(write_file(&env, "no/such/file", "x", 1, &error), LM_ERR_NOT_FOUND);
    assert_int_equal(write_file(&env, folder, "x", 1, &error), LM_ERR_IO);
    lm_os_file closed = lm_os_file_borrow(-1);
    lm_os_file_id id;
    assert_int_equal(lm_os_file_identify(&closed, &id, &error), LM_ERR_IO);
}

static void any_range_can_be_mapped(void **state) {
    (void)state;
    lm_os_file file = {0};
    lm_os_mapping mapping;
    lm_error error;
    size_t page = lm_os_page_size(), n = 3 * page + 123;
    write_pattern(n);
    assert_int_equal(lm_os_file_open(path, &file, &error), LM_OK);
    lm_os_file borrowed = lm_os_file_borrow(file.handle);
    size_t offsets[] = {0, 1, page - 1, page, page + 1, 3 * page + 122, n};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        assert_int_equal(lm_os_file_map(&borrowed, offsets[i], LM_OS_TO_END, &mapping, &error), LM_OK);
        assert_int_equal(mapping.size, n - offsets[i]);
        assert_non_null(mapping.data);
        for (size_t k = 0; k < mapping.size; k += 61) {
            size_t at = offsets[i] + k;
            assert_int_equal(mapping.data[k], (unsigned char)(at * 31 ^ at >> 8));
        }
        for (int advice = LM_OS_ADVICE_RANDOM; advice <= LM_OS_ADVICE_WILL_NEED; advice++)
            lm_os_advise(mapping.data + mapping.size / 3, mapping.size / 2, (lm_os_advice)advice);
        for (size_t k = 0; k < mapping.size; k += 61) { /* they are hints */
            size_t at = offsets[i] + k;
            assert_int_equal(mapping.data[k], (unsigned char)(at * 31 ^ at >> 8));
        }
        lm_status locked = lm_os_lock(&mapping); /* limits differ between machines */
        assert_true(locked == LM_OK || locked == LM_ERR_IO);
        lm_os_unmap(&mapping);
        lm_os_unmap(&mapping);
    }
    assert_int_equal(lm_os_file_map(&file, n + 1, LM_OS_TO_END, &mapping, &error), LM_ERR_RANGE);
    assert_int_equal(lm_os_file_map(&file, 0, n + 1, &mapping, &error), LM_ERR_RANGE);
    assert_int_equal(lm_os_file_map(&file, UINT64_MAX - 5, 10, &mapping, &error), LM_ERR_RANGE);
    assert_int_equal(lm_os_file_map(&file, 5, 10, &mapping, &error), LM_OK);
    lm_os_file_close(&borrowed);
    lm_os_file_close(&file);
    lm_os_file_close(&file);
    assert_int_equal(mapping.data[0], 5 * 31 & 255); /* the mapping outlives the file */
    lm_os_unmap(&mapping);
}

static void reads_are_exact_or_fail(void **state) {
    (void)state;
    lm_os_file file;
    lm_error error;
    unsigned char bytes[100];
    write_pattern(1000);
    assert_int_equal(lm_os_file_open(path, &file, &error), LM_OK);
    assert_int_equal(lm_os_file_read(&file, 900, bytes, 100, &error), LM_OK);
    assert_int_equal(bytes[99], (999 * 31 ^ 999 >> 8) & 255);
    assert_int_equal(lm_os_file_read(&file, 901, bytes, 100, &error), LM_ERR_IO);
    assert_int_equal(lm_os_file_read(&file, UINT64_MAX, bytes, 100, &error), LM_ERR_IO);
    assert_int_equal(lm_os_file_read(&file, 5000, bytes, 0, &error), LM_OK);
    lm_os_file_close(&file);
}

static void identity_follows_the_contents(void **state) {
    (void)state;
    lm_os_file file;
    lm_os_file_id first, second;
    write_pattern(100);
    assert_int_equal(lm_os_file_open(path, &file, NULL), LM_OK);
    assert_int_equal(lm_os_file_identify(&file, &first, NULL), LM_OK);
    assert_int_equal(lm_os_file_identify(&file, &second, NULL), LM_OK);
    assert_memory_equal(&first, &second, sizeof first);
    assert_int_equal(first.size, 100);
    write_pattern(101); /* a new file under the old name, while the old one is open */
    lm_os_file replaced;
    assert_int_equal(lm_os_file_open(path, &replaced, NULL), LM_OK);
    assert_int_equal(lm_os_file_identify(&replaced, &second, NULL), LM_OK);
    assert_true(first.inode != second.inode);
    assert_int_equal(lm_os_file_identify(&file, &second, NULL), LM_OK);
    assert_int_equal(second.size, 100);
    lm_os_file_close(&file);
    lm_os_file_close(&replaced);
}

static void replacement_is_all_or_nothing(void **state) {
    (void)state;
    lm_env env = heap_env();
    lm_os_writer writer;
    assert_int_equal(write_file(&env, path, "old", 3, NULL), LM_OK);
    assert_int_equal(lm_os_writer_open(&env, path, &writer, NULL), LM_OK);
    assert_int_equal(lm_os_writer_append(&writer, "ne", 2, NULL), LM_OK);
    assert_int_equal(lm_os_writer_append(&writer, "w", 1, NULL), LM_OK);
    check_contents("old", 3);
    assert_int_equal(lm_os_writer_commit(&writer, NULL), LM_OK);
    lm_os_writer_abandon(&writer);
    check_contents("new", 3);

    assert_int_equal(lm_os_writer_open(&env, path, &writer, NULL), LM_OK);
    assert_int_equal(files_in_folder(), 2);
    lm_os_writer_abandon(&writer);
    assert_int_equal(files_in_folder(), 1);
    struct stat facts;
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0666 & ~mask);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    write_pattern(200000);
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_status status = write_file(&env, path, "x", 1, NULL);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(files_in_folder(), 1);
        if (!memory.failed) return;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_file_reads_back),     cmocka_unit_test(failures_name_the_file),
        cmocka_unit_test(any_range_can_be_mapped),       cmocka_unit_test(reads_are_exact_or_fail),
        cmocka_unit_test(identity_follows_the_contents), cmocka_unit_test(replacement_is_all_or_nothing),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
