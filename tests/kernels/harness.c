/* SPDX-License-Identifier: MIT
 * Fenced memory, levels and time for the kernel tests. */
#define _DEFAULT_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(_WIN32)
#include <malloc.h>
#include <windows.h>

static size_t page_size(void) { return 4096; }
static void *map_pages(size_t bytes) { return VirtualAlloc(NULL, bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE); }
static int forbid(void *page, size_t bytes) {
    DWORD before;
    return !VirtualProtect(page, bytes, PAGE_NOACCESS, &before);
}
static void unmap_pages(void *map, size_t bytes) {
    (void)bytes;
    VirtualFree(map, 0, MEM_RELEASE);
}
void *bench_alloc(size_t bytes) { return _aligned_malloc(bytes, 4096); }
void bench_free(void *memory) { _aligned_free(memory); }
#else
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }
static void *map_pages(size_t bytes) {
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return map == MAP_FAILED ? NULL : map;
}
static int forbid(void *page, size_t bytes) { return mprotect(page, bytes, PROT_NONE); }
static void unmap_pages(void *map, size_t bytes) { munmap(map, bytes); }
void *bench_alloc(size_t bytes) { return aligned_alloc(4096, (bytes + 4095) / 4096 * 4096); }
void bench_free(void *memory) { free(memory); }
#endif

static test_fenced fenced(size_t bytes, size_t room) {
    size_t page = page_size(), body = (room + page - 1) / page * page;
    test_fenced memory = {.map_bytes = body + page};
    memory.map = map_pages(memory.map_bytes);
    if (!memory.map || forbid((uint8_t *)memory.map + body, page)) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(3);
    }
    memory.data = (uint8_t *)memory.map + body - room;
    memset(memory.map, 0x5a, body);
    return memory;
}

test_fenced fenced_alloc(size_t bytes) { return fenced(bytes, bytes); }
test_fenced fenced_alloc_aligned(size_t bytes) { return fenced(bytes, (bytes + 63) & ~(size_t)63); }
void fenced_free(test_fenced *memory) { unmap_pages(memory->map, memory->map_bytes); }

int test_level_runs(int32_t level) {
#if defined(LM_TEST_EVEX)
    if (level == LM_CPU_AVX2_VNNI && lm_cpu_level_runs(LM_CPU_AVX512_VNNI)) return 1;
#endif
    return lm_cpu_level_runs(level);
}

double test_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* other programs do not concern us */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double test_clock(void) {
    double best = 0;
    for (int i = 0; i < 5; i++) {
        double start = test_seconds();
        uint64_t x = 1;
        for (long n = 0; n < 200000; n++)
            for (int j = 0; j < 16; j++) { /* a chain: the barrier keeps the compiler from shortening it */
                x += x >> 63;
                __asm__ volatile("" : "+r"(x));
            }
        double clock = 2 * 16 * 2e5 / (test_seconds() - start);
        if (clock > best) best = clock;
    }
    return best;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
double test_median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, compare);
    return x[n / 2];
}
