/* SPDX-License-Identifier: MIT
 * The grammar of an assistant turn: tool calls in a family's syntax with arguments of the tools' schemas, and answers of a
 * response schema. */
#ifndef LM_CHAT_TOOL_GRAMMAR_H
#define LM_CHAT_TOOL_GRAMMAR_H

#include <lm/grammar.h>

#include "../base/json.h"
#include "../grammar/gbnf.h"
#include "chat.h"

typedef struct lm_turn_rules {
    const char *family;
    const lm_json *tools;  /* array, or NULL */
    bool calls_required;   /* else calls may come in free text */
    const lm_json *schema; /* of the answer, or NULL */
    const char *gbnf;      /* [gbnf_size] of the answer, or NULL */
    size_t gbnf_size;
    lm_grammar_find_token find_token; /* for gbnf, with user */
    void *user;
    bool in_reasoning; /* the prompt opened it */
} lm_turn_rules;

typedef struct lm_turn_grammar {
    lm_grammar *grammar; /* the caller's; NULL: nothing is constrained */
    char pattern[512];   /* what wakes it; "": it holds from the start */
} lm_turn_grammar;

/* LM_OK, LM_ERR_UNSUPPORTED (calls required of a family without a table), a status of lm_grammar_from_json_schema or lm_grammar_from_gbnf. Schemas
 * of tools that cannot be kept become "any object", with a warning to the log. */
lm_status lm_turn_grammar_build(const lm_env *env, const lm_chat *chat, const lm_turn_rules *rules,
                                lm_turn_grammar *out, lm_error *error);

#endif
