/* SPDX-License-Identifier: MIT
 * Typed access to metadata. The type a file declares is checked at every access, elements of arrays included; nothing is
 * reinterpreted. */
#include "gguf.h"

#include <string.h>

#include "../base/format.h"
#include "gguf_private.h"

const lm_gguf_value *lm_gguf_file_find(const lm_gguf_file *file, const char *key, size_t size) {
    int32_t i;
    return lm_map_get(&file->keys, key, size, &i) ? &file->values.data[i] : NULL;
}

size_t lm_gguf_n_values(const lm_gguf *gguf) { return gguf->files[0].values.count; }
const lm_gguf_value *lm_gguf_value_at(const lm_gguf *gguf, size_t index) { return &gguf->files[0].values.data[index]; }
const lm_gguf_value *lm_gguf_find(const lm_gguf *gguf, const char *key) {
    return lm_gguf_file_find(&gguf->files[0], key, strlen(key));
}

static lm_status wrong_type(const lm_gguf_value *value, const char *expected, lm_error *error) {
    const char *array = value->type == LM_GGUF_ARRAY ? "an array of " : "";
    return lm_error_set(error, LM_ERR_FORMAT, "key %s: expected %s, found %s%s", lm_gguf_show(value->key).text,
                        expected, array, lm_gguf_type_name(value->element_type));
}

static lm_status find(const lm_gguf *gguf, const char *key, const lm_gguf_value **out, lm_error *error) {
    *out = lm_gguf_find(gguf, key);
    return *out ? LM_OK : lm_error_set(error, LM_ERR_NOT_FOUND, "key %s is missing", key);
}

/* A value of exactly this type. */
static lm_status get(const lm_gguf *gguf, const char *key, int32_t type, const lm_gguf_value **out, lm_error *error) {
    const lm_gguf_value *value = NULL;
    lm_status status = find(gguf, key, &value, error);
    if (status != LM_OK) return status;
    if (value->type != type) return wrong_type(value, lm_gguf_type_name(type), error);
    *out = value;
    return LM_OK;
}

lm_status lm_gguf_get_array(const lm_gguf *gguf, const char *key, int32_t element_type, const lm_gguf_value **out,
                            lm_error *error) {
    const lm_gguf_value *value = NULL;
    lm_status status = find(gguf, key, &value, error);
    if (status != LM_OK) return status;
    if (value->type != LM_GGUF_ARRAY || (value->element_type != element_type && value->count > 0)) {
        char expected[32];
        lm_format(expected, sizeof expected, "an array of %s", lm_gguf_type_name(element_type));
        return wrong_type(value, expected, error);
    }
    *out = value;
    return LM_OK;
}

bool lm_gguf_element_int(const lm_gguf_value *value, uint64_t index, int64_t *out) {
    const uint8_t *p = value->data;
    uint64_t u;
    if (index >= value->count) return false;
    switch (value->element_type) {
    case LM_GGUF_U8: *out = p[index]; return true;
    case LM_GGUF_I8: *out = p[index] < 128 ? p[index] : p[index] - 256; return true;
    case LM_GGUF_BOOL: *out = p[index] != 0; return true;
    case LM_GGUF_U16: *out = lm_gguf_u16_at(p + 2 * index); return true;
    case LM_GGUF_I16: *out = (lm_gguf_u16_at(p + 2 * index) ^ 0x8000) - 0x8000; return true;
    case LM_GGUF_U32: *out = lm_gguf_u32_at(p + 4 * index); return true;
    case LM_GGUF_I32: *out = (int64_t)(lm_gguf_u32_at(p + 4 * index) ^ 0x80000000u) - 0x80000000ll; return true;
    case LM_GGUF_U64:
    case LM_GGUF_I64:
        u = lm_gguf_u64_at(p + 8 * index);
        if (u <= (uint64_t)INT64_MAX)
            *out = (int64_t)u;
        else if (value->element_type == LM_GGUF_I64)
            *out = -(int64_t)(UINT64_MAX - u) - 1;
        else
            return false;
        return true;
    default: return false;
    }
}

bool lm_gguf_element_float(const lm_gguf_value *value, uint64_t index, double *out) {
    const uint8_t *p = value->data;
    if (index >= value->count) return false;
    if (value->element_type == LM_GGUF_F32) {
        uint32_t bits = lm_gguf_u32_at(p + 4 * index);
        float x;
        memcpy(&x, &bits, sizeof x);
        *out = x;
        return true;
    }
    if (value->element_type != LM_GGUF_F64) return false;
    uint64_t bits = lm_gguf_u64_at(p + 8 * index);
    memcpy(out, &bits, sizeof *out);
    return true;
}

bool lm_gguf_next_string(const lm_gguf_value *value, lm_gguf_strings *iterator, lm_gguf_str *out) {
    if (value->element_type != LM_GGUF_STRING || iterator->index >= value->count) return false;
    const uint8_t *record = (const uint8_t *)value->data + iterator->offset;
    size_t size = (size_t)lm_gguf_u64_at(record); /* checked when the file was read */
    *out = (lm_gguf_str){(const char *)record + 8, size};
    iterator->offset += 8 + size;
    iterator->index++;
    return true;
}

lm_status lm_gguf_value_int(const lm_gguf_value *value, int64_t least, int64_t most, int64_t *out, lm_error *error) {
    int64_t number;
    bool is_int = value->type != LM_GGUF_ARRAY && value->type != LM_GGUF_BOOL;
    if (is_int && value->type == LM_GGUF_U64 && !lm_gguf_element_int(value, 0, &number))
        return lm_error_set(error, LM_ERR_FORMAT, "key %s: out of range", lm_gguf_show(value->key).text);
    if (!is_int || !lm_gguf_element_int(value, 0, &number)) return wrong_type(value, "an integer", error);
    if (number < least || number > most)
        return lm_error_set(error, LM_ERR_FORMAT, "key %s: %lld is outside [%lld, %lld]", lm_gguf_show(value->key).text,
                            (long long)number, (long long)least, (long long)most);
    *out = number;
    return LM_OK;
}

lm_status lm_gguf_get_int(const lm_gguf *gguf, const char *key, int64_t least, int64_t most, int64_t *out,
                          lm_error *error) {
    const lm_gguf_value *value = NULL;
    lm_status status = find(gguf, key, &value, error);
    return status == LM_OK ? lm_gguf_value_int(value, least, most, out, error) : status;
}

lm_status lm_gguf_get_u32(const lm_gguf *gguf, const char *key, uint32_t *out, lm_error *error) {
    int64_t number;
    lm_status status = lm_gguf_get_int(gguf, key, 0, UINT32_MAX, &number, error);
    if (status == LM_OK) *out = (uint32_t)number;
    return status;
}

lm_status lm_gguf_get_i32(const lm_gguf *gguf, const char *key, int32_t *out, lm_error *error) {
    int64_t number;
    lm_status status = lm_gguf_get_int(gguf, key, INT32_MIN, INT32_MAX, &number, error);
    if (status == LM_OK) *out = (int32_t)number;
    return status;
}

lm_status lm_gguf_get_f32(const lm_gguf *gguf, const char *key, float *out, lm_error *error) {
    const lm_gguf_value *value = NULL;
    double number;
    lm_status status = find(gguf, key, &value, error);
    if (status != LM_OK) return status;
    if (value->type == LM_GGUF_ARRAY || !lm_gguf_element_float(value, 0, &number))
        return wrong_type(value, "a float", error);
    *out = (float)number;
    return LM_OK;
}

lm_status lm_gguf_get_bool(const lm_gguf *gguf, const char *key, bool *out, lm_error *error) {
    const lm_gguf_value *value = NULL;
    lm_status status = get(gguf, key, LM_GGUF_BOOL, &value, error);
    if (status == LM_OK) *out = *(const uint8_t *)value->data != 0;
    return status;
}

lm_status lm_gguf_get_string(const lm_gguf *gguf, const char *key, lm_gguf_str *out, lm_error *error) {
    const lm_gguf_value *value = NULL;
    lm_status status = get(gguf, key, LM_GGUF_STRING, &value, error);
    if (status != LM_OK) return status;
    lm_gguf_strings iterator = {0, 0};
    lm_gguf_next_string(value, &iterator, out);
    return LM_OK;
}
