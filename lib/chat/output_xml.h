/* SPDX-License-Identifier: MIT
 * The engine for calls written as tags: a tag with the name, one tag for each parameter, values in plain text. */
#ifndef LM_CHAT_OUTPUT_XML_H
#define LM_CHAT_OUTPUT_XML_H

#include "output.h"

/* All lists end with NULL. */
typedef struct lm_xml_syntax {
    const char *starts[8]; /* markers of sections, then those of calls; a call's name follows its marker */
    size_t n_sections;
    const char
        *name_ends[4]; /* behind the name; the one that is just a line feed or starts the next tag is not consumed */
    const char *parameter;   /* opens a parameter; its key follows */
    const char *key_ends[4]; /* behind the key, in the order of key_types */
    char key_types[4];       /* how the value is meant: s text, j JSON, ? by the tool's schema */
    const char *value_opens; /* between key_end and value, after white space, or NULL */
    const char *value_close;
    const char *call_closes[4];
    const char *section_closes[4];
    bool trims_lines; /* one line feed on each side of a value belongs to the syntax */
} lm_xml_syntax;

bool lm_xml_step(lm_output *output, const lm_xml_syntax *syntax);

/* A finished value of a parameter whose schema does not say text: as JSON if it fits, else as a string (output_value.c). */
void lm_output_value(lm_output *output, const lm_json *schema, bool is_json, const char *bytes, size_t n);
/* Whether the schema allows nothing but strings. */
bool lm_output_wants_text(const lm_json *schema);

#endif
