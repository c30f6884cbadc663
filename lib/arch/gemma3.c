/* SPDX-License-Identifier: MIT
 * Gemma 3 ("Gemma 3 Technical Report", arXiv 2503.19786).
 *
 *   x ─┬─ rms ─ q k v ─ rms per head on q, k ─ rope ─ attend ─ out ─ rms ─ + ─┬─ rms ─ gate, up ─ gelu·mul ─ down ─ rms ─ + ─ x
 *      └──────────────────────────────────────────────────────────────────────┘ └────────────────────────────────────────┘
 *
 * Five of six blocks see a sliding window and have their own rotary base without scaling. Embeddings are scaled by sqrt(n_embd); norm weights
 * hold the +1 already. The 27B model (62 blocks) scales queries by n_embd / n_heads, the others by the head width. EmbeddingGemma is the
 * same with attention in both directions. */
#include "families.h"

#include "arch_build.h"

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t window = lm_build_int_in(b, "attention.sliding_window", 0, INT32_MAX / 4, 0);
    float cap = h->causal ? (float)lm_build_float(b, "final_logit_softcapping", 0) : 0;
    float scale = 1 / lm_build_sqrt(h->n_layers == 62 && h->causal ? h->n_embd / h->n_heads[0] : h->k_width);
    int32_t full = lm_build_rope(b, LM_ROPE_HALVES, -1), sliding = lm_build_sliding_rope(b);
    int32_t x = lm_build_embed(b, lm_build_sqrt(h->n_embd)); /* [tokens, n_embd] */
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        bool slides = window > 0 && lm_build_slides(b, 6);
        int32_t q, k, v, cache = lm_build_cache(b, slides ? window : 0), rope = slides ? sliding : full;
        lm_build_qkv(b, lm_build_rms(b, "attn_norm", x, 0), &q, &k, &v);
        q = lm_graph_rotate(g, lm_build_rms(b, "attn_q_norm", q, h->k_width), rope, h->k_width, 0, 0, 0);
        k = lm_graph_rotate(g, lm_build_rms(b, "attn_k_norm", k, h->k_width), rope, h->k_width, 0, 0, 0);
        lm_graph_cache_store(g, cache, k, v);
        int32_t o =
            lm_graph_attend(g, q, cache, -1, h->n_heads[il], h->v_width, scale, slides ? window : 0, 0, h->causal);
        o = lm_build_linear(b, "attn_output", o, h->n_embd, -1); /* [tokens, n_embd] */
        x = lm_graph_add(g, lm_build_rms(b, "post_attention_norm", o, 0), x, -1);
        int32_t y = lm_build_ffn(b, LM_ACTIVATION_GELU, lm_build_rms(b, "ffn_norm", x, 0), h->n_ff[il], -1);
        x = lm_graph_add(g, lm_build_rms(b, "post_ffw_norm", y, 0), x, -1);
        x = lm_build_steered(b, x);
    }
    lm_build_output(b, x, cap);
}

const lm_arch lm_arch_gemma3 = {"gemma3", build, false};
const lm_arch lm_arch_gemma_embedding = {"gemma-embedding", build, true};
