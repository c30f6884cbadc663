/* SPDX-License-Identifier: MIT
 * Intersection and difference of two expressions without rules: both are made deterministic and walked in step. Schemas need
 * it where two demands meet in one text: a pattern with a length, a key that is none of the declared ones. */
#include <string.h>

#include "grammar_dfa.h"

#define MAX_SIDE 50000u
#define GONE UINT32_MAX /* the subtracted side no longer follows */

typedef struct pair {
    uint32_t a, b, state;
} pair;

typedef struct product {
    lm_nfa *nfa;
    lm_dfa a, b;
    LM_ARRAY(pair) pairs;
    uint32_t *slots; /* pair + 1 */
    size_t n_slots;
} product;

static bool grow(product *p) {
    size_t n_slots = p->n_slots ? p->n_slots * 2 : 256;
    uint32_t *slots = lm_alloc_array(p->nfa->env, n_slots, sizeof *slots);
    if (!slots) {
        p->nfa->status = LM_ERR_MEMORY;
        return false;
    }
    lm_free(p->nfa->env, p->slots, p->n_slots * sizeof *slots);
    p->slots = slots;
    p->n_slots = n_slots;
    for (size_t i = 0; i < p->pairs.count; i++) {
        size_t slot = (p->pairs.data[i].a * 2654435761u ^ p->pairs.data[i].b * 40503u) & (n_slots - 1);
        while (slots[slot]) slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    return true;
}

/* The nfa state of a pair, made when new. */
static uint32_t state_of(product *p, uint32_t a, uint32_t b) {
    if ((p->pairs.count + 1) * 2 > p->n_slots && !grow(p)) return 0;
    size_t slot = (a * 2654435761u ^ b * 40503u) & (p->n_slots - 1);
    for (; p->slots[slot]; slot = (slot + 1) & (p->n_slots - 1)) {
        const pair *known = &p->pairs.data[p->slots[slot] - 1];
        if (known->a == a && known->b == b) return known->state;
    }
    pair made = {a, b, lm_nfa_add_state(p->nfa)};
    if (p->nfa->status != LM_OK) return 0;
    if (!lm_array_push(p->nfa->env, &p->pairs, made)) {
        p->nfa->status = LM_ERR_MEMORY;
        return 0;
    }
    p->slots[slot] = (uint32_t)p->pairs.count;
    return made.state;
}

static void add(product *p, uint32_t from, uint32_t to, uint8_t lo, uint8_t hi, uint8_t literal) {
    lm_nfa_add_edge(p->nfa, from,
                    (lm_nfa_edge){.to = to, .kind = LM_NFA_BYTES, .lo = lo, .hi = hi, .literal = literal});
}

static void walk(product *p, bool except, pair at, uint32_t to) {
    static const lm_dfa_state none = {0};
    const lm_dfa_state *a = &p->a.states.data[at.a], *b = at.b == GONE ? &none : &p->b.states.data[at.b];
    if (a->accept && b->accept != except)
        lm_nfa_add_edge(p->nfa, at.state, (lm_nfa_edge){.to = to, .kind = LM_NFA_EMPTY});
    uint32_t j = 0;
    for (uint32_t i = 0; i < a->n_edges && p->nfa->status == LM_OK; i++) {
        lm_dfa_edge edge = p->a.edges.data[a->edges + i];
        uint32_t lo = edge.lo;
        while (lo <= edge.hi && p->nfa->status == LM_OK) {
            while (j < b->n_edges && p->b.edges.data[b->edges + j].hi < lo) j++;
            const lm_dfa_edge *other = j < b->n_edges ? &p->b.edges.data[b->edges + j] : NULL;
            if (!other || other->lo > edge.hi) {
                if (except) add(p, at.state, state_of(p, edge.to, GONE), (uint8_t)lo, edge.hi, edge.literal);
                break;
            }
            if (other->lo > lo) {
                if (except)
                    add(p, at.state, state_of(p, edge.to, GONE), (uint8_t)lo, (uint8_t)(other->lo - 1), edge.literal);
                lo = other->lo;
            }
            uint8_t hi = other->hi < edge.hi ? other->hi : edge.hi;
            add(p, at.state, state_of(p, edge.to, other->to), (uint8_t)lo, hi, edge.literal);
            lo = (uint32_t)hi + 1;
        }
    }
}

static void determinize(lm_nfa *nfa, lm_gexpr expr, lm_dfa *out) {
    uint32_t start = lm_nfa_add_state(nfa), end = lm_nfa_add_state(nfa);
    lm_nfa_build(nfa, expr, start, end);
    lm_dfa_create(nfa, start, end, NULL, MAX_SIDE, true, out);
}

void lm_dfa_build_product(lm_nfa *nfa, lm_gexpr_node node, uint32_t from, uint32_t to) {
    bool except = node.kind == LM_GEXPR_KIND_EXCEPT;
    product p;
    memset(&p, 0, sizeof p);
    p.nfa = nfa;
    nfa->write_out++;
    determinize(nfa, node.a, &p.a);
    determinize(nfa, node.b, &p.b);
    nfa->write_out--;
    if (nfa->status == LM_OK) {
        uint32_t first = state_of(&p, 0, 0);
        lm_nfa_add_edge(nfa, from, (lm_nfa_edge){.to = first, .kind = LM_NFA_EMPTY});
    }
    for (size_t i = 0; nfa->status == LM_OK && i < p.pairs.count; i++) walk(&p, except, p.pairs.data[i], to);
    lm_free(nfa->env, p.slots, p.n_slots * sizeof *p.slots);
    lm_array_free(nfa->env, &p.pairs);
    lm_dfa_free(nfa->env, &p.a);
    lm_dfa_free(nfa->env, &p.b);
}
