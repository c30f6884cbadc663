/* SPDX-License-Identifier: MIT
 * Reference of attention over cache pages, row by row and token by token as the contract in kernels.h says it. Any type of
 * cache is read through the cache's own get. */
#include "../kernels.h"
#include "../rows.h"
#include "../fmath.h"

LM_EXACT_FLOATS

size_t lm_attend_work_bytes(int32_t k_width, int32_t v_width, int32_t n_q) {
    /* One page of K and of V as floats, then scores, factor and visible run of each row; all lines of 64 bytes. */
    size_t rows = ((size_t)n_q + 15) / 16 * 16;
    size_t columns = (size_t)k_width + ((size_t)v_width + 63) / 64 * 64;
    return columns * LM_PAGE_TOKENS * sizeof(float) + rows * (LM_PAGE_TOKENS + 3) * sizeof(float);
}

typedef struct state {
    float *o, *m, *l;
} state;

/* keys [64][k_width], values [64][v_width]; the row sees tokens [first, end). */
static void attend_page(const lm_attend_args *args, const float *q, int32_t first, int32_t end, const float *keys,
                        const float *values, state row) {
    float s[LM_PAGE_TOKENS] = {0}, top = *row.m, lane[16] = {0};
    for (int32_t j = first; j < end; j++) {
        for (int32_t i = 0; i < args->k_width; i++) s[j] = fmaf(q[i], keys[(size_t)j * args->k_width + i], s[j]);
        s[j] *= args->scale;
        if (args->softcap != 0.0f) s[j] = args->softcap * lm_tanh(s[j] / args->softcap);
        if (s[j] > top) top = s[j];
    }
    top += 0.0f; /* -0 and +0 are one maximum */
    float c = *row.m == -INFINITY ? 0.0f : lm_exp(*row.m - top);
    for (int32_t j = 0; j < LM_PAGE_TOKENS; j++) {
        s[j] = j >= first && j < end ? lm_exp(s[j] - top) : 0.0f;
        lane[j % 16] += s[j];
    }
    *row.l = fmaf(*row.l, c, lm_fold_lanes(lane));
    *row.m = top;
    for (int32_t e = 0; e < args->v_width; e++) {
        row.o[e] *= c;
        for (int32_t j = first; j < end; j++) row.o[e] = fmaf(s[j], values[(size_t)j * args->v_width + e], row.o[e]);
    }
}

static void attend_c(const lm_attend_args *args) {
    lm_kernels cache;
    lm_cache_generic(&cache);
    float *keys = args->work, *values = keys + (size_t)args->k_width * LM_PAGE_TOKENS;
    for (int32_t r = 0; r < args->n_q; r++) {
        args->m[r] = -INFINITY;
        args->l[r] = 0.0f;
        for (int32_t e = 0; e < args->v_width; e++) args->o[r * args->o_stride + e] = 0.0f;
    }
    for (int32_t page = 0; page < args->n_pages; page++) {
        for (int32_t j = 0; args->k_pages[page] && j < LM_PAGE_TOKENS; j++) {
            float *key = keys + (size_t)j * args->k_width, *value = values + (size_t)j * args->v_width;
            cache.cache_get_k(args->k_type, args->k_pages[page], args->k_width, j, key);
            if (args->v_from_k)
                memcpy(value, key, (size_t)args->v_width * sizeof *value);
            else
                cache.cache_get_v(args->v_type, args->v_pages[page], args->v_width, j, value);
        }
        for (int32_t r = 0; r < args->n_q; r++) {
            int32_t first, end;
            if (!lm_attend_visible(args, args->q_pos[r], args->first_page + page, &first, &end)) continue;
            attend_page(args, args->q + r * args->q_stride, first, end, keys, values,
                        (state){args->o + r * args->o_stride, args->m + r, args->l + r});
        }
    }
}

static void attend_merge_c(float *o, float *m, float *l, const float *o2, float m2, float l2, int32_t v_width) {
    float top = m2 > *m ? m2 : *m;
    float a = *m == -INFINITY ? 0.0f : lm_exp(*m - top), b = m2 == -INFINITY ? 0.0f : lm_exp(m2 - top);
    for (int32_t e = 0; e < v_width; e++) o[e] = fmaf(o2[e], b, o[e] * a);
    *l = fmaf(l2, b, *l * a);
    *m = top;
}

static void attend_finish_c(const float *o, float m, float l, const float *sink, int32_t v_width, float *y) {
    float a = 1.0f;
    if (sink) {
        float top = *sink > m ? *sink : m;
        a = m == -INFINITY ? 0.0f : lm_exp(m - top);
        l = fmaf(l, a, lm_exp(*sink - top));
    }
    float r = l == 0.0f ? 0.0f : 1.0f / l;
    for (int32_t e = 0; e < v_width; e++) y[e] = o[e] * a * r;
}

void lm_attend_generic(lm_kernels *k) {
    k->attend = attend_c;
    k->attend_merge = attend_merge_c;
    k->attend_finish = attend_finish_c;
}
