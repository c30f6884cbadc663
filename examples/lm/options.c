/* SPDX-License-Identifier: MIT
 * The one loop over a command line, and the help made from its table. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool read_int(const char *text, int64_t low, int64_t high, int64_t *out) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno || value < low || value > high) return false;
    *out = value;
    return true;
}

bool read_double(const char *text, double *out) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || value - value != 0) return false;
    *out = value;
    return true;
}

static void print_options(const option *o) {
    for (; o->name; o++) {
        char head[64];
        snprintf(head, sizeof head, "%s%s%s%s%s", o->name, o->alias ? ", " : "", o->alias ? o->alias : "",
                 o->argument ? " " : "", o->argument ? o->argument : "");
        printf("  %-28s%s%s\n", head, strlen(head) > 28 ? "\n                               " : " ", o->help);
    }
}

static void print_help(const command *about, const option *own, const option *common) {
    printf("usage: lm %s %s [options]\n%s\n\n", about->name, about->arguments, about->about);
    print_options(own);
    print_options(common);
    printf("  %-28s %s\n", "-h, --help", "this text");
}

static const option *find_option(const option *o, const char *name, size_t n) {
    for (; o->name; o++)
        if ((strlen(o->name) == n && memcmp(o->name, name, n) == 0) ||
            (o->alias && strlen(o->alias) == n && memcmp(o->alias, name, n) == 0))
            return o;
    return NULL;
}

/* NULL, or what the text should have been. */
static const char *take_value(const option *o, const char *text) {
    int64_t integer;
    double number;
    switch (o->kind) {
    case OPTION_FLAG: *(bool *)o->value = true; return NULL;
    case OPTION_INT:
        if (!read_int(text, INT32_MIN, INT32_MAX, &integer))
            return "is not a whole number from -2147483648 to 2147483647";
        *(int32_t *)o->value = (int32_t)integer;
        return NULL;
    case OPTION_UINT:
        if (!read_int(text, -1, UINT32_MAX, &integer)) return "is not a number from 0 to 4294967295";
        *(uint32_t *)o->value = (uint32_t)integer;
        return NULL;
    case OPTION_FLOAT:
        if (!read_double(text, &number)) return "is not a number";
        *(float *)o->value = (float)number;
        return NULL;
    case OPTION_DOUBLE: return read_double(text, o->value) ? NULL : "is not a number";
    case OPTION_TEXT: *(const char **)o->value = text; return NULL;
    case OPTION_CALL: return o->take(o->value, text);
    }
    return NULL;
}

int options_parse(const command *about, const option *own, const option *common, int argc, char **argv,
                  const char **arguments) {
    int32_t n_arguments = 0;
    bool only_arguments = false;
    for (int32_t i = 0; i < about->max_arguments; i++) arguments[i] = NULL;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            if (n_arguments == about->max_arguments)
                return usage_error(about->name, "unexpected argument \"%s\"", word);
            arguments[n_arguments++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_arguments = true;
            continue;
        }
        if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            print_help(about, own, common);
            return 0;
        }
        const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
        size_t n = equals ? (size_t)(equals - word) : strlen(word);
        const option *o = find_option(own, word, n);
        if (!o) o = find_option(common, word, n);
        if (!o) return usage_error(about->name, "unknown option \"%.*s\"", (int)n, word);
        const char *text = equals ? equals + 1 : NULL;
        if (o->kind == OPTION_FLAG && text) return usage_error(about->name, "%s takes no value", o->name);
        if (o->kind != OPTION_FLAG && !text) {
            if (i + 1 == argc) return usage_error(about->name, "%s needs a value", word);
            text = argv[++i];
        }
        const char *wrong = take_value(o, text);
        if (wrong) return usage_error(about->name, "%s: \"%s\" %s", o->name, text, wrong);
    }
    if (n_arguments < about->min_arguments) return usage_error(about->name, "%s is missing", about->arguments);
    return -1;
}
