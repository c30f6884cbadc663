/* SPDX-License-Identifier: MIT
 * What the files of the reader share: the object, the bounded cursor over one part's bytes, and views of little-endian numbers. */
#ifndef LM_GGUF_PRIVATE_H
#define LM_GGUF_PRIVATE_H

#include "gguf.h"

#include "../base/array.h"
#include "../base/map.h"

typedef LM_ARRAY(lm_gguf_value) lm_gguf_values;
typedef LM_ARRAY(lm_gguf_tensor) lm_gguf_tensors;

/* What is read of one file. */
typedef struct lm_gguf_file {
    lm_gguf_part part;
    uint32_t version, alignment;
    uint64_t n_tensors;  /* as the header says */
    uint64_t data_start; /* end of the directory, rounded up to the alignment when there are tensors */
    lm_gguf_values values;
    lm_map keys; /* to indices of values */
} lm_gguf_file;

struct lm_gguf {
    lm_env env;
    lm_gguf_file *files;
    uint32_t n_files, split_count;
    size_t files_capacity; /* entries allocated */
    lm_gguf_tensors tensors;
    lm_map names; /* to indices of tensors */
};

/* The position in a file's bytes, and where failures are told. Nothing is read without comparing with what remains. */
typedef struct lm_gguf_cursor {
    const uint8_t *bytes;
    uint64_t size, file_size; /* readable, and in the whole file */
    uint64_t at;
    uint32_t part; /* for messages of a split model */
    lm_error *error;
} lm_gguf_cursor;

static inline uint64_t lm_gguf_remaining(const lm_gguf_cursor *cursor) { return cursor->file_size - cursor->at; }

/* Fill the error with the sentence, the part and the offset `at`; gives status. */
lm_status lm_gguf_fail(const lm_gguf_cursor *cursor, lm_status status, uint64_t at, const char *format, ...);
/* Make sure n more bytes can be read: LM_OK, LM_ERR_FULL or LM_ERR_FORMAT ("the file ends inside WHAT"). */
lm_status lm_gguf_need(const lm_gguf_cursor *cursor, uint64_t n, const char *what);
lm_status lm_gguf_read_u32(lm_gguf_cursor *cursor, uint32_t *out, const char *what);
lm_status lm_gguf_read_u64(lm_gguf_cursor *cursor, uint64_t *out, const char *what);
/* A counted string of at most cap bytes. */
lm_status lm_gguf_read_string(lm_gguf_cursor *cursor, uint64_t cap, lm_gguf_str *out, const char *what);

/* Header and metadata of part cursor->part; then its tensor directory, appended to the tensors of gguf. */
lm_status lm_gguf_read_values(lm_gguf *gguf, lm_gguf_cursor *cursor);
lm_status lm_gguf_read_tensors(lm_gguf *gguf, lm_gguf_cursor *cursor);

const lm_gguf_value *lm_gguf_file_find(const lm_gguf_file *file, const char *key, size_t size);
lm_status lm_gguf_value_int(const lm_gguf_value *value, int64_t least, int64_t most, int64_t *out, lm_error *error);

/* A name made printable for messages, cut to fit. */
typedef struct lm_gguf_shown {
    char text[68];
} lm_gguf_shown;
lm_gguf_shown lm_gguf_show(lm_gguf_str name);

static inline uint16_t lm_gguf_u16_at(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t lm_gguf_u32_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t lm_gguf_u64_at(const uint8_t *p) {
    return (uint64_t)lm_gguf_u32_at(p) | (uint64_t)lm_gguf_u32_at(p + 4) << 32;
}

#endif
