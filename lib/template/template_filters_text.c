/* SPDX-License-Identifier: MIT
 * Filters that turn something into a string. What is not a string is printed first; indent alone takes nothing else. */
#include <string.h>

#include "../base/utf8.h"
#include "template_filters.h"
#include "template_format.h"
#include "template_interp.h"
#include "template_lexer.h"
#include "template_strings.h"

static bool give(const lm_text *text, lm_variant *out) {
    if (text) *out = lm_variant_text(text);
    return text != NULL;
}

static bool none(lm_interp *interp, const lm_arguments *arguments, const char *name) {
    return lm_arguments_bind(interp, arguments, name, "", 0, NULL);
}

static bool filter_string(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    const lm_text *text;
    if (!none(interp, arguments, "string") || !lm_variant_to_text(interp, self, &text)) return false;
    *out = lm_variant_text(text);
    out->escaped = self->escaped;
    return true;
}

static bool filter_safe(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    if (!filter_string(interp, self, arguments, out)) return false;
    out->escaped = true;
    return true;
}

static bool filter_escape(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    if (!none(interp, arguments, "escape")) return false;
    if (self->kind == LM_VARIANT_STRING && self->escaped) {
        *out = *self;
        return true;
    }
    return lm_text_escape(interp, self, out);
}

static bool filter_upper(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    const lm_text *text;
    return none(interp, arguments, "upper") && lm_variant_to_text(interp, self, &text) &&
           give(lm_string_case(interp, text, LM_CASE_UPPER), out);
}

static bool filter_lower(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    const lm_text *text;
    return none(interp, arguments, "lower") && lm_variant_to_text(interp, self, &text) &&
           give(lm_string_case(interp, text, LM_CASE_LOWER), out);
}

static bool filter_capitalize(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                              lm_variant *out) {
    const lm_text *text;
    return none(interp, arguments, "capitalize") && lm_variant_to_text(interp, self, &text) &&
           give(lm_string_capitalize(interp, text), out);
}

/* Jinja's own idea of a title: words begin after white space, -, (, {, [ and <. */
static bool filter_title(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    const lm_text *text, *part;
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder || !none(interp, arguments, "title") || !lm_variant_to_text(interp, self, &text)) return false;
    for (size_t pos = 0; pos < text->n;) {
        size_t end = pos;
        while (end < text->n && !strchr("-({[<", text->bytes[end]) &&
               !lm_space_at_start(text->bytes + end, text->n - end))
            end += lm_text_char_size(text, end);
        if (end == pos) {
            end += lm_text_char_size(text, end);
            if (!lm_builder_slice(builder, text, pos, end)) return false;
        } else {
            if (!lm_interp_charge(interp, 1) || !(part = lm_text_slice(interp, text, pos, end)) ||
                !(part = lm_string_capitalize(interp, part)))
                return false;
            if (!lm_builder_text(builder, part)) return false;
        }
        pos = end;
    }
    return give(lm_builder_finish(builder), out);
}

static bool filter_trim(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slot;
    const lm_text *text, *chars = NULL;
    if (!lm_arguments_bind(interp, arguments, "trim", "chars", 0, &slot) || !lm_variant_to_text(interp, self, &text))
        return false;
    if (slot.kind != LM_VARIANT_NONE && !lm_slot_text(interp, &slot, "the characters to trim", &chars)) return false;
    return give(lm_string_strip(interp, text, chars, true, true), out);
}

static bool filter_replace(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[3];
    const lm_text *text, *from = NULL, *to = NULL;
    int64_t limit = -1;
    if (!lm_arguments_bind(interp, arguments, "replace", "old new count", 2, slots) ||
        !lm_variant_to_text(interp, self, &text))
        return false;
    if (!lm_variant_to_text(interp, &slots[0], &from) || !lm_variant_to_text(interp, &slots[1], &to)) return false;
    if (slots[2].kind != LM_VARIANT_NONE && !lm_slot_integer(interp, &slots[2], "count", &limit)) return false;
    return give(lm_string_replace(interp, text, from, to, limit), out);
}

static bool filter_indent(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[3];
    const lm_text *text;
    lm_text_builder *builder = lm_builder_new(interp), *margin = lm_builder_new(interp);
    int64_t width = 4;
    if (!builder || !margin || !lm_arguments_bind(interp, arguments, "indent", "width first blank", 0, slots))
        return false;
    if (self->kind != LM_VARIANT_STRING)
        return lm_interp_fail(interp, "indent needs a string, not %s", lm_variant_type(self));
    if (!lm_variant_to_text(interp, self, &text)) return false;
    bool first = slots[1].kind != LM_VARIANT_ABSENT && lm_variant_truth(&slots[1]);
    bool blank = slots[2].kind != LM_VARIANT_ABSENT && lm_variant_truth(&slots[2]);
    if (slots[0].kind == LM_VARIANT_STRING) {
        if (!lm_builder_text(margin, slots[0].as.text)) return false;
    } else if (!lm_slot_integer(interp, &slots[0], "width", &width) ||
               !lm_builder_fill(margin, ' ', width > 0 ? (size_t)width : 0)) {
        return false;
    }
    const lm_text *prefix = lm_builder_finish(margin);
    lm_sequence *lines = lm_string_lines(interp, text, false);
    if (!prefix || !lines) return false;
    /* A line feed at the end starts one more, empty line. */
    bool open_end = text->n == 0 || text->bytes[text->n - 1] == '\n' || text->bytes[text->n - 1] == '\r';
    size_t n_lines = lines->count + open_end;
    for (size_t i = 0; i < n_lines; i++) {
        const lm_text *line = i < lines->count ? lines->items[i].as.text : NULL;
        if (i && !lm_builder_word(builder, "\n")) return false;
        if ((i ? blank || (line && line->n) : first) && !lm_builder_text(builder, prefix)) return false;
        if (line && !lm_builder_text(builder, line)) return false;
    }
    return give(lm_builder_finish(builder), out);
}

static bool filter_format(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    const lm_text *text;
    lm_variant values;
    if (!lm_variant_to_text(interp, self, &text)) return false;
    if (arguments->n_keywords) {
        lm_dict *dict = lm_dict_new(interp);
        if (!dict) return false;
        if (arguments->count)
            return lm_interp_fail(interp, "can't handle positional and keyword arguments at the same time");
        for (size_t i = 0; i < arguments->n_keywords; i++)
            if (!lm_dict_set_text(interp, dict, arguments->keywords[i].name, &arguments->keywords[i].value))
                return false;
        values = lm_variant_dict(dict);
    } else {
        lm_sequence *tuple = lm_sequence_new(interp, arguments->count);
        if (!tuple) return false;
        for (size_t i = 0; i < arguments->count; i++) tuple->items[tuple->count++] = arguments->values[i];
        values = lm_variant_sequence(LM_VARIANT_TUPLE, tuple);
    }
    return lm_text_percent(interp, text, &values, out);
}

static bool filter_center(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slot;
    const lm_text *text;
    int64_t width = 80;
    if (!lm_arguments_bind(interp, arguments, "center", "width", 0, &slot) ||
        !lm_slot_integer(interp, &slot, "width", &width))
        return false;
    if (!lm_variant_to_text(interp, self, &text)) return false;
    int64_t missing = width - (int64_t)lm_text_chars(text);
    if (missing < 0) missing = 0;
    size_t left = (size_t)(missing / 2 + (missing & width & 1));
    return give(lm_string_pad(interp, text, left, (size_t)missing - left, " ", 1), out);
}

static bool filter_wordcount(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                             lm_variant *out) {
    const lm_text *text;
    int64_t count = 0;
    bool inside = false;
    if (!none(interp, arguments, "wordcount") || !lm_variant_to_text(interp, self, &text) ||
        !lm_interp_charge(interp, text->n / 8))
        return false;
    for (size_t pos = 0; pos < text->n;) {
        uint32_t code;
        pos += lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
        bool word = code == '_' || lm_letter_is_alpha(code) || lm_letter_is_numeric(code);
        count += word && !inside;
        inside = word;
    }
    *out = lm_variant_int(count);
    return true;
}

static bool filter_truncate(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[4];
    const lm_text *text, *end = NULL, *cut;
    int64_t length = 255, leeway = 5;
    lm_variant dots;
    if (!lm_arguments_bind(interp, arguments, "truncate", "length killwords end leeway", 0, slots) ||
        !lm_variant_to_text(interp, self, &text))
        return false;
    if (!lm_variant_word(interp, "...", &dots)) return false;
    end = dots.as.text;
    if (!lm_slot_integer(interp, &slots[0], "length", &length) || !lm_slot_text(interp, &slots[2], "end", &end))
        return false;
    if (slots[3].kind != LM_VARIANT_NONE && !lm_slot_integer(interp, &slots[3], "leeway", &leeway)) return false;
    bool kill = slots[1].kind != LM_VARIANT_ABSENT && lm_variant_truth(&slots[1]);
    int64_t n_end = (int64_t)lm_text_chars(end);
    if (length < n_end || leeway < 0 || length > INT32_MAX)
        return lm_interp_fail(interp, "truncate: the length does not fit");
    if ((int64_t)lm_text_chars(text) <= length + leeway) return give(text, out);
    size_t to = lm_text_offset(text, (size_t)(length - n_end));
    for (size_t space = to; !kill && space > 0; space--) {
        if (text->bytes[space - 1] != ' ') continue;
        to = space - 1;
        break;
    }
    return (cut = lm_text_slice(interp, text, 0, to)) && give(lm_text_concat(interp, cut, end), out);
}

static bool filter_striptags(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                             lm_variant *out) {
    const lm_text *text;
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder || !none(interp, arguments, "striptags") || !lm_variant_to_text(interp, self, &text)) return false;
    for (size_t pos = 0; pos < text->n;) {
        const char *open = memchr(text->bytes + pos, '<', text->n - pos);
        const char *close = open ? memchr(open, '>', text->n - (size_t)(open - text->bytes)) : NULL;
        size_t to = close ? (size_t)(open - text->bytes) : text->n;
        if (!lm_builder_slice(builder, text, pos, to)) return false;
        pos = close ? (size_t)(close - text->bytes) + 1 : text->n;
    }
    const lm_text *plain = lm_builder_finish(builder);
    lm_sequence *words = plain ? lm_string_split(interp, plain, NULL, -1, false) : NULL;
    lm_variant space;
    return words && lm_variant_word(interp, " ", &space) && give(lm_string_join(interp, space.as.text, words), out);
}

const lm_native_entry lm_filters_text[] = {{"capitalize", filter_capitalize},
                                           {"center", filter_center},
                                           {"e", filter_escape},
                                           {"escape", filter_escape},
                                           {"format", filter_format},
                                           {"indent", filter_indent},
                                           {"lower", filter_lower},
                                           {"replace", filter_replace},
                                           {"safe", filter_safe},
                                           {"string", filter_string},
                                           {"striptags", filter_striptags},
                                           {"title", filter_title},
                                           {"trim", filter_trim},
                                           {"truncate", filter_truncate},
                                           {"upper", filter_upper},
                                           {"wordcount", filter_wordcount},
                                           {NULL, NULL}};
