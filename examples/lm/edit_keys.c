/* SPDX-License-Identifier: MIT
 * Keys for libedit. A paste comes between two marks, where the terminal knows them: in it, line ends and other control characters are
 * handed on behind a Ctrl-V, as text. A signal is only noted; between two keys the terminal gets its mode back, the signal takes its
 * course, and if that was a stop the line is drawn anew afterwards. */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE /* SIGWINCH */
#endif
#include "edit_keys.h"

#include "program.h"

#if defined(LM_HAVE_LIBEDIT)
#include <editline/readline.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#define QUOTE 0x16 /* Ctrl-V: the next key is text */

/* ---- signals ---- */

static const int noted_numbers[] = {SIGTSTP, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
enum { N_NOTED = sizeof noted_numbers / sizeof *noted_numbers };

static struct sigaction before[N_NOTED];
static volatile sig_atomic_t noted;

static void note(int number) { noted = number; }

static struct termios plain_mode, editing_mode; /* libedit's own idea of the first is wrong after the first line */

static void mark_pastes(bool on) {
    if (stderr_is_capable()) fputs(on ? "\033[?2004h" : "\033[?2004l", stderr);
    fflush(stderr);
}

static void note_signals(bool on) {
    struct sigaction action = {0};
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < N_NOTED; i++)
        if (!on)
            sigaction(noted_numbers[i], &before[i], NULL);
        else if (sigaction(noted_numbers[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
            sigaction(noted_numbers[i], &action, NULL);
}

void edit_keys_begin(void) {
    noted = 0;
    tcgetattr(STDIN_FILENO, &plain_mode);
    note_signals(true);
    rl_prep_terminal(1); /* it would do so after the prompt only: a Ctrl-D in between was lost */
    mark_pastes(true);
}

void edit_keys_end(void) {
    int number = noted;
    mark_pastes(false);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &plain_mode);
    note_signals(false);
    noted = 0;
    if (number) raise(number); /* it takes its course without us */
}

/* The terminal has another size; or the program ends, or is stopped and goes on some time. */
static void act_on_signal(void) {
    if (noted == SIGWINCH) {
        noted = 0;
        rl_resize_terminal();
        return;
    }
    tcgetattr(STDIN_FILENO, &editing_mode);
    edit_keys_end();
    note_signals(true);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &editing_mode);
    mark_pastes(true);
    rl_resize_terminal();
    rl_forced_update_display();
}

/* ---- bytes, characters, pastes ---- */

static int is_noted(void) { return noted != 0; }

static int next_byte(void) {
    for (;;) {
        int c = next_input_byte(is_noted);
        if (c >= 0 || !noted || was_interrupted()) return c;
        act_on_signal();
    }
}

static const char paste_begin[] = "\033[200~", paste_end[] = "\033[201~";

/* Keys that were read ahead: a mark that turned out to be none. */
static int ahead[sizeof paste_begin];
static size_t n_ahead, n_taken;
static bool pasting, after_return;

/* One character: libedit wants its code. A byte that is no UTF-8 stands for itself. */
static int next_character(void) {
    int c = next_byte(), n = c >= 0xF0 && c < 0xF8 ? 3 : c >= 0xE0 && c < 0xF0 ? 2 : c >= 0xC2 && c < 0xE0 ? 1 : 0;
    if (n == 0) return c;
    int code = c & (0x3F >> n);
    while (n-- > 0) {
        int byte = next_byte();
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
            if ((ahead[n_ahead] = next_character()) >= 0) continue;
            pasting = false;
            n_ahead = 0;
            return -1;
        } while (ahead[n_ahead] == mark[n_ahead] && mark[++n_ahead]);
        if (mark[n_ahead]) break;
        pasting = !pasting;
    }
    n_ahead++;
    return ahead[n_taken++];
}

int edit_keys_next(FILE *file) {
    (void)file;
    static int quoted = -1;
    int c = quoted;
    quoted = -1;
    if (c >= 0) return c;
    c = next_unmarked();
    if (!pasting) return c;
    bool second = after_return && c == '\n';
    after_return = c == '\r';
    if (second) return edit_keys_next(file);
    if (c < 0 || (c >= 0x20 && c != 0x7F)) return c;
    quoted = c == '\r' ? '\n' : c;
    return QUOTE;
}
#endif
