/* SPDX-License-Identifier: MIT
 * Unigram ("t5"): the text is normalised by the file's character map, then the cover by tokens with the highest sum of
 * scores is found from left to right (Viterbi). Sums are doubles, and only a strictly better sum replaces another. */
#include "charsmap.h"
#include "unicode.h"
#include "vocab_internal.h"
#include "../base/utf8.h"

#define MATCHED (LM_TOKEN_ATTRIBUTE_NORMAL | LM_TOKEN_ATTRIBUTE_USER_DEFINED | LM_TOKEN_ATTRIBUTE_UNUSED)

static lm_status read_charsmap(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    static const char key[] = "tokenizer.ggml.precompiled_charsmap";
    const lm_gguf_value *value = lm_gguf_find(gguf, key);
    if (!value) return LM_OK;
    if (value->type != LM_GGUF_ARRAY ||
        (value->count > 0 && value->element_type != LM_GGUF_U8 && value->element_type != LM_GGUF_I8))
        return lm_error_set(error, LM_ERR_FORMAT, "key %s is not an array of bytes", key);
    return lm_charsmap_open(&vocab->charsmap, value->data, (size_t)value->count, error);
}

lm_status lm_ugm_open(lm_vocab *vocab, const lm_gguf *gguf, lm_error *error) {
    if (!vocab->scores) return lm_error_set(error, LM_ERR_NOT_FOUND, "key tokenizer.ggml.scores is missing");
    lm_status status = read_charsmap(vocab, gguf, error);
    float least = 0;
    bool any = false;
    for (uint32_t id = 0; status == LM_OK && id < vocab->n_tokens; id++) {
        const lm_vocab_entry *entry = &vocab->entries.data[id];
        if ((entry->attributes & LM_TOKEN_ATTRIBUTE_NORMAL) && (!any || vocab->scores[id] < least))
            least = vocab->scores[id], any = true;
        if (!(entry->attributes & MATCHED)) continue;
        if (entry->size > LM_VOCAB_MAX_SPECIAL_BYTES)
            return lm_error_set(error, LM_ERR_LIMIT, "token %u has %u bytes", id, entry->size);
        status = lm_trie_add(&vocab->words, &vocab->env, entry->text, entry->size, (int32_t)id);
        if (status == LM_OK && (entry->attributes & LM_TOKEN_ATTRIBUTE_USER_DEFINED))
            status = lm_trie_add(&vocab->users, &vocab->env, entry->text, entry->size, (int32_t)id);
        if (status != LM_OK) lm_error_set(error, status, "the trie of tokens cannot be built");
    }
    vocab->unknown_score = least - 10;
    if (status != LM_OK) return status;
    lm_vocab_build_bytes(vocab);
    lm_token newline = lm_vocab_find(vocab, "\n", 1);
    vocab->roles[LM_TOKEN_ROLE_NEWLINE] = newline != LM_TOKEN_NONE ? newline : vocab->roles[LM_TOKEN_ROLE_UNKNOWN];
    return LM_OK;
}

typedef struct writer {
    lm_vocab_scratch *scratch;
    bool prefix;  /* a space is still owed to the first character */
    bool merging; /* runs of spaces become one, in front of the next character */
    bool in_run;
    const char *space;
    size_t space_size;
} writer;

static bool put(lm_vocab_scratch *scratch, const void *bytes, size_t n) {
    if (!lm_array_reserve(&scratch->env, &scratch->text, n)) return false;
    memcpy(scratch->text.data + scratch->text.count, bytes, n);
    scratch->text.count += n;
    return true;
}

static bool put_normal(writer *w, const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == ' ') {
            w->in_run = false;
            if (!w->merging && !put(w->scratch, w->space, w->space_size)) return false;
            continue;
        }
        if (!w->in_run) {
            w->in_run = true;
            if ((w->prefix || w->merging) && !put(w->scratch, w->space, w->space_size)) return false;
            w->prefix = false;
        }
        if (!put(w->scratch, bytes + i, 1)) return false;
    }
    return true;
}

static size_t user_prefix(const lm_vocab *vocab, const uint8_t *text, size_t n) {
    uint32_t node = 0;
    size_t i = 0;
    while (i < n && (node = lm_trie_step(&vocab->users, node, text[i])) != 0) i++;
    return i;
}

static lm_status normalise(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n) {
    writer w = {scratch, vocab->add_space_prefix && !scratch->continues, vocab->merge_spaces,
                false,   vocab->escape_spaces ? "\xE2\x96\x81" : " ",    vocab->escape_spaces ? 3 : 1};
    scratch->text.count = 0;
    if (!lm_array_reserve(&scratch->env, &scratch->text, n + n / 2 + 8)) return LM_ERR_MEMORY;
    for (size_t i = 0; i < n;) {
        const uint8_t *bytes = text + i;
        uint32_t cp;
        size_t taken = user_prefix(vocab, bytes, n - i), size = taken;
        if (taken == 0) {
            lm_status status = lm_charsmap_match(&vocab->charsmap, bytes, n - i, &taken, &bytes, &size);
            if (status != LM_OK) return status;
        }
        if (taken == 0) {
            taken = size = lm_utf8_decode((const char *)text + i, n - i, &cp);
            if (taken == 0) bytes = (const uint8_t *)"\xEF\xBF\xBD", size = 3, taken = 1;
        }
        if (!put_normal(&w, bytes, size)) return LM_ERR_MEMORY;
        if (scratch->text.count > 4 * LM_VOCAB_MAX_TEXT) return LM_ERR_LIMIT;
        i += taken;
    }
    return LM_OK;
}

lm_status lm_ugm_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                        lm_vocab_sink *sink) {
    lm_status status = normalise(vocab, scratch, text, n);
    if (status != LM_OK) return status;
    size_t size = scratch->text.count;
    const uint8_t *bytes = scratch->text.data;
    scratch->steps.count = 0;
    if (!lm_array_reserve(&scratch->env, &scratch->steps, size + 1)) return LM_ERR_MEMORY;
    lm_vocab_step *steps = scratch->steps.data;
    lm_token unknown = vocab->roles[LM_TOKEN_ROLE_UNKNOWN];
    for (size_t i = 0; i <= size; i++) steps[i] = (lm_vocab_step){-1e300, 0, LM_TOKEN_NONE};
    steps[0].score = 0;
    for (size_t i = 0, length; i < size; i += length) {
        length = lm_size_min(lm_utf8_lead_length(bytes[i]), size - i);
        bool single = false;
        uint32_t node = 0;
        for (size_t end = i; end < size && (node = lm_trie_step(&vocab->words, node, bytes[end])) != 0; end++) {
            lm_token token = vocab->words.values.data[node];
            if (token < 0) continue;
            if (end + 1 - i == length) single = true;
            bool user = (vocab->entries.data[token].attributes & LM_TOKEN_ATTRIBUTE_USER_DEFINED) != 0;
            double score = steps[i].score + (user ? 0.0 : (double)vocab->scores[token]);
            if (score > steps[end + 1].score) steps[end + 1] = (lm_vocab_step){score, (uint32_t)i, token};
        }
        double score = steps[i].score + vocab->unknown_score;
        if (!single && score > steps[i + length].score)
            steps[i + length] = (lm_vocab_step){score, (uint32_t)i, unknown};
    }
    /* Walk back, turn the chain around, and emit; neighbouring unknown stretches are one token. */
    size_t n_steps = 0;
    for (size_t i = size; i > 0; i = steps[i].start) n_steps++;
    size_t first = size + 1 - n_steps;
    for (size_t i = size, to = size; i > 0; to--) {
        uint32_t start = steps[i].start;
        steps[to].token = steps[i].token;
        i = start;
    }
    for (size_t i = first; i <= size; i++) {
        bool again = steps[i].token == unknown && i > first && steps[i - 1].token == unknown;
        if (steps[i].token != LM_TOKEN_NONE && !again) lm_sink_put(sink, steps[i].token);
    }
    return LM_OK;
}
