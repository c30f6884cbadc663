/* SPDX-License-Identifier: MIT
 * Methods of lists, dicts, tuples and cyclers. Lists and dicts may be changed: some templates keep their state that way,
 * and what they change are copies of the caller's data. */
#include "template_methods.h"

#include <string.h>

#define METHOD(name)                                                                                                   \
    static bool name(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out)

static bool none(lm_interp *interp, const lm_arguments *arguments, const char *name) {
    return lm_arguments_bind(interp, arguments, name, "", 0, NULL);
}

METHOD(list_append) {
    lm_variant slot;
    *out = lm_variant_none();
    return lm_arguments_bind(interp, arguments, "append", "object", 1, &slot) &&
           lm_sequence_push(interp, self->as.sequence, slot);
}

METHOD(list_extend) {
    lm_variant slot;
    const lm_sequence *items;
    *out = lm_variant_none();
    if (!lm_arguments_bind(interp, arguments, "extend", "iterable", 1, &slot) ||
        !lm_variant_iterate(interp, &slot, &items))
        return false;
    size_t count = items->count; /* a list may be extended by itself */
    for (size_t i = 0; i < count; i++)
        if (!lm_interp_charge(interp, 1) || !lm_sequence_push(interp, self->as.sequence, items->items[i])) return false;
    return true;
}

METHOD(list_insert) {
    lm_variant slots[2];
    int64_t index = 0;
    lm_sequence *list = self->as.sequence;
    *out = lm_variant_none();
    if (!lm_arguments_bind(interp, arguments, "insert", "index object", 2, slots) ||
        !lm_slot_integer(interp, &slots[0], "index", &index))
        return false;
    int64_t n = (int64_t)list->count;
    if (index < 0) index = index < -n ? 0 : index + n;
    if (index > n) index = n;
    if (!lm_interp_charge(interp, list->count / 4) || !lm_sequence_push(interp, list, slots[1])) return false;
    memmove(list->items + index + 1, list->items + index, (size_t)(n - index) * sizeof *list->items);
    list->items[index] = slots[1];
    return true;
}

METHOD(list_pop) {
    lm_variant slot;
    int64_t index = -1;
    lm_sequence *list = self->as.sequence;
    if (!lm_arguments_bind(interp, arguments, "pop", "index", 0, &slot) ||
        !lm_slot_integer(interp, &slot, "index", &index))
        return false;
    int64_t n = (int64_t)list->count;
    if (index < 0) index += n;
    if (n == 0 || index < 0 || index >= n) return lm_interp_fail(interp, "pop index out of range");
    if (!lm_interp_charge(interp, (uint64_t)(n - index) / 4)) return false;
    *out = list->items[index];
    memmove(list->items + index, list->items + index + 1, (size_t)(n - index - 1) * sizeof *list->items);
    list->count--;
    return true;
}

/* Position of an element, SIZE_MAX when absent. */
static bool position(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, const char *name,
                     size_t *out) {
    lm_variant slot;
    *out = SIZE_MAX;
    if (!lm_arguments_bind(interp, arguments, name, "value", 1, &slot)) return false;
    for (size_t i = 0; i < self->as.sequence->count; i++) {
        bool equal;
        if (!lm_variant_equal(interp, &self->as.sequence->items[i], &slot, &equal)) return false;
        if (!equal) continue;
        *out = i;
        return true;
    }
    return true;
}

METHOD(list_index) {
    size_t found;
    if (!position(interp, self, arguments, "index", &found)) return false;
    if (found == SIZE_MAX) return lm_interp_fail(interp, "the value is not in the list");
    *out = lm_variant_int((int64_t)found);
    return true;
}

METHOD(list_remove) {
    size_t found;
    lm_sequence *list = self->as.sequence;
    if (!position(interp, self, arguments, "remove", &found)) return false;
    if (found == SIZE_MAX) return lm_interp_fail(interp, "the value is not in the list");
    memmove(list->items + found, list->items + found + 1, (list->count - found - 1) * sizeof *list->items);
    list->count--;
    *out = lm_variant_none();
    return true;
}

METHOD(list_count) {
    lm_variant slot;
    int64_t count = 0;
    if (!lm_arguments_bind(interp, arguments, "count", "value", 1, &slot)) return false;
    for (size_t i = 0; i < self->as.sequence->count; i++) {
        bool equal;
        if (!lm_variant_equal(interp, &self->as.sequence->items[i], &slot, &equal)) return false;
        count += equal;
    }
    *out = lm_variant_int(count);
    return true;
}

METHOD(list_clear) {
    self->as.sequence->count = 0;
    *out = lm_variant_none();
    return none(interp, arguments, "clear");
}

METHOD(list_copy) {
    return none(interp, arguments, "copy") && lm_filter_apply(interp, (lm_slice){"list", 4}, self, arguments, out);
}

METHOD(list_reverse) {
    lm_variant reversed;
    if (!none(interp, arguments, "reverse") ||
        !lm_filter_apply(interp, (lm_slice){"reverse", 7}, self, arguments, &reversed))
        return false;
    if (self->as.sequence->count)
        memcpy(self->as.sequence->items, reversed.as.sequence->items,
               self->as.sequence->count * sizeof *self->as.sequence->items);
    *out = lm_variant_none();
    return true;
}

enum { KEYS = 1, VALUES = 2 };

static bool view(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, const char *name, int parts,
                 lm_variant *out) {
    const lm_dict *dict = self->as.dict;
    lm_sequence *list = lm_sequence_new(interp, dict->count);
    if (!list || !none(interp, arguments, name) || !lm_interp_charge(interp, dict->count / 4)) return false;
    list->name = name;
    for (size_t i = 0; i < dict->count; i++) {
        lm_variant item = parts == KEYS ? dict->entries[i].key : dict->entries[i].value;
        if (parts == (KEYS | VALUES)) {
            lm_sequence *pair = lm_sequence_new(interp, 2);
            if (!pair) return false;
            pair->items[0] = dict->entries[i].key;
            pair->items[1] = dict->entries[i].value;
            pair->count = 2;
            item = lm_variant_sequence(LM_VARIANT_TUPLE, pair);
        }
        list->items[list->count++] = item;
    }
    *out = lm_variant_sequence(LM_VARIANT_VIEW, list);
    return true;
}

METHOD(dict_keys) { return view(interp, self, arguments, "dict_keys", KEYS, out); }
METHOD(dict_values) { return view(interp, self, arguments, "dict_values", VALUES, out); }
METHOD(dict_items) { return view(interp, self, arguments, "dict_items", KEYS | VALUES, out); }

METHOD(dict_get) {
    lm_variant slots[2];
    bool failed;
    if (!lm_arguments_bind(interp, arguments, "get", "key default", 1, slots)) return false;
    const lm_variant *value = lm_dict_get(interp, self->as.dict, &slots[0], &failed);
    *out = value ? *value : slots[1].kind == LM_VARIANT_ABSENT ? lm_variant_none() : slots[1];
    return !failed;
}

METHOD(dict_setdefault) {
    lm_variant slots[2];
    bool failed;
    if (!lm_arguments_bind(interp, arguments, "setdefault", "key default", 1, slots)) return false;
    const lm_variant *value = lm_dict_get(interp, self->as.dict, &slots[0], &failed);
    *out = value ? *value : slots[1].kind == LM_VARIANT_ABSENT ? lm_variant_none() : slots[1];
    return !failed && (value || lm_dict_set(interp, self->as.dict, &slots[0], out));
}

METHOD(dict_pop) {
    lm_variant slots[2];
    bool found;
    if (!lm_arguments_bind(interp, arguments, "pop", "key default", 1, slots) ||
        !lm_dict_remove(interp, self->as.dict, &slots[0], out, &found))
        return false;
    if (found) return true;
    if (slots[1].kind == LM_VARIANT_ABSENT) return lm_interp_fail(interp, "the key is not in the dict");
    *out = slots[1];
    return true;
}

METHOD(dict_update) {
    lm_variant slot;
    lm_arguments positional = {arguments->values, arguments->count, NULL, 0};
    *out = lm_variant_none();
    if (!lm_arguments_bind(interp, &positional, "update", "other", 0, &slot)) return false;
    if (slot.kind == LM_VARIANT_DICT) {
        for (size_t i = 0; i < slot.as.dict->count; i++)
            if (!lm_dict_set(interp, self->as.dict, &slot.as.dict->entries[i].key, &slot.as.dict->entries[i].value))
                return false;
    } else if (slot.kind != LM_VARIANT_ABSENT) {
        const lm_sequence *pairs, *pair;
        if (!lm_variant_iterate(interp, &slot, &pairs)) return false;
        for (size_t i = 0; i < pairs->count; i++) {
            if (!lm_variant_iterate(interp, &pairs->items[i], &pair)) return false;
            if (pair->count != 2) return lm_interp_fail(interp, "update needs a mapping or a list of pairs");
            if (!lm_dict_set(interp, self->as.dict, &pair->items[0], &pair->items[1])) return false;
        }
    }
    for (size_t i = 0; i < arguments->n_keywords; i++)
        if (!lm_dict_set_text(interp, self->as.dict, arguments->keywords[i].name, &arguments->keywords[i].value))
            return false;
    return true;
}

METHOD(dict_copy) {
    lm_dict *copy = lm_dict_new(interp);
    if (!copy || !none(interp, arguments, "copy")) return false;
    for (size_t i = 0; i < self->as.dict->count; i++)
        if (!lm_dict_set(interp, copy, &self->as.dict->entries[i].key, &self->as.dict->entries[i].value)) return false;
    copy->item = self->as.dict->item;
    *out = lm_variant_dict(copy);
    return true;
}

METHOD(dict_clear) {
    self->as.dict->count = 0;
    self->as.dict->capacity = 0; /* entries and index are made anew */
    self->as.dict->index = NULL;
    self->as.dict->index_size = 0;
    *out = lm_variant_none();
    return none(interp, arguments, "clear");
}

METHOD(cycler_next) {
    lm_sequence *items = self->as.sequence;
    if (!none(interp, arguments, "next")) return false;
    *out = items->items[items->cursor];
    items->cursor = (items->cursor + 1) % items->count;
    return true;
}

METHOD(cycler_reset) {
    self->as.sequence->cursor = 0;
    *out = lm_variant_none();
    return none(interp, arguments, "reset");
}

lm_native lm_method_find(const lm_variant *object, lm_slice name) {
    static const lm_native_entry list_methods[] = {{"append", list_append},
                                                   {"clear", list_clear},
                                                   {"copy", list_copy},
                                                   {"count", list_count},
                                                   {"extend", list_extend},
                                                   {"index", list_index},
                                                   {"insert", list_insert},
                                                   {"pop", list_pop},
                                                   {"remove", list_remove},
                                                   {"reverse", list_reverse},
                                                   {NULL, NULL}};
    static const lm_native_entry tuple_methods[] = {{"count", list_count}, {"index", list_index}, {NULL, NULL}};
    static const lm_native_entry dict_methods[] = {{"clear", dict_clear},
                                                   {"copy", dict_copy},
                                                   {"get", dict_get},
                                                   {"items", dict_items},
                                                   {"keys", dict_keys},
                                                   {"pop", dict_pop},
                                                   {"setdefault", dict_setdefault},
                                                   {"update", dict_update},
                                                   {"values", dict_values},
                                                   {NULL, NULL}};
    static const lm_native_entry cycler_methods[] = {{"next", cycler_next}, {"reset", cycler_reset}, {NULL, NULL}};
    switch ((lm_variant_kind)object->kind) {
    case LM_VARIANT_STRING: return lm_native_find(lm_methods_text, name.bytes, name.n);
    case LM_VARIANT_LIST: return lm_native_find(list_methods, name.bytes, name.n);
    case LM_VARIANT_TUPLE:
        if (object->as.sequence->name) return NULL; /* the pairs of groupby have names of their own */
        return lm_native_find(tuple_methods, name.bytes, name.n);
    case LM_VARIANT_RANGE: return lm_native_find(tuple_methods, name.bytes, name.n);
    case LM_VARIANT_DICT: return lm_native_find(dict_methods, name.bytes, name.n);
    case LM_VARIANT_CYCLER: return lm_native_find(cycler_methods, name.bytes, name.n);
    default: return NULL;
    }
}
