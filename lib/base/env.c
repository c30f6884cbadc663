/* SPDX-License-Identifier: MIT
 * Allocation and logging through the host's functions; the C heap when the host gives none. */
#include "env.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "format.h"

/* malloc aligns to max_align_t, 16 on every supported platform. A wider request keeps the block's start before it. */
static void *heap_alloc(void *user, size_t size, size_t align) {
    (void)user;
    if (align <= LM_ALIGN_DEFAULT) return malloc(size);
    size_t total;
    if (!lm_size_add(size, align + sizeof(void *), &total)) return NULL;
    char *block = malloc(total);
    if (!block) return NULL;
    uintptr_t start = ((uintptr_t)block + sizeof(void *) + align - 1) & ~(uintptr_t)(align - 1);
    char *aligned = block + (start - (uintptr_t)block);
    memcpy(aligned - sizeof(void *), &block, sizeof block);
    return aligned;
}

static void heap_free(void *user, void *pointer, size_t size, size_t align) {
    (void)user, (void)size;
    void *block = pointer;
    if (align > LM_ALIGN_DEFAULT) memcpy(&block, (char *)pointer - sizeof(void *), sizeof block);
    free(block);
}

void lm_env_init(lm_env *env, const lm_allocator *allocator, const lm_log *log) {
    static const lm_allocator heap = {NULL, heap_alloc, heap_free};
    env->allocator = allocator && allocator->alloc && allocator->free ? *allocator : heap;
    env->log = log ? *log : (lm_log){NULL, NULL};
}

/* What no bytes are: a host that is asked for none may answer NULL. Never read or written. */
static const max_align_t nothing;

void *lm_alloc_aligned(const lm_env *env, size_t size, size_t align) {
    return size ? env->allocator.alloc(env->allocator.user, size, align) : (void *)(uintptr_t)&nothing;
}

void *lm_alloc(const lm_env *env, size_t size) { return lm_alloc_aligned(env, size, LM_ALIGN_DEFAULT); }

void *lm_alloc_zeroed(const lm_env *env, size_t size) {
    void *pointer = lm_alloc(env, size);
    if (pointer) memset(pointer, 0, size);
    return pointer;
}

void *lm_alloc_array(const lm_env *env, size_t count, size_t size) {
    size_t bytes;
    return lm_size_mul(count, size, &bytes) ? lm_alloc_zeroed(env, bytes) : NULL;
}

void lm_free_aligned(const lm_env *env, void *pointer, size_t size, size_t align) {
    if (pointer && size) env->allocator.free(env->allocator.user, pointer, size, align);
}

void lm_free(const lm_env *env, void *pointer, size_t size) { lm_free_aligned(env, pointer, size, LM_ALIGN_DEFAULT); }

void *lm_resize(const lm_env *env, void *pointer, size_t old_size, size_t new_size) {
    void *grown = lm_alloc(env, new_size);
    if (!grown) return NULL;
    if (pointer) memcpy(grown, pointer, old_size < new_size ? old_size : new_size);
    lm_free(env, pointer, old_size);
    return grown;
}

void lm_log_write(const lm_env *env, lm_log_level level, const char *format, ...) {
    if (!env->log.write) return;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    lm_format_message(line, sizeof line, format, arguments);
    va_end(arguments);
    env->log.write(env->log.user, level, line);
}
