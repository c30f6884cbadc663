/* SPDX-License-Identifier: MIT
 * The x86-64 levels of the matrix products: each overrides the slots it has something better for, lowest level first. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"
#include "../cpu.h"

#define MATVEC(type, name, isa) kernels->weights[type].matvec = lm_matvec_##name##_##isa;
#define MATVEC_AVX2(type, name) MATVEC(type, name, avx2)
#define MATVEC_AVX2VNNI(type, name) MATVEC(type, name, avx2vnni)
#define MATVEC_AVX512VNNI(type, name) MATVEC(type, name, avx512vnni)
#define MATVEC_STREAM(type, name) MATVEC(type, name, stream)

/* Types of which one column is faster in 256 bits where those of 512 are done in halves. */
#define ONE_IN_256(X) X(LM_BLOCK_Q4_1, q4_1) X(LM_BLOCK_NVFP4, nvfp4) X(LM_BLOCK_TQ2_0, tq2_0)
#define DEFINE_MATVEC_HALVES(type, name)                                                                               \
    static void lm_matvec_##name##_halves(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts,        \
                                          int32_t first, int32_t n, float *out, size_t out_stride) {                   \
        (n == 1 ? lm_matvec_##name##_avx2 : lm_matvec_##name##_avx512vnni)(w, row_bytes, n_rows, acts, first, n, out,  \
                                                                           out_stride);                                \
    }
ONE_IN_256(DEFINE_MATVEC_HALVES)
#define MATVEC_HALVES(type, name) MATVEC(type, name, halves)

/* A matmul with its layout of activations. */
#define MATMUL(type, name, isa, layout, layout_bytes, tile, from)                                                      \
    do {                                                                                                               \
        lm_weight_kernels *slot = &kernels->weights[type];                                                             \
        slot->matmul = lm_matmul_##name##_##isa;                                                                       \
        slot->pack = lm_pack_##layout##_##isa;                                                                         \
        slot->pack_bytes = lm_pack_bytes_##layout_bytes##_##isa;                                                       \
        slot->matmul_work_bytes = lm_matmul_work_bytes_##isa;                                                          \
        slot->row_tile = tile;                                                                                         \
        slot->matmul_from = from;                                                                                      \
    } while (0);
#define MATMUL_AVX2(type, name) MATMUL(type, name, avx2, flat, flat, 16, 5)
#define MATMUL_AVX2VNNI(type, name) MATMUL(type, name, avx2vnni, flat, flat, 16, 5)
#define MATMUL_AVX512VNNI(type, name) MATMUL(type, name, avx512vnni, flat, flat, 32, 5)
#define BATCH_FROM_TWO(type, name) kernels->weights[type].matmul_from = 2;

void lm_kernels_matmul_x86(lm_kernels *kernels, int32_t level) {
    if (level < LM_CPU_AVX2 || level > LM_CPU_AVX512_VNNI) return;
    kernels->quantize_q8_32 = lm_quantize_q8_32_avx2;
    kernels->quantize_q8_256 = lm_quantize_q8_256_avx2;
    LM_X86_SIMPLE(MATVEC_AVX2)
    LM_X86_K(MATVEC_AVX2)
    LM_X86_SIMPLE(MATMUL_AVX2)
    LM_X86_K(MATMUL_AVX2)
    LM_X86_IQ(MATVEC_AVX2)
    LM_X86_IQ(MATMUL_AVX2)
    LM_X86_ONE_COLUMN(BATCH_FROM_TWO)
    if (level < LM_CPU_AVX2_VNNI) return;
    LM_X86_SIMPLE_COMMON(MATVEC_AVX2VNNI)
    LM_X86_K_COMMON(MATVEC_AVX2VNNI)
    LM_X86_SIMPLE(MATMUL_AVX2VNNI)
    LM_X86_K(MATMUL_AVX2VNNI)
    LM_X86_IQ(MATMUL_AVX2VNNI)
    LM_X86_ONE_COLUMN(BATCH_FROM_TWO)
    if (level < LM_CPU_AVX512_VNNI) return;
    kernels->quantize_q8_32 = lm_quantize_q8_32_avx512;
    kernels->quantize_q8_256 = lm_quantize_q8_256_avx512;
    LM_X86_SIMPLE(MATVEC_AVX512VNNI)
    LM_X86_K_AVX512(MATVEC_AVX512VNNI)
    LM_X86_IQ_LINES(MATVEC_AVX512VNNI)
    if (lm_cpu_splits_512()) { ONE_IN_256(MATVEC_HALVES) }
    if (lm_cpu_follows_streams()) { LM_X86_LINES(MATVEC_STREAM) LM_X86_IQ_LINES(MATVEC_STREAM) }
    LM_X86_SIMPLE(MATMUL_AVX512VNNI)
    LM_X86_IQ(MATMUL_AVX512VNNI)
    MATMUL(LM_BLOCK_Q2K, q2k, avx512vnni, pair16, pair, 32, 5)
    MATMUL(LM_BLOCK_Q3K, q3k, avx512vnni, pair16, pair, 32, 5)
    MATMUL(LM_BLOCK_Q4K, q4k, avx512vnni, pair16, pair, 32, 5)
    MATMUL(LM_BLOCK_Q5K, q5k, avx512vnni, pair16, pair, 32, 5)
    MATMUL(LM_BLOCK_Q6K, q6k, avx512vnni, pair8, pair, 32, 5)
    MATMUL(LM_BLOCK_TQ1_0, tq1_0, avx512vnni, flat, flat, 32, 2) /* decode of 256 bits */
    MATMUL_AVX512VNNI(LM_BLOCK_TQ2_0, tq2_0)
    MATMUL_AVX512VNNI(LM_BLOCK_IQ4XS, iq4xs)
}
#else
typedef int lm_nothing_here;
#endif
