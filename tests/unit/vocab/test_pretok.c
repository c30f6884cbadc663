/* SPDX-License-Identifier: MIT
 * Pre-tokenizers: pieces of every reference type, pieces of our own cases, linear time on monotonous text. */
#include "check.h"

#include "vocab/pretokenize.h"
#include "vocab/unicode.h"

static const char *const reference_types[] = {
    "afmoe",    "bailingmoe",    "bloom",          "chameleon",    "chatglm4",  "codeshell",       "command_r",
    "dbrx",     "deepseek3_llm", "deepseek_coder", "deepseek_llm", "default",   "exaone",          "exaone_moe",
    "falcon",   "gemma4",        "gpt2",           "gpt3_finnish", "gpt4o",     "granite_docling", "granite_emb_multi",
    "grok_2",   "hunyuan",       "hunyuan_dense",  "jais",         "jais2",     "joyai_llm",       "kimi_k2",
    "laguna",   "llama3",        "mellum2",        "minerva",      "minicpm5",  "minimax_m2",      "mpt",
    "olmo",     "poro",          "qwen2",          "qwen35",       "refact",    "sarvam_moe",      "seed_coder",
    "smaug",    "smollm",        "solar_open",     "stablelm2",    "starcoder", "superbpe",        "tekken",
    "tiny_aya", "trillion",      "viking",         "whitespace",   "youtu"};

static int hex(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* The list of hex strings behind a key, checked against the pieces of a type. */
static void check_pieces(const char *json, const char *key, const lm_pretok_type *type, const uint8_t *text, size_t n) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *p = strstr(json, quoted);
    assert_non_null(p);
    p = strchr(p, '[');
    lm_pretok cut;
    const uint8_t *piece;
    size_t size, index = 0;
    lm_pretok_begin(&cut, type, text, n);
    while (*p != ']') {
        if (*p++ != '"') continue;
        if (*p == '"') { /* an empty piece makes no token */
            p++;
            continue;
        }
        if (!lm_pretok_next(&cut, &piece, &size)) fail_msg("%s: only %zu pieces", type->name, index);
        size_t i = 0;
        for (; *p != '"'; p += 2, i++)
            if (i >= size || piece[i] != (hex(p[0]) << 4 | hex(p[1])))
                fail_msg("%s: piece %zu is \"%.*s\"", type->name, index, (int)size, (const char *)piece);
        if (i != size)
            fail_msg("%s: piece %zu is \"%.*s\", too long", type->name, index, (int)size, (const char *)piece);
        p++;
        index++;
    }
    assert_false(lm_pretok_next(&cut, &piece, &size));
}

/* Where the reference only approximates the vendor's expression, the vendor's pieces are the ones that count. */
static void pieces_of_all_reference_types(void **state) {
    (void)state;
    size_t n = 0, checked = 0;
    char *text = test_read_shared("fixtures/pretok/stress.txt", &n);
    for (size_t i = 0; i < sizeof reference_types / sizeof *reference_types; i++) {
        char path[128];
        snprintf(path, sizeof path, "fixtures/pretok/%s.json", reference_types[i]);
        char *json = test_read_shared(path, NULL);
        const char *key = strstr(json, "\"original_pieces\"") ? "original_pieces" : "pieces";
        const char *p = strstr(json, "\"names\""), *end = strchr(p, ']');
        p = strchr(p, '[');
        while ((p = strchr(p, '"')) && p < end) {
            const char *close = strchr(p + 1, '"');
            const lm_pretok_type *type = lm_pretok_find(p + 1, (size_t)(close - p - 1));
            if (!type) fail_msg("unknown name %.*s", (int)(close - p - 1), p + 1);
            check_pieces(json, key, type, (const uint8_t *)text, n);
            checked++;
            p = close + 1;
        }
        free(json);
    }
    assert_true(checked > 80);
    free(text);
}

typedef struct piece_case {
    const char *name, *text, *pieces; /* pieces separated by a bar */
} piece_case;

static const piece_case cases[] = {
    {"gpt-2", "It's  12 o'clock,ok \n x", "It|'s| | 12| o|'|clock|,|ok| \n| x"},
    {"llama3", "I'LL 12345\n\n a  b", "I|'LL| |123|45|\n\n| a| | b"},
    {"qwen2", "x=12;\ny", "x|=|1|2|;\n|y"},
    {"qwen35", "e\xCC\x81t 1", "e\xCC\x81t| |1"},
    {"gpt-4o", "camelCase HTTPServer don't 1234 a/b//\n", "camel|Case| HTTPServer| don't| |123|4| a|/b|//\n"},
    {"tekken", "camelCase 12", "camel|Case| |1|2"},
    /* a mark alone is a word before a capital takes it as its prefix */
    {"tekken", "1\xCC\x81Tx", "1|\xCC\x81Tx"},
    {"tekken", "1\xCC\x81T", "1|\xCC\x81|T"},
    {"gpt-4o", "1\xEF\xB8\x8F\xE2\x83\xA3T's", "1|\xEF\xB8\x8F\xE2\x83\xA3|T's"},
    {"granite-embed-multi-97m", "\xCC\x81T'S", "\xCC\x81|T'S"},
    {"glm5", "I'LL 12345", "I|'LL| |123|45"},
    {"hy_v4", "1234abc.def", "123|4|abc|.def"},
    {"ufakzeka", "Ankara'da 12;\n", "Ankara|'da| |1|2|;\n"},
    {"ufakzeka", "it's", "it|'s"},
    {"ufakzeka", "'sa", "'sa"},
    {"falcon", "a 12345 `x`", "a| |123|45| |`|x|`"},
    {"deepseek-v3", "1234abc.def \xE4\xB8\xAD\xE6\x96\x87", "123|4|abc|.def| |\xE4\xB8\xAD\xE6\x96\x87"},
    {"deepseek-coder", "a 12\n\xE4\xB8\xAD!", "a| |1|2|\n|\xE4\xB8\xAD|!"},
    {"afmoe", "1234567", "1|234|567"},
    {"superbpe", "ab 1234567 c", "ab |1|234|567| c"},
    {"superbpe", "x1705\xC2\xBD x", "x|1|705\xC2\xBD| x"},
    {"gemma4", "a b\n\nc", "a b|\n\n|c"},
    {"chameleon", "<sentinel:7>IMGIMGABZx    y", "<|sentinel|:|7|>|IMGIMGABZ|x|    |y"},
    {"kimi-k2",
     "\xE4\xB8\xAD"
     "ab\xE6\x96\x87 cd",
     "\xE4\xB8\xAD|ab|\xE6\x96\x87| cd"},
    {"exaone-moe", "a bc 1", "a bc| |1"},
    {"jais-2", "a       b", "a|    |  | b"},
    {"bloom", "a b, c", "a| b|,| c"},
    {"bloom", "a (b c", "a| (|b| c"},
    {"whitespace", "ab  c", "ab|  |c"},
    {"youtu",
     "ab\xE4\xB8\xAD\xEF\xBC\x8C"
     "1",
     "ab|\xE4\xB8\xAD|\xEF\xBC\x8C|1"},
};

static void pieces_of_small_cases(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const lm_pretok_type *type = lm_pretok_find(cases[i].name, strlen(cases[i].name));
        assert_non_null(type);
        lm_pretok cut;
        const uint8_t *piece;
        size_t n, used = 0;
        char joined[256];
        lm_pretok_begin(&cut, type, (const uint8_t *)cases[i].text, strlen(cases[i].text));
        while (lm_pretok_next(&cut, &piece, &n)) {
            if (used > 0) joined[used++] = '|';
            memcpy(joined + used, piece, n);
            used += n;
        }
        joined[used] = '\0';
        if (strcmp(joined, cases[i].pieces) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", cases[i].name, joined, cases[i].pieces);
    }
}

static void check_cover(const lm_pretok_type *type, const char *text, size_t n) {
    lm_pretok cut;
    const uint8_t *piece;
    size_t m, at = 0;
    lm_pretok_begin(&cut, type, (const uint8_t *)text, n);
    while (lm_pretok_next(&cut, &piece, &m)) {
        assert_true(m > 0 && piece == (const uint8_t *)text + at);
        at += m;
    }
    assert_int_equal(at, n);
}

/* Groups of three are counted from the end of a run: that end is looked for once, not for every group. */
static void long_numbers_take_linear_time(void **state) {
    (void)state;
    static const char *const names[] = {"afmoe", "superbpe", "tiny_aya"};
    size_t size = 1 << 23; /* hours when quadratic */
    char *text = malloc(size);
    memset(text, '7', size);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_cover(lm_pretok_find(names[i], strlen(names[i])), text, size);
    free(text);
}

static bool cuts_as_one_before(size_t t) {
    for (size_t i = 0; i < t; i++)
        if (memcmp(lm_pretok_at(i)->stages, lm_pretok_at(t)->stages, sizeof lm_pretok_at(t)->stages) == 0) return true;
    return false;
}

/* Every list of stages gives back the whole text, however monotonous it is, and does not look at a stretch again for every piece:
 * one text that took quadratic time would use up the limit of the whole test. */
static void pieces_cover_monotonous_text(void **state) {
    (void)state;
    static const char *const units[] = {"a",
                                        " ",
                                        "\n",
                                        "7",
                                        "'",
                                        "\xE4\xB8\xAD",
                                        "\xF0\x9F\x98\x80",
                                        "\xCC\x81",
                                        "A",
                                        "aA",
                                        ("\xE4\xB8\xAD"
                                         "A"),
                                        " a",
                                        "\t ",
                                        "1 ",
                                        "~",
                                        "\xE2\x80\x89",
                                        " \r",
                                        "'s",
                                        "<sentinel:"};
    size_t size = 1 << 19;
    char *text = malloc(size + 16);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t unit = strlen(units[u]), n = size / unit * unit;
        for (size_t i = 0; i < n; i += unit) memcpy(text + i, units[u], unit);
        for (size_t t = 0; t < lm_pretok_count(); t++)
            if (!cuts_as_one_before(t)) check_cover(lm_pretok_at(t), text, n);
    }
    free(text);
}

static void unicode_tables_hold_known_facts(void **state) {
    (void)state;
    assert_int_equal(lm_unicode_mask('A'), LM_UC_LU);
    assert_int_equal(lm_unicode_mask(0x4E2D), LM_UC_LO);
    assert_int_equal(lm_unicode_mask(0x3000) & LM_UC_SPACE, LM_UC_SPACE);
    assert_int_equal(lm_unicode_mask(0x200B), LM_UC_CF);
    assert_int_equal(lm_unicode_mask(0x10FFFF), LM_UC_CN);
    assert_int_equal(lm_unicode_lower('Q'), 'q');
    assert_int_equal(lm_unicode_lower(0x130), 'i');
    assert_int_equal(lm_unicode_lower(0x1E921), 0x1E943);
    assert_int_equal(lm_unicode_lower(0x101), 0x101);
    assert_int_equal(lm_unicode_base(0xE9), 'e');
    assert_int_equal(lm_unicode_base(0xAC01), 0x1100);
    assert_int_equal(lm_unicode_base(0xF900), 0x8C48);
    assert_int_equal(lm_unicode_base(0x2F800), 0x4E3D);
    assert_int_equal(lm_unicode_base('e'), 'e');
    static const uint32_t parts[][5] = {{'e', 1, 'e'},
                                        {0xE9, 1, 'e'},
                                        {0xAC00, 2, 0x1100, 0x1161},
                                        {0xD55C, 3, 0x1112, 0x1161, 0x11AB},
                                        {0x9CB, 2, 0x9C7, 0x9BE},
                                        {0xCCB, 3, 0xCC6, 0xCC2, 0xCD5},
                                        {0xDDD, 2, 0xDD9, 0xDCF},
                                        {0x1134B, 2, 0x11347, 0x1133E}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint32_t got[LM_UNICODE_PARTS];
        assert_int_equal(lm_unicode_parts(parts[i][0], got), parts[i][1]);
        assert_memory_equal(got, parts[i] + 2, parts[i][1] * sizeof *got);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_all_reference_types),   cmocka_unit_test(pieces_of_small_cases),
        cmocka_unit_test(pieces_cover_monotonous_text),    cmocka_unit_test(long_numbers_take_linear_time),
        cmocka_unit_test(unicode_tables_hold_known_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
