/* SPDX-License-Identifier: MIT
 * Command lines from a table: each row names an option, its kind, where its value goes and one line of help. Usage text is made from
 * the same table, so the two cannot differ. */
#ifndef LM_PROGRAM_OPTIONS_H
#define LM_PROGRAM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum option_kind {
    OPTION_FLAG,   /* bool: becomes true */
    OPTION_INT,    /* int32_t */
    OPTION_UINT,   /* uint32_t */
    OPTION_FLOAT,  /* float */
    OPTION_DOUBLE, /* double */
    OPTION_TEXT,   /* const char *, borrowed from the command line */
    OPTION_CALL    /* take(value, text) returns a sentence, or NULL when the text is good; may occur several times */
} option_kind;

typedef struct option {
    const char *name;  /* with its dashes, "--temp"; NULL ends the table */
    const char *alias; /* another spelling, or NULL */
    option_kind kind;
    void *value;
    const char *argument; /* what stands for the value in the help, "N" */
    const char *help;
    const char *(*take)(void *value, const char *text);
} option;

typedef struct command {
    const char *name;      /* "gen" */
    const char *arguments; /* "MODEL" */
    const char *about;     /* one line */
    int32_t min_arguments, max_arguments;
} command;

/* Parse argv[0..argc), options and arguments in any order, "--" ends the options. arguments receives [max_arguments] texts, NULL where
 * absent. Returns -1 to go on, or the exit status of the program: 0 after help, 2 after a message about what is wrong. */
int options_parse(const command *about, const option *own, const option *common, int argc, char **argv,
                  const char **arguments);

/* "lm gen: ..." on stderr, and 2 (messages.c). */
int usage_error(const char *command_name, const char *format, ...);

/* Whole text as a number; false otherwise. */
bool read_int(const char *text, int64_t low, int64_t high, int64_t *out);
bool read_double(const char *text, double *out);

#endif
