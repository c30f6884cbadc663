/* SPDX-License-Identifier: MIT
 * The GBNF parser: one pass, recursive over parentheses alone, whose depth is bounded. Rules may be used before they are
 * defined, and the last definition of a name counts; names are found through a hash table, so that the time is linear. */
#include "gbnf.h"

#include <string.h>

#include "../base/format.h"
#include "../base/utf8.h"

#define MAX_REPEAT 1000000000u

typedef struct parser {
    lm_gexpr_pool *pool;
    const uint8_t *text;
    size_t n, at;
    lm_grammar_find_token find_token;
    void *user;
    lm_error *error;
    uint32_t *slots; /* open addressing: rule + 1, 0 free */
    size_t n_slots;  /* a power of two, at least twice the rules */
    size_t line_end; /* lines are counted up to here */
    int32_t line;
    LM_ARRAY(lm_gexpr) stack;
    LM_ARRAY(lm_code_range) ranges;
    LM_ARRAY(char) literal;
} parser;

static int32_t line_of(const parser *p, size_t offset) {
    int32_t line = 1;
    for (size_t i = 0; i < offset && i < p->n; i++)
        if (p->text[i] == '\n' || (p->text[i] == '\r' && !(i + 1 < p->n && p->text[i + 1] == '\n'))) line++;
    return line;
}

static lm_status refuse_at(const parser *p, size_t offset, const char *what) {
    size_t rest = p->n - offset;
    if (rest == 0)
        return lm_error_set_at(p->error, LM_ERR_FORMAT, line_of(p, offset), offset,
                               "grammar: %s at the end of the text", what);
    return lm_error_set_at(p->error, LM_ERR_FORMAT, line_of(p, offset), offset, "grammar: %s before %q", what,
                           rest < 16 ? rest : (size_t)16, (const char *)p->text + offset);
}

static lm_status refuse(const parser *p, const char *what) { return refuse_at(p, p->at, what); }

static lm_status pool_failure(const parser *p) {
    if (p->pool->status == LM_ERR_LIMIT)
        return lm_error_set_at(p->error, LM_ERR_LIMIT, line_of(p, p->at), p->at,
                               "grammar: too many rules or too large");
    return lm_error_memory(p->error);
}

static bool at_name(const parser *p) {
    if (p->at >= p->n) return false;
    uint8_t c = p->text[p->at];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

static bool at_char(const parser *p, char c) { return p->at < p->n && p->text[p->at] == (uint8_t)c; }

static void skip_space(parser *p, bool lines) {
    for (; p->at < p->n; p->at++) {
        uint8_t c = p->text[p->at];
        if (c == '#') {
            while (p->at + 1 < p->n && p->text[p->at + 1] != '\n' && p->text[p->at + 1] != '\r') p->at++;
        } else if (c != ' ' && c != '\t' && !(lines && (c == '\n' || c == '\r'))) {
            return;
        }
    }
}

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static lm_status parse_char(parser *p, uint32_t *code) {
    size_t start = p->at;
    if (p->text[p->at] != '\\') {
        size_t length = lm_utf8_decode((const char *)p->text + p->at, p->n - p->at, code);
        if (length == 0) return refuse(p, "malformed UTF-8");
        p->at += length;
        return LM_OK;
    }
    if (++p->at >= p->n) return refuse_at(p, start, "unfinished escape");
    uint8_t c = p->text[p->at++];
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) {
        static const char names[] = "trn\\\"[]-", values[] = "\t\r\n\\\"[]-";
        const char *found = c ? strchr(names, c) : NULL;
        if (!found) return refuse_at(p, start, "unknown escape");
        *code = (uint8_t)values[found - names];
        return LM_OK;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < digits; i++, p->at++) {
        int digit = p->at < p->n ? hex_value(p->text[p->at]) : -1;
        if (digit < 0) return refuse_at(p, start, "too few hexadecimal digits");
        value = value << 4 | (uint32_t)digit;
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return refuse_at(p, start, "not a code point");
    *code = value;
    return LM_OK;
}

static lm_status parse_literal(parser *p, lm_gexpr *out) {
    size_t start = p->at++;
    p->literal.count = 0;
    while (!at_char(p, '"')) {
        uint32_t code;
        if (p->at >= p->n) return refuse_at(p, start, "unterminated literal");
        lm_status status = parse_char(p, &code);
        if (status != LM_OK) return status;
        if (!lm_array_reserve(p->pool->env, &p->literal, 4)) return lm_error_memory(p->error);
        p->literal.count += lm_utf8_encode(code, p->literal.data + p->literal.count);
    }
    p->at++;
    *out = lm_gexpr_text(p->pool, p->literal.data, p->literal.count);
    return LM_OK;
}

static lm_status parse_class(parser *p, lm_gexpr *out) {
    size_t start = p->at++;
    bool negated = at_char(p, '^');
    if (negated) p->at++;
    p->ranges.count = 0;
    while (!at_char(p, ']')) {
        lm_code_range range;
        if (p->at >= p->n) return refuse_at(p, start, "unterminated class");
        size_t here = p->at;
        lm_status status = parse_char(p, &range.lo);
        if (status != LM_OK) return status;
        range.hi = range.lo;
        /* A dash opens a range unless it is the last member; one that is first, or follows a range, is read above. */
        if (at_char(p, '-') && p->at + 1 < p->n && p->text[p->at + 1] != ']') {
            p->at++;
            status = parse_char(p, &range.hi);
            if (status != LM_OK) return status;
            if (range.hi < range.lo) return refuse_at(p, here, "reversed range");
        }
        if (!lm_array_push(p->pool->env, &p->ranges, range)) return lm_error_memory(p->error);
    }
    if (p->ranges.count == 0) return refuse_at(p, start, "empty class");
    p->at++;
    *out = lm_gexpr_class(p->pool, p->ranges.data, p->ranges.count, negated);
    return LM_OK;
}

static lm_status parse_token(parser *p, lm_gexpr *out) {
    size_t start = p->at;
    bool negated = at_char(p, '!');
    if (negated) p->at++;
    if (!at_char(p, '<')) return refuse(p, "token expected");
    size_t open = p->at++;
    lm_token token = LM_TOKEN_NONE;
    if (at_char(p, '[')) {
        uint32_t value = 0;
        size_t digits = 0;
        for (p->at++; p->at < p->n && p->text[p->at] >= '0' && p->text[p->at] <= '9'; p->at++, digits++) {
            value = value * 10 + (uint32_t)(p->text[p->at] - '0');
            if (value > 0x0FFFFFFF) return refuse_at(p, start, "token id out of range");
        }
        if (digits == 0 || p->n - p->at < 2 || memcmp(p->text + p->at, "]>", 2) != 0)
            return refuse_at(p, start, "malformed token id");
        p->at += 2;
        token = (lm_token)value;
    } else {
        while (p->at < p->n && p->text[p->at] != '>') p->at++;
        if (p->at >= p->n) return refuse_at(p, start, "unterminated token");
        p->at++;
        if (!p->find_token)
            return lm_error_set_at(p->error, LM_ERR_UNSUPPORTED, line_of(p, start), start,
                                   "grammar: token %q given by text, but no vocabulary to find it in", p->at - open,
                                   (const char *)p->text + open);
        token = p->find_token(p->user, (const char *)p->text + open, p->at - open);
        if (token < 0) return refuse_at(p, start, "the text is not exactly one token");
    }
    *out = lm_gexpr_token(p->pool, (uint32_t)token, negated);
    return LM_OK;
}

static size_t name_slot(const parser *p, const uint8_t *name, size_t n) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ name[i]) * 1099511628211u;
    size_t slot = (size_t)(hash ^ hash >> 29) & (p->n_slots - 1);
    for (; p->slots[slot]; slot = (slot + 1) & (p->n_slots - 1)) {
        const lm_grammar_rule_def *rule = &p->pool->rules.data[p->slots[slot] - 1];
        if (rule->name_length == n && memcmp(p->pool->bytes.data + rule->name, name, n) == 0) break;
    }
    return slot;
}

/* The rule of a name, made when it is new. */
static lm_status find_rule(parser *p, size_t start, size_t length, uint32_t *out) {
    if (p->pool->rules.count * 2 >= p->n_slots) {
        size_t n_slots = p->n_slots ? p->n_slots * 2 : 64;
        uint32_t *slots = lm_alloc_array(p->pool->env, n_slots, sizeof *slots);
        if (!slots) return lm_error_memory(p->error);
        lm_free(p->pool->env, p->slots, p->n_slots * sizeof *slots);
        p->slots = slots;
        p->n_slots = n_slots;
        for (size_t i = 0; i < p->pool->rules.count; i++) {
            const lm_grammar_rule_def *rule = &p->pool->rules.data[i];
            p->slots[name_slot(p, p->pool->bytes.data + rule->name, rule->name_length)] = (uint32_t)i + 1;
        }
    }
    size_t slot = name_slot(p, p->text + start, length);
    if (!p->slots[slot]) {
        uint32_t rule = lm_gexpr_add_rule(p->pool, p->text + start, length);
        if (rule == UINT32_MAX) return pool_failure(p);
        p->pool->rules.data[rule].offset = start;
        p->slots[slot] = rule + 1;
    }
    *out = p->slots[slot] - 1;
    return LM_OK;
}

static lm_status parse_number(parser *p, uint32_t *out) {
    size_t start = p->at;
    uint32_t value = 0;
    for (; p->at < p->n && p->text[p->at] >= '0' && p->text[p->at] <= '9'; p->at++) {
        value = value * 10 + (uint32_t)(p->text[p->at] - '0');
        if (value > MAX_REPEAT)
            return lm_error_set_at(p->error, LM_ERR_LIMIT, line_of(p, start), start, "grammar: repeat count above %u",
                                   MAX_REPEAT);
    }
    if (p->at == start) return refuse(p, "number expected");
    *out = value;
    return LM_OK;
}

/* The braces of a repetition: {m} {m,} {m,n}. */
static lm_status parse_braces(parser *p, uint32_t *least, uint32_t *most) {
    size_t start = p->at++;
    skip_space(p, false);
    lm_status status = parse_number(p, least);
    if (status != LM_OK) return status;
    *most = *least;
    skip_space(p, false);
    if (at_char(p, ',')) {
        p->at++;
        skip_space(p, false);
        *most = LM_GRAMMAR_UNBOUNDED;
        if (!at_char(p, '}')) status = parse_number(p, most);
        if (status != LM_OK) return status;
        skip_space(p, false);
    }
    if (!at_char(p, '}')) return refuse(p, "} expected");
    p->at++;
    return *most < *least ? refuse_at(p, start, "reversed repeat counts") : LM_OK;
}

static lm_status parse_quantifiers(parser *p, bool lines, lm_gexpr *item) {
    for (;;) {
        uint32_t least = 0, most = LM_GRAMMAR_UNBOUNDED;
        if (at_char(p, '*') || at_char(p, '+') || at_char(p, '?')) {
            if (at_char(p, '+')) least = 1;
            if (at_char(p, '?')) most = 1;
            p->at++;
        } else if (at_char(p, '{')) {
            lm_status status = parse_braces(p, &least, &most);
            if (status != LM_OK) return status;
        } else {
            return LM_OK;
        }
        *item = lm_gexpr_repeat(p->pool, *item, least, most);
        skip_space(p, lines);
    }
}

static lm_status parse_choice(parser *p, uint32_t depth, lm_gexpr *out);

static lm_status parse_item(parser *p, uint32_t depth, lm_gexpr *out) {
    size_t start = p->at;
    uint8_t c = p->text[p->at];
    if (c == '"') return parse_literal(p, out);
    if (c == '[') return parse_class(p, out);
    if (c == '<' || c == '!') return parse_token(p, out);
    if (c == '.') {
        p->at++;
        *out = lm_gexpr_class(p->pool, NULL, 0, true);
        return LM_OK;
    }
    if (c == '(') {
        if (depth >= LM_GRAMMAR_MAX_DEPTH)
            return lm_error_set_at(p->error, LM_ERR_LIMIT, line_of(p, start), start,
                                   "grammar: groups nested deeper than %d", LM_GRAMMAR_MAX_DEPTH);
        p->at++;
        skip_space(p, true);
        lm_status status = parse_choice(p, depth + 1, out);
        if (status != LM_OK) return status;
        if (p->at >= p->n) return refuse_at(p, start, "unterminated group");
        if (!at_char(p, ')')) return refuse(p, ") expected");
        p->at++;
        return LM_OK;
    }
    while (at_name(p)) p->at++;
    uint32_t rule;
    lm_status status = find_rule(p, start, p->at - start, &rule);
    if (status == LM_OK) *out = lm_gexpr_rule(p->pool, rule);
    return status;
}

static bool at_item(const parser *p) {
    return at_name(p) || at_char(p, '"') || at_char(p, '[') || at_char(p, '(') || at_char(p, '.') || at_char(p, '<') ||
           at_char(p, '!');
}

/* Alternatives, up to what cannot belong to them. depth 0 is the top of a rule, where a line end ends it. */
static lm_status parse_choice(parser *p, uint32_t depth, lm_gexpr *out) {
    const lm_env *env = p->pool->env;
    size_t choices = p->stack.count;
    for (;;) {
        size_t items = p->stack.count;
        while (at_item(p)) {
            lm_gexpr item = LM_GEXPR_EMPTY;
            lm_status status = parse_item(p, depth, &item);
            if (status != LM_OK) return status;
            skip_space(p, depth > 0);
            status = parse_quantifiers(p, depth > 0, &item);
            if (status != LM_OK) return status;
            if (!lm_array_push(env, &p->stack, item)) return lm_error_memory(p->error);
        }
        if (at_char(p, '*') || at_char(p, '+') || at_char(p, '?') || at_char(p, '{'))
            return refuse(p, "nothing to repeat");
        lm_gexpr sequence = lm_gexpr_seq(p->pool, p->stack.data + items, p->stack.count - items);
        p->stack.count = items;
        if (!lm_array_push(env, &p->stack, sequence)) return lm_error_memory(p->error);
        if (!at_char(p, '|')) break;
        p->at++;
        skip_space(p, true);
    }
    *out = lm_gexpr_alt(p->pool, p->stack.data + choices, p->stack.count - choices);
    p->stack.count = choices;
    return p->pool->status == LM_OK ? LM_OK : pool_failure(p);
}

static lm_status parse_rule(parser *p) {
    size_t start = p->at;
    while (at_name(p)) p->at++;
    if (p->at == start) return refuse(p, "rule name expected");
    uint32_t rule;
    lm_status status = find_rule(p, start, p->at - start, &rule);
    if (status != LM_OK) return status;
    skip_space(p, false);
    if (p->n - p->at < 3 || memcmp(p->text + p->at, "::=", 3) != 0) return refuse(p, "::= expected");
    p->at += 3;
    skip_space(p, true);
    lm_gexpr expr = LM_GEXPR_EMPTY;
    status = parse_choice(p, 0, &expr);
    if (status != LM_OK) return status;
    if (p->at < p->n && !at_char(p, '\n') && !at_char(p, '\r')) return refuse(p, "end of rule expected");
    for (; p->line_end < start; p->line_end++)
        if (p->text[p->line_end] == '\n') p->line++;
    p->pool->rules.data[rule].line = p->line + 1;
    p->pool->rules.data[rule].expr = expr;
    p->pool->rules.data[rule].offset = start;
    p->pool->rules.data[rule].defined = true;
    skip_space(p, true);
    return LM_OK;
}

lm_status lm_gbnf_parse(lm_gexpr_pool *pool, const char *text, size_t n, lm_grammar_find_token find_token, void *user,
                        uint32_t *root, lm_error *error) {
    parser p = {
        .pool = pool, .text = (const uint8_t *)text, .n = n, .find_token = find_token, .user = user, .error = error};
    lm_status status = LM_OK;
    if (!lm_array_reserve(pool->env, &p.stack, 16) || !lm_array_reserve(pool->env, &p.literal, 16) ||
        !lm_array_reserve(pool->env, &p.ranges, 16)) {
        status = lm_error_memory(error);
        goto out;
    }
    skip_space(&p, true);
    while (status == LM_OK && p.at < n) status = parse_rule(&p);
    if (status != LM_OK) goto out;
    for (size_t i = 0; i < pool->rules.count; i++) {
        lm_grammar_rule_def *rule = &pool->rules.data[i];
        if (rule->defined) continue;
        status = lm_error_set_at(error, LM_ERR_FORMAT, line_of(&p, (size_t)rule->offset), rule->offset,
                                 "grammar: undefined rule %q", (size_t)rule->name_length,
                                 (const char *)pool->bytes.data + rule->name);
        goto out;
    }
    size_t slot = p.n_slots ? name_slot(&p, (const uint8_t *)"root", 4) : 0;
    if (p.n_slots == 0 || !p.slots[slot]) {
        status = lm_error_set_at(error, LM_ERR_FORMAT, 1, 0, "grammar: no rule named root");
        goto out;
    }
    *root = p.slots[slot] - 1;
out:
    lm_free(pool->env, p.slots, p.n_slots * sizeof *p.slots);
    lm_array_free(pool->env, &p.stack);
    lm_array_free(pool->env, &p.ranges);
    lm_array_free(pool->env, &p.literal);
    return status;
}
