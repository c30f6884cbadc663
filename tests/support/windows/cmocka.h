/* SPDX-License-Identifier: MIT
 * As much of cmocka's interface as the tests use, for cross builds to Windows, for which Debian has no cmocka. A failed assertion goes
 * back to the runner without unwinding: frames of the library have no tables for it. */
#ifndef LM_TESTS_WINDOWS_CMOCKA_H
#define LM_TESTS_WINDOWS_CMOCKA_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
    int (*setup)(void **state);
} CMUnitTest;

#define cmocka_unit_test(f)                                                                                            \
    { #f, f, NULL }
#define cmocka_unit_test_setup(f, setup)                                                                               \
    { #f, f, setup }
#define cmocka_run_group_tests(tests, setup, teardown)                                                                 \
    cm_run(#tests, tests, sizeof(tests) / sizeof *(tests), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                                      \
    cm_run(name, tests, sizeof(tests) / sizeof *(tests), setup, teardown)

static void *cm_back[5]; /* to the runner */
static enum { CM_PASSED, CM_FAILED, CM_SKIPPED } cm_result;

static inline void cm_leave(int result) {
    cm_result = result;
    __builtin_longjmp(cm_back, 1);
}

static inline void cm_print(FILE *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
}

static inline void cm_that(int holds, const char *what, const char *file, int line) {
    if (holds) return;
    cm_print(stderr, "%s:%d: %s does not hold\n", file, line, what);
    cm_leave(CM_FAILED);
}

static inline void cm_numbers(int holds, uint64_t a, uint64_t b, const char *what, const char *file, int line) {
    if (!holds) cm_print(stderr, "%lld and %lld: ", (long long)a, (long long)b);
    cm_that(holds, what, file, line);
}

#define CM_NUMBER(x) ((uint64_t)(uintptr_t)(x))
#define CM_NUMBERS(a, op, b)                                                                                           \
    do {                                                                                                               \
        uint64_t cm_a = (uint64_t)(a), cm_b = (uint64_t)(b);                                                           \
        cm_numbers(cm_a op cm_b, cm_a, cm_b, #a " " #op " " #b, __FILE__, __LINE__);                                   \
    } while (0)
#define assert_int_equal(a, b) CM_NUMBERS(a, ==, b)
#define assert_int_not_equal(a, b) CM_NUMBERS(a, !=, b)
#define assert_ptr_equal(a, b) CM_NUMBERS(CM_NUMBER(a), ==, CM_NUMBER(b))
#define assert_true(x) cm_that(!!(x), #x, __FILE__, __LINE__)
#define assert_false(x) cm_that(!(x), "not " #x, __FILE__, __LINE__)
#define assert_null(x) cm_that(!(x), #x " is NULL", __FILE__, __LINE__)
#define assert_non_null(x) cm_that(!!(x), #x " is not NULL", __FILE__, __LINE__)
#define assert_string_equal(a, b) cm_that(strcmp(a, b) == 0, #a " is " #b, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) cm_that(strcmp(a, b) != 0, #a " is not " #b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, n) cm_that(memcmp(a, b, n) == 0, #a " has the bytes of " #b, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, n)                                                                               \
    cm_that(memcmp(a, b, n) != 0, #a " has not the bytes of " #b, __FILE__, __LINE__)
#define assert_in_range(x, least, most)                                                                                \
    cm_that((uint64_t)(x) >= (uint64_t)(least) && (uint64_t)(x) <= (uint64_t)(most), #x " is in its range", __FILE__,  \
            __LINE__)
#define fail() cm_leave(CM_FAILED)
#define fail_msg(...) (cm_print(stderr, __VA_ARGS__), cm_leave(CM_FAILED))
#define skip() cm_leave(CM_SKIPPED)
#define print_message(...) cm_print(stdout, __VA_ARGS__)
#define print_error(...) cm_print(stderr, __VA_ARGS__)

static inline int cm_run(const char *group, const CMUnitTest *tests, size_t n, int (*setup)(void **state),
                         int (*teardown)(void **state)) {
    void *state = NULL;
    volatile size_t i = 0;
    volatile int n_failed = 0;
    if (setup && setup(&state) != 0) return 1;
    for (; i < n; i++) {
        cm_result = CM_PASSED;
        if (__builtin_setjmp(cm_back) == 0) {
            if (tests[i].setup && tests[i].setup(&state) != 0) cm_leave(CM_FAILED);
            tests[i].run(&state);
        }
        n_failed += cm_result == CM_FAILED;
        printf("[%s] %s: %s\n",
               cm_result == CM_FAILED    ? "FAILED"
               : cm_result == CM_SKIPPED ? "SKIPPED"
                                         : "OK",
               group, tests[i].name);
    }
    return (teardown && teardown(&state) != 0) + n_failed;
}

#endif
