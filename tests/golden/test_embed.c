/* SPDX-License-Identifier: MIT
 * Embeddings: every model with reference rows, and decoders against themselves. The bytes of a text's vector depend neither on the texts
 * beside it nor on threads, instruction set or the way a decoder's tokens are cut into batches.
 *
 * usage: test_embed FOLDER; skips when the folder does not exist. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <lm/lm.h>

#include <dirent.h>
#include <math.h>

#include "base/json.h"

static const char *folder;

typedef struct reference {
    char name[64];
    lm_token *tokens;
    int32_t *positions;
    size_t n_tokens, n_positions, width;
    float *rows, *pooled; /* [n_positions, n_embd]; [2, width]: mean, first */
    double max_abs;
} reference;

static void *read_file(const char *name, size_t *size) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *bytes = test_read(path, size);
    assert_non_null(bytes);
    return bytes;
}

static int32_t *read_integers(const lm_json *list, size_t *n) {
    int32_t *out = malloc(list->count * sizeof *out);
    for (*n = 0; *n < list->count; ++*n) {
        int64_t value;
        assert_true(lm_json_int64(lm_json_at(list, *n), &value));
        out[*n] = (int32_t)value;
    }
    return out;
}

static int read_reference(const char *file, reference *out) {
    size_t size = 0;
    lm_env env;
    lm_arena arena;
    const lm_json *root;
    char *text = read_file(file, &size);
    lm_env_init(&env, NULL, NULL);
    lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
    assert_int_equal(lm_json_parse(&arena, text, size, LM_JSON_DEPTH_DEFAULT, &root, NULL), LM_OK);
    const char *rows = lm_json_text(lm_json_get(root, "embd"), NULL);
    *out = (reference){0};
    snprintf(out->name, sizeof out->name, "%.*s", (int)(strlen(file) - 5), file);
    if (rows) {
        out->tokens = read_integers(lm_json_get(root, "tokens"), &out->n_tokens);
        out->positions = read_integers(lm_json_get(root, "positions"), &out->n_positions);
        out->rows = read_file(rows, &size);
        out->width = size / sizeof(float) / out->n_positions;
        out->pooled = read_file(lm_json_text(lm_json_get(root, "pooled"), NULL), &size);
        assert_int_equal(size, 2 * out->width * sizeof(float));
        assert_true(lm_json_double(lm_json_get(lm_json_get(root, "tolerance"), "max_abs"), &out->max_abs));
    }
    lm_arena_free(&arena);
    free(text);
    return rows != NULL;
}

typedef struct setting {
    const char *cpu;
    int32_t n_threads, n_seqs, n_batch, pooling;
} setting;

static lm_model *open_model(const char *name, const setting *s) {
    lm_runtime_params runtime = LM_RUNTIME_PARAMS_INIT;
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_model *model = NULL;
    lm_error error = {.message = ""};
    char path[1200];
    snprintf(path, sizeof path, "%s/%s.gguf", folder, name);
    runtime.cpu = s->cpu;
    runtime.n_threads = s->n_threads;
    if (lm_runtime_create(&runtime, &params.runtime, &error) != LM_OK ||
        lm_model_open(path, &params, &model, &error) != LM_OK)
        fail_msg("%s: %s", name, error.message);
    lm_runtime_destroy(params.runtime);
    return model;
}

static lm_context *open_context(lm_model *model, const setting *s) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context;
    lm_error error = {.message = ""};
    params.n_ctx = 512;
    params.n_seqs = s->n_seqs;
    params.n_batch = s->n_batch;
    params.outputs = LM_OUTPUT_POOLED;
    params.pooling = s->pooling;
    if (lm_context_open(model, &params, &context, &error) != LM_OK) fail_msg("%s", error.message);
    return context;
}

/* Rows of texts, from malloc. */
static float *embed(const char *name, const setting *s, const lm_embed_text *texts, size_t n, uint32_t flags,
                    size_t *n_floats) {
    lm_model *model = open_model(name, s);
    lm_context *context = open_context(model, s);
    size_t rows = 0;
    for (size_t i = 0; i < n; i++) rows += s->pooling == LM_POOLING_NONE ? texts[i].n_tokens : 1;
    *n_floats = rows * lm_embed_width(context);
    float *out = malloc(*n_floats * sizeof *out);
    if (lm_embed(context, texts, n, flags, out, *n_floats) != LM_OK)
        fail_msg("%s: %s", name, lm_context_message(context));
    assert_int_equal(lm_embed(context, texts, n, flags, out, *n_floats - 1), LM_ERR_FULL);
    for (int32_t q = 0; q < s->n_seqs; q++) assert_int_equal(lm_seq_length(context, q), 0);
    lm_context_close(context);
    lm_model_close(model);
    return out;
}

static void check_near(const reference *r, const char *what, const float *found, const float *expected) {
    for (size_t i = 0; i < r->width; i++)
        if (!(fabs((double)found[i] - (double)expected[i]) <= r->max_abs))
            fail_msg("%s, %s: value %zu is %g, expected %g", r->name, what, i, (double)found[i], (double)expected[i]);
}

static void check_values(const reference *r) {
    lm_embed_text text = {r->tokens, r->n_tokens};
    size_t n;
    setting s = {NULL, 2, 1, 0, LM_POOLING_NONE};
    float *rows = embed(r->name, &s, &text, 1, LM_EMBED_RAW, &n);
    for (size_t i = 0; i < r->n_positions; i++)
        check_near(r, "a token's row", rows + (size_t)r->positions[i] * r->width, r->rows + i * r->width);
    free(rows);
    for (int k = 0; k < 2; k++) {
        s.pooling = k ? LM_POOLING_CLS : LM_POOLING_MEAN;
        float *pooled = embed(r->name, &s, &text, 1, LM_EMBED_RAW, &n);
        check_near(r, k ? "first" : "mean", pooled, r->pooled + (size_t)k * r->width);
        free(pooled);
    }
    double length = 0;
    s.pooling = LM_POOLING_DEFAULT;
    float *one = embed(r->name, &s, &text, 1, 0, &n);
    for (size_t i = 0; i < n; i++) length += (double)one[i] * (double)one[i];
    assert_true(fabs(length - 1) < 1e-6);
    free(one);
}

/* Six texts one by one are the bytes everything else must give. */
static void check_same_bytes(const char *name, const lm_token *tokens, size_t n_tokens, int32_t pooling,
                             int32_t small_batch) {
    const lm_embed_text texts[6] = {{tokens, n_tokens}, {tokens + 3, 7}, {tokens + 1, 65},
                                    {tokens, 64},       {tokens + 5, 1}, {tokens + 9, n_tokens - 9}};
    const setting settings[] = {{"generic", 2, 1, 0, pooling}, {"avx2", 1, 1, 0, pooling},
                                {"neon", 1, 1, 0, pooling},    {NULL, 2, 4, 170, pooling},
                                {NULL, 1, 6, 0, pooling},      {NULL, 1, 2, small_batch, pooling}};
    setting alone = {NULL, 1, 1, 0, pooling};
    float *expected = NULL;
    size_t n, total = 0;
    for (size_t i = 0; i < 6; i++) {
        float *row = embed(name, &alone, &texts[i], 1, 0, &n);
        expected = realloc(expected, (total + n) * sizeof *expected);
        memcpy(expected + total, row, n * sizeof *row);
        total += n;
        free(row);
    }
    for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
        lm_runtime_params probe = LM_RUNTIME_PARAMS_INIT;
        lm_runtime *runtime = NULL;
        probe.cpu = settings[s].cpu;
        lm_status status = lm_runtime_create(&probe, &runtime, NULL);
        lm_runtime_destroy(runtime);
        if (status != LM_OK) continue;
        float *rows = embed(name, &settings[s], texts, 6, 0, &n);
        assert_int_equal(n, total);
        if (memcmp(rows, expected, total * sizeof *rows) != 0) fail_msg("%s: other bytes in setting %zu", name, s);
        free(rows);
    }
    free(expected);
}

static void encoders_agree_with_the_reference(void **state) {
    (void)state;
    DIR *directory = opendir(folder);
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        reference r;
        if (length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0 || !read_reference(entry->d_name, &r))
            continue;
        check_values(&r);
        check_same_bytes(r.name, r.tokens, r.n_tokens, LM_POOLING_MEAN, 0);
        n++;
        free(r.tokens);
        free(r.positions);
        free(r.rows);
        free(r.pooled);
    }
    closedir(directory);
    assert_true(n > 0);
}

static void decoders_pool_alike_in_any_batch(void **state) {
    (void)state;
    lm_token tokens[96];
    for (int32_t i = 0; i < 96; i++) tokens[i] = 3 + i * 7 % 50;
    static const char *const names[] = {"qwen3", "qwen35", "lfm2",
                                        "gemma3"}; /* full attention, states, both, windows */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_same_bytes(names[i], tokens, 96, LM_POOLING_LAST, 7);
        check_same_bytes(names[i], tokens, 96, LM_POOLING_MEAN, 0);
        check_same_bytes(names[i], tokens, 96, LM_POOLING_NONE, 13);
        lm_embed_text text = {tokens, 96};
        setting last = {NULL, 1, 1, 0, LM_POOLING_LAST}, first = {NULL, 1, 1, 0, LM_POOLING_CLS},
                none = {NULL, 1, 1, 0, LM_POOLING_NONE};
        size_t n, n_rows;
        float *a = embed(names[i], &last, &text, 1, 0, &n), *b = embed(names[i], &none, &text, 1, 0, &n_rows),
              *c = embed(names[i], &first, &text, 1, 0, &n);
        assert_memory_equal(a, b + n_rows - n, n * sizeof *a);
        assert_memory_equal(c, b, n * sizeof *c);
        free(a);
        free(b);
        free(c);
    }
}

/* Rerankers: the .json holds the score of every label. */
static void scores_agree_with_the_reference(void **state) {
    (void)state;
    static const char *const names[] = {"bert-rank", "qwen3-rank"};
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        char file[96];
        size_t size, n, n_scores;
        lm_env env;
        lm_arena arena;
        const lm_json *root;
        snprintf(file, sizeof file, "%s.json", names[m]);
        char *text = read_file(file, &size);
        lm_env_init(&env, NULL, NULL);
        lm_arena_init(&arena, &env, LM_ARENA_UNLIMITED);
        assert_int_equal(lm_json_parse(&arena, text, size, LM_JSON_DEPTH_DEFAULT, &root, NULL), LM_OK);
        lm_embed_text whole = {.tokens = NULL};
        lm_token *tokens = read_integers(lm_json_get(root, "tokens"), &whole.n_tokens);
        const lm_json *scores = lm_json_get(root, "scores");
        assert_true(lm_json_is(scores, LM_JSON_ARRAY));
        n_scores = scores->count;
        whole.tokens = tokens;
        setting s = {NULL, 2, 1, 0, LM_POOLING_DEFAULT}; /* the file says that it ranks */
        float *found = embed(names[m], &s, &whole, 1, 0, &n);
        assert_int_equal(n, n_scores);
        for (size_t i = 0; i < n; i++) {
            double wanted;
            assert_true(lm_json_double(lm_json_at(scores, i), &wanted));
            if (!(fabs((double)found[i] - wanted) <= 1e-4))
                fail_msg("%s: score %zu is %g, expected %g", names[m], i, (double)found[i], wanted);
        }
        check_same_bytes(names[m], tokens, whole.n_tokens, LM_POOLING_RANK, 0);
        free(found);
        free(tokens);
        lm_arena_free(&arena);
        free(text);
    }
}

static void refusals_leave_the_context_usable(void **state) {
    (void)state;
    setting s = {NULL, 1, 1, 20, LM_POOLING_MEAN};
    lm_token tokens[40];
    for (int32_t i = 0; i < 40; i++) tokens[i] = 3 + i;
    lm_embed_text whole = {tokens, 20}, longer = {tokens, 40}, empty = {tokens, 0};
    float row[64];
    lm_model *model = open_model("bert", &s);
    lm_context *c = open_context(model, &s);
    assert_true(lm_embed_width(c) <= 64);
    assert_int_equal(lm_embed(c, &longer, 1, 0, row, 64), LM_ERR_FULL);
    const lm_embed_text both[] = {{tokens + 4, 16}, whole};
    float rows[128];
    assert_int_equal(lm_embed(c, &empty, 1, 0, row, 64), LM_ERR_ARGUMENT);
    assert_int_equal(lm_embed(c, &whole, 1, 8, row, 64), LM_ERR_ARGUMENT);
    tokens[3] = 100000;
    assert_int_equal(lm_embed(c, both, 2, 0, rows, 128), LM_ERR_RANGE);
    assert_non_null(strstr(lm_context_message(c), "text 1: token 3 is 100000: "));
    tokens[3] = 6;
    assert_int_equal(lm_embed(c, &whole, 1, 0, row, 64), LM_OK);
    assert_int_equal(lm_context_eval(c, tokens, 5), LM_OK);
    assert_non_null(lm_context_pooled(c, 0));
    assert_null(lm_context_logits(c));
    assert_int_equal(lm_context_eval(c, tokens, 5), LM_ERR_STATE);
    lm_context_close(c);
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    params.outputs = LM_OUTPUT_LOGITS;
    assert_int_equal(lm_context_open(model, &params, &c, NULL), LM_ERR_UNSUPPORTED);
    params.outputs = LM_OUTPUT_POOLED;
    params.pooling = LM_POOLING_RANK;
    assert_int_equal(lm_context_open(model, &params, &c, NULL), LM_ERR_UNSUPPORTED);
    params.pooling = 9;
    assert_int_equal(lm_context_open(model, &params, &c, NULL), LM_ERR_ARGUMENT);
    lm_model_close(model);
    model = open_model("qwen3", &s);
    assert_int_equal(lm_context_open(model, NULL, &c, NULL), LM_OK);
    assert_int_equal(lm_embed_width(c), 0);
    assert_int_equal(lm_embed(c, &whole, 1, 0, row, 64), LM_ERR_STATE);
    lm_context_close(c);
    lm_model_close(model);
}

int main(int argc, char **argv) {
    const struct CMUnitTest all[] = {
        cmocka_unit_test(encoders_agree_with_the_reference), cmocka_unit_test(decoders_pool_alike_in_any_batch),
        cmocka_unit_test(scores_agree_with_the_reference), cmocka_unit_test(refusals_leave_the_context_usable)};
    DIR *directory = argc > 1 ? opendir(argv[1]) : NULL;
    if (!directory) return 77; /* meson's word for a skipped test */
    closedir(directory);
    folder = argv[1];
    /* The shared models have no tiny decoder of these names: there only the references are compared. */
    const char *own = argc > 2 ? argv[2] : "";
    if (strcmp(own, "references") == 0) {
        const struct CMUnitTest first[] = {all[0]};
        return cmocka_run_group_tests_name(folder, first, NULL, NULL);
    }
    return cmocka_run_group_tests_name(folder, all, NULL, NULL);
}
