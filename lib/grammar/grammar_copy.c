/* SPDX-License-Identifier: MIT
 * Which rules are copied into the rules that use them. A copied rule costs no stack: its text is read by the states of its
 * user, whose token masks then need no context. Rules that (through others) use themselves cannot all be copied; the most
 * used ones of a cycle stay, so that a cycle keeps few. Small rules are copied everywhere, large ones only where used once. */
#include <string.h>

#include "grammar_nfa.h"

#define MAX_COPIED 4000u         /* states that all copies of one rule may take */
#define MAX_COPIED_DEPTH 400u    /* recursion of the construction */
#define MAX_CYCLE_STEPS 4000000u /* of the search for cycles, all rules together */

typedef struct chooser {
    lm_nfa *nfa;
    size_t n;
    uint32_t *first; /* [n + 1] into uses */
    LM_ARRAY(uint32_t) uses;
    uint32_t *refs;  /* [n] how often a rule is used */
    uint32_t *order; /* [n] scratch */
    uint32_t *marks; /* [n] */
    uint32_t *stack; /* [n + 1] */
    uint8_t *allowed;
    LM_ARRAY(lm_gexpr) todo;
} chooser;

static bool fail(chooser *c) {
    if (c->nfa->status == LM_OK) c->nfa->status = LM_ERR_MEMORY;
    return false;
}

static bool push(chooser *c, uint32_t *seen, uint32_t mark, lm_gexpr expr) {
    if (seen[expr] == mark) return true;
    seen[expr] = mark;
    return lm_array_push(c->nfa->env, &c->todo, expr) || fail(c);
}

/* List the rules that rule uses; every expression is visited once per rule. */
static bool list_uses(chooser *c, uint32_t *seen, uint32_t rule) {
    const lm_gexpr_pool *pool = c->nfa->pool;
    uint32_t mark = rule + 1;
    c->first[rule] = (uint32_t)c->uses.count;
    c->todo.count = 0;
    if (!push(c, seen, mark, pool->rules.data[rule].expr)) return false;
    while (c->todo.count > 0) {
        const lm_gexpr_node *node = &pool->nodes.data[c->todo.data[--c->todo.count]];
        bool done = true;
        switch (node->kind) {
        case LM_GEXPR_KIND_RULE:
            c->refs[node->a]++;
            done = lm_array_push(c->nfa->env, &c->uses, node->a) || fail(c);
            break;
        case LM_GEXPR_KIND_SEQ:
        case LM_GEXPR_KIND_ALT:
            for (uint32_t i = 0; done && i < node->b; i++) done = push(c, seen, mark, pool->kids.data[node->a + i]);
            break;
        case LM_GEXPR_KIND_REPEAT: done = push(c, seen, mark, node->a); break;
        case LM_GEXPR_KIND_NET:
            for (uint32_t i = 0; done && i < node->b; i++)
                done = push(c, seen, mark, pool->net_edges.data[node->a + i].expr);
            break;
        case LM_GEXPR_KIND_BOTH:
        case LM_GEXPR_KIND_EXCEPT: done = push(c, seen, mark, node->a) && push(c, seen, mark, node->b); break;
        default: break;
        }
        if (!done) return false;
    }
    c->first[rule + 1] = (uint32_t)c->uses.count;
    return true;
}

/* Does rule reach itself through allowed rules? steps is what the search may still cost; spent means yes. */
static bool closes_cycle(chooser *c, uint32_t rule, uint32_t mark, uint32_t *steps) {
    size_t depth = 0;
    c->stack[depth++] = rule;
    while (depth > 0) {
        uint32_t at = c->stack[--depth];
        for (uint32_t i = c->first[at]; i < c->first[at + 1]; i++) {
            uint32_t used = c->uses.data[i];
            if (*steps == 0 || used == rule) return true;
            --*steps;
            if (!c->allowed[used] || c->marks[used] == mark) continue;
            c->marks[used] = mark;
            c->stack[depth++] = used;
        }
    }
    return false;
}

/* Rules in order of how often they are used, the least first: a counting sort over min(refs, n - 1). */
static void sort_by_refs(chooser *c) {
    uint32_t *starts = c->marks, sum = 0, most = (uint32_t)c->n - 1;
    memset(starts, 0, c->n * sizeof *starts);
    for (size_t i = 0; i < c->n; i++) starts[c->refs[i] < most ? c->refs[i] : most]++;
    for (size_t key = 0; key < c->n; key++) {
        uint32_t count = starts[key];
        starts[key] = sum;
        sum += count;
    }
    for (size_t i = 0; i < c->n; i++) c->order[starts[c->refs[i] < most ? c->refs[i] : most]++] = (uint32_t)i;
}

/* Callees before callers among allowed rules, so that costs add up. marks: 0 new, 1 open, 2 done. */
static void decide(chooser *c, uint32_t rule) {
    lm_nfa *nfa = c->nfa;
    size_t depth = 0;
    if (c->marks[rule]) return;
    c->marks[rule] = 1;
    c->stack[depth++] = rule;
    while (depth > 0) {
        uint32_t at = c->stack[depth - 1];
        uint32_t next = UINT32_MAX;
        while (c->order[at] < c->first[at + 1]) { /* order: where the walk of at's uses stands */
            uint32_t used = c->uses.data[c->order[at]++];
            if (c->allowed[used] && c->marks[used] == 0) {
                next = used;
                break;
            }
        }
        if (next != UINT32_MAX) {
            c->marks[next] = 1;
            c->stack[depth++] = next;
            continue;
        }
        depth--;
        c->marks[at] = 2;
        lm_nfa_rule *own = &nfa->rules[at];
        lm_gexpr expr = nfa->pool->rules.data[at].expr;
        own->cost = lm_nfa_cost(nfa, expr);
        own->depth = nfa->depths[expr];
        own->copied = c->allowed[at] && own->depth <= MAX_COPIED_DEPTH &&
                      (c->refs[at] <= 1 || (uint64_t)own->cost * c->refs[at] <= MAX_COPIED);
    }
}

void lm_nfa_choose_copies(lm_nfa *nfa, uint32_t root) {
    const lm_env *env = nfa->env;
    chooser c = {.nfa = nfa, .n = nfa->pool->rules.count};
    size_t n_nodes = nfa->pool->nodes.count;
    uint32_t *seen = lm_alloc_array(env, n_nodes, sizeof *seen);
    c.first = lm_alloc_array(env, c.n + 1, sizeof *c.first);
    c.refs = lm_alloc_array(env, c.n, sizeof *c.refs);
    c.order = lm_alloc_array(env, c.n, sizeof *c.order);
    c.marks = lm_alloc_array(env, c.n, sizeof *c.marks);
    c.stack = lm_alloc_array(env, c.n + 1, sizeof *c.stack);
    c.allowed = lm_alloc_array(env, c.n, 1);
    if (!seen || !c.first || !c.refs || !c.order || !c.marks || !c.stack || !c.allowed) {
        fail(&c);
        goto out;
    }
    for (uint32_t rule = 0; rule < c.n; rule++)
        if (!list_uses(&c, seen, rule)) goto out;
    sort_by_refs(&c);
    uint32_t steps = MAX_CYCLE_STEPS;
    memset(c.marks, 0, c.n * sizeof *c.marks);
    for (uint32_t i = 0; i < c.n; i++) {
        uint32_t rule = c.order[i];
        if (rule != root && !closes_cycle(&c, rule, i + 1, &steps)) c.allowed[rule] = 1;
    }
    memset(c.marks, 0, c.n * sizeof *c.marks);
    for (size_t i = 0; i < c.n; i++) c.order[i] = c.first[i];
    for (uint32_t rule = 0; rule < c.n; rule++) decide(&c, rule);
out:
    lm_free(env, seen, n_nodes * sizeof *seen);
    lm_free(env, c.first, (c.n + 1) * sizeof *c.first);
    lm_free(env, c.refs, c.n * sizeof *c.refs);
    lm_free(env, c.order, c.n * sizeof *c.order);
    lm_free(env, c.marks, c.n * sizeof *c.marks);
    lm_free(env, c.stack, (c.n + 1) * sizeof *c.stack);
    lm_free(env, c.allowed, c.n);
    lm_array_free(env, &c.uses);
    lm_array_free(env, &c.todo);
}
