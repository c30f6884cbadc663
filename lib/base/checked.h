/* SPDX-License-Identifier: MIT
 * Arithmetic on sizes that reports overflow instead of wrapping. Every size product of hostile origin goes through here. */
#ifndef LM_BASE_CHECKED_H
#define LM_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool lm_size_add(size_t a, size_t b, size_t *out) {
    *out = a + b;
    return *out >= a;
}

static inline bool lm_size_mul(size_t a, size_t b, size_t *out) {
    *out = a * b;
    return a == 0 || *out / a == b;
}

static inline bool lm_u64_add(uint64_t a, uint64_t b, uint64_t *out) {
    *out = a + b;
    return *out >= a;
}

static inline bool lm_u64_mul(uint64_t a, uint64_t b, uint64_t *out) {
    *out = a * b;
    return a == 0 || *out / a == b;
}

/* value rounded up to a multiple of align (a power of two). */
static inline bool lm_u64_align(uint64_t value, uint64_t align, uint64_t *out) {
    if (!lm_u64_add(value, align - 1, out)) return false;
    *out &= ~(align - 1);
    return true;
}

static inline size_t lm_align_up(size_t value, size_t align) { return (value + align - 1) & ~(align - 1); }
static inline size_t lm_size_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t lm_size_max(size_t a, size_t b) { return a > b ? a : b; }

#endif
