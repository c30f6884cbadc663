/* SPDX-License-Identifier: MIT
 * Gemma 3n E2B and E4B (model card; AltUp: arXiv 2301.13310; LAuReL: arXiv 2411.07501).
 *
 *   S: four streams of the residual. A block predicts all of them, computes on the first, corrects all by what came out, and adds its
 *   per-layer embedding to the others:
 *
 *   S ─ predict ─ P ─ P0 ─┬─ rms ─┬─ q k v ─ rms per head ─ rope ─ attend ─ out ─ rms ─ + P0 ─┬ (+)/sqrt 2 ─┬─ rms ─ ffn ─ rms ─ + ─ r
 *                         │       └─ laurel: n + rms(right(left n)) ──────────────────────────┘             └──────────────────┘
 *                         └ S = P + (1 + c(r)) · (r - P0);  S1.. += rms(proj(gelu(inp_gate(S0 · scale)) · p))
 *
 * The first blocks keep only the largest gate values. Blocks past those with keys of their own read the cache of the last own block of
 * their kind. Norm weights are used as stored; scores are not scaled. */
#include "families.h"

#include <math.h>

#include "arch_build.h"

/* From the residual streams' own small router: tanh(router(rms(v) / n_embd)), [tokens, n] */
static int32_t modalities(lm_build *b, int32_t v, int32_t n) {
    lm_graph *g = b->graph;
    v = lm_graph_scale(g, lm_build_rms(b, "altup_router_norm", v, 0), -1, 1 / (float)b->h->n_embd);
    return lm_graph_act(g, LM_ACTIVATION_TANH, lm_build_linear(b, "altup_router", v, n, -1));
}

/* x and its projections, brought to the length of x: [tokens, n * n_embd] */
static int32_t open_streams(lm_build *b, int32_t x, int32_t n) {
    lm_graph *g = b->graph;
    int32_t d = b->h->n_embd, w = lm_build_tensor(b, "altup_proj", ".weight", d, d, n - 1, false);
    int32_t others = lm_graph_rescale(g, lm_graph_linear(g, x, w, -1, -1, -1), x);
    return lm_graph_concat(g, x, d, others, (n - 1) * d);
}

/* The mean of the first stream and the others projected back: [tokens, n_embd] */
static int32_t close_streams(lm_build *b, int32_t s, int32_t n) {
    lm_graph *g = b->graph;
    int32_t d = b->h->n_embd;
    lm_build_layer(b, b->h->n_layers_all);
    int32_t w = lm_build_tensor(b, "altup_unembd_proj", ".weight", d, d, n - 1, false);
    int32_t x = lm_graph_slice(g, s, n * d, 0, d), others = lm_graph_slice(g, s, n * d, d, (n - 1) * d);
    others = lm_graph_rescale(g, lm_graph_head_linear(g, others, w, &(lm_graph_heads){n - 1, d, d, d, 0, 0}), x);
    for (int32_t i = 0; i < n - 1; i++) x = lm_graph_add(g, x, lm_graph_slice(g, others, (n - 1) * d, i * d, d), -1);
    return lm_graph_scale(g, x, -1, 1 / (float)n);
}

/* cache: of the last own block of this kind, replaced by this block's when it has its own keys. */
static int32_t attention(lm_build *b, bool own, int32_t window, int32_t rope, int32_t *cache, int32_t x) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t n_heads = h->n_heads[b->layer], n_kv = h->n_heads_kv[b->layer], width = h->k_width, q, k, v;
    if (own) {
        *cache = lm_build_cache(b, window);
        lm_build_qkv_of(b, x, n_heads * width, n_kv * width, n_kv * h->v_width, &q, &k, &v);
        k = lm_graph_rotate(g, lm_build_rms(b, "attn_k_norm", k, width), rope, width, 0, 0, 0);
        lm_graph_cache_store(g, *cache, k, lm_graph_norm(g, LM_NORM_RMS, v, -1, -1, h->rms_eps, h->v_width));
    } else {
        q = lm_build_linear(b, "attn_q", x, n_heads * width, -1);
    }
    if (*cache < 0)
        return lm_graph_fail(g, LM_ERR_FORMAT, "block %d shares keys, and no earlier block of its kind has any",
                             (int)b->layer);
    q = lm_graph_rotate(g, lm_build_rms(b, "attn_q_norm", q, width), rope, width, 0, 0, 0);
    int32_t o = lm_graph_attend(g, q, *cache, -1, n_heads, h->v_width, 1, window, 0, 1);
    return lm_build_linear(b, "attn_output", o, h->n_embd, -1); /* [tokens, n_embd] */
}

/* factor: of the deviation above which gate values survive; not finite: all of them do. */
static int32_t feed_forward(lm_build *b, double factor, int32_t x) {
    lm_graph *g = b->graph;
    int32_t y[2], n_ff = b->h->n_ff[b->layer];
    const lm_build_part parts[] = {{"ffn_gate", n_ff}, {"ffn_up", n_ff}};
    lm_build_linears(b, parts, 2, x, y);
    if (factor - factor == 0) y[0] = lm_graph_sparsify(g, y[0], (float)factor);
    return lm_build_linear(b, "ffn_down", lm_graph_glu(g, LM_ACTIVATION_GELU, y[0], y[1], -1), b->h->n_embd, -1);
}

/* n + rms(right(left n)) through a narrow waist */
static int32_t laurel(lm_build *b, int32_t x) {
    int32_t y = lm_build_linear(b, "laurel_r", lm_build_head(b, "laurel_l", x), b->h->n_embd, -1);
    return lm_graph_add(b->graph, lm_build_rms(b, "laurel_post_norm", y, 0), x, -1);
}

static void build(lm_build *b) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t n = lm_build_int_in(b, "altup.num_inputs", 2, 16, 4), d = h->n_embd, caches[2] = {-1, -1};
    int32_t width = lm_build_int_in(b, "embedding_length_per_layer_input", 1, 65536, 256);
    int32_t n_own = lm_build_has(b, "attention.shared_kv_layers")
                        ? h->n_layers - lm_build_int_in(b, "attention.shared_kv_layers", 0, h->n_layers, 0)
                        : 20;
    int32_t window = lm_build_int_in(b, "attention.sliding_window", 1, INT32_MAX / 4, 0);
    float cap = (float)lm_build_float(b, "final_logit_softcapping", 30);
    if (lm_build_int(b, "altup.active_idx", 0) != 0)
        lm_graph_fail(g, LM_ERR_UNSUPPORTED, "key gemma3n.altup.active_idx is not 0");
    int32_t ropes[2] = {lm_build_rope(b, LM_ROPE_HALVES, -1), lm_build_sliding_rope(b)};
    int32_t x = lm_build_embed(b, lm_build_sqrt(d)); /* [tokens, n_embd] */
    int32_t embeddings = lm_build_layer_embeddings(b, x, width), s = open_streams(b, x, n);
    for (int32_t il = 0; il < h->n_layers; il++) {
        lm_build_layer(b, il);
        bool slides = lm_build_slides(b, 5);
        int32_t c =
            lm_build_linear(b, "altup_predict_coef", modalities(b, lm_graph_slice(g, s, n * d, 0, d), n), n * n, -1);
        s = lm_graph_mix(g, s, c, n); /* [tokens, n * n_embd] */
        int32_t p = lm_graph_slice(g, s, n * d, 0, d), normed = lm_build_rms(b, "attn_norm", p, 0);
        int32_t o = attention(b, il < n_own, slides ? window : 0, ropes[slides], &caches[slides], normed);
        o = lm_graph_add(g, lm_build_rms(b, "post_attention_norm", o, 0), p, -1);
        x = lm_graph_scale(g, lm_graph_add(g, o, laurel(b, normed), -1), -1, 1 / lm_build_sqrt(2));
        double factor =
            lm_build_layer_float(b, "activation_sparsity_scale", il, il < 10 ? 1.6448533535003662 : INFINITY);
        int32_t y = feed_forward(b, factor, lm_build_rms(b, "ffn_norm", x, 0));
        x = lm_graph_add(g, lm_build_rms(b, "post_ffw_norm", y, 0), x, -1);
        int32_t change = lm_graph_add(g, lm_graph_scale(g, p, -1, -1), x, -1);
        s = lm_graph_spread(g, change, lm_build_linear(b, "altup_correct_coef", modalities(b, x, n), n, -1), s, n);
        x = lm_graph_slice(g, s, n * d, 0, d);
        int32_t scaled = lm_graph_scale(g, x, lm_build_vector(b, "altup_correct_scale", ".weight", d, false), 1);
        int32_t others = lm_graph_slice(g, s, n * d, d, (n - 1) * d);
        others = lm_graph_spread(g, lm_build_layer_embedding(b, scaled, embeddings, width), -1, others, n - 1);
        s = lm_build_steered(b, lm_graph_concat(g, x, d, others, (n - 1) * d));
    }
    lm_build_output(b, close_streams(b, s, n), cap);
}

const lm_arch lm_arch_gemma3n = {"gemma3n", build, false};
