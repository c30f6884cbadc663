/* SPDX-License-Identifier: MIT
 * Choosing the kernel and building its search tables; every row is checked for finite scales after it is made. The kernels are listed
 * here and not with the types, so that a library that does not quantise is linked without them. */
#include "quantize.h"

static lm_quantize_row_fn *const quantisers[LM_DTYPE_COUNT] = {
    [LM_DTYPE_F32] = lm_quantize_f32_c,     [LM_DTYPE_F16] = lm_quantize_f16_c,
    [LM_DTYPE_BF16] = lm_quantize_bf16_c,   [LM_DTYPE_Q4_0] = lm_quantize_q4_0_c,
    [LM_DTYPE_Q4_1] = lm_quantize_q4_1_c,   [LM_DTYPE_Q5_0] = lm_quantize_q5_0_c,
    [LM_DTYPE_Q5_1] = lm_quantize_q5_1_c,   [LM_DTYPE_Q8_0] = lm_quantize_q8_0_c,
    [LM_DTYPE_Q2K] = lm_quantize_q2k_c,     [LM_DTYPE_Q3K] = lm_quantize_q3k_c,
    [LM_DTYPE_Q4K] = lm_quantize_q4k_c,     [LM_DTYPE_Q5K] = lm_quantize_q5k_c,
    [LM_DTYPE_Q6K] = lm_quantize_q6k_c,     [LM_DTYPE_IQ2XXS] = lm_quantize_iq2xxs_c,
    [LM_DTYPE_IQ2XS] = lm_quantize_iq2xs_c, [LM_DTYPE_IQ3XXS] = lm_quantize_iq3xxs_c,
    [LM_DTYPE_IQ1S] = lm_quantize_iq1s_c,   [LM_DTYPE_IQ4NL] = lm_quantize_iq4nl_c,
    [LM_DTYPE_IQ3S] = lm_quantize_iq3s_c,   [LM_DTYPE_IQ2S] = lm_quantize_iq2s_c,
    [LM_DTYPE_IQ4XS] = lm_quantize_iq4xs_c, [LM_DTYPE_IQ1M] = lm_quantize_iq1m_c,
    [LM_DTYPE_TQ1_0] = lm_quantize_tq1_0_c, [LM_DTYPE_TQ2_0] = lm_quantize_tq2_0_c,
    [LM_DTYPE_MXFP4] = lm_quantize_mxfp4_c, [LM_DTYPE_NVFP4] = lm_quantize_nvfp4_c,
    [LM_DTYPE_Q1_0] = lm_quantize_q1_0_c,   [LM_DTYPE_Q2_0] = lm_quantize_q2_0_c,
};

bool lm_quantizer_exists(int32_t dtype) { return dtype >= 0 && dtype < LM_DTYPE_COUNT && quantisers[dtype]; }

struct lm_quantizer {
    lm_env env;
    int32_t dtype;
    const lm_dtype_info *info;
    void *search;
    size_t search_bytes;
};

lm_status lm_quantizer_create(const lm_env *env, int32_t dtype, lm_quantizer **out) {
    if (!lm_quantizer_exists(dtype)) return LM_ERR_UNSUPPORTED;
    lm_quantizer *quantizer = lm_alloc_zeroed(env, sizeof *quantizer);
    if (!quantizer) return LM_ERR_MEMORY;
    quantizer->env = *env;
    quantizer->dtype = dtype;
    quantizer->info = lm_dtype_find(dtype);
    quantizer->search_bytes = lm_iq_search_bytes(dtype);
    if (quantizer->search_bytes > 0) {
        quantizer->search = lm_alloc(env, quantizer->search_bytes);
        if (!quantizer->search) {
            lm_quantizer_destroy(quantizer);
            return LM_ERR_MEMORY;
        }
        lm_iq_search_build(dtype, quantizer->search);
    }
    *out = quantizer;
    return LM_OK;
}

void lm_quantizer_destroy(lm_quantizer *quantizer) {
    if (!quantizer) return;
    lm_env env = quantizer->env;
    lm_free(&env, quantizer->search, quantizer->search_bytes);
    lm_free(&env, quantizer, sizeof *quantizer);
}

bool lm_quantizer_needs_weights(const lm_quantizer *quantizer) {
    return quantizer->dtype == LM_DTYPE_IQ2XXS || quantizer->dtype == LM_DTYPE_IQ2XS ||
           quantizer->dtype == LM_DTYPE_IQ1S;
}

lm_status lm_quantizer_run(const lm_quantizer *quantizer, const float *x, size_t n_rows, size_t row_values,
                           const float *weights, void *blocks) {
    const lm_dtype_info *info = quantizer->info;
    if (row_values % info->block_values != 0 || (!weights && lm_quantizer_needs_weights(quantizer)))
        return LM_ERR_ARGUMENT;
    size_t row_bytes = row_values / info->block_values * info->block_bytes;
    for (size_t row = 0; row < n_rows; row++) {
        char *out = (char *)blocks + row * row_bytes;
        quantisers[quantizer->dtype](x + row * row_values, out, row_values, weights, quantizer->search);
        if (!lm_dtype_blocks_are_finite(quantizer->dtype, out, row_values)) return LM_ERR_RANGE;
    }
    return LM_OK;
}
