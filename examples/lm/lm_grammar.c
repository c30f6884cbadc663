/* SPDX-License-Identifier: MIT
 * lm grammar check: does a grammar compile, and does it accept a text? */
#include "grammar_options.h"

#include <stdlib.h>
#include <string.h>

/* Code points that begin in the first n bytes of text. */
static size_t count_code_points(const char *text, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* The next character, or that there is none. A line feed at the end of a file is easily overlooked. */
static void print_rest(const char *text, size_t n) {
    size_t length = n > 0;
    while (length < n && ((unsigned char)text[length] & 0xC0) == 0x80) length++;
    if (n == 0) {
        puts("the text ends too early");
    } else if (n == 1 && text[0] == '\n') {
        puts("there is a line feed at the end");
    } else {
        fputs("comes ", stdout);
        print_json_text(stdout, text, length);
        putchar('\n');
    }
}

static int check(const lm_grammar *grammar, const char *path) {
    lm_grammar_matcher *matcher;
    lm_error error;
    size_t size, viable = 0;
    char *text = read_input("grammar", path, &size);
    if (!text) return EXIT_FAILED;
    if (lm_grammar_matcher_create((lm_grammar *)(uintptr_t)grammar, NULL, NULL, &matcher, &error) != LM_OK) {
        free(text);
        return failure_of("grammar", &error);
    }
    lm_status status = lm_grammar_matcher_accept_bytes(matcher, text, size, &viable);
    int result = EXIT_GOOD;
    if (status == LM_ERR_MISMATCH || (status == LM_OK && !lm_grammar_matcher_is_complete(matcher))) {
        /* A character of which only the first bytes fit is not viable. */
        while (viable < size && viable > 0 && ((unsigned char)text[viable] & 0xC0) == 0x80) viable--;
        printf("rejected: %zu leading code points are viable, then ", count_code_points(text, viable));
        print_rest(text + viable, size - viable);
        result = EXIT_NEGATIVE;
    } else if (status != LM_OK) {
        result = failure("grammar", "the text cannot be checked (%s)", lm_status_name(status));
    } else {
        puts("accepted");
    }
    lm_grammar_matcher_destroy(matcher);
    free(text);
    return result;
}

int lm_grammar_command(int argc, char **argv) {
    static const command about = {"grammar", "check", "Compile a grammar, and match a text against it.", 1, 1};
    const char *verb, *gbnf = NULL, *schema = NULL, *file = NULL;
    common_options common;
    lm_grammar *grammar;
    const option own[] = {
        {"--gbnf", NULL, OPTION_TEXT, (void *)&gbnf, "FILE", "a grammar in GBNF", NULL},
        {"--schema", NULL, OPTION_TEXT, (void *)&schema, "FILE", "a JSON Schema", NULL},
        {"-f", "--file", OPTION_TEXT, (void *)&file, "FILE", "the text to match (-: standard input)", NULL},
        {0},
    };
    common_options_init(&common);
    int status = options_parse(&about, own, common.table, argc, argv, &verb);
    if (status >= 0) return status;
    if (strcmp(verb, "check") != 0) return usage_error("grammar", "unknown verb \"%s\"", verb);
    if (!gbnf == !schema) return usage_error("grammar", "one of --gbnf and --schema is needed");
    status = check_common_options("grammar", &common);
    if (status == EXIT_GOOD) status = read_grammar("grammar", NULL, gbnf, schema, &grammar);
    if (status != EXIT_GOOD) return status;
    if (file) status = check(grammar, file);
    lm_grammar_destroy(grammar);
    return status;
}
