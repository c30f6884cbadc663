/* SPDX-License-Identifier: MIT */
/**
 * lm_chat_session: from messages to a streamed answer in one call. It renders the conversation with the model's template,
 * brings a sequence of a context to it (so a follow-up turn evaluates only what is new), samples under the grammar of the
 * tools or of a response schema, and parses what comes into deltas.
 *
 *     lm_chat_session *session;
 *     lm_chat_request request = LM_CHAT_REQUEST_INIT;
 *     lm_chat_report report = LM_CHAT_REPORT_INIT;
 *     lm_chat_session_create(model, context, NULL, &session, &error);
 *     request.messages = "[{\"role\":\"user\",\"content\":\"Hi\"}]";
 *     request.messages_size = strlen(request.messages);
 *     request.on_delta = print_content;
 *     if (lm_chat_session_run(session, &request, &report) != LM_OK) puts(lm_chat_session_message(session));
 *     append(history, report.message, report.message_size);        // for the next turn: pass the whole history again
 *     lm_chat_session_destroy(session);
 *
 * A session belongs to one thread at a time, except lm_chat_session_cancel. Several sessions may share a context when each
 * has a sequence of its own and they take turns.
 */
#ifndef LM_SESSION_H
#define LM_SESSION_H

#include "base.h"
#include "chat.h"
#include "context.h"
#include "model.h"
#include "sampler.h"

LM_BEGIN_DECLS

typedef struct lm_chat_session lm_chat_session;

typedef struct lm_chat_session_params {
    uint32_t struct_size;
    lm_seq seq;                /* of the context; the session owns what is in it */
    const char *family;        /* output syntax (lm_chat_parser_create); NULL: what the template implies */
    const char *template_text; /* [template_size] instead of the model's; NULL: the model's */
    size_t template_size;
    lm_allocator allocator; /* alloc NULL: the C heap */
    lm_log log;             /* warnings: no template, a tool whose schema cannot be kept */
} lm_chat_session_params;
#define LM_CHAT_SESSION_PARAMS_INIT                                                                                    \
    {                                                                                                                  \
        sizeof(lm_chat_session_params), 0, NULL, NULL, 0, {NULL, NULL, NULL}, { NULL, NULL }                           \
    }

/**
 * A session on a context of the model, which must stay open longer. params may be NULL; texts are copied.
 *
 * LM_OK, LM_ERR_ARGUMENT, LM_ERR_MISMATCH (the context is another model's), LM_ERR_RANGE (seq), LM_ERR_NOT_FOUND (family), a status of lm_chat_from_template, LM_ERR_MEMORY.
 * Since 0.1
 */
LM_API lm_status lm_chat_session_create(lm_model *model, lm_context *context, const lm_chat_session_params *params,
                                        lm_chat_session **out, lm_error *error);
/** NULL is allowed. The sequence keeps its tokens. Since 0.1 */
LM_API void lm_chat_session_destroy(lm_chat_session *session);

typedef enum lm_tool_choice {
    LM_TOOL_CHOICE_AUTO = 0,    /* the model decides; from the first mark of a call on, only valid calls are possible */
    LM_TOOL_CHOICE_NONE = 1,    /* tools are shown, calls are not parsed */
    LM_TOOL_CHOICE_REQUIRED = 2 /* the answer is one or more calls */
} lm_tool_choice;

/** All texts are JSON and borrowed during the call. */
typedef struct lm_chat_request {
    uint32_t struct_size;
    int32_t max_tokens; /* to generate; -1: until the end or the context is full */
    const char
        *messages; /* array of {"role", "content", ...}, as of OpenAI; arguments of calls as strings or objects */
    size_t messages_size;
    const char *tools; /* array of {"type":"function","function":{...}}; NULL: none */
    size_t tools_size;
    int32_t tool_choice; /* an lm_tool_choice */
    int32_t reserved;    /* 0 */
    const char *schema;  /* JSON Schema of the answer, then complete within max_tokens if that is possible; NULL: any */
    size_t schema_size;
    const char *variables; /* object of further template variables, such as {"enable_thinking":false}; NULL: none. What
                             is called messages or tools replaces the request's */
    size_t variables_size;
    const char *const *stops; /* [n_stops] texts that end the answer and are cut off; NUL-terminated, not empty */
    size_t n_stops;
    const lm_sampler_params *sampling; /* NULL: what the model recommends */
    const lm_chat_render_params *now;  /* what the template may ask for; NULL: 1970 */
    void *user;
    /* Called with every delta, which lives during the call; non-zero stops the answer. May be NULL. */
    int32_t (*on_delta)(void *user, const lm_chat_delta *delta);
    const char *gbnf; /* [gbnf_size] GBNF grammar of the answer, instead of a schema; NULL: none */
    size_t gbnf_size;
} lm_chat_request;
#define LM_CHAT_REQUEST_INIT                                                                                           \
    { sizeof(lm_chat_request), -1, NULL, 0, NULL, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0 }

typedef enum lm_chat_finish {
    LM_CHAT_FINISH_END = 1,      /* the model ended its turn */
    LM_CHAT_FINISH_CALLS = 2,    /* it ended with complete tool calls that wait for results */
    LM_CHAT_FINISH_LENGTH = 3,   /* max_tokens, or the context is full */
    LM_CHAT_FINISH_STOP = 4,     /* a stop text */
    LM_CHAT_FINISH_CANCELLED = 5 /* lm_chat_session_cancel or on_delta */
} lm_chat_finish;

/** What happened. message is owned by the session until its next run. */
typedef struct lm_chat_report {
    uint32_t struct_size;
    int32_t finish;      /* an lm_chat_finish */
    int32_t n_prompt;    /* tokens of the conversation, reused ones included */
    int32_t n_generated; /* tokens chosen, the end token included */
    lm_sync_info sync;   /* what was reused of them; struct_size need not be set */
    const char *message; /* JSON to append to the history: {"role":"assistant","content":...,"tool_calls":[...]} */
    size_t message_size;
    int32_t n_forced; /* of the tokens generated: those that the grammar left no choice about, evaluated together */
    int32_t reserved;
} lm_chat_report;
#define LM_CHAT_REPORT_INIT                                                                                            \
    { sizeof(lm_chat_report), 0, 0, 0, {sizeof(lm_sync_info), 0, 0, 0, 0, 0, 0}, NULL, 0, 0, 0 }

/**
 * Answer a conversation. report may be NULL.
 *
 * LM_OK for every way to finish; else LM_ERR_ARGUMENT, LM_ERR_FORMAT (JSON, or the template does not fit it: its line is told), LM_ERR_RAISED,
 * LM_ERR_UNSUPPORTED (the schema, or required calls of a family that cannot be constrained), LM_ERR_LIMIT, LM_ERR_FULL (the
 * conversation does not fit the context), LM_ERR_MEMORY, LM_ERR_DEVICE; lm_chat_session_message says why, and the session
 * can be used again. Since 0.1
 */
LM_API lm_status lm_chat_session_run(lm_chat_session *session, const lm_chat_request *request, lm_chat_report *report);

/** Stop the run in progress, from any thread: it finishes as CANCELLED with what there is. Without one, nothing. Since 0.1 */
LM_API void lm_chat_session_cancel(lm_chat_session *session);

/** The sentence of the last failed run, "" before any. Borrowed until the next run. Since 0.1 */
LM_API const char *lm_chat_session_message(const lm_chat_session *session);

/** The chat of the session, for lm_chat_render and lm_chat_family; lives as long as the session. Since 0.1 */
LM_API lm_chat *lm_chat_session_chat(lm_chat_session *session);

LM_END_DECLS
#endif
