/* SPDX-License-Identifier: MIT
 * Whether blocks hold only finite numbers: plain floats are looked at one by one, in quantised blocks the scales decide. Index
 * and sign bytes need no check, since every bit pattern points inside its codebook. */
#include "dtype.h"

#include "../../kernels/blocks.h"

#define NONE 0xFFFF

/* Where the f16 scales of a block are. */
typedef struct scale_places {
    uint16_t first, second;
} scale_places;

static scale_places places_of(int32_t dtype) {
    switch (dtype) {
    case LM_DTYPE_F16:
    case LM_DTYPE_Q4_0:
    case LM_DTYPE_Q5_0:
    case LM_DTYPE_Q8_0:
    case LM_DTYPE_Q1_0:
    case LM_DTYPE_Q2_0:
    case LM_DTYPE_IQ4NL:
    case LM_DTYPE_IQ4XS:
    case LM_DTYPE_IQ2XXS:
    case LM_DTYPE_IQ2XS:
    case LM_DTYPE_IQ2S:
    case LM_DTYPE_IQ3XXS:
    case LM_DTYPE_IQ3S:
    case LM_DTYPE_IQ1S: return (scale_places){0, NONE};
    case LM_DTYPE_Q4_1:
    case LM_DTYPE_Q5_1:
    case LM_DTYPE_Q8_1:
    case LM_DTYPE_Q4K:
    case LM_DTYPE_Q5K: return (scale_places){0, 2};
    case LM_DTYPE_Q2K: return (scale_places){offsetof(lm_block_q2k, d), offsetof(lm_block_q2k, dmin)};
    case LM_DTYPE_Q3K: return (scale_places){offsetof(lm_block_q3k, d), NONE};
    case LM_DTYPE_Q6K: return (scale_places){offsetof(lm_block_q6k, d), NONE};
    case LM_DTYPE_TQ1_0: return (scale_places){offsetof(lm_block_tq1_0, d), NONE};
    case LM_DTYPE_TQ2_0: return (scale_places){offsetof(lm_block_tq2_0, d), NONE};
    default: return (scale_places){NONE, NONE};
    }
}

/* The exponent field of an f16 at p is not all ones; the upper byte holds it. */
static bool half_is_finite(const uint8_t *p) { return (p[1] & 0x7C) != 0x7C; }

static bool block_is_finite(int32_t dtype, const uint8_t *b, scale_places places) {
    switch (dtype) {
    case LM_DTYPE_F32:
    case LM_DTYPE_Q8K: return (b[3] & 0x7F) != 0x7F || !(b[2] & 0x80);
    case LM_DTYPE_BF16: return (b[1] & 0x7F) != 0x7F || !(b[0] & 0x80);
    case LM_DTYPE_F64: return (b[7] & 0x7F) != 0x7F || (b[6] & 0xF0) != 0xF0;
    case LM_DTYPE_MXFP4: return b[0] != 0xFF;
    case LM_DTYPE_IQ1M: {
        /* Bits 10 to 14 of the scattered scale: the top two of word 2's nibble, the low three of word 3's. */
        const uint8_t *s = b + offsetof(lm_block_iq1m, scales);
        return !(s[5] >> 6 == 3 && (s[7] >> 4 & 7) == 7);
    }
    default:
        return (places.first == NONE || half_is_finite(b + places.first)) &&
               (places.second == NONE || half_is_finite(b + places.second));
    }
}

bool lm_dtype_blocks_are_finite(int32_t dtype, const void *blocks, size_t n) {
    const lm_dtype_info *info = lm_dtype_find(dtype);
    if (!info) return false;
    const uint8_t *b = blocks;
    scale_places places = places_of(dtype);
    for (size_t i = 0; i < n / info->block_values; i++)
        if (!block_is_finite(dtype, b + i * info->block_bytes, places)) return false;
    return true;
}
