/* SPDX-License-Identifier: MIT
 * Constructors of the expression pool. They fold the trivial cases (a sequence of one, a choice of nothing), so that front
 * ends may write them without care and the compiler meets few shapes. */
#include "grammar_expr.h"

#include <string.h>

void lm_gexpr_pool_init(lm_gexpr_pool *pool, const lm_env *env) {
    memset(pool, 0, sizeof *pool);
    pool->env = env;
    lm_gexpr_node empty = {LM_GEXPR_KIND_EMPTY, 0, 0, 0}, never = {LM_GEXPR_KIND_NEVER, 0, 0, 0};
    if (!lm_array_push(env, &pool->nodes, empty) || !lm_array_push(env, &pool->nodes, never))
        pool->status = LM_ERR_MEMORY;
}

void lm_gexpr_pool_free(lm_gexpr_pool *pool) {
    if (!pool->env) return;
    lm_array_free(pool->env, &pool->nodes);
    lm_array_free(pool->env, &pool->kids);
    lm_array_free(pool->env, &pool->ranges);
    lm_array_free(pool->env, &pool->net_edges);
    lm_array_free(pool->env, &pool->bytes);
    lm_array_free(pool->env, &pool->rules);
}

static bool out_of_memory(lm_gexpr_pool *pool) {
    if (pool->status == LM_OK) pool->status = LM_ERR_MEMORY;
    return false;
}

/* Offsets are 32 bits wide; a pool that would need more is refused. */
static bool fits(lm_gexpr_pool *pool, size_t count, size_t extra) {
    if (pool->status != LM_OK) return false;
    if (extra > (UINT32_MAX >> 2) || count > (UINT32_MAX >> 2)) {
        pool->status = LM_ERR_LIMIT;
        return false;
    }
    return true;
}

static lm_gexpr add(lm_gexpr_pool *pool, lm_gexpr_kind kind, uint32_t a, uint32_t b, uint32_t c) {
    lm_gexpr_node node = {(uint32_t)kind, a, b, c};
    if (!fits(pool, pool->nodes.count, 1)) return LM_GEXPR_EMPTY;
    if (!lm_array_push(pool->env, &pool->nodes, node)) {
        out_of_memory(pool);
        return LM_GEXPR_EMPTY;
    }
    return (lm_gexpr)(pool->nodes.count - 1);
}

lm_gexpr lm_gexpr_text(lm_gexpr_pool *pool, const void *bytes, size_t n) {
    if (n == 0 || !fits(pool, pool->bytes.count, n)) return LM_GEXPR_EMPTY;
    if (!lm_array_reserve(pool->env, &pool->bytes, n)) {
        out_of_memory(pool);
        return LM_GEXPR_EMPTY;
    }
    uint32_t start = (uint32_t)pool->bytes.count;
    memcpy(pool->bytes.data + start, bytes, n);
    pool->bytes.count += n;
    return add(pool, LM_GEXPR_KIND_TEXT, start, (uint32_t)n, 0);
}

static void sift_ranges(lm_code_range *ranges, size_t root, size_t n) {
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= n) return;
        if (child + 1 < n && ranges[child + 1].lo > ranges[child].lo) child++;
        if (ranges[root].lo >= ranges[child].lo) return;
        lm_code_range swap = ranges[root];
        ranges[root] = ranges[child];
        ranges[child] = swap;
        root = child;
    }
}

size_t lm_code_ranges_normalize(lm_code_range *ranges, size_t n) {
    if (n == 0) return 0;
    for (size_t i = n / 2; i-- > 0;) sift_ranges(ranges, i, n);
    for (size_t end = n; end-- > 1;) {
        lm_code_range swap = ranges[0];
        ranges[0] = ranges[end];
        ranges[end] = swap;
        sift_ranges(ranges, 0, end);
    }
    size_t kept = 0;
    for (size_t i = 1; i < n; i++) {
        if (ranges[i].lo <= ranges[kept].hi || ranges[i].lo == ranges[kept].hi + 1) {
            if (ranges[i].hi > ranges[kept].hi) ranges[kept].hi = ranges[i].hi;
        } else {
            ranges[++kept] = ranges[i];
        }
    }
    return kept + 1;
}

static void sift_u32(uint32_t *values, size_t root, size_t n) {
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= n) return;
        if (child + 1 < n && values[child + 1] > values[child]) child++;
        if (values[root] >= values[child]) return;
        uint32_t swap = values[root];
        values[root] = values[child];
        values[child] = swap;
        root = child;
    }
}

void lm_sort_u32(uint32_t *values, size_t n) {
    if (n < 2) return;
    if (n < 16) {
        for (size_t i = 1; i < n; i++) {
            uint32_t value = values[i];
            size_t j = i;
            for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
            values[j] = value;
        }
        return;
    }
    for (size_t i = n / 2; i-- > 0;) sift_u32(values, i, n);
    for (size_t end = n; end-- > 1;) {
        uint32_t swap = values[0];
        values[0] = values[end];
        values[end] = swap;
        sift_u32(values, 0, end);
    }
}

/* Append [lo, hi] without the surrogates, which UTF-8 cannot spell. */
static bool push_range(lm_gexpr_pool *pool, uint32_t lo, uint32_t hi) {
    lm_code_range below = {lo, hi < 0xD7FF ? hi : 0xD7FF}, above = {lo > 0xE000 ? lo : 0xE000, hi};
    if (below.lo <= below.hi && !lm_array_push(pool->env, &pool->ranges, below)) return out_of_memory(pool);
    if (above.lo <= above.hi && !lm_array_push(pool->env, &pool->ranges, above)) return out_of_memory(pool);
    return true;
}

lm_gexpr lm_gexpr_class(lm_gexpr_pool *pool, const lm_code_range *ranges, size_t n, bool negated) {
    if (!fits(pool, pool->ranges.count, n)) return LM_GEXPR_EMPTY;
    lm_code_range *sorted = lm_alloc_array(pool->env, n, sizeof *sorted);
    if (!sorted) {
        out_of_memory(pool);
        return LM_GEXPR_EMPTY;
    }
    if (n > 0) memcpy(sorted, ranges, n * sizeof *sorted);
    size_t kept = lm_code_ranges_normalize(sorted, n);
    uint32_t first = (uint32_t)pool->ranges.count;
    uint32_t next = 0;
    bool done = true;
    for (size_t i = 0; done && i < kept; i++) {
        if (!negated)
            done = push_range(pool, sorted[i].lo, sorted[i].hi);
        else if (sorted[i].lo > next)
            done = push_range(pool, next, sorted[i].lo - 1);
        next = sorted[i].hi + 1;
    }
    if (done && negated && next <= 0x10FFFF) done = push_range(pool, next, 0x10FFFF);
    lm_free(pool->env, sorted, n * sizeof *sorted);
    uint32_t count = (uint32_t)pool->ranges.count - first;
    if (!done) return LM_GEXPR_EMPTY;
    return count == 0 ? LM_GEXPR_NEVER : add(pool, LM_GEXPR_KIND_CLASS, first, count, 0);
}

static lm_gexpr add_list(lm_gexpr_pool *pool, lm_gexpr_kind kind, const lm_gexpr *items, size_t n) {
    if (!fits(pool, pool->kids.count, n)) return LM_GEXPR_EMPTY;
    if (!lm_array_reserve(pool->env, &pool->kids, n)) {
        out_of_memory(pool);
        return LM_GEXPR_EMPTY;
    }
    uint32_t first = (uint32_t)pool->kids.count;
    memcpy(pool->kids.data + first, items, n * sizeof *items);
    pool->kids.count += n;
    return add(pool, kind, first, (uint32_t)n, 0);
}

lm_gexpr lm_gexpr_seq(lm_gexpr_pool *pool, const lm_gexpr *items, size_t n) {
    if (n == 0) return LM_GEXPR_EMPTY;
    for (size_t i = 0; i < n; i++)
        if (items[i] == LM_GEXPR_NEVER) return LM_GEXPR_NEVER;
    return n == 1 ? items[0] : add_list(pool, LM_GEXPR_KIND_SEQ, items, n);
}

lm_gexpr lm_gexpr_alt(lm_gexpr_pool *pool, const lm_gexpr *items, size_t n) {
    if (n == 0) return LM_GEXPR_NEVER;
    return n == 1 ? items[0] : add_list(pool, LM_GEXPR_KIND_ALT, items, n);
}

lm_gexpr lm_gexpr_seq2(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b) {
    lm_gexpr items[2] = {a, b};
    if (a == LM_GEXPR_EMPTY) return b;
    return b == LM_GEXPR_EMPTY ? a : lm_gexpr_seq(pool, items, 2);
}

lm_gexpr lm_gexpr_seq3(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b, lm_gexpr c) {
    lm_gexpr items[3] = {a, b, c};
    return lm_gexpr_seq(pool, items, 3);
}

lm_gexpr lm_gexpr_alt2(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b) {
    lm_gexpr items[2] = {a, b};
    if (a == LM_GEXPR_NEVER) return b;
    return b == LM_GEXPR_NEVER ? a : lm_gexpr_alt(pool, items, 2);
}

lm_gexpr lm_gexpr_repeat(lm_gexpr_pool *pool, lm_gexpr child, uint32_t least, uint32_t most) {
    if (child == LM_GEXPR_EMPTY || most == 0) return LM_GEXPR_EMPTY;
    if (child == LM_GEXPR_NEVER) return least == 0 ? LM_GEXPR_EMPTY : LM_GEXPR_NEVER;
    if (least == 1 && most == 1) return child;
    return add(pool, LM_GEXPR_KIND_REPEAT, child, least, most);
}

lm_gexpr lm_gexpr_optional(lm_gexpr_pool *pool, lm_gexpr child) { return lm_gexpr_repeat(pool, child, 0, 1); }

lm_gexpr lm_gexpr_rule(lm_gexpr_pool *pool, uint32_t rule) { return add(pool, LM_GEXPR_KIND_RULE, rule, 0, 0); }

lm_gexpr lm_gexpr_token(lm_gexpr_pool *pool, uint32_t token, bool negated) {
    return add(pool, LM_GEXPR_KIND_TOKEN, token, negated, 0);
}

lm_gexpr lm_gexpr_net(lm_gexpr_pool *pool, const lm_net_edge *edges, size_t n, uint32_t n_states) {
    if (!fits(pool, pool->net_edges.count, n)) return LM_GEXPR_EMPTY;
    if (!lm_array_reserve(pool->env, &pool->net_edges, n)) {
        out_of_memory(pool);
        return LM_GEXPR_EMPTY;
    }
    uint32_t first = (uint32_t)pool->net_edges.count;
    if (n > 0) memcpy(pool->net_edges.data + first, edges, n * sizeof *edges);
    pool->net_edges.count += n;
    return add(pool, LM_GEXPR_KIND_NET, first, (uint32_t)n, n_states);
}

lm_gexpr lm_gexpr_both(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b) {
    if (a == LM_GEXPR_NEVER || b == LM_GEXPR_NEVER) return LM_GEXPR_NEVER;
    return a == b ? a : add(pool, LM_GEXPR_KIND_BOTH, a, b, 0);
}

lm_gexpr lm_gexpr_except(lm_gexpr_pool *pool, lm_gexpr a, lm_gexpr b) {
    if (a == LM_GEXPR_NEVER || b == LM_GEXPR_NEVER) return a;
    return a == b ? LM_GEXPR_NEVER : add(pool, LM_GEXPR_KIND_EXCEPT, a, b, 0);
}

uint32_t lm_gexpr_add_rule(lm_gexpr_pool *pool, const void *name, size_t name_length) {
    if (!fits(pool, pool->bytes.count, name_length)) return UINT32_MAX;
    if (pool->rules.count >= LM_GRAMMAR_MAX_RULES) {
        pool->status = LM_ERR_LIMIT;
        return UINT32_MAX;
    }
    lm_grammar_rule_def rule = {.expr = LM_GEXPR_NEVER,
                                .name = (uint32_t)pool->bytes.count,
                                .name_length = (uint32_t)name_length,
                                .least = 1,
                                .most = 1};
    if (!lm_array_reserve(pool->env, &pool->bytes, name_length) || !lm_array_push(pool->env, &pool->rules, rule)) {
        out_of_memory(pool);
        return UINT32_MAX;
    }
    if (name_length > 0) memcpy(pool->bytes.data + pool->bytes.count, name, name_length);
    pool->bytes.count += name_length;
    return (uint32_t)(pool->rules.count - 1);
}
