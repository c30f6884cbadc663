/* SPDX-License-Identifier: MIT
 * Tests: "x is defined" and the like. */
#include "../base/utf8.h"
#include "template_filters.h"
#include "template_strings.h"

#define TEST(name)                                                                                                     \
    static bool name(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out)

static bool give(lm_interp *interp, const lm_arguments *arguments, const char *name, bool result, lm_variant *out) {
    *out = lm_variant_bool(result);
    return lm_arguments_bind(interp, arguments, name, "", 0, NULL);
}

TEST(test_defined) { return give(interp, arguments, "defined", !lm_variant_is_missing(self), out); }
TEST(test_undefined) { return give(interp, arguments, "undefined", lm_variant_is_missing(self), out); }
TEST(test_none) { return give(interp, arguments, "none", self->kind == LM_VARIANT_NONE, out); }
TEST(test_boolean) { return give(interp, arguments, "boolean", self->kind == LM_VARIANT_BOOL, out); }
TEST(test_true) { return give(interp, arguments, "true", self->kind == LM_VARIANT_BOOL && self->as.boolean, out); }
TEST(test_false) { return give(interp, arguments, "false", self->kind == LM_VARIANT_BOOL && !self->as.boolean, out); }
TEST(test_integer) { return give(interp, arguments, "integer", self->kind == LM_VARIANT_INT, out); }
TEST(test_float) { return give(interp, arguments, "float", self->kind == LM_VARIANT_FLOAT, out); }
TEST(test_number) { return give(interp, arguments, "number", lm_variant_is_number(self), out); }
TEST(test_string) { return give(interp, arguments, "string", self->kind == LM_VARIANT_STRING, out); }
TEST(test_mapping) { return give(interp, arguments, "mapping", self->kind == LM_VARIANT_DICT, out); }
TEST(test_escaped) { return give(interp, arguments, "escaped", self->kind == LM_VARIANT_STRING && self->escaped, out); }

TEST(test_callable) {
    bool callable = self->kind == LM_VARIANT_CALLABLE || self->kind == LM_VARIANT_LOOP;
    return give(interp, arguments, "callable", callable, out);
}

TEST(test_iterable) {
    bool iterable = self->kind == LM_VARIANT_UNDEFINED ||
                    (self->kind >= LM_VARIANT_STRING && self->kind <= LM_VARIANT_DICT) || self->kind == LM_VARIANT_LOOP;
    return give(interp, arguments, "iterable", iterable, out);
}

TEST(test_sequence) {
    bool sequence = self->kind == LM_VARIANT_UNDEFINED ||
                    (self->kind >= LM_VARIANT_STRING && self->kind <= LM_VARIANT_RANGE) ||
                    self->kind == LM_VARIANT_DICT;
    return give(interp, arguments, "sequence", sequence, out);
}

/* self modulo n compared with wanted */
static bool divides(lm_interp *interp, const lm_variant *self, const lm_variant *n, int64_t wanted, lm_variant *out) {
    lm_variant rest, expected = lm_variant_int(wanted);
    bool equal;
    if (!lm_eval_binary(interp, LM_OPERATOR_MODULO, self, n, &rest) ||
        !lm_variant_equal(interp, &rest, &expected, &equal))
        return false;
    *out = lm_variant_bool(equal);
    return true;
}

TEST(test_odd) {
    lm_variant two = lm_variant_int(2);
    return lm_arguments_bind(interp, arguments, "odd", "", 0, NULL) && divides(interp, self, &two, 1, out);
}

TEST(test_even) {
    lm_variant two = lm_variant_int(2);
    return lm_arguments_bind(interp, arguments, "even", "", 0, NULL) && divides(interp, self, &two, 0, out);
}

TEST(test_divisibleby) {
    lm_variant slot;
    return lm_arguments_bind(interp, arguments, "divisibleby", "num", 1, &slot) && divides(interp, self, &slot, 0, out);
}

static bool equality(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool wanted,
                     lm_variant *out) {
    lm_variant slot;
    bool equal;
    if (!lm_arguments_bind(interp, arguments, "eq", "other", 1, &slot) ||
        !lm_variant_equal(interp, self, &slot, &equal))
        return false;
    *out = lm_variant_bool(equal == wanted);
    return true;
}

TEST(test_eq) { return equality(interp, self, arguments, true, out); }
TEST(test_ne) { return equality(interp, self, arguments, false, out); }

/* accepted: bit 0 for less, bit 1 for equal, bit 2 for greater */
static bool order(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, const char *name,
                  unsigned accepted, lm_variant *out) {
    lm_variant slot;
    int sign;
    if (!lm_arguments_bind(interp, arguments, name, "other", 1, &slot) ||
        !lm_variant_order(interp, self, &slot, name, &sign))
        return false;
    *out = lm_variant_bool(accepted >> (sign < 0 ? 0 : sign == 0 ? 1 : 2) & 1);
    return true;
}

TEST(test_lt) { return order(interp, self, arguments, "<", 1, out); }
TEST(test_le) { return order(interp, self, arguments, "<=", 3, out); }
TEST(test_gt) { return order(interp, self, arguments, ">", 4, out); }
TEST(test_ge) { return order(interp, self, arguments, ">=", 6, out); }

TEST(test_in) {
    lm_variant slot;
    bool contains;
    if (!lm_arguments_bind(interp, arguments, "in", "seq", 1, &slot) ||
        !lm_variant_contains(interp, &slot, self, &contains))
        return false;
    *out = lm_variant_bool(contains);
    return true;
}

TEST(test_sameas) {
    lm_variant slot;
    bool equal = false;
    if (!lm_arguments_bind(interp, arguments, "sameas", "other", 1, &slot)) return false;
    if (slot.kind == self->kind) {
        if (self->kind >= LM_VARIANT_LIST)
            equal = self->as.sequence == slot.as.sequence;
        else if (!lm_variant_equal(interp, self, &slot, &equal))
            return false;
    }
    *out = lm_variant_bool(equal);
    return true;
}

/* Whether a string has letters with case, all of them the wanted one. */
static bool has_case(lm_interp *interp, const lm_variant *self, bool upper, lm_variant *out) {
    const lm_text *text;
    bool any = false, other = false;
    if (!lm_variant_to_text(interp, self, &text) || !lm_interp_charge(interp, text->n / 8)) return false;
    for (size_t pos = 0; pos < text->n;) {
        uint32_t code;
        pos += lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
        bool is_upper = lm_letter_is_upper(code), is_lower = lm_letter_is_lower(code);
        if (upper ? is_upper : is_lower) any = true;
        if (upper ? is_lower : is_upper) other = true;
    }
    *out = lm_variant_bool(any && !other);
    return true;
}

TEST(test_upper) {
    return lm_arguments_bind(interp, arguments, "upper", "", 0, NULL) && has_case(interp, self, true, out);
}
TEST(test_lower) {
    return lm_arguments_bind(interp, arguments, "lower", "", 0, NULL) && has_case(interp, self, false, out);
}

TEST(test_filter) {
    bool known = self->kind == LM_VARIANT_STRING && lm_filter_find((lm_slice){self->as.text->bytes, self->as.text->n});
    return give(interp, arguments, "filter", known, out);
}

TEST(test_test) {
    bool known = self->kind == LM_VARIANT_STRING && lm_test_find((lm_slice){self->as.text->bytes, self->as.text->n});
    return give(interp, arguments, "test", known, out);
}

const lm_native_entry lm_tests[] = {{"!=", test_ne},
                                    {"<", test_lt},
                                    {"<=", test_le},
                                    {"==", test_eq},
                                    {">", test_gt},
                                    {">=", test_ge},
                                    {"boolean", test_boolean},
                                    {"callable", test_callable},
                                    {"defined", test_defined},
                                    {"divisibleby", test_divisibleby},
                                    {"eq", test_eq},
                                    {"equalto", test_eq},
                                    {"escaped", test_escaped},
                                    {"even", test_even},
                                    {"false", test_false},
                                    {"filter", test_filter},
                                    {"float", test_float},
                                    {"ge", test_ge},
                                    {"greaterthan", test_gt},
                                    {"gt", test_gt},
                                    {"in", test_in},
                                    {"integer", test_integer},
                                    {"iterable", test_iterable},
                                    {"le", test_le},
                                    {"lessthan", test_lt},
                                    {"lower", test_lower},
                                    {"lt", test_lt},
                                    {"mapping", test_mapping},
                                    {"ne", test_ne},
                                    {"none", test_none},
                                    {"number", test_number},
                                    {"odd", test_odd},
                                    {"sameas", test_sameas},
                                    {"sequence", test_sequence},
                                    {"string", test_string},
                                    {"test", test_test},
                                    {"true", test_true},
                                    {"undefined", test_undefined},
                                    {"upper", test_upper},
                                    {NULL, NULL}};
