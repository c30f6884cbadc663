/* SPDX-License-Identifier: MIT
 * Speculative decoding gives the tokens of plain decoding, at every temperature, whatever is proposed; and it accounts for its rounds. */
#include <stdbool.h>

#include "model_files.h"

enum { N_CTX = 512, N_PROMPT = 70, N_NEW = 160, N_DRAFT = 5 };

static const char *const models[] = {"hybrid", "windowed", "qwen35-mtp", "qwen3next",  "qwen35moe",
                                     "lfm2",   "gemma3",   "gpt-oss",    "llama-plain"};

static lm_context *open_context(lm_model *model, int32_t n_draft, int32_t n_seqs) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context;
    lm_error error;
    params.n_ctx = N_CTX;
    params.n_seqs = n_seqs;
    params.n_draft = n_draft;
    params.n_batch = 64;
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
        }
        free(last);
        lm_model_close(model);
    }
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

/* A drafter that is never right (another model's) is given up. */
static void a_useless_draft_is_switched_off(void **state) {
    (void)state;
    lm_model *model = test_model("hybrid", NULL), *other = test_model("windowed", NULL);
    lm_context *context = open_context(model, N_DRAFT, 1), *draft = open_context(other, 0, 1);
    lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
    lm_speculator *speculator;
    lm_sampler *sampler = open_sampler(model, 1.0f);
    lm_token prompt[N_PROMPT], out[N_DRAFT + 2];
    test_random r = {9};
    size_t n, total = 0;
    params.drafter = LM_DRAFTER_MODEL;
    params.draft = draft;
    test_tokens(&r, prompt, N_PROMPT, test_vocab_size(model));
    assert_int_equal(lm_speculator_create(context, &params, &speculator, NULL), LM_OK);
    test_ok(context, lm_context_sync(context, 0, prompt, N_PROMPT, NULL));
    while (total < 400) {
        test_ok(context, lm_speculate(speculator, sampler, out, N_DRAFT + 2, &n));
        total += n;
    }
    lm_speculator_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(lm_speculator_get_stats(speculator, &stats), LM_OK);
    assert_true(stats.n_rounds < 60 && stats.n_plain > 250); /* the clock decides: a trial may look good once */
    lm_speculator_destroy(speculator);
    lm_sampler_destroy(sampler);
    lm_context_close(draft);
    lm_context_close(context);
    lm_model_close(model);
    lm_model_close(other);
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
    params.seq = 1;
    assert_int_equal(lm_speculator_create(context, &params, &speculator, &error), LM_ERR_ARGUMENT);
    lm_context_close(plain);
    lm_context_close(context);
    lm_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_those_of_plain_decoding),
        cmocka_unit_test(a_perfect_draft_is_always_kept),
        cmocka_unit_test(a_useless_draft_is_switched_off),
        cmocka_unit_test(wrong_parameters_are_refused),
    };
    return cmocka_run_group_tests_name("speculate", tests, NULL, NULL);
}
