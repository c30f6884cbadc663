/* SPDX-License-Identifier: MIT
 * Coming to an end in time. A completion of n bytes needs at most n tokens, as every byte that can be written is a token of its
 * own in vocabularies that can write all texts. */
#include "matcher.h"

#include <string.h>

size_t lm_matcher_completion(lm_grammar_matcher *m, uint8_t *out, size_t cap) {
    uint32_t n;
    if (lm_matcher_is_complete(m)) return 0;
    if (lm_completion_find(&m->completion, &m->chart, out, cap, &n) != LM_OK) return SIZE_MAX;
    return n >= LM_COMPLETION_NONE ? SIZE_MAX : n;
}

/* The longest token that text begins with and the grammar allows. */
static uint32_t longest(lm_grammar_matcher *m, const uint8_t *text, size_t n, uint32_t fallback) {
    uint32_t best = fallback, best_size = 0, size;
    uint64_t position = m->chart.position;
    for (uint32_t token = 0; token < m->vocab->n_tokens; token++) {
        const uint8_t *bytes = lm_grammar_vocab_bytes(m->vocab, token, &size);
        if (m->vocab->kinds[token] != LM_GRAMMAR_TOKEN_KIND_TEXT || size <= best_size || size > n ||
            memcmp(bytes, text, size) != 0 || lm_matcher_take_token(m, token) != LM_OK)
            continue;
        (void)lm_matcher_chart_rewind(m, position);
        best = token;
        best_size = size;
    }
    return best;
}

uint32_t lm_matcher_keep_limit(lm_grammar_matcher *m, uint32_t token, uint64_t left) {
    uint8_t text[256];
    uint64_t position = m->chart.position;
    if (token >= m->vocab->n_tokens || m->vocab->kinds[token] == LM_GRAMMAR_TOKEN_KIND_END) return token;
    if (lm_matcher_take_token(m, token) != LM_OK) return token;
    size_t needed = lm_matcher_completion(m, NULL, 0);
    (void)lm_matcher_chart_rewind(m, position);
    if (needed == SIZE_MAX || (uint64_t)needed + 2 <= left) return token; /* this one, those, and the end */
    size_t n = lm_matcher_completion(m, text, sizeof text);
    if (n == SIZE_MAX) return token;
    if (n == 0) return m->vocab->n_ends > 0 ? m->vocab->ends[0] : token;
    return longest(m, text, n < sizeof text ? n : sizeof text, token);
}
