/* SPDX-License-Identifier: MIT
 * Hyper-parameters nobody trained: every number of every golden model's metadata becomes zero, one, odd, huge or negative, one at a time, and
 * array lengths shrink. Opening ends in a status, and what opens can be evaluated. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <lm/lm.h>

#include <dirent.h>

#include "gguf/gguf.h"

static size_t opened, refused;

static int open_and_run(const char *bytes, size_t size, lm_runtime *runtime) {
    lm_model_params params = LM_MODEL_PARAMS_INIT;
    lm_context_params context_params = LM_CONTEXT_PARAMS_INIT;
    lm_model *model = NULL;
    lm_context *context = NULL;
    lm_error error = {.status = LM_OK};
    params.runtime = runtime;
    lm_status status = lm_model_open_memory(bytes, size, &params, &model, &error);
    if (status != LM_OK) {
        assert_int_equal(error.status, status);
        assert_true(error.message[0] != '\0');
        refused++;
        return 0;
    }
    context_params.n_ctx = 80;
    context_params.n_batch = 16;
    if (lm_context_open(model, &context_params, &context, &error) == LM_OK) {
        lm_token tokens[16];
        for (int32_t i = 0; i < 16; i++) tokens[i] = 3 + i;
        lm_context_eval(context, tokens, 16);
        lm_context_eval(context, tokens, 9);
        lm_context_close(context);
        opened++;
    }
    lm_model_info info = {.struct_size = sizeof info};
    assert_int_equal(lm_model_get_info(model, &info), LM_OK);
    context_params.outputs = LM_OUTPUT_LOGITS | LM_OUTPUT_DRAFT;
    status = lm_context_open(model, &context_params, &context, &error);
    if (info.n_draft_layers == 0) assert_int_not_equal(status, LM_OK);
    if (status == LM_OK) {
        lm_token tokens[16];
        for (int32_t i = 0; i < 16; i++) tokens[i] = 3 + i;
        lm_context_eval(context, tokens, 16);
        lm_context_close(context);
    }
    lm_model_close(model);
    return 1;
}

static size_t number_bytes(int32_t type) {
    switch (type) {
    case LM_GGUF_U32:
    case LM_GGUF_I32:
    case LM_GGUF_F32: return 4;
    case LM_GGUF_BOOL: return 1;
    default: return 0;
    }
}

/* Little-endian patterns to put in place of a number. */
static void mutate_value(char *bytes, size_t size, size_t at, size_t width, int is_float, lm_runtime *runtime) {
    static const uint32_t integers[] = {0, 1, 2, 3, 7, 33, 1000, 65537, 0x00800000, 0x7FFFFFFF, 0xFFFFFFFF};
    static const uint32_t floats[] = {0, 0x80000000, 0x7F800000, 0x7FC00000, 0xBF800000, 0x7F7FFFFF, 1};
    char kept[4];
    memcpy(kept, bytes + at, width);
    size_t n = is_float ? sizeof floats / sizeof *floats : sizeof integers / sizeof *integers;
    for (size_t i = 0; i < (width == 1 ? 2 : n); i++) {
        uint32_t v = is_float ? floats[i] : integers[i];
        for (size_t b = 0; b < width; b++) bytes[at + b] = (char)(v >> 8 * b);
        open_and_run(bytes, size, runtime);
    }
    memcpy(bytes + at, kept, width);
}

static void mutate_model(const char *path, lm_runtime *runtime) {
    size_t size = 0;
    char *bytes = test_read(path, &size);
    lm_env env;
    lm_gguf *gguf;
    lm_env_init(&env, NULL, NULL);
    assert_non_null(bytes);
    lm_gguf_part part = {bytes, size, size};
    assert_int_equal(lm_gguf_open(&env, &part, NULL, &gguf, NULL), LM_OK);
    assert_true(open_and_run(bytes, size, runtime));
    for (size_t i = 0; i < lm_gguf_n_values(gguf); i++) {
        const lm_gguf_value *v = lm_gguf_value_at(gguf, i);
        size_t width = number_bytes(v->element_type), at = (size_t)((const char *)v->data - bytes);
        if (!width || (v->key.size > 9 && memcmp(v->key.data, "tokenizer", 9) == 0)) continue;
        mutate_value(bytes, size, at, width, v->element_type == LM_GGUF_F32, runtime);
        if (v->count > 1)
            mutate_value(bytes, size, at + v->bytes - width, width, v->element_type == LM_GGUF_F32, runtime);
    }
    /* A key that is no longer there: its name loses its last letter. */
    for (size_t i = 0; i < lm_gguf_n_values(gguf); i++) {
        lm_gguf_str key = lm_gguf_value_at(gguf, i)->key;
        char *end = bytes + (key.data - bytes) + key.size - 1, kept = *end;
        *end = '#';
        open_and_run(bytes, size, runtime);
        *end = kept;
    }
    lm_gguf_close(gguf);
    free(bytes);
}

static void any_hyper_parameters_end_in_a_status(void **state) {
    (void)state;
    const char *golden = getenv("LM_GOLDEN");
    char folder[1024], path[1400];
    lm_runtime_params params = LM_RUNTIME_PARAMS_INIT;
    lm_runtime *runtime;
    params.n_threads = 1;
    snprintf(folder, sizeof folder, "%s/models", golden ? golden : "");
    DIR *directory = opendir(folder);
    if (!directory) skip();
    assert_int_equal(lm_runtime_create(&params, &runtime, NULL), LM_OK);
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length < 6 || strcmp(entry->d_name + length - 5, ".gguf") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        mutate_model(path, runtime);
    }
    closedir(directory);
    lm_runtime_destroy(runtime);
    assert_true(opened > 100 && refused > 100);
}

/* What cannot be guessed: the sentence names the key. value -1: the key is not there. */
static void what_a_family_needs_is_asked_for_by_name(void **state) {
    (void)state;
    static const struct {
        const char *model, *key;
        int32_t value;
        const char *said; /* NULL: the key */
    } rows[] = {{"deepseek2", "deepseek2.expert_gating_func", 9, NULL},
                {"deepseek2", "deepseek2.attention.kv_lora_rank", -1, NULL},
                {"gemma4", "gemma4.attention.sliding_window", -1, NULL},
                {"gemma3n", "gemma3n.attention.sliding_window", -1, NULL},
                {"gpt-oss", "gpt-oss.attention.sliding_window", -1, NULL},
                {"llama", "llama.attention.layer_norm_rms_epsilon", -1, NULL},
                {"llama", "llama.rope.dimension_count", 3, NULL},
                {"llama", "llama.attention.head_count", 0, "block 0: 0 query heads for 2 key-value heads"},
                {"llama", "llama.attention.head_count_kv", 3, "block 0: 4 query heads for 3 key-value heads"},
                {"qwen3moe", "qwen3moe.expert_used_count", 0, "0 of 6 experts used"},
                {"gemma3n", "gemma3n.altup.active_idx", 1, NULL},
                {"qwen35", "qwen35.ssm.group_count", 3, "keys qwen35.ssm.*: sizes that do not divide"},
                {"gemma4", "gemma4.rope.dimension_count_swa", 7, "keys gemma4.rope.*_swa out of range"},
                {"mistral3", "mistral3.rope.scaling.original_context_length", 0, NULL},
                {"gemma4", "gemma4.rope.freq_base_swa", 0, "keys gemma4.rope.*_swa out of range"},
                {"llama", "llama.rope.freq_base", 0, NULL},
                {"qwen35", "qwen35.ssm.state_size", -1, NULL},
                {"lfm2", "lfm2.shortconv.l_cache", 40, NULL},
                {"mistral3", "mistral3.rope.scaling.yarn_beta_fast", 0, "key mistral3.rope.scaling: YaRN"},
                {"mistral3", "mistral3.rope.scaling.yarn_beta_slow", 0, "key mistral3.rope.scaling: YaRN"}};
    const char *golden = getenv("LM_GOLDEN");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[1400];
        size_t size = 0;
        snprintf(path, sizeof path, "%s/models/%s.gguf", golden ? golden : "", rows[i].model);
        char *bytes = test_read(path, &size), *value = NULL;
        if (!bytes) skip();
        size_t n = strlen(rows[i].key);
        for (size_t at = 0; at + n + 8 < size && !value; at++)
            if (memcmp(bytes + at, rows[i].key, n) == 0 &&
                (bytes[at + n] == LM_GGUF_U32 || bytes[at + n] == LM_GGUF_F32))
                value = bytes + at + n + 4;
        assert_non_null(value);
        if (rows[i].value < 0)
            value[-5] = '#'; /* the name's last letter */
        else
            memcpy(value, &(int32_t){rows[i].value}, 4);
        lm_model_params params = LM_MODEL_PARAMS_INIT;
        lm_model *model = NULL;
        lm_error error = {.message = ""};
        if (lm_model_open_memory(bytes, size, &params, &model, &error) == LM_OK) fail_msg("%s: opened", rows[i].key);
        if (!strstr(error.message, rows[i].said ? rows[i].said : rows[i].key))
            fail_msg("%s: %s", rows[i].key, error.message);
        free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_hyper_parameters_end_in_a_status),
                                       cmocka_unit_test(what_a_family_needs_is_asked_for_by_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
