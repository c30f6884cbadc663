/* SPDX-License-Identifier: MIT
 * Qwen 3, dense and with experts ("Qwen3 Technical Report", arXiv 2505.09388).
 *
 *   x ─┬─ rms ─ q k v ─ rms per head on q, k ─ rope ─ attend ─ out ─ + ─┬─ rms ─ gate, up ─ silu·mul ─ down ─ + ─ x
 *      └─────────────────────────────────────────────────────────────┘  └──── or: route ─ experts ─────────┘
 *
 * Rotary pairs are halves; the head width is not n_embd / n_heads. The chosen experts' weights are normalised. */
#include "families.h"

#include "arch_build.h"

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t x = lm_build_embed(b, 1), rope = lm_build_rope(b, LM_ROPE_HALVES, -1); /* [tokens, n_embd] */
    float scale = 1 / lm_build_sqrt(h->k_width);
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        int32_t q, k, v, cache = lm_build_cache(b, 0);
        int32_t normed = lm_build_rms(b, "attn_norm", x, 0);
        lm_build_qkv(b, normed, &q, &k, &v);
        q = lm_build_rms(b, "attn_q_norm", q, h->k_width); /* per head */
        k = lm_build_rms(b, "attn_k_norm", k, h->k_width);
        q = lm_graph_rotate(g, q, rope, h->k_width, 0, 0, 0);
        k = lm_graph_rotate(g, k, rope, h->k_width, 0, 0, 0);
        lm_graph_cache_store(g, cache, k, v);
        int32_t o = lm_graph_attend(g, q, cache, -1, h->n_heads[il], h->v_width, scale, 0, 0,
                                    1);                         /* [tokens, n_heads * v_width] */
        x = lm_build_linear(b, "attn_output", o, h->n_embd, x); /* [tokens, n_embd] */
        normed = lm_build_rms(b, "ffn_norm", x, 0);
        if (h->n_experts > 0) {
            int32_t width = h->n_ff_expert > 0 ? h->n_ff_expert : h->n_ff[il] / h->n_experts_used;
            x = lm_build_moe(
                b,
                &(lm_build_moe_params){
                    .act = LM_ACTIVATION_SILU, .gating = LM_GATING_SOFTMAX, .width = width, .normalise = true},
                normed, x);
        } else {
            x = lm_build_ffn(b, LM_ACTIVATION_SILU, normed, h->n_ff[il], x);
        }
        x = lm_build_steered(b, x);
    }
    lm_build_output(b, x, 0);
}

const lm_arch lm_arch_qwen3 = {"qwen3", build, false};
const lm_arch lm_arch_qwen3moe = {"qwen3moe", build, false};
