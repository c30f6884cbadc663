/* SPDX-License-Identifier: MIT
 * Several answers to one prompt at once: batch MODEL [PROMPT]. The prompt is evaluated once, its sequence forked, and then every step
 * evaluates one token of all of them together. */
#include <lm/lm.h>

#include <stdio.h>
#include <string.h>

#define N_SEQS 4
#define N_STEPS 32

static int fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv) {
    const char *prompt = argc > 2 ? argv[2] : "Once upon a time";
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_sampler *samplers[N_SEQS] = {NULL};
    lm_batch_item items[N_SEQS];
    lm_token tokens[256], next[N_SEQS];
    char text[N_SEQS][1024] = {{0}};
    lm_error error = {.message = "usage: batch MODEL [PROMPT]"};
    int status = 1;

    params.n_seqs = N_SEQS;
    if (argc < 2 || lm_model_open(argv[1], NULL, &model, &error) != LM_OK ||
        lm_context_open(model, &params, &context, &error) != LM_OK) {
        fail("batch", error.message);
        goto out;
    }
    int32_t n = lm_tokenize(model, prompt, strlen(prompt), LM_TOKENIZE_ADD_SPECIAL, tokens, 256);
    if (n < 1 || n > 256) {
        fail("batch", "the prompt has more than 256 tokens, or none");
        goto out;
    }
    if (lm_context_eval(context, tokens, (size_t)n) != LM_OK) goto failed;
    for (int i = 0; i < N_SEQS; i++) {
        lm_sampler_params choice = LM_SAMPLER_PARAMS_INIT;
        choice.seed = (uint32_t)i;
        if (lm_sampler_for_model(model, &choice, &samplers[i], &error) != LM_OK) {
            fail("sampler", error.message);
            goto out;
        }
        if (i > 0 && lm_seq_fork(context, 0, i) != LM_OK) goto failed;
    }
    for (int step = 0; step < N_STEPS; step++) {
        for (int i = 0; i < N_SEQS; i++) { /* after the prompt all continue from its one row of logits */
            const float *row = lm_context_logits_row(context, step == 0 ? 0 : (size_t)i);
            if (lm_sampler_pick(samplers[i], row, (size_t)lm_vocab_size(model), &next[i]) != LM_OK ||
                lm_sampler_accept(samplers[i], next[i]) != LM_OK) {
                fail("sampler", lm_sampler_message(samplers[i]));
                goto out;
            }
            size_t used = strlen(text[i]), room = sizeof text[i] - 1 - used;
            int32_t bytes = lm_token_piece(model, next[i], 0, text[i] + used, room);
            if (bytes > 0 && (size_t)bytes <= room) text[i][used + (size_t)bytes] = '\0';
            items[i] = (lm_batch_item){i, LM_LOGITS_LAST, &next[i], 1};
        }
        if (lm_context_eval_batch(context, items, N_SEQS) != LM_OK) goto failed;
    }
    for (int i = 0; i < N_SEQS; i++) printf("%d: %s%s\n", i, prompt, text[i]);
    status = 0;
    goto out;
failed:
    fail("batch", lm_context_message(context));
out:
    for (int i = 0; i < N_SEQS; i++) lm_sampler_destroy(samplers[i]);
    lm_context_close(context);
    lm_model_close(model);
    return status;
}
