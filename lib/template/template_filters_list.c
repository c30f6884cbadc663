/* SPDX-License-Identifier: MIT
 * Filters on sequences that neither choose nor order: size, ends, conversion, joining, cutting into pieces. */
#include <string.h>

#include "template_filters.h"
#include "template_strings.h"

static bool none(lm_interp *interp, const lm_arguments *arguments, const char *name) {
    return lm_arguments_bind(interp, arguments, name, "", 0, NULL);
}

bool lm_filter_attribute(lm_interp *interp, const lm_variant *item, const lm_variant *attribute, lm_variant *out) {
    *out = *item;
    if (attribute->kind != LM_VARIANT_STRING) {
        lm_variant object = *out;
        return lm_variant_item(interp, &object, attribute, out);
    }
    const lm_text *path = attribute->as.text;
    for (size_t from = 0; from <= path->n;) {
        const char *dot = from < path->n ? memchr(path->bytes + from, '.', path->n - from) : NULL;
        size_t to = dot ? (size_t)(dot - path->bytes) : path->n;
        const lm_text *part = lm_text_slice(interp, path, from, to);
        if (!part || !lm_interp_charge(interp, 1)) return false;
        bool number = to > from && to - from < 10;
        int64_t index = 0;
        for (size_t i = from; i < to && number; i++) {
            number = path->bytes[i] >= '0' && path->bytes[i] <= '9';
            index = index * 10 + (path->bytes[i] - '0');
        }
        lm_variant key = number ? lm_variant_int(index) : lm_variant_text(part), object = *out;
        if (!lm_variant_item(interp, &object, &key, out)) return false;
        from = to + 1;
    }
    return true;
}

static bool filter_length(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    if (!none(interp, arguments, "length")) return false;
    if (self->kind == LM_VARIANT_STRING) {
        if (self->as.text->n_chars == SIZE_MAX && !lm_interp_charge(interp, self->as.text->n / 16)) return false;
        *out = lm_variant_int((int64_t)lm_text_chars(self->as.text));
    } else if (self->kind >= LM_VARIANT_LIST && self->kind <= LM_VARIANT_VIEW) {
        *out = lm_variant_int((int64_t)self->as.sequence->count);
    } else if (self->kind == LM_VARIANT_DICT) {
        *out = lm_variant_int((int64_t)self->as.dict->count);
    } else if (self->kind == LM_VARIANT_UNDEFINED) {
        *out = lm_variant_int(0);
    } else {
        return lm_interp_fail(interp, "object of type '%s' has no len()", lm_variant_type(self));
    }
    return true;
}

static bool filter_first(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    const lm_sequence *items;
    if (!none(interp, arguments, "first")) return false;
    if (self->kind == LM_VARIANT_STRING) {
        if (self->as.text->n) return lm_variant_char(interp, self->as.text, 0, out);
        *out = lm_variant_undefined();
        return true;
    }
    if (!lm_variant_iterate(interp, self, &items)) return false;
    *out = items->count ? items->items[0] : lm_variant_undefined();
    return true;
}

static bool filter_last(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    const lm_sequence *items;
    if (!none(interp, arguments, "last")) return false;
    if (self->kind == LM_VARIANT_GENERATOR) return lm_interp_fail(interp, "'generator' object is not reversible");
    if (!lm_variant_iterate(interp, self, &items)) return false;
    *out = items->count ? items->items[items->count - 1] : lm_variant_undefined();
    return true;
}

/* A copy that can be changed without the original noticing. */
static lm_sequence *copy(lm_interp *interp, const lm_variant *value) {
    const lm_sequence *items;
    if (!lm_variant_iterate(interp, value, &items)) return NULL;
    lm_sequence *list = lm_sequence_new(interp, items->count);
    if (!list) return NULL;
    if (items->count) memcpy(list->items, items->items, items->count * sizeof *items->items);
    list->count = items->count;
    return list;
}

static bool filter_list(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    if (!none(interp, arguments, "list")) return false;
    lm_sequence *list = copy(interp, self);
    if (list) *out = lm_variant_sequence(LM_VARIANT_LIST, list);
    return list != NULL;
}

static bool filter_reverse(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    if (!none(interp, arguments, "reverse")) return false;
    if (self->kind == LM_VARIANT_STRING) {
        lm_variant parts[3] = {lm_variant_none(), lm_variant_none(), lm_variant_int(-1)};
        return lm_variant_slice(interp, self, parts, out);
    }
    lm_sequence *list = copy(interp, self);
    if (!list) return false;
    for (size_t i = 0, j = list->count; i + 1 < j; i++) {
        lm_variant swapped = list->items[i];
        list->items[i] = list->items[--j];
        list->items[j] = swapped;
    }
    *out = lm_variant_sequence(LM_VARIANT_GENERATOR, list);
    return true;
}

static bool filter_items(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_sequence *list = lm_sequence_new(interp, self->kind == LM_VARIANT_DICT ? self->as.dict->count : 0);
    if (!list || !none(interp, arguments, "items")) return false;
    if (self->kind == LM_VARIANT_DICT) {
        for (size_t i = 0; i < self->as.dict->count; i++) {
            lm_sequence *pair = lm_sequence_new(interp, 2);
            if (!pair) return false;
            pair->items[0] = self->as.dict->entries[i].key;
            pair->items[1] = self->as.dict->entries[i].value;
            pair->count = 2;
            list->items[list->count++] = lm_variant_sequence(LM_VARIANT_TUPLE, pair);
        }
    } else if (self->kind != LM_VARIANT_UNDEFINED) {
        return lm_interp_fail(interp, "can only get item pairs from a mapping");
    }
    *out = lm_variant_sequence(LM_VARIANT_GENERATOR, list);
    return true;
}

static bool filter_join(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[2];
    const lm_text *separator = NULL;
    if (!lm_arguments_bind(interp, arguments, "join", "d attribute", 0, slots)) return false;
    if (slots[0].kind != LM_VARIANT_ABSENT && !lm_variant_to_text(interp, &slots[0], &separator)) return false;
    lm_sequence *list = copy(interp, self);
    if (!list) return false;
    if (slots[1].kind != LM_VARIANT_ABSENT && slots[1].kind != LM_VARIANT_NONE) {
        for (size_t i = 0; i < list->count; i++) {
            lm_variant item = list->items[i];
            if (!lm_filter_attribute(interp, &item, &slots[1], &list->items[i])) return false;
        }
    }
    const lm_text *text = lm_string_join(interp, separator, list);
    if (text) *out = lm_variant_text(text);
    return text != NULL;
}

static bool filter_default(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[2];
    if (!lm_arguments_bind(interp, arguments, "default", "default_value boolean", 0, slots)) return false;
    bool falsy = slots[1].kind != LM_VARIANT_ABSENT && lm_variant_truth(&slots[1]) && !lm_variant_truth(self);
    *out = *self;
    if (!lm_variant_is_missing(self) && !falsy) return true;
    *out = slots[0];
    return slots[0].kind != LM_VARIANT_ABSENT || lm_variant_word(interp, "", out);
}

static bool filter_attr(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slot;
    const lm_text *name = NULL;
    if (!lm_arguments_bind(interp, arguments, "attr", "name", 1, &slot) || !lm_slot_text(interp, &slot, "name", &name))
        return false;
    if (lm_variant_is_missing(self)) return lm_variant_fail_undefined(interp, self);
    if (self->kind == LM_VARIANT_DICT && !lm_method_find(self, (lm_slice){name->bytes, name->n}))
        return lm_variant_missing(interp, self, name, 0, out);
    return lm_variant_attribute(interp, self, name, out);
}

static bool push_piece(lm_interp *interp, lm_sequence *pieces, lm_sequence **piece) {
    *piece = lm_sequence_new(interp, 0);
    return *piece && lm_interp_charge(interp, 1) &&
           lm_sequence_push(interp, pieces, lm_variant_sequence(LM_VARIANT_LIST, *piece));
}

static bool filter_batch(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[2];
    const lm_sequence *items;
    int64_t size = 0;
    lm_sequence *pieces = lm_sequence_new(interp, 0), *piece = NULL;
    if (!pieces || !lm_arguments_bind(interp, arguments, "batch", "linecount fill_with", 1, slots) ||
        !lm_slot_integer(interp, &slots[0], "linecount", &size))
        return false;
    if (size < 1) return lm_interp_fail(interp, "batch: the size must be positive");
    if (!lm_variant_iterate(interp, self, &items)) return false;
    for (size_t i = 0; i < items->count; i++) {
        if (i % (uint64_t)size == 0 && !push_piece(interp, pieces, &piece)) return false;
        if (!lm_sequence_push(interp, piece, items->items[i])) return false;
    }
    bool fill = slots[1].kind != LM_VARIANT_ABSENT && slots[1].kind != LM_VARIANT_NONE;
    while (fill && piece && piece->count < (uint64_t)size)
        if (!lm_interp_charge(interp, 1) || !lm_sequence_push(interp, piece, slots[1])) return false;
    *out = lm_variant_sequence(LM_VARIANT_GENERATOR, pieces);
    return true;
}

static bool filter_slice(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[2];
    const lm_sequence *items;
    int64_t count = 0;
    lm_sequence *pieces = lm_sequence_new(interp, 0), *piece;
    if (!pieces || !lm_arguments_bind(interp, arguments, "slice", "slices fill_with", 1, slots) ||
        !lm_slot_integer(interp, &slots[0], "slices", &count))
        return false;
    if (count < 1) return lm_interp_fail(interp, "slice: the number of slices must be positive");
    if (!lm_variant_iterate(interp, self, &items)) return false;
    size_t each = items->count / (uint64_t)count, longer = items->count % (uint64_t)count, next = 0;
    bool fill = slots[1].kind != LM_VARIANT_ABSENT && slots[1].kind != LM_VARIANT_NONE && longer;
    for (uint64_t i = 0; i < (uint64_t)count; i++) {
        if (!push_piece(interp, pieces, &piece)) return false;
        for (size_t n = each + (i < longer); n; n--)
            if (!lm_sequence_push(interp, piece, items->items[next++])) return false;
        if (fill && i >= longer && !lm_sequence_push(interp, piece, slots[1])) return false;
    }
    *out = lm_variant_sequence(LM_VARIANT_GENERATOR, pieces);
    return true;
}

const lm_native_entry lm_filters_list[] = {
    {"attr", filter_attr},       {"batch", filter_batch},     {"count", filter_length},
    {"d", filter_default},       {"default", filter_default}, {"first", filter_first},
    {"items", filter_items},     {"join", filter_join},       {"last", filter_last},
    {"length", filter_length},   {"list", filter_list},       {"random", filter_first},
    {"reverse", filter_reverse}, {"slice", filter_slice},     {NULL, NULL}};
