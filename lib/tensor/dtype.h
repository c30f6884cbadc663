/* SPDX-License-Identifier: MIT
 * The table of element types: one row per type, and the size arithmetic of rows and tensors. Everything that depends on a type
 * asks here, so a new format is one row (and its block in kernels/blocks.h). */
#ifndef LM_TENSOR_DTYPE_H
#define LM_TENSOR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lm/dtype.h>

#include "../../kernels/blocks.h"

enum lm_dtype_class {
    LM_DTYPE_CLASS_FLOAT = 1,     /* one IEEE-like number per element */
    LM_DTYPE_CLASS_INTEGER = 2,   /* one integer per element */
    LM_DTYPE_CLASS_QUANTISED = 3, /* blocks with scales */
    LM_DTYPE_CLASS_ACTIVATION =
        4 /* blocks that engines make at run time; not expected in files, readable all the same */
};

typedef struct lm_dtype_info {
    const char *name;      /* as GGUF tools print it: "q4_K" */
    uint32_t block_values; /* values per block, 1 for plain types */
    uint32_t block_bytes;
    uint32_t class;               /* enum lm_dtype_class */
    lm_dequantize_fn *dequantize; /* exact; blocks need no alignment */
} lm_dtype_info;

/* The row of a type; NULL for every number that is not a usable type. */
const lm_dtype_info *lm_dtype_find(int64_t dtype);
/* Why lm_dtype_find gives NULL: a retired type, another engine's type, or unknown. Static string, never NULL. */
const char *lm_dtype_refusal(int64_t dtype);
/* The type called name (any letter case, n bytes): its number, or -1. */
int32_t lm_dtype_by_name(const char *name, size_t n);

/* Bytes of a row of n values: false when the type is unknown, n is negative or no multiple of the block, or the size overflows. */
bool lm_dtype_row_bytes(int32_t dtype, int64_t n, uint64_t *bytes);
/* Number of elements of a tensor, and its bytes; every dims[i] > 0. False on overflow of 63 bits and as above. */
bool lm_dims_count(const int64_t dims[4], int64_t *count);
bool lm_dtype_tensor_bytes(int32_t dtype, const int64_t dims[4], uint64_t *bytes);

/* Whether n values in blocks are all finite (scales are, for quantised types). A check for files that are not trusted. */
bool lm_dtype_blocks_are_finite(int32_t dtype, const void *blocks, size_t n);

#endif
