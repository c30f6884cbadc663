/* SPDX-License-Identifier: MIT
 * The limits of an x86-64 machine: loads as wide as the level has them, and its widest integer dot product on registers alone.
 * The dot products are written as assembly so that no compiler moves or merges them; their results mean nothing. */
#include "../float_kernels.h"

#if defined(LM_HAVE_X86)
#include <immintrin.h>

LM_TARGET_BEGIN("avx2")
static uint64_t LM_KERNEL limit_read_avx2(const void *memory, size_t bytes) {
    const uint8_t *p = memory;
    __m256i s[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (size_t i = 0; i + 256 <= bytes; i += 256) LM_UNROLL(8)
    for (int j = 0; j < 8; j++)
        s[j % 4] = _mm256_xor_si256(s[j % 4], _mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32 * j)));
    __m256i all = _mm256_xor_si256(_mm256_xor_si256(s[0], s[1]), _mm256_xor_si256(s[2], s[3]));
    uint64_t words[4];
    _mm256_storeu_si256((__m256i *)(void *)words, all);
    return words[0] ^ words[1] ^ words[2] ^ words[3];
}

/* A product of this level is vpmaddubsw and the addition of its 16-bit sums: 64 operations. */
static double LM_KERNEL limit_dot_avx2(int64_t n, uint64_t *sink) {
    __m256i a[12], x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(5);
    LM_UNROLL(12) for (int j = 0; j < 12; j++) a[j] = _mm256_set1_epi16((short)j);
    for (int64_t i = 0; i < n; i++) LM_UNROLL(12) for (int j = 0; j < 12; j++) {
            __m256i t;
            __asm__ volatile("vpmaddubsw %2, %1, %0" : "=x"(t) : "x"(x), "x"(y));
            __asm__ volatile("vpaddw %1, %0, %0" : "+x"(a[j]) : "x"(t));
        }
    LM_UNROLL(11) for (int j = 1; j < 12; j++) a[0] = _mm256_xor_si256(a[0], a[j]);
    *sink += (uint64_t)_mm256_extract_epi64(a[0], 0);
    return (double)n * 12 * 64;
}

#ifdef LM_TEST_EVEX /* as in vec256.h */
#define VEX ""
#else
#define VEX "%{vex%} "
#endif
static double LM_KERNEL limit_dot_avx2vnni(int64_t n, uint64_t *sink) {
    __m256i a[12], x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(5);
    LM_UNROLL(12) for (int j = 0; j < 12; j++) a[j] = _mm256_set1_epi32(j);
    for (int64_t i = 0; i < n; i++) LM_UNROLL(12)
    for (int j = 0; j < 12; j++) __asm__ volatile(VEX "vpdpbusd %2, %1, %0" : "+x"(a[j]) : "x"(x), "x"(y));
    LM_UNROLL(11) for (int j = 1; j < 12; j++) a[0] = _mm256_xor_si256(a[0], a[j]);
    *sink += (uint64_t)_mm256_extract_epi64(a[0], 0);
    return (double)n * 12 * 64;
}
LM_TARGET_END

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
static uint64_t LM_KERNEL limit_read_avx512(const void *memory, size_t bytes) {
    const uint8_t *p = memory;
    __m512i s[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (size_t i = 0; i + 512 <= bytes; i += 512) LM_UNROLL(8)
    for (int j = 0; j < 8; j++) s[j % 4] = _mm512_xor_si512(s[j % 4], _mm512_loadu_si512(p + i + 64 * j));
    return (uint64_t)_mm512_reduce_add_epi64(
        _mm512_xor_si512(_mm512_xor_si512(s[0], s[1]), _mm512_xor_si512(s[2], s[3])));
}

static double LM_KERNEL limit_dot_avx512(int64_t n, uint64_t *sink) {
    __m512i a[24], x = _mm512_set1_epi8(3), y = _mm512_set1_epi8(5);
    LM_UNROLL(24) for (int j = 0; j < 24; j++) a[j] = _mm512_set1_epi32(j);
    for (int64_t i = 0; i < n; i++) LM_UNROLL(24)
    for (int j = 0; j < 24; j++) __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(a[j]) : "v"(x), "v"(y));
    LM_UNROLL(23) for (int j = 1; j < 24; j++) a[0] = _mm512_xor_si512(a[0], a[j]);
    *sink += (uint64_t)_mm512_reduce_add_epi64(a[0]);
    return (double)n * 24 * 128;
}
LM_TARGET_END

void lm_limits_x86(lm_kernels *kernels, int32_t level) {
    if (level < LM_CPU_AVX2 || level > LM_CPU_AVX512_VNNI) return;
    kernels->limit_read = limit_read_avx2;
    kernels->limit_dot = limit_dot_avx2;
    if (level < LM_CPU_AVX2_VNNI) return;
    kernels->limit_dot = limit_dot_avx2vnni;
    if (level < LM_CPU_AVX512_VNNI) return;
    kernels->limit_read = limit_read_avx512;
    kernels->limit_dot = limit_dot_avx512;
}
#else
typedef int lm_nothing_here;
#endif
