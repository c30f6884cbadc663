/* SPDX-License-Identifier: MIT
 * The machine's limits in plain C: a read loop, and a loop of integer multiplications and additions that stay in registers. */
#include "../float_kernels.h"

#include <string.h>

static uint64_t LM_KERNEL limit_read_c(const void *memory, size_t bytes) {
    const uint8_t *p = memory;
    uint64_t s[4] = {0};
    for (size_t i = 0; i + 32 <= bytes; i += 32) {
        uint64_t x[4];
        memcpy(x, p + i, sizeof x);
        for (int j = 0; j < 4; j++) s[j] ^= x[j];
    }
    return s[0] ^ s[1] ^ s[2] ^ s[3];
}

#define CHAINS 16

/* The values differ by i, so that no compiler can shorten the loop. */
static double LM_KERNEL limit_dot_c(int64_t n, uint64_t *sink) {
    uint32_t a[CHAINS], x = (uint32_t)*sink | 3;
    for (uint32_t j = 0; j < CHAINS; j++) a[j] = j;
    for (int64_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < CHAINS; j++) a[j] = a[j] * x + (uint32_t)i;
    for (uint32_t j = 0; j < CHAINS; j++) *sink += a[j];
    return (double)n * CHAINS * 2;
}

void lm_limits_generic(lm_kernels *kernels) {
    kernels->limit_read = limit_read_c;
    kernels->limit_dot = limit_dot_c;
}
