/* SPDX-License-Identifier: MIT
 * The front door of the chat room: checks arguments, then calls it. */
#include <lm/chat.h>

#include "../base/format.h"

#include <string.h>
#include "../base/params.h"
#include "../chat/chat.h"
#include "../model/model.h"

lm_status lm_chat_from_template(const char *text, size_t n, const lm_chat_params *params, lm_chat **out,
                                lm_error *error) {
    if (!out) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_from_template: out is NULL");
    lm_chat_params own = LM_CHAT_PARAMS_INIT;
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_chat_params", error);
    if (status != LM_OK) return status;
    if (own.reserved) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_params.reserved is not 0");
    lm_env env;
    lm_env_init(&env, &own.allocator, &own.log);
    return lm_chat_open(&env, text, n, out, error);
}

/* The text of the token of a role, as a template variable. */
static lm_status add_token(lm_chat *chat, const lm_model *model, const char *name, int32_t role) {
    lm_token token = lm_vocab_token(model, role);
    size_t n = 0;
    const char *text = token == LM_TOKEN_NONE ? "" : lm_vocab_text(model->vocab, token, &n);
    return lm_chat_add_variable(chat, name, text ? text : "", text ? n : 0);
}

lm_status lm_chat_from_model(const lm_model *model, const lm_chat_params *params, lm_chat **out, lm_error *error) {
    if (!model || !out) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_from_model: model or out is NULL");
    size_t n = 0, n_tools = 0;
    lm_chat *chat = NULL;
    const char *text = lm_model_metadata_string(model, "tokenizer.chat_template", &n);
    const char *with_tools = lm_model_metadata_string(model, "tokenizer.chat_template.tool_use", &n_tools);
    if (!text) {
        text = with_tools;
        n = n_tools;
    }
    lm_status status = lm_chat_from_template(text, text ? n : 0, params, &chat, error);
    if (status == LM_OK && with_tools && with_tools != text)
        status = lm_chat_add_tool_template(chat, with_tools, n_tools, error);
    if (status == LM_OK && (add_token(chat, model, "bos_token", LM_TOKEN_ROLE_BOS) != LM_OK ||
                            add_token(chat, model, "eos_token", LM_TOKEN_ROLE_EOS) != LM_OK))
        status = lm_error_memory(error);
    if (status == LM_OK)
        *out = chat;
    else
        lm_chat_destroy(chat);
    return status;
}

void lm_chat_destroy(lm_chat *chat) { lm_chat_close(chat); }

const char *lm_chat_family(const lm_chat *chat) { return chat ? lm_chat_family_name(chat) : "plain"; }

lm_status lm_chat_render(lm_chat *chat, const char *inputs, size_t n, const lm_chat_render_params *params,
                         lm_chat_prompt *out, lm_error *error) {
    if (!chat || !inputs || !out) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_render: an argument is NULL");
    lm_chat_render_params own = LM_CHAT_RENDER_PARAMS_INIT;
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_chat_render_params", error);
    if (status != LM_OK) return status;
    if (out->struct_size < sizeof out->struct_size)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_prompt.struct_size is not set");
    if (own.flags & ~LM_CHAT_RENDER_ADAPT)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_render_params: unknown flags");
    status = lm_chat_run(chat, inputs, n, &own, &prompt, error);
    if (status != LM_OK) return status;
    lm_params_write(out, &prompt, sizeof prompt);
    return LM_OK;
}

const char *lm_chat_message(const lm_chat *chat) { return chat ? lm_chat_sentence(chat) : ""; }

lm_status lm_chat_parser_create(const lm_chat *chat, const char *family, const lm_chat_parser_params *params,
                                lm_chat_parser **out, lm_error *error) {
    if (!out || (!chat && !family))
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_parser_create: %s is NULL",
                            out ? "chat and family" : "out");
    lm_chat_parser_params own = LM_CHAT_PARSER_PARAMS_INIT;
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_chat_parser_params", error);
    if (status != LM_OK) return status;
    if (own.reserved) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_parser_params.reserved is not 0");
    lm_env env;
    lm_env_init(&env, &own.allocator, NULL);
    return lm_chat_parser_open(&env, chat, family, &own, out, error);
}

void lm_chat_parser_destroy(lm_chat_parser *parser) { lm_chat_parser_close(parser); }

lm_status lm_chat_parser_feed(lm_chat_parser *parser, const char *text, size_t n) {
    if (!parser || (!text && n)) return LM_ERR_ARGUMENT;
    return lm_chat_parser_take(parser, text ? text : "", n);
}

lm_status lm_chat_parser_finish(lm_chat_parser *parser, int32_t cut_off) {
    return parser ? lm_chat_parser_end(parser, cut_off != 0) : LM_ERR_ARGUMENT;
}

int32_t lm_chat_parser_next(lm_chat_parser *parser, lm_chat_delta *out) {
    return parser && out && lm_chat_parser_pull(parser, out);
}

lm_status lm_chat_parser_result(lm_chat_parser *parser, const char **json, size_t *json_size) {
    if (!parser || !json || !json_size) return LM_ERR_ARGUMENT;
    return lm_chat_parser_print(parser, json, json_size);
}
