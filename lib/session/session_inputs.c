/* SPDX-License-Identifier: MIT
 * From a request to the variables of a template. */
#include "../base/format.h"
#include "../base/json_write.h"
#include "session.h"

static lm_status parse(lm_chat_session *s, lm_arena *arena, const char *what, const char *text, size_t n,
                       lm_json_type type, const lm_json **out) {
    lm_error error;
    lm_status status = lm_json_parse(arena, text, n, LM_JSON_DEPTH_DEFAULT, out, &error);
    if (status != LM_OK) return lm_error_set(&s->error, status, "%s: %s", what, error.message);
    bool array = type == LM_JSON_ARRAY;
    if ((*out)->type != type)
        return lm_error_set(&s->error, LM_ERR_FORMAT, "%s: not a JSON %s", what, array ? "array" : "object");
    for (size_t i = 0; array && i < (*out)->count; i++)
        if ((*out)->items[i].type != LM_JSON_OBJECT)
            return lm_error_set(&s->error, LM_ERR_FORMAT, "%s: element %zu is not an object", what, i);
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
    lm_json_write_value(&w, messages);
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
    return out->status == LM_OK ? LM_OK : lm_error_set(&s->error, out->status, "the messages take too much memory");
}
