/* SPDX-License-Identifier: MIT
 * What collecting (gguf_writer.c) and emitting (gguf_write.c) share. */
#ifndef LM_GGUF_WRITER_PRIVATE_H
#define LM_GGUF_WRITER_PRIVATE_H

#include "gguf_writer.h"

#include "../base/array.h"
#include "../base/map.h"

typedef struct lm_gguf_entry {
    char *key; /* own copy, kept after removal because the map borrows it */
    size_t key_size;
    uint8_t *value; /* type and value as in the file; NULL once removed or set again */
    size_t value_size;
} lm_gguf_entry;

typedef struct lm_gguf_planned {
    char name[LM_GGUF_MAX_NAME + 1];
    size_t name_size;
    int32_t dtype;
    uint32_t n_dims;
    int64_t dims[4];
    uint64_t bytes;
} lm_gguf_planned;

struct lm_gguf_writer {
    lm_env env;
    LM_ARRAY(lm_gguf_entry) entries;
    lm_map keys; /* to the last entry made for a key */
    size_t n_values;
    LM_ARRAY(lm_gguf_planned *) tensors; /* by pointer: the map borrows their names */
    lm_map names;
    uint32_t alignment;
};

#endif
