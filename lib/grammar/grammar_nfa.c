/* SPDX-License-Identifier: MIT
 * The construction, expression by expression. Code points become UTF-8 bytes here: a range is cut where the number of bytes
 * or a common prefix changes, so that each piece is a product of byte ranges, and pieces that end in arbitrary continuation
 * bytes share their tails. */
#include "grammar_nfa.h"

#include <string.h>

#include "../base/utf8.h"
#include "grammar_dfa.h"

#define MAX_WRITTEN_OUT 5000u /* states a repetition may take before it is counted instead */

uint32_t lm_nfa_add_state(lm_nfa *nfa) {
    if (nfa->status != LM_OK) return 0;
    if (nfa->heads.count >= LM_NFA_MAX_STATES)
        nfa->status = LM_ERR_LIMIT;
    else if (!lm_array_push(nfa->env, &nfa->heads, LM_NFA_NONE))
        nfa->status = LM_ERR_MEMORY;
    return nfa->status == LM_OK ? (uint32_t)(nfa->heads.count - 1) : 0;
}

void lm_nfa_add_edge(lm_nfa *nfa, uint32_t from, lm_nfa_edge edge) {
    if (nfa->status != LM_OK) return;
    edge.next = nfa->heads.data[from];
    if (nfa->edges.count >= 4 * (size_t)LM_NFA_MAX_STATES)
        nfa->status = LM_ERR_LIMIT;
    else if (!lm_array_push(nfa->env, &nfa->edges, edge))
        nfa->status = LM_ERR_MEMORY;
    else
        nfa->heads.data[from] = (uint32_t)(nfa->edges.count - 1);
}

void lm_nfa_free(lm_nfa *nfa) {
    if (!nfa->env) return;
    lm_array_free(nfa->env, &nfa->heads);
    lm_array_free(nfa->env, &nfa->edges);
    lm_free(nfa->env, nfa->rules, nfa->rules_capacity * sizeof *nfa->rules);
    lm_free(nfa->env, nfa->costs, nfa->n_costs * sizeof *nfa->costs);
    lm_free(nfa->env, nfa->depths, nfa->n_costs * sizeof *nfa->depths);
    lm_free(nfa->env, nfa->counted, nfa->n_costs * sizeof *nfa->counted);
    lm_free(nfa->env, nfa->stamps, nfa->n_stamps * sizeof *nfa->stamps);
}

static void add_empty(lm_nfa *nfa, uint32_t from, uint32_t to) {
    lm_nfa_add_edge(nfa, from, (lm_nfa_edge){.to = to, .kind = LM_NFA_EMPTY});
}

static void add_bytes(lm_nfa *nfa, uint32_t from, uint32_t to, uint8_t lo, uint8_t hi, bool literal) {
    lm_nfa_add_edge(nfa, from, (lm_nfa_edge){.to = to, .kind = LM_NFA_BYTES, .lo = lo, .hi = hi, .literal = literal});
}

static void build_text(lm_nfa *nfa, const lm_gexpr_node *node, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; i < node->b && nfa->status == LM_OK; i++) {
        uint8_t byte = nfa->pool->bytes.data[node->a + i];
        uint32_t next = i + 1 == node->b ? to : lm_nfa_add_state(nfa);
        add_bytes(nfa, from, next, byte, byte, true);
        from = next;
    }
}

/* tails[k] is the state from which k arbitrary continuation bytes lead to the end; made when first needed. */
static uint32_t tail_of(lm_nfa *nfa, uint32_t tails[4], size_t k) {
    if (tails[k] == LM_NFA_NONE) {
        uint32_t shorter = tail_of(nfa, tails, k - 1);
        tails[k] = lm_nfa_add_state(nfa);
        add_bytes(nfa, tails[k], shorter, 0x80, 0xBF, false);
    }
    return tails[k];
}

/* lo and hi are spelled with the same number of bytes, n of which remain. */
static void build_spelled(lm_nfa *nfa, uint32_t from, uint32_t tails[4], const uint8_t *lo, const uint8_t *hi,
                          size_t n) {
    bool lo_open = true, hi_open = true;
    for (size_t i = 1; i < n; i++) {
        if (lo[i] != 0x80) lo_open = false;
        if (hi[i] != 0xBF) hi_open = false;
    }
    if (nfa->status != LM_OK) return;
    if (n == 1 || (lo_open && hi_open)) {
        add_bytes(nfa, from, tail_of(nfa, tails, n - 1), lo[0], hi[0], false);
        return;
    }
    if (lo[0] == hi[0]) {
        uint32_t next = lm_nfa_add_state(nfa);
        add_bytes(nfa, from, next, lo[0], lo[0], false);
        build_spelled(nfa, next, tails, lo + 1, hi + 1, n - 1);
        return;
    }
    uint8_t first = lo[0], last = hi[0];
    static const uint8_t least[3] = {0x80, 0x80, 0x80}, most[3] = {0xBF, 0xBF, 0xBF};
    if (!lo_open) {
        uint32_t next = lm_nfa_add_state(nfa);
        add_bytes(nfa, from, next, first, first, false);
        build_spelled(nfa, next, tails, lo + 1, most, n - 1);
        first++;
    }
    if (!hi_open) {
        uint32_t next = lm_nfa_add_state(nfa);
        add_bytes(nfa, from, next, last, last, false);
        build_spelled(nfa, next, tails, least, hi + 1, n - 1);
        last--;
    }
    if (first <= last) add_bytes(nfa, from, tail_of(nfa, tails, n - 1), first, last, false);
}

static void build_class(lm_nfa *nfa, const lm_gexpr_node *node, uint32_t from, uint32_t to) {
    static const uint32_t ends[4] = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};
    uint32_t tails[4] = {to, LM_NFA_NONE, LM_NFA_NONE, LM_NFA_NONE};
    for (uint32_t i = 0; i < node->b && nfa->status == LM_OK; i++) {
        lm_code_range range = nfa->pool->ranges.data[node->a + i];
        for (size_t length = 0; length < 4 && range.lo <= range.hi; length++) {
            if (range.lo > ends[length]) continue;
            uint8_t lo[4], hi[4];
            uint32_t cut = range.hi < ends[length] ? range.hi : ends[length];
            lm_utf8_encode(range.lo, (char *)lo);
            lm_utf8_encode(cut, (char *)hi);
            build_spelled(nfa, from, tails, lo, hi, length + 1);
            range.lo = cut + 1;
        }
    }
}

static uint32_t child_cost(lm_nfa *nfa, lm_gexpr child, uint32_t *depth) {
    uint32_t cost = lm_nfa_cost(nfa, child);
    if (nfa->depths[child] + 1 > *depth) *depth = nfa->depths[child] + 1;
    return cost;
}

uint32_t lm_nfa_cost(lm_nfa *nfa, lm_gexpr expr) {
    const lm_gexpr_pool *pool = nfa->pool;
    if (nfa->costs[expr]) return nfa->costs[expr];
    const lm_gexpr_node *node = &pool->nodes.data[expr];
    uint64_t cost = 1;
    uint32_t depth = 1;
    switch (node->kind) {
    case LM_GEXPR_KIND_TEXT: cost = node->b; break;
    case LM_GEXPR_KIND_CLASS: cost = 1 + (pool->ranges.data[node->a + node->b - 1].hi > 0x7F ? 3 + node->b : 0u); break;
    case LM_GEXPR_KIND_SEQ:
    case LM_GEXPR_KIND_ALT:
        for (uint32_t i = 0; i < node->b; i++) cost += child_cost(nfa, pool->kids.data[node->a + i], &depth);
        break;
    case LM_GEXPR_KIND_REPEAT: {
        uint64_t copies = node->c == LM_GRAMMAR_UNBOUNDED ? (uint64_t)node->b + 1 : node->c;
        cost = child_cost(nfa, node->a, &depth) * copies;
        if (copies > 4 && cost > MAX_WRITTEN_OUT) cost = 1;
        break;
    }
    case LM_GEXPR_KIND_RULE:
        if (!nfa->rules[node->a].copied) break;
        cost = nfa->rules[node->a].cost;
        depth = nfa->rules[node->a].depth + 1;
        break;
    case LM_GEXPR_KIND_NET:
        for (uint32_t i = 0; i < node->b; i++) cost += child_cost(nfa, pool->net_edges.data[node->a + i].expr, &depth);
        break;
    case LM_GEXPR_KIND_BOTH:
    case LM_GEXPR_KIND_EXCEPT:
        cost += 2 * ((uint64_t)child_cost(nfa, node->a, &depth) + child_cost(nfa, node->b, &depth));
        break;
    default: break;
    }
    if (cost > UINT32_MAX >> 1) cost = UINT32_MAX >> 1;
    nfa->depths[expr] = depth;
    nfa->costs[expr] = cost == 0 ? 1 : (uint32_t)cost;
    return nfa->costs[expr];
}

bool lm_nfa_begin_visit(lm_nfa *nfa) {
    if (nfa->status != LM_OK) return false;
    if (nfa->n_stamps < nfa->heads.count) {
        size_t n = nfa->heads.capacity;
        uint32_t *stamps = lm_alloc_array(nfa->env, n, sizeof *stamps);
        if (!stamps) {
            nfa->status = LM_ERR_MEMORY;
            return false;
        }
        lm_free(nfa->env, nfa->stamps, nfa->n_stamps * sizeof *stamps);
        nfa->stamps = stamps;
        nfa->n_stamps = n;
        nfa->visit = 0;
    }
    if (++nfa->visit == 0) {
        memset(nfa->stamps, 0, nfa->n_stamps * sizeof *nfa->stamps);
        nfa->visit = 1;
    }
    return true;
}

/* The rule that matches repetition by counting; built when the compiler reaches it. */
static uint32_t counted_rule(lm_nfa *nfa, lm_gexpr repetition) {
    if (nfa->counted[repetition]) return nfa->counted[repetition] - 1;
    lm_gexpr_node node = nfa->pool->nodes.data[repetition];
    uint32_t rule = lm_gexpr_add_rule(nfa->pool, "repetition", 10);
    if (rule == UINT32_MAX) {
        nfa->status = nfa->pool->status;
        return 0;
    }
    lm_grammar_rule_def *def = &nfa->pool->rules.data[rule];
    def->expr = node.a;
    def->least = node.b;
    def->most = node.c;
    def->defined = true;
    if (rule >= nfa->rules_capacity) {
        size_t capacity = nfa->rules_capacity * 2 + 8;
        lm_nfa_rule *rules =
            lm_resize(nfa->env, nfa->rules, nfa->rules_capacity * sizeof *rules, capacity * sizeof *rules);
        if (!rules) {
            nfa->status = LM_ERR_MEMORY;
            return 0;
        }
        nfa->rules = rules;
        nfa->rules_capacity = capacity;
    }
    nfa->rules[rule] = (lm_nfa_rule){.start = LM_NFA_NONE, .end = LM_NFA_NONE};
    nfa->counted[repetition] = rule + 1;
    return rule;
}

static void build_repeat(lm_nfa *nfa, lm_gexpr repetition, uint32_t from, uint32_t to) {
    lm_gexpr_node node = nfa->pool->nodes.data[repetition];
    lm_gexpr child = node.a;
    uint32_t least = node.b, most = node.c;
    if (nfa->write_out == 0) {
        uint64_t copies = most == LM_GRAMMAR_UNBOUNDED ? (uint64_t)least + 1 : most;
        if (copies > 4 && copies * lm_nfa_cost(nfa, child) > MAX_WRITTEN_OUT) {
            lm_nfa_edge call = {.to = to, .kind = LM_NFA_CALL, .arg = counted_rule(nfa, repetition)};
            lm_nfa_add_edge(nfa, from, call);
            return;
        }
    }
    uint32_t at = from;
    for (uint32_t i = 0; i < least && nfa->status == LM_OK; i++) {
        uint32_t next = lm_nfa_add_state(nfa);
        lm_nfa_build(nfa, child, at, next);
        at = next;
    }
    if (most == LM_GRAMMAR_UNBOUNDED) {
        uint32_t loop = lm_nfa_add_state(nfa);
        add_empty(nfa, at, loop);
        lm_nfa_build(nfa, child, loop, loop);
        add_empty(nfa, loop, to);
        return;
    }
    for (uint32_t i = least; i < most && nfa->status == LM_OK; i++) {
        add_empty(nfa, at, to);
        uint32_t next = lm_nfa_add_state(nfa);
        lm_nfa_build(nfa, child, at, next);
        at = next;
    }
    add_empty(nfa, at, to);
}

static void build_net(lm_nfa *nfa, lm_gexpr_node node, uint32_t from, uint32_t to) {
    uint32_t first = (uint32_t)nfa->heads.count;
    for (uint32_t i = 0; i < node.c; i++) lm_nfa_add_state(nfa);
    if (nfa->status != LM_OK) return;
    add_empty(nfa, from, first);
    add_empty(nfa, first + 1, to);
    for (uint32_t i = 0; i < node.b && nfa->status == LM_OK; i++) {
        lm_net_edge edge = nfa->pool->net_edges.data[node.a + i];
        lm_nfa_build(nfa, edge.expr, first + edge.from, first + edge.to);
    }
}

void lm_nfa_build(lm_nfa *nfa, lm_gexpr expr, uint32_t from, uint32_t to) {
    if (nfa->status != LM_OK) return;
    lm_gexpr_node node = nfa->pool->nodes.data[expr]; /* a copy: counted rules grow the pool */
    switch (node.kind) {
    case LM_GEXPR_KIND_EMPTY: add_empty(nfa, from, to); return;
    case LM_GEXPR_KIND_NEVER: return;
    case LM_GEXPR_KIND_TEXT: build_text(nfa, &node, from, to); return;
    case LM_GEXPR_KIND_CLASS: build_class(nfa, &node, from, to); return;
    case LM_GEXPR_KIND_SEQ:
        for (uint32_t i = 0; i < node.b && nfa->status == LM_OK; i++) {
            uint32_t next = i + 1 == node.b ? to : lm_nfa_add_state(nfa);
            lm_nfa_build(nfa, nfa->pool->kids.data[node.a + i], from, next);
            from = next;
        }
        return;
    case LM_GEXPR_KIND_ALT:
        for (uint32_t i = 0; i < node.b && nfa->status == LM_OK; i++)
            lm_nfa_build(nfa, nfa->pool->kids.data[node.a + i], from, to);
        return;
    case LM_GEXPR_KIND_REPEAT: build_repeat(nfa, expr, from, to); return;
    case LM_GEXPR_KIND_RULE:
        if (nfa->rules[node.a].copied)
            lm_nfa_build(nfa, nfa->pool->rules.data[node.a].expr, from, to);
        else
            lm_nfa_add_edge(nfa, from, (lm_nfa_edge){.to = to, .kind = LM_NFA_CALL, .arg = node.a});
        return;
    case LM_GEXPR_KIND_TOKEN:
        lm_nfa_add_edge(nfa, from, (lm_nfa_edge){.to = to, .kind = LM_NFA_TOKEN, .arg = node.a, .lo = (uint8_t)node.b});
        return;
    case LM_GEXPR_KIND_NET: build_net(nfa, node, from, to); return;
    case LM_GEXPR_KIND_BOTH:
    case LM_GEXPR_KIND_EXCEPT: lm_dfa_build_product(nfa, node, from, to); return;
    default: return;
    }
}
