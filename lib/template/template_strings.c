/* SPDX-License-Identifier: MIT
 * Stripping, replacing, splitting and joining. */
#include "template_strings.h"

#include <string.h>

#include "../base/utf8.h"
#include "template_interp.h"
#include "template_lexer.h"

/* Whether the character at [pos, pos + size) is one of chars. */
static bool is_one_of(const lm_text *chars, const char *character, size_t size) {
    for (size_t pos = 0; pos < chars->n;) {
        size_t n = lm_text_char_size(chars, pos);
        if (n == size && memcmp(chars->bytes + pos, character, n) == 0) return true;
        pos += n;
    }
    return false;
}

static size_t strip_start(const lm_text *text, const lm_text *chars, size_t pos, size_t end) {
    while (pos < end) {
        size_t size = lm_text_char_size(text, pos);
        if (chars ? !is_one_of(chars, text->bytes + pos, size) : lm_space_at_start(text->bytes + pos, end - pos) == 0)
            break;
        pos += size;
    }
    return pos;
}

static size_t strip_end(const lm_text *text, const lm_text *chars, size_t pos, size_t end) {
    while (end > pos) {
        size_t size = 1;
        if (chars) {
            while (size < 4 && size < end - pos && ((unsigned char)text->bytes[end - size] & 0xC0) == 0x80) size++;
            if (!is_one_of(chars, text->bytes + end - size, size)) break;
        } else if ((size = lm_space_at_end(text->bytes + pos, end - pos)) == 0) {
            break;
        }
        end -= size;
    }
    return end;
}

const lm_text *lm_string_strip(lm_interp *interp, const lm_text *text, const lm_text *chars, bool left, bool right) {
    /* Each character is compared with each of chars. */
    if (!lm_interp_charge(interp, text->n / 16 + (chars && chars->n > 8 ? text->n * (chars->n / 8) : 0))) return NULL;
    size_t from = left ? strip_start(text, chars, 0, text->n) : 0;
    size_t to = right ? strip_end(text, chars, from, text->n) : text->n;
    return lm_text_slice(interp, text, from, to);
}

const lm_text *lm_string_replace(lm_interp *interp, const lm_text *text, const lm_text *from, const lm_text *to,
                                 int64_t limit) {
    lm_text_builder *builder = lm_builder_new(interp);
    size_t pos = 0;
    if (!builder || !lm_interp_charge(interp, text->n / 16)) return NULL;
    for (int64_t i = 0; limit < 0 || i < limit; i++) {
        if (from->n == 0) { /* before every character and at the end */
            size_t size = pos < text->n ? lm_text_char_size(text, pos) : 0;
            if (!lm_interp_charge(interp, 1) || !lm_builder_text(builder, to) ||
                !lm_builder_slice(builder, text, pos, pos + size))
                return NULL;
            pos += size;
            if (size == 0) break;
            continue;
        }
        size_t found = lm_text_find(text, from, pos);
        if (found == SIZE_MAX) break;
        if (!lm_interp_charge(interp, 1) || !lm_builder_slice(builder, text, pos, found) ||
            !lm_builder_text(builder, to))
            return NULL;
        pos = found + from->n;
    }
    if (pos == 0 && builder->used == 0) return text;
    return lm_builder_slice(builder, text, pos, text->n) ? lm_builder_finish(builder) : NULL;
}

/* Append the character at pos in another case. */
static bool put_case(lm_text_builder *builder, const lm_text *text, size_t pos, lm_case wanted) {
    uint32_t code;
    size_t run_end;
    char converted[LM_CASE_BYTES_MAX];
    lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
    lm_origin origin = lm_text_origin(text, pos, &run_end);
    return lm_builder_bytes(builder, converted, lm_letter_case(code, wanted, converted), origin);
}

static bool put_all_case(lm_text_builder *builder, const lm_text *text, size_t pos, lm_case wanted) {
    if (!lm_interp_charge(builder->interp, (text->n - pos) / 8)) return false;
    for (; pos < text->n; pos += lm_text_char_size(text, pos))
        if (!put_case(builder, text, pos, wanted)) return false;
    return true;
}

const lm_text *lm_string_case(lm_interp *interp, const lm_text *text, lm_case wanted) {
    lm_text_builder *builder = lm_builder_new(interp);
    return builder && put_all_case(builder, text, 0, wanted) ? lm_builder_finish(builder) : NULL;
}

const lm_text *lm_string_capitalize(lm_interp *interp, const lm_text *text) {
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder || text->n == 0) return builder ? text : NULL;
    if (!put_case(builder, text, 0, LM_CASE_TITLE)) return NULL;
    return put_all_case(builder, text, lm_text_char_size(text, 0), LM_CASE_LOWER) ? lm_builder_finish(builder) : NULL;
}

const lm_text *lm_string_title(lm_interp *interp, const lm_text *text) {
    lm_text_builder *builder = lm_builder_new(interp);
    bool inside = false;
    if (!builder || !lm_interp_charge(interp, text->n / 8)) return NULL;
    for (size_t pos = 0; pos < text->n;) {
        uint32_t code;
        size_t size = lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
        if (!put_case(builder, text, pos, inside ? LM_CASE_LOWER : LM_CASE_TITLE)) return NULL;
        inside = lm_letter_is_upper(code) || lm_letter_is_lower(code);
        pos += size;
    }
    return lm_builder_finish(builder);
}

const lm_text *lm_string_join(lm_interp *interp, const lm_text *separator, const lm_sequence *parts) {
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder) return NULL;
    for (size_t i = 0; i < parts->count; i++) {
        if (!lm_interp_charge(interp, 1) || (i && separator && !lm_builder_text(builder, separator))) return NULL;
        if (!lm_variant_print(interp, &parts->items[i], builder)) return NULL;
    }
    return lm_builder_finish(builder);
}

const lm_text *lm_string_pad(lm_interp *interp, const lm_text *text, size_t before, size_t after, const char *fill,
                             size_t fill_size) {
    lm_text_builder *builder = lm_builder_new(interp);
    if (!builder) return NULL;
    for (; before; before--)
        if (!lm_interp_charge(interp, 1) || !lm_builder_bytes(builder, fill, fill_size, LM_ORIGIN_TEMPLATE))
            return NULL;
    if (!lm_builder_text(builder, text)) return NULL;
    for (; after; after--)
        if (!lm_interp_charge(interp, 1) || !lm_builder_bytes(builder, fill, fill_size, LM_ORIGIN_TEMPLATE))
            return NULL;
    return lm_builder_finish(builder);
}

static bool push_slice(lm_interp *interp, lm_sequence *list, const lm_text *text, size_t from, size_t to) {
    const lm_text *slice = lm_text_slice(interp, text, from, to);
    return slice && lm_interp_charge(interp, 1) && lm_sequence_push(interp, list, lm_variant_text(slice));
}

static void reverse(lm_sequence *list) {
    for (size_t i = 0, j = list->count; i + 1 < j; i++) {
        lm_variant swapped = list->items[i];
        list->items[i] = list->items[--j];
        list->items[j] = swapped;
    }
}

/* Words separated by any white space. */
static bool split_words(lm_interp *interp, lm_sequence *list, const lm_text *text, int64_t limit, bool from_right) {
    size_t from = strip_start(text, NULL, 0, text->n), to = from_right ? strip_end(text, NULL, from, text->n) : text->n,
           size;
    if (!from_right) {
        for (int64_t splits = 0; from < to; splits++) {
            size_t end = from;
            if (limit >= 0 && splits >= limit) return push_slice(interp, list, text, from, to);
            while (end < to && !lm_space_at_start(text->bytes + end, to - end)) end += lm_text_char_size(text, end);
            if (!push_slice(interp, list, text, from, end)) return false;
            from = strip_start(text, NULL, end, to);
        }
        return true;
    }
    for (int64_t splits = 0; from < to; splits++) {
        size_t start = to;
        if (limit >= 0 && splits >= limit) { /* what is left keeps its leading white space */
            if (!push_slice(interp, list, text, 0, to)) return false;
            break;
        }
        while (start > from && !lm_space_at_end(text->bytes + from, start - from)) start--;
        if (!push_slice(interp, list, text, start, to)) return false;
        to = start;
        while (to > from && (size = lm_space_at_end(text->bytes + from, to - from)) > 0) to -= size;
    }
    reverse(list);
    return true;
}

lm_sequence *lm_string_split(lm_interp *interp, const lm_text *text, const lm_text *separator, int64_t limit,
                             bool from_right) {
    lm_sequence *list = lm_sequence_new(interp, 0);
    if (!list || !lm_interp_charge(interp, text->n / 16)) return NULL;
    if (!separator) return split_words(interp, list, text, limit, from_right) ? list : NULL;
    if (separator->n == 0) {
        lm_interp_fail(interp, "empty separator");
        return NULL;
    }
    if (from_right) {
        size_t end = text->n;
        for (int64_t splits = 0; limit < 0 || splits < limit; splits++) {
            size_t found = lm_text_find_last(text, separator, end);
            if (found == SIZE_MAX) break;
            if (!push_slice(interp, list, text, found + separator->n, end)) return NULL;
            end = found;
        }
        if (!push_slice(interp, list, text, 0, end)) return NULL;
        reverse(list);
        return list;
    }
    size_t from = 0;
    for (int64_t splits = 0; limit < 0 || splits < limit; splits++) {
        size_t found = lm_text_find(text, separator, from);
        if (found == SIZE_MAX) break;
        if (!push_slice(interp, list, text, from, found)) return NULL;
        from = found + separator->n;
    }
    return push_slice(interp, list, text, from, text->n) ? list : NULL;
}

/* Bytes of a line end at pos as str.splitlines knows them, or 0. */
static size_t line_end(const lm_text *text, size_t pos) {
    uint32_t code;
    size_t size = lm_utf8_decode_lossy(text->bytes + pos, text->n - pos, &code);
    if (code == '\r' && pos + 1 < text->n && text->bytes[pos + 1] == '\n') return 2;
    bool ends =
        (code >= 10 && code <= 13) || (code >= 28 && code <= 30) || code == 0x85 || code == 0x2028 || code == 0x2029;
    return ends ? size : 0;
}

lm_sequence *lm_string_lines(lm_interp *interp, const lm_text *text, bool keep_ends) {
    lm_sequence *list = lm_sequence_new(interp, 0);
    size_t from = 0, pos = 0;
    if (!list || !lm_interp_charge(interp, text->n / 16)) return NULL;
    while (pos < text->n) {
        size_t size = line_end(text, pos);
        if (size == 0) {
            pos += lm_text_char_size(text, pos);
            continue;
        }
        if (!push_slice(interp, list, text, from, keep_ends ? pos + size : pos)) return NULL;
        from = pos += size;
    }
    if (from < text->n && !push_slice(interp, list, text, from, text->n)) return NULL;
    return list;
}
