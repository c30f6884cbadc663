/* SPDX-License-Identifier: MIT
 * Numbers as text, both ways, exactly and whatever the locale: reading rounds correctly (half to even) for any number of
 * digits, printing gives the shortest digits that read back as the same double. */
#ifndef LM_BASE_NUMBER_H
#define LM_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest text the printers below write; no NUL is added. */
#define LM_NUMBER_TEXT_MAX 32

/* Bytes of the JSON number (RFC 8259, section 6) at the start of text, 0 when there is none. *is_integer (may be NULL)
 * becomes true when it has neither fraction nor exponent. */
size_t lm_number_scan_json(const char *text, size_t n, bool *is_integer);

/* The readers take the whole text or refuse it (false, *out untouched). They read an optional sign, digits with at most
 * one point among or around them, and an optional exponent: a superset of JSON that also has "+1", "007", ".5" and "5.". */

/* The nearest double; beyond the largest, infinity of the right sign. */
bool lm_number_to_double(const char *text, size_t n, double *out);
/* The value if it is an integer in range, however it is written: "1.0" and "1e2" are integers, "1.5" is not. */
bool lm_number_to_int64(const char *text, size_t n, int64_t *out);
bool lm_number_to_uint64(const char *text, size_t n, uint64_t *out);

/* The printers give the number of bytes written. */
size_t lm_number_from_int64(int64_t value, char out[LM_NUMBER_TEXT_MAX]);
/* In the notation of Python's repr: a point always ("1.0"), or an exponent of two or more digits outside [1e-4, 1e16)
 * ("1e-05", "1.5e+300"). Not finite: "nan", "inf", "-inf". */
size_t lm_number_from_double(double value, char out[LM_NUMBER_TEXT_MAX]);

#endif
