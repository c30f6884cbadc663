/* SPDX-License-Identifier: MIT
 * Reading fixtures, and evaluating them in every way there is. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include "fixture.h"

#include <dirent.h>

#include "base/json.h"

static float *read_floats(const char *folder, const char *name, size_t n) {
    char path[1200];
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *bytes = test_read(path, &size);
    assert_non_null(bytes);
    assert_int_equal(size, n * sizeof(float));
    return (float *)(void *)bytes;
}

static int32_t *read_integers(const lm_json *list) {
    assert_true(lm_json_is(list, LM_JSON_ARRAY));
    int32_t *out = malloc(list->count * sizeof *out);
    for (size_t i = 0; i < list->count; i++) {
        int64_t value = -1;
        assert_true(lm_json_int64(lm_json_at(list, i), &value));
        out[i] = (int32_t)value;
    }
    return out;
}

/* False for a fixture of another kind (embeddings). */
static int read_fixture(const char *folder, const char *file, fixture *out) {
    char path[1200];
    size_t size = 0;
    lm_env env;
    lm_arena arena;
    const lm_json *root;
    int64_t n_vocab = 0;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    char *text = test_read(path, &size);
    assert_non_null(text);
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&arena, text, size, LM_JSON_DEPTH_DEFAULT, &root, NULL), LM_OK);
    const char *logits = lm_json_text(lm_json_get(root, "logits"), NULL);
    int good = logits != NULL;
    if (good) {
        const lm_json *tolerance = lm_json_get(root, "tolerance"), *native = lm_json_get(root, "native");
        *out = (fixture){0};
        snprintf(out->name, sizeof out->name, "%.*s", (int)(strlen(file) - 5), file);
        snprintf(out->model_path, sizeof out->model_path, "%s/%s.gguf", folder, out->name);
        out->tokens = read_integers(lm_json_get(root, "tokens"));
        out->n_tokens = lm_json_get(root, "tokens")->count;
        out->positions = read_integers(lm_json_get(root, "positions"));
        out->n_positions = lm_json_get(root, "positions")->count;
        assert_true(lm_json_int64(lm_json_at(lm_json_get(root, "shape"), 1), &n_vocab));
        out->n_vocab = (size_t)n_vocab;
        out->logits = read_floats(folder, logits, out->n_positions * out->n_vocab);
        const char *other = lm_json_text(lm_json_get(native, "file"), NULL);
        if (other) out->native = read_floats(folder, other, out->n_positions * out->n_vocab);
        const lm_json *drafts = lm_json_get(root, "mtp");
        const char *draft_file = lm_json_text(lm_json_get(drafts, "file"), NULL);
        if (draft_file) {
            out->drafts = read_floats(folder, draft_file, out->n_positions * out->n_vocab);
            assert_true(lm_json_double(lm_json_get(drafts, "max_abs"), &out->drafts_max_abs));
        }
        /* With native logits the activations may be quantised, too, and only distributions can be compared. */
        if (!other) {
            assert_true(lm_json_double(lm_json_get(tolerance, "max_abs"), &out->max_abs));
            assert_true(lm_json_double(lm_json_get(tolerance, "rms"), &out->rms));
        }
    }
    lm_arena_free(&arena);
    free(text);
    return good;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const fixture *)a)->name, ((const fixture *)b)->name);
}

fixture *fixtures_read(const char *folder, size_t *n) {
    DIR *directory = opendir(folder);
    fixture *out = NULL;
    *n = 0;
    if (!directory) return NULL;
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0) continue;
        out = realloc(out, (*n + 1) * sizeof *out);
        assert_non_null(out);
        *n += read_fixture(folder, entry->d_name, &out[*n]) ? 1 : 0;
    }
    closedir(directory);
    if (*n) qsort(out, *n, sizeof *out, by_name);
    return out;
}

void fixtures_free(fixture *fixtures, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(fixtures[i].tokens);
        free(fixtures[i].positions);
        free(fixtures[i].logits);
        free(fixtures[i].native);
        free(fixtures[i].drafts);
    }
    free(fixtures);
}

lm_model *fixture_open(const fixture *f, const char *cpu, int32_t n_threads) {
    lm_runtime_params runtime_params = LM_RUNTIME_PARAMS_INIT;
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_model *model = NULL;
    lm_error error = {.message = ""};
    runtime_params.cpu = cpu;
    runtime_params.n_threads = n_threads;
    if (lm_runtime_create(&runtime_params, &params.runtime, &error) != LM_OK ||
        lm_model_open(f->model_path, &params, &model, &error) != LM_OK)
        fail_msg("%s: %s", f->name, error.message);
    lm_runtime_destroy(params.runtime);
    return model;
}

lm_context *fixture_context(lm_model *model, int32_t n_seqs, int32_t n_batch) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context = NULL;
    lm_error error = {.message = ""};
    params.n_ctx = 512;
    params.n_seqs = n_seqs;
    params.n_batch = n_batch;
    params.n_outputs = 512;
    params.k_type = params.v_type = LM_DTYPE_F32;
    if (lm_context_open(model, &params, &context, &error) != LM_OK) fail_msg("%s", error.message);
    return context;
}

void fixture_eval(lm_context *context, const fixture *f, lm_seq seq, size_t first, size_t end, size_t step,
                  float *rows) {
    for (size_t at = first; at < end;) {
        size_t n = end - at < step ? end - at : step;
        lm_batch_item item = {seq, LM_LOGITS_ALL, f->tokens + at, n};
        if (lm_context_eval_batch(context, &item, 1) != LM_OK) fail_msg("%s: %s", f->name, lm_context_message(context));
        assert_int_equal(lm_context_logits_count(context), n);
        for (size_t i = 0; i < n && rows; i++)
            memcpy(rows + (at + i) * f->n_vocab, lm_context_logits_row(context, i), f->n_vocab * sizeof(float));
        at += n;
    }
}

float *fixture_rows(lm_model *model, const fixture *f, size_t step) {
    float *rows = malloc(f->n_tokens * f->n_vocab * sizeof *rows);
    lm_context *context = fixture_context(model, 1, 0);
    assert_non_null(rows);
    fixture_eval(context, f, 0, 0, f->n_tokens, step, rows);
    lm_context_close(context);
    return rows;
}

float *fixture_drafts(lm_model *model, const fixture *f, size_t step) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context = NULL;
    lm_error error = {.message = ""};
    float *rows = malloc(f->n_tokens * f->n_vocab * sizeof *rows);
    params.n_ctx = params.n_outputs = 512;
    params.k_type = params.v_type = LM_DTYPE_F32;
    params.outputs = LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT;
    if (lm_context_open(model, &params, &context, &error) != LM_OK) fail_msg("%s: %s", f->name, error.message);
    for (size_t at = 0; at < f->n_tokens;) {
        size_t n = f->n_tokens - at < step ? f->n_tokens - at : step;
        lm_batch_item item = {0, LM_LOGITS_ALL, f->tokens + at, n};
        if (lm_context_eval_batch(context, &item, 1) != LM_OK) fail_msg("%s: %s", f->name, lm_context_message(context));
        for (size_t i = 0; i < n; i++)
            memcpy(rows + (at + i) * f->n_vocab, lm_context_draft_logits(context, i), f->n_vocab * sizeof *rows);
        assert_null(lm_context_draft_logits(context, n));
        at += n;
    }
    lm_context_close(context);
    return rows;
}
