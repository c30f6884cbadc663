/* SPDX-License-Identifier: MIT
 * What differs between systems: is it a terminal, Ctrl-C, a clock. */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#endif
#include "program.h"

#include <signal.h>
#include <stdarg.h>
#include <time.h>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <io.h>
#include <windows.h>
#define is_terminal(file) (_isatty(_fileno(file)) != 0)
#else
#include <unistd.h>
#define is_terminal(file) (isatty(fileno(file)) != 0)
#endif

static bool progress_shown;

void show_progress(const char *format, ...) {
    if (!is_terminal(stderr)) return;
    va_list arguments;
    va_start(arguments, format);
    fputc('\r', stderr);
    vfprintf(stderr, format, arguments);
    fputs("\033[K", stderr);
    fflush(stderr);
    va_end(arguments);
    progress_shown = true;
}

void end_progress(void) {
    if (progress_shown) fputs("\r\033[K", stderr);
    progress_shown = false;
}

bool stdin_is_terminal(void) { return is_terminal(stdin); }
bool stdout_is_terminal(void) { return is_terminal(stdout); }

static volatile sig_atomic_t interrupted;
static lm_context *working; /* set before the handler is installed */

static void on_interrupt(int number) {
    interrupted = 1;
    lm_context_cancel(working); /* one atomic store: allowed here */
    signal(number, SIG_DFL);
}

void catch_interrupt(lm_context *context) {
    working = context;
    if (context) interrupted = 0;
#if defined(_WIN32)
    signal(SIGINT, context ? on_interrupt : SIG_DFL);
#else
    struct sigaction action = {0};
    action.sa_handler = context ? on_interrupt : SIG_DFL;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
#endif
}

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
