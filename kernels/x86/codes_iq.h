/* SPDX-License-Identifier: MIT
 * Signs and scales of the codebook types, for all levels from avx2 on. */

/* Sets the bit above 7 in each byte so that the number of ones is even. */
LM_INLINE __m256i even_signs(__m256i x) {
    __m256i t = _mm256_xor_si256(x, _mm256_srli_epi16(x, 4));
    t = _mm256_xor_si256(t, _mm256_srli_epi16(t, 2));
    t = _mm256_and_si256(_mm256_xor_si256(t, _mm256_srli_epi16(t, 1)), _mm256_set1_epi8(1));
    return _mm256_or_si256(x, _mm256_slli_epi16(t, 7));
}
/* The u32 of IQ2_XXS and IQ3_XXS: four 7-bit sign indices, which become a bit for each weight, and a scale of 32 weights. */
LM_INLINE __m256i xxs_signs(__m256i w) {
    __m256i s = _mm256_and_si256(w, _mm256_set1_epi32(0x7f));
    LM_UNROLL(3)
    for (int k = 1; k < 4; k++)
        s = _mm256_or_si256(s, _mm256_and_si256(_mm256_slli_epi32(w, k), _mm256_set1_epi32(0x7f << 8 * k)));
    return even_signs(s);
}
LM_INLINE __m256i xxs_scales(__m256i w) {
    __m256i scale = _mm256_or_si256(_mm256_slli_epi32(_mm256_srli_epi32(w, 28), 1), _mm256_set1_epi32(1));
    return _mm256_or_si256(scale, _mm256_slli_epi32(scale, 16));
}
/* 2*s + 1 of 16 nibbles, low ones first, as words. */
LM_INLINE __m256i nibble_scales(__m128i bytes) {
    __m128i x = _mm_and_si128(_mm_unpacklo_epi8(bytes, _mm_srli_epi16(bytes, 4)), _mm_set1_epi8(15));
    return _mm256_cvtepu8_epi16(_mm_or_si128(_mm_add_epi8(x, x), _mm_set1_epi8(1)));
}
/* IQ3_S: the nibbles of p, one for 32 weights, each twice. */
LM_INLINE __m128i iq3s_nibbles(const uint8_t *p) {
    uint32_t nibbles;
    memcpy(&nibbles, p, 4);
    __m128i x = _mm_cvtsi32_si128((int)nibbles);
    x = _mm_and_si128(_mm_unpacklo_epi8(x, _mm_srli_epi16(x, 4)), _mm_set1_epi8(15));
    return _mm_or_si128(x, _mm_slli_epi16(x, 4));
}
