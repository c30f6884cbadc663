/* SPDX-License-Identifier: MIT
 * Plain numbers to floats. f64 and integers round to nearest even; everything else is exact. */
#include "../blocks.h"
#include "../half.h"

void lm_dequantize_f32_c(const void *blocks, float *out, size_t n) {
    const uint8_t *p = blocks;
    for (size_t i = 0; i < n; i++) out[i] = lm_load_f32(p + 4 * i);
}

void lm_dequantize_f16_c(const void *blocks, float *out, size_t n) {
    const uint8_t *p = blocks;
    for (size_t i = 0; i < n; i++) out[i] = lm_load_f16(p + 2 * i);
}

void lm_dequantize_bf16_c(const void *blocks, float *out, size_t n) {
    const uint8_t *p = blocks;
    for (size_t i = 0; i < n; i++) out[i] = lm_load_bf16(p + 2 * i);
}

void lm_dequantize_f64_c(const void *blocks, float *out, size_t n) {
    const uint8_t *p = blocks;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = lm_load_u64(p + 8 * i);
        double x;
        memcpy(&x, &bits, sizeof x);
        out[i] = (float)x;
    }
}

void lm_dequantize_i8_c(const void *blocks, float *out, size_t n) {
    const int8_t *p = blocks;
    for (size_t i = 0; i < n; i++) out[i] = (float)p[i];
}

void lm_dequantize_i16_c(const void *blocks, float *out, size_t n) {
    const uint8_t *p = blocks;
    for (size_t i = 0; i < n; i++) out[i] = (float)(int16_t)lm_load_u16(p + 2 * i);
}

void lm_dequantize_i32_c(const void *blocks, float *out, size_t n) {
    const uint8_t *p = blocks;
    for (size_t i = 0; i < n; i++) out[i] = (float)(int32_t)lm_load_u32(p + 4 * i);
}

void lm_dequantize_i64_c(const void *blocks, float *out, size_t n) {
    const uint8_t *p = blocks;
    for (size_t i = 0; i < n; i++) out[i] = (float)(int64_t)lm_load_u64(p + 8 * i);
}
