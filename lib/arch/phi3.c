/* SPDX-License-Identifier: MIT
 * Phi-3, Phi-3.5, Phi-4 and Phi-4-mini ("Phi-3 Technical Report", arXiv 2404.14219; long rope: arXiv 2402.13753).
 *
 *   x ─┬─ rms ─ qkv ─ rope on the first n_rot ─ attend ─ out ─ + ─┬─ rms ─ [gate | up] ─ silu·mul ─ down ─ + ─ x
 *      └───────────────────────────────────────────────────────┘  └────────────────────────────────────┘
 *
 * Rotary factors are the long ones when the context is longer than the original one, else the short ones: fixed when a context is
 * opened, so its cache is not portable between context sizes. */
#include "families.h"

#include "arch_build.h"

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t x = lm_build_embed(b, 1); /* [tokens, n_embd] */
    int32_t rope = lm_build_rope(b, LM_ROPE_HALVES, lm_build_long_factors(b));
    float scale = 1 / lm_build_sqrt(h->k_width);
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        int32_t q, k, v, cache = lm_build_cache(b, 0);
        int32_t normed = lm_build_rms(b, "attn_norm", x, 0);
        lm_build_qkv(b, normed, &q, &k, &v);
        q = lm_graph_rotate(g, q, rope, h->k_width, 0, 0, 0);
        k = lm_graph_rotate(g, k, rope, h->k_width, 0, 0, 0);
        lm_graph_cache_store(g, cache, k, v);
        int32_t o = lm_graph_attend(g, q, cache, -1, h->n_heads[il], h->v_width, scale, 0, 0,
                                    1);                         /* [tokens, n_heads * v_width] */
        x = lm_build_linear(b, "attn_output", o, h->n_embd, x); /* [tokens, n_embd] */
        normed = lm_build_rms(b, "ffn_norm", x, 0);
        int32_t gate_up = lm_build_linear(b, "ffn_up", normed, 2 * h->n_ff[il], -1); /* [tokens, 2 n_ff] */
        x = lm_build_linear(b, "ffn_down", lm_graph_glu_fused(g, LM_ACTIVATION_SILU, gate_up), h->n_embd, x);
        x = lm_build_steered(b, x);
    }
    lm_build_output(b, x, 0);
}

const lm_arch lm_arch_phi3 = {"phi3", build, false};
