/* SPDX-License-Identifier: MIT
 * Calls: arguments, natives, macros, recursive loops. */
#include <string.h>

#include "template_interp.h"

static bool push_positional(lm_interp *interp, lm_sequence *values, lm_variant value) {
    return lm_sequence_push(interp, values, value);
}

typedef struct keyword_list {
    lm_keyword *items;
    size_t count, capacity;
} keyword_list;

static bool push_keyword(lm_interp *interp, keyword_list *list, const lm_text *name, const lm_variant *value) {
    if (!lm_interp_charge(interp, 1 + list->count)) return false;
    for (size_t i = 0; i < list->count; i++)
        if (lm_text_equal(list->items[i].name, name))
            return lm_interp_fail(interp, "keyword argument '%.*s' given twice", (int)lm_size_min(name->n, 100),
                                  name->bytes);
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        lm_keyword *items = lm_interp_alloc_array(interp, capacity, sizeof *items);
        if (!items) return false;
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (lm_keyword){name, *value};
    return true;
}

static bool push_dict(lm_interp *interp, keyword_list *list, const lm_variant *value) {
    if (value->kind != LM_VARIANT_DICT)
        return lm_interp_fail(interp, "argument after ** must be a mapping, not %s", lm_variant_type(value));
    for (size_t i = 0; i < value->as.dict->count; i++) {
        const lm_dict_entry *entry = &value->as.dict->entries[i];
        if (entry->key.kind != LM_VARIANT_STRING) return lm_interp_fail(interp, "keywords must be strings");
        if (!push_keyword(interp, list, entry->key.as.text, &entry->value)) return false;
    }
    return true;
}

bool lm_eval_arguments(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_arguments *out) {
    memset(out, 0, sizeof *out);
    if (node->n_items == 0) return true;
    lm_sequence *values = lm_sequence_new(interp, node->n_items);
    keyword_list keywords = {0};
    if (!values) return false;
    for (uint32_t i = 0; i < node->n_items; i++) {
        const lm_node *item = node->items[i];
        bool special =
            item->kind == LM_NODE_KEYWORD || item->kind == LM_NODE_SPLAT || item->kind == LM_NODE_DOUBLE_SPLAT;
        lm_variant value;
        if (!lm_eval(interp, special ? item->a : item, scope, &value)) return false;
        if (item->kind == LM_NODE_KEYWORD) {
            const lm_text *name = lm_text_borrow(interp, item->text.bytes, item->text.n, LM_ORIGIN_TEMPLATE);
            if (!name || !push_keyword(interp, &keywords, name, &value)) return false;
        } else if (item->kind == LM_NODE_DOUBLE_SPLAT) {
            if (!push_dict(interp, &keywords, &value)) return false;
        } else if (item->kind == LM_NODE_SPLAT) {
            const lm_sequence *spread;
            if (!lm_variant_iterate(interp, &value, &spread)) return false;
            for (size_t j = 0; j < spread->count; j++)
                if (!push_positional(interp, values, spread->items[j])) return false;
        } else if (!push_positional(interp, values, value)) {
            return false;
        }
    }
    *out = (lm_arguments){values->items, values->count, keywords.items, keywords.count};
    return true;
}

static bool word_is(const char *word, size_t n, const lm_text *text) {
    return text->n == n && memcmp(word, text->bytes, n) == 0;
}

bool lm_arguments_bind(lm_interp *interp, const lm_arguments *arguments, const char *function, const char *names,
                       size_t n_required, lm_variant *slots) {
    size_t n_slots = 0, n_used = 0;
    for (const char *name = names; *name; n_slots++) {
        size_t n = strcspn(name, " ");
        lm_variant *slot = &slots[n_slots];
        *slot = (lm_variant){.kind = LM_VARIANT_ABSENT};
        bool positional = n_slots < arguments->count;
        if (positional) *slot = arguments->values[n_slots];
        for (size_t i = 0; i < arguments->n_keywords; i++) {
            if (!word_is(name, n, arguments->keywords[i].name)) continue;
            if (positional)
                return lm_interp_fail(interp, "%s() got multiple values for argument '%.*s'", function, (int)n, name);
            *slot = arguments->keywords[i].value;
            n_used++;
        }
        if (slot->kind == LM_VARIANT_ABSENT && n_slots < n_required)
            return lm_interp_fail(interp, "%s() is missing the argument '%.*s'", function, (int)n, name);
        name += n + (name[n] == ' ');
    }
    if (arguments->count > n_slots)
        return lm_interp_fail(interp, "%s() takes at most %zu arguments", function, n_slots);
    if (n_used < arguments->n_keywords)
        return lm_interp_fail(interp, "%s() got an unexpected keyword argument", function);
    return true;
}

bool lm_slot_text(lm_interp *interp, const lm_variant *slot, const char *what, const lm_text **out) {
    if (slot->kind == LM_VARIANT_ABSENT) return true;
    if (slot->kind == LM_VARIANT_UNDEFINED) return lm_variant_fail_undefined(interp, slot);
    if (slot->kind != LM_VARIANT_STRING)
        return lm_interp_fail(interp, "%s must be str, not %s", what, lm_variant_type(slot));
    *out = slot->as.text;
    return true;
}

bool lm_slot_integer(lm_interp *interp, const lm_variant *slot, const char *what, int64_t *out) {
    if (slot->kind == LM_VARIANT_ABSENT) return true;
    if (slot->kind == LM_VARIANT_UNDEFINED) return lm_variant_fail_undefined(interp, slot);
    if (!lm_variant_is_integer(slot))
        return lm_interp_fail(interp, "%s must be int, not %s", what, lm_variant_type(slot));
    *out = lm_variant_as_integer(slot);
    return true;
}

/* The arguments left over after the parameters, for varargs and kwargs. */
static bool bind_rest(lm_interp *interp, const lm_node *macro, const lm_arguments *arguments, const bool *used,
                      lm_scope *scope) {
    size_t n_parameters = macro->n_items;
    if (macro->op & LM_MACRO_USES_VARARGS) {
        lm_sequence *rest = lm_sequence_new(interp, 0);
        if (!rest) return false;
        for (size_t i = n_parameters; i < arguments->count; i++)
            if (!lm_sequence_push(interp, rest, arguments->values[i])) return false;
        lm_variant value = lm_variant_sequence(LM_VARIANT_TUPLE, rest);
        if (!lm_scope_set(interp, scope, interp->varargs_symbol, &value)) return false;
    } else if (arguments->count > n_parameters) {
        return lm_interp_fail(interp, "macro '%.*s' takes not more than %zu argument(s)",
                              (int)lm_size_min(macro->text.n, 100), macro->text.bytes, n_parameters);
    }
    lm_dict *rest = lm_dict_new(interp);
    if (!rest) return false;
    for (size_t i = 0; i < arguments->n_keywords; i++) {
        const lm_keyword *keyword = &arguments->keywords[i];
        if (used[i]) continue;
        if (!(macro->op & LM_MACRO_USES_KWARGS))
            return lm_interp_fail(interp, "macro '%.*s' takes no keyword argument '%.*s'",
                                  (int)lm_size_min(macro->text.n, 100), macro->text.bytes,
                                  (int)lm_size_min(keyword->name->n, 100), keyword->name->bytes);
        if (!lm_dict_set_text(interp, rest, keyword->name, &keyword->value)) return false;
    }
    if (!(macro->op & LM_MACRO_USES_KWARGS)) return true;
    lm_variant value = lm_variant_dict(rest);
    return lm_scope_set(interp, scope, interp->kwargs_symbol, &value);
}

static bool call_macro(lm_interp *interp, const lm_callable *callable, const lm_arguments *arguments,
                       const lm_variant *caller, lm_variant *out) {
    const lm_node *macro = callable->macro;
    lm_scope *scope = lm_scope_new(interp, callable->scope);
    bool *used = lm_interp_alloc_array(interp, arguments->n_keywords + 1, sizeof *used);
    if (!scope || !used) return false;
    if (macro->op & LM_MACRO_USES_CALLER && !callable->is_caller) {
        lm_variant none = lm_variant_undefined();
        if (!lm_scope_set(interp, scope, interp->caller_symbol, caller ? caller : &none)) return false;
    }
    for (size_t i = 0; i < macro->n_items; i++) {
        const lm_node *parameter = macro->items[i];
        lm_variant value = {.kind = LM_VARIANT_ABSENT};
        if (i < arguments->count) value = arguments->values[i];
        for (size_t k = 0; k < arguments->n_keywords; k++) {
            if (!word_is(parameter->text.bytes, parameter->text.n, arguments->keywords[k].name)) continue;
            if (i < arguments->count)
                return lm_interp_fail(interp, "macro '%.*s' got two values for '%.*s'",
                                      (int)lm_size_min(macro->text.n, 100), macro->text.bytes,
                                      (int)lm_size_min(parameter->text.n, 100), parameter->text.bytes);
            value = arguments->keywords[k].value;
            used[k] = true;
        }
        if (value.kind == LM_VARIANT_ABSENT) {
            if (parameter->a) {
                if (!lm_eval(interp, parameter->a, scope, &value)) return false;
            } else {
                const lm_text *name =
                    lm_text_borrow(interp, parameter->text.bytes, parameter->text.n, LM_ORIGIN_TEMPLATE);
                if (!name || !lm_variant_missing(interp, NULL, name, 0, &value)) return false;
            }
        }
        if (!lm_scope_set(interp, scope, parameter->symbol, &value)) return false;
    }
    const lm_text *text;
    if (!bind_rest(interp, macro, arguments, used, scope) || !lm_exec_capture(interp, macro->b, scope, &text))
        return false;
    *out = lm_variant_text(text);
    return true;
}

static bool call_loop(lm_interp *interp, lm_loop *loop, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slot;
    if (!loop->node || !loop->node->flag) return lm_interp_fail(interp, "the loop is not recursive");
    if (!lm_arguments_bind(interp, arguments, "loop", "iterable", 1, &slot)) return false;
    lm_text_builder *outer = interp->out;
    if (!(interp->out = lm_builder_new(interp))) return false;
    lm_flow flow = lm_exec_loop(interp, loop->node, &slot, loop->scope, loop->depth0 + 1);
    const lm_text *text = flow == LM_FLOW_FAILED ? NULL : lm_builder_finish(interp->out);
    interp->out = outer;
    if (!text) return false;
    *out = lm_variant_text(text);
    return true;
}

static bool call_value(lm_interp *interp, const lm_variant *callee, const lm_arguments *arguments,
                       const lm_variant *caller, lm_variant *out) {
    if (lm_variant_is_missing(callee)) return lm_variant_fail_undefined(interp, callee);
    if (callee->kind == LM_VARIANT_LOOP) return call_loop(interp, callee->as.loop, arguments, out);
    if (callee->kind != LM_VARIANT_CALLABLE)
        return lm_interp_fail(interp, "'%s' object is not callable", lm_variant_type(callee));
    const lm_callable *callable = callee->as.callable;
    if (callable->native) return callable->native(interp, &callable->self, arguments, out);
    return call_macro(interp, callable, arguments, caller, out);
}

bool lm_call_node(lm_interp *interp, const lm_node *node, lm_scope *scope, const lm_variant *caller, lm_variant *out) {
    lm_variant object, callee;
    lm_arguments arguments;
    const lm_node *function = node->a;
    if (function->kind == LM_NODE_ATTRIBUTE) { /* a method: no need to make a value of it */
        if (!lm_eval(interp, function->a, scope, &object)) return false;
        lm_native native = lm_method_find(&object, function->text);
        if (native) {
            if (!lm_eval_arguments(interp, node, scope, &arguments)) return false;
            interp->offset = function->offset;
            return native(interp, &object, &arguments, out);
        }
        interp->offset = function->offset;
        const lm_text *name = lm_text_borrow(interp, function->text.bytes, function->text.n, LM_ORIGIN_TEMPLATE);
        if (!name || !lm_variant_attribute(interp, &object, name, &callee)) return false;
    } else if (!lm_eval(interp, function, scope, &callee)) {
        return false;
    }
    if (!lm_eval_arguments(interp, node, scope, &arguments)) return false;
    interp->offset = node->offset;
    return call_value(interp, &callee, &arguments, caller, out);
}
