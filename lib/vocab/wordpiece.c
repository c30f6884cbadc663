/* SPDX-License-Identifier: MIT
 * WordPiece ("bert"): text is lower-cased and, after canonical decomposition, stripped of nonspacing marks as the file says, cut
 * at white space, punctuation and CJK ideographs, and each word, marked with U+2581 in front, is covered from the left by the
 * longest tokens. A word that cannot be covered is one unknown token. */
#include "unicode.h"
#include "vocab_internal.h"
#include "../base/utf8.h"

lm_status lm_wpm_open(lm_vocab *vocab, lm_error *error) {
    for (uint32_t id = 0; id < vocab->n_tokens; id++) {
        const lm_vocab_entry *entry = &vocab->entries.data[id];
        if (entry->size > LM_VOCAB_MAX_SPECIAL_BYTES)
            return lm_error_set(error, LM_ERR_LIMIT, "token %u has %u bytes", id, entry->size);
        lm_status status = lm_trie_add(&vocab->words, &vocab->env, entry->text, entry->size, (int32_t)id);
        if (status != LM_OK) return lm_error_set(error, status, "the trie of tokens cannot be built");
    }
    vocab->roles[LM_TOKEN_ROLE_NEWLINE] = vocab->roles[LM_TOKEN_ROLE_PADDING];
    return LM_OK;
}

static bool is_ideograph(uint32_t cp) {
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF) || (cp >= 0x20000 && cp <= 0x2A6DF) ||
           (cp >= 0x2A700 && cp <= 0x2B73F) || (cp >= 0x2B740 && cp <= 0x2B81F) || (cp >= 0x2B920 && cp <= 0x2CEAF) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0x2F800 && cp <= 0x2FA1F);
}

static void encode_word(const lm_vocab *vocab, const uint8_t *word, size_t n, lm_vocab_sink *sink) {
    size_t before = sink->count, size;
    for (size_t i = 0; i < n; i += size) {
        int32_t token = lm_trie_longest(&vocab->words, word + i, n - i, &size);
        if (token < 0) {
            sink->count = before;
            if (vocab->roles[LM_TOKEN_ROLE_UNKNOWN] != LM_TOKEN_NONE)
                lm_sink_put(sink, vocab->roles[LM_TOKEN_ROLE_UNKNOWN]);
            return;
        }
        lm_sink_put(sink, token);
    }
}

/* End the word that is being gathered behind the mark at the start of scratch->text. */
static void finish_word(const lm_vocab *vocab, lm_vocab_scratch *scratch, lm_vocab_sink *sink) {
    if (scratch->text.count > 3) encode_word(vocab, scratch->text.data, scratch->text.count, sink);
    scratch->text.count = 3;
}

static void gather(const lm_vocab *vocab, lm_vocab_scratch *scratch, uint32_t cp, lm_vocab_sink *sink) {
    uint32_t mask = lm_unicode_mask(cp);
    if (mask & LM_UC_SPACE) {
        finish_word(vocab, scratch, sink);
        return;
    }
    if (cp == 0 || cp == LM_UTF8_REPLACEMENT || (mask & (LM_UC_CC | LM_UC_CF | LM_UC_CS | LM_UC_CO))) return;
    if (vocab->strip_accents && (mask & LM_UC_MN)) return;
    if (vocab->lowercase) cp = lm_unicode_lower(cp);
    bool alone = (mask & LM_UC_P) || ((mask & LM_UC_S) && cp < 0x7F) || is_ideograph(cp);
    if (alone) finish_word(vocab, scratch, sink);
    scratch->text.count += lm_utf8_encode(cp, (char *)scratch->text.data + scratch->text.count);
    if (alone) finish_word(vocab, scratch, sink);
}

lm_status lm_wpm_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                        lm_vocab_sink *sink) {
    scratch->text.count = 0;
    /* A character of three bytes may become three of three; a malformed byte is dropped. */
    if (!lm_array_reserve(&scratch->env, &scratch->text, 3 * n + 8)) return LM_ERR_MEMORY;
    memcpy(scratch->text.data, "\xE2\x96\x81", 3);
    scratch->text.count = 3;
    for (size_t i = 0; i < n;) {
        uint32_t parts[LM_UNICODE_PARTS];
        size_t size = lm_utf8_decode((const char *)text + i, n - i, &parts[0]), n_parts = 1;
        i += size ? size : 1;
        if (size == 0) continue; /* U+FFFD, which is dropped */
        if (vocab->strip_accents) n_parts = lm_unicode_parts(parts[0], parts);
        for (size_t k = 0; k < n_parts; k++) gather(vocab, scratch, parts[k], sink);
    }
    finish_word(vocab, scratch, sink);
    return LM_OK;
}
