/* SPDX-License-Identifier: MIT
 * lm logits: the rows of logits of a list of tokens, as raw little-endian 32-bit floats. */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct logits_options {
    const char *tokens, *at, *kv, *kv_v, *out;
    int32_t n_batch, n_ctx;
    bool mtp;
} logits_options;

/* Which rows are wanted: "all", "last" or positions in ascending or any order; wanted is [n]. */
static int choose_rows(const char *at, size_t n, bool *wanted) {
    if (strcmp(at, "all") == 0 || strcmp(at, "last") == 0) {
        for (size_t i = 0; i < n; i++) wanted[i] = at[0] == 'a' || i + 1 == n;
        return EXIT_GOOD;
    }
    token_list positions = {0};
    int status = read_numbers("logits", "--at", at, &positions);
    for (size_t i = 0; i < positions.count && status == EXIT_GOOD; i++) {
        if (positions.data[i] < 0 || (size_t)positions.data[i] >= n)
            status = usage_error("logits", "--at %d: there are %zu tokens", (int)positions.data[i], n);
        else if (i > 0 && positions.data[i] <= positions.data[i - 1])
            status = usage_error("logits", "--at: positions must ascend");
        else
            wanted[positions.data[i]] = true;
    }
    token_list_free(&positions);
    return status;
}

/* Evaluate in calls of at most n_batch tokens. A call either wants no row, the last one, or all: it ends where that changes. */
static int evaluate(const logits_options *o, lm_context *context, const token_list *tokens, const bool *wanted,
                    size_t n_vocab, FILE *file) {
    lm_context_params params = {.struct_size = sizeof params};
    lm_context_get_params(context, &params);
    for (size_t at = 0; at < tokens->count;) {
        size_t most = (size_t)(wanted[at] ? params.n_outputs : params.n_batch);
        size_t n = 1, left = tokens->count - at < most ? tokens->count - at : most;
        int32_t logits = wanted[at] ? LM_LOGITS_ALL : LM_LOGITS_NONE;
        while (n < left && !wanted[at] && !wanted[at + n]) n++;
        if (n < left && !wanted[at]) n++, logits = LM_LOGITS_LAST;
        while (n < left && logits == LM_LOGITS_ALL && wanted[at + n]) n++;
        lm_batch_item item = {0, logits, tokens->data + at, n};
        if (lm_context_eval_batch(context, &item, 1) != LM_OK) return failure_of_context("logits", context);
        for (size_t row = 0; row < lm_context_logits_count(context); row++)
            if (!write_words(file, o->mtp ? lm_context_draft_logits(context, row) : lm_context_logits_row(context, row),
                             n_vocab))
                return failure("logits", "%s: %s", o->out, strerror(errno));
        at += n;
        show_progress("%zu of %zu tokens", at, tokens->count);
    }
    end_progress();
    return EXIT_GOOD;
}

static int run(const logits_options *o, const lm_model *model, const char *model_path, lm_context *context,
               const token_list *tokens) {
    lm_model_info info = {.struct_size = sizeof info};
    lm_model_get_info(model, &info);
    bool *wanted = calloc(tokens->count, sizeof *wanted);
    if (!wanted) return failure("logits", "out of memory");
    int status = choose_rows(o->at, tokens->count, wanted);
    if (status == EXIT_GOOD) status = check_tokens("logits", tokens, info.n_vocab); /* before a file is written over */
    FILE *file = NULL;
    if (status == EXIT_GOOD) {
        file = create_output("logits", o->out, model_path);
        if (!file) status = EXIT_FAILED;
    }
    if (status == EXIT_GOOD) status = evaluate(o, context, tokens, wanted, (size_t)info.n_vocab, file);
    if (file && file != stdout && fclose(file) != 0 && status == EXIT_GOOD)
        status = failure("logits", "%s: %s", o->out, strerror(errno));
    free(wanted);
    return status;
}

int lm_logits_command(int argc, char **argv) {
    static const command about = {"logits", MODEL_ARGUMENT,
                                  "Write the logits of tokens as raw little-endian 32-bit floats." BUILTIN_HELP,
                                  MODEL_NEEDED, 1};
    logits_options o = {.at = "all", .n_batch = 512};
    const char *model_path;
    common_options common;
    common_options_init(&common);
    option own[] = {
        {"--tokens", NULL, OPTION_TEXT, (void *)&o.tokens, "1,2,3|@FILE", "the tokens, taken as they are", NULL},
        {"--at", NULL, OPTION_TEXT, (void *)&o.at, "all|last|0,10", "which positions (all)", NULL},
        {"--batch", "-b", OPTION_INT, &o.n_batch, "N", "tokens evaluated together at most (512)", NULL},
        {"--kv", NULL, OPTION_TEXT, (void *)&o.kv, "TYPE", "cache type: f32 f16 bf16 q8_0 q4_0 (f16)", NULL},
        {"--kv-v", NULL, OPTION_TEXT, (void *)&o.kv_v, "TYPE", "another one for the values", NULL},
        {"-c", "--ctx", OPTION_INT, &o.n_ctx, "N", "context length (as long as the tokens, at least 512)", NULL},
        {"--mtp", NULL, OPTION_FLAG, &o.mtp, NULL, "the draft logits of the multi-token-prediction block", NULL},
        {"-o", "--out", OPTION_TEXT, (void *)&o.out, "FILE", "where the rows go (-: standard output)", NULL},
        {0}};
    int status = options_parse(&about, own, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    if (!o.tokens) return usage_error("logits", "--tokens is missing");
    if (!o.out) return usage_error("logits", "-o is missing");
    if (o.n_batch < 1 || o.n_batch > 65536) return usage_error("logits", "--batch is %d", (int)o.n_batch);
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    if (o.kv && !cache_type(o.kv, &params.k_type)) return usage_error("logits", "--kv: no cache type \"%s\"", o.kv);
    params.v_type = params.k_type;
    if (o.kv_v && !cache_type(o.kv_v, &params.v_type))
        return usage_error("logits", "--kv-v: no cache type \"%s\"", o.kv_v);
    params.outputs = o.mtp ? LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT : LM_OUTPUT_LOGITS;

    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_error error;
    token_list tokens = {0};
    status = read_numbers("logits", "--tokens", o.tokens, &tokens);
    if (status == EXIT_GOOD && tokens.count > 1 << 24)
        status = usage_error("logits", "%zu tokens are too many", tokens.count);
    if (status == EXIT_GOOD && o.n_ctx > 0 && tokens.count > (size_t)o.n_ctx)
        status = usage_error("logits", "%zu tokens do not fit a context of %d (-c)", tokens.count, (int)o.n_ctx);
    if (status == EXIT_GOOD) status = open_model("logits", &common, model_path, &model);
    if (status == EXIT_GOOD) {
        params.n_ctx = o.n_ctx ? o.n_ctx : tokens.count > 512 ? (int32_t)tokens.count : 512;
        params.n_batch = o.n_batch;
        params.n_outputs =
            strcmp(o.at, "last") == 0 ? 1 : rows_at_once(model, o.n_batch < params.n_ctx ? o.n_batch : params.n_ctx);
        if (lm_context_open(model, &params, &context, &error) != LM_OK) status = failure_of("logits", &error);
    }
    if (status == EXIT_GOOD) status = run(&o, model, model_path, context, &tokens);
    lm_context_close(context);
    lm_model_close(model);
    token_list_free(&tokens);
    return status;
}
