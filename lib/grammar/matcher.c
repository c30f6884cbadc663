/* SPDX-License-Identifier: MIT
 * Following a text. Everything is all or nothing: bytes are read one by one, and when one cannot follow, the chart is cut
 * back to where it was. Old sets are forgotten now and then, which keeps memory proportional to nesting, not to length. */
#include "matcher.h"

#include <string.h>

void lm_grammar_release(lm_grammar *grammar) {
    if (!grammar || atomic_fetch_sub_explicit(&grammar->references, 1, memory_order_acq_rel) != 1) return;
    lm_token_masks_free(atomic_load_explicit(&grammar->masks, memory_order_relaxed));
    lm_grammar_free(grammar);
}

size_t lm_grammar_bytes(const lm_grammar *grammar) {
    size_t bytes = lm_grammar_table_bytes(grammar);
    for (const lm_token_masks *at = atomic_load_explicit(&grammar->masks, memory_order_acquire); at; at = at->next)
        bytes +=
            sizeof *at + grammar->n_states * sizeof *at->roots + atomic_load_explicit(&at->bytes, memory_order_relaxed);
    return bytes;
}

lm_status lm_matcher_create(lm_grammar *grammar, lm_grammar_vocab *vocab, lm_trigger_set *triggers,
                            lm_grammar_matcher **out) {
    lm_grammar_matcher *m = lm_alloc_zeroed(&grammar->env, sizeof *m);
    if (!m) return LM_ERR_MEMORY;
    m->env = grammar->env;
    m->grammar = grammar;
    m->vocab = vocab;
    atomic_fetch_add_explicit(&grammar->references, 1, memory_order_relaxed);
    if (vocab) atomic_fetch_add_explicit(&vocab->references, 1, memory_order_relaxed);
    lm_status status = lm_chart_init(&m->chart, &m->env, grammar);
    if (status == LM_OK) status = lm_chart_start(&m->chart);
    if (status == LM_OK && triggers) status = lm_matcher_lazy_create(m, triggers);
    if (status == LM_OK)
        *out = m;
    else
        lm_matcher_destroy(m);
    return status;
}

void lm_matcher_destroy(lm_grammar_matcher *m) {
    if (!m) return;
    lm_env env = m->env;
    if (m->masks) lm_mask_scratch_free(&m->scratch, &m->env);
    lm_matcher_lazy_destroy(m);
    lm_completion_free(&m->completion, m->grammar);
    lm_chart_free(&m->chart);
    lm_grammar_release(m->grammar);
    lm_token_trie_release(m->vocab);
    lm_free(&env, m, sizeof *m);
}

lm_status lm_matcher_clone(const lm_grammar_matcher *m, lm_grammar_matcher **out) {
    lm_grammar_matcher *copy;
    lm_status status = lm_matcher_create(m->grammar, m->vocab, m->lazy ? m->lazy->watch.set : NULL, &copy);
    if (status != LM_OK) return status;
    status = lm_chart_copy(&copy->chart, &m->chart);
    if (status == LM_OK && m->lazy) status = lm_matcher_lazy_copy(copy, m);
    if (status == LM_OK)
        *out = copy;
    else
        lm_matcher_destroy(copy);
    return status;
}

lm_status lm_matcher_reset(lm_grammar_matcher *m) {
    if (m->lazy) lm_matcher_lazy_reset(m);
    lm_chart_clear(&m->chart);
    return lm_chart_start(&m->chart);
}

/* Forgetting is a service: when it fails for lack of memory, nothing is lost. */
static void forget(lm_grammar_matcher *m) {
    if (m->chart.sets.count > 4 * (size_t)LM_MATCHER_HISTORY) (void)lm_chart_compact(&m->chart, LM_MATCHER_HISTORY + 1);
}

lm_status lm_matcher_take_bytes(lm_grammar_matcher *m, const uint8_t *bytes, size_t n, size_t *n_viable) {
    lm_chart *chart = &m->chart;
    size_t before = chart->sets.count;
    for (size_t i = 0; i < n; i++) {
        chart->work = LM_MATCHER_BYTE_WORK;
        lm_chart_result result = lm_chart_step(chart, bytes[i]);
        if (result == LM_CHART_ALIVE) continue;
        lm_chart_back(chart, (uint32_t)(chart->sets.count - before));
        if (result == LM_CHART_FAILED) return chart->failure;
        if (n_viable) *n_viable = i;
        return LM_ERR_MISMATCH;
    }
    if (n_viable) *n_viable = n;
    forget(m);
    return LM_OK;
}

/* Add to the last set what the token elements of an earlier one give for token: the number added, or an error. */
static lm_status add_token_targets(lm_grammar_matcher *m, const lm_chart_item *items, uint32_t n, uint32_t token) {
    lm_chart *chart = &m->chart;
    for (uint32_t i = 0; i < n; i++) {
        const lm_automaton_state *state = &m->grammar->states[items[i].state];
        for (uint32_t k = 0; k < state->n_tokens; k++) {
            const lm_automaton_token *edge = &m->grammar->tokens[state->tokens + k];
            lm_chart_item item = {edge->to, items[i].frame, items[i].count};
            bool same = edge->token == token;
            if (edge->negated ? same || m->vocab->kinds[token] > LM_GRAMMAR_TOKEN_KIND_CONTROL : !same) continue;
            if (!lm_chart_add(chart, item)) return chart->failure;
        }
    }
    return LM_OK;
}

static bool reads_tokens(const lm_grammar_matcher *m) {
    uint32_t n;
    const lm_chart_item *items = lm_chart_items(&m->chart, &n);
    for (uint32_t i = 0; i < n; i++)
        if (m->grammar->states[items[i].state].n_tokens > 0) return true;
    return false;
}

lm_status lm_matcher_take_token(lm_grammar_matcher *m, uint32_t token) {
    lm_chart *chart = &m->chart;
    uint8_t kind = m->vocab->kinds[token];
    uint32_t n;
    const uint8_t *bytes = lm_grammar_vocab_bytes(m->vocab, token, &n);
    bool by_text = n > 0 && kind <= LM_GRAMMAR_TOKEN_KIND_CONTROL && !memchr(bytes, 0, n);
    size_t before = chart->sets.count;
    if (kind == LM_GRAMMAR_TOKEN_KIND_END && lm_chart_is_complete(chart)) return LM_OK;
    chart->work = LM_MATCHER_BYTE_WORK * ((uint64_t)n + 1);
    lm_chart_result result = by_text ? LM_CHART_ALIVE : LM_CHART_DEAD;
    lm_status status = LM_OK;
    lm_chart_item *items = NULL;
    uint32_t n_items = 0;
    if (reads_tokens(m) && kind != LM_GRAMMAR_TOKEN_KIND_UNUSED) {
        const lm_chart_item *now = lm_chart_items(chart, &n_items);
        items = lm_alloc_array(&m->env, n_items, sizeof *items);
        if (!items) return LM_ERR_MEMORY;
        memcpy(items, now, n_items * sizeof *items);
    }
    for (uint32_t i = 0; result == LM_CHART_ALIVE && i < n; i++)
        result = kind == LM_GRAMMAR_TOKEN_KIND_CONTROL ? lm_chart_step_literal(chart, bytes[i])
                                                       : lm_chart_step(chart, bytes[i]);
    if (result == LM_CHART_FAILED) status = chart->failure;
    if (result == LM_CHART_DEAD) lm_chart_back(chart, (uint32_t)(chart->sets.count - before));
    if (status == LM_OK && items) {
        if (result == LM_CHART_DEAD && !lm_chart_open(chart)) status = chart->failure;
        if (status == LM_OK) status = add_token_targets(m, items, n_items, token);
        lm_status failure = chart->failure;
        result = chart->sets.count > before ? lm_chart_close(chart) : LM_CHART_FAILED;
        if (status == LM_OK && result == LM_CHART_FAILED)
            status = chart->failure;
        else
            chart->failure = failure;
    }
    if (status == LM_OK && result == LM_CHART_DEAD) status = LM_ERR_MISMATCH;
    if (status != LM_OK)
        lm_chart_back(chart, (uint32_t)(chart->sets.count - before));
    else
        forget(m);
    lm_free(&m->env, items, n_items * sizeof *items);
    return status;
}

/* While a matcher waits, everything goes. */
static void allow_all(const lm_grammar_vocab *vocab, uint32_t *mask) {
    memset(mask, 0, vocab->n_words * sizeof *mask);
    for (uint32_t token = 0; token < vocab->n_tokens; token++)
        if (vocab->kinds[token] != LM_GRAMMAR_TOKEN_KIND_UNUSED) mask[token / 32] |= 1u << token % 32;
}

lm_status lm_matcher_mask(lm_grammar_matcher *m, uint32_t *mask) {
    if (lm_matcher_is_waiting(m)) {
        allow_all(m->vocab, mask);
        return LM_OK;
    }
    if (!m->masks) {
        lm_token_masks *masks;
        lm_status status = lm_token_masks_get(m->grammar, m->vocab, &masks);
        if (status == LM_OK) {
            status = lm_mask_scratch_init(&m->scratch, &m->env, masks);
            if (status != LM_OK) lm_mask_scratch_free(&m->scratch, &m->env);
        }
        if (status != LM_OK) return status;
        m->masks = masks;
    }
    m->chart.work = m->scratch.probe.work = LM_MATCHER_MASK_WORK(m->vocab->n_tokens);
    return lm_token_masks_apply(m->masks, &m->chart, &m->scratch, mask);
}

size_t lm_matcher_forced(lm_grammar_matcher *m, uint8_t *out, size_t cap) {
    lm_chart *chart = &m->chart;
    size_t found = 0;
    if (lm_matcher_is_waiting(m)) return 0;
    while (found < cap && !lm_chart_is_complete(chart)) {
        uint32_t n, only = LM_AUTOMATON_NONE;
        const lm_chart_item *items = lm_chart_items(chart, &n);
        for (uint32_t i = 0; i < n; i++) {
            const lm_automaton_state *state = &m->grammar->states[items[i].state];
            if (state->n_tokens > 0) only = LM_AUTOMATON_MANY;
            if (state->only == LM_AUTOMATON_NONE || state->only == only) continue;
            only = only == LM_AUTOMATON_NONE ? state->only : LM_AUTOMATON_MANY;
        }
        chart->work = LM_MATCHER_BYTE_WORK;
        if (only >= LM_AUTOMATON_MANY || lm_chart_step(chart, (uint8_t)only) != LM_CHART_ALIVE) break;
        out[found++] = (uint8_t)only;
    }
    lm_chart_back(chart, (uint32_t)found);
    return found;
}

bool lm_matcher_is_complete(const lm_grammar_matcher *m) {
    return lm_matcher_is_waiting(m) || lm_chart_is_complete(&m->chart);
}

lm_status lm_matcher_accept_bytes(lm_grammar_matcher *m, const uint8_t *bytes, size_t n, size_t *n_viable) {
    return lm_matcher_is_waiting(m) ? lm_matcher_wait_bytes(m, bytes, n, n_viable)
                                    : lm_matcher_take_bytes(m, bytes, n, n_viable);
}

lm_status lm_matcher_accept_token(lm_grammar_matcher *m, uint32_t token) {
    return lm_matcher_is_waiting(m) ? lm_matcher_wait_token(m, token) : lm_matcher_take_token(m, token);
}

lm_status lm_matcher_rewind(lm_grammar_matcher *m, uint64_t position) {
    return m->lazy ? lm_matcher_lazy_rewind(m, position) : lm_matcher_chart_rewind(m, position);
}

lm_status lm_matcher_chart_rewind(lm_grammar_matcher *m, uint64_t position) {
    lm_chart *chart = &m->chart;
    if (position > chart->position || chart->position - position >= chart->sets.count) return LM_ERR_RANGE;
    lm_chart_back(chart, chart->position - (uint32_t)position);
    return LM_OK;
}
