/* SPDX-License-Identifier: MIT
 * A conversation as the JSON of its messages, one after another with commas between them: what a turn of a session is given between
 * brackets. The functions return false when memory ran out, and the history is then as it was. */
#ifndef LM_PROGRAM_HISTORY_H
#define LM_PROGRAM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct history {
    char *text; /* [size] and a NUL; NULL before the first message */
    size_t size, capacity;
} history;

/* One message, or several with commas between them, as JSON. */
bool history_add(history *h, const char *json, size_t n);
/* A message of these texts; name may be NULL. */
bool history_add_text(history *h, const char *role, const char *name, const char *text, size_t n);
/* Forget what was added since the history had this size. */
void history_cut(history *h, size_t size);
void history_free(history *h);

/* "[{...},{...}]" from malloc and its length, or NULL. */
char *history_json(const history *h, size_t *size);
/* The same, to a file; false with errno set. */
bool history_write(const history *h, FILE *file);
/* The text of such a file in place of the messages so far: white space around it, and its brackets, are left out. false as well
 * where there are no brackets. */
bool history_replace(history *h, const char *json, size_t n);

#endif
