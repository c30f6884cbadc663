/* SPDX-License-Identifier: MIT
 * The rows of the type table, and sizes computed from them without overflow. Block sizes come from the drawn structs. */
#include "dtype.h"

#include "../base/checked.h"

#define SAME(dtype, block) _Static_assert((int)(dtype) == (block), "kernels number types as files do")
SAME(LM_DTYPE_F32, LM_BLOCK_F32);
SAME(LM_DTYPE_F16, LM_BLOCK_F16);
SAME(LM_DTYPE_Q4_0, LM_BLOCK_Q4_0);
SAME(LM_DTYPE_Q4_1, LM_BLOCK_Q4_1);
SAME(LM_DTYPE_Q5_0, LM_BLOCK_Q5_0);
SAME(LM_DTYPE_Q5_1, LM_BLOCK_Q5_1);
SAME(LM_DTYPE_Q8_0, LM_BLOCK_Q8_0);
SAME(LM_DTYPE_Q8_1, LM_BLOCK_Q8_1);
SAME(LM_DTYPE_Q2K, LM_BLOCK_Q2K);
SAME(LM_DTYPE_Q3K, LM_BLOCK_Q3K);
SAME(LM_DTYPE_Q4K, LM_BLOCK_Q4K);
SAME(LM_DTYPE_Q5K, LM_BLOCK_Q5K);
SAME(LM_DTYPE_Q6K, LM_BLOCK_Q6K);
SAME(LM_DTYPE_Q8K, LM_BLOCK_Q8K);
SAME(LM_DTYPE_IQ2XXS, LM_BLOCK_IQ2XXS);
SAME(LM_DTYPE_IQ2XS, LM_BLOCK_IQ2XS);
SAME(LM_DTYPE_IQ3XXS, LM_BLOCK_IQ3XXS);
SAME(LM_DTYPE_IQ1S, LM_BLOCK_IQ1S);
SAME(LM_DTYPE_IQ4NL, LM_BLOCK_IQ4NL);
SAME(LM_DTYPE_IQ3S, LM_BLOCK_IQ3S);
SAME(LM_DTYPE_IQ2S, LM_BLOCK_IQ2S);
SAME(LM_DTYPE_IQ4XS, LM_BLOCK_IQ4XS);
SAME(LM_DTYPE_I8, LM_BLOCK_I8);
SAME(LM_DTYPE_I16, LM_BLOCK_I16);
SAME(LM_DTYPE_I32, LM_BLOCK_I32);
SAME(LM_DTYPE_I64, LM_BLOCK_I64);
SAME(LM_DTYPE_F64, LM_BLOCK_F64);
SAME(LM_DTYPE_IQ1M, LM_BLOCK_IQ1M);
SAME(LM_DTYPE_BF16, LM_BLOCK_BF16);
SAME(LM_DTYPE_TQ1_0, LM_BLOCK_TQ1_0);
SAME(LM_DTYPE_TQ2_0, LM_BLOCK_TQ2_0);
SAME(LM_DTYPE_MXFP4, LM_BLOCK_MXFP4);
SAME(LM_DTYPE_NVFP4, LM_BLOCK_NVFP4);
SAME(LM_DTYPE_Q1_0, LM_BLOCK_Q1_0);
SAME(LM_DTYPE_Q2_0, LM_BLOCK_Q2_0);

#define PLAIN(type, bytes, class)                                                                                      \
    { #type, 1, bytes, LM_DTYPE_CLASS_##class, lm_dequantize_##type##_c }
#define BLOCK(name, values, type)                                                                                      \
    { name, values, sizeof(lm_block_##type), LM_DTYPE_CLASS_QUANTISED, lm_dequantize_##type##_c }
#define ACTS(name, values, type)                                                                                       \
    { name, values, sizeof(lm_block_##type), LM_DTYPE_CLASS_ACTIVATION, lm_dequantize_##type##_c }

static const lm_dtype_info types[LM_DTYPE_COUNT] = {
    [LM_DTYPE_F32] = PLAIN(f32, 4, FLOAT),
    [LM_DTYPE_F16] = PLAIN(f16, 2, FLOAT),
    [LM_DTYPE_BF16] = PLAIN(bf16, 2, FLOAT),
    [LM_DTYPE_F64] = PLAIN(f64, 8, FLOAT),
    [LM_DTYPE_I8] = PLAIN(i8, 1, INTEGER),
    [LM_DTYPE_I16] = PLAIN(i16, 2, INTEGER),
    [LM_DTYPE_I32] = PLAIN(i32, 4, INTEGER),
    [LM_DTYPE_I64] = PLAIN(i64, 8, INTEGER),
    [LM_DTYPE_Q4_0] = BLOCK("q4_0", 32, q4_0),
    [LM_DTYPE_Q4_1] = BLOCK("q4_1", 32, q4_1),
    [LM_DTYPE_Q5_0] = BLOCK("q5_0", 32, q5_0),
    [LM_DTYPE_Q5_1] = BLOCK("q5_1", 32, q5_1),
    [LM_DTYPE_Q8_0] = BLOCK("q8_0", 32, q8_0),
    [LM_DTYPE_Q8_1] = ACTS("q8_1", 32, q8_1),
    [LM_DTYPE_Q2K] = BLOCK("q2_K", 256, q2k),
    [LM_DTYPE_Q3K] = BLOCK("q3_K", 256, q3k),
    [LM_DTYPE_Q4K] = BLOCK("q4_K", 256, q4k),
    [LM_DTYPE_Q5K] = BLOCK("q5_K", 256, q5k),
    [LM_DTYPE_Q6K] = BLOCK("q6_K", 256, q6k),
    [LM_DTYPE_Q8K] = ACTS("q8_K", 256, q8k),
    [LM_DTYPE_IQ2XXS] = BLOCK("iq2_xxs", 256, iq2xxs),
    [LM_DTYPE_IQ2XS] = BLOCK("iq2_xs", 256, iq2xs),
    [LM_DTYPE_IQ3XXS] = BLOCK("iq3_xxs", 256, iq3xxs),
    [LM_DTYPE_IQ1S] = BLOCK("iq1_s", 256, iq1s),
    [LM_DTYPE_IQ4NL] = BLOCK("iq4_nl", 32, iq4nl),
    [LM_DTYPE_IQ3S] = BLOCK("iq3_s", 256, iq3s),
    [LM_DTYPE_IQ2S] = BLOCK("iq2_s", 256, iq2s),
    [LM_DTYPE_IQ4XS] = BLOCK("iq4_xs", 256, iq4xs),
    [LM_DTYPE_IQ1M] = BLOCK("iq1_m", 256, iq1m),
    [LM_DTYPE_TQ1_0] = BLOCK("tq1_0", 256, tq1_0),
    [LM_DTYPE_TQ2_0] = BLOCK("tq2_0", 256, tq2_0),
    [LM_DTYPE_MXFP4] = BLOCK("mxfp4", 32, mxfp4),
    [LM_DTYPE_NVFP4] = BLOCK("nvfp4", 64, nvfp4),
    [LM_DTYPE_Q1_0] = BLOCK("q1_0", 128, q1_0),
    [LM_DTYPE_Q2_0] = BLOCK("q2_0", 64, q2_0),
};

const lm_dtype_info *lm_dtype_find(int64_t dtype) {
    return dtype >= 0 && dtype < LM_DTYPE_COUNT && types[dtype].block_values > 0 ? &types[dtype] : NULL;
}

const char *lm_dtype_refusal(int64_t dtype) {
    static const struct {
        int32_t first, last;
        const char *why;
    } refusals[] = {
        {4, 5, "a retired type (Q4_2 or Q4_3)"},
        {31, 33, "a retired repacked type (Q4_0_4_4, Q4_0_4_8 or Q4_0_8_8); make the file again as Q4_0"},
        {36, 38, "a retired repacked type (IQ4_NL_4_4, IQ4_NL_4_8 or IQ4_NL_8_8), or I2_S of a fork"},
        {97, 99, "a type of ik_llama.cpp only (Q8_0_X4, Q8_1_X4 or Q8_2_X4)"},
        {133, 158, "a type of ik_llama.cpp only (such as Q6_0, IQ2_K, IQ4_KS or IQ3_KT)"},
        {202, 399, "a row-interleaved type of ik_llama.cpp only (_R4, _R8 or _R16)"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (dtype >= refusals[i].first && dtype <= refusals[i].last) return refusals[i].why;
    return "not a type this version knows";
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

int32_t lm_dtype_by_name(const char *name, size_t n) {
    for (int32_t dtype = 0; dtype < LM_DTYPE_COUNT; dtype++) {
        const char *own = types[dtype].name;
        size_t i = 0;
        if (!own) continue;
        while (i < n && own[i] && lower(own[i]) == lower(name[i])) i++;
        if (i == n && !own[i]) return dtype;
    }
    return -1;
}

bool lm_dtype_row_bytes(int32_t dtype, int64_t n, uint64_t *bytes) {
    const lm_dtype_info *info = lm_dtype_find(dtype);
    if (!info || n < 0 || n % info->block_values != 0) return false;
    return lm_u64_mul((uint64_t)n / info->block_values, info->block_bytes, bytes);
}

bool lm_dims_count(const int64_t dims[4], int64_t *count) {
    uint64_t product = 1;
    for (int i = 0; i < 4; i++)
        if (dims[i] <= 0 || !lm_u64_mul(product, (uint64_t)dims[i], &product) || product >= (uint64_t)INT64_MAX)
            return false;
    *count = (int64_t)product;
    return true;
}

bool lm_dtype_tensor_bytes(int32_t dtype, const int64_t dims[4], uint64_t *bytes) {
    int64_t count;
    uint64_t row;
    if (!lm_dims_count(dims, &count) || !lm_dtype_row_bytes(dtype, dims[0], &row)) return false;
    return lm_u64_mul(row, (uint64_t)(count / dims[0]), bytes) && *bytes <= SIZE_MAX;
}
