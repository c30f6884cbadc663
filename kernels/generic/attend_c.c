/* SPDX-License-Identifier: MIT
 * Reference of attention over cache pages, row by row and token by token as the contract in kernels.h says it. Any type of
 * cache is read through the cache's own get. */
#include "../kernels.h"
#include "../blocks.h"
#include "../float_kernels.h"
#include "../fmath.h"
#include "generic.h"

LM_EXACT_FLOATS

static int is_blocks(int32_t type) { return type == LM_BLOCK_Q8_0 || type == LM_BLOCK_Q4_0; }

size_t lm_attend_work_bytes(const lm_kernels *kernels, int32_t k_type, int32_t k_width, int32_t v_width, int32_t n_q) {
    /* One page of K and of V as floats, then scores, factor and visible run of each row; all lines of 64 bytes. */
    size_t rows = ((size_t)n_q + 15) / 16 * 16;
    size_t columns = (size_t)k_width + ((size_t)v_width + 63) / 64 * 64;
    size_t bytes = columns * LM_PAGE_TOKENS * sizeof(float) + rows * (LM_PAGE_TOKENS + 3) * sizeof(float);
    if (!is_blocks(k_type)) return bytes;
    const lm_weight_kernels *w = &kernels->weights[k_type]; /* and the rows as another operand of a product */
    bytes += lm_acts_bytes(LM_ACT_Q8_32, n_q, k_width);
    if (w->matmul) bytes += (w->pack_bytes(n_q, k_width) + 63) / 64 * 64 + w->matmul_work_bytes(n_q, k_width);
    return bytes;
}

/* What rows share: keys [64][k_width] and values [64][v_width] of a page as floats, of block types the values' codes; and the
 * rows themselves for products. */
typedef struct page {
    float *keys, *values;
    const uint8_t *k, *v;
    int32_t v_type;
    size_t v_row; /* bytes from token to token of a V part of blocks */
    lm_acts acts;
} page;

typedef struct state {
    float *o, *m, *l;
} state;

static size_t block_bytes(int32_t type) {
    return type == LM_BLOCK_Q8_0 ? sizeof(lm_block_q8_0) : sizeof(lm_block_q4_0);
}

static float score(const lm_attend_args *args, const page *p, int32_t r, int32_t j) {
    float s = 0.0f;
    if (is_blocks(args->k_type)) {
        size_t row = block_bytes(args->k_type) * (size_t)(args->k_width / 32);
        lm_matvec_fn *matvec = args->k_type == LM_BLOCK_Q8_0 ? lm_matvec_q8_0_c : lm_matvec_q4_0_c;
        matvec(p->k + (size_t)j * row, row, 1, &p->acts, r, 1, &s, 1);
        return s;
    }
    const float *q = args->q + (size_t)r * args->q_stride, *key = p->keys + (size_t)j * args->k_width;
    for (int32_t i = 0; i < args->k_width; i++) s = fmaf(q[i], key[i], s);
    return s;
}

/* Row r sees tokens [first, end) of the page. */
static void attend_row(const lm_attend_args *args, const page *p, int32_t r, int32_t first, int32_t end, state row) {
    float s[LM_PAGE_TOKENS] = {0}, weight[LM_PAGE_TOKENS], top = *row.m, lane[16] = {0};
    for (int32_t j = first; j < end; j++) {
        s[j] = score(args, p, r, j) * args->scale;
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
        for (int32_t j = first; e % 32 == 0 && j < end; j++) {
            const uint8_t *block = p->v + (size_t)j * p->v_row + (size_t)(e / 32) * block_bytes(p->v_type);
            weight[j] = is_blocks(p->v_type) ? s[j] * lm_load_f16(block) : s[j];
        }
        row.o[e] *= c;
        for (int32_t j = first; j < end; j++)
            row.o[e] = fmaf(weight[j], p->values[(size_t)j * args->v_width + e], row.o[e]);
    }
}

static float code_at(const page *p, int32_t j, int32_t e) {
    const uint8_t *block = p->v + (size_t)j * p->v_row + (size_t)(e / 32) * block_bytes(p->v_type);
    if (p->v_type == LM_BLOCK_Q8_0) return (float)((const lm_block_q8_0 *)block)->qs[e % 32];
    return (float)((((const lm_block_q4_0 *)block)->qs[e % 16] >> 4 * (e % 32 / 16) & 15) - 8);
}

static void get_page(const lm_attend_args *args, int32_t index, page *p) {
    p->k = args->k_pages[index], p->v = args->v_from_k ? p->k : args->v_pages[index];
    p->v_type = args->v_from_k ? args->k_type : args->v_type;
    p->v_row = block_bytes(p->v_type) * (size_t)((args->v_from_k ? args->k_width : args->v_width) / 32);
    for (int32_t j = 0; j < LM_PAGE_TOKENS; j++) {
        float *key = p->keys + (size_t)j * args->k_width, *value = p->values + (size_t)j * args->v_width;
        lm_cache_get_k_c(args->k_type, p->k, args->k_width, j, key);
        if (is_blocks(p->v_type))
            for (int32_t e = 0; e < args->v_width; e++) value[e] = code_at(p, j, e);
        else if (args->v_from_k)
            memcpy(value, key, (size_t)args->v_width * sizeof *value);
        else
            lm_cache_get_v_c(p->v_type, p->v, args->v_width, j, value);
    }
}

static void LM_KERNEL attend_c(const lm_attend_args *args) {
    size_t rows = ((size_t)args->n_q + 15) / 16 * 16;
    page p = {.keys = args->work};
    p.values = p.keys + (size_t)args->k_width * LM_PAGE_TOKENS;
    if (is_blocks(args->k_type)) {
        float *after = p.values + ((size_t)args->v_width + 63) / 64 * 64 * LM_PAGE_TOKENS + rows * (LM_PAGE_TOKENS + 3);
        lm_acts_bind(&p.acts, LM_ACT_Q8_32, args->n_q, args->k_width, after);
        for (int32_t r = 0; r < args->n_q; r++) lm_quantize_q8_32_c(&p.acts, r, args->q + (size_t)r * args->q_stride);
    }
    for (int32_t r = 0; r < args->n_q; r++) {
        args->m[r] = -INFINITY;
        args->l[r] = 0.0f;
        for (int32_t e = 0; e < args->v_width; e++) args->o[r * args->o_stride + e] = 0.0f;
    }
    for (int32_t index = 0; index < args->n_pages; index++) {
        if (args->k_pages[index]) get_page(args, index, &p);
        for (int32_t r = 0; r < args->n_q; r++) {
            int32_t first, end;
            if (!lm_attend_visible(args, args->q_pos[r], args->first_page + index, &first, &end)) continue;
            attend_row(args, &p, r, first, end, (state){args->o + r * args->o_stride, args->m + r, args->l + r});
        }
    }
}

static void LM_KERNEL attend_merge_c(float *o, float *m, float *l, const float *o2, float m2, float l2,
                                     int32_t v_width) {
    float top = m2 > *m ? m2 : *m;
    float a = *m == -INFINITY ? 0.0f : lm_exp(*m - top), b = m2 == -INFINITY ? 0.0f : lm_exp(m2 - top);
    for (int32_t e = 0; e < v_width; e++) o[e] = fmaf(o2[e], b, o[e] * a);
    *l = fmaf(l2, b, *l * a);
    *m = top;
}

static void LM_KERNEL attend_finish_c(const float *o, float m, float l, const float *sink, int32_t v_width, float *y) {
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
