/* SPDX-License-Identifier: MIT
 * Open addressing with linear probing, at most two thirds full: a look-up that hits reads two slots on average, one that
 * misses five, and neighbours share cache lines. */
#include "map.h"

#include <string.h>

#include "checked.h"
#include "hash.h"

#define FEWEST_SLOTS ((size_t)16)

void lm_map_init(lm_map *map, const lm_env *env, uint64_t seed) { *map = (lm_map){env, NULL, 0, 0, seed}; }

void lm_map_free(lm_map *map) {
    lm_free(map->env, map->slots, lm_map_bytes(map));
    lm_map_init(map, map->env, map->seed);
}

/* The slot of a key, or the empty slot where it belongs. The table has an empty slot. */
static lm_map_slot *find(const lm_map *map, const void *key, size_t size, uint64_t hash) {
    size_t mask = map->n_slots - 1;
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        lm_map_slot *slot = &map->slots[i];
        if (!slot->key) return slot;
        if (slot->hash == (uint32_t)(hash >> 32) && slot->size == size && memcmp(slot->key, key, size) == 0)
            return slot;
    }
}

static lm_status resize(lm_map *map, size_t n_slots) {
    lm_map grown = *map;
    grown.slots = lm_alloc_array(map->env, n_slots, sizeof *grown.slots);
    if (!grown.slots) return LM_ERR_MEMORY;
    grown.n_slots = n_slots;
    grown.seed = map->seed ^ lm_hash(&grown.slots, sizeof grown.slots, (uintptr_t)map);
    for (size_t i = 0; i < map->n_slots; i++) {
        const lm_map_slot *old = &map->slots[i];
        if (!old->key) continue;
        uint64_t hash = lm_hash(old->key, old->size, grown.seed);
        lm_map_slot *slot = find(&grown, old->key, old->size, hash);
        *slot = (lm_map_slot){old->key, old->size, (uint32_t)(hash >> 32), old->value};
    }
    lm_free(map->env, map->slots, lm_map_bytes(map));
    *map = grown;
    return LM_OK;
}

lm_status lm_map_reserve(lm_map *map, size_t count) {
    size_t n_slots = lm_size_max(map->n_slots, FEWEST_SLOTS);
    if (count > SIZE_MAX / 4) return LM_ERR_MEMORY;
    while (n_slots - n_slots / 3 < count + 1) n_slots *= 2;
    return n_slots == map->n_slots ? LM_OK : resize(map, n_slots);
}

static lm_status insert(lm_map *map, const void *key, size_t size, int32_t value, bool replace, bool *added) {
    lm_status status = lm_map_reserve(map, map->count + 1);
    if (status != LM_OK) return status;
    uint64_t hash = lm_hash(key, size, map->seed);
    lm_map_slot *slot = find(map, key, size, hash);
    bool is_new = !slot->key;
    if (is_new) {
        *slot = (lm_map_slot){size ? key : "", size, (uint32_t)(hash >> 32), value};
        map->count++;
    } else if (replace) {
        slot->value = value;
    }
    if (added) *added = is_new;
    return LM_OK;
}

lm_status lm_map_put(lm_map *map, const void *key, size_t size, int32_t value) {
    return insert(map, key, size, value, true, NULL);
}

lm_status lm_map_add(lm_map *map, const void *key, size_t size, int32_t value, bool *added) {
    return insert(map, key, size, value, false, added);
}

bool lm_map_get(const lm_map *map, const void *key, size_t size, int32_t *value) {
    if (map->count == 0) return false;
    const lm_map_slot *slot = find(map, key, size, lm_hash(key, size, map->seed));
    if (!slot->key) return false;
    *value = slot->value;
    return true;
}
