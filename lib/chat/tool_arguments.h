/* SPDX-License-Identifier: MIT
 * The arguments of a call as an expression: a tool's schema in the style of a family. */
#ifndef LM_CHAT_TOOL_ARGUMENTS_H
#define LM_CHAT_TOOL_ARGUMENTS_H

#include "../base/json.h"
#include "../base/str.h"
#include "../grammar/grammar_expr.h"
#include "call_syntax.h"

typedef struct lm_turn_builder {
    lm_gexpr_pool pool;
    lm_str text; /* scratch */
    const lm_env *env;
    lm_error *error;
    const char *tool; /* its name, for warnings */
    lm_gexpr any;     /* tool_literal.c: any value of its dialect; 0 until it is made */
    bool warned;
} lm_turn_builder;

/* A schema as JSON; NULL: any object. A status of lm_schema_compile. */
lm_status lm_turn_schema(lm_turn_builder *b, const lm_json *schema, lm_gexpr *out);
/* The same, or anything that fallback allows where the schema cannot be kept, with a warning to the log. */
lm_status lm_turn_schema_or(lm_turn_builder *b, const lm_json *schema, const lm_json *fallback, lm_gexpr *out);
/* Text in which close does not occur, and then close. */
lm_gexpr lm_turn_through(lm_turn_builder *b, const char *close);
lm_gexpr lm_turn_word(lm_turn_builder *b, const char *text);
/* Text with the marks of call_syntax.h that vary by call; is_text for LM_CALL_IS_TEXT. */
lm_gexpr lm_turn_phrase(lm_turn_builder *b, const char *text, size_t n, bool is_text);
bool lm_turn_requires(const lm_json *parameters, const lm_json_member *member);

/* parameters may be NULL: any arguments. */
lm_status lm_tool_arguments(lm_turn_builder *b, const lm_call_syntax *syntax, const lm_json *parameters, lm_gexpr *out);
/* tool_literal.c: in Gemma's or Python's literals. */
lm_status lm_tool_literal(lm_turn_builder *b, bool python, const lm_json *parameters, lm_gexpr *out);

#endif
