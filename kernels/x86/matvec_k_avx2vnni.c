/* SPDX-License-Identifier: MIT
 * Decode kernels of the types of 256 weights at level avx2vnni: matvec_k_body.h over vec256.h. */
#include "x86.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx2,avxvnni,f16c,fma")
#define HAVE_VNNI 1
#define COMMON_TYPES_ONLY /* and one column: see x86.h */
#include "vec256.h"
#include "codes_k.h"
#define MATVEC(name) lm_matvec_##name##_avx2vnni
#include "matvec_k_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
