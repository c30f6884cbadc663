/* SPDX-License-Identifier: MIT
 * Searches in the generated tables. */
#include "unicode.h"

uint32_t lm_unicode_lower(uint32_t cp) {
    size_t low = 0, high = lm_unicode_case_count; /* ranges of four numbers: first, last, step, delta */
    while (low < high) {
        size_t middle = (low + high) / 2;
        const int32_t *range = lm_unicode_case + 4 * middle;
        if ((int32_t)cp < range[0]) {
            high = middle;
        } else if ((int32_t)cp > range[1]) {
            low = middle + 1;
        } else {
            return ((int32_t)cp - range[0]) % range[2] == 0 ? (uint32_t)((int32_t)cp + range[3]) : cp;
        }
    }
    return cp;
}

uint32_t lm_unicode_base(uint32_t cp) {
    if (cp < 0xC0) return cp;
    if (cp >= 0xAC00 && cp < 0xD7A4)
        return 0x1100 + (cp - 0xAC00) / 588; /* the leading consonant of a Hangul syllable */
    size_t low = 0, high = lm_unicode_small_count;
    while (cp < 0x10000 && low < high) {
        size_t middle = (low + high) / 2;
        if (lm_unicode_small_from[middle] == cp) return lm_unicode_small_to[middle];
        if (lm_unicode_small_from[middle] < cp)
            low = middle + 1;
        else
            high = middle;
    }
    low = 0, high = lm_unicode_large_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (lm_unicode_large_from[middle] == cp) return lm_unicode_large_to[middle];
        if (lm_unicode_large_from[middle] < cp)
            low = middle + 1;
        else
            high = middle;
    }
    return cp;
}
