/* SPDX-License-Identifier: MIT
 * The parser: recursive over groups, whose depth is bounded, and linear in the text. Where the dialect is forgiving (a brace
 * that opens no count, a closing bracket alone) so is this. */
#include "regex.h"

#include <string.h>

#include "../base/utf8.h"
#include "../vocab/unicode.h"

#define MAX_COUNT 1000000u
#define MAX_RANGES ((size_t)1 << 17) /* of all classes: those of categories are hundreds for a few bytes of pattern */

typedef struct parser {
    lm_regex *out;
    const char *text;
    size_t n, at;
    const char *what;
    LM_ARRAY(uint32_t) stack;
    LM_ARRAY(lm_code_range) set;
    bool inverted;                  /* inside of a negative lookahead */
    bool negated;                   /* the class being read */
    bool has_spaces, has_nonspaces; /* in it: \s, \S */
} parser;

static const lm_code_range digits[] = {{'0', '9'}};
static const lm_code_range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
/* White space is not the same set for every reader of a pattern: the dialect counts U+FEFF, Python's re, which judges many
 * documents, does not, but U+001C to U+001F and U+0085. What they do not agree on is in neither \s nor \S, so that a text
 * written under a pattern holds for both. */
static const lm_code_range spaces[] = {{0x09, 0x0D},     {0x20, 0x20},     {0xA0, 0xA0},
                                       {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029},
                                       {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
static const lm_code_range any_spaces[] = {{0x09, 0x0D},     {0x1C, 0x20},     {0x85, 0x85},     {0xA0, 0xA0},
                                           {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F},
                                           {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
static const lm_code_range line_ends[] = {{0x0A, 0x0A}, {0x0D, 0x0D}, {0x2028, 0x2029}};

static lm_status refuse(parser *p, lm_status status, const char *what) {
    p->what = what;
    return status;
}

static lm_status add(parser *p, lm_regex_node node, uint32_t *out) {
    if (!lm_array_push(p->out->env, &p->out->nodes, node)) return LM_ERR_MEMORY;
    *out = (uint32_t)(p->out->nodes.count - 1);
    return LM_OK;
}

static bool at_char(const parser *p, char c) { return p->at < p->n && p->text[p->at] == c; }

static bool at_text(const parser *p, const char *text) {
    size_t n = strlen(text);
    return p->n - p->at >= n && memcmp(p->text + p->at, text, n) == 0;
}

static lm_status push_set(parser *p, const lm_code_range *ranges, size_t n, bool negated) {
    uint32_t next = 0;
    for (size_t i = 0; i <= n; i++) {
        lm_code_range range = {next, i < n ? ranges[i].lo - 1 : 0x10FFFF};
        if (i < n) next = ranges[i].hi + 1;
        if (!negated) {
            if (i == n) break;
            range = ranges[i];
        } else if (range.lo > range.hi || (i < n && ranges[i].lo == 0)) {
            continue;
        }
        if (!lm_array_push(p->out->env, &p->set, range)) return LM_ERR_MEMORY;
    }
    return LM_OK;
}

static void begin_class(parser *p) {
    p->set.count = 0;
    p->negated = p->has_spaces = p->has_nonspaces = false;
}

static lm_status push_spaces(parser *p, bool negated) {
    if (negated)
        p->has_nonspaces = true;
    else
        p->has_spaces = true;
    if (p->has_spaces && p->has_nonspaces) return push_set(p, NULL, 0, true); /* everything, for every reader */
    /* The smaller set, which is the larger one where it is taken away from something. */
    bool larger = (negated != p->negated) != p->inverted;
    return larger ? push_set(p, any_spaces, sizeof any_spaces / sizeof *any_spaces, negated)
                  : push_set(p, spaces, sizeof spaces / sizeof *spaces, negated);
}

/* The set gathered becomes a class node. */
static lm_status add_class(parser *p, bool negated, uint32_t *out) {
    lm_regex *r = p->out;
    size_t n = lm_code_ranges_normalize(p->set.data, p->set.count);
    p->set.count = n;
    uint32_t first = (uint32_t)r->ranges.count;
    if (!lm_array_reserve(r->env, &r->ranges, n + 1)) return LM_ERR_MEMORY;
    uint32_t next = 0;
    for (size_t i = 0; i < n; i++) {
        lm_code_range range = p->set.data[i];
        if (!negated)
            r->ranges.data[r->ranges.count++] = range;
        else if (range.lo > next)
            r->ranges.data[r->ranges.count++] = (lm_code_range){next, range.lo - 1};
        next = range.hi + 1;
    }
    if (negated && next <= 0x10FFFF) r->ranges.data[r->ranges.count++] = (lm_code_range){next, 0x10FFFF};
    return add(p, (lm_regex_node){.kind = LM_REGEX_CLASS, .a = first, .b = (uint32_t)r->ranges.count - first}, out);
}

static lm_status parse_hex(parser *p, size_t n_digits, uint32_t *code) {
    uint32_t value = 0;
    for (size_t i = 0; i < n_digits; i++, p->at++) {
        char c = p->at < p->n ? p->text[p->at] : '\0', lower = (char)(c | 0x20);
        uint32_t digit = c >= '0' && c <= '9'           ? (uint32_t)(c - '0')
                         : lower >= 'a' && lower <= 'f' ? (uint32_t)(lower - 'a' + 10)
                                                        : 16;
        if (digit > 15) return refuse(p, LM_ERR_FORMAT, "too few hexadecimal digits");
        value = value << 4 | digit;
    }
    *code = value;
    return LM_OK;
}

static lm_status parse_unicode(parser *p, uint32_t *code) {
    if (at_char(p, '{')) {
        size_t n = 0;
        p->at++;
        while (p->at + n < p->n && p->text[p->at + n] != '}' && n < 7) n++;
        lm_status status = n == 0 || n > 6 ? refuse(p, LM_ERR_FORMAT, "malformed code point") : parse_hex(p, n, code);
        if (status != LM_OK) return status;
        if (!at_char(p, '}') || *code > 0x10FFFF) return refuse(p, LM_ERR_FORMAT, "malformed code point");
        p->at++;
        return LM_OK;
    }
    lm_status status = parse_hex(p, 4, code);
    if (status != LM_OK || *code < 0xD800 || *code > 0xDBFF || !at_text(p, "\\u")) return status;
    size_t back = p->at;
    uint32_t low;
    p->at += 2;
    status = parse_hex(p, 4, &low);
    if (status != LM_OK) return status;
    if (low >= 0xDC00 && low <= 0xDFFF)
        *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    else
        p->at = back;
    return LM_OK;
}

/* After \p or \P: the code points of general categories, or all others. */
static lm_status push_property(parser *p, bool negated) {
    const char *name = p->text + p->at + 1, *end = at_char(p, '{') ? memchr(name, '}', p->n - p->at - 1) : NULL;
    uint32_t categories;
    if (!end) return refuse(p, LM_ERR_FORMAT, "property class without a name in braces");
    if (!lm_regex_property(name, (size_t)(end - name), &categories))
        return refuse(p, LM_ERR_UNSUPPORTED, "Unicode property that is no general category");
    p->at = (size_t)(end - p->text) + 1;
    if (p->out->ranges.count + p->set.count > MAX_RANGES) return refuse(p, LM_ERR_LIMIT, "too many property classes");
    lm_code_range range = {0, 0};
    bool was_member = false;
    for (uint32_t code = 0; code <= 0x10FFFF; code = range.hi + 1) {
        bool is_member = ((lm_unicode_mask(code) & categories) != 0) != negated;
        if (was_member && !is_member && !lm_array_push(p->out->env, &p->set, range)) return LM_ERR_MEMORY;
        if (!was_member) range.lo = code;
        range.hi = lm_unicode_run_end(code);
        was_member = is_member;
    }
    return !was_member || lm_array_push(p->out->env, &p->set, range) ? LM_OK : LM_ERR_MEMORY;
}

/* After a backslash. A class escape adds to the set and leaves *is_class true; any other gives its code point. */
static lm_status parse_escape(parser *p, bool in_class, bool *is_class, uint32_t *code) {
    if (p->at >= p->n) return refuse(p, LM_ERR_FORMAT, "unfinished escape");
    char c = p->text[p->at];
    *is_class = false;
    if ((unsigned char)c >= 0x80) {
        p->at += lm_utf8_decode(p->text + p->at, p->n - p->at, code);
        return LM_OK;
    }
    p->at++;
    switch (c) {
    case 'd':
    case 'D': *is_class = true; return push_set(p, digits, 1, c == 'D');
    case 'w':
    case 'W': *is_class = true; return push_set(p, words, 4, c == 'W');
    case 's':
    case 'S': *is_class = true; return push_spaces(p, c == 'S');
    case 't': *code = '\t'; return LM_OK;
    case 'n': *code = '\n'; return LM_OK;
    case 'v': *code = '\v'; return LM_OK;
    case 'f': *code = '\f'; return LM_OK;
    case 'r': *code = '\r'; return LM_OK;
    case 'x': return parse_hex(p, 2, code);
    case 'u': return parse_unicode(p, code);
    case 'b':
        if (!in_class) return refuse(p, LM_ERR_UNSUPPORTED, "word boundary \\b");
        *code = '\b';
        return LM_OK;
    case 'B': return refuse(p, LM_ERR_UNSUPPORTED, "word boundary \\B");
    case 'p':
    case 'P': *is_class = true; return push_property(p, c == 'P');
    case 'k': return refuse(p, LM_ERR_UNSUPPORTED, "back reference");
    case 'c':
        if (p->at >= p->n || !((p->text[p->at] | 0x20) >= 'a' && (p->text[p->at] | 0x20) <= 'z'))
            return refuse(p, LM_ERR_FORMAT, "malformed control escape");
        *code = (uint32_t)(p->text[p->at++] & 0x1F);
        return LM_OK;
    case '0':
        if (p->at < p->n && p->text[p->at] >= '0' && p->text[p->at] <= '9')
            return refuse(p, LM_ERR_UNSUPPORTED, "octal escape");
        *code = 0;
        return LM_OK;
    default: break;
    }
    if (c >= '1' && c <= '9') return refuse(p, LM_ERR_UNSUPPORTED, "back reference");
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return refuse(p, LM_ERR_FORMAT, "unknown escape");
    *code = (unsigned char)c;
    return LM_OK;
}

static lm_status parse_member(parser *p, bool *is_class, uint32_t *code) {
    *is_class = false;
    if (at_char(p, '\\')) {
        p->at++;
        return parse_escape(p, true, is_class, code);
    }
    p->at += lm_utf8_decode(p->text + p->at, p->n - p->at, code);
    return LM_OK;
}

static lm_status parse_class(parser *p, uint32_t *out) {
    begin_class(p);
    p->at++;
    if (at_char(p, '^')) {
        p->negated = true;
        p->at++;
    }
    while (!at_char(p, ']')) {
        if (p->at >= p->n) return refuse(p, LM_ERR_FORMAT, "unterminated class");
        bool is_class, hi_is_class = false;
        lm_code_range range;
        lm_status status = parse_member(p, &is_class, &range.lo);
        if (status != LM_OK) return status;
        if (is_class) continue;
        range.hi = range.lo;
        if (at_char(p, '-') && p->at + 1 < p->n && p->text[p->at + 1] != ']') {
            size_t dash = p->at++;
            status = parse_member(p, &hi_is_class, &range.hi);
            if (status != LM_OK) return status;
            if (hi_is_class) { /* "a-\d": the dash is one of the members */
                lm_code_range hyphen = {'-', '-'};
                range.hi = range.lo;
                if (!lm_array_push(p->out->env, &p->set, hyphen)) return LM_ERR_MEMORY;
            } else if (range.hi < range.lo) {
                p->at = dash;
                return refuse(p, LM_ERR_FORMAT, "reversed range");
            }
        }
        if (!lm_array_push(p->out->env, &p->set, range)) return LM_ERR_MEMORY;
    }
    p->at++;
    return add_class(p, p->negated, out);
}

static lm_status parse_choice(parser *p, uint32_t depth, uint32_t *out);

static lm_status parse_group(parser *p, uint32_t depth, uint32_t *out) {
    lm_regex_node node = {.kind = LM_REGEX_GROUP};
    size_t start = p->at++;
    if (depth >= LM_GRAMMAR_MAX_DEPTH) return refuse(p, LM_ERR_LIMIT, "groups nested too deep");
    if (at_text(p, "?:")) {
        p->at += 2;
    } else if (at_text(p, "?=") || at_text(p, "?!")) {
        node.kind = LM_REGEX_LOOK;
        node.b = p->text[p->at + 1] == '!';
        p->at += 2;
    } else if (at_text(p, "?<=") || at_text(p, "?<!")) {
        return refuse(p, LM_ERR_UNSUPPORTED, "lookbehind");
    } else {
        if (at_text(p, "?<") || at_text(p, "?P<")) { /* Python's spelling has a P */
            while (p->at < p->n && p->text[p->at] != '>') p->at++;
            if (p->at >= p->n) return refuse(p, LM_ERR_FORMAT, "unterminated group name");
            p->at++;
        } else if (at_char(p, '?')) {
            return refuse(p, LM_ERR_FORMAT, "unknown group");
        }
        node.b = ++p->out->n_groups;
    }
    bool inverts = node.kind == LM_REGEX_LOOK && node.b;
    p->inverted ^= inverts;
    lm_status status = parse_choice(p, depth + 1, &node.a);
    p->inverted ^= inverts;
    if (status != LM_OK) return status;
    if (!at_char(p, ')')) {
        p->at = start;
        return refuse(p, LM_ERR_FORMAT, "unterminated group");
    }
    p->at++;
    node.anchored = node.kind == LM_REGEX_LOOK || p->out->nodes.data[node.a].anchored;
    return add(p, node, out);
}

static bool parse_count(parser *p, uint32_t *out) {
    size_t start = p->at;
    uint64_t value = 0;
    for (; p->at < p->n && p->text[p->at] >= '0' && p->text[p->at] <= '9'; p->at++) {
        value = value * 10 + (uint64_t)(p->text[p->at] - '0');
        if (value > MAX_COUNT) value = MAX_COUNT + 1;
    }
    *out = (uint32_t)value;
    return p->at > start;
}

/* {m} {m,} {m,n} at the parser's place: false, nothing read, when it is none. */
static bool parse_braces(parser *p, uint32_t *least, uint32_t *most) {
    size_t start = p->at++;
    if (parse_count(p, least)) {
        *most = *least;
        if (at_char(p, ',')) {
            p->at++;
            if (!parse_count(p, most)) *most = LM_REGEX_UNBOUNDED;
        }
        if (at_char(p, '}')) {
            p->at++;
            return true;
        }
    }
    p->at = start;
    return false;
}

static lm_status parse_quantifier(parser *p, uint32_t *item) {
    uint32_t least = 0, most = LM_REGEX_UNBOUNDED;
    if (at_char(p, '*') || at_char(p, '+') || at_char(p, '?')) {
        if (at_char(p, '+')) least = 1;
        if (at_char(p, '?')) most = 1;
        p->at++;
    } else if (!at_char(p, '{') || !parse_braces(p, &least, &most)) {
        return LM_OK;
    }
    if (least > MAX_COUNT || (most != LM_REGEX_UNBOUNDED && most > MAX_COUNT))
        return refuse(p, LM_ERR_LIMIT, "repeat count too large");
    if (most < least) return refuse(p, LM_ERR_FORMAT, "reversed repeat counts");
    const lm_regex_node *child = &p->out->nodes.data[*item];
    if (child->kind == LM_REGEX_BEGIN || child->kind == LM_REGEX_END)
        return refuse(p, LM_ERR_FORMAT, "nothing to repeat");
    lm_regex_node node = {.kind = LM_REGEX_REPEAT, .a = *item, .b = least, .c = most, .anchored = child->anchored};
    if (at_char(p, '?')) {
        node.lazy = true;
        p->at++;
    }
    if (at_char(p, '*') || at_char(p, '+') || at_char(p, '?')) return refuse(p, LM_ERR_FORMAT, "nothing to repeat");
    return add(p, node, item);
}

static lm_status parse_item(parser *p, uint32_t depth, uint32_t *out) {
    char c = p->text[p->at];
    begin_class(p);
    if (c == '(') return parse_group(p, depth, out);
    if (c == '[') return parse_class(p, out);
    if (c == '^' || c == '$') {
        p->at++;
        return add(p, (lm_regex_node){.kind = c == '^' ? LM_REGEX_BEGIN : LM_REGEX_END, .anchored = true}, out);
    }
    if (c == '*' || c == '+' || c == '?') return refuse(p, LM_ERR_FORMAT, "nothing to repeat");
    if (c == '.') {
        p->at++;
        lm_status status = push_set(p, line_ends, 3, false);
        return status == LM_OK ? add_class(p, true, out) : status;
    }
    lm_code_range one = {0, 0};
    bool is_class = false;
    lm_status status = LM_OK;
    if (c == '\\') {
        p->at++;
        status = parse_escape(p, false, &is_class, &one.lo);
    } else {
        p->at += lm_utf8_decode(p->text + p->at, p->n - p->at, &one.lo);
    }
    one.hi = one.lo;
    if (status == LM_OK && !is_class && !lm_array_push(p->out->env, &p->set, one)) status = LM_ERR_MEMORY;
    return status == LM_OK ? add_class(p, false, out) : status;
}

static lm_status add_list(parser *p, lm_regex_kind kind, size_t first, uint32_t *out) {
    lm_regex *r = p->out;
    size_t n = p->stack.count - first;
    lm_regex_node node = {.kind = (uint8_t)kind, .a = (uint32_t)r->kids.count, .b = (uint32_t)n};
    p->stack.count = first;
    if (n == 1) {
        *out = p->stack.data[first];
        return LM_OK;
    }
    if (n == 0) return add(p, (lm_regex_node){.kind = LM_REGEX_EMPTY}, out);
    if (!lm_array_reserve(r->env, &r->kids, n)) return LM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        r->kids.data[r->kids.count++] = p->stack.data[first + i];
        node.anchored = node.anchored || r->nodes.data[p->stack.data[first + i]].anchored;
    }
    return add(p, node, out);
}

static lm_status parse_choice(parser *p, uint32_t depth, uint32_t *out) {
    size_t choices = p->stack.count;
    for (;;) {
        size_t items = p->stack.count;
        uint32_t item;
        lm_status status = LM_OK;
        while (p->at < p->n && p->text[p->at] != '|' && p->text[p->at] != ')') {
            status = parse_item(p, depth, &item);
            if (status == LM_OK) status = parse_quantifier(p, &item);
            if (status != LM_OK) return status;
            if (!lm_array_push(p->out->env, &p->stack, item)) return LM_ERR_MEMORY;
        }
        status = add_list(p, LM_REGEX_SEQ, items, &item);
        if (status != LM_OK) return status;
        if (!lm_array_push(p->out->env, &p->stack, item)) return LM_ERR_MEMORY;
        if (!at_char(p, '|')) return add_list(p, LM_REGEX_ALT, choices, out);
        p->at++;
    }
}

lm_status lm_regex_parse(const lm_env *env, const char *text, size_t n, bool inverted, lm_regex *out, const char **what,
                         size_t *at) {
    parser p = {.out = out, .text = text, .n = n, .inverted = inverted};
    memset(out, 0, sizeof *out);
    out->env = env;
    lm_status status = LM_OK;
    if (n > LM_REGEX_MAX_BYTES)
        status = refuse(&p, LM_ERR_LIMIT, "pattern too long");
    else if (lm_utf8_valid_prefix(text, n) != n)
        status = refuse(&p, LM_ERR_FORMAT, "malformed UTF-8");
    else if (!lm_array_reserve(env, &p.stack, 16) || !lm_array_reserve(env, &p.set, 16))
        status = LM_ERR_MEMORY;
    if (status == LM_OK) status = parse_choice(&p, 0, &out->root);
    if (status == LM_OK && p.at < n) status = refuse(&p, LM_ERR_FORMAT, "unmatched )");
    lm_array_free(env, &p.stack);
    lm_array_free(env, &p.set);
    *what = p.what;
    *at = p.at;
    return status;
}

void lm_regex_free(lm_regex *regex) {
    if (!regex->env) return;
    lm_array_free(regex->env, &regex->nodes);
    lm_array_free(regex->env, &regex->kids);
    lm_array_free(regex->env, &regex->ranges);
}
