/* SPDX-License-Identifier: MIT
 * Natural numbers of bounded size, just enough for exact conversion between decimal and binary (number.c). Inside of
 * lib/base: other rooms use number.h. Callers keep values below 2^(32 * LM_BIGINT_LIMBS); the bounds are derived where
 * they are used. */
#ifndef LM_BASE_BIGINT_H
#define LM_BASE_BIGINT_H

#include <stdint.h>

#define LM_BIGINT_LIMBS 136

typedef struct lm_bigint {
    int32_t n; /* limbs in use; the topmost is not zero; 0 for the value 0 */
    uint32_t limb[LM_BIGINT_LIMBS];
} lm_bigint;

void lm_bigint_set(lm_bigint *a, uint64_t value);
/* a = a * factor + addend */
void lm_bigint_multiply_add(lm_bigint *a, uint32_t factor, uint32_t addend);
void lm_bigint_multiply_pow10(lm_bigint *a, int32_t exponent);
void lm_bigint_shift_left(lm_bigint *a, int32_t bits);
/* a = a + b; a = a - b for a >= b */
void lm_bigint_add(lm_bigint *a, const lm_bigint *b);
void lm_bigint_subtract(lm_bigint *a, const lm_bigint *b);
/* The sign of a - b. */
int lm_bigint_compare(const lm_bigint *a, const lm_bigint *b);
/* Number of bits up to the highest set one. */
int32_t lm_bigint_bits(const lm_bigint *a);

#endif
