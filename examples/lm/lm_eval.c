/* SPDX-License-Identifier: MIT
 * lm eval: how well a model predicts a text. The text is cut into windows of n_ctx tokens; the first token of each becomes the begin
 * token where the vocabulary adds one, and the second half of each window is scored: exp of the mean of -log p(next token).
 *
 * --save keeps every scored row of logits, --against compares with them: the mean of KL(saved || own) and how often both have the same
 * likeliest token. The file, in little-endian 32-bit words:
 *
 *   "LMEV" 1 n_vocab n_ctx n_windows, then per window its n_ctx tokens and its n_ctx - 1 - n_ctx / 2 rows of n_vocab floats */
#include "program.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAGIC UINT32_C(0x56454d4c) /* "LMEV" */
#define FILE_VERSION 1

typedef struct eval_options {
    const char *text, *save, *against, *kv, *kv_v;
    int32_t n_ctx;
    bool json;
} eval_options;

typedef struct evaluation {
    const eval_options *options;
    const char *model_path;
    lm_model *model;
    lm_context *context;
    FILE *save, *against;
    float *other; /* [n_vocab] a saved row */
    size_t n_vocab, n_ctx, n_windows;
    lm_token bos;   /* LM_TOKEN_NONE where none is added */
    double nll, kl; /* sums */
    size_t n_scored, n_agree;
} evaluation;

/* log of the sum of exp, and the index of the largest. */
static double log_sum(const float *row, size_t n, size_t *best) {
    size_t top = 0;
    double sum = 0;
    for (size_t i = 1; i < n; i++)
        if (row[i] > row[top]) top = i;
    for (size_t i = 0; i < n; i++) sum += exp((double)row[i] - (double)row[top]);
    *best = top;
    return log(sum) + (double)row[top];
}

static int score_row(evaluation *e, const float *row, lm_token next) {
    size_t top, other_top;
    double total = log_sum(row, e->n_vocab, &top);
    e->nll += total - (double)row[next];
    e->n_scored++;
    if (e->save && !write_words(e->save, row, e->n_vocab))
        return failure("eval", "%s: %s", e->options->save, strerror(errno));
    if (!e->against) return EXIT_GOOD;
    if (!read_words(e->against, e->other, e->n_vocab))
        return failure("eval", "%s: the file is cut short", e->options->against);
    double other_total = log_sum(e->other, e->n_vocab, &other_top), kl = 0;
    for (size_t i = 0; i < e->n_vocab; i++) {
        double log_p = (double)e->other[i] - other_total, p = exp(log_p);
        if (p > 0) kl += p * (log_p - ((double)row[i] - total));
    }
    e->kl += kl;
    e->n_agree += top == other_top;
    return EXIT_GOOD;
}

/* The window's tokens go into the file, or must be those in the file. */
static int check_window(evaluation *e, const lm_token *window) {
    if (e->save && !write_words(e->save, window, e->n_ctx))
        return failure("eval", "%s: %s", e->options->save, strerror(errno));
    for (size_t i = 0; i < e->n_ctx && e->against; i++) {
        lm_token token;
        if (!read_words(e->against, &token, 1))
            return failure("eval", "%s: the file is cut short", e->options->against);
        if (token != window[i])
            return failure("eval", "%s: the file was made from another text or vocabulary", e->options->against);
    }
    return EXIT_GOOD;
}

static int evaluate_window(evaluation *e, lm_token *window) {
    lm_context_params params = {.struct_size = sizeof params};
    lm_context_get_params(e->context, &params);
    size_t first = e->n_ctx / 2;
    if (e->bos != LM_TOKEN_NONE) window[0] = e->bos;
    int status = check_window(e, window);
    if (status != EXIT_GOOD) return status;
    lm_seq_close(e->context, 0);
    lm_batch_item item = {0, LM_LOGITS_NONE, window, first};
    if (lm_context_eval_batch(e->context, &item, 1) != LM_OK) return failure_of_context("eval", e->context);
    for (size_t at = first; at + 1 < e->n_ctx;) {
        size_t left = e->n_ctx - 1 - at, n = left < (size_t)params.n_outputs ? left : (size_t)params.n_outputs;
        item = (lm_batch_item){0, LM_LOGITS_ALL, window + at, n};
        if (lm_context_eval_batch(e->context, &item, 1) != LM_OK) return failure_of_context("eval", e->context);
        for (size_t i = 0; i < n && status == EXIT_GOOD; i++)
            status = score_row(e, lm_context_logits_row(e->context, i), window[at + i + 1]);
        if (status != EXIT_GOOD) return status;
        at += n;
    }
    return EXIT_GOOD;
}

/* The saved rows, from the same vocabulary and windows. */
static int open_against(const eval_options *o, evaluation *e, const uint32_t head[5]) {
    uint32_t read[5];
    e->against = open_file(o->against, "rb");
    if (!e->against) return failure("eval", "%s: %s", o->against, strerror(errno));
    e->other = malloc(e->n_vocab * sizeof *e->other);
    if (!e->other) return failure("eval", "out of memory");
    if (!read_words(e->against, read, 5) || read[0] != FILE_MAGIC || read[1] != FILE_VERSION)
        return failure("eval", "%s: not a file of lm eval --save", o->against);
    if (memcmp(head, read, sizeof read) != 0)
        return failure("eval",
                       "%s: made with a vocabulary of %u, windows of %u tokens and %u of them, not %u, %u and %u",
                       o->against, (unsigned)read[2], (unsigned)read[3], (unsigned)read[4], (unsigned)head[2],
                       (unsigned)head[3], (unsigned)head[4]);
    return EXIT_GOOD;
}

static int open_files(const eval_options *o, evaluation *e) {
    uint32_t head[5] = {FILE_MAGIC, FILE_VERSION, (uint32_t)e->n_vocab, (uint32_t)e->n_ctx, (uint32_t)e->n_windows};
    int status;
    if (o->against && (status = open_against(o, e, head)) != EXIT_GOOD) return status;
    if (!o->save) return EXIT_GOOD;
    e->save = create_output("eval", o->save, e->model_path);
    if (!e->save) return EXIT_FAILED;
    return write_words(e->save, head, 5) ? EXIT_GOOD : failure("eval", "%s: %s", o->save, strerror(errno));
}

/* The token that the vocabulary puts in front of every text. */
static lm_token added_bos(const lm_model *model) {
    lm_token first = LM_TOKEN_NONE, bos = lm_vocab_bos(model);
    int32_t n = lm_tokenize(model, "", 0, LM_TOKENIZE_ADD_SPECIAL, &first, 1);
    return n > 0 && first == bos ? bos : LM_TOKEN_NONE;
}

/* JSON has no infinities, and what was not measured is null, too. */
static void print_member(const char *head, const char *format, double value) {
    fputs(head, stdout);
    if (isfinite(value))
        printf(format, value);
    else
        fputs("null", stdout);
}

static void print_results(const eval_options *o, const evaluation *e) {
    double n = (double)e->n_scored, perplexity = exp(e->nll / n);
    if (o->json) {
        print_member("{\"perplexity\": ", "%.6f", perplexity);
        printf(", \"tokens\": %zu", e->n_scored);
        print_member(", \"kl_mean\": ", "%.9g", e->against ? e->kl / n : NAN);
        print_member(", \"top1_agreement\": ", "%.6f", e->against ? (double)e->n_agree / n : NAN);
        puts("}");
    } else {
        printf("perplexity      %.4f over %zu tokens\n", perplexity, e->n_scored);
        if (e->against) printf("KL divergence   %.6g mean\ntop-1 agreement %.4f\n", e->kl / n, (double)e->n_agree / n);
    }
}

static int run(const eval_options *o, evaluation *e, token_list *tokens) {
    double start = seconds_now();
    int status = open_files(o, e);
    for (size_t w = 0; w < e->n_windows && status == EXIT_GOOD; w++) {
        status = evaluate_window(e, tokens->data + w * e->n_ctx);
        show_progress("window %zu of %zu, perplexity %.4f, %.0f s", w + 1, e->n_windows,
                      exp(e->nll / (double)e->n_scored), seconds_now() - start);
    }
    end_progress();
    if (e->save && fclose(e->save) != 0 && status == EXIT_GOOD)
        status = failure("eval", "%s: %s", o->save, strerror(errno));
    if (e->against) fclose(e->against);
    free(e->other);
    if (status == EXIT_GOOD) print_results(o, e);
    return status;
}

static int open_context(const eval_options *o, evaluation *e) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_error error;
    params.outputs = LM_OUTPUT_LOGITS;
    if (o->kv) cache_type(o->kv, &params.k_type);
    params.v_type = params.k_type;
    if (o->kv_v) cache_type(o->kv_v, &params.v_type);
    params.n_ctx = o->n_ctx;
    params.n_outputs = rows_at_once(e->model, (o->n_ctx + 1) / 2);
    return lm_context_open(e->model, &params, &e->context, &error) == LM_OK ? EXIT_GOOD : failure_of("eval", &error);
}

int lm_eval(int argc, char **argv) {
    static const command about = {
        "eval", MODEL_ARGUMENT, "Perplexity of a text, and the distance from another model's predictions." BUILTIN_HELP,
        MODEL_NEEDED, 1};
    eval_options o = {.n_ctx = 512};
    const char *model_path;
    common_options common;
    common_options_init(&common);
    option own[] = {
        {"-f", "--file", OPTION_TEXT, (void *)&o.text, "TEXT", "the text file (-: standard input)", NULL},
        {"-c", "--ctx", OPTION_INT, &o.n_ctx, "N", "tokens of a window (512)", NULL},
        {"--kv", NULL, OPTION_TEXT, (void *)&o.kv, "TYPE", "cache type: f32 f16 bf16 q8_0 q4_0 (f16)", NULL},
        {"--kv-v", NULL, OPTION_TEXT, (void *)&o.kv_v, "TYPE", "another one for the values", NULL},
        {"--save", NULL, OPTION_TEXT, (void *)&o.save, "FILE", "keep the logits of the scored positions", NULL},
        {"--against", NULL, OPTION_TEXT, (void *)&o.against, "FILE", "compare with logits kept by --save", NULL},
        {"--json", NULL, OPTION_FLAG, &o.json, NULL, "one JSON object", NULL},
        {0}};
    int status = options_parse(&about, own, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    int32_t type;
    if (!o.text) return usage_error("eval", "-f is missing");
    if (o.save && strcmp(o.save, "-") == 0) return usage_error("eval", "--save needs a file");
    if (o.save && o.against && is_same_file(o.save, o.against))
        return usage_error("eval", "--save and --against name the same file");
    if (o.n_ctx < 4 || o.n_ctx > 1 << 24) return usage_error("eval", "-c is %d", (int)o.n_ctx);
    if (o.kv && !cache_type(o.kv, &type)) return usage_error("eval", "--kv: no cache type \"%s\"", o.kv);
    if (o.kv_v && !cache_type(o.kv_v, &type)) return usage_error("eval", "--kv-v: no cache type \"%s\"", o.kv_v);

    evaluation e = {.options = &o, .model_path = model_path, .n_ctx = (size_t)o.n_ctx};
    token_list tokens = {0};
    char *text = NULL;
    size_t size = 0;
    status = open_model("eval", &common, model_path, &e.model);
    if (status == EXIT_GOOD && !(text = read_input("eval", o.text, &size))) status = EXIT_FAILED;
    if (status == EXIT_GOOD) status = tokenize_text("eval", e.model, text, size, LM_TOKENIZE_ADD_SPECIAL, &tokens);
    if (status == EXIT_GOOD) {
        e.n_windows = tokens.count / e.n_ctx;
        if (e.n_windows == 0)
            status = failure("eval", "the text has %zu tokens, a window needs %zu", tokens.count, e.n_ctx);
    }
    if (status == EXIT_GOOD) status = open_context(&o, &e);
    if (status == EXIT_GOOD) {
        lm_model_info info = {.struct_size = sizeof info};
        lm_model_get_info(e.model, &info);
        e.n_vocab = (size_t)info.n_vocab;
        e.bos = added_bos(e.model);
        status = run(&o, &e, &tokens);
    }
    free(text);
    token_list_free(&tokens);
    lm_context_close(e.context);
    lm_model_close(e.model);
    return status;
}
