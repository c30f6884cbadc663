/* SPDX-License-Identifier: MIT
 * lm gen: continue a text. The prompt is printed as it is, then every token as soon as it is chosen. */
#include "draft_options.h"
#include "gen_options.h"
#include "grammar_options.h"

#include <stdlib.h>
#include <string.h>

#define PROMPT_STEP 256               /* tokens between two progress lines */
#define MOST_AT_ONCE (DRAFT_MOST + 2) /* lm_speculate gives no more */

typedef struct gen_options {
    const char *prompt, *file, *gbnf, *schema, *k_type, *v_type;
    int32_t n_tokens, n_ctx;
    bool no_prompt, no_special, parse_special, quiet;
    draft_options draft;
} gen_options;

typedef struct generation {
    lm_runtime *runtime;
    lm_model *model;
    lm_context *context;
    lm_sampler *sampler;
    drafting drafting;
    char *text; /* what -f or standard input gave */
    token_list tokens;
} generation;

static int read_prompt(const gen_options *o, generation *g, const char **text, size_t *size) {
    if (o->prompt) {
        *text = o->prompt;
        *size = strlen(o->prompt);
        return EXIT_GOOD;
    }
    *text = g->text = read_input("gen", o->file ? o->file : "-", size);
    return *text ? EXIT_GOOD : EXIT_FAILED;
}

static int evaluate_prompt(generation *g) {
    size_t n = g->tokens.count;
    double start = seconds_now();
    for (size_t at = 0; at < n;) {
        size_t step = n - at < PROMPT_STEP ? n - at : PROMPT_STEP;
        lm_batch_item item = {0, at + step == n ? LM_LOGITS_LAST : LM_LOGITS_NONE, g->tokens.data + at, step};
        lm_status status = was_interrupted() ? LM_ERR_CANCELLED : lm_context_eval_batch(g->context, &item, 1);
        if (status == LM_ERR_CANCELLED) return failure("gen", "interrupted");
        if (status != LM_OK) return failure_of_context("gen", g->context);
        at += step;
        if (seconds_now() - start > 0.5) show_progress("prompt: %zu of %zu tokens", at, n);
    }
    end_progress();
    return EXIT_GOOD;
}

static void print_piece(const lm_model *model, lm_text_stream *stream, lm_token token) {
    char text[4096];
    int32_t n = lm_text_stream_next(model, stream, token, 0, text, sizeof text);
    if (n > 0 && n <= (int32_t)sizeof text) fwrite(text, 1, (size_t)n, stdout);
    fflush(stdout);
}

static void report_probs(const generation *g) {
    const lm_token_prob *probs;
    size_t n;
    if (lm_sampler_candidates(g->sampler, &probs, &n, NULL) != LM_OK) return;
    for (size_t i = 0; i < n; i++) fprintf(stderr, "%s%d:%.6f", i ? " " : "", (int)probs[i].token, (double)probs[i].p);
    fputc('\n', stderr);
}

/* Up to capacity tokens that come next, all but the last or, without drafts, none of them evaluated yet. With a grammar those without a
 * choice come together. */
static lm_status next_tokens(generation *g, lm_token *tokens, size_t capacity, size_t *n) {
    size_t n_forced = 0;
    *n = 0;
    if (g->drafting.speculator) return lm_speculate(g->drafting.speculator, g->sampler, tokens, capacity, n);
    lm_status status = lm_sample(g->context, g->sampler, tokens);
    if (status == LM_OK && capacity > 1 && !lm_token_is_end(g->model, tokens[0]))
        status = lm_sample_forced(g->context, g->sampler, tokens + 1, capacity - 1, &n_forced);
    *n = status == LM_OK ? 1 + n_forced : 0;
    return status;
}

/* The loop of every text generator: choose, print, evaluate. *n_done counts the tokens. */
static int generate(const gen_options *o, generation *g, bool probs, int32_t *n_done) {
    lm_text_stream stream = {{0}, 0};
    int status = EXIT_GOOD;
    char rest[8];
    while ((o->n_tokens < 0 || *n_done < o->n_tokens) && !was_interrupted() && !ferror(stdout)) {
        lm_token tokens[MOST_AT_ONCE];
        size_t n, capacity = probs ? 1 : MOST_AT_ONCE;
        if (o->n_tokens >= 0 && (size_t)(o->n_tokens - *n_done) < capacity) capacity = (size_t)(o->n_tokens - *n_done);
        lm_status evaluated = next_tokens(g, tokens, capacity, &n);
        if (evaluated != LM_OK && n == 0 && evaluated != LM_ERR_CANCELLED && evaluated != LM_ERR_FULL) {
            status = failure_of_context("gen", g->context);
            break;
        }
        if (probs && n > 0) report_probs(g);
        *n_done += (int32_t)n;
        bool end = n > 0 && lm_token_is_end(g->model, tokens[n - 1]);
        for (size_t i = 0; i + end < n; i++) print_piece(g->model, &stream, tokens[i]);
        if (end || *n_done == o->n_tokens) break;
        if (evaluated == LM_OK && !g->drafting.speculator) evaluated = lm_context_eval(g->context, tokens, n);
        if (evaluated == LM_ERR_CANCELLED) break;
        if (evaluated == LM_ERR_FULL) {
            fprintf(stderr, "\nlm gen: the context is full\n");
            break;
        }
        if (evaluated != LM_OK) {
            status = failure_of_context("gen", g->context);
            break;
        }
    }
    int32_t n = lm_text_stream_end(&stream, rest, sizeof rest);
    if (n > 0 && n <= (int32_t)sizeof rest) fwrite(rest, 1, (size_t)n, stdout);
    putchar('\n');
    fflush(stdout);
    return status;
}

static int open_context(const gen_options *o, generation *g) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_error error;
    params.outputs = LM_OUTPUT_LOGITS;
    params.n_ctx = o->n_ctx;
    if (o->k_type && !cache_type(o->k_type, &params.k_type))
        return usage_error("gen", "--kv: no cache type \"%s\"", o->k_type);
    params.v_type = params.k_type;
    if (o->v_type && !cache_type(o->v_type, &params.v_type))
        return usage_error("gen", "--kv-v: no cache type \"%s\"", o->v_type);
    draft_options_prepare(&o->draft, &params);
    if (lm_context_open(g->model, &params, &g->context, &error) == LM_OK) return EXIT_GOOD;
    return failure_of("gen", &error);
}

static int32_t context_length(const generation *g) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context_get_params(g->context, &params);
    return params.n_ctx;
}

/* Tokens that may be generated: a grammar completes its text within them. */
static int32_t room_for(const gen_options *o, const generation *g) {
    int32_t room = context_length(g) - (int32_t)g->tokens.count;
    return o->n_tokens >= 0 && o->n_tokens < room ? o->n_tokens : room;
}

static int run(const gen_options *o, generation *g, bool probs) {
    const char *text;
    size_t size;
    uint32_t flags = (o->no_special ? 0 : LM_TOKENIZE_ADD_SPECIAL) | (o->parse_special ? LM_TOKENIZE_PARSE_SPECIAL : 0);
    int status = read_prompt(o, g, &text, &size);
    if (status == EXIT_GOOD) status = tokenize_text("gen", g->model, text, size, flags, &g->tokens);
    if (status == EXIT_GOOD && g->tokens.count == 0)
        status = failure("gen", "the prompt is empty, and the model has no begin token");
    if (status == EXIT_GOOD) status = open_context(o, g);
    if (status == EXIT_GOOD && g->tokens.count > (size_t)context_length(g))
        status = failure("gen", "the prompt has %zu tokens, the context %d (-c N makes it longer)", g->tokens.count,
                         (int)context_length(g));
    if (status == EXIT_GOOD) status = drafting_begin("gen", g->runtime, &o->draft, g->context, &g->drafting);
    if (status != EXIT_GOOD) return status;
    catch_interrupt(g->context);
    if (lm_sampler_accept_prompt(g->sampler, g->tokens.data, g->tokens.count, 0) != LM_OK)
        return failure("gen", "%s", lm_sampler_message(g->sampler));
    if (lm_sampler_set_limit(g->sampler, room_for(o, g)) != LM_OK) return failure("gen", "-n is out of range");
    double start = seconds_now();
    status = evaluate_prompt(g);
    if (status != EXIT_GOOD) return status;
    double prompt_seconds = seconds_now() - start;
    if (!o->no_prompt) fwrite(text, 1, size, stdout);
    int32_t n_done = 0;
    start = seconds_now();
    status = generate(o, g, probs, &n_done);
    double seconds = seconds_now() - start + 1e-9;
    char drafts[64];
    drafting_report(&g->drafting, drafts, sizeof drafts);
    if (!o->quiet)
        fprintf(stderr, "\nprompt %zu tokens, %.1f per second; %d generated, %.1f per second%s; seed %u\n",
                g->tokens.count, (double)g->tokens.count / (prompt_seconds + 1e-9), (int)n_done, n_done / seconds,
                drafts, (unsigned)lm_sampler_seed(g->sampler));
    return status;
}

int lm_gen(int argc, char **argv) {
    static const command about = {"gen", MODEL_ARGUMENT, "Continue a text: -p, -f, or standard input." BUILTIN_HELP,
                                  MODEL_NEEDED, 1};
    gen_options o = {.n_tokens = 256};
    sampler_options sampling;
    common_options common;
    const char *model_path;
    const option own[] = {
        {"-p", "--prompt", OPTION_TEXT, (void *)&o.prompt, "TEXT", "the text to continue", NULL},
        {"-f", "--file", OPTION_TEXT, (void *)&o.file, "FILE", "a file that holds it (-: standard input)", NULL},
        {"-n", NULL, OPTION_INT, &o.n_tokens, "N", "tokens to generate (256); -1: until the end", NULL},
        {"-c", "--ctx", OPTION_INT, &o.n_ctx, "N", "context length (what the model was trained for, at most 4096)",
         NULL},
        {"--kv", NULL, OPTION_TEXT, (void *)&o.k_type, "TYPE", "cache type: f32 f16 bf16 q8_0 q4_0 (f16)", NULL},
        {"--kv-v", NULL, OPTION_TEXT, (void *)&o.v_type, "TYPE", "another one for the values", NULL},
        {"--no-prompt", NULL, OPTION_FLAG, &o.no_prompt, NULL, "print only what is generated", NULL},
        {"--no-special", NULL, OPTION_FLAG, &o.no_special, NULL, "put no begin token in front of the prompt", NULL},
        {"--parse-special", NULL, OPTION_FLAG, &o.parse_special, NULL,
         "control tokens written out in the prompt become tokens", NULL},
        {"--json-schema", NULL, OPTION_TEXT, (void *)&o.schema, "FILE", "generate JSON of this schema only", NULL},
        {"--gbnf", NULL, OPTION_TEXT, (void *)&o.gbnf, "FILE", "generate texts of this grammar only", NULL},
        {"--draft", NULL, OPTION_TEXT, (void *)&o.draft.from, "FROM",
         "several tokens per evaluation, proposed by: ngram, mtp (the model's own block), or the file of a smaller "
         "model; a grammar's texts may be other ones than without",
         NULL},
        {"--n-draft", NULL, OPTION_INT, &o.draft.n_draft, "N", "tokens proposed at once, at most (4)", NULL},
        {"--quiet", "-q", OPTION_FLAG, &o.quiet, NULL, "no line of figures at the end", NULL},
        {"--n-probs", NULL, OPTION_INT, &sampling.params.n_probs, "N",
         "report the N likeliest tokens of each step on stderr", NULL},
        {"--probs-after", NULL, OPTION_FLAG, &sampling.probs_after, NULL, "report them as the samplers left them",
         NULL},
    };
    option table[sizeof own / sizeof *own + SAMPLER_OPTIONS + 1] = {{0}};
    memcpy(table, own, sizeof own);
    sampler_options_init(&sampling, "gen", table + sizeof own / sizeof *own);
    common_options_init(&common);
    int status = options_parse(&about, table, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    if (o.prompt && o.file) return usage_error("gen", "-p and -f exclude each other");
    if (!o.prompt && !o.file && stdin_is_terminal()) return usage_error("gen", "-p or -f is missing");
    if (o.n_tokens < -1) return usage_error("gen", "-n is %d", (int)o.n_tokens);
    if (o.gbnf && o.schema) return usage_error("gen", "--gbnf and --json-schema exclude each other");
    if (o.draft.from && sampling.params.n_probs > 0)
        return usage_error("gen", "--draft and --n-probs exclude each other");
    if (sampling.probs_after && sampling.params.n_probs == 0)
        return usage_error("gen", "--probs-after needs --n-probs");
    status = draft_options_check("gen", &o.draft);
    if (status != EXIT_GOOD) return status;

    generation g = {0};
    status = open_runtime("gen", &common, &g.runtime);
    if (status == EXIT_GOOD) status = open_model_on("gen", g.runtime, model_path, &g.model);
    if (status == EXIT_GOOD) {
        sampler_options_recommend(&sampling, g.model);
        options_parse(&about, table, common.table, argc, argv,
                      &model_path); /* the command line goes before the recommendations */
        status = sampler_options_finish(&sampling, g.model, &g.sampler);
        if (status == EXIT_GOOD) status = constrain_sampler("gen", g.model, o.gbnf, o.schema, g.sampler);
    }
    if (status == EXIT_GOOD) status = run(&o, &g, sampling.params.n_probs > 0);
    catch_interrupt(NULL);
    sampler_options_free(&sampling);
    free(g.text);
    token_list_free(&g.tokens);
    drafting_end(&g.drafting);
    lm_sampler_destroy(g.sampler);
    lm_context_close(g.context);
    lm_model_close(g.model);
    lm_runtime_destroy(g.runtime);
    return status;
}
