/* SPDX-License-Identifier: MIT
 * The context room's door: a program ready on its devices, the kv room over its cache, and the logits of the last call. */
#ifndef LM_CONTEXT_CONTEXT_ROOM_H
#define LM_CONTEXT_CONTEXT_ROOM_H

#include <lm/context.h>

#include "../model/model.h"

lm_status lm_context_make(lm_model *model, const lm_context_params *params, lm_context **out, lm_error *error);
void lm_context_end(lm_context *context);

/* Evaluate items; arguments are checked here. */
lm_status lm_context_run(lm_context *context, const lm_batch_item *items, size_t n_items);
lm_status lm_context_resync(lm_context *context, lm_seq seq, const lm_token *tokens, size_t n_tokens,
                            lm_sync_info *info);

lm_status lm_snapshot_save(lm_context *context, lm_seq seq, const char *path);
lm_status lm_snapshot_restore(lm_context *context, lm_seq seq, const char *path);

/* What opening a context with these (complete) parameters would take; positions per sequence in force. */
lm_status lm_context_measure(lm_model *model, const lm_context_params *params, lm_memory *memory,
                             lm_context_params *in_force, lm_error *error);
lm_status lm_context_fill_memory(const lm_context *context, lm_memory *memory);

#endif
