/* SPDX-License-Identifier: MIT
 * The quantisers of activations over sixteen float lanes, for instruction sets without their own. */

/* One column; group: values per scale. */
LM_INLINE void quantize_column(lm_acts *acts, int32_t c, const float *x, const size_t group) {
    const size_t k = (size_t)acts->k, column = (size_t)c;
    int8_t *q = acts->q + column * k;
    int16_t *sum16 = acts->sum16 + column * (k / 16), *sum32 = acts->sum32 + column * (k / 32);
    for (size_t g = 0; g < k / group; g++, x += group) {
        lanes most = lanes_set(0), squares = lanes_set(0), products = lanes_set(0);
        for (size_t i = 0; i < group; i += 16) most = lanes_larger(lanes_abs(lanes_load(x + i)), most);
        float top = lanes_fold_larger(most), inverse = top > 0 ? 127 / top : 0;
        if (inverse > 0x1.fffffep127f) inverse = 0;
        for (size_t i = 0; i < group; i += 16, q += 16) {
            lanes u = lanes_at_least(lanes_at_most(lanes_mul(lanes_load(x + i), lanes_set(inverse)), 127), -127);
            u = lanes_if_less(u, lanes_set(128), u, lanes_set(0)); /* a NaN is not less */
            lanes_store_codes(q, u);
            lanes rounded = lanes_load_i8(q);
            squares = lanes_fma(rounded, rounded, squares); /* integers below 2^24: exact */
            products = i ? lanes_fma(u, rounded, products) : lanes_mul(u, rounded);
            int sum = 0;
            for (int j = 0; j < 16; j++) sum += q[j];
            *sum16++ = (int16_t)sum;
            if (i % 32) *sum32++ = (int16_t)(sum16[-2] + sum16[-1]);
        }
        float square = lanes_fold(squares), scale = square > 0 ? top / 127 : 0;
        if (group == 32 && square > 0) scale *= lanes_fold(products) / square;
        acts->scale[column * (k / group) + g] = scale;
    }
}
static void LM_KERNEL quantize_q8_32(lm_acts *acts, int32_t c, const float *x) { quantize_column(acts, c, x, 32); }
static void LM_KERNEL quantize_q8_256(lm_acts *acts, int32_t c, const float *x) { quantize_column(acts, c, x, 256); }

static void quantize_fill(lm_kernels *kernels) {
    kernels->quantize_q8_32 = quantize_q8_32;
    kernels->quantize_q8_256 = quantize_q8_256;
}
