/* SPDX-License-Identifier: MIT
 * The candidate list. Its costly steps are the passes over a dense list of a whole vocabulary, written as plain loops
 * over contiguous arrays that a compiler turns into vector code.
 *
 * The scan of a dense list views it as blocks of 32 rows and 16 columns,
 *
 *     column c of block b = logits[512 b + c], logits[512 b + c + 16], ..., logits[512 b + c + 496]
 *
 * and keeps each column's maximum. The k-th largest column maximum is a lower bound of the k-th largest logit, so a top-k
 * needs to look only into the columns that reach it: one pass over the logits, then work in proportion to k. */
#include "candidates.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../base/checked.h"

#define COLUMNS ((size_t)16)
#define ROWS ((size_t)32)
#define BLOCK (COLUMNS * ROWS)

static size_t column_count(size_t n) { return (n + BLOCK - 1) / BLOCK * COLUMNS; }

lm_status lm_candidates_init(lm_candidates *c, const lm_env *env, size_t capacity) {
    memset(c, 0, sizeof *c);
    c->capacity = capacity;
    c->own_logits = lm_alloc_array(env, capacity, sizeof *c->own_logits);
    c->own_ids = lm_alloc_array(env, capacity, sizeof *c->own_ids);
    c->p = lm_alloc_array(env, capacity, sizeof *c->p);
    c->keys = lm_alloc_array(env, capacity, sizeof *c->keys);
    c->column_max = lm_alloc_array(env, column_count(capacity), sizeof *c->column_max);
    if (c->own_logits && c->own_ids && c->p && c->keys && c->column_max) return LM_OK;
    lm_candidates_free(c, env);
    return LM_ERR_MEMORY;
}

void lm_candidates_free(lm_candidates *c, const lm_env *env) {
    lm_free(env, c->own_logits, c->capacity * sizeof *c->own_logits);
    lm_free(env, c->own_ids, c->capacity * sizeof *c->own_ids);
    lm_free(env, c->p, c->capacity * sizeof *c->p);
    lm_free(env, c->keys, c->capacity * sizeof *c->keys);
    lm_free(env, c->column_max, column_count(c->capacity) * sizeof *c->column_max);
    memset(c, 0, sizeof *c);
}

void lm_candidates_begin(lm_candidates *c, const float *logits, size_t count) {
    c->logits = logits;
    c->ids = NULL;
    c->count = count;
    c->order = LM_LIST_ORDER_ID;
    c->selected = SIZE_MAX;
    c->is_scanned = false;
}

/* Column maxima and their maximum; *is_bad when there is a NaN, which no comparison below would notice. */
static float scan_dense(const float *x, size_t n, float *column_max, bool *is_bad) {
    int32_t unordered[COLUMNS] = {0};
    float largest[COLUMNS];
    for (size_t j = 0; j < COLUMNS; j++) largest[j] = -INFINITY;
    for (size_t b = 0; b < n / BLOCK; b++) {
        const float *row = x + b * BLOCK;
        float lane[COLUMNS];
        for (size_t j = 0; j < COLUMNS; j++) lane[j] = -INFINITY;
        for (size_t r = 0; r < ROWS; r++, row += COLUMNS) {
            for (size_t j = 0; j < COLUMNS; j++) {
                lane[j] = row[j] > lane[j] ? row[j] : lane[j];
                unordered[j] |= row[j] != row[j];
            }
        }
        for (size_t j = 0; j < COLUMNS; j++) {
            column_max[b * COLUMNS + j] = lane[j];
            largest[j] = lane[j] > largest[j] ? lane[j] : largest[j];
        }
    }
    size_t done = n / BLOCK * BLOCK;
    if (done < n) {
        float *tail = column_max + n / BLOCK * COLUMNS;
        for (size_t j = 0; j < COLUMNS; j++) tail[j] = -INFINITY;
        for (size_t i = done; i < n; i++) {
            size_t j = i % COLUMNS;
            if (x[i] > tail[j]) tail[j] = x[i];
            unordered[j] |= x[i] != x[i];
        }
        for (size_t j = 0; j < COLUMNS; j++)
            if (tail[j] > largest[j]) largest[j] = tail[j];
    }
    float max = -INFINITY;
    int32_t any = 0;
    for (size_t j = 0; j < COLUMNS; j++) {
        if (largest[j] > max) max = largest[j];
        any |= unordered[j];
    }
    *is_bad = any != 0;
    return max;
}

lm_status lm_candidates_scan(lm_candidates *c) {
    if (c->is_scanned) return LM_OK;
    bool is_bad = false;
    float max = -INFINITY;
    if (!c->ids) {
        max = scan_dense(c->logits, c->count, c->column_max, &is_bad);
    } else {
        for (size_t i = 0; i < c->count; i++) {
            if (c->logits[i] > max) max = c->logits[i];
            is_bad |= c->logits[i] != c->logits[i];
        }
    }
    if (is_bad || !(max >= -FLT_MAX && max <= FLT_MAX)) return LM_ERR_RANGE;
    c->max = max;
    c->is_scanned = true;
    return LM_OK;
}

lm_status lm_candidates_softmax(lm_candidates *c, double *total) {
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    lm_exp_floats(c->logits, c->count, c->max, c->p);
    double sum = lm_sum_floats(c->p, c->count);
    float scale = (float)(1.0 / sum);
    for (size_t i = 0; i < c->count; i++) c->p[i] *= scale;
    if (total) *total = sum;
    return LM_OK;
}

uint64_t lm_candidate_key(float logit, lm_token id) {
    return (uint64_t)~lm_ordered_from_float(logit) << 32 | (uint32_t)id;
}

float lm_candidate_key_logit(uint64_t key) {
    uint32_t ordered = ~(uint32_t)(key >> 32);
    uint32_t bits = ordered & 0x80000000u ? ordered & 0x7FFFFFFFu : ~ordered;
    float logit;
    memcpy(&logit, &bits, sizeof logit);
    return logit;
}

void lm_candidates_rank_all(lm_candidates *c) {
    for (size_t i = 0; i < c->count; i++) c->keys[i] = lm_candidate_key(c->logits[i], lm_candidates_id(c, i));
}

/* Keys of all entries of a scanned dense list that can be among the k best; false when looking at everything is as good. */
static bool rank_columns(lm_candidates *c, size_t k, size_t *n_keys) {
    size_t n_columns = column_count(c->count);
    if (c->count < BLOCK || k > n_columns / 4) return false;
    uint64_t *keys = c->keys;
    for (size_t i = 0; i < n_columns; i++) keys[i] = lm_candidate_key(c->column_max[i], (lm_token)i);
    lm_sort_prefix(keys, n_columns, k);
    float bound = lm_candidate_key_logit(keys[k - 1]);
    size_t n = 0;
    for (size_t i = 0; i < n_columns; i++) {
        if (c->column_max[i] < bound) continue;
        size_t first = i / COLUMNS * BLOCK + i % COLUMNS, end = lm_size_min(first + BLOCK, c->count);
        for (size_t at = first; at < end; at += COLUMNS)
            if (c->logits[at] >= bound) keys[n++] = lm_candidate_key(c->logits[at], (lm_token)at);
    }
    *n_keys = n;
    return true;
}

size_t lm_candidates_rank(lm_candidates *c, size_t k) {
    k = lm_size_min(k, c->count);
    if (k == 0) return 0;
    size_t n = c->count;
    if (c->ids || !c->is_scanned || !rank_columns(c, k, &n)) lm_candidates_rank_all(c);
    if (c->order != LM_LIST_ORDER_LOGIT) lm_sort_prefix(c->keys, n, k);
    return k;
}

void lm_candidates_take(lm_candidates *c, size_t count) {
    for (size_t i = 0; i < count; i++) {
        c->own_ids[i] = lm_candidate_key_id(c->keys[i]);
        c->own_logits[i] = lm_candidate_key_logit(c->keys[i]);
    }
    c->logits = c->own_logits;
    c->ids = c->own_ids;
    c->count = count;
    c->order = LM_LIST_ORDER_LOGIT;
}

void lm_candidates_top(lm_candidates *c, size_t k) {
    if (c->order == LM_LIST_ORDER_LOGIT) {
        lm_candidates_cut(c, lm_size_min(k, c->count));
        return;
    }
    lm_candidates_take(c, lm_candidates_rank(c, k));
}

void lm_candidates_cut(lm_candidates *c, size_t count) { c->count = count; }

void lm_candidates_keep_above(lm_candidates *c, float threshold) {
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        float logit = c->logits[i];
        if (!(logit >= threshold)) continue;
        c->own_ids[n] = lm_candidates_id(c, i);
        c->own_logits[n++] = logit;
    }
    c->logits = c->own_logits;
    c->ids = c->own_ids;
    c->count = n;
}

float *lm_candidates_edit(lm_candidates *c) {
    if (c->logits != c->own_logits) {
        memcpy(c->own_logits, c->logits, c->count * sizeof *c->logits);
        c->logits = c->own_logits;
    }
    c->is_scanned = false;
    if (c->order == LM_LIST_ORDER_LOGIT) c->order = LM_LIST_ORDER_NONE;
    return c->own_logits;
}

float *lm_candidates_edit_ids(lm_candidates *c, lm_token **ids) {
    if (!c->ids)
        for (size_t i = 0; i < c->count; i++) c->own_ids[i] = (lm_token)i;
    c->ids = c->own_ids;
    *ids = c->own_ids;
    float *logits = lm_candidates_edit(c);
    c->order = LM_LIST_ORDER_NONE;
    return logits;
}

static void change_one(float *logit, float (*change)(const void *, uint32_t, float), const void *state,
                       uint32_t payload) {
    if (*logit == -INFINITY) return;
    float value = change(state, payload, *logit);
    *logit = value > FLT_MAX ? FLT_MAX : value;
}

void lm_candidates_change(lm_candidates *c, const uint64_t *edits, size_t n_edits,
                          float (*change)(const void *state, uint32_t payload, float logit), const void *state) {
    if (n_edits == 0) return;
    float *logits = lm_candidates_edit(c);
    if (!c->ids) {
        for (size_t e = 0; e < n_edits && edits[e] >> 32 < c->count; e++)
            change_one(logits + (edits[e] >> 32), change, state, (uint32_t)edits[e]);
        return;
    }
    for (size_t i = 0; i < c->count; i++) {
        size_t low = 0, high = n_edits;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (edits[middle] >> 32 < (uint32_t)c->ids[i])
                low = middle + 1;
            else
                high = middle;
        }
        if (low < n_edits && edits[low] >> 32 == (uint32_t)c->ids[i])
            change_one(logits + i, change, state, (uint32_t)edits[low]);
    }
}

lm_status lm_candidates_temper(lm_candidates *c, double temperature) {
    lm_status status = lm_candidates_scan(c);
    if (status != LM_OK) return status;
    float t = (float)temperature, max = c->max;
    if (t <= 0.0f) {
        size_t best = 0;
        while (c->logits[best] != max) best++;
        lm_token id = lm_candidates_id(c, best);
        c->own_ids[0] = id;
        c->own_logits[0] = max;
        c->ids = c->own_ids;
        c->logits = c->own_logits;
        c->count = 1;
        c->order = LM_LIST_ORDER_LOGIT;
        return LM_OK;
    }
    lm_list_order order = c->order;
    float *logits = lm_candidates_edit(c);
    float top = max / t;
    if (top >= -FLT_MAX && top <= FLT_MAX) {
        for (size_t i = 0; i < c->count; i++) logits[i] /= t;
    } else { /* a tiny temperature: the same distribution, with its maximum at 0 */
        for (size_t i = 0; i < c->count; i++) logits[i] = logits[i] == max ? 0.0f : (logits[i] - max) / t;
        top = 0.0f;
    }
    c->order = order; /* division keeps the order; new ties are found by members that sort again */
    c->max = top;
    c->is_scanned = c->ids != NULL;
    return LM_OK;
}

/* Whole steps are summed first, so the search adds one by one only inside the step that crosses the target. */
size_t lm_candidates_draw(const lm_candidates *c, lm_random *random) {
    if (c->count == 1) return 0;
    enum { STEP = 256 };
    const float *p = c->p;
    double total = 0.0, running = 0.0;
    for (size_t i = 0; i < c->count; i += STEP) total += lm_sum_floats(p + i, lm_size_min(STEP, c->count - i));
    double target = lm_random_double(random) * total;
    for (size_t i = 0; i < c->count; i += STEP) {
        size_t end = lm_size_min(i + STEP, c->count), last = SIZE_MAX;
        double after = running + lm_sum_floats(p + i, end - i);
        if (after >= target) {
            for (size_t j = i; j < end; j++) {
                if (!(p[j] > 0.0f)) continue;
                running += p[j];
                if (running >= target) return j;
                last = j;
            }
            if (last != SIZE_MAX) return last; /* the two orders of summation round differently */
        }
        running = after;
    }
    size_t last = c->count;
    while (last > 1 && !(p[last - 1] > 0.0f)) last--;
    return last - 1;
}

double lm_candidates_entropy(const lm_candidates *c) {
    double entropy = 0.0;
    for (size_t i = 0; i < c->count; i++)
        if (c->p[i] > 0.0f) entropy -= (double)c->p[i] * lm_ln(c->p[i]);
    return entropy;
}
