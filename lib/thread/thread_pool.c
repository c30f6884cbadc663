/* SPDX-License-Identifier: MIT
 * The pool. A run is published as one 64-bit word, `open`: the number of threads it wants, and how many of its chunks nobody
 * has taken. Taking a chunk is decrementing that word by compare-and-swap. Whoever succeeds holds a chunk of the run that is
 * published at that moment, which cannot end before the chunk does: so the run's description may be read then, and only
 * then. A worker that comes late, or never, therefore holds nobody up: a run ends when its chunks are done, not when
 * every worker has reported.
 *
 * Which chunk it is, the shares say: each thread's part of the chunks as one word, first and end. Its owner takes from the front, and
 * who has nothing of his own left from the end of another's. No more chunks are held than the shares have left, and an empty one stays
 * empty for the run: so who holds one finds it in one pass.
 *
 * Sleeping: a worker says that it sleeps, looks at `open` once more, and sleeps on its own bell; a caller publishes, looks
 * who says that he sleeps, and rings. All four steps are sequentially consistent, so one of the two sees the other. The first of
 * each side is an exchange where a store would do: emulated Arm processors (qemu 7.2 on x86-64) let the look pass a store. */
#include "thread_pool.h"

#include "../os/os.h"

/* How long to spin before sleeping; wall time, since the cost of a pause instruction differs by a factor of ten between
 * processors. A sleeping worker costs its caller a system call and starts 5 to 50 microseconds late, and the serial parts
 * between two operations of one evaluation are shorter than that: so workers spin longer than they take to wake. A caller
 * waits for chunks that have been started; one that takes much longer than the others has lost its processor. */
#define WORKER_SPIN_NS UINT64_C(50000)
#define CALLER_SPIN_NS UINT64_C(20000)
/* Looks at the variable between two looks at the clock, which costs about as much as this many pauses. */
#define SPINS_PER_LOOK 16

/* A part of the chunks of a run: first << 32 | end. */
typedef struct share {
    _Alignas(64) atomic_uint_fast64_t range;
} share;

typedef struct worker {
    _Alignas(64) lm_pool *pool;
    int32_t index; /* in [1, n_threads) */
    lm_os_thread thread;
    lm_os_bell bell;
    atomic_int is_asleep; /* set by the worker; cleared by it or by who rings its bell */
} worker;

struct lm_pool {
    /* Written at each run, read by spinning workers: apart from what callers write at the end of a run. */
    _Alignas(64) atomic_uint_fast64_t open; /* threads wanted << 32 | chunks not taken */
    atomic_int caller_processor;            /* where the caller was when the run began */
    atomic_int n_asleep;
    atomic_int is_ending;

    _Alignas(64) atomic_int n_unfinished; /* chunks not finished */
    atomic_int n_dropped;                 /* chunks left out because of a cancellation */
    atomic_int caller_sleeps;
    lm_os_bell done;

    /* The description of the run. Written by the caller that holds is_busy, read by who holds a chunk. */
    _Alignas(64) lm_pool_fn fn;
    void *arg;
    atomic_int *cancel;
    atomic_flag is_busy;

    const lm_env *env;
    int32_t n_threads; /* the caller included */
    int32_t n_started; /* workers with a thread */
    bool has_bell;
    lm_executor executor; /* parallel_for NULL: none */
    size_t bytes;
    share *shares;    /* [n_threads], behind the workers; with an executor none */
    worker workers[]; /* [n_threads - 1]; with an executor none */
};

static uint32_t not_taken(uint64_t open) { return (uint32_t)open; }
static int32_t wanted(uint64_t open) { return (int32_t)(open >> 32); }
static bool has_work(uint64_t open, int32_t worker) { return not_taken(open) > 0 && worker < wanted(open); }

static bool is_cancelled(atomic_int *cancel) {
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

/* ---- shares ---- */

static void share_out(share *shares, int32_t n, int32_t n_chunks) {
    for (int32_t i = 0; i < n; i++) {
        uint64_t first = (uint64_t)n_chunks * (uint64_t)i / (uint64_t)n,
                 end = (uint64_t)n_chunks * ((uint64_t)i + 1) / (uint64_t)n;
        atomic_store_explicit(&shares[i].range, first << 32 | end, memory_order_relaxed);
    }
}

/* A chunk of one share, from its front or its end; -1: it is empty. */
static int32_t take_from(share *s, bool front) {
    uint_fast64_t range = atomic_load_explicit(&s->range, memory_order_relaxed);
    while (range >> 32 < (uint32_t)range) {
        uint_fast64_t rest = front ? range + (UINT64_C(1) << 32) : range - 1;
        if (atomic_compare_exchange_weak_explicit(&s->range, &range, rest, memory_order_relaxed, memory_order_relaxed))
            return front ? (int32_t)(range >> 32) : (int32_t)(uint32_t)range - 1;
    }
    return -1;
}

/* A chunk for the thread whose share is own; -1: all are empty. */
static int32_t take_any(share *shares, int32_t n, int32_t own) {
    int32_t chunk = take_from(&shares[own], true);
    for (int32_t i = 1; i < n && chunk < 0; i++) chunk = take_from(&shares[(own + i) % n], false);
    return chunk;
}

/* Take a chunk: its number, or -1 when none is left for this worker. */
static int32_t take(lm_pool *pool, int32_t worker) {
    uint_fast64_t open = atomic_load_explicit(&pool->open, memory_order_relaxed);
    while (has_work(open, worker))
        if (atomic_compare_exchange_weak_explicit(&pool->open, &open, open - 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return take_any(pool->shares, wanted(open), worker);
    return -1;
}

/* Take all chunks that are left, to leave them out. Only who holds a chunk may call it. */
static int32_t take_rest(lm_pool *pool) {
    uint_fast64_t open = atomic_load_explicit(&pool->open, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&pool->open, &open, 0, memory_order_acquire, memory_order_relaxed)) {}
    return (int32_t)not_taken(open);
}

/* Work on the published run until nothing is left to take. */
static void participate(lm_pool *pool, int32_t worker) {
    int32_t finished = 0;
    for (int32_t chunk; (chunk = take(pool, worker)) >= 0; finished++) {
        if (is_cancelled(pool->cancel)) {
            int32_t rest = take_rest(pool);
            atomic_fetch_add_explicit(&pool->n_dropped, rest + 1, memory_order_relaxed);
            finished += rest;
        } else {
            pool->fn(pool->arg, chunk, worker);
        }
    }
    if (finished == 0) return;
    if (atomic_fetch_sub(&pool->n_unfinished, finished) == finished && atomic_load(&pool->caller_sleeps))
        lm_os_bell_ring(&pool->done);
}

/* ---- waiting ---- */

typedef struct spin {
    uint64_t end_ns; /* 0: not started */
    int32_t turns;
} spin;

/* Whether it is time to look around. */
static bool is_turn(spin *s) {
    lm_os_pause();
    if (++s->turns < SPINS_PER_LOOK) return false;
    s->turns = 0;
    return true;
}

static bool is_over(spin *s, uint64_t limit_ns) {
    uint64_t now = lm_os_now_ns();
    if (s->end_ns == 0) s->end_ns = now + limit_ns;
    return now >= s->end_ns;
}

static void sleep_until_rung(lm_pool *pool, worker *w) {
    uint32_t seen = atomic_load_explicit(&w->bell.count, memory_order_acquire);
    atomic_store(&w->is_asleep, 1);
    atomic_fetch_add(&pool->n_asleep, 1);
    if (!has_work(atomic_load(&pool->open), w->index) && !atomic_load(&pool->is_ending))
        lm_os_bell_wait(&w->bell, seen);
    atomic_fetch_sub(&pool->n_asleep, 1);
    atomic_store(&w->is_asleep, 0);
}

static void work(void *opaque) {
    worker *w = opaque;
    lm_pool *pool = w->pool;
    spin s = {0, 0};
    while (!atomic_load_explicit(&pool->is_ending, memory_order_relaxed)) {
        if (has_work(atomic_load_explicit(&pool->open, memory_order_relaxed), w->index)) {
            participate(pool, w->index);
            s = (spin){0, 0};
        } else if (is_turn(&s)) {
            /* On a busy machine the system may put both on one processor: to spin there is to keep the caller, the only
             * one who can end the wait, from running. */
            if (lm_os_processor() == atomic_load_explicit(&pool->caller_processor, memory_order_relaxed)) lm_os_yield();
            if (!is_over(&s, WORKER_SPIN_NS)) continue;
            sleep_until_rung(pool, w);
            s = (spin){0, 0};
        }
    }
}

static void wake_workers(lm_pool *pool, int32_t n_threads) {
    if (atomic_load(&pool->n_asleep) == 0) return;
    for (int32_t i = 0; i < n_threads - 1; i++) {
        worker *w = &pool->workers[i];
        if (atomic_load(&w->is_asleep) && atomic_exchange(&w->is_asleep, 0)) lm_os_bell_ring(&w->bell);
    }
}

static void wait_until_done(lm_pool *pool) {
    for (spin s = {0, 0}; atomic_load_explicit(&pool->n_unfinished, memory_order_acquire) != 0;) {
        if (!is_turn(&s) || !is_over(&s, CALLER_SPIN_NS)) continue;
        uint32_t seen = atomic_load_explicit(&pool->done.count, memory_order_acquire);
        (void)atomic_exchange(&pool->caller_sleeps, 1);
        if (atomic_load(&pool->n_unfinished) != 0) lm_os_bell_wait(&pool->done, seen);
        atomic_store(&pool->caller_sleeps, 0);
    }
}

/* ---- runs ---- */

static lm_status run_alone(int32_t n_chunks, lm_pool_fn fn, void *arg, atomic_int *cancel) {
    for (int32_t chunk = 0; chunk < n_chunks; chunk++) {
        if (is_cancelled(cancel)) return LM_ERR_CANCELLED;
        fn(arg, chunk, 0);
    }
    return LM_OK;
}

static lm_status run_on_workers(lm_pool *pool, int32_t n_threads, int32_t n_chunks, lm_pool_fn fn, void *arg,
                                atomic_int *cancel) {
    if (atomic_flag_test_and_set_explicit(&pool->is_busy, memory_order_acquire))
        return run_alone(n_chunks, fn, arg, cancel);
    pool->fn = fn;
    pool->arg = arg;
    pool->cancel = cancel;
    share_out(pool->shares, n_threads, n_chunks);
    atomic_store_explicit(&pool->n_dropped, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->n_unfinished, n_chunks, memory_order_relaxed);
    int32_t processor = lm_os_processor();
    if (processor >= 0 && processor != atomic_load_explicit(&pool->caller_processor, memory_order_relaxed))
        atomic_store_explicit(&pool->caller_processor, processor, memory_order_relaxed);
    (void)atomic_exchange(&pool->open, (uint64_t)n_threads << 32 | (uint32_t)n_chunks);
    wake_workers(pool, n_threads);
    participate(pool, 0);
    wait_until_done(pool);
    int32_t dropped = atomic_load_explicit(&pool->n_dropped, memory_order_relaxed);
    atomic_flag_clear_explicit(&pool->is_busy, memory_order_release);
    return dropped ? LM_ERR_CANCELLED : LM_OK;
}

/* A run on the host's threads, with the shares on the caller's stack: several callers may run at once. */
#define HOSTED_SHARES 64
typedef struct hosted {
    lm_pool_fn fn;
    void *arg;
    atomic_int *cancel;
    int32_t n_shares;
    atomic_int n_run;
    share shares[HOSTED_SHARES];
} hosted;

static void hosted_task(void *arg, int32_t i) {
    hosted *h = arg;
    for (int32_t chunk; !is_cancelled(h->cancel) && (chunk = take_any(h->shares, h->n_shares, i % h->n_shares)) >= 0;) {
        h->fn(h->arg, chunk, i);
        atomic_fetch_add_explicit(&h->n_run, 1, memory_order_release);
    }
}

static lm_status run_on_host(lm_pool *pool, int32_t n_threads, int32_t n_chunks, lm_pool_fn fn, void *arg,
                             atomic_int *cancel) {
    hosted h = {.fn = fn, .arg = arg, .cancel = cancel};
    h.n_shares = n_threads < HOSTED_SHARES ? n_threads : HOSTED_SHARES;
    share_out(h.shares, h.n_shares, n_chunks);
    atomic_init(&h.n_run, 0);
    pool->executor.parallel_for(pool->executor.user, n_threads, hosted_task, &h);
    hosted_task(&h, 0); /* nothing is left, unless the host started no task at all */
    return atomic_load_explicit(&h.n_run, memory_order_acquire) == n_chunks ? LM_OK : LM_ERR_CANCELLED;
}

lm_status lm_pool_run(lm_pool *pool, int32_t n_threads, int32_t n_chunks, lm_pool_fn fn, void *arg,
                      atomic_int *cancel) {
    if (n_chunks <= 0) return LM_OK;
    int32_t most = lm_pool_threads(pool);
    if (n_threads <= 0 || n_threads > most) n_threads = most;
    if (n_threads > n_chunks) n_threads = n_chunks;
    if (n_threads == 1) return run_alone(n_chunks, fn, arg, cancel);
    if (pool->executor.parallel_for) return run_on_host(pool, n_threads, n_chunks, fn, arg, cancel);
    return run_on_workers(pool, n_threads, n_chunks, fn, arg, cancel);
}

/* ---- making and ending ---- */

int32_t lm_pool_threads(const lm_pool *pool) { return pool ? pool->n_threads : 1; }

size_t lm_pool_bytes(const lm_pool *pool) { return pool ? pool->bytes : 0; }

lm_status lm_pool_create(const lm_env *env, int32_t n_threads, const lm_executor *executor, lm_pool **out) {
    lm_pool *pool = NULL;
    lm_status status = LM_ERR_ARGUMENT;
    if (n_threads < 0 || n_threads > LM_POOL_THREADS_MAX || (executor && !executor->parallel_for)) return status;
    if (n_threads == 0) n_threads = lm_os_performance_cores();
    if (n_threads > LM_POOL_THREADS_MAX) n_threads = LM_POOL_THREADS_MAX;
    int32_t n_workers = executor ? 0 : n_threads - 1;
    int32_t n_shares = executor ? 0 : n_threads;
    size_t bytes = sizeof *pool + (size_t)n_workers * sizeof(worker) + (size_t)n_shares * sizeof(share);

    status = LM_ERR_MEMORY;
    pool = lm_alloc_aligned(env, bytes, 64);
    if (!pool) return status;
    *pool = (lm_pool){.env = env, .n_threads = n_threads, .bytes = bytes};
    if (executor) pool->executor = *executor;
    pool->shares = (share *)(void *)&pool->workers[n_workers];
    share_out(pool->shares, n_shares, 0);
    atomic_init(&pool->open, 0);
    atomic_init(&pool->caller_processor, -2); /* equals no worker's, known or not */
    atomic_init(&pool->n_asleep, 0);
    atomic_init(&pool->is_ending, 0);
    atomic_init(&pool->n_unfinished, 0);
    atomic_init(&pool->n_dropped, 0);
    atomic_init(&pool->caller_sleeps, 0);
    atomic_flag_clear(&pool->is_busy);
    status = lm_os_bell_create(&pool->done);
    if (status != LM_OK) goto out;
    pool->has_bell = true;
    for (int32_t i = 0; i < n_workers; i++) {
        worker *w = &pool->workers[i];
        w->pool = pool;
        w->index = i + 1;
        atomic_init(&w->is_asleep, 0);
        status = lm_os_bell_create(&w->bell);
        if (status != LM_OK) goto out;
        status = lm_os_thread_create(&w->thread, work, w);
        if (status != LM_OK) {
            lm_os_bell_destroy(&w->bell);
            goto out;
        }
        pool->n_started++;
    }
    *out = pool;
    pool = NULL;
out:
    lm_pool_destroy(pool);
    return status;
}

void lm_pool_destroy(lm_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->is_ending, 1);
    for (int32_t i = 0; i < pool->n_started; i++) lm_os_bell_ring(&pool->workers[i].bell);
    for (int32_t i = 0; i < pool->n_started; i++) {
        lm_os_thread_join(&pool->workers[i].thread);
        lm_os_bell_destroy(&pool->workers[i].bell);
    }
    if (pool->has_bell) lm_os_bell_destroy(&pool->done);
    lm_free_aligned(pool->env, pool, pool->bytes, 64);
}
