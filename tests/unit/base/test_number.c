/* SPDX-License-Identifier: MIT
 * Numbers and text: against known hard cases, and against the C library (in the C locale) on random input. */
#include "check.h"

#include <math.h>

#include "base/number.h"

static uint64_t random_state = 0x853c49e6748fea9bu;

static uint64_t random_bits(void) {
    uint64_t x = random_state;
    x ^= x >> 12, x ^= x << 25, x ^= x >> 27;
    random_state = x;
    return x * 0x2545F4914F6CDD1Du;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void check_read(const char *text) {
    double ours = -1, theirs = strtod(text, NULL);
    if (!lm_number_to_double(text, strlen(text), &ours)) fail_msg("refused: %.60s", text);
    if (bits_of(ours) != bits_of(theirs)) fail_msg("%.60s: %a, expected %a", text, ours, theirs);
}

static void hard_texts_read_correctly(void **state) {
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "0.0",
        "1",
        "-1.5",
        "1e0",
        "1E+2",
        "123456789012345678",
        "9007199254740993",
        "9007199254740992.5",
        "9007199254740993.0000000000000000000000000000000000000001",
        "1e22",
        "1e23",
        "8.5e22",
        "1e-22",
        "123456789012345e22",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "2.225073858507201136057409796709131975934819546351645e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.48e-324",
        "1e-400",
        "-1e-400",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e309",
        "-1e309",
        "1e310",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0e99999999999999999999",
        "6.02214076e23",
        "0.1",
        "0.3",
        "3.14159265358979323846264338327950288",
        "1448997445238699",
        "7.038531e-26",
        "5e-324",
        "9.5e-323",
        ".5",
        "5.",
        "+7",
        "000123.4500",
        "104110013277974872254e-225",
        "2.109808898695963e16",
        "6.631236846766476e-316",
        "17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797758720709633028641"
        "66928879109465555478519404026306574886715058206819089020007083836762738548458177115317644757302700698555713669"
        "59622842914819860834936475292719074168444365510704342711559699508093042880",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check_read(texts[i]);
}

static void midpoints_are_decided_by_the_last_digit(void **state) {
    (void)state;
    char text[1400];
    for (int round = 0; round < 300; round++) {
        uint64_t bits = random_bits() & 0x7FFFFFFFFFFFFFFF;
        if (round % 3 == 0) bits &= 0x000FFFFFFFFFFFFF; /* subnormal */
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || !isfinite(nextafter(value, INFINITY))) continue;
        /* The midpoint to the next double, exactly: long double has the 11 extra bits on this machine or the case is idle. */
        long double middle = ((long double)value + (long double)nextafter(value, INFINITY)) / 2;
        int n = snprintf(text, sizeof text - 8, "%.1100Le", middle);
        assert_true(n > 0 && n < (int)sizeof text - 8);
        char *exponent = strchr(text, 'e'), saved[16];
        snprintf(saved, sizeof saved, "%s", exponent);
        check_read(text);
        snprintf(exponent, sizeof saved + 2, "1%s", saved);
        check_read(text);
        snprintf(exponent, sizeof saved + 2, "0%s", saved);
        check_read(text);
    }
}

static void random_texts_read_like_the_c_library(void **state) {
    (void)state;
    char text[128];
    for (int round = 0; round < 20000; round++) {
        int digits = 1 + (int)(random_bits() % 40), point = (int)(random_bits() % 42), n = 0;
        if (random_bits() % 2) text[n++] = '-';
        for (int i = 0; i < digits; i++) {
            if (i == point) text[n++] = '.';
            text[n++] = (char)('0' + random_bits() % 10);
        }
        snprintf(text + n, sizeof text - (size_t)n, "e%d", (int)(random_bits() % 700) - 350 - digits / 2);
        check_read(text);
    }
}

static void malformed_texts_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",   "-",    "+",   ".",     "-.",  "e5",  "1e",  "1e+", "1.2.3", "1 ", " 1",
                                        "0x", "1e5x", "--1", "1e1.5", "nan", "inf", "1,5", "+-1", "1e--1", ".e1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double d = 42;
        int64_t s = 42;
        uint64_t u = 42;
        assert_false(lm_number_to_double(texts[i], strlen(texts[i]), &d));
        assert_false(lm_number_to_int64(texts[i], strlen(texts[i]), &s));
        assert_false(lm_number_to_uint64(texts[i], strlen(texts[i]), &u));
        assert_true(d == 42 && s == 42 && u == 42);
    }
}

static void integers_are_exact(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int is_int64, is_uint64;
        int64_t int64;
        uint64_t uint64;
    } cases[] = {
        {"0", 1, 1, 0, 0},
        {"-0", 1, 1, 0, 0},
        {"-0.0e5", 1, 1, 0, 0},
        {"1.0", 1, 1, 1, 1},
        {"1.5", 0, 0, 0, 0},
        {"1e2", 1, 1, 100, 100},
        {"1.25e2", 1, 1, 125, 125},
        {"1.25e1", 0, 0, 0, 0},
        {"100e-2", 1, 1, 1, 1},
        {"-5", 1, 0, -5, 0},
        {"9223372036854775807", 1, 1, INT64_MAX, INT64_MAX},
        {"9223372036854775808", 0, 1, 0, UINT64_C(9223372036854775808)},
        {"-9223372036854775808", 1, 0, INT64_MIN, 0},
        {"-9223372036854775809", 0, 0, 0, 0},
        {"18446744073709551615", 0, 1, 0, UINT64_MAX},
        {"18446744073709551616", 0, 0, 0, 0},
        {"1844674407370955161.5e1", 0, 1, 0, UINT64_MAX},
        {"99999999999999999999", 0, 0, 0, 0},
        {"1e19", 0, 1, 0, UINT64_C(10000000000000000000)},
        {"1e20", 0, 0, 0, 0},
        {"1e999999999999999999999", 0, 0, 0, 0},
        {"1e-999999999999999999999", 0, 0, 0, 0},
        {"0.000000000000000000000000000001e30", 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t s = 0;
        uint64_t u = 0;
        size_t n = strlen(cases[i].text);
        assert_int_equal(lm_number_to_int64(cases[i].text, n, &s), cases[i].is_int64);
        assert_int_equal(lm_number_to_uint64(cases[i].text, n, &u), cases[i].is_uint64);
        assert_true(s == cases[i].int64 && u == cases[i].uint64);
    }
}

static void check_print(double value, const char *expected) {
    char text[LM_NUMBER_TEXT_MAX];
    size_t n = lm_number_from_double(value, text);
    if (n != strlen(expected) || memcmp(text, expected, n)) fail_msg("%.*s, expected %s", (int)n, text, expected);
}

static void printing_looks_like_python(void **state) {
    (void)state;
    check_print(0, "0.0");
    check_print(-0.0, "-0.0");
    check_print(1, "1.0");
    check_print(-1.5, "-1.5");
    check_print(0.1, "0.1");
    check_print(0.3, "0.3");
    check_print(0.1 + 0.2, "0.30000000000000004");
    check_print(100, "100.0");
    check_print(123456.789, "123456.789");
    check_print(1e15, "1000000000000000.0");
    check_print(1e16, "1e+16");
    check_print(123456789012345680.0, "1.2345678901234568e+17");
    check_print(1e22, "1e+22");
    check_print(1e23, "1e+23");
    check_print(0.0001, "0.0001");
    check_print(0.00012, "0.00012");
    check_print(0.00001, "1e-05");
    check_print(1.5e300, "1.5e+300");
    check_print(5e-324, "5e-324");
    check_print(2.2250738585072014e-308, "2.2250738585072014e-308");
    check_print(1.7976931348623157e308, "1.7976931348623157e+308");
    check_print(9007199254740992.0, "9007199254740992.0");
    check_print(9007199254740993.0 * 2, "1.8014398509481984e+16");
    check_print(5.684341886080801e-14, "5.684341886080801e-14");
    check_print(NAN, "nan");
    check_print(INFINITY, "inf");
    check_print(-INFINITY, "-inf");
}

/* Fewest digits at which the C library's nearest decimal reads back; at powers of two another decimal may be shorter. */
static int digits_needed(double value) {
    char text[64];
    for (int digits = 1;; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value) return digits;
    }
}

static void printing_round_trips_and_is_shortest(void **state) {
    (void)state;
    for (int round = 0; round < 8000; round++) {
        uint64_t bits = random_bits();
        if (round % 4 == 1) bits &= 0x800FFFFFFFFFFFFF;
        if (round % 4 == 2) bits &= 0xFFFFFFFF00000000;
        bool power_of_two = round % 4 == 3;
        if (power_of_two) bits &= 0x7FF0000000000000;
        double value, back = 0;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0) continue;
        char text[LM_NUMBER_TEXT_MAX + 1];
        size_t n = lm_number_from_double(value, text);
        assert_true(n <= LM_NUMBER_TEXT_MAX);
        text[n] = '\0';
        assert_true(lm_number_to_double(text, n, &back));
        assert_true(bits_of(back) == bits_of(value));
        assert_true(bits_of(strtod(text, NULL)) == bits_of(value));
        int digits = 0, zeros = 0, needed = digits_needed(value);
        for (const char *c = text; *c && *c != 'e'; c++) {
            if (*c == '0' && digits) zeros++;
            if (*c >= '1' && *c <= '9') digits += zeros + 1, zeros = 0;
        }
        if (power_of_two)
            assert_true(digits <= needed);
        else
            assert_int_equal(digits, needed);
        if (digits == needed) { /* the closest of that length, too */
            char closest[64];
            snprintf(closest, sizeof closest, "%.*e", digits - 1, value);
            double theirs = strtod(closest, NULL), ours = strtod(text, NULL);
            assert_true(theirs == ours);
        }
    }
}

static void integers_print(void **state) {
    (void)state;
    char text[LM_NUMBER_TEXT_MAX];
    assert_int_equal(lm_number_from_int64(INT64_MIN, text), 20);
    assert_memory_equal(text, "-9223372036854775808", 20);
    assert_int_equal(lm_number_from_int64(INT64_MAX, text), 19);
    assert_memory_equal(text, "9223372036854775807", 19);
    assert_int_equal(lm_number_from_int64(0, text), 1);
    assert_int_equal(text[0], '0');
}

static void json_grammar_is_scanned(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        int integer;
    } cases[] = {{"0", 1, 1},   {"-0", 2, 1},      {"01", 1, 1},   {"-", 0, 0},       {"+1", 0, 0},
                 {".5", 0, 0},  {"5.", 1, 1},      {"5.e1", 1, 1}, {"1.5e+3x", 6, 0}, {"1e", 1, 1},
                 {"1e+", 1, 1}, {"12345,6", 5, 1}, {"1E5", 3, 0},  {"", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool integer = false;
        assert_int_equal(lm_number_scan_json(cases[i].text, strlen(cases[i].text), &integer), cases[i].n);
        if (cases[i].n) assert_int_equal(integer, cases[i].integer);
    }
}

static void long_texts_take_linear_time(void **state) {
    (void)state;
    size_t n = 4 << 20;
    char *text = malloc(n);
    memset(text, '1', n);
    double value = 0;
    assert_true(lm_number_to_double(text, n, &value));
    assert_true(isinf(value));
    memset(text, '0', n);
    text[1] = '.';
    memcpy(text + n - 9, "3e4194300", 9);
    assert_true(lm_number_to_double(text, n, &value));
    assert_true(value > 0 && value < 1e10);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_texts_read_correctly),
        cmocka_unit_test(midpoints_are_decided_by_the_last_digit),
        cmocka_unit_test(random_texts_read_like_the_c_library),
        cmocka_unit_test(malformed_texts_are_refused),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(printing_looks_like_python),
        cmocka_unit_test(printing_round_trips_and_is_shortest),
        cmocka_unit_test(integers_print),
        cmocka_unit_test(json_grammar_is_scanned),
        cmocka_unit_test(long_texts_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
