/* SPDX-License-Identifier: MIT
 * Whole characters from a stream of tokens: the bytes of an unfinished character wait for the next token. */
#ifndef LM_VOCAB_TEXT_STREAM_H
#define LM_VOCAB_TEXT_STREAM_H

#include "vocab.h"

/* The contract is lm_text_stream_next's; *size may exceed capacity, then nothing is written and the stream is as before. */
lm_status lm_text_stream_put(const lm_vocab *vocab, lm_text_stream *stream, lm_token token, uint32_t flags, char *out,
                             size_t capacity, size_t *size);

/* The same for bytes that did not come from a token. */
void lm_text_stream_put_bytes(lm_text_stream *stream, const char *bytes, size_t n, char *out, size_t capacity,
                              size_t *size);

#endif
