/* SPDX-License-Identifier: MIT
 * What drafts gain and cost, in time: bench_speculate MODEL [DRAFT-MODEL] [-t THREADS] [-n TOKENS] [-r ROUNDS] [-m PROPOSALS].
 *
 * Greedy decoding after the same prompt, plain and with speculators in turn, so that the machine's moods meet all of them; the median of the
 * rounds counts. The model as its own draft is never wrong: a round gives m + 1 tokens for m evaluations of its own, the first of the two
 * tokens that it lacks, and one of m + 1 tokens. The time of a token cannot be below
 * (evaluation(2) + (m - 1) * evaluation(1) + evaluation(m + 1)) / (m + 1), nor, with a drafter that costs nothing, below
 * evaluation(m + 1) / (m + 1). These evaluations are timed in the same run. A DRAFT-MODEL of the same vocabulary and other random weights is
 * never right: what it costs before it is switched off is the last row. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lm/lm.h>

#define N_PROMPT 64
#define MAX_ROUNDS 64
#define MAX_PROPOSALS 16

typedef struct bench {
    lm_model *model, *other;
    lm_context *context, *same, *draft;
    lm_sampler *sampler;
    lm_token prompt[N_PROMPT];
    lm_token *expected, *got; /* [n] */
    int32_t n, m;
} bench;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times, int n) {
    qsort(times, (size_t)n, sizeof *times, by_size);
    return 0.5 * (times[(n - 1) / 2] + times[n / 2]);
}

static void stop(const char *what, const char *why) {
    fprintf(stderr, "bench_speculate: %s: %s\n", what, why);
    exit(1);
}

static lm_context *open_context(lm_model *model, const bench *b, int32_t n_draft, int32_t n_seqs, const char *path) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context;
    lm_error error;
    params.n_ctx = N_PROMPT + b->n + 2 * MAX_PROPOSALS;
    params.n_draft = n_draft;
    params.n_outputs = MAX_PROPOSALS + 1;
    params.n_seqs = n_seqs;
    if (lm_context_open(model, &params, &context, &error) != LM_OK) stop(path, error.message);
    return context;
}

static void restart(bench *b) {
    lm_sampler_reset(b->sampler);
    if (lm_context_sync(b->context, 0, b->prompt, N_PROMPT, NULL) != LM_OK)
        stop("prompt", lm_context_message(b->context));
}

static double plain(bench *b) {
    restart(b);
    double start = now();
    for (int32_t i = 0; i < b->n; i++)
        if (lm_sample(b->context, b->sampler, &b->expected[i]) != LM_OK ||
            lm_context_eval(b->context, &b->expected[i], 1) != LM_OK)
            stop("plain", lm_context_message(b->context));
    return (now() - start) / b->n;
}

static double drafted(bench *b, int32_t drafter, lm_context *draft, int32_t always, lm_speculator_stats *stats) {
    lm_speculator_params params = LM_SPECULATOR_PARAMS_INIT;
    lm_speculator *speculator;
    lm_error error;
    params.drafter = drafter;
    params.draft = draft;
    params.n_draft = b->m;
    params.always = always;
    restart(b);
    if (draft && (lm_context_sync(draft, 0, b->prompt, N_PROMPT, NULL) != LM_OK))
        stop("draft", lm_context_message(draft));
    if (lm_speculator_create(b->context, &params, &speculator, &error) != LM_OK) stop("draft", error.message);
    double start = now();
    for (size_t done = 0, n; done < (size_t)b->n; done += n)
        if (lm_speculate(speculator, b->sampler, b->got + done, (size_t)b->n - done, &n) != LM_OK)
            stop("speculating", lm_context_message(b->context));
    double seconds = (now() - start) / b->n;
    stats->struct_size = sizeof *stats;
    lm_speculator_get_stats(speculator, stats);
    lm_speculator_destroy(speculator);
    if (memcmp(b->got, b->expected, (size_t)b->n * sizeof *b->got) != 0)
        stop("speculating", "other tokens than plainly");
    return seconds;
}

/* One evaluation of n tokens with a row of logits for each, at the middle of the text. */
static double evaluation(bench *b, size_t n) {
    double times[9];
    restart(b);
    if (lm_context_eval(b->context, b->expected, (size_t)b->n / 2) != LM_OK)
        stop("text", lm_context_message(b->context));
    size_t length = N_PROMPT + (size_t)b->n / 2;
    for (int i = 0; i < 9; i++) {
        lm_batch_item item = {0, LM_LOGITS_ALL, b->expected + b->n / 2, n};
        double start = now();
        if (lm_context_eval_batch(b->context, &item, 1) != LM_OK) stop("text", lm_context_message(b->context));
        times[i] = now() - start;
        if (lm_seq_trim(b->context, 0, length) != LM_OK) {
            restart(b); /* a recurrent state does not go back */
            lm_context_eval(b->context, b->expected, (size_t)b->n / 2);
        }
    }
    return median(times, 9);
}

static void report(const char *name, double seconds, double plain_seconds, const lm_speculator_stats *stats) {
    printf("%-28s %8.2f tokens/s  %.3f of plain time", name, 1 / seconds, seconds / plain_seconds);
    if (stats)
        printf("  %lld rounds, %lld plain steps, %lld of %lld proposals right", (long long)stats->n_rounds,
               (long long)stats->n_plain, (long long)stats->n_accepted, (long long)stats->n_drafted);
    putchar('\n');
}

static void measure(bench *b, int rounds) {
    double times[4][MAX_ROUNDS], useless[MAX_ROUNDS], bound[MAX_ROUNDS], free_bound[MAX_ROUNDS];
    lm_speculator_stats stats[4] = {{0}};
    for (int r = 0; r < rounds; r++) {
        times[0][r] = plain(b);
        times[1][r] = drafted(b, LM_DRAFTER_MODEL, b->same, 1, &stats[1]);
        times[2][r] = drafted(b, LM_DRAFTER_NGRAM, NULL, 0, &stats[2]);
        double step = evaluation(b, 1), two = evaluation(b, 2), many = evaluation(b, (size_t)b->m + 1);
        bound[r] = (two + (b->m - 1) * step + many) / (b->m + 1);
        free_bound[r] = many / (b->m + 1);
        if (b->draft) {
            times[3][r] = drafted(b, LM_DRAFTER_MODEL, b->draft, 0, &stats[3]);
            useless[r] = times[3][r] / (0.5 * (times[0][r] + plain(b)));
        }
    }
    double base = median(times[0], rounds);
    report("plain", base, base, NULL);
    report("the model as its own draft", median(times[1], rounds), base, &stats[1]);
    report("  not below", median(bound, rounds), base, NULL);
    report("  not below, free drafts", median(free_bound, rounds), base, NULL);
    report("n-grams", median(times[2], rounds), base, &stats[2]);
    if (!b->draft) return;
    report("the other model as draft", median(times[3], rounds), base, &stats[3]);
    printf("  against plain before and after: %.4f (%.4f to %.4f)\n", median(useless, rounds), useless[0],
           useless[rounds - 1]);
}

static lm_model *open_model(const char *path, lm_runtime *runtime) {
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_model *model;
    lm_error error;
    params.runtime = runtime;
    if (lm_model_open(path, &params, &model, &error) != LM_OK) stop(path, error.message);
    return model;
}

int main(int argc, char **argv) {
    bench b = {.n = 256, .m = 4};
    const char *paths[2] = {NULL, NULL};
    lm_runtime_params runtime_params = LM_RUNTIME_PARAMS_INIT;
    lm_sampler_params sampling = LM_SAMPLER_PARAMS_INIT;
    lm_runtime *runtime;
    lm_error error;
    int rounds = 5, n_paths = 0;
    for (int i = 1; i < argc; i++) {
        int *number = strcmp(argv[i], "-n") == 0   ? &b.n
                      : strcmp(argv[i], "-r") == 0 ? &rounds
                      : strcmp(argv[i], "-m") == 0 ? &b.m
                      : strcmp(argv[i], "-t") == 0 ? &runtime_params.n_threads
                                                   : NULL;
        if (number && i + 1 < argc)
            *number = atoi(argv[++i]);
        else if (!number && n_paths < 2)
            paths[n_paths++] = argv[i];
    }
    if (!paths[0] || b.n < 64 || rounds < 1 || rounds > MAX_ROUNDS || b.m < 1 || b.m > MAX_PROPOSALS)
        stop("usage", "bench_speculate MODEL [DRAFT-MODEL] [-t THREADS] [-n TOKENS] [-r ROUNDS] [-m PROPOSALS]");
    if (lm_runtime_create(&runtime_params, &runtime, &error) != LM_OK) stop("runtime", error.message);
    b.model = open_model(paths[0], runtime);
    if (paths[1]) b.other = open_model(paths[1], runtime);
    lm_model_info info = {.struct_size = sizeof info};
    lm_model_get_info(b.model, &info);
    for (size_t i = 0; i < N_PROMPT; i++) b.prompt[i] = (lm_token)((i * 2654435761u + 12345) % (size_t)info.n_vocab);
    sampling.temperature = 0;
    sampling.ignore_eos = 1;
    if (lm_sampler_for_model(b.model, &sampling, &b.sampler, &error) != LM_OK) stop("sampler", error.message);
    b.context = open_context(b.model, &b, b.m, 1, paths[0]);
    b.same = open_context(b.model, &b, 0, 2, paths[0]);
    if (b.other) b.draft = open_context(b.other, &b, 0, 2, paths[1]);
    b.expected = calloc((size_t)b.n + 1, sizeof *b.expected);
    b.got = calloc((size_t)b.n + 1, sizeof *b.got);
    if (!b.expected || !b.got) stop("tokens", "out of memory");
    measure(&b, rounds);
    free(b.expected);
    free(b.got);
    lm_context_close(b.draft);
    lm_context_close(b.same);
    lm_context_close(b.context);
    lm_sampler_destroy(b.sampler);
    lm_model_close(b.other);
    lm_model_close(b.model);
    lm_runtime_destroy(runtime);
    return 0;
}
