/* SPDX-License-Identifier: MIT
 * Drafters. A proposal only costs time when it is wrong, so nothing here can fail: a drafter that cannot go on proposes less. */
#include <string.h>

#include "../context/context.h"
#include "api_speculate.h"

#define NGRAM_LONGEST 8
#define NGRAM_SHORTEST 2 /* one equal token says too little */
#define LAST_TOKENS 7    /* missing in the second model that are evaluated with the pending one */

/* Token i of the sequence with the pending one behind it. */
static lm_token token_at(const lm_speculator *s, const lm_token *tokens, int32_t n, int32_t i) {
    return i < n ? tokens[i] : s->pending;
}

/* What followed the latest place where the longest run of last tokens occurred before, found in one backward pass; a text that repeats
 * itself at a short distance goes on doing so. */
static int32_t draft_ngram(lm_speculator *s, int32_t n_max, lm_token *out) {
    const lm_token *tokens = lm_seq_tokens(s->context, s->params.seq);
    int32_t n = lm_seq_length(s->context, s->params.seq), best = -1, longest = NGRAM_SHORTEST - 1;
    for (int32_t end = n - 1; end >= NGRAM_SHORTEST - 1 && longest < NGRAM_LONGEST; end--) { /* a run ending at `end` */
        if (tokens[end] != s->pending) continue;
        int32_t same = 1;
        while (same < NGRAM_LONGEST && same <= end && tokens[end - same] == tokens[n - same]) same++;
        if (same > longest) best = end, longest = same;
    }
    if (best < 0) return 0;
    for (int32_t i = best + 1, count = 0; count < n_max; i++, count++)
        out[count] = i <= n ? token_at(s, tokens, n, i) : out[i - n - 1];
    return n_max;
}

static lm_status append(lm_context *context, lm_seq seq, const lm_token *tokens, size_t n, int32_t logits) {
    lm_batch_item item = {seq, logits, tokens, n};
    return lm_context_run(context, &item, 1);
}

/* The second model's sequence becomes the first's with the pending token. After a round without mistakes only its last proposal is
 * missing: it and the pending token are one evaluation. */
static lm_status catch_up(lm_speculator *s) {
    lm_token last[LAST_TOKENS + 1];
    lm_context *draft = s->params.draft;
    lm_seq seq = s->params.draft_seq;
    const lm_token *tokens = lm_seq_tokens(s->context, s->params.seq), *own = lm_seq_tokens(draft, seq);
    int32_t n = lm_seq_length(s->context, s->params.seq), length = lm_seq_length(draft, seq), same = 0;
    while (same < length && same < n && own[same] == tokens[same]) same++;
    lm_status status = same < length ? lm_seq_trim(draft, seq, (size_t)same) : LM_OK;
    int32_t n_last = n - same < LAST_TOKENS ? n - same : LAST_TOKENS, n_before = n - n_last - same;
    if (status == LM_OK && n_before > 0) status = append(draft, seq, tokens + same, (size_t)n_before, LM_LOGITS_NONE);
    if (n_last > 0) memcpy(last, tokens + n - n_last, (size_t)n_last * sizeof *last);
    last[n_last] = s->pending;
    return status == LM_OK ? append(draft, seq, last, (size_t)n_last + 1, LM_LOGITS_LAST) : status;
}

static int32_t draft_model(lm_speculator *s, int32_t n_max, lm_token *out) {
    lm_context *draft = s->params.draft;
    lm_seq seq = s->params.draft_seq;
    int32_t count = 0, n_vocab = lm_context_vocab(draft);
    if (catch_up(s) != LM_OK) return 0;
    while (count < n_max) {
        const float *logits = lm_context_logits(draft);
        if (!logits) break;
        out[count++] = lm_context_most_likely(logits, n_vocab);
        if (count == n_max) break;
        if (count == 1 && lm_kv_state(lm_context_kv(draft), seq) >= 0) { /* state cannot be trimmed cheaply */
            if (lm_seq_fork(draft, seq, seq + 1) != LM_OK) break;
            seq++;
        }
        if (append(draft, seq, &out[count - 1], 1, LM_LOGITS_LAST) != LM_OK) break;
    }
    return count;
}

int32_t lm_speculator_draft(lm_speculator *s, int32_t n, lm_token *out) {
    if (n <= 0) return 0;
    switch (s->params.drafter) {
    case LM_DRAFTER_MODEL: return draft_model(s, n, out);
    case LM_DRAFTER_MTP: return lm_context_draft(s->context, s->params.seq, s->pending, n, out);
    default: return draft_ngram(s, n, out);
    }
}
