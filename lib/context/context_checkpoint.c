/* SPDX-License-Identifier: MIT
 * When checkpoints are made: before the end of prompts, at the caller's marks, and along the context of recurrent models
 * (include/lm/context.h says why). Only positions are decided here; evaluation takes the copies as it passes them. */
#include <string.h>

#include "context_internal.h"

int32_t lm_context_next_keep(const lm_context *c, int32_t seq, int32_t position) {
    int32_t next = INT32_MAX;
    if (c->shape->kv.n_states > 0 && position <= INT32_MAX - c->shape->interval)
        next = (position / c->shape->interval + 1) * c->shape->interval;
    if (c->prompt_end > position && c->prompt_end < next) next = c->prompt_end;
    for (int i = 0; i < LM_CONTEXT_MARKS; i++) {
        int32_t mark = c->seqs[seq].marks[i];
        if (mark > position && mark < next) next = mark;
    }
    return next;
}

void lm_context_marks_passed(lm_context *c, int32_t seq) {
    int32_t length = lm_kv_length(c->kv, seq);
    for (int i = 0; i < LM_CONTEXT_MARKS; i++)
        if (c->seqs[seq].marks[i] <= length) c->seqs[seq].marks[i] = 0;
}

void lm_context_forget_marks(lm_context *c, lm_seq seq) { memset(&c->seqs[seq], 0, sizeof c->seqs[seq]); }

int32_t lm_context_length(const lm_context *c, lm_seq seq) { return lm_kv_length(c->kv, seq) + lm_kv_owed(c->kv, seq); }

/* The present end, whose state is in the sequence's slot. */
static void keep_end(lm_context *c, lm_seq seq) {
    int32_t record = c->shape->kv.n_checkpoints > 0 ? lm_kv_checkpoint_take(c->kv) : -1;
    if (record < 0) return;
    int32_t slot = lm_kv_checkpoint_slot(c->kv, record);
    if (slot >= 0 && lm_exec_copy_state(c->exec, slot, lm_kv_state(c->kv, seq)) != LM_OK)
        lm_kv_checkpoint_drop(c->kv, record);
    else
        lm_kv_checkpoint_keep(c->kv, record, seq, lm_kv_length(c->kv, seq));
}

void lm_context_keep_at(lm_context *c, lm_seq seq, int32_t position) {
    lm_context_seq *s = &c->seqs[seq];
    if (lm_kv_owed(c->kv, seq) == 0 && position == lm_kv_length(c->kv, seq)) {
        keep_end(c, seq);
        return;
    }
    for (int i = 0; i < LM_CONTEXT_MARKS; i++)
        if (s->marks[i] == position) return;
    int free = s->next_mark;
    for (int i = LM_CONTEXT_MARKS - 1; i >= 0; i--)
        if (s->marks[i] == 0) free = i;
    if (s->marks[free]) s->next_mark = (free + 1) % LM_CONTEXT_MARKS;
    s->marks[free] = position;
}
