/* SPDX-License-Identifier: MIT
 * Decode kernels of the types of 256 weights at level avx512vnni: matvec_k_body.h over vec512.h. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,f16c,fma")

#include "vec512.h"
#include "codes_k.h"
#define MATVEC(name) lm_matvec_##name##_avx512vnni
#include "matvec_k_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
