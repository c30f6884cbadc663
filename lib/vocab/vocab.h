/* SPDX-License-Identifier: MIT
 * The vocabulary of a model: text to tokens, tokens to text, and what each token is for. Immutable once opened and shared
 * by threads. Token texts are views into the GGUF bytes, which must outlive the object.
 *
 *     status = lm_vocab_open(env, gguf, &vocab, error);
 *     status = lm_vocab_scratch_create(vocab, &scratch);
 *     status = lm_vocab_encode(vocab, scratch, text, n, LM_TOKENIZE_ADD_SPECIAL, tokens, capacity, &count);
 *
 * A scratch holds the working memory of one encoding call at a time; it grows by doubling and remembers the pieces it has
 * seen, so keeping one per thread pays. */
#ifndef LM_VOCAB_VOCAB_H
#define LM_VOCAB_VOCAB_H

#include <stdbool.h>

#include <lm/vocab.h>

#include "../base/env.h"
#include "../gguf/gguf.h"

/* Limits beyond which a vocabulary is refused (LM_ERR_LIMIT). */
#define LM_VOCAB_MAX_TOKENS (1u << 24)
#define LM_VOCAB_MAX_TOKEN_BYTES (1u << 16)
#define LM_VOCAB_MAX_SPECIAL_BYTES 1024u    /* length of a text that is matched as a special token */
#define LM_VOCAB_MAX_TEXT ((size_t)1 << 29) /* bytes of one text to encode */

typedef struct lm_vocab lm_vocab;
typedef struct lm_vocab_scratch lm_vocab_scratch;

typedef enum lm_vocab_type {
    LM_VOCAB_TYPE_NONE = 0, /* only a size: no texts */
    LM_VOCAB_TYPE_SPM = 1,
    LM_VOCAB_TYPE_BPE = 2,
    LM_VOCAB_TYPE_WPM = 3,
    LM_VOCAB_TYPE_UGM = 4,
    LM_VOCAB_TYPE_RWKV = 5,
    LM_VOCAB_TYPE_PLAMO2 = 6
} lm_vocab_type;

/* Read the tokenizer.* keys. LM_ERR_NOT_FOUND (a required key), LM_ERR_FORMAT, LM_ERR_UNSUPPORTED (a tokenizer or
 * pre-tokenizer name), LM_ERR_LIMIT, LM_ERR_MEMORY. */
lm_status lm_vocab_open(const lm_env *env, const lm_gguf *gguf, lm_vocab **out, lm_error *error);
void lm_vocab_close(lm_vocab *vocab);
size_t lm_vocab_memory(const lm_vocab *vocab); /* bytes the object holds */

lm_vocab_type lm_vocab_get_type(const lm_vocab *vocab);
uint32_t lm_vocab_count(const lm_vocab *vocab);

/* The id of a role (enum lm_token_role), or LM_TOKEN_NONE. */
lm_token lm_vocab_role(const lm_vocab *vocab, int32_t role);
/* True when encoding with LM_TOKENIZE_ADD_SPECIAL puts the BOS token before a text. */
bool lm_vocab_adds_bos(const lm_vocab *vocab);
/* True when generation stops at the token. False for ids out of range. */
bool lm_vocab_is_end(const lm_vocab *vocab, lm_token token);
/* Tokens that must never be sampled: [*count] ids in range. */
const lm_token *lm_vocab_suppressed(const lm_vocab *vocab, size_t *count);

/* The text as stored in the file (byte-level vocabularies: in their alphabet), not NUL-terminated; NULL when out of range. */
const char *lm_vocab_text(const lm_vocab *vocab, lm_token token, size_t *size);
/* enum lm_token_attribute bits; 0 when out of range or undefined. */
uint32_t lm_vocab_attributes(const lm_vocab *vocab, lm_token token);
/* The token with exactly this stored text (the lowest id), or LM_TOKEN_NONE. */
lm_token lm_vocab_find(const lm_vocab *vocab, const char *text, size_t size);

/* The bytes a token stands for: written to out when they fit in capacity; returns their number. LM_DETOKENIZE_SPECIAL
 * shows control and unknown tokens. Never more than lm_vocab_max_piece bytes. Allocates nothing. */
size_t lm_vocab_piece(const lm_vocab *vocab, lm_token token, uint32_t flags, char *out, size_t capacity);
size_t lm_vocab_max_piece(const lm_vocab *vocab);

/* A scratch serves the vocabulary it was made for, which must outlive it. */
lm_status lm_vocab_scratch_create(const lm_vocab *vocab, lm_vocab_scratch **out);
void lm_vocab_scratch_destroy(lm_vocab_scratch *scratch);

/* Tokens of a text; *count may exceed capacity, then only capacity tokens are written. flags: LM_TOKENIZE_*.
 * LM_ERR_MEMORY, LM_ERR_LIMIT (text too long), LM_ERR_UNSUPPORTED (vocabulary without texts). */
lm_status lm_vocab_encode(const lm_vocab *vocab, lm_vocab_scratch *scratch, const char *text, size_t n, uint32_t flags,
                          lm_token *out, size_t capacity, size_t *count);

/* Control tokens written out in these bytes stay text. */
typedef struct lm_vocab_guard {
    size_t start, end;
} lm_vocab_guard;

/* Tokens of a prompt: control tokens are parsed but where guards (sorted, disjoint) touch them, and nothing is added around
 * the text. continues: the text goes on from an ordinary token. Otherwise as lm_vocab_encode. */
lm_status lm_vocab_encode_prompt(const lm_vocab *vocab, lm_vocab_scratch *scratch, const char *text, size_t n,
                                 const lm_vocab_guard *guards, size_t n_guards, bool continues, lm_token *out,
                                 size_t capacity, size_t *count);

/* The bytes of a list of tokens, cleaned as the vocabulary asks; *size may exceed capacity, then out holds the start.
 * flags: LM_DETOKENIZE_*. LM_ERR_RANGE for an id out of range. Allocates nothing; out may be NULL when capacity is 0. */
lm_status lm_vocab_decode(const lm_vocab *vocab, const lm_token *tokens, size_t n_tokens, uint32_t flags, char *out,
                          size_t capacity, size_t *size);

#endif
