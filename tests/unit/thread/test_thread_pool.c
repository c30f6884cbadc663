/* SPDX-License-Identifier: MIT
 * The pool: every chunk once, exclusive workers, sharing, nesting, cancellation, sleep and wake, the host's executor,
 * failure at every allocation. Meant to run under the thread sanitizer, too. */
#define _GNU_SOURCE
#include "counting.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"
#include "thread/thread_pool.h"

#define CHUNKS_MAX 1000

typedef struct job {
    int runs[CHUNKS_MAX]; /* plain: the pool's own ordering must make them visible and exclusive */
    int by_worker[16];
    atomic_int inside[16];
    atomic_int overlaps;
    int32_t n_threads;
    int bad_worker;
} job;

static void count_chunk(void *arg, int32_t chunk, int32_t worker) {
    job *j = arg;
    if (worker < 0 || worker >= j->n_threads) {
        j->bad_worker = 1;
        return;
    }
    if (atomic_fetch_add(&j->inside[worker], 1) != 0) atomic_fetch_add(&j->overlaps, 1);
    j->runs[chunk]++;
    j->by_worker[worker]++;
    atomic_fetch_sub(&j->inside[worker], 1);
}

static void check_run(lm_pool *pool, int32_t n_threads, int32_t n_chunks) {
    job *j = calloc(1, sizeof *j);
    int32_t most = lm_pool_threads(pool);
    j->n_threads = n_threads > 0 && n_threads < most ? n_threads : most;
    assert_int_equal(lm_pool_run(pool, n_threads, n_chunks, count_chunk, j, NULL), LM_OK);
    int total = 0;
    for (int i = 0; i < CHUNKS_MAX; i++) assert_int_equal(j->runs[i], i < n_chunks);
    for (int i = 0; i < 16; i++) total += j->by_worker[i];
    assert_int_equal(total, n_chunks);
    assert_false(j->bad_worker);
    assert_int_equal(j->overlaps, 0);
    free(j);
}

static lm_env heap_env(void) {
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    return env;
}

static lm_pool *make(const lm_env *env, int32_t n_threads, const lm_executor *executor) {
    lm_pool *pool = NULL;
    assert_int_equal(lm_pool_create(env, n_threads, executor, &pool), LM_OK);
    return pool;
}

static void every_chunk_runs_once(void **state) {
    (void)state;
    lm_env env = heap_env();
    for (int32_t n_threads = 1; n_threads <= 5; n_threads++) {
        lm_pool *pool = make(&env, n_threads, NULL);
        assert_int_equal(lm_pool_threads(pool), n_threads);
        for (int32_t wanted = 0; wanted <= n_threads + 1; wanted++) {
            check_run(pool, wanted, 0);
            check_run(pool, wanted, 1);
            check_run(pool, wanted, 2);
            check_run(pool, wanted, 7);
            check_run(pool, wanted, CHUNKS_MAX);
        }
        for (int i = 0; i < 300; i++) check_run(pool, 0, 1 + i % 20);
        lm_pool_destroy(pool);
    }
    check_run(NULL, 0, 10);
    check_run(NULL, 4, 10);
    assert_int_equal(lm_pool_threads(NULL), 1);
    lm_pool_destroy(NULL);
}

static void arguments_are_checked(void **state) {
    (void)state;
    lm_env env = heap_env();
    lm_pool *pool = NULL;
    lm_executor none = {NULL, NULL};
    assert_int_equal(lm_pool_create(&env, -1, NULL, &pool), LM_ERR_ARGUMENT);
    assert_int_equal(lm_pool_create(&env, LM_POOL_THREADS_MAX + 1, NULL, &pool), LM_ERR_ARGUMENT);
    assert_int_equal(lm_pool_create(&env, 2, &none, &pool), LM_ERR_ARGUMENT);
    assert_null(pool);
    pool = make(&env, 0, NULL);
    assert_int_equal(lm_pool_threads(pool), lm_os_performance_cores());
    lm_pool_destroy(pool);
}

static void sleep_ms(long ms) {
    struct timespec t = {0, ms * 1000000};
    nanosleep(&t, NULL);
}

/* Workers must wake up: a chunk that waits for another thread ends only if one comes. */
static void meet(void *arg, int32_t chunk, int32_t worker) {
    atomic_int *arrived = arg;
    (void)chunk, (void)worker;
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < 3) lm_os_pause();
}

static void sleeping_workers_wake(void **state) {
    (void)state;
    lm_env env = heap_env();
    lm_pool *pool = make(&env, 3, NULL);
    for (int i = 0; i < 40; i++) {
        atomic_int arrived = 0;
        if (i % 2) sleep_ms(i % 4 == 1 ? 1 : 0);
        assert_int_equal(lm_pool_run(pool, 0, 3, meet, &arrived, NULL), LM_OK);
        check_run(pool, 2, 5); /* the third thread keeps sleeping or spinning */
    }
    lm_pool_destroy(pool);
}

/* The caller's own chunk ends once the other has begun; that one ends about when the caller has spun enough and goes to sleep. */
typedef struct late {
    atomic_int begun;
    uint64_t wait_ns;
} late;

static void end_late(void *arg, int32_t chunk, int32_t worker) {
    late *l = arg;
    (void)chunk;
    if (worker == 0) {
        while (!atomic_load(&l->begun)) lm_os_pause();
        return;
    }
    uint64_t end = lm_os_now_ns() + l->wait_ns;
    atomic_store(&l->begun, 1);
    while (lm_os_now_ns() < end) lm_os_pause();
}

static void a_sleeping_caller_wakes(void **state) {
    (void)state;
    lm_env env = heap_env();
    lm_pool *pool = make(&env, 2, NULL);
    for (uint64_t i = 0; i < 500; i++) {
        late l = {0, 10000 + i * 7919 % 30000};
        assert_int_equal(lm_pool_run(pool, 0, 2, end_late, &l, NULL), LM_OK);
    }
    lm_pool_destroy(pool);
}

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A thread that had to wait for a processor may spin late, and some systems count in ticks of 16 ms: one of many windows has
 * to be empty. A pool that spins or polls leaves none. */
static void an_idle_pool_uses_no_processor_time(void **state) {
    (void)state;
    lm_env env = heap_env();
    lm_pool *pool = make(&env, 4, NULL);
    check_run(pool, 0, 100);
    double least = 1;
    for (int i = 0; i < 50 && least >= 0.005; i++) {
        double before = processor_seconds();
        sleep_ms(200);
        double used = processor_seconds() - before;
        if (used < least) least = used;
    }
    assert_true(least < 0.005);
    lm_pool_destroy(pool);
}

typedef struct shared {
    lm_pool *pool;
    int failures;
} shared;

static void *run_many(void *arg) {
    shared *s = arg;
    for (int i = 0; i < 2000; i++) {
        job j = {.n_threads = lm_pool_threads(s->pool)};
        int32_t n = 1 + i % 9;
        if (lm_pool_run(s->pool, 0, n, count_chunk, &j, NULL) != LM_OK) s->failures++;
        for (int k = 0; k < n; k++) s->failures += j.runs[k] != 1;
        s->failures += j.bad_worker + j.overlaps;
    }
    return NULL;
}

static void several_callers_share_a_pool(void **state) {
    (void)state;
    lm_env env = heap_env();
    lm_pool *pool = make(&env, 3, NULL);
    pthread_t threads[4];
    shared s[4];
    for (int i = 0; i < 4; i++) {
        s[i] = (shared){pool, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, &s[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(s[i].failures, 0);
    }
    lm_pool_destroy(pool);
}

typedef struct nest {
    lm_pool *pool;
    atomic_int leaves;
} nest;

static void leaf(void *arg, int32_t chunk, int32_t worker) {
    nest *n = arg;
    (void)chunk, (void)worker;
    atomic_fetch_add(&n->leaves, 1);
}

static void branch(void *arg, int32_t chunk, int32_t worker) {
    nest *n = arg;
    (void)chunk, (void)worker;
    lm_pool_run(n->pool, 0, 10, leaf, n, NULL);
}

static void runs_may_nest(void **state) {
    (void)state;
    lm_env env = heap_env();
    nest n = {make(&env, 3, NULL), 0};
    assert_int_equal(lm_pool_run(n.pool, 0, 50, branch, &n, NULL), LM_OK);
    assert_int_equal(n.leaves, 500);
    lm_pool_destroy(n.pool);
}

typedef struct stop {
    atomic_int cancel, runs;
    int at;
} stop;

static void cancel_at(void *arg, int32_t chunk, int32_t worker) {
    stop *s = arg;
    (void)worker;
    atomic_fetch_add(&s->runs, 1);
    if (chunk == s->at) atomic_store(&s->cancel, 1);
}

static void sequential(void *user, int32_t n, lm_executor_task task, void *arg) {
    *(int *)user += n;
    for (int32_t i = n; i-- > 0;) task(arg, i);
}

static void cancellation_stops_between_chunks(void **state) {
    (void)state;
    lm_env env = heap_env();
    int tasks = 0;
    lm_executor executor = {&tasks, sequential};
    lm_pool *pools[] = {NULL, make(&env, 1, NULL), make(&env, 2, NULL), make(&env, 4, NULL), make(&env, 3, &executor)};
    for (size_t p = 0; p < sizeof pools / sizeof *pools; p++) {
        for (int at = 0; at < 100; at += 9) {
            stop s = {0, 0, at};
            lm_status status = lm_pool_run(pools[p], 0, 100, cancel_at, &s, &s.cancel);
            assert_int_equal(status, s.runs < 100 ? LM_ERR_CANCELLED : LM_OK);
            if (p < 2) assert_int_equal(s.runs, at + 1);
            assert_true(s.runs >= 1 && s.runs <= 100); /* a chunk before at may be taken and not started yet */
            check_run(pools[p], 0, 10);
        }
        stop early = {1, 0, 5}, late = {0, 0, 99};
        assert_int_equal(lm_pool_run(pools[p], 0, 100, cancel_at, &early, &early.cancel), LM_ERR_CANCELLED);
        assert_int_equal(early.runs, 0);
        assert_int_equal(lm_pool_run(pools[p], 1, 100, cancel_at, &late, &late.cancel), LM_OK);
        assert_int_equal(late.runs, 100);
        lm_pool_destroy(pools[p]);
    }
}

static void lazy(void *user, int32_t n, lm_executor_task task, void *arg) {
    (void)user, (void)n, (void)task, (void)arg;
}

typedef struct host_task {
    lm_executor_task task;
    void *arg;
    int32_t i;
} host_task;

static void *host_thread(void *arg) {
    host_task *t = arg;
    t->task(t->arg, t->i);
    return NULL;
}

static void threaded(void *user, int32_t n, lm_executor_task task, void *arg) {
    (void)user;
    pthread_t threads[16];
    host_task tasks[16];
    for (int32_t i = 0; i < n; i++) {
        tasks[i] = (host_task){task, arg, i};
        pthread_create(&threads[i], NULL, host_thread, &tasks[i]);
    }
    for (int32_t i = 0; i < n; i++) pthread_join(threads[i], NULL);
}

static void a_host_can_bring_its_threads(void **state) {
    (void)state;
    test_memory memory = {.fail_at = TEST_MEMORY_NEVER};
    lm_env env = test_memory_env(&memory);
    int tasks = 0;
    lm_executor executors[] = {{&tasks, sequential}, {NULL, threaded}, {NULL, lazy}};
    for (int e = 0; e < 3; e++) {
        lm_pool *pool = make(&env, 4, &executors[e]);
        assert_int_equal(lm_pool_threads(pool), 4);
        assert_int_equal(lm_pool_bytes(pool), memory.live_bytes);
        for (int i = 0; i < 20; i++) check_run(pool, i % 6, i * 3);
        lm_pool_destroy(pool);
    }
    assert_true(tasks > 0);
    assert_int_equal(memory.live_bytes, 0);
}

static void creation_survives_failure_and_runs_allocate_nothing(void **state) {
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_pool *pool = NULL;
        lm_status status = lm_pool_create(&env, 3, NULL, &pool);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        if (pool) {
            size_t calls = memory.calls;
            assert_int_equal(lm_pool_bytes(pool), memory.live_bytes);
            check_run(pool, 0, 100);
            assert_int_equal(memory.calls, calls);
        }
        lm_pool_destroy(pool);
        assert_int_equal(memory.live_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_runs_once),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(sleeping_workers_wake),
        cmocka_unit_test(a_sleeping_caller_wakes),
        cmocka_unit_test(an_idle_pool_uses_no_processor_time),
        cmocka_unit_test(several_callers_share_a_pool),
        cmocka_unit_test(runs_may_nest),
        cmocka_unit_test(cancellation_stops_between_chunks),
        cmocka_unit_test(a_host_can_bring_its_threads),
        cmocka_unit_test(creation_survives_failure_and_runs_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
