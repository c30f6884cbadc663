/* SPDX-License-Identifier: MIT
 * Double-precision functions whose results must not depend on the C library: rotary angles and sampling. Only +, -, *, /,
 * sqrt and fma are used, so every IEEE machine gives the same bits. Accurate to about one unit in the last place. */
#ifndef LM_BASE_REAL_H
#define LM_BASE_REAL_H

double lm_real_exp(double x);                     /* overflow gives infinity, underflow 0, NaN stays NaN */
double lm_real_log(double x);                     /* x > 0; 0 gives -infinity, negative NaN */
double lm_real_pow(double base, double exponent); /* base > 0, by exp(exponent * log(base)) in extended precision */
void lm_real_sin_cos(double x, double *sine, double *cosine); /* |x| < 2^30 */

#endif
