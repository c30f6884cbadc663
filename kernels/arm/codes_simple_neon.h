/* SPDX-License-Identifier: MIT
 * How each type with a float scale per small block is taken apart, for the decode kernels and the panels alike. For a type T:
 *
 *     T_BYTES, T_SUBS     bytes per block, groups of 32 weights per block
 *     T_OFFSET            what the codes below are too large by
 *     T_codes(x, p, i)    32 int8 codes of group i of the block at p: x[0] elements 0..15, x[1] elements 16..31
 *     T_scale(p, s)       the scales of four rows as floats, rows s bytes apart, the first one's block at p; T_minimum alike */

LM_INLINE int8x16_t low_nibbles(uint8x16_t v) { return vreinterpretq_s8_u8(vandq_u8(v, vdupq_n_u8(15))); }
LM_INLINE int8x16_t high_nibbles(uint8x16_t v) { return vreinterpretq_s8_u8(vshrq_n_u8(v, 4)); }
LM_INLINE void nibbles(int8x16_t x[2], const uint8_t *p) {
    uint8x16_t v = vld1q_u8(p);
    x[0] = low_nibbles(v), x[1] = high_nibbles(v);
}
LM_INLINE void table_nibbles(int8x16_t x[2], const uint8_t *p, const int8_t levels[16]) {
    uint8x16_t v = vld1q_u8(p);
    int8x16_t table = vld1q_s8(levels);
    x[0] = vqtbl1q_s8(table, vandq_u8(v, vdupq_n_u8(15))), x[1] = vqtbl1q_s8(table, vshrq_n_u8(v, 4));
}
/* A 16-bit field of four rows. */
LM_INLINE uint16x4_t four_words(const uint8_t *p, size_t s) {
    uint16x4_t v = vld1_dup_u16((const uint16_t *)(const void *)p);
    v = vld1_lane_u16((const uint16_t *)(const void *)(p + s), v, 1);
    v = vld1_lane_u16((const uint16_t *)(const void *)(p + 2 * s), v, 2);
    return vld1_lane_u16((const uint16_t *)(const void *)(p + 3 * s), v, 3);
}
LM_INLINE float32x4_t four_halves(const uint8_t *p, size_t s) {
    return vcvt_f32_f16(vreinterpret_f16_u16(four_words(p, s)));
}
LM_INLINE float32x4_t four_halves_after(const uint8_t *p, size_t s) { return four_halves(p + 2, s); }

enum { q4_0_BYTES = 18, q4_0_SUBS = 1, q4_0_OFFSET = 8 };
LM_INLINE void q4_0_codes(int8x16_t x[2], const uint8_t *p, const int i) { (void)i, nibbles(x, p + 2); }
#define q4_0_scale four_halves

enum { q4_1_BYTES = 20, q4_1_SUBS = 1, q4_1_OFFSET = 0 };
LM_INLINE void q4_1_codes(int8x16_t x[2], const uint8_t *p, const int i) { (void)i, nibbles(x, p + 4); }
#define q4_1_scale four_halves
#define q4_1_minimum four_halves_after

/* 32 bits at p: ones in every byte whose bit is zero. */
LM_INLINE void zero_bits(uint8x16_t x[2], const uint8_t *p) {
    static const uint8_t places[2][16] = {{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1},
                                          {2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3}};
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint32_t word;
    memcpy(&word, p, sizeof word);
    uint8x16_t all = vreinterpretq_u8_u32(vdupq_n_u32(~word)), each = vld1q_u8(bits);
    x[0] = vtstq_u8(vqtbl1q_u8(all, vld1q_u8(places[0])), each);
    x[1] = vtstq_u8(vqtbl1q_u8(all, vld1q_u8(places[1])), each);
}
/* The nibbles at p where the fifth bit at bits is one, and 16 less where it is zero. */
LM_INLINE void fifth_bits(int8x16_t x[2], const uint8_t *bits, const uint8_t *p) {
    uint8x16_t zero[2];
    zero_bits(zero, bits);
    nibbles(x, p);
    x[0] = vsliq_n_s8(x[0], vreinterpretq_s8_u8(zero[0]), 4), x[1] = vsliq_n_s8(x[1], vreinterpretq_s8_u8(zero[1]), 4);
}

enum { q5_0_BYTES = 22, q5_0_SUBS = 1, q5_0_OFFSET = 0 };
LM_INLINE void q5_0_codes(int8x16_t x[2], const uint8_t *p, const int i) { (void)i, fifth_bits(x, p + 2, p + 6); }
#define q5_0_scale four_halves

enum { q5_1_BYTES = 24, q5_1_SUBS = 1, q5_1_OFFSET = -16 };
LM_INLINE void q5_1_codes(int8x16_t x[2], const uint8_t *p, const int i) { (void)i, fifth_bits(x, p + 4, p + 8); }
#define q5_1_scale four_halves
#define q5_1_minimum four_halves_after

enum { q8_0_BYTES = 34, q8_0_SUBS = 1, q8_0_OFFSET = 0 };
LM_INLINE void q8_0_codes(int8x16_t x[2], const uint8_t *p, const int i) {
    const int8_t *q = (const int8_t *)p + 2;
    (void)i, x[0] = vld1q_s8(q), x[1] = vld1q_s8(q + 16);
}
#define q8_0_scale four_halves

/* A zero bit is all ones, -1; a one bit becomes 1. */
enum { q1_0_BYTES = 18, q1_0_SUBS = 4, q1_0_OFFSET = 0 };
LM_INLINE void q1_0_codes(int8x16_t x[2], const uint8_t *p, const int i) {
    uint8x16_t zero[2], one = vdupq_n_u8(1);
    zero_bits(zero, p + 2 + 4 * i);
    x[0] = vreinterpretq_s8_u8(vorrq_u8(zero[0], one)), x[1] = vreinterpretq_s8_u8(vorrq_u8(zero[1], one));
}
#define q1_0_scale four_halves

/* Byte b holds elements 4b..4b+3. */
enum { q2_0_BYTES = 18, q2_0_SUBS = 2, q2_0_OFFSET = 1 };
LM_INLINE void q2_0_codes(int8x16_t x[2], const uint8_t *p, const int i) {
    static const uint8_t places[2][16] = {{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3},
                                          {4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7}};
    static const int8_t down[16] = {0, -2, -4, -6, 0, -2, -4, -6, 0, -2, -4, -6, 0, -2, -4, -6};
    uint8x8_t bytes = vld1_u8(p + 2 + 8 * i);
    uint8x16_t v = vcombine_u8(bytes, bytes);
    LM_UNROLL(2) for (int e = 0; e < 2; e++) {
        uint8x16_t moved = vshlq_u8(vqtbl1q_u8(v, vld1q_u8(places[e])), vld1q_s8(down));
        x[e] = vreinterpretq_s8_u8(vandq_u8(moved, vdupq_n_u8(3)));
    }
}
#define q2_0_scale four_halves

enum { iq4nl_BYTES = 18, iq4nl_SUBS = 1, iq4nl_OFFSET = 0 };
LM_INLINE void iq4nl_codes(int8x16_t x[2], const uint8_t *p, const int i) {
    (void)i, table_nibbles(x, p + 2, lm_iq4nl_levels);
}
#define iq4nl_scale four_halves

enum { mxfp4_BYTES = 17, mxfp4_SUBS = 1, mxfp4_OFFSET = 0 };
LM_INLINE void mxfp4_codes(int8x16_t x[2], const uint8_t *p, const int i) {
    (void)i, table_nibbles(x, p + 1, lm_fp4_levels);
}
/* 2^(e-128): exponent e - 1; the two smallest are subnormal, 0x00200000 << e. */
LM_INLINE float32x4_t mxfp4_scale(const uint8_t *p, size_t s) {
    uint8x16_t bytes = vdupq_n_u8(0);
    bytes = vld1q_lane_u8(p, bytes, 0), bytes = vld1q_lane_u8(p + s, bytes, 4);
    bytes = vld1q_lane_u8(p + 2 * s, bytes, 8), bytes = vld1q_lane_u8(p + 3 * s, bytes, 12);
    uint32x4_t e = vreinterpretq_u32_u8(bytes), tiny = vshlq_u32(vdupq_n_u32(0x00200000), vreinterpretq_s32_u32(e));
    uint32x4_t usual = vshlq_n_u32(vsubq_u32(e, vdupq_n_u32(1)), 23);
    return vreinterpretq_f32_u32(vbslq_u32(vcltq_u32(e, vdupq_n_u32(2)), tiny, usual));
}

/* Four groups of 16 with a scale each: x[0] is group 2i, x[1] group 2i + 1. */
enum { nvfp4_BYTES = 36, nvfp4_SUBS = 2, nvfp4_OFFSET = 0 };
LM_INLINE void nvfp4_codes(int8x16_t x[2], const uint8_t *p, const int i) {
    int8x16_t y[2];
    table_nibbles(y, p + 4 + 16 * i, lm_fp4_levels);
    int64x2_t low = vreinterpretq_s64_s8(y[0]), high = vreinterpretq_s64_s8(y[1]);
    x[0] = vreinterpretq_s8_s64(vzip1q_s64(low, high)), x[1] = vreinterpretq_s8_s64(vzip2q_s64(low, high));
}
/* The scales of group g. The bits of a UE4M3 are those of an f16 of 1/256 the size; 0x7f counts as 0. */
LM_INLINE float32x4_t nvfp4_group_scale(const uint8_t *p, size_t s, const int g) {
    uint8x8_t bytes = vdup_n_u8(0);
    bytes = vld1_lane_u8(p + g, bytes, 0), bytes = vld1_lane_u8(p + g + s, bytes, 2);
    bytes = vld1_lane_u8(p + g + 2 * s, bytes, 4), bytes = vld1_lane_u8(p + g + 3 * s, bytes, 6);
    uint16x4_t e = vreinterpret_u16_u8(bytes), most = vdup_n_u16(127);
    uint16x4_t bits = vbic_u16(vshl_n_u16(vand_u16(e, most), 7), vceq_u16(e, most));
    return vmulq_n_f32(vcvt_f32_f16(vreinterpret_f16_u16(bits)), 128);
}
