/* SPDX-License-Identifier: MIT
 * Numbers as templates write and read them: Python's spelling of literals, int() and float() of text, and float to text
 * with a fixed number of digits. */
#ifndef LM_TEMPLATE_NUMBER_H
#define LM_TEMPLATE_NUMBER_H

#include "template_syntax.h"

/* base 2..36, or 0: decided by the prefix 0x, 0o, 0b. White space around, one sign, and underscores between digits are
 * allowed. false: malformed, or beyond 64 bits. */
bool lm_template_read_integer(lm_slice text, uint32_t base, int64_t *out);
/* As Python's float(): white space around, underscores, inf and nan. */
bool lm_template_read_float(lm_slice text, double *out);

/* The longest text of a finite double with LM_FIXED_DIGITS_MAX digits after the point. */
#define LM_FIXED_DIGITS_MAX 60
#define LM_FIXED_TEXT_MAX 400
/* |value| with exactly digits digits after the point (no point for 0), correctly rounded; bytes written. */
size_t lm_template_fixed(double value, uint32_t digits, char out[LM_FIXED_TEXT_MAX]);
/* |value| as d.ddde+XX with digits digits after the point. */
size_t lm_template_scientific(double value, uint32_t digits, char letter, char out[LM_FIXED_TEXT_MAX]);

#endif
