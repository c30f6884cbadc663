/* SPDX-License-Identifier: MIT
 * The float kernels of lanes/ on NEON, which every 64-bit Arm processor has. */
#include "../cpu.h"

#if defined(LM_HAVE_ARM)
#include <arm_neon.h>

#include "../blocks.h"
#include "../float_kernels.h"

LM_EXACT_FLOATS

#include "lanes_neon.h"
#include "../lanes/lanes.h"
#include "../lanes/rows_lanes.h"
#include "../lanes/cache_lanes.h"
#include "../lanes/attend_lanes.h"
#include "../lanes/recurrent_lanes.h"
#include "../lanes/matmul_lanes.h"
#include "../lanes/quantize_lanes.h"

void lm_kernels_float_arm(lm_kernels *kernels, int32_t level) {
    if (level < LM_CPU_NEON) return;
    rows_fill(kernels);
    cache_fill(kernels);
    attend_fill(kernels);
    recurrent_fill(kernels);
    matmul_fill(kernels);
    quantize_fill(kernels);
}

#endif
