/* SPDX-License-Identifier: MIT
 * JSON Schema to expressions. A schema is compiled as a conjunction: a set of schema nodes that all must hold. References and
 * allOf add nodes to the set, anyOf splits it, and each set that occurs becomes one rule, which is what makes recursion end.
 * oneOf splits it too, and adds to each branch the negation of those it may hold together with.
 * Inside of the room: json_schema.c collects a conjunction, the others turn what was collected into text, type by type. */
#ifndef LM_GRAMMAR_JSON_SCHEMA_H
#define LM_GRAMMAR_JSON_SCHEMA_H

#include "../base/json.h"
#include "grammar_expr.h"
#include "regex.h"

#define LM_SCHEMA_MAX_DEPTH 512       /* of the JSON text */
#define LM_SCHEMA_MAX_RULES 20000u    /* conjunctions */
#define LM_SCHEMA_MAX_DIGITS 400u     /* of a numeric bound */
#define LM_SCHEMA_MAX_WORK (1u << 24) /* where the plainest comparison of two is 1: about a second */

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
    LM_SCHEMA_SKIP_NOT = 16,
    LM_SCHEMA_SKIP_BEYOND = 32,
    /* The part says what to avoid, as oneOf wants it, with what is below it: it narrows what is written, and opens nothing. */
    LM_SCHEMA_AVOIDED = 64,
    /* The part is what a negation was split into: it evaluates no members. */
    LM_SCHEMA_DENIED = 128,
    /* From this bit on: the place, from 1, of the part that led there, be it by a choice; 0 for none. */
    LM_SCHEMA_PARENT = 8
};

/* A keyword of our own, whose name no text can spell: some member is there that its schema's "properties" does not declare. */
#define LM_SCHEMA_BEYOND "\377beyond"

/* The vocabularies: what we call it, its name, and the types it speaks of, where that is not all. First those whose negation
 * is collected directly, then bounds and their opposites; the last ones are refused. */
#define LM_SCHEMA_KEYWORDS(K)                                                                                          \
    K(TYPE, "type", 0)                                                                                                 \
    K(CONST, "const", 0)                                                                                               \
    K(ENUM, "enum", 0)                                                                                                 \
    K(PATTERN, "pattern", LM_SCHEMA_STRING)                                                                            \
    K(MIN_LENGTH, "minLength", LM_SCHEMA_STRING)                                                                       \
    K(MAX_LENGTH, "maxLength", LM_SCHEMA_STRING)                                                                       \
    K(MULTIPLE_OF, "multipleOf", LM_SCHEMA_NUMBER)                                                                     \
    K(MINIMUM, "minimum", LM_SCHEMA_NUMBER)                                                                            \
    K(BELOW, "exclusiveMaximum", LM_SCHEMA_NUMBER)                                                                     \
    K(MAXIMUM, "maximum", LM_SCHEMA_NUMBER)                                                                            \
    K(ABOVE, "exclusiveMinimum", LM_SCHEMA_NUMBER)                                                                     \
    K(REF, "$ref", 0)                                                                                                  \
    K(NOT, "not", 0)                                                                                                   \
    K(ALL_OF, "allOf", 0)                                                                                              \
    K(ANY_OF, "anyOf", 0)                                                                                              \
    K(ONE_OF, "oneOf", 0)                                                                                              \
    K(IF, "if", 0)                                                                                                     \
    K(FORMAT, "format", LM_SCHEMA_STRING)                                                                              \
    K(ITEMS, "items", LM_SCHEMA_ARRAY)                                                                                 \
    K(PREFIX_ITEMS, "prefixItems", LM_SCHEMA_ARRAY)                                                                    \
    K(MIN_ITEMS, "minItems", LM_SCHEMA_ARRAY)                                                                          \
    K(MAX_ITEMS, "maxItems", LM_SCHEMA_ARRAY)                                                                          \
    K(UNIQUE_ITEMS, "uniqueItems", LM_SCHEMA_ARRAY)                                                                    \
    K(CONTAINS, "contains", LM_SCHEMA_ARRAY)                                                                           \
    K(MIN_CONTAINS, "minContains", 0)                                                                                  \
    K(MAX_CONTAINS, "maxContains", 0)                                                                                  \
    K(PROPERTIES, "properties", LM_SCHEMA_OBJECT)                                                                      \
    K(REQUIRED, "required", LM_SCHEMA_OBJECT)                                                                          \
    K(ADDITIONAL, "additionalProperties", LM_SCHEMA_OBJECT)                                                            \
    K(UNEVALUATED, "unevaluatedProperties", LM_SCHEMA_OBJECT)                                                          \
    K(MATCHING, "patternProperties", LM_SCHEMA_OBJECT)                                                                 \
    K(NAMES, "propertyNames", LM_SCHEMA_OBJECT)                                                                        \
    K(MIN_MEMBERS, "minProperties", LM_SCHEMA_OBJECT)                                                                  \
    K(MAX_MEMBERS, "maxProperties", LM_SCHEMA_OBJECT)                                                                  \
    K(DEPENDENT, "dependentRequired", LM_SCHEMA_OBJECT)                                                                \
    K(DEPENDENT_SCHEMAS, "dependentSchemas", LM_SCHEMA_OBJECT)                                                         \
    K(DEPENDENCIES, "dependencies", LM_SCHEMA_OBJECT)                                                                  \
    K(BEYOND, LM_SCHEMA_BEYOND, LM_SCHEMA_OBJECT)                                                                      \
    K(DYNAMIC_REF, "$dynamicRef", 0)                                                                                   \
    K(RECURSIVE_REF, "$recursiveRef", 0)                                                                               \
    K(UNEVALUATED_ITEMS, "unevaluatedItems", 0)

#define LM_SCHEMA_KEYWORD_ID(id, name, types) LM_KEY_##id,
enum { LM_SCHEMA_KEYWORDS(LM_SCHEMA_KEYWORD_ID) LM_KEY_NONE };

typedef struct lm_schema_part {
    const lm_json *node;
    uint32_t skip;
} lm_schema_part;

typedef LM_ARRAY(lm_schema_part) lm_schema_parts;
typedef LM_ARRAY(const lm_json *) lm_schema_nodes;
typedef LM_ARRAY(lm_gexpr) lm_schema_exprs;
typedef LM_ARRAY(lm_net_edge) lm_schema_edges;

typedef struct lm_schema_decimal { /* (-1)^negative * digits * 10^-n_fraction */
    bool given, negative, exclusive;
    uint32_t n_integer, n_fraction; /* digits before and after the point; at least one before, no zeros at the ends */
    const char *digits;
} lm_schema_decimal;

typedef struct lm_schema_key {
    const char *name;
    size_t size;
    bool required;
    bool declared; /* by a part that is not LM_SCHEMA_AVOIDED */
} lm_schema_key;

/* What the nodes of one conjunction say together. */
typedef struct lm_schema_flat {
    /* The arrays, which flat_free takes one after the other. */
    lm_schema_parts parts;      /* nodes that hold, references and allOf followed */
    LM_ARRAY(uint32_t) origins; /* [parts] the part that referred to it, UINT32_MAX for the given ones */
    lm_schema_nodes values;     /* enum and const: the text must be one of them, where has_values */
    lm_schema_nodes forbidden;  /* not enum, not const */
    lm_schema_nodes excluded;   /* {keyword: value} of one keyword for strings or multipleOf: not those */
    lm_schema_nodes multiples;
    lm_schema_nodes patterns;
    lm_schema_nodes formats;
    lm_schema_parts contains;
    LM_ARRAY(lm_schema_key) keys;
    lm_schema_nodes names;    /* propertyNames */
    lm_schema_nodes matching; /* patternProperties, whole objects */
    uint32_t types;
    uint32_t said; /* the types that keywords speak of, which count where the schema names none, see lm_schema_types */
    bool typed;    /* it names some */
    bool never;
    bool pending; /* what is not collected yet may let more be written: a choice, a condition, a negation */
    bool has_values;
    lm_schema_decimal least, most;
    uint32_t min_length, max_length; /* of strings, in code points */
    uint32_t min_items, max_items;
    uint32_t min_contains, max_contains; /* of the one node with contains */
    bool has_items;                      /* some node has items or prefixItems */
    const lm_json *unique;               /* a node with uniqueItems, or NULL */
    uint32_t min_members, max_members;
    bool closed;      /* additionalProperties is false, or unevaluatedProperties and nothing is open */
    bool sealed;      /* unevaluatedProperties is false */
    bool open;        /* undeclared members are allowed by name */
    bool patterned;   /* by patterns */
    bool has_members; /* some node declares properties */
    /* The first choice found: one of the branches must be added to the conjunction. */
    const lm_json *choice_node, *choice;
    uint32_t choice_skip;
} lm_schema_flat;

/* What was made of a list or of the members of a schema, kept so that the same question has the same answer: conjunctions are
 * told apart by the addresses of their nodes, and recursion ends by meeting one again. */
typedef struct lm_schema_made {
    const void *key;     /* items or members; copies of a node share them */
    const lm_json *list; /* NULL while it is being made */
    const char *unable;  /* a keyword that the list leaves out; NULL for none */
} lm_schema_made;

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
    LM_ARRAY(lm_schema_made) made;
    bool looking;      /* collecting only in order to tell apart: less may be demanded than is */
    bool inverted;     /* patterns are read to be excluded */
    bool raw;          /* patterns are of the text itself, not of what is between quotes */
    bool overlap;      /* a branch of oneOf may hold together with another */
    bool looked, many; /* whether it is known, and so: schemas below the root have an "$id" */
    uint32_t n_work;
    const lm_json *seen_choice; /* the list whose branches seen holds, each collected alone */
    LM_ARRAY(lm_schema_flat) seen;
    lm_gexpr space, value, any_string, any_number, any_integer; /* made when first needed; 0 until then */
} lm_schema;

/* Compile the text; root becomes the start rule. LM_OK or what lm_grammar_from_json_schema says. */
lm_status lm_schema_compile(lm_gexpr_pool *pool, const char *text, size_t n, bool compact, uint32_t *root,
                            lm_error *error);

/* Fail with a sentence that begins with the JSON pointer of node. Only the first failure counts. Gives the status. */
lm_status lm_schema_refuse(lm_schema *schema, lm_status status, const lm_json *node, const char *format, ...);
lm_status lm_schema_memory(lm_schema *schema);
/* Count work of n; false: the schema has failed, if only for being too much work. */
bool lm_schema_work(lm_schema *schema, size_t n);
/* Append to an LM_ARRAY of elements of size bytes; without memory the schema fails. */
void lm_schema_push_bytes(lm_schema *schema, void *array, const void *element, size_t size);
#define lm_schema_push(schema, array, element)                                                                         \
    lm_schema_push_bytes((schema), (array), 1 ? &(element) : (array)->data, sizeof *(array)->data)

/* The rule of a conjunction, as an expression. n may be 0: any value. */
lm_gexpr lm_schema_conjunction(lm_schema *schema, const lm_schema_part *parts, size_t n);
/* What was collected, its choice replaced by one of the branches: written to parts. Of oneOf the other branches are excluded
 * too, where they may hold. false: no memory. */
bool lm_schema_branch(lm_schema *schema, const lm_schema_flat *flat, size_t which, lm_schema_parts *parts);
/* The types of what is written: those that the keywords speak of, where the schema names none. */
uint32_t lm_schema_types(const lm_schema_flat *flat);
/* One value of an enumeration, if the other keywords let it through; else LM_GEXPR_NEVER. */
lm_gexpr lm_schema_enumerated(lm_schema *schema, const lm_schema_flat *flat, const lm_json *value);

/* schema_value.c: JSON without a schema. */
lm_gexpr lm_schema_literal(lm_schema *schema, const char *text);
lm_gexpr lm_schema_any(lm_schema *schema);
lm_gexpr lm_schema_any_object(lm_schema *schema);
lm_gexpr lm_schema_any_array(lm_schema *schema);
/* Exactly this value, white space aside. */
lm_gexpr lm_schema_exactly(lm_schema *schema, const lm_json *value);
bool lm_schema_equal(const lm_json *a, const lm_json *b);
/* The type bit of a value; 1.0 counts as an integer. */
uint32_t lm_schema_type_of(const lm_json *value);
bool lm_schema_has_value(const lm_schema_nodes *values, const lm_json *value);
/* A comma and white space. */
lm_gexpr lm_schema_comma(lm_schema *schema);
/* A member, of which name is between the quotes. */
lm_gexpr lm_schema_member(lm_schema *schema, lm_gexpr name, lm_gexpr value);
/* Brackets and what is between them, with white space. */
lm_gexpr lm_schema_enclosed(lm_schema *schema, const char *open, lm_gexpr inner, const char *close);
/* An edge of a net, unless nothing passes it. */
void lm_schema_edge(lm_schema *schema, lm_schema_edges *edges, uint32_t from, uint32_t to, lm_gexpr expr);
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
/* The texts of the pattern, which has anchors, as they are: without quotes and escapes. */
lm_gexpr lm_schema_raw(lm_schema *schema, const char *pattern);
/* schema_format.c: the pattern of a format, NULL for one that is none of ours. *distinct (may be NULL): no text is of two
 * formats of which this is said. */
const char *lm_schema_format_pattern(const lm_json *format, bool *distinct);

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
/* May a member of this name, one of flat's keys, be written? NULL: one that is none of them. */
bool lm_schema_writes(const lm_schema_flat *flat, const lm_schema_key *key);
/* schema_unique.c: what is between the brackets of an array of different items that satisfy parts, as many as flat says. */
lm_gexpr lm_schema_unique_items(lm_schema *schema, const lm_schema_flat *flat, const lm_schema_part *parts, size_t n);

/* schema_negate.c: schemas made from schemas, in the arena, and remembered. */
/* A list of schemas of which one holds exactly where node does not. What our means cannot say is left out, and *unable names a
 * keyword of it (else NULL). NULL: no memory. */
const lm_json *lm_schema_negate(lm_schema *schema, const lm_json *node, const char **unable);
/* {"not": item} for each item of a list. */
const lm_json *lm_schema_excluding(lm_schema *schema, const lm_json *list);
/* The members beyond those that node declares, each required by an item of the list; NULL when one is required anyway. */
const lm_json *lm_schema_beyond(lm_schema *schema, const lm_schema_flat *flat, const lm_json *node);
/* What one member of dependentRequired or dependentSchemas demands, as a schema. */
const lm_json *lm_schema_dependent(lm_schema *schema, const lm_json_member *member);
/* The branches that stand for if, then, else: a list. */
const lm_json *lm_schema_conditional(lm_schema *schema, const lm_json *node);

/* schema_apart.c: can nothing be written under flat that satisfies node? true is certain; false: perhaps something. */
bool lm_schema_apart(lm_schema *schema, const lm_schema_flat *flat, const lm_json *node);
/* Exclude from parts, which hold branch which of flat's choice, the branches that are not apart from it. */
void lm_schema_exclude(lm_schema *schema, const lm_schema_flat *flat, size_t which, lm_schema_parts *parts);
/* Free what was seen of a choice. */
void lm_schema_forget(lm_schema *schema);

/* schema_ref.c: what "$ref" of node leads to; NULL: refused. */
const lm_json *lm_schema_resolve(lm_schema *schema, const lm_json *node, const lm_json *reference);

/* schema_flat.c */
/* Collect a conjunction: out must be freed in any case. A "not" that must be split is the last to become the choice. */
lm_status lm_schema_flatten(lm_schema *schema, const lm_schema_part *parts, size_t n, lm_schema_flat *out);
/* The same without a look at those: all that can be said before a choice is made. */
lm_status lm_schema_collect(lm_schema *schema, const lm_schema_part *parts, size_t n, lm_schema_flat *out);
void lm_schema_flat_free(lm_schema *schema, lm_schema_flat *flat);
/* Which keyword is member i of node? LM_KEY_NONE: an annotation. */
uint32_t lm_schema_keyword_of(const lm_json *node, size_t i);
const char *lm_schema_keyword_name(uint32_t key);

#endif
