/* SPDX-License-Identifier: MIT
 * Run f(chunk) for every chunk in [0, n), on several threads. Each begins with a part of its own, whose chunks it takes in ascending
 * order, so that it reads memory as one stream; who has finished takes from the ends of the others' parts: a slow core or
 * a noisy neighbour delays the chunk it has, never the rest. No result may depend on which thread takes which chunk.
 *
 * The calling thread works too. Workers wait for the next run by spinning for a short wall time, so that the operations
 * of one evaluation follow each other without system calls, and then sleep: an idle pool uses no processor time.
 *
 * A pool may be shared: when a run finds the pool busy with another thread's run, or when a chunk starts a run on its own
 * pool, the later run is a plain loop in its caller. Nothing ever waits for a pool to become free, so nothing deadlocks. */
#ifndef LM_THREAD_THREAD_POOL_H
#define LM_THREAD_THREAD_POOL_H

#include <lm/executor.h>

#include <stdatomic.h>

#include "../base/env.h"

#define LM_POOL_THREADS_MAX 512

typedef struct lm_pool lm_pool;

/* Called once for each chunk. worker is in [0, n_threads of the run); no two calls of one run that overlap in time have the
 * same, so it can index scratch memory of the caller. */
typedef void (*lm_pool_fn)(void *arg, int32_t chunk, int32_t worker);

/* n_threads counts the caller: n_threads - 1 workers are started. 0: one thread for each performance core. With an executor
 * (may be NULL, is copied) none are started, and n_threads is the most tasks one run asks it for.
 * LM_OK, LM_ERR_ARGUMENT (n_threads outside [0, LM_POOL_THREADS_MAX], executor without a function), or LM_ERR_MEMORY (also
 * when the system has no room for a thread). env is borrowed. */
lm_status lm_pool_create(const lm_env *env, int32_t n_threads, const lm_executor *executor, lm_pool **out);
/* No run may be in progress. NULL is allowed. */
void lm_pool_destroy(lm_pool *pool);

/* The most threads a run can have, the caller included; 1 for NULL. */
int32_t lm_pool_threads(const lm_pool *pool);
/* Bytes taken from the allocator; the stacks of the workers are the system's. */
size_t lm_pool_bytes(const lm_pool *pool);

/* Run fn for every chunk in [0, n_chunks) on at most n_threads threads (0: all) and return when all have finished; what they
 * wrote is visible then. pool NULL: a plain loop, worker 0. Allocates nothing.
 * cancel (may be NULL) is looked at before each chunk: once it is not zero no chunk is started any more, and if that left
 * any out the result is LM_ERR_CANCELLED; otherwise LM_OK. */
lm_status lm_pool_run(lm_pool *pool, int32_t n_threads, int32_t n_chunks, lm_pool_fn fn, void *arg, atomic_int *cancel);

#endif
