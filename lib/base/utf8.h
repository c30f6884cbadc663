/* SPDX-License-Identifier: MIT
 * UTF-8 as the Unicode standard defines it (table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
 * Bytes that are not UTF-8 are replaced by the standard's recommended practice: one U+FFFD for each maximal subpart, that
 * is, for the longest start of a valid sequence, or for a single byte that starts none. */
#ifndef LM_BASE_UTF8_H
#define LM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LM_UTF8_REPLACEMENT ((uint32_t)0xFFFD)

/* Bytes of the code point at the start of text (1..4), written to *code_point; 0 when n is 0 or the bytes are not a
 * whole valid sequence. */
size_t lm_utf8_decode(const char *text, size_t n, uint32_t *code_point);
/* As lm_utf8_decode, but what is invalid or unfinished gives U+FFFD and the size of its maximal subpart. n > 0. */
size_t lm_utf8_decode_lossy(const char *text, size_t n, uint32_t *code_point);
/* Bytes written to out (1..4), 0 when code_point is a surrogate or above U+10FFFF. */
size_t lm_utf8_encode(uint32_t code_point, char out[4]);

/* Size of the longest valid start of text: n when all of it is valid. */
size_t lm_utf8_valid_prefix(const char *text, size_t n);
/* Size (0..3) of an unfinished sequence at the end of text, one that further bytes could make valid. Looks only at the
 * last three bytes: holding them back is what a streaming writer does with text that is otherwise of any quality. */
size_t lm_utf8_unfinished(const char *text, size_t n);
/* Number of code points, invalid parts counted as one for each replacement. */
size_t lm_utf8_count(const char *text, size_t n);

/* A validator that takes the text in pieces. Zero it to start. */
typedef struct lm_utf8_validator {
    uint8_t pending; /* bytes of an unfinished sequence at the end of what was fed (0..3) */
    uint8_t missing; /* bytes that sequence still needs */
    uint8_t low;     /* range of its next byte */
    uint8_t high;
} lm_utf8_validator;

/* Number of bytes taken: n, or the index of the first byte that cannot follow what came before (it is not taken, and the
 * validator stays as it was before that byte). The text is valid as a whole when all was taken and pending is 0. */
size_t lm_utf8_feed(lm_utf8_validator *validator, const char *text, size_t n);

#endif
