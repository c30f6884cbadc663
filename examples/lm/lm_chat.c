/* SPDX-License-Identifier: MIT
 * lm chat: talk to a model. The history is kept as the JSON of its messages; each turn passes all of it to a session, which
 * evaluates only what is new. Lines that begin with a slash are commands. */
#include "gen_options.h"
#include "grammar_options.h"
#include "history.h"
#include "line_editor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DIM "\033[2m"
#define PLAIN "\033[0m"

static const char commands[] = "/result TEXT  what a call gave\n"
                               "/reset        forget the conversation\n"
                               "/save FILE    write it\n"
                               "/load FILE    take up one that was saved\n"
                               "/quit         end, as Ctrl-D does\n";

typedef struct chat_options {
    const char *system, *tools_path, *think, *prompt, *file, *family, *schema_path, *gbnf_path;
    int32_t n_tokens, n_ctx;
    bool stats;
} chat_options;

typedef struct conversation {
    const chat_options *options;
    const char *model_path;
    lm_model *model;
    lm_context *context;
    lm_chat_session *session;
    char *tools, *schema, *gbnf; /* texts of files, or NULL */
    size_t tools_size, schema_size, gbnf_size;
    const lm_sampler_params *sampling;
    history history;
    bool colors, in_reasoning, shown; /* shown: the answer has begun */
    char **calls; /* [room] names of the tools that the last answer calls; behind n_calls one being read */
    int32_t room, n_calls, n_results;
} conversation;

static bool restart(conversation *c) {
    history_cut(&c->history, 0);
    c->n_calls = c->n_results = 0;
    return !c->options->system ||
           history_add_text(&c->history, "system", NULL, c->options->system, strlen(c->options->system));
}

static void set_reasoning(conversation *c, bool on) {
    if (on == c->in_reasoning) return;
    c->in_reasoning = on;
    if (c->colors) fputs(on ? DIM : PLAIN, stdout);
    if (!on) fputs("\n\n", stdout);
}

/* The call being read, whose result will be asked for. Without memory for it there is none to be waited for. */
static void name_call(conversation *c, const char *name, size_t n) {
    if (c->n_calls == c->room) {
        char **larger = realloc(c->calls, (size_t)(2 * c->room + 8) * sizeof *larger);
        if (!larger) return;
        for (int32_t i = c->room; i < 2 * c->room + 8; i++) larger[i] = NULL;
        c->calls = larger;
        c->room = 2 * c->room + 8;
    }
    char *copy = realloc(c->calls[c->n_calls], n + 1);
    if (!copy) return;
    memcpy(copy, name, n);
    copy[n] = '\0';
    c->calls[c->n_calls] = copy;
}

static int32_t show(void *user, const lm_chat_delta *delta) {
    conversation *c = user;
    c->shown = true;
    set_reasoning(c, delta->kind == LM_CHAT_DELTA_REASONING);
    if (delta->kind == LM_CHAT_DELTA_CALL) {
        printf("\n[call %.*s ", (int)delta->text_size, delta->text);
        name_call(c, delta->text, delta->text_size);
    } else if (delta->kind == LM_CHAT_DELTA_CALL_END) {
        fputs("]\n", stdout);
        if (c->n_calls < c->room) c->n_calls++;
    } else if (delta->kind == LM_CHAT_DELTA_CALL_BROKEN)
        fputs(" (cut off)]\n", stdout);
    else
        fwrite(delta->text, 1, delta->text_size, stdout);
    fflush(stdout);
    return was_interrupted() || ferror(stdout);
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

static int failure_of_answer(const conversation *c, lm_status status) {
    const char *message = lm_chat_session_message(c->session);
    if (c->tools && strncmp(message, "tools: ", 7) == 0)
        return failure("chat", "%s: %s", c->options->tools_path, message + 7);
    return failure("chat", "%s%s", message, status == LM_ERR_FULL ? " (-c N makes it longer)" : "");
}

/* Answer the history and add the answer to it. */
static int answer(conversation *c) {
    lm_chat_request request = LM_CHAT_REQUEST_INIT;
    lm_chat_report report = LM_CHAT_REPORT_INIT;
    lm_chat_render_params now = LM_CHAT_RENDER_PARAMS_INIT;
    char *messages = history_json(&c->history, &request.messages_size);
    if (!messages) return failure("chat", "out of memory");
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
    c->shown = false;
    catch_interrupt(c->context);
    double start = seconds_now();
    lm_status status = lm_chat_session_run(c->session, &request, &report);
    double seconds = seconds_now() - start;
    catch_interrupt(NULL);
    free(messages);
    set_reasoning(c, false);
    if (status == LM_OK || c->shown) putchar('\n');
    fflush(stdout);
    if (status != LM_OK) return failure_of_answer(c, status);
    if (report.finish == LM_CHAT_FINISH_LENGTH) fputs("(cut off)\n", stderr);
    if (c->options->stats)
        fprintf(stderr, "prompt %d tokens, %d evaluated; %d generated in %.1f s\n", (int)report.n_prompt,
                (int)report.sync.n_evaluated, (int)report.n_generated, seconds);
    if (!history_add(&c->history, report.message, report.message_size)) return failure("chat", "out of memory");
    return EXIT_GOOD;
}

static void save(const conversation *c, const char *path) {
    while (*path == ' ') path++;
    if (!*path) {
        fputs("/save : a file name is missing\n", stderr);
        return;
    }
    FILE *file = create_output("chat", path, c->model_path);
    if (!file) return;
    if (history_write(&c->history, file))
        fprintf(stderr, "saved to %s\n", path);
    else
        failure("chat", "%s: %s", path, strerror(errno));
}

/* The conversation that save wrote, or another array of messages, in place of the one so far. */
static int load(conversation *c, const char *path) {
    lm_chat_render_params now = LM_CHAT_RENDER_PARAMS_INIT;
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_error error = {.message = "no JSON array of messages"};
    history loaded = {0};
    size_t n;
    int status = EXIT_GOOD;
    while (*path == ' ') path++;
    if (!*path) return fputs("/load : a file name is missing\n", stderr), EXIT_GOOD;
    char *text = read_document("chat", path, &n);
    if (!text) return EXIT_GOOD;
    bool good = history_replace(&loaded, text, n);
    char *inputs = good ? malloc(loaded.size + 32) : NULL;
    if (good && !inputs) status = failure("chat", "out of memory");
    if (inputs) { /* what the template makes of it shows with the next message; here it is JSON or not */
        int size = snprintf(inputs, loaded.size + 32, "{\"messages\":[%s]}", loaded.text);
        now.flags |= LM_CHAT_RENDER_ADAPT;
        good = lm_chat_render(lm_chat_session_chat(c->session), inputs, (size_t)size, &now, &prompt, &error) !=
               LM_ERR_FORMAT;
    }
    if (good && inputs) {
        history_free(&c->history);
        c->history = loaded;
        loaded = (history){0};
        c->n_calls = c->n_results = 0;
        fprintf(stderr, "loaded %s\n", path);
    } else if (!good) {
        failure_of_file("chat", path, &error);
    }
    history_free(&loaded);
    free(inputs);
    free(text);
    return status;
}

/* What a call returned; when it was the last one that was waited for, the model goes on. */
static int take_result(conversation *c, const char *text, size_t size) {
    size_t before = c->history.size;
    for (; size > 0 && *text == ' '; size--) text++;
    if (c->n_results == c->n_calls) {
        fputs("/result: no call waits for one\n", stderr);
        return EXIT_GOOD;
    }
    if (!history_add_text(&c->history, "tool", c->calls[c->n_results], text, size))
        return failure("chat", "out of memory");
    if (++c->n_results < c->n_calls) return EXIT_GOOD;
    int32_t n_calls = c->n_calls;
    int status = answer(c);
    if (status != EXIT_GOOD) { /* the result is as if never given */
        history_cut(&c->history, before);
        c->n_calls = n_calls;
        c->n_results = n_calls - 1;
    }
    return status;
}

/* At a terminal a message that fails may be followed by a better one; a script wants to know. */
static int talk(conversation *c) {
    char *line;
    size_t size;
    bool terminal = stdin_is_terminal();
    if (!take_stdin("chat")) return EXIT_FAILED;
    if (terminal) fputs("/help lists commands, Ctrl-C stops an answer, Ctrl-D ends\n", stderr);
    while (!ferror(stdout) && (line = read_line("> ", &size)) != NULL) {
        int status = EXIT_GOOD;
        if (strcmp(line, "/reset") == 0) {
            if (!restart(c)) status = failure("chat", "out of memory");
        } else if (strcmp(line, "/help") == 0) {
            fputs(commands, stderr);
        } else if (strncmp(line, "/load", 5) == 0 && (line[5] == ' ' || line[5] == '\0')) {
            status = load(c, line + 5);
        } else if (strncmp(line, "/save", 5) == 0 && (line[5] == ' ' || line[5] == '\0')) {
            save(c, line + 5);
        } else if (strncmp(line, "/result", 7) == 0 && (line[7] == ' ' || line[7] == '\0')) {
            status = take_result(c, line + 7, size - 7);
        } else if (strcmp(line, "/quit") == 0) {
            free(line);
            break;
        } else if (line[0] == '/') {
            print_visible(stderr, line, size);
            fputs(": no such command, /help lists them\n", stderr);
        } else if (line[0] != '\0') {
            size_t before = c->history.size;
            if (!history_add_text(&c->history, "user", NULL, line, size)) status = failure("chat", "out of memory");
            if (status == EXIT_GOOD) status = answer(c);
            if (status != EXIT_GOOD) history_cut(&c->history, before); /* the message is as if never said */
        }
        free(line);
        if (status != EXIT_GOOD && !terminal) return status;
    }
    return ferror(stdin) ? failure("chat", "standard input: %s", strerror(errno)) : EXIT_GOOD;
}

static void warn(void *user, int32_t level, const char *message) {
    (void)user;
    if (strncmp(message, "chat: ", 6) == 0) message += 6;
    if (level <= LM_LOG_LEVEL_WARNING) failure("chat", "%s", message);
}

/* Is the grammar of the answers one? Each answer compiles its own. */
static int check_grammar(const conversation *c, const chat_options *o) {
    lm_grammar *grammar = NULL;
    if (!o->gbnf_path && !o->schema_path) return EXIT_GOOD;
    int status = read_grammar("chat", c->model, o->gbnf_path, o->schema_path, &grammar);
    lm_grammar_destroy(grammar);
    return status;
}

/* Are the tools an array of tools? Better said before the first message than after it. */
static int check_tools(const conversation *c) {
    lm_chat_parser_params params = LM_CHAT_PARSER_PARAMS_INIT;
    lm_chat_parser *parser = NULL;
    lm_error error;
    params.tools = c->tools;
    params.tools_size = c->tools_size;
    if (!c->tools) return EXIT_GOOD;
    lm_status status =
        lm_chat_parser_create(lm_chat_session_chat(c->session), c->options->family, &params, &parser, &error);
    lm_chat_parser_destroy(parser);
    return status == LM_OK ? EXIT_GOOD : failure_of_file("chat", c->options->tools_path, &error);
}

static int open_all(conversation *c, const chat_options *o) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_chat_session_params session = LM_CHAT_SESSION_PARAMS_INIT;
    lm_error error;
    params.outputs = LM_OUTPUT_LOGITS;
    params.n_ctx = o->n_ctx;
    session.family = o->family;
    session.log.write = warn;
    if (o->tools_path && !(c->tools = read_document("chat", o->tools_path, &c->tools_size))) return EXIT_FAILED;
    if (o->schema_path && !(c->schema = read_document("chat", o->schema_path, &c->schema_size))) return EXIT_FAILED;
    if (o->gbnf_path && !(c->gbnf = read_document("chat", o->gbnf_path, &c->gbnf_size))) return EXIT_FAILED;
    int status = check_grammar(c, o);
    if (status != EXIT_GOOD) return status;
    if (lm_context_open(c->model, &params, &c->context, &error) != LM_OK) return failure_of("chat", &error);
    if (lm_chat_session_create(c->model, c->context, &session, &c->session, &error) != LM_OK)
        return o->family && error.status == LM_ERR_NOT_FOUND
                   ? usage_error("chat", "no output syntax is named \"%s\"", o->family)
                   : failure_of("chat", &error);
    status = check_tools(c);
    if (status != EXIT_GOOD) return status;
    return restart(c) ? EXIT_GOOD : failure("chat", "out of memory");
}

static int ask_once(conversation *c) {
    const chat_options *o = c->options;
    size_t n = o->prompt ? strlen(o->prompt) : 0;
    char *text = o->file ? read_input("chat", o->file, &n) : NULL;
    if (o->file && !text) return EXIT_FAILED;
    if (text && n > 0 && text[n - 1] == '\n') n -= n > 1 && text[n - 2] == '\r' ? 2 : 1;
    bool added = history_add_text(&c->history, "user", NULL, text ? text : o->prompt, n);
    free(text);
    return added ? answer(c) : failure("chat", "out of memory");
}

int lm_chat_command(int argc, char **argv) {
    static const command about = {"chat", MODEL_ARGUMENT, "Talk to a model; -p and -f ask once." BUILTIN_HELP,
                                  MODEL_NEEDED, 1};
    chat_options o = {.n_tokens = -1};
    sampler_options sampling;
    common_options common;
    const char *model_path;
    const option own[] = {
        {"-p", "--prompt", OPTION_TEXT, (void *)&o.prompt, "TEXT", "one message, one answer", NULL},
        {"-f", "--file", OPTION_TEXT, (void *)&o.file, "FILE",
         "the same from a file, its last line end left out (-: standard input)", NULL},
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
    sampler_options_init(&sampling, "chat", table + sizeof own / sizeof *own);
    common_options_init(&common);
    int status = options_parse(&about, table, common.table, argc, argv, &model_path);
    if (status >= 0) return status;
    if (o.think && strcmp(o.think, "on") != 0 && strcmp(o.think, "off") != 0)
        return usage_error("chat", "--think is on or off");
    if (o.prompt && o.file) return usage_error("chat", "-p and -f exclude each other");
    if (o.gbnf_path && o.schema_path) return usage_error("chat", "--gbnf and --json-schema exclude each other");
    if (o.n_tokens < -1) return usage_error("chat", "-n is %d", (int)o.n_tokens);
    c.model_path = model_path;
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
    c.colors = stdout_has_colors();
    if (status == EXIT_GOOD && (o.prompt || o.file))
        status = ask_once(&c);
    else if (status == EXIT_GOOD)
        status = talk(&c);
    sampler_options_free(&sampling);
    free(c.tools);
    free(c.schema);
    free(c.gbnf);
    history_free(&c.history);
    for (int32_t i = 0; i < c.room; i++) free(c.calls[i]);
    free(c.calls);
    lm_chat_session_destroy(c.session);
    lm_context_close(c.context);
    lm_model_close(c.model);
    return status;
}
