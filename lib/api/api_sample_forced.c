/* SPDX-License-Identifier: MIT
 * Skipping ahead: what a grammar forces, as tokens. */
#include <lm/context.h>

#include "../context/context.h"
#include "../sampler/sampler.h"

#define MAX_BYTES 512

static bool is_mark(char c) {
    unsigned char b = (unsigned char)c | 0x20;
    return c > ' ' && (c < '0' || c > '9') && (b < 'a' || b > 'z') && b < 0x80;
}

/* How many of the bytes lie in words that no text after them changes: vocabularies cut a text into words first, each with the space
 * before it, perhaps a mark too, so " {" and " {\"" have no token in common. */
static size_t settled(const char *bytes, size_t size) {
    while (size > 0 && bytes[size - 1] != ' ' && bytes[size - 1] != '\n' && !is_mark(bytes[size - 1])) size--;
    while (size > 0 && is_mark(bytes[size - 1])) size--;
    while (size > 0 && (bytes[size - 1] == ' ' || bytes[size - 1] == '\n')) size--;
    return size;
}

lm_status lm_sample_forced(lm_context *context, lm_sampler *sampler, lm_token *out, size_t cap, size_t *n) {
    char bytes[MAX_BYTES];
    lm_token tokens[MAX_BYTES];
    lm_vocab_scratch *scratch = NULL;
    if (!context) return LM_ERR_ARGUMENT;
    if (!sampler || !n || (!out && cap > 0))
        return lm_context_fail(context, LM_ERR_ARGUMENT, "lm_sample_forced: an argument is NULL");
    *n = 0;
    size_t size = cap > 0 ? lm_chain_forced(sampler, bytes, sizeof bytes) : 0, count = 0, end = 0;
    if (size < 2) return LM_OK;
    const lm_vocab *vocab = lm_context_model(context)->vocab;
    lm_status status = lm_vocab_scratch_create(vocab, &scratch);
    if (status == LM_OK)
        status = lm_vocab_encode_prompt(vocab, scratch, bytes, size, NULL, 0, true, tokens, MAX_BYTES, &count);
    lm_vocab_scratch_destroy(scratch);
    if (status == LM_ERR_MEMORY) return lm_context_fail(context, status, "lm_sample_forced: out of memory");
    if (status != LM_OK || count > MAX_BYTES) return LM_OK; /* one by one, then */
    /* Also where a vocabulary knows no words, the last token may turn out to be the beginning of a longer one. */
    for (size = settled(bytes, size); *n + 1 < count && *n < cap;) {
        end += lm_vocab_piece(vocab, tokens[*n], LM_DETOKENIZE_SPECIAL, NULL, 0);
        if (end > size || lm_chain_accept(sampler, tokens[*n], LM_ACCEPT_ROLE_GENERATED) != LM_OK) break;
        out[*n] = tokens[*n];
        ++*n;
    }
    return LM_OK;
}
