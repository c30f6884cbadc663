/* SPDX-License-Identifier: MIT
 * What every x86-64 file starts from: the intrinsics, block tables, and the names of all x86-64 kernels. */
#ifndef LM_KERNELS_X86_H
#define LM_KERNELS_X86_H

#include "../kernels.h"

#if defined(LM_HAVE_X86)
#include <immintrin.h>
#include <string.h>

#include "../iq_tables.h"

/* Types with a float scale per block of at most 128 weights: X(type, name). VNNI of 256 bits has no decode kernels of its own: they
 * would gain a tenth of the cycles where the memory decides. */
#define LM_X86_SIMPLE(X)                                                                                               \
    X(LM_BLOCK_Q4_0, q4_0)                                                                                             \
    X(LM_BLOCK_Q8_0, q8_0)                                                                                             \
    X(LM_BLOCK_IQ4NL, iq4nl)                                                                                           \
    X(LM_BLOCK_MXFP4, mxfp4)                                                                                           \
    X(LM_BLOCK_Q4_1, q4_1)                                                                                             \
    X(LM_BLOCK_Q5_0, q5_0) X(LM_BLOCK_Q5_1, q5_1) X(LM_BLOCK_Q1_0, q1_0) X(LM_BLOCK_Q2_0, q2_0) X(LM_BLOCK_NVFP4, nvfp4)
/* Types of 256 weights with integer sub-scales; those of which 512-bit vectors have kernels of their own. */
#define LM_X86_K_AVX512(X)                                                                                             \
    X(LM_BLOCK_Q4K, q4k)                                                                                               \
    X(LM_BLOCK_Q6K, q6k)                                                                                               \
    X(LM_BLOCK_Q5K, q5k)                                                                                               \
    X(LM_BLOCK_IQ4XS, iq4xs) X(LM_BLOCK_Q2K, q2k) X(LM_BLOCK_Q3K, q3k) X(LM_BLOCK_TQ2_0, tq2_0)
#define LM_X86_K(X) LM_X86_K_AVX512(X) X(LM_BLOCK_TQ1_0, tq1_0)
/* Codebook types: one matvec for all levels. */
#define LM_X86_IQ(X)                                                                                                   \
    X(LM_BLOCK_IQ2XXS, iq2xxs)                                                                                         \
    X(LM_BLOCK_IQ2XS, iq2xs)                                                                                           \
    X(LM_BLOCK_IQ2S, iq2s)                                                                                             \
    X(LM_BLOCK_IQ3XXS, iq3xxs) X(LM_BLOCK_IQ3S, iq3s) X(LM_BLOCK_IQ1S, iq1s) X(LM_BLOCK_IQ1M, iq1m)
/* A block of a codebook type as int8, a scale for each 16, and the float scale of all. */
struct lm_expanded {
    int8_t q[256];
    int16_t scale[16];
    float d;
    float pad[7];
};
typedef void LM_KERNEL lm_expand_fn(struct lm_expanded *e, const void *block);
#define LM_X86_DECLARE_IQ(type, name)                                                                                  \
    lm_matvec_fn lm_matvec_##name##_avx2;                                                                              \
    lm_expand_fn lm_expand_##name##_avx2;
LM_X86_IQ(LM_X86_DECLARE_IQ)

/* Up to 4 columns, with 512 bits up to LM_FLAT_COLUMNS. */
enum { LM_FLAT_COLUMNS = 16 };
#define LM_X86_DECLARE(type, name) lm_matvec_fn lm_matvec_##name##_avx2;
#define LM_X86_DECLARE_AVX512(type, name) lm_matvec_fn lm_matvec_##name##_avx512vnni;
LM_X86_SIMPLE(LM_X86_DECLARE)
LM_X86_SIMPLE(LM_X86_DECLARE_AVX512)
LM_X86_K(LM_X86_DECLARE)
LM_X86_K_AVX512(LM_X86_DECLARE_AVX512)
/* What the level numbers of a codebook's entry stand for. */
extern const uint8_t lm_iq3xxs_levels[16], lm_iq3s_levels[16];

LM_X86_IQ(LM_X86_DECLARE_AVX512)

/* One column with 512 bits, read line by line (matvec_lines.h), with prefetches or without; the second as a matvec of its own. */
typedef void LM_KERNEL lm_line_fn(const void *w, size_t row_bytes, int32_t n_rows, const lm_acts *acts, int32_t c,
                                  int prefetches, float *out);
#define LM_X86_LINES(X) X(LM_BLOCK_Q2K, q2k) X(LM_BLOCK_Q3K, q3k) X(LM_BLOCK_Q5K, q5k) X(LM_BLOCK_Q6K, q6k)
#define LM_X86_DECLARE_LINE(type, name)                                                                                \
    lm_line_fn lm_matvec_##name##_line;                                                                                \
    lm_matvec_fn lm_matvec_##name##_stream;
LM_X86_LINES(LM_X86_DECLARE_LINE)

/* Takes 16 (or more) rows of n_blocks blocks apart into panels of matmul_body.h, pitch panels from 32 k to the next. add makes the
 * codes unsigned plus 128, 0 for kernels without VNNI. */
typedef void LM_KERNEL lm_unpack_fn(void *panel, const uint8_t *w, size_t stride, int n_blocks, size_t pitch, int add);
#define LM_X86_DECLARE_UNPACK(type, name) lm_unpack_fn lm_unpack_##name##_avx2;
LM_X86_SIMPLE(LM_X86_DECLARE_UNPACK)
LM_X86_K(LM_X86_DECLARE_UNPACK)
LM_X86_IQ(LM_X86_DECLARE_UNPACK)

lm_quantize_fn lm_quantize_q8_32_avx2, lm_quantize_q8_256_avx2, lm_quantize_q8_32_avx512, lm_quantize_q8_256_avx512;

/* Where the blocks of 16 (8) rows begin: row 4l + j at at[j] + l * step. The compiler is kept from forming more pointers than these. */
struct quads {
    const uint8_t *at[4];
    size_t step;
};
LM_INLINE struct quads quads_of(const uint8_t *p, size_t stride) {
    struct quads q = {{p, p + stride, p + 2 * stride, p + 3 * stride}, 4 * stride};
    __asm__("" : "+r"(q.at[1]), "+r"(q.at[2]), "+r"(q.at[3]), "+r"(q.step));
    return q;
}
/* The u16 (u8) at byte offset of rows 4l .. 4l+3 (and the next four), in integer registers: their ports are free where vectors
 * are busy. */
LM_INLINE uint64_t four_halves(const struct quads *q, int l, int offset) {
    uint16_t h[4];
    LM_UNROLL(4) for (int j = 0; j < 4; j++) memcpy(&h[j], q->at[j] + (size_t)l * q->step + offset, 2);
    return (uint64_t)((uint32_t)h[3] << 16 | h[2]) << 32 | ((uint32_t)h[1] << 16 | h[0]);
}
LM_INLINE uint64_t eight_bytes(const struct quads *q, int l, int offset) {
    uint32_t h[4];
    LM_UNROLL(4) for (int i = 0; i < 4; i++) {
        const uint8_t *const *at = q->at + i % 2 * 2;
        size_t row = (size_t)(l + i / 2) * q->step + (size_t)offset;
        h[i] = at[0][row] | (uint32_t)at[1][row] << 8;
    }
    return (uint64_t)(h[3] << 16 | h[2]) << 32 | (h[1] << 16 | h[0]);
}

void lm_kernels_matmul_x86(lm_kernels *kernels, int32_t level);
#endif

#endif
