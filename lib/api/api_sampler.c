/* SPDX-License-Identifier: MIT
 * The front door of the sampler room: checks arguments, then calls the chain. */
#include <lm/sampler.h>

#include "../base/env.h"
#include "../base/format.h"
#include "../base/params.h"
#include "../grammar/matcher.h"
#include "../sampler/sampler.h"
#include "../sampler/sampler_grammar.h"

lm_status lm_sampler_create(const lm_sampler_params *params, const lm_sampler_vocab *vocab, lm_sampler **out,
                            lm_error *error) {
    if (!out || !vocab)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_sampler_create: %s is NULL", out ? "vocab" : "out");
    lm_sampler_params own = LM_SAMPLER_PARAMS_INIT;
    lm_sampler_vocab own_vocab = LM_SAMPLER_VOCAB_INIT;
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_sampler_params", error);
    if (status == LM_OK) status = lm_params_read(&own_vocab, sizeof own_vocab, vocab, "lm_sampler_vocab", error);
    if (status != LM_OK) return status;
    lm_env env;
    lm_env_init(&env, &own.allocator, NULL);
    return lm_chain_create(&env, &own, &own_vocab, out, error);
}

void lm_sampler_destroy(lm_sampler *sampler) { lm_chain_destroy(sampler); }

lm_status lm_sampler_clone(const lm_sampler *sampler, lm_sampler **out) {
    if (!sampler || !out) return LM_ERR_ARGUMENT;
    return lm_chain_clone(sampler, out);
}

lm_status lm_sampler_set_grammar(lm_sampler *sampler, const struct lm_grammar_matcher *matcher) {
    lm_sampler_member member;
    if (!sampler) return LM_ERR_ARGUMENT;
    if (matcher && !matcher->vocab) return lm_chain_fail(sampler, LM_ERR_ARGUMENT, "the matcher has no vocabulary");
    lm_status status = matcher ? lm_sampler_grammar_create(matcher, lm_chain_env(sampler), &member) : LM_OK;
    if (status == LM_OK) lm_chain_set_grammar(sampler, matcher ? &member : NULL, matcher && matcher->lazy);
    return status;
}

lm_status lm_sampler_set_limit(lm_sampler *sampler, int32_t n_tokens) {
    if (!sampler) return LM_ERR_ARGUMENT;
    if (n_tokens < -1) return lm_chain_fail(sampler, LM_ERR_ARGUMENT, "a limit below -1");
    lm_chain_set_limit(sampler, n_tokens);
    return LM_OK;
}

void lm_sampler_reset(lm_sampler *sampler) {
    if (sampler) lm_chain_reset(sampler);
}

uint32_t lm_sampler_seed(const lm_sampler *sampler) { return sampler ? lm_chain_seed(sampler) : 0; }

static lm_status check_logits(lm_sampler *sampler, const float *logits, size_t n_vocab, const void *out) {
    if (!logits || !out) return lm_chain_fail(sampler, LM_ERR_ARGUMENT, "%s is NULL", logits ? "out" : "logits");
    if (n_vocab == 0 || n_vocab > lm_chain_vocab_count(sampler))
        return lm_chain_fail(sampler, LM_ERR_ARGUMENT, "n_vocab is %zu", n_vocab);
    return LM_OK;
}

lm_status lm_sampler_pick(lm_sampler *sampler, const float *logits, size_t n_vocab, lm_token *out) {
    if (!sampler) return LM_ERR_ARGUMENT;
    lm_status status = check_logits(sampler, logits, n_vocab, out);
    return status == LM_OK ? lm_chain_pick(sampler, logits, n_vocab, out) : status;
}

lm_status lm_sampler_apply(lm_sampler *sampler, float *logits, size_t n_vocab) {
    if (!sampler) return LM_ERR_ARGUMENT;
    lm_status status = check_logits(sampler, logits, n_vocab, logits);
    return status == LM_OK ? lm_chain_apply(sampler, logits, n_vocab) : status;
}

static lm_status check_token(lm_sampler *sampler, lm_token token) {
    if (token >= 0 && (size_t)token < lm_chain_vocab_count(sampler)) return LM_OK;
    return lm_chain_fail(sampler, LM_ERR_RANGE, "token %d is outside the vocabulary", (int)token);
}

lm_status lm_sampler_accept(lm_sampler *sampler, lm_token token) {
    if (!sampler) return LM_ERR_ARGUMENT;
    lm_status status = check_token(sampler, token);
    return status == LM_OK ? lm_chain_accept(sampler, token, LM_ACCEPT_ROLE_GENERATED) : status;
}

lm_status lm_sampler_accept_prompt(lm_sampler *sampler, const lm_token *tokens, size_t n_tokens, size_t n_prefill) {
    if (!sampler) return LM_ERR_ARGUMENT;
    if ((n_tokens && !tokens) || n_prefill > n_tokens)
        return lm_chain_fail(sampler, LM_ERR_ARGUMENT, "tokens is NULL or n_prefill larger than n_tokens");
    for (size_t i = 0; i < n_tokens; i++) {
        lm_status status = check_token(sampler, tokens[i]);
        if (status != LM_OK) return status;
    }
    for (size_t i = 0; i < n_tokens; i++) {
        /* Given text never fails: only a generated token meets the grammar. */
        (void)lm_chain_accept(sampler, tokens[i],
                              i < n_tokens - n_prefill ? LM_ACCEPT_ROLE_PROMPT : LM_ACCEPT_ROLE_PREFILL);
    }
    return LM_OK;
}

lm_status lm_sampler_candidates(const lm_sampler *sampler, const lm_token_prob **candidates, size_t *n,
                                lm_token_prob *picked) {
    const lm_token_prob *own;
    size_t own_n;
    lm_token_prob own_picked;
    if (!sampler) return LM_ERR_ARGUMENT;
    if (!lm_chain_probs(sampler, &own, &own_n, &own_picked)) return LM_ERR_STATE;
    if (candidates) *candidates = own;
    if (n) *n = own_n;
    if (picked) *picked = own_picked;
    return LM_OK;
}

lm_status lm_sampler_end_reasoning(lm_sampler *sampler) {
    return sampler ? lm_chain_end_reasoning(sampler) : LM_ERR_ARGUMENT;
}

const char *lm_sampler_message(const lm_sampler *sampler) { return sampler ? lm_chain_message(sampler) : ""; }
