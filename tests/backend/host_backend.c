/* SPDX-License-Identifier: MIT
 * Every call is passed on with the inner backend's object, after checking that the object is of the right kind and device. */
#include "host_backend.h"

#include <stdlib.h>
#include <string.h>

enum { WEIGHTS = 0x57, CACHE = 0xca, SEGMENT = 0x5e };

typedef struct object {
    int32_t kind, device;
    host_backend *host;
    void *inner;
} object;

static bool fails(host_backend *h) {
    if (++h->n_calls != h->fail_at) return false;
    h->failed = true;
    return true;
}

static void *wrap(host_backend *h, int32_t kind, int32_t device, void *inner) {
    object *o = malloc(sizeof *o);
    *o = (object){kind, device, h, inner};
    h->n_objects++;
    return o;
}

static void *unwrap(void *pointer, int32_t kind) {
    object *o = pointer;
    if (o->kind != kind) o->host->n_mixed_up++;
    return o->inner;
}

static void release(void *pointer) {
    object *o = pointer;
    o->host->n_objects--;
    free(o);
}

static const lm_backend *inner_of(void *pointer) { return ((object *)pointer)->host->inner; }

static int32_t device_count(void *user) { return ((host_backend *)user)->n_devices; }

static lm_status device_info(void *user, int32_t device, lm_device_info *out) {
    (void)device;
    host_backend *h = user;
    if (fails(h)) return LM_ERR_DEVICE;
    return h->inner->device_info(h->inner->user, 0, out);
}

static int32_t op_supported(void *user, int32_t device, const lm_program *program, const lm_op *op) {
    (void)device;
    host_backend *h = user;
    return h->inner->op_supported(h->inner->user, 0, program, op);
}

static lm_status weights_create(void *user, int32_t device, const lm_tensor *const *tensors, int32_t n, void **weights,
                                uint64_t *copied_bytes, lm_error *error) {
    host_backend *h = user;
    void *inner;
    if (fails(h)) return LM_ERR_DEVICE;
    lm_status status = h->inner->weights_create(h->inner->user, 0, tensors, n, &inner, copied_bytes, error);
    if (status == LM_OK) *weights = wrap(h, WEIGHTS, device, inner);
    return status;
}

static void weights_destroy(void *weights) {
    if (!weights) return;
    inner_of(weights)->weights_destroy(unwrap(weights, WEIGHTS));
    release(weights);
}

static lm_status cache_create(void *user, int32_t device, const lm_program *program, const uint8_t *layers,
                              const uint8_t *states, void **cache, lm_error *error) {
    host_backend *h = user;
    void *inner;
    if (fails(h)) return LM_ERR_DEVICE;
    lm_status status = h->inner->cache_create(h->inner->user, 0, program, layers, states, &inner, error);
    if (status == LM_OK) *cache = wrap(h, CACHE, device, inner);
    return status;
}

static void cache_destroy(void *cache) {
    if (!cache) return;
    inner_of(cache)->cache_destroy(unwrap(cache, CACHE));
    release(cache);
}

static uint64_t cache_bytes(void *user, int32_t device, const lm_program *program, const uint8_t *layers,
                            const uint8_t *states) {
    (void)device;
    host_backend *h = user;
    return h->inner->cache_bytes(h->inner->user, 0, program, layers, states);
}

#define PASS(pointer, kind, call)                                                                                      \
    if (fails(((object *)(pointer))->host)) return LM_ERR_DEVICE;                                                      \
    const lm_backend *b = inner_of(pointer);                                                                           \
    void *inner = unwrap(pointer, kind);                                                                               \
    return b->call

static lm_status copy_page(void *c, int32_t group, int32_t to, int32_t from) {
    PASS(c, CACHE, cache_copy_page(inner, group, to, from));
}
static lm_status copy_state(void *c, int32_t to, int32_t from) { PASS(c, CACHE, cache_copy_state(inner, to, from)); }
static lm_status clear_state(void *c, int32_t slot) { PASS(c, CACHE, cache_clear_state(inner, slot)); }
static lm_status read_page(void *c, int32_t layer, int32_t page, void *out, size_t bytes) {
    PASS(c, CACHE, cache_read_page(inner, layer, page, out, bytes));
}
static lm_status write_page(void *c, int32_t layer, int32_t page, const void *in, size_t bytes) {
    PASS(c, CACHE, cache_write_page(inner, layer, page, in, bytes));
}
static lm_status read_state(void *c, int32_t layer, int32_t slot, float *out) {
    PASS(c, CACHE, cache_read_state(inner, layer, slot, out));
}
static lm_status write_state(void *c, int32_t layer, int32_t slot, const float *in) {
    PASS(c, CACHE, cache_write_state(inner, layer, slot, in));
}

static lm_status segment_create(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops,
                                void *weights, void *cache, void **segment, lm_error *error) {
    host_backend *h = user;
    void *inner;
    if (((object *)weights)->host != h || ((object *)weights)->device != device || ((object *)cache)->host != h ||
        ((object *)cache)->device != device)
        h->n_mixed_up++;
    if (fails(h)) return LM_ERR_DEVICE;
    lm_status status = h->inner->segment_create(h->inner->user, 0, program, first_op, n_ops, unwrap(weights, WEIGHTS),
                                                unwrap(cache, CACHE), &inner, error);
    if (status == LM_OK) *segment = wrap(h, SEGMENT, device, inner);
    return status;
}

static void segment_destroy(void *segment) {
    if (!segment) return;
    inner_of(segment)->segment_destroy(unwrap(segment, SEGMENT));
    release(segment);
}

static uint64_t segment_bytes(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops) {
    (void)device;
    host_backend *h = user;
    return h->inner->segment_bytes(h->inner->user, 0, program, first_op, n_ops);
}

static lm_status segment_run(void *segment, const lm_run *run) {
    ((object *)segment)->host->n_runs++;
    PASS(segment, SEGMENT, segment_run(inner, run));
}
static lm_status segment_wait(void *segment) { PASS(segment, SEGMENT, segment_wait(inner)); }
static lm_status value_read(void *segment, int32_t value, int32_t first, int32_t n, float *out) {
    PASS(segment, SEGMENT, value_read(inner, value, first, n, out));
}
static lm_status value_write(void *segment, int32_t value, int32_t first, int32_t n, const float *in) {
    PASS(segment, SEGMENT, value_write(inner, value, first, n, in));
}
static lm_status segment_replay(void *segment, const lm_run *run) {
    PASS(segment, SEGMENT, segment_replay(inner, run));
}
static const float *value_map(void *segment, int32_t value) {
    return inner_of(segment)->value_map(unwrap(segment, SEGMENT), value);
}

lm_backend host_backend_table(host_backend *host) {
    if (host->n_devices == 0) host->n_devices = 1;
    return (lm_backend){
        .struct_size = sizeof(lm_backend),
        .api_version = LM_BACKEND_API,
        .name = "host",
        .user = host,
        .device_count = device_count,
        .device_info = device_info,
        .op_supported = op_supported,
        .weights_create = weights_create,
        .weights_destroy = weights_destroy,
        .cache_create = cache_create,
        .cache_destroy = cache_destroy,
        .cache_bytes = cache_bytes,
        .cache_copy_page = copy_page,
        .cache_copy_state = copy_state,
        .cache_clear_state = clear_state,
        .cache_read_page = read_page,
        .cache_write_page = write_page,
        .cache_read_state = read_state,
        .cache_write_state = write_state,
        .segment_create = segment_create,
        .segment_destroy = segment_destroy,
        .segment_bytes = segment_bytes,
        .segment_run = segment_run,
        .segment_wait = segment_wait,
        .value_read = value_read,
        .value_write = value_write,
        .segment_replay = host->inner->segment_replay ? segment_replay : NULL,
        .value_map = host->hides_memory || !host->inner->value_map ? NULL : value_map,
    };
}

/* ---- the idle backend ---- */

typedef struct idle_object {
    idle_backend *idle;
    const lm_program *program;
} idle_object;

static lm_status idle_make(idle_backend *idle, const lm_program *program, void **out) {
    idle_object *o = malloc(sizeof *o);
    *o = (idle_object){idle, program};
    idle->n_objects++;
    *out = o;
    return LM_OK;
}
static void idle_destroy(void *pointer) {
    if (!pointer) return;
    ((idle_object *)pointer)->idle->n_objects--;
    free(pointer);
}
static int32_t idle_count(void *user) {
    (void)user;
    return 1;
}
static lm_status idle_info(void *user, int32_t device, lm_device_info *out) {
    (void)user, (void)device;
    *out = (lm_device_info){.name = "idle"};
    return LM_OK;
}
static int32_t idle_supported(void *user, int32_t device, const lm_program *program, const lm_op *op) {
    (void)user, (void)device, (void)program, (void)op;
    return 1;
}
static lm_status idle_weights(void *user, int32_t device, const lm_tensor *const *tensors, int32_t n, void **weights,
                              uint64_t *copied_bytes, lm_error *error) {
    (void)device, (void)tensors, (void)n, (void)error;
    *copied_bytes = 0;
    return idle_make(user, NULL, weights);
}
static lm_status idle_cache(void *user, int32_t device, const lm_program *program, const uint8_t *layers,
                            const uint8_t *states, void **cache, lm_error *error) {
    (void)device, (void)layers, (void)states, (void)error;
    return idle_make(user, program, cache);
}
static uint64_t idle_cache_bytes(void *user, int32_t device, const lm_program *program, const uint8_t *layers,
                                 const uint8_t *states) {
    (void)user, (void)device, (void)program, (void)layers, (void)states;
    return 0;
}
static lm_status idle_copy_page(void *cache, int32_t group, int32_t to, int32_t from) {
    (void)cache, (void)group, (void)to, (void)from;
    return LM_OK;
}
static lm_status idle_copy_state(void *cache, int32_t to, int32_t from) {
    (void)cache, (void)to, (void)from;
    return LM_OK;
}
static lm_status idle_clear(void *cache, int32_t slot) {
    (void)cache, (void)slot;
    return LM_OK;
}
static lm_status idle_read_page(void *cache, int32_t layer, int32_t page, void *out, size_t bytes) {
    (void)cache, (void)layer, (void)page;
    memset(out, 0, bytes);
    return LM_OK;
}
static lm_status idle_write_page(void *cache, int32_t layer, int32_t page, const void *in, size_t bytes) {
    (void)cache, (void)layer, (void)page, (void)in, (void)bytes;
    return LM_OK;
}
static lm_status idle_read_state(void *cache, int32_t layer, int32_t slot, float *out) {
    (void)slot;
    memset(out, 0, (size_t)((idle_object *)cache)->program->state_layers[layer].n_floats * sizeof *out);
    return LM_OK;
}
static lm_status idle_write_state(void *cache, int32_t layer, int32_t slot, const float *in) {
    (void)cache, (void)layer, (void)slot, (void)in;
    return LM_OK;
}
static lm_status idle_segment(void *user, int32_t device, const lm_program *program, int32_t first_op, int32_t n_ops,
                              void *weights, void *cache, void **segment, lm_error *error) {
    (void)device, (void)first_op, (void)n_ops, (void)weights, (void)cache, (void)error;
    return idle_make(user, program, segment);
}
static uint64_t idle_segment_bytes(void *user, int32_t device, const lm_program *program, int32_t first_op,
                                   int32_t n_ops) {
    (void)user, (void)device, (void)program, (void)first_op, (void)n_ops;
    return 0;
}
static lm_status idle_run(void *segment, const lm_run *run) {
    (void)segment, (void)run;
    return LM_OK;
}
static lm_status idle_wait(void *segment) {
    (void)segment;
    return LM_OK;
}
static lm_status idle_read(void *segment, int32_t value, int32_t first, int32_t n, float *out) {
    (void)first;
    memset(out, 0, (size_t)n * (size_t)((idle_object *)segment)->program->values[value].width * sizeof *out);
    return LM_OK;
}
static lm_status idle_write(void *segment, int32_t value, int32_t first, int32_t n, const float *in) {
    (void)segment, (void)value, (void)first, (void)n, (void)in;
    return LM_OK;
}

lm_backend idle_backend_table(idle_backend *idle) {
    return (lm_backend){
        .struct_size = sizeof(lm_backend),
        .api_version = LM_BACKEND_API,
        .name = "idle",
        .user = idle,
        .device_count = idle_count,
        .device_info = idle_info,
        .op_supported = idle_supported,
        .weights_create = idle_weights,
        .weights_destroy = idle_destroy,
        .cache_create = idle_cache,
        .cache_destroy = idle_destroy,
        .cache_bytes = idle_cache_bytes,
        .cache_copy_page = idle_copy_page,
        .cache_copy_state = idle_copy_state,
        .cache_clear_state = idle_clear,
        .cache_read_page = idle_read_page,
        .cache_write_page = idle_write_page,
        .cache_read_state = idle_read_state,
        .cache_write_state = idle_write_state,
        .segment_create = idle_segment,
        .segment_destroy = idle_destroy,
        .segment_bytes = idle_segment_bytes,
        .segment_run = idle_run,
        .segment_wait = idle_wait,
        .value_read = idle_read,
        .value_write = idle_write,
    };
}
