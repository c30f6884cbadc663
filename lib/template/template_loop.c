/* SPDX-License-Identifier: MIT
 * The state of a for loop and its loop variable. Items are drawn one at a time, and one ahead only when the template asks
 * (loop.last, loop.nextitem): a filter such as "if not ns.found" must see what earlier iterations did. */
#include <string.h>

#include "template_interp.h"

bool lm_loop_start(lm_interp *interp, lm_loop *loop, const lm_node *node, const lm_variant *iterable, lm_scope *scope,
                   uint32_t depth0) {
    memset(loop, 0, sizeof *loop);
    loop->node = node;
    loop->scope = scope;
    loop->depth0 = depth0;
    return lm_variant_iterate(interp, iterable, &loop->source);
}

/* The next item that passes the filter. */
static bool draw(lm_interp *interp, lm_loop *loop, lm_variant *out, bool *more) {
    const lm_node *filter = loop->node ? loop->node->items[2] : NULL;
    for (*more = false; loop->next < loop->source->count;) {
        if (!lm_interp_charge(interp, 1)) return false;
        *out = loop->source->items[loop->next++];
        if (!filter) {
            *more = true;
            return true;
        }
        lm_scope *scope = lm_scope_new(interp, loop->scope);
        lm_variant passes;
        if (!scope || !lm_exec_assign(interp, loop->node->items[0], out, scope) ||
            !lm_eval(interp, filter, scope, &passes))
            return false;
        if (!lm_variant_truth(&passes)) continue;
        *more = true;
        return true;
    }
    return true;
}

static bool look_ahead(lm_interp *interp, lm_loop *loop) {
    if (loop->has_ahead || loop->exhausted) return true;
    bool more;
    if (!draw(interp, loop, &loop->ahead, &more)) return false;
    loop->has_ahead = more;
    loop->exhausted = !more;
    return true;
}

bool lm_loop_advance(lm_interp *interp, lm_loop *loop, bool *more) {
    if (!look_ahead(interp, loop)) return false;
    *more = loop->has_ahead;
    if (!*more) return true;
    if (loop->has_current) loop->index0++;
    loop->previous = loop->current;
    loop->has_previous = loop->has_current;
    loop->current = loop->ahead;
    loop->has_current = true;
    loop->has_ahead = false;
    return true;
}

/* Items from here to the end, the current one not counted; a filter is run over all of them now. */
static bool count_rest(lm_interp *interp, lm_loop *loop, size_t *out) {
    if (!look_ahead(interp, loop)) return false;
    if (loop->node && loop->node->items[2] && loop->next < loop->source->count) {
        lm_sequence *kept = lm_sequence_new(interp, 0);
        lm_variant item;
        for (bool more = true; more;) {
            if (!kept || !draw(interp, loop, &item, &more)) return false;
            if (more && !lm_sequence_push(interp, kept, item)) return false;
        }
        loop->source = kept;
        loop->next = 0;
        loop->node = NULL; /* what is left has passed the filter */
    }
    *out = loop->source->count - loop->next + loop->has_ahead;
    return true;
}

static bool cycle(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    if (arguments->count == 0) return lm_interp_fail(interp, "no items for cycling given");
    *out = arguments->values[self->as.loop->index0 % arguments->count];
    return true;
}

static bool changed(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_loop *loop = self->as.loop;
    lm_sequence *seen = lm_sequence_new(interp, arguments->count);
    if (!seen) return false;
    for (size_t i = 0; i < arguments->count; i++) seen->items[seen->count++] = arguments->values[i];
    lm_variant now = lm_variant_sequence(LM_VARIANT_TUPLE, seen);
    bool same;
    if (!lm_variant_equal(interp, &loop->changed, &now, &same)) return false;
    loop->changed = now;
    *out = lm_variant_bool(!same);
    return true;
}

static bool method(lm_interp *interp, lm_loop *loop, const char *name, lm_native native, lm_variant *out) {
    lm_callable *callable = lm_interp_alloc_array(interp, 1, sizeof *callable);
    if (!callable) return false;
    callable->name = name;
    callable->native = native;
    callable->self = (lm_variant){.kind = LM_VARIANT_LOOP, .as.loop = loop};
    *out = (lm_variant){.kind = LM_VARIANT_CALLABLE, .as.callable = callable};
    return true;
}

bool lm_loop_attribute(lm_interp *interp, lm_loop *loop, lm_slice name, lm_variant *out, bool *found) {
    size_t rest;
    *found = true;
#define IS(word) (name.n == sizeof word - 1 && memcmp(name.bytes, word, sizeof word - 1) == 0)
    if (IS("index"))
        *out = lm_variant_int((int64_t)loop->index0 + 1);
    else if (IS("index0"))
        *out = lm_variant_int((int64_t)loop->index0);
    else if (IS("first"))
        *out = lm_variant_bool(loop->index0 == 0);
    else if (IS("depth"))
        *out = lm_variant_int((int64_t)loop->depth0 + 1);
    else if (IS("depth0"))
        *out = lm_variant_int(loop->depth0);
    else if (IS("previtem"))
        *out = loop->has_previous ? loop->previous : lm_variant_undefined();
    else if (IS("cycle"))
        return method(interp, loop, "cycle", cycle, out);
    else if (IS("changed"))
        return method(interp, loop, "changed", changed, out);
    else if (IS("last") || IS("nextitem")) {
        if (!look_ahead(interp, loop)) return false;
        if (IS("last"))
            *out = lm_variant_bool(!loop->has_ahead);
        else
            *out = loop->has_ahead ? loop->ahead : lm_variant_undefined();
    } else if (IS("length") || IS("revindex") || IS("revindex0")) {
        if (!count_rest(interp, loop, &rest)) return false;
        *out = lm_variant_int((int64_t)rest + (IS("length") ? (int64_t)loop->index0 + 1 : IS("revindex") ? 1 : 0));
    } else {
        *found = false;
    }
#undef IS
    return true;
}
