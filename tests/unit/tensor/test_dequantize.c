/* SPDX-License-Identifier: MIT
 * Every block type to floats, bit for bit: against the reference material where it is present, and against small blocks whose
 * values an independent script computed (tests/golden/make_quants.py). Zeros may differ in sign where exact fractions have none. */
#include "check.h"

#include "half.h"
#include "tensor/dtype.h"

static size_t compare(const lm_dtype_info *info, const char *name, const char *blocks, size_t bytes, const char *values,
                      int any_zero) {
    size_t n = bytes / info->block_bytes * info->block_values;
    float *out = malloc(n * sizeof *out);
    char *copy = malloc(bytes); /* of the exact size, so that reading past the end is seen */
    assert_true(out && copy);
    memcpy(copy, blocks, bytes);
    info->dequantize(copy, out, n);
    for (size_t i = 0; i < n; i++) {
        float expected;
        memcpy(&expected, values + 4 * i, sizeof expected);
        if (memcmp(&expected, &out[i], sizeof expected) == 0) continue;
        if (any_zero && expected == 0 && out[i] == 0) continue;
        fail_msg("%s: element %zu is %a, expected %a", name, i, (double)out[i], (double)expected);
    }
    free(copy);
    free(out);
    return n;
}

static size_t compare_files(const char *variable, const char *folder, const char *suffix, int any_zero) {
    size_t n_types = 0;
    for (int32_t dtype = 0; dtype < LM_DTYPE_COUNT; dtype++) {
        const lm_dtype_info *info = lm_dtype_find(dtype);
        char name[256], path[1024];
        if (!info) continue;
        snprintf(name, sizeof name, "%s/%s%s.bin", folder, info->name, suffix);
        if (!test_path(variable, name, path, sizeof path)) continue;
        size_t bytes = 0, values_bytes = 0;
        char *blocks = test_read(path, &bytes);
        snprintf(name, sizeof name, "%s/%s%s.f32", folder, info->name, suffix);
        assert_true(test_path(variable, name, path, sizeof path));
        char *values = test_read(path, &values_bytes);
        assert_non_null(values);
        assert_int_equal(bytes / info->block_bytes * info->block_values * 4, values_bytes);
        assert_true(compare(info, name, blocks, bytes, values, any_zero) > 0);
        free(blocks);
        free(values);
        n_types++;
    }
    return n_types;
}

static void golden_blocks_dequantize_exactly(void **state) {
    (void)state;
    assert_int_equal(compare_files("LM_GOLDEN", "quants", "", 1), 34);
}

static void reference_tensors_dequantize_exactly(void **state) {
    (void)state;
    size_t size = 0;
    free(test_read_shared("fixtures/quants/quants.json", &size));
    assert_int_equal(compare_files("LM_SHARED", "fixtures/quants", "", 0), 27);
}

static void reference_random_blocks_dequantize_exactly(void **state) {
    (void)state;
    size_t size = 0;
    free(test_read_shared("fixtures/quants/quants.json", &size));
    assert_int_equal(compare_files("LM_SHARED", "fixtures/quants", ".random", 0), 27);
}

static void halves_survive_a_round_trip(void **state) {
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float x = lm_f16_to_f32((uint16_t)h);
        int is_nan = (h & 0x7FFF) > 0x7C00;
        assert_int_equal(lm_f32_to_f16(x), is_nan ? (h & 0x8000) | 0x7E00 : h);
        uint16_t b = lm_f32_to_bf16(lm_bf16_to_f32((uint16_t)h));
        is_nan = (h & 0x7FFF) > 0x7F80;
        assert_int_equal(b, is_nan ? h | 64 : h);
    }
}

static void floats_round_to_the_nearest_even_half(void **state) {
    (void)state;
    /* Around every pair of neighbouring halves: just below, at and just above the middle. */
    for (uint32_t h = 0; h < 0x7C00; h++) {
        double low = (double)lm_f16_to_f32((uint16_t)h);
        double high = h == 0x7BFF ? 65536.0 : (double)lm_f16_to_f32((uint16_t)(h + 1));
        float middle = (float)((low + high) / 2); /* exact: 12 bits */
        assert_int_equal(lm_f32_to_f16(middle), h + (h & 1));
        assert_int_equal(lm_f32_to_f16(lm_bits_f32(lm_f32_bits(middle) - 1)), h);
        assert_int_equal(lm_f32_to_f16(-lm_bits_f32(lm_f32_bits(middle) + 1)), 0x8000 | (h + 1));
    }
    assert_int_equal(lm_f32_to_f16(1e30f), 0x7C00);
    assert_int_equal(lm_f32_to_bf16(lm_bits_f32(0x3F808000)), 0x3F80);
    assert_int_equal(lm_f32_to_bf16(lm_bits_f32(0x3F818000)), 0x3F82);
    assert_int_equal(lm_f32_to_bf16(lm_bits_f32(0x3F808001)), 0x3F81);
    assert_int_equal(lm_f32_to_bf16(lm_bits_f32(0x7F7FFFFF)), 0x7F80);
}

static void fp4_scales_follow_their_formulas(void **state) {
    (void)state;
    double power = 0x1p-128;
    for (int e = 0; e < 255; e++, power *= 2) assert_true((double)lm_e8m0_half((uint8_t)e) == power);
    for (int x = 0; x < 256; x++) {
        int e = x >> 3 & 15, m = x & 7;
        double value = e == 0 ? m * 0x1p-9 : (1 + m / 8.0) * (e >= 7 ? (double)(1 << (e - 7)) : 1.0 / (1 << (7 - e)));
        assert_true((double)lm_ue4m3_half((uint8_t)x) == (x == 0 || x == 0x7F ? 0 : value / 2));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_blocks_dequantize_exactly),
        cmocka_unit_test(reference_tensors_dequantize_exactly),
        cmocka_unit_test(reference_random_blocks_dequantize_exactly),
        cmocka_unit_test(halves_survive_a_round_trip),
        cmocka_unit_test(floats_round_to_the_nearest_even_half),
        cmocka_unit_test(fp4_scales_follow_their_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
