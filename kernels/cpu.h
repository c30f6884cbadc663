/* SPDX-License-Identifier: MIT
 * Instruction-set levels, their detection, and the macro pair that opens a file for one of them. A level is a cluster of features
 * that real processors ship together, and needs the operating system to save its registers. Higher numbers of one architecture
 * contain the lower ones. */
#ifndef LM_KERNELS_CPU_H
#define LM_KERNELS_CPU_H

#include <stdint.h>

enum lm_cpu_level {
    LM_CPU_GENERIC = 0,
    LM_CPU_AVX2 = 1,        /* AVX2, FMA, F16C */
    LM_CPU_AVX2_VNNI = 2,   /* + AVX-VNNI */
    LM_CPU_AVX512_VNNI = 3, /* AVX-512 F BW VL DQ VNNI */
    LM_CPU_NEON = 16,       /* Armv8.0 */
    LM_CPU_DOTPROD = 17,    /* + sdot, fp16 conversions */
    LM_CPU_I8MM = 18        /* + smmla */
};

/* The highest level this machine and its operating system support. */
int32_t lm_cpu_detect(void);
/* Name as in --cpu: generic avx2 avx2vnni avx512vnni neon dotprod i8mm; NULL for a number that is no level. */
const char *lm_cpu_level_name(int32_t level);
/* The level of a name, or -1. */
int32_t lm_cpu_level_find(const char *name);
/* Whether the machine can run code of this level (true for generic; false across architectures). */
int32_t lm_cpu_level_runs(int32_t level);

#endif
