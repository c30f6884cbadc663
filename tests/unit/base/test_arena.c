/* SPDX-License-Identifier: MIT
 * The arena: alignment, exact accounting, limit, reset, and failure at every allocation. */
#include "counting.h"

#include "base/arena.h"

static void pieces_are_aligned_and_apart(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_arena arena;
    unsigned char *pieces[300];
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    for (size_t i = 0; i < 300; i++) {
        size_t align = (size_t)1 << i % 7, size = i * 7 % 901;
        pieces[i] = lm_arena_alloc_aligned(&arena, size, align);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % align, 0);
        memset(pieces[i], (int)(i & 255), size);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t j = 0; j < i * 7 % 901; j++) assert_int_equal(pieces[i][j], i & 255);
    assert_int_equal(arena.bytes, memory.live_bytes);
    assert_true(memory.calls < 12);
    lm_arena_free(&arena);
    assert_int_equal(memory.live_bytes, 0);
    assert_int_equal(arena.bytes, 0);
}

static void a_large_piece_leaves_the_current_chunk_in_use(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_arena arena;
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    char *before = lm_arena_alloc(&arena, 16);
    assert_non_null(lm_arena_alloc(&arena, 100000));
    char *after = lm_arena_alloc(&arena, 16);
    assert_ptr_equal(after, before + 16);
    assert_int_equal(memory.calls, 2);
    lm_arena_free(&arena);
}

static void the_limit_is_exact(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_arena arena;
    lm_arena_init(&arena, &env, 10000);
    while (lm_arena_alloc(&arena, 100)) assert_true(arena.bytes <= 10000);
    assert_true(memory.live_bytes <= 10000);
    assert_true(memory.live_bytes > 9000);
    assert_null(lm_arena_alloc(&arena, SIZE_MAX));
    assert_null(lm_arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(lm_arena_alloc_array(&arena, SIZE_MAX / 2, 3));
    assert_null(lm_arena_copy(&arena, "", SIZE_MAX));
    assert_int_equal(lm_arena_reserve(&arena, SIZE_MAX), LM_ERR_MEMORY);
    lm_arena_free(&arena);
    assert_int_equal(memory.live_bytes, 0);
    assert_non_null(lm_arena_alloc(&arena, 100));
    lm_arena_free(&arena);
}

static void reset_keeps_one_chunk(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_arena arena;
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    for (int i = 0; i < 1000; i++) assert_non_null(lm_arena_alloc(&arena, 100));
    lm_arena_reset(&arena);
    assert_int_equal(arena.bytes, memory.live_bytes);
    size_t calls = memory.calls, bytes = arena.bytes;
    assert_true(bytes > 30000);
    for (int i = 0; i < 250; i++) assert_non_null(lm_arena_alloc(&arena, 100));
    assert_int_equal(memory.calls, calls);
    lm_arena_free(&arena);
    lm_arena_reset(&arena);
    assert_int_equal(memory.live_bytes, 0);
}

static void reserve_then_no_more_calls(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_arena arena;
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_arena_reserve(&arena, 160000), LM_OK);
    for (int i = 0; i < 10000; i++) assert_non_null(lm_arena_alloc(&arena, 16));
    assert_int_equal(memory.calls, 1);
    assert_int_equal(lm_arena_reserve(&arena, 0), LM_OK);
    char *text = lm_arena_copy(&arena, "a\0b", 3);
    assert_memory_equal(text, "a\0b", 4);
    int *zeros = lm_arena_alloc_array(&arena, 10, sizeof *zeros);
    for (int i = 0; i < 10; i++) assert_int_equal(zeros[i], 0);
    lm_arena_free(&arena);
}

static void failure_leaves_the_arena_usable(void **state) {
    (void)state;
    for (size_t k = 0; k < 5; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_arena arena;
        int refused = 0;
        lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
        for (int i = 0; i < 1000; i++) refused += lm_arena_alloc(&arena, 100) == NULL;
        assert_int_equal(refused, 1);
        assert_int_equal(arena.bytes, memory.live_bytes);
        lm_arena_free(&arena);
        assert_int_equal(memory.live_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart), cmocka_unit_test(a_large_piece_leaves_the_current_chunk_in_use),
        cmocka_unit_test(the_limit_is_exact),           cmocka_unit_test(reset_keeps_one_chunk),
        cmocka_unit_test(reserve_then_no_more_calls),   cmocka_unit_test(failure_leaves_the_arena_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
