/* SPDX-License-Identifier: MIT
 * A session's life. It holds on to a model, a context and one sequence, whose contents it remembers as text and tokens. */
#include "session.h"

#include <string.h>

#include <lm/grammar.h>

#include "../base/format.h"
#include "../base/params.h"
#include "../context/context.h"

static lm_status open_chat(lm_chat_session *s, const lm_chat_session_params *params, lm_error *error) {
    lm_chat_params own = LM_CHAT_PARAMS_INIT;
    own.allocator = params->allocator;
    own.log = params->log;
    if (params->template_text)
        return lm_chat_from_template(params->template_text, params->template_size, &own, &s->chat, error);
    return lm_chat_from_model(s->model, &own, &s->chat, error);
}

static lm_status check_family(lm_chat_session *s, const char *family, lm_error *error) {
    lm_chat_parser *parser = NULL;
    if (!family) return LM_OK;
    lm_status status = lm_chat_parser_create(NULL, family, NULL, &parser, error);
    lm_chat_parser_destroy(parser);
    if (status != LM_OK) return status;
    s->family_size = strlen(family) + 1;
    s->family = lm_alloc(&s->env, s->family_size);
    if (!s->family) return lm_error_memory(error);
    memcpy(s->family, family, s->family_size);
    return LM_OK;
}

lm_status lm_chat_session_create(lm_model *model, lm_context *context, const lm_chat_session_params *params,
                                 lm_chat_session **out, lm_error *error) {
    lm_chat_session_params own = LM_CHAT_SESSION_PARAMS_INIT;
    lm_status status = lm_params_read(&own, sizeof own, params, "lm_chat_session_params", error);
    if (status != LM_OK) return status;
    if (!model || !context || !out)
        return lm_error_set(error, LM_ERR_ARGUMENT, "lm_chat_session_create: an argument is NULL");
    if (lm_context_model(context) != model)
        return lm_error_set(error, LM_ERR_MISMATCH, "the context is another model's");
    if (lm_seq_length(context, own.seq) < 0)
        return lm_error_set(error, LM_ERR_RANGE, "lm_chat_session_create: no sequence %d", (int)own.seq);
    lm_env env;
    lm_env_init(&env, &own.allocator, &own.log);
    lm_chat_session *s = lm_alloc_zeroed(&env, sizeof *s);
    if (!s) return lm_error_memory(error);
    s->env = env;
    s->model = model;
    s->context = context;
    s->seq = own.seq;
    lm_str_init(&s->text, &s->env, SIZE_MAX);
    lm_str_init(&s->message, &s->env, SIZE_MAX);
    status = open_chat(s, &own, error);
    if (status == LM_OK) status = check_family(s, own.family, error);
    if (status == LM_OK)
        *out = s;
    else
        lm_chat_session_destroy(s);
    return status;
}

void lm_chat_session_destroy(lm_chat_session *s) {
    if (!s) return;
    lm_env env = s->env;
    lm_chat_destroy(s->chat);
    lm_grammar_vocab_destroy(s->vocab);
    lm_free(&env, s->family, s->family_size);
    lm_str_free(&s->text);
    lm_str_free(&s->message);
    lm_array_free(&env, &s->known);
    lm_array_free(&env, &s->tokens);
    lm_free(&env, s, sizeof *s);
}

void lm_chat_session_cancel(lm_chat_session *s) {
    int stage = LM_SESSION_RUNS;
    if (!s || !atomic_compare_exchange_strong(&s->stage, &stage, LM_SESSION_IS_STOPPED)) return;
    atomic_store(&s->is_cancelled, true);
    lm_context_cancel(s->context);
    atomic_store(&s->stage, LM_SESSION_RUNS);
}

const char *lm_chat_session_message(const lm_chat_session *s) { return s ? s->error.message : ""; }
lm_chat *lm_chat_session_chat(lm_chat_session *s) { return s ? s->chat : NULL; }
