/* SPDX-License-Identifier: MIT
 * The 64-bit Arm levels of the integer matrix products: each overrides the slots it has something better for, lowest level
 * first. */
#include "arm.h"

#if defined(LM_HAVE_ARM)

#define MATVEC(type, name, isa)                                                                                        \
    kernels->weights[type].matvec = lm_matvec_##name##_##isa, kernels->weights[type].row_tile = 4;
#define MATVEC_NEON(type, name) MATVEC(type, name, neon)
#define MATVEC_DOTPROD(type, name) MATVEC(type, name, dotprod)

void lm_kernels_matmul_arm(lm_kernels *kernels, int32_t level) {
    if (level < LM_CPU_NEON) return;
    LM_ARM_SIMPLE(MATVEC_NEON)
    LM_ARM_K(MATVEC_NEON)
    if (level < LM_CPU_DOTPROD) return;
    LM_ARM_SIMPLE(MATVEC_DOTPROD)
    LM_ARM_K(MATVEC_DOTPROD)
    lm_matmul_fill_dotprod(kernels);
    if (level < LM_CPU_I8MM) return;
    lm_matmul_fill_i8mm(kernels);
}
#else
typedef int lm_nothing_here;
#endif
