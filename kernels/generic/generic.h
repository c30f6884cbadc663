/* SPDX-License-Identifier: MIT
 * The C reference of the matrix products, named: the list of weight types, from which the table's generic level is filled. */
#ifndef LM_KERNELS_GENERIC_H
#define LM_KERNELS_GENERIC_H

#include "../kernels.h"

/* X(type, name, activations, weights per block, bytes per block) */
#define LM_WEIGHT_TYPES(X)                                                                                             \
    X(LM_BLOCK_F32, f32, LM_ACT_F32, 1, 4)                                                                             \
    X(LM_BLOCK_F16, f16, LM_ACT_F32, 1, 2)                                                                             \
    X(LM_BLOCK_BF16, bf16, LM_ACT_F32, 1, 2)                                                                           \
    X(LM_BLOCK_Q4_0, q4_0, LM_ACT_Q8_32, 32, 18)                                                                       \
    X(LM_BLOCK_Q4_1, q4_1, LM_ACT_Q8_32, 32, 20)                                                                       \
    X(LM_BLOCK_Q5_0, q5_0, LM_ACT_Q8_32, 32, 22)                                                                       \
    X(LM_BLOCK_Q5_1, q5_1, LM_ACT_Q8_32, 32, 24)                                                                       \
    X(LM_BLOCK_Q8_0, q8_0, LM_ACT_Q8_32, 32, 34)                                                                       \
    X(LM_BLOCK_Q1_0, q1_0, LM_ACT_Q8_32, 128, 18)                                                                      \
    X(LM_BLOCK_Q2_0, q2_0, LM_ACT_Q8_32, 64, 18)                                                                       \
    X(LM_BLOCK_IQ4NL, iq4nl, LM_ACT_Q8_32, 32, 18)                                                                     \
    X(LM_BLOCK_MXFP4, mxfp4, LM_ACT_Q8_32, 32, 17)                                                                     \
    X(LM_BLOCK_NVFP4, nvfp4, LM_ACT_Q8_32, 64, 36)                                                                     \
    X(LM_BLOCK_Q2K, q2k, LM_ACT_Q8_256, 256, 84)                                                                       \
    X(LM_BLOCK_Q3K, q3k, LM_ACT_Q8_256, 256, 110)                                                                      \
    X(LM_BLOCK_Q4K, q4k, LM_ACT_Q8_256, 256, 144)                                                                      \
    X(LM_BLOCK_Q5K, q5k, LM_ACT_Q8_256, 256, 176)                                                                      \
    X(LM_BLOCK_Q6K, q6k, LM_ACT_Q8_256, 256, 210)                                                                      \
    X(LM_BLOCK_IQ4XS, iq4xs, LM_ACT_Q8_256, 256, 136)                                                                  \
    X(LM_BLOCK_TQ1_0, tq1_0, LM_ACT_Q8_256, 256, 54)                                                                   \
    X(LM_BLOCK_TQ2_0, tq2_0, LM_ACT_Q8_256, 256, 66)                                                                   \
    X(LM_BLOCK_IQ2XXS, iq2xxs, LM_ACT_Q8_256, 256, 66)                                                                 \
    X(LM_BLOCK_IQ2XS, iq2xs, LM_ACT_Q8_256, 256, 74)                                                                   \
    X(LM_BLOCK_IQ2S, iq2s, LM_ACT_Q8_256, 256, 82)                                                                     \
    X(LM_BLOCK_IQ3XXS, iq3xxs, LM_ACT_Q8_256, 256, 98)                                                                 \
    X(LM_BLOCK_IQ3S, iq3s, LM_ACT_Q8_256, 256, 110)                                                                    \
    X(LM_BLOCK_IQ1S, iq1s, LM_ACT_Q8_256, 256, 50)                                                                     \
    X(LM_BLOCK_IQ1M, iq1m, LM_ACT_Q8_256, 256, 56)

#define LM_DECLARE_MATVEC(type, name, act, values, bytes) lm_matvec_fn lm_matvec_##name##_c;
LM_WEIGHT_TYPES(LM_DECLARE_MATVEC)
#undef LM_DECLARE_MATVEC

void LM_KERNEL lm_quantize_q8_32_c(lm_acts *acts, int32_t c, const float *x);
void LM_KERNEL lm_quantize_q8_256_c(lm_acts *acts, int32_t c, const float *x);

/* Fill weights[] and the quantizers. */
void lm_kernels_matmul_generic(lm_kernels *kernels);

#endif
