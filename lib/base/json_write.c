/* SPDX-License-Identifier: MIT
 * The JSON writer. Neither it nor the walk over a tree recurses. */
#include "json_write.h"

#include <math.h>
#include <string.h>

#include "number.h"
#include "utf8.h"

static size_t escape_unit(uint32_t unit, char *out) {
    memcpy(out, "\\u", 2);
    for (int i = 0; i < 4; i++) out[2 + i] = "0123456789abcdef"[unit >> (12 - 4 * i) & 15];
    return 6;
}

size_t lm_json_escape(uint32_t code_point, bool ascii, char out[LM_JSON_ESCAPE_MAX]) {
    static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
    const char *value = code_point < 0x80 && code_point ? strchr(values, (int)code_point) : NULL;
    if (value) {
        out[0] = '\\';
        out[1] = names[value - values];
        return 2;
    }
    if (code_point < 0x20 || (ascii && code_point >= 0x7F && code_point < 0x10000)) return escape_unit(code_point, out);
    if (!ascii || code_point < 0x7F) return lm_utf8_encode(code_point, out);
    size_t n = escape_unit(0xD800 + ((code_point - 0x10000) >> 10), out);
    return n + escape_unit(0xDC00 + ((code_point - 0x10000) & 0x3FF), out + n);
}

lm_status lm_json_print_string(lm_str *out, const char *text, size_t n, bool ascii) {
    lm_str_append_char(out, '"');
    for (size_t i = 0; i < n && out->status == LM_OK;) {
        size_t start = i; /* a run of plain characters goes out in one piece */
        uint32_t code_point = 0;
        size_t used = 0;
        for (; i < n; i += used) {
            used = lm_utf8_decode(text + i, n - i, &code_point);
            if (used == 0 || code_point < 0x20 || code_point == '"' || code_point == '\\' ||
                (ascii && code_point >= 0x7F))
                break;
        }
        lm_str_append(out, text + start, i - start);
        if (i == n) break;
        if (used == 0) used = lm_utf8_decode_lossy(text + i, n - i, &code_point);
        char escaped[LM_JSON_ESCAPE_MAX];
        lm_str_append(out, escaped, lm_json_escape(code_point, ascii, escaped));
        i += used;
    }
    return lm_str_append_char(out, '"');
}

void lm_json_writer_init(lm_json_writer *writer, lm_str *out, const lm_json_style *style) {
    memset(writer, 0, sizeof *writer);
    writer->out = out;
    if (style) writer->style = *style;
    if (!writer->style.item_separator) writer->style.item_separator = ",";
    if (!writer->style.name_separator) writer->style.name_separator = writer->style.indent > 0 ? ": " : ":";
}

static void new_line(lm_json_writer *writer) {
    if (writer->style.indent <= 0) return;
    lm_str_append_char(writer->out, '\n');
    lm_str_append_fill(writer->out, ' ', (size_t)writer->style.indent * (size_t)writer->depth);
}

/* What comes before a name, or before a value that has none. */
static void lead_in(lm_json_writer *writer) {
    if (writer->after_name) {
        writer->after_name = false;
        return;
    }
    if (writer->needs_separator) lm_str_append_text(writer->out, writer->style.item_separator);
    if (writer->depth > 0) new_line(writer);
    writer->needs_separator = true;
}

static void begin(lm_json_writer *writer, bool is_object) {
    lead_in(writer);
    if (writer->depth == LM_JSON_DEPTH_MAX) {
        if (writer->out->status == LM_OK) writer->out->status = LM_ERR_LIMIT;
        return;
    }
    uint8_t bit = (uint8_t)(1u << writer->depth % 8), *byte = &writer->is_object[writer->depth / 8];
    *byte = (uint8_t)(is_object ? *byte | bit : *byte & ~bit);
    writer->depth++;
    writer->needs_separator = false;
    lm_str_append_char(writer->out, is_object ? '{' : '[');
}

void lm_json_write_begin_object(lm_json_writer *writer) { begin(writer, true); }
void lm_json_write_begin_array(lm_json_writer *writer) { begin(writer, false); }

void lm_json_write_end(lm_json_writer *writer) {
    if (writer->depth == 0) return;
    writer->depth--;
    if (writer->needs_separator) new_line(writer);
    bool is_object = writer->is_object[writer->depth / 8] >> writer->depth % 8 & 1;
    lm_str_append_char(writer->out, is_object ? '}' : ']');
    writer->needs_separator = true;
}

void lm_json_write_name_bytes(lm_json_writer *writer, const char *name, size_t n) {
    lead_in(writer);
    lm_json_print_string(writer->out, name, n, writer->style.ascii);
    lm_str_append_text(writer->out, writer->style.name_separator);
    writer->after_name = true;
}

void lm_json_write_name(lm_json_writer *writer, const char *name) {
    lm_json_write_name_bytes(writer, name, strlen(name));
}

void lm_json_write_raw(lm_json_writer *writer, const char *json, size_t n) {
    lead_in(writer);
    lm_str_append(writer->out, json, n);
}

void lm_json_write_null(lm_json_writer *writer) { lm_json_write_raw(writer, "null", 4); }

void lm_json_write_bool(lm_json_writer *writer, bool value) {
    lm_json_write_raw(writer, value ? "true" : "false", value ? 4 : 5);
}

void lm_json_write_int64(lm_json_writer *writer, int64_t value) {
    char text[LM_NUMBER_TEXT_MAX];
    lm_json_write_raw(writer, text, lm_number_from_int64(value, text));
}

void lm_json_write_double(lm_json_writer *writer, double value) {
    char text[LM_NUMBER_TEXT_MAX];
    if (isfinite(value))
        lm_json_write_raw(writer, text, lm_number_from_double(value, text));
    else
        lm_json_write_null(writer);
}

void lm_json_write_string(lm_json_writer *writer, const char *text, size_t n) {
    lead_in(writer);
    lm_json_print_string(writer->out, text, n, writer->style.ascii);
}

void lm_json_write_text(lm_json_writer *writer, const char *text) { lm_json_write_string(writer, text, strlen(text)); }

/* A value without children, or the beginning of a container. */
static void write_head(lm_json_writer *writer, const lm_json *value) {
    switch (value->type) {
    case LM_JSON_NULL: lm_json_write_null(writer); break;
    case LM_JSON_BOOL: lm_json_write_bool(writer, value->boolean); break;
    case LM_JSON_NUMBER: lm_json_write_raw(writer, value->text, value->count); break;
    case LM_JSON_STRING: lm_json_write_string(writer, value->text, value->count); break;
    case LM_JSON_ARRAY: lm_json_write_begin_array(writer); break;
    case LM_JSON_OBJECT: lm_json_write_begin_object(writer); break;
    }
}

void lm_json_write_value(lm_json_writer *writer, const lm_json *value) {
    struct {
        const lm_json *container;
        size_t next; /* the child to write next */
    } stack[LM_JSON_DEPTH_MAX];
    int32_t depth = 0;
    write_head(writer, value);
    for (;;) {
        if (writer->out->status != LM_OK) return;
        if (value && value->type >= LM_JSON_ARRAY) {
            stack[depth].container = value;
            stack[depth++].next = 0;
        }
        if (depth == 0) return;
        const lm_json *container = stack[depth - 1].container;
        size_t next = stack[depth - 1].next++;
        value = NULL;
        if (next == container->count) {
            lm_json_write_end(writer);
            depth--;
        } else if (container->type == LM_JSON_OBJECT) {
            const lm_json_member *member = &container->members[next];
            lm_json_write_name_bytes(writer, member->name, member->name_size);
            value = &member->value;
        } else {
            value = &container->items[next];
        }
        if (value) write_head(writer, value);
    }
}

lm_status lm_json_print(lm_str *out, const lm_json *value, const lm_json_style *style) {
    lm_json_writer writer;
    lm_json_writer_init(&writer, out, style);
    lm_json_write_value(&writer, value);
    return out->status;
}
