/* SPDX-License-Identifier: MIT
 * SentencePiece BPE ("llama"): spaces become U+2581, characters are merged by the score of the joined text, what stays
 * without a token becomes bytes. A whole stretch is one piece; but when no token reaches from inside a word over the U+2581
 * that starts the next, words cannot influence each other and are encoded one by one, so that the cache helps. */
#include "unicode.h"
#include "vocab_internal.h"

static const uint8_t block[3] = {0xE2, 0x96, 0x81};

static bool is_block(const uint8_t *p, size_t n) { return n >= 3 && memcmp(p, block, 3) == 0; }

/* Smallest for the highest score; NaN comes last. */
static uint32_t priority_of(float score) {
    uint32_t bits;
    if (score != score) return UINT32_MAX;
    score += 0.0f; /* one zero only */
    memcpy(&bits, &score, sizeof bits);
    return ~(bits & 0x80000000u ? ~bits : bits | 0x80000000u);
}

static bool reaches_over_word_start(const lm_vocab_entry *entry) {
    for (size_t i = 1; i + 3 <= entry->size; i++)
        if (is_block(entry->text + i, 3) && !(i >= 3 && is_block(entry->text + i - 3, 3))) return true;
    return false;
}

lm_status lm_spm_open(lm_vocab *vocab, lm_error *error) {
    if (!vocab->scores) return lm_error_set(error, LM_ERR_NOT_FOUND, "key tokenizer.ggml.scores is missing");
    vocab->priorities = lm_alloc_array(&vocab->env, vocab->n_tokens, sizeof *vocab->priorities);
    if (!vocab->priorities) return lm_error_memory(error);
    vocab->bounded_words = true;
    for (uint32_t id = 0; id < vocab->n_tokens; id++) {
        vocab->priorities[id] = priority_of(vocab->scores[id]);
        if (vocab->bounded_words && reaches_over_word_start(&vocab->entries.data[id])) vocab->bounded_words = false;
    }
    lm_vocab_build_bytes(vocab);
    vocab->roles[LM_TOKEN_ROLE_NEWLINE] = vocab->byte_tokens['\n'];
    if (vocab->roles[LM_TOKEN_ROLE_NEWLINE] == LM_TOKEN_NONE)
        vocab->roles[LM_TOKEN_ROLE_NEWLINE] = vocab->roles[LM_TOKEN_ROLE_PADDING];
    return LM_OK;
}

/* The text with a space in front where the vocabulary wants one, spaces escaped. */
static lm_status escape(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n) {
    scratch->text.count = 0;
    if (!lm_array_reserve(&scratch->env, &scratch->text, 3 * n + 3)) return LM_ERR_MEMORY;
    uint8_t *out = scratch->text.data;
    if (vocab->add_space_prefix && !scratch->continues) memcpy(out, block, 3), out += 3;
    for (size_t i = 0; i < n; i++) {
        if (text[i] != ' ')
            *out++ = text[i];
        else
            memcpy(out, block, 3), out += 3;
    }
    scratch->text.count = (size_t)(out - scratch->text.data);
    return LM_OK;
}

/* Characters by their lead bytes; nothing is validated. */
static size_t character(const uint8_t *text, size_t n) { return lm_size_min(lm_utf8_lead_length(*text), n); }

static lm_status encode_word(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *word, size_t n,
                             lm_vocab_sink *sink) {
    scratch->parts.count = 0;
    if (!lm_array_reserve(&scratch->env, &scratch->parts, n)) return LM_ERR_MEMORY;
    for (size_t i = 0, size; i < n; i += size) {
        size = character(word + i, n - i);
        scratch->parts.data[scratch->parts.count++] = (lm_vocab_part){(uint32_t)i, (uint32_t)size, LM_SYMBOL_NONE};
    }
    lm_status status = lm_merge_parts(vocab, scratch, word);
    if (status != LM_OK) return status;
    for (size_t i = 0; i < scratch->parts.count; i++) {
        lm_vocab_part part = scratch->parts.data[i];
        uint32_t symbol = part.symbol;
        if (symbol == LM_SYMBOL_NONE) symbol = lm_vocab_find_symbol(vocab, word + part.start, part.size);
        if (symbol != LM_SYMBOL_NONE)
            lm_sink_put(sink, (lm_token)symbol);
        else
            lm_vocab_put_bytes(vocab, word + part.start, part.size, sink);
    }
    return LM_OK;
}

lm_status lm_spm_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                        lm_vocab_sink *sink) {
    lm_status status = escape(vocab, scratch, text, n);
    if (status != LM_OK) return status;
    const uint8_t *word = scratch->text.data, *end = word + scratch->text.count;
    if (!vocab->bounded_words) return encode_word(vocab, scratch, word, (size_t)(end - word), sink);
    while (word < end) {
        const uint8_t *p = word;
        while (p < end && is_block(p, (size_t)(end - p))) p += 3;
        while (p < end && !is_block(p, (size_t)(end - p))) p += character(p, (size_t)(end - p));
        size_t size = (size_t)(p - word);
        bool known;
        lm_cache_slot *slot = lm_cache_slot_of(scratch, word, size, &known);
        sink->recent_start = sink->count;
        for (unsigned i = 0; known && i < slot->n_ids; i++) lm_sink_put(sink, slot->ids[i]);
        if (!known) {
            status = encode_word(vocab, scratch, word, size, sink);
            if (status != LM_OK) return status;
            lm_cache_store(slot, word, size, sink);
        }
        word = p;
    }
    return LM_OK;
}
