/* SPDX-License-Identifier: MIT
 * What the codebook quantisers (IQ1, IQ2, IQ3) look up: for every point of the coordinate grid its codebook index or, when it
 * is not in the codebook, the few entries next to it. Built once per codebook by the caller, read-only afterwards.
 *
 * A coordinate is a level number 0 .. n_levels-1; a point of `group` coordinates has the number sum of level[j] * n_levels^j. */
#ifndef LM_KERNELS_IQ_SEARCH_H
#define LM_KERNELS_IQ_SEARCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct lm_iq_search {
    int32_t n_levels, group, n_entries, n_points;
    const int32_t *map;    /* [n_points]: codebook index, or ~place of the point's list */
    const uint16_t *lists; /* count, then that many codebook indices, nearest first */
    const uint8_t *levels; /* [n_entries][group] */
} lm_iq_search;

#endif
