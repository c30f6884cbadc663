/* SPDX-License-Identifier: MIT
 * A grammar in a sampler: what it picks always matches, copies go their own ways, a reset begins anew. */
#include <math.h>

#include <lm/grammar.h>
#include <lm/sampler.h>

#include "check.h"

static int32_t get_byte(void *user, lm_token token, const char **bytes, size_t *n) {
    char *byte = user;
    *byte = (char)token;
    *bytes = byte;
    *n = 1;
    return token == 0 ? LM_GRAMMAR_TOKEN_KIND_END : LM_GRAMMAR_TOKEN_KIND_TEXT;
}

static void picks_match_the_grammar(void **state) {
    (void)state;
    static const char text[] = "root ::= \"ab\" [cd] \"e\"?";
    lm_grammar *grammar;
    lm_grammar_vocab *vocab;
    lm_grammar_matcher *matcher;
    lm_grammar_vocab_params vocab_params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    lm_sampler_vocab sampler_vocab = LM_SAMPLER_VOCAB_INIT;
    lm_sampler *sampler, *copy;
    lm_token token;
    char byte;
    float logits[256];
    for (int i = 0; i < 256; i++) logits[i] = (float)i / 64; /* 'd' before 'c', 'e' before the end */
    vocab_params.n_tokens = sampler_vocab.n_vocab = 256;
    vocab_params.user = &byte;
    vocab_params.get = get_byte;
    params.temperature = 0;
    assert_int_equal(lm_grammar_from_gbnf(text, sizeof text - 1, NULL, &grammar, NULL), LM_OK);
    assert_int_equal(lm_grammar_vocab_create(&vocab_params, &vocab, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, NULL), LM_OK);
    assert_int_equal(lm_sampler_create(&params, &sampler_vocab, &sampler, NULL), LM_OK);
    assert_int_equal(lm_sampler_set_grammar(sampler, matcher), LM_OK);
    for (int round = 0; round < 2; round++) {
        static const char expected[] = "abde";
        for (int i = 0; i < 4; i++) {
            assert_int_equal(lm_sampler_pick(sampler, logits, 256, &token), LM_OK);
            assert_int_equal(token, expected[i]);
            assert_int_equal(lm_sampler_accept(sampler, 'z'), LM_ERR_MISMATCH);
            assert_string_equal(lm_sampler_message(sampler), "the grammar does not allow token 122");
            assert_int_equal(lm_sampler_accept(sampler, token), LM_OK);
        }
        assert_int_equal(lm_sampler_pick(sampler, logits, 256, &token), LM_OK);
        assert_int_equal(token, 0);
        assert_int_equal(lm_sampler_clone(sampler, &copy), LM_OK);
        lm_sampler_reset(sampler);
        assert_int_equal(lm_sampler_pick(copy, logits, 256, &token), LM_OK);
        assert_int_equal(token, 0);
        lm_sampler_destroy(copy);
    }
    for (int i = 0; i < 256; i++) logits[i] = i == 'a' ? -INFINITY : 0; /* the only one that the grammar allows */
    lm_sampler_reset(sampler);
    assert_int_equal(lm_sampler_pick(sampler, logits, 256, &token), LM_ERR_RANGE);
    for (int i = 0; i < 256; i++) logits[i] = (float)i / 64;
    assert_int_equal(lm_sampler_set_grammar(sampler, NULL), LM_OK);
    assert_int_equal(lm_sampler_pick(sampler, logits, 256, &token), LM_OK);
    assert_int_equal(token, 255);
    lm_grammar_matcher_destroy(matcher);
    assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
    assert_int_equal(lm_sampler_set_grammar(sampler, matcher), LM_ERR_ARGUMENT);
    assert_string_equal(lm_sampler_message(sampler), "the matcher has no vocabulary");
    lm_sampler_destroy(sampler);
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_vocab_destroy(vocab);
    lm_grammar_destroy(grammar);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(picks_match_the_grammar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
