/* SPDX-License-Identifier: MIT
 * Every tokenizer type against small vocabularies and cases of our own, so that a bare checkout tests them all. */
#include "vocab_files.h"

#include "vocab/text_stream.h"

static lm_env env;

/* One character at a time through the stream gives what decoding with replacement gives. */
static void check_stream(const opened *o, const lm_token *tokens, size_t n_tokens, const char *bytes, size_t n,
                         const char *what) {
    lm_text_stream stream = {{0}, 0}, whole = {{0}, 0};
    char *streamed = malloc(3 * n + 64), *expected = malloc(3 * n + 64);
    size_t used = 0, size = 0;
    for (size_t i = 0; i < n_tokens; i++) {
        assert_int_equal(lm_text_stream_put(o->vocab, &stream, tokens[i], LM_DETOKENIZE_SPECIAL, streamed + used,
                                            3 * n + 64 - used, &size),
                         LM_OK);
        used += size;
    }
    lm_text_stream_put_bytes(&whole, bytes, n, expected, 3 * n + 64, &size);
    if (used != size || memcmp(streamed, expected, size) != 0 || stream.n_held != whole.n_held)
        fail_msg("%s: streamed text differs", what);
    free(streamed);
    free(expected);
}

static void check_cases(const char *name, bool is_plain) {
    char path[1024], what[96];
    static lm_token want[4096];
    snprintf(path, sizeof path, "vocab/%s.gguf", name);
    opened o = open_golden(&env, path);
    snprintf(what, sizeof what, "vocab/%s.cases", name);
    assert_true(test_path("LM_GOLDEN", what, path, sizeof path));
    char *cases = test_read(path, NULL);
    size_t n_cases = 0;
    assert_non_null(cases);
    for (char *line = cases, *next; *line; line = next, n_cases++) {
        next = strchr(line, '\n');
        *next++ = '\0';
        uint32_t flags = (uint32_t)(line[0] - '0');
        char *text = line + 2, *p = text, *out = text;
        for (; *p != ' '; p += 2) *out++ = (char)(hex_value(p[0]) << 4 | hex_value(p[1]));
        size_t n = (size_t)(out - text), count, size = 0;
        const char *at = p + 2;
        size_t n_want = read_numbers(&at, ':', want, 4096);
        char *bytes = (char *)at + 2, *end = bytes;
        for (p = bytes; *p; p += 2) *end++ = (char)(hex_value(p[0]) << 4 | hex_value(p[1]));
        size_t n_bytes = (size_t)(end - bytes);
        snprintf(what, sizeof what, "%s, case %zu, flags %u", name, n_cases, flags);
        lm_token *got = encode(&o, text, n, flags, &count);
        expect_tokens(got, count, want, n_want, what);
        char *back = malloc(n_bytes + 64);
        assert_int_equal(lm_vocab_decode(o.vocab, got, count, LM_DETOKENIZE_SPECIAL, back, n_bytes + 64, &size), LM_OK);
        if (size != n_bytes || memcmp(back, bytes, size) != 0)
            fail_msg("%s: decodes to \"%.*s\", expected \"%.*s\"", what, (int)size, back, (int)n_bytes, bytes);
        /* Without room the sizes are the same and nothing is written. */
        size_t again = 0;
        assert_int_equal(lm_vocab_decode(o.vocab, got, count, LM_DETOKENIZE_SPECIAL, NULL, 0, &again), LM_OK);
        assert_int_equal(again, size);
        assert_int_equal(lm_vocab_encode(o.vocab, o.scratch, text, n, flags, NULL, 0, &again), LM_OK);
        assert_int_equal(again, count);
        if (is_plain) check_stream(&o, got, count, back, size, what);
        free(back);
        free(got);
    }
    assert_true(n_cases >= 40);
    free(cases);
    close_opened(&o);
}

static void byte_level_bpe(void **state) { (void)state, check_cases("bpe", true); }
static void raw_bpe(void **state) {
    (void)state, check_cases("raw", false);
} /* tidies spaces, which a stream does not */
static void spm_of_bounded_words(void **state) { (void)state, check_cases("spm", false); }
static void spm_across_words(void **state) { (void)state, check_cases("spm_across", false); }
static void wordpiece(void **state) { (void)state, check_cases("wpm", false); }
static void unigram(void **state) { (void)state, check_cases("ugm", false); }
static void rwkv(void **state) { (void)state, check_cases("rwkv", true); }
static void plamo2(void **state) { (void)state, check_cases("plamo2", true); }

int main(void) {
    lm_env_init(&env, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_level_bpe),
        cmocka_unit_test(raw_bpe),
        cmocka_unit_test(spm_of_bounded_words),
        cmocka_unit_test(spm_across_words),
        cmocka_unit_test(wordpiece),
        cmocka_unit_test(unigram),
        cmocka_unit_test(rwkv),
        cmocka_unit_test(plamo2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
