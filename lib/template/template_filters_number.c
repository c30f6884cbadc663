/* SPDX-License-Identifier: MIT
 * Filters on numbers: conversion, absolute value, rounding. */
#include <math.h>

#include "../base/number.h"
#include "template_filters.h"
#include "template_number.h"

static bool truncate_to_integer(double value, int64_t *out) {
    if (!(value > -9.2233720368547758e18 && value < 9.2233720368547758e18)) return false;
    *out = (int64_t)value;
    return true;
}

static bool filter_int(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[2];
    int64_t base = 10, value;
    double number;
    if (!lm_arguments_bind(interp, arguments, "int", "default base", 0, slots) ||
        !lm_slot_integer(interp, &slots[1], "base", &base))
        return false;
    if (lm_variant_is_missing(self)) return lm_variant_fail_undefined(interp, self);
    *out = slots[0].kind == LM_VARIANT_ABSENT ? lm_variant_int(0) : slots[0];
    if (lm_variant_is_integer(self)) {
        *out = lm_variant_int(lm_variant_as_integer(self));
    } else if (self->kind == LM_VARIANT_FLOAT) {
        if (truncate_to_integer(self->as.number, &value)) *out = lm_variant_int(value);
    } else if (self->kind == LM_VARIANT_STRING) {
        lm_slice text = {self->as.text->bytes, self->as.text->n};
        if (base < 0 || base == 1 || base > 36) return true;
        if (lm_template_read_integer(text, (uint32_t)base, &value) ||
            (lm_template_read_float(text, &number) && truncate_to_integer(number, &value)))
            *out = lm_variant_int(value);
    }
    return true;
}

static bool filter_float(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slot;
    double number;
    if (!lm_arguments_bind(interp, arguments, "float", "default", 0, &slot)) return false;
    if (lm_variant_is_missing(self)) return lm_variant_fail_undefined(interp, self);
    *out = slot.kind == LM_VARIANT_ABSENT ? lm_variant_float(0) : slot;
    if (lm_variant_is_number(self))
        *out = lm_variant_float(lm_variant_as_double(self));
    else if (self->kind == LM_VARIANT_STRING &&
             lm_template_read_float((lm_slice){self->as.text->bytes, self->as.text->n}, &number))
        *out = lm_variant_float(number);
    return true;
}

static bool need_number(lm_interp *interp, const lm_variant *self) {
    if (lm_variant_is_number(self)) return true;
    if (lm_variant_is_missing(self)) return lm_variant_fail_undefined(interp, self);
    return lm_interp_fail(interp, "a number is needed, not '%s'", lm_variant_type(self));
}

static bool filter_abs(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant zero = lm_variant_int(0);
    if (!lm_arguments_bind(interp, arguments, "abs", "", 0, NULL) || !need_number(interp, self)) return false;
    if (self->kind == LM_VARIANT_FLOAT) {
        *out = lm_variant_float(fabs(self->as.number));
        return true;
    }
    bool negative = lm_variant_as_integer(self) < 0;
    return lm_eval_binary(interp, negative ? LM_OPERATOR_SUBTRACT : LM_OPERATOR_ADD, &zero, self, out);
}

static double power_of_ten(int64_t n) {
    double power = 1;
    for (; n > 0; n--) power *= 10;
    return power;
}

/* Round half to even at the digit 10^n of an integer. */
static int64_t round_integer(int64_t value, int64_t n) {
    if (n > 18) return 0;
    int64_t unit = 1;
    for (; n > 0; n--) unit *= 10;
    int64_t rest = value % unit, whole = value - rest;
    int64_t twice = rest < 0 ? -(rest + rest) : rest + rest;
    bool up = rest / (unit / 2 ? unit / 2 : 1) != 0 && (twice > unit || (twice == unit && whole / unit % 2 != 0));
    if (up && (rest < 0 ? whole < INT64_MIN + unit : whole > INT64_MAX - unit)) return whole;
    return up ? whole + (rest < 0 ? -unit : unit) : whole;
}

static bool filter_round(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[2], word;
    int64_t precision = 0;
    if (!lm_arguments_bind(interp, arguments, "round", "precision method", 0, slots) || !need_number(interp, self))
        return false;
    if (!lm_variant_word(interp, "common", &word)) return false;
    const lm_text *method = word.as.text;
    if (!lm_slot_integer(interp, &slots[0], "precision", &precision) ||
        !lm_slot_text(interp, &slots[1], "method", &method))
        return false;
    if (precision > 50 || precision < -50) return lm_interp_limit(interp, "round: the precision is out of range");
    bool ceiling = lm_text_is(method, "ceil");
    if (ceiling || lm_text_is(method, "floor")) {
        double scale = power_of_ten(precision < 0 ? -precision : precision), value = lm_variant_as_double(self);
        double scaled = precision < 0 ? value / scale : value * scale;
        scaled = ceiling ? ceil(scaled) : floor(scaled);
        *out = lm_variant_float(precision < 0 ? scaled * scale : scaled / scale);
        return true;
    }
    if (!lm_text_is(method, "common")) return lm_interp_fail(interp, "method must be common, ceil or floor");
    if (lm_variant_is_integer(self)) {
        int64_t value = lm_variant_as_integer(self);
        *out = lm_variant_int(precision >= 0 ? value : round_integer(value, -precision));
        return true;
    }
    double value = self->as.number;
    *out = *self;
    if (!isfinite(value)) return true;
    if (precision < 0) {
        double scale = power_of_ten(-precision);
        *out = lm_variant_float(rint(value / scale) * scale);
        return true;
    }
    char text[LM_FIXED_TEXT_MAX];
    size_t n = lm_template_fixed(value, (uint32_t)precision, text);
    double rounded;
    if (lm_number_to_double(text, n, &rounded)) *out = lm_variant_float(signbit(value) ? -rounded : rounded);
    return true;
}

const lm_native_entry lm_filters_number[] = {
    {"abs", filter_abs}, {"float", filter_float}, {"int", filter_int}, {"round", filter_round}, {NULL, NULL}};
