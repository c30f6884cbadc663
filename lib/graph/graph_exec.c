/* SPDX-License-Identifier: MIT
 * Segments of a program on their devices. */
#include "graph_exec.h"

#include "../base/array.h"
#include "../base/format.h"
#include "graph.h"

/* A value that a segment reads and an earlier segment wrote. */
typedef struct transfer {
    int32_t value, from, to;
} transfer;

typedef struct segment {
    int32_t placement, first_op, n_ops;
    void *object;
} segment;

struct lm_exec {
    const lm_env *env;
    const lm_program *program;
    const lm_placement *placements;
    int32_t n_placements;
    void **caches;        /* [n_placements] */
    int32_t *layer_cache; /* [n_cache_layers] placement that owns each cache layer, -1 none */
    int32_t *layer_state; /* [n_state_layers] */
    int32_t *writer;      /* [n_values] segment that wrote each value */
    LM_ARRAY(segment) segments;
    LM_ARRAY(transfer) transfers;
    float *staging; /* rows in flight between devices */
    size_t staging_bytes;
};

static int32_t placement_of(const int32_t *layer_device, int32_t n_layers, const lm_op *op) {
    int32_t layer = op->layer < -1 ? -1 : op->layer > n_layers ? n_layers : op->layer;
    return layer_device[layer + 1];
}

/* The cache or state layer an operation touches, -1 for none. */
static int32_t cache_layer_of(const lm_op *op) {
    return op->kind == LM_OP_CACHE_STORE ? op->params.cache_store.layer
           : op->kind == LM_OP_ATTEND    ? op->params.attend.layer
                                         : -1;
}

static int32_t state_layer_of(const lm_op *op) {
    return op->kind == LM_OP_SHORT_CONV   ? op->params.short_conv.state
           : op->kind == LM_OP_DELTA_RULE ? op->params.delta_rule.state
           : op->kind == LM_OP_SHIFT      ? op->params.shift.state
                                          : -1;
}

static lm_status check_support(const lm_program *program, const lm_placement *placements, const int32_t *layer_device,
                               int32_t n_layers, lm_error *error) {
    for (int32_t o = 0; o < program->n_ops; o++) {
        const lm_op *op = &program->ops[o];
        const lm_placement *p = &placements[placement_of(layer_device, n_layers, op)];
        if (p->backend->op_supported(p->backend->user, p->device, program, op)) continue;
        const char *weight = op->weight[0] >= 0 ? program->tensors[op->weight[0]].name : "no weights";
        return lm_error_set(error, LM_ERR_UNSUPPORTED, "backend %s cannot run %s in block %d (%s)", p->backend->name,
                            lm_op_name(op->kind), (int)op->layer, weight);
    }
    return LM_OK;
}

/* Which placement owns each layer: the first operation that touches it decides, and all others must agree. */
static lm_status own_layers(lm_exec *exec, const int32_t *layer_device, int32_t n_layers, lm_error *error) {
    for (int32_t i = 0; i < exec->program->n_cache_layers; i++) exec->layer_cache[i] = -1;
    for (int32_t i = 0; i < exec->program->n_state_layers; i++) exec->layer_state[i] = -1;
    for (int32_t o = 0; o < exec->program->n_ops; o++) {
        const lm_op *op = &exec->program->ops[o];
        int32_t p = placement_of(layer_device, n_layers, op), cache = cache_layer_of(op), state = state_layer_of(op);
        int32_t *owner = cache >= 0 ? &exec->layer_cache[cache] : state >= 0 ? &exec->layer_state[state] : NULL;
        if (!owner) continue;
        if (*owner >= 0 && *owner != p)
            return lm_error_set(error, LM_ERR_UNSUPPORTED, "block %d reads a cache that lives on another device",
                                (int)op->layer);
        *owner = p;
    }
    return LM_OK;
}

static lm_status cut(lm_exec *exec, const int32_t *layer_device, int32_t n_layers) {
    const lm_program *program = exec->program;
    for (int32_t o = 0; o < program->n_ops; o++) {
        int32_t p = placement_of(layer_device, n_layers, &program->ops[o]);
        if (exec->segments.count && exec->segments.data[exec->segments.count - 1].placement == p) {
            exec->segments.data[exec->segments.count - 1].n_ops++;
        } else {
            segment s = {p, o, 1, NULL};
            if (!lm_array_push(exec->env, &exec->segments, s)) return LM_ERR_MEMORY;
        }
    }
    for (int32_t v = 0; v < program->n_values; v++) exec->writer[v] = -1;
    for (size_t s = 0; s < exec->segments.count; s++) {
        const segment *seg = &exec->segments.data[s];
        size_t known = exec->transfers.count;
        for (int32_t o = seg->first_op; o < seg->first_op + seg->n_ops; o++) {
            const lm_op *op = &program->ops[o];
            for (int i = 0; i < LM_OP_INPUTS; i++) {
                int32_t v = op->in[i];
                if (v < 0 || exec->writer[v] == (int32_t)s) continue;
                bool listed = false;
                for (size_t t = known; t < exec->transfers.count; t++) listed |= exec->transfers.data[t].value == v;
                transfer entry = {v, exec->writer[v], (int32_t)s};
                if (!listed && !lm_array_push(exec->env, &exec->transfers, entry)) return LM_ERR_MEMORY;
            }
            for (int i = 0; i < LM_OP_OUTPUTS; i++)
                if (op->out[i] >= 0) exec->writer[op->out[i]] = (int32_t)s;
        }
    }
    return LM_OK;
}

static size_t staging_bytes(const lm_exec *exec) {
    const lm_program *program = exec->program;
    size_t largest = 0, rows = lm_size_max(lm_size_max((size_t)program->max_tokens, (size_t)program->max_outputs),
                                           (size_t)program->max_spans);
    for (size_t t = 0; t < exec->transfers.count; t++)
        largest =
            lm_size_max(largest, rows * (size_t)program->values[exec->transfers.data[t].value].width * sizeof(float));
    return largest;
}

static uint64_t table_bytes(const lm_exec *exec) {
    const lm_program *program = exec->program;
    return sizeof *exec + (uint64_t)exec->n_placements * sizeof *exec->caches +
           (uint64_t)program->n_cache_layers * sizeof *exec->layer_cache +
           (uint64_t)program->n_state_layers * sizeof *exec->layer_state +
           (uint64_t)program->n_values * sizeof *exec->writer + exec->segments.capacity * sizeof *exec->segments.data +
           exec->transfers.capacity * sizeof *exec->transfers.data;
}

/* The plan of a program on devices, before anything large is reserved. */
static lm_status prepare(const lm_env *env, const lm_program *program, const lm_placement *placements,
                         int32_t n_placements, const int32_t *layer_device, int32_t n_layers, lm_exec **out,
                         lm_error *error) {
    lm_status status = check_support(program, placements, layer_device, n_layers, error);
    if (status != LM_OK) return status;
    lm_exec *exec = lm_alloc_zeroed(env, sizeof *exec);
    if (!exec) return lm_error_memory(error);
    exec->env = env;
    exec->program = program;
    exec->placements = placements;
    exec->n_placements = n_placements;
    exec->caches = lm_alloc_array(env, (size_t)n_placements, sizeof *exec->caches);
    exec->layer_cache = lm_alloc_array(env, (size_t)program->n_cache_layers, sizeof *exec->layer_cache);
    exec->layer_state = lm_alloc_array(env, (size_t)program->n_state_layers, sizeof *exec->layer_state);
    exec->writer = lm_alloc_array(env, (size_t)program->n_values, sizeof *exec->writer);
    if (!exec->caches || !exec->layer_cache || !exec->layer_state || !exec->writer) status = lm_error_memory(error);
    if (status == LM_OK) status = own_layers(exec, layer_device, n_layers, error);
    if (status == LM_OK && cut(exec, layer_device, n_layers) != LM_OK) status = lm_error_memory(error);
    if (status == LM_OK)
        *out = exec;
    else
        lm_exec_destroy(exec);
    return status;
}

/* Marks of the layers a placement owns; owned has room for all cache layers, then all state layers. */
static void owned_layers(const lm_exec *exec, int32_t placement, uint8_t *owned) {
    for (int32_t i = 0; i < exec->program->n_cache_layers; i++) owned[i] = exec->layer_cache[i] == placement;
    for (int32_t i = 0; i < exec->program->n_state_layers; i++)
        owned[exec->program->n_cache_layers + i] = exec->layer_state[i] == placement;
}

lm_status lm_exec_create(const lm_env *env, const lm_program *program, const lm_placement *placements,
                         int32_t n_placements, const int32_t *layer_device, int32_t n_layers, lm_exec **out,
                         lm_error *error) {
    lm_exec *exec = NULL;
    uint8_t *owned = NULL;
    size_t n_owned = (size_t)program->n_cache_layers + (size_t)program->n_state_layers;
    lm_status status = prepare(env, program, placements, n_placements, layer_device, n_layers, &exec, error);
    if (status != LM_OK) return status;
    owned = lm_alloc_array(env, n_owned, 1);
    exec->staging_bytes = staging_bytes(exec);
    exec->staging = lm_alloc(env, exec->staging_bytes);
    if (!owned || !exec->staging) status = lm_error_memory(error);
    for (int32_t p = 0; p < n_placements && status == LM_OK; p++) {
        owned_layers(exec, p, owned);
        const lm_backend *b = placements[p].backend;
        status = b->cache_create(b->user, placements[p].device, program, owned, owned + program->n_cache_layers,
                                 &exec->caches[p], error);
    }
    for (size_t s = 0; s < exec->segments.count && status == LM_OK; s++) {
        segment *seg = &exec->segments.data[s];
        const lm_placement *p = &placements[seg->placement];
        status = p->backend->segment_create(p->backend->user, p->device, program, seg->first_op, seg->n_ops, p->weights,
                                            exec->caches[seg->placement], &seg->object, error);
    }
    lm_free(env, owned, n_owned);
    if (status == LM_OK)
        *out = exec;
    else
        lm_exec_destroy(exec);
    return status;
}

lm_status lm_exec_measure(const lm_env *env, const lm_program *program, const lm_placement *placements,
                          int32_t n_placements, const int32_t *layer_device, int32_t n_layers, lm_exec_size *out,
                          lm_error *error) {
    lm_exec *exec;
    lm_status status = prepare(env, program, placements, n_placements, layer_device, n_layers, &exec, error);
    if (status != LM_OK) return status;
    size_t n_owned = (size_t)program->n_cache_layers + (size_t)program->n_state_layers;
    uint8_t *owned = lm_alloc_array(env, n_owned, 1);
    lm_exec_size size = {0, staging_bytes(exec) + table_bytes(exec)};
    if (!owned) status = lm_error_memory(error);
    for (int32_t p = 0; p < n_placements && status == LM_OK; p++) {
        owned_layers(exec, p, owned);
        const lm_backend *b = placements[p].backend;
        if (!lm_u64_add(size.cache_bytes,
                        b->cache_bytes(b->user, placements[p].device, program, owned, owned + program->n_cache_layers),
                        &size.cache_bytes))
            size.cache_bytes = UINT64_MAX;
    }
    for (size_t s = 0; s < exec->segments.count && status == LM_OK; s++) {
        const segment *seg = &exec->segments.data[s];
        const lm_placement *p = &placements[seg->placement];
        size.work_bytes += p->backend->segment_bytes(p->backend->user, p->device, program, seg->first_op, seg->n_ops);
    }
    if (status == LM_OK) *out = size;
    lm_free(env, owned, n_owned);
    lm_exec_destroy(exec);
    return status;
}

void lm_exec_destroy(lm_exec *exec) {
    if (!exec) return;
    const lm_env *env = exec->env;
    for (size_t s = 0; s < exec->segments.count; s++) {
        const segment *seg = &exec->segments.data[s];
        if (seg->object) exec->placements[seg->placement].backend->segment_destroy(seg->object);
    }
    for (int32_t p = 0; p < exec->n_placements && exec->caches; p++)
        if (exec->caches[p]) exec->placements[p].backend->cache_destroy(exec->caches[p]);
    lm_free(env, exec->staging, exec->staging_bytes);
    lm_array_free(env, &exec->segments);
    lm_array_free(env, &exec->transfers);
    lm_free(env, exec->writer, (size_t)exec->program->n_values * sizeof *exec->writer);
    lm_free(env, exec->layer_state, (size_t)exec->program->n_state_layers * sizeof *exec->layer_state);
    lm_free(env, exec->layer_cache, (size_t)exec->program->n_cache_layers * sizeof *exec->layer_cache);
    lm_free(env, exec->caches, (size_t)exec->n_placements * sizeof *exec->caches);
    lm_free(env, exec, sizeof *exec);
}

static const lm_backend *backend_of(const lm_exec *exec, int32_t index) {
    return exec->placements[exec->segments.data[index].placement].backend;
}

static lm_status move_value(lm_exec *exec, const transfer *t, const lm_run *run) {
    int32_t domain = exec->program->values[t->value].domain;
    int32_t rows = domain == LM_DOMAIN_TOKENS    ? run->n_tokens
                   : domain == LM_DOMAIN_OUTPUTS ? run->n_outputs
                                                 : run->n_spans;
    lm_status status =
        backend_of(exec, t->from)->value_read(exec->segments.data[t->from].object, t->value, 0, rows, exec->staging);
    return status == LM_OK ? backend_of(exec, t->to)
                                 ->value_write(exec->segments.data[t->to].object, t->value, 0, rows, exec->staging)
                           : status;
}

lm_status lm_exec_run(lm_exec *exec, const lm_run *run) {
    lm_status status = LM_OK;
    size_t next = 0;
    for (size_t s = 0; s < exec->segments.count && status == LM_OK; s++) {
        const segment *seg = &exec->segments.data[s];
        bool runs = seg->first_op + seg->n_ops > run->first_op && (run->end_op == 0 || seg->first_op < run->end_op);
        for (; next < exec->transfers.count && exec->transfers.data[next].to == (int32_t)s && status == LM_OK; next++)
            if (runs) status = move_value(exec, &exec->transfers.data[next], run);
        if (!runs) continue;
        if (status == LM_OK) status = backend_of(exec, (int32_t)s)->segment_run(exec->segments.data[s].object, run);
        if (status == LM_OK) status = backend_of(exec, (int32_t)s)->segment_wait(exec->segments.data[s].object);
    }
    return status;
}

lm_status lm_exec_replay(lm_exec *exec, const lm_run *run) {
    lm_status status = LM_OK;
    for (size_t s = 0; s < exec->segments.count; s++)
        if (!backend_of(exec, (int32_t)s)->segment_replay) return LM_ERR_UNSUPPORTED;
    for (size_t s = 0; s < exec->segments.count && status == LM_OK; s++)
        status = backend_of(exec, (int32_t)s)->segment_replay(exec->segments.data[s].object, run);
    return status;
}

lm_status lm_exec_read(lm_exec *exec, int32_t value, int32_t first_row, int32_t n_rows, float *out) {
    int32_t s = exec->writer[value];
    return backend_of(exec, s)->value_read(exec->segments.data[s].object, value, first_row, n_rows, out);
}

lm_status lm_exec_write(lm_exec *exec, int32_t value, int32_t first_row, int32_t n_rows, const float *in) {
    int32_t s = exec->writer[value];
    return backend_of(exec, s)->value_write(exec->segments.data[s].object, value, first_row, n_rows, in);
}

const float *lm_exec_map(lm_exec *exec, int32_t value) {
    int32_t s = exec->writer[value];
    const lm_backend *b = backend_of(exec, s);
    return b->value_map ? b->value_map(exec->segments.data[s].object, value) : NULL;
}

lm_status lm_exec_copy_page(lm_exec *exec, int32_t group, int32_t to, int32_t from) {
    lm_status status = LM_OK;
    for (int32_t p = 0; p < exec->n_placements && status == LM_OK; p++)
        status = exec->placements[p].backend->cache_copy_page(exec->caches[p], group, to, from);
    return status;
}

lm_status lm_exec_copy_state(lm_exec *exec, int32_t to, int32_t from) {
    lm_status status = LM_OK;
    for (int32_t p = 0; p < exec->n_placements && status == LM_OK; p++)
        status = exec->placements[p].backend->cache_copy_state(exec->caches[p], to, from);
    return status;
}

lm_status lm_exec_clear_state(lm_exec *exec, int32_t slot) {
    lm_status status = LM_OK;
    for (int32_t p = 0; p < exec->n_placements && status == LM_OK; p++)
        status = exec->placements[p].backend->cache_clear_state(exec->caches[p], slot);
    return status;
}

lm_status lm_exec_read_page(lm_exec *exec, int32_t layer, int32_t page, void *out, size_t bytes) {
    int32_t p = exec->layer_cache[layer];
    return exec->placements[p].backend->cache_read_page(exec->caches[p], layer, page, out, bytes);
}

lm_status lm_exec_write_page(lm_exec *exec, int32_t layer, int32_t page, const void *in, size_t bytes) {
    int32_t p = exec->layer_cache[layer];
    return exec->placements[p].backend->cache_write_page(exec->caches[p], layer, page, in, bytes);
}

lm_status lm_exec_read_state(lm_exec *exec, int32_t layer, int32_t slot, float *out) {
    int32_t p = exec->layer_state[layer];
    return exec->placements[p].backend->cache_read_state(exec->caches[p], layer, slot, out);
}

lm_status lm_exec_write_state(lm_exec *exec, int32_t layer, int32_t slot, const float *in) {
    int32_t p = exec->layer_state[layer];
    return exec->placements[p].backend->cache_write_state(exec->caches[p], layer, slot, in);
}
