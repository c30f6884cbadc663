/* SPDX-License-Identifier: MIT
 * Reading grammars, and tying them to a sampler. */
#include "grammar_options.h"

#include <stdlib.h>

static lm_token find_token(void *user, const char *text, size_t n) {
    lm_token token;
    return lm_tokenize(user, text, n, LM_TOKENIZE_PARSE_SPECIAL, &token, 1) == 1 ? token : LM_TOKEN_NONE;
}

int read_grammar(const char *command_name, const lm_model *model, const char *gbnf_path, const char *schema_path,
                 lm_grammar **out) {
    const char *path = gbnf_path ? gbnf_path : schema_path;
    lm_grammar_params params = LM_GRAMMAR_PARAMS_INIT;
    lm_error error;
    size_t size;
    char *text = read_document(command_name, path, &size);
    if (!text) return EXIT_FAILED;
    params.user = (void *)(uintptr_t)model; /* only read */
    if (model) params.find_token = find_token;
    lm_status status = gbnf_path ? lm_grammar_from_gbnf(text, size, &params, out, &error)
                                 : lm_grammar_from_json_schema(text, size, &params, out, &error);
    free(text);
    if (status == LM_OK) return EXIT_GOOD;
    return failure_of_file(command_name, path, &error);
}

int constrain_sampler(const char *command_name, lm_model *model, const char *gbnf_path, const char *schema_path,
                      lm_sampler *sampler) {
    lm_grammar *grammar = NULL;
    lm_grammar_vocab *vocab = NULL;
    lm_grammar_matcher *matcher = NULL;
    lm_error error;
    if (!gbnf_path && !schema_path) return EXIT_GOOD;
    int status = read_grammar(command_name, model, gbnf_path, schema_path, &grammar);
    if (status == EXIT_GOOD && (lm_grammar_vocab_for_model(model, &vocab, &error) != LM_OK ||
                                lm_grammar_matcher_create(grammar, vocab, NULL, &matcher, &error) != LM_OK))
        status = failure_of(command_name, &error);
    if (status == EXIT_GOOD && lm_sampler_set_grammar(sampler, matcher) != LM_OK)
        status = failure(command_name, "out of memory");
    lm_grammar_matcher_destroy(matcher);
    lm_grammar_vocab_destroy(vocab);
    lm_grammar_destroy(grammar);
    return status;
}
