/* SPDX-License-Identifier: MIT
 * Decode kernels of the simple types at level avx512vnni: matvec_simple_body.h over vec512.h. */
#include "x86.h"

#if defined(LM_HAVE_X86)
LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,f16c,fma")

#include "vec512.h"
#include "codes_simple.h"
#define MATVEC(name) lm_matvec_##name##_avx512vnni
#include "matvec_simple_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
