/* SPDX-License-Identifier: MIT
 * Reading lines. Input that is no terminal is read as it is, without a prompt. At a terminal the prompt and what is typed show on standard
 * error, as all that is no result. Ctrl-C takes the line back. What is pasted is one message, its line ends included, where terminal
 * and editor tell it from what is typed: readline does so itself, for libedit the marks around it are read here. */
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

#if defined(LM_HAVE_LIBEDIT) || defined(LM_HAVE_READLINE)
#include <locale.h>
#endif

#if defined(LM_HAVE_LIBEDIT)
#define QUOTE 0x16 /* Ctrl-V: the next key is text */

static const char paste_begin[] = "\033[200~", paste_end[] = "\033[201~";

/* Keys that were read ahead: a mark that turned out to be none. */
static int ahead[sizeof paste_begin];
static size_t n_ahead, n_taken;
static bool pasting, after_return;

/* One character: libedit wants its code. A byte that is no UTF-8 stands for itself. */
static int next_character(void) {
    int c = next_input_byte(), n = c >= 0xF0 && c < 0xF8   ? 3
                                   : c >= 0xE0 && c < 0xF0 ? 2
                                   : c >= 0xC2 && c < 0xE0 ? 1
                                                           : 0;
    if (n == 0) return c;
    int code = c & (0x3F >> n);
    while (n-- > 0) {
        int byte = next_input_byte();
        if (byte < 0) return -1;
        code = code << 6 | (byte & 0x3F);
    }
    return code;
}

/* The next key; the marks around a paste are taken out. */
static int next_unmarked(void) {
    if (n_taken < n_ahead) return ahead[n_taken++];
    for (;;) {
        const char *mark = pasting ? paste_end : paste_begin;
        n_ahead = n_taken = 0;
        do {
            if ((ahead[n_ahead] = next_character()) < 0) return -1;
        } while (ahead[n_ahead] == mark[n_ahead] && mark[++n_ahead]);
        if (mark[n_ahead]) break;
        pasting = !pasting;
    }
    n_ahead++;
    return ahead[n_taken++];
}

static int next_key(FILE *file) {
    (void)file;
    static int quoted = -1;
    int c = quoted;
    quoted = -1;
    if (c >= 0) return c;
    c = next_unmarked();
    if (!pasting) return c;
    bool second = after_return && c == '\n';
    after_return = c == '\r';
    if (second) return next_key(file);
    if (c < 0 || (c >= 0x20 && c != 0x7F)) return c;
    quoted = c == '\r' ? '\n' : c;
    return QUOTE;
}
#elif defined(LM_HAVE_READLINE)
static int next_key(FILE *file) {
    (void)file;
    return next_input_byte();
}
#endif

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
        rl_getc_function = next_key;
        rl_outstream = stderr;
        rl_catch_signals = 0; /* the program does */
        ready = true;
#if defined(LM_HAVE_LIBEDIT)
        ready = rl_initialize() == 0;
#endif
    }
#if defined(LM_HAVE_LIBEDIT)
    if (ready) rl_prep_terminal(1); /* it would do so after the prompt only: a Ctrl-D in between was lost */
    if (stderr_is_capable()) fputs("\033[?2004h", stderr);
#endif
    char *line = readline(prompt);
#if defined(LM_HAVE_LIBEDIT)
    if (stderr_is_capable()) fputs("\033[?2004l", stderr);
#endif
    if (line && line[0] && !was_interrupted()) add_history(line);
    if (line) *size = strlen(line);
    return line;
#else
    fputs(prompt, stderr);
    return read_plain(next_input_byte, size);
#endif
}

char *read_line(const char *prompt, size_t *size) {
    if (!stdin_is_terminal()) return read_plain(getchar, size);
    for (;;) {
        note_interrupt(true);
        char *line = stderr_is_terminal() ? read_edited(prompt, size) : read_plain(next_input_byte, size);
        note_interrupt(false);
        if (!was_interrupted()) return line;
        free(line);
        fputc('\n', stderr);
    }
}
