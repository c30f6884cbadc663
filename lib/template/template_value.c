/* SPDX-License-Identifier: MIT
 * Making values, asking simple things of them, and walking over them. */
#include "template_value.h"

#include <string.h>

#include "template_interp.h"

int64_t lm_variant_as_integer(const lm_variant *v) {
    return v->kind == LM_VARIANT_BOOL ? v->as.boolean : v->as.integer;
}

double lm_variant_as_double(const lm_variant *v) {
    return v->kind == LM_VARIANT_FLOAT ? v->as.number : (double)lm_variant_as_integer(v);
}

bool lm_variant_truth(const lm_variant *v) {
    switch ((lm_variant_kind)v->kind) {
    case LM_VARIANT_ABSENT:
    case LM_VARIANT_UNDEFINED:
    case LM_VARIANT_NONE: return false;
    case LM_VARIANT_BOOL: return v->as.boolean;
    case LM_VARIANT_INT: return v->as.integer != 0;
    case LM_VARIANT_FLOAT: return v->as.number != 0;
    case LM_VARIANT_STRING: return v->as.text->n != 0;
    case LM_VARIANT_LIST:
    case LM_VARIANT_TUPLE:
    case LM_VARIANT_RANGE:
    case LM_VARIANT_VIEW: return v->as.sequence->count != 0;
    case LM_VARIANT_DICT: return v->as.dict->count != 0;
    default: return true;
    }
}

const char *lm_variant_type(const lm_variant *v) {
    static const char *const names[] = {"Undefined", "Undefined", "NoneType",    "bool",   "int",       "float",
                                        "str",       "list",      "tuple",       "range",  "dict view", "generator",
                                        "dict",      "Namespace", "LoopContext", "Cycler", "function"};
    return v->kind == LM_VARIANT_VIEW && v->as.sequence->name ? v->as.sequence->name : names[v->kind];
}

lm_sequence *lm_sequence_new(lm_interp *interp, size_t capacity) {
    lm_sequence *sequence = lm_interp_alloc_array(interp, 1, sizeof *sequence);
    if (!sequence) return NULL;
    if (capacity && !(sequence->items = lm_interp_alloc_array(interp, capacity, sizeof *sequence->items))) return NULL;
    sequence->capacity = capacity;
    return sequence;
}

bool lm_sequence_push(lm_interp *interp, lm_sequence *sequence, lm_variant value) {
    if (sequence->count == sequence->capacity) {
        size_t capacity = sequence->capacity ? sequence->capacity * 2 : 4;
        lm_variant *items = lm_interp_alloc_array(interp, capacity, sizeof *items);
        if (!items) return false;
        if (sequence->count) memcpy(items, sequence->items, sequence->count * sizeof *items);
        sequence->items = items;
        sequence->capacity = capacity;
    }
    sequence->items[sequence->count++] = value;
    return true;
}

bool lm_variant_word(lm_interp *interp, const char *word, lm_variant *out) {
    const lm_text *text = lm_text_borrow(interp, word, strlen(word), LM_ORIGIN_TEMPLATE);
    if (!text) return false;
    *out = lm_variant_text(text);
    return true;
}

bool lm_variant_char(lm_interp *interp, const lm_text *text, size_t pos, lm_variant *out) {
    const lm_text *slice = lm_text_slice(interp, text, pos, pos + lm_text_char_size(text, pos));
    if (!slice) return false;
    *out = lm_variant_text(slice);
    return true;
}

bool lm_variant_missing(lm_interp *interp, const lm_variant *owner, const lm_text *name, int64_t index,
                        lm_variant *out) {
    lm_missing *missing = lm_interp_alloc(interp, sizeof *missing);
    if (!missing) return false;
    *missing = (lm_missing){name, owner ? owner->kind : LM_VARIANT_ABSENT, index};
    *out = (lm_variant){.kind = LM_VARIANT_UNDEFINED, .as.missing = missing};
    return true;
}

bool lm_variant_fail_undefined(lm_interp *interp, const lm_variant *value) {
    const lm_missing *missing = value->kind == LM_VARIANT_UNDEFINED ? value->as.missing : NULL;
    if (!missing) return lm_interp_fail(interp, "the value is undefined");
    lm_variant owner = {.kind = missing->owner};
    const char *type = missing->owner == LM_VARIANT_VIEW ? "dict view" : lm_variant_type(&owner);
    if (!missing->name) return lm_interp_fail(interp, "%s object has no element %lld", type, (long long)missing->index);
    if (missing->owner == LM_VARIANT_ABSENT)
        return lm_interp_fail(interp, "'%.*s' is undefined", (int)lm_size_min(missing->name->n, 100),
                              missing->name->bytes);
    return lm_interp_fail(interp, "'%s object' has no attribute '%.*s'", type, (int)lm_size_min(missing->name->n, 100),
                          missing->name->bytes);
}

bool lm_variant_iterate(lm_interp *interp, const lm_variant *value, const lm_sequence **out) {
    lm_sequence *sequence;
    switch ((lm_variant_kind)value->kind) {
    case LM_VARIANT_LIST:
    case LM_VARIANT_TUPLE:
    case LM_VARIANT_RANGE:
    case LM_VARIANT_VIEW: *out = value->as.sequence; return lm_interp_charge(interp, value->as.sequence->count / 4);
    case LM_VARIANT_GENERATOR: {
        lm_sequence *walked = value->as.sequence;
        if (!(sequence = lm_sequence_new(interp, 0))) return false;
        sequence->count = walked->count - walked->cursor;
        if (sequence->count > 0) sequence->items = walked->items + walked->cursor;
        walked->cursor = walked->count;
        *out = sequence;
        return lm_interp_charge(interp, sequence->count / 4);
    }
    case LM_VARIANT_UNDEFINED:
        if (!(sequence = lm_sequence_new(interp, 0))) return false;
        *out = sequence;
        return true;
    case LM_VARIANT_DICT: {
        const lm_dict *dict = value->as.dict;
        if (!lm_interp_charge(interp, dict->count / 4) || !(sequence = lm_sequence_new(interp, dict->count)))
            return false;
        for (size_t i = 0; i < dict->count; i++) sequence->items[sequence->count++] = dict->entries[i].key;
        *out = sequence;
        return true;
    }
    case LM_VARIANT_STRING: {
        const lm_text *text = value->as.text;
        if (!lm_interp_charge(interp, text->n) || !(sequence = lm_sequence_new(interp, lm_text_chars(text))))
            return false;
        for (size_t pos = 0; pos < text->n; sequence->count++) {
            if (!lm_variant_char(interp, text, pos, &sequence->items[sequence->count])) return false;
            pos += lm_text_char_size(text, pos);
        }
        *out = sequence;
        return true;
    }
    default: return lm_interp_fail(interp, "'%s' object is not iterable", lm_variant_type(value));
    }
}
