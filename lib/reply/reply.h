/* SPDX-License-Identifier: MIT
 * From what a model wrote to content, reasoning and tool calls, while it is being written. The core keeps the text that is
 * not yet understood, what has been handed out, and how to hand out more; a family knows the markers of its models. A family
 * only decides on text it has seen whole, so how the text was cut into pieces cannot change the result. What does not parse
 * is handed out as content. */
#ifndef LM_REPLY_REPLY_H
#define LM_REPLY_REPLY_H

#include <stdbool.h>
#include <string.h>

#include "../base/array.h"
#include "../base/json.h"
#include "../base/str.h"
#include "json_scan.h"

typedef enum lm_reply_kind {
    LM_REPLY_CONTENT,
    LM_REPLY_REASONING,
    LM_REPLY_CALL_BEGIN,
    LM_REPLY_CALL_ARGUMENTS,
    LM_REPLY_CALL_END
} lm_reply_kind;

typedef struct lm_reply_delta {
    uint8_t kind;   /* lm_reply_kind */
    size_t call;    /* number of the call */
    size_t from, n; /* bytes of the content, the reasoning or the call's arguments */
} lm_reply_delta;

typedef struct lm_reply_call {
    lm_str name, id, arguments;
    bool complete;
} lm_reply_call;

typedef struct lm_reply lm_reply;

/* Where the search for something stands; every family uses the states it needs. */
typedef enum lm_reply_state {
    LM_STATE_START, /* nothing but white space so far */
    LM_STATE_TEXT,
    LM_STATE_REASONING,
    LM_STATE_DOUBT,   /* a call's mark inside of reasoning: a call if the reasoning is not closed, else a mention */
    LM_STATE_SECTION, /* between calls */
    LM_STATE_HEADER,  /* before a call's arguments */
    LM_STATE_ARGUMENTS,
    LM_STATE_AFTER, /* behind a call */
    LM_STATE_VALUE,
    LM_STATE_BROKEN, /* arguments that turned out malformed after part of them was handed out */
    LM_STATE_PLAIN   /* content to the end */
} lm_reply_state;

/* A list of words: one string, in which each has a NUL behind it and an empty one ends the list. NULL: no words. */
#define LM_WORDS(text) text "\0"

static inline const char *lm_word(const char *words, size_t which) {
    for (; which > 0; which--) words += strlen(words) + 1;
    return words;
}

typedef struct lm_reply_family {
    const char *name;
    /* Take one step: consume text, hand something out or change state. false: nothing can be decided before more text
     * comes; never at the end while text is left. */
    bool (*step)(lm_reply *reply);
    /* Tags around reasoning that the prompt may have opened; NULL when the family has none. */
    const char *reasoning_open, *reasoning_close;
    lm_reply_state first; /* where to begin */
    const void *syntax;   /* the table of an engine; NULL when step knows */
    const char *drops;    /* words around content that are not content */
} lm_reply_family;

/* A JSON object {"name": ..., "arguments": ...} being read. */
typedef struct lm_json_call {
    uint8_t state;
    uint8_t key; /* what the current member is */
    bool has_name, has_arguments, committed, needs_arguments, name_is_key;
    bool arguments_in_string;
    size_t value_from;                   /* in the buffer, from its pos: the value being read */
    size_t arguments_from, arguments_to; /* likewise: arguments that came before the name */
    lm_json_scan scan;
    lm_str text; /* the string being decoded */
    lm_str name, id;
} lm_json_call;

/* Containers of a converter from Python's or Gemma's literals (reply_literal.c). */
typedef struct lm_literal {
    uint8_t state, quote;
    uint32_t depth;
    uint8_t is_object[LM_JSON_SCAN_DEPTH_MAX / 8];
    uint8_t first;  /* no member yet in the innermost container */
    lm_str word;    /* a bare word being collected */
    uint8_t escape; /* digits still missing of a numeric escape */
    uint32_t code;
} lm_literal;

struct lm_reply {
    const lm_env *env;
    const lm_reply_family *family;
    lm_arena tools_arena;
    const lm_json *tools; /* array, or NULL: every name is a tool */
    lm_str buffer;
    size_t pos;  /* text before it is done */
    size_t scan; /* bytes from pos on already looked at by the state */
    /* White space measured before, as positions in the buffer: a run that arrives byte by byte is walked once. */
    struct lm_reply_run {
        size_t from, to;
    } runs[4];
    size_t next_run;
    bool at_end;  /* no more text will come */
    bool cut_off; /* it ended at a limit and not at an end token */
    uint8_t state;
    bool seen_tag; /* some marker was understood, so white space around is syntax */
    lm_str content, reasoning;
    lm_str held[2]; /* white space at the end of content and reasoning, handed out when more follows */
    LM_ARRAY(lm_reply_call) calls;
    LM_ARRAY(lm_reply_delta) deltas;
    size_t next_delta;
    bool call_open;
    bool unclosed; /* the reasoning never ends, but calls may be in it; until the first of them is met */
    /* of the engines */
    lm_json_call json;
    lm_json_scan json_scan;
    lm_literal literal;
    bool in_list, in_quote, any_argument, value_is_string, value_started;
    uint8_t route;      /* what the family remembers: a variant, or where a message goes */
    size_t header_from; /* in the buffer, from its pos */
    lm_str key;
    const lm_json *schema; /* of the parameter being read */
    uint8_t utf8[4];       /* unfinished character at the end of the last piece */
    size_t n_utf8;
    lm_status status;
};

lm_status lm_reply_init(lm_reply *reply, const lm_env *env, const lm_reply_family *family, const char *prompt,
                        size_t prompt_n, const char *tools_json, size_t tools_n, lm_error *error);
void lm_reply_free(lm_reply *reply);
lm_status lm_reply_feed(lm_reply *reply, const char *text, size_t n);
lm_status lm_reply_finish(lm_reply *reply, bool cut_off);

/* The unread text. */
static inline const char *lm_reply_rest(const lm_reply *reply) { return lm_str_text(&reply->buffer) + reply->pos; }
static inline size_t lm_reply_left(const lm_reply *reply) { return reply->buffer.size - reply->pos; }

/* Go on in a state, n bytes further. */
bool lm_reply_go(lm_reply *reply, lm_reply_state state, size_t n);

typedef enum lm_match { LM_MATCH_NO, LM_MATCH_YES, LM_MATCH_MORE } lm_match;
/* Whether the text offset bytes further starts with word; MORE when it ends inside of word and may go on. */
lm_match lm_reply_match(const lm_reply *reply, size_t offset, const char *word);
/* As lm_reply_match for the first of several words that fits or may fit; *which is its number, *n its size. Where one word
 * begins with another, the longer one comes first. */
lm_match lm_reply_match_any(const lm_reply *reply, size_t offset, const char *words, size_t *which, size_t *n);
/* Bytes of white space offset bytes further; *more when the text ends there and may go on. */
size_t lm_reply_spaces(lm_reply *reply, size_t offset, bool *more);

/* Hand out text up to the first of words, which is left unread: true, *which and its size *n when there is one. false: all
 * that cannot be the start of a word was handed out. Of content, the family's drops are left out. */
bool lm_reply_text_until(lm_reply *reply, lm_reply_kind kind, const char *words, size_t *which, size_t *n);
/* Position (from pos) of the first of words at or after reply->scan; SIZE_MAX when there is none yet, and then scan is where
 * the search goes on. */
size_t lm_reply_find(lm_reply *reply, const char *words, size_t *which, size_t *n);

/* Hand out n bytes of content or reasoning. */
void lm_reply_emit(lm_reply *reply, lm_reply_kind kind, const char *bytes, size_t n);
/* A marker was understood here: white space next to it is not text. */
void lm_reply_tag(lm_reply *reply);

bool lm_reply_is_tool(const lm_reply *reply, const char *name, size_t n);
/* The schema of a tool's parameter, or NULL. */
const lm_json *lm_reply_schema(const lm_reply *reply, const lm_str *tool, const char *key, size_t n);

void lm_reply_call_begin(lm_reply *reply, const char *name, size_t name_n, const char *id, size_t id_n);
void lm_reply_call_arguments(lm_reply *reply, const char *bytes, size_t n);
void lm_reply_call_word(lm_reply *reply, const char *word);
/* Text as the inside of a JSON string. */
void lm_reply_call_escaped(lm_reply *reply, const char *bytes, size_t n);
void lm_reply_call_end(lm_reply *reply, bool complete);
lm_reply_call *lm_reply_current(lm_reply *reply);

/* Reasoning tags of the family at the very start, and inside of them. Reasoning that is not closed ends with a call, which
 * begins with one of direct_ends. *stepped: this was the step, and its result is given. */
bool lm_reply_step_reasoning(lm_reply *reply, const char *direct_ends, bool *stepped);
/* What looked like a call is none: the n bytes held become content, or go on as unclosed reasoning. */
bool lm_reply_give_up(lm_reply *reply, size_t n);

#endif
