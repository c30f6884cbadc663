/* SPDX-License-Identifier: MIT
 * The template lexer. Outside of tags it finds the next {{, {% or {# and applies the trim rules to the text before it:
 * trim_blocks and lstrip_blocks are always on, as in the environment that templates of models are written for. Inside of tags it
 * splits expressions; while a bracket is open, }} and %} are ordinary characters. */
#include "template_lexer.h"

#include <string.h>

#include "../base/utf8.h"

enum { IN_TEXT, IN_PRINT, IN_BLOCK };

static bool is_space_code(uint32_t c) {
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

size_t lm_space_at_start(const char *text, size_t n) {
    uint32_t c;
    size_t size = n ? lm_utf8_decode(text, n, &c) : 0;
    return size && is_space_code(c) ? size : 0;
}

size_t lm_space_at_end(const char *text, size_t n) {
    for (size_t size = 1; size <= 3 && size <= n; size++) {
        if (((unsigned char)text[n - size] & 0xC0) == 0x80) continue;
        return lm_space_at_start(text + n - size, size) == size ? size : 0;
    }
    return 0;
}

static bool is_ascii_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80); }

void lm_lexer_init(lm_lexer *lexer, lm_slice normalised) {
    memset(lexer, 0, sizeof *lexer);
    lexer->source = normalised;
    lexer->line_start = true;
}

static bool fail(lm_lexer *lexer, lm_status status, size_t offset, const char *message) {
    lexer->status = status;
    lexer->message = message;
    lexer->error_offset = offset;
    return false;
}

static bool at(const lm_lexer *lexer, size_t pos, const char *text) {
    size_t n = strlen(text);
    return lexer->source.n - pos >= n && memcmp(lexer->source.bytes + pos, text, n) == 0;
}

static size_t skip_spaces(const lm_lexer *lexer, size_t pos) {
    size_t size;
    while (pos < lexer->source.n && (size = lm_space_at_start(lexer->source.bytes + pos, lexer->source.n - pos)) > 0)
        pos += size;
    return pos;
}

/* The position after a tag's end, given that the closing delimiter is at pos (with its sign). Comments and statements
 * swallow one line feed, a minus swallows all whitespace. */
static size_t after_end(lm_lexer *lexer, size_t pos, bool trims_line) {
    char sign = lexer->source.bytes[pos];
    if (sign == '-') {
        pos = skip_spaces(lexer, pos + 3);
    } else if (sign == '+') {
        pos += 3;
    } else {
        pos += 2;
        if (trims_line && pos < lexer->source.n && lexer->source.bytes[pos] == '\n') pos++;
    }
    lexer->line_start = pos > 0 && lexer->source.bytes[pos - 1] == '\n';
    return pos;
}

/* The end of the text [from, to) before a tag with this sign. */
static size_t trimmed_end(const lm_lexer *lexer, size_t from, size_t to, char sign, bool strips_line) {
    const char *bytes = lexer->source.bytes;
    size_t size;
    if (sign == '-') {
        while (to > from && (size = lm_space_at_end(bytes + from, to - from)) > 0) to -= size;
        return to;
    }
    if (!strips_line || sign == '+') return to;
    size_t line = to;
    while (line > from && bytes[line - 1] != '\n') {
        size = lm_space_at_end(bytes + from, line - from);
        if (size == 0) return to;
        line -= size;
    }
    return line > from || lexer->line_start ? line : to;
}

/* {% raw %} at pos (which starts with {%): the position after its end, or 0. */
static size_t raw_begin(const lm_lexer *lexer, size_t pos, const char *word, size_t *end_sign) {
    pos += 2;
    if (pos < lexer->source.n && (lexer->source.bytes[pos] == '-' || lexer->source.bytes[pos] == '+')) pos++;
    pos = skip_spaces(lexer, pos);
    if (!at(lexer, pos, word)) return 0;
    pos = skip_spaces(lexer, pos + strlen(word));
    if (pos >= lexer->source.n) return 0;
    *end_sign = pos;
    char sign = lexer->source.bytes[pos];
    if (sign == '-' || sign == '+') pos++;
    return at(lexer, pos, "%}") ? pos + 2 : 0;
}

static bool read_raw(lm_lexer *lexer, size_t begin, size_t end_sign, lm_lexeme *out) {
    size_t from = end_sign + (lexer->source.bytes[end_sign] == '-' || lexer->source.bytes[end_sign] == '+' ? 3 : 2);
    if (lexer->source.bytes[end_sign] == '-') from = skip_spaces(lexer, from);
    lexer->line_start = from > 0 && lexer->source.bytes[from - 1] == '\n';
    for (size_t pos = from; pos + 1 < lexer->source.n; pos++) {
        size_t sign_at;
        if (!at(lexer, pos, "{%") || !raw_begin(lexer, pos, "endraw", &sign_at)) continue;
        out->kind = LM_LEXEME_TEXT;
        out->offset = (uint32_t)from;
        size_t to = trimmed_end(lexer, from, pos, lexer->source.bytes[pos + 2], true);
        out->text = (lm_slice){lexer->source.bytes + from, to - from};
        lexer->pos = after_end(lexer, sign_at, true);
        return true;
    }
    return fail(lexer, LM_ERR_FORMAT, begin, "missing end of raw directive");
}

static bool skip_comment(lm_lexer *lexer, size_t begin) {
    for (size_t pos = begin + 2; pos + 1 < lexer->source.n; pos++) {
        if (!at(lexer, pos, "#}")) continue;
        char before = lexer->source.bytes[pos - 1];
        bool has_sign = pos > begin + 2 && (before == '-' || before == '+');
        lexer->pos = after_end(lexer, has_sign ? pos - 1 : pos, true);
        return true;
    }
    return fail(lexer, LM_ERR_FORMAT, begin, "missing end of comment tag");
}

/* Text up to the next tag. Empty pieces are skipped, so that the parser sees only text that prints something. */
static bool read_text(lm_lexer *lexer, lm_lexeme *out) {
    for (;;) {
        size_t from = lexer->pos, pos = from;
        while (pos < lexer->source.n) {
            const char *brace = memchr(lexer->source.bytes + pos, '{', lexer->source.n - pos);
            pos = brace ? (size_t)(brace - lexer->source.bytes) : lexer->source.n;
            if (pos + 1 >= lexer->source.n) pos = lexer->source.n;
            if (pos == lexer->source.n || strchr("{%#", lexer->source.bytes[pos + 1])) break;
            pos++;
        }
        out->kind = LM_LEXEME_TEXT;
        out->offset = (uint32_t)from;
        if (pos == lexer->source.n) {
            out->text = (lm_slice){lexer->source.bytes + from, pos - from};
            lexer->pos = pos;
            if (from == pos) out->kind = LM_LEXEME_END;
            return true;
        }
        char kind = lexer->source.bytes[pos + 1];
        char sign = pos + 2 < lexer->source.n ? lexer->source.bytes[pos + 2] : 0;
        size_t to = trimmed_end(lexer, from, pos, sign, kind != '{');
        out->text = (lm_slice){lexer->source.bytes + from, to - from};
        size_t sign_at, after = kind == '%' ? raw_begin(lexer, pos, "raw", &sign_at) : 0;
        if (after) {
            if (to > from) {
                lexer->pos = pos; /* the raw block comes with the next call; the text before it is used up */
                lexer->line_start = false;
                return true;
            }
            if (!read_raw(lexer, pos, sign_at, out)) return false;
            if (out->text.n) return true;
            continue;
        }
        if (kind == '#') {
            if (!skip_comment(lexer, pos)) return false;
            if (to > from) return true;
            continue;
        }
        lexer->pos = pos + 2 + (sign == '-' || sign == '+');
        lexer->mode = kind == '{' ? IN_PRINT : IN_BLOCK;
        lexer->line_start = false;
        lexer->n_open = 0;
        lexer->pending = kind == '{' ? LM_LEXEME_PRINT_BEGIN : LM_LEXEME_BLOCK_BEGIN;
        lexer->pending_offset = (uint32_t)pos;
        if (to > from) return true;
        out->kind = lexer->pending;
        out->offset = lexer->pending_offset;
        lexer->pending = 0;
        return true;
    }
}

static bool read_string(lm_lexer *lexer, lm_lexeme *out) {
    char quote = lexer->source.bytes[lexer->pos];
    size_t from = lexer->pos + 1;
    for (size_t pos = from; pos < lexer->source.n; pos++) {
        char c = lexer->source.bytes[pos];
        if (c == '\\') {
            pos++;
        } else if (c == quote) {
            out->kind = LM_LEXEME_STRING;
            out->text = (lm_slice){lexer->source.bytes + from, pos - from};
            lexer->pos = pos + 1;
            return true;
        }
    }
    return fail(lexer, LM_ERR_FORMAT, lexer->pos, "string without end");
}

static size_t skip_digits(const lm_lexer *lexer, size_t pos) {
    while (pos < lexer->source.n) {
        char c = lexer->source.bytes[pos];
        if (is_digit(c) || (c == '_' && pos + 1 < lexer->source.n && is_digit(lexer->source.bytes[pos + 1])))
            pos++;
        else
            break;
    }
    return pos;
}

static void read_number(lm_lexer *lexer, lm_lexeme *out) {
    const char *bytes = lexer->source.bytes;
    size_t from = lexer->pos, n = lexer->source.n, pos = from;
    out->kind = LM_LEXEME_INTEGER;
    char second = from + 1 < n ? (char)(bytes[from + 1] | 32) : 0;
    if (bytes[from] == '0' && (second == 'x' || second == 'b' || second == 'o')) {
        pos = from + 2;
        while (pos < n &&
               (is_digit(bytes[pos]) || bytes[pos] == '_' || ((bytes[pos] | 32) >= 'a' && (bytes[pos] | 32) <= 'f')))
            pos++;
    } else {
        pos = skip_digits(lexer, from);
        if (pos + 1 < n && bytes[pos] == '.' && is_digit(bytes[pos + 1])) {
            out->kind = LM_LEXEME_FLOAT;
            pos = skip_digits(lexer, pos + 1);
        }
        if (pos < n && (bytes[pos] | 32) == 'e') {
            size_t exponent = pos + 1 < n && (bytes[pos + 1] == '+' || bytes[pos + 1] == '-') ? pos + 2 : pos + 1;
            if (exponent < n && is_digit(bytes[exponent])) {
                out->kind = LM_LEXEME_FLOAT;
                pos = skip_digits(lexer, exponent);
            }
        }
    }
    out->text = (lm_slice){bytes + from, pos - from};
    lexer->pos = pos;
}

static bool read_punctuation(lm_lexer *lexer, lm_lexeme *out) {
    static const char *const pairs[] = {"//", "**", "==", "!=", ">=", "<="};
    size_t pos = lexer->pos;
    char c = lexer->source.bytes[pos];
    out->kind = LM_LEXEME_PUNCTUATION;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!at(lexer, pos, pairs[i])) continue;
        out->op = LM_PUNCTUATION_2(pairs[i][0], pairs[i][1]);
        lexer->pos += 2;
        return true;
    }
    if (!strchr("+-/*%~[](){}<>=.:|,;", c) || c == '\0') return fail(lexer, LM_ERR_FORMAT, pos, "unexpected character");
    if (strchr("([{", c)) {
        if (lexer->n_open == LM_TEMPLATE_NESTING_MAX)
            return fail(lexer, LM_ERR_LIMIT, pos, "brackets nested too deeply");
        lexer->open[lexer->n_open++] = c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (strchr(")]}", c)) {
        if (lexer->n_open == 0 || lexer->open[lexer->n_open - 1] != c)
            return fail(lexer, LM_ERR_FORMAT, pos, "closing bracket does not match");
        lexer->n_open--;
    }
    out->op = (uint8_t)c;
    lexer->pos++;
    return true;
}

/* The end of the tag at pos, with its sign. */
static bool is_tag_end(const lm_lexer *lexer, size_t pos) {
    const char *end = lexer->mode == IN_PRINT ? "}}" : "%}";
    char c = lexer->source.bytes[pos];
    if (c == '-' || (c == '+' && lexer->mode == IN_BLOCK)) pos++;
    return pos < lexer->source.n && at(lexer, pos, end);
}

bool lm_lexer_next(lm_lexer *lexer, lm_lexeme *out) {
    memset(out, 0, sizeof *out);
    if (lexer->pending) {
        out->kind = lexer->pending;
        out->offset = lexer->pending_offset;
        lexer->pending = 0;
        return true;
    }
    if (lexer->mode == IN_TEXT) return read_text(lexer, out);
    while (lexer->pos < lexer->source.n && is_ascii_space(lexer->source.bytes[lexer->pos])) lexer->pos++;
    out->offset = (uint32_t)lexer->pos;
    if (lexer->pos == lexer->source.n) return true; /* LM_LEXEME_END inside of a tag: the parser complains */
    char c = lexer->source.bytes[lexer->pos];
    if (lexer->n_open == 0 && is_tag_end(lexer, lexer->pos)) {
        out->kind = lexer->mode == IN_PRINT ? LM_LEXEME_PRINT_END : LM_LEXEME_BLOCK_END;
        lexer->pos = after_end(lexer, lexer->pos, lexer->mode == IN_BLOCK);
        lexer->mode = IN_TEXT;
        return true;
    }
    if (c == '"' || c == '\'') return read_string(lexer, out);
    if (is_digit(c)) {
        read_number(lexer, out);
        return true;
    }
    if (is_name_start(c)) {
        size_t from = lexer->pos;
        while (lexer->pos < lexer->source.n &&
               (is_name_start(lexer->source.bytes[lexer->pos]) || is_digit(lexer->source.bytes[lexer->pos])))
            lexer->pos++;
        out->kind = LM_LEXEME_NAME;
        out->text = (lm_slice){lexer->source.bytes + from, lexer->pos - from};
        return true;
    }
    return read_punctuation(lexer, out);
}
