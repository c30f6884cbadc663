/* SPDX-License-Identifier: MIT
 * What one lm_pool_run costs when its chunks do nothing: nanoseconds for each of many runs, quantiles over the runs.
 * Cases: back to back; with 5 and with 200 microseconds of serial work between runs; and the first again while another
 * process keeps one core busy. Usage: bench_pool [threads [chunks]] */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "thread/thread_pool.h"

#define RUNS 20000

static uint64_t times[RUNS];
static atomic_int sink;

static void nothing(void *arg, int32_t chunk, int32_t worker) { (void)arg, (void)chunk, (void)worker; }

/* About a microsecond, so that every thread gets some. */
static void little(void *arg, int32_t chunk, int32_t worker) {
    uint64_t end = lm_os_now_ns() + 1000;
    (void)arg, (void)chunk, (void)worker;
    while (lm_os_now_ns() < end) {}
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, lm_pool *pool, int32_t n_chunks, lm_pool_fn fn, uint64_t gap_ns, int runs) {
    for (int i = 0; i < runs; i++) {
        uint64_t start = lm_os_now_ns();
        while (gap_ns && lm_os_now_ns() - start < gap_ns) {}
        start = lm_os_now_ns();
        lm_pool_run(pool, 0, n_chunks, fn, NULL, NULL);
        times[i] = lm_os_now_ns() - start;
    }
    qsort(times, (size_t)runs, sizeof *times, compare);
    double sum = 0;
    for (int i = 0; i < runs; i++) sum += (double)times[i];
    printf("%-44s median %6llu   90 %% %6llu   99 %% %7llu   mean %7.0f ns\n", name,
           (unsigned long long)times[runs / 2], (unsigned long long)times[runs * 9 / 10],
           (unsigned long long)times[runs * 99 / 100], sum / runs);
}

int main(int argc, char **argv) {
    lm_env env;
    lm_pool *pool;
    int threads = argc > 1 ? atoi(argv[1]) : 2, chunks = argc > 2 ? atoi(argv[2]) : 2 * threads;
    lm_env_init(&env, NULL, NULL);
    if (lm_pool_create(&env, threads, NULL, &pool) != LM_OK) return 3;
    printf("%d threads, %d chunks\n", lm_pool_threads(pool), chunks);
    measure("the clock itself", NULL, 0, nothing, 0, RUNS);
    measure("plain loop, empty chunks", NULL, chunks, nothing, 0, RUNS);
    measure("pool, empty chunks, back to back", pool, chunks, nothing, 0, RUNS);
    measure("plain loop, chunks of 1 us", NULL, chunks, little, 0, RUNS / 4);
    measure("pool, chunks of 1 us, back to back", pool, chunks, little, 0, RUNS);
    measure("pool, chunks of 1 us, 5 us between", pool, chunks, little, 5000, RUNS / 4);
    measure("pool, chunks of 1 us, 200 us between", pool, chunks, little, 200000, RUNS / 20);
    pid_t busy = fork();
    if (busy == 0)
        for (;;) atomic_fetch_add(&sink, 1);
    measure("pool, chunks of 1 us, another process busy", pool, chunks, little, 0, RUNS);
    measure("plain loop, the same", NULL, chunks, little, 0, RUNS);
    kill(busy, SIGKILL);
    waitpid(busy, NULL, 0);
    lm_pool_destroy(pool);
    return 0;
}
