/* SPDX-License-Identifier: MIT
 * Vocabularies as attackers or careless converters write them, memory that runs out, and texts made to be slow. */
#include "vocab_files.h"

#include "gguf/gguf_writer.h"

static lm_env env;

typedef struct collected {
    char *bytes;
    size_t size;
} collected;

static lm_status collect(void *user, const void *bytes, size_t n) {
    collected *c = user;
    c->bytes = realloc(c->bytes, c->size + n);
    memcpy(c->bytes + c->size, bytes, n);
    c->size += n;
    return LM_OK;
}

static lm_gguf_writer *begin(const char *model, const char *const *tokens, size_t n_tokens) {
    lm_gguf_writer *w = NULL;
    lm_gguf_str strings[64] = {{NULL, 0}};
    assert_true(n_tokens <= 64);
    for (size_t i = 0; i < n_tokens; i++) strings[i] = (lm_gguf_str){tokens[i], strlen(tokens[i])};
    assert_int_equal(lm_gguf_writer_create(&env, &w), LM_OK);
    assert_int_equal(lm_gguf_writer_set_string(w, "tokenizer.ggml.model", model, strlen(model), NULL), LM_OK);
    assert_int_equal(lm_gguf_writer_set_strings(w, "tokenizer.ggml.tokens", strings, n_tokens, NULL), LM_OK);
    return w;
}

static void set_merges(lm_gguf_writer *w, const char *const *merges, size_t n) {
    lm_gguf_str strings[64] = {{NULL, 0}};
    for (size_t i = 0; i < n; i++) strings[i] = (lm_gguf_str){merges[i], strlen(merges[i])};
    assert_int_equal(lm_gguf_writer_set_strings(w, "tokenizer.ggml.merges", strings, n, NULL), LM_OK);
}

static void set_types(lm_gguf_writer *w, const int32_t *types, size_t n) {
    assert_int_equal(lm_gguf_writer_set_array(w, "tokenizer.ggml.token_type", LM_GGUF_I32, types, n, NULL), LM_OK);
}

/* Write, destroy the writer, open. */
static lm_status finish(lm_gguf_writer *w, opened *o, lm_error *error) {
    collected c = {NULL, 0};
    lm_gguf_sink sink = {&c, collect};
    assert_int_equal(lm_gguf_writer_write(w, &sink, NULL, NULL, NULL), LM_OK);
    lm_gguf_writer_destroy(w);
    return try_open(&env, c.bytes, c.size, o, error);
}

static void expect_refused(lm_gguf_writer *w, lm_status expected, const char *part) {
    opened o;
    lm_error error = {0};
    lm_status status = finish(w, &o, &error);
    if (status != expected || error.status != (int32_t)expected || !strstr(error.message, part))
        fail_msg("status %d, \"%s\"; expected %d, \"%s\"", status, error.message, expected, part);
    close_opened(&o);
}

static const char *const few[] = {"<unk>", "<s>", "</s>", "a", "b", "ab"};
#define N_FEW 6

static void refused_by_name(void **state) {
    (void)state;
    float scores[N_FEW] = {0};
    int32_t types[N_FEW] = {1, 1, 1, 1, 1, 1};
    expect_refused(begin("hybriddna", few, N_FEW), LM_ERR_UNSUPPORTED, "hybriddna");
    expect_refused(begin("magic", few, N_FEW), LM_ERR_UNSUPPORTED, "magic");
    lm_gguf_writer *w = begin("gpt2", few, N_FEW);
    lm_gguf_writer_set_string(w, "tokenizer.ggml.pre", "unheard-of", 10, NULL);
    expect_refused(w, LM_ERR_UNSUPPORTED, "unheard-of");
    expect_refused(begin("gpt2", few, N_FEW), LM_ERR_NOT_FOUND, "merges");
    expect_refused(begin("llama", few, N_FEW), LM_ERR_NOT_FOUND, "scores");
    expect_refused(begin("llama", few, 0), LM_ERR_FORMAT, "empty");
    w = begin("llama", few, N_FEW);
    lm_gguf_writer_set_array(w, "tokenizer.ggml.scores", LM_GGUF_F32, scores, N_FEW - 1, NULL);
    expect_refused(w, LM_ERR_FORMAT, "scores");
    w = begin("llama", few, N_FEW);
    lm_gguf_writer_set_array(w, "tokenizer.ggml.scores", LM_GGUF_U8, scores, N_FEW, NULL);
    expect_refused(w, LM_ERR_FORMAT, "scores");
    w = begin("llama", few, N_FEW);
    lm_gguf_writer_set_array(w, "tokenizer.ggml.scores", LM_GGUF_F32, scores, N_FEW, NULL);
    set_types(w, types, N_FEW - 1);
    expect_refused(w, LM_ERR_FORMAT, "token_type");
    w = begin("llama", few, N_FEW);
    lm_gguf_writer_set_int(w, "tokenizer.ggml.tokens", LM_GGUF_U32, 5, NULL);
    expect_refused(w, LM_ERR_FORMAT, "tokens");
    w = begin("gpt2", few, N_FEW);
    set_merges(w, (const char *const[]){"a b", "ab"}, 2);
    expect_refused(w, LM_ERR_FORMAT, "merges");
    w = begin("rwkv", (const char *const[]){"\\x4"}, 1);
    expect_refused(w, LM_ERR_FORMAT, "escape");
    w = begin("plamo2", few, N_FEW);
    lm_gguf_writer_set_array(w, "tokenizer.ggml.scores", LM_GGUF_F32, scores, N_FEW, NULL);
    expect_refused(w, LM_ERR_FORMAT, "byte");
    w = begin("gpt2", few, N_FEW);
    set_merges(w, few, 0);
    lm_gguf_writer_set_int(w, "tokenizer.ggml.add_bos_token", LM_GGUF_BOOL, 1, NULL);
    expect_refused(w, LM_ERR_FORMAT, "add_bos_token");
}

static void charsmap_stays_in_its_bounds(void **state) {
    (void)state;
    float scores[N_FEW] = {0};
    static const uint8_t blobs[][16] = {
        {0},                                                      /* no trie: n = 0 and one string */
        {8, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0, 0, 'x', 0},          /* leads outside on the first byte */
        {8, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 'x', 0}, /* labels that match nothing */
        {4, 0, 0, 0, 0, 0, 0, 0x80, 'x'},                         /* an unfinished string */
        {255, 255, 255, 255, 1, 1, 1, 1},                         /* a size beyond the blob */
    };
    for (size_t i = 0; i < sizeof blobs / sizeof *blobs; i++)
        for (size_t size = 0; size <= 16; size++) {
            lm_gguf_writer *w = begin("t5", few, N_FEW);
            opened o;
            lm_token tokens[64];
            size_t count;
            lm_gguf_writer_set_array(w, "tokenizer.ggml.scores", LM_GGUF_F32, scores, N_FEW, NULL);
            lm_gguf_writer_set_array(w, "tokenizer.ggml.precompiled_charsmap", LM_GGUF_U8, blobs[i], size, NULL);
            lm_status status = finish(w, &o, NULL);
            assert_true(status == LM_OK || status == LM_ERR_FORMAT);
            if (status == LM_OK) {
                status = lm_vocab_encode(o.vocab, o.scratch, "ab \xFF", 4, 0, tokens, 64, &count);
                assert_true(status == LM_OK || status == LM_ERR_FORMAT);
            }
            close_opened(&o);
        }
}

static void strange_tokens_are_harmless(void **state) {
    (void)state;
    static const char *const tokens[] = {"a",        "a",      "",       "",         "b",    "ab",
                                         "\xC4\xA0", "<0xZZ>", "<0x+1>", "\xFF\xFE", "\xE4", "ba"};
    static const char *const merges[] = {"a b",  "b a", "a b",   "ab ab",     "q r",      "qr s",
                                         " a b", "a ",  "ab ba", "abba abba", "\xFF \xFE"};
    static const char *const models[] = {"gpt2", "llama", "bert", "t5", "rwkv", "gemma4", "whitespace"};
    static const int32_t types[] = {1, 4, 3, 4, -7, 1, 6, 6, 6, 3, 4, 99};
    float nan = (float)strtod("nan", NULL), scores[] = {0, nan, -1, 1e38f, -1e38f, nan, 0, 0, 0, 0, 0, 5};
    for (size_t m = 0; m < 7; m++) {
        lm_gguf_writer *w = begin(models[m], tokens, 12);
        opened o;
        lm_error error;
        size_t count, size;
        char text[] = "abba abab a\xE4\xFF\xFE[EMPTY_2]<0xZZ> q r s \xF0\x9F", back[512];
        lm_gguf_writer_set_array(w, "tokenizer.ggml.scores", LM_GGUF_F32, scores, 12, NULL);
        set_types(w, types, 12);
        set_merges(w, merges, 11);
        lm_gguf_writer_set_u32(w, "tokenizer.ggml.bos_token_id", 4000000000u, NULL);
        lm_gguf_writer_set_u32(w, "tokenizer.ggml.unknown_token_id", 12, NULL);
        if (finish(w, &o, &error) != LM_OK) fail_msg("%s: %s", models[m], error.message);
        for (uint32_t flags = 0; flags < 4; flags++) {
            lm_token *got = encode(&o, text, sizeof text - 1, flags, &count);
            for (size_t i = 0; i < count; i++) assert_true(got[i] >= 0 && got[i] < 12);
            assert_int_equal(lm_vocab_decode(o.vocab, got, count, flags, back, sizeof back, &size), LM_OK);
            free(got);
        }
        for (lm_token token = -2; token < 14; token++) {
            lm_vocab_piece(o.vocab, token, 1, back, sizeof back);
            lm_vocab_attributes(o.vocab, token);
            assert_false(lm_vocab_is_end(o.vocab, token) && (token < 0 || token >= 12));
        }
        lm_token bad[] = {0, 12};
        assert_int_equal(lm_vocab_decode(o.vocab, bad, 2, 0, back, sizeof back, &size), LM_ERR_RANGE);
        assert_int_equal(lm_vocab_find(o.vocab, "a", 1), 0); /* the first of equals */
        close_opened(&o);
    }
}

/* Longest first, equal lengths by id, left to right: done by replacing, as the rule says. */
static size_t split_plainly(const char *const *tokens, size_t n_tokens, const char *text, lm_token *out) {
    int owner[64];
    size_t n = strlen(text), count = 0;
    for (size_t i = 0; i < n; i++) owner[i] = -1;
    for (size_t length = 8; length > 0; length--)
        for (size_t t = 0; t < n_tokens; t++) {
            if (strlen(tokens[t]) != length) continue;
            for (size_t at = 0; at + length <= n; at++) {
                bool is_free = strncmp(text + at, tokens[t], length) == 0;
                for (size_t k = at; is_free && k < at + length; k++) is_free = owner[k] < 0;
                for (size_t k = at; is_free && k < at + length; k++) owner[k] = (int)(t * 64 + at);
            }
        }
    for (size_t i = 0; i < n; i++)
        if (owner[i] >= 0 && (i == 0 || owner[i] != owner[i - 1])) out[count++] = owner[i] / 64;
    return count;
}

static void special_tokens_that_overlap_follow_the_rule(void **state) {
    (void)state;
    static const char *const sets[][8] = {
        {"ab", "bc", "cab", "bcab", "aa", "cc", "abca", "b"},
        {"aba", "bab", "abab", "babab", "bb", "ca", "acb", "cbc"},
        {"abc", "bca", "cab", "aab", "bbc", "cca", "abcabc", "aaaa"},
    };
    static const int32_t types[] = {4, 4, 4, 4, 4, 4, 4, 4};
    uint32_t random = 1;
    for (size_t s = 0; s < 3; s++) {
        lm_gguf_writer *w = begin("rwkv", sets[s], 8); /* text between is unknown and vanishes */
        opened o;
        set_types(w, types, 8);
        assert_int_equal(finish(w, &o, NULL), LM_OK);
        for (int round = 0; round < 20000; round++) {
            char text[40];
            lm_token want[64];
            size_t n = 1 + (size_t)(round % 30), count, kept = 0;
            for (size_t i = 0; i < n; i++)
                random = random * 1664525u + 1013904223u, text[i] = "abc"[(random >> 20) % 3];
            text[n] = '\0';
            size_t n_want = split_plainly(sets[s], 8, text, want);
            lm_token got[128];
            assert_int_equal(lm_vocab_encode(o.vocab, o.scratch, text, n, 0, got, 128, &count), LM_OK);
            for (size_t i = 0; i < count; i++) got[kept++] = got[i];
            expect_tokens(got, kept, want, n_want, text);
        }
        close_opened(&o);
    }
}

static void roles_come_from_names_and_keys(void **state) {
    (void)state;
    static const char *const names[] = {
        "<|end|>", "<|return|>", "<|call|>",   "<|channel|>",    "<|fim_prefix|>", "<fim_suffix>",    "<|fim_pad|>",
        "a",       "<unused7>",  "<|im_end|>", "<|fim_middle|>", "</s>",           "<|tool_response>"};
    static const int32_t types[] = {3, 3, 3, 3, 3, 1, 3, 1, 3, 3, 3, 3, 3};
    static const int32_t suppressed[] = {3, -1, 13, 7};
    lm_gguf_writer *w = begin("gpt2", names, 13);
    opened o;
    size_t n;
    set_types(w, types, 13);
    set_merges(w, names, 0);
    lm_gguf_writer_set_u32(w, "tokenizer.ggml.bos_token_id", 13, NULL); /* no such token: the default, 11, stays */
    lm_gguf_writer_set_u32(w, "tokenizer.ggml.eos_token_id", 7, NULL);
    lm_gguf_writer_set_u32(w, "tokenizer.ggml.middle_token_id", 8, NULL);
    lm_gguf_writer_set_array(w, "tokenizer.ggml.suppress_tokens", LM_GGUF_I32, suppressed, 4, NULL);
    assert_int_equal(finish(w, &o, NULL), LM_OK);
    assert_int_equal(lm_vocab_role(o.vocab, LM_TOKEN_ROLE_BOS), 11);
    assert_int_equal(lm_vocab_role(o.vocab, LM_TOKEN_ROLE_EOS), 7);
    assert_int_equal(lm_vocab_role(o.vocab, LM_TOKEN_ROLE_EOT), 9);
    assert_int_equal(lm_vocab_role(o.vocab, LM_TOKEN_ROLE_EOM), LM_TOKEN_NONE);
    assert_int_equal(lm_vocab_role(o.vocab, LM_TOKEN_ROLE_FIM_PREFIX), 4);
    assert_int_equal(lm_vocab_role(o.vocab, LM_TOKEN_ROLE_FIM_SUFFIX), 5);
    assert_int_equal(lm_vocab_role(o.vocab, LM_TOKEN_ROLE_FIM_MIDDLE), 8);
    assert_int_equal(lm_vocab_role(o.vocab, 99), LM_TOKEN_NONE);
    /* <|end|> ends a message of a model that has <|return|> and <|call|>; </s> gives way to <|tool_response>. */
    static const bool ends[] = {false, true, true, false, false, false, true, true, false, true, false, false, true};
    for (lm_token token = 0; token < 13; token++)
        if (lm_vocab_is_end(o.vocab, token) != ends[token]) fail_msg("token %d", token);
    assert_int_equal(lm_vocab_attributes(o.vocab, 0), LM_TOKEN_ATTRIBUTE_USER_DEFINED);
    assert_int_equal(lm_vocab_attributes(o.vocab, 3), LM_TOKEN_ATTRIBUTE_USER_DEFINED);
    assert_int_equal(lm_vocab_attributes(o.vocab, 5), LM_TOKEN_ATTRIBUTE_NORMAL | LM_TOKEN_ATTRIBUTE_CONTROL);
    assert_int_equal(lm_vocab_attributes(o.vocab, 8), LM_TOKEN_ATTRIBUTE_CONTROL | LM_TOKEN_ATTRIBUTE_UNUSED);
    assert_int_equal(lm_vocab_attributes(o.vocab, 11), LM_TOKEN_ATTRIBUTE_NORMAL);
    const lm_token *list = lm_vocab_suppressed(o.vocab, &n);
    assert_int_equal(n, 2);
    assert_int_equal(list[0], 3);
    assert_int_equal(list[1], 7);
    close_opened(&o);
}

static const char *const golden[] = {"bpe", "raw", "spm", "spm_across", "wpm", "ugm", "rwkv", "plamo2"};
static const char sample[] =
    "the library <|im_start|> reads\xFF 12 w\xC3\xB6rds of texts; don't break them, <x>they wait for the rest of "
    "the_letter_that_goes_on_and_on_without_a_space_so_that_the_heap_is_used_and_grows\n\n\n\xE4\xB8\xAD";

static void memory_may_run_out_anywhere(void **state) {
    (void)state;
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        char path[1024], name[64];
        size_t size = 0, count = 0;
        snprintf(name, sizeof name, "vocab/%s.gguf", golden[g]);
        assert_true(test_path("LM_GOLDEN", name, path, sizeof path));
        bool is_done = false;
        for (size_t k = 0; !is_done; k++) {
            test_memory c = {.fail_at = TEST_MEMORY_NEVER};
            lm_env failing = test_memory_env(&c);
            lm_error error = {0};
            opened o;
            c.fail_at = k;
            lm_status status = try_open(&failing, test_read(path, &size), size, &o, &error);
            if (status != LM_OK) {
                assert_int_equal(status, LM_ERR_MEMORY);
            } else {
                lm_token tokens[512];
                status = lm_vocab_encode(o.vocab, o.scratch, sample, sizeof sample - 1, 3, tokens, 512, &count);
                is_done = status == LM_OK;
                if (!is_done) { /* after a failure everything still works */
                    assert_int_equal(status, LM_ERR_MEMORY);
                    status = lm_vocab_encode(o.vocab, o.scratch, sample, sizeof sample - 1, 3, tokens, 512, &count);
                    assert_int_equal(status, LM_OK);
                }
            }
            close_opened(&o);
            assert_int_equal(c.live_bytes, 0);
            assert_true(k < 2000);
        }
    }
}

static char *repeat(const char *unit, size_t n) {
    size_t size = strlen(unit);
    char *text = malloc(n + size);
    for (size_t i = 0; i < n; i += size) memcpy(text + i, unit, size);
    return text;
}

static void allocations_grow_with_the_logarithm(void **state) {
    (void)state;
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        test_memory c = {.fail_at = TEST_MEMORY_NEVER};
        lm_env counted = test_memory_env(&c);
        char name[64];
        size_t count;
        snprintf(name, sizeof name, "vocab/%s.gguf", golden[g]);
        opened o = open_golden(&counted, name);
        size_t before = c.calls;
        char *text = repeat(
            "the library reads w\xC3\xB6rds and theletterthatgoesonandonwithoutaspacesothattheheapisusedandgrows ",
            1 << 20);
        assert_int_equal(lm_vocab_encode(o.vocab, o.scratch, text, 1 << 20, 0, NULL, 0, &count), LM_OK);
        if (c.calls - before > 40) fail_msg("%s: %zu allocations", golden[g], c.calls - before);
        before = c.calls;
        assert_int_equal(lm_vocab_encode(o.vocab, o.scratch, text, 1 << 20, 0, NULL, 0, &count), LM_OK);
        assert_int_equal(c.calls, before); /* nothing new the second time */
        free(text);
        close_opened(&o);
        assert_int_equal(c.live_bytes, 0);
    }
}

/* One text that took quadratic time would use up the limit of the whole test. */
static void monotonous_text_takes_linear_time(void **state) {
    (void)state;
    static const char *const units[] = {"a",   " ", "\n",   "7", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80",
                                        "the", "=", "\xFF", "<", "ab<",          "\t "};
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        char name[64];
        size_t count;
        snprintf(name, sizeof name, "vocab/%s.gguf", golden[g]);
        opened o = open_golden(&env, name);
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            char *text = repeat(units[u], 1 << 20);
            assert_int_equal(lm_vocab_encode(o.vocab, o.scratch, text, 1 << 20, 3, NULL, 0, &count), LM_OK);
            free(text);
        }
        close_opened(&o);
    }
}

static void byte_level_text_comes_back(void **state) {
    (void)state;
    opened o = open_golden(&env, "vocab/bpe.gguf");
    uint32_t random = 3;
    for (int round = 0; round < 300; round++) {
        char text[512], back[1024];
        size_t n = 0, count, size;
        while (n < 400) {
            random = random * 1664525u + 1013904223u;
            uint32_t cp = (random >> 8) % 0x2FFFF;
            if (random & 0x80) cp &= 0x7F;
            if (cp >= 0xD800 && cp < 0xE000) continue;
            if (cp < 0x80)
                text[n++] = (char)cp;
            else if (cp < 0x800)
                text[n++] = (char)(0xC0 | cp >> 6), text[n++] = (char)(0x80 | (cp & 63));
            else if (cp < 0x10000)
                text[n++] = (char)(0xE0 | cp >> 12), text[n++] = (char)(0x80 | (cp >> 6 & 63)),
                text[n++] = (char)(0x80 | (cp & 63));
            else
                text[n++] = (char)(0xF0 | cp >> 18), text[n++] = (char)(0x80 | (cp >> 12 & 63)),
                text[n++] = (char)(0x80 | (cp >> 6 & 63)), text[n++] = (char)(0x80 | (cp & 63));
        }
        lm_token *got = encode(&o, text, n, 0, &count);
        assert_int_equal(lm_vocab_decode(o.vocab, got, count, 0, back, sizeof back, &size), LM_OK);
        assert_int_equal(size, n);
        assert_memory_equal(back, text, n);
        free(got);
    }
    close_opened(&o);
}

int main(void) {
    lm_env_init(&env, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_by_name),
        cmocka_unit_test(roles_come_from_names_and_keys),
        cmocka_unit_test(charsmap_stays_in_its_bounds),
        cmocka_unit_test(strange_tokens_are_harmless),
        cmocka_unit_test(special_tokens_that_overlap_follow_the_rule),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(allocations_grow_with_the_logarithm),
        cmocka_unit_test(monotonous_text_takes_linear_time),
        cmocka_unit_test(byte_level_text_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
