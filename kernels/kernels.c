/* SPDX-License-Identifier: MIT
 * Fill the kernel table: the C reference first, then every instruction set of the machine overrides what it does better. */
#include "kernels.h"

#include "generic/generic.h"
#include "arm/arm.h"
#include "float_kernels.h"
#include "x86/x86.h"

#include <string.h>

void lm_kernels_init(lm_kernels *kernels, int32_t level) {
    memset(kernels, 0, sizeof *kernels);
    kernels->level = level;
    lm_kernels_matmul_generic(kernels);
    lm_kernels_float_generic(kernels);
    lm_limits_generic(kernels);
#if defined(LM_HAVE_X86)
    lm_kernels_matmul_x86(kernels, level);
    lm_kernels_float_x86(kernels, level);
    lm_limits_x86(kernels, level);
#endif
#if defined(LM_HAVE_ARM)
    lm_kernels_matmul_arm(kernels, level);
    lm_kernels_float_arm(kernels, level);
#endif
}
