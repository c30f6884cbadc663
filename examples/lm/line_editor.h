/* SPDX-License-Identifier: MIT
 * Lines from the user: edited and remembered by libedit or readline where the build found one, plain otherwise. */
#ifndef LM_PROGRAM_LINE_EDITOR_H
#define LM_PROGRAM_LINE_EDITOR_H

#include <stddef.h>

/* A line without its end and its size, from malloc; NULL at the end of the input. */
char *read_line(const char *prompt, size_t *size);

#endif
