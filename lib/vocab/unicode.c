/* SPDX-License-Identifier: MIT
 * Searches in the generated tables. */
#include "unicode.h"

#define FIRST(range) ((range)&0x1FFFFF)

/* The last of n places whose value (less its upper bits) is at most cp; n when there is none. */
static size_t last_from(const uint32_t *from, size_t n, uint32_t cp) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (FIRST(from[middle]) <= cp)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : n;
}

/* The run of cp, which is not below LM_UNICODE_DIRECT; *end: behind the last of its page. */
static size_t run_of(uint32_t cp, size_t *end) {
    uint32_t page = lm_unicode_pages[lm_unicode_blocks[cp >> 12] * 16 + (cp >> 8 & 15)];
    size_t low = lm_unicode_starts[page], high = *end = lm_unicode_starts[page + 1];
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (lm_unicode_runs[2 * middle] <= (cp & 255))
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint8_t lm_unicode_class(uint32_t cp) {
    size_t end;
    return lm_unicode_runs[2 * run_of(cp, &end) + 1];
}

uint32_t lm_unicode_run_end(uint32_t cp) {
    size_t end;
    if (cp < LM_UNICODE_DIRECT) return cp;
    size_t next = run_of(cp, &end) + 1;
    return (cp & ~255u) + (next < end ? lm_unicode_runs[2 * next] - 1u : 255);
}

static uint32_t convert(const uint32_t *from, const int32_t *delta, size_t n, uint32_t cp) {
    size_t i = last_from(from, n, cp);
    if (cp < 128 || i == n) return cp;
    uint32_t step = (from[i] >> 31) + 1, past = cp - FIRST(from[i]);
    return past % step == 0 && past / step < (from[i] >> 21 & 1023) ? (uint32_t)((int32_t)cp + delta[i]) : cp;
}
uint32_t lm_unicode_lower(uint32_t cp) {
    if (cp < 128) return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    return convert(lm_unicode_lower_from, lm_unicode_lower_delta, lm_unicode_lower_count, cp);
}
uint32_t lm_unicode_upper(uint32_t cp) {
    if (cp < 128) return cp >= 'a' && cp <= 'z' ? cp - 32 : cp;
    return convert(lm_unicode_upper_from, lm_unicode_upper_delta, lm_unicode_upper_count, cp);
}

static bool is_listed(const uint32_t *list, size_t n, uint32_t cp) {
    size_t i = last_from(list, n, cp);
    return i < n && list[i] == cp;
}
bool lm_unicode_is_numeric(uint32_t cp) {
    return lm_unicode_mask(cp) & LM_UC_N || is_listed(lm_unicode_numeric_more, lm_unicode_numeric_count, cp);
}
bool lm_unicode_is_digit(uint32_t cp) {
    return lm_unicode_mask(cp) & LM_UC_ND || is_listed(lm_unicode_digit_more, lm_unicode_digit_count, cp);
}

uint32_t lm_unicode_base(uint32_t cp) {
    if (cp < 0xC0) return cp;
    if (cp >= 0xAC00 && cp < 0xD7A4)
        return 0x1100 + (cp - 0xAC00) / 588; /* the leading consonant of a Hangul syllable */
    size_t i = last_from(lm_unicode_base_from, lm_unicode_base_count, cp);
    if (i == lm_unicode_base_count) return cp;
    size_t at = lm_unicode_base_at[i] + (size_t)(cp - lm_unicode_base_from[i]);
    if (at >= lm_unicode_base_at[i + 1]) return cp;
    uint32_t plane = !(lm_unicode_base_plane[at / 8] >> at % 8 & 1) ? 0 : cp >> 16 ? cp >> 16 : 2;
    return plane << 16 | lm_unicode_base_to[at];
}

size_t lm_unicode_parts(uint32_t cp, uint32_t out[LM_UNICODE_PARTS]) {
    size_t n = 1;
    out[0] = lm_unicode_base(cp);
    if (out[0] == cp) return n;
    if (cp >= 0xAC00 && cp < 0xD7A4) { /* Unicode 3.12: a vowel, and maybe a trailing consonant */
        out[n++] = 0x1161 + (cp - 0xAC00) / 28 % 21;
        if ((cp - 0xAC00) % 28) out[n++] = 0x11A7 + (cp - 0xAC00) % 28;
        return n;
    }
    size_t i = last_from(lm_unicode_parts_from, lm_unicode_parts_count, cp);
    if (i == lm_unicode_parts_count) return n;
    while (i > 0 && lm_unicode_parts_from[i - 1] == cp) i--;
    for (; i < lm_unicode_parts_count && lm_unicode_parts_from[i] == cp; i++) out[n++] = lm_unicode_parts_to[i];
    return n;
}
