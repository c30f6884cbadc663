/* SPDX-License-Identifier: MIT
 * Operations on strings that filters and methods share. All keep origins; NULL means the interpreter has failed. */
#ifndef LM_TEMPLATE_STRINGS_H
#define LM_TEMPLATE_STRINGS_H

#include "template_unicode.h"
#include "template_value.h"

/* Strip white space, or the characters of chars when it is not NULL. */
const lm_text *lm_string_strip(lm_interp *interp, const lm_text *text, const lm_text *chars, bool left, bool right);
/* Every occurrence of from, at most limit of them when limit >= 0. */
const lm_text *lm_string_replace(lm_interp *interp, const lm_text *text, const lm_text *from, const lm_text *to,
                                 int64_t limit);
const lm_text *lm_string_case(lm_interp *interp, const lm_text *text, lm_case wanted);
/* First character in title case, the others in lower case. */
const lm_text *lm_string_capitalize(lm_interp *interp, const lm_text *text);
/* str.title: a letter after a non-letter starts a word. */
const lm_text *lm_string_title(lm_interp *interp, const lm_text *text);
const lm_text *lm_string_join(lm_interp *interp, const lm_text *separator, const lm_sequence *parts);
const lm_text *lm_string_pad(lm_interp *interp, const lm_text *text, size_t before, size_t after, const char *fill,
                             size_t fill_size);
lm_sequence *lm_string_split(lm_interp *interp, const lm_text *text, const lm_text *separator, int64_t limit,
                             bool from_right);
lm_sequence *lm_string_lines(lm_interp *interp, const lm_text *text, bool keep_ends);

#endif
