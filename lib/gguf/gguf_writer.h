/* SPDX-License-Identifier: MIT
 * Writing GGUF files, version 3, little-endian. Collect metadata and tensor descriptions, then emit everything in one pass into
 * a sink; tensor bytes come from a callback and are never held here. What this writer makes, the reader accepts.
 *
 *     lm_gguf_writer_create(env, &writer);
 *     lm_gguf_writer_set_string(writer, "general.architecture", "llama", 5, error);
 *     lm_gguf_writer_add_tensor(writer, "output.weight", LM_DTYPE_Q6K, 2, dims, error);
 *     lm_gguf_writer_write(writer, &sink, user, write_tensor, error);
 *     lm_gguf_writer_destroy(writer);
 *
 * Setters: LM_ERR_ARGUMENT for what the format does not allow (empty key, bad type, value out of the type's range), LM_ERR_LIMIT
 * beyond the reader's limits, LM_ERR_MEMORY; the writer is then as it was. Setting a key again moves it to the end. */
#ifndef LM_GGUF_GGUF_WRITER_H
#define LM_GGUF_GGUF_WRITER_H

#include "gguf.h"

typedef struct lm_gguf_writer lm_gguf_writer;

/* Where the file goes. A failure ends the writing and is passed on. */
typedef struct lm_gguf_sink {
    void *user;
    lm_status (*write)(void *user, const void *bytes, size_t n);
} lm_gguf_sink;

/* Give exactly the bytes of tensor `index` to the sink, in any pieces. */
typedef lm_status lm_gguf_tensor_source(void *user, size_t index, const lm_gguf_sink *sink);

lm_status lm_gguf_writer_create(const lm_env *env, lm_gguf_writer **out);
void lm_gguf_writer_destroy(lm_gguf_writer *writer);

/* type: an integer type or LM_GGUF_BOOL; value within its range. */
lm_status lm_gguf_writer_set_int(lm_gguf_writer *writer, const char *key, int32_t type, int64_t value, lm_error *error);
lm_status lm_gguf_writer_set_u32(lm_gguf_writer *writer, const char *key, uint32_t value, lm_error *error);
/* type: LM_GGUF_F32 (value rounded) or LM_GGUF_F64. */
lm_status lm_gguf_writer_set_float(lm_gguf_writer *writer, const char *key, int32_t type, double value,
                                   lm_error *error);
lm_status lm_gguf_writer_set_string(lm_gguf_writer *writer, const char *key, const char *bytes, size_t size,
                                    lm_error *error);
/* elements: [count] numbers of the host's type for element_type; bools as uint8_t. */
lm_status lm_gguf_writer_set_array(lm_gguf_writer *writer, const char *key, int32_t element_type, const void *elements,
                                   size_t count, lm_error *error);
lm_status lm_gguf_writer_set_strings(lm_gguf_writer *writer, const char *key, const lm_gguf_str *strings, size_t count,
                                     lm_error *error);
/* A value as read from another file. */
lm_status lm_gguf_writer_copy(lm_gguf_writer *writer, const lm_gguf_value *value, lm_error *error);
/* No effect when there is no such key. */
void lm_gguf_writer_remove(lm_gguf_writer *writer, const char *key);

/* Tensors are stored in the order they are added, dims[0] being the row. The key general.quantization_version appears with the
 * first quantised tensor. "general.alignment" is a key like others; set it before writing (default 32, which is not written). */
lm_status lm_gguf_writer_add_tensor(lm_gguf_writer *writer, const char *name, int32_t dtype, uint32_t n_dims,
                                    const int64_t *dims, lm_error *error);
size_t lm_gguf_writer_n_tensors(const lm_gguf_writer *writer);

/* Bytes of the file that lm_gguf_writer_write will make. False when they do not fit in 64 bits. */
bool lm_gguf_writer_file_bytes(const lm_gguf_writer *writer, uint64_t *bytes);

/* Emit the file. The statuses of sink and source, LM_ERR_ARGUMENT when the source gives too few or too many bytes, or
 * LM_ERR_LIMIT when the file would be too large. May be repeated. */
lm_status lm_gguf_writer_write(const lm_gguf_writer *writer, const lm_gguf_sink *sink, void *source_user,
                               lm_gguf_tensor_source *source, lm_error *error);

#endif
