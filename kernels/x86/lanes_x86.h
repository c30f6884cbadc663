/* SPDX-License-Identifier: MIT
 * What both x86 sets of lanes share: one f16, the nibbles of a block, and the transpose of sixteen rows of two times sixteen
 * bytes, each half of the registers for itself: four rounds of interleaving row r with row r + 8. After each round a bit of
 * the row number has moved into the column number. */
#ifndef LM_KERNELS_LANES_X86_H
#define LM_KERNELS_LANES_X86_H

LM_INLINE float load_f16(const uint8_t *x) { return _cvtsh_ss(lm_load_u16(x)); }

LM_INLINE void unpack_nibbles(const uint8_t *nibbles, int8_t *codes) {
    __m128i both = _mm_loadu_si128((const __m128i *)nibbles), low = _mm_set1_epi8(15), bias = _mm_set1_epi8(8);
    _mm_storeu_si128((__m128i *)codes, _mm_sub_epi8(_mm_and_si128(both, low), bias));
    _mm_storeu_si128((__m128i *)(codes + 16), _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(both, 4), low), bias));
}

LM_INLINE void transpose_codes(const uint8_t *rows, size_t stride, int8_t *columns) {
    __m256i x[16], y[16];
    LM_UNROLL(16)
    for (int i = 0; i < 16; i++) x[i] = _mm256_loadu_si256((const __m256i *)(rows + i * stride));
    LM_UNROLL(4)
    for (int round = 0; round < 4; round++) {
        LM_UNROLL(8)
        for (int i = 0; i < 8; i++) {
            y[2 * i] = _mm256_unpacklo_epi8(x[i], x[i + 8]);
            y[2 * i + 1] = _mm256_unpackhi_epi8(x[i], x[i + 8]);
        }
        LM_UNROLL(16)
        for (int i = 0; i < 16; i++) x[i] = y[i];
    }
    LM_UNROLL(16)
    for (int i = 0; i < 16; i++) {
        _mm_storeu_si128((__m128i *)(columns + 16 * i), _mm256_castsi256_si128(x[i]));
        _mm_storeu_si128((__m128i *)(columns + 256 + 16 * i), _mm256_extracti128_si256(x[i], 1));
    }
}

#endif
