/* SPDX-License-Identifier: MIT
 * The inside of a chat session: what it knows of the sequence, and the parts of a run. */
#ifndef LM_SESSION_SESSION_H
#define LM_SESSION_SESSION_H

#include <stdatomic.h>

#include <lm/session.h>

#include "../base/array.h"
#include "../base/json.h"
#include "../base/str.h"

/* Who cancels keeps the run from ending until the context knows: what comes after may be the run of another session. */
enum { LM_SESSION_IDLE, LM_SESSION_RUNS, LM_SESSION_IS_STOPPED };

/* A token and where its text ends. */
typedef struct lm_session_token {
    lm_token token;
    size_t end;
} lm_session_token;

struct lm_chat_session {
    lm_env env;
    lm_model *model;
    lm_context *context;
    lm_seq seq;
    lm_chat *chat;
    char *family; /* [family_size], or NULL */
    size_t family_size;
    struct lm_grammar_vocab *vocab; /* made when first needed */
    atomic_int stage;               /* LM_SESSION_* */
    atomic_bool is_cancelled;       /* the run in progress */
    /* The text of the sequence and the tokens it was made of: a longer conversation goes on from them. */
    lm_str text;
    LM_ARRAY(lm_session_token) known;
    bool is_exact;             /* the ends of known are those of the text; else only the last is */
    LM_ARRAY(lm_token) tokens; /* scratch for sync */
    lm_str message;            /* of the last answer, as JSON */
    lm_error error;
};

/* The template's inputs: messages, tools and variables. */
lm_status lm_session_write_inputs(lm_chat_session *session, const lm_chat_request *request, bool generation,
                                  lm_str *out, lm_arena *arena, const lm_json **tools);
/* Make known and text those of the prompt, keeping the tokens of their common beginning. */
lm_status lm_session_take_prompt(lm_chat_session *session, const lm_chat_prompt *prompt);
/* A generated token joins them. */
lm_status lm_session_take_token(lm_chat_session *session, lm_token token, const char *bytes, size_t n);

#endif
