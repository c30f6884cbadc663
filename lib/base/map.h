/* SPDX-License-Identifier: MIT
 * A hash table from byte strings to int32: vocabularies, names. Keys are borrowed, not copied; look-ups allocate nothing
 * and may run in many threads at once while nobody changes the table. Entries cannot be removed one by one.
 *
 * Names may come from a hostile file. The hash is keyed (hash.h) by the caller's seed and by addresses that differ from run
 * to run where the system randomises them, so a file cannot be made to fill one chain. Results never depend on the seed. */
#ifndef LM_BASE_MAP_H
#define LM_BASE_MAP_H

#include <stdbool.h>

#include "env.h"

typedef struct lm_map_slot {
    const char *key; /* NULL: an empty slot */
    size_t size;     /* bytes at key */
    uint32_t hash;   /* the upper half of the key's hash: most different keys end here */
    int32_t value;
} lm_map_slot;

typedef struct lm_map {
    const lm_env *env; /* borrowed */
    lm_map_slot *slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t count;   /* keys in the table */
    uint64_t seed;
} lm_map;

/* Takes no memory yet. */
void lm_map_init(lm_map *map, const lm_env *env, uint64_t seed);
void lm_map_free(lm_map *map);

/* Make room for count keys in all. LM_OK, or LM_ERR_MEMORY with the table as it was. */
lm_status lm_map_reserve(lm_map *map, size_t count);

/* Set the value of a key, new or not. The bytes at key must stay while the table lives. LM_OK, or LM_ERR_MEMORY with the
 * table as it was. */
lm_status lm_map_put(lm_map *map, const void *key, size_t size, int32_t value);
/* The same, but a key that is there keeps its value. *added (may be NULL) tells which. */
lm_status lm_map_add(lm_map *map, const void *key, size_t size, int32_t value, bool *added);

/* True and the value, or false with *value untouched. */
bool lm_map_get(const lm_map *map, const void *key, size_t size, int32_t *value);

/* Bytes taken from the allocator. */
static inline size_t lm_map_bytes(const lm_map *map) { return map->n_slots * sizeof(lm_map_slot); }

#endif
