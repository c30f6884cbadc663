/* SPDX-License-Identifier: MIT
 * What every x86-64 file starts from: the intrinsics, block tables, and the names of all x86-64 kernels. */
#ifndef LM_KERNELS_X86_H
#define LM_KERNELS_X86_H

#include "../kernels.h"

#if defined(LM_HAVE_X86)
#include <immintrin.h>
#include <string.h>

#include "../iq_tables.h"

/* Types with a float scale per block of at most 128 weights: X(type, name). The common ones have decode kernels of one column at
 * every level; VNNI of 256 bits gains a tenth of the cycles there, where the memory decides: not worth code for more. */
#define LM_X86_SIMPLE_COMMON(X) X(LM_BLOCK_Q4_0, q4_0) X(LM_BLOCK_Q8_0, q8_0)
#define LM_X86_SIMPLE(X)                                                                                               \
    LM_X86_SIMPLE_COMMON(X)                                                                                            \
    X(LM_BLOCK_IQ4NL, iq4nl)                                                                                           \
    X(LM_BLOCK_MXFP4, mxfp4)                                                                                           \
    X(LM_BLOCK_Q4_1, q4_1)                                                                                             \
    X(LM_BLOCK_Q5_0, q5_0) X(LM_BLOCK_Q5_1, q5_1) X(LM_BLOCK_Q1_0, q1_0) X(LM_BLOCK_Q2_0, q2_0) X(LM_BLOCK_NVFP4, nvfp4)
/* Types of 256 weights with integer sub-scales. */
#define LM_X86_K_COMMON(X) X(LM_BLOCK_Q4K, q4k) X(LM_BLOCK_Q6K, q6k)
#define LM_X86_K(X)                                                                                                    \
    LM_X86_K_COMMON(X)                                                                                                 \
    X(LM_BLOCK_Q5K, q5k)                                                                                               \
    X(LM_BLOCK_IQ4XS, iq4xs) X(LM_BLOCK_Q2K, q2k) X(LM_BLOCK_Q3K, q3k) X(LM_BLOCK_TQ1_0, tq1_0)                        \
        X(LM_BLOCK_TQ2_0, tq2_0)

/* Codebook types: one product for all levels. */
#define LM_X86_IQ(X)                                                                                                   \
    X(LM_BLOCK_IQ2XXS, iq2xxs)                                                                                         \
    X(LM_BLOCK_IQ2XS, iq2xs)                                                                                           \
    X(LM_BLOCK_IQ2S, iq2s)                                                                                             \
    X(LM_BLOCK_IQ3XXS, iq3xxs) X(LM_BLOCK_IQ3S, iq3s) X(LM_BLOCK_IQ1S, iq1s) X(LM_BLOCK_IQ1M, iq1m)
#define LM_X86_DECLARE_IQ(type, name)                                                                                  \
    lm_matvec_fn lm_matvec_##name##_avx2;                                                                              \
    lm_matmul_fn lm_matmul_##name##_avx2;
LM_X86_IQ(LM_X86_DECLARE_IQ)

#define LM_X86_DECLARE(type, name) lm_matvec_fn lm_matvec_##name##_avx2, lm_matvec_##name##_avx512vnni;
LM_X86_SIMPLE(LM_X86_DECLARE)
LM_X86_K(LM_X86_DECLARE)
#define LM_X86_DECLARE_COMMON(type, name) lm_matvec_fn lm_matvec_##name##_avx2vnni;
LM_X86_SIMPLE_COMMON(LM_X86_DECLARE_COMMON)
LM_X86_K_COMMON(LM_X86_DECLARE_COMMON)

#define LM_X86_DECLARE_MATMUL(type, name)                                                                              \
    lm_matmul_fn lm_matmul_##name##_avx2, lm_matmul_##name##_avx2vnni, lm_matmul_##name##_avx512vnni;
LM_X86_SIMPLE(LM_X86_DECLARE_MATMUL)
LM_X86_K(LM_X86_DECLARE_MATMUL)

/* Takes 16 (or more) rows of n_blocks blocks apart into panels of matmul_body.h, pitch panels from 32 k to the next. add makes the
 * codes unsigned plus 128, 0 for kernels without VNNI. */
typedef void lm_unpack_fn(void *panel, const uint8_t *w, size_t stride, int n_blocks, size_t pitch, int add);
#define LM_X86_DECLARE_UNPACK(type, name) lm_unpack_fn lm_unpack_##name##_avx2;
LM_X86_SIMPLE(LM_X86_DECLARE_UNPACK)
LM_X86_K(LM_X86_DECLARE_UNPACK)

/* Layouts of packed activations: flat (every level), and of AVX-512's K-quants in halves of 16 or of 8. */
lm_pack_bytes_fn lm_pack_bytes_flat_avx2, lm_pack_bytes_flat_avx2vnni, lm_pack_bytes_flat_avx512vnni,
    lm_pack_bytes_pair_avx512vnni;
lm_pack_fn lm_pack_flat_avx2, lm_pack_flat_avx2vnni, lm_pack_flat_avx512vnni, lm_pack_pair16_avx512vnni,
    lm_pack_pair8_avx512vnni;
size_t lm_matmul_work_bytes_avx2(int32_t n, int32_t k);
size_t lm_matmul_work_bytes_avx2vnni(int32_t n, int32_t k);
size_t lm_matmul_work_bytes_avx512vnni(int32_t n, int32_t k);

lm_quantize_fn lm_quantize_q8_32_avx2, lm_quantize_q8_256_avx2, lm_quantize_q8_32_avx512, lm_quantize_q8_256_avx512;

void lm_kernels_matmul_x86(lm_kernels *kernels, int32_t level);
#endif

#endif
