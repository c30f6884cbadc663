/* SPDX-License-Identifier: MIT
 * lm chat: talk to a model. The history is kept as the JSON of its messages; each turn passes all of it to a session, which
 * evaluates only what is new. Lines that begin with a slash are commands. */
#include "gen_options.h"
#include "line_editor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DIM "\033[2m"
#define PLAIN "\033[0m"
#define CALLS_MAX 16

typedef struct chat_options {
    const char *system, *tools_path, *think, *prompt, *family, *schema_path, *gbnf_path;
    int32_t n_tokens, n_ctx;
    bool stats;
} chat_options;

typedef struct conversation {
    const chat_options *options;
    lm_model *model;
    lm_context *context;
    lm_chat_session *session;
    char *tools, *schema, *gbnf; /* texts of files, or NULL */
    size_t tools_size, schema_size, gbnf_size;
    const lm_sampler_params *sampling;
    char *history; /* messages without brackets: {...},{...} */
    size_t size, capacity;
    bool colors, in_reasoning;
    char calls[CALLS_MAX][64]; /* names of the tools that the last answer calls */
    int32_t n_calls, n_results;
} conversation;

static bool append(conversation *c, const char *text, size_t n) {
    if (c->capacity - c->size < n + 1) {
        size_t capacity = 2 * (c->size + n) + 1024;
        char *larger = realloc(c->history, capacity);
        if (!larger) return false;
        c->history = larger;
        c->capacity = capacity;
    }
    memcpy(c->history + c->size, text, n);
    c->size += n;
    c->history[c->size] = '\0';
    return true;
}

static bool append_json_text(conversation *c, const char *text) {
    bool done = append(c, "\"", 1);
    for (; done && *text; text++) {
        char escaped[8];
        unsigned char byte = (unsigned char)*text;
        int n = byte == '"' || byte == '\\' ? snprintf(escaped, sizeof escaped, "\\%c", byte)
                : byte < 0x20               ? snprintf(escaped, sizeof escaped, "\\u%04x", byte)
                                            : snprintf(escaped, sizeof escaped, "%c", byte);
        done = append(c, escaped, (size_t)n);
    }
    return done && append(c, "\"", 1);
}

static bool append_message(conversation *c, const char *role, const char *text) {
    size_t before = c->size;
    bool done = (c->size == 0 || append(c, ",", 1)) && append(c, "{\"role\":\"", 9) && append(c, role, strlen(role)) &&
                append(c, "\",\"content\":", 12) && append_json_text(c, text) && append(c, "}", 1);
    if (!done) c->size = before;
    return done;
}

static bool restart(conversation *c) {
    c->size = 0;
    c->n_calls = c->n_results = 0;
    return !c->options->system || append_message(c, "system", c->options->system);
}

static void set_reasoning(conversation *c, bool on) {
    if (on == c->in_reasoning) return;
    c->in_reasoning = on;
    if (c->colors) fputs(on ? DIM : PLAIN, stdout);
    if (!on) fputs("\n\n", stdout);
}

static int32_t show(void *user, const lm_chat_delta *delta) {
    conversation *c = user;
    set_reasoning(c, delta->kind == LM_CHAT_DELTA_REASONING);
    if (delta->kind == LM_CHAT_DELTA_CALL) {
        printf("\n[call %.*s ", (int)delta->text_size, delta->text);
        if (c->n_calls < CALLS_MAX)
            snprintf(c->calls[c->n_calls], sizeof c->calls[0], "%.*s", (int)delta->text_size, delta->text);
    } else if (delta->kind == LM_CHAT_DELTA_CALL_END) {
        fputs("]\n", stdout);
        if (c->n_calls < CALLS_MAX) c->n_calls++;
    } else if (delta->kind == LM_CHAT_DELTA_CALL_BROKEN)
        fputs(" (cut off)]\n", stdout);
    else
        fwrite(delta->text, 1, delta->text_size, stdout);
    fflush(stdout);
    return was_interrupted();
}

static void fill_now(lm_chat_render_params *now) {
    time_t seconds = time(NULL);
    const struct tm *local = localtime(&seconds);
    if (!local) return;
    now->year = local->tm_year + 1900;
    now->month = local->tm_mon + 1;
    now->day = local->tm_mday;
    now->hour = local->tm_hour;
    now->minute = local->tm_min;
    now->second = local->tm_sec;
}

/* Answer the history and add the answer to it. */
static int answer(conversation *c) {
    lm_chat_request request = LM_CHAT_REQUEST_INIT;
    lm_chat_report report = LM_CHAT_REPORT_INIT;
    lm_chat_render_params now = LM_CHAT_RENDER_PARAMS_INIT;
    char *messages = malloc(c->size + 3);
    if (!messages) return failure("chat", "out of memory");
    request.messages_size = (size_t)snprintf(messages, c->size + 3, "[%s]", c->history ? c->history : "");
    request.messages = messages;
    request.tools = c->tools;
    request.tools_size = c->tools_size;
    request.schema = c->schema;
    request.schema_size = c->schema_size;
    request.gbnf = c->gbnf;
    request.gbnf_size = c->gbnf_size;
    if (c->options->think) {
        bool on = strcmp(c->options->think, "on") == 0;
        request.variables =
            on ? "{\"enable_thinking\":true,\"thinking\":true}" : "{\"enable_thinking\":false,\"thinking\":false}";
        request.variables_size = strlen(request.variables);
    }
    fill_now(&now);
    request.now = &now;
    request.sampling = c->sampling;
    request.max_tokens = c->options->n_tokens;
    request.user = c;
    request.on_delta = show;
    c->n_calls = c->n_results = 0;
    catch_interrupt(c->context);
    double start = seconds_now();
    lm_status status = lm_chat_session_run(c->session, &request, &report);
    double seconds = seconds_now() - start;
    catch_interrupt(NULL);
    free(messages);
    set_reasoning(c, false);
    putchar('\n');
    fflush(stdout);
    if (status != LM_OK) return failure("chat", "%s", lm_chat_session_message(c->session));
    if (report.finish == LM_CHAT_FINISH_LENGTH) fputs("(cut off)\n", stderr);
    if (c->options->stats)
        fprintf(stderr, "prompt %d tokens, %d evaluated; %d generated in %.1f s\n", (int)report.n_prompt,
                (int)report.sync.n_evaluated, (int)report.n_generated, seconds);
    if (!append(c, ",", 1) || !append(c, report.message, report.message_size)) return failure("chat", "out of memory");
    return EXIT_GOOD;
}

static void save(const conversation *c, const char *path) {
    while (*path == ' ') path++;
    FILE *file = *path ? fopen(path, "wb") : NULL;
    bool done = file && fprintf(file, "[%s]\n", c->history ? c->history : "") > 0;
    if (file && fclose(file) != 0) done = false;
    if (done)
        fprintf(stderr, "saved to %s\n", path);
    else
        fprintf(stderr, "/save %s: %s\n", path, *path ? strerror(errno) : "a file name is missing");
}

/* What a call returned; when it was the last one that was waited for, the model goes on. */
static int take_result(conversation *c, const char *text) {
    size_t before = c->size;
    while (*text == ' ') text++;
    if (c->n_results == c->n_calls) {
        fputs("/result: no call waits for one\n", stderr);
        return EXIT_GOOD;
    }
    if (!append(c, ",{\"role\":\"tool\",\"name\":", 23) || !append_json_text(c, c->calls[c->n_results]) ||
        !append(c, ",\"content\":", 11) || !append_json_text(c, text) || !append(c, "}", 1))
        return failure("chat", "out of memory");
    if (++c->n_results < c->n_calls) return EXIT_GOOD;
    int32_t n_calls = c->n_calls;
    if (answer(c) != EXIT_GOOD) { /* the result is as if never given */
        c->size = before;
        c->n_calls = n_calls;
        c->n_results = n_calls - 1;
    }
    return EXIT_GOOD;
}

static int talk(conversation *c) {
    char *line;
    if (stdin_is_terminal())
        fputs("/result TEXT answers a call, /reset forgets, /save FILE writes the conversation, Ctrl-D ends\n", stderr);
    while ((line = read_line("> ")) != NULL) {
        int status = EXIT_GOOD;
        if (strcmp(line, "/reset") == 0) {
            if (!restart(c)) status = failure("chat", "out of memory");
        } else if (strncmp(line, "/save", 5) == 0 && (line[5] == ' ' || line[5] == '\0')) {
            save(c, line + 5);
        } else if (strncmp(line, "/result", 7) == 0 && (line[7] == ' ' || line[7] == '\0')) {
            status = take_result(c, line + 7);
        } else if (strcmp(line, "/quit") == 0) {
            free(line);
            break;
        } else if (line[0] == '/') {
            fprintf(stderr, "%s: the commands are /result TEXT, /reset, /save FILE and /quit\n", line);
        } else if (line[0] != '\0') {
            size_t before = c->size;
            if (!append_message(c, "user", line)) status = failure("chat", "out of memory");
            if (status == EXIT_GOOD && answer(c) != EXIT_GOOD) c->size = before; /* the message is as if never said */
            if (c->history) c->history[c->size] = '\0';
        }
        free(line);
        if (status != EXIT_GOOD) return status;
    }
    return EXIT_GOOD;
}

static int open_all(conversation *c, const chat_options *o) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_chat_session_params session = LM_CHAT_SESSION_PARAMS_INIT;
    lm_error error;
    params.n_ctx = o->n_ctx;
    session.family = o->family;
    if (o->tools_path && !(c->tools = read_input("chat", o->tools_path, &c->tools_size))) return EXIT_FAILED;
    if (o->schema_path && !(c->schema = read_input("chat", o->schema_path, &c->schema_size))) return EXIT_FAILED;
    if (o->gbnf_path && !(c->gbnf = read_input("chat", o->gbnf_path, &c->gbnf_size))) return EXIT_FAILED;
    if (lm_context_open(c->model, &params, &c->context, &error) != LM_OK ||
        lm_chat_session_create(c->model, c->context, &session, &c->session, &error) != LM_OK)
        return failure_of("chat", &error);
    return restart(c) ? EXIT_GOOD : failure("chat", "out of memory");
}

int lm_chat_command(int argc, char **argv) {
    static const command about = {"chat", MODEL_ARGUMENT, "Talk to a model; -p asks once." BUILTIN_HELP, MODEL_NEEDED,
                                  1};
    chat_options o = {.n_tokens = -1};
    sampler_options sampling;
    common_options common;
    const char *model_path;
    const option own[] = {
        {"-p", "--prompt", OPTION_TEXT, (void *)&o.prompt, "TEXT", "one message, one answer", NULL},
        {"--system", NULL, OPTION_TEXT, (void *)&o.system, "TEXT", "the system message", NULL},
        {"--tools", NULL, OPTION_TEXT, (void *)&o.tools_path, "FILE",
         "JSON array of tools; calls are shown, /result answers them", NULL},
        {"--think", NULL, OPTION_TEXT, (void *)&o.think, "on|off", "reasoning, where the template has a switch", NULL},
        {"--json-schema", NULL, OPTION_TEXT, (void *)&o.schema_path, "FILE", "answers are JSON of this schema", NULL},
        {"--gbnf", NULL, OPTION_TEXT, (void *)&o.gbnf_path, "FILE", "answers are texts of this grammar", NULL},
        {"--format", NULL, OPTION_TEXT, (void *)&o.family, "NAME", "output syntax, where the template does not tell",
         NULL},
        {"-n", NULL, OPTION_INT, &o.n_tokens, "N", "tokens of an answer; -1: until it ends (-1)", NULL},
        {"-c", "--ctx", OPTION_INT, &o.n_ctx, "N", "context length (what the model was trained for, at most 4096)",
         NULL},
        {"--stats", NULL, OPTION_FLAG, &o.stats, NULL, "a line of figures after each answer", NULL},
    };
    option table[sizeof own / sizeof *own + SAMPLER_OPTIONS + 1] = {{0}};
    conversation c = {.options = &o};
    memcpy(table, own, sizeof own);
    sampler_options_init(&sampling, table + sizeof own / sizeof *own);
    common_options_init(&common);
    int status = options_parse(&about, table, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    if (o.think && strcmp(o.think, "on") != 0 && strcmp(o.think, "off") != 0)
        return usage_error("chat", "--think is on or off");
    if (o.gbnf_path && o.schema_path) return usage_error("chat", "--gbnf and --json-schema exclude each other");
    if (o.n_tokens < -1) return usage_error("chat", "-n is %d", (int)o.n_tokens);
    status = open_model("chat", &common, model_path, &c.model);
    if (status == EXIT_GOOD) {
        lm_sampler *sampler = NULL; /* made to check the choices; each answer has one of its own */
        sampler_options_recommend(&sampling, c.model);
        options_parse(&about, table, common.table, argc, argv, &model_path);
        status = sampler_options_finish(&sampling, c.model, &sampler);
        lm_sampler_destroy(sampler);
        c.sampling = &sampling.params;
    }
    if (status == EXIT_GOOD) status = open_all(&c, &o);
    c.colors = stdout_is_terminal();
    if (status == EXIT_GOOD && o.prompt)
        status = append_message(&c, "user", o.prompt) ? answer(&c) : failure("chat", "out of memory");
    else if (status == EXIT_GOOD)
        status = talk(&c);
    sampler_options_free(&sampling);
    free(c.tools);
    free(c.schema);
    free(c.gbnf);
    free(c.history);
    lm_chat_session_destroy(c.session);
    lm_context_close(c.context);
    lm_model_close(c.model);
    return status;
}
