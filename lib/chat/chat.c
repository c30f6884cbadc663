/* SPDX-License-Identifier: MIT
 * A chat: one template, the family of output syntax it implies, and the memory of its last render. */
#include "chat.h"

#include <string.h>

#include "../base/format.h"
#include "../base/json.h"
#include "../template/template.h"
#include "chat_needs.h"
#include "chat_parser.h"
#include "family_derive.h"

#define MAX_VARIABLES 4

typedef struct lm_chat_variable {
    const char *name;
    char *text; /* [n] and a NUL */
    size_t n;
} lm_chat_variable;

struct lm_chat {
    lm_env env;
    lm_template *template;
    lm_template *with_tools; /* used instead when the inputs have tools; NULL: there is none */
    lm_chat_variable variables[MAX_VARIABLES];
    size_t n_variables;
    const lm_reply_family *family;
    lm_derived_family *derived; /* NULL, or family is in it */
    lm_chat_needs needs;
    lm_arena arena;      /* of the last prompt */
    const char *message; /* in that arena, or NULL */
};

static const char chatml[] =
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}"
    "{% if message.content is string %}{{ message.content }}{% elif message.content %}"
    "{% for part in message.content if part.type == 'text' %}{{ part.text }}{% endfor %}{% endif %}"
    "{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/* The family that source implies. Where its marks are vague, what the template renders decides. */
static lm_status find_family(lm_chat *chat, const char *source, size_t n, lm_error *error) {
    bool sure;
    lm_derived_family *derived = NULL;
    chat->family = lm_reply_family_detect(source, n, &sure);
    lm_status status = sure ? LM_OK : lm_family_derive(chat, chat->family, &derived);
    if (status != LM_OK) return lm_error_memory(error);
    lm_derived_family_release(chat->derived);
    chat->derived = derived;
    if (derived) chat->family = &derived->family;
    return LM_OK;
}

lm_status lm_chat_open(const lm_env *env, const char *text, size_t n, lm_chat **out, lm_error *error) {
    lm_chat *chat = lm_alloc_zeroed(env, sizeof *chat);
    if (!chat) return lm_error_memory(error);
    chat->env = *env;
    bool missing = !text || n == 0;
    bool fallback = missing || (n == 6 && memcmp(text, "chatml", 6) == 0);
    if (missing) lm_log_write(env, LM_LOG_LEVEL_WARNING, "chat: the model has no template, ChatML is used");
    if (fallback) {
        text = chatml;
        n = sizeof chatml - 1;
    }
    chat->family = &lm_family_hermes;
    lm_arena_init(&chat->arena, &chat->env, LM_TEMPLATE_MEMORY_MAX);
    lm_status status = lm_template_open(&chat->env, text, n, &chat->template, error);
    if (status == LM_OK && !fallback) status = find_family(chat, text, n, error);
    if (status != LM_OK) {
        lm_chat_close(chat);
        return status;
    }
    *out = chat;
    return LM_OK;
}

void lm_chat_close(lm_chat *chat) {
    if (!chat) return;
    lm_env env = chat->env;
    lm_arena_free(&chat->arena);
    lm_template_close(chat->template);
    lm_template_close(chat->with_tools);
    lm_derived_family_release(chat->derived);
    for (size_t i = 0; i < chat->n_variables; i++) lm_free(&env, chat->variables[i].text, chat->variables[i].n + 1);
    lm_free(&env, chat, sizeof *chat);
}

lm_status lm_chat_add_tool_template(lm_chat *chat, const char *text, size_t n, lm_error *error) {
    lm_status status = lm_template_open(&chat->env, text, n, &chat->with_tools, error);
    return status == LM_OK ? find_family(chat, text, n, error) : status;
}

lm_status lm_chat_add_variable(lm_chat *chat, const char *name, const char *text, size_t n) {
    char *copy = lm_alloc(&chat->env, n + 1);
    if (!copy || chat->n_variables == MAX_VARIABLES) {
        lm_free(&chat->env, copy, n + 1);
        return LM_ERR_MEMORY;
    }
    if (n > 0) memcpy(copy, text, n);
    copy[n] = '\0';
    chat->variables[chat->n_variables++] = (lm_chat_variable){name, copy, n};
    return LM_OK;
}

bool lm_chat_mentions(const lm_chat *chat, const char *text) {
    return lm_template_mentions(chat->with_tools ? chat->with_tools : chat->template, text);
}

/* By name, or the template's own. */
static const lm_reply_family *family_of(const lm_chat *chat, const char *name) {
    if (!name || (chat && strcmp(name, chat->family->name) == 0)) return chat->family;
    return lm_reply_family_find(name, strlen(name));
}

const lm_call_syntax *lm_chat_derived_calls(const lm_chat *chat, const char *family) {
    bool has = chat->derived && chat->derived->calls.calls && family_of(chat, family) == chat->family;
    return has ? &chat->derived->calls : NULL;
}

bool lm_chat_family_reasons(const lm_chat *chat, const char *name, const char **open, const char **close) {
    const lm_reply_family *family = family_of(chat, name);
    if (!family || !family->reasoning_open) return false;
    *open = family->reasoning_open;
    *close = family->reasoning_close;
    return true;
}

const lm_env *lm_chat_env(const lm_chat *chat) { return &chat->env; }
const char *lm_chat_sentence(const lm_chat *chat) { return chat->message ? chat->message : ""; }
const char *lm_chat_family_name(const lm_chat *chat) { return chat->family->name; }

static bool is_date(const lm_chat_render_params *now) {
    return now->year >= 1 && now->year <= 9999 && now->month >= 1 && now->month <= 12 && now->day >= 1 &&
           now->day <= 31 && now->hour >= 0 && now->hour <= 23 && now->minute >= 0 && now->minute <= 59 &&
           now->second >= 0 && now->second <= 60;
}

/* The inputs behind the variables of the model: where a name occurs twice the last one counts. Only the renderer walks the
 * result, so it needs no index. */
static const lm_json *add_variables(lm_chat *chat, const lm_json *inputs) {
    lm_arena *arena = &chat->arena;
    size_t count = inputs->count + chat->n_variables;
    lm_json *object = lm_arena_alloc_array(arena, 1, sizeof *object);
    lm_json_member *members = lm_arena_alloc_array(arena, count, sizeof *members);
    if (!object || !members) return NULL;
    for (size_t i = 0; i < chat->n_variables; i++) {
        const lm_chat_variable *own = &chat->variables[i];
        members[i] = (lm_json_member){own->name, strlen(own->name), {.type = LM_JSON_STRING, .count = own->n}};
        members[i].value.text = own->text;
    }
    if (inputs->count > 0) memcpy(members + chat->n_variables, inputs->members, inputs->count * sizeof *members);
    *object = (lm_json){.type = LM_JSON_OBJECT, .count = count};
    object->members = members;
    return object;
}

/* The spans of a render, with messages as the caller counts them: origins [n_origins] says which each was; NULL: the same. */
static lm_chat_span *make_spans(lm_arena *arena, const lm_template_output *text, const int32_t *origins,
                                size_t n_origins) {
    lm_chat_span *spans = lm_arena_alloc_array(arena, text->n_spans + 1, sizeof *spans);
    for (size_t i = 0; spans && i < text->n_spans; i++) {
        const lm_template_span *span = &text->spans[i];
        int32_t message = span->item;
        if (origins && message >= 0) message = (size_t)message < n_origins ? origins[message] : -1;
        spans[i] = (lm_chat_span){span->begin, span->end, message, span->is_variable ? LM_CHAT_SPAN_CALLER : 0};
    }
    return spans;
}

static lm_status render(lm_chat *chat, const char *json, size_t n, const lm_chat_render_params *now, uint64_t steps,
                        lm_chat_prompt *out, lm_error *error) {
    lm_arena *arena = &chat->arena;
    const lm_json *variables;
    int32_t *origins = NULL;
    size_t n_origins = 0;
    if (!is_date(now)) return lm_error_set(error, LM_ERR_RANGE, "chat: the date is out of range");
    lm_status status = lm_json_parse(arena, json, n, LM_JSON_DEPTH_DEFAULT, &variables, error);
    const lm_json *tools = status == LM_OK ? lm_json_get(variables, "tools") : NULL;
    if (status == LM_OK && now->flags & LM_CHAT_RENDER_ADAPT)
        status = lm_chat_adapt(&chat->needs, arena, variables, &variables, &origins, &n_origins, error);
    if (status == LM_OK && chat->n_variables > 0 && lm_json_is(variables, LM_JSON_OBJECT)) {
        variables = add_variables(chat, variables);
        if (!variables) return lm_error_memory(error);
    }
    if (status != LM_OK) return status;
    bool has_tools = lm_json_is(tools, LM_JSON_ARRAY) && tools->count > 0;
    const lm_template_inputs inputs = {
        variables, "messages", {now->year, now->month, now->day, now->hour, now->minute, now->second}, steps};
    lm_template_output text;
    status = lm_template_render(chat->with_tools && has_tools ? chat->with_tools : chat->template, arena, &inputs,
                                &text, error);
    if (status == LM_ERR_RAISED) chat->message = text.text;
    if (status != LM_OK) return status;
    lm_chat_span *spans = make_spans(arena, &text, origins, n_origins);
    if (!spans) return lm_error_memory(error);
    out->text = text.text;
    out->text_size = text.n;
    out->spans = spans;
    out->n_spans = text.n_spans;
    return LM_OK;
}

static lm_status run(lm_chat *chat, const char *inputs, size_t n, const lm_chat_render_params *now, uint64_t steps,
                     lm_chat_prompt *out, lm_error *error) {
    lm_error own;
    lm_arena_reset(&chat->arena);
    chat->message = NULL;
    lm_status status = render(chat, inputs, n, now, steps, out, &own);
    if (status == LM_OK) return status;
    if (!chat->message) chat->message = lm_arena_copy(&chat->arena, own.message, strlen(own.message));
    if (error) *error = own;
    return status;
}

lm_status lm_chat_run(lm_chat *chat, const char *inputs, size_t n, const lm_chat_render_params *now,
                      lm_chat_prompt *out, lm_error *error) {
    if (now->flags & LM_CHAT_RENDER_ADAPT && !chat->needs.is_known && lm_chat_find_needs(chat, &chat->needs) != LM_OK) {
        chat->message = NULL;
        return lm_error_memory(error);
    }
    return run(chat, inputs, n, now, LM_TEMPLATE_STEPS_MAX, out, error);
}

lm_status lm_chat_probe(lm_chat *chat, const char *inputs, size_t n, lm_chat_prompt *out) {
    static const lm_chat_render_params now = LM_CHAT_RENDER_PARAMS_INIT;
    return run(chat, inputs, n, &now, LM_TEMPLATE_STEPS_MAX / 50, out, NULL);
}

lm_status lm_chat_parser_open(const lm_env *env, const lm_chat *chat, const char *family_name,
                              const lm_chat_parser_params *params, lm_chat_parser **out, lm_error *error) {
    const lm_reply_family *family = family_of(chat, family_name);
    if (!family) return lm_error_set(error, LM_ERR_NOT_FOUND, "chat: no output syntax is named \"%s\"", family_name);
    lm_derived_family *derived = chat && family == chat->family ? chat->derived : NULL;
    return lm_chat_parser_make(env, family, derived, params, out, error);
}
