/* SPDX-License-Identifier: MIT
 * The parser object around the streaming core: deltas as the public interface shows them, and the whole result as JSON. */
#include "chat_parser.h"

#include "../base/format.h"
#include "../base/json_write.h"

struct lm_chat_parser {
    lm_env env;
    lm_reply reply;
    lm_derived_family *derived;
    lm_str result;
};

lm_status lm_chat_parser_make(const lm_env *env, const lm_reply_family *family, lm_derived_family *derived,
                              const lm_chat_parser_params *params, lm_chat_parser **out, lm_error *error) {
    lm_chat_parser *parser = lm_alloc_zeroed(env, sizeof *parser);
    if (!parser) return lm_error_memory(error);
    parser->env = *env;
    parser->derived = derived;
    if (derived) atomic_fetch_add_explicit(&derived->references, 1, memory_order_relaxed);
    lm_str_init(&parser->result, &parser->env, SIZE_MAX);
    const char *prompt = params->generation_prompt ? params->generation_prompt : "";
    lm_status status = lm_reply_init(&parser->reply, &parser->env, family, prompt,
                                     params->generation_prompt ? params->generation_prompt_size : 0, params->tools,
                                     params->tools_size, error);
    if (status != LM_OK) {
        lm_chat_parser_close(parser);
        return status;
    }
    *out = parser;
    return LM_OK;
}

void lm_chat_parser_close(lm_chat_parser *parser) {
    if (!parser) return;
    lm_env env = parser->env;
    lm_reply_free(&parser->reply);
    lm_derived_family_release(parser->derived);
    lm_str_free(&parser->result);
    lm_free(&env, parser, sizeof *parser);
}

lm_status lm_chat_parser_take(lm_chat_parser *parser, const char *text, size_t n) {
    return lm_reply_feed(&parser->reply, text, n);
}
lm_status lm_chat_parser_end(lm_chat_parser *parser, bool cut_off) { return lm_reply_finish(&parser->reply, cut_off); }

bool lm_chat_parser_pull(lm_chat_parser *parser, lm_chat_delta *out) {
    lm_reply *reply = &parser->reply;
    if (reply->next_delta >= reply->deltas.count) return false;
    const lm_reply_delta *delta = &reply->deltas.data[reply->next_delta++];
    const lm_reply_call *call = delta->kind >= LM_REPLY_CALL_BEGIN ? &reply->calls.data[delta->call] : NULL;
    *out = (lm_chat_delta){0, call ? (int32_t)delta->call : -1, "", delta->n};
    switch ((lm_reply_kind)delta->kind) {
    case LM_REPLY_CONTENT:
        out->kind = LM_CHAT_DELTA_CONTENT;
        out->text = lm_str_text(&reply->content) + delta->from;
        break;
    case LM_REPLY_REASONING:
        out->kind = LM_CHAT_DELTA_REASONING;
        out->text = lm_str_text(&reply->reasoning) + delta->from;
        break;
    case LM_REPLY_CALL_BEGIN:
        out->kind = LM_CHAT_DELTA_CALL;
        out->text = lm_str_text(&call->name);
        out->text_size = call->name.size;
        break;
    case LM_REPLY_CALL_ARGUMENTS:
        out->kind = LM_CHAT_DELTA_ARGUMENTS;
        out->text = lm_str_text(&call->arguments) + delta->from;
        break;
    case LM_REPLY_CALL_END: out->kind = call->complete ? LM_CHAT_DELTA_CALL_END : LM_CHAT_DELTA_CALL_BROKEN; break;
    }
    return true;
}

static void write_string(lm_json_writer *writer, const char *name, const lm_str *text) {
    lm_json_write_name(writer, name);
    lm_json_write_string(writer, lm_str_text(text), text->size);
}

lm_status lm_chat_parser_print(lm_chat_parser *parser, const char **json, size_t *n) {
    lm_reply *reply = &parser->reply;
    lm_json_writer writer;
    lm_str_clear(&parser->result);
    lm_json_writer_init(&writer, &parser->result, NULL);
    lm_json_write_begin_object(&writer);
    write_string(&writer, "content", &reply->content);
    write_string(&writer, "reasoning_content", &reply->reasoning);
    lm_json_write_name(&writer, "tool_calls");
    lm_json_write_begin_array(&writer);
    for (size_t i = 0; i < reply->calls.count; i++) {
        const lm_reply_call *call = &reply->calls.data[i];
        lm_json_write_begin_object(&writer);
        write_string(&writer, "name", &call->name);
        write_string(&writer, "arguments", &call->arguments);
        if (call->id.size) write_string(&writer, "id", &call->id);
        if (!call->complete) {
            lm_json_write_name(&writer, "incomplete");
            lm_json_write_bool(&writer, true);
        }
        lm_json_write_end(&writer);
    }
    lm_json_write_end(&writer);
    lm_json_write_end(&writer);
    if (parser->result.status != LM_OK) return parser->result.status;
    *json = lm_str_text(&parser->result);
    *n = parser->result.size;
    return LM_OK;
}
