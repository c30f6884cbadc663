/* SPDX-License-Identifier: MIT
 * What the subcommands of lm share. Exit statuses: 0 success, 1 negative answer, 2 usage, 3 failure with one line on stderr.
 * Only the public headers of the library are used, as in any other program. */
#ifndef LM_PROGRAM_H
#define LM_PROGRAM_H

#include <lm/lm.h>

#include "options.h"

#include <stdio.h>

enum { EXIT_GOOD = 0, EXIT_NEGATIVE = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

/* The subcommands: argv begins after the subcommand's name. */
int lm_gen(int argc, char **argv);
int lm_info(int argc, char **argv);
int lm_logits_command(int argc, char **argv);
int lm_embed_command(int argc, char **argv);
int lm_eval(int argc, char **argv);
int lm_tokenize_command(int argc, char **argv);
int lm_detokenize_command(int argc, char **argv);
int lm_chat_command(int argc, char **argv);
int lm_render_command(int argc, char **argv);
int lm_parse_command(int argc, char **argv);
int lm_grammar_command(int argc, char **argv);
int lm_bench(int argc, char **argv);
int lm_fit(int argc, char **argv);

/* ---- options that every command has ---- */

typedef struct common_options {
    int32_t n_threads; /* 0: one per performance core */
    const char *cpu;   /* NULL: the best */
    option table[3];
} common_options;

/* Fill the struct; table is what options_parse wants. */
void common_options_init(common_options *common);
/* Are they possible here? For commands that have no work for a runtime. */
int check_common_options(const char *command_name, const common_options *common);
/* A runtime as the options say; 0, or the exit status after a message. */
int open_runtime(const char *command_name, const common_options *common, lm_runtime **out);
/* Commands that take a MODEL use the built-in one where it is left out, if the program has it. */
#ifdef LM_HAVE_BOX
#define MODEL_ARGUMENT "[MODEL]"
#define MODEL_NEEDED 0
#define BUILTIN_HELP "\nWithout MODEL: the built-in model."
#else
#define MODEL_ARGUMENT "MODEL"
#define MODEL_NEEDED 1
#define BUILTIN_HELP ""
#endif

/* lm_model_open; a path that is NULL means the built-in model. */
lm_status open_path(const char *path, const lm_model_params *params, lm_model **out, lm_error *error);
/* How messages call it. */
const char *shown_path(const char *path);
/* A runtime and a model on it, which keeps it alive. open_vocabulary: for texts alone; weights may be absent. */
int open_vocabulary(const char *command_name, const common_options *common, const char *path, lm_model **out);
int open_model(const char *command_name, const common_options *common, const char *path, lm_model **out);
/* A model on a runtime that others share. */
int open_model_on(const char *command_name, lm_runtime *runtime, const char *path, lm_model **out);

/* Text of a file or a command line for a line of text, its control characters as escapes. */
void print_visible(FILE *out, const char *text, size_t size);
/* "lm gen: SENTENCE" on stderr, and 3; failure_of gives 2 where an option is to blame. */
int failure(const char *command_name, const char *format, ...);
int failure_of(const char *command_name, const lm_error *error);
/* The same of a file, named once. */
int failure_of_file(const char *command_name, const char *path, const lm_error *error);
int failure_of_context(const char *command_name, const lm_context *context);

/* ---- files and lists ---- */

/* Standard input, which one option alone can have; false after a message. */
bool take_stdin(const char *command_name);
/* The bytes of a file ("-": standard input) and a NUL, from malloc; NULL after a message. */
char *read_input(const char *command_name, const char *path, size_t *size);
/* The same of JSON, a grammar or a list of numbers: a byte order mark, as some editors write, is no part of it. */
char *read_document(const char *command_name, const char *path, size_t *size);
/* A file for results ("-": standard output), which the model must not be: it is mapped. NULL after a message. */
FILE *create_output(const char *command_name, const char *path, const char *model_path);

typedef struct token_list {
    lm_token *data;
    size_t count, capacity;
} token_list;

/* "1,2,3" or "@FILE" with numbers separated by commas or white space. 0, or the exit status after a message. */
int read_numbers(const char *command_name, const char *option_name, const char *text, token_list *out);
/* Are they all of the vocabulary? 0, or the exit status after a message. */
int check_tokens(const char *command_name, const token_list *tokens, int32_t n_vocab);
/* Tokens of a text, appended. 0, or the exit status after a message. */
int tokenize_text(const char *command_name, const lm_model *model, const char *text, size_t size, uint32_t flags,
                  token_list *out);
bool token_list_add(token_list *list, lm_token token);
void token_list_free(token_list *list);

/* How many rows of logits to ask for at once: at most n, and not more memory than a sensible amount. */
int32_t rows_at_once(const lm_model *model, int32_t n);
/* Numbers as little-endian 32-bit words; false when the file refuses. */
bool write_words(FILE *file, const void *words, size_t n);
bool read_words(FILE *file, void *words, size_t n);

/* An element type of the cache by name ("f16", "q8_0", ...); false when it is none. */
bool cache_type(const char *name, int32_t *type);

/* A JSON string, quotes included. */
void print_json_text(FILE *out, const char *text, size_t size);

/* ---- the terminal ---- */

/* Before anything else: a stream that was closed stays without a file (the next one that is opened would take its place), and bytes are
 * bytes. */
void prepare_streams(void);
/* What main was given, in UTF-8; never freed. */
char **utf8_arguments(int *argc, char **argv);
/* fopen of a path in UTF-8. */
FILE *open_file(const char *path, const char *mode);
bool is_same_file(const char *a, const char *b);

/* On a terminal, a line on stderr that overwrites the one before; elsewhere nothing. */
void show_progress(const char *format, ...);
void end_progress(void);
bool stdin_is_terminal(void);
bool stderr_is_terminal(void);
/* A terminal whose cursor can be moved. */
bool stderr_is_capable(void);
/* On a terminal that has them, unless NO_COLOR is set. */
bool stdout_has_colors(void);

/* From now on the first Ctrl-C cancels context's work and sets the flag, a second one ends the program; with NULL, the first one. A
 * context clears the flag. */
void catch_interrupt(lm_context *context);
/* From now on no Ctrl-C ends the program: it sets the flag, which this clears, and ends next_input_byte. */
void survive_interrupts(void);
/* A byte of standard input, past its buffer; -1 at its end, and once the flag is set or is_pending, which the handler of another signal
 * may change, says so: waiting ends however such a signal falls. is_pending may be NULL. */
int next_input_byte(int (*is_pending)(void));
bool was_interrupted(void);

/* Seconds of a clock that never goes back. */
double seconds_now(void);

#endif
