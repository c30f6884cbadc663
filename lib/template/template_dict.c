/* SPDX-License-Identifier: MIT
 * Dictionaries that keep the order of insertion: an array of entries, and a hash index once there are more than a few.
 * The hash is not secret, so collisions can be made on purpose; every probe is charged, which bounds what they cost. */
#include <string.h>

#include "template_interp.h"

#define SMALL 8

static bool hash_bytes(const char *bytes, size_t n, uint32_t *hash) {
    for (size_t i = 0; i < n; i++) *hash = (*hash ^ (unsigned char)bytes[i]) * 16777619u;
    return true;
}

/* Equal keys hash alike: 1, 1.0 and true are one key. */
static bool hash_key(lm_interp *interp, const lm_variant *key, uint32_t *hash) {
    switch ((lm_variant_kind)key->kind) {
    case LM_VARIANT_NONE: return hash_bytes("none", 4, hash);
    case LM_VARIANT_BOOL:
    case LM_VARIANT_INT:
    case LM_VARIANT_FLOAT: {
        double number = lm_variant_as_double(key);
        if (number == 0) number = 0; /* -0.0 */
        return hash_bytes((const char *)&number, sizeof number, hash);
    }
    case LM_VARIANT_STRING:
        return lm_interp_charge(interp, key->as.text->n / 16) && hash_bytes(key->as.text->bytes, key->as.text->n, hash);
    case LM_VARIANT_TUPLE:
        if (!lm_interp_enter(interp)) return false;
        for (size_t i = 0; i < key->as.sequence->count; i++)
            if (!hash_key(interp, &key->as.sequence->items[i], hash)) return false;
        interp->depth--;
        return true;
    case LM_VARIANT_UNDEFINED: return hash_bytes("undefined", 9, hash);
    default: return lm_interp_fail(interp, "unhashable type: '%s'", lm_variant_type(key));
    }
}

lm_dict *lm_dict_new(lm_interp *interp) {
    lm_dict *dict = lm_interp_alloc_array(interp, 1, sizeof *dict);
    if (dict) dict->item = -1;
    return dict;
}

static bool same_key(lm_interp *interp, const lm_dict_entry *entry, const lm_variant *key, uint32_t hash, bool *same) {
    *same = false;
    return entry->hash != hash || lm_variant_equal(interp, &entry->key, key, same);
}

/* The entry of a key: its number, or SIZE_MAX. */
static bool find(lm_interp *interp, const lm_dict *dict, const lm_variant *key, uint32_t hash, size_t *out) {
    bool same;
    *out = SIZE_MAX;
    if (!dict->index) {
        for (size_t i = 0; i < dict->count; i++) {
            if (!same_key(interp, &dict->entries[i], key, hash, &same)) return false;
            if (!same) continue;
            *out = i;
            return true;
        }
        return true;
    }
    for (size_t i = hash & (dict->index_size - 1);; i = (i + 1) & (dict->index_size - 1)) {
        uint32_t entry = dict->index[i];
        if (entry == 0) return true;
        if (!lm_interp_charge(interp, 1) || !same_key(interp, &dict->entries[entry - 1], key, hash, &same))
            return false;
        if (!same) continue;
        *out = entry - 1;
        return true;
    }
}

static void index_entry(lm_dict *dict, size_t entry) {
    size_t i = dict->entries[entry].hash & (dict->index_size - 1);
    while (dict->index[i]) i = (i + 1) & (dict->index_size - 1);
    dict->index[i] = (uint32_t)entry + 1;
}

static bool rebuild_index(lm_interp *interp, lm_dict *dict) {
    if (dict->capacity <= SMALL) return true;
    if (!lm_interp_charge(interp, dict->count)) return false;
    if (dict->index_size < dict->capacity * 2) {
        dict->index = lm_interp_alloc_array(interp, dict->capacity * 2, sizeof *dict->index);
        if (!dict->index) return false;
        dict->index_size = dict->capacity * 2;
    } else {
        memset(dict->index, 0, dict->index_size * sizeof *dict->index);
    }
    for (size_t i = 0; i < dict->count; i++) index_entry(dict, i);
    return true;
}

bool lm_dict_set(lm_interp *interp, lm_dict *dict, const lm_variant *key, const lm_variant *value) {
    uint32_t hash = 2166136261u;
    size_t entry;
    if (!hash_key(interp, key, &hash) || !find(interp, dict, key, hash, &entry)) return false;
    if (entry != SIZE_MAX) {
        dict->entries[entry].value = *value;
        return true;
    }
    if (dict->count == dict->capacity) {
        size_t capacity = dict->capacity ? dict->capacity * 2 : SMALL / 2;
        lm_dict_entry *entries = lm_interp_alloc_array(interp, capacity, sizeof *entries);
        if (!entries) return false;
        if (dict->count) memcpy(entries, dict->entries, dict->count * sizeof *entries);
        dict->entries = entries;
        dict->capacity = capacity;
        if (!rebuild_index(interp, dict)) return false;
    }
    dict->entries[dict->count++] = (lm_dict_entry){*key, *value, hash};
    if (dict->index) index_entry(dict, dict->count - 1);
    return true;
}

bool lm_dict_set_text(lm_interp *interp, lm_dict *dict, const lm_text *key, const lm_variant *value) {
    lm_variant key_value = lm_variant_text(key);
    return lm_dict_set(interp, dict, &key_value, value);
}

lm_variant *lm_dict_get(lm_interp *interp, const lm_dict *dict, const lm_variant *key, bool *failed) {
    uint32_t hash = 2166136261u;
    size_t entry;
    *failed = !hash_key(interp, key, &hash) || !find(interp, dict, key, hash, &entry);
    return *failed || entry == SIZE_MAX ? NULL : &dict->entries[entry].value;
}

lm_variant *lm_dict_get_text(lm_interp *interp, const lm_dict *dict, const lm_text *key, bool *failed) {
    lm_variant key_value = lm_variant_text(key);
    return lm_dict_get(interp, dict, &key_value, failed);
}

bool lm_dict_remove(lm_interp *interp, lm_dict *dict, const lm_variant *key, lm_variant *out, bool *found) {
    uint32_t hash = 2166136261u;
    size_t entry;
    if (!hash_key(interp, key, &hash) || !find(interp, dict, key, hash, &entry)) return false;
    *found = entry != SIZE_MAX;
    if (!*found) return true;
    *out = dict->entries[entry].value;
    memmove(dict->entries + entry, dict->entries + entry + 1, (dict->count - entry - 1) * sizeof *dict->entries);
    dict->count--;
    return rebuild_index(interp, dict);
}
