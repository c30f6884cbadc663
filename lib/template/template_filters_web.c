/* SPDX-License-Identifier: MIT
 * Filters for web pages, which no template of a model is known to use: small and complete enough for standard templates. */
#include <string.h>

#include "template_filters.h"
#include "template_format.h"
#include "template_number.h"

static bool give(const lm_text *text, lm_variant *out) {
    if (text) *out = lm_variant_text(text);
    return text != NULL;
}

/* Percent-encoding; space becomes + in the parts of a query. */
static bool quote(lm_text_builder *builder, const lm_text *text, bool query) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text->n; i++) {
        unsigned char c = (unsigned char)text->bytes[i];
        bool plain = ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') ||
                     (c && strchr(query ? "_.-~" : "_.-~/", c));
        char encoded[3] = {'%', hex[c >> 4], hex[c & 15]};
        if (query && c == ' ')
            plain = true, encoded[0] = '+';
        else
            encoded[0] = plain ? (char)c : '%';
        if (!lm_builder_bytes(builder, encoded, plain ? 1 : 3, LM_ORIGIN_TEMPLATE)) return false;
    }
    return true;
}

static bool quote_pair(lm_interp *interp, lm_text_builder *builder, const lm_variant *key, const lm_variant *value) {
    const lm_text *name, *text;
    if (builder->used && !lm_builder_word(builder, "&")) return false;
    return lm_variant_to_text(interp, key, &name) && quote(builder, name, true) && lm_builder_word(builder, "=") &&
           lm_variant_to_text(interp, value, &text) && quote(builder, text, true);
}

static bool filter_urlencode(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                             lm_variant *out) {
    lm_text_builder *builder = lm_builder_new(interp);
    const lm_text *text;
    const lm_sequence *pairs;
    if (!builder || !lm_arguments_bind(interp, arguments, "urlencode", "", 0, NULL)) return false;
    if (self->kind == LM_VARIANT_DICT) {
        for (size_t i = 0; i < self->as.dict->count; i++)
            if (!quote_pair(interp, builder, &self->as.dict->entries[i].key, &self->as.dict->entries[i].value))
                return false;
    } else if (lm_variant_is_sequence(self)) {
        if (!lm_variant_iterate(interp, self, &pairs)) return false;
        for (size_t i = 0; i < pairs->count; i++) {
            const lm_variant *pair = &pairs->items[i];
            if (!lm_variant_is_sequence(pair) || pair->as.sequence->count != 2)
                return lm_interp_fail(interp, "urlencode: not a list of pairs");
            if (!quote_pair(interp, builder, &pair->as.sequence->items[0], &pair->as.sequence->items[1])) return false;
        }
    } else if (!lm_variant_to_text(interp, self, &text) || !quote(builder, text, false)) {
        return false;
    }
    return give(lm_builder_finish(builder), out);
}

static bool filter_forceescape(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                               lm_variant *out) {
    return lm_arguments_bind(interp, arguments, "forceescape", "", 0, NULL) && lm_text_escape(interp, self, out);
}

static bool filter_xmlattr(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments, lm_variant *out) {
    lm_variant slot, escaped;
    lm_text_builder *builder = lm_builder_new(interp);
    const lm_text *name;
    if (!builder || !lm_arguments_bind(interp, arguments, "xmlattr", "autospace", 0, &slot)) return false;
    if (self->kind != LM_VARIANT_DICT) return lm_interp_fail(interp, "xmlattr needs a mapping");
    bool space = slot.kind == LM_VARIANT_ABSENT || lm_variant_truth(&slot);
    for (size_t i = 0; i < self->as.dict->count; i++) {
        const lm_dict_entry *entry = &self->as.dict->entries[i];
        if (lm_variant_is_missing(&entry->value) || entry->value.kind == LM_VARIANT_NONE) continue;
        if ((builder->used || space) && !lm_builder_word(builder, " ")) return false;
        if (!lm_variant_to_text(interp, &entry->key, &name) || !lm_text_escape(interp, &entry->value, &escaped))
            return false;
        if (memchr(name->bytes, ' ', name->n)) return lm_interp_fail(interp, "invalid character in attribute name");
        if (!lm_builder_text(builder, name) || !lm_builder_word(builder, "=\"") ||
            !lm_builder_text(builder, escaped.as.text) || !lm_builder_word(builder, "\""))
            return false;
    }
    return give(lm_builder_finish(builder), out);
}

static bool filter_filesizeformat(lm_interp *interp, const lm_variant *self, const lm_arguments *arguments,
                                  lm_variant *out) {
    static const char *const decimal[] = {" kB", " MB", " GB", " TB", " PB", " EB", " ZB", " YB"};
    static const char *const binary[] = {" KiB", " MiB", " GiB", " TiB", " PiB", " EiB", " ZiB", " YiB"};
    lm_variant slot;
    char text[LM_FIXED_TEXT_MAX];
    lm_text_builder *builder = lm_builder_new(interp);
    double bytes = 0;
    if (!builder || !lm_arguments_bind(interp, arguments, "filesizeformat", "binary", 0, &slot)) return false;
    if (lm_variant_is_number(self))
        bytes = lm_variant_as_double(self);
    else if (self->kind != LM_VARIANT_STRING ||
             !lm_template_read_float((lm_slice){self->as.text->bytes, self->as.text->n}, &bytes))
        return lm_interp_fail(interp, "filesizeformat needs a number");
    bool is_binary = slot.kind != LM_VARIANT_ABSENT && lm_variant_truth(&slot);
    double base = is_binary ? 1024 : 1000, unit = base;
    if (!(bytes >= 0 && bytes < 1e30)) return lm_interp_fail(interp, "filesizeformat: out of range");
    if (bytes < base) {
        size_t n = lm_template_fixed(bytes, 0, text);
        if (!lm_builder_bytes(builder, text, n, LM_ORIGIN_TEMPLATE) ||
            !lm_builder_word(builder, bytes == 1 ? " Byte" : " Bytes"))
            return false;
        return give(lm_builder_finish(builder), out);
    }
    size_t prefix = 0;
    while (prefix < 7 && bytes >= unit * base) unit *= base, prefix++;
    size_t n = lm_template_fixed(bytes / unit, 1, text);
    return lm_builder_bytes(builder, text, n, LM_ORIGIN_TEMPLATE) &&
           lm_builder_word(builder, (is_binary ? binary : decimal)[prefix]) && give(lm_builder_finish(builder), out);
}

const lm_native_entry lm_filters_web[] = {{"filesizeformat", filter_filesizeformat},
                                          {"forceescape", filter_forceescape},
                                          {"urlencode", filter_urlencode},
                                          {"xmlattr", filter_xmlattr},
                                          {NULL, NULL}};
