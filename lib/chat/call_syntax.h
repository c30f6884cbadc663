/* SPDX-License-Identifier: MIT
 * How calls are written, family by family: the fixed text around names and arguments. The other direction, reading, is
 * reply_family.h. */
#ifndef LM_CHAT_CALL_SYNTAX_H
#define LM_CHAT_CALL_SYNTAX_H

#include <stdbool.h>
#include <stdint.h>

#include "chat.h"

typedef enum lm_argument_style {
    LM_ARGUMENTS_JSON,
    LM_ARGUMENTS_TAGS,  /* each in a tag of its own, texts as they are */
    LM_ARGUMENTS_GEMMA, /* key:value, texts between <|"|> */
    LM_ARGUMENTS_PYTHON /* key=value */
} lm_argument_style;

/* What stands for a part that varies. */
#define LM_CALL_NAME "\1"
#define LM_CALL_ARGUMENTS "\2"
#define LM_CALL_NUMBER "\3"  /* of the call */
#define LM_CALL_LETTERS "\4" /* nine letters or digits: an id */
#define LM_CALL_IS_TEXT "\5" /* true or false: whether the value of a tag is text */
#define LM_CALL_KEY "\6"     /* of a tag, at the end of its value */

typedef struct lm_call_syntax {
    const char *family;
    const char *mark, *no_mark; /* the template must have this text, and must not have that one; NULL: whatever */
    const char *wakes;          /* words that begin a call in free text */
    const char *pattern;        /* the same as a pattern, as for lm_grammar_trigger; NULL: the words */
    const char *open;           /* before the first call */
    const char *calls;          /* words: ways to write one call */
    const char *between;        /* two calls; NULL: there is only one */
    const char *close;          /* behind the last */
    bool close_is_optional;
    uint8_t style;                                  /* lm_argument_style */
    const char *key_open, *key_close, *value_close; /* of tags */
    const char *answer;                             /* before the text of an answer; NULL: nothing */
    const char *reasoning; /* words: what opens and closes reasoning, where the family has no tags for it */
} lm_call_syntax;

/* The first that fits; NULL where calls are read but never written. */
const lm_call_syntax *lm_call_syntax_find(const lm_chat *chat, const char *family);

#endif
