/* SPDX-License-Identifier: MIT
 * The front door of the runtime room. */
#include <lm/runtime.h>

#include <string.h>

#include "../base/format.h"
#include "../base/params.h"
#include "../runtime/runtime.h"

lm_status lm_runtime_create(const lm_runtime_params *params, lm_runtime **out, lm_error *error) {
    lm_runtime_params own = LM_RUNTIME_PARAMS_INIT;
    if (!out) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_runtime_create: out is NULL");
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_runtime_params", error);
    return status == LM_OK ? lm_runtime_open(&own, out, error) : status;
}

void lm_runtime_destroy(lm_runtime *runtime) { lm_runtime_release(runtime); }

int32_t lm_runtime_threads(const lm_runtime *runtime) { return runtime ? runtime->cpu.n_threads : 0; }

const char *lm_runtime_cpu(const lm_runtime *runtime) {
    return runtime ? lm_cpu_level_name(runtime->cpu.kernels.level) : NULL;
}

lm_status lm_runtime_measure(lm_runtime *runtime, lm_machine *out) {
    if (!runtime || !out || out->struct_size < sizeof out->struct_size) return LM_ERR_ARGUMENT;
    lm_machine own = {.struct_size = out->struct_size};
    lm_status status = lm_runtime_measure_machine(runtime, &own);
    if (status == LM_OK) lm_params_write(out, &own, sizeof own);
    return status;
}

int32_t lm_version(void) { return LM_VERSION_MAJOR * 1000000 + LM_VERSION_MINOR * 1000 + LM_VERSION_PATCH; }
