/* SPDX-License-Identifier: MIT
 * What the tokenizers ask of Unicode: general category and white space of a code point as one bit mask, simple lower
 * case, first code point of the canonical decomposition. Texts are repaired once (lm_vocab_repair), after which lm_utf8_read
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
#define LM_UC_M (7u << 6)
#define LM_UC_N (7u << 9)
#define LM_UC_P (127u << 12)
#define LM_UC_S (15u << 19)
#define LM_UC_CC (1u << 26)
#define LM_UC_CF (1u << 27)
#define LM_UC_CS (1u << 28)
#define LM_UC_CO (1u << 29)
#define LM_UC_SPACE (1u << 31)

/* Generated; reached through the functions below. */
extern const uint32_t lm_unicode_ascii[128];
extern const uint8_t lm_unicode_top[1088];
extern const uint16_t lm_unicode_middle[1072];
extern const uint8_t lm_unicode_leaf[];
extern const size_t lm_unicode_case_count;
extern const int32_t lm_unicode_case[];
extern const size_t lm_unicode_small_count;
extern const uint16_t lm_unicode_small_from[], lm_unicode_small_to[];
extern const size_t lm_unicode_large_count;
extern const uint32_t lm_unicode_large_from[], lm_unicode_large_to[];

/* Category bit and white-space bit of a code point below 0x110000. */
static inline uint32_t lm_unicode_mask(uint32_t cp) {
    if (cp < 128) return lm_unicode_ascii[cp];
    uint32_t leaf = lm_unicode_middle[(size_t)lm_unicode_top[cp >> 10] * 16 + ((cp >> 6) & 15)];
    uint8_t value = lm_unicode_leaf[(size_t)leaf * 64 + (cp & 63)];
    return 1u << (value & 31) | (value & 32 ? LM_UC_SPACE : 0);
}

/* Simple one-to-one lower case; the code point itself when it has none. */
uint32_t lm_unicode_lower(uint32_t cp);

/* The first code point of the canonical decomposition; the code point itself when it does not decompose. */
uint32_t lm_unicode_base(uint32_t cp);

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
