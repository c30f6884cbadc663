/* SPDX-License-Identifier: MIT
 * A family for a template that no rule knows: it renders conversations that differ in one thing, and where the texts differ
 * is how calls are written. What was found is tried on those texts before it is believed. */
#ifndef LM_CHAT_FAMILY_DERIVE_H
#define LM_CHAT_FAMILY_DERIVE_H

#include <stdatomic.h>

#include "../reply/reply_json.h"
#include "../reply/reply_xml.h"
#include "call_syntax.h"

/* Shared by the chat and its parsers. */
typedef struct lm_derived_family {
    atomic_size_t references;
    lm_env env;
    lm_reply_family family;
    lm_call_syntax calls;
    lm_tagged_json tagged; /* one of these is the family's syntax */
    lm_headed_json headed;
    lm_xml_syntax tags;
    size_t text_size;
    char text[4096]; /* of all of the above */
} lm_derived_family;

/* known reads the calls of this template as it is: *out is NULL; else what was derived, or NULL when nothing could be.
 * LM_OK or LM_ERR_MEMORY. */
lm_status lm_family_derive(lm_chat *chat, const lm_reply_family *known, lm_derived_family **out);
void lm_derived_family_release(lm_derived_family *derived);

/* derived_syntax.c: fill the tables from one call and, if the template writes two at a time, from two. Texts begin where
 * the model begins to write. false: nothing that the engines read. */
typedef struct lm_derived_text {
    const char *at;
    size_t n;
} lm_derived_text;
bool lm_derived_fill(lm_derived_family *derived, lm_derived_text one, lm_derived_text two);
/* A copy with a NUL behind it; NULL when there is no room. */
const char *lm_derived_keep(lm_derived_family *derived, lm_derived_text text);
lm_derived_text lm_derived_trim(lm_derived_text text);
/* Where word is; SIZE_MAX. */
size_t lm_derived_find(lm_derived_text text, const char *word, size_t from);

/* What the calls of the conversations say. */
#define LM_DERIVED_NAME "alphatool"
#define LM_DERIVED_NAME_2 "betatool"
#define LM_DERIVED_ID "idalpha01"
#define LM_DERIVED_ID_2 "idbeta002"
#define LM_DERIVED_KEY "first_key"
#define LM_DERIVED_VALUE "first_value"
#define LM_DERIVED_KEY_2 "second_key"
#define LM_DERIVED_VALUE_2 "7654321"

#endif
