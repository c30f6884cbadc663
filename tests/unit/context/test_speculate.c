/* SPDX-License-Identifier: MIT
 * Speculative decoding gives the tokens of plain decoding, at every temperature, whatever is proposed; and it accounts for its rounds. */
#include <stdbool.h>

#include "model_files.h"

#include "api/api_speculate.h"

enum { N_CTX = 512, N_PROMPT = 70, N_NEW = 160, N_DRAFT = 5 };

static const char *const models[] = {"hybrid",    "windowed", "glm4moe", "deepseek2-mtp", "qwen35-mtp", "qwen3next",
                                     "qwen35moe", "lfm2",     "gemma3",  "gpt-oss",       "llama-plain"};

static bool has_draft(const lm_model *model) {
    lm_model_info info = {.struct_size = sizeof info};
    assert_int_equal(lm_model_get_info(model, &info), LM_OK);
    return info.n_draft_layers > 0;
}

static lm_context *open_context(lm_model *model, int32_t n_draft, int32_t n_seqs) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context;
    lm_error error;
    params.n_ctx = N_CTX;
    params.n_seqs = n_seqs;
    params.n_draft = n_draft;
    params.n_batch = 64;
    if (n_draft > 0 && has_draft(model)) params.outputs = LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT;
    if (lm_context_open(model, &params, &context, &error) != LM_OK) fail_msg("%s", error.message);
    return context;
}

static lm_sampler *open_sampler(lm_model *model, float temperature) {
    lm_sampler_params params = LM_SAMPLER_PARAMS_INIT;
    lm_sampler *sampler;
    params.seed = 42;
    params.temperature = temperature;
    params.repeat_penalty = 1.1f;
    params.top_k = 20;
    params.ignore_eos = 1;
    assert_int_equal(lm_sampler_for_model(model, &params, &sampler, NULL), LM_OK);
    return sampler;
}

static void plainly(lm_model *model, float temperature, const lm_token *prompt, lm_token *out, float *last,
                    int32_t n_vocab) {
    lm_context *context = open_context(model, 0, 1);
    lm_sampler *sampler = open_sampler(model, temperature);
    test_ok(context, lm_context_sync(context, 0, prompt, N_PROMPT, NULL));
    for (int i = 0; i < N_NEW; i++) {
        test_ok(context, lm_sample(context, sampler, &out[i]));
        test_ok(context, lm_context_eval(context, &out[i], 1));
    }
    memcpy(last, lm_context_logits(context), (size_t)n_vocab * sizeof *last);
    lm_sampler_destroy(sampler);
    lm_context_close(context);
}

/* The same through a speculator; `ask` limits what a call may give. */
static lm_speculator_stats speculatively(lm_model *model, const lm_speculator_params *params, float temperature,
                                         const lm_token *prompt, const lm_token *expected, const float *last,
                                         int32_t n_vocab, size_t ask, const char *what) {
    lm_context *context = open_context(model, N_DRAFT, 1);
    lm_sampler *sampler = open_sampler(model, temperature);
    lm_speculator *speculator;
    lm_token got[N_DRAFT + 2];
    size_t done = 0, n = 0;
    assert_int_equal(lm_speculator_create(context, params, &speculator, NULL), LM_OK);
    assert_int_equal(lm_speculate(speculator, sampler, got, 1, &n), LM_ERR_STATE);
    test_ok(context, lm_context_sync(context, 0, prompt, N_PROMPT, NULL));
    while (done < N_NEW) {
        size_t room = N_NEW - done < ask ? N_NEW - done : ask;
        test_ok(context, lm_speculate(speculator, sampler, got, room, &n));
        assert_in_range(n, 1, room);
        if (memcmp(got, expected + done, n * sizeof *got)) fail_msg("%s: other tokens after %zu", what, done);
        done += n;
        assert_int_equal(lm_seq_length(context, 0), N_PROMPT + (int32_t)done - 1);
    }
    test_ok(context, lm_context_eval(context, &got[n - 1], 1)); /* the last one is the caller's to evaluate */
    if (memcmp(lm_context_logits(context), last, (size_t)n_vocab * sizeof *last)) fail_msg("%s: other state", what);
    lm_speculator_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(lm_speculator_get_stats(speculator, &stats), LM_OK);
    lm_speculator_destroy(speculator);
    lm_sampler_destroy(sampler);
    lm_context_close(context);
    return stats;
}

static void tokens_are_those_of_plain_decoding(void **state) {
    (void)state;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        lm_model *model = test_model(models[m], NULL);
        if (!model) continue;
        int32_t n_vocab = test_vocab_size(model);
        lm_token prompt[N_PROMPT], expected[N_NEW];
        test_random r = {m};
        float *last = malloc((size_t)n_vocab * sizeof *last);
        test_tokens(&r, prompt, N_PROMPT, n_vocab);
        memcpy(prompt + 40, prompt + 5, 25 * sizeof *prompt);
        for (int t = 0; t < 2; t++) {
            float temperature = t ? 0.9f : 0;
            plainly(model, temperature, prompt, expected, last, n_vocab);
            lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
            params.always = 1;
            speculatively(model, &params, temperature, prompt, expected, last, n_vocab, 100, models[m]);
            params.n_draft = 2;
            speculatively(model, &params, temperature, prompt, expected, last, n_vocab, 3, models[m]);
            params.always = 0;
            params.n_draft = 0;
            speculatively(model, &params, temperature, prompt, expected, last, n_vocab, 4, models[m]);
            lm_context *draft = open_context(model, 0, 2); /* the model itself: a perfect draft without temperature */
            params.drafter = LM_DRAFTER_MODEL;
            params.draft = draft;
            params.always = 1;
            lm_speculator_stats stats =
                speculatively(model, &params, temperature, prompt, expected, last, n_vocab, 100, models[m]);
            assert_true(stats.n_rounds > 0 && stats.n_accepted <= stats.n_drafted);
            assert_int_equal(stats.n_accepted + stats.n_rounds + stats.n_plain, N_NEW - 1);
            lm_context_close(draft);
            if (!has_draft(model)) continue;
            params = (lm_speculator_params)LM_SPECULATOR_PARAMS_INIT;
            params.drafter = LM_DRAFTER_MTP;
            params.always = 1;
            stats = speculatively(model, &params, temperature, prompt, expected, last, n_vocab, 100, models[m]);
            assert_true(stats.n_rounds > 0 && stats.n_drafted > 0);
            params.n_draft = 1;
            speculatively(model, &params, temperature, prompt, expected, last, n_vocab, 3, models[m]);
        }
        free(last);
        lm_model_close(model);
    }
}

/* What followed the longest run of last tokens, the latest of equals, and over its end again; one token is no run. */
static void repeated_runs_are_proposed(void **state) {
    (void)state;
    static const struct {
        lm_token text[10], pending, proposed[N_DRAFT];
        int32_t n_text, n_proposed;
    } cases[] = {
        {{7, 8, 9, 7, 8}, 9, {7, 8, 9, 7, 8}, 5, N_DRAFT},
        {{7, 9, 9}, 9, {9, 9, 9, 9, 9}, 3, N_DRAFT},
        {{1, 2, 9, 4, 5, 2, 9, 6, 1, 2}, 9, {4, 5, 2, 9, 6}, 10, N_DRAFT},
        {{2, 9, 4, 5, 2, 9, 6, 2}, 9, {6, 2, 9, 6, 2}, 8, N_DRAFT},
        {{1, 9, 4, 2}, 9, {0}, 4, 0},
        {{9, 4, 2, 3}, 8, {0}, 4, 0},
    };
    lm_model *model = test_model("llama", NULL);
    lm_context *context = open_context(model, N_DRAFT, 1);
    lm_speculator *speculator;
    assert_int_equal(lm_speculator_create(context, NULL, &speculator, NULL), LM_OK);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        lm_token got[N_DRAFT];
        test_ok(context, lm_context_sync(context, 0, cases[c].text, (size_t)cases[c].n_text, NULL));
        speculator->pending = cases[c].pending;
        assert_int_equal(lm_speculator_draft(speculator, N_DRAFT, got), cases[c].n_proposed);
        assert_memory_equal(got, cases[c].proposed, (size_t)cases[c].n_proposed * sizeof *got);
    }
    lm_speculator_destroy(speculator);
    lm_context_close(context);
    lm_model_close(model);
}

/* The draft block after rounds that kept some of their proposals: handed to a context that shows its logits, it predicts what it does
 * when the same tokens are evaluated from scratch. */
static void the_draft_block_follows_the_text(void **state) {
    (void)state;
    static const char *const drafting[] = {"hybrid", "qwen35", "qwen35moe", "glm4moe", "deepseek2-mtp"};
    for (size_t m = 0; m < sizeof drafting / sizeof *drafting; m++) {
        lm_model *model = test_model(drafting[m], NULL);
        int32_t n_vocab = test_vocab_size(model);
        lm_context *context = open_context(model, N_DRAFT, 1), *shown[2];
        lm_context_params shows = LM_CONTEXT_PARAMS_INIT;
        lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
        lm_speculator *speculator;
        lm_sampler *sampler = open_sampler(model, 1.0f);
        lm_token prompt[N_PROMPT], got[N_DRAFT + 2], text[N_CTX];
        test_random r = {m + 3};
        size_t n;
        shows.n_ctx = N_CTX;
        shows.outputs = LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT;
        for (int i = 0; i < 2; i++) assert_int_equal(lm_context_open(model, &shows, &shown[i], NULL), LM_OK);
        params.drafter = LM_DRAFTER_MTP;
        params.always = 1;
        test_tokens(&r, prompt, N_PROMPT, n_vocab);
        assert_int_equal(lm_speculator_create(context, &params, &speculator, NULL), LM_OK);
        test_ok(context, lm_context_sync(context, 0, prompt, N_PROMPT, NULL));
        assert_null(lm_context_draft_logits(context, 0));
        for (int round = 0; round < 30; round++) {
            test_ok(context, lm_speculate(speculator, sampler, got, N_DRAFT + 2, &n));
            if (round % 5) continue;
            size_t length = (size_t)lm_seq_length(context, 0);
            memcpy(text, lm_seq_tokens(context, 0), length * sizeof *text);
            text[length] = got[n - 1];
            test_ok(context, lm_seq_save(context, 0, "speculate-draft.lmseq"));
            test_ok(shown[0], lm_seq_restore(shown[0], 0, "speculate-draft.lmseq"));
            test_ok(shown[0], lm_context_eval(shown[0], &text[length], 1));
            test_ok(shown[1], lm_seq_close(shown[1], 0));
            test_ok(shown[1], lm_context_eval(shown[1], text, length + 1));
            if (memcmp(lm_context_draft_logits(shown[0], 0), lm_context_draft_logits(shown[1], 0),
                       (size_t)n_vocab * sizeof(float)))
                fail_msg("%s: other draft logits after %zu tokens", drafting[m], length);
        }
        remove("speculate-draft.lmseq");
        lm_speculator_destroy(speculator);
        lm_sampler_destroy(sampler);
        for (int i = 0; i < 2; i++) lm_context_close(shown[i]);
        lm_context_close(context);
        lm_model_close(model);
    }
}

/* The first proposal is the likeliest token of the block's logits for the text with the pending token. */
static void proposals_are_the_blocks(void **state) {
    (void)state;
    lm_model *model = test_model("qwen35", NULL);
    int32_t n_vocab = test_vocab_size(model);
    lm_context *context = open_context(model, 1, 1), *shown;
    lm_context_params shows = LM_CONTEXT_PARAMS_INIT;
    lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
    lm_speculator *speculator;
    lm_sampler_params greedy = LM_SAMPLER_PARAMS_INIT;
    lm_sampler *sampler;
    lm_token text[N_CTX], got[3];
    test_random r = {4};
    size_t n, length = N_PROMPT;
    int64_t accepted = 0;
    greedy.temperature = 0;
    greedy.ignore_eos = 1;
    shows.n_ctx = N_CTX;
    shows.outputs = LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT;
    params.drafter = LM_DRAFTER_MTP;
    params.always = 1;
    test_tokens(&r, text, N_PROMPT, n_vocab);
    assert_int_equal(lm_sampler_for_model(model, &greedy, &sampler, NULL), LM_OK);
    assert_int_equal(lm_context_open(model, &shows, &shown, NULL), LM_OK);
    assert_int_equal(lm_speculator_create(context, &params, &speculator, NULL), LM_OK);
    test_ok(context, lm_context_sync(context, 0, text, N_PROMPT, NULL));
    test_ok(context, lm_speculate(speculator, sampler, got, 1, &n)); /* the pending token */
    text[length++] = got[0];
    for (int round = 0; round < 40; round++) {
        test_ok(shown, lm_context_sync(shown, 0, text, length, NULL));
        const float *draft = lm_context_draft_logits(shown, 0);
        int32_t best = 0;
        for (int32_t i = 1; i < n_vocab; i++) best = draft[i] > draft[best] ? i : best;
        test_ok(context, lm_speculate(speculator, sampler, got, 3, &n));
        assert_int_equal(n == 2, got[0] == best);
        memcpy(text + length, got, n * sizeof *got);
        length += n;
        accepted += (int64_t)n - 1;
    }
    lm_speculator_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(lm_speculator_get_stats(speculator, &stats), LM_OK);
    assert_int_equal(stats.n_accepted, accepted);
    assert_int_equal(stats.n_drafted, 40);
    lm_speculator_destroy(speculator);
    lm_sampler_destroy(sampler);
    lm_context_close(shown);
    lm_context_close(context);
    lm_model_close(model);
}

/* A grammar in the sampler's chain: the same texts, and only ones it allows, whatever is proposed. */
static void grammars_hold_in_every_proposal(void **state) {
    (void)state;
    static const char gbnf[] = "root ::= \"the\" ( \" \" [a-z]+ )* \".\"";
    lm_model *model = test_model("qwen35", NULL);
    lm_grammar *grammar;
    lm_grammar_vocab *vocab;
    lm_grammar_matcher *matcher;
    lm_token prompt[N_PROMPT], plain[60], got[N_DRAFT + 2];
    test_random r = {8};
    size_t n_plain = 0;
    assert_int_equal(lm_grammar_from_gbnf(gbnf, sizeof gbnf - 1, NULL, &grammar, NULL), LM_OK);
    assert_int_equal(lm_grammar_vocab_for_model(model, &vocab, NULL), LM_OK);
    assert_int_equal(lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, NULL), LM_OK);
    test_tokens(&r, prompt, N_PROMPT, test_vocab_size(model));
    lm_sampler_params sampling = LM_SAMPLER_PARAMS_INIT;
    sampling.seed = 5;
    sampling.temperature = 1.2f;
    for (int32_t drafter = 0; drafter <= LM_DRAFTER_MTP; drafter++) {
        lm_context *context = open_context(model, N_DRAFT, 1), *draft = open_context(model, 0, 2);
        lm_sampler *sampler;
        size_t n = 0, done = 0;
        assert_int_equal(lm_sampler_for_model(model, &sampling, &sampler, NULL), LM_OK);
        assert_int_equal(lm_sampler_set_grammar(sampler, matcher), LM_OK);
        test_ok(context, lm_context_sync(context, 0, prompt, N_PROMPT, NULL));
        if (drafter == 0) {
            for (bool end = false; !end && n_plain < 60; n_plain++) {
                test_ok(context, lm_sample(context, sampler, &plain[n_plain]));
                end = lm_token_is_end(model, plain[n_plain]);
                if (!end) test_ok(context, lm_context_eval(context, &plain[n_plain], 1));
            }
            assert_true(n_plain > 3);
        } else {
            lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
            lm_speculator *speculator;
            params.drafter = drafter;
            params.always = 1;
            params.draft = drafter == LM_DRAFTER_MODEL ? draft : NULL;
            assert_int_equal(lm_speculator_create(context, &params, &speculator, NULL), LM_OK);
            while (done < n_plain) {
                size_t room = n_plain - done < N_DRAFT + 2 ? n_plain - done : N_DRAFT + 2;
                test_ok(context, lm_speculate(speculator, sampler, got, room, &n));
                assert_memory_equal(got, plain + done, n * sizeof *got);
                done += n;
            }
            lm_speculator_destroy(speculator);
        }
        lm_sampler_destroy(sampler);
        lm_context_close(draft);
        lm_context_close(context);
    }
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_vocab_destroy(vocab);
    lm_grammar_destroy(grammar);
    lm_model_close(model);
}

/* Greedy without penalties, drafted by the model itself: every round gives n_draft + 1 tokens. */
static void a_perfect_draft_is_always_kept(void **state) {
    (void)state;
    lm_model *model = test_model("hybrid", NULL);
    lm_context *context = open_context(model, N_DRAFT, 1), *draft = open_context(model, 0, 2);
    lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
    lm_sampler_params greedy = LM_SAMPLER_PARAMS_INIT;
    lm_speculator *speculator;
    lm_sampler *sampler;
    lm_token prompt[N_PROMPT], out[N_DRAFT + 2];
    test_random r = {9};
    size_t n;
    greedy.temperature = 0;
    params.drafter = LM_DRAFTER_MODEL;
    params.draft = draft;
    params.always = 1;
    test_tokens(&r, prompt, N_PROMPT, test_vocab_size(model));
    assert_int_equal(lm_sampler_for_model(model, &greedy, &sampler, NULL), LM_OK);
    assert_int_equal(lm_speculator_create(context, &params, &speculator, NULL), LM_OK);
    test_ok(context, lm_context_sync(context, 0, prompt, N_PROMPT, NULL));
    for (int i = 0; i < 20; i++) {
        test_ok(context, lm_speculate(speculator, sampler, out, N_DRAFT + 2, &n));
        assert_int_equal(n, i == 0 ? N_DRAFT + 2 : N_DRAFT + 1);
    }
    lm_speculator_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(lm_speculator_get_stats(speculator, &stats), LM_OK);
    assert_int_equal(stats.n_drafted, 20 * N_DRAFT);
    assert_int_equal(stats.n_accepted, stats.n_drafted);
    lm_speculator_destroy(speculator);
    lm_sampler_destroy(sampler);
    lm_context_close(draft);
    lm_context_close(context);
    lm_model_close(model);
}

/* Rounds and plain steps of 300 when a plain step takes 100, a round 100 and `cost` more per proposal, of which `right` in 100 are kept. */
static lm_speculator_stats decide(lm_context *context, double cost, int32_t right) {
    lm_speculator *speculator;
    lm_speculator_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(lm_speculator_create(context, NULL, &speculator, NULL), LM_OK);
    for (int i = 0, tried = 0; i < 300; i++) {
        int32_t n = lm_speculator_wanted(speculator, N_DRAFT + 1), n_kept = 0;
        assert_in_range(n, 0, N_DRAFT);
        while (n_kept < n && tried++ * 37 % 100 < right) n_kept++;
        lm_speculator_measure(speculator, n, n_kept, 100 + cost * n);
    }
    assert_int_equal(lm_speculator_get_stats(speculator, &stats), LM_OK);
    lm_speculator_destroy(speculator);
    assert_int_equal(stats.n_rounds + stats.n_plain, 300);
    return stats;
}

static void what_does_not_pay_is_switched_off(void **state) {
    (void)state;
    lm_model *model = test_model("llama", NULL);
    lm_context *context = open_context(model, N_DRAFT, 1);
    lm_speculator_stats never_right = decide(context, 10, 0), always_right = decide(context, 10, 100),
                        too_dear = decide(context, 150, 100), even = decide(context, 10, 60);
    assert_true(never_right.n_rounds < 40 && never_right.n_drafted < 80);
    assert_true(always_right.n_rounds > 250 && always_right.n_drafted > 240 * N_DRAFT);
    assert_true(too_dear.n_rounds < 40);
    assert_true(even.n_rounds > 250);
    lm_context_close(context);
    lm_model_close(model);
}

static void wrong_parameters_are_refused(void **state) {
    (void)state;
    lm_model *model = test_model("hybrid", NULL);
    lm_context *plain = open_context(model, 0, 1), *context = open_context(model, 3, 1);
    lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
    lm_speculator *speculator;
    lm_error error;
    assert_int_equal(lm_speculator_create(plain, NULL, &speculator, &error), LM_ERR_ARGUMENT);
    params.n_draft = 4;
    assert_int_equal(lm_speculator_create(context, &params, &speculator, &error), LM_ERR_ARGUMENT);
    params.n_draft = 0;
    params.drafter = LM_DRAFTER_MODEL;
    assert_int_equal(lm_speculator_create(context, &params, &speculator, &error), LM_ERR_ARGUMENT);
    params.draft = plain; /* recurrent: it needs a second sequence */
    assert_int_equal(lm_speculator_create(context, &params, &speculator, &error), LM_ERR_ARGUMENT);
    params = (lm_speculator_params)LM_SPECULATOR_PARAMS_INIT;
    params.drafter = LM_DRAFTER_MTP; /* opened without the block's logits */
    assert_int_equal(lm_speculator_create(plain, &params, &speculator, &error), LM_ERR_ARGUMENT);
    params.drafter = LM_DRAFTER_MTP + 1;
    assert_int_equal(lm_speculator_create(context, &params, &speculator, &error), LM_ERR_ARGUMENT);
    params = (lm_speculator_params)LM_SPECULATOR_PARAMS_INIT;
    params.seq = 1;
    assert_int_equal(lm_speculator_create(context, &params, &speculator, &error), LM_ERR_ARGUMENT);
    lm_context_close(plain);
    lm_context_close(context);
    lm_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_those_of_plain_decoding), cmocka_unit_test(repeated_runs_are_proposed),
        cmocka_unit_test(the_draft_block_follows_the_text),   cmocka_unit_test(proposals_are_the_blocks),
        cmocka_unit_test(grammars_hold_in_every_proposal),    cmocka_unit_test(a_perfect_draft_is_always_kept),
        cmocka_unit_test(what_does_not_pay_is_switched_off),  cmocka_unit_test(wrong_parameters_are_refused),
    };
    return cmocka_run_group_tests_name("speculate", tests, NULL, NULL);
}
