/* SPDX-License-Identifier: MIT */
/**
 * The numbers of the element types a tensor can have, for people who look at tensors or write a backend.
 *
 * A quantised type stores blocks of consecutive values of a row: 32 or 256 values with their scales, so a row's length is
 * a multiple of the block. The numbers are those of GGUF files; retired ones are never reused and stay listed. The layout
 * of each block and the exact value of each element are drawn in kernels/blocks.h of the sources.
 *
 *     if (tensor_type == LM_DTYPE_F16 || tensor_type == LM_DTYPE_BF16) bytes = 2 * n_elements;
 */
#ifndef LM_DTYPE_H
#define LM_DTYPE_H

/** Element types. Comments: values per block / bytes per block, what a block holds. */
typedef enum lm_dtype {
    LM_DTYPE_F32 = 0,     /* 1 / 4      IEEE binary32 */
    LM_DTYPE_F16 = 1,     /* 1 / 2      IEEE binary16 */
    LM_DTYPE_Q4_0 = 2,    /* 32 / 18    4-bit, scale */
    LM_DTYPE_Q4_1 = 3,    /* 32 / 20    4-bit, scale and minimum */
                          /* 4, 5       retired Q4_2, Q4_3 */
    LM_DTYPE_Q5_0 = 6,    /* 32 / 22    5-bit, scale */
    LM_DTYPE_Q5_1 = 7,    /* 32 / 24    5-bit, scale and minimum */
    LM_DTYPE_Q8_0 = 8,    /* 32 / 34    8-bit, scale */
    LM_DTYPE_Q8_1 = 9,    /* 32 / 36    8-bit, scale and sum: activations only */
    LM_DTYPE_Q2K = 10,    /* 256 / 84   2-bit, 16 sub-blocks with scale and minimum */
    LM_DTYPE_Q3K = 11,    /* 256 / 110  3-bit, 16 sub-blocks with scale */
    LM_DTYPE_Q4K = 12,    /* 256 / 144  4-bit, 8 sub-blocks with scale and minimum */
    LM_DTYPE_Q5K = 13,    /* 256 / 176  5-bit, 8 sub-blocks with scale and minimum */
    LM_DTYPE_Q6K = 14,    /* 256 / 210  6-bit, 16 sub-blocks with scale */
    LM_DTYPE_Q8K = 15,    /* 256 / 292  8-bit, f32 scale and sums: activations only */
    LM_DTYPE_IQ2XXS = 16, /* 256 / 66   codebook of 8 values, packed signs */
    LM_DTYPE_IQ2XS = 17,  /* 256 / 74   codebook of 8 values, packed signs */
    LM_DTYPE_IQ3XXS = 18, /* 256 / 98   codebook of 4 values, packed signs */
    LM_DTYPE_IQ1S = 19,   /* 256 / 50   ternary codebook of 8 values */
    LM_DTYPE_IQ4NL = 20,  /* 32 / 18    4-bit, non-linear levels */
    LM_DTYPE_IQ3S = 21,   /* 256 / 110  codebook of 4 values, explicit signs */
    LM_DTYPE_IQ2S = 22,   /* 256 / 82   codebook of 8 values, explicit signs */
    LM_DTYPE_IQ4XS = 23,  /* 256 / 136  4-bit, non-linear levels, 8 sub-blocks with scale */
    LM_DTYPE_I8 = 24,     /* 1 / 1      integers, two's complement */
    LM_DTYPE_I16 = 25,    /* 1 / 2 */
    LM_DTYPE_I32 = 26,    /* 1 / 4 */
    LM_DTYPE_I64 = 27,    /* 1 / 8 */
    LM_DTYPE_F64 = 28,    /* 1 / 8      IEEE binary64 */
    LM_DTYPE_IQ1M = 29,   /* 256 / 56   ternary codebook of 8 values, 16 sub-blocks with scale */
    LM_DTYPE_BF16 = 30,   /* 1 / 2      upper half of a binary32 */
                          /* 31..33     retired Q4_0_4_4, Q4_0_4_8, Q4_0_8_8 */
    LM_DTYPE_TQ1_0 = 34,  /* 256 / 54   ternary, five per byte */
    LM_DTYPE_TQ2_0 = 35,  /* 256 / 66   ternary, four per byte */
                          /* 36..38     retired IQ4_NL_4_4, IQ4_NL_4_8, IQ4_NL_8_8 */
    LM_DTYPE_MXFP4 = 39,  /* 32 / 17    E2M1 floats, power-of-two scale */
    LM_DTYPE_NVFP4 = 40,  /* 64 / 36    E2M1 floats, four UE4M3 scales */
    LM_DTYPE_Q1_0 = 41,   /* 128 / 18   signs and a scale */
    LM_DTYPE_Q2_0 = 42,   /* 64 / 18    levels -1, 0, 1, 2 and a scale */
    LM_DTYPE_COUNT = 43   /* one past the largest number; grows */
} lm_dtype;

#endif
