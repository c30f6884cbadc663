/* SPDX-License-Identifier: MIT
 * Values of a running template, with Python's types and rules. All of them live in the arena of one render. */
#ifndef LM_TEMPLATE_VALUE_H
#define LM_TEMPLATE_VALUE_H

#include "template_syntax.h"
#include "template_text.h"

typedef enum lm_variant_kind {
    LM_VARIANT_ABSENT, /* no value at all: a free slot, an argument not given */
    LM_VARIANT_UNDEFINED,
    LM_VARIANT_NONE,
    LM_VARIANT_BOOL,
    LM_VARIANT_INT,
    LM_VARIANT_FLOAT,
    LM_VARIANT_STRING,
    LM_VARIANT_LIST,
    LM_VARIANT_TUPLE,
    LM_VARIANT_RANGE,
    LM_VARIANT_VIEW,      /* keys(), values(), items() of a dict */
    LM_VARIANT_GENERATOR, /* what map, select and the like give: can be walked once */
    LM_VARIANT_DICT,
    LM_VARIANT_NAMESPACE,
    LM_VARIANT_LOOP,
    LM_VARIANT_CYCLER,
    LM_VARIANT_CALLABLE
} lm_variant_kind;

typedef struct lm_sequence lm_sequence;
typedef struct lm_dict lm_dict;
typedef struct lm_loop lm_loop;
typedef struct lm_callable lm_callable;
typedef struct lm_missing lm_missing;

typedef struct lm_variant {
    uint8_t kind; /* lm_variant_kind */
    bool escaped; /* STRING: made by the escape filter or marked safe */
    union {
        bool boolean;
        int64_t integer;
        double number;
        const lm_text *text;
        lm_sequence *sequence; /* LIST to GENERATOR, CYCLER */
        lm_dict *dict;         /* DICT, NAMESPACE */
        lm_loop *loop;
        const lm_callable *callable;
        const lm_missing *missing; /* UNDEFINED; NULL when nothing is known */
    } as;
} lm_variant;

struct lm_sequence {
    lm_variant *items;
    size_t count, capacity;
    size_t cursor;             /* GENERATOR: items walked already; CYCLER: the current item */
    const char *name;          /* VIEW: Python's name of its type; TUPLE of groupby: "group" */
    int64_t start, stop, step; /* RANGE, for printing */
};

typedef struct lm_dict_entry {
    lm_variant key, value;
    uint32_t hash;
} lm_dict_entry;

struct lm_dict {
    lm_dict_entry *entries; /* in order of insertion */
    size_t count, capacity;
    uint32_t *index; /* open addressing, entry number + 1; NULL while small */
    size_t index_size;
    int32_t item; /* this dict is that item of the traced list; -1 for all others */
};

/* What an undefined value was meant to be, for messages. */
struct lm_missing {
    const lm_text *name; /* variable or key; NULL for an index */
    uint8_t owner;       /* kind of the value it was looked for in; ABSENT for a variable */
    int64_t index;
};

typedef struct lm_keyword {
    const lm_text *name;
    lm_variant value;
} lm_keyword;

typedef struct lm_arguments {
    const lm_variant *values;
    size_t count;
    const lm_keyword *keywords;
    size_t n_keywords;
} lm_arguments;

/* A function of the interpreter: false after it has recorded why. self is what a filter, test or method applies to. */
typedef bool (*lm_native)(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out);

typedef struct lm_scope lm_scope;

struct lm_callable {
    const char *name;
    lm_native native; /* NULL for a macro and for a recursive loop */
    lm_variant self;
    const lm_node *macro;
    lm_scope *scope; /* of the macro's definition */
    lm_loop *loop;   /* a recursive loop */
    bool is_caller;
};

static inline lm_variant lm_variant_undefined(void) { return (lm_variant){.kind = LM_VARIANT_UNDEFINED}; }
static inline lm_variant lm_variant_none(void) { return (lm_variant){.kind = LM_VARIANT_NONE}; }
static inline lm_variant lm_variant_bool(bool b) { return (lm_variant){.kind = LM_VARIANT_BOOL, .as.boolean = b}; }
static inline lm_variant lm_variant_int(int64_t i) { return (lm_variant){.kind = LM_VARIANT_INT, .as.integer = i}; }
static inline lm_variant lm_variant_float(double d) { return (lm_variant){.kind = LM_VARIANT_FLOAT, .as.number = d}; }
static inline lm_variant lm_variant_text(const lm_text *t) {
    return (lm_variant){.kind = LM_VARIANT_STRING, .as.text = t};
}
static inline lm_variant lm_variant_dict(lm_dict *d) { return (lm_variant){.kind = LM_VARIANT_DICT, .as.dict = d}; }
static inline lm_variant lm_variant_sequence(lm_variant_kind kind, lm_sequence *s) {
    return (lm_variant){.kind = (uint8_t)kind, .as.sequence = s};
}

static inline bool lm_variant_is_sequence(const lm_variant *v) {
    return v->kind >= LM_VARIANT_LIST && v->kind <= LM_VARIANT_GENERATOR;
}
static inline bool lm_variant_is_missing(const lm_variant *v) { return v->kind <= LM_VARIANT_UNDEFINED; }
/* bool, int or float, as Python's numbers */
static inline bool lm_variant_is_number(const lm_variant *v) {
    return v->kind >= LM_VARIANT_BOOL && v->kind <= LM_VARIANT_FLOAT;
}
/* bool or int, as Python's int */
static inline bool lm_variant_is_integer(const lm_variant *v) {
    return v->kind == LM_VARIANT_BOOL || v->kind == LM_VARIANT_INT;
}

int64_t lm_variant_as_integer(const lm_variant *v); /* of a bool or int */
double lm_variant_as_double(const lm_variant *v);   /* of a bool, int or float */
bool lm_variant_truth(const lm_variant *v);
/* Python's name of the type, for messages. */
const char *lm_variant_type(const lm_variant *v);

/* Makers; NULL or false: the interpreter failed. */
lm_sequence *lm_sequence_new(lm_interp *interp, size_t capacity);
bool lm_sequence_push(lm_interp *interp, lm_sequence *sequence, lm_variant value);
bool lm_variant_word(lm_interp *interp, const char *word, lm_variant *out);
/* The element of a string at a byte position, as a string of one character. */
bool lm_variant_char(lm_interp *interp, const lm_text *text, size_t pos, lm_variant *out);
/* An undefined value that remembers its name. */
bool lm_variant_missing(lm_interp *interp, const lm_variant *owner, const lm_text *name, int64_t index,
                        lm_variant *out);
/* Fails with the sentence of using an undefined value. */
bool lm_variant_fail_undefined(lm_interp *interp, const lm_variant *missing);

/* What iterating over value gives, as a sequence: its own for lists, keys for a dict, characters for a string. A generator
 * is used up by it. Fails when value cannot be iterated. */
bool lm_variant_iterate(lm_interp *interp, const lm_variant *value, const lm_sequence **out);

/* dict (template_dict.c). Keys: none, bool, int, float, string, tuple of these. */
lm_dict *lm_dict_new(lm_interp *interp);
bool lm_dict_set(lm_interp *interp, lm_dict *dict, const lm_variant *key, const lm_variant *value);
bool lm_dict_set_text(lm_interp *interp, lm_dict *dict, const lm_text *key, const lm_variant *value);
/* The value, or NULL; *failed becomes true when the key cannot be one or the limits are reached. */
lm_variant *lm_dict_get(lm_interp *interp, const lm_dict *dict, const lm_variant *key, bool *failed);
lm_variant *lm_dict_get_text(lm_interp *interp, const lm_dict *dict, const lm_text *key, bool *failed);
bool lm_dict_remove(lm_interp *interp, lm_dict *dict, const lm_variant *key, lm_variant *out, bool *found);

/* Comparing (template_compare.c) */
bool lm_variant_equal(lm_interp *interp, const lm_variant *a, const lm_variant *b, bool *out);
/* *out < 0, 0 or > 0. Fails with operator_name in the sentence when the types have no order. */
bool lm_variant_order(lm_interp *interp, const lm_variant *a, const lm_variant *b, const char *operator_name, int *out);
bool lm_variant_contains(lm_interp *interp, const lm_variant *container, const lm_variant *item, bool *out);

/* Text forms (template_print.c): str() and repr() of Python. */
bool lm_variant_print(lm_interp *interp, const lm_variant *value, lm_text_builder *out);
bool lm_variant_repr(lm_interp *interp, const lm_variant *value, lm_text_builder *out);
bool lm_variant_to_text(lm_interp *interp, const lm_variant *value, const lm_text **out);

#endif
