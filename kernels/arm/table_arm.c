/* SPDX-License-Identifier: MIT
 * The 64-bit Arm levels of the integer matrix products: each overrides the slots it has something better for, lowest level
 * first. */
#include "arm.h"

#if defined(LM_HAVE_ARM)
#include "../blocks.h"

#define MATVEC(type, name, isa)                                                                                        \
    kernels->weights[type].matvec = lm_matvec_##name##_##isa, kernels->weights[type].row_tile = 4;
#define MATVEC_NEON(type, name) MATVEC(type, name, neon)
#define MATVEC_DOTPROD(type, name) MATVEC(type, name, dotprod)

/* A matmul with its layout of activations. */
#define MATMUL(type, name, isa, unit)                                                                                  \
    do {                                                                                                               \
        lm_weight_kernels *slot = &kernels->weights[type];                                                             \
        slot->matmul = lm_matmul_##name##_##isa;                                                                       \
        slot->pack = lm_pack_arm##unit##_##isa;                                                                        \
        slot->pack_bytes = lm_pack_bytes_arm##unit##_##isa;                                                            \
        slot->matmul_work_bytes = lm_matmul_work_bytes_##isa;                                                          \
        slot->row_tile = 16;                                                                                           \
        slot->matmul_from = 5;                                                                                         \
    } while (0);
#define MATMUL_DOTPROD_32(type, name) MATMUL(type, name, dotprod, 32)
#define MATMUL_DOTPROD_256(type, name) MATMUL(type, name, dotprod, 256)
#define MATMUL_I8MM_32(type, name) MATMUL(type, name, i8mm, 32)
#define MATMUL_I8MM_256(type, name) MATMUL(type, name, i8mm, 256)

void lm_kernels_matmul_arm(lm_kernels *kernels, int32_t level) {
    if (level < LM_CPU_NEON) return;
    LM_ARM_SIMPLE(MATVEC_NEON)
    LM_ARM_K(MATVEC_NEON)
    if (level < LM_CPU_DOTPROD) return;
    LM_ARM_SIMPLE(MATVEC_DOTPROD)
    LM_ARM_K(MATVEC_DOTPROD)
    LM_ARM_SIMPLE(MATMUL_DOTPROD_32)
    LM_ARM_K(MATMUL_DOTPROD_256)
    if (level < LM_CPU_I8MM) return;
    LM_ARM_SIMPLE(MATMUL_I8MM_32)
    LM_ARM_K(MATMUL_I8MM_256)
}
#else
typedef int lm_nothing_here;
#endif
