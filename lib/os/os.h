/* SPDX-License-Identifier: MIT
 * All that liblm asks of an operating system: files, read-only mappings, memory and processor facts, a clock, threads and
 * a way to sleep. os_posix_*.c and os_windows_*.c answer; each compiles to nothing on the other system.
 * Paths are UTF-8. Nothing here reads the environment or depends on the locale. */
#ifndef LM_OS_OS_H
#define LM_OS_OS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "../base/env.h"

#if defined(_MSC_VER)
#include <intrin.h>
#elif !defined(_WIN32) && !defined(__linux__)
#include <pthread.h>
#endif

/* ---- files ---- */

/* An open file for reading. handle: a file descriptor; on Windows a HANDLE. */
typedef struct lm_os_file {
    intptr_t handle;
    bool is_owned; /* lm_os_file_close closes it */
} lm_os_file;

/* What tells one state of one file from another. */
typedef struct lm_os_file_id {
    uint64_t device;
    uint64_t inode; /* the file index on Windows */
    uint64_t size;  /* bytes; 0 when it has none (a pipe) */
    uint64_t modified_ns;
} lm_os_file_id;

/* LM_OK, LM_ERR_NOT_FOUND, or LM_ERR_IO (a directory, too). */
lm_status lm_os_file_open(const char *path, lm_os_file *out, lm_error *error);
/* A descriptor (HANDLE) that stays the caller's. */
lm_os_file lm_os_file_borrow(intptr_t handle);
/* May be called again, and on a zeroed struct. */
void lm_os_file_close(lm_os_file *file);
lm_status lm_os_file_identify(const lm_os_file *file, lm_os_file_id *out, lm_error *error);
/* Exactly n bytes from offset; LM_ERR_IO when the file ends before. Does not use the file's position. */
lm_status lm_os_file_read(const lm_os_file *file, uint64_t offset, void *out, size_t n, lm_error *error);

/* ---- writing a file so that readers see the old one or the whole new one ----
 * Bytes go to a temporary name in the same folder; commit makes them durable and renames. */
typedef struct lm_os_writer {
    const lm_env *env; /* borrowed */
    intptr_t handle;
    char *path;      /* the final name */
    char *temporary; /* NULL: nothing is open */
    size_t path_size, temporary_size;
} lm_os_writer;

lm_status lm_os_writer_open(const lm_env *env, const char *path, lm_os_writer *out, lm_error *error);
lm_status lm_os_writer_append(lm_os_writer *writer, const void *bytes, size_t n, lm_error *error);
/* Ends the writer either way; after a failure the old file is as it was. */
lm_status lm_os_writer_commit(lm_os_writer *writer, lm_error *error);
/* Give up: remove the temporary file. Nothing after commit, or on a zeroed struct. */
void lm_os_writer_abandon(lm_os_writer *writer);

/* ---- read-only mappings ---- */

#define LM_OS_TO_END UINT64_MAX

typedef struct lm_os_mapping {
    const uint8_t *data; /* [size] bytes of the file; never NULL after success */
    size_t size;
    void *base; /* private: what the system mapped, from a page boundary */
    size_t base_size;
} lm_os_mapping;

typedef enum lm_os_advice {
    LM_OS_ADVICE_RANDOM = 0,
    LM_OS_ADVICE_WILL_NEED = 1 /* start reading now */
} lm_os_advice;

/* Map [offset, offset + size) of a regular file; any offset. The mapping outlives the open file. LM_ERR_RANGE when the file
 * is shorter. Reading a page past the end of a file that was cut short later faults: see lm_os_file_read for the way that
 * cannot. */
lm_status lm_os_file_map(const lm_os_file *file, uint64_t offset, uint64_t size, lm_os_mapping *out, lm_error *error);
/* May be called on a zeroed struct. */
void lm_os_unmap(lm_os_mapping *mapping);
/* Hints about n bytes of a mapping; a system that has none ignores them, and so do bytes that are no file's. */
void lm_os_advise(const void *bytes, size_t n, lm_os_advice advice);
/* Keep a mapping in memory until it is unmapped. LM_ERR_IO when the system refuses (limits, privileges). */
lm_status lm_os_lock(const lm_os_mapping *mapping);

/* ---- the machine ---- */

size_t lm_os_page_size(void);
/* Bytes of physical memory this process may count on (a container's limit included), and what of it could be had now without
 * swapping. 0: unknown. */
uint64_t lm_os_memory_total(void);
uint64_t lm_os_memory_available(void);
/* Physical cores of the fast kind that this process may run on, at least 1: hardware threads of one core count once,
 * efficiency cores not at all, a container's processor quota is respected. */
int32_t lm_os_performance_cores(void);

/* ---- time and threads ---- */

/* Nanoseconds of a clock that never goes back. */
uint64_t lm_os_now_ns(void);

/* A thread, at a fixed address from create to join. */
typedef struct lm_os_thread {
    void (*run)(void *arg);
    void *arg;
    uintptr_t handle;
} lm_os_thread;

/* Signals of the host stay with the host's threads. LM_ERR_MEMORY when the system has no room for a thread. */
lm_status lm_os_thread_create(lm_os_thread *thread, void (*run)(void *arg), void *arg);
void lm_os_thread_join(lm_os_thread *thread);

/* The processor the calling thread runs on at this moment, -1 when the system does not say. */
int32_t lm_os_processor(void);
/* Let another thread that waits for this processor run first. */
void lm_os_yield(void);

/* A bell: sleepers wait for the next ring. No ring is lost: take the count first, then look whether there is anything to
 * do, then wait for the count to change. */
typedef struct lm_os_bell {
    atomic_uint count;
#if defined(_WIN32)
    void *lock, *condition; /* an SRWLOCK and a CONDITION_VARIABLE */
#elif !defined(__linux__)
    pthread_mutex_t lock;
    pthread_cond_t condition;
#endif
} lm_os_bell;

lm_status lm_os_bell_create(lm_os_bell *bell);
void lm_os_bell_destroy(lm_os_bell *bell);
/* Sleep while the count is seen; may also return early. */
void lm_os_bell_wait(lm_os_bell *bell, uint32_t seen);
/* Change the count and wake all sleepers. */
void lm_os_bell_ring(lm_os_bell *bell);

/* What to execute between two looks at a variable that another core is about to change. */
static inline void lm_os_pause(void) {
#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
    _mm_pause();
#elif defined(_MSC_VER)
    __yield();
#elif defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ __volatile__("yield" ::: "memory");
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

#endif
