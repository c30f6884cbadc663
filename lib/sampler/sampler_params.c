/* SPDX-License-Identifier: MIT
 * Checking of the parameters: each is named in the sentence that refuses it. Ranges that merely switch a member off are
 * accepted; numbers that are not finite never are. */
#include "sampler_internal.h"

#include <float.h>
#include <stddef.h>

#include "../base/format.h"

#define MAX_VOCAB (1 << 24) /* of a model, too */

/* One row per float parameter: its place and the closed range it must lie in. */
typedef struct float_rule {
    const char *name;
    size_t offset;
    float low, high;
} float_rule;

#define RULE(field, low, high)                                                                                         \
    { #field, offsetof(lm_sampler_params, field), low, high }
static const float_rule float_rules[] = {
    RULE(temperature, -FLT_MAX, FLT_MAX),
    RULE(dynatemp_range, -FLT_MAX, FLT_MAX),
    RULE(dynatemp_exponent, -FLT_MAX, FLT_MAX),
    RULE(top_p, 0.0f, FLT_MAX),
    RULE(min_p, -FLT_MAX, FLT_MAX),
    RULE(typical_p, 0.0f, FLT_MAX),
    RULE(top_n_sigma, -FLT_MAX, FLT_MAX),
    RULE(xtc_probability, -FLT_MAX, FLT_MAX),
    RULE(xtc_threshold, -FLT_MAX, FLT_MAX),
    RULE(repeat_penalty, 1.0f / FLT_MAX, FLT_MAX), /* the reciprocal stays finite */
    RULE(frequency_penalty, -FLT_MAX, FLT_MAX),
    RULE(presence_penalty, -FLT_MAX, FLT_MAX),
    RULE(dry_multiplier, -FLT_MAX, FLT_MAX),
    RULE(dry_base, -FLT_MAX, FLT_MAX),
    RULE(mirostat_tau, FLT_MIN, FLT_MAX),
    RULE(mirostat_eta, -FLT_MAX, FLT_MAX),
    RULE(adaptive_target, -FLT_MAX, FLT_MAX),
    RULE(adaptive_decay, 0.0f, 0.99f),
};

typedef struct int_rule {
    const char *name;
    size_t offset;
    int32_t low, high;
} int_rule;

static const int_rule int_rules[] = {
    RULE(min_keep, 0, INT32_MAX),
    RULE(repeat_last_n, 0, LM_SAMPLER_MAX_HISTORY),
    RULE(dry_allowed_length, 0, INT32_MAX),
    RULE(dry_last_n, 0, LM_SAMPLER_MAX_HISTORY),
    RULE(mirostat, 0, 2),
    RULE(n_probs, 0, INT32_MAX),
    RULE(reasoning_budget, -1, INT32_MAX),
};

static lm_status check_numbers(const lm_sampler_params *params, lm_error *error) {
    for (size_t i = 0; i < sizeof float_rules / sizeof *float_rules; i++) {
        const float_rule *rule = &float_rules[i];
        float value = *(const float *)(const void *)((const char *)params + rule->offset);
        if (!(value >= rule->low && value <= rule->high))
            return lm_error_set(error, LM_ERR_RANGE, "%s: %g is not in [%g, %g]", rule->name, (double)value,
                                (double)rule->low, (double)rule->high);
    }
    for (size_t i = 0; i < sizeof int_rules / sizeof *int_rules; i++) {
        const int_rule *rule = &int_rules[i];
        int32_t value = *(const int32_t *)(const void *)((const char *)params + rule->offset);
        if (value < rule->low || value > rule->high)
            return lm_error_set(error, LM_ERR_RANGE, "%s: %d is not in [%d, %d]", rule->name, (int)value,
                                (int)rule->low, (int)rule->high);
    }
    return LM_OK;
}

static lm_status check_token(const char *name, lm_token token, const lm_sampler_vocab *vocab, lm_error *error) {
    if (token >= 0 && token < vocab->n_vocab) return LM_OK;
    return lm_error_set(error, LM_ERR_RANGE, "%s: token %d is not in [0, %d)", name, (int)token, (int)vocab->n_vocab);
}

static lm_status check_span(const char *name, const lm_token_span *span, const lm_sampler_vocab *vocab,
                            size_t *n_tokens, lm_error *error) {
    if (span->count && !span->tokens)
        return lm_error_set(error, LM_ERR_ARGUMENT, "%s: %zu tokens at a NULL pointer", name, span->count);
    if (span->count > LM_SAMPLER_MAX_TAG_TOKENS - *n_tokens)
        return lm_error_set(error, LM_ERR_RANGE, "%s: the reasoning tags have more than %d tokens", name,
                            LM_SAMPLER_MAX_TAG_TOKENS);
    *n_tokens += span->count;
    for (size_t i = 0; i < span->count; i++) {
        lm_status status = check_token(name, span->tokens[i], vocab, error);
        if (status != LM_OK) return status;
    }
    return LM_OK;
}

static lm_status check_reasoning(const lm_sampler_params *params, const lm_sampler_vocab *vocab, lm_error *error) {
    size_t n_tokens = 0;
    if (params->reasoning_start.count == 0) {
        if (params->reasoning_budget >= 0)
            return lm_error_set(error, LM_ERR_ARGUMENT, "reasoning_budget: needs reasoning_start");
        return LM_OK;
    }
    lm_status status = check_span("reasoning_start", &params->reasoning_start, vocab, &n_tokens, error);
    if (status != LM_OK) return status;
    if (params->n_reasoning_ends == 0 || !params->reasoning_ends)
        return lm_error_set(error, LM_ERR_ARGUMENT, "reasoning_ends: at least one end tag is needed");
    for (size_t i = 0; i < params->n_reasoning_ends; i++) {
        if (params->reasoning_ends[i].count == 0)
            return lm_error_set(error, LM_ERR_ARGUMENT, "reasoning_ends: end tag %zu is empty", i);
        status = check_span("reasoning_ends", &params->reasoning_ends[i], vocab, &n_tokens, error);
        if (status != LM_OK) return status;
    }
    return check_span("reasoning_forced", &params->reasoning_forced, vocab, &n_tokens, error);
}

static lm_status check_vocab_functions(const lm_sampler_params *params, const lm_sampler_vocab *vocab, bool has_dry,
                                       bool has_infill, lm_error *error) {
    bool has_breakers = params->n_dry_breakers || !params->dry_breakers;
    bool uses_dry = has_dry && params->dry_multiplier != 0.0f && params->dry_base >= 1.0f && params->dry_last_n;
    if (uses_dry && has_breakers && !(vocab->piece && vocab->tokenize))
        return lm_error_set(error, LM_ERR_ARGUMENT, "dry_breakers: the vocabulary lacks piece or tokenize");
    if (params->ignore_eos && !vocab->is_eog)
        return lm_error_set(error, LM_ERR_ARGUMENT, "ignore_eos: the vocabulary lacks is_eog");
    if (!has_infill) return LM_OK;
    if (!vocab->piece || !vocab->is_eog)
        return lm_error_set(error, LM_ERR_ARGUMENT, "order: infill, but the vocabulary lacks piece or is_eog");
    return check_token("order: infill", vocab->eot != LM_TOKEN_NONE ? vocab->eot : vocab->eos, vocab, error);
}

lm_status lm_sampler_params_check(const lm_sampler_params *params, const lm_sampler_vocab *vocab, lm_error *error) {
    if (vocab->n_vocab <= 0)
        return lm_error_set(error, LM_ERR_RANGE, "n_vocab: %d is not positive", (int)vocab->n_vocab);
    if (vocab->n_vocab > MAX_VOCAB)
        return lm_error_set(error, LM_ERR_LIMIT, "n_vocab: %d; at most %d are supported", (int)vocab->n_vocab,
                            MAX_VOCAB);
    lm_status status = check_numbers(params, error);
    if (status != LM_OK) return status;
    lm_sampler_create_fn *members[LM_SAMPLER_MAX_MEMBERS];
    size_t n_members;
    bool is_adaptive, has_dry = false, has_infill = false;
    status = lm_sampler_order_parse(params->order, members, &n_members, &is_adaptive, error);
    if (status != LM_OK) return status;
    for (size_t i = 0; i < n_members && !params->mirostat; i++) {
        has_dry |= members[i] == lm_sampler_dry_create;
        has_infill |= members[i] == lm_sampler_infill_create;
    }
    if (params->n_dry_breakers > LM_SAMPLER_MAX_BREAKERS)
        return lm_error_set(error, LM_ERR_RANGE, "n_dry_breakers: more than %d", LM_SAMPLER_MAX_BREAKERS);
    if (params->n_dry_breakers && !params->dry_breakers)
        return lm_error_set(error, LM_ERR_ARGUMENT, "dry_breakers: NULL with n_dry_breakers set");
    for (size_t i = 0; i < params->n_dry_breakers; i++)
        if (!params->dry_breakers[i]) return lm_error_set(error, LM_ERR_ARGUMENT, "dry_breakers: text %zu is NULL", i);
    if (params->n_biases && !params->biases)
        return lm_error_set(error, LM_ERR_ARGUMENT, "biases: NULL with n_biases set");
    for (size_t i = 0; i < params->n_biases; i++) {
        status = check_token("biases", params->biases[i].token, vocab, error);
        if (status != LM_OK) return status;
        if (!(params->biases[i].bias <= FLT_MAX))
            return lm_error_set(error, LM_ERR_RANGE, "biases: the bias of token %d is NaN or +infinity",
                                (int)params->biases[i].token);
    }
    if (vocab->n_suppressed && !vocab->suppressed)
        return lm_error_set(error, LM_ERR_ARGUMENT, "suppressed: NULL with n_suppressed set");
    for (size_t i = 0; i < vocab->n_suppressed; i++) {
        status = check_token("suppressed", vocab->suppressed[i], vocab, error);
        if (status != LM_OK) return status;
    }
    status = check_reasoning(params, vocab, error);
    if (status != LM_OK) return status;
    return check_vocab_functions(params, vocab, has_dry, has_infill, error);
}
