/* SPDX-License-Identifier: MIT
 * Functions every template can call. */
#include <string.h>

#include "template_interp.h"
#include "template_strftime.h"

#define FUNCTION(name)                                                                                                 \
    static bool name(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out)

FUNCTION(call_raise_exception) {
    lm_variant slot;
    const lm_text *message;
    (void)self, (void)out;
    if (!lm_arguments_bind(interp, arguments, "raise_exception", "message", 1, &slot) ||
        !lm_variant_to_text(interp, &slot, &message))
        return false;
    return lm_interp_raise(interp, message);
}

FUNCTION(call_range) {
    lm_variant slots[3];
    int64_t start = 0, stop = 0, step = 1;
    (void)self;
    if (!lm_arguments_bind(interp, arguments, "range", "start stop step", 1, slots)) return false;
    if (slots[1].kind == LM_VARIANT_ABSENT) {
        slots[1] = slots[0];
        slots[0].kind = LM_VARIANT_ABSENT;
    }
    if (!lm_slot_integer(interp, &slots[0], "start", &start) || !lm_slot_integer(interp, &slots[1], "stop", &stop) ||
        !lm_slot_integer(interp, &slots[2], "step", &step))
        return false;
    if (step == 0) return lm_interp_fail(interp, "range() arg 3 must not be zero");
    uint64_t distance = step > 0       ? (stop > start ? (uint64_t)stop - (uint64_t)start : 0)
                        : start > stop ? (uint64_t)start - (uint64_t)stop
                                       : 0;
    uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    uint64_t count = distance ? (distance - 1) / stride + 1 : 0;
    if (count > LM_TEMPLATE_RANGE_MAX)
        return lm_interp_limit(interp, "range too big; the largest allowed has 100000 items");
    lm_sequence *range = lm_sequence_new(interp, (size_t)count);
    if (!range) return false;
    range->start = start;
    range->stop = stop;
    range->step = step;
    for (uint64_t i = 0; i < count; i++)
        range->items[range->count++] = lm_variant_int((int64_t)((uint64_t)start + i * (uint64_t)step));
    *out = lm_variant_sequence(LM_VARIANT_RANGE, range);
    return true;
}

/* dict(mapping or pairs, key=value, ...) */
static bool build_dict(lm_interp *interp, const lm_arguments *arguments, lm_dict **out) {
    lm_dict *dict = lm_dict_new(interp);
    lm_variant self, ignored;
    if (!dict) return false;
    self = lm_variant_dict(dict);
    if (!lm_method_find(&self, (lm_slice){"update", 6})(interp, &self, arguments, &ignored)) return false;
    *out = dict;
    return true;
}

FUNCTION(call_dict) {
    lm_dict *dict;
    (void)self;
    if (!build_dict(interp, arguments, &dict)) return false;
    *out = lm_variant_dict(dict);
    return true;
}

FUNCTION(call_namespace) {
    lm_dict *dict;
    (void)self;
    if (!build_dict(interp, arguments, &dict)) return false;
    *out = (lm_variant){.kind = LM_VARIANT_NAMESPACE, .as.dict = dict};
    return true;
}

FUNCTION(call_strftime_now) {
    lm_variant slot;
    const lm_text *format = NULL;
    lm_text_builder *builder = lm_builder_new(interp);
    (void)self;
    if (!builder || !lm_arguments_bind(interp, arguments, "strftime_now", "format", 1, &slot) ||
        !lm_slot_text(interp, &slot, "the format", &format))
        return false;
    if (!lm_template_strftime(builder, &interp->clock, format) || !(format = lm_builder_finish(builder))) return false;
    *out = lm_variant_text(format);
    return true;
}

/* The separator from the second call on; the cursor of its list says whether there was a first. */
FUNCTION(join_next) {
    lm_sequence *state = self->as.sequence;
    if (!lm_arguments_bind(interp, arguments, "joiner", "", 0, NULL)) return false;
    if (state->cursor++ == 0) return lm_variant_word(interp, "", out);
    *out = state->items[0];
    return true;
}

FUNCTION(call_joiner) {
    lm_variant slot;
    lm_sequence *state = lm_sequence_new(interp, 1);
    lm_callable *callable = lm_interp_alloc_array(interp, 1, sizeof *callable);
    (void)self;
    if (!state || !callable || !lm_arguments_bind(interp, arguments, "joiner", "sep", 0, &slot)) return false;
    if (slot.kind == LM_VARIANT_ABSENT && !lm_variant_word(interp, ", ", &slot)) return false;
    state->items[state->count++] = slot;
    callable->name = "joiner";
    callable->native = join_next;
    callable->self = lm_variant_sequence(LM_VARIANT_LIST, state);
    *out = (lm_variant){.kind = LM_VARIANT_CALLABLE, .as.callable = callable};
    return true;
}

FUNCTION(call_cycler) {
    (void)self;
    if (arguments->count == 0) return lm_interp_fail(interp, "at least one item has to be provided");
    lm_sequence *items = lm_sequence_new(interp, arguments->count);
    if (!items) return false;
    for (size_t i = 0; i < arguments->count; i++) items->items[items->count++] = arguments->values[i];
    *out = lm_variant_sequence(LM_VARIANT_CYCLER, items);
    return true;
}

bool lm_globals_install(lm_interp *interp) {
    static const lm_native_entry functions[] = {{"cycler", call_cycler},
                                                {"dict", call_dict},
                                                {"joiner", call_joiner},
                                                {"namespace", call_namespace},
                                                {"raise_exception", call_raise_exception},
                                                {"range", call_range},
                                                {"strftime_now", call_strftime_now},
                                                {NULL, NULL}};
    for (const lm_native_entry *function = functions; function->name; function++) {
        uint32_t symbol = lm_template_symbol(interp->template, function->name, strlen(function->name));
        if (symbol == UINT32_MAX) continue;
        lm_callable *callable = lm_interp_alloc_array(interp, 1, sizeof *callable);
        if (!callable) return false;
        callable->name = function->name;
        callable->native = function->native;
        interp->globals[symbol] = (lm_variant){.kind = LM_VARIANT_CALLABLE, .as.callable = callable};
    }
    return true;
}
