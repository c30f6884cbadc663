/* SPDX-License-Identifier: MIT
 * LFM2 and LFM2-MoE: gated short convolutions with a few blocks of attention (Liquid AI, "LFM2 Technical Report", arXiv 2511.23404).
 *
 *   x ─┬─ rms ─┬ convolution: [b | c | u] ─ b·u ─ short conv ─ c·(.) ─ out ─────────────┬─ + ─┬─ rms ─ dense, or experts ─ + ─ x
 *      │       └ attention: q k v ─ rms per head on q, k ─ rope ─ attend ─ out ─────────┘   │ └──────────────────────────┘
 *      └───────────────────────────────────────────────────────────────────────────────────┘
 *
 * A block without key-value heads is a convolution. token_embd_norm is the final norm. */
#include "families.h"

#include "arch_build.h"

static int32_t attention(lm_build *b, int32_t rope, int32_t window, int32_t x, int32_t residual) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t q, k, v, cache = lm_build_cache(b, window);
    lm_build_qkv(b, x, &q, &k, &v);
    q = lm_graph_rotate(g, lm_build_rms(b, "attn_q_norm", q, h->k_width), rope, h->k_width, 0, 0, 0);
    k = lm_graph_rotate(g, lm_build_rms(b, "attn_k_norm", k, h->k_width), rope, h->k_width, 0, 0, 0);
    lm_graph_cache_store(g, cache, k, v);
    int32_t o =
        lm_graph_attend(g, q, cache, -1, h->n_heads[b->layer], h->v_width, 1 / lm_build_sqrt(h->k_width), window, 0, 1);
    return lm_build_linear(b, "attn_output", o, h->n_embd, residual);
}

static int32_t convolution(lm_build *b, int32_t n_taps, int32_t x, int32_t residual) {
    lm_graph *g = b->graph;
    int32_t n = b->h->n_embd, bcu = lm_build_linear(b, "shortconv.in_proj", x, 3 * n, -1);
    int32_t gate = lm_graph_slice(g, bcu, 3 * n, 0, n), c = lm_graph_slice(g, bcu, 3 * n, n, n),
            u = lm_graph_slice(g, bcu, 3 * n, 2 * n, n);
    int32_t taps = lm_build_tensor(b, "shortconv.conv", ".weight", n_taps, n, 1, false);
    int32_t state = lm_graph_state_layer(g, (int64_t)(n_taps - 1) * n);
    int32_t r = lm_graph_short_conv(g, lm_graph_glu(g, LM_ACTIVATION_NONE, gate, u, -1), taps, n_taps,
                                    LM_ACTIVATION_NONE, state);
    return lm_build_linear(b, "shortconv.out_proj", lm_graph_glu(g, LM_ACTIVATION_NONE, c, r, -1), n, residual);
}

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    int32_t n_taps = lm_build_int_in(b, "shortconv.l_cache", 2, 16, 0),
            n_dense = lm_build_int(b, "leading_dense_block_count", 0);
    int32_t window = lm_build_int_in(b, "attention.sliding_window", 0, INT32_MAX / 4, 0);
    if (!h->causal)
        lm_graph_fail(b->graph, LM_ERR_UNSUPPORTED, "%s embedding models without a causal mask", b->arch->name);
    lm_build_moe_params p = {.act = LM_ACTIVATION_SILU,
                             .gating = lm_build_gating(b, LM_GATING_SIGMOID),
                             .width = h->n_ff_expert,
                             .normalise = true};
    int32_t x = lm_build_embed(b, 1), rope = lm_build_rope(b, LM_ROPE_HALVES, -1); /* [tokens, n_embd] */
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        int32_t normed = lm_build_rms(b, "attn_norm", x, 0);
        x = h->n_heads_kv[il] > 0 ? attention(b, rope, window, normed, x) : convolution(b, n_taps, normed, x);
        normed = lm_build_rms(b, "ffn_norm", x, 0);
        x = h->n_experts > 0 && il >= n_dense ? lm_build_moe(b, &p, normed, x)
                                              : lm_build_ffn(b, LM_ACTIVATION_SILU, normed, h->n_ff[il], x);
        x = lm_build_steered(b, x);
    }
    lm_build_output_of(b, "token_embd_norm", x, 0);
}

const lm_arch lm_arch_lfm2 = {"lfm2", build, false};
const lm_arch lm_arch_lfm2moe = {"lfm2moe", build, false};
