/* SPDX-License-Identifier: MIT
 * Texts so long that the matcher forgets how they began: it still knows everything that may follow. */
#include "check.h"

#include <lm/grammar.h>

static void long_texts_keep_all_returns(void **state) {
    /* b is called from the root first, and from c, whose call begins later at the same place. */
    static const char *const texts[] = {
        "root ::= b \"1\" | c \"2\"\nc ::= b \"3\" | \"<\" c \">\"\nb ::= \"(\" b \")\" | [x]+",
        "root ::= c \"2\" | b \"1\"\nc ::= b \"3\" | \"<\" c \">\"\nb ::= \"(\" b \")\" | [x]+"};
    static const char *const ends[] = {"1", "32"};
    lm_grammar *grammar;
    lm_grammar_matcher *matcher;
    char *long_text = malloc(40000);
    (void)state;
    assert_non_null(long_text);
    memset(long_text, 'x', 40000);
    for (size_t i = 0; i < 4; i++) {
        const char *text = texts[i / 2];
        assert_int_equal(lm_grammar_from_gbnf(text, strlen(text), NULL, &grammar, NULL), LM_OK);
        assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
        for (size_t at = 0; at < 40000; at += 500)
            assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, long_text + at, 500, NULL), LM_OK);
        assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, ends[i % 2], strlen(ends[i % 2]), NULL), LM_OK);
        assert_true(lm_grammar_matcher_is_complete(matcher));
        lm_grammar_matcher_destroy(matcher);
        lm_grammar_destroy(grammar);
    }
    free(long_text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(long_texts_keep_all_returns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
