/* SPDX-License-Identifier: MIT
 * The bump arena. A piece that does not fit opens a chunk twice as large as the last one, so n bytes of pieces cost
 * O(log n) allocations; a piece larger than that gets a chunk of its own behind the one in use, whose rest stays usable. */
#include "arena.h"

#include <stdbool.h>
#include <string.h>

#include "checked.h"

#define FIRST_CHUNK ((size_t)4096)
#define LARGEST_CHUNK ((size_t)1 << 20) /* past this, doubling would waste more than the calls it saves */

struct lm_arena_chunk {
    lm_arena_chunk *next;
    size_t size; /* bytes of the allocation, this header included */
    size_t used; /* bytes handed out, this header included */
};

/* The first piece of a chunk starts here. */
#define HEADER ((sizeof(lm_arena_chunk) + LM_ALIGN_DEFAULT - 1) / LM_ALIGN_DEFAULT * LM_ALIGN_DEFAULT)

void lm_arena_init(lm_arena *arena, const lm_env *env, size_t limit_bytes) {
    *arena = (lm_arena){env, NULL, 0, limit_bytes};
}

static void free_chunks(lm_arena *arena, const lm_arena_chunk *keep) {
    lm_arena_chunk *chunk = arena->chunks;
    while (chunk) {
        lm_arena_chunk *next = chunk->next;
        if (chunk != keep) {
            arena->bytes -= chunk->size;
            lm_free_aligned(arena->env, chunk, chunk->size, LM_ALIGN_CACHE);
        }
        chunk = next;
    }
}

void lm_arena_free(lm_arena *arena) {
    free_chunks(arena, NULL);
    arena->chunks = NULL;
}

void lm_arena_reset(lm_arena *arena) {
    lm_arena_chunk *largest = arena->chunks;
    for (lm_arena_chunk *chunk = largest; chunk; chunk = chunk->next)
        if (chunk->size > largest->size) largest = chunk;
    free_chunks(arena, largest);
    if (largest) {
        largest->next = NULL;
        largest->used = HEADER;
    }
    arena->chunks = largest;
}

static lm_arena_chunk *add_chunk(lm_arena *arena, size_t size) {
    if (size > arena->limit - arena->bytes) return NULL;
    lm_arena_chunk *chunk = lm_alloc_aligned(arena->env, size, LM_ALIGN_CACHE);
    if (!chunk) return NULL;
    *chunk = (lm_arena_chunk){NULL, size, HEADER};
    arena->bytes += size;
    return chunk;
}

/* A chunk with at least needed bytes (header included): the wanted size, or just what is needed where the limit is near. */
static lm_arena_chunk *grow(lm_arena *arena, size_t needed) {
    size_t size = arena->chunks ? lm_size_min(arena->chunks->size * 2, LARGEST_CHUNK) : FIRST_CHUNK;
    bool own = arena->chunks && needed > size;
    if (needed > size || size > arena->limit - arena->bytes) size = needed;
    lm_arena_chunk *chunk = add_chunk(arena, size);
    if (!chunk) return NULL;
    if (own) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    return chunk;
}

/* The start of the next piece in a chunk; chunks are aligned to LM_ALIGN_CACHE, so offsets and addresses align alike. */
static void *take(lm_arena_chunk *chunk, size_t size, size_t align) {
    size_t start = lm_align_up(chunk->used, align);
    if (start > chunk->size || size > chunk->size - start) return NULL;
    chunk->used = start + size;
    return (char *)chunk + start;
}

lm_status lm_arena_reserve(lm_arena *arena, size_t size) {
    size_t needed;
    if (arena->chunks && size <= arena->chunks->size - arena->chunks->used) return LM_OK;
    if (!lm_size_add(size, HEADER, &needed)) return LM_ERR_MEMORY;
    lm_arena_chunk *chunk = add_chunk(arena, needed);
    if (!chunk) return LM_ERR_MEMORY;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return LM_OK;
}

void *lm_arena_alloc_aligned(lm_arena *arena, size_t size, size_t align) {
    void *piece = arena->chunks ? take(arena->chunks, size, align) : NULL;
    size_t needed;
    if (piece) return piece;
    if (!lm_size_add(size, lm_align_up(HEADER, align), &needed)) return NULL;
    lm_arena_chunk *chunk = grow(arena, needed);
    return chunk ? take(chunk, size, align) : NULL;
}

void *lm_arena_alloc(lm_arena *arena, size_t size) { return lm_arena_alloc_aligned(arena, size, LM_ALIGN_DEFAULT); }

void *lm_arena_alloc_array(lm_arena *arena, size_t count, size_t size) {
    size_t bytes;
    void *piece = lm_size_mul(count, size, &bytes) ? lm_arena_alloc(arena, bytes) : NULL;
    if (piece) memset(piece, 0, bytes);
    return piece;
}

char *lm_arena_copy(lm_arena *arena, const void *bytes, size_t n) {
    char *copy = n < SIZE_MAX ? lm_arena_alloc_aligned(arena, n + 1, 1) : NULL;
    if (!copy) return NULL;
    if (n) memcpy(copy, bytes, n);
    copy[n] = '\0';
    return copy;
}
