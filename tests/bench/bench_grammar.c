/* SPDX-License-Identifier: MIT
 * How long grammars take: compiling each schema of a case file, and one mask per token of its valid texts, on a vocabulary of
 * up to 150,000 distinct tokens merged from GGUF files. Times are of the processor, as other programs do not concern us. Masks are timed cold (a fresh grammar) and warm (the same text again).
 *
 *     bench_grammar [--json] CASES.json VOCAB.gguf ...       --json: a line for each schema
 *
 * Tokens are taken as their raw GGUF text with the two common markers for a space undone, which is close enough for timing. */
#define _POSIX_C_SOURCE 199309L
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lm/grammar.h>

#include "base/json.h"
#include "base/json_write.h"
#include "gguf/gguf.h"

#define MAX_TOKENS 150000u
#define N_SLOTS (1u << 19)
#define MAX_SAMPLES 200000u

static struct {
    char *text[MAX_TOKENS];
    size_t size[MAX_TOKENS];
    uint32_t slots[N_SLOTS], n;
} vocab;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static uint32_t *slot_of(const char *text, size_t n) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    hash ^= hash >> 13;
    for (uint32_t slot = hash & (N_SLOTS - 1);; slot = (slot + 1) & (N_SLOTS - 1)) {
        uint32_t at = vocab.slots[slot];
        if (!at || (vocab.size[at - 1] == n && memcmp(vocab.text[at - 1], text, n) == 0)) return &vocab.slots[slot];
    }
}

static void add_token(const char *text, size_t n) {
    char *copy = malloc(n + 1);
    size_t size = 0;
    for (size_t i = 0; i < n;) {
        if (n - i >= 2 && memcmp(text + i, "\xC4\xA0", 2) == 0)
            copy[size++] = ' ', i += 2;
        else if (n - i >= 2 && memcmp(text + i, "\xC4\x8A", 2) == 0)
            copy[size++] = '\n', i += 2;
        else if (n - i >= 3 && memcmp(text + i, "\xE2\x96\x81", 3) == 0)
            copy[size++] = ' ', i += 3;
        else
            copy[size++] = text[i++];
    }
    uint32_t *slot = slot_of(copy, size);
    if (*slot || vocab.n == MAX_TOKENS || size == 0) {
        free(copy);
        return;
    }
    vocab.text[vocab.n] = copy;
    vocab.size[vocab.n] = size;
    *slot = ++vocab.n;
}

static char *read_file(const char *path, size_t *n) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*n + 1);
    if (fread(bytes, 1, *n, file) != *n) *n = 0;
    fclose(file);
    return bytes;
}

static void read_vocab(const lm_env *env, const char *path) {
    size_t n = 0;
    lm_gguf *gguf;
    lm_error error;
    const lm_gguf_value *tokens;
    lm_gguf_strings iterator = {0};
    lm_gguf_str token;
    char *bytes = read_file(path, &n);
    lm_gguf_part part = {.bytes = bytes, .size = n, .file_size = n};
    if (!bytes || lm_gguf_open(env, &part, NULL, &gguf, &error) != LM_OK) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return;
    }
    tokens = lm_gguf_find(gguf, "tokenizer.ggml.tokens");
    while (tokens && lm_gguf_next_string(tokens, &iterator, &token)) add_token(token.data, (size_t)token.size);
    lm_gguf_close(gguf);
    free(bytes);
}

static int32_t get(void *user, lm_token token, const char **bytes, size_t *n) {
    (void)user;
    *bytes = vocab.text[token];
    *n = vocab.size[token];
    return token == 0 ? LM_GRAMMAR_TOKEN_KIND_END : LM_GRAMMAR_TOKEN_KIND_TEXT;
}

typedef struct samples {
    double value[MAX_SAMPLES];
    size_t n;
} samples;
static samples cold, warm, compile;
static uint32_t mask[(MAX_TOKENS + 31) / 32];

static void add_sample(samples *s, double value) {
    if (s->n < MAX_SAMPLES) s->value[s->n++] = value;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void report(const char *name, samples *s) {
    qsort(s->value, s->n, sizeof *s->value, by_value);
    if (s->n > 0)
        printf("%-8s n %6zu  median %8.1f us  p90 %8.1f  p99 %8.1f  max %8.1f\n", name, s->n, s->value[s->n / 2],
               s->value[s->n * 9 / 10], s->value[s->n * 99 / 100], s->value[s->n - 1]);
}

/* What the masks since sample first took. */
static void print_masks(const char *name, const samples *s, size_t first) {
    static double part[MAX_SAMPLES];
    size_t n = s->n - first;
    memcpy(part, s->value + first, n * sizeof *part);
    qsort(part, n, sizeof *part, by_value);
    printf(", \"%s_median_us\": %.2f, \"%s_max_us\": %.2f", name, n ? part[n / 2] : 0, name, n ? part[n - 1] : 0);
}

static void follow(lm_grammar *grammar, lm_grammar_vocab *v, const char *text, size_t n, samples *out) {
    lm_grammar_matcher *matcher;
    if (lm_grammar_matcher_create(grammar, v, NULL, &matcher, NULL) != LM_OK) return;
    for (size_t at = 0; at < n;) {
        double start = now();
        if (lm_grammar_matcher_mask(matcher, mask, sizeof mask / sizeof *mask) != LM_OK) break;
        add_sample(out, now() - start);
        size_t take = n - at < 32 ? n - at : 32;
        for (; take > 0; take--) {
            uint32_t token = *slot_of(text + at, take);
            if (token && (mask[(token - 1) / 32] >> (token - 1) % 32 & 1)) break;
        }
        if (take == 0) take = 1;
        if (lm_grammar_matcher_accept_bytes(matcher, text + at, take, NULL) != LM_OK) break;
        at += take;
    }
    lm_grammar_matcher_destroy(matcher);
}

int main(int argc, char **argv) {
    lm_env env;
    lm_arena arena;
    const lm_json *cases;
    lm_error error;
    size_t n = 0;
    lm_grammar_vocab *v;
    lm_grammar_vocab_params params = LM_GRAMMAR_VOCAB_PARAMS_INIT;
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    argv += json, argc -= json;
    if (argc < 3) return fprintf(stderr, "usage: bench_grammar [--json] CASES.json VOCAB.gguf ...\n"), 2;
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    char *bytes = read_file(argv[1], &n);
    if (!bytes || lm_json_parse(&arena, bytes, n, LM_JSON_DEPTH_DEFAULT, &cases, &error) != LM_OK) return 3;
    for (int i = 2; i < argc; i++) read_vocab(&env, argv[i]);
    double start = now();
    params.n_tokens = vocab.n;
    params.get = get;
    if (lm_grammar_vocab_create(&params, &v, &error) != LM_OK) return 3;
    if (!json) printf("%u tokens sorted in %.1f ms\n", vocab.n, (now() - start) / 1000);
    double slowest = 0;
    for (size_t i = 0; i < cases->count; i++) {
        const lm_json *item = lm_json_at(cases, i), *texts = lm_json_get(item, "valid");
        const char *name = lm_json_text(lm_json_get(item, "name"), "?");
        lm_str schema;
        lm_grammar *grammar;
        lm_str_init(&schema, &env, SIZE_MAX);
        lm_json_print(&schema, lm_json_get(item, "schema"), NULL);
        start = now();
        lm_status status = lm_grammar_from_json_schema(schema.data, schema.size, NULL, &grammar, NULL);
        if (status == LM_OK) {
            double took = now() - start;
            size_t first_cold = cold.n, first_warm = warm.n;
            add_sample(&compile, took);
            if (!json && took > 5000) printf("compile  %s: %.1f ms\n", name, took / 1000);
            for (size_t k = 0; texts && k < texts->count; k++) {
                const lm_json *text = lm_json_at(texts, k);
                size_t first = cold.n;
                follow(grammar, v, text->text, text->count, &cold);
                for (; first < cold.n; first++)
                    if (cold.value[first] > slowest) {
                        slowest = cold.value[first];
                        if (!json) printf("slowest so far %s: %.1f us\n", name, slowest);
                    }
                follow(grammar, v, text->text, text->count, &warm);
            }
            if (json) {
                printf("{\"name\": \"%s\", \"tokens\": %u, \"compile_us\": %.1f, \"masks\": %zu", name, vocab.n, took,
                       cold.n - first_cold);
                print_masks("cold", &cold, first_cold);
                print_masks("warm", &warm, first_warm);
                printf("}\n");
            }
            lm_grammar_destroy(grammar);
        }
        lm_str_free(&schema);
    }
    if (!json) report("compile", &compile), report("cold", &cold), report("warm", &warm);
    lm_grammar_vocab_destroy(v);
    lm_arena_free(&arena);
    free(bytes);
    for (uint32_t i = 0; i < vocab.n; i++) free(vocab.text[i]);
    return 0;
}
