/* SPDX-License-Identifier: MIT
 * The float kernels of lanes/ on AVX-512. */
#include "../cpu.h"

#if defined(LM_HAVE_X86)
#include <immintrin.h>

#include "../blocks.h"
#include "../float_kernels.h"

LM_EXACT_FLOATS
LM_TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")

#include "lanes_avx512.h"
#include "../lanes/lanes.h"
#include "../lanes/rows_lanes.h"
#include "../lanes/cache_lanes.h"
#include "../lanes/attend_lanes.h"
#include "../lanes/recurrent_lanes.h"
#include "../lanes/matmul_lanes.h"

void lm_float_avx512(lm_kernels *kernels) {
    rows_fill(kernels);
    cache_fill(kernels);
    attend_fill(kernels);
    recurrent_fill(kernels);
    matmul_fill(kernels);
}

LM_TARGET_END
#endif
