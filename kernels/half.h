/* SPDX-License-Identifier: MIT
 * Small floats and unaligned little-endian fields. Conversions to f32 are exact; from f32 they round to nearest, ties to even,
 * and overflow to infinity. A NaN stays a NaN with its sign; f16 NaNs become 0x7E00, bf16 NaNs keep their upper bits. */
#ifndef LM_KERNELS_HALF_H
#define LM_KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t lm_f32_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float lm_bits_f32(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint16_t lm_load_u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t lm_load_u32(const uint8_t *p) { return lm_load_u16(p) | (uint32_t)lm_load_u16(p + 2) << 16; }
static inline uint64_t lm_load_u64(const uint8_t *p) { return lm_load_u32(p) | (uint64_t)lm_load_u32(p + 4) << 32; }

static inline void lm_store_u16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void lm_store_u32(uint8_t *p, uint32_t v) {
    lm_store_u16(p, (uint16_t)v);
    lm_store_u16(p + 2, (uint16_t)(v >> 16));
}

static inline float lm_f16_to_f32(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;
    if (exponent == 0) return lm_bits_f32(sign | lm_f32_bits((float)mantissa * 0x1p-24f)); /* subnormal or zero */
    if (exponent == 31) return lm_bits_f32(sign | 0x7F800000 | mantissa << 13 | (mantissa ? 0x400000 : 0));
    return lm_bits_f32(sign | (exponent + 112) << 23 | mantissa << 13);
}

static inline uint16_t lm_f32_to_f16(float x) {
    uint32_t bits = lm_f32_bits(x), sign = bits >> 16 & 0x8000, rest = bits & 0x7FFFFFFF;
    if (rest > 0x7F800000) return (uint16_t)(sign | 0x7E00);
    if (rest >= 0x47800000) return (uint16_t)(sign | 0x7C00); /* 2^16 and up */
    /* Below 2^-14 the result is a multiple of 2^-24: adding 0.5 leaves it, rounded, in the low mantissa bits. */
    if (rest < 0x38800000) return (uint16_t)(sign | (lm_f32_bits(lm_bits_f32(rest) + 0.5f) - 0x3F000000));
    /* The rounding increment may carry into the exponent, up to infinity, as it should. */
    return (uint16_t)(sign | ((rest - 0x38000000 + 0xFFF + (rest >> 13 & 1)) >> 13));
}

static inline float lm_bf16_to_f32(uint16_t h) { return lm_bits_f32((uint32_t)h << 16); }

static inline uint16_t lm_f32_to_bf16(float x) {
    uint32_t bits = lm_f32_bits(x);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(bits >> 16 | 64);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static inline float lm_load_f16(const uint8_t *p) { return lm_f16_to_f32(lm_load_u16(p)); }
static inline float lm_load_bf16(const uint8_t *p) { return lm_bf16_to_f32(lm_load_u16(p)); }
static inline float lm_load_f32(const uint8_t *p) { return lm_bits_f32(lm_load_u32(p)); }
static inline void lm_store_f16(uint8_t *p, float x) { lm_store_u16(p, lm_f32_to_f16(x)); }
static inline void lm_store_bf16(uint8_t *p, float x) { lm_store_u16(p, lm_f32_to_bf16(x)); }

/* 2^(e-127) / 2: the scale of an MXFP4 block, halved because lm_fp4_levels are doubled. e < 2 gives a subnormal. */
static inline float lm_e8m0_half(uint8_t e) { return lm_bits_f32(e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23); }

/* Half of an unsigned E4M3 scale (NVFP4); 0 and the NaN code 0x7F give 0, bit 7 is not used. */
static inline float lm_ue4m3_half(uint8_t x) {
    uint32_t exponent = x >> 3 & 15, mantissa = x & 7;
    if (x == 0 || x == 0x7F) return 0.0f;
    if (exponent == 0) return (float)mantissa * 0x1p-10f;
    return lm_bits_f32((exponent + 119) << 23 | mantissa << 20);
}

#endif
