/* SPDX-License-Identifier: MIT
 * Look-ups in the character tables: ASCII by hand, the rest by binary search. */
#include "template_unicode.h"

#include <string.h>

#include "../base/utf8.h"

static bool in_ranges(const uint32_t (*ranges)[2], size_t n, uint32_t code) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle][1] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ranges[low][0] <= code;
}

static uint32_t convert(const lm_case_run *runs, size_t n, uint32_t code) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (runs[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n || runs[low].first > code || (code - runs[low].first) % (uint32_t)runs[low].stride) return code;
    return (uint32_t)((int64_t)code + runs[low].delta);
}

static const char *convert_special(const lm_case_special *special, size_t n, uint32_t code) {
    for (size_t i = 0; i < n && special[i].code <= code; i++)
        if (special[i].code == code) return special[i].text;
    return NULL;
}

size_t lm_letter_case(uint32_t code, lm_case wanted, char out[LM_CASE_BYTES_MAX]) {
    if (code < 128) {
        bool is_upper = code >= 'A' && code <= 'Z', is_lower = code >= 'a' && code <= 'z';
        out[0] = (char)(wanted == LM_CASE_LOWER ? code + (is_upper ? 32 : 0) : code - (is_lower ? 32 : 0));
        return 1;
    }
    const char *special = NULL;
    uint32_t converted = code;
    if (wanted == LM_CASE_LOWER) {
        special = convert_special(lm_case_lower_special, lm_case_lower_special_n, code);
        converted = convert(lm_case_lower, lm_case_lower_n, code);
    } else {
        if (wanted == LM_CASE_TITLE) {
            special = convert_special(lm_case_title_special, lm_case_title_special_n, code);
            converted = convert(lm_case_title, lm_case_title_n, code);
        }
        if (!special && converted == code) {
            special = convert_special(lm_case_upper_special, lm_case_upper_special_n, code);
            converted = convert(lm_case_upper, lm_case_upper_n, code);
        }
    }
    if (special) {
        size_t n = strlen(special);
        memcpy(out, special, n);
        return n;
    }
    return lm_utf8_encode(converted, out);
}

bool lm_letter_is_upper(uint32_t code) {
    if (code < 128) return code >= 'A' && code <= 'Z';
    return convert(lm_case_lower, lm_case_lower_n, code) != code ||
           convert_special(lm_case_lower_special, lm_case_lower_special_n, code);
}

bool lm_letter_is_lower(uint32_t code) {
    if (code < 128) return code >= 'a' && code <= 'z';
    return convert(lm_case_upper, lm_case_upper_n, code) != code ||
           convert_special(lm_case_upper_special, lm_case_upper_special_n, code);
}

bool lm_letter_is_printable(uint32_t code) {
    return code < 128 ? code >= 32 && code < 127 : !in_ranges(lm_class_unprintable, lm_class_unprintable_n, code);
}

bool lm_letter_is_alpha(uint32_t code) {
    if (code < 128) return (code | 32) >= 'a' && (code | 32) <= 'z';
    return in_ranges(lm_class_alpha, lm_class_alpha_n, code);
}

bool lm_letter_is_numeric(uint32_t code) {
    return code < 128 ? code >= '0' && code <= '9' : in_ranges(lm_class_numeric, lm_class_numeric_n, code);
}

bool lm_letter_is_digit(uint32_t code) {
    return code < 128 ? code >= '0' && code <= '9' : in_ranges(lm_class_digit, lm_class_digit_n, code);
}
