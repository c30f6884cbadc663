/* SPDX-License-Identifier: MIT
 * A growing byte string for building output. Failure is sticky: after one append could not be made the string keeps
 * what it had, ignores further appends and remembers the status, so that callers check once, at the end. */
#ifndef LM_BASE_STR_H
#define LM_BASE_STR_H

#include "env.h"

typedef struct lm_str {
    const lm_env *env; /* borrowed */
    char *data;        /* [size] bytes and, once anything was appended, a NUL; may be NULL before that */
    size_t size;       /* bytes in the string */
    size_t capacity;   /* bytes allocated at data */
    size_t limit;      /* size never exceeds it */
    lm_status status;  /* LM_OK, LM_ERR_MEMORY, or LM_ERR_LIMIT */
} lm_str;

/* limit_bytes SIZE_MAX: none. Takes no memory yet. */
void lm_str_init(lm_str *str, const lm_env *env, size_t limit_bytes);
void lm_str_free(lm_str *str);
/* Empty again and LM_OK; the capacity stays. */
void lm_str_clear(lm_str *str);

/* Each gives the sticky status. bytes must not point into the string itself. */
lm_status lm_str_append(lm_str *str, const void *bytes, size_t n);
lm_status lm_str_append_text(lm_str *str, const char *text);
lm_status lm_str_append_char(lm_str *str, char c);
lm_status lm_str_append_fill(lm_str *str, char c, size_t n);

/* Make room so that n more bytes can be appended without an allocation. */
lm_status lm_str_reserve(lm_str *str, size_t n);

/* The bytes with a NUL after them; "" for a string nothing was appended to. Valid until the next change. */
const char *lm_str_text(const lm_str *str);

#endif
