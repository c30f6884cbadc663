/* SPDX-License-Identifier: MIT
 * The quantisers: byte-equal to the reference tensors; the same bytes from every compiler (checksums); errors no larger than
 * the format's; weights that pay; and no faults on hostile numbers. */
#include "counting.h"

#include <math.h>

#include "base/hash.h"
#include "tensor/quantize.h"

enum { ROW = 512, ROWS = 24 };

/* What is known of each type: the relative error on noise (measured, rounded up), and checksums of the bytes made from
 * draw_values without and with weights. A type that needs weights has no first checksum. */
static const struct {
    int32_t dtype;
    double error;
    uint64_t plain, weighted;
} known[] = {
    /* clang-format off: printed by this program when LM_PRINT_KNOWN is set */
    {0, 0.001, 0xffd2e4950951f54b, 0xffd2e4950951f54b},  /* f32 */
    {1, 0.001, 0x680eafe98a20a155, 0x680eafe98a20a155},  /* f16 */
    {30, 0.002, 0x64bbf9d7dc3b0a88, 0x64bbf9d7dc3b0a88}, /* bf16 */
    {2, 0.114, 0xa6134e86778ec070, 0xeb656d0298874d7a},  /* q4_0 */
    {3, 0.093, 0xd2bf025c888695d4, 0xf0d96311abcf6ed3},  /* q4_1 */
    {6, 0.059, 0xb0c66c5750de691d, 0x2ac968fe753d8cdd},  /* q5_0 */
    {7, 0.044, 0x6dc837eae36f659f, 0x1d63194ca8f30eb0},  /* q5_1 */
    {8, 0.008, 0x23b58d527d3c5a71, 0x23b58d527d3c5a71},  /* q8_0 */
    {10, 0.318, 0xc2527928b0f0771e, 0xc0a2c7b466c442b3}, /* q2_K */
    {11, 0.177, 0xb1c64ad89c95a7a1, 0xbcd733b05510aa34}, /* q3_K */
    {12, 0.087, 0xdc97a84e43cf18df, 0x465bb848fe8d38b1}, /* q4_K */
    {13, 0.043, 0xcec0ab77ed23d3a3, 0xe1526d18eb73fb65}, /* q5_K */
    {14, 0.023, 0x1635a1048497f612, 0xe20ee29c3bb18175}, /* q6_K */
    {16, 0.448, 0x0000000000000000, 0x94b162b06dd3f703}, /* iq2_xxs */
    {17, 0.378, 0x0000000000000000, 0xebd7332ad42e7e8a}, /* iq2_xs */
    {22, 0.358, 0x21b1207fa3f8efc8, 0x50df4b9163eb842d}, /* iq2_s */
    {18, 0.273, 0x48addea42f682449, 0x354bb308eb5384a0}, /* iq3_xxs */
    {21, 0.202, 0x334c702f4fe76f4c, 0xc80d05dc510a5fb9}, /* iq3_s */
    {19, 0.617, 0x0000000000000000, 0x344e4ff2af47e823}, /* iq1_s */
    {29, 0.609, 0xe126c5d37f982530, 0x163d80d3fe518ac7}, /* iq1_m */
    {20, 0.094, 0x350687e7e342a4c2, 0x94a9fa5945b9967c}, /* iq4_nl */
    {23, 0.096, 0x86fe76fae0361293, 0xc3760a6f4729faf8}, /* iq4_xs */
    {34, 0.817, 0xfa77b51946ecd9ab, 0xfa77b51946ecd9ab}, /* tq1_0 */
    {35, 0.817, 0xfe860c123b1fcc5b, 0xfe860c123b1fcc5b}, /* tq2_0 */
    {39, 0.131, 0x76ba24a557ac2d1b, 0x76ba24a557ac2d1b}, /* mxfp4 */
    {40, 0.092, 0x2c1207a4e306d0d6, 0x2c1207a4e306d0d6}, /* nvfp4 */
    {41, 0.690, 0xa2fbb8b8b253aa8e, 0xa2fbb8b8b253aa8e}, /* q1_0 */
    {42, 0.700, 0x0cb0c3eefa3cb83b, 0x0cb0c3eefa3cb83b}, /* q2_0 */
    /* clang-format on */
};

/* Noise made of exact steps only: sums of twelve uniform integers, some rows flat, some values far out, one row zero. */
static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void draw_values(float *x, float *weights) {
    uint32_t state = 12345;
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < ROW; i++) {
            int sum = 0;
            for (int k = 0; k < 12; k++) sum += (int)next_random(&state);
            float value = (float)(sum - 6 * 65536) / 65536.0f / (float)(1 + row % 5);
            if (next_random(&state) % 100 == 0) value *= 8;
            x[row * ROW + i] = row == ROWS - 1 ? 0 : row == ROWS - 2 ? 0.5f : value;
        }
    for (int i = 0; i < ROW; i++)
        weights[i] = (float)(1 + next_random(&state) % 64) / 16.0f * (i % 7 == 0 ? 20.0f : 1.0f);
}

static lm_quantizer *quantizer_of(int32_t dtype) {
    lm_env env;
    lm_quantizer *quantizer = NULL;
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(lm_quantizer_create(&env, dtype, &quantizer), LM_OK);
    return quantizer;
}

/* Sums of w * (x - y)^2 and w * x^2 over all rows. */
static double relative_error(int32_t dtype, const float *x, const void *blocks, const float *weights) {
    static float y[ROW * ROWS];
    double error = 0, total = 0;
    lm_dtype_find(dtype)->dequantize(blocks, y, ROW * ROWS);
    for (int i = 0; i < ROW * ROWS; i++) {
        double w = weights ? (double)weights[i % ROW] : 1, e = (double)x[i] - (double)y[i];
        error += w * e * e;
        total += w * (double)x[i] * (double)x[i];
    }
    return sqrt(error / total);
}

static float values[ROW * ROWS], weights[ROW];
static uint8_t blocks[ROW * ROWS * 4], weighted_blocks[ROW * ROWS * 4];

static void bytes_are_the_same_everywhere(void **state) {
    (void)state;
    draw_values(values, weights);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int32_t dtype = known[i].dtype;
        uint64_t bytes = 0, plain = 0, weighted;
        lm_quantizer *quantizer = quantizer_of(dtype);
        assert_true(lm_dtype_row_bytes(dtype, ROW * ROWS, &bytes));
        if (!lm_quantizer_needs_weights(quantizer)) {
            assert_int_equal(lm_quantizer_run(quantizer, values, ROWS, ROW, NULL, blocks), LM_OK);
            plain = lm_checksum(blocks, (size_t)bytes, 0);
        }
        assert_int_equal(lm_quantizer_run(quantizer, values, ROWS, ROW, weights, weighted_blocks), LM_OK);
        weighted = lm_checksum(weighted_blocks, (size_t)bytes, 0);
        if (getenv("LM_PRINT_KNOWN"))
            printf("    {%d, %.3f, 0x%016llx, 0x%016llx}, /* %s */\n", dtype,
                   relative_error(dtype, values, plain ? blocks : weighted_blocks, NULL) * 1.01 + 0.0005,
                   (unsigned long long)plain, (unsigned long long)weighted, lm_dtype_find(dtype)->name);
        else if (plain != known[i].plain || weighted != known[i].weighted)
            fail_msg("%s: other bytes than before", lm_dtype_find(dtype)->name);
        double error = relative_error(dtype, values, plain ? blocks : weighted_blocks, NULL);
        if (!getenv("LM_PRINT_KNOWN") && error > known[i].error)
            fail_msg("%s: error %g", lm_dtype_find(dtype)->name, error);
        lm_quantizer_destroy(quantizer);
    }
}

static void weights_lower_the_weighted_error(void **state) {
    (void)state;
    static const int32_t types[] = {LM_DTYPE_Q4_0,  LM_DTYPE_Q4_1, LM_DTYPE_Q5_0,   LM_DTYPE_Q5_1, LM_DTYPE_Q2K,
                                    LM_DTYPE_Q3K,   LM_DTYPE_Q4K,  LM_DTYPE_Q5K,    LM_DTYPE_Q6K,  LM_DTYPE_IQ4NL,
                                    LM_DTYPE_IQ4XS, LM_DTYPE_IQ2S, LM_DTYPE_IQ3XXS, LM_DTYPE_IQ3S, LM_DTYPE_IQ1M};
    draw_values(values, weights);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        lm_quantizer *quantizer = quantizer_of(types[i]);
        assert_int_equal(lm_quantizer_run(quantizer, values, ROWS, ROW, NULL, blocks), LM_OK);
        assert_int_equal(lm_quantizer_run(quantizer, values, ROWS, ROW, weights, weighted_blocks), LM_OK);
        double plain = relative_error(types[i], values, blocks, weights);
        double weighted = relative_error(types[i], values, weighted_blocks, weights);
        if (!(weighted < plain))
            fail_msg("%s: %g with weights, %g without", lm_dtype_find(types[i])->name, weighted, plain);
        lm_quantizer_destroy(quantizer);
    }
}

static void reference_tensors_quantize_to_the_same_bytes(void **state) {
    (void)state;
    /* These were made with all weights 1, because the reference demands some. */
    static const int32_t with_ones[] = {LM_DTYPE_IQ2XXS, LM_DTYPE_IQ2XS, LM_DTYPE_IQ1S};
    size_t size = 0, n_types = 0;
    char *source = test_read_shared("fixtures/quants/source.f32", &size);
    float ones[512];
    assert_int_equal(size, 64 * 512 * sizeof(float));
    for (int i = 0; i < 512; i++) ones[i] = 1;
    for (int32_t dtype = 0; dtype < LM_DTYPE_COUNT; dtype++) {
        const lm_dtype_info *info = lm_dtype_find(dtype);
        char name[64];
        if (!lm_quantizer_exists(dtype) || dtype == LM_DTYPE_F32) continue;
        snprintf(name, sizeof name, "fixtures/quants/%s.bin", info->name);
        char *expected = test_read_shared(name, &size);
        uint8_t *made = malloc(size);
        lm_quantizer *quantizer = quantizer_of(dtype);
        int has_weights = 0;
        for (int i = 0; i < 3; i++) has_weights |= with_ones[i] == dtype;
        assert_int_equal(has_weights, lm_quantizer_needs_weights(quantizer));
        assert_int_equal(
            lm_quantizer_run(quantizer, (const float *)(const void *)source, 64, 512, has_weights ? ones : NULL, made),
            LM_OK);
        size_t n_different = 0;
        for (size_t at = 0; at < size; at += info->block_bytes)
            n_different += memcmp(made + at, expected + at, info->block_bytes) != 0;
        /* In IQ2_XXS the reference reads a code of -1 back as 255 while it looks for a first scale; ours is 0 there. */
        if (n_different > (dtype == LM_DTYPE_IQ2XXS ? 4 : 0))
            fail_msg("%s: %zu blocks differ", info->name, n_different);
        lm_quantizer_destroy(quantizer);
        free(made);
        free(expected);
        n_types++;
    }
    assert_int_equal(n_types, 27);
    free(source);
}

static void hostile_numbers_do_not_fault(void **state) {
    (void)state;
    static const float odd[] = {NAN,     INFINITY, -INFINITY, 3e38f,  -3e38f,   1e-40f,
                                -1e-45f, 0.0f,     -0.0f,     1e-20f, 65504.0f, 1.0f};
    uint32_t random = 7;
    for (int32_t dtype = 0; dtype < LM_DTYPE_COUNT; dtype++) {
        if (!lm_quantizer_exists(dtype)) continue;
        lm_quantizer *quantizer = quantizer_of(dtype);
        float ones[256], x[256];
        for (int i = 0; i < 256; i++) ones[i] = 1;
        for (int round = 0; round < 40; round++) {
            int n_odd = 1 + (int)(next_random(&random) % 12), from = (int)(next_random(&random) % 12);
            for (int i = 0; i < 256; i++) x[i] = odd[((int)(next_random(&random)) % n_odd + from) % 12];
            lm_status status = lm_quantizer_run(quantizer, x, 1, 256, round % 2 ? ones : NULL, blocks);
            if (status == LM_OK) assert_true(lm_dtype_blocks_are_finite(dtype, blocks, 256));
        }
        lm_quantizer_destroy(quantizer);
    }
}

static void zeros_and_tiny_values_give_zeros(void **state) {
    (void)state;
    float x[256], y[256], ones[256];
    for (int i = 0; i < 256; i++) ones[i] = 1;
    for (int32_t dtype = 0; dtype < LM_DTYPE_COUNT; dtype++) {
        const lm_dtype_info *info = lm_dtype_find(dtype);
        if (!lm_quantizer_exists(dtype)) continue;
        lm_quantizer *quantizer = quantizer_of(dtype);
        for (int i = 0; i < 256; i++) x[i] = 0;
        assert_int_equal(lm_quantizer_run(quantizer, x, 1, 256, ones, blocks), LM_OK);
        info->dequantize(blocks, y, 256);
        for (int i = 0; i < 256; i++) assert_true(y[i] == 0);
        /* A zero sub-block next to one that is not: the second must not move. */
        for (int i = 0; i < 256; i++) x[i] = i / 32 == 1 || i / 32 == 4 ? 0 : (float)(i % 13 - 6) * 0.25f;
        assert_int_equal(lm_quantizer_run(quantizer, x, 1, 256, ones, blocks), LM_OK);
        info->dequantize(blocks, y, 256);
        double error = 0, total = 0;
        for (int i = 0; i < 256; i++) {
            error += (double)((x[i] - y[i]) * (x[i] - y[i]));
            total += (double)(x[i] * x[i]);
        }
        if (error > total * 0.5) fail_msg("%s: zero sub-blocks: relative error %g", info->name, sqrt(error / total));
        lm_quantizer_destroy(quantizer);
    }
}

static void arguments_are_checked(void **state) {
    (void)state;
    lm_env env;
    lm_quantizer *quantizer = NULL;
    float x[256] = {0};
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(lm_quantizer_create(&env, LM_DTYPE_I32, &quantizer), LM_ERR_UNSUPPORTED);
    assert_int_equal(lm_quantizer_create(&env, LM_DTYPE_Q8K, &quantizer), LM_ERR_UNSUPPORTED);
    assert_int_equal(lm_quantizer_create(&env, 5, &quantizer), LM_ERR_UNSUPPORTED);
    assert_null(quantizer);
    quantizer = quantizer_of(LM_DTYPE_IQ2XS);
    assert_int_equal(lm_quantizer_run(quantizer, x, 1, 256, NULL, blocks), LM_ERR_ARGUMENT);
    assert_int_equal(lm_quantizer_run(quantizer, x, 1, 255, x, blocks), LM_ERR_ARGUMENT);
    lm_quantizer_destroy(quantizer);
    lm_quantizer_destroy(NULL);
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        env = test_memory_env(&memory);
        quantizer = NULL;
        lm_status status = lm_quantizer_create(&env, LM_DTYPE_IQ3XXS, &quantizer);
        lm_quantizer_destroy(quantizer);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        if (!memory.failed) break;
    }
}

static void blocks_that_are_not_finite_are_seen(void **state) {
    (void)state;
    static const struct {
        int32_t dtype;
        uint16_t at;
        uint8_t bytes[4]; /* little-endian infinity or NaN */
        uint8_t n;
    } rows[] = {
        {LM_DTYPE_F32, 0, {0, 0, 0x80, 0x7F}, 4}, {LM_DTYPE_F16, 0, {0, 0xFC}, 2},
        {LM_DTYPE_BF16, 0, {0x80, 0xFF}, 2},      {LM_DTYPE_F64, 4, {0, 0, 0xF0, 0x7F}, 4},
        {LM_DTYPE_Q4_0, 0, {1, 0x7C}, 2},         {LM_DTYPE_Q4_1, 2, {0, 0x7C}, 2},
        {LM_DTYPE_Q2K, 80, {0, 0x7C}, 2},         {LM_DTYPE_Q2K, 82, {0, 0x7C}, 2},
        {LM_DTYPE_Q3K, 108, {0, 0x7C}, 2},        {LM_DTYPE_Q4K, 2, {0, 0x7C}, 2},
        {LM_DTYPE_Q6K, 208, {0, 0x7C}, 2},        {LM_DTYPE_Q8K, 0, {0, 0, 0x80, 0x7F}, 4},
        {LM_DTYPE_MXFP4, 0, {0xFF}, 1},           {LM_DTYPE_TQ1_0, 52, {0, 0x7C}, 2},
        {LM_DTYPE_TQ2_0, 64, {0, 0x7C}, 2},       {LM_DTYPE_IQ1M, 52, {0, 0xC0, 0, 0x70}, 4},
        {LM_DTYPE_IQ4XS, 0, {0, 0x7C}, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const lm_dtype_info *info = lm_dtype_find(rows[i].dtype);
        uint8_t two[600] = {0};
        assert_true(lm_dtype_blocks_are_finite(rows[i].dtype, two, 2 * info->block_values));
        memcpy(two + info->block_bytes + rows[i].at, rows[i].bytes, rows[i].n);
        if (lm_dtype_blocks_are_finite(rows[i].dtype, two, 2 * info->block_values))
            fail_msg("%s is not seen", info->name);
        assert_true(lm_dtype_blocks_are_finite(rows[i].dtype, two, info->block_values));
        float out[512];
        info->dequantize(two, out, 2 * info->block_values); /* and does not fault */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_the_same_everywhere),
        cmocka_unit_test(weights_lower_the_weighted_error),
        cmocka_unit_test(reference_tensors_quantize_to_the_same_bytes),
        cmocka_unit_test(hostile_numbers_do_not_fault),
        cmocka_unit_test(zeros_and_tiny_values_give_zeros),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(blocks_that_are_not_finite_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
