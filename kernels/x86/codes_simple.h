/* SPDX-License-Identifier: MIT
 * How each type with a float scale per small block is taken apart, for the decode kernels and the panels alike. For a type T:
 *
 *     T_BYTES, T_SUBS     bytes per block, groups of 32 weights per block
 *     T_OFFSET            what the codes below are too large by
 *     T_SIGNED            1: codes use the whole range of int8 and are in the form of v_prepare_s8; else unsigned and at most 31
 *     T_load(raw, p, s, i), T_open(x, raw)
 *                         32 weights of group i of LANES rows s bytes apart, the first one's block at p: x[0] elements 0..15,
 *                         x[1] elements 16..31, one row per 128-bit lane
 *     T_RAWS              vectors of raw, where byte b of x comes from bytes b of raw alone; else 0: T_load does all
 *     T_scale(q)          4*LANES rows' scales as floats; T_minimum alike */

LM_INLINE V v_low4(V x) { return v_and(x, v_set1_8(15)); }
LM_INLINE V v_high4(V x) { return v_and(v_srl16(x, 4), v_set1_8(15)); }
LM_INLINE F f_first(const struct quads *q) { return f_halves(q, 0); }
LM_INLINE F f_second(const struct quads *q) { return f_halves(q, 2); }

LM_INLINE void open_nibbles(V x[2], const V raw[2]) { x[0] = v_low4(raw[0]), x[1] = v_high4(raw[0]); }
LM_INLINE void open_nothing(V x[2], const V raw[2]) { x[0] = raw[0], x[1] = raw[1]; }

enum { q4_0_BYTES = 18, q4_0_SUBS = 1, q4_0_OFFSET = 8, q4_0_SIGNED = 0, q4_0_RAWS = 1 };
LM_INLINE void q4_0_load(V raw[2], const uint8_t *p, size_t s, const int i) { (void)i, raw[0] = v_rows(p + 2, s); }
#define q4_0_open open_nibbles
#define q4_0_scale f_first

enum { q4_1_BYTES = 20, q4_1_SUBS = 1, q4_1_OFFSET = 0, q4_1_SIGNED = 0, q4_1_RAWS = 1 };
LM_INLINE void q4_1_load(V raw[2], const uint8_t *p, size_t s, const int i) { (void)i, raw[0] = v_rows(p + 4, s); }
#define q4_1_open open_nibbles
#define q4_1_scale f_first
#define q4_1_minimum f_second

enum { q5_0_BYTES = 22, q5_0_SUBS = 1, q5_0_OFFSET = 16, q5_0_SIGNED = 0, q5_0_RAWS = 0 };
LM_INLINE void q5_0_load(V x[2], const uint8_t *p, size_t s, const int i) {
    V v = v_rows(p + 6, s), ten = v_set1_8(16);
    (void)i, x[0] = v_or_where(v_low4(v), p + 2, s, ten), x[1] = v_or_where(v_high4(v), p + 4, s, ten);
}
#define q5_0_open open_nothing
#define q5_0_scale f_first

enum { q5_1_BYTES = 24, q5_1_SUBS = 1, q5_1_OFFSET = 0, q5_1_SIGNED = 0, q5_1_RAWS = 0 };
LM_INLINE void q5_1_load(V x[2], const uint8_t *p, size_t s, const int i) {
    V v = v_rows(p + 8, s), ten = v_set1_8(16);
    (void)i, x[0] = v_or_where(v_low4(v), p + 4, s, ten), x[1] = v_or_where(v_high4(v), p + 6, s, ten);
}
#define q5_1_open open_nothing
#define q5_1_scale f_first
#define q5_1_minimum f_second

enum { q8_0_BYTES = 34, q8_0_SUBS = 1, q8_0_OFFSET = S8_OFFSET, q8_0_SIGNED = 1, q8_0_RAWS = 2 };
LM_INLINE void q8_0_load(V raw[2], const uint8_t *p, size_t s, const int i) {
    (void)i, raw[0] = v_rows(p + 2, s), raw[1] = v_rows(p + 18, s);
}
LM_INLINE void q8_0_open(V x[2], const V raw[2]) { x[0] = v_prepare_s8(raw[0]), x[1] = v_prepare_s8(raw[1]); }
#define q8_0_scale f_first

/* Bits become codes 0 and 2. */
enum { q1_0_BYTES = 18, q1_0_SUBS = 4, q1_0_OFFSET = 1, q1_0_SIGNED = 0, q1_0_RAWS = 0 };
LM_INLINE void q1_0_load(V x[2], const uint8_t *p, size_t s, const int i) {
    p += 2 + 4 * i;
    x[0] = v_or_where(v_zero(), p, s, v_set1_8(2)), x[1] = v_or_where(v_zero(), p + 2, s, v_set1_8(2));
}
#define q1_0_open open_nothing
#define q1_0_scale f_first

/* Byte b holds elements 4b..4b+3: every byte goes to four places, then each place keeps its own two bits. */
enum { q2_0_BYTES = 18, q2_0_SUBS = 2, q2_0_OFFSET = 1, q2_0_SIGNED = 0, q2_0_RAWS = 0 };
LM_INLINE void q2_0_load(V x[2], const uint8_t *p, size_t s, const int i) {
    V v = v_rows8(p + 2 + 8 * i, s);
    LM_UNROLL(2) for (int h = 0; h < 2; h++) {
        V b = v_shuf8(v, v_add8(v_row4(0, 0x01010101, 0x02020202, 0x03030303), v_set1_8(4 * h)));
        V low = v_select(v_set1(0x0000ff00), v_srl16(b, 2), b),
          high = v_select(v_set1((int)0xff000000u), v_srl16(b, 6), v_srl16(b, 4));
        x[h] = v_and(v_select(v_set1((int)0xffff0000u), high, low), v_set1_8(3));
    }
}
#define q2_0_open open_nothing
#define q2_0_scale f_first

enum { iq4nl_BYTES = 18, iq4nl_SUBS = 1, iq4nl_OFFSET = S8_OFFSET, iq4nl_SIGNED = 1, iq4nl_RAWS = 1 };
#define iq4nl_load q4_0_load
LM_INLINE void iq4nl_open(V x[2], const V raw[2]) {
    V table = v_prepare_s8(v_lane(lm_iq4nl_levels));
    x[0] = v_shuf8(table, v_low4(raw[0])), x[1] = v_shuf8(table, v_high4(raw[0]));
}
#define iq4nl_scale f_first

enum { mxfp4_BYTES = 17, mxfp4_SUBS = 1, mxfp4_OFFSET = 12, mxfp4_SIGNED = 0, mxfp4_RAWS = 1 };
LM_INLINE void mxfp4_load(V raw[2], const uint8_t *p, size_t s, const int i) { (void)i, raw[0] = v_rows(p + 1, s); }
LM_INLINE void mxfp4_open(V x[2], const V raw[2]) {
    V table = v_add8(v_lane(lm_fp4_levels), v_set1_8(12));
    x[0] = v_shuf8(table, v_low4(raw[0])), x[1] = v_shuf8(table, v_high4(raw[0]));
}
/* 2^(e-128): exponent e - 1; the two smallest are subnormal, 0x00200000 << e. */
LM_INLINE F mxfp4_scale(const struct quads *q) {
    V e = v_bytes(q, 0), tiny = v_add32(v_set1(0x00200000), v_sll32(v_and(e, v_set1(1)), 21));
    return f_from_bits(v_max32(v_sll32(v_sub32(e, v_set1(1)), 23), tiny));
}

/* Four groups of 16 with a scale each: x[0] is group 2i, x[1] group 2i + 1. */
enum { nvfp4_BYTES = 36, nvfp4_SUBS = 2, nvfp4_OFFSET = 12, nvfp4_SIGNED = 0, nvfp4_RAWS = 0 };
LM_INLINE void nvfp4_load(V x[2], const uint8_t *p, size_t s, const int i) {
    V raw[2] = {v_rows(p + 4 + 16 * i, s)}, y[2];
    mxfp4_open(y, raw);
    x[0] = v_unpacklo64(y[0], y[1]), x[1] = v_unpackhi64(y[0], y[1]);
}
#define nvfp4_open open_nothing
/* Scale g of the rows. The bits of a UE4M3 are those of an f16 of 1/256 the size; 0x7f counts as 0. */
LM_INLINE F nvfp4_scale(V scales, const int g) {
    V e = v_and(v_srl32(scales, 8 * g), v_set1(255)), bits = v_and(e, v_set1(127));
    return f_mul(f_from_low_halves(v_andnot(v_sll32(bits, 7), v_equal32(e, v_set1(127)))), f_set1(128));
}
