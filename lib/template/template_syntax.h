/* SPDX-License-Identifier: MIT
 * The syntax tree of a template and how it is made. A template is read once into a tree that lives in one arena and
 * is never changed afterwards; rendering only reads it. Names of variables are interned to small numbers. */
#ifndef LM_TEMPLATE_SYNTAX_H
#define LM_TEMPLATE_SYNTAX_H

#include <stdbool.h>

#include "../base/arena.h"
#include "template.h"

/* Limits on the source. The nesting bound also bounds the C stack of the parser. */
#define LM_TEMPLATE_SOURCE_MAX ((size_t)1 << 20)
#define LM_TEMPLATE_NESTING_MAX 200

typedef struct lm_slice {
    const char *bytes;
    size_t n;
} lm_slice;

typedef enum lm_node_kind {
    /* expressions */
    LM_NODE_STRING, /* text */
    LM_NODE_INTEGER,
    LM_NODE_FLOAT,
    LM_NODE_TRUE,
    LM_NODE_FALSE,
    LM_NODE_NONE,
    LM_NODE_NAME,      /* symbol */
    LM_NODE_LIST,      /* items */
    LM_NODE_TUPLE,     /* items */
    LM_NODE_DICT,      /* items: key, value, key, value, ... */
    LM_NODE_ATTRIBUTE, /* a.text */
    LM_NODE_INDEX,     /* a[b] */
    LM_NODE_SLICE,     /* items: start, stop, step; each may be NULL */
    LM_NODE_CALL,      /* a(items) */
    LM_NODE_FILTER,    /* a | text(items); a is NULL at the head of a filter block */
    LM_NODE_TEST,      /* a is text(items) */
    LM_NODE_NOT,
    LM_NODE_NEGATE,
    LM_NODE_PLUS,
    LM_NODE_BINARY,      /* a, then items: operands with their op, from left to right */
    LM_NODE_CONCAT,      /* items joined by ~ */
    LM_NODE_COMPARE,     /* a, then items: operands with their op */
    LM_NODE_AND,         /* items */
    LM_NODE_OR,          /* items */
    LM_NODE_CONDITIONAL, /* b if a else c; c may be NULL */
    LM_NODE_KEYWORD,     /* an argument text=a */
    LM_NODE_SPLAT,       /* an argument *a */
    LM_NODE_DOUBLE_SPLAT,
    LM_NODE_NAMESPACE_TARGET, /* assignment to symbol.text */
    /* statements */
    LM_NODE_TEXT,         /* text */
    LM_NODE_OUTPUT,       /* {{ a }} */
    LM_NODE_IF,           /* a: condition, b: body, c: else body or NULL */
    LM_NODE_FOR,          /* items: target, iterable, filter or NULL; b: body, c: else body or NULL; flag: recursive */
    LM_NODE_SET,          /* b: target, a: expression */
    LM_NODE_CAPTURE,      /* set block; b: target, a: filter chain or NULL, c: body */
    LM_NODE_MACRO,        /* symbol, items: parameters, b: body */
    LM_NODE_CALL_BLOCK,   /* a: call, c: the macro that caller() runs */
    LM_NODE_FILTER_BLOCK, /* a: filter chain, b: body */
    LM_NODE_WITH,         /* items: target, value, ...; b: body */
    LM_NODE_BREAK,
    LM_NODE_CONTINUE,
    LM_NODE_BODY,     /* items: statements */
    LM_NODE_PARAMETER /* symbol, text: its name, a: default or NULL */
} lm_node_kind;

typedef enum lm_operator {
    LM_OPERATOR_ADD,
    LM_OPERATOR_SUBTRACT,
    LM_OPERATOR_MULTIPLY,
    LM_OPERATOR_DIVIDE,
    LM_OPERATOR_FLOOR_DIVIDE,
    LM_OPERATOR_MODULO,
    LM_OPERATOR_POWER,
    LM_OPERATOR_EQUAL,
    LM_OPERATOR_UNEQUAL,
    LM_OPERATOR_LESS,
    LM_OPERATOR_LESS_EQUAL,
    LM_OPERATOR_GREATER,
    LM_OPERATOR_GREATER_EQUAL,
    LM_OPERATOR_IN,
    LM_OPERATOR_NOT_IN
} lm_operator;

enum { LM_MACRO_USES_VARARGS = 1, LM_MACRO_USES_KWARGS = 2, LM_MACRO_USES_CALLER = 4 };

typedef struct lm_node lm_node;
struct lm_node {
    uint8_t kind;     /* lm_node_kind */
    uint8_t op;       /* lm_operator; of a MACRO: LM_MACRO_USES_* */
    bool flag;        /* FOR: recursive */
    uint32_t offset;  /* bytes into the normalised source */
    uint32_t symbol;  /* interned name */
    uint32_t n_items; /* pointers in items */
    lm_node *a, *b, *c;
    lm_node **items;
    lm_slice text;
    int64_t integer;
    double number;
};

struct lm_template {
    const lm_env *env;
    lm_arena arena;     /* everything below */
    const char *source; /* the caller's text, unchanged */
    size_t source_n;
    lm_slice normalised; /* line ends as \n, one at the very end removed */
    const lm_node *root;
    lm_slice *symbols; /* [n_symbols] names by number */
    uint32_t n_symbols, symbols_capacity;
    uint32_t *symbol_index; /* open addressing, entries number + 1 */
    size_t symbol_index_size;
};

/* The number of a name, or UINT32_MAX when the template never mentions it. */
uint32_t lm_template_symbol(const lm_template *template, const char *name, size_t n);

/* Line (from 1) and byte offset in the caller's text of an offset in the normalised source. */
void lm_template_locate(const lm_template *template, size_t offset, int32_t *line, uint64_t *source_offset);

#endif
