/* SPDX-License-Identifier: MIT
 * exp, log, pow, sin and cos from fma-only polynomials. log carries a correction term so that pow keeps its last digits. */
#include "fp_contract.h"

#include "real.h"

#include "real_fma.h"

#define LN2_HIGH 0x1.62e42fefa39efp-1
#define LN2_LOW 0x1.abc9e3b39803fp-56

static double power_of_two(int n) { /* -1022 <= n <= 1023 */
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* e^(x + low) with |low| far below the last place of x. */
static double exp_sum(double x, double low) {
    if (isnan(x)) return x;
    if (x > 709.8) return INFINITY;
    if (x < -745.2) return 0;
    double n = floor(x * 0x1.71547652b82fep0 + 0.5);
    double r = fma(-n, LN2_LOW, fma(-n, LN2_HIGH, x)) + low;
    /* Taylor series to r^13: |r| <= ln2/2 leaves a relative error below 2^-56. */
    double p = 1.0 / 6227020800;
    static const double inverse_factorials[] = {
        1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
        1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5};
    for (int i = 0; i < 11; i++) p = fma(p, r, inverse_factorials[i]);
    p = fma(p * r, r, r) + 1;
    int e = (int)n, half = e / 2; /* in two steps, so that subnormal results round once */
    return p * power_of_two(half) * power_of_two(e - half);
}

double lm_real_exp(double x) { return exp_sum(x, 0); }

/* log(x) = high + low for x > 0 finite. */
static double log_parts(double x, double *low) {
    int e = 0;
    if (x < 0x1p-1022) x *= 0x1p54, e = -54;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    e += (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) m *= 0.5, e++;
    /* log m = 2 atanh(s), s = (m - 1) / (m + 1); s is kept with its rounding error. */
    double top = m - 1, bottom = m + 1, s = top / bottom;
    double s_low = (fma(-s, bottom, top) - s * ((m - (bottom - 1)))) / bottom;
    double s2 = s * s, p = 1.0 / 23;
    for (int k = 21; k >= 3; k -= 2) p = fma(p, s2, 1.0 / k);
    double tail = 2 * s * s2 * p;
    double head = 2 * s, n = e;
    double high = fma(n, LN2_HIGH, head);
    double sum_low = fma(n, LN2_HIGH, -high) + head; /* what rounding high lost */
    double rest = sum_low + fma(n, LN2_LOW, tail + 2 * s_low);
    double total = high + rest;
    *low = high - total + rest;
    return total;
}

double lm_real_log(double x) {
    if (isnan(x) || x < 0) return NAN;
    if (x == 0) return -INFINITY;
    if (isinf(x)) return x;
    double low;
    return log_parts(x, &low);
}

double lm_real_pow(double base, double exponent) {
    if (exponent == 0 || base == 1) return 1;
    if (!(base > 0) || isinf(base))
        return base > 0 ? (exponent > 0 ? INFINITY : 0) : base == 0 ? (exponent > 0 ? 0 : INFINITY) : NAN;
    double low, high = log_parts(base, &low);
    double product = exponent * high;
    return exp_sum(product, fma(exponent, high, -product) + exponent * low);
}

/* Taylor series on |r| <= pi/4; the next term is below 2^-57. */
static double sin_kernel(double r) {
    double r2 = r * r, p = -1.0 / 1307674368000;
    static const double c[] = {1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6};
    for (int i = 0; i < 6; i++) p = fma(p, r2, c[i]);
    return fma(p * r2, r, r);
}

static double cos_kernel(double r) {
    double r2 = r * r, p = 1.0 / 20922789888000;
    static const double c[] = {
        -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -0.5};
    for (int i = 0; i < 7; i++) p = fma(p, r2, c[i]);
    return fma(p, r2, 1.0);
}

void lm_real_sin_cos(double x, double *sine, double *cosine) {
    /* pi/2 in three parts: n * part is exact enough for |n| < 2^30 because fma rounds once. */
    double n = floor(x * 0x1.45f306dc9c883p-1 + 0.5);
    double r = fma(-n, 0x1.921fb54442d18p0, x);
    r = fma(-n, 0x1.1a62633145c07p-54, r);
    r = fma(-n, -0x1.f1976b7ed8fbcp-110, r);
    double s = sin_kernel(r), c = cos_kernel(r);
    switch ((int64_t)n & 3) {
    case 0: *sine = s, *cosine = c; break;
    case 1: *sine = c, *cosine = -s; break;
    case 2: *sine = -s, *cosine = -c; break;
    default: *sine = -c, *cosine = s; break;
    }
}
