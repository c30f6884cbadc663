/* SPDX-License-Identifier: MIT
 * The front door of the chat room: checks arguments, then calls it. */
#include <lm/chat.h>

#include "../base/format.h"
#include "../base/params.h"
#include "../chat/chat.h"

lm_status lm_chat_from_template(const char *text, size_t n, const lm_chat_params *params, lm_chat **out,
                                lm_error *error) {
    if (!out) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_from_template: out is NULL");
    lm_chat_params own = LM_CHAT_PARAMS_INIT;
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_chat_params", error);
    if (status != LM_OK) return status;
    lm_env env;
    lm_env_init(&env, &own.allocator, &own.log);
    return lm_chat_open(&env, text, n, out, error);
}

lm_status lm_chat_from_model(const lm_model *model, const lm_chat_params *params, lm_chat **out, lm_error *error) {
    if (!model) return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_from_model: model is NULL");
    size_t n = 0;
    const char *text = lm_model_metadata_string(model, "tokenizer.chat_template", &n);
    if (!text) text = lm_model_metadata_string(model, "tokenizer.chat_template.tool_use", &n);
    return lm_chat_from_template(text, text ? n : 0, params, out, error);
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
    if (out->struct_size < sizeof prompt)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_prompt: struct_size is too small");
    status = lm_chat_run(chat, inputs, n, &own, &prompt, error);
    if (status != LM_OK) return status;
    prompt.struct_size = out->struct_size;
    *out = prompt;
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
