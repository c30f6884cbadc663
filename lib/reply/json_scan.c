/* SPDX-License-Identifier: MIT
 * The automaton of RFC 8259 with a stack of bits. */
#include "json_scan.h"

enum {
    VALUE,        /* a value is expected */
    VALUE_OR_END, /* just after [ */
    KEY_OR_END,   /* just after { */
    KEY,
    COLON,
    AFTER, /* after a value inside of a container */
    STRING,
    ESCAPE,
    HEX, /* step digits are missing */
    TRUE_WORD,
    FALSE_WORD,
    NULL_WORD,
    MINUS,
    ZERO,
    DIGITS,
    POINT,
    FRACTION,
    EXPONENT,
    EXPONENT_SIGN,
    EXPONENT_DIGITS,
    FINISHED
};

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool inside_object(const lm_json_scan *scan) {
    return scan->is_object[(scan->depth - 1) / 8] >> ((scan->depth - 1) % 8) & 1;
}

static lm_scan_result go(lm_json_scan *scan, uint8_t state) {
    scan->state = state;
    return LM_SCAN_GOES_ON;
}

static lm_scan_result finish_value(lm_json_scan *scan) {
    scan->state = scan->depth ? AFTER : FINISHED;
    return scan->depth ? LM_SCAN_GOES_ON : LM_SCAN_DONE;
}

static lm_scan_result open_container(lm_json_scan *scan, bool object) {
    if (scan->depth == LM_JSON_SCAN_DEPTH_MAX) return LM_SCAN_BROKEN;
    uint8_t bit = (uint8_t)(1u << (scan->depth % 8));
    uint8_t *byte = &scan->is_object[scan->depth / 8];
    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    scan->depth++;
    return go(scan, object ? KEY_OR_END : VALUE_OR_END);
}

static lm_scan_result close_container(lm_json_scan *scan) {
    scan->depth--;
    return finish_value(scan);
}

static lm_scan_result begin_value(lm_json_scan *scan, char c) {
    scan->step = 1;
    scan->is_key = false;
    switch (c) {
    case '{': return open_container(scan, true);
    case '[': return open_container(scan, false);
    case '"': return go(scan, STRING);
    case 't': return go(scan, TRUE_WORD);
    case 'f': return go(scan, FALSE_WORD);
    case 'n': return go(scan, NULL_WORD);
    case '-': return go(scan, MINUS);
    case '0': return go(scan, ZERO);
    default: return is_digit(c) ? go(scan, DIGITS) : is_space(c) ? LM_SCAN_GOES_ON : LM_SCAN_BROKEN;
    }
}

static lm_scan_result after_value(lm_json_scan *scan, char c) {
    if (is_space(c)) return LM_SCAN_GOES_ON;
    if (c == ',') return go(scan, inside_object(scan) ? KEY : VALUE);
    return c == (inside_object(scan) ? '}' : ']') ? close_container(scan) : LM_SCAN_BROKEN;
}

static lm_scan_result word(lm_json_scan *scan, const char *text, char c) {
    if (text[scan->step] != c) return LM_SCAN_BROKEN;
    return text[++scan->step] ? LM_SCAN_GOES_ON : finish_value(scan);
}

/* A byte that cannot continue a number ends it. */
static lm_scan_result after_number(lm_json_scan *scan, char c) {
    if (scan->depth == 0) {
        scan->state = FINISHED;
        return LM_SCAN_DONE_BEFORE;
    }
    scan->state = AFTER;
    return after_value(scan, c);
}

static lm_scan_result number(lm_json_scan *scan, char c) {
    switch (scan->state) {
    case MINUS: return c == '0' ? go(scan, ZERO) : is_digit(c) ? go(scan, DIGITS) : LM_SCAN_BROKEN;
    case DIGITS:
        if (is_digit(c)) return LM_SCAN_GOES_ON;
        /* fall through */
    case ZERO: return c == '.' ? go(scan, POINT) : (c | 32) == 'e' ? go(scan, EXPONENT) : after_number(scan, c);
    case POINT: return is_digit(c) ? go(scan, FRACTION) : LM_SCAN_BROKEN;
    case FRACTION: return is_digit(c) ? LM_SCAN_GOES_ON : (c | 32) == 'e' ? go(scan, EXPONENT) : after_number(scan, c);
    case EXPONENT:
        if (c == '+' || c == '-') return go(scan, EXPONENT_SIGN);
        /* fall through */
    case EXPONENT_SIGN: return is_digit(c) ? go(scan, EXPONENT_DIGITS) : LM_SCAN_BROKEN;
    default: return is_digit(c) ? LM_SCAN_GOES_ON : after_number(scan, c);
    }
}

static bool is_escape(char c) {
    return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
}

static lm_scan_result string(lm_json_scan *scan, char c) {
    if (scan->state == ESCAPE) {
        if (c == 'u') {
            scan->step = 4;
            return go(scan, HEX);
        }
        return is_escape(c) ? go(scan, STRING) : LM_SCAN_BROKEN;
    }
    if (scan->state == HEX) {
        if (!is_digit(c) && !((c | 32) >= 'a' && (c | 32) <= 'f')) return LM_SCAN_BROKEN;
        return --scan->step ? LM_SCAN_GOES_ON : go(scan, STRING);
    }
    if (c == '\\') return go(scan, ESCAPE);
    if (c != '"') return LM_SCAN_GOES_ON;
    return scan->is_key ? go(scan, COLON) : finish_value(scan);
}

lm_scan_result lm_json_scan_byte(lm_json_scan *scan, char c) {
    switch (scan->state) {
    case VALUE: return begin_value(scan, c);
    case VALUE_OR_END: return c == ']' ? close_container(scan) : begin_value(scan, c);
    case KEY_OR_END:
        if (c == '}') return close_container(scan);
        /* fall through */
    case KEY:
        if (is_space(c)) return LM_SCAN_GOES_ON;
        scan->is_key = true;
        return c == '"' ? go(scan, STRING) : LM_SCAN_BROKEN;
    case COLON: return is_space(c) ? LM_SCAN_GOES_ON : c == ':' ? go(scan, VALUE) : LM_SCAN_BROKEN;
    case AFTER: return after_value(scan, c);
    case STRING:
    case ESCAPE:
    case HEX: return string(scan, c);
    case TRUE_WORD: return word(scan, "true", c);
    case FALSE_WORD: return word(scan, "false", c);
    case NULL_WORD: return word(scan, "null", c);
    case FINISHED: return LM_SCAN_DONE_BEFORE;
    default: return number(scan, c);
    }
}

bool lm_json_scan_in_string(const lm_json_scan *scan) {
    return scan->state == STRING || scan->state == ESCAPE || scan->state == HEX;
}

bool lm_json_scan_may_end(const lm_json_scan *scan) {
    bool number_end =
        scan->state == ZERO || scan->state == DIGITS || scan->state == FRACTION || scan->state == EXPONENT_DIGITS;
    return scan->state == FINISHED || (scan->depth == 0 && number_end);
}
