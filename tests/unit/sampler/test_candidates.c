/* SPDX-License-Identifier: MIT
 * The candidate list against naive definitions: prefix sorting, top-k with every shape of data, the draw. */
#include "sampler_support.h"

static int compare_keys(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_prefix_orders_the_smallest(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 47, 48, 49, 100, 1000, 5000};
    static uint64_t keys[5000], expected[5000];
    lm_random random;
    lm_random_seed(&random, 1);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int kind = 0; kind < 5; kind++) {
            for (size_t k = 0; k <= sizes[s]; k += 1 + k) {
                size_t n = sizes[s];
                for (size_t i = 0; i < n; i++) {
                    uint64_t r = (uint64_t)lm_random_word(&random) << 32 | lm_random_word(&random);
                    keys[i] = kind == 0 ? r : kind == 1 ? r % 7 : kind == 2 ? i : kind == 3 ? n - i : r << 48 | i % 3;
                }
                memcpy(expected, keys, n * sizeof *keys);
                qsort(expected, n, sizeof *expected, compare_keys);
                lm_sort_prefix(keys, n, k);
                for (size_t i = 0; i < k; i++) assert_true(keys[i] == expected[i]);
                qsort(keys, n, sizeof *keys, compare_keys);
                for (size_t i = 0; i < n; i++) assert_true(keys[i] == expected[i]);
            }
        }
    }
}

static void key_gives_back_logit_and_id(void **state) {
    (void)state;
    static const float logits[] = {0.0f, 1.0f, -1.0f, 3.4e38f, -3.4e38f, 1e-40f, -INFINITY};
    for (size_t i = 0; i < sizeof logits / sizeof *logits; i++) {
        uint64_t key = lm_candidate_key(logits[i], 123456);
        assert_true(lm_candidate_key_logit(key) == logits[i]);
        assert_int_equal(lm_candidate_key_id(key), 123456);
    }
    assert_true(lm_candidate_key(2.0f, 9) < lm_candidate_key(1.0f, 0));
    assert_true(lm_candidate_key(-0.0f, 1) < lm_candidate_key(0.0f, 2));
    assert_true(lm_candidate_key(0.0f, 1) < lm_candidate_key(-0.0f, 2));
}

#define LARGE 9000

static void fill(float *logits, size_t n, int kind, lm_random *random) {
    for (size_t i = 0; i < n; i++) {
        float u = lm_random_float(random);
        switch (kind) {
        case 0: logits[i] = 20.0f * u - 10.0f; break;
        case 1: logits[i] = (float)(int)(8.0f * u); break;
        case 2: logits[i] = 1.0f; break;
        case 3: logits[i] = u < 0.99f ? -INFINITY : u; break;
        case 4: logits[i] = (float)i; break;
        default: logits[i] = i == n - 1 ? 5.0f : -INFINITY; break;
        }
    }
}

static void top_keeps_the_largest_with_ties_by_id(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 5, 511, 512, 513, 1024, 2000, LARGE};
    static const size_t counts[] = {1, 2, 7, 40, 64, 300, 2000, LARGE};
    static float logits[LARGE];
    static uint64_t expected[LARGE];
    lm_random random;
    lm_candidates c;
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    lm_random_seed(&random, 2);
    assert_int_equal(lm_candidates_init(&c, &env, LARGE), LM_OK);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int kind = 0; kind < 6; kind++) {
            size_t n = sizes[s];
            do fill(logits, n, kind, &random);
            while (lm_candidates_begin(&c, logits, n), lm_candidates_scan(&c) != LM_OK && n > 1);
            if (!c.is_scanned) continue;
            for (size_t i = 0; i < n; i++) expected[i] = lm_candidate_key(logits[i], (lm_token)i);
            qsort(expected, n, sizeof *expected, compare_keys);
            for (size_t j = 0; j < sizeof counts / sizeof *counts; j++) {
                size_t k = counts[j] < n ? counts[j] : n;
                lm_candidates_begin(&c, logits, n);
                assert_int_equal(lm_candidates_scan(&c), LM_OK);
                assert_true(c.max == lm_candidate_key_logit(expected[0]));
                lm_candidates_top(&c, counts[j]);
                assert_int_equal(c.count, k);
                for (size_t i = 0; i < k; i++) assert_true(lm_candidate_key(c.logits[i], c.ids[i]) == expected[i]);
            }
        }
    }
    lm_candidates_free(&c, &env);
}

static void scan_refuses_unusable_logits_at_every_place(void **state) {
    (void)state;
    static float logits[1100];
    lm_candidates c;
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(lm_candidates_init(&c, &env, 1100), LM_OK);
    for (size_t i = 0; i < 1100; i += 13) {
        for (int kind = 0; kind < 3; kind++) {
            for (size_t j = 0; j < 1100; j++) logits[j] = (float)j;
            logits[i] = kind == 0 ? NAN : kind == 1 ? -NAN : INFINITY;
            lm_candidates_begin(&c, logits, 1100);
            assert_int_equal(lm_candidates_scan(&c), LM_ERR_RANGE);
        }
    }
    for (size_t j = 0; j < 1100; j++) logits[j] = -INFINITY;
    lm_candidates_begin(&c, logits, 1100);
    assert_int_equal(lm_candidates_scan(&c), LM_ERR_RANGE);
    logits[777] = -3e38f;
    lm_candidates_begin(&c, logits, 1100);
    assert_int_equal(lm_candidates_scan(&c), LM_OK);
    lm_candidates_free(&c, &env);
}

/* Draw as the definition says, one entry at a time. */
static size_t naive_draw(const float *p, size_t n, lm_random *random) {
    double total = 0, running = 0;
    for (size_t i = 0; i < n; i++) total += p[i];
    double target = lm_random_double(random) * total;
    for (size_t i = 0; i < n; i++)
        if (p[i] > 0 && (running += p[i]) >= target) return i;
    return n;
}

static void draw_agrees_with_its_definition(void **state) {
    (void)state;
    static float logits[1500];
    lm_candidates c;
    lm_env env;
    lm_random fill_random, a, b;
    lm_env_init(&env, NULL, NULL);
    lm_random_seed(&fill_random, 3);
    lm_random_seed(&a, 4);
    lm_random_seed(&b, 4);
    assert_int_equal(lm_candidates_init(&c, &env, 1500), LM_OK);
    for (int round = 0; round < 300; round++) {
        size_t n = 2 + lm_random_word(&fill_random) % 1499;
        fill(logits, n, round % 5 == 3 ? 0 : round % 5, &fill_random);
        for (size_t i = 0; i < n; i += 3) logits[i] = -INFINITY;
        lm_candidates_begin(&c, logits, n);
        if (lm_candidates_softmax(&c, NULL) != LM_OK) continue;
        size_t drawn = lm_candidates_draw(&c, &a);
        assert_int_equal(drawn, naive_draw(c.p, n, &b));
        assert_true(c.p[drawn] > 0);
    }
    lm_candidates_free(&c, &env);
}

static void out_of_memory_is_reported(void **state) {
    (void)state;
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_candidates c;
        lm_status status = lm_candidates_init(&c, &env, 1000);
        if (status == LM_OK) lm_candidates_free(&c, &env);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        if (!memory.failed) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort_prefix_orders_the_smallest),
        cmocka_unit_test(key_gives_back_logit_and_id),
        cmocka_unit_test(top_keeps_the_largest_with_ties_by_id),
        cmocka_unit_test(scan_refuses_unusable_logits_at_every_place),
        cmocka_unit_test(draw_agrees_with_its_definition),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
