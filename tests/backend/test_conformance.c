/* SPDX-License-Identifier: MIT
 * The conformance suite on the CPU at every instruction set and thread count, on a second host backend, and on a backend that does
 * nothing: there it must fail, or it proves nothing. */
#include "counting.h"

#include "../../lib/backend/cpu/cpu_backend.h"
#include "../../lib/backend/cpu/cpu_internal.h"
#include "conformance.h"
#include "host_backend.h"

static bool thorough; /* the argument "thorough": every type on the best level */

typedef struct cpu {
    lm_pool *pool;
    lm_cpu cpu;
    lm_backend table;
} cpu;

static void open_cpu(cpu *c, const lm_env *env, int32_t level, int32_t n_threads) {
    c->pool = NULL;
    if (n_threads > 1) assert_int_equal(lm_pool_create(env, n_threads, NULL, &c->pool), LM_OK);
    lm_cpu_init(&c->cpu, env, c->pool, n_threads, level);
    c->table = lm_cpu_backend(&c->cpu);
}

static void close_cpu(cpu *c) { lm_pool_destroy(c->pool); }

static void expect_success(const lm_env *env, const lm_backend *tested, const lm_backend *reference, bool every_type,
                           const char *what) {
    conformance_report report;
    conformance_run(env, tested, reference, every_type, &report);
    if (report.n_failed)
        fail_msg("%s: %d of %d programs, first %s", what, report.n_failed, report.n_run, report.first_failure);
    assert_int_equal(report.n_unsupported, 0);
    printf("%s: %d programs\n", what, report.n_run);
}

static void every_level_and_thread_count_gives_the_same_bytes(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    lm_allocator allocator = {0}; /* the pool's threads do not allocate, but the counter is not made for threads */
    lm_env plain;
    lm_env_init(&plain, &allocator, NULL);
    cpu reference, tested;
    open_cpu(&reference, &env, LM_CPU_GENERIC, 1);
    for (int32_t level = 0; level <= LM_CPU_I8MM; level++) {
        if (!lm_cpu_level_name(level) || !lm_cpu_level_runs(level)) continue;
        open_cpu(&tested, level == lm_cpu_detect() ? &plain : &env, level, level == lm_cpu_detect() ? 3 : 1);
        expect_success(&env, &tested.table, &reference.table, thorough && level == lm_cpu_detect(),
                       lm_cpu_level_name(level));
        close_cpu(&tested);
    }
    assert_int_equal(memory.live_bytes, 0);
}

static cpu beyond;

static lm_status weights_beyond_memory(void *user, int32_t device, const lm_tensor *const *tensors, int32_t n,
                                       void **weights, uint64_t *copied_bytes, lm_error *error) {
    static lm_cpu_weights exceeding = {true};
    lm_status status = beyond.table.weights_create(user, device, tensors, n, weights, copied_bytes, error);
    if (status == LM_OK) *weights = &exceeding;
    return status;
}

/* Hints to the system are hints. */
static void weights_that_exceed_memory_give_the_same_bytes(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    cpu reference;
    open_cpu(&reference, &env, LM_CPU_GENERIC, 1);
    open_cpu(&beyond, &env, lm_cpu_detect(), 1);
    lm_backend table = beyond.table;
    table.weights_create = weights_beyond_memory;
    expect_success(&env, &table, &reference.table, false, "beyond memory");
    assert_int_equal(memory.live_bytes, 0);
}

static void every_operation_has_a_program(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    cpu reference, tested;
    host_backend host = {.inner = &reference.table, .hides_memory = true};
    open_cpu(&reference, &env, LM_CPU_GENERIC, 1);
    open_cpu(&tested, &env, lm_cpu_detect(), 1);
    host.inner = &tested.table;
    lm_backend table = host_backend_table(&host);
    conformance_report report;
    conformance_run(&env, &table, &reference.table, false, &report);
    if (report.n_failed) fail_msg("%s", report.first_failure);
    for (int32_t op = 1; op < LM_OP_COUNT; op++)
        if (report.n_of_op[op] == 0) fail_msg("%s has no program", lm_op_name(op));
    assert_int_equal(host.n_objects, 0);
    assert_int_equal(host.n_mixed_up, 0);
    assert_true(host.n_runs > 0);
    assert_int_equal(memory.live_bytes, 0);
}

static void doing_nothing_does_not_pass(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    cpu reference;
    idle_backend idle = {0};
    lm_backend table = idle_backend_table(&idle);
    conformance_report report;
    open_cpu(&reference, &env, LM_CPU_GENERIC, 1);
    conformance_run(&env, &table, &reference.table, false, &report);
    assert_true(report.n_run > 0);
    assert_int_equal(report.n_failed, report.n_run);
    assert_int_equal(idle.n_objects, 0);
    assert_int_equal(memory.live_bytes, 0);
}

int main(int argc, char **argv) {
    thorough = argc > 1 && strcmp(argv[1], "thorough") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_and_thread_count_gives_the_same_bytes),
        cmocka_unit_test(weights_that_exceed_memory_give_the_same_bytes),
        cmocka_unit_test(every_operation_has_a_program),
        cmocka_unit_test(doing_nothing_does_not_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
