/* SPDX-License-Identifier: MIT
 * What the two halves of the template parser share: the token stream, errors, and the making of nodes. */
#ifndef LM_TEMPLATE_PARSER_H
#define LM_TEMPLATE_PARSER_H

#include "template_lexer.h"

typedef struct lm_parser {
    lm_template *template;
    lm_lexer lexer;
    lm_lexeme token; /* the current one */
    lm_error *error; /* may be NULL */
    lm_status status;
    uint32_t depth;      /* nested expressions and blocks */
    uint8_t macro_uses;  /* LM_MACRO_USES_*: special names the innermost macro mentions */
    uint32_t loop_depth; /* for blocks around this place, inside the innermost macro */
} lm_parser;

/* Each returns NULL or false after it has recorded why. */
bool lm_parser_fail(lm_parser *parser, lm_status status, uint32_t offset, const char *format, ...);
bool lm_parser_advance(lm_parser *parser);
bool lm_parser_enter(lm_parser *parser); /* one level deeper; pair with depth-- */
lm_node *lm_parser_node(lm_parser *parser, lm_node_kind kind, uint32_t offset);
bool lm_parser_symbol(lm_parser *parser, lm_slice name, uint32_t *out);

bool lm_parser_is_punctuation(const lm_parser *parser, uint16_t op);
bool lm_parser_is_name(const lm_parser *parser, const char *name);
bool lm_parser_expect(lm_parser *parser, uint16_t op);
/* Skip the name if it is the current token; *found says whether it was. */
bool lm_parser_skip_name(lm_parser *parser, const char *name, bool *found);

/* A list of nodes under construction. */
typedef struct lm_node_list {
    lm_node **items;
    uint32_t count, capacity;
} lm_node_list;
bool lm_parser_push(lm_parser *parser, lm_node_list *list, lm_node *node);

lm_node *lm_parse_expression(lm_parser *parser);
/* One expression, or a tuple when a comma follows. conditional: whether "a if b else c" may appear at its top. */
lm_node *lm_parse_tuple(lm_parser *parser, bool conditional, bool explicit_parentheses);
/* Filters after node, which may be NULL; the first | is already skipped when at_name. */
lm_node *lm_parse_filters(lm_parser *parser, lm_node *node, bool at_name);
/* name, name.attribute, (a, b), or a, b where tuples are allowed. */
lm_node *lm_parse_target(lm_parser *parser, bool with_tuple, bool with_namespace);
lm_node *lm_parse_body_until(lm_parser *parser, const char *const *ends, size_t n_ends, size_t *end);

#endif
