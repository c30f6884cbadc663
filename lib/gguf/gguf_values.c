/* SPDX-License-Identifier: MIT
 * The header and the metadata of one file: every check of a value happens here, in file order, before the value is kept.
 * Values are kept as views of the file's bytes; nothing is allocated from a count that the file merely claims. */
#include "gguf_private.h"

#include <string.h>

#include "../base/format.h"

/* The smallest metadata entry (length, one byte of key, type, one byte of value) and tensor entry (empty name, no dims): they
 * bound the counts of the header by what the file can hold. */
#define LEAST_VALUE_BYTES 14
#define LEAST_TENSOR_BYTES 24
#define ALIGNMENT_DEFAULT 32

/* Bytes of an element; 0 for strings and arrays, which say their own. */
static const uint8_t element_bytes[LM_GGUF_TYPE_COUNT] = {
    [LM_GGUF_U8] = 1,  [LM_GGUF_I8] = 1,   [LM_GGUF_U16] = 2, [LM_GGUF_I16] = 2, [LM_GGUF_U32] = 4, [LM_GGUF_I32] = 4,
    [LM_GGUF_F32] = 4, [LM_GGUF_BOOL] = 1, [LM_GGUF_U64] = 8, [LM_GGUF_I64] = 8, [LM_GGUF_F64] = 8,
};

const char *lm_gguf_type_name(int32_t type) {
    static const char *const names[LM_GGUF_TYPE_COUNT] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                          "bool", "string", "array", "u64", "i64", "f64"};
    return type >= 0 && type < LM_GGUF_TYPE_COUNT ? names[type] : "unknown";
}

static lm_status read_count(lm_gguf_cursor *c, uint64_t *out, uint64_t least_bytes, uint64_t most, const char *what) {
    uint64_t start = c->at, count;
    lm_status status = lm_gguf_read_u64(c, &count, what);
    if (status != LM_OK) return status;
    if (count > (uint64_t)INT64_MAX) return lm_gguf_fail(c, LM_ERR_FORMAT, start, "%s is negative", what);
    /* The counts stand at 8 and 16 in a header of 24 bytes. */
    if (count > (c->file_size - 24) / least_bytes)
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "%s is %llu, more than the file has room for", what,
                            (unsigned long long)count);
    if (count > most)
        return lm_gguf_fail(c, LM_ERR_LIMIT, start, "%s is %llu, more than the %llu allowed", what,
                            (unsigned long long)count, (unsigned long long)most);
    *out = count;
    return LM_OK;
}

static lm_status read_header(lm_gguf_cursor *c, lm_gguf_file *file, uint64_t *n_values) {
    if (c->file_size < 24) return lm_gguf_fail(c, LM_ERR_FORMAT, 0, "not a GGUF file: shorter than a header");
    lm_status status = lm_gguf_need(c, 24, "the header");
    if (status != LM_OK) return status;
    if (memcmp(c->bytes, "GGUF", 4) != 0) return lm_gguf_fail(c, LM_ERR_FORMAT, 0, "not a GGUF file: wrong magic");
    c->at = 4;
    status = lm_gguf_read_u32(c, &file->version, "the version");
    if (status != LM_OK) return status;
    if (file->version != 0 && (file->version & 0xFFFF) == 0)
        return lm_gguf_fail(c, LM_ERR_UNSUPPORTED, 4, "the file is big-endian; convert it to little-endian");
    if (file->version == 1)
        return lm_gguf_fail(c, LM_ERR_UNSUPPORTED, 4, "GGUF version 1 is no longer supported; convert the model again");
    if (file->version != 2 && file->version != 3)
        return lm_gguf_fail(c, file->version ? LM_ERR_UNSUPPORTED : LM_ERR_FORMAT, 4,
                            "GGUF version %u is not one of 2 and 3", file->version);
    status = read_count(c, &file->n_tensors, LEAST_TENSOR_BYTES, LM_GGUF_MAX_TENSORS, "the number of tensors");
    if (status != LM_OK) return status;
    return read_count(c, n_values, LEAST_VALUE_BYTES, LM_GGUF_MAX_VALUES, "the number of metadata values");
}

static lm_status read_key(lm_gguf_cursor *c, lm_gguf_str *key) {
    uint64_t start = c->at;
    lm_status status = lm_gguf_read_string(c, LM_GGUF_MAX_KEY, key, "a metadata key");
    if (status != LM_OK) return status;
    if (key->size == 0) return lm_gguf_fail(c, LM_ERR_FORMAT, start, "a metadata key is empty");
    for (size_t i = 0; i < key->size; i++) {
        unsigned char byte = (unsigned char)key->data[i];
        /* Official keys are [a-z0-9_.]; template names inside keys may be anything that is not a control character. */
        if (byte < 32 || byte == 127)
            return lm_gguf_fail(c, LM_ERR_FORMAT, start, "key %s: holds a control character", lm_gguf_show(*key).text);
    }
    return LM_OK;
}

/* Elements of value->element_type, value->count of them, from the cursor on. */
static lm_status read_elements(lm_gguf_cursor *c, lm_gguf_value *value) {
    uint64_t start = c->at, size = element_bytes[value->element_type];
    value->data = c->bytes + c->at;
    if (size > 0) { /* count was compared with the rest of the file: no overflow */
        lm_status status = lm_gguf_need(c, value->count * size, "a metadata value");
        if (status != LM_OK) return status;
        c->at += value->count * size;
    } else {
        for (uint64_t i = 0; i < value->count; i++) {
            lm_gguf_str text;
            lm_status status = lm_gguf_read_string(c, LM_GGUF_MAX_STRING, &text, "a metadata string");
            if (status != LM_OK) return status;
        }
    }
    value->bytes = (size_t)(c->at - start);
    return LM_OK;
}

static lm_status read_array(lm_gguf_cursor *c, lm_gguf_value *value) {
    uint64_t start = c->at;
    uint32_t element_type;
    lm_status status = lm_gguf_read_u32(c, &element_type, "an array's element type");
    if (status != LM_OK) return status;
    if (element_type == LM_GGUF_ARRAY)
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "key %s: an array of arrays", lm_gguf_show(value->key).text);
    if (element_type >= LM_GGUF_TYPE_COUNT)
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "key %s: array of unknown type %d", lm_gguf_show(value->key).text,
                            (int)element_type);
    value->element_type = (int32_t)element_type;
    start = c->at;
    status = lm_gguf_read_u64(c, &value->count, "an array's length");
    if (status != LM_OK) return status;
    uint64_t least = element_bytes[element_type] ? element_bytes[element_type] : 8;
    if (value->count > lm_gguf_remaining(c) / least)
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "key %s: array of %llu elements, more than the file has room for",
                            lm_gguf_show(value->key).text, (unsigned long long)value->count);
    if (value->count > LM_GGUF_MAX_ARRAY)
        return lm_gguf_fail(c, LM_ERR_LIMIT, start, "key %s: array of %llu elements, more than the %u allowed",
                            lm_gguf_show(value->key).text, (unsigned long long)value->count, LM_GGUF_MAX_ARRAY);
    return read_elements(c, value);
}

static lm_status read_value(lm_gguf_cursor *c, lm_gguf_value *value) {
    lm_status status = read_key(c, &value->key);
    if (status != LM_OK) return status;
    uint64_t start = c->at;
    uint32_t type;
    status = lm_gguf_read_u32(c, &type, "a metadata type");
    if (status != LM_OK) return status;
    if (type >= LM_GGUF_TYPE_COUNT)
        return lm_gguf_fail(c, LM_ERR_FORMAT, start, "key %s: unknown value type %d", lm_gguf_show(value->key).text,
                            (int)type);
    value->type = (int32_t)type;
    if (type == LM_GGUF_ARRAY) return read_array(c, value);
    value->element_type = value->type;
    value->count = 1;
    return read_elements(c, value);
}

static lm_status read_alignment(const lm_gguf_cursor *c, lm_gguf_file *file) {
    static const char key[] = "general.alignment";
    const lm_gguf_value *value = lm_gguf_file_find(file, key, sizeof key - 1);
    file->alignment = ALIGNMENT_DEFAULT;
    if (!value) return LM_OK;
    if (value->type != LM_GGUF_U32)
        return lm_gguf_fail(c, LM_ERR_FORMAT, UINT64_MAX, "key %s: expected u32, found %s", key,
                            lm_gguf_type_name(value->type));
    file->alignment = lm_gguf_u32_at(value->data);
    if (file->alignment == 0 || (file->alignment & (file->alignment - 1)) != 0)
        return lm_gguf_fail(c, LM_ERR_FORMAT, UINT64_MAX, "key %s: %u is not a power of two", key, file->alignment);
    if (file->alignment > LM_GGUF_MAX_ALIGNMENT)
        return lm_gguf_fail(c, LM_ERR_LIMIT, UINT64_MAX, "key %s: %u is more than the %u allowed", key, file->alignment,
                            (unsigned)LM_GGUF_MAX_ALIGNMENT);
    return LM_OK;
}

lm_status lm_gguf_read_values(lm_gguf *gguf, lm_gguf_cursor *c) {
    lm_gguf_file *file = &gguf->files[c->part];
    uint64_t n_values = 0;
    lm_status status = read_header(c, file, &n_values);
    if (status != LM_OK) return status;
    for (uint64_t i = 0; i < n_values; i++) {
        lm_gguf_value value = {0};
        uint64_t start = c->at;
        bool added = false;
        status = read_value(c, &value);
        if (status != LM_OK) return status;
        if (!lm_array_push(&gguf->env, &file->values, value)) return lm_error_memory(c->error);
        status = lm_map_add(&file->keys, value.key.data, value.key.size, (int32_t)i, &added);
        if (status != LM_OK) return lm_error_memory(c->error);
        if (!added) return lm_gguf_fail(c, LM_ERR_FORMAT, start, "key %s: appears twice", lm_gguf_show(value.key).text);
    }
    return read_alignment(c, file);
}
