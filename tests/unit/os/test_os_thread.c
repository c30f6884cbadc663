/* SPDX-License-Identifier: MIT
 * Threads, the bell and machine facts. */
#include "check.h"

#include "os/os.h"

static void add_one(void *arg) { atomic_fetch_add((atomic_int *)arg, 1); }

static void threads_run_and_end(void **state) {
    (void)state;
    lm_os_thread threads[8];
    atomic_int count = 0;
    for (int i = 0; i < 8; i++) assert_int_equal(lm_os_thread_create(&threads[i], add_one, &count), LM_OK);
    for (int i = 0; i < 8; i++) lm_os_thread_join(&threads[i]);
    assert_int_equal(count, 8);
}

typedef struct table {
    lm_os_bell serve, answer;
    atomic_int ball; /* whose turn: 0 or 1 */
    int rallies;
} table;

static void wait_for(lm_os_bell *bell, atomic_int *ball, int turn) {
    for (;;) {
        uint32_t seen = atomic_load(&bell->count);
        if (atomic_load(ball) == turn) return;
        lm_os_bell_wait(bell, seen);
    }
}

static void answer(void *arg) {
    table *t = arg;
    for (int i = 0; i < t->rallies; i++) {
        wait_for(&t->serve, &t->ball, 1);
        atomic_store(&t->ball, 0);
        lm_os_bell_ring(&t->answer);
    }
}

static void no_ring_is_lost(void **state) {
    (void)state;
    table t = {.rallies = 5000};
    lm_os_thread thread;
    assert_int_equal(lm_os_bell_create(&t.serve), LM_OK);
    assert_int_equal(lm_os_bell_create(&t.answer), LM_OK);
    assert_int_equal(lm_os_thread_create(&thread, answer, &t), LM_OK);
    for (int i = 0; i < t.rallies; i++) {
        atomic_store(&t.ball, 1);
        lm_os_bell_ring(&t.serve);
        wait_for(&t.answer, &t.ball, 0);
    }
    lm_os_thread_join(&thread);
    lm_os_bell_destroy(&t.serve);
    lm_os_bell_destroy(&t.answer);
}

static void facts_are_plausible(void **state) {
    (void)state;
    uint64_t before = lm_os_now_ns();
    size_t page = lm_os_page_size();
    assert_true(page >= 4096 && (page & (page - 1)) == 0);
    assert_in_range(lm_os_performance_cores(), 1, 4096);
    assert_true(lm_os_memory_total() > 16u << 20);
    assert_true(lm_os_memory_available() <= lm_os_memory_total());
    lm_os_pause();
    assert_true(lm_os_now_ns() > before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_run_and_end),
        cmocka_unit_test(no_ring_is_lost),
        cmocka_unit_test(facts_are_plausible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
