/* SPDX-License-Identifier: MIT
 * Arithmetic between two values, as Python does it on integers of 64 bits, floats, strings and lists. What Python would
 * continue with longer integers fails here. */
#include <math.h>

#include "template_format.h"
#include "template_interp.h"

static bool too_large(lm_interp *interp) { return lm_interp_limit(interp, "an integer does not fit 64 bits"); }

static bool multiply_checked(int64_t a, int64_t b, int64_t *out) {
    if (a == 0 || b == 0) {
        *out = 0;
        return true;
    }
    bool negative = (a < 0) != (b < 0);
    uint64_t x = a < 0 ? 0 - (uint64_t)a : (uint64_t)a, y = b < 0 ? 0 - (uint64_t)b : (uint64_t)b;
    if (x > ((uint64_t)INT64_MAX + negative) / y) return false;
    *out = negative ? (int64_t)(0 - x * y) : (int64_t)(x * y);
    return true;
}

static bool power(lm_interp *interp, int64_t base, int64_t exponent, lm_variant *out) {
    int64_t result = 1;
    if (exponent < 0) {
        if (base == 0) return lm_interp_fail(interp, "zero cannot be raised to a negative power");
        *out = lm_variant_float(pow((double)base, (double)exponent));
        return true;
    }
    while (exponent) {
        if (exponent & 1 && !multiply_checked(result, base, &result)) return too_large(interp);
        exponent >>= 1;
        if (exponent && !multiply_checked(base, base, &base)) return too_large(interp);
    }
    *out = lm_variant_int(result);
    return true;
}

static bool integers(lm_interp *interp, lm_operator op, int64_t a, int64_t b, lm_variant *out) {
    int64_t result = 0;
    if (b == 0 && (op == LM_OPERATOR_DIVIDE || op == LM_OPERATOR_FLOOR_DIVIDE || op == LM_OPERATOR_MODULO))
        return lm_interp_fail(interp, "division by zero");
    switch (op) {
    case LM_OPERATOR_ADD:
        if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b) return too_large(interp);
        result = a + b;
        break;
    case LM_OPERATOR_SUBTRACT:
        if (b < 0 ? a > INT64_MAX + b : a < INT64_MIN + b) return too_large(interp);
        result = a - b;
        break;
    case LM_OPERATOR_MULTIPLY:
        if (!multiply_checked(a, b, &result)) return too_large(interp);
        break;
    case LM_OPERATOR_DIVIDE: *out = lm_variant_float((double)a / (double)b); return true;
    case LM_OPERATOR_POWER: return power(interp, a, b, out);
    default: {
        if (b == -1) { /* INT64_MIN / -1 overflows */
            if (op == LM_OPERATOR_FLOOR_DIVIDE && a == INT64_MIN) return too_large(interp);
            result = op == LM_OPERATOR_FLOOR_DIVIDE ? -a : 0;
            break;
        }
        int64_t quotient = a / b, rest = a % b;
        bool below = rest != 0 && (rest < 0) != (b < 0);
        result = op == LM_OPERATOR_FLOOR_DIVIDE ? quotient - below : below ? rest + b : rest;
        break;
    }
    }
    *out = lm_variant_int(result);
    return true;
}

static bool floats(lm_interp *interp, lm_operator op, double a, double b, lm_variant *out) {
    double result;
    if (b == 0 && (op == LM_OPERATOR_DIVIDE || op == LM_OPERATOR_FLOOR_DIVIDE || op == LM_OPERATOR_MODULO))
        return lm_interp_fail(interp, "division by zero");
    switch (op) {
    case LM_OPERATOR_ADD: result = a + b; break;
    case LM_OPERATOR_SUBTRACT: result = a - b; break;
    case LM_OPERATOR_MULTIPLY: result = a * b; break;
    case LM_OPERATOR_DIVIDE: result = a / b; break;
    case LM_OPERATOR_POWER:
        result = pow(a, b);
        /* Python raises an error where the result is none of the reals or too large. */
        if (isfinite(a) && isfinite(b) && !isfinite(result))
            return lm_interp_fail(interp, "the power of two numbers is not a number that fits");
        break;
    default: {
        double rest = fmod(a, b);
        if (rest != 0 && (rest < 0) != (b < 0))
            rest += b;
        else if (rest == 0)
            rest = copysign(0.0, b);
        result = op == LM_OPERATOR_MODULO ? rest : floor((a - rest) / b + 0.5);
        break;
    }
    }
    *out = lm_variant_float(result);
    return true;
}

static bool repeat(lm_interp *interp, const lm_variant *value, int64_t times, lm_variant *out) {
    if (times < 0) times = 0;
    if (value->kind == LM_VARIANT_STRING) {
        lm_text_builder *builder = lm_builder_new(interp);
        if (!builder) return false;
        if (value->as.text->n == 0) times = 0;
        for (int64_t i = 0; i < times; i++)
            if (!lm_interp_charge(interp, 1) || !lm_builder_text(builder, value->as.text)) return false;
        const lm_text *text = lm_builder_finish(builder);
        if (text) *out = lm_variant_text(text);
        return text != NULL;
    }
    lm_sequence *sequence = lm_sequence_new(interp, 0);
    if (!sequence) return false;
    if (value->as.sequence->count == 0) times = 0;
    for (int64_t i = 0; i < times; i++) {
        if (!lm_interp_charge(interp, 1 + value->as.sequence->count / 4)) return false;
        for (size_t j = 0; j < value->as.sequence->count; j++)
            if (!lm_sequence_push(interp, sequence, value->as.sequence->items[j])) return false;
    }
    *out = lm_variant_sequence((lm_variant_kind)value->kind, sequence);
    return true;
}

static bool join_sequences(lm_interp *interp, const lm_variant *a, const lm_variant *b, lm_variant *out) {
    const lm_sequence *x = a->as.sequence, *y = b->as.sequence;
    lm_sequence *sequence = lm_sequence_new(interp, x->count + y->count);
    if (!sequence || !lm_interp_charge(interp, (x->count + y->count) / 4)) return false;
    for (size_t i = 0; i < x->count; i++) sequence->items[sequence->count++] = x->items[i];
    for (size_t i = 0; i < y->count; i++) sequence->items[sequence->count++] = y->items[i];
    *out = lm_variant_sequence((lm_variant_kind)a->kind, sequence);
    return true;
}

static bool add_texts(lm_interp *interp, const lm_variant *a, const lm_variant *b, lm_variant *out) {
    lm_variant left = *a, right = *b;
    /* A string marked as escaped escapes what is added to it. */
    if (left.escaped && !right.escaped && !lm_text_escape(interp, &right, &right)) return false;
    if (right.escaped && !left.escaped && !lm_text_escape(interp, &left, &left)) return false;
    const lm_text *text = lm_text_concat(interp, left.as.text, right.as.text);
    if (!text) return false;
    *out = lm_variant_text(text);
    out->escaped = left.escaped;
    return true;
}

bool lm_eval_binary(lm_interp *interp, lm_operator op, const lm_variant *a, const lm_variant *b, lm_variant *out) {
    static const char *const names[] = {"+", "-", "*", "/", "//", "%", "**"};
    if (lm_variant_is_missing(a)) return lm_variant_fail_undefined(interp, a);
    if (a->kind == LM_VARIANT_STRING && op == LM_OPERATOR_MODULO) return lm_text_percent(interp, a->as.text, b, out);
    if (lm_variant_is_missing(b)) return lm_variant_fail_undefined(interp, b);
    if (lm_variant_is_integer(a) && lm_variant_is_integer(b))
        return integers(interp, op, lm_variant_as_integer(a), lm_variant_as_integer(b), out);
    if (lm_variant_is_number(a) && lm_variant_is_number(b))
        return floats(interp, op, lm_variant_as_double(a), lm_variant_as_double(b), out);
    bool list_a = a->kind == LM_VARIANT_LIST || a->kind == LM_VARIANT_TUPLE,
         list_b = b->kind == LM_VARIANT_LIST || b->kind == LM_VARIANT_TUPLE;
    if (op == LM_OPERATOR_ADD) {
        if (a->kind == LM_VARIANT_STRING && b->kind == LM_VARIANT_STRING) return add_texts(interp, a, b, out);
        if (list_a && a->kind == b->kind) return join_sequences(interp, a, b, out);
        if (a->kind == LM_VARIANT_STRING)
            return lm_interp_fail(interp, "can only concatenate str (not \"%s\") to str", lm_variant_type(b));
    }
    if (op == LM_OPERATOR_MULTIPLY) {
        if ((a->kind == LM_VARIANT_STRING || list_a) && lm_variant_is_integer(b))
            return repeat(interp, a, lm_variant_as_integer(b), out);
        if ((b->kind == LM_VARIANT_STRING || list_b) && lm_variant_is_integer(a))
            return repeat(interp, b, lm_variant_as_integer(a), out);
    }
    return lm_interp_fail(interp, "unsupported operand type(s) for %s: '%s' and '%s'", names[op], lm_variant_type(a),
                          lm_variant_type(b));
}
