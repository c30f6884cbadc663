/* SPDX-License-Identifier: MIT
 * What the tests of kernels share: memory fenced by a page that faults, levels, time, and a seed that can be replayed. */
#ifndef LM_TESTS_HARNESS_H
#define LM_TESTS_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "random.h"

/* bytes of memory that end at a page without access (so one byte too many faults), filled with 0x5a. */
typedef struct test_fenced {
    uint8_t *data;
    void *map;
    size_t map_bytes;
} test_fenced;
test_fenced fenced_alloc(size_t bytes);
/* Fewer bytes at a multiple of 64: the fence then begins up to 63 bytes after the end. */
test_fenced fenced_alloc_aligned(size_t bytes);
void fenced_free(test_fenced *memory);
/* Memory of benchmarks, at a multiple of 4096, without a fence. */
void *bench_alloc(size_t bytes);
void bench_free(void *memory);

/* Whether code of this level can run here: the machine has it, or the tests were built with an encoding that it has. */
int test_level_runs(int32_t level);

double test_seconds(void);
/* Cycles per second of this core now, from a chain of dependent additions. */
double test_clock(void);
/* Reorders x. */
double test_median(double *x, int n);

#endif
