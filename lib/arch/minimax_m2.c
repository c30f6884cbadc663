/* SPDX-License-Identifier: MIT
 * MiniMax-M2: grouped attention whose q and k are normalised over all heads together, and sigmoid-routed experts in every block.
 *
 *   x ─┬─ rms ─ q k v ─ rms over all heads on q, k ─ rope on half a head ─ attend ─ out ─ + ─┬─ rms ─ route ─ experts ─ + ─ x
 *      └─────────────────────────────────────────────────────────────────────────────────────┘ └───────────────────────┘ */
#include "families.h"

#include "arch_build.h"

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    lm_build_moe_params p = {.act = LM_ACTIVATION_SILU,
                             .gating = lm_build_gating(b, LM_GATING_SIGMOID),
                             .width = h->n_ff_expert,
                             .normalise = true};
    float scale = 1 / lm_build_sqrt(h->k_width);
    int32_t x = lm_build_embed(b, 1), rope = lm_build_rope(b, LM_ROPE_HALVES, -1); /* [tokens, n_embd] */
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        int32_t q, k, v, cache = lm_build_cache(b, 0);
        lm_build_qkv(b, lm_build_rms(b, "attn_norm", x, 0), &q, &k, &v);
        q = lm_graph_rotate(g, lm_build_rms(b, "attn_q_norm", q, 0), rope, h->k_width, 0, 0, 0);
        k = lm_graph_rotate(g, lm_build_rms(b, "attn_k_norm", k, 0), rope, h->k_width, 0, 0, 0);
        lm_graph_cache_store(g, cache, k, v);
        int32_t o = lm_graph_attend(g, q, cache, -1, h->n_heads[il], h->v_width, scale, 0, 0, 1);
        x = lm_build_linear(b, "attn_output", o, h->n_embd, x); /* [tokens, n_embd] */
        x = lm_build_moe(b, &p, lm_build_rms(b, "ffn_norm", x, 0), x);
        x = lm_build_steered(b, x);
    }
    lm_build_output(b, x, 0);
}

const lm_arch lm_arch_minimax_m2 = {"minimax-m2", build, false};
