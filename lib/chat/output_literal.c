/* SPDX-License-Identifier: MIT
 * A converter with a stack of bits, like the JSON scanner. Bare words that are neither numbers nor constants become strings. */
#include "output_literal.h"

#include <string.h>

#include "../base/number.h"
#include "../base/utf8.h"

enum { BEGIN, KEY, KEY_WORD, KEY_STRING, COLON, VALUE, WORD, STRING, AFTER, ENDED };

#define WORD_MAX 4096
static const char mark[] = "<|\"|>";

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

void lm_output_literal_begin(lm_chat_output *output) {
    lm_literal *literal = &output->literal;
    literal->state = BEGIN;
    literal->depth = 0;
    literal->escape = 0;
    lm_str_clear(&literal->word);
}

static bool in_object(const lm_literal *literal) {
    return literal->is_object[(literal->depth - 1) / 8] >> ((literal->depth - 1) % 8) & 1;
}

static bool push(lm_chat_output *output, bool object) {
    lm_literal *literal = &output->literal;
    if (literal->depth == LM_JSON_SCAN_DEPTH_MAX) return false;
    uint8_t bit = (uint8_t)(1u << (literal->depth % 8)), *byte = &literal->is_object[literal->depth / 8];
    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    literal->depth++;
    literal->first = true;
    literal->state = object ? KEY : VALUE;
    lm_output_call_word(output, object ? "{" : "[");
    return true;
}

static void pop(lm_chat_output *output) {
    lm_literal *literal = &output->literal;
    lm_output_call_word(output, in_object(literal) ? "}" : "]");
    literal->depth--;
    literal->first = false;
    literal->state = literal->depth ? AFTER : ENDED;
}

/* Whether c closes the innermost container. */
static bool closes(const lm_literal *literal, lm_literal_dialect dialect, char c) {
    if (in_object(literal)) return dialect == LM_LITERAL_PYTHON && literal->depth == 1 ? c == ')' : c == '}';
    return c == ']' || (dialect == LM_LITERAL_PYTHON && c == ')');
}

static void separate(lm_chat_output *output) {
    if (!output->literal.first) lm_output_call_word(output, ", ");
    output->literal.first = false;
}

static void put_word(lm_chat_output *output) {
    static const char *const constants[][2] = {{"true", "true"}, {"false", "false"}, {"null", "null"},
                                               {"True", "true"}, {"False", "false"}, {"None", "null"}};
    lm_str *word = &output->literal.word;
    while (word->size && is_space(word->data[word->size - 1])) word->data[--word->size] = '\0';
    const char *text = lm_str_text(word), *json = NULL;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (strcmp(constants[i][0], text) == 0) json = constants[i][1];
    if (json) {
        lm_output_call_word(output, json);
    } else if (word->size && lm_number_scan_json(text, word->size, NULL) == word->size) {
        lm_output_call_arguments(output, text, word->size);
    } else {
        lm_output_call_word(output, "\"");
        lm_output_call_escaped(output, text, word->size);
        lm_output_call_word(output, "\"");
    }
    lm_str_clear(word);
    output->literal.state = AFTER;
}

static void put_key(lm_chat_output *output) {
    lm_str *word = &output->literal.word;
    while (word->size && is_space(word->data[word->size - 1])) word->data[--word->size] = '\0';
    separate(output);
    lm_output_call_word(output, "\"");
    lm_output_call_escaped(output, lm_str_text(word), word->size);
    lm_output_call_word(output, "\": ");
    lm_str_clear(word);
}

static bool add_to_word(lm_chat_output *output, const char *bytes, size_t n) {
    if (output->literal.word.size + n > WORD_MAX) return false;
    if (output->status == LM_OK) output->status = lm_str_append(&output->literal.word, bytes, n);
    return true;
}

/* An escape of Python at rest (the backslash): bytes used, 0 when more is needed. */
static size_t escape(lm_chat_output *output, const char *rest, size_t left) {
    static const char letters[] = "nrt\\'\"abfv0", values[] = "\n\r\t\\'\"\a\b\f\v\0";
    if (left < 2) return output->at_end ? left : 0;
    char c = rest[1];
    const char *known = c ? strchr(letters, c) : NULL;
    if (known) {
        lm_output_call_escaped(output, &values[known - letters], 1);
        return 2;
    }
    size_t n = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (n && left < 2 + n && !output->at_end) return 0;
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
        lm_output_call_escaped(output, encoded, size);
    else
        lm_output_call_escaped(output, rest, 2);
    return size ? 2 + n : 2;
}

/* Inside of a string: text as far as it is certain. false: more is needed. */
static bool step_string(lm_chat_output *output) {
    lm_literal *literal = &output->literal;
    const char *rest = lm_output_rest(output);
    size_t left = lm_output_left(output), n = 0;
    lm_match end = LM_MATCH_NO;
    for (; n < left; n++) {
        if (literal->quote == '<')
            end = rest[n] == '<' ? lm_output_match(output, n, mark) : LM_MATCH_NO;
        else
            end = rest[n] == (char)literal->quote || rest[n] == '\\' ? LM_MATCH_YES : LM_MATCH_NO;
        if (end != LM_MATCH_NO) break;
    }
    lm_output_call_escaped(output, rest, n);
    output->pos += n;
    if (end != LM_MATCH_YES) return false;
    rest += n;
    left -= n;
    if (literal->quote != '<' && *rest == '\\') {
        size_t used = escape(output, rest, left);
        output->pos += used;
        return used > 0;
    }
    output->pos += literal->quote == '<' ? sizeof mark - 1 : 1;
    lm_output_call_word(output, "\"");
    if (literal->state == KEY_STRING) lm_output_call_word(output, ": ");
    literal->state = literal->state == KEY_STRING ? COLON : AFTER;
    return true;
}

/* A string begins here? */
static lm_match begins_string(lm_chat_output *output, lm_literal_dialect dialect, char c) {
    if (c == '"' || (c == '\'' && dialect == LM_LITERAL_PYTHON)) {
        output->literal.quote = (uint8_t)c;
        output->pos++;
        return LM_MATCH_YES;
    }
    lm_match match = c == '<' ? lm_output_match(output, 0, mark) : LM_MATCH_NO;
    if (match == LM_MATCH_YES) {
        output->literal.quote = '<';
        output->pos += sizeof mark - 1;
    }
    return match;
}

lm_call_result lm_output_literal(lm_chat_output *output, lm_literal_dialect dialect) {
    lm_literal *literal = &output->literal;
    if (literal->state == BEGIN && dialect == LM_LITERAL_PYTHON) push(output, true);
    while (output->status == LM_OK && literal->state != ENDED) {
        if (lm_output_left(output) == 0) return LM_CALL_MORE;
        char c = *lm_output_rest(output);
        bool assigns = dialect == LM_LITERAL_PYTHON && literal->depth == 1;
        if (literal->state == STRING || literal->state == KEY_STRING) {
            if (!step_string(output)) return LM_CALL_MORE;
            continue;
        }
        bool ends_word = c == ',' || c == '}' || c == ']' || (dialect == LM_LITERAL_PYTHON && c == ')');
        if (literal->state == WORD) {
            if (ends_word)
                put_word(output);
            else if (add_to_word(output, &c, 1))
                output->pos++;
            else
                return LM_CALL_BROKEN;
            continue;
        }
        if (literal->state == KEY_WORD) {
            if (c == (assigns ? '=' : ':')) {
                put_key(output);
                literal->state = VALUE;
            } else if (ends_word || c == '{' || c == '[' || !add_to_word(output, &c, 1)) {
                return LM_CALL_BROKEN;
            }
            output->pos++;
            continue;
        }
        if (is_space(c)) {
            output->pos++;
            continue;
        }
        if (literal->state == BEGIN) {
            if (c != '{' || !push(output, true)) return LM_CALL_BROKEN;
            output->pos++;
        } else if (literal->state == COLON) {
            if (c != ':') return LM_CALL_BROKEN;
            output->pos++;
            literal->state = VALUE;
        } else if (literal->state == AFTER) {
            if (closes(literal, dialect, c))
                pop(output);
            else if (c == ',')
                literal->state = in_object(literal) ? KEY : VALUE;
            else
                return LM_CALL_BROKEN;
            output->pos++;
        } else if (closes(literal, dialect, c) && (literal->state == KEY || !in_object(literal))) {
            pop(output); /* an empty container, or a comma too many */
            output->pos++;
        } else {
            bool key = literal->state == KEY;
            lm_match match = begins_string(output, dialect, c);
            if (match == LM_MATCH_MORE) return LM_CALL_MORE;
            if (!in_object(literal) || (key && match == LM_MATCH_YES)) separate(output);
            if (match == LM_MATCH_YES) {
                lm_output_call_word(output, "\"");
                literal->state = key ? KEY_STRING : STRING;
            } else if (key) {
                literal->state = KEY_WORD;
            } else if (c == '{' || c == '[' || (c == '(' && dialect == LM_LITERAL_PYTHON)) {
                if (!push(output, c == '{')) return LM_CALL_BROKEN;
                output->pos++;
            } else if (ends_word) {
                return LM_CALL_BROKEN;
            } else {
                literal->state = WORD;
            }
        }
    }
    return output->status == LM_OK ? LM_CALL_DONE : LM_CALL_MORE;
}
