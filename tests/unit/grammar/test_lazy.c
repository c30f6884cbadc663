/* SPDX-License-Identifier: MIT
 * Lazy matchers: what wakes them, where the grammar's text begins, going back across the trigger, patterns that would hang
 * a backtracking search, memory failures; and the bound on work per step. */
#include "counting.h"

#include <lm/grammar.h>

#define N_PIECES 10

/* Bytes are their own tokens; after them some pieces. 0 ends. */
static const char *const pieces[N_PIECES] = {"<call>", "x{",   "a<ca",   "ll>{", "hello",
                                             "\xC3",   "\xA9", "{\"a\"", ":",    "<ctl>"};
enum { CALL = 256, X_BRACE, A_CA, LL_BRACE, HELLO, C3, A9, OBJECT, COLON, CONTROL };

static int32_t get(void *user, lm_token token, const char **bytes, size_t *n) {
    char *byte = user;
    if (token >= 256) {
        *bytes = pieces[token - 256];
        *n = strlen(*bytes);
        return token == CONTROL ? LM_GRAMMAR_TOKEN_KIND_CONTROL : LM_GRAMMAR_TOKEN_KIND_TEXT;
    }
    *byte = (char)token;
    *bytes = byte;
    *n = 1;
    return token == 0 ? LM_GRAMMAR_TOKEN_KIND_END : LM_GRAMMAR_TOKEN_KIND_TEXT;
}

static lm_grammar_vocab *make_vocab(const lm_allocator *allocator) {
    lm_grammar_vocab_params params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    lm_grammar_vocab *vocab = NULL;
    char byte;
    params.n_tokens = 256 + N_PIECES;
    params.user = &byte;
    params.get = get;
    params.allocator = allocator;
    return lm_grammar_vocab_create(&params, &vocab, NULL) == LM_OK ? vocab : NULL;
}

static lm_grammar *grammar_of(const char *text) {
    lm_grammar *grammar = NULL;
    assert_int_equal(lm_grammar_from_gbnf(text, strlen(text), NULL, &grammar, NULL), LM_OK);
    return grammar;
}

static lm_grammar_trigger trigger_of(int32_t kind, const char *text) {
    return (lm_grammar_trigger){kind, LM_TOKEN_NONE, text, strlen(text)};
}

static lm_grammar_matcher *matcher_of(const char *gbnf, const lm_grammar_trigger *triggers, size_t n) {
    lm_grammar_matcher_params params = LM_GRAMMAR_MATCHER_PARAMS_INIT;
    lm_grammar *grammar = grammar_of(gbnf);
    lm_grammar_vocab *vocab = make_vocab(NULL);
    lm_grammar_matcher *matcher = NULL;
    params.triggers = triggers;
    params.n_triggers = n;
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, &params, &matcher, NULL), LM_OK);
    lm_grammar_destroy(grammar);
    lm_grammar_vocab_destroy(vocab);
    return matcher;
}

static lm_status take(lm_grammar_matcher *m, const char *text) {
    for (; *text; text++) {
        lm_status status = lm_grammar_matcher_accept_token(m, (unsigned char)*text);
        if (status != LM_OK) return status;
    }
    return LM_OK;
}

static int allows(lm_grammar_matcher *m, lm_token token) {
    uint32_t mask[9];
    assert_int_equal(lm_grammar_matcher_mask(m, mask, 9), LM_OK);
    return mask[token / 32] >> token % 32 & 1;
}

static void a_word_wakes_wherever_tokens_end(void **state) {
    lm_grammar_trigger word = trigger_of(LM_GRAMMAR_TRIGGER_KIND_WORD, "<call>");
    lm_grammar_matcher *m = matcher_of("root ::= \"<call>{\" [a-z]+ \"}\"", &word, 1), *copy;
    (void)state;
    assert_int_equal(lm_grammar_matcher_is_waiting(m), 1);
    assert_int_equal(lm_grammar_matcher_is_complete(m), 1);
    assert_true(allows(m, 'q') && allows(m, 0) && allows(m, CALL));
    assert_int_equal(lm_grammar_matcher_accept_token(m, 0), LM_OK); /* ends are free */
    assert_int_equal(take(m, "text <c<"), LM_OK);
    uint64_t before = lm_grammar_matcher_position(m);
    assert_int_equal(lm_grammar_matcher_accept_token(m, A_CA), LM_OK);
    assert_int_equal(lm_grammar_matcher_is_waiting(m), 1);
    assert_int_equal(lm_grammar_matcher_clone(m, &copy), LM_OK);
    for (int i = 0; i < 2; i++) { /* the matcher, then its copy */
        lm_grammar_matcher *one = i ? copy : m;
        assert_int_equal(lm_grammar_matcher_accept_token(one, LL_BRACE), LM_OK);
        assert_int_equal(lm_grammar_matcher_is_waiting(one), 0);
        assert_int_equal(lm_grammar_matcher_is_complete(one), 0);
        assert_true(!allows(one, '}') && allows(one, 'q') && allows(one, HELLO) && !allows(one, CALL));
        uint64_t inside = lm_grammar_matcher_position(one);
        assert_int_equal(take(one, "ab}"), LM_OK);
        assert_int_equal(lm_grammar_matcher_is_complete(one), 1);
        assert_int_equal(lm_grammar_matcher_rewind(one, inside), LM_OK);
        assert_int_equal(take(one, "}"), LM_ERR_MISMATCH);
        /* Back to where it waited: the trigger is found again, and also without what was taken back. */
        assert_int_equal(lm_grammar_matcher_rewind(one, before), LM_OK);
        assert_int_equal(lm_grammar_matcher_is_waiting(one), 1);
        assert_int_equal(take(one, "all>"), LM_OK);
        assert_int_equal(lm_grammar_matcher_is_waiting(one), 1);
        assert_int_equal(take(one, "<call>"), LM_OK);
        assert_int_equal(lm_grammar_matcher_is_waiting(one), 0);
    }
    assert_int_equal(lm_grammar_matcher_rewind(m, before - 1), LM_OK);
    assert_int_equal(lm_grammar_matcher_rewind(m, before), LM_ERR_RANGE);
    assert_int_equal(lm_grammar_matcher_reset(m), LM_OK);
    assert_int_equal(lm_grammar_matcher_is_waiting(m), 1);
    lm_grammar_matcher_destroy(copy);
    lm_grammar_matcher_destroy(m);
}

static void a_refused_token_leaves_the_matcher_waiting(void **state) {
    lm_grammar_trigger word = trigger_of(LM_GRAMMAR_TRIGGER_KIND_WORD, "x{");
    lm_grammar_matcher *m = matcher_of("root ::= \"x{1}\"", &word, 1);
    (void)state;
    assert_int_equal(take(m, "x"), LM_OK);
    uint64_t position = lm_grammar_matcher_position(m);
    assert_int_equal(lm_grammar_matcher_accept_token(m, OBJECT), LM_ERR_MISMATCH); /* x{"a" */
    assert_int_equal(lm_grammar_matcher_is_waiting(m), 1);
    assert_true(lm_grammar_matcher_position(m) == position);
    size_t viable = 9;
    assert_int_equal(lm_grammar_matcher_accept_bytes(m, "{2", 2, &viable), LM_ERR_MISMATCH);
    assert_int_equal(viable, 0);
    assert_int_equal(take(m, "{1}"), LM_OK);
    assert_int_equal(lm_grammar_matcher_is_complete(m), 1);
    lm_grammar_matcher_destroy(m);
}

static void tokens_and_order(void **state) {
    lm_grammar_trigger triggers[2] = {{LM_GRAMMAR_TRIGGER_KIND_TOKEN, CONTROL, NULL, 0},
                                      trigger_of(LM_GRAMMAR_TRIGGER_KIND_WORD, "hello")};
    lm_grammar_matcher *m = matcher_of("root ::= <[265]> \"!\" | \"hello?\"", triggers, 2);
    (void)state;
    assert_int_equal(take(m, "<ctl>"), LM_OK); /* the same letters are not the token */
    assert_int_equal(lm_grammar_matcher_is_waiting(m), 1);
    uint64_t waiting = lm_grammar_matcher_position(m);
    assert_int_equal(lm_grammar_matcher_accept_token(m, CONTROL), LM_OK);
    assert_true(allows(m, '!') && !allows(m, '?'));
    assert_int_equal(lm_grammar_matcher_rewind(m, waiting), LM_OK);
    assert_int_equal(lm_grammar_matcher_accept_token(m, HELLO), LM_OK);
    assert_true(allows(m, '?') && !allows(m, '!'));
    lm_grammar_matcher_destroy(m);
}

static void tokens_that_do_not_exist_are_refused(void **state) {
    lm_grammar *grammar = grammar_of("root ::= \"a\"");
    lm_grammar_vocab *vocab = make_vocab(NULL);
    lm_grammar_matcher_params params = LM_GRAMMAR_MATCHER_PARAMS_INIT;
    lm_grammar_trigger trigger = {LM_GRAMMAR_TRIGGER_KIND_TOKEN, 0, NULL, 0};
    lm_grammar_matcher *m = NULL;
    (void)state;
    params.triggers = &trigger;
    params.n_triggers = 1;
    for (int i = 0; i < 3; i++) {
        trigger.token = i == 0 ? LM_TOKEN_NONE : i == 1 ? 1 << 20 : CONTROL;
        assert_int_equal(lm_grammar_matcher_create(grammar, i == 2 ? NULL : vocab, &params, &m, NULL), LM_ERR_ARGUMENT);
    }
    lm_error error;
    params.reserved = 1;
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, &params, &m, &error), LM_ERR_ARGUMENT);
    assert_string_equal(error.message, "lm_grammar_matcher_params.reserved is not 0");
    assert_null(m);
    lm_grammar_vocab_destroy(vocab);
    lm_grammar_destroy(grammar);
}

/* What a pattern finds in a text given as one token per byte: after how many bytes, and where the grammar begins. */
static const struct pattern_case {
    int32_t kind;
    const char *pattern, *text;
    int32_t wakes_after; /* -1: never */
    const char *seen;    /* by the grammar when it wakes */
} pattern_cases[] = {
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "b+", "aabb", 3, "b"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "^b", "ab", -1, ""},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "^\\s+to$", "  to", 4, "  to"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "<s>a(\\s+to)", "x<s>a  to", 9, "  to"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "q()(b)", "qb", 2, "b"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "(?:ab|a)(c)?d", "abcd", 4, "cd"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "a{2,3}b", "aaaab", 5, "aaab"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "(?:x|y|zz){2}!", "axzz!", 5, "xzz!"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "a*?b", "aab", 3, "aab"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN, "[^\\x00-\\x7F]z", "a\xC3\xA9z", 4, "\xC3\xA9z"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL, "ab*", "abb", 1, "a"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL, "b", "ab", -1, ""},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL, "a|bc", "bc", 2, "bc"},
    {LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL, ".", "\xC3\xA9", 2, "\xC3\xA9"},
    {LM_GRAMMAR_TRIGGER_KIND_WORD, "a.c", "abca.c", 6, "a.c"},
};

static void patterns_begin_the_grammar_where_they_say(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pattern_cases / sizeof *pattern_cases; i++) {
        const struct pattern_case *c = &pattern_cases[i];
        lm_grammar_trigger trigger = trigger_of(c->kind, c->pattern);
        char gbnf[256];
        size_t n = (size_t)snprintf(gbnf, sizeof gbnf, "root ::= \"%s$\"", c->seen);
        assert_true(n < sizeof gbnf);
        lm_grammar_matcher *m = matcher_of(gbnf, &trigger, 1);
        int32_t woke = -1;
        for (int32_t k = 0; c->text[k] && woke < 0; k++) {
            lm_status status = lm_grammar_matcher_accept_token(m, (unsigned char)c->text[k]);
            if (status != LM_OK) print_message("%s at %d of %s\n", c->pattern, (int)k, c->text);
            assert_int_equal(status, LM_OK);
            if (!lm_grammar_matcher_is_waiting(m)) woke = k + 1;
        }
        if (woke != c->wakes_after) print_message("%s in %s\n", c->pattern, c->text);
        assert_int_equal(woke, c->wakes_after);
        if (woke >= 0) assert_int_equal(take(m, "$"), LM_OK); /* it saw all of seen, and nothing more */
        lm_grammar_matcher_destroy(m);
    }
}

static void bad_triggers_are_refused(void **state) {
    static const struct {
        lm_grammar_trigger trigger;
        lm_status status;
    } cases[] = {
        {{LM_GRAMMAR_TRIGGER_KIND_WORD, 0, "", 0}, LM_ERR_FORMAT},
        {{LM_GRAMMAR_TRIGGER_KIND_WORD, 0, "\xFF", 1}, LM_ERR_FORMAT},
        {{LM_GRAMMAR_TRIGGER_KIND_WORD, 0, NULL, 0}, LM_ERR_ARGUMENT},
        {{9, 0, "a", 1}, LM_ERR_ARGUMENT},
        {{LM_GRAMMAR_TRIGGER_KIND_PATTERN, 0, "(", 1}, LM_ERR_FORMAT},
        {{LM_GRAMMAR_TRIGGER_KIND_PATTERN, 0, "a(?!b)", 6}, LM_ERR_UNSUPPORTED},
        {{LM_GRAMMAR_TRIGGER_KIND_PATTERN, 0, "a{5000}", 7}, LM_ERR_LIMIT},
        {{LM_GRAMMAR_TRIGGER_KIND_PATTERN, 0, "(?:(?:){1000}){1000}", 20}, LM_ERR_LIMIT},
        {{LM_GRAMMAR_TRIGGER_KIND_PATTERN, 0, "()()()()()()()()()()()()()()()()()", 34}, LM_ERR_LIMIT},
    };
    lm_grammar *grammar = grammar_of("root ::= \"a\"");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lm_grammar_matcher_params params = LM_GRAMMAR_MATCHER_PARAMS_INIT;
        lm_grammar_matcher *matcher = NULL;
        lm_error error;
        params.triggers = &cases[i].trigger;
        params.n_triggers = 1;
        assert_int_equal(lm_grammar_matcher_create(grammar, NULL, &params, &matcher, &error), cases[i].status);
        assert_int_equal(error.status, cases[i].status);
        assert_null(matcher);
    }
    lm_grammar_destroy(grammar);
}

/* A pattern with (a|a)* needs exponential time when searched by trying; here a quarter of a megabyte takes a moment. */
static void searching_is_linear(void **state) {
    static char text[1 << 16];
    lm_grammar_trigger pattern = trigger_of(LM_GRAMMAR_TRIGGER_KIND_PATTERN, "(?:(?:a|a|aa)*)*b$");
    lm_grammar_matcher *m = matcher_of("root ::= [ab]*", &pattern, 1);
    (void)state;
    memset(text, 'a', sizeof text);
    for (int i = 0; i < 4; i++) assert_int_equal(lm_grammar_matcher_accept_bytes(m, text, sizeof text, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_is_waiting(m), 1);
    assert_int_equal(lm_grammar_matcher_accept_bytes(m, "b", 1, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_is_waiting(m), 0);
    lm_grammar_matcher_destroy(m);
}

static void memory_failures_leave_nothing(void **state) {
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_allocator allocator = test_memory_allocator(&memory);
        lm_grammar_params grammar_params = LM_GRAMMAR_PARAMS_INIT;
        lm_grammar_matcher_params params = LM_GRAMMAR_MATCHER_PARAMS_INIT;
        lm_grammar_trigger triggers[2] = {trigger_of(LM_GRAMMAR_TRIGGER_KIND_WORD, "<call>"),
                                          trigger_of(LM_GRAMMAR_TRIGGER_KIND_PATTERN, "(a|b)+c")};
        lm_grammar *grammar = NULL;
        lm_grammar_matcher *matcher = NULL, *copy = NULL;
        static const char text[] = "root ::= \"<call>\" [a-z]*";
        grammar_params.allocator = &allocator;
        params.triggers = triggers;
        params.n_triggers = 2;
        lm_status status = lm_grammar_from_gbnf(text, sizeof text - 1, &grammar_params, &grammar, NULL);
        lm_grammar_vocab *vocab = status == LM_OK ? make_vocab(&allocator) : NULL;
        if (status == LM_OK && !vocab) status = LM_ERR_MEMORY;
        if (status == LM_OK) status = lm_grammar_matcher_create(grammar, vocab, &params, &matcher, NULL);
        if (status == LM_OK) status = lm_grammar_matcher_accept_token(matcher, HELLO);
        if (status == LM_OK) status = lm_grammar_matcher_clone(matcher, &copy);
        if (status == LM_OK) {
            status = lm_grammar_matcher_accept_token(copy, CALL);
            assert_int_equal(lm_grammar_matcher_is_waiting(copy), status != LM_OK);
        }
        lm_grammar_matcher_destroy(copy);
        lm_grammar_matcher_destroy(matcher);
        lm_grammar_vocab_destroy(vocab);
        lm_grammar_destroy(grammar);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) {
            assert_int_equal(status, LM_OK);
            break;
        }
        assert_int_equal(status, LM_ERR_MEMORY);
    }
}

/* Each rule doubles the ways to cut a text: cubic work for a chart, times the copies of rules that were inlined, so a longer text must end in LM_ERR_LIMIT, soon. */
static void work_per_step_is_bounded(void **state) {
    char gbnf[4096];
    size_t n = 0;
    (void)state;
    n += (size_t)snprintf(gbnf, sizeof gbnf, "root ::= r0\n");
    for (int i = 0; i < 30; i++)
        n += (size_t)snprintf(gbnf + n, sizeof gbnf - n, "r%d ::= r%d r%d | \"x\"\n", i, i + 1, i + 1);
    n += (size_t)snprintf(gbnf + n, sizeof gbnf - n, "r30 ::= \"x\"\n");
    lm_grammar *grammar = grammar_of(gbnf);
    lm_grammar_vocab *vocab = make_vocab(NULL);
    lm_grammar_matcher *m = NULL;
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, NULL, &m, NULL), LM_OK);
    lm_status status = LM_OK;
    int taken = 0;
    for (; status == LM_OK && taken < 5000; taken++) {
        uint64_t position = lm_grammar_matcher_position(m);
        uint32_t mask[9];
        status = lm_grammar_matcher_mask(m, mask, 9);
        if (status == LM_OK) status = lm_grammar_matcher_accept_bytes(m, "x", 1, NULL);
        if (status != LM_OK) assert_true(lm_grammar_matcher_position(m) == position);
    }
    assert_int_equal(status, LM_ERR_LIMIT);
    assert_true(taken > 15);
    lm_grammar_matcher_destroy(m);
    lm_grammar_vocab_destroy(vocab);
    lm_grammar_destroy(grammar);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_wakes_wherever_tokens_end),
        cmocka_unit_test(tokens_that_do_not_exist_are_refused),
        cmocka_unit_test(a_refused_token_leaves_the_matcher_waiting),
        cmocka_unit_test(tokens_and_order),
        cmocka_unit_test(patterns_begin_the_grammar_where_they_say),
        cmocka_unit_test(bad_triggers_are_refused),
        cmocka_unit_test(searching_is_linear),
        cmocka_unit_test(memory_failures_leave_nothing),
        cmocka_unit_test(work_per_step_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
