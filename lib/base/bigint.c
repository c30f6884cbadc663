/* SPDX-License-Identifier: MIT
 * Schoolbook arithmetic on little-endian limbs of 32 bits. */
#include "bigint.h"

#include <string.h>

static void trim(lm_bigint *a) {
    while (a->n > 0 && a->limb[a->n - 1] == 0) a->n--;
}

void lm_bigint_set(lm_bigint *a, uint64_t value) {
    a->limb[0] = (uint32_t)value;
    a->limb[1] = (uint32_t)(value >> 32);
    a->n = 2;
    trim(a);
}

/* The bounds in number.c keep this from happening; a limb that does not fit is dropped rather than written outside. */
static void push(lm_bigint *a, uint32_t limb) {
    if (limb && a->n < LM_BIGINT_LIMBS) a->limb[a->n++] = limb;
}

void lm_bigint_multiply_add(lm_bigint *a, uint32_t factor, uint32_t addend) {
    uint64_t carry = addend;
    for (int32_t i = 0; i < a->n; i++) {
        carry += (uint64_t)a->limb[i] * factor;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    push(a, (uint32_t)carry);
}

void lm_bigint_multiply_pow10(lm_bigint *a, int32_t exponent) {
    static const uint32_t small[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    for (; exponent >= 9; exponent -= 9) lm_bigint_multiply_add(a, 1000000000, 0);
    if (exponent > 0) lm_bigint_multiply_add(a, small[exponent], 0);
}

void lm_bigint_shift_left(lm_bigint *a, int32_t bits) {
    int32_t limbs = bits / 32, rest = bits % 32;
    if (a->n == 0 || limbs >= LM_BIGINT_LIMBS) return;
    if (rest > 0) {
        uint32_t carry = 0;
        for (int32_t i = 0; i < a->n; i++) {
            uint32_t limb = a->limb[i];
            a->limb[i] = limb << rest | carry;
            carry = limb >> (32 - rest);
        }
        push(a, carry);
    }
    if (limbs > 0) {
        int32_t kept = a->n < LM_BIGINT_LIMBS - limbs ? a->n : LM_BIGINT_LIMBS - limbs;
        memmove(a->limb + limbs, a->limb, (size_t)kept * sizeof *a->limb);
        memset(a->limb, 0, (size_t)limbs * sizeof *a->limb);
        a->n = kept + limbs;
    }
}

void lm_bigint_add(lm_bigint *a, const lm_bigint *b) {
    uint64_t carry = 0;
    while (a->n < b->n) a->limb[a->n++] = 0;
    for (int32_t i = 0; i < a->n; i++) {
        carry += (uint64_t)a->limb[i] + (i < b->n ? b->limb[i] : 0);
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    push(a, (uint32_t)carry);
}

void lm_bigint_subtract(lm_bigint *a, const lm_bigint *b) {
    uint32_t borrow = 0;
    for (int32_t i = 0; i < a->n; i++) {
        uint64_t taken = (uint64_t)(i < b->n ? b->limb[i] : 0) + borrow;
        borrow = a->limb[i] < taken;
        a->limb[i] = (uint32_t)(a->limb[i] - taken);
    }
    trim(a);
}

int lm_bigint_compare(const lm_bigint *a, const lm_bigint *b) {
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    for (int32_t i = a->n - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

int32_t lm_bigint_bits(const lm_bigint *a) {
    if (a->n == 0) return 0;
    int32_t bits = 32 * (a->n - 1);
    for (uint32_t top = a->limb[a->n - 1]; top; top >>= 1) bits++;
    return bits;
}
