/* SPDX-License-Identifier: MIT
 * JSON text from a tree or from calls, into an lm_str. The writer puts commas, colons and white space; the caller's calls
 * must nest properly. Failures (memory, the string's limit, nesting beyond LM_JSON_DEPTH_MAX) are the string's and sticky.
 *
 *     lm_json_writer w;
 *     lm_json_writer_init(&w, &str, NULL);
 *     lm_json_write_begin_object(&w);
 *     lm_json_write_name(&w, "tokens");
 *     lm_json_write_int64(&w, 42);
 *     lm_json_write_end(&w);                       {"tokens":42}
 */
#ifndef LM_BASE_JSON_WRITE_H
#define LM_BASE_JSON_WRITE_H

#include "json.h"
#include "str.h"

/* How to write. NULL, or all zero: compact, UTF-8 as it is. */
typedef struct lm_json_style {
    int32_t indent; /* spaces per level; 0: everything on one line. Empty containers stay on one line */
    bool ascii;     /* everything above U+007E as \uXXXX with lower-case digits (surrogate pairs above U+FFFF) */
    const char *item_separator; /* NULL: "," (before the line break of an indented text too) */
    const char *name_separator; /* NULL: ":" on one line, ": " indented */
} lm_json_style;

typedef struct lm_json_writer {
    lm_str *out; /* borrowed */
    lm_json_style style;
    int32_t depth;
    bool needs_separator; /* something was written at this level */
    bool after_name;
    uint8_t is_object[LM_JSON_DEPTH_MAX / 8]; /* one bit for each open container */
} lm_json_writer;

void lm_json_writer_init(lm_json_writer *writer, lm_str *out, const lm_json_style *style);
void lm_json_write_begin_object(lm_json_writer *writer);
void lm_json_write_begin_array(lm_json_writer *writer);
void lm_json_write_end(lm_json_writer *writer);
void lm_json_write_name(lm_json_writer *writer, const char *name);
void lm_json_write_name_bytes(lm_json_writer *writer, const char *name, size_t n);
void lm_json_write_null(lm_json_writer *writer);
void lm_json_write_bool(lm_json_writer *writer, bool value);
void lm_json_write_int64(lm_json_writer *writer, int64_t value);
/* The shortest text that reads back as value; null when it is not finite, since JSON has no word for it. */
void lm_json_write_double(lm_json_writer *writer, double value);
/* Bytes that are not UTF-8 are replaced by U+FFFD (utf8.h): the output is always valid. */
void lm_json_write_string(lm_json_writer *writer, const char *text, size_t n);
void lm_json_write_text(lm_json_writer *writer, const char *text);
/* One value as it was read, numbers with their exact text. */
void lm_json_write_value(lm_json_writer *writer, const lm_json *value);
/* Bytes that are already the JSON text of one value. */
void lm_json_write_raw(lm_json_writer *writer, const char *json, size_t n);

/* The whole in one call. */
lm_status lm_json_print(lm_str *out, const lm_json *value, const lm_json_style *style);
/* Only a quoted and escaped string, for callers with a layout of their own. */
lm_status lm_json_print_string(lm_str *out, const char *text, size_t n, bool ascii);
/* A code point as it stands between the quotes; gives its bytes. */
#define LM_JSON_ESCAPE_MAX 12
size_t lm_json_escape(uint32_t code_point, bool ascii, char out[LM_JSON_ESCAPE_MAX]);

#endif
