/* SPDX-License-Identifier: MIT
 * Fields of blocks: little-endian integers and 16-bit floats at any address, to and from floats. Stores round to the nearest
 * even and keep subnormals; a NaN stays a quiet NaN. */
#ifndef LM_KERNELS_HALF_H
#define LM_KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint16_t lm_load_u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t lm_load_u32(const uint8_t *p) { return lm_load_u16(p) | (uint32_t)lm_load_u16(p + 2) << 16; }

static inline void lm_store_u16(uint8_t *p, uint16_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static inline float lm_half_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float lm_f16_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 1023;
    if (exponent == 0) {
        float tiny = (float)mantissa * 0x1p-24f;
        return sign ? -tiny : tiny;
    }
    if (exponent == 31) return lm_half_of_bits(sign | 0x7f800000u | (mantissa ? 0x400000u | mantissa << 13 : 0));
    return lm_half_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

static inline uint16_t lm_f16_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (size >> 13 & 0x3ff));
    if (size >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 and above round to infinity */
    if (size < 0x38800000) {                                  /* below 2^-14: adding 0.5 leaves multiples of 2^-24 */
        float tiny = lm_half_of_bits(size) + 0.5f;
        memcpy(&size, &tiny, sizeof size);
        return (uint16_t)(sign | (size - 0x3f000000));
    }
    return (uint16_t)(sign | ((size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13));
}

static inline float lm_load_f16(const uint8_t *p) { return lm_f16_to_float(lm_load_u16(p)); }
static inline void lm_store_f16(uint8_t *p, float value) { lm_store_u16(p, lm_f16_of_float(value)); }
static inline float lm_load_bf16(const uint8_t *p) { return lm_half_of_bits((uint32_t)lm_load_u16(p) << 16); }

static inline void lm_store_bf16(uint8_t *p, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000) lm_store_u16(p, (uint16_t)(bits >> 16 | 0x40));
    else lm_store_u16(p, (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16));
}

#endif
