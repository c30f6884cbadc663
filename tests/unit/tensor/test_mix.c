/* SPDX-License-Identifier: MIT
 * Mixes: the worked example (32 layers, four query heads per key head, output of its own), experts, substitutes, what stays. */
#include "counting.h"

#include "tensor/mix.h"

enum { LAYERS = 32, KINDS = 9, N = LAYERS * KINDS + 3 };

static const char *const kinds[KINDS] = {"attn_q", "attn_k",   "attn_v",    "attn_output", "ffn_gate",
                                         "ffn_up", "ffn_down", "attn_norm", "ffn_gate_inp"};
static lm_mix_tensor tensors[N];
static char names[N][40];
static int32_t types[N];

static void put(size_t i, const char *name, int64_t rows) {
    snprintf(names[i], sizeof names[i], "%s", name);
    tensors[i] = (lm_mix_tensor){names[i], strlen(names[i]), {1024, rows, 1, 1}, LM_DTYPE_F32};
}

static void put_model(void) {
    char name[40];
    put(N - 3, "token_embd.weight", 1000);
    put(N - 2, "output.weight", 1000);
    put(N - 1, "output_norm.weight", 1);
    for (int l = 0; l < LAYERS; l++)
        for (int k = 0; k < KINDS; k++) { /* in another order than the rules count in */
            snprintf(name, sizeof name, "blk.%d.%s.weight", LAYERS - 1 - l, kinds[k]);
            put((size_t)(l * KINDS + k), name, k == 7 ? 1 : 64);
        }
}

static int32_t type_of(const char *name) {
    for (size_t i = 0; i < N; i++)
        if (strcmp(names[i], name) == 0) return types[i];
    fail_msg("no tensor %s", name);
    return -1;
}

static int32_t type_in(int layer, const char *kind) {
    char name[40];
    snprintf(name, sizeof name, "blk.%d.%s.weight", layer, kind);
    return type_of(name);
}

static lm_mix_params choose(int32_t file_type, bool has_weights) {
    lm_env env;
    lm_mix_params p = {file_type, LAYERS, 0, 4, has_weights, false, false, false, false, -1, -1};
    lm_env_init(&env, NULL, NULL);
    assert_int_equal(lm_mix_choose(&env, &p, tensors, N, types), LM_OK);
    return p;
}

/* Layers in which kind has this type, as a bit set. */
static uint32_t layers_with(const char *kind, int32_t type) {
    uint32_t bits = 0;
    for (int l = 0; l < LAYERS; l++) bits |= (uint32_t)(type_in(l, kind) == type) << l;
    return bits;
}

#define ALL UINT32_MAX
#define FIRST(n) ((1u << (n)) - 1)
#define MORE (0xF000000Fu | 1u << 6 | 1u << 9 | 1u << 12 | 1u << 15 | 1u << 18 | 1u << 21 | 1u << 24 | 1u << 27)

static void the_worked_example_holds(void **state) {
    (void)state;
    put_model();
    choose(LM_FILE_Q4KM, false);
    assert_int_equal(type_of("token_embd.weight"), LM_DTYPE_Q4K);
    assert_int_equal(type_of("output.weight"), LM_DTYPE_Q6K);
    assert_int_equal(type_of("output_norm.weight"), LM_DTYPE_F32);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q6K), MORE);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q4K), (uint32_t)~MORE);
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q6K), MORE);
    assert_int_equal(layers_with("attn_q", LM_DTYPE_Q4K), ALL);
    assert_int_equal(layers_with("attn_norm", LM_DTYPE_F32), ALL);
    assert_int_equal(layers_with("ffn_gate_inp", LM_DTYPE_F32), ALL);
    choose(LM_FILE_Q4KS, false);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q5K), FIRST(4));
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q5K), FIRST(4));
    choose(LM_FILE_Q5KM, false);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q6K), MORE);
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q5K), (uint32_t)~MORE);
    choose(LM_FILE_Q3KM, false);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q5K), FIRST(2));
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q5K), FIRST(2));
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q4K), ~FIRST(2));
    assert_int_equal(layers_with("attn_output", LM_DTYPE_Q4K), ALL);
    choose(LM_FILE_Q2K, false);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q4K), ALL);
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q3K), ALL);
    assert_int_equal(layers_with("attn_output", LM_DTYPE_Q3K), ALL);
    choose(LM_FILE_IQ4XS, false);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q5K), ALL);
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q5K), FIRST(4));
    choose(LM_FILE_IQ4XS, true);
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_IQ4XS), ALL);
    choose(LM_FILE_IQ3M, true);
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q4K), FIRST(4));
    choose(LM_FILE_IQ2M, true);
    assert_int_equal(type_of("token_embd.weight"), LM_DTYPE_IQ3S);
    assert_int_equal(type_of("output.weight"), LM_DTYPE_Q5K);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q4K), ALL);
    assert_int_equal(layers_with("attn_output", LM_DTYPE_IQ3S), ALL);
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_IQ3S), FIRST(4));
    assert_int_equal(layers_with("ffn_up", LM_DTYPE_IQ2S), ALL);
}

static void plain_and_pure_files_have_one_type(void **state) {
    (void)state;
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    put_model();
    lm_mix_params p = choose(LM_FILE_F16, false);
    assert_int_equal(type_of("output.weight"), LM_DTYPE_F16);
    p.file_type = LM_FILE_Q4KM;
    p.is_pure = true;
    assert_int_equal(lm_mix_choose(&env, &p, tensors, N, types), LM_OK);
    assert_int_equal(type_of("output.weight"), LM_DTYPE_Q4K);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q4K), ALL);
    p.is_pure = false;
    p.keeps_output = true;
    p.embedding_type = LM_DTYPE_Q8_0;
    assert_int_equal(lm_mix_choose(&env, &p, tensors, N, types), LM_OK);
    assert_int_equal(type_of("output.weight"), LM_DTYPE_F32);
    assert_int_equal(type_of("token_embd.weight"), LM_DTYPE_Q8_0);
    p.file_type = 5;
    assert_int_equal(lm_mix_choose(&env, &p, tensors, N, types), LM_ERR_ARGUMENT);
}

static void a_tied_embedding_counts_as_output(void **state) {
    (void)state;
    put_model();
    put(N - 2, "other.bias", 1000);
    choose(LM_FILE_Q4KM, false);
    assert_int_equal(type_of("token_embd.weight"), LM_DTYPE_Q6K);
}

static void rows_that_do_not_divide_get_a_substitute(void **state) {
    (void)state;
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    static const struct {
        int32_t file_type, substitute;
    } rows[] = {{LM_FILE_Q4KS, LM_DTYPE_Q5_0}, {LM_FILE_Q5KS, LM_DTYPE_Q5_1},   {LM_FILE_Q6K, LM_DTYPE_Q8_0},
                {LM_FILE_Q3KS, LM_DTYPE_Q4_0}, {LM_FILE_IQ4XS, LM_DTYPE_IQ4NL}, {LM_FILE_TQ2_0, LM_DTYPE_Q4_0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lm_mix_tensor t = {"blk.20.attn_q.weight", 20, {96, 8, 1, 1}, LM_DTYPE_F32};
        lm_mix_params p = {
            .file_type = rows[i].file_type, .n_layers = LAYERS, .gqa = 1, .output_type = -1, .embedding_type = -1};
        int32_t type = -1;
        assert_int_equal(lm_mix_choose(&env, &p, &t, 1, &type), LM_OK);
        assert_int_equal(type, rows[i].substitute);
        t.dims[0] = 100;
        assert_int_equal(lm_mix_choose(&env, &p, &t, 1, &type), LM_OK);
        assert_int_equal(type, LM_DTYPE_F16);
        p.file_type = LM_FILE_Q4_0;
        assert_int_equal(lm_mix_choose(&env, &p, &t, 1, &type), LM_ERR_UNSUPPORTED);
    }
}

static void experts_raise_attention(void **state) {
    (void)state;
    lm_env env;
    lm_env_init(&env, NULL, NULL);
    put_model();
    lm_mix_params p = {.file_type = LM_FILE_Q4KM,
                       .n_layers = LAYERS,
                       .n_experts = 8,
                       .gqa = 4,
                       .output_type = -1,
                       .embedding_type = -1};
    assert_int_equal(lm_mix_choose(&env, &p, tensors, N, types), LM_OK);
    assert_int_equal(layers_with("attn_v", LM_DTYPE_Q8_0), ALL);
    assert_int_equal(layers_with("attn_k", LM_DTYPE_Q8_0), ALL);
    assert_int_equal(layers_with("attn_output", LM_DTYPE_Q5K), ALL);
    assert_int_equal(layers_with("ffn_down", LM_DTYPE_Q6K), MORE);
    lm_mix_tensor t[2] = {{"blk.0.ffn_up_exps.weight", 24, {256, 8, 4, 1}, LM_DTYPE_F32},
                          {"blk.0.attn_q.weight", 19, {256, 8, 1, 1}, LM_DTYPE_F32}};
    p.file_type = LM_FILE_MXFP4_MOE;
    assert_int_equal(lm_mix_choose(&env, &p, t, 2, types), LM_OK);
    assert_int_equal(types[0], LM_DTYPE_MXFP4);
    assert_int_equal(types[1], LM_DTYPE_Q8_0);
}

static void file_types_have_names(void **state) {
    (void)state;
    assert_int_equal(lm_file_type_by_name("q4_k_m", 6), LM_FILE_Q4KM);
    assert_int_equal(lm_file_type_by_name("Q4_K", 4), LM_FILE_Q4KM);
    assert_int_equal(lm_file_type_by_name("Q4_K_", 5), -1);
    assert_string_equal(lm_file_type_name(LM_FILE_Q4KM), "Q4_K_M");
    assert_null(lm_file_type_name(4));
    for (int32_t f = 0; f < 50; f++)
        if (lm_file_type_name(f))
            assert_int_equal(lm_file_type_by_name(lm_file_type_name(f), strlen(lm_file_type_name(f))), f);
}

static void some_types_need_weights(void **state) {
    (void)state;
    lm_mix_params p = {.file_type = LM_FILE_Q2KS};
    lm_mix_tensor t = {"blk.0.attn_q.weight", 19, {256, 8, 1, 1}, 0}, output = {"output.weight", 13, {256, 8, 1, 1}, 0};
    assert_true(lm_mix_needs_weights(&p, &t, LM_DTYPE_Q2K));
    assert_false(lm_mix_needs_weights(&p, &output, LM_DTYPE_Q2K));
    assert_true(lm_mix_needs_weights(&p, &t, LM_DTYPE_IQ3XXS));
    assert_true(lm_mix_needs_weights(&p, &output, LM_DTYPE_IQ1S));
    assert_false(lm_mix_needs_weights(&p, &t, LM_DTYPE_Q4K));
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    put_model();
    for (size_t k = 0;; k++) {
        test_memory memory = {.fail_at = k};
        lm_env env = test_memory_env(&memory);
        lm_mix_params p = {
            .file_type = LM_FILE_Q4KM, .n_layers = LAYERS, .gqa = 4, .output_type = -1, .embedding_type = -1};
        lm_status status = lm_mix_choose(&env, &p, tensors, N, types);
        assert_int_equal(memory.live_bytes, 0);
        assert_int_equal(status, memory.failed ? LM_ERR_MEMORY : LM_OK);
        if (!memory.failed) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_holds),          cmocka_unit_test(plain_and_pure_files_have_one_type),
        cmocka_unit_test(a_tied_embedding_counts_as_output), cmocka_unit_test(rows_that_do_not_divide_get_a_substitute),
        cmocka_unit_test(experts_raise_attention),           cmocka_unit_test(file_types_have_names),
        cmocka_unit_test(some_types_need_weights),           cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
