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

/* A model of expressions: from a set of places in a text to the set of places behind. */
typedef struct expression {
    char kind; /* a character, '.' for a sequence, '|', or '{' */
    uint32_t least, most;
    const struct expression *left, *right;
} expression;

static uint64_t random_state = 88172645463325252u;
static uint32_t random_below(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

static const expression *make(expression *nodes, size_t *n, int depth) {
    expression *e = &nodes[(*n)++];
    uint32_t kind = depth == 0 ? 0 : random_below(10);
    e->kind = kind < 2 ? (char)('a' + random_below(2)) : kind < 4 ? '.' : kind < 6 ? '|' : '{';
    if (e->kind == '{') {
        e->least = random_below(4);
        e->most =
            random_below(3) ? 5001 + random_below(9) : e->least + 1 + random_below(3); /* counted, or written out */
    }
    if (kind >= 2) e->left = make(nodes, n, depth - 1);
    if (kind >= 2 && kind < 6) e->right = make(nodes, n, depth - 1);
    return e;
}

static size_t print(const expression *e, char *out) {
    size_t n = 0;
    if (!e->left) return (size_t)sprintf(out, "\"%c\"", e->kind);
    out[n++] = '(';
    n += print(e->left, out + n);
    if (e->right) {
        n += (size_t)sprintf(out + n, e->kind == '|' ? " | " : " ");
        n += print(e->right, out + n);
    }
    out[n++] = ')';
    if (e->kind == '{') n += (size_t)sprintf(out + n, "{%u,%u}", e->least, e->most);
    return n;
}

static uint64_t behind(const expression *e, const char *text, uint64_t places) {
    uint64_t out = 0;
    switch (e->kind) {
    case '.': return behind(e->right, text, behind(e->left, text, places));
    case '|': return behind(e->left, text, places) | behind(e->right, text, places);
    case '{':
        if (e->least == 0) out = places;
        /* Where more repetitions than the text has characters change nothing more. */
        for (uint32_t k = 1; places && k <= e->most && k <= e->least + 64; k++) {
            places = behind(e->left, text, places);
            if (k >= e->least) out |= places;
        }
        return out;
    default:
        for (size_t i = 0; text[i]; i++)
            if (text[i] == e->kind && places >> i & 1) out |= (uint64_t)2 << i;
        return out;
    }
}

static void random_counts_match_a_model(void **state) {
    (void)state;
    for (int round = 0; round < 400; round++) {
        uint64_t seed = random_state;
        expression nodes[64] = {{0}};
        char source[2048] = "root ::= ";
        size_t n_nodes = 0;
        lm_grammar *grammar;
        const expression *root = make(nodes, &n_nodes, 4);
        (void)print(root, source + strlen(source));
        if (lm_grammar_from_gbnf(source, strlen(source), NULL, &grammar, NULL) != LM_OK) fail_msg("%s", source);
        for (int i = 0; i < 8; i++) {
            lm_grammar_matcher *matcher;
            char text[24] = "";
            size_t n = random_below(sizeof text);
            for (size_t k = 0; k < n; k++) text[k] = (char)('a' + (random_below(4) == 0));
            uint64_t ends = behind(root, text, 1);
            assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
            for (size_t k = 0; k <= n; k++) {
                if (lm_grammar_matcher_is_complete(matcher) != (int32_t)(ends >> k & 1))
                    fail_msg("seed %llu: %s: %.*s", (unsigned long long)seed, source, (int)k, text);
                if (k < n && lm_grammar_matcher_accept_bytes(matcher, text + k, 1, NULL) != LM_OK) {
                    assert_int_equal(ends >> k >> 1, 0); /* nor any longer text */
                    break;
                }
            }
            lm_grammar_matcher_destroy(matcher);
        }
        lm_grammar_destroy(grammar);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_are_exact), cmocka_unit_test(counts_have_an_end),
                                       cmocka_unit_test(nested_counts_stay_few),
                                       cmocka_unit_test(random_counts_match_a_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
