/* SPDX-License-Identifier: MIT
 * Raw GGUF bytes for tests: puts down whatever it is told, right or wrong. */
#ifndef LM_TESTS_GGUF_BUILD_H
#define LM_TESTS_GGUF_BUILD_H

#include "check.h"

#include "gguf/gguf.h"

typedef struct build {
    uint8_t bytes[1 << 14];
    size_t size;
} build;

static inline void put(build *b, uint64_t value, size_t n) {
    assert_true(b->size + n <= sizeof b->bytes);
    for (size_t i = 0; i < n; i++) b->bytes[b->size++] = i < 8 ? (uint8_t)(value >> 8 * i) : 0;
}

static inline void put_string_n(build *b, const char *text, size_t n) {
    put(b, n, 8);
    for (size_t i = 0; i < n; i++) put(b, (uint8_t)text[i], 1);
}

static inline void put_string(build *b, const char *text) { put_string_n(b, text, strlen(text)); }

static inline void put_header(build *b, uint32_t version, uint64_t n_tensors, uint64_t n_values) {
    b->size = 0;
    memcpy(b->bytes, "GGUF", 4);
    b->size = 4;
    put(b, version, 4);
    put(b, n_tensors, 8);
    put(b, n_values, 8);
}

static inline void put_key(build *b, const char *key, uint32_t type) {
    put_string(b, key);
    put(b, type, 4);
}

static inline void put_u32(build *b, const char *key, uint32_t value) {
    put_key(b, key, LM_GGUF_U32);
    put(b, value, 4);
}

static inline void put_tensor(build *b, const char *name, uint32_t n_dims, const int64_t *dims, uint32_t type,
                              uint64_t offset) {
    put_string(b, name);
    put(b, n_dims, 4);
    for (uint32_t i = 0; i < n_dims; i++) put(b, (uint64_t)dims[i], 8);
    put(b, type, 4);
    put(b, offset, 8);
}

static inline void pad(build *b, size_t align) {
    while (b->size % align) put(b, 0, 1);
}

#endif
