/* SPDX-License-Identifier: MIT
 * The context room's door: a program ready on its devices, the kv room over its cache, and the logits of the last call. */
#ifndef LM_CONTEXT_CONTEXT_ROOM_H
#define LM_CONTEXT_CONTEXT_ROOM_H

#include <lm/adapter.h>
#include <lm/context.h>

#include "../kv/kv.h"
#include "../model/model.h"

lm_status lm_context_make(lm_model *model, const lm_context_params *params, lm_context **out, lm_error *error);
void lm_context_end(lm_context *context);
/* The same with adapters, which are held as long as the context uses them. */
lm_status lm_context_make_with(lm_model *model, const lm_context_params *params, const lm_adapter_use *uses,
                               size_t n_uses, lm_context **out, lm_error *error);
lm_status lm_context_change_adapters(lm_context *context, const lm_adapter_use *uses, size_t n_uses);

/* Parts of a context that its callers read. */
lm_kv *lm_context_kv(const lm_context *context);
const lm_context_params *lm_context_in_force(const lm_context *context);
size_t lm_context_rows(const lm_context *context);
/* NULL when row is not below lm_context_rows. */
const float *lm_context_row(const lm_context *context, size_t row);
/* NULL when there is no such row or the context does not keep them. */
const float *lm_context_hidden_row(const lm_context *context, size_t row);
const float *lm_context_draft_row(const lm_context *context, size_t row);
const float *lm_context_pooled_row(const lm_context *context, size_t item);
size_t lm_context_pooled_floats(const lm_context *context);
const lm_model *lm_context_model(const lm_context *context);
int32_t lm_context_vocab(const lm_context *context);
const lm_env *lm_context_env(const lm_context *context);
const char *lm_context_sentence(const lm_context *context);
/* Record a failure's sentence; returns status. */
lm_status lm_context_fail(lm_context *context, lm_status status, const char *format, ...);
/* From any thread: the evaluation in progress. */
void lm_context_stop(lm_context *context);
/* A flag of who evaluates, looked at where an evaluation begins: lm_context_stop may come just before. NULL: none. */
void lm_context_watch(lm_context *context, const atomic_bool *is_cancelled);

/* Evaluate items; arguments are checked here. */
lm_status lm_context_run(lm_context *context, const lm_batch_item *items, size_t n_items);
lm_status lm_context_resync(lm_context *context, lm_seq seq, const lm_token *tokens, size_t n_tokens,
                            lm_sync_info *info);

/* Evaluate up to n_draft + 1 tokens with a row of logits for each, such that all but the first n_kept can be dropped at once. */
lm_status lm_context_verify(lm_context *context, lm_seq seq, const lm_token *tokens, size_t n_tokens);
/* Keep the first n_kept >= 1 of them; the last row is then the last kept token's. */
lm_status lm_context_settle_on(lm_context *context, lm_seq seq, size_t n_kept);

/* Whether the context has a draft block and lm_context_draft may be called. */
bool lm_context_drafts(const lm_context *context);
/* Propose up to n tokens to follow the sequence and `pending` by the model's draft block, most likely first at every step. Returns how
 * many; nothing of the sequence changes. */
int32_t lm_context_draft(lm_context *context, lm_seq seq, lm_token pending, int32_t n, lm_token *out);

lm_token lm_context_most_likely(const float *logits, int32_t n);

/* Keep a checkpoint when evaluation passes this position. */
void lm_context_keep_at(lm_context *context, lm_seq seq, int32_t position);
void lm_context_forget_marks(lm_context *context, lm_seq seq);
int32_t lm_context_length(const lm_context *context, lm_seq seq);

lm_status lm_snapshot_save(lm_context *context, lm_seq seq, const char *path);
lm_status lm_snapshot_restore(lm_context *context, lm_seq seq, const char *path);

/* What opening a context with these (complete) parameters would take; positions per sequence in force. */
lm_status lm_context_measure(lm_model *model, const lm_context_params *params, lm_memory *memory,
                             lm_context_params *in_force, lm_error *error);
lm_status lm_context_fill_memory(const lm_context *context, lm_memory *memory);

#endif
