/* SPDX-License-Identifier: MIT
 * Clock, threads and sleeping on POSIX systems: a futex on Linux, a condition variable elsewhere (the address waits of
 * Apple's systems are either private or newer than what we support). */
#if !defined(_WIN32)
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#endif

#include "os.h"

#if !defined(_WIN32)
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Kernels keep their scratch elsewhere; the default differs widely (8 MB glibc, 512 KB Apple, 128 KB musl). */
#define STACK_SIZE ((size_t)1 << 20)

uint64_t lm_os_now_ns(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void *enter(void *opaque) {
    lm_os_thread *thread = opaque;
    thread->run(thread->arg);
    return NULL;
}

lm_status lm_os_thread_create(lm_os_thread *thread, void (*run)(void *arg), void *arg) {
    pthread_attr_t attributes;
    pthread_t id;
    sigset_t all, before;
    _Static_assert(sizeof id <= sizeof thread->handle, "a thread's name fits the handle");
    *thread = (lm_os_thread){run, arg, 0};
    if (pthread_attr_init(&attributes) != 0) return LM_ERR_MEMORY;
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    bool masked = pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
    int failure = pthread_create(&id, &attributes, enter, thread);
    if (masked) pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (failure) return LM_ERR_MEMORY;
    memcpy(&thread->handle, &id, sizeof id);
    return LM_OK;
}

void lm_os_thread_join(lm_os_thread *thread) {
    pthread_t id;
    memcpy(&id, &thread->handle, sizeof id);
    pthread_join(id, NULL);
}

int32_t lm_os_processor(void) {
#if defined(__linux__)
    return (int32_t)sched_getcpu();
#else
    return -1;
#endif
}

void lm_os_yield(void) { sched_yield(); }

#if defined(__linux__)

lm_status lm_os_bell_create(lm_os_bell *bell) {
    atomic_init(&bell->count, 0);
    return LM_OK;
}

void lm_os_bell_destroy(lm_os_bell *bell) { (void)bell; }

/* The kernel compares the word with seen before it sleeps; a ring in between makes it return at once. */
void lm_os_bell_wait(lm_os_bell *bell, uint32_t seen) {
    if (atomic_load_explicit(&bell->count, memory_order_acquire) != seen) return;
    syscall(SYS_futex, &bell->count, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void lm_os_bell_ring(lm_os_bell *bell) {
    atomic_fetch_add_explicit(&bell->count, 1, memory_order_release);
    syscall(SYS_futex, &bell->count, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

#else

lm_status lm_os_bell_create(lm_os_bell *bell) {
    atomic_init(&bell->count, 0);
    if (pthread_mutex_init(&bell->lock, NULL) != 0) return LM_ERR_MEMORY;
    if (pthread_cond_init(&bell->condition, NULL) == 0) return LM_OK;
    pthread_mutex_destroy(&bell->lock);
    return LM_ERR_MEMORY;
}

void lm_os_bell_destroy(lm_os_bell *bell) {
    pthread_cond_destroy(&bell->condition);
    pthread_mutex_destroy(&bell->lock);
}

void lm_os_bell_wait(lm_os_bell *bell, uint32_t seen) {
    pthread_mutex_lock(&bell->lock);
    while (atomic_load_explicit(&bell->count, memory_order_acquire) == seen)
        pthread_cond_wait(&bell->condition, &bell->lock);
    pthread_mutex_unlock(&bell->lock);
}

/* The count changes under the lock, so it cannot fall between a sleeper's look and its sleep. */
void lm_os_bell_ring(lm_os_bell *bell) {
    pthread_mutex_lock(&bell->lock);
    atomic_fetch_add_explicit(&bell->count, 1, memory_order_release);
    pthread_cond_broadcast(&bell->condition);
    pthread_mutex_unlock(&bell->lock);
}

#endif
#endif
