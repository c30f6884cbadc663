/* SPDX-License-Identifier: MIT
 * A converter with a stack of bits, like the JSON scanner. Bare words that are neither numbers nor constants become strings. */
#include "reply_literal.h"

#include <string.h>

#include "../base/number.h"
#include "../base/utf8.h"

enum { BEGIN, KEY, KEY_WORD, KEY_STRING, COLON, VALUE, WORD, STRING, AFTER, ENDED };

#define WORD_MAX 4096
static const char mark[] = "<|\"|>";

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

void lm_reply_literal_begin(lm_reply *reply) {
    lm_literal *literal = &reply->literal;
    literal->state = BEGIN;
    literal->depth = 0;
    literal->escape = 0;
    lm_str_clear(&literal->word);
}

static bool in_object(const lm_literal *literal) {
    return literal->is_object[(literal->depth - 1) / 8] >> ((literal->depth - 1) % 8) & 1;
}

static bool push(lm_reply *reply, bool object) {
    lm_literal *literal = &reply->literal;
    if (literal->depth == LM_JSON_SCAN_DEPTH_MAX) return false;
    uint8_t bit = (uint8_t)(1u << (literal->depth % 8)), *byte = &literal->is_object[literal->depth / 8];
    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    literal->depth++;
    literal->first = true;
    literal->state = object ? KEY : VALUE;
    lm_reply_call_word(reply, object ? "{" : "[");
    return true;
}

static void pop(lm_reply *reply) {
    lm_literal *literal = &reply->literal;
    lm_reply_call_word(reply, in_object(literal) ? "}" : "]");
    literal->depth--;
    literal->first = false;
    literal->state = literal->depth ? AFTER : ENDED;
}

/* Whether c closes the innermost container. */
static bool closes(const lm_literal *literal, lm_literal_dialect dialect, char c) {
    if (in_object(literal)) return dialect == LM_LITERAL_PYTHON && literal->depth == 1 ? c == ')' : c == '}';
    return c == ']' || (dialect == LM_LITERAL_PYTHON && c == ')');
}

static void separate(lm_reply *reply) {
    if (!reply->literal.first) lm_reply_call_word(reply, ", ");
    reply->literal.first = false;
}

static void put_word(lm_reply *reply) {
    static const char *const constants[][2] = {{"true", "true"}, {"false", "false"}, {"null", "null"},
                                               {"True", "true"}, {"False", "false"}, {"None", "null"}};
    lm_str *word = &reply->literal.word;
    while (word->size && is_space(word->data[word->size - 1])) word->data[--word->size] = '\0';
    const char *text = lm_str_text(word), *json = NULL;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (strcmp(constants[i][0], text) == 0) json = constants[i][1];
    if (json) {
        lm_reply_call_word(reply, json);
    } else if (word->size && lm_number_scan_json(text, word->size, NULL) == word->size) {
        lm_reply_call_arguments(reply, text, word->size);
    } else {
        lm_reply_call_word(reply, "\"");
        lm_reply_call_escaped(reply, text, word->size);
        lm_reply_call_word(reply, "\"");
    }
    lm_str_clear(word);
    reply->literal.state = AFTER;
}

static void put_key(lm_reply *reply) {
    lm_str *word = &reply->literal.word;
    while (word->size && is_space(word->data[word->size - 1])) word->data[--word->size] = '\0';
    separate(reply);
    lm_reply_call_word(reply, "\"");
    lm_reply_call_escaped(reply, lm_str_text(word), word->size);
    lm_reply_call_word(reply, "\": ");
    lm_str_clear(word);
}

static bool add_to_word(lm_reply *reply, const char *bytes, size_t n) {
    if (reply->literal.word.size + n > WORD_MAX) return false;
    if (reply->status == LM_OK) reply->status = lm_str_append(&reply->literal.word, bytes, n);
    return true;
}

/* An escape of Python at rest (the backslash): bytes used, 0 when more is needed. */
static size_t escape(lm_reply *reply, const char *rest, size_t left) {
    static const char letters[] = "nrt\\'\"abfv0", values[] = "\n\r\t\\'\"\a\b\f\v\0";
    if (left < 2) return reply->at_end ? left : 0;
    char c = rest[1];
    const char *known = c ? strchr(letters, c) : NULL;
    if (known) {
        lm_reply_call_escaped(reply, &values[known - letters], 1);
        return 2;
    }
    size_t n = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (n && left < 2 + n && !reply->at_end) return 0;
    uint32_t code = 0;
    bool good = n && left >= 2 + n;
    for (size_t i = 0; i < n && good; i++) {
        char d = rest[2 + i], lower = (char)(d | 32);
        good = (d >= '0' && d <= '9') || (lower >= 'a' && lower <= 'f');
        code = code * 16 + (uint32_t)(d <= '9' ? d - '0' : lower - 'a' + 10);
    }
    char encoded[4];
    size_t size = good ? lm_utf8_encode(code, encoded) : 0;
    if (size)
        lm_reply_call_escaped(reply, encoded, size);
    else
        lm_reply_call_escaped(reply, rest, 2);
    return size ? 2 + n : 2;
}

/* Inside of a string: text as far as it is certain. false: more is needed. */
static bool step_string(lm_reply *reply) {
    lm_literal *literal = &reply->literal;
    const char *rest = lm_reply_rest(reply);
    size_t left = lm_reply_left(reply), n = 0;
    lm_match end = LM_MATCH_NO;
    for (; n < left; n++) {
        if (literal->quote == '<')
            end = rest[n] == '<' ? lm_reply_match(reply, n, mark) : LM_MATCH_NO;
        else
            end = rest[n] == (char)literal->quote || rest[n] == '\\' ? LM_MATCH_YES : LM_MATCH_NO;
        if (end != LM_MATCH_NO) break;
    }
    lm_reply_call_escaped(reply, rest, n);
    reply->pos += n;
    if (end != LM_MATCH_YES) return false;
    rest += n;
    left -= n;
    if (literal->quote != '<' && *rest == '\\') {
        size_t used = escape(reply, rest, left);
        reply->pos += used;
        return used > 0;
    }
    reply->pos += literal->quote == '<' ? sizeof mark - 1 : 1;
    lm_reply_call_word(reply, "\"");
    if (literal->state == KEY_STRING) lm_reply_call_word(reply, ": ");
    literal->state = literal->state == KEY_STRING ? COLON : AFTER;
    return true;
}

/* A string begins here? */
static lm_match begins_string(lm_reply *reply, lm_literal_dialect dialect, char c) {
    if (c == '"' || (c == '\'' && dialect == LM_LITERAL_PYTHON)) {
        reply->literal.quote = (uint8_t)c;
        reply->pos++;
        return LM_MATCH_YES;
    }
    lm_match match = c == '<' ? lm_reply_match(reply, 0, mark) : LM_MATCH_NO;
    if (match == LM_MATCH_YES) {
        reply->literal.quote = '<';
        reply->pos += sizeof mark - 1;
    }
    return match;
}

/* DONE: pos is behind the last bracket. BROKEN: pos is at what does not fit. */
static lm_call_result convert(lm_reply *reply, lm_literal_dialect dialect) {
    lm_literal *literal = &reply->literal;
    if (literal->state == BEGIN && dialect == LM_LITERAL_PYTHON) push(reply, true);
    while (reply->status == LM_OK && literal->state != ENDED) {
        if (lm_reply_left(reply) == 0) return LM_CALL_MORE;
        char c = *lm_reply_rest(reply);
        bool assigns = dialect == LM_LITERAL_PYTHON && literal->depth == 1;
        if (literal->state == STRING || literal->state == KEY_STRING) {
            if (!step_string(reply)) return LM_CALL_MORE;
            continue;
        }
        bool ends_word = c == ',' || c == '}' || c == ']' || (dialect == LM_LITERAL_PYTHON && c == ')');
        if (literal->state == WORD) {
            if (ends_word)
                put_word(reply);
            else if (add_to_word(reply, &c, 1))
                reply->pos++;
            else
                return LM_CALL_BROKEN;
            continue;
        }
        if (literal->state == KEY_WORD) {
            if (c == (assigns ? '=' : ':')) {
                put_key(reply);
                literal->state = VALUE;
            } else if (ends_word || c == '{' || c == '[' || !add_to_word(reply, &c, 1)) {
                return LM_CALL_BROKEN;
            }
            reply->pos++;
            continue;
        }
        if (is_space(c)) {
            reply->pos++;
            continue;
        }
        if (literal->state == BEGIN) {
            if (c != '{' || !push(reply, true)) return LM_CALL_BROKEN;
            reply->pos++;
        } else if (literal->state == COLON) {
            if (c != ':') return LM_CALL_BROKEN;
            reply->pos++;
            literal->state = VALUE;
        } else if (literal->state == AFTER) {
            if (closes(literal, dialect, c))
                pop(reply);
            else if (c == ',')
                literal->state = in_object(literal) ? KEY : VALUE;
            else
                return LM_CALL_BROKEN;
            reply->pos++;
        } else if (closes(literal, dialect, c) && (literal->state == KEY || !in_object(literal))) {
            pop(reply); /* an empty container, or a comma too many */
            reply->pos++;
        } else {
            bool key = literal->state == KEY;
            lm_match match = begins_string(reply, dialect, c);
            if (match == LM_MATCH_MORE) return LM_CALL_MORE;
            if (!in_object(literal) || (key && match == LM_MATCH_YES)) separate(reply);
            if (match == LM_MATCH_YES) {
                lm_reply_call_word(reply, "\"");
                literal->state = key ? KEY_STRING : STRING;
            } else if (key) {
                literal->state = KEY_WORD;
            } else if (c == '{' || c == '[' || (c == '(' && dialect == LM_LITERAL_PYTHON)) {
                if (!push(reply, c == '{')) return LM_CALL_BROKEN;
                reply->pos++;
            } else if (ends_word) {
                return LM_CALL_BROKEN;
            } else {
                literal->state = WORD;
            }
        }
    }
    return reply->status == LM_OK ? LM_CALL_DONE : LM_CALL_MORE;
}

bool lm_reply_step_literal(lm_reply *reply, lm_literal_dialect dialect) {
    lm_call_result result = convert(reply, dialect);
    if (result == LM_CALL_BROKEN) return lm_reply_go(reply, LM_STATE_BROKEN, 0);
    if (result != LM_CALL_DONE) return false;
    lm_reply_call_end(reply, true);
    return lm_reply_go(reply, LM_STATE_AFTER, 0);
}
