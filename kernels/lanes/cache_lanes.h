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

static void cache_put_q8_0(lm_block_q8_0 *block, const float *x, int32_t n_blocks) {
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

static void cache_put_k(int32_t type, void *part, int32_t width, int32_t slot, const float *x) {
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

static void cache_put_v(int32_t type, void *part, int32_t width, int32_t slot, const float *x) {
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
static void cache_widen(int32_t type, const uint8_t *from, size_t n, float *to) {
    size_t size = type == LM_BLOCK_F32 ? 4 : 2, i = 0;
    if (type == LM_BLOCK_F16)
        for (; i + 16 <= n; i += 16) lanes_store(to + i, lanes_load_f16(from + i * size));
    else if (type == LM_BLOCK_BF16)
        for (; i + 16 <= n; i += 16) lanes_store(to + i, lanes_load_bf16(from + i * size));
    for (; i < n; i++)
        if (type == LM_BLOCK_F32)
            memcpy(to + i, from + i * size, size);
        else
            to[i] = type == LM_BLOCK_F16 ? lm_load_f16(from + i * size) : lm_load_bf16(from + i * size);
}

LM_INLINE void cache_q4_0_codes(const lm_block_q4_0 *block, int8_t *codes) {
    for (int i = 0; i < 16; i++)
        codes[i] = (int8_t)((block->qs[i] & 15) - 8), codes[16 + i] = (int8_t)((block->qs[i] >> 4) - 8);
}

/* One row of blocks as floats. */
static void cache_widen_blocks(int32_t type, const uint8_t *row, int32_t width, float *to) {
    for (int32_t b = 0; b < width / 32; b++, to += 32) {
        const lm_block_q8_0 *q8 = (const lm_block_q8_0 *)(const void *)row + b;
        const lm_block_q4_0 *q4 = (const lm_block_q4_0 *)(const void *)row + b;
        int8_t unpacked[32];
        const int8_t *codes = type == LM_BLOCK_Q8_0 ? q8->qs : unpacked;
        if (type == LM_BLOCK_Q4_0) cache_q4_0_codes(q4, unpacked);
        lanes d = lanes_set(lm_load_f16(type == LM_BLOCK_Q8_0 ? q8->d : q4->d));
        lanes_store(to, lanes_mul(d, lanes_load_i8(codes)));
        lanes_store(to + 16, lanes_mul(d, lanes_load_i8(codes + 16)));
    }
}

static void cache_get_v(int32_t type, const void *part, int32_t width, int32_t slot, float *x) {
    const uint8_t *bytes = part;
    if (type == LM_BLOCK_Q8_0)
        cache_widen_blocks(type, bytes + (size_t)slot * (width / 32) * sizeof(lm_block_q8_0), width, x);
    else if (type == LM_BLOCK_Q4_0)
        cache_widen_blocks(type, bytes + (size_t)slot * (width / 32) * sizeof(lm_block_q4_0), width, x);
    else
        cache_widen(type, bytes + (size_t)slot * width * (type == LM_BLOCK_F32 ? 4 : 2), (size_t)width, x);
}

static void cache_get_k(int32_t type, const void *part, int32_t width, int32_t slot, float *x) {
    if (type == LM_BLOCK_Q8_0 || type == LM_BLOCK_Q4_0)
        cache_get_v(type, part, width, slot, x);
    else
        lm_cache_get_k_c(type, part, width, slot, x);
}

/* A K part of blocks, [64 tokens][width], as floats [width][64 tokens]: bytes are transposed 16 by 16, then widened. */
static void cache_turn_k(int32_t type, const uint8_t *part, int32_t width, float *to) {
    size_t block_bytes = type == LM_BLOCK_Q8_0 ? sizeof(lm_block_q8_0) : sizeof(lm_block_q4_0),
           row = width / 32 * block_bytes;
    int8_t unpacked[16 * 32], columns[16 * 16];
    float d[16];
    for (int32_t t = 0; t < LM_PAGE_TOKENS; t += 16)
        for (int32_t b = 0; b < width / 32; b++) {
            const uint8_t *first = part + t * row + b * block_bytes, *codes = first + 2;
            size_t stride = row;
            for (int j = 0; j < 16; j++) d[j] = lm_load_f16(first + j * row);
            if (type == LM_BLOCK_Q4_0) {
                for (int j = 0; j < 16; j++)
                    cache_q4_0_codes((const lm_block_q4_0 *)(const void *)(first + j * row), unpacked + 32 * j);
                codes = (const uint8_t *)unpacked, stride = 32;
            }
            lanes scale = lanes_load(d);
            for (int half = 0; half < 32; half += 16) {
                transpose_bytes(codes + half, stride, columns);
                float *out = to + ((size_t)b * 32 + half) * LM_PAGE_TOKENS + t;
                for (int i = 0; i < 16; i++)
                    lanes_store(out + (size_t)i * LM_PAGE_TOKENS, lanes_mul(scale, lanes_load_i8(columns + 16 * i)));
            }
        }
}

static void cache_fill(lm_kernels *k) {
    k->cache_put_k = cache_put_k;
    k->cache_put_v = cache_put_v;
    k->cache_get_k = cache_get_k;
    k->cache_get_v = cache_get_v;
}
