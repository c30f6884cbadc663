/* SPDX-License-Identifier: MIT
 * A bump arena: many small allocations that live and die together. Memory comes from lm_env in chunks of growing size;
 * single pieces are never given back. The bytes taken from the allocator are counted exactly and obey a limit. */
#ifndef LM_BASE_ARENA_H
#define LM_BASE_ARENA_H

#include "env.h"

#define LM_ARENA_UNLIMITED SIZE_MAX

typedef struct lm_arena_chunk lm_arena_chunk;

typedef struct lm_arena {
    const lm_env *env;      /* borrowed */
    lm_arena_chunk *chunks; /* the one in use first */
    size_t bytes;           /* taken from the allocator now, headers included */
    size_t limit;           /* bytes never exceeds it */
} lm_arena;

/* Takes no memory yet. limit_bytes may be LM_ARENA_UNLIMITED. */
void lm_arena_init(lm_arena *arena, const lm_env *env, size_t limit_bytes);
/* Give everything back; the arena can be used again. A zeroed arena may be freed too. */
void lm_arena_free(lm_arena *arena);
/* Forget all pieces but keep the largest chunk for reuse. */
void lm_arena_reset(lm_arena *arena);

/* Make sure that size bytes of pieces can follow without asking the allocator (alignment gaps not counted). */
lm_status lm_arena_reserve(lm_arena *arena, size_t size);

/* Uninitialised memory aligned to LM_ALIGN_DEFAULT, or NULL: out of memory, or the limit would be exceeded. */
void *lm_arena_alloc(lm_arena *arena, size_t size);
/* align: a power of two up to LM_ALIGN_CACHE. */
void *lm_arena_alloc_aligned(lm_arena *arena, size_t size, size_t align);
/* count * size zeroed bytes; NULL on overflow too. */
void *lm_arena_alloc_array(lm_arena *arena, size_t count, size_t size);
/* A copy of n bytes with a NUL after them. */
char *lm_arena_copy(lm_arena *arena, const void *bytes, size_t n);

#endif
