/* SPDX-License-Identifier: MIT
 * Opening one file or a whole set, and the object's plain accessors. Every part is checked like a file of its own; the set's
 * keys must agree and no tensor name may occur twice. */
#include "gguf.h"

#include <string.h>

#include "../base/format.h"
#include "gguf_private.h"

/* A split key of any integer type; absent gives `absent`, and a status only when absent < 0. */
static lm_status split_key(const lm_gguf *gguf, uint32_t part, const char *key, int64_t absent, int64_t *out,
                           lm_error *error) {
    const lm_gguf_value *value = lm_gguf_file_find(&gguf->files[part], key, strlen(key));
    *out = absent;
    if (value) return lm_gguf_value_int(value, 0, INT32_MAX, out, error);
    if (absent >= 0) return LM_OK;
    return lm_error_set(error, LM_ERR_FORMAT, "part %u: key %s is missing", part + 1, key);
}

/* Part `part` says it is that part of that many. */
static lm_status check_part(const lm_gguf *gguf, uint32_t part, lm_error *error) {
    int64_t number, count;
    lm_status status = split_key(gguf, part, "split.no", -1, &number, error);
    if (status != LM_OK) return status;
    if (number != part)
        return lm_error_set(error, LM_ERR_MISMATCH, "part %u: key split.no: it is part %lld of its set", part + 1,
                            (long long)number + 1);
    status = split_key(gguf, part, "split.count", -1, &count, error);
    if (status != LM_OK) return status;
    if (count != gguf->split_count)
        return lm_error_set(error, LM_ERR_MISMATCH, "part %u: key split.count: %lld parts, but the first part says %u",
                            part + 1, (long long)count, gguf->split_count);
    return LM_OK;
}

/* Of the tables: an address that the writer of a file cannot know. */
#define SEED(gguf) ((uint64_t)(uintptr_t)(gguf))

static lm_status read_file(lm_gguf *gguf, const lm_gguf_part *part, lm_error *error) {
    uint32_t index = gguf->n_files;
    if ((!part->bytes && part->size > 0) || part->file_size < part->size)
        return lm_error_set(error, LM_ERR_ARGUMENT, "a part has no bytes, or is larger than its file");
    lm_gguf_file *file = &gguf->files[index];
    gguf->n_files++; /* the destructor now frees what the file gets */
    file->part = *part;
    lm_map_init(&file->keys, &gguf->env, SEED(gguf));
    lm_gguf_cursor cursor = {part->bytes, part->size, part->file_size, 0, index, error};
    lm_status status = lm_gguf_read_values(gguf, &cursor);
    if (status == LM_OK && index > 0) status = check_part(gguf, index, error);
    return status == LM_OK ? lm_gguf_read_tensors(gguf, &cursor) : status;
}

static lm_status reserve_files(lm_gguf *gguf, size_t count, lm_error *error) {
    lm_gguf_file *files = lm_alloc_array(&gguf->env, count, sizeof *files);
    if (!files) return lm_error_memory(error);
    if (gguf->n_files > 0) memcpy(files, gguf->files, gguf->n_files * sizeof *files);
    lm_free(&gguf->env, gguf->files, gguf->files_capacity * sizeof *files);
    gguf->files = files;
    gguf->files_capacity = count;
    return LM_OK;
}

static lm_status read_rest(lm_gguf *gguf, const lm_gguf_source *source, lm_error *error) {
    lm_status status = check_part(gguf, 0, error);
    if (status == LM_OK) status = reserve_files(gguf, gguf->split_count, error);
    for (uint32_t i = 1; status == LM_OK && i < gguf->split_count; i++) {
        lm_gguf_part part = {NULL, 0, 0};
        status = source->part(source->user, i, gguf->split_count, &part, error);
        if (status == LM_OK) status = read_file(gguf, &part, error);
    }
    if (status != LM_OK) return status;
    int64_t total;
    status = split_key(gguf, 0, "split.tensors.count", -1, &total, error);
    if (status == LM_OK && (uint64_t)total != gguf->tensors.count)
        status = lm_error_set(error, LM_ERR_MISMATCH, "key split.tensors.count: %lld tensors, but the parts hold %zu",
                              (long long)total, gguf->tensors.count);
    return status;
}

lm_status lm_gguf_open(const lm_env *env, const lm_gguf_part *first, const lm_gguf_source *source, lm_gguf **out,
                       lm_error *error) {
    int64_t split_count;
    lm_status status;
    lm_gguf *gguf = lm_alloc_zeroed(env, sizeof *gguf);
    if (!gguf) return lm_error_memory(error);
    gguf->env = *env;
    lm_map_init(&gguf->names, &gguf->env, SEED(gguf));
    status = reserve_files(gguf, 1, error);
    if (status != LM_OK) goto out;
    status = read_file(gguf, first, error);
    if (status != LM_OK) goto out;
    status = split_key(gguf, 0, "split.count", 0, &split_count, error);
    if (status != LM_OK) goto out;
    if (split_count > LM_GGUF_MAX_PARTS) {
        status = lm_error_set(error, LM_ERR_LIMIT, "key split.count: %lld parts, more than the %d allowed",
                              (long long)split_count, LM_GGUF_MAX_PARTS);
        goto out;
    }
    gguf->split_count = split_count > 1 ? (uint32_t)split_count : 1;
    if (source && gguf->split_count > 1) {
        status = read_rest(gguf, source, error);
        if (status != LM_OK) goto out;
    }
    *out = gguf;
    gguf = NULL;
out:
    lm_gguf_close(gguf);
    return status;
}

void lm_gguf_close(lm_gguf *gguf) {
    if (!gguf) return;
    lm_env env = gguf->env;
    for (uint32_t i = 0; i < gguf->n_files; i++) {
        lm_array_free(&env, &gguf->files[i].values);
        lm_map_free(&gguf->files[i].keys);
    }
    lm_free(&env, gguf->files, gguf->files_capacity * sizeof *gguf->files);
    lm_array_free(&env, &gguf->tensors);
    lm_map_free(&gguf->names);
    lm_free(&env, gguf, sizeof *gguf);
}

size_t lm_gguf_memory(const lm_gguf *gguf) {
    size_t bytes = sizeof *gguf + gguf->files_capacity * sizeof *gguf->files;
    for (uint32_t i = 0; i < gguf->n_files; i++) {
        const lm_gguf_file *file = &gguf->files[i];
        bytes += file->values.capacity * sizeof *file->values.data + lm_map_bytes(&file->keys);
    }
    return bytes + gguf->tensors.capacity * sizeof *gguf->tensors.data + lm_map_bytes(&gguf->names);
}

uint32_t lm_gguf_version(const lm_gguf *gguf) { return gguf->files[0].version; }
uint32_t lm_gguf_n_parts(const lm_gguf *gguf) { return gguf->n_files; }
uint32_t lm_gguf_split_count(const lm_gguf *gguf) { return gguf->split_count; }
uint64_t lm_gguf_data_start(const lm_gguf *gguf, uint32_t part) { return gguf->files[part].data_start; }
uint32_t lm_gguf_alignment(const lm_gguf *gguf, uint32_t part) { return gguf->files[part].alignment; }

size_t lm_gguf_n_tensors(const lm_gguf *gguf) { return gguf->tensors.count; }
const lm_gguf_tensor *lm_gguf_tensor_at(const lm_gguf *gguf, size_t index) { return &gguf->tensors.data[index]; }

const lm_gguf_tensor *lm_gguf_find_tensor_n(const lm_gguf *gguf, const char *name, size_t size) {
    int32_t i;
    return lm_map_get(&gguf->names, name, size, &i) ? &gguf->tensors.data[i] : NULL;
}

const lm_gguf_tensor *lm_gguf_find_tensor(const lm_gguf *gguf, const char *name) {
    return lm_gguf_find_tensor_n(gguf, name, strlen(name));
}

const void *lm_gguf_tensor_data(const lm_gguf *gguf, const lm_gguf_tensor *tensor) {
    const lm_gguf_part *part = &gguf->files[tensor->part].part;
    if (tensor->offset > part->size || tensor->bytes > part->size - tensor->offset) return NULL;
    return (const char *)part->bytes + tensor->offset;
}
