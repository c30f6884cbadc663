/* SPDX-License-Identifier: MIT
 * Engines for calls whose arguments are JSON. */
#ifndef LM_REPLY_JSON_H
#define LM_REPLY_JSON_H

#include "reply.h"

typedef enum lm_call_result {
    LM_CALL_MORE,   /* needs more text */
    LM_CALL_DONE,   /* the object was read and the call handed out; pos is behind it */
    LM_CALL_FAILED, /* not a call: nothing was handed out or consumed */
    LM_CALL_BROKEN, /* not JSON any more after part of it was handed out; the call is still open */
    LM_CALL_COMPLETE /* the arguments were complete, or cut off before they began, but the object does not end properly; the
                        call was ended */
} lm_call_result;

/* Begin to read an object at pos. name_is_key: {"NAME": {arguments}}. needs_arguments: without them it is no call. */
void lm_reply_json_begin(lm_reply *reply, bool needs_arguments, bool name_is_key);
lm_call_result lm_reply_json_call(lm_reply *reply);

/* Bare arguments: one JSON value at pos, handed out as it comes. Start with json_scan zeroed. A call must be open. */
lm_call_result lm_reply_json_arguments(lm_reply *reply);

/* Calls as JSON objects between tags, or in a list between tags. Words, as all below. */
typedef struct lm_tagged_json {
    const char *opens; /* any of these opens */
    const char *closes;
    bool list; /* [ call, call ] */
    bool name_is_key;
    bool needs_arguments;
} lm_tagged_json;
bool lm_tagged_json_step(lm_reply *reply, const lm_tagged_json *syntax);
/* The same as a family's step, with the syntax that the family has. */
bool lm_tagged_json_family_step(lm_reply *reply);

/* Calls with a header in plain text and then JSON: OPEN header SEPARATOR {json} CLOSE. */
typedef struct lm_headed_json {
    const char *starts;     /* markers of sections, then those of calls */
    size_t n_sections;      /* how many of starts open sections */
    const char *separators; /* between header and arguments */
    const char *ends;       /* behind arguments: of calls and of sections */
    const char *type_word;  /* a header of this word has the name behind the separator, up to a code fence; or NULL */
    bool sections_call;     /* a section marker may be followed by a header directly */
    const char *id_mark;    /* one word in the header, the id behind it; NULL: the header is the name */
    bool id_first;          /* the name is behind it and the id before it */
    void (*read_header)(lm_reply *reply, const char *header, size_t n, lm_str *name, lm_str *id); /* or NULL */
} lm_headed_json;
bool lm_headed_json_step(lm_reply *reply, const lm_headed_json *syntax);
bool lm_headed_json_family_step(lm_reply *reply);

/* After arguments that broke: hand out everything up to one of closes as it is, then end the call as incomplete. true when
 * that marker was reached; it is left unread. */
bool lm_reply_drain(lm_reply *reply, const char *closes);

#endif
