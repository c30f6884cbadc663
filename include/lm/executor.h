/* SPDX-License-Identifier: MIT */
/**
 * A host's own threads. A runtime that is given an lm_executor starts no threads: the work inside every operation goes
 * through parallel_for.
 *
 *     static void in_parallel(void *user, int32_t n, lm_executor_task task, void *arg) {
 *         my_pool_run(user, n, task, arg);          // any order, any threads, the calling one included
 *     }
 *     lm_executor executor = {my_pool, in_parallel};
 */
#ifndef LM_EXECUTOR_H
#define LM_EXECUTOR_H

#include "base.h"

LM_BEGIN_DECLS

/** One task of a parallel_for. Never fails, never blocks except for memory and arithmetic. */
typedef void (*lm_executor_task)(void *arg, int32_t i);

/**
 * The host's way to run tasks. The struct is copied; user must stay valid as long as the runtime.
 *
 *   parallel_for   calls task(arg, i) once for each i in [0, n), 1 <= n <= the runtime's thread count, and returns when all
 *                  calls have returned. Calls may overlap or not: with one thread, a plain loop is right. Tasks share out
 *                  the work among themselves as they run, so one that starts late finds less to do. It is called from
 *                  any thread that calls into liblm, from several at once when several contexts work at once.
 *
 * Results do not depend on how tasks are scheduled. Since 0.1
 */
typedef struct lm_executor {
    void *user;
    void (*parallel_for)(void *user, int32_t n, lm_executor_task task, void *arg);
} lm_executor;

LM_END_DECLS
#endif
