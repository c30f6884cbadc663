/* SPDX-License-Identifier: MIT
 * What every file of integer products on 64-bit Arm starts from: the instructions behind a dot product, and the names of all
 * kernels. The three instructions beyond Armv8.0 are written as assembly, as not every compiler declares their intrinsics
 * inside a function of a higher level. */
#ifndef LM_KERNELS_ARM_H
#define LM_KERNELS_ARM_H

#include "../kernels.h"

#if defined(LM_HAVE_ARM)
#include <arm_neon.h>
#include <string.h>

#include "../blocks.h"
#include "../iq_tables.h"

/* The spelling of features. GNU assemblers know them from Armv8.2 on. */
#if defined(__clang__)
#define LM_ARM_DOTPROD "dotprod"
#define LM_ARM_I8MM "dotprod,i8mm"
#else
#define LM_ARM_DOTPROD "arch=armv8.2-a+dotprod"
#define LM_ARM_I8MM "arch=armv8.2-a+dotprod+i8mm"
#endif

/* Types with a float scale per block of at most 128 weights, and types of 256 weights with integer sub-scales: X(type, name). */
#define LM_ARM_SIMPLE(X)                                                                                               \
    X(LM_BLOCK_Q4_0, q4_0)                                                                                             \
    X(LM_BLOCK_Q4_1, q4_1)                                                                                             \
    X(LM_BLOCK_Q5_0, q5_0)                                                                                             \
    X(LM_BLOCK_Q5_1, q5_1)                                                                                             \
    X(LM_BLOCK_Q8_0, q8_0)                                                                                             \
    X(LM_BLOCK_Q1_0, q1_0)                                                                                             \
    X(LM_BLOCK_Q2_0, q2_0) X(LM_BLOCK_IQ4NL, iq4nl) X(LM_BLOCK_MXFP4, mxfp4) X(LM_BLOCK_NVFP4, nvfp4)
#define LM_ARM_K(X)                                                                                                    \
    X(LM_BLOCK_Q2K, q2k)                                                                                               \
    X(LM_BLOCK_Q3K, q3k)                                                                                               \
    X(LM_BLOCK_Q4K, q4k) X(LM_BLOCK_Q5K, q5k) X(LM_BLOCK_Q6K, q6k) X(LM_BLOCK_IQ4XS, iq4xs) X(LM_BLOCK_TQ2_0, tq2_0)

#define LM_ARM_DECLARE(type, name) lm_matvec_fn lm_matvec_##name##_neon, lm_matvec_##name##_dotprod;
LM_ARM_SIMPLE(LM_ARM_DECLARE)
LM_ARM_K(LM_ARM_DECLARE)
/* Set the slots of batches. */
void lm_matmul_fill_dotprod(lm_kernels *kernels);
void lm_matmul_fill_i8mm(lm_kernels *kernels);

void lm_kernels_matmul_arm(lm_kernels *kernels, int32_t level);
#endif

#endif
