/* SPDX-License-Identifier: MIT
 * The parts of a program and the sticky error; operations are in graph_ops.c, the arena in graph_plan.c. */
#include "graph.h"

#include "../base/format.h"

void lm_graph_init(lm_graph *graph, const lm_env *env) {
    *graph = (lm_graph){.env = env,
                        .layer = -1,
                        .logits = -1,
                        .hidden = -1,
                        .pooled = -1,
                        .draft_input = -1,
                        .draft_hidden = -1,
                        .draft_logits = -1};
}

void lm_graph_destroy(lm_graph *graph) {
    if (!graph || !graph->env) return;
    lm_array_free(graph->env, &graph->ops);
    lm_array_free(graph->env, &graph->values);
    lm_array_free(graph->env, &graph->tensors);
    lm_array_free(graph->env, &graph->ropes);
    lm_array_free(graph->env, &graph->cache_layers);
    lm_array_free(graph->env, &graph->cache_groups);
    lm_array_free(graph->env, &graph->state_layers);
}

uint64_t lm_graph_bytes(const lm_graph *graph) {
    return graph->ops.capacity * sizeof *graph->ops.data + graph->values.capacity * sizeof *graph->values.data +
           graph->tensors.capacity * sizeof *graph->tensors.data + graph->ropes.capacity * sizeof *graph->ropes.data +
           graph->cache_layers.capacity * sizeof *graph->cache_layers.data +
           graph->cache_groups.capacity * sizeof *graph->cache_groups.data +
           graph->state_layers.capacity * sizeof *graph->state_layers.data;
}

int32_t lm_graph_fail(lm_graph *graph, lm_status status, const char *format, ...) {
    if (graph->status != LM_OK) return -1;
    graph->status = status;
    graph->error = (lm_error){.status = status, .offset = UINT64_MAX};
    va_list arguments;
    va_start(arguments, format);
    lm_format_list(graph->error.message, sizeof graph->error.message, format, arguments);
    va_end(arguments);
    return -1;
}

#define APPEND(graph, array, element)                                                                                  \
    ((graph)->status != LM_OK ? -1                                                                                     \
     : lm_array_push((graph)->env, &(graph)->array, element)                                                           \
         ? (int32_t)((graph)->array.count - 1)                                                                         \
         : lm_graph_fail(graph, LM_ERR_MEMORY, "out of memory while building the program"))

int32_t lm_graph_tensor(lm_graph *graph, const lm_tensor *tensor) {
    for (size_t i = graph->tensors.count; i-- > 0;) /* a reuse (tied output, shared factors) is rare and short */
        if (graph->tensors.data[i].data == tensor->data && graph->tensors.data[i].name == tensor->name)
            return (int32_t)i;
    return APPEND(graph, tensors, *tensor);
}

int32_t lm_graph_rope(lm_graph *graph, const lm_rope *rope) {
    for (size_t i = 0; i < graph->ropes.count; i++) {
        const lm_rope *r = &graph->ropes.data[i];
        if (r->n_rot == rope->n_rot && r->adjacent == rope->adjacent && r->factors == rope->factors &&
            r->low == rope->low && r->high == rope->high && r->base == rope->base &&
            r->freq_scale == rope->freq_scale && r->ext_factor == rope->ext_factor && r->magnitude == rope->magnitude)
            return (int32_t)i;
    }
    return APPEND(graph, ropes, *rope);
}

int32_t lm_graph_cache_group(lm_graph *graph, int32_t window) {
    for (size_t i = 0; i < graph->cache_groups.count; i++)
        if (graph->cache_groups.data[i].window == window) return (int32_t)i;
    lm_cache_group group = {.window = window};
    return APPEND(graph, cache_groups, group);
}

int32_t lm_graph_cache_layer(lm_graph *graph, const lm_cache_layer *layer) {
    return APPEND(graph, cache_layers, *layer);
}

int32_t lm_graph_state_layer(lm_graph *graph, int64_t n_floats) {
    lm_state_layer layer = {n_floats};
    return APPEND(graph, state_layers, layer);
}

int32_t lm_graph_width(const lm_graph *graph, int32_t value) {
    return value >= 0 && (size_t)value < graph->values.count ? graph->values.data[value].width : 0;
}

const char *lm_op_name(int32_t kind) {
    switch (kind) {
#define LM_OP_NAME(number, name, inputs, weights, outputs, meaning)                                                    \
    case number: return #name;
        LM_OPS(LM_OP_NAME)
#undef LM_OP_NAME
    default: return "?";
    }
}
