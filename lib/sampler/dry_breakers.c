/* SPDX-License-Identifier: MIT
 * One pass over the vocabulary per breaker: tokens that contain the breaker's text are breakers by themselves; tokens that
 * end with a proper prefix of it are heads, and the rest of the text, tokenised, is the tail. */
#include "dry_breakers.h"

#include <string.h>

#include "../base/array.h"
#include "../base/format.h"

#define MAX_TEXT ((size_t)40) /* bytes of a breaker that count */
#define MAX_TAIL ((size_t)20) /* tokens */

typedef struct builder {
    const lm_sampler_setup *setup;
    LM_ARRAY(lm_dry_breaker) items;
    LM_ARRAY(lm_token) pool;
} builder;

static bool contains(const char *text, size_t n, const char *part, size_t n_part) {
    for (size_t i = 0; i + n_part <= n; i++)
        if (memcmp(text + i, part, n_part) == 0) return true;
    return false;
}

/* tail_start[l], tail_count[l]: where the tail after a prefix of l bytes lies in the pool. */
typedef struct tails {
    uint32_t start[MAX_TEXT], count[MAX_TEXT];
} tails;

static lm_status add_tails(builder *b, const char *text, size_t n, tails *out) {
    const lm_sampler_vocab *vocab = b->setup->vocab;
    for (size_t l = 1; l < n; l++) {
        lm_token ids[MAX_TAIL];
        int32_t count = vocab->tokenize(vocab->user, text + l, n - l, ids, MAX_TAIL);
        if (count < 0)
            return lm_error_set(b->setup->error, LM_ERR_ARGUMENT, "dry_breakers: the vocabulary cannot tokenize %q",
                                n - l, text + l);
        if ((size_t)count > MAX_TAIL) count = (int32_t)MAX_TAIL;
        out->start[l] = (uint32_t)b->pool.count;
        out->count[l] = (uint32_t)count;
        for (int32_t i = 0; i < count; i++)
            if (!lm_array_push(b->setup->env, &b->pool, ids[i])) return lm_error_memory(b->setup->error);
    }
    return LM_OK;
}

static lm_status add_breaker(builder *b, const char *text) {
    const lm_sampler_vocab *vocab = b->setup->vocab;
    size_t n = strlen(text);
    if (n > MAX_TEXT) n = MAX_TEXT;
    if (n == 0) return LM_OK;
    tails after;
    lm_status status = add_tails(b, text, n, &after);
    if (status != LM_OK) return status;
    for (lm_token token = 0; token < vocab->n_vocab; token++) {
        size_t length = 0;
        const char *piece = vocab->piece(vocab->user, token, 1, &length);
        if (!piece || length == 0) continue;
        lm_dry_breaker item = {token, 0, 0};
        if (contains(piece, length, text, n)) {
            if (!lm_array_push(b->setup->env, &b->items, item)) return lm_error_memory(b->setup->error);
            continue;
        }
        for (size_t l = 1; l < n && l <= length; l++) {
            if (memcmp(piece + length - l, text, l) != 0) continue;
            item = (lm_dry_breaker){token, after.start[l], after.count[l]};
            if (!lm_array_push(b->setup->env, &b->items, item)) return lm_error_memory(b->setup->error);
        }
    }
    return LM_OK;
}

/* Order by head. Equal sequences are harmless for matching: the longest is taken, whichever of its copies. */
static lm_status sort_items(builder *b, lm_dry_breakers *out) {
    const lm_env *env = b->setup->env;
    size_t n = b->items.count;
    lm_dry_breaker *sorted = lm_alloc_array(env, n, sizeof *sorted);
    uint64_t *keys = lm_alloc_array(env, n, sizeof *keys);
    lm_status status = LM_ERR_MEMORY;
    if (!sorted || !keys) goto out;
    for (size_t i = 0; i < n; i++) keys[i] = (uint64_t)(uint32_t)b->items.data[i].head << 32 | (uint32_t)i;
    lm_sort_prefix(keys, n, n);
    for (size_t i = 0; i < n; i++) sorted[i] = b->items.data[(uint32_t)keys[i]];
    *out = (lm_dry_breakers){sorted, b->pool.data, n, b->pool.count, n, b->pool.capacity};
    sorted = NULL;
    b->pool.data = NULL;
    b->pool.capacity = 0;
    status = LM_OK;
out:
    lm_free(env, sorted, n * sizeof *sorted);
    lm_free(env, keys, n * sizeof *keys);
    return status;
}

lm_status lm_dry_breakers_build(const lm_sampler_setup *setup, lm_dry_breakers *out) {
    static const char *const usual[] = {"\n", ":", "\"", "*"};
    const lm_sampler_params *params = setup->params;
    const char *const *texts = params->dry_breakers ? params->dry_breakers : usual;
    size_t n_texts = params->dry_breakers ? params->n_dry_breakers : sizeof usual / sizeof *usual;
    builder b = {setup, {NULL, 0, 0}, {NULL, 0, 0}};
    lm_status status = LM_OK;
    for (size_t i = 0; i < n_texts && status == LM_OK; i++) status = add_breaker(&b, texts[i]);
    if (status == LM_OK) status = sort_items(&b, out);
    lm_array_free(setup->env, &b.items);
    lm_array_free(setup->env, &b.pool);
    return status;
}

void lm_dry_breakers_free(lm_dry_breakers *breakers, const lm_env *env) {
    lm_free(env, breakers->items, breakers->items_capacity * sizeof *breakers->items);
    lm_free(env, breakers->pool, breakers->pool_capacity * sizeof *breakers->pool);
}
