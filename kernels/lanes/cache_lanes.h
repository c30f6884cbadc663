/* SPDX-License-Identifier: MIT
 * The cache's put and get over sixteen lanes (lanes.h), and whole pages of it as floats for attention. Q4_0 is only written by
 * the reference: its search for the first largest value gains little. */

/* Sixteen values at x rounded to type, at out. */
LM_INLINE void cache_round(int32_t type, const float *x, uint8_t *out) {
    lanes v = lanes_load(x);
    if (type == LM_BLOCK_F16)
        lanes_store_f16(out, v);
    else
        lanes_store_bf16(out, v);
}

LM_INLINE lanes cache_load(int32_t type, const uint8_t *x) {
    return type == LM_BLOCK_F16    ? lanes_load_f16(x)
           : type == LM_BLOCK_BF16 ? lanes_load_bf16(x)
                                   : lanes_load((const float *)(const void *)x);
}

static void LM_KERNEL cache_put_q8_0(lm_block_q8_0 *block, const float *x, int32_t n_blocks) {
    for (int32_t b = 0; b < n_blocks; b++, block++, x += 32) {
        lanes low = lanes_load(x), high = lanes_load(x + 16), zero = lanes_set(0.0f);
        float top = lanes_fold_larger(lanes_larger(lanes_abs(high), lanes_larger(lanes_abs(low), zero)));
        float d = top / 127.0f, inverse = d > 0.0f ? 1.0f / d : 0.0f;
        if (inverse == INFINITY) d = inverse = 0.0f;
        lm_store_f16(block->d, d);
        lanes by = lanes_set(inverse);
        lanes_store_codes(block->qs, lanes_at_least(lanes_at_most(lanes_mul(low, by), 127.0f), -127.0f));
        lanes_store_codes(block->qs + 16, lanes_at_least(lanes_at_most(lanes_mul(high, by), 127.0f), -127.0f));
    }
}

static void LM_KERNEL cache_put_k(int32_t type, void *part, int32_t width, int32_t slot, const float *x) {
    int32_t i = 0;
    if (type == LM_BLOCK_Q8_0) {
        cache_put_q8_0((lm_block_q8_0 *)part + (size_t)slot * (width / 32), x, width / 32);
        return;
    }
    if (type == LM_BLOCK_F32) {
        float *at = (float *)part + slot;
        for (; i < width; i++) at[(size_t)i * LM_PAGE_TOKENS] = x[i];
        return;
    }
    if (type == LM_BLOCK_F16 || type == LM_BLOCK_BF16) {
        uint8_t *at = (uint8_t *)part + 2 * slot, rounded[32];
        float padded[16] = {0};
        for (; i < width; i += 16) {
            int32_t n = width - i < 16 ? width - i : 16;
            if (n < 16) memcpy(padded, x + i, (size_t)n * sizeof(float));
            cache_round(type, n < 16 ? padded : x + i, rounded);
            for (int32_t j = 0; j < n; j++) memcpy(at + (size_t)(i + j) * 2 * LM_PAGE_TOKENS, rounded + 2 * j, 2);
        }
        return;
    }
    lm_cache_put_k_c(type, part, width, slot, x);
}

static void LM_KERNEL cache_put_v(int32_t type, void *part, int32_t width, int32_t slot, const float *x) {
    if (type == LM_BLOCK_Q8_0) {
        cache_put_q8_0((lm_block_q8_0 *)part + (size_t)slot * (width / 32), x, width / 32);
    } else if (type == LM_BLOCK_F32) {
        memcpy((float *)part + (size_t)slot * width, x, (size_t)width * sizeof *x);
    } else if (type == LM_BLOCK_F16 || type == LM_BLOCK_BF16) {
        uint8_t *at = (uint8_t *)part + (size_t)slot * width * 2, rounded[32];
        float padded[16] = {0};
        int32_t i = 0;
        for (; i + 16 <= width; i += 16) cache_round(type, x + i, at + 2 * (size_t)i);
        if (i == width) return;
        memcpy(padded, x + i, (size_t)(width - i) * sizeof(float));
        cache_round(type, padded, rounded);
        memcpy(at + 2 * (size_t)i, rounded, 2 * (size_t)(width - i));
    } else {
        lm_cache_put_v_c(type, part, width, slot, x);
    }
}

/* n values of a float type as floats. */
static void LM_KERNEL cache_widen(int32_t type, const uint8_t *from, size_t n, float *to) {
    size_t i = 0;
    if (type == LM_BLOCK_F32)
        memcpy(to, from, n * sizeof *to), i = n;
    else if (type == LM_BLOCK_F16)
        for (; i + 16 <= n; i += 16) lanes_store(to + i, lanes_load_f16(from + 2 * i));
    else
        for (; i + 16 <= n; i += 16) lanes_store(to + i, lanes_load_bf16(from + 2 * i));
    for (; i < n; i++) to[i] = type == LM_BLOCK_F16 ? lm_load_f16(from + 2 * i) : lm_load_bf16(from + 2 * i);
}

/* The 32 codes of a block. */
LM_INLINE void cache_load_codes(int32_t type, const uint8_t *codes, lanes *low, lanes *high) {
    if (type == LM_BLOCK_Q4_0)
        lanes_load_nibbles(codes, low, high);
    else
        *low = lanes_load_i8((const int8_t *)codes), *high = lanes_load_i8((const int8_t *)codes + 16);
}

/* Block number b of a row as floats. */
LM_INLINE void cache_widen_block(int32_t type, const uint8_t *row, int32_t b, float *to) {
    const uint8_t *block = row + (size_t)b * (type == LM_BLOCK_Q8_0 ? sizeof(lm_block_q8_0) : sizeof(lm_block_q4_0));
    lanes d = lanes_set(load_f16(block)), low, high;
    cache_load_codes(type, block + 2, &low, &high);
    lanes_store(to, lanes_mul(d, low));
    lanes_store(to + 16, lanes_mul(d, high));
}

static void LM_KERNEL cache_widen_blocks(int32_t type, const uint8_t *row, int32_t width, float *to) {
    if (type == LM_BLOCK_Q8_0)
        for (int32_t b = 0; b < width / 32; b++) cache_widen_block(LM_BLOCK_Q8_0, row, b, to + 32 * b);
    else
        for (int32_t b = 0; b < width / 32; b++) cache_widen_block(LM_BLOCK_Q4_0, row, b, to + 32 * b);
}

static void LM_KERNEL cache_get_v(int32_t type, const void *part, int32_t width, int32_t slot, float *x) {
    const uint8_t *bytes = part;
    if (type == LM_BLOCK_Q8_0)
        cache_widen_blocks(type, bytes + (size_t)slot * (width / 32) * sizeof(lm_block_q8_0), width, x);
    else if (type == LM_BLOCK_Q4_0)
        cache_widen_blocks(type, bytes + (size_t)slot * (width / 32) * sizeof(lm_block_q4_0), width, x);
    else
        cache_widen(type, bytes + (size_t)slot * width * (type == LM_BLOCK_F32 ? 4 : 2), (size_t)width, x);
}

static void LM_KERNEL cache_get_k(int32_t type, const void *part, int32_t width, int32_t slot, float *x) {
    if (type == LM_BLOCK_Q8_0 || type == LM_BLOCK_Q4_0)
        cache_get_v(type, part, width, slot, x);
    else
        lm_cache_get_k_c(type, part, width, slot, x);
}

/* A V part of a float type as floats in panels of 64 columns, [width/64][64 tokens][64]: rows of a power of two would share few cache sets. */
#define V_PANEL ((size_t)LM_PAGE_TOKENS * 64)
static void LM_KERNEL cache_panels_v(int32_t type, const uint8_t *part, int32_t width, float *to) {
    size_t row = lm_cache_v_bytes(type, width) / LM_PAGE_TOKENS;
    for (int32_t e = 0; e < width; e += 64) {
        int32_t n = width - e < 64 ? width - e : 64;
        for (int32_t j = 0; j < LM_PAGE_TOKENS; j++) {
            const uint8_t *from = part + j * row;
            float *out = to + e * (size_t)LM_PAGE_TOKENS + j * 64;
            cache_widen(type, from + (size_t)e * (type == LM_BLOCK_F32 ? 4 : 2), (size_t)n, out);
        }
    }
}

/* The same of the first width values of keys, [width][64 tokens] floats. */
static void LM_KERNEL cache_panels_from_k(const float *keys, int32_t width, float *to) {
    int32_t e = 0;
    for (; e + 16 <= width; e += 16)
        for (int32_t j = 0; j < LM_PAGE_TOKENS; j += 16)
            transpose_floats(keys + (size_t)e * LM_PAGE_TOKENS + j, LM_PAGE_TOKENS,
                             to + e / 64 * V_PANEL + (size_t)j * 64 + e % 64, 64);
    for (; e < width; e++)
        for (int32_t j = 0; j < LM_PAGE_TOKENS; j++)
            to[e / 64 * V_PANEL + (size_t)j * 64 + e % 64] = keys[(size_t)e * LM_PAGE_TOKENS + j];
}

static void cache_fill(lm_kernels *k) {
    k->cache_put_k = cache_put_k;
    k->cache_put_v = cache_put_v;
    k->cache_get_k = cache_get_k;
    k->cache_get_v = cache_get_v;
}
