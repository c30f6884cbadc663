/* SPDX-License-Identifier: MIT
 * Equality, order and membership by Python's rules: values of different types are unequal, except numbers among
 * themselves; only numbers, strings, lists and tuples have an order. */

#include "template_interp.h"

static bool is_container(const lm_variant *v) { return v->kind == LM_VARIANT_LIST || v->kind == LM_VARIANT_TUPLE; }

static bool equal_sequences(lm_interp *interp, const lm_sequence *a, const lm_sequence *b, bool *out) {
    *out = a->count == b->count;
    if (a == b || !*out) return true;
    if (!lm_interp_enter(interp)) return false;
    for (size_t i = 0; i < a->count && *out; i++)
        if (!lm_variant_equal(interp, &a->items[i], &b->items[i], out)) return false;
    interp->depth--;
    return true;
}

static bool equal_dicts(lm_interp *interp, const lm_dict *a, const lm_dict *b, bool *out) {
    *out = a->count == b->count;
    if (a == b || !*out) return true;
    if (!lm_interp_enter(interp)) return false;
    for (size_t i = 0; i < a->count && *out; i++) {
        bool failed;
        const lm_variant *other = lm_dict_get(interp, b, &a->entries[i].key, &failed);
        if (failed) return false;
        *out = other != NULL;
        if (other && !lm_variant_equal(interp, &a->entries[i].value, other, out)) return false;
    }
    interp->depth--;
    return true;
}

static bool equal_numbers(const lm_variant *a, const lm_variant *b) {
    if (a->kind != LM_VARIANT_FLOAT && b->kind != LM_VARIANT_FLOAT)
        return lm_variant_as_integer(a) == lm_variant_as_integer(b);
    return lm_variant_as_double(a) == lm_variant_as_double(b);
}

bool lm_variant_equal(lm_interp *interp, const lm_variant *a, const lm_variant *b, bool *out) {
    if (!lm_interp_charge(interp, 1)) return false;
    *out = false;
    if (lm_variant_is_number(a) && lm_variant_is_number(b)) {
        *out = equal_numbers(a, b);
        return true;
    }
    if (a->kind != b->kind) return true;
    switch ((lm_variant_kind)a->kind) {
    case LM_VARIANT_ABSENT:
    case LM_VARIANT_UNDEFINED:
    case LM_VARIANT_NONE: *out = true; return true;
    case LM_VARIANT_STRING:
        *out = lm_text_equal(a->as.text, b->as.text);
        return !*out || lm_interp_charge(interp, a->as.text->n / 64);
    case LM_VARIANT_LIST:
    case LM_VARIANT_TUPLE:
    case LM_VARIANT_RANGE: return equal_sequences(interp, a->as.sequence, b->as.sequence, out);
    case LM_VARIANT_VIEW:
    case LM_VARIANT_GENERATOR:
    case LM_VARIANT_CYCLER: *out = a->as.sequence == b->as.sequence; return true;
    case LM_VARIANT_DICT: return equal_dicts(interp, a->as.dict, b->as.dict, out);
    case LM_VARIANT_NAMESPACE: *out = a->as.dict == b->as.dict; return true;
    case LM_VARIANT_LOOP: *out = a->as.loop == b->as.loop; return true;
    default: *out = a->as.callable == b->as.callable; return true;
    }
}

bool lm_variant_order(lm_interp *interp, const lm_variant *a, const lm_variant *b, const char *operator_name,
                      int *out) {
    if (!lm_interp_charge(interp, 1)) return false;
    if (lm_variant_is_number(a) && lm_variant_is_number(b)) {
        if (a->kind == LM_VARIANT_FLOAT || b->kind == LM_VARIANT_FLOAT) {
            double x = lm_variant_as_double(a), y = lm_variant_as_double(b);
            *out = x < y ? -1 : x > y;
        } else {
            int64_t x = lm_variant_as_integer(a), y = lm_variant_as_integer(b);
            *out = x < y ? -1 : x > y;
        }
        return true;
    }
    if (a->kind == LM_VARIANT_STRING && b->kind == LM_VARIANT_STRING) {
        *out = lm_text_compare(a->as.text, b->as.text);
        return lm_interp_charge(interp, lm_size_min(a->as.text->n, b->as.text->n) / 64);
    }
    if (is_container(a) && a->kind == b->kind) {
        const lm_sequence *x = a->as.sequence, *y = b->as.sequence;
        if (!lm_interp_enter(interp)) return false;
        *out = 0;
        for (size_t i = 0; i < x->count && i < y->count; i++) {
            bool equal;
            if (!lm_variant_equal(interp, &x->items[i], &y->items[i], &equal)) return false;
            if (equal) continue;
            if (!lm_variant_order(interp, &x->items[i], &y->items[i], operator_name, out)) return false;
            interp->depth--;
            return true;
        }
        *out = x->count < y->count ? -1 : x->count > y->count;
        interp->depth--;
        return true;
    }
    if (lm_variant_is_missing(a)) return lm_variant_fail_undefined(interp, a);
    if (lm_variant_is_missing(b)) return lm_variant_fail_undefined(interp, b);
    return lm_interp_fail(interp, "'%s' not supported between instances of '%s' and '%s'", operator_name,
                          lm_variant_type(a), lm_variant_type(b));
}

bool lm_variant_contains(lm_interp *interp, const lm_variant *container, const lm_variant *item, bool *out) {
    *out = false;
    if (container->kind == LM_VARIANT_STRING) {
        if (lm_variant_is_missing(item)) return lm_variant_fail_undefined(interp, item);
        if (item->kind != LM_VARIANT_STRING)
            return lm_interp_fail(interp, "'in <string>' requires string as left operand, not %s",
                                  lm_variant_type(item));
        *out = lm_text_find(container->as.text, item->as.text, 0) != SIZE_MAX;
        return lm_interp_charge(interp, container->as.text->n / 16);
    }
    if (container->kind == LM_VARIANT_DICT) {
        bool failed;
        *out = lm_dict_get(interp, container->as.dict, item, &failed) != NULL;
        return !failed;
    }
    const lm_sequence *sequence;
    if (container->kind != LM_VARIANT_UNDEFINED && !lm_variant_is_sequence(container))
        return lm_interp_fail(interp, "argument of type '%s' is not iterable", lm_variant_type(container));
    if (!lm_variant_iterate(interp, container, &sequence)) return false;
    for (size_t i = 0; i < sequence->count && !*out; i++)
        if (!lm_variant_equal(interp, &sequence->items[i], item, out)) return false;
    return true;
}
