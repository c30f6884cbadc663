/* SPDX-License-Identifier: MIT
 * Ministral 3 and Mistral Small 3: the llama block with YaRN whose magnitude is cancelled by the log multiplier, and queries that
 * grow with the position ("Llama 4"-style temperature): q *= 1 + beta ln(1 + floor(pos / original context)).
 *
 *   x ─┬─ rms ─ q k v ─ rope ─ q·temperature(pos) ─ attend ─ out ─ + ─┬─ rms ─ gate, up ─ silu·mul ─ down ─ + ─ x
 *      └──────────────────────────────────────────────────────────┘  └─────────────────────────────────┘ */
#include "../base/fp_contract.h"

#include "families.h"

#include "arch_build.h"

static int32_t rope_of(lm_build *b) {
    lm_rope rope = lm_build_rope_config(b, LM_ROPE_ADJACENT, b->h->rope_base,
                                        lm_build_tensor(b, "rope_freqs", ".weight", b->h->n_rot / 2, 1, 1, true));
    double log_multiplier = lm_build_float(b, "rope.scaling.yarn_log_multiplier", 0);
    rope.magnitude /= 1 + 0.1 * log_multiplier * lm_build_yarn_log(&rope);
    return lm_graph_rope(b->graph, &rope);
}

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    float beta = (float)lm_build_float(b, "attention.temperature_scale", 0), scale = 1 / lm_build_sqrt(h->k_width);
    int32_t length = lm_build_int(b, "rope.scaling.original_context_length", h->n_ctx_train);
    if (beta != 0 && length == 0)
        lm_graph_fail(g, LM_ERR_FORMAT, "key mistral3.rope.scaling.original_context_length is zero");
    int32_t x = lm_build_embed(b, 1), rope = rope_of(b); /* [tokens, n_embd] */
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        int32_t q, k, v, cache = lm_build_cache(b, 0);
        int32_t normed = lm_build_rms(b, "attn_norm", x, 0);
        lm_build_qkv(b, normed, &q, &k, &v);
        q = lm_graph_rotate(g, q, rope, h->k_width, 0, beta, length);
        k = lm_graph_rotate(g, k, rope, h->k_width, 0, 0, 0);
        lm_graph_cache_store(g, cache, k, v);
        int32_t o = lm_graph_attend(g, q, cache, -1, h->n_heads[il], h->v_width, scale, 0, 0,
                                    1);                         /* [tokens, n_heads * v_width] */
        x = lm_build_linear(b, "attn_output", o, h->n_embd, x); /* [tokens, n_embd] */
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

const lm_arch lm_arch_mistral3 = {"mistral3", build, false};
