/* SPDX-License-Identifier: MIT
 * Values as text: what {{ x }} prints is Python's str(), and containers show their elements by repr(). */
#include <string.h>

#include "../base/number.h"
#include "../base/utf8.h"
#include "template_interp.h"
#include "template_unicode.h"

static bool print_scalar(const lm_variant *value, lm_text_builder *out) {
    char digits[LM_NUMBER_TEXT_MAX];
    switch ((lm_variant_kind)value->kind) {
    case LM_VARIANT_ABSENT:
    case LM_VARIANT_UNDEFINED: return true;
    case LM_VARIANT_NONE: return lm_builder_word(out, "None");
    case LM_VARIANT_BOOL: return lm_builder_word(out, value->as.boolean ? "True" : "False");
    case LM_VARIANT_INT:
        return lm_builder_bytes(out, digits, lm_number_from_int64(value->as.integer, digits), LM_ORIGIN_TEMPLATE);
    default: return lm_builder_bytes(out, digits, lm_number_from_double(value->as.number, digits), LM_ORIGIN_TEMPLATE);
    }
}

static bool escape_code(lm_text_builder *out, uint32_t code, lm_origin origin) {
    static const char hex[] = "0123456789abcdef";
    char text[10] = {'\\', code > 0xFFFF ? 'U' : code > 0xFF ? 'u' : 'x'};
    int digits = code > 0xFFFF ? 8 : code > 0xFF ? 4 : 2;
    for (int i = 0; i < digits; i++) text[2 + i] = hex[code >> (4 * (digits - 1 - i)) & 15];
    return lm_builder_bytes(out, text, (size_t)digits + 2, origin);
}

/* A string between quotes: ' unless it holds ' and no ". Unprintable characters are escaped. */
static bool repr_string(lm_text_builder *out, const lm_text *text) {
    bool single = text->n && memchr(text->bytes, '\'', text->n), twice = text->n && memchr(text->bytes, '"', text->n);
    char quote = single && !twice ? '"' : '\'';
    size_t plain = 0, pos = 0, run_end = 0;
    lm_origin origin = LM_ORIGIN_TEMPLATE;
    if (!lm_builder_bytes(out, &quote, 1, LM_ORIGIN_TEMPLATE)) return false;
    while (pos < text->n) {
        uint32_t code;
        size_t size = lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
        bool special = code == (unsigned char)quote || code == '\\';
        if (!special && (code < 0x7F ? code >= 32 : lm_letter_is_printable(code))) {
            pos += size;
            continue;
        }
        if (!lm_builder_slice(out, text, plain, pos)) return false;
        if (pos >= run_end) origin = lm_text_origin(text, pos, &run_end);
        const char *letter = code == '\n' ? "\\n" : code == '\r' ? "\\r" : code == '\t' ? "\\t" : NULL;
        if (letter) {
            if (!lm_builder_bytes(out, letter, 2, origin)) return false;
        } else if (special) {
            char escaped[2] = {'\\', (char)code};
            if (!lm_builder_bytes(out, escaped, 2, origin)) return false;
        } else if (!escape_code(out, code, origin)) {
            return false;
        }
        plain = pos += size;
    }
    return lm_builder_slice(out, text, plain, pos) && lm_builder_bytes(out, &quote, 1, LM_ORIGIN_TEMPLATE);
}

static bool repr_items(lm_interp *interp, const lm_sequence *sequence, const char *open, const char *close,
                       lm_text_builder *out) {
    if (!lm_builder_word(out, open)) return false;
    for (size_t i = 0; i < sequence->count; i++) {
        if (i && !lm_builder_word(out, ", ")) return false;
        if (!lm_variant_repr(interp, &sequence->items[i], out)) return false;
    }
    return lm_builder_word(out, close);
}

static bool repr_dict(lm_interp *interp, const lm_dict *dict, lm_text_builder *out) {
    if (!lm_builder_word(out, "{")) return false;
    for (size_t i = 0; i < dict->count; i++) {
        if (i && !lm_builder_word(out, ", ")) return false;
        if (!lm_variant_repr(interp, &dict->entries[i].key, out) || !lm_builder_word(out, ": ") ||
            !lm_variant_repr(interp, &dict->entries[i].value, out))
            return false;
    }
    return lm_builder_word(out, "}");
}

static bool repr_range(const lm_sequence *range, lm_text_builder *out) {
    lm_variant start = lm_variant_int(range->start), stop = lm_variant_int(range->stop),
               step = lm_variant_int(range->step);
    if (!lm_builder_word(out, "range(") || !print_scalar(&start, out) || !lm_builder_word(out, ", ") ||
        !print_scalar(&stop, out))
        return false;
    if (range->step != 1 && (!lm_builder_word(out, ", ") || !print_scalar(&step, out))) return false;
    return lm_builder_word(out, ")");
}

static bool repr_value(lm_interp *interp, const lm_variant *value, lm_text_builder *out) {
    const lm_sequence *sequence = value->as.sequence;
    switch ((lm_variant_kind)value->kind) {
    case LM_VARIANT_UNDEFINED: return lm_builder_word(out, "Undefined");
    case LM_VARIANT_STRING: return repr_string(out, value->as.text);
    case LM_VARIANT_LIST: return repr_items(interp, sequence, "[", "]", out);
    case LM_VARIANT_TUPLE: return repr_items(interp, sequence, "(", sequence->count == 1 ? ",)" : ")", out);
    case LM_VARIANT_RANGE: return repr_range(sequence, out);
    case LM_VARIANT_VIEW: return lm_builder_word(out, sequence->name) && repr_items(interp, sequence, "([", "])", out);
    case LM_VARIANT_DICT: return repr_dict(interp, value->as.dict, out);
    case LM_VARIANT_NAMESPACE:
        return lm_builder_word(out, "<Namespace ") && repr_dict(interp, value->as.dict, out) &&
               lm_builder_word(out, ">");
    case LM_VARIANT_GENERATOR: return lm_builder_word(out, "<generator object>");
    case LM_VARIANT_LOOP: return lm_builder_word(out, "<LoopContext>");
    case LM_VARIANT_CYCLER: return lm_builder_word(out, "<Cycler>");
    case LM_VARIANT_CALLABLE: return lm_builder_word(out, value->as.callable->macro ? "<Macro>" : "<function>");
    default: return print_scalar(value, out);
    }
}

bool lm_variant_repr(lm_interp *interp, const lm_variant *value, lm_text_builder *out) {
    if (!lm_interp_charge(interp, 1) || !lm_interp_enter(interp)) return false;
    bool done = repr_value(interp, value, out);
    interp->depth--;
    return done;
}

bool lm_variant_print(lm_interp *interp, const lm_variant *value, lm_text_builder *out) {
    if (value->kind == LM_VARIANT_STRING) return lm_builder_text(out, value->as.text);
    if (value->kind <= LM_VARIANT_FLOAT) return print_scalar(value, out);
    return lm_variant_repr(interp, value, out);
}

bool lm_variant_to_text(lm_interp *interp, const lm_variant *value, const lm_text **out) {
    if (value->kind == LM_VARIANT_STRING) {
        *out = value->as.text;
        return true;
    }
    lm_text_builder *builder = lm_builder_new(interp);
    return builder && lm_variant_print(interp, value, builder) && (*out = lm_builder_finish(builder)) != NULL;
}
