/* SPDX-License-Identifier: MIT
 * The smallest program that completes a text: minimal MODEL. Everything that can fail says so by its status. */
#include <lm/lm.h>

#include <stdio.h>

int main(int argc, char **argv) {
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_sampler *sampler = NULL;
    lm_error error = {.message = "usage: minimal MODEL"};
    lm_token tokens[64], token;
    char text[256];

    if (argc < 2 || lm_model_open(argv[1], NULL, &model, &error) || lm_context_open(model, NULL, &context, &error) ||
        lm_sampler_for_model(model, NULL, &sampler, &error))
        return fprintf(stderr, "%s\n", error.message), 1;
    int32_t n = lm_tokenize(model, "Once upon a time", 16, LM_TOKENIZE_ADD_SPECIAL, tokens, 64);
    lm_status status = lm_context_eval(context, tokens, (size_t)n);
    for (int i = 0; i < 100 && !status && !lm_sample(context, sampler, &token) && !lm_token_is_end(model, token); i++) {
        n = lm_token_piece(model, token, 0, text, sizeof text);
        printf("%.*s", n, text);
        status = lm_context_eval(context, &token, 1);
    }
    lm_sampler_destroy(sampler);
    lm_context_close(context);
    lm_model_close(model);
    return status != LM_OK;
}
