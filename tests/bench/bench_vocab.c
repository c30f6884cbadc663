/* SPDX-License-Identifier: MIT
 * Speed of a vocabulary: bench_vocab VOCABULARY.gguf TEXT [TEXT...]. Prints the time to open (best of five) and, for each
 * text, megabytes per second with a fresh scratch and with a warm one, tokens, and bytes of memory. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gguf/gguf.h"
#include "vocab/vocab.h"

/* Processor time, so that a busy machine does not count. */
static double now_ms(void) { return (double)clock() * 1e3 / CLOCKS_PER_SEC; }

static char *read_file(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*n + 1);
    if (bytes && fread(bytes, 1, *n, file) != *n) free(bytes), bytes = NULL;
    fclose(file);
    return bytes;
}

static int bench_text(const lm_vocab *vocab, const char *path) {
    size_t n, count = 0;
    char *text = read_file(path, &n);
    lm_token *tokens = text ? malloc((n + 1) * sizeof *tokens) : NULL;
    lm_vocab_scratch *scratch = NULL;
    double times[2] = {1e9, 1e9};
    for (int round = 0; tokens && round < 3; round++) {
        lm_vocab_scratch_destroy(scratch);
        if (lm_vocab_scratch_create(vocab, &scratch) != LM_OK) return 3;
        for (int warm = 0; warm < 2; warm++) {
            double start = now_ms();
            if (lm_vocab_encode(vocab, scratch, text, n, 0, tokens, n, &count) != LM_OK) return 3;
            double time = now_ms() - start;
            if (time < times[warm]) times[warm] = time;
        }
    }
    if (tokens)
        printf("%-40s %9zu bytes %9zu tokens  cold %7.1f MB/s  warm %7.1f MB/s\n", path, n, count,
               (double)n / times[0] / 1e3, (double)n / times[1] / 1e3);
    lm_vocab_scratch_destroy(scratch);
    free(text);
    int result = tokens ? 0 : 3;
    free(tokens);
    return result;
}

int main(int argc, char **argv) {
    lm_env env;
    lm_error error;
    lm_gguf *gguf;
    lm_vocab *vocab = NULL;
    size_t n;
    if (argc < 2) return fprintf(stderr, "usage: %s VOCABULARY.gguf TEXT...\n", argv[0]), 2;
    char *bytes = read_file(argv[1], &n);
    if (!bytes) return fprintf(stderr, "%s: cannot be read\n", argv[1]), 3;
    lm_env_init(&env, NULL, NULL);
    lm_gguf_part part = {bytes, n, n};
    if (lm_gguf_open(&env, &part, NULL, &gguf, &error) != LM_OK) return fprintf(stderr, "%s\n", error.message), 3;
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        lm_vocab_close(vocab);
        double start = now_ms();
        if (lm_vocab_open(&env, gguf, &vocab, &error) != LM_OK) return fprintf(stderr, "%s\n", error.message), 3;
        double time = now_ms() - start;
        if (time < best) best = time;
    }
    printf("%s: %u tokens, opened in %.2f ms, %zu bytes\n", argv[1], lm_vocab_count(vocab), best,
           lm_vocab_memory(vocab));
    for (int i = 2; i < argc; i++)
        if (bench_text(vocab, argv[i]) != 0) return fprintf(stderr, "%s: failed\n", argv[i]), 3;
    lm_vocab_close(vocab);
    lm_gguf_close(gguf);
    free(bytes);
    return 0;
}
