/* SPDX-License-Identifier: MIT
 * What the files of the float kernels share (norms and other work on rows, cache, attention, recurrence): who fills which slots, the
 * fold of sixteen lanes, and the part of a page a query row sees. Private to kernels/. */
#ifndef LM_KERNELS_FLOAT_KERNELS_H
#define LM_KERNELS_FLOAT_KERNELS_H

#include "kernels.h"
#include "fmath.h"

/* All slots after the matrix products, in C: the four below. */
void lm_kernels_float_generic(lm_kernels *kernels);
void lm_rows_generic(lm_kernels *kernels);
void lm_cache_generic(lm_kernels *kernels);
void lm_attend_generic(lm_kernels *kernels);
void lm_recurrent_generic(lm_kernels *kernels);
/* What the levels up to this one do better. */
void lm_kernels_float_x86(lm_kernels *kernels, int32_t level);
void lm_kernels_float_arm(lm_kernels *kernels, int32_t level);
void lm_float_avx2(lm_kernels *kernels);
void lm_float_avx512(lm_kernels *kernels);
/* The slots of the machine's limits. */
void lm_limits_generic(lm_kernels *kernels);
void lm_limits_x86(lm_kernels *kernels, int32_t level);

/* References that others fall back to. */
lm_cache_put_fn lm_cache_put_k_c, lm_cache_put_v_c;
lm_cache_get_fn lm_cache_get_k_c, lm_cache_get_v_c;
lm_short_conv_fn lm_short_conv_c;

/* The end of lanes(n): sixteen partial results to one. */
static inline float lm_fold_lanes(float *lane) {
    for (int32_t half = 8; half > 0; half /= 2)
        for (int32_t i = 0; i < half; i++) lane[i] += lane[i + half];
    return lane[0];
}

/* An activation other than OAI of one value; others give x. */
float lm_act_one(int32_t act, float x);

/* The tokens [*first, *end) of page number page, counted from its start, that a row at position pos sees: always one run.
 * False when there are none. */
static inline int32_t lm_attend_visible(const lm_attend_args *args, int64_t pos, int64_t page, int32_t *first,
                                        int32_t *end) {
    int64_t low = 0, high = args->n_kv; /* visible positions [low, high) */
    if (args->causal) {
        if (high > pos + 1) high = pos + 1;
        if (args->window > 0) low = pos - args->window + 1;
    } else if (args->window > 0) {
        if (high > pos + args->window / 2 + 1) high = pos + args->window / 2 + 1;
        low = pos - args->window / 2;
    }
    low -= page * LM_PAGE_TOKENS;
    high -= page * LM_PAGE_TOKENS;
    *first = (int32_t)(low < 0 ? 0 : low > LM_PAGE_TOKENS ? LM_PAGE_TOKENS : low);
    *end = (int32_t)(high < 0 ? 0 : high > LM_PAGE_TOKENS ? LM_PAGE_TOKENS : high);
    return *first < *end;
}

#endif
