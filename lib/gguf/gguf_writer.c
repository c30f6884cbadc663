/* SPDX-License-Identifier: MIT
 * Collecting what a file will hold. Values are encoded when they are set, so that emitting cannot fail on them; the checks are
 * those of the reader. */
#include "gguf_writer_private.h"

#include <string.h>

#include "../base/format.h"
#include "../base/str.h"
#include "../tensor/dtype.h"

#define ALIGNMENT_DEFAULT 32

lm_status lm_gguf_writer_create(const lm_env *env, lm_gguf_writer **out) {
    lm_gguf_writer *writer = lm_alloc_zeroed(env, sizeof *writer);
    if (!writer) return LM_ERR_MEMORY;
    writer->env = *env;
    writer->alignment = ALIGNMENT_DEFAULT;
    lm_map_init(&writer->keys, &writer->env, 0);
    lm_map_init(&writer->names, &writer->env, 0);
    *out = writer;
    return LM_OK;
}

void lm_gguf_writer_destroy(lm_gguf_writer *writer) {
    if (!writer) return;
    lm_env env = writer->env;
    for (size_t i = 0; i < writer->entries.count; i++) {
        lm_gguf_entry *entry = &writer->entries.data[i];
        lm_free(&env, entry->key, entry->key_size);
        lm_free(&env, entry->value, entry->value_size);
    }
    for (size_t i = 0; i < writer->tensors.count; i++)
        lm_free(&env, writer->tensors.data[i], sizeof *writer->tensors.data[i]);
    lm_array_free(&env, &writer->entries);
    lm_array_free(&env, &writer->tensors);
    lm_map_free(&writer->keys);
    lm_map_free(&writer->names);
    lm_free(&env, writer, sizeof *writer);
}

/* ---- values ------------------------------------------------------------------------------------------------------------------ */

static lm_gguf_entry *live_entry(const lm_gguf_writer *writer, const char *key, size_t size) {
    int32_t i;
    return lm_map_get(&writer->keys, key, size, &i) && writer->entries.data[i].value ? &writer->entries.data[i] : NULL;
}

static void drop_value(lm_gguf_writer *writer, lm_gguf_entry *entry) {
    lm_free(&writer->env, entry->value, entry->value_size);
    entry->value = NULL;
    entry->value_size = 0;
    writer->n_values--;
}

void lm_gguf_writer_remove(lm_gguf_writer *writer, const char *key) {
    lm_gguf_entry *entry = live_entry(writer, key, strlen(key));
    if (entry) drop_value(writer, entry);
    if (strcmp(key, "general.alignment") == 0) writer->alignment = ALIGNMENT_DEFAULT;
}

/* Put an encoded value (type first) under a key, taking a copy of both. */
static lm_status put(lm_gguf_writer *writer, const char *key, size_t key_size, const lm_str *value) {
    lm_gguf_entry entry = {NULL, key_size, NULL, value->size};
    const lm_env *env = &writer->env;
    lm_status status = LM_ERR_MEMORY;
    entry.key = lm_alloc(env, key_size);
    entry.value = lm_alloc(env, value->size);
    if (!entry.key || !entry.value || !lm_array_reserve(env, &writer->entries, 1)) goto out;
    memcpy(entry.key, key, key_size);
    memcpy(entry.value, value->data, value->size);
    lm_gguf_entry *old = live_entry(writer, key, key_size);
    status = lm_map_put(&writer->keys, entry.key, key_size, (int32_t)writer->entries.count);
    if (status != LM_OK) goto out;
    if (old) drop_value(writer, old);
    writer->entries.data[writer->entries.count++] = entry;
    writer->n_values++;
    entry.key = NULL;
    entry.value = NULL;
out:
    lm_free(env, entry.key, entry.key_size);
    lm_free(env, entry.value, entry.value_size);
    return status;
}

static lm_status set_alignment(lm_gguf_writer *writer, int32_t type, const lm_str *value, lm_error *error) {
    const uint8_t *p = (const uint8_t *)value->data + 4;
    uint32_t alignment =
        type == LM_GGUF_U32 ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > LM_GGUF_MAX_ALIGNMENT)
        return lm_error_set(error, LM_ERR_ARGUMENT, "key general.alignment: not a u32 that is a power of two up to %u",
                            (unsigned)LM_GGUF_MAX_ALIGNMENT);
    if (alignment != ALIGNMENT_DEFAULT) {
        lm_status status = put(writer, "general.alignment", strlen("general.alignment"), value);
        if (status != LM_OK) return lm_error_memory(error);
    } else {
        lm_gguf_writer_remove(writer, "general.alignment");
    }
    writer->alignment = alignment;
    return LM_OK;
}

/* The end of every setter: check the key, keep the value, free its buffer. */
static lm_status finish(lm_gguf_writer *writer, const char *key, size_t key_size, int32_t type, lm_str *value,
                        lm_error *error) {
    static const char alignment_key[] = "general.alignment";
    lm_status status = value->status;
    if (status != LM_OK) {
        status = lm_error_memory(error);
    } else if (key_size == 0) {
        status = lm_error_set(error, LM_ERR_ARGUMENT, "a metadata key is empty");
    } else if (key_size > LM_GGUF_MAX_KEY ||
               (writer->n_values >= LM_GGUF_MAX_VALUES && !live_entry(writer, key, key_size))) {
        status = lm_error_set(error, LM_ERR_LIMIT, "key %q: too long, or one key too many", key_size, key);
    } else if (key_size == sizeof alignment_key - 1 && memcmp(key, alignment_key, key_size) == 0) {
        status = set_alignment(writer, type, value, error);
    } else {
        for (size_t i = 0; i < key_size && status == LM_OK; i++)
            if ((unsigned char)key[i] < 32 || key[i] == 127)
                status = lm_error_set(error, LM_ERR_ARGUMENT, "key %q: holds a control character", key_size, key);
        if (status == LM_OK) status = put(writer, key, key_size, value);
        if (status == LM_ERR_MEMORY) lm_error_memory(error);
    }
    lm_str_free(value);
    return status;
}

static void put_bits(lm_str *value, uint64_t bits, size_t n) {
    char bytes[8];
    for (size_t i = 0; i < n; i++) bytes[i] = (char)(bits >> 8 * i);
    lm_str_append(value, bytes, n);
}

static void begin(lm_gguf_writer *writer, lm_str *value, int32_t type) {
    lm_str_init(value, &writer->env, SIZE_MAX);
    put_bits(value, (uint64_t)type, 4);
}

/* Bytes of an integer, float or bool; 0 for the rest. */
static size_t scalar_bytes(int32_t type) {
    switch (type) {
    case LM_GGUF_U8:
    case LM_GGUF_I8:
    case LM_GGUF_BOOL: return 1;
    case LM_GGUF_U16:
    case LM_GGUF_I16: return 2;
    case LM_GGUF_U32:
    case LM_GGUF_I32:
    case LM_GGUF_F32: return 4;
    case LM_GGUF_U64:
    case LM_GGUF_I64:
    case LM_GGUF_F64: return 8;
    default: return 0;
    }
}

lm_status lm_gguf_writer_set_int(lm_gguf_writer *writer, const char *key, int32_t type, int64_t number,
                                 lm_error *error) {
    size_t n = scalar_bytes(type);
    bool is_signed = type == LM_GGUF_I8 || type == LM_GGUF_I16 || type == LM_GGUF_I32 || type == LM_GGUF_I64;
    if (n == 0 || type == LM_GGUF_F32 || type == LM_GGUF_F64)
        return lm_error_set(error, LM_ERR_ARGUMENT, "key %s: not an integer type", key);
    int64_t most = n == 8 ? INT64_MAX : (int64_t)((1ull << (8 * n - is_signed)) - 1);
    if (type == LM_GGUF_BOOL) most = 1;
    if (number > most || number < (is_signed ? -most - 1 : 0))
        return lm_error_set(error, LM_ERR_ARGUMENT, "key %s: %lld does not fit its type", key, (long long)number);
    lm_str value;
    begin(writer, &value, type);
    put_bits(&value, (uint64_t)number, n);
    return finish(writer, key, strlen(key), type, &value, error);
}

lm_status lm_gguf_writer_set_u32(lm_gguf_writer *writer, const char *key, uint32_t number, lm_error *error) {
    return lm_gguf_writer_set_int(writer, key, LM_GGUF_U32, number, error);
}

static uint64_t bits_of(const void *number, size_t n) {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (n) {
    case 1: return memcpy(&u8, number, 1), u8;
    case 2: return memcpy(&u16, number, 2), u16;
    case 4: return memcpy(&u32, number, 4), u32;
    default: return memcpy(&u64, number, 8), u64;
    }
}

lm_status lm_gguf_writer_set_float(lm_gguf_writer *writer, const char *key, int32_t type, double number,
                                   lm_error *error) {
    float single = (float)number;
    lm_str value;
    if (type != LM_GGUF_F32 && type != LM_GGUF_F64)
        return lm_error_set(error, LM_ERR_ARGUMENT, "key %s: not a float type", key);
    begin(writer, &value, type);
    put_bits(&value, type == LM_GGUF_F32 ? bits_of(&single, 4) : bits_of(&number, 8), scalar_bytes(type));
    return finish(writer, key, strlen(key), type, &value, error);
}

static lm_status put_string(lm_str *value, const char *bytes, size_t size) {
    if (size > LM_GGUF_MAX_STRING) return LM_ERR_LIMIT;
    put_bits(value, size, 8);
    lm_str_append(value, bytes, size);
    return LM_OK;
}

lm_status lm_gguf_writer_set_strings(lm_gguf_writer *writer, const char *key, const lm_gguf_str *strings, size_t count,
                                     lm_error *error) {
    lm_str value;
    begin(writer, &value, LM_GGUF_ARRAY);
    put_bits(&value, LM_GGUF_STRING, 4);
    put_bits(&value, count, 8);
    lm_status status = count <= LM_GGUF_MAX_ARRAY ? LM_OK : LM_ERR_LIMIT;
    for (size_t i = 0; i < count && status == LM_OK; i++) status = put_string(&value, strings[i].data, strings[i].size);
    if (status == LM_OK) return finish(writer, key, strlen(key), LM_GGUF_ARRAY, &value, error);
    lm_str_free(&value);
    return lm_error_set(error, status, "key %s: too many or too long strings", key);
}

lm_status lm_gguf_writer_set_string(lm_gguf_writer *writer, const char *key, const char *bytes, size_t size,
                                    lm_error *error) {
    lm_str value;
    begin(writer, &value, LM_GGUF_STRING);
    lm_status status = put_string(&value, bytes, size);
    if (status == LM_OK) return finish(writer, key, strlen(key), LM_GGUF_STRING, &value, error);
    lm_str_free(&value);
    return lm_error_set(error, status, "key %s: the string is too long", key);
}

lm_status lm_gguf_writer_set_array(lm_gguf_writer *writer, const char *key, int32_t element_type, const void *elements,
                                   size_t count, lm_error *error) {
    size_t n = scalar_bytes(element_type);
    lm_str value;
    if (n == 0) return lm_error_set(error, LM_ERR_ARGUMENT, "key %s: not a type of numbers", key);
    if (count > LM_GGUF_MAX_ARRAY) return lm_error_set(error, LM_ERR_LIMIT, "key %s: too many elements", key);
    begin(writer, &value, LM_GGUF_ARRAY);
    put_bits(&value, (uint64_t)element_type, 4);
    put_bits(&value, count, 8);
    lm_str_reserve(&value, count * n);
    for (size_t i = 0; i < count; i++) put_bits(&value, bits_of((const char *)elements + i * n, n), n);
    return finish(writer, key, strlen(key), LM_GGUF_ARRAY, &value, error);
}

lm_status lm_gguf_writer_copy(lm_gguf_writer *writer, const lm_gguf_value *value, lm_error *error) {
    lm_str copy;
    begin(writer, &copy, value->type);
    if (value->type == LM_GGUF_ARRAY) {
        put_bits(&copy, (uint64_t)value->element_type, 4);
        put_bits(&copy, value->count, 8);
    }
    lm_str_append(&copy, value->data, value->bytes);
    return finish(writer, value->key.data, value->key.size, value->type, &copy, error);
}

/* ---- tensors ----------------------------------------------------------------------------------------------------------------- */

lm_status lm_gguf_writer_add_tensor(lm_gguf_writer *writer, const char *name, int32_t dtype, uint32_t n_dims,
                                    const int64_t *dims, lm_error *error) {
    static const char version_key[] = "general.quantization_version";
    const lm_env *env = &writer->env;
    const lm_dtype_info *info = lm_dtype_find(dtype);
    size_t name_size = strlen(name);
    if (name_size == 0 || name_size > LM_GGUF_MAX_NAME)
        return lm_error_set(error, LM_ERR_ARGUMENT, "tensor %q: the name has no or more than %d bytes", name_size, name,
                            LM_GGUF_MAX_NAME);
    if (writer->tensors.count >= LM_GGUF_MAX_TENSORS)
        return lm_error_set(error, LM_ERR_LIMIT, "tensor %s: one too many", name);
    if (n_dims < 1 || n_dims > 4) return lm_error_set(error, LM_ERR_ARGUMENT, "tensor %s: %u dimensions", name, n_dims);
    lm_gguf_planned plan = {.name_size = name_size, .dtype = dtype, .n_dims = n_dims, .dims = {1, 1, 1, 1}};
    for (uint32_t i = 0; i < n_dims; i++) plan.dims[i] = dims[i];
    memcpy(plan.name, name, name_size);
    if (!info || !lm_dtype_tensor_bytes(dtype, plan.dims, &plan.bytes))
        return lm_error_set(error, LM_ERR_ARGUMENT, "tensor %s: its type and dimensions do not go together", name);
    if (lm_map_get(&writer->names, name, name_size, &(int32_t){0}))
        return lm_error_set(error, LM_ERR_ARGUMENT, "tensor %s: appears twice", name);
    bool has_room = lm_array_reserve(env, &writer->tensors, 1) &&
                    lm_map_reserve(&writer->names, writer->tensors.count + 1) == LM_OK;
    lm_gguf_planned *tensor = has_room ? lm_alloc(env, sizeof *tensor) : NULL;
    if (!tensor) return lm_error_memory(error);
    if (info->class == LM_DTYPE_CLASS_QUANTISED && !live_entry(writer, version_key, sizeof version_key - 1)) {
        lm_status status = lm_gguf_writer_set_u32(writer, version_key, 2, error);
        if (status != LM_OK) {
            lm_free(env, tensor, sizeof *tensor);
            return status;
        }
    }
    *tensor = plan;
    lm_map_put(&writer->names, tensor->name, name_size, (int32_t)writer->tensors.count); /* room was reserved */
    writer->tensors.data[writer->tensors.count++] = tensor;
    return LM_OK;
}

size_t lm_gguf_writer_n_tensors(const lm_gguf_writer *writer) { return writer->tensors.count; }
