/* SPDX-License-Identifier: MIT
 * Joining the deterministic rules into one automaton. Bytes that no state tells apart share a column of the table, which
 * is what keeps a table row small enough for the cache: a JSON grammar has 40 to 100 columns. */
#include <string.h>

#include "../base/format.h"
#include "grammar_compile.h"

#define MAX_TABLE_BYTES ((size_t)128 << 20)
#define NO_CLASS 0xFFFFu

typedef struct packer {
    const lm_nfa *nfa;
    const lm_dfa *dfas;
    size_t n_rules;
    const uint32_t *index;
    uint32_t *bases; /* [n_rules] number of each rule's state 0 */
    uint8_t *barren; /* [n_rules] matches the empty text alone: calling it would leave a state that reads nothing */
    uint16_t class_of[256];
    uint32_t n_classes;
    lm_grammar *made;
} packer;

static bool is_barren(const packer *p, size_t rule) {
    const lm_dfa *dfa = &p->dfas[rule];
    if (dfa->states.count == 0) return true;
    const lm_dfa_state *start = &dfa->states.data[0];
    for (uint32_t i = 0; i < start->n_calls; i++)
        if (!p->barren[p->index[dfa->calls.data[start->calls + i].arg]]) return false;
    return start->n_edges == 0 && start->n_tokens == 0;
}

static void find_barren(packer *p) {
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < p->n_rules; i++) {
            if (p->barren[i] || !is_barren(p, i)) continue;
            p->barren[i] = 1;
            changed = true;
        }
    }
}

/* Refine the partition of the bytes by one state's edges: two bytes stay together when they go to the same target. */
static void refine(packer *p, const lm_dfa *dfa, const lm_dfa_state *state) {
    struct {
        uint16_t old, fresh;
        uint64_t target;
    } seen[256];
    uint64_t target[256];
    uint16_t slots[512];
    uint32_t n_seen = 0;
    for (size_t i = 0; i < 256; i++) target[i] = UINT64_MAX;
    for (uint32_t i = 0; i < state->n_edges; i++) {
        const lm_dfa_edge *edge = &dfa->edges.data[state->edges + i];
        for (uint32_t byte = edge->lo; byte <= edge->hi; byte++)
            target[byte] = edge->to | (uint64_t)edge->literal << 32;
    }
    memset(slots, 0xFF, sizeof slots);
    for (size_t byte = 0; byte < 256; byte++) {
        uint16_t old = p->class_of[byte];
        size_t slot = (size_t)((target[byte] * 0x9E3779B97F4A7C15u >> 40) + old * 31u) & 511;
        while (slots[slot] != NO_CLASS && (seen[slots[slot]].old != old || seen[slots[slot]].target != target[byte]))
            slot = (slot + 1) & 511;
        if (slots[slot] == NO_CLASS) {
            seen[n_seen].old = old;
            seen[n_seen].target = target[byte];
            seen[n_seen].fresh = (uint16_t)n_seen;
            slots[slot] = (uint16_t)n_seen++;
        }
        p->class_of[byte] = seen[slots[slot]].fresh;
    }
    p->n_classes = n_seen;
}

static uint32_t target_of(uint32_t base, uint32_t list_base, uint32_t to) {
    return to & LM_DFA_LIST ? LM_AUTOMATON_LIST | (list_base + (to & ~LM_DFA_LIST)) : base + to;
}

static void fill_state(packer *p, size_t rule, uint32_t id, uint32_t list_base) {
    lm_grammar *g = p->made;
    const lm_dfa *dfa = &p->dfas[rule];
    const lm_dfa_state *from = &dfa->states.data[id];
    uint32_t base = p->bases[rule];
    lm_automaton_state *state = &g->states[base + id];
    uint32_t *row = g->next + (size_t)(base + id) * g->n_classes;
    for (uint32_t i = 0; i < from->n_edges; i++) {
        const lm_dfa_edge *edge = &dfa->edges.data[from->edges + i];
        uint32_t to = target_of(base, list_base, edge->to) | (edge->literal ? LM_AUTOMATON_LITERAL : 0);
        for (uint32_t byte = edge->lo; byte <= edge->hi; byte++) row[g->class_of[byte]] = to;
    }
    state->rule = (uint32_t)rule;
    state->accept = from->accept && !(id == 0 && g->rules[rule].counted);
    state->calls = (uint32_t)g->n_calls;
    state->tokens = (uint32_t)g->n_tokens;
    for (uint32_t i = 0; i < from->n_calls; i++) {
        const lm_dfa_call *call = &dfa->calls.data[from->calls + i];
        uint32_t called = p->index[call->arg];
        if (p->barren[called]) continue;
        bool listed = call->to & LM_DFA_LIST;
        const uint32_t *list = listed ? dfa->lists.data + (call->to & ~LM_DFA_LIST) : NULL;
        uint32_t n = listed ? list[0] : 1;
        for (uint32_t j = 0; j < n; j++) {
            uint32_t to = listed ? list[1 + j] : call->to;
            const lm_dfa_state *back = &dfa->states.data[to];
            bool tail = back->n_edges == 0 && back->n_calls == 0 && back->n_tokens == 0 && !g->rules[rule].counted;
            g->calls[g->n_calls++] = (lm_automaton_call){called, base + to, tail};
            state->n_calls++;
        }
    }
    for (uint32_t i = 0; i < from->n_tokens; i++) {
        const lm_dfa_call *token = &dfa->tokens.data[from->tokens + i];
        bool listed = token->to & LM_DFA_LIST;
        const uint32_t *list = listed ? dfa->lists.data + (token->to & ~LM_DFA_LIST) : NULL;
        uint32_t n = listed ? list[0] : 1;
        for (uint32_t j = 0; j < n; j++) {
            g->tokens[g->n_tokens++] =
                (lm_automaton_token){token->arg, base + (listed ? list[1 + j] : token->to), token->negated};
            state->n_tokens++;
        }
    }
    state->plain = !state->accept && state->n_calls == 0;
    state->reads = from->n_edges > 0;
    state->only = LM_AUTOMATON_NONE;
    if (from->n_edges > 0) {
        const lm_dfa_edge *edge = &dfa->edges.data[from->edges];
        state->only = from->n_edges == 1 && edge->lo == edge->hi ? edge->lo : LM_AUTOMATON_MANY;
    }
}

/* How many entries a list of targets stands for. */
static size_t spread(const lm_dfa *dfa, uint32_t to) {
    return to & LM_DFA_LIST ? dfa->lists.data[to & ~LM_DFA_LIST] : 1;
}

lm_status lm_grammar_pack(const lm_nfa *nfa, const lm_dfa *dfas, const uint32_t *numbers, size_t n_rules,
                          const uint32_t *index, lm_grammar **out, lm_error *error) {
    const lm_env *env = nfa->env;
    packer p = {.nfa = nfa, .dfas = dfas, .n_rules = n_rules, .index = index, .n_classes = 1};
    size_t n_states = 1, n_calls = 0, n_tokens = 0, n_lists = 0;
    lm_status status = LM_ERR_MEMORY;
    lm_grammar *g = lm_alloc_zeroed(env, sizeof *g);
    if (g) g->env = *env;
    p.bases = lm_alloc_array(env, n_rules, sizeof *p.bases);
    p.barren = lm_alloc_array(env, n_rules, 1);
    if (!g || !p.bases || !p.barren) goto out;
    atomic_init(&g->references, 1);
    atomic_init(&g->masks, NULL);
    p.made = g;
    find_barren(&p);
    for (size_t i = 0; i < n_rules; i++) {
        p.bases[i] = (uint32_t)n_states;
        n_states += dfas[i].states.count;
        n_lists += dfas[i].lists.count;
        for (size_t j = 0; j < dfas[i].states.count; j++) {
            const lm_dfa_state *state = &dfas[i].states.data[j];
            size_t calls = n_calls, tokens = n_tokens;
            refine(&p, &dfas[i], state);
            for (uint32_t k = 0; k < state->n_calls; k++)
                n_calls += spread(&dfas[i], dfas[i].calls.data[state->calls + k].to);
            for (uint32_t k = 0; k < state->n_tokens; k++)
                n_tokens += spread(&dfas[i], dfas[i].tokens.data[state->tokens + k].to);
            if (n_calls - calls > UINT16_MAX || n_tokens - tokens > UINT16_MAX) status = LM_ERR_LIMIT;
        }
    }
    if (n_states * p.n_classes > MAX_TABLE_BYTES / sizeof(uint32_t) || n_calls > UINT32_MAX / 2 ||
        n_tokens > UINT32_MAX / 2 || n_lists > LM_AUTOMATON_TARGET || n_states > LM_AUTOMATON_TARGET)
        status = LM_ERR_LIMIT;
    if (status == LM_ERR_LIMIT) {
        lm_error_set(error, status, "grammar: the automaton is too large (%zu states)", n_states);
        goto out;
    }
    for (size_t byte = 0; byte < 256; byte++) g->class_of[byte] = (uint8_t)p.class_of[byte];
    g->n_classes = p.n_classes;
    g->n_states = (uint32_t)n_states;
    g->n_rules = (uint32_t)n_rules;
    g->next = lm_alloc_array(env, n_states * p.n_classes, sizeof *g->next);
    g->states = lm_alloc_array(env, n_states, sizeof *g->states);
    g->calls = lm_alloc_array(env, n_calls, sizeof *g->calls);
    g->tokens = lm_alloc_array(env, n_tokens, sizeof *g->tokens);
    g->rules = lm_alloc_array(env, n_rules, sizeof *g->rules);
    g->lists = lm_alloc_array(env, n_lists, sizeof *g->lists);
    g->calls_capacity = n_calls;
    g->tokens_capacity = n_tokens;
    g->lists_capacity = n_lists;
    if (!g->next || !g->states || !g->calls || !g->tokens || !g->rules || !g->lists) goto out;
    for (size_t i = 0; i < n_rules; i++) {
        const lm_grammar_rule_def *def = &nfa->pool->rules.data[numbers[i]];
        bool counted = !(def->least == 1 && def->most == 1);
        g->rules[i] = (lm_automaton_rule){p.bases[i], def->least, def->most, counted};
    }
    size_t list_base = 0;
    for (size_t i = 0; i < n_rules; i++) {
        const lm_dfa *dfa = &dfas[i];
        for (size_t j = 0; j < dfa->lists.count;) {
            uint32_t n = dfa->lists.data[j];
            g->lists[list_base + j++] = n;
            for (; n > 0; n--, j++) g->lists[list_base + j] = p.bases[i] + dfa->lists.data[j];
        }
        for (uint32_t j = 0; j < dfa->states.count; j++) fill_state(&p, i, j, (uint32_t)list_base);
        list_base += dfa->lists.count;
    }
    *out = g;
    g = NULL;
    status = LM_OK;
out:
    lm_free(env, p.bases, n_rules * sizeof *p.bases);
    lm_free(env, p.barren, n_rules);
    lm_grammar_free(g);
    return status;
}

void lm_grammar_free(lm_grammar *g) {
    if (!g) return;
    lm_env env = g->env;
    lm_free(&env, g->next, (size_t)g->n_states * g->n_classes * sizeof *g->next);
    lm_free(&env, g->states, g->n_states * sizeof *g->states);
    lm_free(&env, g->calls, g->calls_capacity * sizeof *g->calls);
    lm_free(&env, g->tokens, g->tokens_capacity * sizeof *g->tokens);
    lm_free(&env, g->rules, g->n_rules * sizeof *g->rules);
    lm_free(&env, g->lists, g->lists_capacity * sizeof *g->lists);
    lm_free(&env, g, sizeof *g);
}

size_t lm_grammar_table_bytes(const lm_grammar *g) {
    return sizeof *g + (size_t)g->n_states * g->n_classes * sizeof *g->next + g->n_states * sizeof *g->states +
           g->calls_capacity * sizeof *g->calls + g->tokens_capacity * sizeof *g->tokens +
           g->n_rules * sizeof *g->rules + g->lists_capacity * sizeof *g->lists;
}
