/* SPDX-License-Identifier: MIT
 * What templates need to know about characters: their case, and a few classes. */
#ifndef LM_TEMPLATE_UNICODE_H
#define LM_TEMPLATE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lm_case_run {
    uint32_t first, last;
    int32_t stride, delta;
} lm_case_run;

typedef struct lm_case_special {
    uint16_t code;
    char text[10];
} lm_case_special;

extern const lm_case_run lm_case_title[];
extern const size_t lm_case_title_n;
extern const lm_case_special lm_case_upper_special[], lm_case_lower_special[], lm_case_title_special[];
extern const size_t lm_case_upper_special_n, lm_case_lower_special_n, lm_case_title_special_n;
typedef enum lm_case { LM_CASE_UPPER, LM_CASE_LOWER, LM_CASE_TITLE } lm_case;

#define LM_CASE_BYTES_MAX 16
/* UTF-8 of code in another case; the bytes written. */
size_t lm_letter_case(uint32_t code, lm_case wanted, char out[LM_CASE_BYTES_MAX]);
/* Whether code has the other case form at all. */
bool lm_letter_is_upper(uint32_t code);
bool lm_letter_is_lower(uint32_t code);
bool lm_letter_is_printable(uint32_t code);
bool lm_letter_is_alpha(uint32_t code);
bool lm_letter_is_numeric(uint32_t code);
bool lm_letter_is_digit(uint32_t code);

#endif
