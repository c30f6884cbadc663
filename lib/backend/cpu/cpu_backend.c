/* SPDX-License-Identifier: MIT
 * The CPU behind the backend table. Weights are used where they are mapped; nothing is copied. */
#include "cpu_backend.h"

#include <string.h>

#include "../../base/format.h"
#include "../../os/os.h"
#include "cpu_internal.h"

static int32_t device_count(void *user) {
    (void)user;
    return 1;
}

static lm_status device_info(void *user, int32_t device, lm_device_info *out) {
    (void)device;
    const lm_cpu *cpu = user;
    *out = (lm_device_info){.host_memory = 1};
    lm_format(out->name, sizeof out->name, "CPU (%s, %d threads)", lm_cpu_level_name(cpu->kernels.level),
              (int)cpu->n_threads);
    return LM_OK;
}

static bool cache_type_supported(int32_t type, int32_t width) {
    if (type == LM_DTYPE_Q8_0 || type == LM_DTYPE_Q4_0) return width % 32 == 0;
    return type == LM_DTYPE_F32 || type == LM_DTYPE_F16 || type == LM_DTYPE_BF16;
}

static bool product_supported(const lm_cpu *cpu, const lm_program *program, int32_t tensor) {
    int32_t type = program->tensors[tensor].dtype;
    return type >= 0 && type < LM_KERNEL_TYPES && cpu->kernels.weights[type].act != LM_ACT_NONE;
}

static int32_t op_supported(void *user, int32_t device, const lm_program *program, const lm_op *op) {
    (void)device;
    const lm_cpu *cpu = user;
    for (int i = 0; i < LM_OP_WEIGHTS; i++) {
        if (op->weight[i] < 0) continue;
        int32_t type = program->tensors[op->weight[i]].dtype;
        if (type < 0 || type >= LM_KERNEL_TYPES || !cpu->kernels.weights[type].dequantize) return 0;
    }
    switch (op->kind) {
    case LM_OP_LINEAR:
        for (int32_t i = 0; i < op->params.linear.n; i++)
            if (!product_supported(cpu, program, op->weight[3 * i])) return 0;
        return 1;
    case LM_OP_HEAD_LINEAR: return op->params.head_linear.transposed || product_supported(cpu, program, op->weight[0]);
    case LM_OP_EXPERT_LINEAR: return product_supported(cpu, program, op->weight[0]);
    case LM_OP_EXPERTS:
        for (int i = 0; i < 3; i++)
            if (op->weight[i] >= 0 && !product_supported(cpu, program, op->weight[i])) return 0;
        return 1;
    case LM_OP_CACHE_STORE:
    case LM_OP_ATTEND: {
        const lm_cache_layer *layer =
            &program->cache_layers[op->kind == LM_OP_ATTEND ? op->params.attend.layer : op->params.cache_store.layer];
        return cache_type_supported(layer->k_type, layer->k_width) &&
               (layer->v_width == 0 || cache_type_supported(layer->v_type, layer->v_width));
    }
    default: return 1;
    }
}

/* There is nothing to keep of weights but which of two cases they are. */
static const lm_cpu_weights within_memory = {false}, beyond_memory = {true};

static lm_status weights_create(void *user, int32_t device, const lm_tensor *const *tensors, int32_t n, void **weights,
                                uint64_t *copied_bytes, lm_error *error) {
    (void)user, (void)device, (void)error;
    uint64_t total = 0, available = lm_os_memory_available();
    for (int32_t i = 0; i < n; i++) total += tensors[i]->bytes;
    bool exceed = available > 0 && total > available;
    for (int32_t i = 0; i < n && exceed; i++) /* of experts nothing is worth reading ahead but what is asked for */
        if (tensors[i]->ne[2] > 1) lm_os_advise(tensors[i]->data, (size_t)tensors[i]->bytes, LM_OS_ADVICE_RANDOM);
    *weights = (void *)(uintptr_t)(exceed ? &beyond_memory : &within_memory);
    *copied_bytes = 0;
    return LM_OK;
}

static void weights_destroy(void *weights) { (void)weights; }

static float *value_rows(lm_cpu_segment *segment, int32_t value, int32_t first_row) {
    const lm_value *v = &segment->program->values[value];
    return (float *)(void *)(segment->arena + v->offset) + (size_t)first_row * (size_t)v->width;
}

static lm_status value_read(void *segment, int32_t value, int32_t first_row, int32_t n_rows, float *out) {
    size_t width = (size_t)((lm_cpu_segment *)segment)->program->values[value].width;
    memcpy(out, value_rows(segment, value, first_row), (size_t)n_rows * width * sizeof *out);
    return LM_OK;
}

static lm_status value_write(void *segment, int32_t value, int32_t first_row, int32_t n_rows, const float *in) {
    size_t width = (size_t)((lm_cpu_segment *)segment)->program->values[value].width;
    memcpy(value_rows(segment, value, first_row), in, (size_t)n_rows * width * sizeof *in);
    return LM_OK;
}

static const float *value_map(void *segment, int32_t value) { return value_rows(segment, value, 0); }

void lm_cpu_init(lm_cpu *cpu, const lm_env *env, lm_pool *pool, int32_t n_threads, int32_t level) {
    *cpu = (lm_cpu){.env = env, .pool = pool, .n_threads = n_threads > 0 ? n_threads : 1};
    lm_kernels_init(&cpu->kernels, level);
}

lm_backend lm_cpu_backend(lm_cpu *cpu) {
    return (lm_backend){
        .struct_size = sizeof(lm_backend),
        .api_version = LM_BACKEND_API,
        .name = "cpu",
        .user = cpu,
        .device_count = device_count,
        .device_info = device_info,
        .op_supported = op_supported,
        .weights_create = weights_create,
        .weights_destroy = weights_destroy,
        .cache_create = lm_cpu_cache_create,
        .cache_destroy = lm_cpu_cache_destroy,
        .cache_bytes = lm_cpu_cache_bytes,
        .cache_copy_page = lm_cpu_cache_copy_page,
        .cache_copy_state = lm_cpu_cache_copy_state,
        .cache_clear_state = lm_cpu_cache_clear_state,
        .cache_read_page = lm_cpu_cache_read_page,
        .cache_write_page = lm_cpu_cache_write_page,
        .cache_read_state = lm_cpu_cache_read_state,
        .cache_write_state = lm_cpu_cache_write_state,
        .segment_create = lm_cpu_segment_create,
        .segment_destroy = lm_cpu_segment_destroy,
        .segment_bytes = lm_cpu_segment_bytes,
        .segment_run = lm_cpu_segment_run,
        .segment_wait = lm_cpu_segment_wait,
        .value_read = value_read,
        .value_write = value_write,
        .value_map = value_map,
        .segment_replay = lm_cpu_segment_replay,
    };
}
