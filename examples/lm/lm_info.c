/* SPDX-License-Identifier: MIT
 * lm info: metadata and tensors of a model file. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

#define ARRAY_SHOWN 8  /* elements of a long array; vocabularies have a hundred thousand */
#define TEXT_SHOWN 160 /* bytes of a long value */

/* The value of a key as JSON, from malloc; NULL when memory is short. */
static char *value_text(const lm_model *model, const char *key, size_t max_elements) {
    size_t size = 0;
    if (lm_model_metadata_json(model, key, max_elements, NULL, 0, &size) != LM_OK) return NULL;
    char *text = malloc(size + 1);
    if (text && lm_model_metadata_json(model, key, max_elements, text, size + 1, NULL) != LM_OK) {
        free(text);
        return NULL;
    }
    return text;
}

/* The first column of a table. */
static void print_name(const char *name) {
    size_t n = strlen(name);
    fputs("  ", stdout);
    print_visible(stdout, name, n);
    printf("%*s ", n < 40 ? 40 - (int)n : 0, "");
}

static int print_metadata(const lm_model *model, bool json) {
    for (size_t i = 0; i < lm_model_metadata_count(model); i++) {
        const char *key = lm_model_metadata_key(model, i);
        char *text = value_text(model, key, ARRAY_SHOWN);
        if (!text) return failure("info", "%s cannot be shown", key);
        if (json) {
            printf("%s\n  ", i ? "," : "");
            print_json_text(stdout, key, strlen(key));
            printf(": %s", text);
        } else {
            size_t n = strlen(text), shown = n > TEXT_SHOWN ? TEXT_SHOWN : n;
            while (shown < n && shown > 0 && ((unsigned char)text[shown] & 0xC0) == 0x80)
                shown--; /* whole characters */
            print_name(key);
            print_visible(stdout, text, shown);
            puts(shown < n ? "..." : "");
        }
        free(text);
    }
    return EXIT_GOOD;
}

static void print_tensors(const lm_model *model, bool json) {
    for (size_t i = 0; i < lm_model_tensor_count(model); i++) {
        lm_tensor_info t = {.struct_size = sizeof t};
        if (lm_model_get_tensor(model, i, &t) != LM_OK) continue;
        if (json) {
            printf("%s\n  {\"name\": ", i ? "," : "");
            print_json_text(stdout, t.name, strlen(t.name));
            printf(", \"type\": \"%s\", \"shape\": [", t.type);
            for (int32_t d = 0; d < t.n_dims; d++) printf("%s%lld", d ? ", " : "", (long long)t.dims[d]);
            printf("], \"bytes\": %llu}", (unsigned long long)t.bytes);
        } else {
            print_name(t.name);
            printf("%-8s", t.type);
            for (int32_t d = 0; d < t.n_dims; d++) printf("%s%lld", d ? " x " : " ", (long long)t.dims[d]);
            printf("  (%llu bytes)\n", (unsigned long long)t.bytes);
        }
    }
}

static int print_json(const lm_model *model, const lm_model_info *info, bool tensors) {
    printf("{\"architecture\": ");
    print_json_text(stdout, info->architecture, strlen(info->architecture));
    printf(", \"name\": ");
    print_json_text(stdout, info->name, strlen(info->name));
    printf(", \"n_params\": %llu, \"weights_bytes\": %llu, \"active_params\": %llu, \"active_bytes\": %llu,\n",
           (unsigned long long)info->n_params, (unsigned long long)info->weights_bytes,
           (unsigned long long)info->active_params, (unsigned long long)info->active_bytes);
    printf(" \"n_vocab\": %d, \"n_embd\": %d, \"n_layers\": %d, \"n_heads\": %d, \"n_heads_kv\": %d, \"n_ctx_train\": "
           "%d, \"n_experts\": %d, "
           "\"n_experts_used\": %d, \"n_draft_layers\": %d, \"n_tensors\": %zu,\n \"metadata\": {",
           (int)info->n_vocab, (int)info->n_embd, (int)info->n_layers, (int)info->n_heads, (int)info->n_heads_kv,
           (int)info->n_ctx_train, (int)info->n_experts, (int)info->n_experts_used, (int)info->n_draft_layers,
           lm_model_tensor_count(model));
    int status = print_metadata(model, true);
    if (status != EXIT_GOOD) return status;
    printf("}");
    if (tensors) {
        printf(",\n \"tensors\": [");
        print_tensors(model, true);
        printf("]");
    }
    printf("}\n");
    return EXIT_GOOD;
}

static int print_text(const lm_model *model, const lm_model_info *info, bool tensors) {
    fputs("architecture  ", stdout);
    print_visible(stdout, info->architecture, strlen(info->architecture));
    fputs("\nname          ", stdout);
    print_visible(stdout, info->name, strlen(info->name));
    putchar('\n');
    printf("parameters    %.3f billion, %.3f billion at work in a token\n", 1e-9 * (double)info->n_params,
           1e-9 * (double)info->active_params);
    printf("weights       %llu bytes (%.2f bits per parameter), %llu read per token\n",
           (unsigned long long)info->weights_bytes,
           8 * (double)info->weights_bytes / (double)(info->n_params ? info->n_params : 1),
           (unsigned long long)info->active_bytes);
    printf("vocabulary    %d\nwidth         %d\nlayers        %d\nheads         %d, %d with keys and values\ncontext   "
           "    %d\n",
           (int)info->n_vocab, (int)info->n_embd, (int)info->n_layers, (int)info->n_heads, (int)info->n_heads_kv,
           (int)info->n_ctx_train);
    if (info->n_experts) printf("experts       %d, %d used\n", (int)info->n_experts, (int)info->n_experts_used);
    if (info->n_draft_layers) printf("draft block   1, for speculative decoding\n");
    printf("metadata      %zu entries\n", lm_model_metadata_count(model));
    int status = print_metadata(model, false);
    printf("tensors       %zu\n", lm_model_tensor_count(model));
    if (tensors) print_tensors(model, false);
    return status;
}

/* A model that cannot be run here is still a file that can be described: then the figures of its architecture are 0. */
static int open_described(const common_options *common, const char *path, lm_model **out) {
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_error error, second;
    int status = open_runtime("info", common, &params.runtime);
    if (status != EXIT_GOOD) return status;
    params.prefetch = 0;
    if (open_path(path, &params, out, &error) != LM_OK) {
        params.vocab_only = 1;
        if (open_path(path, &params, out, &second) != LM_OK)
            status = failure_of_file("info", shown_path(path), &error);
        else
            failure("info", "cannot be run: %s", error.message);
    }
    lm_runtime_destroy(params.runtime);
    return status;
}

int lm_info(int argc, char **argv) {
    static const command about = {"info", MODEL_ARGUMENT, "Print what a model file holds." BUILTIN_HELP, MODEL_NEEDED,
                                  1};
    const char *model_path;
    bool json = false, tensors = false;
    common_options common;
    common_options_init(&common);
    option own[] = {
        {"--json", NULL, OPTION_FLAG, &json, NULL, "one JSON object; long arrays end with \"...\" there, too", NULL},
        {"--tensors", NULL, OPTION_FLAG, &tensors, NULL, "list the tensors too", NULL},
        {0}};
    int status = options_parse(&about, own, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    lm_model *model = NULL;
    status = open_described(&common, model_path, &model);
    if (status != EXIT_GOOD) return status;
    lm_model_info info = {.struct_size = sizeof info};
    lm_model_get_info(model, &info);
    status = json ? print_json(model, &info, tensors) : print_text(model, &info, tensors);
    lm_model_close(model);
    return status;
}
