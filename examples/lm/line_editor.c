/* SPDX-License-Identifier: MIT
 * Reading lines. Input that is no terminal is read as it is, without a prompt. */
#include "line_editor.h"

#include "program.h"

#include <stdlib.h>
#include <string.h>

#if defined(LM_HAVE_LIBEDIT)
#include <editline/readline.h>
#elif defined(LM_HAVE_READLINE)
#include <readline/history.h>
#include <readline/readline.h>
#endif

static char *read_plain(void) {
    size_t n = 0, capacity = 256;
    char *line = malloc(capacity);
    int c = EOF;
    while (line && (c = getchar()) != EOF && c != '\n') {
        if (n + 1 == capacity) {
            char *larger = realloc(line, capacity *= 2);
            if (!larger) free(line);
            line = larger;
        }
        if (line) line[n++] = (char)c;
    }
    if (!line || (c == EOF && n == 0)) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\r') n--; /* of files from Windows */
    line[n] = '\0';
    return line;
}

char *read_line(const char *prompt) {
    if (!stdin_is_terminal()) return read_plain();
#if defined(LM_HAVE_LIBEDIT)
    static bool ready;
    if (!ready) ready = rl_initialize() == 0;
    if (ready) rl_prep_terminal(1); /* it would do so after the prompt only: a Ctrl-D in between was lost */
#endif
#if defined(LM_HAVE_LIBEDIT) || defined(LM_HAVE_READLINE)
    char *line = readline(prompt);
    if (line && line[0]) add_history(line);
    return line;
#else
    fputs(prompt, stderr);
    return read_plain();
#endif
}
