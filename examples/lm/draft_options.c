/* SPDX-License-Identifier: MIT */
#include "draft_options.h"

#include <string.h>

static int32_t drafter_of(const char *from) {
    if (strcmp(from, "ngram") == 0) return LM_DRAFTER_NGRAM;
    return strcmp(from, "mtp") == 0 ? LM_DRAFTER_MTP : LM_DRAFTER_MODEL;
}

int draft_options_check(const char *command_name, draft_options *options) {
    if (!options->from && options->n_draft != 0) return usage_error(command_name, "--n-draft needs --draft");
    if (options->n_draft == 0) options->n_draft = 4;
    if (options->n_draft < 1 || options->n_draft > DRAFT_MOST)
        return usage_error(command_name, "--n-draft is %d, and must be 1 to %d", (int)options->n_draft, DRAFT_MOST);
    return EXIT_GOOD;
}

void draft_options_prepare(const draft_options *options, lm_context_params *params) {
    if (!options->from) return;
    params->n_draft = options->n_draft;
    if (drafter_of(options->from) == LM_DRAFTER_MTP) params->outputs = LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT;
}

static int open_drafter(const char *command_name, lm_runtime *runtime, const char *path, const lm_context *context,
                        drafting *out) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT, target = LM_CONTEXT_PARAMS_INIT;
    lm_error error;
    int status = open_model_on(command_name, runtime, path, &out->model);
    if (status != EXIT_GOOD) return status;
    lm_context_get_params(context, &target);
    params.n_ctx = target.n_ctx;
    params.n_seqs = 2; /* one more for models whose state does not go back */
    if (lm_context_open(out->model, &params, &out->context, &error) == LM_OK) return EXIT_GOOD;
    return failure(command_name, "--draft %s: %s", path, error.message);
}

int drafting_begin(const char *command_name, lm_runtime *runtime, const draft_options *options, lm_context *context,
                   drafting *out) {
    lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
    lm_error error;
    if (!options->from) return EXIT_GOOD;
    params.drafter = drafter_of(options->from);
    if (params.drafter == LM_DRAFTER_MODEL) {
        int status = open_drafter(command_name, runtime, options->from, context, out);
        if (status != EXIT_GOOD) return status;
        params.draft = out->context;
    }
    if (lm_speculator_create(context, &params, &out->speculator, &error) == LM_OK) return EXIT_GOOD;
    return failure(command_name, "--draft %s: %s", options->from, error.message);
}

void drafting_report(const drafting *drafting, char *text, size_t size) {
    lm_speculator_stats stats = {.struct_size = sizeof stats};
    *text = '\0';
    if (!drafting->speculator || lm_speculator_get_stats(drafting->speculator, &stats) != LM_OK) return;
    snprintf(text, size, "; %lld of %lld proposals right", (long long)stats.n_accepted, (long long)stats.n_drafted);
}

void drafting_end(drafting *drafting) {
    lm_speculator_destroy(drafting->speculator);
    lm_context_close(drafting->context);
    lm_model_close(drafting->model);
    *drafting = (struct drafting){0};
}
