/* SPDX-License-Identifier: MIT
 * lm render: messages to a prompt. lm parse: what a model wrote to a message. Both take the template from a model or from a
 * file of its own. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

#ifdef LM_HAVE_BOX
#define RENDER_ARGUMENTS "[MODEL|TEMPLATE] INPUT.json"
#else
#define RENDER_ARGUMENTS "MODEL|TEMPLATE INPUT.json"
#endif

static bool is_model(const char *path) {
    if (!path) return true;
    char magic[4] = {0};
    FILE *file = strcmp(path, "-") == 0 ? NULL : open_file(path, "rb");
    bool found = file && fread(magic, 1, 4, file) == 4 && memcmp(magic, "GGUF", 4) == 0;
    if (file) fclose(file);
    return found;
}

static int open_chat(const char *name, const common_options *common, const char *path, lm_chat **out) {
    lm_error error;
    if (is_model(path)) {
        lm_model *model;
        int status = open_vocabulary(name, common, path, &model);
        if (status != EXIT_GOOD) return status;
        if (lm_chat_from_model(model, NULL, out, &error) != LM_OK)
            status = failure_of_file(name, shown_path(path), &error);
        lm_model_close(model);
        return status;
    }
    size_t n;
    char *text = read_input(name, path, &n);
    if (!text) return EXIT_FAILED;
    /* An empty template renders to nothing; only a missing one means ChatML. */
    lm_status status = lm_chat_from_template(n ? text : "{# #}", n ? n : 5, NULL, out, &error);
    free(text);
    if (status == LM_OK) return EXIT_GOOD;
    return failure_of_file(name, path, &error);
}

/* YYYY-MM-DDTHH:MM:SS; the ranges are the library's to check. */
static bool read_time(const char *text, lm_chat_render_params *now) {
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    int32_t *const fields[] = {&now->year, &now->month, &now->day, &now->hour, &now->minute, &now->second};
    size_t field = 0;
    if (strlen(text) != sizeof form - 1) return false;
    for (size_t i = 0; i < 6; i++) *fields[i] = 0;
    for (size_t i = 0; form[i]; i++) {
        if (form[i] == 'd') {
            if (text[i] < '0' || text[i] > '9') return false;
            *fields[field] = *fields[field] * 10 + (text[i] - '0');
        } else if (text[i] == form[i]) {
            field++;
        } else {
            return false;
        }
    }
    return true;
}

int lm_render_command(int argc, char **argv) {
    static const command about = {"render", RENDER_ARGUMENTS,
                                  "Render a chat template; INPUT is an object of its variables." BUILTIN_HELP,
                                  1 + MODEL_NEEDED, 2};
    const char *arguments[2], *time_text = NULL;
    bool adapt = false;
    lm_chat_render_params now = LM_CHAT_RENDER_PARAMS_INIT;
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    common_options common;
    lm_chat *chat;
    lm_error error;
    size_t n;
    const option own[] = {
        {"--now", NULL, OPTION_TEXT, (void *)&time_text, "TIME", "what the template's clock says: 2026-01-02T03:04:05",
         NULL},
        {"--adapt", NULL, OPTION_FLAG, &adapt, NULL, "rewrite the messages to what the template takes", NULL},
        {0},
    };
    common_options_init(&common);
    int status = options_parse(&about, own, common.table, argc, argv, arguments);
    if (status >= 0) return status;
    if (adapt) now.flags |= LM_CHAT_RENDER_ADAPT;
    if (!arguments[1]) { /* INPUT alone */
        arguments[1] = arguments[0];
        arguments[0] = NULL;
    }
    if (time_text && !read_time(time_text, &now)) return usage_error("render", "--now is no time: \"%s\"", time_text);
    status = check_common_options("render", &common);
    if (status == EXIT_GOOD) status = open_chat("render", &common, arguments[0], &chat);
    if (status != EXIT_GOOD) return status;
    char *inputs = read_document("render", arguments[1], &n);
    if (!inputs) {
        lm_chat_destroy(chat);
        return EXIT_FAILED;
    }
    lm_status rendered = lm_chat_render(chat, inputs, n, &now, &prompt, &error);
    if (rendered == LM_OK) {
        fwrite(prompt.text, 1, prompt.text_size, stdout);
    } else if (rendered == LM_ERR_RAISED) {
        fprintf(stderr, "raised: %s\n", lm_chat_message(chat));
        status = EXIT_NEGATIVE;
    } else { /* lines are the template's where the inputs are JSON */
        bool of_template = error.line > 0 && strncmp(error.message, "JSON", 4) != 0;
        status = failure_of_file("render", of_template ? shown_path(arguments[0]) : arguments[1], &error);
    }
    free(inputs);
    lm_chat_destroy(chat);
    return status;
}

typedef struct parse_options {
    const char *format, *file, *generation_prompt, *tools_path;
    int32_t chunk;
    bool cut_off;
} parse_options;

static int parse(const parse_options *o, const lm_chat *chat, const char *tools, size_t tools_size) {
    lm_chat_parser_params params = LM_CHAT_PARSER_PARAMS_INIT;
    lm_chat_parser *parser;
    lm_error error;
    const char *json;
    size_t n, json_size;
    params.generation_prompt = o->generation_prompt;
    params.generation_prompt_size = o->generation_prompt ? strlen(o->generation_prompt) : 0;
    params.tools = tools;
    params.tools_size = tools_size;
    if (lm_chat_parser_create(chat, o->format, &params, &parser, &error) != LM_OK)
        return error.status == LM_ERR_NOT_FOUND ? usage_error("parse", "no output syntax is named \"%s\"", o->format)
               : o->tools_path                  ? failure_of_file("parse", o->tools_path, &error)
                                                : failure_of("parse", &error);
    int result = EXIT_FAILED;
    char *text = read_input("parse", o->file ? o->file : "-", &n);
    lm_status status = text ? LM_OK : LM_ERR_IO;
    size_t step = o->chunk > 0 ? (size_t)o->chunk : n + 1;
    for (size_t at = 0; text && status == LM_OK && at < n; at += step)
        status = lm_chat_parser_feed(parser, text + at, n - at < step ? n - at : step);
    if (status == LM_OK) status = lm_chat_parser_finish(parser, o->cut_off);
    if (status == LM_OK) status = lm_chat_parser_result(parser, &json, &json_size);
    if (status == LM_OK) {
        fwrite(json, 1, json_size, stdout);
        putchar('\n');
        result = EXIT_GOOD;
    } else if (text) {
        result = failure("parse", "the text cannot be parsed (%s)", lm_status_name(status));
    }
    free(text);
    lm_chat_parser_destroy(parser);
    return result;
}

int lm_parse_command(int argc, char **argv) {
    static const command about = {"parse", "[MODEL|TEMPLATE]",
                                  "Parse a model's output into content, reasoning and tool calls.", 0, 1};
    parse_options o = {0};
    common_options common;
    const char *path = NULL;
    lm_chat *chat = NULL;
    char *tools = NULL;
    size_t tools_size = 0;
    const option own[] = {
        {"--format", NULL, OPTION_TEXT, (void *)&o.format, "NAME",
         "qwen3 qwen3-xml gemma4 llama3 deepseek kimi-k2 harmony mistral ...: instead of a template", NULL},
        {"-f", "--file", OPTION_TEXT, (void *)&o.file, "FILE", "the text (standard input)", NULL},
        {"--generation-prompt", NULL, OPTION_TEXT, (void *)&o.generation_prompt, "TEXT", "the end of the prompt", NULL},
        {"--tools", NULL, OPTION_TEXT, (void *)&o.tools_path, "FILE", "JSON array of the tools declared", NULL},
        {"--chunk", NULL, OPTION_INT, &o.chunk, "N", "feed the parser N bytes at a time (0: all at once)", NULL},
        {"--cut-off", NULL, OPTION_FLAG, &o.cut_off, NULL, "the text ended at a length limit", NULL},
        {0},
    };
    common_options_init(&common);
    int status = options_parse(&about, own, common.table, argc, argv, &path);
    if (status >= 0) return status;
    if (!path == !o.format) return usage_error("parse", "one of MODEL, TEMPLATE and --format is needed");
    if (o.chunk < 0) return usage_error("parse", "--chunk is %d", (int)o.chunk);
    status = check_common_options("parse", &common);
    if (status == EXIT_GOOD && path) status = open_chat("parse", &common, path, &chat);
    if (status == EXIT_GOOD && o.tools_path && !(tools = read_document("parse", o.tools_path, &tools_size)))
        status = EXIT_FAILED;
    if (status == EXIT_GOOD) status = parse(&o, chat, tools, tools_size);
    free(tools);
    lm_chat_destroy(chat);
    return status;
}
