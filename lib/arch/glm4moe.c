/* SPDX-License-Identifier: MIT
 * GLM-4.5, 4.5-Air and 4.6 ("GLM-4.5", arXiv 2508.06471).
 *
 *   x ─┬─ rms ─ q k v + biases ─ (rms per head) ─ rope on half a head ─ attend ─ out ─ + ─┬─ rms ─ dense, or experts + shared ─ + ─ x
 *      └──────────────────────────────────────────────────────────────────────────────────┘ └─────────────────────────────────┘
 *
 * The first blocks are dense. Routing: sigmoid with a selection bias, normalised, scaled. post_attention_norm comes before the feed-forward. */
#include "families.h"

#include "arch_build.h"

static int32_t block(lm_build *b, const lm_build_moe_params *p, int32_t rope, int32_t x) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t il = b->layer, n_shared = lm_build_int_in(b, "expert_shared_count", 0, 1024, 0);
    int32_t q, k, v, cache = lm_build_cache(b, 0);
    lm_build_qkv(b, lm_build_rms(b, "attn_norm", x, 0), &q, &k, &v);
    if (lm_build_exists(b, "attn_q_norm", ".weight")) {
        q = lm_build_rms(b, "attn_q_norm", q, h->k_width);
        k = lm_build_rms(b, "attn_k_norm", k, h->k_width);
    }
    q = lm_graph_rotate(g, q, rope, h->k_width, 0, 0, 0);
    k = lm_graph_rotate(g, k, rope, h->k_width, 0, 0, 0);
    lm_graph_cache_store(g, cache, k, v);
    int32_t o = lm_graph_attend(g, q, cache, -1, h->n_heads[il], h->v_width, 1 / lm_build_sqrt(h->k_width), 0, 0, 1);
    x = lm_build_linear(b, "attn_output", o, h->n_embd, x); /* [tokens, n_embd] */
    int32_t normed = lm_build_rms(b, "post_attention_norm", x, 0);
    if (il < lm_build_int(b, "leading_dense_block_count", 0))
        return lm_build_ffn(b, LM_ACTIVATION_SILU, normed, h->n_ff[il], x);
    x = lm_build_moe(b, p, normed, x);
    return n_shared > 0 ? lm_build_shared_expert(b, LM_ACTIVATION_SILU, normed, h->n_ff_expert * n_shared, x) : x;
}

static void build(lm_build *b) {
    lm_build_moe_params p = {.act = LM_ACTIVATION_SILU,
                             .gating = lm_build_gating(b, LM_GATING_SIGMOID),
                             .width = b->h->n_ff_expert,
                             .normalise = lm_build_bool(b, "expert_weights_norm", false),
                             .scale = (float)lm_build_float(b, "expert_weights_scale", 0)};
    int32_t x = lm_build_embed(b, 1), rope = lm_build_rope(b, LM_ROPE_HALVES, -1); /* [tokens, n_embd] */
    for (int32_t il = 0; il < b->h->n_layers; il++) {
        lm_build_layer(b, il);
        x = lm_build_steered(b, block(b, &p, rope, x));
    }
    lm_build_output(b, x, 0);
    if (lm_build_draft_begin(b, &x)) lm_build_draft_end(b, block(b, &p, rope, x));
}

const lm_arch lm_arch_glm4moe = {"glm4moe", build, false};
