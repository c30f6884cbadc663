/* SPDX-License-Identifier: MIT
 * Making and ending runtimes. */
#include "runtime.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "../base/format.h"

static lm_status choose_level(const char *name, int32_t *level, lm_error *error) {
    *level = lm_cpu_detect();
    if (!name) return LM_OK;
    int32_t wanted = lm_cpu_level_find(name);
    if (wanted < 0)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_runtime_params.cpu: unknown instruction set \"%s\"", name);
    if (!lm_cpu_level_runs(wanted))
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_runtime_params.cpu: this machine has no %s", name);
    *level = wanted;
    return LM_OK;
}

/* A name, and every function from the first to the last that is required. */
static bool is_complete(const lm_backend *b) {
    void (*function)(void);
    for (size_t at = offsetof(lm_backend, device_count); at < offsetof(lm_backend, value_map); at += sizeof function) {
        memcpy(&function, (const char *)b + at, sizeof function);
        if (!function) return false;
    }
    return b->name != NULL;
}

static lm_status take_backends(lm_runtime *runtime, const lm_runtime_params *params, lm_error *error) {
    if (params->n_backends < 0 || params->n_backends >= LM_RUNTIME_MAX_BACKENDS ||
        (params->n_backends && !params->backends))
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_runtime_params.n_backends is %d", (int)params->n_backends);
    for (int32_t i = 0; i < params->n_backends; i++) {
        const lm_backend *b = params->backends[i];
        bool is_known = b && b->struct_size >= sizeof *b && b->api_version == LM_BACKEND_API;
        if (!is_known || !is_complete(b))
            return lm_error_set(error, LM_ERR_ARGUMENT, "lm_runtime_params.backends[%d] %s", (int)i,
                                is_known ? "lacks a required function" : "is of another version of the table");
        runtime->backends[runtime->n_backends++] = b;
    }
    return LM_OK;
}

lm_status lm_runtime_open(const lm_runtime_params *params, lm_runtime **out, lm_error *error) {
    int32_t level = 0;
    lm_env env;
    lm_env_init(&env, params->allocator, params->log);
    lm_status status = choose_level(params->cpu, &level, error);
    if (status != LM_OK) return status;
    if (params->n_threads < 0 || params->n_threads > LM_POOL_THREADS_MAX)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_runtime_params.n_threads is %d", (int)params->n_threads);
    lm_runtime *runtime = lm_alloc_zeroed(&env, sizeof *runtime);
    if (!runtime) return lm_error_memory(error);
    atomic_init(&runtime->references, 1);
    runtime->env = env;
    status = take_backends(runtime, params, error);
    if (status == LM_OK) {
        status = lm_pool_create(&runtime->env, params->n_threads, params->executor, &runtime->pool);
        if (status != LM_OK)
            lm_error_set(error, status, "cannot start %d threads, or the executor has no function",
                         (int)params->n_threads);
    }
    if (status == LM_OK) {
        lm_cpu_init(&runtime->cpu, &runtime->env, runtime->pool, lm_pool_threads(runtime->pool), level);
        runtime->cpu_backend = lm_cpu_backend(&runtime->cpu);
        runtime->backends[runtime->n_backends++] = &runtime->cpu_backend;
        *out = runtime;
        runtime = NULL;
    }
    lm_runtime_release(runtime);
    return status;
}

void lm_runtime_hold(lm_runtime *runtime) { atomic_fetch_add_explicit(&runtime->references, 1, memory_order_relaxed); }

void lm_runtime_release(lm_runtime *runtime) {
    if (!runtime || atomic_fetch_sub_explicit(&runtime->references, 1, memory_order_acq_rel) != 1) return;
    lm_env env = runtime->env;
    lm_pool_destroy(runtime->pool);
    lm_free(&env, runtime, sizeof *runtime);
}
