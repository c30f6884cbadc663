/* SPDX-License-Identifier: MIT
 * A range of operations made ready: one block of memory sized by the same code that plans it, one-dimensional weights as floats,
 * rotary frequencies. Running it is a loop over operations; nothing is allocated. */

#include "../../base/format.h"
#include "cpu_internal.h"

/* ---- sizes ---- */

static void measure(const lm_cpu *cpu, const lm_program *program, int32_t first_op, int32_t n_ops,
                    lm_cpu_scratch *scratch) {
    *scratch = (lm_cpu_scratch){0};
    for (int32_t o = first_op; o < first_op + n_ops; o++) {
        const lm_op *op = &program->ops[o];
        switch (op->kind) {
        case LM_OP_LINEAR: lm_cpu_linear_scratch(cpu, program, op, scratch); break;
        case LM_OP_HEAD_LINEAR: lm_cpu_head_linear_scratch(cpu, program, op, scratch); break;
        case LM_OP_ATTEND: lm_cpu_attend_scratch(cpu, program, op, scratch); break;
        case LM_OP_EXPERTS:
        case LM_OP_EXPERT_LINEAR: lm_cpu_experts_scratch(cpu, program, op, scratch); break;
        case LM_OP_SHORT_CONV:
        case LM_OP_DELTA_RULE: lm_cpu_recurrent_scratch(program, op, scratch); break;
        default: break;
        }
    }
    scratch->worker = lm_align_up(scratch->worker, LM_ALIGN_CACHE);
}

static size_t take(size_t *end, size_t bytes) {
    size_t at = *end;
    *end = lm_align_up(at + bytes, LM_ALIGN_CACHE);
    return at;
}

static bool uses_rope(const lm_program *program, int32_t first_op, int32_t n_ops, int32_t rope) {
    for (int32_t o = first_op; o < first_op + n_ops; o++)
        if (program->ops[o].kind == LM_OP_ROPE && program->ops[o].params.rope.rope == rope) return true;
    return false;
}

/* Which weights of an operation are vectors: everything but the matrices. */
static bool is_matrix(const lm_op *op, int i) {
    switch (op->kind) {
    case LM_OP_EMBED:
    case LM_OP_EXPERT_LINEAR:
    case LM_OP_HEAD_LINEAR: return i == 0;
    case LM_OP_LINEAR: return i % 3 == 0;
    case LM_OP_EXPERTS: return i < 3;
    default: return false;
    }
}

static uint64_t element_count(const lm_tensor *t) {
    return (uint64_t)t->ne[0] * (uint64_t)t->ne[1] * (uint64_t)t->ne[2] * (uint64_t)t->ne[3];
}

static bool used_in_place(const lm_tensor *t) {
    return t->dtype == LM_DTYPE_F32 && (uintptr_t)t->data % sizeof(float) == 0;
}

/* Bytes of converted copies, counting a tensor once per operation that reads it. */
static uint64_t converted_bytes(const lm_program *program, int32_t first_op, int32_t n_ops) {
    uint64_t total = 0;
    for (int32_t o = first_op; o < first_op + n_ops; o++)
        for (int i = 0; i < LM_OP_WEIGHTS; i++) {
            const lm_op *op = &program->ops[o];
            if (op->weight[i] < 0 || is_matrix(op, i)) continue;
            const lm_tensor *t = &program->tensors[op->weight[i]];
            if (!used_in_place(t)) total += element_count(t) * sizeof(float);
        }
    return total;
}

/* Total bytes of the block; with a segment also its pointers, relative to memory. */
static size_t place(const lm_cpu *cpu, const lm_program *program, int32_t first_op, int32_t n_ops,
                    lm_cpu_segment *segment) {
    lm_cpu_scratch scratch;
    measure(cpu, program, first_op, n_ops, &scratch);
    size_t end = 0, acts[LM_CPU_ACT_KINDS];
    size_t arena = take(&end, (size_t)program->arena_bytes);
    for (int i = 0; i < LM_CPU_ACT_KINDS; i++) acts[i] = take(&end, scratch.acts[i]);
    size_t panel = take(&end, scratch.panel), shared = take(&end, scratch.shared);
    size_t workers = take(&end, scratch.worker * (size_t)cpu->n_threads);
    size_t converted = take(&end, (size_t)converted_bytes(program, first_op, n_ops));
    size_t log_bytes = 0;
    for (int32_t o = first_op; o < first_op + n_ops; o++) log_bytes += lm_cpu_log_bytes(program, &program->ops[o]);
    size_t log = take(&end, log_bytes);
    if (segment) {
        segment->scratch = scratch;
        segment->arena = segment->memory + arena;
        for (int i = 0; i < LM_CPU_ACT_KINDS; i++) segment->acts[i] = segment->memory + acts[i];
        segment->panel = segment->memory + panel;
        segment->shared = segment->memory + shared;
        segment->log = segment->memory + log;
        segment->workers = segment->memory + workers;
        segment->converted = (float *)(void *)(segment->memory + converted);
    }
    for (int32_t r = 0; r < program->n_ropes; r++) {
        if (!uses_rope(program, first_op, n_ops, r)) continue;
        size_t n_rot = (size_t)program->ropes[r].n_rot;
        size_t table = take(&end, (size_t)program->max_tokens * n_rot * sizeof(float)),
               frequencies = take(&end, n_rot / 2 * sizeof(double));
        if (segment) {
            segment->rope_tables[r] = (float *)(void *)(segment->memory + table);
            segment->rope_frequencies[r] = (double *)(void *)(segment->memory + frequencies);
        }
    }
    return end;
}

uint64_t lm_cpu_segment_bytes(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops) {
    (void)device;
    const lm_cpu *cpu = user;
    return sizeof(lm_cpu_segment) + (uint64_t)program->n_tensors * sizeof(float *) +
           (uint64_t)program->n_ropes * 2 * sizeof(void *) + place(cpu, program, first_op, n_ops, NULL);
}

/* ---- life ---- */

static void resolve_vectors(lm_cpu_segment *segment) {
    const lm_kernels *kernels = &segment->cpu->kernels;
    size_t used = 0;
    for (int32_t o = segment->first_op; o < segment->first_op + segment->n_ops; o++) {
        const lm_op *op = &segment->program->ops[o];
        for (int i = 0; i < LM_OP_WEIGHTS; i++) {
            if (op->weight[i] < 0 || is_matrix(op, i) || segment->vectors[op->weight[i]]) continue;
            const lm_tensor *t = &segment->program->tensors[op->weight[i]];
            if (used_in_place(t)) {
                segment->vectors[op->weight[i]] = t->data;
                continue;
            }
            uint64_t count = element_count(t);
            float *copy = segment->converted + used;
            used += (size_t)count;
            kernels->weights[t->dtype].dequantize(t->data, copy, (size_t)count);
            segment->vectors[op->weight[i]] = copy;
        }
    }
}

lm_status lm_cpu_segment_create(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops,
                                void *weights, void *cache, void **out, lm_error *error) {
    (void)device;
    lm_cpu *cpu = user;
    lm_status status = LM_ERR_MEMORY;
    lm_cpu_segment *segment = lm_alloc_zeroed(cpu->env, sizeof *segment);
    if (!segment) goto out;
    segment->cpu = cpu;
    segment->program = program;
    segment->cache = cache;
    segment->exceeds_memory = weights && ((const lm_cpu_weights *)weights)->exceed_memory;
    segment->first_op = first_op;
    segment->n_ops = n_ops;
    segment->vectors = lm_alloc_array(cpu->env, (size_t)program->n_tensors, sizeof *segment->vectors);
    segment->rope_tables = lm_alloc_array(cpu->env, (size_t)program->n_ropes, sizeof *segment->rope_tables);
    segment->rope_frequencies = lm_alloc_array(cpu->env, (size_t)program->n_ropes, sizeof *segment->rope_frequencies);
    segment->memory_bytes = place(cpu, program, first_op, n_ops, NULL);
    segment->memory = lm_alloc_aligned(cpu->env, segment->memory_bytes, LM_ALIGN_CACHE);
    if (!segment->vectors || !segment->rope_tables || !segment->rope_frequencies || !segment->memory) goto out;
    place(cpu, program, first_op, n_ops, segment);
    resolve_vectors(segment);
    for (int32_t r = 0; r < program->n_ropes; r++)
        if (segment->rope_frequencies[r])
            lm_cpu_rope_frequencies(&program->ropes[r],
                                    program->ropes[r].factors >= 0 ? segment->vectors[program->ropes[r].factors] : NULL,
                                    segment->rope_frequencies[r]);
    *out = segment;
    segment = NULL;
    status = LM_OK;
out:
    lm_cpu_segment_destroy(segment);
    return status == LM_OK ? LM_OK : lm_error_set(error, status, "out of memory for the activations");
}

void lm_cpu_segment_destroy(void *object) {
    lm_cpu_segment *segment = object;
    if (!segment) return;
    const lm_env *env = segment->cpu->env;
    lm_free_aligned(env, segment->memory, segment->memory_bytes, LM_ALIGN_CACHE);
    lm_free(env, segment->rope_frequencies, (size_t)segment->program->n_ropes * sizeof *segment->rope_frequencies);
    lm_free(env, segment->rope_tables, (size_t)segment->program->n_ropes * sizeof *segment->rope_tables);
    lm_free(env, segment->vectors, (size_t)segment->program->n_tensors * sizeof *segment->vectors);
    lm_free(env, segment, sizeof *segment);
}

/* ---- run ---- */

typedef struct chunk_task {
    lm_cpu_chunk_fn *fn;
    void *arg;
} chunk_task;

static void run_chunk(void *arg, int32_t chunk, int32_t worker) {
    const chunk_task *t = arg;
    t->fn(t->arg, chunk, worker);
}

lm_status lm_cpu_parallel(const lm_cpu_step *s, int32_t n_chunks, lm_cpu_chunk_fn *fn, void *arg) {
    if (n_chunks <= 0) return LM_OK;
    chunk_task task = {fn, arg};
    int32_t n_threads = s->run->n_threads > 0 && s->run->n_threads < s->segment->cpu->n_threads
                            ? s->run->n_threads
                            : s->segment->cpu->n_threads;
    if (n_chunks == 1 || n_threads == 1 || !s->segment->cpu->pool) {
        for (int32_t c = 0; c < n_chunks; c++) run_chunk(&task, c, 0);
        return LM_OK;
    }
    return lm_pool_run(s->segment->cpu->pool, n_threads, n_chunks, run_chunk, &task, (atomic_int *)s->run->cancel);
}

static int32_t rows_of(const lm_program *program, int32_t value, const lm_run *run) {
    switch (program->values[value].domain) {
    case LM_DOMAIN_OUTPUTS: return run->n_outputs;
    case LM_DOMAIN_SEQUENCES: return run->n_spans;
    default: return run->n_tokens;
    }
}

static lm_status run_op(const lm_cpu_step *s) {
    switch (s->op->kind) {
    case LM_OP_EMBED: return lm_cpu_embed(s);
    case LM_OP_LINEAR: return lm_cpu_linear(s);
    case LM_OP_HEAD_LINEAR: return lm_cpu_head_linear(s);
    case LM_OP_ROPE: return lm_cpu_rope(s);
    case LM_OP_CACHE_STORE: return lm_cpu_cache_store(s);
    case LM_OP_ATTEND: return lm_cpu_attend(s);
    case LM_OP_ROUTE: return lm_cpu_route(s);
    case LM_OP_EXPERTS:
    case LM_OP_EXPERT_LINEAR: return lm_cpu_experts(s);
    case LM_OP_SHORT_CONV: return lm_cpu_short_conv(s);
    case LM_OP_DELTA_RULE: return lm_cpu_delta_rule(s);
    case LM_OP_SHIFT: return lm_cpu_shift(s);
    case LM_OP_POOL: return lm_cpu_pool(s);
    default: return lm_cpu_rows(s);
    }
}

lm_status lm_cpu_segment_run(void *object, const lm_run *run) {
    lm_cpu_segment *segment = object;
    lm_cpu_step step = {segment, &segment->cpu->kernels, segment->program, NULL, run, NULL, 0};
    char *log = segment->log;
    lm_status status = lm_cpu_rope_fill(&step);
    int32_t end = segment->first_op + segment->n_ops;
    if (run->end_op > 0 && run->end_op < end) end = run->end_op;
    for (int32_t o = segment->first_op; o < end && status == LM_OK; o++) {
        step.op = &segment->program->ops[o];
        if (o < run->first_op) {
            log += run->log ? lm_cpu_log_bytes(segment->program, step.op) : 0;
            continue;
        }
        if (run->cancel && atomic_load_explicit((atomic_int *)run->cancel, memory_order_relaxed))
            status = LM_ERR_CANCELLED;
        int32_t value = step.op->in[0] >= 0 ? step.op->in[0] : step.op->out[0];
        step.n_rows = rows_of(segment->program, value, run);
        if (status != LM_OK) break;
        size_t log_bytes = run->log ? lm_cpu_log_bytes(segment->program, step.op) : 0;
        if (log_bytes) lm_cpu_log(&step, log);
        log += log_bytes;
        status = run_op(&step);
    }
    segment->status = status;
    return status;
}

lm_status lm_cpu_segment_replay(void *object, const lm_run *run) {
    lm_cpu_segment *segment = object;
    lm_cpu_step step = {segment, &segment->cpu->kernels, segment->program, NULL, run, NULL, run->n_tokens};
    lm_status status = LM_OK;
    const char *log = segment->log;
    for (int32_t o = segment->first_op; o < segment->first_op + segment->n_ops && status == LM_OK; o++) {
        step.op = &segment->program->ops[o];
        size_t log_bytes = lm_cpu_log_bytes(segment->program, step.op);
        step.logged = (const float *)(const void *)log;
        if (log_bytes) status = run_op(&step);
        log += log_bytes;
    }
    return status;
}

lm_status lm_cpu_segment_wait(void *object) { return ((lm_cpu_segment *)object)->status; }
