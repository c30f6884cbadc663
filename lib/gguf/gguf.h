/* SPDX-License-Identifier: MIT
 * A GGUF file's directory: its metadata and the names, shapes, types and places of its tensors. The bytes are hostile; once
 * lm_gguf_open succeeds, everything this header hands out has been checked against the file's size.
 *
 *     lm_gguf_part part = {bytes, n, n};
 *     status = lm_gguf_open(env, &part, NULL, &gguf, error);
 *     status = lm_gguf_get_u32(gguf, "llama.block_count", &n_layers, error);
 *     const lm_gguf_tensor *t = lm_gguf_find_tensor(gguf, "output.weight");
 *     const void *weights = lm_gguf_tensor_data(gguf, t);
 *     lm_gguf_close(gguf);
 *
 * The object is immutable and may be shared by threads. It borrows the bytes (strings and arrays point into them), which stay
 * valid and unchanged until lm_gguf_close. Only the header part of a file needs to be there: a part with size < file_size gives
 * a complete directory whose tensors have no data pointers. */
#ifndef LM_GGUF_GGUF_H
#define LM_GGUF_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lm/base.h>
#include <lm/dtype.h>

#include "../base/env.h"

/* Limits on what a file may hold; beyond them LM_ERR_LIMIT. */
#define LM_GGUF_MAX_VALUES 65536
#define LM_GGUF_MAX_TENSORS 1048576
#define LM_GGUF_MAX_KEY 65535
#define LM_GGUF_MAX_STRING (64u << 20)
#define LM_GGUF_MAX_ARRAY (1u << 30)
#define LM_GGUF_MAX_NAME 63 /* bytes of a tensor name */
#define LM_GGUF_MAX_ALIGNMENT 65536
#define LM_GGUF_MAX_PARTS 4096

/* Metadata value types, as in files. */
enum lm_gguf_type {
    LM_GGUF_U8 = 0,
    LM_GGUF_I8 = 1,
    LM_GGUF_U16 = 2,
    LM_GGUF_I16 = 3,
    LM_GGUF_U32 = 4,
    LM_GGUF_I32 = 5,
    LM_GGUF_F32 = 6,
    LM_GGUF_BOOL = 7,
    LM_GGUF_STRING = 8,
    LM_GGUF_ARRAY = 9,
    LM_GGUF_U64 = 10,
    LM_GGUF_I64 = 11,
    LM_GGUF_F64 = 12,
    LM_GGUF_TYPE_COUNT = 13
};

/* Bytes of a file: counted, not NUL-terminated, any content. */
typedef struct lm_gguf_str {
    const char *data;
    size_t size;
} lm_gguf_str;

/* One metadata value. A scalar is an array of one element as far as the element readers are concerned. */
typedef struct lm_gguf_value {
    lm_gguf_str key;
    int32_t type;         /* enum lm_gguf_type */
    int32_t element_type; /* of an array; of anything else its own type */
    uint64_t count;       /* elements; 1 unless an array */
    const void *data;     /* the elements as stored: little-endian, unaligned; use the readers below */
    size_t bytes;         /* of all elements */
} lm_gguf_value;

typedef struct lm_gguf_tensor {
    lm_gguf_str name; /* 1..LM_GGUF_MAX_NAME bytes, no NUL */
    int32_t dtype;    /* enum lm_dtype, always a usable type */
    uint32_t n_dims;  /* 0..4, as stored */
    int64_t dims[4];  /* > 0; dims[0] is the row; 1 where not stored */
    uint64_t count;   /* elements */
    uint64_t offset;  /* from the start of the part's file; only as aligned as the file says */
    uint64_t bytes;   /* offset + bytes <= file_size */
    uint32_t part;    /* which file of a set */
} lm_gguf_tensor;

/* One file, or its beginning. */
typedef struct lm_gguf_part {
    const void *bytes;
    size_t size;        /* bytes readable */
    uint64_t file_size; /* of the whole file, >= size */
} lm_gguf_part;

/* Where the other files of a split model come from: fill *out with part index (1 .. count-1), all within the user's own life
 * time. On failure its status and error end the opening. */
typedef struct lm_gguf_source {
    void *user;
    lm_status (*part)(void *user, uint32_t index, uint32_t count, lm_gguf_part *out, lm_error *error);
} lm_gguf_source;

typedef struct lm_gguf lm_gguf;

/* Read the directory of a file, or of a split model whose first part is `first`. With source NULL only `first` is read, even
 * if it says it is one of several (lm_gguf_split_count tells). LM_ERR_FORMAT, LM_ERR_LIMIT, LM_ERR_UNSUPPORTED (version, byte
 * order, tensor type), LM_ERR_MISMATCH (parts that do not belong together), LM_ERR_MEMORY, or LM_ERR_FULL when the header goes
 * on after the `size` bytes given of a longer file: give more of it. error->offset is the place in the part's file. */
lm_status lm_gguf_open(const lm_env *env, const lm_gguf_part *first, const lm_gguf_source *source, lm_gguf **out,
                       lm_error *error);
void lm_gguf_close(lm_gguf *gguf);

/* Bytes of memory the object holds. */
size_t lm_gguf_memory(const lm_gguf *gguf);
uint32_t lm_gguf_version(const lm_gguf *gguf);
/* Parts read; where the tensor data of one start in its file, and its alignment. */
uint32_t lm_gguf_n_parts(const lm_gguf *gguf);
uint64_t lm_gguf_data_start(const lm_gguf *gguf, uint32_t part);
uint32_t lm_gguf_alignment(const lm_gguf *gguf, uint32_t part);
/* Parts the model consists of: 1 unless the first file says it is split. */
uint32_t lm_gguf_split_count(const lm_gguf *gguf);

/* Write the path of part index (0-based) of count, derived from any part's path "PREFIX-00001-of-00003.gguf". False when path
 * does not end like that with the same count, the prefix's last component is empty, or out is too small. */
bool lm_gguf_part_path(const char *path, uint32_t index, uint32_t count, char *out, size_t out_size);

/* ---- metadata (of the first part), in file order ---------------------------------------------------------------------------- */

size_t lm_gguf_n_values(const lm_gguf *gguf);
const lm_gguf_value *lm_gguf_value_at(const lm_gguf *gguf, size_t index);
/* NULL when there is no such key. */
const lm_gguf_value *lm_gguf_find(const lm_gguf *gguf, const char *key);
const char *lm_gguf_type_name(int32_t type);

/* Getters: LM_ERR_NOT_FOUND when the key is absent (with a sentence, for keys that are required), LM_ERR_FORMAT when its type
 * or value does not fit. Integers of any stored type are taken when the value fits; floats are f32 or f64; bools only bool. */
lm_status lm_gguf_get_int(const lm_gguf *gguf, const char *key, int64_t least, int64_t most, int64_t *out,
                          lm_error *error);
lm_status lm_gguf_get_u32(const lm_gguf *gguf, const char *key, uint32_t *out, lm_error *error);
lm_status lm_gguf_get_i32(const lm_gguf *gguf, const char *key, int32_t *out, lm_error *error);
lm_status lm_gguf_get_f32(const lm_gguf *gguf, const char *key, float *out, lm_error *error);
lm_status lm_gguf_get_bool(const lm_gguf *gguf, const char *key, bool *out, lm_error *error);
lm_status lm_gguf_get_string(const lm_gguf *gguf, const char *key, lm_gguf_str *out, lm_error *error);
/* An array whose elements have exactly this type. An empty array stored under any element type is accepted. */
lm_status lm_gguf_get_array(const lm_gguf *gguf, const char *key, int32_t element_type, const lm_gguf_value **out,
                            lm_error *error);

/* Element `index` < count of a value as a number: false when the elements are of another kind, or a u64 beyond int64. Bools
 * read as integers 0 and 1; integers do not read as floats. */
bool lm_gguf_element_int(const lm_gguf_value *value, uint64_t index, int64_t *out);
bool lm_gguf_element_float(const lm_gguf_value *value, uint64_t index, double *out);

/* The strings of a string or an array of strings, in order: start with {0} and call until false. */
typedef struct lm_gguf_strings {
    uint64_t index; /* of the string last returned, plus 1 */
    size_t offset;
} lm_gguf_strings;
bool lm_gguf_next_string(const lm_gguf_value *value, lm_gguf_strings *iterator, lm_gguf_str *out);

/* ---- tensors of all parts, in file order ------------------------------------------------------------------------------------- */

size_t lm_gguf_n_tensors(const lm_gguf *gguf);
const lm_gguf_tensor *lm_gguf_tensor_at(const lm_gguf *gguf, size_t index);
/* NULL when there is no such tensor. */
const lm_gguf_tensor *lm_gguf_find_tensor(const lm_gguf *gguf, const char *name);
const lm_gguf_tensor *lm_gguf_find_tensor_n(const lm_gguf *gguf, const char *name, size_t size);
/* The tensor's bytes, or NULL when its part was given without them. At any alignment when the file's alignment is small. */
const void *lm_gguf_tensor_data(const lm_gguf *gguf, const lm_gguf_tensor *tensor);

#endif
