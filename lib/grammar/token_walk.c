/* SPDX-License-Identifier: MIT
 * Computing masks: walks over the tries in step with the automaton. Most of a walk stays inside one rule, where a step is
 * one look into the table; it moves to a chart where rules are called or end, and back when the chart holds a single item. */
#include <string.h>

#include "token_mask.h"

#define IN_CHART UINT32_MAX
#define MAX_PAIRS 4096u
#define MAX_REACH 24u /* code points a finite reach is followed for: few tokens are longer */
#define RECENT 32u    /* pairs searched for a repetition; one that lies farther back costs a shorter reach */

/* The bytes of ordinary text as an automaton: 0 between characters, else what must follow. 0xFF: the byte cannot. */
static uint32_t slice_next(uint32_t slice, uint32_t byte, unsigned kind) {
    static const uint8_t lows[8] = {0, 0x80, 0x80, 0x80, 0xA0, 0x80, 0x90, 0x80};
    static const uint8_t highs[8] = {0, 0xBF, 0xBF, 0xBF, 0xBF, 0x9F, 0xBF, 0x8F};
    static const uint8_t targets[8] = {0, 0, 1, 2, 1, 1, 2, 2};
    if (slice != 0) return byte >= lows[slice] && byte <= highs[slice] ? targets[slice] : 0xFF;
    if (byte < 0x80) return lm_token_is_ordinary((uint8_t)byte, kind) ? 0 : 0xFF;
    if (byte < 0xC2 || byte > 0xF4) return 0xFF;
    if (byte < 0xE0) return 1;
    if (byte < 0xF0) return byte == 0xE0 ? 4 : byte == 0xED ? 5 : 2;
    return byte == 0xF0 ? 6 : byte == 0xF4 ? 7 : 3;
}

/* One character on from a boundary state: new boundary states join frontier, pairs inside the character join pairs.
 * False when some ordinary byte cannot follow, or the search grows too large. */
static bool expand(const lm_grammar *g, uint32_t state, unsigned kind, lm_mask_scratch *s, const lm_env *env,
                   lm_status *status) {
    lm_mask_pair at = {state, 0};
    for (size_t done = s->pairs.count;;) {
        lm_mask_pair last = {UINT32_MAX, 0};
        uint32_t from = at.slice == 0 ? 0 : 0x80, to = at.slice == 0 ? 0xF4 : 0xBF;
        for (uint32_t byte = from; byte <= to; byte++) {
            uint32_t slice = slice_next(at.slice, byte, kind);
            if (slice == 0xFF) continue;
            uint32_t next = lm_automaton_next(g, at.state, (uint8_t)byte);
            if (next == LM_AUTOMATON_DEAD || (next & LM_AUTOMATON_LIST)) return false;
            lm_mask_pair pair = {next & LM_AUTOMATON_TARGET, slice};
            const lm_automaton_rule *rule = &g->rules[g->states[pair.state].rule];
            if (rule->counted && g->states[pair.state].accept) pair.state = rule->start;
            if (pair.state == last.state && pair.slice == last.slice) continue;
            last = pair;
            bool known = false;
            if (slice == 0) {
                for (size_t i = s->frontier.count, k = 0; i-- > 0 && k < RECENT && !known; k++)
                    known = s->frontier.data[i] == pair.state;
                if (!known && !lm_array_push(env, &s->frontier, pair.state)) *status = LM_ERR_MEMORY;
            } else {
                for (size_t i = s->pairs.count, k = 0; i-- > 0 && k < RECENT && !known; k++)
                    known = s->pairs.data[i].state == pair.state && s->pairs.data[i].slice == pair.slice;
                if (!known && !lm_array_push(env, &s->pairs, pair)) *status = LM_ERR_MEMORY;
            }
            if (*status != LM_OK || s->pairs.count > MAX_PAIRS || s->frontier.count > MAX_PAIRS) return false;
        }
        if (done == s->pairs.count) return true;
        at = s->pairs.data[done++];
    }
}

/* Up to how many code points may any text of ordinary characters (token_trie.h) go on from item? UINT32_MAX: any number. */
static lm_status ordinary_reach(const lm_grammar *grammar, lm_chart_item item, unsigned kind, lm_mask_scratch *scratch,
                                const lm_env *env, uint32_t *out) {
    const lm_automaton_rule *rule = &grammar->rules[grammar->states[item.state].rule];
    lm_status status = LM_OK;
    uint32_t reach = 0, bound = UINT32_MAX;
    size_t begin = 0;
    scratch->pairs.count = scratch->frontier.count = 0;
    if (rule->counted && rule->most != LM_GRAMMAR_UNBOUNDED) bound = rule->most - item.count;
    if (!lm_array_push(env, &scratch->frontier, item.state)) return LM_ERR_MEMORY;
    for (;;) {
        size_t end = scratch->frontier.count;
        bool all = true;
        for (size_t i = begin; all && i < end; i++)
            all = expand(grammar, scratch->frontier.data[i], kind, scratch, env, &status);
        if (!all || reach == MAX_REACH) break;
        reach++;
        begin = end;
        if (begin == scratch->frontier.count) {
            reach = UINT32_MAX;
            break;
        }
    }
    *out = reach < bound ? reach : bound;
    return status;
}

lm_status lm_mask_probe(const lm_grammar *grammar, lm_mask_scratch *scratch, size_t n_path) {
    lm_chart *probe = &scratch->probe;
    lm_chart_clear(probe);
    if (!lm_chart_open(probe)) return probe->failure;
    for (size_t i = n_path; i-- > 0;) {
        lm_chart_item item = scratch->path.data[i];
        lm_chart_frame frame = {grammar->states[item.state].rule, UINT32_MAX, LM_CHART_NONE};
        if (i + 1 < n_path) {
            lm_chart_link link = {LM_CHART_NONE, (uint32_t)probe->frames.count, scratch->path.data[i + 1]};
            link.back.frame = (uint32_t)probe->frames.count - 1;
            frame.links = (uint32_t)probe->links.count;
            if (!lm_array_push(probe->env, &probe->links, link)) return LM_ERR_MEMORY;
        }
        if (!lm_array_push(probe->env, &probe->frames, frame)) return LM_ERR_MEMORY;
    }
    probe->unknown = 0;
    lm_chart_item start = scratch->path.data[0];
    start.frame = (uint32_t)n_path - 1;
    return lm_chart_add(probe, start) ? LM_OK : probe->failure;
}

/* Enter next in the chart: its last set becomes that of the given sets, then one more. */
static lm_chart_result materialize(lm_chart *chart, lm_chart_item item, uint32_t next) {
    const lm_grammar *g = chart->grammar;
    if (!lm_chart_open(chart)) return LM_CHART_FAILED;
    uint32_t single = next & LM_AUTOMATON_TARGET;
    const uint32_t *targets = next & LM_AUTOMATON_LIST ? g->lists + single + 1 : &single;
    uint32_t n = next & LM_AUTOMATON_LIST ? g->lists[single] : 1;
    for (uint32_t i = 0; i < n; i++) {
        item.state = targets[i];
        if (lm_chart_add(chart, item)) continue;
        lm_status failure = chart->failure;
        (void)lm_chart_close(chart);
        chart->failure = failure;
        return LM_CHART_FAILED;
    }
    return lm_chart_close(chart);
}

static lm_status walk_group(lm_token_masks *masks, uint32_t group, lm_chart_item item, lm_mask_scratch *scratch) {
    const lm_grammar *g = masks->grammar;
    const lm_grammar_vocab *v = masks->vocab;
    const lm_token_group *tokens = &v->groups[group];
    const lm_env *env = scratch->probe.env;
    lm_chart *probe = &scratch->probe;
    lm_mask_walk *walk = scratch->walk;
    bool literal = group == LM_TOKEN_GROUP_CONTROL;
    uint32_t base = (uint32_t)probe->sets.count;
    item.frame = 0;
    walk[0] = (lm_mask_walk){item.state, base, 0};
    uint32_t end = tokens->nodes + tokens->n_nodes;
    for (uint32_t i = tokens->nodes; i < end;) {
        const lm_token_node *node = &v->nodes[i];
        lm_mask_walk parent = walk[node->depth - 1], here = {IN_CHART, parent.sets, parent.escaped};
        lm_chart_result result = LM_CHART_ALIVE;
        if (parent.state != IN_CHART) {
            uint32_t next = lm_automaton_next(g, parent.state, node->byte);
            if (next == LM_AUTOMATON_DEAD || (literal && !(next & LM_AUTOMATON_LITERAL))) {
                result = LM_CHART_DEAD;
            } else if (!(next & LM_AUTOMATON_LIST) && g->states[next & LM_AUTOMATON_TARGET].plain) {
                here.state = next & LM_AUTOMATON_TARGET;
            } else {
                lm_chart_back(probe, (uint32_t)probe->sets.count - parent.sets);
                result = materialize(probe, item, next);
            }
        } else {
            lm_chart_back(probe, (uint32_t)probe->sets.count - parent.sets);
            result = literal ? lm_chart_step_literal(probe, node->byte) : lm_chart_step(probe, node->byte);
        }
        if (result == LM_CHART_FAILED) return probe->failure;
        if (result == LM_CHART_DEAD) {
            for (uint32_t k = node->first; here.escaped && k < v->nodes[node->skip].first; k++)
                if (!lm_array_push(env, &scratch->open, k)) return LM_ERR_MEMORY;
            i = node->skip;
            continue;
        }
        if (here.state == IN_CHART) {
            const lm_chart_set *set = &probe->sets.data[probe->sets.count - 1];
            uint32_t n;
            const lm_chart_item *items = lm_chart_items(probe, &n);
            here.sets = (uint32_t)probe->sets.count;
            here.escaped |= set->escaped;
            /* Back to the table where nothing but the item's own rule is left. */
            if (n == 1 && items[0].frame == 0 && items[0].count == item.count && g->states[items[0].state].plain)
                here.state = items[0].state;
        }
        walk[node->depth] = here;
        for (uint32_t k = 0; k < node->own; k++) {
            uint32_t token = v->order[node->first + k];
            scratch->bits[token / 32] |= 1u << token % 32;
        }
        i++;
    }
    lm_chart_back(probe, (uint32_t)probe->sets.count - base);
    return LM_OK;
}

lm_status lm_mask_walk_root(lm_token_masks *masks, lm_chart_item item, lm_mask_scratch *scratch) {
    const lm_grammar_vocab *v = masks->vocab;
    const lm_env *env = scratch->probe.env;
    uint32_t reach[2] = {0, 0};
    memset(scratch->bits, 0, v->n_words * sizeof *scratch->bits);
    scratch->open.count = 0;
    scratch->path.count = 0;
    if (!lm_array_push(env, &scratch->path, item)) return LM_ERR_MEMORY;
    lm_status status = lm_mask_probe(masks->grammar, scratch, 1);
    if (status == LM_OK) status = ordinary_reach(masks->grammar, item, 0, scratch, env, &reach[0]);
    if (status == LM_OK && reach[0] > 0) status = ordinary_reach(masks->grammar, item, 1, scratch, env, &reach[1]);
    for (uint32_t i = 0; status == LM_OK && i < LM_TOKEN_GROUPS; i++) {
        const lm_token_group *group = &v->groups[i];
        if (group->n_tokens == 0) continue;
        if (i < LM_TOKEN_GROUP_REST && group->code_points <= reach[i >= LM_TOKEN_GROUP_SAFE]) {
            for (uint32_t k = 0; k < v->n_words; k++) scratch->bits[k] |= group->bits[k];
            continue;
        }
        status = walk_group(masks, i, item, scratch);
    }
    return status;
}

lm_status lm_mask_walk_tokens(const lm_grammar_vocab *vocab, lm_chart *chart, const uint32_t *tokens, size_t n,
                              lm_mask_scratch *scratch) {
    const lm_env *env = scratch->probe.env;
    uint32_t base = (uint32_t)chart->sets.count, reached = 0, n_before = 0; /* reached: bytes of before that live */
    const uint8_t *before = NULL;
    uint8_t kind_before = 0;
    lm_status status = LM_OK;
    scratch->ids.count = scratch->open.count = 0;
    for (size_t i = 0; status == LM_OK && i < n; i++) {
        uint32_t token = vocab->order[tokens[i]], length, at = 0;
        const uint8_t *bytes = lm_grammar_vocab_bytes(vocab, token, &length);
        uint8_t kind = vocab->kinds[token];
        if (kind == kind_before)
            while (at < reached && at < length && bytes[at] == before[at]) at++;
        bool died_before =
            kind == kind_before && at == reached && reached < n_before && at < length && bytes[at] == before[at];
        lm_chart_back(chart, (uint32_t)chart->sets.count - base - at);
        lm_chart_result result = died_before ? LM_CHART_DEAD : LM_CHART_ALIVE;
        while (result == LM_CHART_ALIVE && at < length) {
            result = kind == LM_GRAMMAR_TOKEN_KIND_CONTROL ? lm_chart_step_literal(chart, bytes[at])
                                                           : lm_chart_step(chart, bytes[at]);
            if (result == LM_CHART_ALIVE) at++;
        }
        if (result == LM_CHART_FAILED) status = chart->failure;
        reached = at;
        n_before = length;
        before = bytes;
        kind_before = kind;
        if (status != LM_OK) break;
        bool escaped = false;
        for (size_t k = base; k < chart->sets.count; k++) escaped = escaped || chart->sets.data[k].escaped;
        if (result == LM_CHART_ALIVE) {
            if (!lm_array_push(env, &scratch->ids, token)) status = LM_ERR_MEMORY;
        } else if (escaped && !lm_array_push(env, &scratch->open, tokens[i])) {
            status = LM_ERR_MEMORY;
        }
    }
    lm_chart_back(chart, (uint32_t)chart->sets.count - base);
    return status;
}
