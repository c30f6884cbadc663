/* SPDX-License-Identifier: MIT
 * The chat room's door: what lib/api calls. */
#ifndef LM_CHAT_CHAT_H
#define LM_CHAT_CHAT_H

#include <stdbool.h>

#include <lm/chat.h>

#include "../base/env.h"

lm_status lm_chat_open(const lm_env *env, const char *text, size_t n, lm_chat **out, lm_error *error);
/* What a model adds: a template for inputs with tools (text NULL: none), and variables that inputs need not have. Texts are
 * copied. */
lm_status lm_chat_add_tool_template(lm_chat *chat, const char *text, size_t n, lm_error *error);
lm_status lm_chat_add_variable(lm_chat *chat, const char *name, const char *text, size_t n);
const lm_env *lm_chat_env(const lm_chat *chat);
/* Whether the template's text has this in it. */
bool lm_chat_mentions(const lm_chat *chat, const char *text);
bool lm_chat_family_reasons(const lm_chat *chat, const char *family, const char **open, const char **close);
/* How calls of a family that was derived from the template are written; NULL for any other. */
struct lm_call_syntax;
const struct lm_call_syntax *lm_chat_derived_calls(const lm_chat *chat, const char *family);
void lm_chat_close(lm_chat *chat);
/* now->flags says whether messages are adapted. */
lm_status lm_chat_run(lm_chat *chat, const char *inputs, size_t n, const lm_chat_render_params *now,
                      lm_chat_prompt *out, lm_error *error);
/* The same to find out what the template does: with a small part of the work that a render may take. */
lm_status lm_chat_probe(lm_chat *chat, const char *inputs, size_t n, lm_chat_prompt *out);
const char *lm_chat_sentence(const lm_chat *chat);
const char *lm_chat_family_name(const lm_chat *chat);

/* family may be NULL, then chat is not. */
lm_status lm_chat_parser_open(const lm_env *env, const lm_chat *chat, const char *family,
                              const lm_chat_parser_params *params, lm_chat_parser **out, lm_error *error);
void lm_chat_parser_close(lm_chat_parser *parser);
lm_status lm_chat_parser_take(lm_chat_parser *parser, const char *text, size_t n);
lm_status lm_chat_parser_end(lm_chat_parser *parser, bool cut_off);
bool lm_chat_parser_pull(lm_chat_parser *parser, lm_chat_delta *out);
lm_status lm_chat_parser_print(lm_chat_parser *parser, const char **json, size_t *n);

#endif
