/* SPDX-License-Identifier: MIT
 * What the machine can do at most: a plain read loop, and the widest integer dot product of a level on registers alone. */
#include "harness.h"

#include <string.h>

#if defined(LM_HAVE_X86)
#include <immintrin.h>

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
static uint64_t read_avx512(const uint8_t *p, size_t bytes) {
    __m512i s[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (size_t i = 0; i + 512 <= bytes; i += 512) LM_UNROLL(8)
    for (int j = 0; j < 8; j++) s[j % 4] = _mm512_xor_si512(s[j % 4], _mm512_loadu_si512(p + i + 64 * j));
    return (uint64_t)_mm512_reduce_add_epi64(
        _mm512_xor_si512(_mm512_xor_si512(s[0], s[1]), _mm512_xor_si512(s[2], s[3])));
}
static void dot_avx512(long n) {
    __m512i a[24], x = _mm512_set1_epi8(3), y = _mm512_set1_epi8(5);
    LM_UNROLL(24) for (int j = 0; j < 24; j++) a[j] = _mm512_set1_epi32(j);
    for (long i = 0; i < n; i++) LM_UNROLL(24)
    for (int j = 0; j < 24; j++) __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(a[j]) : "v"(x), "v"(y));
}
static void dot_ymm(long n) { /* in the encoding that AVX-512 machines have too */
    __m256i a[12], x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(5);
    LM_UNROLL(12) for (int j = 0; j < 12; j++) a[j] = _mm256_set1_epi32(j);
    for (long i = 0; i < n; i++) LM_UNROLL(12)
    for (int j = 0; j < 12; j++) __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(a[j]) : "v"(x), "v"(y));
}
LM_TARGET_END

LM_TARGET_BEGIN("avx2")
static uint64_t read_avx2(const uint8_t *p, size_t bytes) {
    __m256i s[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (size_t i = 0; i + 256 <= bytes; i += 256) LM_UNROLL(8)
    for (int j = 0; j < 8; j++)
        s[j % 4] = _mm256_xor_si256(s[j % 4], _mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32 * j)));
    __m256i all = _mm256_xor_si256(_mm256_xor_si256(s[0], s[1]), _mm256_xor_si256(s[2], s[3]));
    uint64_t words[4];
    memcpy(words, &all, sizeof words);
    return words[0] ^ words[1] ^ words[2] ^ words[3];
}
static void dot_vex(long n) {
    __m256i a[12], x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(5);
    LM_UNROLL(12) for (int j = 0; j < 12; j++) a[j] = _mm256_set1_epi32(j);
    for (long i = 0; i < n; i++) LM_UNROLL(12)
    for (int j = 0; j < 12; j++) __asm__ volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(a[j]) : "x"(x), "x"(y));
}
static void dot_avx2(long n) {
    __m256i a[12], x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(5);
    LM_UNROLL(12) for (int j = 0; j < 12; j++) a[j] = _mm256_set1_epi16((short)j);
    for (long i = 0; i < n; i++) LM_UNROLL(12) for (int j = 0; j < 12; j++) {
            __m256i t;
            __asm__ volatile("vpmaddubsw %2, %1, %0" : "=x"(t) : "x"(x), "x"(y));
            __asm__ volatile("vpaddw %1, %0, %0" : "+x"(a[j]) : "x"(t));
        }
}
LM_TARGET_END
#endif

static uint64_t read_words(const uint8_t *p, size_t bytes) {
    uint64_t s[4] = {0};
    for (size_t i = 0; i + 32 <= bytes; i += 32)
        for (int j = 0; j < 4; j++) {
            uint64_t x;
            memcpy(&x, p + i + 8 * j, 8);
            s[j] ^= x;
        }
    return s[0] ^ s[1] ^ s[2] ^ s[3];
}

uint64_t limit_read(int32_t level, const uint8_t *p, size_t bytes) {
#if defined(LM_HAVE_X86)
    if (level == LM_CPU_AVX512_VNNI) return read_avx512(p, bytes);
    if (level == LM_CPU_AVX2 || level == LM_CPU_AVX2_VNNI) return read_avx2(p, bytes);
#endif
    (void)level;
    return read_words(p, bytes);
}

double limit_dot(int32_t level, long n) {
#if defined(LM_HAVE_X86)
    if (level == LM_CPU_AVX512_VNNI) return dot_avx512(n), (double)n * 24 * 128;
    if (level == LM_CPU_AVX2_VNNI) return lm_cpu_level_runs(level) ? dot_vex(n) : dot_ymm(n), (double)n * 12 * 64;
    if (level == LM_CPU_AVX2) return dot_avx2(n), (double)n * 12 * 64;
#endif
    (void)level, (void)n;
    return 0;
}
