/* SPDX-License-Identifier: MIT
 * Masks against the definition: a token is allowed exactly when accepting it succeeds. Walks of random allowed tokens through
 * several grammars, every token of a small vocabulary tried at every step; also forced bytes, rewinding, clones, end and
 * control tokens, a cache without room, and every allocation failing in turn. */
#include <stdbool.h>

#include <lm/grammar.h>

#include "check.h"
#include "counting.h"

#define N_TOKENS 600u
#define N_WORDS ((N_TOKENS + 31) / 32)
#define END_TOKEN 0
#define CONTROL_TOKEN 1

typedef struct words {
    char text[N_TOKENS][24];
    uint32_t state;
} words;

static uint32_t draw(words *w, uint32_t n) {
    w->state = w->state * 1664525u + 1013904223u;
    return (w->state >> 8) % n;
}

/* All single bytes, then pieces that cross the borders of a grammar's parts. */
static void make_words(words *w) {
    static const char *const pieces[] = {
        "\"", "{",  "}",    "[",    "]",   ",",  ":",        "\": ",         "a", "b",  "ab",
        "1",  "23", "true", "null", "\\n", "\\", "\xC3\xA9", "\xE6\x97\xA5", " ", "\n", "key",
        "-",  ".5", "e1",   "(",    ")"};
    memset(w, 0, sizeof *w);
    w->state = 7;
    strcpy(w->text[END_TOKEN], "</s>");
    strcpy(w->text[CONTROL_TOKEN], "<|call|>");
    for (uint32_t i = 2; i < N_TOKENS; i++) {
        if (i < 257) {
            w->text[i][0] = (char)(i - 1);
            continue;
        }
        for (uint32_t n = 1 + draw(w, 4); n > 0; n--)
            strcat(w->text[i], pieces[draw(w, sizeof pieces / sizeof *pieces)]);
    }
}

static int32_t get_word(void *user, lm_token token, const char **bytes, size_t *n) {
    const words *w = user;
    *bytes = w->text[token];
    *n = strlen(w->text[token]);
    return token == END_TOKEN       ? LM_GRAMMAR_TOKEN_KIND_END
           : token == CONTROL_TOKEN ? LM_GRAMMAR_TOKEN_KIND_CONTROL
                                    : LM_GRAMMAR_TOKEN_KIND_TEXT;
}

static lm_grammar_vocab *make_vocab(words *w, size_t cache_bytes) {
    lm_grammar_vocab_params params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    lm_grammar_vocab *vocab;
    params.n_tokens = N_TOKENS;
    params.user = w;
    params.get = get_word;
    params.cache_bytes = cache_bytes;
    assert_int_equal(lm_grammar_vocab_create(&params, &vocab, NULL), LM_OK);
    return vocab;
}

static const char *const grammars[] = {
    "root ::= value\nvalue ::= object | array | string | number | \"true\" | \"null\"\n"
    "object ::= \"{\" ws ( string \":\" ws value ( \",\" ws string \":\" ws value )* )? ws \"}\"\n"
    "array ::= \"[\" ws ( value ( \",\" ws value )* )? ws \"]\"\n"
    "string ::= \"\\\"\" ( [^\"\\\\\\x00-\\x1F] | \"\\\\\" [nt\"\\\\] )* \"\\\"\"\n"
    "number ::= \"-\"? [0-9]+ ( \".\" [0-9]+ )? ( \"e\" [0-9]+ )?\nws ::= [ \\n]*\n",
    "root ::= ([^\"]{0,5000} \"\\\"\"){2,3000}",
    "root ::= ([ab]{2,2000} [,:])+ (\"1\" | \"23\"){1,900}",
    "root ::= \"(\" root \")\" root | \"a\" root | \"\"",
    "root ::= \"a\" x \"b\" | \"a\" y \",\" | \"-\"\nx ::= root | \"1\"\ny ::= root | \"23\"",
    "root ::= [^{]+ \"<|call|>\" \"{\" .*",
    "root ::= [a-z]* <[1]> [a-z]* !<[1]> \"}\"",
    "root ::= ([a-b]|\"\xC3\xA9\"){0,20} (\" \" .{3,4})*",
};

static void walk(lm_grammar *grammar, lm_grammar_vocab *vocab, words *w, int steps) {
    lm_grammar_matcher *matcher, *copy;
    uint32_t mask[N_WORDS + 1];
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, NULL), LM_OK);
    for (int step = 0; step < steps; step++) {
        uint32_t allowed[N_TOKENS], n = 0;
        uint64_t position = lm_grammar_matcher_position(matcher);
        assert_int_equal(lm_grammar_matcher_mask(matcher, mask, N_WORDS + 1), LM_OK);
        assert_int_equal(mask[N_WORDS], 0);
        int complete = lm_grammar_matcher_is_complete(matcher);
        for (uint32_t token = 0; token < N_TOKENS; token++) {
            bool bit = mask[token / 32] >> token % 32 & 1;
            lm_status status = lm_grammar_matcher_accept_token(matcher, (lm_token)token);
            if (bit != (status == LM_OK))
                print_error("step %d token %u \"%s\": mask %d\n", step, token, w->text[token], bit);
            assert_int_equal(bit, status == LM_OK);
            if (status == LM_OK) {
                if (token != END_TOKEN)
                    allowed[n++] = token;
                else
                    assert_true(complete);
                assert_int_equal(lm_grammar_matcher_rewind(matcher, position), LM_OK);
            }
        }
        char forced[64];
        size_t n_forced = lm_grammar_matcher_forced(matcher, forced, sizeof forced);
        if (n_forced > 0) {
            assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, forced, n_forced, NULL), LM_OK);
            assert_int_equal(lm_grammar_matcher_rewind(matcher, position), LM_OK);
        }
        if (n == 0) break;
        assert_int_equal(lm_grammar_matcher_accept_token(matcher, (lm_token)allowed[draw(w, n)]), LM_OK);
        if (step % 5 == 4) {
            assert_int_equal(lm_grammar_matcher_clone(matcher, &copy), LM_OK);
            lm_grammar_matcher_destroy(matcher);
            matcher = copy;
        }
    }
    lm_grammar_matcher_destroy(matcher);
}

static void masks_are_what_accepting_says(void **state) {
    (void)state;
    words w;
    make_words(&w);
    for (size_t room = 0; room < 2; room++) {
        lm_grammar_vocab *vocab = make_vocab(&w, room ? (size_t)1 << 20 : 600);
        for (size_t i = 0; i < sizeof grammars / sizeof *grammars; i++) {
            lm_grammar *grammar;
            lm_error error;
            if (lm_grammar_from_gbnf(grammars[i], strlen(grammars[i]), NULL, &grammar, &error) != LM_OK)
                fail_msg("%s", error.message);
            for (int k = 0; k < 4; k++) walk(grammar, vocab, &w, 25);
            assert_true(lm_grammar_memory(grammar) > 0);
            lm_grammar_destroy(grammar);
        }
        lm_grammar_vocab_destroy(vocab);
    }
}

/* A hundred thousand open brackets, closed again, and a million members: time and memory stay linear. */
static void deep_and_long_texts_stay_linear(void **state) {
    (void)state;
    lm_grammar *grammar;
    lm_grammar_matcher *matcher;
    const char *text = "root ::= x\nx ::= \"[\" (x (\",\" x)*)? \"]\" | \"a\" x? | \"(\" y\ny ::= x \")\" | x \"]\"";
    assert_int_equal(lm_grammar_from_gbnf(text, strlen(text), NULL, &grammar, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
    for (int i = 0; i < 100000; i++) assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, "[(", 2, NULL), LM_OK);
    for (int i = 0; i < 300000; i++) assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, "aaa", 3, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_rewind(matcher, 5), LM_ERR_RANGE);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, i % 2 ? ")]" : "]]", 2, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_is_complete(matcher), 1);
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_destroy(grammar);
}

static lm_status run_once(const lm_allocator *allocator, words *w, int which) {
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^a+$\",\"maxLength\":3},"
        "\"b\":{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}},\"required\":[\"a\"],"
        "\"additionalProperties\":{\"type\":\"number\",\"minimum\":0.5},\"anyOf\":[{},{\"not\":{\"required\":[\"b\"]}}]"
        "}";
    lm_grammar_params params = LM_GRAMMAR_PARAMS_INIT;
    lm_grammar_vocab_params vocab_params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    lm_grammar *grammar = NULL;
    lm_grammar_vocab *vocab = NULL;
    lm_grammar_matcher *matcher = NULL, *copy = NULL;
    uint32_t mask[N_WORDS];
    params.allocator = vocab_params.allocator = allocator;
    vocab_params.n_tokens = N_TOKENS;
    vocab_params.user = w;
    vocab_params.get = get_word;
    lm_status status = which ? lm_grammar_from_json_schema(schema, strlen(schema), &params, &grammar, NULL)
                             : lm_grammar_from_gbnf(grammars[0], strlen(grammars[0]), &params, &grammar, NULL);
    if (status == LM_OK) status = lm_grammar_vocab_create(&vocab_params, &vocab, NULL);
    if (status == LM_OK) status = lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, NULL);
    if (status == LM_OK) status = lm_grammar_matcher_mask(matcher, mask, N_WORDS);
    if (status == LM_OK) status = lm_grammar_matcher_accept_bytes(matcher, "{\"a\":", 5, NULL);
    if (status == LM_OK) status = lm_grammar_matcher_clone(matcher, &copy);
    if (status == LM_OK) status = lm_grammar_matcher_mask(copy, mask, N_WORDS);
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_matcher_destroy(copy);
    lm_grammar_vocab_destroy(vocab);
    lm_grammar_destroy(grammar);
    return status;
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    words w;
    make_words(&w);
    for (int which = 0; which < 2; which++) {
        for (size_t k = 0;; k++) {
            test_memory memory = {.fail_at = k};
            lm_env env = test_memory_env(&memory);
            lm_status status = run_once(&env.allocator, &w, which);
            assert_int_equal(memory.live_bytes, 0);
            if (!memory.failed) {
                assert_int_equal(status, LM_OK);
                assert_true(k > 100);
                break;
            }
            assert_int_equal(status, LM_ERR_MEMORY);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(masks_are_what_accepting_says),
                                       cmocka_unit_test(deep_and_long_texts_stay_linear),
                                       cmocka_unit_test(every_failing_allocation_is_survived)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
