/* SPDX-License-Identifier: MIT
 * The environment of a call: the host's allocator and log, passed down by pointer so that the library needs no globals.
 * Every allocation in lib/ goes through lm_alloc and lm_free; freeing needs the size that was asked for. */
#ifndef LM_BASE_ENV_H
#define LM_BASE_ENV_H

#include <lm/base.h>

#define LM_ALIGN_DEFAULT ((size_t)16)
#define LM_ALIGN_CACHE ((size_t)64) /* a cache line; also the widest vector */

typedef struct lm_env {
    lm_allocator allocator; /* both functions set */
    lm_log log;             /* write may be NULL */
} lm_env;

/* Fill env; either pointer may be NULL, and an allocator without functions means the C heap. */
void lm_env_init(lm_env *env, const lm_allocator *allocator, const lm_log *log);

/* size 0 gives a valid pointer to free with size 0, without asking the host. NULL when out of memory. */
void *lm_alloc(const lm_env *env, size_t size);
void *lm_alloc_aligned(const lm_env *env, size_t size, size_t align);
void *lm_alloc_zeroed(const lm_env *env, size_t size);
/* count * size bytes, NULL on overflow too. Zeroed. Free with count * size. */
void *lm_alloc_array(const lm_env *env, size_t count, size_t size);
/* pointer may be NULL. */
void lm_free(const lm_env *env, void *pointer, size_t size);
void lm_free_aligned(const lm_env *env, void *pointer, size_t size, size_t align);
/* A block of new_size whose start holds the old bytes; on failure NULL, and the old block is untouched. */
void *lm_resize(const lm_env *env, void *pointer, size_t old_size, size_t new_size);

/* One log line, formatted by lm_format (format.h). */
void lm_log_write(const lm_env *env, lm_log_level level, const char *format, ...);

#endif
