/* SPDX-License-Identifier: MIT
 * Making values, asking simple things of them, and walking over them. */
#include "template_value.h"

#include <string.h>

#include "../base/number.h"
#include "../base/utf8.h"
#include "template_interp.h"

int64_t lm_value_as_integer(const lm_value *v) { return v->kind == LM_VALUE_BOOL ? v->as.boolean : v->as.integer; }

double lm_value_as_double(const lm_value *v) {
    return v->kind == LM_VALUE_FLOAT ? v->as.number : (double)lm_value_as_integer(v);
}

bool lm_value_truth(const lm_value *v) {
    switch ((lm_value_kind)v->kind) {
    case LM_VALUE_ABSENT:
    case LM_VALUE_UNDEFINED:
    case LM_VALUE_NONE: return false;
    case LM_VALUE_BOOL: return v->as.boolean;
    case LM_VALUE_INT: return v->as.integer != 0;
    case LM_VALUE_FLOAT: return v->as.number != 0;
    case LM_VALUE_STRING: return v->as.text->n != 0;
    case LM_VALUE_LIST:
    case LM_VALUE_TUPLE:
    case LM_VALUE_RANGE:
    case LM_VALUE_VIEW: return v->as.sequence->count != 0;
    case LM_VALUE_DICT: return v->as.dict->count != 0;
    default: return true;
    }
}

const char *lm_value_type(const lm_value *v) {
    static const char *const names[] = {"Undefined", "Undefined", "NoneType",    "bool",   "int",       "float",
                                        "str",       "list",      "tuple",       "range",  "dict view", "generator",
                                        "dict",      "Namespace", "LoopContext", "Cycler", "function"};
    return v->kind == LM_VALUE_VIEW && v->as.sequence->name ? v->as.sequence->name : names[v->kind];
}

lm_sequence *lm_sequence_new(lm_interp *interp, size_t capacity) {
    lm_sequence *sequence = lm_interp_alloc_array(interp, 1, sizeof *sequence);
    if (!sequence) return NULL;
    if (capacity && !(sequence->items = lm_interp_alloc_array(interp, capacity, sizeof *sequence->items))) return NULL;
    sequence->capacity = capacity;
    return sequence;
}

bool lm_sequence_push(lm_interp *interp, lm_sequence *sequence, lm_value value) {
    if (sequence->count == sequence->capacity) {
        size_t capacity = sequence->capacity ? sequence->capacity * 2 : 4;
        lm_value *items = lm_interp_alloc_array(interp, capacity, sizeof *items);
        if (!items) return false;
        if (sequence->count) memcpy(items, sequence->items, sequence->count * sizeof *items);
        sequence->items = items;
        sequence->capacity = capacity;
    }
    sequence->items[sequence->count++] = value;
    return true;
}

bool lm_value_word(lm_interp *interp, const char *word, lm_value *out) {
    const lm_text *text = lm_text_borrow(interp, word, strlen(word), LM_ORIGIN_TEMPLATE);
    if (!text) return false;
    *out = lm_value_text(text);
    return true;
}

bool lm_value_char(lm_interp *interp, const lm_text *text, size_t pos, lm_value *out) {
    const lm_text *slice = lm_text_slice(interp, text, pos, pos + lm_text_char_size(text, pos));
    if (!slice) return false;
    *out = lm_value_text(slice);
    return true;
}

bool lm_value_missing(lm_interp *interp, const lm_value *owner, const lm_text *name, int64_t index, lm_value *out) {
    lm_missing *missing = lm_interp_alloc(interp, sizeof *missing);
    if (!missing) return false;
    *missing = (lm_missing){name, owner ? owner->kind : LM_VALUE_ABSENT, index};
    *out = (lm_value){.kind = LM_VALUE_UNDEFINED, .as.missing = missing};
    return true;
}

bool lm_value_fail_undefined(lm_interp *interp, const lm_value *value) {
    const lm_missing *missing = value->kind == LM_VALUE_UNDEFINED ? value->as.missing : NULL;
    if (!missing) return lm_interp_fail(interp, "the value is undefined");
    lm_value owner = {.kind = missing->owner};
    const char *type = missing->owner == LM_VALUE_VIEW ? "dict view" : lm_value_type(&owner);
    if (!missing->name) return lm_interp_fail(interp, "%s object has no element %lld", type, (long long)missing->index);
    if (missing->owner == LM_VALUE_ABSENT)
        return lm_interp_fail(interp, "'%.*s' is undefined", (int)lm_size_min(missing->name->n, 100),
                              missing->name->bytes);
    return lm_interp_fail(interp, "'%s object' has no attribute '%.*s'", type, (int)lm_size_min(missing->name->n, 100),
                          missing->name->bytes);
}

bool lm_value_iterate(lm_interp *interp, const lm_value *value, const lm_sequence **out) {
    lm_sequence *sequence;
    switch ((lm_value_kind)value->kind) {
    case LM_VALUE_LIST:
    case LM_VALUE_TUPLE:
    case LM_VALUE_RANGE:
    case LM_VALUE_VIEW: *out = value->as.sequence; return lm_interp_charge(interp, value->as.sequence->count / 4);
    case LM_VALUE_GENERATOR: {
        lm_sequence *walked = value->as.sequence;
        if (!(sequence = lm_sequence_new(interp, 0))) return false;
        sequence->items = walked->items + walked->cursor;
        sequence->count = walked->count - walked->cursor;
        walked->cursor = walked->count;
        *out = sequence;
        return lm_interp_charge(interp, sequence->count / 4);
    }
    case LM_VALUE_UNDEFINED:
        if (!(sequence = lm_sequence_new(interp, 0))) return false;
        *out = sequence;
        return true;
    case LM_VALUE_DICT: {
        const lm_dict *dict = value->as.dict;
        if (!lm_interp_charge(interp, dict->count / 4) || !(sequence = lm_sequence_new(interp, dict->count)))
            return false;
        for (size_t i = 0; i < dict->count; i++) sequence->items[sequence->count++] = dict->entries[i].key;
        *out = sequence;
        return true;
    }
    case LM_VALUE_STRING: {
        const lm_text *text = value->as.text;
        if (!lm_interp_charge(interp, text->n) || !(sequence = lm_sequence_new(interp, lm_text_chars(text))))
            return false;
        for (size_t pos = 0; pos < text->n; sequence->count++) {
            if (!lm_value_char(interp, text, pos, &sequence->items[sequence->count])) return false;
            pos += lm_text_char_size(text, pos);
        }
        *out = sequence;
        return true;
    }
    default: return lm_interp_fail(interp, "'%s' object is not iterable", lm_value_type(value));
    }
}
