/* SPDX-License-Identifier: MIT
 * Decode kernels of the types of 256 weights at level avx2: matvec_k_body.h over vec256.h. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx2,f16c,fma")
#define HAVE_VNNI 0
#include "vec256.h"
#include "codes_k.h"
#define MATVEC(name) lm_matvec_##name##_avx2
#include "matvec_k_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
