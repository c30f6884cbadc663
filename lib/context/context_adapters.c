/* SPDX-License-Identifier: MIT
 * Changing a context's adapters: everything that depends on the program is made anew beside the old, then they change places. */
#include <stddef.h>
#include <string.h>

#include "../base/format.h"
#include "../base/hash.h"
#include "../model/adapter.h"
#include "context_internal.h"

/* Weighted sum of the control vectors' directions per block. */
static void add_directions(const lm_hparams *h, const lm_adapter_use *use, float *steer) {
    const lm_adapter *a = use->adapter;
    for (size_t i = 0; i < a->n_tensors; i++) {
        int32_t layer = 0, last = use->last_layer > 0 ? use->last_layer : h->n_layers;
        for (const char *at = a->tensors[i].name + strlen("direction."); *at; at++) layer = layer * 10 + (*at - '0');
        if (layer < use->first_layer || layer > last || layer >= h->n_layers) continue;
        float *out = steer + (size_t)layer * (size_t)h->n_embd;
        for (int32_t j = 0; j < h->n_embd; j++) {
            float value;
            memcpy(&value, (const char *)a->tensors[i].data + (size_t)j * sizeof value, sizeof value);
            out[j] += use->scale * value;
        }
    }
}

lm_status lm_context_shape_take_adapters(const lm_model *model, const lm_adapter_use *uses, size_t n,
                                         lm_context_shape *s, lm_error *error) {
    const lm_env *env = model->env;
    if (n == 0) return LM_OK;
    s->held = lm_alloc_array(env, n, sizeof *s->held);
    s->adapters = lm_alloc_array(env, n, sizeof *s->adapters);
    if (!s->held || !s->adapters) {
        lm_free(env, s->held, n * sizeof *s->held);
        lm_free(env, s->adapters, n * sizeof *s->adapters);
        s->held = NULL;
        s->adapters = NULL;
        return lm_error_memory(error);
    }
    s->env = env;
    s->n_held = n;
    for (size_t i = 0; i < n; i++) {
        lm_adapter *a = s->held[i] = uses[i].adapter;
        lm_adapter_hold(a);
        if (a->control) {
            s->steer_bytes = (size_t)model->hparams.n_layers * (size_t)model->hparams.n_embd * sizeof *s->steer;
            if (!s->steer) s->steer = lm_alloc_zeroed(env, s->steer_bytes);
            if (!s->steer) return lm_error_memory(error);
            add_directions(&model->hparams, &uses[i], s->steer);
            continue;
        }
        lm_arch_adapter *out = &s->adapters[s->n_adapters++];
        *out = (lm_arch_adapter){a->gguf, a->tensors, a->n_tensors, uses[i].scale, a->alpha, NULL};
        out->used = lm_alloc_zeroed(env, a->n_tensors);
        if (!out->used) return lm_error_memory(error);
    }
    return LM_OK;
}

void lm_context_shape_drop_adapters(lm_context_shape *s) {
    if (!s->env) return;
    for (size_t i = 0; i < s->n_adapters; i++) lm_free(s->env, s->adapters[i].used, s->adapters[i].n_tensors);
    for (size_t i = 0; i < s->n_held; i++) lm_adapter_release(s->held[i]);
    lm_free(s->env, s->steer, s->steer_bytes);
    lm_free(s->env, s->adapters, s->n_held * sizeof *s->adapters);
    lm_free(s->env, s->held, s->n_held * sizeof *s->held);
}

uint64_t lm_context_fingerprint(const lm_context *c) {
    const lm_context_shape *s = c->shape;
    uint64_t print = lm_model_fingerprint(c->model);
    for (size_t i = 0; i < s->n_adapters; i++) {
        const lm_arch_adapter *a = &s->adapters[i];
        float scales[2] = {a->scale, a->alpha};
        print = lm_checksum(scales, sizeof scales, print);
        for (size_t t = 0; t < a->n_tensors; t++)
            print = lm_checksum(a->tensors[t].data, (size_t)a->tensors[t].bytes, print);
    }
    return s->steer ? lm_checksum(s->steer, s->steer_bytes, print) : print;
}

static lm_status check_uses(lm_context *c, const lm_adapter_use *uses, size_t n) {
    if (n && !uses) return lm_context_fail(c, LM_ERR_ARGUMENT, "lm_context_set_adapters: uses is NULL");
    if (n > 64) return lm_context_fail(c, LM_ERR_ARGUMENT, "%zu adapters at once, 64 are allowed", n);
    for (size_t i = 0; i < n; i++) {
        if (!uses[i].adapter || !(uses[i].scale - uses[i].scale == 0) || uses[i].first_layer < 0 ||
            uses[i].last_layer < 0)
            return lm_context_fail(c, LM_ERR_ARGUMENT, "adapter %zu: NULL, or numbers out of range", i);
        if (uses[i].adapter->model != c->model)
            return lm_context_fail(c, LM_ERR_MISMATCH, "adapter %zu was opened for another model", i);
    }
    for (int32_t s = 0; s < c->shape->params.n_seqs; s++)
        if (lm_context_length(c, s) > 0)
            return lm_context_fail(c, LM_ERR_STATE, "sequence %d holds tokens: close it first", (int)s);
    for (int32_t p = 0; p < c->model->n_placements; p++)
        if (c->model->placements[p].backend != &c->model->runtime->cpu_backend)
            return lm_context_fail(c, LM_ERR_UNSUPPORTED, "adapters need all weights on the CPU");
    return LM_OK;
}

lm_status lm_context_change_adapters(lm_context *c, const lm_adapter_use *uses, size_t n) {
    lm_context *fresh;
    lm_error error = {.message = ""};
    lm_status status = check_uses(c, uses, n);
    if (status != LM_OK) return status;
    status = lm_context_make_with(c->model, &c->shape->params, uses, n, &fresh, &error);
    if (status != LM_OK) return lm_context_fail(c, status, "%s", error.message);
    char swap[offsetof(lm_context, cancelled)]; /* all before is plain pointers and numbers */
    memcpy(swap, c, sizeof swap);
    memcpy(c, fresh, sizeof swap);
    memcpy(fresh, swap, sizeof swap);
    lm_context_end(fresh);
    return LM_OK;
}
