/* SPDX-License-Identifier: MIT
 * gpt-oss 20B and 120B ("gpt-oss-120b & gpt-oss-20b Model Card", arXiv 2508.10925).
 *
 *   x ─┬─ rms ─ q k v + biases ─ rope (YaRN) ─ attend with sinks ─ out + bias ─ + ─┬─ rms ─ route ─ experts with biases ─ + ─ x
 *      └──────────────────────────────────────────────────────────────────────────┘ └──────────────────────────────────┘
 *
 * Even blocks see a sliding window. post_attention_norm is the norm before the experts. The router's softmax runs over the chosen logits. */
#include "families.h"

#include "arch_build.h"

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t window = lm_build_int_in(b, "attention.sliding_window", 0, INT32_MAX / 4, -1);
    float scale = 1 / lm_build_sqrt(h->k_width), weights_scale = (float)lm_build_float(b, "expert_weights_scale", 0);
    lm_rope sliding =
        lm_build_rope_config(b, LM_ROPE_HALVES, lm_build_float(b, "rope.freq_base_swa", h->rope_base), -1);
    int32_t full = lm_build_rope(b, LM_ROPE_HALVES, -1), near = lm_graph_rope(g, &sliding);
    int32_t x = lm_build_embed(b, 1); /* [tokens, n_embd] */
    lm_build_moe_params p = {
        .act = LM_ACTIVATION_OAI, .gating = LM_GATING_SOFTMAX_USED, .width = h->n_ff_expert, .scale = weights_scale};
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        bool slides = window > 0 && lm_build_slides(b, 2);
        int32_t q, k, v, cache = lm_build_cache(b, slides ? window : 0), rope = slides ? near : full;
        lm_build_qkv(b, lm_build_rms(b, "attn_norm", x, 0), &q, &k, &v);
        q = lm_graph_rotate(g, q, rope, h->k_width, 0, 0, 0);
        k = lm_graph_rotate(g, k, rope, h->k_width, 0, 0, 0);
        lm_graph_cache_store(g, cache, k, v);
        int32_t sinks = lm_build_vector(b, "attn_sinks", ".weight", h->n_heads[il], false);
        int32_t o = lm_graph_attend(g, q, cache, sinks, h->n_heads[il], h->v_width, scale, slides ? window : 0, 0, 1);
        x = lm_build_linear(b, "attn_output", o, h->n_embd, x); /* [tokens, n_embd] */
        x = lm_build_moe(b, &p, lm_build_rms(b, "post_attention_norm", x, 0), x);
        x = lm_build_steered(b, x);
    }
    lm_build_output(b, x, 0);
}

const lm_arch lm_arch_gpt_oss = {"gpt-oss", build, false};
