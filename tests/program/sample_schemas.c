/* SPDX-License-Identifier: MIT
 * Documents sampled under schemas, for a validator that is not ours: for each schema of a case file, N documents of at most 512
 * tokens at temperature 2, one JSON object a line on standard output: {"name", "text", "complete"}.
 *
 *     sample_schemas MODEL CASES.json N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lm/lm.h>

#include "base/json.h"
#include "base/json_write.h"

#define N_TOKENS 512

static bool sample(lm_model *model, lm_context *context, lm_sampler *sampler, lm_str *text) {
    lm_token tokens[33] = {1};
    size_t n_forced = 0, n = 0, size;
    lm_str_clear(text);
    if (lm_seq_trim(context, 0, 0) != LM_OK || lm_context_eval(context, tokens, 1) != LM_OK ||
        lm_sampler_set_limit(sampler, N_TOKENS) != LM_OK)
        return false;
    while (n < N_TOKENS) {
        if (lm_sample(context, sampler, &tokens[0]) != LM_OK) return false;
        if (lm_token_is_end(model, tokens[0])) return true;
        size_t cap = N_TOKENS - n - 1 < 32 ? N_TOKENS - n - 1 : 32;
        if (lm_sample_forced(context, sampler, tokens + 1, cap, &n_forced) != LM_OK) return false;
        n += n_forced + 1;
        for (size_t i = 0; i <= n_forced; i++) {
            char piece[512];
            int32_t got = lm_token_piece(model, tokens[i], LM_DETOKENIZE_SPECIAL, piece, sizeof piece);
            size = got > 0 ? (size_t)got : 0;
            lm_str_append(text, piece, size);
        }
        if (lm_context_eval(context, tokens, n_forced + 1) != LM_OK) return false;
    }
    return false;
}

static void sample_schema(lm_model *model, lm_context *context, lm_grammar_vocab *vocab, const char *name,
                          const lm_str *schema, int n, const lm_env *env) {
    lm_grammar_params params = LM_GRAMMAR_PARAMS_INIT;
    lm_sampler_params hot = LM_SAMPLER_PARAMS_INIT;
    lm_grammar *grammar;
    lm_grammar_matcher *matcher;
    lm_error error;
    params.flags = LM_GRAMMAR_COMPACT;
    hot.temperature = 2;
    hot.top_k = 0;
    hot.top_p = 1;
    hot.min_p = 0;
    if (lm_grammar_from_json_schema(schema->data, schema->size, &params, &grammar, &error) != LM_OK) return;
    if (lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, &error) != LM_OK) exit(1);
    /* Which a budget can finish: the end token needs one too. */
    bool fits = lm_grammar_matcher_completion(matcher, NULL, 0) < N_TOKENS;
    for (int i = 0; fits && i < n; i++) {
        lm_sampler *sampler;
        lm_str text, line;
        lm_json_writer w;
        hot.seed = (uint32_t)i;
        if (lm_sampler_for_model(model, &hot, &sampler, &error) != LM_OK) exit(1);
        if (lm_sampler_set_grammar(sampler, matcher) != LM_OK) exit(1);
        lm_str_init(&text, env, SIZE_MAX);
        lm_str_init(&line, env, SIZE_MAX);
        bool complete = sample(model, context, sampler, &text);
        lm_json_writer_init(&w, &line, NULL);
        lm_json_write_begin_object(&w);
        lm_json_write_name(&w, "name");
        lm_json_write_text(&w, name);
        lm_json_write_name(&w, "complete");
        lm_json_write_bool(&w, complete);
        lm_json_write_name(&w, "text");
        lm_json_write_string(&w, lm_str_text(&text), text.size);
        lm_json_write_end(&w);
        puts(lm_str_text(&line));
        lm_str_free(&text);
        lm_str_free(&line);
        lm_sampler_destroy(sampler);
    }
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_destroy(grammar);
}

int main(int argc, char **argv) {
    lm_env env;
    lm_arena arena;
    lm_model *model;
    lm_context *context;
    lm_grammar_vocab *vocab;
    lm_error error;
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_str schema, file;
    const lm_json *cases;
    char buffer[65536];
    size_t n;
    if (argc != 4) return 2;
    lm_env_init(&env, NULL, NULL);
    lm_str_init(&file, &env, SIZE_MAX);
    FILE *in = fopen(argv[2], "rb");
    if (!in) return 2;
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0) lm_str_append(&file, buffer, n);
    fclose(in);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    params.n_ctx = N_TOKENS + 64;
    params.k_type = params.v_type = LM_DTYPE_F32;
    params.n_threads = 1;
    if (lm_json_parse(&arena, file.data, file.size, LM_JSON_DEPTH_DEFAULT, &cases, &error) != LM_OK ||
        lm_model_open(argv[1], NULL, &model, &error) != LM_OK ||
        lm_context_open(model, &params, &context, &error) != LM_OK ||
        lm_grammar_vocab_for_model(model, &vocab, &error) != LM_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    for (size_t i = 0; i < cases->count; i++) {
        lm_str_init(&schema, &env, SIZE_MAX);
        if (lm_json_print(&schema, lm_json_get(&cases->items[i], "schema"), NULL) == LM_OK)
            sample_schema(model, context, vocab, lm_json_text(lm_json_get(&cases->items[i], "name"), "?"), &schema,
                          atoi(argv[3]), &env);
        lm_str_free(&schema);
    }
    lm_grammar_vocab_destroy(vocab);
    lm_context_close(context);
    lm_model_close(model);
    lm_arena_free(&arena);
    lm_str_free(&file);
    return 0;
}
