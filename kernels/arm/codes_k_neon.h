/* SPDX-License-Identifier: MIT
 * How each type of 256 weights with integer sub-scales is taken apart, for the decode kernels and the panels alike. A block is
 * two halves of 128 weights, a half is four groups of 32. For a type T:
 *
 *     T_BYTES              bytes per block
 *     T_STEPS              groups that T_load prepares at once: 1, 2 or 4
 *     T_OFFSET             what the codes are too large by
 *     T_WIDE               1: one scale per 32 weights, else one per 16
 *     T_MINIMA             minima per block: 0, 8 or 16
 *     T_load(raw, p, h, u) the bytes of groups u*T_STEPS .. of half h of the block at p
 *     T_codes(x, raw, e)   32 int8 codes of group e of the half (e counts from its start, raw is the one that holds it)
 *     T_scales(sc, mn, p)  int16 scales of the 16 (8) sub-blocks: sc[0] 0..7, sc[1] 8..15; minima alike
 *     T_d(p, s)            float scales of four rows s bytes apart; T_dmin alike, of types with minima */

#define RAW 6

/* x >> n and x << n; n is constant after inlining, and a switch is how that is said to all compilers. */
LM_INLINE uint8x16_t right(uint8x16_t x, const int n) {
    switch (n) {
    case 1: return vshrq_n_u8(x, 1);
    case 2: return vshrq_n_u8(x, 2);
    case 3: return vshrq_n_u8(x, 3);
    case 4: return vshrq_n_u8(x, 4);
    case 6: return vshrq_n_u8(x, 6);
    default: return x;
    }
}
LM_INLINE uint8x16_t left(uint8x16_t x, const int n) {
    switch (n) {
    case 1: return vshlq_n_u8(x, 1);
    case 2: return vshlq_n_u8(x, 2);
    case 3: return vshlq_n_u8(x, 3);
    case 4: return vshlq_n_u8(x, 4);
    default: return x;
    }
}
LM_INLINE int8x16_t masked(uint8x16_t x, const int mask) {
    return vreinterpretq_s8_u8(vandq_u8(x, vdupq_n_u8((uint8_t)mask)));
}
LM_INLINE uint32_t load_word(const uint8_t *p) {
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}
LM_INLINE uint8x8_t two_words(uint32_t low, uint32_t high) { return vcreate_u8((uint64_t)high << 32 | low); }

/* Q2_K: four groups are the bit pairs of 32 bytes. */
enum { q2k_BYTES = 84, q2k_STEPS = 4, q2k_OFFSET = 0, q2k_WIDE = 0, q2k_MINIMA = 16 };
LM_INLINE void q2k_load(uint8x16_t raw[RAW], const uint8_t *p, int h, const int u) {
    (void)u, raw[0] = vld1q_u8(p + 16 + 32 * h), raw[1] = vld1q_u8(p + 32 + 32 * h);
}
LM_INLINE void q2k_codes(int8x16_t x[2], const uint8x16_t raw[RAW], const int e) {
    x[0] = masked(right(raw[0], 2 * e), 3), x[1] = masked(right(raw[1], 2 * e), 3);
}
LM_INLINE void q2k_scales(int16x8_t sc[2], int16x8_t mn[2], const uint8_t *p) {
    uint8x16_t v = vld1q_u8(p);
    int8x16_t low = low_nibbles(v), high = high_nibbles(v);
    sc[0] = vmovl_s8(vget_low_s8(low)), sc[1] = vmovl_high_s8(low);
    mn[0] = vmovl_s8(vget_low_s8(high)), mn[1] = vmovl_high_s8(high);
}
LM_INLINE float32x4_t q2k_d(const uint8_t *p, size_t s) { return four_halves(p + 80, s); }
LM_INLINE float32x4_t q2k_dmin(const uint8_t *p, size_t s) { return four_halves(p + 82, s); }

/* Q3_K: raw[2..3] are the high bits from this half on. */
enum { q3k_BYTES = 110, q3k_STEPS = 4, q3k_OFFSET = 4, q3k_WIDE = 0, q3k_MINIMA = 0 };
LM_INLINE void q3k_load(uint8x16_t raw[RAW], const uint8_t *p, int h, const int u) {
    int8x16_t down = vdupq_n_s8((int8_t)(-4 * h));
    (void)u, raw[0] = vld1q_u8(p + 32 + 32 * h), raw[1] = vld1q_u8(p + 48 + 32 * h);
    raw[2] = vshlq_u8(vld1q_u8(p), down), raw[3] = vshlq_u8(vld1q_u8(p + 16), down);
}
LM_INLINE void q3k_codes(int8x16_t x[2], const uint8x16_t raw[RAW], const int e) {
    LM_UNROLL(2)
    for (int t = 0; t < 2; t++) x[t] = masked(vsliq_n_u8(right(raw[t], 2 * e), right(raw[2 + t], e), 2), 7);
}
/* 12 bytes: low nibbles of scales 0..7 and 8..15, then two high bits of scales j, j+4, j+8, j+12. */
LM_INLINE void q3k_scales(int16x8_t sc[2], int16x8_t mn[2], const uint8_t *p) {
    const uint32_t nibble = 0x0f0f0f0f, two = 0x30303030;
    uint32_t a = load_word(p + 96), b = load_word(p + 100), c = load_word(p + 104);
    (void)mn;
    int16x8_t low =
        vreinterpretq_s16_u16(vmovl_u8(two_words((a & nibble) | (c << 4 & two), (b & nibble) | (c << 2 & two))));
    int16x8_t high =
        vreinterpretq_s16_u16(vmovl_u8(two_words((a >> 4 & nibble) | (c & two), (b >> 4 & nibble) | (c >> 2 & two))));
    sc[0] = vsubq_s16(low, vdupq_n_s16(32)), sc[1] = vsubq_s16(high, vdupq_n_s16(32));
}
LM_INLINE float32x4_t q3k_d(const uint8_t *p, size_t s) { return four_halves(p + 108, s); }

/* Q4_K: two groups are the nibbles of 32 bytes. */
enum { q4k_BYTES = 144, q4k_STEPS = 2, q4k_OFFSET = 0, q4k_WIDE = 1, q4k_MINIMA = 8 };
LM_INLINE void q4k_load(uint8x16_t raw[RAW], const uint8_t *p, int h, const int u) {
    const uint8_t *q = p + 16 + 64 * h + 32 * u;
    raw[0] = vld1q_u8(q), raw[1] = vld1q_u8(q + 16);
}
LM_INLINE void q4k_codes(int8x16_t x[2], const uint8x16_t raw[RAW], const int e) {
    LM_UNROLL(2) for (int t = 0; t < 2; t++) x[t] = e % 2 ? high_nibbles(raw[t]) : low_nibbles(raw[t]);
}
LM_INLINE void q4k_scales(int16x8_t sc[2], int16x8_t mn[2], const uint8_t *p) {
    const uint32_t nibble = 0x0f0f0f0f, six = 0x3f3f3f3f, two = 0x30303030;
    uint32_t a = load_word(p + 4), b = load_word(p + 8), c = load_word(p + 12);
    sc[0] = vreinterpretq_s16_u16(vmovl_u8(two_words(a & six, (c & nibble) | (a >> 2 & two))));
    mn[0] = vreinterpretq_s16_u16(vmovl_u8(two_words(b & six, (c >> 4 & nibble) | (b >> 2 & two))));
}
#define q4k_d four_halves
#define q4k_dmin four_halves_after

/* Q5_K: raw[2..3] are the fifth bits from this half on. */
enum { q5k_BYTES = 176, q5k_STEPS = 2, q5k_OFFSET = 0, q5k_WIDE = 1, q5k_MINIMA = 8 };
LM_INLINE void q5k_load(uint8x16_t raw[RAW], const uint8_t *p, int h, const int u) {
    const uint8_t *q = p + 48 + 64 * h + 32 * u;
    int8x16_t down = vdupq_n_s8((int8_t)(-4 * h));
    raw[0] = vld1q_u8(q), raw[1] = vld1q_u8(q + 16);
    raw[2] = vshlq_u8(vld1q_u8(p + 16), down), raw[3] = vshlq_u8(vld1q_u8(p + 32), down);
}
LM_INLINE void q5k_codes(int8x16_t x[2], const uint8x16_t raw[RAW], const int e) {
    LM_UNROLL(2) for (int t = 0; t < 2; t++) {
        uint8x16_t y =
            e % 2 ? vsriq_n_u8(left(raw[2 + t], 4 - e), raw[t], 4) : vsliq_n_u8(raw[t], right(raw[2 + t], e), 4);
        x[t] = masked(y, 31);
    }
}
#define q5k_scales q4k_scales
#define q5k_d four_halves
#define q5k_dmin four_halves_after

/* Q6_K: raw[0..3] are nibbles, groups 0 and 1 the low ones; raw[4..5] four times two high bits. Inserting shifts put a nibble
 * and the high bits together in one instruction. */
enum { q6k_BYTES = 210, q6k_STEPS = 4, q6k_OFFSET = 32, q6k_WIDE = 0, q6k_MINIMA = 0 };
LM_INLINE void q6k_load(uint8x16_t raw[RAW], const uint8_t *p, int h, const int u) {
    (void)u;
    LM_UNROLL(4) for (int t = 0; t < 4; t++) raw[t] = vld1q_u8(p + 64 * h + 16 * t);
    LM_UNROLL(2) for (int t = 0; t < 2; t++) raw[4 + t] = vld1q_u8(p + 128 + 32 * h + 16 * t);
}
LM_INLINE void q6k_codes(int8x16_t x[2], const uint8x16_t raw[RAW], const int e) {
    LM_UNROLL(2) for (int t = 0; t < 2; t++) {
        uint8x16_t low = raw[2 * (e % 2) + t], high = right(raw[4 + t], 2 * (e % 2));
        x[t] = masked(e / 2 ? vsriq_n_u8(high, low, 4) : vsliq_n_u8(low, high, 4), 63);
    }
}
LM_INLINE void q6k_scales(int16x8_t sc[2], int16x8_t mn[2], const uint8_t *p) {
    int8x16_t v = vld1q_s8((const int8_t *)p + 192);
    (void)mn, sc[0] = vmovl_s8(vget_low_s8(v)), sc[1] = vmovl_high_s8(v);
}
LM_INLINE float32x4_t q6k_d(const uint8_t *p, size_t s) { return four_halves(p + 208, s); }

/* IQ4_XS: nibbles name levels of the whole range of int8. */
enum { iq4xs_BYTES = 136, iq4xs_STEPS = 1, iq4xs_OFFSET = 0, iq4xs_WIDE = 1, iq4xs_MINIMA = 0 };
LM_INLINE void iq4xs_load(uint8x16_t raw[RAW], const uint8_t *p, int h, const int u) {
    raw[0] = vld1q_u8(p + 8 + 64 * h + 16 * u);
}
LM_INLINE void iq4xs_codes(int8x16_t x[2], const uint8x16_t raw[RAW], const int e) {
    int8x16_t table = vld1q_s8(lm_iq4nl_levels);
    (void)e, x[0] = vqtbl1q_s8(table, vandq_u8(raw[0], vdupq_n_u8(15))),
             x[1] = vqtbl1q_s8(table, vshrq_n_u8(raw[0], 4));
}
LM_INLINE void iq4xs_scales(int16x8_t sc[2], int16x8_t mn[2], const uint8_t *p) {
    static const int16_t down[8] = {0, -2, -4, -6, -8, -10, -12, -14};
    uint16_t bits;
    memcpy(&bits, p + 2, sizeof bits);
    uint8x8_t v = vcreate_u8(load_word(p + 4));
    uint16x8_t low = vmovl_u8(vzip1_u8(vand_u8(v, vdup_n_u8(15)), vshr_n_u8(v, 4)));
    uint16x8_t high = vandq_u16(vshlq_u16(vdupq_n_u16(bits), vld1q_s16(down)), vdupq_n_u16(3));
    (void)mn, sc[0] = vsubq_s16(vreinterpretq_s16_u16(vsliq_n_u16(low, high, 4)), vdupq_n_s16(32));
}
#define iq4xs_d four_halves

/* TQ2_0: as Q2_K, but all scales are 1. */
enum { tq2_0_BYTES = 66, tq2_0_STEPS = 4, tq2_0_OFFSET = 1, tq2_0_WIDE = 0, tq2_0_MINIMA = 0 };
LM_INLINE void tq2_0_load(uint8x16_t raw[RAW], const uint8_t *p, int h, const int u) {
    (void)u, raw[0] = vld1q_u8(p + 32 * h), raw[1] = vld1q_u8(p + 16 + 32 * h);
}
#define tq2_0_codes q2k_codes
LM_INLINE void tq2_0_scales(int16x8_t sc[2], int16x8_t mn[2], const uint8_t *p) {
    (void)mn, (void)p, sc[0] = sc[1] = vdupq_n_s16(1);
}
LM_INLINE float32x4_t tq2_0_d(const uint8_t *p, size_t s) { return four_halves(p + 64, s); }

/* Types without minima: never called for their value. */
#define q3k_dmin q3k_d
#define q6k_dmin q6k_d
#define iq4xs_dmin iq4xs_d
#define tq2_0_dmin tq2_0_d
