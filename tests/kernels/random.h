/* SPDX-License-Identifier: MIT
 * Numbers for the float kernels' tests: a small seeded generator, and fills from harmless to hostile. */
#ifndef LM_TESTS_RANDOM_H
#define LM_TESTS_RANDOM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef struct test_random {
    uint64_t state;
} test_random;

static inline uint32_t random_u32(test_random *r) {
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    uint32_t x = (uint32_t)((r->state >> 18 ^ r->state) >> 27), turn = (uint32_t)(r->state >> 59);
    return x >> turn | x << (-turn & 31);
}

static inline int32_t random_below(test_random *r, int32_t n) { return (int32_t)(random_u32(r) % (uint32_t)n); }
/* Uniform in [-1, 1). */
static inline float random_float(test_random *r) { return (float)((int32_t)random_u32(r)) * 0x1p-31f; }

enum {
    FILL_UNIFORM,
    FILL_WIDE,
    FILL_ZERO,
    FILL_EQUAL,
    FILL_ALTERNATE,
    FILL_HOT,
    FILL_TINY,
    FILL_SIGNED_ZERO,
    FILL_COUNT
};

/* Finite values: uniform; exponents all over; zeros; all equal; alternating extremes; one hot lane; subnormals; +0 and -0. */
static inline void random_fill(test_random *r, int kind, float scale, float *x, size_t n) {
    size_t hot = n ? random_u32(r) % n : 0;
    for (size_t i = 0; i < n; i++) switch (kind) {
        case FILL_WIDE: x[i] = scale * ldexpf(random_float(r), random_below(r, 24) - 20); break;
        case FILL_ZERO: x[i] = 0.0f; break;
        case FILL_EQUAL: x[i] = scale; break;
        case FILL_ALTERNATE: x[i] = i % 2 ? -scale : scale; break;
        case FILL_HOT: x[i] = i == hot ? 100.0f * scale : 0.0f; break;
        case FILL_TINY: x[i] = random_float(r) * 0x1p-130f; break;
        case FILL_SIGNED_ZERO: x[i] = random_u32(r) & 1 ? -0.0f : 0.0f; break;
        default: x[i] = scale * random_float(r);
        }
}

#endif
