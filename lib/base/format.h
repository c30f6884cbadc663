/* SPDX-License-Identifier: MIT
 * Formatting of messages without the C library's printf family, whose output depends on the locale.
 * Directives: %s (NULL prints as "(null)"), %.*s (int length), %c, %d %i (int), %u, %x, %ld %lu, %lld %llu, %zu, %%, %q
 * (like %.*s with a size_t length first: quotes the bytes and escapes what is not printable ASCII; at most 64 bytes shown),
 * %g (double, six significant digits). No flags, widths or other precisions. Output is cut to fit and always ends with NUL. */
#ifndef LM_BASE_FORMAT_H
#define LM_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

#include <lm/base.h>

/* Number of bytes written, without the NUL. */
size_t lm_format(char *out, size_t out_size, const char *format, ...);
size_t lm_format_list(char *out, size_t out_size, const char *format, va_list arguments);
/* The same as one line of UTF-8 for people: control characters become blanks, what is malformed a question mark. */
void lm_format_message(char *out, size_t out_size, const char *format, va_list arguments);

/* Fill error (may be NULL) and return status. line 0 and offset UINT64_MAX mean none. */
lm_status lm_error_set(lm_error *error, lm_status status, const char *format, ...);
lm_status lm_error_set_at(lm_error *error, lm_status status, int32_t line, uint64_t offset, const char *format, ...);
/* Put what it is about in front of the sentence of a failure; LM_OK and name NULL change nothing. */
lm_status lm_error_name(lm_error *error, lm_status status, const char *name);
lm_status lm_error_memory(lm_error *error);

#endif
