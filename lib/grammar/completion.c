/* SPDX-License-Identifier: MIT
 * A sweep over the states from the last to the first settles most grammars at once, since edges mostly lead to later states;
 * sweeps are repeated while anything changes. Frames are walked from the items up, each once. */
#include "completion.h"

#include <string.h>

#define MAX_SWEEPS 100
#define STEP_WORK ((uint64_t)1 << 21)
#define NONE LM_COMPLETION_NONE

static uint32_t plus(uint32_t a, uint32_t b) { return a >= NONE || b >= NONE || a + b >= NONE ? NONE : a + b; }

static uint32_t times(uint32_t a, uint32_t n) {
    return a >= NONE || (n > 0 && a > NONE / n) ? (n > 0 ? NONE : 0) : a * n;
}

/* The cheapest of an edge's targets. */
static uint32_t target_cost(const lm_grammar *g, const uint32_t *states, uint32_t edge) {
    uint32_t least = NONE, to = edge & LM_AUTOMATON_TARGET;
    if (edge == LM_AUTOMATON_DEAD) return NONE;
    if (!(edge & LM_AUTOMATON_LIST)) return states[to];
    for (uint32_t i = 0; i < g->lists[to]; i++)
        if (states[g->lists[to + 1 + i]] < least) least = states[g->lists[to + 1 + i]];
    return least;
}

static uint32_t rule_cost(const lm_grammar *g, const uint32_t *states, uint32_t rule) {
    const lm_automaton_rule *r = &g->rules[rule];
    return times(states[r->start], r->counted && r->least > 1 ? r->least : 1);
}

static uint32_t state_cost(const lm_grammar *g, const uint32_t *states, uint32_t at) {
    const lm_automaton_state *state = &g->states[at];
    const uint32_t *edges = g->next + (size_t)at * g->n_classes;
    uint32_t least = state->accept ? 0 : states[at];
    for (uint32_t k = 0; least > 1 && state->reads && k < g->n_classes; k++) {
        uint32_t cost = k == g->class_of[0] ? NONE : plus(1, target_cost(g, states, edges[k])); /* no token has a NUL */
        if (cost < least) least = cost;
    }
    for (uint32_t k = 0; least > 0 && k < state->n_calls; k++) {
        const lm_automaton_call *call = &g->calls[state->calls + k];
        uint32_t cost = plus(rule_cost(g, states, call->rule), states[call->to]);
        if (cost < least) least = cost;
    }
    return least;
}

static lm_status make_states(lm_completion *c, const lm_chart *chart) {
    const lm_grammar *g = chart->grammar;
    c->states = lm_alloc_array(chart->env, g->n_states, sizeof *c->states);
    if (!c->states) return LM_ERR_MEMORY;
    for (uint32_t i = 0; i < g->n_states; i++) c->states[i] = NONE;
    bool changed = true;
    for (int sweep = 0; changed && sweep < MAX_SWEEPS; sweep++) {
        changed = false;
        for (uint32_t i = g->n_states; i-- > 1;) {
            uint32_t cost = state_cost(g, c->states, i);
            changed = changed || cost < c->states[i];
            c->states[i] = cost;
        }
    }
    return LM_OK;
}

void lm_completion_free(lm_completion *c, const lm_grammar *grammar) {
    const lm_env *env = &grammar->env;
    lm_free(env, c->states, grammar->n_states * sizeof *c->states);
    lm_array_free(env, &c->frames);
    lm_array_free(env, &c->stamps);
    lm_array_free(env, &c->stack);
    memset(c, 0, sizeof *c);
}

/* Without what comes behind the frame. */
static uint32_t own_cost(const lm_completion *c, const lm_chart *chart, lm_chart_item item) {
    const lm_automaton_rule *rule = &chart->grammar->rules[chart->frames.data[item.frame].rule];
    uint32_t cost = c->states[item.state];
    if (rule->counted && item.count + 1 < rule->least)
        cost = plus(cost, times(c->states[rule->start], rule->least - item.count - 1));
    return cost;
}

/* Behind a frame, and all that it returns to. */
static lm_status walk(lm_completion *c, const lm_chart *chart, uint32_t frame) {
    c->stack.count = 0;
    if (!lm_array_push(chart->env, &c->stack, frame)) return LM_ERR_MEMORY;
    while (c->stack.count > 0) {
        uint32_t at = c->stack.data[c->stack.count - 1], least = NONE;
        bool ready = true, visited = c->stamps.data[at] == c->stamp;
        uint32_t link = chart->frames.data[at].links;
        if (link == LM_CHART_NONE) least = 0;
        if (!visited) {
            c->stamps.data[at] = c->stamp;
            c->frames.data[at] = NONE;
        }
        for (; link != LM_CHART_NONE; link = chart->links.data[link].next) {
            lm_chart_item back = chart->links.data[link].back;
            if (c->stamps.data[back.frame] != c->stamp) {
                ready = false;
                if (!lm_array_push(chart->env, &c->stack, back.frame)) return LM_ERR_MEMORY;
                break;
            }
            uint32_t cost = plus(own_cost(c, chart, back), c->frames.data[back.frame]);
            if (cost < least) least = cost;
        }
        if (!ready) continue;
        c->frames.data[at] = least;
        c->stack.count--;
    }
    return LM_OK;
}

/* A byte on the shortest way out of a state; 0: there is none. Where many do, one that people can read. */
static uint32_t pick_byte(const lm_grammar *g, const uint32_t *states, uint32_t at) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t byte = ('a' + i) % 256; /* letters first, then all that is beyond them, then the rest */
        if (byte == 0) continue;
        if (plus(1, target_cost(g, states, lm_automaton_next(g, at, (uint8_t)byte))) == states[at]) return byte;
    }
    return 0;
}

/* Of the last set: the cheapest item, and which. */
static lm_status cheapest(lm_completion *c, const lm_chart *chart, uint32_t *cost, lm_chart_item *which) {
    uint32_t n;
    const lm_chart_item *items = lm_chart_items(chart, &n);
    size_t before = c->stamps.count, n_frames = chart->frames.count;
    if (!lm_array_reserve(chart->env, &c->frames, n_frames) || !lm_array_reserve(chart->env, &c->stamps, n_frames))
        return LM_ERR_MEMORY;
    if (n_frames > before) {
        memset(c->stamps.data + before, 0, (n_frames - before) * sizeof *c->stamps.data);
        c->stamps.count = n_frames;
    }
    if (++c->stamp == 0) { /* it went round */
        memset(c->stamps.data, 0, c->stamps.count * sizeof *c->stamps.data);
        c->stamp = 1;
    }
    *cost = lm_chart_is_complete(chart) ? 0 : NONE;
    for (uint32_t i = 0; i<n && * cost> 0; i++) {
        if (c->stamps.data[items[i].frame] != c->stamp && walk(c, chart, items[i].frame) != LM_OK) return LM_ERR_MEMORY;
        uint32_t one = plus(own_cost(c, chart, items[i]), c->frames.data[items[i].frame]);
        /* The state of a byte to read, not one that a call or a return only passes through. */
        bool here = pick_byte(chart->grammar, c->states, items[i].state) != 0;
        if (here && one <= *cost) {
            *cost = one;
            *which = items[i];
        }
    }
    return LM_OK;
}

lm_status lm_completion_find(lm_completion *c, lm_chart *chart, uint8_t *out, size_t cap, uint32_t *n) {
    lm_chart_item item;
    uint32_t left, steps = 0;
    lm_status status = c->states ? LM_OK : make_states(c, chart);
    if (status == LM_OK) status = cheapest(c, chart, n, &item);
    if (status != LM_OK || *n >= NONE) return status;
    for (left = *n; status == LM_OK && left > 0 && steps < cap; steps++) {
        uint32_t byte = pick_byte(chart->grammar, c->states, item.state);
        chart->work = STEP_WORK;
        if (byte == 0 || lm_chart_step(chart, (uint8_t)byte) != LM_CHART_ALIVE) {
            *n = NONE;
            break;
        }
        out[steps] = (uint8_t)byte;
        status = cheapest(c, chart, &left, &item);
    }
    lm_chart_back(chart, steps);
    return status;
}
