/* SPDX-License-Identifier: MIT
 * Decode kernels at level dotprod: sdot adds four products to each int32. */
#include "arm.h"

#if defined(LM_HAVE_ARM)
LM_EXACT_FLOATS
LM_TARGET_BEGIN(LM_ARM_DOTPROD)

LM_INLINE int32x4_t dot16(int32x4_t acc, int8x16_t x, int8x16_t a) {
    __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(x), "w"(a));
    return acc;
}
#define MATVEC(name) lm_matvec_##name##_dotprod
#include "matvec_neon_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
