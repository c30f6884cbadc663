/* SPDX-License-Identifier: MIT
 * Evaluating tokens that may be dropped again: one run whose recurrent state went to the spare slot and whose recurrent inputs were
 * kept. Keeping fewer takes the state before and those inputs through the recurrent operations again, which costs a fraction of an
 * evaluation and gives the same bytes as evaluating the kept tokens alone. */
#include "context_internal.h"

lm_status lm_context_verify(lm_context *c, lm_seq seq, const lm_token *tokens, size_t n_tokens) {
    if (n_tokens == 0 || n_tokens > (size_t)c->shape->params.n_draft + 1)
        return lm_context_fail(c, LM_ERR_ARGUMENT, "%zu tokens to verify, n_draft is %d", n_tokens,
                               (int)c->shape->params.n_draft);
    lm_batch_item item = {seq, LM_LOGITS_ALL, tokens, n_tokens};
    lm_status status = lm_context_settle(c, seq); /* not part of the run that is kept */
    if (status != LM_OK) return status;
    c->logging = 1;
    status = lm_context_run(c, &item, 1);
    c->logging = 0;
    c->n_verified = status == LM_OK ? (int32_t)n_tokens : 0;
    c->verified_from = lm_kv_length(c->kv, seq) - c->n_verified;
    return status;
}

static lm_status replay(lm_context *c, lm_seq seq, int32_t n_kept) {
    int32_t slot = lm_kv_spare(c->kv); /* the state before the verification, if it had several tokens */
    lm_span span = {.n_tokens = n_kept, .pos = c->verified_from, .state = slot, .state_from = slot};
    lm_run run = {.struct_size = sizeof run,
                  .n_tokens = n_kept,
                  .n_spans = 1,
                  .tokens = c->tokens,
                  .positions = c->positions,
                  .spans = &span,
                  .n_threads = c->shape->params.n_threads};
    lm_status status = lm_exec_replay(c->exec, &run);
    if (status == LM_OK) lm_kv_swap_state(c->kv, seq);
    return status;
}

lm_status lm_context_settle_on(lm_context *c, lm_seq seq, size_t n_kept) {
    int32_t n = c->n_verified, length = c->verified_from + (int32_t)n_kept;
    c->n_verified = 0;
    if (n_kept == 0 || n_kept > (size_t)n || lm_kv_length(c->kv, seq) != c->verified_from + n)
        return lm_context_fail(c, LM_ERR_STATE, "no verification to settle");
    c->n_rows = n_kept;
    if (n_kept == (size_t)n) return LM_OK;
    bool known = lm_kv_state(c->kv, seq) < 0 || replay(c, seq, (int32_t)n_kept) == LM_OK;
    lm_status status = lm_kv_rewind(c->kv, seq, length, known);
    return status == LM_OK ? LM_OK
                           : lm_context_fail(c, status, "the state of sequence %d cannot be restored", (int)seq);
}
