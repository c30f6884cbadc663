/* SPDX-License-Identifier: MIT
 * Llama 1 to 3.3, Mistral, TinyLlama, SmolLM, and Mixtral's experts ("LLaMA: Open and Efficient Foundation Language Models",
 * arXiv 2302.13971; "Mixtral of Experts", arXiv 2401.04088).
 *
 *   x ─┬─ rms ─ q k v ─ rope ─ attend ─ out ─ + ─┬─ rms ─ gate, up ─ silu·mul ─ down ─ + ─ x
 *      └──────────────────────────────────────┘  └──── or: route ─ experts ─────────┘
 *
 * q and k rows are stored for adjacent rotary pairs. rope_freqs holds the divisors of Llama 3's scaling; files with scaling of
 * type longrope have long and short factors instead, chosen when a context is opened. Biases are optional. */
#include "families.h"

#include "arch_build.h"

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t x = lm_build_embed(b, 1); /* [tokens, n_embd] */
    int32_t rope = lm_build_rope(b, LM_ROPE_ADJACENT, lm_build_rope_factors(b));
    float scale = 1 / lm_build_sqrt(h->k_width);
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        int32_t q, k, v, n_heads = h->n_heads[il], cache = lm_build_cache(b, 0);
        int32_t normed = lm_build_rms(b, "attn_norm", x, 0);
        lm_build_qkv(b, normed, &q, &k, &v); /* [tokens, n_heads * k_width], [tokens, n_heads_kv * ...] */
        q = lm_graph_rotate(g, q, rope, h->k_width, 0, 0, 0);
        k = lm_graph_rotate(g, k, rope, h->k_width, 0, 0, 0);
        lm_graph_cache_store(g, cache, k, v);
        int32_t o =
            lm_graph_attend(g, q, cache, -1, n_heads, h->v_width, scale, 0, 0, 1); /* [tokens, n_heads * v_width] */
        x = lm_build_linear(b, "attn_output", o, h->n_embd, x);                    /* [tokens, n_embd] */
        normed = lm_build_rms(b, "ffn_norm", x, 0);
        if (h->n_experts > 0)
            x = lm_build_moe(
                b,
                &(lm_build_moe_params){
                    .act = LM_ACTIVATION_SILU, .gating = LM_GATING_SOFTMAX, .width = h->n_ff[il], .normalise = true},
                normed, x);
        else
            x = lm_build_ffn(b, LM_ACTIVATION_SILU, normed, h->n_ff[il], x);
        x = lm_build_steered(b, x);
    }
    lm_build_output(b, x, 0);
}

const lm_arch lm_arch_llama = {"llama", build, false};
