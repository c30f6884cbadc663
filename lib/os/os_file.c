/* SPDX-License-Identifier: MIT
 * Whole files, in terms of the pieces each system provides. */
#include "os.h"

#include <string.h>

#include "../base/format.h"

#define FIRST_PIECE ((size_t)65536)

lm_status lm_os_read_file(const lm_env *env, const char *path, size_t limit, char **bytes, size_t *n, lm_error *error) {
    lm_os_file file = {0};
    lm_os_file_id id;
    char *data = NULL;
    size_t capacity = 0, used = 0, got = 1;
    lm_status status = lm_os_file_open(path, &file, error);
    if (status != LM_OK) goto out;
    status = lm_os_file_identify(&file, &id, error);
    if (status != LM_OK) goto out;
    if (limit > SIZE_MAX / 4) limit = SIZE_MAX / 4;
    /* The size is only a first guess: pipes have none, and a file may grow meanwhile. */
    while (got > 0) {
        if (used > limit || id.size > limit) {
            status = lm_error_set(error, LM_ERR_LIMIT, "%s: larger than %zu bytes", path, limit);
            goto out;
        }
        if (capacity - used < 2) {
            size_t grown = capacity ? capacity * 2 : id.size ? (size_t)id.size + 2 : FIRST_PIECE;
            char *larger = lm_resize(env, data, capacity, grown);
            if (!larger) {
                status = lm_error_memory(error);
                goto out;
            }
            data = larger;
            capacity = grown;
        }
        status = lm_os_file_read_next(&file, data + used, capacity - used - 1, &got, error);
        if (status != LM_OK) goto out;
        used += got;
    }
    char *exact = lm_resize(env, data, capacity, used + 1); /* the caller frees by the size it is told */
    if (!exact) {
        status = lm_error_memory(error);
        goto out;
    }
    data = NULL;
    exact[used] = '\0';
    *bytes = exact;
    *n = used;
out:
    lm_free(env, data, capacity);
    lm_os_file_close(&file);
    return status;
}

lm_status lm_os_write_file(const lm_env *env, const char *path, const void *bytes, size_t n, lm_error *error) {
    lm_os_writer writer;
    lm_status status = lm_os_writer_open(env, path, &writer, error);
    if (status == LM_OK) status = lm_os_writer_append(&writer, bytes, n, error);
    if (status == LM_OK) return lm_os_writer_commit(&writer, error);
    lm_os_writer_abandon(&writer);
    return status;
}
