/* SPDX-License-Identifier: MIT
 * The RWKV "world" tokenizer: the longest token at each place, over bytes. The file writes tokens with escapes. */
#include "vocab_internal.h"

static int hex_digit(uint8_t c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

size_t lm_rwkv_unescape(const uint8_t *text, size_t n, uint8_t *out) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++, size++) {
        uint8_t c = text[i];
        if (c == '\\') {
            if (++i == n) return SIZE_MAX;
            c = text[i];
            if (c == 't') {
                c = '\t';
            } else if (c == 'n') {
                c = '\n';
            } else if (c == 'r') {
                c = '\r';
            } else if (c == 'x') {
                int high = i + 2 < n ? hex_digit(text[i + 1]) : -1, low = i + 2 < n ? hex_digit(text[i + 2]) : -1;
                if (high < 0 || low < 0) return SIZE_MAX;
                c = (uint8_t)(high << 4 | low);
                i += 2;
            }
        }
        if (out) out[size] = c;
    }
    return size;
}

lm_status lm_rwkv_open(lm_vocab *vocab, lm_error *error) {
    uint8_t bytes[LM_VOCAB_MAX_SPECIAL_BYTES];
    for (uint32_t id = 0; id < vocab->n_tokens; id++) {
        const lm_vocab_entry *entry = &vocab->entries.data[id];
        if (entry->size > sizeof bytes)
            return lm_error_set(error, LM_ERR_LIMIT, "token %u has %u bytes", id, entry->size);
        size_t n = lm_rwkv_unescape(entry->text, entry->size, bytes);
        if (n == SIZE_MAX) return lm_error_set(error, LM_ERR_FORMAT, "token %u ends in the middle of an escape", id);
        if (entry->attributes & (LM_TOKEN_ATTRIBUTE_CONTROL | LM_TOKEN_ATTRIBUTE_UNKNOWN | LM_TOKEN_ATTRIBUTE_UNUSED))
            continue;
        lm_status status = lm_trie_add(&vocab->words, &vocab->env, bytes, n, (int32_t)id);
        if (status != LM_OK) return lm_error_set(error, status, "the trie of tokens cannot be built");
    }
    size_t size;
    vocab->roles[LM_TOKEN_ROLE_NEWLINE] = lm_trie_longest(&vocab->words, (const uint8_t *)"\n", 1, &size);
    return LM_OK;
}

lm_status lm_rwkv_encode(const lm_vocab *vocab, const uint8_t *text, size_t n, lm_vocab_sink *sink) {
    lm_token unknown = vocab->roles[LM_TOKEN_ROLE_UNKNOWN];
    for (size_t i = 0, size; i < n; i += size) {
        lm_token token = lm_trie_longest(&vocab->words, text + i, n - i, &size);
        if (token < 0) token = unknown, size = 1;
        if (token != LM_TOKEN_NONE) lm_sink_put(sink, token);
    }
    return LM_OK;
}
