/* SPDX-License-Identifier: MIT
 * What the vocabulary tests share: opening a file as a vocabulary, and reading number lists out of the reference files
 * without a full JSON tree. */
#ifndef LM_TESTS_VOCAB_FILES_H
#define LM_TESTS_VOCAB_FILES_H

#include "counting.h"

#include "gguf/gguf.h"
#include "vocab/vocab.h"

/* A vocabulary with the file it reads from. */
typedef struct opened {
    char *bytes;
    lm_gguf *gguf;
    lm_vocab *vocab;
    lm_vocab_scratch *scratch;
} opened;

static inline lm_status try_open(const lm_env *env, char *bytes, size_t size, opened *o, lm_error *error) {
    lm_gguf_part part = {bytes, size, size};
    *o = (opened){bytes, NULL, NULL, NULL};
    lm_status status = lm_gguf_open(env, &part, NULL, &o->gguf, error);
    if (status == LM_OK) status = lm_vocab_open(env, o->gguf, &o->vocab, error);
    if (status == LM_OK) status = lm_vocab_scratch_create(o->vocab, &o->scratch);
    return status;
}

static inline void close_opened(opened *o) {
    lm_vocab_scratch_destroy(o->scratch);
    lm_vocab_close(o->vocab);
    lm_gguf_close(o->gguf);
    free(o->bytes);
}

static inline opened open_bytes(const lm_env *env, char *bytes, size_t size) {
    opened o;
    lm_error error = {0};
    if (try_open(env, bytes, size, &o, &error) != LM_OK) fail_msg("cannot open: %s", error.message);
    return o;
}

static inline opened open_shared(const lm_env *env, const char *name) {
    size_t size = 0;
    char *bytes = test_read_shared(name, &size);
    return open_bytes(env, bytes, size);
}

static inline opened open_golden(const lm_env *env, const char *name) {
    char path[1024];
    size_t size = 0;
    assert_true(test_path("LM_GOLDEN", name, path, sizeof path));
    char *bytes = test_read(path, &size);
    assert_non_null(bytes);
    return open_bytes(env, bytes, size);
}

/* Tokens of a text, from malloc. */
static inline lm_token *encode(const opened *o, const char *text, size_t n, uint32_t flags, size_t *count) {
    lm_token *tokens = malloc((n + 16) * 4 * sizeof *tokens);
    assert_int_equal(lm_vocab_encode(o->vocab, o->scratch, text, n, flags, tokens, (n + 16) * 4, count), LM_OK);
    assert_true(*count <= (n + 16) * 4);
    return tokens;
}

static inline void expect_tokens(const lm_token *got, size_t n_got, const lm_token *want, size_t n_want,
                                 const char *what) {
    for (size_t i = 0; i < n_got && i < n_want; i++)
        if (got[i] != want[i]) fail_msg("%s: token %zu is %d, expected %d", what, i, got[i], want[i]);
    if (n_got != n_want) fail_msg("%s: %zu tokens, expected %zu", what, n_got, n_want);
}

static inline int hex_value(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* The bytes written as hex between the next two quotes, decoded in place; *at moves behind them. */
static inline char *read_hex(const char **at, size_t *n) {
    char *start = strchr(*at, '"') + 1, *p = start;
    for (*n = 0; *p != '"'; p += 2) start[(*n)++] = (char)(hex_value(p[0]) << 4 | hex_value(p[1]));
    *at = p + 1;
    return start;
}

/* The numbers up to the next ']' or line end; returns their number and moves *at behind them. */
static inline size_t read_numbers(const char **at, char end, lm_token *out, size_t capacity) {
    size_t n = 0;
    const char *p = *at;
    while (*p && *p != end) {
        if (*p >= '0' && *p <= '9') {
            assert_true(n < capacity);
            lm_token value = 0;
            while (*p >= '0' && *p <= '9') value = value * 10 + (*p++ - '0');
            out[n++] = value;
        } else {
            p++;
        }
    }
    *at = p;
    return n;
}

#endif
