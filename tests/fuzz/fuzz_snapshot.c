/* SPDX-License-Identifier: MIT
 * A saved sequence with any changes: restoring gives a status, the sequence is what it was or what was saved or empty, and the context
 * still evaluates. The input is a list of changes, so that seeds do not depend on the model: first byte: bit 0 mends the checksum,
 * bit 1 mends the size in the header; then 5 bytes each: offset (modulo the size), new byte; offset 2^32 - 1 cuts the file there. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lm/lm.h>

#include "base/hash.h"

#define N_TOKENS 70 /* a whole page and a part of one */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lm_context *context;
static uint8_t *saved, *changed;
static size_t n_saved;
static char path[256];

static void write_file(const uint8_t *bytes, size_t n) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) abort();
}

static void evaluate(lm_seq seq, size_t n) {
    lm_token tokens[N_TOKENS];
    for (size_t i = 0; i < n; i++) tokens[i] = (lm_token)(3 + i * 7 % 50);
    lm_batch_item item = {seq, LM_LOGITS_LAST, tokens, n};
    if (lm_context_eval_batch(context, &item, 1) != LM_OK) abort();
}

/* LM_GOLDEN is the folder of our small models; the scratch file lies in TMPDIR. */
static void begin(void) {
    const char *golden = getenv("LM_GOLDEN"), *folder = getenv("TMPDIR");
    lm_model *model;
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    lm_runtime_params runtime_params = LM_RUNTIME_PARAMS_INIT;
    lm_model_params model_params = LM_MODEL_PARAMS_INIT;
    lm_error error;
    char name[1024];
    params.n_ctx = 256;
    params.n_seqs = 2;
    runtime_params.n_threads = 1;
    snprintf(name, sizeof name, "%s/models/hybrid.gguf", golden ? golden : "tests/golden");
    snprintf(path, sizeof path, "%s/lm-fuzz-snapshot-%p", folder ? folder : "/tmp", (void *)name);
    if (lm_runtime_create(&runtime_params, &model_params.runtime, &error) != LM_OK ||
        lm_model_open(name, &model_params, &model, &error) != LM_OK ||
        lm_context_open(model, &params, &context, &error) != LM_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit(3);
    }
    lm_model_close(model); /* the context keeps it */
    lm_runtime_destroy(model_params.runtime);
    evaluate(0, N_TOKENS);
    if (lm_seq_save(context, 0, path) != LM_OK) abort();
    FILE *file = fopen(path, "rb");
    if (!file) abort();
    fseek(file, 0, SEEK_END);
    n_saved = (size_t)ftell(file);
    rewind(file);
    saved = malloc(n_saved);
    changed = malloc(n_saved);
    if (!saved || !changed || fread(saved, 1, n_saved, file) != n_saved) abort();
    fclose(file);
}

static void put64(uint8_t *out, uint64_t value) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(value >> 8 * i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!context) begin();
    size_t n = n_saved;
    memcpy(changed, saved, n_saved);
    for (size_t i = 1; i + 5 <= size; i += 5) {
        uint32_t offset;
        memcpy(&offset, data + i, sizeof offset);
        if (offset == UINT32_MAX)
            n = n * data[i + 4] / 256;
        else if (n > 0)
            changed[offset % n] = data[i + 4];
    }
    if (size > 0 && data[0] & 2 && n >= 48) put64(changed + 40, n);
    if (size > 0 && data[0] & 1 && n >= 8) put64(changed + n - 8, lm_checksum(changed, n - 8, 0));
    write_file(changed, n);
    int32_t before = lm_seq_length(context, 1);
    lm_status status = lm_seq_restore(context, 1, path);
    int32_t after = lm_seq_length(context, 1);
    if (status == LM_OK ? after > 256 : after != before && after != 0) abort();
    for (int32_t i = 0; i < after; i++)
        if (lm_seq_tokens(context, 1)[i] < 0) abort();
    if (after > 250 && lm_seq_close(context, 1) != LM_OK) abort();
    evaluate(1, 3);
    if (lm_seq_close(context, 1) != LM_OK) abort();
    if (n == n_saved && memcmp(changed, saved, n) == 0 && status != LM_OK) abort();
    remove(path);
    return 0;
}
