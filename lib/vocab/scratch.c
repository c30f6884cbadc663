/* SPDX-License-Identifier: MIT
 * Working memory of encoding: arrays that grow by doubling, and a cache of short pieces. The cache is direct-mapped: a
 * piece has one slot, and a newcomer takes it over. */
#include "vocab_internal.h"

#include "../base/utf8.h"

#define CACHE_MIN_TEXT 512
#define CACHE_MAX_SLOTS 16384u

lm_status lm_vocab_scratch_create(const lm_vocab *vocab, lm_vocab_scratch **out) {
    lm_vocab_scratch *scratch = lm_alloc_zeroed(&vocab->env, sizeof *scratch);
    if (!scratch) return LM_ERR_MEMORY;
    scratch->env = vocab->env;
    *out = scratch;
    return LM_OK;
}

void lm_vocab_scratch_destroy(lm_vocab_scratch *scratch) {
    if (!scratch) return;
    lm_env env = scratch->env;
    lm_array_free(&env, &scratch->text);
    lm_array_free(&env, &scratch->parts);
    lm_array_free(&env, &scratch->links);
    lm_array_free(&env, &scratch->heap);
    lm_array_free(&env, &scratch->steps);
    if (scratch->cache) lm_free(&env, scratch->cache, scratch->n_cache * sizeof *scratch->cache);
    lm_free(&env, scratch, sizeof *scratch);
}

lm_status lm_cache_prepare(lm_vocab_scratch *scratch, size_t n) {
    if (n < CACHE_MIN_TEXT) return LM_OK;
    uint32_t wanted = 64;
    while (wanted < CACHE_MAX_SLOTS && wanted < n / 16) wanted *= 2;
    if (wanted <= scratch->n_cache) return LM_OK;
    lm_cache_slot *cache = lm_alloc_array(&scratch->env, wanted, sizeof *cache);
    if (!cache) return LM_ERR_MEMORY;
    if (scratch->cache) lm_free(&scratch->env, scratch->cache, scratch->n_cache * sizeof *scratch->cache);
    scratch->cache = cache;
    scratch->n_cache = wanted;
    return LM_OK;
}

lm_cache_slot *lm_cache_slot_of(const lm_vocab_scratch *scratch, const uint8_t *piece, size_t n, bool *known) {
    *known = false;
    if (n > LM_CACHE_KEY || !scratch->cache) return NULL;
    lm_cache_slot *slot = &scratch->cache[lm_text_hash(piece, n) & (scratch->n_cache - 1)];
    *known = slot->size == n && memcmp(slot->key, piece, n) == 0;
    return slot;
}

void lm_cache_store(lm_cache_slot *slot, const uint8_t *piece, size_t n, const lm_vocab_sink *sink) {
    size_t n_ids = sink->count - sink->recent_start;
    if (!slot || n_ids > LM_CACHE_IDS) return;
    slot->size = (uint8_t)n;
    slot->n_ids = (uint8_t)n_ids;
    memcpy(slot->key, piece, n);
    memcpy(slot->ids, sink->recent, n_ids * sizeof *slot->ids);
}

lm_status lm_vocab_repair(lm_vocab_scratch *scratch, bool escape_spaces, const uint8_t **text, size_t *n) {
    size_t valid = lm_utf8_valid_prefix((const char *)*text, *n);
    if (valid == *n && (!escape_spaces || !memchr(*text, ' ', *n))) return LM_OK;
    const uint8_t *p = *text, *end = p + *n;
    scratch->text.count = 0;
    if (!lm_array_reserve(&scratch->env, &scratch->text, 3 * *n))
        return LM_ERR_MEMORY; /* each byte becomes at most three */
    uint8_t *out = scratch->text.data;
    while (p < end) {
        uint32_t cp;
        size_t size = lm_utf8_decode((const char *)p, (size_t)(end - p), &cp);
        if (escape_spaces && *p == ' ') {
            memcpy(out, "\xE2\x96\x81", 3);
            out += 3, p++;
        } else if (size == 0) {
            memcpy(out, "\xEF\xBF\xBD", 3);
            out += 3, p++;
        } else {
            memcpy(out, p, size);
            out += size, p += size;
        }
    }
    *text = scratch->text.data;
    *n = (size_t)(out - scratch->text.data);
    return LM_OK;
}
