/* SPDX-License-Identifier: MIT
 * Drafting by the model's own draft block (lib/arch/arch_draft.c): runs of its operations alone, a token at a time. Keys and values go to
 * positions reserved and given back afterwards; the sequence's state is read once and never written, so nothing has to be undone. */
#include "context_internal.h"

bool lm_context_drafts(const lm_context *c) {
    return c->shape->graph.draft_logits >= 0 && c->shape->params.n_draft > 0;
}

/* The state layer that holds the last hidden state of a sequence. */
static int32_t hidden_layer(const lm_graph *graph) {
    return graph->ops.data[graph->draft_first - 1].params.shift.state;
}

lm_token lm_context_most_likely(const float *logits, int32_t n) {
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

/* One step of the block: `token` at `position` with the hidden state in c->draft, which becomes the next one's. */
static lm_status step(lm_context *c, lm_seq seq, int32_t position, lm_token token, lm_token *out) {
    const lm_graph *graph = &c->shape->graph;
    int32_t state = lm_kv_state(c->kv, seq), output = 0, n_vocab = c->model->hparams.n_vocab;
    float *logits = c->draft + lm_graph_width(graph, graph->draft_hidden);
    lm_span span = {
        .n_tokens = 1, .pos = position, .state = state, .state_from = state, .pages = lm_kv_pages(c->kv, seq)};
    lm_run run = {.struct_size = sizeof run,
                  .n_tokens = 1,
                  .n_spans = 1,
                  .n_outputs = 1,
                  .tokens = &token,
                  .positions = &position,
                  .spans = &span,
                  .outputs = &output,
                  .n_threads = c->shape->params.n_threads,
                  .first_op = graph->draft_first,
                  .cancel = (int32_t *)(void *)&c->cancelled};
    lm_status status = lm_exec_write(c->exec, graph->draft_input, 0, 1, c->draft);
    if (status == LM_OK) status = lm_exec_run(c->exec, &run);
    if (status == LM_OK) status = lm_exec_read(c->exec, graph->draft_hidden, 0, 1, c->draft);
    if (status == LM_OK) status = lm_exec_read(c->exec, graph->draft_logits, 0, 1, logits);
    if (status == LM_OK) *out = lm_context_most_likely(logits, n_vocab);
    return status;
}

int32_t lm_context_draft(lm_context *c, lm_seq seq, lm_token pending, int32_t n, lm_token *out) {
    int32_t count = 0, length = lm_kv_length(c->kv, seq), layer = hidden_layer(&c->shape->graph);
    if (lm_kv_owed(c->kv, seq) > 0 || lm_kv_reserve(c->kv, seq, n) != LM_OK) return 0;
    lm_status status = lm_exec_read_state(c->exec, layer, lm_kv_state(c->kv, seq), c->draft);
    while (status == LM_OK && count < n) {
        status = step(c, seq, length + count, count ? out[count - 1] : pending, &out[count]);
        if (status == LM_OK) count++;
    }
    lm_kv_cancel(c->kv, seq);
    return count;
}
