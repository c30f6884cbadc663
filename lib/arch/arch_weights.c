/* SPDX-License-Identifier: MIT
 * Metadata and weights by name for family files, with every shape checked. */
#include <string.h>

#include "../base/format.h"
#include "../tensor/dtype.h"
#include "arch_build.h"

static const lm_gguf_value *find(lm_build *b, const char *key, char *full) {
    lm_format(full, LM_BUILD_NAME_SIZE, "%s.%s", b->arch->name, key);
    return lm_gguf_find(b->source->gguf, full);
}

static void fail_with(lm_build *b, lm_status status, const lm_error *error) {
    if (status != LM_OK) lm_graph_fail(b->graph, status, "%s", error->message);
}

bool lm_build_has(lm_build *b, const char *key) {
    char full[LM_BUILD_NAME_SIZE];
    return find(b, key, full) != NULL;
}

int32_t lm_build_int_in(lm_build *b, const char *key, int32_t least, int32_t most, int32_t otherwise) {
    char full[LM_BUILD_NAME_SIZE];
    lm_error error;
    int64_t value = otherwise;
    if (find(b, key, full) || otherwise < least)
        fail_with(b, lm_gguf_get_int(b->source->gguf, full, least, most, &value, &error), &error);
    return (int32_t)value;
}

int32_t lm_build_int(lm_build *b, const char *key, int32_t otherwise) {
    return lm_build_int_in(b, key, 0, INT32_MAX, otherwise);
}

double lm_build_float(lm_build *b, const char *key, double otherwise) {
    char full[LM_BUILD_NAME_SIZE];
    lm_error error;
    float value = 0;
    if (!find(b, key, full)) return otherwise;
    fail_with(b, lm_gguf_get_f32(b->source->gguf, full, &value, &error), &error);
    if (!(value - value == 0)) lm_graph_fail(b->graph, LM_ERR_FORMAT, "key %s is not a finite number", full);
    return (double)value;
}

bool lm_build_bool(lm_build *b, const char *key, bool otherwise) {
    char full[LM_BUILD_NAME_SIZE];
    lm_error error;
    bool value = otherwise;
    if (find(b, key, full)) fail_with(b, lm_gguf_get_bool(b->source->gguf, full, &value, &error), &error);
    return value;
}

/* The element of a per-block value, NULL when the key is missing; fails when the array has not one entry per block. */
static const lm_gguf_value *per_layer(lm_build *b, const char *key, int32_t il, uint64_t *index) {
    char full[LM_BUILD_NAME_SIZE];
    const lm_gguf_value *value = find(b, key, full);
    *index = 0;
    if (!value || value->type != LM_GGUF_ARRAY) return value;
    *index = (uint64_t)il;
    if (value->count == (uint64_t)b->h->n_layers_all) return value;
    lm_graph_fail(b->graph, LM_ERR_FORMAT, "key %s: %llu entries for %d blocks", full, (unsigned long long)value->count,
                  (int)b->h->n_layers_all);
    return NULL;
}

static bool layer_flag(lm_build *b, const char *key, int32_t il, bool otherwise) {
    uint64_t index;
    int64_t flag = otherwise;
    const lm_gguf_value *value = per_layer(b, key, il, &index);
    if (value && !lm_gguf_element_int(value, index, &flag))
        lm_graph_fail(b->graph, LM_ERR_FORMAT, "key %s.%s does not hold flags", b->arch->name, key);
    return flag != 0;
}

double lm_build_layer_float(lm_build *b, const char *key, int32_t il, double otherwise) {
    uint64_t index;
    double number = otherwise;
    const lm_gguf_value *value = per_layer(b, key, il, &index);
    if (value && !lm_gguf_element_float(value, index, &number))
        lm_graph_fail(b->graph, LM_ERR_FORMAT, "key %s.%s does not hold numbers", b->arch->name, key);
    return number;
}

bool lm_build_slides(lm_build *b, int32_t otherwise) {
    static const char key[] = "attention.sliding_window_pattern";
    char full[LM_BUILD_NAME_SIZE];
    const lm_gguf_value *value = find(b, key, full);
    if (value && value->type == LM_GGUF_ARRAY) return layer_flag(b, key, b->layer, false);
    int32_t n = lm_build_int(b, key, otherwise);
    return n == 0 || b->layer % n < n - 1;
}

void lm_build_layer(lm_build *b, int32_t layer) { b->layer = b->graph->layer = layer; }

const char *lm_build_name(const lm_build *b, const char *name, const char *suffix, char *out) {
    if (b->layer >= 0 && b->layer < b->h->n_layers_all)
        lm_format(out, LM_BUILD_NAME_SIZE, "blk.%d.%s%s", (int)b->layer, name, suffix);
    else
        lm_format(out, LM_BUILD_NAME_SIZE, "%s%s", name, suffix);
    return out;
}

bool lm_build_exists(lm_build *b, const char *name, const char *suffix) {
    char full[LM_BUILD_NAME_SIZE];
    return lm_gguf_find_tensor(b->source->gguf, lm_build_name(b, name, suffix, full)) != NULL;
}

int32_t lm_build_tensor(lm_build *b, const char *name, const char *suffix, int64_t ne0, int64_t ne1, int64_t ne2,
                        bool optional) {
    char full[LM_BUILD_NAME_SIZE];
    if (b->graph->status != LM_OK) return -1;
    const lm_gguf_tensor *entry = lm_gguf_find_tensor(b->source->gguf, lm_build_name(b, name, suffix, full));
    if (!entry) return optional ? -1 : lm_graph_fail(b->graph, LM_ERR_FORMAT, "tensor %s is missing", full);
    const lm_tensor *t = &b->source->tensors[entry - lm_gguf_tensor_at(b->source->gguf, 0)];
    const int64_t wanted[] = {ne0, ne1, ne2, 1};
    for (int i = 0; i < 4; i++)
        if (wanted[i] > 0 && t->ne[i] != wanted[i])
            return lm_graph_fail(b->graph, LM_ERR_FORMAT, "tensor %s: dimension %d is %lld, expected %lld", full, i,
                                 (long long)t->ne[i], (long long)wanted[i]);
    return lm_graph_tensor(b->graph, t);
}

int32_t lm_build_vector(lm_build *b, const char *name, const char *suffix, int64_t n, bool optional) {
    int32_t index = lm_build_tensor(b, name, suffix, 0, 0, 0, optional);
    if (index < 0) return -1;
    const lm_tensor *t = &b->graph->tensors.data[index];
    if (t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3] != n)
        return lm_graph_fail(b->graph, LM_ERR_FORMAT, "tensor %s: %lld values, expected %lld", t->name,
                             (long long)(t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3]), (long long)n);
    if (t->dtype != LM_DTYPE_F32 && t->dtype != LM_DTYPE_F16 && t->dtype != LM_DTYPE_BF16)
        return lm_graph_fail(b->graph, LM_ERR_FORMAT, "tensor %s: type %s where floats are expected", t->name,
                             lm_dtype_find(t->dtype)->name);
    return index;
}

/* The embedding's pair is stored for rows, not for products: as a tied output matrix it stays as it is. */
static int32_t adapted(lm_build *b, const char *name, int32_t x, int32_t y) {
    return strcmp(name, "token_embd") == 0 ? y : lm_build_adapted(b, name, x, y);
}

void lm_build_linears(lm_build *b, const lm_build_part *parts, int32_t n, int32_t x, int32_t *y) {
    lm_graph_matrix matrices[LM_OP_OUTPUTS];
    for (int32_t i = 0; i < n; i++) {
        matrices[i].w =
            lm_build_tensor(b, parts[i].name, ".weight", lm_graph_width(b->graph, x), parts[i].n_out, 1, false);
        matrices[i].b = lm_build_vector(b, parts[i].name, ".bias", parts[i].n_out, true);
        matrices[i].scale = lm_build_vector(b, parts[i].name, ".scale", 1, true);
    }
    lm_graph_linears(b->graph, x, matrices, n, y);
    for (int32_t i = 0; i < n; i++) y[i] = adapted(b, parts[i].name, x, y[i]);
}

int32_t lm_build_linear(lm_build *b, const char *name, int32_t x, int32_t n_out, int32_t residual) {
    int32_t w = lm_build_tensor(b, name, ".weight", lm_graph_width(b->graph, x), n_out, 1, false);
    int32_t y = lm_graph_linear(b->graph, x, w, lm_build_vector(b, name, ".bias", n_out, true),
                                lm_build_vector(b, name, ".scale", 1, true), residual);
    return adapted(b, name, x, y);
}

int32_t lm_build_head(lm_build *b, const char *name, int32_t x) {
    int32_t w = lm_build_tensor(b, name, ".weight", lm_graph_width(b->graph, x), 0, 1, false);
    if (w < 0) return -1;
    int64_t n_out = b->graph->tensors.data[w].ne[1];
    if (n_out > 65536)
        return lm_graph_fail(b->graph, LM_ERR_FORMAT, "tensor %s.weight has %lld rows", name, (long long)n_out);
    return adapted(b, name, x, lm_graph_linear(b->graph, x, w, lm_build_vector(b, name, ".bias", n_out, true), -1, -1));
}

int32_t lm_build_layer_norm(lm_build *b, const char *name, int32_t x) {
    int32_t width = lm_graph_width(b->graph, x);
    float eps = (float)lm_build_float(b, "attention.layer_norm_epsilon", 1e-12);
    return lm_graph_norm(b->graph, LM_NORM_LAYER, x, lm_build_vector(b, name, ".weight", width, false),
                         lm_build_vector(b, name, ".bias", width, true), eps, 0);
}

int32_t lm_build_rms(lm_build *b, const char *name, int32_t x, int32_t group) {
    int32_t w = lm_build_vector(b, name, ".weight", group > 0 ? group : lm_graph_width(b->graph, x), false);
    return lm_graph_norm(b->graph, LM_NORM_RMS, x, w, -1, b->h->rms_eps, group);
}
