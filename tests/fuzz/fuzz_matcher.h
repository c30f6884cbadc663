/* SPDX-License-Identifier: MIT
 * What both grammar targets do with a grammar that compiled. */
#ifndef LM_TESTS_FUZZ_MATCHER_H
#define LM_TESTS_FUZZ_MATCHER_H

#include <stdlib.h>

#include <lm/grammar.h>

static int32_t fuzz_get_byte(void *user, lm_token token, const char **bytes, size_t *n) {
    char *byte = user;
    *byte = (char)token;
    *bytes = byte;
    *n = 1;
    return token == 0 ? LM_GRAMMAR_TOKEN_KIND_END : LM_GRAMMAR_TOKEN_KIND_TEXT;
}

/* Take a path through the grammar that the input's bytes choose; destroys the grammar. */
static void fuzz_matcher(lm_grammar *grammar, const uint8_t *data, size_t size) {
    lm_grammar_vocab_params params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    lm_grammar_vocab *vocab;
    lm_grammar_matcher *matcher;
    char byte;
    params.n_tokens = 256;
    params.user = &byte;
    params.get = fuzz_get_byte;
    if (lm_grammar_vocab_create(&params, &vocab, NULL) != LM_OK) abort();
    if (lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, NULL) != LM_OK) abort();
    for (size_t step = 0; step < 24; step++) {
        uint32_t mask[8], last = 0, wanted = size ? data[(step * 7) % size] : 0;
        uint64_t position = lm_grammar_matcher_position(matcher);
        if (lm_grammar_matcher_mask(matcher, mask, 8) != LM_OK) break;
        if ((int32_t)(mask[0] & 1) != lm_grammar_matcher_is_complete(matcher)) abort();
        for (uint32_t token = 1; token < 256; token++) {
            int bit = mask[token / 32] >> token % 32 & 1;
            /* Later on a sample is enough, as a grammar may make each slow. */
            if (step < 1 || token % 16 == wanted % 16) {
                if (bit != (lm_grammar_matcher_accept_token(matcher, (lm_token)token) == LM_OK)) abort();
                if (bit && lm_grammar_matcher_rewind(matcher, position) != LM_OK) abort();
            }
            if (bit && (last == 0 || token <= wanted)) last = token;
        }
        if (last == 0) {
            /* A dead end that was called viable, unless the grammar wants a NUL, which no token has. */
            if (!lm_grammar_matcher_is_complete(matcher) &&
                lm_grammar_matcher_accept_bytes(matcher, "", 1, NULL) != LM_OK)
                abort();
            break;
        }
        if (lm_grammar_matcher_accept_token(matcher, (lm_token)last) != LM_OK) abort();
    }
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_vocab_destroy(vocab);
    lm_grammar_destroy(grammar);
}

#endif
