/* SPDX-License-Identifier: MIT
 * Evaluating: items are cut into batches of at most n_batch tokens, each run once on the program. The order in which sequences grow
 * and where the cuts fall never changes a logit. On failure every sequence of the call goes back to its length before: the first
 * item of several tokens writes its recurrent state to the spare slot, so that the state before is still there; a sequence that was
 * evaluated in place (one token at a time: no copies of state in decode) owes the tokens since its last checkpoint instead, and the
 * next call evaluates them again first. */
#include <string.h>

#include "../base/checked.h"
#include "context_internal.h"

/* Tokens that the templates in use put behind the last message (the assistant's header, an opened or empty thinking part), with some
 * room: chats that are rendered again differ from there on. */
#define PROMPT_TAIL 16

/* Where a call stands. */
typedef struct progress {
    const lm_batch_item *items;
    size_t n_items;
    size_t item, done; /* the item being fed and its tokens already run */
    size_t row;        /* logits rows of the items before `item` */
} progress;

static size_t rows_of(const lm_batch_item *item) {
    if (item->n_tokens == 0 || item->logits == LM_LOGITS_NONE) return 0;
    return item->logits == LM_LOGITS_ALL ? item->n_tokens : 1;
}

static lm_status check_items(lm_context *c, const lm_batch_item *items, size_t n_items) {
    const lm_context_params *p = &c->shape->params;
    size_t rows = 0;
    if (n_items > (size_t)p->n_seqs)
        return lm_context_fail(c, LM_ERR_ARGUMENT, "%zu items for %d sequences", n_items, (int)p->n_seqs);
    for (int32_t s = 0; s < p->n_seqs; s++) c->lengths[s] = -1;
    for (size_t i = 0; i < n_items; i++) {
        const lm_batch_item *item = &items[i];
        if (item->seq < 0 || item->seq >= p->n_seqs)
            return lm_context_fail(c, LM_ERR_RANGE, "sequence %d: there are %d", (int)item->seq, (int)p->n_seqs);
        if (c->lengths[item->seq] >= 0)
            return lm_context_fail(c, LM_ERR_ARGUMENT, "sequence %d occurs twice in one call", (int)item->seq);
        if (item->n_tokens && !item->tokens) return lm_context_fail(c, LM_ERR_ARGUMENT, "item %zu: tokens is NULL", i);
        if (item->logits < LM_LOGITS_NONE || item->logits > LM_LOGITS_ALL)
            return lm_context_fail(c, LM_ERR_ARGUMENT, "item %zu: logits is %d", i, (int)item->logits);
        c->lengths[item->seq] = lm_context_length(c, item->seq);
        if (item->n_tokens > (size_t)(p->n_ctx - c->lengths[item->seq]))
            return lm_context_fail(c, LM_ERR_FULL, "sequence %d: %d tokens and %zu more do not fit a context of %d",
                                   (int)item->seq, (int)c->lengths[item->seq], item->n_tokens, (int)p->n_ctx);
        if (c->shape->whole_texts && item->n_tokens && c->lengths[item->seq])
            return lm_context_fail(c, LM_ERR_STATE, "sequence %d is not empty: this context evaluates whole texts",
                                   (int)item->seq);
        if (c->shape->whole_texts && item->n_tokens > (size_t)p->n_batch)
            return lm_context_fail(c, LM_ERR_FULL, "a text of %zu tokens for n_batch = %d: it must be evaluated whole",
                                   item->n_tokens, (int)p->n_batch);
        for (size_t t = 0; t < item->n_tokens; t++)
            if (item->tokens[t] < 0 || item->tokens[t] >= c->model->hparams.n_vocab_in)
                return lm_context_fail(c, LM_ERR_RANGE, "token %d of sequence %d is %d: the vocabulary has %d", (int)t,
                                       (int)item->seq, (int)item->tokens[t], (int)c->model->hparams.n_vocab_in);
        if (!lm_size_add(rows, rows_of(item), &rows) || rows > (size_t)p->n_outputs)
            return lm_context_fail(c, LM_ERR_FULL, "more rows of logits than n_outputs = %d", (int)p->n_outputs);
    }
    return LM_OK;
}

/* How many of the item's next n tokens go into this batch so that it holds one checkpoint at most, which *keep receives. */
static int32_t cut_at_checkpoint(lm_context *c, int32_t seq, int32_t length, int32_t n, lm_context_keep *keep) {
    *keep = (lm_context_keep){-1, 0};
    if (c->shape->kv.n_checkpoints == 0) return n;
    int32_t first = lm_context_next_keep(c, seq, length);
    if (first > length + n || c->logging) return n; /* a verification is one run */
    keep->position = first;
    return lm_context_next_keep(c, seq, first) <= length + n ? first - length : n;
}

/* The span of an item's next tokens: pages reserved, slots chosen. */
static lm_status add_span(lm_context *c, int32_t seq, int32_t n, bool starts, lm_context_keep keep, lm_run *run) {
    int32_t length = lm_kv_length(c->kv, seq), state = lm_kv_state(c->kv, seq), from = state;
    lm_status status = lm_kv_reserve(c->kv, seq, n);
    if (status != LM_OK)
        return lm_context_fail(c, status,
                               status == LM_ERR_FULL ? "the cache has no page left for sequence %d"
                                                     : "a cache page of sequence %d cannot be copied",
                               (int)seq);
    if (state >= 0 && starts && n > 1 && c->guarded < 0) c->guarded = seq;
    if (state >= 0 && c->guarded == seq) {
        state = lm_kv_spare(c->kv);
        if (!starts) from = state;
    }
    if (keep.position > 0) keep.record = lm_kv_checkpoint_take(c->kv);
    c->keeps[run->n_spans] = keep;
    c->spans[run->n_spans++] = (lm_span){
        .first = run->n_tokens,
        .n_tokens = n,
        .pos = length,
        .state = state,
        .state_from = from,
        .keep_at = keep.record >= 0 && state >= 0 ? keep.position - length : 0,
        .keep = keep.record >= 0 ? lm_kv_checkpoint_slot(c->kv, keep.record) : -1,
        .pages = lm_kv_pages(c->kv, seq),
    };
    return LM_OK;
}

/* Fill the batch from where the call stands; the spans' pages are reserved. */
static lm_status gather_batch(lm_context *c, progress *at, lm_run *run) {
    const lm_context_params *p = &c->shape->params;
    int32_t max_outputs = c->shape->program.max_outputs;
    while (at->item < at->n_items) {
        const lm_batch_item *item = &at->items[at->item];
        size_t left = item->n_tokens - at->done, room = (size_t)(p->n_batch - run->n_tokens);
        size_t n = left < room ? left : room;
        if (item->logits == LM_LOGITS_ALL && n > (size_t)(max_outputs - run->n_outputs))
            n = (size_t)(max_outputs - run->n_outputs);
        if (item->logits == LM_LOGITS_LAST && n == left && n > 0 && run->n_outputs == max_outputs) n = 0;
        if (c->shape->whole_texts && n < left) n = 0; /* the next batch has room for all of it */
        if (n == 0 && left > 0) return LM_OK;
        if (n > 0) {
            int32_t length = lm_kv_length(c->kv, item->seq);
            lm_context_keep keep;
            n = (size_t)cut_at_checkpoint(c, item->seq, length, (int32_t)n, &keep);
            lm_status status = add_span(c, item->seq, (int32_t)n, at->done == 0, keep, run);
            if (status != LM_OK) return status;
            for (size_t t = 0; t < n; t++) {
                int32_t row = run->n_tokens++;
                c->tokens[row] = item->tokens[at->done + t];
                c->positions[row] = length + (int32_t)t;
                bool last = at->done + t + 1 == item->n_tokens;
                if (item->logits == LM_LOGITS_ALL || (item->logits == LM_LOGITS_LAST && last)) {
                    c->outputs[run->n_outputs] = row;
                    c->rows[run->n_outputs++] = (int32_t)(at->row + (item->logits == LM_LOGITS_ALL ? at->done + t : 0));
                }
            }
            at->done += n;
            if (at->done < item->n_tokens) return LM_OK;
        }
        at->row += rows_of(item);
        at->item++;
        at->done = 0;
    }
    return LM_OK;
}

/* Rows of a value go to where their outputs are numbered; -1: no such value. */
static lm_status keep_rows(lm_context *c, const lm_run *run, int32_t value, float *out) {
    size_t width = (size_t)lm_graph_width(&c->shape->graph, value);
    lm_status status = LM_OK;
    for (int32_t i = 0; i < run->n_outputs && value >= 0 && status == LM_OK; i++)
        status = lm_exec_read(c->exec, value, i, 1, out + (size_t)c->rows[i] * width);
    return status;
}

/* The pooled row of a span goes to its item; of an item cut by batches the last part's row stays. */
static lm_status keep_pooled(lm_context *c, const lm_run *run, const progress *before) {
    int32_t value = c->shape->graph.pooled, span = 0;
    size_t width = (size_t)lm_graph_width(&c->shape->graph, value);
    lm_status status = LM_OK;
    for (size_t i = before->item; i < before->n_items && span < run->n_spans && status == LM_OK && value >= 0; i++)
        if (before->items[i].n_tokens) status = lm_exec_read(c->exec, value, span++, 1, c->pooled + i * width);
    return status;
}

static lm_status keep_logits(lm_context *c, const lm_run *run) {
    int32_t value = c->shape->graph.logits;
    if (c->shape->logits_bytes || run->n_outputs == 0 || value < 0) return keep_rows(c, run, value, c->logits);
    c->mapped = lm_exec_map(c->exec, value);
    return LM_OK;
}

static void end_span(lm_context *c, int32_t seq, int32_t span, bool ran, bool succeeded) {
    const lm_span *s = &c->spans[span];
    const lm_context_keep *keep = &c->keeps[span];
    if (succeeded) {
        lm_kv_commit(c->kv, seq, c->tokens + s->first, s->n_tokens);
        if (keep->record >= 0) lm_kv_checkpoint_keep(c->kv, keep->record, seq, keep->position);
        return;
    }
    lm_kv_cancel(c->kv, seq);
    if (ran && s->state == lm_kv_state(c->kv, seq)) lm_kv_lose_state(c->kv, seq);
    if (keep->record >= 0) lm_kv_checkpoint_drop(c->kv, keep->record);
}

static lm_status run_batch(lm_context *c, progress *at) {
    lm_run run = {.struct_size = sizeof run,
                  .tokens = c->tokens,
                  .positions = c->positions,
                  .spans = c->spans,
                  .outputs = c->outputs,
                  .n_threads = c->shape->params.n_threads,
                  .log = c->logging && c->shape->program.n_log > 0,
                  .cancel = (int32_t *)(void *)&c->cancelled};
    progress before = *at;
    const lm_graph *graph = &c->shape->graph;
    bool draft_rows = graph->draft_logits >= 0 && c->shape->params.n_draft == 0;
    if (graph->draft_logits >= 0 && !draft_rows) run.end_op = graph->draft_rest;
    lm_status status = gather_batch(c, at, &run);
    bool ran = status == LM_OK;
    if (ran) status = lm_exec_run(c->exec, &run);
    if (status == LM_ERR_CANCELLED) lm_context_fail(c, status, "the evaluation was cancelled");
    if (status == LM_OK) status = keep_logits(c, &run);
    if (status == LM_OK) status = keep_rows(c, &run, graph->hidden, c->hidden);
    if (status == LM_OK && draft_rows) status = keep_rows(c, &run, graph->draft_logits, c->draft);
    if (status == LM_OK) status = keep_pooled(c, &run, &before);
    size_t span = 0;
    for (size_t i = before.item; i < before.n_items && span < (size_t)run.n_spans; i++) {
        if (before.items[i].n_tokens == 0) continue; /* spans are the items in order, empty ones left out */
        end_span(c, before.items[i].seq, (int32_t)span++, ran, status == LM_OK);
    }
    if (status == LM_ERR_DEVICE) lm_context_fail(c, status, "the device failed");
    return status;
}

/* Back to the lengths before the call. */
static void undo(lm_context *c, const lm_batch_item *items, size_t n_items) {
    for (size_t i = 0; i < n_items; i++)
        lm_kv_rewind(c->kv, items[i].seq, c->lengths[items[i].seq], items[i].seq == c->guarded);
}

static lm_status run_items(lm_context *c, const lm_batch_item *items, size_t n_items, size_t *rows) {
    progress at = {items, n_items, 0, 0, 0};
    lm_status status = LM_OK;
    c->guarded = -1;
    while (at.item < n_items && status == LM_OK) status = run_batch(c, &at);
    if (status != LM_OK) {
        undo(c, items, n_items);
        return status;
    }
    if (c->guarded >= 0) lm_kv_swap_state(c->kv, c->guarded);
    for (size_t i = 0; i < n_items; i++) lm_context_marks_passed(c, items[i].seq);
    *rows = at.row;
    return LM_OK;
}

/* Evaluating what is owed puts the tokens where they are: in the sequence's own list. */
lm_status lm_context_settle(lm_context *c, int32_t seq) {
    int32_t owed = lm_kv_owed(c->kv, seq), length = lm_kv_length(c->kv, seq), saved = c->lengths[seq];
    if (owed == 0) return LM_OK;
    size_t rows;
    lm_batch_item item = {seq, LM_LOGITS_NONE, lm_kv_tokens(c->kv, seq) + length, (size_t)owed};
    c->lengths[seq] = length;
    lm_status status = run_items(c, &item, 1, &rows);
    c->lengths[seq] = saved;
    if (status != LM_OK) lm_kv_owe(c->kv, seq, length + owed);
    return status;
}

lm_status lm_context_run(lm_context *c, const lm_batch_item *items, size_t n_items) {
    lm_status status = check_items(c, items, n_items);
    if (status != LM_OK) return status;
    size_t total = 0;
    for (size_t i = 0; i < n_items; i++) total += items[i].n_tokens;
    if (total == 0) return LM_OK;
    atomic_store(&c->cancelled, 0);
    if (c->watched && atomic_load(c->watched))
        return lm_context_fail(c, LM_ERR_CANCELLED, "the evaluation was cancelled");
    c->n_rows = c->n_items = 0;
    c->mapped = NULL;
    memset(c->pooled, 0, c->shape->pooled_bytes); /* rows of items without tokens */
    for (size_t i = 0; i < n_items && status == LM_OK; i++)
        if (items[i].n_tokens > 0) status = lm_context_settle(c, items[i].seq);
    if (status == LM_OK) status = run_items(c, items, n_items, &c->n_rows);
    if (status == LM_OK) c->n_items = n_items;
    return status;
}

lm_status lm_context_resync(lm_context *c, lm_seq seq, const lm_token *tokens, size_t n_tokens, lm_sync_info *info) {
    const lm_context_params *p = &c->shape->params;
    if (seq < 0 || seq >= p->n_seqs)
        return lm_context_fail(c, LM_ERR_RANGE, "sequence %d: there are %d", (int)seq, (int)p->n_seqs);
    if (n_tokens == 0 || !tokens)
        return lm_context_fail(c, LM_ERR_ARGUMENT, "no tokens to make sequence %d of", (int)seq);
    if (n_tokens > (size_t)p->n_ctx)
        return lm_context_fail(c, LM_ERR_FULL, "%zu tokens do not fit a context of %d", n_tokens, (int)p->n_ctx);
    lm_kv_resumed resumed = {.checkpoint = -1, .reason = LM_KV_REASON_UNKNOWN};
    if (c->shape->whole_texts) lm_kv_close(c->kv, seq);
    lm_status status = c->shape->whole_texts ? LM_OK
                                             : lm_kv_resume(c->kv, seq, tokens, (int32_t)n_tokens - 1,
                                                            &resumed); /* the last token gives the logits */
    if (status != LM_OK) return lm_context_fail(c, status, "the state of sequence %d cannot be restored", (int)seq);
    lm_batch_item item = {seq, LM_LOGITS_LAST, tokens + resumed.n_reused, n_tokens - (size_t)resumed.n_reused};
    /* The end of a prompt is where the next one will differ. */
    c->prompt_end = (int32_t)n_tokens > PROMPT_TAIL ? (int32_t)n_tokens - PROMPT_TAIL : 0;
    status = lm_context_run(c, &item, 1);
    c->prompt_end = 0;
    if (status != LM_OK || !info) return status;
    info->reason = (int32_t)resumed.reason;
    info->n_reused = resumed.n_reused;
    info->n_evaluated = (int32_t)item.n_tokens;
    info->n_known = resumed.n_matched;
    info->n_from_cache = resumed.from_tree;
    info->checkpoint = resumed.checkpoint;
    return LM_OK;
}
