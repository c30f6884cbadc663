/* SPDX-License-Identifier: MIT
 * The state of one render: its memory, its limits and its failure. Every step of work is charged, so that no template can
 * run long or grow large; every allocation comes from one arena. */
#ifndef LM_TEMPLATE_INTERP_H
#define LM_TEMPLATE_INTERP_H

#include "../base/checked.h"
#include "../base/json.h"
#include "template_value.h"

/* Evaluator frames on the C stack; a macro calling itself takes about ten per call. */
#define LM_TEMPLATE_DEPTH_MAX 1000
#define LM_TEMPLATE_RANGE_MAX 100000

struct lm_interp {
    const lm_template *template;
    lm_arena *arena; /* the caller's */
    lm_template_clock clock;
    uint64_t steps, steps_max; /* taken; allowed */
    uint32_t depth;
    uint32_t loop_depth;  /* of recursive loops */
    uint32_t offset;      /* in the normalised source: the node being evaluated */
    lm_origin item;       /* the traced item the innermost loop stands at */
    lm_text_builder *out; /* where output goes now */
    uint32_t loop_symbol, caller_symbol, varargs_symbol, kwargs_symbol; /* UINT32_MAX: never mentioned */
    lm_variant *globals; /* [template->n_symbols], ABSENT where not set */
    lm_error *error;     /* the caller's; may be NULL */
    lm_status status;
    const lm_text *raised; /* message of raise_exception */
};

/* All of these return false or NULL after recording the failure; only the first is kept. */
bool lm_interp_fail(lm_interp *interp, const char *format, ...); /* LM_ERR_FORMAT */
bool lm_interp_limit(lm_interp *interp, const char *what);
bool lm_interp_memory(lm_interp *interp);
bool lm_interp_raise(lm_interp *interp, const lm_text *message); /* LM_ERR_RAISED */
bool lm_interp_charge(lm_interp *interp, uint64_t steps);
void *lm_interp_alloc(lm_interp *interp, size_t size);
void *lm_interp_alloc_array(lm_interp *interp, size_t count, size_t size);
/* One frame deeper; pair with depth--. */
bool lm_interp_enter(lm_interp *interp);

/* A scope inside of the template's: few names, looked up from the inside out. */
typedef struct lm_binding {
    uint32_t symbol;
    lm_variant value;
} lm_binding;

struct lm_scope {
    lm_scope *parent; /* NULL: the globals are next */
    lm_binding *bindings;
    size_t count, capacity;
};

lm_scope *lm_scope_new(lm_interp *interp, lm_scope *parent);
/* scope NULL: a global. */
bool lm_scope_set(lm_interp *interp, lm_scope *scope, uint32_t symbol, const lm_variant *value);
const lm_variant *lm_scope_get(lm_interp *interp, const lm_scope *scope, uint32_t symbol);

/* Loops (template_loop.c): items are drawn one by one, so that a filter sees what earlier iterations did. */
struct lm_loop {
    const lm_node *node;
    const lm_sequence *source;
    size_t next;     /* in source */
    lm_scope *scope; /* around the loop */
    lm_variant current, previous, ahead;
    bool has_current, has_previous, has_ahead, exhausted;
    size_t index0;
    uint32_t depth0;
    lm_variant changed; /* last arguments of loop.changed */
};
bool lm_loop_start(lm_interp *interp, lm_loop *loop, const lm_node *node, const lm_variant *iterable, lm_scope *scope,
                   uint32_t depth0);
/* Move to the next item; *more false at the end. */
bool lm_loop_advance(lm_interp *interp, lm_loop *loop, bool *more);
bool lm_loop_attribute(lm_interp *interp, lm_loop *loop, lm_slice name, lm_variant *out, bool *found);

/* The evaluator (template_eval.c, template_call.c, template_exec.c). */
typedef enum lm_flow { LM_FLOW_FAILED, LM_FLOW_NEXT, LM_FLOW_BREAK, LM_FLOW_CONTINUE } lm_flow;
bool lm_eval(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out);
bool lm_eval_binary(lm_interp *interp, lm_operator op, const lm_variant *a, const lm_variant *b, lm_variant *out);
lm_flow lm_exec_body(lm_interp *interp, const lm_node *body, lm_scope *scope);
lm_flow lm_exec_loop(lm_interp *interp, const lm_node *node, const lm_variant *iterable, lm_scope *scope,
                     uint32_t depth0);
bool lm_exec_assign(lm_interp *interp, const lm_node *target, const lm_variant *value, lm_scope *scope);
/* Run body with its output captured. */
bool lm_exec_capture(lm_interp *interp, const lm_node *body, lm_scope *scope, const lm_text **out);
/* caller: what caller() is inside of a macro, or NULL. */
bool lm_call_node(lm_interp *interp, const lm_node *node, lm_scope *scope, const lm_variant *caller, lm_variant *out);
bool lm_eval_arguments(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_arguments *out);
/* a.name and a[key] */
bool lm_variant_attribute(lm_interp *interp, const lm_variant *object, const lm_text *name, lm_variant *out);
bool lm_variant_item(lm_interp *interp, const lm_variant *object, const lm_variant *key, lm_variant *out);
bool lm_variant_slice(lm_interp *interp, const lm_variant *object, const lm_variant part[3], lm_variant *out);

/* Named natives. A table ends with a NULL name. */
typedef struct lm_native_entry {
    const char *name;
    lm_native native;
} lm_native_entry;
lm_native lm_native_find(const lm_native_entry *table, const char *name, size_t n);
lm_native lm_filter_find(lm_slice name);
lm_native lm_test_find(lm_slice name);
lm_native lm_method_find(const lm_variant *object, lm_slice name);
bool lm_filter_apply(lm_interp *interp, lm_slice name, const lm_variant *self, const lm_arguments *arguments,
                     lm_variant *out);
bool lm_test_apply(lm_interp *interp, lm_slice name, const lm_variant *self, const lm_arguments *arguments, bool *out);
bool lm_globals_install(lm_interp *interp);

/* Distribute arguments over the parameters in names (separated by spaces); slots not given stay ABSENT. The first
 * n_required must be given. */
bool lm_arguments_bind(lm_interp *interp, const lm_arguments *arguments, const char *function, const char *names,
                       size_t n_required, lm_variant *slots);
/* Typed reading of a slot; ABSENT leaves *out as it is. */
bool lm_slot_text(lm_interp *interp, const lm_variant *slot, const char *what, const lm_text **out);
bool lm_slot_integer(lm_interp *interp, const lm_variant *slot, const char *what, int64_t *out);

/* JSON to values (template_json.c). */
bool lm_variant_from_json(lm_interp *interp, const lm_json *json, lm_origin origin, lm_variant *out);

#endif
