/* SPDX-License-Identifier: MIT
 * Choosing the kernel and building its search tables; every row is checked for finite scales after it is made. */
#include "quantize.h"

struct lm_quantizer {
    lm_env env;
    int32_t dtype;
    const lm_dtype_info *info;
    void *search;
    size_t search_bytes;
};

lm_status lm_quantizer_create(const lm_env *env, int32_t dtype, lm_quantizer **out) {
    const lm_dtype_info *info = lm_dtype_find(dtype);
    if (!info || !info->quantize) return LM_ERR_UNSUPPORTED;
    lm_quantizer *quantizer = lm_alloc_zeroed(env, sizeof *quantizer);
    if (!quantizer) return LM_ERR_MEMORY;
    quantizer->env = *env;
    quantizer->dtype = dtype;
    quantizer->info = info;
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
        info->quantize(x + row * row_values, out, row_values, weights, quantizer->search);
        if (!lm_dtype_blocks_are_finite(quantizer->dtype, out, row_values)) return LM_ERR_RANGE;
    }
    return LM_OK;
}
