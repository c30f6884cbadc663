/* SPDX-License-Identifier: MIT
 * Statements. Output goes to the builder the interpreter points at; blocks that capture swap it. The bodies of for,
 * macros, set blocks, with, call, filter and generation have scopes of their own; that of if has not. */
#include "template_interp.h"

bool lm_exec_assign(lm_interp *interp, const lm_node *target, const lm_variant *value, lm_scope *scope) {
    interp->offset = target->offset;
    if (target->kind == LM_NODE_NAME) return lm_scope_set(interp, scope, target->symbol, value);
    if (target->kind == LM_NODE_NAMESPACE_TARGET) {
        const lm_variant *object = lm_scope_get(interp, scope, target->symbol);
        if (!object || object->kind != LM_VARIANT_NAMESPACE)
            return lm_interp_fail(interp, "cannot assign attribute on non-namespace object");
        const lm_text *name = lm_text_borrow(interp, target->text.bytes, target->text.n, LM_ORIGIN_TEMPLATE);
        return name && lm_dict_set_text(interp, object->as.dict, name, value);
    }
    const lm_sequence *parts;
    if (!lm_interp_enter(interp) || !lm_variant_iterate(interp, value, &parts)) return false;
    if (parts->count != target->n_items)
        return lm_interp_fail(interp, "%s values to unpack (expected %u, got %zu)",
                              parts->count < target->n_items ? "not enough" : "too many", target->n_items,
                              parts->count);
    for (uint32_t i = 0; i < target->n_items; i++)
        if (!lm_exec_assign(interp, target->items[i], &parts->items[i], scope)) return false;
    interp->depth--;
    return true;
}

bool lm_exec_capture(lm_interp *interp, const lm_node *body, lm_scope *scope, const lm_text **out) {
    lm_text_builder *outer = interp->out;
    if (!(interp->out = lm_builder_new(interp))) return false;
    lm_flow flow = lm_exec_body(interp, body, scope);
    *out = flow == LM_FLOW_FAILED ? NULL : lm_builder_finish(interp->out);
    interp->out = outer;
    return *out != NULL;
}

/* Filters of a block: the chain's head has no operand of its own. */
static bool apply_chain(lm_interp *interp, const lm_node *chain, lm_scope *scope, lm_variant *value) {
    lm_arguments arguments;
    if (chain->a && (!lm_interp_enter(interp) || !apply_chain(interp, chain->a, scope, value))) return false;
    if (chain->a) interp->depth--;
    if (!lm_eval_arguments(interp, chain, scope, &arguments)) return false;
    lm_variant before = *value;
    interp->offset = chain->offset;
    return lm_filter_apply(interp, chain->text, &before, &arguments, value);
}

static bool captured_value(lm_interp *interp, const lm_node *body, const lm_node *chain, lm_scope *scope,
                           lm_variant *out) {
    lm_scope *inner = lm_scope_new(interp, scope);
    const lm_text *text;
    if (!inner || !lm_exec_capture(interp, body, inner, &text)) return false;
    *out = lm_variant_text(text);
    return !chain || apply_chain(interp, chain, scope, out);
}

static bool emit(lm_interp *interp, const lm_variant *value) {
    const lm_text *text;
    if (lm_variant_is_missing(value)) return true;
    return lm_variant_to_text(interp, value, &text) && lm_builder_emit(interp->out, text, interp->item);
}

static lm_flow exec_if(lm_interp *interp, const lm_node *node, lm_scope *scope) {
    for (; node && node->kind == LM_NODE_IF; node = node->c) {
        lm_variant condition;
        if (!lm_eval(interp, node->a, scope, &condition)) return LM_FLOW_FAILED;
        if (lm_variant_truth(&condition)) return lm_exec_body(interp, node->b, scope);
    }
    return node ? lm_exec_body(interp, node, scope) : LM_FLOW_NEXT;
}

lm_flow lm_exec_loop(lm_interp *interp, const lm_node *node, const lm_variant *iterable, lm_scope *scope,
                     uint32_t depth0) {
    lm_loop *loop = lm_interp_alloc(interp, sizeof *loop);
    lm_origin outer_item = interp->item;
    bool ran = false, more;
    if (!loop || !lm_loop_start(interp, loop, node, iterable, scope, depth0)) return LM_FLOW_FAILED;
    for (;;) {
        if (!lm_loop_advance(interp, loop, &more)) return LM_FLOW_FAILED;
        if (!more) break;
        ran = true;
        lm_scope *inner = lm_scope_new(interp, scope);
        if (!inner) return LM_FLOW_FAILED;
        if (interp->loop_symbol != UINT32_MAX) {
            lm_variant value = {.kind = LM_VARIANT_LOOP, .as.loop = loop};
            if (!lm_scope_set(interp, inner, interp->loop_symbol, &value)) return LM_FLOW_FAILED;
        }
        const lm_variant *item = &loop->current;
        if (item->kind == LM_VARIANT_DICT && item->as.dict->item >= 0)
            interp->item = LM_ORIGIN_ITEM(item->as.dict->item);
        if (!lm_exec_assign(interp, node->items[0], item, inner)) return LM_FLOW_FAILED;
        lm_flow flow = lm_exec_body(interp, node->b, inner);
        interp->item = outer_item;
        if (flow == LM_FLOW_FAILED) return flow;
        if (flow == LM_FLOW_BREAK) break;
    }
    if (ran || !node->c) return LM_FLOW_NEXT;
    lm_scope *inner = lm_scope_new(interp, scope);
    return inner ? lm_exec_body(interp, node->c, inner) : LM_FLOW_FAILED;
}

static lm_flow exec_for(lm_interp *interp, const lm_node *node, lm_scope *scope) {
    lm_variant iterable;
    if (!lm_eval(interp, node->items[1], scope, &iterable)) return LM_FLOW_FAILED;
    interp->offset = node->offset;
    return lm_exec_loop(interp, node, &iterable, scope, 0);
}

static lm_callable *new_macro(lm_interp *interp, const lm_node *node, lm_scope *scope, bool is_caller) {
    lm_callable *callable = lm_interp_alloc_array(interp, 1, sizeof *callable);
    if (!callable) return NULL;
    callable->name = "macro";
    callable->macro = node;
    callable->scope = scope;
    callable->is_caller = is_caller;
    return callable;
}

static bool exec_macro(lm_interp *interp, const lm_node *node, lm_scope *scope) {
    lm_variant value = {.kind = LM_VARIANT_CALLABLE, .as.callable = new_macro(interp, node, scope, false)};
    return value.as.callable && lm_scope_set(interp, scope, node->symbol, &value);
}

static bool exec_call_block(lm_interp *interp, const lm_node *node, lm_scope *scope) {
    lm_variant caller = {.kind = LM_VARIANT_CALLABLE, .as.callable = new_macro(interp, node->c, scope, true)}, result;
    return caller.as.callable && lm_call_node(interp, node->a, scope, &caller, &result) && emit(interp, &result);
}

static lm_flow exec_with(lm_interp *interp, const lm_node *node, lm_scope *scope) {
    lm_scope *inner = lm_scope_new(interp, scope);
    if (!inner) return LM_FLOW_FAILED;
    for (uint32_t i = 0; i < node->n_items; i += 2) {
        lm_variant value;
        if (!lm_eval(interp, node->items[i + 1], scope, &value) ||
            !lm_exec_assign(interp, node->items[i], &value, inner))
            return LM_FLOW_FAILED;
    }
    return lm_exec_body(interp, node->b, inner);
}

/* Statements that never change the flow. */
static bool exec_simple(lm_interp *interp, const lm_node *node, lm_scope *scope) {
    lm_variant value;
    switch ((lm_node_kind)node->kind) {
    case LM_NODE_TEXT: return lm_builder_bytes(interp->out, node->text.bytes, node->text.n, interp->item);
    case LM_NODE_OUTPUT: return lm_eval(interp, node->a, scope, &value) && emit(interp, &value);
    case LM_NODE_SET: return lm_eval(interp, node->a, scope, &value) && lm_exec_assign(interp, node->b, &value, scope);
    case LM_NODE_CAPTURE:
        return captured_value(interp, node->c, node->a, scope, &value) &&
               lm_exec_assign(interp, node->b, &value, scope);
    case LM_NODE_MACRO: return exec_macro(interp, node, scope);
    case LM_NODE_CALL_BLOCK: return exec_call_block(interp, node, scope);
    case LM_NODE_FILTER_BLOCK: return captured_value(interp, node->b, node->a, scope, &value) && emit(interp, &value);
    default: return lm_interp_fail(interp, "this cannot be executed");
    }
}

static lm_flow exec_statement(lm_interp *interp, const lm_node *node, lm_scope *scope) {
    switch ((lm_node_kind)node->kind) {
    case LM_NODE_IF: return exec_if(interp, node, scope);
    case LM_NODE_FOR: return exec_for(interp, node, scope);
    case LM_NODE_WITH: return exec_with(interp, node, scope);
    case LM_NODE_BREAK: return LM_FLOW_BREAK;
    case LM_NODE_CONTINUE: return LM_FLOW_CONTINUE;
    default: return exec_simple(interp, node, scope) ? LM_FLOW_NEXT : LM_FLOW_FAILED;
    }
}

lm_flow lm_exec_body(lm_interp *interp, const lm_node *body, lm_scope *scope) {
    lm_flow flow = LM_FLOW_NEXT;
    interp->offset = body->offset;
    if (!lm_interp_enter(interp)) return LM_FLOW_FAILED;
    for (uint32_t i = 0; i < body->n_items && flow == LM_FLOW_NEXT; i++) {
        interp->offset = body->items[i]->offset;
        if (!lm_interp_charge(interp, 1)) return LM_FLOW_FAILED;
        flow = exec_statement(interp, body->items[i], scope);
    }
    interp->depth--;
    return flow;
}
