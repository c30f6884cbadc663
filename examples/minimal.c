/* SPDX-License-Identifier: MIT
 * The smallest program that completes a text: minimal [MODEL]. README.md prints it. */
#include <lm/box.h>
#include <lm/lm.h>
#include <stdio.h>

int main(int argc, char **argv) {
    static const char prompt[] = "Once upon a time";
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_sampler *sampler = NULL;
    lm_error error;
    lm_token tokens[64], token;
    char text[256];

    /* A GGUF file, or the box: the small model inside of liblm-box. */
    lm_status status =
        argc > 1 ? lm_model_open(argv[1], NULL, &model, &error) : lm_model_open_builtin(NULL, &model, &error);
    if (status || lm_context_open(model, NULL, &context, &error) || lm_sampler_for_model(model, NULL, &sampler, &error))
        return fprintf(stderr, "%s\n", error.message), 1;

    /* Evaluate the prompt; then choose a token, show it, evaluate it, and so on. */
    int32_t n = lm_tokenize(model, prompt, sizeof prompt - 1, LM_TOKENIZE_ADD_SPECIAL, tokens, 64);
    status = lm_context_eval(context, tokens, (size_t)n);
    printf("%s", prompt);
    for (int i = 0; i < 200 && !status; i++) {
        status = lm_sample(context, sampler, &token);
        if (status || lm_token_is_end(model, token)) break;
        n = lm_token_piece(model, token, 0, text, sizeof text);
        if (n > 0 && n <= (int32_t)sizeof text) printf("%.*s", n, text);
        fflush(stdout);
        status = lm_context_eval(context, &token, 1);
    }
    printf("\n");
    if (status) fprintf(stderr, "%s\n", lm_context_message(context));

    lm_sampler_destroy(sampler);
    lm_context_close(context);
    lm_model_close(model);
    return status != LM_OK;
}
