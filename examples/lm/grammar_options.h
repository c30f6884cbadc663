/* SPDX-License-Identifier: MIT
 * Grammars from files, for the commands that generate under them and the one that checks them. */
#ifndef LM_PROGRAM_GRAMMAR_OPTIONS_H
#define LM_PROGRAM_GRAMMAR_OPTIONS_H

#include "program.h"

/* Compile one of the two files; model may be NULL, then tokens by their text are refused. 0, or the exit status after a
 * message. */
int read_grammar(const char *command_name, const lm_model *model, const char *gbnf_path, const char *schema_path,
                 lm_grammar **out);
/* Let the sampler follow one of the two files, if any is given. */
int constrain_sampler(const char *command_name, lm_model *model, const char *gbnf_path, const char *schema_path,
                      lm_sampler *sampler);

#endif
