/* SPDX-License-Identifier: MIT
 * What family files are written with: weights by name with their shapes checked, and the blocks most families share. A weight's
 * name is given without "blk.N." and ".weight". Shapes in comments are [tokens, width]. */
#ifndef LM_ARCH_ARCH_BUILD_H
#define LM_ARCH_ARCH_BUILD_H

#include "arch.h"

struct lm_build {
    lm_graph *graph;
    const lm_arch *arch;
    const lm_arch_source *source;
    const lm_hparams *h;
    const lm_arch_options *options;
    int32_t layer;     /* block being built, -1 outside */
    int32_t n_steered; /* blocks that lm_build_steered has seen */
    int32_t normed;    /* what lm_build_output made of every token, [tokens, n_embd], for LM_ARCH_DRAFT; else -1 */
};

/* ---- metadata of the family: "key" without the architecture's prefix; a value of the wrong type fails the build ---- */
bool lm_build_has(lm_build *b, const char *key);
int32_t lm_build_int(lm_build *b, const char *key, int32_t otherwise); /* in [0, INT32_MAX] */
/* otherwise below least: the key is required */
int32_t lm_build_int_in(lm_build *b, const char *key, int32_t least, int32_t most, int32_t otherwise);
double lm_build_float(lm_build *b, const char *key, double otherwise);
bool lm_build_bool(lm_build *b, const char *key, bool otherwise);
/* Entry il of an array with one per block, or the scalar. */
double lm_build_layer_float(lm_build *b, const char *key, int32_t il, double otherwise);
/* Whether this block sees a sliding window, by attention.sliding_window_pattern: a flag per block, or a number n (`otherwise` where the
 * file has neither): every n-th block sees everything (1: none slides, 0: all slide). */
bool lm_build_slides(lm_build *b, int32_t otherwise);

/* ---- weights ---- */

/* Enter a block: names from here on belong to it, operations carry its number. */
void lm_build_layer(lm_build *b, int32_t layer);
/* blk.N.NAME (or NAME outside the blocks) with suffix, written to out. */
#define LM_BUILD_NAME_SIZE 160
const char *lm_build_name(const lm_build *b, const char *name, const char *suffix, char *out);
/* The tensor blk.N.NAME (or NAME outside the blocks) with suffix, of shape [ne0, ne1, ne2] (0: any). Missing: fails, or -1 when optional. */
int32_t lm_build_tensor(lm_build *b, const char *name, const char *suffix, int64_t ne0, int64_t ne1, int64_t ne2,
                        bool optional);
bool lm_build_exists(lm_build *b, const char *name, const char *suffix);

/* y = scale (W x) + bias (+ residual); bias and scale where the file has them. residual -1: none. */
int32_t lm_build_linear(lm_build *b, const char *name, int32_t x, int32_t n_out, int32_t residual);
/* The same for a matrix whose number of outputs the file decides. */
int32_t lm_build_head(lm_build *b, const char *name, int32_t x);
/* Several matrices over one input, in one operation. */
typedef struct lm_build_part {
    const char *name;
    int32_t n_out;
} lm_build_part;
void lm_build_linears(lm_build *b, const lm_build_part *parts, int32_t n, int32_t x, int32_t *y);
/* The vector NAME.weight of n floats, or -1 when optional and missing. */
int32_t lm_build_vector(lm_build *b, const char *name, const char *suffix, int64_t n, bool optional);
/* Layer norm with weight and, where the file has it, bias; epsilon from attention.layer_norm_epsilon. */
int32_t lm_build_layer_norm(lm_build *b, const char *name, int32_t x);
/* x * w / rms(x), over groups of `group` values (0: the whole row). */
int32_t lm_build_rms(lm_build *b, const char *name, int32_t x, int32_t group);

/* ---- adapters ---- */

/* y, the result of matrix `name` for x, with what adapters add. lm_build_linear(s) and _head do this themselves. */
int32_t lm_build_adapted(lm_build *b, const char *name, int32_t x, int32_t y);
/* The same for a matrix per head. */
int32_t lm_build_adapted_heads(lm_build *b, const char *name, int32_t x, const lm_graph_heads *heads, int32_t y);
/* The same for rows of the embedding, scaled like them. lm_build_embed does this itself. */
int32_t lm_build_adapted_embedding(lm_build *b, float scale, int32_t y);
/* The hidden state a block ends with (each of its streams), plus its direction. Every decoder calls this at the end of each block. */
int32_t lm_build_steered(lm_build *b, int32_t x);
/* Fail when an adapter's tensor was not applied. */
void lm_build_check_adapters(lm_build *b);

/* ---- shared blocks ---- */

float lm_build_sqrt(int32_t n);

/* Rotary configuration from the file's scaling keys. factors: tensor or -1. */
typedef enum lm_rope_pairs { LM_ROPE_HALVES = 0, LM_ROPE_ADJACENT = 1 } lm_rope_pairs;
int32_t lm_build_rope(lm_build *b, lm_rope_pairs pairs, int32_t factors);
/* Of Gemma's sliding blocks: halves, base rope.freq_base_swa, no scaling. */
int32_t lm_build_sliding_rope(lm_build *b);
/* Divisors of the frequencies, or -1: rope_freqs, or with scaling of type longrope the long or short factors. */
int32_t lm_build_rope_factors(lm_build *b);
/* rope_factors_long when the context is longer than the original one, else rope_factors_short. */
int32_t lm_build_long_factors(lm_build *b);
/* The same, with the parts a family computes differently. */
lm_rope lm_build_rope_config(lm_build *b, lm_rope_pairs pairs, double base, int32_t factors);
/* ln of the factor that YaRN's magnitude grows with; 0 without YaRN, or where it does not stretch. */
double lm_build_yarn_log(const lm_rope *rope);

/* x = token_embd[token] * scale: [tokens, n_embd] */
int32_t lm_build_embed(lm_build *b, float scale);
/* q, k, v = projections of x, from attn_q, attn_k, attn_v or a fused attn_qkv. */
void lm_build_qkv(lm_build *b, int32_t x, int32_t *q, int32_t *k, int32_t *v);
/* The same with head widths other than the common ones. */
void lm_build_qkv_of(lm_build *b, int32_t x, int32_t q_width, int32_t k_width, int32_t v_width, int32_t *q, int32_t *k,
                     int32_t *v);
/* Cache layer of this block with the common head sizes; window 0: full attention. */
int32_t lm_build_cache(lm_build *b, int32_t window);
int32_t lm_build_cache_of(lm_build *b, int32_t window, int32_t n_heads_kv, int32_t k_width, int32_t v_width);
/* y = down(act(gate x) * up x) + residual, from ffn_gate, ffn_up, ffn_down. */
int32_t lm_build_ffn(lm_build *b, int32_t act, int32_t x, int32_t n_ff, int32_t residual);
/* Routed experts over x plus residual: ffn_gate_inp, ffn_gate_exps, ffn_up_exps (or ffn_gate_up_exps), ffn_down_exps. */
typedef struct lm_build_moe_params {
    int32_t act, gating, width; /* width: of an expert */
    bool normalise;
    float scale;
} lm_build_moe_params;
int32_t lm_build_moe(lm_build *b, const lm_build_moe_params *p, int32_t x, int32_t residual);
/* Its two halves, for families whose router and experts read different rows. logits: [tokens, n_experts] */
void lm_build_route(lm_build *b, const lm_build_moe_params *p, int32_t logits, int32_t *ids, int32_t *weights);
int32_t lm_build_experts(lm_build *b, const lm_build_moe_params *p, int32_t x, int32_t ids, int32_t weights,
                         int32_t residual);
/* The same with weights that are at hand; where adapters add to them, as one operation per matrix. */
int32_t lm_build_experts_of(lm_build *b, const lm_build_moe_params *p, const lm_graph_experts_weights *w, int32_t x,
                            int32_t ids, int32_t weights, int32_t residual);
/* The lm_gating of expert_gating_func; otherwise where the file does not say or says 0. */
int32_t lm_build_gating(lm_build *b, int32_t otherwise);
/* down(act(gate x) * up x) + residual of the shared expert, ffn_*_shexp; its width is n_ff. */
int32_t lm_build_shared_expert(lm_build *b, int32_t act, int32_t x, int32_t n_ff, int32_t residual);
/* The same times sigmoid(ffn_gate_inp_shexp . x). */
int32_t lm_build_gated_shared_expert(lm_build *b, int32_t x, int32_t n_ff, int32_t residual);
/* Final norm, the rows whose output is wanted, and logits (output.weight, or the embedding when tied). */
void lm_build_output(lm_build *b, int32_t x, float softcap);
/* The same when the final norm has another name than output_norm. */
void lm_build_output_of(lm_build *b, const char *norm, int32_t x, float softcap);

/* The appended draft block ("DeepSeek-V3", arXiv 2412.19437, section 2.2), after lm_build_output: true when it is wanted. *x is then its
 * input, [tokens, n_embd], and the block's number is entered; the family builds the block and hands its result to _end. */
bool lm_build_draft_begin(lm_build *b, int32_t *x);
void lm_build_draft_end(lm_build *b, int32_t x);

/* Per-layer embeddings of Gemma: for all blocks, (rms(model_proj x / sqrt(n_embd)) + table row * sqrt(width)) / sqrt(2), [tokens,
 * width * n_layers]; and what this block adds, rms(proj(gelu(inp_gate x) * its slice)), [tokens, n_embd]. */
int32_t lm_build_layer_embeddings(lm_build *b, int32_t x, int32_t width);
int32_t lm_build_layer_embedding(lm_build *b, int32_t x, int32_t embeddings, int32_t width);
/* What is read of x, [tokens, n_embd] after the last norm, besides logits: hidden rows, and pooled rows with the heads after them. */
void lm_build_embeddings(lm_build *b, int32_t x);

#endif
