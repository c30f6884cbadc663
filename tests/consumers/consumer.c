/* SPDX-License-Identifier: MIT
 * What a program of somebody else looks like: consumer MODEL prints a few tokens and checks that header and library agree. */
#include <lm/lm.h>

#include <stdio.h>

int main(int argc, char **argv) {
    lm_error error = {.message = "usage: consumer MODEL"};
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_sampler *sampler = NULL;
    lm_sampler_params greedy = LM_SAMPLER_PARAMS_INIT;
    lm_token tokens[16], token;

    greedy.temperature = 0;
    if (lm_version() / 1000 != LM_VERSION_MAJOR * 1000 + LM_VERSION_MINOR)
        return fprintf(stderr, "the library is version %d\n", (int)lm_version()), 1;
    if (argc < 2 || lm_model_open(argv[1], NULL, &model, &error) || lm_context_open(model, NULL, &context, &error) ||
        lm_sampler_for_model(model, &greedy, &sampler, &error))
        return fprintf(stderr, "%s\n", error.message), 1;
    int32_t n = lm_tokenize(model, "Once", 4, LM_TOKENIZE_ADD_SPECIAL, tokens, 16);
    lm_status status = lm_context_eval(context, tokens, (size_t)n);
    for (int i = 0; i < 8 && !status && !(status = lm_sample(context, sampler, &token)); i++) {
        printf("%d\n", (int)token);
        status = lm_context_eval(context, &token, 1);
    }
    lm_sampler_destroy(sampler);
    lm_context_close(context);
    lm_model_close(model);
    return status != LM_OK;
}
