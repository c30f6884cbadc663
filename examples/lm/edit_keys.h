/* SPDX-License-Identifier: MIT
 * The keys that libedit edits a line with. It has no notion of pasted text, and its own handling of signals loses the terminal's mode when
 * the program is stopped and taken up again. */
#ifndef LM_PROGRAM_EDIT_KEYS_H
#define LM_PROGRAM_EDIT_KEYS_H

#include <stdio.h>

/* Before and after a line: signals are acted upon between keys, and the terminal marks what is pasted. */
void edit_keys_begin(void);
void edit_keys_end(void);

/* What rl_getc_function wants: the code of a character; -1 at the end of the input, and after Ctrl-C. */
int edit_keys_next(FILE *file);

#endif
