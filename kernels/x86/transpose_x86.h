/* SPDX-License-Identifier: MIT
 * Sixteen rows of sixteen bytes turned into sixteen columns, in 128-bit registers: four rounds of interleaving row r with row
 * r + 8. After each round the byte of row r, column c has moved one bit of r from the row number into the column number. */
#ifndef LM_KERNELS_TRANSPOSE_X86_H
#define LM_KERNELS_TRANSPOSE_X86_H

LM_INLINE void transpose_bytes(const uint8_t *rows, size_t stride, int8_t *columns) {
    __m128i x[16], y[16];
    LM_UNROLL(16)
    for (int i = 0; i < 16; i++) x[i] = _mm_loadu_si128((const __m128i *)(rows + i * stride));
    LM_UNROLL(4)
    for (int round = 0; round < 4; round++) {
        LM_UNROLL(8)
        for (int i = 0; i < 8; i++) {
            y[2 * i] = _mm_unpacklo_epi8(x[i], x[i + 8]);
            y[2 * i + 1] = _mm_unpackhi_epi8(x[i], x[i + 8]);
        }
        LM_UNROLL(16)
        for (int i = 0; i < 16; i++) x[i] = y[i];
    }
    LM_UNROLL(16)
    for (int i = 0; i < 16; i++) _mm_storeu_si128((__m128i *)(columns + 16 * i), x[i]);
}

#endif
