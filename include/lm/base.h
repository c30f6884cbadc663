/* SPDX-License-Identifier: MIT */
/**
 * What every other header of liblm needs: linkage, status codes, the error record, the allocator and the log.
 *
 *     lm_error error;
 *     lm_model *model;
 *     if (lm_model_open("model.gguf", NULL, &model, &error) != LM_OK)
 *         fprintf(stderr, "%s: %s\n", lm_status_name(error.status), error.message);
 *
 * The library never prints, exits, reads the environment or keeps mutable globals: everything it has to say arrives
 * through a status, an lm_error, a message of the failing object, or the host's log function. A call that fails leaves its
 * results (*out and the like) as they were, unless it says otherwise.
 */
#ifndef LM_BASE_H
#define LM_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "version.h"

#ifdef __cplusplus
#define LM_BEGIN_DECLS extern "C" {
#define LM_END_DECLS }
#else
#define LM_BEGIN_DECLS
#define LM_END_DECLS
#endif

/* LM_API marks the exported names. Define LM_STATIC when linking the static library on Windows. */
#if defined(_WIN32) && !defined(LM_STATIC)
#ifdef LM_BUILDING
#define LM_API __declspec(dllexport)
#else
#define LM_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define LM_API __attribute__((visibility("default")))
#else
#define LM_API
#endif

LM_BEGIN_DECLS

/** A token id in [0, n_vocab), or LM_TOKEN_NONE. */
typedef int32_t lm_token;
#define LM_TOKEN_NONE ((lm_token) - 1)

/** How the rows of a text become one vector. */
typedef enum lm_pooling {
    LM_POOLING_DEFAULT = -1, /* what the file says; without a word, MEAN for encoders and LAST for others */
    LM_POOLING_NONE = 0,     /* they do not: one vector per token */
    LM_POOLING_MEAN = 1,
    LM_POOLING_CLS = 2,      /* the first token's */
    LM_POOLING_LAST = 3,
    LM_POOLING_RANK = 4      /* the classifier's scores of the first (encoders) or last token */
} lm_pooling;

/** How a call ended. Numbers are never reused or renumbered; new ones are added at the end. */
typedef enum lm_status {
    LM_OK = 0,
    LM_ERR_MEMORY = 1,      /* the allocator returned NULL, or the byte budget is exhausted */
    LM_ERR_ARGUMENT = 2,    /* a parameter is not allowed (NULL, unknown enum value, bad struct_size) */
    LM_ERR_RANGE = 3,       /* a number is outside its range (token id, sequence id, position) */
    LM_ERR_IO = 4,          /* the operating system refused to open, read, map or write */
    LM_ERR_FORMAT = 5,      /* a file, template, grammar or schema is malformed */
    LM_ERR_UNSUPPORTED = 6, /* well formed, but this build does not implement it (architecture, tensor type, keyword) */
    LM_ERR_FULL = 7,        /* a fixed capacity is used up (context length, sequences, cache pages, output buffer) */
    LM_ERR_CANCELLED = 8,   /* lm_context_cancel stopped the work */
    LM_ERR_STATE = 9,       /* the call does not fit the object's state (no logits yet, sequence closed) */
    LM_ERR_NOT_FOUND = 10,  /* no such file, key, tensor or name */
    LM_ERR_LIMIT = 11,      /* input exceeds a documented bound (depth, steps, output size) */
    LM_ERR_MISMATCH = 12,   /* two things do not belong together (saved state and model, adapter and model) */
    LM_ERR_DEVICE = 13,     /* a backend failed */
    LM_ERR_RAISED = 14      /* a template called raise_exception; the message is its text */
} lm_status;

/** The name of a status as written above without the prefix, e.g. "FORMAT"; "UNKNOWN" for other values. Static string. Since 0.1 */
LM_API const char *lm_status_name(int32_t status);

/**
 * Why an opener or a parser failed. Owned by the caller, may be passed as NULL; written only on failure, and then whole.
 * The layout is frozen.
 */
typedef struct lm_error {
    int32_t status;    /* an lm_status */
    int32_t line;      /* 1-based line of a text input, 0 when there is none */
    uint64_t offset;   /* byte offset in the input, UINT64_MAX when there is none */
    char message[496]; /* one sentence naming the thing, one line, NUL-terminated UTF-8 */
} lm_error;

/**
 * The host's memory. Both functions may be called from any thread that calls into liblm.
 *
 *   alloc   size bytes, never 0, at an address that is a multiple of align (a power of two), or NULL
 *   free    gives back what alloc returned, with the same size and align; pointer is never NULL
 *
 * When the parameter struct that holds it has alloc == NULL, the C library's heap is used, and so it is with free == NULL.
 */
typedef struct lm_allocator {
    void *user;
    void *(*alloc)(void *user, size_t size, size_t align);
    void (*free)(void *user, void *pointer, size_t size, size_t align);
} lm_allocator;

/** What kind of line is logged. */
typedef enum lm_log_level {
    LM_LOG_LEVEL_ERROR = 1,
    LM_LOG_LEVEL_WARNING = 2,
    LM_LOG_LEVEL_INFO = 3,
    LM_LOG_LEVEL_DEBUG = 4
} lm_log_level;

/** The host's log. write may be NULL: nothing is logged. message is one line without a line feed, valid during the call. */
typedef struct lm_log {
    void *user;
    void (*write)(void *user, int32_t level, const char *message);
} lm_log;

LM_END_DECLS
#endif
