/* SPDX-License-Identifier: MIT
 * Quantised blocks: their bytes, drawn, and the exact conversions between blocks and floats.
 *
 * A row of a tensor is a run of blocks; a block is a run of bytes without padding or alignment, little-endian on every
 * machine, so fields wider than a byte are byte arrays and go through lm_load_u16, lm_load_f16 and the like (half.h).
 * Below, i is an element's index in its block, nib(x, h) the low (h = 0) or high (h = 1) nibble of x, bit(x, j) bit j of x,
 * "/" an integer division, d and m floats. "2 bits x 4: g" means a byte holds four elements, element group g in bits 2g, 2g+1. */
#ifndef LM_KERNELS_BLOCKS_H
#define LM_KERNELS_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* Type numbers, as in GGUF files. */
#define LM_BLOCK_F32 0
#define LM_BLOCK_F16 1
#define LM_BLOCK_Q4_0 2
#define LM_BLOCK_Q4_1 3
#define LM_BLOCK_Q5_0 6
#define LM_BLOCK_Q5_1 7
#define LM_BLOCK_Q8_0 8
#define LM_BLOCK_Q8_1 9
#define LM_BLOCK_Q2K 10
#define LM_BLOCK_Q3K 11
#define LM_BLOCK_Q4K 12
#define LM_BLOCK_Q5K 13
#define LM_BLOCK_Q6K 14
#define LM_BLOCK_Q8K 15
#define LM_BLOCK_IQ2XXS 16
#define LM_BLOCK_IQ2XS 17
#define LM_BLOCK_IQ3XXS 18
#define LM_BLOCK_IQ1S 19
#define LM_BLOCK_IQ4NL 20
#define LM_BLOCK_IQ3S 21
#define LM_BLOCK_IQ2S 22
#define LM_BLOCK_IQ4XS 23
#define LM_BLOCK_I8 24
#define LM_BLOCK_I16 25
#define LM_BLOCK_I32 26
#define LM_BLOCK_I64 27
#define LM_BLOCK_F64 28
#define LM_BLOCK_IQ1M 29
#define LM_BLOCK_BF16 30
#define LM_BLOCK_TQ1_0 34
#define LM_BLOCK_TQ2_0 35
#define LM_BLOCK_MXFP4 39
#define LM_BLOCK_NVFP4 40
#define LM_BLOCK_Q1_0 41
#define LM_BLOCK_Q2_0 42

/* ---- one scale per small block -------------------------------------------------------------------------------------------- */

/* Q4_0: d * (nib(qs[i%16], i/16) - 8) */
typedef struct lm_block_q4_0 {
    uint8_t d[2];   /* f16 */
    uint8_t qs[16]; /* low nibbles: elements 0..15, high: 16..31 */
} lm_block_q4_0;

/* Q4_1: d * nib(qs[i%16], i/16) + m */
typedef struct lm_block_q4_1 {
    uint8_t d[2], m[2]; /* f16 */
    uint8_t qs[16];
} lm_block_q4_1;

/* Q5_0: d * (nib(qs[i%16], i/16) + 16*bit(qh, i) - 16) */
typedef struct lm_block_q5_0 {
    uint8_t d[2];  /* f16 */
    uint8_t qh[4]; /* u32: fifth bits */
    uint8_t qs[16];
} lm_block_q5_0;

/* Q5_1: d * (nib(qs[i%16], i/16) + 16*bit(qh, i)) + m */
typedef struct lm_block_q5_1 {
    uint8_t d[2], m[2];
    uint8_t qh[4];
    uint8_t qs[16];
} lm_block_q5_1;

/* Q8_0: d * qs[i] */
typedef struct lm_block_q8_0 {
    uint8_t d[2];
    int8_t qs[32];
} lm_block_q8_0;

/* Q8_1: d * qs[i]; s = d * sum of qs */
typedef struct lm_block_q8_1 {
    uint8_t d[2], s[2];
    int8_t qs[32];
} lm_block_q8_1;

/* Q1_0, 128 elements: bit(qs[i/8], i%8) ? d : -d */
typedef struct lm_block_q1_0 {
    uint8_t d[2];
    uint8_t qs[16];
} lm_block_q1_0;

/* Q2_0, 64 elements: d * ((qs[i/4] >> 2*(i%4) & 3) - 1) */
typedef struct lm_block_q2_0 {
    uint8_t d[2];
    uint8_t qs[16];
} lm_block_q2_0;

/* IQ4_NL: d * lm_iq4nl_levels[nib(qs[i%16], i/16)] */
typedef struct lm_block_iq4nl {
    uint8_t d[2];
    uint8_t qs[16];
} lm_block_iq4nl;

/* MXFP4: 2^(e-128) * lm_fp4_levels[nib(qs[i%16], i/16)] */
typedef struct lm_block_mxfp4 {
    uint8_t e; /* E8M0 */
    uint8_t qs[16];
} lm_block_mxfp4;

/* NVFP4, 64 elements in 4 groups g = i/16 of 16, r = i%16: ue4m3(scales[g])/2 * lm_fp4_levels[nib(qs[8g + r%8], r/8)] */
typedef struct lm_block_nvfp4 {
    uint8_t scales[4];
    uint8_t qs[32];
} lm_block_nvfp4;

/* ---- 256 elements in sub-blocks ------------------------------------------------------------------------------------------- */

/* In Q2_K, Q3_K and Q6_K: h = i/128, g = i%128/32, l = i%32. */

/* Q2_K: d*(scales[i/16] & 15)*(qs[32h + l] >> 2g & 3) - dmin*(scales[i/16] >> 4) */
typedef struct lm_block_q2k {
    uint8_t scales[16]; /* scale low, minimum high */
    uint8_t qs[64];     /* 2 bits x 4: g */
    uint8_t d[2], dmin[2];
} lm_block_q2k;

/* Q3_K: d * sc * ((qs[32h + l] >> 2g & 3) + 4*bit(hmask[l], 4h + g) - 4), with sub-block j = i/16 and
 * sc = nib(scales[j%8], j/8) + 16*(scales[8 + j%4] >> 2*(j/4) & 3) - 32 */
typedef struct lm_block_q3k {
    uint8_t hmask[32];
    uint8_t qs[64];
    uint8_t scales[12];
    uint8_t d[2];
} lm_block_q3k;

/* Q4_K, j = i/32: d*sc_j*nib(qs[32*(i/64) + i%32], j%2) - dmin*m_j; sc_j and m_j are 6 bits each of scales s:
 *     j < 4:  sc = s[j] & 63                           m = s[j+4] & 63
 *     j >= 4: sc = (s[j+4] & 15) + 16*(s[j-4] >> 6)    m = (s[j+4] >> 4) + 16*(s[j] >> 6) */
typedef struct lm_block_q4k {
    uint8_t d[2], dmin[2];
    uint8_t scales[12];
    uint8_t qs[128];
} lm_block_q4k;

/* Q5_K: as Q4_K with nib(...) + 16*bit(qh[i%32], j) */
typedef struct lm_block_q5k {
    uint8_t d[2], dmin[2];
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
} lm_block_q5k;

/* Q6_K: d * scales[i/16] * (nib(ql[64h + 32*(g%2) + l], g/2) + 16*(qh[32h + l] >> 2g & 3) - 32) */
typedef struct lm_block_q6k {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    uint8_t d[2];
} lm_block_q6k;

/* Q8_K: d * qs[i] */
typedef struct lm_block_q8k {
    uint8_t d[4]; /* f32 */
    int8_t qs[256];
    uint8_t sums[32]; /* 16 x i16, sums of 16 quants each */
} lm_block_q8k;

/* IQ4_XS, n = i/32, r = i%32: d * (nib(scales_l[n/2], n%2) + 16*(scales_h >> 2n & 3) - 32) * lm_iq4nl_levels[nib(qs[16n + r%16], r/16)] */
typedef struct lm_block_iq4xs {
    uint8_t d[2];
    uint8_t scales_h[2]; /* u16 */
    uint8_t scales_l[4];
    uint8_t qs[128];
} lm_block_iq4xs;

/* TQ1_0: d * (trit n of byte - 1): i < 160: qs[i%32], n = i/32; i < 240: qs[32 + (i-160)%16], n = (i-160)/16;
 * else qh[(i-240)%4], n = (i-240)/4. Trit n of v is ((v * 3^n mod 256) * 3) >> 8: five trits are a fraction of 256. */
typedef struct lm_block_tq1_0 {
    uint8_t qs[48];
    uint8_t qh[4];
    uint8_t d[2];
} lm_block_tq1_0;

/* TQ2_0: d * ((qs[32*(i/128) + i%32] >> 2*(i%128/32) & 3) - 1) */
typedef struct lm_block_tq2_0 {
    uint8_t qs[64];
    uint8_t d[2];
} lm_block_tq2_0;

/* ---- 256 elements from codebooks (iq_tables.h) ---------------------------------------------------------------------------- */

/* In all of them g = i/8 is the group, n = i/32, k = g%4, j = i%8; sign bytes: bit j set means element j is negative; a 7-bit
 * sign index v stands for the byte v with bit 7 set to the parity of v. */

/* IQ2_XXS: record n is 4 grid indices and a u32 w; d*(0.5 + (w >> 28))/4 * grid2xxs[index k][j], sign index w >> 7k & 127 */
typedef struct lm_block_iq2xxs {
    uint8_t d[2];
    uint8_t qs[64]; /* 8 records of 8 bytes */
} lm_block_iq2xxs;

/* IQ2_XS: q = u16 g of qs; d*(0.5 + nib(scales[n], i/16%2))/4 * grid2xs[q & 511][j], sign index q >> 9 */
typedef struct lm_block_iq2xs {
    uint8_t d[2];
    uint8_t qs[64];
    uint8_t scales[8];
} lm_block_iq2xs;

/* IQ2_S: d*(0.5 + nib(scales[n], i/16%2))/4 * grid2s[qs[g] + 256*(qh[n] >> 2k & 3)][j], sign byte signs[g] */
typedef struct lm_block_iq2s {
    uint8_t d[2];
    uint8_t qs[32];
    uint8_t signs[32];
    uint8_t qh[8];
    uint8_t scales[8];
} lm_block_iq2s;

/* IQ3_XXS: w = u32 n of gas; d*(0.5 + (w >> 28))/2 * grid3xxs[qs[i/4]][i%4], sign index w >> 7k & 127 */
typedef struct lm_block_iq3xxs {
    uint8_t d[2];
    uint8_t qs[64];
    uint8_t gas[32]; /* 8 x u32: four sign indices, scale in the top 4 bits */
} lm_block_iq3xxs;

/* IQ3_S, f = i/4: d*(1 + 2*nib(scales[n/2], n%2)) * grid3s[qs[f] + 256*bit(qh[f/8], f%8)][i%4], sign byte signs[g] */
typedef struct lm_block_iq3s {
    uint8_t d[2];
    uint8_t qs[64];
    uint8_t qh[8];
    uint8_t signs[32];
    uint8_t scales[4];
} lm_block_iq3s;

/* IQ1_S: h = u16 n of qh; d*(2*(h >> 12 & 7) + 1) * (grid1s[qs[g] + 256*(h >> 3k & 7)][j] + (bit(h, 15) ? -1/8 : 1/8)) */
typedef struct lm_block_iq1s {
    uint8_t d[2];
    uint8_t qs[32];
    uint8_t qh[16]; /* 8 x u16 */
} lm_block_iq1s;

/* IQ1_M: t = nib(qh[g/2], g%2); s = i/16; S = the four u16 of scales; d = the f16 made of their top nibbles, S[0]'s lowest;
 * d*(2*(S[s/4] >> 3*(s%4) & 7) + 1) * (grid1s[qs[g] + 256*(t & 7)][j] + (bit(t, 3) ? -1/8 : 1/8)) */
typedef struct lm_block_iq1m {
    uint8_t qs[32];
    uint8_t qh[16];
    uint8_t scales[8];
} lm_block_iq1m;

#define LM_BLOCK_SIZE_IS(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " is " #bytes " bytes")
LM_BLOCK_SIZE_IS(lm_block_q4_0, 18);
LM_BLOCK_SIZE_IS(lm_block_q4_1, 20);
LM_BLOCK_SIZE_IS(lm_block_q5_0, 22);
LM_BLOCK_SIZE_IS(lm_block_q5_1, 24);
LM_BLOCK_SIZE_IS(lm_block_q8_0, 34);
LM_BLOCK_SIZE_IS(lm_block_q8_1, 36);
LM_BLOCK_SIZE_IS(lm_block_q1_0, 18);
LM_BLOCK_SIZE_IS(lm_block_q2_0, 18);
LM_BLOCK_SIZE_IS(lm_block_iq4nl, 18);
LM_BLOCK_SIZE_IS(lm_block_mxfp4, 17);
LM_BLOCK_SIZE_IS(lm_block_nvfp4, 36);
LM_BLOCK_SIZE_IS(lm_block_q2k, 84);
LM_BLOCK_SIZE_IS(lm_block_q3k, 110);
LM_BLOCK_SIZE_IS(lm_block_q4k, 144);
LM_BLOCK_SIZE_IS(lm_block_q5k, 176);
LM_BLOCK_SIZE_IS(lm_block_q6k, 210);
LM_BLOCK_SIZE_IS(lm_block_q8k, 292);
LM_BLOCK_SIZE_IS(lm_block_iq4xs, 136);
LM_BLOCK_SIZE_IS(lm_block_tq1_0, 54);
LM_BLOCK_SIZE_IS(lm_block_tq2_0, 66);
LM_BLOCK_SIZE_IS(lm_block_iq2xxs, 66);
LM_BLOCK_SIZE_IS(lm_block_iq2xs, 74);
LM_BLOCK_SIZE_IS(lm_block_iq2s, 82);
LM_BLOCK_SIZE_IS(lm_block_iq3xxs, 98);
LM_BLOCK_SIZE_IS(lm_block_iq3s, 110);
LM_BLOCK_SIZE_IS(lm_block_iq1s, 50);
LM_BLOCK_SIZE_IS(lm_block_iq1m, 56);

/* ---- conversions ---------------------------------------------------------------------------------------------------------- */

/* The n floats that blocks hold, n a multiple of the block's length; blocks at any address. Exact: every product rounds once,
 * in the order the formulas above are written; there is one result per bit pattern, NaN payloads aside. */
typedef void lm_dequantize_fn(const void *blocks, float *out, size_t n);

lm_dequantize_fn lm_dequantize_f32_c, lm_dequantize_f16_c, lm_dequantize_bf16_c, lm_dequantize_f64_c,
    lm_dequantize_i8_c, lm_dequantize_i16_c, lm_dequantize_i32_c, lm_dequantize_i64_c;
lm_dequantize_fn lm_dequantize_q4_0_c, lm_dequantize_q4_1_c, lm_dequantize_q5_0_c, lm_dequantize_q5_1_c,
    lm_dequantize_q8_0_c, lm_dequantize_q8_1_c, lm_dequantize_q1_0_c, lm_dequantize_q2_0_c, lm_dequantize_iq4nl_c,
    lm_dequantize_mxfp4_c, lm_dequantize_nvfp4_c, lm_dequantize_tq1_0_c, lm_dequantize_tq2_0_c;
lm_dequantize_fn lm_dequantize_q2k_c, lm_dequantize_q3k_c, lm_dequantize_q4k_c, lm_dequantize_q5k_c,
    lm_dequantize_q6k_c, lm_dequantize_q8k_c, lm_dequantize_iq4xs_c;
lm_dequantize_fn lm_dequantize_iq2xxs_c, lm_dequantize_iq2xs_c, lm_dequantize_iq2s_c, lm_dequantize_iq3xxs_c,
    lm_dequantize_iq3s_c, lm_dequantize_iq1s_c, lm_dequantize_iq1m_c;

/* Make blocks of n floats, a row: n a multiple of the block's length. weights: [n] importance of each value's channel, or NULL.
 * search: an lm_iq_search of the type (iq_search.h) for IQ1, IQ2 and IQ3 types, else ignored. Values that are not finite give
 * blocks with some values, never a fault. IQ2_XXS, IQ2_XS and IQ1_S are of no use without weights. */
typedef void lm_quantize_row_fn(const float *x, void *blocks, size_t n, const float *weights, const void *search);

lm_quantize_row_fn lm_quantize_f32_c, lm_quantize_f16_c, lm_quantize_bf16_c;
lm_quantize_row_fn lm_quantize_q4_0_c, lm_quantize_q4_1_c, lm_quantize_q5_0_c, lm_quantize_q5_1_c, lm_quantize_q8_0_c,
    lm_quantize_q1_0_c, lm_quantize_q2_0_c, lm_quantize_tq1_0_c, lm_quantize_tq2_0_c, lm_quantize_mxfp4_c,
    lm_quantize_nvfp4_c;
lm_quantize_row_fn lm_quantize_q2k_c, lm_quantize_q3k_c, lm_quantize_q4k_c, lm_quantize_q5k_c, lm_quantize_q6k_c;
lm_quantize_row_fn lm_quantize_iq4nl_c, lm_quantize_iq4xs_c, lm_quantize_iq2xxs_c, lm_quantize_iq2xs_c,
    lm_quantize_iq2s_c, lm_quantize_iq3xxs_c, lm_quantize_iq3s_c, lm_quantize_iq1s_c, lm_quantize_iq1m_c;

/* The lm_iq_search of a type: bytes of memory it takes (0 for types without one), and building it in memory aligned to 16.
 * Both take up to 0.1 s. */
size_t lm_iq_search_bytes(int32_t block_type);
void lm_iq_search_build(int32_t block_type, void *memory);

#endif
