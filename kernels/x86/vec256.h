/* SPDX-License-Identifier: MIT
 * Vectors of the AVX2 levels: two 128-bit lanes, 8 rows at a time. The includer sets HAVE_VNNI to 0 (vpmaddubsw) or 1. */
#define LANES 2
typedef __m256i V;
typedef __m256 F;

#define v_zero() _mm256_setzero_si256()
#define v_set1(x) _mm256_set1_epi32(x)
#define v_set1_8(x) _mm256_set1_epi8((char)(x))
#define v_and(a, b) _mm256_and_si256(a, b)
#define v_or(a, b) _mm256_or_si256(a, b)
#define v_xor(a, b) _mm256_xor_si256(a, b)
#define v_andnot(a, b) _mm256_andnot_si256(b, a) /* a and not b */
#define v_max32(a, b) _mm256_max_epi32(a, b)
#define v_equal32(a, b) _mm256_cmpeq_epi32(a, b)
#define v_add8(a, b) _mm256_add_epi8(a, b)
#define v_sub8(a, b) _mm256_sub_epi8(a, b)
#define v_add16(a, b) _mm256_add_epi16(a, b)
#define v_add32(a, b) _mm256_add_epi32(a, b)
#define v_sub32(a, b) _mm256_sub_epi32(a, b)
#define v_mullo16(a, b) _mm256_mullo_epi16(a, b)
#define v_mullo32(a, b) _mm256_mullo_epi32(a, b)
#define v_sll16(a, n) _mm256_slli_epi16(a, n)
#define v_srl16(a, n) _mm256_srli_epi16(a, n)
#define v_srl16_by(a, n) _mm256_srl_epi16(a, _mm_cvtsi32_si128(n))
#define v_sll32(a, n) _mm256_slli_epi32(a, n)
#define v_srl32(a, n) _mm256_srli_epi32(a, n)
#define v_sra32(a, n) _mm256_srai_epi32(a, n)
#define v_sra32_by(a, count) _mm256_sra_epi32(a, count)
#define v_srlv32(a, n) _mm256_srlv_epi32(a, n)
#define v_srlv64(a, n) _mm256_srlv_epi64(a, n)
#define v_row4(a, b, c, d) _mm256_setr_epi32(a, b, c, d, a, b, c, d)
#define v_shuf32(a, n) _mm256_shuffle_epi32(a, n)
#define v_shuf8(a, b) _mm256_shuffle_epi8(a, b)
#define v_unpacklo8(a, b) _mm256_unpacklo_epi8(a, b)
#define v_unpackhi8(a, b) _mm256_unpackhi_epi8(a, b)
#define v_unpacklo32(a, b) _mm256_unpacklo_epi32(a, b)
#define v_unpackhi32(a, b) _mm256_unpackhi_epi32(a, b)
#define v_unpacklo64(a, b) _mm256_unpacklo_epi64(a, b)
#define v_unpackhi64(a, b) _mm256_unpackhi_epi64(a, b)
#define v_packs32(a, b) _mm256_packs_epi32(a, b)
#define v_madd16(a, b) _mm256_madd_epi16(a, b)
#define v_select(mask, a, b) _mm256_or_si256(_mm256_and_si256(mask, a), _mm256_andnot_si256(mask, b))
#define v_blend_high64(a, b) _mm256_blend_epi32(a, b, 0xCC)
#define v_blend_odd32(a, b) _mm256_blend_epi32(a, b, 0xAA)
/* 0xff where all of bits are set, which must be one bit per byte */
#define v_has_bits(x, bits) _mm256_cmpeq_epi8(_mm256_and_si256(x, bits), bits)
#define v_lane(p) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define v_load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define v_store(p, x) _mm256_storeu_si256((__m256i *)(void *)(p), x)
#define v_widen_low_signed(x) _mm256_srai_epi16(_mm256_unpacklo_epi8(x, x), 8)
#define v_widen_high_signed(x) _mm256_srai_epi16(_mm256_unpackhi_epi8(x, x), 8)
#define f_set1(x) _mm256_set1_ps(x)
#define f_zero() _mm256_setzero_ps()
#define f_mul(a, b) _mm256_mul_ps(a, b)
#define f_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define f_fnma(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define f_from_int(x) _mm256_cvtepi32_ps(x)
#define f_from_bits(x) _mm256_castsi256_ps(x)
#define f_load(p) _mm256_loadu_ps(p)
#define f_store(p, x) _mm256_storeu_ps(p, x)

LM_INLINE V v_rows(const uint8_t *p, size_t stride) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p)),
                                   _mm_loadu_si128((const __m128i *)(const void *)(p + stride)), 1);
}
LM_INLINE V v_rows8(const uint8_t *p, size_t stride) {
    V v = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(const void *)p)),
                                  _mm_loadl_epi64((const __m128i *)(const void *)(p + stride)), 1);
    return v_shuf32(v, 0x44);
}
LM_INLINE V v_rows4(const uint8_t *p, size_t stride) {
    int32_t d[2];
    memcpy(&d[0], p, 4);
    memcpy(&d[1], p + stride, 4);
    return v_shuf32(
        _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_cvtsi32_si128(d[0])), _mm_cvtsi32_si128(d[1]), 1), 0);
}

/* x | bits where bit e of the row's u16 at p is set, e the byte in its lane */
LM_INLINE V v_or_where(V x, const uint8_t *p, size_t stride, V bits) {
    uint16_t h[2];
    memcpy(&h[0], p, 2), memcpy(&h[1], p + stride, 2);
    V each = v_row4(0x08040201, (int)0x80402010u, 0x08040201, (int)0x80402010u),
      v = v_shuf8(_mm256_setr_epi32(h[0], 0, 0, 0, h[1], 0, 0, 0), v_row4(0, 0, 0x01010101, 0x01010101));
    return v_or(x, v_and(v_has_bits(v, each), bits));
}

/* Four bytes, one byte, one f16 of each of 8 rows: single loads, because several processors make gathers slow. */
LM_INLINE V v_dwords(const struct quads *q, int offset) {
    int32_t d[8];
    LM_UNROLL(8) for (int i = 0; i < 8; i++) memcpy(&d[i], q->at[i % 4] + (size_t)(i / 4) * q->step + offset, 4);
    return _mm256_setr_epi32(d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}
LM_INLINE F f_from_low_halves(V x) {
    x = v_shuf8(x, _mm256_setr_epi64x(0x0D0C090805040100, -1, 0x0D0C090805040100, -1));
    return _mm256_cvtph_ps(_mm256_castsi256_si128(_mm256_permute4x64_epi64(x, 0x08)));
}
LM_INLINE V v_bytes(const struct quads *q, int offset) {
    return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)eight_bytes(q, 0, offset)));
}
LM_INLINE F f_halves(const struct quads *q, int offset) {
    return _mm256_cvtph_ps(_mm_set_epi64x((long long)four_halves(q, 1, offset), (long long)four_halves(q, 0, offset)));
}

#if HAVE_VNNI
#ifdef LM_TEST_EVEX /* lets a processor with AVX-512 VNNI alone run this level's code in tests */
#define VEX ""
#else
#define VEX "%{vex%} "
#endif
LM_INLINE V dp(V acc, V u8, V s8) {
    __asm__(VEX "vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(u8), "x"(s8));
    return acc;
}
#define dp_bcast(acc, u8, p) dp(acc, u8, bcast32(p))
LM_INLINE V v_dot16(V acc, V a, V b) {
    __asm__(VEX "vpdpwssd %2, %1, %0" : "+x"(acc) : "x"(a), "x"(b));
    return acc;
}
#else
#define v_dot16(acc, a, b) v_add32(acc, v_madd16(a, b))
#endif

LM_INLINE V v_hsum_small(V bias, const V s[4]) {
    V one = _mm256_set1_epi16(1);
    V t = v_madd16(v_packs32(s[0], s[1]), one), u = v_madd16(v_packs32(s[2], s[3]), one);
    return v_dot16(bias, v_packs32(t, u), one);
}

/* Rows that four vectors hold, or one of dwords. */
#define ROWS (4 * LANES)
/* Keeps the compiler from moving memory accesses and what depends on them across it. */
#define KEEP_ORDER __asm__ volatile("" ::: "memory")

/* int8 codes ready for a dot product: with VNNI plus 128, without unchanged. */
#if HAVE_VNNI
#define S8_OFFSET 128
#define v_prepare_s8(x) v_xor(x, v_set1_8(-128))
#else
#define S8_OFFSET 0
#define v_prepare_s8(x) (x)
#endif
