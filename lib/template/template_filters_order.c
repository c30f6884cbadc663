/* SPDX-License-Identifier: MIT
 * Filters that compare: sort, dictsort, groupby, unique, min, max, sum. Strings compare without case unless asked. */
#include <string.h>

#include "template_filters.h"
#include "template_strings.h"

typedef struct keyed {
    lm_variant key, value;
} keyed;

static bool fold_case(lm_interp *interp, lm_variant *key) {
    if (key->kind != LM_VARIANT_STRING) return true;
    const lm_text *folded = lm_string_case(interp, key->as.text, LM_CASE_LOWER);
    if (folded) *key = lm_variant_text(folded);
    return folded != NULL;
}

static bool make_key(lm_interp *interp, const lm_variant *item, const lm_variant *attribute, bool case_sensitive,
                     lm_variant *out) {
    *out = *item;
    if (attribute->kind == LM_VARIANT_STRING && memchr(attribute->as.text->bytes, ',', attribute->as.text->n)) {
        const lm_text *list = attribute->as.text;
        lm_sequence *keys = lm_sequence_new(interp, 0);
        if (!keys) return false;
        for (size_t from = 0; from <= list->n;) {
            const char *comma = from < list->n ? memchr(list->bytes + from, ',', list->n - from) : NULL;
            size_t to = comma ? (size_t)(comma - list->bytes) : list->n;
            const lm_text *part = lm_text_slice(interp, list, from, to);
            if (!part) return false;
            lm_variant name = lm_variant_text(part), key;
            if (!lm_filter_attribute(interp, item, &name, &key) || (!case_sensitive && !fold_case(interp, &key)) ||
                !lm_sequence_push(interp, keys, key))
                return false;
            from = to + 1;
        }
        *out = lm_variant_sequence(LM_VARIANT_LIST, keys);
        return true;
    }
    bool has_attribute = attribute->kind != LM_VARIANT_ABSENT && attribute->kind != LM_VARIANT_NONE;
    if (has_attribute && !lm_filter_attribute(interp, item, attribute, out)) return false;
    return case_sensitive || fold_case(interp, out);
}

static keyed *make_keyed(lm_interp *interp, const lm_sequence *items, const lm_variant *attribute,
                         bool case_sensitive) {
    keyed *list = lm_interp_alloc_array(interp, items->count + 1, sizeof *list);
    for (size_t i = 0; list && i < items->count; i++) {
        list[i].value = items->items[i];
        if (!make_key(interp, &items->items[i], attribute, case_sensitive, &list[i].key)) return NULL;
    }
    return list;
}

/* Merge sort, bottom up: stable, also when reversed, as Python's. */
static bool sort(lm_interp *interp, keyed *list, size_t n, bool reverse) {
    keyed *other = lm_interp_alloc_array(interp, n + 1, sizeof *other), *from = list, *to = other;
    if (!other) return false;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t left = 0; left < n; left += 2 * width) {
            size_t middle = lm_size_min(left + width, n), right = lm_size_min(left + 2 * width, n), i = left,
                   j = middle;
            for (size_t k = left; k < right; k++) {
                int order = -1;
                if (i == middle)
                    order = 1;
                else if (j < right) {
                    if (!lm_variant_order(interp, &from[reverse ? i : j].key, &from[reverse ? j : i].key, "<", &order))
                        return false;
                    order = order < 0 ? 1 : -1; /* take the right one only when it must come first */
                }
                to[k] = order > 0 ? from[j++] : from[i++];
            }
        }
        keyed *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != list && n) memcpy(list, from, n * sizeof *list);
    return true;
}

static bool flag(const lm_variant *slot) { return slot->kind != LM_VARIANT_ABSENT && lm_variant_truth(slot); }

static bool give_values(lm_interp *interp, const keyed *list, size_t n, lm_variant *out) {
    lm_sequence *result = lm_sequence_new(interp, n);
    if (!result) return false;
    for (size_t i = 0; i < n; i++) result->items[result->count++] = list[i].value;
    *out = lm_variant_sequence(LM_VARIANT_LIST, result);
    return true;
}

static bool filter_sort(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[3];
    const lm_sequence *items;
    if (!lm_arguments_bind(interp, arguments, "sort", "reverse case_sensitive attribute", 0, slots) ||
        !lm_variant_iterate(interp, self, &items))
        return false;
    keyed *list = make_keyed(interp, items, &slots[2], flag(&slots[1]));
    for (size_t i = 0; list && i < items->count; i++) { /* in lists, what is equal need not have an order */
        lm_sequence *key = lm_sequence_new(interp, 1);
        if (!key || !lm_sequence_push(interp, key, list[i].key)) return false;
        list[i].key = lm_variant_sequence(LM_VARIANT_LIST, key);
    }
    return list && sort(interp, list, items->count, flag(&slots[0])) && give_values(interp, list, items->count, out);
}

static bool filter_dictsort(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[3], word;
    if (!lm_arguments_bind(interp, arguments, "dictsort", "case_sensitive by reverse", 0, slots) ||
        !lm_variant_word(interp, "key", &word))
        return false;
    const lm_text *by = word.as.text;
    if (!lm_slot_text(interp, &slots[1], "by", &by)) return false;
    if (!lm_text_is(by, "key") && !lm_text_is(by, "value"))
        return lm_interp_fail(interp, "dictsort sorts by 'key' or 'value'");
    if (self->kind == LM_VARIANT_UNDEFINED) return lm_variant_fail_undefined(interp, self);
    if (self->kind != LM_VARIANT_DICT) return lm_interp_fail(interp, "dictsort needs a mapping");
    const lm_dict *dict = self->as.dict;
    keyed *list = lm_interp_alloc_array(interp, dict->count + 1, sizeof *list);
    for (size_t i = 0; list && i < dict->count; i++) {
        lm_sequence *pair = lm_sequence_new(interp, 2);
        if (!pair) return false;
        pair->items[0] = dict->entries[i].key;
        pair->items[1] = dict->entries[i].value;
        pair->count = 2;
        list[i] = (keyed){pair->items[lm_text_is(by, "value")], lm_variant_sequence(LM_VARIANT_TUPLE, pair)};
        if (!flag(&slots[0]) && !fold_case(interp, &list[i].key)) return false;
    }
    return list && sort(interp, list, dict->count, flag(&slots[2])) && give_values(interp, list, dict->count, out);
}

static bool filter_groupby(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[3];
    const lm_sequence *items;
    lm_sequence *groups = lm_sequence_new(interp, 0), *group = NULL;
    if (!groups || !lm_arguments_bind(interp, arguments, "groupby", "attribute default case_sensitive", 1, slots))
        return false;
    if (!lm_variant_iterate(interp, self, &items)) return false;
    keyed *list = make_keyed(interp, items, &slots[0], flag(&slots[2]));
    if (!list) return false;
    for (size_t i = 0; i < items->count; i++)
        if (lm_variant_is_missing(&list[i].key) && slots[1].kind != LM_VARIANT_ABSENT) list[i].key = slots[1];
    if (!sort(interp, list, items->count, false)) return false;
    for (size_t i = 0; i < items->count; i++) {
        bool same = false;
        if (i && !lm_variant_equal(interp, &list[i - 1].key, &list[i].key, &same)) return false;
        if (!same) {
            lm_sequence *pair = lm_sequence_new(interp, 2);
            if (!pair || !(group = lm_sequence_new(interp, 0))) return false;
            /* The shown key keeps the case of the group's first item. */
            if (!make_key(interp, &list[i].value, &slots[0], true, &pair->items[0])) return false;
            if (lm_variant_is_missing(&pair->items[0])) pair->items[0] = list[i].key;
            pair->items[1] = lm_variant_sequence(LM_VARIANT_LIST, group);
            pair->count = 2;
            pair->name = "group";
            if (!lm_sequence_push(interp, groups, lm_variant_sequence(LM_VARIANT_TUPLE, pair))) return false;
        }
        if (!lm_sequence_push(interp, group, list[i].value)) return false;
    }
    *out = lm_variant_sequence(LM_VARIANT_LIST, groups);
    return true;
}

static bool filter_unique(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[2], seen = lm_variant_bool(true);
    const lm_sequence *items;
    lm_dict *known = lm_dict_new(interp);
    lm_sequence *result = lm_sequence_new(interp, 0);
    if (!known || !result || !lm_arguments_bind(interp, arguments, "unique", "case_sensitive attribute", 0, slots))
        return false;
    if (!lm_variant_iterate(interp, self, &items)) return false;
    for (size_t i = 0; i < items->count; i++) {
        lm_variant key;
        bool failed;
        if (!make_key(interp, &items->items[i], &slots[1], flag(&slots[0]), &key)) return false;
        bool is_known = lm_dict_get(interp, known, &key, &failed) != NULL;
        if (failed || !lm_interp_charge(interp, 1)) return false;
        if (is_known) continue;
        if (!lm_dict_set(interp, known, &key, &seen) || !lm_sequence_push(interp, result, items->items[i]))
            return false;
    }
    *out = lm_variant_sequence(LM_VARIANT_GENERATOR, result);
    return true;
}

static bool extreme(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool largest,
                    lm_variant *out) {
    lm_variant slots[2], best = {0}, key;
    const lm_sequence *items;
    int order;
    if (!lm_arguments_bind(interp, arguments, largest ? "max" : "min", "case_sensitive attribute", 0, slots))
        return false;
    if (!lm_variant_iterate(interp, self, &items)) return false;
    *out = lm_variant_undefined();
    for (size_t i = 0; i < items->count; i++) {
        if (!make_key(interp, &items->items[i], &slots[1], flag(&slots[0]), &key)) return false;
        if (i && !lm_variant_order(interp, &key, &best, largest ? ">" : "<", &order)) return false;
        if (i && (largest ? order <= 0 : order >= 0)) continue;
        best = key;
        *out = items->items[i];
    }
    return true;
}

static bool filter_min(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    return extreme(interp, self, arguments, false, out);
}

static bool filter_max(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    return extreme(interp, self, arguments, true, out);
}

static bool filter_sum(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[2], total, item;
    const lm_sequence *items;
    if (!lm_arguments_bind(interp, arguments, "sum", "attribute start", 0, slots) ||
        !lm_variant_iterate(interp, self, &items))
        return false;
    *out = slots[1].kind == LM_VARIANT_ABSENT ? lm_variant_int(0) : slots[1];
    for (size_t i = 0; i < items->count; i++) {
        item = items->items[i];
        bool has_attribute = slots[0].kind != LM_VARIANT_ABSENT && slots[0].kind != LM_VARIANT_NONE;
        if (has_attribute && !lm_filter_attribute(interp, &items->items[i], &slots[0], &item)) return false;
        total = *out;
        if (!lm_interp_charge(interp, 1) || !lm_eval_binary(interp, LM_OPERATOR_ADD, &total, &item, out)) return false;
    }
    return true;
}

const lm_native_entry lm_filters_order[] = {
    {"dictsort", filter_dictsort}, {"groupby", filter_groupby}, {"max", filter_max},       {"min", filter_min},
    {"sort", filter_sort},         {"sum", filter_sum},         {"unique", filter_unique}, {NULL, NULL}};
