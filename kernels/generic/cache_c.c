/* SPDX-License-Identifier: MIT
 * Reference of the cache's storage types: put one token's vector into its slot of a page part, and get it back.
 *
 *   float K   [width][64 tokens]    so that a score's 64 tokens are neighbours       value i of slot s at i*64 + s
 *   float V   [64 tokens][width]    so that an output's values are neighbours        value i of slot s at s*width + i
 *   blocks    [64 tokens][width/32 blocks] for both
 *
 * Rounding is to the nearest even. Q8_0: d = max|x| / 127, codes of x * (1/d). Q4_0: d = (the first value of largest
 * magnitude) / -8, codes trunc(x * (1/d) + 8.5) in 0..15. The codes come from the unrounded d, f16(d) is stored; where 1/d
 * is infinite, the block is zero. A NaN becomes 0 in a block. */
#include "../kernels.h"
#include "../blocks.h"
#include "../half.h"
#include "../float_kernels.h"
#include "../fmath.h"

LM_EXACT_FLOATS

static size_t value_bytes(int32_t type) {
    return type == LM_BLOCK_F32 ? 4 : type == LM_BLOCK_F16 || type == LM_BLOCK_BF16 ? 2 : 0;
}

static size_t part_bytes(int32_t type, int32_t width) {
    size_t values = (size_t)width * LM_PAGE_TOKENS;
    if (type == LM_BLOCK_Q8_0) return values / 32 * sizeof(lm_block_q8_0);
    if (type == LM_BLOCK_Q4_0) return values / 32 * sizeof(lm_block_q4_0);
    return values * value_bytes(type);
}

size_t lm_cache_k_bytes(int32_t type, int32_t k_width) { return part_bytes(type, k_width); }
size_t lm_cache_v_bytes(int32_t type, int32_t v_width) { return part_bytes(type, v_width); }

static void put_value(int32_t type, uint8_t *at, float x) {
    if (type == LM_BLOCK_F32)
        memcpy(at, &x, sizeof x);
    else if (type == LM_BLOCK_F16)
        lm_store_f16(at, x);
    else
        lm_store_bf16(at, x);
}

static float get_value(int32_t type, const uint8_t *at) {
    float x;
    if (type == LM_BLOCK_F16) return lm_load_f16(at);
    if (type == LM_BLOCK_BF16) return lm_load_bf16(at);
    memcpy(&x, at, sizeof x);
    return x;
}

static void put_q8_0(lm_block_q8_0 *block, const float *x) {
    float top = 0.0f;
    for (int i = 0; i < 32; i++) top = fabsf(x[i]) > top ? fabsf(x[i]) : top;
    float d = top / 127.0f, inverse = d > 0.0f ? 1.0f / d : 0.0f;
    if (inverse == INFINITY) d = inverse = 0.0f;
    lm_store_f16(block->d, d);
    for (int i = 0; i < 32; i++) {
        float code = lm_at_least(lm_at_most(x[i] * inverse, 127.0f), -127.0f);
        block->qs[i] = (int8_t)(code == code ? (int32_t)(lm_f32_bits(code + LM_ROUND_MAGIC) - LM_ROUND_BITS) : 0);
    }
}

static void put_q4_0(lm_block_q4_0 *block, const float *x) {
    float top = 0.0f;
    for (int i = 0; i < 32; i++)
        if (fabsf(x[i]) > fabsf(top)) top = x[i];
    float d = top / -8.0f, inverse = d != 0.0f ? 1.0f / d : 0.0f;
    if (fabsf(inverse) == INFINITY) d = inverse = 0.0f;
    lm_store_f16(block->d, d);
    for (int i = 0; i < 32; i++) {
        float code = lm_at_least(lm_at_most(x[i] * inverse + 8.5f, 15.0f), 0.0f);
        uint8_t nibble = (uint8_t)(code == code ? (int32_t)code : 8);
        block->qs[i % 16] = (uint8_t)(i < 16 ? nibble : block->qs[i % 16] | nibble << 4);
    }
}

static void put_blocks(int32_t type, void *part, int32_t width, int32_t slot, const float *x) {
    for (int32_t b = 0; b < width / 32; b++)
        if (type == LM_BLOCK_Q8_0)
            put_q8_0((lm_block_q8_0 *)part + (size_t)slot * (width / 32) + b, x + 32 * b);
        else
            put_q4_0((lm_block_q4_0 *)part + (size_t)slot * (width / 32) + b, x + 32 * b);
}

static void get_blocks(int32_t type, const void *part, int32_t width, int32_t slot, float *x) {
    for (int32_t i = 0; i < width; i++) {
        size_t at = (size_t)slot * (width / 32) + i / 32;
        if (type == LM_BLOCK_Q8_0) {
            const lm_block_q8_0 *block = (const lm_block_q8_0 *)part + at;
            x[i] = lm_load_f16(block->d) * (float)block->qs[i % 32];
        } else {
            const lm_block_q4_0 *block = (const lm_block_q4_0 *)part + at;
            x[i] = lm_load_f16(block->d) * (float)((block->qs[i % 16] >> (i % 32 < 16 ? 0 : 4) & 15) - 8);
        }
    }
}

void LM_KERNEL lm_cache_put_k_c(int32_t type, void *part, int32_t width, int32_t slot, const float *x) {
    if (!value_bytes(type))
        put_blocks(type, part, width, slot, x);
    else
        for (int32_t i = 0; i < width; i++)
            put_value(type, (uint8_t *)part + ((size_t)i * LM_PAGE_TOKENS + slot) * value_bytes(type), x[i]);
}

void LM_KERNEL lm_cache_put_v_c(int32_t type, void *part, int32_t width, int32_t slot, const float *x) {
    if (!value_bytes(type))
        put_blocks(type, part, width, slot, x);
    else
        for (int32_t i = 0; i < width; i++)
            put_value(type, (uint8_t *)part + ((size_t)slot * width + i) * value_bytes(type), x[i]);
}

void LM_KERNEL lm_cache_get_k_c(int32_t type, const void *part, int32_t width, int32_t slot, float *x) {
    if (!value_bytes(type))
        get_blocks(type, part, width, slot, x);
    else
        for (int32_t i = 0; i < width; i++)
            x[i] = get_value(type, (const uint8_t *)part + ((size_t)i * LM_PAGE_TOKENS + slot) * value_bytes(type));
}

void LM_KERNEL lm_cache_get_v_c(int32_t type, const void *part, int32_t width, int32_t slot, float *x) {
    if (!value_bytes(type))
        get_blocks(type, part, width, slot, x);
    else
        for (int32_t i = 0; i < width; i++)
            x[i] = get_value(type, (const uint8_t *)part + ((size_t)slot * width + i) * value_bytes(type));
}

void lm_cache_generic(lm_kernels *k) {
    k->cache_put_k = lm_cache_put_k_c;
    k->cache_put_v = lm_cache_put_v_c;
    k->cache_get_k = lm_cache_get_k_c;
    k->cache_get_v = lm_cache_get_v_c;
}
