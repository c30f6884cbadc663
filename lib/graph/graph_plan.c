/* SPDX-License-Identifier: MIT
 * Lifetimes to offsets: each value gets a place in one arena, reused once its last reader has run. First fit over the values in
 * order of birth: programs have a few thousand values of which about ten live at once, so the simple rule loses nothing.
 * An output may take the place of an input that dies with the operation (lm_op_alias). */
#include "graph.h"

#include <string.h>

#define ARENA_ALIGN 64

typedef struct lifetime {
    int32_t born, dies; /* operation numbers; dies = last reader */
    int32_t root;       /* the value whose memory it uses: itself, or an aliased one */
} lifetime;

typedef struct place {
    uint64_t offset, bytes;
    int32_t dies;
} place;

int32_t lm_op_alias(int32_t kind) {
    switch (kind) {
    case LM_OP_NORM:
    case LM_OP_ROPE:
    case LM_OP_ACT:
    case LM_OP_SCALE:
    case LM_OP_ADD:
    case LM_OP_SOFTCAP: return 0;
    case LM_OP_LINEAR: return 1;
    case LM_OP_GLU: return 1;
    case LM_OP_EXPERTS:
    case LM_OP_EXPERT_LINEAR: return 3;
    default: return -1;
    }
}

static uint64_t value_bytes(const lm_value *value, const lm_graph_limits *limits) {
    uint64_t rows = (uint64_t)(value->domain == LM_DOMAIN_TOKENS    ? limits->max_tokens
                               : value->domain == LM_DOMAIN_OUTPUTS ? limits->max_outputs
                                                                    : limits->max_spans);
    return (rows * (uint64_t)value->width * sizeof(float) + ARENA_ALIGN - 1) & ~(uint64_t)(ARENA_ALIGN - 1);
}

static void find_lifetimes(const lm_graph *graph, lifetime *lives) {
    for (size_t v = 0; v < graph->values.count; v++) lives[v] = (lifetime){-1, -1, (int32_t)v};
    for (size_t o = 0; o < graph->ops.count; o++) {
        const lm_op *op = &graph->ops.data[o];
        for (int i = 0; i < LM_OP_OUTPUTS; i++)
            if (op->out[i] >= 0) lives[op->out[i]].born = lives[op->out[i]].dies = (int32_t)o;
        for (int i = 0; i < LM_OP_INPUTS; i++)
            if (op->in[i] >= 0) lives[op->in[i]].dies = (int32_t)o;
    }
    /* Results are read after the run. */
    const int32_t results[] = {graph->logits, graph->hidden, graph->pooled, graph->draft_hidden, graph->draft_logits};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i] >= 0) lives[results[i]].dies = INT32_MAX;
    for (size_t o = 0; o < graph->ops.count; o++) {
        const lm_op *op = &graph->ops.data[o];
        int32_t i = lm_op_alias(op->kind), in = i >= 0 ? op->in[i] : -1, out = op->out[0];
        if (in < 0 || out < 0 || lives[in].dies != (int32_t)o) continue;
        const lm_value *a = &graph->values.data[in], *b = &graph->values.data[out];
        bool read_twice = false; /* the other inputs must not be the same memory */
        for (int j = 0; j < LM_OP_INPUTS; j++)
            read_twice |= j != i && op->in[j] >= 0 && lives[op->in[j]].root == lives[in].root;
        if (a->width != b->width || a->domain != b->domain || read_twice) continue;
        lives[out].root = lives[in].root;
    }
    for (size_t v = 0; v < graph->values.count; v++) /* the root lives as long as the last of its chain */
        if (lives[lives[v].root].dies < lives[v].dies) lives[lives[v].root].dies = lives[v].dies;
}

/* The lowest offset where bytes fit between the places still alive; places are sorted by offset. */
static size_t fit(const place *places, size_t n, uint64_t bytes, uint64_t *offset) {
    uint64_t end = 0;
    size_t i = 0;
    for (; i < n && places[i].offset - end < bytes; i++) end = places[i].offset + places[i].bytes;
    *offset = end;
    return i;
}

static lm_status plan_arena(lm_graph *graph, const lm_graph_limits *limits, uint64_t *arena_bytes) {
    size_t n_values = graph->values.count, n_places = 0;
    lifetime *lives = lm_alloc_array(graph->env, n_values, sizeof *lives);
    place *places = lm_alloc_array(graph->env, n_values, sizeof *places);
    lm_status status = lives && places ? LM_OK : LM_ERR_MEMORY;
    *arena_bytes = 0;
    if (status == LM_OK) find_lifetimes(graph, lives);
    for (size_t v = 0; v < n_values && status == LM_OK; v++) { /* values are numbered in order of birth */
        lm_value *value = &graph->values.data[v];
        if (lives[v].root != (int32_t)v) {
            value->offset = graph->values.data[lives[v].root].offset;
            continue;
        }
        size_t kept = 0;
        for (size_t i = 0; i < n_places; i++)
            if (places[i].dies >= lives[v].born) places[kept++] = places[i];
        n_places = kept;
        uint64_t bytes = value_bytes(value, limits), offset;
        size_t at = fit(places, n_places, bytes, &offset);
        memmove(places + at + 1, places + at, (n_places - at) * sizeof *places);
        places[at] = (place){offset, bytes, lives[v].dies};
        n_places++;
        value->offset = offset;
        if (*arena_bytes < offset + bytes) *arena_bytes = offset + bytes;
    }
    lm_free(graph->env, places, n_values * sizeof *places);
    lm_free(graph->env, lives, n_values * sizeof *lives);
    return status;
}

/* Rows for every position a sequence may have. */
static void check_positions(lm_graph *graph, const lm_graph_limits *limits) {
    for (size_t o = 0; o < graph->ops.count; o++) {
        const lm_op *op = &graph->ops.data[o];
        if (op->kind != LM_OP_EMBED || op->params.embed.source != LM_EMBED_POSITION) continue;
        const lm_tensor *table = &graph->tensors.data[op->weight[0]];
        if (table->ne[1] < limits->max_positions)
            lm_graph_fail(graph, LM_ERR_FORMAT, "tensor %s: %lld rows for %d positions", table->name,
                          (long long)table->ne[1], limits->max_positions);
    }
}

lm_status lm_graph_finish(lm_graph *graph, const lm_graph_limits *limits, lm_program *program, lm_error *error) {
    if (graph->status == LM_OK && (graph->ops.count > INT32_MAX || graph->values.count == 0))
        lm_graph_fail(graph, LM_ERR_FORMAT, "the program is empty");
    uint64_t arena_bytes = 0;
    if (graph->status == LM_OK) check_positions(graph, limits);
    if (graph->status == LM_OK && plan_arena(graph, limits, &arena_bytes) != LM_OK)
        lm_graph_fail(graph, LM_ERR_MEMORY, "out of memory");
    if (graph->status != LM_OK) {
        if (error) *error = graph->error;
        return graph->status;
    }
    *program = (lm_program){
        .struct_size = sizeof *program,
        .n_ops = (int32_t)graph->ops.count,
        .n_values = (int32_t)graph->values.count,
        .n_tensors = (int32_t)graph->tensors.count,
        .n_ropes = (int32_t)graph->ropes.count,
        .n_cache_layers = (int32_t)graph->cache_layers.count,
        .n_cache_groups = (int32_t)graph->cache_groups.count,
        .n_state_layers = (int32_t)graph->state_layers.count,
        .ops = graph->ops.data,
        .values = graph->values.data,
        .tensors = graph->tensors.data,
        .ropes = graph->ropes.data,
        .cache_layers = graph->cache_layers.data,
        .cache_groups = graph->cache_groups.data,
        .state_layers = graph->state_layers.data,
        .n_states = limits->n_states,
        .max_tokens = limits->max_tokens,
        .max_outputs = limits->max_outputs,
        .max_spans = limits->max_spans,
        .max_positions = limits->max_positions,
        .arena_bytes = arena_bytes,
        .n_log = limits->n_log,
    };
    return LM_OK;
}
