/* SPDX-License-Identifier: MIT
 * DeepSeek V2, V2-Lite, V3, R1, Kimi K2, Moonlight, GLM-4.7-Flash ("DeepSeek-V2", arXiv 2405.04434; "DeepSeek-V3", arXiv 2412.19437), and
 * Mistral 4, which has the same blocks under its own name.
 *
 *   x ─┬─ rms ─┬ (q_a ─ rms ─) q_b: per head [nope | pe] ─ k_b·nope, rope(pe) ──────┐                          ┌──────────────────────────────┐
 *      │       └ kv_a: [c | pe] ─ rms(c), rope(pe) ─ cache one row for all heads ─ attend ─ v_b per head ─ out ─ + ─┴─ rms ─ dense, or experts + shared ─ + ─ x
 *      └────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * Attention is absorbed: instead of expanding the latent c of every cached token to keys and values per head, the query is taken into the
 * latent space and the result out of it, so the cache holds R + n_rot values per token and the values are the first R of the keys.
 * Older files have one attn_kv_b, whose rows per head are those of k_b (transposed) and of v_b; it is read as it is. */
#include "../base/fp_contract.h"

#include "families.h"

#include <string.h>

#include "arch_build.h"

typedef struct latent {
    int32_t n_nope, n_rot, k_width, v_width, rank, q_rank; /* k_width: of a head before absorption, n_nope + n_rot */
    int32_t rope, temperature_length;
    float scale, temperature;
} latent;

/* YaRN's magnitude moves from cos and sin to the scores, squared: (1 + 0.1 m ln f)^2, m = yarn_log_multiplier / 0.1. Files without
 * the multiplier have it in both, with m = 1. */
static latent read_latent(lm_build *b) {
    const lm_hparams *h = b->h;
    latent a = {.n_rot = h->n_rot};
    a.k_width = lm_build_int_in(b, "attention.key_length_mla", 1, 8192, h->k_width);
    a.v_width = lm_build_int_in(b, "attention.value_length_mla", 1, 8192, h->v_width);
    a.rank = lm_build_int_in(b, "attention.kv_lora_rank", 1, 65536, 0);
    a.q_rank = lm_build_int_in(b, "attention.q_lora_rank", 0, 65536, 0);
    a.n_nope = a.k_width - a.n_rot;
    if (a.rank < 1 || a.n_rot < 2 || a.n_nope < 1)
        lm_graph_fail(b->graph, LM_ERR_FORMAT, "keys %s.attention.*: head sizes out of range", b->arch->name);
    lm_rope rope = lm_build_rope_config(b, LM_ROPE_ADJACENT, h->rope_base, -1);
    double m = 10 * lm_build_float(b, "rope.scaling.yarn_log_multiplier", 0), log_factor = lm_build_yarn_log(&rope);
    if (m != 0) {
        double cancelled = strcmp(b->arch->name, "deepseek2") == 0 ? 1 : m;
        rope.magnitude /= 1 + 0.1 * cancelled * log_factor;
    } else {
        m = 1;
    }
    double magnitude = 1 + 0.1 * m * log_factor;
    a.rope = lm_graph_rope(b->graph, &rope);
    a.scale = (float)(magnitude * magnitude / (double)lm_build_sqrt(a.k_width));
    a.temperature = (float)lm_build_float(b, "attention.temperature_scale", 0);
    a.temperature_length = lm_build_int(b, "attention.temperature_length",
                                        lm_build_int(b, "rope.scaling.original_context_length", h->n_ctx_train));
    return a;
}

/* Queries of all heads: [tokens, n_heads * k_width] */
static int32_t queries(lm_build *b, const latent *a, int32_t x) {
    int32_t width = b->h->n_heads[b->layer] * a->k_width;
    if (!lm_build_exists(b, "attn_q_a", ".weight")) return lm_build_linear(b, "attn_q", x, width, -1);
    int32_t q = lm_build_linear(b, "attn_q_a", x, a->q_rank, -1);
    return lm_build_linear(b, "attn_q_b", lm_build_rms(b, "attn_q_a_norm", q, 0), width, -1);
}

/* Into the latent space, or out of it: [tokens, n_heads * n_in] to [tokens, n_heads * n_out] */
static int32_t absorb(lm_build *b, const latent *a, bool keys, int32_t x) {
    int32_t n_heads = b->h->n_heads[b->layer], stride = a->n_nope + a->v_width, w;
    const char *name = keys ? "attn_k_b" : "attn_v_b";
    lm_graph_heads heads = {n_heads, keys ? a->n_nope : a->rank, keys ? a->rank : a->v_width, 0, 0, 0};
    if (lm_build_exists(b, "attn_kv_b", ".weight")) {
        name = "attn_kv_b";
        w = lm_build_tensor(b, name, ".weight", a->rank, (int64_t)n_heads * stride, 1, false);
        heads.stride = stride;
        heads.first = keys ? 0 : a->n_nope;
        heads.transposed = keys;
    } else {
        w = lm_build_tensor(b, name, ".weight", heads.n_in, heads.n_out, n_heads, false);
        heads.stride = heads.n_out;
    }
    return lm_build_adapted_heads(b, name, x, &heads, lm_graph_head_linear(b->graph, x, w, &heads));
}

static int32_t attention(lm_build *b, const latent *a, int32_t x, int32_t residual) {
    lm_graph *g = b->graph;
    int32_t n_heads = b->h->n_heads[b->layer], row = a->rank + a->n_rot;
    int32_t q = queries(b, a, x), kv = lm_build_linear(b, "attn_kv_a_mqa", x, row, -1); /* [tokens, rank + n_rot] */
    int32_t c = lm_build_rms(b, "attn_kv_a_norm", lm_graph_slice(g, kv, row, 0, a->rank), 0);
    int32_t k = lm_graph_concat(g, c, a->rank, lm_graph_slice(g, kv, row, a->rank, a->n_rot), a->n_rot);
    int32_t cache = lm_build_cache_of(b, 0, 1, row, 0);
    lm_graph_cache_store(g, cache, lm_graph_rotate(g, k, a->rope, row, a->rank, 0, 0), -1);
    int32_t nope = absorb(b, a, true, lm_graph_slice(g, q, a->k_width, 0, a->n_nope)); /* [tokens, n_heads * rank] */
    q = lm_graph_concat(g, nope, a->rank, lm_graph_slice(g, q, a->k_width, a->n_nope, a->n_rot), a->n_rot);
    q = lm_graph_rotate(g, q, a->rope, row, a->rank, a->temperature, a->temperature_length);
    int32_t o = lm_graph_attend(g, q, cache, -1, n_heads, a->rank, a->scale, 0, 0, 1); /* [tokens, n_heads * rank] */
    return lm_build_linear(b, "attn_output", absorb(b, a, false, o), b->h->n_embd, residual);
}

/* GLM-4.7-Flash files lack the key; they are known by their sizes. */
static int32_t default_gating(const lm_hparams *h) {
    return (h->n_layers == 47 || h->n_layers_all == 48) && h->n_vocab == 154880 ? LM_GATING_SIGMOID : LM_GATING_SOFTMAX;
}

static int32_t block(lm_build *b, const latent *a, const lm_build_moe_params *p, int32_t x) {
    const lm_hparams *h = b->h;
    int32_t n_shared = lm_build_int_in(b, "expert_shared_count", 0, 1024, 0);
    x = attention(b, a, lm_build_rms(b, "attn_norm", x, 0), x);
    int32_t normed = lm_build_rms(b, "ffn_norm", x, 0);
    if (b->layer < lm_build_int(b, "leading_dense_block_count", 0))
        return lm_build_ffn(b, LM_ACTIVATION_SILU, normed, h->n_ff[b->layer], x);
    x = lm_build_moe(b, p, normed, x);
    return n_shared ? lm_build_shared_expert(b, LM_ACTIVATION_SILU, normed, h->n_ff_expert * n_shared, x) : x;
}

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_build_moe_params p = {.act = LM_ACTIVATION_SILU,
                             .gating = lm_build_gating(b, default_gating(h)),
                             .width = h->n_ff_expert,
                             .normalise = lm_build_bool(b, "expert_weights_norm", false),
                             .scale = (float)lm_build_float(b, "expert_weights_scale", 0)};
    latent a = read_latent(b);
    int32_t x = lm_build_embed(b, 1); /* [tokens, n_embd] */
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        x = lm_build_steered(b, block(b, &a, &p, x));
    }
    lm_build_output(b, x, 0);
    if (lm_build_draft_begin(b, &x)) lm_build_draft_end(b, block(b, &a, &p, x));
}

const lm_arch lm_arch_deepseek2 = {"deepseek2", build, false};
const lm_arch lm_arch_mistral4 = {"mistral4", build, false};
