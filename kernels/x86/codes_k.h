/* SPDX-License-Identifier: MIT
 * How each type of 256 weights with integer sub-scales is taken apart, for the decode kernels and the panels alike. For a type T:
 *
 *     T_BYTES             bytes per block
 *     T_STEPS             groups of 32 weights that T_load prepares at once
 *     T_OFFSET            what the codes are too large by
 *     T_WIDE              1: one scale per 32 weights, else one per 16
 *     T_MINIMA            minima per block: 0, 8 or 16
 *     T_load(raw, p, s, h)     the bytes of group h of T_STEPS*32 weights, LANES rows s bytes apart, the first one's block at p
 *     T_codes(x, raw, e)       32 weights, number e of raw: x[0] the first 16, x[1] the others, a row per lane
 *     T_scales(sc, mn, p, s)   int16 scales of the 16 (8) sub-blocks, one row per lane: sc[0] 0..7, sc[1] 8..15; minima alike
 *     T_RAWS              vectors of raw, where byte b of x comes from bytes b of raw; else 0
 *     T_d(q), T_dmin(q)        4*LANES rows' float scales, zero where the type has no minima */

#define RAW 6

LM_INLINE V v_widen_low(V x) { return v_unpacklo8(x, v_zero()); }
LM_INLINE V v_widen_high(V x) { return v_unpackhi8(x, v_zero()); }
/* Bits 2g, 2g+1 of every byte. */
LM_INLINE V v_two_bits(V x, const int g) { return v_and(g ? v_srl16(x, 2 * g) : x, v_set1_8(3)); }
/* Bit b of every byte, moved to bit t. */
LM_INLINE V v_bit_to(V x, const int b, const int t) {
    V moved = b > t ? v_srl16(x, b - t) : b < t ? v_sll16(x, t - b) : x;
    return v_and(moved, v_set1_8(1 << t));
}
LM_INLINE V v_nibble(V x, const int high) { return v_and(high ? v_srl16(x, 4) : x, v_set1_8(15)); }

/* Q2_K: raw is half a block, 4 groups of 2 bits. */
enum { q2k_BYTES = 84, q2k_STEPS = 4, q2k_OFFSET = 0, q2k_WIDE = 0, q2k_MINIMA = 16, q2k_RAWS = 2 };
LM_INLINE void q2k_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    LM_UNROLL(2) for (int e = 0; e < 2; e++) raw[e] = v_rows(p + 16 + 32 * h + 16 * e, s);
}
LM_INLINE void q2k_codes(V x[2], const V raw[RAW], const int e) {
    LM_UNROLL(2) for (int h = 0; h < 2; h++) x[h] = v_two_bits(raw[h], e);
}
LM_INLINE void q2k_scales(V sc[2], V mn[2], const uint8_t *p, size_t s) {
    V v = v_rows(p, s), low = v_nibble(v, 0), high = v_nibble(v, 1);
    sc[0] = v_widen_low(low), sc[1] = v_widen_high(low), mn[0] = v_widen_low(high), mn[1] = v_widen_high(high);
}
LM_INLINE F q2k_d(const struct quads *q) { return f_halves(q, 80); }
LM_INLINE F q2k_dmin(const struct quads *q) { return f_halves(q, 82); }

/* Q3_K: raw[2..3] is the bit mask of the whole block, from the half's bit on. */
enum { q3k_BYTES = 110, q3k_STEPS = 4, q3k_OFFSET = 4, q3k_WIDE = 0, q3k_MINIMA = 0, q3k_RAWS = 4 };
LM_INLINE void q3k_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    LM_UNROLL(2)
    for (int e = 0; e < 2; e++)
        raw[e] = v_rows(p + 32 + 32 * h + 16 * e, s), raw[2 + e] = v_srl16_by(v_rows(p + 16 * e, s), 4 * h);
}
LM_INLINE void q3k_codes(V x[2], const V raw[RAW], const int e) {
    LM_UNROLL(2) for (int h = 0; h < 2; h++) x[h] = v_or(v_two_bits(raw[h], e), v_bit_to(raw[2 + h], e, 2));
}
/* 12 bytes: low nibbles of scales 0..7 and 8..15, then two high bits of scales j, j+4, j+8, j+12. Loaded from 2 bytes before,
 * so that no byte after the block is read: s0-s11 at bytes 2..13 of the lane, d at 14. */
LM_INLINE V q3k_scales8(V v) {
    V low = v_shuf8(v, v_row4(0x05040302, 0x09080706, 0x05040302, 0x09080706));
    low = v_and(v_blend_high64(low, v_srl16(low, 4)), v_set1_8(15));
    V high = v_srlv32(v_shuf8(v, v_row4(0x0d0c0b0a, 0x0d0c0b0a, 0x0d0c0b0a, 0x0d0c0b0a)), v_row4(0, 2, 4, 6));
    return v_sub8(v_or(low, v_and(v_sll16(high, 4), v_set1_8(48))), v_set1_8(32));
}
LM_INLINE void q3k_scales(V sc[2], V mn[2], const uint8_t *p, size_t s) {
    (void)mn;
    V all = q3k_scales8(v_rows(p + 94, s));
    sc[0] = v_widen_low_signed(all), sc[1] = v_widen_high_signed(all);
}
LM_INLINE F q3k_d(const struct quads *q) { return f_halves(q, 108); }

/* h: d, dmin and the 12 scale bytes of a Q4_K or Q5_K block, one row per lane. Result: 8 scales then 8 minima, bytes 0..63. */
LM_INLINE V unpack_scales6(V h) {
    V x = v_shuf32(h, 0xA5);                               /* s0-3  s0-3  s4-7  s4-7  */
    V y = v_srlv32(v_shuf32(h, 0xFF), v_row4(0, 0, 0, 4)); /* s8-11, minima moved down */
    V high = v_select(v_set1(0x0f0f0f0f), y, v_srl16(x, 2));
    return v_and(v_blend_odd32(x, high), v_set1(0x3f3f3f3f));
}

/* Q4_K: raw is 64 weights, low and high nibbles. */
enum { q4k_BYTES = 144, q4k_STEPS = 2, q4k_OFFSET = 0, q4k_WIDE = 1, q4k_MINIMA = 8, q4k_RAWS = 2 };
LM_INLINE void q4k_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    LM_UNROLL(2) for (int e = 0; e < 2; e++) raw[e] = v_rows(p + 16 + 32 * h + 16 * e, s);
}
LM_INLINE void q4k_codes(V x[2], const V raw[RAW], const int e) {
    LM_UNROLL(2) for (int h = 0; h < 2; h++) x[h] = v_nibble(raw[h], e);
}
LM_INLINE void q4k_scales(V sc[2], V mn[2], const uint8_t *p, size_t s) {
    V all = unpack_scales6(v_rows(p, s));
    sc[0] = v_widen_low(all), mn[0] = v_widen_high(all);
}
#define q4k_d(q) f_halves(q, 0)
#define q4k_dmin(q) f_halves(q, 2)

/* Q5_K: raw[2..3] is the high bits of the whole block, from the group's on. */
enum { q5k_BYTES = 176, q5k_STEPS = 2, q5k_OFFSET = 0, q5k_WIDE = 1, q5k_MINIMA = 8, q5k_RAWS = 4 };
LM_INLINE void q5k_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    LM_UNROLL(2)
    for (int e = 0; e < 2; e++)
        raw[e] = v_rows(p + 48 + 32 * h + 16 * e, s), raw[2 + e] = v_srl16_by(v_rows(p + 16 + 16 * e, s), 2 * h);
}
LM_INLINE void q5k_codes(V x[2], const V raw[RAW], const int e) {
    LM_UNROLL(2) for (int h = 0; h < 2; h++) x[h] = v_or(v_nibble(raw[h], e), v_bit_to(raw[2 + h], e, 4));
}
#define q5k_scales q4k_scales
#define q5k_d q4k_d
#define q5k_dmin q4k_dmin

/* Q6_K: raw is half a block: 64 bytes of nibbles, 32 bytes of 2 high bits. */
enum { q6k_BYTES = 210, q6k_STEPS = 4, q6k_OFFSET = 32, q6k_WIDE = 0, q6k_MINIMA = 0, q6k_RAWS = 6 };
LM_INLINE void q6k_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    LM_UNROLL(4) for (int e = 0; e < 4; e++) raw[e] = v_rows(p + 64 * h + 16 * e, s);
    LM_UNROLL(2) for (int e = 0; e < 2; e++) raw[4 + e] = v_rows(p + 128 + 32 * h + 16 * e, s);
}
LM_INLINE void q6k_codes(V x[2], const V raw[RAW], const int e) {
    LM_UNROLL(2) for (int h = 0; h < 2; h++) {
        V low = raw[2 * (e % 2) + h], high = raw[4 + h];
        if (e / 2) low = v_srl16(low, 4);
        high = e == 0 ? v_sll16(high, 4) : e == 1 ? v_sll16(high, 2) : e == 2 ? high : v_srl16(high, 2);
        x[h] = v_and(v_select(v_set1(0x0f0f0f0f), low, high), v_set1(0x3f3f3f3f));
    }
}
LM_INLINE void q6k_scales(V sc[2], V mn[2], const uint8_t *p, size_t s) {
    (void)mn;
    V v = v_rows(p + 192, s);
    sc[0] = v_widen_low_signed(v), sc[1] = v_widen_high_signed(v);
}
LM_INLINE F q6k_d(const struct quads *q) { return f_halves(q, 208); }

/* TQ2_0: as Q2_K, but no scales: the codes' sum is the block's. */
enum { tq2_0_BYTES = 66, tq2_0_STEPS = 4, tq2_0_OFFSET = 1, tq2_0_WIDE = 0, tq2_0_MINIMA = 0, tq2_0_RAWS = 2 };
LM_INLINE void tq2_0_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    LM_UNROLL(2) for (int e = 0; e < 2; e++) raw[e] = v_rows(p + 32 * h + 16 * e, s);
}
#define tq2_0_codes q2k_codes
LM_INLINE void unit_scales(V sc[2], V mn[2], const uint8_t *p, size_t s) {
    (void)mn, (void)p, (void)s;
    sc[0] = sc[1] = v_set1(0x00010001);
}
#define tq2_0_scales unit_scales
LM_INLINE F tq2_0_d(const struct quads *q) { return f_halves(q, 64); }

/* Trit n of each byte: (byte * 3^n mod 256) * 3 >> 8. Products of bytes: even and odd bytes apart. */
LM_INLINE V v_trit(V x, const int n) {
    static const int16_t power3[5] = {1, 3, 9, 27, 81};
    V even = v_set1(0x00ff00ff);
    V a = v_and(v_mullo16(x, v_set1(power3[n] * 0x10001)), even);
    V b = v_and(v_mullo16(v_srl16(x, 8), v_set1(power3[n] * 0x10001)), even);
    a = v_srl16(v_mullo16(a, v_set1(0x00030003)), 8);
    b = v_mullo16(b, v_set1(0x00030003));
    return v_or(a, v_and(b, v_set1((int)0xff00ff00u)));
}
/* TQ1_0: groups 0..4 are five trits of bytes 0..31; 160..239 five of bytes 32..47; the last 16 four of bytes 48..51. */
enum { tq1_0_BYTES = 54, tq1_0_STEPS = 8, tq1_0_OFFSET = 1, tq1_0_WIDE = 0, tq1_0_MINIMA = 0, tq1_0_RAWS = 0 };
LM_INLINE void tq1_0_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    (void)h;
    LM_UNROLL(3) for (int e = 0; e < 3; e++) raw[e] = v_rows(p + 16 * e, s);
    raw[3] = v_rows4(p + 48, s);
}
LM_INLINE void tq1_0_codes(V x[2], const V raw[RAW], const int e) {
    const int i = e;
    if (i < 5) {
        x[0] = v_trit(raw[0], i), x[1] = v_trit(raw[1], i);
    } else if (i < 7) {
        x[0] = v_trit(raw[2], 2 * i - 10), x[1] = v_trit(raw[2], 2 * i - 9);
    } else {
        x[0] = v_trit(raw[2], 4);
        V odd = v_blend_odd32(v_trit(raw[3], 0), v_trit(raw[3], 1)),
          high = v_blend_odd32(v_trit(raw[3], 2), v_trit(raw[3], 3));
        x[1] = v_blend_high64(odd, high);
    }
}
#define tq1_0_scales unit_scales
LM_INLINE F tq1_0_d(const struct quads *q) { return f_halves(q, 52); }

/* IQ4_XS: levels use the whole range of int8, so sums do not fit int16: decode and panels have a form of their own. */
enum { iq4xs_BYTES = 136, iq4xs_STEPS = 2, iq4xs_OFFSET = S8_OFFSET, iq4xs_WIDE = 1, iq4xs_MINIMA = 0, iq4xs_RAWS = 2 };
LM_INLINE void iq4xs_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    LM_UNROLL(2) for (int e = 0; e < 2; e++) raw[e] = v_rows(p + 8 + 32 * h + 16 * e, s);
}
LM_INLINE void iq4xs_codes(V x[2], const V raw[RAW], const int e) {
    V table = v_prepare_s8(v_lane(lm_iq4nl_levels));
    x[0] = v_shuf8(table, v_nibble(raw[e], 0)), x[1] = v_shuf8(table, v_nibble(raw[e], 1));
}
/* Bytes 0..7: d, scales_h, scales_l. int16 scales -32..31 of the 8 groups. */
LM_INLINE void iq4xs_scales(V sc[2], V mn[2], const uint8_t *p, size_t s) {
    (void)mn;
    V v = v_rows8(p, s);
    V low = v_shuf8(v, v_row4(0x05050404, 0x07070606, 0, 0)); /* byte j: scales_l[j/2] */
    low = v_and(v_select(v_set1(0x00ff00ff), low, v_srl16(low, 4)), v_set1_8(15));
    V h0 = v_shuf8(v, v_row4(0x02020202, 0x03030303, 0, 0)); /* byte j: bits 2j%8 of scales_h[j/4] */
    V a = v_select(v_set1(0x0000ff00), v_srl16(h0, 2), h0),
      b = v_select(v_set1((int)0xff000000u), v_srl16(h0, 6), v_srl16(h0, 4));
    V two = v_and(v_select(v_set1((int)0xffff0000u), b, a), v_set1_8(3));
    sc[0] = v_widen_low_signed(v_sub8(v_or(low, v_sll16(two, 4)), v_set1_8(32)));
}
#define iq4xs_d q4k_d

/* Codebook types, once expanded. */
enum { iq_BYTES = sizeof(struct lm_expanded), iq_STEPS = 1, iq_WIDE = 0, iq_MINIMA = 0 };
LM_INLINE void iq_load(V raw[RAW], const uint8_t *p, size_t s, const int h) {
    LM_UNROLL(2) for (int e = 0; e < 2; e++) raw[e] = v_rows(p + 32 * h + 16 * e, s);
}
LM_INLINE void iq_codes(V x[2], const V raw[RAW], const int e) { (void)e, x[0] = raw[0], x[1] = raw[1]; }
LM_INLINE void iq_scales(V sc[2], V mn[2], const uint8_t *p, size_t s) {
    (void)mn, sc[0] = v_rows(p + 256, s), sc[1] = v_rows(p + 272, s);
}
LM_INLINE F iq_d(const struct quads *q) { return f_from_bits(v_dwords(q, 288)); }
#define IQ_SIZES(type, name) enum { name##_BYTES = sizeof(lm_block_##name), name##_OFFSET = S8_OFFSET };
LM_X86_IQ(IQ_SIZES)

#define iq_dmin(q) f_zero()
#define q3k_dmin(q) f_zero()
#define iq4xs_dmin(q) f_zero()
#define q6k_dmin(q) f_zero()
#define tq1_0_dmin(q) f_zero()
#define tq2_0_dmin(q) f_zero()
