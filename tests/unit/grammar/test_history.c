/* SPDX-License-Identifier: MIT
 * Texts so long that the matcher forgets how they began: it still knows everything that may follow. */
#include "check.h"

#include <lm/grammar.h>

/* b is called from the root, and from c, whose call begins at the same place: the earlier of their frames may lead to the later
 * one. While b is open nothing else says that the later one is needed. */
static void long_texts_keep_all_returns(void **state) {
    static const char *const texts[] = {
        "root ::= b \"1\" | c \"2\"\nc ::= b \"3\" | \"<\" c \">\"\nb ::= \"(\" b \")\" | [x]+ \"y\"",
        "root ::= c \"2\" | b \"1\"\nc ::= b \"3\" | \"<\" c \">\"\nb ::= \"(\" b \")\" | [x]+ \"y\"",
        ("root ::= \"<\" c \">\" | b \"1\" | c \"2\"\n"
         "b ::= \"(\" b \")\" | [x]+ \"y\" | \"{\" c \"}\"\n"
         "c ::= b \"3\" | \"<\" c \">\"")};
    static const struct {
        const char *end;
        int32_t whole;
    } ends[] = {{"y1", 1}, {"y32", 1}, {"y3", 0}};
    lm_grammar *grammar;
    lm_grammar_matcher *matcher;
    char *long_text = malloc(40000);
    (void)state;
    assert_non_null(long_text);
    memset(long_text, 'x', 40000);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
            assert_int_equal(lm_grammar_from_gbnf(texts[i], strlen(texts[i]), NULL, &grammar, NULL), LM_OK);
            assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
            for (size_t at = 0; at < 40000; at += 500)
                assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, long_text + at, 500, NULL), LM_OK);
            assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, ends[k].end, strlen(ends[k].end), NULL), LM_OK);
            assert_int_equal(lm_grammar_matcher_is_complete(matcher), ends[k].whole);
            lm_grammar_matcher_destroy(matcher);
            lm_grammar_destroy(grammar);
        }
    }
    free(long_text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(long_texts_keep_all_returns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
