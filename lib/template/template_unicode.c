/* SPDX-License-Identifier: MIT
 * Python's idea of characters over the Unicode tables of the vocabulary. Codes are those of well-formed UTF-8. */
#include "template_unicode.h"

#include <string.h>

#include "../base/utf8.h"
#include "../vocab/unicode.h"

static uint32_t title_of(uint32_t code) {
    for (size_t i = 0; i < lm_case_title_n && lm_case_title[i].first <= code; i++) {
        const lm_case_run *run = &lm_case_title[i];
        if (code <= run->last && (code - run->first) % (uint32_t)run->stride == 0)
            return (uint32_t)((int64_t)code + run->delta);
    }
    return code;
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
        converted = lm_unicode_lower(code);
    } else {
        if (wanted == LM_CASE_TITLE) {
            special = convert_special(lm_case_title_special, lm_case_title_special_n, code);
            converted = title_of(code);
        }
        if (!special && converted == code) {
            special = convert_special(lm_case_upper_special, lm_case_upper_special_n, code);
            converted = lm_unicode_upper(code);
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
    return lm_unicode_lower(code) != code || convert_special(lm_case_lower_special, lm_case_lower_special_n, code);
}

bool lm_letter_is_lower(uint32_t code) {
    if (code < 128) return code >= 'a' && code <= 'z';
    return lm_unicode_upper(code) != code || convert_special(lm_case_upper_special, lm_case_upper_special_n, code);
}

bool lm_letter_is_printable(uint32_t code) { return code == ' ' || !(lm_unicode_mask(code) & (LM_UC_C | LM_UC_Z)); }

bool lm_letter_is_alpha(uint32_t code) { return lm_unicode_mask(code) & LM_UC_L; }

bool lm_letter_is_numeric(uint32_t code) { return lm_unicode_is_numeric(code); }

bool lm_letter_is_digit(uint32_t code) { return lm_unicode_is_digit(code); }
