/* SPDX-License-Identifier: MIT
 * Attributes, items and slices. a.name looks for a method first and then for a key, a[key] the other way round; what is not
 * there is undefined, but looking into something undefined fails. */

#include "template_interp.h"

static bool bound_method(lm_interp *interp, const lm_variant *object, lm_native native, lm_variant *out) {
    lm_callable *callable = lm_interp_alloc_array(interp, 1, sizeof *callable);
    if (!callable) return false;
    callable->name = "method";
    callable->native = native;
    callable->self = *object;
    *out = (lm_variant){.kind = LM_VARIANT_CALLABLE, .as.callable = callable};
    return true;
}

/* name, arguments and the like of a macro */
static bool macro_attribute(lm_interp *interp, const lm_callable *callable, const lm_text *name, lm_variant *out,
                            bool *found) {
    const lm_node *macro = callable->macro;
    *found = macro != NULL;
    if (!macro) return true;
    if (lm_text_is(name, "name")) {
        const lm_text *text = lm_text_borrow(interp, macro->text.bytes, macro->text.n, LM_ORIGIN_TEMPLATE);
        if (text) *out = lm_variant_text(text);
        return text != NULL;
    }
    if (lm_text_is(name, "arguments")) {
        lm_sequence *names = lm_sequence_new(interp, macro->n_items);
        if (!names) return false;
        for (uint32_t i = 0; i < macro->n_items; i++) {
            const lm_text *text =
                lm_text_borrow(interp, macro->items[i]->text.bytes, macro->items[i]->text.n, LM_ORIGIN_TEMPLATE);
            if (!text) return false;
            names->items[names->count++] = lm_variant_text(text);
        }
        *out = lm_variant_sequence(LM_VARIANT_TUPLE, names);
        return true;
    }
    if (lm_text_is(name, "catch_varargs"))
        *out = lm_variant_bool(macro->op & LM_MACRO_USES_VARARGS);
    else if (lm_text_is(name, "catch_kwargs"))
        *out = lm_variant_bool(macro->op & LM_MACRO_USES_KWARGS);
    else if (lm_text_is(name, "caller"))
        *out = lm_variant_bool(macro->op & LM_MACRO_USES_CALLER);
    else
        *found = false;
    return true;
}

/* What Python's getattr finds; *found false otherwise. */
static bool own_attribute(lm_interp *interp, const lm_variant *object, const lm_text *name, lm_variant *out,
                          bool *found) {
    bool failed = false;
    const lm_variant *value;
    *found = true;
    lm_native native = lm_method_find(object, (lm_slice){name->bytes, name->n});
    if (native) return bound_method(interp, object, native, out);
    const lm_sequence *sequence = object->as.sequence;
    switch ((lm_variant_kind)object->kind) {
    case LM_VARIANT_NAMESPACE:
        value = lm_dict_get_text(interp, object->as.dict, name, &failed);
        if (value) *out = *value;
        *found = value != NULL;
        return !failed;
    case LM_VARIANT_LOOP:
        return lm_loop_attribute(interp, object->as.loop, (lm_slice){name->bytes, name->n}, out, found);
    case LM_VARIANT_CALLABLE: return macro_attribute(interp, object->as.callable, name, out, found);
    case LM_VARIANT_TUPLE: /* the pairs of groupby */
        if (sequence->name && lm_text_is(name, "grouper"))
            *out = sequence->items[0];
        else if (sequence->name && lm_text_is(name, "list"))
            *out = sequence->items[1];
        else
            *found = false;
        return true;
    case LM_VARIANT_CYCLER:
        if (lm_text_is(name, "current"))
            *out = sequence->items[sequence->cursor];
        else
            *found = false;
        return true;
    default: *found = false; return true;
    }
}

bool lm_variant_attribute(lm_interp *interp, const lm_variant *object, const lm_text *name, lm_variant *out) {
    bool found, failed = false;
    if (lm_variant_is_missing(object)) return lm_variant_fail_undefined(interp, object);
    if (!own_attribute(interp, object, name, out, &found)) return false;
    if (found) return true;
    if (object->kind == LM_VARIANT_DICT) {
        const lm_variant *value = lm_dict_get_text(interp, object->as.dict, name, &failed);
        if (failed) return false;
        if (value) {
            *out = *value;
            return true;
        }
    }
    return lm_variant_missing(interp, object, name, 0, out);
}

/* Python's index into n elements: negative ones count from the end. */
static bool resolve_index(int64_t index, size_t n, size_t *out) {
    if (index < 0) index += (int64_t)n;
    if (index < 0 || (uint64_t)index >= n) return false;
    *out = (size_t)index;
    return true;
}

bool lm_variant_item(lm_interp *interp, const lm_variant *object, const lm_variant *key, lm_variant *out) {
    bool failed = false, found = false;
    size_t index;
    if (lm_variant_is_missing(object)) return lm_variant_fail_undefined(interp, object);
    if (lm_variant_is_integer(key)) {
        int64_t wanted = lm_variant_as_integer(key);
        if (object->kind == LM_VARIANT_STRING) {
            const lm_text *text = object->as.text;
            if (!lm_interp_charge(interp, lm_text_chars(text) == text->n ? 0 : text->n / 4)) return false;
            if (resolve_index(wanted, lm_text_chars(text), &index))
                return lm_variant_char(interp, text, lm_text_offset(text, index), out);
            return lm_variant_missing(interp, object, NULL, wanted, out);
        }
        if (object->kind >= LM_VARIANT_LIST && object->kind <= LM_VARIANT_RANGE) {
            const lm_sequence *sequence = object->as.sequence;
            if (!resolve_index(wanted, sequence->count, &index))
                return lm_variant_missing(interp, object, NULL, wanted, out);
            *out = sequence->items[index];
            return true;
        }
    }
    bool unhashable = key->kind == LM_VARIANT_LIST || key->kind >= LM_VARIANT_RANGE;
    if (object->kind == LM_VARIANT_DICT && !unhashable) {
        const lm_variant *value = lm_dict_get(interp, object->as.dict, key, &failed);
        if (failed) return false;
        if (value) {
            *out = *value;
            return true;
        }
    }
    if (key->kind == LM_VARIANT_STRING) {
        if (!own_attribute(interp, object, key->as.text, out, &found)) return false;
        if (found) return true;
        return lm_variant_missing(interp, object, key->as.text, 0, out);
    }
    return lm_variant_missing(interp, object, NULL, lm_variant_is_integer(key) ? lm_variant_as_integer(key) : 0, out);
}

/* start, stop and step over n elements, as slice.indices does. */
static bool resolve_slice(lm_interp *interp, const lm_variant parts[3], int64_t n, int64_t *start, int64_t *stop,
                          int64_t *step) {
    int64_t bounds[2];
    *step = parts[2].kind == LM_VARIANT_NONE ? 1 : lm_variant_as_integer(&parts[2]);
    if (*step == 0) return lm_interp_fail(interp, "slice step cannot be zero");
    if (*step < -INT64_MAX / 2) *step = -INT64_MAX / 2;
    if (*step > INT64_MAX / 2) *step = INT64_MAX / 2;
    int64_t low = *step < 0 ? -1 : 0, high = *step < 0 ? n - 1 : n;
    for (int i = 0; i < 2; i++) {
        if (parts[i].kind == LM_VARIANT_NONE) {
            bounds[i] = (i == 0) == (*step > 0) ? low : high;
            continue;
        }
        int64_t bound = lm_variant_as_integer(&parts[i]);
        if (bound < 0)
            bound = bound < -n ? low : bound + n < low ? low : bound + n;
        else if (bound > high)
            bound = high;
        bounds[i] = bound;
    }
    *start = bounds[0];
    *stop = bounds[1];
    return true;
}

static bool slice_text(lm_interp *interp, const lm_text *text, int64_t start, int64_t stop, int64_t step,
                       lm_variant *out) {
    const lm_text *result;
    if (!lm_interp_charge(interp, text->n / 4)) return false;
    if (step == 1) {
        size_t from = lm_text_offset(text, (size_t)start),
               to = lm_text_offset(text, (size_t)(stop > start ? stop : start));
        result = lm_text_slice(interp, text, from, to);
    } else {
        lm_text_builder *builder = lm_builder_new(interp);
        size_t n_chars = lm_text_chars(text), *offsets = lm_interp_alloc_array(interp, n_chars + 1, sizeof *offsets);
        if (!builder || !offsets) return false;
        for (size_t i = 0; i < n_chars; i++) offsets[i + 1] = offsets[i] + lm_text_char_size(text, offsets[i]);
        for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step)
            if (!lm_interp_charge(interp, 1) || !lm_builder_slice(builder, text, offsets[i], offsets[i + 1]))
                return false;
        result = lm_builder_finish(builder);
    }
    if (!result) return false;
    *out = lm_variant_text(result);
    return true;
}

bool lm_variant_slice(lm_interp *interp, const lm_variant *object, const lm_variant parts[3], lm_variant *out) {
    int64_t start = 0, stop = 0, step = 1;
    if (lm_variant_is_missing(object)) return lm_variant_fail_undefined(interp, object);
    for (int i = 0; i < 3; i++)
        if (parts[i].kind != LM_VARIANT_NONE && !lm_variant_is_integer(&parts[i]))
            return lm_interp_fail(interp, "slice indices must be integers or None, not %s", lm_variant_type(&parts[i]));
    if (object->kind < LM_VARIANT_STRING || object->kind > LM_VARIANT_RANGE)
        return lm_interp_fail(interp, "'%s' object cannot be sliced", lm_variant_type(object));
    size_t n = object->kind == LM_VARIANT_STRING ? lm_text_chars(object->as.text) : object->as.sequence->count;
    if (!resolve_slice(interp, parts, (int64_t)n, &start, &stop, &step)) return false;
    if (object->kind == LM_VARIANT_STRING) return slice_text(interp, object->as.text, start, stop, step, out);
    lm_sequence *slice = lm_sequence_new(interp, 0);
    if (!slice) return false;
    for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step)
        if (!lm_interp_charge(interp, 1) || !lm_sequence_push(interp, slice, object->as.sequence->items[i]))
            return false;
    *out = lm_variant_sequence(object->kind == LM_VARIANT_TUPLE ? LM_VARIANT_TUPLE : LM_VARIANT_LIST, slice);
    return true;
}
