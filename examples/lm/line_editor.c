/* SPDX-License-Identifier: MIT
 * Reading lines. Input that is no terminal is read as it is, without a prompt. At a terminal the prompt and what is typed show on standard
 * error, as all that is no result. Ctrl-C takes the line back. What is pasted is one message, its line ends included, where terminal
 * and editor tell it from what is typed: readline does so itself, libedit with edit_keys.h. */
#include "line_editor.h"

#include "edit_keys.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>

#if defined(LM_HAVE_LIBEDIT)
#include <editline/readline.h>
#elif defined(LM_HAVE_READLINE)
#include <readline/history.h>
#include <readline/readline.h>
#endif

#if defined(LM_HAVE_LIBEDIT) || defined(LM_HAVE_READLINE)
#include <locale.h>
#endif

#if defined(LM_HAVE_READLINE)
/* It only notes signals while it waits. */
static int next_key(FILE *file) {
    (void)file;
    for (;;) {
        int c = next_input_byte(rl_pending_signal);
        if (c >= 0 || !rl_pending_signal()) return c;
        rl_check_signals();
        if (was_interrupted()) return -1;
    }
}
#endif

static int next_typed(void) { return next_input_byte(NULL); }

static char *read_plain(int (*next)(void), size_t *size) {
    size_t n = 0, capacity = 256;
    char *line = malloc(capacity);
    int c = -1;
    while (line && (c = next()) >= 0 && c != '\n') {
        if (n + 1 == capacity) {
            char *larger = realloc(line, capacity *= 2);
            if (!larger) free(line);
            line = larger;
        }
        if (line) line[n++] = (char)c;
    }
    if (!line || (c < 0 && n == 0)) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\r') n--; /* of files from Windows */
    line[n] = '\0';
    *size = n;
    return line;
}

static char *read_edited(const char *prompt, size_t *size) {
#if defined(LM_HAVE_LIBEDIT) || defined(LM_HAVE_READLINE)
    static bool ready;
    if (!ready) {
        /* Terminals speak UTF-8, whatever the locale; in that of C libedit drops what is not ASCII. */
        if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
            if (!setlocale(LC_CTYPE, "C.UTF-8")) setlocale(LC_CTYPE, "UTF-8");
        rl_outstream = stderr;
        ready = true;
#if defined(LM_HAVE_LIBEDIT)
        rl_getc_function = edit_keys_next;
        rl_catch_signals = 0;
        ready = rl_initialize() == 0;
#else
        rl_getc_function = next_key;
#endif
    }
#if defined(LM_HAVE_LIBEDIT)
    if (ready) edit_keys_begin();
#endif
    char *line = readline(prompt);
#if defined(LM_HAVE_LIBEDIT)
    if (ready) edit_keys_end();
#endif
    if (line && line[0] && !was_interrupted()) add_history(line);
    if (line) *size = strlen(line);
    return line;
#else
    fputs(prompt, stderr);
    return read_plain(next_typed, size);
#endif
}

char *read_line(const char *prompt, size_t *size) {
    if (!stdin_is_terminal()) return read_plain(getchar, size);
    for (;;) {
        survive_interrupts();
        char *line = stderr_is_terminal() ? read_edited(prompt, size) : read_plain(next_typed, size);
        if (!was_interrupted()) return line;
        free(line);
        fputc('\n', stderr);
    }
}
