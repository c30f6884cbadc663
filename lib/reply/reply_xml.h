/* SPDX-License-Identifier: MIT
 * The engine for calls written as tags: a tag with the name, one tag for each parameter, values in plain text. */
#ifndef LM_REPLY_XML_H
#define LM_REPLY_XML_H

#include "reply.h"

/* Words, where the name is a plural. */
typedef struct lm_xml_syntax {
    const char *starts; /* markers of sections, then those of calls; a call's name follows its marker */
    size_t n_sections;
    const char *name_ends;   /* behind the name */
    bool name_ends_stay;     /* they are the beginning of what follows */
    const char *parameter;   /* opens a parameter; its key follows */
    const char *key_ends;    /* behind the key, in the order of key_types */
    char key_types[4];       /* how the value is meant: s text, j JSON, ? by the tool's schema */
    const char *value_open;  /* between key_end and value, after white space, or NULL */
    const char *value_close; /* words, of which the first counts */
    const char *quote;       /* a value that begins with it ends with quote_close instead; or NULL */
    const char *quote_close;
    const char *call_closes;
    const char *section_closes;
    bool trims_lines;     /* one line feed on each side of a value belongs to the syntax */
    bool close_names_key; /* the key and ">" follow value_close; objects and lists are written as elements too */
} lm_xml_syntax;

bool lm_xml_step(lm_reply *reply, const lm_xml_syntax *syntax);
/* The same as a family's step, with the syntax that the family has. */
bool lm_xml_family_step(lm_reply *reply);

/* A finished value of a parameter whose schema does not say text: as JSON if it fits, else as a string (reply_value.c). */
void lm_reply_value(lm_reply *reply, const lm_json *schema, bool is_json, const char *bytes, size_t n);
/* The same where it may be written as elements with the marks of syntax (reply_elements.c). */
void lm_reply_elements(lm_reply *reply, const lm_xml_syntax *syntax, const lm_json *schema, const char *bytes,
                       size_t n);
/* Whether the schema allows nothing but strings. */
bool lm_reply_wants_text(const lm_json *schema);

#endif
