/* SPDX-License-Identifier: MIT
 * JSON Schema to expressions. A schema is compiled as a conjunction: a set of schema nodes that all must hold. References and
 * allOf add nodes to the set, anyOf splits it, and each set that occurs becomes one rule, which is what makes recursion end.
 * Inside of the room: json_schema.c collects a conjunction, the others turn what was collected into text, type by type. */
#ifndef LM_GRAMMAR_JSON_SCHEMA_H
#define LM_GRAMMAR_JSON_SCHEMA_H

#include "../base/json.h"
#include "grammar_expr.h"
#include "regex.h"

#define LM_SCHEMA_MAX_DEPTH 512    /* of the JSON text */
#define LM_SCHEMA_MAX_RULES 20000u /* conjunctions */
#define LM_SCHEMA_MAX_DIGITS 400u  /* of a numeric bound */

enum {
    LM_SCHEMA_NULL = 1,
    LM_SCHEMA_FALSE = 2,
    LM_SCHEMA_TRUE = 4,
    LM_SCHEMA_STRING = 8,
    LM_SCHEMA_INTEGER = 16,
    LM_SCHEMA_FRACTION = 32, /* numbers that are no integers */
    LM_SCHEMA_ARRAY = 64,
    LM_SCHEMA_OBJECT = 128,
    LM_SCHEMA_NUMBER = LM_SCHEMA_INTEGER | LM_SCHEMA_FRACTION,
    LM_SCHEMA_ANY = 255
};

/* Parts of a node that a conjunction leaves out, as it has taken one branch of them already. */
enum {
    LM_SCHEMA_SKIP_ANY_OF = 1,
    LM_SCHEMA_SKIP_ONE_OF = 2,
    LM_SCHEMA_SKIP_DEPENDENT = 4,
    LM_SCHEMA_SKIP_IF = 8,
    LM_SCHEMA_SKIP_NOT = 16
};

typedef struct lm_schema_part {
    const lm_json *node;
    uint32_t skip;
} lm_schema_part;

typedef LM_ARRAY(lm_schema_part) lm_schema_parts;

typedef struct lm_schema_decimal { /* (-1)^negative * digits * 10^-n_fraction */
    bool given, negative, exclusive;
    uint32_t n_integer, n_fraction; /* digits before and after the point; at least one before, no zeros at the ends */
    const char *digits;
} lm_schema_decimal;

typedef struct lm_schema_key {
    const char *name;
    size_t size;
    bool required;
} lm_schema_key;

/* What the nodes of one conjunction say together. */
typedef struct lm_schema_flat {
    uint32_t types;
    bool never;
    lm_schema_parts parts;               /* nodes that hold, references and allOf followed */
    LM_ARRAY(uint32_t) origins;          /* [parts] the part that led there, UINT32_MAX for the given ones */
    LM_ARRAY(const lm_json *) values;    /* enum and const: the text must be one of them, where has_values */
    LM_ARRAY(const lm_json *) forbidden; /* not enum, not const */
    bool has_values;
    lm_schema_decimal least, most;
    LM_ARRAY(const lm_json *) multiples;
    uint32_t min_length, max_length; /* of strings, in code points */
    LM_ARRAY(const lm_json *) patterns;
    LM_ARRAY(const lm_json *) formats;
    uint32_t min_items, max_items;
    LM_ARRAY(const lm_json *) contains;
    bool has_items;        /* some node has items or prefixItems */
    const lm_json *unique; /* a node with uniqueItems, or NULL */
    uint32_t min_members, max_members;
    bool closed;      /* additionalProperties or unevaluatedProperties is false */
    bool open;        /* undeclared members are allowed by name */
    bool has_members; /* some node has properties */
    LM_ARRAY(lm_schema_key) keys;
    LM_ARRAY(const lm_json *) names;    /* propertyNames */
    LM_ARRAY(const lm_json *) matching; /* patternProperties, whole objects */
    /* The first choice found: one of the branches must be added to the conjunction. */
    const lm_json *choice_node, *choice;
    uint32_t choice_skip;
} lm_schema_flat;

typedef struct lm_schema_rule {
    uint32_t first, count; /* in the compiler's parts */
    uint32_t rule;
    uint32_t next; /* of the same hash */
} lm_schema_rule;

typedef struct lm_schema {
    const lm_env *env;
    lm_gexpr_pool *pool;
    lm_arena arena; /* the tree, and nodes of our own */
    const lm_json *root;
    bool compact;
    lm_error *error;
    lm_status status;
    LM_ARRAY(lm_schema_part) parts;
    LM_ARRAY(lm_schema_rule) rules; /* one per conjunction, in order of discovery */
    uint32_t *heads;                /* [n_heads] hash to rule + 1 */
    size_t n_heads;
    lm_gexpr space, value, any_string, any_number, any_integer; /* made when first needed; 0 until then */
} lm_schema;

/* Compile the text; root becomes the start rule. LM_OK or what lm_grammar_from_json_schema says. */
lm_status lm_schema_compile(lm_gexpr_pool *pool, const char *text, size_t n, bool compact, uint32_t *root,
                            lm_error *error);

/* Fail with a sentence that begins with the JSON pointer of node. Only the first failure counts. Gives the status. */
lm_status lm_schema_refuse(lm_schema *schema, lm_status status, const lm_json *node, const char *format, ...);
lm_status lm_schema_memory(lm_schema *schema);

/* The rule of a conjunction, as an expression. n may be 0: any value. */
lm_gexpr lm_schema_conjunction(lm_schema *schema, const lm_schema_part *parts, size_t n);
/* What was collected, its choice replaced by one of the branches: written to parts. false: no memory. */
bool lm_schema_branch(lm_schema *schema, const lm_schema_flat *flat, size_t which, lm_schema_parts *parts);
/* One value of an enumeration, if the other keywords let it through; else LM_GEXPR_NEVER. */
lm_gexpr lm_schema_enumerated(lm_schema *schema, const lm_schema_flat *flat, const lm_json *value);

/* schema_value.c: JSON without a schema. */
lm_gexpr lm_schema_literal(lm_schema *schema, const char *text);
lm_gexpr lm_schema_space(lm_schema *schema);
lm_gexpr lm_schema_any(lm_schema *schema);
lm_gexpr lm_schema_any_object(lm_schema *schema);
lm_gexpr lm_schema_any_array(lm_schema *schema);
/* Exactly this value, white space aside. */
lm_gexpr lm_schema_exactly(lm_schema *schema, const lm_json *value);
bool lm_schema_equal(const lm_json *a, const lm_json *b);
/* The type bit of a value; 1.0 counts as an integer. */
uint32_t lm_schema_type_of(const lm_json *value);
/* From least to most items with commas between. */
lm_gexpr lm_schema_list(lm_schema *schema, lm_gexpr item, uint32_t least, uint32_t most);

/* schema_string.c: characters as JSON spells them. */
lm_gexpr lm_schema_any_char(lm_schema *schema);       /* any spelling */
lm_gexpr lm_schema_canonical_char(lm_schema *schema); /* each character in one spelling */
lm_gexpr lm_schema_canonical_text(lm_schema *schema, const char *text, size_t n);
lm_gexpr lm_schema_canonical_class(lm_schema *schema, const lm_code_range *ranges, size_t n);
lm_gexpr lm_schema_quoted(lm_schema *schema, lm_gexpr inner);
lm_gexpr lm_schema_string(lm_schema *schema, const lm_schema_flat *flat);
/* What is between the quotes, each character in its canonical spelling, for member names. */
lm_gexpr lm_schema_string_inner(lm_schema *schema, const lm_schema_flat *flat);

/* schema_pattern.c: texts in which the pattern (a string node) is found; canonical spelling. */
lm_gexpr lm_schema_pattern(lm_schema *schema, const lm_json *where, const char *pattern, size_t n);
/* schema_format.c: LM_GEXPR_NEVER with *known false for a format that is none of ours. */
lm_gexpr lm_schema_format(lm_schema *schema, const lm_json *format, bool *known);

/* schema_number.c */
/* Read a JSON number into digits, which out points to; false when it has more than LM_SCHEMA_MAX_DIGITS. */
bool lm_schema_decimal_parse(const char *text, size_t n, char digits[LM_SCHEMA_MAX_DIGITS], lm_schema_decimal *out);
/* The same with digits from the arena; refuses the schema when it cannot. */
bool lm_schema_decimal_read(lm_schema *schema, const lm_json *number, lm_schema_decimal *out);
int lm_schema_decimal_compare(const lm_schema_decimal *a, const lm_schema_decimal *b);
lm_gexpr lm_schema_number(lm_schema *schema, const lm_schema_flat *flat);
/* Does a number of an enumeration keep the bounds? */
bool lm_schema_number_fits(lm_schema *schema, const lm_schema_flat *flat, const lm_json *number);

/* schema_array.c, schema_object.c */
lm_gexpr lm_schema_array(lm_schema *schema, const lm_schema_flat *flat);
lm_gexpr lm_schema_object(lm_schema *schema, const lm_schema_flat *flat);
/* schema_unique.c: what is between the brackets of an array of different items that satisfy parts, as many as flat says. */
lm_gexpr lm_schema_unique_items(lm_schema *schema, const lm_schema_flat *flat, const lm_schema_part *parts, size_t n);

/* schema_negate.c: a schema that holds exactly where node does not, made in the arena; NULL when there is none in our means
 * (or no memory: then schema->status says so). */
const lm_json *lm_schema_negate(lm_schema *schema, const lm_json *node, uint32_t depth);
/* Of one dependentRequired: schemas any of which must hold for the member key. */
const lm_json *lm_schema_dependent(lm_schema *schema, const lm_json_member *member);
/* The branches that stand for if, then, else: an array. */
const lm_json *lm_schema_conditional(lm_schema *schema, const lm_json *node);

/* schema_flat.c: collect a conjunction. */
lm_status lm_schema_flatten(lm_schema *schema, const lm_schema_part *parts, size_t n, lm_schema_flat *out);
void lm_schema_flat_free(lm_schema *schema, lm_schema_flat *flat);

#endif
