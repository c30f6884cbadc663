/* SPDX-License-Identifier: MIT
 * Opening adapters. LoRA tensors come in pairs W.lora_a, W.lora_b for a matrix W of the model and are checked against its shape here;
 * a control vector has one direction.N of n_embd floats per block. */
#include "adapter.h"

#include <string.h>

#include "../base/format.h"

void lm_adapter_hold(lm_adapter *adapter) { atomic_fetch_add_explicit(&adapter->references, 1, memory_order_relaxed); }

void lm_adapter_release(lm_adapter *adapter) {
    if (!adapter || atomic_fetch_sub_explicit(&adapter->references, 1, memory_order_acq_rel) != 1) return;
    const lm_env *env = adapter->env;
    lm_model *model = adapter->model;
    lm_free(env, adapter->tensors, adapter->n_tensors * sizeof *adapter->tensors);
    lm_arena_free(&adapter->names);
    lm_gguf_close(adapter->gguf);
    lm_os_unmap(&adapter->mapping);
    lm_free(env, adapter, sizeof *adapter);
    lm_model_release(model);
}

static bool string_is(const lm_gguf *gguf, const char *key, const char *text) {
    lm_gguf_str value;
    return lm_gguf_find(gguf, key) && lm_gguf_get_string(gguf, key, &value, NULL) == LM_OK &&
           value.size == strlen(text) && memcmp(value.data, text, value.size) == 0;
}

static bool ends_with(const char *name, size_t n, const char *suffix) {
    size_t m = strlen(suffix);
    return n > m && memcmp(name + n - m, suffix, m) == 0;
}

/* One half of a pair: its other half, the matrix, and the shapes. */
static lm_status check_half(const lm_adapter *a, const lm_gguf_tensor *t, lm_error *error) {
    char other[LM_GGUF_MAX_NAME + 1];
    size_t n = t->name.size, base = n - strlen(".lora_a");
    bool is_a = ends_with(t->name.data, n, ".lora_a");
    if (!is_a && !ends_with(t->name.data, n, ".lora_b"))
        return lm_error_set(error, LM_ERR_FORMAT, "adapter tensor %q is no half of a pair", n, t->name.data);
    memcpy(other, t->name.data, n);
    other[n - 1] = is_a ? 'b' : 'a';
    const lm_gguf_tensor *pair = lm_gguf_find_tensor_n(a->gguf, other, n);
    if (!pair) return lm_error_set(error, LM_ERR_FORMAT, "adapter tensor %q has no other half", n, t->name.data);
    if (ends_with(t->name.data, base, "_norm.weight")) return LM_OK;
    const lm_gguf_tensor *w = lm_gguf_find_tensor_n(a->model->gguf, t->name.data, base);
    if (!w) return lm_error_set(error, LM_ERR_MISMATCH, "the model has no tensor for %q", n, t->name.data);
    const lm_gguf_tensor *down = is_a ? t : pair, *up = is_a ? pair : t;
    bool flipped = base == strlen("token_embd.weight") && memcmp(t->name.data, "token_embd.weight", base) == 0;
    bool fits = flipped ? down->dims[1] == w->dims[1] && up->dims[1] == w->dims[0] && down->dims[0] == up->dims[0]
                        : down->dims[0] == w->dims[0] && up->dims[1] == w->dims[1] && down->dims[1] == up->dims[0];
    for (int i = 2; i < 4; i++) fits &= down->dims[i] == w->dims[i] && up->dims[i] == w->dims[i];
    if (fits) return LM_OK;
    return lm_error_set(error, LM_ERR_MISMATCH, "adapter tensor %q does not fit the model's matrix", n, t->name.data);
}

static lm_status check_direction(const lm_adapter *a, const lm_gguf_tensor *t, lm_error *error) {
    static const char prefix[] = "direction.";
    size_t n = t->name.size, at = sizeof prefix - 1;
    int64_t layer = 0;
    bool ok = n > at && n < at + 5 && memcmp(t->name.data, prefix, at) == 0 && t->name.data[at] != '0';
    for (size_t i = at; ok && i < n; i++) {
        ok = t->name.data[i] >= '0' && t->name.data[i] <= '9';
        layer = layer * 10 + (t->name.data[i] - '0');
    }
    if (!ok || layer < 1 || layer > a->model->hparams.n_layers)
        return lm_error_set(error, LM_ERR_FORMAT, "control vector: tensor %q names no block", n, t->name.data);
    if (t->dtype != LM_DTYPE_F32 || t->n_dims != 1)
        return lm_error_set(error, LM_ERR_FORMAT, "control vector: tensor %q is no vector of floats", n, t->name.data);
    if (t->dims[0] != a->model->hparams.n_embd)
        return lm_error_set(error, LM_ERR_MISMATCH, "control vector: tensor %q has %lld values, the model %d", n,
                            t->name.data, (long long)t->dims[0], (int)a->model->hparams.n_embd);
    return LM_OK;
}

static lm_status check_kind(lm_adapter *a, lm_error *error) {
    a->control = string_is(a->gguf, "general.architecture", "controlvector");
    if (a->control) return LM_OK;
    if (!string_is(a->gguf, "general.type", "adapter") || !string_is(a->gguf, "adapter.type", "lora"))
        return lm_error_set(error, LM_ERR_FORMAT, "the file is neither a lora adapter nor a control vector");
    if (!string_is(a->gguf, "general.architecture", a->model->architecture))
        return lm_error_set(error, LM_ERR_MISMATCH, "the adapter was made for another architecture than %s",
                            a->model->architecture);
    if (lm_gguf_find(a->gguf, "adapter.alora.invocation_tokens"))
        return lm_error_set(error, LM_ERR_UNSUPPORTED, "the adapter is an activated one");
    if (!lm_gguf_find(a->gguf, "adapter.lora.alpha")) return LM_OK;
    lm_status status = lm_gguf_get_f32(a->gguf, "adapter.lora.alpha", &a->alpha, error);
    if (status == LM_OK && !(a->alpha - a->alpha == 0))
        status = lm_error_set(error, LM_ERR_FORMAT, "key adapter.lora.alpha is not a finite number");
    return status;
}

static lm_status read_tensors(lm_adapter *a, lm_error *error) {
    lm_status status = lm_model_list_tensors(a->env, a->gguf, &a->names, &a->tensors, &a->n_tensors, error);
    for (size_t i = 0; i < a->n_tensors && status == LM_OK; i++) {
        const lm_gguf_tensor *t = lm_gguf_tensor_at(a->gguf, i);
        status = a->control ? check_direction(a, t, error) : check_half(a, t, error);
    }
    return status;
}

lm_status lm_adapter_open_file(lm_model *model, const char *path, lm_adapter **out, lm_error *error) {
    lm_os_file file;
    lm_os_file_id id;
    lm_status status = lm_os_file_open(path, &file, error);
    if (status != LM_OK) return status;
    lm_adapter *a = lm_alloc_zeroed(model->env, sizeof *a);
    if (!a) {
        lm_os_file_close(&file);
        return lm_error_memory(error);
    }
    atomic_init(&a->references, 1);
    a->env = model->env;
    a->model = model;
    lm_model_hold(model);
    lm_arena_init(&a->names, a->env, LM_ARENA_UNLIMITED);
    status = lm_os_file_identify(&file, &id, error);
    if (status == LM_OK) status = lm_os_file_map(&file, 0, id.size, &a->mapping, error);
    lm_os_file_close(&file);
    lm_gguf_part part = {a->mapping.data, a->mapping.size, a->mapping.size};
    if (status == LM_OK) status = lm_gguf_open(a->env, &part, NULL, &a->gguf, error);
    if (status == LM_OK) status = check_kind(a, error);
    if (status == LM_OK) status = read_tensors(a, error);
    if (status == LM_OK)
        *out = a;
    else
        lm_adapter_release(a);
    return lm_error_name(error, status, path);
}
