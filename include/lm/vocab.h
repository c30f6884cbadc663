/* SPDX-License-Identifier: MIT */
/**
 * Text to tokens and back. A model's vocabulary is immutable and may be used from any number of threads.
 *
 *     lm_token tokens[512];
 *     int32_t n = lm_tokenize(model, text, strlen(text), LM_TOKENIZE_ADD_SPECIAL, tokens, 512);
 *     if (n < 0) return -n;                    // an lm_status
 *     if (n > 512) return 1;                   // or make room for n tokens and call again
 *
 *     lm_text_stream stream = {{0}, 0};
 *     char text[256];
 *     n = lm_text_stream_next(model, &stream, token, 0, text, sizeof text);
 */
#ifndef LM_VOCAB_H
#define LM_VOCAB_H

#include "base.h"

LM_BEGIN_DECLS

struct lm_model;

/** What a token is; a token may be several things. 0: undefined. */
typedef enum lm_token_attribute {
    LM_TOKEN_ATTRIBUTE_UNKNOWN = 1,
    LM_TOKEN_ATTRIBUTE_UNUSED = 2,
    LM_TOKEN_ATTRIBUTE_NORMAL = 4,
    LM_TOKEN_ATTRIBUTE_CONTROL = 8,       /* not part of any text: <|im_end|>, ... */
    LM_TOKEN_ATTRIBUTE_USER_DEFINED = 16, /* found in text before the tokenizer proper runs */
    LM_TOKEN_ATTRIBUTE_BYTE = 32,         /* one byte that no other token covers */
    LM_TOKEN_ATTRIBUTE_LSTRIP = 64,       /* swallows white space on its left when parsed from text */
    LM_TOKEN_ATTRIBUTE_RSTRIP = 128
} lm_token_attribute;

/** What a token is for. */
typedef enum lm_token_role {
    LM_TOKEN_ROLE_BOS = 0, /* begin of a text; CLS in bert */
    LM_TOKEN_ROLE_EOS = 1, /* end of a text */
    LM_TOKEN_ROLE_EOT = 2, /* end of a turn */
    LM_TOKEN_ROLE_EOM = 3, /* end of a message that expects a tool's answer */
    LM_TOKEN_ROLE_UNKNOWN = 4,
    LM_TOKEN_ROLE_SEPARATOR = 5,
    LM_TOKEN_ROLE_PADDING = 6,
    LM_TOKEN_ROLE_MASK = 7,
    LM_TOKEN_ROLE_NEWLINE = 8,
    LM_TOKEN_ROLE_FIM_PREFIX = 9, /* fill in the middle */
    LM_TOKEN_ROLE_FIM_SUFFIX = 10,
    LM_TOKEN_ROLE_FIM_MIDDLE = 11,
    LM_TOKEN_ROLE_FIM_PADDING = 12,
    LM_TOKEN_ROLE_FIM_REPOSITORY = 13,
    LM_TOKEN_ROLE_FIM_SEPARATOR = 14
} lm_token_role;
#define LM_TOKEN_ROLE_COUNT 15

/** Flags of lm_tokenize. */
#define LM_TOKENIZE_ADD_SPECIAL 1u /* put BOS, EOS, SEP around the text where the model wants them */
#define LM_TOKENIZE_PARSE_SPECIAL                                                                                      \
    2u /* control tokens written out in the text become those tokens: only for trusted text */

/** Flags of lm_detokenize, lm_token_piece and lm_text_stream_next. */
#define LM_DETOKENIZE_SPECIAL 1u      /* control and unknown tokens appear as their text instead of nothing */
#define LM_DETOKENIZE_REMOVE_ADDED 2u /* lm_detokenize: drop the BOS and EOS that lm_tokenize adds */

/**
 * Tokens of a text.
 *
 *   text    [n] bytes of UTF-8, no NUL needed; malformed bytes count as U+FFFD or become byte tokens
 *   out     [cap] room; may be NULL when cap is 0
 *
 * Returns the number of tokens, which may be larger than cap: then only the first cap are written. Negative: -LM_ERR_ARGUMENT
 * (unknown flag), -LM_ERR_LIMIT (text above 512 MiB), -LM_ERR_MEMORY, -LM_ERR_UNSUPPORTED (the model has no texts). Takes time
 * linear in n, up to a logarithm. Since 0.1
 */
LM_API int32_t lm_tokenize(const struct lm_model *model, const char *text, size_t n, uint32_t flags, lm_token *out,
                           size_t cap);

/**
 * Bytes of a list of tokens, tidied as the model's authors ask (a leading space, spaces before punctuation). Not always
 * UTF-8: tokens may hold parts of characters.
 *
 * Returns the number of bytes, which may be larger than cap: then out holds the first cap of them. No NUL is added.
 * Negative: -LM_ERR_RANGE (an id outside the vocabulary), -LM_ERR_ARGUMENT, -LM_ERR_LIMIT (more than INT32_MAX bytes),
 * -LM_ERR_UNSUPPORTED. Allocates nothing. Since 0.1
 */
LM_API int32_t lm_detokenize(const struct lm_model *model, const lm_token *tokens, size_t n_tokens, uint32_t flags,
                             char *out, size_t cap);

/**
 * The bytes one token adds to a text, untidied. Nothing for control tokens unless flags has LM_DETOKENIZE_SPECIAL.
 * Returns their number, which may be larger than cap: then out holds the first cap of them. Negative as lm_detokenize. Allocates nothing. Since 0.1
 */
LM_API int32_t lm_token_piece(const struct lm_model *model, lm_token token, uint32_t flags, char *out, size_t cap);

/** Bytes of an unfinished character between two tokens. Zero it to start; the layout is frozen. */
typedef struct lm_text_stream {
    uint8_t held[3];
    uint8_t n_held;
} lm_text_stream;

/**
 * Append a token to a stream and take the whole characters that are now complete: out is always well-formed UTF-8, with
 * U+FFFD in place of bytes that cannot be part of any. Returns the number of bytes; if it is larger than cap nothing is
 * written and the stream is as before. Negative as lm_detokenize. Allocates nothing. Since 0.1
 */
LM_API int32_t lm_text_stream_next(const struct lm_model *model, lm_text_stream *stream, lm_token token, uint32_t flags,
                                   char *out, size_t cap);

/** End a stream: U+FFFD when a character was left unfinished, else nothing. Returns as lm_text_stream_next. Since 0.1 */
LM_API int32_t lm_text_stream_end(lm_text_stream *stream, char *out, size_t cap);

/** Number of tokens; ids are 0 .. size - 1. Since 0.1 */
LM_API int32_t lm_vocab_size(const struct lm_model *model);

/** The token of a role (lm_token_role), or LM_TOKEN_NONE. Since 0.1 */
LM_API lm_token lm_vocab_token(const struct lm_model *model, int32_t role);

/** Shorthands of lm_vocab_token. Since 0.1 */
LM_API lm_token lm_vocab_bos(const struct lm_model *model);
LM_API lm_token lm_vocab_eos(const struct lm_model *model);
LM_API lm_token lm_vocab_eot(const struct lm_model *model);

/** 1 when generation stops at the token (the model has several such tokens), else 0. Since 0.1 */
LM_API int32_t lm_token_is_end(const struct lm_model *model, lm_token token);

/** lm_token_attribute bits; 0 when undefined or out of range. Since 0.1 */
LM_API uint32_t lm_token_attributes(const struct lm_model *model, lm_token token);

LM_END_DECLS
#endif
