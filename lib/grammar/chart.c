/* SPDX-License-Identifier: MIT
 * Reading a byte: move every item along its edge, then close the new set under calls and returns. Empty matches never come
 * up here, as the compiler has passed them by; so a rule ends at the earliest one byte after its frame was made, when the
 * frame's list of returns is final. A call whose return does nothing but return hands its own returns down instead, which
 * keeps right recursion flat. */
#include "chart.h"

#include <string.h>

#define MAX_ITEMS 1000000u /* in one set */
#define START_WORK ((uint64_t)1 << 20)
#define FEW 8u /* up to here a linear search is faster than hashing */

lm_status lm_chart_init(lm_chart *chart, const lm_env *env, const lm_grammar *grammar) {
    memset(chart, 0, sizeof *chart);
    chart->env = env;
    chart->grammar = grammar;
    chart->unknown = LM_CHART_NONE;
    chart->rule_frames = lm_alloc_array(env, grammar->n_rules, sizeof *chart->rule_frames);
    if (!chart->rule_frames) return LM_ERR_MEMORY;
    for (uint32_t i = 0; i < grammar->n_rules; i++) chart->rule_frames[i] = LM_CHART_NONE;
    return LM_OK;
}

static void free_seen(const lm_env *env, lm_chart_seen *seen) {
    lm_free(env, seen->slots, seen->n_slots * 2 * sizeof *seen->slots);
    memset(seen, 0, sizeof *seen);
}

void lm_chart_free(lm_chart *chart) {
    if (!chart->env) return;
    lm_array_free(chart->env, &chart->sets);
    lm_array_free(chart->env, &chart->items);
    lm_array_free(chart->env, &chart->frames);
    lm_array_free(chart->env, &chart->links);
    lm_array_free(chart->env, &chart->again);
    lm_free(chart->env, chart->rule_frames, chart->grammar->n_rules * sizeof *chart->rule_frames);
    free_seen(chart->env, &chart->seen_items);
    free_seen(chart->env, &chart->seen_links);
    chart->env = NULL;
}

void lm_chart_clear(lm_chart *chart) {
    chart->sets.count = chart->items.count = chart->frames.count = chart->links.count = 0;
    chart->position = 0;
    chart->unknown = LM_CHART_NONE;
}

static bool fail(lm_chart *chart, lm_status status) {
    chart->failure = status;
    return false;
}

static bool reserve_seen(const lm_env *env, lm_chart_seen *seen, uint32_t *grown) {
    *grown = 0;
    if ((seen->count + 1) * 2 <= seen->n_slots) return true;
    size_t n = seen->n_slots ? seen->n_slots * 2 : 64;
    uint32_t *slots = lm_alloc_array(env, n, 2 * sizeof *slots);
    if (!slots) return false;
    lm_free(env, seen->slots, seen->n_slots * 2 * sizeof *slots);
    seen->slots = slots;
    seen->n_slots = n;
    seen->generation = 1;
    seen->count = 0;
    *grown = 1;
    return true;
}

static void empty_seen(lm_chart_seen *seen) {
    seen->count = 0;
    if (++seen->generation == 0) {
        memset(seen->slots, 0, seen->n_slots * 2 * sizeof *seen->slots);
        seen->generation = 1;
    }
}

static void put_seen(lm_chart_seen *seen, uint32_t hash, uint32_t index) {
    size_t slot = hash & (seen->n_slots - 1);
    while (seen->slots[2 * slot] == seen->generation) slot = (slot + 1) & (seen->n_slots - 1);
    seen->slots[2 * slot] = seen->generation;
    seen->slots[2 * slot + 1] = index;
    seen->count++;
}

bool lm_chart_spend(lm_chart *chart, uint64_t work) {
    if (work > chart->work) return fail(chart, LM_ERR_LIMIT);
    chart->work -= work;
    return true;
}

/* Whether the end of the repetition at hand is one too few. */
static bool needs_more(const lm_automaton_rule *rule, uint32_t count) { return count + 1 < rule->least; }

/* Of two items in one place, rules that count apart, only one is kept. Where a counted rule has repeated often enough, all that
 * may follow the larger count may follow the smaller one: it leaves more room. So of nested repetitions there are as many items
 * as places to begin at, and not as many as ways to count. */
static bool same_place(const lm_chart *chart, lm_chart_item a, lm_chart_item b) {
    if (a.state != b.state || a.frame != b.frame) return false;
    if (a.count == b.count) return true;
    const lm_automaton_rule *rule = &chart->grammar->rules[chart->grammar->states[a.state].rule];
    return !needs_more(rule, a.count) && !needs_more(rule, b.count);
}

static uint32_t hash_place(const lm_chart *chart, lm_chart_item item, uint32_t salt) {
    const lm_automaton_rule *rule = &chart->grammar->rules[chart->grammar->states[item.state].rule];
    uint32_t count = needs_more(rule, item.count) ? item.count : rule->least;
    uint32_t hash = item.state * 2654435761u ^ item.frame * 2246822519u ^ count * 3266489917u ^ salt * 668265263u;
    return hash ^ hash >> 15;
}

bool lm_chart_add(lm_chart *chart, lm_chart_item item) {
    if (!lm_chart_spend(chart, 1)) return false;
    uint32_t first = chart->sets.data[chart->sets.count - 1].items, n = (uint32_t)chart->items.count - first, known = n;
    lm_chart_item *items = n > 0 ? chart->items.data + first : NULL;
    lm_chart_seen *seen = &chart->seen_items;
    if (n <= FEW) {
        for (known = 0; known < n && !same_place(chart, items[known], item);) known++;
    } else {
        if (n == FEW + 1) empty_seen(seen);
        uint32_t grown, hash = hash_place(chart, item, 0);
        if (!reserve_seen(chart->env, seen, &grown)) return fail(chart, LM_ERR_MEMORY);
        if (n == FEW + 1 || grown)
            for (uint32_t i = 0; i < n; i++) put_seen(seen, hash_place(chart, items[i], 0), i);
        size_t slot = hash & (seen->n_slots - 1);
        for (; known == n && seen->slots[2 * slot] == seen->generation; slot = (slot + 1) & (seen->n_slots - 1))
            if (same_place(chart, items[seen->slots[2 * slot + 1]], item)) known = seen->slots[2 * slot + 1];
        if (known == n) put_seen(seen, hash, n);
    }
    if (known < n) {
        if (items[known].count <= item.count) return true;
        items[known].count = item.count;
        /* What it leads to is seen to once more, if that was done with the larger count. */
        return first + known >= chart->n_closed || lm_array_push(chart->env, &chart->again, first + known) ||
               fail(chart, LM_ERR_MEMORY);
    }
    if (n >= MAX_ITEMS) return fail(chart, LM_ERR_LIMIT);
    return lm_array_push(chart->env, &chart->items, item) || fail(chart, LM_ERR_MEMORY);
}

/* Add a place to return to, once. */
static bool add_link(lm_chart *chart, uint32_t frame, lm_chart_item back) {
    if (!lm_chart_spend(chart, 1)) return false;
    uint32_t first = chart->sets.data[chart->sets.count - 1].links, n = (uint32_t)chart->links.count - first;
    lm_chart_seen *seen = &chart->seen_links;
    lm_chart_link link = {chart->frames.data[frame].links, frame, back}, *links = chart->links.data;
    uint32_t known = LM_CHART_NONE;
    if (n <= FEW) {
        for (known = link.next; known != LM_CHART_NONE && !same_place(chart, links[known].back, back);)
            known = links[known].next;
    } else {
        if (n == FEW + 1) empty_seen(seen);
        uint32_t grown;
        if (!reserve_seen(chart->env, seen, &grown)) return fail(chart, LM_ERR_MEMORY);
        if (n == FEW + 1 || grown)
            for (uint32_t i = first; i < first + n; i++)
                put_seen(seen, hash_place(chart, links[i].back, links[i].owner + 1), i);
        uint32_t hash = hash_place(chart, back, frame + 1);
        size_t slot = hash & (seen->n_slots - 1);
        for (; known == LM_CHART_NONE && seen->slots[2 * slot] == seen->generation;
             slot = (slot + 1) & (seen->n_slots - 1)) {
            uint32_t at = seen->slots[2 * slot + 1];
            if (same_place(chart, links[at].back, back) && links[at].owner == frame) known = at;
        }
        if (known == LM_CHART_NONE) put_seen(seen, hash, first + n);
    }
    if (known != LM_CHART_NONE) {
        if (links[known].back.count > back.count) links[known].back.count = back.count;
        return true;
    }
    if (n >= MAX_ITEMS) return fail(chart, LM_ERR_LIMIT);
    if (!lm_array_push(chart->env, &chart->links, link)) return fail(chart, LM_ERR_MEMORY);
    chart->frames.data[frame].links = first + n;
    return true;
}

static bool call(lm_chart *chart, lm_chart_item item, const lm_automaton_call *edge) {
    const lm_chart_set *set = &chart->sets.data[chart->sets.count - 1];
    uint32_t frame = chart->rule_frames[edge->rule];
    if (frame == LM_CHART_NONE || frame < set->frames || frame >= chart->frames.count ||
        chart->frames.data[frame].rule != edge->rule) {
        lm_chart_frame made = {edge->rule, chart->position, LM_CHART_NONE};
        frame = (uint32_t)chart->frames.count;
        if (!lm_array_push(chart->env, &chart->frames, made)) return fail(chart, LM_ERR_MEMORY);
        chart->rule_frames[edge->rule] = frame;
        if (!lm_chart_add(chart, (lm_chart_item){chart->grammar->rules[edge->rule].start, frame, 0})) return false;
    }
    const lm_chart_frame *caller = &chart->frames.data[item.frame];
    if (edge->tail && caller->links != LM_CHART_NONE && caller->position != chart->position) {
        for (uint32_t i = caller->links; i != LM_CHART_NONE; i = chart->links.data[i].next)
            if (!add_link(chart, frame, chart->links.data[i].back)) return false;
        return true;
    }
    return add_link(chart, frame, (lm_chart_item){edge->to, item.frame, item.count});
}

/* The text of item's rule ends here. */
static bool finish(lm_chart *chart, lm_chart_item item) {
    const lm_automaton_rule *rule = &chart->grammar->rules[chart->frames.data[item.frame].rule];
    if (chart->frames.data[item.frame].position == chart->position) return true;
    if (rule->counted) {
        bool open = rule->most == LM_GRAMMAR_UNBOUNDED;
        uint32_t count = open && item.count >= rule->least ? item.count : item.count + 1;
        if ((open || count < rule->most) && !lm_chart_add(chart, (lm_chart_item){rule->start, item.frame, count}))
            return false;
        if (count < rule->least) return true;
    }
    if (item.frame == chart->unknown) chart->sets.data[chart->sets.count - 1].escaped = 1;
    for (uint32_t i = chart->frames.data[item.frame].links; i != LM_CHART_NONE; i = chart->links.data[i].next)
        if (!lm_chart_add(chart, chart->links.data[i].back)) return false;
    return true;
}

bool lm_chart_open(lm_chart *chart) {
    lm_chart_set set = {(uint32_t)chart->items.count, (uint32_t)chart->frames.count, (uint32_t)chart->links.count, 0};
    if (chart->position >= UINT32_MAX - 2 || chart->items.count > UINT32_MAX / 2 || chart->links.count > UINT32_MAX / 2)
        return fail(chart, LM_ERR_LIMIT);
    if (!lm_array_push(chart->env, &chart->sets, set)) return fail(chart, LM_ERR_MEMORY);
    chart->n_closed = chart->items.count;
    if (chart->sets.count > 1) chart->position++;
    return true;
}

static void drop(lm_chart *chart) {
    const lm_chart_set *set = &chart->sets.data[--chart->sets.count];
    chart->items.count = set->items;
    chart->frames.count = set->frames;
    chart->links.count = set->links;
    if (chart->sets.count > 0) chart->position--;
}

static bool close_set(lm_chart *chart) {
    chart->again.count = 0;
    chart->n_closed = chart->sets.data[chart->sets.count - 1].items;
    while (chart->again.count > 0 || chart->n_closed < chart->items.count) {
        size_t i = chart->again.count > 0 ? chart->again.data[--chart->again.count] : chart->n_closed++;
        lm_chart_item item = chart->items.data[i];
        const lm_automaton_state *state = &chart->grammar->states[item.state];
        if (state->plain) continue;
        if (state->accept && !finish(chart, item)) return false;
        for (uint32_t k = 0; k < state->n_calls; k++)
            if (!call(chart, item, &chart->grammar->calls[state->calls + k])) return false;
    }
    return true;
}

lm_chart_result lm_chart_close(lm_chart *chart) {
    bool done = close_set(chart);
    const lm_chart_set *set = &chart->sets.data[chart->sets.count - 1];
    if (done && (chart->items.count > set->items || set->escaped)) return LM_CHART_ALIVE;
    drop(chart);
    return done ? LM_CHART_DEAD : LM_CHART_FAILED;
}

lm_status lm_chart_start(lm_chart *chart) {
    lm_chart_frame root = {0, 0, LM_CHART_NONE};
    chart->work = START_WORK;
    if (!lm_chart_open(chart)) return LM_ERR_MEMORY;
    if (lm_array_push(chart->env, &chart->frames, root) &&
        lm_chart_add(chart, (lm_chart_item){chart->grammar->rules[0].start, 0, 0}) && close_set(chart))
        return LM_OK;
    lm_status status = chart->work == 0 ? LM_ERR_LIMIT : LM_ERR_MEMORY;
    drop(chart);
    return status;
}

static lm_chart_result step(lm_chart *chart, uint8_t byte, bool literal) {
    const lm_grammar *g = chart->grammar;
    uint32_t class = g->class_of[byte];
    uint32_t first = chart->sets.data[chart->sets.count - 1].items, end = (uint32_t)chart->items.count;
    bool open = false;
    for (uint32_t i = first; i < end; i++) {
        lm_chart_item item = chart->items.data[i];
        uint32_t next = g->next[(size_t)item.state * g->n_classes + class];
        if (next == LM_AUTOMATON_DEAD || (literal && !(next & LM_AUTOMATON_LITERAL))) continue;
        if (!open && !lm_chart_open(chart)) return LM_CHART_FAILED;
        open = true;
        const uint32_t *targets = &next;
        uint32_t n = 1, single = next & LM_AUTOMATON_TARGET;
        if (next & LM_AUTOMATON_LIST) {
            targets = g->lists + single;
            n = *targets++;
        } else {
            targets = &single;
        }
        for (uint32_t k = 0; k < n; k++) {
            item.state = targets[k];
            if (lm_chart_add(chart, item)) continue;
            drop(chart);
            return LM_CHART_FAILED;
        }
    }
    return open ? lm_chart_close(chart) : LM_CHART_DEAD;
}

lm_chart_result lm_chart_step(lm_chart *chart, uint8_t byte) { return step(chart, byte, false); }
lm_chart_result lm_chart_step_literal(lm_chart *chart, uint8_t byte) { return step(chart, byte, true); }

void lm_chart_back(lm_chart *chart, uint32_t n) {
    while (n-- > 0) drop(chart);
}

bool lm_chart_is_complete(const lm_chart *chart) {
    uint32_t n;
    const lm_chart_item *items = lm_chart_items(chart, &n);
    for (uint32_t i = 0; i < n; i++)
        if (chart->frames.data[items[i].frame].links == LM_CHART_NONE && items[i].frame != chart->unknown &&
            chart->grammar->states[items[i].state].accept)
            return true;
    return false;
}

static bool copy_array(const lm_env *env, void *to, const void *from, size_t size) {
    lm_array_any source, copy;
    memcpy(&source, from, sizeof source);
    memcpy(&copy, to, sizeof copy);
    copy.count = 0;
    bool done = lm_array_reserve_bytes(env, &copy, source.count, size);
    if (done && source.count > 0) memcpy(copy.data, source.data, source.count * size);
    if (done) copy.count = source.count;
    memcpy(to, &copy, sizeof copy);
    return done;
}

#define COPY(name) copy_array(to->env, &to->name, &from->name, sizeof *to->name.data)

lm_status lm_chart_copy(lm_chart *to, const lm_chart *from) {
    to->position = from->position;
    to->unknown = from->unknown;
    bool done = COPY(sets) && COPY(items) && COPY(frames) && COPY(links);
    if (!done) lm_chart_clear(to);
    return done ? LM_OK : LM_ERR_MEMORY;
}
