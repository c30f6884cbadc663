/* SPDX-License-Identifier: MIT
 * Messages: one line each on standard error. What they quote comes from files and command lines, so control characters in it are shown
 * as escapes: a name cannot end the line or command the terminal. */
#include "program.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void print_visible(FILE *out, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            fputs("\\n", out);
        else if (c == '\t')
            fputs("\\t", out);
        else if (c == '\r')
            fputs("\\r", out);
        else if (c < 0x20 || c == 0x7F)
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
}

/* "lm gen: SENTENCE" and a line end. */
static void print_message(const char *command_name, const char *format, va_list arguments, bool hint) {
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    end_progress();
    fflush(stdout);
    fprintf(stderr, "lm %s: ", command_name);
    if (text) {
        vsnprintf(text, (size_t)size + 1, format, again);
        print_visible(stderr, text, (size_t)size);
    } else {
        fputs("out of memory", stderr);
    }
    if (hint) fprintf(stderr, " (lm %s --help tells more)", command_name);
    fputc('\n', stderr);
    free(text);
    va_end(again);
}

int usage_error(const char *command_name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_message(command_name, format, arguments, true);
    va_end(arguments);
    return EXIT_USAGE;
}

int failure(const char *command_name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_message(command_name, format, arguments, false);
    va_end(arguments);
    return EXIT_FAILED;
}

/* The library names members of its structs; people know the options that fill them. */
static const struct {
    const char *member, *option;
} spellings[] = {{"lm_runtime_params.cpu", "--cpu"},
                 {"lm_runtime_params.n_threads", "--threads"},
                 {"lm_context_params.n_ctx", "-c"},
                 {"lm_context_params.n_batch", "--batch"}};

int failure_of(const char *command_name, const lm_error *error) {
    for (size_t i = 0; error->status == LM_ERR_ARGUMENT && i < sizeof spellings / sizeof *spellings; i++) {
        size_t n = strlen(spellings[i].member);
        if (strncmp(error->message, spellings[i].member, n) == 0)
            return usage_error(command_name, "%s%s", spellings[i].option, error->message + n);
    }
    return failure(command_name, "%s (%s)", error->message, lm_status_name(error->status));
}

int failure_of_file(const char *command_name, const char *path, const lm_error *error) {
    char named[512];
    if (strncmp(error->message, "tools: ", 7) == 0) return failure(command_name, "%s: %s", path, error->message + 7);
    snprintf(named, sizeof named, "%s: ", path);
    if (strstr(error->message, named)) return failure(command_name, "%s", error->message);
    if (error->line > 0 && strncmp(error->message, "JSON line", 9) != 0)
        return failure(command_name, "%s:%d: %s", path, (int)error->line, error->message);
    return failure(command_name, "%s: %s", path, error->message);
}

int failure_of_context(const char *command_name, const lm_context *context) {
    return failure(command_name, "%s", lm_context_message(context));
}
