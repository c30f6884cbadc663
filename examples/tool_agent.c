/* SPDX-License-Identifier: MIT
 * A loop with two tools: tool_agent MODEL [QUESTION]. The model asks for calls, they are made here, their results go back,
 * until it answers in words or has had five turns. The history is a JSON array that only grows, so each turn evaluates only
 * what is new. */
#include <lm/lm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char tools[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"description\":\"the sum of two numbers\",\"parameters\":"
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":-999,\"maximum\":999},"
    "\"b\":{\"type\":\"integer\",\"minimum\":-999,\"maximum\":999}},\"required\":[\"a\",\"b\"],"
    "\"additionalProperties\":false}}},"
    "{\"type\":\"function\",\"function\":{\"name\":\"count_letters\",\"description\":\"how many letters a word has\","
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"word\":{\"type\":\"string\",\"maxLength\":20,\"pattern\":\"^"
    "[a-z]+$\"}},"
    "\"required\":[\"word\"],\"additionalProperties\":false}}}]";

typedef struct agent {
    char history[16384];
    size_t n;
    char name[64], arguments[1024]; /* of the call being read */
    char results[4096];             /* messages, each with a comma before it */
} agent;

static void append(agent *a, const char *text, size_t n) {
    if (a->n + n + 2 > sizeof a->history) exit(1);
    memcpy(a->history + a->n, text, n);
    a->n += n;
    a->history[a->n] = '\0';
}

/* The grammar made sure that the arguments obey the schemas; a program that parses JSON would do so here. */
static long number_after(const char *json, const char *key) {
    const char *at = strstr(json, key);
    return at ? strtol(at + strlen(key) + strspn(at + strlen(key), " \t\r\n:"), NULL, 10) : 0;
}

static void make_call(agent *a) {
    char text[256];
    long result = 0;
    if (strcmp(a->name, "add") == 0) {
        result = number_after(a->arguments, "\"a\"") + number_after(a->arguments, "\"b\"");
    } else {
        const char *word = strstr(a->arguments, "\"word\"");
        word = word ? strchr(word + 6, '"') : NULL;
        result = word ? (long)strcspn(word + 1, "\"") : 0;
    }
    printf("%s %s = %ld\n", a->name, a->arguments, result);
    snprintf(text, sizeof text, ",{\"role\":\"tool\",\"name\":\"%s\",\"content\":\"%ld\"}", a->name, result);
    if (strlen(a->results) + strlen(text) < sizeof a->results) strcat(a->results, text);
}

static int32_t take(void *user, const lm_chat_delta *delta) {
    agent *a = user;
    if (delta->kind == LM_CHAT_DELTA_CONTENT) printf("%.*s", (int)delta->text_size, delta->text);
    if (delta->kind == LM_CHAT_DELTA_CALL) {
        snprintf(a->name, sizeof a->name, "%.*s", (int)delta->text_size, delta->text);
        a->arguments[0] = '\0';
    } else if (delta->kind == LM_CHAT_DELTA_ARGUMENTS) {
        size_t n = strlen(a->arguments), room = sizeof a->arguments - n - 1;
        snprintf(a->arguments + n, room + 1, "%.*s", (int)delta->text_size, delta->text);
    } else if (delta->kind == LM_CHAT_DELTA_CALL_END) {
        make_call(a);
    }
    return 0;
}

int main(int argc, char **argv) {
    static agent a;
    static char quoted[sizeof a.history / 2];
    const char *question = argc > 2 ? argv[2] : "How much is 17 and the number of letters in house?";
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_chat_session *session = NULL;
    lm_sampler_params sampling = LM_SAMPLER_PARAMS_INIT; /* a fixed seed: a test runs this */
    lm_error error = {.message = "usage: tool_agent MODEL [QUESTION of up to 8000 bytes]"};
    lm_status status = LM_OK;

    if (argc < 2 || lm_json_quote(question, strlen(question), quoted, sizeof quoted) >= sizeof quoted ||
        lm_model_open(argv[1], NULL, &model, &error) || lm_context_open(model, NULL, &context, &error) ||
        lm_chat_session_create(model, context, NULL, &session, &error)) {
        fprintf(stderr, "%s\n", error.message);
        lm_context_close(context);
        lm_model_close(model);
        return 1;
    }
    a.n = (size_t)snprintf(a.history, sizeof a.history, "[{\"role\":\"user\",\"content\":%s}", quoted);
    for (int turn = 0; turn < 5 && status == LM_OK; turn++) {
        lm_chat_request request = LM_CHAT_REQUEST_INIT;
        lm_chat_report report = LM_CHAT_REPORT_INIT;
        append(&a, "]", 1);
        a.results[0] = '\0';
        request.messages = a.history;
        request.messages_size = a.n;
        request.tools = tools;
        request.tools_size = sizeof tools - 1;
        request.tool_choice = turn == 0 ? LM_TOOL_CHOICE_REQUIRED : LM_TOOL_CHOICE_AUTO;
        sampling.seed = 1;
        request.sampling = &sampling;
        request.max_tokens = 300;
        request.user = &a;
        request.on_delta = take;
        status = lm_chat_session_run(session, &request, &report);
        if (status != LM_OK) break;
        printf("\n(%d tokens, %d evaluated)\n", (int)report.n_prompt, (int)report.sync.n_evaluated);
        a.n--; /* the bracket */
        append(&a, ",", 1);
        append(&a, report.message, report.message_size);
        if (report.finish != LM_CHAT_FINISH_CALLS) break;
        append(&a, a.results, strlen(a.results));
    }
    if (status != LM_OK) fprintf(stderr, "%s\n", lm_chat_session_message(session));
    lm_chat_session_destroy(session);
    lm_context_close(context);
    lm_model_close(model);
    return status != LM_OK;
}
