/* SPDX-License-Identifier: MIT
 * Expressions: one function for each shape of node, chosen by lm_eval. Recursion follows the tree and is counted. */

#include "template_interp.h"

static bool eval_name(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    const lm_variant *value = lm_scope_get(interp, scope, node->symbol);
    if (value) {
        *out = *value;
        return true;
    }
    const lm_text *name = lm_text_borrow(interp, node->text.bytes, node->text.n, LM_ORIGIN_TEMPLATE);
    return name && lm_variant_missing(interp, NULL, name, 0, out);
}

static bool eval_items(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_sequence *sequence = lm_sequence_new(interp, node->n_items);
    if (!sequence) return false;
    for (uint32_t i = 0; i < node->n_items; i++)
        if (!lm_eval(interp, node->items[i], scope, &sequence->items[sequence->count++])) return false;
    *out = lm_variant_sequence(node->kind == LM_NODE_LIST ? LM_VARIANT_LIST : LM_VARIANT_TUPLE, sequence);
    return true;
}

static bool eval_dict(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_dict *dict = lm_dict_new(interp);
    if (!dict) return false;
    for (uint32_t i = 0; i < node->n_items; i += 2) {
        lm_variant key, value;
        if (!lm_eval(interp, node->items[i], scope, &key) || !lm_eval(interp, node->items[i + 1], scope, &value) ||
            !lm_dict_set(interp, dict, &key, &value))
            return false;
    }
    *out = lm_variant_dict(dict);
    return true;
}

static bool eval_attribute(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_variant object;
    if (!lm_eval(interp, node->a, scope, &object)) return false;
    interp->offset = node->offset;
    const lm_text *name = lm_text_borrow(interp, node->text.bytes, node->text.n, LM_ORIGIN_TEMPLATE);
    return name && lm_variant_attribute(interp, &object, name, out);
}

static bool eval_index(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_variant object, key;
    if (!lm_eval(interp, node->a, scope, &object) || !lm_eval(interp, node->b, scope, &key)) return false;
    interp->offset = node->offset;
    return lm_variant_item(interp, &object, &key, out);
}

static bool eval_slice(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_variant object, parts[3];
    if (!lm_eval(interp, node->a, scope, &object)) return false;
    for (int i = 0; i < 3; i++) {
        parts[i] = lm_variant_none();
        if (node->items[i] && !lm_eval(interp, node->items[i], scope, &parts[i])) return false;
    }
    interp->offset = node->offset;
    if (node->a->kind > LM_NODE_STRING && node->a->kind <= LM_NODE_NONE) /* Jinja2 is more lenient with constants */
        return lm_variant_missing(interp, &object, NULL, 0, out);
    return lm_variant_slice(interp, &object, parts, out);
}

static bool eval_filter(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_variant object = {0};
    lm_arguments arguments;
    if (!lm_eval(interp, node->a, scope, &object) || !lm_eval_arguments(interp, node, scope, &arguments)) return false;
    interp->offset = node->offset;
    return lm_filter_apply(interp, node->text, &object, &arguments, out);
}

static bool eval_test(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_variant object;
    lm_arguments arguments;
    bool passes;
    if (!lm_eval(interp, node->a, scope, &object) || !lm_eval_arguments(interp, node, scope, &arguments)) return false;
    interp->offset = node->offset;
    if (!lm_test_apply(interp, node->text, &object, &arguments, &passes)) return false;
    *out = lm_variant_bool(passes);
    return true;
}

static bool eval_sign(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_variant value, zero = lm_variant_int(0);
    if (!lm_eval(interp, node->a, scope, &value)) return false;
    interp->offset = node->offset;
    if (lm_variant_is_missing(&value)) return lm_variant_fail_undefined(interp, &value);
    if (!lm_variant_is_number(&value))
        return lm_interp_fail(interp, "bad operand type for unary sign: '%s'", lm_variant_type(&value));
    if (value.kind == LM_VARIANT_FLOAT) {
        *out = lm_variant_float(node->kind == LM_NODE_NEGATE ? -value.as.number : value.as.number);
        return true;
    }
    return lm_eval_binary(interp, node->kind == LM_NODE_NEGATE ? LM_OPERATOR_SUBTRACT : LM_OPERATOR_ADD, &zero, &value,
                          out);
}

static bool eval_chain(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_variant left, right;
    if (!lm_eval(interp, node->a, scope, &left)) return false;
    for (uint32_t i = 0; i < node->n_items; i++) {
        if (!lm_eval(interp, node->items[i]->a, scope, &right)) return false;
        interp->offset = node->items[i]->offset;
        lm_variant result;
        if (!lm_eval_binary(interp, (lm_operator)node->items[i]->op, &left, &right, &result)) return false;
        left = result;
    }
    *out = left;
    return true;
}

static bool eval_concat(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    const lm_text *joined = NULL;
    for (uint32_t i = 0; i < node->n_items; i++) {
        lm_variant value;
        const lm_text *text;
        if (!lm_eval(interp, node->items[i], scope, &value) || !lm_variant_to_text(interp, &value, &text)) return false;
        joined = joined ? lm_text_concat(interp, joined, text) : text;
        if (!joined) return false;
    }
    *out = lm_variant_text(joined);
    return true;
}

static bool compare(lm_interp *interp, lm_operator op, const lm_variant *a, const lm_variant *b, bool *out) {
    static const char *const names[] = {"<", "<=", ">", ">="};
    int order;
    switch (op) {
    case LM_OPERATOR_EQUAL:
    case LM_OPERATOR_UNEQUAL:
        if (!lm_variant_equal(interp, a, b, out)) return false;
        *out = *out == (op == LM_OPERATOR_EQUAL);
        return true;
    case LM_OPERATOR_IN:
    case LM_OPERATOR_NOT_IN:
        if (!lm_variant_contains(interp, b, a, out)) return false;
        *out = *out == (op == LM_OPERATOR_IN);
        return true;
    default:
        if (!lm_variant_order(interp, a, b, names[op - LM_OPERATOR_LESS], &order)) return false;
        *out = op == LM_OPERATOR_LESS         ? order < 0
               : op == LM_OPERATOR_LESS_EQUAL ? order <= 0
               : op == LM_OPERATOR_GREATER    ? order > 0
                                              : order >= 0;
        return true;
    }
}

static bool eval_comparison(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    lm_variant left, right;
    bool holds = true;
    if (!lm_eval(interp, node->a, scope, &left)) return false;
    for (uint32_t i = 0; i < node->n_items && holds; i++) {
        if (!lm_eval(interp, node->items[i]->a, scope, &right)) return false;
        interp->offset = node->items[i]->offset;
        if (!compare(interp, (lm_operator)node->items[i]->op, &left, &right, &holds)) return false;
        left = right;
    }
    *out = lm_variant_bool(holds);
    return true;
}

static bool eval_logic(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    for (uint32_t i = 0; i < node->n_items; i++) {
        if (!lm_eval(interp, node->items[i], scope, out)) return false;
        if (lm_variant_truth(out) == (node->kind == LM_NODE_OR)) return true;
    }
    return true;
}

static bool eval_node(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    const lm_text *text;
    switch ((lm_node_kind)node->kind) {
    case LM_NODE_STRING:
        if (!(text = lm_text_borrow(interp, node->text.bytes, node->text.n, LM_ORIGIN_TEMPLATE))) return false;
        *out = lm_variant_text(text);
        return true;
    case LM_NODE_INTEGER: *out = lm_variant_int(node->integer); return true;
    case LM_NODE_FLOAT: *out = lm_variant_float(node->number); return true;
    case LM_NODE_TRUE: *out = lm_variant_bool(true); return true;
    case LM_NODE_FALSE: *out = lm_variant_bool(false); return true;
    case LM_NODE_NONE: *out = lm_variant_none(); return true;
    case LM_NODE_NAME: return eval_name(interp, node, scope, out);
    case LM_NODE_LIST:
    case LM_NODE_TUPLE: return eval_items(interp, node, scope, out);
    case LM_NODE_DICT: return eval_dict(interp, node, scope, out);
    case LM_NODE_ATTRIBUTE: return eval_attribute(interp, node, scope, out);
    case LM_NODE_INDEX: return eval_index(interp, node, scope, out);
    case LM_NODE_SLICE: return eval_slice(interp, node, scope, out);
    case LM_NODE_CALL: return lm_call_node(interp, node, scope, NULL, out);
    case LM_NODE_FILTER: return eval_filter(interp, node, scope, out);
    case LM_NODE_TEST: return eval_test(interp, node, scope, out);
    case LM_NODE_NOT:
        if (!lm_eval(interp, node->a, scope, out)) return false;
        *out = lm_variant_bool(!lm_variant_truth(out));
        return true;
    case LM_NODE_NEGATE:
    case LM_NODE_PLUS: return eval_sign(interp, node, scope, out);
    case LM_NODE_BINARY: return eval_chain(interp, node, scope, out);
    case LM_NODE_CONCAT: return eval_concat(interp, node, scope, out);
    case LM_NODE_COMPARE: return eval_comparison(interp, node, scope, out);
    case LM_NODE_AND:
    case LM_NODE_OR: return eval_logic(interp, node, scope, out);
    case LM_NODE_CONDITIONAL:
        if (!lm_eval(interp, node->a, scope, out)) return false;
        if (lm_variant_truth(out)) return lm_eval(interp, node->b, scope, out);
        if (node->c) return lm_eval(interp, node->c, scope, out);
        *out = lm_variant_undefined();
        return true;
    default: return lm_interp_fail(interp, "this cannot be evaluated");
    }
}

bool lm_eval(lm_interp *interp, const lm_node *node, lm_scope *scope, lm_variant *out) {
    interp->offset = node->offset;
    if (!lm_interp_charge(interp, 1) || !lm_interp_enter(interp)) return false;
    bool done = eval_node(interp, node, scope, out);
    interp->depth--;
    return done;
}
