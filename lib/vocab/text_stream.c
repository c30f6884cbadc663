/* SPDX-License-Identifier: MIT
 * Joins held bytes and a piece without a buffer of their joint size: at most three bytes are held, so the first character of
 * the new bytes is looked at through a window of a few bytes, and everything behind it in place. */
#include "text_stream.h"

#include <string.h>

#include "../base/utf8.h"
#include "vocab_internal.h"

typedef struct target {
    char *out;
    size_t capacity, count;
} target;

static void put(target *t, const char *bytes, size_t n) {
    if (t->out && t->count + n <= t->capacity) memcpy(t->out + t->count, bytes, n);
    t->count += n;
}

/* One character or malformed part from the start of text: its size in bytes, put as itself or as U+FFFD. */
static size_t put_character(target *t, const char *text, size_t n) {
    uint32_t cp;
    size_t size = lm_utf8_decode(text, n, &cp);
    if (size) {
        put(t, text, size);
        return size;
    }
    put(t, "\xEF\xBF\xBD", 3);
    return lm_utf8_decode_lossy(text, n, &cp);
}

void lm_text_stream_put_bytes(lm_text_stream *stream, const char *bytes, size_t n, char *out, size_t capacity,
                              size_t *size) {
    target t = {out, capacity, 0};
    char window[8];
    size_t held = stream->n_held <= 3 ? stream->n_held : 0, used = 0; /* used: of held and bytes together */
    while (used < held) {
        size_t in_window = lm_size_min(held - used + n, 4), from_held = lm_size_min(held - used, in_window);
        memcpy(window, stream->held + used, from_held);
        if (in_window > from_held) memcpy(window + from_held, bytes, in_window - from_held);
        if (in_window < 4 && lm_utf8_unfinished(window, in_window) == in_window) break;
        used += put_character(&t, window, in_window);
    }
    size_t at = used > held ? used - held : 0, rest = 0;
    char tail[3];
    if (used < held) { /* still unfinished: everything there is */
        rest = held - used + n;
        memcpy(tail, stream->held + used, held - used);
        if (n > 0) memcpy(tail + held - used, bytes, n);
    } else {
        rest = lm_utf8_unfinished(bytes + at, n - at);
        for (size_t end = n - rest; at < end;) {
            size_t valid = lm_utf8_valid_prefix(bytes + at, end - at);
            put(&t, bytes + at, valid);
            at += valid;
            if (at < end) at += put_character(&t, bytes + at, end - at);
        }
        if (rest > 0) memcpy(tail, bytes + n - rest, rest);
    }
    *size = t.count;
    if (t.count > capacity) return;
    memcpy(stream->held, tail, rest);
    stream->n_held = (uint8_t)rest;
}

/* A whole piece, read in stretches that fit on the stack; out NULL counts. */
static size_t put_piece(const lm_vocab *vocab, lm_text_stream *stream, lm_token token, uint32_t flags, char *out,
                        size_t capacity) {
    char part[256];
    size_t total = 0, size;
    for (size_t skip = 0;;) {
        size_t left = lm_vocab_piece_from(vocab, token, flags, skip, part, sizeof part);
        size_t n = lm_size_min(left, sizeof part);
        lm_text_stream_put_bytes(stream, part, n, out ? out + total : NULL, out ? capacity - total : SIZE_MAX, &size);
        total += size;
        skip += n;
        if (left == n) return total;
    }
}

lm_status lm_text_stream_put(const lm_vocab *vocab, lm_text_stream *stream, lm_token token, uint32_t flags, char *out,
                             size_t capacity, size_t *size) {
    if (lm_vocab_get_type(vocab) == LM_VOCAB_TYPE_NONE) return LM_ERR_UNSUPPORTED;
    if (token < 0 || (uint32_t)token >= lm_vocab_count(vocab)) return LM_ERR_RANGE;
    lm_text_stream trial = *stream;
    *size = put_piece(vocab, &trial, token, flags, NULL, 0);
    if (*size <= capacity && *size > 0)
        put_piece(vocab, stream, token, flags, out, capacity);
    else if (*size <= capacity)
        *stream = trial;
    return LM_OK;
}
