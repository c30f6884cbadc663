/* SPDX-License-Identifier: MIT
 * Vectors of the AVX-512 VNNI level: four 128-bit lanes, 16 rows at a time. Included inside the target region of a file; the
 * bodies that are shared with the 256-bit levels see only the names defined here. */
#define LANES 4
#define HAVE_VNNI 1
typedef __m512i V;
typedef __m512 F;

#define v_zero() _mm512_setzero_si512()
#define v_set1(x) _mm512_set1_epi32(x)
#define v_set1_8(x) _mm512_set1_epi8((char)(x))
#define v_and(a, b) _mm512_and_si512(a, b)
#define v_or(a, b) _mm512_or_si512(a, b)
#define v_xor(a, b) _mm512_xor_si512(a, b)
#define v_andnot(a, b) _mm512_andnot_si512(b, a) /* a and not b */
#define v_max32(a, b) _mm512_max_epi32(a, b)
#define v_equal32(a, b) _mm512_movm_epi32(_mm512_cmpeq_epi32_mask(a, b))
#define v_add8(a, b) _mm512_add_epi8(a, b)
#define v_sub8(a, b) _mm512_sub_epi8(a, b)
#define v_add16(a, b) _mm512_add_epi16(a, b)
#define v_add32(a, b) _mm512_add_epi32(a, b)
#define v_sub32(a, b) _mm512_sub_epi32(a, b)
#define v_mullo16(a, b) _mm512_mullo_epi16(a, b)
#define v_mullo32(a, b) _mm512_mullo_epi32(a, b)
#define v_sll16(a, n) _mm512_slli_epi16(a, n)
#define v_srl16(a, n) _mm512_srli_epi16(a, n)
#define v_srl16_by(a, n) _mm512_srl_epi16(a, _mm_cvtsi32_si128(n))
#define v_sll32(a, n) _mm512_slli_epi32(a, n)
#define v_srl32(a, n) _mm512_srli_epi32(a, n)
#define v_sra32(a, n) _mm512_srai_epi32(a, n)
#define v_sra32_by(a, count) _mm512_sra_epi32(a, count)
#define v_srlv32(a, n) _mm512_srlv_epi32(a, n)
#define v_srlv64(a, n) _mm512_srlv_epi64(a, n)
#define v_row4(a, b, c, d) _mm512_set4_epi32(d, c, b, a)
#define v_shuf32(a, n) _mm512_shuffle_epi32(a, (_MM_PERM_ENUM)(n))
#define v_shuf8(a, b) _mm512_shuffle_epi8(a, b)
#define v_unpacklo8(a, b) _mm512_unpacklo_epi8(a, b)
#define v_unpackhi8(a, b) _mm512_unpackhi_epi8(a, b)
#define v_unpacklo32(a, b) _mm512_unpacklo_epi32(a, b)
#define v_unpackhi32(a, b) _mm512_unpackhi_epi32(a, b)
#define v_unpacklo64(a, b) _mm512_unpacklo_epi64(a, b)
#define v_unpackhi64(a, b) _mm512_unpackhi_epi64(a, b)
#define v_packs32(a, b) _mm512_packs_epi32(a, b)
#define v_madd16(a, b) _mm512_madd_epi16(a, b)
#define v_select(mask, a, b) _mm512_ternarylogic_epi32(mask, a, b, 0xCA) /* mask ? a : b, bit by bit */
#define v_blend_high64(a, b) _mm512_mask_mov_epi64(a, 0xAA, b)
#define v_blend_odd32(a, b) _mm512_mask_mov_epi32(a, 0xAAAA, b)
#define v_lane(p) _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define v_load(p) _mm512_loadu_si512(p)
#define v_store(p, x) _mm512_storeu_si512(p, x)
#define v_widen_low_signed(x) _mm512_srai_epi16(_mm512_unpacklo_epi8(x, x), 8)
#define v_widen_high_signed(x) _mm512_srai_epi16(_mm512_unpackhi_epi8(x, x), 8)
#define f_set1(x) _mm512_set1_ps(x)
#define f_zero() _mm512_setzero_ps()
#define f_mul(a, b) _mm512_mul_ps(a, b)
#define f_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define f_fnma(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define f_from_int(x) _mm512_cvtepi32_ps(x)
#define f_from_bits(x) _mm512_castsi512_ps(x)
#define f_from_low_halves(x) _mm512_cvtph_ps(_mm512_cvtepi32_epi16(x))
#define f_load(p) _mm512_loadu_ps(p)
#define f_store(p, x) _mm512_storeu_ps(p, x)

/* Inline assembly, because gcc 12 copies the accumulator of the intrinsic before every use. */
LM_INLINE V dp(V acc, V u8, V s8) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u8), "v"(s8));
    return acc;
}
/* The same with the four int8 at p, for every row. */
LM_INLINE V dp_bcast(V acc, V u8, const int8_t *p) {
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(u8), "m"(*(const int8_t(*)[4])p));
    return acc;
}
LM_INLINE V v_dot16(V acc, V a, V b) {
    __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
    return acc;
}

/* 16 bytes at p of each lane's row, rows stride apart. */
LM_INLINE V v_rows(const uint8_t *p, size_t stride) {
    V v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)p));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(p + stride)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(p + 2 * stride)), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(p + 3 * stride)), 3);
}

/* The same 8 bytes twice. */
LM_INLINE V v_rows8(const uint8_t *p, size_t stride) {
    V v = _mm512_castsi128_si512(_mm_loadl_epi64((const __m128i *)(const void *)p));
    v = _mm512_inserti32x4(v, _mm_loadl_epi64((const __m128i *)(const void *)(p + stride)), 1);
    v = _mm512_inserti32x4(v, _mm_loadl_epi64((const __m128i *)(const void *)(p + 2 * stride)), 2);
    v = _mm512_inserti32x4(v, _mm_loadl_epi64((const __m128i *)(const void *)(p + 3 * stride)), 3);
    return v_shuf32(v, 0x44);
}

/* Four bytes of each lane's row, at p, in every dword of the lane. */
LM_INLINE V v_rows4(const uint8_t *p, size_t stride) {
    int32_t d[4];
    LM_UNROLL(4) for (int i = 0; i < 4; i++) memcpy(&d[i], p + (size_t)i * stride, 4);
    V v = _mm512_castsi128_si512(_mm_cvtsi32_si128(d[0]));
    v = _mm512_inserti32x4(v, _mm_cvtsi32_si128(d[1]), 1);
    v = _mm512_inserti32x4(v, _mm_cvtsi32_si128(d[2]), 2);
    return v_shuf32(_mm512_inserti32x4(v, _mm_cvtsi32_si128(d[3]), 3), 0);
}

/* x | bits where bit e of the row's u16 at p is set, e the byte in its lane */
LM_INLINE V v_or_where(V x, const uint8_t *p, size_t stride, V bits) {
    uint16_t h[4];
    LM_UNROLL(4) for (int i = 0; i < 4; i++) memcpy(&h[i], p + (size_t)i * stride, 2);
    uint64_t where = (uint64_t)((uint32_t)h[3] << 16 | h[2]) << 32 | ((uint32_t)h[1] << 16 | h[0]);
    return v_or(x, _mm512_maskz_mov_epi8(where, bits));
}

/* Four bytes, one byte, one f16 of each of 16 rows: single loads, because several processors make gathers slow. */
LM_INLINE V v_dwords(const struct quads *q, int offset) {
    int32_t d[16];
    LM_UNROLL(16) for (int i = 0; i < 16; i++) memcpy(&d[i], q->at[i % 4] + (size_t)(i / 4) * q->step + offset, 4);
    return _mm512_setr_epi32(d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13],
                             d[14], d[15]);
}
LM_INLINE V v_bytes(const struct quads *q, int offset) {
    return _mm512_cvtepu8_epi32(
        _mm_set_epi64x((long long)eight_bytes(q, 2, offset), (long long)eight_bytes(q, 0, offset)));
}
LM_INLINE F f_halves(const struct quads *q, int offset) {
    return _mm512_cvtph_ps(_mm256_set_epi64x((long long)four_halves(q, 3, offset), (long long)four_halves(q, 2, offset),
                                             (long long)four_halves(q, 1, offset),
                                             (long long)four_halves(q, 0, offset)));
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
