/* SPDX-License-Identifier: MIT
 * The front door of the model room: opening, and what a model tells about itself. */
#include <lm/model.h>

#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "../base/params.h"
#include "../base/str.h"
#include "../model/model.h"
#include "../tensor/dtype.h"

static lm_status read_params(lm_model_params *own, const lm_model_params *params, const void *out, lm_error *error) {
    *own = (lm_model_params)LM_MODEL_PARAMS_INIT;
    if (!out) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_model_open: out is NULL");
    lm_status status = lm_params_read(own, sizeof *own, params, "lm_model_params", error);
    if (status == LM_OK && own->load != LM_LOAD_MAP && own->load != LM_LOAD_READ)
        status = lm_error_set(error, LM_ERR_ARGUMENT, "lm_model_params.load is %d", (int)own->load);
    return status;
}

lm_status lm_model_open(const char *path, const lm_model_params *params, lm_model **out, lm_error *error) {
    lm_model_params own;
    lm_os_file file;
    lm_status status = read_params(&own, params, out, error);
    if (status == LM_OK && (!path || !*path))
        status = lm_error_set(error, LM_ERR_ARGUMENT, path ? "the path is empty" : "lm_model_open: path is NULL");
    if (status == LM_OK) status = lm_os_file_open(path, &file, error);
    if (status != LM_OK) return status;
    status = lm_model_open_file(&file, path, &own, out, error);
    lm_os_file_close(&file);
    return status;
}

lm_status lm_model_open_fd(intptr_t fd, const lm_model_params *params, lm_model **out, lm_error *error) {
    lm_model_params own;
    lm_status status = read_params(&own, params, out, error);
    if (status != LM_OK) return status;
    lm_os_file file = lm_os_file_borrow(fd);
    return lm_model_open_file(&file, NULL, &own, out, error);
}

lm_status lm_model_open_memory(const void *bytes, size_t n, const lm_model_params *params, lm_model **out,
                               lm_error *error) {
    lm_model_params own;
    lm_status status = read_params(&own, params, out, error);
    if (status == LM_OK && !bytes) status = lm_error_set(error, LM_ERR_ARGUMENT, "lm_model_open_memory: bytes is NULL");
    return status == LM_OK ? lm_model_open_bytes(bytes, n, &own, out, error) : status;
}

void lm_model_close(lm_model *model) { lm_model_release(model); }

/* N of a tensor named "blk.N....", -1 outside the blocks. */
static int32_t block_of(const char *name) {
    int32_t n = 0;
    if (strncmp(name, "blk.", 4) != 0) return -1;
    for (name += 4; *name >= '0' && *name <= '9' && n <= LM_ARCH_MAX_LAYERS; name++) n = 10 * n + (*name - '0');
    return n;
}

/* Weights one token reads, and the multiplications it takes: of experts only the used ones, of the embedding one row unless it is also
 * the output matrix. */
static void count_active(const lm_model *model, lm_model_info *info) {
    const lm_hparams *h = &model->hparams;
    bool tied = !lm_gguf_find_tensor(model->gguf, "output.weight");
    for (size_t i = 0; i < model->n_tensors; i++) {
        const lm_tensor *t = &model->tensors[i];
        uint64_t count = (uint64_t)t->ne[0] * (uint64_t)t->ne[1] * (uint64_t)t->ne[2] * (uint64_t)t->ne[3];
        info->n_params += count;
        info->weights_bytes += t->bytes;
        bool embedding = strcmp(t->name, "token_embd.weight") == 0;
        if ((embedding && !tied) || strcmp(t->name, "per_layer_token_embd.weight") == 0) {
            info->active_bytes += t->bytes / (uint64_t)t->ne[1];
            continue;
        }
        if (block_of(t->name) >= h->n_layers) continue;
        bool experts = lm_model_is_experts(model, t);
        uint64_t used = experts ? (uint64_t)h->n_experts_used : 1, all = experts ? (uint64_t)h->n_experts : 1;
        info->active_bytes += t->bytes / all * used;
        if (t->n_dims > 1) info->active_params += count / all * used;
    }
}

lm_status lm_model_get_info(const lm_model *model, lm_model_info *info) {
    if (!model || !info || info->struct_size < sizeof info->struct_size) return LM_ERR_ARGUMENT;
    const lm_hparams *h = &model->hparams;
    lm_model_info own = {
        .architecture = model->architecture,
        .name = model->name,
        .n_vocab = h->n_vocab,
        .n_embd = h->n_embd,
        .n_layers = h->n_layers,
        .n_heads = h->n_heads[0],
        .n_heads_kv = h->n_heads_kv[0],
        .n_ctx_train = h->n_ctx_train,
        .n_experts = h->n_experts,
        .n_experts_used = h->n_experts_used,
        .n_draft_layers = model->has_draft,
    };
    count_active(model, &own);
    lm_params_write(info, &own, sizeof own);
    return LM_OK;
}

size_t lm_model_metadata_count(const lm_model *model) { return model ? model->n_keys : 0; }

const char *lm_model_metadata_key(const lm_model *model, size_t index) {
    return model && index < model->n_keys ? model->keys[index] : NULL;
}

const char *lm_model_metadata_string(const lm_model *model, const char *key, size_t *size) {
    lm_gguf_str text;
    if (!model || !key || !size || lm_gguf_get_string(model->gguf, key, &text, NULL) != LM_OK) return NULL;
    *size = text.size;
    return text.data;
}

size_t lm_model_tensor_count(const lm_model *model) { return model ? model->n_tensors : 0; }

lm_status lm_model_get_tensor(const lm_model *model, size_t index, lm_tensor_info *info) {
    if (!model || !info || info->struct_size < sizeof info->struct_size) return LM_ERR_ARGUMENT;
    if (index >= model->n_tensors) return LM_ERR_RANGE;
    const lm_tensor *t = &model->tensors[index];
    lm_tensor_info own = {.name = t->name,
                          .type = lm_dtype_find(t->dtype)->name,
                          .dtype = t->dtype,
                          .n_dims = t->n_dims,
                          .dims = {t->ne[0], t->ne[1], t->ne[2], t->ne[3]},
                          .bytes = t->bytes};
    lm_params_write(info, &own, sizeof own);
    return LM_OK;
}

static void write_element(lm_json_writer *w, const lm_gguf_value *value, uint64_t index) {
    int64_t integer;
    double number;
    if (value->element_type == LM_GGUF_BOOL && lm_gguf_element_int(value, index, &integer))
        lm_json_write_bool(w, integer != 0);
    else if (lm_gguf_element_int(value, index, &integer))
        lm_json_write_int64(w, integer);
    else if (lm_gguf_element_float(value, index, &number))
        lm_json_write_double(w, number);
    else
        lm_json_write_null(w);
}

lm_status lm_model_metadata_json(const lm_model *model, const char *key, size_t max_elements, char *out,
                                 size_t capacity, size_t *size) {
    if (!model || !key || (capacity && !out)) return LM_ERR_ARGUMENT;
    const lm_gguf_value *value = lm_gguf_find(model->gguf, key);
    if (!value) return LM_ERR_NOT_FOUND;
    lm_str text;
    lm_json_writer w;
    lm_str_init(&text, model->env, SIZE_MAX);
    lm_json_writer_init(&w, &text, NULL);
    bool is_array = value->type == LM_GGUF_ARRAY;
    if (is_array) lm_json_write_begin_array(&w);
    lm_gguf_strings strings = {0};
    for (uint64_t i = 0; i < value->count && i < (is_array ? max_elements : 1); i++) {
        lm_gguf_str string;
        if (value->element_type != LM_GGUF_STRING)
            write_element(&w, value, i);
        else if (lm_gguf_next_string(value, &strings, &string))
            lm_json_write_string(&w, string.data, string.size);
    }
    if (is_array && value->count > max_elements) lm_json_write_text(&w, "...");
    if (is_array) lm_json_write_end(&w);
    lm_status status = text.status;
    if (status == LM_OK) {
        if (capacity)
            lm_format(out, capacity, "%.*s", (int)(text.size < capacity ? text.size : capacity), lm_str_text(&text));
        if (size) *size = text.size;
    }
    lm_str_free(&text);
    return status;
}
