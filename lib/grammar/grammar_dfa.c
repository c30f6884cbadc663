/* SPDX-License-Identifier: MIT
 * The subset construction. A set keeps only states that read something or end the rule; sets are found through a hash table
 * and numbered in order of discovery. Every step is paid for from nfa->work, so hostile input ends with LM_ERR_LIMIT. */
#include "grammar_dfa.h"

#include <string.h>

typedef struct set {
    uint32_t first, count, hash;
} set;

typedef struct builder {
    lm_nfa *nfa;
    uint32_t end;
    const uint8_t *useful;
    size_t max_states;
    bool strict;
    lm_dfa *out;
    LM_ARRAY(set) sets;
    LM_ARRAY(uint32_t) members;
    LM_ARRAY(uint32_t) buffer; /* the set being made */
    LM_ARRAY(uint32_t) stack;
    LM_ARRAY(lm_nfa_edge) edges; /* byte edges of the state at hand */
    LM_ARRAY(lm_nfa_edge) others;
    uint32_t *slots; /* set + 1 */
    size_t n_slots;
} builder;

static bool fail(lm_nfa *nfa, lm_status status) {
    if (nfa->status == LM_OK) nfa->status = status;
    return false;
}

static bool spend(lm_nfa *nfa, uint64_t steps) {
    if (nfa->work < steps) return fail(nfa, LM_ERR_LIMIT);
    nfa->work -= steps;
    return nfa->status == LM_OK;
}

static bool is_nullable_call(const lm_nfa *nfa, const lm_nfa_edge *edge) {
    return edge->kind == LM_NFA_CALL && nfa->rules[edge->arg].nullable;
}

/* Add state and what it reaches without reading to the buffer. */
static bool add_closure(builder *b, uint32_t state) {
    lm_nfa *nfa = b->nfa;
    if (!lm_nfa_meet(nfa, state)) return true;
    b->stack.count = 0;
    if (!lm_array_push(nfa->env, &b->stack, state)) return fail(nfa, LM_ERR_MEMORY);
    while (b->stack.count > 0) {
        uint32_t at = b->stack.data[--b->stack.count];
        if (b->useful && !b->useful[at]) continue;
        bool reads = at == b->end;
        for (uint32_t e = nfa->heads.data[at]; e != LM_NFA_NONE; e = nfa->edges.data[e].next) {
            const lm_nfa_edge *edge = &nfa->edges.data[e];
            if (!spend(nfa, 1)) return false;
            if (edge->kind != LM_NFA_EMPTY) reads = true;
            if ((edge->kind == LM_NFA_EMPTY || is_nullable_call(nfa, edge)) && lm_nfa_meet(nfa, edge->to) &&
                !lm_array_push(nfa->env, &b->stack, edge->to))
                return fail(nfa, LM_ERR_MEMORY);
        }
        if (reads && !lm_array_push(nfa->env, &b->buffer, at)) return fail(nfa, LM_ERR_MEMORY);
    }
    return true;
}

static uint32_t hash_of(const uint32_t *members, size_t n) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ members[i]) * 16777619u, hash ^= hash >> 15;
    return hash;
}

static bool grow_slots(builder *b) {
    size_t n_slots = b->n_slots ? b->n_slots * 2 : 256;
    uint32_t *slots = lm_alloc_array(b->nfa->env, n_slots, sizeof *slots);
    if (!slots) return fail(b->nfa, LM_ERR_MEMORY);
    lm_free(b->nfa->env, b->slots, b->n_slots * sizeof *slots);
    b->slots = slots;
    b->n_slots = n_slots;
    for (size_t i = 1; i < b->sets.count; i++) { /* not the start: nothing may lead back to it */
        size_t slot = b->sets.data[i].hash & (n_slots - 1);
        while (slots[slot]) slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    return true;
}

/* The number of the set of these members, which are sorted. */
static bool intern_set(builder *b, const uint32_t *members, size_t n, bool is_start, uint32_t *out) {
    const lm_env *env = b->nfa->env;
    uint32_t hash = hash_of(members, n);
    if ((b->sets.count + 1) * 2 > b->n_slots && !grow_slots(b)) return false;
    size_t slot = hash & (b->n_slots - 1);
    for (; !is_start && b->slots[slot]; slot = (slot + 1) & (b->n_slots - 1)) {
        const set *known = &b->sets.data[b->slots[slot] - 1];
        if (known->hash != hash || known->count != n) continue;
        if (memcmp(b->members.data + known->first, members, n * sizeof *members) == 0) {
            *out = b->slots[slot] - 1;
            return true;
        }
    }
    if (b->sets.count >= LM_NFA_MAX_STATES) return fail(b->nfa, LM_ERR_LIMIT);
    set made = {(uint32_t)b->members.count, (uint32_t)n, hash};
    lm_dfa_state state = {0};
    if (!lm_array_reserve(env, &b->members, n) || !lm_array_push(env, &b->sets, made) ||
        !lm_array_push(env, &b->out->states, state))
        return fail(b->nfa, LM_ERR_MEMORY);
    if (n > 0) memcpy(b->members.data + made.first, members, n * sizeof *members);
    b->members.count += n;
    if (!is_start) b->slots[slot] = (uint32_t)b->sets.count;
    *out = (uint32_t)(b->sets.count - 1);
    return true;
}

/* Make the buffer a target: one state, or a list of one-member states once there are too many sets. */
static bool intern_buffer(builder *b, bool is_start, uint32_t *out) {
    const lm_env *env = b->nfa->env;
    lm_sort_u32(b->buffer.data, b->buffer.count);
    if (!spend(b->nfa, 4 * (uint64_t)b->buffer.count + 4)) return false;
    if (is_start || b->buffer.count <= 1 || b->sets.count < b->max_states)
        return intern_set(b, b->buffer.data, b->buffer.count, is_start, out);
    if (b->strict) return fail(b->nfa, LM_ERR_LIMIT);
    if (!lm_array_reserve(env, &b->out->lists, b->buffer.count + 1)) return fail(b->nfa, LM_ERR_MEMORY);
    uint32_t list = (uint32_t)b->out->lists.count;
    b->out->lists.data[b->out->lists.count++] = (uint32_t)b->buffer.count;
    for (size_t i = 0; i < b->buffer.count; i++) {
        uint32_t single;
        if (!intern_set(b, &b->buffer.data[i], 1, false, &single)) return false;
        b->out->lists.data[b->out->lists.count++] = single;
    }
    *out = list | LM_DFA_LIST;
    return true;
}

static bool gather(builder *b, uint32_t id) {
    lm_nfa *nfa = b->nfa;
    b->edges.count = b->others.count = 0;
    const set *at = &b->sets.data[id];
    for (uint32_t i = 0; i < at->count; i++) {
        uint32_t state = b->members.data[at->first + i];
        if (state == b->end) b->out->states.data[id].accept = true;
        for (uint32_t e = nfa->heads.data[state]; e != LM_NFA_NONE; e = nfa->edges.data[e].next) {
            lm_nfa_edge edge = nfa->edges.data[e];
            if (!spend(nfa, 1)) return false;
            if (edge.kind == LM_NFA_EMPTY || (b->useful && !b->useful[edge.to])) continue;
            if (edge.kind == LM_NFA_CALL && b->strict) return fail(nfa, LM_ERR_UNSUPPORTED);
            if (edge.kind == LM_NFA_CALL && !nfa->rules[edge.arg].productive) continue;
            bool done = edge.kind == LM_NFA_BYTES ? lm_array_push(nfa->env, &b->edges, edge)
                                                  : lm_array_push(nfa->env, &b->others, edge);
            if (!done) return fail(nfa, LM_ERR_MEMORY);
        }
    }
    return true;
}

static bool add_byte_edges(builder *b, uint32_t id) {
    bool cut[257] = {false};
    for (size_t i = 0; i < b->edges.count; i++) {
        cut[b->edges.data[i].lo] = true;
        cut[(size_t)b->edges.data[i].hi + 1] = true;
    }
    b->out->states.data[id].edges = (uint32_t)b->out->edges.count;
    for (uint32_t lo = 0; lo < 256; lo++) {
        if (lo > 0 && !cut[lo]) continue;
        uint32_t hi = lo;
        while (hi < 255 && !cut[hi + 1]) hi++;
        uint8_t literal = 0;
        b->buffer.count = 0;
        if (!spend(b->nfa, b->edges.count + 1) || !lm_nfa_begin_visit(b->nfa)) return false;
        for (size_t i = 0; i < b->edges.count; i++) {
            const lm_nfa_edge *edge = &b->edges.data[i];
            if (edge->lo > lo || edge->hi < lo) continue;
            literal |= edge->literal;
            if (!add_closure(b, edge->to)) return false;
        }
        if (b->buffer.count == 0) continue;
        lm_dfa_edge edge = {0, (uint8_t)lo, (uint8_t)hi, literal};
        if (!intern_buffer(b, false, &edge.to)) return false;
        if (!lm_array_push(b->nfa->env, &b->out->edges, edge)) return fail(b->nfa, LM_ERR_MEMORY);
        b->out->states.data[id].n_edges++;
    }
    return true;
}

/* Calls of one rule, and tokens of one id, join their targets as bytes do. */
static bool add_other_edges(builder *b, uint32_t id) {
    b->out->states.data[id].calls = (uint32_t)b->out->calls.count;
    b->out->states.data[id].tokens = (uint32_t)b->out->tokens.count;
    for (size_t i = 0; i < b->others.count; i++) {
        lm_nfa_edge edge = b->others.data[i];
        if (edge.kind == LM_NFA_EMPTY) continue;
        b->buffer.count = 0;
        if (!spend(b->nfa, b->others.count - i) || !lm_nfa_begin_visit(b->nfa)) return false;
        for (size_t j = i; j < b->others.count; j++) {
            lm_nfa_edge *same = &b->others.data[j];
            if (same->kind != edge.kind || same->arg != edge.arg || same->lo != edge.lo) continue;
            if (!add_closure(b, same->to)) return false;
            same->kind = LM_NFA_EMPTY;
        }
        if (b->buffer.count == 0) continue;
        lm_dfa_call call = {edge.arg, 0, edge.lo};
        if (!intern_buffer(b, false, &call.to)) return false;
        bool done = edge.kind == LM_NFA_CALL ? lm_array_push(b->nfa->env, &b->out->calls, call)
                                             : lm_array_push(b->nfa->env, &b->out->tokens, call);
        if (!done) return fail(b->nfa, LM_ERR_MEMORY);
        if (edge.kind == LM_NFA_CALL)
            b->out->states.data[id].n_calls++;
        else
            b->out->states.data[id].n_tokens++;
    }
    return true;
}

void lm_dfa_create(lm_nfa *nfa, uint32_t start, uint32_t end, const uint8_t *useful, size_t max_states, bool strict,
                   lm_dfa *out) {
    builder b = {.nfa = nfa, .end = end, .useful = useful, .max_states = max_states, .strict = strict, .out = out};
    uint32_t first;
    memset(out, 0, sizeof *out);
    if (!lm_nfa_begin_visit(nfa) || !add_closure(&b, start) || !intern_buffer(&b, true, &first)) goto out;
    for (uint32_t id = 0; id < b.sets.count; id++)
        if (!gather(&b, id) || !add_byte_edges(&b, id) || !add_other_edges(&b, id)) goto out;
out:
    lm_free(nfa->env, b.slots, b.n_slots * sizeof *b.slots);
    lm_array_free(nfa->env, &b.sets);
    lm_array_free(nfa->env, &b.members);
    lm_array_free(nfa->env, &b.buffer);
    lm_array_free(nfa->env, &b.stack);
    lm_array_free(nfa->env, &b.edges);
    lm_array_free(nfa->env, &b.others);
}

void lm_dfa_free(const lm_env *env, lm_dfa *dfa) {
    lm_array_free(env, &dfa->states);
    lm_array_free(env, &dfa->edges);
    lm_array_free(env, &dfa->calls);
    lm_array_free(env, &dfa->tokens);
    lm_array_free(env, &dfa->lists);
}
