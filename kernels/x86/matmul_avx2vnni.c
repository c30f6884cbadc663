/* SPDX-License-Identifier: MIT
 * Prefill at level avx2vnni: the flat panels of matmul_body.h with 256-bit vectors, unpacked by level avx2. */
#include "matmul_form.h"

#if defined(LM_HAVE_X86)
#include "../blocks.h"

LM_TARGET_BEGIN("avx2,avxvnni,f16c,fma")
#define HAVE_VNNI 1
#include "vec256.h"
#include "codes_simple.h"
#include "codes_k.h"
#define MATVEC(name) lm_matvec_##name##_avx2 /* every type has one */
#define MATMUL_LEVEL lm_matmul_avx2vnni
#include "matmul_body.h"
#define UNPACKED BORROWED
#include "matmul_256_body.h"
LM_TARGET_END
#else
typedef int lm_nothing_here;
#endif
