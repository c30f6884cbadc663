/* SPDX-License-Identifier: MIT
 * One JSON value, byte by byte: says for each byte whether the value goes on, is complete, or is no JSON. Raw control
 * characters inside of strings are let pass, because models write them; the caller escapes them. */
#ifndef LM_REPLY_JSON_SCAN_H
#define LM_REPLY_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#define LM_JSON_SCAN_DEPTH_MAX 256

typedef struct lm_json_scan {
    uint8_t state;
    uint8_t step; /* inside of a literal or an escape */
    uint16_t depth;
    bool is_key; /* the string being read names a member */
    uint8_t is_object[LM_JSON_SCAN_DEPTH_MAX / 8];
} lm_json_scan;

typedef enum lm_scan_result {
    LM_SCAN_GOES_ON,
    LM_SCAN_DONE,        /* with this byte */
    LM_SCAN_DONE_BEFORE, /* this byte is not part of the value, which is a number */
    LM_SCAN_BROKEN
} lm_scan_result;

/* Start: all zero. White space before the value is part of it. */
lm_scan_result lm_json_scan_byte(lm_json_scan *scan, char c);
bool lm_json_scan_in_string(const lm_json_scan *scan);
/* Whether the value would be complete if the text ended here (a number can be). */
bool lm_json_scan_may_end(const lm_json_scan *scan);

#endif
