/* SPDX-License-Identifier: MIT
 * The front door of the context room. */
#include <lm/context.h>

#include <string.h>

#include "../base/format.h"
#include "../base/params.h"
#include "../context/context.h"

lm_status lm_context_open(lm_model *model, const lm_context_params *params, lm_context **out, lm_error *error) {
    lm_context_params own = LM_CONTEXT_PARAMS_INIT;
    if (!model || !out)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_context_open: %s is NULL", model ? "out" : "model");
    if (model->vocab_only)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_context_open: the model was opened with vocab_only");
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_context_params", error);
    return status == LM_OK ? lm_context_make(model, &own, out, error) : status;
}

void lm_context_close(lm_context *context) { lm_context_end(context); }

const char *lm_context_message(const lm_context *context) { return context ? lm_context_sentence(context) : ""; }

lm_status lm_context_get_params(const lm_context *context, lm_context_params *params) {
    if (!context || !params || params->struct_size < sizeof params->struct_size) return LM_ERR_ARGUMENT;
    lm_context_params own = *lm_context_in_force(context);
    lm_params_write(params, &own, sizeof own);
    return LM_OK;
}

lm_status lm_context_eval(lm_context *context, const lm_token *tokens, size_t n_tokens) {
    if (!context) return LM_ERR_ARGUMENT;
    lm_batch_item item = {0, LM_LOGITS_LAST, tokens, n_tokens};
    return lm_context_run(context, &item, 1);
}

lm_status lm_context_eval_batch(lm_context *context, const lm_batch_item *items, size_t n_items) {
    if (!context) return LM_ERR_ARGUMENT;
    if (n_items && !items) return lm_context_fail(context, LM_ERR_ARGUMENT, "items is NULL");
    return lm_context_run(context, items, n_items);
}

size_t lm_context_logits_count(const lm_context *context) { return context ? lm_context_rows(context) : 0; }

const float *lm_context_logits_row(const lm_context *context, size_t row) {
    return context ? lm_context_row(context, row) : NULL;
}

const float *lm_context_logits(const lm_context *context) {
    return context && lm_context_rows(context) ? lm_context_row(context, lm_context_rows(context) - 1) : NULL;
}

const float *lm_context_hidden(const lm_context *context, size_t row) {
    return context ? lm_context_hidden_row(context, row) : NULL;
}

const float *lm_context_draft_logits(const lm_context *context, size_t row) {
    return context ? lm_context_draft_row(context, row) : NULL;
}

const float *lm_context_pooled(const lm_context *context, size_t item) {
    return context ? lm_context_pooled_row(context, item) : NULL;
}

size_t lm_context_pooled_width(const lm_context *context) { return context ? lm_context_pooled_floats(context) : 0; }

lm_status lm_sample(lm_context *context, lm_sampler *sampler, lm_token *out) {
    if (!context) return LM_ERR_ARGUMENT;
    if (!sampler || !out)
        return lm_context_fail(context, LM_ERR_ARGUMENT, "lm_sample: %s is NULL", sampler ? "out" : "sampler");
    const float *logits = lm_context_logits(context);
    if (!logits)
        return lm_context_fail(context, LM_ERR_STATE,
                               lm_context_in_force(context)->outputs & LM_OUTPUT_LOGITS
                                   ? "nothing has been evaluated yet"
                                   : "the context was opened without logits");
    lm_token token;
    lm_status status = lm_sampler_pick(sampler, logits, (size_t)lm_context_vocab(context), &token);
    if (status == LM_OK) status = lm_sampler_accept(sampler, token);
    if (status != LM_OK) return lm_context_fail(context, status, "%s", lm_sampler_message(sampler));
    *out = token;
    return LM_OK;
}

void lm_context_cancel(lm_context *context) {
    if (context) lm_context_stop(context);
}

lm_status lm_context_sync(lm_context *context, lm_seq seq, const lm_token *tokens, size_t n_tokens,
                          lm_sync_info *info) {
    if (!context) return LM_ERR_ARGUMENT;
    if (info && info->struct_size < sizeof info->struct_size)
        return lm_context_fail(context, LM_ERR_ARGUMENT, "lm_sync_info.struct_size is not set");
    lm_sync_info own = {.struct_size = sizeof own, .checkpoint = -1};
    lm_status status = lm_context_resync(context, seq, tokens, n_tokens, &own);
    if (status == LM_OK && info) lm_params_write(info, &own, sizeof own);
    return status;
}

static bool is_seq(const lm_context *context, lm_seq seq) {
    return context && seq >= 0 && seq < lm_context_in_force(context)->n_seqs;
}

static lm_status no_seq(lm_context *context, lm_seq seq) {
    return context ? lm_context_fail(context, LM_ERR_RANGE, "sequence %d: there are %d", (int)seq,
                                     (int)lm_context_in_force(context)->n_seqs)
                   : LM_ERR_ARGUMENT;
}

int32_t lm_seq_length(const lm_context *context, lm_seq seq) {
    return is_seq(context, seq) ? lm_context_length(context, seq) : -1;
}

const lm_token *lm_seq_tokens(const lm_context *context, lm_seq seq) {
    return is_seq(context, seq) ? lm_kv_tokens(lm_context_kv(context), seq) : NULL;
}

lm_status lm_seq_fork(lm_context *context, lm_seq from, lm_seq to) {
    if (!is_seq(context, from)) return no_seq(context, from);
    if (!is_seq(context, to)) return no_seq(context, to);
    lm_status status = lm_kv_fork(lm_context_kv(context), from, to);
    return status == LM_OK ? LM_OK : lm_context_fail(context, status, "sequence %d cannot be copied", (int)from);
}

lm_status lm_seq_trim(lm_context *context, lm_seq seq, size_t n_tokens) {
    if (!is_seq(context, seq)) return no_seq(context, seq);
    int32_t length = lm_context_length(context, seq);
    if (n_tokens > (size_t)length)
        return lm_context_fail(context, LM_ERR_RANGE, "sequence %d has %d tokens, not %zu", (int)seq, (int)length,
                               n_tokens);
    lm_status status = lm_kv_trim(lm_context_kv(context), seq, (int32_t)n_tokens);
    lm_context_forget_marks(context, seq);
    return status == LM_OK ? LM_OK
                           : lm_context_fail(context, status, "the state of sequence %d cannot be restored", (int)seq);
}

lm_status lm_context_mark(lm_context *context, lm_seq seq, size_t position) {
    if (!is_seq(context, seq)) return no_seq(context, seq);
    if (position > (size_t)lm_context_in_force(context)->n_ctx)
        return lm_context_fail(context, LM_ERR_RANGE, "a mark at %zu in a context of %d", position,
                               (int)lm_context_in_force(context)->n_ctx);
    if (position > 0) lm_context_keep_at(context, seq, (int32_t)position);
    return LM_OK;
}

lm_status lm_seq_close(lm_context *context, lm_seq seq) {
    if (!is_seq(context, seq)) return no_seq(context, seq);
    lm_kv_close(lm_context_kv(context), seq);
    lm_context_forget_marks(context, seq);
    return LM_OK;
}

static lm_status check_path(lm_context *context, const char *path) {
    if (path && *path) return LM_OK;
    return lm_context_fail(context, LM_ERR_ARGUMENT, path ? "the path is empty" : "path is NULL");
}

lm_status lm_seq_save(lm_context *context, lm_seq seq, const char *path) {
    if (!is_seq(context, seq)) return no_seq(context, seq);
    lm_status status = check_path(context, path);
    return status == LM_OK ? lm_snapshot_save(context, seq, path) : status;
}

lm_status lm_seq_restore(lm_context *context, lm_seq seq, const char *path) {
    if (!is_seq(context, seq)) return no_seq(context, seq);
    lm_status status = check_path(context, path);
    return status == LM_OK ? lm_snapshot_restore(context, seq, path) : status;
}

lm_status lm_context_memory(const lm_context *context, lm_memory *memory) {
    if (!context || !memory || memory->struct_size < sizeof memory->struct_size) return LM_ERR_ARGUMENT;
    lm_memory own = {.struct_size = memory->struct_size};
    lm_status status = lm_context_fill_memory(context, &own);
    if (status == LM_OK) lm_params_write(memory, &own, sizeof own);
    return status;
}
