/* SPDX-License-Identifier: MIT
 * A parameter's value that is written as elements: <key>value</key>... is an object, <item>value</item>... a list, and values
 * may be such again. What is no such thing throughout is a value in plain text. */
#include <string.h>

#include "reply_xml.h"

#define DEPTH_MAX 32

typedef struct span {
    const char *at, *end;
} span;

typedef struct element {
    span name, value, rest;
} element;

static bool is_space(char c) { return c == ' ' || (c >= 9 && c <= 13); }

static span skip_spaces(span s) {
    while (s.at < s.end && is_space(*s.at)) s.at++;
    return s;
}

static bool starts(span s, const char *word) {
    size_t n = strlen(word);
    return (size_t)(s.end - s.at) >= n && memcmp(s.at, word, n) == 0;
}

/* Whether a tag of this name begins at s: mark, name and ">". */
static bool is_tag(span s, const char *mark, span name) {
    size_t n_mark = strlen(mark), n = (size_t)(name.end - name.at);
    return (size_t)(s.end - s.at) > n_mark + n && starts(s, mark) && memcmp(s.at + n_mark, name.at, n) == 0 &&
           s.at[n_mark + n] == '>';
}

/* The element that s begins with. */
static bool read_element(const lm_xml_syntax *syntax, span s, element *out) {
    if (!starts(s, syntax->parameter) || starts(s, syntax->value_close)) return false;
    out->name.at = s.at + strlen(syntax->parameter);
    out->name.end = memchr(out->name.at, '>', (size_t)(s.end - out->name.at));
    if (!out->name.end || out->name.end == out->name.at) return false;
    out->value.at = out->name.end + 1;
    size_t depth = 1;
    for (span at = {out->value.at, s.end}; at.at < at.end; at.at++) {
        if (is_tag(at, syntax->parameter, out->name)) depth++;
        if (!is_tag(at, syntax->value_close, out->name) || --depth > 0) continue;
        out->value.end = at.at;
        out->rest = skip_spaces(
            (span){at.at + strlen(syntax->value_close) + (size_t)(out->name.end - out->name.at) + 1, s.end});
        return true;
    }
    return false;
}

static bool is_elements(const lm_xml_syntax *syntax, span s, uint32_t depth) {
    element e;
    s = skip_spaces(s);
    if (s.at == s.end || depth == DEPTH_MAX) return false;
    for (; s.at < s.end; s = e.rest)
        if (!read_element(syntax, s, &e)) return false;
    return true;
}

static void put(lm_reply *reply, const lm_xml_syntax *syntax, const lm_json *schema, span s, uint32_t depth) {
    if (!is_elements(syntax, s, depth)) {
        lm_reply_value(reply, schema, false, s.at, (size_t)(s.end - s.at));
        return;
    }
    element e;
    s = skip_spaces(s);
    const lm_json *type = lm_json_get(schema, "type"), *properties = lm_json_get(schema, "properties");
    bool list = read_element(syntax, s, &e) && (size_t)(e.name.end - e.name.at) == 4 &&
                memcmp(e.name.at, "item", 4) == 0 && !properties && !lm_json_is_text(type, "object");
    lm_reply_call_word(reply, list ? "[" : "{");
    for (bool first = true; s.at < s.end; s = e.rest, first = false) {
        if (!read_element(syntax, s, &e)) break; /* is_elements has looked */
        size_t n = (size_t)(e.name.end - e.name.at);
        if (!first) lm_reply_call_word(reply, ", ");
        if (!list) {
            lm_reply_call_word(reply, "\"");
            lm_reply_call_escaped(reply, e.name.at, n);
            lm_reply_call_word(reply, "\": ");
        }
        put(reply, syntax, list ? lm_json_get(schema, "items") : lm_json_find(properties, e.name.at, n), e.value,
            depth + 1);
    }
    lm_reply_call_word(reply, list ? "]" : "}");
}

void lm_reply_elements(lm_reply *reply, const lm_xml_syntax *syntax, const lm_json *schema, const char *bytes,
                       size_t n) {
    put(reply, syntax, schema, (span){bytes, bytes + n}, 0);
}
