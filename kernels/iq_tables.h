/* SPDX-License-Identifier: MIT
 * The codebooks, sign bytes and value levels of the IQ and FP4 block types (blocks.h says how they are used). */
#ifndef LM_KERNELS_IQ_TABLES_H
#define LM_KERNELS_IQ_TABLES_H

#include <stdint.h>

/* Magnitudes of 8 or 4 consecutive elements. */
extern const uint8_t lm_iq2xxs_grid[256][8], lm_iq2xs_grid[512][8], lm_iq2s_grid[1024][8]; /* 8, 25, 43 */
extern const uint8_t lm_iq3xxs_grid[256][4];                                               /* 4, 12, 20, ..., 52, 62 */
extern const uint8_t lm_iq3s_grid[512][4];                                                 /* 1, 3, ..., 15 */
extern const int8_t lm_iq1s_grid[2048][8];                                                 /* -1, 0, 1 */
/* Sign byte of a 7-bit sign index: bit 7 makes the number of ones even. */
extern const uint8_t lm_iq_signs[128];
extern const int8_t lm_iq4nl_levels[16];
extern const int8_t lm_fp4_levels[16]; /* E2M1 values, doubled */

#endif
