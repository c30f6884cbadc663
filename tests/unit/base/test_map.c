/* SPDX-License-Identifier: MIT
 * The map: many keys, odd keys, no allocation on look-ups, failure at every allocation. */
#include "counting.h"

#include "base/map.h"

#define N 20000
static char names[N][12];

static int fill(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) sprintf(names[i], "key %d", i * 31 % N);
    return 0;
}

static void keys_are_found(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_map map;
    int32_t value = -1;
    lm_map_init(&map, &env, 1);
    assert_false(lm_map_get(&map, "", 0, &value));
    for (int i = 0; i < N; i++) {
        assert_int_equal(lm_map_put(&map, names[i], strlen(names[i]), i), LM_OK);
        assert_int_equal(map.count, i + 1);
    }
    assert_int_equal(lm_map_bytes(&map), memory.live_bytes);
    size_t calls = memory.calls;
    for (int i = 0; i < N; i++) {
        char copy[12];
        strcpy(copy, names[i]);
        assert_true(lm_map_get(&map, copy, strlen(copy), &value));
        assert_int_equal(value, i);
        copy[0] = 'K';
        assert_false(lm_map_get(&map, copy, strlen(copy), &value));
        assert_false(lm_map_get(&map, names[i], strlen(names[i]) + 1, &value));
    }
    assert_int_equal(memory.calls, calls);
    lm_map_free(&map);
    assert_int_equal(memory.live_bytes, 0);
}

static void keys_are_bytes(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_map map;
    int32_t value = -1;
    bool added = false;
    lm_map_init(&map, &env, 0);
    assert_int_equal(lm_map_put(&map, NULL, 0, 10), LM_OK);
    assert_int_equal(lm_map_put(&map, "\0", 1, 11), LM_OK);
    assert_int_equal(lm_map_put(&map, "\0\0", 2, 12), LM_OK);
    assert_true(lm_map_get(&map, "", 0, &value) && value == 10);
    assert_true(lm_map_get(&map, "\0\0", 2, &value) && value == 12);
    assert_int_equal(lm_map_add(&map, "\0", 1, 13, &added), LM_OK);
    assert_false(added);
    assert_true(lm_map_get(&map, "\0", 1, &value) && value == 11);
    assert_int_equal(lm_map_put(&map, "\0", 1, 14), LM_OK);
    assert_true(lm_map_get(&map, "\0", 1, &value) && value == 14);
    assert_int_equal(lm_map_add(&map, "new", 3, 15, &added), LM_OK);
    assert_true(added);
    assert_int_equal(map.count, 4);
    lm_map_free(&map);
}

static void reserved_room_needs_no_calls(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_map map;
    lm_map_init(&map, &env, 7);
    assert_int_equal(lm_map_reserve(&map, N), LM_OK);
    for (int i = 0; i < N; i++) assert_int_equal(lm_map_put(&map, names[i], strlen(names[i]), i), LM_OK);
    assert_int_equal(memory.calls, 1);
    assert_int_equal(lm_map_reserve(&map, SIZE_MAX), LM_ERR_MEMORY);
    assert_int_equal(lm_map_reserve(&map, SIZE_MAX / 5), LM_ERR_MEMORY);
    lm_map_free(&map);
}

static void failure_keeps_the_table(void **state) {
    (void)state;
    for (size_t k = 0; k < 8; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_map map;
        int32_t value = -1;
        int refused = 0;
        lm_map_init(&map, &env, 7);
        for (int i = 0; i < 1000; i++) {
            lm_status status = lm_map_put(&map, names[i], strlen(names[i]), i);
            if (status == LM_OK) continue;
            assert_int_equal(status, LM_ERR_MEMORY);
            assert_false(lm_map_get(&map, names[i], strlen(names[i]), &value));
            refused++;
            i--;
        }
        assert_int_equal(refused, memory.failed);
        for (int i = 0; i < 1000; i++) assert_true(lm_map_get(&map, names[i], strlen(names[i]), &value) && value == i);
        lm_map_free(&map);
        assert_int_equal(memory.live_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(reserved_room_needs_no_calls),
        cmocka_unit_test(failure_keeps_the_table),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
