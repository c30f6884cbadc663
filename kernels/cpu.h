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

/* Files of x86-64 levels, and of 64-bit Arm levels, compile to nothing unless these are defined. Sanitizers see the
 * reference: instrumented vector code takes minutes to compile, and the fenced memory of the kernel tests checks its accesses. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LM_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define LM_SANITIZED 1
#endif
#endif
#if defined(__x86_64__) && defined(__GNUC__) && !defined(LM_SANITIZED)
#define LM_HAVE_X86 1
#endif
#if defined(__aarch64__) && defined(__GNUC__) && !defined(__AARCH64EB__)
#define LM_HAVE_ARM 1
#endif

/* LM_EXACT_FLOATS, once at the top of a file after its includes: the compiler must not fuse a multiplication and an addition
 * that the source keeps apart, whatever flags it was given.
 * LM_TARGET_BEGIN("features") ... LM_TARGET_END: functions between them may use these instructions. Include the intrinsics'
 * header before. LM_UNROLL(n): the loop that follows is unrolled n times. LM_INLINE: always inlined; LM_APART: never.
 * LM_KERNEL: how kernels are called. Windows has a function keep ten vector registers for its caller, so that every kernel
 * saves what nobody needs; with LM_SYSV_KERNELS (meson.build) they are called as on other systems, and who calls them saves. */
#define LM_PRAGMA(text) _Pragma(#text)
#if defined(LM_SYSV_KERNELS)
#define LM_KERNEL __attribute__((sysv_abi))
#else
#define LM_KERNEL
#endif
#if defined(__clang__)
#define LM_EXACT_FLOATS LM_PRAGMA(STDC FP_CONTRACT OFF)
#define LM_TARGET_BEGIN(features)                                                                                      \
    LM_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define LM_TARGET_END LM_PRAGMA(clang attribute pop)
#define LM_UNROLL(n) LM_PRAGMA(unroll n)
#define LM_INLINE static inline __attribute__((always_inline))
#define LM_APART __attribute__((noinline)) LM_KERNEL
#elif defined(__GNUC__)
#define LM_EXACT_FLOATS LM_PRAGMA(GCC optimize("fp-contract=off"))
#define LM_TARGET_BEGIN(features) LM_PRAGMA(GCC push_options) LM_PRAGMA(GCC target(features))
#define LM_TARGET_END LM_PRAGMA(GCC pop_options)
#define LM_UNROLL(n) LM_PRAGMA(GCC unroll n)
#define LM_INLINE static inline __attribute__((always_inline))
#define LM_APART __attribute__((noinline)) LM_KERNEL
#else /* MSVC: intrinsics need no target, and the pragma is its own */
#define LM_EXACT_FLOATS __pragma(fp_contract(off))
#define LM_TARGET_BEGIN(features)
#define LM_TARGET_END
#define LM_UNROLL(n)
#define LM_INLINE static __forceinline
#define LM_APART __declspec(noinline)
#endif

#if defined(LM_HAVE_X86)
/* Whether this processor reads a long stream at the memory's speed by itself, and prefetches only disturb it: AMD's, measured. */
int lm_cpu_follows_streams(void);
/* Whether it executes 512 bits as two halves, so that 256 are no slower: Zen 4. */
int lm_cpu_splits_512(void);
#endif
#endif
