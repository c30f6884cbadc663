/* SPDX-License-Identifier: MIT
 * GBNF text to expressions. */
#ifndef LM_GRAMMAR_GBNF_H
#define LM_GRAMMAR_GBNF_H

#include "grammar_expr.h"

/* How <text> of a grammar becomes a token: its id, or LM_TOKEN_NONE. NULL: such grammars are refused. */
typedef lm_token (*lm_grammar_find_token)(void *user, const char *text, size_t n);

/* Parse text into pool; root becomes the rule named "root". LM_ERR_FORMAT, LM_ERR_LIMIT, LM_ERR_MEMORY,
 * LM_ERR_UNSUPPORTED (a token by its text without find_token). */
lm_status lm_gbnf_parse(lm_gexpr_pool *pool, const char *text, size_t n, lm_grammar_find_token find_token, void *user,
                        uint32_t *root, lm_error *error);

#endif
