/* SPDX-License-Identifier: MIT */
/**
 * Chat: messages to the text a model expects, and the text a model writes to messages.
 *
 *     lm_chat *chat;
 *     lm_chat_prompt prompt = LM_CHAT_PROMPT_INIT;
 *     lm_chat_from_template(template_text, n, NULL, &chat, &error);
 *     lm_chat_render(chat, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"add_generation_prompt\":true}", size, NULL,
 *                    &prompt, &error);
 *     // generate from prompt.text
 *     lm_chat_parser *parser;
 *     lm_chat_parser_params params = LM_CHAT_PARSER_PARAMS_INIT;
 *     lm_chat_delta delta;
 *     lm_chat_parser_create(chat, NULL, &params, &parser, &error);
 *     while (generating) {
 *         lm_chat_parser_feed(parser, piece, piece_size);
 *         while (lm_chat_parser_next(parser, &delta)) show(&delta);
 *     }
 *     lm_chat_parser_finish(parser, stopped_by_a_limit);
 *
 * Templates are hostile: source up to 1 MiB, nesting, steps, memory and output are bounded, and nothing outside of the given
 * variables can be reached. One thread at a time per object; different objects are independent.
 */
#ifndef LM_CHAT_H
#define LM_CHAT_H

#include "base.h"
#include "model.h"

LM_BEGIN_DECLS

typedef struct lm_chat lm_chat;
typedef struct lm_chat_parser lm_chat_parser;

/** allocator and log: see base.h. Zero means the C heap and no log. */
typedef struct lm_chat_params {
    uint32_t struct_size;
    uint32_t reserved; /* 0 */
    lm_allocator allocator;
    lm_log log;
} lm_chat_params;
#define LM_CHAT_PARAMS_INIT                                                                                            \
    {                                                                                                                  \
        sizeof(lm_chat_params), 0, {NULL, NULL, NULL}, { NULL, NULL }                                                  \
    }

/**
 * Read a template in the Jinja dialect of chat templates. text NULL, empty or "chatml" gives ChatML, with a warning to the
 * log when it was missing. text is copied; params may be NULL. The caller destroys *out.
 *
 * LM_OK, or LM_ERR_FORMAT (syntax), LM_ERR_UNSUPPORTED (statements that reach for other files), LM_ERR_LIMIT, LM_ERR_MEMORY,
 * LM_ERR_ARGUMENT; error (may be NULL) has line and byte offset. Since 0.1
 */
LM_API lm_status lm_chat_from_template(const char *text, size_t n, const lm_chat_params *params, lm_chat **out,
                                       lm_error *error);
/**
 * Read the template a model's file carries; its tool_use variant is used where that is the only one, and for inputs with
 * tools. ChatML with a warning when there is none. Inputs that lack "bos_token" and "eos_token" get the texts of the
 * model's tokens. The model is not needed afterwards. Statuses as for lm_chat_from_template. Since 0.1
 */
LM_API lm_status lm_chat_from_model(const lm_model *model, const lm_chat_params *params, lm_chat **out,
                                    lm_error *error);
/** chat may be NULL. Parsers made from it live on. Since 0.1 */
LM_API void lm_chat_destroy(lm_chat *chat);

/** Name of the output syntax found in the template, a name lm_chat_parser_create takes. Static string. Since 0.1 */
LM_API const char *lm_chat_family(const lm_chat *chat);

/** The bytes of a span come from the caller's data; all others are the template's own. Only the latter should be read as
 * special tokens. */
#define LM_CHAT_SPAN_CALLER UINT32_C(1)

/**
 * A piece of a prompt. message is the index in "messages" that it belongs to: the message its bytes come from, or for the
 * template's own text the one its innermost loop over messages stood at; -1 for none. Where message changes is where a cache
 * checkpoint pays.
 */
typedef struct lm_chat_span {
    size_t start, end; /* bytes of the prompt */
    int32_t message;
    uint32_t flags; /* LM_CHAT_SPAN_* */
} lm_chat_span;

/** Result of a render. text has a NUL after it. spans cover it without gaps. Owned by the chat until its next render. */
typedef struct lm_chat_prompt {
    uint32_t struct_size;
    uint32_t reserved;
    const char *text;
    size_t text_size;
    const lm_chat_span *spans;
    size_t n_spans;
} lm_chat_prompt;
#define LM_CHAT_PROMPT_INIT                                                                                            \
    { sizeof(lm_chat_prompt), 0, NULL, 0, NULL, 0 }

/**
 * Rewrite "messages" to what the template takes, which is found out by rendering small conversations once: content as text or
 * as parts; the role developer; system messages where there is no place for them (in front of the next user message); calls'
 * arguments as texts or objects; ids; calls, results and tools that the template does not show (as text); results in the order of
 * their calls; reasoning; a role twice in a row. doc/chat.md has the rules.
 */
#define LM_CHAT_RENDER_ADAPT UINT32_C(1)

/** What strftime_now sees: month and day from 1. The library never asks for the time. */
typedef struct lm_chat_render_params {
    uint32_t struct_size;
    int32_t year, month, day, hour, minute, second;
    uint32_t flags; /* LM_CHAT_RENDER_*; without any, inputs are the template's variables as they are */
} lm_chat_render_params;
#define LM_CHAT_RENDER_PARAMS_INIT                                                                                     \
    { sizeof(lm_chat_render_params), 1970, 1, 1, 0, 0, 0, 0 }

/**
 * Render. inputs is a JSON object of the template's variables ("messages", "tools", "add_generation_prompt", "bos_token",
 * ...); members it lacks are undefined, null is none. params may be NULL.
 *
 * LM_OK, or LM_ERR_RAISED (the template called raise_exception; lm_chat_message has the whole text), LM_ERR_FORMAT (the
 * template does not fit the inputs, or inputs is no JSON), LM_ERR_UNSUPPORTED (with LM_CHAT_RENDER_ADAPT: a part of a message
 * that is not text, where the template takes text), LM_ERR_LIMIT (steps, depth, memory, output), LM_ERR_RANGE (date),
 * LM_ERR_MEMORY, LM_ERR_ARGUMENT. On failure *out is untouched and an earlier prompt is gone. Since 0.1
 */
LM_API lm_status lm_chat_render(lm_chat *chat, const char *inputs, size_t n, const lm_chat_render_params *params,
                                lm_chat_prompt *out, lm_error *error);

/** The sentence of the last failed render, "" after success. Owned by the chat until its next render. Since 0.1 */
LM_API const char *lm_chat_message(const lm_chat *chat);

/**
 * What a parser starts from. All texts are copied.
 *
 *   generation_prompt   end of the prompt: it may have opened the reasoning. NULL: nothing was opened
 *   tools               JSON array of the tools declared. NULL: any name is a tool and values are typed by their looks
 */
typedef struct lm_chat_parser_params {
    uint32_t struct_size;
    uint32_t reserved; /* 0 */
    lm_allocator allocator;
    const char *generation_prompt;
    size_t generation_prompt_size;
    const char *tools;
    size_t tools_size;
} lm_chat_parser_params;
#define LM_CHAT_PARSER_PARAMS_INIT                                                                                     \
    { sizeof(lm_chat_parser_params), 0, {NULL, NULL, NULL}, NULL, 0, NULL, 0 }

/**
 * Make a parser for the syntax of a chat, or for a named one: qwen3, qwen3-xml, gemma4, llama3, deepseek, kimi-k2, harmony,
 * mistral and others. One of chat and family may be NULL; family wins. The caller destroys *out.
 *
 * LM_OK, or LM_ERR_NOT_FOUND (family), LM_ERR_FORMAT (tools), LM_ERR_MEMORY, LM_ERR_ARGUMENT. Since 0.1
 */
LM_API lm_status lm_chat_parser_create(const lm_chat *chat, const char *family, const lm_chat_parser_params *params,
                                       lm_chat_parser **out, lm_error *error);
/** parser may be NULL. Since 0.1 */
LM_API void lm_chat_parser_destroy(lm_chat_parser *parser);

/**
 * Give the next piece of what the model wrote, cut anywhere, special tokens as text. No text is an error: what does not parse
 * is content. LM_OK, LM_ERR_STATE (after finish), LM_ERR_MEMORY (final), LM_ERR_ARGUMENT. Since 0.1
 */
LM_API lm_status lm_chat_parser_feed(lm_chat_parser *parser, const char *text, size_t n);
/** The text has ended; cut_off != 0: at a length limit rather than at an end token. A second call does nothing. LM_OK, LM_ERR_MEMORY (final),
 *  LM_ERR_ARGUMENT. Since 0.1 */
LM_API lm_status lm_chat_parser_finish(lm_chat_parser *parser, int32_t cut_off);

typedef enum lm_chat_delta_kind {
    LM_CHAT_DELTA_CONTENT = 1,    /* text */
    LM_CHAT_DELTA_REASONING = 2,  /* text */
    LM_CHAT_DELTA_CALL = 3,       /* a call begins; text is its name */
    LM_CHAT_DELTA_ARGUMENTS = 4,  /* text continues the JSON of the call's arguments */
    LM_CHAT_DELTA_CALL_END = 5,   /* the call is complete */
    LM_CHAT_DELTA_CALL_BROKEN = 6 /* the call was cut off or malformed: it must not be executed */
} lm_chat_delta_kind;

/** Text handed out is never taken back: all deltas of a kind, joined, are the final text. Valid until the next feed. */
typedef struct lm_chat_delta {
    int32_t kind; /* an lm_chat_delta_kind */
    int32_t call; /* number of the call, from 0; -1 for content and reasoning */
    const char *text;
    size_t text_size;
} lm_chat_delta;

/** 1 and the next delta, or 0 when there is none now. Since 0.1 */
LM_API int32_t lm_chat_parser_next(lm_chat_parser *parser, lm_chat_delta *out);

/**
 * Everything so far as JSON: {"content", "reasoning_content", "tool_calls": [{"name", "arguments" (a string of JSON), "id"
 * (if the syntax carries one), "incomplete": true (if so)}]}. Owned by the parser until the next call of any function on it.
 * LM_OK, LM_ERR_MEMORY, LM_ERR_ARGUMENT. Since 0.1
 */
LM_API lm_status lm_chat_parser_result(lm_chat_parser *parser, const char **json, size_t *json_size);

/**
 * Text as a JSON string with its quotes, for the messages, tools and variables that this library takes as JSON. What is not
 * UTF-8 becomes U+FFFD, so the string is valid whatever the text is.
 *
 *   out  [capacity] receives the string and a NUL, cut to fit; 6 * n + 3 bytes are always enough. NULL: nothing is written
 *
 * Returns the bytes of the whole string without the NUL. Since 0.1
 */
LM_API size_t lm_json_quote(const char *text, size_t n, char *out, size_t capacity);

LM_END_DECLS
#endif
