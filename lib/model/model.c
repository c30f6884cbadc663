/* SPDX-License-Identifier: MIT
 * Opening a model: file bytes, directory, tensor table, hyper-parameters, a trial build of the program, vocabulary. The trial build
 * checks every tensor's presence and shape, so that a bad file fails here and not when a context is opened. */
#include "model.h"

#include <string.h>

#include "../base/format.h"
#include "../base/hash.h"
#include "../tensor/dtype.h"

static lm_status model_create(const lm_model_params *params, lm_model **out, lm_error *error) {
    lm_runtime *runtime = params->runtime;
    if (runtime)
        lm_runtime_hold(runtime);
    else {
        lm_runtime_params defaults = LM_RUNTIME_PARAMS_INIT;
        lm_status status = lm_runtime_open(&defaults, &runtime, error);
        if (status != LM_OK) return status;
    }
    lm_model *model = lm_alloc_zeroed(&runtime->env, sizeof *model);
    if (!model) {
        lm_runtime_release(runtime);
        return lm_error_memory(error);
    }
    atomic_init(&model->references, 1);
    atomic_init(&model->scratch, NULL);
    atomic_init(&model->pieces, NULL);
    model->runtime = runtime;
    model->env = &runtime->env;
    lm_arena_init(&model->names, model->env, LM_ARENA_UNLIMITED);
    *out = model;
    return LM_OK;
}

void lm_model_hold(lm_model *model) { atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed); }

void lm_model_release(lm_model *model) {
    if (!model || atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1) return;
    const lm_env *env = model->env;
    lm_runtime *runtime = model->runtime;
    lm_model_unplace(model);
    lm_model_pieces_free(model);
    lm_vocab_scratch_destroy(atomic_load(&model->scratch));
    lm_vocab_close(model->vocab);
    lm_free(env, model->tensors, model->n_tensors * sizeof *model->tensors);
    lm_free(env, model->keys, model->n_keys * sizeof *model->keys);
    lm_arena_free(&model->names);
    lm_gguf_close(model->gguf);
    for (uint32_t i = 0; i < model->n_files; i++) {
        lm_os_unmap(&model->files[i].mapping);
        lm_free_aligned(env, model->files[i].copy, model->files[i].copy_size, LM_ALIGN_CACHE);
    }
    lm_free(env, model->files, model->n_files_reserved * sizeof *model->files);
    lm_free(env, model, sizeof *model);
    lm_runtime_release(runtime);
}

/* ---- files ---- */

static lm_status load_file(lm_model *model, const lm_os_file *file, const lm_model_params *params, lm_gguf_part *part,
                           lm_error *error) {
    lm_os_file_id id;
    lm_model_file *out = &model->files[model->n_files];
    lm_status status = lm_os_file_identify(file, &id, error);
    if (status != LM_OK) return status;
    if (id.size > SIZE_MAX)
        return lm_error_set(error, LM_ERR_LIMIT, "the file is larger than this machine can address");
    *out = (lm_model_file){0};
    if (params->load == LM_LOAD_READ) {
        out->copy_size = (size_t)id.size;
        out->copy = lm_alloc_aligned(model->env, out->copy_size, LM_ALIGN_CACHE);
        if (!out->copy) return lm_error_memory(error);
        model->n_files++;
        status = lm_os_file_read(file, 0, out->copy, out->copy_size, error);
        *part = (lm_gguf_part){out->copy, out->copy_size, id.size};
        return status;
    }
    status = lm_os_file_map(file, 0, id.size, &out->mapping, error);
    if (status != LM_OK) return status;
    model->n_files++;
    *part = (lm_gguf_part){out->mapping.data, out->mapping.size, id.size};
    if (params->lock && lm_os_lock(&out->mapping) != LM_OK)
        return lm_error_set(error, LM_ERR_IO, "the system does not let the weights be locked in memory");
    return LM_OK;
}

typedef struct split_source {
    lm_model *model;
    const lm_model_params *params;
    const char *path;
} split_source;

static lm_status reserve_files(lm_model *model, uint32_t count) {
    if (count <= model->n_files_reserved) return LM_OK;
    void *grown = lm_resize(model->env, model->files, model->n_files_reserved * sizeof *model->files,
                            count * sizeof *model->files);
    if (!grown) return LM_ERR_MEMORY;
    model->files = grown;
    model->n_files_reserved = count;
    return LM_OK;
}

static lm_status open_part(void *user, uint32_t index, uint32_t count, lm_gguf_part *out, lm_error *error) {
    split_source *s = user;
    char path[4096];
    if (reserve_files(s->model, count) != LM_OK) return lm_error_memory(error);
    if (!s->path || !lm_gguf_part_path(s->path, index, count, path, sizeof path))
        return lm_error_set(error, LM_ERR_NOT_FOUND,
                            "the model has %u files, and the others cannot be found from this one's name", count);
    lm_os_file file;
    lm_status status = lm_os_file_open(path, &file, error);
    if (status != LM_OK) return status;
    status = load_file(s->model, &file, s->params, out, error);
    lm_os_file_close(&file);
    return status;
}

/* ---- contents ---- */

lm_status lm_model_list_tensors(const lm_env *env, const lm_gguf *gguf, lm_arena *names, lm_tensor **out, size_t *n,
                                lm_error *error) {
    size_t count = lm_gguf_n_tensors(gguf);
    lm_tensor *list = lm_alloc_array(env, count, sizeof *list);
    if (!list) return lm_error_memory(error);
    *out = list;
    *n = count;
    for (size_t i = 0; i < count; i++) {
        const lm_gguf_tensor *t = lm_gguf_tensor_at(gguf, i);
        list[i] = (lm_tensor){.name = lm_arena_copy(names, t->name.data, t->name.size),
                              .dtype = t->dtype,
                              .n_dims = (int32_t)t->n_dims,
                              .ne = {t->dims[0], t->dims[1], t->dims[2], t->dims[3]},
                              .data = lm_gguf_tensor_data(gguf, t),
                              .bytes = t->bytes};
        if (!list[i].name) return lm_error_memory(error);
    }
    return LM_OK;
}

static lm_status read_directory(lm_model *model, lm_error *error) {
    lm_status status =
        lm_model_list_tensors(model->env, model->gguf, &model->names, &model->tensors, &model->n_tensors, error);
    if (status != LM_OK) return status;
    size_t n_keys = lm_gguf_n_values(model->gguf);
    model->keys = lm_alloc_array(model->env, n_keys, sizeof *model->keys);
    if (!model->keys) return lm_error_memory(error);
    model->n_keys = n_keys;
    for (size_t i = 0; i < n_keys; i++) {
        lm_gguf_str key = lm_gguf_value_at(model->gguf, i)->key;
        model->keys[i] = lm_arena_copy(&model->names, key.data, key.size);
        if (!model->keys[i]) return lm_error_memory(error);
    }
    return LM_OK;
}

static lm_status find_arch(lm_model *model, bool vocab_only, lm_error *error) {
    lm_gguf_str name, title = {"", 0};
    lm_status status = lm_gguf_get_string(model->gguf, "general.architecture", &name, error);
    if (status != LM_OK) return status;
    model->arch = lm_arch_find(name.data, name.size);
    if (!model->arch && !vocab_only)
        return lm_error_set(error, LM_ERR_UNSUPPORTED, "unknown architecture %q", name.size, name.data);
    if (lm_gguf_find(model->gguf, "general.name")) lm_gguf_get_string(model->gguf, "general.name", &title, NULL);
    model->architecture = lm_arena_copy(&model->names, name.data, name.size);
    model->name = lm_arena_copy(&model->names, title.data, title.size);
    return model->architecture && model->name ? LM_OK : lm_error_memory(error);
}

static const char *type_name(int32_t dtype) {
    const lm_dtype_info *info = lm_dtype_find(dtype);
    return info ? info->name : "unknown";
}

lm_status lm_model_check_ops(const lm_model *model, const lm_program *program, lm_error *error) {
    const lm_backend *cpu = &model->runtime->cpu_backend;
    for (int32_t o = 0; o < program->n_ops; o++) {
        const lm_op *op = &program->ops[o];
        if (cpu->op_supported(cpu->user, 0, program, op)) continue;
        if (op->kind == LM_OP_ATTEND || op->kind == LM_OP_CACHE_STORE) {
            const lm_cache_layer *c =
                &program
                     ->cache_layers[op->kind == LM_OP_ATTEND ? op->params.attend.layer : op->params.cache_store.layer];
            return lm_error_set(error, LM_ERR_UNSUPPORTED,
                                "block %d cannot keep keys of %d numbers as %s and values of %d as %s", (int)op->layer,
                                (int)c->k_width, type_name(c->k_type), (int)c->v_width, type_name(c->v_type));
        }
        const lm_tensor *t = op->weight[0] >= 0 ? &program->tensors[op->weight[0]] : NULL;
        return lm_error_set(error, LM_ERR_UNSUPPORTED, "%s in block %d cannot be run (tensor %s of type %s)",
                            lm_op_name(op->kind), (int)op->layer, t ? t->name : "none",
                            t ? type_name(t->dtype) : "none");
    }
    return LM_OK;
}

/* Build the program once and throw it away: every tensor the family reads is found and has the right shape, and every block finds a
 * device. */
static lm_status check_outputs(lm_model *model, int32_t outputs, lm_error *error) {
    lm_arch_source source = lm_model_source(model);
    lm_arch_options options = {
        .n_ctx = model->hparams.n_ctx_train, .k_type = LM_DTYPE_F16, .v_type = LM_DTYPE_F16, .outputs = outputs};
    lm_graph_limits limits = {1, 1, 1, 1, 1, 0};
    lm_program program;
    lm_graph graph;
    lm_graph_init(&graph, model->env);
    lm_arch_build(model->arch, &source, &model->hparams, &options, &graph);
    if (outputs & LM_ARCH_DRAFT && graph.draft_logits < 0)
        lm_graph_fail(&graph, LM_ERR_UNSUPPORTED, "%s models have no draft block", model->arch->name);
    lm_status status = lm_graph_finish(&graph, &limits, &program, error);
    if (status == LM_OK) status = lm_model_check_ops(model, &program, error);
    if (status == LM_OK) status = lm_model_place(model, &program, error);
    lm_graph_destroy(&graph);
    return status;
}

/* With the draft block if it is all there: files may name one and leave it out, and work without it. */
static lm_status check_program(lm_model *model, lm_error *error) {
    const lm_hparams *h = &model->hparams;
    if (h->n_layers_all > h->n_layers && check_outputs(model, LM_ARCH_LOGITS | LM_ARCH_DRAFT, NULL) == LM_OK) {
        model->has_draft = true;
        return LM_OK;
    }
    lm_model_unplace(model);
    return check_outputs(model, model->arch->encoder ? LM_ARCH_HIDDEN : LM_ARCH_LOGITS, error);
}

/* Ask for the weights that every token reads; for experts only where all weights fit the memory there is. Those of a larger file are
 * read as they are chosen (cpu_experts.c). */
static void prefetch(const lm_model *model) {
    uint64_t all = 0, always = 0, available = lm_os_memory_available();
    for (size_t i = 0; i < model->n_tensors; i++) {
        all += model->tensors[i].bytes;
        always += lm_model_is_experts(model, &model->tensors[i]) ? 0 : model->tensors[i].bytes;
    }
    if (available && always > available) return; /* what came first would be gone when it is used */
    for (size_t i = 0; i < model->n_tensors; i++)
        if (!available || all <= available || !lm_model_is_experts(model, &model->tensors[i]))
            lm_os_advise(model->tensors[i].data, (size_t)model->tensors[i].bytes, LM_OS_ADVICE_WILL_NEED);
}

bool lm_model_is_experts(const lm_model *model, const lm_tensor *tensor) {
    return model->hparams.n_experts > 0 && tensor->ne[2] > 1 && tensor->ne[2] == model->hparams.n_experts;
}

/* Without weights a model is its directory and its vocabulary; no context opens on it. */
static lm_status open_vocab_only(lm_model *model, lm_error *error) {
    lm_status status = lm_vocab_open(model->env, model->gguf, &model->vocab, error);
    model->vocab_only = true;
    if (status == LM_OK) model->hparams.n_vocab = model->hparams.n_vocab_in = (int32_t)lm_vocab_count(model->vocab);
    return status;
}

static lm_status open_contents(lm_model *model, const lm_gguf_part *part, const lm_gguf_source *source,
                               const lm_model_params *params, lm_error *error) {
    bool vocab_only = params->vocab_only != 0;
    lm_status status = lm_gguf_open(model->env, part, source, &model->gguf, error);
    if (status == LM_OK) status = read_directory(model, error);
    if (status == LM_OK) status = find_arch(model, vocab_only, error);
    if (status == LM_OK && vocab_only) return open_vocab_only(model, error);
    lm_arch_source tensors = lm_model_source(model);
    if (status == LM_OK) status = lm_hparams_read(&tensors, model->arch, &model->hparams, error);
    if (status == LM_OK && params->prefetch && model->n_files > 0 && params->load == LM_LOAD_MAP) prefetch(model);
    if (status == LM_OK) status = check_program(model, error);
    if (status == LM_OK) status = lm_vocab_open(model->env, model->gguf, &model->vocab, error);
    return status;
}

lm_status lm_model_open_file(const lm_os_file *file, const char *path, const lm_model_params *params, lm_model **out,
                             lm_error *error) {
    lm_model *model = NULL;
    lm_gguf_part part;
    lm_status status = model_create(params, &model, error);
    if (status != LM_OK) return status;
    status = reserve_files(model, 1) == LM_OK ? load_file(model, file, params, &part, error) : lm_error_memory(error);
    split_source source = {model, params, path};
    lm_gguf_source parts = {&source, open_part};
    if (status == LM_OK) status = open_contents(model, &part, &parts, params, error);
    if (status == LM_OK)
        *out = model;
    else
        lm_model_release(model);
    return lm_error_name(error, status, path);
}

lm_status lm_model_open_bytes(const void *bytes, size_t n, const lm_model_params *params, lm_model **out,
                              lm_error *error) {
    lm_model *model = NULL;
    lm_status status = model_create(params, &model, error);
    if (status != LM_OK) return status;
    lm_gguf_part part = {bytes, n, n};
    split_source source = {model, params, NULL};
    lm_gguf_source parts = {&source, open_part};
    status = open_contents(model, &part, &parts, params, error);
    if (status == LM_OK)
        *out = model;
    else
        lm_model_release(model);
    return status;
}

lm_arch_source lm_model_source(const lm_model *model) { return (lm_arch_source){model->gguf, model->tensors}; }

uint64_t lm_model_fingerprint(const lm_model *model) {
    lm_checksum_stream stream;
    lm_checksum_begin(&stream, 0);
    for (size_t i = 0; i < lm_gguf_n_values(model->gguf); i++) {
        const lm_gguf_value *v = lm_gguf_value_at(model->gguf, i);
        lm_checksum_feed(&stream, v->key.data, v->key.size);
        lm_checksum_feed(&stream, v->data, v->bytes);
    }
    for (size_t i = 0; i < model->n_tensors; i++) {
        const lm_tensor *t = &model->tensors[i];
        lm_checksum_feed(&stream, t->name, strlen(t->name) + 1);
        lm_checksum_feed(&stream, &t->dtype, sizeof t->dtype);
        lm_checksum_feed(&stream, t->ne, sizeof t->ne);
        lm_checksum_feed(&stream, t->data, (size_t)(t->bytes < 256 ? t->bytes : 256));
    }
    return lm_checksum_end(&stream);
}

uint64_t lm_model_memory(const lm_model *model) {
    uint64_t total = sizeof *model + lm_gguf_memory(model->gguf) + model->names.bytes + lm_vocab_memory(model->vocab);
    total += model->n_tensors * sizeof *model->tensors + model->n_keys * sizeof *model->keys +
             model->n_files_reserved * sizeof *model->files +
             (size_t)model->n_placements_reserved * sizeof *model->placements;
    if (model->layer_placement) total += ((size_t)model->hparams.n_layers_all + 2) * sizeof *model->layer_placement;
    return total;
}

uint64_t lm_model_copied(const lm_model *model) {
    uint64_t total = model->copied_bytes;
    for (uint32_t i = 0; i < model->n_files; i++) total += model->files[i].copy_size;
    return total;
}
