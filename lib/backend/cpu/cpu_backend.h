/* SPDX-License-Identifier: MIT
 * The CPU backend's door: a table over kernels of one instruction-set level and a thread pool. */
#ifndef LM_BACKEND_CPU_CPU_BACKEND_H
#define LM_BACKEND_CPU_CPU_BACKEND_H

#include <lm/backend.h>

#include "../../../kernels/kernels.h"
#include "../../base/env.h"
#include "../../thread/thread_pool.h"

/* The object behind lm_backend.user. Owned by the runtime, which fills it with lm_cpu_init; env and pool outlive it. */
typedef struct lm_cpu {
    const lm_env *env;
    lm_pool *pool; /* NULL: the calling thread alone */
    int32_t n_threads;
    lm_kernels kernels;
} lm_cpu;

/* level: an lm_cpu_level this machine runs. */
void lm_cpu_init(lm_cpu *cpu, const lm_env *env, lm_pool *pool, int32_t n_threads, int32_t level);
/* The backend table for cpu (borrowed). */
lm_backend lm_cpu_backend(lm_cpu *cpu);

#endif
