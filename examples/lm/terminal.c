/* SPDX-License-Identifier: MIT
 * What differs between systems: streams and terminals, files, Ctrl-C, a clock. */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE /* winsize */
#endif
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <fcntl.h>
#include <io.h>
#include <windows.h>

#include <shellapi.h>
#define is_terminal(file) (_isatty(_fileno(file)) != 0)
#else
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>
#define is_terminal(file) (isatty(fileno(file)) != 0)
#endif

void prepare_streams(void) {
#if defined(_WIN32)
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    SetConsoleCP(CP_UTF8);
    SetConsoleOutputCP(CP_UTF8);
#else
    /* What is closed is filled with something that can be neither read nor written the way it would be. */
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) return;
#endif
}

#if defined(_WIN32)
char **utf8_arguments(int *argc, char **argv) {
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), argc);
    char **texts = wide ? calloc((size_t)*argc + 1, sizeof *texts) : NULL;
    for (int i = 0; texts && i < *argc; i++) {
        int n = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, NULL, 0, NULL, NULL);
        texts[i] = n > 0 ? malloc((size_t)n) : NULL;
        if (!texts[i]) return argv;
        WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, texts[i], n, NULL, NULL);
    }
    return texts ? texts : argv;
}

FILE *open_file(const char *path, const char *mode) {
    wchar_t wide[4096], wide_mode[8];
    if (!MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 4096) ||
        !MultiByteToWideChar(CP_UTF8, 0, mode, -1, wide_mode, 8)) {
        errno = ENOENT;
        return NULL;
    }
    return _wfopen(wide, wide_mode);
}
#else
char **utf8_arguments(int *argc, char **argv) {
    (void)argc;
    return argv;
}

FILE *open_file(const char *path, const char *mode) { return fopen(path, mode); }
#endif

bool is_same_file(const char *a, const char *b) {
#if !defined(_WIN32)
    struct stat x, y;
    if (stat(a, &x) == 0 && stat(b, &y) == 0) return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
#endif
    return strcmp(a, b) == 0;
}

/* Can the cursor be moved and the text be dimmed? */
static bool is_capable(FILE *file) {
    const char *name = getenv("TERM");
#if defined(_WIN32)
    if (!name) name = "console";
#endif
    return is_terminal(file) && name && name[0] && strcmp(name, "dumb") != 0;
}

static size_t terminal_width(void) {
#if !defined(_WIN32)
    struct winsize size;
    if (ioctl(fileno(stderr), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
#endif
    return 80;
}

static bool progress_shown;

void show_progress(const char *format, ...) {
    char text[256];
    if (!is_capable(stderr)) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\r%.*s\033[K", (int)terminal_width() - 1, text); /* one line, or it could not be overwritten */
    fflush(stderr);
    progress_shown = true;
}

void end_progress(void) {
    if (progress_shown) fputs("\r\033[K", stderr);
    progress_shown = false;
}

bool stdin_is_terminal(void) { return is_terminal(stdin); }
bool stderr_is_terminal(void) { return is_terminal(stderr); }
bool stderr_is_capable(void) { return is_capable(stderr); }
bool stdout_has_colors(void) {
    const char *unwanted = getenv("NO_COLOR");
    return !(unwanted && unwanted[0]) && is_capable(stdout);
}

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t survives; /* Ctrl-C never ends the program */
static lm_context *working;            /* set before the handler is installed */

static void on_interrupt(int number) {
    interrupted = 1;
    if (working) lm_context_cancel(working); /* one atomic store: allowed here */
    if (!survives) signal(number, SIG_DFL);
}

void catch_interrupt(lm_context *context) {
    working = context;
    if (context) interrupted = 0;
#if defined(_WIN32)
    signal(SIGINT, context ? on_interrupt : SIG_DFL);
#else
    struct sigaction action = {0};
    action.sa_handler = context || survives ? on_interrupt : SIG_DFL;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
#endif
}

void survive_interrupts(void) {
#if !defined(_WIN32) /* there the handler is taken away at each signal, and a read does not end */
    survives = 1;
    interrupted = 0;
    catch_interrupt(NULL);
#endif
}

#if defined(_WIN32)
int next_input_byte(int (*is_pending)(void)) {
    (void)is_pending;
    return getchar();
}
#else
int next_input_byte(int (*is_pending)(void)) {
    sigset_t all, usual;
    sigfillset(&all);
    for (;;) {
        unsigned char byte;
        fd_set files;
        FD_ZERO(&files);
        FD_SET(STDIN_FILENO, &files);
        /* A signal between a look at the flags and a read would be noticed with the next byte only: it comes inside of pselect. */
        sigprocmask(SIG_BLOCK, &all, &usual);
        bool noted = interrupted || (is_pending && is_pending());
        int ready = noted ? 0 : pselect(STDIN_FILENO + 1, &files, NULL, NULL, NULL, &usual), error = errno;
        sigprocmask(SIG_SETMASK, &usual, NULL);
        if (noted || (ready < 0 && error != EINTR)) return -1;
        ssize_t n = ready > 0 ? read(STDIN_FILENO, &byte, 1) : -1;
        if (n >= 0) return n ? byte : -1;
        if (ready > 0 && errno != EINTR && errno != EAGAIN) return -1;
    }
}
#endif

bool was_interrupted(void) { return interrupted != 0; }

double seconds_now(void) {
#if defined(_WIN32)
    LARGE_INTEGER now, rate;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&rate);
    return (double)now.QuadPart / (double)rate.QuadPart;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#endif
}
