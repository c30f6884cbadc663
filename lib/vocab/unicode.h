/* SPDX-License-Identifier: MIT
 * What tokenizers and templates ask of Unicode: general category and white space of a code point as one bit mask, simple
 * case, numbers, canonical decomposition without nonspacing marks. Texts are repaired once (lm_vocab_repair), after which lm_utf8_read
 * needs no checks; base/utf8.h is for text that may be malformed. No normalisation, no locale. */
#ifndef LM_VOCAB_UNICODE_H
#define LM_VOCAB_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bit of each general category in a mask; white space is a bit of its own because it crosses categories. */
#define LM_UC_CN (1u << 0)
#define LM_UC_LU (1u << 1)
#define LM_UC_LL (1u << 2)
#define LM_UC_LT (1u << 3)
#define LM_UC_LM (1u << 4)
#define LM_UC_LO (1u << 5)
#define LM_UC_L (LM_UC_LU | LM_UC_LL | LM_UC_LT | LM_UC_LM | LM_UC_LO)
#define LM_UC_MN (1u << 6)
#define LM_UC_M (7u << 6)
#define LM_UC_ND (1u << 9)
#define LM_UC_N (7u << 9)
#define LM_UC_P (127u << 12)
#define LM_UC_S (15u << 19)
#define LM_UC_Z (7u << 23)
#define LM_UC_CC (1u << 26)
#define LM_UC_CF (1u << 27)
#define LM_UC_CS (1u << 28)
#define LM_UC_CO (1u << 29)
#define LM_UC_C (LM_UC_CN | LM_UC_CC | LM_UC_CF | LM_UC_CS | LM_UC_CO)
#define LM_UC_SPACE (1u << 31)

/* Generated; reached through the functions below. Classes are a byte, the category and 32 for white space: below 0x700 one per
 * code point; above, pages of 256 in runs of (first low byte, class), page p having those from starts[p] to starts[p + 1];
 * blocks and pages find the page. Case: ranges of first | count << 21 | (step - 1) << 31 and what to add. First code points of
 * decompositions: runs of neighbours, the low 16 bits of each, and a bit where they are not in the first plane. What follows them and
 * is no nonspacing mark: pairs in order. */
#define LM_UNICODE_DIRECT 0x700
extern const uint32_t lm_unicode_ascii[128];
extern const uint8_t lm_unicode_direct[LM_UNICODE_DIRECT];
extern const uint8_t lm_unicode_blocks[272], lm_unicode_pages[], lm_unicode_runs[];
extern const uint16_t lm_unicode_starts[];
extern const size_t lm_unicode_lower_count, lm_unicode_upper_count;
extern const uint32_t lm_unicode_lower_from[], lm_unicode_upper_from[];
extern const int32_t lm_unicode_lower_delta[], lm_unicode_upper_delta[];
extern const size_t lm_unicode_base_count;
extern const uint32_t lm_unicode_base_from[];
extern const uint16_t lm_unicode_base_at[], lm_unicode_base_to[];
extern const uint8_t lm_unicode_base_plane[];
extern const size_t lm_unicode_parts_count;
extern const uint32_t lm_unicode_parts_from[], lm_unicode_parts_to[];
extern const size_t lm_unicode_numeric_count, lm_unicode_digit_count;
extern const uint32_t lm_unicode_numeric_more[], lm_unicode_digit_more[];

/* Class of a code point from LM_UNICODE_DIRECT to 0x10FFFF. */
uint8_t lm_unicode_class(uint32_t cp);

/* The last code point of a run from cp on whose code points are all of its class; not always the longest such run. */
uint32_t lm_unicode_run_end(uint32_t cp);

/* Category bit and white-space bit of a code point below 0x110000. */
static inline uint32_t lm_unicode_mask(uint32_t cp) {
    if (cp < 128) return lm_unicode_ascii[cp];
    uint8_t value = cp < LM_UNICODE_DIRECT ? lm_unicode_direct[cp] : lm_unicode_class(cp);
    return 1u << (value & 31) | (value & 32 ? LM_UC_SPACE : 0);
}

/* Whether a character has a numeric value, or is a digit (Numeric_Type Digit or Decimal), beyond what its category says. */
bool lm_unicode_is_numeric(uint32_t cp);
bool lm_unicode_is_digit(uint32_t cp);

/* Simple one-to-one lower and upper case; the code point itself when it has none. */
uint32_t lm_unicode_lower(uint32_t cp);
uint32_t lm_unicode_upper(uint32_t cp);

/* The first code point of the canonical decomposition; the code point itself when it does not decompose. */
uint32_t lm_unicode_base(uint32_t cp);

/* The canonical decomposition without the nonspacing marks behind its first code point: how many, at most LM_UNICODE_PARTS. Hangul syllables
 * have two or three, vowels of two parts two. */
#define LM_UNICODE_PARTS 3
size_t lm_unicode_parts(uint32_t cp, uint32_t out[LM_UNICODE_PARTS]);

/* Length by lead byte alone: 1 for 00-BF, 2 for C0-DF, 3 for E0-EF, 4 for F0-FF. */
static inline size_t lm_utf8_lead_length(uint8_t lead) {
    return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* The code point at p of well-formed text; *n is its length. */
static inline uint32_t lm_utf8_read(const uint8_t *p, size_t *n) {
    if (p[0] < 0x80) return *n = 1, p[0];
    if (p[0] < 0xE0) return *n = 2, (uint32_t)(p[0] & 31) << 6 | (p[1] & 63);
    if (p[0] < 0xF0) return *n = 3, (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
    return *n = 4, (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63);
}

#endif
