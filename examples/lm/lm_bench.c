/* SPDX-License-Identifier: MIT
 * lm bench: how fast, and which share of what the machine could do. The limits are measured in the same run, with the same threads,
 * before each test; the best of these counts, since a measurement can only be slowed down.
 *
 *   prefill  2 x the weights multiplied per token (the output matrix for the last token alone) x tokens/s, over the integer peak
 *   decode   bytes of weights and cache that one step must read x steps/s, over the speed of a plain read loop
 *   open     a model and a context opened, and the prompt's first logits: what a program waits for that has just been started */
#include "program.h"

#include <stdlib.h>
#include <string.h>

#define MAX_REPS 1000

typedef struct bench_options {
    int32_t n_prompt, n_gen, depth, batch, reps;
    const char *kv, *kv_v, *state;
    bool json, opens;
} bench_options;

/* What a step costs, from the model's header. */
typedef struct costs {
    double weights_bytes, step_bytes;      /* of all tensors; read by a decode step at the middle of the test */
    double body_products, output_products; /* multiplications of a token without the output matrix, and of that */
} costs;

typedef struct bench {
    const bench_options *o;
    const char *path;
    lm_runtime *runtime;
    lm_model *model;
    lm_context *context;
    lm_context_params params;
    lm_token *tokens; /* [depth + the longest test] */
    int32_t k_type, v_type, n_vocab;
    lm_machine machine;
} bench;

/* Bytes of a cache for n positions of one sequence, and of a recurrent state; what planning says. */
static double cache_bytes(const bench *b, int32_t n_ctx, int32_t n_checkpoints) {
    lm_context_params context = LM_CONTEXT_PARAMS_INIT;
    lm_plan_params params = LM_PLAN_PARAMS_INIT;
    lm_plan plan = {.struct_size = sizeof plan};
    lm_context *opened = NULL;
    context.n_ctx = n_ctx;
    context.n_batch = 1;
    context.k_type = b->k_type;
    context.v_type = b->v_type;
    context.n_checkpoints = n_checkpoints;
    params.context = &context;
    if (b->path) return lm_model_plan(b->path, &params, &plan, NULL) == LM_OK ? (double)plan.memory.cache_bytes : 0;
    /* The built-in model has no header to plan from, and is small. */
    plan.memory.struct_size = sizeof plan.memory;
    if (lm_context_open(b->model, &context, &opened, NULL) == LM_OK) lm_context_memory(opened, &plan.memory);
    lm_context_close(opened);
    return (double)plan.memory.cache_bytes;
}

/* Pages are whole and windows keep their last ones: the difference of two sizes is what n positions hold. */
static double cache_read(const bench *b, double n_positions) {
    int32_t pages = (int32_t)(n_positions / 64);
    double base = cache_bytes(b, 64, 0), state = cache_bytes(b, 64, 1) - base;
    double low = cache_bytes(b, 64 * (pages + 1), 0) - base, high = cache_bytes(b, 64 * (pages + 2), 0) - base;
    return low + (high - low) * (n_positions / 64 - pages) + state;
}

static costs count_costs(const bench *b) {
    lm_model_info info = {.struct_size = sizeof info};
    lm_model_get_info(b->model, &info);
    double output = 0, embedding = 0, experts = 0;
    for (size_t i = 0; i < lm_model_tensor_count(b->model); i++) {
        lm_tensor_info t = {.struct_size = sizeof t};
        lm_model_get_tensor(b->model, i, &t);
        if (strcmp(t.name, "output.weight") == 0) output = (double)t.dims[0] * (double)t.dims[1];
        if (strcmp(t.name, "token_embd.weight") == 0) embedding = (double)t.dims[0] * (double)t.dims[1];
        if (info.n_experts > 0 && t.n_dims > 2 && t.dims[2] == info.n_experts) experts += (double)t.bytes;
    }
    costs c = {.weights_bytes = (double)info.weights_bytes, .output_products = output > 0 ? output : embedding};
    c.body_products = (double)info.active_params - c.output_products;
    c.step_bytes = (double)info.active_bytes;
    if (info.n_experts > 0) { /* a batch reads at most the experts its tokens could choose, each once */
        double most = (double)info.n_experts_used * b->o->batch;
        c.step_bytes +=
            experts / info.n_experts * ((most < info.n_experts ? most : info.n_experts) - info.n_experts_used);
    }
    c.step_bytes += b->o->batch * cache_read(b, b->o->depth + 0.5 * b->o->n_gen);
    return c;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sequence 0 at the depth of the test: from the file of --state, or evaluated and then saved there. */
static int reach_depth(bench *b) {
    const char *state = b->o->depth > 0 ? b->o->state : NULL;
    lm_seq_close(b->context, 0);
    lm_status status = state ? lm_seq_restore(b->context, 0, state) : LM_ERR_NOT_FOUND;
    if (status == LM_OK) {
        if (lm_seq_length(b->context, 0) == b->o->depth) return EXIT_GOOD;
        return failure("bench", "%s: holds %d tokens, not %d", state, (int)lm_seq_length(b->context, 0),
                       (int)b->o->depth);
    }
    if (status != LM_ERR_NOT_FOUND) return failure("bench", "%s: %s", state, lm_context_message(b->context));
    lm_batch_item item = {0, LM_LOGITS_NONE, b->tokens, (size_t)b->o->depth};
    if (lm_context_eval_batch(b->context, &item, 1) != LM_OK) return failure_of_context("bench", b->context);
    if (state && lm_seq_save(b->context, 0, state) != LM_OK)
        return failure("bench", "%s: %s", state, lm_context_message(b->context));
    return EXIT_GOOD;
}

/* Bring sequences [0, n) to the depth of the test. */
static int to_depth(bench *b, int32_t n) {
    size_t depth = (size_t)b->o->depth;
    for (int32_t s = 0; s < n; s++) {
        if (lm_seq_length(b->context, s) >= b->o->depth && lm_seq_trim(b->context, s, depth) == LM_OK) continue;
        if (s > 0) {
            if (lm_seq_fork(b->context, 0, s) != LM_OK) return failure_of_context("bench", b->context);
            continue;
        }
        int status = reach_depth(b);
        if (status != EXIT_GOOD) return status;
    }
    return EXIT_GOOD;
}

static int time_prompt(bench *b, double *seconds) {
    int status = to_depth(b, 1);
    if (status != EXIT_GOOD) return status;
    lm_batch_item item = {0, LM_LOGITS_LAST, b->tokens + b->o->depth, (size_t)b->o->n_prompt};
    double start = seconds_now();
    if (lm_context_eval_batch(b->context, &item, 1) != LM_OK) return failure_of_context("bench", b->context);
    *seconds = seconds_now() - start;
    return EXIT_GOOD;
}

static int time_generation(bench *b, double *seconds) {
    int32_t n = b->o->batch;
    int status = to_depth(b, n);
    lm_batch_item *items = calloc((size_t)n, sizeof *items);
    if (status == EXIT_GOOD && !items) status = failure("bench", "out of memory");
    double start = seconds_now();
    for (int32_t i = 0; i < b->o->n_gen && status == EXIT_GOOD; i++) {
        for (int32_t s = 0; s < n; s++) items[s] = (lm_batch_item){s, LM_LOGITS_LAST, b->tokens + b->o->depth + i, 1};
        if (lm_context_eval_batch(b->context, items, (size_t)n) != LM_OK)
            status = failure_of_context("bench", b->context);
    }
    *seconds = seconds_now() - start;
    free(items);
    return status;
}

/* A program's first logits of the prompt: another model and context over the same file, which is in the system's memory by now. */
static int time_opening(bench *b, double *seconds) {
    lm_model_params model_params = LM_MODEL_PARAMS_INIT;
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_error error;
    int status = EXIT_GOOD;
    model_params.runtime = b->runtime;
    double start = seconds_now();
    if (open_path(b->path, &model_params, &model, &error) != LM_OK ||
        lm_context_open(model, &b->params, &context, &error) != LM_OK) {
        status = failure_of("bench", &error);
    } else {
        lm_batch_item item = {0, LM_LOGITS_LAST, b->tokens, (size_t)b->o->n_prompt};
        if (lm_context_eval_batch(context, &item, 1) != LM_OK) status = failure_of_context("bench", context);
    }
    *seconds = seconds_now() - start;
    lm_context_close(context);
    lm_model_close(model);
    return status;
}

static int measure_machine(bench *b) {
    lm_machine now = {.struct_size = sizeof now}, best = b->machine;
    show_progress("measuring the machine");
    lm_status status = lm_runtime_measure(b->runtime, &now);
    end_progress();
    if (status != LM_OK) return failure("bench", "the machine cannot be measured (%s)", lm_status_name(status));
    b->machine = now;
    if (best.read_bytes_per_second > now.read_bytes_per_second)
        b->machine.read_bytes_per_second = best.read_bytes_per_second;
    if (best.int_ops_per_second > now.int_ops_per_second) b->machine.int_ops_per_second = best.int_ops_per_second;
    return EXIT_GOOD;
}

/* One untimed run, then reps timed ones. bytes and ops: what a token needs at least. */
static int run_test(bench *b, const char *name, int (*run)(bench *, double *), double n_tokens, double bytes,
                    double ops) {
    double speeds[MAX_REPS];
    int status = measure_machine(b);
    if (status != EXIT_GOOD) return status;
    for (int32_t rep = -1; rep < b->o->reps; rep++) {
        double seconds;
        show_progress("%s: run %d of %d", name, (int)rep + 1, (int)b->o->reps);
        status = run(b, &seconds);
        if (status != EXIT_GOOD) return status;
        if (rep >= 0) speeds[rep] = n_tokens / (seconds + 1e-9);
    }
    end_progress();
    qsort(speeds, (size_t)b->o->reps, sizeof *speeds, by_size);
    int32_t last = b->o->reps - 1;
    bool is_decode = run == time_generation;
    double median = 0.5 * (speeds[last / 2] + speeds[(last + 1) / 2]),
           share =
               median * (is_decode ? bytes / b->machine.read_bytes_per_second : ops / b->machine.int_ops_per_second);
    lm_model_info info = {.struct_size = sizeof info};
    lm_model_get_info(b->model, &info);
    if (b->o->json) {
        printf("{\"model\": ");
        print_json_text(stdout, shown_path(b->path), strlen(shown_path(b->path)));
        printf(", \"test\": \"%s\", \"depth\": %d, \"batch\": %d, \"threads\": %d, \"tokens_per_second\": %.3f, "
               "\"min\": %.3f, \"max\": %.3f, "
               "\"weights_bytes\": %llu, \"bytes_per_token\": %.0f, \"ops_per_token\": %.0f, "
               "\"read_gb_s\": %.3f, \"int_peak_gops\": %.1f, \"share_of_limit\": %.4f, \"cpu\": \"%s\"}\n",
               name, (int)b->o->depth, (int)(is_decode ? b->o->batch : 1), (int)b->machine.n_threads, median, speeds[0],
               speeds[last], (unsigned long long)info.weights_bytes, bytes, ops,
               1e-9 * b->machine.read_bytes_per_second, 1e-9 * b->machine.int_ops_per_second, share,
               lm_runtime_cpu(b->runtime));
    } else {
        printf("%-8s depth %-6d %10.2f tokens/s (%.2f to %.2f), %.1f %% of the limit\n", name, (int)b->o->depth, median,
               speeds[0], speeds[last], 100 * share);
    }
    fflush(stdout);
    return EXIT_GOOD;
}

static int run_tests(bench *b) {
    const bench_options *o = b->o;
    char name[32];
    int status = EXIT_GOOD;
    costs c = count_costs(b);
    if (!o->json)
        printf("%s: %.3f GB of weights, %d threads\n", shown_path(b->path), 1e-9 * c.weights_bytes,
               (int)lm_runtime_threads(b->runtime));
    double prompt_ops = 2 * (c.body_products + c.output_products / (o->n_prompt > 0 ? o->n_prompt : 1)),
           prompt_bytes = c.weights_bytes / (o->n_prompt > 0 ? o->n_prompt : 1);
    if (o->n_prompt > 0) {
        snprintf(name, sizeof name, "pp%d", (int)o->n_prompt);
        status = run_test(b, name, time_prompt, o->n_prompt, prompt_bytes, prompt_ops);
    }
    if (o->n_prompt > 0 && o->opens && status == EXIT_GOOD) {
        snprintf(name, sizeof name, "open+pp%d", (int)o->n_prompt);
        status = run_test(b, name, time_opening, o->n_prompt, prompt_bytes, prompt_ops);
    }
    if (o->n_gen > 0 && status == EXIT_GOOD) {
        snprintf(name, sizeof name, "tg%d", (int)o->n_gen);
        status = run_test(b, name, time_generation, (double)o->n_gen * o->batch, c.step_bytes / o->batch,
                          2 * (c.body_products + c.output_products));
    }
    if (!o->json && status == EXIT_GOOD)
        printf("limits: %.2f GB/s read, %.1f Gop/s of integer products\n", 1e-9 * b->machine.read_bytes_per_second,
               1e-9 * b->machine.int_ops_per_second);
    return status;
}

/* Ids spread over the vocabulary, the same in every run. */
static int make_tokens(bench *b) {
    size_t n = (size_t)b->o->depth + (size_t)(b->o->n_prompt > b->o->n_gen ? b->o->n_prompt : b->o->n_gen);
    uint64_t state = 1;
    b->tokens = malloc((n + 1) * sizeof *b->tokens);
    if (!b->tokens) return failure("bench", "out of memory");
    for (size_t i = 0; i < n; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        b->tokens[i] = (lm_token)((state >> 33) % (uint64_t)b->n_vocab);
    }
    return EXIT_GOOD;
}

static int open_bench(bench *b, const common_options *common) {
    lm_model_params model_params = LM_MODEL_PARAMS_INIT;
    lm_error error;
    int status = open_runtime("bench", common, &b->runtime);
    if (status != EXIT_GOOD) return status;
    model_params.runtime = b->runtime;
    if (open_path(b->path, &model_params, &b->model, &error) != LM_OK)
        return failure_of_file("bench", shown_path(b->path), &error);
    lm_model_info info = {.struct_size = sizeof info};
    lm_model_get_info(b->model, &info);
    b->n_vocab = info.n_vocab;
    int32_t longest = b->o->n_prompt > b->o->n_gen ? b->o->n_prompt : b->o->n_gen;
    b->params = (lm_context_params)LM_CONTEXT_PARAMS_INIT;
    b->params.n_ctx = b->o->depth + longest + 1;
    if (b->o->state) b->params.n_ctx = (b->params.n_ctx + 1023) / 1024 * 1024; /* a saved sequence wants the same */
    b->params.n_seqs = b->o->batch;
    if (b->o->n_gen > 0)
        b->params.outputs = LM_OUTPUT_LOGITS; /* an encoder has no next token: said before the first test */
    b->params.k_type = b->k_type;
    b->params.v_type = b->v_type;
    if (lm_context_open(b->model, &b->params, &b->context, &error) != LM_OK) return failure_of("bench", &error);
    return make_tokens(b);
}

int lm_bench(int argc, char **argv) {
    static const command about = {"bench", MODEL_ARGUMENT,
                                  "Measure prefill and decode, as a share of what the machine can do." BUILTIN_HELP,
                                  MODEL_NEEDED, 1};
    bench_options o = {.n_prompt = 512, .n_gen = 128, .batch = 1, .reps = 3};
    const char *model_path;
    common_options common;
    common_options_init(&common);
    option own[] = {
        {"-p", NULL, OPTION_INT, &o.n_prompt, "N", "tokens of the prefill test (512); 0: none", NULL},
        {"-n", NULL, OPTION_INT, &o.n_gen, "N", "steps of the decode test (128); 0: none", NULL},
        {"-d", "--depth", OPTION_INT, &o.depth, "N", "tokens already in the cache (0)", NULL},
        {"-b", "--batch", OPTION_INT, &o.batch, "N", "sequences that decode together (1)", NULL},
        {"-r", "--reps", OPTION_INT, &o.reps, "N", "timed runs of each test (3); the median counts", NULL},
        {"--kv", NULL, OPTION_TEXT, (void *)&o.kv, "TYPE", "cache type: f32 f16 bf16 q8_0 q4_0 (f16)", NULL},
        {"--kv-v", NULL, OPTION_TEXT, (void *)&o.kv_v, "TYPE", "another one for the values", NULL},
        {"--state", NULL, OPTION_TEXT, (void *)&o.state, "FILE",
         "take the tokens of -d from this saved sequence; made when absent", NULL},
        {"--open", NULL, OPTION_FLAG, &o.opens, NULL, "time opening the model up to the prompt's logits, too", NULL},
        {"--json", NULL, OPTION_FLAG, &o.json, NULL, "one JSON object per test", NULL},
        {0}};
    int status = options_parse(&about, own, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    bench b = {.o = &o, .path = model_path, .k_type = LM_DTYPE_F16};
    if (o.n_prompt < 0 || o.n_prompt > 1 << 20) return usage_error("bench", "-p is %d", (int)o.n_prompt);
    if (o.n_gen < 0 || o.n_gen > 1 << 20) return usage_error("bench", "-n is %d", (int)o.n_gen);
    if (o.depth < 0 || o.depth > 1 << 20) return usage_error("bench", "-d is %d", (int)o.depth);
    if (o.batch < 1 || o.batch > 4096) return usage_error("bench", "-b is %d", (int)o.batch);
    if (o.reps < 1 || o.reps > MAX_REPS) return usage_error("bench", "-r is %d", (int)o.reps);
    if (o.n_prompt == 0 && o.n_gen == 0) return usage_error("bench", "-p 0 -n 0 leaves nothing to measure");
    if (o.opens && o.n_prompt == 0) return usage_error("bench", "--open needs a prompt, and -p is 0");
    if (o.state && o.depth == 0) return usage_error("bench", "--state needs a depth, and -d is 0");
    if (o.kv && !cache_type(o.kv, &b.k_type)) return usage_error("bench", "--kv: no cache type \"%s\"", o.kv);
    b.v_type = b.k_type;
    if (o.kv_v && !cache_type(o.kv_v, &b.v_type)) return usage_error("bench", "--kv-v: no cache type \"%s\"", o.kv_v);
    status = open_bench(&b, &common);
    if (status == EXIT_GOOD) status = run_tests(&b);
    free(b.tokens);
    lm_context_close(b.context);
    lm_model_close(b.model);
    lm_runtime_destroy(b.runtime);
    return status;
}
