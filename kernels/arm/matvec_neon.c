/* SPDX-License-Identifier: MIT
 * Decode kernels of every 64-bit Arm processor: products widened to int16, two of them added there (2 * 128 * 127 = 32512), then
 * pairwise into int32. */
#include "arm.h"

#if defined(LM_HAVE_ARM)
LM_EXACT_FLOATS

LM_INLINE int32x4_t dot16(int32x4_t acc, int8x16_t x, int8x16_t a) {
    return vpadalq_s16(acc, vmlal_high_s8(vmull_s8(vget_low_s8(x), vget_low_s8(a)), x, a));
}
#define ONE_COLUMN
#define MATVEC(name) lm_matvec_##name##_neon
#include "matvec_neon_body.h"
#else
typedef int lm_nothing_here;
#endif
