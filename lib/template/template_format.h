/* SPDX-License-Identifier: MIT
 * Text made from patterns: printf-style %, str.format, and the escaping of HTML. */
#ifndef LM_TEMPLATE_FORMAT_H
#define LM_TEMPLATE_FORMAT_H

#include "template_value.h"

/* How one value is to be written; both pattern languages lead to this. */
typedef struct lm_format_spec {
    char fill[4]; /* UTF-8 of one character */
    uint8_t fill_size;
    char align;     /* < > ^ =, or 0 for the type's own */
    char sign;      /* + or space, or 0 */
    bool alternate; /* # */
    bool grouped;   /* , */
    char type;      /* 0: by value */
    int64_t width;
    int64_t precision; /* -1: none */
} lm_format_spec;

#define LM_FORMAT_SPEC_INIT                                                                                            \
    { .fill = {' '}, .fill_size = 1, .precision = -1 }

bool lm_format_value(lm_interp *interp, const lm_variant *value, const lm_format_spec *spec, lm_text_builder *out);

/* pattern % value; a tuple is a list of arguments, a dict serves %(name)s. */
bool lm_text_percent(lm_interp *interp, const lm_text *pattern, const lm_variant *value, lm_variant *out);
/* pattern.format(...) */
bool lm_text_brace(lm_interp *interp, const lm_text *pattern, const lm_arguments *arguments, lm_variant *out);
/* & < > ' " as character references; the result is marked as escaped. */
bool lm_text_escape(lm_interp *interp, const lm_variant *value, lm_variant *out);

#endif
