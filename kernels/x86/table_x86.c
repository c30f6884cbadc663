/* SPDX-License-Identifier: MIT
 * The x86-64 levels of the matrix products: each overrides the slots it has something better for, lowest level first. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

#define MATVEC(type, name, isa) kernels->weights[type].matvec = lm_matvec_##name##_##isa;
#define MATVEC_AVX2(type, name) MATVEC(type, name, avx2)
#define MATVEC_AVX2VNNI(type, name) MATVEC(type, name, avx2vnni)
#define MATVEC_AVX512VNNI(type, name) MATVEC(type, name, avx512vnni)

void lm_kernels_matmul_x86(lm_kernels *kernels, int32_t level) {
    if (level < LM_CPU_AVX2 || level > LM_CPU_AVX512_VNNI) return;
    LM_X86_SIMPLE(MATVEC_AVX2)
    LM_X86_K(MATVEC_AVX2)
    if (level < LM_CPU_AVX2_VNNI) return;
    LM_X86_SIMPLE(MATVEC_AVX2VNNI)
    LM_X86_K(MATVEC_AVX2VNNI)
    if (level < LM_CPU_AVX512_VNNI) return;
    LM_X86_SIMPLE(MATVEC_AVX512VNNI)
    LM_X86_K(MATVEC_AVX512VNNI)
}
#else
typedef int lm_nothing_here;
#endif
