/* SPDX-License-Identifier: MIT
 * Running one program on two backends and comparing everything that can be read back. */
#include "conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/graph/graph_exec.h"
#include "../../lib/tensor/dtype.h"
#include "../../lib/tensor/quantize.h"

/* ---- making programs ---- */

static uint32_t next(conformance_maker *m) {
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(m->seed >> 32);
}

float conformance_random(conformance_maker *m) { return (float)(int32_t)next(m) * 0x1p-31f; }

static int32_t add_tensor(conformance_maker *m, int32_t dtype, void *data, uint64_t bytes, int64_t ne0, int64_t ne1,
                          int64_t ne2) {
    m->blocks[m->n_blocks++] = data;
    lm_tensor t = {.name = "w", .dtype = dtype, .n_dims = 3, .ne = {ne0, ne1, ne2, 1}, .data = data, .bytes = bytes};
    return lm_graph_tensor(&m->graph, &t);
}

int32_t conformance_weight(conformance_maker *m, int32_t dtype, int64_t ne0, int64_t ne1, int64_t ne2) {
    const lm_dtype_info *info = lm_dtype_find(dtype);
    size_t n = (size_t)(ne0 * ne1 * ne2);
    uint64_t bytes;
    lm_quantizer *quantizer = NULL;
    if (!info || !lm_dtype_tensor_bytes(dtype, (int64_t[]){ne0, ne1, ne2, 1}, &bytes)) return -1;
    if (info->class == LM_DTYPE_CLASS_ACTIVATION) return -1;
    char *blocks = malloc((size_t)bytes);
    float *x = malloc(n * sizeof *x), *ones = malloc((size_t)ne0 * sizeof *ones);
    for (size_t i = 0; i < n; i++) x[i] = conformance_random(m);
    for (int64_t i = 0; i < ne0; i++) ones[i] = 1;
    bool made = true;
    if (dtype == LM_DTYPE_F64)
        for (size_t i = 0; i < n; i++) memcpy(blocks + 8 * i, &(double){(double)x[i]}, 8);
    else if (info->class == LM_DTYPE_CLASS_INTEGER)
        for (uint64_t i = 0; i < bytes; i++) blocks[i] = (char)next(m);
    else {
        /* Searching for the best blocks takes long: a few rows are quantised, the others repeat them. */
        size_t n_rows = (size_t)(ne1 * ne2), row_bytes = (size_t)bytes / n_rows, distinct = n_rows < 23 ? n_rows : 23;
        made = lm_quantizer_create(m->env, dtype, &quantizer) == LM_OK &&
               lm_quantizer_run(quantizer, x, distinct, (size_t)ne0, ones, blocks) == LM_OK;
        for (size_t r = distinct; r < n_rows && made; r++)
            memcpy(blocks + r * row_bytes, blocks + (r - distinct) * row_bytes, row_bytes);
    }
    lm_quantizer_destroy(quantizer);
    free(x);
    free(ones);
    if (made) return add_tensor(m, dtype, blocks, bytes, ne0, ne1, ne2);
    free(blocks);
    return -1;
}

int32_t conformance_vector(conformance_maker *m, int64_t n, float low, float high) {
    float *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = low + (high - low) * (0.5f + 0.5f * conformance_random(m));
    return add_tensor(m, LM_DTYPE_F32, x, (uint64_t)n * sizeof *x, n, 1, 1);
}

int32_t conformance_input(conformance_maker *m, int32_t width) {
    int32_t table = conformance_weight(m, LM_DTYPE_F32, width, CONFORMANCE_ROWS, 1);
    return lm_graph_embed(&m->graph, table, 1, LM_EMBED_TOKEN, 0);
}

static int32_t guard(conformance_maker *m) {
    return lm_graph_embed(&m->graph, conformance_weight(m, LM_DTYPE_F32, 16, 2, 1), 1, LM_EMBED_CONSTANT, 1);
}

/* ---- running them ---- */

#define N_SEQS 2
#define N_STATES 4
#define MOST_PAGES 8

/* Tokens of the two sequences in each batch. */
static const int32_t batches[][N_SEQS] = {{1, 0}, {5, 3}, {0, 40}, {40, 0}, {40, 8}, {4, 0}};
#define N_BATCHES (int32_t)(sizeof batches / sizeof *batches)

typedef struct machine {
    lm_placement placement;
    lm_exec *exec;
} machine;

static lm_status machine_open(const lm_env *env, const lm_backend *backend, const lm_program *program, machine *out,
                              lm_error *error) {
    static const int32_t devices[3] = {0, 0, 0};
    uint64_t copied;
    *out = (machine){.placement = {.backend = backend}};
    const lm_tensor **tensors = malloc((size_t)program->n_tensors * sizeof *tensors);
    for (int32_t i = 0; i < program->n_tensors; i++) tensors[i] = &program->tensors[i];
    lm_status status =
        backend->weights_create(backend->user, 0, tensors, program->n_tensors, &out->placement.weights, &copied, error);
    free((void *)tensors);
    if (status != LM_OK) return status;
    return lm_exec_create(env, program, &out->placement, 1, devices, 1, &out->exec, error);
}

static void machine_close(machine *m) {
    lm_exec_destroy(m->exec);
    m->placement.backend->weights_destroy(m->placement.weights);
}

static size_t page_bytes(const machine *m, const lm_program *program, int32_t layer) {
    lm_program one = *program; /* one page of one layer: what a cache of two pages has more than a cache of one */
    lm_cache_group groups[4];
    uint8_t owned[16] = {0};
    uint64_t bytes[2];
    memcpy(groups, program->cache_groups, (size_t)program->n_cache_groups * sizeof *groups);
    one.cache_groups = groups;
    owned[layer] = 1;
    for (int32_t n = 1; n <= 2; n++) {
        groups[program->cache_layers[layer].group].n_pages = n;
        bytes[n - 1] = m->placement.backend->cache_bytes(m->placement.backend->user, 0, &one, owned, owned + 8);
    }
    return (size_t)(bytes[1] - bytes[0]);
}

/* Pages and states start with the same contents on both machines: their bytes are compared whole at the end. */
static lm_status fill_cache(const machine *m, const lm_program *program) {
    lm_status status = LM_OK;
    for (int32_t l = 0; l < program->n_cache_layers && status == LM_OK; l++) {
        size_t bytes = page_bytes(m, program, l);
        void *zeros = calloc(1, bytes);
        for (int32_t p = 0; p < MOST_PAGES && status == LM_OK; p++)
            status = lm_exec_write_page(m->exec, l, p, zeros, bytes);
        free(zeros);
    }
    for (int32_t l = 0; l < program->n_state_layers && status == LM_OK; l++) {
        float *x = malloc((size_t)program->state_layers[l].n_floats * sizeof *x);
        for (int64_t i = 0; i < program->state_layers[l].n_floats; i++) x[i] = (float)(i % 13) / 16 - 0.25f;
        for (int32_t s = 0; s < N_STATES && status == LM_OK; s++) status = lm_exec_write_state(m->exec, l, s, x);
        free(x);
    }
    if (status == LM_OK && program->n_state_layers) status = lm_exec_clear_state(m->exec, 0);
    if (status == LM_OK && program->n_state_layers) status = lm_exec_copy_state(m->exec, 2, 0);
    return status;
}

static bool same_cache(const machine *a, const machine *b, const lm_program *program) {
    bool same = true;
    for (int32_t l = 0; l < program->n_cache_layers; l++) {
        size_t bytes = page_bytes(a, program, l);
        char *x = malloc(bytes), *y = malloc(bytes);
        same = same && page_bytes(b, program, l) == bytes;
        for (int32_t p = 0; p < MOST_PAGES && same; p++)
            same = lm_exec_read_page(a->exec, l, p, x, bytes) == LM_OK &&
                   lm_exec_read_page(b->exec, l, p, y, bytes) == LM_OK && memcmp(x, y, bytes) == 0;
        free(x);
        free(y);
    }
    for (int32_t l = 0; l < program->n_state_layers; l++) {
        size_t n = (size_t)program->state_layers[l].n_floats;
        float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
        for (int32_t s = 0; s < N_STATES && same; s++)
            same = lm_exec_read_state(a->exec, l, s, x) == LM_OK && lm_exec_read_state(b->exec, l, s, y) == LM_OK &&
                   memcmp(x, y, n * sizeof *x) == 0;
        free(x);
        free(y);
    }
    return same;
}

static bool same_value(const machine *a, const machine *b, const lm_program *program, int32_t value,
                       const lm_run *run) {
    const lm_value *v = &program->values[value];
    int32_t rows = v->domain == LM_DOMAIN_TOKENS    ? run->n_tokens
                   : v->domain == LM_DOMAIN_OUTPUTS ? run->n_outputs
                                                    : run->n_spans;
    size_t n = (size_t)rows * (size_t)v->width;
    float *x = calloc(n + 1, sizeof *x), *y = malloc((n + 1) * sizeof *y);
    bool same = lm_exec_read(a->exec, value, 0, rows, x) == LM_OK &&
                lm_exec_read(b->exec, value, 0, rows, y) == LM_OK && memcmp(x, y, n * sizeof *x) == 0;
    const float *mapped = lm_exec_map(a->exec, value);
    same = same && (!mapped || memcmp(mapped, y, n * sizeof *x) == 0);
    if (same && rows > 1) /* a part of the rows */
        same = lm_exec_read(a->exec, value, rows / 2, rows - rows / 2, x) == LM_OK &&
               memcmp(x, y + (size_t)(rows / 2) * (size_t)v->width,
                      (n - (size_t)(rows / 2) * (size_t)v->width) * sizeof *x) == 0;
    free(x);
    free(y);
    return same;
}

/* One batch on both; NULL or what differs. */
static const char *compare_batch(const machine *a, const machine *b, const lm_graph *g, const lm_program *program,
                                 int32_t number, int32_t *lengths, int32_t *slot) {
    static const int32_t tables[N_SEQS][4] = {{5, 2, 7, -1}, {1, 6, 3, -1}};
    const int32_t *groups[N_SEQS][4];
    lm_token tokens[2 * CONFORMANCE_MOST_TOKENS];
    int32_t positions[2 * CONFORMANCE_MOST_TOKENS], outputs[2 * CONFORMANCE_MOST_TOKENS];
    lm_span spans[N_SEQS];
    lm_run run = {
        .struct_size = sizeof run, .tokens = tokens, .positions = positions, .spans = spans, .outputs = outputs};
    for (int32_t q = 0; q < N_SEQS; q++) {
        int32_t n = batches[number][q];
        for (int i = 0; i < 4; i++) groups[q][i] = tables[q];
        if (n == 0) continue;
        spans[run.n_spans] = (lm_span){
            .first = run.n_tokens, .n_tokens = n, .pos = lengths[q], .state = -1, .state_from = -1, .pages = groups[q]};
        if (program
                ->n_state_layers) { /* sequence 0 moves between two slots, sequence 1 stays; longer spans keep a state on the way */
            spans[run.n_spans].state_from = q == 0 ? *slot : 1;
            if (q == 0) *slot = 2 - *slot;
            spans[run.n_spans].state = q == 0 ? *slot : 1;
            if (q == 0 && n > 4) spans[run.n_spans].keep_at = n - number % 2, spans[run.n_spans].keep = 3;
        }
        run.n_spans++;
        for (int32_t i = 0; i < n; i++) {
            tokens[run.n_tokens] = (run.n_tokens * 7 + number * 5 + 3) % CONFORMANCE_ROWS;
            positions[run.n_tokens] = lengths[q] + i;
            if (run.n_tokens % 2 == 0 || i == n - 1) outputs[run.n_outputs++] = run.n_tokens;
            run.n_tokens++;
        }
        lengths[q] += n;
    }
    if (lm_exec_run(b->exec, &run) != LM_OK) return "the reference fails";
    lm_run part = run; /* every other batch in two runs, of a part of the operations each */
    if (number % 2) part.end_op = program->n_ops / 2;
    if (lm_exec_run(a->exec, &part) != LM_OK) return "the run fails";
    part.first_op = part.end_op;
    part.end_op = 0;
    if (number % 2 && lm_exec_run(a->exec, &part) != LM_OK) return "the run of the last operations fails";
    if (!same_value(a, b, program, g->hidden, &run)) return "a neighbouring value was overwritten";
    return same_value(a, b, program, g->logits, &run) ? NULL : "the results differ";
}

static const char *compare(const lm_env *env, const lm_backend *tested, const lm_backend *reference, const lm_graph *g,
                           const lm_program *program) {
    machine a, b;
    const char *problem = NULL;
    int32_t lengths[N_SEQS] = {0}, slot = 2, number = 0;
    lm_error error;
    lm_status status = machine_open(env, tested, program, &a, &error);
    if (machine_open(env, reference, program, &b, &error) != LM_OK || status != LM_OK) {
        problem = "the program cannot be placed";
        goto out;
    }
    if (fill_cache(&a, program) != LM_OK || fill_cache(&b, program) != LM_OK) {
        problem = "the cache cannot be written";
        goto out;
    }
    for (; number < N_BATCHES && !problem; number++) {
        problem = compare_batch(&a, &b, g, program, number, lengths, &slot);
        if (number == 2 && program->n_cache_layers && !problem) { /* a page that moves */
            if (lm_exec_copy_page(a.exec, 0, 4, 5) != LM_OK || lm_exec_copy_page(b.exec, 0, 4, 5) != LM_OK)
                problem = "a page cannot be copied";
        }
    }
    if (!problem && !same_cache(&a, &b, program)) problem = "cache or state differ";
out:
    machine_close(&a);
    machine_close(&b);
    return problem;
}

static void run_case(const lm_env *env, const lm_backend *tested, const lm_backend *reference,
                     const conformance_case *c, conformance_report *report) {
    conformance_maker m = {.env = env, .seed = (uint64_t)(c->op * 131 + c->a * 31 + c->b * 7 + c->c)};
    lm_graph *g = &m.graph;
    lm_program program;
    lm_error error = {0};
    const char *problem = NULL;
    lm_graph_init(g, env);
    int32_t before = guard(&m), between = guard(&m), y = c->build(&m, c);
    if (y < 0 && g->status == LM_OK) goto out;
    int32_t after = guard(&m);
    g->logits =
        lm_graph_slice(g, y, lm_graph_width(g, y), 0, lm_graph_width(g, y)); /* a copy, so that after lies behind y */
    g->hidden = lm_graph_concat(g, lm_graph_concat(g, before, 16, between, 16), 32, after, 16);
    for (size_t i = 0; i < g->cache_groups.count; i++) g->cache_groups.data[i].n_pages = MOST_PAGES;
    lm_graph_limits limits = {.max_tokens = CONFORMANCE_MOST_TOKENS,
                              .max_outputs = CONFORMANCE_MOST_TOKENS,
                              .max_spans = N_SEQS,
                              .max_positions = CONFORMANCE_POSITIONS,
                              .n_states = N_STATES};
    if (lm_graph_finish(g, &limits, &program, &error) != LM_OK) {
        problem = error.message;
    } else {
        bool reference_runs = true, runs = true;
        for (int32_t o = 0; o < program.n_ops; o++) {
            reference_runs = reference_runs && reference->op_supported(reference->user, 0, &program, &program.ops[o]);
            runs = runs && tested->op_supported(tested->user, 0, &program, &program.ops[o]);
        }
        if (!reference_runs) goto out;
        if (!runs) {
            report->n_unsupported++;
            goto out;
        }
        problem = compare(env, tested, reference, g, &program);
    }
    report->n_run++;
    report->n_of_op[c->op]++;
    if (problem && report->n_failed++ == 0)
        snprintf(report->first_failure, sizeof report->first_failure, "%s %d %d %d: %.180s", lm_op_name(c->op), c->a,
                 c->b, c->c, problem);
out:
    lm_graph_destroy(g);
    for (int32_t i = 0; i < m.n_blocks; i++) free(m.blocks[i]);
}

void conformance_run(const lm_env *env, const lm_backend *tested, const lm_backend *reference, bool thorough,
                     conformance_report *report) {
    conformance_case c;
    *report = (conformance_report){0};
    for (int32_t number = 0; conformance_case_at(number, thorough, &c); number++)
        run_case(env, tested, reference, &c, report);
}
