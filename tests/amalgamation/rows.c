/* SPDX-License-Identifier: MIT
 * The logits of a text as bytes: rows MODEL CPU TOKEN... writes [n tokens, n_vocab] floats. CPU: an instruction set, or "best". */
#include "lm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    lm_runtime_params runtime = LM_RUNTIME_PARAMS_INIT;
    lm_model_params load = LM_MODEL_PARAMS_INIT;
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_error error = {.message = "usage: rows MODEL CPU TOKEN..."};
    lm_token tokens[512];
    int n = argc - 3;

    params.n_ctx = params.n_outputs = 512;
    params.k_type = params.v_type = LM_DTYPE_F32;
    if (argc > 2 && strcmp(argv[2], "best") != 0) runtime.cpu = argv[2];
    if (n < 1 || n > 512 || lm_runtime_create(&runtime, &load.runtime, &error) ||
        lm_model_open(argv[1], &load, &model, &error) || lm_context_open(model, &params, &context, &error))
        return fprintf(stderr, "%s\n", error.message), 1;
    for (int i = 0; i < n; i++) tokens[i] = atoi(argv[i + 3]);
    lm_batch_item item = {0, LM_LOGITS_ALL, tokens, (size_t)n};
    if (lm_context_eval_batch(context, &item, 1)) return fprintf(stderr, "%s\n", lm_context_message(context)), 1;
    for (size_t i = 0; i < (size_t)n; i++)
        fwrite(lm_context_logits_row(context, i), sizeof(float), (size_t)lm_vocab_size(model), stdout);
    lm_context_close(context);
    lm_model_close(model);
    lm_runtime_destroy(load.runtime);
    return fflush(stdout) != 0;
}
