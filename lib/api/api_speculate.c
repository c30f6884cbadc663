/* SPDX-License-Identifier: MIT
 * Speculative decoding: propose, evaluate, keep what the sampler chooses anyway. The sampler is run on the target's rows in order and
 * stops at the first row whose choice was not proposed, so it draws exactly the random numbers of plain decoding. When proposing is
 * worth its time is measured; the clock decides what is tried, never what comes out. */
#include <lm/speculate.h>

#include <string.h>

#include "../base/format.h"
#include "../base/params.h"
#include "../context/context.h"
#include "../os/os.h"
#include "api_speculate.h"

#define TRIAL_ROUNDS 2  /* before judging: a useless drafter is given up after so many */
#define FIRST_PAUSE 128 /* plain steps after that; doubled each time, so that trials cost a vanishing share */
#define LONGEST_PAUSE 4096
#define PLAIN_EVERY 128 /* rounds after which a plain step is measured again */
#define FORGET 0.25     /* weight of the newest measurement */

static lm_status check(lm_context *context, lm_speculator_params *p, lm_error *error) {
    const lm_context_params *c = lm_context_in_force(context);
    if (c->n_draft < 1) return lm_error_set(error, LM_ERR_ARGUMENT, "the context was opened with n_draft 0");
    if (p->drafter < LM_DRAFTER_NGRAM || p->drafter > LM_DRAFTER_MTP)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_speculator_params.drafter is %d", (int)p->drafter);
    if (p->seq < 0 || p->seq >= c->n_seqs)
        return lm_error_set(error, LM_ERR_ARGUMENT, "sequence %d: there are %d", (int)p->seq, (int)c->n_seqs);
    if (p->n_draft < 0 || p->n_draft > c->n_draft)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_speculator_params.n_draft is %d, the context's %d",
                            (int)p->n_draft, (int)c->n_draft);
    if (p->n_draft == 0) p->n_draft = c->n_draft;
    if (p->drafter == LM_DRAFTER_MTP && !lm_context_drafts(context))
        return lm_error_set(error, LM_ERR_ARGUMENT, "the context was opened without LM_OUTPUT_DRAFT");
    if (p->drafter != LM_DRAFTER_MODEL) return LM_OK;
    if (!p->draft || p->draft == context)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_speculator_params.draft is no other context");
    if (!(lm_context_in_force(p->draft)->outputs & LM_OUTPUT_LOGITS))
        return lm_error_set(error, LM_ERR_ARGUMENT, "the draft context gives no logits");
    bool recurrent = lm_kv_state(lm_context_kv(p->draft), 0) >= 0;
    if (p->draft_seq < 0 || p->draft_seq + (recurrent ? 1 : 0) >= lm_context_in_force(p->draft)->n_seqs)
        return lm_error_set(error, LM_ERR_ARGUMENT, "the draft context has %d sequences",
                            (int)lm_context_in_force(p->draft)->n_seqs);
    if (lm_context_vocab(p->draft) != lm_context_vocab(context))
        return lm_error_set(error, LM_ERR_MISMATCH, "the draft model has %d tokens, the model %d",
                            (int)lm_context_vocab(p->draft), (int)lm_context_vocab(context));
    return LM_OK;
}

lm_status lm_speculator_create(lm_context *context, const lm_speculator_params *params, lm_speculator **out,
                               lm_error *error) {
    lm_speculator_params own = LM_SPECULATOR_PARAMS_INIT;
    if (!context || !out)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_speculator_create: %s is NULL", context ? "out" : "context");
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_speculator_params", error);
    if (status == LM_OK) status = check(context, &own, error);
    if (status != LM_OK) return status;
    const lm_env *env = lm_context_env(context);
    lm_speculator *s = lm_alloc_zeroed(env, sizeof *s);
    if (!s) return lm_error_memory(error);
    s->env = env;
    s->context = context;
    s->model = lm_context_model(context);
    s->params = own;
    s->pending_at = -1;
    s->draft_length = own.n_draft < 2 ? own.n_draft : 2;
    s->pause = FIRST_PAUSE;
    s->tokens = lm_alloc_array(env, (size_t)own.n_draft + 1, sizeof *s->tokens);
    if (!s->tokens) {
        lm_speculator_destroy(s);
        return lm_error_memory(error);
    }
    *out = s;
    return LM_OK;
}

void lm_speculator_destroy(lm_speculator *s) {
    if (!s) return;
    lm_free(s->env, s->tokens, ((size_t)s->params.n_draft + 1) * sizeof *s->tokens);
    lm_free(s->env, s, sizeof *s);
}

/* ---- what pays ---- */

int32_t lm_speculator_wanted(lm_speculator *s, size_t room) {
    const lm_context_params *c = lm_context_in_force(s->context);
    int32_t n = s->params.always ? s->params.n_draft : s->draft_length, left = c->n_ctx - s->pending_at - 1;
    if (!s->params.always) {
        if (s->plain_left > 0) {
            s->plain_left--;
            return 0;
        }
        if (s->plain_ns == 0 || s->since_plain >= PLAIN_EVERY) return 0;
    }
    if (n > left) n = left;
    return (size_t)n < room ? n : (int32_t)room;
}

static double blend(double old, double sample) { return old == 0 ? sample : old + FORGET * (sample - old); }

void lm_speculator_measure(lm_speculator *s, int32_t n_drafted, int32_t n_accepted, double ns) {
    if (n_drafted == 0) {
        s->stats.n_plain++;
        s->plain_ns = blend(s->plain_ns, ns);
        s->since_plain = 0;
        return;
    }
    s->stats.n_rounds++;
    s->stats.n_drafted += n_drafted;
    s->stats.n_accepted += n_accepted;
    s->since_plain++;
    s->trial++;
    s->round_ns = blend(s->round_ns, ns);
    s->round_tokens = blend(s->round_tokens, n_accepted + 1);
    if (n_accepted == n_drafted)
        s->draft_length = s->draft_length * 2 < s->params.n_draft ? s->draft_length * 2 : s->params.n_draft;
    else if (n_accepted * 2 < n_drafted && s->draft_length > 1)
        s->draft_length--;
    if (s->trial < TRIAL_ROUNDS) return;
    if (s->round_tokens * s->plain_ns < s->round_ns) {
        s->plain_left = s->pause;
        s->pause = s->pause * 2 < LONGEST_PAUSE ? s->pause * 2 : LONGEST_PAUSE;
        s->trial = 0;
        s->round_ns = s->round_tokens = 0;
    } else if (s->trial >= 16) {
        s->pause = FIRST_PAUSE;
    }
}

/* ---- a round ---- */

static lm_status choose(lm_speculator *s, lm_sampler *sampler, const float *logits, lm_token *out) {
    lm_token token;
    lm_status status = lm_sampler_pick(sampler, logits, (size_t)lm_context_vocab(s->context), &token);
    if (status == LM_OK) status = lm_sampler_accept(sampler, token);
    if (status != LM_OK) return lm_context_fail(s->context, status, "%s", lm_sampler_message(sampler));
    *out = token;
    return LM_OK;
}

/* Evaluate the pending token and the proposals, keep what the sampler chooses; out receives the choices. */
static lm_status run_round(lm_speculator *s, lm_sampler *sampler, int32_t n_drafted, lm_token *out, size_t *n,
                           int32_t *n_accepted) {
    lm_seq seq = s->params.seq;
    lm_status status = lm_context_verify(s->context, seq, s->tokens, (size_t)n_drafted + 1);
    if (status != LM_OK) return status;
    int32_t kept = 0;
    lm_token token = LM_TOKEN_NONE;
    for (bool right = true; right && status == LM_OK;) {
        status = choose(s, sampler, lm_context_row(s->context, (size_t)kept), &token);
        kept++;
        if (status == LM_OK) out[(*n)++] = token;
        right = kept <= n_drafted && token == s->tokens[kept] && !lm_token_is_end(s->model, token);
    }
    s->pending_at = -1;
    lm_status settled = lm_context_settle_on(s->context, seq, (size_t)kept);
    *n_accepted = kept - 1;
    if (status == LM_OK) {
        s->pending = token;
        s->pending_at = lm_seq_length(s->context, seq);
    }
    return status == LM_OK ? settled : status;
}

lm_status lm_speculate(lm_speculator *s, lm_sampler *sampler, lm_token *out, size_t capacity, size_t *n) {
    if (!s) return LM_ERR_ARGUMENT;
    if (!sampler || !out || !n || capacity == 0)
        return lm_context_fail(s->context, LM_ERR_ARGUMENT, "lm_speculate: %s",
                               !sampler ? "sampler is NULL" : "no room for tokens");
    *n = 0;
    if (s->pending_at != lm_seq_length(s->context, s->params.seq)) {
        const float *logits = lm_context_logits(s->context);
        s->pending_at = -1;
        if (!logits) return lm_context_fail(s->context, LM_ERR_STATE, "nothing has been evaluated yet");
        lm_status status = choose(s, sampler, logits, &s->pending);
        if (status != LM_OK) return status;
        s->pending_at = lm_seq_length(s->context, s->params.seq);
        out[(*n)++] = s->pending;
        if (*n == capacity || lm_token_is_end(s->model, s->pending)) return LM_OK;
    }
    uint64_t start = lm_os_now_ns();
    int32_t wanted = lm_speculator_wanted(s, capacity - *n - 1), n_accepted = 0;
    s->tokens[0] = s->pending;
    int32_t n_drafted = lm_speculator_draft(s, wanted, s->tokens + 1);
    lm_status status = run_round(s, sampler, n_drafted, out, n, &n_accepted);
    if (status == LM_OK) lm_speculator_measure(s, n_drafted, n_accepted, (double)(lm_os_now_ns() - start));
    return status;
}

lm_status lm_speculator_get_stats(const lm_speculator *s, lm_speculator_stats *stats) {
    if (!s || !stats || stats->struct_size < sizeof stats->struct_size) return LM_ERR_ARGUMENT;
    lm_speculator_stats own = s->stats;
    own.struct_size = stats->struct_size;
    own.is_off = s->plain_left > 0;
    lm_params_write(stats, &own, sizeof own);
    return LM_OK;
}
