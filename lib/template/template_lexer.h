/* SPDX-License-Identifier: MIT
 * Tokens of a template, read one by one. All whitespace control happens here: the parser sees text already trimmed. */
#ifndef LM_TEMPLATE_LEXER_H
#define LM_TEMPLATE_LEXER_H

#include "template_syntax.h"

typedef enum lm_lexeme_kind {
    LM_LEXEME_END,
    LM_LEXEME_TEXT,
    LM_LEXEME_PRINT_BEGIN,
    LM_LEXEME_PRINT_END,
    LM_LEXEME_BLOCK_BEGIN,
    LM_LEXEME_BLOCK_END,
    LM_LEXEME_NAME,
    LM_LEXEME_STRING, /* text: between the quotes, escapes not yet resolved */
    LM_LEXEME_INTEGER,
    LM_LEXEME_FLOAT,
    LM_LEXEME_PUNCTUATION /* op: its one or two characters as first + 256 * second */
} lm_lexeme_kind;

#define LM_PUNCTUATION_2(first, second) ((uint16_t)((first) + 256 * (second)))

typedef struct lm_lexeme {
    uint8_t kind; /* lm_lexeme_kind */
    uint16_t op;
    uint32_t offset;
    lm_slice text;
} lm_lexeme;

typedef struct lm_lexer {
    lm_slice source; /* normalised */
    size_t pos;
    uint8_t mode;    /* 0 text, 1 inside {{ }}, 2 inside {% %} */
    bool line_start; /* what was read last ended in a line feed, or nothing was read yet */
    uint8_t pending; /* token kind to deliver before reading on, 0: none */
    uint32_t pending_offset;
    size_t n_open;                      /* brackets open inside the tag */
    char open[LM_TEMPLATE_NESTING_MAX]; /* their closing characters */
    const char *message;                /* why reading failed */
    lm_status status;
    size_t error_offset;
} lm_lexer;

void lm_lexer_init(lm_lexer *lexer, lm_slice normalised);
/* false: status, message and error_offset say why. */
bool lm_lexer_next(lm_lexer *lexer, lm_lexeme *out);

/* Resolve the escapes of a string token into out, which has room for text.n bytes; the bytes written. Python's rules. */
size_t lm_lexer_unescape(lm_slice text, char *out);

/* Whitespace as Python's str.isspace sees it: bytes of the one at the start or end of text, 0 when there is none. */
size_t lm_space_at_start(const char *text, size_t n);
size_t lm_space_at_end(const char *text, size_t n);

#endif
