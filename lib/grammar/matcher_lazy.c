/* SPDX-License-Identifier: MIT
 * A matcher that waits. Until a trigger occurs the chart stands at its start and the text goes to the watch; then what the
 * watch holds from the trigger on is read by the chart, token by token, and from there on the matcher is like any other.
 * Positions say which of the two read the text last, so going back across the trigger makes the matcher wait again. Going
 * back while waiting reads the text again, from its start. */
#include "matcher.h"

#define AWAKE ((uint64_t)1 << 62)

/* To the chart: the pieces that end after start, the first of them cut there. */
static lm_status feed(lm_grammar_matcher *m, size_t start) {
    const lm_trigger_watch *watch = &m->lazy->watch;
    size_t low = 0, high = watch->pieces.count; /* the first piece that ends after start */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (watch->pieces.data[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    lm_status status = LM_OK;
    for (size_t i = low; status == LM_OK && i < watch->pieces.count; i++) {
        const lm_trigger_piece *piece = &watch->pieces.data[i];
        size_t from = i > 0 ? watch->pieces.data[i - 1].end : 0;
        if (piece->token != LM_TOKEN_NONE && from >= start)
            status = lm_matcher_take_token(m, (uint32_t)piece->token);
        else
            status = lm_matcher_take_bytes(m, watch->text.data + (from > start ? from : start),
                                           piece->end - (from > start ? from : start), NULL);
    }
    return status;
}

static void wake(lm_grammar_matcher *m) {
    m->lazy->is_awake = true;
    m->lazy->woken_at = m->chart.position;
}

/* Wait again, with the first n_pieces of the text. */
static void go_back(lm_grammar_matcher *m, size_t n_pieces, size_t n_bytes) {
    lm_trigger_watch *watch = &m->lazy->watch;
    lm_chart_clear(&m->chart);
    (void)lm_chart_start(&m->chart); /* the start needs no more memory than it had */
    m->lazy->is_awake = false;
    watch->pieces.count = n_pieces;
    watch->text.count = n_bytes;
    lm_trigger_watch_restart(watch);
}

static lm_status take_piece(lm_grammar_matcher *m, lm_token token, const void *bytes, size_t n) {
    lm_trigger_watch *watch = &m->lazy->watch;
    size_t n_pieces = watch->pieces.count, n_bytes = watch->text.count, start;
    if (!lm_trigger_watch_add(watch, token, bytes, n)) return LM_ERR_MEMORY;
    if (token != LM_TOKEN_NONE && lm_trigger_is_token(watch, token)) {
        lm_status status = lm_matcher_take_token(m, (uint32_t)token);
        if (status == LM_OK)
            wake(m);
        else
            go_back(m, n_pieces, n_bytes);
        return status;
    }
    if (!lm_trigger_watch_search(watch, &start)) return LM_OK;
    lm_status status = feed(m, start);
    if (status == LM_OK)
        wake(m);
    else
        go_back(m, n_pieces, n_bytes);
    return status;
}

lm_status lm_matcher_wait_bytes(lm_grammar_matcher *m, const uint8_t *bytes, size_t n, size_t *n_viable) {
    lm_status status = take_piece(m, LM_TOKEN_NONE, bytes, n);
    if (n_viable && status == LM_OK) *n_viable = n;
    if (n_viable && status == LM_ERR_MISMATCH) *n_viable = 0;
    return status;
}

lm_status lm_matcher_wait_token(lm_grammar_matcher *m, uint32_t token) {
    uint32_t n;
    const uint8_t *bytes = lm_grammar_vocab_bytes(m->vocab, token, &n);
    bool ends = m->vocab->kinds[token] == LM_GRAMMAR_TOKEN_KIND_END;
    if (ends && !lm_trigger_is_token(&m->lazy->watch, (lm_token)token)) return LM_OK;
    return take_piece(m, (lm_token)token, bytes, n);
}

uint64_t lm_matcher_position(const lm_grammar_matcher *m) {
    if (!m->lazy) return m->chart.position;
    return m->lazy->is_awake ? AWAKE | m->chart.position : m->lazy->watch.text.count;
}

lm_status lm_matcher_lazy_rewind(lm_grammar_matcher *m, uint64_t position) {
    lm_trigger_watch *watch = &m->lazy->watch;
    if (position & AWAKE) {
        position &= ~AWAKE;
        if (!m->lazy->is_awake || position < m->lazy->woken_at) return LM_ERR_RANGE;
        return lm_matcher_chart_rewind(m, position);
    }
    if (position > watch->text.count) return LM_ERR_RANGE;
    size_t n = watch->pieces.count;
    while (n > 0 && watch->pieces.data[n - 1].end > position) n--;
    if ((n > 0 ? watch->pieces.data[n - 1].end : 0) != position) return LM_ERR_RANGE;
    if (position == watch->text.count && !m->lazy->is_awake) return LM_OK;
    go_back(m, n, (size_t)position);
    return LM_OK;
}

lm_status lm_matcher_lazy_create(lm_grammar_matcher *m, lm_trigger_set *set) {
    lm_matcher_lazy *lazy = lm_alloc_zeroed(&m->env, sizeof *lazy);
    if (!lazy) return LM_ERR_MEMORY;
    lm_status status = lm_trigger_watch_init(&lazy->watch, &m->env, set);
    if (status == LM_OK)
        m->lazy = lazy;
    else
        lm_free(&m->env, lazy, sizeof *lazy);
    return status;
}

void lm_matcher_lazy_destroy(lm_grammar_matcher *m) {
    if (!m->lazy) return;
    lm_trigger_watch_free(&m->lazy->watch);
    lm_free(&m->env, m->lazy, sizeof *m->lazy);
}

lm_status lm_matcher_lazy_copy(lm_grammar_matcher *to, const lm_grammar_matcher *from) {
    const lm_trigger_watch *watch = &from->lazy->watch;
    size_t start = 0;
    for (size_t i = 0; i < watch->pieces.count; i++) {
        const lm_trigger_piece *piece = &watch->pieces.data[i];
        if (!lm_trigger_watch_add(&to->lazy->watch, piece->token, watch->text.data + start, piece->end - start))
            return LM_ERR_MEMORY;
        start = piece->end;
    }
    to->lazy->is_awake = from->lazy->is_awake;
    to->lazy->woken_at = from->lazy->woken_at;
    if (!to->lazy->is_awake) lm_trigger_watch_restart(&to->lazy->watch);
    return LM_OK;
}

void lm_matcher_lazy_reset(lm_grammar_matcher *m) {
    m->lazy->watch.pieces.count = m->lazy->watch.text.count = 0;
    m->lazy->is_awake = false;
    lm_trigger_watch_restart(&m->lazy->watch);
}
