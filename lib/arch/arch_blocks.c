/* SPDX-License-Identifier: MIT
 * The parts of a transformer that most families share: embedding, projections, rotary configuration, feed-forward, experts, output. */
#include "../base/fp_contract.h"

#include <math.h>
#include <string.h>

#include "../base/real.h"
#include "../base/format.h"
#include "arch_build.h"

#define PI 3.14159265358979323846

static bool scaling_is(lm_build *b, const char *type) {
    char key[128];
    lm_gguf_str text;
    lm_format(key, sizeof key, "%s.rope.scaling.type", b->arch->name);
    if (!lm_gguf_find(b->source->gguf, key)) return strcmp(type, "linear") == 0;
    lm_error error;
    lm_status status = lm_gguf_get_string(b->source->gguf, key, &text, &error);
    if (status != LM_OK) {
        lm_graph_fail(b->graph, status, "%s", error.message);
        return false;
    }
    return text.size == strlen(type) && memcmp(text.data, type, text.size) == 0;
}

float lm_build_sqrt(int32_t n) { return sqrtf((float)n); }

double lm_build_yarn_log(const lm_rope *rope) {
    return rope->ext_factor != 0 && rope->freq_scale < 1 ? lm_real_log(1 / rope->freq_scale) : 0;
}

lm_rope lm_build_rope_config(lm_build *b, lm_rope_pairs pairs, double base, int32_t factors) {
    bool yarn = scaling_is(b, "yarn"), linear = scaling_is(b, "linear");
    if (!yarn && !linear && !scaling_is(b, "none") && !scaling_is(b, "longrope"))
        lm_graph_fail(b->graph, LM_ERR_UNSUPPORTED, "key %s.rope.scaling.type: unknown kind of scaling", b->arch->name);
    double factor = lm_build_float(b, "rope.scaling.factor", lm_build_float(b, "rope.scale_linear", 0));
    if (factor == 0 || scaling_is(b, "none")) factor = 1;
    if (!(factor > 0))
        lm_graph_fail(b->graph, LM_ERR_FORMAT, "key %s.rope.scaling.factor is not positive", b->arch->name);
    lm_rope rope = {
        .n_rot = b->h->n_rot,
        .adjacent = pairs == LM_ROPE_ADJACENT,
        .factors = factors,
        .base = base,
        .freq_scale = 1 / factor,
        .magnitude = lm_build_float(b, "rope.scaling.attn_factor", 1),
    };
    if (yarn) {
        double n_ctx = lm_build_int(b, "rope.scaling.original_context_length", b->h->n_ctx_train),
               log_base = lm_real_log(rope.base);
        double fast = lm_build_float(b, "rope.scaling.yarn_beta_fast", 32),
               slow = lm_build_float(b, "rope.scaling.yarn_beta_slow", 1);
        if (!(fast > 0 && slow > 0 && n_ctx > 0 && log_base > 0))
            lm_graph_fail(b->graph, LM_ERR_FORMAT, "key %s.rope.scaling: YaRN parameters out of range", b->arch->name);
        double low = floor(rope.n_rot * lm_real_log(n_ctx / (2 * PI * fast)) / (2 * log_base));
        double high = ceil(rope.n_rot * lm_real_log(n_ctx / (2 * PI * slow)) / (2 * log_base));
        rope.low = low > 0 ? low < rope.n_rot ? (int32_t)low : rope.n_rot : 0;
        rope.high = high < rope.n_rot - 1 ? high > 0 ? (int32_t)high : 0 : rope.n_rot - 1;
        rope.ext_factor = 1;
        rope.magnitude *= 1 + 0.1 * lm_build_yarn_log(&rope);
    }
    return rope;
}

int32_t lm_build_rope(lm_build *b, lm_rope_pairs pairs, int32_t factors) {
    lm_rope rope = lm_build_rope_config(b, pairs, b->h->rope_base, factors);
    return lm_graph_rope(b->graph, &rope);
}

int32_t lm_build_sliding_rope(lm_build *b) {
    lm_rope rope = {.n_rot = b->h->n_rot,
                    .factors = -1,
                    .base = lm_build_float(b, "rope.freq_base_swa", 10000),
                    .freq_scale = 1,
                    .magnitude = 1};
    if (!(rope.base > 0))
        lm_graph_fail(b->graph, LM_ERR_FORMAT, "key %s.rope.freq_base_swa is not positive", b->arch->name);
    return lm_graph_rope(b->graph, &rope);
}

int32_t lm_build_long_factors(lm_build *b) {
    int32_t original = lm_build_int(b, "rope.scaling.original_context_length", b->h->n_ctx_train);
    const char *name = b->options->n_ctx > original ? "rope_factors_long" : "rope_factors_short";
    return lm_build_tensor(b, name, ".weight", b->h->n_rot / 2, 1, 1, true);
}

int32_t lm_build_rope_factors(lm_build *b) {
    return scaling_is(b, "longrope") ? lm_build_long_factors(b)
                                     : lm_build_tensor(b, "rope_freqs", ".weight", b->h->n_rot / 2, 1, 1, true);
}

int32_t lm_build_embed(lm_build *b, float scale) {
    int32_t table = lm_build_tensor(b, "token_embd", ".weight", b->h->n_embd, 0, 1, false);
    int32_t x = lm_graph_embed(b->graph, table, scale, LM_EMBED_TOKEN, 0);
    return lm_build_adapted_embedding(b, scale, x);
}

void lm_build_qkv_of(lm_build *b, int32_t x, int32_t q_width, int32_t k_width, int32_t v_width, int32_t *q, int32_t *k,
                     int32_t *v) {
    int32_t y[3], total = q_width + k_width + v_width;
    if (lm_build_exists(b, "attn_qkv", ".weight")) {
        int32_t fused = lm_build_linear(b, "attn_qkv", x, total, -1);
        *q = lm_graph_slice(b->graph, fused, total, 0, q_width);
        *k = lm_graph_slice(b->graph, fused, total, q_width, k_width);
        *v = lm_graph_slice(b->graph, fused, total, q_width + k_width, v_width);
        return;
    }
    const lm_build_part parts[] = {{"attn_q", q_width}, {"attn_k", k_width}, {"attn_v", v_width}};
    lm_build_linears(b, parts, 3, x, y);
    *q = y[0], *k = y[1], *v = y[2];
}

void lm_build_qkv(lm_build *b, int32_t x, int32_t *q, int32_t *k, int32_t *v) {
    const lm_hparams *h = b->h;
    int32_t n_kv = h->n_heads_kv[b->layer];
    lm_build_qkv_of(b, x, h->n_heads[b->layer] * h->k_width, n_kv * h->k_width, n_kv * h->v_width, q, k, v);
}

int32_t lm_build_cache_of(lm_build *b, int32_t window, int32_t n_heads_kv, int32_t k_width, int32_t v_width) {
    lm_graph *g = b->graph;
    if (n_heads_kv <= 0)
        return lm_graph_fail(b->graph, LM_ERR_FORMAT, "block %d has no key-value heads", (int)b->layer);
    lm_cache_layer layer = {
        .group = lm_graph_cache_group(b->graph, window),
        .n_heads_kv = n_heads_kv,
        .k_width = k_width,
        .v_width = v_width,
        .k_type = b->h->causal ? b->options->k_type : LM_DTYPE_F32,
        .v_type = b->h->causal ? b->options->v_type : LM_DTYPE_F32,
    };
    /* An encoder's keys and values are of no use once their block has run: blocks of one shape take turns in one cache layer. */
    for (size_t i = 0; i < g->cache_layers.count && !b->h->causal; i++) {
        const lm_cache_layer *c = &g->cache_layers.data[i];
        if (c->group == layer.group && c->n_heads_kv == n_heads_kv && c->k_width == k_width && c->v_width == v_width)
            return (int32_t)i;
    }
    return lm_graph_cache_layer(g, &layer);
}

int32_t lm_build_cache(lm_build *b, int32_t window) {
    return lm_build_cache_of(b, window, b->h->n_heads_kv[b->layer], b->h->k_width, b->h->v_width);
}

int32_t lm_build_ffn(lm_build *b, int32_t act, int32_t x, int32_t n_ff, int32_t residual) {
    int32_t y[2];
    const lm_build_part parts[] = {{"ffn_gate", n_ff}, {"ffn_up", n_ff}};
    lm_build_linears(b, parts, 2, x, y);                          /* [tokens, n_ff] twice */
    int32_t hidden = lm_graph_glu(b->graph, act, y[0], y[1], -1); /* [tokens, n_ff] */
    return lm_build_linear(b, "ffn_down", hidden, b->h->n_embd, residual);
}

int32_t lm_build_gating(lm_build *b, int32_t otherwise) {
    int32_t gating = lm_build_int_in(b, "expert_gating_func", 0, LM_GATING_SQRT_SOFTPLUS, 0);
    return gating ? gating : otherwise;
}

void lm_build_route(lm_build *b, const lm_build_moe_params *p, int32_t logits, int32_t *ids, int32_t *weights) {
    const lm_hparams *h = b->h;
    int32_t bias = lm_build_vector(b, "exp_probs_b", ".bias", h->n_experts, true);
    lm_graph_route(b->graph, logits, bias, p->gating, h->n_experts_used, h->n_expert_groups, h->n_expert_groups_used,
                   p->normalise, p->scale, ids, weights);
}

int32_t lm_build_experts(lm_build *b, const lm_build_moe_params *p, int32_t x, int32_t ids, int32_t weights,
                         int32_t residual) {
    const lm_hparams *h = b->h;
    int32_t n = h->n_experts;
    lm_graph_experts_weights w = {.up = -1, .up_bias = -1, .up_scale = -1};
    if (lm_build_exists(b, "ffn_gate_up_exps", ".weight")) {
        w.gate = lm_build_tensor(b, "ffn_gate_up_exps", ".weight", h->n_embd, 2 * (int64_t)p->width, n, false);
        w.gate_bias = lm_build_tensor(b, "ffn_gate_up_exps", ".bias", 2 * (int64_t)p->width, n, 1, true);
        w.gate_scale = lm_build_tensor(b, "ffn_up_exps", ".scale", n, 1, 1, true);
    } else {
        w.gate = lm_build_tensor(b, "ffn_gate_exps", ".weight", h->n_embd, p->width, n, false);
        w.up = lm_build_tensor(b, "ffn_up_exps", ".weight", h->n_embd, p->width, n, false);
        w.gate_bias = lm_build_tensor(b, "ffn_gate_exps", ".bias", p->width, n, 1, true);
        w.up_bias = lm_build_tensor(b, "ffn_up_exps", ".bias", p->width, n, 1, true);
        w.gate_scale = lm_build_tensor(b, "ffn_gate_exps", ".scale", n, 1, 1, true);
        w.up_scale = lm_build_tensor(b, "ffn_up_exps", ".scale", n, 1, 1, true);
    }
    w.down = lm_build_tensor(b, "ffn_down_exps", ".weight", p->width, h->n_embd, n, false);
    w.down_bias = lm_build_tensor(b, "ffn_down_exps", ".bias", h->n_embd, n, 1, true);
    w.down_scale = lm_build_tensor(b, "ffn_down_exps", ".scale", n, 1, 1, true);
    return lm_build_experts_of(b, p, &w, x, ids, weights, residual);
}

int32_t lm_build_moe(lm_build *b, const lm_build_moe_params *p, int32_t x, int32_t residual) {
    int32_t ids, weights;
    lm_build_route(b, p, lm_build_linear(b, "ffn_gate_inp", x, b->h->n_experts, -1), &ids, &weights);
    return lm_build_experts(b, p, x, ids, weights, residual);
}

int32_t lm_build_shared_expert(lm_build *b, int32_t act, int32_t x, int32_t n_ff, int32_t residual) {
    int32_t y[2];
    const lm_build_part parts[] = {{"ffn_gate_shexp", n_ff}, {"ffn_up_shexp", n_ff}};
    lm_build_linears(b, parts, 2, x, y);
    return lm_build_linear(b, "ffn_down_shexp", lm_graph_glu(b->graph, act, y[0], y[1], -1), b->h->n_embd, residual);
}

int32_t lm_build_gated_shared_expert(lm_build *b, int32_t x, int32_t n_ff, int32_t residual) {
    int32_t shared = lm_build_shared_expert(b, LM_ACTIVATION_SILU, x, n_ff, -1);
    /* The gate's weights may be stored as a vector: as a matrix of one row they are the same bytes. */
    int32_t w = lm_build_tensor(b, "ffn_gate_inp_shexp", ".weight", lm_graph_width(b->graph, x), 1, 1, false);
    int32_t gate = lm_build_adapted(b, "ffn_gate_inp_shexp", x, lm_graph_linear(b->graph, x, w, -1, -1, -1));
    return lm_graph_glu(b->graph, LM_ACTIVATION_SIGMOID, gate, shared, residual);
}

void lm_build_output(lm_build *b, int32_t x, float softcap) { lm_build_output_of(b, "output_norm", x, softcap); }

int32_t lm_build_layer_embeddings(lm_build *b, int32_t x, int32_t width) {
    lm_graph *g = b->graph;
    int32_t n_embd = b->h->n_embd, total = width * b->h->n_layers_all;
    int32_t table = lm_build_tensor(b, "per_layer_token_embd", ".weight", total, b->h->n_vocab_in, 1, false);
    int32_t row = lm_graph_embed(g, table, lm_build_sqrt(width), LM_EMBED_TOKEN, 0);
    int32_t projected =
        lm_graph_scale(g, lm_build_linear(b, "per_layer_model_proj", x, total, -1), -1, 1 / lm_build_sqrt(n_embd));
    projected = lm_build_rms(b, "per_layer_proj_norm", projected, width);
    return lm_graph_scale(g, lm_graph_add(g, projected, row, -1), -1, 1 / lm_build_sqrt(2));
}

int32_t lm_build_layer_embedding(lm_build *b, int32_t x, int32_t embeddings, int32_t width) {
    lm_graph *g = b->graph;
    int32_t p = lm_graph_slice(g, embeddings, lm_graph_width(g, embeddings), b->layer * width, width);
    p = lm_graph_glu(g, LM_ACTIVATION_GELU, lm_build_linear(b, "inp_gate", x, width, -1), p, -1);
    return lm_build_rms(b, "post_norm", lm_build_linear(b, "proj", p, b->h->n_embd, -1), 0);
}

/* Scores of the classifier: tanh(cls x) where the file has cls, then cls.output. */
static int32_t classify(lm_build *b, int32_t x) {
    lm_graph *g = b->graph;
    bool hidden = lm_build_exists(b, "cls", ".weight"), output = lm_build_exists(b, "cls.output", ".weight");
    if (!hidden && !output)
        return lm_graph_fail(g, LM_ERR_UNSUPPORTED, "pooling RANK: the model has no classifier (cls, cls.output)");
    if (hidden) x = lm_graph_act(g, LM_ACTIVATION_TANH, lm_build_head(b, "cls", x));
    return output ? lm_build_head(b, "cls.output", x) : x;
}

static int32_t pooled(lm_build *b, int32_t x) {
    lm_graph *g = b->graph;
    int32_t kind = b->options->pooling;
    if (kind == LM_POOLING_RANK)
        return classify(b, lm_graph_pool(g, x, b->h->causal ? LM_POOLING_LAST : LM_POOLING_CLS, 0));
    x = lm_graph_pool(g, x, kind, 0); /* [sequences, n_embd] */
    if (lm_build_exists(b, "dense_2", ".weight")) x = lm_build_head(b, "dense_2", x);
    return lm_build_exists(b, "dense_3", ".weight") ? lm_build_head(b, "dense_3", x) : x;
}

void lm_build_embeddings(lm_build *b, int32_t x) {
    lm_build_layer(b, b->h->n_layers_all);
    int32_t outputs = b->options->outputs;
    if (outputs & LM_ARCH_POOLED) b->graph->pooled = pooled(b, x);
    if (outputs & LM_ARCH_HIDDEN) b->graph->hidden = lm_graph_gather(b->graph, x);
}

void lm_build_output_of(lm_build *b, const char *norm, int32_t x, float softcap) {
    lm_build_layer(b, b->h->n_layers_all);
    lm_graph *g = b->graph;
    /* Pooling reads every row, the rest only those whose output is wanted; a norm of fewer rows gives them the same bits. */
    if (b->options->outputs & LM_ARCH_POOLED) {
        lm_build_embeddings(b, lm_build_rms(b, norm, x, 0));
        if (!(b->options->outputs & LM_ARCH_LOGITS)) return;
    }
    if (b->options->outputs & LM_ARCH_DRAFT) /* the draft block reads every row, too */
        x = lm_graph_gather(g, b->normed = lm_build_rms(b, norm, x, 0));
    else
        x = lm_build_rms(b, norm, lm_graph_gather(g, x), 0); /* [outputs, n_embd] */
    if (b->options->outputs & LM_ARCH_HIDDEN) g->hidden = x;
    if (!(b->options->outputs & LM_ARCH_LOGITS)) return;
    const char *name = lm_build_exists(b, "output", ".weight") ? "output" : "token_embd";
    int32_t logits = lm_build_linear(b, name, x, b->h->n_vocab, -1); /* [outputs, n_vocab] */
    g->logits = softcap > 0 ? lm_graph_softcap(g, logits, softcap) : logits;
}
