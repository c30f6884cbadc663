/* SPDX-License-Identifier: MIT
 * The runtime's inside: the environment, the pool, the CPU backend and the host's backends, reference-counted by models. */
#ifndef LM_RUNTIME_RUNTIME_H
#define LM_RUNTIME_RUNTIME_H

#include <lm/runtime.h>

#include <stdatomic.h>

#include "../backend/cpu/cpu_backend.h"
#include "../base/env.h"
#include "../thread/thread_pool.h"

#define LM_RUNTIME_MAX_BACKENDS 16

struct lm_runtime {
    atomic_int references;
    lm_env env;
    lm_pool *pool;
    lm_cpu cpu;
    lm_backend cpu_backend;
    const lm_backend *backends[LM_RUNTIME_MAX_BACKENDS]; /* the host's in order, then the CPU */
    int32_t n_backends;
};

/* params are complete. */
lm_status lm_runtime_open(const lm_runtime_params *params, lm_runtime **out, lm_error *error);
/* Of out, struct_size stays as it is. */
lm_status lm_runtime_measure_machine(lm_runtime *runtime, lm_machine *out);
void lm_runtime_hold(lm_runtime *runtime);
void lm_runtime_release(lm_runtime *runtime);

#endif
