/* SPDX-License-Identifier: MIT
 * The hybrids qwen3next, qwen35 and qwen35moe: three blocks of Gated DeltaNet for one of gated full attention ("Gated Delta Networks",
 * arXiv 2412.06464; Qwen3-Next and Qwen3.5 model cards).
 *
 *   x ─┬─ rms ─┬ DeltaNet: qkv ─ short conv·silu ─ delta rule(alpha, beta) ─ rms per head · silu(z) ─ out ┬─ + ─┬─ rms ─ ffn ─ + ─ x
 *      │       └ attention: q, gate, k, v ─ rms per head ─ rope ─ attend · sigmoid(gate) ─ out ───────────┘   │ └───────────┘
 *      └─────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * rope.dimension_sections deal the rotary pairs out to the axes of images; text has one position on all of them, whatever they are.
 * post_attention_norm is the norm before the feed-forward. A value head reads the key head h / repeat (qwen3next) or h mod n_k (qwen35,
 * whose converter reordered all that is indexed by value heads). The draft block is one of full attention. */
#include "families.h"

#include <string.h>

#include "../base/format.h"
#include "arch_build.h"

typedef struct delta_shape {
    int32_t n_k, n_v, k_width, v_width, n_taps, channels; /* channels: of the convolution, q then k then v */
    bool grouped;
} delta_shape;

static delta_shape read_shape(lm_build *b) {
    delta_shape d = {
        .n_k = lm_build_int_in(b, "ssm.group_count", 1, 1024, 0),
        .n_v = lm_build_int_in(b, "ssm.time_step_rank", 1, 1024, 0),
        .k_width = lm_build_int_in(b, "ssm.state_size", 1, 1024, 0),
        .n_taps = lm_build_int_in(b, "ssm.conv_kernel", 2, 16, 0),
        .grouped = strcmp(b->arch->name, "qwen3next") == 0,
    };
    int32_t inner = lm_build_int_in(b, "ssm.inner_size", 1, 1 << 20, 0);
    if (!lm_build_bool(b, "ssm.v_head_reordered",
                       true)) /* of another converter: its value heads are those of qwen3next */
        lm_graph_fail(b->graph, LM_ERR_UNSUPPORTED, "key %s.ssm.v_head_reordered is false", b->arch->name);
    if (b->graph->status == LM_OK && (d.n_v % d.n_k || inner % d.n_v))
        lm_graph_fail(b->graph, LM_ERR_FORMAT, "keys %s.ssm.*: sizes that do not divide", b->arch->name);
    if (b->graph->status != LM_OK) return (delta_shape){1, 1, 1, 1, 2, 3, false};
    d.v_width = inner / d.n_v;
    d.channels = 2 * d.n_k * d.k_width + inner;
    return d;
}

/* Whether block il is recurrent: a list in the file, else all but every n-th. */
static bool is_recurrent(lm_build *b, int32_t il) {
    char key[128];
    int64_t flag;
    lm_format(key, sizeof key, "%s.attention.recurrent_layers", b->arch->name);
    const lm_gguf_value *list = lm_gguf_find(b->source->gguf, key);
    if (list && lm_gguf_element_int(list, list->type == LM_GGUF_ARRAY ? (uint64_t)il : 0, &flag)) return flag != 0;
    int32_t interval = lm_build_int(b, "full_attention_interval", 4);
    return interval > 0 && (il + 1) % interval != 0;
}

/* attn_q holds, head by head, the query and its gate. */
static int32_t attention(lm_build *b, int32_t rope, int32_t x, int32_t residual) {
    const lm_hparams *h = b->h;
    lm_graph *g = b->graph;
    int32_t q, k, v, n_heads = h->n_heads[b->layer], n_kv = h->n_heads_kv[b->layer], width = h->k_width,
                     cache = lm_build_cache(b, 0);
    lm_build_qkv_of(b, x, 2 * n_heads * width, n_kv * width, n_kv * h->v_width, &q, &k, &v);
    int32_t gate = lm_graph_slice(g, q, 2 * width, width, width); /* [tokens, n_heads * k_width] */
    q = lm_build_rms(b, "attn_q_norm", lm_graph_slice(g, q, 2 * width, 0, width), width);
    k = lm_build_rms(b, "attn_k_norm", k, width);
    q = lm_graph_rotate(g, q, rope, width, 0, 0, 0);
    k = lm_graph_rotate(g, k, rope, width, 0, 0, 0);
    lm_graph_cache_store(g, cache, k, v);
    int32_t o = lm_graph_attend(g, q, cache, -1, n_heads, h->v_width, 1 / lm_build_sqrt(width), 0, 0, 1);
    return lm_build_linear(b, "attn_output", lm_graph_glu(g, LM_ACTIVATION_SIGMOID, gate, o, -1), h->n_embd, residual);
}

/* Inputs of the delta rule: convolved channels c, gate z, decay a and write strength beta, in their file forms. */
static void project(lm_build *b, const delta_shape *d, int32_t x, int32_t *c, int32_t *z, int32_t *a, int32_t *beta) {
    lm_graph *g = b->graph;
    int32_t inner = d->n_v * d->v_width, repeat = d->n_v / d->n_k, y[4];
    if (!d->grouped) {
        const lm_build_part parts[] = {
            {"attn_qkv", d->channels}, {"attn_gate", inner}, {"ssm_beta", d->n_v}, {"ssm_alpha", d->n_v}};
        lm_build_linears(b, parts, 4, x, y);
        *c = y[0], *z = y[1], *beta = y[2], *a = y[3];
        return;
    }
    if (lm_build_exists(b, "ssm_in",
                        ".weight")) { /* older files: per key head [q | k | v of its value heads | z of them] */
        int32_t v = repeat * d->v_width, group = 2 * d->k_width + 2 * v, keys = d->n_k * d->k_width;
        const lm_build_part parts[] = {{"ssm_in", d->n_k * group}, {"ssm_ba", 2 * d->n_v}};
        lm_build_linears(b, parts, 2, x, y);
        int32_t q = lm_graph_slice(g, y[0], group, 0, d->k_width),
                k = lm_graph_slice(g, y[0], group, d->k_width, d->k_width);
        int32_t values = lm_graph_slice(g, y[0], group, 2 * d->k_width, v);
        *z = lm_graph_slice(g, y[0], group, 2 * d->k_width + v, v);
        *c = lm_graph_concat(g, lm_graph_concat(g, q, keys, k, keys), 2 * keys, values, inner);
        y[2] = y[1];
    } else {
        const lm_build_part parts[] = {{"attn_qkv", d->channels}, {"attn_gate", inner}, {"ssm_ba", 2 * d->n_v}};
        lm_build_linears(b, parts, 3, x, y);
        *c = y[0], *z = y[1];
    }
    *beta = lm_graph_slice(g, y[2], 2 * repeat, 0, repeat);
    *a = lm_graph_slice(g, y[2], 2 * repeat, repeat, repeat);
}

static int32_t delta_net(lm_build *b, const delta_shape *d, int32_t x, int32_t residual) {
    lm_graph *g = b->graph;
    int32_t c, z, a, beta;
    project(b, d, x, &c, &z, &a, &beta);
    int32_t conv_state = lm_graph_state_layer(g, (int64_t)(d->n_taps - 1) * d->channels);
    int32_t state = lm_graph_state_layer(g, (int64_t)d->n_v * d->k_width * d->v_width);
    int32_t taps = lm_build_tensor(b, "ssm_conv1d", ".weight", d->n_taps, d->channels, 1, false);
    c = lm_graph_short_conv(g, c, taps, d->n_taps, LM_ACTIVATION_SILU, conv_state); /* [tokens, channels] */
    int32_t o = lm_graph_delta_rule(g, c, a, beta, lm_build_vector(b, "ssm_a", "", d->n_v, false),
                                    lm_build_vector(b, "ssm_dt", ".bias", d->n_v, false), state, d->n_k, d->n_v,
                                    d->k_width, d->v_width, d->grouped, b->h->rms_eps); /* [tokens, n_v * v_width] */
    o = lm_graph_glu(g, LM_ACTIVATION_SILU, z, lm_build_rms(b, "ssm_norm", o, d->v_width), -1);
    return lm_build_linear(b, "ssm_out", o, b->h->n_embd, residual);
}

static int32_t feed_forward(lm_build *b, int32_t x, int32_t residual) {
    const lm_hparams *h = b->h;
    if (h->n_experts == 0) return lm_build_ffn(b, LM_ACTIVATION_SILU, x, h->n_ff[b->layer], residual);
    int32_t width = h->n_ff_expert > 0 ? h->n_ff_expert : h->n_ff[b->layer] / h->n_experts_used;
    lm_build_moe_params p = {.act = LM_ACTIVATION_SILU, .gating = LM_GATING_SOFTMAX, .width = width, .normalise = true};
    return lm_build_gated_shared_expert(b, x, h->n_ff_shared > 0 ? h->n_ff_shared : h->n_ff[b->layer],
                                        lm_build_moe(b, &p, x, residual));
}

static int32_t block(lm_build *b, const delta_shape *d, int32_t rope, bool recurrent, int32_t x) {
    int32_t normed = lm_build_rms(b, "attn_norm", x, 0);
    x = recurrent ? delta_net(b, d, normed, x) : attention(b, rope, normed, x);
    return feed_forward(b, lm_build_rms(b, "post_attention_norm", x, 0), x);
}

static void build(lm_build *b) {
    int32_t x = lm_build_embed(b, 1), rope = lm_build_rope(b, LM_ROPE_HALVES, -1); /* [tokens, n_embd] */
    delta_shape d = read_shape(b);
    for (int32_t il = 0; il < b->h->n_layers; il++) {
        lm_build_layer(b, il);
        x = lm_build_steered(b, block(b, &d, rope, is_recurrent(b, il), x));
    }
    lm_build_output(b, x, 0);
    if (lm_build_draft_begin(b, &x)) lm_build_draft_end(b, block(b, &d, rope, false, x));
}

const lm_arch lm_arch_qwen3next = {"qwen3next", build, false};
const lm_arch lm_arch_qwen35 = {"qwen35", build, false};
const lm_arch lm_arch_qwen35moe = {"qwen35moe", build, false};
