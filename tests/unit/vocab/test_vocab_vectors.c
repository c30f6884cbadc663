/* SPDX-License-Identifier: MIT
 * The reference vocabularies: token lists of the shipped texts, and of one long text in all four settings with the text
 * that comes back. */
#include "vocab_files.h"

static lm_env env;

static const char separator[] = "\n__ggml_vocab_test__\n";

static void check_vectors(const char *name) {
    char path[160];
    size_t n_text = 0, count;
    lm_token want[4096];
    snprintf(path, sizeof path, "data/vocab/ggml-vocab-%s.gguf", name);
    opened o = open_shared(&env, path);
    snprintf(path, sizeof path, "data/vocab/ggml-vocab-%s.gguf.inp", name);
    char *text = test_read_shared(path, &n_text);
    snprintf(path, sizeof path, "data/vocab/ggml-vocab-%s.gguf.out", name);
    char *lines = test_read_shared(path, NULL);
    const char *at = text, *line = lines;
    size_t checked = 0;
    while (*line) {
        const char *next = strstr(at, separator);
        size_t n = next ? (size_t)(next - at) : strlen(at);
        size_t n_want = read_numbers(&line, '\n', want, 4096);
        lm_token *got = encode(&o, at, n, 0, &count);
        snprintf(path, sizeof path, "%s, text %zu", name, checked);
        expect_tokens(got, count, want, n_want, path);
        free(got);
        line++;
        checked++;
        if (!next) break;
        at = next + sizeof separator - 1;
    }
    assert_true(checked >= 40);
    free(text);
    free(lines);
    close_opened(&o);
}

static void vectors_gpt_2(void **state) { (void)state, check_vectors("gpt-2"); }
static void vectors_deepseek_llm(void **state) { (void)state, check_vectors("deepseek-llm"); }
static void vectors_deepseek_coder(void **state) { (void)state, check_vectors("deepseek-coder"); }
static void vectors_refact(void **state) { (void)state, check_vectors("refact"); }
static void vectors_llama_spm(void **state) { (void)state, check_vectors("llama-spm"); }
static void vectors_phi_3(void **state) { (void)state, check_vectors("phi-3"); }

static void check_stress(const char *name) {
    static lm_token want[8192];
    char path[160], what[160];
    size_t n_text = 0, count, n;
    snprintf(path, sizeof path, "data/vocab/ggml-vocab-%s.gguf", name);
    opened o = open_shared(&env, path);
    char *text = test_read_shared("fixtures/pretok/stress.txt", &n_text);
    snprintf(path, sizeof path, "fixtures/tokens/%s.json", name);
    char *json = test_read_shared(path, NULL);
    const char *at = json, *end = strstr(json, "\"lines\"");
    assert_non_null(end);
    size_t wholes = 0;
    while ((at = strstr(at, "\"add_special\"")) && at < end) {
        uint32_t flags = strncmp(strchr(at, ':') + 2, "true", 4) == 0 ? LM_TOKENIZE_ADD_SPECIAL : 0;
        at = strstr(at, "\"parse_special\"");
        flags |= strncmp(strchr(at, ':') + 2, "true", 4) == 0 ? LM_TOKENIZE_PARSE_SPECIAL : 0;
        at = strchr(strstr(at, "\"ids\""), '[');
        size_t n_want = read_numbers(&at, ']', want, 8192);
        lm_token *got = encode(&o, text, n_text, flags, &count);
        snprintf(what, sizeof what, "%s, whole text, flags %u", name, flags);
        expect_tokens(got, count, want, n_want, what);
        at = strchr(strstr(at, "\"detokenized_hex\""), ':');
        char *expected = read_hex(&at, &n), *back = malloc(n + 64);
        size_t size = 0;
        assert_int_equal(lm_vocab_decode(o.vocab, got, count, LM_DETOKENIZE_SPECIAL, back, n + 64, &size), LM_OK);
        if (size != n || memcmp(back, expected, n) != 0) {
            size_t i = 0;
            while (i < n && i < size && back[i] == expected[i]) i++;
            fail_msg("%s: text differs at byte %zu of %zu: \"%.20s\", expected \"%.20s\"", what, i, n, back + i,
                     expected + i);
        }
        free(back);
        free(got);
        wholes++;
    }
    assert_int_equal(wholes, 4);
    size_t lines = 0;
    at = end;
    while ((at = strstr(at, "\"hex\""))) {
        at = strchr(at, ':');
        char *line = read_hex(&at, &n);
        for (uint32_t flags = 0; flags <= 3; flags += 3) {
            at = strchr(strstr(at, flags ? "\"ids_special\"" : "\"ids\""), '[');
            size_t n_want = read_numbers(&at, ']', want, 8192);
            lm_token *got = encode(&o, line, n, flags, &count);
            snprintf(what, sizeof what, "%s, line %zu, flags %u", name, lines, flags);
            expect_tokens(got, count, want, n_want, what);
            free(got);
        }
        lines++;
    }
    assert_true(lines > 50);
    free(json);
    free(text);
    close_opened(&o);
}

static void stress_gpt_2(void **state) { (void)state, check_stress("gpt-2"); }
static void stress_gpt_neox(void **state) { (void)state, check_stress("gpt-neox"); }
static void stress_deepseek_llm(void **state) { (void)state, check_stress("deepseek-llm"); }
static void stress_deepseek_coder(void **state) { (void)state, check_stress("deepseek-coder"); }
static void stress_refact(void **state) { (void)state, check_stress("refact"); }
static void stress_llama_spm(void **state) { (void)state, check_stress("llama-spm"); }
static void stress_phi_3(void **state) { (void)state, check_stress("phi-3"); }
static void stress_baichuan(void **state) { (void)state, check_stress("baichuan"); }

int main(void) {
    lm_env_init(&env, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_gpt_2),          cmocka_unit_test(vectors_deepseek_llm),
        cmocka_unit_test(vectors_deepseek_coder), cmocka_unit_test(vectors_refact),
        cmocka_unit_test(vectors_llama_spm),      cmocka_unit_test(vectors_phi_3),
        cmocka_unit_test(stress_gpt_2),           cmocka_unit_test(stress_gpt_neox),
        cmocka_unit_test(stress_deepseek_llm),    cmocka_unit_test(stress_deepseek_coder),
        cmocka_unit_test(stress_refact),          cmocka_unit_test(stress_llama_spm),
        cmocka_unit_test(stress_phi_3),           cmocka_unit_test(stress_baichuan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
