/* SPDX-License-Identifier: MIT
 * exp, log and MT19937. Both functions reduce their argument with exactly representable pieces of ln 2 and sum a Taylor
 * series that is shorter than one rounding error. No operation depends on the platform beyond IEEE 754 itself. */
#include "sampler_math.h"

#include <float.h>
#include <math.h>
#include <string.h>

static double double_from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ln 2 in two parts; the first has 32 significant bits, so its product with an exponent is exact. */
static const double ln2_high = 0x1.62e42feep-1;
static const double ln2_low = 0x1.a39ef35793c76p-33;

double lm_exp_double(double x) {
    if (x != x) return x;
    if (x > 709.78) return (double)INFINITY;
    if (x < -745.14) return 0.0;
    const double to_integer = 0x1.8p52; /* adding and subtracting it rounds to an integer */
    double n = (x * 0x1.71547652b82fep0 + to_integer) - to_integer;
    double r = (x - n * ln2_high) - n * ln2_low; /* |r| <= 0.3466 */
    double sum = 1.0 / 6227020800.0;
    static const double factors[] = {479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0,
                                     720.0,       120.0,      24.0,      6.0,      2.0};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) sum = sum * r + 1.0 / factors[i];
    double value = 1.0 + (r + r * r * sum);
    /* Two steps, so that results below 2^-1022 are rounded once from a normal number. */
    int exponent = (int)n, half = exponent / 2;
    value *= double_from_bits((uint64_t)(1023 + half) << 52);
    return value * double_from_bits((uint64_t)(1023 + exponent - half) << 52);
}

double lm_ln(double x) {
    if (x == 0.0) return (double)-INFINITY;
    if (!(x > 0.0) || x > DBL_MAX) return x;
    int exponent = 0;
    if (x < DBL_MIN) {
        x *= 0x1p54;
        exponent = -54;
    }
    uint64_t bits = double_bits(x);
    exponent += (int)(bits >> 52) - 1023;
    double m = double_from_bits((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
    if (m > 0x1.6a09e667f3bcdp0) {
        m *= 0.5;
        exponent++;
    }
    /* With s = f / (2 + f): log(1 + f) = 2 atanh(s) = 2s + 2s^3/3 + ..., |s| <= 0.1716. Written as f minus a small term,
     * which keeps the rounding error of s out of the leading digits. */
    double f = m - 1.0, s = f / (2.0 + f), z = s * s, sum = 0.0, half_square = 0.5 * f * f;
    for (int k = 25; k >= 3; k -= 2) sum = sum * z + 2.0 / k;
    sum *= z;
    double e = exponent;
    return e * ln2_high - ((half_square - (s * (half_square + sum) + e * ln2_low)) - f);
}

double lm_pow(double base, double exponent) { return lm_exp_double(exponent * lm_ln(base)); }

double lm_sqrt(double x) { return sqrt(x); }

float lm_exp_float(float x) {
    float y;
    lm_exp_floats(&x, 1, 0.0f, &y);
    return y;
}

void lm_exp_floats(const float *x, size_t n, float shift, float *out) {
    const float to_integer = 0x1.8p23f;
    const uint32_t to_integer_bits = 0x4B400000u;
    for (size_t i = 0; i < n; i++) {
        float d = x[i] - shift;
        float v = d > -86.6f ? d : -86.6f; /* 2^-125: everything below is dropped */
        float t = v * 0x1.715476p0f + to_integer;
        float k = t - to_integer;
        float r = (v - k * 0x1.63p-1f) + k * 0x1.bd0106p-13f;
        float sum = 1.0f / 5040.0f;
        sum = sum * r + 1.0f / 720.0f;
        sum = sum * r + 1.0f / 120.0f;
        sum = sum * r + 1.0f / 24.0f;
        sum = sum * r + 1.0f / 6.0f;
        sum = sum * r + 0.5f;
        sum = 1.0f + (r + r * r * sum);
        uint32_t bits;
        memcpy(&bits, &t, sizeof bits);
        bits = (bits - to_integer_bits + 127u) << 23;
        float scale;
        memcpy(&scale, &bits, sizeof scale);
        out[i] = d > -86.6f ? sum * scale : 0.0f;
    }
}

double lm_sum_floats(const float *x, size_t n) {
    double lane[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++) lane[j] += x[i + j];
    for (; i < n; i++) lane[i % 8] += x[i];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

void lm_random_seed(lm_random *random, uint32_t seed) {
    random->state[0] = seed;
    for (uint32_t i = 1; i < 624; i++)
        random->state[i] = 1812433253u * (random->state[i - 1] ^ (random->state[i - 1] >> 30)) + i;
    random->next = 624;
}

static void refill(lm_random *random) {
    uint32_t *s = random->state;
    for (uint32_t i = 0; i < 624; i++) {
        uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % 624] & 0x7FFFFFFFu);
        s[i] = s[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908B0DFu : 0);
    }
    random->next = 0;
}

uint32_t lm_random_word(lm_random *random) {
    if (random->next >= 624) refill(random);
    uint32_t y = random->state[random->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9D2C5680u;
    y ^= (y << 15) & 0xEFC60000u;
    return y ^ (y >> 18);
}

double lm_random_double(lm_random *random) {
    double low = lm_random_word(random);
    double high = lm_random_word(random);
    double value = (low + high * 0x1p32) * 0x1p-64;
    return value < 1.0 ? value : 1.0 - 0x1p-53;
}

float lm_random_float(lm_random *random) {
    float value = (float)lm_random_word(random) * 0x1p-32f;
    return value < 1.0f ? value : 1.0f - 0x1p-24f;
}
