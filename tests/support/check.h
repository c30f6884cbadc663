/* SPDX-License-Identifier: MIT
 * What every cmocka test file includes: cmocka with its prerequisites, and access to golden and reference files.
 * LM_GOLDEN and LM_SHARED are set by the test runner. */
#ifndef LM_TESTS_CHECK_H
#define LM_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Path of a file in the folder an environment variable names: true when it exists. */
static inline int test_path(const char *variable, const char *name, char *out, size_t out_size) {
    const char *folder = getenv(variable);
    if (!folder || (size_t)snprintf(out, out_size, "%s/%s", folder, name) >= out_size) return 0;
    FILE *file = fopen(out, "rb");
    if (!file) return 0;
    fclose(file);
    return 1;
}

/* The bytes of a file, NUL-terminated, from malloc; NULL when it cannot be read. */
static inline char *test_read(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    long end = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)end + 1);
    if (bytes && fread(bytes, 1, (size_t)end, file) == (size_t)end) {
        bytes[end] = '\0';
        if (size) *size = (size_t)end;
    } else {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

/* The bytes of shared reference material, or a skip of the whole test when this checkout has none. */
static inline char *test_read_shared(const char *name, size_t *size) {
    char path[1024];
    if (!test_path("LM_SHARED", name, path, sizeof path)) skip();
    char *bytes = test_read(path, size);
    assert_non_null(bytes);
    return bytes;
}

#endif
