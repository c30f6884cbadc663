/* SPDX-License-Identifier: MIT
 * Methods of strings, with Python's names and rules. */
#include <string.h>

#include "../base/utf8.h"
#include "template_format.h"
#include "template_lexer.h"
#include "template_methods.h"
#include "template_strings.h"

#define METHOD(name)                                                                                                   \
    static bool name(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out)

static bool give(const lm_text *text, lm_variant *out) {
    if (text) *out = lm_variant_text(text);
    return text != NULL;
}

static bool give_list(lm_sequence *list, lm_variant *out) {
    if (list) *out = lm_variant_sequence(LM_VARIANT_LIST, list);
    return list != NULL;
}

static bool none(lm_interp *interp, const lm_arguments *arguments, const char *name) {
    return lm_arguments_bind(interp, arguments, name, "", 0, NULL);
}

static bool split(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool from_right,
                  lm_variant *out) {
    lm_variant slots[2];
    const lm_text *separator = NULL;
    int64_t limit = -1;
    if (!lm_arguments_bind(interp, arguments, "split", "sep maxsplit", 0, slots)) return false;
    if (slots[0].kind != LM_VARIANT_NONE && !lm_slot_text(interp, &slots[0], "the separator", &separator)) return false;
    if (!lm_slot_integer(interp, &slots[1], "maxsplit", &limit)) return false;
    return give_list(lm_string_split(interp, self->as.text, separator, limit, from_right), out);
}

METHOD(text_split) { return split(interp, self, arguments, false, out); }
METHOD(text_rsplit) { return split(interp, self, arguments, true, out); }

METHOD(text_splitlines) {
    lm_variant slot;
    if (!lm_arguments_bind(interp, arguments, "splitlines", "keepends", 0, &slot)) return false;
    return give_list(lm_string_lines(interp, self->as.text, slot.kind != LM_VARIANT_ABSENT && lm_variant_truth(&slot)),
                     out);
}

static bool strip(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool left, bool right,
                  lm_variant *out) {
    lm_variant slot;
    const lm_text *chars = NULL;
    if (!lm_arguments_bind(interp, arguments, "strip", "chars", 0, &slot)) return false;
    if (slot.kind != LM_VARIANT_NONE && !lm_slot_text(interp, &slot, "strip arg", &chars)) return false;
    return give(lm_string_strip(interp, self->as.text, chars, left, right), out);
}

METHOD(text_strip) { return strip(interp, self, arguments, true, true, out); }
METHOD(text_lstrip) { return strip(interp, self, arguments, true, false, out); }
METHOD(text_rstrip) { return strip(interp, self, arguments, false, true, out); }

METHOD(text_replace) {
    lm_variant slots[3];
    const lm_text *from = NULL, *to = NULL;
    int64_t limit = -1;
    if (!lm_arguments_bind(interp, arguments, "replace", "old new count", 2, slots)) return false;
    if (!lm_slot_text(interp, &slots[0], "replace() argument 1", &from) ||
        !lm_slot_text(interp, &slots[1], "replace() argument 2", &to) ||
        !lm_slot_integer(interp, &slots[2], "count", &limit))
        return false;
    return give(lm_string_replace(interp, self->as.text, from, to, limit), out);
}

METHOD(text_upper) {
    return none(interp, arguments, "upper") && give(lm_string_case(interp, self->as.text, LM_CASE_UPPER), out);
}
METHOD(text_lower) {
    return none(interp, arguments, "lower") && give(lm_string_case(interp, self->as.text, LM_CASE_LOWER), out);
}
METHOD(text_capitalize) {
    return none(interp, arguments, "capitalize") && give(lm_string_capitalize(interp, self->as.text), out);
}
METHOD(text_title) { return none(interp, arguments, "title") && give(lm_string_title(interp, self->as.text), out); }

METHOD(text_swapcase) {
    lm_text_builder *builder = lm_builder_new(interp);
    const lm_text *text = self->as.text;
    if (!builder || !none(interp, arguments, "swapcase") || !lm_interp_charge(interp, text->n / 4)) return false;
    for (size_t pos = 0; pos < text->n;) {
        uint32_t code;
        size_t size = lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code), run_end;
        char converted[LM_CASE_BYTES_MAX];
        lm_origin origin = lm_text_origin(text, pos, &run_end);
        size_t n = lm_letter_case(code, lm_letter_is_upper(code) ? LM_CASE_LOWER : LM_CASE_UPPER, converted);
        if (!lm_builder_bytes(builder, converted, n, origin)) return false;
        pos += size;
    }
    return give(lm_builder_finish(builder), out);
}

METHOD(text_format) { return lm_text_brace(interp, self->as.text, arguments, out); }

METHOD(text_join) {
    lm_variant slot;
    const lm_sequence *parts;
    if (!lm_arguments_bind(interp, arguments, "join", "iterable", 1, &slot) ||
        !lm_variant_iterate(interp, &slot, &parts))
        return false;
    for (size_t i = 0; i < parts->count; i++)
        if (parts->items[i].kind != LM_VARIANT_STRING)
            return lm_interp_fail(interp, "sequence item %zu: expected str instance, %s found", i,
                                  lm_variant_type(&parts->items[i]));
    return give(lm_string_join(interp, self->as.text, parts), out);
}

/* Whether text has affix at its start or end. */
static bool has_affix(const lm_text *text, const lm_text *affix, bool at_end) {
    return affix->n <= text->n &&
           (affix->n == 0 || memcmp(text->bytes + (at_end ? text->n - affix->n : 0), affix->bytes, affix->n) == 0);
}

/* The part of self between optional start and end, which count characters. */
static bool window(lm_interp *interp, const lm_variant *self, const lm_variant *start, const lm_variant *end,
                   size_t *from, size_t *to) {
    int64_t n = (int64_t)lm_text_chars(self->as.text), bounds[2] = {0, n};
    const lm_variant *slots[2] = {start, end};
    for (int i = 0; i < 2; i++) {
        if (slots[i]->kind != LM_VARIANT_NONE && !lm_slot_integer(interp, slots[i], "an index", &bounds[i]))
            return false;
        if (bounds[i] < 0) bounds[i] = bounds[i] < -n ? 0 : bounds[i] + n;
        if (bounds[i] > n) bounds[i] = n;
    }
    if (!lm_interp_charge(interp, self->as.text->n / 16)) return false;
    *from = lm_text_offset(self->as.text, (size_t)bounds[0]);
    *to = lm_text_offset(self->as.text, (size_t)bounds[1]);
    return true;
}

static bool affix_test(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool at_end,
                       lm_variant *out) {
    lm_variant slots[3];
    size_t from, to;
    if (!lm_arguments_bind(interp, arguments, at_end ? "endswith" : "startswith", "prefix start end", 1, slots))
        return false;
    if (!window(interp, self, &slots[1], &slots[2], &from, &to)) return false;
    const lm_text *text = from <= to ? lm_text_slice(interp, self->as.text, from, to) : NULL;
    if (from <= to && !text) return false;
    *out = lm_variant_bool(false);
    if (slots[0].kind == LM_VARIANT_TUPLE) {
        const lm_sequence *affixes = slots[0].as.sequence;
        for (size_t i = 0; i < affixes->count; i++) {
            if (affixes->items[i].kind != LM_VARIANT_STRING) return lm_interp_fail(interp, "a tuple of str is needed");
            if (text && has_affix(text, affixes->items[i].as.text, at_end)) *out = lm_variant_bool(true);
        }
        return true;
    }
    const lm_text *affix = NULL;
    if (!lm_slot_text(interp, &slots[0], "the first argument", &affix)) return false;
    *out = lm_variant_bool(text && has_affix(text, affix, at_end));
    return true;
}

METHOD(text_startswith) { return affix_test(interp, self, arguments, false, out); }
METHOD(text_endswith) { return affix_test(interp, self, arguments, true, out); }

static bool remove_affix(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool at_end,
                         lm_variant *out) {
    lm_variant slot;
    const lm_text *affix = NULL, *text = self->as.text;
    if (!lm_arguments_bind(interp, arguments, "removeprefix", "affix", 1, &slot) ||
        !lm_slot_text(interp, &slot, "the affix", &affix))
        return false;
    if (!has_affix(text, affix, at_end)) return give(text, out);
    return give(lm_text_slice(interp, text, at_end ? 0 : affix->n, at_end ? text->n - affix->n : text->n), out);
}

METHOD(text_removeprefix) { return remove_affix(interp, self, arguments, false, out); }
METHOD(text_removesuffix) { return remove_affix(interp, self, arguments, true, out); }

static bool find(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool last, bool must,
                 lm_variant *out) {
    lm_variant slots[3];
    const lm_text *needle = NULL;
    size_t from, to, found = SIZE_MAX;
    if (!lm_arguments_bind(interp, arguments, "find", "sub start end", 1, slots) ||
        !lm_slot_text(interp, &slots[0], "the substring", &needle))
        return false;
    if (!window(interp, self, &slots[1], &slots[2], &from, &to)) return false;
    if (from <= to) {
        const lm_text *part = lm_text_slice(interp, self->as.text, 0, to);
        if (!part) return false;
        found = last ? lm_text_find_last(part, needle, to) : lm_text_find(part, needle, from);
        if (found != SIZE_MAX && found < from) found = SIZE_MAX;
    }
    if (found == SIZE_MAX && must) return lm_interp_fail(interp, "substring not found");
    *out = lm_variant_int(found == SIZE_MAX ? -1 : (int64_t)lm_text_index(self->as.text, found));
    return true;
}

METHOD(text_find) { return find(interp, self, arguments, false, false, out); }
METHOD(text_rfind) { return find(interp, self, arguments, true, false, out); }
METHOD(text_index) { return find(interp, self, arguments, false, true, out); }
METHOD(text_rindex) { return find(interp, self, arguments, true, true, out); }

METHOD(text_count) {
    lm_variant slots[3];
    const lm_text *needle = NULL;
    size_t from, to;
    int64_t count = 0;
    if (!lm_arguments_bind(interp, arguments, "count", "sub start end", 1, slots) ||
        !lm_slot_text(interp, &slots[0], "the substring", &needle))
        return false;
    if (!window(interp, self, &slots[1], &slots[2], &from, &to)) return false;
    const lm_text *part = from <= to ? lm_text_slice(interp, self->as.text, from, to) : NULL;
    if (from <= to && !part) return false;
    if (part && needle->n == 0)
        count = (int64_t)lm_text_chars(part) + 1;
    else if (part) {
        for (size_t pos = 0; (pos = lm_text_find(part, needle, pos)) != SIZE_MAX; pos += needle->n)
            if (!lm_interp_charge(interp, 1))
                return false;
            else
                count++;
    }
    *out = lm_variant_int(count);
    return true;
}

static bool partition(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool last,
                      lm_variant *out) {
    lm_variant slot;
    const lm_text *separator = NULL, *text = self->as.text, *parts[3];
    lm_sequence *tuple = lm_sequence_new(interp, 3);
    if (!tuple || !lm_arguments_bind(interp, arguments, "partition", "sep", 1, &slot) ||
        !lm_slot_text(interp, &slot, "the separator", &separator))
        return false;
    if (separator->n == 0) return lm_interp_fail(interp, "empty separator");
    size_t found = last ? lm_text_find_last(text, separator, text->n) : lm_text_find(text, separator, 0);
    size_t from = found == SIZE_MAX ? (last ? 0 : text->n) : found,
           to = found == SIZE_MAX ? from : found + separator->n;
    parts[0] = lm_text_slice(interp, text, 0, from);
    parts[1] = lm_text_slice(interp, text, from, to);
    parts[2] = lm_text_slice(interp, text, to, text->n);
    for (int i = 0; i < 3; i++) {
        if (!parts[i]) return false;
        tuple->items[tuple->count++] = lm_variant_text(parts[i]);
    }
    *out = lm_variant_sequence(LM_VARIANT_TUPLE, tuple);
    return true;
}

METHOD(text_partition) { return partition(interp, self, arguments, false, out); }
METHOD(text_rpartition) { return partition(interp, self, arguments, true, out); }

static bool justify(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, char side,
                    lm_variant *out) {
    lm_variant slots[2], space;
    int64_t width = 0;
    if (!lm_arguments_bind(interp, arguments, "just", "width fillchar", 1, slots) ||
        !lm_variant_word(interp, " ", &space))
        return false;
    const lm_text *fill = space.as.text;
    if (!lm_slot_integer(interp, &slots[0], "width", &width) || !lm_slot_text(interp, &slots[1], "fillchar", &fill))
        return false;
    if (lm_text_chars(fill) != 1)
        return lm_interp_fail(interp, "the fill character must be exactly one character long");
    int64_t n = (int64_t)lm_text_chars(self->as.text), missing = width > n ? width - n : 0;
    int64_t left = side == '<' ? 0 : side == '>' ? missing : missing / 2 + (missing & width & 1);
    return give(lm_string_pad(interp, self->as.text, (size_t)left, (size_t)(missing - left), fill->bytes, fill->n),
                out);
}

METHOD(text_ljust) { return justify(interp, self, arguments, '<', out); }
METHOD(text_rjust) { return justify(interp, self, arguments, '>', out); }
METHOD(text_center) { return justify(interp, self, arguments, '^', out); }

METHOD(text_zfill) {
    lm_variant slot;
    int64_t width = 0;
    const lm_text *text = self->as.text;
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder || !lm_arguments_bind(interp, arguments, "zfill", "width", 1, &slot) ||
        !lm_slot_integer(interp, &slot, "width", &width))
        return false;
    int64_t missing = width - (int64_t)lm_text_chars(text);
    size_t sign = text->n && (text->bytes[0] == '-' || text->bytes[0] == '+');
    return lm_builder_slice(builder, text, 0, sign) &&
           lm_builder_fill(builder, '0', missing > 0 ? (size_t)missing : 0) &&
           lm_builder_slice(builder, text, sign, text->n) && give(lm_builder_finish(builder), out);
}

METHOD(text_expandtabs) {
    lm_variant slot;
    int64_t width = 8;
    const lm_text *text = self->as.text;
    lm_text_builder *builder = lm_builder_new(interp);
    size_t column = 0;
    if (!builder || !lm_arguments_bind(interp, arguments, "expandtabs", "tabsize", 0, &slot) ||
        !lm_slot_integer(interp, &slot, "tabsize", &width))
        return false;
    for (size_t pos = 0; pos < text->n;) {
        size_t size = lm_text_char_size(text, pos);
        if (text->bytes[pos] == '\t') {
            size_t n = width > 0 ? (size_t)width - column % (size_t)width : 0;
            if (!lm_builder_fill(builder, ' ', n)) return false;
            column += n;
        } else {
            if (!lm_builder_slice(builder, text, pos, pos + size)) return false;
            column = text->bytes[pos] == '\n' || text->bytes[pos] == '\r' ? 0 : column + 1;
        }
        pos += size;
    }
    return give(lm_builder_finish(builder), out);
}

/* Whether there is a character and every one has the property. */
static bool all_of(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, bool (*has)(uint32_t),
                   lm_variant *out) {
    const lm_text *text = self->as.text;
    bool all = text->n > 0;
    if (!none(interp, arguments, "is...") || !lm_interp_charge(interp, text->n / 8)) return false;
    for (size_t pos = 0; pos < text->n && all;) {
        uint32_t code;
        pos += lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
        all = has(code);
    }
    *out = lm_variant_bool(all);
    return true;
}

static bool is_alphanumeric(uint32_t code) { return lm_letter_is_alpha(code) || lm_letter_is_numeric(code); }
static bool is_ascii(uint32_t code) { return code < 128; }

static bool is_space(uint32_t code) {
    char bytes[4];
    size_t n = lm_utf8_encode(code, bytes);
    return lm_space_at_start(bytes, n) > 0;
}

METHOD(text_isdigit) { return all_of(interp, self, arguments, lm_letter_is_digit, out); }
METHOD(text_isnumeric) { return all_of(interp, self, arguments, lm_letter_is_numeric, out); }
METHOD(text_isalpha) { return all_of(interp, self, arguments, lm_letter_is_alpha, out); }
METHOD(text_isalnum) { return all_of(interp, self, arguments, is_alphanumeric, out); }
METHOD(text_isspace) { return all_of(interp, self, arguments, is_space, out); }

METHOD(text_isascii) {
    if (!all_of(interp, self, arguments, is_ascii, out)) return false;
    if (self->as.text->n == 0) *out = lm_variant_bool(true);
    return true;
}

METHOD(text_isprintable) {
    if (!all_of(interp, self, arguments, lm_letter_is_printable, out)) return false;
    if (self->as.text->n == 0) *out = lm_variant_bool(true);
    return true;
}

static bool test_case(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, const char *test,
                      lm_variant *out) {
    bool result;
    if (!lm_test_apply(interp, (lm_slice){test, 5}, self, arguments, &result)) return false;
    *out = lm_variant_bool(result);
    return true;
}

METHOD(text_isupper) { return test_case(interp, self, arguments, "upper", out); }
METHOD(text_islower) { return test_case(interp, self, arguments, "lower", out); }

METHOD(text_istitle) {
    if (!none(interp, arguments, "istitle")) return false;
    const lm_text *title = lm_string_title(interp, self->as.text),
                  *upper = lm_string_case(interp, self->as.text, LM_CASE_UPPER);
    const lm_text *lower = lm_string_case(interp, self->as.text, LM_CASE_LOWER);
    if (!title || !upper || !lower) return false;
    *out = lm_variant_bool(lm_text_equal(title, self->as.text) && !lm_text_equal(upper, lower));
    return true;
}

const lm_native_entry lm_methods_text[] = {{"capitalize", text_capitalize},
                                           {"casefold", text_lower},
                                           {"center", text_center},
                                           {"count", text_count},
                                           {"endswith", text_endswith},
                                           {"expandtabs", text_expandtabs},
                                           {"find", text_find},
                                           {"format", text_format},
                                           {"index", text_index},
                                           {"isalnum", text_isalnum},
                                           {"isalpha", text_isalpha},
                                           {"isascii", text_isascii},
                                           {"isdecimal", text_isdigit},
                                           {"isdigit", text_isdigit},
                                           {"islower", text_islower},
                                           {"isnumeric", text_isnumeric},
                                           {"isprintable", text_isprintable},
                                           {"isspace", text_isspace},
                                           {"istitle", text_istitle},
                                           {"isupper", text_isupper},
                                           {"join", text_join},
                                           {"ljust", text_ljust},
                                           {"lower", text_lower},
                                           {"lstrip", text_lstrip},
                                           {"partition", text_partition},
                                           {"removeprefix", text_removeprefix},
                                           {"removesuffix", text_removesuffix},
                                           {"replace", text_replace},
                                           {"rfind", text_rfind},
                                           {"rindex", text_rindex},
                                           {"rjust", text_rjust},
                                           {"rpartition", text_rpartition},
                                           {"rsplit", text_rsplit},
                                           {"rstrip", text_rstrip},
                                           {"split", text_split},
                                           {"splitlines", text_splitlines},
                                           {"startswith", text_startswith},
                                           {"strip", text_strip},
                                           {"swapcase", text_swapcase},
                                           {"title", text_title},
                                           {"upper", text_upper},
                                           {"zfill", text_zfill},
                                           {NULL, NULL}};
