/* SPDX-License-Identifier: MIT
 * GBNF cases: texts that match, texts that do not with the number of leading code points that were viable, grammars that
 * must be refused. Each text is fed whole, by code point and byte by byte; the answers must agree. */
#include <stdbool.h>

#include <lm/grammar.h>

#include "base/json.h"
#include "base/utf8.h"
#include "check.h"

/* Feed text in steps of at most piece bytes (0: by code point): the number of leading bytes that were viable. */
static size_t feed(lm_grammar *grammar, const char *text, size_t n, size_t piece, bool *complete) {
    lm_grammar_matcher *matcher;
    assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
    size_t at = 0;
    while (at < n) {
        size_t take = piece, viable = 99;
        uint32_t code;
        if (piece == 0) take = lm_utf8_decode(text + at, n - at, &code);
        if (take == 0 || take > n - at) take = n - at;
        lm_status status = lm_grammar_matcher_accept_bytes(matcher, text + at, take, &viable);
        at += viable;
        if (status == LM_OK) continue;
        assert_int_equal(status, LM_ERR_MISMATCH);
        break;
    }
    *complete = at == n && lm_grammar_matcher_is_complete(matcher);
    lm_grammar_matcher_destroy(matcher);
    return at;
}

static size_t whole_code_points(const char *text, size_t n) {
    return lm_utf8_count(text, lm_utf8_valid_prefix(text, n));
}

static int check_text(const char *name, lm_grammar *grammar, const lm_json *text, bool accept, int64_t viable) {
    static const size_t pieces[] = {SIZE_MAX, 0, 1, 2, 3};
    int wrong = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        bool complete;
        size_t bytes = feed(grammar, text->text, text->count, pieces[i], &complete);
        int64_t points = (int64_t)whole_code_points(text->text, bytes);
        if (complete == accept && (accept || points == viable)) continue;
        print_error("%s: \"%s\": %s, %d viable; expected %s, %d\n", name, text->text,
                    complete ? "accepted" : "rejected", (int)points, accept ? "accepted" : "rejected", (int)viable);
        wrong++;
    }
    return wrong;
}

static int check_case(const lm_json *item) {
    const char *name = lm_json_text(lm_json_get(item, "name"), "?");
    const lm_json *text = lm_json_get(item, "grammar"), *accept = lm_json_get(item, "accept");
    const lm_json *reject = lm_json_get(item, "reject"), *may_refuse = lm_json_get(item, "may_refuse");
    lm_grammar *grammar = NULL;
    lm_error error = {0};
    lm_status status = lm_grammar_from_gbnf(text->text, text->count, NULL, &grammar, &error);
    if (lm_json_get(item, "error")) {
        if (status != LM_OK && error.message[0]) return 0;
        print_error("%s: not refused\n", name);
        lm_grammar_destroy(grammar);
        return 1;
    }
    if (status != LM_OK) {
        print_error("%s: %s (line %d, offset %d)\n", name, error.message, (int)error.line, (int)error.offset);
        return !may_refuse;
    }
    int wrong = 0;
    for (size_t i = 0; i < accept->count; i++) wrong += check_text(name, grammar, lm_json_at(accept, i), true, 0);
    for (size_t i = 0; i < reject->count; i++) {
        int64_t viable = -1;
        lm_json_int64(lm_json_get(lm_json_at(reject, i), "viable"), &viable);
        wrong += check_text(name, grammar, lm_json_get(lm_json_at(reject, i), "text"), false, viable);
    }
    lm_grammar_destroy(grammar);
    return wrong;
}

static void check_file(const char *bytes, size_t n) {
    lm_env env;
    lm_arena arena;
    const lm_json *root;
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&arena, bytes, n, LM_JSON_DEPTH_DEFAULT, &root, NULL), LM_OK);
    assert_true(root->count > 10);
    int wrong = 0;
    for (size_t i = 0; i < root->count; i++) wrong += check_case(lm_json_at(root, i));
    lm_arena_free(&arena);
    assert_int_equal(wrong, 0);
}

static void reference_cases_hold(void **state) {
    (void)state;
    size_t n = 0;
    char *bytes = test_read_shared("fixtures/gbnf/cases.json", &n);
    check_file(bytes, n);
    free(bytes);
}

static void own_cases_hold(void **state) {
    (void)state;
    char path[1024];
    size_t n = 0;
    assert_true(test_path("LM_GOLDEN", "grammar/gbnf.json", path, sizeof path));
    char *bytes = test_read(path, &n);
    assert_non_null(bytes);
    check_file(bytes, n);
    free(bytes);
}

/* The sentence, the line from 1 and the offset in bytes. */
static void bad_grammars_are_refused_where_they_break(void **state) {
    static const struct {
        const char *text, *message;
        int32_t line;
        uint64_t offset;
        lm_status status;
    } rows[] = {
        {"root = \"a\"", "grammar: ::= expected before \"= \"a\"\"", 1, 5, LM_ERR_FORMAT},
        {"root ::= \"a", "grammar: unterminated literal before \"\"a\"", 1, 9, LM_ERR_FORMAT},
        {"root ::= a\na ::= [z-a]", "grammar: reversed range before \"z-a]\"", 2, 18, LM_ERR_FORMAT},
        {"root ::= []", "grammar: empty class before \"[]\"", 1, 9, LM_ERR_FORMAT},
        {"root ::= \"a\"{3,2}", "grammar: reversed repeat counts before \"{3,2}\"", 1, 12, LM_ERR_FORMAT},
        {"root ::= \"a\"{2000000000}", "grammar: repeat count above 1000000000", 1, 13, LM_ERR_LIMIT},
        {"root ::= (\n\"a\"", "grammar: unterminated group before \"(\\x0a\"a\"\"", 1, 9, LM_ERR_FORMAT},
        {"root ::= \"\\q\"", "grammar: unknown escape before \"\\q\"\"", 1, 10, LM_ERR_FORMAT},
        {"root ::= [\\uD800]", "grammar: not a code point before \"\\uD800]\"", 1, 10, LM_ERR_FORMAT},
        {"\n\nroot ::= \"a\" )", "grammar: end of rule expected before \")\"", 3, 15, LM_ERR_FORMAT},
        {"root ::= *", "grammar: nothing to repeat before \"*\"", 1, 9, LM_ERR_FORMAT},
        {"root ::= \"b\"\n\nc ::=\n  x\n", "grammar: undefined rule \"x\"", 4, 22, LM_ERR_FORMAT},
        {"a ::= \"b\"", "grammar: no rule named root", 1, 0, LM_ERR_FORMAT},
        {"root ::= a\na ::= b\n\nb ::= a \"x\" | \"y\"",
         "grammar: rule \"a\" is left recursive: it may begin with itself", 2, 11, LM_ERR_FORMAT},
        {"root ::= \"b\" | c\n\n\nc ::= d c\nd ::= \"\"",
         "grammar: rule \"c\" is left recursive: it may begin with itself", 4, 19, LM_ERR_FORMAT},
        {"root ::= a\n# c\na ::= \"x\" a", "grammar: rule \"root\" matches no finite text", 1, 0, LM_ERR_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lm_grammar *grammar = NULL;
        lm_error error = {.message = ""};
        lm_status status = lm_grammar_from_gbnf(rows[i].text, strlen(rows[i].text), NULL, &grammar, &error);
        if (status != rows[i].status || (lm_status)error.status != status || strcmp(error.message, rows[i].message) ||
            error.line != rows[i].line || error.offset != rows[i].offset)
            fail_msg("%s\n%s: %s, line %d, offset %d", rows[i].text, lm_status_name(status), error.message,
                     (int)error.line, (int)error.offset);
        assert_null(grammar);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(own_cases_hold),
                                       cmocka_unit_test(bad_grammars_are_refused_where_they_break),
                                       cmocka_unit_test(reference_cases_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
