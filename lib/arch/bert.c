/* SPDX-License-Identifier: MIT
 * The encoders bert, nomic-bert and nomic-bert-moe ("BERT", arXiv 1810.04805; "Nomic Embed", arXiv 2402.01613).
 *
 *   token + type (+ position) ─ ln ─ x ─┬─ q k v ─ (rope) ─ attend both ways ─ out ─ + ─ ln ─┬─ ffn ─ + ─ ln ─ x
 *                                       └────────────────────────────────────────────┘       └────────┘
 *
 * Norms come after the sums. bert has a learned position table and a plain gelu feed-forward, nomic-bert rotates and gates with silu,
 * nomic-bert-moe has gelu experts in every n-th block. Every token is of type 0. Gelu is the tanh form. */
#include "families.h"

#include <string.h>

#include "arch_build.h"

static int32_t embed(lm_build *b, bool positions) {
    lm_graph *g = b->graph;
    int32_t x = lm_build_embed(b, 1), types = lm_build_tensor(b, "token_types", ".weight", b->h->n_embd, 0, 1, true);
    if (types >= 0) x = lm_graph_add(g, x, lm_graph_embed(g, types, 1, LM_EMBED_CONSTANT, 0), -1);
    if (positions) {
        int32_t table = lm_build_tensor(b, "position_embd", ".weight", b->h->n_embd, 0, 1, false);
        x = lm_graph_add(g, x, lm_graph_embed(g, table, 1, LM_EMBED_POSITION, 0), -1);
    }
    return lm_build_layer_norm(b, "token_embd_norm", x); /* [tokens, n_embd] */
}

/* down(gelu(up x)) + residual */
static int32_t plain_ffn(lm_build *b, int32_t x, int32_t residual) {
    int32_t hidden = lm_build_linear(b, "ffn_up", x, b->h->n_ff[b->layer], -1); /* [tokens, n_ff] */
    return lm_build_linear(b, "ffn_down", lm_graph_act(b->graph, LM_ACTIVATION_GELU, hidden), b->h->n_embd, residual);
}

static int32_t experts(lm_build *b, int32_t x, int32_t residual) {
    const lm_hparams *h = b->h;
    int32_t ids, weights, n_ff = h->n_ff[b->layer];
    lm_build_moe_params p = {.act = LM_ACTIVATION_GELU, .gating = LM_GATING_SOFTMAX, .width = n_ff};
    lm_build_route(b, &p, lm_build_linear(b, "ffn_gate_inp", x, h->n_experts, -1), &ids, &weights);
    lm_graph_experts_weights w = {
        .gate = lm_build_tensor(b, "ffn_up_exps", ".weight", h->n_embd, n_ff, h->n_experts, false),
        .up = -1,
        .down = lm_build_tensor(b, "ffn_down_exps", ".weight", n_ff, h->n_embd, h->n_experts, false),
        .gate_bias = -1,
        .up_bias = -1,
        .down_bias = -1,
        .gate_scale = -1,
        .up_scale = -1,
        .down_scale = -1,
        .ungated = true,
    };
    return lm_build_experts_of(b, &p, &w, x, ids, weights, residual);
}

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    bool bert = strcmp(b->arch->name, "bert") == 0, gated = strcmp(b->arch->name, "nomic-bert") == 0;
    int32_t every = lm_build_int(b, "moe_every_n_layers", 0), rope = bert ? -1 : lm_build_rope(b, LM_ROPE_HALVES, -1);
    int32_t x = embed(b, bert);
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        if (lm_build_exists(b, "attn_q_norm", ".weight"))
            lm_graph_fail(g, LM_ERR_UNSUPPORTED, "block %d normalises queries, which %s does not", (int)il,
                          b->arch->name);
        int32_t q, k, v, cache = lm_build_cache(b, 0);
        lm_build_qkv(b, x, &q, &k, &v); /* [tokens, n_heads * k_width] each */
        if (!bert) {
            q = lm_graph_rotate(g, q, rope, h->k_width, 0, 0, 0);
            k = lm_graph_rotate(g, k, rope, h->k_width, 0, 0, 0);
        }
        lm_graph_cache_store(g, cache, k, v);
        int32_t o = lm_graph_attend(g, q, cache, -1, h->n_heads[il], h->v_width, 1 / lm_build_sqrt(h->k_width), 0, 0,
                                    0); /* [tokens, n_heads * v_width] */
        x = lm_build_layer_norm(b, "attn_output_norm", lm_build_linear(b, "attn_output", o, h->n_embd, x));
        int32_t f = every > 0 && il % every == 1 ? experts(b, x, x)
                    : gated                      ? lm_build_ffn(b, LM_ACTIVATION_SILU, x, h->n_ff[il], x)
                                                 : plain_ffn(b, x, x);
        x = lm_build_layer_norm(b, "layer_output_norm", f);
    }
    lm_build_embeddings(b, x);
}

const lm_arch lm_arch_bert = {"bert", build, true};
const lm_arch lm_arch_nomic_bert = {"nomic-bert", build, true};
const lm_arch lm_arch_nomic_bert_moe = {"nomic-bert-moe", build, true};
