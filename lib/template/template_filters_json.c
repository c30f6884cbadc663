/* SPDX-License-Identifier: MIT
 * tojson as the templates of models know it: Python's json.dumps without HTML escaping, not Jinja's own filter. Also from_json,
 * which some templates expect, and pprint. */
#include <math.h>
#include <string.h>

#include "../base/json.h"
#include "../base/utf8.h"
#include "template_filters.h"

typedef struct json_style {
    bool ascii, sort, multiline;
    const lm_text *item_separator, *name_separator, *indent;
} json_style;

static bool put_escape(lm_text_builder *out, uint32_t unit, lm_origin origin) {
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
    return lm_builder_bytes(out, text, 6, origin);
}

static bool put_special(lm_text_builder *out, uint32_t code, lm_origin origin) {
    static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *known = code && code < 128 ? strchr(names, (char)code) : NULL;
    if (known) {
        char text[2] = {'\\', letters[known - names]};
        return lm_builder_bytes(out, text, 2, origin);
    }
    if (code < 0x10000) return put_escape(out, code, origin);
    return put_escape(out, 0xD800 + ((code - 0x10000) >> 10), origin) &&
           put_escape(out, 0xDC00 + ((code - 0x10000) & 0x3FF), origin);
}

static bool put_string(lm_text_builder *out, const lm_text *text, bool ascii) {
    size_t plain = 0, pos = 0, run_end;
    if (!lm_builder_word(out, "\"")) return false;
    while (pos < text->n) {
        unsigned char c = (unsigned char)text->bytes[pos];
        if (c >= 32 && c != '"' && c != '\\' && (c < 128 || !ascii) && !(c == 127 && ascii)) {
            pos++;
            continue;
        }
        uint32_t code;
        size_t size = lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
        if (!lm_builder_slice(out, text, plain, pos)) return false;
        if (!put_special(out, code, lm_text_origin(text, pos, &run_end))) return false;
        plain = pos += size;
    }
    return lm_builder_slice(out, text, plain, pos) && lm_builder_word(out, "\"");
}

static bool new_line(lm_text_builder *out, const json_style *style, uint32_t depth) {
    if (!style->multiline) return true;
    if (!lm_builder_word(out, "\n")) return false;
    for (; depth; depth--)
        if (!lm_builder_text(out, style->indent)) return false;
    return true;
}

static bool put_value(lm_interp *interp, lm_text_builder *out, const lm_variant *value, const json_style *style,
                      uint32_t depth);

static bool put_list(lm_interp *interp, lm_text_builder *out, const lm_sequence *items, const json_style *style,
                     uint32_t depth) {
    if (items->count == 0) return lm_builder_word(out, "[]");
    if (!lm_builder_word(out, "[")) return false;
    for (size_t i = 0; i < items->count; i++) {
        if (i && !lm_builder_text(out, style->item_separator)) return false;
        if (!new_line(out, style, depth + 1) || !put_value(interp, out, &items->items[i], style, depth + 1))
            return false;
    }
    return new_line(out, style, depth) && lm_builder_word(out, "]");
}

/* Keys become strings the way JSON writes them: none is "null". */
static bool put_key(lm_interp *interp, lm_text_builder *out, const lm_variant *key, const json_style *style) {
    if (key->kind == LM_VARIANT_STRING) return put_string(out, key->as.text, style->ascii);
    if (key->kind == LM_VARIANT_TUPLE || lm_variant_is_missing(key))
        return lm_interp_fail(interp, "keys must be str, int, float, bool or None");
    return lm_builder_word(out, "\"") && put_value(interp, out, key, style, 0) && lm_builder_word(out, "\"");
}

static bool put_dict(lm_interp *interp, lm_text_builder *out, const lm_dict *dict, const json_style *style,
                     uint32_t depth) {
    if (dict->count == 0) return lm_builder_word(out, "{}");
    lm_variant sorted, self = lm_variant_dict((lm_dict *)dict);
    if (style->sort) {
        lm_keyword keyword = {NULL, lm_variant_bool(true)};
        if (!(keyword.name = lm_text_borrow(interp, "case_sensitive", 14, 0))) return false;
        lm_arguments arguments = {NULL, 0, &keyword, 1};
        if (!lm_filter_apply(interp, (lm_slice){"dictsort", 8}, &self, &arguments, &sorted)) return false;
    }
    if (!lm_builder_word(out, "{")) return false;
    for (size_t i = 0; i < dict->count; i++) {
        const lm_variant *key =
            style->sort ? &sorted.as.sequence->items[i].as.sequence->items[0] : &dict->entries[i].key;
        const lm_variant *value =
            style->sort ? &sorted.as.sequence->items[i].as.sequence->items[1] : &dict->entries[i].value;
        if (i && !lm_builder_text(out, style->item_separator)) return false;
        if (!new_line(out, style, depth + 1) || !put_key(interp, out, key, style) ||
            !lm_builder_text(out, style->name_separator) || !put_value(interp, out, value, style, depth + 1))
            return false;
    }
    return new_line(out, style, depth) && lm_builder_word(out, "}");
}

static bool put_scalar(lm_interp *interp, lm_text_builder *out, const lm_variant *value, const json_style *style) {
    switch ((lm_variant_kind)value->kind) {
    case LM_VARIANT_NONE: return lm_builder_word(out, "null");
    case LM_VARIANT_BOOL: return lm_builder_word(out, value->as.boolean ? "true" : "false");
    case LM_VARIANT_INT: return lm_variant_print(interp, value, out);
    case LM_VARIANT_FLOAT:
        if (isnan(value->as.number)) return lm_builder_word(out, "NaN");
        if (isinf(value->as.number)) return lm_builder_word(out, value->as.number < 0 ? "-Infinity" : "Infinity");
        return lm_variant_print(interp, value, out);
    case LM_VARIANT_STRING: return put_string(out, value->as.text, style->ascii);
    default: return lm_interp_fail(interp, "object of type %s is not JSON serializable", lm_variant_type(value));
    }
}

static bool put_value(lm_interp *interp, lm_text_builder *out, const lm_variant *value, const json_style *style,
                      uint32_t depth) {
    if (!lm_interp_charge(interp, 1) || !lm_interp_enter(interp)) return false;
    bool done;
    const lm_sequence *items;
    if (lm_variant_is_sequence(value))
        done = lm_variant_iterate(interp, value, &items) && put_list(interp, out, items, style, depth);
    else if (value->kind == LM_VARIANT_DICT)
        done = put_dict(interp, out, value->as.dict, style, depth);
    else
        done = put_scalar(interp, out, value, style);
    interp->depth--;
    return done;
}

static bool filter_tojson(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slots[4], comma, colon;
    json_style style = {0};
    int64_t width = 0;
    if (!lm_arguments_bind(interp, arguments, "tojson", "ensure_ascii indent separators sort_keys", 0, slots))
        return false;
    style.ascii = slots[0].kind != LM_VARIANT_ABSENT && lm_variant_truth(&slots[0]);
    style.sort = slots[3].kind != LM_VARIANT_ABSENT && lm_variant_truth(&slots[3]);
    style.multiline = slots[1].kind != LM_VARIANT_ABSENT && slots[1].kind != LM_VARIANT_NONE;
    if (!lm_variant_word(interp, style.multiline ? "," : ", ", &comma) || !lm_variant_word(interp, ": ", &colon))
        return false;
    style.item_separator = comma.as.text;
    style.name_separator = colon.as.text;
    if (slots[1].kind == LM_VARIANT_STRING) {
        style.indent = slots[1].as.text;
    } else if (style.multiline) {
        lm_text_builder *margin = lm_builder_new(interp);
        if (!margin || !lm_slot_integer(interp, &slots[1], "indent", &width) ||
            !lm_builder_fill(margin, ' ', width > 0 ? (size_t)width : 0))
            return false;
        if (!(style.indent = lm_builder_finish(margin))) return false;
    }
    if (slots[2].kind != LM_VARIANT_ABSENT && slots[2].kind != LM_VARIANT_NONE) {
        const lm_sequence *pair;
        if (!lm_variant_iterate(interp, &slots[2], &pair)) return false;
        if (pair->count != 2) return lm_interp_fail(interp, "separators must be a pair");
        if (!lm_slot_text(interp, &pair->items[0], "a separator", &style.item_separator) ||
            !lm_slot_text(interp, &pair->items[1], "a separator", &style.name_separator))
            return false;
    }
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder || !put_value(interp, builder, self, &style, 0)) return false;
    const lm_text *text = lm_builder_finish(builder);
    if (text) *out = lm_variant_text(text);
    return text != NULL;
}

static bool filter_from_json(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                             lm_variant *out) {
    const lm_json *json;
    lm_error error;
    if (!lm_arguments_bind(interp, arguments, "from_json", "", 0, NULL)) return false;
    if (self->kind != LM_VARIANT_STRING)
        return lm_interp_fail(interp, "from_json needs a string, not %s", lm_variant_type(self));
    if (!lm_interp_charge(interp, self->as.text->n / 8)) return false;
    lm_status status =
        lm_json_parse(interp->arena, self->as.text->bytes, self->as.text->n, LM_JSON_DEPTH_DEFAULT, &json, &error);
    if (status == LM_ERR_MEMORY) return lm_interp_memory(interp);
    if (status != LM_OK) return lm_interp_fail(interp, "from_json: %s", error.message);
    size_t run_end;
    lm_origin origin = self->as.text->n ? lm_text_origin(self->as.text, 0, &run_end) : LM_ORIGIN_CALLER;
    return lm_variant_from_json(interp, json, origin, out);
}

static bool filter_pprint(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder || !lm_arguments_bind(interp, arguments, "pprint", "", 0, NULL) ||
        !lm_variant_repr(interp, self, builder))
        return false;
    const lm_text *text = lm_builder_finish(builder);
    if (text) *out = lm_variant_text(text);
    return text != NULL;
}

const lm_native_entry lm_filters_json[] = {{"from_json", filter_from_json},
                                           {"fromjson", filter_from_json},
                                           {"pprint", filter_pprint},
                                           {"tojson", filter_tojson},
                                           {NULL, NULL}};
