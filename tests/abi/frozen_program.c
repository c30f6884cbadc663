/* SPDX-License-Identifier: MIT
 * A program that was compiled when version 0.1 was new and meets the library of today. It uses one of everything; the numbers of
 * its header, not today's, are in it. */
#include "frozen_0_1.h"

#include <stdio.h>
#include <string.h>

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (!(what)) return fprintf(stderr, "line %d: %s\n", __LINE__, #what), 1;                                      \
    } while (0)

int main(int argc, char **argv) {
    lm_error error = {LM_OK, 0, 0, ""};
    lm_runtime_params runtime_params = LM_RUNTIME_PARAMS_INIT;
    lm_model_params model_params = LM_MODEL_PARAMS_INIT;
    lm_context_params context_params = LM_CONTEXT_PARAMS_INIT;
    lm_sampler_params sampler_params = LM_SAMPLER_PARAMS_INIT;
    lm_model_info info = {.struct_size = sizeof info};
    lm_memory memory = {.struct_size = sizeof memory};
    lm_sync_info sync = {.struct_size = sizeof sync};
    lm_plan plan = {.struct_size = sizeof plan};
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_runtime *runtime = NULL;
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_sampler *sampler = NULL;
    lm_grammar *grammar = NULL;
    lm_chat *chat = NULL;
    lm_token tokens[64], token = LM_TOKEN_NONE;
    char text[64];

    CHECK(argc == 2);
    CHECK(lm_version() / 1000000 == LM_VERSION_MAJOR &&
          lm_version() >= LM_VERSION_MAJOR * 1000000 + LM_VERSION_MINOR * 1000);
    runtime_params.n_threads = 1;
    CHECK(lm_runtime_create(&runtime_params, &runtime, &error) == LM_OK);
    CHECK(lm_runtime_threads(runtime) == 1 && strlen(lm_runtime_cpu(runtime)) > 0);
    model_params.runtime = runtime;
    CHECK(lm_model_open("no such file", &model_params, &model, &error) == LM_ERR_NOT_FOUND &&
          error.status == LM_ERR_NOT_FOUND);
    CHECK(lm_model_open(argv[1], &model_params, &model, &error) == LM_OK);
    CHECK(lm_model_get_info(model, &info) == LM_OK && info.n_vocab > 0 && info.n_layers > 0);
    CHECK(lm_model_plan(argv[1], NULL, &plan, &error) == LM_OK && plan.total_bytes > 0);
    context_params.n_ctx = 128;
    CHECK(lm_context_open(model, &context_params, &context, &error) == LM_OK);
    int32_t n = lm_tokenize(model, "Once upon", 9, LM_TOKENIZE_ADD_SPECIAL, tokens, 64);
    CHECK(n > 0 && n < 64);
    CHECK(lm_context_sync(context, 0, tokens, (size_t)n, &sync) == LM_OK && sync.n_evaluated == n);
    sampler_params.temperature = 0;
    CHECK(lm_sampler_for_model(model, &sampler_params, &sampler, &error) == LM_OK);
    for (int i = 0; i < 8; i++) {
        CHECK(lm_sample(context, sampler, &token) == LM_OK && token >= 0 && token < info.n_vocab);
        CHECK(lm_token_piece(model, token, 0, text, sizeof text) >= 0);
        CHECK(lm_context_eval(context, &token, 1) == LM_OK);
    }
    CHECK(lm_seq_length(context, 0) == n + 8 && lm_context_logits(context) != NULL);
    CHECK(lm_context_memory(context, &memory) == LM_OK && memory.cache_bytes > 0);
    CHECK(lm_grammar_from_gbnf("root ::= [0-9]+", 15, NULL, &grammar, &error) == LM_OK);
    CHECK(lm_grammar_from_gbnf("root ::= (", 10, NULL, &grammar, &error) == LM_ERR_FORMAT && error.line == 1);
    CHECK(lm_chat_from_template("chatml", 6, NULL, &chat, &error) == LM_OK);
    static const char inputs[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    CHECK(lm_chat_render(chat, inputs, sizeof inputs - 1, NULL, &prompt, &error) == LM_OK && prompt.text_size > 0);
    lm_chat_destroy(chat);
    lm_grammar_destroy(grammar);
    lm_sampler_destroy(sampler);
    lm_context_close(context);
    lm_model_close(model);
    lm_runtime_destroy(runtime);
    return 0;
}
