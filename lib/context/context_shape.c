/* SPDX-License-Identifier: MIT
 * Sizes of a context, decided by the same code for opening and for planning: defaults, the program, pages per group, memory. */
#include "../base/checked.h"
#include "../base/format.h"
#include "context_internal.h"

#define DEFAULT_CTX 4096
#define DEFAULT_BATCH 512
#define DEFAULT_CHECKPOINTS 8 /* per sequence: half for the ends of prompts and marks, half along the context */
#define MIN_INTERVAL                                                                                                   \
    512 /* tokens between checkpoints along the context: copying a state costs less than 1 % of evaluating them */
#define MAX_DRAFT 64 /* of a page: what is dropped again never reaches back further than a window's slack */
#define MAX_SEQS 4096
#define MAX_BATCH 65536
#define MAX_CTX (1 << 24)

static lm_status measure_exec(const lm_model *model, const lm_context_shape *shape, lm_exec_size *size,
                              lm_error *error) {
    return lm_exec_measure(model->env, &shape->program, model->placements, model->n_placements, model->layer_placement,
                           model->hparams.n_layers_all, size, error);
}

_Static_assert((int)LM_OUTPUT_LOGITS == (int)LM_ARCH_LOGITS && (int)LM_OUTPUT_HIDDEN == (int)LM_ARCH_HIDDEN &&
                   (int)LM_OUTPUT_POOLED == (int)LM_ARCH_POOLED,
               "outputs are passed on as they are");
_Static_assert((int)LM_OUTPUT_DRAFT == (int)LM_ARCH_DRAFT, "outputs are passed on as they are");

static bool needs_whole_texts(const lm_model *model, const lm_context_params *p) {
    return !model->hparams.causal || (p->outputs & LM_OUTPUT_POOLED && p->pooling != LM_POOLING_LAST &&
                                      p->pooling != LM_POOLING_RANK); /* decoders rank by the last token */
}

static lm_status refuse(lm_error *error, const char *member, int32_t value) {
    return lm_error_set(error, LM_ERR_ARGUMENT, "lm_context_params.%s is %d", member, (int)value);
}

static bool is_cache_type(int32_t type) {
    return type == LM_DTYPE_F32 || type == LM_DTYPE_F16 || type == LM_DTYPE_BF16 || type == LM_DTYPE_Q8_0 ||
           type == LM_DTYPE_Q4_0;
}

static lm_status complete_outputs(const lm_model *model, lm_context_params *p, lm_error *error) {
    bool causal = model->hparams.causal != 0;
    if (p->outputs & ~(LM_OUTPUT_LOGITS | LM_OUTPUT_HIDDEN | LM_OUTPUT_POOLED | LM_OUTPUT_DRAFT) ||
        (p->outputs & LM_OUTPUT_DRAFT && !(p->outputs & LM_OUTPUT_LOGITS)))
        return refuse(error, "outputs", p->outputs);
    if (p->pooling < LM_POOLING_DEFAULT || p->pooling > LM_POOLING_RANK) return refuse(error, "pooling", p->pooling);
    if (p->outputs & LM_OUTPUT_LOGITS && !causal)
        return lm_error_set(error, LM_ERR_UNSUPPORTED, "the model is an encoder: it has no logits");
    if (p->outputs == 0) p->outputs = causal ? LM_OUTPUT_LOGITS : LM_OUTPUT_POOLED;
    if (p->pooling == LM_POOLING_DEFAULT) p->pooling = model->hparams.pooling;
    if (p->pooling == LM_POOLING_DEFAULT) p->pooling = causal ? LM_POOLING_LAST : LM_POOLING_MEAN;
    if (p->outputs & LM_OUTPUT_POOLED && p->pooling == LM_POOLING_NONE)
        p->outputs = (p->outputs & ~LM_OUTPUT_POOLED) | LM_OUTPUT_HIDDEN;
    return LM_OK;
}

static lm_status complete_params(const lm_model *model, lm_context_params *p, lm_error *error) {
    if (p->n_ctx < 0 || p->n_ctx > MAX_CTX) return refuse(error, "n_ctx", p->n_ctx);
    if (p->n_seqs < 1 || p->n_seqs > MAX_SEQS) return refuse(error, "n_seqs", p->n_seqs);
    if (p->n_batch < 0 || p->n_batch > MAX_BATCH) return refuse(error, "n_batch", p->n_batch);
    if (p->n_threads < 0) return refuse(error, "n_threads", p->n_threads);
    if (!is_cache_type(p->k_type)) return refuse(error, "k_type", p->k_type);
    if (!is_cache_type(p->v_type)) return refuse(error, "v_type", p->v_type);
    if (p->n_checkpoints < -1 || p->n_checkpoints > MAX_SEQS * 64)
        return refuse(error, "n_checkpoints", p->n_checkpoints);
    int32_t most_threads = model->runtime->cpu.n_threads;
    if (p->n_threads == 0 || p->n_threads > most_threads) p->n_threads = most_threads;
    if (p->n_ctx == 0) p->n_ctx = model->hparams.n_ctx_train < DEFAULT_CTX ? model->hparams.n_ctx_train : DEFAULT_CTX;
    if (model->hparams.n_positions > 0 && p->n_ctx > model->hparams.n_positions) p->n_ctx = model->hparams.n_positions;
    lm_status status = complete_outputs(model, p, error);
    if (status != LM_OK) return status;
    if (p->n_batch == 0)
        p->n_batch = needs_whole_texts(model, p) && p->n_ctx > DEFAULT_BATCH
                         ? p->n_ctx < MAX_BATCH ? p->n_ctx : MAX_BATCH
                         : DEFAULT_BATCH;
    if ((int64_t)p->n_batch > (int64_t)p->n_ctx * p->n_seqs) p->n_batch = (int32_t)((int64_t)p->n_ctx * p->n_seqs);
    if (p->n_batch < p->n_seqs) p->n_batch = p->n_seqs;
    if (p->n_outputs == 0) p->n_outputs = p->outputs & LM_OUTPUT_HIDDEN ? p->n_batch : p->n_seqs;
    if (p->n_draft < 0 || p->n_draft > MAX_DRAFT || p->n_draft >= p->n_ctx) return refuse(error, "n_draft", p->n_draft);
    if (p->n_batch < p->n_draft + 1) p->n_batch = p->n_draft + 1;
    if (p->n_outputs >= 0 && p->n_outputs < p->n_draft + 1) p->n_outputs = p->n_draft + 1;
    if (p->n_outputs < 1 || (int64_t)p->n_outputs > (int64_t)p->n_ctx * p->n_seqs)
        return refuse(error, "n_outputs", p->n_outputs);
    if (p->n_checkpoints < 0) p->n_checkpoints = DEFAULT_CHECKPOINTS * p->n_seqs;
    return LM_OK;
}

/* Bytes of one page of every layer of each group, from the backends' own arithmetic: the caches with one page, then with two. */
static lm_status measure_pages(const lm_model *model, lm_context_shape *shape, lm_error *error) {
    lm_graph *graph = &shape->graph;
    lm_status status = LM_OK;
    for (int32_t g = 0; g < shape->kv.n_groups; g++) graph->cache_groups.data[g].n_pages = 1;
    for (int32_t g = 0; g < shape->kv.n_groups && status == LM_OK; g++) {
        lm_exec_size one, two;
        status = measure_exec(model, shape, &one, error);
        graph->cache_groups.data[g].n_pages = 2;
        if (status == LM_OK) status = measure_exec(model, shape, &two, error);
        graph->cache_groups.data[g].n_pages = 1;
        if (status == LM_OK) shape->page_bytes[g] = two.cache_bytes - one.cache_bytes;
    }
    return status;
}

/* Pages of each group: what the sequences need, or as many as the budget allows in the same proportion, plus one spare per sequence for
 * the page a fork or a resumed prefix copies before it writes. */
static lm_status decide_pages(lm_context_shape *shape, uint64_t state_bytes, lm_error *error) {
    const lm_context_params *p = &shape->params;
    uint64_t one = 0, all = 0; /* bytes of one full sequence, of all */
    int64_t per_seq[LM_KV_MAX_GROUPS];
    uint64_t budget = p->cache_bytes > state_bytes ? p->cache_bytes - state_bytes : 0;
    /* Windows of one checkpoint per sequence, where they do not make the difference between fitting and not. */
    for (int32_t kept = shape->kv.n_checkpoints > 0; kept >= 0; kept--) {
        one = 0;
        for (int32_t g = 0; g < shape->kv.n_groups; g++) {
            int32_t window = shape->kv.windows[g], extra = kept && window < p->n_ctx ? window + LM_KV_PAGE : 0;
            per_seq[g] = lm_kv_pages_per_seq(window, p->n_ctx, p->n_batch + shape->kv.slack + extra) + 1;
            one += (uint64_t)per_seq[g] * shape->page_bytes[g];
        }
        if (!p->cache_bytes || one <= budget) break;
    }
    if (!lm_u64_mul(one, (uint64_t)p->n_seqs, &all)) all = UINT64_MAX;
    for (int32_t g = 0; g < shape->kv.n_groups; g++) {
        int64_t pages = per_seq[g] * p->n_seqs;
        if (p->cache_bytes) {
            if (budget < one)
                return lm_error_set(error, LM_ERR_FULL, "cache_bytes is %llu, one sequence of %d positions needs %llu",
                                    (unsigned long long)p->cache_bytes, (int)p->n_ctx,
                                    (unsigned long long)(one + state_bytes));
            pages = (int64_t)((double)budget / (double)one * (double)per_seq[g]);
            while (pages > per_seq[g] && (uint64_t)pages > budget / shape->page_bytes[g]) pages--;
        }
        if (pages > INT32_MAX / 2)
            return lm_error_set(error, LM_ERR_LIMIT, "the cache would have more than %d pages", INT32_MAX / 2);
        shape->kv.n_pages[g] = shape->graph.cache_groups.data[g].n_pages = (int32_t)pages;
    }
    return LM_OK;
}

/* Whether the device that makes the logits shows them in host memory. */
static bool maps_results(const lm_model *model) {
    return model->placements[model->layer_placement[model->hparams.n_layers_all + 1]].backend->value_map != NULL;
}

lm_status lm_context_shape_begin(lm_model *model, const lm_context_params *params, const lm_adapter_use *uses,
                                 size_t n_uses, lm_context_shape *out, lm_error *error) {
    lm_context_shape *s = out;
    *s = (lm_context_shape){.params = *params};
    lm_graph_init(&s->graph, model->env);
    lm_status status = complete_params(model, &s->params, error);
    if (status != LM_OK) return status;
    const lm_context_params *p = &s->params;
    lm_arch_source source = lm_model_source(model);
    status = lm_context_shape_take_adapters(model, uses, n_uses, s, error);
    if (status != LM_OK) return status;
    lm_arch_options options = {p->n_ctx,   p->k_type,   p->v_type,     p->outputs,
                               p->pooling, s->adapters, s->n_adapters, s->steer};
    lm_arch_build(model->arch, &source, &model->hparams, &options, &s->graph);
    if (p->outputs & LM_OUTPUT_DRAFT && s->graph.draft_logits < 0)
        lm_graph_fail(&s->graph, LM_ERR_UNSUPPORTED, "the model has no draft block that can be used");
    s->whole_texts = needs_whole_texts(model, p);
    if (s->whole_texts) s->params.n_checkpoints = 0; /* nothing of a text is gone back to */
    bool recurrent = s->graph.state_layers.count > 0;
    int32_t n_states = recurrent ? p->n_seqs + 1 + p->n_checkpoints : 0;
    int32_t max_outputs = p->n_outputs < p->n_batch ? p->n_outputs : p->n_batch;
    lm_graph_limits limits = {p->n_batch, max_outputs, p->n_seqs,
                              p->n_ctx,   n_states,    recurrent && p->n_draft ? p->n_draft + 1 : 0};
    status = lm_graph_finish(&s->graph, &limits, &s->program, error);
    if (status == LM_OK) status = lm_model_check_ops(model, &s->program, error);
    if (status != LM_OK) return status;
    if (s->program.n_cache_groups > LM_KV_MAX_GROUPS)
        return lm_error_set(error, LM_ERR_UNSUPPORTED, "the model has %d kinds of attention windows",
                            (int)s->program.n_cache_groups);
    s->kv = (lm_kv_params){
        .n_groups = s->program.n_cache_groups,
        .n_seqs = p->n_seqs,
        .n_positions = p->n_ctx,
        .n_states = n_states,
        .slack = p->n_draft,
    };
    uint64_t state_bytes = 0;
    for (int32_t i = 0; i < s->program.n_state_layers; i++)
        state_bytes +=
            (uint64_t)n_states * ((uint64_t)s->program.state_layers[i].n_floats * sizeof(float) + LM_ALIGN_CACHE);
    bool windowed = false;
    for (int32_t g = 0; g < s->kv.n_groups; g++) {
        s->kv.windows[g] = s->program.cache_groups[g].window;
        windowed |= s->kv.windows[g] > 0 && s->kv.windows[g] < p->n_ctx;
    }
    s->kv.n_checkpoints = recurrent || windowed ? p->n_checkpoints : 0;
    int32_t along = p->n_checkpoints / p->n_seqs / 2;
    s->interval = lm_align_up((size_t)p->n_ctx / (size_t)(along > 0 ? along : 1), LM_KV_PAGE) > MIN_INTERVAL
                      ? (int32_t)lm_align_up((size_t)p->n_ctx / (size_t)(along > 0 ? along : 1), LM_KV_PAGE)
                      : MIN_INTERVAL;
    status = measure_pages(model, s, error);
    if (status == LM_OK) status = decide_pages(s, state_bytes, error);
    bool rows_move = p->n_outputs > 1 || p->n_seqs > 1 || !maps_results(model);
    s->logits_bytes =
        rows_move && s->graph.logits >= 0 ? (size_t)p->n_outputs * (size_t)model->hparams.n_vocab * sizeof(float) : 0;
    s->hidden_bytes = (size_t)p->n_outputs * (size_t)lm_graph_width(&s->graph, s->graph.hidden) * sizeof(float);
    s->pooled_bytes = (size_t)p->n_seqs * (size_t)lm_graph_width(&s->graph, s->graph.pooled) * sizeof(float);
    size_t n_vocab = (size_t)lm_graph_width(&s->graph, s->graph.draft_logits);
    s->draft_bytes = (p->n_draft ? (size_t)lm_graph_width(&s->graph, s->graph.draft_hidden) + n_vocab
                                 : (size_t)p->n_outputs * n_vocab) *
                     sizeof(float);
    s->batch_bytes = lm_align_up((size_t)p->n_seqs * sizeof(lm_span), LM_ALIGN_CACHE) +
                     (size_t)p->n_batch * (sizeof(lm_token) + sizeof(int32_t)) +
                     (size_t)p->n_outputs * 2 * sizeof(int32_t) +
                     (size_t)p->n_seqs * (sizeof(int32_t) + sizeof(lm_context_seq) + sizeof(lm_context_keep));
    return status;
}

void lm_context_shape_end(lm_context_shape *shape) {
    lm_graph_destroy(&shape->graph);
    lm_context_shape_drop_adapters(shape);
}

/* The shape itself and what it holds of adapters. */
static uint64_t extra_bytes(const lm_context_shape *s) {
    uint64_t total = sizeof *s + s->steer_bytes + s->n_held * (sizeof *s->held + sizeof *s->adapters);
    for (size_t i = 0; i < s->n_adapters; i++) total += s->adapters[i].n_tensors;
    return total;
}

lm_status lm_context_shape_memory(const lm_model *model, const lm_context_shape *shape, lm_memory *memory,
                                  lm_error *error) {
    lm_exec_size size;
    lm_status status = measure_exec(model, shape, &size, error);
    if (status != LM_OK) return status;
    memory->weights_bytes = 0;
    for (size_t i = 0; i < model->n_tensors; i++) memory->weights_bytes += model->tensors[i].bytes;
    memory->copied_bytes = lm_model_copied(model);
    memory->model_bytes = lm_model_memory(model);
    memory->cache_bytes = size.cache_bytes;
    memory->work_bytes = size.work_bytes;
    memory->context_bytes = sizeof(lm_context) + extra_bytes(shape) + lm_graph_bytes(&shape->graph) +
                            lm_kv_bytes(&shape->kv) + shape->logits_bytes + shape->hidden_bytes + shape->pooled_bytes +
                            shape->draft_bytes + shape->batch_bytes;
    memory->n_pages = memory->n_pages_free = shape->kv.n_groups ? shape->kv.n_pages[0] : 0;
    memory->n_pages_cached = 0;
    return LM_OK;
}

lm_status lm_context_measure(lm_model *model, const lm_context_params *params, lm_memory *memory,
                             lm_context_params *in_force, lm_error *error) {
    lm_context_shape shape;
    lm_status status = lm_context_shape_begin(model, params, NULL, 0, &shape, error);
    if (status == LM_OK) status = lm_context_shape_memory(model, &shape, memory, error);
    if (status == LM_OK && in_force) *in_force = shape.params;
    lm_context_shape_end(&shape);
    return status;
}
