/* SPDX-License-Identifier: MIT
 * Cache pages and recurrent states in host memory. All layers of a group share page numbers, so copying a page copies it in
 * every layer. Memory is reserved whole at creation; the operating system commits what is touched. */
#include <string.h>

#include "../../base/format.h"
#include "cpu_internal.h"

static bool layer_size(const lm_program *program, int32_t index, lm_cpu_cache_layer *layer) {
    const lm_cache_layer *l = &program->cache_layers[index];
    layer->k_part = lm_cache_k_bytes(l->k_type, l->k_width);
    layer->v_part = l->v_width > 0 ? lm_cache_v_bytes(l->v_type, l->v_width) : 0;
    return lm_size_mul((size_t)l->n_heads_kv, layer->k_part + layer->v_part, &layer->page_bytes) &&
           lm_size_mul((size_t)program->cache_groups[l->group].n_pages, layer->page_bytes, &layer->bytes);
}

static bool state_size(const lm_program *program, int32_t index, lm_cpu_state_layer *layer) {
    layer->slot_floats = lm_align_up((size_t)program->state_layers[index].n_floats, LM_ALIGN_CACHE / sizeof(float));
    return lm_size_mul((size_t)program->n_states, layer->slot_floats * sizeof(float), &layer->bytes);
}

uint64_t lm_cpu_cache_bytes(void *user, int32_t device, const lm_program *program, const uint8_t *cache_layer_owned,
                            const uint8_t *state_layer_owned) {
    (void)user, (void)device;
    uint64_t total = sizeof(lm_cpu_cache) + (uint64_t)program->n_cache_layers * sizeof(lm_cpu_cache_layer) +
                     (uint64_t)program->n_state_layers * sizeof(lm_cpu_state_layer);
    for (int32_t i = 0; i < program->n_cache_layers; i++) {
        lm_cpu_cache_layer layer;
        if (!cache_layer_owned[i]) continue;
        if (!layer_size(program, i, &layer) || !lm_u64_add(total, layer.bytes, &total)) return UINT64_MAX;
    }
    for (int32_t i = 0; i < program->n_state_layers; i++) {
        lm_cpu_state_layer layer;
        if (!state_layer_owned[i]) continue;
        if (!state_size(program, i, &layer) || !lm_u64_add(total, layer.bytes, &total)) return UINT64_MAX;
    }
    return total;
}

lm_status lm_cpu_cache_create(void *user, int32_t device, const lm_program *program, const uint8_t *cache_layer_owned,
                              const uint8_t *state_layer_owned, void **out, lm_error *error) {
    (void)device;
    lm_cpu *cpu = user;
    const lm_env *env = cpu->env;
    lm_status status = LM_ERR_MEMORY;
    lm_cpu_cache *cache = lm_alloc_zeroed(env, sizeof *cache);
    if (!cache) goto out;
    cache->cpu = cpu;
    cache->program = program;
    cache->layers = lm_alloc_array(env, (size_t)program->n_cache_layers, sizeof *cache->layers);
    if (!cache->layers) goto out;
    cache->n_layers = program->n_cache_layers;
    cache->states = lm_alloc_array(env, (size_t)program->n_state_layers, sizeof *cache->states);
    if (!cache->states) goto out;
    cache->n_states_layers = program->n_state_layers;
    for (int32_t i = 0; i < program->n_cache_layers; i++) {
        lm_cpu_cache_layer *layer = &cache->layers[i];
        if (!layer_size(program, i, layer)) goto out;
        if (!cache_layer_owned[i]) continue;
        layer->pages = lm_alloc_aligned(env, layer->bytes, LM_ALIGN_CACHE);
        if (!layer->pages) goto out;
    }
    for (int32_t i = 0; i < program->n_state_layers; i++) {
        lm_cpu_state_layer *layer = &cache->states[i];
        if (!state_size(program, i, layer)) goto out;
        if (!state_layer_owned[i]) continue;
        layer->slots = lm_alloc_aligned(env, layer->bytes, LM_ALIGN_CACHE);
        if (!layer->slots) goto out;
    }
    *out = cache;
    cache = NULL;
    status = LM_OK;
out:
    if (cache) lm_cpu_cache_destroy(cache);
    return status == LM_OK ? LM_OK : lm_error_set(error, LM_ERR_MEMORY, "out of memory for the cache");
}

void lm_cpu_cache_destroy(void *object) {
    lm_cpu_cache *cache = object;
    if (!cache) return;
    const lm_env *env = cache->cpu->env;
    for (int32_t i = 0; i < cache->n_layers; i++)
        lm_free_aligned(env, cache->layers[i].pages, cache->layers[i].bytes, LM_ALIGN_CACHE);
    for (int32_t i = 0; i < cache->n_states_layers; i++)
        lm_free_aligned(env, cache->states[i].slots, cache->states[i].bytes, LM_ALIGN_CACHE);
    if (cache->layers) lm_free(env, cache->layers, (size_t)cache->program->n_cache_layers * sizeof *cache->layers);
    if (cache->states) lm_free(env, cache->states, (size_t)cache->program->n_state_layers * sizeof *cache->states);
    lm_free(env, cache, sizeof *cache);
}

lm_status lm_cpu_cache_copy_page(void *object, int32_t group, int32_t to, int32_t from) {
    lm_cpu_cache *cache = object;
    for (int32_t i = 0; i < cache->n_layers; i++) {
        lm_cpu_cache_layer *layer = &cache->layers[i];
        if (cache->program->cache_layers[i].group != group || !layer->pages) continue;
        memcpy(layer->pages + (size_t)to * layer->page_bytes, layer->pages + (size_t)from * layer->page_bytes,
               layer->page_bytes);
    }
    return LM_OK;
}

lm_status lm_cpu_cache_copy_state(void *object, int32_t to, int32_t from) {
    lm_cpu_cache *cache = object;
    for (int32_t i = 0; i < cache->n_states_layers; i++) {
        lm_cpu_state_layer *layer = &cache->states[i];
        if (layer->slots)
            memcpy(layer->slots + (size_t)to * layer->slot_floats, layer->slots + (size_t)from * layer->slot_floats,
                   layer->slot_floats * sizeof(float));
    }
    return LM_OK;
}

lm_status lm_cpu_cache_clear_state(void *object, int32_t slot) {
    lm_cpu_cache *cache = object;
    for (int32_t i = 0; i < cache->n_states_layers; i++) {
        lm_cpu_state_layer *layer = &cache->states[i];
        if (layer->slots)
            memset(layer->slots + (size_t)slot * layer->slot_floats, 0, layer->slot_floats * sizeof(float));
    }
    return LM_OK;
}

lm_status lm_cpu_cache_read_page(void *object, int32_t index, int32_t page, void *out, size_t bytes) {
    lm_cpu_cache_layer *layer = &((lm_cpu_cache *)object)->layers[index];
    if (!layer->pages || bytes != layer->page_bytes) return LM_ERR_ARGUMENT;
    memcpy(out, layer->pages + (size_t)page * layer->page_bytes, bytes);
    return LM_OK;
}

lm_status lm_cpu_cache_write_page(void *object, int32_t index, int32_t page, const void *in, size_t bytes) {
    lm_cpu_cache_layer *layer = &((lm_cpu_cache *)object)->layers[index];
    if (!layer->pages || bytes != layer->page_bytes) return LM_ERR_ARGUMENT;
    memcpy(layer->pages + (size_t)page * layer->page_bytes, in, bytes);
    return LM_OK;
}

lm_status lm_cpu_cache_read_state(void *object, int32_t index, int32_t slot, float *out) {
    lm_cpu_cache *cache = object;
    lm_cpu_state_layer *layer = &cache->states[index];
    if (!layer->slots) return LM_ERR_ARGUMENT;
    memcpy(out, layer->slots + (size_t)slot * layer->slot_floats,
           (size_t)cache->program->state_layers[index].n_floats * sizeof(float));
    return LM_OK;
}

lm_status lm_cpu_cache_write_state(void *object, int32_t index, int32_t slot, const float *in) {
    lm_cpu_cache *cache = object;
    lm_cpu_state_layer *layer = &cache->states[index];
    if (!layer->slots) return LM_ERR_ARGUMENT;
    memcpy(layer->slots + (size_t)slot * layer->slot_floats, in,
           (size_t)cache->program->state_layers[index].n_floats * sizeof(float));
    return LM_OK;
}
