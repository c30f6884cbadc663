/* SPDX-License-Identifier: MIT
 * What a template takes, found out by rendering small conversations, and messages rewritten to that. */
#ifndef LM_CHAT_CHAT_NEEDS_H
#define LM_CHAT_CHAT_NEEDS_H

#include "../base/json.h"
#include "chat.h"

enum { LM_ROLE_SYSTEM, LM_ROLE_USER, LM_ROLE_ASSISTANT, LM_ROLE_TOOL, LM_N_ROLES };

typedef struct lm_chat_needs {
    bool is_known;
    bool argument_objects;      /* arguments of calls are objects, not texts */
    bool developer;             /* knows the role */
    bool system, late_system;   /* shows a system message, and one behind other messages */
    bool tools, calls, results; /* shows declared tools, calls, and messages of the role tool */
    bool tool_responses;        /* results belong into the assistant's message */
    bool thinking_field;        /* reasoning is in "thinking", and content beside it and calls is not wanted */
    bool thinking_parts;        /* reasoning is a part of the content */
    bool empty_answers;         /* an assistant's message with content "" and nothing else */
    bool trimmed;  /* was trained on contents without white space around them, which it does not remove itself */
    bool repeats;  /* the same role twice in a row */
    bool long_ids; /* ids of calls that are not nine letters and digits */
    bool text[LM_N_ROLES], parts[LM_N_ROLES]; /* of a role: content as text, content as parts */
} lm_chat_needs;

/* LM_OK or LM_ERR_MEMORY. Takes the memory of the chat's last render. */
lm_status lm_chat_find_needs(lm_chat *chat, lm_chat_needs *out);

/* inputs rewritten in the arena; *origins [*n] says which message each is made of. LM_OK, LM_ERR_FORMAT (messages that are
 * none, arguments that are no JSON), LM_ERR_UNSUPPORTED (a part that is not text where only text goes), LM_ERR_MEMORY. */
lm_status lm_chat_adapt(const lm_chat_needs *needs, lm_arena *arena, const lm_json *inputs, const lm_json **out,
                        int32_t **origins, size_t *n, lm_error *error);

#endif
