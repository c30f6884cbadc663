/* SPDX-License-Identifier: MIT
 * The tensor directory of one file. A tensor is kept only when its shape, type, size and place have been checked; tensors lie
 * in directory order without gaps, as every writer puts them, which also rules out overlaps. */
#include "gguf_private.h"

#include <string.h>

#include "../base/format.h"
#include "../tensor/dtype.h"

static lm_status read_name(lm_gguf_cursor *c, lm_gguf_tensor *tensor) {
    uint64_t start = c->at;
    lm_gguf_str name;
    lm_status status = lm_gguf_read_string(c, UINT64_MAX, &name, "a tensor name");
    if (status != LM_OK) return status;
    if (name.size == 0) return lm_gguf_fail(c, LM_ERR_FORMAT, start, "a tensor has no name");
    if (name.size > LM_GGUF_MAX_NAME)
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "tensor %s: the name has %zu bytes, more than the %d allowed",
                            lm_gguf_show(name).text, name.size, LM_GGUF_MAX_NAME);
    if (memchr(name.data, 0, name.size))
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "tensor %s: a NUL byte in the name", lm_gguf_show(name).text);
    tensor->name = name;
    return LM_OK;
}

static lm_status read_dims(lm_gguf_cursor *c, lm_gguf_tensor *tensor) {
    uint64_t start = c->at;
    lm_status status = lm_gguf_read_u32(c, &tensor->n_dims, "a tensor's number of dimensions");
    if (status != LM_OK) return status;
    if (tensor->n_dims > 4)
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "tensor %s: %u dimensions, more than 4",
                            lm_gguf_show(tensor->name).text, tensor->n_dims);
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t dim = 1;
        if (i < tensor->n_dims) {
            start = c->at;
            status = lm_gguf_read_u64(c, &dim, "a tensor's dimensions");
            if (status != LM_OK) return status;
        }
        if (dim == 0 || dim > (uint64_t)INT64_MAX)
            return lm_gguf_fail(c, LM_ERR_FORMAT, start, "tensor %s: dimension %u is %lld, not positive",
                                lm_gguf_show(tensor->name).text, i, (long long)dim);
        tensor->dims[i] = (int64_t)dim;
    }
    int64_t count;
    if (!lm_dims_count(tensor->dims, &count))
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "tensor %s: too many elements", lm_gguf_show(tensor->name).text);
    tensor->count = (uint64_t)count;
    return LM_OK;
}

static lm_status read_type(lm_gguf_cursor *c, lm_gguf_tensor *tensor) {
    uint64_t start = c->at;
    uint32_t raw;
    lm_status status = lm_gguf_read_u32(c, &raw, "a tensor's type");
    if (status != LM_OK) return status;
    int32_t dtype = raw <= INT32_MAX ? (int32_t)raw : -(int32_t)(UINT32_MAX - raw) - 1;
    const lm_dtype_info *info = lm_dtype_find(dtype);
    if (!info)
        return lm_gguf_fail(c, dtype < 0 ? LM_ERR_FORMAT : LM_ERR_UNSUPPORTED, start, "tensor %s: type %d is %s",
                            lm_gguf_show(tensor->name).text, dtype, lm_dtype_refusal(dtype));
    tensor->dtype = dtype;
    if (tensor->dims[0] % info->block_values != 0)
        return lm_gguf_fail(
            c, LM_ERR_FORMAT, start, "tensor %s: rows of %lld values are not whole blocks of %s (%u values)",
            lm_gguf_show(tensor->name).text, (long long)tensor->dims[0], info->name, info->block_values);
    if (!lm_dtype_tensor_bytes(dtype, tensor->dims, &tensor->bytes))
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "tensor %s: its size overflows", lm_gguf_show(tensor->name).text);
    return LM_OK;
}

static lm_status read_rest(lm_gguf_cursor *c, lm_gguf_tensor *tensor) {
    lm_status status = read_dims(c, tensor);
    if (status == LM_OK) status = read_type(c, tensor);
    if (status == LM_OK) status = lm_gguf_read_u64(c, &tensor->offset, "a tensor's offset");
    tensor->part = c->part;
    return status;
}

/* Turn offsets within the data section into offsets within the file, checking each against the data's length. The padding
 * behind the last tensor may be missing. */
static lm_status place(const lm_gguf_cursor *c, const lm_gguf_file *file, lm_gguf_tensor *tensor, uint64_t *expected) {
    uint64_t data_bytes = c->file_size - file->data_start;
    lm_gguf_shown name = lm_gguf_show(tensor->name);
    if (tensor->offset % file->alignment != 0)
        return lm_gguf_fail(c, LM_ERR_FORMAT, UINT64_MAX,
                            "tensor %s: offset %llu is not a multiple of the alignment %u", name.text,
                            (unsigned long long)tensor->offset, file->alignment);
    if (tensor->offset > data_bytes || tensor->bytes > data_bytes - tensor->offset)
        return lm_gguf_fail(c, LM_ERR_FORMAT, UINT64_MAX,
                            "tensor %s: %llu bytes at offset %llu lie outside the file's %llu bytes of data", name.text,
                            (unsigned long long)tensor->bytes, (unsigned long long)tensor->offset,
                            (unsigned long long)data_bytes);
    if (tensor->offset != *expected)
        return lm_gguf_fail(c, LM_ERR_FORMAT, UINT64_MAX,
                            "tensor %s: at offset %llu, but the one before it ends at %llu", name.text,
                            (unsigned long long)tensor->offset, (unsigned long long)*expected);
    if (!lm_u64_align(tensor->offset + tensor->bytes, file->alignment, expected))
        return lm_gguf_fail(c, LM_ERR_FORMAT, UINT64_MAX, "tensor %s: its end overflows", name.text);
    tensor->offset += file->data_start;
    return LM_OK;
}

lm_status lm_gguf_read_tensors(lm_gguf *gguf, lm_gguf_cursor *c) {
    lm_gguf_file *file = &gguf->files[c->part];
    lm_gguf_tensors *tensors = &gguf->tensors;
    size_t first = tensors->count;
    if (file->n_tensors > LM_GGUF_MAX_TENSORS - first) /* each part is below the limit; the set must be too */
        return lm_gguf_fail(c, LM_ERR_LIMIT, UINT64_MAX, "the parts so far hold more than %d tensors",
                            LM_GGUF_MAX_TENSORS);
    for (uint64_t i = 0; i < file->n_tensors; i++) {
        lm_gguf_tensor tensor = {0};
        uint64_t start = c->at;
        bool added = false;
        lm_status status = read_name(c, &tensor);
        if (status != LM_OK) return status;
        status = lm_map_add(&gguf->names, tensor.name.data, tensor.name.size, (int32_t)tensors->count, &added);
        if (status != LM_OK) return lm_error_memory(c->error);
        if (!added)
            return lm_gguf_fail(c, LM_ERR_FORMAT, start, "tensor %s: appears twice", lm_gguf_show(tensor.name).text);
        status = read_rest(c, &tensor);
        if (status != LM_OK) return status;
        if (!lm_array_push(&gguf->env, tensors, tensor)) return lm_error_memory(c->error);
    }
    file->data_start = c->at;
    if (file->n_tensors == 0) return LM_OK; /* the file may end here, without padding */
    if (!lm_u64_align(c->at, file->alignment, &file->data_start) || file->data_start > c->file_size)
        return lm_gguf_fail(c, LM_ERR_FORMAT, c->at, "the file ends before its tensor data");
    uint64_t expected = 0;
    for (size_t i = first; i < tensors->count; i++) {
        lm_status status = place(c, file, &tensors->data[i], &expected);
        if (status != LM_OK) return status;
    }
    return LM_OK;
}
