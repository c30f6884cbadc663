/* SPDX-License-Identifier: MIT
 * Hostile templates end with a status, soon, and memory running out at any allocation leaves nothing behind. */
#include "counting.h"
#include "template_check.h"

static const lm_json empty = {.type = LM_JSON_OBJECT};

static lm_status status_of(const char *source, size_t n) {
    test_render r;
    test_render_run(&r, source, n, &empty, NULL);
    test_render_end(&r);
    return r.status;
}

static void hostile_templates_end_with_a_status(void **state) {
    static const struct {
        const char *source;
        lm_status status;
    } cases[] = {
        {"{% for i in range(1000000000) %}x{% endfor %}", LM_ERR_LIMIT},
        {"{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", LM_ERR_LIMIT},
        {"{% set ns = namespace(s='x') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
         LM_ERR_LIMIT},
        {"{% set ns = namespace(l=[1]) %}{% for i in range(64) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
         LM_ERR_LIMIT},
        {"{{ 'abc' * 10000000000 }}", LM_ERR_LIMIT},
        {"{{ [1] * 10000000000 }}", LM_ERR_LIMIT},
        {"{{ 'x'.ljust(10000000000) }}", LM_ERR_LIMIT},
        {"{{ '%1000000000d' % 1 }}", LM_ERR_LIMIT},
        {"{{ '{:>1000000000}'.format(1) }}", LM_ERR_LIMIT},
        {"{{ 'x' | indent(1000000000, true) }}", LM_ERR_LIMIT},
        {"{{ 'x' | center(1000000000) }}", LM_ERR_LIMIT},
        {"{{ [1] | batch(1000000000, 0) | list }}", LM_ERR_LIMIT},
        {"{{ [1] | slice(1000000000) | list }}", LM_ERR_LIMIT},
        {"{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}", LM_ERR_LIMIT},
        {"{% macro m(x) %}{{ m(x) }}{{ m(x) }}{% endmacro %}{{ m(1) }}", LM_ERR_LIMIT},
        {"{% set l = [] %}{% set _ = l.append(l) %}{{ l }}", LM_ERR_LIMIT},
        {"{% set l = [] %}{% set _ = l.append(l) %}{{ l | tojson }}", LM_ERR_LIMIT},
        {"{% set a = [] %}{% set b = [] %}{% set _ = a.append(a) %}{% set _ = b.append(b) %}{{ a == b }}",
         LM_ERR_LIMIT},
        {"{% set l = [1] %}{% for x in l %}{% set _ = l.append(x) %}{% endfor %}", LM_ERR_LIMIT},
        {"{% for n in [1] recursive %}{{ loop([1]) }}{% endfor %}", LM_ERR_LIMIT},
        {"{{ 9223372036854775807 + 1 }}", LM_ERR_LIMIT},
        {"{{ 10 ** 10 ** 10 }}", LM_ERR_LIMIT},
        {"{{ (0 - 9223372036854775807 - 1) // -1 }}", LM_ERR_LIMIT},
        {"{{ ('a' * 1000000) | replace('', 'b' * 1000) | length }}", LM_ERR_LIMIT},
        {"{% set s = 'a' * 1000000 %}{% for i in range(1000) %}{% set t = s | replace('a', 'b') %}{% endfor %}",
         LM_ERR_LIMIT},
        {"{{ strftime_now('%Y' * 1000000) | length }}", LM_OK},
        {"{% include 'x' %}", LM_ERR_UNSUPPORTED},
        {"{{ 99999999999999999999 }}", LM_ERR_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lm_status status = status_of(cases[i].source, strlen(cases[i].source));
        if (status != cases[i].status) fail_msg("%s: %s", cases[i].source, lm_status_name(status));
    }
}

/* opening repeated, then middle, then closing repeated */
static lm_status nested(const char *opening, const char *middle, const char *closing, size_t n) {
    size_t a = strlen(opening), b = strlen(middle), c = strlen(closing);
    char *text = malloc(n * (a + c) + b + 1);
    for (size_t i = 0; i < n; i++) memcpy(text + i * a, opening, a);
    memcpy(text + n * a, middle, b);
    for (size_t i = 0; i < n; i++) memcpy(text + n * a + b + i * c, closing, c);
    lm_status status = status_of(text, n * (a + c) + b);
    free(text);
    return status;
}

static void deep_nesting_ends_with_a_status(void **state) {
    static const struct {
        const char *opening, *middle, *closing;
    } cases[] = {{"{% if 1 %}", "x", "{% endif %}"},
                 {"{% for x in [1] %}", "x", "{% endfor %}"},
                 {"{{ (", "1", ") }}"},
                 {"(", "1", ")"},
                 {"[", "", "]"},
                 {"{'a':", "1", "}"},
                 {"not ", "1", ""},
                 {"-", "1", ""},
                 {"1 if 1 else ", "1", ""},
                 {"a[", "1", "]"},
                 {"f(", "1", ")"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lm_status status = nested(cases[i].opening, cases[i].middle, cases[i].closing, 20000);
        assert_true(status == LM_ERR_LIMIT || status == LM_ERR_FORMAT || i > 2);
        if (i < 3) continue;
        /* the same inside of a tag */
        size_t n = strlen(cases[i].opening);
        char *text = malloc(n * 10000 + 64);
        memcpy(text, "{{ ", 3);
        for (size_t k = 0; k < 10000; k++) memcpy(text + 3 + k * n, cases[i].opening, n);
        status = status_of(text, 3 + n * 10000);
        assert_true(status == LM_ERR_LIMIT || status == LM_ERR_FORMAT);
        free(text);
    }
    /* Long chains are not deep. */
    assert_int_equal(nested("{{ 1 }}", "", "", 10000), LM_OK);
    char *sum = malloc(40100);
    memcpy(sum, "{{ 1", 4);
    for (size_t i = 0; i < 10000; i++) memcpy(sum + 4 + i * 4, " + 1", 4);
    memcpy(sum + 40004, " }}", 3);
    assert_int_equal(status_of(sum, 40007), LM_OK);
    free(sum);
}

static void rendering_survives_any_failed_allocation(void **state) {
    static const char source[] =
        "{% macro m(a, b=2) %}{{ a }}{{ varargs }}{% endmacro %}{% set ns = namespace(x=1) %}"
        "{% for k, v in {'a': [1, 2.5], 'b': 'x'}.items() %}{{ m(k, v, 3) }}{{ loop.last }}{% endfor %}"
        "{{ [3, 1] | sort | map('string') | join(',') | upper | tojson }}{{ '%s' % (1,) }}{{ 'a b'.split() }}";
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_allocator allocator = test_memory_allocator(&memory);
        test_render r;
        test_render_run(&r, source, sizeof source - 1, &empty, &allocator);
        lm_status status = r.status;
        test_render_end(&r);
        assert_int_equal(memory.live_bytes, 0);
        if (!memory.failed) {
            assert_int_equal(status, LM_OK);
            break;
        }
        assert_int_equal(status, LM_ERR_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(hostile_templates_end_with_a_status),
                                       cmocka_unit_test(deep_nesting_ends_with_a_status),
                                       cmocka_unit_test(rendering_survives_any_failed_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
