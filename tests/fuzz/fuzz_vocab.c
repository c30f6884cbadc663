/* SPDX-License-Identifier: MIT
 * Any bytes as a vocabulary file, then as a text for it: open, encode in every setting, decode, read every token. The input
 * is a GGUF file, and its last 512 bytes are a text too: hostile tokens meet texts they occur in. */
#include <stdint.h>
#include <stdlib.h>

#include "gguf/gguf.h"
#include "vocab/text_stream.h"
#include "vocab/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const lm_vocab *vocab, const char *text, size_t n) {
    static lm_token tokens[1024];
    static char bytes[4096];
    lm_vocab_scratch *scratch;
    size_t count, length;
    if (lm_vocab_scratch_create(vocab, &scratch) != LM_OK) return;
    for (uint32_t flags = 0; flags < 4; flags++) {
        if (lm_vocab_encode(vocab, scratch, text, n, flags, tokens, 1024, &count) != LM_OK) continue;
        size_t kept = count < 1024 ? count : 1024;
        for (size_t i = 0; i < kept; i++)
            if (tokens[i] < 0 || (uint32_t)tokens[i] >= lm_vocab_count(vocab)) abort();
        if (lm_vocab_decode(vocab, tokens, kept, flags, bytes, sizeof bytes, &length) != LM_OK) abort();
        lm_text_stream stream = {{0}, 0};
        for (size_t i = 0; i < kept; i++)
            lm_text_stream_put(vocab, &stream, tokens[i], flags, bytes, sizeof bytes, &length);
    }
    for (uint32_t id = 0; id < lm_vocab_count(vocab) && id < 4096; id++) {
        length = lm_vocab_piece(vocab, (lm_token)id, id & 1, bytes, sizeof bytes);
        if (length > lm_vocab_max_piece(vocab)) abort();
        lm_vocab_attributes(vocab, (lm_token)id);
    }
    lm_vocab_scratch_destroy(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lm_env env;
    lm_gguf *gguf = NULL;
    lm_vocab *vocab = NULL;
    lm_gguf_part part = {data, size, size};
    lm_env_init(&env, NULL, NULL);
    if (lm_gguf_open(&env, &part, NULL, &gguf, NULL) == LM_OK && lm_vocab_open(&env, gguf, &vocab, NULL) == LM_OK) {
        size_t n = size < 512 ? size : 512;
        use(vocab, (const char *)data + size - n, n);
        use(vocab, "the library <|im_start|> reads\xFF 12 w\xC3\xB6rds", 41);
    }
    lm_vocab_close(vocab);
    lm_gguf_close(gguf);
    return 0;
}
