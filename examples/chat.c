/* SPDX-License-Identifier: MIT
 * A conversation: chat [MODEL], without a model with the box. Each line is a message; the end of the input ends it. A session takes the
 * whole history as JSON in every turn and evaluates only what is new. */
#include <lm/box.h>
#include <lm/lm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct history {
    char *json; /* [{...},{...} without the last bracket */
    size_t size;
} history;

static void append(history *h, const char *text, size_t n) {
    char *larger = realloc(h->json, h->size + n + 2); /* room for a bracket and a NUL */
    if (!larger) exit(1);
    h->json = larger;
    memcpy(h->json + h->size, text, n);
    h->size += n;
}

static void say(history *h, const char *text) {
    static const char head[] = "{\"role\":\"user\",\"content\":";
    size_t n = lm_json_quote(text, strlen(text), NULL, 0);
    char *quoted = malloc(n + 1);
    if (!quoted) exit(1);
    lm_json_quote(text, strlen(text), quoted, n + 1);
    append(h, h->size == 0 ? "[" : ",", 1);
    append(h, head, sizeof head - 1);
    append(h, quoted, n);
    append(h, "}", 1);
    free(quoted);
}

static int32_t show(void *user, const lm_chat_delta *delta) {
    (void)user;
    if (delta->kind == LM_CHAT_DELTA_CONTENT) fwrite(delta->text, 1, delta->text_size, stdout);
    fflush(stdout);
    return 0; /* anything else stops the answer */
}

int main(int argc, char **argv) {
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_chat_session *session = NULL;
    history h = {NULL, 0};
    lm_error error;
    static char line[1 << 16];
    lm_status status =
        argc > 1 ? lm_model_open(argv[1], NULL, &model, &error) : lm_model_open_builtin(NULL, &model, &error);
    if (status == LM_OK) status = lm_context_open(model, NULL, &context, &error);
    if (status == LM_OK) status = lm_chat_session_create(model, context, NULL, &session, &error);
    if (status != LM_OK) fprintf(stderr, "%s\n", error.message);
    while (status == LM_OK && fgets(line, sizeof line, stdin)) {
        lm_chat_request request = LM_CHAT_REQUEST_INIT;
        lm_chat_report report = LM_CHAT_REPORT_INIT;
        if (strlen(line) + 1 == sizeof line) {
            fprintf(stderr, "a line is longer than %d bytes\n", (int)sizeof line - 2);
            status = LM_ERR_RANGE;
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        say(&h, line);
        h.json[h.size] = ']';
        request.messages = h.json;
        request.messages_size = h.size + 1;
        request.on_delta = show;
        status = lm_chat_session_run(session, &request, &report);
        if (status == LM_OK) {
            printf("\n");
            append(&h, ",", 1);
            append(&h, report.message, report.message_size); /* the answer is part of the next turn's history */
        } else {
            fprintf(stderr, "%s\n", lm_chat_session_message(session));
        }
    }
    free(h.json);
    lm_chat_session_destroy(session);
    lm_context_close(context);
    lm_model_close(model);
    return status != LM_OK;
}
