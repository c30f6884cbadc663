/* SPDX-License-Identifier: MIT
 * UTF-8: every code point, every two- and three-byte string, the standard's replacement examples, streaming. */
#include "check.h"

#include "base/utf8.h"

/* The definition, spelled without regard to speed: a sequence is valid when encoding its value gives it back. */
static size_t decode_slowly(const unsigned char *text, size_t n, uint32_t *out) {
    for (size_t size = 1; size <= 4 && size <= n; size++) {
        uint32_t value = size == 1 ? text[0] : text[0] & (0x7Fu >> size);
        for (size_t i = 1; i < size; i++) value = value << 6 | (text[i] & 0x3F);
        char coded[4];
        if (lm_utf8_encode(value, coded) == size && memcmp(coded, text, size) == 0) {
            *out = value;
            return size;
        }
    }
    return 0;
}

static void every_code_point_round_trips(void **state) {
    (void)state;
    for (uint32_t c = 0; c < 0x120000; c++) {
        char coded[4];
        uint32_t back = 0;
        size_t n = lm_utf8_encode(c, coded);
        bool is_scalar = c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF);
        if ((n != 0) != is_scalar) fail_msg("U+%04X", c);
        if (!n) continue;
        if (n != (c < 0x80 ? 1u : c < 0x800 ? 2u : c < 0x10000 ? 3u : 4u)) fail_msg("U+%04X", c);
        if (lm_utf8_decode(coded, n, &back) != n || back != c) fail_msg("U+%04X", c);
        if (lm_utf8_valid_prefix(coded, n) != n) fail_msg("U+%04X", c);
        for (size_t cut = 1; cut < n; cut++) {
            if (lm_utf8_decode(coded, cut, &back) != 0) fail_msg("U+%04X", c);
            if (lm_utf8_unfinished(coded, cut) != cut) fail_msg("U+%04X", c);
        }
        if (lm_utf8_unfinished(coded, n) != 0) fail_msg("U+%04X", c);
    }
}

static void short_strings_match_the_definition(void **state) {
    (void)state;
    for (uint32_t three = 0; three < 1u << 24; three += three < 1u << 20 ? 1 : 7) {
        unsigned char text[3] = {(unsigned char)(three >> 16), (unsigned char)(three >> 8), (unsigned char)three};
        uint32_t ours = 0, theirs = 0;
        if (lm_utf8_decode((char *)text, 3, &ours) != decode_slowly(text, 3, &theirs) || ours != theirs)
            fail_msg("%06X", three);
    }
}

static void replacement_follows_the_standard(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n, count;
        size_t first; /* bytes of the first replacement */
    } cases[] = {
        {"\x80", 1, 1, 1},
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", 9, 9, 1},
        {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", 9, 9, 1},
        {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", 9, 9, 1},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", 9, 5, 2},
        {"\xF0\x9F\x98", 3, 1, 3},
        {"\xF5\x80", 2, 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t c = 0;
        assert_int_equal(lm_utf8_count(cases[i].text, cases[i].n), cases[i].count);
        assert_int_equal(lm_utf8_decode_lossy(cases[i].text, cases[i].n, &c), cases[i].first);
        assert_int_equal(c, LM_UTF8_REPLACEMENT);
    }
}

static void the_unfinished_end_is_found(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n, unfinished;
    } cases[] = {
        {"", 0, 0},
        {"a", 1, 0},
        {"a\xC3", 2, 1},
        {"\xC3\xA9", 2, 0},
        {"\xE2\x82", 2, 2},
        {"\xE0\x80", 2, 0},
        {"\xF0\x9F\x98", 3, 3},
        {"\xF0\x8F\x98", 3, 0},
        {"\x80\x80\x80", 3, 0},
        {"\xFF", 1, 0},
        {"\xF4\x90", 2, 0},
        {"\xED\xA0", 2, 0},
        {"\xED\x9F", 2, 2},
        {"\xC3\xA9\x80", 3, 0},
        {"x\xF0", 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(lm_utf8_unfinished(cases[i].text, cases[i].n), cases[i].unfinished);
}

static void feeding_in_pieces_equals_feeding_whole(void **state) {
    (void)state;
    static const char *const texts[] = {"plain text, long enough for the fast path",
                                        "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80 end",
                                        "ok \xC3\xA9 then \xC3( bad",
                                        "\xED\xA0\x80",
                                        "12345678\xF4\x90\x80\x80",
                                        "abcdefgh\x80"};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        size_t n = strlen(texts[t]);
        lm_utf8_validator whole = {0};
        size_t taken = lm_utf8_feed(&whole, texts[t], n);
        assert_int_equal(lm_utf8_valid_prefix(texts[t], n), taken - whole.pending);
        for (size_t step = 1; step < 6; step++) {
            lm_utf8_validator v = {0};
            size_t at = 0;
            while (at < n) {
                size_t piece = n - at < step ? n - at : step;
                size_t got = lm_utf8_feed(&v, texts[t] + at, piece);
                assert_true(got <= piece);
                at += got;
                if (got < piece) break;
                assert_int_equal(v.pending, lm_utf8_unfinished(texts[t], at));
            }
            assert_int_equal(at, taken);
            assert_memory_equal(&v, &whole, sizeof v);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_round_trips),           cmocka_unit_test(short_strings_match_the_definition),
        cmocka_unit_test(replacement_follows_the_standard),       cmocka_unit_test(the_unfinished_end_is_found),
        cmocka_unit_test(feeding_in_pieces_equals_feeding_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
