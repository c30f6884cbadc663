/* SPDX-License-Identifier: MIT
 * The codebooks, sign bytes and value levels of the IQ and FP4 block types (blocks.h says how they are used). An entry names the
 * levels of consecutive elements by number: of 8 elements, element j in bits 2j and up; of 4, in bits 4j and up. */
#ifndef LM_KERNELS_IQ_TABLES_H
#define LM_KERNELS_IQ_TABLES_H

#include <stdint.h>

extern const uint16_t lm_iq2xxs_grid[256], lm_iq2xs_grid[512], lm_iq2s_grid[1024]; /* magnitudes 8, 25, 43 */
extern const uint16_t lm_iq3xxs_grid[256];                                         /* 4, 12, 20, ..., 52, 62 */
extern const uint16_t lm_iq3s_grid[512];                                           /* 1, 3, ..., 15 */
extern const uint16_t lm_iq1s_grid[2048];                                          /* values -1, 0, 1 */
/* Sign byte of a 7-bit sign index: bit 7 makes the number of ones even. */
extern const uint8_t lm_iq_signs[128];
extern const int8_t lm_iq4nl_levels[16];
extern const int8_t lm_fp4_levels[16]; /* E2M1 values, doubled */

/* The magnitudes of an entry, element j in byte j. */
static inline uint64_t lm_iq2_magnitudes(uint16_t entry) {
    uint64_t x = entry;
    x = (x | x << 24) & 0x000000ff000000ffu;
    x = (x | x << 12) & 0x000f000f000f000fu;
    x = (x | x << 6) & 0x0303030303030303u;
    return 17 * x + 0x0808080808080808u + (x >> 1 & 0x0101010101010101u);
}
static inline uint32_t lm_iq3_numbers(uint16_t entry) {
    uint32_t x = entry;
    x = (x | x << 8) & 0x00ff00ffu;
    return (x | x << 4) & 0x0f0f0f0fu;
}
static inline uint32_t lm_iq3xxs_magnitudes(uint16_t entry) {
    uint32_t x = lm_iq3_numbers(entry);
    return 8 * x + 0x04040404u + 2 * (x & x >> 1 & x >> 2 & 0x01010101u);
}
static inline uint32_t lm_iq3s_magnitudes(uint16_t entry) { return 2 * lm_iq3_numbers(entry) + 0x01010101u; }

#endif
