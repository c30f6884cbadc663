/* SPDX-License-Identifier: MIT
 * A grammar as a member: the candidates whose bit is missing from the matcher's mask are taken out before anything else is
 * done with them, and the matcher follows the tokens that are accepted. Masks come from the grammar's cache; computing one
 * that is not there yet takes memory from the grammar's allocator. */
#include "sampler_grammar.h"

#include "../grammar/matcher.h"

typedef struct grammar_state {
    lm_grammar_matcher *matcher; /* with a vocabulary */
    uint32_t *mask;
    size_t n_words;
} grammar_state;

static lm_status apply(void *opaque, lm_candidates *c) {
    grammar_state *s = opaque;
    if (lm_matcher_is_waiting(s->matcher)) return LM_OK;
    lm_status status = lm_matcher_mask(s->matcher, s->mask);
    if (status != LM_OK) return status;
    lm_token *ids;
    lm_list_order order = c->order; /* leaving entries out keeps it */
    float *logits = lm_candidates_edit_ids(c, &ids);
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++) {
        uint32_t id = (uint32_t)ids[i];
        if (id / 32 >= s->n_words || !(s->mask[id / 32] >> id % 32 & 1)) continue;
        ids[kept] = ids[i];
        logits[kept++] = logits[i];
    }
    c->count = kept;
    c->order = order;
    c->is_scanned = false;
    return kept > 0 ? LM_OK : LM_ERR_RANGE;
}

static lm_status accept(void *opaque, lm_token token, lm_accept_role role) {
    grammar_state *s = opaque;
    if (role == LM_ACCEPT_ROLE_PROMPT) return LM_OK;
    if (token < 0 || (uint32_t)token >= s->matcher->vocab->n_tokens) return LM_ERR_RANGE;
    return lm_matcher_accept_token(s->matcher, (uint32_t)token);
}

lm_token lm_sampler_grammar_keep_limit(void *opaque, lm_token token, uint64_t left) {
    grammar_state *s = opaque;
    if (lm_matcher_is_waiting(s->matcher)) return token;
    return (lm_token)lm_matcher_keep_limit(s->matcher, (uint32_t)token, left);
}

size_t lm_sampler_grammar_forced(void *opaque, char *out, size_t cap) {
    grammar_state *s = opaque;
    return lm_matcher_forced(s->matcher, (uint8_t *)out, cap);
}

static void reset(void *opaque) {
    grammar_state *s = opaque;
    (void)lm_matcher_reset(s->matcher); /* the start needs no more memory than it had */
}

static void destroy(void *opaque, const lm_env *env) {
    grammar_state *s = opaque;
    lm_matcher_destroy(s->matcher);
    lm_free(env, s->mask, s->n_words * sizeof *s->mask);
    lm_free(env, s, sizeof *s);
}

static lm_status create(const lm_grammar_matcher *matcher, const lm_env *env, void **out) {
    grammar_state *s = lm_alloc_zeroed(env, sizeof *s);
    if (!s) return LM_ERR_MEMORY;
    s->n_words = matcher->vocab->n_words;
    s->mask = lm_alloc_array(env, s->n_words, sizeof *s->mask);
    lm_status status = s->mask ? lm_matcher_clone(matcher, &s->matcher) : LM_ERR_MEMORY;
    if (status == LM_OK)
        *out = s;
    else
        destroy(s, env);
    return status;
}

static lm_status clone(const void *opaque, const lm_env *env, void **out) {
    const grammar_state *s = opaque;
    return create(s->matcher, env, out);
}

lm_status lm_sampler_grammar_create(const lm_grammar_matcher *matcher, const lm_env *env, lm_sampler_member *out) {
    static const lm_sampler_ops ops = {"grammar", apply, accept, reset, clone, destroy};
    void *state;
    lm_status status = create(matcher, env, &state);
    if (status == LM_OK) *out = (lm_sampler_member){&ops, state, sizeof(grammar_state)};
    return status;
}
