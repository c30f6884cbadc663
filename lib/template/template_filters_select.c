/* SPDX-License-Identifier: MIT
 * map, select, reject and their kin. They give generators: Python's laziness is not kept, its walking only once is. */

#include "template_filters.h"

/* Of what counts as false, none included, these filters make nothing; they do not even look at their arguments. */
static bool start(lm_interp *interp, const lm_variant *self, const lm_sequence **items, lm_sequence **result) {
    *result = lm_sequence_new(interp, 0);
    *items = *result;
    return *result && (!lm_variant_truth(self) || lm_variant_iterate(interp, self, items));
}

static bool give(lm_sequence *result, lm_variant *out) {
    *out = lm_variant_sequence(LM_VARIANT_GENERATOR, result);
    return true;
}

/* The arguments after the first n. */
static lm_arguments rest(const lm_arguments *arguments, size_t n) {
    return (lm_arguments){arguments->values + n, arguments->count - n, arguments->keywords, arguments->n_keywords};
}

static bool filter_map(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    const lm_sequence *items;
    lm_variant slots[2];
    lm_sequence *result;
    if (!start(interp, self, &items, &result)) return false;
    if (items == result) return give(result, out);
    bool by_filter = arguments->count > 0;
    if (by_filter && arguments->values[0].kind != LM_VARIANT_STRING)
        return lm_interp_fail(interp, "map needs the name of a filter");
    if (!by_filter && !lm_arguments_bind(interp, arguments, "map", "attribute default", 1, slots)) { return false; }
    lm_arguments inner = by_filter ? rest(arguments, 1) : *arguments;
    for (size_t i = 0; i < items->count; i++) {
        lm_variant value;
        if (by_filter) {
            const lm_text *name = arguments->values[0].as.text;
            if (!lm_filter_apply(interp, (lm_slice){name->bytes, name->n}, &items->items[i], &inner, &value))
                return false;
        } else {
            if (!lm_filter_attribute(interp, &items->items[i], &slots[0], &value)) return false;
            if (lm_variant_is_missing(&value) && slots[1].kind != LM_VARIANT_ABSENT) value = slots[1];
        }
        if (!lm_interp_charge(interp, 1) || !lm_sequence_push(interp, result, value)) return false;
    }
    return give(result, out);
}

static bool choose(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool by_attribute,
                   bool wanted, lm_variant *out) {
    const lm_sequence *items;
    lm_sequence *result;
    size_t n_skip = by_attribute;
    if (!start(interp, self, &items, &result)) return false;
    if (items == result) return give(result, out);
    if (arguments->count < n_skip) return lm_interp_fail(interp, "selectattr and rejectattr need an attribute");
    bool by_test = arguments->count > n_skip;
    if (by_test && arguments->values[n_skip].kind != LM_VARIANT_STRING)
        return lm_interp_fail(interp, "select and reject need the name of a test");
    lm_arguments inner = by_test ? rest(arguments, n_skip + 1) : (lm_arguments){0};
    for (size_t i = 0; i < items->count; i++) {
        lm_variant value = items->items[i];
        bool passes;
        if (by_attribute && !lm_filter_attribute(interp, &items->items[i], &arguments->values[0], &value)) return false;
        if (by_test) {
            const lm_text *name = arguments->values[n_skip].as.text;
            if (!lm_test_apply(interp, (lm_slice){name->bytes, name->n}, &value, &inner, &passes)) return false;
        } else {
            passes = lm_variant_truth(&value);
        }
        if (!lm_interp_charge(interp, 1)) return false;
        if (passes == wanted && !lm_sequence_push(interp, result, items->items[i])) return false;
    }
    return give(result, out);
}

static bool filter_select(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    return choose(interp, self, arguments, false, true, out);
}

static bool filter_reject(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    return choose(interp, self, arguments, false, false, out);
}

static bool filter_selectattr(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                              lm_variant *out) {
    return choose(interp, self, arguments, true, true, out);
}

static bool filter_rejectattr(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                              lm_variant *out) {
    return choose(interp, self, arguments, true, false, out);
}

const lm_native_entry lm_filters_select[] = {
    {"map", filter_map},       {"reject", filter_reject},         {"rejectattr", filter_rejectattr},
    {"select", filter_select}, {"selectattr", filter_selectattr}, {NULL, NULL}};
