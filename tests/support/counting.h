/* SPDX-License-Identifier: MIT
 * An allocator for tests: counts live bytes and calls, checks that frees match their allocations, and can refuse the k-th
 * call. The out-of-memory loop:
 *
 *     for (size_t k = 0;; k++) {
 *         test_memory memory = {.fail_at = k};
 *         lm_env env = test_memory_env(&memory);
 *         status = thing(&env);
 *         assert_int_equal(memory.live_bytes, 0);
 *         if (!memory.failed) break;                      it never came to call k: status must be LM_OK
 *         assert_int_equal(status, LM_ERR_MEMORY);
 *     }
 */
#ifndef LM_TESTS_COUNTING_H
#define LM_TESTS_COUNTING_H

#include "check.h"

#include <lm/base.h>

#include "../../lib/base/env.h"

#define TEST_MEMORY_NEVER SIZE_MAX

typedef struct test_memory {
    size_t fail_at;    /* refuse the allocation with this number, TEST_MEMORY_NEVER for none */
    size_t calls;      /* allocations asked for so far */
    size_t live_bytes; /* allocated and not freed */
    size_t peak_bytes; /* the largest live_bytes */
    int failed;        /* an allocation was refused */
} test_memory;

static inline void *test_memory_alloc(void *user, size_t size, size_t align) {
    test_memory *memory = user;
    assert_true(size > 0); /* a host may answer a request for nothing with NULL */
    if (memory->calls++ == memory->fail_at) {
        memory->failed = 1;
        return NULL;
    }
    char *block = malloc(size + 4 * sizeof(size_t) + (align > 16 ? align : 0)); /* malloc aligns to 16 */
    if (!block) return NULL;
    size_t header = 4 * sizeof(size_t);
    header += (align - ((uintptr_t)block + header) % align) % align;
    size_t facts[4] = {size, align, 0x6c6d5f74, header};
    memcpy(block + header - sizeof facts, facts, sizeof facts);
    memset(block + header, 0xA5, size);
    memory->live_bytes += size;
    if (memory->live_bytes > memory->peak_bytes) memory->peak_bytes = memory->live_bytes;
    return block + header;
}

static inline void test_memory_free(void *user, void *pointer, size_t size, size_t align) {
    test_memory *memory = user;
    size_t facts[4];
    memcpy(facts, (char *)pointer - sizeof facts, sizeof facts);
    assert_int_equal(facts[2], 0x6c6d5f74);
    assert_int_equal(facts[0], size);
    assert_int_equal(facts[1], align);
    memory->live_bytes -= size;
    free((char *)pointer - facts[3]);
}

static inline lm_allocator test_memory_allocator(test_memory *memory) {
    return (lm_allocator){memory, test_memory_alloc, test_memory_free};
}

static inline lm_env test_memory_env(test_memory *memory) {
    lm_env env;
    lm_allocator allocator = test_memory_allocator(memory);
    lm_env_init(&env, &allocator, NULL);
    return env;
}

#endif
