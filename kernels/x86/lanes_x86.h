/* SPDX-License-Identifier: MIT
 * What both x86 sets of lanes share. */
#ifndef LM_KERNELS_LANES_X86_H
#define LM_KERNELS_LANES_X86_H

LM_INLINE float load_f16(const uint8_t *x) { return _cvtsh_ss(lm_load_u16(x)); }

#endif
