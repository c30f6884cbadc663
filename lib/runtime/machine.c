/* SPDX-License-Identifier: MIT
 * Measuring what the machine can do at most, on the runtime's own threads: the limits that speeds are compared with. Every figure is
 * the best of several passes, since a pass can only be slowed down. */
#include <string.h>

#include "runtime.h"

#include "../os/os.h"

#define READ_BYTES ((size_t)512 << 20) /* more than any cache, and a multiple of READ_CHUNK */
#define READ_CHUNK ((size_t)2 << 20)
#define READ_PASSES 8
#define DOT_PASSES 5
#define DOT_NS 20000000 /* one thread's share of a pass takes about this long */

typedef struct measuring {
    const lm_kernels *kernels;
    uint8_t *memory;
    int64_t rounds;
    atomic_ullong sink;
} measuring;

/* Values that differ, so that every page is memory of its own. */
static void fill_chunk(void *arg, int32_t chunk, int32_t worker) {
    measuring *m = arg;
    (void)worker;
    memset(m->memory + (size_t)chunk * READ_CHUNK, chunk % 251 + 1, READ_CHUNK);
}

static void read_chunk(void *arg, int32_t chunk, int32_t worker) {
    measuring *m = arg;
    (void)worker;
    atomic_fetch_xor_explicit(&m->sink, m->kernels->limit_read(m->memory + (size_t)chunk * READ_CHUNK, READ_CHUNK),
                              memory_order_relaxed);
}

static void dot_chunk(void *arg, int32_t chunk, int32_t worker) {
    measuring *m = arg;
    uint64_t sink = (uint64_t)chunk + (uint64_t)worker;
    m->kernels->limit_dot(m->rounds, &sink);
    atomic_fetch_xor_explicit(&m->sink, sink, memory_order_relaxed);
}

static double measure_read(lm_pool *pool, measuring *m) {
    int32_t n_chunks = (int32_t)(READ_BYTES / READ_CHUNK);
    double best = 0;
    lm_pool_run(pool, 0, n_chunks, fill_chunk, m, NULL);
    for (int pass = 0; pass < READ_PASSES; pass++) {
        uint64_t start = lm_os_now_ns();
        lm_pool_run(pool, 0, n_chunks, read_chunk, m, NULL);
        double speed = (double)READ_BYTES * 1e9 / (double)(lm_os_now_ns() - start + 1);
        if (speed > best) best = speed;
    }
    return best;
}

static double measure_dot(lm_pool *pool, measuring *m) {
    uint64_t sink = 0, start = lm_os_now_ns(), spent = 0;
    double ops = 0, best = 0;
    for (m->rounds = 1024; spent < DOT_NS / 16; m->rounds *= 2) { /* how many rounds fill the time */
        start = lm_os_now_ns();
        ops = m->kernels->limit_dot(m->rounds, &sink);
        spent = lm_os_now_ns() - start;
    }
    atomic_fetch_xor_explicit(&m->sink, sink, memory_order_relaxed);
    double ops_per_round = ops / (double)(m->rounds / 2);
    m->rounds *= 4; /* a chunk; a thread takes two of them */
    int32_t n_chunks = 2 * lm_pool_threads(pool);
    for (int pass = 0; pass < DOT_PASSES; pass++) {
        start = lm_os_now_ns();
        lm_pool_run(pool, 0, n_chunks, dot_chunk, m, NULL);
        double speed = ops_per_round * (double)m->rounds * n_chunks * 1e9 / (double)(lm_os_now_ns() - start + 1);
        if (speed > best) best = speed;
    }
    return best;
}

lm_status lm_runtime_measure_machine(lm_runtime *runtime, lm_machine *out) {
    measuring m = {.kernels = &runtime->cpu.kernels};
    atomic_init(&m.sink, 0);
    m.memory = lm_alloc_aligned(&runtime->env, READ_BYTES, LM_ALIGN_CACHE);
    if (!m.memory) return LM_ERR_MEMORY;
    out->memory_total = lm_os_memory_total();
    out->memory_available = lm_os_memory_available();
    out->n_threads = lm_pool_threads(runtime->pool);
    out->read_bytes_per_second = measure_read(runtime->pool, &m);
    out->int_ops_per_second = measure_dot(runtime->pool, &m);
    lm_free_aligned(&runtime->env, m.memory, READ_BYTES, LM_ALIGN_CACHE);
    return LM_OK;
}
