/* SPDX-License-Identifier: MIT
 * Hyper-parameters that every family reads, with their defaults and ranges. Everything used later as a divisor, a size or a loop
 * bound is checked here; widths are checked against the weights when the program is built. */
#include <string.h>

#include "../base/format.h"
#include "arch.h"

#define KEY_SIZE 128
#define MAX_WIDTH (1 << 20)

static const char *key_of(const lm_arch *arch, const char *name, char *out) {
    lm_format(out, KEY_SIZE, "%s.%s", arch->name, name);
    return out;
}

/* An integer in [least, most], or otherwise when the key is missing (least - 1: the key is required). */
static lm_status read_int(const lm_gguf *gguf, const lm_arch *arch, const char *name, int64_t least, int64_t most,
                          int64_t otherwise, int32_t *out, lm_error *error) {
    char key[KEY_SIZE];
    int64_t value;
    if (otherwise >= least && !lm_gguf_find(gguf, key_of(arch, name, key))) {
        *out = (int32_t)otherwise;
        return LM_OK;
    }
    lm_status status = lm_gguf_get_int(gguf, key_of(arch, name, key), least, most, &value, error);
    if (status == LM_OK) *out = (int32_t)value;
    return status;
}

/* One number for all blocks, or an array with exactly one per block. */
static lm_status read_per_layer(const lm_gguf *gguf, const lm_arch *arch, const char *name, int32_t n_layers,
                                int64_t least, int64_t most, const int32_t *otherwise, int32_t *out, lm_error *error) {
    char key[KEY_SIZE];
    const lm_gguf_value *value = lm_gguf_find(gguf, key_of(arch, name, key));
    if (!value) {
        if (!otherwise) return lm_error_set(error, LM_ERR_FORMAT, "key %s is missing", key);
        memcpy(out, otherwise, (size_t)n_layers * sizeof *out);
        return LM_OK;
    }
    if (value->type == LM_GGUF_ARRAY && value->count != (uint64_t)n_layers)
        return lm_error_set(error, LM_ERR_FORMAT, "key %s: %llu entries for %d blocks", key,
                            (unsigned long long)value->count, (int)n_layers);
    for (int32_t i = 0; i < n_layers; i++) {
        int64_t number;
        if (!lm_gguf_element_int(value, value->type == LM_GGUF_ARRAY ? (uint64_t)i : 0, &number) || number < least ||
            number > most)
            return lm_error_set(error, LM_ERR_FORMAT, "key %s: not a number from %lld to %lld", key, (long long)least,
                                (long long)most);
        out[i] = (int32_t)number;
    }
    return LM_OK;
}

static lm_status read_float(const lm_gguf *gguf, const lm_arch *arch, const char *name, double otherwise, double *out,
                            lm_error *error) {
    char key[KEY_SIZE];
    float value;
    *out = otherwise;
    if (!lm_gguf_find(gguf, key_of(arch, name, key))) return LM_OK;
    lm_status status = lm_gguf_get_f32(gguf, key, &value, error);
    if (status == LM_OK && !(value - value == 0))
        status = lm_error_set(error, LM_ERR_FORMAT, "key %s is not a finite number", key);
    if (status == LM_OK) *out = (double)value;
    return status;
}

static lm_status read_vocab(const lm_arch_source *source, lm_hparams *h, lm_error *error) {
    const lm_gguf_tensor *in = lm_gguf_find_tensor(source->gguf, "token_embd.weight"),
                         *out = lm_gguf_find_tensor(source->gguf, "output.weight"),
                         *positions = lm_gguf_find_tensor(source->gguf, "position_embd.weight");
    if (!in) return lm_error_set(error, LM_ERR_FORMAT, "tensor token_embd.weight is missing");
    if (!out) out = in;
    if (in->dims[1] > INT32_MAX / 2 || out->dims[1] > INT32_MAX / 2)
        return lm_error_set(error, LM_ERR_FORMAT, "the vocabulary is too large");
    h->n_vocab_in = (int32_t)in->dims[1];
    h->n_vocab = (int32_t)out->dims[1];
    if (positions) h->n_positions = (int32_t)(positions->dims[1] < INT32_MAX ? positions->dims[1] : INT32_MAX);
    return LM_OK;
}

static lm_status read_heads(const lm_gguf *gguf, const lm_arch *arch, lm_hparams *h, lm_error *error) {
    int32_t n = h->n_layers_all, zeros[LM_ARCH_MAX_LAYERS] = {0};
    lm_status status = read_per_layer(gguf, arch, "attention.head_count", n, 0, 4096, NULL, h->n_heads, error);
    if (status == LM_OK)
        status = read_per_layer(gguf, arch, "attention.head_count_kv", n, 0, 4096, h->n_heads, h->n_heads_kv, error);
    if (status == LM_OK)
        status = read_per_layer(gguf, arch, "feed_forward_length", n, 0, MAX_WIDTH, zeros, h->n_ff, error);
    int32_t heads = 0;
    for (int32_t i = 0; i < n && status == LM_OK; i++) {
        if (!heads) heads = h->n_heads[i];
        if (h->n_heads_kv[i] > 0 && (h->n_heads[i] < h->n_heads_kv[i] || h->n_heads[i] % h->n_heads_kv[i]))
            status = lm_error_set(error, LM_ERR_FORMAT, "block %d: %d query heads for %d key-value heads", (int)i,
                                  (int)h->n_heads[i], (int)h->n_heads_kv[i]);
    }
    if (status != LM_OK) return status;
    if (!heads) return lm_error_set(error, LM_ERR_FORMAT, "key %s.attention.head_count is zero", arch->name);
    int32_t width = h->n_embd / heads > 0 ? h->n_embd / heads : 1;
    status = read_int(gguf, arch, "attention.key_length", 1, 8192, width, &h->k_width, error);
    if (status == LM_OK) status = read_int(gguf, arch, "attention.value_length", 1, 8192, width, &h->v_width, error);
    if (status == LM_OK)
        status = read_int(gguf, arch, "rope.dimension_count", 0, h->k_width, h->k_width, &h->n_rot, error);
    if (status == LM_OK && h->n_rot % 2)
        status = lm_error_set(error, LM_ERR_FORMAT, "key %s.rope.dimension_count is odd", arch->name);
    return status;
}

static lm_status read_experts(const lm_gguf *gguf, const lm_arch *arch, lm_hparams *h, lm_error *error) {
    lm_status status = read_int(gguf, arch, "expert_count", 0, LM_ARCH_MAX_EXPERTS, 0, &h->n_experts, error);
    if (status == LM_OK)
        status = read_int(gguf, arch, "expert_used_count", 0, h->n_experts, 0, &h->n_experts_used, error);
    if (status == LM_OK)
        status = read_int(gguf, arch, "expert_group_count", 0, LM_ARCH_MAX_EXPERTS, 0, &h->n_expert_groups, error);
    if (status == LM_OK)
        status =
            read_int(gguf, arch, "expert_group_used_count", 0, LM_ARCH_MAX_EXPERTS, 0, &h->n_expert_groups_used, error);
    if (status == LM_OK)
        status = read_int(gguf, arch, "expert_feed_forward_length", 0, MAX_WIDTH, 0, &h->n_ff_expert, error);
    if (status == LM_OK)
        status = read_int(gguf, arch, "expert_shared_feed_forward_length", 0, MAX_WIDTH, 0, &h->n_ff_shared, error);
    if (status == LM_OK && (h->n_experts > 0) != (h->n_experts_used > 0))
        status = lm_error_set(error, LM_ERR_FORMAT, "%d of %d experts used", (int)h->n_experts_used, (int)h->n_experts);
    return status;
}

lm_status lm_hparams_read(const lm_arch_source *source, const lm_arch *arch, lm_hparams *out, lm_error *error) {
    const lm_gguf *gguf = source->gguf;
    lm_hparams h = {0};
    char key[KEY_SIZE];
    int32_t n_draft = 0;
    double eps = 0;
    lm_status status = read_int(gguf, arch, "block_count", 1, LM_ARCH_MAX_LAYERS, 0, &h.n_layers_all, error);
    if (status == LM_OK)
        status = read_int(gguf, arch, "nextn_predict_layers", 0, h.n_layers_all - 1, 0, &n_draft, error);
    h.n_layers = h.n_layers_all - n_draft;
    if (status == LM_OK) status = read_int(gguf, arch, "embedding_length", 1, MAX_WIDTH, 0, &h.n_embd, error);
    if (status == LM_OK) status = read_int(gguf, arch, "context_length", 1, INT32_MAX, 0, &h.n_ctx_train, error);
    if (status == LM_OK) status = read_heads(gguf, arch, &h, error);
    if (status == LM_OK) status = read_experts(gguf, arch, &h, error);
    if (status == LM_OK) status = read_float(gguf, arch, "attention.layer_norm_rms_epsilon", 0, &eps, error);
    if (status == LM_OK && !lm_gguf_find(gguf, key_of(arch, "attention.layer_norm_epsilon", key)) &&
        !lm_gguf_find(gguf, key_of(arch, "attention.layer_norm_rms_epsilon", key)))
        status = lm_error_set(error, LM_ERR_FORMAT, "key %s is missing", key);
    if (status == LM_OK) status = read_float(gguf, arch, "rope.freq_base", 10000, &h.rope_base, error);
    if (status == LM_OK && !(h.rope_base > 0))
        status = lm_error_set(error, LM_ERR_FORMAT, "key %s.rope.freq_base is not positive", arch->name);
    h.pooling = LM_POOLING_DEFAULT;
    if (status == LM_OK && lm_gguf_find(gguf, key_of(arch, "pooling_type", key)))
        status = read_int(gguf, arch, "pooling_type", 0, 4, 0, &h.pooling, error);
    if (status == LM_OK) status = read_vocab(source, &h, error);
    h.rms_eps = (float)eps;
    bool causal = true;
    if (status == LM_OK && lm_gguf_find(gguf, key_of(arch, "attention.causal", key)))
        status = lm_gguf_get_bool(gguf, key, &causal, error);
    if (status == LM_OK && !causal && !arch->encoder)
        status = lm_error_set(error, LM_ERR_UNSUPPORTED, "key %s is false, which is for encoders", key);
    h.causal = !arch->encoder;
    if (status == LM_OK) *out = h;
    return status;
}
