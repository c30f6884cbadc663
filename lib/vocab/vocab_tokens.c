/* SPDX-License-Identifier: MIT
 * Reading the arrays of a vocabulary: texts, types, scores, suppressed tokens. Lengths and element types are checked here,
 * once; texts stay in the file. */
#include "vocab_internal.h"

static uint32_t attribute_of(int64_t type) {
    static const uint16_t attributes[] = {0,
                                          LM_TOKEN_ATTRIBUTE_NORMAL,
                                          LM_TOKEN_ATTRIBUTE_UNKNOWN,
                                          LM_TOKEN_ATTRIBUTE_CONTROL,
                                          LM_TOKEN_ATTRIBUTE_USER_DEFINED,
                                          LM_TOKEN_ATTRIBUTE_UNUSED,
                                          LM_TOKEN_ATTRIBUTE_BYTE};
    return type >= 0 && type < 7 ? attributes[type] : 0;
}

/* An optional array with at least one element per token; *out is NULL when the key is absent. */
static lm_status token_array(const lm_vocab *vocab, const lm_gguf *gguf, const char *key, int32_t type,
                             const lm_gguf_value **out, lm_error *error) {
    *out = NULL;
    if (!lm_gguf_find(gguf, key)) return LM_OK;
    const lm_gguf_value *value;
    lm_status status = lm_gguf_get_array(gguf, key, type, &value, error);
    if (status != LM_OK) return status;
    if (value->count < vocab->n_tokens)
        return lm_error_set(error, LM_ERR_FORMAT, "key %s has %llu elements for %u tokens", key,
                            (unsigned long long)value->count, vocab->n_tokens);
    *out = value;
    return LM_OK;
}

static lm_status name_empty(lm_vocab *vocab, uint32_t id, lm_vocab_entry *entry, lm_error *error) {
    char name[32];
    size_t size = lm_format(name, sizeof name, "[EMPTY_%u]", id);
    entry->text = (const uint8_t *)lm_arena_copy(&vocab->arena, name, size);
    entry->size = (uint32_t)size;
    return entry->text ? LM_OK : lm_error_memory(error);
}

static lm_status read_texts(lm_vocab *vocab, const lm_gguf_value *tokens, const lm_gguf_value *types, lm_error *error) {
    lm_gguf_strings iterator = {0};
    lm_gguf_str text;
    lm_status status;
    for (uint32_t id = 0; id < vocab->n_tokens && lm_gguf_next_string(tokens, &iterator, &text); id++) {
        if (text.size > LM_VOCAB_MAX_TOKEN_BYTES)
            return lm_error_set(error, LM_ERR_LIMIT, "token %u has %zu bytes", id, text.size);
        int64_t type = 1;
        if (types) lm_gguf_element_int(types, id, &type);
        lm_vocab_entry entry = {(const uint8_t *)text.data, (uint32_t)text.size, attribute_of(type)};
        if (text.size == 0 && (status = name_empty(vocab, id, &entry, error)) != LM_OK) return status;
        vocab->entries.data[vocab->entries.count++] = entry;
        if (entry.size > vocab->max_text) vocab->max_text = entry.size;
        uint32_t hash = lm_text_hash(entry.text, entry.size);
        if (lm_vocab_find_hashed(vocab, entry.text, entry.size, hash) != LM_SYMBOL_NONE)
            continue; /* the first one counts */
        status = lm_text_table_add(&vocab->table, &vocab->env, hash, id);
        if (status != LM_OK) return lm_error_set(error, status, "the table of token texts cannot be built");
    }
    if (vocab->entries.count != vocab->n_tokens)
        return lm_error_set(error, LM_ERR_FORMAT, "key tokenizer.ggml.tokens is cut short");
    return LM_OK;
}

static lm_status read_suppressed(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    static const char key[] = "tokenizer.ggml.suppress_tokens";
    if (!lm_gguf_find(gguf, key)) return LM_OK;
    const lm_gguf_value *value;
    lm_status status = lm_gguf_get_array(gguf, key, LM_GGUF_I32, &value, error);
    if (status != LM_OK) return status;
    for (uint64_t i = 0; i < value->count; i++) {
        int64_t id;
        if (!lm_gguf_element_int(value, i, &id) || id < 0 || id >= vocab->n_tokens) continue;
        if (!lm_array_push(&vocab->env, &vocab->suppressed, (lm_token)id)) return lm_error_memory(error);
    }
    return LM_OK;
}

lm_status lm_vocab_read_tokens(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    const lm_gguf_value *tokens, *types, *scores;
    lm_status status = lm_gguf_get_array(gguf, "tokenizer.ggml.tokens", LM_GGUF_STRING, &tokens, error);
    if (status != LM_OK) return status;
    if (tokens->count == 0) return lm_error_set(error, LM_ERR_FORMAT, "key tokenizer.ggml.tokens is empty");
    if (tokens->count > LM_VOCAB_MAX_TOKENS)
        return lm_error_set(error, LM_ERR_LIMIT, "key tokenizer.ggml.tokens has %llu elements",
                            (unsigned long long)tokens->count);
    uint32_t n = (uint32_t)tokens->count;
    vocab->n_tokens = n;
    status = token_array(vocab, gguf, "tokenizer.ggml.token_type", LM_GGUF_I32, &types, error);
    if (status == LM_OK) status = token_array(vocab, gguf, "tokenizer.ggml.scores", LM_GGUF_F32, &scores, error);
    if (status != LM_OK) return status;
    vocab->ends = lm_alloc_zeroed(&vocab->env, n);
    /* BPE adds the letters of the byte alphabet; merges rarely add more. */
    if (!vocab->ends || !lm_array_reserve(&vocab->env, &vocab->entries, (size_t)n + 256) ||
        !lm_text_table_init(&vocab->table, &vocab->env, n + 256))
        return lm_error_memory(error);
    if (scores) {
        vocab->scores = lm_alloc_array(&vocab->env, n, sizeof *vocab->scores);
        if (!vocab->scores) return lm_error_memory(error);
        for (uint32_t id = 0; id < n; id++) {
            double score = 0;
            lm_gguf_element_float(scores, id, &score);
            vocab->scores[id] = (float)score;
        }
    }
    status = read_texts(vocab, tokens, types, error);
    return status == LM_OK ? read_suppressed(vocab, gguf, error) : status;
}
