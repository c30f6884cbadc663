/* SPDX-License-Identifier: MIT
 * lm embed: the vector of a text, or of each token, as raw little-endian 32-bit floats or as JSON. */
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct embed_options {
    const char *tokens, *path, *text, *pooling, *kv, *out;
    int32_t n_batch;
    bool raw, json;
} embed_options;

static bool read_pooling(const char *name, int32_t *pooling) {
    static const char *const names[] = {"none", "mean", "cls", "last", "rank"};
    for (int32_t i = 0; i < 5; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *pooling = LM_POOLING_NONE + i;
        return true;
    }
    return false;
}

/* The tokens of --tokens as they are, or of a text with what the model puts around it. */
static int read_text(const embed_options *o, const lm_model *model, token_list *tokens) {
    if (o->tokens) return read_numbers("embed", "--tokens", o->tokens, tokens);
    size_t size = o->text ? strlen(o->text) : 0;
    char *read = o->text ? NULL : read_input("embed", o->path ? o->path : "-", &size);
    if (!o->text && !read) return EXIT_FAILED;
    int status = tokenize_text("embed", model, o->text ? o->text : read, size, LM_TOKENIZE_ADD_SPECIAL, tokens);
    free(read);
    return status;
}

/* [[0.1, ...], ...], with digits enough to read the same floats back. */
static bool print_rows(FILE *file, const float *rows, size_t n_rows, size_t width) {
    for (size_t row = 0; row < n_rows; row++)
        for (size_t i = 0; i < width; i++) {
            float x = rows[row * width + i];
            fputs(i > 0 ? ", " : row > 0 ? ",\n [" : "[[", file);
            if (x - x == 0)
                fprintf(file, "%.9g", (double)x);
            else
                fputs("null", file); /* JSON has no infinities */
            if (i + 1 == width) fputs("]", file);
        }
    return fputs("]\n", file) >= 0 && !ferror(file);
}

static int write_rows(const embed_options *o, const char *model_path, const float *rows, size_t n_rows, size_t width) {
    const char *path = o->out ? o->out : "-";
    FILE *file = create_output("embed", path, model_path);
    if (!file) return EXIT_FAILED;
    bool good = o->json ? print_rows(file, rows, n_rows, width) : write_words(file, rows, n_rows * width);
    if (file != stdout && fclose(file) != 0) good = false;
    return good ? EXIT_GOOD : failure("embed", "%s: %s", path, strerror(errno));
}

static int run(const embed_options *o, const char *model_path, lm_context *context, const token_list *tokens) {
    lm_context_params params = {.struct_size = sizeof params};
    lm_context_get_params(context, &params);
    size_t rows = params.outputs & LM_OUTPUT_POOLED ? 1 : tokens->count, width = lm_embed_width(context);
    size_t n = rows * width;
    float *out = malloc(n * sizeof *out);
    lm_embed_text text = {tokens->data, tokens->count};
    int status = EXIT_GOOD;
    if (!out)
        status = failure("embed", "out of memory");
    else if (lm_embed(context, &text, 1, o->raw ? LM_EMBED_RAW : 0, out, n) != LM_OK)
        status = failure_of_context("embed", context);
    if (status == EXIT_GOOD) status = write_rows(o, model_path, out, rows, width);
    free(out);
    return status;
}

int lm_embed_command(int argc, char **argv) {
    static const command about = {"embed", MODEL_ARGUMENT,
                                  "Write the vector of a text: raw little-endian 32-bit floats, or JSON." BUILTIN_HELP,
                                  MODEL_NEEDED, 1};
    embed_options o = {.n_batch = 0};
    const char *model_path;
    common_options common;
    common_options_init(&common);
    option own[] = {
        {"-f", "--file", OPTION_TEXT, (void *)&o.path, "FILE", "the text (- or nothing: standard input)", NULL},
        {"-p", "--prompt", OPTION_TEXT, (void *)&o.text, "TEXT", "the text itself", NULL},
        {"--tokens", NULL, OPTION_TEXT, (void *)&o.tokens, "1,2,3|@FILE", "its tokens, taken as they are", NULL},
        {"--pooling", NULL, OPTION_TEXT, (void *)&o.pooling, "none|mean|cls|last|rank",
         "how the tokens' rows become one (what the file says)", NULL},
        {"--raw", NULL, OPTION_FLAG, &o.raw, NULL, "rows as the model gives them, not scaled to length 1", NULL},
        {"--batch", "-b", OPTION_INT, &o.n_batch, "N", "tokens evaluated together at most (as the model needs)", NULL},
        {"--kv", NULL, OPTION_TEXT, (void *)&o.kv, "TYPE", "a decoder's cache type: f32 f16 bf16 q8_0 q4_0 (f16)",
         NULL},
        {"-o", "--out", OPTION_TEXT, (void *)&o.out, "FILE", "where the rows go (-: standard output)", NULL},
        {"--json", NULL, OPTION_FLAG, &o.json, NULL, "rows as JSON, to standard output unless -o says otherwise", NULL},
        {0}};
    int status = options_parse(&about, own, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    params.outputs = LM_OUTPUT_POOLED;
    if (!o.out && !o.json) return usage_error("embed", "-o or --json is missing");
    if ((o.tokens != NULL) + (o.path != NULL) + (o.text != NULL) > 1)
        return usage_error("embed", "-f, -p and --tokens exclude each other");
    if (o.pooling && !read_pooling(o.pooling, &params.pooling))
        return usage_error("embed", "--pooling: no kind \"%s\"", o.pooling);
    if (o.kv && !cache_type(o.kv, &params.k_type)) return usage_error("embed", "--kv: no cache type \"%s\"", o.kv);
    params.v_type = params.k_type;
    if (o.n_batch < 0 || o.n_batch > 65536) return usage_error("embed", "--batch is %d", (int)o.n_batch);

    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_error error;
    token_list tokens = {0};
    status = open_model("embed", &common, model_path, &model);
    if (status == EXIT_GOOD) status = read_text(&o, model, &tokens);
    if (status == EXIT_GOOD && (tokens.count == 0 || tokens.count > 1 << 24))
        status = failure("embed", "a text of %zu tokens", tokens.count);
    if (status == EXIT_GOOD) {
        params.n_ctx = (int32_t)tokens.count;
        params.n_batch = o.n_batch;
        if (lm_context_open(model, &params, &context, &error) != LM_OK) status = failure_of("embed", &error);
    }
    if (status == EXIT_GOOD) status = run(&o, model_path, context, &tokens);
    lm_context_close(context);
    lm_model_close(model);
    token_list_free(&tokens);
    return status;
}
