/* SPDX-License-Identifier: MIT
 * The replacements of fmaf and fma give the bits of correctly rounded ones, which the C library of this machine has. */
#include "check.h"

#include <math.h>
#include <stdbool.h>

#include "base/real_fma.h"
#include "fma.h"

static uint64_t random_bits(uint64_t *seed) {
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return *seed;
}

/* Of any bits, of like exponents, and of like exponents with short mantissas, where ties are common. */
static float random_float(uint64_t *seed, int kind) {
    uint32_t bits = (uint32_t)(random_bits(seed) >> 20);
    float value;
    if (kind > 0) bits = (bits & 0x807fffff) | (118 + (bits >> 23) % 20) << 23;
    if (kind > 1) bits &= 0xfffff000;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void floats_round_once(void **state) {
    uint64_t seed = UINT64_C(88172645463325252);
    (void)state;
    for (int i = 0; i < 2000000; i++) {
        float a = random_float(&seed, i % 3), b = random_float(&seed, i % 3), c = random_float(&seed, i % 3);
        float found = lm_fma_by_double(a, b, c), expected = fmaf(a, b, c);
        if (isnan(expected) ? !isnan(found) : memcmp(&found, &expected, sizeof found) != 0)
            fail_msg("fmaf(%a, %a, %a): %a, expected %a", (double)a, (double)b, (double)c, (double)found,
                     (double)expected);
    }
}

static double random_double(uint64_t *seed, bool is_short) {
    uint64_t bits = random_bits(seed);
    double value;
    bits = (bits & UINT64_C(0x800fffffffffffff)) | (UINT64_C(990) + (bits >> 52) % 60) << 52;
    if (is_short) bits &= UINT64_C(0xfffffffff8000000);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void doubles_round_once(void **state) {
    uint64_t seed = 7;
    (void)state;
    for (int i = 0; i < 1000000; i++) {
        double a = random_double(&seed, i % 2), b = random_double(&seed, i % 2), c = random_double(&seed, i % 4 == 1);
        if (i % 5 == 0) c = -(a * b); /* what the product lost is all that is left */
        double found = lm_fma_by_parts(a, b, c), expected = fma(a, b, c);
        if (found != expected) fail_msg("fma(%a, %a, %a): %a, expected %a", a, b, c, found, expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_round_once),
        cmocka_unit_test(doubles_round_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
