/* SPDX-License-Identifier: MIT
 * Gemma 4: dense (31B, 12B), experts beside the dense feed-forward (26B-A4B), per-layer embeddings and shared keys (E2B, E4B); Gemma 4
 * model cards.
 *
 *   x ─┬─ rms ─ q k v ─ rms per head ─ rope ─ attend ─ out ─ rms ─ + ─┬─ rms ─ gelu·mul ffn ─(─ rms ─ + ─ rms ─ experts ─ rms ─)─ rms ─ + ─ E ─ scale
 *      └──────────────────────────────────────────────────────────────┘                                                            │
 *                                                                     └────────────────────────────────────────────────────────────┘
 *   E: x + rms(proj(gelu(inp_gate x) · p)), p this block's slice of the per-layer embeddings
 *
 * Sliding and full blocks differ in window, head width, key-value heads and rotation. Values are normalised per head without weights; a block
 * without attn_v takes its key projection. The last shared_kv_layers blocks have no keys and read the cache of the last own block of
 * their kind. Scores are not scaled. The router reads the residual itself, normalised without weights and scaled by 1 / sqrt(n_embd). */
#include "families.h"

#include "arch_build.h"

/* One of the two kinds of blocks. */
typedef struct kind {
    int32_t window, k_width, v_width, rope;
    int32_t cache; /* of the last own block of this kind, -1 before */
} kind;

static kind full_kind(lm_build *b) {
    int32_t factors = lm_build_tensor(b, "rope_freqs", ".weight", b->h->n_rot / 2, 1, 1, true);
    return (kind){0, b->h->k_width, b->h->v_width, lm_build_rope(b, LM_ROPE_HALVES, factors), -1};
}

static kind sliding_kind(lm_build *b) {
    const lm_hparams *h = b->h;
    kind k = {.window = lm_build_int_in(b, "attention.sliding_window", 1, INT32_MAX / 4, 0), .cache = -1};
    k.k_width = lm_build_int_in(b, "attention.key_length_swa", 1, 8192, h->k_width);
    k.v_width = lm_build_int_in(b, "attention.value_length_swa", 1, 8192, h->v_width);
    lm_rope rope = {.n_rot = lm_build_int_in(b, "rope.dimension_count_swa", 2, k.k_width, k.k_width),
                    .factors = -1,
                    .base = lm_build_float(b, "rope.freq_base_swa", 10000),
                    .freq_scale = 1,
                    .magnitude = 1};
    if (rope.n_rot % 2 || !(rope.base > 0))
        lm_graph_fail(b->graph, LM_ERR_FORMAT, "keys %s.rope.*_swa out of range", b->arch->name);
    k.rope = lm_graph_rope(b->graph, &rope);
    return k;
}

/* Keys and values of an own block, stored. */
static void store(lm_build *b, kind *kind, int32_t x) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t n_kv = h->n_heads_kv[b->layer], y[2];
    const lm_build_part parts[] = {{"attn_k", n_kv * kind->k_width}, {"attn_v", n_kv * kind->v_width}};
    bool has_v = lm_build_exists(b, "attn_v", ".weight");
    kind->cache = lm_build_cache_of(b, kind->window, n_kv, kind->k_width, kind->v_width);
    lm_build_linears(b, parts, has_v ? 2 : 1, x, y);
    int32_t k =
        lm_graph_rotate(g, lm_build_rms(b, "attn_k_norm", y[0], kind->k_width), kind->rope, kind->k_width, 0, 0, 0);
    int32_t v = lm_graph_norm(g, LM_NORM_RMS, y[has_v], -1, -1, h->rms_eps, kind->v_width);
    lm_graph_cache_store(g, kind->cache, k, v);
}

static int32_t attention(lm_build *b, kind *kind, bool own, int32_t x) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t n_heads = h->n_heads[b->layer];
    int32_t q = lm_build_linear(b, "attn_q", x, n_heads * kind->k_width, -1); /* [tokens, n_heads * k_width] */
    q = lm_graph_rotate(g, lm_build_rms(b, "attn_q_norm", q, kind->k_width), kind->rope, kind->k_width, 0, 0, 0);
    if (own) store(b, kind, x);
    if (kind->cache < 0)
        return lm_graph_fail(g, LM_ERR_FORMAT, "block %d shares keys, and no earlier block of its kind has any",
                             (int)b->layer);
    int32_t o = lm_graph_attend(g, q, kind->cache, -1, n_heads, kind->v_width, 1, kind->window, 0, 1);
    return lm_build_linear(b, "attn_output", o, h->n_embd, -1); /* [tokens, n_embd] */
}

static int32_t feed_forward(lm_build *b, int32_t x) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t y = lm_build_ffn(b, LM_ACTIVATION_GELU, lm_build_rms(b, "ffn_norm", x, 0), h->n_ff[b->layer], -1);
    if (!lm_build_exists(b, "ffn_gate_inp", ".weight")) return y;
    y = lm_build_rms(b, "post_ffw_norm_1", y, 0);
    int32_t ids, weights, r = lm_graph_norm(g, LM_NORM_RMS, x, -1, -1, h->rms_eps, 0);
    r = lm_graph_scale(g, r, lm_build_vector(b, "ffn_gate_inp", ".scale", h->n_embd, false),
                       1 / lm_build_sqrt(h->n_embd));
    /* Not lm_build_linear: ffn_gate_inp.scale belongs to the input here, not to the product. */
    int32_t router = lm_build_tensor(b, "ffn_gate_inp", ".weight", h->n_embd, h->n_experts, 1, false);
    lm_build_moe_params p = {
        .act = LM_ACTIVATION_GELU, .gating = LM_GATING_SOFTMAX, .width = h->n_ff_expert, .normalise = true};
    int32_t logits = lm_build_adapted(b, "ffn_gate_inp", r, lm_graph_linear(g, r, router, -1, -1, -1));
    lm_build_route(b, &p, logits, &ids, &weights);
    int32_t e = lm_build_experts(b, &p, lm_build_rms(b, "pre_ffw_norm_2", x, 0), ids, weights, -1);
    return lm_graph_add(g, lm_build_rms(b, "post_ffw_norm_2", e, 0), y, -1);
}

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t n_shared = lm_build_int_in(b, "attention.shared_kv_layers", 0, h->n_layers, 0);
    int32_t width = lm_build_int_in(b, "embedding_length_per_layer_input", 0, 65536, 0);
    float cap = (float)lm_build_float(b, "final_logit_softcapping", 30);
    kind full = full_kind(b), sliding = sliding_kind(b);
    int32_t x = lm_build_embed(b, lm_build_sqrt(h->n_embd)); /* [tokens, n_embd] */
    int32_t embeddings = width ? lm_build_layer_embeddings(b, x, width) : -1;
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        kind *kind = lm_build_slides(b, 6) ? &sliding : &full;
        int32_t o = attention(b, kind, il < h->n_layers - n_shared, lm_build_rms(b, "attn_norm", x, 0));
        x = lm_graph_add(g, lm_build_rms(b, "post_attention_norm", o, 0), x, -1);
        x = lm_graph_add(g, lm_build_rms(b, "post_ffw_norm", feed_forward(b, x), 0), x, -1);
        if (width) x = lm_graph_add(g, lm_build_layer_embedding(b, x, embeddings, width), x, -1);
        if (lm_build_exists(b, "layer_output_scale", ".weight"))
            x = lm_graph_scale(g, x, lm_build_vector(b, "layer_output_scale", ".weight", 1, false), 1);
        x = lm_build_steered(b, x);
    }
    lm_build_output(b, x, cap);
}

const lm_arch lm_arch_gemma4 = {"gemma4", build, false};
