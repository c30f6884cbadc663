/* SPDX-License-Identifier: MIT
 * The front door of lib/grammar: checks arguments, then calls the room. */
#include "../base/format.h"
#include "../base/params.h"
#include "../grammar/gbnf.h"
#include "../grammar/json_schema.h"
#include "../grammar/matcher.h"

static lm_status read_params(const lm_grammar_params *params, const void *text, size_t n, lm_grammar **out,
                             lm_grammar_params *own, lm_error *error) {
    if (!out || (!text && n > 0))
        return lm_error_set(error, LM_ERR_ARGUMENT, "grammar: no text or no place for the result");
    lm_status status = lm_params_read(own, sizeof *own, params, "lm_grammar_params", error);
    if (status != LM_OK) return status;
    if (own->flags & ~LM_GRAMMAR_COMPACT) return lm_error_set(error, LM_ERR_ARGUMENT, "grammar: unknown flags");
    if (n > LM_GRAMMAR_TEXT_MAX)
        return lm_error_set(error, LM_ERR_LIMIT, "grammar: text of %zu bytes; at most %zu are read", n,
                            LM_GRAMMAR_TEXT_MAX);
    return LM_OK;
}

/* Reads a text with one of the two front ends. */
typedef lm_status read_fn(lm_gexpr_pool *pool, const char *text, size_t n, const lm_grammar_params *params,
                          uint32_t *root, lm_error *error);

static lm_status read_gbnf(lm_gexpr_pool *pool, const char *text, size_t n, const lm_grammar_params *params,
                           uint32_t *root, lm_error *error) {
    return lm_gbnf_parse(pool, text, n, params->find_token, params->user, root, error);
}

static lm_status read_schema(lm_gexpr_pool *pool, const char *text, size_t n, const lm_grammar_params *params,
                             uint32_t *root, lm_error *error) {
    return lm_schema_compile(pool, text, n, params->flags & LM_GRAMMAR_COMPACT, root, error);
}

static lm_status from_text(read_fn *read, const char *text, size_t n, const lm_grammar_params *params, lm_grammar **out,
                           lm_error *error) {
    lm_grammar_params own = LM_GRAMMAR_PARAMS_INIT;
    lm_status status = read_params(params, text, n, out, &own, error);
    if (status != LM_OK) return status;
    lm_env env;
    lm_gexpr_pool pool;
    uint32_t root = 0;
    lm_env_init(&env, own.allocator, NULL);
    lm_gexpr_pool_init(&pool, &env);
    status = pool.status == LM_OK ? read(&pool, text, n, &own, &root, error) : lm_error_memory(error);
    if (status == LM_OK) status = lm_grammar_compile(&pool, root, out, error);
    lm_gexpr_pool_free(&pool);
    return status;
}

lm_status lm_grammar_from_gbnf(const char *text, size_t n, const lm_grammar_params *params, lm_grammar **out,
                               lm_error *error) {
    return from_text(read_gbnf, text, n, params, out, error);
}

lm_status lm_grammar_from_json_schema(const char *json, size_t n, const lm_grammar_params *params, lm_grammar **out,
                                      lm_error *error) {
    return from_text(read_schema, json, n, params, out, error);
}

lm_grammar *lm_grammar_retain(lm_grammar *grammar) {
    if (grammar) atomic_fetch_add_explicit(&grammar->references, 1, memory_order_relaxed);
    return grammar;
}

void lm_grammar_destroy(lm_grammar *grammar) { lm_grammar_release(grammar); }

size_t lm_grammar_memory(const lm_grammar *grammar) { return grammar ? lm_grammar_bytes(grammar) : 0; }

lm_status lm_grammar_vocab_create(const lm_grammar_vocab_params *params, lm_grammar_vocab **out, lm_error *error) {
    lm_grammar_vocab_params own = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_grammar_vocab_params", error);
    if (status != LM_OK) return status;
    if (!out || !own.get) return lm_error_set(error, LM_ERR_ARGUMENT, "grammar vocabulary: get or out is NULL");
    return lm_token_trie_create(&own, out, error);
}

lm_grammar_vocab *lm_grammar_vocab_retain(lm_grammar_vocab *vocab) {
    if (vocab) atomic_fetch_add_explicit(&vocab->references, 1, memory_order_relaxed);
    return vocab;
}

void lm_grammar_vocab_destroy(lm_grammar_vocab *vocab) { lm_token_trie_release(vocab); }

lm_status lm_grammar_matcher_create(lm_grammar *grammar, lm_grammar_vocab *vocab,
                                    const lm_grammar_matcher_params *params, lm_grammar_matcher **out,
                                    lm_error *error) {
    lm_grammar_matcher_params own = LM_GRAMMAR_MATCHER_PARAMS_INIT;
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_grammar_matcher_params", error);
    if (status != LM_OK) return status;
    if (own.reserved) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_grammar_matcher_params.reserved is not 0");
    if (!grammar || !out || (!own.triggers && own.n_triggers > 0))
        return lm_error_set(error, LM_ERR_ARGUMENT, "grammar matcher: grammar, out or triggers is NULL");
    lm_trigger_set *triggers = NULL;
    if (own.n_triggers > 0)
        status = lm_trigger_set_create(&grammar->env, vocab ? vocab->n_tokens : 0, own.triggers, own.n_triggers,
                                       &triggers, error);
    if (status != LM_OK) return status;
    status = lm_matcher_create(grammar, vocab, triggers, out);
    lm_trigger_set_release(triggers);
    if (status == LM_ERR_MEMORY) return lm_error_memory(error);
    return status == LM_OK ? LM_OK : lm_error_set(error, status, "grammar: its start takes too much work");
}

void lm_grammar_matcher_destroy(lm_grammar_matcher *matcher) { lm_matcher_destroy(matcher); }

lm_status lm_grammar_matcher_clone(const lm_grammar_matcher *matcher, lm_grammar_matcher **out) {
    return matcher && out ? lm_matcher_clone(matcher, out) : LM_ERR_ARGUMENT;
}

lm_status lm_grammar_matcher_reset(lm_grammar_matcher *matcher) {
    return matcher ? lm_matcher_reset(matcher) : LM_ERR_ARGUMENT;
}

lm_status lm_grammar_matcher_accept_bytes(lm_grammar_matcher *matcher, const char *bytes, size_t n, size_t *n_viable) {
    if (!matcher || (!bytes && n > 0)) return LM_ERR_ARGUMENT;
    return lm_matcher_accept_bytes(matcher, (const uint8_t *)bytes, n, n_viable);
}

lm_status lm_grammar_matcher_accept_token(lm_grammar_matcher *matcher, lm_token token) {
    if (!matcher) return LM_ERR_ARGUMENT;
    if (!matcher->vocab) return LM_ERR_STATE;
    if (token < 0 || (uint32_t)token >= matcher->vocab->n_tokens) return LM_ERR_RANGE;
    return lm_matcher_accept_token(matcher, (uint32_t)token);
}

int32_t lm_grammar_matcher_is_complete(const lm_grammar_matcher *matcher) {
    return matcher && lm_matcher_is_complete(matcher);
}

int32_t lm_grammar_matcher_is_waiting(const lm_grammar_matcher *matcher) {
    return matcher && lm_matcher_is_waiting(matcher);
}

lm_status lm_grammar_matcher_mask(lm_grammar_matcher *matcher, uint32_t *mask, size_t n_words) {
    if (!matcher || !mask) return LM_ERR_ARGUMENT;
    if (!matcher->vocab) return LM_ERR_STATE;
    if (n_words < matcher->vocab->n_words) return LM_ERR_ARGUMENT;
    for (size_t i = matcher->vocab->n_words; i < n_words; i++) mask[i] = 0;
    return lm_matcher_mask(matcher, mask);
}

size_t lm_grammar_matcher_completion(lm_grammar_matcher *matcher, char *out, size_t cap) {
    if (!matcher || (!out && cap > 0)) return SIZE_MAX;
    return lm_matcher_completion(matcher, (uint8_t *)out, cap);
}

size_t lm_grammar_matcher_forced(lm_grammar_matcher *matcher, char *out, size_t cap) {
    return matcher && out ? lm_matcher_forced(matcher, (uint8_t *)out, cap) : 0;
}

uint64_t lm_grammar_matcher_position(const lm_grammar_matcher *matcher) {
    return matcher ? lm_matcher_position(matcher) : 0;
}

lm_status lm_grammar_matcher_rewind(lm_grammar_matcher *matcher, uint64_t position) {
    return matcher ? lm_matcher_rewind(matcher, position) : LM_ERR_ARGUMENT;
}
