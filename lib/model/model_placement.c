/* SPDX-License-Identifier: MIT
 * Which device runs which block. Devices are filled in the runtime's order of preference, block after block, as long as the device can
 * run all operations of the block and its weights fit nine tenths of the device's free memory; the CPU takes what is left. Weights are
 * handed to each device once per model; contexts share them. */

#include "../base/format.h"
#include "model.h"

/* One device of one backend while blocks are given out. */
typedef struct candidate {
    const lm_backend *backend;
    int32_t device;
    uint64_t budget; /* bytes of weights it may still take */
} candidate;

#define MAX_CANDIDATES 64

static int32_t list_devices(const lm_model *model, candidate *out) {
    int32_t n = 0;
    for (int32_t b = 0; b < model->runtime->n_backends; b++) {
        const lm_backend *backend = model->runtime->backends[b];
        int32_t count = backend->device_count(backend->user);
        for (int32_t d = 0; d < count && n < MAX_CANDIDATES; d++) {
            lm_device_info info = {.memory_free_bytes = 0};
            if (backend->device_info(backend->user, d, &info) != LM_OK) continue;
            bool is_cpu = backend == &model->runtime->cpu_backend;
            uint64_t budget = is_cpu || info.host_memory ? UINT64_MAX : info.memory_free_bytes / 10 * 9;
            out[n++] = (candidate){backend, d, budget};
        }
    }
    return n;
}

static int32_t slot_of(const lm_model *model, const lm_op *op) {
    return op->layer < -1                            ? 0
           : op->layer > model->hparams.n_layers_all ? model->hparams.n_layers_all + 1
                                                     : op->layer + 1;
}

/* Bytes of the weights that the operations of a block read first there (a tensor shared with an earlier block counts there). */
static uint64_t block_bytes(const lm_model *model, const lm_program *program, int32_t slot) {
    uint64_t total = 0;
    for (int32_t o = 0; o < program->n_ops; o++)
        for (int i = 0; i < LM_OP_WEIGHTS && slot_of(model, &program->ops[o]) == slot; i++)
            if (program->ops[o].weight[i] >= 0) total += program->tensors[program->ops[o].weight[i]].bytes;
    return total;
}

static bool runs_block(const lm_model *model, const lm_program *program, int32_t slot, const candidate *c) {
    for (int32_t o = 0; o < program->n_ops; o++)
        if (slot_of(model, &program->ops[o]) == slot &&
            !c->backend->op_supported(c->backend->user, c->device, program, &program->ops[o]))
            return false;
    return true;
}

/* The model's own entry of a tensor: the program it was found in is thrown away. */
static const lm_tensor *lasting(const lm_model *model, const lm_tensor *t) {
    const lm_gguf_tensor *entry = lm_gguf_find_tensor(model->gguf, t->name);
    return &model->tensors[entry - lm_gguf_tensor_at(model->gguf, 0)];
}

/* Hand each placement the tensors its operations read. */
static lm_status create_weights(lm_model *model, const lm_program *program, lm_error *error) {
    size_t n_tensors = (size_t)program->n_tensors;
    const lm_tensor **list = lm_alloc_array(model->env, n_tensors, sizeof *list);
    uint64_t *readers = lm_alloc_array(model->env, n_tensors, sizeof *readers); /* bit p: placement p reads it */
    lm_status status = list && readers ? LM_OK : lm_error_memory(error);
    for (int32_t o = 0; o < program->n_ops && status == LM_OK; o++)
        for (int i = 0; i < LM_OP_WEIGHTS; i++)
            if (program->ops[o].weight[i] >= 0)
                readers[program->ops[o].weight[i]] |= UINT64_C(1)
                                                      << model->layer_placement[slot_of(model, &program->ops[o])];
    for (int32_t p = 0; p < model->n_placements && status == LM_OK; p++) {
        lm_placement *placement = &model->placements[p];
        uint64_t copied = 0;
        int32_t n = 0;
        for (size_t t = 0; t < n_tensors; t++)
            if (readers[t] >> p & 1) list[n++] = lasting(model, &program->tensors[t]);
        status = placement->backend->weights_create(placement->backend->user, placement->device, list, n,
                                                    &placement->weights, &copied, error);
        if (status == LM_OK) model->copied_bytes += copied;
        if (status != LM_OK) model->n_placements = p; /* only these have weights to give back */
    }
    lm_free(model->env, readers, n_tensors * sizeof *readers);
    lm_free(model->env, list, n_tensors * sizeof *list);
    return status;
}

lm_status lm_model_place(lm_model *model, const lm_program *program, lm_error *error) {
    candidate candidates[MAX_CANDIDATES];
    int32_t used[MAX_CANDIDATES], n = list_devices(model, candidates), n_slots = model->hparams.n_layers_all + 2;
    model->layer_placement = lm_alloc_array(model->env, (size_t)n_slots, sizeof *model->layer_placement);
    model->placements = lm_alloc_array(model->env, (size_t)n, sizeof *model->placements);
    if (model->placements) model->n_placements_reserved = n; /* what lm_model_unplace gives back */
    if (!model->layer_placement || !model->placements) return lm_error_memory(error);
    for (int32_t c = 0; c < n; c++) used[c] = -1;
    for (int32_t slot = 0; slot < n_slots; slot++) {
        uint64_t bytes = block_bytes(model, program, slot);
        int32_t chosen = -1;
        for (int32_t c = 0; c < n && chosen < 0; c++)
            if (bytes <= candidates[c].budget && runs_block(model, program, slot, &candidates[c])) chosen = c;
        if (chosen < 0) return lm_error_set(error, LM_ERR_UNSUPPORTED, "no device can run block %d", (int)slot - 1);
        if (candidates[chosen].budget != UINT64_MAX) candidates[chosen].budget -= bytes;
        if (used[chosen] < 0) {
            used[chosen] = model->n_placements;
            model->placements[model->n_placements++] =
                (lm_placement){candidates[chosen].backend, candidates[chosen].device, NULL};
        }
        model->layer_placement[slot] = used[chosen];
    }
    return create_weights(model, program, error);
}

void lm_model_unplace(lm_model *model) {
    for (int32_t p = 0; p < model->n_placements; p++)
        if (model->placements[p].weights) model->placements[p].backend->weights_destroy(model->placements[p].weights);
    lm_free(model->env, model->placements, (size_t)model->n_placements_reserved * sizeof *model->placements);
    if (model->layer_placement)
        lm_free(model->env, model->layer_placement,
                ((size_t)model->hparams.n_layers_all + 2) * sizeof *model->layer_placement);
    model->placements = NULL;
    model->layer_placement = NULL;
    model->n_placements = model->n_placements_reserved = 0;
    model->copied_bytes = 0;
}
