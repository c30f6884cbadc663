/* SPDX-License-Identifier: MIT
 * Finding special tokens in text. The rule is: longer texts are taken first, equal lengths by id, each from left to right,
 * and a text inside or across one already taken does not count. Scanning from the left for the longest text at each place
 * gives the same, unless a better text begins inside the one found; then the best of the chain is settled first and the
 * text before it is searched again. Lengths are bounded (LM_VOCAB_MAX_SPECIAL_BYTES), so time stays linear in the text. */
#include "vocab_internal.h"

#define PARSED (LM_TOKEN_ATTRIBUTE_CONTROL | LM_TOKEN_ATTRIBUTE_UNKNOWN)
#define SPECIAL (PARSED | LM_TOKEN_ATTRIBUTE_USER_DEFINED)

typedef struct found {
    size_t start, size; /* size 0: nothing */
    lm_token token;
} found;

lm_status lm_vocab_build_special(lm_vocab *vocab, lm_error *error) {
    for (uint32_t id = 0; id < vocab->n_tokens; id++) {
        const lm_vocab_entry *entry = &vocab->entries.data[id];
        if (!(entry->attributes & SPECIAL)) continue;
        if (entry->size > LM_VOCAB_MAX_SPECIAL_BYTES)
            return lm_error_set(error, LM_ERR_LIMIT, "special token %u has %u bytes", id, entry->size);
        lm_status status = lm_trie_add(&vocab->special, &vocab->env, entry->text, entry->size, (int32_t)id);
        if (status != LM_OK) return lm_error_set(error, status, "the table of special tokens cannot be built");
        vocab->special_start[1][entry->text[0]] = true;
        if (!(entry->attributes & PARSED)) vocab->special_start[0][entry->text[0]] = true;
    }
    return LM_OK;
}

/* The longest special text at a place that ends by limit. */
static found longest_at(const lm_vocab *vocab, bool parse, const uint8_t *text, size_t at, size_t limit) {
    found best = {at, 0, LM_TOKEN_NONE};
    if (!vocab->special_start[parse][text[at]]) return best;
    uint32_t node = 0;
    for (size_t i = at; i < limit; i++) {
        node = lm_trie_step(&vocab->special, node, text[i]);
        if (node == 0) break;
        lm_token token = vocab->special.values.data[node];
        if (token < 0 || (!parse && (vocab->entries.data[token].attributes & PARSED))) continue;
        best.size = i + 1 - at;
        best.token = token;
    }
    return best;
}

static bool beats(found a, found b) { return a.size > b.size || (a.size == b.size && a.token < b.token); }

/* The best text that begins inside one, or the one itself. */
static found best_inside(const lm_vocab *vocab, bool parse, const uint8_t *text, found one, size_t limit) {
    found best = one;
    for (size_t i = one.start + 1; i < one.start + one.size; i++) {
        found other = longest_at(vocab, parse, text, i, limit);
        if (other.size && beats(other, best)) best = other;
    }
    return best;
}

static found first_in(const lm_vocab *vocab, bool parse, const uint8_t *text, size_t from, size_t limit) {
    found one = {0, 0, LM_TOKEN_NONE};
    const bool *starts = vocab->special_start[parse];
    for (size_t i = from; i < limit; i++) {
        if (!starts[text[i]]) continue;
        one = longest_at(vocab, parse, text, i, limit);
        if (one.size) break;
    }
    return one;
}

bool lm_special_next(const lm_vocab *vocab, bool parse, const uint8_t *text, size_t n, size_t from, size_t *start,
                     size_t *end, lm_token *token) {
    found settled = {0, 0, LM_TOKEN_NONE};
    for (size_t limit = n;;) {
        found one = first_in(vocab, parse, text, from, limit);
        if (!one.size) break;
        for (found better = best_inside(vocab, parse, text, one, limit); better.start != one.start;
             better = best_inside(vocab, parse, text, one, limit)) {
            settled = better; /* at least this one stands unless a still better one overlaps it */
            one = better;
        }
        if (settled.start != one.start || !settled.size) {
            settled = one;
            break; /* the leftmost stands */
        }
        limit = settled.start;
    }
    *start = settled.start;
    *end = settled.start + settled.size;
    *token = settled.token;
    return settled.size > 0;
}
