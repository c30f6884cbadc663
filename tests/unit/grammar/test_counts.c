/* SPDX-License-Identifier: MIT
 * Repetitions that are counted while a text is read: how often they may repeat is exact, and however they are nested the state
 * of a text does not grow with the ways to count it. */
#include "check.h"

#include "grammar/matcher.h"

typedef struct text {
    const char *grammar, *unit, *end;
    size_t n; /* units */
    int32_t whole;
} text;

static void follow(const char *source, const char *unit, size_t n, lm_grammar_matcher **matcher) {
    lm_grammar *grammar;
    assert_int_equal(lm_grammar_from_gbnf(source, strlen(source), NULL, &grammar, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, matcher, NULL), LM_OK);
    lm_grammar_destroy(grammar); /* the matcher holds on to it */
    for (size_t i = 0; i < n; i++)
        if (lm_grammar_matcher_accept_bytes(*matcher, unit, strlen(unit), NULL) != LM_OK)
            fail_msg("%s: not after %zu of \"%s\"", source, i, unit);
}

static void counts_are_exact(void **state) {
    static const text cases[] = {
        {"root ::= (\"a\" | \"aa\"){2,1501}", "a", "", 2, 1},
        {"root ::= (\"a\" | \"aa\"){2,1501}", "a", "", 1, 0},
        {"root ::= (\"a\" | \"aa\"){2,1501}", "a", "", 3002, 1}, /* as pairs */
        {"root ::= (\"a\" | \"aa\"){1501,}", "a", "", 1500, 0},
        {"root ::= (\"a\" | \"aa\"){1501,}", "a", "", 1501, 1}, /* one by one */
        {"root ::= (\"a\" | \"aa\"){1501,}", "a", "", 2800, 1},
        {"root ::= (\"a\" | \"aa\"){1501,1800} \"b\"", "a", "b", 1501, 1},
        {"root ::= (\"a\"{1,5001} \"b\"?){3,5001}", "a", "", 2, 0},
        {"root ::= (\"a\"{1,5001} \"b\"?){3,5001}", "a", "", 3, 1},
        {"root ::= (\"a\"{1,5001} \"b\"?){3,5001}", "ab", "", 60, 1},
        {"root ::= ((\"a\"{1,9999}){1,9999} \"b\"){2600}", "aab", "", 2599, 0},
        {"root ::= ((\"a\"{1,9999}){1,9999} \"b\"){2600}", "aab", "", 2600, 1},
        {"root ::= (\"a\"{2,9000} | \"b\"){2,9000}", "a", "", 3, 0},
        {"root ::= (\"a\"{2,9000} | \"b\"){2,9000}", "a", "b", 2, 1},
        {"root ::= (\"a\"{2,9000} | \"b\"){2,9000}", "a", "", 4, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const text *t = &cases[i];
        lm_grammar_matcher *matcher;
        follow(t->grammar, t->unit, t->n, &matcher);
        assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, t->end, strlen(t->end), NULL), LM_OK);
        if (lm_grammar_matcher_is_complete(matcher) != t->whole)
            fail_msg("%s: %zu of \"%s\" and \"%s\"", t->grammar, t->n, t->unit, t->end);
        lm_grammar_matcher_destroy(matcher);
    }
}

static void counts_have_an_end(void **state) {
    static const struct {
        const char *grammar;
        size_t n;
    } cases[] = {{"root ::= (\"a\" | \"aa\"){2,1501}", 3002},
                 {"root ::= \"a\"{1,5001}", 5001},
                 {"root ::= (\"a\" \"a\"?){1700}", 3400}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lm_grammar_matcher *matcher;
        follow(cases[i].grammar, "a", cases[i].n, &matcher);
        assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, "a", 1, NULL), LM_ERR_MISMATCH);
        assert_true(lm_grammar_matcher_is_complete(matcher));
        lm_grammar_matcher_destroy(matcher);
    }
}

/* An item for each state and each place its rule may have begun at. */
static void nested_counts_stay_few(void **state) {
    static const char *const grammars[] = {"root ::= (((\"a\"{1,999999999}){1,999999999}){1,9} \"b\"?){7}",
                                           "root ::= ((\"b\" | [^b] | .{1,5001}){0,999999999}){5,}",
                                           "root ::= (((\"a\" | \"aa\"){3,999999999})+){3000,}"};
    enum { N = 200 };
    (void)state;
    for (size_t i = 0; i < sizeof grammars / sizeof *grammars; i++) {
        lm_grammar_matcher *matcher;
        uint32_t n;
        follow(grammars[i], "a", N, &matcher);
        (void)lm_chart_items(&matcher->chart, &n);
        if (n > 8 * N) fail_msg("%s: %u items", grammars[i], n);
        lm_grammar_matcher_destroy(matcher);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_are_exact), cmocka_unit_test(counts_have_an_end),
                                       cmocka_unit_test(nested_counts_stay_few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
