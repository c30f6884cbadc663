/* SPDX-License-Identifier: MIT
 * LoRA pairs for every matrix of every model, against the same model with the products merged into its weights. What cannot be adapted
 * is named here. Control vectors in every decoder. The bytes depend neither on how a text is cut into batches nor on threads or the
 * instruction set.
 *
 * usage: test_adapters FOLDER; skips when the folder does not exist. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <lm/adapter.h>
#include <lm/embed.h>
#include <math.h>
#include <unistd.h>

#include "base/env.h"
#include "fixture.h"
#include "gguf/gguf_writer.h"

#define RANK 3
#define ALPHA 1.5f

static const char *folder;
static fixture *fixtures;
static size_t n_fixtures;

static float noise(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(int32_t)*state * 0x1p-31f;
}

/* ---- which tensors ---- */

static bool ends_with(lm_gguf_str name, const char *suffix) {
    size_t n = strlen(suffix);
    return name.size >= n && memcmp(name.data + name.size - n, suffix, n) == 0;
}

/* Not embeddings of other kinds, taps, and the matrices between Gemma 3n's streams. */
static bool is_adaptable(const lm_gguf *gguf, const lm_gguf_tensor *t) {
    static const char *const not [] = {
        "position_embd.weight",     "token_types.weight", "per_layer_token_embd.weight", "conv1d.weight",
        "shortconv.conv.weight",    "altup_proj.weight",  "altup_unembd_proj.weight",    "altup_predict_coef.weight",
        "altup_correct_coef.weight"};
    if (t->n_dims < 2 || t->dtype != LM_DTYPE_F32 || !ends_with(t->name, ".weight")) return false;
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        if (ends_with(t->name, not [i])) return false;
    /* As a tied output matrix the embedding stays as it is. */
    return !ends_with(t->name, "token_embd.weight") || lm_gguf_find_tensor(gguf, "output.weight");
}

/* ---- the adapter's file, and the model with the same in its weights ---- */

typedef struct half {
    char name[96];
    float *values;
    int64_t dims[3];
} half;

typedef struct maker {
    half *halves; /* A and B of each matrix in turn */
    size_t n;
} maker;

static size_t count(const half *h) { return (size_t)(h->dims[0] * h->dims[1] * h->dims[2]); }

static half random_half(const lm_gguf_tensor *t, char which, int64_t ne0, int64_t ne1, float gain, uint32_t *seed) {
    half h = {.dims = {ne0, ne1, t->dims[2]}};
    snprintf(h.name, sizeof h.name, "%.*s.lora_%c", (int)t->name.size, t->name.data, which);
    h.values = malloc(count(&h) * sizeof *h.values);
    for (size_t i = 0; i < count(&h); i++) h.values[i] = gain * noise(seed);
    return h;
}

/* The factors behind the products of a tensor's matrices, or NULL. They do not belong to what an adapter adds. */
static const float *factors_of(const lm_gguf *gguf, const lm_gguf_tensor *t) {
    char name[96];
    int n = (int)t->name.size - (int)strlen("weight");
    if (ends_with(t->name, "ffn_gate_up_exps.weight"))
        snprintf(name, sizeof name, "%.*sup_exps.scale", n - (int)strlen("gate_up_exps."), t->name.data);
    else
        snprintf(name, sizeof name, "%.*sscale", n, t->name.data);
    const lm_gguf_tensor *found = lm_gguf_find_tensor(gguf, name);
    /* Gemma 4's router has one for its input. */
    return found && found->count == (uint64_t)t->dims[2] ? lm_gguf_tensor_data(gguf, found) : NULL;
}

/* W += scale * B A / factor, for each of the matrices of one tensor */
static void merge(float *w, const float *factors, const lm_gguf_tensor *t, const half *a, const half *b, bool flipped,
                  float scale) {
    int64_t n_in = t->dims[0], n_out = t->dims[1];
    for (int64_t m = 0; m < t->dims[2]; m++)
        for (int64_t o = 0; o < n_out; o++)
            for (int64_t i = 0; i < n_in; i++) {
                double sum = 0;
                for (int64_t r = 0; r < RANK; r++)
                    sum += flipped ? (double)a->values[o * RANK + r] * (double)b->values[i * RANK + r]
                                   : (double)b->values[(m * n_out + o) * RANK + r] *
                                         (double)a->values[(m * RANK + r) * n_in + i];
                float *at = &w[(m * n_out + o) * n_in + i];
                *at = (float)((double)*at + (double)scale * sum / (factors ? (double)factors[m] : 1));
            }
}

static lm_status to_file(void *user, const void *bytes, size_t n) {
    return fwrite(bytes, 1, n, user) == n ? LM_OK : LM_ERR_IO;
}

static lm_status give_half(void *user, size_t index, const lm_gguf_sink *sink) {
    const half *h = &((maker *)user)->halves[index];
    return sink->write(sink->user, h->values, count(h) * sizeof *h->values);
}

/* Whatever was set in w, and the halves. */
static void write_file(lm_gguf_writer *w, maker *m, uint32_t n_dims, const char *path) {
    FILE *file = fopen(path, "wb");
    lm_gguf_sink sink = {file, to_file};
    assert_non_null(file);
    for (size_t i = 0; i < m->n; i++) {
        const half *h = &m->halves[i];
        assert_int_equal(lm_gguf_writer_add_tensor(w, h->name, LM_DTYPE_F32, n_dims, h->dims, NULL), LM_OK);
    }
    assert_int_equal(lm_gguf_writer_write(w, &sink, m, give_half, NULL), LM_OK);
    lm_gguf_writer_destroy(w);
    fclose(file);
}

static void write_adapter(maker *m, const lm_gguf *model, const char *path) {
    lm_env env;
    lm_gguf_writer *w;
    lm_gguf_str architecture;
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(lm_gguf_get_string(model, "general.architecture", &architecture, NULL), LM_OK);
    assert_int_equal(lm_gguf_writer_create(&env, &w), LM_OK);
    lm_gguf_writer_set_string(w, "general.type", "adapter", 7, NULL);
    lm_gguf_writer_set_string(w, "adapter.type", "lora", 4, NULL);
    lm_gguf_writer_set_string(w, "general.architecture", architecture.data, architecture.size, NULL);
    lm_gguf_writer_set_float(w, "adapter.lora.alpha", LM_GGUF_F32, (double)ALPHA, NULL);
    write_file(w, m, 3, path);
}

/* Pairs for all matrices go to the file; bytes, the model's, get the sum of what both uses add. */
static void make(const char *path, char *bytes, size_t size, float scale) {
    lm_env env;
    lm_gguf *gguf;
    lm_gguf_part part = {bytes, size, size};
    maker m = {0};
    uint32_t seed = 7;
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(lm_gguf_open(&env, &part, NULL, &gguf, NULL), LM_OK);
    m.halves = malloc(2 * lm_gguf_n_tensors(gguf) * sizeof *m.halves);
    for (size_t i = 0; i < lm_gguf_n_tensors(gguf); i++) {
        const lm_gguf_tensor *t = lm_gguf_tensor_at(gguf, i);
        if (!is_adaptable(gguf, t)) continue;
        bool flipped = ends_with(t->name, "token_embd.weight");
        half *a = &m.halves[m.n++], *b = &m.halves[m.n++];
        *a = flipped ? random_half(t, 'a', RANK, t->dims[1], 0.7f, &seed)
                     : random_half(t, 'a', t->dims[0], RANK, 1.0f / sqrtf((float)t->dims[0]), &seed);
        *b = random_half(t, 'b', RANK, t->dims[flipped ? 0 : 1], 0.5f, &seed);
        merge((float *)(void *)(bytes + t->offset), factors_of(gguf, t), t, a, b, flipped, scale * ALPHA / RANK);
    }
    write_adapter(&m, gguf, path);
    for (size_t i = 0; i < m.n; i++) free(m.halves[i].values);
    free(m.halves);
    lm_gguf_close(gguf);
}

/* ---- comparing ---- */

static lm_context *pooling_context(lm_model *model, int32_t n_batch) {
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_context *context;
    params.n_ctx = 128;
    params.n_batch = n_batch;
    params.outputs = LM_OUTPUT_POOLED;
    params.pooling = LM_POOLING_NONE;
    assert_int_equal(lm_context_open(model, &params, &context, NULL), LM_OK);
    return context;
}

/* Rows of logits, or of an encoder's embeddings, from calls of `step` tokens; an encoder has all of a text in one. */
static float *rows_of(lm_model *model, const fixture *f, const lm_adapter_use *uses, size_t n_uses, size_t step) {
    float *rows = malloc(f->n_tokens * f->n_vocab * sizeof *rows);
    bool encoder = f->logits == NULL;
    lm_context *c = encoder ? pooling_context(model, 128) : fixture_context(model, 1, 64);
    if (lm_context_set_adapters(c, uses, n_uses) != LM_OK) fail_msg("%s: %s", f->name, lm_context_message(c));
    lm_embed_text text = {f->tokens, f->n_tokens};
    if (!encoder)
        fixture_eval(c, f, 0, 0, f->n_tokens, step, rows);
    else if (lm_embed(c, &text, 1, LM_EMBED_RAW, rows, f->n_tokens * f->n_vocab) != LM_OK)
        fail_msg("%s: %s", f->name, lm_context_message(c));
    lm_context_close(c);
    return rows;
}

/* The same from calls of one token, one thread and plain C. */
static float *single_rows(const fixture *f, const char *path, const lm_adapter_use *uses, size_t n_uses) {
    lm_model *model = fixture_open(f, "generic", 1);
    lm_adapter_use own[2];
    lm_adapter *adapter;
    assert_int_equal(lm_adapter_open(model, path, &adapter, NULL), LM_OK);
    for (size_t i = 0; i < n_uses; i++) {
        own[i] = uses[i];
        own[i].adapter = adapter;
    }
    float *rows = rows_of(model, f, own, n_uses, 1);
    lm_adapter_close(adapter);
    lm_model_close(model);
    return rows;
}

static double largest_difference(const float *a, const float *b, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        if (!(d <= largest)) largest = d;
    }
    return largest;
}

static void check(const fixture *f, const char *path) {
    size_t size = 0, n = f->n_tokens * f->n_vocab;
    char *bytes = test_read(f->model_path, &size);
    lm_adapter *adapter;
    lm_model *merged;
    lm_error error;
    make(path, bytes, size, 0.75f - 0.25f);
    lm_model *model = fixture_open(f, NULL, 2);
    if (lm_adapter_open(model, path, &adapter, &error) != LM_OK) fail_msg("%s: %s", f->name, error.message);
    if (lm_model_open_memory(bytes, size, NULL, &merged, &error) != LM_OK) fail_msg("%s: %s", f->name, error.message);
    const lm_adapter_use uses[] = {{adapter, 0.75f, 0, 0}, {adapter, -0.25f, 0, 0}};
    float *plain = rows_of(model, f, NULL, 0, 64), *expected = rows_of(merged, f, NULL, 0, 64),
          *got = rows_of(model, f, uses, 2, 64), *single = single_rows(f, path, uses, 2);
    double effect = largest_difference(plain, expected, n), wrong = largest_difference(got, expected, n);
    if (!(effect > 0.2) || !(wrong < 5e-4 * effect))
        fail_msg("%s: adapted and merged differ by %g, adapted and plain by %g", f->name, wrong, effect);
    if (memcmp(got, single, n * sizeof *got))
        fail_msg("%s: the bytes depend on batch, threads or instruction set", f->name);
    free(plain), free(expected), free(got), free(single);
    lm_adapter_close(adapter);
    lm_model_close(model);
    lm_model_close(merged);
    free(bytes);
}

static void adapted_models_equal_merged_ones(void **state) {
    (void)state;
    static const char *const encoders[] = {"bert", "nomic-bert", "nomic-bert-moe", "gemma-embedding"};
    lm_token tokens[40];
    char path[] = "./lm-adapter-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    for (size_t i = 0; i < n_fixtures; i++) check(&fixtures[i], path);
    for (int32_t i = 0; i < 40; i++) tokens[i] = 4 + i * 7 % 40;
    for (size_t i = 0; i < sizeof encoders / sizeof *encoders; i++) {
        fixture f = {.tokens = tokens, .n_tokens = 40};
        snprintf(f.name, sizeof f.name, "%s", encoders[i]);
        snprintf(f.model_path, sizeof f.model_path, "%s/%s.gguf", folder, encoders[i]);
        lm_model *model = fixture_open(&f, NULL, 1);
        lm_context *context = pooling_context(model, 128);
        f.n_vocab = lm_embed_width(context);
        lm_context_close(context);
        lm_model_close(model);
        check(&f, path);
    }
    unlink(path);
}

static void write_directions(const lm_model_info *info, const char *path) {
    lm_env env;
    lm_gguf_writer *w;
    uint32_t seed = 5;
    maker m = {malloc((size_t)info->n_layers * sizeof *m.halves), (size_t)info->n_layers};
    for (size_t i = 0; i < m.n; i++) {
        half *h = &m.halves[i];
        *h = (half){.values = malloc((size_t)info->n_embd * sizeof *h->values), .dims = {info->n_embd, 1, 1}};
        snprintf(h->name, sizeof h->name, "direction.%zu", i + 1);
        for (int32_t k = 0; k < info->n_embd; k++) h->values[k] = noise(&seed);
    }
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(lm_gguf_writer_create(&env, &w), LM_OK);
    lm_gguf_writer_set_string(w, "general.architecture", "controlvector", 13, NULL);
    write_file(w, &m, 1, path);
    for (size_t i = 0; i < m.n; i++) free(m.halves[i].values);
    free(m.halves);
}

static void decoders_take_control_vectors(void **state) {
    (void)state;
    char path[] = "./lm-adapter-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    for (size_t i = 0; i < n_fixtures; i++) {
        const fixture *f = &fixtures[i];
        size_t n = f->n_tokens * f->n_vocab;
        lm_model *model = fixture_open(f, NULL, 2);
        lm_model_info info = {.struct_size = sizeof info};
        lm_adapter *adapter;
        assert_int_equal(lm_model_get_info(model, &info), LM_OK);
        write_directions(&info, path);
        assert_int_equal(lm_adapter_open(model, path, &adapter, NULL), LM_OK);
        const lm_adapter_use uses[] = {{adapter, 0.5f, 0, 0}, {adapter, -0.5f, 0, 0}},
                             last = {adapter, 0.5f, info.n_layers - 1, 0};
        float *plain = rows_of(model, f, NULL, 0, 64), *got = rows_of(model, f, uses, 1, 64),
              *single = single_rows(f, path, uses, 1), *both = rows_of(model, f, uses, 2, 64),
              *of_last = rows_of(model, f, &last, 1, 64);
        if (!(largest_difference(plain, got, n) > 0.1) || !(largest_difference(plain, of_last, n) > 0.02) ||
            (info.n_layers > 2 && !memcmp(got, of_last, n * sizeof *got)))
            fail_msg("%s: a direction has no effect", f->name);
        if (memcmp(got, single, n * sizeof *got))
            fail_msg("%s: the bytes depend on batch, threads or instruction set", f->name);
        if (memcmp(plain, both, n * sizeof *got)) fail_msg("%s: opposite directions leave something", f->name);
        free(plain), free(got), free(single), free(both), free(of_last);
        lm_adapter_close(adapter);
        lm_model_close(model);
    }
    unlink(path);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(adapted_models_equal_merged_ones),
                                       cmocka_unit_test(decoders_take_control_vectors)};
    folder = argc < 2 ? "" : argv[1];
    if (argc < 2 || !(fixtures = fixtures_read(argv[1], &n_fixtures))) return 77; /* meson's word for a skipped test */
    int status = cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
    fixtures_free(fixtures, n_fixtures);
    return status;
}
