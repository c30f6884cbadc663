/* SPDX-License-Identifier: MIT
 * A context's life, its message, and its memory report. */
#include <string.h>

#include "../base/checked.h"
#include "../base/format.h"
#include "context_internal.h"

static lm_status copy_page(void *user, int32_t group, int32_t to, int32_t from) {
    return lm_exec_copy_page(user, group, to, from);
}
static lm_status copy_state(void *user, int32_t to, int32_t from) { return lm_exec_copy_state(user, to, from); }
static lm_status clear_state(void *user, int32_t slot) { return lm_exec_clear_state(user, slot); }

static void place_batch(lm_context *c) {
    const lm_context_params *p = &c->shape->params;
    char *at = c->batch;
    c->spans = (lm_span *)(void *)at;
    at += lm_align_up((size_t)p->n_seqs * sizeof *c->spans, LM_ALIGN_CACHE);
    c->tokens = (lm_token *)(void *)at;
    at += (size_t)p->n_batch * sizeof *c->tokens;
    c->positions = (int32_t *)(void *)at;
    at += (size_t)p->n_batch * sizeof *c->positions;
    c->outputs = (int32_t *)(void *)at;
    at += (size_t)p->n_outputs * sizeof *c->outputs;
    c->rows = (int32_t *)(void *)at;
    at += (size_t)p->n_outputs * sizeof *c->rows;
    c->lengths = (int32_t *)(void *)at;
    at += (size_t)p->n_seqs * sizeof *c->lengths;
    c->keeps = (lm_context_keep *)(void *)at;
    at += (size_t)p->n_seqs * sizeof *c->keeps;
    c->seqs = (lm_context_seq *)(void *)at;
    memset(c->seqs, 0, (size_t)p->n_seqs * sizeof *c->seqs);
}

lm_status lm_context_make(lm_model *model, const lm_context_params *params, lm_context **out, lm_error *error) {
    return lm_context_make_with(model, params, NULL, 0, out, error);
}

lm_status lm_context_make_with(lm_model *model, const lm_context_params *params, const lm_adapter_use *uses,
                               size_t n_uses, lm_context **out, lm_error *error) {
    const lm_env *env = model->env;
    lm_context *c = lm_alloc_zeroed(env, sizeof *c);
    if (!c) return lm_error_memory(error);
    c->env = env;
    lm_model_hold(model);
    c->model = model;
    atomic_init(&c->cancelled, 0);
    c->shape = lm_alloc_zeroed(env, sizeof *c->shape);
    lm_status status =
        c->shape ? lm_context_shape_begin(model, params, uses, n_uses, c->shape, error) : lm_error_memory(error);
    if (status != LM_OK) goto out;
    c->batch = lm_alloc_aligned(env, c->shape->batch_bytes, LM_ALIGN_CACHE);
    c->logits = lm_alloc_aligned(env, c->shape->logits_bytes, LM_ALIGN_CACHE);
    c->hidden = lm_alloc_aligned(env, c->shape->hidden_bytes, LM_ALIGN_CACHE);
    c->pooled = lm_alloc_aligned(env, c->shape->pooled_bytes, LM_ALIGN_CACHE);
    c->draft = lm_alloc_aligned(env, c->shape->draft_bytes, LM_ALIGN_CACHE);
    if (!c->batch || !c->logits || !c->hidden || !c->pooled || !c->draft) {
        status = lm_error_memory(error);
        goto out;
    }
    place_batch(c);
    status = lm_exec_create(env, &c->shape->program, model->placements, model->n_placements, model->layer_placement,
                            model->hparams.n_layers_all, &c->exec, error);
    if (status != LM_OK) goto out;
    lm_kv_mover mover = {c->exec, copy_page, copy_state, clear_state};
    status = lm_kv_create(env, &c->shape->kv, &mover, &c->kv);
    if (status != LM_OK) {
        lm_error_set(error, status, status == LM_ERR_MEMORY ? "out of memory" : "the cache's tables cannot be made");
        goto out;
    }
    *out = c;
    c = NULL;
out:
    lm_context_end(c);
    return status;
}

void lm_context_end(lm_context *c) {
    if (!c) return;
    lm_model *model = c->model;
    lm_kv_destroy(c->kv);
    lm_exec_destroy(c->exec);
    if (c->shape) {
        lm_free_aligned(c->env, c->draft, c->shape->draft_bytes, LM_ALIGN_CACHE);
        lm_free_aligned(c->env, c->pooled, c->shape->pooled_bytes, LM_ALIGN_CACHE);
        lm_free_aligned(c->env, c->hidden, c->shape->hidden_bytes, LM_ALIGN_CACHE);
        lm_free_aligned(c->env, c->logits, c->shape->logits_bytes, LM_ALIGN_CACHE);
        lm_free_aligned(c->env, c->batch, c->shape->batch_bytes, LM_ALIGN_CACHE);
        lm_context_shape_end(c->shape);
        lm_free(c->env, c->shape, sizeof *c->shape);
    }
    lm_free(c->env, c, sizeof *c);
    lm_model_release(model);
}

lm_status lm_context_fail(lm_context *context, lm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    lm_format_message(context->message, sizeof context->message, format, arguments);
    va_end(arguments);
    return status;
}

lm_status lm_context_fill_memory(const lm_context *c, lm_memory *memory) {
    lm_status status = lm_context_shape_memory(c->model, c->shape, memory, NULL);
    if (status != LM_OK || !c->shape->kv.n_groups) return status;
    memory->n_pages_free = lm_kv_free_pages(c->kv, 0);
    memory->n_pages_cached = lm_kv_tree_pages(c->kv, 0);
    return LM_OK;
}

lm_kv *lm_context_kv(const lm_context *context) { return context->kv; }
const lm_context_params *lm_context_in_force(const lm_context *context) { return &context->shape->params; }
size_t lm_context_rows(const lm_context *context) { return context->n_rows; }
const lm_model *lm_context_model(const lm_context *context) { return context->model; }
int32_t lm_context_vocab(const lm_context *context) { return context->model->hparams.n_vocab; }
const char *lm_context_sentence(const lm_context *context) { return context->message; }
const lm_env *lm_context_env(const lm_context *context) { return context->env; }
void lm_context_stop(lm_context *context) { atomic_store(&context->cancelled, 1); }
void lm_context_watch(lm_context *context, const atomic_bool *is_cancelled) { context->watched = is_cancelled; }

const float *lm_context_row(const lm_context *context, size_t row) {
    if (row >= context->n_rows || context->shape->graph.logits < 0) return NULL;
    return context->mapped ? context->mapped : context->logits + row * (size_t)context->model->hparams.n_vocab;
}

static size_t width_of(const lm_context *context, int32_t value) {
    return (size_t)lm_graph_width(&context->shape->graph, value);
}

const float *lm_context_hidden_row(const lm_context *context, size_t row) {
    size_t width = width_of(context, context->shape->graph.hidden);
    return row < context->n_rows && width ? context->hidden + row * width : NULL;
}

const float *lm_context_draft_row(const lm_context *context, size_t row) {
    bool kept = context->shape->graph.draft_logits >= 0 && context->shape->params.n_draft == 0;
    return kept && row < context->n_rows ? context->draft + row * (size_t)context->model->hparams.n_vocab : NULL;
}

size_t lm_context_pooled_floats(const lm_context *context) { return width_of(context, context->shape->graph.pooled); }

const float *lm_context_pooled_row(const lm_context *context, size_t item) {
    size_t width = lm_context_pooled_floats(context);
    return item < context->n_items && width ? context->pooled + item * width : NULL;
}
