/* SPDX-License-Identifier: MIT
 * Facts out of a text as JSON that obeys a schema: extract_json MODEL [TEXT]. Whatever the model is like, what is printed is
 * a document of the schema, since nothing else can be chosen. */
#include <lm/lm.h>

#include <stdio.h>
#include <string.h>

static const char schema[] = "{\"type\":\"object\",\"additionalProperties\":false,"
                             "\"properties\":{"
                             "\"city\":{\"type\":\"string\",\"maxLength\":24},"
                             "\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":30},"
                             "\"by\":{\"enum\":[\"train\",\"plane\",\"car\"]}},"
                             "\"required\":[\"city\",\"days\",\"by\"]}";

static int32_t print(void *user, const lm_chat_delta *delta) {
    (void)user;
    if (delta->kind == LM_CHAT_DELTA_CONTENT) printf("%.*s", (int)delta->text_size, delta->text);
    return 0;
}

int main(int argc, char **argv) {
    const char *text = argc > 2 ? argv[2] : "We stayed in Rome for nine days and came by train.";
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_chat_session *session = NULL;
    lm_chat_request request = LM_CHAT_REQUEST_INIT;
    lm_chat_report report = LM_CHAT_REPORT_INIT;
    lm_sampler_params sampling = LM_SAMPLER_PARAMS_INIT; /* a fixed seed: a test runs this */
    lm_error error = {.message = "usage: extract_json MODEL [TEXT of up to 8000 bytes]"};
    static char question[8192], quoted[8300], messages[8400];

    int size = snprintf(question, sizeof question,
                        "Which city, how many days, and how did they travel? Answer as JSON. Text: %s", text);
    if (argc < 2 || size >= (int)sizeof question ||
        lm_json_quote(question, (size_t)size, quoted, sizeof quoted) >= sizeof quoted ||
        lm_model_open(argv[1], NULL, &model, &error) || lm_context_open(model, NULL, &context, &error) ||
        lm_chat_session_create(model, context, NULL, &session, &error)) {
        fprintf(stderr, "%s\n", error.message);
        lm_context_close(context);
        lm_model_close(model);
        return 1;
    }
    snprintf(messages, sizeof messages, "[{\"role\":\"user\",\"content\":%s}]", quoted);
    request.messages = messages;
    request.messages_size = strlen(messages);
    request.schema = schema;
    request.schema_size = sizeof schema - 1;
    sampling.seed = 1;
    request.sampling = &sampling;
    request.max_tokens = 400;
    request.on_delta = print;
    lm_status status = lm_chat_session_run(session, &request, &report);
    if (status != LM_OK) fprintf(stderr, "%s\n", lm_chat_session_message(session));
    putchar('\n');
    int complete = status == LM_OK && report.finish == LM_CHAT_FINISH_END;
    lm_chat_session_destroy(session);
    lm_context_close(context);
    lm_model_close(model);
    return !complete;
}
