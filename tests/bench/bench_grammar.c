/* SPDX-License-Identifier: MIT
 * How long grammars take: compiling each schema of a case file, and one mask per token of its valid texts, on a vocabulary of
 * 150,000 distinct tokens: those of GGUF files, then pairs of them joined. Times are of the processor, as other programs do not
 * concern us. Masks are timed cold (a fresh grammar) and warm (the same text again). Prints tables in Markdown, or with --json
 * an object for each schema.
 *
 *     bench_grammar [--json] CASES.json VOCAB.gguf ...
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
    char *copy = calloc(n + 1, 1);
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
static samples cold, warm, compile, one_cold, one_warm;

typedef struct row {
    const char *name;
    double compile, cold, cold_worst, warm, warm_worst;
} row;
static row rows[1024];
static size_t n_rows;

static uint32_t mask[(MAX_TOKENS + 31) / 32];

static void add_sample(samples *s, double value) {
    if (s->n < MAX_SAMPLES) s->value[s->n++] = value;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double quantile(samples *s, size_t percent) {
    if (s->n == 0) return 0;
    qsort(s->value, s->n, sizeof *s->value, by_value);
    return s->value[s->n * percent / 100 < s->n ? s->n * percent / 100 : s->n - 1];
}

static void print_all(const char *name, samples *s) {
    printf("| %s | %zu | %.1f | %.1f | %.1f |\n", name, s->n, quantile(s, 50), quantile(s, 99), quantile(s, 100));
}

static int by_compile(const void *a, const void *b) {
    return by_value(&((const row *)b)->compile, &((const row *)a)->compile);
}
static int by_cold(const void *a, const void *b) {
    return by_value(&((const row *)b)->cold_worst, &((const row *)a)->cold_worst);
}

static void print_rows(size_t n) {
    puts("| schema | compile | mask, cold: median | p99 | mask, warm: median | p99 |\n|---|---|---|---|---|---|");
    for (size_t i = 0; i < n && i < n_rows; i++)
        printf("| %s | %.0f | %.1f | %.1f | %.1f | %.1f |\n", rows[i].name, rows[i].compile, rows[i].cold,
               rows[i].cold_worst, rows[i].warm, rows[i].warm_worst);
}

static void print_tables(uint32_t n_real, double sorted) {
    printf("%u tokens, %u of them of real vocabularies, sorted in %.0f ms; %zu schemas; microseconds of processor "
           "time\n\n",
           vocab.n, n_real, sorted, n_rows);
    puts("| | count | median | p99 | worst |\n|---|---|---|---|---|");
    print_all("compile a schema", &compile);
    print_all("mask, cold", &cold);
    print_all("mask, warm", &warm);
    puts("\nThe schemas that take longest to compile, and those with the slowest mask:\n");
    qsort(rows, n_rows, sizeof *rows, by_compile);
    print_rows(6);
    putchar('\n');
    qsort(rows, n_rows, sizeof *rows, by_cold);
    print_rows(6);
}

/* Pairs of tokens, until there are enough. */
static void fill_vocab(void) {
    uint32_t n = vocab.n, k = 1;
    for (uint64_t i = 0; n > 1 && vocab.n < MAX_TOKENS && i < 40 * (uint64_t)MAX_TOKENS; i++) {
        char joined[512];
        k = k * 1664525u + 1013904223u;
        uint32_t a = (k >> 8) % n, b = (uint32_t)(i * 2654435761u % n);
        if (vocab.size[a] + vocab.size[b] > sizeof joined) continue;
        memcpy(joined, vocab.text[a], vocab.size[a]);
        memcpy(joined + vocab.size[a], vocab.text[b], vocab.size[b]);
        add_token(joined, vocab.size[a] + vocab.size[b]);
    }
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
    uint32_t n_real = vocab.n;
    fill_vocab();
    double start = now();
    params.n_tokens = vocab.n;
    params.get = get;
    if (lm_grammar_vocab_create(&params, &v, &error) != LM_OK) return 3;
    double sorted = (now() - start) / 1000;
    for (size_t i = 0; i < cases->count; i++) {
        const lm_json *item = lm_json_at(cases, i), *texts = lm_json_get(item, "valid");
        double times[5];
        lm_str schema;
        lm_grammar *grammar;
        bool done = true;
        lm_str_init(&schema, &env, SIZE_MAX);
        lm_json_print(&schema, lm_json_get(item, "schema"), NULL);
        for (size_t k = 0; k < 5 && done; k++) { /* the median, as the first one also warms the processor */
            start = now();
            done = lm_grammar_from_json_schema(schema.data, schema.size, NULL, &grammar, NULL) == LM_OK;
            times[k] = now() - start;
            if (done && k < 4) lm_grammar_destroy(grammar);
        }
        lm_str_free(&schema);
        if (!done || n_rows == sizeof rows / sizeof *rows) continue;
        qsort(times, 5, sizeof *times, by_value);
        add_sample(&compile, times[2]);
        one_cold.n = one_warm.n = 0;
        for (size_t k = 0; texts && k < texts->count; k++) {
            const lm_json *text = lm_json_at(texts, k);
            follow(grammar, v, text->text, text->count, &one_cold);
            follow(grammar, v, text->text, text->count, &one_warm);
        }
        for (size_t k = 0; k < one_cold.n; k++) add_sample(&cold, one_cold.value[k]);
        for (size_t k = 0; k < one_warm.n; k++) add_sample(&warm, one_warm.value[k]);
        row r = {lm_json_text(lm_json_get(item, "name"), "?"),
                 times[2],
                 quantile(&one_cold, 50),
                 quantile(&one_cold, 99),
                 quantile(&one_warm, 50),
                 quantile(&one_warm, 99)};
        if (json)
            printf("{\"name\": \"%s\", \"tokens\": %u, \"compile_us\": %.1f, \"masks\": %zu, \"cold_median_us\": %.2f, "
                   "\"cold_max_us\": %.2f, \"warm_median_us\": %.2f, \"warm_max_us\": %.2f}\n",
                   r.name, vocab.n, r.compile, one_cold.n, r.cold, quantile(&one_cold, 100), r.warm,
                   quantile(&one_warm, 100));
        rows[n_rows++] = r;
        lm_grammar_destroy(grammar);
    }
    if (!json) print_tables(n_real, sorted);
    lm_grammar_vocab_destroy(v);
    lm_arena_free(&arena);
    free(bytes);
    for (uint32_t i = 0; i < vocab.n; i++) free(vocab.text[i]);
    return 0;
}
