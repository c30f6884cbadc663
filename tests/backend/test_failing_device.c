/* SPDX-License-Identifier: MIT
 * A device that fails: whatever a context is doing when a call of the backend fails, it says LM_ERR_DEVICE, keeps what the header says,
 * and goes on with the bytes that a context of the same tokens gives whose device never failed. */
#include "check.h"

#include <stdbool.h>

#include <lm/lm.h>

#include "backend/cpu/cpu_backend.h"
#include "base/env.h"
#include "host_backend.h"

enum { N_PROMPT = 150, N_MORE = 90, N_CTX = 512, N_DRAFT = 3 };

static lm_env env;
static lm_cpu cpu;
static lm_backend cpu_table, host_table;
static host_backend host;
static lm_token text[N_CTX];

static lm_model *open_model(const char *name, bool failing) {
    lm_runtime_params runtime_params = LM_RUNTIME_PARAMS_INIT;
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    const lm_backend *backends[] = {&host_table};
    lm_model *model = NULL;
    lm_error error;
    char file[64], path[1024];
    snprintf(file, sizeof file, "models/%s.gguf", name);
    assert_true(test_path("LM_GOLDEN", file, path, sizeof path));
    runtime_params.n_threads = 1;
    runtime_params.cpu = "generic"; /* as the device */
    if (failing) {
        runtime_params.backends = backends;
        runtime_params.n_backends = 1;
    }
    assert_int_equal(lm_runtime_create(&runtime_params, &params.runtime, &error), LM_OK);
    if (lm_model_open(path, &params, &model, &error) != LM_OK) fail_msg("%s", error.message);
    lm_runtime_destroy(params.runtime);
    return model;
}

static lm_context *open_context(lm_model *model) {
    lm_model_info info = {.struct_size = sizeof info};
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context = NULL;
    lm_error error;
    params.n_ctx = N_CTX;
    params.n_seqs = 3;
    params.n_batch = 64;
    params.n_draft = N_DRAFT;
    assert_int_equal(lm_model_get_info(model, &info), LM_OK);
    if (info.n_draft_layers) params.outputs = LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT;
    if (lm_context_open(model, &params, &context, &error) != LM_OK) fail_msg("%s", error.message);
    return context;
}

/* ---- what a context may be doing ---- */

typedef struct scene {
    lm_context *context;
    lm_speculator *speculator;
    lm_sampler *sampler;
    const char *path;
} scene;

static lm_status eval_one(scene *s) { return lm_context_eval(s->context, text + N_PROMPT, 1); }
static lm_status eval_many(scene *s) { return lm_context_eval(s->context, text + N_PROMPT, N_MORE); }
static lm_status eval_two(scene *s) {
    lm_batch_item items[] = {{0, LM_LOGITS_LAST, text + N_PROMPT, 5}, {1, LM_LOGITS_ALL, text, 3}};
    return lm_context_eval_batch(s->context, items, 2);
}
static lm_status sync_on(scene *s) { return lm_context_sync(s->context, 0, text, N_PROMPT + N_MORE, NULL); }
static lm_status sync_back(scene *s) { return lm_context_sync(s->context, 0, text, N_PROMPT - 40, NULL); }
static lm_status fork_it(scene *s) { return lm_seq_fork(s->context, 0, 1); }
static lm_status write_beside(scene *s) { /* the page that both hold is copied */
    lm_status status = lm_seq_fork(s->context, 0, 1);
    lm_batch_item item = {1, LM_LOGITS_LAST, text + N_PROMPT, 2};
    return status == LM_OK ? lm_context_eval_batch(s->context, &item, 1) : status;
}
static lm_status trim(scene *s) { return lm_seq_trim(s->context, 0, N_PROMPT - 30); }
static lm_status mark(scene *s) { return lm_context_mark(s->context, 0, N_PROMPT); }
static lm_status close_and_go_on(scene *s) {
    lm_status status = lm_seq_close(s->context, 0);
    return status == LM_OK ? lm_context_eval(s->context, text, 4) : status;
}
static lm_status save(scene *s) { return lm_seq_save(s->context, 0, s->path); }
static lm_status restore(scene *s) { return lm_seq_restore(s->context, 0, s->path); }
static lm_status speculate(scene *s) {
    lm_token out[N_DRAFT + 2];
    size_t n = 0;
    lm_status status = LM_OK;
    for (int i = 0; i < 3 && status == LM_OK; i++)
        status = lm_speculate(s->speculator, s->sampler, out, N_DRAFT + 2, &n);
    return status;
}

static const struct {
    const char *what;
    lm_status (*run)(scene *);
    bool keeps; /* after a failure sequence 0 is as it was */
} acts[] = {
    {"a token", eval_one, true},
    {"many tokens", eval_many, true},
    {"two sequences", eval_two, true},
    {"a longer prompt", sync_on, false},
    {"an older prompt", sync_back, false},
    {"a fork", fork_it, true},
    {"a shared page", write_beside, true},
    {"a trim", trim, false},
    {"a mark", mark, true},
    {"a new text", close_and_go_on, false},
    {"saving", save, true},
    {"restoring", restore, false},
    {"speculating", speculate, false},
};

/* Every sequence, with a token more, gives the logits of its tokens. */
static void check(lm_context *context, lm_context *sound, int32_t n_vocab, const char *name, const char *what, int k) {
    for (lm_seq q = 0; q < 3; q++) {
        int32_t n = lm_seq_length(context, q);
        lm_token tokens[N_CTX + 1];
        memcpy(tokens, lm_seq_tokens(context, q), (size_t)n * sizeof *tokens);
        tokens[n] = 5;
        lm_batch_item item = {q, LM_LOGITS_LAST, tokens + n, 1};
        if (lm_context_eval_batch(context, &item, 1) != LM_OK)
            fail_msg("%s, %s, call %d: sequence %d cannot go on: %s", name, what, k, (int)q,
                     lm_context_message(context));
        assert_int_equal(lm_seq_close(sound, 0), LM_OK);
        assert_int_equal(lm_context_eval(sound, tokens, (size_t)n + 1), LM_OK);
        if (memcmp(lm_context_logits(context), lm_context_logits(sound), (size_t)n_vocab * sizeof(float)))
            fail_msg("%s, %s, call %d: sequence %d of %d tokens has other logits", name, what, k, (int)q, (int)n);
    }
}

static void any_call_may_fail(void **state) {
    (void)state;
    static const char *const names[] = {"llama", "hybrid", "windowed"};
    lm_env_init(&env, NULL, NULL);
    lm_cpu_init(&cpu, &env, NULL, 1, LM_CPU_GENERIC);
    cpu_table = lm_cpu_backend(&cpu);
    host = (host_backend){.inner = &cpu_table, .hides_memory = true};
    host_table = host_backend_table(&host);
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        lm_model *model = open_model(names[m], true), *sound_model = open_model(names[m], false);
        lm_context *sound = open_context(sound_model);
        lm_model_info info = {.struct_size = sizeof info};
        assert_int_equal(lm_model_get_info(model, &info), LM_OK);
        for (int32_t i = 0; i < N_CTX; i++) text[i] = (7 * i + i * i % 11) % info.n_vocab;
        lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
        params.always = 1;
        if (info.n_draft_layers) params.drafter = LM_DRAFTER_MTP;
        lm_sampler_params greedy = LM_SAMPLER_PARAMS_INIT;
        greedy.temperature = 0;
        greedy.ignore_eos = 1;
        scene s = {.context = open_context(model), .path = "failing-device.lmseq"};
        size_t n_failures = 0;
        assert_int_equal(lm_context_sync(s.context, 0, text, N_PROMPT, NULL), LM_OK);
        assert_int_equal(lm_seq_save(s.context, 0, s.path), LM_OK);
        for (size_t a = 0; a < sizeof acts / sizeof *acts; a++)
            for (int k = 1;; k++) {
                for (lm_seq q = 0; q < 3; q++) assert_int_equal(lm_seq_close(s.context, q), LM_OK);
                assert_int_equal(lm_context_sync(s.context, 0, text, N_PROMPT, NULL), LM_OK);
                assert_int_equal(lm_sampler_for_model(model, &greedy, &s.sampler, NULL), LM_OK);
                assert_int_equal(lm_speculator_create(s.context, &params, &s.speculator, NULL), LM_OK);
                host.failed = false;
                host.fail_at = host.n_calls + k;
                lm_status status = acts[a].run(&s);
                host.fail_at = 0;
                if (status != LM_OK) {
                    assert_true(host.failed);
                    if (status != LM_ERR_DEVICE || !lm_context_message(s.context)[0])
                        fail_msg("%s, %s, call %d: %s: %s", names[m], acts[a].what, k, lm_status_name(status),
                                 lm_context_message(s.context));
                    if (acts[a].keeps) assert_int_equal(lm_seq_length(s.context, 0), N_PROMPT);
                    n_failures++;
                }
                check(s.context, sound, info.n_vocab, names[m], acts[a].what, k);
                lm_speculator_destroy(s.speculator);
                lm_sampler_destroy(s.sampler);
                if (!host.failed) break;
            }
        assert_true(n_failures > 40);
        remove(s.path);
        lm_context_close(s.context);
        lm_context_close(sound);
        lm_model_close(model);
        lm_model_close(sound_model);
        assert_int_equal(host.n_objects, 0);
        assert_int_equal(host.n_mixed_up, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_call_may_fail)};
    return cmocka_run_group_tests_name("failing device", tests, NULL, NULL);
}
