/* SPDX-License-Identifier: MIT
 * Planning: open the model without touching its weights, measure a context as opening would, and compare. */
#include <string.h>

#include "../base/format.h"
#include "../base/params.h"
#include "../context/context.h"

static uint64_t total_of(const lm_memory *m) {
    return m->weights_bytes + m->copied_bytes + m->model_bytes + m->cache_bytes + m->work_bytes + m->context_bytes;
}

/* Cache that a token with all positions before it moves: the pages of a sequence, and its recurrent state read and written (without
 * checkpoints a cache has two). */
static lm_status moved_per_token(lm_model *model, const lm_context_params *in_force, uint64_t *bytes, lm_error *error) {
    lm_context_params params = *in_force;
    lm_memory memory = {.struct_size = sizeof memory};
    params.n_seqs = params.n_outputs = 1;
    params.n_draft = params.n_checkpoints = 0;
    params.cache_bytes = 0;
    lm_status status = lm_context_measure(model, &params, &memory, NULL, error);
    if (status == LM_OK) *bytes = memory.cache_bytes;
    return status;
}

static double resident_share(const lm_plan *plan) {
    uint64_t weights = plan->memory.weights_bytes, others = plan->total_bytes - weights;
    if (plan->fits || weights == 0) return 1;
    return plan->memory_bytes > others ? (double)(plan->memory_bytes - others) / (double)weights : 0;
}

static lm_status total_for(lm_model *model, const lm_context_params *context, int32_t n_ctx, uint64_t *total,
                           lm_error *error) {
    lm_context_params params = *context;
    lm_memory memory = {.struct_size = sizeof memory};
    params.n_ctx = n_ctx;
    params.n_seqs = 1;
    params.n_outputs = 1;
    params.cache_bytes = 0;
    lm_status status = lm_context_measure(model, &params, &memory, NULL, error);
    if (status == LM_OK) *total = total_of(&memory);
    return status;
}

/* The longest context, in whole pages, whose total fits; memory grows with the context, so halve the interval. */
static lm_status longest_fitting(lm_model *model, const lm_context_params *context, uint64_t budget, int32_t *out,
                                 lm_error *error) {
    int32_t low = 0, high = model->hparams.n_ctx_train;
    uint64_t total;
    lm_status status = total_for(model, context, high, &total, error);
    if (status == LM_OK && total <= budget) low = high;
    while (status == LM_OK && high - low > 64) {
        int32_t middle = low + (high - low) / 2;
        status = total_for(model, context, middle, &total, error);
        if (total <= budget)
            low = middle;
        else
            high = middle;
    }
    *out = low;
    return status;
}

lm_status lm_model_plan(const char *path, const lm_plan_params *params, lm_plan *out, lm_error *error) {
    lm_plan_params own = LM_PLAN_PARAMS_INIT;
    lm_context_params context = LM_CONTEXT_PARAMS_INIT, in_force;
    if (!out || out->struct_size < sizeof out->struct_size)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_plan.struct_size is not set");
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_plan_params", error);
    if (status == LM_OK) status = lm_params_read(&context, sizeof context, own.context, "lm_context_params", error);
    if (status != LM_OK) return status;
    lm_model_params model_params = LM_MODEL_PARAMS_INIT;
    model_params.runtime = own.runtime;
    model_params.prefetch = 0;
    lm_model *model = NULL;
    status = lm_model_open(path, &model_params, &model, error);
    if (status != LM_OK) return status;
    lm_plan plan = {.struct_size = out->struct_size, .memory = {.struct_size = sizeof(lm_memory)}};
    status = lm_context_measure(model, &context, &plan.memory, &in_force, error);
    if (status == LM_OK) {
        plan.total_bytes = total_of(&plan.memory);
        plan.memory_bytes = own.memory_bytes ? own.memory_bytes : lm_os_memory_available();
        plan.fits = plan.total_bytes <= plan.memory_bytes;
        plan.resident_share = resident_share(&plan);
        plan.n_ctx = in_force.n_ctx;
        status = longest_fitting(model, &context, plan.memory_bytes, &plan.n_ctx_fitting, error);
    }
    if (status == LM_OK && own.bytes_per_second) {
        lm_model_info info = {.struct_size = sizeof info};
        lm_model_get_info(model, &info);
        uint64_t seq_cache = 0;
        status = moved_per_token(model, &in_force, &seq_cache, error);
        plan.tokens_per_second = (double)own.bytes_per_second / (double)info.active_bytes;
        plan.tokens_per_second_full = (double)own.bytes_per_second / (double)(info.active_bytes + seq_cache);
    }
    lm_model_close(model);
    if (status == LM_OK) lm_params_write(out, &plan, sizeof plan);
    return status;
}
