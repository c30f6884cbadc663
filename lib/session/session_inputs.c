/* SPDX-License-Identifier: MIT
 * From a request to the variables of a template. Templates disagree about messages: arguments of calls are a text to some and
 * an object to others, which is found out by rendering one; content that is missing beside calls becomes the empty text. */
#include <string.h>

#include "../base/format.h"
#include "../base/json_write.h"
#include "session.h"

static bool contains(const lm_chat_prompt *prompt, const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= prompt->text_size; i++)
        if (memcmp(prompt->text + i, word, n) == 0) return true;
    return false;
}

lm_status lm_session_probe(lm_chat_session *s) {
    static const char inputs[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\","
                                 "\"content\":\"\",\"tool_calls\":[{\"id\":"
                                 "\"callcall1\",\"type\":\"function\",\"function\":{\"name\":\"probe\",\"arguments\":{"
                                 "\"probe_key\":\"probe_value\"}}}]},{"
                                 "\"role\":\"tool\",\"tool_call_id\":\"callcall1\",\"name\":\"probe\",\"content\":"
                                 "\"y\"}],\"bos_token\":\"\",\"eos_token\":"
                                 "\"\"}";
    lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
    lm_status status = lm_chat_render(s->chat, inputs, sizeof inputs - 1, NULL, &prompt, NULL);
    if (status == LM_ERR_MEMORY) return status;
    s->wants_objects = status == LM_OK && contains(&prompt, "probe_key") && !contains(&prompt, "'probe_key'");
    return LM_OK;
}

/* A call's function, with its arguments as the template takes them. */
static lm_status write_function(lm_chat_session *s, lm_json_writer *w, const lm_json *function, lm_arena *arena) {
    lm_json_write_begin_object(w);
    for (size_t i = 0; i < function->count; i++) {
        const lm_json_member *member = &function->members[i];
        const lm_json *value = &member->value, *object = NULL;
        bool is_arguments = member->name_size == 9 && memcmp(member->name, "arguments", 9) == 0;
        lm_json_write_name_bytes(w, member->name, member->name_size);
        if (is_arguments && s->wants_objects && value->type == LM_JSON_STRING) {
            lm_status status = lm_json_parse(arena, value->text, value->count, LM_JSON_DEPTH_DEFAULT, &object, NULL);
            if (status == LM_ERR_MEMORY) return status;
            lm_json_write_value(w, status == LM_OK ? object : value); /* a broken call is shown as it was */
        } else if (is_arguments && !s->wants_objects && value->type != LM_JSON_STRING) {
            lm_str text;
            lm_str_init(&text, &s->env, SIZE_MAX);
            lm_status status = lm_json_print(&text, value, NULL);
            lm_json_write_string(w, lm_str_text(&text), text.size);
            lm_str_free(&text);
            if (status != LM_OK) return status;
        } else {
            lm_json_write_value(w, value);
        }
    }
    lm_json_write_end(w);
    return LM_OK;
}

static lm_status write_calls(lm_chat_session *s, lm_json_writer *w, const lm_json *calls, lm_arena *arena) {
    lm_status status = LM_OK;
    lm_json_write_begin_array(w);
    for (size_t i = 0; status == LM_OK && i < calls->count; i++) {
        const lm_json *call = &calls->items[i];
        if (!lm_json_is(call, LM_JSON_OBJECT)) {
            lm_json_write_value(w, call);
            continue;
        }
        lm_json_write_begin_object(w);
        for (size_t k = 0; status == LM_OK && k < call->count; k++) {
            const lm_json_member *member = &call->members[k];
            lm_json_write_name_bytes(w, member->name, member->name_size);
            if (member->name_size == 8 && memcmp(member->name, "function", 8) == 0 &&
                member->value.type == LM_JSON_OBJECT)
                status = write_function(s, w, &member->value, arena);
            else
                lm_json_write_value(w, &member->value);
        }
        lm_json_write_end(w);
    }
    lm_json_write_end(w);
    return status;
}

static lm_status write_message(lm_chat_session *s, lm_json_writer *w, const lm_json *message, lm_arena *arena) {
    const lm_json *calls = lm_json_get(message, "tool_calls"), *content = lm_json_get(message, "content");
    lm_status status = LM_OK;
    bool no_content = lm_json_is(calls, LM_JSON_ARRAY) && (!content || content->type == LM_JSON_NULL);
    if (!lm_json_is(message, LM_JSON_OBJECT)) {
        lm_json_write_value(w, message);
        return LM_OK;
    }
    lm_json_write_begin_object(w);
    for (size_t i = 0; status == LM_OK && i < message->count; i++) {
        const lm_json_member *member = &message->members[i];
        if (no_content && &member->value == content) continue;
        lm_json_write_name_bytes(w, member->name, member->name_size);
        if (&member->value == calls && calls->type == LM_JSON_ARRAY)
            status = write_calls(s, w, calls, arena);
        else
            lm_json_write_value(w, &member->value);
    }
    if (no_content) {
        lm_json_write_name(w, "content");
        lm_json_write_text(w, "");
    }
    lm_json_write_end(w);
    return status;
}

static lm_status parse(lm_chat_session *s, lm_arena *arena, const char *what, const char *text, size_t n,
                       lm_json_type type, const lm_json **out) {
    lm_error error;
    lm_status status = lm_json_parse(arena, text, n, LM_JSON_DEPTH_DEFAULT, out, &error);
    if (status != LM_OK) return lm_error_set(&s->error, status, "%s: %s", what, error.message);
    if ((*out)->type != type) return lm_error_set(&s->error, LM_ERR_FORMAT, "%s: of the wrong type", what);
    return LM_OK;
}

lm_status lm_session_write_inputs(lm_chat_session *s, const lm_chat_request *r, bool generation, lm_str *out,
                                  lm_arena *arena, const lm_json **tools) {
    const lm_json *messages, *variables = NULL;
    lm_json_writer w;
    *tools = NULL;
    lm_status status = parse(s, arena, "messages", r->messages, r->messages_size, LM_JSON_ARRAY, &messages);
    if (status == LM_OK && r->tools) status = parse(s, arena, "tools", r->tools, r->tools_size, LM_JSON_ARRAY, tools);
    if (status == LM_OK && r->variables)
        status = parse(s, arena, "variables", r->variables, r->variables_size, LM_JSON_OBJECT, &variables);
    if (status != LM_OK) return status;
    lm_json_writer_init(&w, out, NULL);
    lm_json_write_begin_object(&w);
    lm_json_write_name(&w, "messages");
    lm_json_write_begin_array(&w);
    for (size_t i = 0; status == LM_OK && i < messages->count; i++)
        status = write_message(s, &w, &messages->items[i], arena);
    lm_json_write_end(&w);
    if (*tools && (*tools)->count > 0) {
        lm_json_write_name(&w, "tools");
        lm_json_write_value(&w, *tools);
    }
    if (generation) {
        lm_json_write_name(&w, "add_generation_prompt");
        lm_json_write_bool(&w, true);
    }
    for (size_t i = 0; variables && i < variables->count; i++) {
        lm_json_write_name_bytes(&w, variables->members[i].name, variables->members[i].name_size);
        lm_json_write_value(&w, &variables->members[i].value);
    }
    lm_json_write_end(&w);
    if (status == LM_OK) status = out->status;
    return status == LM_OK ? LM_OK : lm_error_set(&s->error, status, "the messages take too much memory");
}
