/* SPDX-License-Identifier: MIT
 * lm fit: what a model takes, exactly, and which size of model suits a machine, roughly.
 *
 * The rule of sizes, for models with four bits per weight:
 *   by memory  80 % of the memory may be used, and a parameter takes 0.75 bytes with cache and working memory
 *   by speed   8 tokens/s with 8192 positions in the cache; a step reads 0.569 bytes per parameter (4.55 bits: the four-bit formats with
 *              their scales and a better output matrix) and 2 KiB per position, what a cache of few heads and windows holds */
#include "program.h"

#include <string.h>

#define USABLE_SHARE 0.8
#define BYTES_PER_PARAM 0.75
#define READ_PER_PARAM 0.569
#define READ_PER_POSITION 2048.0
#define POSITIONS 8192.0
#define TOKENS_PER_SECOND 8.0

typedef struct fit_options {
    int32_t n_ctx;
    double ram_gb, bandwidth_gb;
    const char *kv, *kv_v;
    bool json;
} fit_options;

static double params_by_memory(double bytes) { return USABLE_SHARE * bytes / BYTES_PER_PARAM; }

static double params_by_speed(double bytes_per_second) {
    double params = (bytes_per_second / TOKENS_PER_SECOND - POSITIONS * READ_PER_POSITION) / READ_PER_PARAM;
    return params > 0 ? params : 0;
}

static void print_plan(const char *path, const lm_plan *p, bool json) {
    const lm_memory *m = &p->memory;
    if (json) {
        printf("\"model\": ");
        print_json_text(stdout, path, strlen(path));
        printf(", \"fits\": %s, \"total_bytes\": %llu, \"usable_bytes\": %llu, \"weights_bytes\": %llu, "
               "\"copied_bytes\": %llu, \"model_bytes\": %llu, "
               "\"cache_bytes\": %llu, \"work_bytes\": %llu, \"context_bytes\": %llu, \"n_ctx\": %d, "
               "\"n_ctx_fitting\": %d, "
               "\"tokens_per_second\": %.3f, \"tokens_per_second_full\": %.3f, \"resident_share\": %.3f, ",
               p->fits ? "true" : "false", (unsigned long long)p->total_bytes, (unsigned long long)p->memory_bytes,
               (unsigned long long)m->weights_bytes, (unsigned long long)m->copied_bytes,
               (unsigned long long)m->model_bytes, (unsigned long long)m->cache_bytes,
               (unsigned long long)m->work_bytes, (unsigned long long)m->context_bytes, (int)p->n_ctx,
               (int)p->n_ctx_fitting, p->tokens_per_second, p->tokens_per_second_full, p->resident_share);
        return;
    }
    printf("%s with a context of %d %s: %.3f of %.3f GB\n", path, (int)p->n_ctx, p->fits ? "fits" : "does not fit",
           1e-9 * (double)p->total_bytes, 1e-9 * (double)p->memory_bytes);
    printf("  weights   %14llu bytes, mapped\n", (unsigned long long)m->weights_bytes);
    if (m->copied_bytes) printf("  copied    %14llu bytes\n", (unsigned long long)m->copied_bytes);
    printf("  model     %14llu bytes\n  cache     %14llu bytes\n  work      %14llu bytes\n  context   %14llu bytes\n",
           (unsigned long long)m->model_bytes, (unsigned long long)m->cache_bytes, (unsigned long long)m->work_bytes,
           (unsigned long long)m->context_bytes);
    printf("  longest context that fits: %d\n", (int)p->n_ctx_fitting);
    if (p->fits)
        printf("  decode at most %.1f tokens/s, %.1f with a full context\n", p->tokens_per_second,
               p->tokens_per_second_full);
    else
        printf("  %.0f %% of the weights can stay in memory, the rest is read from the file again and again; decode "
               "would be\n"
               "  %.1f tokens/s at most in enough memory\n",
               100 * p->resident_share, p->tokens_per_second);
}

static void print_rule(double ram, double bandwidth, bool json) {
    double by_memory = 1e-9 * params_by_memory(ram), by_speed = 1e-9 * params_by_speed(bandwidth);
    double both = by_memory < by_speed ? by_memory : by_speed;
    if (json) {
        printf("\"ram_gb\": %.3f, \"bandwidth_gb_s\": %.3f, \"billions_by_ram\": %.1f, \"billions_by_speed\": %.1f, "
               "\"billions\": %.1f",
               1e-9 * ram, 1e-9 * bandwidth, by_memory, by_speed, both);
        return;
    }
    printf("a machine of %.1f GB and %.2f GB/s suits models of up to %.1fB parameters at four bits: %.1fB by RAM, "
           "%.1fB by speed\n",
           1e-9 * ram, 1e-9 * bandwidth, both, by_memory, by_speed);
}

/* Measured where the command line does not say. */
static int know_machine(const fit_options *o, lm_runtime *runtime, double *ram, double *bandwidth,
                        uint64_t *available) {
    lm_machine machine = {.struct_size = sizeof machine};
    *ram = 1e9 * o->ram_gb;
    *bandwidth = 1e9 * o->bandwidth_gb;
    if (*ram > 0 && *bandwidth > 0) return EXIT_GOOD;
    show_progress("measuring the machine");
    lm_status status = lm_runtime_measure(runtime, &machine);
    end_progress();
    if (status != LM_OK)
        return failure("fit", "the machine cannot be measured (%s); give --ram and --bandwidth",
                       lm_status_name(status));
    if (*ram <= 0) *ram = (double)machine.memory_total, *available = machine.memory_available;
    if (*bandwidth <= 0) *bandwidth = machine.read_bytes_per_second;
    return EXIT_GOOD;
}

static int run(const fit_options *o, const lm_context_params *context, lm_runtime *runtime, const char *path) {
    double ram, bandwidth;
    uint64_t available = 0;
    lm_error error;
    lm_plan plan = {.struct_size = sizeof plan};
    lm_plan_params params = LM_PLAN_PARAMS_INIT;
    int status = know_machine(o, runtime, &ram, &bandwidth, &available);
    if (status != EXIT_GOOD) return status;
    params.context = context;
    params.runtime = runtime;
    params.memory_bytes = o->ram_gb > 0 ? (uint64_t)(USABLE_SHARE * ram) : available;
    params.bytes_per_second = (uint64_t)bandwidth;
    if (path && lm_model_plan(path, &params, &plan, &error) != LM_OK)
        return error.status == LM_ERR_ARGUMENT ? failure_of("fit", &error) : failure_of_file("fit", path, &error);
    if (o->json) putchar('{');
    if (path) print_plan(path, &plan, o->json);
    print_rule(ram, bandwidth, o->json);
    if (o->json) puts("}");
    return path && !plan.fits ? EXIT_NEGATIVE : EXIT_GOOD;
}

int lm_fit(int argc, char **argv) {
    static const command about = {"fit", "[MODEL]",
                                  "Does a model fit, how fast could it be, and which size suits the machine.", 0, 1};
    fit_options o = {0};
    const char *model_path;
    common_options common;
    common_options_init(&common);
    option own[] = {
        {"--ctx", "-c", OPTION_INT, &o.n_ctx, "N", "context length (what the model was trained for, at most 4096)",
         NULL},
        {"--ram", NULL, OPTION_DOUBLE, &o.ram_gb, "GB",
         "memory of the machine, of which 80 % count (what this one has free)", NULL},
        {"--bandwidth", NULL, OPTION_DOUBLE, &o.bandwidth_gb, "GB/s", "read bandwidth of the machine (measured)", NULL},
        {"--kv", NULL, OPTION_TEXT, (void *)&o.kv, "TYPE", "cache type: f32 f16 bf16 q8_0 q4_0 (f16)", NULL},
        {"--kv-v", NULL, OPTION_TEXT, (void *)&o.kv_v, "TYPE", "another one for the values", NULL},
        {"--json", NULL, OPTION_FLAG, &o.json, NULL, "one JSON object", NULL},
        {0}};
    int status = options_parse(&about, own, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    lm_context_params context = LM_CONTEXT_PARAMS_INIT;
    context.n_ctx = o.n_ctx;
    if (o.n_ctx < 0) return usage_error("fit", "--ctx is %d", (int)o.n_ctx);
    if (o.ram_gb < 0 || o.bandwidth_gb < 0 || o.ram_gb > 1e9 || o.bandwidth_gb > 1e9)
        return usage_error("fit", "--ram and --bandwidth are sizes in GB");
    if (o.kv && !cache_type(o.kv, &context.k_type)) return usage_error("fit", "--kv: no cache type \"%s\"", o.kv);
    context.v_type = context.k_type;
    if (o.kv_v && !cache_type(o.kv_v, &context.v_type))
        return usage_error("fit", "--kv-v: no cache type \"%s\"", o.kv_v);
    lm_runtime *runtime = NULL;
    status = open_runtime("fit", &common, &runtime);
    if (status == EXIT_GOOD) status = run(&o, &context, runtime, model_path);
    lm_runtime_destroy(runtime);
    return status;
}
