/* SPDX-License-Identifier: MIT
 * A chat: one template, the family of output syntax it implies, and the memory of its last render. */
#include "chat.h"

#include <string.h>

#include "../base/format.h"
#include "../base/json.h"
#include "chat_parser.h"
#include "template_interp.h"

struct lm_chat {
    lm_env env;
    lm_template template;
    const lm_output_family *family;
    lm_interp interp; /* its arena holds the last prompt */
    char *message;    /* in that arena, or NULL */
};

static const char chatml[] =
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}"
    "{% if message.content is string %}{{ message.content }}{% elif message.content %}"
    "{% for part in message.content if part.type == 'text' %}{{ part.text }}{% endfor %}{% endif %}"
    "{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

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
    chat->family = fallback ? &lm_family_hermes : lm_output_family_detect(text, n);
    lm_arena_init(&chat->interp.arena, &chat->env, LM_TEMPLATE_MEMORY_MAX);
    lm_status status = lm_template_read(&chat->template, &chat->env, text, n, error);
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
    lm_arena_free(&chat->interp.arena);
    lm_template_free(&chat->template);
    lm_free(&env, chat, sizeof *chat);
}

const char *lm_chat_sentence(const lm_chat *chat) { return chat->message ? chat->message : ""; }
const char *lm_chat_family_name(const lm_chat *chat) { return chat->family->name; }

/* The runs of the rendered text as spans. */
static lm_chat_span *make_spans(lm_interp *interp, const lm_text *text, size_t *n_spans) {
    size_t count = 0, end;
    for (size_t pos = 0; pos < text->n; pos = end, count++) lm_text_origin(text, pos, &end);
    lm_chat_span *spans = lm_arena_alloc_array(&interp->arena, count + 1, sizeof *spans);
    *n_spans = count;
    for (size_t pos = 0, i = 0; spans && pos < text->n; pos = end, i++) {
        lm_origin origin = lm_text_origin(text, pos, &end);
        spans[i] =
            (lm_chat_span){pos, end, (int32_t)(origin >> 1) - 1, origin & LM_ORIGIN_CALLER ? LM_CHAT_SPAN_CALLER : 0};
    }
    return spans;
}

static bool is_date(const lm_chat_render_params *now) {
    return now->year >= 1 && now->year <= 9999 && now->month >= 1 && now->month <= 12 && now->day >= 1 &&
           now->day <= 31 && now->hour >= 0 && now->hour <= 23 && now->minute >= 0 && now->minute <= 59 &&
           now->second >= 0 && now->second <= 60;
}

static lm_status render(lm_chat *chat, const char *inputs, size_t n, const lm_chat_render_params *now,
                        lm_chat_prompt *out, lm_error *error) {
    lm_interp *interp = &chat->interp;
    const lm_template_clock clock = {now->year, now->month, now->day, now->hour, now->minute, now->second};
    const lm_json *variables;
    const lm_text *text;
    if (!is_date(now)) return lm_error_set(error, LM_ERR_RANGE, "chat: the date is out of range");
    lm_status status = lm_json_parse(&interp->arena, inputs, n, LM_JSON_DEPTH_DEFAULT, &variables, error);
    if (status == LM_OK) status = lm_interp_render(interp, &chat->template, variables, &clock, error, &text);
    if (status != LM_OK) return status;
    size_t n_spans;
    lm_chat_span *spans = make_spans(interp, text, &n_spans);
    char *copy = lm_arena_copy(&interp->arena, text->bytes, text->n);
    if (!spans || !copy) return lm_error_memory(error);
    out->text = copy;
    out->text_size = text->n;
    out->spans = spans;
    out->n_spans = n_spans;
    return LM_OK;
}

lm_status lm_chat_run(lm_chat *chat, const char *inputs, size_t n, const lm_chat_render_params *now,
                      lm_chat_prompt *out, lm_error *error) {
    lm_error own;
    lm_arena_reset(&chat->interp.arena);
    chat->interp.raised = NULL;
    chat->message = NULL;
    lm_status status = render(chat, inputs, n, now, out, &own);
    if (status == LM_OK) return status;
    const lm_text *raised = chat->interp.raised;
    if (raised) chat->message = lm_arena_copy(&chat->interp.arena, raised->bytes, raised->n);
    if (!chat->message) chat->message = lm_arena_copy(&chat->interp.arena, own.message, strlen(own.message));
    if (error) *error = own;
    return status;
}

lm_status lm_chat_parser_open(const lm_env *env, const lm_chat *chat, const char *family_name,
                              const lm_chat_parser_params *params, lm_chat_parser **out, lm_error *error) {
    const lm_output_family *family =
        family_name ? lm_output_family_find(family_name, strlen(family_name)) : chat->family;
    if (!family) return lm_error_set(error, LM_ERR_NOT_FOUND, "chat: no output syntax is named \"%s\"", family_name);
    return lm_chat_parser_make(env, family, params, out, error);
}
