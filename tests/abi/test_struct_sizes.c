/* SPDX-License-Identifier: MIT
 * Callers built against older and newer headers than the library: every struct with struct_size is passed as such a caller would.
 * What a smaller struct does not have lies behind it as bytes that would be noticed. */
#include "../api/small_model.h"

enum { ROOM = 512, NEWER = 24 }; /* what a newer header added */

typedef struct objects {
    lm_model *model;
    lm_context *context;
    lm_chat *chat;
} objects;

/* Passes params to the function that reads them; what it makes is given back. */
typedef lm_status takes(objects *with, const void *params);

static lm_status take_runtime(objects *with, const void *params) {
    (void)with;
    lm_runtime *made = NULL;
    lm_status status = lm_runtime_create(params, &made, NULL);
    lm_runtime_destroy(made);
    return status;
}
static lm_status take_model(objects *with, const void *params) {
    (void)with;
    lm_model *made = NULL;
    lm_status status = lm_model_open(small_path(), params, &made, NULL);
    lm_model_close(made);
    return status;
}
static lm_status take_context(objects *with, const void *params) {
    lm_context *made = NULL;
    lm_status status = lm_context_open(with->model, params, &made, NULL);
    lm_context_close(made);
    return status;
}
static lm_status take_plan(objects *with, const void *params) {
    (void)with;
    lm_plan plan = {.struct_size = sizeof plan};
    return lm_model_plan(small_path(), params, &plan, NULL);
}
static lm_status take_sampler(objects *with, const void *params) {
    lm_sampler *made = NULL;
    lm_status status = lm_sampler_for_model(with->model, params, &made, NULL);
    lm_sampler_destroy(made);
    return status;
}
static lm_status take_grammar(objects *with, const void *params) {
    (void)with;
    lm_grammar *made = NULL;
    lm_status status = lm_grammar_from_gbnf("root ::= \"a\"", 12, params, &made, NULL);
    lm_grammar_destroy(made);
    return status;
}
static lm_status take_chat(objects *with, const void *params) {
    (void)with;
    lm_chat *made = NULL;
    lm_status status = lm_chat_from_template("chatml", 6, params, &made, NULL);
    lm_chat_destroy(made);
    return status;
}
static lm_status take_render(objects *with, const void *params) {
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    return lm_chat_render(with->chat, "{\"messages\":[]}", 15, params, &prompt, NULL);
}
static lm_status take_parser(objects *with, const void *params) {
    lm_chat_parser *made = NULL;
    lm_status status = lm_chat_parser_create(with->chat, "qwen3", params, &made, NULL);
    lm_chat_parser_destroy(made);
    return status;
}
static lm_status take_session(objects *with, const void *params) {
    lm_chat_session *made = NULL;
    lm_status status = lm_chat_session_create(with->model, with->context, params, &made, NULL);
    lm_chat_session_destroy(made);
    return status;
}
static lm_status take_speculator(objects *with, const void *params) {
    lm_speculator *made = NULL;
    lm_status status = lm_speculator_create(with->context, params, &made, NULL);
    lm_speculator_destroy(made);
    return status;
}

static const lm_runtime_params runtime_init = LM_RUNTIME_PARAMS_INIT;
static const lm_model_params model_init = LM_MODEL_PARAMS_INIT;
static const lm_context_params context_init = LM_CONTEXT_PARAMS_INIT;
static const lm_plan_params plan_init = LM_PLAN_PARAMS_INIT;
static const lm_sampler_params sampler_init = LM_SAMPLER_PARAMS_INIT;
static const lm_grammar_params grammar_init = LM_GRAMMAR_PARAMS_INIT;
static const lm_chat_params chat_init = LM_CHAT_PARAMS_INIT;
static const lm_chat_render_params render_init = LM_CHAT_RENDER_PARAMS_INIT;
static const lm_chat_parser_params parser_init = LM_CHAT_PARSER_PARAMS_INIT;
static const lm_chat_session_params session_init = LM_CHAT_SESSION_PARAMS_INIT;
static const lm_speculator_params speculator_init = LM_SPECULATOR_PARAMS_INIT;

static const struct {
    const char *name;
    takes *take;
    const void *init;
    size_t size;
} given[] = {
    {"lm_runtime_params", take_runtime, &runtime_init, sizeof runtime_init},
    {"lm_model_params", take_model, &model_init, sizeof model_init},
    {"lm_context_params", take_context, &context_init, sizeof context_init},
    {"lm_plan_params", take_plan, &plan_init, sizeof plan_init},
    {"lm_sampler_params", take_sampler, &sampler_init, sizeof sampler_init},
    {"lm_grammar_params", take_grammar, &grammar_init, sizeof grammar_init},
    {"lm_chat_params", take_chat, &chat_init, sizeof chat_init},
    {"lm_chat_render_params", take_render, &render_init, sizeof render_init},
    {"lm_chat_parser_params", take_parser, &parser_init, sizeof parser_init},
    {"lm_chat_session_params", take_session, &session_init, sizeof session_init},
    {"lm_speculator_params", take_speculator, &speculator_init, sizeof speculator_init},
};
enum { N_GIVEN = sizeof given / sizeof *given };

static void expect(objects *with, size_t i, uint32_t struct_size, size_t from_init, uint8_t behind,
                   lm_status expected) {
    _Alignas(16) uint8_t bytes[ROOM];
    assert_true(given[i].size + NEWER <= sizeof bytes);
    memset(bytes, behind, sizeof bytes);
    memcpy(bytes, given[i].init, from_init);
    memcpy(bytes, &struct_size, sizeof struct_size);
    lm_status status = given[i].take(with, bytes);
    if (status != expected)
        fail_msg("%s of %u bytes: %s instead of %s", given[i].name, struct_size, lm_status_name(status),
                 lm_status_name(expected));
}

static void older_callers_keep_the_defaults(void **state) {
    for (size_t i = 0; i < N_GIVEN; i++) expect(*state, i, 8, 8, 0xEE, LM_OK);
}

static void newer_callers_are_served_while_they_ask_nothing_new(void **state) {
    for (size_t i = 0; i < N_GIVEN; i++) expect(*state, i, (uint32_t)given[i].size + NEWER, given[i].size, 0, LM_OK);
}

static void newer_callers_are_refused_what_is_unknown(void **state) {
    for (size_t i = 0; i < N_GIVEN; i++)
        expect(*state, i, (uint32_t)given[i].size + NEWER, given[i].size, 1, LM_ERR_ARGUMENT);
}

static void sizes_that_hold_nothing_are_refused(void **state) {
    for (size_t i = 0; i < N_GIVEN; i++)
        for (uint32_t size = 0; size < 4; size++) expect(*state, i, size, given[i].size, 0, LM_ERR_ARGUMENT);
}

/* Structs that are filled: fills(with, out) for what out->struct_size says. */
static lm_status fill_info(objects *with, void *out) { return lm_model_get_info(with->model, out); }
static lm_status fill_tensor(objects *with, void *out) { return lm_model_get_tensor(with->model, 0, out); }
static lm_status fill_memory(objects *with, void *out) { return lm_context_memory(with->context, out); }
static lm_status fill_params(objects *with, void *out) { return lm_context_get_params(with->context, out); }
static lm_status fill_plan(objects *with, void *out) {
    (void)with;
    return lm_model_plan(small_path(), NULL, out, NULL);
}
static lm_status fill_sync(objects *with, void *out) {
    lm_token tokens[4];
    return lm_context_sync(with->context, 0, small_text(1, tokens, 4), 4, out);
}

static lm_status fill_prompt(objects *with, void *out) {
    return lm_chat_render(with->chat, "{\"messages\":[]}", 15, NULL, out, NULL);
}

static const struct {
    const char *name;
    lm_status (*fill)(objects *with, void *out);
    size_t size;
} filled[] = {
    {"lm_model_info", fill_info, sizeof(lm_model_info)},
    {"lm_tensor_info", fill_tensor, sizeof(lm_tensor_info)},
    {"lm_memory", fill_memory, sizeof(lm_memory)},
    {"lm_context_params", fill_params, sizeof(lm_context_params)},
    {"lm_plan", fill_plan, sizeof(lm_plan)},
    {"lm_sync_info", fill_sync, sizeof(lm_sync_info)},
    {"lm_chat_prompt", fill_prompt, sizeof(lm_chat_prompt)},
};

static void structs_are_filled_as_far_as_the_caller_knows_them(void **state) {
    for (size_t i = 0; i < sizeof filled / sizeof *filled; i++) {
        const uint32_t sizes[] = {8, (uint32_t)filled[i].size, (uint32_t)filled[i].size + NEWER};
        for (size_t j = 0; j < 3; j++) {
            _Alignas(16) uint8_t bytes[ROOM], whole[ROOM];
            memset(bytes, 0xEE, sizeof bytes), memset(whole, 0xEE, sizeof whole);
            memcpy(bytes, &sizes[j], 4), memcpy(whole, &sizes[1], 4);
            assert_int_equal(filled[i].fill(*state, whole), LM_OK);
            assert_int_equal(filled[i].fill(*state, bytes), LM_OK);
            uint32_t size;
            memcpy(&size, bytes, 4);
            if (size != sizes[j]) fail_msg("%s: struct_size was changed", filled[i].name);
            for (size_t at = sizes[j] < filled[i].size ? sizes[j] : filled[i].size; at < sizeof bytes; at++)
                if (bytes[at] != 0xEE) fail_msg("%s of %u bytes: byte %zu was written", filled[i].name, size, at);
        }
        uint8_t none[ROOM] = {0};
        if (filled[i].fill(*state, none) != LM_ERR_ARGUMENT)
            fail_msg("%s without struct_size is taken", filled[i].name);
    }
}

static int set_up(void **state) {
    static objects with;
    lm_context_params params = LM_CONTEXT_PARAMS_INIT;
    params.n_draft = 4;
    with.model = small_model(NULL, 1);
    with.context = small_context(with.model, params);
    *state = &with;
    return lm_chat_from_template("chatml", 6, NULL, &with.chat, NULL);
}

static int tear_down(void **state) {
    objects *with = *state;
    lm_chat_destroy(with->chat);
    lm_context_close(with->context);
    lm_model_close(with->model);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_callers_keep_the_defaults),
        cmocka_unit_test(newer_callers_are_served_while_they_ask_nothing_new),
        cmocka_unit_test(newer_callers_are_refused_what_is_unknown),
        cmocka_unit_test(sizes_that_hold_nothing_are_refused),
        cmocka_unit_test(structs_are_filled_as_far_as_the_caller_knows_them),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
