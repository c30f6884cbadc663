/* SPDX-License-Identifier: MIT
 * The chain. One pick is: forced token of the reasoning budget, or grammar, logit biases, members in order, selection.
 * The grammar comes first, so what is drawn depends on the seed and the logits alone and no draw is ever repeated. All
 * random members begin with the same seed. */
#include "sampler_grammar.h"
#include "sampler_internal.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "../base/checked.h"
#include "../base/format.h"
#include "../os/os.h"
#include "reasoning_budget.h"

/* Biases, then the list, then the member that selects. */
#define MAX_MEMBERS (LM_SAMPLER_MAX_MEMBERS + 2)

struct lm_sampler {
    lm_env env;
    size_t n_vocab;
    uint32_t seed;
    lm_candidates list;
    lm_sampler_member members[MAX_MEMBERS];
    size_t n_members, n_biases; /* the first n_biases members (0 or 1) are the bias */
    lm_sampler_member grammar;  /* ops NULL: none */
    bool is_grammar_lazy;
    int64_t n_left;              /* tokens still to be generated; -1: any number */
    lm_reasoning_budget *budget; /* NULL: none */
    /* What the last pick reports. */
    lm_token_prob *probs; /* [max_probs] */
    size_t max_probs, n_probs;
    lm_token_prob picked;
    bool is_reported, is_reported_after;
    char message[160];
};

/* A seed for callers who want any: time and the address of a fresh block, stirred. Not for secrets. */
static uint32_t random_seed(const void *block) {
    uint64_t x = (uint64_t)time(NULL) * 1000000007u ^ lm_os_now_ns() << 20 ^ (uint64_t)clock() << 40 ^
                 (uint64_t)(uintptr_t)block;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    uint32_t seed = (uint32_t)(x ^ x >> 31);
    return seed == LM_SEED_RANDOM ? 0 : seed;
}

static lm_status add_member(lm_chain *chain, const lm_sampler_setup *setup, lm_sampler_create_fn *create) {
    lm_sampler_member member = {NULL, NULL, 0};
    lm_status status = create(setup, &member);
    if (status == LM_OK && member.ops) chain->members[chain->n_members++] = member;
    return status;
}

static lm_status add_members(lm_chain *chain, const lm_sampler_setup *setup) {
    lm_sampler_create_fn *list[LM_SAMPLER_MAX_MEMBERS], *last = lm_sampler_dist_create;
    size_t n_list = 0;
    bool is_adaptive = false;
    lm_status status = lm_sampler_order_parse(setup->params->order, list, &n_list, &is_adaptive, setup->error);
    if (status != LM_OK) return status;
    if (setup->params->mirostat) {
        list[0] = lm_sampler_temperature_create;
        n_list = 1;
        last = setup->params->mirostat == 1 ? lm_sampler_mirostat_create : lm_sampler_mirostat_v2_create;
    } else if (is_adaptive) {
        last = lm_sampler_adaptive_p_create;
    }
    status = add_member(chain, setup, lm_sampler_bias_create);
    chain->n_biases = chain->n_members;
    for (size_t i = 0; i < n_list && status == LM_OK; i++) status = add_member(chain, setup, list[i]);
    return status == LM_OK ? add_member(chain, setup, last) : status;
}

lm_status lm_chain_create(const lm_env *env, const lm_sampler_params *params, const lm_sampler_vocab *vocab,
                          lm_chain **out, lm_error *error) {
    lm_status status = lm_sampler_params_check(params, vocab, error);
    if (status != LM_OK) return status;
    lm_chain *chain = lm_alloc_zeroed(env, sizeof *chain);
    if (!chain) return lm_error_memory(error);
    chain->n_left = -1;
    chain->env = *env;
    chain->n_vocab = (size_t)vocab->n_vocab;
    chain->seed = params->seed == LM_SEED_RANDOM ? random_seed(chain) : params->seed;
    chain->max_probs = lm_size_min((size_t)params->n_probs, chain->n_vocab);
    chain->is_reported_after = params->probs_after != 0;
    lm_sampler_setup setup = {&chain->env, params, vocab, chain->seed, error};
    status = lm_candidates_init(&chain->list, env, chain->n_vocab);
    if (status == LM_OK) {
        chain->probs = lm_alloc_array(env, chain->max_probs, sizeof *chain->probs);
        status = chain->probs ? add_members(chain, &setup) : LM_ERR_MEMORY;
    }
    if (status == LM_OK) status = lm_reasoning_budget_create(&setup, &chain->budget);
    if (status == LM_OK) {
        *out = chain;
        return LM_OK;
    }
    lm_chain_destroy(chain);
    return status == LM_ERR_MEMORY ? lm_error_memory(error) : status;
}

void lm_chain_destroy(lm_chain *chain) {
    if (!chain) return;
    lm_env env = chain->env;
    for (size_t i = 0; i < chain->n_members; i++) lm_sampler_member_destroy(&chain->members[i], &env);
    lm_sampler_member_destroy(&chain->grammar, &env);
    lm_reasoning_budget_destroy(chain->budget, &env);
    lm_free(&env, chain->probs, chain->max_probs * sizeof *chain->probs);
    lm_candidates_free(&chain->list, &env);
    lm_free(&env, chain, sizeof *chain);
}

lm_status lm_chain_clone(const lm_chain *from, lm_chain **out) {
    const lm_env *env = &from->env;
    lm_chain *chain = lm_alloc(env, sizeof *chain);
    if (!chain) return LM_ERR_MEMORY;
    memcpy(chain, from, sizeof *chain);
    chain->budget = NULL;
    chain->probs = NULL;
    chain->n_members = 0;
    memset(&chain->list, 0, sizeof chain->list);
    chain->grammar = (lm_sampler_member){NULL, NULL, 0};
    lm_status status = lm_candidates_init(&chain->list, env, chain->n_vocab);
    if (status == LM_OK) {
        chain->probs = lm_alloc_array(env, chain->max_probs, sizeof *chain->probs);
        if (!chain->probs)
            status = LM_ERR_MEMORY;
        else
            memcpy(chain->probs, from->probs, from->max_probs * sizeof *chain->probs);
    }
    for (size_t i = 0; i < from->n_members && status == LM_OK; i++) {
        status = lm_sampler_member_clone(&from->members[i], env, &chain->members[i]);
        if (status == LM_OK) chain->n_members++;
    }
    if (status == LM_OK) status = lm_sampler_member_clone(&from->grammar, env, &chain->grammar);
    if (status == LM_OK) status = lm_reasoning_budget_clone(from->budget, env, &chain->budget);
    if (status == LM_OK)
        *out = chain;
    else
        lm_chain_destroy(chain);
    return status;
}

void lm_chain_reset(lm_chain *chain) {
    for (size_t i = 0; i < chain->n_members; i++)
        if (chain->members[i].ops->reset) chain->members[i].ops->reset(chain->members[i].state);
    if (chain->grammar.ops && chain->grammar.ops->reset) chain->grammar.ops->reset(chain->grammar.state);
    if (chain->budget) lm_reasoning_budget_reset(chain->budget);
    chain->is_reported = false;
    chain->n_left = -1;
    chain->message[0] = '\0';
}

uint32_t lm_chain_seed(const lm_chain *chain) { return chain->seed; }
const lm_env *lm_chain_env(const lm_chain *chain) { return &chain->env; }
size_t lm_chain_vocab_count(const lm_chain *chain) { return chain->n_vocab; }
const char *lm_chain_message(const lm_chain *chain) { return chain->message; }

lm_status lm_chain_fail(lm_chain *chain, lm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    lm_format_message(chain->message, sizeof chain->message, format, arguments);
    va_end(arguments);
    return status;
}

void lm_chain_set_grammar(lm_chain *chain, const lm_sampler_member *grammar, bool lazy) {
    lm_sampler_member_destroy(&chain->grammar, &chain->env);
    chain->grammar = grammar ? *grammar : (lm_sampler_member){NULL, NULL, 0};
    chain->is_grammar_lazy = lazy;
}

void lm_chain_set_limit(lm_chain *chain, int64_t n_tokens) { chain->n_left = n_tokens < 0 ? -1 : n_tokens; }

static bool is_grammar_active(const lm_chain *chain) {
    if (!chain->grammar.ops) return false;
    return !chain->budget || !chain->is_grammar_lazy || !lm_reasoning_budget_is_open(chain->budget);
}

size_t lm_chain_forced(lm_chain *chain, char *out, size_t cap) {
    bool free = chain->budget && lm_reasoning_budget_is_open(chain->budget);
    if (free || !is_grammar_active(chain)) return 0;
    return lm_sampler_grammar_forced(chain->grammar.state, out, cap);
}

/* A list entry with the values that softmax gave it; total is the softmax's. */
static lm_token_prob prob_of(const lm_candidates *c, lm_token token, float logit, double total) {
    float logprob = (float)((double)logit - c->max - lm_ln(total));
    return (lm_token_prob){token, (float)(lm_exp_double((double)logit - c->max) / total), logprob};
}

static lm_status report(lm_chain *chain, double *out_total) {
    lm_candidates *c = &chain->list;
    double total;
    lm_status status = lm_candidates_softmax(c, &total);
    if (status != LM_OK) return status;
    *out_total = total;
    size_t n = lm_candidates_rank(c, chain->max_probs);
    for (size_t i = 0; i < n; i++) {
        uint64_t key = c->keys[i];
        chain->probs[i] = prob_of(c, lm_candidate_key_id(key), lm_candidate_key_logit(key), total);
    }
    chain->n_probs = n;
    return LM_OK;
}

/* Grammar and members up to n_members, on a list that has begun and been scanned. */
static lm_status run(lm_chain *chain, size_t n_members) {
    lm_candidates *c = &chain->list;
    lm_status status = LM_OK;
    if (is_grammar_active(chain)) status = chain->grammar.ops->apply(chain->grammar.state, c);
    for (size_t i = 0; i < n_members && status == LM_OK; i++) {
        /* Before anything random: a list that grammar and biases left empty must not move a generator. */
        if (i == chain->n_biases) status = lm_candidates_scan(c);
        if (status == LM_OK) status = chain->members[i].ops->apply(chain->members[i].state, c);
    }
    return status == LM_OK ? lm_candidates_scan(c) : status;
}

static lm_status begin(lm_chain *chain, const float *logits, size_t n_vocab) {
    lm_candidates_begin(&chain->list, logits, n_vocab);
    lm_status status = lm_candidates_scan(&chain->list);
    if (status == LM_OK) return LM_OK;
    return lm_chain_fail(chain, status, "the logits have a NaN or +infinity, or are all -infinity");
}

static lm_status fail_run(lm_chain *chain, lm_status status) {
    return lm_chain_fail(chain, status,
                         status == LM_ERR_RANGE ? "no candidate is left: all are forbidden"
                                                : "the grammar cannot be applied");
}

static lm_status fail_accept(lm_chain *chain, lm_status status, lm_token token) {
    return lm_chain_fail(chain, status, "the grammar does not allow token %d", (int)token);
}

lm_status lm_chain_pick(lm_chain *chain, const float *logits, size_t n_vocab, lm_token *out) {
    lm_candidates *c = &chain->list;
    lm_token forced = chain->budget ? lm_reasoning_budget_forced(chain->budget) : LM_TOKEN_NONE;
    bool is_reporting = chain->max_probs > 0, is_raw = !chain->is_reported_after;
    double total = 1.0;
    chain->is_reported = false;
    lm_status status = begin(chain, logits, n_vocab);
    if (status != LM_OK) return status;
    float raw_max = c->max;
    if (is_reporting && is_raw) {
        status = report(chain, &total);
        if (status != LM_OK) return status;
    }
    if (forced != LM_TOKEN_NONE && (size_t)forced < n_vocab) {
        *out = forced;
        chain->picked = (lm_token_prob){forced, 1.0f, 0.0f};
        if (is_reporting && !is_raw) {
            chain->probs[0] = chain->picked;
            chain->n_probs = 1;
        }
    } else {
        status = run(chain, chain->n_members);
        if (status != LM_OK) return fail_run(chain, status);
        *out = lm_candidates_id(c, c->selected);
        float p = c->p[c->selected];
        lm_token kept = *out;
        if (chain->n_left >= 0 && is_grammar_active(chain))
            kept = lm_sampler_grammar_keep_limit(chain->grammar.state, *out, (uint64_t)chain->n_left);
        if (kept != *out) p = 1.0f; /* it had to be this one */
        *out = kept;
        chain->picked = (lm_token_prob){*out, p, (float)lm_ln(p)};
        if (is_reporting && !is_raw) {
            status = report(chain, &total);
            if (status != LM_OK) return fail_run(chain, status);
        }
    }
    if (is_reporting && is_raw) {
        double logprob = (double)logits[*out] - raw_max - lm_ln(total);
        chain->picked = (lm_token_prob){*out, (float)lm_exp_double(logprob), (float)logprob};
    }
    chain->is_reported = is_reporting;
    return LM_OK;
}

lm_status lm_chain_apply(lm_chain *chain, float *logits, size_t n_vocab) {
    lm_candidates *c = &chain->list;
    lm_token forced = chain->budget ? lm_reasoning_budget_forced(chain->budget) : LM_TOKEN_NONE;
    lm_status status = begin(chain, logits, n_vocab);
    if (status != LM_OK) return status;
    if (forced != LM_TOKEN_NONE && (size_t)forced < n_vocab) {
        for (size_t i = 0; i < n_vocab; i++) logits[i] = -INFINITY;
        logits[forced] = 0.0f;
        return LM_OK;
    }
    status = run(chain, chain->n_members - 1);
    if (status != LM_OK) return fail_run(chain, status);
    if (!c->ids) {
        if (c->logits != logits) memcpy(logits, c->logits, n_vocab * sizeof *logits);
        return LM_OK;
    }
    for (size_t i = 0; i < n_vocab; i++) logits[i] = -INFINITY;
    for (size_t i = 0; i < c->count; i++) logits[c->ids[i]] = c->logits[i];
    return LM_OK;
}

/* The grammar sees generated tokens; a lazy one misses those of a reasoning block but for the end tag, which may hold a
 * trigger. */
static lm_status accept_grammar(lm_chain *chain, lm_token token, bool was_active, bool has_ended) {
    const lm_sampler_ops *ops = chain->grammar.ops;
    if (!ops || !ops->accept) return LM_OK;
    if (was_active) return ops->accept(chain->grammar.state, token, LM_ACCEPT_ROLE_GENERATED);
    if (!has_ended) return LM_OK;
    size_t n = lm_reasoning_budget_end_count(chain->budget);
    for (size_t i = 0; i < n; i++) {
        lm_token end = lm_reasoning_budget_end_token(chain->budget, i);
        lm_status status = ops->accept(chain->grammar.state, end, LM_ACCEPT_ROLE_GENERATED);
        if (status != LM_OK) return status;
    }
    return LM_OK;
}

lm_status lm_chain_accept(lm_chain *chain, lm_token token, lm_accept_role role) {
    if (role != LM_ACCEPT_ROLE_PROMPT && chain->budget) {
        lm_reasoning_state before = lm_reasoning_budget_save(chain->budget);
        bool was_active = is_grammar_active(chain);
        bool has_ended = lm_reasoning_budget_accept(chain->budget, token);
        lm_status status =
            role == LM_ACCEPT_ROLE_GENERATED ? accept_grammar(chain, token, was_active, has_ended) : LM_OK;
        if (status != LM_OK) {
            lm_reasoning_budget_restore(chain->budget, before);
            return fail_accept(chain, status, token);
        }
    } else if (role == LM_ACCEPT_ROLE_GENERATED) {
        lm_status status = accept_grammar(chain, token, true, false);
        if (status != LM_OK) return fail_accept(chain, status, token);
    }
    if (role == LM_ACCEPT_ROLE_GENERATED && chain->n_left > 0) chain->n_left--;
    for (size_t i = 0; i < chain->n_members; i++)
        if (chain->members[i].ops->accept) (void)chain->members[i].ops->accept(chain->members[i].state, token, role);
    return LM_OK;
}

lm_status lm_chain_end_reasoning(lm_chain *chain) {
    if (chain->budget && lm_reasoning_budget_end(chain->budget)) return LM_OK;
    return lm_chain_fail(chain, LM_ERR_STATE, "no reasoning block is open");
}

bool lm_chain_probs(const lm_chain *chain, const lm_token_prob **probs, size_t *n, lm_token_prob *picked) {
    if (!chain->is_reported) return false;
    *probs = chain->probs;
    *n = chain->n_probs;
    *picked = chain->picked;
    return true;
}
