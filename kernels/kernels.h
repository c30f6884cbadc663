/* SPDX-License-Identifier: MIT
 * The kernel table: one slot per operation, and the contract of each slot. kernels.c fills the table with the C reference
 * (generic/), then lets every instruction set the machine has override it, lowest to highest.
 *
 * Kernels are leaves: pointers and sizes in, numbers out; no allocation, no status, no threads. A slot marked "exact" gives
 * the same bits on every level, for every tile, batch and thread count: integer sums in any order, and around them the float
 * steps written here and no others. fma(a, b, c) rounds once. "lanes(n)" is the fixed float reduction: 16 virtual lanes, lane
 * i takes elements i, i+16, ... in ascending order, then lane i += lane i+8, then += i+4, += i+2, += i+1 (lane 0 is the sum).
 * No kernel reads or writes outside the operands drawn. NaN and infinite block scales never crash; which NaN comes out is open. */
#ifndef LM_KERNELS_KERNELS_H
#define LM_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "cpu.h"

#define LM_KERNEL_TYPES 43 /* block types are numbered as in GGUF files (blocks.h) */

/* ---- activations of a matrix product ----------------------------------------------------------------------------------- */

/* How a weight type wants the other operand. */
enum lm_act_kind {
    LM_ACT_NONE = 0,   /* no matrix product with this type */
    LM_ACT_F32 = 1,    /* floats as they are */
    LM_ACT_Q8_32 = 2,  /* int8 in [-127, 127], one f32 scale per 32 values */
    LM_ACT_Q8_256 = 3  /* the same with one scale per 256 values */
};

/* n columns (tokens) of k values (k a multiple of 32, of 256 for Q8_256; any for F32). Column c: values at q + c*k, scales at
 * scale + c*(k/32 or k/256), sums of 16 quants at sum16 + c*(k/16), sums of 32 at sum32 + c*(k/32); F32: f32 + c*f32_stride. */
typedef struct lm_acts {
    int32_t kind, n, k;
    int8_t *q;        /* 64-byte aligned */
    float *scale;
    int16_t *sum16;
    int16_t *sum32;
    const float *f32;
    size_t f32_stride; /* floats from column to column */
} lm_acts;

/* Bytes a buffer for n quantised columns needs (0 for F32), and an lm_acts over such a buffer (64-byte aligned). */
size_t lm_acts_bytes(int32_t kind, int32_t n, int32_t k);
void lm_acts_bind(lm_acts *acts, int32_t kind, int32_t n, int32_t k, void *buffer);

/* Quantise column c of acts from x[0..k). Exact. Per group of 32 (or 256):
 *   top = max |x_i|;  inverse = top > 0 ? 127 / top : 0, and 0 when that is infinite
 *   u_i = x_i * inverse clamped to [-127, 127], a NaN counts as 0;  q_i = u_i rounded to nearest even
 *   scale = top / 127, and 0 when all q_i are 0
 *   groups of 32 only: scale *= lanes(32) over fma(u_i, q_i, lane) / (float)(sum of q_i^2)
 * The last step is the least-squares scale for these q: it takes one of 32 degrees of freedom out of the rounding error and lowers the
 * KL divergence of Q4_0 and Q8_0 models by 10 to 20 % for one more pass over the group; in groups of 256 it gains nothing. */
typedef void LM_KERNEL lm_quantize_fn(lm_acts *acts, int32_t c, const float *x);

/* ---- matrix products --------------------------------------------------------------------------------------------------- */

/* out[c*out_stride + r] = row r . column c for rows [0, n_rows) of w (rows row_bytes apart) and columns [first, first + n) of
 * acts. Exact; acc starts at +0, blocks in ascending order of k. d, dmin: the block's scales as f32; s: the column's scale of
 * that group; isum, imin: exact int32 sums (generic/dot_*.c is the authority, one file per family).
 *   types with blocks of 32..128 (Q4_0 Q5_0 Q8_0 IQ4_NL MXFP4 Q1_0 Q2_0), Q8_32:   acc = fma(d*s, (float)isum, acc) per 32
 *   NVFP4:                                      the same per 16 (its scales), s the scale of the 32
 *   Q4_1 Q5_1:                                  acc = fma(d*s, (float)isum, acc); acc = fma(m*s, (float)asum, acc) per 32
 *   types with blocks of 256, Q8_256:           acc = fma(d*s, (float)isum, acc) per 256, isum = sum of subscale * (q . a)
 *                                               (dot_iq.c: codebook types, with d a power of two smaller so that q is integer),
 *                                               then, if the type has minima, acc = fma(-(dmin*s), (float)imin, acc)
 *   F32 F16 BF16 (LM_ACT_F32):                  lanes(k) over fma(w_i, x_i, lane) with w_i converted to f32
 * matvec: 1 <= n <= 4, one pass over the weights where they are common (else one for each column). matmul (NULL where a level has none: the caller then uses matvec in groups
 * of 4): any n; form is the slot's, panel comes from pack; work is scratch of matmul_work_bytes, private to the thread. */
typedef void LM_KERNEL lm_matvec_fn(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t first, int32_t n, float *out,
                          size_t out_stride);
typedef void LM_KERNEL lm_matmul_fn(const void *form, const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, const void *panel,
                          int32_t first, int32_t n, void *work, float *out, size_t out_stride);

/* Rearranged activations for matmul: pack_bytes(n, k) bytes, 64-byte aligned, filled in pieces of columns [first, first + n),
 * first a multiple of LM_PACK_COLUMNS; matmul takes ranges that start at such multiples too. */
#define LM_PACK_COLUMNS 24
typedef size_t lm_pack_bytes_fn(int32_t n, int32_t k);
typedef void LM_KERNEL lm_pack_fn(void *panel, const lm_acts *acts, int32_t first, int32_t n);

typedef struct lm_weight_kernels {
    int32_t act;              /* lm_act_kind */
    lm_matvec_fn *matvec;     /* NULL only when act is NONE */
    lm_matmul_fn *matmul;     /* may be NULL */
    const void *form;         /* what one matmul that serves many types knows of this one */
    lm_pack_bytes_fn *pack_bytes; /* NULL: matmul takes no panel */
    lm_pack_fn *pack;
    size_t (*matmul_work_bytes)(int32_t n, int32_t k);
    int32_t row_tile;         /* matmul and matvec are fastest when rows are cut at multiples of this */
    int32_t matmul_from;      /* the smallest n for which matmul beats repeated matvec */
    void (*dequantize)(const void *blocks, float *out, size_t n); /* exact (generic/dequantize_*.c); n a multiple of the block */
} lm_weight_kernels;

/* ---- rows of floats ------------------------------------------------------------------------------------------------------ */

/* Activation functions of GLU and ACT (numbers as in lm_activation of lm/backend.h). exp, tanh, sigmoid are ours (fmath.h): exact. */
enum lm_kernel_act {
    LM_KACT_NONE = 0, LM_KACT_SILU = 1, LM_KACT_GELU = 2, LM_KACT_GELU_ERF = 3, LM_KACT_GELU_QUICK = 4, LM_KACT_RELU = 5,
    LM_KACT_SIGMOID = 6, LM_KACT_TANH = 7, LM_KACT_SOFTPLUS = 8,
    LM_KACT_OAI = 9 /* GLU only: g = min(gate, 7), u = clamp(up, -7, 7), g * sigmoid(1.702 g) * (u + 1) */
};

/* y = x * w / sqrt(mean(x^2) + eps); w NULL means 1. ss = lanes(n) over fma(x, x, lane); r = 1 / sqrtf(ss / n + eps);
 * y_i = (x_i * r) * w_i. Exact. y may be x. */
typedef void LM_KERNEL lm_rmsnorm_fn(const float *x, const float *w, float eps, int32_t n, float *y);
/* sqrtf of lanes(n) over fma(x, x, lane): the length of x. Exact. */
typedef float LM_KERNEL lm_length_fn(const float *x, int32_t n);
/* mean = lanes(n) over + / n; d = x - mean; var = lanes(n) over fma(d, d, lane) / n; y = fma(d * (1 / sqrtf(var + eps)), w, b);
 * w, b may be NULL: then 1 and 0. Exact. y may be x. */
typedef void LM_KERNEL lm_layernorm_fn(const float *x, const float *w, const float *b, float eps, int32_t n, float *y);
/* y_i = act(gate_i) * up_i. Exact. In this group y may be any of the inputs, or apart from them. */
typedef void LM_KERNEL lm_glu_fn(int32_t act, const float *gate, const float *up, int32_t n, float *y);
typedef void LM_KERNEL lm_act_fn(int32_t act, const float *x, int32_t n, float *y);
typedef void LM_KERNEL lm_add_fn(const float *a, const float *b, int32_t n, float *y);               /* a + b */
typedef void LM_KERNEL lm_scale_fn(const float *x, float factor, int32_t n, float *y);               /* x * factor */
typedef void LM_KERNEL lm_mul_fn(const float *a, const float *b, int32_t n, float *y);               /* a * b */
typedef void LM_KERNEL lm_axpy_fn(float factor, const float *x, int32_t n, float *y);                /* y = fma(factor, x, y) */
/* Rotate the first n_rot values of a head by cos_sin[n_rot/2][2] (already times the magnitude), in place. Pairs (2i, 2i+1)
 * when adjacent, else (i, i + n_rot/2): a' = fma(a, cos, -(b * sin)), b' = fma(b, cos, a * sin). Exact. */
typedef void LM_KERNEL lm_rope_fn(float *head, const float *cos_sin, int32_t n_rot, int32_t adjacent);
/* The largest value and its lowest index; NaN counts as -inf. */
typedef float LM_KERNEL lm_max_fn(const float *x, int32_t n, int32_t *index);

/* ---- attention over cache pages ------------------------------------------------------------------------------------------ */

#define LM_PAGE_TOKENS 64
#define LM_SPAN_PAGES 16 /* softmax state is carried over at most this many pages, then merged */

/* A cache layer's page holds, for each kv head, a K part and a V part (lm_cache_k_bytes, lm_cache_v_bytes). Float types (F32, F16,
 * BF16): K is [k_width][64 tokens], V is [64 tokens][v_width]. Block types (Q8_0, Q4_0): K and V are [64 tokens][width], quantised
 * along the width, a multiple of 32, by the rules of their format (generic/cache_c.c). Parts are aligned to 64 bytes,
 * as every part's size is a multiple of 64. */
size_t lm_cache_k_bytes(int32_t type, int32_t k_width); /* per kv head and page */
size_t lm_cache_v_bytes(int32_t type, int32_t v_width);
/* Put one token's vector of one head into slot [0, 64) of its part, and get it back as floats. Exact. */
typedef void LM_KERNEL lm_cache_put_fn(int32_t type, void *part, int32_t width, int32_t slot, const float *x);
typedef void LM_KERNEL lm_cache_get_fn(int32_t type, const void *part, int32_t width, int32_t slot, float *x);

/* One unit of attention work: n_q query rows that share a kv head, over the pages [first_page, first_page + n_pages) of one
 * sequence, n_pages <= LM_SPAN_PAGES, first_page a multiple of LM_SPAN_PAGES. Row r has position q_pos[r] and sees position p
 * iff p < n_kv, and (causal) p <= q_pos[r], and (window > 0) q_pos[r] - p < window (not causal: |q_pos - p| <= window / 2). */
typedef struct lm_attend_args {
    const struct lm_kernels *kernels; /* the table the slot is from, for its matrix products with K of block types */
    const float *q;            /* row r at q + r*q_stride, k_width floats */
    size_t q_stride;
    const int32_t *q_pos;      /* [n_q] */
    int32_t n_q;
    int32_t k_type, v_type, k_width, v_width;
    const void *const *k_pages; /* [n_pages] K part of this kv head, or NULL for a page no row sees */
    const void *const *v_pages; /* with v_from_k: ignored, V is the first v_width values of K (latent attention) */
    int32_t first_page, n_pages, n_kv;
    int32_t window, causal, v_from_k;
    float scale, softcap;      /* softcap 0: none */
    /* State of each row after this span, not merged with other spans: o at o + r*o_stride, v_width floats, unnormalised. */
    float *o, *m, *l;
    size_t o_stride;
    void *work;                /* lm_attend_work_bytes, 64-byte aligned, private to the thread */
} lm_attend_args;

/* Exact. For each row: m = -inf, l = 0, o = 0; for each page that has a visible token, ascending:
 *   s_j = (fma chain over ascending i of q_i * k_ij from +0) * scale;  if softcap: s_j = softcap * tanh(s_j / softcap)
 *   K of block types: s_j = (product of K's row j with q quantised to Q8_32, as in matrix products) * scale
 *   m' = max(m, max of the visible s_j) + 0;  c = exp(m - m') (0 when m is -inf);  p_j = exp(s_j - m'), 0 when not visible
 *   l = fma(l, c, lanes(64) over + of p_j);  o_e = o_e * c, then for ascending visible j: o_e = fma(p_j, v_je, o_e);  m = m'
 * V of block types, v_je = d_jb * code_je in block b = e / 32: o_e = fma(p_j * d_jb, code_je, o_e). A NaN loses every max. A row that sees nothing keeps m = -inf, l = 0,
 * o = 0. Slots that no row sees may hold anything: their K is read and dropped, their V is not used. */
typedef void LM_KERNEL lm_attend_fn(const lm_attend_args *args);
size_t lm_attend_work_bytes(const struct lm_kernels *kernels, int32_t k_type, int32_t k_width, int32_t v_width, int32_t n_q);

/* Fold the state of a later span into that of the earlier ones (m, l, o), spans ascending. Exact:
 *   M = max(m, m2); a = exp(m - M) (0 when m is -inf), b = exp(m2 - M) (0 when m2 is -inf); l = fma(l2, b, l*a);
 *   o_e = fma(o2_e, b, o_e*a); m = M */
typedef void LM_KERNEL lm_attend_merge_fn(float *o, float *m, float *l, const float *o2, float m2, float l2, int32_t v_width);
/* With a sink, a last token without a value: M = max(m, sink); a = exp(m - M) (0 when m is -inf); l' = fma(l, a, exp(sink - M)).
 * Without: a = 1, l' = l. y_e = (o_e * a) * (1 / l'), or * 0 when l' is 0. Exact. y may be o. */
typedef void LM_KERNEL lm_attend_finish_fn(const float *o, float m, float l, const float *sink, int32_t v_width, float *y);

/* ---- recurrent layers ---------------------------------------------------------------------------------------------------- */

/* y_t[ch] = act(sum over j ascending of fma(taps[ch*n_taps + j], x_{t - n_taps + 1 + j}[ch], acc)); the inputs before the batch come
 * from state [n_taps - 1][n_channels], oldest first, which then holds the last n_taps - 1 inputs. Rows stride floats apart. Exact. acc starts at +0. y may be x. */
typedef void LM_KERNEL lm_short_conv_fn(const float *x, size_t x_stride, const float *taps, int32_t n_taps, int32_t n_channels, int32_t act,
                              int32_t n_tokens, float *state, float *y, size_t y_stride);
/* Gated delta rule of one value head over n_tokens tokens, state S [dk][dv] (value index contiguous), per token, with
 * decay = exp(g), all in f32: P_j = fma chain over ascending i of S_ij k_i; R_j the same with q_i; kq = chain of k_i q_i;
 * delta_j = beta * fma(-decay, P_j, v_j); y_j = fma(kq, delta_j, decay * R_j) * q_scale; S_ij = fma(k_i, delta_j, decay * S_ij). Exact. */
typedef struct lm_delta_args {
    const float *q, *k, *v;      /* token t at + t*stride; q and k already normalised */
    size_t q_stride, k_stride, v_stride;
    const float *g, *beta;       /* token t at + t*gate_stride */
    size_t gate_stride;
    int32_t dk, dv, n_tokens;
    float q_scale;
    float *state;
    float *y;
    size_t y_stride;
} lm_delta_args;
typedef void LM_KERNEL lm_delta_fn(const lm_delta_args *args);

/* ---- limits of the machine ------------------------------------------------------------------------------------------------ */

/* Read bytes (a multiple of 512) once, in order, with the widest loads of the level; returns something that depends on all of them. */
typedef uint64_t LM_KERNEL lm_limit_read_fn(const void *memory, size_t bytes);
/* n rounds of the level's widest integer dot product, on registers alone; returns how many multiplications and additions that were.
 * *sink is changed, so that the work is not left out. */
typedef double LM_KERNEL lm_limit_dot_fn(int64_t n, uint64_t *sink);

typedef struct lm_kernels {
    int32_t level; /* lm_cpu_level it was made for */
    lm_weight_kernels weights[LM_KERNEL_TYPES];
    lm_quantize_fn *quantize_q8_32, *quantize_q8_256;
    lm_rmsnorm_fn *rmsnorm;
    lm_length_fn *length;
    lm_layernorm_fn *layernorm;
    lm_glu_fn *glu;
    lm_act_fn *act;
    lm_add_fn *add;
    lm_mul_fn *mul;
    lm_scale_fn *scale;
    lm_axpy_fn *axpy;
    lm_rope_fn *rope;
    lm_max_fn *max;
    lm_cache_put_fn *cache_put_k, *cache_put_v;
    lm_cache_get_fn *cache_get_k, *cache_get_v;
    lm_attend_fn *attend;
    lm_attend_merge_fn *attend_merge;
    lm_attend_finish_fn *attend_finish;
    lm_short_conv_fn *short_conv;
    lm_delta_fn *delta;
    lm_limit_read_fn *limit_read;
    lm_limit_dot_fn *limit_dot;
} lm_kernels;

/* Fill the table for a level (lm_cpu_detect() or lower). */
void lm_kernels_init(lm_kernels *kernels, int32_t level);

#endif
