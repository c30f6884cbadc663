/* SPDX-License-Identifier: MIT
 * PLaMo-2: the cover of the text with the least cost, found from the right. A token costs its score times -10000, rounded; a
 * character without a token costs 10 million and becomes its bytes. Of equal costs the longer token wins. */
#include <math.h>

#include "unicode.h"
#include "vocab_internal.h"

#define UNKNOWN_COST 1e7
#define COST_MAX 1e12 /* sums of crafted scores stay exact or at least finite */

static lm_token byte_of(const lm_vocab_entry *entry, unsigned *byte) {
    static const char digits[] = "0123456789ABCDEF";
    if (entry->size != 6 || memcmp(entry->text, "<0x", 3) != 0 || entry->text[5] != '>') return 0;
    const char *high = memchr(digits, entry->text[3], 16), *low = memchr(digits, entry->text[4], 16);
    if (!high || !low) return 0;
    *byte = (unsigned)(high - digits) << 4 | (unsigned)(low - digits);
    return 1;
}

lm_status lm_plamo2_open(lm_vocab *vocab, lm_error *error) {
    if (!vocab->scores) return lm_error_set(error, LM_ERR_NOT_FOUND, "key tokenizer.ggml.scores is missing");
    lm_status status = LM_OK;
    lm_vocab_build_bytes(vocab);
    for (uint32_t id = 0; status == LM_OK && id < vocab->n_tokens; id++) {
        const lm_vocab_entry *entry = &vocab->entries.data[id];
        unsigned byte;
        double cost = floor(-(double)vocab->scores[id] * 1e4 + 0.5);
        vocab->scores[id] = (float)(cost > COST_MAX ? COST_MAX : cost >= -COST_MAX ? cost : -COST_MAX);
        if (byte_of(entry, &byte)) continue;
        if (entry->size > LM_VOCAB_MAX_SPECIAL_BYTES)
            return lm_error_set(error, LM_ERR_LIMIT, "token %u has %u bytes", id, entry->size);
        status = lm_trie_add(&vocab->words, &vocab->env, entry->text, entry->size, (int32_t)id);
        if (status != LM_OK) lm_error_set(error, status, "the trie of tokens cannot be built");
    }
    for (unsigned byte = 0; status == LM_OK && byte < 256; byte++)
        if (vocab->byte_tokens[byte] == LM_TOKEN_NONE)
            status = lm_error_set(error, LM_ERR_FORMAT, "the vocabulary has no token for the byte %u", byte);
    vocab->roles[LM_TOKEN_ROLE_NEWLINE] = vocab->byte_tokens['\n'];
    return status;
}

lm_status lm_plamo2_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const uint8_t *text, size_t n,
                           lm_vocab_sink *sink) {
    lm_status status = lm_vocab_repair(scratch, false, &text, &n);
    if (status != LM_OK) return status;
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3, n -= 3;
    scratch->steps.count = 0;
    if (!lm_array_reserve(&scratch->env, &scratch->steps, n + 1)) return LM_ERR_MEMORY;
    lm_vocab_step *steps =
        scratch->steps.data; /* [i]: the best way from i to the end; start holds where its first token ends */
    steps[n] = (lm_vocab_step){0, 0, LM_TOKEN_NONE};
    for (size_t i = n; i-- > 0;) {
        if ((text[i] & 0xC0) == 0x80) continue;
        size_t length = lm_utf8_lead_length(text[i]);
        lm_vocab_step best = {steps[i + length].score + UNKNOWN_COST, (uint32_t)(i + length), LM_TOKEN_NONE};
        uint32_t node = 0;
        for (size_t end = i; end < n && (node = lm_trie_step(&vocab->words, node, text[end])) != 0; end++) {
            lm_token token = vocab->words.values.data[node];
            if (token < 0 || (end + 1 < n && (text[end + 1] & 0xC0) == 0x80)) continue;
            double score = steps[end + 1].score + (double)vocab->scores[token];
            if (score <= best.score) best = (lm_vocab_step){score, (uint32_t)(end + 1), token};
        }
        steps[i] = best;
    }
    for (size_t i = 0; i < n; i = steps[i].start) {
        if (steps[i].token != LM_TOKEN_NONE)
            lm_sink_put(sink, steps[i].token);
        else
            lm_vocab_put_bytes(vocab, text + i, steps[i].start - i, sink);
    }
    return LM_OK;
}
