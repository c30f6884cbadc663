/* SPDX-License-Identifier: MIT
 * The frame of encoding: special tokens cut the text into stretches, each stretch goes to the vocabulary's type, and the
 * tokens a model wants around a text are added. No merge crosses a special token. */
#include "vocab_internal.h"

static lm_status encode_stretch(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                                lm_vocab_sink *sink) {
    if (n == 0) return LM_OK;
    switch (vocab->type) {
    case LM_VOCAB_TYPE_SPM: return lm_spm_encode(vocab, scratch, text, n, sink);
    case LM_VOCAB_TYPE_BPE: return lm_bpe_encode(vocab, scratch, text, n, sink);
    case LM_VOCAB_TYPE_WPM: return lm_wpm_encode(vocab, scratch, text, n, sink);
    case LM_VOCAB_TYPE_UGM: return lm_ugm_encode(vocab, scratch, text, n, sink);
    case LM_VOCAB_TYPE_RWKV: return lm_rwkv_encode(vocab, text, n, sink);
    case LM_VOCAB_TYPE_PLAMO2: return lm_plamo2_encode(vocab, scratch, text, n, sink);
    default: return LM_ERR_UNSUPPORTED;
    }
}

static bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

typedef struct guard_list {
    const lm_vocab_guard *guards;
    size_t count, next; /* those before next end before the text that is left */
} guard_list;

static bool touches(guard_list *list, size_t start, size_t end) {
    while (list->next < list->count && list->guards[list->next].end <= start) list->next++;
    return list->next < list->count && list->guards[list->next].start < end;
}

static lm_status encode_text(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                             bool parse, guard_list guards, lm_vocab_sink *sink) {
    size_t at = 0, from = 0, start, end;
    lm_token token;
    while (lm_special_next(vocab, parse, text, n, from, &start, &end, &token)) {
        uint32_t attributes = vocab->entries.data[token].attributes;
        bool is_control = attributes & (LM_TOKEN_ATTRIBUTE_CONTROL | LM_TOKEN_ATTRIBUTE_UNKNOWN);
        if (is_control && touches(&guards, start, end)) {
            from = start + 1;
            continue;
        }
        if (attributes & LM_TOKEN_ATTRIBUTE_LSTRIP)
            while (start > at && is_space(text[start - 1])) start--;
        lm_status status = encode_stretch(vocab, scratch, text + at, start - at, sink);
        if (status != LM_OK) return status;
        scratch->continues = false;
        lm_sink_put(sink, token);
        if (attributes & LM_TOKEN_ATTRIBUTE_RSTRIP)
            while (end < n && is_space(text[end])) end++;
        at = from = end;
    }
    return encode_stretch(vocab, scratch, text + at, n - at, sink);
}

lm_status lm_vocab_encode_prompt(const lm_vocab *vocab, lm_vocab_scratch *scratch, const char *text, size_t n,
                                 const lm_vocab_guard *guards, size_t n_guards, bool continues, lm_token *out,
                                 size_t capacity, size_t *count) {
    if (vocab->type == LM_VOCAB_TYPE_NONE) return LM_ERR_UNSUPPORTED;
    if (n > LM_VOCAB_MAX_TEXT) return LM_ERR_LIMIT;
    lm_vocab_sink sink = {.out = out, .capacity = capacity};
    lm_status status = lm_cache_prepare(scratch, n);
    if (status != LM_OK) return status;
    scratch->continues = continues;
    if (n > 0)
        status = encode_text(vocab, scratch, (const uint8_t *)text, n, true, (guard_list){guards, n_guards, 0}, &sink);
    scratch->continues = false;
    if (status == LM_OK) *count = sink.count;
    return status;
}

static void put_role(const lm_vocab *vocab, int32_t role, lm_vocab_sink *sink) {
    if (vocab->roles[role] != LM_TOKEN_NONE) lm_sink_put(sink, vocab->roles[role]);
}

lm_status lm_vocab_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const char *text, size_t n, uint32_t flags,
                          lm_token *out, size_t capacity, size_t *count) {
    if (vocab->type == LM_VOCAB_TYPE_NONE) return LM_ERR_UNSUPPORTED;
    if (n > LM_VOCAB_MAX_TEXT) return LM_ERR_LIMIT;
    bool add = (flags & LM_TOKENIZE_ADD_SPECIAL) != 0, wpm = vocab->type == LM_VOCAB_TYPE_WPM;
    lm_vocab_sink sink = {.out = out, .capacity = capacity};
    lm_status status = lm_cache_prepare(scratch, n);
    if (status != LM_OK) return status;
    if (add && (vocab->add_bos || wpm)) put_role(vocab, LM_TOKEN_ROLE_BOS, &sink);
    if (n > 0)
        status = encode_text(vocab, scratch, (const uint8_t *)text, n, (flags & LM_TOKENIZE_PARSE_SPECIAL) != 0,
                             (guard_list){NULL, 0, 0}, &sink);
    if (status != LM_OK) return status;
    if (add && wpm) put_role(vocab, LM_TOKEN_ROLE_SEPARATOR, &sink);
    if (add && vocab->add_eos && !wpm) put_role(vocab, LM_TOKEN_ROLE_EOS, &sink);
    *count = sink.count;
    return LM_OK;
}

void lm_vocab_build_bytes(lm_vocab *vocab) {
    for (unsigned byte = 0; byte < 256; byte++) {
        const char *digits = "0123456789ABCDEF";
        char name[6] = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        uint8_t single = (uint8_t)byte;
        lm_token token = vocab->byte_level ? LM_TOKEN_NONE : lm_vocab_find(vocab, name, sizeof name);
        if (token == LM_TOKEN_NONE) token = lm_vocab_find(vocab, (const char *)&single, 1);
        vocab->byte_tokens[byte] = token;
    }
}

void lm_vocab_put_bytes(const lm_vocab *vocab, const uint8_t *text, size_t n, lm_vocab_sink *sink) {
    bool missing = false;
    for (size_t i = 0; i < n; i++) {
        lm_token token = vocab->byte_tokens[text[i]];
        if (token != LM_TOKEN_NONE)
            lm_sink_put(sink, token);
        else
            missing = true;
    }
    if (missing) put_role(vocab, LM_TOKEN_ROLE_UNKNOWN, sink);
}
