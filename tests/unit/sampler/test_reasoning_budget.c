/* SPDX-License-Identifier: MIT
 * The reasoning budget: tags, counting, forcing, characters split between tokens; and the token matcher below it. */
#include "sampler_support.h"

#include "sampler/reasoning_budget.h"
#include "sampler/token_matcher.h"

/* 0 think, 1 /think, 2 /, 3 a, 4 first byte of a two-byte character, 5 its second byte, 6 wait, 7 end */
static const char *const names[] = {"<think>", "</think>", "</", "a", "\xC3", "\xA9", "wait", "<eos>"};
static test_texts texts = {names, 8, 7};
static const lm_token start_tokens[] = {0}, end_tokens[] = {1}, long_end[] = {2, 2, 3}, forced_tokens[] = {6, 1};

static lm_sampler_params budget_params(int32_t budget, const lm_token_span *ends, size_t n_ends) {
    lm_sampler_params params = test_neutral("");
    params.reasoning_budget = budget;
    params.reasoning_start = (lm_token_span){start_tokens, 1};
    params.reasoning_ends = ends;
    params.n_reasoning_ends = n_ends;
    params.reasoning_forced = (lm_token_span){forced_tokens, 2};
    return params;
}

static const lm_token_span ends[] = {{end_tokens, 1}, {long_end, 3}};

static lm_chain *budget_chain(int32_t budget) {
    lm_sampler_params params = budget_params(budget, ends, 2);
    lm_sampler_vocab vocab = test_vocab(&texts);
    return test_chain_vocab(&params, &vocab);
}

/* The token that a pick gives when token 3 is by far the best: a forced one, or 3. */
static lm_token next(lm_chain *chain) {
    static const float logits[8] = {0, 0, 0, 100, 0, 0, 0, 0};
    return test_pick(chain, logits, 8);
}

static void accept_one(lm_chain *chain, lm_token token) { test_accept(chain, &token, 1); }

static void used_up_budget_forces_the_sequence(void **state) {
    (void)state;
    lm_chain *chain = budget_chain(2);
    accept_one(chain, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(next(chain), 3);
        accept_one(chain, 3);
    }
    assert_int_equal(next(chain), 6);
    accept_one(chain, 6);
    assert_int_equal(next(chain), 1);
    accept_one(chain, 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(next(chain), 3);
        accept_one(chain, 3);
    }
    accept_one(chain, 0); /* a new block has a new budget */
    accept_one(chain, 3);
    assert_int_equal(next(chain), 3);
    accept_one(chain, 3);
    assert_int_equal(next(chain), 6);
    lm_chain_reset(chain);
    assert_int_equal(next(chain), 3);
    lm_chain_destroy(chain);
}

static void zero_budget_forces_at_once(void **state) {
    (void)state;
    lm_chain *chain = budget_chain(0);
    assert_int_equal(lm_chain_accept(chain, 0, LM_ACCEPT_ROLE_PROMPT), LM_OK);
    assert_int_equal(next(chain), 3); /* a tag in the prompt is text */
    assert_int_equal(lm_chain_accept(chain, 0, LM_ACCEPT_ROLE_PREFILL), LM_OK);
    assert_int_equal(next(chain), 6); /* in the generation prompt it opens a block */
    lm_chain_destroy(chain);
}

static void end_tag_closes_the_block(void **state) {
    (void)state;
    lm_chain *chain = budget_chain(6);
    accept_one(chain, 0);
    test_accept(chain, (lm_token[]){2, 2, 2, 3}, 4); /* overlaps itself */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(next(chain), 3);
        accept_one(chain, 3);
    }
    lm_chain_destroy(chain);
}

static void characters_are_not_torn(void **state) {
    (void)state;
    lm_chain *chain = budget_chain(1);
    accept_one(chain, 0);
    accept_one(chain, 4); /* the budget ends on the first byte of two */
    assert_int_equal(next(chain), 3);
    accept_one(chain, 5);
    assert_int_equal(next(chain), 6);
    lm_chain_destroy(chain);
}

static void block_can_be_closed_from_outside(void **state) {
    (void)state;
    lm_chain *chain = budget_chain(-1), *clone = NULL;
    assert_int_equal(lm_chain_end_reasoning(chain), LM_ERR_STATE);
    accept_one(chain, 0);
    for (int i = 0; i < 100; i++) accept_one(chain, 3);
    assert_int_equal(next(chain), 3);
    assert_int_equal(lm_chain_end_reasoning(chain), LM_OK);
    assert_int_equal(next(chain), 6);
    assert_int_equal(lm_chain_clone(chain, &clone), LM_OK);
    accept_one(chain, 6);
    assert_int_equal(next(clone), 6);
    accept_one(clone, 6);
    assert_int_equal(next(clone), 1);
    lm_chain_destroy(chain);
    lm_chain_destroy(clone);
}

/* A grammar that allows only token 3, records what it is shown and refuses token 4. */
typedef struct recorder {
    size_t n_applied, n_accepted;
    lm_token accepted[16];
} recorder;

static lm_status recorder_apply(void *state, lm_candidates *c) {
    float *logits = lm_candidates_edit(c);
    for (size_t i = 0; i < c->count; i++)
        if (lm_candidates_id(c, i) != 3) logits[i] = -INFINITY;
    ((recorder *)state)->n_applied++;
    return LM_OK;
}

static lm_status recorder_accept(void *state, lm_token token, lm_accept_role role) {
    recorder *own = state;
    assert_int_equal(role, LM_ACCEPT_ROLE_GENERATED);
    if (token == 4) return LM_ERR_STATE;
    own->accepted[own->n_accepted++] = token;
    return LM_OK;
}

static const lm_sampler_ops recorder_ops = {"recorder", recorder_apply, recorder_accept, NULL, NULL, NULL};

static recorder *attach(lm_chain *chain, bool lazy) {
    void *state = lm_alloc_zeroed(lm_chain_env(chain), sizeof(recorder));
    lm_sampler_member member = {&recorder_ops, state, sizeof(recorder)};
    assert_non_null(member.state);
    lm_chain_set_grammar(chain, &member, lazy);
    return member.state;
}

static void lazy_grammar_sleeps_in_a_block_and_sees_its_end_tag(void **state) {
    (void)state;
    static const float flat[8] = {0, 9, 0, 0, 0, 0, 0, 0};
    lm_chain *chain = budget_chain(-1);
    recorder *grammar = attach(chain, true);
    assert_int_equal(test_pick(chain, flat, 8), 3);
    accept_one(chain, 0);
    assert_int_equal(grammar->n_applied, 1);
    test_pick(chain, flat, 8);
    assert_int_equal(grammar->n_applied, 1);
    test_accept(chain, (lm_token[]){4, 2, 2, 3}, 4); /* "</" "</" "a" is the end tag */
    static const lm_token shown[] = {0, 2, 2, 3};
    assert_int_equal(grammar->n_accepted, 4);
    assert_memory_equal(grammar->accepted, shown, sizeof shown);
    assert_int_equal(test_pick(chain, flat, 8), 3);
    assert_int_equal(grammar->n_applied, 2);
    lm_chain_destroy(chain);
}

static void refused_token_changes_nothing(void **state) {
    (void)state;
    lm_chain *chain = budget_chain(2);
    attach(chain, false);
    accept_one(chain, 0);
    for (int i = 0; i < 5; i++) assert_int_equal(lm_chain_accept(chain, 4, LM_ACCEPT_ROLE_GENERATED), LM_ERR_STATE);
    accept_one(chain, 3);
    assert_int_equal(next(chain), 3);
    accept_one(chain, 3);
    assert_int_equal(next(chain), 6);
    lm_chain_destroy(chain);
}

static void matcher_finds_what_a_naive_search_finds(void **state) {
    (void)state;
    lm_random random;
    lm_random_seed(&random, 6);
    for (int round = 0; round < 200; round++) {
        lm_token pool[6][5];
        lm_token_span spans[6];
        size_t n_spans = 1 + lm_random_word(&random) % 6;
        for (size_t i = 0; i < n_spans; i++) {
            spans[i] = (lm_token_span){pool[i], 1 + lm_random_word(&random) % 5};
            for (size_t j = 0; j < 5; j++) pool[i][j] = (lm_token)(lm_random_word(&random) % 2);
        }
        lm_token_matcher_state states[31];
        assert_true(lm_token_matcher_count(spans, n_spans) <= 31);
        lm_token_matcher_build(states, spans, n_spans);
        lm_token text[60];
        uint32_t at = 0;
        for (size_t n = 1; n <= 60; n++) {
            text[n - 1] = (lm_token)(lm_random_word(&random) % 2);
            uint32_t longest = 0;
            for (size_t i = 0; i < n_spans; i++) {
                size_t l = spans[i].count;
                if (l <= n && l > longest && memcmp(text + n - l, spans[i].tokens, l * sizeof *text) == 0)
                    longest = (uint32_t)l;
            }
            assert_int_equal(lm_token_matcher_step(states, &at, text[n - 1]), longest);
            for (size_t i = 0; i < longest; i++)
                assert_int_equal(lm_token_matcher_token(states, at, longest, i), text[n - longest + i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(used_up_budget_forces_the_sequence),
        cmocka_unit_test(zero_budget_forces_at_once),
        cmocka_unit_test(end_tag_closes_the_block),
        cmocka_unit_test(characters_are_not_torn),
        cmocka_unit_test(block_can_be_closed_from_outside),
        cmocka_unit_test(lazy_grammar_sleeps_in_a_block_and_sees_its_end_tag),
        cmocka_unit_test(refused_token_changes_nothing),
        cmocka_unit_test(matcher_finds_what_a_naive_search_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
