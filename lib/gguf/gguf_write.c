/* SPDX-License-Identifier: MIT
 * Emitting a collected file in one pass: header, metadata, tensor directory, padding, tensor bytes. Everything is counted while
 * it passes, so a source that gives too little or too much is found at the tensor where it happens. */
#include "gguf_writer_private.h"

#include <string.h>

#include "../base/format.h"

/* Small pieces are gathered before they go to the sink. */
typedef struct output {
    const lm_gguf_sink *sink;
    uint64_t at; /* bytes of the file so far */
    size_t used;
    char buffer[4096];
} output;

static lm_status flush(output *o) {
    lm_status status = o->used ? o->sink->write(o->sink->user, o->buffer, o->used) : LM_OK;
    o->used = 0;
    return status;
}

static lm_status emit(output *o, const void *bytes, size_t n) {
    lm_status status = LM_OK;
    if (n > sizeof o->buffer - o->used) status = flush(o);
    if (status != LM_OK) return status;
    if (n > sizeof o->buffer)
        status = o->sink->write(o->sink->user, bytes, n);
    else if (n > 0)
        memcpy(o->buffer + o->used, bytes, n), o->used += n;
    o->at += n;
    return status;
}

static lm_status emit_bits(output *o, uint64_t bits, size_t n) {
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(bits >> 8 * i);
    return emit(o, bytes, n);
}

static lm_status emit_padding(output *o, uint32_t alignment) {
    static const char zeros[64] = {0};
    lm_status status = LM_OK;
    while (status == LM_OK && o->at % alignment != 0)
        status = emit(o, zeros, lm_size_min(sizeof zeros, (size_t)(alignment - o->at % alignment)));
    return status;
}

static lm_status emit_directory(const lm_gguf_writer *writer, output *o) {
    lm_status status = emit(o, "GGUF\3\0\0\0", 8);
    if (status == LM_OK) status = emit_bits(o, writer->tensors.count, 8);
    if (status == LM_OK) status = emit_bits(o, writer->n_values, 8);
    for (size_t i = 0; i < writer->entries.count && status == LM_OK; i++) {
        const lm_gguf_entry *entry = &writer->entries.data[i];
        if (!entry->value) continue;
        status = emit_bits(o, entry->key_size, 8);
        if (status == LM_OK) status = emit(o, entry->key, entry->key_size);
        if (status == LM_OK) status = emit(o, entry->value, entry->value_size);
    }
    uint64_t offset = 0;
    for (size_t i = 0; i < writer->tensors.count && status == LM_OK; i++) {
        const lm_gguf_planned *tensor = writer->tensors.data[i];
        status = emit_bits(o, tensor->name_size, 8);
        if (status == LM_OK) status = emit(o, tensor->name, tensor->name_size);
        if (status == LM_OK) status = emit_bits(o, tensor->n_dims, 4);
        for (uint32_t d = 0; d < tensor->n_dims && status == LM_OK; d++)
            status = emit_bits(o, (uint64_t)tensor->dims[d], 8);
        if (status == LM_OK) status = emit_bits(o, (uint64_t)tensor->dtype, 4);
        if (status == LM_OK) status = emit_bits(o, offset, 8);
        lm_u64_align(offset + tensor->bytes, writer->alignment,
                     &offset); /* lm_gguf_writer_file_bytes has checked the sum */
    }
    return status;
}

bool lm_gguf_writer_file_bytes(const lm_gguf_writer *writer, uint64_t *bytes) {
    uint64_t total = 24;
    for (size_t i = 0; i < writer->entries.count; i++) {
        const lm_gguf_entry *entry = &writer->entries.data[i];
        if (entry->value && !lm_u64_add(total, 8 + (uint64_t)entry->key_size + entry->value_size, &total)) return false;
    }
    for (size_t i = 0; i < writer->tensors.count; i++)
        if (!lm_u64_add(total, 24 + writer->tensors.data[i]->name_size + 8u * writer->tensors.data[i]->n_dims, &total))
            return false;
    if (writer->tensors.count > 0 && !lm_u64_align(total, writer->alignment, &total)) return false;
    for (size_t i = 0; i < writer->tensors.count; i++)
        if (!lm_u64_add(total, writer->tensors.data[i]->bytes, &total) ||
            !lm_u64_align(total, writer->alignment, &total))
            return false;
    *bytes = total;
    return total <= (uint64_t)INT64_MAX;
}

/* The sink a tensor source writes to: passes bytes on while they belong to the tensor. */
typedef struct tensor_output {
    output *out;
    uint64_t left;
    bool is_over; /* more came than the tensor has */
} tensor_output;

static lm_status emit_tensor_bytes(void *user, const void *bytes, size_t n) {
    tensor_output *t = user;
    if (n > t->left) {
        t->is_over = true;
        return LM_ERR_ARGUMENT;
    }
    t->left -= n;
    return emit(t->out, bytes, n);
}

lm_status lm_gguf_writer_write(const lm_gguf_writer *writer, const lm_gguf_sink *sink, void *source_user,
                               lm_gguf_tensor_source *source, lm_error *error) {
    uint64_t total;
    output o = {.sink = sink};
    if (!lm_gguf_writer_file_bytes(writer, &total))
        return lm_error_set(error, LM_ERR_LIMIT, "the file would be too large");
    lm_status status = emit_directory(writer, &o);
    if (status == LM_OK && writer->tensors.count > 0) status = emit_padding(&o, writer->alignment);
    for (size_t i = 0; i < writer->tensors.count && status == LM_OK; i++) {
        const lm_gguf_planned *tensor = writer->tensors.data[i];
        tensor_output t = {&o, tensor->bytes, false};
        lm_gguf_sink tensor_sink = {&t, emit_tensor_bytes};
        status = source(source_user, i, &tensor_sink);
        if (t.is_over || (status == LM_OK && t.left > 0))
            return lm_error_set(error, LM_ERR_ARGUMENT, "tensor %s: its source gave %s than its %llu bytes",
                                tensor->name, t.is_over ? "more" : "less", (unsigned long long)tensor->bytes);
        if (status == LM_OK) status = emit_padding(&o, writer->alignment);
    }
    if (status == LM_OK) status = flush(&o);
    if (status != LM_OK)
        return lm_error_set(error, status, "writing failed after %llu bytes", (unsigned long long)o.at);
    return LM_OK;
}
