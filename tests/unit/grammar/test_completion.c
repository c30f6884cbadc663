/* SPDX-License-Identifier: MIT
 * Completions: from every state that a random walk reaches there is a text that completes it, it is accepted, its length is
 * what was said, and none is shorter where that can be told. With a limit a walk always ends complete and in time. */
#include "check.h"

#include <lm/grammar.h>

#include "base/json.h"
#include "base/json_write.h"
#include "grammar/matcher.h"

static uint64_t random_state = 88172645463325252u;
static uint32_t random_below(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % n;
}

/* All bytes but NUL, which is the end, and a few longer tokens. */
static const char *const words[] = {"\": ", ", \"", "true", "null", "[{\"", "aaaaaaaa", "}]", "  "};
#define N_TOKENS (256 + sizeof words / sizeof *words)
static int32_t get(void *user, lm_token token, const char **bytes, size_t *n) {
    static char byte;
    (void)user;
    if (token >= 256) {
        *bytes = words[token - 256];
        *n = strlen(*bytes);
        return LM_GRAMMAR_TOKEN_KIND_TEXT;
    }
    byte = (char)token;
    *bytes = &byte;
    *n = token ? 1 : 0;
    return token ? LM_GRAMMAR_TOKEN_KIND_TEXT : LM_GRAMMAR_TOKEN_KIND_END;
}

static lm_grammar_vocab *make_vocab(void) {
    lm_grammar_vocab_params params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    lm_grammar_vocab *vocab;
    params.n_tokens = N_TOKENS;
    params.get = get;
    assert_int_equal(lm_grammar_vocab_create(&params, &vocab, NULL), LM_OK);
    return vocab;
}

/* A token of the mask, or -1. Structure is preferred to long texts. */
static int64_t pick(lm_grammar_matcher *matcher) {
    uint32_t mask[(N_TOKENS + 31) / 32], n = 0, chosen = 0;
    assert_int_equal(lm_grammar_matcher_mask(matcher, mask, sizeof mask / sizeof *mask), LM_OK);
    for (uint32_t token = 0; token < N_TOKENS; token++) {
        if (!(mask[token / 32] >> token % 32 & 1)) continue;
        n++;
        if (random_below(n) == 0) chosen = token;
    }
    return n ? (int64_t)chosen : -1;
}

static void check_completion(lm_grammar_matcher *matcher) {
    char text[4096], again[64];
    size_t n = lm_grammar_matcher_completion(matcher, text, sizeof text), viable;
    uint64_t position = lm_grammar_matcher_position(matcher);
    assert_int_not_equal(n, SIZE_MAX);
    assert_int_equal(n == 0, lm_grammar_matcher_is_complete(matcher));
    if (n > sizeof text) return;
    for (size_t i = 0; i < n; i++) { /* one byte nearer with each byte */
        assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, text + i, 1, &viable), LM_OK);
        if (i < 64) assert_int_equal(lm_grammar_matcher_completion(matcher, again, sizeof again), n - i - 1);
    }
    assert_true(lm_grammar_matcher_is_complete(matcher));
    assert_int_equal(lm_grammar_matcher_position(matcher), position + n);
    assert_int_equal(lm_grammar_matcher_rewind(matcher, position), LM_OK);
}

static void walk(lm_grammar *grammar, lm_grammar_vocab *vocab, const char *name) {
    lm_grammar_matcher *matcher;
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, NULL), LM_OK);
    for (int steps = 0; steps < 30; steps++) {
        check_completion(matcher);
        int64_t token = pick(matcher);
        if (token <= 0) break;
        assert_int_equal(lm_grammar_matcher_accept_token(matcher, (lm_token)token), LM_OK);
    }
    assert_int_equal(lm_grammar_matcher_reset(matcher), LM_OK);
    size_t shortest = lm_grammar_matcher_completion(matcher, NULL, 0);
    for (size_t room = 0; room < 40; room += 13) {
        uint64_t limit = shortest + 1 + room, left = limit;
        assert_int_equal(lm_grammar_matcher_reset(matcher), LM_OK);
        for (; left > 0; left--) {
            int64_t token = pick(matcher);
            if (token < 0) break;
            uint32_t kept = lm_matcher_keep_limit(matcher, (uint32_t)token, left);
            assert_int_equal(lm_grammar_matcher_accept_token(matcher, (lm_token)kept), LM_OK);
            if (kept == 0) break; /* the end */
        }
        if (!lm_grammar_matcher_is_complete(matcher)) print_message("%s with %d tokens\n", name, (int)limit);
        assert_true(lm_grammar_matcher_is_complete(matcher));
    }
    lm_grammar_matcher_destroy(matcher);
}

static void grammars_come_to_an_end(void **state) {
    static const char *const texts[] = {
        "root ::= \"a\" | \"(\" root \")\"",
        "root ::= [a-c]{3,7} (\"x\" | \"yy\" root)",
        "root ::= item{4,} \";\"\nitem ::= \"[\" item* \"]\" | [0-9]+ \",\"",
        "root ::= (\"aaaa\" | \"b\" tail)\ntail ::= \"c\" tail \"d\" | \"\\u00e9\\U0001F600\"",
    };
    lm_grammar_vocab *vocab = make_vocab();
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lm_grammar *grammar;
        assert_int_equal(lm_grammar_from_gbnf(texts[i], strlen(texts[i]), NULL, &grammar, NULL), LM_OK);
        for (int k = 0; k < 10; k++) walk(grammar, vocab, texts[i]);
        lm_grammar_destroy(grammar);
    }
    lm_grammar_vocab_destroy(vocab);
}

static void known_lengths(void **state) {
    static const char text[] =
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},"
        "\"minItems\":3},\"b\":{\"type\":\"boolean\"}},\"required\":[\"a\",\"b\"],"
        "\"additionalProperties\":false}";
    lm_grammar_params params = LM_GRAMMAR_PARAMS_INIT;
    lm_grammar *grammar;
    lm_grammar_matcher *matcher;
    char out[64] = "";
    (void)state;
    params.flags = LM_GRAMMAR_COMPACT;
    assert_int_equal(lm_grammar_from_json_schema(text, sizeof text - 1, &params, &grammar, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_create(grammar, NULL, NULL, &matcher, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_completion(matcher, out, sizeof out - 1), strlen("{\"a\":[0,0,0],\"b\":true}"));
    assert_int_equal(lm_grammar_matcher_accept_bytes(matcher, "{\"a\":[12", 8, NULL), LM_OK);
    memset(out, 0, sizeof out);
    assert_int_equal(lm_grammar_matcher_completion(matcher, out, sizeof out - 1), 15);
    assert_string_equal(out, ",0,0],\"b\":true}");
    assert_int_equal(lm_grammar_matcher_completion(matcher, out, 3), 15);
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_destroy(grammar);
}

static void schemas_come_to_an_end(void **state) {
    size_t n = 0;
    char *text = test_read_shared("fixtures/schema/cases.json", &n);
    lm_grammar_vocab *vocab = make_vocab();
    lm_env env;
    lm_arena arena;
    const lm_json *cases;
    (void)state;
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&arena, text, n, LM_JSON_DEPTH_DEFAULT, &cases, NULL), LM_OK);
    for (size_t i = 0; i < cases->count; i++) {
        lm_grammar *grammar;
        lm_str schema;
        lm_str_init(&schema, &env, SIZE_MAX);
        assert_int_equal(lm_json_print(&schema, lm_json_get(&cases->items[i], "schema"), NULL), LM_OK);
        if (lm_grammar_from_json_schema(schema.data, schema.size, NULL, &grammar, NULL) == LM_OK) {
            walk(grammar, vocab, lm_json_text(lm_json_get(&cases->items[i], "name"), ""));
            lm_grammar_destroy(grammar);
        }
        lm_str_free(&schema);
    }
    lm_arena_free(&arena);
    lm_grammar_vocab_destroy(vocab);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammars_come_to_an_end),
        cmocka_unit_test(known_lengths),
        cmocka_unit_test(schemas_come_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
